/*
 * A scenario as a function of its uncertain parameters: the model of a sensitivity study. Factors
 * are uncertainty.parameters, a coordinate of one the quantile of its prior; outputs are the
 * numbers of the summary, replicate by replicate, missing where the price ran away.
 *
 *     struct uncertain uncertain;
 *     code = uncertain_init(&uncertain, path, sets, set_count, seed, &errors, err);
 *     struct sensitivity_model model = uncertain_model(&uncertain);
 *     struct sensitivity_plan plan = uncertain_plan(&uncertain);
 */
#ifndef LIQCASCADE_SIM_STUDY_UNCERTAIN_H
#define LIQCASCADE_SIM_STUDY_UNCERTAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"
#include "sim/study/evaluate.h"
#include "sim/study/sensitivity.h"

struct uncertain {
    struct evaluate evaluate;
    const char **factors; /* keys; owned, the texts are the scenario's */
    const char **outputs; /* owned, the texts are the summary's */
    size_t *metrics;      /* outputs that sensitivity.metrics names; owned */
    size_t factor_count, output_count;
};

/* Loads a scenario with uncertain parameters. Errors as of evaluate_init; ERROR_SCENARIO when it
   has none, more than Sobol's design takes, levels side by side, or a metric that is no number of
   the summary. On failure `self` needs no free. */
int uncertain_init(struct uncertain *self, const char *path, const char *const *sets,
                   size_t set_count, int64_t seed, struct error_list *errors, struct error *err);
void uncertain_free(struct uncertain *self);

/* As the scenario says; both borrow `self`. */
struct sensitivity_model uncertain_model(struct uncertain *self);
struct sensitivity_plan uncertain_plan(const struct uncertain *self);

/* SHA-256 (text) of all that the numbers at the study's points depend on: as evaluate_identity,
   without what is made of the numbers afterwards (metrics, resamples, level). */
int uncertain_identity(const struct uncertain *self, char out[SHA256_TEXT_SIZE], struct error *err);

/* How many books a full study of it makes. ERROR_IO: memory. */
int uncertain_books(const struct uncertain *self, const struct sensitivity *study,
                    size_t *out_books, struct error *err);

#endif
