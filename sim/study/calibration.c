#include "sim/study/calibration.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "sim/study/resample.h"

/* ---- reading ---------------------------------------------------------------------------- */

static void make_plan(struct calibration *self, int64_t seed)
{
    const struct scenario *scenario = &self->scenario;
    struct calibrate_plan *plan = &self->plan;
    *plan = (struct calibrate_plan){
        .weights = {scenario->calibrate.bar_weight, scenario->calibrate.day_weight},
        .starts = (size_t)scenario->calibrate.starts,
        .resamples = (size_t)scenario->calibrate.resamples,
        .level = scenario->calibrate.level,
        .block_ms = scenario->calibrate.block_ms,
        .seed = seed >= 0 ? (uint64_t)seed : scenario->seed,
    };
    for (size_t p = 0; p < scenario->calibrate.parameter_count && p < FLOW_PARAMETERS_MAX; p++) {
        const struct scenario_bounds *bounds = &scenario->calibrate.parameters[p];
        plan->parameters[p] = (struct calibrate_parameter){bounds->key, bounds->low, bounds->high};
        plan->parameter_count = p + 1;
    }
}

static bool is_of_study(const char *set)
{
    return strncmp(set, "calibrate.", 10) == 0 || strncmp(set, "backtest.", 9) == 0;
}

/* The sets for the assets' files; the scenario itself as an asset takes them all. */
static const char **choose_sets(const struct calibration *self, const char *const *sets,
                                size_t set_count, size_t *out_count)
{
    const char **chosen = memory_alloc(set_count, sizeof *chosen);
    *out_count = 0;
    for (size_t i = 0; i < set_count && chosen != NULL; i++)
        if (self->scenario.backtest.asset_count == 0 || !is_of_study(sets[i]))
            chosen[(*out_count)++] = sets[i];
    return chosen;
}

static int read_sources(struct calibration *self, const char *path, const char *const *sets,
                        size_t set_count, struct error_list *errors, struct error *err)
{
    const struct scenario *scenario = &self->scenario;
    size_t named = scenario->backtest.asset_count, count = named > 0 ? named : 1, taken;
    const char **chosen = choose_sets(self, sets, set_count, &taken);
    self->sources = memory_zeroed(count, sizeof *self->sources);
    self->assets = memory_zeroed(count, sizeof *self->assets);
    int code = chosen == NULL || self->sources == NULL || self->assets == NULL
                   ? error_memory(err, "reading assets")
                   : ERROR_NONE;
    for (size_t a = 0; a < count && code == ERROR_NONE; a++) {
        const struct scenario_asset *asset = named > 0 ? &scenario->backtest.assets[a] : NULL;
        code = flow_source_init(&self->sources[a], asset != NULL ? asset->path : path, chosen,
                                taken, scenario->calibrate.parameters,
                                scenario->calibrate.parameter_count, errors, err);
        if (code != ERROR_NONE)
            break;
        self->asset_count = a + 1;
        self->assets[a] =
            flow_source_asset(&self->sources[a], asset != NULL ? asset->name : scenario->symbol);
    }
    memory_free(chosen);
    return code;
}

int calibration_init(struct calibration *self, const char *path, const char *const *sets,
                     size_t set_count, int64_t seed, struct error_list *errors, struct error *err)
{
    memset(self, 0, sizeof *self);
    int code = scenario_load(&self->scenario, path, sets, set_count, errors);
    if (code != ERROR_NONE)
        return code;
    make_plan(self, seed);
    if (self->plan.parameter_count == 0)
        code = error_at(err, ERROR_SCENARIO, path, 0, 0, "calibrate.parameters",
                        "is empty; expected keys with their bounds, of " FLOW_SOURCE_KEYS_TEXT);
    if (code == ERROR_NONE)
        code = read_sources(self, path, sets, set_count, errors, err);
    if (code != ERROR_NONE)
        calibration_free(self);
    return code;
}

void calibration_free(struct calibration *self)
{
    for (size_t a = 0; a < self->asset_count; a++)
        flow_source_free(&self->sources[a]);
    memory_free(self->sources);
    memory_free(self->assets);
    scenario_free(&self->scenario);
    memset(self, 0, sizeof *self);
}

/* ---- fits ------------------------------------------------------------------------------- */

struct flow_window calibration_window(const struct calibration *self, size_t asset, int64_t from_ms,
                                      int64_t to_ms)
{
    const struct scenario *scenario = &self->sources[asset].scenario;
    return (struct flow_window){
        .asset = asset,
        .from_ms = from_ms != CALENDAR_NONE ? from_ms : scenario->time.start_ms,
        .to_ms = to_ms != CALENDAR_NONE ? to_ms : scenario->time.end_ms,
    };
}

struct flow_shares calibration_shares(const struct calibration *self)
{
    return (struct flow_shares){self->scenario.calibrate.floor_share,
                                self->scenario.calibrate.background_share};
}

static int fit_windows(struct calibration *self, const struct flow_window *windows,
                       struct calibrate_fit *out, struct error *err)
{
    struct flow_rows rows;
    struct progress progress;
    const struct flow_shares shares = calibration_shares(self);
    int code = flow_rows_init(&rows, self->assets, self->asset_count, windows, self->asset_count,
                              &shares, err);
    if (code != ERROR_NONE)
        return code;
    progress_start(&progress, "calibrating", "evaluations", calibrate_evaluations(&self->plan));
    code = calibrate_run(out, &self->plan, &rows, &progress, err);
    progress_end(&progress);
    flow_rows_free(&rows);
    return code;
}

int calibration_run(struct calibration *self, struct calibrate_fit *out, struct error *err)
{
    struct flow_window *windows = memory_alloc(self->asset_count, sizeof *windows);
    if (windows == NULL)
        return error_memory(err, "calibrating");
    for (size_t a = 0; a < self->asset_count; a++)
        windows[a] = calibration_window(self, a, self->scenario.calibrate.from_ms,
                                        self->scenario.calibrate.to_ms);
    int code = fit_windows(self, windows, out, err);
    memory_free(windows);
    return code;
}

/* ---- impact ----------------------------------------------------------------------------- */

static int impact_of_asset(const struct calibration *self, size_t a,
                           const struct calibrate_fit *fit, double *const flow[2],
                           struct impact_slope *out, struct error *err)
{
    const struct flow_asset *asset = &self->assets[a];
    const struct setup *setup = &self->sources[a].setup;
    const struct replay_params params = setup_replay(setup, &setup->levels[0]);
    const struct flow_window window = calibration_window(self, a, self->scenario.calibrate.from_ms,
                                                         self->scenario.calibrate.to_ms);
    int64_t from = (window.from_ms - asset->start_ms) / asset->step_ms;
    int64_t to = (window.to_ms - asset->start_ms) / asset->step_ms;
    from = from > 0 ? from : 0;
    to = to < (int64_t)asset->bars ? to : (int64_t)asset->bars;
    int64_t day = CALENDAR_DAY_MS / asset->step_ms;
    int code = asset->flow(asset->context, fit->theta, fit->parameter_count, flow, err);
    if (code != ERROR_NONE)
        return code;
    const struct impact_slope_bars bars = {
        .bars = to > from ? (size_t)(to - from) : 0,
        .step_ms = asset->step_ms,
        .close = asset->close + from,
        .flow = {flow[0] + from, flow[1] + from},
        .block = day > 1 ? (size_t)day : 1,
    };
    return impact_slope_fit(&bars, &params.impact, self->plan.resamples, self->plan.level,
                            self->plan.seed, out, err);
}

int calibration_impacts(const struct calibration *self, const struct calibrate_fit *fit,
                        struct calibration_impact *out, struct error *err)
{
    int code = ERROR_NONE;
    for (size_t a = 0; a < self->asset_count && code == ERROR_NONE; a++) {
        double *flow[2] = {memory_alloc(self->assets[a].bars, sizeof(double)),
                           memory_alloc(self->assets[a].bars, sizeof(double))};
        snprintf(out[a].name, sizeof out[a].name, "impact.reference_move_log[%.30s]",
                 self->assets[a].name);
        code = flow[0] == NULL || flow[1] == NULL
                   ? error_memory(err, "fitting an impact")
                   : impact_of_asset(self, a, fit, flow, &out[a].slope, err);
        memory_free(flow[0]);
        memory_free(flow[1]);
    }
    return code;
}

struct calibration_row calibration_impact_row(struct calibration_impact *impact)
{
    return (struct calibration_row){.parameter = impact->name,
                                    .value = impact->slope.value,
                                    .lo = impact->slope.low,
                                    .hi = impact->slope.high,
                                    .low = NAN,
                                    .high = NAN,
                                    .distance = NAN};
}

/* ---- rows ------------------------------------------------------------------------------- */

#define HERE(member) offsetof(struct calibration_row, member)
const struct field calibration_fields[] = {
    {.name = "parameter",
     .type = FIELD_TEXT,
     .unit = "",
     .offset = HERE(parameter),
     .documentation = "key of the scenario, or a part of the observation a Q^b: observation.a_bar, "
                      "observation.b_bar and the same per day"},
    {.name = "value",
     .type = FIELD_DOUBLE,
     .unit = "",
     .offset = HERE(value),
     .documentation = "at which modelled flow is nearest to reported flow"},
    {.name = "lo",
     .type = FIELD_DOUBLE,
     .unit = "",
     .offset = HERE(lo),
     .documentation = "lower end of the interval (calibrate.level)"},
    {.name = "hi",
     .type = FIELD_DOUBLE,
     .unit = "",
     .offset = HERE(hi),
     .documentation = "upper end of the interval"},
    {.name = "low",
     .type = FIELD_DOUBLE,
     .unit = "",
     .offset = HERE(low),
     .documentation = "lower bound of the search"},
    {.name = "high",
     .type = FIELD_DOUBLE,
     .unit = "",
     .offset = HERE(high),
     .documentation = "upper bound of the search"},
    {.name = "bound",
     .type = FIELD_TEXT,
     .unit = "",
     .offset = HERE(bound),
     .documentation = "low or high where the value lies at a bound, so that the data ask for more"},
    {.name = "distance",
     .type = FIELD_DOUBLE,
     .unit = "log squared",
     .offset = HERE(distance),
     .documentation = "weighted mean squared difference of logarithms at these values"},
};
const size_t calibration_field_count = sizeof calibration_fields / sizeof *calibration_fields;

static char *bound_name(int bound)
{
    static char low[] = "low", high[] = "high";
    return bound == CALIBRATE_AT_LOW ? low : bound == CALIBRATE_AT_HIGH ? high : NULL;
}

/* a or b of a horizon in a draw. */
static double observed_part(const struct flow_observation *observation, int horizon, bool exponent)
{
    return exponent ? observation->b[horizon] : exp(observation->log_a[horizon]);
}

static void fill_observation(const struct calibrate_fit *fit, double level, int horizon,
                             bool exponent, double *values, struct calibration_row *out)
{
    static char names[FLOW_HORIZONS][2][24] = {{"observation.a_bar", "observation.b_bar"},
                                               {"observation.a_day", "observation.b_day"}};
    for (size_t d = 0; d < fit->draws; d++)
        values[d] = observed_part(&fit->draw_observation[d], horizon, exponent);
    *out = (struct calibration_row){
        .parameter = names[horizon][exponent],
        .value = observed_part(&fit->observation, horizon, exponent),
        .lo = NAN,
        .hi = NAN,
        .low = exponent ? FLOW_OBSERVATION_LOW : NAN,
        .high = exponent ? FLOW_OBSERVATION_HIGH : NAN,
        .distance = fit->distance,
    };
    if (fit->draws > 0)
        resample_interval(values, fit->draws, level, &out->lo, &out->hi);
    if (exponent)
        out->bound = bound_name(out->value <= out->low    ? CALIBRATE_AT_LOW
                                : out->value >= out->high ? CALIBRATE_AT_HIGH
                                                          : CALIBRATE_INSIDE);
}

size_t calibration_rows(const struct calibration *self, const struct calibrate_fit *fit,
                        struct calibration_row out[CALIBRATION_ROWS_MAX])
{
    size_t count = 0;
    double *values = memory_alloc(fit->draws, sizeof *values);
    for (size_t p = 0; p < fit->parameter_count; p++)
        out[count++] = (struct calibration_row){
            .parameter = self->scenario.calibrate.parameters[p].key,
            .value = fit->theta[p],
            .lo = fit->low[p],
            .hi = fit->high[p],
            .low = self->plan.parameters[p].low,
            .high = self->plan.parameters[p].high,
            .bound = bound_name(fit->bound[p]),
            .distance = fit->distance,
        };
    for (int horizon = 0; horizon < FLOW_HORIZONS && values != NULL; horizon++)
        for (int exponent = 0; exponent < 2 && fit->observed[horizon]; exponent++)
            fill_observation(fit, self->plan.level, horizon, exponent, values, &out[count++]);
    memory_free(values);
    return values != NULL ? count : 0;
}
