/*
 * Error records: what a reader sees is where, which key, what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

static void expect_text(const struct error *err, const char *expected)
{
    char text[1024];

    assert_int_equal(error_format(err, text, sizeof(text)), strlen(expected));
    assert_string_equal(text, expected);
}

static void a_message_shows_the_parts_that_are_known(void **state)
{
    struct error err = {0};

    error_at(&err, ERROR_SCENARIO, "a.yaml", 3, 7, "book.leverage", "is %d", 5);
    expect_text(&err, "a.yaml:3:7: book.leverage: is 5");
    error_at(&err, ERROR_DATA, "a.csv", 12, 0, "close", "not a number");
    expect_text(&err, "a.csv:12: close: not a number");
    error_at(&err, ERROR_DATA, "a.csv", 0, 0, NULL, "no rows");
    expect_text(&err, "a.csv: no rows");
    error_at(&err, ERROR_SCENARIO, NULL, 4, 5, "seed", "missing");
    expect_text(&err, "seed: missing");
    error_set(&err, ERROR_USAGE, "no scenario given");
    expect_text(&err, "no scenario given");
}

static void the_code_is_returned_and_kept(void **state)
{
    struct error err = {0};

    assert_int_equal(error_set(&err, ERROR_NUMERICAL, "x"), ERROR_NUMERICAL);
    assert_int_equal(err.code, ERROR_NUMERICAL);
    assert_int_equal(error_at(&err, ERROR_DATA, "f", 1, 2, "k", "x"), ERROR_DATA);
    assert_int_equal(error_set(&err, ERROR_USAGE, "y"), ERROR_USAGE);
    assert_string_equal(err.file, ""); /* the place of the earlier error is gone */
    assert_string_equal(err.key, "");
    assert_int_equal(err.line, 0);
}

static void a_caller_may_leave_the_record_out(void **state)
{
    assert_int_equal(error_set(NULL, ERROR_DATA, "x"), ERROR_DATA);
    assert_int_equal(error_at(NULL, ERROR_DATA, "f", 1, 1, "k", "x"), ERROR_DATA);
    assert_int_equal(error_errno(NULL, "f", ENOENT, "x"), ERROR_IO);
    assert_int_equal(error_memory(NULL, "x"), ERROR_IO);
}

static void an_error_of_the_system_ends_in_its_reason(void **state)
{
    struct error err = {0};

    assert_int_equal(error_errno(&err, "a.csv", ENOENT, "cannot open"), ERROR_IO);
    expect_text(&err, "a.csv: cannot open: No such file or directory");
    error_memory(&err, "building the book");
    expect_text(&err, "out of memory while building the book");
}

static void long_parts_are_cut_and_a_path_keeps_its_end(void **state)
{
    struct error err = {0};
    char path[1000], key[1000];

    memset(path, 'p', sizeof(path));
    memcpy(path + 990, "/name.csv", 10);
    memset(key, 'k', sizeof(key) - 1);
    key[999] = '\0';
    error_at(&err, ERROR_DATA, path, 1, 1, key, "%s%s", key, path);
    assert_int_equal(strlen(err.file), sizeof(err.file) - 1);
    assert_int_equal(strncmp(err.file, "...p", 4), 0);
    assert_string_equal(err.file + strlen(err.file) - 9, "/name.csv");
    assert_int_equal(strlen(err.key), sizeof(err.key) - 1);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    error_errno(&err, path, ENOENT, "%s", key);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void codes_are_the_documented_exit_statuses(void **state)
{
    assert_int_equal(ERROR_USAGE, 2);
    assert_int_equal(ERROR_SCENARIO, 3);
    assert_int_equal(ERROR_DATA, 4);
    assert_int_equal(ERROR_IO, 5);
    assert_int_equal(ERROR_NUMERICAL, 6);
    assert_int_equal(ERROR_INTERRUPTED, 130);
    assert_string_equal(error_code_name(ERROR_SCENARIO), "scenario");
    assert_string_equal(error_code_name(ERROR_INTERRUPTED), "interrupted");
    assert_string_equal(error_code_name(77), "unknown");
}

static void a_list_keeps_errors_in_order_and_the_first_code(void **state)
{
    struct error_list list = {0};
    struct error err = {0};

    for (int i = 0; i < 20; i++) {
        error_set(&err, i == 0 ? ERROR_SCENARIO : ERROR_DATA, "error %d", i);
        error_list_add(&list, &err);
    }
    assert_int_equal(list.count, 20);
    assert_int_equal(list.code, ERROR_SCENARIO);
    assert_string_equal(list.items[19].message, "error 19");
    error_list_free(&list);
    assert_null(list.items);
    assert_int_equal(list.count, 0);
}

static void a_list_without_memory_still_counts_the_failure(void **state)
{
    struct error_list list = {0};
    struct error err = {0};

    error_set(&err, ERROR_DATA, "lost");
    memory_fail_after(1);
    error_list_add(&list, &err);
    memory_fail_after(0);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.code, ERROR_DATA);
    error_list_free(&list);
}

static void a_broken_invariant_aborts_and_a_kept_one_does_not(void **state)
{
    int status;
    pid_t child = fork();

    liqcascade_bug_assert(1 + 1 == 2, "arithmetic");
    if (child == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        liqcascade_bug_assert(1 + 1 == 3, "arithmetic");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_shows_the_parts_that_are_known),
        cmocka_unit_test(the_code_is_returned_and_kept),
        cmocka_unit_test(a_caller_may_leave_the_record_out),
        cmocka_unit_test(an_error_of_the_system_ends_in_its_reason),
        cmocka_unit_test(long_parts_are_cut_and_a_path_keeps_its_end),
        cmocka_unit_test(codes_are_the_documented_exit_statuses),
        cmocka_unit_test(a_list_keeps_errors_in_order_and_the_first_code),
        cmocka_unit_test(a_list_without_memory_still_counts_the_failure),
        cmocka_unit_test(a_broken_invariant_aborts_and_a_kept_one_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
