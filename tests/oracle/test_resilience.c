/*
 * Oracle 11: liquidity that refills while the price drifts. With a uniform density of levels of
 * branching ratio n, an exogenous drift v and an impact that decays at rate rho,
 *     I(t) = (n v / rho) (1 - exp(-rho t / (1 - n))).
 * The engine decays once a step, so it comes to this as the step goes to 0.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

#define RATIO 0.6
#define RHO 2.0
#define DRIFT 0.1
#define DURATION 0.7
#define PUBLISHED 0.02909408

enum { CELLS = 500000, STEPS_MOST = 1600 };

static double same_coins(size_t k, const void *context)
{
    (void)k;
    return *(const double *)context;
}

/* Impact after the drift in `steps` steps. */
static double impact_after(struct laboratory *lab, size_t steps)
{
    double unit_ms = (double)steps * (double)LABORATORY_STEP_MS / DURATION;
    lab->params.bars = steps;
    lab->params.impact.half_life_ms = (int64_t)(M_LN2 / RHO * unit_ms + 0.5);
    struct laboratory_outcome out =
        laboratory_run(lab, DRIFT * DURATION, (int64_t)steps * LABORATORY_STEP_MS);
    return out.displacement_log - DRIFT * DURATION;
}

static void refilling_liquidity_holds_the_cascade_back(void **state)
{
    struct laboratory lab;
    double cell = 0.1 / CELLS, coins = 1.0, value[5];
    double expected = RATIO * DRIFT / RHO * (1.0 - exp(-RHO * DURATION / (1.0 - RATIO)));
    assert_near(expected, PUBLISHED, 5e-9);
    struct laboratory_level *levels = laboratory_cells(CELLS, 0.0, cell, 0.2, same_coins, &coins);
    laboratory_make(&lab, 120000.0, 0.0, levels, CELLS, RATIO * cell, STEPS_MOST);
    lab.params.impact.permanent_share = 0.0;
    for (int i = 0; i < 5; i++) {
        size_t steps = (size_t)STEPS_MOST >> (4 - i);
        value[i] = impact_after(&lab, steps);
        print_message("%zu steps: I = %.9f, %.2g from the closed form\n", steps, value[i],
                      value[i] - expected);
        if (i > 0) /* first order in the step */
            assert_near((value[i] - expected) / (value[i - 1] - expected), 0.5, 0.03);
    }
    laboratory_free(&lab);
    free(levels);
    /* Richardson: twice, for the terms in dt and dt^2. */
    for (int order = 1; order <= 2; order++)
        for (int i = 4; i >= order; i--)
            value[i] += (value[i] - value[i - 1]) / (ldexp(1.0, order) - 1.0);
    print_message("extrapolated to dt = 0: %.9f, closed form %.9f, published %.8f\n", value[4],
                  expected, PUBLISHED);
    assert_near(value[4], PUBLISHED, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refilling_liquidity_holds_the_cascade_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
