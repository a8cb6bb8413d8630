/*
 * A sweep: every point of a design, under every draw of what is uncertain, in every replicate, with
 * baselines beside them (scenarios/sweep_points.h says which points and draws there are). Draws and
 * replicates are the same at every point. Results are bands over draws and replicates, and critical
 * values: where along an axis a condition begins to hold.
 *
 * Work items are (point, draw, replicate), in this order; an item's payload is its numbers, by
 * baseline (sim/study/evaluate.h). Whoever keeps payloads (a journal, shards) need not know more.
 */
#ifndef LIQCASCADE_SIM_STUDY_SWEEP_H
#define LIQCASCADE_SIM_STUDY_SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "scenarios/sweep_points.h"
#include "sim/study/evaluate.h"

#define SWEEP_BASELINES_MAX 4

struct sweep {
    struct evaluate evaluate;
    struct sweep_points points;
    const char *baselines[SWEEP_BASELINES_MAX]; /* "model", then those asked for */
    size_t baseline_count;
    size_t numbers; /* of a run */
    size_t replicates;
    size_t payload; /* doubles of an item */
    size_t items;   /* points * draws * replicates */
    double *values; /* by item; owned */
    bool *done;     /* per item; owned */
};

/* Loads a scenario with a sweep. Errors as of evaluate_init; ERROR_SCENARIO when it has none, or
   what it asks for cannot be swept. On failure `self` needs no free. */
int sweep_init(struct sweep *self, const char *path, const char *const *sets, size_t set_count,
               int64_t seed, struct error_list *errors, struct error *err);
void sweep_free(struct sweep *self);

/* As evaluate_identity. */
int sweep_identity(const struct sweep *self, char out[SHA256_TEXT_SIZE], struct error *err);

/* Called with each item as it is done, one at a time. */
typedef int sweep_done(void *context, size_t item, const double *payload, struct error *err);

/* Computes the items for which `wanted` is true and that are not done. Errors as of evaluate_items;
   what is done by then stays. */
int sweep_run(struct sweep *self, const bool *wanted, sweep_done *done, void *context,
              struct error *err);

/* How many books a full run makes. */
int sweep_books(const struct sweep *self, size_t *out_books, struct error *err);

/* How many runs of the model (no baselines) that are done have no numbers: their price ran away. */
size_t sweep_ran_away(const struct sweep *self);

/* A number of a run that is done: evaluate_numbers()'s `number` of baseline `baseline`. */
double sweep_number(const struct sweep *self, size_t point, size_t draw, size_t replicate,
                    size_t baseline, size_t number);

#endif
