/*
 * Sobol's sequence with Owen's nested uniform scrambling: points that fill the unit cube evenly, at
 * random as a whole. The sequence is GSL's (Bratley and Fox 1988, ACM TOMS 14, 88-100) with its
 * first point, the origin, which GSL leaves out and without which no power of two of points is a
 * net (Owen 2020, "On dropping the first Sobol' point"). Scrambling (Owen 1995, LNS 106, 299-317)
 * keeps the net's balance: of the first 2^m points, each of the 2^m equal parts of every axis holds
 * one. Each point is uniform in the cube.
 *
 * The points depend on the stream alone: a longer or wider design begins with a shorter or narrower
 * one.
 */
#ifndef LIQCASCADE_BASE_SOBOL_H
#define LIQCASCADE_BASE_SOBOL_H

#include <stddef.h>

#include "base/error.h"
#include "base/random.h"

#define SOBOL_DIMENSIONS_MAX 40
#define SOBOL_POINTS_MAX ((size_t)1 << 30) /* GSL's sequence has 30 bits */

/* Fills out_unit, points x dimensions, with numbers in (0, 1). The coins of the scrambling are the
   blocks of `stream` at (1 to 2^30, dimension). ERROR_SCENARIO: dimensions outside of 1 to
   SOBOL_DIMENSIONS_MAX, points outside of 1 to SOBOL_POINTS_MAX; ERROR_IO: memory. */
int sobol_scrambled(size_t points, size_t dimensions, const struct random_stream *stream,
                    double *out_unit, struct error *err);

#endif
