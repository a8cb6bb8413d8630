/* Scrambled Sobol points: balance, mean and what is refused. Boxes in several dimensions and the
   coins of the scrambling are held by the tests of sensitivity designs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/sobol.h"
#include "tests/support/near.h"

#define POINTS 256

static void fill(size_t points, size_t dimensions, uint64_t seed, double *out)
{
    struct random_stream stream = random_stream_make(seed, 0, "test.sobol");
    struct error err = {0};
    assert_int_equal(sobol_scrambled(points, dimensions, &stream, out, &err), ERROR_NONE);
}

/* 2^m points: every one of the 2^m equal parts of every axis holds exactly one. */
static void each_part_of_each_axis_holds_one_point(void **state)
{
    static double unit[POINTS * SOBOL_DIMENSIONS_MAX];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        fill(POINTS, SOBOL_DIMENSIONS_MAX, seed, unit);
        for (size_t d = 0; d < SOBOL_DIMENSIONS_MAX; d++) {
            int held[POINTS] = {0};
            for (size_t p = 0; p < POINTS; p++) {
                double u = unit[p * SOBOL_DIMENSIONS_MAX + d];
                assert_true(u > 0 && u < 1);
                held[(size_t)(u * POINTS)]++;
            }
            for (size_t part = 0; part < POINTS; part++)
                assert_int_equal(held[part], 1);
        }
    }
}

/* Integral of the product of two axes, 1/4: the error falls faster than the 1/sqrt(n) of chance,
   whose deviation here would be .0138. */
static void integrals_are_better_than_by_chance(void **state)
{
    double unit[2 * POINTS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        double sum = 0;
        fill(POINTS, 2, seed, unit);
        for (size_t p = 0; p < POINTS; p++)
            sum += unit[2 * p] * unit[2 * p + 1];
        assert_near(sum / POINTS, 0.25, 0.0025);
    }
}

static void longer_and_wider_designs_go_on(void **state)
{
    double small[8 * 2], large[32 * 5], other[8 * 2];
    fill(8, 2, 3, small);
    fill(32, 5, 3, large);
    fill(8, 2, 4, other);
    for (size_t p = 0; p < 8; p++)
        assert_memory_equal(small + 2 * p, large + 5 * p, 2 * sizeof *small);
    assert_memory_not_equal(small, other, sizeof small);
}

static void what_the_sequence_has_not_is_refused(void **state)
{
    struct random_stream stream = random_stream_make(1, 0, "test.sobol");
    struct error err = {0};
    double unit[64];
    assert_int_equal(sobol_scrambled(1, 41, &stream, unit, &err), ERROR_SCENARIO);
    assert_non_null(strstr(err.message, "expected 1 to 40"));
    assert_int_equal(sobol_scrambled(1, 0, &stream, unit, &err), ERROR_SCENARIO);
    assert_int_equal(sobol_scrambled(0, 1, &stream, unit, &err), ERROR_SCENARIO);
    assert_int_equal(sobol_scrambled(SOBOL_POINTS_MAX + 1, 1, &stream, unit, &err), ERROR_SCENARIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_of_each_axis_holds_one_point),
        cmocka_unit_test(integrals_are_better_than_by_chance),
        cmocka_unit_test(longer_and_wider_designs_go_on),
        cmocka_unit_test(what_the_sequence_has_not_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
