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
 *
 * With disposition (Odean 1998, "Are Investors Reluctant to Realize Their Losses?": gains are
 * realised 1.51 times as readily as losses) holders in profit close faster: the bars of a side lie
 * in zones of LEDGER_ZONE_LOG of log entry price, each zone with a hazard H of its own, which
 * advances by dH while the zone's middle is at a loss and by ratio * dH while it is in profit.
 * Without it there is one zone. Either way a closing costs nothing per position.
 */
#ifndef LIQCASCADE_SIM_LEDGER_H
#define LIQCASCADE_SIM_LEDGER_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sim/tiers.h"

/* Positions of a bar of which less than exp(-this) survives, even in the slowest tier, are gone. */
#define LEDGER_GONE 35.0

/* Zones of entry prices, as wide as this in log price: a loss of less than half of it may count as
   a gain, and a gain as a loss. */
#define LEDGER_ZONE_LOG 0.01
/* As many below as above the first entry; what lies beyond (a factor of 8e8) counts as the last. */
#define LEDGER_ZONES 4096

/* Sums over coins alive, in quote currency; linear contracts. */
struct ledger_sums {
    double coins;
    double entry_value;   /* coins * entry price */
    double margin;        /* isolated margin */
    double funding_value; /* coins * cumulative funding at opening */
};

struct ledger_zone {
    double middle; /* price */
    double hazard; /* H */
    size_t bars;   /* that lie in it and are not gone */
    struct ledger_sums tier[TIERS];
};

struct ledger_side {
    double hazard;                  /* H: cumulative, of a tier with h = 1; with zones, at a loss */
    struct ledger_sums tier[TIERS]; /* over all zones */
    struct ledger_sums held;        /* outside the book: see ledger_hold */
    double thinned[TIERS];          /* what the last ledger_thin left of each tier: exp(-h * dH), or
                                       0; with zones, their mean weighted by coins */
    double *opened;                 /* per bar: coins; owned */
    double *hazard_then;            /* per bar: H of its zone; owned */
    struct ledger_zone *zones;      /* NULL: one for all; owned */
    uint16_t *zone_of;              /* per bar, with zones; owned */
    double first_zone;              /* zone i begins at the log price (first_zone + i) * width */
    int zone_low, zone_end;         /* those ever used */
    size_t first_bar;               /* positions of bars before it are gone */
    size_t open_bars;               /* bars opened so far */
};

struct ledger {
    struct ledger_side side[2]; /* BOOK_LONG, BOOK_SHORT */
    double tier_hazard[TIERS];  /* h */
    double disposition_ratio;
    size_t bars;
};

/* How holders close by choice. */
struct ledger_params {
    double hazard_exponent;   /* as in models/leverage.h */
    double disposition_ratio; /* hazard of who is in profit over that of who is not; 0 or 1: pro
                                 rata */
};

/* ERROR_IO when memory is short. */
int ledger_init(struct ledger *self, size_t bars, const struct ledger_params *params,
                struct error *err);
void ledger_free(struct ledger *self);
/* A ledger of its own in the same state. Costs about the bars that are left. ERROR_IO when memory
   is short; then `self` needs no free. */
int ledger_copy(struct ledger *self, const struct ledger *from, struct error *err);
/* So many times the coins, and the money that is in them: more traders of the same kinds. */
void ledger_scale(struct ledger *self, double factor);

/* Coins alive on a side. */
double ledger_total(const struct ledger *self, int side_index);

/* What a side opens in a bar, per coin opened: sums over its positions of share, share * e and
   share * e / L (e: entry over the opening price), by tier. */
struct ledger_opening {
    double share[TIERS], entry[TIERS], margin[TIERS];
};

/* `coins` open in a bar on one side at `price`; `funding` is the cumulative funding per coin. Their
   zone is that of their mean entry price. Returns their margin. */
double ledger_open(struct ledger *self, int side_index, size_t bar, double coins, double price,
                   double funding, const struct ledger_opening *opening);

/* `coins` held without leverage and outside the book: never liquidated, but counted and paid like
   the others. A side that closes by choice closes the same part of them as of the whole side, so
   that they keep their share of it. */
void ledger_hold(struct ledger *self, int side_index, double coins, double price, double funding);

/* H of the positions that opened in a bar. */
static inline double ledger_hazard(const struct ledger *self, int side_index, size_t bar)
{
    const struct ledger_side *side = &self->side[side_index];
    return side->zones == NULL ? side->hazard : side->zones[side->zone_of[bar]].hazard;
}

/* Coins alive of a position of tier `tier` with `share` of bar `bar`. */
static inline double ledger_coins(const struct ledger *self, int side_index, size_t bar, int tier,
                                  double share)
{
    const struct ledger_side *side = &self->side[side_index];
    return share * side->opened[bar] *
           exp(self->tier_hazard[tier] *
               (side->hazard_then[bar] - ledger_hazard(self, side_index, bar)));
}

/* Takes `sums` of a position of tier `tier` that opened in bar `bar` off a side. */
void ledger_take(struct ledger *self, int side_index, size_t bar, int tier,
                 const struct ledger_sums *sums);

/* Voluntary closing of a side until `remaining` coins are alive; `price` tells who is in profit
   (not read with one zone). */
void ledger_thin(struct ledger *self, int side_index, double remaining, double price);

/* Of each tier of a side the first bar of which at least exp(-LEDGER_GONE) survives: who opened
   before it is gone. Bars go in their order, so with zones some stay longer. */
void ledger_gone(const struct ledger *self, int side_index, size_t out_first[TIERS]);

/* Equity of a side in quote currency at price P and cumulative funding F per coin. */
double ledger_equity(const struct ledger *self, int side_index, double price, double funding);
/* Sum of coins times entry price of a side. */
double ledger_entry_value(const struct ledger *self, int side_index);

/* The flows of one step, in coins. */
struct ledger_flows {
    double opens[2];
    double closes[2];   /* voluntary */
    double remargined;  /* part of the opens and of the closes of either side: see below */
    double replacement; /* forced closes beyond the fall of OI and the turnover that could hold
                           them: new opens that the observed OI forces on the model */
};

struct ledger_step {
    double oi;                  /* before the step, coins per side */
    double forced[2];           /* liquidated in the step, by side */
    bool observed;              /* OI change is given ... */
    double oi_change;           /* ... as this, coins */
    double turnover;            /* share of OI that closes and reopens in the step */
    double remargin;            /* share of OI whose holders add margin in the step */
    double absorbed_by_closers; /* not observed: share of forced orders met by closing holders */
};

/* What holders did by choice in a step of another run: coins opened, and the part of a side that
   closed of what was left of it. */
struct ledger_kept {
    double opens[2], close_share[2];
};

/* The flows of a step in which holders do the same again. The side that loses less to forced orders
   closes its share, and the other closes or opens what keeps long and short equal (more than it
   has: replacement). */
struct ledger_flows ledger_flows_kept(const struct ledger_step *step,
                                      const struct ledger_kept *kept);

/* With an observed OI change dOI: opens = max(dOI + max(F_long, F_short), 0) + turnover * OI on
   both sides, closes of a side = opens - dOI - F_side. Without: forced orders are met by closers
   (OI falls) and by new openers, and turnover goes on in what is left. Never closes more than is
   alive: what is missing is opened and counted as replacement.

   Holders who top up start afresh: remargin * OI more closes and opens at the present price on both
   sides, with the leverage it had, as far as both sides still have it. It leaves OI and the
   replacement alone. */
struct ledger_flows ledger_flows(const struct ledger_step *step);

#endif
