/*
 * The JSON writer: commas, nesting, escapes, and nothing that is not JSON.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/json.h"

static FILE *out;
static char *text;
static size_t size;

static struct json begin(void)
{
    struct json json;
    out = open_memstream(&text, &size);
    assert_non_null(out);
    json_begin(&json, out);
    return json;
}

static void expect(const char *expected)
{
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void groups_nest_and_empty_ones_stay_on_their_line(void **state)
{
    struct json json = begin();
    json_object_open(&json, NULL);
    json_array_open(&json, "runs");
    json_integer(&json, NULL, 1);
    json_object_open(&json, NULL);
    json_null(&json, "x");
    json_object_close(&json);
    json_array_close(&json);
    json_object_open(&json, "none");
    json_object_close(&json);
    json_array_open(&json, "empty");
    json_array_close(&json);
    json_bool(&json, "last", false);
    json_object_close(&json);
    expect("{\n  \"runs\": [\n    1,\n    {\n      \"x\": null\n    }\n  ],\n"
           "  \"none\": {},\n  \"empty\": [],\n  \"last\": false\n}\n");
}

static void numbers_are_exact_and_what_is_no_number_is_null(void **state)
{
    struct json json = begin();
    json_array_open(&json, NULL);
    json_number(&json, NULL, 0.1);
    json_number(&json, NULL, 1.0 / 3.0);
    json_number(&json, NULL, NAN);
    json_number(&json, NULL, -INFINITY);
    json_integer(&json, NULL, INT64_MIN);
    json_unsigned(&json, NULL, UINT64_MAX);
    json_array_close(&json);
    expect("[\n  0.1,\n  0.3333333333333333,\n  null,\n  null,\n  -9223372036854775808,\n"
           "  18446744073709551615\n]\n");
}

static void texts_are_escaped_and_utf8_is_kept(void **state)
{
    struct json json = begin();
    json_array_open(&json, NULL);
    json_text(&json, NULL, "\"\\/\n\t\x01\x7f");
    json_text(&json, NULL, "Bitcoin \xe2\x82\xbf, \xc3\xa9, \xf0\x9f\x92\xa5");
    json_text(&json, NULL, "");
    json_text(&json, NULL, NULL);
    json_array_close(&json);
    expect("[\n  \"\\\"\\\\/\\n\\t\\u0001\\u007f\",\n"
           "  \"Bitcoin \xe2\x82\xbf, \xc3\xa9, \xf0\x9f\x92\xa5\",\n  \"\",\n  null\n]\n");
}

/* Lone continuation, cut sequences, overlong slash, a surrogate, above U+10FFFF. */
static void bytes_that_are_not_utf8_are_replaced(void **state)
{
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        {"\x80z", "[\n  \"\\ufffdz\"\n]\n"},
        {"\xc3", "[\n  \"\\ufffd\"\n]\n"},
        {"\xe2\x82", "[\n  \"\\ufffd\\ufffd\"\n]\n"},
        {"\xc0\xaf", "[\n  \"\\ufffd\\ufffd\"\n]\n"},
        {"\xed\xa0\x80", "[\n  \"\\ufffd\\ufffd\\ufffd\"\n]\n"},
        {"\xf4\x90\x80\x80", "[\n  \"\\ufffd\\ufffd\\ufffd\\ufffd\"\n]\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json json = begin();
        json_array_open(&json, NULL);
        json_text(&json, NULL, cases[i].bytes);
        json_array_close(&json);
        expect(cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_nest_and_empty_ones_stay_on_their_line),
        cmocka_unit_test(numbers_are_exact_and_what_is_no_number_is_null),
        cmocka_unit_test(texts_are_escaped_and_utf8_is_kept),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
