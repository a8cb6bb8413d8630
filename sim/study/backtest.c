#include "sim/study/backtest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "sim/study/backtest_parts.h"

/* ---- tables ----------------------------------------------------------------------------- */

#define VALUES(record, unit_of)                                                                \
    RIVAL(record, unit_of, "model", PANEL_MODEL, "the fitted model"),                          \
        RIVAL(record, unit_of, "open_loop", PANEL_OPEN_LOOP,                                   \
              "the model with the scenario's own parameters"),                                 \
        RIVAL(record, unit_of, "oi_null", PANEL_OI_NULL,                                       \
              "open interest times a power of the largest adverse move, both fitted"),         \
        RIVAL(record, unit_of, "volume_null", PANEL_VOLUME_NULL, "the same of traded volume"), \
        RIVAL(record, unit_of, "volume", PANEL_VOLUME,                                         \
              "regression of logarithms on the volume null"),                                  \
        RIVAL(record, unit_of, "volume_with_model", PANEL_VOLUME_WITH_MODEL,                   \
              "regression on the volume null and the fitted model"),                           \
        RIVAL(record, unit_of, "nulls", PANEL_NULLS, "regression on both nulls"),              \
        RIVAL(record, unit_of, "nulls_with_model", PANEL_NULLS_WITH_MODEL,                     \
              "regression on both nulls and the fitted model")
#define RIVAL(record, unit_of, word, at, doc)                              \
    {                                                                      \
        .name = word, .type = FIELD_DOUBLE, .unit = unit_of,               \
        .offset = offsetof(struct record, value[at]), .documentation = doc \
    }
#define COLUMN(record, word, kind, unit_of, member, doc)                                        \
    {                                                                                           \
        .name = word, .type = kind, .unit = unit_of, .offset = offsetof(struct record, member), \
        .documentation = doc                                                                    \
    }

const struct field backtest_score_fields[] = {
    COLUMN(backtest_score, "split", FIELD_TEXT, "", split, "what was fitted and tested"),
    COLUMN(backtest_score, "horizon", FIELD_TEXT, "", horizon, "bar, or day of UTC"),
    COLUMN(backtest_score, "metric", FIELD_TEXT, "", metric,
           "score of what was tested, one number per rival"),
    VALUES(backtest_score, ""),
    COLUMN(backtest_score, "skill", FIELD_DOUBLE, "", skill,
           "of errors 1 - model / best null (oi_null, volume_null), else model less the best null; "
           "above 0 the model is better"),
    COLUMN(backtest_score, "count", FIELD_INT64, "", count, "intervals that were scored"),
};
const size_t backtest_score_field_count =
    sizeof backtest_score_fields / sizeof *backtest_score_fields;

const struct field backtest_row_fields[] = {
    COLUMN(backtest_row, "event", FIELD_TEXT, "", event, "split that the day was tested in"),
    COLUMN(backtest_row, "asset", FIELD_TEXT, "", asset, "name of the asset"),
    COLUMN(backtest_row, "time", FIELD_TIME_MS, "utc", time_ms, "beginning of the day"),
    COLUMN(backtest_row, "metric", FIELD_TEXT, "", metric,
           "liquidated_usd, its sides, or long_share of it"),
    COLUMN(backtest_row, "observed_lo", FIELD_DOUBLE, "", observed_lo, "as reported, low end"),
    COLUMN(backtest_row, "observed_hi", FIELD_DOUBLE, "", observed_hi, "as reported, high end"),
    COLUMN(backtest_row, "q05", FIELD_DOUBLE, "", q05, "quantile of the prediction"),
    COLUMN(backtest_row, "q25", FIELD_DOUBLE, "", q25, "quantile of the prediction"),
    COLUMN(backtest_row, "q50", FIELD_DOUBLE, "", q50, "quantile of the prediction"),
    COLUMN(backtest_row, "q75", FIELD_DOUBLE, "", q75, "quantile of the prediction"),
    COLUMN(backtest_row, "q95", FIELD_DOUBLE, "", q95, "quantile of the prediction"),
    VALUES(backtest_row, ""),
    COLUMN(backtest_row, "skill", FIELD_DOUBLE, "", skill,
           "absolute log error of the volume null (without volume: the OI null) less the model's; "
           "of long_share absolute errors"),
    COLUMN(backtest_row, "data_kind", FIELD_TEXT, "", data_kind,
           "observed: reconstructed data are never scored"),
};
const size_t backtest_row_field_count = sizeof backtest_row_fields / sizeof *backtest_row_fields;

const struct field backtest_fit_fields[] = {
    COLUMN(backtest_fit, "split", FIELD_TEXT, "", split, "what was fitted and tested"),
    COLUMN(backtest_fit, "parameter", FIELD_TEXT, "", row.parameter,
           "key of the scenario, or a part of the observation a Q^b"),
    COLUMN(backtest_fit, "value", FIELD_DOUBLE, "", row.value,
           "at which modelled flow is nearest to reported flow"),
    COLUMN(backtest_fit, "lo", FIELD_DOUBLE, "", row.lo,
           "lower end of the interval (calibrate.level)"),
    COLUMN(backtest_fit, "hi", FIELD_DOUBLE, "", row.hi, "upper end of the interval"),
    COLUMN(backtest_fit, "low", FIELD_DOUBLE, "", row.low, "lower bound of the search"),
    COLUMN(backtest_fit, "high", FIELD_DOUBLE, "", row.high, "upper bound of the search"),
    COLUMN(backtest_fit, "bound", FIELD_TEXT, "", row.bound,
           "low or high where the value lies at a bound"),
    COLUMN(backtest_fit, "distance", FIELD_DOUBLE, "log squared", row.distance,
           "weighted mean squared difference of logarithms"),
};
const size_t backtest_fit_field_count = sizeof backtest_fit_fields / sizeof *backtest_fit_fields;

/* Room for one more in a growing array; NULL: no memory. */
static void *grow_by_one(void *items, size_t *capacity, size_t count, size_t size)
{
    return memory_grow(items, capacity, count + 1, size);
}

int backtest_add_score(struct backtest *self, const struct backtest_score *score, struct error *err)
{
    void *grown =
        grow_by_one(self->scores, &self->score_capacity, self->score_count, sizeof *self->scores);
    if (grown == NULL)
        return error_memory(err, "scoring");
    self->scores = grown;
    self->scores[self->score_count++] = *score;
    return ERROR_NONE;
}

int backtest_add_row(struct backtest *self, const struct backtest_row *row, struct error *err)
{
    void *grown = grow_by_one(self->rows, &self->row_capacity, self->row_count, sizeof *self->rows);
    if (grown == NULL)
        return error_memory(err, "scoring");
    self->rows = grown;
    self->rows[self->row_count++] = *row;
    return ERROR_NONE;
}

static int add_fits(struct backtest_state *state, struct error *err)
{
    struct backtest *self = state->backtest;
    struct calibration_row rows[CALIBRATION_ROWS_MAX];
    size_t count = calibration_rows(self->calibration, &state->fit, rows);
    for (size_t i = 0; i < count; i++) {
        void *grown =
            grow_by_one(self->fits, &self->fit_capacity, self->fit_count, sizeof *self->fits);
        if (grown == NULL)
            return error_memory(err, "scoring");
        self->fits = grown;
        self->fits[self->fit_count++] = (struct backtest_fit){state->split->name, rows[i]};
    }
    return count > 0 ? ERROR_NONE : error_memory(err, "scoring");
}

/* ---- a split ---------------------------------------------------------------------------- */

static int alloc_state(struct backtest_state *state, struct error *err)
{
    const struct flow_rows *const sets[] = {&state->fit_rows, &state->test_rows};
    size_t draws = state->backtest->calibration->plan.resamples;
    bool good = true;
    for (int set = 0; set < 2; set++) {
        state->log[set] = memory_alloc(sets[set]->count, sizeof *state->log[set]);
        state->open_log[set] = memory_alloc(sets[set]->count, sizeof *state->open_log[set]);
        good = good && state->log[set] != NULL && state->open_log[set] != NULL;
    }
    state->draw_log = memory_alloc(draws * state->test_rows.count, sizeof *state->draw_log);
    return good && state->draw_log != NULL ? ERROR_NONE : error_memory(err, "scoring");
}

static int predict(struct backtest_state *state, struct progress *progress, struct error *err)
{
    struct flow_rows *const sets[] = {&state->fit_rows, &state->test_rows};
    const struct calibrate_fit *fit = &state->fit;
    int code = ERROR_NONE;
    for (int set = 0; set < 2 && code == ERROR_NONE; set++) {
        code = flow_rows_predict(sets[set], fit->theta, fit->parameter_count, state->log[set], err);
        if (code == ERROR_NONE)
            code = flow_rows_predict(sets[set], NULL, 0, state->open_log[set], err);
    }
    for (size_t d = 0; d < fit->draws && code == ERROR_NONE; d++) {
        code = flow_rows_predict(&state->test_rows, &fit->draw_theta[d * fit->parameter_count],
                                 fit->parameter_count, &state->draw_log[d * state->test_rows.count],
                                 err);
        progress_add(progress, 1);
    }
    return code;
}

/* The observation that the scenario's own parameters would have, by what is fitted. */
static int observe_open_loop(struct backtest_state *state, struct error *err)
{
    double *weights = memory_alloc(state->fit_rows.count, sizeof *weights);
    if (weights == NULL)
        return error_memory(err, "scoring");
    calibrate_weights(&state->backtest->calibration->plan, &state->fit_rows, weights);
    flow_observe(&state->fit_rows, state->open_log[0], weights, &state->open_observation);
    memory_free(weights);
    return ERROR_NONE;
}

static int score(struct backtest_state *state, struct error *err)
{
    const struct panel_prediction model = {state->log[0], state->log[1], &state->fit.observation};
    const struct panel_prediction open_loop = {state->open_log[0], state->open_log[1],
                                               &state->open_observation};
    int code = ERROR_NONE;
    for (int horizon = 0; horizon < FLOW_HORIZONS && code == ERROR_NONE; horizon++) {
        struct panel panel;
        code = panel_init(&panel, horizon, &state->fit_rows, &state->test_rows, &model, &open_loop,
                          err);
        if (code != ERROR_NONE)
            break;
        if (panel.count > 0)
            code = backtest_score_panel(state, &panel, err);
        if (code == ERROR_NONE && panel.count > 0 && horizon == FLOW_DAY)
            code = backtest_list_days(state, &panel, err);
        panel_free(&panel);
    }
    return code;
}

static int fit_and_score(struct backtest_state *state, struct progress *progress, struct error *err)
{
    const struct calibration *calibration = state->backtest->calibration;
    int code = calibrate_run(&state->fit, &calibration->plan, &state->fit_rows, progress, err);
    if (code != ERROR_NONE)
        return code;
    code = alloc_state(state, err);
    if (code == ERROR_NONE)
        code = predict(state, progress, err);
    if (code == ERROR_NONE)
        code = observe_open_loop(state, err);
    if (code == ERROR_NONE)
        code = add_fits(state, err);
    if (code == ERROR_NONE)
        code = score(state, err);
    for (int set = 0; set < 2; set++) {
        memory_free(state->log[set]);
        memory_free(state->open_log[set]);
    }
    memory_free(state->draw_log);
    calibrate_fit_free(&state->fit);
    return code;
}

static int run_split(struct backtest *self, const struct backtest_split *split,
                     struct progress *progress, struct error *err)
{
    const struct calibration *calibration = self->calibration;
    const struct flow_shares shares = calibration_shares(calibration);
    struct backtest_state state = {.backtest = self, .split = split};
    int code = flow_rows_init(&state.fit_rows, calibration->assets, calibration->asset_count,
                              split->fit, split->fit_count, &shares, err);
    if (code == ERROR_NONE)
        code = flow_rows_init(&state.test_rows, calibration->assets, calibration->asset_count,
                              split->test, split->test_count, &shares, err);
    if (code == ERROR_NONE && state.test_rows.count == 0)
        code = error_at(err, ERROR_DATA, calibration->scenario.path_name, 0, 0, "backtest.splits",
                        "%.80s tests nothing; expected a window with a feed of liquidations",
                        split->name);
    if (code == ERROR_NONE)
        code = fit_and_score(&state, progress, err);
    flow_rows_free(&state.fit_rows);
    flow_rows_free(&state.test_rows);
    return code;
}

int backtest_run(struct backtest *self, struct error *err)
{
    const struct calibrate_plan *plan = &self->calibration->plan;
    struct progress progress;
    int code = ERROR_NONE;
    progress_start(&progress, "backtesting", "evaluations",
                   (int64_t)self->split_count *
                       (calibrate_evaluations(plan) + (int64_t)plan->resamples));
    for (size_t s = 0; s < self->split_count && code == ERROR_NONE; s++)
        code = run_split(self, &self->splits[s], &progress, err);
    progress_end(&progress);
    return code;
}

/* ---- splits ----------------------------------------------------------------------------- */

static size_t find_asset(const struct calibration *calibration, const char *name)
{
    size_t a = 0;
    while (a < calibration->asset_count && strcmp(calibration->assets[a].name, name) != 0)
        a++;
    return a;
}

/* The windows of a part; `without` is left out (asset_count: none). */
static int make_windows(const struct backtest *self, const struct scenario_part *part,
                        const char *split, struct flow_window **out, size_t *out_count,
                        struct error *err)
{
    const struct calibration *calibration = self->calibration;
    size_t count = part->asset_count > 0 ? part->asset_count : calibration->asset_count;
    *out = memory_alloc(count, sizeof **out);
    *out_count = 0;
    if (*out == NULL)
        return error_memory(err, "reading splits");
    for (size_t i = 0; i < count; i++) {
        size_t asset = part->asset_count > 0 ? find_asset(calibration, part->assets[i]) : i;
        if (asset == calibration->asset_count)
            return error_at(err, ERROR_SCENARIO, calibration->scenario.path_name, 0, 0,
                            "backtest.splits",
                            "%.60s names %.40s, which is no asset; expected one of "
                            "backtest.assets",
                            split, part->assets[i]);
        (*out)[(*out_count)++] = calibration_window(calibration, asset, part->from_ms, part->to_ms);
    }
    return ERROR_NONE;
}

/* What is fitted must not be tested. */
static int check_apart(const struct backtest *self, const struct backtest_split *split,
                       struct error *err)
{
    for (size_t i = 0; i < split->fit_count; i++)
        for (size_t k = 0; k < split->test_count; k++) {
            const struct flow_window *fit = &split->fit[i], *test = &split->test[k];
            if (fit->asset != test->asset || fit->from_ms >= test->to_ms ||
                test->from_ms >= fit->to_ms)
                continue;
            return error_at(err, ERROR_SCENARIO, self->calibration->scenario.path_name, 0, 0,
                            "backtest.splits",
                            "%.80s tests %.40s in a time that it is fitted to; expected them apart",
                            split->name, self->calibration->assets[fit->asset].name);
        }
    return ERROR_NONE;
}

static int add_split(struct backtest *self, const char *name, const struct scenario_part *fit,
                     const struct scenario_part *test, struct error *err)
{
    struct backtest_split *split = &self->splits[self->split_count++];
    split->name = memory_text(name);
    if (split->name == NULL)
        return error_memory(err, "reading splits");
    int code = make_windows(self, fit, name, &split->fit, &split->fit_count, err);
    if (code == ERROR_NONE)
        code = make_windows(self, test, name, &split->test, &split->test_count, err);
    return code == ERROR_NONE ? check_apart(self, split, err) : code;
}

/* Fitted to all assets but one, tested on that one. */
static int add_left_out(struct backtest *self, size_t left_out, struct error *err)
{
    const struct calibration *calibration = self->calibration;
    char name[128], *one = (char *)calibration->assets[left_out].name;
    size_t others = 0;
    char **names = memory_alloc(calibration->asset_count, sizeof *names);
    if (names == NULL)
        return error_memory(err, "reading splits");
    for (size_t a = 0; a < calibration->asset_count; a++)
        if (a != left_out)
            names[others++] = (char *)calibration->assets[a].name;
    snprintf(name, sizeof name, "all but %.100s", one);
    const struct scenario_part fit = {names, others, CALENDAR_NONE, CALENDAR_NONE};
    const struct scenario_part test = {&one, 1, CALENDAR_NONE, CALENDAR_NONE};
    int code = add_split(self, name, &fit, &test, err);
    memory_free(names);
    return code;
}

/* Where no split is asked for. */
static int add_halves(struct backtest *self, struct error *err)
{
    const struct flow_window window =
        calibration_window(self->calibration, 0, CALENDAR_NONE, CALENDAR_NONE);
    int64_t days = (window.to_ms - window.from_ms) / CALENDAR_DAY_MS;
    int64_t middle = window.from_ms + days / 2 * CALENDAR_DAY_MS;
    const struct scenario_part fit = {.from_ms = CALENDAR_NONE, .to_ms = middle};
    const struct scenario_part test = {.from_ms = middle, .to_ms = CALENDAR_NONE};
    return add_split(self, "first half to second half", &fit, &test, err);
}

static int add_splits(struct backtest *self, struct error *err)
{
    const struct scenario *scenario = &self->calibration->scenario;
    size_t assets = self->calibration->asset_count;
    bool leave = scenario->backtest.leave_out == LEAVE_OUT_ASSETS && assets > 1;
    int code = ERROR_NONE;
    self->splits = memory_zeroed(scenario->backtest.split_count + assets + 1, sizeof *self->splits);
    if (self->splits == NULL)
        return error_memory(err, "reading splits");
    for (size_t s = 0; s < scenario->backtest.split_count && code == ERROR_NONE; s++) {
        const struct scenario_split *split = &scenario->backtest.splits[s];
        code = add_split(self, split->name, &split->fit, &split->test, err);
    }
    for (size_t a = 0; leave && a < assets && code == ERROR_NONE; a++)
        code = add_left_out(self, a, err);
    return code == ERROR_NONE && self->split_count == 0 ? add_halves(self, err) : code;
}

int backtest_init(struct backtest *self, struct calibration *calibration, struct error *err)
{
    *self = (struct backtest){.calibration = calibration};
    int code = add_splits(self, err);
    if (code != ERROR_NONE)
        backtest_free(self);
    return code;
}

void backtest_free(struct backtest *self)
{
    for (size_t s = 0; s < self->split_count; s++) {
        memory_free(self->splits[s].name);
        memory_free(self->splits[s].fit);
        memory_free(self->splits[s].test);
    }
    memory_free(self->splits);
    memory_free(self->scores);
    memory_free(self->rows);
    memory_free(self->fits);
    memset(self, 0, sizeof *self);
}
