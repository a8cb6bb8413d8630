/*
 * Venues' liquidation rules: when a position's maintenance margin is reached, how much of it is
 * closed, and what margin the rest is left with.
 *
 *   full         the whole position (Binance, but for its first try with large ones)
 *   brackets     down to the cap of a lower bracket: one down (Bybit, BitMEX) or two (OKX); whole
 *                from the lowest brackets
 *   share        a fixed part of a position above a notional; within a cooldown after it, the whole
 *                (Hyperliquid: 20 % above 100,000 USDC, 30 s; below 2/3 of maintenance margin the
 *                liquidator vault takes what is left)
 *   incremental  as much as restores the maintenance margin at the price of the order, at least a
 *                fixed part (Deribit)
 *   none         never: margin calls are settled by hand (CME)
 *
 * All for one trader's isolated position, in the units of models/margin.h: side s, entry price E,
 * `size` in coins (linear) or contracts of 1 USD (inverse), L the leverage (size at entry over
 * margin), `funding` what has been paid since the opening per unit of size. Equity in units of the
 * margin currency per unit of size is
 *     linear   E/L + s (P - E) - s F            inverse   1/(E L) + s (1/E - 1/P) - s F
 * Sources: the venues' pages named with each rule's row.
 */
#ifndef LIQCASCADE_MODELS_LIQUIDATION_H
#define LIQCASCADE_MODELS_LIQUIDATION_H

#include <stdbool.h>
#include <stdint.h>

#include "models/brackets.h"
#include "models/margin.h"

enum liquidation_kind {
    LIQUIDATION_KIND_FULL,
    LIQUIDATION_KIND_BRACKETS,
    LIQUIDATION_KIND_SHARE,
    LIQUIDATION_KIND_INCREMENTAL,
    LIQUIDATION_KIND_NONE
};

struct liquidation_model {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;
    enum liquidation_kind kind;
};
extern const struct liquidation_model liquidation_models[];
extern const int liquidation_model_count;

/* "full", "brackets", "share", "incremental", "none"; NULL when unknown. */
const struct liquidation_model *liquidation_find(const char *name);

struct liquidation_rule {
    enum liquidation_kind kind;
    double share;          /* share: of the position; incremental: the least */
    double above_usd;      /* notional at mark up to which a position is closed whole */
    int brackets;          /* brackets dropped by an order */
    int64_t cooldown_ms;   /* after a partial order, the next one within this is whole */
    int64_t pause_ms;      /* after a partial order, the rest is left alone for this */
    double backstop_share; /* equity below this part of maintenance margin: taken over; 0: never */
    double fee_rate;       /* of the notional filled */
};

/* A position as it stands. */
struct liquidation_position {
    int side;
    double entry_price;
    double leverage;
    double notional_usd; /* of one trader, at entry */
    double funding;      /* paid per unit of size since the opening (a long's view) */
    bool cooling;        /* within the cooldown of an earlier partial order */
};

/* Equity over the notional at mark `price`, and maintenance margin over it: by the bracket of the
   notional at entry where margin_keeps_bracket, else at mark. Brackets are those made ready by
   margin_prepare, so that a formula with a fee counts it as part of the maintenance margin. */
double liquidation_equity_share(const struct margin_formula *formula,
                                const struct liquidation_position *position, double price);
double liquidation_maintenance_share(const struct margin_formula *formula,
                                     const struct brackets *brackets,
                                     const struct liquidation_position *position, double price);

/* The part of the position, in (0, 1], that is ordered closed at mark `price`; 1 whenever a rest
   would be left without margin, or the rule has no smaller step. Sized as if filled at mark without
   a fee; a rest stands a hair below the edge it was sized for, so that rounding alone never fires
   it again. kind none: not to be asked. */
double liquidation_share(const struct liquidation_rule *rule, const struct margin_formula *formula,
                         const struct brackets *brackets,
                         const struct liquidation_position *position, double price);

/* True when the fund takes the position over at mark `price` in place of an order. */
bool liquidation_backstop(const struct liquidation_rule *rule, const struct margin_formula *formula,
                          const struct brackets *brackets,
                          const struct liquidation_position *position, double price);

/* 1 / leverage of what is left after the part `share` < 1 was closed at `fill`: loss, funding and
   the fee (fee_rate of the notional filled) have come out of the margin. Its size at entry is
   (1 - share) of before, entry price and funding are the same. <= 0: no margin is left. */
double liquidation_rest_inverse_leverage(const struct margin_formula *formula,
                                         const struct liquidation_position *position, double share,
                                         double fill, double fee_rate);

#endif
