/*
 * The parts of the brute-force engine: records, prices, liquidation, deleveraging and the bounds of
 * the branching ratio. Internal to tests/sim/brute_*.c.
 */
#ifndef LIQCASCADE_TESTS_SIM_BRUTE_PARTS_H
#define LIQCASCADE_TESTS_SIM_BRUTE_PARTS_H

#include "tests/sim/brute_force.h"

/* A record under the bracket by which it would fire; no position: none. */
struct brute_candidate {
    struct brute_position *position;
    const struct brute_bracket *bracket;
    double price;
};

/* ---- records (brute_records.c) ---------------------------------------------------------- */

const struct margin_formula *brute_formula(const struct brute_force *self, int venue);
const struct brackets *brute_table(const struct brute_force *self,
                                   const struct brute_position *position);

void brute_make_records(struct brute_force *self, bool prices_given);
/* Exposes the positions of a bar. */
void brute_expose(struct brute_force *self, size_t bar, double price);
/* What a partial order for `share` of it leaves of a position becomes the record, in every bracket
   that could liquidate it. */
void brute_leave_rest(struct brute_force *self, struct brute_position *position,
                      const struct brute_bracket *fired, double share, double inverse_leverage);

/* Entry price over the opening price, and itself. */
double brute_relative_entry(const struct brute_force *self, const struct brute_position *position,
                            const struct brute_bracket *bracket);
double brute_entry(const struct brute_force *self, const struct brute_position *position,
                   const struct brute_bracket *bracket);
/* Paid per unit of size since the opening, by a long. */
double brute_funding_paid(const struct brute_force *self, const struct brute_position *position);
double brute_trigger(const struct brute_force *self, const struct brute_bracket *bracket);
/* Its share of what its bar opened, less what its tier's hazard closed and deleveraging took. */
double brute_coins(const struct brute_force *self, const struct brute_position *position);

/* ---- prices (brute_prices.c) ------------------------------------------------------------ */

int brute_markets(const struct brute_force *self);
int brute_market_of(const struct brute_force *self, int venue);
/* The state that a market's orders move, and the depth that they meet. */
int brute_state_of(const struct brute_force *self, int market);
double brute_depth_of(const struct brute_force *self, int market);
double brute_passthrough(const struct brute_force *self, int market);
/* Impact of the reference, in log price. */
double brute_impact(const struct brute_force *self);
void brute_place(struct brute_force *self, double last, double mark);
void brute_order(struct brute_force *self, int market, double coins);
/* The last price of a market after an order, which is not made. */
double brute_after_order(const struct brute_force *self, int market, double coins);
void brute_pass(struct brute_force *self, int64_t time_ms);

/* ---- liquidation (brute_liquidate.c) ---------------------------------------------------- */

/* Takes the position off; all that its venue's rule says. */
void brute_shoot(struct brute_force *self, const struct brute_candidate *next,
                 struct settle_tally *tally);
/* SETTLE_FINAL: settles what the node's shots ordered. */
void brute_settle_final(struct brute_force *self, struct settle_tally *tally);
/* Coins of a position leave the ledger with their part of the margin. */
void brute_take(struct brute_force *self, struct brute_position *position, double entry,
                double coins, double margin);
void brute_hold(struct brute_force *self, int side_index, double coins, double price);

/* ---- the rest --------------------------------------------------------------------------- */

/* Closes up to `need` coins of a venue's positions on a side at `price`; returns how many
   (brute_deleverage.c). */
double brute_deleverage(struct brute_force *self, int venue, int side_index, double need,
                        double price, struct settle_tally *tally);
/* Fires what a node reaches; returns the number of waves (brute_cascade.c). */
int brute_cascade(struct brute_force *self, double last, double mark, struct settle_tally *tally);
/* In an open loop: some level lay out of reach of the price without what fired from it on. */
bool brute_unreachable(const struct brute_force *self, const struct impact_state *before);
/* Fills branching_low and branching_high at a mark price (brute_branching.c). */
void brute_bound_branching(struct brute_force *self, double mark);

#endif
