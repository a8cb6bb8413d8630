/*
 * Bands: quantiles and mean of the values that a number takes over draws of uncertain parameters,
 * over replicates, or over both. Missing values (NaN) are left out and counted. Results depend on
 * the values alone, not on their order: any number of threads or shards gives the same bytes.
 */
#ifndef LIQCASCADE_REPORTS_BANDS_H
#define LIQCASCADE_REPORTS_BANDS_H

#include <stddef.h>

/* What a band spans; in the order of the words of the key bands.over. */
enum bands_over {
    BANDS_DRAWS,      /* what is not known: each draw by its mean over replicates */
    BANDS_REPLICATES, /* chance: each replicate by its mean over draws */
    BANDS_BOTH        /* every run by itself */
};

struct bands {
    size_t n;       /* values that are there */
    size_t missing; /* NaN among those given */
    double mean;    /* NaN when n is 0 */
};

/* Sums up values[0 .. count), which it sorts, NaN last. out_quantiles[i] is the quantile at
   probabilities[i] in [0, 1], NaN when no value is there: type 7 of Hyndman and Fan (1996, The
   American Statistician 50, 361-365), linear between the order statistics at rank
   1 + (n - 1) p. */
void bands_of(double *values, size_t count, const double *probabilities, size_t probability_count,
              struct bands *out, double *out_quantiles);

/* The quantile at one probability of sorted[0 .. count), without NaN; NaN when count is 0. */
double bands_quantile(const double *sorted, size_t count, double probability);

/* The numbers that a band spans, from values[draw * replicates + replicate], into `out` (room for
   draws x replicates). A mean is over the values that are there, NaN when none is. Returns how
   many. */
size_t bands_span(const double *values, size_t draws, size_t replicates, enum bands_over over,
                  double *out);

#endif
