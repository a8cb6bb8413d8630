/*
 * The policies `carry` and `interpolate`: values for cells and bars that are missing. Internal to
 * datasets/series.c.
 *
 * A missing bar is flat at the last close (carry), or moves linearly from the last close to the
 * next open (interpolate); nothing is traded or liquidated in it. Of a bar that lacks some cells,
 * the open is the last close, the close is filled by the policy, and the range holds both.
 */
#ifndef LIQCASCADE_DATASETS_SERIES_FILL_H
#define LIQCASCADE_DATASETS_SERIES_FILL_H

#include <stdint.h>

#include "base/error.h"
#include "datasets/quality.h"
#include "datasets/series_rows.h"

struct series_filling {
    enum quality_action action; /* QUALITY_CARRY or QUALITY_INTERPOLATE */
    int64_t step_ms;            /* of gaps */
    double gap_factor;
    const char *const *files; /* for messages */
};

/* Fills every NaN. ERROR_DATA with its line where there is no value to go by. */
int series_fill_holes(struct series_rows *rows, const struct series_filling *filling,
                      struct error *err);

/* Adds the `missing` rows in all gaps. ERROR_DATA when that is more than ten times the data. */
int series_fill_gaps(struct series_rows *rows, const struct series_filling *filling,
                     int64_t missing, struct error *err);

#endif
