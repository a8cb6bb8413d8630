/* Quantiles by Hyndman and Fan's seventh definition, means, and what is missing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reports/bands.h"
#include "tests/support/near.h"

/* R, quantile(c(15, 20, 35, 40, 50), .4): rank 1 + 4 * .4 = 2.6, so 20 + .6 * 15 = 29. */
static void quantiles_are_linear_between_order_statistics(void **state)
{
    const double probabilities[] = {0, 0.05, 0.25, 0.4, 0.5, 0.75, 1};
    const double expected[] = {15, 16, 20, 29, 35, 40, 50};
    double values[] = {40, 15, 50, 35, 20}, quantiles[7];
    struct bands bands;
    bands_of(values, 5, probabilities, 7, &bands, quantiles);
    for (int i = 0; i < 7; i++)
        assert_near(quantiles[i], expected[i], 1e-13);
    assert_near(bands.mean, 32, 1e-13);
    assert_int_equal(bands.n, 5);
    assert_int_equal(bands.missing, 0);
}

static void missing_values_are_left_out_and_counted(void **state)
{
    const double probabilities[] = {0.5};
    double values[] = {NAN, 3, NAN, 1, NAN}, none[] = {NAN, NAN}, median;
    struct bands bands;
    bands_of(values, 5, probabilities, 1, &bands, &median);
    assert_int_equal(bands.n, 2);
    assert_int_equal(bands.missing, 3);
    assert_near(bands.mean, 2, 0);
    assert_near(median, 2, 0);
    bands_of(none, 2, probabilities, 1, &bands, &median);
    assert_int_equal(bands.n, 0);
    assert_int_equal(bands.missing, 2);
    assert_true(isnan(bands.mean) && isnan(median));
    bands_of(none, 0, probabilities, 1, &bands, &median);
    assert_true(isnan(bands.mean) && isnan(median));
}

static void one_value_is_its_own_band(void **state)
{
    const double probabilities[] = {0, 0.3, 1};
    double value = 7.25, quantiles[3];
    struct bands bands;
    bands_of(&value, 1, probabilities, 3, &bands, quantiles);
    for (int i = 0; i < 3; i++)
        assert_near(quantiles[i], 7.25, 0);
    assert_near(bands.mean, 7.25, 0);
}

/* The sum of .1 ten times is not 1. */
static void equal_values_have_exactly_their_mean(void **state)
{
    const double probabilities[] = {0.123, 0.5, 0.95};
    double values[10], quantiles[3];
    struct bands bands;
    for (int i = 0; i < 10; i++)
        values[i] = 0.1;
    bands_of(values, 10, probabilities, 3, &bands, quantiles);
    assert_true(bands.mean == 0.1);
    for (int i = 0; i < 3; i++)
        assert_true(quantiles[i] == 0.1);
}

static void the_order_of_values_changes_no_bit(void **state)
{
    const double probabilities[] = {0.05, 0.5, 0.95};
    double forward[97], backward[97], a[3], b[3];
    struct bands first, second;
    for (int i = 0; i < 97; i++) {
        forward[i] = exp(0.3 * (i * 31 % 97)) / 7;
        backward[96 - i] = forward[i];
    }
    bands_of(forward, 97, probabilities, 3, &first, a);
    bands_of(backward, 97, probabilities, 3, &second, b);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(&first.mean, &second.mean, sizeof first.mean);
}

/* A cascade without end in some draws: the quantiles below it are numbers. */
static void infinite_values_have_their_place(void **state)
{
    const double probabilities[] = {0, 0.25, 1};
    double values[] = {INFINITY, 1, 2, INFINITY, INFINITY}, quantiles[3];
    struct bands bands;
    bands_of(values, 5, probabilities, 3, &bands, quantiles);
    assert_near(quantiles[0], 1, 0);
    assert_near(quantiles[1], 2, 0);
    assert_true(isinf(quantiles[2]) && isinf(bands.mean));
}

/* Two draws of three replicates: {1 2 3}, {5 . 9}. */
static void a_band_spans_draws_or_replicates_or_both(void **state)
{
    const double values[] = {1, 2, 3, 5, NAN, 9};
    double out[6];
    assert_int_equal(bands_span(values, 2, 3, BANDS_DRAWS, out), 2);
    assert_near(out[0], 2, 0);
    assert_near(out[1], 7, 0);
    assert_int_equal(bands_span(values, 2, 3, BANDS_REPLICATES, out), 3);
    assert_near(out[0], 3, 0);
    assert_near(out[1], 2, 0);
    assert_near(out[2], 6, 0);
    assert_int_equal(bands_span(values, 2, 3, BANDS_BOTH, out), 6);
    assert_memory_equal(out, values, sizeof values);
}

static void a_draw_without_a_value_is_missing(void **state)
{
    const double values[] = {NAN, NAN, 1, INFINITY};
    double out[4];
    assert_int_equal(bands_span(values, 2, 2, BANDS_DRAWS, out), 2);
    assert_true(isnan(out[0]));
    assert_true(isinf(out[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_linear_between_order_statistics),
        cmocka_unit_test(missing_values_are_left_out_and_counted),
        cmocka_unit_test(one_value_is_its_own_band),
        cmocka_unit_test(equal_values_have_exactly_their_mean),
        cmocka_unit_test(the_order_of_values_changes_no_bit),
        cmocka_unit_test(infinite_values_have_their_place),
        cmocka_unit_test(a_band_spans_draws_or_replicates_or_both),
        cmocka_unit_test(a_draw_without_a_value_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
