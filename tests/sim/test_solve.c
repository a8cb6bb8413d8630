/*
 * Reverse stress over whole runs: the answer is a value at which `run` fulfils the condition, and
 * just before which it does not; it does not depend on the number of threads; and questions that
 * make no sense are refused with what is wrong.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "sim/study/solve.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

/* Four days of 5-minute bars build the book; a fall of 10 % meets it. */
static const char shock[] =
    "extends: " LIQCASCADE_SOURCE_DIR "/scenarios/shock-94b.yaml\n"
    "replicates: 2\n"
    "time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: "
    "5m}\n"
    "oi: {levels_usd: []}\n"
    "book: {positions_per_bar: 3}\n";
#define UNCERTAIN                                                                \
    "uncertainty: {draws: 4, parameters: {impact.gamma: {uniform: [0.6, 0.9]}, " \
    "book.leverage.alpha: {uniform: [0.8, 1.6]}}}\n"

/* ---- a question put to a text ------------------------------------------------------------- */

struct asked {
    struct solve solve;
    char path[SCRATCH_PATH_SIZE];
};

static void ask_words(struct asked *self, const char *more, struct question_words words)
{
    char text[4096];
    struct question question;
    struct error_list errors = {0};
    struct error err = {0};
    words.points = words.points > 0 ? words.points : 9;
    snprintf(text, sizeof text, "%s%s", shock, more);
    scratch_file("solve.yaml", text, self->path);
    int code = question_read(&question, &words, &err);
    if (code == ERROR_NONE)
        code = solve_init(&self->solve, &question, self->path, NULL, 0, -1, &errors, &err);
    if (code == ERROR_NONE)
        code = solve_run(&self->solve, &err);
    scratch_print(&errors);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    error_list_free(&errors);
}

static void ask(struct asked *self, const char *more, const char *key, const char *range,
                const char *until, const char *tolerance)
{
    ask_words(self, more,
              (struct question_words){
                  .key = key, .range = range, .until = until, .tolerance = tolerance});
}

/* A number of summary.csv with the key at `value`, under the settings of a draw: the mean over
   replicates of a run. */
static double run_mean(const struct asked *self, size_t draw, double value)
{
    const struct solve *solve = &self->solve;
    const struct field *field = metrics_number_field(solve->question.number);
    struct sweep_setting settings[8];
    char texts[8][128], number[SETTING_NUMBER_SIZE];
    const char *sets[9] = {0};
    size_t count = sweep_points_draw(&solve->points, draw, settings);
    settings[count++] = (struct sweep_setting){solve->question.key,
                                               question_value(&solve->question, value, number)};
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "%s=%s", settings[i].key, settings[i].value);
        sets[i] = texts[i];
    }
    struct whole_run run;
    double sum = 0.0;
    whole_run_file(&run, self->path, sets);
    for (size_t i = 0; i < run.tables.summary_count; i++)
        sum += metrics_number(&run.tables.summary[i], field);
    double mean = sum / (double)run.tables.summary_count;
    whole_run_free(&run);
    return mean;
}

/* Both ends of an answer are what runs give. */
static void expect_runs(const struct asked *self, size_t draw)
{
    const struct solve_row *row = &self->solve.rows[draw];
    const struct condition *until = &self->solve.question.until;
    double below = run_mean(self, draw, row->below), above = run_mean(self, draw, row->above);
    print_message("  draw %zu: %.10g (%.10g) to %.10g (%.10g)\n", draw + 1, row->below, below,
                  row->above, above);
    assert_string_equal(row->status, "found");
    assert_near(row->metric_below, below, 0.0);
    assert_near(row->metric_above, above, 0.0);
    assert_false(condition_holds(until, below));
    assert_true(condition_holds(until, above));
    assert_near(row->value, row->above, 0.0);
    bool whole = self->solve.question.row->field.type == FIELD_INT64;
    assert_true(fabs(row->above - row->below) <= (whole ? 1.0 : self->solve.question.tolerance));
}

/* ---- answers ------------------------------------------------------------------------------ */

static void the_answer_is_where_runs_begin_to_fulfil_the_condition(void **state)
{
    struct asked asked;
    ask(&asked, UNCERTAIN, "path.move_log", "0:-0.8", "oi_change_share <= -0.2", "1e-5");
    assert_int_equal(asked.solve.points.draws, 4);
    assert_int_equal(asked.solve.row_count, 4 + 1 + 5);
    for (size_t d = 0; d < 4; d++)
        expect_runs(&asked, d);
    solve_free(&asked.solve);
}

/* What is searched from the other end is another question: the last value that fails, from there.
 */
static void a_range_may_fall_or_rise(void **state)
{
    struct asked down, up;
    ask(&down, "", "path.move_log", "0:-0.8", "oi_change_share <= -0.2", "1e-4");
    ask(&up, "", "path.move_log", "-0.8:0", "oi_change_share > -0.2", "1e-4");
    expect_runs(&down, 0);
    expect_runs(&up, 0);
    assert_near(up.solve.rows[0].value, down.solve.rows[0].value, 3e-4);
    solve_free(&down.solve);
    solve_free(&up.solve);
}

/* Half of what is liquidated at 40x: a multiple of each draw's own start. */
static void a_threshold_may_be_a_multiple_of_the_start(void **state)
{
    struct asked asked;
    ask_words(&asked, UNCERTAIN,
              (struct question_words){.key = "book.leverage.maximum",
                                      .range = "40:2",
                                      .until = "liquidated_usd <= 0.5",
                                      .tolerance = "0.05",
                                      .relative = true});
    for (size_t d = 0; d < 4; d++) {
        const struct solve_row *row = &asked.solve.rows[d];
        double start = run_mean(&asked, d, 40.0);
        assert_string_equal(row->status, "found");
        assert_near(row->metric_above, run_mean(&asked, d, row->above) / start, 0.0);
        assert_near(row->metric_below, run_mean(&asked, d, row->below) / start, 0.0);
        assert_true(row->metric_above <= 0.5 && row->metric_below > 0.5);
    }
    solve_free(&asked.solve);
}

/* Nobody is liquidated without a shock, so nothing is a multiple of that. */
static void nothing_has_no_multiples(void **state)
{
    struct asked asked;
    ask_words(&asked, "",
              (struct question_words){.key = "path.move_log",
                                      .range = "0:-0.2",
                                      .until = "liquidated_usd >= 2",
                                      .relative = true});
    assert_string_equal(asked.solve.rows[0].status, "missing");
    assert_true(isnan(asked.solve.rows[0].value) && isnan(asked.solve.rows[0].below));
    solve_free(&asked.solve);
}

static void durations_are_searched_as_such(void **state)
{
    struct asked asked;
    ask(&asked, "", "impact.half_life", "1d:2m", "price_end >= 104000", "1s");
    const struct solve_row *row = &asked.solve.rows[0];
    expect_runs(&asked, 0);
    assert_near(row->value, nearbyint(row->value), 0.0);
    assert_true(row->value < 86400e3 && row->value > 120e3);
    assert_true(row->below - row->above <= 1000.0);
    solve_free(&asked.solve);
}

static void whole_numbers_end_at_neighbours(void **state)
{
    struct asked asked;
    ask(&asked, "", "book.positions_per_bar", "1:40", "positions >= 40000", NULL);
    expect_runs(&asked, 0);
    assert_near(asked.solve.rows[0].above - asked.solve.rows[0].below, 1.0, 0.0);
    solve_free(&asked.solve);
}

static void keys_of_venues_can_be_varied(void **state)
{
    struct asked asked;
    ask(&asked, "", "venues[binance].cap_scale", "1:0.01", "liquidated_usd >= 1e15", NULL);
    assert_string_equal(asked.solve.rows[0].status, "never");
    assert_int_equal(asked.solve.probe_count, 9);
    solve_free(&asked.solve);
}

static void a_condition_that_holds_at_the_start_needs_no_change(void **state)
{
    struct asked asked;
    ask(&asked, UNCERTAIN, "path.move_log", "-0.1:-0.2", "liquidated_usd >= 1", NULL);
    const struct solve_row *all = &asked.solve.rows[4];
    for (size_t d = 0; d < 4; d++) {
        assert_string_equal(asked.solve.rows[d].status, "at_start");
        assert_near(asked.solve.rows[d].above, -0.1, 0.0);
        assert_true(isnan(asked.solve.rows[d].value));
    }
    assert_near(all->at_start_share, 1.0, 0.0);
    assert_near(all->never_share + all->missing_share, 0.0, 0.0);
    assert_true(isnan(all->value));
    solve_free(&asked.solve);
}

/* Nobody is liquidated at first, so the longs' share of it does not exist: it fails, and is no
   price that ran away. */
static void a_number_that_is_not_there_fulfils_nothing(void **state)
{
    struct asked asked;
    ask(&asked, "", "path.move_log", "0:-0.2", "long_share >= 0.5", "1e-3");
    assert_string_equal(asked.solve.rows[0].status, "found");
    assert_true(isnan(asked.solve.probes[0].metric));
    assert_string_equal(asked.solve.probes[0].answer, "fails");
    solve_free(&asked.solve);
}

/* ---- what must not matter ----------------------------------------------------------------- */

static void expect_same(const struct solve *one, const struct solve *other)
{
    assert_int_equal(one->probe_count, other->probe_count);
    for (size_t i = 0; i < one->probe_count; i++) {
        assert_int_equal(one->probes[i].draw, other->probes[i].draw);
        assert_memory_equal(&one->probes[i].value, &other->probes[i].value, sizeof(double));
        assert_memory_equal(&one->probes[i].metric, &other->probes[i].metric, sizeof(double));
    }
    assert_int_equal(one->row_count, other->row_count);
    for (size_t i = 0; i < one->row_count; i++)
        assert_memory_equal(&one->rows[i].value, &other->rows[i].value, sizeof(double));
}

static void threads_change_nothing(void **state)
{
    struct asked one, many;
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    ask(&one, UNCERTAIN, "oi.level_usd", "10e9:120e9", "liquidated_usd >= 5e9", "1e8");
    for (int threads = 2; threads <= 7; threads += 5) {
        omp_set_num_threads(threads);
        ask(&many, UNCERTAIN, "oi.level_usd", "10e9:120e9", "liquidated_usd >= 5e9", "1e8");
        expect_same(&one.solve, &many.solve);
        solve_free(&many.solve);
    }
    omp_set_num_threads(before);
    solve_free(&one.solve);
}

/* ---- refused ------------------------------------------------------------------------------ */

static void questions_that_make_no_sense_say_why(void **state)
{
    static const struct {
        struct question_words words;
        int code;
        const char *says;
    } cases[] = {
        {{"impact.gama", "0:1", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "did you mean impact.gamma?"},
        {{"gamma", "0:1", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "did you mean impact.gamma?"},
        {{"impact", "0:1", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "is a group of keys"},
        {{"replicates", "1:2", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "cannot be varied"},
        {{"path.at", "1:2", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "is no number or duration"},
        {{"impact.model", "1:2", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "is no number or duration"},
        {{"venues[a].cap_scal", "1:2", "oi_end_usd > 1", NULL, 9, 0, 0},
         3,
         "did you mean cap_scale?"},
        {{"venues[a", "1:2", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "is no key of a venue"},
        {{"impact.gamma", "0.5:9", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "from 0.05 to 5"},
        {{"impact.gamma", "0.01:1", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "from 0.05 to 5"},
        {{"impact.reference_coins", "0:1", "oi_end_usd > 1", NULL, 9, 0, 0}, 3, "above 0"},
        {{"book.positions_per_bar", "1.5:3", "oi_end_usd > 1", NULL, 9, 0, 0},
         3,
         "is no whole number"},
        {{"impact.gamma", "1", "oi_end_usd > 1", NULL, 9, 0, 0}, 2, "expected A:B"},
        {{"impact.gamma", "1:x", "oi_end_usd > 1", NULL, 9, 0, 0}, 2, "expected A:B"},
        {{"impact.gamma", "1:1", "oi_end_usd > 1", NULL, 9, 0, 0}, 2, "is empty"},
        {{"impact.half_life", "1:2", "oi_end_usd > 1", NULL, 9, 0, 0}, 2, "two durations"},
        {{"path.move_log", "0:-0.1", "oi_end_usd > 1", NULL, 9, true, 0}, 2, "has no ratios"},
        {{"path.move_log", "0.1:-0.1", "oi_end_usd > 1", NULL, 9, true, 0}, 2, "has no ratios"},
        {{"impact.gamma", "1:2", "oi_end_usd", NULL, 9, 0, 0}, 2, "is no condition"},
        {{"impact.gamma", "1:2", "oi_ned_usd > 1", NULL, 9, 0, 0}, 2, "did you mean oi_end_usd?"},
        {{"impact.gamma", "1:2", "oi_end_usd > 1", "0", 9, 0, 0}, 2, "above 0"},
        {{"impact.gamma", "1:2", "oi_end_usd > 1", "1s", 9, 0, 0}, 2, "is no tolerance"},
        {{"impact.gamma", "1:2", "oi_end_usd > 1", NULL, 1, 0, 0}, 2, "expected from 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct question question;
        struct error err = {0};
        int code = question_read(&question, &cases[i].words, &err);
        if (code != cases[i].code || strstr(err.message, cases[i].says) == NULL)
            fail_msg("case %zu (%s, %s): %d, %s", i, cases[i].words.key, cases[i].words.range, code,
                     err.message);
    }
}

/* A good question that the scenario does not take. */
static void expect_refused(const char *set, const char *more, const char *key, const char *says)
{
    char text[4096], path[SCRATCH_PATH_SIZE];
    struct question question;
    struct solve solve;
    struct error_list errors = {0};
    struct error err = {0};
    const struct question_words words = {
        .key = key, .range = "0.6:0.9", .until = "oi_end_usd > 1", .points = 9};
    snprintf(text, sizeof text, "%s%s", shock, more);
    scratch_file("solve.yaml", text, path);
    assert_int_equal(question_read(&question, &words, &err), ERROR_NONE);
    assert_int_equal(solve_init(&solve, &question, path, &set, set != NULL, -1, &errors, &err),
                     ERROR_SCENARIO);
    const char *message = errors.count > 0 ? errors.items[0].message : err.message;
    if (strstr(message, says) == NULL)
        fail_msg("%s, not '%s'", message, says);
    error_list_free(&errors);
}

static void scenarios_that_do_not_go_with_the_question_are_refused(void **state)
{
    expect_refused("oi.levels_usd=[1e9, 2e9]", "", "impact.gamma", "are runs side by side");
    expect_refused(NULL, UNCERTAIN, "impact.gamma", "draws impact.gamma, which is varied");
    expect_refused(NULL, "", "venues[nobody].cap_scale", "names a venue");
}

static int cleanup(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_where_runs_begin_to_fulfil_the_condition),
        cmocka_unit_test(a_range_may_fall_or_rise),
        cmocka_unit_test(a_threshold_may_be_a_multiple_of_the_start),
        cmocka_unit_test(nothing_has_no_multiples),
        cmocka_unit_test(durations_are_searched_as_such),
        cmocka_unit_test(whole_numbers_end_at_neighbours),
        cmocka_unit_test(keys_of_venues_can_be_varied),
        cmocka_unit_test(a_condition_that_holds_at_the_start_needs_no_change),
        cmocka_unit_test(a_number_that_is_not_there_fulfils_nothing),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(questions_that_make_no_sense_say_why),
        cmocka_unit_test(scenarios_that_do_not_go_with_the_question_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
