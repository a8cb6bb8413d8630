/*
 * The brute-force engine's prices: all of them worked out anew each time.
 */
#include <math.h>

#include "base/calendar.h"
#include "tests/sim/brute_parts.h"

/* Before the start all venues have one price. */
static bool split(const struct brute_force *self)
{
    return self->params->split && self->bar >= self->params->start_bar;
}

static bool separate(const struct brute_force *self)
{
    return split(self) && self->params->arbitrage_half_life_ms != 0;
}

int brute_markets(const struct brute_force *self)
{
    return split(self) ? (int)self->book->venue_count : 1;
}

int brute_market_of(const struct brute_force *self, int venue)
{
    return split(self) ? venue : 0;
}

int brute_state_of(const struct brute_force *self, int market)
{
    return separate(self) ? market : 0;
}

double brute_depth_of(const struct brute_force *self, int market)
{
    return separate(self) ? self->depth * self->params->depth_share[market] : self->depth;
}

double brute_passthrough(const struct brute_force *self, int market)
{
    return split(self) ? self->params->passthrough[market] : self->params->mark_passthrough;
}

static double market_impact(const struct brute_force *self, int market)
{
    return impact_log(&self->params->impact, &self->impact[brute_state_of(self, market)],
                      brute_depth_of(self, market));
}

double brute_impact(const struct brute_force *self)
{
    if (!separate(self))
        return market_impact(self, 0);
    double sum = 0.0;
    for (int g = 0; g < brute_markets(self); g++)
        sum += self->params->depth_share[g] * market_impact(self, g);
    return sum;
}

static double mark_factor(double share, double impact)
{
    return share == 1.0 ? exp(impact) : exp(share * impact);
}

void brute_place(struct brute_force *self, double last, double mark)
{
    self->exogenous_last = self->reference_last = last;
    self->exogenous_mark = self->reference_mark = mark;
    for (int g = 0; g < brute_markets(self); g++) {
        double impact = market_impact(self, g);
        self->last[g] = self->feedback ? last * exp(impact) : last;
        self->mark[g] =
            self->feedback ? mark * mark_factor(brute_passthrough(self, g), impact) : mark;
    }
    if (!self->feedback)
        return;
    double impact = brute_impact(self);
    self->reference_last = last * exp(impact);
    self->reference_mark = mark * mark_factor(self->params->mark_passthrough, impact);
}

void brute_order(struct brute_force *self, int market, double coins)
{
    impact_add(&self->params->impact, &self->impact[brute_state_of(self, market)], coins,
               brute_depth_of(self, market));
    brute_place(self, self->exogenous_last, self->exogenous_mark);
}

double brute_after_order(const struct brute_force *self, int market, double coins)
{
    struct impact_state state = self->impact[brute_state_of(self, market)];
    double depth = brute_depth_of(self, market);
    impact_add(&self->params->impact, &state, coins, depth);
    return self->exogenous_last * exp(impact_log(&self->params->impact, &state, depth));
}

/* Markets whose flows arbitrage still has to even out. */
static bool apart(const struct brute_force *self)
{
    for (int g = 1; g < brute_markets(self); g++)
        if (market_impact(self, g) != market_impact(self, 0))
            return true;
    return false;
}

void brute_pass(struct brute_force *self, int64_t time_ms)
{
    const struct replay_params *params = self->params;
    int markets = brute_markets(self), states = separate(self) ? markets : 1;
    for (int s = 0; s < states; s++)
        impact_decay(&params->impact, &self->impact[s], time_ms);
    if (!separate(self))
        return;
    if (params->arbitrage_half_life_ms != CALENDAR_NONE && apart(self))
        self->counts.arbitrages++;
    impact_arbitrage(self->impact, params->depth_share, markets, params->arbitrage_half_life_ms,
                     time_ms);
}
