/*
 * Points of a sweep against others, pair by pair: by hand on a few numbers, and on a real sweep
 * what holds of any paired comparison.
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
#include "sim/study/compare.h"
#include "sim/study/sweep_table.h"
#include "tests/scenarios/scratch.h"
#include "tests/support/near.h"

/* ---- by hand -------------------------------------------------------------------------------- */

/* Three draws of two replicates; a value is missing in the second and third draw's second. */
static const double values[] = {1, 2, 4, NAN, 5, 6};
static const double reference[] = {0, 2, 1, 3, 10, NAN};

static void expect(enum bands_over over, size_t n, double mean, double lowest, double median,
                   double share_above, double ratio_median)
{
    static const double probabilities[] = {0, 0.5};
    double room[COMPARE_ROOM(3, 2)], quantiles[2];
    struct compare compare;
    struct compare_runs runs = {values, reference, 3, 2, over};
    compare_pairs(&runs, probabilities, 2, room, &compare, quantiles);
    assert_int_equal(compare.bands.n, n);
    assert_near(compare.bands.mean, mean, 1e-15);
    assert_near(quantiles[0], lowest, 1e-15);
    assert_near(quantiles[1], median, 1e-15);
    assert_near(compare.share_above, share_above, 1e-15);
    assert_near(compare.ratio_median, ratio_median, 1e-15);
}

/* Differences 1, 0, 3, -5; ratios 2/2, 4/1, 5/10, none where the reference is 0. */
static void every_pair_by_itself(void **state)
{
    expect(BANDS_BOTH, 4, -0.25, -5, 0.5, 0.5, 1);
}

/* Draws by the means of their whole pairs: 1.5 against 1, 4 against 1, 5 against 10. */
static void each_draw_by_its_mean(void **state)
{
    expect(BANDS_DRAWS, 3, -0.5, -5, 0.5, 2.0 / 3.0, 1.5);
}

/* Replicates: (1 + 4 + 5) / 3 against (0 + 1 + 10) / 3, and 2 against 2. */
static void each_replicate_by_its_mean(void **state)
{
    expect(BANDS_REPLICATES, 2, -1.0 / 6.0, -1.0 / 3.0, -1.0 / 6.0, 0, (10.0 / 11.0 + 1) / 2);
}

static void nothing_in_common_is_nothing(void **state)
{
    const double some[] = {1, NAN}, others[] = {NAN, 1}, half = 0.5;
    double room[COMPARE_ROOM(2, 1)], median;
    struct compare compare;
    struct compare_runs runs = {some, others, 2, 1, BANDS_BOTH};
    compare_pairs(&runs, &half, 1, room, &compare, &median);
    assert_int_equal(compare.bands.n, 0);
    assert_true(isnan(compare.bands.mean) && isnan(median));
    assert_true(isnan(compare.share_above) && isnan(compare.ratio_median));
}

/* ---- a real sweep --------------------------------------------------------------------------- */

enum { LEVELS = 3, REFERENCE = 1, DRAWS = 8, REPLICATES = 2, RUNS = DRAWS * REPLICATES };

/* Two laws of impact, each at three levels, compared with the middle one. */
static const char text[] =
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/shock-94b.yaml\n"
    "replicates: 2\n"
    "time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T20:30Z, step: "
    "5m}\n"
    "oi: {levels_usd: []}\n"
    "book: {positions_per_bar: 3}\n"
    "sweep:\n"
    "  method: grid\n"
    "  axes: {impact.gamma: [0.6, 1], oi.level_usd: [40e9, 80e9, 90e9]}\n"
    "  compare: {oi.level_usd: 8e10}\n"
    "uncertainty: {draws: 8, parameters: {impact.reference_coins: {uniform: [300, 900]}, "
    "book.leverage.alpha: {uniform: [0.8, 1.6]}}}\n"
    "bands: {quantiles: [0.05, 0.5, 0.95], over: both}\n"
    "baselines: [open]\n";

static struct sweep sweep;
static struct sweep_table bands, differences;

static int set_up(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct error_list errors = {0};
    struct error err = {0};
    scratch_file("sweep.yaml", text, path);
    int code = sweep_init(&sweep, path, NULL, 0, -1, &errors, &err);
    scratch_print(&errors);
    error_list_free(&errors);
    if (code != ERROR_NONE)
        return -1;
    bool *wanted = memory_alloc(sweep.items, sizeof *wanted);
    memset(wanted, true, sweep.items * sizeof *wanted);
    code = sweep_run(&sweep, wanted, NULL, NULL, &err);
    memory_free(wanted);
    if (code == ERROR_NONE)
        code = sweep_table_make(&sweep, &bands, &err);
    if (code == ERROR_NONE)
        code = sweep_table_differences(&sweep, &differences, &err);
    return code == ERROR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
    sweep_table_free(&bands);
    sweep_table_free(&differences);
    sweep_free(&sweep);
    scratch_remove();
    return 0;
}

static size_t column(const struct sweep_table *table, const char *name)
{
    for (size_t i = 0; i < table->field_count; i++)
        if (strcmp(table->fields[i].name, name) == 0)
            return i;
    fail_msg("there is no column %s", name);
    return 0;
}

static double number(const struct sweep_table *table, size_t row, const char *name)
{
    double value;
    memcpy(&value, &table->cells[row * table->field_count + column(table, name)], sizeof value);
    return value;
}

static uint64_t count(const struct sweep_table *table, size_t row, const char *name)
{
    return table->cells[row * table->field_count + column(table, name)];
}

/* Both tables have a row for each point, baseline and number, in one order. */
static size_t row_of(size_t point, size_t baseline, size_t metric)
{
    return (point * sweep.baseline_count + baseline) * sweep.numbers + metric;
}

static size_t reference_of(size_t point)
{
    return point / LEVELS * LEVELS + REFERENCE;
}

static void points_are_compared_within_the_other_axes(void **state)
{
    assert_true(sweep_table_compares(&sweep));
    assert_int_equal(differences.row_count, bands.row_count);
    for (size_t p = 0; p < sweep.points.points; p++) {
        size_t row = row_of(p, 0, 0);
        assert_int_equal(count(&differences, row, "point"), p + 1);
        assert_int_equal(count(&differences, row, "reference"), reference_of(p) + 1);
    }
}

/* The mean of differences is the difference of means where nothing is missing. */
static void means_add_up(void **state)
{
    size_t looked_at = 0;
    for (size_t p = 0; p < sweep.points.points; p++)
        for (size_t b = 0; b < sweep.baseline_count; b++)
            for (size_t n = 0; n < sweep.numbers; n++) {
                size_t row = row_of(p, b, n), other = row_of(reference_of(p), b, n);
                if (count(&bands, row, "n") < RUNS || count(&bands, other, "n") < RUNS)
                    continue;
                double here = number(&bands, row, "mean"), there = number(&bands, other, "mean");
                assert_int_equal(count(&differences, row, "n"), RUNS);
                assert_near(number(&differences, row, "mean"), here - there,
                            1e-12 * fmax(fabs(here), fabs(there)));
                looked_at++;
            }
    assert_true(looked_at > 6 * 2 * 10);
}

static void a_point_against_itself_is_nothing(void **state)
{
    static const char *const columns[] = {"mean", "q05", "q50", "q95", "share_above"};
    for (size_t p = REFERENCE; p < sweep.points.points; p += LEVELS)
        for (size_t n = 0; n < 2 * sweep.numbers; n++) {
            size_t row = row_of(p, 0, n);
            for (size_t c = 0; c < 5 && count(&differences, row, "n") > 0; c++)
                assert_true(number(&differences, row, columns[c]) == 0);
            double ratio = number(&differences, row, "ratio_median");
            assert_true(isnan(ratio) || ratio == 1);
        }
}

static size_t metric_named(const char *name)
{
    for (size_t i = 0; metrics_number_field(i) != NULL; i++)
        if (strcmp(metrics_number_field(i)->name, name) == 0)
            return i;
    fail_msg("there is no number %s", name);
    return 0;
}

static double variance_of_differences(size_t point, size_t other, size_t shift, size_t metric)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < RUNS; i++) {
        size_t j = (i + shift) % RUNS;
        double difference = sweep_number(&sweep, point, i / REPLICATES, i % REPLICATES, 0, metric) -
                            sweep_number(&sweep, other, j / REPLICATES, j % REPLICATES, 0, metric);
        sum += difference / RUNS;
        squares += difference * difference / RUNS;
    }
    return squares - sum * sum;
}

/* The same draw and the same random numbers at both points make a pair more alike than two runs of
   different draws and replicates: what the comparison by pairs is for. */
static void pairs_differ_less_than_others(void **state)
{
    size_t metric = metric_named("liquidated_usd");
    for (size_t p = 0; p < sweep.points.points; p++) {
        double paired = variance_of_differences(p, reference_of(p), 0, metric), others = 0;
        for (size_t shift = REPLICATES; shift <= RUNS - REPLICATES; shift++)
            others += variance_of_differences(p, reference_of(p), shift, metric) /
                      (RUNS - 2 * REPLICATES + 1);
        printf("    point %zu: %.3g of what other pairs differ by\n", p + 1, paired / others);
        assert_true(paired < others);
        /* Between 80 and 90 billion most is in common. */
        assert_true(p % LEVELS != 2 || paired < 0.5 * others);
    }
}

/* More open interest, with depth that does not grow as much, liquidates more. */
static void more_open_interest_liquidates_more(void **state)
{
    size_t metric = metric_named("liquidated_usd");
    for (size_t p = 0; p < sweep.points.points; p++) {
        size_t row = row_of(p, 0, metric);
        int side = (int)(p % LEVELS) - REFERENCE;
        double share = number(&differences, row, "share_above");
        double ratio = number(&differences, row, "ratio_median");
        assert_true(share >= 0 && share <= 1);
        if (side > 0)
            assert_true(number(&differences, row, "mean") > 0 && share > 0.5 && ratio > 1);
        if (side < 0)
            assert_true(number(&differences, row, "mean") < 0 && share < 0.5 && ratio < 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_by_itself),
        cmocka_unit_test(each_draw_by_its_mean),
        cmocka_unit_test(each_replicate_by_its_mean),
        cmocka_unit_test(nothing_in_common_is_nothing),
        cmocka_unit_test(points_are_compared_within_the_other_axes),
        cmocka_unit_test(means_add_up),
        cmocka_unit_test(a_point_against_itself_is_nothing),
        cmocka_unit_test(pairs_differ_less_than_others),
        cmocka_unit_test(more_open_interest_liquidates_more),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
