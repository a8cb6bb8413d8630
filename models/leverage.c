#include "models/leverage.h"

#include <math.h>

#include "base/random.h"

/* The table of lognormal_tail spans this much of ln survival: down to e^-16 = 1.1e-7. */
#define TABLE_SPAN 16.0
#define TABLE_STEPS (LEVERAGE_TABLE - 1)

/* Share of the stock above which strata are fine, and where their logarithmic spacing ends. */
#define STRATA_TOP 0.01
#define STRATA_END 1e-4

/* The range and the means of bitmex_2019. */
static const double BITMEX_TOP = 100.0, BITMEX_MEAN_LONG = 22.0, BITMEX_MEAN_SHORT = 30.0;

const struct leverage_model leverage_models[] = {
    [LEVERAGE_KIND_PARETO] =
        {"pareto", "P(L > x) falls as x^-alpha from the minimum up",
         "own fit of alpha to hourly liquidations, 2024 (Binance) and December "
         "2025 (Hyperliquid)"},
    [LEVERAGE_KIND_LOGNORMAL] = {"lognormal", "ln L is normal with mean mu and deviation sigma",
                                 "own fit of mu and sigma to Hyperliquid's open interest by tier "
                                 "of leverage, December 2025: 36 % at 0-3x, 48 % at 3-7x"},
    [LEVERAGE_KIND_LOGNORMAL_TAIL] = {"lognormal_tail",
                                      "the lognormal, with a share spread evenly in ln L from a "
                                      "given leverage to the venue's maximum",
                                      "as lognormal; the tail: own prior"},
    [LEVERAGE_KIND_TIERS] = {"tiers", "a table of leverages and weights", "the scenario's own"},
    [LEVERAGE_KIND_BITMEX_2019] =
        {"bitmex_2019",
         "a power law between 1x and 100x with the mean 22x for longs and 30x for shorts",
         "BitMEX blog, 15 May 2019, \"BitMEX Leverage Statistics, April 2019\" (weighted "
         "effective leverage of XBTUSD at the end of the month); the shape: own prior"},
};
const int leverage_model_count = sizeof leverage_models / sizeof *leverage_models;

bool leverage_by_side(enum leverage_kind kind)
{
    return kind == LEVERAGE_KIND_BITMEX_2019;
}

static double normal_survival(double x)
{
    return 0.5 * erfc(x * M_SQRT1_2);
}

static double lognormal_raw(const struct leverage_params *params, double x)
{
    return normal_survival((log(x) - params->mu) / params->sigma);
}

/* P(L > x) before the cut at the maximum; the log-uniform tail ends there by itself. */
static double pareto_raw(const struct leverage_params *params, double x)
{
    double ratio = params->minimum / x;
    return params->alpha == 1.0 ? ratio : pow(ratio, params->alpha);
}

static double log_uniform_survival(const struct leverage_params *params, double x)
{
    if (x <= params->tail_from)
        return 1.0;
    return log(params->maximum / x) / log(params->maximum / params->tail_from);
}

/* A raw survival conditioned on L <= maximum. */
static double cut(double raw, double survival_beyond)
{
    return fmax(0.0, (raw - survival_beyond) / (1.0 - survival_beyond));
}

static double tiers_survival(const struct leverage_params *params, double x)
{
    double above = 0.0;
    for (size_t i = 0; i < params->tier_count && params->tier_leverage[i] > x; i++)
        above += params->tier_weight[i];
    return fmin(above, 1.0);
}

/* x^p - 1, precise where p is small. */
static double power_less_one(double x, double p)
{
    return expm1(p * log(x));
}

/* Mean of the law with P(L <= x) = (x^p - 1) / (top^p - 1) on [1, top]. */
static double power_mean(double top, double p)
{
    return p / (p + 1.0) * power_less_one(top, p + 1.0) / power_less_one(top, p);
}

/* The p > 0 with a given mean, which grows with p from (top - 1) / ln top at p = 0. */
static double power_of_mean(double top, double mean)
{
    double low = 1e-6, high = 10.0;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (power_mean(top, middle) < mean)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

static double power_survival(const struct leverage *self, double x)
{
    if (x >= self->top)
        return 0.0;
    double end = power_less_one(self->top, self->power);
    return (end - power_less_one(x, self->power)) /
           (end - power_less_one(self->params.minimum, self->power));
}

/* The distribution between minimum and maximum, both excluded. */
static double survival_inside(const struct leverage *self, double x)
{
    const struct leverage_params *params = &self->params;
    switch (params->kind) {
    case LEVERAGE_KIND_PARETO:
        return cut(pareto_raw(params, x), self->survival_beyond);
    case LEVERAGE_KIND_LOGNORMAL:
        return cut(lognormal_raw(params, x), self->survival_beyond);
    case LEVERAGE_KIND_LOGNORMAL_TAIL:
        return (1.0 - params->tail_share) * cut(lognormal_raw(params, x), self->survival_beyond) +
               params->tail_share * log_uniform_survival(params, x);
    case LEVERAGE_KIND_TIERS:
        return tiers_survival(params, x);
    case LEVERAGE_KIND_BITMEX_2019:
        return power_survival(self, x);
    }
    return 0.0;
}

double leverage_survival(const struct leverage *self, double x)
{
    if (x < self->params.minimum)
        return 1.0;
    if (x >= self->params.maximum)
        return 0.0;
    return survival_inside(self, x);
}

/* ln L with survival `survival`, between `low` (survival there is not below it) and the maximum. */
static double log_quantile_solve(const struct leverage *self, double survival, double low)
{
    double high = log(self->params.maximum);
    for (int i = 0; i < 48; i++) {
        double middle = 0.5 * (low + high);
        if (leverage_survival(self, exp(middle)) >= survival)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* Steps of ln survival start at the minimum, so that the mass held there takes no table space. */
static void table_fill(struct leverage *self)
{
    double low = log(self->params.minimum);
    for (int i = 0; i <= TABLE_STEPS; i++) {
        double survival = self->survival_minimum * exp(-TABLE_SPAN * i / TABLE_STEPS);
        low = i == 0 ? low : log_quantile_solve(self, survival, low);
        self->log_quantile[i] = low;
    }
}

/* Highest leverage first, weights summing to 1: survival is then a running sum from the front. */
static void tiers_sort(struct leverage_params *params, double total)
{
    for (size_t i = 0; i < params->tier_count; i++) {
        double leverage = fmax(params->tier_leverage[i], params->minimum);
        double weight = params->tier_weight[i] / total;
        size_t j = i;
        for (; j > 0 && params->tier_leverage[j - 1] < leverage; j--) {
            params->tier_leverage[j] = params->tier_leverage[j - 1];
            params->tier_weight[j] = params->tier_weight[j - 1];
        }
        params->tier_leverage[j] = leverage;
        params->tier_weight[j] = weight;
    }
}

/* Drops the masses above the maximum; the maximum itself stands in when none is left. */
static int tiers_init(struct leverage_params *params, struct error *err)
{
    if (params->tier_count < 1 || params->tier_count > LEVERAGE_TIERS_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu leverage tiers; expected 1 to %d",
                         params->tier_count, LEVERAGE_TIERS_MAX);
    double total = 0.0, kept_total = 0.0;
    size_t kept = 0;
    for (size_t i = 0; i < params->tier_count; i++) {
        double leverage = params->tier_leverage[i], weight = params->tier_weight[i];
        if (!(leverage > 0.0) || !(weight >= 0.0) || !isfinite(leverage) || !isfinite(weight))
            return error_set(err, ERROR_SCENARIO,
                             "leverage tier %zu: leverage %g with weight %g; expected a leverage "
                             "above 0 and a weight of 0 or more",
                             i + 1, leverage, weight);
        total += weight;
        if (leverage > params->maximum)
            continue;
        kept_total += weight;
        params->tier_leverage[kept] = leverage;
        params->tier_weight[kept++] = weight;
    }
    if (!(total > 0.0))
        return error_set(err, ERROR_SCENARIO,
                         "leverage tiers: every weight is 0; expected a sum "
                         "above 0");
    if (!(kept_total > 0.0)) {
        params->tier_leverage[0] = params->maximum;
        params->tier_weight[0] = kept_total = 1.0;
        kept = 1;
    }
    params->tier_count = kept;
    tiers_sort(params, kept_total);
    return ERROR_NONE;
}

static int bounds_check(const struct leverage_params *params, struct error *err)
{
    if (!(params->minimum >= 1.0) || !isfinite(params->minimum))
        return error_set(err, ERROR_SCENARIO, "leverage: minimum %g; expected 1 or more",
                         params->minimum);
    if (!(params->maximum >= params->minimum) || !isfinite(params->maximum))
        return error_set(err, ERROR_SCENARIO,
                         "leverage: maximum %g of the venue's brackets is below the minimum %g",
                         params->maximum, params->minimum);
    if (!isfinite(params->hazard_exponent))
        return error_set(err, ERROR_SCENARIO, "leverage: hazard exponent %g; expected a number",
                         params->hazard_exponent);
    return ERROR_NONE;
}

static int lognormal_check(const struct leverage_params *params, struct error *err)
{
    if (!isfinite(params->mu) || !(params->sigma > 0.0) || !isfinite(params->sigma))
        return error_set(err, ERROR_SCENARIO,
                         "leverage: lognormal with mu %g and sigma %g; expected a sigma above 0",
                         params->mu, params->sigma);
    if (!(lognormal_raw(params, params->maximum) < 1.0))
        return error_set(err, ERROR_SCENARIO,
                         "leverage: lognormal with mu %g and sigma %g has nothing below the "
                         "maximum %g",
                         params->mu, params->sigma, params->maximum);
    return ERROR_NONE;
}

static int tail_check(const struct leverage_params *params, struct error *err)
{
    if (!(params->tail_share >= 0.0 && params->tail_share <= 1.0))
        return error_set(err, ERROR_SCENARIO, "leverage: tail share %g; expected 0 to 1",
                         params->tail_share);
    if (!(params->tail_from >= params->minimum && params->tail_from < params->maximum))
        return error_set(err, ERROR_SCENARIO,
                         "leverage: tail from %g; expected a leverage from the minimum %g up to "
                         "the maximum %g of the venue's brackets",
                         params->tail_from, params->minimum, params->maximum);
    return ERROR_NONE;
}

static int bitmex_init(struct leverage *self, struct error *err)
{
    const struct leverage_params *params = &self->params;
    if (params->minimum >= BITMEX_TOP)
        return error_set(err, ERROR_SCENARIO, "leverage: minimum %g; expected below %g",
                         params->minimum, BITMEX_TOP);
    double mean = params->side < 0 ? BITMEX_MEAN_SHORT : BITMEX_MEAN_LONG;
    self->power = power_of_mean(BITMEX_TOP, mean);
    self->top = fmin(BITMEX_TOP, params->maximum);
    return ERROR_NONE;
}

static int kind_init(struct leverage *self, struct error *err)
{
    struct leverage_params *params = &self->params;
    int code = ERROR_NONE;
    switch (params->kind) {
    case LEVERAGE_KIND_PARETO:
        if (!(params->alpha > 0.0) || !isfinite(params->alpha))
            return error_set(err, ERROR_SCENARIO, "leverage: alpha %g; expected above 0",
                             params->alpha);
        self->survival_beyond = pareto_raw(params, params->maximum);
        return ERROR_NONE;
    case LEVERAGE_KIND_LOGNORMAL_TAIL:
        if ((code = tail_check(params, err)) != ERROR_NONE)
            return code;
        /* fall through */
    case LEVERAGE_KIND_LOGNORMAL:
        if ((code = lognormal_check(params, err)) != ERROR_NONE)
            return code;
        self->survival_beyond = lognormal_raw(params, params->maximum);
        return ERROR_NONE;
    case LEVERAGE_KIND_TIERS:
        return tiers_init(params, err);
    case LEVERAGE_KIND_BITMEX_2019:
        return bitmex_init(self, err);
    }
    return error_set(err, ERROR_SCENARIO, "leverage: unknown model %d", (int)params->kind);
}

int leverage_init(struct leverage *self, const struct leverage_params *params, struct error *err)
{
    *self = (struct leverage){.params = *params};
    int code = bounds_check(params, err);
    if (code == ERROR_NONE)
        code = kind_init(self, err);
    if (code != ERROR_NONE)
        return code;
    self->survival_minimum = leverage_survival(self, params->minimum);
    if (params->kind == LEVERAGE_KIND_LOGNORMAL_TAIL)
        table_fill(self);
    return ERROR_NONE;
}

static double pareto_quantile(const struct leverage *self, double survival)
{
    const struct leverage_params *params = &self->params;
    double raw = self->survival_beyond + survival * (1.0 - self->survival_beyond);
    return params->minimum * (params->alpha == 1.0 ? 1.0 / raw : pow(raw, -1.0 / params->alpha));
}

static double lognormal_quantile(const struct leverage *self, double survival)
{
    const struct leverage_params *params = &self->params;
    double raw = self->survival_beyond + survival * (1.0 - self->survival_beyond);
    return exp(params->mu - params->sigma * random_normal(raw));
}

static double table_quantile(const struct leverage *self, double survival)
{
    if (survival >= self->survival_minimum)
        return self->params.minimum;
    double place = log(self->survival_minimum / survival) * (TABLE_STEPS / TABLE_SPAN);
    if (!(place < TABLE_STEPS))
        return exp(self->log_quantile[TABLE_STEPS]);
    int i = (int)place;
    double low = self->log_quantile[i], high = self->log_quantile[i + 1];
    return exp(low + (place - i) * (high - low));
}

static double tiers_quantile(const struct leverage *self, double survival)
{
    const struct leverage_params *params = &self->params;
    double above = 0.0;
    size_t i = 0;
    for (; i < params->tier_count - 1; i++) {
        above += params->tier_weight[i];
        if (survival <= above)
            break;
    }
    return params->tier_leverage[i];
}

static double power_quantile(const struct leverage *self, double survival)
{
    double start = power_less_one(self->params.minimum, self->power);
    double end = power_less_one(self->top, self->power);
    return exp(log1p(end - survival * (end - start)) / self->power);
}

/* The leverage with a survival probability in the distribution that is not cut. */
static double quantile(const struct leverage *self, double survival)
{
    switch (self->params.kind) {
    case LEVERAGE_KIND_LOGNORMAL:
        return lognormal_quantile(self, survival);
    case LEVERAGE_KIND_LOGNORMAL_TAIL:
        return table_quantile(self, survival);
    case LEVERAGE_KIND_TIERS:
        return tiers_quantile(self, survival);
    case LEVERAGE_KIND_BITMEX_2019:
        return power_quantile(self, survival);
    case LEVERAGE_KIND_PARETO:
        break;
    }
    return pareto_quantile(self, survival);
}

double leverage_draw(const struct leverage *self, double u, double cap, double survival_cap)
{
    double leverage = quantile(self, survival_cap + u * (1.0 - survival_cap));
    /* Not fmin and fmax: those are calls. The venue's cap has the last word. */
    leverage = leverage < self->params.minimum ? self->params.minimum : leverage;
    return leverage > cap ? cap : leverage;
}

double leverage_hazard(double leverage, double exponent)
{
    return exponent == 0.5 ? sqrt(leverage) : pow(leverage, exponent);
}

/* Upper edge of stratum k of n, k = 0 to n, falling from 1 to 0. */
static double stratum_edge(int k, int n)
{
    int top = n > 3 ? n / 2 : 1;
    int rest = n - top;
    if (k >= n)
        return 0.0;
    if (k <= rest)
        return rest > 0 ? pow(STRATA_TOP, (double)k / rest) : 1.0;
    return STRATA_TOP * pow(STRATA_END / STRATA_TOP, (double)(k - rest) / (top - 1));
}

void leverage_stratum(int i, int n, double *out_lower, double *out_upper)
{
    *out_upper = stratum_edge(i, n);
    *out_lower = stratum_edge(i + 1, n);
}
