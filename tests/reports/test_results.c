/*
 * A results directory is there whole or not at all: after success, after each kind of failure, and
 * when memory runs out at any allocation.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "reports/results.h"

static char folder[64]; /* each test works in an empty directory of its own */

static int enter_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/liqcascade-results-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
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

static int leave_folder(void **state)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

static const double prices[] = {49261.0837, 49264.7059};
static const struct field price_field[] = {{.name = "price_usd", .type = FIELD_DOUBLE}};
static const struct table price_table = {.name = "prices",
                                         .fields = price_field,
                                         .field_count = 1,
                                         .rows = prices,
                                         .row_count = 2,
                                         .row_size = sizeof(double)};

static void assert_file(const char *path, const char *expected)
{
    char text[256] = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(expected));
    fclose(file);
    assert_string_equal(text, expected);
}

static void nothing_is_at_the_target_before_the_commit_and_all_of_it_after(void **state)
{
    struct error err = {0};
    struct results results;
    struct stat status;
    assert_int_equal(results_begin(&results, "out/", &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_NONE);
    FILE *note = results_open(&results, "note.txt", &err);
    assert_non_null(note);
    fputs("x\n", note);
    assert_int_equal(results_close(&results, note, "note.txt", &err), ERROR_NONE);
    assert_int_equal(stat("out", &status), -1);
    assert_int_equal(results_commit(&results, &err), ERROR_NONE);
    results_abort(&results);
    assert_file("out/prices.csv", "price_usd\n49261.0837\n49264.7059\n");
    assert_file("out/note.txt", "x\n");
    assert_int_equal(entries("out"), 2);
    assert_int_equal(entries("."), 1);
}

static void an_abort_leaves_nothing_behind_and_may_be_repeated(void **state)
{
    struct error err = {0};
    struct results results;
    assert_int_equal(results_begin(&results, "out", &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_NONE);
    assert_int_equal(entries("."), 1); /* the temporary directory */
    results_abort(&results);
    results_abort(&results);
    assert_int_equal(entries("."), 0);
}

static void a_target_with_something_in_it_is_never_touched(void **state)
{
    struct error err = {0};
    struct results results;
    assert_int_equal(mkdir("out", 0777), 0);
    close(open("out/mine", O_CREAT | O_WRONLY, 0666));
    assert_int_equal(results_begin(&results, "out", &err), ERROR_IO);
    assert_string_equal(err.file, "out");
    assert_non_null(strstr(err.message, "-o"));
    results_abort(&results);
    assert_int_equal(entries("out"), 1);
    assert_int_equal(entries("."), 1);
}

static void an_empty_directory_may_be_the_target(void **state)
{
    struct error err = {0};
    struct results results;
    assert_int_equal(mkdir("out", 0777), 0);
    assert_int_equal(results_begin(&results, "out", &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_NONE);
    assert_int_equal(results_commit(&results, &err), ERROR_NONE);
    results_abort(&results);
    assert_int_equal(entries("out"), 1);
}

static void the_folder_of_the_target_is_made(void **state)
{
    struct error err = {0};
    struct results results;
    assert_int_equal(results_begin(&results, "results/btc", &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_NONE);
    assert_int_equal(results_commit(&results, &err), ERROR_NONE);
    results_abort(&results);
    assert_int_equal(entries("results"), 1);
    assert_int_equal(entries("results/btc"), 1);
}

/* A results directory at `path`, as an earlier run left it: a manifest and a file of its own. */
static void earlier_run(const char *path, const char *manifest)
{
    char name[64];
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(name, sizeof name, "%s/manifest.json", path);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(manifest, file);
    fclose(file);
    snprintf(name, sizeof name, "%s/old.csv", path);
    close(open(name, O_CREAT | O_WRONLY, 0666));
    snprintf(name, sizeof name, "%s/figures", path);
    assert_int_equal(mkdir(name, 0777), 0);
}

#define OURS "{\n  \"manifest_version\": 1,\n  \"program\": \"liqcascade\",\n"

static void an_earlier_run_is_replaced_only_by_the_commit(void **state)
{
    struct error err = {0};
    struct results results;
    earlier_run("out", OURS);
    assert_true(results_blocked("out"));
    assert_int_equal(results_begin_replacing(&results, "out", &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_NONE);
    assert_int_equal(access("out/old.csv", F_OK), 0);
    assert_int_equal(results_commit(&results, &err), ERROR_NONE);
    results_abort(&results);
    assert_file("out/prices.csv", "price_usd\n49261.0837\n49264.7059\n");
    assert_int_equal(entries("out"), 1);
    assert_int_equal(entries("."), 1);
}

static void an_abort_leaves_the_earlier_run_as_it_was(void **state)
{
    struct error err = {0};
    struct results results;
    earlier_run("out", OURS);
    assert_int_equal(results_begin_replacing(&results, "out", &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_NONE);
    results_abort(&results);
    assert_file("out/manifest.json", OURS);
    assert_int_equal(entries("out"), 3);
    assert_int_equal(entries("."), 1);
}

/* Other programs write a manifest.json too: a web page, a browser extension. */
static void what_no_run_has_written_is_never_replaced(void **state)
{
    static const char *const manifests[] = {"", "{}", "{\"manifest_version\": 3, \"name\": \"x\"}"};
    for (size_t i = 0; i < sizeof manifests / sizeof *manifests; i++) {
        char path[16];
        struct error err = {0};
        struct results results;
        snprintf(path, sizeof path, "web%zu", i);
        earlier_run(path, manifests[i]);
        assert_int_equal(results_begin_replacing(&results, path, &err), ERROR_IO);
        results_abort(&results);
        assert_int_equal(entries(path), 3);
    }
}

static void only_what_is_there_blocks_a_target(void **state)
{
    assert_false(results_blocked("out"));
    assert_int_equal(mkdir("out", 0777), 0);
    assert_false(results_blocked("out"));
    close(open("out/mine", O_CREAT | O_WRONLY, 0666));
    assert_true(results_blocked("out"));
    assert_true(results_blocked("out/mine"));
}

/* Somebody fills the target while the run is under way: theirs stays, ours is reported. */
static void a_target_filled_meanwhile_stops_the_commit(void **state)
{
    struct error err = {0};
    struct results results;
    assert_int_equal(results_begin(&results, "out", &err), ERROR_NONE);
    assert_int_equal(mkdir("out", 0777), 0);
    close(open("out/theirs", O_CREAT | O_WRONLY, 0666));
    assert_int_equal(results_commit(&results, &err), ERROR_IO);
    assert_string_equal(err.file, "out");
    results_abort(&results);
    assert_int_equal(entries("out"), 1);
    assert_int_equal(entries("."), 1);
}

static void what_cannot_be_a_results_directory_is_refused(void **state)
{
    static const char *const bad[] = {"",     ".",       "..", "/", "a/..", "absent/two/out",
                                      "file", "file/out"};
    close(open("file", O_CREAT | O_WRONLY, 0666));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        struct results results;
        assert_int_equal(results_begin(&results, bad[i], &err), ERROR_IO);
        assert_true(err.message[0] != '\0');
        results_abort(&results);
    }
    assert_int_equal(entries("."), 1);
}

static void a_folder_that_may_not_be_written_is_told(void **state)
{
    struct error err = {0};
    struct results results;
    if (geteuid() == 0)
        skip(); /* permissions do not bind the superuser */
    assert_int_equal(mkdir("locked", 0555), 0);
    assert_int_equal(results_begin(&results, "locked/out", &err), ERROR_IO);
    assert_string_equal(err.file, "locked/out");
    assert_non_null(strstr(err.message, "Permission denied"));
    results_abort(&results);
}

static void a_file_is_written_once(void **state)
{
    struct error err = {0};
    struct results results;
    assert_int_equal(results_begin(&results, "out", &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_NONE);
    assert_int_equal(results_table(&results, &price_table, &err), ERROR_IO);
    assert_string_equal(err.file, "out/prices.csv");
    assert_non_null(strstr(err.message, "File exists"));
    results_abort(&results);
}

/* A file size limit of the process stands in for a disk that fills up in the middle of a file. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_disk_that_fills_up_is_told_and_leaves_nothing(void **state)
{
    struct error err = {0};
    struct results results;
    enum { ROWS = 100000 };
    double *many = calloc(ROWS, sizeof *many);
    struct table table = price_table;
    table.rows = many;
    table.row_count = ROWS; /* two bytes a row: well above the limit */
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(65536);
    assert_int_equal(results_begin(&results, "out", &err), ERROR_NONE);
    int status = results_table(&results, &table, &err);
    results_abort(&results);
    limit_file_size(RLIM_INFINITY);
    signal(SIGXFSZ, SIG_DFL);
    free(many);
    printf("told: %s: %s\n", err.file, err.message);
    assert_int_equal(status, ERROR_IO);
    assert_string_equal(err.file, "out/prices.csv");
    assert_non_null(strstr(err.message, "File too large"));
    assert_int_equal(entries("."), 0);
}

/* The failure may also come with the last flush, when a small file is closed. */
static void a_failed_flush_at_close_is_told(void **state)
{
    struct error err = {0};
    struct results results;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(results_begin(&results, "out", &err), ERROR_NONE);
    FILE *note = results_open(&results, "note.txt", &err);
    assert_non_null(note);
    limit_file_size(4);
    fputs("more than four bytes\n", note);
    int status = results_close(&results, note, "note.txt", &err);
    results_abort(&results);
    limit_file_size(RLIM_INFINITY);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, ERROR_IO);
    assert_string_equal(err.file, "out/note.txt");
    assert_non_null(strstr(err.message, "File too large"));
    assert_int_equal(entries("."), 0);
}

static int write_all(struct error *err)
{
    struct results results;
    int status = results_begin(&results, "out", err);
    if (status == ERROR_NONE)
        status = results_table(&results, &price_table, err);
    if (status == ERROR_NONE)
        status = results_commit(&results, err);
    results_abort(&results);
    return status;
}

static void memory_that_runs_out_anywhere_leaves_nothing(void **state)
{
    long failures = 0;
    for (long n = 1; n < 100; n++) {
        struct error err = {0};
        memory_fail_after(n);
        int status = write_all(&err);
        memory_fail_after(0);
        if (status == ERROR_NONE)
            break;
        failures++;
        assert_int_equal(status, ERROR_IO);
        assert_int_equal(entries("."), access("out", F_OK) == 0 ? 1 : 0);
        if (access("out", F_OK) == 0) { /* only the sync of the parent came after the rename */
            unlink("out/prices.csv");
            rmdir("out");
        }
    }
    assert_true(failures >= 3);
    assert_file("out/prices.csv", "price_usd\n49261.0837\n49264.7059\n");
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(nothing_is_at_the_target_before_the_commit_and_all_of_it_after),
        in_folder(an_abort_leaves_nothing_behind_and_may_be_repeated),
        in_folder(a_target_with_something_in_it_is_never_touched),
        in_folder(an_empty_directory_may_be_the_target),
        in_folder(the_folder_of_the_target_is_made),
        in_folder(an_earlier_run_is_replaced_only_by_the_commit),
        in_folder(an_abort_leaves_the_earlier_run_as_it_was),
        in_folder(what_no_run_has_written_is_never_replaced),
        in_folder(only_what_is_there_blocks_a_target),
        in_folder(a_target_filled_meanwhile_stops_the_commit),
        in_folder(what_cannot_be_a_results_directory_is_refused),
        in_folder(a_folder_that_may_not_be_written_is_told),
        in_folder(a_file_is_written_once),
        in_folder(a_disk_that_fills_up_is_told_and_leaves_nothing),
        in_folder(a_failed_flush_at_close_is_told),
        in_folder(memory_that_runs_out_anywhere_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
