/*
 * Market depth relative to its reference, pooled over venues, from earlier steps only.
 *     constant    d = 1
 *     volatility  ln d = -zeta * ln(sigma_t / sigma_ref), floor <= d <= 1 / floor
 * sigma_t^2 is an exponentially weighted mean of squared log returns per unit time, with the given
 * half-life, so depth recovers as volatility does. zeta = 1: own prior (depth at a fixed distance
 * falls about in proportion to volatility); floor 2 %: more than 90 % of depth was gone in the
 * worst minutes of October 10, 2025.
 */
#ifndef LIQCASCADE_MODELS_DEPTH_H
#define LIQCASCADE_MODELS_DEPTH_H

#include <stdint.h>

enum depth_kind { DEPTH_KIND_CONSTANT, DEPTH_KIND_VOLATILITY };

struct depth_params {
    enum depth_kind kind;
    double zeta, floor;
    int64_t half_life_ms;      /* of the variance */
    double reference_variance; /* per millisecond of squared log return: sigma_ref^2; <= 0: d = 1 */
};

struct depth_state {
    double variance; /* per millisecond */
};

/* Starts at the reference: d = 1. */
void depth_start(const struct depth_params *params, struct depth_state *state);
/* Takes in one finished step: its squared log range or return, over `step_ms`. */
void depth_observe(const struct depth_params *params, struct depth_state *state,
                   double squared_return, int64_t step_ms);
/* d for the coming step. */
double depth_relative(const struct depth_params *params, const struct depth_state *state);

#endif
