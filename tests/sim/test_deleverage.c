/*
 * Auto-deleveraging: who is closed, how much of whom, at what price, and what it leaves to the
 * fund. Winners are shorts that sold at 100; the market is at 80, where a short at leverage L has
 * equity of (100/L + 20) / 80 of its notional and a PnL share of .2. By PnL times leverage:
 *     10x .2 / .375 = .533,   5x .2 / .5 = .4,   2x .2 / .875 = .229.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

#define PRICE 100.0
#define MARK 80.0
#define BANKRUPTCY 90.0

struct fixture {
    struct laboratory lab;
    struct replay replay;
    const struct adl_ranking *ranking;
};

static struct book_given given_of(int side, double entry, double coins, double leverage)
{
    return (struct book_given){.side = side,
                               .entry_price = entry,
                               .size_coins = coins,
                               .leverage = leverage,
                               .liquidation_price = NAN};
}

/* Without maintenance margin; a fund of `fund_usd` that may lose `drawdown` of itself. */
static void fixture_make(struct fixture *self, const struct book_given *given, size_t count,
                         const char *ranking, double fund_usd, double drawdown)
{
    self->ranking = adl_find(ranking);
    assert_non_null(self->ranking);
    laboratory_make_given(&self->lab, PRICE, 0.0, given, count, 0.0, 1);
    self->lab.params.fund_usd[0] = fund_usd;
    self->lab.params.venue[0].adl = self->ranking;
    self->lab.params.venue[0].adl_drawdown = drawdown;
    laboratory_replay(&self->lab, true, &self->replay);
    settle_begin_step(&self->replay.settle);
    deleverage_begin_step(&self->replay.deleverage);
}

static void fixture_free(struct fixture *self)
{
    replay_free(&self->replay);
    laboratory_free(&self->lab);
}

/* Three shorts of 10 coins at 100, the least leveraged first. */
static void three_shorts(struct fixture *self, const char *ranking)
{
    const struct book_given given[] = {given_of(-1, PRICE, 10.0, 2.0),
                                       given_of(-1, PRICE, 10.0, 5.0),
                                       given_of(-1, PRICE, 10.0, 10.0)};
    fixture_make(self, given, 3, ranking, 1e6, 1.0);
}

/* Closes up to `coins` of shorts at the bankruptcy price; returns how many were. */
static double close_at(struct fixture *self, double coins, double mark)
{
    struct error err = {0};
    double matched = NAN;
    assert_int_equal(deleverage_close(&self->replay.deleverage, 0, BOOK_SHORT, self->ranking, coins,
                                      BANKRUPTCY, mark, &matched, &err),
                     ERROR_NONE);
    return matched;
}

static double tier_coins(const struct fixture *self, double leverage)
{
    return self->replay.ledger.side[BOOK_SHORT].tier[tier_of(leverage)].coins;
}

/* ---- who -------------------------------------------------------------------------------- */

/* The 10x short is closed whole and half of the 5x. They leave with margin and profit at 90:
   10 (10 + 10) and 5 (20 + 10). */
static void the_most_profitable_and_leveraged_are_closed_first(void **state)
{
    struct fixture fixture;
    three_shorts(&fixture, "pnl_leverage");
    assert_near(close_at(&fixture, 15.0, MARK), 15.0, 1e-9);
    assert_near(tier_coins(&fixture, 10.0), 0.0, 1e-9);
    assert_near(tier_coins(&fixture, 5.0), 5.0, 1e-9);
    assert_near(tier_coins(&fixture, 2.0), 10.0, 1e-9);
    assert_near(fixture.replay.settle.withdrawals_usd, 200.0 + 150.0, 1e-3);
    assert_near(fixture.replay.settle.step.adl_coins[BOOK_SHORT], 15.0, 1e-9);
    assert_near(fixture.replay.settle.step.adl_usd, 15.0 * BANKRUPTCY, 1e-9);
    assert_near(fixture.replay.settle.market_maker_cash, 0.0, 1e-12);
    fixture_free(&fixture);
}

/* A ranking serves the whole step: the next need goes on where the last one ended. */
static void a_second_need_goes_on_down_the_ranking(void **state)
{
    struct fixture fixture;
    three_shorts(&fixture, "pnl_leverage");
    close_at(&fixture, 4.0, MARK);
    close_at(&fixture, 11.0, MARK);
    assert_near(tier_coins(&fixture, 10.0), 0.0, 1e-9);
    assert_near(tier_coins(&fixture, 5.0), 5.0, 1e-9);
    assert_near(close_at(&fixture, 100.0, MARK), 15.0, 1e-9);
    assert_near(close_at(&fixture, 1.0, MARK), 0.0, 1e-12);
    fixture_free(&fixture);
}

/* What is left of a cut position fires as a smaller one, at the price it had. */
static void a_cut_position_is_liquidated_with_what_it_has_left(void **state)
{
    struct fixture fixture;
    three_shorts(&fixture, "pnl_leverage");
    close_at(&fixture, 4.0, MARK);
    assert_int_equal(laboratory_node(&fixture.replay, 110.5, NAN), 1);
    assert_near(fixture.replay.cascade.shots[0].trigger_price, 110.0, 1e-4);
    assert_near(fixture.replay.cascade.shots[0].coins, 6.0, 1e-9);
    fixture_free(&fixture);
}

static void who_was_liquidated_since_is_passed_over(void **state)
{
    struct fixture fixture;
    three_shorts(&fixture, "pnl_leverage");
    close_at(&fixture, 1.0, MARK);
    ladder_fire(&fixture.replay.ladder, 0, BOOK_SHORT); /* the 10x */
    close_at(&fixture, 3.0, MARK);
    assert_near(tier_coins(&fixture, 10.0), 9.0, 1e-9); /* the ledger has not settled it */
    assert_near(tier_coins(&fixture, 5.0), 7.0, 1e-9);
    fixture_free(&fixture);
}

/* 10 coins each that sold at 100 lose a third of 10; who sold at 70 is at a loss and left alone. */
static void pro_rata_takes_the_same_part_of_all_in_profit(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {given_of(-1, PRICE, 10.0, 2.0),
                                       given_of(-1, PRICE, 20.0, 5.0),
                                       given_of(-1, 70.0, 10.0, 3.0)};
    fixture_make(&fixture, given, 3, "pro_rata", 0.0, 1.0);
    assert_near(close_at(&fixture, 10.0, MARK), 10.0, 1e-9);
    assert_near(tier_coins(&fixture, 2.0), 10.0 * 2.0 / 3.0, 1e-9);
    assert_near(tier_coins(&fixture, 5.0), 20.0 * 2.0 / 3.0, 1e-9);
    assert_near(tier_coins(&fixture, 3.0), 10.0, 1e-9);
    assert_near(close_at(&fixture, 50.0, MARK), 20.0, 1e-9);
    fixture_free(&fixture);
}

/* At 80 a short that sold at 70 with 5x has lost 10 of its 14, one with 10x more than its 7. */
static void losers_are_last_and_the_bankrupt_never(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {given_of(-1, 70.0, 10.0, 5.0),
                                       given_of(-1, 70.0, 10.0, 10.0),
                                       given_of(-1, PRICE, 10.0, 2.0)};
    fixture_make(&fixture, given, 3, "pnl_leverage", 0.0, 1.0);
    close_at(&fixture, 12.0, MARK);
    assert_near(tier_coins(&fixture, 2.0), 0.0, 1e-9);
    assert_near(tier_coins(&fixture, 5.0), 8.0, 1e-9);
    assert_near(close_at(&fixture, 100.0, MARK), 8.0, 1e-9);
    assert_near(tier_coins(&fixture, 10.0), 10.0, 1e-9);
    fixture_free(&fixture);
}

/* What adl.csv says of the 10x short: sold at 100, bought back at 90. */
static void records_say_what_was_taken_of_whom(void **state)
{
    struct fixture fixture;
    three_shorts(&fixture, "pnl_leverage");
    close_at(&fixture, 4.0, MARK);
    close_at(&fixture, 2.0, MARK);
    const struct deleverage *deleverage = &fixture.replay.deleverage;
    assert_int_equal(deleverage->record_count, 1);
    const struct deleverage_record *record = &deleverage->records[0];
    assert_int_equal(record->side_index, BOOK_SHORT);
    assert_int_equal(record->tier, tier_of(10.0));
    assert_int_equal(record->positions, 2);
    assert_near(record->coins, 6.0, 1e-9);
    assert_near(record->usd, 540.0, 1e-9);
    assert_near(record->entry_usd, 600.0, 1e-4);
    assert_near(record->pnl_usd, 60.0, 1e-4);
    assert_near(record->score_sum, 6.0 * 0.2 / 0.375, 1e-4);
    fixture_free(&fixture);
}

/* ---- when ------------------------------------------------------------------------------- */

/* A long of 2 coins with 10x is bankrupt at 90; the price jumps to 80. */
static const struct settle_tally *bankrupt(struct fixture *self, double fund_usd, double drawdown)
{
    const struct book_given given[] = {given_of(1, PRICE, 2.0, 10.0),
                                       given_of(-1, PRICE, 5.0, 5.0)};
    fixture_make(self, given, 2, "pnl_leverage", fund_usd, drawdown);
    laboratory_node(&self->replay, MARK, NAN);
    return &self->replay.settle.step;
}

/* Nothing to pay from: all goes to the winner at 90, and there is no bad debt. */
static void an_empty_fund_has_winners_pay_for_the_bankrupt(void **state)
{
    struct fixture fixture;
    const struct settle_tally *tally = bankrupt(&fixture, 0.0, 1.0);
    assert_near(tally->side[BOOK_LONG].coins, 2.0, 1e-9);
    assert_near(tally->side[BOOK_LONG].usd, 2.0 * BANKRUPTCY, 1e-4);
    assert_int_equal(tally->side[BOOK_LONG].positions, 1);
    assert_near(tally->adl_coins[BOOK_SHORT], 2.0, 1e-9);
    assert_near(tally->bad_debt_usd + tally->fund_draw_usd, 0.0, 1e-9);
    assert_near(fixture.replay.settle.market_maker_cash, 0.0, 1e-9);
    assert_near(ledger_total(&fixture.replay.ledger, BOOK_SHORT), 3.0, 1e-9);
    fixture_free(&fixture);
}

/* Of 100 the fund may lose a tenth: one coin sold at 80 costs just that. */
static void a_fund_pays_down_to_its_drawdown_and_winners_the_rest(void **state)
{
    struct fixture fixture;
    const struct settle_tally *tally = bankrupt(&fixture, 100.0, 0.1);
    assert_near(tally->fund_draw_usd, 10.0, 1e-4);
    assert_near(tally->adl_coins[BOOK_SHORT], 1.0, 1e-4);
    assert_near(tally->side[BOOK_LONG].usd, MARK + BANKRUPTCY, 1e-3);
    assert_near(tally->bad_debt_usd, 0.0, 1e-9);
    fixture_free(&fixture);
}

static void a_fund_that_can_pay_leaves_winners_alone(void **state)
{
    struct fixture fixture;
    const struct settle_tally *tally = bankrupt(&fixture, 100.0, 1.0);
    assert_near(tally->fund_draw_usd, 20.0, 1e-4);
    assert_near(tally->adl_coins[BOOK_SHORT], 0.0, 1e-12);
    assert_near(tally->side[BOOK_LONG].usd, 2.0 * MARK, 1e-9);
    fixture_free(&fixture);
}

/* 2 coins are bankrupt and half a coin is short: the rest is sold at 80, 10 a coin of bad debt. */
static void what_finds_no_winner_is_sold_and_is_bad_debt(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {given_of(1, PRICE, 2.0, 10.0),
                                       given_of(-1, PRICE, 0.5, 5.0)};
    fixture_make(&fixture, given, 2, "pnl_leverage", 0.0, 1.0);
    assert_int_equal(laboratory_node(&fixture.replay, MARK, NAN), 2);
    const struct settle_tally *tally = &fixture.replay.settle.step;
    assert_near(fixture.replay.cascade.shots[0].coins, 0.0, 1e-12);
    assert_near(fixture.replay.cascade.shots[1].coins, 1.5, 1e-9);
    assert_near(tally->adl_coins[BOOK_SHORT], 0.5, 1e-9);
    assert_near(tally->bad_debt_usd, 15.0, 1e-3);
    fixture_free(&fixture);
}

/* 2 coins of longs are bankrupt at 80 and 2 coins of winners are closed against them; of 5 coins of
   open interest 3 are left, held by those whom nothing reaches. */
static void what_is_deleveraged_leaves_open_interest_once(void **state)
{
    struct fixture fixture;
    struct replay_step step;
    struct error err = {0};
    const struct book_given given[] = {given_of(1, PRICE, 2.0, 10.0), given_of(1, PRICE, 3.0, 1.01),
                                       given_of(-1, PRICE, 2.0, 5.0),
                                       given_of(-1, PRICE, 3.0, 1.01)};
    fixture_make(&fixture, given, 4, "pnl_leverage", 0.0, 1.0);
    fixture.lab.path.shock = true;
    fixture.lab.path.at_ms = 0;
    fixture.lab.path.over_ms = 0;
    fixture.lab.path.move_log = log(MARK / PRICE);
    assert_int_equal(replay_step(&fixture.replay, &step, &err), ERROR_NONE);
    assert_near(step.forced.side[BOOK_LONG].coins, 2.0, 1e-9);
    assert_near(step.forced.adl_coins[BOOK_SHORT], 2.0, 1e-9);
    assert_near(step.oi_coins, 3.0, 1e-9);
    assert_near(step.closes_coins[BOOK_LONG] + step.closes_coins[BOOK_SHORT], 0.0, 1e-9);
    fixture_free(&fixture);
}

/* ---- memory ----------------------------------------------------------------------------- */

static bool survives(long countdown)
{
    struct fixture fixture;
    struct error err = {0};
    double matched;
    three_shorts(&fixture, "pnl_leverage");
    memory_fail_after(countdown);
    int code = deleverage_close(&fixture.replay.deleverage, 0, BOOK_SHORT, fixture.ranking, 15.0,
                                BANKRUPTCY, MARK, &matched, &err);
    memory_fail_after(0);
    fixture_free(&fixture);
    assert_true(code == ERROR_NONE || code == ERROR_IO);
    return code == ERROR_NONE;
}

static void deleveraging_without_memory_says_so(void **state)
{
    long failures = 0;
    while (!survives(failures + 1))
        failures++;
    assert_true(failures >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_profitable_and_leveraged_are_closed_first),
        cmocka_unit_test(a_second_need_goes_on_down_the_ranking),
        cmocka_unit_test(what_is_deleveraged_leaves_open_interest_once),
        cmocka_unit_test(a_cut_position_is_liquidated_with_what_it_has_left),
        cmocka_unit_test(who_was_liquidated_since_is_passed_over),
        cmocka_unit_test(pro_rata_takes_the_same_part_of_all_in_profit),
        cmocka_unit_test(losers_are_last_and_the_bankrupt_never),
        cmocka_unit_test(records_say_what_was_taken_of_whom),
        cmocka_unit_test(an_empty_fund_has_winners_pay_for_the_bankrupt),
        cmocka_unit_test(a_fund_pays_down_to_its_drawdown_and_winners_the_rest),
        cmocka_unit_test(a_fund_that_can_pay_leaves_winners_alone),
        cmocka_unit_test(what_finds_no_winner_is_sold_and_is_bad_debt),
        cmocka_unit_test(deleveraging_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
