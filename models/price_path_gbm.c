/*
 * Geometric Brownian motion, and the volatility of a history.
 */
#include <math.h>

#include "models/price_path_parts.h"

void price_path_gbm_make(struct price_path_walk *walk)
{
    for (size_t bar = 0; bar < walk->request->bars; bar++)
        price_path_walk_bar(walk, bar, walk->drift, walk->variance, 0.0);
}

/* Maximum likelihood for independent normal returns: their variance. */
int price_path_gbm_fit(struct price_path_params *params, const struct price_path_returns *returns,
                       struct error *err)
{
    (void)err;
    if (isnan(params->volatility_per_year))
        params->volatility_per_year = sqrt(returns->variance / returns->years);
    return ERROR_NONE;
}
