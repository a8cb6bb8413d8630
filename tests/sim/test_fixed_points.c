/*
 * The two fixed points of a counterfactual: begun from what happened, or from the exogenous price
 * (fixed_point: least). What must hold of them on a run along an observed path.
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
#include "sim/metrics.h"
#include "sim/study/sweep.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

/* Three days of 5-minute bars build the book; the fall of 10 October is in the window. */
#define TEXT                                                                                     \
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/btc-2025-10.yaml\n"                            \
    "replicates: 1\n"                                                                            \
    "time: {warmup: 2025-10-08T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T23:00Z, step: " \
    "5m}\n"                                                                                      \
    "book: {positions_per_bar: 3}\n"                                                             \
    "impact: {gamma: 0.8, reference_coins: 6000}\n"                                              \
    "feedback: closed\n"

static void run(struct whole_run *self, const char *level, const char *fixed_point)
{
    char level_set[64], point_set[64];
    snprintf(level_set, sizeof level_set, "oi.level_usd=%s", level);
    snprintf(point_set, sizeof point_set, "fixed_point=%s", fixed_point);
    whole_run_text(self, TEXT, WHOLE_RUN_SETS(level_set, point_set));
}

static void with_less_open_interest_both_are_the_least(void **state)
{
    struct whole_run factual, least;
    run(&factual, "20e9", "factual");
    run(&least, "20e9", "least");
    whole_run_expect_same(&factual.tables, &least.tables);
    whole_run_free(&factual);
    whole_run_free(&least);
}

/* With the observed open interest the one returns the observed path, and the other leaves it by the
   path_gap_log that both report. */
static void with_the_observed_open_interest_they_are_the_path_gap_apart(void **state)
{
    struct whole_run factual, least, open;
    double gap = 0.0;
    run(&factual, "null", "factual");
    run(&least, "null", "least");
    whole_run_text(&open, TEXT, WHOLE_RUN_SETS("feedback=open"));
    for (size_t i = 0; i < open.tables.step_count; i++) {
        double observed = open.tables.steps[i].price_close;
        assert_near(factual.tables.steps[i].price_close, observed, 1e-12 * observed);
        gap = fmax(gap, fabs(log(least.tables.steps[i].price_close / observed)));
    }
    printf("    %.3g apart\n", gap);
    assert_true(gap > 1e-6);
    assert_near(gap, least.tables.summary[0].path_gap_log, 1e-9);
    assert_near(gap, factual.tables.summary[0].path_gap_log, 1e-9);
    whole_run_free(&factual);
    whole_run_free(&least);
    whole_run_free(&open);
}

static double liquidated(const struct metrics_step *step)
{
    return step->liquidated_long_coins + step->liquidated_short_coins;
}

/* Up to the first step in which they differ, both have seen the same; there the least fixed point
   has the least forced orders. Not every level has two. */
static void where_they_part_the_least_liquidates_less(void **state)
{
    static const char *const levels[] = {"null", "70e9", "94e9", "120e9"};
    size_t parted = 0;
    for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
        struct whole_run factual, least;
        size_t i = 0;
        run(&factual, levels[l], "factual");
        run(&least, levels[l], "least");
        size_t steps = least.tables.step_count;
        const struct metrics_step *one = least.tables.steps, *other = factual.tables.steps;
        while (i < steps && liquidated(&one[i]) == liquidated(&other[i]))
            i++;
        assert_true(i == steps || liquidated(&one[i]) < liquidated(&other[i]));
        parted += i < steps ? 1 : 0;
        whole_run_free(&factual);
        whole_run_free(&least);
    }
    assert_true(parted >= 2);
}

/* ---- in a sweep ----------------------------------------------------------------------------- */

static int sweep_text(struct sweep *sweep, const char *more, const char *feedback,
                      struct error *err)
{
    static char path[SCRATCH_PATH_SIZE]; /* the sweep borrows both */
    static const char *sets[1];
    char text[4096];
    struct error_list errors = {0};
    snprintf(text, sizeof text, "%s%s", TEXT, more);
    scratch_file("sweep.yaml", text, path);
    sets[0] = feedback;
    int code = sweep_init(sweep, path, sets, 1, -1, &errors, err);
    scratch_print(&errors);
    error_list_free(&errors);
    return code;
}

static size_t number_named(const char *name)
{
    for (size_t i = 0; metrics_number_field(i) != NULL; i++)
        if (strcmp(metrics_number_field(i)->name, name) == 0)
            return i;
    fail_msg("there is no number %s", name);
    return 0;
}

/* The baseline `least` of a point is the run with that fixed point, bit for bit, though it shares
   the factual record with the model's. */
static void the_baseline_is_the_run(void **state)
{
    static const char *const levels[] = {"20e9", "120e9"};
    size_t number = number_named("liquidated_coins");
    struct sweep sweep;
    struct error err = {0};
    assert_int_equal(sweep_text(&sweep,
                                "sweep: {method: grid, axes: {oi.level_usd: [20e9, 120e9]}}\n"
                                "baselines: [open, least]\n",
                                "feedback=closed", &err),
                     ERROR_NONE);
    bool wanted[] = {true, true};
    assert_int_equal(sweep.items, 2);
    assert_int_equal(sweep.baseline_count, 3);
    assert_string_equal(sweep.baselines[2], "least");
    assert_int_equal(sweep_run(&sweep, wanted, NULL, NULL, &err), ERROR_NONE);
    for (size_t p = 0; p < 2; p++) {
        struct whole_run factual, least;
        run(&factual, levels[p], "factual");
        run(&least, levels[p], "least");
        double model = sweep_number(&sweep, p, 0, 0, 0, number);
        double baseline = sweep_number(&sweep, p, 0, 0, 2, number);
        assert_true(model == factual.tables.summary[0].liquidated_coins);
        assert_true(baseline == least.tables.summary[0].liquidated_coins);
        assert_true((model == baseline) == (p == 0));
        whole_run_free(&factual);
        whole_run_free(&least);
    }
    sweep_free(&sweep);
}

static void only_a_counterfactual_has_it(void **state)
{
    struct sweep sweep;
    struct error err = {0};
    assert_int_equal(sweep_text(&sweep,
                                "sweep: {method: grid, axes: {impact.gamma: [0.5, 1]}}\n"
                                "baselines: [least]\n",
                                "feedback=open", &err),
                     ERROR_SCENARIO);
    assert_non_null(strstr(err.message, "feedback: closed"));
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_less_open_interest_both_are_the_least),
        cmocka_unit_test(with_the_observed_open_interest_they_are_the_path_gap_apart),
        cmocka_unit_test(where_they_part_the_least_liquidates_less),
        cmocka_unit_test(the_baseline_is_the_run),
        cmocka_unit_test(only_a_counterfactual_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
