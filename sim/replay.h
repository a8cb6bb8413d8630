/*
 * Replay: walks a path bar by bar over one book and keeps the ledger. One step is
 *   1. the impact of earlier forced orders decays, depth follows past volatility,
 *   2. funding due at the bar's open is paid,
 *   3. the four prices of the bar are walked, each with its cascade and settlement,
 *   4. the ledger opens and closes; what opens is exposed from the next bar,
 *   5. the invariants are checked: long OI = short OI, money is conserved.
 *
 * Before `start_bar` a replay builds the book, open loop at the observed open interest with funds
 * that never end, whatever it is to measure then. At start_bar, before anything else of that bar,
 * the open interest is multiplied by `oi_scale` (all that is held, so that the mix stays), accounts
 * of money begin anew, funds are filled, impact is forgotten, and venues part whose prices are
 * their own, and of the book positions are let go that have all but closed (LEDGER_GONE). So
 * replays that differ in nothing else share what comes before: replay_fork.
 *
 * Feedback: `open` keeps the price where the path puts it, and its impact is reported as implied;
 * `naive` and `closed` move the price by the impact of forced orders from `feedback_bar` on. On an
 * observed path, which already holds that impact, this counts twice and is called naive; on a path
 * that the model makes (a shock), or without the impact that the replay found in it
 * (sim/factual.h), it is the closed loop.
 */
#ifndef LIQCASCADE_SIM_REPLAY_H
#define LIQCASCADE_SIM_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "models/depth.h"
#include "models/funding.h"
#include "models/impact.h"
#include "sim/accounts.h"
#include "sim/book.h"
#include "sim/cascade.h"
#include "sim/factual.h"
#include "sim/path.h"
#include "sim/settle.h"

#define REPLAY_NEVER SIZE_MAX
/* A price this many times away from its start is no price any more. */
#define REPLAY_RUNAWAY 1e6

struct replay_params {
    struct impact_params impact;
    struct depth_params depth;
    struct cascade_venue venue[BOOK_VENUES_MAX];
    double fund_usd[BOOK_VENUES_MAX];    /* at start_bar; INFINITY: unlimited */
    double depth_share[BOOK_VENUES_MAX]; /* of the pooled depth; sum to 1; with split */
    double passthrough[BOOK_VENUES_MAX]; /* share of a move that reaches the mark; with split */
    bool split;                          /* venues have prices of their own */
    int64_t arbitrage_half_life_ms; /* split: 0: impact is shared at once; CALENDAR_NONE: never */
    int64_t generation_ms;          /* clock between generations; 0: none */
    const double *depth_series;     /* per bar: relative depth; NULL: none; not owned */
    const double *index; /* per bar: index price at the close; NULL: the mark; not owned */
    struct funding_rule funding;
    size_t funding_bar; /* funding is made by the rule from this bar on; REPLAY_NEVER */
    /* Counterfactuals. An open-loop replay fills `record` (NULL: none); a closed one walks over
       `factual` (NULL: the path), with its opens times `factual_scale`, and starts each node from
       its forced orders times `start_scale` (0: from the exogenous price). */
    struct factual *record;
    const struct factual *factual;
    double factual_scale, start_scale;
    /* From these bars on, but not before start_bar; REPLAY_NEVER: */
    size_t feedback_bar; /* forced orders move the price */
    size_t frozen_bar;   /* OI changes by forced orders only */
    enum settle_fill fill;
    double mark_passthrough;
    double turnover_per_hour;
    double remargin_per_hour;
    double disposition_ratio; /* 1: pro rata */
    double hazard_exponent;   /* voluntary closing ~ leverage^this */
    double absorbed_by_closers;
    double oi_share;  /* of the observed OI, or of a given book's coins */
    double oi_scale;  /* of that, from start_bar on */
    size_t bars;      /* steps of the run */
    size_t start_bar; /* measured from here; REPLAY_NEVER: to be forked from */
    double branching_window_log;
};

/* One measured step: a row of steps.csv, and the stuff of episodes and summary. */
struct replay_step {
    int64_t time_ms;                                       /* start of the bar */
    double price_open, price_high, price_low, price_close; /* last, simulated */
    double mark_close;
    double exogenous_close; /* last price without the impact of forced orders */
    double exogenous_log;   /* since the run's start: log move of the exogenous price ... */
    double endogenous_log;  /* ... and of the impact of forced orders, at the close */
    double extreme_log;     /* largest |log move| of the price within the bar since the run's start,
                               signed ... */
    double extreme_endogenous_log;          /* ... and the impact's part of it */
    double oi_coins, oi_usd;                /* at the close; usd at mark */
    double opens_coins[2], closes_coins[2]; /* long, short */
    double replacement_coins, remargined_coins;
    double funding_rate;
    double premium; /* last over index (or mark), less 1, at the close */
    double
        utilisation; /* of a pool or by the premium; > 0: longs are dominant; NaN: no such rule */
    double reported_coins[2]; /* liquidations in the observed feed: long, short; NaN: none given */
    double depth_share;       /* relative depth of the step */
    double branching_ratio;   /* at the start of the step */
    int64_t generations;      /* largest of its nodes */
    double jump_coins;        /* ordered after the first wave of a node: largest of its nodes */
    bool unreachable;         /* open loop: see cascade_unreachable */
    struct settle_tally forced;
};

/* What `nearby` was laid out for; taken: it is there. */
struct replay_stock {
    bool taken;
    double low, high; /* mark prices of the bars from start_bar on */
    double window_log;
};

struct replay {
    const struct replay_params *params;
    const struct path *path;
    const struct book *book;
    struct ladder ladder;
    struct accounts accounts; /* of a book with some */
    struct ledger ledger;
    struct prices_params prices_params;
    struct prices prices;
    struct depth_state depth;
    struct funding_state funding;
    struct nearby nearby; /* kept from start_bar on */
    struct replay_stock stock;
    struct deleverage deleverage;
    struct cascade cascade;
    struct settle settle;
    int64_t node_ms;    /* time that generations of the last node took */
    size_t bar;         /* next to be walked */
    double last_close;  /* simulated, of the bar before */
    bool ran_away;      /* the price did; the step that it did in failed */
    double start_price; /* last price at the beginning of start_bar */
    double oi_start_coins;
    double fund_net_usd, bad_debt_usd, fees_usd; /* since start_bar; before it, since the first */
    double total_usd; /* conserved; NaN while it cannot be checked (inverse contracts) */
    /* Of each venue's last price since start_bar. */
    double venue_low[BOOK_VENUES_MAX], venue_high[BOOK_VENUES_MAX];
    double venue_gap_log[BOOK_VENUES_MAX]; /* largest distance from the reference */
};

/* `params`, `path` and `book` must outlive `self`. ERROR_IO when memory is short; then `self` needs
   no free. */
int replay_init(struct replay *self, const struct replay_params *params, const struct path *path,
                const struct book *book, struct error *err);
/* What replay_init with `params` would be after params->start_bar steps, bit for bit, at the price
   of a copy of what is left of the book. `from` has walked as many steps of the same bars over the
   same book with a start_bar of REPLAY_NEVER, and parameters that are the same but for impact,
   depth, funds and deleveraging, prices of venues, generation_ms, feedback, fill, levels, bars, and
   frozen_bar. It stays as it is, and may end before `self`. ERROR_IO when memory is short; then
   `self` needs no free. */
int replay_fork(struct replay *self, const struct replay_params *params, const struct path *path,
                const struct replay *from, struct error *err);
/* Lets go of what has all but closed, and counts what is near the market for runs of `bars` bars
   over `path` and somewhat beyond its prices, once for all forks whose prices keep within that and
   that ask for the same window; others count for themselves, to the same bytes. `self` is to be
   forked from here, and walked no more. ERROR_IO when memory is short. */
int replay_take_stock(struct replay *self, const struct path *path, size_t bars, double window_log,
                      struct error *err);
void replay_free(struct replay *self);

/* Walks the next bar and fills `out` (complete only from start_bar on: before it the branching
   ratio, reachability and extremes are not computed). ERROR_NUMERICAL when an invariant breaks, or
   the price runs away (`ran_away`). */
int replay_step(struct replay *self, struct replay_step *out, struct error *err);

#endif
