/*
 * GARCH(1,1) (Bollerslev 1986, Journal of Econometrics 31): h <- omega + alpha e^2 + beta h, with e
 * the return less its mean and omega = (1 - alpha - beta) times the long-run variance.
 */
#include <math.h>

#include "models/price_path_parts.h"

static double next_variance(const struct price_path_params *params, double long_run, double h,
                            double e)
{
    double alpha = params->garch_alpha, beta = params->garch_beta;
    return (1.0 - alpha - beta) * long_run + alpha * e * e + beta * h;
}

/* The variance that the history leaves behind; the long-run one without a history. */
static double last_variance(const struct price_path_walk *walk)
{
    const struct price_path_history *history = &walk->request->history;
    double h = walk->variance;
    for (size_t i = 1; i < history->bars; i++) {
        double e = log(history->close[i] / history->close[i - 1]) - walk->drift;
        h = next_variance(walk->params, walk->variance, h, e);
    }
    return h;
}

void price_path_garch_make(struct price_path_walk *walk)
{
    double h = last_variance(walk);
    for (size_t bar = 0; bar < walk->request->bars; bar++) {
        double e = price_path_walk_bar(walk, bar, walk->drift, h, 0.0) - walk->drift;
        h = next_variance(walk->params, walk->variance, h, e);
    }
}

struct garch_fit {
    struct price_path_params *params;
    const struct price_path_returns *returns;
    double drift, long_run; /* per bar */
};

/* Minus the log likelihood of normal innovations, but for constants; the first variance is the
   long-run one. */
static double garch_cost(void *context)
{
    const struct garch_fit *fit = context;
    double h = fit->long_run, cost = 0.0;
    if (fit->params->garch_alpha + fit->params->garch_beta >= 1.0)
        return PRICE_PATH_IMPOSSIBLE;
    for (size_t i = 0; i < fit->returns->count; i++) {
        double e = fit->returns->values[i] - fit->drift;
        cost += 0.5 * (log(h) + e * e / h);
        h = next_variance(fit->params, fit->long_run, h, e);
    }
    return cost;
}

/* Maximum likelihood for alpha and beta. The long-run variance is that of the returns, not part of
   the search ("variance targeting", Engle and Mezrich 1996, Risk 9). */
int price_path_garch_fit(struct price_path_params *params, const struct price_path_returns *returns,
                         struct error *err)
{
    struct price_path_unknown unknowns[2];
    size_t count = 0;
    double alpha = params->garch_alpha, beta = params->garch_beta;
    price_path_gbm_fit(params, returns, err);
    struct garch_fit fit = {params, returns, params->drift_per_year * returns->years,
                            params->volatility_per_year * params->volatility_per_year *
                                returns->years};
    if (isnan(alpha)) {
        params->garch_alpha = isnan(beta) ? 0.05 : 0.5 * (1.0 - beta);
        unknowns[count++] = (struct price_path_unknown){&params->garch_alpha, 1e-6, 1.0};
    }
    if (isnan(beta)) {
        params->garch_beta = 0.9 * (1.0 - params->garch_alpha);
        unknowns[count++] = (struct price_path_unknown){&params->garch_beta, 1e-6, 1.0};
    }
    return price_path_minimise(unknowns, count, garch_cost, &fit, err);
}
