/*
 * Prices: where the exogenous path and the impact of forced orders put the last and mark price of
 * each market. There is one market for all venues, or one per venue where venues have prices of
 * their own: then each venue's orders move its own price, at its share of the depth, and arbitrage
 * brings the prices together at a stated speed (models/impact.h, impact_arbitrage). What steps
 * report is the reference: the mean of the venues' impact by depth.
 *
 * Without feedback prices stay where the path puts them, and the impact is only kept account of.
 */
#ifndef LIQCASCADE_SIM_PRICES_H
#define LIQCASCADE_SIM_PRICES_H

#include <stdbool.h>
#include <stdint.h>

#include "models/impact.h"
#include "sim/book.h"

struct prices_params {
    struct impact_params impact;
    int markets;          /* 1, or one per venue */
    bool separate;        /* each market has an impact state of its own */
    int64_t half_life_ms; /* of a gap between separate markets; CALENDAR_NONE: it stays */
    double reference_passthrough;
    double passthrough[BOOK_VENUES_MAX]; /* per market: share of a move that reaches its mark */
    double depth_share[BOOK_VENUES_MAX]; /* of separate markets; sum to 1 */
};

struct prices_market {
    double last, mark;
};

/* The impact alone, which can be put by and looked at again. */
struct prices_impact {
    struct impact_state state[BOOK_VENUES_MAX]; /* one, or one per separate market */
};

struct prices {
    const struct prices_params *params; /* not owned */
    struct prices_impact impact;
    double depth; /* relative, of this step */
    bool feedback;
    double exogenous_last, exogenous_mark;
    struct prices_market market[BOOK_VENUES_MAX];
    double last, mark; /* reference */
    /* What was last worked out of each state, and of what. */
    struct prices_impact seen;
    double seen_depth, seen_log[BOOK_VENUES_MAX];
};

void prices_init(struct prices *self, const struct prices_params *params);

/* No impact from here on but what is yet to come. */
void prices_forget(struct prices *self);

/* Time passes: impact decays, arbitrage goes on. Prices stay until the next prices_place. */
void prices_pass(struct prices *self, int64_t time_ms);

/* Puts the exogenous prices, and with them all markets. */
void prices_place(struct prices *self, double exogenous_last, double exogenous_mark);

/* A forced order of `coins` (negative sells) in a market moves prices. */
void prices_order(struct prices *self, int market, double coins);

/* Last price of a market before which an order of `coins` would leave it; moves nothing. */
double prices_after_order(const struct prices *self, int market, double coins);

/* Reference prices where an order of `coins` would put them from the given exogenous prices, with
   one impact state; moves nothing. */
void prices_with_order(const struct prices *self, double exogenous_last, double exogenous_mark,
                       double coins, double *out_last, double *out_mark);

/* The reference impact in log price, now and as it was. */
double prices_impact_log(struct prices *self);
/* Mark price of a market if the impact were `impact`, which differs from the present only in what
   `market`'s state holds. */
double prices_mark_with(const struct prices *self, int market, const struct prices_impact *impact);

/* The state that a market's orders move, and the depth that they meet. */
static inline int prices_state_of(const struct prices *self, int market)
{
    return self->params->separate ? market : 0;
}
static inline double prices_depth_of(const struct prices *self, int market)
{
    return self->params->separate ? self->depth * self->params->depth_share[market] : self->depth;
}

/* All flow as if it had met one market. */
struct impact_state prices_pooled(const struct prices *self);

#endif
