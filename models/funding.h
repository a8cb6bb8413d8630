/*
 * Funding: what longs pay shorts (shorts pay longs when the rate is negative) each interval, as a
 * fraction of notional. Rates are fractions: 0.0001 is 0.01 %. Pure functions of numbers.
 *
 * A paid rate eats margin. With F the funding paid per coin since the position was opened, an
 * isolated long at entry E, leverage L and maintenance margin rate m is liquidated at
 *     P = (E (1 - 1/L) + F) / (1 - m),
 * so k payments of rate f at P = E liquidate it without any move once k = (1/L - m) / f.
 *
 * A rule makes the rate: what each finished step showed goes in by funding_observe, funding_due
 * gives the rate where a payment falls due. An order book has as many longs as shorts, so linear,
 * cubic and velocity need traders against a pool, or take the premium as a proxy for the imbalance.
 *
 * Sources: Binance, "Introduction to Binance Futures Funding Rates" (interest, clamp, and the
 * time-weighted premium index); of the pools' rules, in their rows.
 */
#ifndef LIQCASCADE_MODELS_FUNDING_H
#define LIQCASCADE_MODELS_FUNDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUNDING_INTEREST_8H 0.0001 /* the interest rate component, per 8 hours */
#define FUNDING_CLAMP 0.0005       /* bound on interest less premium */

enum funding_kind {
    FUNDING_KIND_OBSERVED,
    FUNDING_KIND_PREMIUM_CLAMP,
    FUNDING_KIND_LINEAR,
    FUNDING_KIND_CUBIC,
    FUNDING_KIND_VELOCITY
};

struct funding_model {
    const char *name;
    const char *documentation;
    const char *source;
    enum funding_kind kind;
};

extern const struct funding_model funding_models[];
extern const int funding_model_count;

/* "observed", "premium_clamp", "linear", "cubic", "velocity"; NULL when unknown. */
const struct funding_model *funding_find(const char *name);

/* Rates are fractions of notional per interval. */
struct funding_rule {
    enum funding_kind kind;
    bool premium_signal; /* imbalance is premium / premium_limit; else skew over the limit in USD */
    bool per_eight_hours; /* premium_clamp: the rate is one of 8 h and paid in proportion to the
                             interval (Binance from 18 September 2025); else only the interest is */
    int64_t interval_ms;  /* between payments; they fall on its multiples since 1970 UTC */
    double interest_8h;   /* premium_clamp: interest per 8 h */
    double cap;           /* bound on the rate either way; INFINITY: none */
    double max_rate;      /* linear, cubic: rate at full imbalance */
    double limit_usd;     /* imbalance that counts as full; NaN: the OI itself */
    double premium_limit; /* premium that counts as full imbalance */
    double velocity_max;  /* velocity: change of the rate per day at full imbalance */
};

/* What one finished step showed. NaN where it is not known: what was known before stands. */
struct funding_signal {
    double premium;    /* last / index - 1, at the step's end */
    double skew_coins; /* traders' longs less shorts; above 0: longs pay */
    double oi_coins;   /* of the larger side */
    double price;
    int64_t step_ms;
};

/* Starts as {0}: no premium seen, balanced, rate 0. */
struct funding_state {
    double weighted_premium; /* sum of i * p_i over the steps of this interval */
    double weights;          /* sum of i */
    int64_t steps;           /* the last i */
    double imbalance;        /* within +-1 */
    double rate;             /* velocity */
};

/* Takes in one finished step. Velocity integrates its equation over the step exactly, so that the
   length of steps does not matter while the imbalance stays. */
void funding_observe(const struct funding_rule *rule, struct funding_state *state,
                     const struct funding_signal *signal);

/* The rate as it stands after the last observed step: what a payment now would be. 0 before any
   step was observed, and for `observed`, whose rates come from the data. */
double funding_rate(const struct funding_rule *rule, const struct funding_state *state);

/* Sum of what falls due at the open of a bar: funding_rate for each multiple of the interval in
   (time_ms - step_ms, time_ms], 0 where there is none. Where it falls due the mean premium begins
   anew. */
double funding_due(const struct funding_rule *rule, struct funding_state *state, int64_t time_ms,
                   int64_t step_ms);

/* u in [0, 1] as of the last observed step, whatever the rule; `out_sign` +1: longs exceed (or the
   premium is above 0), -1: shorts, 0: balanced. `out_sign` may be NULL. */
double funding_utilisation(const struct funding_state *state, int *out_sign);

/* Time-weighted mean of a premium index sampled evenly over an interval, `count` values, oldest
   first: weights 1, 2, ..., count, so that the latest counts most. NaN for count 0. */
double funding_premium_mean(const double *premium, size_t count);

/* Rate of an interval from its mean premium P: P + clamp(I - P, -0.05 %, +0.05 %), with the
   interest I = 0.01 % per 8 h in proportion to `interval_ms`, then held within +-`cap` (the venue's
   limit; INFINITY: none). Where the clamp does not bind the rate is I exactly. */
double funding_premium_clamp(double premium, int64_t interval_ms, double cap);

/* Simple rate per year of 365 days: rate times intervals per year. */
double funding_annualised(double rate, int64_t interval_ms);

/* Payments that fall into a holding time that begins just after one: floor(hold / interval). */
int64_t funding_payments(int64_t interval_ms, int64_t hold_ms);

/* What a side (+1 long, -1 short) pays over `payments` at a constant rate and notional, in USD;
   negative: it receives. */
double funding_cost_usd(int side, double rate, int64_t payments, double notional_usd);

/* How many payments liquidate an isolated linear position at an unmoved price:
   (1/L - m) / (side * rate). INFINITY when the side receives or nothing is paid; 0 when 1/L <= m.
 */
double funding_payments_to_liquidation(int side, double rate, double leverage,
                                       double maintenance_rate);

/* Liquidation price of an isolated linear position after `payments` at a price that stayed at
   `entry_price`: E (1 - s/L + k f) / (1 - s m), never below 0. */
double funding_liquidation_price(int side, double entry_price, double leverage,
                                 double maintenance_rate, double rate, double payments);

#endif
