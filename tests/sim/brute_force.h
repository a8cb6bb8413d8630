/*
 * The brute-force engine: a replay in which every position is a record of its own and every record
 * is looked at before every firing. It keeps no order, no runs, no heaps and no sums over
 * positions, so it shares nothing with the ladder but the definition of the model; the ladder must
 * equal it bit for bit. Pure functions of numbers are shared: margin formulas, impact, depth, the
 * path's bars and the flows of a step.
 *
 * A maintenance margin at mark is looked up in every bracket of the venue's table, not only in
 * those that the book entered the position in.
 */
#ifndef LIQCASCADE_TESTS_SIM_BRUTE_FORCE_H
#define LIQCASCADE_TESTS_SIM_BRUTE_FORCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sim/replay.h"

#define BRUTE_BLUR 0.11 /* two of the widest bins of sim/nearby.h */

/* One bracket that may liquidate a position. */
struct brute_bracket {
    uint32_t class_id;
    bool entered;               /* the book has a run for it ... */
    uint32_t run;               /* ... this one */
    struct book_position terms; /* kappa under this bracket */
    double level;               /* K of models/margin.h, once open */
};

struct brute_position {
    int side;            /* +1, -1 */
    uint32_t bar, order; /* place within its run */
    bool open, fired;
    bool closed;                /* by its holder's will, but for a rest (LEDGER_GONE) */
    double opened, hazard_then; /* its side's, in its bar */
    double coins;               /* alive, thinned one by one */
    double open_price, funding_linear, funding_inverse; /* at opening */
    int bracket_count;
    struct brute_bracket brackets[BRACKETS_MAX];
};

/* What is outside the book: holders without leverage. */
struct brute_holders {
    double coins, entry_value, funding_value;
};

struct brute_shot {
    int side_index;
    uint32_t run, order;
    double coins, trigger_price, last_before, last_after;
};

struct brute_force {
    const struct replay_params *params;
    const struct path *path;
    const struct book *book;
    struct brute_position *positions;
    size_t count;
    struct brute_holders holders[2];
    struct ledger ledger;
    struct impact_state impact;
    struct depth_state depth_state;
    double depth, last, mark;
    bool feedback;
    double funding_linear, funding_inverse;
    size_t bar;
    double last_close, start_price, start_impact_log;
    struct brute_shot *shots; /* of the last node */
    size_t shot_count;
    double fund_usd[BOOK_VENUES_MAX];
    double fund_net_usd, bad_debt_usd, market_maker_cash, deposits_usd, withdrawals_usd;
    long foreign_brackets; /* firings by a bracket that the book did not enter; must stay 0 */
    double looked_at;      /* triggers computed */
    /* Bounds of the step's branching ratio for coins whose distance from the market is known up to
       BRUTE_BLUR of the window. */
    double branching_low, branching_high, branching_mark;
};

/* `prices_given`: the book's liquidation prices were given and hold as they stand, so no other
   bracket is looked at. Returns false when memory is short. */
bool brute_force_init(struct brute_force *self, const struct replay_params *params,
                      const struct path *path, const struct book *book, bool prices_given);
void brute_force_free(struct brute_force *self);

/* Walks the next bar, as replay_step; the branching ratio stays NaN (see branching_low). */
void brute_force_step(struct brute_force *self, struct replay_step *out);

/* True while the position can still fire. */
bool brute_position_left(const struct brute_position *position);

/* Traders' equity at a mark price, position by position, plus the fund, less bad debt, plus what
   others hold: constant on linear contracts. */
double brute_force_total_usd(const struct brute_force *self, double price);

#endif
