/*
 * Brownian motion and jumps that excite further jumps (Hawkes 1971, Biometrika 58): each raises the
 * rate by branching * decay, which dies away exponentially, and so causes `branching` others on
 * average. The path begins with the mean excitation, so that the mean rate is
 * jumps_per_day / (1 - branching) throughout; the mean of the jumps is taken off the Brownian part.
 */
#include <math.h>

#include "models/price_path_parts.h"

/* Own prior: fewer say nothing about what excites what. */
enum { JUMPS_LEAST = 20 };
/* Keeps the likelihood of what cannot happen finite. */
static const double PROBABILITY_LEAST = 1e-300;

void price_path_hawkes_make(struct price_path_walk *walk)
{
    const struct price_path_params *params = walk->params;
    struct price_path_arrivals arrivals = price_path_arrivals_make(walk);
    double branching = params->hawkes_branching;
    arrivals.decay = M_LN2 * (double)walk->request->step_ms / (double)params->hawkes_half_life_ms;
    arrivals.kick = branching * arrivals.decay;
    arrivals.excited = arrivals.base * branching / (1.0 - branching);
    double drift = walk->drift - arrivals.base / (1.0 - branching) * params->jump_mean_log;
    for (size_t bar = 0; bar < walk->request->bars; bar++) {
        double jump = price_path_arrivals_jump(&arrivals, params, bar);
        price_path_walk_bar(walk, bar, drift, walk->variance, jump);
    }
}

/* Per bar. */
struct hawkes_fit {
    double base, branching, half_life;
    const struct price_path_returns *returns;
    const struct price_path_jumps *jumps;
};

/* Minus the log likelihood (Ozaki 1979, Annals of the Institute of Statistical Mathematics 31) of
   which bars hold jumps: a history of bars tells neither when within a bar a jump came nor how many
   there were. A bar with jumps is taken to hold as many as a Poisson variable has on average when
   it is not 0, spread evenly. */
static double hawkes_cost(void *context)
{
    const struct hawkes_fit *fit = context;
    double decay = M_LN2 / fit->half_life, keep = exp(-decay);
    double spread = (1.0 - keep) / decay; /* mean of the excited rate over a bar, at its start 1 */
    double excited = fit->base * fit->branching / (1.0 - fit->branching), cost = 0.0;
    for (size_t i = 0; i < fit->returns->count; i++) {
        double expected = fit->base + excited * spread;
        excited *= keep;
        if (!price_path_is_jump(fit->jumps, fit->returns->values[i])) {
            cost += expected;
            continue;
        }
        double some = fmax(-expm1(-expected), PROBABILITY_LEAST);
        cost -= log(some);
        excited += expected / some * fit->branching * decay * spread;
    }
    return cost;
}

static int find_rates(struct price_path_params *params, struct hawkes_fit *fit, struct error *err)
{
    struct price_path_unknown unknowns[3];
    size_t count = 0;
    double step = (double)fit->returns->step_ms, days = step / (double)CALENDAR_DAY_MS;
    double rate = (double)fit->jumps->count / (double)fit->returns->count;
    double length = (double)fit->returns->count;
    fit->branching = isnan(params->hawkes_branching) ? 0.5 : params->hawkes_branching;
    fit->base = params->jumps_per_day * days;
    fit->half_life = (double)params->hawkes_half_life_ms / step;
    if (isnan(params->hawkes_branching))
        unknowns[count++] = (struct price_path_unknown){&fit->branching, 1e-4, 0.999};
    if (isnan(params->jumps_per_day)) {
        fit->base = rate * (1.0 - fit->branching);
        unknowns[count++] = (struct price_path_unknown){&fit->base, rate * 1e-4, rate * 1e2};
    }
    if (params->hawkes_half_life_ms == CALENDAR_NONE) {
        fit->half_life = sqrt(fmax(1.0 / rate, 1.0));
        unknowns[count++] = (struct price_path_unknown){&fit->half_life, 0.1, length};
    }
    int code = price_path_minimise(unknowns, count, hawkes_cost, fit, err);
    if (code != ERROR_NONE)
        return code;
    params->hawkes_branching = fit->branching;
    params->jumps_per_day = fit->base / days;
    if (params->hawkes_half_life_ms == CALENDAR_NONE)
        params->hawkes_half_life_ms = (int64_t)llround(fmax(fit->half_life * step, 1.0));
    return ERROR_NONE;
}

/* Jumps by threshold as in price_path_merton.c, their rates by maximum likelihood. */
int price_path_hawkes_fit(struct price_path_params *params,
                          const struct price_path_returns *returns, struct error *err)
{
    struct price_path_jumps jumps = price_path_jumps_find(params, returns);
    struct hawkes_fit fit = {.returns = returns, .jumps = &jumps};
    bool rates = isnan(params->jumps_per_day) || isnan(params->hawkes_branching) ||
                 params->hawkes_half_life_ms == CALENDAR_NONE;
    if (!rates)
        return ERROR_NONE;
    if (jumps.count < JUMPS_LEAST)
        return error_at(err, ERROR_DATA, NULL, 0, 0, "path.hawkes.branching",
                        "cannot be fitted to %zu jumps in %zu returns; expected at least %d, or "
                        "path.jumps.per_day, path.hawkes.branching and path.hawkes.half_life",
                        jumps.count, returns->count, (int)JUMPS_LEAST);
    return find_rates(params, &fit, err);
}
