/*
 * A scenario as a function of its uncertain parameters: at every point it gives what `run` gives
 * for the scenario with the same settings, and what depends on a parameter is told to.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "sim/metrics.h"
#include "sim/study/sensitivity_result.h"
#include "sim/study/uncertain.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

/* Four days of 5-minute bars build the book. */
#define BASE                                                                                     \
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/shock-94b.yaml\n"                              \
    "replicates: 2\n"                                                                            \
    "time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: " \
    "5m}\n"                                                                                      \
    "oi: {levels_usd: []}\n"                                                                     \
    "book: {positions_per_bar: 3}\n"
static const char parameters[] = "uncertainty:\n"
                                 "  parameters:\n"
                                 "    impact.gamma: {normal: {mean: 0.8, sigma: 0.1}}\n"
                                 "    impact.half_life: {log_uniform: [5m, 80m]}\n"
                                 "    fill: {choice: [walk, final]}\n"
                                 "    book.leverage.alpha: {uniform: [0.8, 1.6]}\n"
                                 "    venues[binance].fee_rate: {uniform: [0, 0.02]}\n";

enum { FACTORS = 5 };

struct studied {
    struct uncertain uncertain;
    struct sensitivity study;
    char path[SCRATCH_PATH_SIZE];
};

static int load(struct studied *self, const char *parts[3], struct error *err)
{
    struct text_buffer text = {0};
    struct error_list errors = {0};
    for (int i = 0; i < 3; i++)
        text_append(&text, parts[i]);
    scratch_file("uncertain.yaml", text.data, self->path);
    text_buffer_free(&text);
    int code = uncertain_init(&self->uncertain, self->path, NULL, 0, -1, &errors, err);
    scratch_print(&errors);
    error_list_free(&errors);
    return code;
}

static void begin(struct studied *self, const char *more)
{
    struct error err = {0};
    int code = load(self, (const char *[]){BASE, parameters, more}, &err);
    if (code == ERROR_NONE) {
        struct sensitivity_model model = uncertain_model(&self->uncertain);
        struct sensitivity_plan plan = uncertain_plan(&self->uncertain);
        code = sensitivity_init(&self->study, &model, &plan, &err);
    }
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
}

static void end(struct studied *self)
{
    sensitivity_free(&self->study);
    uncertain_free(&self->uncertain);
}

static void run(struct studied *self)
{
    struct error err = {0};
    if (sensitivity_run(&self->study, NULL, NULL, NULL, &err) != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
}

/* ---- against runs --------------------------------------------------------------------------- */

/* A point's settings are those that points.csv shows of it. */
static void expect_point(const struct studied *self, const struct table *points, size_t point)
{
    const char *row = (const char *)points->rows + point * points->row_size;
    char texts[FACTORS][256];
    const char *sets[FACTORS + 1] = {0};
    struct whole_run whole;
    const struct field *field;
    for (size_t i = 0; i < FACTORS; i++) {
        const char *value = *(const char *const *)(row + points->fields[1 + i].offset);
        snprintf(texts[i], sizeof texts[i], "%s=%s", self->uncertain.factors[i], value);
        sets[i] = texts[i];
    }
    whole_run_file(&whole, self->path, sets);
    for (size_t r = 0; r < 2; r++)
        for (size_t n = 0; (field = metrics_number_field(n)) != NULL; n++) {
            double expected = metrics_number(&whole.tables.summary[r], field);
            double value = self->study.values[(point * 2 + r) * self->study.payload + n];
            if (memcmp(&expected, &value, sizeof value) != 0 && !(isnan(expected) && isnan(value)))
                fail_msg("point %zu, replicate %zu: %s is %.17g and by `run` %.17g", point, r,
                         field->name, value, expected);
        }
    assert_true(whole.tables.summary[0].liquidated_usd > 0.0);
    whole_run_free(&whole);
}

static void a_point_is_a_run_with_the_settings_of_points_csv(void **state)
{
    static const char *const methods[] = {"sensitivity: {rows: 2}\n",
                                          "sensitivity: {method: morris, trajectories: 2}\n"};
    for (int m = 0; m < 2; m++) {
        struct studied studied;
        struct sensitivity_points points;
        struct error err = {0};
        begin(&studied, methods[m]);
        run(&studied);
        assert_int_equal(sensitivity_points_make(&studied.study, &points, &err), ERROR_NONE);
        struct table table = sensitivity_points_table(&points);
        assert_int_equal(table.row_count, m == 0 ? 2 * (FACTORS + 2) : 2 * (FACTORS + 1));
        for (size_t p = 0; p < table.row_count; p++)
            expect_point(&studied, &table, p);
        sensitivity_points_free(&points);
        end(&studied);
    }
}

/* A liquidation fee is paid out of what is left of the margin: it moves no price. */
static void what_acts_is_told_from_what_does_not(void **state)
{
    struct studied studied;
    struct sensitivity_result result;
    struct error err = {0};
    begin(&studied, "sensitivity: {rows: 32, metrics: [liquidated_usd, fees_usd]}\n");
    run(&studied);
    assert_int_equal(sensitivity_result_make(&studied.study, &result, &err), ERROR_NONE);
    for (size_t i = 0; i < FACTORS; i++)
        assert_string_equal(result.indices[i].factor, studied.uncertain.factors[i]);
    assert_near(result.indices[4].st, 0.0, 0.0);
    assert_true(result.indices[0].st > 0.05 && result.indices[3].st > 0.05);
    assert_true(result.indices[FACTORS + 4].st > 0.0);
    sensitivity_result_free(&result);
    end(&studied);
}

/* ---- plans ---------------------------------------------------------------------------------- */

/* Of a row: A, B, and AB_i of the two factors that change it. Replicates have books of their own.
 */
static void a_row_shares_books(void **state)
{
    struct studied studied;
    struct error err = {0};
    size_t books;
    begin(&studied, "sensitivity: {rows: 4}\n");
    assert_int_equal(uncertain_books(&studied.uncertain, &studied.study, &books, &err), ERROR_NONE);
    assert_int_equal(books, 4 * 4 * 2);
    end(&studied);
}

/* What is made of the numbers may change while they are computed, and nothing else. */
static void the_identity_is_of_what_numbers_depend_on(void **state)
{
    static const char *const same[] = {"sensitivity: {rows: 4}\n",
                                       "sensitivity: {rows: 4, metrics: [fees_usd]}\n",
                                       "sensitivity: {rows: 4, resamples: 10, level: 0.5}\n", NULL};
    static const char *const others[] = {
        "sensitivity: {rows: 8}\n", "seed: 7\nsensitivity: {rows: 4}\n",
        "impact: {permanent_share: 0.1}\nsensitivity: {rows: 4}\n", NULL};
    struct studied studied;
    struct error err = {0};
    char first[SHA256_TEXT_SIZE], identity[SHA256_TEXT_SIZE];
    for (size_t i = 0; same[i] != NULL; i++) {
        begin(&studied, same[i]);
        assert_int_equal(uncertain_identity(&studied.uncertain, identity, &err), ERROR_NONE);
        if (i == 0)
            memcpy(first, identity, sizeof first);
        assert_string_equal(identity, first);
        end(&studied);
    }
    for (size_t i = 0; others[i] != NULL; i++) {
        begin(&studied, others[i]);
        assert_int_equal(uncertain_identity(&studied.uncertain, identity, &err), ERROR_NONE);
        assert_string_not_equal(identity, first);
        end(&studied);
    }
}

/* ---- errors --------------------------------------------------------------------------------- */

static void expect_refused(const char *own, const char *more, const char *key, const char *says)
{
    struct studied studied;
    struct error err = {0};
    assert_int_equal(load(&studied, (const char *[]){BASE, own, more}, &err), ERROR_SCENARIO);
    assert_string_equal(err.key, key);
    if (strstr(err.message, says) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, says);
}

static void what_cannot_be_studied_is_refused(void **state)
{
    expect_refused("", "", "uncertainty.parameters", "is missing");
    expect_refused(parameters, "sensitivity: {metrics: [liquidated_us]}\n", "sensitivity.metrics",
                   "did you mean liquidated_usd?");
    expect_refused(parameters, "sensitivity: {metrics: [seed]}\n", "sensitivity.metrics",
                   "is no number of summary.csv");
    struct studied studied;
    struct text_buffer many = {0};
    struct error err = {0};
    text_append(&many, "venues:\n");
    for (int v = 0; v < 11; v++)
        text_appendf(&many, "  - {name: v%d, oi_share: %.17g}\n", v, 1.0 / 11.0);
    text_append(&many, "uncertainty:\n  parameters:\n");
    for (int v = 0; v < 11; v++)
        text_appendf(&many,
                     "    'venues[v%d].cap_scale': {uniform: [0.5, 2]}\n"
                     "    'venues[v%d].fee_rate': {uniform: [0, 0.02]}\n",
                     v, v);
    expect_refused(many.data, "", "uncertainty.parameters",
                   "has 22 parameters; expected at most 20 factors, or sensitivity.method: morris");
    int code =
        load(&studied, (const char *[]){BASE, many.data, "sensitivity: {method: morris}\n"}, &err);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    uncertain_free(&studied.uncertain);
    text_buffer_free(&many);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

/* Half of the priors let the price run away; these points have no numbers, the others do. */
static void a_price_that_runs_away_is_a_point_without_numbers(void **state)
{
    static const char wild[] = "uncertainty:\n  parameters:\n"
                               "    impact.reference_move_log: {choice: [9.0e-4, 0.5]}\n"
                               "    impact.gamma: {uniform: [0.9, 1]}\n";
    struct studied studied;
    struct error err = {0};
    int code = load(&studied, (const char *[]){BASE, wild, "sensitivity: {rows: 2}\n"}, &err);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    struct sensitivity_model model = uncertain_model(&studied.uncertain);
    struct sensitivity_plan plan = uncertain_plan(&studied.uncertain);
    assert_int_equal(sensitivity_init(&studied.study, &model, &plan, &err), ERROR_NONE);
    run(&studied);
    for (size_t p = 0; p < studied.study.points; p++)
        assert_int_equal(isnan(sensitivity_output(&studied.study, p, plan.metrics[0])),
                         studied.study.unit[2 * p] > 0.5);
    end(&studied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_that_runs_away_is_a_point_without_numbers),
        cmocka_unit_test(a_point_is_a_run_with_the_settings_of_points_csv),
        cmocka_unit_test(what_acts_is_told_from_what_does_not),
        cmocka_unit_test(a_row_shares_books),
        cmocka_unit_test(the_identity_is_of_what_numbers_depend_on),
        cmocka_unit_test(what_cannot_be_studied_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
