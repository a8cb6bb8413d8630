#include "models/depth.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"

const struct depth_model depth_models[] = {
    {.name = "constant",
     .documentation = "the same at all times",
     .source = "by definition: a static book",
     .kind = DEPTH_KIND_CONSTANT},
    {.name = "volatility",
     .documentation = "log depth falls by zeta times log relative volatility, not below a floor, "
                      "and recovers with the half-life of the variance",
     .source = "own prior",
     .kind = DEPTH_KIND_VOLATILITY},
    {.name = "series",
     .documentation = "observed depth of the book near the price over its mean, not below a floor, "
                      "as of the step before",
     .source = "the data, such as Binance's archive of book depth",
     .kind = DEPTH_KIND_SERIES},
};
const int depth_model_count = sizeof depth_models / sizeof *depth_models;

const struct depth_model *depth_find(const char *name)
{
    for (int i = 0; i < depth_model_count; i++)
        if (strcmp(name, depth_models[i].name) == 0)
            return &depth_models[i];
    return NULL;
}

void depth_start(const struct depth_params *params, struct depth_state *state)
{
    state->variance = params->reference_variance > 0.0 ? params->reference_variance : 0.0;
    state->relative = 1.0;
}

void depth_observe(const struct depth_params *params, struct depth_state *state,
                   double squared_return, int64_t step_ms)
{
    if (params->half_life_ms == CALENDAR_NONE || step_ms <= 0)
        return;
    double keep = exp2(-(double)step_ms / (double)params->half_life_ms);
    state->variance = keep * state->variance + (1.0 - keep) * squared_return / (double)step_ms;
}

void depth_observe_series(const struct depth_params *params, struct depth_state *state,
                          double relative)
{
    if (params->kind == DEPTH_KIND_SERIES && !isnan(relative))
        state->relative = relative;
}

double depth_relative(const struct depth_params *params, const struct depth_state *state)
{
    if (params->kind == DEPTH_KIND_SERIES)
        return fmax(state->relative, params->floor);
    if (params->kind == DEPTH_KIND_CONSTANT || !(params->reference_variance > 0.0))
        return 1.0;
    double ratio = state->variance / params->reference_variance;
    double relative = params->zeta == 1.0 ? 1.0 / sqrt(ratio) : pow(ratio, -0.5 * params->zeta);
    return fmin(fmax(relative, params->floor), 1.0 / params->floor);
}
