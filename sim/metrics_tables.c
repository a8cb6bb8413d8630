/*
 * The described columns of summary.csv, steps.csv, tiers.csv, venues.csv and positions.csv.
 */
#include "sim/metrics.h"

#define COLUMN(record, title, member, kind, units, text)                                  \
    {                                                                                     \
        title, kind, units, text, offsetof(struct record, member), NULL, 0, 0, NULL, NULL \
    }
#define SUMMARY(member, kind, units, text) \
    COLUMN(metrics_summary, #member, member, kind, units, text)

const struct field metrics_summary_fields[] = {
    SUMMARY(run, FIELD_INT64, "", "number of the run, from 1"),
    SUMMARY(replicate, FIELD_INT64, "", "replicate of the random draws, from 0"),
    SUMMARY(seed, FIELD_UINT64, "", "seed of the random draws"),
    SUMMARY(oi_level_usd, FIELD_DOUBLE, "usd", "OI that the scenario asks for; empty: as observed"),
    COLUMN(metrics_summary, "start", start_ms, FIELD_TIME_MS, "utc", "beginning of the window"),
    COLUMN(metrics_summary, "end", end_ms, FIELD_TIME_MS, "utc", "end of the window"),
    SUMMARY(positions, FIELD_INT64, "", "positions in the book, warm-up included"),
    SUMMARY(oi_start_usd, FIELD_DOUBLE, "usd",
            "open interest of a side at the start, at the last price"),
    SUMMARY(oi_end_usd, FIELD_DOUBLE, "usd", "open interest of a side at the end, at mark"),
    SUMMARY(oi_start_coins, FIELD_DOUBLE, "coins", "open interest of a side at the start"),
    SUMMARY(oi_end_coins, FIELD_DOUBLE, "coins", "open interest of a side at the end"),
    SUMMARY(oi_change_share, FIELD_DOUBLE, "share",
            "change of open interest in coins over its start"),
    SUMMARY(price_start, FIELD_DOUBLE, "quote", "last price before the first step"),
    SUMMARY(price_low, FIELD_DOUBLE, "quote", "lowest last price"),
    SUMMARY(price_high, FIELD_DOUBLE, "quote", "highest last price"),
    SUMMARY(price_end, FIELD_DOUBLE, "quote", "last price at the end"),
    SUMMARY(liquidated_usd, FIELD_DOUBLE, "usd", "forced orders at their fills"),
    SUMMARY(liquidated_long_usd, FIELD_DOUBLE, "usd", "of them of longs"),
    SUMMARY(liquidated_short_usd, FIELD_DOUBLE, "usd", "of them of shorts"),
    SUMMARY(liquidated_coins, FIELD_DOUBLE, "coins", "forced orders"),
    SUMMARY(liquidated_long_coins, FIELD_DOUBLE, "coins", "of them of longs"),
    SUMMARY(liquidated_short_coins, FIELD_DOUBLE, "coins", "of them of shorts"),
    SUMMARY(liquidated_positions, FIELD_INT64, "", "positions of the book that fired"),
    SUMMARY(liquidated_traders, FIELD_DOUBLE, "", "traders that they stand for"),
    SUMMARY(liquidated_share_of_oi, FIELD_DOUBLE, "share", "liquidated_coins over oi_start_coins"),
    SUMMARY(long_share, FIELD_DOUBLE, "share", "longs' part of liquidated_usd"),
    SUMMARY(reported_coins, FIELD_DOUBLE, "coins",
            "liquidations in the observed feed; empty: none given"),
    SUMMARY(reported_long_share, FIELD_DOUBLE, "share", "longs' part of reported_coins"),
    SUMMARY(peak_step_usd, FIELD_DOUBLE, "usd", "largest forced flow of one step"),
    COLUMN(metrics_summary, "peak_step", peak_step_ms, FIELD_TIME_MS, "utc", "start of that step"),
    SUMMARY(peak_hour_usd, FIELD_DOUBLE, "usd",
            "largest forced flow of any hour; empty: shorter window or longer step"),
    SUMMARY(peak_4h_usd, FIELD_DOUBLE, "usd", "largest forced flow of any 4 hours"),
    SUMMARY(peak_24h_usd, FIELD_DOUBLE, "usd", "largest forced flow of any 24 hours"),
    SUMMARY(exogenous_move, FIELD_DOUBLE, "log",
            "move from the start to the farthest price without forced orders"),
    SUMMARY(endogenous_move, FIELD_DOUBLE, "log",
            "move from the start to the farthest price by forced orders; open loop: implied"),
    SUMMARY(amplification, FIELD_DOUBLE, "", "whole move over its exogenous part"),
    SUMMARY(endogenous_share, FIELD_DOUBLE, "share", "endogenous_move over the whole move"),
    SUMMARY(branching_ratio_max, FIELD_DOUBLE, "",
            "largest branching ratio at the start of a step"),
    SUMMARY(generations_max, FIELD_INT64, "", "most waves at one price; open loop: 1"),
    SUMMARY(jump_share_of_oi, FIELD_DOUBLE, "share",
            "most that was liquidated at one price after the first wave, over oi_start_coins"),
    SUMMARY(unreachable_steps, FIELD_INT64, "",
            "open loop: steps whose fired levels the impact-free path does not reach"),
    SUMMARY(path_gap_log, FIELD_DOUBLE, "log",
            "counterfactual: farthest that the closed loop with the observed open interest, begun "
            "from the exogenous price, leaves the observed closes; empty: no counterfactual"),
    SUMMARY(replacement_share, FIELD_DOUBLE, "share",
            "forced flow beyond the fall of OI and turnover, over forced flow"),
    SUMMARY(depth_share_min, FIELD_DOUBLE, "share", "lowest depth over its reference"),
    SUMMARY(insurance_gain_usd, FIELD_DOUBLE, "usd",
            "kept by insurance funds: margin left at the fill"),
    SUMMARY(insurance_draw_usd, FIELD_DOUBLE, "usd",
            "paid by insurance funds: losses beyond the margin"),
    SUMMARY(adl_usd, FIELD_DOUBLE, "usd",
            "winners' positions closed by auto-deleveraging, at the bankruptcy prices"),
    SUMMARY(adl_coins, FIELD_DOUBLE, "coins", "the same"),
    SUMMARY(bad_debt_usd, FIELD_DOUBLE, "usd", "losses beyond the margin that no fund paid"),
    SUMMARY(fees_usd, FIELD_DOUBLE, "usd", "liquidation fees kept by venues"),
    SUMMARY(backstop_coins, FIELD_DOUBLE, "coins",
            "of liquidated_coins: taken over by funds without an order"),
    SUMMARY(partial_orders, FIELD_INT64, "", "forced orders that left a rest of the position"),
    SUMMARY(funding_paid_usd, FIELD_DOUBLE, "usd",
            "funding that the open interest of a side paid, longs to shorts"),
    SUMMARY(funding_rate_min, FIELD_DOUBLE, "share", "lowest funding rate paid, of notional"),
    SUMMARY(funding_rate_max, FIELD_DOUBLE, "share", "highest funding rate paid, of notional"),
    SUMMARY(funding_sign_changes, FIELD_INT64, "", "how often the paying side changed"),
    SUMMARY(utilisation_max, FIELD_DOUBLE, "share",
            "largest imbalance over its limit; empty: no funding rule"),
    SUMMARY(venue_gap_log, FIELD_DOUBLE, "log",
            "largest distance of a venue's last price from the mean of all by depth"),
    SUMMARY(episodes, FIELD_INT64, "", "rows of episodes.csv"),
};
const size_t metrics_summary_field_count =
    sizeof metrics_summary_fields / sizeof *metrics_summary_fields;

#define STEP(member, kind, units, text) COLUMN(metrics_step, #member, member, kind, units, text)
#define STEP_NUMBER(member, units, text) STEP(member, FIELD_DOUBLE, units, text)

const struct field metrics_step_fields[] = {
    COLUMN(metrics_step, "run", run, FIELD_INT64, "", "run of summary.csv"),
    COLUMN(metrics_step, "time", time_ms, FIELD_TIME_MS, "utc", "start of the step"),
    STEP_NUMBER(price_open, "quote", "last price, simulated"),
    STEP_NUMBER(price_high, "quote", "highest last price"),
    STEP_NUMBER(price_low, "quote", "lowest last price"),
    STEP_NUMBER(price_close, "quote", "last price at the end"),
    STEP_NUMBER(mark_close, "quote", "mark price at the end"),
    STEP_NUMBER(exogenous_close, "quote", "last price without the impact of forced orders"),
    STEP_NUMBER(exogenous_log, "log", "move since the start without forced orders"),
    STEP_NUMBER(endogenous_log, "log", "move since the start by forced orders; open loop: implied"),
    STEP_NUMBER(oi_coins, "coins", "open interest of a side at the end"),
    STEP_NUMBER(oi_usd, "usd", "the same at mark"),
    STEP(liquidated_long_usd, FIELD_DOUBLE, "usd", "longs' forced orders at their fills"),
    STEP(liquidated_short_usd, FIELD_DOUBLE, "usd", "shorts' forced orders at their fills"),
    STEP(liquidated_long_coins, FIELD_DOUBLE, "coins", "longs' forced orders"),
    STEP(liquidated_short_coins, FIELD_DOUBLE, "coins", "shorts' forced orders"),
    STEP(liquidated_long_positions, FIELD_INT64, "", "longs of the book that fired"),
    STEP(liquidated_short_positions, FIELD_INT64, "", "shorts of the book that fired"),
    STEP(opens_long_coins, FIELD_DOUBLE, "coins", "longs opened"),
    STEP(opens_short_coins, FIELD_DOUBLE, "coins", "shorts opened"),
    STEP(closes_long_coins, FIELD_DOUBLE, "coins", "longs closed by choice"),
    STEP(closes_short_coins, FIELD_DOUBLE, "coins", "shorts closed by choice"),
    STEP_NUMBER(reported_long_coins, "coins", "longs in the observed feed; empty: none given"),
    STEP_NUMBER(reported_short_coins, "coins", "shorts in the observed feed"),
    STEP_NUMBER(replacement_coins, "coins", "forced flow beyond the fall of OI and turnover"),
    STEP_NUMBER(funding_rate, "share",
                "funding paid at the start, of notional; positive: longs pay"),
    STEP_NUMBER(depth_share, "share", "depth over its reference"),
    STEP_NUMBER(branching_ratio, "", "at the start of the step"),
    STEP(generations, FIELD_INT64, "", "most waves at one price"),
    STEP(unreachable, FIELD_BOOL, "", "open loop: the impact-free path does not reach what fired"),
    STEP(insurance_gain_usd, FIELD_DOUBLE, "usd", "kept by insurance funds"),
    STEP(insurance_draw_usd, FIELD_DOUBLE, "usd", "paid by insurance funds"),
    STEP(bad_debt_usd, FIELD_DOUBLE, "usd", "losses that no fund paid"),
    STEP_NUMBER(fees_usd, "usd", "liquidation fees kept by venues"),
    STEP_NUMBER(adl_usd, "usd", "winners closed by auto-deleveraging"),
    STEP_NUMBER(backstop_coins, "coins", "taken over by funds without an order"),
    STEP_NUMBER(remargined_coins, "coins", "topped up, per side"),
    STEP_NUMBER(premium, "share", "last price over index or mark at the end, less 1"),
    STEP_NUMBER(utilisation, "share",
                "imbalance over its limit, positive: longs; empty: no funding rule"),
};
const size_t metrics_step_field_count = sizeof metrics_step_fields / sizeof *metrics_step_fields;

#define TIER(member, kind, units, text) COLUMN(metrics_tier, #member, member, kind, units, text)

const struct field metrics_tier_fields[] = {
    TIER(run, FIELD_INT64, "", "run of summary.csv"),
    TIER(side, FIELD_TEXT, "", "long or short"),
    TIER(leverage_from, FIELD_DOUBLE, "", "lowest leverage of the tier, inclusive"),
    TIER(leverage_to, FIELD_DOUBLE, "", "highest leverage of the tier, exclusive; empty: no end"),
    TIER(oi_start_coins, FIELD_DOUBLE, "coins", "open interest of the tier at the start"),
    TIER(oi_start_share, FIELD_DOUBLE, "share", "of its side's open interest"),
    TIER(liquidated_coins, FIELD_DOUBLE, "coins", "forced orders"),
    TIER(liquidated_usd, FIELD_DOUBLE, "usd", "forced orders at their fills"),
    TIER(liquidated_positions, FIELD_INT64, "", "positions of the book that fired"),
    TIER(liquidated_traders, FIELD_DOUBLE, "", "traders that they stand for"),
    TIER(share_of_liquidated, FIELD_DOUBLE, "share", "of the run's liquidated_usd"),
};
const size_t metrics_tier_field_count = sizeof metrics_tier_fields / sizeof *metrics_tier_fields;

#define VENUE(member, kind, units, text) COLUMN(metrics_venue, #member, member, kind, units, text)

const struct field metrics_venue_fields[] = {
    VENUE(run, FIELD_INT64, "", "run of summary.csv"),
    VENUE(venue, FIELD_TEXT, "", "name of the venue in the scenario"),
    VENUE(side, FIELD_TEXT, "", "long or short"),
    VENUE(liquidated_coins, FIELD_DOUBLE, "coins", "forced orders"),
    VENUE(liquidated_usd, FIELD_DOUBLE, "usd", "forced orders at their fills"),
    VENUE(liquidated_positions, FIELD_INT64, "", "positions of the book that fired"),
    VENUE(insurance_gain_usd, FIELD_DOUBLE, "usd", "kept by the venue's fund, both sides"),
    VENUE(insurance_draw_usd, FIELD_DOUBLE, "usd", "paid by the venue's fund, both sides"),
    VENUE(bad_debt_usd, FIELD_DOUBLE, "usd", "losses that its fund did not pay, both sides"),
    VENUE(fees_usd, FIELD_DOUBLE, "usd", "liquidation fees, both sides"),
    VENUE(adl_usd, FIELD_DOUBLE, "usd", "winners closed by auto-deleveraging, both sides"),
    VENUE(price_low, FIELD_DOUBLE, "quote", "lowest last price of the venue"),
    VENUE(price_high, FIELD_DOUBLE, "quote", "highest last price of the venue"),
    VENUE(gap_log, FIELD_DOUBLE, "log", "largest distance from the mean of all venues by depth"),
};
const size_t metrics_venue_field_count = sizeof metrics_venue_fields / sizeof *metrics_venue_fields;

#define ADL(member, kind, units, text) COLUMN(metrics_adl, #member, member, kind, units, text)

const struct field metrics_adl_fields[] = {
    ADL(run, FIELD_INT64, "", "run of summary.csv"),
    COLUMN(metrics_adl, "time", time_ms, FIELD_TIME_MS, "utc", "start of the step"),
    ADL(venue, FIELD_TEXT, "", "name of the venue in the scenario"),
    ADL(side, FIELD_TEXT, "", "of those deleveraged: long or short"),
    ADL(leverage_from, FIELD_DOUBLE, "", "lowest leverage of the tier, inclusive"),
    ADL(leverage_to, FIELD_DOUBLE, "", "highest leverage of the tier, exclusive; empty: no end"),
    ADL(coins, FIELD_DOUBLE, "coins", "closed"),
    ADL(usd, FIELD_DOUBLE, "usd", "closed, at the bankruptcy prices of the others"),
    ADL(price, FIELD_DOUBLE, "quote", "mean price at which they were closed"),
    ADL(entry_price, FIELD_DOUBLE, "quote", "mean entry price"),
    ADL(pnl_usd, FIELD_DOUBLE, "usd", "profit that they realised"),
    ADL(score, FIELD_DOUBLE, "", "mean score in the venue's ranking"),
    ADL(positions, FIELD_INT64, "", "positions of the book closed or cut"),
};
const size_t metrics_adl_field_count = sizeof metrics_adl_fields / sizeof *metrics_adl_fields;

#define POSITION(member, kind, units, text) \
    COLUMN(metrics_position, #member, member, kind, units, text)

const struct field metrics_position_fields[] = {
    POSITION(run, FIELD_INT64, "", "run of summary.csv"),
    POSITION(venue, FIELD_TEXT, "", "name of the venue in the scenario"),
    POSITION(side, FIELD_TEXT, "", "long or short"),
    COLUMN(metrics_position, "opened", opened_ms, FIELD_TIME_MS, "utc",
           "start of the bar it opened in; empty: given"),
    POSITION(entry_price, FIELD_DOUBLE, "quote", "entry price"),
    POSITION(size_usd, FIELD_DOUBLE, "usd", "notional at entry of one trader"),
    POSITION(leverage, FIELD_DOUBLE, "", "notional over margin"),
    POSITION(coins, FIELD_DOUBLE, "coins",
             "alive at the start, over all traders that the row stands for"),
    POSITION(liquidation_price, FIELD_DOUBLE, "quote",
             "mark price at which it fires, funding paid so far included"),
    POSITION(bankruptcy_price, FIELD_DOUBLE, "quote", "price at which its margin is gone"),
    POSITION(account, FIELD_TEXT, "",
             "cross-margined account that it is a leg of; empty: isolated"),
};
const size_t metrics_position_field_count =
    sizeof metrics_position_fields / sizeof *metrics_position_fields;
