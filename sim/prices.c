#include "sim/prices.h"

#include <math.h>
#include <string.h>

void prices_init(struct prices *self, const struct prices_params *params)
{
    memset(self, 0, sizeof *self);
    self->params = params;
    self->seen_depth = NAN;
}

void prices_forget(struct prices *self)
{
    memset(&self->impact, 0, sizeof self->impact);
}

static int states(const struct prices *self)
{
    return self->params->separate ? self->params->markets : 1;
}

void prices_pass(struct prices *self, int64_t time_ms)
{
    const struct prices_params *params = self->params;
    for (int s = 0; s < states(self); s++)
        impact_decay(&params->impact, &self->impact.state[s], time_ms);
    if (params->separate)
        impact_arbitrage(self->impact.state, params->depth_share, params->markets,
                         params->half_life_ms, time_ms);
}

/* ---- impact ----------------------------------------------------------------------------- */

/* Asked for at every node, while few nodes change it. */
static double state_log(struct prices *self, int s)
{
    const struct impact_state *now = &self->impact.state[s];
    struct impact_state *seen = &self->seen.state[s];
    if (self->seen_depth != self->depth) {
        self->seen_depth = self->depth;
        for (int i = 0; i < states(self); i++)
            self->seen_log[i] = NAN;
    }
    if (isnan(self->seen_log[s]) || seen->flow_coins != now->flow_coins ||
        seen->permanent_log != now->permanent_log) {
        *seen = *now;
        self->seen_log[s] = impact_log(&self->params->impact, now, prices_depth_of(self, s));
    }
    return self->seen_log[s];
}

double prices_impact_log(struct prices *self)
{
    if (!self->params->separate)
        return state_log(self, 0);
    double sum = 0.0;
    for (int g = 0; g < self->params->markets; g++)
        sum += self->params->depth_share[g] * state_log(self, g);
    return sum;
}

static double pass_through(double share, double impact, double factor)
{
    return share == 1.0 ? factor : exp(share * impact);
}

/* ---- placing ---------------------------------------------------------------------------- */

static void place_market(struct prices *self, int market, double impact, double factor)
{
    struct prices_market *out = &self->market[market];
    out->last = self->exogenous_last * factor;
    out->mark =
        self->exogenous_mark * pass_through(self->params->passthrough[market], impact, factor);
}

static void place_reference(struct prices *self, double impact, double factor)
{
    self->last = self->exogenous_last * factor;
    self->mark =
        self->exogenous_mark * pass_through(self->params->reference_passthrough, impact, factor);
}

/* All markets with the impact of one state. */
static void place_pooled(struct prices *self)
{
    double impact = state_log(self, 0), factor = exp(impact);
    for (int g = 0; g < self->params->markets; g++)
        place_market(self, g, impact, factor);
    place_reference(self, impact, factor);
}

static void place_exogenous(struct prices *self)
{
    self->last = self->exogenous_last;
    self->mark = self->exogenous_mark;
    for (int g = 0; g < self->params->markets; g++)
        self->market[g] = (struct prices_market){self->last, self->mark};
}

void prices_place(struct prices *self, double exogenous_last, double exogenous_mark)
{
    self->exogenous_last = exogenous_last;
    self->exogenous_mark = exogenous_mark;
    if (!self->feedback) {
        place_exogenous(self);
    } else if (!self->params->separate) {
        place_pooled(self);
    } else {
        for (int g = 0; g < self->params->markets; g++) {
            double impact = state_log(self, g);
            place_market(self, g, impact, exp(impact));
        }
        double impact = prices_impact_log(self);
        place_reference(self, impact, exp(impact));
    }
}

void prices_order(struct prices *self, int market, double coins)
{
    impact_add(&self->params->impact, &self->impact.state[prices_state_of(self, market)], coins,
               prices_depth_of(self, market));
    if (!self->feedback)
        return;
    if (!self->params->separate) {
        place_pooled(self);
        return;
    }
    double own = state_log(self, market), impact = prices_impact_log(self);
    place_market(self, market, own, exp(own));
    place_reference(self, impact, exp(impact));
}

double prices_after_order(const struct prices *self, int market, double coins)
{
    if (!self->feedback)
        return self->market[market].last;
    struct impact_state state = self->impact.state[prices_state_of(self, market)];
    double depth = prices_depth_of(self, market);
    impact_add(&self->params->impact, &state, coins, depth);
    return self->exogenous_last * exp(impact_log(&self->params->impact, &state, depth));
}

void prices_with_order(const struct prices *self, double exogenous_last, double exogenous_mark,
                       double coins, double *out_last, double *out_mark)
{
    struct impact_state state = self->impact.state[0];
    impact_add(&self->params->impact, &state, coins, self->depth);
    double impact = impact_log(&self->params->impact, &state, self->depth);
    double factor = exp(impact);
    *out_last = exogenous_last * factor;
    *out_mark = exogenous_mark * pass_through(self->params->reference_passthrough, impact, factor);
}

double prices_mark_with(const struct prices *self, int market, const struct prices_impact *impact)
{
    int s = prices_state_of(self, market);
    double depth = prices_depth_of(self, market);
    double undone = impact_log(&self->params->impact, &impact->state[s], depth) -
                    impact_log(&self->params->impact, &self->impact.state[s], depth);
    return self->market[market].mark * exp(self->params->passthrough[market] * undone);
}

struct impact_state prices_pooled(const struct prices *self)
{
    struct impact_state out = self->impact.state[0];
    if (!self->params->separate)
        return out;
    out = (struct impact_state){0};
    for (int g = 0; g < self->params->markets; g++) {
        out.flow_coins += self->impact.state[g].flow_coins;
        out.permanent_log += self->params->depth_share[g] * self->impact.state[g].permanent_log;
    }
    return out;
}
