/*
 * Does a forecast of bad days hold? A series says of each step whether the outcome exceeded the
 * forecast quantile (1) or not (0); a forecast at rate p is exceeded p of the time, and exceedances
 * know nothing of one another. Three likelihood ratios:
 *
 * - unconditional (Kupiec 1995, Journal of Derivatives 3(2), 73-84): x exceedances in T steps,
 *   LR = 2 ln[(1 - x/T)^(T-x) (x/T)^x / ((1 - p)^(T-x) p^x)], chi-squared with 1 degree of freedom
 * - independence (Christoffersen 1998, International Economic Review 39(4), 841-862): the series as
 *   a Markov chain against independent draws of one rate, n_ij steps going from i to j; 1 degree
 * - conditional: both at once, LR = LR unconditional + LR independence; 2 degrees. The first counts
 *   every step, the second every pair of neighbours.
 *
 * Where a count is 0 the likelihood is its limit (0 ln 0 = 0): x = 0 gives LR = -2 T ln(1 - p),
 * x = T gives -2 T ln p, and a series that never enters or never leaves a state says nothing of
 * independence: LR = 0, p-value 1. The chi-squared law holds for long series; with few expected
 * exceedances it is a rough guide.
 *
 *     struct coverage_counts counts;
 *     struct coverage_test test;
 *     code = coverage_count(hits, steps, &counts, err);
 *     code = coverage_conditional(&counts, 0.01, &test, err);
 */
#ifndef LIQCASCADE_SIM_STUDY_COVERAGE_H
#define LIQCASCADE_SIM_STUDY_COVERAGE_H

#include <stddef.h>

#include "base/error.h"

struct coverage_counts {
    size_t steps;             /* T */
    size_t exceedances;       /* x */
    size_t transitions[2][2]; /* [from][to]; together T - 1 when counted from a series */
};

struct coverage_test {
    double ratio;   /* LR >= 0; inf is possible where rates come near 0 or 1 by rounding */
    double p_value; /* P(chi-squared > LR) */
    int degrees;    /* of freedom */
};

/* Counts a series of zeros and ones. ERROR_DATA: another number in it. An empty series counts
   nothing. */
int coverage_count(const unsigned char *hits, size_t steps, struct coverage_counts *out_counts,
                   struct error *err);

/* Unconditional coverage of `exceedances` in `steps` at a forecast `rate`. ERROR_SCENARIO: a rate
   outside of (0, 1); ERROR_DATA: no steps, or more exceedances than steps. */
int coverage_unconditional(size_t steps, size_t exceedances, double rate,
                           struct coverage_test *out_test, struct error *err);

/* Independence; needs only the transitions. Never fails. */
void coverage_independence(const struct coverage_counts *counts, struct coverage_test *out_test);

/* Conditional coverage; errors as of coverage_unconditional. */
int coverage_conditional(const struct coverage_counts *counts, double rate,
                         struct coverage_test *out_test, struct error *err);

#endif
