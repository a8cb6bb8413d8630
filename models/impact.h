/*
 * Price impact of forced orders, on a cumulative state in coins and never per child order: the
 * same flow gives the same price however it is split. With E the signed net flow that decays with
 * the liquidity's half-life and d the depth relative to its reference,
 *     I = sign(E) * (1 - w) * x0 * (|E| / (R * d))^gamma  +  w * x0 * sum(Q / (R * d)),
 * I in log price, R = reference_coins, x0 = reference_move_log, w = permanent_share. Net flow of R
 * coins moves the log price by x0 at reference depth.
 * gamma 0.76 with x0 = 9.0e-4 at R = 165 BTC: own measurement on 1-minute BTC perpetual trades;
 * gamma 0.5: the square-root law (Toth et al. 2011, Phys. Rev. X 1, 021006); gamma 1: Kyle (1985).
 */
#ifndef LIQCASCADE_MODELS_IMPACT_H
#define LIQCASCADE_MODELS_IMPACT_H

#include <stdint.h>

#include "base/error.h"

enum impact_kind {
    IMPACT_KIND_NONE,
    IMPACT_KIND_LINEAR,
    IMPACT_KIND_SQUARE_ROOT,
    IMPACT_KIND_POWER
};

struct impact_model {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;
    enum impact_kind kind;
};
extern const struct impact_model impact_models[]; /* in the order of enum impact_kind */
extern const int impact_model_count;

/* "none", "linear", "square_root", "power"; NULL when unknown. */
const struct impact_model *impact_find(const char *name);

struct impact_params {
    enum impact_kind kind;
    double gamma;              /* IMPACT_KIND_POWER only; > 0 */
    double reference_coins;    /* R > 0, already multiplied by any rescaling of depth */
    double reference_move_log; /* x0 >= 0 */
    double permanent_share;    /* w in [0, 1] */
    int64_t half_life_ms;      /* CALENDAR_NONE: no decay */
};

struct impact_state {
    double flow_coins;    /* E: positive buys */
    double permanent_log; /* accumulated permanent part */
};

/* Decay over a time step. */
void impact_decay(const struct impact_params *params, struct impact_state *state, int64_t step_ms);
/* Adds a signed flow (coins; negative sells) at relative depth `depth` > 0. */
void impact_add(const struct impact_params *params, struct impact_state *state, double coins,
                double depth);
/* I in log price at the present state and depth. */
double impact_log(const struct impact_params *params, const struct impact_state *state,
                  double depth);

/*
 * Several venues, each with an impact state of its own and a share w_v of the depth (shares sum to
 * 1): a venue's flow moves the venue's price, and arbitrage carries inventory from venue to venue
 * until prices meet. With kappa = ln 2 / half_life,
 *     E_v <- E_v + (1 - exp(-kappa dt)) (w_v sum(E) - E_v),
 * and permanent parts move likewise towards their mean by w. The sum of flows is conserved. Venue v
 * has impact_log(params, state_v, depth * w_v); in equilibrium all venues have the impact of the
 * pooled flow at the pooled depth, so distances between prices halve in half_life_ms where impact
 * is linear. half_life 0: at once; CALENDAR_NONE: never.
 */
void impact_arbitrage(struct impact_state *states, const double *depth_share, int venues,
                      int64_t half_life_ms, int64_t step_ms);

#endif
