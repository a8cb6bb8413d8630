/*
 * Which factors a result depends on: Sobol's variance-based sensitivity indices. The first-order
 * index S1 is the share of the output's variance that a factor explains alone; the total index ST
 * the share that would be left if all other factors were known, so interactions count in it.
 *
 * The design is radial (Saltelli et al. 2010, Computer Physics Communications 181, 259-270): one
 * quasi-random sequence of twice the number of factors gives matrices A (first half of the columns)
 * and B (second half); AB_i is A with column i from B. Each of N rows is evaluated at A, B and
 * every AB_i: N (factors + 2) points. The sequence is Sobol's, scrambled (base/sobol.h), of at most
 * 40 dimensions and so 20 factors. N is best a power of two.
 *
 * The estimators are Jansen's (1999, Computer Physics Communications 117, 35-43), V the variance of
 * all f(A) and f(B):
 *
 *     ST_i = sum (f(A) - f(AB_i))^2 / (2 N V)    S1_i = 1 - sum (f(B) - f(AB_i))^2 / (2 N V)
 *
 * Points are numbers in the unit cube and outputs are numbers: what they mean is the caller's.
 *
 *     struct indices_design design;
 *     code = indices_design_init(&design, factors, 4096, seed, err);
 *     for (size_t i = 0; i < indices_design_points(&design); i++) {   // in any order, in parallel
 *         indices_design_point(&design, i, unit);
 *         outputs[i] = ... of unit ...;
 *     }
 *     code = indices_estimate(factors, 4096, outputs, &bootstrap, &result, err);
 */
#ifndef LIQCASCADE_SIM_STUDY_INDICES_H
#define LIQCASCADE_SIM_STUDY_INDICES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sobol.h"
#include "sim/study/resample.h"

#define INDICES_FACTORS_MAX (SOBOL_DIMENSIONS_MAX / 2)
#define INDICES_ROWS_MAX SOBOL_POINTS_MAX

struct indices_design {
    size_t factors, rows;
    double *unit; /* rows x 2 factors, in (0, 1): A's columns, then B's; owned */
};

/* The same seed gives the same points; a longer design starts with the rows of a shorter one.
   ERROR_SCENARIO: factors outside of 1 to INDICES_FACTORS_MAX, rows outside of 2 to
   INDICES_ROWS_MAX; ERROR_IO: memory. On failure `self` needs no free. */
int indices_design_init(struct indices_design *self, size_t factors, size_t rows, uint64_t seed,
                        struct error *err);
void indices_design_free(struct indices_design *self);

/* rows x (factors + 2). */
size_t indices_points(size_t factors, size_t rows);
size_t indices_design_points(const struct indices_design *self);
/* Point `index` into out_unit[0 .. factors): row index / (factors + 2), and of the row by
   index % (factors + 2): 0 A, 1 B, 2 + i AB_i. */
void indices_design_point(const struct indices_design *self, size_t index, double *out_unit);

struct indices_factor {
    double first, total; /* S1, ST; estimates may lie a little outside of [0, 1] */
    double first_low, first_high, total_low, total_high; /* NaN without intervals */
};

struct indices_result {
    double mean, variance;                           /* of f(A) and f(B) together */
    double first_sum, first_sum_low, first_sum_high; /* of S1 over factors */
    struct indices_factor factor[INDICES_FACTORS_MAX];
};

/* Indices from the outputs at all points, in the order of the design. Intervals (`bootstrap` may be
   NULL) by resampling rows with replacement, all points of a row together (Archer, Saltelli and
   Sobol 1997, Journal of Statistical Computation and Simulation 58, 99-120): percentiles of the
   resampled indices. Rows are treated as independent; those of a scrambled sequence are better than
   that, so intervals are rather too wide.

   An output that never changes has no variance to share: `variance` is 0 and indices are NaN, no
   error; likewise an interval is NaN where a resample holds no variance. ERROR_NUMERICAL: an output
   that is not finite, or so large that its square is not; ERROR_SCENARIO: sizes outside of those of
   a design, a bootstrap out of range; ERROR_IO: memory. */
int indices_estimate(size_t factors, size_t rows, const double *outputs,
                     const struct resample_plan *bootstrap, struct indices_result *out_result,
                     struct error *err);

#endif
