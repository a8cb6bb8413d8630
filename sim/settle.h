/*
 * Settlement: what a forced order was filled at, who won and lost, and the accounts that must add
 * up. The position's margin covers it down to its bankruptcy price: of what the fill is better the
 * venue takes its fee and the insurance fund the rest, and the fund pays what it is worse. A fund
 * of limited size leaves the rest as bad debt, or has opposing positions deleveraged
 * (sim/deleverage.h).
 *
 * Conservation: traders' equity + fund + fees - bad debt + market makers' cash + withdrawals -
 * deposits is constant (linear contracts). Bad debt is a claim nobody pays, so it counts as money
 * that is missing.
 */
#ifndef LIQCASCADE_SIM_SETTLE_H
#define LIQCASCADE_SIM_SETTLE_H

#include <stddef.h>
#include <stdint.h>

#include "sim/ladder.h"
#include "sim/ledger.h"

struct settle_flow {
    double coins, usd; /* usd: at the fill */
    double traders;    /* how many identical traders of their size the positions stand for */
    int64_t positions; /* positions of the book, each counted at its first order */
};

struct settle_tally {
    struct settle_flow side[2];
    struct settle_flow tier[2][TIERS];
    struct settle_flow venue[BOOK_VENUES_MAX][2];
    double fund_gain_usd, fund_draw_usd, bad_debt_usd, fees_usd;
    double venue_gain_usd[BOOK_VENUES_MAX], venue_draw_usd[BOOK_VENUES_MAX];
    double venue_bad_debt_usd[BOOK_VENUES_MAX], venue_fees_usd[BOOK_VENUES_MAX];
    double venue_adl_usd[BOOK_VENUES_MAX]; /* closed by deleveraging, at its price */
    double backstop_coins[2]; /* of those above: taken over by the fund, so still open interest */
    double adl_coins[2];      /* closed by deleveraging on the winners' side */
    double adl_usd;
    double crossed_coins; /* legs of accounts closed against each other: no order on either side */
    int64_t partial_orders; /* that left a rest */
};

enum settle_fill {
    SETTLE_WALK, /* each order at the mean of the price before and after its own impact; open loop:
                    at the price at which the path crossed its trigger */
    SETTLE_FINAL /* all orders of a node at its final price; only where orders are for the whole */
};

struct settle {
    enum settle_fill fill;
    double fund_usd[BOOK_VENUES_MAX]; /* balance; INFINITY: unlimited */
    double peak_usd[BOOK_VENUES_MAX]; /* largest balance so far */
    struct settle_tally step;         /* since settle_begin_step */
    double market_maker_cash;
    double deposits_usd, withdrawals_usd; /* traders' */
};

/* A position under liquidation. */
struct settle_case {
    const struct ladder *ladder;
    struct ledger *ledger;
    const struct ladder_fired *position;
    int side_index;
    double entry_price;
    double coins; /* alive of it when it fired */
};

/* A cross-margined account under liquidation. */
struct settle_account {
    struct ledger *ledger;
    const struct book_account *account;
    double coins[2]; /* alive of each leg */
    double funding;  /* paid per coin since the run began */
};

/* Funds of `fund_usd` at the start, one per venue. */
void settle_init(struct settle *self, enum settle_fill fill, const double *fund_usd);
void settle_begin_step(struct settle *self);

/* What is left of the margin of `coins` at a fill, in quote currency; negative: a loss beyond it.
   Contracts of an inverse position are its coins at entry. */
double settle_remainder_usd(const struct settle_case *of, double coins, double fill);

/* What a fund may still pay before deleveraging begins at `drawdown` from its peak. */
double settle_fund_room(const struct settle *self, int venue, double drawdown);

/* Counts the position as liquidated, at its first order. */
void settle_count(struct settle *self, const struct settle_case *of);

/* An order that leaves nothing: `coins` filled, the remainder to fee and fund. */
void settle_order(struct settle *self, const struct settle_case *of, double coins, double fill,
                  double fee_rate);

/* An order that leaves a rest of the position with 1/leverage `rest_inverse_leverage`: the loss on
   `coins` and the fee have come out of the margin. */
void settle_part(struct settle *self, const struct settle_case *of, double coins, double fill,
                 double fee_rate, double rest_inverse_leverage);

/* The fund takes `coins` over at `fill`: they stay open interest, held without leverage. */
void settle_takeover(struct settle *self, const struct settle_case *of, double coins, double fill);

/* `coins` of a bankrupt position closed against a winner's at the bankruptcy price. */
void settle_bankrupt(struct settle *self, const struct settle_case *of, double coins,
                     double bankruptcy_price);
void settle_winner(struct settle *self, const struct settle_case *winner, double coins,
                   double bankruptcy_price);

/* Both legs of an account closed at `fill`: what their order does not take, or give, they close
   against each other. What is left of the wallet is for the fee on all that is closed, and for the
   fund; a loss beyond it is the fund's, or bad debt. Counts the account as liquidated, each leg as
   a position and a trader. */
void settle_account(struct settle *self, const struct settle_account *of, double fill,
                    double fee_rate);

void settle_add(struct settle_tally *sum, const struct settle_tally *tally);

#endif
