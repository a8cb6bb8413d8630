/*
 * Worked examples of venues and closed forms for liquidation prices, through the public functions,
 * with the bracket tables that are shipped.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "datasets/venue_tables.h"
#include "models/brackets.h"
#include "models/margin.h"
#include "tests/support/near.h"

#define TOLERANCE 1e-4

static int64_t time_of(const char *text, size_t length)
{
    int64_t time_ms = CALENDAR_NONE;
    assert_true(calendar_parse_iso(text, length, &time_ms));
    return time_ms;
}

static void shipped_tables(struct venue_tables *tables, const char *symbol)
{
    struct error err = {0};
    if (venue_tables_read(tables, "binance", symbol, &err) != ERROR_NONE)
        fail_msg("venue_tables_read: %s", err.message);
}

static void brackets_of(struct brackets *brackets, const struct venue_table *table)
{
    struct error err = {0};
    if (brackets_init(brackets, table->count, table->cap, table->max_leverage, table->rate,
                      table->valid_from_ms, &err) != ERROR_NONE)
        fail_msg("brackets_init: %s", err.message);
}

static void october_2025_btc(struct brackets *brackets)
{
    struct venue_tables tables;
    shipped_tables(&tables, "BTCUSDT");
    brackets_of(brackets, venue_tables_at(&tables, time_of("2025-10-10", 10)));
    venue_tables_free(&tables);
}

static double price_flat(const char *formula, int side, double entry, double usd, double leverage)
{
    struct brackets flat;
    brackets_flat(&flat, 0.005, 125.0);
    return margin_liquidation_price(margin_find(formula), &flat, side, entry, usd, leverage);
}

/* Oracle 1: E 50,000, L 50, m 0.5 %. */
static void inverse_at_50x(void **state)
{
    assert_near(price_flat("inverse_entry", 1, 5e4, 1e4, 50), 49261.0837, TOLERANCE);
    assert_near(price_flat("inverse_mark", 1, 5e4, 1e4, 50), 49264.7059, TOLERANCE);
    assert_near(price_flat("inverse_entry", -1, 5e4, 1e4, 50), 50761.4213, TOLERANCE);
    assert_near(price_flat("inverse_mark", -1, 5e4, 1e4, 50), 50765.3061, TOLERANCE);
}

/* Oracle 2. */
static void linear_at_50x(void **state)
{
    assert_near(price_flat("linear_mark", 1, 5e4, 1e4, 50), 49246.2312, TOLERANCE);
    assert_near(price_flat("linear_entry", 1, 5e4, 1e4, 50), 49250.0, TOLERANCE);
}

/* Oracle 3: 60,000 USD of contracts at 50,000, 10x. */
static void inverse_short_of_60000_contracts(void **state)
{
    assert_near(price_flat("inverse_entry", -1, 5e4, 6e4, 10), 55248.6188, TOLERANCE);
}

/* Bybit's example for USDT contracts: 1 BTC long at 20,000, 50x, 0.5 %: 20,000 - (400 - 100). The
   short of the same page's formula mirrors it. */
static void bybit_usdt_long_at_20000(void **state)
{
    assert_near(price_flat("linear_entry", 1, 2e4, 2e4, 50), 19700.0, TOLERANCE);
    assert_near(price_flat("linear_entry", -1, 2e4, 2e4, 50), 20300.0, TOLERANCE);
}

/* Oracle 4: 50 BTC at 120,000, 20x. */
static void fifty_btc_at_20x_in_october_2025(void **state)
{
    struct brackets brackets;
    october_2025_btc(&brackets);
    const struct margin_formula *formula = margin_find("linear_mark");
    double usd = 50.0 * 120000.0;
    double below = margin_liquidation_price(formula, &brackets, 1, 120000.0, usd, 20.0);
    double above = margin_liquidation_price(formula, &brackets, -1, 120000.0, usd, 20.0);
    print_message("long %.4f, short %.4f\n", below, above);
    assert_near(below, 114909.0909, TOLERANCE);
    assert_near(above, 124990.0990, TOLERANCE);
}

/* Oracle 5: 100 BTC are above 12M USD at entry and below it where they are liquidated. */
static void a_bracket_changes_on_the_way_down(void **state)
{
    struct brackets brackets;
    october_2025_btc(&brackets);
    const struct margin_formula *formula = margin_find("linear_mark");
    double usd = 100.0 * 120500.0;
    assert_int_equal(brackets_find(&brackets, usd), 4);
    assert_int_equal(margin_bracket(formula, &brackets, 1, usd, 20.0), 3);
    double price = margin_liquidation_price(formula, &brackets, 1, 120500.0, usd, 20.0);
    assert_near(price, 115510.1010, TOLERANCE);
}

/* Oracle 6: every table that is shipped. */
static void shipped_maintenance_amounts_are_regenerated(void **state)
{
    static const char *const symbols[] = {"BTCUSDT", "ETHUSDT"};
    int rows = 0;
    for (size_t s = 0; s < 2; s++) {
        struct venue_tables tables;
        shipped_tables(&tables, symbols[s]);
        assert_true(tables.count >= 2);
        for (size_t t = 0; t < tables.count; t++) {
            struct brackets brackets;
            brackets_of(&brackets, &tables.tables[t]);
            for (int n = 0; n < brackets.count; n++, rows++)
                assert_true(brackets.cum_usd[n] == tables.tables[t].cum[n]);
        }
        venue_tables_free(&tables);
    }
    print_message("%d brackets regenerated exactly\n", rows);
}

/* The fourth bracket's published amount, before and after the tables of June 2025. */
static void the_table_in_force_is_the_one_of_the_day(void **state)
{
    struct venue_tables tables;
    struct brackets before, after;
    shipped_tables(&tables, "BTCUSDT");
    brackets_of(&before, venue_tables_at(&tables, time_of("2024-08-05", 10)));
    brackets_of(&after, venue_tables_at(&tables, time_of("2025-10-10", 10)));
    venue_tables_free(&tables);
    assert_true(before.cum_usd[3] == 11450.0);
    assert_true(after.cum_usd[3] == 12000.0);
    assert_true(brackets_max_leverage(&before, 1e4) == 125.0);
    assert_true(brackets_max_leverage(&after, 1e4) == 150.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverse_at_50x),
        cmocka_unit_test(linear_at_50x),
        cmocka_unit_test(inverse_short_of_60000_contracts),
        cmocka_unit_test(bybit_usdt_long_at_20000),
        cmocka_unit_test(fifty_btc_at_20x_in_october_2025),
        cmocka_unit_test(a_bracket_changes_on_the_way_down),
        cmocka_unit_test(shipped_maintenance_amounts_are_regenerated),
        cmocka_unit_test(the_table_in_force_is_the_one_of_the_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
