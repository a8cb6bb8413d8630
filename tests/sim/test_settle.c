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

/* ---- fees ------------------------------------------------------------------------------- */

/* Filled at 90.909 with .909 a coin left: a fee of .5 % is .4545 a coin, one of 1.25 % would be
   more than there is. The fund has what the fee leaves. */
static void a_liquidation_fee_comes_before_the_fund_and_out_of_what_is_left(void **state)
{
    const double rates[] = {0.005, 0.0125}, fees[] = {0.005 * 90.0 / 0.99, 90.0 / 0.99 - 90.0};
    for (int i = 0; i < 2; i++) {
        struct fixture fixture;
        fixture_make(&fixture, 1, 0.01, 0.0, false);
        fixture.lab.params.venue[0].rule.fee_rate = rates[i];
        const struct settle_tally *tally = settle_at(&fixture, 85.0, 95.0);
        assert_near(tally->fees_usd, 2.0 * fees[i], 1e-4);
        assert_near(tally->venue_fees_usd[0], 2.0 * fees[i], 1e-4);
        assert_near(tally->fund_gain_usd, 2.0 * (90.0 / 0.99 - 90.0 - fees[i]), 1e-4);
        assert_near(tally->bad_debt_usd, 0.0, 1e-12);
        fixture_free(&fixture);
    }
}

static void the_bankrupt_pay_no_fee(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    fixture.lab.params.venue[0].rule.fee_rate = 0.005;
    const struct settle_tally *tally = settle_at(&fixture, 85.0, NAN);
    assert_near(tally->fees_usd, 0.0, 1e-12);
    assert_near(tally->fund_draw_usd, 10.0, 1e-4);
    fixture_free(&fixture);
}

/* ---- parts ------------------------------------------------------------------------------ */

/* A fifth is closed at 90.909: .4 coins lose 9.0909 each, and as much is gone of the margin of 20.
   The rest, 1.6 coins, has (20 - 3.63636) / 1.6 = 10.22727 a coin: liquidated at
   (100 - 10.22727) / .99. The fund has nothing to do with it. */
static void a_partial_order_leaves_a_rest_with_the_margin_less_the_loss(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    fixture.lab.params.venue[0].rule =
        (struct liquidation_rule){.kind = LIQUIDATION_KIND_SHARE, .share = 0.2};
    const struct settle_tally *tally = settle_at(&fixture, 90.8, 95.0);
    const struct ledger_sums *sums = &fixture.replay.ledger.side[BOOK_LONG].tier[tier_of(10.0)];
    assert_int_equal(tally->partial_orders, 1);
    assert_int_equal(tally->side[BOOK_LONG].positions, 1);
    assert_near(tally->side[BOOK_LONG].coins, 0.4, 1e-9);
    assert_near(tally->side[BOOK_LONG].usd, 0.4 * 90.0 / 0.99, 1e-4);
    assert_near(tally->fund_gain_usd + tally->fund_draw_usd, 0.0, 1e-12);
    assert_near(sums->coins, 1.6, 1e-9);
    assert_near(sums->margin, 20.0 - 0.4 * (100.0 - 90.0 / 0.99), 1e-4);
    assert_near(ladder_peek(&fixture.replay.ladder, 0, BOOK_LONG)->trigger_price,
                (100.0 - 10.2272727) / 0.99, 1e-4);
    fixture_free(&fixture);
}

/* The fee on a part, .5 % of 36.3636, is the trader's: the rest has .11364 a coin less. */
static void the_fee_on_a_part_comes_out_of_the_margin_of_the_rest(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    fixture.lab.params.venue[0].rule =
        (struct liquidation_rule){.kind = LIQUIDATION_KIND_SHARE, .share = 0.2, .fee_rate = 0.005};
    const struct settle_tally *tally = settle_at(&fixture, 90.9, 95.0);
    assert_near(tally->fees_usd, 0.005 * 0.4 * 90.0 / 0.99, 1e-5);
    assert_near(ladder_peek(&fixture.replay.ladder, 0, BOOK_LONG)->trigger_price,
                (100.0 - 10.2272727 + 0.1136364) / 0.99, 1e-4);
    fixture_free(&fixture);
}

/* A position is counted once, however many orders it takes: 20 %, then 20 % of the rest. */
static void a_rest_that_fires_again_is_no_new_position(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1, 0.01, 0.0, false);
    fixture.lab.params.venue[0].rule =
        (struct liquidation_rule){.kind = LIQUIDATION_KIND_SHARE, .share = 0.2};
    settle_at(&fixture, 90.8, 95.0);
    const struct settle_tally *tally = settle_at(&fixture, 90.6, 90.8);
    assert_int_equal(tally->partial_orders, 2);
    assert_int_equal(tally->side[BOOK_LONG].positions, 1);
    assert_near(tally->side[BOOK_LONG].traders, 1.0, 1e-6);
    assert_near(tally->side[BOOK_LONG].coins, 0.4 + 0.32, 1e-9);
    fixture_free(&fixture);
}

/* ---- takeovers -------------------------------------------------------------------------- */

/* A gap to 90.3 leaves .3 a coin, less than two thirds of the maintenance of .903: the fund takes 2
   coins with .6 over, and they stay open interest. At 90.8 there is more: an order. */
static void a_backstop_takes_over_what_has_little_left(void **state)
{
    for (int little = 0; little < 2; little++) {
        struct fixture fixture;
        fixture_make(&fixture, 1, 0.01, 0.0, true);
        fixture.lab.params.venue[0].rule.backstop_share = 2.0 / 3.0;
        double price = little ? 90.3 : 90.8;
        const struct settle_tally *tally = settle_at(&fixture, price, NAN);
        double oi = ledger_total(&fixture.replay.ledger, BOOK_LONG);
        assert_near(tally->fund_gain_usd, 2.0 * (price - 90.0), 1e-4);
        assert_near(tally->backstop_coins[BOOK_LONG], little ? 2.0 : 0.0, 1e-12);
        assert_near(fixture.replay.cascade.shots[0].coins, little ? 0.0 : 2.0, 1e-12);
        assert_near(oi, little ? 2.0 : 0.0, 1e-9);
        assert_near(fixture.replay.settle.market_maker_cash, little ? 0.0 : -2.0 * price, 1e-9);
        assert_near(tally->side[BOOK_LONG].usd, 2.0 * price, 1e-9);
        fixture_free(&fixture);
    }
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
        cmocka_unit_test(a_liquidation_fee_comes_before_the_fund_and_out_of_what_is_left),
        cmocka_unit_test(the_bankrupt_pay_no_fee),
        cmocka_unit_test(a_partial_order_leaves_a_rest_with_the_margin_less_the_loss),
        cmocka_unit_test(the_fee_on_a_part_comes_out_of_the_margin_of_the_rest),
        cmocka_unit_test(a_rest_that_fires_again_is_no_new_position),
        cmocka_unit_test(a_backstop_takes_over_what_has_little_left),
        cmocka_unit_test(tiers_hold_their_lower_edge),
        cmocka_unit_test(a_tally_is_the_sum_of_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
