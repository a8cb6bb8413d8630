/*
 * Calibration: the parameters at which modelled liquidations are nearest to reported ones. The
 * distance is that of a simulated method of moments (McFadden 1989): the mean squared difference
 * between the logarithms of reported and expected flow, by side, per bar and per day, each horizon
 * with a weight and every asset alike (sim/study/flow_model.h). It is minimised by the simplex of
 * Nelder and Mead (GSL's nmsimplex2) from the best of a scrambled Sobol sequence within declared
 * bounds; parameters with a lower bound above 0 are searched in logarithms.
 *
 * Intervals are percentiles of a moving block bootstrap of days (Kuensch 1989; days of several
 * assets are drawn together). A resample is refitted by Gauss-Newton steps from the optimum along
 * the slopes that central differences give there (a k-step bootstrap, Davidson and MacKinnon
 * 1999), so it costs no further evaluations. Draws are widened as the mean of as many values as
 * there are blocks would be: by the t distribution and its degrees of freedom.
 *
 * Of a throttled feed the level of the model and the a of the observation are not identified
 * jointly: only what changes the shape of flow in time and between sides is.
 */
#ifndef LIQCASCADE_SIM_STUDY_CALIBRATE_H
#define LIQCASCADE_SIM_STUDY_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/progress.h"
#include "sim/study/flow_model.h"

#define CALIBRATE_RESAMPLES_MAX 10000

struct calibrate_parameter {
    const char *key; /* not owned */
    double low, high;
};

struct calibrate_plan {
    struct calibrate_parameter parameters[FLOW_PARAMETERS_MAX];
    size_t parameter_count;
    double weights[FLOW_HORIZONS];
    size_t starts;    /* simplexes */
    size_t resamples; /* 0: no intervals */
    double level;     /* of intervals */
    int64_t block_ms; /* of the bootstrap: whole days */
    uint64_t seed;
};

enum calibrate_bound { CALIBRATE_INSIDE, CALIBRATE_AT_LOW, CALIBRATE_AT_HIGH };

struct calibrate_fit {
    double theta[FLOW_PARAMETERS_MAX], low[FLOW_PARAMETERS_MAX], high[FLOW_PARAMETERS_MAX];
    int bound[FLOW_PARAMETERS_MAX]; /* enum calibrate_bound: within 1 % of the range of it */
    double distance;                /* at theta */
    struct flow_observation observation;
    bool observed[FLOW_HORIZONS]; /* whether the observation of a horizon was fitted */
    size_t evaluations, excluded; /* of them, those whose flow is no number: they are refuted */
    size_t parameter_count, draws;
    double *draw_theta;                        /* draws x parameters; owned */
    struct flow_observation *draw_observation; /* owned */
};

/* Evaluations that a calibration is expected to make, for progress. */
int64_t calibrate_evaluations(const struct calibrate_plan *plan);

/* Fits the rows. `progress` (started by the caller, may be NULL) counts evaluations. ERROR_DATA:
   fewer rows than parameters; ERROR_SCENARIO: bounds out of order, no parameters;
   ERROR_INTERRUPTED; errors of the assets' functions, ERROR_NUMERICAL only when every set of
   parameters gives it. On failure `self` needs no free. */
int calibrate_run(struct calibrate_fit *self, const struct calibrate_plan *plan,
                  struct flow_rows *rows, struct progress *progress, struct error *err);
void calibrate_fit_free(struct calibrate_fit *self);

/* Each row's weight in the distance: horizons by the plan, assets alike; sums to 1 over horizons
   with weight. */
void calibrate_weights(const struct calibrate_plan *plan, const struct flow_rows *rows,
                       double *out_weights);

/* The distance at logarithms of modelled flow; fills the observation that belongs to it. */
double calibrate_distance(const struct flow_rows *rows, const double *log, const double *weights,
                          struct flow_observation *out_observation);

#endif
