/*
 * SHA-256 of files and bytes (Nettle), as lower-case hexadecimal: the identity of every input in
 * a manifest.
 */
#ifndef LIQCASCADE_BASE_SHA256_H
#define LIQCASCADE_BASE_SHA256_H

#include <stddef.h>

#include "base/error.h"

#define SHA256_TEXT_SIZE 65

void sha256_bytes(const void *bytes, size_t length, char out_text[SHA256_TEXT_SIZE]);
/* Reads the file as it is on disk (compressed). ERROR_IO when it cannot be read. */
int sha256_file(const char *path, char out_text[SHA256_TEXT_SIZE], struct error *err);

#endif
