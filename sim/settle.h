/*
 * Settlement: what a forced order was filled at, who won and lost, and the accounts that must add
 * up. The position's margin covers it down to its bankruptcy price: the insurance fund keeps what
 * the fill is better, and pays what it is worse. A fund of limited size leaves the rest as bad
 * debt.
 *
 * Conservation: traders' equity + fund - bad debt + market makers' cash + withdrawals - deposits is
 * constant (linear contracts). Bad debt is a claim nobody pays, so it counts as money that is
 * missing.
 */
#ifndef LIQCASCADE_SIM_SETTLE_H
#define LIQCASCADE_SIM_SETTLE_H

#include <stddef.h>
#include <stdint.h>

#include "sim/cascade.h"

struct settle_flow {
    double coins, usd; /* usd: at the fill */
    double traders;    /* how many identical traders of their size the positions stand for */
    int64_t positions; /* positions of the book */
};

struct settle_tally {
    struct settle_flow side[2];
    struct settle_flow tier[2][TIERS];
    struct settle_flow venue[BOOK_VENUES_MAX][2];
    double fund_gain_usd, fund_draw_usd, bad_debt_usd;
    double venue_gain_usd[BOOK_VENUES_MAX], venue_draw_usd[BOOK_VENUES_MAX];
};

enum settle_fill {
    SETTLE_WALK, /* each order at the mean of the price before and after its own impact; open loop:
                    at the price at which the path crossed its trigger */
    SETTLE_FINAL /* all orders of a node at its final price */
};

struct settle {
    enum settle_fill fill;
    double fund_usd[BOOK_VENUES_MAX]; /* balance; INFINITY: unlimited */
    struct settle_tally step;         /* since settle_begin_step */
    double market_maker_cash;
};

void settle_begin_step(struct settle *self);

/* Settles the shots of a node and takes them off the ledger. `previous_last` is the last price
   before the node when the path is continuous up to it, NaN after a jump (a bar's open, a shock).
 */
void settle_node(struct settle *self, const struct cascade *cascade, struct ledger *ledger,
                 double previous_last);

void settle_add(struct settle_tally *sum, const struct settle_tally *tally);

#endif
