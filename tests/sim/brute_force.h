/*
 * The brute-force engine: a replay in which every position is a record of its own and every record
 * is looked at before every firing. It keeps no order, no runs, no heaps and no sums over
 * positions, so it shares nothing with the ladder but the definition of the model; the ladder must
 * equal it bit for bit. Pure functions of numbers are shared: margin formulas, liquidation rules,
 * rankings, impact, depth, the path's bars, and the ledger's sums and flows of a step.
 *
 * What a partial order leaves is the same record with less of everything; what deleveraging left of
 * a position is a field of it.
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
#define BRUTE_RANKINGS 8
#define BRUTE_BRACKETS 8 /* of a table: records stay small enough for the cache */

/* One bracket that may liquidate a position. */
struct brute_bracket {
    uint32_t class_id;
    bool entered; /* the book has a run for it ... */
    uint32_t run; /* ... this one */
    double kappa;
    double level; /* K of models/margin.h, once open */
};

struct brute_position {
    int side;            /* +1, -1 */
    int venue, tier;     /* tier: of the leverage it opened with */
    uint32_t bar, order; /* place within its run */
    uint32_t index;      /* into the book's positions; of twins, of the lower run's */
    double share;        /* of its bar's opens */
    double leverage, size_usd;
    bool open, fired;
    bool closed;                /* by its holder's will, but for a rest (LEDGER_GONE) */
    double opened, hazard_then; /* its side's, in its bar */
    double hazard_seen;         /* of its bar, when it was last thinned */
    double coins;               /* alive, thinned one by one */
    double open_price, funding_linear, funding_inverse; /* at opening */
    int bracket_count;
    struct brute_bracket brackets[BRUTE_BRACKETS];
    /* Of what a partial order left: */
    uint32_t rest; /* its number; RESTS_NONE: still the book's */
    int orders;
    int64_t cooling_until_ms, ready_ms;
    bool paused; /* was made to wait */
    /* Deleveraging: */
    double left;
    bool ranked; /* in this step */
    double score;
};

/* What is outside the book: holders without leverage. */
struct brute_holders {
    double coins, entry_value, funding_value;
};

struct brute_shot {
    int side_index, market;
    uint32_t index, class_id, rest;
    double coins, trigger_price, last_before, last_after;
};

/* How often each mechanism came to bear. */
struct brute_counts {
    long partials, rest_orders, capped; /* capped: the last order that a position may have */
    long margin_gone;                   /* partial orders whose fill left no margin for a rest */
    long cooldown_wholes;               /* whole for the cooldown alone */
    long pauses, releases;              /* rests left alone, and fired later */
    long takeovers, takeovers_short;    /* short: beyond what the fund can stand */
    long fees, adl_partial, adl_whole;  /* of the bankrupt position */
    long adl_taken[BRUTE_RANKINGS];     /* positions, by ranking */
    long adl_again;                     /* second uses of a ranking in a step */
    long adl_unmatched;                 /* shortfalls beyond all counterparties */
    long cut_fired;                     /* fired with less than they opened with */
    long bad_debts, ticks, arbitrages, held_opens, remargins;
    long foreign; /* firings by a bracket that the book did not enter; must stay 0 */
};

struct brute_adl {
    double coins, usd, entry_usd, pnl_usd, score_sum;
    int64_t positions;
};

struct brute_force {
    const struct replay_params *params;
    const struct path *path;
    const struct book *book;
    struct brute_position *positions;
    size_t count;
    size_t opened; /* records of bars so far; they are in the order of bars */
    uint32_t rest_count;
    struct brute_holders holders[2];
    struct ledger ledger;
    struct impact_state impact[BOOK_VENUES_MAX]; /* one, or one per market */
    struct depth_state depth_state;
    struct funding_state funding;
    double depth;
    double exogenous_last, exogenous_mark;
    double last[BOOK_VENUES_MAX], mark[BOOK_VENUES_MAX]; /* per market */
    double reference_last, reference_mark;
    double previous; /* reference_last at the node before; NaN after a jump */
    bool feedback;
    int64_t now_ms, spent_ms, room_ms; /* spent, and to be spent, by generations of the node */
    double funding_linear, funding_inverse;
    size_t bar;
    double last_close, start_price;
    struct brute_shot *shots; /* of the last node */
    size_t shot_count, shot_capacity;
    bool adl_made[BOOK_VENUES_MAX][2];               /* rankings of the step */
    struct brute_adl adl[BOOK_VENUES_MAX][2][TIERS]; /* deleveraged in the step */
    double fund_usd[BOOK_VENUES_MAX], peak_usd[BOOK_VENUES_MAX];
    double fund_net_usd, bad_debt_usd, fees_usd;
    double market_maker_cash, deposits_usd, withdrawals_usd;
    struct brute_counts counts;
    double looked_at; /* triggers computed */
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

/* True while the position, or a rest of it, can still fire. */
bool brute_position_left(const struct brute_position *position);

/* Traders' equity at a mark price, position by position, plus the funds and fees, less bad debt,
   plus what others hold: constant on linear contracts. */
double brute_force_total_usd(const struct brute_force *self, double price);

#endif
