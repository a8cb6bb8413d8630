/*
 * Leverage tiers: how positions are grouped by leverage where results show it and where holders
 * close at different speeds. The hazard of a tier is leverage^exponent (models/leverage.h) at its
 * geometric middle: new positions are drawn in proportion to stock times hazard, and voluntary
 * closes are taken in proportion to stock times hazard, so that the stock keeps its distribution.
 */
#ifndef LIQCASCADE_SIM_TIERS_H
#define LIQCASCADE_SIM_TIERS_H

#define TIERS 9

/* Tier i holds leverages in [tier_edges[i], tier_edges[i + 1]); the last has no end. */
extern const double tier_edges[TIERS + 1];

/* The tier of a leverage; its sign does not matter. Counts edges, without a branch on any. */
static inline int tier_of(double leverage)
{
    double size = leverage < 0.0 ? -leverage : leverage;
    int tier = 0;
    for (int i = 1; i < TIERS; i++)
        tier += size >= tier_edges[i];
    return tier;
}

double tier_hazard(int tier, double exponent);

#endif
