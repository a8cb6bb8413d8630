/*
 * Elementary effects (Morris 1991, Technometrics 33, 161-174): which of many factors matter, from
 * few points. Along a trajectory (scenarios/designs.h) each step moves one factor; its effect is
 * the change of the output over the change of the factor. Over trajectories, the mean `mu` of a
 * factor's effects says which way it works, their deviation `sigma` whether it works the same
 * everywhere or bends and interacts, and the mean of their size `mu_star` (Campolongo, Cariboni
 * and Saltelli 2007, Environmental Modelling & Software 22, 1509-1518) how much it matters, also
 * where effects of both signs cancel.
 */
#ifndef LIQCASCADE_SIM_STUDY_EFFECTS_H
#define LIQCASCADE_SIM_STUDY_EFFECTS_H

#include <stddef.h>

#include "base/error.h"
#include "sim/study/resample.h"

struct effects_factor {
    double mu, mu_star, sigma;        /* output per unit of the factor */
    double mu_star_low, mu_star_high; /* NaN without intervals */
};

/* Effects of `trajectories` x (factors + 1) points, trajectory by trajectory: `unit` has a row of
   `factors` coordinates for each, `outputs` a number. Intervals (`bootstrap` may be NULL) by
   resampling trajectories. ERROR_SCENARIO: no factors, fewer than 2 trajectories, a bootstrap out
   of range; ERROR_NUMERICAL: an output that is not finite, or a step that does not move one factor
   that had not moved before; ERROR_IO: memory. */
int effects_estimate(size_t factors, size_t trajectories, const double *unit, const double *outputs,
                     const struct resample_plan *bootstrap, struct effects_factor *out_factors,
                     struct error *err);

#endif
