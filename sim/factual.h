/*
 * The factual record: what an open-loop replay along an observed path has found out, which a
 * counterfactual starts from. An observed price y holds the impact of the liquidations that
 * happened, so the exogenous price is x = y / exp(I), I the impact of what the replay liquidates.
 * A closed loop over x with the factual open interest returns y; with another open interest, depth
 * or other rules it says what the same news would have done.
 *
 * What holders did by choice is kept, too: opens in USD, and the share of a side that closed.
 */
#ifndef LIQCASCADE_SIM_FACTUAL_H
#define LIQCASCADE_SIM_FACTUAL_H

#include <stddef.h>

#include "base/error.h"
#include "sim/ledger.h"
#include "sim/path.h"

struct factual_node {
    double last, mark; /* exogenous */
    double flow_coins; /* forced orders at the node; negative sells */
};

struct factual_bar {
    struct factual_node node[PATH_NODES];
    double price_close;
    struct ledger_kept kept;
};

struct factual {
    size_t first_bar; /* of the run: recorded from here on; impact counts from here, too */
    size_t count;
    struct factual_bar *bars; /* owned */
    double path_gap_log; /* farthest that a closed loop with the observed open interest, begun from
                            the exogenous price, leaves the observed closes (sim/run_one.h) */
    size_t unreachable;  /* steps whose fired levels the exogenous path alone does not reach */
};

/* Room for the bars from `first_bar` up to `bars`. ERROR_IO when memory is short. */
int factual_init(struct factual *self, size_t first_bar, size_t bars, struct error *err);
void factual_free(struct factual *self);

/* The record of a bar of the run, NULL before first_bar. */
struct factual_bar *factual_at(const struct factual *self, size_t bar);

#endif
