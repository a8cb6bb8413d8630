/*
 * Oracle 6: the maintenance amount of every shipped bracket is the one that follows from caps and
 * rates, and it makes the maintenance margin continuous.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "datasets/venue_tables.h"
#include "models/brackets.h"

static const char *const symbols[] = {"BTCUSDT", "ETHUSDT"};

/* Calls `check` with each shipped table: as published, and as the model makes it. */
static int each_table(void (*check)(const struct venue_table *, const struct brackets *))
{
    int count = 0;
    for (size_t s = 0; s < sizeof symbols / sizeof *symbols; s++) {
        struct venue_tables tables;
        struct error err = {0};
        if (venue_tables_read(&tables, "binance", symbols[s], &err) != ERROR_NONE)
            fail_msg("%s: %s", err.file, err.message);
        for (size_t i = 0; i < tables.count; i++) {
            const struct venue_table *table = &tables.tables[i];
            struct brackets brackets;
            assert_int_equal(brackets_init(&brackets, table->count, table->cap,
                                           table->max_leverage, table->rate, table->valid_from_ms,
                                           &err),
                             ERROR_NONE);
            check(table, &brackets);
            count++;
        }
        venue_tables_free(&tables);
    }
    return count;
}

static void same_cum(const struct venue_table *table, const struct brackets *brackets)
{
    assert_int_equal(brackets->count, table->count);
    for (int i = 0; i < table->count; i++)
        if (brackets->cum_usd[i] != table->cum[i])
            fail_msg("bracket %d: regenerated %.17g, published %.17g", i + 1, brackets->cum_usd[i],
                     table->cum[i]);
}

static void published_cum_regenerates_exactly(void **state)
{
    int count = each_table(same_cum);
    printf("tables regenerated: %d\n", count);
    assert_int_equal(count, 6);
}

static void continuous(const struct venue_table *table, const struct brackets *brackets)
{
    for (int i = 0; i + 1 < table->count; i++) {
        double edge = table->cap[i];
        double below = edge * table->rate[i] - table->cum[i];
        double above = edge * table->rate[i + 1] - table->cum[i + 1];
        assert_true(fabs(above - below) <= 1e-12 * above);
        assert_true(fabs(brackets_maintenance_usd(brackets, edge) - below) <= 1e-12 * below);
    }
}

static void maintenance_margin_does_not_jump_at_a_bracket_edge(void **state)
{
    assert_int_equal(each_table(continuous), 6);
}

/* A position at its bracket's highest leverage has to start above its maintenance margin. */
static void room(const struct venue_table *table, const struct brackets *brackets)
{
    for (int i = 0; i < table->count; i++) {
        double notional = table->cap[i];
        assert_true(notional / brackets_max_leverage(brackets, notional) >
                    brackets_maintenance_usd(brackets, notional));
    }
}

static void the_highest_leverage_leaves_room_above_maintenance(void **state)
{
    assert_int_equal(each_table(room), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_cum_regenerates_exactly),
        cmocka_unit_test(maintenance_margin_does_not_jump_at_a_bracket_edge),
        cmocka_unit_test(the_highest_leverage_leaves_room_above_maintenance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
