/*
 * The bootstrap behind a calibration's intervals (sim/study/calibrate.h): days are drawn in blocks,
 * and each resample is refitted along the slopes of the model's logarithms.
 */
#ifndef LIQCASCADE_SIM_STUDY_CALIBRATE_DRAWS_H
#define LIQCASCADE_SIM_STUDY_CALIBRATE_DRAWS_H

#include "sim/study/calibrate.h"

/* Fills draws and intervals of `fit`, whose optimum lies at `unit` of the unit cube; there `log`
   are the model's logarithms per row, and slope[p * rows + r] those of row r along coordinate p.
   ERROR_IO: memory. */
int calibrate_draws(struct calibrate_fit *fit, const struct calibrate_plan *plan,
                    const struct flow_rows *rows, const double *unit, const double *log,
                    const double *slope, const double *weights, struct error *err);

/* The value of a parameter at a place in (0, 1) of its range. */
double calibrate_value(const struct calibrate_parameter *parameter, double unit);

#endif
