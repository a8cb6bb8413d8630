/*
 * Margin formulas: when is a position liquidated, and where is its bankruptcy price. One row per
 * formula. s is the side (+1 long, -1 short), E the entry price, L the leverage (notional over
 * isolated margin), N the notional at entry in USD, m and cum of a bracket (models/brackets.h).
 *
 * Every formula is affine, which is what lets an engine keep positions sorted whatever the price,
 * funding and OI level do. With z(P) = P (linear contracts) or -1/P (inverse ones), F the funding
 * per unit of size accumulated since some origin (per coin; per contract for inverse), a position
 * opened at price y fires when
 *     s * (a * z(P) - F) <= s * K,     K = unit(y) * kappa - F(open),
 * unit(y) = y or 1/y. a depends on side and bracket, kappa on e = E/y, L, m and cum/N, and on
 * nothing that a path changes.
 *
 * How the six of them are of this form, for a fresh position (F = 0, y = E, i = 1/L, c = cum/N);
 * each solves equity = maintenance margin, per coin or per contract:
 *     linear_mark    E s i + (P - E) = s m P - s c E    a = 1 - s m   K = E (1 - s (i + c))
 *     linear_fee     the same with m + taker for m      a = 1 - s (m + taker)   K as above
 *     hyperliquid    P_liq = P - s avail / q / (1 - s l), at any price P, with avail = equity less
 *                    maintenance margin there, M + s q (P - E) - (l q P - cum); P cancels and what
 *                    is left is (E - s (M + cum)/q) / (1 - s l): linear_mark with m = l
 *     linear_entry   E s i + (P - E) = s m E - s c E    a = 1         K = E (1 - s (i - m + c))
 *     inverse_entry  s i/E - (1/P - 1/E) = s m/E - s c/E
 *                                                       a = 1         K = -(1 + s (i - m + c))/E
 *     inverse_mark   s i/E - (1/P - 1/E) = s m/P - s c/E
 *                                                       a = 1 + s m   K = -(1 + s (i + c))/E
 *
 * `rate` of the functions below is what must be left of the notional: the bracket's maintenance
 * margin rate, and the taker fee on top where the row says adds_taker. Tables are made ready for a
 * formula once, by margin_prepare; everything else takes the rate as the table has it.
 *
 * Sources: Binance, "Liquidation price of USD-M / COIN-M futures"; BitMEX, "Inverse contracts:
 * liquidation"; Bybit, "Liquidation price calculation"; OKX, "Isolated margin mode"; Hyperliquid
 * docs, "Liquidations" and "Margin tiers". Cross margin: Binance, "How to calculate liquidation
 * price of USD-M futures contracts".
 */
#ifndef LIQCASCADE_MODELS_MARGIN_H
#define LIQCASCADE_MODELS_MARGIN_H

#include <stdbool.h>

#include "base/error.h"
#include "models/brackets.h"

struct margin_formula {
    const char *name;
    const char *documentation;
    const char *source;
    bool inverse;          /* contracts of 1 USD, margined in the coin */
    bool bracket_at_entry; /* maintenance margin of the entry notional; else of the mark's */
    bool adds_taker;       /* the fee of the closing order has to be left, too: margin_prepare */
    double (*slope)(int side, double rate); /* a */
    double (*kappa)(int side, double e, double inverse_leverage, double rate,
                    double cum_share); /* cum_share = cum/N */
    double (*entry)(int side, double kappa, double inverse_leverage, double rate,
                    double cum_share); /* e from kappa */
};

extern const struct margin_formula margin_formulas[];
extern const int margin_formula_count;

/* "linear_mark", "linear_entry", "linear_fee", "inverse_entry", "inverse_mark", "hyperliquid";
   NULL when unknown. */
const struct margin_formula *margin_find(const char *name);

/* The rate that a formula uses where a bracket says `rate`: with the taker fee where it is part. */
static inline double margin_rate(const struct margin_formula *formula, double rate,
                                 double taker_rate)
{
    return formula->adds_taker ? rate + taker_rate : rate;
}

/* Makes a table ready for a formula: adds the taker fee to every rate where the formula wants it,
   and does nothing otherwise. The maintenance amounts stay, as they come from differences of rates.
   To be called once for a table. ERROR_DATA when a rate would reach 1. */
int margin_prepare(const struct margin_formula *formula, double taker_rate,
                   struct brackets *brackets, struct error *err);

/* z(P), and the price with a given z. */
static inline double margin_z(const struct margin_formula *formula, double price)
{
    return formula->inverse ? -1.0 / price : price;
}
static inline double margin_price(const struct margin_formula *formula, double z)
{
    return formula->inverse ? -1.0 / z : z;
}
/* unit(y): y or 1/y. */
static inline double margin_unit(const struct margin_formula *formula, double open_price)
{
    return formula->inverse ? 1.0 / open_price : open_price;
}

/* True when a position's bracket is that of its entry whatever the price: maintenance at entry, one
   bracket alone, or a table whose brackets hold the whole position (see models/brackets.h). */
static inline bool margin_keeps_bracket(const struct margin_formula *formula,
                                        const struct brackets *brackets)
{
    return formula->bracket_at_entry || brackets->whole || brackets->count == 1;
}

/* Bracket that decides the liquidation of a position without funding: the entry bracket where
   margin_keeps_bracket; else, for maintenance at mark, the one that liquidates first (for a long
   the highest liquidation price over all brackets, for a short the lowest), which is the one that
   holds the notional there. */
int margin_bracket(const struct margin_formula *formula, const struct brackets *brackets, int side,
                   double notional_usd, double leverage);

/* Liquidation price of a fresh position (no funding), in quote currency. A long that cannot be
   liquidated (no price above 0) gives 0, such a short (inverse) INFINITY. */
double margin_liquidation_price(const struct margin_formula *formula,
                                const struct brackets *brackets, int side, double entry_price,
                                double notional_usd, double leverage);

/* Price at which the margin is gone: linear E(1 - s/L), inverse E*L/(L + s). */
double margin_bankruptcy_price(const struct margin_formula *formula, int side, double entry_price,
                               double leverage);

/* One position in a linear contract of an account with cross margin. */
struct margin_leg {
    int side;
    double size_coins, entry_price;
};

/* Prices between which an account is not liquidated. `balance_usd` is what stands behind the legs:
   wallet balance, less the maintenance margin and plus the profit of all other contracts. Two legs,
   a long and a short, are hedge mode. Solves
       balance + sum s q (P - E) = sum (q P m_n - cum_n)
   over the brackets n of each leg, Binance's formula of cross margin and hedge mode
       P = (WB - TMM + UPNL + cum_L + cum_S - q_L E_L + q_S E_S) / (q_L m_L + q_S m_S - q_L + q_S)
   with those brackets that hold the notionals at P: maintenance margin is the largest over all
   brackets (models/brackets.h), so that every choice of brackets gives a bound and the nearest
   bounds count. Formulas of maintenance at entry take the notional there. `formula` is linear.
   Without a price below (above), low is 0 (high INFINITY); low >= high when no price is safe. */
void margin_cross_prices(const struct margin_formula *formula, const struct brackets *brackets,
                         const struct margin_leg *legs, int leg_count, double balance_usd,
                         double *out_low, double *out_high);

/* Bracket of a leg when the price is `price`. */
int margin_leg_bracket(const struct margin_formula *formula, const struct brackets *brackets,
                       const struct margin_leg *leg, double price);

#endif
