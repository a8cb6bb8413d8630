/*
 * Episodes: stretches of steps whose forced flow exceeds a floor, ended by a quiet period. One row
 * of episodes.csv each.
 */
#ifndef LIQCASCADE_SIM_EPISODE_H
#define LIQCASCADE_SIM_EPISODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/field.h"
#include "sim/replay.h"

struct episode {
    int64_t run, episode;     /* both from 1 */
    int64_t start_ms, end_ms; /* [start, end) of the steps above the floor */
    int64_t duration_ms;
    double price_start, price_low, price_high, price_end;
    double oi_start_coins, oi_end_coins;
    double liquidated_usd, liquidated_long_usd, liquidated_short_usd, liquidated_coins;
    int64_t liquidated_positions;
    double long_share;
    double peak_step_usd;
    double exogenous_move, endogenous_move; /* log; from start to the price farthest from it */
    double amplification;
    double branching_ratio_max;
    int64_t generations_max;
    double insurance_draw_usd, bad_debt_usd;
};
extern const struct field episode_fields[];
extern const size_t episode_field_count;

struct episode_params {
    double floor_usd_per_min;
    int64_t quiet_ms;
    int64_t step_ms;
};

struct episodes {
    struct episode_params params;
    int64_t run;
    struct episode *items; /* owned */
    size_t count, capacity;
    bool open;                                /* the last item is still going on */
    int64_t last_loud_ms;                     /* end of its last step above the floor */
    double price_before, oi_before;           /* at the end of the step before */
    double start_exogenous, start_endogenous; /* log moves of the run when it began */
    double exogenous_before, endogenous_before;
    double extreme_log; /* of the open episode, from its start */
};

/* `oi_coins` and the first step's open price stand for the state before the first step. */
void episodes_init(struct episodes *self, const struct episode_params *params, int64_t run,
                   double oi_coins, double price);
void episodes_free(struct episodes *self);
/* Takes in the next measured step. ERROR_IO when memory is short. */
int episodes_step(struct episodes *self, const struct replay_step *step, struct error *err);

#endif
