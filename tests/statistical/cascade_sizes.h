/*
 * Sizes of cascades, sampled by firing the engine at random fields of levels: counts of positions
 * fired per cascade, for laws that closed forms give.
 */
#ifndef LIQCASCADE_TESTS_STATISTICAL_CASCADE_SIZES_H
#define LIQCASCADE_TESTS_STATISTICAL_CASCADE_SIZES_H

#include <stddef.h>
#include <stdint.h>

/* `levels` uniform on [0, 1], each moving the price by `push`, and a shock `shock`: counts of r
   fired over `replicates` fields into out_counts[0 .. levels]. */
void cascade_sizes_uniform(uint64_t seed, size_t replicates, size_t levels, double shock,
                           double push, int64_t *out_counts);

/* A Poisson field of levels of which a fired one pushes the price over `ratio` others on average.
   The first level is fired and the cascade runs; then the market moves to the next level left, and
   so on until `count` cascades: what lies beyond a cascade knows nothing of it, so all are alike.
   Their sizes go to out_sizes. */
void cascade_sizes_poisson(uint64_t seed, double ratio, size_t count, uint32_t *out_sizes);

/* The share of `replicates` fresh Poisson fields in which the first cascade fires at least `size`.
 */
double cascade_sizes_tail(uint64_t seed, double ratio, size_t replicates, size_t size);

#endif
