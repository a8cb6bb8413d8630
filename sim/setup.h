/*
 * From a scenario to what the engine takes: the market on one clock, the venues' brackets, the
 * path, and the parameters of book and replay. A setup is read once and shared by all runs of a
 * scenario, which differ in replicate and OI level.
 */
#ifndef LIQCASCADE_SIM_SETUP_H
#define LIQCASCADE_SIM_SETUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/market.h"
#include "datasets/positions.h"
#include "datasets/venue_tables.h"
#include "models/leverage.h"
#include "models/size.h"
#include "scenarios/scenario.h"
#include "sim/book.h"
#include "sim/made_path.h"
#include "sim/path.h"
#include "sim/replay.h"

struct setup_level {
    double usd;   /* asked for; NaN: as observed */
    double scale; /* of the observed OI, or of a given book */
};

/* The observed open interest. */
extern const struct setup_level setup_as_observed;

struct setup {
    const struct scenario *scenario; /* not owned */
    struct market market;
    bool market_borrowed;
    struct path path;              /* a made path's bars are each replicate's own: setup_path */
    struct price_path_params made; /* of a made path, with what was fitted */
    size_t bars, start_bar;
    struct venue_tables tables[SCENARIO_VENUES_MAX];
    struct brackets *brackets[SCENARIO_VENUES_MAX]; /* in force during the run; owned */
    struct book_venue venues[SCENARIO_VENUES_MAX];
    size_t venue_count;
    double believed_share; /* of the OI given: sum of share times reliability over the venues */
    struct positions positions; /* with book.positions_from */
    struct book_given *given;   /* the isolated ones; NULL without positions_from; owned */
    size_t given_count;
    struct book_account *accounts; /* the others; owned */
    double *funding_z;             /* per bar; owned; NULL without funding */
    double *depth_series;      /* per bar of the market: relative depth; owned; NULL: not asked */
    double reference_variance; /* of the warm-up, per millisecond */
    struct setup_level levels[SCENARIO_LEVELS_MAX];
    size_t level_count;            /* at least 1 */
    const struct market *venue_oi; /* what a command read of signals.venue_oi, for the manifest;
                                      NULL; not owned */
};

/* Reads everything that the scenario names. Errors of the readers (data, io), ERROR_SCENARIO where
   scenario and data do not fit. On failure `self` needs no free. */
int setup_init(struct setup *self, const struct scenario *scenario, struct error *err);
/* The same for a scenario whose data, time, symbol and path.model, path.at are those of `base`,
   whose market it borrows: `base` must outlive it. */
int setup_init_like(struct setup *self, const struct setup *base, const struct scenario *scenario,
                    struct error *err);
void setup_free(struct setup *self);

/* How leverage and sizes are drawn; sizes times `scale`. */
struct leverage_params setup_leverage(const struct scenario *scenario);
struct size_params setup_size(const struct scenario *scenario, double scale);

/* The path of a replicate, the same for every level. `out` is valid while `self` and `made` are;
   the caller frees `made`. Errors of made_path_init; then it needs no free. */
int setup_path(const struct setup *self, uint32_t replicate, struct made_path *made,
               struct path *out, struct error *err);
/* The book of a replicate at a level; with oi.scale_by: traders it is the same for every level. */
int setup_book(const struct setup *self, uint32_t replicate, const struct setup_level *level,
               struct book *book, struct error *err);
/* True when runs are closed loops over the observed path without the impact that an open-loop
   replay of the observed open interest finds in it. */
bool setup_counterfactual(const struct setup *self);
struct replay_params setup_replay(const struct setup *self, const struct setup_level *level);
/* Of what all levels have in common: the bars before start_bar, to be forked from. */
struct replay_params setup_replay_warm(const struct setup *self);

#endif
