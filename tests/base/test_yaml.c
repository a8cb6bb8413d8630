/*
 * YAML with places: every error names the line and column where a person would look.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/yaml.h"

static void load(struct yaml_file *file, const char *text)
{
    struct error err = {0};

    if (yaml_load_text(file, "a.yaml", text, strlen(text), ERROR_SCENARIO, &err) != ERROR_NONE)
        fail_msg("refused: %s", err.message);
}

static void expect_refused_bytes(const char *text, size_t length, long line, long column,
                                 const char *part)
{
    struct yaml_file file;
    struct error err = {0};

    assert_int_equal(yaml_load_text(&file, "a.yaml", text, length, ERROR_DATA, &err), ERROR_DATA);
    assert_null(file.path);
    assert_string_equal(err.file, "a.yaml");
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

static void expect_refused(const char *text, long line, long column, const char *part)
{
    expect_refused_bytes(text, strlen(text), line, column, part);
}

static void expect_place(const struct yaml_node *node, long line, long column)
{
    assert_non_null(node);
    assert_int_equal(node->line, line);
    assert_int_equal(node->column, column);
}

static void every_node_and_key_knows_its_place(void **state)
{
    struct yaml_file file;
    const struct yaml_node *book, *list;

    load(&file, "format: 1\n"
                "book:\n"
                "  positions: 1e6   # comment\n"
                "  venues: [binance, {name: okx}]\n"
                "\n"
                "seed: 7\n");
    assert_string_equal(file.path, "a.yaml");
    assert_int_equal(file.root.kind, YAML_MAPPING);
    assert_int_equal(file.root.count, 3);
    expect_place(yaml_get(&file.root, "format"), 1, 9);
    expect_place(yaml_get(&file.root, "seed"), 6, 7);
    assert_int_equal(file.root.key_lines[2], 6);
    assert_int_equal(file.root.key_columns[2], 1);
    book = yaml_get(&file.root, "book");
    expect_place(book, 3, 3);
    assert_int_equal(book->key_lines[1], 4);
    assert_int_equal(book->key_columns[1], 3);
    expect_place(yaml_get(book, "positions"), 3, 14);
    assert_string_equal(yaml_get(book, "positions")->text, "1e6");
    list = yaml_get(book, "venues");
    assert_int_equal(list->kind, YAML_SEQUENCE);
    assert_int_equal(list->count, 2);
    expect_place(&list->items[0], 4, 12);
    expect_place(yaml_get(&list->items[1], "name"), 4, 28);
    yaml_file_free(&file);
}

static void columns_count_characters(void **state)
{
    struct yaml_file file;

    load(&file, "{é: ü, b: x}\n");
    expect_place(yaml_get(&file.root, "b"), 1, 11);
    yaml_file_free(&file);
}

static void missing_keys_are_null_pointers(void **state)
{
    struct yaml_file file;

    load(&file, "a: 1\n");
    assert_null(yaml_get(&file.root, "b"));
    assert_null(yaml_get(yaml_get(&file.root, "a"), "b"));
    assert_null(yaml_get(NULL, "b"));
    yaml_file_free(&file);
}

static void null_is_what_is_written_bare(void **state)
{
    struct yaml_file file;

    load(&file, "a: null\nb: ~\nc:\nd: 'null'\ne: \"\"\nf: nullify\ng: []\n");
    assert_true(yaml_is_null(yaml_get(&file.root, "a")));
    assert_true(yaml_is_null(yaml_get(&file.root, "b")));
    assert_true(yaml_is_null(yaml_get(&file.root, "c")));
    assert_false(yaml_is_null(yaml_get(&file.root, "d")));
    assert_false(yaml_is_null(yaml_get(&file.root, "e")));
    assert_false(yaml_is_null(yaml_get(&file.root, "f")));
    assert_false(yaml_is_null(yaml_get(&file.root, "g")));
    yaml_file_free(&file);
}

static void quotes_are_remembered(void **state)
{
    struct yaml_file file;

    load(&file, "a: '5'\nb: 5\nc: |\n  5\n");
    assert_true(yaml_get(&file.root, "a")->quoted);
    assert_false(yaml_get(&file.root, "b")->quoted);
    assert_true(yaml_get(&file.root, "c")->quoted);
    assert_string_equal(yaml_get(&file.root, "c")->text, "5\n");
    yaml_file_free(&file);
}

static void aliases_are_copied_out(void **state)
{
    struct yaml_file file;

    load(&file, "a: &tiers [1, 2]\nb: *tiers\n");
    assert_int_equal(yaml_get(&file.root, "b")->count, 2);
    assert_string_equal(yaml_get(&file.root, "b")->items[1].text, "2");
    yaml_file_free(&file);
}

static void a_repeated_key_is_shown_at_its_second_place(void **state)
{
    struct yaml_file file;
    struct error err = {0};
    const char *text = "a: 1\nbook:\n  size: 1\n  side: 2\n  size: 3\n";

    assert_int_equal(yaml_load_text(&file, "a.yaml", text, strlen(text), ERROR_SCENARIO, &err),
                     ERROR_SCENARIO);
    assert_int_equal(err.line, 5);
    assert_int_equal(err.column, 3);
    assert_string_equal(err.key, "size");
    assert_string_equal(err.message, "duplicate key; first given at line 3");
}

static void what_is_not_one_tree_of_names_is_refused(void **state)
{
    expect_refused("a: &x [1, *x]\n", 1, 4, "contains itself");
    expect_refused("a: &x {b: {c: *x}}\n", 1, 4, "contains itself");
    expect_refused("a: 1\n---\nb: 2\n", 2, 1, "second document");
    expect_refused("[1, 2]: x\n", 1, 1, "expected a name");
    expect_refused("a: \"x\\0y\"\n", 1, 4, "NUL");
    expect_refused("", 1, 1, "empty");
    expect_refused("# only a comment\n", 1, 1, "empty");
    expect_refused("---\n", 1, 1, "empty");
}

static void syntax_errors_have_the_place_of_the_problem(void **state)
{
    expect_refused("a: [1, 2\nb: 3\n", 2, 2, "not YAML");
    expect_refused("a: 1\n\tb: 2\n", 2, 1, "not YAML");
    expect_refused("a: *missing\n", 1, 4, "undefined alias");
    expect_refused("a: 'open\n", 2, 1, "not YAML");
}

static void bytes_that_are_not_utf8_are_found(void **state)
{
    expect_refused("a: 1\nb: x\xff\n", 2, 5, "UTF-8");
    expect_refused_bytes("a: 1\nb: \0\n", 10, 2, 4, "not YAML");
}

static void aliases_of_aliases_cannot_fill_the_memory(void **state)
{
    struct text_buffer text = {0};
    struct yaml_file file;
    struct error err = {0};

    text_append(&text, "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++)
        text_appendf(&text, "l%d: &l%d [*l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d]\n", i,
                     i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_int_equal(yaml_load_text(&file, "a.yaml", text.data, text.length, ERROR_SCENARIO, &err),
                     ERROR_SCENARIO);
    assert_non_null(strstr(err.message, "too many values"));
    text_buffer_free(&text);
}

static void keys_of_a_mapping_are_bounded(void **state)
{
    struct text_buffer text = {0};

    for (int i = 0; i < 5000; i++)
        text_appendf(&text, "k%d:\n", i);
    expect_refused(text.data, 1, 1, "too many keys");
    text_buffer_free(&text);
}

static void depth_is_bounded(void **state)
{
    char text[400];

    memset(text, '[', 200);
    memset(text + 200, ']', 200);
    expect_refused_bytes(text, sizeof(text), 1, 65, "too deeply");
}

static void a_file_is_read_whole(void **state)
{
    char path[] = "/tmp/liqcascade-yaml-XXXXXX";
    struct yaml_file file;
    struct error err = {0};
    FILE *out = fdopen(mkstemp(path), "wb");

    assert_non_null(out);
    fputs("a: {b: 5}\n", out);
    fclose(out);
    assert_int_equal(yaml_load_file(&file, path, ERROR_SCENARIO, &err), ERROR_NONE);
    assert_string_equal(file.path, path);
    assert_string_equal(yaml_get(yaml_get(&file.root, "a"), "b")->text, "5");
    yaml_file_free(&file);
    assert_int_equal(truncate(path, (4 << 20) + 1), 0);
    assert_int_equal(yaml_load_file(&file, path, ERROR_SCENARIO, &err), ERROR_SCENARIO);
    assert_non_null(strstr(err.message, "larger"));
    unlink(path);
}

static void a_missing_file_is_an_input_error(void **state)
{
    struct yaml_file file;
    struct error err = {0};

    assert_int_equal(yaml_load_file(&file, "/nonexistent.yaml", ERROR_SCENARIO, &err), ERROR_IO);
    assert_string_equal(err.file, "/nonexistent.yaml");
    assert_int_equal(yaml_load_file(&file, "/", ERROR_SCENARIO, &err), ERROR_IO);
}

/* A sanitizer or valgrind sees what a failure would leave behind. */
static void any_allocation_may_fail(void **state)
{
    const char *text = "a: {b: [1, 2], c: x}\nd: null\n";
    struct error err = {0};
    int code = ERROR_IO;
    long failures = 0;

    for (long countdown = 1; code != ERROR_NONE; countdown++) {
        struct yaml_file file;

        memory_fail_after(countdown);
        code = yaml_load_text(&file, "a.yaml", text, strlen(text), ERROR_SCENARIO, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE) {
            yaml_file_free(&file);
        } else {
            assert_int_equal(code, ERROR_IO);
            assert_non_null(strstr(err.message, "out of memory"));
            failures++;
        }
    }
    /* One for the path, 4 per mapping, 1 per sequence, key and scalar. */
    assert_int_equal(failures, 1 + 2 * 4 + 1 + 4 + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_and_key_knows_its_place),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(missing_keys_are_null_pointers),
        cmocka_unit_test(null_is_what_is_written_bare),
        cmocka_unit_test(quotes_are_remembered),
        cmocka_unit_test(aliases_are_copied_out),
        cmocka_unit_test(a_repeated_key_is_shown_at_its_second_place),
        cmocka_unit_test(what_is_not_one_tree_of_names_is_refused),
        cmocka_unit_test(syntax_errors_have_the_place_of_the_problem),
        cmocka_unit_test(bytes_that_are_not_utf8_are_found),
        cmocka_unit_test(aliases_of_aliases_cannot_fill_the_memory),
        cmocka_unit_test(keys_of_a_mapping_are_bounded),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_file_is_read_whole),
        cmocka_unit_test(a_missing_file_is_an_input_error),
        cmocka_unit_test(any_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
