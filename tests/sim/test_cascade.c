/* The cascade at a node: what fires, in which waves, and what could not have been reached. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

#define PRICE 100.0

/* A laboratory whose cascade is driven by hand. */
struct fixture {
    struct laboratory lab;
    struct replay replay;
    struct cascade *cascade;
    struct prices *prices;
};

static void open_replay(struct fixture *self, bool feedback)
{
    laboratory_replay(&self->lab, feedback, &self->replay);
    self->cascade = &self->replay.cascade;
    self->prices = &self->replay.prices;
}

static void longs(struct fixture *self, const struct laboratory_level *levels, size_t count,
                  double lambda, bool feedback)
{
    laboratory_make(&self->lab, PRICE, 0.0, levels, count, lambda, 1);
    open_replay(self, feedback);
}

static void fixture_free(struct fixture *self)
{
    replay_free(&self->replay);
    laboratory_free(&self->lab);
}

static size_t move_to(struct fixture *self, double fall_log)
{
    return laboratory_node(&self->replay, PRICE * exp(-fall_log), NAN);
}

/* Levels 1, 2 and 3 % down, each worth 1 % of impact: a fall of 1 % takes all three, in waves. */
static const struct laboratory_level staircase[] = {{0.0100, 10.0}, {0.0195, 10.0}, {0.0290, 10.0}};

static void each_forced_order_reaches_the_next_level(void **state)
{
    struct fixture fixture;
    longs(&fixture, staircase, 3, 0.001, true);
    assert_int_equal(move_to(&fixture, 0.0101), 3);
    assert_int_equal(fixture.cascade->generations, 3);
    for (int i = 0; i < 3; i++) {
        const struct cascade_shot *shot = &fixture.cascade->shots[i];
        assert_near(shot->trigger_price, PRICE * exp(-staircase[i].distance_log), 1e-9);
        assert_near(shot->coins, 10.0, 1e-12);
        assert_near(log(shot->last_before / shot->last_after), 0.01, 1e-12);
    }
    assert_near(fixture.prices->last, PRICE * exp(-0.0401), 1e-9);
    fixture_free(&fixture);
}

static void a_level_that_nothing_reaches_stays(void **state)
{
    struct fixture fixture;
    longs(&fixture, staircase, 3, 0.0009, true);
    /* 1.01 % + .9 % = 1.91 % is short of 1.95 %. */
    assert_int_equal(move_to(&fixture, 0.0101), 1);
    assert_near(fixture.prices->last, PRICE * exp(-0.0191), 1e-9);
    /* The market itself goes a little further: the rest follows. */
    assert_int_equal(move_to(&fixture, 0.0111), 2);
    fixture_free(&fixture);
}

static void without_feedback_the_price_is_the_paths(void **state)
{
    struct fixture fixture;
    longs(&fixture, staircase, 3, 0.001, false);
    assert_int_equal(move_to(&fixture, 0.0101), 1);
    assert_near(fixture.prices->last, PRICE * exp(-0.0101), 1e-12);
    assert_int_equal(fixture.cascade->generations, 1);
    /* And yet the impact is known. */
    assert_near(prices_impact_log(fixture.prices), -0.01, 1e-12);
    fixture_free(&fixture);
}

static void what_the_move_itself_reaches_is_one_wave(void **state)
{
    struct fixture fixture;
    longs(&fixture, staircase, 3, 1e-9, true);
    assert_int_equal(move_to(&fixture, 0.05), 3);
    assert_int_equal(fixture.cascade->generations, 1);
    fixture_free(&fixture);
}

/* Half of the impact reaches the mark price: 1.01 % + .5 % is short of the second level. */
static void triggers_look_at_the_mark_price_alone(void **state)
{
    struct fixture fixture;
    longs(&fixture, staircase, 3, 0.001, true);
    fixture.replay.prices_params.passthrough[0] = 0.5;
    fixture.replay.prices_params.reference_passthrough = 0.5;
    assert_int_equal(move_to(&fixture, 0.0101), 1);
    assert_near(fixture.prices->last, PRICE * exp(-0.0201), 1e-9);
    assert_near(fixture.prices->mark, PRICE * exp(-0.0151), 1e-9);
    fixture_free(&fixture);
}

static void a_thinner_book_falls_further(void **state)
{
    struct fixture fixture;
    longs(&fixture, staircase, 1, 0.001, true);
    fixture.prices->depth = 0.25;
    assert_int_equal(move_to(&fixture, 0.0101), 1);
    assert_near(fixture.prices->last, PRICE * exp(-0.0501), 1e-9);
    fixture_free(&fixture);
}

static struct book_given given_at(int side, double distance_log, double coins)
{
    return (struct book_given){.side = side,
                               .entry_price = PRICE,
                               .size_coins = coins,
                               .liquidation_price = PRICE * exp(-side * distance_log)};
}

/* A short squeeze: shorts are bought back, the price rises. */
static void forced_shorts_push_the_price_up(void **state)
{
    struct fixture fixture;
    const struct book_given given[] = {given_at(-1, 0.0100, 10.0), given_at(-1, 0.0195, 10.0),
                                       given_at(1, 0.0100, 10.0)};
    laboratory_make_given(&fixture.lab, PRICE, 0.0, given, 3, 0.001, 1);
    open_replay(&fixture, true);
    assert_int_equal(move_to(&fixture, -0.0101), 2);
    assert_int_equal(fixture.cascade->shots[0].side_index, BOOK_SHORT);
    assert_near(fixture.prices->last, PRICE * exp(0.0301), 1e-9);
    fixture_free(&fixture);
}

/* Fired together, two levels would move the price beyond both, and explain themselves; nobody fires
   the first of them. */
static void the_fixed_point_is_the_least(void **state)
{
    struct fixture fixture;
    const struct laboratory_level levels[] = {{0.0150, 10.0}, {0.0160, 10.0}};
    longs(&fixture, levels, 2, 0.001, true);
    assert_int_equal(move_to(&fixture, 0.0100), 0);
    fixture_free(&fixture);
}

/* ---- the clock ---------------------------------------------------------------------------- */

enum { GENERATION_MS = 1000 };

/* The staircase with impact that halves within a generation, of which the node leaves `room` of
   them. Returns the number of orders. */
static size_t ticking(struct fixture *self, int room, int64_t *out_spent_ms)
{
    struct error err = {0};
    laboratory_make(&self->lab, PRICE, 0.0, staircase, 3, 0.001, 1);
    self->lab.params.impact.permanent_share = 0.0;
    self->lab.params.impact.half_life_ms = GENERATION_MS;
    self->lab.params.generation_ms = GENERATION_MS;
    open_replay(self, true);
    double price = PRICE * exp(-0.0101);
    struct cascade_node node = {.exogenous_last = price,
                                .exogenous_mark = price,
                                .previous_last = NAN,
                                .room_ms = room * GENERATION_MS};
    assert_int_equal(cascade_walk(self->cascade, &node, out_spent_ms, &err), ERROR_NONE);
    return self->cascade->shot_count;
}

/* After the first order the price is 2.01 % down and the second level reached; a generation later
   half of the impact is gone, the price 1.51 % down, and the level safe. */
static void liquidity_that_refills_between_generations_ends_a_cascade(void **state)
{
    struct fixture fixture;
    int64_t spent_ms;
    assert_int_equal(ticking(&fixture, 10, &spent_ms), 1);
    assert_int_equal(spent_ms, GENERATION_MS);
    assert_near(fixture.prices->last, PRICE * exp(-0.0151), 1e-9);
    assert_int_equal(fixture.cascade->generations, 1);
    fixture_free(&fixture);
}

/* A node that leaves no time for a generation is walked at once, to the end. */
static void generations_without_room_take_no_time(void **state)
{
    struct fixture fixture;
    int64_t spent_ms;
    assert_int_equal(ticking(&fixture, 0, &spent_ms), 3);
    assert_int_equal(spent_ms, 0);
    assert_int_equal(fixture.cascade->generations, 3);
    fixture_free(&fixture);
}

/* ---- rests -------------------------------------------------------------------------------- */

/* A long of 10 coins with 10x and 1 % of maintenance margin, liquidated by fifths. */
static void by_fifths(struct fixture *self, int64_t pause_ms, int64_t cooldown_ms)
{
    const struct book_given given = {.side = 1,
                                     .entry_price = PRICE,
                                     .size_coins = 10.0,
                                     .leverage = 10.0,
                                     .liquidation_price = NAN};
    laboratory_make_given(&self->lab, PRICE, 0.01, &given, 1, 0.0, 1);
    self->lab.params.venue[0].rule = (struct liquidation_rule){.kind = LIQUIDATION_KIND_SHARE,
                                                               .share = 0.2,
                                                               .pause_ms = pause_ms,
                                                               .cooldown_ms = cooldown_ms};
    open_replay(self, true);
}

/* The coins ordered at a price and time; 0: none. */
static double ordered_at(struct fixture *self, double price, int64_t time_ms)
{
    struct error err = {0};
    int64_t spent_ms;
    struct cascade_node node = {
        .exogenous_last = price, .exogenous_mark = price, .previous_last = NAN, .time_ms = time_ms};
    assert_int_equal(cascade_walk(self->cascade, &node, &spent_ms, &err), ERROR_NONE);
    return self->cascade->shot_count > 0 ? self->cascade->shots[0].coins : 0.0;
}

/* Maintenance is 1 % and a fifth restores it: .9 a coin of equity at 90.9 are 1.125 of the rest. At
   90.6 the rest, which stands at 90.68, is due. */
static void a_paused_rest_waits_for_its_time_whatever_the_price(void **state)
{
    struct fixture fixture;
    by_fifths(&fixture, 30000, 0);
    assert_near(ordered_at(&fixture, 90.9, 0), 2.0, 1e-9);
    assert_near(ordered_at(&fixture, 90.6, 29999), 0.0, 1e-12);
    assert_near(ordered_at(&fixture, 90.6, 30000), 0.2 * 8.0, 1e-9);
    fixture_free(&fixture);
}

static void within_the_cooldown_the_whole_rest_goes(void **state)
{
    const int64_t times[] = {29999, 30000};
    for (int i = 0; i < 2; i++) {
        struct fixture fixture;
        by_fifths(&fixture, 0, 30000);
        assert_near(ordered_at(&fixture, 90.9, 0), 2.0, 1e-9);
        assert_near(ordered_at(&fixture, 90.6, times[i]), i == 0 ? 8.0 : 1.6, 1e-9);
        fixture_free(&fixture);
    }
}

/* ---- venues ------------------------------------------------------------------------------- */

/* Two venues of half the depth each, the staircase on the first, one level on the second at 2 %. */
static size_t two_venues(struct fixture *self, int64_t arbitrage_half_life_ms)
{
    struct book_given given[4];
    struct error err = {0};
    struct laboratory *lab = &self->lab;
    for (int i = 0; i < 3; i++)
        given[i] =
            (struct book_given){.side = 1,
                                .entry_price = PRICE,
                                .size_coins = 10.0,
                                .liquidation_price = PRICE * exp(-staircase[i].distance_log)};
    given[3] = given[1];
    given[3].venue = 1;
    laboratory_make_given(lab, PRICE, 0.0, given, 3, 0.0005, 1);
    book_free(&lab->book);
    struct book_venue venues[] = {lab->venue, lab->venue};
    assert_int_equal(book_from_given(&lab->book, given, 4, venues, 2, 0, 1, &err), ERROR_NONE);
    lab->params.split = true;
    lab->params.arbitrage_half_life_ms = arbitrage_half_life_ms;
    lab->params.depth_share[0] = lab->params.depth_share[1] = 0.5;
    lab->params.passthrough[0] = lab->params.passthrough[1] = 1.0;
    open_replay(self, true);
    return move_to(self, 0.0101);
}

/* 10 coins are 1 % on half the depth: with prices of their own the first venue loses its staircase
   and the second nothing. Shared at once they are .5 %: 1.51 % down, and nobody follows. */
static void a_cascade_stays_at_home_where_nobody_trades_between_venues(void **state)
{
    struct fixture fixture;
    assert_int_equal(two_venues(&fixture, CALENDAR_NONE), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fixture.cascade->shots[i].market, 0);
    assert_near(fixture.prices->market[0].last, PRICE * exp(-0.0401), 1e-9);
    assert_near(fixture.prices->market[1].last, PRICE * exp(-0.0101), 1e-9);
    assert_near(fixture.prices->last, PRICE * exp(-0.0251), 1e-9);
    fixture_free(&fixture);
    assert_int_equal(two_venues(&fixture, 0), 1);
    assert_near(fixture.prices->market[1].last, PRICE * exp(-0.0151), 1e-9);
    fixture_free(&fixture);
}

/* ---- reachability ------------------------------------------------------------------------- */

/* Observed -1.01 % holds the 1 % that firing level one cost: without it the price stood at -.01 %,
   and the level was out of reach. Levels of little impact are within reach. */
static void an_observed_price_inside_a_levels_own_jump_is_unreachable(void **state)
{
    for (int big = 0; big < 2; big++) {
        struct fixture fixture;
        struct prices_impact before = {0};
        longs(&fixture, staircase, 1, big ? 0.001 : 0.000001, false);
        assert_int_equal(move_to(&fixture, 0.0101), 1);
        assert_int_equal(cascade_unreachable(fixture.cascade, &before), big);
        fixture_free(&fixture);
    }
}

/* ---- the branching ratio ------------------------------------------------------------------ */

static double same_coins(size_t k, const void *context)
{
    (void)k;
    return *(const double *)context;
}

/* Density h and linear impact lambda: n = lambda h at any distance. */
static void the_branching_ratio_of_a_uniform_density_is_lambda_h(void **state)
{
    const double ratios[] = {0.05, 0.6, 1.4};
    for (int i = 0; i < 3; i++) {
        double cell = 1e-5, coins = 3.0;
        struct laboratory lab;
        struct laboratory_level *levels =
            laboratory_cells(4000, 0.0, cell, 0.5, same_coins, &coins);
        laboratory_make(&lab, PRICE, 0.0, levels, 4000, ratios[i] * cell / coins, 1);
        struct laboratory_outcome out = laboratory_run(&lab, 0.0, 0);
        print_message("lambda h = %.2f: branching ratio %.4f\n", ratios[i], out.branching_ratio);
        assert_near(out.branching_ratio / ratios[i], 1.0, 0.02);
        laboratory_free(&lab);
        free(levels);
    }
}

/* A gap of half the window: n = max over d of lambda h (d - gap) / d, at the far end 1/2. */
static void the_branching_ratio_sees_a_cluster_behind_a_gap(void **state)
{
    double cell = 1e-5, coins = 3.0;
    struct laboratory lab;
    struct laboratory_level *levels = laboratory_cells(4000, 0.005, cell, 0.5, same_coins, &coins);
    laboratory_make(&lab, PRICE, 0.0, levels, 4000, 2.0 * cell / coins, 1);
    struct laboratory_outcome out = laboratory_run(&lab, 0.0, 0);
    assert_near(out.branching_ratio, 2.0 * 0.5, 0.05);
    laboratory_free(&lab);
    free(levels);
}

static void a_cascade_without_memory_says_so(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    longs(&fixture, staircase, 3, 0.001, true);
    struct cascade_node node = {.exogenous_last = 90.0, .exogenous_mark = 90.0};
    int64_t spent_ms;
    memory_fail_after(1);
    int code = cascade_walk(fixture.cascade, &node, &spent_ms, &err);
    memory_fail_after(0);
    assert_int_equal(code, ERROR_IO);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_forced_order_reaches_the_next_level),
        cmocka_unit_test(a_level_that_nothing_reaches_stays),
        cmocka_unit_test(without_feedback_the_price_is_the_paths),
        cmocka_unit_test(what_the_move_itself_reaches_is_one_wave),
        cmocka_unit_test(triggers_look_at_the_mark_price_alone),
        cmocka_unit_test(a_thinner_book_falls_further),
        cmocka_unit_test(forced_shorts_push_the_price_up),
        cmocka_unit_test(the_fixed_point_is_the_least),
        cmocka_unit_test(liquidity_that_refills_between_generations_ends_a_cascade),
        cmocka_unit_test(generations_without_room_take_no_time),
        cmocka_unit_test(a_paused_rest_waits_for_its_time_whatever_the_price),
        cmocka_unit_test(within_the_cooldown_the_whole_rest_goes),
        cmocka_unit_test(a_cascade_stays_at_home_where_nobody_trades_between_venues),
        cmocka_unit_test(an_observed_price_inside_a_levels_own_jump_is_unreachable),
        cmocka_unit_test(the_branching_ratio_of_a_uniform_density_is_lambda_h),
        cmocka_unit_test(the_branching_ratio_sees_a_cluster_behind_a_gap),
        cmocka_unit_test(a_cascade_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
