/* Oracle 16: sensitivity indices of functions whose indices are known in closed form, by the path
   that the command sensitivity takes: the functions stand in for the scenario. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/study/sensitivity.h"
#include "sim/study/sensitivity_result.h"
#include "tests/support/near.h"

typedef double function(const double *unit);

/* A function as a model: one output, the same in every replicate. */
struct function_model {
    function *f;
};

static int compute(void *context, struct sensitivity_cell *cells, size_t count,
                   sensitivity_cell_done *done, void *done_context, struct error *err)
{
    const struct function_model *self = context;
    int code = ERROR_NONE;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        cells[i].outputs[0] = self->f(cells[i].unit);
        cells[i].done = true;
        code = done(done_context, &cells[i], err);
    }
    return code;
}

/* The whole of a study, as the command does it: design, computing, estimates, table. */
static void estimate(function *f, size_t factors, size_t rows, uint64_t seed,
                     struct sensitivity_result *out_result)
{
    static const char *const names[] = {"x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"};
    static const char *const outputs[] = {"y"};
    static const size_t metrics[] = {0};
    struct function_model function_model = {f};
    struct sensitivity_model model = {names, factors,         outputs, 1,
                                      1,     &function_model, compute, NULL};
    struct sensitivity_plan plan = {.method = SENSITIVITY_SOBOL,
                                    .rows = rows,
                                    .seed = seed,
                                    .metrics = metrics,
                                    .metric_count = 1,
                                    .bootstrap = {2, 0.95, seed}};
    struct sensitivity study;
    struct error err = {0};
    int code = sensitivity_init(&study, &model, &plan, &err);
    if (code == ERROR_NONE)
        code = sensitivity_run(&study, NULL, NULL, NULL, &err);
    if (code == ERROR_NONE)
        code = sensitivity_result_make(&study, out_result, &err);
    if (code != ERROR_NONE)
        fail_msg("%s", err.message);
    assert_int_equal(out_result->row_count, factors);
    for (size_t i = 0; i < factors; i++) {
        assert_string_equal(out_result->indices[i].metric, "y");
        assert_string_equal(out_result->indices[i].factor, names[i]);
        assert_int_equal(out_result->indices[i].rows, rows);
    }
    sensitivity_free(&study);
}

/* Largest distance of an estimate from the truth. */
static double farthest(const struct sensitivity_result *result, size_t factors, const double *first,
                       const double *total)
{
    double worst = 0.0;
    for (size_t i = 0; i < factors; i++) {
        worst = fmax(worst, fabs(result->indices[i].s1 - first[i]));
        worst = fmax(worst, fabs(result->indices[i].st - total[i]));
    }
    return worst;
}

/* ---- Ishigami and Homma 1990 ------------------------------------------------------------- */

#define ISHIGAMI_A 7.0
#define ISHIGAMI_B 0.1

/* Factors uniform on [-pi, pi]. */
static double ishigami(const double *unit)
{
    double x[3];
    for (int i = 0; i < 3; i++)
        x[i] = M_PI * (2.0 * unit[i] - 1.0);
    return sin(x[0]) + ISHIGAMI_A * sin(x[1]) * sin(x[1]) + ISHIGAMI_B * pow(x[2], 4) * sin(x[0]);
}

/* The third factor acts through the first alone. Returns the variance. */
static double ishigami_indices(double first[3], double total[3])
{
    double alone = 0.5 * pow(1.0 + ISHIGAMI_B * pow(M_PI, 4) / 5.0, 2);
    double second = ISHIGAMI_A * ISHIGAMI_A / 8.0;
    double together = 8.0 * ISHIGAMI_B * ISHIGAMI_B * pow(M_PI, 8) / 225.0;
    double variance = alone + second + together;
    first[0] = alone / variance;
    first[1] = total[1] = second / variance;
    first[2] = 0.0;
    total[0] = (alone + together) / variance;
    total[2] = together / variance;
    return variance;
}

static void the_closed_form_gives_the_published_indices(void **state)
{
    double first[3], total[3];
    ishigami_indices(first, total);
    assert_near(first[0], 0.3139, 5e-5);
    assert_near(first[1], 0.4424, 5e-5);
    assert_near(total[0], 0.5576, 5e-5);
    assert_near(total[2], 0.2437, 5e-5);
}

/* Oracle 16, for one seed and for others: none is chosen. */
static void the_indices_of_ishigami_whatever_the_seed(void **state)
{
    enum { ROWS = 8192, SEEDS = 20 };
    double first[3], total[3], worst = 0.0;
    double variance = ishigami_indices(first, total);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sensitivity_result result;
        estimate(ishigami, 3, ROWS, seed, &result);
        const struct sensitivity_index *factor = result.indices;
        if (seed == 1)
            print_message("S1 %.4f (.3139), S2 %.4f (.4424), ST1 %.4f (.5576), ST3 %.4f (.2437)\n",
                          factor[0].s1, factor[1].s1, factor[0].st, factor[2].st);
        assert_near(factor[0].s1, 0.3139, 0.01);
        assert_near(factor[1].s1, 0.4424, 0.01);
        assert_near(factor[2].s1, 0.0, 0.01);
        assert_near(factor[0].st, 0.5576, 0.01);
        assert_near(factor[1].st, 0.4424, 0.01);
        assert_near(factor[2].st, 0.2437, 0.01);
        assert_near(result.metrics[0].mean, ISHIGAMI_A / 2.0, 0.01);
        assert_near(result.metrics[0].variance, variance, 0.01 * variance);
        worst = fmax(worst, farthest(&result, 3, first, total));
        sensitivity_result_free(&result);
    }
    print_message("%d rows, %d seeds: farthest of all indices %.4f\n", ROWS, SEEDS, worst);
}

/* Four times the rows come more than twice as near: the gain of a net over random points. */
static void a_net_converges_faster_than_random_points(void **state)
{
    enum { SEEDS = 20 };
    double first[3], total[3], mean[2] = {0.0, 0.0};
    ishigami_indices(first, total);
    for (int i = 0; i < 2; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct sensitivity_result result;
            estimate(ishigami, 3, i == 0 ? 2048 : 8192, seed, &result);
            mean[i] += farthest(&result, 3, first, total) / SEEDS;
            sensitivity_result_free(&result);
        }
    print_message("mean distance: 2,048 rows %.4f, 8,192 rows %.4f\n", mean[0], mean[1]);
    assert_true(mean[1] < 0.4 * mean[0]);
}

/* ---- Sobol's g-function, eight factors ---------------------------------------------------- */

static const double g_coefficients[] = {0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0};

static double g_function(const double *unit)
{
    double product = 1.0;
    for (int i = 0; i < 8; i++)
        product *= (fabs(4.0 * unit[i] - 2.0) + g_coefficients[i]) / (1.0 + g_coefficients[i]);
    return product;
}

/* V_i = 1 / (3 (1 + a_i)^2); the variance is the product of (1 + V_i), less 1. */
static void the_indices_of_the_g_function(void **state)
{
    double product = 1.0, part[8], first[8], total[8];
    struct sensitivity_result result;
    for (int i = 0; i < 8; i++) {
        part[i] = 1.0 / (3.0 * pow(1.0 + g_coefficients[i], 2));
        product *= 1.0 + part[i];
    }
    for (int i = 0; i < 8; i++) {
        first[i] = part[i] / (product - 1.0);
        total[i] = part[i] * product / (1.0 + part[i]) / (product - 1.0);
    }
    assert_near(first[0], 0.716, 0.001);
    assert_near(total[0], 0.787, 0.001);
    estimate(g_function, 8, 8192, 1, &result);
    print_message("g-function: S1 %.4f (%.4f), ST1 %.4f (%.4f), ST3 %.4f (%.4f)\n",
                  result.indices[0].s1, first[0], result.indices[0].st, total[0],
                  result.indices[2].st, total[2]);
    assert_near(farthest(&result, 8, first, total), 0.0, 0.02);
    sensitivity_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_closed_form_gives_the_published_indices),
        cmocka_unit_test(the_indices_of_ishigami_whatever_the_seed),
        cmocka_unit_test(a_net_converges_faster_than_random_points),
        cmocka_unit_test(the_indices_of_the_g_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
