/*
 * Bounds of the branching ratio from every position's own distance to the market.
 */
#include <math.h>

#include "tests/sim/brute_parts.h"

enum { TENTHS = 10 };

/* Coins of a side that are surely, and perhaps, within each tenth of the window. */
static void coins_within(const struct brute_force *self, int side_index, double mark,
                         double least[TENTHS], double most[TENTHS])
{
    double sign = side_index == BOOK_LONG ? 1.0 : -1.0;
    for (size_t i = 0; i < self->opened; i++) {
        const struct brute_position *position = &self->positions[i];
        if (!brute_position_left(position) || book_side_index(position->side) != side_index)
            continue;
        double price = brute_trigger(self, &position->brackets[0]);
        for (int b = 1; b < position->bracket_count; b++)
            price = sign * fmax(sign * price, sign * brute_trigger(self, &position->brackets[b]));
        double distance = sign * log(mark / price) / self->params->branching_window_log;
        for (int k = 0; k < TENTHS && distance >= -BRUTE_BLUR; k++) {
            double far = (k + 1.0) / TENTHS;
            if (distance <= far + BRUTE_BLUR)
                most[k] += brute_coins(self, position);
            if (distance >= BRUTE_BLUR && distance <= far - BRUTE_BLUR)
                least[k] += brute_coins(self, position);
        }
    }
}

/* All flow as if it had met one market. */
static struct impact_state pooled(const struct brute_force *self)
{
    struct impact_state sum = self->impact[0];
    for (int g = 1; g < brute_markets(self) && brute_state_of(self, g) == g; g++)
        sum.flow_coins += self->impact[g].flow_coins;
    if (brute_markets(self) == 1 || brute_state_of(self, 1) == 0)
        return sum;
    sum.permanent_log = 0.0;
    for (int g = 0; g < brute_markets(self); g++)
        sum.permanent_log += self->params->depth_share[g] * self->impact[g].permanent_log;
    return sum;
}

/* I(coins) / distance, distance in windows. */
static double steepness(const struct brute_force *self, int side_index, double coins,
                        double distance)
{
    const struct impact_params *impact = &self->params->impact;
    struct impact_state now = pooled(self), after = now;
    impact_add(impact, &after, side_index == BOOK_LONG ? -coins : coins, self->depth);
    return fabs(impact_log(impact, &after, self->depth) - impact_log(impact, &now, self->depth)) /
           (distance * self->params->branching_window_log);
}

void brute_bound_branching(struct brute_force *self, double mark)
{
    self->branching_low = self->branching_high = 0.0;
    self->branching_mark = mark;
    for (int side = 0; side < 2; side++) {
        double least[TENTHS] = {0.0}, most[TENTHS] = {0.0};
        coins_within(self, side, mark, least, most);
        for (int k = 0; k < TENTHS; k++) {
            double far = (k + 1.0) / TENTHS;
            self->branching_low = fmax(self->branching_low, steepness(self, side, least[k], far));
            self->branching_high = fmax(self->branching_high, steepness(self, side, most[k], far));
        }
    }
}
