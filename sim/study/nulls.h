/*
 * What would one foretell of liquidations who knows neither levels nor leverage? Open interest (or
 * volume) and how far the price went against a side:
 *
 *     flow = scale * OI * MAE^p        flow = scale * volume * MAE^p
 *
 * MAE is the largest adverse excursion of the bar from its open: of longs ln(open / low), of shorts
 * ln(high / open). Scale and p are one for both sides, found by least squares of logarithms,
 * ln(flow / OI) = ln scale + p ln MAE, over the bars of training; so the prediction is a median.
 *
 * Whether a model adds to that is told by a regression of the logarithm of observed flow on those
 * of the nulls, without and with the model's prediction beside them: fitted on training, held to
 * what is scored.
 *
 * Zeros: flow, MAE and predictions below a floor count as the floor, in fits and in predictions.
 * Bars without known and positive open interest (or volume) are in no fit, and their prediction is
 * NaN. A bar outside of training is never read by a fit: it may hold anything.
 *
 * Null models: section 5 of models.md in the project's specification, whose p is fitted.
 */
#ifndef LIQCASCADE_SIM_STUDY_NULLS_H
#define LIQCASCADE_SIM_STUDY_NULLS_H

#include <stddef.h>

#include "base/error.h"

#define NULLS_PREDICTORS_MAX 6

enum nulls_side { NULLS_LONGS, NULLS_SHORTS, NULLS_SIDES };
enum nulls_base { NULLS_OI, NULLS_VOLUME };

/* Arrays of `count`, not owned. NaN: not known. */
struct nulls_bars {
    size_t count;
    const double *open, *high, *low;
    const double *oi;                /* at the start of the bar, in any unit */
    const double *volume;            /* of the bar; NULL: none */
    const double *flow[NULLS_SIDES]; /* observed, in any unit */
};

/* Both above 0. */
struct nulls_floors {
    double flow;    /* in the unit of flow */
    double adverse; /* a log return; own prior: 1e-4 */
};

/* The bar's largest adverse excursion, at least 0. */
double nulls_adverse(enum nulls_side side, double open, double high, double low);

struct nulls_power {
    enum nulls_base base;
    double log_scale, power;
    double sigma; /* of the residual logarithms, over used - 2 */
    size_t used;  /* bars and sides */
};

/* Fits on bars where `training` is not 0. ERROR_SCENARIO: floors; ERROR_DATA: no volume, fewer than
   3 bars and sides, or no variation of MAE; ERROR_IO. */
int nulls_power_fit(const struct nulls_bars *bars, const unsigned char *training,
                    enum nulls_base base, const struct nulls_floors *floors,
                    struct nulls_power *out, struct error *err);

/* Of all bars, by side, in the unit of flow; needs no flow. Either output may be NULL. */
void nulls_power_predict(const struct nulls_power *self, const struct nulls_bars *bars,
                         const struct nulls_floors *floors, double *const out[NULLS_SIDES]);

/* Predictions by bar and side whose logarithms are regressors: a null's or a model's. */
struct nulls_predictor {
    const double *predicted[NULLS_SIDES]; /* not owned */
    double floor;                         /* above 0; in their unit */
};

struct nulls_regression {
    size_t predictors;
    double coefficients[NULLS_PREDICTORS_MAX + 1]; /* the constant first */
    double errors[NULLS_PREDICTORS_MAX + 1];       /* standard errors of independent residuals */
    double sigma;                                  /* of the residual logarithms */
    double r2;                                     /* in training */
    double mean;                                   /* of observed logarithms in training */
    size_t used;                                   /* bars and sides */
};

/* Ordinary least squares of ln flow on a constant and the logarithms of predictors, on bars where
   `training` is not 0; bars and sides with a NaN are left out. For two regressions to be of the
   same bars, mask those that one of them cannot use. ERROR_SCENARIO: floors, number of predictors;
   ERROR_DATA: fewer bars and sides than two more than predictors, or predictors that are linear in
   each other; ERROR_IO. */
int nulls_regression_fit(const double *const flow[NULLS_SIDES], size_t count,
                         const unsigned char *training, double flow_floor,
                         const struct nulls_predictor *predictors, size_t predictor_count,
                         struct nulls_regression *out, struct error *err);

/* exp of the fitted logarithm, of all bars; NaN where a predictor is. `predictors` in the order of
   the fit. */
void nulls_regression_predict(const struct nulls_regression *self, size_t count,
                              const struct nulls_predictor *predictors,
                              double *const out[NULLS_SIDES]);

#endif
