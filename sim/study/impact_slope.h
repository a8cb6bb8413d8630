/*
 * How far do forced orders move the price? An observed price y holds the impact c I of forced flow
 * Q, I that of models/impact.h for a reference move of 1. What is left, x = y - c I, is not to be
 * foretold by past forced flow: E[dx_t Q_(t-k)] = 0 for k = 1 to IMPACT_SLOPE_LAGS. With the sample
 * moments g_k of dy and h_k of dI, c = sum g_k h_k / sum h_k^2 (generalised method of moments with
 * equal weights). It lives on what impact does after the flow: without decay, or flow that hangs
 * together in time, nothing is told apart and the interval is wide.
 */
#ifndef LIQCASCADE_SIM_STUDY_IMPACT_SLOPE_H
#define LIQCASCADE_SIM_STUDY_IMPACT_SLOPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "models/impact.h"

#define IMPACT_SLOPE_LAGS 6 /* own prior */

/* Consecutive bars; nothing is owned. */
struct impact_slope_bars {
    size_t bars;
    int64_t step_ms;
    const double *close;   /* observed */
    const double *flow[2]; /* coins forced out: longs (sold), shorts (bought) */
    size_t block;          /* bars of a block of the bootstrap, e.g. those of a day; at least 1 */
};

struct impact_slope {
    double value, low, high; /* c: reference_move_log of the impact; NaN: no flow */
};

/* `params->reference_move_log` is not read. ERROR_DATA: fewer than two blocks or bars; ERROR_IO. */
int impact_slope_fit(const struct impact_slope_bars *bars, const struct impact_params *params,
                     size_t resamples, double level, uint64_t seed, struct impact_slope *out,
                     struct error *err);

#endif
