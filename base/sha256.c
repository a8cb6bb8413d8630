#include "base/sha256.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>

static void write_digest(struct sha256_ctx *context, char out_text[SHA256_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_digest(context, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        out_text[2 * i] = digits[digest[i] >> 4];
        out_text[2 * i + 1] = digits[digest[i] & 15];
    }
    out_text[SHA256_TEXT_SIZE - 1] = '\0';
}

void sha256_bytes(const void *bytes, size_t length, char out_text[SHA256_TEXT_SIZE])
{
    struct sha256_ctx context;

    sha256_init(&context);
    if (length > 0)
        sha256_update(&context, length, bytes);
    write_digest(&context, out_text);
}

int sha256_file(const char *path, char out_text[SHA256_TEXT_SIZE], struct error *err)
{
    struct sha256_ctx context;
    uint8_t chunk[65536];
    size_t length;
    int code = ERROR_NONE;
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return error_errno(err, path, errno, "cannot open");
    sha256_init(&context);
    while ((length = fread(chunk, 1, sizeof(chunk), file)) > 0)
        sha256_update(&context, length, chunk);
    if (ferror(file))
        code = error_errno(err, path, errno, "cannot read");
    else
        write_digest(&context, out_text);
    fclose(file);
    return code;
}
