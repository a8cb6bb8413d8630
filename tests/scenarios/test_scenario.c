#include <glob.h>
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "tests/scenarios/scratch.h"

/* One of everything that owns memory. */
static const char rich[] =
    "format: 1\n"
    "title: \"a \\\"rich\\\" one\"\n"
    "symbol: ETHUSDT\n"
    "seed: 20251010\n"
    "replicates: 32\n"
    "time: {warmup: 2024-06-19T00:00Z, start: 2024-08-04, end: 2024-08-07, step: 1h,\n"
    "       wick: high_first}\n"
    "data:\n"
    "  kind: observed\n"
    "  price: {path: \"p-*.csv\", format: canonical}\n"
    "  mark: {path: m.csv}\n"
    "  oi:\n"
    "    path: oi.csv.zst\n"
    "    format: generic\n"
    "    header: no\n"
    "    time: {column: 1, as: \"%Y-%m-%d %H:%M:%S\", zone: \"+06:00\"}\n"
    "    columns: {oi_open: 2, oi_close: 5, volume: \"6\", rate: r}\n"
    "    unit: contracts\n"
    "    contract_usd: 100\n"
    "    scope: binance\n"
    "    filters: {coin: BTC, venue: 7}\n"
    "  funding: {path: f.csv, interval: 4h, unit: percent}\n"
    "  on: {gap: interpolate, repeat: error, disorder: accept, zero: carry, ohlc: drop,\n"
    "       stale: accept, stale_after: 3h}\n"
    "oi: {level_coins: 3.7e6, level_at: 2024-08-05, scale_by: sizes, flow: frozen}\n"
    "book:\n"
    "  positions_per_bar: 20\n"
    "  entry: vwap\n"
    "  leverage: {model: tiers, tiers: [{leverage: 5, weight: 0.2}, {leverage: 50, weight: 0.8}]}\n"
    "  size_usd: {model: fixed, value: 5000}\n"
    "  hedged_leverage: [2, 4]\n"
    "venues:\n"
    "  - {name: b, oi_share: 0.25, cap_scale: 2, margin: inverse_entry}\n"
    "  - {name: c, oi_share: 0.75, rules: flat, flat_rate: 0.005, flat_max_leverage: 100}\n"
    "impact: {model: linear, half_life: none, permanent_share: 1, depth: {model: constant}}\n"
    "feedback: naive\n"
    "fill: final\n"
    "output: [positions]\n";

static void every_value_arrives_where_it_belongs(void **state)
{
    struct scenario s;
    scratch_load_good(&s, rich);
    assert_string_equal(s.title, "a \"rich\" one");
    assert_string_equal(s.symbol, "ETHUSDT");
    assert_true(s.seed == 20251010 && s.replicates == 32);
    assert_true(s.time.warmup_ms == INT64_C(1718755200000)); /* 2024-06-19T00:00Z */
    assert_true(s.time.start_ms == INT64_C(1722729600000));  /* 2024-08-04T00:00Z */
    assert_true(s.time.end_ms == s.time.start_ms + 3 * CALENDAR_DAY_MS);
    assert_true(s.time.step_ms == CALENDAR_HOUR_MS && s.time.wick == WICK_HIGH_FIRST);
    assert_int_equal(s.data.kind, DATA_OBSERVED);
    assert_int_equal(s.data.policies.on[QUALITY_GAP], QUALITY_INTERPOLATE);
    assert_int_equal(s.data.policies.on[QUALITY_REPEAT], QUALITY_ERROR);
    assert_int_equal(s.data.policies.on[QUALITY_DISORDER], QUALITY_ACCEPT);
    assert_int_equal(s.data.policies.on[QUALITY_ZERO], QUALITY_CARRY);
    assert_int_equal(s.data.policies.on[QUALITY_OHLC], QUALITY_DROP);
    assert_int_equal(s.data.policies.on[QUALITY_STALE], QUALITY_ACCEPT);
    assert_true(s.data.policies.stale_ms == 3 * CALENDAR_HOUR_MS);
    assert_true(isnan(s.oi.level_usd) && s.oi.level_coins == 3.7e6);
    assert_int_equal(s.oi.scale_by, SCALE_SIZES);
    assert_int_equal(s.oi.flow, FLOW_FROZEN);
    assert_int_equal(s.book.leverage.model, LEVERAGE_TIERS);
    assert_int_equal(s.book.leverage.tier_count, 2);
    assert_true(s.book.leverage.tier_leverage[1] == 50 && s.book.leverage.tier_weight[1] == 0.8);
    assert_true(s.book.size_usd.model == SIZE_FIXED && s.book.size_usd.value == 5000);
    assert_true(s.book.hedged_leverage[0] == 2 && s.book.hedged_leverage[1] == 4);
    assert_int_equal(s.venue_count, 2);
    assert_int_equal(s.venues[0].margin, MARGIN_INVERSE_ENTRY);
    assert_true(s.venues[0].cap_scale == 2 && isnan(s.venues[0].flat_rate));
    assert_string_equal(s.venues[1].rules, "flat");
    assert_true(s.venues[1].flat_rate == 0.005 && s.venues[1].flat_max_leverage == 100);
    assert_int_equal(s.impact.model, IMPACT_LINEAR);
    assert_true(s.impact.half_life_ms == CALENDAR_NONE && s.impact.permanent_share == 1);
    assert_int_equal(s.impact.depth.model, DEPTH_CONSTANT);
    assert_true(s.feedback == FEEDBACK_NAIVE && s.fill == FILL_FINAL);
    assert_true(s.output.positions && !s.output.summary);
    scenario_free(&s);
}

static void a_generic_source_arrives_whole(void **state)
{
    struct scenario s;
    scratch_load_good(&s, rich);
    const struct source_spec *oi = &s.data.input[MARKET_OI];
    assert_true(oi->present && oi->role == MARKET_OI && oi->header == 0);
    assert_string_equal(oi->format, "generic");
    assert_string_equal(oi->time_column, "1");
    assert_string_equal(oi->time_format, "%Y-%m-%d %H:%M:%S");
    assert_int_equal(oi->zone_offset_ms, 6 * CALENDAR_HOUR_MS);
    assert_int_equal(oi->unit, SOURCE_UNIT_CONTRACTS);
    assert_true(oi->contract_usd == 100);
    assert_string_equal(oi->scope, "binance");
    assert_int_equal(oi->column_count, 4);
    assert_true(oi->columns[1].field == SERIES_OI && oi->columns[1].index == 5);
    assert_null(oi->columns[1].name);
    assert_string_equal(oi->columns[2].name, "6"); /* in quotes: a name of one digit */
    assert_string_equal(oi->columns[3].name, "r");
    assert_int_equal(oi->filter_count, 2);
    assert_string_equal(oi->filters[0].column, "coin");
    assert_string_equal(oi->filters[1].value, "7");
    assert_string_equal(oi->said_key, "data.oi");
    assert_int_equal(oi->said_line, 13); /* its first key, path */
    assert_int_equal(s.data.input[MARKET_PRICE].header, -1);
    assert_null(s.data.input[MARKET_MARK].format);
    assert_true(s.data.input[MARKET_FUNDING].interval_ms == 4 * CALENDAR_HOUR_MS);
    assert_int_equal(s.data.input[MARKET_FUNDING].unit, SOURCE_UNIT_PERCENT);
    assert_int_equal(s.data.input[MARKET_VOLUME].role, MARKET_VOLUME);
    assert_false(s.data.input[MARKET_LIQUIDATIONS].present);
    scenario_free(&s);
}

static void several_levels_are_several_runs(void **state)
{
    struct scenario s;
    char *text =
        scratch_replace(scratch_good, "impact:", "oi: {levels_usd: [60e9, 78.6e9, 94e9]}\nimpact:");
    scratch_load_good(&s, text);
    assert_int_equal(s.oi.level_count, 3);
    assert_true(s.oi.levels_usd[0] == 60e9 && s.oi.levels_usd[1] == 78.6e9);
    assert_true(s.oi.levels_usd[2] == 94e9 && isnan(s.oi.level_usd));
    scenario_free(&s);
    free(text);
}

static void what_is_not_said_has_its_default(void **state)
{
    struct scenario s;
    scratch_load_good(&s, scratch_good);
    assert_true(s.seed == 1 && s.replicates == 1);
    assert_true(s.time.step_ms == CALENDAR_MINUTE_MS && s.time.wick == WICK_BY_CLOSE);
    assert_int_equal(s.path.model, PATH_OBSERVED);
    assert_int_equal(s.path.shock_over_ms, 0);
    assert_true(isnan(s.oi.level_usd) && isnan(s.oi.level_coins));
    assert_int_equal(s.book.positions_per_bar, 50);
    assert_int_equal(s.book.leverage.model, LEVERAGE_PARETO);
    assert_int_equal(s.book.leverage.tier_count, 0);
    assert_true(s.book.hedged_leverage[0] == 1 && s.book.hedged_leverage[1] == 3);
    assert_int_equal(s.venue_count, 1);
    assert_string_equal(s.venues[0].name, "all");
    assert_string_equal(s.venues[0].rules, "binance");
    assert_true(s.venues[0].oi_share == 1 && s.venues[0].cap_scale == 1);
    assert_int_equal(s.venues[0].margin, MARGIN_LINEAR_MARK);
    assert_int_equal(s.impact.model, IMPACT_POWER);
    assert_int_equal(s.impact.depth.model, DEPTH_VOLATILITY);
    assert_true(s.impact.depth.half_life_ms == CALENDAR_HOUR_MS);
    assert_true(s.episode.quiet_ms == 30 * CALENDAR_MINUTE_MS);
    assert_true(s.fill == FILL_WALK && s.feedback == FEEDBACK_OPEN);
    assert_true(s.output.summary && s.output.steps && s.output.tiers && s.output.venues);
    assert_true(s.output.episodes && !s.output.positions);
    scenario_free(&s);
}

/* Bytes in use, where the allocator tells; a sanitizer finds leaks by itself. */
static size_t bytes_in_use(void)
{
    return mallinfo2().uordblks;
}

/* Makes each allocation of a load fail in turn. Returns how many there are. */
static long fail_each(const char *path, const char *const *sets, size_t set_count)
{
    for (long n = 1;; n++) {
        struct scenario scenario;
        struct error_list errors = {0};
        memory_fail_after(n);
        int code = scenario_load(&scenario, path, sets, set_count, &errors);
        memory_fail_after(0);
        error_list_free(&errors);
        if (code == ERROR_NONE) {
            scenario_free(&scenario);
            return n - 1;
        }
        assert_int_equal(code, ERROR_IO);
    }
}

/* The first round is for what the C library keeps from its first use. */
static void no_allocation_that_fails_leaks(void **state)
{
    static const char *const sets[] = {
        "book.leverage.alpha=1.2",
        "data.price={path: q.csv}",
        "venues=[{name: a, oi_share: 1}]",
        "venues[a].cap_scale=2",
        "sweep={method: grid, axes: {oi.level_usd: {from: 1e9, to: 3e9, step: 1e9}, "
        "book.positions_from: [null, p.csv], oi.flow: [frozen]}}",
        "uncertainty.parameters.impact.depth.zeta={normal: {mean: 1, sigma: 0.1}}",
        "uncertainty.parameters.fill={choice: [walk, final]}",
        "critical={along: oi.level_usd, when: a > 1}"};
    const size_t set_count = sizeof sets / sizeof *sets;
    char path[SCRATCH_PATH_SIZE];
    scratch_file("rich.yaml", rich, path);
    scratch_file("over.yaml", "extends: rich.yaml\ndata: {oi: {scope: all}, mark: null}\n", path);
    long count = fail_each(path, sets, set_count);
    size_t before = bytes_in_use();
    assert_int_equal(fail_each(path, sets, set_count), count);
    assert_int_equal(bytes_in_use(), before);
    print_message("    %ld allocations failed one by one\n", count);
    assert_true(count > 200);
}

/* A scenario that comes with the project says that its data are reconstructed. */
static void every_shipped_scenario_loads(void **state)
{
    glob_t found = {0};
    struct scenario s;
    assert_int_equal(glob(LIQCASCADE_SOURCE_DIR "/scenarios/*.yaml", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct error_list errors = {0};
        int code = scenario_load(&s, found.gl_pathv[i], NULL, 0, &errors);
        scratch_print(&errors);
        assert_int_equal(code, ERROR_NONE);
        if (s.data.input[MARKET_PRICE].builtin != NULL)
            assert_non_null(strstr(s.title, "reconstruction"));
        scenario_free(&s);
    }
    print_message("    %zu scenarios\n", (size_t)found.gl_pathc);
    assert_true(found.gl_pathc >= 4);
    globfree(&found);
}

static void freeing_twice_does_no_harm(void **state)
{
    struct scenario scenario;
    scratch_load_good(&scenario, rich);
    scenario_free(&scenario);
    scenario_free(&scenario);
    assert_null(scenario.title);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

/* The allocator's caches of freed blocks count as in use: the test runs itself again without. */
static void run_without_caches(char **argv)
{
    if (getenv("GLIBC_TUNABLES") != NULL)
        return;
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0", 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    (void)argc;
    run_without_caches(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_arrives_where_it_belongs),
        cmocka_unit_test(a_generic_source_arrives_whole),
        cmocka_unit_test(several_levels_are_several_runs),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(no_allocation_that_fails_leaks),
        cmocka_unit_test(every_shipped_scenario_loads),
        cmocka_unit_test(freeing_twice_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
