/*
 * The bootstrap of designs made of equal units (rows, trajectories) that hang together inside and
 * not with each other: whole units are drawn with replacement, and the percentiles of what the
 * resamples give are an interval.
 */
#ifndef LIQCASCADE_SIM_STUDY_RESAMPLE_H
#define LIQCASCADE_SIM_STUDY_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"

struct resample_plan {
    size_t resamples; /* at least 2; own prior: 1,000 for a level of .95 */
    double level;     /* of the interval, in (0, 1) */
    uint64_t seed;
};

/* ERROR_SCENARIO: out of range. */
int resample_check(const struct resample_plan *plan, struct error *err);

/* How often each of `units` (below 2^32) is in a resample: draw i is word i % 4 of the stream's
   block at (resample, i / 4). */
void resample_weights(const struct random_stream *stream, size_t resample, size_t units,
                      uint32_t *out_weights);

/* The interval of what `count` resamples gave, which it sorts: NaN when one gave nothing (NaN).
   Quantiles of type 7 of Hyndman and Fan (1996). */
void resample_interval(double *values, size_t count, double level, double *out_low,
                       double *out_high);

#endif
