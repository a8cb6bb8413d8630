/*
 * One run: a replay of a setup over a book with everything that is measured of it. What many runs
 * share (a book, a path, the factual record) is made by whoever runs many: sim/run.h the levels and
 * replicates of a scenario, sim/study/ the points of a sweep.
 */
#ifndef LIQCASCADE_SIM_RUN_ONE_H
#define LIQCASCADE_SIM_RUN_ONE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/progress.h"
#include "sim/episode.h"
#include "sim/factual.h"
#include "sim/metrics.h"
#include "sim/setup.h"

/* What runs over one book have in common: the replay up to start_bar, from which each is forked. It
   depends on the book, on the bars of the path before start_bar, and of the parameters on those
   that sim/replay.h lists at replay_fork as to be the same. Stays where it is made. */
struct run_warm {
    struct replay replay;
    struct replay_params params;
};

/* `setup`, `path` and `book` must outlive `self`. ERROR_INTERRUPTED, ERROR_NUMERICAL, ERROR_IO;
   then `self` needs no free. */
int run_warm_init(struct run_warm *self, const struct setup *setup, const struct path *path,
                  const struct book *book, struct error *err);
/* The same; `progress` (NULL: none) counts bars. */
int run_warm_init_shown(struct run_warm *self, const struct setup *setup, const struct path *path,
                        const struct book *book, struct progress *progress, struct error *err);
void run_warm_free(struct run_warm *self);

/* What one run leaves. */
struct run_one {
    struct metrics metrics;
    struct metrics_step *steps; /* owned; NULL unless the scenario asks for them */
    size_t step_count;
    struct episodes episodes;
    struct metrics_positions positions; /* empty unless asked for */
    struct metrics_adls adls;           /* likewise */
    struct metrics_venue venues[2 * BOOK_VENUES_MAX];
    size_t venue_count;
    bool done;
    bool ran_away; /* not done, as the price did (struct replay) */
};

/* What a run is made of; nothing is owned. */
struct run_task {
    const struct setup *setup;
    const struct path *path;
    const struct run_warm *warm;   /* over the run's book */
    const struct factual *factual; /* what a counterfactual starts from; else NULL */
    size_t level, replicate;
    struct progress *progress; /* counts bars from start_bar on; NULL: none */
};

/* Fills `out`, which run_one_free frees in any case. ERROR_INTERRUPTED, ERROR_NUMERICAL, ERROR_IO.
 */
int run_one(const struct run_task *task, struct run_one *out, struct error *err);
void run_one_free(struct run_one *self);

/* The replay that counterfactuals start from: the observed open interest, open loop. On failure
   `factual` needs no free. */
int run_one_factual(const struct setup *setup, const struct path *path, const struct run_warm *warm,
                    struct factual *factual, struct error *err);

#endif
