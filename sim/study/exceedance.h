/*
 * Are quantile forecasts what they claim to be? Of a forecast of the p-quantile, a share 1 - p of
 * the observations is to lie above it (Kupiec 1995, Journal of Derivatives 3(2), 73-84), and
 * exceedances are not to come in clusters (Christoffersen 1998, International Economic Review
 * 39(4), 841-862). Both are likelihood ratios, held to chi squared of one degree of freedom; their
 * sum tests both together, with two.
 */
#ifndef LIQCASCADE_SIM_STUDY_EXCEEDANCE_H
#define LIQCASCADE_SIM_STUDY_EXCEEDANCE_H

#include <stddef.h>

struct exceedance {
    size_t count, exceeded;
    double share;      /* of exceedances */
    double kupiec;     /* likelihood ratio of the share */
    double kupiec_p;   /* chance of one as large */
    double clustering; /* likelihood ratio of independence; 0 where nothing can cluster */
    double clustering_p;
    double both_p;
};

/* `exceeded` is 0 or 1 per step, in order; `expected` the share that is to exceed, in (0, 1). Fewer
   than two steps: NaN. */
void exceedance_test(const unsigned char *exceeded, size_t count, double expected,
                     struct exceedance *out);

#endif
