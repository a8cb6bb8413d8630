/*
 * Where shipped files are found, and paths inside files that name others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"

static int clear_environment(void **state)
{
    unsetenv("LIQCASCADE_SHARE");
    return 0;
}

static void the_variable_names_the_share_directory(void **state)
{
    char path[PATHS_SIZE];
    struct error err = {0};

    setenv("LIQCASCADE_SHARE", "/tmp", 1);
    assert_int_equal(paths_shipped("datasets/a.csv", path, &err), ERROR_NONE);
    assert_string_equal(path, "/tmp/datasets/a.csv");
}

static void a_variable_that_names_no_directory_is_an_error(void **state)
{
    char path[PATHS_SIZE];
    struct error err = {0};

    setenv("LIQCASCADE_SHARE", "/nonexistent", 1);
    assert_int_equal(paths_shipped("datasets/a.csv", path, &err), ERROR_IO);
    assert_string_equal(err.file, "/nonexistent");
    assert_non_null(strstr(err.message, "LIQCASCADE_SHARE"));
}

static void a_build_that_is_not_installed_uses_its_source_tree(void **state)
{
    char path[PATHS_SIZE];
    struct error err = {0};

    assert_int_equal(paths_shipped("base/paths.h", path, &err), ERROR_NONE);
    assert_true(paths_exists(path));
    assert_string_equal(path, LIQCASCADE_SOURCE_DIR "/base/paths.h");
}

static void a_path_in_a_file_is_relative_to_that_file(void **state)
{
    char path[PATHS_SIZE];

    assert_int_equal(paths_relative_to("a/b/c.yaml", "d.csv", path, NULL), ERROR_NONE);
    assert_string_equal(path, "a/b/d.csv");
    assert_int_equal(paths_relative_to("a/b/c.yaml", "../d.csv", path, NULL), ERROR_NONE);
    assert_string_equal(path, "a/b/../d.csv");
    assert_int_equal(paths_relative_to("c.yaml", "d.csv", path, NULL), ERROR_NONE);
    assert_string_equal(path, "d.csv");
    assert_int_equal(paths_relative_to("/c.yaml", "d.csv", path, NULL), ERROR_NONE);
    assert_string_equal(path, "/d.csv");
    assert_int_equal(paths_relative_to("a/b/c.yaml", "/x/d.csv", path, NULL), ERROR_NONE);
    assert_string_equal(path, "/x/d.csv");
}

static void a_path_that_does_not_fit_is_refused(void **state)
{
    char longest[PATHS_SIZE + 1], path[PATHS_SIZE];
    struct error err = {0};

    memset(longest, 'x', sizeof(longest));
    longest[PATHS_SIZE] = '\0';
    assert_int_equal(paths_relative_to("a/b", longest, path, &err), ERROR_IO);
    assert_int_equal(paths_relative_to("b", longest, path, &err), ERROR_IO);
    assert_int_equal(paths_shipped(longest, path, &err), ERROR_IO);
    longest[PATHS_SIZE - 1] = '\0';
    assert_int_equal(paths_relative_to("b", longest, path, &err), ERROR_NONE);
    assert_int_equal(paths_relative_to("a/b", longest, path, &err), ERROR_IO);
}

static void existence(void **state)
{
    assert_true(paths_exists("/"));
    assert_false(paths_exists("/nonexistent/file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_variable_names_the_share_directory, clear_environment),
        cmocka_unit_test_setup(a_variable_that_names_no_directory_is_an_error, clear_environment),
        cmocka_unit_test_setup(a_build_that_is_not_installed_uses_its_source_tree,
                               clear_environment),
        cmocka_unit_test_setup(a_path_in_a_file_is_relative_to_that_file, clear_environment),
        cmocka_unit_test_setup(a_path_that_does_not_fit_is_refused, clear_environment),
        cmocka_unit_test_setup(existence, clear_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
