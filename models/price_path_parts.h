/*
 * What the models of models/price_path.h share: the walk along which bars are written, the returns
 * that parameters are fitted to, and the simplex that maximises a likelihood. Each model is a file
 * with a `make` and, where it has parameters of its own, a `fit`.
 *
 * Every file but price_path.c takes parameters as checked there.
 */
#ifndef LIQCASCADE_MODELS_PRICE_PATH_PARTS_H
#define LIQCASCADE_MODELS_PRICE_PATH_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/calendar.h"
#include "base/error.h"
#include "base/random.h"
#include "models/price_path.h"

#define PRICE_PATH_YEAR_MS (365.0 * (double)CALENDAR_DAY_MS)

/* ---- the walk --------------------------------------------------------------------------- */

/* A path while it is made. The arrays are the caller's. */
struct price_path_walk {
    const struct price_path_params *params;
    const struct price_path_request *request;
    double *open, *high, *low, *close;
    double price;           /* where it stands */
    double drift, variance; /* of the log price, per bar */
    struct random_stream returns, ranges;
};

/* A Brownian move in log price, with the highest and the lowest point on its way. */
struct price_path_move {
    double end, top, bottom;
};

void price_path_walk_start(struct price_path_walk *self, const struct price_path_params *params,
                           const struct price_path_request *request);

/* The `ordinal`-th move of a bar, N(mean, end_variance) at its end. Given the end, top and bottom
   are those of a Brownian bridge of variance `path_variance`, each with its exact distribution:
   P(top > m) = exp(-2 m (m - end) / path_variance). */
struct price_path_move price_path_walk_move(const struct price_path_walk *self, size_t bar,
                                            uint32_t ordinal, double mean, double end_variance,
                                            double path_variance);

/* Writes a bar that begins where the walk stands, makes a Brownian move N(mean, variance) and then
   `jump`. Returns its log return. */
double price_path_walk_bar(struct price_path_walk *self, size_t bar, double mean, double variance,
                           double jump);

/* ---- jumps ------------------------------------------------------------------------------ */

/* Arrivals with rate base + excited, the latter decaying and kicked up by each arrival; per bar. */
struct price_path_arrivals {
    double base, excited, decay, kick;
    struct random_stream times, sizes;
};

/* Poisson arrivals of jumps_per_day; branching 0. */
struct price_path_arrivals price_path_arrivals_make(const struct price_path_walk *walk);
/* Sum of the jumps of a bar; bars are asked for in order. */
double price_path_arrivals_jump(struct price_path_arrivals *self,
                                const struct price_path_params *params, size_t bar);

/* ---- makers ----------------------------------------------------------------------------- */

void price_path_gbm_make(struct price_path_walk *walk);
void price_path_garch_make(struct price_path_walk *walk);
void price_path_student_t_make(struct price_path_walk *walk);
void price_path_merton_make(struct price_path_walk *walk);
void price_path_hawkes_make(struct price_path_walk *walk);
void price_path_block_bootstrap_make(struct price_path_walk *walk);
void price_path_bridge_make(struct price_path_walk *walk);

/* ---- fits ------------------------------------------------------------------------------- */

/* Log returns from close to close. */
struct price_path_returns {
    double *values; /* owned by price_path_fit */
    size_t count;
    int64_t step_ms;
    double years;          /* of a bar */
    double mean, variance; /* > 0 */
};

/* Each fills in what is missing of its model; drift is known by then. */
int price_path_gbm_fit(struct price_path_params *params, const struct price_path_returns *returns,
                       struct error *err);
int price_path_garch_fit(struct price_path_params *params, const struct price_path_returns *returns,
                         struct error *err);
int price_path_student_t_fit(struct price_path_params *params,
                             const struct price_path_returns *returns, struct error *err);
int price_path_merton_fit(struct price_path_params *params,
                          const struct price_path_returns *returns, struct error *err);
int price_path_hawkes_fit(struct price_path_params *params,
                          const struct price_path_returns *returns, struct error *err);

/* Returns beyond four deviations of what diffuses. */
struct price_path_jumps {
    double centre, deviation; /* of the other returns */
    size_t count;
};

/* Volatility (where it is missing) and jump sizes by threshold (see price_path_merton.c). */
struct price_path_jumps price_path_jumps_find(struct price_path_params *params,
                                              const struct price_path_returns *returns);
bool price_path_is_jump(const struct price_path_jumps *self, double log_return);

/* A parameter that a likelihood is to find, within (low, high), both > 0. Its value is the start.
 */
struct price_path_unknown {
    double *value;
    double low, high;
};
#define PRICE_PATH_UNKNOWNS_MAX 4

/* A cost for parameters that the likelihood does not know. */
#define PRICE_PATH_IMPOSSIBLE 1e100

/* Lowers `cost` (a negative log likelihood, finite) by moving the unknowns, with the simplex of
   Nelder and Mead (GSL). ERROR_DATA when it does not settle. Switches GSL's error handler off
   meanwhile, which is of the process: not from two threads at once. */
int price_path_minimise(const struct price_path_unknown *unknowns, size_t count,
                        double (*cost)(void *context), void *context, struct error *err);

#endif
