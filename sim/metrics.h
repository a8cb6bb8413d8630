/*
 * Metrics of a run, taken in step by step: the rows of summary.csv, tiers.csv, venues.csv and
 * steps.csv with the tables that describe them.
 */
#ifndef LIQCASCADE_SIM_METRICS_H
#define LIQCASCADE_SIM_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/field.h"
#include "sim/replay.h"

/* What a run was: copied into its rows. */
struct metrics_run {
    int64_t run;       /* from 1 */
    int64_t replicate; /* from 0 */
    uint64_t seed;
    double oi_level_usd; /* that the scenario asks for; NaN: as observed */
};

struct metrics_summary {
    int64_t run, replicate;
    uint64_t seed;
    double oi_level_usd;
    int64_t start_ms, end_ms;
    int64_t positions;
    double oi_start_usd, oi_end_usd, oi_start_coins, oi_end_coins, oi_change_share;
    double price_start, price_low, price_high, price_end;
    double liquidated_usd, liquidated_long_usd, liquidated_short_usd;
    double liquidated_coins, liquidated_long_coins, liquidated_short_coins;
    int64_t liquidated_positions;
    double liquidated_traders;
    double liquidated_share_of_oi, long_share;
    double reported_coins, reported_long_share;
    double peak_step_usd, peak_hour_usd, peak_4h_usd, peak_24h_usd;
    int64_t peak_step_ms;
    double exogenous_move, endogenous_move, amplification, endogenous_share;
    double branching_ratio_max;
    int64_t generations_max, unreachable_steps;
    double jump_share_of_oi, path_gap_log;
    double replacement_share;
    double depth_share_min;
    double insurance_gain_usd, insurance_draw_usd, adl_usd, adl_coins, bad_debt_usd;
    double fees_usd, backstop_coins;
    int64_t partial_orders;
    double funding_paid_usd, funding_rate_min, funding_rate_max;
    int64_t funding_sign_changes;
    double utilisation_max;
    double venue_gap_log;
    int64_t episodes;
};
extern const struct field metrics_summary_fields[];
extern const size_t metrics_summary_field_count;

/* The numbers of a summary that are results, not what the run was asked for: i from 0 on; NULL
   beyond the last. Times are left out. */
const struct field *metrics_number_field(size_t i);
double metrics_number(const struct metrics_summary *summary, const struct field *field);

/* Field by field what struct replay_step says, without the parts by tier and venue. */
struct metrics_step {
    int64_t run, time_ms;
    double price_open, price_high, price_low, price_close, mark_close, exogenous_close;
    double exogenous_log, endogenous_log;
    double oi_coins, oi_usd;
    double liquidated_long_usd, liquidated_short_usd;
    double liquidated_long_coins, liquidated_short_coins;
    int64_t liquidated_long_positions, liquidated_short_positions;
    double opens_long_coins, opens_short_coins, closes_long_coins, closes_short_coins;
    double reported_long_coins, reported_short_coins;
    double replacement_coins, funding_rate, depth_share, branching_ratio;
    int64_t generations;
    bool unreachable;
    double insurance_gain_usd, insurance_draw_usd, bad_debt_usd, fees_usd, adl_usd, backstop_coins;
    double remargined_coins, premium, utilisation;
};
struct metrics_step metrics_step_row(int64_t run, const struct replay_step *step);
extern const struct field metrics_step_fields[];
extern const size_t metrics_step_field_count;

struct metrics_tier {
    int64_t run;
    char *side; /* "long", "short": static text */
    double leverage_from, leverage_to;
    double oi_start_coins, oi_start_share; /* of its side, at the start */
    double liquidated_coins, liquidated_usd;
    int64_t liquidated_positions;
    double liquidated_traders;
    double share_of_liquidated; /* of the run's liquidated_usd */
};
extern const struct field metrics_tier_fields[];
extern const size_t metrics_tier_field_count;

struct metrics_venue {
    int64_t run;
    char *venue; /* borrowed */
    char *side;
    double liquidated_coins, liquidated_usd;
    int64_t liquidated_positions;
    /* Of the venue, both sides. */
    double insurance_gain_usd, insurance_draw_usd, bad_debt_usd, fees_usd, adl_usd;
    double price_low, price_high, gap_log;
};
extern const struct field metrics_venue_fields[];
extern const size_t metrics_venue_field_count;

/* Who was deleveraged in a step: adl.csv. */
struct metrics_adl {
    int64_t run, time_ms;
    char *venue, *side; /* borrowed; of the winners */
    double leverage_from, leverage_to;
    double coins, usd;
    double price, entry_price; /* means by coins */
    double pnl_usd, score;     /* score: mean by coins */
    int64_t positions;
};
extern const struct field metrics_adl_fields[];
extern const size_t metrics_adl_field_count;

struct metrics_adls {
    struct metrics_adl *rows; /* owned */
    size_t count, capacity;
};
/* Appends what the replay's last step deleveraged; names are borrowed. ERROR_IO. */
int metrics_adls_add(struct metrics_adls *self, int64_t run, int64_t time_ms,
                     const struct replay *replay, const struct book_venue *venues,
                     struct error *err);

/* A position alive at the start: positions.csv. */
struct metrics_position {
    int64_t run;
    char *venue, *side;
    int64_t opened_ms;
    double entry_price, size_usd, leverage, coins, liquidation_price, bankruptcy_price;
    char *account; /* borrowed; NULL: isolated */
};
extern const struct field metrics_position_fields[];
extern const size_t metrics_position_field_count;

struct metrics_positions {
    struct metrics_position *rows; /* owned */
    size_t count, capacity;
};
/* Appends the positions alive on a replay's ladder; venue names are borrowed from `venues`, the
   book's. ERROR_IO when memory is short. */
int metrics_positions_add(struct metrics_positions *self, int64_t run, const struct replay *replay,
                          const struct book_venue *venues, struct error *err);

#define METRICS_TIER_ROWS (2 * TIERS)

struct metrics {
    struct metrics_summary summary;
    struct settle_tally forced;
    double oi_tier[2][TIERS]; /* coins at the start */
    int64_t step_ms;
    double *sum_usd; /* forced flow up to each measured step, cumulative; owned */
    size_t steps;
    double replacement_coins;
    double reported_coins[2];
    double extreme_log, jump_coins;
    int funding_sign; /* of the last rate that was not 0 */
};

/* Called when the replay stands at its start_bar, before that step. `steps` is how many will come.
 */
int metrics_init(struct metrics *self, const struct metrics_run *run, const struct replay *replay,
                 size_t steps, struct error *err);
void metrics_free(struct metrics *self);
/* The replay after its step. */
void metrics_step_add(struct metrics *self, const struct replay_step *step);
/* After the last step: completes `summary`. */
void metrics_finish(struct metrics *self, const struct replay *replay, int64_t episodes);

void metrics_tiers(const struct metrics *self, struct metrics_tier out[METRICS_TIER_ROWS]);
/* Two rows a venue, long and short: at most 2 * BOOK_VENUES_MAX. Returns how many. Names are
   borrowed from `venues`, the book's; `replay` stands at its end. */
size_t metrics_venues(const struct metrics *self, const struct replay *replay,
                      const struct book_venue *venues, struct metrics_venue *out);

#endif
