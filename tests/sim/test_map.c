/* The liquidation map: bins, sums and distances against positions whose prices are known by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/map.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

/* Entered at 100 without maintenance margin: liquidated at 100 (1 - side / leverage). */
static struct book_given levered(int side, double coins, double leverage)
{
    return (struct book_given){.side = side,
                               .entry_price = 100.0,
                               .size_coins = coins,
                               .leverage = leverage,
                               .liquidation_price = NAN};
}

/* Longs liquidated at 97.5, 96, 93.75 and 87.5, shorts at 106.25 and 125. */
static const double long_coins[] = {4.0, 3.0, 2.0, 1.0};

struct fixture {
    struct laboratory laboratory;
    struct replay replay;
    struct map_grid grid;
    struct map map;
};

static void fixture_make(struct fixture *self, double scale, double range_log)
{
    struct error err = {0};
    const struct book_given given[] = {
        levered(1, scale * long_coins[0], 40.0), levered(-1, scale * 5.0, 16.0),
        levered(1, scale * long_coins[1], 25.0), levered(1, scale * long_coins[2], 16.0),
        levered(-1, scale * 2.0, 4.0),           levered(1, scale * long_coins[3], 8.0)};
    laboratory_make_given(&self->laboratory, 100.0, 0.0, given, 6, 1e-6, 2);
    laboratory_replay(&self->laboratory, false, &self->replay);
    assert_int_equal(map_grid_make(&self->grid, 100.0, 0.01, 100.0, 100.0, range_log, &err),
                     ERROR_NONE);
    assert_int_equal(map_init(&self->map, &self->grid, true, &err), ERROR_NONE);
    map_take(&self->map, &self->replay, 100.0);
}

static void fixture_free(struct fixture *self)
{
    map_free(&self->map);
    replay_free(&self->replay);
    laboratory_free(&self->laboratory);
}

/* ---- bins --------------------------------------------------------------------------------- */

static void bins_are_equally_wide_in_log_price_and_cover_the_range(void **state)
{
    struct map_grid grid;
    struct error err = {0};
    assert_int_equal(map_grid_make(&grid, 100.0, 0.01, 80.0, 100.0, 0.1, &err), ERROR_NONE);
    /* ln .8 = -.22314: from -.32314, in bin -33, up to .1. */
    assert_int_equal(grid.first, -33);
    assert_int_equal(grid.count, 43);
    assert_int_equal(map_grid_place(&grid, 100.5), 34);
    assert_int_equal(map_grid_place(&grid, 99.5), 33);
    assert_int_equal(map_grid_place(&grid, 100.0 * exp(-0.325)), 1);
    assert_int_equal(map_grid_place(&grid, 100.0 * exp(0.095)), 43);
    assert_int_equal(map_grid_place(&grid, 100.0 * exp(-0.335)), 0);
    assert_int_equal(map_grid_place(&grid, 100.0 * exp(0.105)), 44);
    assert_int_equal(map_grid_place(&grid, 0.0), 0);
    assert_int_equal(map_grid_place(&grid, INFINITY), 44);
    assert_near(map_grid_low(&grid, 34), 100.0, 1e-9);
    assert_near(map_grid_high(&grid, 34), 100.0 * exp(0.01), 1e-9);
    assert_near(map_grid_price(&grid, 34), 100.0 * exp(0.005), 1e-9);
    assert_near(map_grid_low(&grid, 0), 0.0, 0.0);
    assert_true(isinf(map_grid_high(&grid, 44)));
}

static void more_bins_than_there_may_be_are_refused(void **state)
{
    struct map_grid grid;
    struct error err = {0};
    assert_int_equal(map_grid_make(&grid, 100.0, 1e-9, 100.0, 100.0, 0.1, &err), ERROR_SCENARIO);
}

/* The edges that names of tiers stand for. */
static void names_of_tiers_are_their_edges(void **state)
{
    for (int tier = 0; tier < TIERS; tier++) {
        char name[32];
        if (tier + 1 < TIERS)
            snprintf(name, sizeof name, "%g-%g", tier_edges[tier], tier_edges[tier + 1]);
        else
            snprintf(name, sizeof name, "%g+", tier_edges[tier]);
        assert_string_equal(map_tier_names[tier], name);
    }
}

/* ---- a map by hand ------------------------------------------------------------------------ */

static void expect_row(const struct map_row *row, const char *side, const char *tier, double low,
                       double high, double coins, double usd, double cumulative_usd)
{
    assert_string_equal(row->side, side);
    assert_string_equal(row->tier, tier);
    assert_near(row->price_lo, low, 1e-9);
    if (isnan(high))
        assert_true(isnan(row->price_hi));
    else
        assert_near(row->price_hi, high, 1e-9);
    assert_near(row->coins, coins, 1e-9);
    assert_near(row->usd, usd, 1e-7);
    assert_near(row->cumulative_usd, cumulative_usd, 1e-7);
}

/* ln of .975, .96, .9375: -.0253, -.0408, -.0645; .875 and 1.25 lie beyond; ln 1.0625 = .0606. */
static void given_positions_lie_where_they_are_liquidated(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    struct map_row *rows;
    size_t count;
    fixture_make(&fixture, 1.0, 0.1);
    assert_int_equal(map_rows(&fixture.map, &rows, &count, &err), ERROR_NONE);
    assert_int_equal(count, 6);
    double e[24];
    for (int i = 0; i < 24; i++)
        e[i] = 100.0 * exp(0.005 * (i - 20)); /* e[20]: 100; every second one an edge */
    double a = 4.0 * e[15], b = 3.0 * e[11], c = 2.0 * e[7], d = e[0];
    expect_row(&rows[0], "long", "20-50", e[14], e[16], 4.0, a, a);
    expect_row(&rows[1], "long", "20-50", e[10], e[12], 3.0, b, a + b);
    expect_row(&rows[2], "long", "10-20", e[6], e[8], 2.0, c, a + b + c);
    expect_row(&rows[3], "long", "5-10", 0.0, e[0], 1.0, d, a + b + c + d);
    double middle = 100.0 * exp(0.065), far = 100.0 * exp(0.1);
    expect_row(&rows[4], "short", "10-20", 100.0 * exp(0.06), 100.0 * exp(0.07), 5.0, 5.0 * middle,
               5.0 * middle);
    expect_row(&rows[5], "short", "3-5", far, NAN, 2.0, 2.0 * far, 5.0 * middle + 2.0 * far);
    memory_free(rows);
    fixture_free(&fixture);
}

/* Longs hold 10 coins; shorts 7, and 3 outside the book. */
static void bins_and_what_is_held_outside_are_the_open_interest(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1.0, 0.1);
    for (int side = 0; side < 2; side++) {
        double sum = fixture.map.outside[side];
        for (size_t place = 0; place < (size_t)fixture.grid.count + 2; place++)
            sum += map_side_coins(&fixture.map, side, place);
        assert_near(sum, 10.0, 1e-9);
        assert_near(fixture.map.oi[side], 10.0, 1e-9);
    }
    assert_near(fixture.map.outside[BOOK_LONG], 0.0, 1e-12);
    assert_near(fixture.map.outside[BOOK_SHORT], 3.0, 1e-9);
    fixture_free(&fixture);
}

/* 97.5, 96 and 93.75 lie within 2.5, 4 and 6.25 % of 100; 106.25 within 6.25 %. */
static void what_lies_within_a_distance_counts_whole(void **state)
{
    struct fixture fixture;
    const double longs[] = {0.0, 0.0, 7.0, 9.0}, shorts[] = {0.0, 0.0, 0.0, 5.0};
    fixture_make(&fixture, 1.0, 0.1);
    for (int i = 0; i < MAP_DISTANCES; i++) {
        assert_near(fixture.map.within[BOOK_LONG][i], longs[i], 1e-9);
        assert_near(fixture.map.within[BOOK_SHORT][i], shorts[i], 1e-9);
    }
    /* Seen from 97, 97.5 lies .52 % away, 96 1.03 %, 93.75 3.4 % and 87.5 9.8 %. */
    const double moved[] = {4.0, 7.0, 9.0, 10.0};
    map_take(&fixture.map, &fixture.replay, 97.0);
    for (int i = 0; i < MAP_DISTANCES; i++)
        assert_near(fixture.map.within[BOOK_LONG][i], moved[i], 1e-9);
    fixture_free(&fixture);
}

/* Positions gone after a fall to 95: those at 97.5 and 96, and no other. */
static void two_maps_differ_by_what_fired_between_them(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1.0, 0.2);
    struct map later;
    struct error err = {0};
    assert_int_equal(laboratory_node(&fixture.replay, 95.0, 100.0), 2);
    assert_int_equal(map_init(&later, &fixture.grid, true, &err), ERROR_NONE);
    map_take(&later, &fixture.replay, 95.0);
    double gone = 0.0;
    for (size_t place = 0; place < (size_t)fixture.grid.count + 2; place++) {
        double before = map_side_coins(&fixture.map, BOOK_LONG, place);
        double after = map_side_coins(&later, BOOK_LONG, place);
        bool fired = map_grid_high(&fixture.grid, place) > 95.0;
        assert_near(after, fired ? 0.0 : before, 1e-9);
        gone += before - after;
    }
    assert_near(gone, 7.0, 1e-9);
    map_free(&later);
    fixture_free(&fixture);
}

/* Without maintenance margin a long of 2 coins at 100 behind a wallet of 10 is liquidated at 95,
   and so is a hedge of 2 long and 1 short behind 5: its net coin has lost 5 there. Both its legs
   go. */
static void legs_of_accounts_lie_where_the_account_is_liquidated(void **state)
{
    struct laboratory laboratory;
    struct replay replay;
    struct map_grid grid;
    struct map map;
    struct error err = {0};
    const struct book_given given = levered(-1, 3.0, 16.0);
    const struct book_account accounts[] = {
        {.coins = {2.0, 0.0}, .entry_price = {100.0, 0.0}, .wallet_usd = 10.0},
        {.coins = {2.0, 1.0}, .entry_price = {100.0, 100.0}, .wallet_usd = 5.0}};
    laboratory_make_given(&laboratory, 100.0, 0.0, &given, 1, 1e-6, 2);
    assert_int_equal(book_add_accounts(&laboratory.book, accounts, 2, 0, &err), ERROR_NONE);
    laboratory_replay(&laboratory, false, &replay);
    assert_int_equal(map_grid_make(&grid, 100.0, 0.01, 100.0, 100.0, 0.1, &err), ERROR_NONE);
    assert_int_equal(map_init(&map, &grid, true, &err), ERROR_NONE);
    map_take(&map, &replay, 100.0);
    assert_near(map_side_coins(&map, BOOK_LONG, map_grid_place(&grid, 95.0)), 4.0, 1e-9);
    assert_near(map_side_coins(&map, BOOK_SHORT, map_grid_place(&grid, 95.0)), 1.0, 1e-9);
    assert_near(map_side_coins(&map, BOOK_SHORT, map_grid_place(&grid, 106.25)), 3.0, 1e-9);
    assert_near(map.oi[BOOK_LONG], 4.0, 1e-9);
    assert_near(map.within[BOOK_LONG][3], 4.0, 1e-9);
    assert_near(map.within[BOOK_SHORT][3], 4.0, 1e-9);
    map_free(&map);
    replay_free(&replay);
    laboratory_free(&laboratory);
}

/* Of the range .1 a range of .03 leaves the bin of 97.5, and the others beyond it. */
static void a_narrower_map_holds_as_much(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture, 1.0, 0.1);
    map_narrow(&fixture.map, 0.03);
    assert_int_equal(fixture.map.grid.count, 6);
    const double longs[] = {6.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
    for (size_t place = 0; place < 8; place++) {
        assert_near(map_side_coins(&fixture.map, BOOK_LONG, place), longs[place], 1e-9);
        assert_near(map_side_coins(&fixture.map, BOOK_SHORT, place), place == 7 ? 7.0 : 0.0, 1e-9);
    }
    assert_near(map_coins(&fixture.map, BOOK_LONG, tier_of(16.0), 0), 2.0, 1e-9);
    assert_near(map_grid_low(&fixture.map.grid, 1), 100.0 * exp(-0.03), 1e-9);
    fixture_free(&fixture);
}

/* ---- sums of maps ------------------------------------------------------------------------- */

static void more_of_the_same_is_as_much_more_everywhere(void **state)
{
    struct fixture one, three;
    fixture_make(&one, 1.0, 0.1);
    fixture_make(&three, 3.0, 0.1);
    for (int side = 0; side < 2; side++)
        for (int tier = 0; tier < TIERS; tier++)
            for (size_t place = 0; place < (size_t)one.grid.count + 2; place++)
                assert_near(map_coins(&three.map, side, tier, place),
                            3.0 * map_coins(&one.map, side, tier, place), 1e-9);
    fixture_free(&one);
    fixture_free(&three);
}

/* The mean of a book and of one three times as large is one twice as large. */
static void means_are_of_coins(void **state)
{
    struct fixture one, three;
    struct map mean;
    struct error err = {0};
    fixture_make(&one, 1.0, 0.1);
    fixture_make(&three, 3.0, 0.1);
    assert_int_equal(map_init(&mean, &one.grid, true, &err), ERROR_NONE);
    map_add(&mean, &one.map, 0.5);
    map_add(&mean, &three.map, 0.5);
    assert_near(mean.mark, 100.0, 1e-9);
    for (int side = 0; side < 2; side++) {
        assert_near(mean.oi[side], 20.0, 1e-9);
        for (size_t place = 0; place < (size_t)one.grid.count + 2; place++)
            assert_near(map_side_coins(&mean, side, place),
                        2.0 * map_side_coins(&one.map, side, place), 1e-9);
    }
    assert_near(mean.within[BOOK_LONG][3], 18.0, 1e-9);
    assert_near(mean.outside[BOOK_SHORT], 6.0, 1e-9);
    map_free(&mean);
    fixture_free(&one);
    fixture_free(&three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_equally_wide_in_log_price_and_cover_the_range),
        cmocka_unit_test(more_bins_than_there_may_be_are_refused),
        cmocka_unit_test(names_of_tiers_are_their_edges),
        cmocka_unit_test(given_positions_lie_where_they_are_liquidated),
        cmocka_unit_test(bins_and_what_is_held_outside_are_the_open_interest),
        cmocka_unit_test(what_lies_within_a_distance_counts_whole),
        cmocka_unit_test(two_maps_differ_by_what_fired_between_them),
        cmocka_unit_test(legs_of_accounts_lie_where_the_account_is_liquidated),
        cmocka_unit_test(a_narrower_map_holds_as_much),
        cmocka_unit_test(more_of_the_same_is_as_much_more_everywhere),
        cmocka_unit_test(means_are_of_coins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
