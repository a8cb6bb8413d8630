/*
 * The cascade at one price node. The exogenous price stands at the node; every position whose
 * trigger price the mark has reached fires; a forced order moves the price when feedback is on;
 * that may reach the next trigger. Walking outward from the market, one position at a time, ends at
 * the least fixed point: the smallest set of positions that explains its own price. The cost is
 * that of the positions fired.
 *
 * What an order is for, the whole position or a part, is its venue's rule; the rest of a position
 * is back on the ladder at once, or when the venue looks at it again. Orders are settled as they
 * fill, because the margin of a rest, the fund and deleveraging depend on it.
 *
 * Cross-margined accounts (sim/accounts.h) fire among the positions by their own triggers, of equal
 * ones after them, and are closed whole.
 *
 * Within a step a cascade takes no time, or generations follow each other at a given distance in
 * which impact decays.
 *
 * Feedback `false` (open loop) leaves the price where the path puts it: used where an observed
 * price already holds the impact of what was liquidated.
 */
#ifndef LIQCASCADE_SIM_CASCADE_H
#define LIQCASCADE_SIM_CASCADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "models/adl.h"
#include "models/liquidation.h"
#include "sim/accounts.h"
#include "sim/deleverage.h"
#include "sim/ladder.h"
#include "sim/ledger.h"
#include "sim/nearby.h"
#include "sim/prices.h"
#include "sim/settle.h"

#define CASCADE_ORDERS_MAX 32 /* partial orders for one position before the whole is closed */

/* How a venue liquidates and deleverages. */
struct cascade_venue {
    struct liquidation_rule rule;
    const struct adl_ranking *adl; /* NULL: what the fund cannot pay is bad debt */
    double adl_drawdown;           /* of the fund from its peak, at which deleveraging begins */
};

/* One order, in the order of firing. */
struct cascade_shot {
    struct ladder_fired position; /* of an account: nothing */
    uint32_t account;             /* or ACCOUNTS_NONE */
    int side_index, market;       /* of an account: of its trigger */
    double coins;                 /* ordered; of a takeover: 0; of an account: net of its legs, and
                                     negative when the order goes against the side's others */
    double trigger_price;         /* mark */
    double last_before, last_after; /* last price of its market before and after its own impact */
};

struct cascade {
    const struct cascade_venue *venues; /* not owned */
    struct ladder *ladder;              /* not owned */
    struct accounts *accounts;          /* not owned; NULL: none */
    struct ledger *ledger;              /* not owned */
    struct prices *prices;              /* not owned */
    struct settle *settle;              /* not owned */
    struct deleverage *deleverage;      /* not owned */
    struct nearby *nearby;              /* loses what fires; NULL: not kept */
    int64_t generation_ms;              /* time between generations; 0: none */
    struct cascade_shot *shots;         /* owned; reused from node to node */
    size_t shot_count, shot_capacity;
    double later_coins; /* of the last node: ordered after its first wave */
    int generations;    /* waves of the last node: those fired by the move itself are the first */
};

/* Where and when a node is. */
struct cascade_node {
    double exogenous_last, exogenous_mark;
    double previous_last; /* of the path: continuous up to here from it; NaN after a jump */
    int64_t time_ms;
    int64_t room_ms; /* until the next node: generations may take as long */
    /* A counterfactual's start: the price first goes to where forced orders of so many coins would
       put it, and what that reaches fires before the walk goes on from the price that it makes. 0:
       the walk starts from the exogenous price, and ends at the least fixed point. */
    double start_coins;
};

void cascade_free(struct cascade *self);

/* Moves the exogenous prices to the node's, fires what is reached and settles it; `shots` then
   holds the orders, and `out_spent_ms` the time that generations took. ERROR_IO when memory is
   short. */
int cascade_walk(struct cascade *self, const struct cascade_node *node, int64_t *out_spent_ms,
                 struct error *err);

/* After an open-loop node: true when the impact-free path could not have reached every level that
   fired, i.e. some level lies inside the jump of what fired from it on. */
bool cascade_unreachable(const struct cascade *self, const struct prices_impact *before);

/* The branching ratio at the present prices: the largest I(Q(d)) / d over d = window/10 ... window,
   Q(d) what would be liquidated within d of log mark price, on the worse side. Above 1 the book can
   run away by itself. */
double cascade_branching_ratio(const struct nearby *nearby, const struct impact_params *impact,
                               const struct impact_state *state, double depth, double mark,
                               double window_log);

#endif
