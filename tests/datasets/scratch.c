#include "tests/datasets/scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <zstd.h>

static char folder[SCRATCH_PATH_SIZE / 2];

int scratch_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/liqcascade-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

int scratch_teardown(void **state)
{
    DIR *list = opendir(folder);
    (void)state;
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (entry->d_name[0] != '.')
            unlink(scratch_path(entry->d_name));
    if (list)
        closedir(list);
    return rmdir(folder);
}

static char *next_path(void)
{
    static char paths[8][SCRATCH_PATH_SIZE];
    static size_t next;
    return paths[next++ % 8];
}

const char *scratch_path(const char *name)
{
    char *path = next_path();
    snprintf(path, SCRATCH_PATH_SIZE, "%s/%s", folder, name);
    return path;
}

const char *scratch_bytes(const char *name, const void *bytes, size_t length)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *scratch_text(const char *name, const char *text)
{
    return scratch_bytes(name, text, strlen(text));
}

const char *scratch_zstd(const char *name, const char *text)
{
    size_t bound = ZSTD_compressBound(strlen(text));
    void *packed = malloc(bound);
    assert_non_null(packed);
    size_t length = ZSTD_compress(packed, bound, text, strlen(text), 3);
    assert_false(ZSTD_isError(length));
    const char *path = scratch_bytes(name, packed, length);
    free(packed);
    return path;
}

static void add_fill(struct archive *archive, const struct scratch_member *member)
{
    static char block[1 << 16];
    memset(block, member->fill, sizeof block);
    for (int64_t left = member->zeros; left > 0; left -= (int64_t)sizeof block) {
        size_t length = left < (int64_t)sizeof block ? (size_t)left : sizeof block;
        assert_int_equal(archive_write_data(archive, block, length), length);
    }
}

static void add_member(struct archive *archive, const struct scratch_member *member)
{
    struct archive_entry *entry = archive_entry_new();
    size_t length = member->text ? strlen(member->text) : 0;
    archive_entry_set_pathname(entry, member->name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, member->text ? (int64_t)length : member->zeros);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (member->text)
        assert_int_equal(archive_write_data(archive, member->text, length), length);
    else
        add_fill(archive, member);
    archive_entry_free(entry);
}

const char *scratch_gzip(const char *name, const char *text)
{
    const char *path = scratch_path(name);
    struct archive *archive = archive_write_new();
    struct scratch_member member = {.name = "data", .text = text};
    archive_write_add_filter_gzip(archive);
    archive_write_set_format_raw(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    add_member(archive, &member);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    return path;
}

const char *scratch_zip(const char *name, const struct scratch_member *members, size_t count)
{
    const char *path = scratch_path(name);
    struct archive *archive = archive_write_new();
    archive_write_set_format_zip(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++)
        add_member(archive, &members[i]);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    return path;
}

const char *scratch_encrypted_zip(const char *name, const struct scratch_member *member)
{
    const char *path = scratch_path(name);
    struct archive *archive = archive_write_new();
    archive_write_set_format_zip(archive);
    if (archive_write_set_options(archive, "zip:encryption=traditional") != ARCHIVE_OK ||
        archive_write_set_passphrase(archive, "secret") != ARCHIVE_OK) {
        archive_write_free(archive);
        return NULL;
    }
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    add_member(archive, member);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    return path;
}

void scratch_truncate(const char *path, size_t bytes)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - (off_t)bytes), 0);
}

const char *scratch_real(const char *relative)
{
    const char *base = getenv("LIQCASCADE_TEST_DATA");
    char *path = next_path();
    snprintf(path, SCRATCH_PATH_SIZE, "%s/%s",
             base && *base ? base : LIQCASCADE_SOURCE_DIR "/../shared/data", relative);
    char there[SCRATCH_PATH_SIZE];
    snprintf(there, sizeof there, "%s", path);
    if (strpbrk(there, "*?"))
        *strrchr(there, '/') = '\0';
    if (access(there, R_OK) == 0)
        return path;
    print_message("skipped: no real data at %s\n", there);
    return NULL;
}
