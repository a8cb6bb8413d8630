/*
 * Bytes of a file, decompressed as they are read: plain, zstd, gzip or a zip archive that holds
 * one file. The kind is told by the first bytes, never by the name. Memory is constant; what a
 * small file may expand to is bounded, so a decompression bomb is refused early.
 *
 *     struct stream in;
 *     if (stream_open(&in, path, err) != ERROR_NONE)
 *         return err->code;
 *     while ((code = stream_read(&in, &bytes, &length, err)) == ERROR_NONE && length > 0)
 *         ...
 *     stream_close(&in);
 */
#ifndef LIQCASCADE_DATASETS_STREAM_H
#define LIQCASCADE_DATASETS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum stream_kind { STREAM_PLAIN, STREAM_ZSTD, STREAM_GZIP, STREAM_ZIP };
/* "plain", "zstd", "gzip", "zip". */
const char *stream_kind_name(enum stream_kind kind);

/* A compressed file may expand to at most this much ... */
#define STREAM_MAX_BYTES (INT64_C(8) << 30)
/* ... and past the first STREAM_RATIO_FREE_BYTES by at most this factor. Exported market history
   compresses 3 to 30 times; deflate's limit is 1,032, which only a bomb comes near. */
#define STREAM_MAX_RATIO 100
#define STREAM_RATIO_FREE_BYTES (INT64_C(64) << 20)

struct archive;
struct ZSTD_DCtx_s;

struct stream {
    enum stream_kind kind;
    int64_t packed_bytes;   /* size on disk; of a zip, of the whole archive */
    int64_t unpacked_bytes; /* given out so far, a byte-order mark included */
    /* The rest is private. */
    char *path;
    FILE *file;
    const unsigned char *memory;
    size_t memory_length, memory_position;
    struct ZSTD_DCtx_s *zstd;
    struct archive *archive;
    unsigned char *input, *output;
    size_t input_length, input_position;
    bool input_ended, frame_open, ended, started;
    uint32_t *checksum_table; /* gzip: libarchive does not verify what the trailer says */
    uint32_t checksum;
};

/* Opens a regular file. ERROR_IO: missing, unreadable, not a regular file. ERROR_DATA: an
   unsupported compression, a zip that is encrypted or does not hold exactly one file (names what
   it holds). On failure nothing is left to close. */
int stream_open(struct stream *self, const char *path, struct error *err);

/* The same over `length` bytes in memory, which stay the caller's and must outlive the stream;
   `name` stands for the path in messages. */
int stream_open_memory(struct stream *self, const char *name, const void *bytes, size_t length,
                       struct error *err);

/* The next block: `*out_length` bytes that stay valid until the next call, 0 at the end. A UTF-8
   byte-order mark at the start is left out. ERROR_DATA: truncated, corrupt, or a bomb;
   ERROR_INTERRUPTED after a signal. */
int stream_read(struct stream *self, const char **out_bytes, size_t *out_length, struct error *err);

void stream_close(struct stream *self);

#endif
