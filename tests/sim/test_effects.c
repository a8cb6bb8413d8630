/* Elementary effects against effects computed by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/study/effects.h"
#include "tests/support/near.h"

static const struct resample_plan bootstrap = {200, 0.9, 1};

/* Three trajectories of x1 x2: from (0, 0) by x1 and then x2; from (1, 1) by x2 and then x1; from
   (0, 1) by x1 and then x2. */
static const double unit[] = {0, 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0};
static const double product[] = {0, 0, 1, 1, 0, 0, 0, 1, 0};

/* Effects of x1: 0, 0, 1; of x2: 1, 1, 1. */
static void of_a_product(void **state)
{
    struct effects_factor factor[2];
    struct error err = {0};
    assert_int_equal(effects_estimate(2, 3, unit, product, &bootstrap, factor, &err), ERROR_NONE);
    assert_near(factor[0].mu, 1.0 / 3.0, 1e-15);
    assert_near(factor[0].mu_star, 1.0 / 3.0, 1e-15);
    assert_near(factor[0].sigma, sqrt(1.0 / 3.0), 1e-15);
    assert_near(factor[1].mu, 1.0, 1e-15);
    assert_near(factor[1].sigma, 0.0, 1e-15);
    /* Any resample of the three holds the last from none to three times. */
    assert_near(factor[0].mu_star_low, 0.0, 1e-15);
    assert_in_range((long)(100.0 * factor[0].mu_star_high), 66, 100);
    /* What is the same in every trajectory is certain. */
    assert_near(factor[1].mu_star_low, 1.0, 1e-15);
    assert_near(factor[1].mu_star_high, 1.0, 1e-15);
}

/* Effects of both signs cancel in mu and not in mu_star. */
static void of_both_signs(void **state)
{
    static const double line[] = {0, 1, 0, 1};
    static const double outputs[] = {0, 3, 0, -3};
    struct effects_factor factor;
    struct error err = {0};
    assert_int_equal(effects_estimate(1, 2, line, outputs, NULL, &factor, &err), ERROR_NONE);
    assert_near(factor.mu, 0.0, 0.0);
    assert_near(factor.mu_star, 3.0, 0.0);
    assert_near(factor.sigma, sqrt(18.0), 1e-15);
    assert_true(isnan(factor.mu_star_low) && isnan(factor.mu_star_high));
}

/* A step down is a step: the effect is per unit of the factor, with its sign. */
static void of_a_step_down(void **state)
{
    static const double line[] = {0.875, 0.375, 0.125, 0.625};
    static const double outputs[] = {0, 1, 0, -1};
    struct effects_factor factor;
    struct error err = {0};
    assert_int_equal(effects_estimate(1, 2, line, outputs, NULL, &factor, &err), ERROR_NONE);
    assert_near(factor.mu, -2.0, 0.0);
    assert_near(factor.sigma, 0.0, 0.0);
}

static void what_cannot_be_told_is_refused(void **state)
{
    double steps[18], outputs[9];
    struct effects_factor factor[2];
    struct error err = {0};
    struct resample_plan wrong = {1, 0.9, 1};
    memcpy(steps, unit, sizeof steps);
    memcpy(outputs, product, sizeof outputs);
    assert_int_equal(effects_estimate(2, 1, steps, outputs, NULL, factor, &err), ERROR_SCENARIO);
    assert_int_equal(effects_estimate(0, 3, steps, outputs, NULL, factor, &err), ERROR_SCENARIO);
    assert_int_equal(effects_estimate(2, 3, steps, outputs, &wrong, factor, &err), ERROR_SCENARIO);
    outputs[4] = NAN;
    assert_int_equal(effects_estimate(2, 3, steps, outputs, NULL, factor, &err), ERROR_NUMERICAL);
    outputs[4] = 0;
    steps[2] = 0; /* the first step moves nothing */
    assert_int_equal(effects_estimate(2, 3, steps, outputs, NULL, factor, &err), ERROR_NUMERICAL);
    steps[2] = steps[3] = 1; /* both, and the second nothing */
    assert_int_equal(effects_estimate(2, 3, steps, outputs, NULL, factor, &err), ERROR_NUMERICAL);
    steps[3] = steps[5] = 0; /* the first factor twice */
    steps[4] = 0.5;
    assert_int_equal(effects_estimate(2, 3, steps, outputs, NULL, factor, &err), ERROR_NUMERICAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_product),
        cmocka_unit_test(of_both_signs),
        cmocka_unit_test(of_a_step_down),
        cmocka_unit_test(what_cannot_be_told_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
