/*
 * Compares what runs come to at two points of a sweep, pair by pair: both runs of a pair are under
 * the same draw in the same replicate and use the same random numbers, so that what the pairs have
 * in common drops out of the difference (Law, Simulation Modeling and Analysis, 5th edition, 2015,
 * sections 10.2 and 11.2: paired differences under common random numbers).
 */
#ifndef LIQCASCADE_SIM_STUDY_COMPARE_H
#define LIQCASCADE_SIM_STUDY_COMPARE_H

#include <stddef.h>

#include "reports/bands.h"

struct compare {
    struct bands bands;  /* of the differences: value minus reference */
    double share_above;  /* of the n differences, those above 0; NaN when n is 0 */
    double ratio_median; /* of value / reference where that is above 0; NaN: nowhere */
};

/* What is compared, by draw * replicates + replicate, and over what; nothing is owned. */
struct compare_runs {
    const double *values, *reference;
    size_t draws, replicates;
    enum bands_over over;
};

/* Doubles of working room. */
#define COMPARE_ROOM(draws, replicates) (5 * (draws) * (replicates))

/* Compares values with the reference's. A pair of which one is
   missing (NaN) is missing. Pairs are first brought to what bands span (bands_span), so that
   everything is over draws, over replicates, or over every pair. out_quantiles[i] is the quantile
   of the differences at probabilities[i]. */
void compare_pairs(const struct compare_runs *runs, const double *probabilities,
                   size_t probability_count, double *room, struct compare *out,
                   double *out_quantiles);

#endif
