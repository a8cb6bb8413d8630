/*
 * The ledger: who holds the open interest. Long OI equals short OI in coins at every instant; a
 * trade opens, closes or transfers (reports/doc/models.md, "Ledger"). The ledger keeps,
 * per side and leverage tier, the coins alive and the sums that make equity known without a scan.
 *
 * Voluntary closing is a hazard: of every tier the part 1 - exp(-h * dH) closes, h the tier's
 * hazard (sim/tiers.h) and dH such that the side closes what it must. It thins weights (how many
 * traders a position stands for), never sizes. So a position that opened in bar b with share w of
 * its side's opens is worth  w * opened[b] * exp(-h * (H - H[b]))  coins, whatever its leverage
 * tier went through.
 */
#ifndef LIQCASCADE_SIM_LEDGER_H
#define LIQCASCADE_SIM_LEDGER_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sim/tiers.h"

/* Positions of a bar of which less than exp(-this) survives, even in the slowest tier, are gone. */
#define LEDGER_GONE 35.0

/* Sums over coins alive, in quote currency; linear contracts. */
struct ledger_sums {
    double coins;
    double entry_value;   /* coins * entry price */
    double margin;        /* isolated margin */
    double funding_value; /* coins * cumulative funding at opening */
};

struct ledger_side {
    double hazard; /* H: cumulative, of a tier with h = 1 */
    struct ledger_sums tier[TIERS];
    struct ledger_sums held; /* outside the book: see ledger_hold */
    double thinned[TIERS];   /* what the last ledger_thin left of each tier: exp(-h * dH), or 0 */
    double *opened;          /* per bar: coins; owned */
    double *hazard_then;     /* per bar: H; owned */
    size_t first_bar;        /* positions of bars before it are gone */
    size_t open_bars;        /* bars opened so far */
};

struct ledger {
    struct ledger_side side[2]; /* BOOK_LONG, BOOK_SHORT */
    double tier_hazard[TIERS];  /* h */
    size_t bars;
};

/* `hazard_exponent` as in models/leverage.h. ERROR_IO when memory is short. */
int ledger_init(struct ledger *self, size_t bars, double hazard_exponent, struct error *err);
void ledger_free(struct ledger *self);

/* Coins alive on a side. */
double ledger_total(const struct ledger *self, int side_index);

/* What a side opens in a bar, per coin opened: sums over its positions of share, share * e and
   share * e / L (e: entry over the opening price), by tier. */
struct ledger_opening {
    double share[TIERS], entry[TIERS], margin[TIERS];
};

/* `coins` open in a bar on one side at `price`; `funding` is the cumulative funding per coin.
   Returns their margin. */
double ledger_open(struct ledger *self, int side_index, size_t bar, double coins, double price,
                   double funding, const struct ledger_opening *opening);

/* `coins` held without leverage and outside the book: never liquidated, but counted, thinned (with
   the hazard of the lowest tier) and paid like the others. */
void ledger_hold(struct ledger *self, int side_index, double coins, double price, double funding);

/* Coins alive of a position of tier `tier` with `share` of bar `bar`. */
static inline double ledger_coins(const struct ledger *self, int side_index, size_t bar, int tier,
                                  double share)
{
    const struct ledger_side *side = &self->side[side_index];
    return share * side->opened[bar] *
           exp(self->tier_hazard[tier] * (side->hazard_then[bar] - side->hazard));
}

/* Takes `coins` of a position off a side, with its entry price, leverage and funding at opening. */
void ledger_remove(struct ledger *self, int side_index, double coins, double entry_price,
                   double leverage, double funding_at_open);

/* Voluntary closing of a side until `remaining` coins are alive. */
void ledger_thin(struct ledger *self, int side_index, double remaining);

/* Equity of a side in quote currency at price P and cumulative funding F per coin. */
double ledger_equity(const struct ledger *self, int side_index, double price, double funding);
/* Sum of coins times entry price of a side. */
double ledger_entry_value(const struct ledger *self, int side_index);

/* The flows of one step, in coins. */
struct ledger_flows {
    double opens[2];
    double closes[2];   /* voluntary */
    double replacement; /* forced closes beyond the fall of OI and the turnover that could hold
                           them: new opens that the observed OI forces on the model */
};

struct ledger_step {
    double oi;                  /* before the step, coins per side */
    double forced[2];           /* liquidated in the step, by side */
    bool observed;              /* OI change is given ... */
    double oi_change;           /* ... as this, coins */
    double turnover;            /* share of OI that closes and reopens in the step */
    double absorbed_by_closers; /* not observed: share of forced orders met by closing holders */
};

/* With an observed OI change dOI: opens = max(dOI + max(F_long, F_short), 0) + turnover * OI on
   both sides, closes of a side = opens - dOI - F_side. Without: forced orders are met by closers
   (OI falls) and by new openers, and turnover goes on in what is left. Never closes more than is
   alive: what is missing is opened and counted as replacement. */
struct ledger_flows ledger_flows(const struct ledger_step *step);

#endif
