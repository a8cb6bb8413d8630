/*
 * A sweep gives at every point, under every draw, what `run` gives for the scenario with the same
 * settings: whatever it shares between points. And what theory says of a sweep over open interest:
 * where nothing but coins over depth matters, depth that grows with open interest makes the size of
 * a cascade, as a share, independent of its level.
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
#include "sim/study/critical.h"
#include "sim/study/sweep.h"
#include "sim/study/sweep_table.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

enum { SETTINGS_MAX = 32, TEXT_SIZE = 4096 };

/* Four days of 5-minute bars build the book. */
#define SHOCK                                                                                    \
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/shock-94b.yaml\n"                              \
    "replicates: 2\n"                                                                            \
    "time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: " \
    "5m}\n"                                                                                      \
    "oi: {levels_usd: []}\n"
static const char shock[] = SHOCK "book: {positions_per_bar: 3}\n";
static const char shock_on_a_pool[] = SHOCK "book: {positions_per_bar: 3, pool_share: 0.2}\n";
static const char observed[] =
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/btc-2025-10.yaml\n"
    "replicates: 2\n"
    "time: {warmup: 2025-10-08T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T22:00Z, step: "
    "5m}\n"
    "book: {positions_per_bar: 3}\n";
static const char random_path[] =
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/btc-random.yaml\n"
    "replicates: 3\n"
    "time: {warmup: 2025-11-17T00:00Z, start: 2025-11-20T00:00Z, end: 2025-11-21T00:00Z, step: "
    "5m}\n"
    "book: {positions_per_bar: 3}\n";

/* ---- a sweep of a text ---------------------------------------------------------------------- */

struct swept {
    struct sweep sweep;
    char path[SCRATCH_PATH_SIZE];
};

static void load(struct swept *self, const char *base, const char *more)
{
    char text[TEXT_SIZE];
    struct error_list errors = {0};
    struct error err = {0};
    snprintf(text, sizeof text, "%s%s", base, more);
    scratch_file("sweep.yaml", text, self->path);
    int code = sweep_init(&self->sweep, self->path, NULL, 0, -1, &errors, &err);
    scratch_print(&errors);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    error_list_free(&errors);
}

static void compute(struct swept *self)
{
    struct error err = {0};
    bool *wanted = memory_alloc(self->sweep.items, sizeof *wanted);
    assert_non_null(wanted);
    memset(wanted, true, self->sweep.items * sizeof *wanted);
    int code = sweep_run(&self->sweep, wanted, NULL, NULL, &err);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    for (size_t i = 0; i < self->sweep.items; i++)
        assert_true(self->sweep.done[i]);
    memory_free(wanted);
}

static void sweep_of(struct swept *self, const char *base, const char *more)
{
    load(self, base, more);
    compute(self);
}

/* Points and draws: `item` below is one of these, with all its replicates. */
static size_t pairs_of(const struct sweep *sweep)
{
    return sweep->points.points * sweep->points.draws;
}

static double number_of(const struct sweep *sweep, size_t item, size_t baseline, size_t replicate,
                        size_t number)
{
    size_t draws = sweep->points.draws;
    return sweep_number(sweep, item / draws, item % draws, replicate, baseline, number);
}

static size_t number_named(const char *name)
{
    const struct field *field;
    for (size_t i = 0; (field = metrics_number_field(i)) != NULL; i++)
        if (strcmp(field->name, name) == 0)
            return i;
    fail_msg("there is no number %s", name);
    return 0;
}

/* ---- against runs --------------------------------------------------------------------------- */

static const char *baseline_set(const struct sweep *sweep, size_t baseline)
{
    bool is_observed = sweep->evaluate.scenario.path.model == PATH_OBSERVED;
    if (strcmp(sweep->baselines[baseline], "open") == 0)
        return is_observed ? "feedback=open" : "impact.model=none";
    if (strcmp(sweep->baselines[baseline], "least") == 0)
        return "fixed_point=least";
    return "feedback=naive";
}

/* The settings of an item as --set takes them: those of the draw, of the point, of the baseline. */
static void sets_of(const struct sweep *sweep, size_t item, size_t baseline,
                    char texts[SETTINGS_MAX][256], const char *sets[SETTINGS_MAX + 1])
{
    struct sweep_setting settings[SETTINGS_MAX];
    size_t count = sweep_points_draw(&sweep->points, item % sweep->points.draws, settings);
    count += sweep_points_point(&sweep->points, item / sweep->points.draws, settings + count);
    assert_true(count < SETTINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "%s=%s", settings[i].key, settings[i].value);
        sets[i] = texts[i];
    }
    if (baseline > 0)
        sets[count++] = baseline_set(sweep, baseline);
    sets[count] = NULL;
}

/* True when the run liquidated anybody. */
static bool expect_item(const struct swept *self, size_t item, size_t baseline)
{
    const struct sweep *sweep = &self->sweep;
    char texts[SETTINGS_MAX][256];
    const char *sets[SETTINGS_MAX + 1];
    struct whole_run run;
    const struct field *field;
    sets_of(sweep, item, baseline, texts, sets);
    whole_run_file(&run, self->path, sets);
    assert_int_equal(run.tables.summary_count, sweep->replicates);
    for (size_t r = 0; r < sweep->replicates; r++)
        for (size_t n = 0; (field = metrics_number_field(n)) != NULL; n++) {
            double expected = metrics_number(&run.tables.summary[r], field);
            double value = number_of(sweep, item, baseline, r, n);
            if (memcmp(&expected, &value, sizeof value) != 0 && !(isnan(expected) && isnan(value)))
                fail_msg("item %zu (%s ...), %s, replicate %zu: %s is %.17g; the run says %.17g",
                         item, sets[0] != NULL ? sets[0] : "", sweep->baselines[baseline], r,
                         field->name, value, expected);
        }
    bool fired = run.tables.summary[0].liquidated_positions > 0;
    whole_run_free(&run);
    return fired;
}

/* Sweeps, expects so many books for all its items, and compares every number with runs. */
static void expect_as_runs(const char *base, const char *more, size_t expected_books)
{
    struct swept self;
    struct error err = {0};
    size_t books, fired = 0;
    load(&self, base, more);
    assert_int_equal(sweep_books(&self.sweep, &books, &err), ERROR_NONE);
    assert_int_equal(books, expected_books * self.sweep.replicates);
    compute(&self);
    for (size_t i = 0; i < pairs_of(&self.sweep); i++)
        for (size_t b = 0; b < self.sweep.baseline_count; b++)
            fired += expect_item(&self, i, b);
    assert_true(fired > 0);
    print_message("  %zu items, %zu baselines, %zu books\n", self.sweep.items,
                  self.sweep.baseline_count, books);
    sweep_free(&self.sweep);
}

static void a_grid_over_a_shock_is_the_runs_of_its_points_and_draws(void **state)
{
    expect_as_runs(shock,
                   "sweep:\n  method: grid\n  axes:\n"
                   "    oi.level_usd: [20e9, 60e9, 120e9]\n"
                   "    impact.gamma: [0.5, 1]\n"
                   "uncertainty:\n  draws: 3\n  parameters:\n"
                   "    book.leverage.alpha: {uniform: [0.8, 1.6]}\n"
                   "    impact.reference_move_log: {lognormal: {median: 9.0e-4, sigma: 0.2}}\n"
                   "baselines: [open]\n",
                   3); /* alpha is of the draw */
}

/* Each point sets one key that a book does not know of. */
static void keys_that_leave_the_book_alone_share_one(void **state)
{
    expect_as_runs(
        shock_on_a_pool,
        "funding: {model: linear, limit_usd: 1e9}\n"
        "sweep:\n  method: list\n  list:\n"
        "    - {oi.level_usd: 20e9}\n    - {oi.level_coins: 700000}\n    - {impact.gamma: 0.5}\n"
        "    - {impact.model: linear}\n    - {impact.reference_coins: 200}\n"
        "    - {impact.half_life: 5m}\n    - {impact.permanent_share: 0.5}\n"
        "    - {impact.mark_passthrough: 0.5}\n    - {impact.depth.model: volatility}\n"
        "    - {impact.generation_time: 30s}\n    - {fill: final}\n    - {impact.depth.zeta: 0.5}\n"
        "    - {path.move_log: -0.2}\n    - {path.over: 20m}\n    - {oi.flow: frozen}\n"
        "    - {funding.model: cubic}\n    - {funding.limit_usd: 1e8}\n"
        "    - {book.turnover_per_hour: 0.2}\n    - {book.remargin_per_hour: 0.1}\n"
        "    - {book.close: disposition}\n    - {book.absorbed_by_closers: 0}\n"
        "    - {episode.floor_usd_per_min: 1e8}\n    - {episode.quiet: 5m}\n"
        "    - {branching_window_log: 0.02}\n",
        1);
}

static void keys_that_change_the_book_have_their_own(void **state)
{
    expect_as_runs(shock,
                   "sweep:\n  method: list\n  list:\n"
                   "    - {book.positions_per_bar: 4}\n    - {book.leverage.alpha: 1.5}\n"
                   "    - {book.leverage.maximum: 20}\n    - {book.leverage.hazard_exponent: 0}\n"
                   "    - {book.size_usd.median: 40000}\n    - {book.crowd_tilt: 0}\n"
                   "    - {book.hedged_short_share: 0.1}\n    - {book.pool_share: 0.2}\n"
                   "    - {book.entry: vwap}\n"
                   "    - {oi.scale_by: sizes, oi.level_usd: 20e9}\n"
                   "    - {oi.scale_by: sizes, oi.level_usd: 90e9}\n",
                   11);
}

/* With sizes a level is another book; with traders it is not. */
static void levels_by_size_and_by_traders_stay_apart(void **state)
{
    expect_as_runs(shock,
                   "sweep:\n  method: grid\n  axes:\n"
                   "    oi.scale_by: [traders, sizes]\n"
                   "    oi.level_usd: [20e9, 60e9]\n",
                   3);
}

/* The factual record is shared by levels and by nothing else; baselines of the same book come
   between. */
static void counterfactuals_on_an_observed_path_are_those_of_runs(void **state)
{
    expect_as_runs(observed,
                   "feedback: closed\nimpact: {reference_coins: 20000}\n"
                   "sweep:\n  method: grid\n  axes:\n"
                   "    impact.gamma: [0.6, 1]\n"
                   "    oi.level_usd: [40e9, 80e9, 120e9]\n"
                   "    impact.depth_oi_exponent: [0, 1]\n"
                   "baselines: [open, naive, least]\n",
                   1);
    expect_as_runs(observed,
                   "feedback: closed\n"
                   "sweep:\n  method: grid\n  axes:\n"
                   "    oi.scale_by: [sizes, traders]\n"
                   "    oi.level_usd: [60e9, 100e9]\n"
                   "    feedback: [open, closed]\n",
                   3);
}

static void random_paths_are_those_of_runs(void **state)
{
    expect_as_runs(random_path,
                   "sweep:\n  method: grid\n  axes:\n"
                   "    path.volatility: [0.5, 2]\n"
                   "    path.model: [gbm, student_t]\n"
                   "    path.drift: [0, -10]\n"
                   "baselines: [open]\n",
                   2); /* path.model is read with the market */
}

/* ---- sweep.csv ------------------------------------------------------------------------------ */

static double cell_double(const struct sweep_table *table, size_t row, size_t column)
{
    double value;
    memcpy(&value, &table->cells[row * table->field_count + column], sizeof value);
    return value;
}
static const char *cell_text(const struct sweep_table *table, size_t row, size_t column)
{
    return (const char *)(uintptr_t)table->cells[row * table->field_count + column];
}

/* Columns: point, two parameters, baseline, metric, mean, two quantiles, n. */
static void sweep_csv_has_a_row_for_each_point_baseline_and_number(void **state)
{
    struct swept self;
    struct sweep_table table;
    struct error err = {0};
    sweep_of(
        &self, shock,
        "sweep:\n  method: grid\n  axes:\n"
        "    oi.level_usd: [20e9, 60e9, 90e9]\n    impact.gamma: [0.5, 1]\n"
        "uncertainty: {draws: 2, parameters: {impact.reference_coins: {uniform: [300, 900]}}}\n"
        "bands: {quantiles: [0, 0.5, 1], over: both}\n"
        "baselines: [open]\n");
    const struct sweep *sweep = &self.sweep;
    assert_int_equal(sweep_table_make(sweep, &table, &err), ERROR_NONE);
    assert_int_equal(table.row_count, 6 * 2 * evaluate_numbers());
    const char *columns[] = {"point",
                             "param_oi_level_usd",
                             "param_impact_gamma",
                             "baseline",
                             "metric",
                             "mean",
                             "q00",
                             "q50",
                             "q100",
                             "n"};
    assert_int_equal(table.field_count, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < table.field_count; i++)
        assert_string_equal(table.fields[i].name, columns[i]);
    size_t row = 0;
    for (size_t p = 0; p < 6; p++)
        for (size_t b = 0; b < 2; b++)
            for (size_t n = 0; n < evaluate_numbers(); n++, row++) {
                double sum = 0.0, least = INFINITY, most = -INFINITY, have = 0.0;
                for (size_t d = 0; d < 2; d++)
                    for (size_t r = 0; r < 2; r++) {
                        double value = number_of(sweep, p * 2 + d, b, r, n);
                        if (isnan(value))
                            continue;
                        sum += value;
                        least = fmin(least, value);
                        most = fmax(most, value);
                        have += 1.0;
                    }
                assert_int_equal(table.cells[row * table.field_count], p + 1);
                assert_string_equal(cell_text(&table, row, 3), b == 0 ? "model" : "open");
                assert_string_equal(cell_text(&table, row, 4), metrics_number_field(n)->name);
                assert_near((double)table.cells[row * table.field_count + 9], have, 0.0);
                if (have == 0.0) {
                    assert_true(isnan(cell_double(&table, row, 5)));
                    continue;
                }
                assert_near(cell_double(&table, row, 5), sum / have, 1e-12 * fabs(sum));
                assert_near(cell_double(&table, row, 6), least, 0.0);
                assert_near(cell_double(&table, row, 8), most, 0.0);
            }
    /* The first axis is the slowest. */
    assert_near(atof(cell_text(&table, 0, 1)), 20e9, 0.0);
    assert_near(atof(cell_text(&table, table.row_count - 1, 1)), 90e9, 0.0);
    assert_near(atof(cell_text(&table, table.row_count - 1, 2)), 1.0, 0.0);
    sweep_table_free(&table);
    sweep_free(&self.sweep);
}

/* ---- theory --------------------------------------------------------------------------------- */

static const char linear[] = "impact: {model: linear, permanent_share: 1, depth_oi_exponent: %s}\n"
                             "sweep:\n  method: grid\n  axes:\n    oi.level_usd: %s\n%s";

static void linear_sweep(struct swept *self, const char *exponent, const char *levels,
                         const char *more)
{
    char text[TEXT_SIZE];
    snprintf(text, sizeof text, linear, exponent, levels, more);
    sweep_of(self, shock, text);
}

/* Linear impact of c coins at a depth D is c / D: with D as large as the open interest, a share of
   it moves the price as far at any level, and the cascade is the same but for its scale. */
static void with_depth_as_large_as_open_interest_the_share_liquidated_knows_no_level(void **state)
{
    struct swept self;
    size_t share = number_named("liquidated_share_of_oi"), usd = number_named("liquidated_usd"),
           low = number_named("price_low");
    linear_sweep(&self, "1", "[10e9, 20e9, 60e9, 94e9, 120e9, 500e9]", "");
    for (size_t r = 0; r < 2; r++)
        for (size_t i = 1; i < pairs_of(&self.sweep); i++) {
            double first = number_of(&self.sweep, 0, 0, r, share);
            double level = i == 1 ? 2.0 : i == 2 ? 6.0 : i == 3 ? 9.4 : i == 4 ? 12.0 : 50.0;
            assert_true(first > 0.01);
            assert_near(number_of(&self.sweep, i, 0, r, share) / first, 1.0, 1e-9);
            assert_near(number_of(&self.sweep, i, 0, r, low) / number_of(&self.sweep, 0, 0, r, low),
                        1.0, 1e-9);
            assert_near(number_of(&self.sweep, i, 0, r, usd) /
                            (level * number_of(&self.sweep, 0, 0, r, usd)),
                        1.0, 1e-9);
        }
    sweep_free(&self.sweep);
}

static void with_depth_that_stays_the_share_liquidated_grows_with_the_level(void **state)
{
    struct swept self;
    size_t share = number_named("liquidated_share_of_oi");
    linear_sweep(&self, "0", "[5e9, 10e9, 20e9, 40e9, 60e9]", "");
    for (size_t r = 0; r < 2; r++)
        for (size_t i = 1; i < pairs_of(&self.sweep); i++) {
            double before = number_of(&self.sweep, i - 1, 0, r, share);
            double here = number_of(&self.sweep, i, 0, r, share);
            print_message("  %.6f -> %.6f\n", before, here);
            assert_true(here > before);
        }
    sweep_free(&self.sweep);
}

/* ---- critical values ------------------------------------------------------------------------ */

/* What is liquidated is proportional to the level, so the level at which it is X is X over what one
   dollar of level gives, in each draw its own. */
static void a_critical_level_is_found_where_it_must_be(void **state)
{
    struct swept self;
    struct critical critical;
    struct error err = {0};
    static const char more[] =
        "uncertainty: {draws: 4, parameters: {book.leverage.alpha: {uniform: [0.9, 1.1]}}}\n"
        "bands: {quantiles: [0, 1], over: both}\n"
        "critical: {along: oi.level_usd, when: liquidated_usd >= 4e9, refine: 1e5}\n";
    size_t usd = number_named("liquidated_usd");
    linear_sweep(&self, "1", "[1e9, 30e9, 60e9, 200e9]", more);
    assert_true(critical_wanted(&self.sweep));
    assert_int_equal(critical_check(&self.sweep, &err), ERROR_NONE);
    assert_int_equal(critical_find(&self.sweep, &critical, &err), ERROR_NONE);
    assert_int_equal(critical.count, 4 + 3);
    double least = INFINITY, most = -INFINITY, sum = 0.0;
    for (size_t d = 0; d < 4; d++) {
        const struct critical_row *row = &critical.rows[d];
        double per_usd =
            (number_of(&self.sweep, d, 0, 0, usd) + number_of(&self.sweep, d, 0, 1, usd)) / 2.0 /
            1e9;
        double expected = 4e9 / per_usd;
        print_message("  draw %zu: %.6g, expected %.6g\n", d + 1, row->value, expected);
        assert_true(expected > 1e9 && expected < 200e9);
        assert_int_equal(row->draw, d + 1);
        assert_true(row->above - row->below <= 1e5);
        assert_near(row->value, expected, 0.5e5 + 1e-9 * expected);
        least = fmin(least, row->value);
        most = fmax(most, row->value);
        sum += row->value;
    }
    assert_near(critical.rows[4].value, sum / 4.0, 1e-3);
    assert_near(critical.rows[5].value, least, 0.0);
    assert_near(critical.rows[6].value, most, 0.0);
    assert_near(critical.rows[6].never_share, 0.0, 0.0);
    critical_free(&critical);
    sweep_free(&self.sweep);
}

/* One that holds from the first value on does not begin to hold; nor does one that never does. */
static void no_critical_level_is_made_up(void **state)
{
    static const char *const conditions[] = {"liquidated_usd >= 1", "liquidated_usd >= 1e15"};
    for (size_t i = 0; i < 2; i++) {
        struct swept self;
        struct critical critical;
        struct error err = {0};
        char more[256];
        snprintf(more, sizeof more, "critical: {along: oi.level_usd, when: '%s', refine: 1e6}\n",
                 conditions[i]);
        linear_sweep(&self, "1", "[10e9, 30e9, 60e9]", more);
        assert_int_equal(critical_find(&self.sweep, &critical, &err), ERROR_NONE);
        for (size_t k = 0; k < critical.count; k++)
            assert_true(isnan(critical.rows[k].value));
        assert_near(critical.rows[critical.count - 1].never_share, 1.0, 0.0);
        critical_free(&critical);
        sweep_free(&self.sweep);
    }
}

/* Falling along the axis counts as well as rising: what is asked is where it begins to hold. */
static void a_condition_may_begin_to_hold_by_falling(void **state)
{
    struct swept self;
    struct critical critical;
    struct error err = {0};
    linear_sweep(&self, "1", "[10e9, 30e9]\n    impact.reference_coins: [100, 400, 1600, 6400]",
                 "critical: {along: impact.reference_coins, when: liquidated_share_of_oi < 0.2, "
                 "refine: 1}\n");
    size_t share = number_named("liquidated_share_of_oi");
    assert_int_equal(critical_find(&self.sweep, &critical, &err), ERROR_NONE);
    const struct critical_row *row = &critical.rows[0];
    for (size_t i = 0; i < 4; i++)
        print_message("  %.6f\n", number_of(&self.sweep, i, 0, 0, share));
    print_message("  %.6g in %.6g to %.6g, %s\n", row->value, row->below, row->above,
                  row->settings);
    assert_string_equal(row->settings, "oi.level_usd=10000000000");
    assert_true(row->below < row->above && row->above - row->below <= 1.0);
    /* At the two ends of the bracket, by runs. */
    for (int end = 0; end < 2; end++) {
        char coins[64];
        struct whole_run run;
        snprintf(coins, sizeof coins, "impact.reference_coins=%.17g",
                 end == 0 ? row->below : row->above);
        whole_run_file(&run, self.path, WHOLE_RUN_SETS("oi.level_usd=10e9", coins));
        double mean = (run.tables.summary[0].liquidated_share_of_oi +
                       run.tables.summary[1].liquidated_share_of_oi) /
                      2.0;
        assert_true((mean < 0.2) == (end == 1));
        whole_run_free(&run);
    }
    critical_free(&critical);
    sweep_free(&self.sweep);
}

static int cleanup(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_over_a_shock_is_the_runs_of_its_points_and_draws),
        cmocka_unit_test(keys_that_leave_the_book_alone_share_one),
        cmocka_unit_test(keys_that_change_the_book_have_their_own),
        cmocka_unit_test(levels_by_size_and_by_traders_stay_apart),
        cmocka_unit_test(counterfactuals_on_an_observed_path_are_those_of_runs),
        cmocka_unit_test(random_paths_are_those_of_runs),
        cmocka_unit_test(sweep_csv_has_a_row_for_each_point_baseline_and_number),
        cmocka_unit_test(with_depth_as_large_as_open_interest_the_share_liquidated_knows_no_level),
        cmocka_unit_test(with_depth_that_stays_the_share_liquidated_grows_with_the_level),
        cmocka_unit_test(a_critical_level_is_found_where_it_must_be),
        cmocka_unit_test(no_critical_level_is_made_up),
        cmocka_unit_test(a_condition_may_begin_to_hold_by_falling),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
