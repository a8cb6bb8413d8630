/*
 * What stands beside a critical value: the branching ratio at both ends of its bracket is that of
 * runs there, and a draw without a critical value says why. (Where critical values lie, and that
 * none is made up, is tested with sweeps.)
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/study/critical.h"
#include "sim/study/sweep.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

#define TEXT                                                                                     \
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/shock-94b.yaml\n"                              \
    "replicates: 2\n"                                                                            \
    "time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: " \
    "5m}\n"                                                                                      \
    "oi: {levels_usd: []}\n"                                                                     \
    "book: {positions_per_bar: 3}\n"                                                             \
    "impact: {gamma: 1, depth_oi_exponent: 0}\n"                                                 \
    "sweep: {method: grid, axes: {oi.level_usd: [10e9, 30e9, 60e9]}}\n"                          \
    "bands: {quantiles: [0, 1], over: both}\n"                                                   \
    "critical: {along: oi.level_usd, when: '%s', refine: 1e8}\n"

static void find(const char *when, struct sweep *sweep, char path[SCRATCH_PATH_SIZE],
                 struct critical *out)
{
    char whole[2048];
    struct error_list errors = {0};
    struct error err = {0};
    snprintf(whole, sizeof whole, TEXT, when);
    scratch_file("sweep.yaml", whole, path);
    int code = sweep_init(sweep, path, NULL, 0, -1, &errors, &err);
    scratch_print(&errors);
    assert_int_equal(code, ERROR_NONE);
    bool *wanted = memory_alloc(sweep->items, sizeof *wanted);
    assert_non_null(wanted);
    memset(wanted, true, sweep->items * sizeof *wanted);
    assert_int_equal(sweep_run(sweep, wanted, NULL, NULL, &err), ERROR_NONE);
    memory_free(wanted);
    assert_int_equal(critical_check(sweep, &err), ERROR_NONE);
    assert_int_equal(critical_find(sweep, out, &err), ERROR_NONE);
    error_list_free(&errors);
}

static void the_branching_ratio_is_that_of_runs_at_the_bracket(void **state)
{
    struct sweep sweep;
    struct critical critical;
    char path[SCRATCH_PATH_SIZE];
    find("liquidated_usd >= 3e9", &sweep, path, &critical);
    const struct critical_row *row = &critical.rows[0];
    assert_string_equal(row->status, "found");
    assert_true(row->above - row->below <= 1e8);
    for (int end = 0; end < 2; end++) {
        struct whole_run run;
        char level[64];
        snprintf(level, sizeof level, "oi.level_usd=%.17g", end == 0 ? row->below : row->above);
        whole_run_file(&run, path, WHOLE_RUN_SETS(level));
        const struct metrics_summary *summary = run.tables.summary;
        double mean = (summary[0].branching_ratio_max + summary[1].branching_ratio_max) / 2.0;
        double usd = (summary[0].liquidated_usd + summary[1].liquidated_usd) / 2.0;
        print_message("  %s: branching ratio %.6f, liquidated %.6g\n", level, mean, usd);
        assert_near(end == 0 ? row->branching_below : row->branching_above, mean, 0.0);
        assert_true((usd >= 3e9) == (end == 1));
        whole_run_free(&run);
    }
    /* Of one draw, mean and quantiles are the draw's. */
    for (size_t i = 1; i < critical.count; i++) {
        assert_near(critical.rows[i].branching_below, row->branching_below, 0.0);
        assert_near(critical.rows[i].branching_above, row->branching_above, 0.0);
        assert_null(critical.rows[i].status);
    }
    critical_free(&critical);
    sweep_free(&sweep);
}

static void a_draw_without_a_critical_value_says_why(void **state)
{
    static const char *const cases[][2] = {{"liquidated_usd >= 1", "at_start"},
                                           {"liquidated_usd >= 1e15", "never"}};
    for (size_t i = 0; i < 2; i++) {
        struct sweep sweep;
        struct critical critical;
        char path[SCRATCH_PATH_SIZE];
        find(cases[i][0], &sweep, path, &critical);
        assert_string_equal(critical.rows[0].status, cases[i][1]);
        assert_true(isnan(critical.rows[0].branching_below));
        assert_true(isnan(critical.rows[0].branching_above));
        critical_free(&critical);
        sweep_free(&sweep);
    }
}

static int cleanup(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_branching_ratio_is_that_of_runs_at_the_bracket),
        cmocka_unit_test(a_draw_without_a_critical_value_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
