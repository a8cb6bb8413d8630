/*
 * Designs of experiments in the unit cube, addressed by a seed: Latin hypercubes and Morris's
 * trajectories. (Sobol's sequence is base/sobol.h.) What a coordinate means is the caller's.
 */
#ifndef LIQCASCADE_SCENARIOS_DESIGNS_H
#define LIQCASCADE_SCENARIOS_DESIGNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A Latin hypercube (McKay, Beckman and Conover 1979, Technometrics 21, 239-245): each axis is cut
   into as many equal parts as there are points, and each part holds one point, at random in it.
   out_unit is points x axes, in (0, 1). An axis is the same whatever others there are.
   ERROR_SCENARIO: no points, or 2^32 and more; ERROR_IO: memory. */
int designs_latin(size_t points, size_t axes, uint64_t seed, double *out_unit, struct error *err);

/* Morris's trajectories (1991, Technometrics 33, 161-174) on DESIGNS_MORRIS_LEVELS levels 0, 1/3,
   2/3, 1: from a random point of the grid, each step moves one axis by DESIGNS_MORRIS_DELTA up or
   down, every axis once and in random order. out_unit is designs_morris_points x axes; point
   t (axes + 1) + k is the k-th of trajectory t. Four levels and their step, p / (2 (p - 1)), which
   makes all levels equally likely, are Morris's own choice. Errors as above. */
#define DESIGNS_MORRIS_LEVELS 4
#define DESIGNS_MORRIS_DELTA (2.0 / 3.0)
size_t designs_morris_points(size_t trajectories, size_t axes);
int designs_morris(size_t trajectories, size_t axes, uint64_t seed, double *out_unit,
                   struct error *err);

#endif
