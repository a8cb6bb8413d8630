/* Settlement: fills, the fund, bad debt, and the leverage tiers of results. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/settle.h"
#include "sim/tiers.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

#define PRICE 100.0

struct fixture {
    struct laboratory lab;
    struct replay replay;
};

/* One position of 2 coins at 100 with 10x and no maintenance margin: bankrupt at 90 or 110. */
static void fixture_make(struct fixture *self, int side, double maintenance_rate, double lambda,
                         bool feedback)
{
    struct book_given given = {.side = side,
                               .entry_price = PRICE,
                               .size_coins = 2.0,
                               .leverage = 10.0,
                               .liquidation_price = NAN};
    laboratory_make_given(&self->lab, PRICE, maintenance_rate, &given, 1, lambda, 1);
    laboratory_replay(&self->lab, feedback, &self->replay);
    settle_begin_step(&self->replay.settle);
}

/* The market goes to `price`, having been at `previous`. */
static const struct settle_tally *settle_at(struct fixture *self, double price, double previous)
{
    assert_int_equal(laboratory_node(&self->replay, price, previous), 1);
    return &self->replay.settle.step;
}

static void fixture_free(struct fixture *self)
{
    replay_free(&self->replay);
    laboratory_free(&self->lab);
}

/* Liquidated at 90/.99 = 90.909 on the way from 95 to 85: filled there, .909 above bankruptcy. */
static void on_a_continuous_path_an_order_is_filled_where_its_trigger_was_crossed(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    const struct settle_tally *tally = settle_at(&fixture, 85.0, 95.0);
    assert_near(tally->side[BOOK_LONG].usd, 2.0 * 90.0 / 0.99, 1e-9);
    assert_near(tally->fund_gain_usd, 2.0 * (90.0 / 0.99 - 90.0), 1e-5);
    assert_near(tally->fund_draw_usd, 0.0, 1e-12);
    assert_near(ledger_total(&fixture.replay.ledger, BOOK_LONG), 0.0, 1e-12);
    fixture_free(&fixture);
}

static void after_a_gap_it_is_filled_at_the_market_and_the_fund_pays(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    const struct settle_tally *tally = settle_at(&fixture, 85.0, NAN);
    assert_near(tally->side[BOOK_LONG].usd, 2.0 * 85.0, 1e-9);
    assert_near(tally->fund_draw_usd, 2.0 * (90.0 - 85.0), 1e-5);
    assert_near(tally->bad_debt_usd, 0.0, 1e-12);
    fixture_free(&fixture);
}

static void a_short_bankrupt_at_110_costs_the_fund_what_it_is_filled_above(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, -1, 0.01, 0.0, false);
    const struct settle_tally *tally = settle_at(&fixture, 113.0, NAN);
    assert_near(tally->fund_draw_usd, 2.0 * (113.0 - 110.0), 1e-5);
    assert_near(tally->side[BOOK_SHORT].usd, 226.0, 1e-9);
    assert_near(fixture.replay.settle.market_maker_cash, 226.0, 1e-9);
    fixture_free(&fixture);
}

static void what_a_small_fund_cannot_pay_is_bad_debt(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    fixture.replay.settle.fund_usd[0] = 3.0;
    const struct settle_tally *tally = settle_at(&fixture, 85.0, NAN);
    assert_near(tally->fund_draw_usd, 3.0, 1e-9);
    assert_near(tally->bad_debt_usd, 7.0, 1e-5);
    assert_near(fixture.replay.settle.fund_usd[0], 0.0, 1e-9);
    assert_near(tally->venue_draw_usd[0], 3.0, 1e-9);
    fixture_free(&fixture);
}

/* 2 coins cost 4 % of impact: filled in the middle between before and after, or all after. */
static void walking_the_book_costs_half_of_ones_own_impact(void **state)
{
    for (int final = 0; final < 2; final++) {
        struct fixture fixture;
        fixture_make(&fixture, 1, 0.01, 0.02, true);
        fixture.replay.settle.fill = final ? SETTLE_FINAL : SETTLE_WALK;
        double after = 90.0 * exp(-0.04);
        const struct settle_tally *tally = settle_at(&fixture, 90.0, 95.0);
        assert_near(tally->side[BOOK_LONG].usd, 2.0 * (final ? after : 0.5 * (90.0 + after)), 1e-9);
        fixture_free(&fixture);
    }
}

/* Funding of 1.5 a coin moves the bankruptcy price of a long from 90 to 91.5. */
static void paid_funding_is_margin_that_is_gone(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    ladder_fund(&fixture.replay.ladder, 0.015, PRICE);
    const struct settle_tally *tally = settle_at(&fixture, 85.0, NAN);
    assert_near(tally->fund_draw_usd, 2.0 * (91.5 - 85.0), 1e-5);
    fixture_free(&fixture);
}

static void tiers_hold_their_lower_edge(void **state)
{
    const double leverage[] = {1.0, 1.99, 2.0, 4.99, 5.0, 10.0, 49.9, 50.0, 99.9, 100.0, 1000.0};
    const int tier[] = {0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8};
    for (int i = 0; i < 11; i++)
        assert_int_equal(tier_of(leverage[i]), tier[i]);
}

static void a_tally_is_the_sum_of_its_parts(void **state)
{
    struct fixture fixture;
    struct settle_tally sum = {0};
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    const struct settle_tally *tally = settle_at(&fixture, 85.0, NAN);
    settle_add(&sum, tally);
    settle_add(&sum, tally);
    assert_near(sum.side[BOOK_LONG].coins, 4.0, 1e-12);
    assert_int_equal(sum.side[BOOK_LONG].positions, 2);
    assert_near(sum.tier[BOOK_LONG][tier_of(10.0)].usd, 340.0, 1e-9);
    assert_near(sum.venue[0][BOOK_LONG].usd, 340.0, 1e-9);
    assert_near(sum.fund_draw_usd, 2.0 * tally->fund_draw_usd, 1e-12);
    /* One trader of 200 USD stands behind the position. */
    assert_near(tally->side[BOOK_LONG].traders, 1.0, 1e-6);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_continuous_path_an_order_is_filled_where_its_trigger_was_crossed),
        cmocka_unit_test(after_a_gap_it_is_filled_at_the_market_and_the_fund_pays),
        cmocka_unit_test(a_short_bankrupt_at_110_costs_the_fund_what_it_is_filled_above),
        cmocka_unit_test(what_a_small_fund_cannot_pay_is_bad_debt),
        cmocka_unit_test(walking_the_book_costs_half_of_ones_own_impact),
        cmocka_unit_test(paid_funding_is_margin_that_is_gone),
        cmocka_unit_test(tiers_hold_their_lower_edge),
        cmocka_unit_test(a_tally_is_the_sum_of_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
