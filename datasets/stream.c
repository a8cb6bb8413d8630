#include "datasets/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <zstd.h>

#include "base/interrupt.h"
#include "base/memory.h"

#define BLOCK_SIZE ((size_t)256 << 10)

struct magic {
    const char *name; /* of a compression that is not read; NULL: see `kind` */
    size_t length;
    const char *bytes;
    enum stream_kind kind;
};

static const struct magic MAGICS[] = {
    {NULL, 4, "\x28\xb5\x2f\xfd", STREAM_ZSTD},
    {NULL, 2, "\x1f\x8b", STREAM_GZIP},
    {NULL, 4, "PK\x03\x04", STREAM_ZIP},
    {NULL, 4, "PK\x05\x06", STREAM_ZIP}, /* an archive without members */
    {"xz compression", 6,
     "\xfd"
     "7zXZ\0",
     STREAM_PLAIN},
    {"bzip2 compression", 3, "BZh", STREAM_PLAIN},
    {"a 7z archive", 6, "7z\xbc\xaf\x27\x1c", STREAM_PLAIN},
    {"a RAR archive", 4, "Rar!", STREAM_PLAIN},
    {"lz4 compression", 4, "\x04\x22\x4d\x18", STREAM_PLAIN},
    {"a Parquet file", 4, "PAR1", STREAM_PLAIN},
    {"UTF-16 text", 2, "\xff\xfe", STREAM_PLAIN},
    {"UTF-16 text", 2, "\xfe\xff", STREAM_PLAIN},
};

const char *stream_kind_name(enum stream_kind kind)
{
    static const char *const NAMES[] = {"plain", "zstd", "gzip", "zip"};
    return NAMES[kind];
}

static int data_error(const struct stream *self, struct error *err, const char *message)
{
    return error_at(err, ERROR_DATA, self->path, 0, 0, NULL, "%s", message);
}

/* --- what is in the file --- */

static int tell_kind(struct stream *self, const unsigned char *head, size_t length,
                     struct error *err)
{
    self->kind = STREAM_PLAIN;
    /* zstd's skippable frames, which pzstd and seekable archives put first: 0x184D2A5n. */
    if (length >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0)
        self->kind = STREAM_ZSTD;
    for (size_t i = 0; i < sizeof MAGICS / sizeof *MAGICS; i++) {
        const struct magic *magic = &MAGICS[i];
        if (length < magic->length || memcmp(head, magic->bytes, magic->length) != 0)
            continue;
        if (magic->name)
            return error_at(err, ERROR_DATA, self->path, 0, 0, NULL,
                            "this is %s; expected UTF-8 text, plain or in zstd, gzip or zip",
                            magic->name);
        self->kind = magic->kind;
    }
    return ERROR_NONE;
}

static int open_regular(struct stream *self, struct error *err)
{
    struct stat status;
    if (stat(self->path, &status) != 0)
        return error_errno(err, self->path, errno, "cannot open");
    if (!S_ISREG(status.st_mode))
        return error_at(err, ERROR_IO, self->path, 0, 0, NULL, "not a regular file");
    self->file = fopen(self->path, "rb");
    if (!self->file)
        return error_errno(err, self->path, errno, "cannot open");
    self->packed_bytes = status.st_size;
    return ERROR_NONE;
}

static int fill_input(struct stream *self, struct error *err)
{
    self->input_position = 0;
    if (self->memory) {
        size_t left = self->memory_length - self->memory_position;
        self->input_length = left < BLOCK_SIZE ? left : BLOCK_SIZE;
        if (self->input_length > 0)
            memcpy(self->input, self->memory + self->memory_position, self->input_length);
        self->memory_position += self->input_length;
    } else {
        self->input_length = fread(self->input, 1, BLOCK_SIZE, self->file);
        if (self->input_length < BLOCK_SIZE && ferror(self->file))
            return error_errno(err, self->path, errno, "cannot read");
    }
    self->input_ended = self->input_length == 0;
    return ERROR_NONE;
}

/* --- zip and gzip, by libarchive --- */

static int archive_failed(struct stream *self, const char *what, struct error *err)
{
    const char *text = archive_error_string(self->archive);
    bool truncated = text && (strstr(text, "runcated") || strstr(text, "premature"));
    if (!text || strstr(text, "Unrecognized")) /* what libarchive says of a file cut short */
        return error_at(err, ERROR_DATA, self->path, 0, 0, NULL, "truncated or corrupt %s", what);
    return error_at(err, ERROR_DATA, self->path, 0, 0, NULL, "%s %s: %s",
                    truncated ? "truncated" : "corrupt", what, text);
}

static int open_archive(struct stream *self, struct error *err)
{
    self->archive = archive_read_new();
    if (!self->archive)
        return error_memory(err, "opening an archive");
    if (self->kind == STREAM_ZIP) {
        archive_read_support_format_zip_seekable(self->archive);
    } else {
        archive_read_support_filter_gzip(self->archive);
        archive_read_support_format_raw(self->archive);
        archive_read_support_format_empty(self->archive);
    }
    int status = self->memory
                     ? archive_read_open_memory(self->archive, self->memory, self->memory_length)
                     : archive_read_open_filename(self->archive, self->path, BLOCK_SIZE);
    if (status != ARCHIVE_OK)
        return archive_failed(self, stream_kind_name(self->kind), err);
    return ERROR_NONE;
}

static void close_archive(struct stream *self)
{
    if (self->archive)
        archive_read_free(self->archive);
    self->archive = NULL;
}

static int next_member(struct stream *self, struct archive_entry **out_entry, struct error *err)
{
    *out_entry = NULL;
    int status = archive_read_next_header(self->archive, out_entry);
    if (status == ARCHIVE_EOF) {
        *out_entry = NULL;
        return ERROR_NONE;
    }
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN)
        return ERROR_NONE;
    if (self->kind == STREAM_ZIP)
        return error_at(err, ERROR_DATA, self->path, 0, 0, NULL,
                        "truncated or corrupt zip: its directory of members cannot be read");
    return archive_failed(self, stream_kind_name(self->kind), err);
}

static const char *member_name(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    return name ? name : "(a name that is not text)";
}

struct members {
    int files;
    char names[256]; /* the first few */
};

static void note_member(struct members *members, const char *name)
{
    size_t used = strlen(members->names);
    if (members->files < 5)
        snprintf(members->names + used, sizeof members->names - used, "%s%s",
                 members->files ? ", " : "", name);
    else if (members->files == 5)
        snprintf(members->names + used, sizeof members->names - used, ", ...");
    members->files++;
}

static int list_members(struct stream *self, struct members *members, struct error *err)
{
    struct archive_entry *entry;
    int code;
    while ((code = next_member(self, &entry, err)) == ERROR_NONE && entry) {
        if (archive_entry_filetype(entry) != AE_IFREG)
            continue;
        if (archive_entry_is_encrypted(entry))
            return error_at(err, ERROR_DATA, self->path, 0, 0, NULL,
                            "%.200s is encrypted; expected a zip without a password",
                            member_name(entry));
        note_member(members, member_name(entry));
    }
    return code;
}

static int bomb(const struct stream *self, int64_t unpacked, struct error *err)
{
    return error_at(err, ERROR_DATA, self->path, 0, 0, NULL,
                    "%lld bytes of %s expand to %s%lld bytes; expected at most %d times the size "
                    "and %lld GiB (a decompression bomb?)",
                    (long long)self->packed_bytes, stream_kind_name(self->kind),
                    unpacked == self->unpacked_bytes ? "more than " : "", (long long)unpacked,
                    STREAM_MAX_RATIO, (long long)(STREAM_MAX_BYTES >> 30));
}

static bool is_bomb(const struct stream *self, int64_t unpacked)
{
    if (self->kind == STREAM_PLAIN || unpacked <= STREAM_RATIO_FREE_BYTES)
        return false;
    return unpacked > STREAM_MAX_BYTES || unpacked / STREAM_MAX_RATIO > self->packed_bytes;
}

/* Leaves the archive at the data of its only regular file. */
static int enter_zip(struct stream *self, struct error *err)
{
    struct members members = {0};
    int code = list_members(self, &members, err);
    if (code != ERROR_NONE)
        return code;
    if (members.files != 1)
        return error_at(err, ERROR_DATA, self->path, 0, 0, NULL,
                        "the zip holds %d files%s%s; expected exactly one CSV", members.files,
                        members.files ? ": " : "", members.names);
    close_archive(self);
    if ((code = open_archive(self, err)) != ERROR_NONE)
        return code;
    struct archive_entry *entry = NULL;
    while ((code = next_member(self, &entry, err)) == ERROR_NONE && entry &&
           archive_entry_filetype(entry) != AE_IFREG)
        ;
    if (code != ERROR_NONE)
        return code;
    if (!entry)
        return data_error(self, err, "corrupt zip: its only file is gone");
    if (archive_entry_size_is_set(entry) && is_bomb(self, archive_entry_size(entry)))
        return bomb(self, archive_entry_size(entry), err);
    return ERROR_NONE;
}

/* --- gzip's own checksum (RFC 1952), four bytes at a time --- */

static int checksum_prepare(struct stream *self, struct error *err)
{
    uint32_t *table = self->checksum_table = memory_alloc(4 * 256, sizeof *table);
    if (!table)
        return error_memory(err, "reading gzip");
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ (value & 1 ? UINT32_C(0xedb88320) : 0);
        table[i] = value;
    }
    for (uint32_t i = 256; i < 4 * 256; i++)
        table[i] = (table[i - 256] >> 8) ^ table[table[i - 256] & 255];
    return ERROR_NONE;
}

static void checksum_add(struct stream *self, const unsigned char *bytes, size_t length)
{
    const uint32_t *table = self->checksum_table;
    uint32_t sum = ~self->checksum;
    for (; length >= 4; bytes += 4, length -= 4) {
        sum ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
               (uint32_t)bytes[3] << 24;
        sum = table[768 + (sum & 255)] ^ table[512 + ((sum >> 8) & 255)] ^
              table[256 + ((sum >> 16) & 255)] ^ table[sum >> 24];
    }
    for (; length > 0; bytes++, length--)
        sum = (sum >> 8) ^ table[(sum ^ *bytes) & 255];
    self->checksum = ~sum;
}

static uint32_t little_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* Copies bytes [from, from + length) of what lies on disk. */
static int read_packed(struct stream *self, int64_t from, unsigned char *out, size_t length,
                       struct error *err)
{
    if (self->memory) {
        memcpy(out, self->memory + from, length);
        return ERROR_NONE;
    }
    if (fseeko(self->file, from, SEEK_SET) != 0 || fread(out, 1, length, self->file) != length)
        return error_errno(err, self->path, errno, "cannot read");
    return ERROR_NONE;
}

/* True when a second member may begin somewhere: its first three bytes occur. */
static int find_second_member(struct stream *self, bool *out_found, struct error *err)
{
    unsigned char *block = self->input;
    int64_t from = 1;
    *out_found = false;
    while (from + 3 <= self->packed_bytes && !*out_found) {
        int64_t left = self->packed_bytes - from;
        size_t length = left < (int64_t)BLOCK_SIZE ? (size_t)left : BLOCK_SIZE;
        int code = read_packed(self, from, block, length, err);
        if (code != ERROR_NONE)
            return code;
        *out_found = memmem(block, length, "\x1f\x8b\x08", 3) != NULL;
        from += (int64_t)length - (length == BLOCK_SIZE ? 2 : 0);
    }
    return ERROR_NONE;
}

/* libarchive leaves the trailer unread. A file of several members has several, so a mismatch is
   only certain to be damage when no other member can be there. */
static int check_gzip_trailer(struct stream *self, struct error *err)
{
    unsigned char trailer[8] = {0};
    if (self->packed_bytes < 18)
        return data_error(self, err, "truncated gzip");
    int code = read_packed(self, self->packed_bytes - 8, trailer, sizeof trailer, err);
    if (code != ERROR_NONE)
        return code;
    if (little_endian(trailer) == self->checksum &&
        little_endian(trailer + 4) == (uint32_t)self->unpacked_bytes)
        return ERROR_NONE;
    bool several;
    code = find_second_member(self, &several, err);
    if (code == ERROR_NONE && !several)
        code = data_error(self, err, "corrupt gzip: contents do not match their checksum");
    return code;
}

/* --- opening --- */

static int prepare(struct stream *self, struct error *err)
{
    self->input = memory_alloc(BLOCK_SIZE, 1);
    self->output = memory_alloc(BLOCK_SIZE, 1);
    if (!self->input || !self->output)
        return error_memory(err, "opening a file");
    int code = fill_input(self, err);
    if (code != ERROR_NONE)
        return code;
    code = tell_kind(self, self->input, self->input_length, err);
    if (code != ERROR_NONE || self->kind == STREAM_PLAIN)
        return code;
    if (self->kind == STREAM_ZSTD) {
        self->zstd = ZSTD_createDCtx();
        return self->zstd ? ERROR_NONE : error_memory(err, "opening zstd");
    }
    struct archive_entry *entry;
    if (self->kind == STREAM_ZIP && self->input[2] == 5) /* only the end of an archive */
        return data_error(self, err, "the zip holds 0 files; expected exactly one CSV");
    if ((code = open_archive(self, err)) != ERROR_NONE)
        return code;
    if (self->kind == STREAM_ZIP)
        return enter_zip(self, err);
    if ((code = checksum_prepare(self, err)) != ERROR_NONE)
        return code;
    if ((code = next_member(self, &entry, err)) == ERROR_NONE && !entry)
        self->ended = true; /* the compressed form of an empty file */
    return code;
}

int stream_open(struct stream *self, const char *path, struct error *err)
{
    *self = (struct stream){0};
    self->path = memory_text(path);
    int code = self->path ? open_regular(self, err) : error_memory(err, "opening a file");
    if (code == ERROR_NONE)
        code = prepare(self, err);
    if (code != ERROR_NONE)
        stream_close(self);
    return code;
}

int stream_open_memory(struct stream *self, const char *name, const void *bytes, size_t length,
                       struct error *err)
{
    *self = (struct stream){.memory = length > 0 ? bytes : (const void *)"",
                            .memory_length = length,
                            .packed_bytes = (int64_t)length};
    self->path = memory_text(name);
    int code = self->path ? prepare(self, err) : error_memory(err, "opening a file");
    if (code != ERROR_NONE)
        stream_close(self);
    return code;
}

void stream_close(struct stream *self)
{
    close_archive(self);
    ZSTD_freeDCtx(self->zstd);
    if (self->file)
        fclose(self->file);
    memory_free(self->checksum_table);
    memory_free(self->input);
    memory_free(self->output);
    memory_free(self->path);
    *self = (struct stream){0};
}

/* --- reading --- */

static int read_zstd(struct stream *self, size_t *out_length, struct error *err)
{
    ZSTD_outBuffer out = {self->output, BLOCK_SIZE, 0};
    while (out.pos < out.size) {
        if (self->input_position == self->input_length && !self->input_ended) {
            int code = fill_input(self, err);
            if (code != ERROR_NONE)
                return code;
        }
        size_t before = out.pos;
        ZSTD_inBuffer in = {self->input, self->input_length, self->input_position};
        if (self->input_ended && !self->frame_open)
            break;
        size_t status = ZSTD_decompressStream(self->zstd, &out, &in);
        if (ZSTD_isError(status))
            return error_at(err, ERROR_DATA, self->path, 0, 0, NULL, "corrupt zstd: %s",
                            ZSTD_getErrorName(status));
        self->input_position = in.pos;
        self->frame_open = status != 0;
        if (self->frame_open && self->input_ended && out.pos == before)
            return data_error(self, err, "truncated zstd: the file ends within a frame");
    }
    *out_length = out.pos;
    return ERROR_NONE;
}

static int read_archive(struct stream *self, size_t *out_length, struct error *err)
{
    size_t length = 0;
    while (length < BLOCK_SIZE) {
        la_ssize_t got =
            archive_read_data(self->archive, self->output + length, BLOCK_SIZE - length);
        if (got == ARCHIVE_RETRY)
            continue;
        if (got < 0)
            return archive_failed(self, stream_kind_name(self->kind), err);
        if (got == 0)
            break;
        length += (size_t)got;
    }
    if (self->kind == STREAM_GZIP)
        checksum_add(self, self->output, length);
    *out_length = length;
    return ERROR_NONE;
}

static int read_plain(struct stream *self, const unsigned char **out, size_t *out_length,
                      struct error *err)
{
    if (self->started) {
        int code = fill_input(self, err);
        if (code != ERROR_NONE)
            return code;
    }
    *out = self->input;
    *out_length = self->input_length;
    return ERROR_NONE;
}

int stream_read(struct stream *self, const char **out_bytes, size_t *out_length, struct error *err)
{
    const unsigned char *bytes = self->output;
    size_t length = 0;
    int code = interrupt_check(err);
    *out_bytes = "";
    *out_length = 0;
    if (self->ended || code != ERROR_NONE)
        return code;
    if (self->kind == STREAM_PLAIN)
        code = read_plain(self, &bytes, &length, err);
    else if (self->kind == STREAM_ZSTD)
        code = read_zstd(self, &length, err);
    else
        code = read_archive(self, &length, err);
    if (code != ERROR_NONE)
        return code;
    self->unpacked_bytes += (int64_t)length;
    if (is_bomb(self, self->unpacked_bytes))
        return bomb(self, self->unpacked_bytes, err);
    self->ended = length == 0;
    if (self->ended && self->kind == STREAM_GZIP)
        return check_gzip_trailer(self, err);
    if (!self->started && length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    bool only_mark = !self->started && length == 0 && !self->ended;
    self->started = true;
    if (only_mark)
        return stream_read(self, out_bytes, out_length, err);
    *out_bytes = (const char *)bytes;
    *out_length = length;
    return ERROR_NONE;
}
