/*
 * Oracle 6: the maintenance amount of every shipped bracket is the one that follows from caps and
 * rates, and it makes the maintenance margin continuous; and what venues publish about their tables
 * in words holds for the tables.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "datasets/venue_tables.h"
#include "models/brackets.h"
#include "tests/support/near.h"

struct shipped {
    const char *venue, *symbol;
    size_t tables;
};

static const struct shipped shipped[] = {
    {"binance", "BTCUSDT", 10},    {"binance", "ETHUSDT", 11},    {"binance_coinm", "BTCUSD", 1},
    {"bybit", "BTCUSDT", 3},       {"bybit", "ETHUSDT", 1},       {"bybit_inverse", "BTCUSD", 1},
    {"okx", "BTCUSDT", 1},         {"okx", "ETHUSDT", 2},         {"okx", "BTCUSD", 1},
    {"hyperliquid", "BTCUSDT", 2}, {"hyperliquid", "ETHUSDT", 2}, {"bitmex", "BTCUSD", 4},
    {"deribit", "BTCUSD", 2},      {"deribit", "ETHUSD", 2},
};
enum { SHIPPED = sizeof shipped / sizeof *shipped, SHIPPED_TABLES = 43 };

static void read_tables(struct venue_tables *tables, const char *venue, const char *symbol)
{
    struct error err = {0};
    if (venue_tables_read(tables, venue, symbol, &err) != ERROR_NONE)
        fail_msg("%s %s: %s: %s", venue, symbol, err.file, err.message);
}

/* A table as the model makes it, in the table's own unit. */
static void model_of(const struct venue_table *table, struct brackets *out)
{
    struct error err = {0};
    if (brackets_init(out, table->count, table->cap, table->max_leverage, table->rate,
                      table->valid_from_ms, &err) != ERROR_NONE)
        fail_msg("%s: %s", table->source, err.message);
    if (table->whole)
        brackets_make_whole(out);
}

/* Calls `check` with each shipped table: as published, and as the model makes it. */
static void each_table(void (*check)(const struct venue_table *, const struct brackets *))
{
    size_t count = 0;
    for (size_t s = 0; s < SHIPPED; s++) {
        struct venue_tables tables;
        read_tables(&tables, shipped[s].venue, shipped[s].symbol);
        if (tables.count != shipped[s].tables)
            fail_msg("%s %s has %zu tables, not %zu", shipped[s].venue, shipped[s].symbol,
                     tables.count, shipped[s].tables);
        for (size_t i = 0; i < tables.count; i++, count++) {
            struct brackets brackets;
            model_of(&tables.tables[i], &brackets);
            check(&tables.tables[i], &brackets);
        }
        venue_tables_free(&tables);
    }
    assert_int_equal(count, SHIPPED_TABLES);
}

/* One table, in force on a day. */
static void table_on(const char *venue, const char *symbol, const char *day, struct brackets *out)
{
    struct venue_tables tables;
    int64_t time_ms = 0;
    assert_true(calendar_parse_iso(day, strlen(day), &time_ms));
    read_tables(&tables, venue, symbol);
    model_of(venue_tables_at(&tables, time_ms), out);
    venue_tables_free(&tables);
}

static void same_cum(const struct venue_table *table, const struct brackets *brackets)
{
    assert_int_equal(brackets->count, table->count);
    for (int i = 0; i < table->count; i++)
        if (brackets->cum_usd[i] != table->cum[i])
            fail_msg("%s: bracket %d: regenerated %.17g, published %.17g", table->source, i + 1,
                     brackets->cum_usd[i], table->cum[i]);
}

static void published_cum_regenerates_exactly(void **state)
{
    each_table(same_cum);
    printf("tables regenerated: %d\n", SHIPPED_TABLES);
}

static void continuous(const struct venue_table *table, const struct brackets *brackets)
{
    for (int i = 0; i + 1 < table->count && !table->whole; i++) {
        double edge = table->cap[i];
        double below = edge * table->rate[i] - table->cum[i];
        double above = edge * table->rate[i + 1] - table->cum[i + 1];
        assert_true(fabs(above - below) <= 1e-12 * above);
        assert_true(fabs(brackets_maintenance_usd(brackets, edge) - below) <= 1e-12 * below);
    }
}

static void maintenance_margin_does_not_jump_at_a_bracket_edge(void **state)
{
    each_table(continuous);
}

/* A position at its bracket's highest leverage has to start above its maintenance margin. Where a
   venue publishes a margin of 100 % for its last tier it is the position itself. */
static void room(const struct venue_table *table, const struct brackets *brackets)
{
    for (int i = 0; i < table->count; i++) {
        double notional = isinf(table->cap[i]) ? 2.0 * brackets->floor_usd[i] + 1.0 : table->cap[i];
        if (!(notional / brackets_max_leverage(brackets, notional) >
              brackets_maintenance_usd(brackets, notional)))
            fail_msg("%s: no room in bracket %d", table->source, i + 1);
    }
}

static void the_highest_leverage_leaves_room_above_maintenance(void **state)
{
    each_table(room);
}

/* --- what venues say in words --- */

/* Binance, "How to Calculate Liquidation Price of COIN-M Futures Contracts": at level 5
   50 BTC * (5 % - 2.5 %) + 0.56 BTC = 1.81 BTC; a position of 300 BTC is at 12.5 % and 11.81. */
static void binance_coin_m_amounts(void **state)
{
    struct brackets table;
    table_on("binance_coinm", "BTCUSD", "2021-03-01", &table);
    assert_true(table.cum_usd[4] == 1.81);
    int n = brackets_find(&table, 300.0);
    assert_true(table.rate[n] == 0.125 && table.cum_usd[n] == 11.81);
}

/* Hyperliquid docs, "Margin tiers": the maintenance rate is half of the initial margin rate at the
   tier's highest leverage; at 20x it is 2.5 %. */
static void hyperliquid_maintains_half_of_the_least_initial_margin(void **state)
{
    static const char *const symbols[] = {"BTCUSDT", "ETHUSDT"};
    for (size_t s = 0; s < 2; s++) {
        struct brackets table;
        table_on("hyperliquid", symbols[s], "2025-10-10", &table);
        assert_int_equal(table.count, 2);
        for (int n = 0; n < 2; n++)
            assert_near(table.rate[n], 0.5 / table.max_leverage[n], 1e-16);
        assert_true(isinf(table.cap_usd[1]));
    }
}

/* BitMEX, "Risk Limits Examples": 180 XBT need 0.90, 230 XBT are one step up at 1 % and 1.5 %. */
static void bitmex_risk_limits(void **state)
{
    struct brackets table;
    table_on("bitmex", "BTCUSD", "2025-10-10", &table);
    assert_near(brackets_maintenance_usd(&table, 180.0), 0.90, 1e-12);
    assert_near(brackets_maintenance_usd(&table, 230.0), 2.30, 1e-12);
    assert_near(brackets_max_leverage(&table, 230.0), 1.0 / 0.015, 0.005);
}

/* Deribit, "Linear Perpetual" (BTC_USDC, the rates of the inverse one): maintenance of 25 BTC is
   1.125 %, 0.28125 BTC; of 350 BTC, 1 % + 350 * 0.005 % = 2.75 %. Between the sizes of the table
   it is a chord: at most 2 % above. */
static void deribit_margins_grow_with_the_size(void **state)
{
    struct brackets table;
    table_on("deribit", "BTCUSD", "2025-10-10", &table);
    double worst = 0.0;
    for (double size = 0.25; size <= 3000.0; size *= 1.01) {
        double exact = size * (0.01 + 0.00005 * size);
        double ratio = brackets_maintenance_usd(&table, size) / exact;
        assert_true(ratio > 1.0 - 1e-9);
        worst = fmax(worst, ratio - 1.0);
    }
    printf("Deribit: at most %.2f %% above the formula\n", 100.0 * worst);
    assert_true(worst < 0.02);
    assert_near(brackets_maintenance_usd(&table, 20.0), 0.22, 1e-12);
    assert_near(brackets_maintenance_usd(&table, 100.0), 1.5, 1e-12);
    assert_near(brackets_max_leverage(&table, 100.0), 40.0, 1e-9);
}

/* OKX: 10 BTC at 100x and 0.4 %; every tier from the fifth on 200 BTC, 0.5 % more of each margin.
 */
static void okx_tiers_grow_by_equal_steps(void **state)
{
    struct brackets table;
    table_on("okx", "BTCUSDT", "2025-10-10", &table);
    assert_true(table.whole && table.cap_usd[0] == 10.0 && table.max_leverage[0] == 100.0);
    for (int n = 4; n < table.count; n++) {
        assert_near(table.cap_usd[n] - table.cap_usd[n - 1], 200.0, 1e-9);
        assert_near(table.rate[n] - table.rate[n - 1], 0.005, 1e-15);
        assert_near(1.0 / table.max_leverage[n] - 1.0 / table.max_leverage[n - 1], 0.005, 5e-4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_cum_regenerates_exactly),
        cmocka_unit_test(maintenance_margin_does_not_jump_at_a_bracket_edge),
        cmocka_unit_test(the_highest_leverage_leaves_room_above_maintenance),
        cmocka_unit_test(binance_coin_m_amounts),
        cmocka_unit_test(hyperliquid_maintains_half_of_the_least_initial_margin),
        cmocka_unit_test(bitmex_risk_limits),
        cmocka_unit_test(deribit_margins_grow_with_the_size),
        cmocka_unit_test(okx_tiers_grow_by_equal_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
