/*
 * Evaluates many variants of one scenario: each is the scenario with some keys set anew, in one
 * replicate, and gives the numbers of its summary. What variants have in common is made once: the
 * market, if no variant changes what is read; a book, for all variants that only change depth,
 * impact, feedback, shocks or how many traders there are; that book walked up to the start of
 * measuring, for those that act from there on only; the factual record, for counterfactuals that
 * only change the level of open interest.
 *
 * Random numbers are addressed by seed and replicate and never by the variant, so variants share
 * their draws (common random numbers), and the numbers are the same in whatever company, order and
 * number of threads a variant is evaluated.
 *
 * A variant whose price runs away (REPLAY_RUNAWAY in sim/replay.h) has no numbers: all are NaN.
 */
#ifndef LIQCASCADE_SIM_STUDY_EVALUATE_H
#define LIQCASCADE_SIM_STUDY_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "scenarios/scenario.h"
#include "scenarios/sweep_points.h"
#include "sim/setup.h"

/* One run. Neighbours in an array with the same `settings` are read once. */
struct evaluate_item {
    const struct sweep_setting *settings; /* not owned */
    size_t count;
    size_t replicate; /* below the scenario's replicates */
    double *numbers;  /* evaluate_numbers() of them; filled; not owned */
    bool done;
};

struct evaluate {
    const char *path;        /* scenario file; not owned */
    const char *const *sets; /* "key=value", before the items' own; not owned */
    size_t set_count;
    int64_t seed;             /* replaces the scenario's; < 0: none */
    struct scenario scenario; /* without items' settings */
    struct setup setup;       /* its market is shared */
    struct progress progress; /* counts runs; started by the caller */
};

/* How many numbers a run gives: those of metrics_number_field. */
size_t evaluate_numbers(void);

/* Loads the scenario and reads its data. Errors of scenario_load (listed in `errors`) and
   setup_init. On failure `self` needs no free. */
int evaluate_init(struct evaluate *self, const char *path, const char *const *sets,
                  size_t set_count, int64_t seed, struct error_list *errors, struct error *err);
void evaluate_free(struct evaluate *self);

/* SHA-256 (text) of all that numbers depend on: the resolved scenario, the data that it names, the
   program, what numbers there are, and what `extra` (may be NULL) says. ERROR_IO. */
int evaluate_identity(const struct evaluate *self, const char *extra, char out[SHA256_TEXT_SIZE],
                      struct error *err);

/* Whether the numbers of a run are those of a price that ran away. */
bool evaluate_ran_away(const double *numbers);

/* Books that the items need: for plans. ERROR_IO when memory is short. */
int evaluate_books(const struct evaluate *self, const struct evaluate_item *items, size_t count,
                   size_t *out_books, struct error *err);

/* Called as soon as an item is done, one at a time, in no particular order; what it returns other
   than ERROR_NONE ends the evaluation: runs under way are finished, and no more are handed over. */
typedef int evaluate_done(void *context, const struct evaluate_item *item, struct error *err);

/* Fills the items' numbers. ERROR_INTERRUPTED: a signal came; runs under way are finished if the
   process is patient (base/interrupt.h), else given up; items that are done are whole. The first
   failure by order of the items is reported. */
int evaluate_items(struct evaluate *self, struct evaluate_item *items, size_t count,
                   evaluate_done *done, void *context, struct error *err);

#endif
