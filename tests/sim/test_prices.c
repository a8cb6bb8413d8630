/* Prices of venues: one impact for all or one each, arbitrage between them, last and mark. Impact
   is linear, 0.1 % a coin at the pooled depth, so that everything can be added up by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "sim/prices.h"
#include "tests/support/near.h"

#define PER_COIN 0.001
#define HOUR CALENDAR_HOUR_MS

struct fixture {
    struct prices_params params;
    struct prices prices;
};

/* Two venues with a quarter and three quarters of the depth, at 100. */
static void fixture_make(struct fixture *self, bool separate, int64_t half_life_ms, bool feedback)
{
    self->params = (struct prices_params){
        .impact = {.kind = IMPACT_KIND_LINEAR,
                   .reference_coins = 1.0,
                   .reference_move_log = PER_COIN,
                   .half_life_ms = CALENDAR_NONE},
        .markets = 2,
        .separate = separate,
        .half_life_ms = half_life_ms,
        .reference_passthrough = 1.0,
        .passthrough = {1.0, 0.5},
        .depth_share = {0.25, 0.75},
    };
    prices_init(&self->prices, &self->params);
    self->prices.depth = 1.0;
    self->prices.feedback = feedback;
    prices_place(&self->prices, 100.0, 100.0);
}

static double last_log(const struct fixture *self, int market)
{
    return log(self->prices.market[market].last / 100.0);
}

static double mark_log(const struct fixture *self, int market)
{
    return log(self->prices.market[market].mark / 100.0);
}

static void pass(struct fixture *self, int64_t time_ms)
{
    prices_pass(&self->prices, time_ms);
    prices_place(&self->prices, 100.0, 100.0);
}

static void pooled_venues_move_together_wherever_the_order_is(void **state)
{
    for (int market = 0; market < 2; market++) {
        struct fixture fixture;
        fixture_make(&fixture, false, 0, true);
        prices_order(&fixture.prices, market, -10.0);
        assert_near(last_log(&fixture, 0), -0.01, 1e-12);
        assert_near(last_log(&fixture, 1), -0.01, 1e-12);
        assert_near(log(fixture.prices.last / 100.0), -0.01, 1e-12);
        assert_near(prices_impact_log(&fixture.prices), -0.01, 1e-12);
    }
}

/* A quarter of the depth: four times the impact, at home; the mean by depth moves as if pooled. */
static void separate_venues_bear_their_own_orders(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, true, CALENDAR_NONE, true);
    prices_order(&fixture.prices, 0, -10.0);
    assert_near(last_log(&fixture, 0), -0.04, 1e-12);
    assert_near(last_log(&fixture, 1), 0.0, 1e-12);
    assert_near(prices_impact_log(&fixture.prices), -0.01, 1e-12);
    assert_near(log(fixture.prices.last / 100.0), -0.01, 1e-12);
    assert_near(prices_pooled(&fixture.prices).flow_coins, -10.0, 1e-12);
}

/* A gap of 4 %: arbitrage halves it in its half-life while the mean stays; without, it stays. */
static void arbitrage_brings_venues_together_at_its_speed(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, true, HOUR, true);
    prices_order(&fixture.prices, 0, -10.0);
    for (int i = 1; i <= 3; i++) {
        pass(&fixture, HOUR);
        double gap = 0.04 * pow(0.5, i);
        assert_near(last_log(&fixture, 1) - last_log(&fixture, 0), gap, 1e-12);
        assert_near(last_log(&fixture, 0), -0.01 - 0.75 * gap, 1e-12);
        assert_near(prices_impact_log(&fixture.prices), -0.01, 1e-12);
    }
    fixture_make(&fixture, true, CALENDAR_NONE, true);
    prices_order(&fixture.prices, 0, -10.0);
    pass(&fixture, 1000 * HOUR);
    assert_near(last_log(&fixture, 1) - last_log(&fixture, 0), 0.04, 1e-12);
}

static void impact_decays_on_every_venue(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, true, CALENDAR_NONE, true);
    fixture.params.impact.half_life_ms = HOUR;
    prices_order(&fixture.prices, 0, -10.0);
    prices_order(&fixture.prices, 1, 30.0);
    pass(&fixture, 2 * HOUR);
    assert_near(last_log(&fixture, 0), -0.04 / 4.0, 1e-12);
    assert_near(last_log(&fixture, 1), 0.04 / 4.0, 1e-12);
}

/* Venue 0 marks at its own last price, venue 1 half at the index. */
static void a_mark_price_takes_its_venues_share_of_a_move(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, false, 0, true);
    prices_order(&fixture.prices, 0, -10.0);
    assert_near(mark_log(&fixture, 0), -0.01, 1e-12);
    assert_near(mark_log(&fixture, 1), -0.005, 1e-12);
    assert_near(log(fixture.prices.mark / 100.0), -0.01, 1e-12);
}

static void half_the_depth_is_twice_the_impact(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, false, 0, true);
    prices_order(&fixture.prices, 0, -10.0);
    fixture.prices.depth = 0.5;
    prices_place(&fixture.prices, 100.0, 100.0);
    assert_near(last_log(&fixture, 0), -0.02, 1e-12);
}

static void without_feedback_prices_stay_and_the_impact_is_known(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, true, CALENDAR_NONE, false);
    prices_order(&fixture.prices, 0, -10.0);
    prices_place(&fixture.prices, 99.0, 98.0);
    assert_near(fixture.prices.market[0].last, 99.0, 1e-12);
    assert_near(fixture.prices.market[1].mark, 98.0, 1e-12);
    assert_near(prices_after_order(&fixture.prices, 0, -50.0), 99.0, 1e-12);
    assert_near(prices_impact_log(&fixture.prices), -0.01, 1e-12);
    prices_forget(&fixture.prices);
    assert_near(prices_impact_log(&fixture.prices), 0.0, 1e-15);
}

static void an_order_can_be_looked_at_before_it_is_made(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, true, CALENDAR_NONE, true);
    prices_order(&fixture.prices, 0, -3.0);
    double seen = prices_after_order(&fixture.prices, 0, -7.0);
    assert_near(last_log(&fixture, 0), -0.012, 1e-12);
    assert_near(log(seen / 100.0), -0.04, 1e-12);
    prices_order(&fixture.prices, 0, -7.0);
    assert_near(fixture.prices.market[0].last, seen, 1e-12);
}

/* What venue 1 would mark had its last order not been made: half of 4 % comes back. */
static void a_mark_can_be_had_without_an_order(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, true, CALENDAR_NONE, true);
    struct prices_impact before = fixture.prices.impact;
    prices_order(&fixture.prices, 1, -30.0);
    assert_near(mark_log(&fixture, 1), -0.02, 1e-12);
    assert_near(prices_mark_with(&fixture.prices, 1, &before), 100.0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooled_venues_move_together_wherever_the_order_is),
        cmocka_unit_test(separate_venues_bear_their_own_orders),
        cmocka_unit_test(arbitrage_brings_venues_together_at_its_speed),
        cmocka_unit_test(impact_decays_on_every_venue),
        cmocka_unit_test(a_mark_price_takes_its_venues_share_of_a_move),
        cmocka_unit_test(half_the_depth_is_twice_the_impact),
        cmocka_unit_test(without_feedback_prices_stay_and_the_impact_is_known),
        cmocka_unit_test(an_order_can_be_looked_at_before_it_is_made),
        cmocka_unit_test(a_mark_can_be_had_without_an_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
