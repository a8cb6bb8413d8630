/* Margin formulas against venue balance sheets, closed forms and a fixed-point iteration. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "models/margin.h"
#include "tests/support/near.h"

#define POSITIONS 20000

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

/* A position anywhere in the table: notional log-uniform from 1,000 to 2.5B USD, leverage
   log-uniform from 1 to the maximum of its bracket. */
struct position {
    int side;
    double entry, notional, leverage;
};

static struct position random_position(const struct brackets *brackets, uint32_t i)
{
    struct random_stream stream = random_stream_make(20251010, 0, "test.margin");
    struct random_block block = random_block_at(&stream, 0, i);
    struct position p;
    p.side = block.word[0] & 1 ? 1 : -1;
    p.entry = 50.0 * pow(4000.0, random_uniform(block.word[1]));
    p.notional = 1e3 * pow(2.5e6, random_uniform(block.word[2]));
    p.leverage = pow(brackets_max_leverage(brackets, p.notional), random_uniform(block.word[3]));
    return p;
}

static double liquidation(const char *formula, const struct brackets *brackets,
                          const struct position *p)
{
    return margin_liquidation_price(margin_find(formula), brackets, p->side, p->entry, p->notional,
                                    p->leverage);
}

/* What is left of the margin over maintenance at price P, in USD (linear) or coins (inverse), as a
   venue books it. */
static double linear_excess(const struct brackets *b, const struct position *p, double price,
                            bool at_mark)
{
    double coins = p->notional / p->entry;
    double equity = p->notional / p->leverage + p->side * coins * (price - p->entry);
    return equity - brackets_maintenance_usd(b, at_mark ? coins * price : p->notional);
}

static void linear_positions_are_liquidated_where_equity_meets_maintenance(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    double worst = 0.0;
    for (uint32_t i = 0; i < POSITIONS; i++) {
        struct position p = random_position(&brackets, i);
        for (int at_mark = 0; at_mark < 2; at_mark++) {
            double price = liquidation(at_mark ? "linear_mark" : "linear_entry", &brackets, &p);
            if (price <= 0.0)
                continue;
            double excess = linear_excess(&brackets, &p, price, at_mark);
            worst = fmax(worst, fabs(excess) / p.notional);
        }
    }
    print_message("largest equity over maintenance at liquidation: %.1e of notional\n", worst);
    assert_true(worst < 1e-12);
}

static void inverse_positions_are_liquidated_where_equity_meets_maintenance(void **state)
{
    struct brackets flat;
    brackets_flat(&flat, 0.005, 100.0);
    for (uint32_t i = 0; i < POSITIONS; i++) {
        struct position p = random_position(&flat, i);
        for (int at_mark = 0; at_mark < 2; at_mark++) {
            double price = liquidation(at_mark ? "inverse_mark" : "inverse_entry", &flat, &p);
            double margin_coins = p.notional / p.entry / p.leverage;
            double pnl_coins = p.side * p.notional * (1.0 / p.entry - 1.0 / price);
            double maintenance_coins = 0.005 * p.notional / (at_mark ? price : p.entry);
            assert_near((margin_coins + pnl_coins - maintenance_coins) * p.entry / p.notional, 0.0,
                        1e-12);
        }
    }
}

/* Bybit deducts from the margin of an inverse position as from a linear one: 20M USD at 50,000,
   20x, in a bracket of 2 % with 132,000 USD deducted. Coins: 400, margin 20, maintenance 8 - 2.64.
 */
static void inverse_entry_margin_takes_the_deduction(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    struct position p = {1, 5e4, 2e7, 20.0};
    assert_near(liquidation("inverse_entry", &brackets, &p), 2e7 / (400.0 + 20.0 - 5.36), 1e-8);
}

static void a_long_at_50x_is_liquidated_1_5075_percent_below_entry(void **state)
{
    struct brackets flat;
    brackets_flat(&flat, 0.005, 100.0);
    struct position p = {1, 50000.0, 1e4, 50.0};
    double mark = liquidation("linear_mark", &flat, &p);
    double entry = liquidation("linear_entry", &flat, &p);
    print_message("long 50x, 0.5 %%: %.4f %% below entry (mark), %.4f %% (entry)\n",
                  100.0 * (1.0 - mark / 50000.0), 100.0 * (1.0 - entry / 50000.0));
    /* 1 - .98/.995 and 1/50 - .005 */
    assert_near(100.0 * (1.0 - mark / 50000.0), 1.5075, 5e-5);
    assert_near(100.0 * (1.0 - entry / 50000.0), 1.5, 1e-10);
}

/* Maintenance shrinks with the price of a long and grows with that of a short. */
static void maintenance_at_mark_liquidates_both_sides_later_or_sooner(void **state)
{
    struct brackets flat;
    brackets_flat(&flat, 0.01, 100.0);
    struct position longs = {1, 100.0, 1e4, 20.0}, shorts = {-1, 100.0, 1e4, 20.0};
    assert_true(liquidation("linear_mark", &flat, &longs) <
                liquidation("linear_entry", &flat, &longs));
    assert_true(liquidation("linear_mark", &flat, &shorts) <
                liquidation("linear_entry", &flat, &shorts));
}

static void higher_leverage_is_liquidated_nearer_on_every_formula(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    for (int f = 0; f < margin_formula_count; f++) {
        double last_long = 0.0, last_short = INFINITY;
        for (double leverage = 2.0; leverage <= 100.0; leverage *= 1.1) {
            const struct margin_formula *formula = &margin_formulas[f];
            double below = margin_liquidation_price(formula, &brackets, 1, 6e4, 5e4, leverage);
            double above = margin_liquidation_price(formula, &brackets, -1, 6e4, 5e4, leverage);
            assert_true(below > last_long && below < 6e4);
            assert_true(above < last_short && above > 6e4);
            last_long = below;
            last_short = above;
        }
    }
}

static void liquidation_comes_before_bankruptcy(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    for (uint32_t i = 0; i < POSITIONS; i++) {
        struct position p = random_position(&brackets, i);
        for (int f = 0; f < margin_formula_count; f++) {
            const struct margin_formula *formula = &margin_formulas[f];
            double fires = margin_liquidation_price(formula, &brackets, p.side, p.entry, p.notional,
                                                    p.leverage);
            double broke = margin_bankruptcy_price(formula, p.side, p.entry, p.leverage);
            assert_true(p.side > 0 ? fires >= broke : fires <= broke);
        }
    }
}

static void margin_is_gone_two_percent_away_at_50x(void **state)
{
    const struct margin_formula *linear = margin_find("linear_mark");
    const struct margin_formula *inverse = margin_find("inverse_entry");
    assert_near(margin_bankruptcy_price(linear, 1, 50000, 50), 49000.0, 1e-9);
    assert_near(margin_bankruptcy_price(linear, -1, 50000, 50), 51000.0, 1e-9);
    /* 2,500,000/51 and 2,500,000/49 */
    assert_near(margin_bankruptcy_price(inverse, 1, 50000, 50), 49019.607843, 1e-6);
    assert_near(margin_bankruptcy_price(inverse, -1, 50000, 50), 51020.408163, 1e-6);
}

/* An unlevered spot-like long has no price above 0 that takes it; a coin-margined short at 1x is a
   synthetic dollar and has no price at all, but for the maintenance it must keep:
   50,000/(1 - 1 + .005). */
static void positions_that_nothing_can_liquidate(void **state)
{
    struct brackets none, flat;
    brackets_flat(&none, 0.0, 100.0);
    brackets_flat(&flat, 0.005, 100.0);
    struct position unlevered = {1, 50000.0, 1e4, 1.0}, synthetic = {-1, 50000.0, 1e4, 1.0};
    assert_true(liquidation("linear_mark", &flat, &unlevered) == 0.0);
    assert_true(isinf(liquidation("inverse_entry", &none, &synthetic)));
    assert_true(isinf(liquidation("inverse_mark", &none, &synthetic)));
    assert_near(liquidation("inverse_entry", &flat, &synthetic), 1e7, 1e-3);
    assert_true(isinf(margin_bankruptcy_price(margin_find("inverse_mark"), -1, 50000.0, 1.0)));
    assert_true(margin_bankruptcy_price(margin_find("linear_mark"), 1, 50000.0, 1.0) == 0.0);
}

/* Bracket that holds the notional at a price: USD of the coins held, or, for coin-margined
   contracts, the coins behind the contracts valued at the entry price. */
static int bracket_at(const struct margin_formula *formula, const struct brackets *brackets,
                      const struct position *p, double price)
{
    double ratio = formula->inverse ? p->entry / price : price / p->entry;
    return brackets_find(brackets, p->notional * ratio);
}

static double price_in_bracket(const struct margin_formula *formula,
                               const struct brackets *brackets, int n, const struct position *p)
{
    double kappa = formula->kappa(p->side, p->entry, 1.0 / p->leverage, brackets->rate[n],
                                  brackets->cum_usd[n] / p->notional);
    double z = kappa / formula->slope(p->side, brackets->rate[n]);
    if (formula->inverse)
        return z < 0.0 ? -1.0 / z : INFINITY;
    return fmax(z, 0.0);
}

/* What a venue's worked example does by hand: price with a bracket, bracket of the notional at that
   price, again until it stays. */
static double iterated_price(const struct margin_formula *formula, const struct brackets *brackets,
                             const struct position *p)
{
    int n = brackets_find(brackets, p->notional);
    double price = price_in_bracket(formula, brackets, n, p);
    for (int round = 0; round < 64; round++) {
        int next = bracket_at(formula, brackets, p, price);
        if (next == n)
            return price;
        n = next;
        price = price_in_bracket(formula, brackets, n, p);
    }
    return price;
}

static void the_deciding_bracket_holds_the_notional_at_the_liquidation_price(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    static const char *const names[] = {"linear_mark", "inverse_mark"};
    int moved = 0;
    for (int k = 0; k < 2; k++) {
        const struct margin_formula *formula = margin_find(names[k]);
        for (uint32_t i = 0; i < POSITIONS; i++) {
            struct position p = random_position(&brackets, i);
            double price = liquidation(names[k], &brackets, &p);
            double iterated = iterated_price(formula, &brackets, &p);
            if (isinf(price) || isinf(iterated))
                assert_true(price == iterated);
            else
                assert_near(price, iterated, 1e-12 * p.entry);
            moved += margin_bracket(formula, &brackets, p.side, p.notional, p.leverage) !=
                     brackets_find(&brackets, p.notional);
        }
    }
    print_message("%d of %d positions are liquidated in another bracket than they entered\n", moved,
                  2 * POSITIONS);
    assert_true(moved > POSITIONS / 10);
}

static void the_first_bracket_to_liquidate_decides(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    static const char *const names[] = {"linear_mark", "inverse_mark"};
    for (int k = 0; k < 2; k++) {
        const struct margin_formula *formula = margin_find(names[k]);
        for (uint32_t i = 0; i < POSITIONS; i++) {
            struct position p = random_position(&brackets, i);
            double first = p.side > 0 ? 0.0 : INFINITY;
            for (int n = 0; n < brackets.count; n++) {
                double price = price_in_bracket(formula, &brackets, n, &p);
                first = p.side > 0 ? fmax(first, price) : fmin(first, price);
            }
            double price = liquidation(names[k], &brackets, &p);
            if (isinf(first))
                assert_true(isinf(price));
            else
                assert_near(price, first, 1e-12 * p.entry);
        }
    }
}

static void maintenance_at_entry_keeps_the_bracket_of_the_entry(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    for (uint32_t i = 0; i < 1000; i++) {
        struct position p = random_position(&brackets, i);
        int entry_bracket = brackets_find(&brackets, p.notional);
        assert_int_equal(
            margin_bracket(margin_find("linear_entry"), &brackets, p.side, p.notional, p.leverage),
            entry_bracket);
        assert_int_equal(
            margin_bracket(margin_find("inverse_entry"), &brackets, p.side, p.notional, p.leverage),
            entry_bracket);
    }
}

static void entry_is_recovered_from_a_given_liquidation_price(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    for (int f = 0; f < margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f];
        for (uint32_t i = 0; i < 2000; i++) {
            struct position p = random_position(&brackets, i);
            int n = margin_bracket(formula, &brackets, p.side, p.notional, p.leverage);
            double share = brackets.cum_usd[n] / p.notional, rate = brackets.rate[n];
            double price = liquidation(formula->name, &brackets, &p);
            if (!(price > 0.0) || isinf(price))
                continue;
            double kappa = formula->slope(p.side, rate) * margin_z(formula, price);
            double entry = formula->entry(p.side, kappa, 1.0 / p.leverage, rate, share);
            assert_near(entry / p.entry, 1.0, 1e-9);
        }
    }
}

/* s * (a z(P) - F) <= s * K, with K = unit(y) kappa(E/y) - F(open): true on the far side of the
   liquidation price and false on the near one, whatever the price y and funding at the opening. */
static bool fires(const struct margin_formula *formula, const struct brackets *brackets,
                  const struct position *p, double opened_at, double funding, double price)
{
    int n = margin_bracket(formula, brackets, p->side, p->notional, p->leverage);
    double kappa = formula->kappa(p->side, p->entry / opened_at, 1.0 / p->leverage,
                                  brackets->rate[n], brackets->cum_usd[n] / p->notional);
    double key = margin_unit(formula, opened_at) * kappa;
    double slope = formula->slope(p->side, brackets->rate[n]);
    return p->side * (slope * margin_z(formula, price) - funding) <= p->side * key;
}

static void the_affine_key_fires_exactly_beyond_the_liquidation_price(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    for (int f = 0; f < margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f];
        for (uint32_t i = 0; i < 5000; i++) {
            struct position p = random_position(&brackets, i);
            double price = liquidation(formula->name, &brackets, &p);
            if (!(price > 0.0) || isinf(price))
                continue;
            double opened_at = 1.07 * p.entry, nudge = p.side * 1e-9;
            assert_true(fires(formula, &brackets, &p, opened_at, 0.0, price * (1.0 - nudge)));
            assert_false(fires(formula, &brackets, &p, opened_at, 0.0, price * (1.0 + nudge)));
        }
    }
}

/* A long at 50x with 0.4 % maintenance that pays 0.01 % per interval at an unchanged price: its
   room of 1/50 - 0.4 % lasts (0.02 - 0.004)/0.0001 = 160 intervals. */
static void funding_alone_liquidates_a_50x_long_after_160_intervals(void **state)
{
    const struct margin_formula *formula = margin_find("linear_mark");
    struct brackets flat;
    brackets_flat(&flat, 0.004, 125.0);
    struct position p = {1, 50000.0, 1e4, 50.0};
    int k = 0;
    /* Half an interval short, so that rounding does not decide. */
    while (!fires(formula, &flat, &p, p.entry, (k - 0.5) * 1e-4 * p.entry, p.entry))
        k++;
    assert_int_equal(k - 1, 160);
    struct position other = p;
    other.side = -1;
    assert_false(fires(formula, &flat, &other, p.entry, 160e-4 * p.entry, p.entry));
}

/* Margin minus maintenance minus the fee of the closing order is 0 where OKX liquidates: by hand
   for a long of 1 coin at 50,000, 10x, 0.4 % and 0.05 %: 45,000 / (1 - .0045); the short 55,000 /
   (1 + .0045). */
static void the_taker_fee_liquidates_before_the_maintenance_margin(void **state)
{
    const struct margin_formula *fee = margin_find("linear_fee");
    struct brackets with_fee, without;
    struct error err = {0};
    brackets_flat(&without, 0.004, 100.0);
    with_fee = without;
    assert_int_equal(margin_prepare(fee, 0.0005, &with_fee, &err), ERROR_NONE);
    double below = margin_liquidation_price(fee, &with_fee, 1, 5e4, 5e4, 10.0);
    double above = margin_liquidation_price(fee, &with_fee, -1, 5e4, 5e4, 10.0);
    print_message("long %.4f, short %.4f\n", below, above);
    assert_near(below, 45203.415369, 1e-6);
    assert_near(above, 54753.608761, 1e-6);
    assert_true(below > liquidation("linear_mark", &without, &(struct position){1, 5e4, 5e4, 10}));
    assert_true(above < liquidation("linear_mark", &without, &(struct position){-1, 5e4, 5e4, 10}));
}

static void only_one_formula_adds_the_taker_fee(void **state)
{
    struct brackets table, plain;
    struct error err = {0};
    btc_brackets(&plain);
    for (int f = 0; f < margin_formula_count; f++) {
        const struct margin_formula *formula = &margin_formulas[f];
        bool adds = strcmp(formula->name, "linear_fee") == 0;
        table = plain;
        assert_int_equal(margin_prepare(formula, 0.0005, &table, &err), ERROR_NONE);
        assert_true(formula->adds_taker == adds);
        for (int n = 0; n < table.count; n++) {
            assert_true(table.rate[n] == plain.rate[n] + (adds ? 0.0005 : 0.0));
            assert_true(table.rate[n] == margin_rate(formula, plain.rate[n], 0.0005));
            assert_true(table.cum_usd[n] == plain.cum_usd[n]);
        }
    }
    assert_int_equal(margin_prepare(margin_find("linear_fee"), 0.5, &table, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "bracket 12"));
}

/* The venue's own words, evaluated at a price that has nothing to do with the result:
   price - side * margin_available / size / (1 - l * side), margin_available the isolated margin
   (with the unrealised PnL) less the maintenance margin required at that price, l the rate of the
   tier at the liquidation price; 40x to 150M, 20x above. */
static double hyperliquid_by_the_docs(const struct position *p, double price, double l,
                                      double deduction)
{
    double size = p->notional / p->entry;
    double isolated = p->notional / p->leverage + p->side * size * (price - p->entry);
    double required = l * size * price - deduction;
    return price - p->side * (isolated - required) / size / (1.0 - l * p->side);
}

static void hyperliquids_formula_gives_one_price_wherever_it_is_evaluated(void **state)
{
    static const double cap[] = {150e6, INFINITY}, leverage[] = {40, 20}, rate[] = {.0125, .025};
    struct brackets table;
    struct error err = {0};
    assert_int_equal(brackets_init(&table, 2, cap, leverage, rate, 0, &err), ERROR_NONE);
    for (uint32_t i = 0; i < 2000; i++) {
        struct position p = random_position(&table, i);
        p.leverage = fmax(p.leverage, 1.5);
        double price = liquidation("hyperliquid", &table, &p);
        bool upper = p.notional / p.entry * price > 150e6;
        /* 150M * (2.5 % - 1.25 %) is deducted above 150M. */
        for (double at = 0.5; at < 2.0; at += 0.3) {
            double told = hyperliquid_by_the_docs(&p, at * p.entry, upper ? 0.025 : 0.0125,
                                                  upper ? 1875000.0 : 0.0);
            assert_near(told, price, 1e-11 * p.entry);
        }
    }
}

/* Tiers of contracts: a long of 12.05M at entry stays in the bracket above 12M although it is worth
   less where it is liquidated, and the rate holds for all of it: (120,500 - 6,025)/(1 - .02). */
static void a_table_of_whole_positions_keeps_the_bracket_of_the_entry(void **state)
{
    struct brackets marginal, whole;
    btc_brackets(&marginal);
    whole = marginal;
    brackets_make_whole(&whole);
    struct position p = {1, 120500.0, 12.05e6, 20.0};
    assert_int_equal(margin_bracket(margin_find("linear_mark"), &marginal, 1, p.notional, 20), 3);
    assert_int_equal(margin_bracket(margin_find("linear_mark"), &whole, 1, p.notional, 20), 4);
    assert_true(margin_keeps_bracket(margin_find("linear_mark"), &whole));
    assert_false(margin_keeps_bracket(margin_find("linear_mark"), &marginal));
    assert_near(liquidation("linear_mark", &whole, &p), 116811.224490, 1e-6);
}

/* An account whose only position it is, with the isolated margin as its balance, is that position.
 */
static void cross_margin_of_one_position_is_isolated_margin(void **state)
{
    static const char *const names[] = {"linear_mark", "linear_entry", "hyperliquid"};
    struct brackets table;
    btc_brackets(&table);
    for (uint32_t i = 0; i < 3000; i++) {
        struct position p = random_position(&table, i);
        const struct margin_formula *formula = margin_find(names[i % 3]);
        struct margin_leg leg = {p.side, p.notional / p.entry, p.entry};
        double low, high;
        margin_cross_prices(formula, &table, &leg, 1, p.notional / p.leverage, &low, &high);
        double price = liquidation(names[i % 3], &table, &p);
        assert_near(p.side > 0 ? low : high, price, 1e-9 * p.entry);
        assert_true(p.side > 0 ? high == INFINITY : low == 0.0);
    }
}

/* Equity of an account against the maintenance margin of its legs by the table itself. */
static double excess_of(const struct brackets *table, const struct margin_leg *legs, double balance,
                        double price)
{
    double excess = balance;
    for (int i = 0; i < 2; i++) {
        excess += legs[i].side * legs[i].size_coins * (price - legs[i].entry_price);
        excess -= brackets_maintenance_usd(table, legs[i].size_coins * price);
    }
    return excess;
}

/* In hedge mode the account is safe exactly between the two prices. */
static void hedged_accounts_are_safe_between_two_prices(void **state)
{
    struct brackets table;
    btc_brackets(&table);
    const struct margin_formula *formula = margin_find("linear_mark");
    int both = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        struct position p = random_position(&table, i), q = random_position(&table, i + 2000);
        q.entry = p.entry * 1.1;
        struct margin_leg legs[2] = {{1, p.notional / p.entry, p.entry},
                                     {-1, q.notional / q.entry, q.entry}};
        double balance = 0.2 * (p.notional + q.notional), low, high;
        margin_cross_prices(formula, &table, legs, 2, balance, &low, &high);
        bool safe = excess_of(&table, legs, balance, p.entry) > 0.0;
        assert_true(safe == (low < p.entry && p.entry < high));
        if (!safe)
            continue;
        both += low > 0.0 && high < INFINITY;
        double scale = 1e-9 * (p.notional + q.notional);
        if (low > 0.0)
            assert_near(excess_of(&table, legs, balance, low), 0.0, scale);
        if (high < INFINITY)
            assert_near(excess_of(&table, legs, balance, high) / (high / p.entry), 0.0, scale);
    }
    assert_true(both > 50);
}

/* By hand, Binance's formula with the brackets of August 2025: long 10 at 120,000 and short 4 at
   118,000, wallet 100,000, other contracts: maintenance 5,000, profit -3,000. Both legs end up in
   bracket 2 (0.5 %, cum 300) and 3 (0.65 %, cum 1,500):
   (100,000 - 5,000 - 3,000 + 1,500 + 300 - 1,200,000 + 472,000)/(0.065 + 0.02 - 10 + 4). */
static void binances_formula_of_hedge_mode(void **state)
{
    struct brackets table;
    btc_brackets(&table);
    const struct margin_formula *formula = margin_find("linear_mark");
    struct margin_leg legs[2] = {{1, 10.0, 120000.0}, {-1, 4.0, 118000.0}};
    double low, high;
    margin_cross_prices(formula, &table, legs, 2, 92000.0, &low, &high);
    assert_near(low, 634200.0 / 5.915, 1e-8);
    assert_true(high > 1e7); /* where the last brackets want half of both notionals */
    assert_int_equal(margin_leg_bracket(formula, &table, &legs[0], low), 2);
    assert_int_equal(margin_leg_bracket(formula, &table, &legs[1], low), 1);
    /* Without the hedge: (92,000 + 1,500 - 1,200,000)/(0.065 - 10). */
    margin_cross_prices(formula, &table, legs, 1, 92000.0, &low, &high);
    assert_near(low, 1106500.0 / 9.935, 1e-8);
    /* Fully hedged, only the maintenance margin moves: 2 * 10 P * m = 2,000 + 2 cum, 10 P <= 300k.
     */
    struct margin_leg pair[2] = {{1, 10.0, 20000.0}, {-1, 10.0, 20000.0}};
    margin_cross_prices(formula, &table, pair, 2, 2000.0, &low, &high);
    assert_true(low == 0.0);
    assert_near(high, 2000.0 / (20.0 * 0.004), 1e-8);
    margin_cross_prices(formula, &table, pair, 2, -1.0, &low, &high);
    assert_true(low >= high);
}

static void formulas_are_found_by_name(void **state)
{
    static const char *const names[] = {"linear_mark",   "linear_entry", "linear_fee",
                                        "inverse_entry", "inverse_mark", "hyperliquid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct margin_formula *formula = margin_find(names[i]);
        assert_non_null(formula);
        assert_string_equal(formula->name, names[i]);
        assert_non_null(formula->documentation);
        assert_non_null(formula->source);
    }
    assert_int_equal(margin_formula_count, 6);
    assert_null(margin_find("linear"));
    assert_null(margin_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_positions_are_liquidated_where_equity_meets_maintenance),
        cmocka_unit_test(inverse_positions_are_liquidated_where_equity_meets_maintenance),
        cmocka_unit_test(inverse_entry_margin_takes_the_deduction),
        cmocka_unit_test(a_long_at_50x_is_liquidated_1_5075_percent_below_entry),
        cmocka_unit_test(maintenance_at_mark_liquidates_both_sides_later_or_sooner),
        cmocka_unit_test(higher_leverage_is_liquidated_nearer_on_every_formula),
        cmocka_unit_test(liquidation_comes_before_bankruptcy),
        cmocka_unit_test(margin_is_gone_two_percent_away_at_50x),
        cmocka_unit_test(positions_that_nothing_can_liquidate),
        cmocka_unit_test(the_deciding_bracket_holds_the_notional_at_the_liquidation_price),
        cmocka_unit_test(the_first_bracket_to_liquidate_decides),
        cmocka_unit_test(maintenance_at_entry_keeps_the_bracket_of_the_entry),
        cmocka_unit_test(entry_is_recovered_from_a_given_liquidation_price),
        cmocka_unit_test(the_affine_key_fires_exactly_beyond_the_liquidation_price),
        cmocka_unit_test(funding_alone_liquidates_a_50x_long_after_160_intervals),
        cmocka_unit_test(the_taker_fee_liquidates_before_the_maintenance_margin),
        cmocka_unit_test(only_one_formula_adds_the_taker_fee),
        cmocka_unit_test(hyperliquids_formula_gives_one_price_wherever_it_is_evaluated),
        cmocka_unit_test(a_table_of_whole_positions_keeps_the_bracket_of_the_entry),
        cmocka_unit_test(cross_margin_of_one_position_is_isolated_margin),
        cmocka_unit_test(hedged_accounts_are_safe_between_two_prices),
        cmocka_unit_test(binances_formula_of_hedge_mode),
        cmocka_unit_test(formulas_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
