/*
 * Made paths of a scenario: from path.at on, bars of a price path model take over from the observed
 * market. Parameters that the scenario leaves open are fitted once, to the market before; the bars
 * are made for each replicate, since they do not depend on the OI level.
 *
 * The path begins at the start of the bar that holds path.at, with the last observed close (the
 * first open where nothing was observed before). The mark goes with the last price: their ratio
 * stays as it was.
 */
#ifndef LIQCASCADE_SIM_MADE_PATH_H
#define LIQCASCADE_SIM_MADE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/market.h"
#include "models/price_path.h"
#include "scenarios/scenario.h"
#include "sim/path.h"

/* Whether the scenario's path.model makes its prices bar by bar (a shock and an observed path do
   not). */
bool made_path_wanted(const struct scenario *scenario);

/* The parameters of the scenario's model, with those that are missing fitted to the market before
   path.at. ERROR_DATA when it cannot be fitted. Fits, and so not from two threads at once. */
int made_path_fit(const struct scenario *scenario, const struct market *market,
                  struct price_path_params *out, struct error *err);

/* Writes the parameters, fitted ones too, to where a scenario holds them: for the resolved scenario
   of the results. */
void made_path_resolve(const struct price_path_params *params, struct scenario *out);

/* The bars of one replicate. */
struct made_path {
    struct market_bars bars; /* parts of one allocation; owned */
};

/* Makes them, and in `out` the path of the replicate: `base` with these bars, valid while `self`
   and the market are. Without a made path `out` is `base`. ERROR_SCENARIO: parameters that make no
   path; ERROR_IO: memory. On failure `self` needs no free. */
int made_path_init(struct made_path *self, const struct scenario *scenario,
                   const struct price_path_params *params, const struct path *base,
                   uint32_t replicate, struct path *out, struct error *err);
void made_path_free(struct made_path *self);

#endif
