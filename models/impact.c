#include "models/impact.h"

#include <math.h>

#include "base/calendar.h"

void impact_decay(const struct impact_params *params, struct impact_state *state, int64_t step_ms)
{
    if (params->half_life_ms == CALENDAR_NONE)
        return;
    state->flow_coins *= exp2(-(double)step_ms / (double)params->half_life_ms);
}

void impact_add(const struct impact_params *params, struct impact_state *state, double coins,
                double depth)
{
    state->flow_coins += coins;
    if (params->kind != IMPACT_KIND_NONE)
        state->permanent_log += params->permanent_share * params->reference_move_log * coins /
                                (params->reference_coins * depth);
}

/* (|E| / (R * d))^gamma. */
static double shape(const struct impact_params *params, double relative_flow)
{
    switch (params->kind) {
    case IMPACT_KIND_NONE:
        return 0.0;
    case IMPACT_KIND_LINEAR:
        return relative_flow;
    case IMPACT_KIND_SQUARE_ROOT:
        return sqrt(relative_flow);
    case IMPACT_KIND_POWER:
        break;
    }
    if (params->gamma == 1.0)
        return relative_flow;
    return params->gamma == 0.5 ? sqrt(relative_flow) : pow(relative_flow, params->gamma);
}

double impact_log(const struct impact_params *params, const struct impact_state *state,
                  double depth)
{
    double relative_flow = fabs(state->flow_coins) / (params->reference_coins * depth);
    double transient =
        (1.0 - params->permanent_share) * params->reference_move_log * shape(params, relative_flow);
    return copysign(transient, state->flow_coins) + state->permanent_log;
}
