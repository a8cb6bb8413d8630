/*
 * The cohort evaluation of the open-loop replay: what sim/replay.h gives as the number of positions
 * per bar goes to infinity, at a small part of its cost. For fits that evaluate a scenario
 * thousands of times with other numbers.
 *
 * In an open loop the price is where the path puts it, so which part of those who opened in bar b
 * with a given leverage is liquidated in bar t depends on the path alone: not on how leverage is
 * distributed, on how many opened or on how fast they close. A cohort is all that opens on one side
 * in one bar. Its mass lies in *columns*, bins of the liquidation price over the opening price by
 * leverage tier. cohort_init walks the path once and keeps, for every cohort and every bar that
 * reaches farther than all since it opened, the part of each column that fires then: entries spread
 * over the bar as models/entry.h says, funding moves the levels, an entry that the bar's close
 * would have liquidated is made at the close. An evaluation then computes the columns' weights from
 * the leverage distribution and walks the bars:
 *
 *     forced(t) = sum over cohorts b, columns c of
 *                 opened(b) * weight(c, b) * fires(b, c, t) * exp(-h(c) * (H(t) - H(b)))
 *
 * with opens, closes and hazards from sim/ledger.h itself.
 *
 * An evaluation costs what fires, which grows with the bars and with how many of them a cohort
 * lives to see: for hours this is a small part of a run, for minutes as much as one of 20 positions
 * a bar.
 *
 * What is approximate, next to the engine with many positions:
 *   - columns are COHORT_COLUMN_RATIO wide in distance from the entry, sizes are a few quadrature
 *     nodes per bracket: both converge (struct cohort_detail), and leave the flow of hourly bars
 *     0.02 to 0.04 % from where they converge to (tests/sim/test_cohort.c);
 *   - a position stays in the bracket that it would be liquidated in without funding, and funding
 *     moves trigger prices by its sum per coin, not by 1 / (1 - s * MMR) of it;
 *   - inverse contracts: funding moves trigger prices to first order;
 *   - liquidations are whole closes, with an order for all of them. Where a venue closes in parts
 *     or takes positions over (`whole_closes` below), more is liquidated than in the engine (by
 *     Hyperliquid's rules, over BTC's July and August 2024 in hours, 7 to 8 % more).
 * What it does not represent is refused by cohort_check.
 *
 *     struct cohort cohort;
 *     struct cohort_work work;
 *     struct cohort_params params = cohort_params_of(&setup, &setup.levels[0]);
 *     cohort_init(&cohort, &setup, NULL, &err);
 *     cohort_work_init(&work, &cohort, &err);
 *     params.leverage.alpha = 1.1;
 *     cohort_run(&work, &params, &(struct cohort_out){.forced = {longs, shorts}}, &err);
 */
#ifndef LIQCASCADE_SIM_COHORT_H
#define LIQCASCADE_SIM_COHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "models/leverage.h"
#include "sim/setup.h"
#include "sim/tiers.h"

/* The numbers that may change from one evaluation to the next. */
struct cohort_params {
    struct leverage_params leverage; /* of the stock; `maximum` above 0 bounds it besides the
                                        venues, `side` is not read; `hazard_exponent` holds for
                                        opens and closes, as in a scenario */
    double crowd_tilt;
    double hedged_short_share; /* in [0, 1] */
    double hedged_leverage[2]; /* log-uniform between; both at least 1, rising */
    double turnover_per_hour;
    double remargin_per_hour;
    double disposition_ratio; /* 0 or 1: pro rata, which is faster to evaluate */
    double absorbed_by_closers;
    double oi_share; /* of the observed OI: struct setup's believed_share */
    double oi_scale; /* of that, from the start on */
    bool frozen;     /* from the start on OI changes by forced orders only */
};

/* How fine the quadratures are. */
struct cohort_detail {
    double column_ratio; /* width of a column over its distance from the entry */
    int size_nodes;      /* per bracket */
};
#define COHORT_COLUMN_RATIO 0.04
#define COHORT_SIZE_NODES 4

struct cohort_table; /* what cohort_init computes; internal to sim/cohort*.c */

/* What all evaluations over one path have in common: immutable after cohort_init and shared by
   threads, each with its own work. */
struct cohort {
    const struct setup *setup;  /* not owned */
    size_t bars, start_bar;     /* bars from the beginning of the warm-up on */
    int64_t start_ms, step_ms;  /* of bar 0 */
    bool whole_closes;          /* some venue closes positions in parts or takes them over */
    struct cohort_table *table; /* owned */
};

/* ERROR_SCENARIO with the key where the scenario asks for what cohorts cannot represent: a path
   that is not observed, given positions, modelled funding, sizes scaled with open interest,
   insurance funds that can end with deleveraging after them. Feedback, impact, depth and fills have
   no part in an open loop and are not looked at. */
int cohort_check(const struct setup *setup, struct error *err);

/* The scenario's own numbers at a level of open interest (&setup_as_observed: the observed one). */
struct cohort_params cohort_params_of(const struct setup *setup, const struct setup_level *level);

/* `setup` must outlive `self`; `detail` NULL: the constants above. Two months of hourly bars take
   0.1 s and 5 MB; a month of minutes 12 s and 800 MB, twice that while they are made. Errors of
   cohort_check, ERROR_IO (memory), ERROR_INTERRUPTED; then `self` needs no free. */
int cohort_init(struct cohort *self, const struct setup *setup, const struct cohort_detail *detail,
                struct error *err);
void cohort_free(struct cohort *self);

/* What one thread needs for its evaluations; they allocate nothing. */
struct cohort_work {
    const struct cohort *cohort; /* not owned */
    struct cohort_state *state;  /* owned; internal */
};
int cohort_work_init(struct cohort_work *self, const struct cohort *cohort, struct error *err);
void cohort_work_free(struct cohort_work *self);

/* Arrays of the caller, each NULL or of cohort.bars values (from the warm-up on: the measured ones
   begin at start_bar), in coins, by side BOOK_LONG, BOOK_SHORT. */
struct cohort_out {
    double *forced[2];
    double *forced_tiers[2]; /* bars * TIERS: bar t, tier i at t * TIERS + i */
    double *oi;              /* of either side, at the bar's end */
    double *opens[2], *closes[2];
    double *replacement;
};

/* One evaluation: the same bytes whenever and in whichever thread. ERROR_SCENARIO for numbers that
   make no leverage distribution (models/leverage.h); ERROR_NUMERICAL when long OI is not short
   OI. */
int cohort_run(struct cohort_work *self, const struct cohort_params *params,
               const struct cohort_out *out, struct error *err);

#endif
