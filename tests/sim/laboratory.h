/*
 * A market made for one question: a flat price, longs whose liquidation prices lie at given
 * distances below it, and a shock. Distances and displacements are in log price, as the impact is,
 * so closed forms hold without a correction for the curvature of the logarithm.
 */
#ifndef LIQCASCADE_TESTS_SIM_LABORATORY_H
#define LIQCASCADE_TESTS_SIM_LABORATORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/replay.h"

#define LABORATORY_STEP_MS INT64_C(60000)

struct laboratory_level {
    double distance_log; /* > 0, below the price */
    double coins;
};

struct laboratory {
    double price;
    struct market market;
    double prices[1];
    struct path path;
    struct brackets brackets;
    struct book_venue venue;
    struct book book;
    struct replay_params params; /* to be changed at will before a run */
};

struct laboratory_outcome {
    double displacement_log; /* of the last price at the end, downwards */
    double coins, usd;
    int64_t fired, generations;
    double fund_net_usd, bad_debt_usd;
    double branching_ratio; /* of the first step */
};

/* `count` longs over `bars` bars: linear impact of `lambda` per coin, permanent, in a closed loop;
   everything else as simple as it can be. Fails the running test when a part cannot be made. */
void laboratory_make(struct laboratory *self, double price, double maintenance_rate,
                     const struct laboratory_level *levels, size_t count, double lambda,
                     size_t bars);
/* The same with any given positions. */
void laboratory_make_given(struct laboratory *self, double price, double maintenance_rate,
                           const struct book_given *given, size_t count, double lambda,
                           size_t bars);
void laboratory_free(struct laboratory *self);

/* The price falls by `shock_log` within the first bar, or over `over_ms`, and every bar is walked.
   Long OI = short OI and the conservation of money are checked at every step. */
struct laboratory_outcome laboratory_run(struct laboratory *self, double shock_log,
                                         int64_t over_ms);

/* For a cascade driven by hand: a replay of the laboratory at reference depth. Fails the running
   test when it cannot be made. */
void laboratory_replay(struct laboratory *self, bool feedback, struct replay *out);
/* The market goes to `price`, the path having been at `previous` (NaN: it jumps there). Returns the
   number of orders, which are the cascade's shots. */
size_t laboratory_node(struct replay *replay, double price, double previous);

/* `count` levels for a density of coins per log price: cell k of [0, count) spans
   [start + k * width, start + (k + 1) * width), holds `coins(k)`, and its level lies `place` of the
   width into it. The caller frees the levels. */
struct laboratory_level *laboratory_cells(size_t count, double start, double width, double place,
                                          double (*coins)(size_t k, const void *context),
                                          const void *context);

#endif
