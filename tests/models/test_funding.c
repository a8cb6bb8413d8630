/*
 * Funding against its published rule and against arithmetic done by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "models/funding.h"

#define EIGHT_HOURS (8 * CALENDAR_HOUR_MS)

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g within %g", value, expected, tolerance);
}

static void the_clamp_gives_the_published_rates_exactly(void **state)
{
    assert_true(funding_premium_clamp(0.0003, EIGHT_HOURS, INFINITY) == 0.0001);
    assert_true(funding_premium_clamp(0.001, EIGHT_HOURS, INFINITY) == 0.0005);
    assert_true(funding_premium_clamp(-0.001, EIGHT_HOURS, INFINITY) == -0.0005);
}

static void interest_is_in_proportion_to_the_interval(void **state)
{
    assert_true(funding_premium_clamp(0.0, EIGHT_HOURS, INFINITY) == 0.0001);
    assert_true(funding_premium_clamp(0.0, 4 * CALENDAR_HOUR_MS, INFINITY) == 0.00005);
    assert_near(funding_premium_clamp(0.0, CALENDAR_HOUR_MS, INFINITY), 0.0000125, 1e-19);
}

static void a_venue_caps_the_rate_on_both_sides(void **state)
{
    assert_true(funding_premium_clamp(0.05, EIGHT_HOURS, 0.02) == 0.02);
    assert_true(funding_premium_clamp(-0.05, EIGHT_HOURS, 0.02) == -0.02);
    assert_true(funding_premium_clamp(0.05, EIGHT_HOURS, INFINITY) == 0.05 - 0.0005);
}

/* (1*1 + 2*2 + 3*6) / (1 + 2 + 3) = 23/6; the same values oldest last: (6 + 4 + 3) / 6 = 13/6. */
static void the_latest_premium_weighs_most(void **state)
{
    const double rising[] = {1.0, 2.0, 6.0}, falling[] = {6.0, 2.0, 1.0};
    assert_near(funding_premium_mean(rising, 3), 23.0 / 6.0, 1e-15);
    assert_near(funding_premium_mean(falling, 3), 13.0 / 6.0, 1e-15);
    assert_true(isnan(funding_premium_mean(rising, 0)));
    assert_true(isnan(funding_premium_clamp(NAN, EIGHT_HOURS, INFINITY)));
}

/* 0.01 % three times a day is 10.95 % a year. */
static void a_rate_is_annualised_by_intervals_per_year(void **state)
{
    assert_near(funding_annualised(0.0001, EIGHT_HOURS), 0.1095, 1e-15);
    assert_near(funding_annualised(-0.0001, CALENDAR_HOUR_MS), -0.876, 1e-14);
}

/* 30 days hold 90 payments of 8 hours: 100,000 USD at 0.01 % pay 10 each, 900 in all. */
static void thirty_days_at_one_basis_point_cost_900_usd_per_100000(void **state)
{
    int64_t payments = funding_payments(EIGHT_HOURS, 30 * CALENDAR_DAY_MS);
    assert_int_equal(payments, 90);
    assert_near(funding_cost_usd(1, 0.0001, payments, 1e5), 900.0, 1e-9);
    assert_near(funding_cost_usd(-1, 0.0001, payments, 1e5), -900.0, 1e-9);
    assert_int_equal(funding_payments(EIGHT_HOURS, EIGHT_HOURS - 1), 0);
}

static void a_long_at_50x_is_liquidated_by_funding_alone_after_160_payments(void **state)
{
    double payments = funding_payments_to_liquidation(1, 0.0001, 50.0, 0.004);
    printf("payments to liquidation: %.17g\n", payments);
    assert_true(payments == 160.0);
    /* After exactly that many the liquidation price has come up to the entry price. */
    assert_near(funding_liquidation_price(1, 50000.0, 50.0, 0.004, 0.0001, payments), 50000.0,
                1e-9);
    assert_true(funding_liquidation_price(1, 50000.0, 50.0, 0.004, 0.0001, 159.0) < 50000.0);
}

static void who_receives_funding_is_never_liquidated_by_it(void **state)
{
    assert_true(isinf(funding_payments_to_liquidation(-1, 0.0001, 50.0, 0.004)));
    assert_true(isinf(funding_payments_to_liquidation(1, -0.0001, 50.0, 0.004)));
    assert_true(isinf(funding_payments_to_liquidation(1, 0.0, 50.0, 0.004)));
    assert_true(funding_payments_to_liquidation(-1, -0.0001, 50.0, 0.004) == 160.0);
    assert_true(funding_payments_to_liquidation(1, 0.0001, 500.0, 0.004) == 0.0);
}

/* Without payments it is the liquidation price of a linear contract with maintenance at mark:
   50,000 * 0.98 / 0.995 and 50,000 * 1.02 / 1.005. Payments raise a short's too: it is paid. */
static void funding_moves_the_liquidation_price_of_both_sides_up(void **state)
{
    double long_price = funding_liquidation_price(1, 50000.0, 50.0, 0.005, 0.0001, 0.0);
    double short_price = funding_liquidation_price(-1, 50000.0, 50.0, 0.005, 0.0001, 0.0);
    assert_near(long_price, 49246.2312, 1e-4);
    assert_near(short_price, 50746.2687, 1e-4);
    assert_true(funding_liquidation_price(1, 50000.0, 50.0, 0.005, 0.0001, 10.0) > long_price);
    assert_true(funding_liquidation_price(-1, 50000.0, 50.0, 0.005, 0.0001, 10.0) > short_price);
    assert_true(funding_liquidation_price(1, 50000.0, 1.0, 0.005, -0.0001, 10.0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clamp_gives_the_published_rates_exactly),
        cmocka_unit_test(interest_is_in_proportion_to_the_interval),
        cmocka_unit_test(a_venue_caps_the_rate_on_both_sides),
        cmocka_unit_test(the_latest_premium_weighs_most),
        cmocka_unit_test(a_rate_is_annualised_by_intervals_per_year),
        cmocka_unit_test(thirty_days_at_one_basis_point_cost_900_usd_per_100000),
        cmocka_unit_test(a_long_at_50x_is_liquidated_by_funding_alone_after_160_payments),
        cmocka_unit_test(who_receives_funding_is_never_liquidated_by_it),
        cmocka_unit_test(funding_moves_the_liquidation_price_of_both_sides_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
