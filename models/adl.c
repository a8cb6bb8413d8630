#include "models/adl.h"

#include <stddef.h>
#include <string.h>

/* s (P/E - 1). */
static double pnl_share(const struct adl_candidate *candidate)
{
    return candidate->side * (candidate->price / candidate->entry_price - 1.0);
}

/* A ratio by which profits rank higher ranks losses lower. */
static double scaled(double pnl, double factor)
{
    return pnl > 0.0 ? pnl * factor : pnl / factor;
}

static double score_pnl_leverage(const struct adl_candidate *candidate)
{
    return scaled(pnl_share(candidate), 1.0 / candidate->equity_share);
}

static double score_pnl_margin_ratio(const struct adl_candidate *candidate)
{
    return scaled(pnl_share(candidate), candidate->maintenance_share / candidate->equity_share);
}

static double score_hyperliquid(const struct adl_candidate *candidate)
{
    double ratio = candidate->side > 0 ? candidate->price / candidate->entry_price
                                       : candidate->entry_price / candidate->price;
    return ratio / candidate->equity_share;
}

static double score_lifo(const struct adl_candidate *candidate)
{
    return candidate->opened_bar;
}

const struct adl_ranking adl_rankings[] = {
    {.name = "pnl_leverage",
     .documentation =
         "PnL share times effective leverage where in profit, PnL share over effective "
         "leverage where not",
     .source = "Binance, \"What Is Auto-Deleveraging (ADL) and How Does It Work\"; Bybit, "
               "\"Auto-Deleveraging (ADL) Mechanism\"",
     .winners_only = false,
     .score = score_pnl_leverage},
    {.name = "pnl_margin_ratio",
     .documentation = "PnL share over margin ratio (equity over maintenance margin) where in "
                      "profit, PnL share times margin ratio where not",
     .source = "OKX, \"Automatic-Deleveraging: what it is and how it affects your positions\"; the "
               "score of losses: own reading",
     .winners_only = false,
     .score = score_pnl_margin_ratio},
    {.name = "hyperliquid",
     .documentation = "positions in profit, by mark price over entry price (for shorts entry over "
                      "mark) times notional over account value",
     .source = "Hyperliquid docs, \"Auto-deleveraging\"; the inverse for shorts: own reading",
     .winners_only = true,
     .score = score_hyperliquid},
    {.name = "pro_rata",
     .documentation = "every position in profit loses the same part of its coins",
     .source = "Chitra 2025, \"Autodeleveraging: Impossibilities and Optimization\", "
               "arXiv:2512.01112",
     .winners_only = true,
     .score = NULL},
    {.name = "lifo",
     .documentation = "positions in profit, the youngest first",
     .source = "own prior: a benchmark that looks at neither profit nor leverage",
     .winners_only = true,
     .score = score_lifo},
};
const int adl_ranking_count = sizeof adl_rankings / sizeof *adl_rankings;

const struct adl_ranking *adl_find(const char *name)
{
    for (int i = 0; i < adl_ranking_count; i++)
        if (strcmp(adl_rankings[i].name, name) == 0)
            return &adl_rankings[i];
    return NULL;
}
