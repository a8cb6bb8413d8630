/* Coverage tests: counting, the ends where likelihoods are limits, size and power, errors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_randist.h>

#include "base/random.h"
#include "sim/study/coverage.h"
#include "tests/support/near.h"

static struct coverage_counts counted(const unsigned char *hits, size_t steps)
{
    struct coverage_counts counts;
    struct error err = {0};
    if (coverage_count(hits, steps, &counts, &err) != ERROR_NONE)
        fail_msg("coverage_count: %s", err.message);
    return counts;
}

static double unconditional_ratio(size_t steps, size_t exceedances, double rate)
{
    struct coverage_test test;
    struct error err = {0};
    if (coverage_unconditional(steps, exceedances, rate, &test, &err) != ERROR_NONE)
        fail_msg("coverage_unconditional: %s", err.message);
    return test.ratio;
}

static void neighbours_are_counted_by_what_came_before(void **state)
{
    const unsigned char hits[] = {0, 0, 0, 0, 1, 1, 1, 0, 1};
    struct coverage_counts counts = counted(hits, sizeof hits);
    assert_int_equal(counts.steps, 9);
    assert_int_equal(counts.exceedances, 4);
    assert_int_equal(counts.transitions[0][0], 3);
    assert_int_equal(counts.transitions[0][1], 2);
    assert_int_equal(counts.transitions[1][0], 1);
    assert_int_equal(counts.transitions[1][1], 2);
}

static void a_forecast_that_holds_exactly_has_ratio_zero(void **state)
{
    assert_near(unconditional_ratio(200, 10, 0.05), 0.0, 1e-12);
    assert_near(unconditional_ratio(1000, 250, 0.25), 0.0, 1e-12);
    assert_true(unconditional_ratio(200, 11, 0.05) > 0.01);
    assert_true(unconditional_ratio(200, 9, 0.05) > 0.01);
}

/* -2 T ln(1 - p) without exceedances, -2 T ln p with nothing else. */
static void the_ends_are_limits_of_the_likelihood(void **state)
{
    assert_near(unconditional_ratio(250, 0, 0.01), -500.0 * log(0.99), 1e-12);
    assert_near(unconditional_ratio(250, 250, 0.01), -500.0 * log(0.01), 1e-9);
    assert_near(unconditional_ratio(1, 0, 0.5), 2.0 * log(2.0), 1e-15);
    assert_near(unconditional_ratio(1, 1, 0.5), 2.0 * log(2.0), 1e-15);
}

static void says_nothing_of_independence(const unsigned char *hits, size_t steps)
{
    struct coverage_counts counts = counted(hits, steps);
    struct coverage_test test;
    coverage_independence(&counts, &test);
    assert_true(test.ratio == 0.0);
    assert_true(test.p_value == 1.0);
}

static void a_series_without_transitions_says_nothing_of_independence(void **state)
{
    const unsigned char none[6] = {0}, last[6] = {0, 0, 0, 0, 0, 1}, all[6] = {1, 1, 1, 1, 1, 1};
    const unsigned char left[6] = {1, 0, 0, 0, 0, 0};
    says_nothing_of_independence(none, 0);
    says_nothing_of_independence(none, 1);
    says_nothing_of_independence(none, 6);
    says_nothing_of_independence(last, 6);
    says_nothing_of_independence(all, 6);
    /* One exceedance at the start: all that follows a step is 0, from either state. */
    says_nothing_of_independence(left, 6);
}

/* 0101...01, m pairs: the chain foresees each step, the pooled rate is m / (2 m - 1). */
static void perfect_alternation_is_the_strongest_dependence(void **state)
{
    enum { PAIRS = 20 };
    unsigned char hits[2 * PAIRS];
    struct coverage_test test;
    for (int i = 0; i < 2 * PAIRS; i++)
        hits[i] = i % 2 == 1;
    struct coverage_counts counts = counted(hits, sizeof hits);
    coverage_independence(&counts, &test);
    double all = 2.0 * PAIRS - 1.0, m = PAIRS;
    assert_near(test.ratio, -2.0 * (m * log(m / all) + (m - 1.0) * log((m - 1.0) / all)), 1e-10);
    assert_true(test.p_value < 1e-10);
}

static void conditional_coverage_is_both_at_once(void **state)
{
    const unsigned char hits[] = {0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0};
    struct coverage_counts counts = counted(hits, sizeof hits);
    struct coverage_test independence, both;
    struct error err = {0};
    coverage_independence(&counts, &independence);
    assert_int_equal(coverage_conditional(&counts, 0.1, &both, &err), ERROR_NONE);
    assert_near(both.ratio, unconditional_ratio(12, 4, 0.1) + independence.ratio, 1e-12);
    /* P(chi-squared with 2 degrees > x) = exp(-x / 2). */
    assert_near(both.p_value, exp(-0.5 * both.ratio), 1e-12);
}

/* By the binomial law itself: a true forecast is rejected at 5 % about one time in twenty. */
static void a_true_forecast_is_rejected_as_often_as_stated(void **state)
{
    double rejected = 0.0;
    for (unsigned x = 0; x <= 1000; x++)
        if (unconditional_ratio(1000, x, 0.05) > 3.841459)
            rejected += gsl_ran_binomial_pdf(x, 0.05, 1000);
    print_message("T = 1,000, p = 5 %%: rejected at 5 %% with probability %.4f\n", rejected);
    assert_near(rejected, 0.05, 0.01);
}

/* A chain with the rates of exceedance after a quiet step and after an exceedance; how many of
   `count` series are rejected for dependence at 5 %. */
static int rejected_of(uint64_t seed, int count, double after_quiet, double after_hit)
{
    enum { STEPS = 1000 };
    struct random_stream stream = random_stream_make(seed, 0, "exceedances");
    unsigned char hits[STEPS];
    int rejected = 0;
    for (int series = 0; series < count; series++) {
        struct coverage_test test;
        for (int i = 0; i < STEPS; i++) {
            struct random_block block = random_block_at(&stream, (uint32_t)series, (uint32_t)i);
            double rate = i > 0 && hits[i - 1] ? after_hit : after_quiet;
            hits[i] = random_uniform(block.word[0]) < rate;
        }
        struct coverage_counts counts = counted(hits, STEPS);
        coverage_independence(&counts, &test);
        rejected += test.p_value < 0.05;
    }
    return rejected;
}

/* Standard error of the share .05 in 2,000: .005; the rest is the chi-squared law's own. */
static void independent_exceedances_pass_and_clustered_ones_do_not(void **state)
{
    int independent = rejected_of(1, 2000, 0.1, 0.1), clustered = rejected_of(2, 200, 0.08, 0.4);
    print_message("rejected: %.2f %% of independent series, %.1f %% of clustered ones\n",
                  independent / 20.0, clustered / 2.0);
    assert_near(independent / 2000.0, 0.05, 0.025);
    assert_true(clustered > 190);
}

static void what_is_no_forecast_or_no_series_is_refused(void **state)
{
    struct coverage_counts counts = {10, 1, {{8, 1}, {0, 0}}};
    struct coverage_test test;
    struct error err = {0};
    const double rates[] = {0.0, 1.0, -0.01, 1.01, NAN};
    const unsigned char hits[] = {0, 1, 2};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        assert_int_equal(coverage_unconditional(10, 1, rates[i], &test, &err), ERROR_SCENARIO);
        assert_int_equal(coverage_conditional(&counts, rates[i], &test, &err), ERROR_SCENARIO);
    }
    assert_int_equal(coverage_unconditional(0, 0, 0.05, &test, &err), ERROR_DATA);
    assert_int_equal(coverage_unconditional(10, 11, 0.05, &test, &err), ERROR_DATA);
    assert_int_equal(coverage_count(hits, 3, &counts, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "exceedance 3 is 2"));
    assert_int_equal(coverage_unconditional(10, 1, 0.0, &test, NULL), ERROR_SCENARIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_counted_by_what_came_before),
        cmocka_unit_test(a_forecast_that_holds_exactly_has_ratio_zero),
        cmocka_unit_test(the_ends_are_limits_of_the_likelihood),
        cmocka_unit_test(a_series_without_transitions_says_nothing_of_independence),
        cmocka_unit_test(perfect_alternation_is_the_strongest_dependence),
        cmocka_unit_test(conditional_coverage_is_both_at_once),
        cmocka_unit_test(a_true_forecast_is_rejected_as_often_as_stated),
        cmocka_unit_test(independent_exceedances_pass_and_clustered_ones_do_not),
        cmocka_unit_test(what_is_no_forecast_or_no_series_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
