/* Null model tests: powers that are put in come out, regressions by hand, what a model adds, and
   that nothing outside of training is read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "sim/study/nulls.h"
#include "sim/study/scores.h"
#include "tests/support/near.h"

#define EXPECT_OK(call)                                \
    do {                                               \
        struct error ok_err = {0};                     \
        struct error *err = &ok_err;                   \
        if ((call) != ERROR_NONE)                      \
            fail_msg("%s: %s", #call, ok_err.message); \
    } while (0)

enum { BARS = 600, TRAINING = 400 };

static const struct nulls_floors floors = {1e-6, 1e-4};

/* Bars of a made market; flow is 3e-4 OI MAE^1.7 e^(noise z), MAE never below its floor. */
struct market {
    double open[BARS], high[BARS], low[BARS], oi[BARS], volume[BARS];
    double flow[NULLS_SIDES][BARS], predicted[NULLS_SIDES][BARS];
    unsigned char training[BARS];
    struct nulls_bars bars;
};

static const double made_scale = 3e-4, made_power = 1.7;

static double normal_at(const char *name, size_t bar, uint32_t ordinal)
{
    struct random_stream stream = random_stream_make(5, 0, name);
    struct random_block block = random_block_at(&stream, (uint32_t)bar, ordinal);
    return random_normal(random_uniform53(block.word[0], block.word[1]));
}

static void make_bar(struct market *self, size_t bar, double noise)
{
    double down = 2e-3 * exp(0.6 * normal_at("down", bar, 0));
    double up = 3e-3 * exp(0.6 * normal_at("up", bar, 0));
    self->open[bar] = 100.0 + (double)(bar % 7);
    self->low[bar] = self->open[bar] * exp(-down);
    self->high[bar] = self->open[bar] * exp(up);
    self->oi[bar] = 1e6 * exp(0.3 * normal_at("oi", bar, 0));
    self->volume[bar] = 1e5 * exp(normal_at("volume", bar, 0));
    double scaled = made_scale * self->oi[bar];
    self->flow[NULLS_LONGS][bar] =
        scaled * pow(down, made_power) * exp(noise * normal_at("noise", bar, 0));
    self->flow[NULLS_SHORTS][bar] =
        scaled * pow(up, made_power) * exp(noise * normal_at("noise", bar, 1));
    self->training[bar] = bar < TRAINING;
}

static void make_market(struct market *self, double noise)
{
    memset(self, 0, sizeof *self);
    for (size_t bar = 0; bar < BARS; bar++)
        make_bar(self, bar, noise);
    self->bars = (struct nulls_bars){BARS,
                                     self->open,
                                     self->high,
                                     self->low,
                                     self->oi,
                                     self->volume,
                                     {self->flow[0], self->flow[1]}};
}

static struct nulls_power power_of(const struct market *market, enum nulls_base base)
{
    struct nulls_power power = {.used = 0};
    EXPECT_OK(nulls_power_fit(&market->bars, market->training, base, &floors, &power, err));
    return power;
}

static void excursions_are_logs_from_the_open(void **state)
{
    assert_near(nulls_adverse(NULLS_LONGS, 100.0, 104.0, 80.0), log(1.25), 1e-15);
    assert_near(nulls_adverse(NULLS_SHORTS, 100.0, 104.0, 80.0), log(1.04), 1e-15);
    assert_true(nulls_adverse(NULLS_LONGS, 100.0, 104.0, 100.0) == 0.0);
    assert_true(isnan(nulls_adverse(NULLS_SHORTS, NAN, 104.0, 100.0)));
}

static void powers_put_in_come_out(void **state)
{
    static struct market market;
    double *const out[] = {market.predicted[0], market.predicted[1]};
    make_market(&market, 0.0);
    struct nulls_power power = power_of(&market, NULLS_OI);
    assert_near(power.power, made_power, 1e-10);
    assert_near(power.log_scale, log(made_scale), 1e-9);
    assert_near(power.sigma, 0.0, 1e-9);
    assert_int_equal(power.used, 2 * TRAINING);
    nulls_power_predict(&power, &market.bars, &floors, out);
    for (int side = 0; side < NULLS_SIDES; side++)
        for (size_t bar = 0; bar < BARS; bar++)
            assert_near(market.predicted[side][bar] / market.flow[side][bar], 1.0, 1e-9);
}

/* ln MAE deviates by .6 within a side, and the means of the sides by ln(1.5): by .633 in all. The
   error of p is sigma / (.633 sqrt(800)) = .0223 for sigma .4. */
static void noise_leaves_powers_within_their_errors(void **state)
{
    static struct market market;
    make_market(&market, 0.4);
    struct nulls_power power = power_of(&market, NULLS_OI);
    assert_near(power.power, made_power, 4.0 * 0.0223);
    assert_near(power.sigma, 0.4, 4.0 * 0.4 / sqrt(1600.0));
    assert_true(fabs(power.power - made_power) > 1e-6);
}

/* flow / volume is MAE^p too when volume is a multiple of OI, with another scale. */
static void the_base_may_be_volume(void **state)
{
    static struct market market;
    make_market(&market, 0.0);
    for (size_t bar = 0; bar < BARS; bar++)
        market.volume[bar] = 0.25 * market.oi[bar];
    struct nulls_power power = power_of(&market, NULLS_VOLUME);
    assert_near(power.power, made_power, 1e-10);
    assert_near(power.log_scale, log(4.0 * made_scale), 1e-9);
}

/* Two bars, the longs' low at the open in one of them and its flow 0: both count as their floors,
   so the line goes through (ln 1e-4, ln 1e-6) and (ln .01, ln 10), bar 2 being there twice. */
static void zeros_count_as_their_floors(void **state)
{
    const double open[] = {1.0, 1.0}, high[] = {exp(0.01), exp(0.01)}, low[] = {1.0, exp(-0.01)};
    const double oi[] = {1.0, 1.0}, longs[] = {0.0, 10.0}, shorts[] = {NAN, 10.0};
    const unsigned char training[] = {1, 1};
    struct nulls_bars bars = {2, open, high, low, oi, NULL, {longs, shorts}};
    struct nulls_power power = {.used = 0};
    double predicted[2];
    double *const out[] = {predicted, NULL};
    EXPECT_OK(nulls_power_fit(&bars, training, NULLS_OI, &floors, &power, err));
    assert_int_equal(power.used, 3);
    assert_near(power.power, log(1e7) / log(100.0), 1e-9);
    nulls_power_predict(&power, &bars, &floors, out);
    assert_near(predicted[0] / 1e-6, 1.0, 1e-9);
    assert_near(predicted[1] / 10.0, 1.0, 1e-9);
}

static void units_of_open_interest_do_not_matter(void **state)
{
    static struct market market;
    double *const out[] = {market.predicted[0], NULL};
    make_market(&market, 0.4);
    struct nulls_power before = power_of(&market, NULLS_OI);
    nulls_power_predict(&before, &market.bars, &floors, out);
    double first = market.predicted[0][BARS - 1];
    for (size_t bar = 0; bar < BARS; bar++)
        market.oi[bar] *= 1000.0;
    struct nulls_power after = power_of(&market, NULLS_OI);
    nulls_power_predict(&after, &market.bars, &floors, out);
    assert_near(after.power, before.power, 1e-10);
    assert_near(after.log_scale, before.log_scale - log(1000.0), 1e-9);
    assert_near(market.predicted[0][BARS - 1] / first, 1.0, 1e-10);
}

static void bars_without_a_base_have_no_prediction(void **state)
{
    static struct market market;
    double *const out[] = {market.predicted[0], market.predicted[1]};
    make_market(&market, 0.0);
    market.oi[3] = 0.0;
    market.oi[5] = NAN;
    market.low[7] = NAN;
    struct nulls_power power = power_of(&market, NULLS_OI);
    assert_int_equal(power.used, 2 * TRAINING - 5);
    assert_near(power.power, made_power, 1e-10);
    nulls_power_predict(&power, &market.bars, &floors, out);
    assert_true(isnan(market.predicted[0][3]) && isnan(market.predicted[1][5]));
    assert_true(isnan(market.predicted[0][7]) && isfinite(market.predicted[1][7]));
}

/* ---- regression ------------------------------------------------------------------------- */

/* ln flow 1, 3, 4 at ln predictions 0, 1, 2: slope 3/2, constant 7/6, residuals -1/6, 1/3, -1/6. */
static void a_line_through_three_points_by_hand(void **state)
{
    const double flow_longs[] = {exp(1.0), exp(3.0), exp(4.0)}, unknown[] = {NAN, NAN, NAN};
    const double predicted[] = {1.0, exp(1.0), exp(2.0)};
    const double *const flow[] = {flow_longs, unknown};
    const unsigned char training[] = {1, 1, 1};
    struct nulls_predictor predictor = {{predicted, predicted}, 1e-3};
    struct nulls_regression fit = {.used = 0};
    double longs[3], shorts[3];
    double *const out[] = {longs, shorts};
    EXPECT_OK(nulls_regression_fit(flow, 3, training, 1e-3, &predictor, 1, &fit, err));
    assert_int_equal(fit.used, 3);
    assert_near(fit.coefficients[0], 7.0 / 6.0, 1e-12);
    assert_near(fit.coefficients[1], 1.5, 1e-12);
    assert_near(fit.sigma, sqrt(1.0 / 6.0), 1e-12);
    assert_near(fit.errors[1], sqrt(1.0 / 6.0) / sqrt(2.0), 1e-12);
    assert_near(fit.errors[0], sqrt(1.0 / 6.0) * sqrt(1.0 / 3.0 + 0.5), 1e-12);
    assert_near(fit.mean, 8.0 / 3.0, 1e-12);
    assert_near(fit.r2, 1.0 - (1.0 / 6.0) / (14.0 / 3.0), 1e-12);
    nulls_regression_predict(&fit, 3, &predictor, out);
    assert_near(log(longs[1]), 8.0 / 3.0, 1e-12);
    assert_near(log(shorts[2]), 25.0 / 6.0, 1e-12);
}

static void predictions_of_zero_count_as_their_floor(void **state)
{
    const double flow_longs[] = {0.0, 1.0, 100.0}, predicted[] = {0.0, 0.1, 1.0};
    const double *const flow[] = {flow_longs, flow_longs};
    const unsigned char training[] = {1, 1, 1};
    struct nulls_predictor predictor = {{predicted, predicted}, 0.01};
    struct nulls_regression fit = {.used = 0};
    /* Tenths, hundredths: ln flow = 2 ln prediction + ln 100 through all points. */
    EXPECT_OK(nulls_regression_fit(flow, 3, training, 0.01, &predictor, 1, &fit, err));
    assert_near(fit.coefficients[1], 2.0, 1e-12);
    assert_near(fit.coefficients[0], log(100.0), 1e-12);
    assert_near(fit.r2, 1.0, 1e-12);
}

/* What a model adds to both nulls: `knows` of the noise that the nulls cannot see. */
struct contest {
    struct market market;
    double null[2][NULLS_SIDES][BARS], model[NULLS_SIDES][BARS];
    double without[NULLS_SIDES][BARS], with[NULLS_SIDES][BARS];
    struct nulls_predictor predictors[3];
    struct nulls_regression fits[2];
};

static void fit_contest(struct contest *self)
{
    const double *const flow[] = {self->market.flow[0], self->market.flow[1]};
    for (int base = NULLS_OI; base <= NULLS_VOLUME; base++) {
        double *const out[] = {self->null[base][0], self->null[base][1]};
        struct nulls_power power = power_of(&self->market, (enum nulls_base)base);
        nulls_power_predict(&power, &self->market.bars, &floors, out);
    }
    for (size_t k = 0; k < 2; k++) {
        double *const out[] = {k == 0 ? self->without[0] : self->with[0],
                               k == 0 ? self->without[1] : self->with[1]};
        EXPECT_OK(nulls_regression_fit(flow, BARS, self->market.training, floors.flow,
                                       self->predictors, 2 + k, &self->fits[k], err));
        nulls_regression_predict(&self->fits[k], BARS, self->predictors, out);
    }
}

static void make_contest(struct contest *self, double knows)
{
    make_market(&self->market, 0.8);
    for (size_t bar = 0; bar < BARS; bar++)
        for (int side = 0; side < NULLS_SIDES; side++)
            self->model[side][bar] = exp(knows * normal_at("noise", bar, (uint32_t)side) +
                                         0.5 * normal_at("model", bar, (uint32_t)side));
    for (int k = 0; k < 2; k++)
        self->predictors[k] =
            (struct nulls_predictor){{self->null[k][0], self->null[k][1]}, floors.flow};
    self->predictors[2] = (struct nulls_predictor){{self->model[0], self->model[1]}, 1e-9};
    fit_contest(self);
}

/* t of squared log errors, with the model less without, over the bars after training. */
static double advantage(const struct contest *self)
{
    double losses[2][NULLS_SIDES * (BARS - TRAINING)];
    struct scores_comparison test;
    size_t steps = 0;
    for (size_t bar = TRAINING; bar < BARS; bar++)
        for (int side = 0; side < NULLS_SIDES; side++, steps++) {
            double observed = log(self->market.flow[side][bar]);
            losses[0][steps] = pow(observed - log(self->with[side][bar]), 2.0);
            losses[1][steps] = pow(observed - log(self->without[side][bar]), 2.0);
        }
    EXPECT_OK(scores_compare(losses[0], losses[1], steps, 1, SCORES_LAGS_RULE, &test, err));
    return test.t;
}

/* ln model = .8 z + .5 e, and z is what is left: its coefficient is that of .8 z on it,
   .64 / (.64 + .25), and the noise falls from .8 to .8 sqrt(.25 / .89). */
static void a_model_that_knows_more_is_seen_to(void **state)
{
    static struct contest contest;
    make_contest(&contest, 0.8);
    double share = 0.64 / 0.89, noise = 0.8 * sqrt(0.25 / 0.89);
    double se = noise / sqrt(0.89 * 2.0 * TRAINING);
    assert_near(contest.fits[1].coefficients[3], share, 4.0 * se);
    assert_near(contest.fits[1].errors[3], se, 0.15 * se);
    assert_near(contest.fits[1].sigma, noise, 0.1 * noise);
    assert_near(contest.fits[0].sigma, 0.8, 0.08);
    assert_true(advantage(&contest) < -4.0);
}

static void a_model_of_noise_adds_nothing_out_of_sample(void **state)
{
    static struct contest contest;
    make_contest(&contest, 0.0);
    assert_near(contest.fits[1].coefficients[3], 0.0, 4.0 * contest.fits[1].errors[3]);
    /* In training more predictors never fit worse. */
    assert_true(contest.fits[1].r2 >= contest.fits[0].r2);
    assert_true(fabs(advantage(&contest)) < 3.0);
}

/* ---- leakage ---------------------------------------------------------------------------- */

static void swap(double *values, size_t left, size_t right)
{
    double kept = values[left];
    values[left] = values[right];
    values[right] = kept;
}

/* Reverses the order of all bars after training, each array by another amount of them. */
static void shuffle_future(struct contest *self)
{
    double *arrays[] = {self->market.open,    self->market.high,   self->market.low,
                        self->market.oi,      self->market.volume, self->market.flow[0],
                        self->market.flow[1], self->model[0],      self->model[1]};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        for (size_t left = TRAINING, right = BARS - 1 - 3 * k; left < right; left++, right--)
            swap(arrays[k], left, right);
}

static void poison_future(struct contest *self)
{
    for (size_t bar = TRAINING; bar < BARS; bar++) {
        self->market.open[bar] = self->market.low[bar] = -1.0;
        self->market.oi[bar] = self->market.flow[0][bar] = INFINITY;
        self->market.volume[bar] = self->market.flow[1][bar] = self->model[0][bar] = NAN;
    }
}

static void expect_same_past(const struct contest *before, const struct contest *after)
{
    assert_memory_equal(before->fits, after->fits, sizeof before->fits);
    for (int side = 0; side < NULLS_SIDES; side++) {
        size_t size = TRAINING * sizeof(double);
        for (int k = 0; k < 2; k++)
            assert_memory_equal(before->null[k][side], after->null[k][side], size);
        assert_memory_equal(before->without[side], after->without[side], size);
        assert_memory_equal(before->with[side], after->with[side], size);
    }
}

static void the_future_is_not_read(void **state)
{
    static struct contest before, after;
    make_contest(&before, 0.8);
    make_contest(&after, 0.8);
    expect_same_past(&before, &after);
    shuffle_future(&after);
    fit_contest(&after);
    expect_same_past(&before, &after);
    assert_true(before.with[0][TRAINING] != after.with[0][TRAINING]);
    poison_future(&after);
    fit_contest(&after);
    expect_same_past(&before, &after);
    /* The test can fail: one bar of the past is enough. */
    after.market.flow[0][TRAINING - 1] *= 2.0;
    fit_contest(&after);
    assert_true(before.fits[1].coefficients[0] != after.fits[1].coefficients[0]);
}

/* ---- errors ----------------------------------------------------------------------------- */

static int fit_code(const struct market *market, enum nulls_base base, double flow, double adverse)
{
    struct nulls_floors given = {flow, adverse};
    struct nulls_power power;
    struct error err = {0};
    return nulls_power_fit(&market->bars, market->training, base, &given, &power, &err);
}

static void powers_need_floors_bars_and_variation(void **state)
{
    static struct market market;
    make_market(&market, 0.1);
    assert_int_equal(fit_code(&market, NULLS_OI, 1e-6, 1e-4), ERROR_NONE);
    assert_int_equal(fit_code(&market, NULLS_OI, 0.0, 1e-4), ERROR_SCENARIO);
    assert_int_equal(fit_code(&market, NULLS_OI, 1e-6, NAN), ERROR_SCENARIO);
    /* All excursions below the floor are the same. */
    assert_int_equal(fit_code(&market, NULLS_OI, 1e-6, 10.0), ERROR_DATA);
    market.bars.volume = NULL;
    assert_int_equal(fit_code(&market, NULLS_VOLUME, 1e-6, 1e-4), ERROR_DATA);
    memset(market.training, 0, sizeof market.training);
    market.training[9] = 1;
    assert_int_equal(fit_code(&market, NULLS_OI, 1e-6, 1e-4), ERROR_DATA);
}

static void regressions_need_floors_and_predictors_that_differ(void **state)
{
    static struct market market;
    struct nulls_regression fit;
    struct error err = {0};
    make_market(&market, 0.1);
    const double *const flow[] = {market.flow[0], market.flow[1]};
    struct nulls_predictor twice[2] = {{{market.oi, market.volume}, 1.0},
                                       {{market.oi, market.volume}, 1.0}};
    assert_int_equal(nulls_regression_fit(flow, BARS, market.training, 1.0, twice, 1, &fit, &err),
                     ERROR_NONE);
    assert_int_equal(nulls_regression_fit(flow, BARS, market.training, 1.0, twice, 2, &fit, &err),
                     ERROR_DATA);
    assert_int_equal(nulls_regression_fit(flow, BARS, market.training, 1.0, twice, 0, &fit, &err),
                     ERROR_SCENARIO);
    assert_int_equal(nulls_regression_fit(flow, BARS, market.training, 1.0, twice,
                                          NULLS_PREDICTORS_MAX + 1, &fit, &err),
                     ERROR_SCENARIO);
    assert_int_equal(nulls_regression_fit(flow, BARS, market.training, 0.0, twice, 1, &fit, &err),
                     ERROR_SCENARIO);
    twice[0].floor = 0.0;
    assert_int_equal(nulls_regression_fit(flow, BARS, market.training, 1.0, twice, 1, &fit, &err),
                     ERROR_SCENARIO);
}

static void short_memory_is_an_error(void **state)
{
    static struct market market;
    make_market(&market, 0.1);
    for (long countdown = 1; countdown <= 2; countdown++) {
        memory_fail_after(countdown);
        assert_int_equal(fit_code(&market, NULLS_OI, 1e-6, 1e-4), ERROR_IO);
    }
    memory_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excursions_are_logs_from_the_open),
        cmocka_unit_test(powers_put_in_come_out),
        cmocka_unit_test(noise_leaves_powers_within_their_errors),
        cmocka_unit_test(the_base_may_be_volume),
        cmocka_unit_test(zeros_count_as_their_floors),
        cmocka_unit_test(units_of_open_interest_do_not_matter),
        cmocka_unit_test(bars_without_a_base_have_no_prediction),
        cmocka_unit_test(a_line_through_three_points_by_hand),
        cmocka_unit_test(predictions_of_zero_count_as_their_floor),
        cmocka_unit_test(a_model_that_knows_more_is_seen_to),
        cmocka_unit_test(a_model_of_noise_adds_nothing_out_of_sample),
        cmocka_unit_test(the_future_is_not_read),
        cmocka_unit_test(powers_need_floors_bars_and_variation),
        cmocka_unit_test(regressions_need_floors_and_predictors_that_differ),
        cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
