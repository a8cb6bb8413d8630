#include "models/depth.h"

#include <math.h>

#include "base/calendar.h"

void depth_start(const struct depth_params *params, struct depth_state *state)
{
    state->variance = params->reference_variance > 0.0 ? params->reference_variance : 0.0;
}

void depth_observe(const struct depth_params *params, struct depth_state *state,
                   double squared_return, int64_t step_ms)
{
    if (params->half_life_ms == CALENDAR_NONE || step_ms <= 0)
        return;
    double keep = exp2(-(double)step_ms / (double)params->half_life_ms);
    state->variance = keep * state->variance + (1.0 - keep) * squared_return / (double)step_ms;
}

double depth_relative(const struct depth_params *params, const struct depth_state *state)
{
    if (params->kind == DEPTH_KIND_CONSTANT || !(params->reference_variance > 0.0))
        return 1.0;
    double ratio = state->variance / params->reference_variance;
    double relative = params->zeta == 1.0 ? 1.0 / sqrt(ratio) : pow(ratio, -0.5 * params->zeta);
    return fmin(fmax(relative, params->floor), 1.0 / params->floor);
}
