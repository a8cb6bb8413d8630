#include "models/liquidation.h"

#include <math.h>
#include <string.h>

/* What an order leaves stands this much below the edge it was sized for (a bracket's cap, or
   maintenance equal to equity), so that rounding does not put it back above. */
#define CAP_ROOM 1e-12
#define EQUITY_ROOM 1e-9

const struct liquidation_model liquidation_models[] = {
    {.name = "full",
     .documentation = "the whole position by one order; what no book takes is the insurance fund's "
                      "at the bankruptcy price. Binance first tries to bring a large position down "
                      "a bracket, which `brackets` does",
     .source = "Binance, \"Binance Futures Liquidation Protocols\"",
     .kind = LIQUIDATION_KIND_FULL},
    {.name = "brackets",
     .documentation = "down to the cap of a lower bracket, one down (Bybit, BitMEX) or two (OKX, "
                      "from its third tier up); whole from the brackets below, and whole where "
                      "equity does not reach the lowest bracket's maintenance margin",
     .source = "BitMEX, \"Liquidation Process\"; Bybit, \"Liquidation Process (USDT Contract)\"; "
               "OKX, \"Forced partial liquidation rules\"",
     .kind = LIQUIDATION_KIND_BRACKETS},
    {.name = "share",
     .documentation = "a fixed part of a position above a notional (20 % above 100,000 USDC), the "
                      "whole of what still is liquidatable within the cooldown after it (30 s); "
                      "taken over by the backstop below a part of maintenance margin (2/3)",
     .source = "Hyperliquid docs, \"Liquidations\"",
     .kind = LIQUIDATION_KIND_SHARE},
    {.name = "incremental",
     .documentation = "as much as brings maintenance margin below equity again at the mark price "
                      "of the order, at least a fixed part; repeated while it is not enough",
     .source = "Deribit, \"Liquidations\"",
     .kind = LIQUIDATION_KIND_INCREMENTAL},
    {.name = "none",
     .documentation = "never by the venue: clearing firms call for margin and settle with their "
                      "customers, within days rather than seconds",
     .source = "CME Rule 930, \"Performance Bond Requirements: Account Holder Level\"",
     .kind = LIQUIDATION_KIND_NONE},
};
const int liquidation_model_count = sizeof liquidation_models / sizeof *liquidation_models;

const struct liquidation_model *liquidation_find(const char *name)
{
    for (int i = 0; i < liquidation_model_count; i++)
        if (strcmp(liquidation_models[i].name, name) == 0)
            return &liquidation_models[i];
    return NULL;
}

/* |z|: the value of a unit of size in the margin currency. */
static inline double unit_value(const struct margin_formula *formula, double price)
{
    return formula->inverse ? 1.0 / price : price;
}

/* The notional that picks a bracket at mark, as in margin_bracket: N P/E, and N E/P for inverse
   contracts, whose tiers are in coins. */
static double value_at_mark(const struct margin_formula *formula,
                            const struct liquidation_position *position, double price)
{
    return position->notional_usd * unit_value(formula, price) /
           unit_value(formula, position->entry_price);
}

static double bracket_value(const struct margin_formula *formula, const struct brackets *brackets,
                            const struct liquidation_position *position, double price)
{
    return margin_keeps_bracket(formula, brackets) ? position->notional_usd
                                                   : value_at_mark(formula, position, price);
}

double liquidation_equity_share(const struct margin_formula *formula,
                                const struct liquidation_position *position, double price)
{
    double entry = position->entry_price;
    double margin = unit_value(formula, entry) / position->leverage;
    double gain = margin_z(formula, price) - margin_z(formula, entry) - position->funding;
    return (margin + position->side * gain) / unit_value(formula, price);
}

/*
 * Maintenance by bracket n over the notional at mark. A formula is the line on which equity equals
 * maintenance, s * a * z = s * kappa without funding, so maintenance is the equity less its
 * distance from that line:
 *     margin + s (z - z(E)) - s (a z - kappa) = margin + s ((1 - a) z - z(E) + kappa).
 */
static double maintenance_by(const struct margin_formula *formula, const struct brackets *brackets,
                             const struct liquidation_position *position, double price, int n,
                             double cum_share)
{
    int side = position->side;
    double rate = brackets->rate[n], inverse_leverage = 1.0 / position->leverage;
    double entry = position->entry_price, z = margin_z(formula, price);
    double kappa = formula->kappa(side, entry, inverse_leverage, rate, cum_share);
    double slope = formula->slope(side, rate);
    double margin = unit_value(formula, entry) * inverse_leverage;
    double maintenance = margin + side * ((1.0 - slope) * z - margin_z(formula, entry) + kappa);
    return maintenance / unit_value(formula, price);
}

double liquidation_maintenance_share(const struct margin_formula *formula,
                                     const struct brackets *brackets,
                                     const struct liquidation_position *position, double price)
{
    int n = brackets_find(brackets, bracket_value(formula, brackets, position, price));
    return maintenance_by(formula, brackets, position, price, n,
                          brackets->cum_usd[n] / position->notional_usd);
}

static double brackets_share(const struct liquidation_rule *rule,
                             const struct margin_formula *formula, const struct brackets *brackets,
                             const struct liquidation_position *position, double price,
                             double equity)
{
    double value = bracket_value(formula, brackets, position, price);
    int n = brackets_find(brackets, value);
    int target = n - rule->brackets;
    if (target < 0 || target == n)
        return 1.0;
    if (equity < maintenance_by(formula, brackets, position, price, 0, 0.0))
        return 1.0;
    return 1.0 - (1.0 - CAP_ROOM) * brackets->cap_usd[target] / value;
}

/*
 * The largest part x that the equity of the whole can maintain: closed at mark, a loss comes out of
 * the margin and equity in money stays. Under bracket n the maintenance of a part x is a line,
 * x * rate - amount, and x must lie in the bracket; from the position's own bracket down, the first
 * that has such an x has the largest.
 */
static double maintained_share(const struct margin_formula *formula,
                               const struct brackets *brackets,
                               const struct liquidation_position *position, double price,
                               double equity)
{
    double value = bracket_value(formula, brackets, position, price);
    double most = 1.0; /* of the position, in bracket n */
    for (int n = brackets_find(brackets, value);; n--) {
        double rate = maintenance_by(formula, brackets, position, price, n, 0.0);
        double with_cum = maintenance_by(formula, brackets, position, price, n,
                                         brackets->cum_usd[n] / position->notional_usd);
        double x = rate > 0.0 ? fmin((equity + rate - with_cum) / rate, most) : most;
        most = brackets->floor_usd[n] / value;
        if (n == 0 || x > most)
            return x;
    }
}

double liquidation_share(const struct liquidation_rule *rule, const struct margin_formula *formula,
                         const struct brackets *brackets,
                         const struct liquidation_position *position, double price)
{
    double notional =
        formula->inverse ? position->notional_usd : value_at_mark(formula, position, price);
    if (rule->kind == LIQUIDATION_KIND_FULL || notional <= rule->above_usd)
        return 1.0;
    double equity = liquidation_equity_share(formula, position, price);
    if (equity <= 0.0)
        return 1.0;
    double share = 1.0;
    if (rule->kind == LIQUIDATION_KIND_BRACKETS)
        share = brackets_share(rule, formula, brackets, position, price, equity);
    else if (rule->kind == LIQUIDATION_KIND_SHARE)
        share = position->cooling ? 1.0 : rule->share;
    else if (rule->kind == LIQUIDATION_KIND_INCREMENTAL)
        share = fmax(rule->share,
                     1.0 - (1.0 - EQUITY_ROOM) *
                               maintained_share(formula, brackets, position, price, equity));
    return fmin(share, 1.0);
}

bool liquidation_backstop(const struct liquidation_rule *rule, const struct margin_formula *formula,
                          const struct brackets *brackets,
                          const struct liquidation_position *position, double price)
{
    return rule->backstop_share > 0.0 &&
           liquidation_equity_share(formula, position, price) <
               rule->backstop_share *
                   liquidation_maintenance_share(formula, brackets, position, price);
}

double liquidation_rest_inverse_leverage(const struct margin_formula *formula,
                                         const struct liquidation_position *position, double share,
                                         double fill, double fee_rate)
{
    double entry_value = unit_value(formula, position->entry_price);
    double gain =
        margin_z(formula, fill) - margin_z(formula, position->entry_price) - position->funding;
    double settled = position->side * gain - fee_rate * unit_value(formula, fill);
    double margin = entry_value / position->leverage + share * settled;
    return margin / ((1.0 - share) * entry_value);
}
