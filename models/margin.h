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
 * Sources: Binance, "Liquidation price of USD-M / COIN-M futures"; BitMEX, "Inverse contracts:
 * liquidation"; Bybit, "Liquidation price calculation"; Hyperliquid docs, "Liquidations".
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
    double (*slope)(int side, double rate); /* a */
    double (*kappa)(int side, double e, double inverse_leverage, double rate,
                    double cum_share); /* cum_share = cum/N */
    double (*entry)(int side, double kappa, double inverse_leverage, double rate,
                    double cum_share); /* e from kappa */
};

extern const struct margin_formula margin_formulas[];
extern const int margin_formula_count;

/* "linear_mark", "linear_entry", "inverse_entry", "inverse_mark"; NULL when unknown. */
const struct margin_formula *margin_find(const char *name);

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

/* Bracket that decides the liquidation of a position without funding: the entry bracket, or, for
   maintenance at mark, the one that liquidates first (for a long the highest liquidation price over
   all brackets, for a short the lowest), which is the one that holds the notional there. */
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

#endif
