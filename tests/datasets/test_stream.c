/* Bytes come out the same however they are packed, and broken or hostile files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/memory.h"
#include "base/text.h"
#include "datasets/stream.h"
#include "tests/datasets/scratch.h"

static const char TEXT[] = "time_ms,close\n1,2\n3,4\n";

/* Everything the stream gives, as text in `out` (which may be NULL). */
static int read_open(struct stream *in, struct text_buffer *out, struct error *err)
{
    const char *bytes;
    size_t length;
    int code;
    while ((code = stream_read(in, &bytes, &length, err)) == ERROR_NONE && length > 0)
        if (out)
            text_append_bytes(out, bytes, length);
    return code;
}

static int read_all(const char *path, struct text_buffer *out, enum stream_kind *out_kind,
                    struct error *err)
{
    struct stream in;
    int code = stream_open(&in, path, err);
    if (code != ERROR_NONE)
        return code;
    if (out_kind)
        *out_kind = in.kind;
    code = read_open(&in, out, err);
    stream_close(&in);
    return code;
}

static void assert_reads(const char *path, enum stream_kind expected_kind, const char *expected)
{
    struct text_buffer text = {0};
    struct error err = {0};
    enum stream_kind kind = STREAM_PLAIN;
    int code = read_all(path, &text, &kind, &err);
    if (code != ERROR_NONE)
        print_message("%s: %s\n", err.file, err.message);
    assert_int_equal(code, ERROR_NONE);
    assert_int_equal(kind, expected_kind);
    assert_string_equal(text.data ? text.data : "", expected);
    text_buffer_free(&text);
}

static void assert_refused(const char *path, int expected_code, const char *expected_word)
{
    struct error err = {0};
    assert_int_equal(read_all(path, NULL, NULL, &err), expected_code);
    print_message("  %s: %s\n", err.file, err.message);
    assert_string_equal(err.file, path);
    assert_non_null(strstr(err.message, expected_word));
}

static void every_packing_gives_the_same_bytes(void **state)
{
    struct scratch_member member = {.name = "BTCUSDT-1m.csv", .text = TEXT};
    assert_reads(scratch_text("a", TEXT), STREAM_PLAIN, TEXT);
    assert_reads(scratch_zstd("b", TEXT), STREAM_ZSTD, TEXT);
    assert_reads(scratch_gzip("c", TEXT), STREAM_GZIP, TEXT);
    assert_reads(scratch_zip("d", &member, 1), STREAM_ZIP, TEXT);
}

static void the_name_does_not_matter(void **state)
{
    assert_reads(scratch_zstd("wrong.zip", TEXT), STREAM_ZSTD, TEXT);
    assert_reads(scratch_text("wrong.csv.zst", TEXT), STREAM_PLAIN, TEXT);
    assert_reads(scratch_gzip("wrong.csv", TEXT), STREAM_GZIP, TEXT);
}

static void a_byte_order_mark_is_left_out(void **state)
{
    struct scratch_member member = {.name = "x.csv",
                                    .text = "\xef\xbb\xbf"
                                            "a,b\n"};
    assert_reads(scratch_text("bom", "\xef\xbb\xbf"
                                     "a,b\n"),
                 STREAM_PLAIN, "a,b\n");
    assert_reads(scratch_zstd("bom", "\xef\xbb\xbf"
                                     "a,b\n"),
                 STREAM_ZSTD, "a,b\n");
    assert_reads(scratch_zip("bom", &member, 1), STREAM_ZIP, "a,b\n");
    assert_reads(scratch_text("bom", "\xef\xbb\xbf"), STREAM_PLAIN, "");
}

static void empty_files_are_empty(void **state)
{
    assert_reads(scratch_text("e", ""), STREAM_PLAIN, "");
    assert_reads(scratch_zstd("e", ""), STREAM_ZSTD, "");
    assert_reads(scratch_gzip("e", ""), STREAM_GZIP, "");
}

static void zstd_frames_follow_each_other(void **state)
{
    char packed[512];
    size_t first = ZSTD_compress(packed, sizeof packed, "one\n", 4, 3);
    size_t second = ZSTD_compress(packed + first, sizeof packed - first, "two\n", 4, 3);
    assert_reads(scratch_bytes("frames", packed, first + second), STREAM_ZSTD, "one\ntwo\n");
}

/* Longer than the stream's buffers, so that blocks join at the right places. */
static void long_files_are_whole(void **state)
{
    struct text_buffer text = {0};
    for (int i = 0; i < 200000; i++)
        text_appendf(&text, "%d,%d\n", i, i * 7);
    struct scratch_member member = {.name = "long.csv", .text = text.data};
    assert_reads(scratch_text("long", text.data), STREAM_PLAIN, text.data);
    assert_reads(scratch_zstd("long", text.data), STREAM_ZSTD, text.data);
    assert_reads(scratch_gzip("long", text.data), STREAM_GZIP, text.data);
    assert_reads(scratch_zip("long", &member, 1), STREAM_ZIP, text.data);
    text_buffer_free(&text);
}

static void truncated_files_are_refused(void **state)
{
    struct scratch_member member = {.name = "x.csv", .text = TEXT};
    const char *path = scratch_zstd("t.zst", TEXT);
    scratch_truncate(path, 3);
    assert_refused(path, ERROR_DATA, "truncated");
    path = scratch_gzip("t.gz", TEXT);
    scratch_truncate(path, 9);
    assert_refused(path, ERROR_DATA, "truncated");
    path = scratch_gzip("t.gz", TEXT);
    scratch_truncate(path, 4);
    assert_refused(path, ERROR_DATA, "truncated");
    path = scratch_zip("t.zip", &member, 1);
    scratch_truncate(path, 30);
    assert_refused(path, ERROR_DATA, "truncated");
}

/* A digit changed in a gzip's checksum, or in what a zip stores, is damage. */
static void damage_is_found(void **state)
{
    const char *path = scratch_gzip("damaged.gz", TEXT);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -8, SEEK_END), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, -8, SEEK_END), 0);
    fputc(byte ^ 1, file);
    fclose(file);
    assert_refused(path, ERROR_DATA, "checksum");
}

static void a_zip_holds_exactly_one_file(void **state)
{
    struct scratch_member two[] = {{.name = "a.csv", .text = "1\n"},
                                   {.name = "b.csv", .text = "2\n"}};
    assert_refused(scratch_zip("two.zip", two, 2), ERROR_DATA, "a.csv, b.csv");
    assert_refused(scratch_zip("none.zip", two, 0), ERROR_DATA, "0 files");
}

static void an_encrypted_zip_is_refused(void **state)
{
    struct scratch_member member = {.name = "a.csv", .text = TEXT};
    const char *path = scratch_encrypted_zip("secret.zip", &member);
    if (!path)
        skip();
    assert_refused(path, ERROR_DATA, "a.csv is encrypted");
}

static void other_packings_are_named(void **state)
{
    assert_refused(scratch_bytes("x.xz",
                                 "\xfd"
                                 "7zXZ\0\0",
                                 7),
                   ERROR_DATA, "xz");
    assert_refused(scratch_bytes("x.txt",
                                 "\xff\xfe"
                                 "a\0",
                                 4),
                   ERROR_DATA, "UTF-16");
}

static void missing_files_and_folders_are_refused(void **state)
{
    assert_refused(scratch_path("nowhere.csv"), ERROR_IO, "cannot open");
    assert_refused("/tmp", ERROR_IO, "not a regular file");
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 100 MB of one character fit in 100 kB of zip and say so in its directory: refused unread. */
static void a_zip_bomb_is_refused_at_once(void **state)
{
    struct scratch_member member = {.name = "bomb.csv", .zeros = INT64_C(100) << 20, .fill = '\n'};
    const char *path = scratch_zip("bomb.zip", &member, 1);
    double start = seconds();
    assert_refused(path, ERROR_DATA, "expected at most");
    print_message("  refused in %.3f s\n", seconds() - start);
    assert_true(seconds() - start < 1);
}

/* A zstd of 10 GB does not say its size: it is refused soon after the ratio may be judged. */
static void a_zstd_bomb_is_refused_early(void **state)
{
    size_t room = (size_t)4 << 20, used = 0, block = (size_t)1 << 20;
    char *packed = malloc(room), *lines = malloc(block);
    assert_true(packed != NULL && lines != NULL);
    memset(lines, '\n', block);
    char frame[1024];
    size_t length = ZSTD_compress(frame, sizeof frame, lines, block, 3);
    assert_false(ZSTD_isError(length));
    for (int i = 0; i < 10000 && used + length <= room; i++, used += length)
        memcpy(packed + used, frame, length);
    const char *path = scratch_bytes("bomb.zst", packed, used);
    struct stream in;
    struct error err = {0};
    double start = seconds();
    assert_int_equal(stream_open(&in, path, &err), ERROR_NONE);
    assert_int_equal(read_open(&in, NULL, &err), ERROR_DATA);
    print_message("  %s (%.2f s, after %.0f MB)\n", err.message, seconds() - start,
                  1e-6 * (double)in.unpacked_bytes);
    assert_true(in.unpacked_bytes <=
                STREAM_RATIO_FREE_BYTES + ((int64_t)STREAM_MAX_RATIO * (int64_t)used) + (1 << 20));
    assert_true(in.unpacked_bytes < INT64_C(2) << 30);
    stream_close(&in);
    free(packed);
    free(lines);
}

/* A series in which little changes still compresses far less than the bound: a year of minutes in
   which no price moves. */
static void a_dull_year_is_no_bomb(void **state)
{
    struct text_buffer text = {0};
    for (int i = 0; i < 525600 * 3; i++)
        text_appendf(&text, "%lld,100,100,100,100,0\n", 1700000000000LL + 60000LL * i);
    size_t bound = ZSTD_compressBound(text.length);
    char *packed = malloc(bound);
    assert_non_null(packed);
    size_t length = ZSTD_compress(packed, bound, text.data, text.length, 9);
    double ratio = (double)text.length / (double)length;
    print_message("  ratio %.0f, bound %d\n", ratio, STREAM_MAX_RATIO);
    assert_true(ratio < STREAM_MAX_RATIO);
    free(packed);
    text_buffer_free(&text);
}

/* Whatever allocation fails, nothing leaks and the error says so. */
static void memory_can_fail_anywhere(void **state)
{
    struct scratch_member member = {.name = "x.csv", .text = TEXT};
    const char *paths[] = {scratch_text("m1", TEXT), scratch_zstd("m2", TEXT),
                           scratch_gzip("m3", TEXT), scratch_zip("m4", &member, 1)};
    for (size_t i = 0; i < 4; i++) {
        struct error err = {0};
        long countdown = 1;
        for (; countdown < 50; countdown++) {
            memory_fail_after(countdown);
            int code = read_all(paths[i], NULL, NULL, &err);
            memory_fail_after(0);
            if (code == ERROR_NONE)
                break;
            assert_int_equal(code, ERROR_IO);
        }
        assert_in_range(countdown, 3, 49);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packing_gives_the_same_bytes),
        cmocka_unit_test(the_name_does_not_matter),
        cmocka_unit_test(a_byte_order_mark_is_left_out),
        cmocka_unit_test(empty_files_are_empty),
        cmocka_unit_test(zstd_frames_follow_each_other),
        cmocka_unit_test(long_files_are_whole),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(a_zip_holds_exactly_one_file),
        cmocka_unit_test(an_encrypted_zip_is_refused),
        cmocka_unit_test(other_packings_are_named),
        cmocka_unit_test(missing_files_and_folders_are_refused),
        cmocka_unit_test(a_zip_bomb_is_refused_at_once),
        cmocka_unit_test(a_zstd_bomb_is_refused_early),
        cmocka_unit_test(a_dull_year_is_no_bomb),
        cmocka_unit_test(memory_can_fail_anywhere),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
