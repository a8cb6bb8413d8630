#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "scenarios/scenario.h"
#include "scenarios/value.h"

static struct scenario record;
static struct error last;

static int read_as(const char *key, const char *text, bool quoted)
{
    struct tree_node node = {.kind = YAML_SCALAR,
                             .quoted = quoted,
                             .text = text,
                             .file = "here.yaml",
                             .line = 7,
                             .column = 3};
    last = (struct error){0};
    return value_read(schema_find(&schema_scenario, key, 0), &node, key, &record, &last);
}

static bool reads(const char *key, const char *text)
{
    return read_as(key, text, false) == ERROR_NONE;
}

static void a_number_is_read_whole_or_not_at_all(void **state)
{
    assert_true(reads("oi.level_usd", "78.6e9"));
    assert_true(record.oi.level_usd == 78.6e9);
    assert_true(reads("impact.reference_move_log", "9.0e-4"));
    assert_true(record.impact.reference_move_log == 9.0e-4);
    static const char *const wrong[] = {"1.0xyz", "50_000", "0x10", "",    ".nan", "nan",
                                        "inf",    "1,000",  "5%",   " 1 ", "1e999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (reads("impact.reference_coins", wrong[i]))
            fail_msg("'%s' was taken for a number", wrong[i]);
    }
}

static void a_whole_number_has_no_fraction(void **state)
{
    assert_true(reads("book.positions_per_bar", "500"));
    assert_int_equal(record.book.positions_per_bar, 500);
    assert_false(reads("book.positions_per_bar", "50_000"));
    assert_false(reads("book.positions_per_bar", "1.5"));
    assert_false(reads("book.positions_per_bar", "0"));
}

static void a_seed_takes_all_64_bits(void **state)
{
    assert_true(reads("seed", "18446744073709551615"));
    assert_true(record.seed == UINT64_MAX);
    assert_true(reads("seed", "0"));
    assert_false(reads("seed", "18446744073709551616"));
    assert_false(reads("seed", "-1"));
    assert_false(reads("seed", "1x"));
}

static void a_duration_needs_its_unit(void **state)
{
    assert_true(reads("impact.half_life", "20m"));
    assert_int_equal(record.impact.half_life_ms, 20 * 60000);
    assert_false(reads("impact.half_life", "20"));
    assert_non_null(strstr(last.message, "expected a duration such as 20m"));
    assert_true(reads("impact.half_life", "none"));
    assert_true(record.impact.half_life_ms == CALENDAR_NONE);
    assert_false(reads("impact.depth.half_life", "none"));
    assert_false(reads("impact.half_life", "0s")); /* a decay in no time is no decay at all */
}

static void yes_and_no_have_two_words_each(void **state)
{
    const struct schema_row row = {
        .field = {.name = "flag", .type = FIELD_BOOL, .unit = "", .documentation = "a flag"}};
    static const struct {
        const char *text;
        int value; /* -1: refused */
    } words[] = {{"yes", 1}, {"true", 1}, {"no", 0}, {"false", 0}, {"Yes", -1},
                 {"on", -1}, {"1", -1},   {"0", -1}, {"off", -1},  {"y", -1}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        bool flag = false;
        struct tree_node node = {.kind = YAML_SCALAR, .text = words[i].text, .file = "here.yaml"};
        int code = value_read(&row, &node, "flag", &flag, &last);
        assert_int_equal(code == ERROR_NONE, words[i].value >= 0);
        if (code == ERROR_NONE)
            assert_int_equal(flag, words[i].value);
    }
}

static void a_time_is_utc_and_a_real_date(void **state)
{
    assert_true(reads("time.start", "2025-10-10T21:15:00Z"));
    assert_true(record.time.start_ms == INT64_C(1760130900000));
    assert_false(reads("time.start", "2025-02-30T00:00Z"));
    assert_false(reads("time.start", "yesterday"));
}

static void a_word_that_is_no_choice_is_refused_with_the_nearest(void **state)
{
    assert_true(reads("time.wick", "low_first"));
    assert_int_equal(record.time.wick, WICK_LOW_FIRST);
    assert_false(reads("time.wick", "low_frist"));
    assert_non_null(strstr(last.message, "did you mean low_first?"));
    assert_false(reads("data.on.repeat", ""));
}

static void quotes_make_a_text(void **state)
{
    assert_int_equal(read_as("impact.gamma", "0.5", true), ERROR_SCENARIO);
    assert_int_equal(read_as("impact.half_life", "20m", true), ERROR_NONE);
    assert_int_equal(read_as("title", "null", true), ERROR_NONE);
    assert_string_equal(record.title, "null");
    free(record.title);
    record.title = NULL;
}

static void null_is_a_value_only_where_the_key_may_be_absent(void **state)
{
    assert_true(reads("oi.level_usd", "null"));
    assert_true(isnan(record.oi.level_usd));
    assert_true(reads("path.at", "~"));
    assert_true(record.path.shock_at_ms == CALENDAR_NONE);
    assert_false(reads("impact.gamma", "null"));
    assert_false(reads("symbol", ""));
}

static void a_refused_value_leaves_the_old_one(void **state)
{
    assert_true(reads("impact.gamma", "0.5"));
    assert_false(reads("impact.gamma", "50"));
    assert_true(record.impact.gamma == 0.5);
}

static void an_error_names_place_key_and_bounds(void **state)
{
    assert_false(reads("impact.permanent_share", "1.5"));
    assert_string_equal(last.file, "here.yaml");
    assert_int_equal(last.line, 7);
    assert_int_equal(last.column, 3);
    assert_string_equal(last.key, "impact.permanent_share");
    assert_string_equal(last.message, "'1.5' is out of bounds; expected a number from 0 to 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_whole_number_has_no_fraction),
        cmocka_unit_test(a_seed_takes_all_64_bits),
        cmocka_unit_test(a_duration_needs_its_unit),
        cmocka_unit_test(yes_and_no_have_two_words_each),
        cmocka_unit_test(a_time_is_utc_and_a_real_date),
        cmocka_unit_test(a_word_that_is_no_choice_is_refused_with_the_nearest),
        cmocka_unit_test(quotes_make_a_text),
        cmocka_unit_test(null_is_a_value_only_where_the_key_may_be_absent),
        cmocka_unit_test(a_refused_value_leaves_the_old_one),
        cmocka_unit_test(an_error_names_place_key_and_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
