/*
 * Market depth relative to its reference, pooled over venues, from earlier steps only.
 *     constant    d = 1
 *     volatility  ln d = -zeta * ln(sigma_t / sigma_ref), floor <= d <= 1 / floor
 *     series      d = the last observed depth over its mean, at least floor
 * sigma_t^2 is an exponentially weighted mean of squared log returns per unit time, with the given
 * half-life, so depth recovers as volatility does. zeta = 1: own prior (depth at a fixed distance
 * falls about in proportion to volatility); floor 2 %: more than 90 % of depth was gone in the
 * worst minutes of October 10, 2025.
 */
#ifndef LIQCASCADE_MODELS_DEPTH_H
#define LIQCASCADE_MODELS_DEPTH_H

#include <stdint.h>

enum depth_kind { DEPTH_KIND_CONSTANT, DEPTH_KIND_VOLATILITY, DEPTH_KIND_SERIES };

struct depth_model {
    const char *name;
    const char *documentation;
    const char *source;
    enum depth_kind kind;
};

extern const struct depth_model depth_models[];
extern const int depth_model_count;

/* "constant", "volatility", "series"; NULL when unknown. */
const struct depth_model *depth_find(const char *name);

struct depth_params {
    enum depth_kind kind;
    double zeta, floor;
    int64_t half_life_ms;      /* of the variance */
    double reference_variance; /* per millisecond of squared log return: sigma_ref^2; <= 0: d = 1 */
};

struct depth_state {
    double variance; /* per millisecond */
    double relative; /* series: as of the last observed value */
};

/* Starts at the reference: d = 1. */
void depth_start(const struct depth_params *params, struct depth_state *state);
/* Takes in one finished step: its squared log range or return, over `step_ms`. */
void depth_observe(const struct depth_params *params, struct depth_state *state,
                   double squared_return, int64_t step_ms);
/* Series: takes in the observed depth, over its mean, at the end of a finished step. NaN: nothing
   was observed, the last value stands. */
void depth_observe_series(const struct depth_params *params, struct depth_state *state,
                          double relative);
/* d for the coming step. */
double depth_relative(const struct depth_params *params, const struct depth_state *state);

#endif
