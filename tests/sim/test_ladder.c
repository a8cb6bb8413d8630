/* The ladder: order, ties, twins, funding, expiry. Triggers are hand-computed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/ladder.h"
#include "tests/support/near.h"

struct fixture {
    struct brackets brackets;
    struct book_venue venues[2];
    struct book book;
    struct ladder ladder;
};

/* One venue; `count` positions given. */
static void fixture_make(struct fixture *self, const char *formula, const struct book_given *given,
                         size_t count)
{
    struct error err = {0};
    for (int v = 0; v < 2; v++)
        self->venues[v] = (struct book_venue){.name = "venue",
                                              .formula = margin_find(formula),
                                              .oi_share = 0.5,
                                              .tables = &self->brackets,
                                              .table_count = 1};
    if (book_from_given(&self->book, given, count, self->venues, 2, 0, 1, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
    assert_int_equal(ladder_init(&self->ladder, &self->book, false, false, &err), ERROR_NONE);
    ladder_open(&self->ladder, 0, 1.0);
}

static void fixture_free(struct fixture *self)
{
    ladder_free(&self->ladder);
    book_free(&self->book);
}

static struct book_given at_price(int side, double price)
{
    return (struct book_given){
        .side = side, .entry_price = 100.0, .size_coins = 1.0, .liquidation_price = price};
}

static struct book_given with_leverage(int side, double size, double leverage)
{
    return (struct book_given){.side = side,
                               .entry_price = 100.0,
                               .size_coins = size,
                               .leverage = leverage,
                               .liquidation_price = NAN};
}

static void fires_at(struct fixture *self, int side_index, double price)
{
    const struct ladder_next *next = ladder_peek(&self->ladder, 0, side_index);
    assert_true(next->any);
    assert_near(next->trigger_price, price, 1e-9);
    ladder_fire(&self->ladder, 0, side_index);
}

static void longs_fire_from_the_highest_price_down_and_shorts_from_the_lowest_up(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {at_price(1, 80.0), at_price(1, 95.0),   at_price(-1, 130.0),
                                       at_price(1, 90.0), at_price(-1, 104.0), at_price(-1, 110.0)};
    brackets_flat(&fixture.brackets, 0.005, 1e9);
    fixture_make(&fixture, "linear_mark", given, 6);
    fires_at(&fixture, BOOK_LONG, 95.0);
    fires_at(&fixture, BOOK_SHORT, 104.0);
    fires_at(&fixture, BOOK_LONG, 90.0);
    fires_at(&fixture, BOOK_LONG, 80.0);
    fires_at(&fixture, BOOK_SHORT, 110.0);
    fires_at(&fixture, BOOK_SHORT, 130.0);
    assert_false(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->any);
    assert_false(ladder_peek(&fixture.ladder, 0, BOOK_SHORT)->any);
    fixture_free(&fixture);
}

/* Of equal triggers the lower class goes first, whatever the order of entry. */
static void equal_triggers_fire_by_class(void **state)
{
    struct fixture fixture;
    struct book_given given[] = {at_price(1, 90.0), at_price(1, 90.0)};
    given[0].venue = 1;
    brackets_flat(&fixture.brackets, 0.0, 1e9);
    fixture_make(&fixture, "linear_mark", given, 2);
    assert_int_equal(ladder_fire(&fixture.ladder, 0, BOOK_LONG).class->venue, 0);
    assert_int_equal(ladder_fire(&fixture.ladder, 0, BOOK_LONG).class->venue, 1);
    fixture_free(&fixture);
}

static void an_unopened_bar_has_nobody_to_fire(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    struct book_given given = at_price(1, 90.0);
    brackets_flat(&fixture.brackets, 0.0, 1e9);
    fixture_make(&fixture, "linear_mark", &given, 1);
    ladder_free(&fixture.ladder);
    assert_int_equal(ladder_init(&fixture.ladder, &fixture.book, false, false, &err), ERROR_NONE);
    assert_false(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->any);
    fixture_free(&fixture);
}

static void an_expired_bar_has_nobody_to_fire(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {at_price(1, 90.0), at_price(-1, 110.0)};
    brackets_flat(&fixture.brackets, 0.0, 1e9);
    fixture_make(&fixture, "linear_mark", given, 2);
    assert_true(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->any);
    ladder_expire(&fixture.ladder, BOOK_LONG, 1);
    assert_false(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->any);
    assert_true(ladder_peek(&fixture.ladder, 0, BOOK_SHORT)->any);
    fixture_free(&fixture);
}

/* ---- funding ----------------------------------------------------------------------------- */

/* A payment of .5 % at 100 takes .5 a coin from longs: a long at 10x with m = .5 % falls at
   (100 (1 - .1) + .5) / .995 rather than 90/.995, a short at (110 + .5) / 1.005. */
static void funding_moves_every_trigger_and_reorders_nobody(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {with_leverage(1, 1.0, 10.0), with_leverage(1, 1.0, 5.0),
                                       with_leverage(1, 1.0, 20.0), with_leverage(-1, 1.0, 10.0),
                                       with_leverage(-1, 1.0, 4.0)};
    brackets_flat(&fixture.brackets, 0.005, 1e9);
    fixture_make(&fixture, "linear_mark", given, 5);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 95.0 / 0.995, 1e-5);
    ladder_fund(&fixture.ladder, 0.005, 100.0);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 95.5 / 0.995, 1e-5);
    ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 90.5 / 0.995, 1e-5);
    struct ladder_fired fired = ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    assert_near(ladder_entry_price(&fixture.ladder, &fired), 100.0, 1e-9);
    assert_near(ladder_bankruptcy_price(&fixture.ladder, &fired), 90.5, 1e-5);
    fires_at(&fixture, BOOK_LONG, 80.5 / 0.995);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_SHORT)->trigger_price, 110.5 / 1.005, 1e-5);
    fixture_free(&fixture);
}

/* Inverse: payments are in coins, rate / P a contract. A 10x long at 100 with m = .5 % at entry is
   liquidated at z = -(1 + .1 - .005)/100; .5 % paid at 100 adds .00005. */
static void funding_of_inverse_contracts_is_paid_in_coins(void **state)
{
    struct fixture fixture;
    const struct book_given given = with_leverage(1, 1.0, 10.0);
    brackets_flat(&fixture.brackets, 0.005, 1e9);
    fixture_make(&fixture, "inverse_entry", &given, 1);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 100.0 / 1.095, 1e-5);
    ladder_fund(&fixture.ladder, 0.005, 100.0);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 100.0 / 1.09, 1e-5);
    struct ladder_fired fired = ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    /* Bankrupt at 1/P = (1 + .1)/100 - .00005. */
    assert_near(ladder_bankruptcy_price(&fixture.ladder, &fired), 100.0 / 1.095, 1e-5);
    fixture_free(&fixture);
}

/* ---- twins ------------------------------------------------------------------------------- */

/* Two tiers with their edge at 900: m .5 % below, 1 % above, cum = 900 * .005 = 4.5. */
static void two_tiers(struct brackets *brackets)
{
    const double cap[] = {900.0, 1e6}, leverage[] = {100.0, 50.0}, rate[] = {0.005, 0.01};
    struct error err = {0};
    assert_int_equal(brackets_init(brackets, 2, cap, leverage, rate, INT64_MIN, &err), ERROR_NONE);
}

static double tier_price(double size, double leverage, double paid, int tier)
{
    double rate = tier == 0 ? 0.005 : 0.01, cum = tier == 0 ? 0.0 : 4.5;
    return (100.0 * (1.0 - 1.0 / leverage) - cum / size + paid) / (1.0 - rate);
}

/* 9.9 coins at 100 with 10x are worth 9.9 * 90/.995 = 895.5 at liquidation, in the lower tier. A
   payment of 2 a coin lifts that over the edge: 9.9 * 92.47 = 915.5, and the upper tier binds. */
static void funding_carries_a_position_over_its_brackets_edge(void **state)
{
    struct fixture fixture;
    const struct book_given given = with_leverage(1, 9.9, 10.0);
    two_tiers(&fixture.brackets);
    fixture_make(&fixture, "linear_mark", &given, 1);
    assert_int_equal(fixture.book.entry_count, 2);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price,
                tier_price(9.9, 10.0, 0.0, 0), 1e-4);
    ladder_fund(&fixture.ladder, 0.02, 100.0);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price,
                tier_price(9.9, 10.0, 2.0, 1), 1e-4);
    assert_true(tier_price(9.9, 10.0, 2.0, 1) > tier_price(9.9, 10.0, 2.0, 0) + 0.005);
    struct ladder_fired fired = ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    assert_int_equal(fired.class->bracket, 1);
    assert_near(ladder_entry_price(&fixture.ladder, &fired), 100.0, 1e-9);
    fixture_free(&fixture);
}

static void a_twin_retires_the_other(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {with_leverage(1, 9.9, 10.0), with_leverage(1, 1.0, 4.0)};
    two_tiers(&fixture.brackets);
    fixture_make(&fixture, "linear_mark", given, 2);
    ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 75.0 / 0.995, 1e-4);
    ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    assert_false(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->any);
    fixture_free(&fixture);
}

/* ---- rests and venues --------------------------------------------------------------------- */

/* What could be left of the position `like`: with a key of its own, ready at a time. */
static uint32_t leave_rest(struct fixture *self, const struct book_position *like, double kappa,
                           int64_t ready_ms)
{
    struct error err = {0};
    struct rest rest = {.share = like->share / 2.0,
                        .leverage = (double)like->leverage,
                        .size_usd = (double)like->size_usd / 2.0,
                        .class_id = {self->book.runs[0].class_id, RESTS_NONE},
                        .kappa = {kappa, 0.0},
                        .ready_ms = ready_ms};
    uint32_t number;
    assert_int_equal(ladder_rest(&self->ladder, &rest, 0, &number, &err), ERROR_NONE);
    return number;
}

/* At one price the position of the book goes first, then rests by age. */
static void of_equal_triggers_rests_are_last_and_the_eldest_first(void **state)
{
    struct fixture fixture;
    const struct book_given given = at_price(1, 90.0);
    brackets_flat(&fixture.brackets, 0.0, 1e9);
    fixture_make(&fixture, "linear_mark", &given, 1);
    const struct book_position *position = &fixture.book.positions[0];
    uint32_t elder = leave_rest(&fixture, position, position->kappa, 0);
    uint32_t younger = leave_rest(&fixture, position, position->kappa, 0);
    uint32_t nearer = leave_rest(&fixture, position, position->kappa + 1.0, 0);
    const uint32_t order[] = {nearer, RESTS_NONE, elder, younger};
    for (int i = 0; i < 4; i++) {
        const struct ladder_next *next = ladder_peek(&fixture.ladder, 0, BOOK_LONG);
        assert_near(next->trigger_price, i == 0 ? 91.0 : 90.0, 1e-9);
        assert_int_equal(ladder_fire(&fixture.ladder, 0, BOOK_LONG).rest, order[i]);
    }
    assert_false(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->any);
    fixture_free(&fixture);
}

static void a_rest_that_waits_is_not_next_until_released(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    const struct book_given given = at_price(1, 90.0);
    brackets_flat(&fixture.brackets, 0.0, 1e9);
    fixture_make(&fixture, "linear_mark", &given, 1);
    const struct book_position *position = &fixture.book.positions[0];
    leave_rest(&fixture, position, position->kappa + 5.0, 1000);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 90.0, 1e-9);
    assert_int_equal(ladder_release(&fixture.ladder, 1000, &err), ERROR_NONE);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 95.0, 1e-9);
    ladder_expire(&fixture.ladder, BOOK_LONG, 1);
    assert_false(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->any);
    fixture_free(&fixture);
}

/* Each venue has a next position of its own. */
static void venues_that_are_markets_are_asked_one_by_one(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    struct book_given given[] = {at_price(1, 90.0), at_price(1, 95.0), at_price(1, 80.0)};
    given[1].venue = 1;
    brackets_flat(&fixture.brackets, 0.0, 1e9);
    fixture_make(&fixture, "linear_mark", given, 3);
    ladder_free(&fixture.ladder);
    assert_int_equal(ladder_init(&fixture.ladder, &fixture.book, true, false, &err), ERROR_NONE);
    ladder_open(&fixture.ladder, 0, 1.0);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 90.0, 1e-9);
    assert_near(ladder_peek(&fixture.ladder, 1, BOOK_LONG)->trigger_price, 95.0, 1e-9);
    ladder_fire(&fixture.ladder, 1, BOOK_LONG);
    assert_false(ladder_peek(&fixture.ladder, 1, BOOK_LONG)->any);
    ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    assert_near(ladder_peek(&fixture.ladder, 0, BOOK_LONG)->trigger_price, 80.0, 1e-9);
    fixture_free(&fixture);
}

/* ---- looking and failing ----------------------------------------------------------------- */

static void count_visit(void *context, const struct ladder_fired *position)
{
    int *count = context;
    (void)position;
    (*count)++;
}

static void a_visit_sees_each_position_left_once(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {with_leverage(1, 9.9, 10.0), with_leverage(1, 1.0, 4.0),
                                       with_leverage(-1, 1.0, 4.0)};
    int longs = 0, shorts = 0;
    two_tiers(&fixture.brackets);
    fixture_make(&fixture, "linear_mark", given, 3);
    ladder_visit(&fixture.ladder, BOOK_LONG, count_visit, &longs);
    ladder_visit(&fixture.ladder, BOOK_SHORT, count_visit, &shorts);
    assert_int_equal(longs, 2);
    assert_int_equal(shorts, 1);
    longs = 0;
    ladder_fire(&fixture.ladder, 0, BOOK_LONG);
    ladder_visit(&fixture.ladder, BOOK_LONG, count_visit, &longs);
    assert_int_equal(longs, 1);
    fixture_free(&fixture);
}

struct priced {
    const struct fixture *fixture;
    const struct margin_formula *formula;
    int seen;
};

/* Of positions at 10x. */
static void compare_price(void *context, const struct ladder_fired *position)
{
    struct priced *self = context;
    const struct ladder *ladder = &self->fixture->ladder;
    assert_near(
        ladder_liquidation_price(ladder, position),
        margin_liquidation_price(self->formula, &self->fixture->brackets, position->class->side,
                                 ladder_entry_price(ladder, position), position->size_usd, 10.0),
        1e-9);
    self->seen++;
}

static void unfunded_positions_stand_at_their_liquidation_price(void **state)
{
    const char *const formulas[] = {"linear_mark", "linear_entry", "inverse_entry", "inverse_mark"};
    for (int i = 0; i < 4; i++) {
        struct fixture fixture;
        struct book_given given[] = {with_leverage(1, 1.0, 10.0), with_leverage(-1, 1.0, 10.0)};
        brackets_flat(&fixture.brackets, 0.01, 1e9);
        fixture_make(&fixture, formulas[i], given, 2);
        struct priced priced = {&fixture, margin_find(formulas[i]), 0};
        ladder_visit(&fixture.ladder, BOOK_LONG, compare_price, &priced);
        ladder_visit(&fixture.ladder, BOOK_SHORT, compare_price, &priced);
        assert_int_equal(priced.seen, 2);
        fixture_free(&fixture);
    }
}

static void a_ladder_without_memory_is_no_ladder(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    struct book_given given = at_price(1, 90.0);
    long failures = 0;
    brackets_flat(&fixture.brackets, 0.0, 1e9);
    fixture_make(&fixture, "linear_mark", &given, 1);
    ladder_free(&fixture.ladder);
    for (long countdown = 1;; countdown++) {
        memory_fail_after(countdown);
        int code = ladder_init(&fixture.ladder, &fixture.book, false, false, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        failures++;
    }
    assert_true(failures >= 4);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longs_fire_from_the_highest_price_down_and_shorts_from_the_lowest_up),
        cmocka_unit_test(equal_triggers_fire_by_class),
        cmocka_unit_test(an_unopened_bar_has_nobody_to_fire),
        cmocka_unit_test(an_expired_bar_has_nobody_to_fire),
        cmocka_unit_test(funding_moves_every_trigger_and_reorders_nobody),
        cmocka_unit_test(funding_of_inverse_contracts_is_paid_in_coins),
        cmocka_unit_test(funding_carries_a_position_over_its_brackets_edge),
        cmocka_unit_test(a_twin_retires_the_other),
        cmocka_unit_test(of_equal_triggers_rests_are_last_and_the_eldest_first),
        cmocka_unit_test(a_rest_that_waits_is_not_next_until_released),
        cmocka_unit_test(venues_that_are_markets_are_asked_one_by_one),
        cmocka_unit_test(a_visit_sees_each_position_left_once),
        cmocka_unit_test(unfunded_positions_stand_at_their_liquidation_price),
        cmocka_unit_test(a_ladder_without_memory_is_no_ladder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
