/*
 * Maintenance margin brackets: tiers of notional, each with a maintenance margin rate (MMR), a
 * maximum leverage and the maintenance amount `cum` that makes the margin continuous:
 *     cum_0 = 0,  cum_n = floor_n * (m_n - m_{n-1}) + cum_{n-1}            (Binance USD-M)
 *     MM(N) = N * m_n - cum_n  for the n that holds N  =  max_n (N * m_n - cum_n)
 * The equality with the maximum needs rising rates, which brackets_init checks.
 * Source: Binance, "Leverage and Margin of USD-M Futures", binance.com/en/futures/trading-rules.
 */
#ifndef LIQCASCADE_MODELS_BRACKETS_H
#define LIQCASCADE_MODELS_BRACKETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BRACKETS_MAX 32

struct brackets {
    int count;                      /* 1 to BRACKETS_MAX */
    int64_t valid_from_ms;          /* in force from this time on */
    double floor_usd[BRACKETS_MAX]; /* floor_usd[0] = 0; floor_usd[n] = cap_usd[n-1] */
    double cap_usd[BRACKETS_MAX];   /* upper end of the tier's notional, inclusive */
    double max_leverage[BRACKETS_MAX];
    double rate[BRACKETS_MAX];    /* MMR, a fraction */
    double cum_usd[BRACKETS_MAX]; /* regenerated, never read */
};

/* Fills `self` from caps, leverages and rates (arrays of `count`), regenerating `cum`. ERROR_DATA
   when caps do not rise, rates fall, a leverage is below 1 or rises, or a rate is outside [0, 1).
 */
int brackets_init(struct brackets *self, int count, const double *cap_usd,
                  const double *max_leverage, const double *rate, int64_t valid_from_ms,
                  struct error *err);

/* One bracket without limits: MMR `rate`, maximum leverage `max_leverage`, cum 0. */
void brackets_flat(struct brackets *self, double rate, double max_leverage);

/* Index of the bracket that holds a notional (USD, >= 0); the last one beyond every cap. */
int brackets_find(const struct brackets *self, double notional_usd);

/* Maintenance margin in USD of a notional in USD: max_n(N * m_n - cum_n). */
double brackets_maintenance_usd(const struct brackets *self, double notional_usd);

/* Highest leverage allowed for a notional in USD. */
double brackets_max_leverage(const struct brackets *self, double notional_usd);

#endif
