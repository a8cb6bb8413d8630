/* Liquidation rules against venues' balance sheets, worked examples and conservation of money. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "models/liquidation.h"
#include "tests/support/near.h"

#define POSITIONS 4000

/* Binance BTCUSDT in force from 2025-08-21. */
static void btc_brackets(struct brackets *brackets)
{
    static const double cap[] = {3e5,   8e5,   3e6, 12e6, 70e6,  100e6,
                                 230e6, 480e6, 6e8, 8e8,  1.2e9, 1.8e9};
    static const double leverage[] = {150, 100, 75, 50, 25, 20, 10, 5, 4, 3, 2, 1};
    static const double rate[] = {.004, .005, .0065, .01, .02, .025, .05, .1, .125, .15, .25, .5};
    struct error err = {0};
    assert_int_equal(brackets_init(brackets, 12, cap, leverage, rate, 0, &err), ERROR_NONE);
}

/* That table made ready for a formula, by either scheme. A taker fee of 0.05 %. */
static void table_for(const struct margin_formula *formula, bool whole, struct brackets *brackets)
{
    struct error err = {0};
    btc_brackets(brackets);
    if (whole)
        brackets_make_whole(brackets);
    assert_int_equal(margin_prepare(formula, 5e-4, brackets, &err), ERROR_NONE);
}

static const struct liquidation_rule full = {.kind = LIQUIDATION_KIND_FULL};
static const struct liquidation_rule one_bracket = {.kind = LIQUIDATION_KIND_BRACKETS,
                                                    .brackets = 1};
static const struct liquidation_rule two_brackets = {.kind = LIQUIDATION_KIND_BRACKETS,
                                                     .brackets = 2};
static const struct liquidation_rule hyperliquid = {.kind = LIQUIDATION_KIND_SHARE,
                                                    .share = 0.2,
                                                    .above_usd = 1e5,
                                                    .cooldown_ms = 30000,
                                                    .backstop_share = 2.0 / 3.0};
static const struct liquidation_rule deribit = {.kind = LIQUIDATION_KIND_INCREMENTAL,
                                                .share = 0.05};

/* A position anywhere in the table: notional log-uniform from 1,000 to 2.5B USD, leverage
   log-uniform from 1 to the maximum of its bracket. */
static struct liquidation_position random_position(const struct brackets *brackets, uint32_t i)
{
    struct random_stream stream = random_stream_make(20251010, 0, "test.liquidation");
    struct random_block block = random_block_at(&stream, 0, i);
    double notional = 1e3 * pow(2.5e6, random_uniform(block.word[2]));
    return (struct liquidation_position){
        .side = block.word[0] & 1 ? 1 : -1,
        .entry_price = 50.0 * pow(4000.0, random_uniform(block.word[1])),
        .notional_usd = notional,
        .leverage = pow(brackets_max_leverage(brackets, notional), random_uniform(block.word[3]))};
}

/* As random_position, with funding of up to 1 % of the entry value either way. */
static struct liquidation_position random_funded(const struct margin_formula *formula,
                                                 const struct brackets *brackets, uint32_t i)
{
    struct random_stream stream = random_stream_make(20251010, 1, "test.liquidation");
    struct random_block block = random_block_at(&stream, 0, i);
    struct liquidation_position p = random_position(brackets, i);
    p.funding = 0.02 * (random_uniform(block.word[0]) - 0.5) * margin_unit(formula, p.entry_price);
    return p;
}

/* A mark price near the liquidation price: up to 2 % of the entry price on either side of it; not
   above 0 where the position has none within a factor of twelve. */
static double near_price(const struct margin_formula *formula, const struct brackets *brackets,
                         const struct liquidation_position *p, uint32_t i)
{
    struct random_stream stream = random_stream_make(20251010, 2, "test.liquidation");
    struct random_block block = random_block_at(&stream, 0, i);
    double fires = margin_liquidation_price(formula, brackets, p->side, p->entry_price,
                                            p->notional_usd, p->leverage);
    if (!(fires > p->entry_price / 12.0 && fires < 12.0 * p->entry_price))
        return 0.0;
    return fires + 0.04 * (random_uniform(block.word[0]) - 0.5) * p->entry_price;
}

/* Money by hand, in USD or coins: size times unit. */
static double size_of(const struct margin_formula *formula, const struct liquidation_position *p)
{
    return formula->inverse ? p->notional_usd : p->notional_usd / p->entry_price;
}

static double notional_in_margin_currency(const struct margin_formula *formula,
                                          const struct liquidation_position *p, double price)
{
    return size_of(formula, p) * (formula->inverse ? 1.0 / price : price);
}

static double equity_of(const struct margin_formula *formula, const struct liquidation_position *p,
                        double price)
{
    return liquidation_equity_share(formula, p, price) *
           notional_in_margin_currency(formula, p, price);
}

static double maintenance_of(const struct margin_formula *formula, const struct brackets *brackets,
                             const struct liquidation_position *p, double price)
{
    return liquidation_maintenance_share(formula, brackets, p, price) *
           notional_in_margin_currency(formula, p, price);
}

/* What is left of a position of which `share` was closed at `fill`. */
static struct liquidation_position rest_of(const struct margin_formula *formula,
                                           const struct liquidation_position *p, double share,
                                           double fill, double fee_rate)
{
    struct liquidation_position rest = *p;
    rest.notional_usd *= 1.0 - share;
    rest.leverage = 1.0 / liquidation_rest_inverse_leverage(formula, p, share, fill, fee_rate);
    return rest;
}

static void at_the_liquidation_price_equity_is_the_maintenance_margin(void **state)
{
    struct brackets brackets;
    double worst = 0.0;
    for (int f = 0; f < 2 * margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f / 2];
        table_for(formula, f % 2, &brackets);
        int seen[BRACKETS_MAX] = {0};
        for (uint32_t i = 0; i < POSITIONS; i++) {
            struct liquidation_position p = random_position(&brackets, i);
            double price = margin_liquidation_price(formula, &brackets, p.side, p.entry_price,
                                                    p.notional_usd, p.leverage);
            /* Beyond twelve entry prices a share of the notional loses digits. */
            if (!(price > p.entry_price / 12.0 && price < 12.0 * p.entry_price))
                continue;
            double gap = liquidation_equity_share(formula, &p, price) -
                         liquidation_maintenance_share(formula, &brackets, &p, price);
            worst = fmax(worst, fabs(gap));
            seen[margin_bracket(formula, &brackets, p.side, p.notional_usd, p.leverage)]++;
        }
        for (int n = 0; n < brackets.count; n++)
            assert_true(seen[n] > 0);
    }
    print_message("largest equity less maintenance at liquidation: %.1e of notional\n", worst);
    assert_true(worst < 1e-12);
}

/*
 * A long of 2 coins at 50,000 with 20x, mark 48,000, 30 USD a coin of funding paid: margin 5,000,
 * loss 4,000, funding 60, so equity 940 of a notional of 96,000; a short has 5,000 + 4,000 + 60.
 * Maintenance in the first bracket: 0.4 % of 96,000 at mark, of 100,000 at entry.
 */
static void a_linear_balance_sheet_by_hand(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    struct liquidation_position p = {
        .side = 1, .entry_price = 5e4, .leverage = 20, .notional_usd = 1e5, .funding = 30.0};
    const struct margin_formula *mark = margin_find("linear_mark");
    const struct margin_formula *entry = margin_find("linear_entry");
    assert_near(liquidation_equity_share(mark, &p, 48e3), 940.0 / 96e3, 1e-15);
    assert_near(liquidation_maintenance_share(mark, &brackets, &p, 48e3), 0.004, 1e-15);
    assert_near(liquidation_maintenance_share(entry, &brackets, &p, 48e3), 400.0 / 96e3, 1e-15);
    p.side = -1;
    assert_near(liquidation_equity_share(mark, &p, 48e3), 9060.0 / 96e3, 1e-15);
}

/*
 * 40 coins at 25,000: 1M USD, 1.2M at 30,000: the third bracket holds both, 0.65 % less 1,500.
 * 20 coins: 500,000 at entry (second: 0.5 % less 300), 900,000 at 45,000 (third).
 */
static void maintenance_at_mark_takes_the_bracket_of_the_mark(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    struct liquidation_position p = {
        .side = -1, .entry_price = 25e3, .leverage = 2, .notional_usd = 1e6};
    const struct margin_formula *mark = margin_find("linear_mark");
    const struct margin_formula *entry = margin_find("linear_entry");
    assert_near(liquidation_maintenance_share(mark, &brackets, &p, 3e4),
                (0.0065 * 1.2e6 - 1500.0) / 1.2e6, 1e-15);
    assert_near(liquidation_maintenance_share(entry, &brackets, &p, 3e4),
                (0.0065 * 1e6 - 1500.0) / 1.2e6, 1e-15);
    p.notional_usd = 5e5;
    assert_near(liquidation_maintenance_share(mark, &brackets, &p, 45e3),
                (0.0065 * 9e5 - 1500.0) / 9e5, 1e-15);
    assert_near(liquidation_maintenance_share(entry, &brackets, &p, 45e3),
                (0.005 * 5e5 - 300.0) / 9e5, 1e-15);
}

/*
 * 100,000 contracts of 1 USD at 50,000 are 2 coins, 10x: margin 0.2 coins. At 40,000 they are 2.5
 * coins; a long has lost 0.5, a short gained 0.5. Maintenance 0.4 %: 0.008 coins at entry, 0.01 at
 * mark.
 */
static void an_inverse_balance_sheet_by_hand(void **state)
{
    struct brackets flat;
    brackets_flat(&flat, 0.004, 125.0);
    struct liquidation_position p = {
        .side = -1, .entry_price = 5e4, .leverage = 10, .notional_usd = 1e5};
    const struct margin_formula *entry = margin_find("inverse_entry");
    const struct margin_formula *mark = margin_find("inverse_mark");
    assert_near(liquidation_equity_share(mark, &p, 4e4), 0.7 / 2.5, 1e-15);
    assert_near(liquidation_maintenance_share(entry, &flat, &p, 4e4), 0.008 / 2.5, 1e-15);
    assert_near(liquidation_maintenance_share(mark, &flat, &p, 4e4), 0.01 / 2.5, 1e-15);
    p.side = 1;
    assert_near(liquidation_equity_share(mark, &p, 4e4), -0.3 / 2.5, 1e-15);
}

static void a_full_rule_closes_whole_positions(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    const struct margin_formula *formula = margin_find("linear_mark");
    for (uint32_t i = 0; i < 100; i++) {
        struct liquidation_position p = random_position(&brackets, i);
        double price = near_price(formula, &brackets, &p, i);
        assert_true(liquidation_share(&full, formula, &brackets, &p, price) == 1.0);
    }
}

/*
 * 5M USD at mark lie in the fourth bracket (3M to 12M). One bracket down leaves 3M: 2/5 are closed;
 * two leave 0.8M: 21/25. From the second bracket (0.5M) one down leaves 0.3M; two have no bracket
 * to go to, and the lowest bracket closes whole.
 */
static void brackets_are_dropped_to_the_cap_of_a_lower_one(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    const struct margin_formula *formula = margin_find("linear_mark");
    struct liquidation_position p = {
        .side = 1, .entry_price = 1e4, .leverage = 50, .notional_usd = 5e6};
    assert_near(liquidation_share(&one_bracket, formula, &brackets, &p, 1e4), 0.4, 1e-11);
    assert_near(liquidation_share(&two_brackets, formula, &brackets, &p, 1e4), 0.84, 1e-11);
    p.notional_usd = 5e5;
    assert_near(liquidation_share(&one_bracket, formula, &brackets, &p, 1e4), 0.4, 1e-11);
    assert_true(liquidation_share(&two_brackets, formula, &brackets, &p, 1e4) == 1.0);
    p.notional_usd = 2e5;
    assert_true(liquidation_share(&one_bracket, formula, &brackets, &p, 1e4) == 1.0);
}

/* Equity of 0.3 % of the notional: less than the lowest rate of 0.4 %, so the whole; 0.5 % is
   enough to try a lower bracket. 2 % margin less a fall of 1.7 or 1.5 of 98.3 or 98.5. */
static void below_the_lowest_maintenance_rate_no_bracket_is_tried(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    const struct margin_formula *formula = margin_find("linear_mark");
    struct liquidation_position p = {
        .side = 1, .entry_price = 100, .leverage = 50, .notional_usd = 5e6};
    assert_true(liquidation_share(&one_bracket, formula, &brackets, &p, 98.3) == 1.0);
    assert_true(liquidation_share(&one_bracket, formula, &brackets, &p, 98.5) < 1.0);
}

/* The rest lies in the bracket it was brought to, so the same order is never asked for twice. */
static void the_rest_is_in_the_lower_bracket(void **state)
{
    struct brackets brackets;
    int partial = 0;
    for (int f = 0; f < 2 * margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f / 2];
        table_for(formula, f % 2, &brackets);
        for (uint32_t i = 0; i < POSITIONS; i++) {
            struct liquidation_position p = random_position(&brackets, i);
            double price = near_price(formula, &brackets, &p, i);
            if (price <= 0.0)
                continue;
            double share = liquidation_share(&one_bracket, formula, &brackets, &p, price);
            if (share == 1.0)
                continue;
            double scale = margin_keeps_bracket(formula, &brackets) ? 1.0
                           : formula->inverse                       ? p.entry_price / price
                                                                    : price / p.entry_price;
            int before = brackets_find(&brackets, p.notional_usd * scale);
            struct liquidation_position rest = rest_of(formula, &p, share, price, 0.0);
            assert_int_equal(brackets_find(&brackets, rest.notional_usd * scale), before - 1);
            assert_near(rest.notional_usd * scale / brackets.cap_usd[before - 1], 1.0, 1e-11);
            partial++;
        }
    }
    print_message("%d partial orders\n", partial);
    assert_true(partial > 4 * POSITIONS);
}

/*
 * Hyperliquid: "For liquidatable positions larger than 100k USDC, only 20% of the position will be
 * sent as a market liquidation order"; in the 30 seconds after, orders are for the entire position.
 */
static void a_fifth_of_positions_above_100k(void **state)
{
    struct brackets flat;
    brackets_flat(&flat, 0.0125, 40.0);
    const struct margin_formula *formula = margin_find("linear_mark");
    struct liquidation_position p = {
        .side = 1, .entry_price = 1e5, .leverage = 40, .notional_usd = 101e3};
    assert_true(liquidation_share(&hyperliquid, formula, &flat, &p, 1e5) == 0.2);
    /* 1.01 coins at 99,000 are 99,990 USD. */
    assert_true(liquidation_share(&hyperliquid, formula, &flat, &p, 99e3) == 1.0);
    p.notional_usd = 1e5;
    assert_true(liquidation_share(&hyperliquid, formula, &flat, &p, 1e5) == 1.0);
    p.notional_usd = 5e6;
    /* Below 97,500 there is no margin to leave a rest with. */
    assert_true(liquidation_share(&hyperliquid, formula, &flat, &p, 97501) == 0.2);
    assert_true(liquidation_share(&hyperliquid, formula, &flat, &p, 97499) == 1.0);
    p.cooling = true;
    assert_true(liquidation_share(&hyperliquid, formula, &flat, &p, 99e3) == 1.0);
}

/* 40x has 2.5 % margin, maintenance 1.25 % of the mark. Two thirds of it are 0.8333 %: where
   E (1/40 - 1) + P = P/120, P = 0.975 / (1 - 1/120) E = 98,319.33. */
static void the_backstop_takes_over_below_two_thirds_of_maintenance(void **state)
{
    struct brackets flat;
    brackets_flat(&flat, 0.0125, 40.0);
    const struct margin_formula *formula = margin_find("linear_mark");
    struct liquidation_position p = {
        .side = 1, .entry_price = 1e5, .leverage = 40, .notional_usd = 5e6};
    assert_false(liquidation_backstop(&hyperliquid, formula, &flat, &p, 98319.4));
    assert_true(liquidation_backstop(&hyperliquid, formula, &flat, &p, 98319.3));
    assert_true(liquidation_backstop(&hyperliquid, formula, &flat, &p, 9e4));
    assert_false(liquidation_backstop(&deribit, formula, &flat, &p, 9e4));
}

/*
 * One bracket of 1 %, 100 USD long at 100 with 50x: at 98.8 equity is 0.8 of a notional of 98.8,
 * enough for 80 USD: 1 - 80/98.8 = 19.03 % are closed. At 98.99 maintenance of .9899 meets .99:
 * nothing needs to be closed and the least part is.
 */
static void an_increment_restores_the_maintenance_margin(void **state)
{
    struct brackets flat;
    brackets_flat(&flat, 0.01, 50.0);
    const struct margin_formula *formula = margin_find("linear_mark");
    struct liquidation_position p = {
        .side = 1, .entry_price = 100, .leverage = 50, .notional_usd = 100};
    double share = liquidation_share(&deribit, formula, &flat, &p, 98.8);
    print_message("%.2f %% are closed\n", 100.0 * share);
    assert_near(share, 1.0 - 80.0 / 98.8, 2e-9);
    assert_true(liquidation_share(&deribit, formula, &flat, &p, 98.99) == 0.05);
    /* Equity 0 at 98 and below. */
    assert_true(liquidation_share(&deribit, formula, &flat, &p, 98.0) == 1.0);
    assert_true(liquidation_share(&deribit, formula, &flat, &p, 90.0) == 1.0);
}

static void after_an_increment_the_rest_is_safe_and_no_smaller_one_would_do(void **state)
{
    struct brackets brackets;
    struct liquidation_rule least = deribit;
    least.share = 0.0;
    int orders = 0;
    for (int f = 0; f < 2 * margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f / 2];
        table_for(formula, f % 2, &brackets);
        for (uint32_t i = 0; i < POSITIONS; i++) {
            struct liquidation_position p = random_funded(formula, &brackets, i);
            double price = near_price(formula, &brackets, &p, i);
            if (price <= 0.0 || equity_of(formula, &p, price) <= 0.0 ||
                equity_of(formula, &p, price) >= maintenance_of(formula, &brackets, &p, price))
                continue;
            double share = liquidation_share(&least, formula, &brackets, &p, price);
            assert_true(share > 0.0 && share < 1.0);
            struct liquidation_position rest = rest_of(formula, &p, share, price, 0.0);
            assert_true(equity_of(formula, &rest, price) >
                        maintenance_of(formula, &brackets, &rest, price));
            double less = share * (1.0 - 1e-6) - 1e-8;
            rest = rest_of(formula, &p, less, price, 0.0);
            assert_true(equity_of(formula, &rest, price) <
                        maintenance_of(formula, &brackets, &rest, price));
            orders++;
        }
    }
    print_message("%d incremental orders\n", orders);
    assert_true(orders > 2 * POSITIONS);
}

/* Whatever is closed at mark without a fee: the account is as rich as before and must keep less. */
static void closing_at_mark_keeps_equity_and_lowers_maintenance(void **state)
{
    struct brackets brackets;
    for (int f = 0; f < 2 * margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f / 2];
        table_for(formula, f % 2, &brackets);
        for (uint32_t i = 0; i < POSITIONS; i++) {
            struct liquidation_position p = random_funded(formula, &brackets, i);
            double price = near_price(formula, &brackets, &p, i);
            double share = 0.01 + 0.97 * (double)i / POSITIONS;
            if (price <= 0.0 ||
                liquidation_rest_inverse_leverage(formula, &p, share, price, 0.0) <= 0.0)
                continue;
            struct liquidation_position rest = rest_of(formula, &p, share, price, 0.0);
            double scale = notional_in_margin_currency(formula, &p, price);
            assert_near((equity_of(formula, &rest, price) - equity_of(formula, &p, price)) / scale,
                        0.0, 1e-12);
            assert_true(maintenance_of(formula, &brackets, &rest, price) <
                        maintenance_of(formula, &brackets, &p, price));
        }
    }
}

/* Margin of the rest = margin before + realised PnL - funding settled - fee, whatever the fill. */
static void margin_realised_pnl_and_fee_add_up(void **state)
{
    struct brackets brackets;
    for (int f = 0; f < 2 * margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f / 2];
        table_for(formula, f % 2, &brackets);
        for (uint32_t i = 0; i < POSITIONS; i++) {
            struct liquidation_position p = random_funded(formula, &brackets, i);
            double fill = p.entry_price * (0.7 + 0.6 * (double)(i * 7 % POSITIONS) / POSITIONS);
            double share = 0.01 + 0.97 * (double)i / POSITIONS, fee_rate = 5e-4;
            double size = size_of(formula, &p), entry = p.entry_price;
            double value = formula->inverse ? 1.0 / entry : entry;
            double realised = formula->inverse ? 1.0 / entry - 1.0 / fill : fill - entry;
            double fee = fee_rate * (formula->inverse ? 1.0 / fill : fill);
            double margin = size * value / p.leverage;
            double after = margin + share * size * (p.side * (realised - p.funding) - fee);
            double inverse_leverage =
                liquidation_rest_inverse_leverage(formula, &p, share, fill, fee_rate);
            double rest_margin = inverse_leverage * (1.0 - share) * size * value;
            assert_near((rest_margin - after) / (size * value), 0.0, 1e-13);
        }
    }
}

/*
 * 10 coins long at 100 with 10x, a fifth closed at 95 with a fee of 1 %: margin 100 less 10 of loss
 * and 1.9 of fee are 88.1 for 8 coins of 800 USD at entry.
 */
static void the_rest_is_left_with_what_the_order_did_not_cost(void **state)
{
    const struct margin_formula *formula = margin_find("linear_mark");
    struct liquidation_position p = {
        .side = 1, .entry_price = 100, .leverage = 10, .notional_usd = 1000};
    assert_near(liquidation_rest_inverse_leverage(formula, &p, 0.2, 95, 0.01), 88.1 / 800, 1e-15);
    /* Filled at 40 it costs more than the margin: 100 - 2 * 60. */
    assert_true(liquidation_rest_inverse_leverage(formula, &p, 0.2, 40, 0.0) <= 0.0);
}

static void models_are_found_by_name_in_the_order_of_their_kinds(void **state)
{
    static const char *const names[] = {"full", "brackets", "share", "incremental", "none"};
    assert_int_equal(liquidation_model_count, 5);
    for (int i = 0; i < liquidation_model_count; i++) {
        assert_int_equal(liquidation_models[i].kind, i);
        assert_true(liquidation_find(names[i]) == &liquidation_models[i]);
        assert_true(liquidation_models[i].documentation && liquidation_models[i].source);
    }
    assert_null(liquidation_find("partial"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_liquidation_price_equity_is_the_maintenance_margin),
        cmocka_unit_test(a_linear_balance_sheet_by_hand),
        cmocka_unit_test(maintenance_at_mark_takes_the_bracket_of_the_mark),
        cmocka_unit_test(an_inverse_balance_sheet_by_hand),
        cmocka_unit_test(a_full_rule_closes_whole_positions),
        cmocka_unit_test(brackets_are_dropped_to_the_cap_of_a_lower_one),
        cmocka_unit_test(below_the_lowest_maintenance_rate_no_bracket_is_tried),
        cmocka_unit_test(the_rest_is_in_the_lower_bracket),
        cmocka_unit_test(a_fifth_of_positions_above_100k),
        cmocka_unit_test(the_backstop_takes_over_below_two_thirds_of_maintenance),
        cmocka_unit_test(an_increment_restores_the_maintenance_margin),
        cmocka_unit_test(after_an_increment_the_rest_is_safe_and_no_smaller_one_would_do),
        cmocka_unit_test(closing_at_mark_keeps_equity_and_lowers_maintenance),
        cmocka_unit_test(margin_realised_pnl_and_fee_add_up),
        cmocka_unit_test(the_rest_is_left_with_what_the_order_did_not_cost),
        cmocka_unit_test(models_are_found_by_name_in_the_order_of_their_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
