/*
 * Oracles 9 and 10 at length: the sizes of a million cascades each against quasibinomial and Borel
 * laws. Runs with LIQCASCADE_TEST_LONG=1 in the environment, else skips.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_sf_gamma.h>

#include "tests/statistical/cascade_sizes.h"
#include "tests/support/near.h"

enum { DRAWS = 1000000 };

static void long_tests_only(void)
{
    const char *wanted = getenv("LIQCASCADE_TEST_LONG");
    if (wanted != NULL && strcmp(wanted, "1") == 0)
        return;
    print_message("skipped: set LIQCASCADE_TEST_LONG=1\n");
    skip();
}

static void quasibinomial_to_four_standard_errors(void **state)
{
    enum { LEVELS = 50 };
    int64_t counts[LEVELS + 1];
    long_tests_only();
    cascade_sizes_uniform(11, DRAWS, LEVELS, 0.05, 0.016, counts);
    const double published[] = {0.076945, 0.088092};
    for (int r = 0; r < 2; r++) {
        double seen = (double)counts[r] / DRAWS;
        double error = sqrt(published[r] * (1.0 - published[r]) / DRAWS);
        print_message("P(%d) = %.6f, engine %.6f: %.2f s.e.\n", r, published[r], seen,
                      (seen - published[r]) / error);
        assert_near(seen, published[r], 4.0 * error);
    }
}

static void borel_mean_and_variance_to_two_per_cent(void **state)
{
    long_tests_only();
    uint32_t *sizes = calloc(DRAWS, sizeof *sizes);
    assert_non_null(sizes);
    cascade_sizes_poisson(12, 0.7, DRAWS, sizes);
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < DRAWS; i++)
        sum += sizes[i];
    for (size_t i = 0; i < DRAWS; i++)
        squares += (sizes[i] - sum / DRAWS) * (sizes[i] - sum / DRAWS);
    free(sizes);
    print_message("Borel, n = .7: mean %.4f (3.3333), variance %.3f (25.926)\n", sum / DRAWS,
                  squares / DRAWS);
    assert_near(sum / DRAWS, 3.3333, 0.02 * 3.3333);
    assert_near(squares / DRAWS, 25.926, 0.02 * 25.926);
}

/* P(S >= 100) of Borel(1): one less the sum of e^-k k^(k-1) / k!. */
static double critical_tail(int size)
{
    double below = 0.0;
    for (int k = 1; k < size; k++)
        below += exp(-k + (k - 1.0) * log(k) - gsl_sf_lnfact((unsigned)k));
    return 1.0 - below;
}

static void at_the_critical_point_the_tail_is_a_square_root(void **state)
{
    long_tests_only();
    double exact = critical_tail(100), asymptotic = sqrt(2.0 / (M_PI * 100.0));
    double seen = cascade_sizes_tail(13, 1.0, DRAWS, 100);
    print_message("P(S >= 100) at n = 1: engine %.5f, Borel %.5f, sqrt(2/(pi s)) %.5f\n", seen,
                  exact, asymptotic);
    assert_near(asymptotic, 0.0798, 5e-5);
    assert_near(seen, exact, 0.02 * exact);
    assert_near(seen, asymptotic, 0.02 * asymptotic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quasibinomial_to_four_standard_errors),
        cmocka_unit_test(borel_mean_and_variance_to_two_per_cent),
        cmocka_unit_test(at_the_critical_point_the_tail_is_a_square_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
