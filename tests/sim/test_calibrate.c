#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/random.h"
#include "sim/study/calibrate.h"
#include "tests/support/near.h"

/* ---- a market whose flow is known in closed form ---------------------------------------- */

enum { DAYS = 40, BARS = DAYS * 24 };

/* Forced flow is c * OI * (adverse move)^p, plus a part m of it one bar later. */
struct known {
    double open[BARS], high[BARS], low[BARS], close[BARS], oi[BARS], volume[BARS];
    double reported[2][BARS];
    struct flow_asset asset;
    size_t calls;
};

static int known_flow(void *context, const double *theta, size_t count, double *const out[2],
                      struct error *err)
{
    struct known *self = context;
    double c = theta[0], p = theta[1];
    (void)err;
    assert_int_equal(count, 2);
    self->calls++;
    for (size_t i = 0; i < BARS; i++) {
        double down = 1.0 - self->low[i] / self->open[i], up = self->high[i] / self->open[i] - 1.0;
        out[0][i] = c * self->oi[i] * pow(down / 0.01, p);
        out[1][i] = c * self->oi[i] * pow(up / 0.01, p);
    }
    return ERROR_NONE;
}

static double normal_at(const struct random_stream *stream, uint32_t bar, uint32_t ordinal)
{
    struct random_block block = random_block_at(stream, bar, ordinal);
    return random_normal(random_uniform53(block.word[0], block.word[1]));
}

static void make_market(struct known *self, const struct random_stream *stream)
{
    double price = 60000.0;
    for (uint32_t i = 0; i < BARS; i++) {
        double sigma = 0.004 * exp(0.6 * normal_at(stream, i / 12, 9));
        self->open[i] = price;
        price *= exp(sigma * normal_at(stream, i, 0));
        self->close[i] = price;
        self->high[i] = fmax(self->open[i], price) * exp(sigma * fabs(normal_at(stream, i, 1)));
        self->low[i] = fmin(self->open[i], price) * exp(-sigma * fabs(normal_at(stream, i, 2)));
        self->oi[i] = 80000.0;
        self->volume[i] = 1000.0;
    }
}

/* The feed reports a Q^b in USD, with noise. */
static void report(struct known *self, const struct random_stream *stream, const double *theta,
                   double a, double b, double noise)
{
    struct error err = {0};
    double *out[2] = {self->reported[0], self->reported[1]};
    assert_int_equal(known_flow(self, theta, 2, out, &err), ERROR_NONE);
    for (uint32_t i = 0; i < BARS; i++)
        for (uint32_t side = 0; side < 2; side++) {
            double usd = self->reported[side][i] * self->close[i];
            self->reported[side][i] =
                a * pow(usd, b) / self->close[i] * exp(noise * normal_at(stream, i, 3 + side));
        }
    self->calls = 0;
}

static void make_known(struct known *self, uint32_t replicate, const double *theta, double a,
                       double b, double noise, bool complete)
{
    struct random_stream stream = random_stream_make(11, replicate, "test.calibrate");
    make_market(self, &stream);
    report(self, &stream, theta, a, b, noise);
    self->asset = (struct flow_asset){
        .name = "known",
        .bars = BARS,
        .start_ms = 100 * CALENDAR_DAY_MS,
        .step_ms = CALENDAR_HOUR_MS,
        .open = self->open,
        .high = self->high,
        .low = self->low,
        .close = self->close,
        .oi_coins = self->oi,
        .volume_coins = self->volume,
        .reported = {self->reported[0], self->reported[1]},
        .complete = complete,
        .flow = known_flow,
        .context = self,
    };
}

static struct calibrate_plan plan_of(size_t resamples)
{
    return (struct calibrate_plan){
        .parameters = {{"c", 1e-5, 1e-1}, {"p", 0.2, 4.0}},
        .parameter_count = 2,
        .weights = {1.0, 1.0},
        .starts = 2,
        .resamples = resamples,
        .level = 0.9,
        .block_ms = 2 * CALENDAR_DAY_MS,
        .seed = 5,
    };
}

static const struct flow_window whole = {0, 100 * CALENDAR_DAY_MS, 140 * CALENDAR_DAY_MS};

static void fit(struct known *known, const struct calibrate_plan *plan,
                const struct flow_window *window, struct calibrate_fit *out)
{
    struct error err = {0};
    struct flow_rows rows;
    assert_int_equal(
        flow_rows_init(&rows, &known->asset, 1, window, 1, &(struct flow_shares){1e-9, 0.0}, &err),
        ERROR_NONE);
    int code = calibrate_run(out, plan, &rows, NULL, &err);
    if (code != ERROR_NONE)
        fail_msg("%s", err.message);
    flow_rows_free(&rows);
}

/* ---- rows ------------------------------------------------------------------------------- */

static void test_rows_hold_whole_intervals(void **state)
{
    static struct known known;
    const double theta[] = {1e-3, 1.5};
    struct error err = {0};
    struct flow_rows rows;
    (void)state;
    make_known(&known, 0, theta, 1.0, 1.0, 0.0, true);
    /* 30 hours from 18:00: one whole day of UTC, and 30 hours; two sides each. */
    struct flow_window window = {0, 100 * CALENDAR_DAY_MS + 18 * CALENDAR_HOUR_MS,
                                 102 * CALENDAR_DAY_MS};
    assert_int_equal(
        flow_rows_init(&rows, &known.asset, 1, &window, 1, &(struct flow_shares){1e-6, 0.0}, &err),
        ERROR_NONE);
    assert_int_equal(rows.count, 2 * (30 + 1));
    const struct flow_row *day = &rows.items[60];
    assert_int_equal(day->horizon, FLOW_DAY);
    assert_int_equal(day->from_ms, 101 * CALENDAR_DAY_MS);
    double reported = 0.0, lowest = INFINITY, oi = 0.0;
    for (size_t i = 24; i < 48; i++) {
        reported += known.reported[0][i] * known.close[i];
        lowest = fmin(lowest, known.low[i]);
        oi += known.oi[i] * known.close[i] / 24;
    }
    assert_near(day->reported_usd / reported, 1.0, 1e-12);
    assert_near(day->adverse, 1.0 - lowest / known.open[24], 1e-12);
    assert_near(day->oi_usd / oi, 1.0, 1e-12);
    assert_near(day->floor_usd / (24e-6 * oi), 1.0, 1e-12);
    flow_rows_free(&rows);
}

static void test_unknown_bars_and_daily_feeds(void **state)
{
    static struct known known;
    const double theta[] = {1e-3, 1.5};
    struct error err = {0};
    struct flow_rows rows;
    struct flow_window window = {0, 100 * CALENDAR_DAY_MS, 102 * CALENDAR_DAY_MS};
    (void)state;
    make_known(&known, 0, theta, 1.0, 1.0, 0.0, true);
    known.reported[0][5] = NAN;
    assert_int_equal(
        flow_rows_init(&rows, &known.asset, 1, &window, 1, &(struct flow_shares){1e-6, 0.0}, &err),
        ERROR_NONE);
    assert_int_equal(rows.count, 2 * (47 + 1));
    flow_rows_free(&rows);
    known.asset.daily = true;
    assert_int_equal(
        flow_rows_init(&rows, &known.asset, 1, &window, 1, &(struct flow_shares){1e-6, 0.0}, &err),
        ERROR_NONE);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.items[0].horizon, FLOW_DAY);
    flow_rows_free(&rows);
}

/* ---- fits ------------------------------------------------------------------------------- */

/* Without noise, a complete feed gives the parameters themselves. */
static void test_complete_feed_gives_level_and_shape(void **state)
{
    static struct known known;
    const double theta[] = {2e-3, 1.6};
    struct calibrate_plan plan = plan_of(0);
    struct calibrate_fit got;
    (void)state;
    make_known(&known, 1, theta, 1.0, 1.0, 0.0, true);
    fit(&known, &plan, &whole, &got);
    assert_near(log(got.theta[0] / theta[0]), 0.0, 0.02);
    assert_near(got.theta[1], theta[1], 0.02);
    assert_int_equal(got.bound[0], CALIBRATE_INSIDE);
    assert_int_equal(got.evaluations, known.calls);
    calibrate_fit_free(&got);
}

/* reported = a Q^b: the exponent of the flow times b is what the feed shows, per bar; days, which
   are sums, tell them apart. */
static void test_throttled_feed_gives_a_and_b(void **state)
{
    static struct known known;
    const double theta[] = {2e-3, 1.6};
    struct error err = {0};
    struct flow_rows rows;
    struct flow_observation observed;
    double *log_flow, *weights;
    struct calibrate_plan plan = plan_of(0);
    (void)state;
    make_known(&known, 1, theta, 0.5, 0.8, 0.0, false);
    assert_int_equal(
        flow_rows_init(&rows, &known.asset, 1, &whole, 1, &(struct flow_shares){1e-12, 0.0}, &err),
        ERROR_NONE);
    log_flow = calloc(rows.count, sizeof *log_flow);
    weights = calloc(rows.count, sizeof *weights);
    calibrate_weights(&plan, &rows, weights);
    assert_int_equal(flow_rows_predict(&rows, theta, 2, log_flow, &err), ERROR_NONE);
    calibrate_distance(&rows, log_flow, weights, &observed);
    assert_near(observed.b[FLOW_BAR], 0.8, 1e-3);
    assert_near(observed.log_a[FLOW_BAR], log(0.5), 1e-2);
    free(log_flow);
    free(weights);
    flow_rows_free(&rows);
}

static void test_a_bound_in_the_way_is_named(void **state)
{
    static struct known known;
    const double theta[] = {2e-3, 1.6};
    struct calibrate_plan plan = plan_of(50);
    struct calibrate_fit got;
    (void)state;
    make_known(&known, 1, theta, 1.0, 1.0, 0.1, true);
    plan.parameters[1].high = 1.2;
    fit(&known, &plan, &whole, &got);
    assert_int_equal(got.bound[1], CALIBRATE_AT_HIGH);
    assert_near(got.theta[1], 1.2, 0.02);
    assert_true(got.high[1] <= 1.2);
    calibrate_fit_free(&got);
}

/* A fit to the first half depends on nothing that the feed says about the second. */
static void test_the_future_does_not_leak(void **state)
{
    static struct known known;
    const double theta[] = {2e-3, 1.6};
    struct calibrate_plan plan = plan_of(30);
    struct calibrate_fit before, after;
    struct flow_window half = {0, 100 * CALENDAR_DAY_MS, 120 * CALENDAR_DAY_MS};
    (void)state;
    make_known(&known, 2, theta, 0.3, 0.9, 0.8, false);
    fit(&known, &plan, &half, &before);
    for (size_t i = 20 * 24; i < BARS; i++) {
        size_t other = 20 * 24 + (i * 37) % (BARS - 20 * 24);
        known.reported[0][i] = known.reported[1][other] * 7.0 + 1.0;
        known.reported[1][i] = 0.0;
    }
    fit(&known, &plan, &half, &after);
    for (size_t p = 0; p < 2; p++) {
        assert_true(before.theta[p] == after.theta[p]);
        assert_true(before.low[p] == after.low[p] && before.high[p] == after.high[p]);
    }
    assert_true(before.distance == after.distance);
    assert_memory_equal(before.draw_theta, after.draw_theta, 60 * sizeof(double));
    calibrate_fit_free(&before);
    calibrate_fit_free(&after);
}

/* Two assets count alike, however many bars each has. */
static void test_assets_count_alike(void **state)
{
    static struct known known, other;
    const double theta[] = {2e-3, 1.6};
    struct error err = {0};
    struct flow_rows rows;
    struct calibrate_plan plan = plan_of(0);
    (void)state;
    make_known(&known, 1, theta, 1.0, 1.0, 0.5, true);
    make_known(&other, 2, theta, 1.0, 1.0, 0.5, true);
    const struct flow_asset assets[] = {known.asset, other.asset};
    const struct flow_window windows[] = {whole, {1, 100 * CALENDAR_DAY_MS, 110 * CALENDAR_DAY_MS}};
    assert_int_equal(
        flow_rows_init(&rows, assets, 2, windows, 2, &(struct flow_shares){1e-9, 0.0}, &err),
        ERROR_NONE);
    double *weights = calloc(rows.count, sizeof *weights), sum[2][FLOW_HORIZONS] = {{0.0}};
    calibrate_weights(&plan, &rows, weights);
    for (size_t r = 0; r < rows.count; r++)
        sum[rows.items[r].asset][rows.items[r].horizon] += weights[r];
    for (int asset = 0; asset < 2; asset++)
        for (int horizon = 0; horizon < FLOW_HORIZONS; horizon++)
            assert_near(sum[asset][horizon], 0.25, 1e-12);
    free(weights);
    flow_rows_free(&rows);
}

/* ---- recovery --------------------------------------------------------------------------- */

/* Noise of a factor of about 2 per bar: 90 % intervals hold the truth in at least 80 of 100. */
static void test_intervals_cover(void **state)
{
    static struct known known;
    const double theta[] = {2e-3, 1.6};
    uint32_t trials = getenv("LIQCASCADE_TEST_LONG") != NULL ? 100 : 30;
    double covered[2] = {0.0}, bias[2] = {0.0};
    struct calibrate_plan plan = plan_of(100);
    (void)state;
    plan.weights[FLOW_DAY] = 0.0; /* of sums of noisy bars the median is another */
    for (uint32_t i = 0; i < trials; i++) {
        struct calibrate_fit got;
        make_known(&known, 100 + i, theta, 1.0, 1.0, 0.7, true);
        fit(&known, &plan, &whole, &got);
        for (size_t p = 0; p < 2; p++) {
            covered[p] += got.low[p] <= theta[p] && theta[p] <= got.high[p];
            bias[p] += log(got.theta[p] / theta[p]) / trials;
        }
        calibrate_fit_free(&got);
    }
    for (size_t p = 0; p < 2; p++) {
        print_message("%s: covered in %g of %u, bias %.3f of its logarithm\n",
                      plan.parameters[p].key, covered[p], trials, bias[p]);
        assert_true(covered[p] >= 0.8 * trials);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_hold_whole_intervals),
        cmocka_unit_test(test_unknown_bars_and_daily_feeds),
        cmocka_unit_test(test_complete_feed_gives_level_and_shape),
        cmocka_unit_test(test_throttled_feed_gives_a_and_b),
        cmocka_unit_test(test_a_bound_in_the_way_is_named),
        cmocka_unit_test(test_the_future_does_not_leak),
        cmocka_unit_test(test_assets_count_alike),
        cmocka_unit_test(test_intervals_cover),
    };
    return cmocka_run_group_tests_name("calibrate", tests, NULL, NULL);
}
