/*
 * Brownian motion and jumps that come by themselves (Merton 1976, Journal of Financial Economics
 * 3). As there, the drift is that of the whole: the jumps' mean is taken off the Brownian part.
 */
#include <math.h>

#include "models/price_path_parts.h"

void price_path_merton_make(struct price_path_walk *walk)
{
    const struct price_path_params *params = walk->params;
    struct price_path_arrivals arrivals = price_path_arrivals_make(walk);
    double drift = walk->drift - arrivals.base * params->jump_mean_log;
    for (size_t bar = 0; bar < walk->request->bars; bar++) {
        double jump = price_path_arrivals_jump(&arrivals, params, bar);
        price_path_walk_bar(walk, bar, drift, walk->variance, jump);
    }
}

/* Threshold estimate (Mancini 2009, Scandinavian Journal of Statistics 36): returns farther out
   than the diffusion goes are jumps, the others give its variance; repeated until the threshold
   stays. The likelihood is not used: it is unbounded where one return has a normal of its own
   (Honore 1998, "Pitfalls in estimating jump-diffusion models"). Jumps smaller than the threshold
   count as diffusion. */
int price_path_merton_fit(struct price_path_params *params,
                          const struct price_path_returns *returns, struct error *err)
{
    (void)err;
    struct price_path_jumps jumps = price_path_jumps_find(params, returns);
    double days = (double)returns->count * (double)returns->step_ms / (double)CALENDAR_DAY_MS;
    if (isnan(params->jumps_per_day))
        params->jumps_per_day = (double)jumps.count / days;
    return ERROR_NONE;
}
