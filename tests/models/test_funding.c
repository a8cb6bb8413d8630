/*
 * Funding against its published rule and against arithmetic done by hand.
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
#include "models/funding.h"
#include "tests/support/near.h"

#define EIGHT_HOURS (8 * CALENDAR_HOUR_MS)

#define HOUR CALENDAR_HOUR_MS
#define MINUTE CALENDAR_MINUTE_MS

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

/* ---- Rules ---- */

/* Any multiple of 8 hours since 1970. */
#define MIDNIGHT (19999 * CALENDAR_DAY_MS)

static struct funding_rule rule_of(enum funding_kind kind)
{
    return (struct funding_rule){.kind = kind,
                                 .interval_ms = EIGHT_HOURS,
                                 .interest_8h = 0.0001,
                                 .cap = 0.003,
                                 .max_rate = 0.003,
                                 .limit_usd = NAN,
                                 .premium_limit = 0.005,
                                 .velocity_max = 0.009};
}

/* Traders' longs exceed their shorts by `u` of the larger side. */
static struct funding_signal imbalance_of(double u, int64_t step_ms)
{
    return (struct funding_signal){.premium = NAN,
                                   .skew_coins = u * 1000.0,
                                   .oi_coins = 1000.0,
                                   .price = 60000.0,
                                   .step_ms = step_ms};
}

static struct funding_signal premium_of(double premium)
{
    struct funding_signal signal = imbalance_of(0.0, MINUTE);
    signal.premium = premium;
    return signal;
}

/* The rate after one step at imbalance u. */
static double rate_at(enum funding_kind kind, double u)
{
    struct funding_rule rule = rule_of(kind);
    struct funding_state funding = {0};
    struct funding_signal signal = imbalance_of(u, MINUTE);
    funding_observe(&rule, &funding, &signal);
    return funding_rate(&rule, &funding);
}

static void every_rule_is_a_row_with_its_source(void **state)
{
    static const char *const names[] = {"observed", "premium_clamp", "linear", "cubic", "velocity"};
    assert_int_equal(funding_model_count, 5);
    for (int i = 0; i < funding_model_count; i++) {
        const struct funding_model *model = funding_find(names[i]);
        assert_non_null(model);
        assert_int_equal(model->kind, i);
        assert_true(strlen(model->documentation) > 20);
        assert_true(strlen(model->source) > 5);
    }
    assert_null(funding_find("quadratic"));
}

/* A pool venue's promise: moderate imbalance is cheap. At half the limit a cubic rate is an eighth
   of the maximum, a linear one half of it. */
static void a_cubic_pool_charges_less_than_a_linear_one_below_full_imbalance(void **state)
{
    for (int i = 1; i < 100; i++) {
        double u = i / 100.0;
        assert_true(rate_at(FUNDING_KIND_CUBIC, u) < rate_at(FUNDING_KIND_LINEAR, u));
        assert_true(rate_at(FUNDING_KIND_CUBIC, u) > 0.0);
    }
    double cubic = rate_at(FUNDING_KIND_CUBIC, 0.5), linear = rate_at(FUNDING_KIND_LINEAR, 0.5);
    print_message("  at half the limit: linear %.4f %%, cubic %.4f %%\n", 100 * linear,
                  100 * cubic);
    assert_near(linear, 0.0015, 1e-15);
    assert_near(cubic, 0.000375, 1e-15);
    assert_near(cubic / linear, 0.25, 1e-15);
    assert_near(rate_at(FUNDING_KIND_CUBIC, 1.0), 0.003, 1e-15);
    assert_near(rate_at(FUNDING_KIND_LINEAR, 1.0), 0.003, 1e-15);
}

/* d(u^3)/du = 3 u^2 passes 1 at u = 1/sqrt(3) = 0.577. */
static void a_cubic_pool_reprices_faster_from_58_percent_of_the_limit_on(void **state)
{
    const double width = 1e-3, turn = 1.0 / sqrt(3.0);
    for (double u = 0.01; u < 0.99; u += 0.01) {
        double cubic = rate_at(FUNDING_KIND_CUBIC, u + width) - rate_at(FUNDING_KIND_CUBIC, u);
        double linear = rate_at(FUNDING_KIND_LINEAR, u + width) - rate_at(FUNDING_KIND_LINEAR, u);
        if (u > turn)
            assert_true(cubic > linear);
        if (u + width < turn)
            assert_true(cubic < linear);
    }
}

static void the_larger_side_pays_alike_whichever_it_is(void **state)
{
    for (int kind = FUNDING_KIND_LINEAR; kind <= FUNDING_KIND_VELOCITY; kind++) {
        double longs = rate_at((enum funding_kind)kind, 0.7);
        assert_true(longs > 0.0);
        assert_true(rate_at((enum funding_kind)kind, -0.7) == -longs);
    }
}

static void a_balanced_pool_pays_nothing(void **state)
{
    for (int kind = FUNDING_KIND_LINEAR; kind <= FUNDING_KIND_VELOCITY; kind++) {
        struct funding_rule rule = rule_of((enum funding_kind)kind);
        struct funding_state funding = {0};
        struct funding_signal signal = imbalance_of(0.0, HOUR);
        for (int hour = 1; hour <= 48; hour++) {
            funding_observe(&rule, &funding, &signal);
            assert_true(funding_due(&rule, &funding, MIDNIGHT + hour * HOUR, HOUR) == 0.0);
        }
        assert_true(funding_utilisation(&funding, NULL) == 0.0);
    }
    /* Nor does a market without any positions. */
    struct funding_rule rule = rule_of(FUNDING_KIND_LINEAR);
    struct funding_state funding = {0};
    struct funding_signal signal = {.price = 60000.0, .step_ms = HOUR};
    funding_observe(&rule, &funding, &signal);
    assert_true(funding_rate(&rule, &funding) == 0.0);
}

/* LeverUp: u = min(|L - S| P, limit) / limit. 250 coins at 60,000 USD are 15M of a limit of 20M. */
static void utilisation_is_the_excess_in_dollars_over_the_limit_of_open_interest(void **state)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_CUBIC);
    struct funding_state funding = {0};
    struct funding_signal signal = imbalance_of(-0.25, MINUTE);
    int sign = 7;
    rule.limit_usd = 20e6;
    assert_true(funding_utilisation(&funding, &sign) == 0.0);
    assert_int_equal(sign, 0);
    funding_observe(&rule, &funding, &signal);
    assert_near(funding_utilisation(&funding, &sign), 0.75, 1e-15);
    assert_int_equal(sign, -1);
    assert_near(funding_rate(&rule, &funding), -0.421875 * 0.003, 1e-15);
    signal.price = 100000.0; /* 25M: over the limit */
    funding_observe(&rule, &funding, &signal);
    assert_true(funding_utilisation(&funding, NULL) == 1.0);
    /* Without a limit the larger side is it, whatever the price. */
    rule.limit_usd = NAN;
    funding_observe(&rule, &funding, &signal);
    assert_near(funding_utilisation(&funding, NULL), 0.25, 1e-15);
    /* What is not known leaves what was. */
    signal.skew_coins = NAN;
    funding_observe(&rule, &funding, &signal);
    assert_near(funding_utilisation(&funding, NULL), 0.25, 1e-15);
}

/* An order book is always balanced: there the premium stands for the imbalance. */
static void the_premium_can_stand_for_the_imbalance(void **state)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_LINEAR);
    struct funding_state funding = {0};
    struct funding_signal signal = premium_of(0.002);
    int sign = 0;
    funding_observe(&rule, &funding, &signal);
    assert_true(funding_rate(&rule, &funding) == 0.0);

    rule.premium_signal = true;
    funding_observe(&rule, &funding, &signal);
    assert_near(funding_utilisation(&funding, &sign), 0.4, 1e-15);
    assert_int_equal(sign, 1);
    assert_near(funding_rate(&rule, &funding), 0.4 * 0.003, 1e-15);
    signal.premium = -0.01; /* twice the premium that counts as full */
    funding_observe(&rule, &funding, &signal);
    assert_near(funding_rate(&rule, &funding), -0.003, 1e-15);
    signal.premium = -0.001;
    funding_observe(&rule, &funding, &signal);
    signal.premium = NAN;
    signal.skew_coins = 1000.0;
    funding_observe(&rule, &funding, &signal);
    assert_near(funding_rate(&rule, &funding), -0.2 * 0.003, 1e-15);
}

/* ---- Velocity ---- */

static void observe_hours(const struct funding_rule *rule, struct funding_state *funding, double u,
                          int hours)
{
    struct funding_signal signal = imbalance_of(u, HOUR);
    for (int i = 0; i < hours; i++)
        funding_observe(rule, funding, &signal);
}

/* r(t) = V u t, here 0.009 * 0.4 a day, up to the cap of 0.003 after 20 hours. */
static void a_constant_skew_raises_the_rate_in_proportion_to_time_until_the_cap(void **state)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_VELOCITY);
    struct funding_state funding = {0};
    for (int hour = 1; hour <= 20; hour++) {
        observe_hours(&rule, &funding, 0.4, 1);
        assert_near(funding_rate(&rule, &funding), 0.009 * 0.4 * hour / 24.0, 1e-15);
    }
    observe_hours(&rule, &funding, 0.4, 1);
    assert_true(funding_rate(&rule, &funding) == 0.003);
    /* A balanced pool keeps its rate: only imbalance moves it. */
    observe_hours(&rule, &funding, 0.0, 24);
    assert_true(funding_rate(&rule, &funding) == 0.003);
}

/* Published example of Synthetix's perpetual contracts: velocity 0.0025 a day for 29,000 s from a
   rate of 0 gives 0.00083912. Here a tenth of full skew at a maximum velocity of 2.5 % a day. */
static void the_published_velocity_example_is_met(void **state)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_VELOCITY);
    struct funding_state funding = {0};
    struct funding_signal signal = imbalance_of(0.1, 29000 * CALENDAR_SECOND_MS);
    rule.velocity_max = 0.025;
    funding_observe(&rule, &funding, &signal);
    print_message("  after 29,000 s: %.8f\n", funding_rate(&rule, &funding));
    assert_near(funding_rate(&rule, &funding), 0.00083912, 5e-9);
}

/* From the cap of 0.003 at full skew of shorts: down at 0.018 a day to 0 in 4 hours, then at 0.009
   a day, -0.003 after 8 hours more. */
static void the_rate_turns_twice_as_fast_while_the_smaller_side_still_pays(void **state)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_VELOCITY);
    struct funding_state funding = {0};
    observe_hours(&rule, &funding, 1.0, 24);
    for (int hour = 1; hour <= 4; hour++) {
        observe_hours(&rule, &funding, -1.0, 1);
        assert_near(funding_rate(&rule, &funding), 0.003 - 0.018 * hour / 24.0, 1e-15);
    }
    for (int hour = 1; hour <= 8; hour++) {
        observe_hours(&rule, &funding, -1.0, 1);
        assert_near(funding_rate(&rule, &funding), -0.009 * hour / 24.0, 1e-15);
    }
    observe_hours(&rule, &funding, -1.0, 1);
    assert_true(funding_rate(&rule, &funding) == -0.003);
}

/* One step of 10 hours that passes 0 after 4 of them, against 600 of a minute. */
static void the_length_of_steps_does_not_matter_to_velocity(void **state)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_VELOCITY);
    struct funding_state coarse = {.rate = 0.003}, fine = coarse;
    struct funding_signal ten_hours = imbalance_of(-1.0, 10 * HOUR);
    struct funding_signal minute = imbalance_of(-1.0, MINUTE);
    funding_observe(&rule, &coarse, &ten_hours);
    for (int i = 0; i < 600; i++)
        funding_observe(&rule, &fine, &minute);
    assert_near(funding_rate(&rule, &coarse), -0.009 * 6.0 / 24.0, 1e-15);
    assert_near(funding_rate(&rule, &fine), funding_rate(&rule, &coarse), 1e-14);
}

/* ---- Premium and interest, when payments fall due ---- */

/* Oracle: 0.03 % -> 0.01 %, 0.1 % -> 0.05 %, -0.1 % -> -0.05 %, with the mean taken step by step.
 */
static double rate_of_premium(double premium, int64_t interval_ms, bool per_eight_hours)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_PREMIUM_CLAMP);
    struct funding_state funding = {0};
    struct funding_signal signal = premium_of(premium);
    rule.interval_ms = interval_ms;
    rule.per_eight_hours = per_eight_hours;
    for (int64_t time = MINUTE; time < interval_ms; time += MINUTE) {
        funding_observe(&rule, &funding, &signal);
        assert_true(funding_due(&rule, &funding, MIDNIGHT + time, MINUTE) == 0.0);
    }
    funding_observe(&rule, &funding, &signal);
    return funding_due(&rule, &funding, MIDNIGHT + interval_ms, MINUTE);
}

static void the_rule_gives_the_published_rates_after_an_interval(void **state)
{
    assert_true(rate_of_premium(0.0003, EIGHT_HOURS, false) == 0.0001);
    assert_near(rate_of_premium(0.001, EIGHT_HOURS, false), 0.0005, 1e-18);
    assert_near(rate_of_premium(-0.001, EIGHT_HOURS, false), -0.0005, 1e-18);
    assert_true(rate_of_premium(0.1, EIGHT_HOURS, false) == 0.003);
    assert_true(rate_of_premium(0.0003, EIGHT_HOURS, true) == 0.0001);
}

/* Binance, from 18 September 2025: F = (P + clamp(I - P, 0.05 %, -0.05 %)) / (8 / N). */
static void shorter_intervals_pay_their_share_of_the_interest_or_of_the_rate(void **state)
{
    static const int hours[] = {1, 4, 8};
    for (size_t i = 0; i < 3; i++) {
        double share = hours[i] / 8.0;
        assert_near(rate_of_premium(0.0, hours[i] * HOUR, false), 0.0001 * share, 1e-18);
        assert_near(rate_of_premium(0.0, hours[i] * HOUR, true), 0.0001 * share, 1e-18);
        assert_near(rate_of_premium(0.001, hours[i] * HOUR, false), 0.0005, 1e-18);
        assert_near(rate_of_premium(0.001, hours[i] * HOUR, true), 0.0005 * share, 1e-18);
    }
}

/* Weights 1, 2, 3 as above: (1*0.1 + 2*0.2 + 3*0.6) % / 6 = 0.38333 %, less 0.05 %. */
static void the_mean_weighs_the_latest_steps_most_and_begins_anew(void **state)
{
    static const double premium[] = {0.001, 0.002, 0.006};
    struct funding_rule rule = rule_of(FUNDING_KIND_PREMIUM_CLAMP);
    struct funding_state funding = {0};
    rule.cap = INFINITY;
    for (int interval = 0; interval < 2; interval++) {
        for (size_t i = 0; i < 3; i++) {
            struct funding_signal signal = premium_of(premium[i]);
            funding_observe(&rule, &funding, &signal);
            signal.premium = NAN; /* counts for nothing */
            funding_observe(&rule, &funding, &signal);
        }
        assert_near(funding_due(&rule, &funding, MIDNIGHT, MINUTE), 0.023 / 6.0 - 0.0005, 1e-17);
        assert_true(funding_rate(&rule, &funding) == 0.0);
    }
    assert_near(0.023 / 6.0, funding_premium_mean(premium, 3), 1e-17);
}

/* How many payments of 1 hold in `days`, with bars of `step_ms`, for a constant rate. */
static double payments_of(int64_t interval_ms, int64_t step_ms, int days)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_LINEAR);
    struct funding_state funding = {0};
    struct funding_signal signal = imbalance_of(1.0, step_ms);
    double sum = 0.0;
    rule.interval_ms = interval_ms;
    for (int64_t time = step_ms; time <= days * CALENDAR_DAY_MS; time += step_ms) {
        funding_observe(&rule, &funding, &signal);
        sum += funding_due(&rule, &funding, MIDNIGHT + time, step_ms);
    }
    return sum / rule.max_rate;
}

static void payments_fall_due_on_whole_intervals_of_utc_whatever_the_step(void **state)
{
    static const int hours[] = {1, 4, 8};
    static const int64_t steps[] = {MINUTE, 15 * MINUTE, 45 * MINUTE, HOUR, 8 * HOUR, 24 * HOUR};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
            assert_near(payments_of(hours[i] * HOUR, steps[k], 3), 3 * 24.0 / hours[i], 1e-9);

    struct funding_rule rule = rule_of(FUNDING_KIND_LINEAR);
    struct funding_state funding = {.imbalance = 1.0};
    assert_true(funding_due(&rule, &funding, MIDNIGHT, MINUTE) > 0.0);
    assert_true(funding_due(&rule, &funding, MIDNIGHT - 1, MINUTE) == 0.0);
    assert_true(funding_due(&rule, &funding, MIDNIGHT + MINUTE - 1, MINUTE) > 0.0);
    assert_true(funding_due(&rule, &funding, MIDNIGHT + MINUTE, MINUTE) == 0.0);
    /* Also before 1970. */
    assert_true(funding_due(&rule, &funding, -EIGHT_HOURS, MINUTE) > 0.0);
    assert_true(funding_due(&rule, &funding, -MINUTE, MINUTE) == 0.0);
}

static void observed_rates_come_from_the_data_alone(void **state)
{
    struct funding_rule rule = rule_of(FUNDING_KIND_OBSERVED);
    struct funding_state funding = {0};
    struct funding_signal signal = imbalance_of(1.0, EIGHT_HOURS);
    signal.premium = 0.01;
    funding_observe(&rule, &funding, &signal);
    assert_true(funding_due(&rule, &funding, MIDNIGHT, EIGHT_HOURS) == 0.0);
}

static void before_anything_was_seen_nothing_is_due(void **state)
{
    for (int kind = FUNDING_KIND_OBSERVED; kind <= FUNDING_KIND_VELOCITY; kind++) {
        struct funding_rule rule = rule_of((enum funding_kind)kind);
        struct funding_state funding = {0};
        assert_true(funding_due(&rule, &funding, MIDNIGHT, MINUTE) == 0.0);
    }
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
        cmocka_unit_test(every_rule_is_a_row_with_its_source),
        cmocka_unit_test(a_cubic_pool_charges_less_than_a_linear_one_below_full_imbalance),
        cmocka_unit_test(a_cubic_pool_reprices_faster_from_58_percent_of_the_limit_on),
        cmocka_unit_test(the_larger_side_pays_alike_whichever_it_is),
        cmocka_unit_test(a_balanced_pool_pays_nothing),
        cmocka_unit_test(utilisation_is_the_excess_in_dollars_over_the_limit_of_open_interest),
        cmocka_unit_test(the_premium_can_stand_for_the_imbalance),
        cmocka_unit_test(a_constant_skew_raises_the_rate_in_proportion_to_time_until_the_cap),
        cmocka_unit_test(the_published_velocity_example_is_met),
        cmocka_unit_test(the_rate_turns_twice_as_fast_while_the_smaller_side_still_pays),
        cmocka_unit_test(the_length_of_steps_does_not_matter_to_velocity),
        cmocka_unit_test(the_rule_gives_the_published_rates_after_an_interval),
        cmocka_unit_test(shorter_intervals_pay_their_share_of_the_interest_or_of_the_rate),
        cmocka_unit_test(the_mean_weighs_the_latest_steps_most_and_begins_anew),
        cmocka_unit_test(payments_fall_due_on_whole_intervals_of_utc_whatever_the_step),
        cmocka_unit_test(observed_rates_come_from_the_data_alone),
        cmocka_unit_test(before_anything_was_seen_nothing_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
