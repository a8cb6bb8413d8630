/*
 * The ledger: who holds the open interest. Long OI equals short OI in coins at every instant; a
 * trade opens, closes or transfers (models.md, "Who holds the open interest"). The ledger keeps, per
 * side, the coins alive, the survival factor of voluntary closing (which thins every position alike,
 * in weight and never in size), and the sums that make the side's equity known without a scan.
 *
 * A position that opened in bar b with share w of its side's opens is worth
 *     w * opened[b] / survival_at_opening * survival_now     coins.
 */
#ifndef LIQCASCADE_SIM_LEDGER_H
#define LIQCASCADE_SIM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A position of which less than this part survives voluntary closing is gone: it cannot fire. */
#define LEDGER_GONE 0x1p-50

struct ledger_side {
    double coins;          /* alive, residual holders included */
    double survival;
    double *scale;         /* per bar: coins opened / survival then; owned */
    double *survival_then; /* per bar; owned */
    size_t first_bar;      /* whoever opened before it has all but closed (LEDGER_GONE) */
    size_t open_bars;      /* bars opened so far */
    /* Sums over the coins alive, quote currency; linear contracts. */
    double entry_value;    /* coins * entry price */
    double margin;         /* isolated margin */
    double funding_value;  /* coins * cumulative funding at opening */
};

struct ledger {
    struct ledger_side side[2]; /* BOOK_LONG, BOOK_SHORT */
    size_t bars;
};

int ledger_init(struct ledger *self, size_t bars, struct error *err);
void ledger_free(struct ledger *self);

/* `coins` open in a bar on one side. entry_sum and margin_sum as in struct book (per coin, over the
   opening price); funding is the cumulative funding per coin. */
void ledger_open(struct ledger *self, int side_index, size_t bar, double coins, double price,
                 double entry_sum, double margin_sum, double funding);

/* `coins` held without leverage and outside the book: never liquidated, but counted, thinned and
   paid like the others. */
void ledger_hold(struct ledger *self, int side_index, double coins, double price, double funding);

/* Coins alive of a position with `share` of bar `bar`. */
static inline double ledger_coins(const struct ledger *self, int side_index, size_t bar,
                                  double share)
{
    const struct ledger_side *side = &self->side[side_index];
    return share * side->scale[bar] * side->survival;
}

/* Takes `coins` of a position off a side, with its entry price, leverage and funding at opening. */
void ledger_remove(struct ledger *self, int side_index, double coins, double entry_price,
                   double leverage, double funding_at_open);

/* Voluntary closing: every position of the side keeps the same part, so that `remaining` coins of
   those alive remain. Returns what all `scale`s were multiplied by: 1, or now and then a power of two
   that keeps `survival` away from underflow, or 0 when nobody is left. */
double ledger_thin(struct ledger *self, int side_index, double remaining);

/* Equity of a side in quote currency at price P and cumulative funding F per coin. */
double ledger_equity(const struct ledger *self, int side_index, double price, double funding);

/* The flows of one step, in coins. */
struct ledger_flows {
    double opens[2];
    double closes[2];   /* voluntary */
    double replacement; /* forced closes beyond the fall of OI and the turnover that could hold them:
                           new opens that the observed OI forces on the model */
};

struct ledger_step {
    double oi;           /* before the step, coins per side */
    double forced[2];    /* liquidated in the step, by side */
    bool observed;       /* OI change is given ... */
    double oi_change;    /* ... as this, coins */
    double turnover;     /* share of OI that closes and reopens in the step */
    double absorbed_by_closers; /* not observed: share of forced orders met by closing holders */
};

/* With an observed OI change dOI: opens = max(dOI + max(F_long, F_short), 0) + turnover * OI on both
   sides, closes of a side = opens - dOI - F_side. Without: forced orders are met by closers (OI
   falls) and by new openers, and turnover goes on in what is left. Never closes more than is alive:
   what is missing is opened and counted as replacement. */
struct ledger_flows ledger_flows(const struct ledger_step *step);

#endif
