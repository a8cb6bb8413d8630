/* The blocks calibrate and backtest: read, written and read back, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/text.h"
#include "tests/scenarios/scratch.h"

static const char blocks[] =
    "calibrate:\n"
    "  parameters: {book.leverage.alpha: [0.5, 2], time.check_step: null}\n"
    "  observation: complete\n"
    "  feed: days\n"
    "  moments: {bar: 0, day: 2}\n"
    "  fit: {to: 2025-10-10T00:00Z}\n"
    "backtest:\n"
    "  assets: {btc: btc.yaml, \"two words\": sub/eth.yaml}\n"
    "  splits:\n"
    "    - {name: \"a: b\", fit: {assets: [btc], to: 2025-10-01T00:00Z}, test: {assets: [two "
    "words], from: 2025-10-02T00:00Z}}\n"
    "    - {name: all}\n"
    "  leave_out: assets\n";

static void check(const struct scenario *scenario)
{
    char path[SCRATCH_PATH_SIZE];
    assert_int_equal(scenario->calibrate.parameter_count, 1);
    assert_string_equal(scenario->calibrate.parameters[0].key, "book.leverage.alpha");
    assert_true(scenario->calibrate.parameters[0].low == 0.5);
    assert_true(scenario->calibrate.parameters[0].high == 2.0);
    assert_int_equal(scenario->calibrate.observation, OBSERVATION_COMPLETE);
    assert_int_equal(scenario->calibrate.feed, FEED_DAYS);
    assert_true(scenario->calibrate.bar_weight == 0.0 && scenario->calibrate.day_weight == 2.0);
    assert_true(scenario->calibrate.from_ms == CALENDAR_NONE);
    assert_int_equal(scenario->backtest.asset_count, 2);
    assert_string_equal(scenario->backtest.assets[1].name, "two words");
    snprintf(path, sizeof path, "%s/sub/eth.yaml", scratch_folder());
    assert_string_equal(scenario->backtest.assets[1].path, path);
    assert_int_equal(scenario->backtest.split_count, 2);
    const struct scenario_split *split = &scenario->backtest.splits[0];
    assert_string_equal(split->name, "a: b");
    assert_int_equal(split->fit.asset_count, 1);
    assert_string_equal(split->test.assets[0], "two words");
    assert_true(split->fit.from_ms == CALENDAR_NONE);
    assert_true(split->test.from_ms - split->fit.to_ms == CALENDAR_DAY_MS);
    assert_int_equal(scenario->backtest.splits[1].fit.asset_count, 0);
    assert_int_equal(scenario->backtest.leave_out, LEAVE_OUT_ASSETS);
}

static void what_is_said_arrives_and_survives_writing(void **state)
{
    struct text_buffer text = {0};
    struct scenario scenario, again;
    struct error_list errors = {0};
    struct error err = {0};
    char path[SCRATCH_PATH_SIZE], *written = NULL;
    size_t size;
    text_append(&text, scratch_good);
    text_append(&text, blocks);
    scratch_load_good(&scenario, text.data);
    check(&scenario);
    FILE *out = open_memstream(&written, &size);
    assert_int_equal(scenario_write(&scenario, out, &err), ERROR_NONE);
    fclose(out);
    scratch_file("elsewhere/written.yaml", written, path);
    if (scenario_load(&again, path, NULL, 0, &errors) != ERROR_NONE)
        scratch_print(&errors);
    assert_int_equal(errors.count, 0);
    check(&again);
    scenario_free(&again);
    scenario_free(&scenario);
    text_buffer_free(&text);
    free(written);
}

static void nothing_is_fitted_unless_it_is_said(void **state)
{
    struct scenario scenario;
    scratch_load_good(&scenario, scratch_good);
    assert_int_equal(scenario.calibrate.parameter_count, 0);
    assert_int_equal(scenario.calibrate.observation, OBSERVATION_FITTED);
    assert_int_equal(scenario.backtest.asset_count, 0);
    assert_int_equal(scenario.backtest.split_count, 0);
    scenario_free(&scenario);
}

static void each_mistake_gives_one_error_at_its_place(void **state)
{
    static const struct scratch_bad list[] = {
        {"bounds that fall", NULL, "calibrate: {parameters: {book.leverage.alpha: [2, 1]}}\n",
         "[2, 1]", "calibrate.parameters.book.leverage.alpha", "no room between its bounds"},
        {"one bound", NULL, "calibrate: {parameters: {book.leverage.alpha: [2]}}\n", "[2]",
         "calibrate.parameters.book.leverage.alpha", "expected two numbers"},
        {"a bound beyond the key's own", NULL,
         "calibrate: {parameters: {book.leverage.alpha: [1, 200]}}\n", "200",
         "calibrate.parameters.book.leverage.alpha", "out of bounds"},
        {"bounds of words", NULL, "calibrate: {parameters: {oi.scale_by: [1, 2]}}\n", "[1, 2]",
         "calibrate.parameters.oi.scale_by", "has no bounds"},
        {"a key of the study itself", NULL,
         "calibrate: {parameters: {calibrate.level: [0.1, 0.2]}}\n", "calibrate.level",
         "calibrate.parameters.calibrate.level", "cannot be varied"},
        {"a split without a name", NULL, "backtest: {splits: [{fit: {assets: [btc]}}]}\n",
         "{fit: {assets: [btc]}}", "backtest.splits[0].name", "is required"},
        {"a split that is a word", NULL, "backtest: {splits: [august]}\n", "august",
         "backtest.splits", "expected a mapping"},
        {"an asset that is no path", NULL, "backtest: {assets: {btc: [1]}}\n", "[1]",
         "backtest.assets.btc", "is no path"},
        {"a misspelt part of a split", NULL, "backtest: {splits: [{name: a, fit: {form: 1}}]}\n",
         "form: 1", "backtest.splits[0].fit.form", "did you mean"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        scratch_expect(&list[i]);
}

static int clean(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_arrives_and_survives_writing),
        cmocka_unit_test(nothing_is_fitted_unless_it_is_said),
        cmocka_unit_test(each_mistake_gives_one_error_at_its_place),
    };
    return cmocka_run_group_tests_name("reader_backtest", tests, NULL, clean);
}
