/*
 * The same scenario at a second step (time.check_step): what is compared, that the other numbers
 * are those of a run at that step, and how the difference is printed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/check_step.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

/* Six hours of the shipped reconstruction around the low, from a short warm-up. */
#define WINDOW                                                                                     \
    "time.warmup=2025-11-20T12:00Z", "time.start=2025-11-21T09:00Z", "time.end=2025-11-21T15:00Z", \
        "book.positions_per_bar=10", "replicates=2"

/* ---- rows ----------------------------------------------------------------------------------- */

static double number_of(const struct metrics_summary *row, const struct field *field)
{
    const char *place = (const char *)row + field->offset;
    return field->type == FIELD_INT64 ? (double)*(const int64_t *)place : *(const double *)place;
}

/* The row of a run and metric, which must be there once; NULL: not at all. */
static const struct run_check *find(const struct run_tables *tables, int64_t run, const char *name)
{
    const struct run_check *found = NULL;
    for (size_t i = 0; i < tables->check_count; i++)
        if (tables->checks[i].run == run && strcmp(tables->checks[i].metric, name) == 0) {
            assert_null(found);
            found = &tables->checks[i];
        }
    return found;
}

static void assert_same(double value, double expected)
{
    if (!isnan(value) || !isnan(expected))
        assert_near(value, expected, 0.0);
}

static void every_number_of_a_summary_is_compared_with_the_run_at_the_other_step(void **state)
{
    struct whole_run run, other;
    struct error err = {0};
    size_t compared = 0, moved = 0;
    whole_run_shipped(&run, "btc-2025-11",
                      WHOLE_RUN_SETS(WINDOW, "time.step=2m", "time.check_step=1m"));
    whole_run_shipped(&other, "btc-2025-11", WHOLE_RUN_SETS(WINDOW, "time.step=1m"));
    assert_null(run.tables.checks);
    assert_int_equal(check_step_run(&run.setup, &run.tables, &err), ERROR_NONE);
    for (size_t i = 0; i < run.tables.summary_count; i++)
        for (size_t f = 0; f < metrics_summary_field_count; f++) {
            const struct field *field = &metrics_summary_fields[f];
            const struct run_check *row = find(&run.tables, run.tables.summary[i].run, field->name);
            if (row == NULL)
                continue;
            compared++;
            moved += row->at_step != row->at_check_step;
            assert_same(row->at_step, number_of(&run.tables.summary[i], field));
            assert_same(row->at_check_step, number_of(&other.tables.summary[i], field));
            if (row->at_step != 0.0 && !isnan(row->at_step))
                assert_near(row->change, (row->at_check_step - row->at_step) / row->at_step, 1e-12);
        }
    assert_int_equal(compared, run.tables.check_count);
    assert_true(moved > 20);
    assert_non_null(find(&run.tables, 2, "liquidated_usd"));
    assert_non_null(find(&run.tables, 1, "price_low"));
    assert_null(find(&run.tables, 1, "seed"));
    assert_null(find(&run.tables, 1, "replicate"));
    assert_null(find(&run.tables, 1, "start"));
    whole_run_free(&run);
    whole_run_free(&other);
}

/* What no step can change: the path's extremes, and the open interest that was observed. */
static void the_window_is_the_same_at_both_steps(void **state)
{
    struct whole_run run;
    struct error err = {0};
    static const char *const same[] = {"price_start", "price_low", "price_high", "price_end",
                                       "oi_end_coins"};
    whole_run_shipped(&run, "btc-2025-11",
                      WHOLE_RUN_SETS(WINDOW, "time.step=1m", "time.check_step=5m"));
    assert_int_equal(check_step_run(&run.setup, &run.tables, &err), ERROR_NONE);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_near(find(&run.tables, 1, same[i])->change, 0.0, 1e-12);
    /* A fifth of the bars, and as many positions in each. */
    assert_near(find(&run.tables, 1, "positions")->change, -0.8, 1e-12);
    whole_run_free(&run);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void expect_error(const char *step, const char *check, const char *says)
{
    struct scenario scenario;
    struct error_list errors = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/scenarios/btc-2025-11.yaml", LIQCASCADE_SOURCE_DIR);
    const char *sets[] = {step, check};
    assert_int_equal(scenario_load(&scenario, path, sets, 2, &errors), ERROR_SCENARIO);
    bool said = false;
    for (size_t i = 0; i < errors.count; i++)
        said = said || (strcmp(errors.items[i].key, "time.check_step") == 0 &&
                        strstr(errors.items[i].message, says) != NULL);
    if (!said)
        fail_msg("%s, %s: no error says `%s`", step, check, says);
    error_list_free(&errors);
}

static void a_check_step_must_be_another_one_and_divide_warm_up_and_run(void **state)
{
    expect_error("time.step=1m", "time.check_step=1m", "expected another step");
    expect_error("time.step=1m", "time.check_step=60s", "expected another step");
    expect_error("time.step=1m", "time.check_step=7m", "does not divide");
    expect_error("time.start=2025-11-20T00:01Z", "time.check_step=2m", "does not divide");
}

/* The data have bars of a minute. */
static void a_check_step_finer_than_the_data_is_an_error_of_the_data(void **state)
{
    struct whole_run run;
    struct error err = {0};
    whole_run_shipped(&run, "btc-2025-11",
                      WHOLE_RUN_SETS(WINDOW, "time.step=1m", "time.check_step=30s"));
    assert_int_equal(check_step_run(&run.setup, &run.tables, &err), ERROR_DATA);
    assert_null(run.tables.checks);
    whole_run_free(&run);
}

static void a_check_step_without_memory_is_an_error_and_leaves_nothing(void **state)
{
    struct whole_run run;
    long failed = 0;
    whole_run_shipped(&run, "btc-2025-11",
                      WHOLE_RUN_SETS(WINDOW, "time.step=30m", "time.check_step=1h"));
    for (long countdown = 1; countdown < 1000000; countdown += 1 + countdown / 2) {
        struct error err = {0};
        memory_fail_after(countdown);
        int code = check_step_run(&run.setup, &run.tables, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        assert_null(run.tables.checks);
        failed++;
    }
    assert_true(failed > 5);
    assert_true(run.tables.check_count > 0);
    whole_run_free(&run);
}

/* ---- the command ---------------------------------------------------------------------------- */

/* The line of a run's summary that begins with `start`; empty when there is none. */
static void line_of(const char *command, const char *start, char out[256])
{
    char line[256];
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    out[0] = '\0';
    while (fgets(line, sizeof line, pipe) != NULL)
        if (strstr(line, start) != NULL)
            strcpy(out, line);
    assert_int_equal(pclose(pipe), 0);
}

/* The change of the mean over the replicates. */
static void the_command_prints_what_the_other_step_makes_of_the_liquidations(void **state)
{
    if (access(LIQCASCADE_COMMAND, X_OK) != 0) {
        print_message("skipped: the command is not built here\n");
        skip();
    }
#ifdef LIQCASCADE_COMMAND
    static const char *const sets[] = {WINDOW, NULL};
    struct whole_run run;
    struct error err = {0};
    char command[4096], line[256];
    whole_run_shipped(&run, "btc-2025-11",
                      WHOLE_RUN_SETS(WINDOW, "time.step=2m", "time.check_step=1m"));
    assert_int_equal(check_step_run(&run.setup, &run.tables, &err), ERROR_NONE);
    const struct run_check *one = find(&run.tables, 1, "liquidated_usd");
    const struct run_check *two = find(&run.tables, 2, "liquidated_usd");
    double expected =
        100.0 * ((one->at_check_step + two->at_check_step) / (one->at_step + two->at_step) - 1.0);
    whole_run_free(&run);
    int length = snprintf(command, sizeof command,
                          "LIQCASCADE_SHARE=%s %s run %s/scenarios/btc-2025-11.yaml -o %s/checked "
                          "--set time.step=2m",
                          LIQCASCADE_SOURCE_DIR, LIQCASCADE_COMMAND, LIQCASCADE_SOURCE_DIR,
                          scratch_folder());
    for (size_t i = 0; sets[i] != NULL; i++)
        length += snprintf(command + length, sizeof command - (size_t)length, " --set %s", sets[i]);
    snprintf(command + length, sizeof command - (size_t)length,
             " --set time.check_step=1m 2>/dev/null");
    line_of(command, "change at another step", line);
    print_message("%s", line);
    const char *number = strpbrk(line, "+-");
    assert_non_null(number);
    assert_near(strtod(number, NULL), expected, 0.0051);
    assert_non_null(strstr(line, "of the liquidations, with steps of 1m"));
    snprintf(command, sizeof command, "head -n 1 %s/checked/check_step.csv", scratch_folder());
    line_of(command, "run", line);
    assert_string_equal(line, "run,metric,at_step,at_check_step,change\n");
#else
    print_message("  skipped: built without the command\n");
#endif
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_a_summary_is_compared_with_the_run_at_the_other_step),
        cmocka_unit_test(the_window_is_the_same_at_both_steps),
        cmocka_unit_test(a_check_step_must_be_another_one_and_divide_warm_up_and_run),
        cmocka_unit_test(a_check_step_finer_than_the_data_is_an_error_of_the_data),
        cmocka_unit_test(a_check_step_without_memory_is_an_error_and_leaves_nothing),
        cmocka_unit_test(the_command_prints_what_the_other_step_makes_of_the_liquidations),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
