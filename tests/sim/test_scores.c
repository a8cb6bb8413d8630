/* Score tests: hand computations, closed forms, published examples; size and coverage by drawing.
   With LIQCASCADE_TEST_LONG=1 the draws are many more and the bounds narrower. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "base/memory.h"
#include "base/random.h"
#include "sim/study/scores.h"
#include "tests/support/near.h"

static bool is_long(void)
{
    const char *wanted = getenv("LIQCASCADE_TEST_LONG");
    return wanted != NULL && strcmp(wanted, "1") == 0;
}

#define EXPECT_OK(call)                                \
    do {                                               \
        struct error ok_err = {0};                     \
        struct error *err = &ok_err;                   \
        if ((call) != ERROR_NONE)                      \
            fail_msg("%s: %s", #call, ok_err.message); \
    } while (0)

/* `count` independent standard normals, addressed by the trial. */
static void draw_normals(uint32_t trial, size_t count, double *out)
{
    struct random_stream stream = random_stream_make(17, trial, "test.normals");
    for (size_t i = 0; i < count; i++) {
        struct random_block block = random_block_at(&stream, 0, (uint32_t)i);
        out[i] = random_normal(random_uniform53(block.word[0], block.word[1]));
    }
}

/* ---- amounts ---------------------------------------------------------------------------- */

static void errors_are_measured_from_the_edge_of_the_band(void **state)
{
    assert_near(scores_log_error(20.0, 4.0, 8.0), log(2.5), 1e-15);
    assert_near(scores_log_error(1.0, 4.0, 8.0), -log(4.0), 1e-15);
    assert_true(scores_log_error(4.0, 4.0, 8.0) == 0.0);
    assert_true(scores_log_error(8.0, 4.0, 8.0) == 0.0);
    assert_true(scores_log_error(5.0, 4.0, 8.0) == 0.0);
    assert_near(scores_log_error(5.0, 10.0, 10.0), -log(2.0), 1e-15);
}

/* Errors ln 2, 0, -ln 4, ln 8: sizes 0, 1, 2, 3 times ln 2. */
static void log_errors_have_the_median_and_mean_of_their_sizes(void **state)
{
    const double predicted[] = {16.0, 5.0, 1.0, 80.0}, low[] = {4.0, 4.0, 4.0, 10.0};
    const double high[] = {8.0, 8.0, 8.0, 10.0};
    struct scores_logs logs;
    EXPECT_OK(scores_log_errors(predicted, low, high, 4, 0.0, &logs, err));
    assert_near(logs.median_abs, 1.5 * log(2.0), 1e-15);
    assert_near(logs.mean_abs, 1.5 * log(2.0), 1e-15);
    assert_near(logs.mean, 0.5 * log(2.0), 1e-15);
    assert_int_equal(logs.pairs.used, 4);
    EXPECT_OK(scores_log_errors(predicted, low, high, 3, 0.0, &logs, err));
    assert_near(logs.median_abs, log(2.0), 1e-15);
    assert_near(logs.mean, -log(2.0) / 3.0, 1e-15);
}

static const double zeros_predicted[] = {0.0, 3.0, 0.0, NAN, 6.0, 2.0, 0.0};
static const double zeros_low[] = {2.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0};
static const double zeros_high[] = {2.0, 0.0, 0.0, 1.0, 3.0, 4.0, 4.0};

static void pairs_with_a_zero_are_left_out_and_counted(void **state)
{
    struct scores_logs logs;
    EXPECT_OK(scores_log_errors(zeros_predicted, zeros_low, zeros_high, 7, 0.0, &logs, err));
    assert_int_equal(logs.pairs.unknown, 1);
    assert_int_equal(logs.pairs.zero_predicted, 2);
    assert_int_equal(logs.pairs.zero_observed, 1);
    assert_int_equal(logs.pairs.zero_both, 1);
    assert_int_equal(logs.pairs.floored, 0);
    /* 6 against 3, and 2 within [0, 4]. */
    assert_int_equal(logs.pairs.used, 2);
    assert_near(logs.mean_abs, 0.5 * log(2.0), 1e-15);
}

/* At a floor of 1: 0 against 2 is 1 against 2; 3 against 0 is 3 against 1; 0 against 0 is right. */
static void a_floor_keeps_all_known_pairs(void **state)
{
    struct scores_logs logs;
    EXPECT_OK(scores_log_errors(zeros_predicted, zeros_low, zeros_high, 7, 1.0, &logs, err));
    assert_int_equal(logs.pairs.used, 6);
    assert_int_equal(logs.pairs.unknown, 1);
    assert_int_equal(logs.pairs.floored, 5);
    assert_near(logs.mean_abs, (log(2.0) + log(3.0) + log(2.0)) / 6.0, 1e-15);
    assert_near(logs.mean, (-log(2.0) + log(3.0) + log(2.0)) / 6.0, 1e-15);
}

static void no_pairs_say_nothing(void **state)
{
    struct scores_logs logs;
    struct scores_r2 r2;
    double mean;
    EXPECT_OK(scores_log_errors(zeros_predicted, zeros_low, zeros_high, 1, 0.0, &logs, err));
    assert_true(isnan(logs.median_abs) && isnan(logs.mean_abs) && isnan(logs.mean));
    EXPECT_OK(scores_log_r2(zeros_predicted, zeros_high, 1, 0.0, 0.0, &r2, err));
    assert_true(isnan(r2.r2));
    EXPECT_OK(scores_log_mean(zeros_low + 1, NULL, 2, 0.0, &mean, err));
    assert_true(isnan(mean));
}

static int logs_of(double predicted, double low, double high, double floor)
{
    struct scores_logs logs;
    struct error err = {0};
    return scores_log_errors(&predicted, &low, &high, 1, floor, &logs, &err);
}

static void amounts_below_zero_and_crossed_bands_are_refused(void **state)
{
    assert_int_equal(logs_of(1.0, 1.0, 1.0, 0.0), ERROR_NONE);
    assert_int_equal(logs_of(-1.0, 1.0, 1.0, 0.0), ERROR_DATA);
    assert_int_equal(logs_of(1.0, -1.0, 1.0, 0.0), ERROR_DATA);
    assert_int_equal(logs_of(1.0, 2.0, 1.0, 0.0), ERROR_DATA);
    assert_int_equal(logs_of(INFINITY, 1.0, 1.0, 0.0), ERROR_DATA);
    assert_int_equal(logs_of(1.0, 1.0, 1.0, -1.0), ERROR_DATA);
    assert_int_equal(logs_of(1.0, 1.0, 1.0, NAN), ERROR_DATA);
}

/* Logarithms 1, 3 in training: mean 2. Scored: 2 + 1 and 2 + 3, so the total is 1 + 9. */
static void log_r2_is_held_to_the_mean_of_training(void **state)
{
    const double training[] = {exp(1.0), exp(8.0), exp(3.0)};
    const unsigned char mask[] = {1, 0, 1};
    const double observed[] = {exp(3.0), exp(5.0)}, flat[] = {exp(2.0), exp(2.0)};
    const double off[] = {exp(2.0), exp(6.0)};
    struct scores_r2 r2;
    double mean;
    EXPECT_OK(scores_log_mean(training, mask, 3, 0.0, &mean, err));
    assert_near(mean, 2.0, 1e-15);
    EXPECT_OK(scores_log_r2(observed, observed, 2, 0.0, mean, &r2, err));
    assert_near(r2.r2, 1.0, 1e-15);
    assert_near(r2.total, 10.0, 1e-13);
    EXPECT_OK(scores_log_r2(flat, observed, 2, 0.0, mean, &r2, err));
    assert_near(r2.r2, 0.0, 1e-14);
    EXPECT_OK(scores_log_r2(off, observed, 2, 0.0, mean, &r2, err));
    assert_near(r2.residual, 2.0, 1e-13);
    assert_near(r2.r2, 0.8, 1e-14);
}

static double ranks_of(const double *left, const double *right, size_t count)
{
    double value;
    EXPECT_OK(scores_rank_correlation(left, right, count, &value, err));
    return value;
}

/* The example of IQ and hours of television in the article "Spearman's rank correlation
   coefficient" of Wikipedia: sum of d^2 194, rho -29 / 165. */
static void rank_correlation_is_that_of_the_textbook(void **state)
{
    const double iq[] = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
    const double hours[] = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
    assert_near(ranks_of(iq, hours, 10), -29.0 / 165.0, 1e-14);
}

/* Ranks 1, 2.5, 2.5, 4 against 1 ... 4: 4.5 / sqrt(4.5 * 5). */
static void tied_ranks_are_their_mean(void **state)
{
    const double tied[] = {1.0, 2.0, 2.0, 3.0}, rising[] = {10.0, 20.0, 30.0, 40.0};
    const double holes[] = {1.0, NAN, 2.0, 2.0, 3.0, 9.0};
    const double beside[] = {10.0, 90.0, 20.0, 30.0, 40.0, NAN}, flat[] = {5.0, 5.0, 5.0, 5.0};
    assert_near(ranks_of(tied, rising, 4), 3.0 / sqrt(10.0), 1e-15);
    assert_near(ranks_of(holes, beside, 6), 3.0 / sqrt(10.0), 1e-15);
    assert_true(isnan(ranks_of(tied, flat, 4)));
    assert_true(isnan(ranks_of(tied, rising, 1)));
    assert_true(isnan(ranks_of(tied, rising, 0)));
}

static void shares_are_compared_as_they_are(void **state)
{
    const double predicted[] = {0.9, 0.5, NAN, 0.2}, low[] = {0.7, 0.4, 0.1, 0.5};
    const double high[] = {0.8, 0.6, 0.1, 0.5};
    size_t used;
    assert_near(scores_share(3.0, 1.0), 0.75, 1e-15);
    assert_true(isnan(scores_share(0.0, 0.0)));
    assert_near(scores_mean_abs_error(predicted, low, high, 4, &used), 0.4 / 3.0, 1e-15);
    assert_int_equal(used, 3);
    assert_true(isnan(scores_mean_abs_error(predicted, low, high, 0, NULL)));
}

/* ---- quantiles and samples -------------------------------------------------------------- */

static void pinball_weighs_by_side(void **state)
{
    const double observed[] = {12.0, 8.0, NAN}, forecast[] = {10.0, 10.0, 10.0};
    assert_near(scores_pinball(12.0, 10.0, 0.9), 1.8, 1e-15);
    assert_near(scores_pinball(8.0, 10.0, 0.9), 0.2, 1e-15);
    assert_true(scores_pinball(10.0, 10.0, 0.9) == 0.0);
    assert_near(scores_pinball_mean(observed, forecast, 3, 0.9), 1.0, 1e-15);
}

/* Of exponential draws; the p-quantile is -ln(1 - p). */
static void the_quantile_has_the_least_pinball_loss(void **state)
{
    enum { DRAWS = 20000 };
    static double observed[DRAWS], forecast[DRAWS];
    for (size_t i = 0; i < DRAWS; i++)
        observed[i] = -log(((double)i + 0.5) / DRAWS);
    for (double p = 0.1; p < 0.95; p += 0.2) {
        double best = INFINITY, at = NAN;
        for (double q = 0.0; q < 4.0; q += 0.01) {
            for (size_t i = 0; i < DRAWS; i++)
                forecast[i] = q;
            double loss = scores_pinball_mean(observed, forecast, DRAWS, p);
            if (loss < best) {
                best = loss;
                at = q;
            }
        }
        assert_near(at, -log(1.0 - p), 0.011);
    }
}

static double crps_of(const double *sample, size_t draws, double observed,
                      enum scores_crps_kind kind)
{
    double value;
    EXPECT_OK(scores_crps_sample(sample, draws, observed, kind, &value, err));
    return value;
}

/* Of {0, 1} at 0 the integral of (F - 1)^2 is that of 1/4 from 0 to 1; at 3, 1/4 + 1 + 1. */
static void crps_of_small_samples_is_the_integral(void **state)
{
    const double pair[] = {1.0, 0.0}, one[] = {5.0}, three[] = {4.0, 1.0, 2.0};
    assert_near(crps_of(one, 1, 2.0, SCORES_CRPS_ORDINARY), 3.0, 1e-15);
    assert_near(crps_of(pair, 2, 0.0, SCORES_CRPS_ORDINARY), 0.25, 1e-15);
    assert_near(crps_of(pair, 2, 3.0, SCORES_CRPS_ORDINARY), 2.25, 1e-15);
    assert_near(crps_of(pair, 2, 0.0, SCORES_CRPS_FAIR), 0.0, 1e-15);
    /* (1/3)^2 from 1 to 2, then (1/3)^2 once more and nothing: (F - 1)^2 is 1/9 from 2 to 4. */
    assert_near(crps_of(three, 3, 2.0, SCORES_CRPS_ORDINARY), 1.0 / 9.0 + 2.0 / 9.0, 1e-15);
}

/* sigma [z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)] (Gneiting and Raftery 2007, section 4.2). */
static double crps_of_normal(double z)
{
    return z * (2.0 * gsl_cdf_ugaussian_P(z) - 1.0) + sqrt(2.0 / M_PI) * exp(-0.5 * z * z) -
           1.0 / sqrt(M_PI);
}

static void crps_of_a_normal_sample_tends_to_the_closed_form(void **state)
{
    enum { DRAWS = 4000 };
    static double sample[DRAWS];
    for (size_t i = 0; i < DRAWS; i++)
        sample[i] = 7.0 + 3.0 * gsl_cdf_ugaussian_Pinv(((double)i + 0.5) / DRAWS);
    for (double z = -3.0; z <= 3.0; z += 0.5)
        assert_near(crps_of(sample, DRAWS, 7.0 + 3.0 * z, SCORES_CRPS_ORDINARY),
                    3.0 * crps_of_normal(z), 1e-3);
}

/* With m draws the ordinary score is too high by E|X - X'| / (2 m) = 1 / (m sqrt(pi)). */
static void the_fair_score_has_no_bias(void **state)
{
    enum { DRAWS = 3 };
    uint32_t trials = is_long() ? 400000 : 20000;
    double sample[DRAWS], fair = 0.0, ordinary = 0.0;
    for (uint32_t trial = 0; trial < trials; trial++) {
        draw_normals(trial, DRAWS, sample);
        fair += crps_of(sample, DRAWS, 0.5, SCORES_CRPS_FAIR) / trials;
        ordinary += crps_of(sample, DRAWS, 0.5, SCORES_CRPS_ORDINARY) / trials;
    }
    /* The standard deviation of one is about .5. */
    double tolerance = 4.0 * 0.5 / sqrt(trials);
    assert_near(fair, crps_of_normal(0.5), tolerance);
    assert_near(ordinary, crps_of_normal(0.5) + 1.0 / (DRAWS * sqrt(M_PI)), tolerance);
}

static void crps_of_centred_quantiles_is_that_of_a_sample(void **state)
{
    const double quantiles[] = {-1.0, 0.5, 0.7, 4.0}, levels[] = {0.125, 0.375, 0.625, 0.875};
    const double half[] = {0.5}, median[] = {3.0};
    double value;
    for (double observed = -2.0; observed < 6.0; observed += 0.3) {
        EXPECT_OK(scores_crps_quantiles(quantiles, levels, 4, observed, &value, err));
        assert_near(value, crps_of(quantiles, 4, observed, SCORES_CRPS_ORDINARY), 1e-14);
    }
    EXPECT_OK(scores_crps_quantiles(median, half, 1, 5.0, &value, err));
    assert_near(value, 2.0, 1e-15);
}

/* Levels .1 and .5 stand for [0, .3] and [.3, 1]. Observed 2, quantiles 1 and 3: pinball .1 and .5,
   so 2 (.3 * .1 + .7 * .5). */
static void levels_stand_for_what_is_nearest(void **state)
{
    const double quantiles[] = {1.0, 3.0}, levels[] = {0.1, 0.5};
    double value;
    EXPECT_OK(scores_crps_quantiles(quantiles, levels, 2, 2.0, &value, err));
    assert_near(value, 0.76, 1e-15);
}

static void samples_and_levels_are_checked(void **state)
{
    const double sample[] = {1.0, 2.0}, holes[] = {1.0, NAN}, falling[] = {0.5, 0.4};
    const double ends[] = {0.0, 0.5};
    struct error err = {0};
    double value;
    assert_int_equal(scores_crps_sample(sample, 0, 1.0, SCORES_CRPS_ORDINARY, &value, &err),
                     ERROR_DATA);
    assert_int_equal(scores_crps_sample(sample, 1, 1.0, SCORES_CRPS_FAIR, &value, &err),
                     ERROR_DATA);
    assert_int_equal(scores_crps_sample(holes, 2, 1.0, SCORES_CRPS_FAIR, &value, &err), ERROR_DATA);
    assert_int_equal(scores_crps_sample(sample, 2, NAN, SCORES_CRPS_FAIR, &value, &err),
                     ERROR_DATA);
    assert_int_equal(scores_crps_quantiles(sample, falling, 2, 1.0, &value, &err), ERROR_DATA);
    assert_int_equal(scores_crps_quantiles(sample, ends, 2, 1.0, &value, &err), ERROR_DATA);
    assert_int_equal(scores_crps_quantiles(sample, falling, 0, 1.0, &value, &err), ERROR_DATA);
}

/* ---- two forecasts ---------------------------------------------------------------------- */

/* Student's sleep data (1908, Biometrika 6, 1-25), as R's help of t.test pairs them: t = -4.0621,
   9 degrees, p = .002833. */
static void without_lags_it_is_the_paired_t_test(void **state)
{
    const double first[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const double second[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    struct scores_comparison test;
    EXPECT_OK(scores_compare(first, second, 10, 1, 0, &test, err));
    assert_near(test.mean, -1.58, 1e-12);
    assert_near(test.t, -4.0621, 5e-5);
    assert_near(test.p_value, 0.002833, 5e-7);
    assert_near(test.p_better, 0.5 * test.p_value, 1e-12);
    EXPECT_OK(scores_compare(second, first, 10, 1, 0, &test, err));
    assert_near(test.t, 4.0621, 5e-5);
    assert_near(test.p_better, 1.0 - 0.5 * 0.002833, 5e-7);
}

/* d = 3, 1, 3, 1: variance 1, at lag 1 -3/4, so with one lag (1 - 2 * .5 * .75) / 4 = 1/16. */
static void lags_are_weighed_as_newey_and_west_do(void **state)
{
    const double first[] = {4.0, 2.0, 4.0, 2.0}, second[] = {1.0, 1.0, 1.0, 1.0};
    struct scores_comparison test;
    EXPECT_OK(scores_compare(first, second, 4, 1, 1, &test, err));
    assert_near(test.statistic, 8.0, 1e-12);
    assert_near(test.t, 8.0 * sqrt(0.75), 1e-12);
    /* Horizon 2: (4 + 1 - 4 + 2 / 4) / 4. */
    EXPECT_OK(scores_compare(first, second, 4, 2, 1, &test, err));
    assert_near(test.t, 8.0 * sqrt(0.375), 1e-12);
}

static void lags_follow_the_rule(void **state)
{
    assert_int_equal(scores_lags(100, 1), 4);
    assert_int_equal(scores_lags(1000, 1), 6); /* 4 * 10^(2/9) = 6.67 */
    assert_int_equal(scores_lags(1000, 24), 23);
    assert_int_equal(scores_lags(2, 1), 1);
    assert_int_equal(scores_lags(1, 1), 0);
    assert_int_equal(scores_lags(0, 1), 0);
}

static void equal_losses_do_not_differ(void **state)
{
    const double same[] = {1.0, 5.0, 2.0, 7.0}, more[] = {2.0, 6.0, 3.0, 8.0};
    struct scores_comparison test;
    EXPECT_OK(scores_compare(same, same, 4, 1, SCORES_LAGS_RULE, &test, err));
    assert_true(test.t == 0.0);
    assert_near(test.p_value, 1.0, 1e-15);
    EXPECT_OK(scores_compare(same, more, 4, 1, 0, &test, err));
    assert_true(isinf(test.t) && test.t < 0.0);
    assert_true(test.p_value == 0.0 && test.p_better == 0.0);
}

static void comparisons_need_steps_and_finite_losses(void **state)
{
    const double losses[] = {1.0, 2.0, 3.0}, holes[] = {1.0, NAN, 3.0};
    struct scores_comparison test;
    struct error err = {0};
    assert_int_equal(scores_compare(losses, losses, 1, 1, 0, &test, &err), ERROR_DATA);
    assert_int_equal(scores_compare(losses, losses, 3, 0, 0, &test, &err), ERROR_DATA);
    assert_int_equal(scores_compare(losses, losses, 3, 3, 0, &test, &err), ERROR_DATA);
    assert_int_equal(scores_compare(losses, losses, 3, 1, 3, &test, &err), ERROR_DATA);
    assert_int_equal(scores_compare(losses, holes, 3, 1, 0, &test, &err), ERROR_DATA);
}

/* How often equal forecasts are called different at 5 %; their losses differ by e_t + theta
   e_(t-1). */
static double size_of(uint32_t trials, size_t steps, double theta, size_t lags)
{
    enum { MOST = 1000 };
    double normals[MOST + 1], losses[MOST], nothing[MOST] = {0};
    struct scores_comparison test;
    uint32_t rejected = 0;
    for (uint32_t trial = 0; trial < trials; trial++) {
        draw_normals(trial, steps + 1, normals);
        for (size_t i = 0; i < steps; i++)
            losses[i] = normals[i + 1] + theta * normals[i];
        EXPECT_OK(scores_compare(losses, nothing, steps, 1, lags, &test, err));
        rejected += test.p_value < 0.05;
    }
    print_message("T = %zu, theta %.1f, lags %zu of %u trials: rejected %.4f\n", steps, theta,
                  test.lags, trials, (double)rejected / trials);
    return (double)rejected / trials;
}

static void equal_forecasts_are_rejected_as_often_as_stated(void **state)
{
    uint32_t trials = is_long() ? 40000 : 2000;
    double four_errors = 4.0 * sqrt(0.05 * 0.95 / trials);
    /* Independent and normal: t is Student's by theory. */
    assert_near(size_of(trials, 30, 0.0, 0), 0.05, four_errors);
    /* Lags make the variance noisy: the law holds for long series. */
    assert_near(size_of(trials, 200, 0.0, SCORES_LAGS_RULE), 0.055, 0.01 + four_errors);
    if (is_long())
        assert_near(size_of(trials, 1000, 0.0, SCORES_LAGS_RULE), 0.05, 0.008);
}

/* theta .5: the variance of the mean is 2.25 / T, what is seen without lags 1.25 / T, so |t| > 1.96
   happens with probability 2 Phi(-1.96 sqrt(1.25 / 2.25)) = .144. Bartlett's weights with 4 lags
   see 2.05 / T: .061, and more by noise. */
static void losses_that_remember_need_lags(void **state)
{
    uint32_t trials = is_long() ? 40000 : 2000;
    double four_errors = 4.0 * sqrt(0.144 * 0.856 / trials);
    assert_near(size_of(trials, 200, 0.5, 0), 0.144, 0.005 + four_errors);
    assert_near(size_of(trials, 200, 0.5, SCORES_LAGS_RULE), 0.07, 0.02 + four_errors / 1.5);
}

/* ---- yes or no -------------------------------------------------------------------------- */

static void calls_are_counted(void **state)
{
    const unsigned char called[] = {1, 1, 0, 0, 1, 0, 0, 0}, came[] = {1, 0, 1, 0, 1, 0, 0, 1};
    struct scores_calls calls;
    scores_calls(called, came, 8, &calls);
    assert_near(calls.hit_rate, 2.0 / 3.0, 1e-15);
    assert_near(calls.found, 0.5, 1e-15);
    assert_near(calls.base_rate, 0.5, 1e-15);
    scores_calls(called, came, 0, &calls);
    assert_true(isnan(calls.hit_rate) && isnan(calls.found) && isnan(calls.base_rate));
}

static struct scores_interval auc_of(const double *scores, const unsigned char *came, size_t count,
                                     double level)
{
    struct scores_interval area;
    EXPECT_OK(scores_auc(scores, came, count, level, &area, err));
    return area;
}

/* 2 beats 1 of {1, 3}, 4 beats both: placements 1/2 and 1, of the others 1 and 1/2. Variances of
   either are 1/8, that of the area 1/8 / 2 + 1/8 / 2; half of the normal law lies within .674490.
 */
static void the_area_and_its_interval_by_hand(void **state)
{
    const double scores[] = {4.0, 1.0, 2.0, 3.0}, flat[] = {1.0, 1.0, 1.0, 1.0};
    const unsigned char came[] = {1, 0, 1, 0}, all[] = {1, 1, 1, 1}, one[] = {1, 0, 0, 0};
    struct scores_interval area = auc_of(scores, came, 4, 0.5);
    assert_near(area.value, 0.75, 1e-15);
    assert_near(area.low, 0.75 - 0.674490 * sqrt(0.125), 1e-6);
    assert_near(area.high, 0.75 + 0.674490 * sqrt(0.125), 1e-6);
    assert_near(auc_of(scores, came, 4, 0.95).high, 1.0, 1e-15);
    assert_near(auc_of(flat, came, 4, 0.95).value, 0.5, 1e-15);
    assert_true(isnan(auc_of(scores, all, 4, 0.95).value));
    assert_near(auc_of(scores, one, 4, 0.95).value, 1.0, 1e-15);
    assert_true(isnan(auc_of(scores, one, 4, 0.95).low));
}

/* 2 and 2 tie, 3 and 2: pairs (2, 1) 1, (2, 2) 1/2, (3, 1) 1, (3, 2) 1. */
static void ties_count_half(void **state)
{
    const double scores[] = {2.0, 2.0, 3.0, 1.0};
    const unsigned char came[] = {1, 0, 1, 0};
    assert_near(auc_of(scores, came, 4, 0.95).value, 3.5 / 4.0, 1e-15);
}

/* Scores N(d, 1) of what came, N(0, 1) of the rest: Phi(d / sqrt(2)). */
static void the_area_of_two_normals_is_covered(void **state)
{
    enum { EACH = 60 };
    uint32_t trials = is_long() ? 20000 : 1000, covered = 0;
    double scores[2 * EACH], expected = gsl_cdf_ugaussian_P(1.0 / sqrt(2.0)), sum = 0.0;
    unsigned char came[2 * EACH];
    for (uint32_t trial = 0; trial < trials; trial++) {
        draw_normals(trial, 2 * EACH, scores);
        for (size_t i = 0; i < 2 * EACH; i++) {
            came[i] = i % 2 == 0;
            scores[i] += came[i];
        }
        struct scores_interval area = auc_of(scores, came, 2 * EACH, 0.95);
        sum += area.value / trials;
        covered += area.low <= expected && expected <= area.high;
    }
    /* The standard deviation of one area is about .044. */
    assert_near(sum, expected, 4.0 * 0.05 / sqrt(trials));
    assert_near((double)covered / trials, 0.95, 0.01 + 4.0 * sqrt(0.05 * 0.95 / trials));
}

static void areas_refuse_what_cannot_be_ranked(void **state)
{
    const double scores[] = {1.0, NAN};
    const unsigned char came[] = {1, 0};
    struct scores_interval area;
    struct error err = {0};
    assert_int_equal(scores_auc(scores, came, 2, 0.95, &area, &err), ERROR_DATA);
    assert_int_equal(scores_auc(scores, came, 1, 1.0, &area, &err), ERROR_SCENARIO);
}

/* ---- intervals of series that remember -------------------------------------------------- */

static double mean_of(void *context, const size_t *steps, size_t count)
{
    const double *values = context;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += values[steps[i]];
    return sum / (double)count;
}

static struct scores_interval interval_of(double *values, size_t count, size_t block,
                                          enum scores_blocks blocks, uint64_t seed,
                                          size_t resamples)
{
    struct scores_bootstrap_plan plan = {{resamples, 0.95, seed}, block, blocks};
    struct scores_interval interval;
    EXPECT_OK(scores_bootstrap(mean_of, values, count, &plan, &interval, err));
    return interval;
}

static void blocks_stay_whole(void **state)
{
    enum { STEPS = 23, BLOCK = 5 };
    struct random_stream stream = random_stream_make(3, 0, "test.blocks");
    size_t steps[STEPS];
    bool wrapped = false;
    for (size_t r = 0; r < 500; r++) {
        scores_resample(&stream, r, STEPS, BLOCK, SCORES_BLOCKS_MOVING, steps);
        for (size_t i = 0; i < STEPS; i++)
            assert_true(steps[i] < STEPS && (i % BLOCK == 0 || steps[i] == steps[i - 1] + 1));
        scores_resample(&stream, r, STEPS, BLOCK, SCORES_BLOCKS_CIRCULAR, steps);
        for (size_t i = 0; i < STEPS; i++) {
            assert_true(i % BLOCK == 0 || steps[i] == (steps[i - 1] + 1) % STEPS);
            wrapped = wrapped || (i % BLOCK != 0 && steps[i] == 0);
        }
    }
    assert_true(wrapped);
}

/* A whole number of blocks of 5: a circular resample of 20 draws each step once on average, a
   moving one the first step 4 / 16 times. */
static void circular_blocks_draw_all_steps_alike(void **state)
{
    enum { STEPS = 20, RESAMPLES = 40000 };
    struct random_stream stream = random_stream_make(4, 0, "test.blocks");
    size_t steps[STEPS];
    double first[2] = {0.0, 0.0};
    for (size_t r = 0; r < RESAMPLES; r++)
        for (int blocks = 0; blocks < 2; blocks++) {
            scores_resample(&stream, r, STEPS, 5, (enum scores_blocks)blocks, steps);
            for (size_t i = 0; i < STEPS; i++)
                first[blocks] += steps[i] == 0 ? 1.0 / RESAMPLES : 0.0;
        }
    assert_near(first[SCORES_BLOCKS_MOVING], 0.25, 0.015);
    assert_near(first[SCORES_BLOCKS_CIRCULAR], 1.0, 0.025);
}

static void intervals_depend_on_the_seed_alone(void **state)
{
    double values[100];
    draw_normals(1, 100, values);
    struct scores_interval one = interval_of(values, 100, 5, SCORES_BLOCKS_MOVING, 7, 200);
    struct scores_interval two = interval_of(values, 100, 5, SCORES_BLOCKS_MOVING, 7, 200);
    struct scores_interval other = interval_of(values, 100, 5, SCORES_BLOCKS_MOVING, 8, 200);
    assert_memory_equal(&one, &two, sizeof one);
    assert_true(one.low != other.low);
    assert_true(one.value == other.value && one.low < one.value && one.value < one.high);
}

/* Blocks of one step of independent values: the mean is normal with deviation s / sqrt(n). */
static void single_steps_are_the_ordinary_bootstrap(void **state)
{
    enum { STEPS = 400 };
    double values[STEPS], square = 0.0;
    draw_normals(2, STEPS, values);
    struct scores_interval mean = interval_of(values, STEPS, 1, SCORES_BLOCKS_MOVING, 1, 4000);
    for (size_t i = 0; i < STEPS; i++)
        square += (values[i] - mean.value) * (values[i] - mean.value) / STEPS;
    double half = 1.959964 * sqrt(square / STEPS);
    assert_near(mean.low, mean.value - half, 0.08 * half);
    assert_near(mean.high, mean.value + half, 0.08 * half);
}

struct aligned {
    const double *x, *y;
};

/* Slope of y on x. */
static double slope_of(void *context, const size_t *steps, size_t count)
{
    const struct aligned *series = context;
    double xy = 0.0, xx = 0.0;
    for (size_t i = 0; i < count; i++) {
        xy += series->x[steps[i]] * series->y[steps[i]];
        xx += series->x[steps[i]] * series->x[steps[i]];
    }
    return xy / xx;
}

static void series_stay_aligned(void **state)
{
    double x[60], y[60];
    struct aligned series = {x, y};
    struct scores_bootstrap_plan plan = {{100, 0.9, 1}, 7, SCORES_BLOCKS_CIRCULAR};
    struct scores_interval slope;
    draw_normals(3, 60, x);
    for (size_t i = 0; i < 60; i++)
        y[i] = 2.5 * x[i];
    EXPECT_OK(scores_bootstrap(slope_of, &series, 60, &plan, &slope, err));
    assert_near(slope.low, 2.5, 1e-12);
    assert_near(slope.high, 2.5, 1e-12);
}

/* Unknown unless the draw holds the first step. */
static double only_with_the_first(void *context, const size_t *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (steps[i] == 0)
            return 1.0;
    return NAN;
}

static void statistics_that_often_cannot_say_have_no_interval(void **state)
{
    struct scores_bootstrap_plan plan = {{200, 0.9, 1}, 1, SCORES_BLOCKS_MOVING};
    struct scores_interval interval;
    EXPECT_OK(scores_bootstrap(only_with_the_first, NULL, 50, &plan, &interval, err));
    assert_near(interval.value, 1.0, 1e-15);
    assert_true(isnan(interval.low) && isnan(interval.high));
}

/* Of the mean of x_t = .5 x_(t-1) + e_t, true mean 0. */
static double coverage_of(uint32_t trials, size_t block, enum scores_blocks blocks)
{
    enum { STEPS = 500 };
    double normals[STEPS], values[STEPS];
    uint32_t covered = 0;
    for (uint32_t trial = 0; trial < trials; trial++) {
        draw_normals(trial, STEPS, normals);
        values[0] = normals[0] / sqrt(0.75);
        for (size_t i = 1; i < STEPS; i++)
            values[i] = 0.5 * values[i - 1] + normals[i];
        struct scores_interval mean = interval_of(values, STEPS, block, blocks, trial, 300);
        covered += mean.low <= 0.0 && 0.0 <= mean.high;
    }
    print_message("blocks of %zu, kind %d: 95 %% intervals cover %.3f of %u\n", block, (int)blocks,
                  (double)covered / trials, trials);
    return (double)covered / trials;
}

/* The variance of the mean is 3 times that of independent values (1.5 / .5), so single steps cover
   with probability 2 Phi(1.96 / sqrt(3)) - 1 = .742. Blocks of b see 1 - (4 / 3) / b of it: at 25
   and with the noise of 20 blocks about .93. */
static void blocks_cover_what_remembers(void **state)
{
    uint32_t trials = is_long() ? 4000 : 300;
    double four_errors = 4.0 * sqrt(0.93 * 0.07 / trials);
    assert_near(coverage_of(trials, 25, SCORES_BLOCKS_MOVING), 0.93, 0.015 + four_errors);
    assert_near(coverage_of(trials, 25, SCORES_BLOCKS_CIRCULAR), 0.93, 0.015 + four_errors);
    assert_near(coverage_of(trials, 1, SCORES_BLOCKS_MOVING), 0.742, 0.01 + 1.7 * four_errors);
}

static int planned(size_t count, size_t block, size_t resamples, double level)
{
    double values[10] = {0};
    struct scores_bootstrap_plan plan = {{resamples, level, 1}, block, SCORES_BLOCKS_MOVING};
    struct scores_interval interval;
    struct error err = {0};
    return scores_bootstrap(mean_of, values, count, &plan, &interval, &err);
}

static void plans_are_checked(void **state)
{
    assert_int_equal(planned(10, 10, 2, 0.9), ERROR_NONE);
    assert_int_equal(planned(10, 0, 2, 0.9), ERROR_SCENARIO);
    assert_int_equal(planned(10, 11, 2, 0.9), ERROR_SCENARIO);
    assert_int_equal(planned(10, 1, 1, 0.9), ERROR_SCENARIO);
    assert_int_equal(planned(10, 1, 2, 1.0), ERROR_SCENARIO);
    assert_int_equal(planned(0, 1, 2, 0.9), ERROR_DATA);
}

static void short_memory_is_an_error(void **state)
{
    const double values[] = {1.0, 2.0};
    const unsigned char came[] = {1, 0};
    struct scores_logs logs;
    struct scores_comparison test;
    struct scores_interval interval;
    struct error err = {0};
    double value;
    memory_fail_after(1);
    assert_int_equal(scores_log_errors(values, values, values, 2, 0.0, &logs, &err), ERROR_IO);
    memory_fail_after(1);
    assert_int_equal(scores_rank_correlation(values, values, 2, &value, &err), ERROR_IO);
    memory_fail_after(1);
    assert_int_equal(scores_crps_sample(values, 2, 1.0, SCORES_CRPS_FAIR, &value, &err), ERROR_IO);
    memory_fail_after(1);
    assert_int_equal(scores_compare(values, values, 2, 1, 0, &test, &err), ERROR_IO);
    memory_fail_after(1);
    assert_int_equal(scores_auc(values, came, 2, 0.9, &interval, &err), ERROR_IO);
    for (long countdown = 1; countdown <= 2; countdown++) {
        memory_fail_after(countdown);
        assert_int_equal(planned(10, 1, 2, 0.9), ERROR_IO);
    }
    memory_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_measured_from_the_edge_of_the_band),
        cmocka_unit_test(log_errors_have_the_median_and_mean_of_their_sizes),
        cmocka_unit_test(pairs_with_a_zero_are_left_out_and_counted),
        cmocka_unit_test(a_floor_keeps_all_known_pairs),
        cmocka_unit_test(no_pairs_say_nothing),
        cmocka_unit_test(amounts_below_zero_and_crossed_bands_are_refused),
        cmocka_unit_test(log_r2_is_held_to_the_mean_of_training),
        cmocka_unit_test(rank_correlation_is_that_of_the_textbook),
        cmocka_unit_test(tied_ranks_are_their_mean),
        cmocka_unit_test(shares_are_compared_as_they_are),
        cmocka_unit_test(pinball_weighs_by_side),
        cmocka_unit_test(the_quantile_has_the_least_pinball_loss),
        cmocka_unit_test(crps_of_small_samples_is_the_integral),
        cmocka_unit_test(crps_of_a_normal_sample_tends_to_the_closed_form),
        cmocka_unit_test(the_fair_score_has_no_bias),
        cmocka_unit_test(crps_of_centred_quantiles_is_that_of_a_sample),
        cmocka_unit_test(levels_stand_for_what_is_nearest),
        cmocka_unit_test(samples_and_levels_are_checked),
        cmocka_unit_test(without_lags_it_is_the_paired_t_test),
        cmocka_unit_test(lags_are_weighed_as_newey_and_west_do),
        cmocka_unit_test(lags_follow_the_rule),
        cmocka_unit_test(equal_losses_do_not_differ),
        cmocka_unit_test(comparisons_need_steps_and_finite_losses),
        cmocka_unit_test(equal_forecasts_are_rejected_as_often_as_stated),
        cmocka_unit_test(losses_that_remember_need_lags),
        cmocka_unit_test(calls_are_counted),
        cmocka_unit_test(the_area_and_its_interval_by_hand),
        cmocka_unit_test(ties_count_half),
        cmocka_unit_test(the_area_of_two_normals_is_covered),
        cmocka_unit_test(areas_refuse_what_cannot_be_ranked),
        cmocka_unit_test(blocks_stay_whole),
        cmocka_unit_test(circular_blocks_draw_all_steps_alike),
        cmocka_unit_test(intervals_depend_on_the_seed_alone),
        cmocka_unit_test(single_steps_are_the_ordinary_bootstrap),
        cmocka_unit_test(series_stay_aligned),
        cmocka_unit_test(statistics_that_often_cannot_say_have_no_interval),
        cmocka_unit_test(blocks_cover_what_remembers),
        cmocka_unit_test(plans_are_checked),
        cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
