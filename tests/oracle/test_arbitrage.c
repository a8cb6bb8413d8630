/*
 * Two venues with the same longs, those of `away` farther from the price, and a shock that reaches
 * only the first longs of `home`. What arbitrage carries over decides who else is liquidated: at
 * once, both venues are one market; never, the cascade stays at home; between them it spreads in
 * order of the speed. Prices of the two ends and the speed itself against closed forms.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

enum { LEVELS = 300, STEPS = 6, HOME = 0, AWAY = 1 };

static const double PLACE = 60000.0;
static const double SHOCK_LOG = 0.01207, SPACING_LOG = 0.0001, COINS = 2.0;
static const double FIRST_LOG[2] = {0.01, 0.0121}; /* of a venue's longs, below the price */
/* A long at pooled depth move the price by 0.4 of the distance between two longs of a venue. */
static const double REFERENCE_COINS = 2.0, REFERENCE_MOVE_LOG = 0.4 * 0.0001;

static const char text[] =
    "format: 1\n"
    "symbol: BTCUSDT\n"
    "time: {start: 2024-03-01T00:10Z, warmup: 2024-03-01T00:00Z, end: 2024-03-01T01:10Z, "
    "step: 10m}\n"
    "data:\n"
    "  price: {path: price.csv, format: ohlcv_ms}\n"
    "book: {positions_from: positions.csv}\n"
    "path: {model: shock, at: 2024-03-01T00:10Z, move_log: -0.01207}\n"
    "oi: {flow: frozen}\n"
    "venues:\n"
    "  - {name: home, oi_share: 0.5, depth_share: %.17g, rules: flat, flat_rate: 0.001, "
    "flat_max_leverage: 100}\n"
    "  - {name: away, oi_share: 0.5, depth_share: %.17g, rules: flat, flat_rate: 0.001, "
    "flat_max_leverage: 100}\n"
    "impact:\n"
    "  reference_coins: %.17g\n"
    "  reference_move_log: %.17g\n"
    "  half_life: none\n"
    "  depth: {model: constant}\n";

/* ---- the market ----------------------------------------------------------------------------- */

static void write_price(void)
{
    char path[SCRATCH_PATH_SIZE], rows[512];
    int length = snprintf(rows, sizeof rows, "timestamp_ms,open,high,low,close,volume\n");
    for (int i = 0; i < 8; i++)
        length += snprintf(rows + length, sizeof rows - (size_t)length,
                           "%lld,60000,60000,60000,60000,1\n", 1709251200000LL + i * 600000LL);
    scratch_file("price.csv", rows, path);
}

static void write_positions(void)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file("positions.csv", "", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("venue,side,entry_price,size_coins,liquidation_price\n", file);
    for (int k = 0; k < LEVELS; k++)
        for (int v = HOME; v <= AWAY; v++)
            fprintf(file, "%s,long,60000,%.17g,%.17g\n", v == HOME ? "home" : "away", COINS,
                    PLACE * exp(-FIRST_LOG[v] - k * SPACING_LOG));
    fclose(file);
}

/* ---- runs ----------------------------------------------------------------------------------- */

struct outcome {
    double low[2], coins[2]; /* by venue */
    double close[STEPS][2];  /* last price */
    double gap_log;
    double exogenous;
};

/* Prices of the venues after each step: the run once more, by hand. */
static void walk(const struct setup *setup, struct outcome *out)
{
    struct error err = {0};
    struct book book;
    struct replay replay;
    struct replay_step step;
    struct replay_params params = setup_replay(setup, &setup->levels[0]);
    assert_int_equal(setup_book(setup, 0, &setup->levels[0], &book, &err), ERROR_NONE);
    assert_int_equal(replay_init(&replay, &params, &setup->path, &book, &err), ERROR_NONE);
    for (size_t bar = 0; bar < setup->bars; bar++) {
        if (replay_step(&replay, &step, &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", bar, err.message);
        for (int v = 0; bar >= setup->start_bar && v < 2; v++)
            out->close[bar - setup->start_bar][v] = replay.prices.market[params.split ? v : 0].last;
    }
    replay_free(&replay);
    book_free(&book);
}

/* Runs with settings, the venues' depth being `share` at home and the rest away. */
static struct outcome outcome_of(double share, const char *const sets[])
{
    struct whole_run run;
    struct outcome out = {.exogenous = PLACE * exp(-SHOCK_LOG)};
    char all[sizeof text + 128];
    snprintf(all, sizeof all, text, share, 1.0 - share, REFERENCE_COINS, REFERENCE_MOVE_LOG);
    whole_run_text(&run, all, sets);
    assert_int_equal(run.tables.venue_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct metrics_venue *row = &run.tables.venues[i];
        int v = strcmp(row->venue, "home") == 0 ? HOME : AWAY;
        out.low[v] = row->price_low;
        out.coins[v] += row->liquidated_coins;
        out.gap_log = fmax(out.gap_log, row->gap_log);
    }
    assert_int_equal(run.setup.bars - run.setup.start_bar, STEPS);
    walk(&run.setup, &out);
    whole_run_free(&run);
    return out;
}

#define OUTCOME(share, ...) outcome_of(share, WHOLE_RUN_SETS(__VA_ARGS__))

/* The price where `coins` sold at a depth put it, by the impact model alone. */
static double price_of(const char *model, double permanent_share, double depth, double coins)
{
    const struct impact_model *row = impact_find(model);
    struct impact_params params = {row->kind,       0.76,     REFERENCE_COINS, REFERENCE_MOVE_LOG,
                                   permanent_share, INT64_MIN};
    struct impact_state state = {0};
    impact_add(&params, &state, -coins, depth);
    return PLACE * exp(-SHOCK_LOG + impact_log(&params, &state, depth));
}

/* ---- the two ends --------------------------------------------------------------------------- */

static const struct {
    const char *set, *model;
} models[] = {{"impact.model=linear", "linear"},
              {"impact.model=power", "power"},
              {"impact.model=square_root", "square_root"}};
enum { MODELS = sizeof models / sizeof *models };

static const struct {
    const char *set;
    double share;
} permanents[] = {{"impact.permanent_share=0", 0.0},
                  {"impact.permanent_share=0.3", 0.3},
                  {"impact.permanent_share=1", 1.0}};
enum { PERMANENTS = sizeof permanents / sizeof *permanents };

static void arbitrage_at_once_makes_one_market_in_which_both_lose(void **state)
{
    for (int m = 0; m < MODELS; m++)
        for (int p = 0; p < PERMANENTS; p++) {
            struct outcome out =
                OUTCOME(0.5, models[m].set, permanents[p].set, "impact.arbitrage_half_life=0s");
            double expected = price_of(models[m].model, permanents[p].share, 1.0,
                                       out.coins[HOME] + out.coins[AWAY]);
            print_message("  %s, permanent %.1f: %g coins at home, %g away\n", models[m].model,
                          permanents[p].share, out.coins[HOME], out.coins[AWAY]);
            assert_true(out.coins[HOME] > 0.0);
            assert_near(out.gap_log, 0.0, 0.0);
            for (int v = HOME; v <= AWAY; v++) {
                assert_near(out.low[v] / expected, 1.0, 1e-12);
                for (int i = 0; i < STEPS; i++)
                    assert_near(out.close[i][v] / expected, 1.0, 1e-12);
            }
        }
    struct outcome out = OUTCOME(0.5, "impact.model=linear", "impact.arbitrage_half_life=0s");
    assert_true(out.coins[AWAY] > 0.0);
}

static void at_once_the_shares_of_depth_do_not_matter(void **state)
{
    struct outcome even = OUTCOME(0.5, "impact.model=linear", "impact.arbitrage_half_life=0s");
    struct outcome uneven = OUTCOME(0.8, "impact.model=linear", "impact.arbitrage_half_life=0s");
    assert_near(even.low[HOME], uneven.low[HOME], 0.0);
    assert_near(even.coins[AWAY], uneven.coins[AWAY], 0.0);
}

static void without_arbitrage_the_cascade_stays_at_home(void **state)
{
    const double shares[] = {0.3, 0.5, 0.8};
    for (int m = 0; m < MODELS; m++)
        for (int p = 0; p < PERMANENTS; p++)
            for (int s = 0; s < 3; s++) {
                struct outcome out = OUTCOME(shares[s], models[m].set, permanents[p].set,
                                             "impact.arbitrage_half_life=none");
                double expected =
                    price_of(models[m].model, permanents[p].share, shares[s], out.coins[HOME]);
                assert_true(out.coins[HOME] > 0.0);
                assert_near(out.coins[AWAY], 0.0, 0.0);
                assert_near(out.low[HOME] / expected, 1.0, 1e-12);
                assert_near(out.low[AWAY] / out.exogenous, 1.0, 1e-15);
                for (int i = 0; i < STEPS; i++) {
                    assert_near(out.close[i][HOME] / expected, 1.0, 1e-12);
                    assert_near(out.close[i][AWAY] / out.exogenous, 1.0, 1e-15);
                }
            }
}

/* Linear impact: level k of home fires iff D + lambda k s >= x_k and all before it fired (closed
   form 2), lambda at the depth that the orders meet. */
static int levels_at_home(double depth)
{
    double lambda = REFERENCE_MOVE_LOG / (REFERENCE_COINS * depth);
    int k = 0;
    while (k < LEVELS && SHOCK_LOG + lambda * COINS * k >= FIRST_LOG[HOME] + k * SPACING_LOG)
        k++;
    return k;
}

static void the_cascade_at_home_is_the_least_fixed_point_at_its_own_depth(void **state)
{
    const double shares[] = {0.5, 0.6, 0.75, 0.9};
    for (int s = 0; s < 4; s++) {
        struct outcome out =
            OUTCOME(shares[s], "impact.model=linear", "impact.arbitrage_half_life=none");
        int levels = levels_at_home(shares[s]);
        print_message("  depth %.2f of the whole: %d levels\n", shares[s], levels);
        assert_true(levels > 1 && levels < LEVELS);
        assert_near(out.coins[HOME], COINS * levels, 1e-9);
    }
}

/* ---- between them --------------------------------------------------------------------------- */

/* Without a clock arbitrage works at the beginning of each step. With linear impact a gap halves
   in every half-life; depth is the same, so that the mean of the two stays. */
static void a_gap_halves_in_a_half_life(void **state)
{
    static const struct {
        const char *set;
        double per_step;
    } speeds[] = {{"impact.arbitrage_half_life=10m", 0.5},
                  {"impact.arbitrage_half_life=20m", M_SQRT1_2},
                  {"impact.arbitrage_half_life=5m", 0.25}};
    for (int h = 0; h < 3; h++) {
        /* The longs of `away` are out of reach of what arbitrage brings. */
        struct outcome out =
            OUTCOME(0.5, "impact.model=linear", "path.move_log=-0.01001", speeds[h].set);
        double gap = log(out.close[0][HOME] / out.close[0][AWAY]);
        double sum = log(out.close[0][HOME] * out.close[0][AWAY]);
        assert_near(out.coins[HOME], COINS, 1e-12); /* the first level alone */
        assert_near(out.coins[AWAY], 0.0, 0.0);
        assert_near(gap, -REFERENCE_MOVE_LOG * 2.0, 1e-15 / REFERENCE_MOVE_LOG);
        for (int i = 1; i < STEPS; i++) {
            double expected = gap * pow(speeds[h].per_step, i);
            assert_near(log(out.close[i][HOME] / out.close[i][AWAY]), expected, 1e-13);
            assert_near(log(out.close[i][HOME] * out.close[i][AWAY]), sum, 1e-12);
        }
    }
}

static const char *const lives[] = {
    "impact.arbitrage_half_life=0s",  "impact.arbitrage_half_life=15s",
    "impact.arbitrage_half_life=30s", "impact.arbitrage_half_life=1m",
    "impact.arbitrage_half_life=2m",  "impact.arbitrage_half_life=5m",
    "impact.arbitrage_half_life=20m", "impact.arbitrage_half_life=none"};
enum { LIVES = sizeof lives / sizeof *lives };

static void print_outcome(const char *life, const struct outcome *out)
{
    print_message("  %s: %g coins and %.1f at home, %g and %.1f away\n",
                  life + strlen("impact.arbitrage_"), out->coins[HOME], out->low[HOME],
                  out->coins[AWAY], out->low[AWAY]);
}

/* Generations a second apart, and liquidity that halves its gap in a minute: what has decayed
   before arbitrage carries it over is never felt away. */
static void the_faster_arbitrage_the_more_is_felt_away_and_the_less_at_home(void **state)
{
    struct outcome first = {0}, before = {0};
    for (int h = 0; h < LIVES; h++) {
        struct outcome out = OUTCOME(0.5, "impact.model=linear", "impact.half_life=1m",
                                     "impact.generation_time=1s", lives[h]);
        print_outcome(lives[h], &out);
        if (h == 0) {
            first = out;
        } else {
            assert_true(out.coins[HOME] >= before.coins[HOME]);
            assert_true(out.low[HOME] <= before.low[HOME]);
            assert_true(out.coins[AWAY] <= before.coins[AWAY]);
            assert_true(out.low[AWAY] > before.low[AWAY]);
        }
        before = out;
    }
    assert_true(before.coins[HOME] > first.coins[HOME]);
    assert_true(first.coins[AWAY] > 0.0);
    assert_near(before.coins[AWAY], 0.0, 0.0);
    assert_near(before.low[AWAY] / before.exogenous, 1.0, 1e-15);
}

/* Without refilling nothing is lost on the way: a cascade that had home's depth to itself first,
   and grew for it, arrives away all the same, and the order of speeds is lost. */
static void where_liquidity_does_not_refill_slow_arbitrage_carries_more_away(void **state)
{
    double at_once = 0.0, most = 0.0;
    for (int h = 0; h < LIVES; h++) {
        struct outcome out =
            OUTCOME(0.5, "impact.model=linear", "impact.generation_time=1s", lives[h]);
        print_outcome(lives[h], &out);
        if (h == 0)
            at_once = out.coins[AWAY];
        most = fmax(most, out.coins[AWAY]);
    }
    assert_true(most > at_once);
}

static int write_market(void **state)
{
    write_price();
    write_positions();
    return 0;
}

static int remove_market(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arbitrage_at_once_makes_one_market_in_which_both_lose),
        cmocka_unit_test(at_once_the_shares_of_depth_do_not_matter),
        cmocka_unit_test(without_arbitrage_the_cascade_stays_at_home),
        cmocka_unit_test(the_cascade_at_home_is_the_least_fixed_point_at_its_own_depth),
        cmocka_unit_test(a_gap_halves_in_a_half_life),
        cmocka_unit_test(the_faster_arbitrage_the_more_is_felt_away_and_the_less_at_home),
        cmocka_unit_test(where_liquidity_does_not_refill_slow_arbitrage_carries_more_away),
    };
    return cmocka_run_group_tests(tests, write_market, remove_market);
}
