/*
 * Funding: what longs pay shorts (shorts pay longs when the rate is negative) each interval, as a
 * fraction of notional. Rates are fractions: 0.0001 is 0.01 %. Pure functions of numbers.
 *
 * A paid rate eats margin. With F the funding paid per coin since the position was opened, an
 * isolated long at entry E, leverage L and maintenance margin rate m is liquidated at
 *     P = (E (1 - 1/L) + F) / (1 - m),
 * so k payments of rate f at P = E liquidate it without any move once k = (1/L - m) / f.
 *
 * Sources: Binance, "Introduction to Binance Futures Funding Rates" (interest, clamp, and the
 * time-weighted premium index).
 */
#ifndef LIQCASCADE_MODELS_FUNDING_H
#define LIQCASCADE_MODELS_FUNDING_H

#include <stddef.h>
#include <stdint.h>

#define FUNDING_INTEREST_8H 0.0001 /* the interest rate component, per 8 hours */
#define FUNDING_CLAMP 0.0005       /* bound on interest less premium */

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
