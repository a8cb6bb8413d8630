#include "sim/made_path.h"

#include <string.h>

#include "base/memory.h"

/* In the order of enum scenario_path_model. */
static const enum price_path_kind kinds[] = {
    [PATH_GBM] = PRICE_PATH_GBM,
    [PATH_GARCH] = PRICE_PATH_GARCH,
    [PATH_STUDENT_T] = PRICE_PATH_STUDENT_T,
    [PATH_MERTON] = PRICE_PATH_MERTON,
    [PATH_HAWKES] = PRICE_PATH_HAWKES,
    [PATH_BLOCK_BOOTSTRAP] = PRICE_PATH_BLOCK_BOOTSTRAP,
    [PATH_BRIDGE] = PRICE_PATH_BRIDGE,
};

bool made_path_wanted(const struct scenario *scenario)
{
    return scenario->path.model != PATH_OBSERVED && scenario->path.model != PATH_SHOCK;
}

static struct price_path_params params_of(const struct scenario *scenario)
{
    _Static_assert(sizeof scenario->path.point_ms <=
                       sizeof((struct price_path_params *)NULL)->point_ms,
                   "points fit");
    struct price_path_params out = {
        .kind = kinds[scenario->path.model],
        .drift_per_year = scenario->path.drift_per_year,
        .volatility_per_year = scenario->path.volatility_per_year,
        .garch_alpha = scenario->path.garch_alpha,
        .garch_beta = scenario->path.garch_beta,
        .student_dof = scenario->path.student_dof,
        .jumps_per_day = scenario->path.jumps_per_day,
        .jump_mean_log = scenario->path.jump_mean_log,
        .jump_sigma_log = scenario->path.jump_sigma_log,
        .hawkes_branching = scenario->path.hawkes_branching,
        .hawkes_half_life_ms = scenario->path.hawkes_half_life_ms,
        .block_ms = scenario->path.block_ms,
        .point_count = scenario->path.point_count,
    };
    for (size_t i = 0; i < scenario->path.point_count; i++) {
        out.point_ms[i] = scenario->path.point_ms[i];
        out.point_price[i] = scenario->path.point_price[i];
    }
    return out;
}

/* Bars before the path begins. */
static size_t bars_before(const struct scenario *scenario, const struct market *market)
{
    return (size_t)((scenario->path.shock_at_ms - market->start_ms) / market->step_ms);
}

static struct price_path_history history_of(const struct market *market, size_t bars)
{
    return (struct price_path_history){
        .open = market->last.open,
        .high = market->last.high,
        .low = market->last.low,
        .close = market->last.close,
        .bars = bars,
        .step_ms = market->step_ms,
    };
}

/* Errors about the scenario's keys name its file. */
static int named(int code, const struct scenario *scenario, struct error *err)
{
    if (code != ERROR_NONE && code != ERROR_IO && err != NULL && err->file[0] == '\0')
        strncpy(err->file, scenario->path_name, sizeof err->file - 1);
    return code;
}

void made_path_resolve(const struct price_path_params *params, struct scenario *out)
{
    out->path.drift_per_year = params->drift_per_year;
    out->path.volatility_per_year = params->volatility_per_year;
    out->path.garch_alpha = params->garch_alpha;
    out->path.garch_beta = params->garch_beta;
    out->path.student_dof = params->student_dof;
    out->path.jumps_per_day = params->jumps_per_day;
    out->path.jump_mean_log = params->jump_mean_log;
    out->path.jump_sigma_log = params->jump_sigma_log;
    out->path.hawkes_branching = params->hawkes_branching;
    out->path.hawkes_half_life_ms = params->hawkes_half_life_ms;
}

int made_path_fit(const struct scenario *scenario, const struct market *market,
                  struct price_path_params *out, struct error *err)
{
    struct price_path_history history = history_of(market, bars_before(scenario, market));
    *out = params_of(scenario);
    return named(price_path_fit(out, &history, err), scenario, err);
}

static int alloc_bars(struct market_bars *out, size_t bars, struct error *err)
{
    double *values = memory_alloc(bars, 4 * sizeof *values);
    if (values == NULL)
        return error_memory(err, "a made path");
    *out = (struct market_bars){values, values + bars, values + 2 * bars, values + 3 * bars};
    return ERROR_NONE;
}

int made_path_init(struct made_path *self, const struct scenario *scenario,
                   const struct price_path_params *params, const struct path *base,
                   uint32_t replicate, struct path *out, struct error *err)
{
    memset(self, 0, sizeof *self);
    *out = *base;
    if (!made_path_wanted(scenario))
        return ERROR_NONE;
    const struct market *market = base->market;
    size_t before = bars_before(scenario, market), last = before > 0 ? before - 1 : 0;
    const double *start = before > 0 ? market->last.close : market->last.open;
    const double *mark = before > 0 ? market->mark.close : market->mark.open;
    struct price_path_request request = {
        .seed = scenario->seed,
        .replicate = replicate,
        .start_ms = market->start_ms + (int64_t)before * market->step_ms,
        .step_ms = market->step_ms,
        .start_price = start[last],
        .history = history_of(market, before),
    };
    int64_t length = scenario->time.end_ms - request.start_ms;
    request.bars = (size_t)((length + market->step_ms - 1) / market->step_ms);
    int code = alloc_bars(&self->bars, request.bars, err);
    if (code != ERROR_NONE)
        return code;
    code = price_path_make(params, &request, self->bars.open, self->bars.high, self->bars.low,
                           self->bars.close, err);
    if (code != ERROR_NONE)
        made_path_free(self);
    out->made = &self->bars;
    out->made_from = before;
    out->made_mark_ratio = mark[last] / start[last];
    return named(code, scenario, err);
}

void made_path_free(struct made_path *self)
{
    memory_free(self->bars.open);
    memset(self, 0, sizeof *self);
}
