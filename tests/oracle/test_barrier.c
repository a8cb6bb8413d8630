/*
 * Oracle 15: on a geometric Brownian motion and with forced orders that move nothing, a position
 * whose liquidation price lies b below (above) the price is liquidated within T with the
 * probability that the motion touches a barrier: with log drift nu,
 *     P = Phi((-b - nu T) / (sigma sqrt T)) + exp(-2 nu b / sigma^2) Phi((-b + nu T) / (sigma sqrt
 * T)). Bars carry the extremes of the motion between their ends, so the length of a bar does not
 * matter. LIQCASCADE_TEST_LONG=1 draws ten times as many paths.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "base/calendar.h"
#include "models/price_path.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

#define PRICE 100000.0
#define BARRIER_LOG 0.04
#define VOLATILITY 0.8

enum { BARS_MOST = 96 };

struct trial {
    double drift_per_year;
    size_t bars; /* of one day */
};

struct bars {
    double open[BARS_MOST], high[BARS_MOST], low[BARS_MOST], close[BARS_MOST];
};

static size_t replicates(void)
{
    const char *wanted = getenv("LIQCASCADE_TEST_LONG");
    return wanted != NULL && strcmp(wanted, "1") == 0 ? 200000 : 20000;
}

/* P(the log price falls by `barrier` within a day). */
static double touch_probability(double drift_per_year, double barrier)
{
    double days = (double)CALENDAR_DAY_MS / (365.0 * (double)CALENDAR_DAY_MS);
    double drift = drift_per_year * days, deviation = VOLATILITY * sqrt(days);
    return gsl_cdf_ugaussian_P((-barrier - drift) / deviation) +
           exp(-2.0 * drift_per_year * barrier / (VOLATILITY * VOLATILITY)) *
               gsl_cdf_ugaussian_P((-barrier + drift) / deviation);
}

static void make_path(const struct trial *trial, uint32_t replicate, struct bars *out)
{
    struct price_path_params params = {.kind = PRICE_PATH_GBM,
                                       .drift_per_year = trial->drift_per_year,
                                       .volatility_per_year = VOLATILITY};
    struct price_path_request request = {.seed = 15,
                                         .replicate = replicate,
                                         .step_ms = CALENDAR_DAY_MS / (int64_t)trial->bars,
                                         .start_price = PRICE,
                                         .bars = trial->bars};
    struct error err = {0};
    if (price_path_make(&params, &request, out->open, out->high, out->low, out->close, &err) !=
        ERROR_NONE)
        fail_msg("price_path_make: %s", err.message);
}

/* Walks the path; adds 1 to out_fired[0] where the long goes and to out_fired[1] where the short
   does. */
static void walk(struct laboratory *lab, const struct trial *trial, int64_t out_fired[2])
{
    struct replay replay;
    struct replay_step step;
    struct error err = {0};
    if (replay_init(&replay, &lab->params, &lab->path, &lab->book, &err) != ERROR_NONE)
        fail_msg("replay_init: %s", err.message);
    for (size_t bar = 0; bar < trial->bars; bar++) {
        if (replay_step(&replay, &step, &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", bar, err.message);
        for (int side = 0; side < 2; side++)
            out_fired[side] += step.forced.side[side].positions;
    }
    replay_free(&replay);
}

/* One coin, liquidated `distance_log` from the price. */
static struct book_given holder(int side, double distance_log)
{
    return (struct book_given){.side = side,
                               .entry_price = PRICE,
                               .size_coins = 1.0,
                               .liquidation_price = PRICE * exp(distance_log)};
}

/* How many of `count` longs and shorts are liquidated. With `closes`, bars are cut down to their
   ends. A second pair of holders is out of reach, so that the market never dies. */
static void fire(const struct trial *trial, size_t count, bool closes, int64_t out_fired[2])
{
    const struct book_given given[] = {holder(1, -BARRIER_LOG), holder(-1, BARRIER_LOG),
                                       holder(1, -3.0), holder(-1, 3.0)};
    struct laboratory lab;
    struct bars bars;
    laboratory_make_given(&lab, PRICE, 0.0, given, 4, 0.0, trial->bars);
    lab.params.funding_bar = REPLAY_NEVER;
    lab.params.branching_window_log = 0.5; /* not looked at: coarse bins are quickly laid out */
    lab.path.shock = false;
    lab.market.step_ms = CALENDAR_DAY_MS / (int64_t)trial->bars;
    lab.market.bars = trial->bars;
    lab.market.last = (struct market_bars){bars.open, bars.high, bars.low, bars.close};
    if (closes)
        lab.market.last = (struct market_bars){bars.open, bars.open, bars.open, bars.close};
    lab.market.mark = lab.market.last;
    out_fired[0] = out_fired[1] = 0;
    for (size_t r = 0; r < count; r++) {
        make_path(trial, (uint32_t)r, &bars);
        walk(&lab, trial, out_fired);
    }
    laboratory_free(&lab);
}

static void liquidations_are_touches_of_a_barrier(void **state)
{
    const struct trial trials[] = {{0.0, 4}, {-6.0, 4}, {6.0, 4}, {-6.0, BARS_MOST}};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        const struct trial *trial = &trials[i];
        /* A short's barrier is a long's on the mirrored path. */
        double expected[2] = {touch_probability(trial->drift_per_year, BARRIER_LOG),
                              touch_probability(-trial->drift_per_year, BARRIER_LOG)};
        size_t count = trial->bars == BARS_MOST ? replicates() / 4 : replicates();
        int64_t fired[2];
        fire(trial, count, false, fired);
        for (int side = 0; side < 2; side++) {
            double seen = (double)fired[side] / (double)count;
            double error = sqrt(expected[side] * (1.0 - expected[side]) / (double)count);
            print_message("drift %+.0f a year, %2zu bars a day, %s: %.5f, closed form %.5f: "
                          "%+.2f s.e.\n",
                          trial->drift_per_year, trial->bars, side == 0 ? "long " : "short", seen,
                          expected[side], (seen - expected[side]) / error);
            assert_near(seen, expected[side], 3.0 * error);
        }
    }
}

/* What the extremes are for: ends of four bars alone miss more than a tenth of all touches. */
static void ends_of_bars_alone_miss_touches(void **state)
{
    const struct trial trial = {0.0, 4};
    size_t count = replicates() / 4;
    double expected = touch_probability(0.0, BARRIER_LOG);
    int64_t fired[2];
    fire(&trial, count, true, fired);
    print_message("ends of bars: %.4f of longs, closed form %.4f\n",
                  (double)fired[0] / (double)count, expected);
    assert_true((double)fired[0] / (double)count < 0.9 * expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(liquidations_are_touches_of_a_barrier),
        cmocka_unit_test(ends_of_bars_alone_miss_touches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
