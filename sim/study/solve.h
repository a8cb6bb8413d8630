/*
 * Reverse stress: the smallest change of one key, going from one value towards another, at which a
 * condition on a number of summary.csv begins to hold. For each draw of the scenario's
 * `uncertainty` (one without) the mean over its replicates is looked at along the range, and the
 * first pair of neighbours between which the condition begins to hold is narrowed
 * (sim/study/search.h); then quantiles over draws. Draws and replicates are the same at every
 * value. A sweep in the scenario is left out.
 *
 * The answer of a draw is a value that was looked at: a run there fulfils the condition.
 */
#ifndef LIQCASCADE_SIM_STUDY_SOLVE_H
#define LIQCASCADE_SIM_STUDY_SOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/field.h"
#include "scenarios/sweep_points.h"
#include "sim/study/evaluate.h"
#include "sim/study/question.h"
#include "sim/study/search.h"

/* solve.csv: each draw, then their mean, then their quantiles. Durations are in milliseconds. */
struct solve_row {
    int64_t draw;        /* from 1; 0: of all draws */
    double quantile;     /* NaN: of one draw, or the mean */
    char *status;        /* of one draw: search_status_name; else NULL; not owned */
    double value;        /* the first at which it holds; NaN: none */
    double below, above; /* SEARCH_MISSING: the last with an answer and the first without */
    double metric_below; /* mean over replicates there; relative: over that at the start */
    double metric_above;
    double crossings, ends; /* along the values looked at first; NaN over draws */
    double at_start_share, never_share, missing_share; /* of draws; NaN for one draw */
    int64_t draws;
};
extern const struct field solve_fields[];
extern const size_t solve_field_count;

/* probes.csv: all that was looked at, in this order. */
struct solve_probe {
    int64_t draw; /* from 1 */
    double value;
    double metric; /* as metric_below */
    char *answer;  /* holds, fails, missing; not owned */
};
extern const struct field solve_probe_fields[];
extern const size_t solve_probe_field_count;

struct solve {
    struct question question;
    struct evaluate evaluate; /* at the beginning of the range */
    struct sweep_points points;
    struct search *searches; /* per draw; owned */
    double *bases;           /* per draw: the metric at the start of the range; owned */
    struct solve_row *rows;  /* owned */
    size_t row_count;
    struct solve_probe *probes; /* owned */
    size_t probe_count, probe_capacity;
    const char **sets; /* those of the caller and the key's; owned */
    char *set;         /* the key at the beginning of the range; owned */
};

/* Loads the scenario and its data. `path` and `sets` ("key=value") must outlive `self`. Errors as
   of evaluate_init; ERROR_SCENARIO when what it asks for does not go with the question. On failure
   `self` needs no free. */
int solve_init(struct solve *self, const struct question *question, const char *path,
               const char *const *sets, size_t set_count, int64_t seed, struct error_list *errors,
               struct error *err);
/* Fills rows and probes. Errors as of evaluate_items. */
int solve_run(struct solve *self, struct error *err);
void solve_free(struct solve *self);

/* How many draws ended so. */
size_t solve_count(const struct solve *self, enum search_status status);

#endif
