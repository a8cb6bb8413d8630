#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenarios/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Loads `path` with settings; the test fails when there is any error. */
static void load_good(struct scenario *scenario, const char *path, const char *const *sets,
                      size_t count)
{
    struct error_list errors = {0};
    int code = scenario_load(scenario, path, sets, count, &errors);
    scratch_print(&errors);
    assert_int_equal(code, ERROR_NONE);
    assert_int_equal(errors.count, 0);
}

/* Loads what must fail with one error, which is returned. */
static struct error load_bad(const char *path, const char *const *sets, size_t count)
{
    struct scenario scenario;
    struct error_list errors = {0};
    int code = scenario_load(&scenario, path, sets, count, &errors);
    if (errors.count != 1)
        scratch_print(&errors);
    assert_int_equal(errors.count, 1);
    struct error err = errors.items[0];
    assert_int_equal(code, err.code);
    error_list_free(&errors);
    return err;
}

static void the_nearest_file_wins_and_mappings_merge(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct scenario scenario;
    scratch_file("base.yaml", scratch_good, path);
    scratch_file("middle.yaml",
                 "extends: base.yaml\ntitle: middle\nimpact: {gamma: 0.5}\nbook: {crowd_tilt: 1}\n",
                 path);
    scratch_file("top.yaml", "extends: middle.yaml\ntitle: top\nbook: {entry: vwap}\n", path);
    load_good(&scenario, path, NULL, 0);
    assert_string_equal(scenario.title, "top");                 /* top over middle over base */
    assert_true(scenario.impact.gamma == 0.5);                  /* middle over base */
    assert_int_equal(scenario.impact.half_life_ms, 20 * 60000); /* base, beside gamma */
    assert_true(scenario.book.crowd_tilt == 1);                 /* middle, beside top's entry */
    assert_int_equal(scenario.book.entry, ENTRY_VWAP);
    assert_string_equal(scenario.symbol, "BTCUSDT");
    assert_int_equal(scenario.scenario_file_count, 3);
    assert_int_equal(scenario.file_count, 4); /* and the rules of its venue */
    assert_string_equal(scenario.path_name, path);
    assert_string_equal(scenario.files[0], path);
    assert_non_null(strstr(scenario.files[2], "base.yaml"));
    assert_non_null(strstr(scenario.files[3], "venues/binance.yaml"));
    scenario_free(&scenario);
}

static void settings_win_over_files_and_the_last_one_over_the_first(void **state)
{
    static const char *const sets[] = {"impact.gamma=1.5",
                                       "title=from the command line",
                                       "book.leverage={model: lognormal, mu: 1.5}",
                                       "impact.gamma=2",
                                       "output=[summary]",
                                       "oi.level_usd=null"};
    char path[SCRATCH_PATH_SIZE];
    struct scenario scenario;
    scratch_file("set.yaml", scratch_good, path);
    load_good(&scenario, path, sets, COUNT(sets));
    assert_true(scenario.impact.gamma == 2);
    assert_string_equal(scenario.title, "from the command line");
    assert_int_equal(scenario.book.leverage.model, LEVERAGE_LOGNORMAL);
    assert_true(scenario.book.leverage.mu == 1.5);
    assert_true(scenario.book.leverage.sigma == 0.6148);
    assert_true(scenario.output.summary && !scenario.output.steps);
    scenario_free(&scenario);
}

static void lists_replace_lists(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct scenario scenario;
    char *text = scratch_replace(scratch_good, "impact:",
                                 "venues: [{name: a, oi_share: 0.5}, {name: b, oi_share: 0.5}]\n"
                                 "output: [summary, steps, positions]\nimpact:");
    scratch_file("lists.yaml", text, path);
    scratch_file("over.yaml",
                 "extends: lists.yaml\nvenues: [{name: c, oi_share: 1}]\noutput: [tiers]\n", path);
    load_good(&scenario, path, NULL, 0);
    assert_int_equal(scenario.venue_count, 1);
    assert_string_equal(scenario.venues[0].name, "c");
    assert_true(scenario.output.tiers);
    assert_false(scenario.output.summary || scenario.output.positions);
    scenario_free(&scenario);
    free(text);
}

static void another_source_replaces_the_old_one_whole(void **state)
{
    char path[SCRATCH_PATH_SIZE], expected[2 * SCRATCH_PATH_SIZE];
    struct scenario scenario;
    scratch_file("base.yaml", scratch_good, path);
    scratch_file("own.yaml",
                 "extends: base.yaml\ndata:\n  price: {path: p.csv, format: binance_klines}\n"
                 "  oi: {unit: coins}\n",
                 path);
    load_good(&scenario, path, NULL, 0);
    assert_null(scenario.data.input[MARKET_PRICE].builtin);
    snprintf(expected, sizeof expected, "%s/p.csv", scratch_folder());
    assert_string_equal(scenario.data.input[MARKET_PRICE].path, expected);
    /* without source or path, the inherited source is changed in that key only */
    assert_string_equal(scenario.data.input[MARKET_OI].builtin, "btc-2025-autumn");
    assert_int_equal(scenario.data.input[MARKET_OI].unit, SOURCE_UNIT_COINS);
    scenario_free(&scenario);

    scratch_file("back.yaml", "extends: own.yaml\ndata: {price: {source: builtin:other}}\n", path);
    load_good(&scenario, path, NULL, 0);
    assert_null(scenario.data.input[MARKET_PRICE].path);
    assert_null(scenario.data.input[MARKET_PRICE].format);
    assert_string_equal(scenario.data.input[MARKET_PRICE].builtin, "other");
    scenario_free(&scenario);
}

static void an_input_is_taken_away_by_null(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct scenario scenario;
    char *text = scratch_replace(scratch_good, "data:\n",
                                 "data:\n  mark: {source: builtin:btc-2025-autumn}\n");
    scratch_file("marked.yaml", text, path);
    scratch_file("unmarked.yaml", "extends: marked.yaml\ndata: {mark: null}\n", path);
    load_good(&scenario, path, NULL, 0);
    assert_false(scenario.data.input[MARKET_MARK].present);
    assert_true(scenario.data.input[MARKET_PRICE].present);
    scenario_free(&scenario);
    free(text);
}

static void a_path_is_relative_to_the_file_that_says_it(void **state)
{
    static const char *const sets[] = {"data.mark={path: mark.csv}"};
    char path[SCRATCH_PATH_SIZE], expected[2 * SCRATCH_PATH_SIZE];
    struct scenario scenario;
    char *text = scratch_replace(scratch_good, "price: {source: builtin:btc-2025-autumn}",
                                 "price: {path: prices/p.csv, format: canonical}");
    scratch_file("shared/base.yaml", text, path);
    scratch_file("own/run.yaml",
                 "extends: ../shared/base.yaml\nbook: {positions_from: book.csv}\n"
                 "data: {oi: {path: /data/oi.csv}}\n",
                 path);
    load_good(&scenario, path, sets, 1);
    snprintf(expected, sizeof expected, "%s/own/../shared/prices/p.csv", scratch_folder());
    assert_string_equal(scenario.data.input[MARKET_PRICE].path, expected);
    snprintf(expected, sizeof expected, "%s/own/book.csv", scratch_folder());
    assert_string_equal(scenario.book.positions_from, expected);
    assert_string_equal(scenario.data.input[MARKET_OI].path, "/data/oi.csv");
    assert_string_equal(scenario.data.input[MARKET_MARK].path, "mark.csv");
    scenario_free(&scenario);
    free(text);
}

static void an_error_names_the_file_that_said_it(void **state)
{
    char base[SCRATCH_PATH_SIZE], path[SCRATCH_PATH_SIZE];
    long line, column;
    char *text = scratch_replace(scratch_good, "0.76", "-0.76");
    scratch_file("wrong.yaml", text, base);
    scratch_file("over.yaml", "extends: wrong.yaml\ntitle: over\n", path);
    struct error err = load_bad(path, NULL, 0);
    scratch_place(text, "-0.76", &line, &column);
    assert_string_equal(err.file, base);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    free(text);
}

static void a_missing_base_is_told_where_it_is_named(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file("orphan.yaml", "title: orphan\nextends: nowhere.yaml\n", path);
    struct error err = load_bad(path, NULL, 0); /* and no complaint about what the base may hold */
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(err.file, path);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 10);
    assert_string_equal(err.key, "extends");
    assert_non_null(strstr(err.message, "nowhere.yaml"));
    assert_non_null(strstr(err.message, "No such file"));
}

static void a_missing_scenario_is_an_error_of_input(void **state)
{
    struct error err = load_bad("/nonexistent/scenario.yaml", NULL, 0);
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(err.file, "/nonexistent/scenario.yaml");
}

static void a_circle_of_files_is_found(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file("ring/a.yaml", "extends: b.yaml\n", path);
    scratch_file("ring/c.yaml", "extends: ../ring/a.yaml\n", path);
    scratch_file("ring/b.yaml", "extends: c.yaml\n", path);
    struct error err = load_bad(path, NULL, 0);
    assert_string_equal(err.key, "extends");
    assert_non_null(strstr(err.message, "extends itself"));
    scratch_file("self.yaml", "extends: ./self.yaml\n", path);
    err = load_bad(path, NULL, 0);
    assert_int_equal(err.code, ERROR_SCENARIO);
    assert_int_equal(err.line, 1);
    assert_int_equal(err.column, 10);
}

static void a_long_chain_is_cut(void **state)
{
    char path[SCRATCH_PATH_SIZE], name[32], text[64];
    for (int i = 40; i >= 0; i--) {
        snprintf(name, sizeof name, "chain%d.yaml", i);
        snprintf(text, sizeof text, "extends: chain%d.yaml\n", i + 1);
        scratch_file(name, i == 40 ? scratch_good : text, path);
    }
    struct error err = load_bad(path, NULL, 0);
    assert_non_null(strstr(err.message, "more than 31 files"));
    snprintf(path, sizeof path, "%s/chain9.yaml", scratch_folder()); /* 31 files above the last */
    struct scenario scenario;
    load_good(&scenario, path, NULL, 0);
    scenario_free(&scenario);
}

static void an_extends_that_is_no_path_is_refused(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file("list.yaml", "extends: [a.yaml, b.yaml]\n", path);
    struct error err = load_bad(path, NULL, 0);
    assert_non_null(strstr(err.message, "is not a path"));
}

static void a_wrong_setting_is_told_with_its_column(void **state)
{
    static const struct {
        const char *set;
        const char *at; /* the piece of the setting where the error is */
        const char *key, *says;
    } wrong[] = {
        {"impact.gamma=fast", "fast", "impact.gamma", "'fast' is not a number"},
        {"impact.gama=1", "gama", "impact.gama", "did you mean impact.gamma?"},
        {"impact.gamma", "impact", "impact.gamma", "expected key=value"},
        {"impact.gamma=", "impact", "impact.gamma=", "expected key=value"},
        {"=1", "=", "=1", "expected key=value"},
        {"impact..gamma=1", "impact", "impact..gamma=1", "expected key=value"},
        {"impact.half_life=20", "20", "impact.half_life", "is not a duration"},
        {"venues=[{name: a, oi_share: x}]", "x}", "venues[0].oi_share", "is not a number"},
        {"title.text=1", "text", "title", "a mapping is not one value"},
        {"impact=3", "3", "impact", "is not a mapping"},
        {"format=2", "2", "format", "out of bounds"},
    };
    char path[SCRATCH_PATH_SIZE];
    scratch_file("set.yaml", scratch_good, path);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        long line, column;
        struct error err = load_bad(path, &wrong[i].set, 1);
        scratch_place(wrong[i].set, wrong[i].at, &line, &column);
        print_message("    --set %s: %ld %s: %s\n", wrong[i].set, err.column, err.key, err.message);
        assert_string_equal(err.file, "--set");
        assert_int_equal(err.line, 1);
        assert_int_equal(err.column, column);
        assert_string_equal(err.key, wrong[i].key);
        assert_non_null(strstr(err.message, wrong[i].says));
    }
}

static void a_setting_that_is_not_yaml_is_told(void **state)
{
    static const char *const sets[] = {"output=[summary"};
    char path[SCRATCH_PATH_SIZE];
    scratch_file("set.yaml", scratch_good, path);
    struct error err = load_bad(path, sets, 1);
    assert_string_equal(err.file, "--set");
    assert_string_equal(err.key, "output");
    assert_int_equal(err.code, ERROR_SCENARIO);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_file_wins_and_mappings_merge),
        cmocka_unit_test(settings_win_over_files_and_the_last_one_over_the_first),
        cmocka_unit_test(lists_replace_lists),
        cmocka_unit_test(another_source_replaces_the_old_one_whole),
        cmocka_unit_test(an_input_is_taken_away_by_null),
        cmocka_unit_test(a_path_is_relative_to_the_file_that_says_it),
        cmocka_unit_test(an_error_names_the_file_that_said_it),
        cmocka_unit_test(a_missing_base_is_told_where_it_is_named),
        cmocka_unit_test(a_missing_scenario_is_an_error_of_input),
        cmocka_unit_test(a_circle_of_files_is_found),
        cmocka_unit_test(a_long_chain_is_cut),
        cmocka_unit_test(an_extends_that_is_no_path_is_refused),
        cmocka_unit_test(a_wrong_setting_is_told_with_its_column),
        cmocka_unit_test(a_setting_that_is_not_yaml_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
