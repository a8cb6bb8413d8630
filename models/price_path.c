#include "models/price_path.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "models/price_path_parts.h"

/* Own prior: fewer returns give no variance worth the name. */
enum { RETURNS_LEAST = 30 };

const struct price_path_model price_path_models[PRICE_PATH_COUNT] = {
    [PRICE_PATH_GBM] = {"gbm",
                        "geometric Brownian motion: log returns N(drift dt, volatility^2 dt); "
                        "volatility fitted as the deviation of returns",
                        "Black and Scholes 1973, Journal of Political Economy 81"},
    [PRICE_PATH_GARCH] = {"garch",
                          "variance of the next return is (1 - alpha - beta) of the long-run "
                          "variance, plus alpha of the last squared return and beta of the last "
                          "variance; begins with the variance that the history ends with; alpha "
                          "and beta fitted by maximum likelihood",
                          "Bollerslev 1986, Journal of Econometrics 31"},
    [PRICE_PATH_STUDENT_T] = {"student_t",
                              "independent log returns of a Student t with `dof`, variance "
                              "volatility^2 dt; dof and volatility fitted by maximum likelihood",
                              "Blattberg and Gonedes 1974, Journal of Business 47"},
    [PRICE_PATH_MERTON] = {"merton",
                           "gbm and a compound Poisson of normal jumps; drift is of both together; "
                           "fitted by threshold: returns beyond 4 deviations are jumps",
                           "Merton 1976, Journal of Financial Economics 3; fit: Mancini 2009, "
                           "Scandinavian Journal of Statistics 36"},
    [PRICE_PATH_HAWKES] = {"hawkes",
                           "gbm and jumps of which each causes `branching` others on average, at a "
                           "rate that halves in half_life; drift is of both together; jumps found "
                           "by threshold, their rates by maximum likelihood",
                           "Hawkes 1971, Biometrika 58; fit: Ozaki 1979, Annals of the Institute "
                           "of Statistical Mathematics 31"},
    [PRICE_PATH_BLOCK_BOOTSTRAP] = {"block_bootstrap",
                                    "stretches of the bars before path.at, drawn with replacement "
                                    "from anywhere in them, the last followed by the first",
                                    "Politis and Romano 1992, A circular block-resampling "
                                    "procedure for stationary data"},
    [PRICE_PATH_BRIDGE] = {"bridge",
                           "Brownian bridge in log price through given points; free after the "
                           "last; volatility fitted as the deviation of returns",
                           "Glasserman 2004, Monte Carlo Methods in Financial Engineering, "
                           "section 3.1"},
};

/* ---- parameters ------------------------------------------------------------------------- */

#define OF(kind) (1u << PRICE_PATH_##kind)
#define OF_BROWNIAN (OF(GBM) | OF(GARCH) | OF(STUDENT_T) | OF(MERTON) | OF(HAWKES))

/* A parameter, the models that take it, and what it may be: from `low` (excluded where `above`) up
   to less than `below`. */
static const struct parameter {
    const char *key;
    size_t offset;
    unsigned kinds;
    double low;
    bool above;
    double below;
} parameters[] = {
    {"path.drift", offsetof(struct price_path_params, drift_per_year), OF_BROWNIAN, -1e6, false,
     1e6},
    {"path.volatility", offsetof(struct price_path_params, volatility_per_year),
     OF_BROWNIAN | OF(BRIDGE), 0.0, false, 1e6},
    {"path.garch.alpha", offsetof(struct price_path_params, garch_alpha), OF(GARCH), 0.0, false,
     1.0},
    {"path.garch.beta", offsetof(struct price_path_params, garch_beta), OF(GARCH), 0.0, false, 1.0},
    {"path.student_t.dof", offsetof(struct price_path_params, student_dof), OF(STUDENT_T), 2.0,
     true, INFINITY},
    {"path.jumps.per_day", offsetof(struct price_path_params, jumps_per_day),
     OF(MERTON) | OF(HAWKES), 0.0, false, 1e9},
    {"path.jumps.mean_log", offsetof(struct price_path_params, jump_mean_log),
     OF(MERTON) | OF(HAWKES), -100.0, false, 100.0},
    {"path.jumps.sigma_log", offsetof(struct price_path_params, jump_sigma_log),
     OF(MERTON) | OF(HAWKES), 0.0, false, 100.0},
    {"path.hawkes.branching", offsetof(struct price_path_params, hawkes_branching), OF(HAWKES), 0.0,
     false, 1.0},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static double value_of(const struct price_path_params *params, const struct parameter *parameter)
{
    double value;
    memcpy(&value, (const char *)params + parameter->offset, sizeof value);
    return value;
}

static bool taken_by(const struct parameter *parameter, enum price_path_kind kind)
{
    return (parameter->kinds & (1u << kind)) != 0;
}

static bool any_missing(const struct price_path_params *params)
{
    for (int i = 0; i < PARAMETERS; i++)
        if (taken_by(&parameters[i], params->kind) && isnan(value_of(params, &parameters[i])))
            return true;
    return params->kind == PRICE_PATH_HAWKES && params->hawkes_half_life_ms == CALENDAR_NONE;
}

static int wrong(struct error *err, const char *key, const char *message)
{
    return error_at(err, ERROR_SCENARIO, NULL, 0, 0, key, "%s", message);
}

static int check_points(const struct price_path_params *params,
                        const struct price_path_request *request, struct error *err)
{
    if (params->point_count == 0 || params->point_count > PRICE_PATH_POINTS_MAX)
        return error_at(err, ERROR_SCENARIO, NULL, 0, 0, "path.points",
                        "holds %zu points; expected 1 to %d", params->point_count,
                        PRICE_PATH_POINTS_MAX);
    for (size_t i = 0; i < params->point_count; i++) {
        int64_t before = i == 0 ? request->start_ms : params->point_ms[i - 1];
        if (params->point_ms[i] <= before)
            return wrong(err, "path.points",
                         "do not come one after the other, all after the path's beginning; "
                         "expected rising times");
        if (!(params->point_price[i] > 0.0) || isinf(params->point_price[i]))
            return wrong(err, "path.points", "has a price that is none; expected prices above 0");
    }
    return ERROR_NONE;
}

static int check_kind(const struct price_path_params *params,
                      const struct price_path_request *request, struct error *err)
{
    switch (params->kind) {
    case PRICE_PATH_GARCH:
        if (!(params->garch_alpha + params->garch_beta < 1.0))
            return wrong(err, "path.garch.beta",
                         "and path.garch.alpha have no long-run variance; expected a sum below 1");
        return ERROR_NONE;
    case PRICE_PATH_HAWKES:
        if (params->hawkes_half_life_ms <= 0)
            return wrong(err, "path.hawkes.half_life", "is not a time; expected more than 0");
        return ERROR_NONE;
    case PRICE_PATH_BLOCK_BOOTSTRAP:
        if (params->block_ms <= 0)
            return wrong(err, "path.block", "is not a time; expected more than 0");
        if (request->history.bars == 0 || request->history.step_ms != request->step_ms)
            return wrong(err, "path.model",
                         "block_bootstrap has no observed bars to draw from; expected a warm-up "
                         "before path.at, in steps of time.step");
        return ERROR_NONE;
    case PRICE_PATH_BRIDGE:
        return check_points(params, request, err);
    case PRICE_PATH_GBM:
    case PRICE_PATH_STUDENT_T:
    case PRICE_PATH_MERTON:
    case PRICE_PATH_COUNT:
        break;
    }
    return ERROR_NONE;
}

static int check(const struct price_path_params *params, const struct price_path_request *request,
                 struct error *err)
{
    if ((unsigned)params->kind >= PRICE_PATH_COUNT)
        return wrong(err, "path.model", "is none; expected a model that makes a path");
    if (!(request->start_price > 0.0) || isinf(request->start_price) || request->step_ms <= 0)
        return wrong(err, "path", "has no beginning; expected a price above 0 and a step");
    for (int i = 0; i < PARAMETERS; i++) {
        const struct parameter *parameter = &parameters[i];
        double value = value_of(params, parameter);
        bool reached = parameter->above ? value > parameter->low : value >= parameter->low;
        if (taken_by(parameter, params->kind) && !(reached && value < parameter->below))
            return error_at(err, ERROR_SCENARIO, NULL, 0, 0, parameter->key,
                            "is %g; expected %s %g and below %g", value,
                            parameter->above ? "more than" : "at least", parameter->low,
                            parameter->below);
    }
    return check_kind(params, request, err);
}

/* ---- making ----------------------------------------------------------------------------- */

int price_path_make(const struct price_path_params *params,
                    const struct price_path_request *request, double *open, double *high,
                    double *low, double *close, struct error *err)
{
    static void (*const makers[PRICE_PATH_COUNT])(struct price_path_walk *) = {
        [PRICE_PATH_GBM] = price_path_gbm_make,
        [PRICE_PATH_GARCH] = price_path_garch_make,
        [PRICE_PATH_STUDENT_T] = price_path_student_t_make,
        [PRICE_PATH_MERTON] = price_path_merton_make,
        [PRICE_PATH_HAWKES] = price_path_hawkes_make,
        [PRICE_PATH_BLOCK_BOOTSTRAP] = price_path_block_bootstrap_make,
        [PRICE_PATH_BRIDGE] = price_path_bridge_make,
    };
    int code = check(params, request, err);
    if (code != ERROR_NONE)
        return code;
    struct price_path_walk walk = {0};
    walk.open = open;
    walk.high = high;
    walk.low = low;
    walk.close = close;
    price_path_walk_start(&walk, params, request);
    makers[params->kind](&walk);
    for (size_t bar = 0; bar < request->bars; bar++)
        if (!(low[bar] >= DBL_MIN) || !isfinite(high[bar]))
            return error_at(err, ERROR_SCENARIO, NULL, 0, 0, "path",
                            "leaves all prices in bar %zu; expected a lower drift, volatility or "
                            "jumps",
                            bar);
    return ERROR_NONE;
}

/* ---- fitting ---------------------------------------------------------------------------- */

static int make_returns(struct price_path_returns *self, const struct price_path_history *history,
                        struct error *err)
{
    memset(self, 0, sizeof *self);
    if (history->bars < RETURNS_LEAST + 1)
        return error_at(err, ERROR_DATA, NULL, 0, 0, "path",
                        "cannot be fitted to %zu bars before path.at; expected at least %d, or the "
                        "parameters themselves",
                        history->bars, RETURNS_LEAST + 1);
    self->count = history->bars - 1;
    self->step_ms = history->step_ms;
    self->years = (double)history->step_ms / PRICE_PATH_YEAR_MS;
    self->values = memory_alloc(self->count, sizeof *self->values);
    if (self->values == NULL)
        return error_memory(err, "fitting a price path");
    double squares = 0.0;
    for (size_t i = 0; i < self->count; i++) {
        self->values[i] = log(history->close[i + 1] / history->close[i]);
        self->mean += self->values[i] / (double)self->count;
    }
    for (size_t i = 0; i < self->count; i++)
        squares += (self->values[i] - self->mean) * (self->values[i] - self->mean);
    self->variance = squares / (double)(self->count - 1);
    /* Rounding leaves a speck of variance in prices that grow evenly. */
    if (self->variance > 1e-24)
        return ERROR_NONE;
    memory_free(self->values);
    return error_at(err, ERROR_DATA, NULL, 0, 0, "path",
                    "cannot be fitted to prices that do not vary; expected a history that moves, "
                    "or the parameters themselves");
}

int price_path_fit(struct price_path_params *params, const struct price_path_history *history,
                   struct error *err)
{
    typedef int fit_function(struct price_path_params *, const struct price_path_returns *,
                             struct error *);
    static fit_function *const fits[PRICE_PATH_COUNT] = {
        [PRICE_PATH_GBM] = price_path_gbm_fit,
        [PRICE_PATH_GARCH] = price_path_garch_fit,
        [PRICE_PATH_STUDENT_T] = price_path_student_t_fit,
        [PRICE_PATH_MERTON] = price_path_merton_fit,
        [PRICE_PATH_HAWKES] = price_path_hawkes_fit,
        [PRICE_PATH_BRIDGE] = price_path_gbm_fit,
    };
    struct price_path_returns returns;
    if ((unsigned)params->kind >= PRICE_PATH_COUNT)
        return wrong(err, "path.model", "is none; expected a model that makes a path");
    if (!any_missing(params) || fits[params->kind] == NULL)
        return ERROR_NONE;
    int code = make_returns(&returns, history, err);
    if (code != ERROR_NONE)
        return code;
    if (isnan(params->drift_per_year))
        params->drift_per_year = returns.mean / returns.years;
    code = fits[params->kind](params, &returns, err);
    memory_free(returns.values);
    return code;
}
