#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "tests/scenarios/scratch.h"

static const struct scratch_bad contradictions[] = {
    {"an end before the start", "end: 2025-10-11T02:00Z", "end: 2025-10-10T19:00Z", "2025-10-10T19",
     "time.end", "is not after time.start; expected a time after time.start"},
    {"an end at the start", "end: 2025-10-11T02:00Z", "end: 2025-10-10T20:00:00Z",
     "2025-10-10T20:00:00Z", "time.end", "is not after time.start"},
    {"a warm-up after the start", "warmup: 2025-09-01T00:00Z", "warmup: 2025-10-10T21:00Z",
     "2025-10-10T21", "time.warmup", "is after time.start"},
    {"a run of half steps", "end: 2025-10-11T02:00Z", "end: 2025-10-11T02:00:30Z",
     "2025-10-11T02:00:30Z", "time.end", "not a whole number of steps"},
    {"a warm-up of half steps", "warmup: 2025-09-01T00:00Z", "warmup: 2025-09-01T00:00:30Z",
     "2025-09-01T00:00:30Z", "time.warmup", "not a whole number of steps"},
    {"a counterfactual of several markets", "impact: {gamma: 0.76, half_life: 20m}\n",
     "impact: {arbitrage_half_life: 1m}\nfeedback: closed\n", "closed", "feedback",
     "expected impact.arbitrage_half_life: 0s"},
    {"a check at the same step", "data:\n", "  check_step: 1m\ndata:\n", "1m\n", "time.check_step",
     "expected another step"},
    {"a check of half steps", "data:\n", "  check_step: 7m\ndata:\n", "7m\n", "time.check_step",
     "expected whole steps in both"},
    {"a check of a random path", "data:\n", "  check_step: 2m\npath: {model: gbm}\ndata:\n", "2m\n",
     "time.check_step", "would make another path"},
    {"a bridge to nowhere", NULL, "path: {model: bridge}\n", "bridge", "path.points",
     "is required with model bridge"},
    {"points without a bridge", NULL,
     "path: {model: gbm, points: [{at: 2025-10-10T21:00Z, price: 1}]}\n", "[{at", "path.points",
     "belongs to model bridge"},
    {"points that go back", NULL,
     "path: {model: bridge, points: [{at: 2025-10-10T22:00Z, price: 1}, "
     "{at: 2025-10-10T21:00Z, price: 1}]}\n",
     "[{at", "path.points", "does not come after what is before it"},
    {"a depth series that nobody gives", "{gamma: 0.76, half_life: 20m}",
     "{depth: {model: series}}", "series", "data.depth",
     "is required with impact.depth.model: series"},
    {"funding by an imbalance that cannot be", NULL, "funding: {model: cubic}\n", "cubic",
     "funding.signal", "on an order book longs equal shorts"},
    {"parts that fill at the end", NULL,
     "fill: final\nvenues: [{name: a, oi_share: 1, liquidation: share}]\n", "{name: a", "venues",
     "expected fill: walk"},
    {"nobody who liquidates", NULL, "venues: [{name: a, oi_share: 1, rules: cme}]\n", "[{name: a",
     "venues", "none of them liquidates"},
    {"a replay of a shock", NULL, "path: {model: shock, move_log: -0.1}\nfeedback: open\n",
     "open\n", "feedback", "open needs path.model: observed"},
    {"a naive replay of a shock", NULL, "path: {model: shock, move_log: -0.1}\nfeedback: naive\n",
     "naive", "feedback", "naive needs path.model: observed"},
    {"a shock of no size", NULL, "path: {model: shock}\n", "shock", "path.move_log",
     "is required with model shock"},
    {"a shock before the run", NULL,
     "path: {model: shock, move_log: -0.1, at: 2025-10-10T19:59Z}\n", "2025-10-10T19", "path.at",
     "is before the run"},
    {"a shock at the end", NULL, "path: {model: shock, move_log: -0.1, at: 2025-10-11T02:00:00Z}\n",
     "2025-10-11T02:00:00Z", "path.at", "is after the run"},
    {"a shock that outlasts the run", NULL, "path: {model: shock, move_log: -0.1, over: 7h}\n",
     "7h", "path.over", "ends after the run"},
    {"a level in dollars and in coins", NULL, "oi: {level_usd: 9e10, level_coins: 1e6}\n", "1e6",
     "oi.level_coins", "given together with oi.level_usd"},
    {"one level and several", NULL, "oi: {level_usd: 9e10, levels_usd: [6e10]}\n", "[6e10]",
     "oi.levels_usd", "given together with one level"},
    {"a level at a time outside", NULL, "oi: {level_usd: 9e10, level_at: 2026-01-01}\n",
     "2026-01-01", "oi.level_at", "is after the run"},
    {"no open interest", "  oi: {source: builtin:btc-2025-autumn, unit: usd}\n", "", "format",
     "data.oi", "is required unless book.positions_from"},
    {"shares that do not sum to one", NULL,
     "venues: [{name: a, oi_share: 0.5}, {name: b, oi_share: 0.4}]\n", "[{name", "venues",
     "sum to 0.9"},
    {"shares that miss one by more than rounding", NULL,
     "venues: [{name: a, oi_share: 0.5}, {name: b, oi_share: 0.500000002}]\n", "[{name", "venues",
     "expected oi_share to sum to 1"},
    {"two venues of one name", NULL,
     "venues: [{name: a, oi_share: 0.5}, {name: a, oi_share: 0.50}]\n", "{name: a, oi_share: 0.50}",
     "venues", "names a twice"},
    {"flat rules without a rate", NULL, "venues: [{name: a, oi_share: 1, rules: flat}]\n", "{name",
     "venues", "expected flat_rate and flat_max_leverage"},
    {"a flat rate with rules of a venue", NULL,
     "venues: [{name: a, oi_share: 1, flat_rate: 0.005}]\n", "{name", "venues",
     "expected them only with rules: flat"},
    {"flat rules that liquidate at the opening", NULL,
     "venues: [{name: a, oi_share: 1, rules: flat, flat_rate: 0.01, flat_max_leverage: 100}]\n",
     "{name", "venues", "is liquidated as it opens"},
    {"rules of an unknown venue", NULL, "venues: [{name: a, oi_share: 1, rules: nowhere}]\n",
     "{name", "venues", "nowhere has no shipped bracket tables"},
    {"rules that leave the folder", NULL, "venues: [{name: a, oi_share: 1, rules: ../x}]\n",
     "{name", "venues", "has no shipped bracket tables"},
    {"tiers without a tier", NULL, "book: {leverage: {model: tiers}}\n", "tiers}",
     "book.leverage.tiers", "has no weight"},
    {"tiers without a weight", NULL,
     "book: {leverage: {model: tiers, tiers: [{leverage: 5, weight: 0}]}}\n", "[{leverage",
     "book.leverage.tiers", "has no weight"},
};

static void each_contradiction_is_told_at_its_place(void **state)
{
    for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++)
        scratch_expect(&contradictions[i]);
}

static void what_depends_on_other_keys_is_filled_in(void **state)
{
    struct scenario scenario;
    char *text = scratch_replace(scratch_good, "  warmup: 2025-09-01T00:00Z\n", "");
    scratch_load_good(&scenario, text);
    assert_int_equal(scenario.time.start_ms - scenario.time.warmup_ms, 30 * CALENDAR_DAY_MS);
    assert_int_equal(scenario.path.shock_at_ms, scenario.time.start_ms);
    assert_int_equal(scenario.oi.level_at_ms, scenario.time.start_ms);
    assert_int_equal(scenario.feedback, FEEDBACK_OPEN);
    scenario_free(&scenario);
    free(text);

    text =
        scratch_replace(scratch_good, "impact:", "path: {model: shock, move_log: -0.1}\nimpact:");
    scratch_load_good(&scenario, text);
    assert_int_equal(scenario.feedback, FEEDBACK_CLOSED);
    scenario_free(&scenario);
    free(text);
}

/* The file is the book: nothing is opened, and no history is needed to build it. */
static void positions_from_a_file_need_no_open_interest(void **state)
{
    struct scenario scenario;
    char *text =
        scratch_replace(scratch_good, "  oi: {source: builtin:btc-2025-autumn, unit: usd}\n",
                        "book: {positions_from: positions.csv}\n");
    char *bare = scratch_replace(text, "  warmup: 2025-09-01T00:00Z\n", "");
    scratch_load_good(&scenario, bare);
    assert_false(scenario.data.input[MARKET_OI].present);
    assert_int_equal(scenario.time.warmup_ms, scenario.time.start_ms);
    scenario_free(&scenario);
    free(bare);
    free(text);
}

static void shares_may_miss_one_by_rounding(void **state)
{
    struct scenario scenario;
    char *text = scratch_replace(scratch_good, "impact:",
                                 "venues:\n"
                                 "  - {name: a, oi_share: 0.1}\n"
                                 "  - {name: b, oi_share: 0.2}\n"
                                 "  - {name: c, oi_share: 0.7000000001}\n"
                                 "impact:");
    scratch_load_good(&scenario, text);
    assert_int_equal(scenario.venue_count, 3);
    scenario_free(&scenario);
    free(text);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_contradiction_is_told_at_its_place),
        cmocka_unit_test(what_depends_on_other_keys_is_filled_in),
        cmocka_unit_test(positions_from_a_file_need_no_open_interest),
        cmocka_unit_test(shares_may_miss_one_by_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
