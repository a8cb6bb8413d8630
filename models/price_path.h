/*
 * Random price paths: bars of a log price made by a model, for Monte Carlo runs. Every draw is
 * addressed by (seed, replicate, stream, bar), so a path is the same whoever asks and in whatever
 * order runs go. Each bar has open, high, low and close; highs and lows within a bar are those of a
 * Brownian bridge between open and close with the bar's diffusive variance (jumps at the bar's
 * end), so that barriers are hit as often as by the continuous path.
 *
 *   gbm             log returns N(drift dt, sigma^2 dt)
 *   garch           GARCH(1,1) (Bollerslev 1986): h <- omega + alpha r^2 + beta h, omega such that
 *                   the long-run variance is sigma^2 dt
 *   student_t       log returns of a scaled Student t with `dof`, variance sigma^2 dt
 *   merton          gbm plus a compound Poisson of normal jumps (Merton 1976)
 *   hawkes          gbm plus jumps that excite further jumps (Hawkes 1971), exponential kernel
 *                   (in both, drift is of Brownian motion and jumps together)
 *   block_bootstrap stretches of observed bars, drawn with replacement (circular blocks)
 *   bridge          Brownian bridge through given points
 */
#ifndef LIQCASCADE_MODELS_PRICE_PATH_H
#define LIQCASCADE_MODELS_PRICE_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum price_path_kind {
    PRICE_PATH_GBM,
    PRICE_PATH_GARCH,
    PRICE_PATH_STUDENT_T,
    PRICE_PATH_MERTON,
    PRICE_PATH_HAWKES,
    PRICE_PATH_BLOCK_BOOTSTRAP,
    PRICE_PATH_BRIDGE,
    PRICE_PATH_COUNT
};

#define PRICE_PATH_POINTS_MAX 64

/* NaN (half life: CALENDAR_NONE): to be fitted by price_path_fit. */
struct price_path_params {
    enum price_path_kind kind;
    double drift_per_year, volatility_per_year; /* of the log price */
    double garch_alpha, garch_beta;
    double student_dof;
    double jumps_per_day, jump_mean_log, jump_sigma_log;
    double hawkes_branching;
    int64_t hawkes_half_life_ms;
    int64_t block_ms;
    size_t point_count; /* bridge: times (ms) and prices */
    int64_t point_ms[PRICE_PATH_POINTS_MAX];
    double point_price[PRICE_PATH_POINTS_MAX];
};

/* Observed bars, arrays of `bars`, all of step_ms. */
struct price_path_history {
    const double *open, *high, *low, *close;
    size_t bars;
    int64_t step_ms;
};

struct price_path_request {
    uint64_t seed;
    uint32_t replicate;
    int64_t start_ms, step_ms;
    double start_price;
    size_t bars;
    /* block_bootstrap draws from it; garch begins with the variance that it ends with (the long-run
       one when it is empty); the others do not look at it. */
    struct price_path_history history;
};

struct price_path_model {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;
};
extern const struct price_path_model price_path_models[PRICE_PATH_COUNT];

/* Fills in the parameters that are missing, from history (maximum likelihood or moments, GSL).
   ERROR_DATA when the history is too short or has no variance, or the likelihood no maximum. Not
   from two threads at once: GSL's error handler, which is of the process, is off meanwhile. */
int price_path_fit(struct price_path_params *params, const struct price_path_history *history,
                   struct error *err);

/* Writes `request->bars` bars. ERROR_SCENARIO when parameters make no path; ERROR_IO: memory. */
int price_path_make(const struct price_path_params *params,
                    const struct price_path_request *request, double *open, double *high,
                    double *low, double *close, struct error *err);

#endif
