/*
 * Auto-deleveraging (ADL): when an insurance fund cannot pay for bankrupt positions, opposing
 * positions are closed against them at the bankruptcy price, in the order of a venue's ranking.
 * A higher score goes first. p = s (P/E - 1) is the PnL share of a position at mark price P, L the
 * effective leverage: notional at mark over equity at mark.
 *
 *   pnl_leverage      p * L where p > 0, else p / L                      (Binance, Bybit)
 *   pnl_margin_ratio  p / r where p > 0, else p * r, r = equity / maintenance margin, so that the
 *                     profitable and thinly margined go first            (OKX)
 *   hyperliquid       (P/E)^s * L, those in profit: mark over entry price (longs; entry over mark
 *                     for shorts) times notional over account value
 *   pro_rata          all in profit alike: no score                      (comparisons)
 *   lifo              those in profit, the youngest first: their opening bar (comparisons)
 */
#ifndef LIQCASCADE_MODELS_ADL_H
#define LIQCASCADE_MODELS_ADL_H

#include <stdbool.h>

struct adl_candidate {
    int side;
    double entry_price, price;
    double equity_share;      /* equity over notional at mark; > 0 */
    double maintenance_share; /* maintenance margin over notional at mark */
    double opened_bar;
};

struct adl_ranking {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;
    bool winners_only;                                      /* positions at a loss are left alone */
    double (*score)(const struct adl_candidate *candidate); /* NULL: all alike */
};
extern const struct adl_ranking adl_rankings[];
extern const int adl_ranking_count;

/* NULL when unknown; "none" is no ranking. */
const struct adl_ranking *adl_find(const char *name);

#endif
