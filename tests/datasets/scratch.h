/*
 * A folder of files for one test program, plain or packed, removed at the end; and where the real
 * data is, if it is here.
 */
#ifndef LIQCASCADE_TESTS_DATASETS_SCRATCH_H
#define LIQCASCADE_TESTS_DATASETS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#define SCRATCH_PATH_SIZE 1024

/* Group fixtures of cmocka. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* Path of a file in the folder. The text is overwritten by the eighth next call. */
const char *scratch_path(const char *name);
/* Writes bytes as they are, or packed; each returns the path. */
const char *scratch_text(const char *name, const char *text);
const char *scratch_bytes(const char *name, const void *bytes, size_t length);
const char *scratch_zstd(const char *name, const char *text);
const char *scratch_gzip(const char *name, const char *text);

struct scratch_member {
    const char *name;
    const char *text; /* NULL: `zeros` bytes of `fill` */
    int64_t zeros;
    char fill;
};
const char *scratch_zip(const char *name, const struct scratch_member *members, size_t count);
/* Under a password. NULL where the archive library cannot encrypt. */
const char *scratch_encrypted_zip(const char *name, const struct scratch_member *member);

/* Leaves the last `bytes` bytes of a file off. */
void scratch_truncate(const char *path, size_t bytes);

/* Path of a file of real data, or NULL with a message when it is not here. */
const char *scratch_real(const char *relative);

#endif
