/* Sensitivity indices: the design's points, what indices must be by definition, errors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/study/indices.h"
#include "tests/support/near.h"

typedef double function(const double *unit);

static struct indices_design design_of(size_t factors, size_t rows, uint64_t seed)
{
    struct indices_design design;
    struct error err = {0};
    if (indices_design_init(&design, factors, rows, seed, &err) != ERROR_NONE)
        fail_msg("indices_design_init: %s", err.message);
    return design;
}

static double *outputs_of(const struct indices_design *design, function *f)
{
    size_t points = indices_design_points(design);
    double *outputs = calloc(points, sizeof *outputs), unit[INDICES_FACTORS_MAX];
    assert_non_null(outputs);
    for (size_t i = 0; i < points; i++) {
        indices_design_point(design, i, unit);
        outputs[i] = f(unit);
    }
    return outputs;
}

static struct indices_result estimate(function *f, size_t factors, size_t rows, uint64_t seed,
                                      const struct resample_plan *bootstrap)
{
    struct indices_design design = design_of(factors, rows, seed);
    double *outputs = outputs_of(&design, f);
    struct indices_result result;
    struct error err = {0};
    if (indices_estimate(factors, rows, outputs, bootstrap, &result, &err) != ERROR_NONE)
        fail_msg("indices_estimate: %s", err.message);
    indices_design_free(&design);
    free(outputs);
    return result;
}

/* ---- the design --------------------------------------------------------------------------- */

static void each_point_is_a_with_at_most_one_column_of_b(void **state)
{
    enum { FACTORS = 5, ROWS = 16 };
    struct indices_design design = design_of(FACTORS, ROWS, 3);
    assert_int_equal(indices_design_points(&design), ROWS * (FACTORS + 2));
    for (size_t row = 0; row < ROWS; row++) {
        double a[FACTORS], b[FACTORS], ab[FACTORS];
        indices_design_point(&design, row * (FACTORS + 2), a);
        indices_design_point(&design, row * (FACTORS + 2) + 1, b);
        for (size_t i = 0; i < FACTORS; i++) {
            indices_design_point(&design, row * (FACTORS + 2) + 2 + i, ab);
            for (size_t k = 0; k < FACTORS; k++) {
                assert_true(ab[k] == (k == i ? b[k] : a[k]));
                assert_true(a[k] != b[k]);
            }
        }
    }
    indices_design_free(&design);
}

/* Scrambling keeps the net: each 1/N of every axis holds exactly one of N points, and of the first
   two dimensions so does every box of 2^-j by 2^-(m - j). */
static void every_elementary_box_holds_one_point(void **state)
{
    enum { BITS = 8, ROWS = 1 << BITS };
    struct indices_design wide = design_of(INDICES_FACTORS_MAX, ROWS, 5);
    for (size_t d = 0; d < 2 * INDICES_FACTORS_MAX; d++) {
        int seen[ROWS] = {0};
        for (size_t row = 0; row < ROWS; row++)
            seen[(size_t)(wide.unit[row * 2 * INDICES_FACTORS_MAX + d] * ROWS)]++;
        for (size_t i = 0; i < ROWS; i++)
            assert_int_equal(seen[i], 1);
    }
    indices_design_free(&wide);
    struct indices_design pair = design_of(1, ROWS, 5);
    for (int j = 0; j <= BITS; j++) {
        int seen[ROWS] = {0};
        for (size_t row = 0; row < ROWS; row++) {
            size_t x = (size_t)ldexp(pair.unit[2 * row], j);
            size_t y = (size_t)ldexp(pair.unit[2 * row + 1], BITS - j);
            seen[(x << (BITS - j)) + y]++;
        }
        for (size_t i = 0; i < ROWS; i++)
            assert_int_equal(seen[i], 1);
    }
    indices_design_free(&pair);
}

/* Over seeds each point is uniform and its coordinates know nothing of one another. Standard
   errors: of x 1/sqrt(12), of (x - 1/2)^2 1/sqrt(180), of the product 1/12. */
static void scrambled_points_are_uniform_over_seeds(void **state)
{
    enum { SEEDS = 40000, ROWS = 4 };
    double mean[2 * ROWS] = {0.0}, squares[2 * ROWS] = {0.0}, product[ROWS] = {0.0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct indices_design design = design_of(1, ROWS, seed);
        for (int k = 0; k < 2 * ROWS; k++) {
            double x = design.unit[k] - 0.5;
            assert_true(fabs(x) < 0.5);
            mean[k] += x / SEEDS;
            squares[k] += x * x / SEEDS;
        }
        for (int row = 0; row < ROWS; row++)
            product[row] += (design.unit[2 * row] - 0.5) * (design.unit[2 * row + 1] - 0.5) / SEEDS;
        indices_design_free(&design);
    }
    for (int k = 0; k < 2 * ROWS; k++) {
        assert_near(mean[k], 0.0, 4.0 / sqrt(12.0 * SEEDS));
        assert_near(squares[k], 1.0 / 12.0, 4.0 / sqrt(180.0 * SEEDS));
    }
    for (int row = 0; row < ROWS; row++)
        assert_near(product[row], 0.0, 4.0 / 12.0 / sqrt(SEEDS));
}

static double fraction(double x)
{
    return x - floor(x);
}

/* A digit's coin belongs to the digits before it: points 0 and 1 part at the first digit of the
   first dimension, and what follows differs independently; so does what follows seven digits of one
   point, where another block of coins begins. */
static void digits_below_a_parting_are_independent(void **state)
{
    enum { SEEDS = 40000 };
    double between = 0.0, within = 0.0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct indices_design design = design_of(1, 2, seed);
        double first = design.unit[0], second = design.unit[2];
        assert_true((first < 0.5) != (second < 0.5));
        between += (fraction(2.0 * first) - 0.5) * (fraction(2.0 * second) - 0.5) / SEEDS;
        within += (first - 0.5) * (fraction(128.0 * first) - 0.5) / SEEDS;
        indices_design_free(&design);
    }
    assert_near(between, 0.0, 4.0 / 12.0 / sqrt(SEEDS));
    assert_near(within, 0.0, 4.0 / 12.0 / sqrt(SEEDS));
}

static void a_seed_is_a_design_and_a_longer_one_goes_on(void **state)
{
    enum { FACTORS = 4, ROWS = 100 };
    size_t bytes = ROWS * 2 * FACTORS * sizeof(double);
    struct indices_design first = design_of(FACTORS, ROWS, 9), again = design_of(FACTORS, ROWS, 9);
    struct indices_design longer = design_of(FACTORS, 3 * ROWS, 9),
                          other = design_of(FACTORS, ROWS, 10);
    assert_memory_equal(first.unit, again.unit, bytes);
    assert_memory_equal(first.unit, longer.unit, bytes);
    assert_true(memcmp(first.unit, other.unit, bytes) != 0);
    indices_design_free(&first);
    indices_design_free(&again);
    indices_design_free(&longer);
    indices_design_free(&other);
}

/* ---- what indices are --------------------------------------------------------------------- */

/* Weights 1, 2, 3 and 4 of uniform factors: shares 1/30, 4/30, 9/30 and 16/30. */
static double additive(const double *unit)
{
    return unit[0] + 2.0 * unit[1] - 3.0 * unit[2] + 4.0 * unit[3];
}

static void factors_that_add_explain_their_own_share_and_all_of_it(void **state)
{
    struct indices_result result = estimate(additive, 4, 4096, 1, NULL);
    double firsts = 0.0, totals = 0.0;
    for (int i = 0; i < 4; i++) {
        double share = (i + 1.0) * (i + 1.0) / 30.0;
        print_message("factor %d: S1 %.5f, ST %.5f (%.5f)\n", i + 1, result.factor[i].first,
                      result.factor[i].total, share);
        assert_near(result.factor[i].first, share, 0.005);
        assert_near(result.factor[i].total, share, 0.005);
        firsts += result.factor[i].first;
        totals += result.factor[i].total;
    }
    assert_near(firsts, 1.0, 0.01);
    assert_near(totals, 1.0, 0.01);
    assert_near(result.mean, 2.0, 1e-3);
    assert_near(result.variance, 30.0 / 12.0, 0.01);
}

/* The third factor is not looked at. */
static double without_the_third(const double *unit)
{
    return exp(unit[0]) * (1.0 + unit[1]);
}

static void a_factor_that_does_nothing_explains_nothing(void **state)
{
    struct resample_plan bootstrap = {200, 0.95, 1};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct indices_result result = estimate(without_the_third, 3, 4096, seed, &bootstrap);
        const struct indices_factor *inert = &result.factor[2];
        assert_true(inert->total == 0.0);
        assert_true(inert->total_low == 0.0 && inert->total_high == 0.0);
        assert_near(inert->first, 0.0, 0.005);
        assert_true(inert->first_low <= 0.0 && inert->first_high >= 0.0);
        assert_true(result.factor[0].first_low > 0.1);
    }
}

/* Neither factor does anything by itself. */
static double interaction(const double *unit)
{
    return (unit[0] - 0.5) * (unit[1] - 0.5);
}

static void a_pure_interaction_has_no_first_order(void **state)
{
    struct indices_result result = estimate(interaction, 2, 8192, 1, NULL);
    for (int i = 0; i < 2; i++) {
        assert_near(result.factor[i].first, 0.0, 0.01);
        assert_near(result.factor[i].total, 1.0, 0.01);
    }
}

static double in_other_units(const double *unit)
{
    return 1e6 - 3000.0 * without_the_third(unit);
}

static void units_and_offsets_do_not_matter(void **state)
{
    struct indices_result plain = estimate(without_the_third, 3, 512, 4, NULL);
    struct indices_result other = estimate(in_other_units, 3, 512, 4, NULL);
    for (int i = 0; i < 3; i++) {
        assert_near(other.factor[i].first, plain.factor[i].first, 1e-9);
        assert_near(other.factor[i].total, plain.factor[i].total, 1e-9);
    }
}

/* ---- same bytes --------------------------------------------------------------------------- */

static void points_may_be_evaluated_in_any_order(void **state)
{
    enum { FACTORS = 4, ROWS = 256, POINTS = ROWS * (FACTORS + 2) };
    struct indices_design design = design_of(FACTORS, ROWS, 2);
    struct resample_plan bootstrap = {50, 0.9, 8};
    double *forwards = outputs_of(&design, additive), shuffled[POINTS], parallel[POINTS];
    struct indices_result results[3];
    struct error err = {0};
    for (size_t i = 0; i < POINTS; i++) {
        double unit[FACTORS];
        size_t index = (POINTS - 1 - i) * 7 % POINTS; /* 7 does not divide 1,536 */
        indices_design_point(&design, index, unit);
        shuffled[index] = additive(unit);
    }
#pragma omp parallel for schedule(dynamic) num_threads(4)
    for (size_t i = 0; i < POINTS; i++) {
        double unit[FACTORS];
        indices_design_point(&design, i, unit);
        parallel[i] = additive(unit);
    }
    const double *outputs[] = {forwards, shuffled, parallel};
    for (int i = 0; i < 3; i++)
        assert_int_equal(indices_estimate(FACTORS, ROWS, outputs[i], &bootstrap, &results[i], &err),
                         ERROR_NONE);
    assert_memory_equal(&results[0], &results[1], sizeof results[0]);
    assert_memory_equal(&results[0], &results[2], sizeof results[0]);
    indices_design_free(&design);
    free(forwards);
}

/* ---- intervals ---------------------------------------------------------------------------- */

static void intervals_hold_the_estimate_and_narrow_with_the_root_of_rows(void **state)
{
    struct resample_plan bootstrap = {400, 0.95, 1}, narrow = {400, 0.5, 1};
    struct indices_result few = estimate(additive, 4, 1024, 1, &bootstrap);
    struct indices_result many = estimate(additive, 4, 16384, 1, &bootstrap);
    struct indices_result half = estimate(additive, 4, 1024, 1, &narrow);
    for (int i = 0; i < 4; i++) {
        const struct indices_factor *f = &few.factor[i], *m = &many.factor[i], *h = &half.factor[i];
        assert_true(f->first_low < f->first && f->first < f->first_high);
        assert_true(f->total_low < f->total && f->total < f->total_high);
        assert_near((m->total_high - m->total_low) / (f->total_high - f->total_low), 0.25, 0.05);
        assert_near((m->first_high - m->first_low) / (f->first_high - f->first_low), 0.25, 0.05);
        /* Normal quantiles of 50 % and 95 %: .6745 / 1.96. */
        assert_near((h->total_high - h->total_low) / (f->total_high - f->total_low), 0.344, 0.07);
    }
}

static void intervals_hold_the_truth_at_least_as_often_as_stated(void **state)
{
    enum { SEEDS = 50 };
    int held = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct resample_plan bootstrap = {200, 0.95, seed};
        struct indices_result result = estimate(additive, 4, 512, seed, &bootstrap);
        for (int i = 0; i < 4; i++) {
            const struct indices_factor *factor = &result.factor[i];
            double share = (i + 1.0) * (i + 1.0) / 30.0;
            held += factor->first_low <= share && share <= factor->first_high;
            held += factor->total_low <= share && share <= factor->total_high;
        }
    }
    print_message("intervals of 95 %%: %.1f %% hold the truth\n", 100.0 * held / (8.0 * SEEDS));
    assert_true(held >= 0.93 * 8 * SEEDS);
}

static void intervals_belong_to_their_seed(void **state)
{
    struct resample_plan bootstrap = {50, 0.95, 1}, other = {50, 0.95, 2};
    struct indices_result first = estimate(additive, 4, 256, 1, &bootstrap);
    struct indices_result again = estimate(additive, 4, 256, 1, &bootstrap);
    struct indices_result second = estimate(additive, 4, 256, 1, &other);
    struct indices_result none = estimate(additive, 4, 256, 1, NULL);
    assert_memory_equal(&first, &again, sizeof first);
    assert_true(first.factor[0].total_low != second.factor[0].total_low);
    assert_true(first.factor[0].total == second.factor[0].total);
    assert_true(isnan(none.factor[0].total_low) && isnan(none.factor[0].first_high));
}

/* ---- ends and errors ---------------------------------------------------------------------- */

static double constant(const double *unit)
{
    return 0.1 + 0.0 * unit[0];
}

static void an_output_that_never_changes_has_no_indices(void **state)
{
    struct resample_plan bootstrap = {20, 0.95, 1};
    struct indices_result result = estimate(constant, 3, 100, 1, &bootstrap);
    assert_true(result.variance == 0.0);
    assert_true(result.mean == 0.1);
    for (int i = 0; i < 3; i++) {
        assert_true(isnan(result.factor[i].first) && isnan(result.factor[i].total));
        assert_true(isnan(result.factor[i].first_low) && isnan(result.factor[i].total_high));
    }
}

static void sizes_out_of_range_are_refused(void **state)
{
    struct indices_design design;
    struct indices_result result;
    struct error err = {0};
    const double outputs[8] = {0.0};
    assert_int_equal(indices_design_init(&design, 0, 8, 1, &err), ERROR_SCENARIO);
    assert_int_equal(indices_design_init(&design, INDICES_FACTORS_MAX + 1, 8, 1, &err),
                     ERROR_SCENARIO);
    assert_int_equal(indices_design_init(&design, 3, 1, 1, &err), ERROR_SCENARIO);
    assert_int_equal(indices_design_init(&design, 3, INDICES_ROWS_MAX + 1, 1, &err),
                     ERROR_SCENARIO);
    assert_int_equal(indices_estimate(0, 2, outputs, NULL, &result, &err), ERROR_SCENARIO);
    assert_int_equal(indices_estimate(2, 1, outputs, NULL, &result, &err), ERROR_SCENARIO);
    assert_int_equal(indices_estimate(2, 2, outputs, NULL, &result, &err), ERROR_NONE);
}

static void a_bootstrap_out_of_range_is_refused(void **state)
{
    const struct resample_plan wrong[] = {
        {1, 0.95, 1}, {100, 0.0, 1}, {100, 1.0, 1}, {100, NAN, 1}};
    const double outputs[8] = {0.0, 1.0, 0.5};
    struct indices_result result;
    struct error err = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(indices_estimate(2, 2, outputs, &wrong[i], &result, &err), ERROR_SCENARIO);
}

static void outputs_that_are_no_numbers_are_named(void **state)
{
    double outputs[8] = {0.0, 1.0, 2.0, 3.0, 4.0, NAN, 6.0, 7.0};
    struct indices_result result;
    struct error err = {0};
    assert_int_equal(indices_estimate(2, 2, outputs, NULL, &result, &err), ERROR_NUMERICAL);
    assert_non_null(strstr(err.message, "point 5"));
    outputs[5] = INFINITY;
    assert_int_equal(indices_estimate(2, 2, outputs, NULL, &result, &err), ERROR_NUMERICAL);
    outputs[5] = 1e200;
    assert_int_equal(indices_estimate(2, 2, outputs, NULL, &result, &err), ERROR_NUMERICAL);
    outputs[5] = 5.0;
    assert_int_equal(indices_estimate(2, 2, outputs, NULL, &result, &err), ERROR_NONE);
}

/* Even the distance of two outputs overflows, and their variance is not a number. */
static void outputs_too_large_for_a_variance_are_no_constant(void **state)
{
    const double outputs[12] = {1e308, -1e308};
    struct indices_result result;
    struct error err = {0};
    assert_int_equal(indices_estimate(2, 3, outputs, NULL, &result, &err), ERROR_NUMERICAL);
    assert_non_null(strstr(err.message, "too large"));
}

static void memory_that_runs_short_is_an_error(void **state)
{
    struct indices_design design;
    struct resample_plan bootstrap = {10, 0.9, 1};
    struct indices_result result;
    struct error err = {0};
    const double outputs[8] = {0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 6.0, 7.0};
    memory_fail_after(1);
    assert_int_equal(indices_design_init(&design, 3, 8, 1, &err), ERROR_IO);
    for (long n = 1; n <= 3; n++) {
        memory_fail_after(n);
        assert_int_equal(indices_estimate(2, 2, outputs, &bootstrap, &result, &err), ERROR_IO);
    }
    memory_fail_after(0);
    assert_int_equal(indices_estimate(2, 2, outputs, &bootstrap, &result, &err), ERROR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_point_is_a_with_at_most_one_column_of_b),
        cmocka_unit_test(every_elementary_box_holds_one_point),
        cmocka_unit_test(scrambled_points_are_uniform_over_seeds),
        cmocka_unit_test(digits_below_a_parting_are_independent),
        cmocka_unit_test(a_seed_is_a_design_and_a_longer_one_goes_on),
        cmocka_unit_test(factors_that_add_explain_their_own_share_and_all_of_it),
        cmocka_unit_test(a_factor_that_does_nothing_explains_nothing),
        cmocka_unit_test(a_pure_interaction_has_no_first_order),
        cmocka_unit_test(units_and_offsets_do_not_matter),
        cmocka_unit_test(points_may_be_evaluated_in_any_order),
        cmocka_unit_test(intervals_hold_the_estimate_and_narrow_with_the_root_of_rows),
        cmocka_unit_test(intervals_hold_the_truth_at_least_as_often_as_stated),
        cmocka_unit_test(intervals_belong_to_their_seed),
        cmocka_unit_test(an_output_that_never_changes_has_no_indices),
        cmocka_unit_test(sizes_out_of_range_are_refused),
        cmocka_unit_test(a_bootstrap_out_of_range_is_refused),
        cmocka_unit_test(outputs_that_are_no_numbers_are_named),
        cmocka_unit_test(outputs_too_large_for_a_variance_are_no_constant),
        cmocka_unit_test(memory_that_runs_short_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
