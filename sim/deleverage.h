/*
 * Auto-deleveraging: closes opposing positions of a venue against bankrupt ones at the bankruptcy
 * price, in the order of the venue's ranking (models/adl.h). A ranking is made when a venue first
 * needs it in a step, with the marks of that moment, and used to the step's end. Only positions of
 * the book are deleveraged, not what partial orders left of others.
 */
#ifndef LIQCASCADE_SIM_DELEVERAGE_H
#define LIQCASCADE_SIM_DELEVERAGE_H

#include <stddef.h>

#include "base/error.h"
#include "models/adl.h"
#include "sim/ladder.h"
#include "sim/ledger.h"
#include "sim/nearby.h"
#include "sim/settle.h"

struct deleverage_candidate {
    double score;
    struct ladder_fired position;
};

/* A ranking; `items` is a heap of which the first `count` are left, highest score first. */
struct deleverage_queue {
    struct deleverage_candidate *items; /* owned */
    size_t count, capacity;
    bool made; /* in this step */
    bool failed;
};

/* What a step deleveraged of a venue, side and leverage tier: stuff of adl.csv. */
struct deleverage_record {
    int venue, side_index, tier;
    double coins, usd;         /* usd: at the bankruptcy prices */
    double entry_usd, pnl_usd; /* realised by the winners */
    double score_sum;          /* of score times coins */
    int64_t positions;         /* closed or cut */
};

struct deleverage {
    struct ladder *ladder;                             /* not owned; made with deleveraging */
    struct ledger *ledger;                             /* not owned */
    struct settle *settle;                             /* not owned */
    struct nearby *nearby;                             /* not owned; NULL: not kept */
    struct deleverage_queue queue[BOOK_VENUES_MAX][2]; /* by venue and winners' side */
    struct deleverage_record *records;                 /* of the step; owned */
    size_t record_count, record_capacity;
};

void deleverage_init(struct deleverage *self, struct ladder *ladder, struct ledger *ledger,
                     struct settle *settle);
void deleverage_free(struct deleverage *self);
/* Rankings and records of the last step are forgotten. */
void deleverage_begin_step(struct deleverage *self);

/* Closes up to `coins` of the positions of `venue` on the side `side_index` at `price`, ranked at
   mark price `mark`. `out_matched`: how many coins found a counterparty. ERROR_IO when memory is
   short. */
int deleverage_close(struct deleverage *self, int venue, int side_index,
                     const struct adl_ranking *ranking, double coins, double price, double mark,
                     double *out_matched, struct error *err);

#endif
