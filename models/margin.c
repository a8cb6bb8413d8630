#include "models/margin.h"

#include <math.h>
#include <string.h>

/*
 * Each formula solves equity = maintenance margin per unit of size, with margin 1/L of the entry
 * value and PnL linear in z. Maintenance at mark brings m into the slope; at entry, into kappa.
 * `factor` is kappa without its dependence on e: kappa = e * factor (linear), -factor / e
 * (inverse).
 */

static double slope_one(int side, double rate)
{
    (void)side;
    (void)rate;
    return 1.0;
}

static double linear_mark_slope(int side, double rate)
{
    return 1.0 - side * rate;
}

static double inverse_mark_slope(int side, double rate)
{
    return 1.0 + side * rate;
}

static inline double linear_mark_factor(int side, double inverse_leverage, double cum_share)
{
    return 1.0 - side * (inverse_leverage + cum_share);
}

static inline double linear_entry_factor(int side, double inverse_leverage, double rate,
                                         double cum_share)
{
    return 1.0 - side * (inverse_leverage - rate + cum_share);
}

static inline double inverse_entry_factor(int side, double inverse_leverage, double rate,
                                          double cum_share)
{
    return 1.0 + side * (inverse_leverage - rate + cum_share);
}

static inline double inverse_mark_factor(int side, double inverse_leverage, double cum_share)
{
    return 1.0 + side * (inverse_leverage + cum_share);
}

static double linear_mark_kappa(int side, double e, double inverse_leverage, double rate,
                                double cum_share)
{
    (void)rate;
    return e * linear_mark_factor(side, inverse_leverage, cum_share);
}

static double linear_mark_entry(int side, double kappa, double inverse_leverage, double rate,
                                double cum_share)
{
    (void)rate;
    return kappa / linear_mark_factor(side, inverse_leverage, cum_share);
}

static double linear_entry_kappa(int side, double e, double inverse_leverage, double rate,
                                 double cum_share)
{
    return e * linear_entry_factor(side, inverse_leverage, rate, cum_share);
}

static double linear_entry_entry(int side, double kappa, double inverse_leverage, double rate,
                                 double cum_share)
{
    return kappa / linear_entry_factor(side, inverse_leverage, rate, cum_share);
}

static double inverse_entry_kappa(int side, double e, double inverse_leverage, double rate,
                                  double cum_share)
{
    return -inverse_entry_factor(side, inverse_leverage, rate, cum_share) / e;
}

static double inverse_entry_entry(int side, double kappa, double inverse_leverage, double rate,
                                  double cum_share)
{
    return -inverse_entry_factor(side, inverse_leverage, rate, cum_share) / kappa;
}

static double inverse_mark_kappa(int side, double e, double inverse_leverage, double rate,
                                 double cum_share)
{
    (void)rate;
    return -inverse_mark_factor(side, inverse_leverage, cum_share) / e;
}

static double inverse_mark_entry(int side, double kappa, double inverse_leverage, double rate,
                                 double cum_share)
{
    (void)rate;
    return -inverse_mark_factor(side, inverse_leverage, cum_share) / kappa;
}

const struct margin_formula margin_formulas[] = {
    {"linear_mark",
     "linear contracts, maintenance margin of the notional at mark price (Binance USD-M)",
     "Binance, \"How to calculate liquidation price of USD-M futures contracts\"", false, false,
     false, linear_mark_slope, linear_mark_kappa, linear_mark_entry},
    {"linear_entry",
     "linear contracts, maintenance margin of the notional at entry price (Bybit USDT)",
     "Bybit, \"Liquidation price calculation under isolated mode (USDT contract)\"", false, true,
     false, slope_one, linear_entry_kappa, linear_entry_entry},
    {"linear_fee",
     "linear contracts, maintenance margin of the notional at mark price and the taker fee of the "
     "order that closes (OKX, Gate)",
     "OKX, \"Tiered maintenance margin ratio rules\": maintenance margin plus liquidation fee",
     false, false, true, linear_mark_slope, linear_mark_kappa, linear_mark_entry},
    {"inverse_entry",
     "inverse contracts, maintenance margin of the value at entry price (BitMEX; Bybit "
     "coin-margined before 2025)",
     "BitMEX, \"Inverse contracts: liquidation\"", true, true, false, slope_one,
     inverse_entry_kappa, inverse_entry_entry},
    {"inverse_mark",
     "inverse contracts, maintenance margin of the value at mark price (Binance COIN-M, Bybit "
     "coin-margined)",
     "Binance, \"How to calculate liquidation price of COIN-M futures contracts\"", true, false,
     false, inverse_mark_slope, inverse_mark_kappa, inverse_mark_entry},
    {"hyperliquid",
     "linear contracts, maintenance margin of the notional at mark price at half the initial rate "
     "of the bracket's highest leverage (Hyperliquid)",
     "Hyperliquid docs, \"Liquidations\": price - side * margin_available / size / (1 - l * side)",
     false, false, false, linear_mark_slope, linear_mark_kappa, linear_mark_entry},
};

const int margin_formula_count = (int)(sizeof margin_formulas / sizeof margin_formulas[0]);

const struct margin_formula *margin_find(const char *name)
{
    for (int i = 0; i < margin_formula_count; i++)
        if (strcmp(margin_formulas[i].name, name) == 0)
            return &margin_formulas[i];
    return NULL;
}

int margin_prepare(const struct margin_formula *formula, double taker_rate,
                   struct brackets *brackets, struct error *err)
{
    for (int n = 0; n < brackets->count; n++) {
        double rate = margin_rate(formula, brackets->rate[n], taker_rate);
        if (!(rate < 1.0))
            return error_set(err, ERROR_DATA,
                             "bracket %d: maintenance margin rate %g and taker fee %g; expected "
                             "less than 1 together",
                             n + 1, brackets->rate[n], taker_rate);
        brackets->rate[n] = rate;
    }
    return ERROR_NONE;
}

/* z at liquidation under bracket n, per unit of entry price: e = 1. */
static double relative_z(const struct margin_formula *formula, const struct brackets *brackets,
                         int n, int side, double notional_usd, double inverse_leverage)
{
    double rate = brackets->rate[n];
    double cum_share = n > 0 ? brackets->cum_usd[n] / notional_usd : 0.0;
    return formula->kappa(side, 1.0, inverse_leverage, rate, cum_share) /
           formula->slope(side, rate);
}

/*
 * Maintenance at mark is a maximum of lines in z (rising rates), equity is one line. Where bracket
 * n's line meets equity, the notional lies inside bracket n (found), below its floor (then the
 * deciding bracket is a lower one) or above its cap (a higher one): a walk from the entry bracket
 * that never turns, of one or two steps for nearly every position. The value that picks a bracket
 * is N * P/E for linear contracts; for inverse ones the venue's tiers are in coins, taken at the
 * entry price, and the coins are N/P: N * E/P. Both are N * |z| at e = 1.
 */
int margin_bracket(const struct margin_formula *formula, const struct brackets *brackets, int side,
                   double notional_usd, double leverage)
{
    int n = brackets_find(brackets, notional_usd);
    if (margin_keeps_bracket(formula, brackets))
        return n;
    double sign = formula->inverse ? -1.0 : 1.0;
    int direction = 0;
    for (;;) {
        double z = relative_z(formula, brackets, n, side, notional_usd, 1.0 / leverage);
        double value = notional_usd * sign * z;
        int step = (value > brackets->cap_usd[n]) - (value < brackets->floor_usd[n]);
        /* A turn can only be rounding at an edge, where both brackets give the same price. */
        if (step == 0 || step == -direction || n + step < 0 || n + step >= brackets->count)
            return n;
        direction = step;
        n += step;
    }
}

double margin_liquidation_price(const struct margin_formula *formula,
                                const struct brackets *brackets, int side, double entry_price,
                                double notional_usd, double leverage)
{
    int n = margin_bracket(formula, brackets, side, notional_usd, leverage);
    double cum_share = n > 0 ? brackets->cum_usd[n] / notional_usd : 0.0;
    double kappa = formula->kappa(side, entry_price, 1.0 / leverage, brackets->rate[n], cum_share);
    double z = kappa / formula->slope(side, brackets->rate[n]);
    if (formula->inverse)
        return z < 0.0 ? margin_price(formula, z) : INFINITY;
    return z > 0.0 ? z : 0.0;
}

double margin_bankruptcy_price(const struct margin_formula *formula, int side, double entry_price,
                               double leverage)
{
    if (formula->inverse) {
        double divisor = leverage + side;
        return divisor > 0.0 ? entry_price * leverage / divisor : INFINITY;
    }
    double price = entry_price * (1.0 - side / leverage);
    return price > 0.0 ? price : 0.0;
}

int margin_leg_bracket(const struct margin_formula *formula, const struct brackets *brackets,
                       const struct margin_leg *leg, double price)
{
    bool kept = margin_keeps_bracket(formula, brackets);
    return brackets_find(brackets, leg->size_coins * (kept ? leg->entry_price : price));
}

/* Equity less maintenance margin of an account is constant + slope * price. */
struct excess {
    double constant, slope;
};

static void add_leg(const struct margin_formula *formula, const struct brackets *brackets,
                    const struct margin_leg *leg, int n, struct excess *excess)
{
    double signed_size = leg->side * leg->size_coins;
    double required = leg->size_coins * brackets->rate[n];
    excess->slope += signed_size;
    excess->constant += brackets->cum_usd[n] - signed_size * leg->entry_price;
    if (formula->bracket_at_entry)
        excess->constant -= required * leg->entry_price;
    else
        excess->slope -= required;
}

/* Adds the legs from `leg` on in every choice of their brackets, and narrows the prices by each. */
static void bound(const struct margin_formula *formula, const struct brackets *brackets,
                  const struct margin_leg *legs, int leg_count, struct excess excess, double *low,
                  double *high)
{
    if (leg_count == 0) {
        double root = -excess.constant / excess.slope;
        if (excess.slope > 0.0)
            *low = fmax(*low, root);
        else if (excess.slope < 0.0)
            *high = fmin(*high, root);
        else if (excess.constant <= 0.0)
            *low = INFINITY;
        return;
    }
    bool kept = margin_keeps_bracket(formula, brackets);
    int first = kept ? margin_leg_bracket(formula, brackets, legs, NAN) : 0;
    int last = kept ? first : brackets->count - 1;
    for (int n = first; n <= last; n++) {
        struct excess with_leg = excess;
        add_leg(formula, brackets, legs, n, &with_leg);
        bound(formula, brackets, legs + 1, leg_count - 1, with_leg, low, high);
    }
}

void margin_cross_prices(const struct margin_formula *formula, const struct brackets *brackets,
                         const struct margin_leg *legs, int leg_count, double balance_usd,
                         double *out_low, double *out_high)
{
    *out_low = 0.0;
    *out_high = INFINITY;
    bound(formula, brackets, legs, leg_count, (struct excess){.constant = balance_usd}, out_low,
          out_high);
}
