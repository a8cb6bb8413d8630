#include "sim/tiers.h"

#include <math.h>

#include "models/leverage.h"

const double tier_edges[TIERS + 1] = {0.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 75.0, 100.0, INFINITY};

/* The ends of the first and last tier, for their middles only. */
static const double LOWEST = 1.0, HIGHEST = 150.0;

double tier_hazard(int tier, double exponent)
{
    double low = tier == 0 ? LOWEST : tier_edges[tier];
    double high = tier == TIERS - 1 ? HIGHEST : tier_edges[tier + 1];
    return leverage_hazard(sqrt(low * high), exponent);
}
