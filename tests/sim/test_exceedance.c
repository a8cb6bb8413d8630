#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/study/exceedance.h"
#include "tests/support/near.h"

/* So many exceedances, spread evenly. */
static struct exceedance spread(size_t count, size_t exceeded, double expected)
{
    static unsigned char steps[1000];
    struct exceedance out;
    for (size_t i = 0; i < count; i++)
        steps[i] = (i + 1) * exceeded / count > i * exceeded / count;
    exceedance_test(steps, count, expected, &out);
    assert_int_equal(out.exceeded, exceeded);
    return out;
}

/* Kupiec (1995), table 3 (as in Jorion, Value at Risk): numbers of exceedances between which a
   forecast is not rejected at 95 %. */
static void test_kupiec_regions_are_the_published_ones(void **state)
{
    static const struct {
        double expected;
        size_t count, below, above; /* rejected at these, not between */
    } regions[] = {
        {0.05, 255, 6, 21}, {0.05, 510, 16, 36}, {0.05, 1000, 37, 65},
        {0.01, 510, 1, 11}, {0.01, 1000, 4, 17}, {0.025, 255, 2, 12},
    };
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        size_t count = regions[i].count;
        double expected = regions[i].expected;
        assert_true(spread(count, regions[i].below, expected).kupiec_p < 0.05);
        assert_true(spread(count, regions[i].below + 1, expected).kupiec_p > 0.05);
        assert_true(spread(count, regions[i].above - 1, expected).kupiec_p > 0.05);
        assert_true(spread(count, regions[i].above, expected).kupiec_p < 0.05);
    }
}

static void test_the_expected_share_has_no_likelihood_against_it(void **state)
{
    struct exceedance got = spread(400, 20, 0.05);
    assert_near(got.kupiec, 0.0, 1e-12);
    assert_near(got.kupiec_p, 1.0, 1e-6);
    assert_near(got.share, 0.05, 1e-15);
}

/* No exceedances at all: -2 T ln(1 - p). */
static void test_none_is_possible(void **state)
{
    struct exceedance got = spread(100, 0, 0.05);
    assert_near(got.kupiec, -200.0 * log(0.95), 1e-12);
    assert_near(got.clustering, 0.0, 1e-12);
}

/* By hand: alternating steps have chances 1 and 0 apart and 1/2 together. */
static void test_clusters_are_told_by_hand_computation(void **state)
{
    static const unsigned char alternating[] = {0, 1, 0, 1, 0}, independent[] = {0, 0, 1, 1, 0};
    struct exceedance got;
    exceedance_test(alternating, 5, 0.4, &got);
    assert_near(got.clustering, 8.0 * log(2.0), 1e-12);
    assert_near(got.kupiec, 0.0, 1e-12);
    /* Chi squared of two degrees has the tail exp(-x / 2). */
    assert_near(got.both_p, exp(-4.0 * log(2.0)), 1e-12);
    exceedance_test(independent, 5, 0.4, &got);
    assert_near(got.clustering, 0.0, 1e-12);
}

static void test_one_step_says_nothing(void **state)
{
    static const unsigned char one[] = {1};
    struct exceedance got;
    exceedance_test(one, 1, 0.05, &got);
    assert_true(isnan(got.kupiec_p) && isnan(got.share));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kupiec_regions_are_the_published_ones),
        cmocka_unit_test(test_the_expected_share_has_no_likelihood_against_it),
        cmocka_unit_test(test_none_is_possible),
        cmocka_unit_test(test_clusters_are_told_by_hand_computation),
        cmocka_unit_test(test_one_step_says_nothing),
    };
    return cmocka_run_group_tests_name("exceedance", tests, NULL, NULL);
}
