/*
 * Maintenance margin brackets: tiers of notional, each with a maintenance margin rate (MMR) and a
 * maximum leverage. Venues apply them by one of two schemes:
 *   marginal  each slice of the notional at its own rate, like an income tax, written with the
 *             maintenance amount `cum` that makes the margin continuous:
 *                 cum_0 = 0,  cum_n = floor_n * (m_n - m_{n-1}) + cum_{n-1}
 *                 MM(N) = N * m_n - cum_n  for the n that holds N  =  max_n (N * m_n - cum_n)
 *             The equality with the maximum needs rising rates, which brackets_init checks.
 *   whole     all of the position at the rate of the bracket that holds it: cum is 0 and the
 *             margin jumps at every edge. The tier is one of size, given in contracts or as a risk
 *             limit that the trader picks, so the price does not move a position out of it.
 *
 * Coins. A venue of coin-margined contracts tiers by value in the coin, and OKX by contracts of a
 * fixed number of coins. Such a table is made by brackets_init from coin amounts and then valued
 * once, by brackets_scale with a price. A table cannot follow the price bar by bar: a position's
 * bracket is fixed when it opens, and the engine keeps positions sorted by it. Taken at the price
 * when the table comes into force (or when a run begins, if that is later), edges are off by the
 * price's move since then; a position is in another bracket than it would be only when its size
 * lies within that factor of an edge. For inverse contracts the deciding bracket is the one of
 * N/P coins, and N * E/P against an edge in coins times E is the same comparison, exact at y = E.
 *
 * Sources: Binance, "Leverage and Margin of USD-M Futures", binance.com/en/futures/trading-rules;
 * Bybit, "Margin Parameters"; Hyperliquid docs, "Margin tiers" (marginal); BitMEX, "Risk Limits
 * Examples"; OKX, "Position tiers" (whole).
 */
#ifndef LIQCASCADE_MODELS_BRACKETS_H
#define LIQCASCADE_MODELS_BRACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BRACKETS_MAX 32

struct brackets {
    int count;                      /* 1 to BRACKETS_MAX */
    int64_t valid_from_ms;          /* in force from this time on */
    bool whole;                     /* scheme: all of a position at its bracket's rate */
    double floor_usd[BRACKETS_MAX]; /* floor_usd[0] = 0; floor_usd[n] = cap_usd[n-1] */
    double cap_usd[BRACKETS_MAX];   /* upper end of the tier's notional, inclusive; the last one
                                       may be INFINITY */
    double max_leverage[BRACKETS_MAX];
    double rate[BRACKETS_MAX];    /* MMR, a fraction */
    double cum_usd[BRACKETS_MAX]; /* regenerated, never read */
};

/* Fills `self`, of the marginal scheme, from caps, leverages and rates (arrays of `count`),
   regenerating `cum`. ERROR_DATA when caps do not rise, rates fall, a leverage is below 1 or rises,
   or a rate is outside [0, 1). */
int brackets_init(struct brackets *self, int count, const double *cap_usd,
                  const double *max_leverage, const double *rate, int64_t valid_from_ms,
                  struct error *err);

/* Turns a table into one of the whole scheme: no maintenance amounts. */
void brackets_make_whole(struct brackets *self);

/* Multiplies floors and caps, and with them `cum`, by a factor above 0: the price that values a
   table in coins, or a scale of all tiers. */
void brackets_scale(struct brackets *self, double factor);

/* One bracket without limits: MMR `rate`, maximum leverage `max_leverage`, cum 0. */
void brackets_flat(struct brackets *self, double rate, double max_leverage);

/* Index of the bracket that holds a notional (USD, >= 0); the last one beyond every cap. */
int brackets_find(const struct brackets *self, double notional_usd);

/* Maintenance margin in USD of a notional in USD: N * m_n - cum_n. */
double brackets_maintenance_usd(const struct brackets *self, double notional_usd);

/* Highest leverage allowed for a notional in USD. */
double brackets_max_leverage(const struct brackets *self, double notional_usd);

#endif
