/*
 * The cascade at one price node. The exogenous price stands at the node; every position whose
 * trigger price the mark has reached fires; a forced order moves the price when feedback is on;
 * that may reach the next trigger. Walking outward from the market, one position at a time, ends at
 * the least fixed point: the smallest set of positions that explains its own price. The cost is
 * that of the positions fired.
 *
 * Feedback `false` (open loop) leaves the price where the path puts it: used where an observed
 * price already holds the impact of what was liquidated.
 */
#ifndef LIQCASCADE_SIM_CASCADE_H
#define LIQCASCADE_SIM_CASCADE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "models/impact.h"
#include "sim/ladder.h"
#include "sim/ledger.h"
#include "sim/nearby.h"

/* One fired position, in the order of firing. */
struct cascade_shot {
    struct ladder_fired position;
    int side_index;
    double coins;
    double trigger_price;           /* mark */
    double last_before, last_after; /* last price before and after its own impact */
};

struct cascade {
    struct ladder *ladder;       /* not owned */
    const struct ledger *ledger; /* not owned; unchanged until the shots are settled */
    const struct impact_params *impact;
    struct impact_state *state; /* grows by what fires */
    struct nearby *nearby;      /* loses what fires; NULL: not kept */
    double depth;               /* relative, of this step */
    bool feedback;
    double mark_passthrough;
    struct cascade_shot *shots; /* owned; reused from node to node */
    size_t shot_count, shot_capacity;
    int generations;   /* waves of the last node: those fired by the move itself are the first */
    double last, mark; /* prices after the node */
};

void cascade_free(struct cascade *self);

/* Moves the exogenous prices to (last, mark) and fires what is reached; `shots` then holds what
   fired. ERROR_IO when memory is short. */
int cascade_node(struct cascade *self, double exogenous_last, double exogenous_mark,
                 struct error *err);

/* After an open-loop node: true when the impact-free path could not have reached every level that
   fired, i.e. some level lies inside the jump of what fired from it on. */
bool cascade_unreachable(const struct cascade *self, const struct impact_state *before);

/* The branching ratio at the present prices: the largest I(Q(d)) / d over d = window/10 ... window,
   Q(d) what would be liquidated within d of log mark price, on the worse side. Above 1 the book can
   run away by itself. */
double cascade_branching_ratio(const struct nearby *nearby, const struct impact_params *impact,
                               const struct impact_state *state, double depth, double mark,
                               double window_log);

#endif
