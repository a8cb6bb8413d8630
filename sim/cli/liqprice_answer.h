/*
 * What `liqcascade liqprice` answers, and how it is printed: a summary for people, JSON for
 * scripts.
 */
#ifndef LIQCASCADE_SIM_CLI_LIQPRICE_ANSWER_H
#define LIQCASCADE_SIM_CLI_LIQPRICE_ANSWER_H

#include <stdint.h>

/* NaN is what there is none of or what was not asked. Texts are not owned. */
struct liqprice_answer {
    char *venue, *symbol, *formula, *side_name, *mode, *source; /* venue: NULL with --mmr */
    char *bracket_scheme, *bracket_unit;
    int side;
    int64_t brackets_from_ms;
    int bracket_count;
    double coin_price; /* that brackets in coins are valued at; NaN for those in USD */
    double entry_price, size_coins, notional_usd, leverage, margin_usd;
    double wallet_usd, other_maintenance_usd, other_upnl_usd; /* cross margin */
    double hedge_size_coins, hedge_entry_price;
    double liquidation_price, distance_share, bankruptcy_price;
    double initial_margin_usd, maintenance_margin_usd, maintenance_margin_rate;
    double taker_rate, closing_fee_usd; /* of the formula that adds it; with the hedge's */
    double hedge_maintenance_margin_usd, hedge_maintenance_margin_rate, hedge_cum_usd;
    double bracket, bracket_cap_usd, bracket_max_leverage, cum_usd; /* NaN with --mmr */
};

void liqprice_answer_print(const struct liqprice_answer *answer);
void liqprice_answer_print_json(const struct liqprice_answer *answer);

#endif
