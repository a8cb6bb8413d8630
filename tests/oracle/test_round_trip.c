/*
 * Oracle 14: the counterfactual round trip. An observed price holds the impact of the liquidations
 * that happened. A closed loop over the path without that impact, with the open interest as it was
 * and started from what fired, must come back to the path that was observed; with more open
 * interest more is liquidated and the price falls further, with less less. What adds the impact to
 * the observed path instead (naive) falls too far with the open interest as it was.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <omp.h>

#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

#define TOLERANCE 1e-12

/* ---- the weeks ------------------------------------------------------------------------------ */

/* Hourly, Binance: its open interest in coins and what its feed reported, stamped in UTC+6. */
static const char week[] =
    "format: 1\n"
    "title: %1$sUSDT, 1 to 8 August 2024\n"
    "symbol: %1$sUSDT\n"
    "time: {warmup: 2024-06-19T22:00Z, start: 2024-08-01T00:00Z, end: 2024-08-08T00:00Z, step: "
    "1h}\n"
    "data:\n"
    "  kind: observed\n"
    "  price: {path: %3$s/binance-1h/%2$susdt-price.csv.zst, format: ohlcv_ms}\n"
    "  mark: {path: %3$s/binance-1h/%2$susdt-mark.csv.zst, format: ohlcv_ms}\n"
    "  funding: {path: %3$s/binance-1h/%2$susdt-funding.csv.zst, format: funding_ms, interval: 8h, "
    "unit: fraction}\n"
    "  oi: {path: %3$s/coinalyze-2024/%1$sUSDT_PERP.A_open-interest-history.csv.zst, format: "
    "coinalyze_open_interest, time: {zone: \"+06:00\"}, scope: binance}\n"
    "book: {positions_per_bar: 50}\n"
    "impact: {reference_coins: %4$g}\n";

static const char *data_folder(void)
{
    const char *given = getenv("LIQCASCADE_TEST_DATA");
    return given != NULL ? given : LIQCASCADE_SOURCE_DIR "/../shared/data";
}

struct event {
    const char *coin, *lower; /* NULL: the reconstruction that ships */
    double reference_coins;
};

static const struct event events[] = {
    {NULL, NULL, 0.0}, {"BTC", "btc", 165.0}, {"ETH", "eth", 3000.0}};
enum { EVENTS = sizeof events / sizeof *events };

static const char *name_of(const struct event *event)
{
    return event->coin == NULL ? "btc-2025-11 (reconstruction)" : event->coin;
}

/* False: its data is not at hand. */
static bool present(const struct event *event)
{
    char path[1024];
    if (event->coin == NULL)
        return true;
    snprintf(path, sizeof path, "%s/coinalyze-2024/%sUSDT_PERP.A_open-interest-history.csv.zst",
             data_folder(), event->coin);
    if (access(path, R_OK) == 0)
        return true;
    print_message("  %s skipped: no real data (set LIQCASCADE_TEST_DATA)\n", event->coin);
    return false;
}

static void run_event(struct whole_run *run, const struct event *event, const char *const sets[])
{
    char text[5 * PATH_MAX], root[PATH_MAX];
    if (event->coin == NULL) {
        whole_run_shipped(run, "btc-2025-11", sets);
        return;
    }
    assert_non_null(realpath(data_folder(), root));
    snprintf(text, sizeof text, week, event->coin, event->lower, root, event->reference_coins);
    whole_run_text(run, text, sets);
}

#define RUN(run, event, ...) run_event(run, event, WHOLE_RUN_SETS("replicates=1", __VA_ARGS__))

/* ---- the round trip ------------------------------------------------------------------------- */

static double apart(double value, double expected)
{
    return value == expected ? 0.0 : fabs(value / expected - 1.0);
}

/* The largest relative distance of a step's prices from the observed bar. */
static double from_observed(const struct whole_run *run, size_t i)
{
    const struct metrics_step *step = &run->tables.steps[i];
    const struct market_bars *last = &run->setup.market.last, *mark = &run->setup.market.mark;
    size_t bar = run->setup.start_bar + i;
    double worst = apart(step->price_open, last->open[bar]);
    worst = fmax(worst, apart(step->price_high, last->high[bar]));
    worst = fmax(worst, apart(step->price_low, last->low[bar]));
    worst = fmax(worst, apart(step->price_close, last->close[bar]));
    return fmax(worst, apart(step->mark_close, mark->close[bar]));
}

/* Of what was liquidated and of who holds what. */
static double from_replay(const struct metrics_step *closed, const struct metrics_step *open)
{
    double worst = apart(closed->oi_coins, open->oi_coins);
    worst = fmax(worst, apart(closed->liquidated_long_coins, open->liquidated_long_coins));
    worst = fmax(worst, apart(closed->liquidated_short_coins, open->liquidated_short_coins));
    return fmax(worst, apart(closed->depth_share, open->depth_share));
}

static double fills_from_replay(const struct metrics_step *closed, const struct metrics_step *open)
{
    return fmax(apart(closed->liquidated_long_usd, open->liquidated_long_usd),
                apart(closed->liquidated_short_usd, open->liquidated_short_usd));
}

static void expect_round_trip(const struct event *event)
{
    struct whole_run open, closed;
    double price = 0.0, flow = 0.0, fill = 0.0;
    int64_t unreachable = 0;
    RUN(&open, event, "feedback=open");
    RUN(&closed, event, "feedback=closed");
    size_t steps = closed.tables.step_count;
    assert_int_equal(open.tables.step_count, steps);
    for (size_t i = 0; i < steps; i++) {
        const struct metrics_step *is = &closed.tables.steps[i], *was = &open.tables.steps[i];
        price = fmax(price, from_observed(&closed, i));
        flow = fmax(flow, from_replay(is, was));
        fill = fmax(fill, fills_from_replay(is, was));
        assert_int_equal(is->liquidated_long_positions, was->liquidated_long_positions);
        assert_int_equal(is->liquidated_short_positions, was->liquidated_short_positions);
        unreachable += was->unreachable;
    }
    const struct metrics_summary *summary = closed.tables.summary;
    print_message("  %s: %zu steps, %lld liquidated; prices within %.1e of the observed, coins "
                  "within %.1e of the replay, fills within %.1e; %lld steps unreachable\n",
                  name_of(event), steps, (long long)summary->liquidated_positions, price, flow,
                  fill, (long long)summary->unreachable_steps);
    assert_true(price <= TOLERANCE);
    assert_true(flow <= TOLERANCE);
    assert_true(fill <= TOLERANCE);
    assert_true(summary->liquidated_positions > 1000);
    assert_int_equal(summary->unreachable_steps, unreachable);
    whole_run_free(&open);
    whole_run_free(&closed);
}

static void a_closed_loop_with_the_open_interest_as_it_was_returns_the_observed_path(void **state)
{
    for (size_t i = 0; i < EVENTS; i++)
        if (present(&events[i]))
            expect_round_trip(&events[i]);
}

/* An exogenous path on which what happened could not have happened without itself is what
   `unreachable` counts. Just below the open interest as it was, a loop starts from the exogenous
   price and not from what fired, and does not come back: else the start would be for nothing. */
static void without_its_start_a_cascade_does_not_return(void **state)
{
    struct whole_run factual, below;
    RUN(&factual, &events[0], "feedback=closed");
    double coins = factual.tables.summary->oi_start_coins, worst = 0.0;
    char level[64];
    snprintf(level, sizeof level, "oi.level_coins=%.17g", coins * (1.0 - 1e-9));
    RUN(&below, &events[0], "feedback=closed", level);
    for (size_t i = 0; i < below.tables.step_count; i++)
        worst = fmax(worst, from_observed(&below, i));
    print_message("  %.0f coins liquidated from what fired, %.0f from the exogenous price: prices "
                  "up to %.2g from the observed\n",
                  factual.tables.summary->liquidated_coins, below.tables.summary->liquidated_coins,
                  worst);
    assert_true(factual.tables.summary->unreachable_steps > 0);
    assert_true(worst > 1e-3);
    whole_run_free(&factual);
    whole_run_free(&below);
}

/* What the run itself says of that: the gap is that of the run which does not start from what
   fired; parameters under which the same path had one way to go have next to none. */
static void a_path_with_two_ways_to_go_is_told(void **state)
{
    struct whole_run two, below, one;
    double worst = 0.0;
    char level[64];
    RUN(&two, &events[0], "feedback=closed");
    snprintf(level, sizeof level, "oi.level_coins=%.17g",
             two.tables.summary->oi_start_coins * (1.0 - 1e-12));
    RUN(&below, &events[0], "feedback=closed", level);
    RUN(&one, &events[0], "feedback=closed", "impact.depth.model=constant");
    for (size_t i = 0; i < below.tables.step_count; i++)
        worst = fmax(
            worst, fabs(log(below.tables.steps[i].price_close / two.tables.steps[i].price_close)));
    print_message("  depth by volatility: gap %.4g, of the run from the exogenous price %.4g; "
                  "constant depth: %.2g\n",
                  two.tables.summary->path_gap_log, worst, one.tables.summary->path_gap_log);
    assert_near(two.tables.summary->path_gap_log, worst, 0.05 * worst);
    assert_true(two.tables.summary->path_gap_log > 0.1);
    assert_true(one.tables.summary->path_gap_log < 0.01);
    whole_run_free(&two);
    whole_run_free(&below);
    whole_run_free(&one);
}

/* ---- what naive feedback gets wrong --------------------------------------------------------- */

static void adding_impact_to_an_observed_path_counts_it_twice(void **state)
{
    for (size_t i = 0; i < EVENTS; i++) {
        struct whole_run naive;
        double low = INFINITY;
        if (!present(&events[i]))
            continue;
        RUN(&naive, &events[i], "feedback=naive");
        for (size_t bar = naive.setup.start_bar; bar < naive.setup.bars; bar++)
            low = fmin(low, naive.setup.market.last.low[bar]);
        print_message("  %s: lowest observed %.1f, naive %.1f (%.1f %%)\n", name_of(&events[i]),
                      low, naive.tables.summary->price_low,
                      100.0 * (naive.tables.summary->price_low / low - 1.0));
        assert_true(naive.tables.summary->price_low < low * (1.0 - 1e-3));
        whole_run_free(&naive);
    }
}

/* ---- other open interest -------------------------------------------------------------------- */

/* Half the open interest, all of it and half as much again. What fires later than it did may put
   the lowest price of half of it below the observed, too: only more open interest is sure to fall
   further. In the reconstruction depth is held: where it falls with volatility that book may become
   supercritical and run away at any level but the observed, the lower included. */
static void expect_ordered(const struct event *event, const char *scale_by)
{
    struct whole_run run;
    char levels[128];
    const char *depth =
        event->coin == NULL ? "impact.depth.model=constant" : "impact.depth.model=volatility";
    RUN(&run, event, "feedback=open", depth);
    double coins = run.tables.summary->oi_start_coins;
    double usd = coins * run.setup.market.last.close[run.setup.start_bar - 1];
    whole_run_free(&run);
    snprintf(levels, sizeof levels, "oi.levels_usd=[%.17g, %.17g, %.17g]", 0.5 * usd, usd,
             1.5 * usd);
    RUN(&run, event, "feedback=closed", levels, scale_by, depth);
    const struct metrics_summary *rows = run.tables.summary;
    assert_int_equal(run.tables.summary_count, 3);
    for (int k = 0; k < 3; k++)
        print_message("  %s, %s, %.2g USD: %.4g USD liquidated, lowest %.1f\n", name_of(event),
                      scale_by, rows[k].oi_level_usd, rows[k].liquidated_usd, rows[k].price_low);
    for (int k = 0; k < 2; k++) {
        assert_true(rows[k].liquidated_usd < rows[k + 1].liquidated_usd);
        assert_true(rows[k].liquidated_coins < rows[k + 1].liquidated_coins);
    }
    assert_true(rows[2].price_low < rows[1].price_low);
    whole_run_free(&run);
}

static void more_open_interest_is_liquidated_more_and_falls_further(void **state)
{
    for (size_t i = 0; i < EVENTS; i++)
        if (present(&events[i])) {
            expect_ordered(&events[i], "oi.scale_by=traders");
            expect_ordered(&events[i], "oi.scale_by=sizes");
        }
}

/* ---- threads -------------------------------------------------------------------------------- */

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    const int counts[] = {1, 2, 4};
    const struct event *event = present(&events[1]) ? &events[1] : &events[0];
    struct whole_run run[3];
    int before = omp_get_max_threads();
    for (size_t k = 0; k < 3; k++) {
        omp_set_num_threads(counts[k]);
        RUN(&run[k], event, "feedback=closed", "oi.levels_usd=[2e9, 5e9, 9e9]", "replicates=2");
    }
    omp_set_num_threads(before);
    assert_int_equal(run[0].tables.summary_count, 6);
    for (size_t k = 1; k < 3; k++)
        whole_run_expect_same(&run[0].tables, &run[k].tables);
    for (size_t k = 0; k < 3; k++)
        whole_run_free(&run[k]);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_loop_with_the_open_interest_as_it_was_returns_the_observed_path),
        cmocka_unit_test(without_its_start_a_cascade_does_not_return),
        cmocka_unit_test(a_path_with_two_ways_to_go_is_told),
        cmocka_unit_test(adding_impact_to_an_observed_path_counts_it_twice),
        cmocka_unit_test(more_open_interest_is_liquidated_more_and_falls_further),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
