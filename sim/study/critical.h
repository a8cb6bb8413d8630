/*
 * Critical values of a sweep: where, along one axis of a grid, a condition begins to hold. Size is
 * not monotone in open interest, so a critical value is the first pair of neighbours on the grid
 * between which the condition turns from not holding to holding, bisected: for each draw (the mean
 * over its replicates is looked at), and for each combination of the other axes; then quantiles
 * over draws. Beside it stands the branching ratio at both ends of the bracket. It is an assumption
 * about impact and depth as much as a result.
 *
 * A draw in which the condition holds at the first value already, never holds, or the price runs
 * away before it is seen to hold, has no critical value (sim/study/search.h, sim/study/measure.h).
 */
#ifndef LIQCASCADE_SIM_STUDY_CRITICAL_H
#define LIQCASCADE_SIM_STUDY_CRITICAL_H

#include "base/error.h"
#include "reports/table.h"
#include "sim/study/sweep.h"

struct critical_row {
    int64_t draw;        /* from 1; 0: of all draws */
    char *settings;      /* of the other axes, key=value with spaces between; owned */
    char *along;         /* borrowed from the scenario */
    double quantile;     /* NaN: of one draw, or the mean */
    double value;        /* in the middle of the bracket; NaN: the condition never begins to hold */
    double below, above; /* the bracket */
    double branching_below; /* branching_ratio_max at both, mean over replicates */
    double branching_above;
    double never_share; /* of draws without a critical value; NaN for one draw */
    int64_t draws;
    char *status; /* of one draw: search_status_name; else NULL; not owned */
};
extern const struct field critical_fields[];
extern const size_t critical_field_count;

struct critical {
    struct critical_row *rows; /* owned */
    size_t count, capacity;
};

/* Whether the sweep asks for critical values. */
bool critical_wanted(const struct sweep *sweep);
/* ERROR_SCENARIO when they cannot be had: no grid, no such axis or metric. */
int critical_check(const struct sweep *sweep, struct error *err);

/* Finds them in a sweep whose items are all done, with further runs for the bisection. Errors as of
   evaluate_items. On failure `out` needs no free. */
int critical_find(struct sweep *sweep, struct critical *out, struct error *err);
void critical_free(struct critical *self);

#endif
