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
};

/* What a run is made of; nothing is owned. */
struct run_task {
    const struct setup *setup;
    const struct path *path;
    const struct book *book;
    const struct factual *factual; /* what a counterfactual starts from; else NULL */
    size_t level, replicate;
    struct progress *progress; /* counts bars; NULL: none */
};

/* Fills `out`, which run_one_free frees in any case. ERROR_INTERRUPTED, ERROR_NUMERICAL, ERROR_IO.
 */
int run_one(const struct run_task *task, struct run_one *out, struct error *err);
void run_one_free(struct run_one *self);

/* The replay that counterfactuals start from: the observed open interest, open loop. On failure
   `factual` needs no free. */
int run_one_factual(const struct setup *setup, const struct path *path, const struct book *book,
                    struct factual *factual, struct error *err);

#endif
