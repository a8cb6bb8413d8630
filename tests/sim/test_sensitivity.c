/*
 * Sensitivity studies of functions: elementary effects known in closed form, what becomes of points
 * without an output, and that a study computes what is left to do and nothing else.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/study/indices.h"
#include "sim/study/sensitivity.h"
#include "sim/study/sensitivity_result.h"
#include "tests/support/near.h"

enum { FACTORS = 3, OUTPUTS = 2, REPLICATES_MAX = 2 };

static const char *const factor_names[] = {"a.x", "b[c].y", "z"};
static const char *const output_names[] = {"first", "second"};
static const size_t both[] = {0, 1};

/* A function of two outputs, and how it is asked. */
struct laboratory {
    void (*f)(const double *unit, size_t replicate, double *outputs);
    size_t calls;
    size_t fail_at; /* the call that fails; 0: none */
};

static int compute(void *context, struct sensitivity_cell *cells, size_t count,
                   sensitivity_cell_done *done, void *done_context, struct error *err)
{
    struct laboratory *self = context;
    /* In no particular order: from the last to the first. */
    for (size_t i = count; i-- > 0;) {
        if (++self->calls == self->fail_at)
            return error_set(err, ERROR_INTERRUPTED, "interrupted");
        self->f(cells[i].unit, cells[i].replicate, cells[i].outputs);
        cells[i].done = true;
        int code = done(done_context, &cells[i], err);
        if (code != ERROR_NONE)
            return code;
    }
    return ERROR_NONE;
}

static struct sensitivity_model model_of(struct laboratory *laboratory, size_t replicates)
{
    return (struct sensitivity_model){factor_names, FACTORS,    output_names, OUTPUTS,
                                      replicates,   laboratory, compute,      NULL};
}

static struct sensitivity_plan plan_of(int method, size_t groups)
{
    return (struct sensitivity_plan){.method = method,
                                     .rows = groups,
                                     .trajectories = groups,
                                     .seed = 5,
                                     .metrics = both,
                                     .metric_count = OUTPUTS,
                                     .bootstrap = {100, 0.95, 5}};
}

static void begin(struct sensitivity *study, struct laboratory *laboratory, int method,
                  size_t groups, size_t replicates)
{
    struct sensitivity_model model = model_of(laboratory, replicates);
    struct sensitivity_plan plan = plan_of(method, groups);
    struct error err = {0};
    if (sensitivity_init(study, &model, &plan, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
}

static void run(struct sensitivity *study)
{
    struct error err = {0};
    if (sensitivity_run(study, NULL, NULL, NULL, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
}

static void result_of(const struct sensitivity *study, struct sensitivity_result *out)
{
    struct error err = {0};
    if (sensitivity_result_make(study, out, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
}

/* ---- Morris --------------------------------------------------------------------------------- */

/* A line, and a valley along x1 with x2 x3 beside it. */
static void line_and_valley(const double *unit, size_t replicate, double *outputs)
{
    (void)replicate;
    outputs[0] = 3.0 * unit[0] - 2.0 * unit[1];
    outputs[1] = (unit[0] - 0.5) * (unit[0] - 0.5) + unit[1] * unit[2];
}

static void effects_known_in_closed_form(void **state)
{
    enum { TRAJECTORIES = 1000 };
    static const double slopes[] = {3.0, -2.0, 0.0};
    struct laboratory laboratory = {.f = line_and_valley};
    struct sensitivity study;
    struct sensitivity_result result;
    begin(&study, &laboratory, SENSITIVITY_MORRIS, TRAJECTORIES, 1);
    run(&study);
    result_of(&study, &result);
    assert_null(result.indices);
    for (int i = 0; i < FACTORS; i++) {
        const struct sensitivity_effect *row = &result.effects[i];
        assert_string_equal(row->metric, "first");
        assert_string_equal(row->factor, factor_names[i]);
        assert_int_equal(row->trajectories, TRAJECTORIES);
        assert_near(row->mu, slopes[i], 1e-12);
        assert_near(row->mu_star, fabs(slopes[i]), 1e-12);
        assert_near(row->sigma, 0.0, 1e-12);
    }
    /* Levels .125, .375, .625, .875: down into the valley and up out of it by as much. The effect
       of x2 is x3 and the other way round, all levels alike: mean .5, variance .078125. */
    const struct sensitivity_effect *valley = &result.effects[FACTORS];
    double far = 4.0 * sqrt(0.078125 / TRAJECTORIES);
    assert_near(valley[0].mu_star, 0.25, 1e-12);
    assert_near(valley[0].mu, 0.0, 4.0 * 0.25 / sqrt(TRAJECTORIES));
    assert_near(valley[0].sigma, 0.25, 0.005);
    for (int i = 1; i < FACTORS; i++) {
        assert_near(valley[i].mu, 0.5, far);
        assert_near(valley[i].mu_star, valley[i].mu, 1e-12);
        assert_near(valley[i].sigma, sqrt(0.078125), 0.02);
        assert_true(valley[i].mu_star_lo < valley[i].mu_star &&
                    valley[i].mu_star < valley[i].mu_star_hi);
        assert_near(valley[i].mu_star_hi - valley[i].mu_star_lo, far * 1.96 / 2.0, 0.4 * far);
    }
    sensitivity_result_free(&result);
    sensitivity_free(&study);
}

/* ---- replicates and missing outputs --------------------------------------------------------- */

/* The second output is missing where x1 is large, in one replicate. */
static void gaps(const double *unit, size_t replicate, double *outputs)
{
    double sign = replicate == 0 ? 1.0 : -1.0;
    outputs[0] = unit[0] + 2.0 * unit[1] + sign * unit[2];
    outputs[1] = unit[0] > 0.9 && replicate == 1 ? NAN : unit[0] * unit[1];
}

static void a_point_is_the_mean_of_its_replicates(void **state)
{
    struct laboratory laboratory = {.f = gaps};
    struct sensitivity study;
    begin(&study, &laboratory, SENSITIVITY_SOBOL, 64, 2);
    run(&study);
    assert_int_equal(laboratory.calls, 64 * 5 * 2);
    for (size_t p = 0; p < study.points; p++) {
        const double *unit = study.unit + p * FACTORS;
        assert_near(sensitivity_output(&study, p, 0), unit[0] + 2.0 * unit[1], 1e-15);
        assert_int_equal(isnan(sensitivity_output(&study, p, 1)), unit[0] > 0.9);
    }
    sensitivity_free(&study);
}

/* Variances 1/12 and 4/12 without interaction: a fifth and four fifths. */
static void rows_without_an_output_are_left_out_of_that_one_alone(void **state)
{
    enum { ROWS = 4096 };
    struct laboratory laboratory = {.f = gaps};
    struct sensitivity study;
    struct sensitivity_result result;
    begin(&study, &laboratory, SENSITIVITY_SOBOL, ROWS, 2);
    run(&study);
    result_of(&study, &result);
    assert_near(result.indices[0].st, 0.2, 0.005);
    assert_near(result.indices[1].st, 0.8, 0.005);
    assert_near(result.indices[2].st, 0.0, 1e-12);
    assert_int_equal(result.indices[0].rows, ROWS);
    assert_int_equal(result.metrics[0].used, ROWS);
    /* A row is whole when x1 of both A and B is at most .9. */
    int64_t rows = result.indices[FACTORS].rows;
    assert_near((double)rows / ROWS, 0.81, 0.01);
    assert_int_equal(result.metrics[1].used, rows);
    /* x y, x in (0, .9) and y in (0, 1): with m and v their means and variances, ST of x is
       v_x (m_y^2 + v_y) / V, whatever the scale of x: as in the unit square, 4 / 7. */
    assert_near(result.indices[FACTORS].st, 4.0 / 7.0, 0.02);
    assert_near(result.indices[FACTORS].s1, 3.0 / 7.0, 0.03);
    assert_true(result.indices[FACTORS].st_lo < 4.0 / 7.0 &&
                4.0 / 7.0 < result.indices[FACTORS].st_hi);
    sensitivity_result_free(&result);
    sensitivity_free(&study);
}

static void mostly_gaps(const double *unit, size_t replicate, double *outputs)
{
    (void)replicate;
    outputs[0] = unit[0];
    outputs[1] = unit[0] > 0.6 ? INFINITY : unit[0];
}

/* Of rows, .36 are whole. */
static void fewer_than_half_of_the_rows_are_too_few(void **state)
{
    for (int method = SENSITIVITY_SOBOL; method <= SENSITIVITY_MORRIS; method++) {
        struct laboratory laboratory = {.f = mostly_gaps};
        struct sensitivity study;
        struct sensitivity_result result;
        struct error err = {0};
        begin(&study, &laboratory, method, 256, 1);
        run(&study);
        assert_int_equal(sensitivity_result_make(&study, &result, &err), ERROR_NUMERICAL);
        assert_non_null(strstr(err.message, "second is missing at too many points"));
        assert_non_null(
            strstr(err.message, method == SENSITIVITY_SOBOL ? "256 rows" : "256 trajectories"));
        sensitivity_free(&study);
    }
}

static void constants(const double *unit, size_t replicate, double *outputs)
{
    (void)unit;
    (void)replicate;
    outputs[0] = 0.1;
    outputs[1] = -7.0;
}

static void what_never_changes_depends_on_nothing(void **state)
{
    for (int method = SENSITIVITY_SOBOL; method <= SENSITIVITY_MORRIS; method++) {
        struct laboratory laboratory = {.f = constants};
        struct sensitivity study;
        struct sensitivity_result result;
        begin(&study, &laboratory, method, 8, 1);
        run(&study);
        result_of(&study, &result);
        assert_near(result.metrics[0].mean, 0.1, 1e-15);
        assert_near(result.metrics[0].variance, 0.0, 0.0);
        assert_near(result.metrics[1].mean, -7.0, 0.0);
        for (size_t row = 0; row < result.row_count; row++)
            if (method == SENSITIVITY_SOBOL)
                assert_true(isnan(result.indices[row].st));
            else
                assert_near(result.effects[row].mu_star, 0.0, 0.0);
        sensitivity_result_free(&result);
        sensitivity_free(&study);
    }
}

/* ---- what is computed ----------------------------------------------------------------------- */

struct kept {
    const struct sensitivity *study;
    size_t count;
    size_t fail_at; /* the item that cannot be kept; 0: none */
};

static int keep(void *context, size_t item, const double *payload, struct error *err)
{
    struct kept *self = context;
    assert_ptr_equal(payload, self->study->values + item * OUTPUTS);
    assert_true(self->study->done[item]);
    return ++self->count == self->fail_at ? error_set(err, ERROR_IO, "full") : ERROR_NONE;
}

/* As a study that was stopped goes on: nothing is asked twice, and it ends alike. */
static void what_is_done_is_not_done_again(void **state)
{
    struct laboratory laboratory = {.f = gaps}, whole = {.f = gaps};
    struct sensitivity study, other;
    struct error err = {0};
    begin(&other, &whole, SENSITIVITY_SOBOL, 1024, 2);
    run(&other);
    begin(&study, &laboratory, SENSITIVITY_SOBOL, 1024, 2);
    assert_int_equal(study.items, 1024 * 5 * 2);
    struct kept kept = {.study = &study};
    laboratory.fail_at = 3000;
    assert_int_equal(sensitivity_run(&study, NULL, keep, &kept, &err), ERROR_INTERRUPTED);
    assert_int_equal(kept.count, 2999);
    laboratory.fail_at = 0;
    kept.fail_at = 5000;
    assert_int_equal(sensitivity_run(&study, NULL, keep, &kept, &err), ERROR_IO);
    kept.fail_at = 0;
    assert_int_equal(sensitivity_run(&study, NULL, keep, &kept, &err), ERROR_NONE);
    assert_int_equal(kept.count, study.items);
    assert_int_equal(laboratory.calls, study.items + 1);
    assert_memory_equal(study.values, other.values, study.items * OUTPUTS * sizeof(double));
    assert_int_equal(sensitivity_run(&study, NULL, keep, &kept, &err), ERROR_NONE);
    assert_int_equal(kept.count, study.items);
    sensitivity_free(&study);
    sensitivity_free(&other);
}

static void only_what_is_wanted_is_done(void **state)
{
    struct laboratory laboratory = {.f = gaps};
    struct sensitivity study;
    struct error err = {0};
    begin(&study, &laboratory, SENSITIVITY_MORRIS, 10, 2);
    bool *wanted = calloc(study.items, sizeof *wanted);
    assert_non_null(wanted);
    wanted[3] = wanted[79] = true;
    assert_int_equal(study.items, 10 * 4 * 2);
    assert_int_equal(sensitivity_run(&study, wanted, NULL, NULL, &err), ERROR_NONE);
    assert_int_equal(laboratory.calls, 2);
    for (size_t i = 0; i < study.items; i++)
        assert_int_equal(study.done[i], wanted[i]);
    free(wanted);
    sensitivity_free(&study);
}

/* ---- points --------------------------------------------------------------------------------- */

static const void *cell(const struct table *table, size_t row, size_t column)
{
    return (const char *)table->rows + row * table->row_size + table->fields[column].offset;
}

/* Whoever has points.csv can make the indices again. */
static void points_hold_what_the_indices_are_made_of(void **state)
{
    enum { ROWS = 128 };
    struct laboratory laboratory = {.f = gaps};
    struct sensitivity study;
    struct sensitivity_result result;
    struct sensitivity_points points;
    struct indices_result again;
    struct error err = {0};
    begin(&study, &laboratory, SENSITIVITY_SOBOL, ROWS, 1);
    run(&study);
    result_of(&study, &result);
    assert_int_equal(sensitivity_points_make(&study, &points, &err), ERROR_NONE);
    struct table table = sensitivity_points_table(&points);
    static const char *const names[] = {"point",   "param_a_x", "param_b_c__y",
                                        "param_z", "first",     "second"};
    assert_int_equal(table.field_count, 6);
    for (size_t c = 0; c < 6; c++)
        assert_string_equal(table.fields[c].name, names[c]);
    assert_int_equal(table.row_count, ROWS * (FACTORS + 2));
    double *outputs = calloc(table.row_count, sizeof *outputs);
    assert_non_null(outputs);
    for (size_t row = 0; row < table.row_count; row++) {
        assert_int_equal(*(const int64_t *)cell(&table, row, 0), row + 1);
        double sum = 0.0;
        for (size_t i = 0; i < FACTORS; i++) {
            double x = strtod(*(const char *const *)cell(&table, row, 1 + i), NULL);
            assert_true(x > 0.0 && x < 1.0);
            sum += (double[]){1.0, 2.0, 1.0}[i] * x;
        }
        outputs[row] = *(const double *)cell(&table, row, 4);
        assert_near(outputs[row], sum, 1e-12);
    }
    assert_int_equal(indices_estimate(FACTORS, ROWS, outputs, NULL, &again, &err), ERROR_NONE);
    for (size_t i = 0; i < FACTORS; i++) {
        assert_near(again.factor[i].first, result.indices[i].s1, 0.0);
        assert_near(again.factor[i].total, result.indices[i].st, 0.0);
    }
    free(outputs);
    sensitivity_points_free(&points);
    sensitivity_result_free(&result);
    sensitivity_free(&study);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void expect_refused(const struct sensitivity_model *model,
                           const struct sensitivity_plan *plan, const char *says)
{
    struct sensitivity study;
    struct error err = {0};
    assert_int_equal(sensitivity_init(&study, model, plan, &err), ERROR_SCENARIO);
    if (strstr(err.message, says) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, says);
}

static void what_cannot_be_studied_is_refused(void **state)
{
    static const char *const names[21] = {
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k",
        "l", "m", "n", "o", "p", "q", "r", "s", "t", "u",
    };
    struct laboratory laboratory = {.f = gaps};
    struct sensitivity_model model = model_of(&laboratory, 1);
    struct sensitivity_plan plan = plan_of(SENSITIVITY_SOBOL, 8);
    struct sensitivity study;
    struct error err = {0};
    model.factor_count = 0;
    expect_refused(&model, &plan, "expected at least one");
    model.factors = names;
    model.factor_count = 21;
    expect_refused(&model, &plan, "21 factors; expected 1 to 20");
    plan.method = SENSITIVITY_MORRIS; /* which has no limit */
    assert_int_equal(sensitivity_init(&study, &model, &plan, &err), ERROR_NONE);
    assert_int_equal(study.points, 8 * 22);
    sensitivity_free(&study);
    plan.bootstrap.level = 1.0;
    expect_refused(&model, &plan, "expected in (0, 1)");
    plan = plan_of(SENSITIVITY_SOBOL, 1);
    model.factor_count = 3;
    expect_refused(&model, &plan, "expected 2 to");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_known_in_closed_form),
        cmocka_unit_test(a_point_is_the_mean_of_its_replicates),
        cmocka_unit_test(rows_without_an_output_are_left_out_of_that_one_alone),
        cmocka_unit_test(fewer_than_half_of_the_rows_are_too_few),
        cmocka_unit_test(what_never_changes_depends_on_nothing),
        cmocka_unit_test(what_is_done_is_not_done_again),
        cmocka_unit_test(only_what_is_wanted_is_done),
        cmocka_unit_test(points_hold_what_the_indices_are_made_of),
        cmocka_unit_test(what_cannot_be_studied_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
