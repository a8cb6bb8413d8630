/*
 * Known parameters are found again. Feeds are made by the per-position engine, each from a book
 * drawn anew, with noise of a factor of two per bar, and fitted by cohorts. The long form
 * (LIQCASCADE_TEST_LONG=1) makes 100 of them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/random.h"
#include "base/text.h"
#include "sim/study/calibrate.h"
#include "sim/study/flow_source.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"

enum { DAYS = 70, WARM_DAYS = 30, BARS = 24 * DAYS, WARM = 24 * WARM_DAYS };
static const double ALPHA = 1.3, TURNOVER = 0.08, A = 0.3, B = 0.8, NOISE = 0.7;

static double normal_at(const struct random_stream *stream, size_t bar, uint32_t ordinal)
{
    struct random_block block = random_block_at(stream, (uint32_t)bar, ordinal);
    return random_normal(random_uniform53(block.word[0], block.word[1]));
}

/* ---- a market --------------------------------------------------------------------------- */

/* Hourly bars whose volatility comes and goes, and open interest that wanders. */
static void write_market(void)
{
    struct random_stream stream = random_stream_make(3, 0, "test.recovery");
    struct text_buffer price = {0}, oi = {0}, feed = {0};
    char path[SCRATCH_PATH_SIZE];
    double last = 60000.0, interest = 80000.0, level = 0.0;
    text_append(&price, "timestamp_ms,open,high,low,close,volume\n");
    text_append(&oi, "time,oi\n1709251200,80000\n");
    text_append(&feed, "time,long,short\n");
    for (size_t i = 0; i < BARS; i++) {
        long long at = 1709251200 + 3600 * (long long)i;
        level = 0.97 * level + 0.2 * normal_at(&stream, i, 4);
        double sigma = 0.004 * exp(level), open = last;
        last *= exp(sigma * normal_at(&stream, i, 0));
        double high = fmax(open, last) * exp(0.5 * sigma * fabs(normal_at(&stream, i, 1)));
        double low = fmin(open, last) * exp(-0.5 * sigma * fabs(normal_at(&stream, i, 2)));
        interest *= exp(0.003 * normal_at(&stream, i, 3));
        text_appendf(&price, "%lld000,%.4f,%.4f,%.4f,%.4f,1000\n", at, open, high, low, last);
        text_appendf(&oi, "%lld,%.4f\n", at + 3600, interest);
        text_appendf(&feed, "%lld,1,1\n", at);
    }
    scratch_file("price.csv", price.data, path);
    scratch_file("oi.csv", oi.data, path);
    scratch_file("feed.csv", feed.data, path);
    text_buffer_free(&price);
    text_buffer_free(&oi);
    text_buffer_free(&feed);
}

static const char market[] =
    "format: 1\n"
    "symbol: BTCUSDT\n"
    "time: {warmup: 2024-03-01T00:00Z, start: 2024-03-31T00:00Z, end: 2024-05-10T00:00Z, step: "
    "1h}\n"
    "data:\n"
    "  price: {path: price.csv, format: ohlcv_ms}\n"
    "  oi: {path: oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, "
    "unit: coins, scope: test}\n"
    "  liquidations: {path: feed.csv, format: generic, time: {column: time, as: unix_s}, columns: "
    "{liq_long: long, liq_short: short}, unit: coins}\n"
    "book: {positions_per_bar: 400, turnover_per_hour: 0.08, leverage: {alpha: 1.3}}\n"
    "calibrate: {parameters: {book.leverage.alpha: [0.5, 3], book.turnover_per_hour: [0.005, "
    "0.5]}}\n";

/* ---- a trial ---------------------------------------------------------------------------- */

struct trial {
    struct flow_source source;
    double reported[2][BARS];
};

/* What the engine forces out of a book of its own, throttled and with noise. */
static void make_feed(struct trial *self, uint32_t trial)
{
    struct random_stream stream = random_stream_make(4, trial, "test.recovery");
    struct whole_run run;
    char seed[32];
    snprintf(seed, sizeof seed, "seed=%u", 1000 + trial);
    whole_run_text(&run, market, WHOLE_RUN_SETS("feedback=open", seed));
    assert_int_equal(run.tables.step_count, BARS - WARM);
    for (size_t i = 0; i < BARS; i++)
        self->reported[0][i] = self->reported[1][i] = 0.0;
    for (size_t i = WARM; i < BARS; i++) {
        const struct metrics_step *step = &run.tables.steps[i - WARM];
        const double coins[] = {step->liquidated_long_coins, step->liquidated_short_coins};
        double price = self->source.setup.market.last.close[i];
        for (uint32_t side = 0; side < 2; side++)
            self->reported[side][i] =
                A * pow(coins[side] * price, B) / price * exp(NOISE * normal_at(&stream, i, side));
    }
    whole_run_free(&run);
}

static void fit_trial(struct trial *self, struct calibrate_fit *out)
{
    struct flow_asset asset = flow_source_asset(&self->source, "made");
    struct flow_window window = {0, asset.start_ms + WARM_DAYS * CALENDAR_DAY_MS,
                                 asset.start_ms + DAYS * CALENDAR_DAY_MS};
    struct flow_rows rows;
    struct error err = {0};
    const struct calibrate_plan plan = {
        .parameters = {{"book.leverage.alpha", 0.5, 3.0}, {"book.turnover_per_hour", 0.005, 0.5}},
        .parameter_count = 2,
        .weights = {1.0, 1.0},
        .starts = 1,
        .resamples = 200,
        .level = 0.9,
        .block_ms = 2 * CALENDAR_DAY_MS,
        .seed = 6,
    };
    asset.reported[0] = self->reported[0];
    asset.reported[1] = self->reported[1];
    assert_int_equal(
        flow_rows_init(&rows, &asset, 1, &window, 1, &(struct flow_shares){1e-6, 0.0}, &err),
        ERROR_NONE);
    if (calibrate_run(out, &plan, &rows, NULL, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
    flow_rows_free(&rows);
}

static void open_source(struct trial *self)
{
    static struct scenario_bounds bounds[2];
    static char alpha[] = "book.leverage.alpha", turnover[] = "book.turnover_per_hour";
    struct error_list errors = {0};
    struct error err = {0};
    char path[SCRATCH_PATH_SIZE];
    bounds[0] = (struct scenario_bounds){alpha, 0.5, 3.0};
    bounds[1] = (struct scenario_bounds){turnover, 0.005, 0.5};
    scratch_file("scenario.yaml", market, path);
    if (flow_source_init(&self->source, path, NULL, 0, bounds, 2, &errors, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
    error_list_free(&errors);
}

/* ---- trials ----------------------------------------------------------------------------- */

static void known_parameters_lie_in_their_intervals(void **state)
{
    static struct trial trial;
    static const double truth[] = {1.3, 0.08};
    const char *wanted = getenv("LIQCASCADE_TEST_LONG");
    uint32_t trials = wanted != NULL && strcmp(wanted, "1") == 0 ? 100 : 10, covered[3] = {0};
    double bias[2] = {0.0}, exponent = 0.0;
    assert_true(ALPHA == truth[0] && TURNOVER == truth[1]);
    write_market();
    open_source(&trial);
    for (uint32_t i = 0; i < trials; i++) {
        struct calibrate_fit fit;
        make_feed(&trial, i);
        fit_trial(&trial, &fit);
        for (size_t p = 0; p < 2; p++) {
            covered[p] += fit.low[p] <= truth[p] && truth[p] <= fit.high[p];
            bias[p] += log(fit.theta[p] / truth[p]) / trials;
        }
        exponent += fit.observation.b[FLOW_BAR] / trials;
        calibrate_fit_free(&fit);
    }
    print_message("alpha: covered in %u of %u, bias %+.3f; turnover: %u of %u, %+.3f (of "
                  "logarithms); b %.3f for %.3f\n",
                  covered[0], trials, bias[0], covered[1], trials, bias[1], exponent, B);
    assert_true(covered[0] >= 0.8 * trials && covered[1] >= 0.8 * trials);
    flow_source_free(&trial.source);
}

static int clean(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_parameters_lie_in_their_intervals),
    };
    return cmocka_run_group_tests_name("recovery", tests, NULL, clean);
}
