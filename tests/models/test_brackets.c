/* Maintenance brackets: published tables, continuity, and what an invalid table is told. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/brackets.h"
#include "tests/support/near.h"

/* Binance BTCUSDT in force from 2025-08-21. */
#define BTC_COUNT 12
static const double btc_cap[BTC_COUNT] = {3e5,   8e5,   3e6, 12e6, 70e6,  100e6,
                                          230e6, 480e6, 6e8, 8e8,  1.2e9, 1.8e9};
static const double btc_leverage[BTC_COUNT] = {150, 100, 75, 50, 25, 20, 10, 5, 4, 3, 2, 1};
static const double btc_rate[BTC_COUNT] = {.004, .005, .0065, .01, .02, .025,
                                           .05,  .1,   .125,  .15, .25, .5};

static void btc_brackets(struct brackets *brackets)
{
    struct error err = {0};
    assert_int_equal(brackets_init(brackets, BTC_COUNT, btc_cap, btc_leverage, btc_rate, 0, &err),
                     ERROR_NONE);
}

static void published_maintenance_amounts_follow_from_floors_and_rates(void **state)
{
    static const double published[BTC_COUNT] = {0,        300,      1500,      12000,
                                                132000,   482000,   2982000,   14482000,
                                                26482000, 41482000, 121482000, 421482000};
    struct brackets brackets;
    btc_brackets(&brackets);
    for (int n = 0; n < BTC_COUNT; n++)
        assert_true(brackets.cum_usd[n] == published[n]);
}

static void a_bracket_holds_its_cap_and_not_a_cent_more(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    assert_int_equal(brackets_find(&brackets, 0.0), 0);
    for (int n = 0; n < BTC_COUNT - 1; n++) {
        assert_int_equal(brackets_find(&brackets, btc_cap[n]), n);
        assert_int_equal(brackets_find(&brackets, btc_cap[n] + 0.01), n + 1);
    }
    assert_int_equal(brackets_find(&brackets, 1e12), BTC_COUNT - 1);
}

/* 6M USD: 1 % less 12,000 is 48,000; 500,000 USD: 0.5 % less 300 is 2,200. */
static void maintenance_of_six_million_is_48000(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    assert_near(brackets_maintenance_usd(&brackets, 6e6), 48000.0, 1e-6);
    assert_near(brackets_maintenance_usd(&brackets, 5e5), 2200.0, 1e-6);
    assert_near(brackets_maintenance_usd(&brackets, 1e5), 400.0, 1e-6);
}

/* The marginal sum of a tax table, without `cum`: each slice at its own rate. */
static double maintenance_by_slices(double notional)
{
    double sum = 0.0, floor_usd = 0.0;
    for (int n = 0; n < BTC_COUNT; n++) {
        double cap = n == BTC_COUNT - 1 ? INFINITY : btc_cap[n];
        if (notional > floor_usd)
            sum += btc_rate[n] * (fmin(notional, cap) - floor_usd);
        floor_usd = cap;
    }
    return sum;
}

static void maintenance_is_each_slice_at_its_own_rate(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    for (double notional = 100.0; notional < 1e10; notional *= 1.03) {
        double expected = maintenance_by_slices(notional);
        assert_near(brackets_maintenance_usd(&brackets, notional), expected, 1e-9 * expected);
    }
}

static void maintenance_is_the_maximum_of_the_lines_of_all_brackets(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    for (double notional = 100.0; notional < 1e10; notional *= 1.03) {
        double maximum = 0.0;
        for (int n = 0; n < brackets.count; n++)
            maximum = fmax(maximum, notional * brackets.rate[n] - brackets.cum_usd[n]);
        assert_near(brackets_maintenance_usd(&brackets, notional), maximum, 1e-12 * maximum);
    }
}

static void six_million_may_be_levered_50_times_and_a_hundred_thousand_150(void **state)
{
    struct brackets brackets;
    btc_brackets(&brackets);
    assert_true(brackets_max_leverage(&brackets, 6e6) == 50.0);
    assert_true(brackets_max_leverage(&brackets, 1e5) == 150.0);
    assert_true(brackets_max_leverage(&brackets, 1e10) == 1.0);
}

static void flat_brackets_have_one_rate_for_every_size(void **state)
{
    struct brackets brackets;
    brackets_flat(&brackets, 0.005, 100.0);
    assert_int_equal(brackets.count, 1);
    assert_int_equal(brackets_find(&brackets, 1e15), 0);
    assert_near(brackets_maintenance_usd(&brackets, 1e6), 5000.0, 1e-9);
    assert_true(brackets_max_leverage(&brackets, 1e15) == 100.0);
}

/* BitMEX XBTUSD: 200 XBT at 0.5 %, 350 at 1 %: 180 XBT need 0.9, 230 XBT 2.3 (Risk Limits
 * Examples).
 */
static void a_table_of_whole_positions_jumps_at_its_edges(void **state)
{
    static const double cap[] = {200, 350, 500}, leverage[] = {100, 66.67, 50},
                        rate[] = {.005, .01, .015};
    struct brackets brackets;
    struct error err = {0};
    assert_int_equal(brackets_init(&brackets, 3, cap, leverage, rate, 0, &err), ERROR_NONE);
    assert_false(brackets.whole);
    brackets_make_whole(&brackets);
    assert_true(brackets.whole);
    assert_near(brackets_maintenance_usd(&brackets, 180.0), 0.9, 1e-12);
    assert_near(brackets_maintenance_usd(&brackets, 230.0), 2.3, 1e-12);
    for (int n = 0; n < 3; n++)
        assert_true(brackets.cum_usd[n] == 0.0);
    brackets_scale(&brackets, 2.0);
    assert_true(brackets.cum_usd[2] == 0.0);
}

/* Binance COIN-M BTCUSD in BTC; at 50,000 USD a position of 5M USD is 100 BTC, the last of bracket
   5: 5 BTC less 1.81. */
static void a_table_in_coins_is_valued_at_a_price(void **state)
{
    static const double cap[] = {10, 20, 30, 50, 100}, leverage[] = {125, 100, 50, 20, 10},
                        rate[] = {.004, .005, .01, .025, .05}, cum[] = {0, .01, .11, .56, 1.81};
    struct brackets brackets;
    struct error err = {0};
    assert_int_equal(brackets_init(&brackets, 5, cap, leverage, rate, 0, &err), ERROR_NONE);
    for (int n = 0; n < 5; n++)
        assert_true(brackets.cum_usd[n] == cum[n]);
    brackets_scale(&brackets, 50000.0);
    assert_near(brackets_maintenance_usd(&brackets, 5e6), 5e4 * (5.0 - 1.81), 1e-6);
    assert_int_equal(brackets_find(&brackets, 5e6), 4);
    assert_int_equal(brackets_find(&brackets, 2.5e6), 3);
    assert_true(brackets.floor_usd[4] == brackets.cap_usd[3]);
    assert_true(brackets_max_leverage(&brackets, 5e5) == 125.0);
}

static void the_last_bracket_may_be_without_a_cap(void **state)
{
    static const double cap[] = {150e6, INFINITY}, leverage[] = {40, 20}, rate[] = {.0125, .025};
    struct brackets brackets;
    struct error err = {0};
    assert_int_equal(brackets_init(&brackets, 2, cap, leverage, rate, 0, &err), ERROR_NONE);
    assert_true(brackets.cum_usd[1] == 1875000.0);
    assert_int_equal(brackets_find(&brackets, 1e15), 1);
}

struct bad_table {
    const char *what, *message;
    int count;
    double cap[3], leverage[3], rate[3];
};

static void bad_tables_are_refused_and_say_which_bracket(void **state)
{
    static const struct bad_table tables[] = {
        {"caps fall", "bracket 2: notional cap", 2, {2, 1}, {10, 5}, {.01, .02}},
        {"caps repeat", "bracket 3: notional cap", 3, {1, 2, 2}, {10, 5, 4}, {.01, .02, .03}},
        {"cap 0", "bracket 1: notional cap", 1, {0}, {10}, {.01}},
        {"cap is no number", "bracket 1: notional cap", 1, {NAN}, {10}, {.01}},
        {"rates fall", "bracket 2: maintenance margin rate falls", 2, {1, 2}, {10, 5}, {.02, .01}},
        {"rate 1", "bracket 2: maintenance margin rate 1", 2, {1, 2}, {10, 5}, {.02, 1}},
        {"rate below 0", "bracket 1: maintenance margin rate -", 1, {1}, {10}, {-.01}},
        {"rate is no number", "bracket 1: maintenance margin rate", 1, {1}, {10}, {NAN}},
        {"leverage rises", "bracket 2: maximum leverage rises", 2, {1, 2}, {5, 10}, {.01, .02}},
        {"leverage below 1", "bracket 1: maximum leverage 0.5", 1, {1}, {.5}, {.01}},
        {"none", "0 brackets", 0, {0}, {0}, {0}},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const struct bad_table *t = &tables[i];
        struct brackets brackets;
        struct error err = {0};
        int code = brackets_init(&brackets, t->count, t->cap, t->leverage, t->rate, 0, &err);
        if (code != ERROR_DATA || strstr(err.message, t->message) == NULL)
            fail_msg("%s: code %d, message '%s'", t->what, code, err.message);
    }
}

static void more_brackets_than_there_is_room_for_are_refused(void **state)
{
    double cap[BRACKETS_MAX + 1], leverage[BRACKETS_MAX + 1], rate[BRACKETS_MAX + 1];
    for (int n = 0; n <= BRACKETS_MAX; n++) {
        cap[n] = n + 1;
        leverage[n] = 10.0;
        rate[n] = 0.01;
    }
    struct brackets brackets;
    struct error err = {0};
    assert_int_equal(brackets_init(&brackets, BRACKETS_MAX + 1, cap, leverage, rate, 0, &err),
                     ERROR_DATA);
    assert_int_equal(brackets_init(&brackets, BRACKETS_MAX, cap, leverage, rate, 7, &err),
                     ERROR_NONE);
    assert_int_equal(brackets.count, BRACKETS_MAX);
    assert_int_equal(brackets.valid_from_ms, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_maintenance_amounts_follow_from_floors_and_rates),
        cmocka_unit_test(a_bracket_holds_its_cap_and_not_a_cent_more),
        cmocka_unit_test(maintenance_of_six_million_is_48000),
        cmocka_unit_test(maintenance_is_each_slice_at_its_own_rate),
        cmocka_unit_test(maintenance_is_the_maximum_of_the_lines_of_all_brackets),
        cmocka_unit_test(six_million_may_be_levered_50_times_and_a_hundred_thousand_150),
        cmocka_unit_test(flat_brackets_have_one_rate_for_every_size),
        cmocka_unit_test(a_table_of_whole_positions_jumps_at_its_edges),
        cmocka_unit_test(a_table_in_coins_is_valued_at_a_price),
        cmocka_unit_test(the_last_bracket_may_be_without_a_cap),
        cmocka_unit_test(bad_tables_are_refused_and_say_which_bracket),
        cmocka_unit_test(more_brackets_than_there_is_room_for_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
