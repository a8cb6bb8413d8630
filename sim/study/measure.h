/*
 * What the runs of a variant come to: means of numbers of summary.csv over its replicates, and
 * whether a condition on a mean holds.
 *
 * A mean is over the replicates that have the number; where none has (nobody was liquidated, and a
 * share of it is asked for) the condition fails. A variant of which the price ran away in any
 * replicate has no answer: that is an error of its parameters and no state of the market.
 */
#ifndef LIQCASCADE_SIM_STUDY_MEASURE_H
#define LIQCASCADE_SIM_STUDY_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "scenarios/condition.h"
#include "sim/study/evaluate.h"
#include "sim/study/search.h"

enum { MEASURE_NUMBERS_MAX = 2 };

/* Index of a number (as of metrics_number_field); -1: there is none of that name. */
int measure_number(const char *name);
/* "; did you mean X?", or an empty text. Returns `buffer` (VALUE_HINT_SIZE). */
const char *measure_hint(const char *name, char *buffer);

struct measure_means {
    double mean[MEASURE_NUMBERS_MAX]; /* NaN: no replicate has it */
    bool ran_away;                    /* in some replicate; then all means are NaN */
};

/* Of runs whose numbers begin at numbers[replicate * stride]; `which` are `count` numbers. */
struct measure_means measure_means_of(const double *numbers, size_t replicates, size_t stride,
                                      const size_t *which, size_t count);

/* Whether a condition holds of a mean of these: enum search_answer. */
int measure_answer(const struct measure_means *self, const struct condition *when, double mean);

/* One variant; settings are not owned. */
struct measure_variant {
    const struct sweep_setting *settings;
    size_t count;
    struct measure_means means; /* filled */
};

/* Runs variants in every replicate. Variants that may share a book are best neighbours. Errors as
   of evaluate_items. */
int measure_variants(struct evaluate *evaluate, struct measure_variant *variants, size_t count,
                     const size_t *which, size_t which_count, struct error *err);

/* Into how many parts a search had better cut a pair whose ends are these two variants: many where
   they share a book, which takes longer to make than to run over; else 2. ERROR_IO: memory. */
int measure_parts(const struct evaluate *evaluate, const struct measure_variant *one,
                  const struct measure_variant *other, size_t *out_parts, struct error *err);

#endif
