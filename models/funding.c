#include "models/funding.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"

#define EIGHT_HOURS_MS (8 * CALENDAR_HOUR_MS)

const struct funding_model funding_models[] = {
    {.name = "observed",
     .documentation = "the rates of data.funding, each at its time",
     .source = "the data",
     .kind = FUNDING_KIND_OBSERVED},
    {.name = "premium_clamp",
     .documentation = "mean premium plus interest less premium held within +-0.05 %, so that a "
                      "small premium costs the interest alone; the mean weighs the steps of an "
                      "interval 1, 2, ..., n",
     .source = "Binance, \"Introduction to Binance Futures Funding Rates\"",
     .kind = FUNDING_KIND_PREMIUM_CLAMP},
    {.name = "linear",
     .documentation = "the larger side pays u times the maximum rate, u = its excess over the "
                      "other side by the limit of open interest, at most 1",
     .source = "the rate in proportion to skew of Synthetix perpetual futures v1 (SIP-80); u as in "
               "LeverUp, \"Cubic OI Funding Model\"",
     .kind = FUNDING_KIND_LINEAR},
    {.name = "cubic",
     .documentation = "the larger side pays u^3 times the maximum rate: moderate imbalance is "
                      "cheap, severe imbalance reprices fast",
     .source = "LeverUp, \"Cubic OI Funding Model\", blog.leverup.xyz/cubic-oi-funding-model",
     .kind = FUNDING_KIND_CUBIC},
    {.name = "velocity",
     .documentation = "imbalance moves the rate rather than sets it, at most by the maximum "
                      "velocity, and twice as fast while the smaller side still pays",
     .source = "Symmetry, docs.symmetry.trade, \"Funding\"; Synthetix SIP-279 without the doubling",
     .kind = FUNDING_KIND_VELOCITY},
};
const int funding_model_count = sizeof funding_models / sizeof *funding_models;

const struct funding_model *funding_find(const char *name)
{
    for (int i = 0; i < funding_model_count; i++)
        if (strcmp(name, funding_models[i].name) == 0)
            return &funding_models[i];
    return NULL;
}

static double clamp(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

double funding_premium_mean(const double *premium, size_t count)
{
    double sum = 0.0, weights = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)(i + 1) * premium[i];
        weights += (double)(i + 1);
    }
    return count > 0 ? sum / weights : NAN;
}

/* P + clamp(I - P); I itself where the clamp does not bind, to the last digit. */
static double dampened(double premium, double interest)
{
    if (interest - premium > FUNDING_CLAMP)
        return premium + FUNDING_CLAMP;
    if (interest - premium < -FUNDING_CLAMP)
        return premium - FUNDING_CLAMP;
    return interest;
}

static double interval_share(int64_t interval_ms)
{
    return (double)interval_ms / (double)EIGHT_HOURS_MS;
}

double funding_premium_clamp(double premium, int64_t interval_ms, double cap)
{
    double interest = FUNDING_INTEREST_8H * interval_share(interval_ms);
    return isnan(premium) ? NAN : clamp(dampened(premium, interest), -cap, cap);
}

/* ---- Rules ---- */

static void observe_premium(struct funding_state *state, double premium)
{
    if (isnan(premium))
        return;
    state->steps++;
    state->weighted_premium += (double)state->steps * premium;
    state->weights += (double)state->steps;
}

/* Imbalance over what counts as full; NaN where it is not known. */
static double relative_imbalance(const struct funding_rule *rule,
                                 const struct funding_signal *signal)
{
    if (rule->premium_signal)
        return signal->premium / rule->premium_limit;
    if (!isnan(rule->limit_usd))
        return signal->skew_coins * signal->price / rule->limit_usd;
    /* Without positions there is nothing to be out of balance. */
    return signal->oi_coins == 0.0 ? 0.0 : signal->skew_coins / signal->oi_coins;
}

/* dr/dt = V * imbalance, doubled until a rate of the other sign has come to 0. */
static double moved_rate(const struct funding_rule *rule, double rate, double imbalance,
                         double days)
{
    double velocity = rule->velocity_max * imbalance;
    if (rate * velocity < 0.0) {
        double days_to_zero = -rate / (2.0 * velocity);
        if (days_to_zero >= days)
            return rate + 2.0 * velocity * days;
        rate = 0.0;
        days -= days_to_zero;
    }
    return clamp(rate + velocity * days, -rule->cap, rule->cap);
}

void funding_observe(const struct funding_rule *rule, struct funding_state *state,
                     const struct funding_signal *signal)
{
    double imbalance = relative_imbalance(rule, signal);
    observe_premium(state, signal->premium);
    if (!isnan(imbalance))
        state->imbalance = clamp(imbalance, -1.0, 1.0);
    if (rule->kind == FUNDING_KIND_VELOCITY)
        state->rate = moved_rate(rule, state->rate, state->imbalance,
                                 (double)signal->step_ms / (double)CALENDAR_DAY_MS);
}

static double premium_rate(const struct funding_rule *rule, const struct funding_state *state)
{
    double share = interval_share(rule->interval_ms);
    if (state->steps == 0)
        return 0.0;
    double mean = state->weighted_premium / state->weights;
    if (rule->per_eight_hours)
        return share * dampened(mean, rule->interest_8h);
    return dampened(mean, share * rule->interest_8h);
}

double funding_rate(const struct funding_rule *rule, const struct funding_state *state)
{
    double u = state->imbalance, rate = 0.0;
    switch (rule->kind) {
    case FUNDING_KIND_OBSERVED:
        break;
    case FUNDING_KIND_PREMIUM_CLAMP:
        rate = premium_rate(rule, state);
        break;
    case FUNDING_KIND_LINEAR:
        rate = u * rule->max_rate;
        break;
    case FUNDING_KIND_CUBIC:
        rate = u * u * u * rule->max_rate;
        break;
    case FUNDING_KIND_VELOCITY:
        rate = state->rate;
        break;
    }
    return clamp(rate, -rule->cap, rule->cap);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

double funding_due(const struct funding_rule *rule, struct funding_state *state, int64_t time_ms,
                   int64_t step_ms)
{
    int64_t payments =
        floor_div(time_ms, rule->interval_ms) - floor_div(time_ms - step_ms, rule->interval_ms);
    if (payments == 0)
        return 0.0;
    double due = (double)payments * funding_rate(rule, state);
    state->weighted_premium = state->weights = 0.0;
    state->steps = 0;
    return due;
}

double funding_utilisation(const struct funding_state *state, int *out_sign)
{
    if (out_sign)
        *out_sign = (state->imbalance > 0.0) - (state->imbalance < 0.0);
    return fabs(state->imbalance);
}

/* ---- What is paid ---- */

double funding_annualised(double rate, int64_t interval_ms)
{
    return rate * (365.0 * (double)CALENDAR_DAY_MS / (double)interval_ms);
}

int64_t funding_payments(int64_t interval_ms, int64_t hold_ms)
{
    return hold_ms / interval_ms;
}

double funding_cost_usd(int side, double rate, int64_t payments, double notional_usd)
{
    return side * rate * (double)payments * notional_usd;
}

double funding_payments_to_liquidation(int side, double rate, double leverage,
                                       double maintenance_rate)
{
    double room = 1.0 / leverage - maintenance_rate;
    double paid = side * rate;
    if (room <= 0.0)
        return 0.0;
    return paid > 0.0 ? room / paid : INFINITY;
}

double funding_liquidation_price(int side, double entry_price, double leverage,
                                 double maintenance_rate, double rate, double payments)
{
    double price =
        entry_price * (1.0 - side / leverage + payments * rate) / (1.0 - side * maintenance_rate);
    return fmax(price, 0.0);
}
