/*
 * A study in parts: joined it is the study in one piece, and what does not belong together or is
 * not complete is named, not joined.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/study/shards.h"

enum { ITEMS = 11, PAYLOAD = 2 };

static char folder[64]; /* each test works in an empty directory of its own */

static int enter_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/liqcascade-shards-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

static int entries(const char *path)
{
    int count = 0;
    DIR *listing = opendir(path);
    assert_non_null(listing);
    while (readdir(listing) != NULL)
        count++;
    closedir(listing);
    return count - 2;
}

static struct journal_layout layout_of(const char *scenario)
{
    struct journal_layout layout = {.item_count = ITEMS, .payload_count = PAYLOAD};
    sha256_bytes(scenario, strlen(scenario), layout.identity);
    return layout;
}

static void fill(uint64_t item, double out[PAYLOAD])
{
    out[0] = 1.0 / (double)(item + 3);
    out[1] = -(double)item;
}

static int begin(struct shards_work *work, const char *path, int rank, int size,
                 const char *scenario, bool resume, struct error *err)
{
    struct ranks ranks = {.rank = rank, .size = size, .from = "test"};
    struct journal_layout layout = layout_of(scenario);
    return shards_begin(work, path, &ranks, &layout, resume, err);
}

/* Does at most `limit` items of the shard that are not done yet, from the last or the first. */
static void work_on(struct shards_work *work, int limit, bool backwards)
{
    struct error err = {0};
    for (uint64_t i = 0; i < ITEMS && limit > 0; i++) {
        uint64_t item = backwards ? ITEMS - 1 - i : i;
        double payload[PAYLOAD];
        if (!ranks_owns(&work->ranks, item) || journal_has(&work->journal, item))
            continue;
        fill(item, payload);
        assert_int_equal(journal_append(&work->journal, item, payload, &err), ERROR_NONE);
        limit--;
    }
}

static int write_note(struct results *results, void *context, struct error *err)
{
    FILE *file = results_open(results, "note.txt", err);
    if (file == NULL)
        return ERROR_IO;
    fputs(context, file);
    return results_close(results, file, "note.txt", err);
}

static void make_shard(const char *path, int rank, int size, const char *scenario)
{
    struct shards_work work;
    struct error err = {0};
    if (begin(&work, path, rank, size, scenario, false, &err) != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
    work_on(&work, ITEMS, rank % 2 == 1);
    assert_int_equal(shards_commit(&work, write_note, "x\n", &err), ERROR_NONE);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
}

static void make_all(const char *path, int size)
{
    for (int rank = size - 1; rank >= 0; rank--)
        make_shard(path, rank, size, "oi-levels");
}

static void assert_study(const struct shards *shards, int size)
{
    assert_int_equal(shards->size, size);
    assert_int_equal(shards->layout.item_count, ITEMS);
    for (uint64_t item = 0; item < ITEMS; item++) {
        double expected[PAYLOAD];
        fill(item, expected);
        assert_memory_equal(shards_payload(shards, item), expected, sizeof expected);
    }
}

static void assert_joined(const char *path, int size)
{
    struct shards shards;
    struct error err = {0};
    if (shards_open(&shards, &path, 1, &err) != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
    assert_study(&shards, size);
    shards_close(&shards);
    shards_close(&shards);
}

/* Refused as data with both texts in the message, about `file`. */
static void expect_error(const char *const *folders, size_t count, const char *file,
                         const char *one, const char *other)
{
    struct shards shards;
    struct error err = {0};
    assert_int_equal(shards_open(&shards, folders, count, &err), ERROR_DATA);
    printf("told: %s: %s\n", err.file, err.message);
    assert_string_equal(err.file, file);
    assert_non_null(strstr(err.message, one));
    assert_non_null(strstr(err.message, other));
    assert_null(shards.payloads);
}

#define EXPECT_ERROR(path, ...) expect_error((const char *const[]){path}, 1, __VA_ARGS__)

static void read_bytes(const char *path, char bytes[2048], size_t *out_size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    *out_size = fread(bytes, 1, 2048, file);
    assert_in_range(*out_size, 1, 2047);
    fclose(file);
}

static void shards_are_counted_from_one(void **state)
{
    char name[SHARDS_NAME_SIZE];
    assert_string_equal(shards_name(2, 16, name), "shard-0003-of-0016");
    assert_string_equal(shards_name(0, 1, name), "shard-0001-of-0001");
    assert_string_equal(shards_name(999999, 1000000, name), "shard-1000000-of-1000000");
}

/* Also more shards than items: some hold nothing. */
static void any_number_of_shards_joins_to_the_same_study(void **state)
{
    static const int sizes[] = {1, 2, 3, 7, 11, 16};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[16];
        snprintf(path, sizeof path, "out%d", sizes[i]);
        make_all(path, sizes[i]);
        assert_int_equal(entries(path), sizes[i]); /* folders only: the journals are gone */
        assert_joined(path, sizes[i]);
    }
}

static void a_shard_is_the_same_bytes_in_whatever_order_it_was_done(void **state)
{
    char bytes[2][2048];
    size_t sizes[2];
    for (int backwards = 0; backwards < 2; backwards++) {
        struct shards_work work;
        struct error err = {0};
        char path[64];
        snprintf(path, sizeof path, "out%d", backwards);
        assert_int_equal(begin(&work, path, 0, 2, "oi-levels", false, &err), ERROR_NONE);
        work_on(&work, ITEMS, backwards);
        assert_int_equal(shards_commit(&work, NULL, NULL, &err), ERROR_NONE);
        assert_int_equal(shards_end(&work, &err), ERROR_NONE);
        snprintf(path, sizeof path, "out%d/shard-0001-of-0002/" SHARDS_JOURNAL, backwards);
        read_bytes(path, bytes[backwards], &sizes[backwards]);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
}

static void files_of_the_caller_lie_beside_the_journal(void **state)
{
    char bytes[2048];
    size_t size;
    make_shard("out", 0, 1, "oi-levels");
    read_bytes("out/shard-0001-of-0001/note.txt", bytes, &size);
    assert_int_equal(size, 2);
    assert_int_equal(entries("out/shard-0001-of-0001"), 2);
}

static void shards_are_found_in_several_folders_and_by_themselves(void **state)
{
    struct shards shards;
    struct error err = {0};
    const char *const folders[] = {"a/", "b", "c/shard-0003-of-0003/"};
    make_shard("a", 0, 3, "oi-levels");
    make_shard("b", 1, 3, "oi-levels");
    make_shard("c", 2, 3, "oi-levels");
    assert_int_equal(shards_open(&shards, folders, 3, &err), ERROR_NONE);
    assert_study(&shards, 3);
    assert_string_equal(shards.folders[0], "a/shard-0001-of-0003");
    assert_string_equal(shards.folders[2], "c/shard-0003-of-0003");
    shards_close(&shards);
    assert_int_equal(chdir("c/shard-0003-of-0003"), 0);
    EXPECT_ERROR("../../a", "../../a", "missing: 2-3", "of 3");
}

/* ---- stops ---- */

static void a_shard_that_was_stopped_goes_on(void **state)
{
    struct shards_work work;
    struct error err = {0};
    assert_int_equal(begin(&work, "out", 1, 2, "oi-levels", false, &err), ERROR_NONE);
    work_on(&work, 3, false);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    assert_int_equal(access("out/shard-0002-of-0002", F_OK), -1);
    assert_int_equal(begin(&work, "out", 1, 2, "oi-levels", false, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "--resume"));
    assert_int_equal(begin(&work, "out", 1, 2, "phase", true, &err), ERROR_SCENARIO);
    assert_int_equal(begin(&work, "out", 1, 2, "oi-levels", true, &err), ERROR_NONE);
    assert_false(work.finished);
    assert_int_equal(work.journal.done, 3);
    assert_int_equal(shards_commit(&work, NULL, NULL, &err), ERROR_NUMERICAL);
    assert_int_equal(access("out/shard-0002-of-0002", F_OK), -1);
    work_on(&work, ITEMS, false);
    assert_int_equal(shards_commit(&work, NULL, NULL, &err), ERROR_NONE);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    make_shard("out", 0, 2, "oi-levels");
    assert_joined("out", 2);
}

static void a_finished_shard_is_left_alone(void **state)
{
    struct shards_work work;
    struct error err = {0};
    make_shard("out", 0, 1, "oi-levels");
    assert_int_equal(begin(&work, "out", 0, 1, "oi-levels", false, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "finished already"));
    assert_int_equal(begin(&work, "out", 0, 1, "phase", true, &err), ERROR_SCENARIO);
    assert_int_equal(begin(&work, "out", 0, 1, "oi-levels", true, &err), ERROR_NONE);
    assert_true(work.finished);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    assert_joined("out", 1);
}

/* Killed between the commit of the folder and the removal of the journal. */
static void a_journal_left_beside_a_finished_shard_is_cleared_away(void **state)
{
    struct shards_work work;
    struct error err = {0};
    make_shard("out", 0, 1, "oi-levels");
    FILE *file = fopen("out/shard-0001-of-0001.journal", "w");
    assert_non_null(file);
    fclose(file);
    assert_joined("out", 1);
    assert_int_equal(begin(&work, "out", 0, 1, "oi-levels", true, &err), ERROR_NONE);
    assert_true(work.finished);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    assert_int_equal(entries("out"), 1);
}

static int fail_to_write(struct results *results, void *context, struct error *err)
{
    return error_set(err, ERROR_NUMERICAL, "no note today");
}

static void a_commit_that_fails_keeps_the_journal(void **state)
{
    struct shards_work work;
    struct error err = {0};
    assert_int_equal(begin(&work, "out", 0, 1, "oi-levels", false, &err), ERROR_NONE);
    work_on(&work, ITEMS, false);
    assert_int_equal(shards_commit(&work, fail_to_write, NULL, &err), ERROR_NUMERICAL);
    assert_int_equal(entries("out"), 1);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit, before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = 200, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0); /* the disk is full */
    int code = shards_commit(&work, NULL, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(code, ERROR_IO);
    assert_non_null(strstr(err.message, "File too large"));
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    assert_int_equal(entries("out"), 1);
    assert_int_equal(begin(&work, "out", 0, 1, "oi-levels", true, &err), ERROR_NONE);
    assert_int_equal(work.journal.done, ITEMS);
    assert_int_equal(shards_commit(&work, NULL, NULL, &err), ERROR_NONE);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    assert_joined("out", 1);
}

/* ---- what does not belong together ---- */

static void missing_shards_are_named(void **state)
{
    struct shards_work work;
    struct error err = {0};
    static const int there[] = {0, 2, 3, 7, 8, 10};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        make_shard("out", there[i], 12, "oi-levels");
    EXPECT_ERROR("out", "out", "missing: 2, 5-7, 10, 12;", "run them again");
    assert_int_equal(begin(&work, "out", 5, 12, "oi-levels", false, &err), ERROR_NONE);
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    EXPECT_ERROR("out", "out", "missing: 2, 5, 7, 10, 12;", "begun but not finished: 6;");
    for (int rank = 0; rank < 12; rank++) {
        assert_int_equal(begin(&work, "out", rank, 12, "oi-levels", true, &err), ERROR_NONE);
        if (!work.finished) {
            work_on(&work, ITEMS, false);
            assert_int_equal(shards_commit(&work, NULL, NULL, &err), ERROR_NONE);
        }
        assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    }
    assert_joined("out", 12);
}

static void a_study_that_only_began_is_told(void **state)
{
    struct shards_work work;
    struct error err = {0};
    assert_int_equal(begin(&work, "out", 0, 2, "oi-levels", false, &err), ERROR_NONE);
    EXPECT_ERROR("out", "out", "missing: 2; begun but not finished: 1", "--resume");
    assert_int_equal(shards_end(&work, &err), ERROR_NONE);
    assert_int_equal(mkdir("empty", 0777), 0);
    EXPECT_ERROR("empty", "empty", "no shards", "shard-0001-of-0016");
    const char *absent = "absent";
    struct shards shards;
    assert_int_equal(shards_open(&shards, &absent, 1, &err), ERROR_IO);
    assert_string_equal(err.file, "absent");
}

static void doubled_shards_are_named(void **state)
{
    make_all("a", 2);
    make_shard("b", 1, 2, "oi-levels");
    expect_error((const char *const[]){"b", "a"}, 2, "b/shard-0002-of-0002", "there twice",
                 "a/shard-0002-of-0002");
    expect_error((const char *const[]){"a", "a"}, 2, "a/shard-0001-of-0002", "there twice",
                 "1 of 2");
}

static void foreign_shards_are_named(void **state)
{
    make_all("out", 2);
    make_shard("more", 2, 3, "oi-levels");
    expect_error((const char *const[]){"out", "more"}, 2, "more/shard-0003-of-0003", "one of 3",
                 "do not belong together");
    make_shard("a", 0, 2, "oi-levels");
    make_shard("a", 1, 2, "phase");
    EXPECT_ERROR("a", "a/shard-0002-of-0002/" SHARDS_JOURNAL, "another scenario",
                 "do not belong together");
    assert_int_equal(mkdir("b", 0777), 0);
    assert_int_equal(rename("out/shard-0001-of-0002", "b/shard-0003-of-0002"), 0);
    EXPECT_ERROR("b", "b/shard-0003-of-0002", "no shard 3 of 2", "");
}

/* Folders whose names were changed: the items tell. */
static void a_shard_under_anothers_name_is_found_out(void **state)
{
    make_all("out", 3);
    assert_int_equal(rename("out/shard-0001-of-0003", "out/x"), 0);
    assert_int_equal(rename("out/shard-0002-of-0003", "out/shard-0001-of-0003"), 0);
    assert_int_equal(rename("out/x", "out/shard-0002-of-0003"), 0);
    EXPECT_ERROR("out", "out/shard-0001-of-0003/" SHARDS_JOURNAL, "another shard", "item 0");
    make_all("two", 2); /* the whole study under the name of its half */
    make_all("one", 1);
    assert_int_equal(system("rm -r two/shard-0001-of-0002"), 0);
    assert_int_equal(rename("one/shard-0001-of-0001", "two/shard-0001-of-0002"), 0);
    EXPECT_ERROR("two", "two/shard-0001-of-0002/" SHARDS_JOURNAL, "another shard", "");
}

static void a_damaged_or_shortened_shard_is_refused(void **state)
{
    const char *path = "out/shard-0002-of-0002/" SHARDS_JOURNAL;
    char bytes[2048];
    size_t size;
    make_all("out", 2);
    read_bytes(path, bytes, &size);
    for (size_t at = 0; at < size; at += 3) {
        const char *folders = "out";
        struct shards shards;
        struct error err = {0};
        FILE *file = fopen(path, "w");
        bytes[at] ^= 4;
        fwrite(bytes, 1, size, file);
        bytes[at] ^= 4;
        fclose(file);
        assert_int_equal(shards_open(&shards, &folders, 1, &err), ERROR_DATA);
        assert_string_equal(err.file, path);
        assert_int_equal(truncate(path, (off_t)at), 0);
        assert_int_equal(shards_open(&shards, &folders, 1, &err), ERROR_DATA);
        assert_string_equal(err.file, path);
    }
    FILE *file = fopen(path, "w");
    fwrite(bytes, 1, size - (8 + 8 * PAYLOAD + 16), file); /* one whole record less */
    fclose(file);
    EXPECT_ERROR("out", path, "4 of the shard's 5 items", "run it again");
    assert_int_equal(unlink(path), 0);
    const char *folders = "out";
    struct shards shards;
    struct error err = {0};
    assert_int_equal(shards_open(&shards, &folders, 1, &err), ERROR_IO);
    assert_string_equal(err.file, path);
}

static void memory_that_runs_out_anywhere_leaves_nothing_half_done(void **state)
{
    const char *path = "out";
    long failures = 0;
    make_all("out", 2);
    for (;; failures++) {
        struct shards shards;
        struct error err = {0};
        memory_fail_after(failures + 1);
        int code = shards_open(&shards, &path, 1, &err);
        memory_fail_after(0);
        shards_close(&shards);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        assert_non_null(strstr(err.message, "out of memory"));
    }
    assert_true(failures >= 10);
    for (failures = 0;; failures++) {
        struct shards_work work;
        struct error err = {0};
        memory_fail_after(failures + 1);
        int code = begin(&work, "new", 0, 1, "oi-levels", true, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE) {
            work_on(&work, ITEMS, false);
            memory_fail_after(failures % 4 + 1);
            code = shards_commit(&work, NULL, NULL, &err);
            memory_fail_after(0);
            assert_int_equal(code, ERROR_IO);
            assert_int_equal(entries("new"), 1);
            assert_int_equal(shards_commit(&work, NULL, NULL, &err), ERROR_NONE);
            assert_int_equal(shards_end(&work, &err), ERROR_NONE);
            break;
        }
        assert_int_equal(code, ERROR_IO);
    }
    assert_true(failures >= 5);
    assert_joined("new", 1);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(shards_are_counted_from_one),
        in_folder(any_number_of_shards_joins_to_the_same_study),
        in_folder(a_shard_is_the_same_bytes_in_whatever_order_it_was_done),
        in_folder(files_of_the_caller_lie_beside_the_journal),
        in_folder(shards_are_found_in_several_folders_and_by_themselves),
        in_folder(a_shard_that_was_stopped_goes_on),
        in_folder(a_finished_shard_is_left_alone),
        in_folder(a_journal_left_beside_a_finished_shard_is_cleared_away),
        in_folder(a_commit_that_fails_keeps_the_journal),
        in_folder(missing_shards_are_named),
        in_folder(a_study_that_only_began_is_told),
        in_folder(doubled_shards_are_named),
        in_folder(foreign_shards_are_named),
        in_folder(a_shard_under_anothers_name_is_found_out),
        in_folder(a_damaged_or_shortened_shard_is_refused),
        in_folder(memory_that_runs_out_anywhere_leaves_nothing_half_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
