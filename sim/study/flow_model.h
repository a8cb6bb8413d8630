/*
 * Modelled and reported liquidations side by side. An asset has a price, open interest, a feed of
 * reported liquidations, and a function from parameters to the coins that the model forces out per
 * bar. From windows of assets come *rows*: one per interval (a bar, or a day of UTC), side and
 * asset, in USD, with what the nulls need. The model's side of a row is a logarithm that depends on
 * the parameters; the reported side is fixed.
 *
 * A small amount (`floor` of struct flow_shares) is added to what is reported and to what
 * is expected to be, before logarithms are taken: what is below it counts as nothing. It depends on
 * open interest alone, never on the feed, so a window that is not fitted does not touch a fit.
 *
 * A feed may be throttled: reported = a * Q^b (in USD), 0.6 <= b <= 1, with an a and b of their own
 * for bars and for days, the same for all assets of the feed. They are found for each set of
 * parameters by least squares of logarithms. Of a complete feed a = b = 1.
 */
#ifndef LIQCASCADE_SIM_STUDY_FLOW_MODEL_H
#define LIQCASCADE_SIM_STUDY_FLOW_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FLOW_PARAMETERS_MAX 12
#define FLOW_OBSERVATION_LOW 0.6 /* bounds of b: models.md of the project's specification */
#define FLOW_OBSERVATION_HIGH 1.0

enum flow_horizon { FLOW_BAR, FLOW_DAY, FLOW_HORIZONS };

/* Fills the coins forced out per bar, longs and shorts, at the parameters `theta`. */
typedef int flow_function(void *context, const double *theta, size_t count, double *const out[2],
                          struct error *err);

/* Nothing is owned. Arrays hold `bars`. */
struct flow_asset {
    const char *name;
    size_t bars;
    int64_t start_ms, step_ms;
    const double *open, *high, *low, *close;
    const double *oi_coins;
    const double *volume_coins; /* or NULL */
    const double *reported[2];  /* coins, by side; NaN: not known */
    bool daily;                 /* the feed holds a total per day of UTC, spread over its bars */
    bool complete;              /* a = b = 1 */
    flow_function *flow;
    void *context;
};

/* [from_ms, to_ms) of an asset; intervals that lie in it whole are taken. */
struct flow_window {
    size_t asset;
    int64_t from_ms, to_ms;
};

struct flow_row {
    size_t asset;
    int horizon;         /* enum flow_horizon */
    int side;            /* 0: longs, 1: shorts; rows come in pairs, longs first */
    int64_t from_ms;     /* start of the interval */
    size_t bar, bars;    /* of the asset */
    double reported_usd; /* valued at each bar's close */
    double floor_usd, background_usd;
    double oi_usd;     /* mean over the interval */
    double volume_usd; /* NaN without volume */
    double adverse;    /* largest move against the side within the interval, over its open */
};

/* Shares of open interest per hour. */
struct flow_shares {
    double floor;
    double background; /* forced flow that no move of the price explains, on each side */
};

struct flow_rows {
    const struct flow_asset *assets; /* not owned */
    size_t asset_count;
    struct flow_row *items; /* owned */
    size_t count;
    double *coins[2]; /* scratch for one asset; owned */
};

/* Rows of the windows, window by window and for each the horizons that the feed has. Intervals with
   a bar of unknown report or without open interest are left out. ERROR_IO for memory. On failure
   `self` needs no free. */
int flow_rows_init(struct flow_rows *self, const struct flow_asset *assets, size_t asset_count,
                   const struct flow_window *windows, size_t window_count,
                   const struct flow_shares *shares, struct error *err);
void flow_rows_free(struct flow_rows *self);

/* Per row the logarithm of modelled flow into out_log (that of a thousandth of the floor where it
   is less); errors of the assets' functions, ERROR_NUMERICAL for a flow that is negative or no
   number. */
int flow_rows_predict(struct flow_rows *self, const double *theta, size_t count, double *out_log,
                      struct error *err);

/* ln(reported + floor). */
double flow_reported_log(const struct flow_row *row);

/* How what is reported follows from modelled flow Q: a Q^b. */
struct flow_observation {
    double log_a[FLOW_HORIZONS], b[FLOW_HORIZONS];
};
extern const struct flow_observation flow_observation_complete;

/* By weighted least squares of logarithms, ln(reported + floor) on ln(a Q^b + floor), over the rows
   of feeds that are not complete; horizons without such rows get a = b = 1. */
void flow_observe(const struct flow_rows *self, const double *log, const double *weights,
                  struct flow_observation *out);

/* ln(a Q^b + floor) of a row with ln Q = log: what the feed is expected to report. `out_share` (or
   NULL): its derivative by ln(a Q^b). */
double flow_expected_log(const struct flow_rows *self, size_t row, double log,
                         const struct flow_observation *observation, double *out_share);

#endif
