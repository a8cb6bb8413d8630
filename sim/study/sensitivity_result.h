/*
 * What a sensitivity study finds, as tables: sensitivity.csv of Sobol's indices or morris.csv of
 * elementary effects, and points.csv of what was evaluated, from which both can be made again.
 *
 * Rows or trajectories with a point that has no output (the price ran away, a number that is not
 * defined there) are left out: estimates pair all points of one.
 */
#ifndef LIQCASCADE_SIM_STUDY_SENSITIVITY_RESULT_H
#define LIQCASCADE_SIM_STUDY_SENSITIVITY_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/field.h"
#include "reports/table.h"
#include "sim/study/sensitivity.h"

/* sensitivity.csv: a row for each metric and factor. Estimates may lie a little outside of [0, 1];
   NaN: the metric does not vary. */
struct sensitivity_index {
    const char *metric, *factor;
    double s1, s1_lo, s1_hi, st, st_lo, st_hi;
    int64_t rows; /* behind it */
};
/* morris.csv: likewise, per unit of the unit cube: over the whole range of the factor. */
struct sensitivity_effect {
    const char *metric, *factor;
    double mu, mu_star, mu_star_lo, mu_star_hi, sigma;
    int64_t trajectories; /* behind it */
};
extern const struct field sensitivity_index_fields[];
extern const size_t sensitivity_index_field_count;
extern const struct field sensitivity_effect_fields[];
extern const size_t sensitivity_effect_field_count;

/* One of the metrics over the points behind its rows. */
struct sensitivity_metric {
    const char *name;
    double mean, variance; /* of f(A) and f(B); morris: of all points */
    size_t used;           /* rows or trajectories; the study has `groups` */
    /* Sobol: the sum of s1 over factors; below 1 by the share of interactions. */
    double first_sum, first_sum_lo, first_sum_hi;
};

/* Rows metric by metric, factors in the order of the model. Names are the model's. */
struct sensitivity_result {
    struct sensitivity_metric *metrics; /* plan.metric_count; owned */
    struct sensitivity_index *indices;  /* sobol: metrics x factors; owned */
    struct sensitivity_effect *effects; /* morris: metrics x factors; owned */
    size_t row_count;
};

/* All items must be done. ERROR_NUMERICAL: fewer than half of the rows or trajectories have a
   metric, or one too large to square; ERROR_IO: memory. On failure `out` needs no free. */
int sensitivity_result_make(const struct sensitivity *study, struct sensitivity_result *out,
                            struct error *err);
void sensitivity_result_free(struct sensitivity_result *self);
/* sensitivity.csv or morris.csv; borrows `self`. */
struct table sensitivity_result_table(const struct sensitivity_result *self);

/* points.csv: the value of every factor and the metrics at every point. */
struct sensitivity_points {
    struct field *fields; /* owned, as are their names */
    size_t field_count;
    char **names;
    size_t name_count;
    uint64_t *cells; /* a row is field_count cells of 8 bytes; owned */
    size_t row_count;
    char (*values)[SETTING_NUMBER_SIZE]; /* texts that cells point to; owned */
};
/* ERROR_IO: memory; then `out` needs no free. All items must be done. */
int sensitivity_points_make(const struct sensitivity *study, struct sensitivity_points *out,
                            struct error *err);
void sensitivity_points_free(struct sensitivity_points *self);
struct table sensitivity_points_table(const struct sensitivity_points *self);

#endif
