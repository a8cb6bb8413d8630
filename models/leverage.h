/*
 * Leverage of the stock of open interest: effective leverage (notional over what is really at
 * stake), weighted by OI. New positions are drawn from the stock's distribution with weights
 * proportional to L^hazard, since a higher leverage lives shorter.
 *
 *   pareto          P(L > x) ~ x^-alpha from `minimum` up; alpha 1.0 (fits hourly liquidations 2024
 *                   and December 2025)
 *   lognormal       ln L ~ N(mu, sigma); 1.3140, 0.6148 fit Hyperliquid's OI by leverage tier,
 *                   December 2025 (36 % at 0-3x, 48 % at 3-7x)
 *   lognormal_tail  that, with a share log-uniform between `tail_from` and the venue's maximum
 *   tiers           a table of (leverage, weight): point masses
 *   bitmex_2019     between 1x and 100x a power law, with the exponent that makes the mean 22x on
 * the long side and 30x on the short: weighted effective leverage of BitMEX's XBTUSD at the end of
 * April 2019 (BitMEX blog, "BitMEX Leverage Statistics, April 2019"). The shape is an own prior:
 * the same source has 80 % of the longs of twelve months up to 54x and of the shorts up to 47x, the
 * law 41x and 59x.
 */
#ifndef LIQCASCADE_MODELS_LEVERAGE_H
#define LIQCASCADE_MODELS_LEVERAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define LEVERAGE_TIERS_MAX 64
#define LEVERAGE_TABLE 4097

enum leverage_kind {
    LEVERAGE_KIND_PARETO,
    LEVERAGE_KIND_LOGNORMAL,
    LEVERAGE_KIND_LOGNORMAL_TAIL,
    LEVERAGE_KIND_TIERS,
    LEVERAGE_KIND_BITMEX_2019
};

struct leverage_model {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;
};
extern const struct leverage_model leverage_models[]; /* in the order of enum leverage_kind */
extern const int leverage_model_count;

struct leverage_params {
    enum leverage_kind kind;
    double alpha, minimum;        /* pareto; minimum >= 1 bounds every kind from below */
    double mu, sigma;             /* lognormal */
    double tail_share, tail_from; /* lognormal_tail */
    double hazard_exponent;
    size_t tier_count;
    double tier_leverage[LEVERAGE_TIERS_MAX], tier_weight[LEVERAGE_TIERS_MAX];
    int side;       /* bitmex_2019: +1, -1 */
    double maximum; /* the highest leverage of the venue's brackets */
};

/* A distribution ready for draws; holds no pointers. */
struct leverage {
    struct leverage_params params;
    double survival_minimum; /* P(stock > minimum): below 1 where a mass is held at the minimum */
    double survival_beyond;  /* P(> maximum) of the law before its cut; 0 for tiers */
    double power, top;       /* bitmex_2019: P(L <= x) ~ x^power - minimum^power, up to `top` */
    double log_quantile[LEVERAGE_TABLE]; /* lognormal_tail: ln L over equal steps of ln survival */
};

/* True when the sides have distributions of their own. */
bool leverage_by_side(enum leverage_kind kind);

/* ERROR_SCENARIO when parameters make no distribution (alpha <= 0, weights all 0, ...). */
int leverage_init(struct leverage *self, const struct leverage_params *params, struct error *err);

/* P(stock > x), 1 below the minimum, 0 from the maximum up. Not for `tiers` ties: P(stock > x)
   counts masses strictly above. */
double leverage_survival(const struct leverage *self, double x);

/* The leverage with survival probability `u` in (0, 1) in the distribution cut at `cap` (the
   bracket's maximum for the position's notional): between minimum and cap. `survival_cap` is
   leverage_survival(self, cap), passed in because callers keep it per bracket. */
double leverage_draw(const struct leverage *self, double u, double cap, double survival_cap);

/* Relative speed at which positions of a leverage close, and so the weight of opens against the
   stock: L^exponent. */
double leverage_hazard(double leverage, double exponent);

/* Strata of survival probability: half of them (at least one) log-spaced over the top 1 % down to
   1e-4 and to 0, the others log-spaced over the rest, because the upper tail carries the signal.
   Stratum i of n holds (lower, upper]; upper - lower is its mass, and masses sum to 1. i = 0 is the
   lowest leverage. */
void leverage_stratum(int i, int n, double *out_lower, double *out_upper);

#endif
