/* Each prior against its textbook moments and quantiles, its own probability, and its bounds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/priors.h"
#include "tests/support/near.h"

struct known {
    struct priors_law law;
    double mean, variance;
};

/* Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (2nd ed.). */
static size_t known_laws(struct known *out)
{
    const double log_mean = (10 - 0.1) / log(100.0), log_square = (100 - 0.01) / 2 / log(100.0);
    const struct known laws[] = {
        {{PRIORS_UNIFORM, {-2, 4}}, 1, 3},
        {{PRIORS_LOG_UNIFORM, {0.1, 10}}, log_mean, log_square - log_mean * log_mean},
        {{PRIORS_NORMAL, {3, 0.5}}, 3, 0.25},
        {{PRIORS_LOGNORMAL, {2, 0.4}}, 2 * exp(0.08), 4 * exp(0.16) * (exp(0.16) - 1)},
        {{PRIORS_TRIANGULAR, {0, 1, 5}}, 2, (25 + 1 - 5) / 18.0},
        {{PRIORS_TRIANGULAR, {1, 1, 3}}, 5 / 3.0, 4 / 18.0},
        {{PRIORS_BETA, {2, 5}}, 2 / 7.0, 10 / (49.0 * 8)},
    };
    memcpy(out, laws, sizeof laws);
    return sizeof laws / sizeof *laws;
}

/* The mean over u of Q and Q^2 by the midpoint rule is the first two moments; what the tails of a
   normal lose to 200,000 midpoints is below 1e-4 of its variance. */
static void quantiles_integrate_to_the_moments(void **state)
{
    enum { N = 200000 };
    struct known known[16];
    size_t count = known_laws(known);
    for (size_t k = 0; k < count; k++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            double x = priors_quantile(&known[k].law, (i + 0.5) / N);
            sum += x;
            squares += (x - known[k].mean) * (x - known[k].mean);
        }
        print_message("    %s: mean %.6f, variance %.6f\n", priors_rows[known[k].law.family].name,
                      sum / N, squares / N);
        assert_near(sum / N, known[k].mean, 2e-5 * (1 + fabs(known[k].mean)));
        assert_near(squares / N, known[k].variance, 2e-4 * known[k].variance);
    }
}

static void probability_undoes_the_quantile(void **state)
{
    struct known known[16];
    size_t count = known_laws(known);
    for (size_t k = 0; k < count; k++) {
        double before = -INFINITY;
        for (int i = 1; i < 100; i++) {
            double x = priors_quantile(&known[k].law, i / 100.0);
            assert_true(x > before);
            assert_near(priors_probability(&known[k].law, x), i / 100.0, 1e-9);
            before = x;
        }
    }
}

/* Abramowitz and Stegun, table 26.5: P(1.96) = .97500; the median of a lognormal is its first
   parameter, and of a triangle (0, 1, 5) it is 5 - sqrt(10). */
static void known_quantiles(void **state)
{
    const struct priors_law normal = {PRIORS_NORMAL, {10, 2}};
    const struct priors_law lognormal = {PRIORS_LOGNORMAL, {9e-4, 0.2}};
    const struct priors_law triangle = {PRIORS_TRIANGULAR, {0, 1, 5}};
    const struct priors_law wide = {PRIORS_LOG_UNIFORM, {0.1, 10}};
    const struct priors_law beta = {PRIORS_BETA, {2, 1}};
    assert_near(priors_quantile(&normal, 0.975), 10 + 2 * 1.959964, 2e-6);
    assert_near(priors_quantile(&lognormal, 0.5), 9e-4, 1e-15);
    assert_near(priors_quantile(&lognormal, 0.8413447460685429), 9e-4 * exp(0.2), 1e-12);
    assert_near(priors_quantile(&triangle, 0.5), 5 - sqrt(10), 1e-12);
    assert_near(priors_quantile(&triangle, 0.2), 1, 1e-12);
    assert_near(priors_quantile(&wide, 0.5), 1, 1e-12);
    assert_near(priors_quantile(&beta, 0.25), 0.5, 1e-9); /* P = x^2 */
}

/* A standard normal cut to x > 0 is half normal: its median is the .75 quantile, .67449. */
static void tails_beyond_the_bounds_are_cut_off(void **state)
{
    const struct priors_law normal = {PRIORS_NORMAL, {0, 1}};
    const struct priors_law uniform = {PRIORS_UNIFORM, {0.5, 1}};
    assert_near(priors_draw(&normal, 0, INFINITY, 0.5), 0.6744898, 1e-6);
    assert_true(priors_draw(&normal, 0, 1, 1e-9) >= 0);
    assert_true(priors_draw(&normal, 0, 1, 1 - 1e-9) <= 1);
    assert_near(priors_draw(&normal, -INFINITY, INFINITY, 0.975), 1.959964, 2e-6);
    assert_near(priors_draw(&uniform, 0, 2, 0.5), 0.75, 1e-15);
}

static void refuse(struct priors_law law, double low, double high, const char *says)
{
    struct error err = {0};
    assert_int_equal(priors_check(&law, low, high, &err), ERROR_SCENARIO);
    if (strstr(err.message, says) == NULL)
        fail_msg("says '%s'; expected '%s'", err.message, says);
}

static void what_is_no_distribution_is_refused(void **state)
{
    const double none = INFINITY;
    refuse((struct priors_law){PRIORS_UNIFORM, {1, 1}}, -none, none, "no room between its ends");
    refuse((struct priors_law){PRIORS_LOG_UNIFORM, {0, 1}}, -none, none, "above 0");
    refuse((struct priors_law){PRIORS_LOG_UNIFORM, {2, 1}}, -none, none, "no room");
    refuse((struct priors_law){PRIORS_NORMAL, {1, 0}}, -none, none, "sigma above 0");
    refuse((struct priors_law){PRIORS_LOGNORMAL, {-1, 1}}, -none, none, "above 0");
    refuse((struct priors_law){PRIORS_LOGNORMAL, {1, 0}}, -none, none, "above 0");
    refuse((struct priors_law){PRIORS_TRIANGULAR, {0, 2, 1}}, -none, none, "[low, mode, high]");
    refuse((struct priors_law){PRIORS_TRIANGULAR, {1, 1, 1}}, -none, none, "[low, mode, high]");
    refuse((struct priors_law){PRIORS_BETA, {0, 1}}, -none, none, "a and b above 0");
    refuse((struct priors_law){PRIORS_CHOICE, {0}}, -none, none, "not the distribution");
}

static void what_leaves_the_bounds_of_its_key_is_refused(void **state)
{
    struct error err = {0};
    const struct priors_law fits = {PRIORS_UNIFORM, {0, 1}};
    const struct priors_law mostly = {PRIORS_NORMAL, {0.1, 1}};
    refuse((struct priors_law){PRIORS_UNIFORM, {0, 1.5}}, 0, 1, "out of bounds");
    refuse((struct priors_law){PRIORS_TRIANGULAR, {-1, 0, 1}}, 0, 1, "out of bounds");
    refuse((struct priors_law){PRIORS_NORMAL, {-1, 1}}, 0, INFINITY, "only 0.16 of its weight");
    refuse((struct priors_law){PRIORS_BETA, {2, 2}}, 1, 1000, "only 0 of its weight");
    assert_int_equal(priors_check(&fits, 0, 1, &err), ERROR_NONE);
    assert_int_equal(priors_check(&mostly, 0, INFINITY, &err), ERROR_NONE);
}

static void each_family_has_a_name_and_words(void **state)
{
    for (int i = 0; i < PRIORS_COUNT; i++) {
        const struct priors_row *row = &priors_rows[i];
        assert_int_equal(priors_find(row->name), i);
        assert_true(strlen(row->documentation) > 5 && strlen(row->example) > 5);
        for (int p = 0; p < row->parameter_count; p++)
            assert_non_null(row->parameters[p].name);
    }
    assert_int_equal(priors_find("gamma"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_integrate_to_the_moments),
        cmocka_unit_test(probability_undoes_the_quantile),
        cmocka_unit_test(known_quantiles),
        cmocka_unit_test(tails_beyond_the_bounds_are_cut_off),
        cmocka_unit_test(what_is_no_distribution_is_refused),
        cmocka_unit_test(what_leaves_the_bounds_of_its_key_is_refused),
        cmocka_unit_test(each_family_has_a_name_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
