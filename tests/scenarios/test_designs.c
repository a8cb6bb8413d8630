/* Latin hypercubes hold one point per part and axis; Morris's trajectories move one axis at a time
   by their step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/designs.h"
#include "tests/support/near.h"

static double *latin(size_t points, size_t axes, uint64_t seed)
{
    struct error err = {0};
    double *unit = calloc(points * axes, sizeof *unit);
    assert_non_null(unit);
    assert_int_equal(designs_latin(points, axes, seed, unit, &err), ERROR_NONE);
    return unit;
}

static double *morris(size_t trajectories, size_t axes, uint64_t seed)
{
    struct error err = {0};
    double *unit = calloc(designs_morris_points(trajectories, axes) * axes, sizeof *unit);
    assert_non_null(unit);
    assert_int_equal(designs_morris(trajectories, axes, seed, unit, &err), ERROR_NONE);
    return unit;
}

/* Any number of points, not powers of two alone. */
static void a_latin_hypercube_has_one_point_in_each_part_of_each_axis(void **state)
{
    static const size_t sizes[] = {1, 2, 7, 100, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s];
        double *unit = latin(n, 3, 11);
        for (size_t axis = 0; axis < 3; axis++) {
            char *held = calloc(n, 1);
            assert_non_null(held);
            for (size_t p = 0; p < n; p++) {
                double u = unit[3 * p + axis];
                assert_true(u > 0 && u < 1);
                assert_int_equal(held[(size_t)(u * (double)n)]++, 0);
            }
            free(held);
        }
        free(unit);
    }
}

/* Independent orders: over 1,000 points a correlation has a deviation of .032. */
static void axes_of_a_latin_hypercube_are_not_correlated(void **state)
{
    double *unit = latin(1000, 2, 5), sum = 0;
    for (size_t p = 0; p < 1000; p++)
        sum += 12 * (unit[2 * p] - 0.5) * (unit[2 * p + 1] - 0.5);
    print_message("    correlation %.3f\n", sum / 1000);
    assert_near(sum / 1000, 0, 0.13);
    free(unit);
}

/* The part of the first point is any of n alike: chi-square over 4 parts, 400 seeds, 3 degrees of
   freedom; 16.27 is exceeded once in a thousand. */
static void every_order_is_as_likely(void **state)
{
    double chi = 0;
    int counts[4] = {0};
    for (uint64_t seed = 1; seed <= 400; seed++) {
        double *unit = latin(4, 1, seed);
        counts[(int)(4 * unit[0])]++;
        free(unit);
    }
    for (int i = 0; i < 4; i++)
        chi += (counts[i] - 100) * (counts[i] - 100) / 100.0;
    print_message("    chi-square %.2f\n", chi);
    assert_true(chi < 16.27);
}

static void an_axis_is_the_same_whatever_others_there_are(void **state)
{
    double *narrow = latin(50, 1, 9), *wide = latin(50, 4, 9), *other = latin(50, 1, 10);
    int same = 0;
    for (size_t p = 0; p < 50; p++) {
        assert_true(narrow[p] == wide[4 * p]);
        same += narrow[p] == other[p];
    }
    assert_int_equal(same, 0);
    free(narrow);
    free(wide);
    free(other);
}

static bool is_level(double u)
{
    return u == 0 || u == 1 / 3.0 || u == 2 / 3.0 || u == 1;
}

static void a_trajectory_moves_each_axis_once_by_its_step(void **state)
{
    enum { TRAJECTORIES = 200, AXES = 6 };
    double *unit = morris(TRAJECTORIES, AXES, 3);
    for (size_t t = 0; t < TRAJECTORIES; t++) {
        int moves[AXES] = {0};
        for (size_t k = 1; k <= AXES; k++) {
            const double *point = unit + (t * (AXES + 1) + k) * AXES, *before = point - AXES;
            int moved = 0;
            for (size_t axis = 0; axis < AXES; axis++) {
                assert_true(is_level(point[axis]));
                if (point[axis] == before[axis])
                    continue;
                assert_near(fabs(point[axis] - before[axis]), DESIGNS_MORRIS_DELTA, 1e-15);
                moves[axis]++;
                moved++;
            }
            assert_int_equal(moved, 1);
        }
        for (size_t axis = 0; axis < AXES; axis++)
            assert_int_equal(moves[axis], 1);
    }
    free(unit);
}

/* Morris 1991: with an even number of levels and this step, all levels are equally likely; so are
   directions and orders. 2,000 trajectories: deviations of .0097 and .011. */
static void levels_directions_and_orders_are_equally_likely(void **state)
{
    enum { TRAJECTORIES = 2000, AXES = 2 };
    double *unit = morris(TRAJECTORIES, AXES, 8), up = 0, first = 0, levels[4] = {0};
    for (size_t t = 0; t < TRAJECTORIES; t++) {
        const double *start = unit + t * (AXES + 1) * AXES, *end = start + 2 * AXES;
        levels[(int)(3 * start[0] + 0.5)]++;
        up += end[0] > start[0];
        first += start[2] != start[0];
    }
    for (int i = 0; i < 4; i++)
        assert_near(levels[i] / TRAJECTORIES, 0.25, 0.04);
    assert_near(up / TRAJECTORIES, 0.5, 0.045);
    assert_near(first / TRAJECTORIES, 0.5, 0.045);
    free(unit);
}

static void more_trajectories_begin_with_the_same(void **state)
{
    double *few = morris(3, 4, 2), *many = morris(9, 4, 2);
    assert_memory_equal(few, many, designs_morris_points(3, 4) * 4 * sizeof *few);
    free(few);
    free(many);
}

static void nothing_to_design_and_short_memory_are_errors(void **state)
{
    struct error err = {0};
    double unit[8];
    assert_int_equal(designs_latin(0, 1, 1, unit, &err), ERROR_SCENARIO);
    assert_int_equal(designs_morris(0, 1, 1, unit, &err), ERROR_SCENARIO);
    memory_fail_after(1);
    assert_int_equal(designs_latin(2, 1, 1, unit, &err), ERROR_IO);
    memory_fail_after(1);
    assert_int_equal(designs_morris(1, 1, 1, unit, &err), ERROR_IO);
    memory_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_latin_hypercube_has_one_point_in_each_part_of_each_axis),
        cmocka_unit_test(axes_of_a_latin_hypercube_are_not_correlated),
        cmocka_unit_test(every_order_is_as_likely),
        cmocka_unit_test(an_axis_is_the_same_whatever_others_there_are),
        cmocka_unit_test(a_trajectory_moves_each_axis_once_by_its_step),
        cmocka_unit_test(levels_directions_and_orders_are_equally_likely),
        cmocka_unit_test(more_trajectories_begin_with_the_same),
        cmocka_unit_test(nothing_to_design_and_short_memory_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
