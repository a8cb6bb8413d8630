/* The ledger: opens, closes, forced closes, replacement, topping up; long OI = short OI; closing by
   hazard and disposition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "sim/ledger.h"
#include "tests/support/near.h"

enum { LONG_SIDE = 0, SHORT_SIDE = 1 };

/* ---- flows ------------------------------------------------------------------------------- */

/* Takes `coins` with their entry price, leverage and funding at opening off a side. */
static void take_coins(struct ledger *self, int side_index, size_t bar, double coins,
                       double entry_price, double leverage, double funding_at_open)
{
    struct ledger_sums sums = {coins, coins * entry_price, coins * entry_price / leverage,
                               coins * funding_at_open};
    ledger_take(self, side_index, bar, tier_of(leverage), &sums);
}

static double after(const struct ledger_step *step, const struct ledger_flows *flows, int side)
{
    return step->oi - step->forced[side] + flows->opens[side] - flows->closes[side];
}

static void a_forced_long_absorbed_by_closing_shorts_lowers_oi_on_both_sides(void **state)
{
    struct ledger_step step = {.oi = 100.0, .forced = {10.0, 0.0}, .absorbed_by_closers = 1.0};
    struct ledger_flows flows = ledger_flows(&step);
    assert_near(flows.closes[SHORT_SIDE], 10.0, 1e-12);
    assert_near(flows.closes[LONG_SIDE], 0.0, 1e-12);
    assert_near(flows.opens[LONG_SIDE] + flows.opens[SHORT_SIDE], 0.0, 1e-12);
    assert_near(after(&step, &flows, LONG_SIDE), 90.0, 1e-12);
    assert_near(after(&step, &flows, SHORT_SIDE), 90.0, 1e-12);
}

static void a_forced_long_absorbed_by_new_longs_changes_hands(void **state)
{
    struct ledger_step step = {.oi = 100.0, .forced = {10.0, 0.0}, .absorbed_by_closers = 0.0};
    struct ledger_flows flows = ledger_flows(&step);
    assert_near(flows.opens[LONG_SIDE], 10.0, 1e-12);
    assert_near(flows.opens[SHORT_SIDE], 0.0, 1e-12);
    assert_near(flows.closes[SHORT_SIDE], 0.0, 1e-12);
    assert_near(after(&step, &flows, LONG_SIDE), 100.0, 1e-12);
    assert_near(after(&step, &flows, SHORT_SIDE), 100.0, 1e-12);
}

/* OI fell by 12 while 10 longs and 4 shorts were forced out: 2 and 8 left by choice. */
static void an_observed_fall_is_forced_closes_and_the_rest_by_choice(void **state)
{
    struct ledger_step step = {
        .oi = 100.0, .forced = {10.0, 4.0}, .observed = true, .oi_change = -12.0};
    struct ledger_flows flows = ledger_flows(&step);
    assert_near(flows.opens[LONG_SIDE], 0.0, 1e-12);
    assert_near(flows.closes[LONG_SIDE], 2.0, 1e-12);
    assert_near(flows.closes[SHORT_SIDE], 8.0, 1e-12);
    assert_near(flows.replacement, 0.0, 1e-12);
}

/* OI stood still while 10 longs were forced out: as many must have opened, nothing explains it. */
static void forced_closes_that_the_observed_oi_denies_are_replaced(void **state)
{
    struct ledger_step step = {.oi = 100.0, .forced = {10.0, 0.0}, .observed = true};
    struct ledger_flows flows = ledger_flows(&step);
    assert_near(flows.opens[LONG_SIDE], 10.0, 1e-12);
    assert_near(flows.closes[SHORT_SIDE], 10.0, 1e-12);
    assert_near(flows.replacement, 10.0, 1e-12);
}

/* A turnover of 4 % of 100, and a fall of 3, hold 7 of the 10 forced closes. */
static void turnover_and_the_fall_of_oi_make_room_for_forced_closes(void **state)
{
    struct ledger_step step = {
        .oi = 100.0, .forced = {10.0, 0.0}, .observed = true, .oi_change = -3.0, .turnover = 0.04};
    struct ledger_flows flows = ledger_flows(&step);
    assert_near(flows.replacement, 3.0, 1e-12);
    /* opens = max(-3 + 10, 0) + 4 on both sides; closes = opens + 3 - forced. */
    assert_near(flows.opens[LONG_SIDE], 11.0, 1e-12);
    assert_near(flows.opens[SHORT_SIDE], 11.0, 1e-12);
    assert_near(flows.closes[LONG_SIDE], 4.0, 1e-12);
    assert_near(flows.closes[SHORT_SIDE], 14.0, 1e-12);
}

static void a_rise_of_oi_opens_it_on_both_sides(void **state)
{
    struct ledger_step step = {.oi = 100.0, .observed = true, .oi_change = 25.0, .turnover = 0.05};
    struct ledger_flows flows = ledger_flows(&step);
    for (int side = 0; side < 2; side++) {
        assert_near(flows.opens[side], 30.0, 1e-12);
        assert_near(flows.closes[side], 5.0, 1e-12);
    }
}

/* A tenth of 100 tops up: beside the 4 of turnover, 10 more close and open on both sides. */
static void who_tops_up_closes_and_opens_at_once(void **state)
{
    struct ledger_step step = {.oi = 100.0,
                               .forced = {6.0, 0.0},
                               .observed = true,
                               .oi_change = -6.0,
                               .turnover = 0.04,
                               .remargin = 0.1};
    struct ledger_flows flows = ledger_flows(&step);
    assert_near(flows.remargined, 10.0, 1e-12);
    assert_near(flows.opens[LONG_SIDE], 14.0, 1e-12);
    assert_near(flows.closes[LONG_SIDE], 14.0, 1e-12);
    assert_near(flows.opens[SHORT_SIDE], 14.0, 1e-12);
    assert_near(flows.closes[SHORT_SIDE], 20.0, 1e-12);
    assert_near(flows.replacement, 0.0, 1e-12);
}

/* 70 of 100 longs are forced out and 25 turn over: 5 are left to top up, though half would. */
static void nobody_tops_up_what_is_gone(void **state)
{
    struct ledger_step step = {
        .oi = 100.0, .forced = {70.0, 70.0}, .observed = true, .turnover = 0.25, .remargin = 0.5};
    struct ledger_flows flows = ledger_flows(&step);
    assert_near(flows.remargined, 5.0, 1e-12);
    for (int side = 0; side < 2; side++) {
        assert_near(flows.closes[side], 30.0, 1e-12);
        assert_near(after(&step, &flows, side), 100.0, 1e-12);
    }
}

/* Whatever happens: sides end alike, nothing is negative, nobody closes what he does not have. */
static void flows_keep_the_sides_equal_and_are_never_negative(void **state)
{
    struct random_stream stream = random_stream_make(5, 0, "flows");
    double worst = 0.0;
    for (uint32_t i = 0; i < 200000; i++) {
        struct random_block a = random_block_at(&stream, 0, i), b = random_block_at(&stream, 1, i);
        struct ledger_step step = {
            .oi = 1000.0 * random_uniform(a.word[0]),
            .observed = a.word[1] % 2 == 0,
            .oi_change = 3000.0 * (random_uniform(a.word[2]) - 0.5),
            .turnover = random_uniform(a.word[3]) * (b.word[3] % 3) / 2.0,
            .remargin = i % 2 == 0 ? 0.0 : random_uniform(b.word[0]),
            .absorbed_by_closers = random_uniform(b.word[0]),
        };
        step.forced[0] = b.word[3] % 5 == 0 ? step.oi : step.oi * random_uniform(b.word[1]);
        step.forced[1] = b.word[3] % 7 == 0 ? 0.0 : step.oi * random_uniform(b.word[2]);
        struct ledger_flows flows = ledger_flows(&step);
        for (int side = 0; side < 2; side++) {
            assert_true(flows.opens[side] >= 0.0 && flows.closes[side] >= 0.0);
            assert_true(flows.closes[side] <= step.oi - step.forced[side]);
            assert_true(after(&step, &flows, side) >= -1e-9);
        }
        assert_true(flows.replacement >= 0.0 && flows.remargined >= 0.0);
        assert_true(flows.remargined <= step.remargin * step.oi);
        if (step.observed)
            assert_near(after(&step, &flows, 0), fmax(step.oi + step.oi_change, 0.0), 1e-9);
        worst = fmax(worst, fabs(after(&step, &flows, 0) - after(&step, &flows, 1)));
    }
    print_message("200,000 random steps: long less short at most %.2g of 1,000 coins\n", worst);
    assert_true(worst < 1e-9);
}

/* ---- coins and money --------------------------------------------------------------------- */

static void make_disposed(struct ledger *ledger, size_t bars, double exponent, double ratio)
{
    struct error err = {0};
    struct ledger_params params = {exponent, ratio};
    assert_int_equal(ledger_init(ledger, bars, &params, &err), ERROR_NONE);
}

static void make(struct ledger *ledger, size_t bars, double exponent)
{
    make_disposed(ledger, bars, exponent, 1.0);
}

/* All of a bar in one tier, at entry = the opening price and one leverage. */
static struct ledger_opening one_tier(double leverage)
{
    struct ledger_opening opening = {0};
    int tier = tier_of(leverage);
    opening.share[tier] = opening.entry[tier] = 1.0;
    opening.margin[tier] = 1.0 / leverage;
    return opening;
}

/* 3 coins at 100 with 10x and 2 held coins at 90, price 120: 30 + 60 + 180 + 60. */
static void equity_is_margin_plus_gain_less_funding(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(10.0);
    make(&ledger, 4, 0.0);
    assert_near(ledger_open(&ledger, LONG_SIDE, 0, 3.0, 100.0, 5.0, &opening), 30.0, 1e-12);
    ledger_hold(&ledger, LONG_SIDE, 2.0, 90.0, 5.0);
    assert_near(ledger_total(&ledger, LONG_SIDE), 5.0, 1e-12);
    assert_near(ledger_equity(&ledger, LONG_SIDE, 120.0, 5.0), 330.0, 1e-9);
    /* 1 a coin of funding since. */
    assert_near(ledger_equity(&ledger, LONG_SIDE, 120.0, 6.0), 325.0, 1e-9);
    ledger_free(&ledger);
}

static void a_short_gains_what_a_long_loses(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(10.0);
    make(&ledger, 4, 0.0);
    for (int side = 0; side < 2; side++)
        ledger_open(&ledger, side, 0, 3.0, 100.0, 0.0, &opening);
    double both = ledger_equity(&ledger, LONG_SIDE, 100.0, 0.0) +
                  ledger_equity(&ledger, SHORT_SIDE, 100.0, 0.0);
    assert_near(both, 60.0, 1e-12);
    assert_near(ledger_equity(&ledger, LONG_SIDE, 137.0, -2.0) +
                    ledger_equity(&ledger, SHORT_SIDE, 137.0, -2.0),
                60.0, 1e-9);
    ledger_free(&ledger);
}

static void a_removed_position_takes_its_margin_and_gain(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(20.0);
    make(&ledger, 4, 0.0);
    ledger_open(&ledger, SHORT_SIDE, 1, 8.0, 50.0, 1.0, &opening);
    double before = ledger_equity(&ledger, SHORT_SIDE, 45.0, 3.0);
    take_coins(&ledger, SHORT_SIDE, 1, 2.0, 50.0, 20.0, 1.0);
    /* A quarter: margin 5, gain 10, funding received 4. */
    assert_near(before - ledger_equity(&ledger, SHORT_SIDE, 45.0, 3.0), 19.0, 1e-9);
    assert_near(ledger_total(&ledger, SHORT_SIDE), 6.0, 1e-12);
    ledger_free(&ledger);
}

/* ---- thinning ---------------------------------------------------------------------------- */

static void without_a_hazard_exponent_every_position_keeps_the_same_part(void **state)
{
    struct ledger ledger;
    struct ledger_opening slow = one_tier(1.5), fast = one_tier(120.0);
    make(&ledger, 4, 0.0);
    ledger_open(&ledger, LONG_SIDE, 0, 60.0, 100.0, 0.0, &slow);
    ledger_open(&ledger, LONG_SIDE, 1, 40.0, 100.0, 0.0, &fast);
    ledger_thin(&ledger, LONG_SIDE, 25.0, 100.0);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 0, tier_of(1.5), 1.0), 15.0, 1e-9);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 1, tier_of(120.0), 1.0), 10.0, 1e-9);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 1, tier_of(120.0), 0.3), 3.0, 1e-9);
    ledger_free(&ledger);
}

/* Hazard ~ sqrt(L): tiers 5-10x and 20-50x have middles sqrt(50) and sqrt(1000). */
static void higher_leverage_closes_sooner_by_its_hazard(void **state)
{
    struct ledger ledger;
    struct ledger_opening slow = one_tier(7.0), fast = one_tier(30.0);
    make(&ledger, 4, 0.5);
    ledger_open(&ledger, LONG_SIDE, 0, 50.0, 100.0, 0.0, &slow);
    ledger_open(&ledger, LONG_SIDE, 1, 50.0, 100.0, 0.0, &fast);
    ledger_thin(&ledger, LONG_SIDE, 70.0, 100.0);
    double left_slow = ledger_coins(&ledger, LONG_SIDE, 0, tier_of(7.0), 1.0);
    double left_fast = ledger_coins(&ledger, LONG_SIDE, 1, tier_of(30.0), 1.0);
    assert_near(left_slow + left_fast, 70.0, 1e-9);
    assert_near(ledger_total(&ledger, LONG_SIDE), 70.0, 1e-9);
    assert_near(log(left_fast / 50.0) / log(left_slow / 50.0), pow(1000.0 / 50.0, 0.25), 1e-9);
    ledger_free(&ledger);
}

static void thinning_takes_equity_in_proportion(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    make(&ledger, 4, 0.5);
    ledger_open(&ledger, LONG_SIDE, 0, 50.0, 100.0, 2.0, &opening);
    double before = ledger_equity(&ledger, LONG_SIDE, 110.0, 3.0);
    ledger_thin(&ledger, LONG_SIDE, 20.0, 100.0);
    assert_near(ledger_equity(&ledger, LONG_SIDE, 110.0, 3.0), 0.4 * before, 1e-9);
    ledger_free(&ledger);
}

static void who_opens_after_everybody_left_is_whole(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    make(&ledger, 4, 0.5);
    ledger_open(&ledger, LONG_SIDE, 0, 50.0, 100.0, 0.0, &opening);
    ledger_thin(&ledger, LONG_SIDE, 0.0, 100.0);
    assert_true(ledger_total(&ledger, LONG_SIDE) == 0.0);
    assert_int_equal(ledger.side[LONG_SIDE].first_bar, 1);
    ledger_open(&ledger, LONG_SIDE, 1, 8.0, 100.0, 0.0, &opening);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 1, tier_of(7.0), 1.0), 8.0, 1e-12);
    assert_true(ledger_coins(&ledger, LONG_SIDE, 0, tier_of(7.0), 1.0) < 1e-13);
    ledger_free(&ledger);
}

/* A pool with 30 of 100 coins has 30 % of them still when 40 are left, whatever the tiers do. */
static void who_is_outside_the_book_keeps_his_share(void **state)
{
    struct ledger ledger;
    struct ledger_opening slow = one_tier(7.0), fast = one_tier(30.0);
    make(&ledger, 4, 0.5);
    ledger_open(&ledger, SHORT_SIDE, 0, 50.0, 100.0, 0.0, &slow);
    ledger_open(&ledger, SHORT_SIDE, 1, 20.0, 100.0, 0.0, &fast);
    ledger_hold(&ledger, SHORT_SIDE, 30.0, 90.0, 2.0);
    ledger_thin(&ledger, SHORT_SIDE, 40.0, 100.0);
    const struct ledger_sums *held = &ledger.side[SHORT_SIDE].held;
    assert_near(held->coins, 12.0, 1e-12);
    assert_near(held->entry_value, 12.0 * 90.0, 1e-9);
    assert_near(held->margin, 12.0 * 90.0, 1e-9);
    assert_near(held->funding_value, 24.0, 1e-12);
    assert_near(ledger_total(&ledger, SHORT_SIDE), 40.0, 1e-9);
    double left_slow = ledger_coins(&ledger, SHORT_SIDE, 0, tier_of(7.0), 1.0);
    double left_fast = ledger_coins(&ledger, SHORT_SIDE, 1, tier_of(30.0), 1.0);
    assert_near(left_slow + left_fast, 28.0, 1e-9);
    assert_near(log(left_fast / 20.0) / log(left_slow / 50.0), pow(1000.0 / 50.0, 0.25), 1e-9);
    ledger_free(&ledger);
}

static void a_side_that_only_others_hold_thins_like_any(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    make(&ledger, 4, 0.5);
    ledger_open(&ledger, LONG_SIDE, 0, 0.1, 100.0, 0.0, &opening);
    ledger_hold(&ledger, LONG_SIDE, 30.0, 90.0, 2.0);
    /* What taking 0.1 in three parts leaves of 0.1 is rounding. */
    for (int i = 0; i < 3; i++)
        take_coins(&ledger, LONG_SIDE, 0, 0.1 / 3.0, 100.0, 7.0, 0.0);
    for (int i = 0; i < 50; i++)
        ledger_thin(&ledger, LONG_SIDE, 0.9 * ledger_total(&ledger, LONG_SIDE), 100.0);
    assert_near(ledger_total(&ledger, LONG_SIDE) / (30.0 * pow(0.9, 50)), 1.0, 1e-12);
    assert_true(isfinite(ledger.side[LONG_SIDE].hazard));
    assert_near(ledger_coins(&ledger, LONG_SIDE, 0, tier_of(7.0), 1e-9), 0.0, 1e-9);
    ledger_free(&ledger);
}

/* A tenth closes and reopens each bar: after two million bars a position is exactly what it opened
   with a hazard that never under- or overflows, old bars are gone, and the sums still add up. */
static void two_million_bars_of_turnover_lose_nothing(void **state)
{
    enum { BARS = 2000000 };
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    double turnover = 0.1;
    make(&ledger, BARS, 0.5);
    ledger_open(&ledger, LONG_SIDE, 0, 100.0, 100.0, 0.0, &opening);
    for (size_t bar = 1; bar < BARS; bar++) {
        ledger_thin(&ledger, LONG_SIDE, 90.0, 100.0);
        ledger_open(&ledger, LONG_SIDE, bar, 10.0, 100.0, 0.0, &opening);
    }
    assert_near(ledger_total(&ledger, LONG_SIDE), 100.0, 1e-6);
    double counted = 0.0;
    for (size_t bar = BARS - 300; bar < BARS; bar++)
        counted += ledger_coins(&ledger, LONG_SIDE, bar, tier_of(7.0), 1.0);
    assert_near(counted, 100.0, 1e-6);
    assert_near(ledger_coins(&ledger, LONG_SIDE, BARS - 11, tier_of(7.0), 1.0),
                10.0 * pow(1.0 - turnover, 10.0), 1e-6);
    size_t kept = BARS - ledger.side[LONG_SIDE].first_bar;
    print_message(
        "after %d bars: %.12g coins, %.12g counted over the last 300 bars, %zu bars kept\n", BARS,
        ledger_total(&ledger, LONG_SIDE), counted, kept);
    assert_true(kept < 1000);
    ledger_free(&ledger);
}

/* ---- disposition ------------------------------------------------------------------------- */

/* Two bars of one tier, opened at 80 and 125; at 100 the first is in profit if long, the second if
   short. Where the loser keeps q of his coins, the winner keeps q^1.51. */
static void who_is_in_profit_closes_faster_by_the_ratio(void **state)
{
    for (int side = 0; side < 2; side++) {
        struct ledger ledger;
        struct ledger_opening opening = one_tier(7.0);
        make_disposed(&ledger, 4, 0.5, 1.51);
        ledger_open(&ledger, side, 0, 100.0, 80.0, 0.0, &opening);
        ledger_open(&ledger, side, 1, 60.0, 125.0, 0.0, &opening);
        ledger_thin(&ledger, side, 112.0, 100.0);
        double low = ledger_coins(&ledger, side, 0, tier_of(7.0), 1.0) / 100.0;
        double high = ledger_coins(&ledger, side, 1, tier_of(7.0), 1.0) / 60.0;
        double winner = side == LONG_SIDE ? low : high, loser = side == LONG_SIDE ? high : low;
        assert_near(100.0 * low + 60.0 * high, 112.0, 1e-9);
        assert_near(log(winner) / log(loser), 1.51, 1e-9);
        assert_near(ledger_total(&ledger, side), 112.0, 1e-9);
        ledger_free(&ledger);
    }
}

/* The middle of a zone tells for all in it. 99.6 and 100.4 lie in [exp(4.60), exp(4.61)) with the
   middle exp(4.605) = 99.98, 101.4 in the next with 100.99: at 100.5 only the first are in profit.
 */
static void bars_of_one_zone_close_alike(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    make_disposed(&ledger, 4, 0.5, 2.0);
    ledger_open(&ledger, LONG_SIDE, 0, 10.0, 99.6, 0.0, &opening);
    ledger_open(&ledger, LONG_SIDE, 1, 10.0, 100.4, 0.0, &opening);
    ledger_open(&ledger, LONG_SIDE, 2, 10.0, 101.4, 0.0, &opening);
    ledger_thin(&ledger, LONG_SIDE, 20.0, 100.5);
    double left[3];
    for (size_t bar = 0; bar < 3; bar++)
        left[bar] = ledger_coins(&ledger, LONG_SIDE, bar, tier_of(7.0), 1.0) / 10.0;
    assert_true(left[0] == left[1]);
    assert_near(log(left[0]) / log(left[2]), 2.0, 1e-9);
    assert_near(left[0] + left[1] + left[2], 2.0, 1e-12);
    ledger_free(&ledger);
}

/* A book of given positions opens at price 1 with entries in quote currency. */
static void a_zone_is_that_of_the_mean_entry(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0), given = one_tier(7.0);
    given.entry[tier_of(7.0)] = 80.0;
    make_disposed(&ledger, 4, 0.5, 1.51);
    ledger_open(&ledger, SHORT_SIDE, 0, 10.0, 1.0, 0.0, &given);
    ledger_open(&ledger, SHORT_SIDE, 1, 10.0, 60.0, 0.0, &opening);
    ledger_open(&ledger, SHORT_SIDE, 2, 10.0, 100.0, 0.0, &opening);
    /* Shorts at 80 are in profit at 70, as are those at 100. */
    ledger_thin(&ledger, SHORT_SIDE, 24.0, 70.0);
    double left[3];
    for (size_t bar = 0; bar < 3; bar++)
        left[bar] = ledger_coins(&ledger, SHORT_SIDE, bar, tier_of(7.0), 1.0) / 10.0;
    assert_near(left[0], left[2], 1e-15);
    assert_near(log(left[0]) / log(left[1]), 1.51, 1e-9);
    ledger_free(&ledger);
}

static void with_ratio_one_there_is_one_zone(void **state)
{
    struct ledger ledger;
    make_disposed(&ledger, 4, 0.5, 0.0);
    assert_null(ledger.side[LONG_SIDE].zones);
    ledger_free(&ledger);
    make_disposed(&ledger, 4, 0.5, 1.0);
    assert_null(ledger.side[SHORT_SIDE].zones);
    ledger_free(&ledger);
}

enum { COHORTS = 400 };

/* One bar in one tier, as a ledger without zones of sums would keep it. */
struct cohort {
    double coins, opened, price, leverage, middle;
    bool open;
};

static double cohorts_left(const struct cohort *cohorts, double sign, double price, double ratio,
                           double x)
{
    double left = 0.0;
    for (int i = 0; i < COHORTS && cohorts[i].open; i++) {
        double hazard = tier_hazard(tier_of(cohorts[i].leverage), 0.5);
        bool wins = sign * (price - cohorts[i].middle) > 0.0;
        left += cohorts[i].coins * exp(-hazard * x * (wins ? ratio : 1.0));
    }
    return left;
}

/* Bisection for the hazard, then every cohort by its own. */
static void thin_cohorts(struct cohort *cohorts, double sign, double price, double ratio,
                         double remaining)
{
    double low = 0.0, high = 1e3;
    for (int i = 0; i < 200; i++) {
        double x = 0.5 * (low + high);
        if (cohorts_left(cohorts, sign, price, ratio, x) > remaining)
            low = x;
        else
            high = x;
    }
    for (int i = 0; i < COHORTS && cohorts[i].open; i++) {
        bool wins = sign * (price - cohorts[i].middle) > 0.0;
        cohorts[i].coins *=
            exp(-tier_hazard(tier_of(cohorts[i].leverage), 0.5) * low * (wins ? ratio : 1.0));
    }
}

/* Each bar opens at the price of a random walk, some are liquidated in part, the side closes a
   random part: the ledger against cohorts kept one by one. Returns the largest difference. */
static double walk_cohorts(int side, double ratio, uint32_t replicate)
{
    static const double leverages[] = {1.5, 4.0, 7.0, 15.0, 30.0, 120.0};
    struct random_stream stream = random_stream_make(9, replicate, "cohorts");
    struct cohort cohorts[COHORTS] = {{0}};
    struct ledger ledger;
    double price = 50e3, sign = side == LONG_SIDE ? 1.0 : -1.0, worst = 0.0;
    make_disposed(&ledger, COHORTS, 0.5, ratio);
    for (uint32_t bar = 0; bar < COHORTS; bar++) {
        struct random_block a = random_block_at(&stream, bar, 0),
                            b = random_block_at(&stream, bar, 1);
        price *= exp(0.03 * random_normal(random_uniform(a.word[0])));
        struct cohort *cohort = &cohorts[bar];
        double coins = 10.0 * random_uniform(a.word[1]), leverage = leverages[a.word[2] % 6];
        *cohort = (struct cohort){
            coins, coins, price, leverage, exp(0.01 * (floor(log(price) / 0.01) + 0.5)), true};
        struct ledger_opening opening = one_tier(leverage);
        ledger_open(&ledger, side, bar, coins, price, 0.0, &opening);
        uint32_t hit = b.word[0] % (bar + 1);
        double taken = 0.5 * random_uniform(b.word[1]) * cohorts[hit].coins;
        take_coins(&ledger, side, hit, taken, cohorts[hit].price, cohorts[hit].leverage, 0.0);
        cohorts[hit].opened *= 1.0 - taken / cohorts[hit].coins;
        cohorts[hit].coins -= taken;
        double close = 0.8 * random_uniform(b.word[2]), total = ledger_total(&ledger, side);
        thin_cohorts(cohorts, sign, price, ratio, total * (1.0 - close));
        ledger_thin(&ledger, side, total * (1.0 - close), price);
        double entry_value = 0.0;
        for (uint32_t i = 0; i <= bar; i++) {
            int tier = tier_of(cohorts[i].leverage);
            double share = cohorts[i].opened / ledger.side[side].opened[i];
            double alive = ledger_coins(&ledger, side, i, tier, share);
            entry_value += cohorts[i].coins * cohorts[i].price;
            worst = fmax(worst, fabs(alive - cohorts[i].coins));
        }
        worst = fmax(worst, fabs(entry_value / ledger_entry_value(&ledger, side) - 1.0));
    }
    assert_true(ledger.side[side].first_bar > COHORTS / 4);
    ledger_free(&ledger);
    return worst;
}

static void zones_equal_cohorts_kept_one_by_one(void **state)
{
    double worst = 0.0;
    for (int side = 0; side < 2; side++)
        for (uint32_t replicate = 0; replicate < 4; replicate++) {
            worst = fmax(worst, walk_cohorts(side, 1.51, replicate));
            worst = fmax(worst, walk_cohorts(side, 4.0, replicate));
            worst = fmax(worst, walk_cohorts(side, 0.5, replicate));
        }
    print_message("400 cohorts, one by one: within %.2g coins of 10\n", worst);
    assert_true(worst < 1e-9);
}

/* Winners leave: with the ratio at 4 the mean entry of longs is higher after a rise. */
static void disposition_leaves_the_losers(void **state)
{
    double mean[2];
    for (int disposed = 0; disposed < 2; disposed++) {
        struct ledger ledger;
        struct ledger_opening opening = one_tier(7.0);
        make_disposed(&ledger, 100, 0.5, disposed ? 4.0 : 1.0);
        for (size_t bar = 0; bar < 100; bar++) {
            double price = 100.0 + 20.0 * sin(0.3 * (double)bar);
            ledger_open(&ledger, LONG_SIDE, bar, 10.0, price, 0.0, &opening);
            ledger_thin(&ledger, LONG_SIDE, 0.95 * ledger_total(&ledger, LONG_SIDE), price);
        }
        mean[disposed] = ledger_entry_value(&ledger, LONG_SIDE) / ledger_total(&ledger, LONG_SIDE);
        ledger_free(&ledger);
    }
    print_message("mean entry of longs: %.2f pro rata, %.2f with disposition\n", mean[0], mean[1]);
    assert_true(mean[1] > mean[0] + 1.0);
}

static void with_zones_too_who_opens_after_everybody_left_is_whole(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    make_disposed(&ledger, 4, 0.5, 1.51);
    ledger_open(&ledger, LONG_SIDE, 0, 50.0, 100.0, 0.0, &opening);
    ledger_hold(&ledger, LONG_SIDE, 5.0, 100.0, 0.0);
    ledger_thin(&ledger, LONG_SIDE, 0.0, 100.0);
    assert_true(ledger_total(&ledger, LONG_SIDE) == 0.0);
    assert_int_equal(ledger.side[LONG_SIDE].first_bar, 1);
    ledger_open(&ledger, LONG_SIDE, 1, 8.0, 100.0, 0.0, &opening);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 1, tier_of(7.0), 1.0), 8.0, 1e-12);
    assert_true(ledger_coins(&ledger, LONG_SIDE, 0, tier_of(7.0), 1.0) < 1e-13);
    ledger_thin(&ledger, LONG_SIDE, 2.0, 100.0);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 1, tier_of(7.0), 1.0), 2.0, 1e-12);
    ledger_free(&ledger);
}

/* All of the book is liquidated, in parts: rounding leaves something above 0 in the zones and below
   0 in their sum. Nobody there is to close, so H stays, and who opens next is whole. */
static void what_rounding_leaves_of_a_book_closes_nothing(void **state)
{
    const double coins[] = {0.1, 1.0};
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    make_disposed(&ledger, 3, 0.5, 1.51);
    ledger_hold(&ledger, LONG_SIDE, 1000.0, 100.0, 0.0);
    for (size_t bar = 0; bar < 2; bar++)
        ledger_open(&ledger, LONG_SIDE, bar, coins[bar], bar == 0 ? 100.0 : 150.0, 0.0, &opening);
    for (int part = 0; part < 3; part++)
        take_coins(&ledger, LONG_SIDE, 0, coins[0] / 3.0, 100.0, 7.0, 0.0);
    for (int part = 0; part < 3; part++)
        take_coins(&ledger, LONG_SIDE, 1, coins[1] / 3.0, 150.0, 7.0, 0.0);
    assert_true(ledger.side[LONG_SIDE].tier[tier_of(7.0)].coins < 0.0);
    ledger_thin(&ledger, LONG_SIDE, 900.0, 120.0);
    assert_near(ledger_hazard(&ledger, LONG_SIDE, 0), 0.0, 1e-12);
    assert_near(ledger_hazard(&ledger, LONG_SIDE, 1), 0.0, 1e-12);
    assert_near(ledger_total(&ledger, LONG_SIDE), 900.0, 1e-9);
    ledger_open(&ledger, LONG_SIDE, 2, 10.0, 100.0, 0.0, &opening);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 2, tier_of(7.0), 1.0), 10.0, 1e-12);
    ledger_free(&ledger);
}

/* What is left of a tier over both zones, by coins. */
static void what_thinning_left_of_a_tier_is_known(void **state)
{
    struct ledger ledger;
    struct ledger_opening slow = one_tier(7.0), fast = one_tier(30.0);
    make_disposed(&ledger, 4, 0.5, 3.0);
    ledger_open(&ledger, LONG_SIDE, 0, 50.0, 80.0, 0.0, &slow);
    ledger_open(&ledger, LONG_SIDE, 1, 30.0, 120.0, 0.0, &slow);
    ledger_open(&ledger, LONG_SIDE, 2, 20.0, 120.0, 0.0, &fast);
    ledger_thin(&ledger, LONG_SIDE, 60.0, 100.0);
    double left = ledger_coins(&ledger, LONG_SIDE, 0, tier_of(7.0), 1.0) +
                  ledger_coins(&ledger, LONG_SIDE, 1, tier_of(7.0), 1.0);
    assert_near(ledger.side[LONG_SIDE].thinned[tier_of(7.0)], left / 80.0, 1e-12);
    assert_near(ledger.side[LONG_SIDE].thinned[tier_of(30.0)],
                ledger_coins(&ledger, LONG_SIDE, 2, tier_of(30.0), 1.0) / 20.0, 1e-12);
    assert_near(ledger.side[LONG_SIDE].tier[tier_of(7.0)].coins, left, 1e-12);
    ledger_free(&ledger);
}

static int failures_of(double disposition_ratio)
{
    struct ledger_params params = {0.5, disposition_ratio};
    struct ledger ledger;
    struct error err = {0};
    int failures = 0;
    for (long countdown = 1;; countdown++) {
        memory_fail_after(countdown);
        int code = ledger_init(&ledger, 10, &params, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        failures++;
    }
    ledger_free(&ledger);
    return failures;
}

static void a_ledger_without_memory_is_no_ledger(void **state)
{
    assert_int_equal(failures_of(1.0), 4);
    assert_int_equal(failures_of(1.51), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forced_long_absorbed_by_closing_shorts_lowers_oi_on_both_sides),
        cmocka_unit_test(a_forced_long_absorbed_by_new_longs_changes_hands),
        cmocka_unit_test(an_observed_fall_is_forced_closes_and_the_rest_by_choice),
        cmocka_unit_test(forced_closes_that_the_observed_oi_denies_are_replaced),
        cmocka_unit_test(turnover_and_the_fall_of_oi_make_room_for_forced_closes),
        cmocka_unit_test(a_rise_of_oi_opens_it_on_both_sides),
        cmocka_unit_test(who_tops_up_closes_and_opens_at_once),
        cmocka_unit_test(nobody_tops_up_what_is_gone),
        cmocka_unit_test(flows_keep_the_sides_equal_and_are_never_negative),
        cmocka_unit_test(equity_is_margin_plus_gain_less_funding),
        cmocka_unit_test(a_short_gains_what_a_long_loses),
        cmocka_unit_test(a_removed_position_takes_its_margin_and_gain),
        cmocka_unit_test(without_a_hazard_exponent_every_position_keeps_the_same_part),
        cmocka_unit_test(higher_leverage_closes_sooner_by_its_hazard),
        cmocka_unit_test(thinning_takes_equity_in_proportion),
        cmocka_unit_test(who_opens_after_everybody_left_is_whole),
        cmocka_unit_test(who_is_outside_the_book_keeps_his_share),
        cmocka_unit_test(a_side_that_only_others_hold_thins_like_any),
        cmocka_unit_test(two_million_bars_of_turnover_lose_nothing),
        cmocka_unit_test(who_is_in_profit_closes_faster_by_the_ratio),
        cmocka_unit_test(bars_of_one_zone_close_alike),
        cmocka_unit_test(a_zone_is_that_of_the_mean_entry),
        cmocka_unit_test(with_ratio_one_there_is_one_zone),
        cmocka_unit_test(zones_equal_cohorts_kept_one_by_one),
        cmocka_unit_test(disposition_leaves_the_losers),
        cmocka_unit_test(with_zones_too_who_opens_after_everybody_left_is_whole),
        cmocka_unit_test(what_rounding_leaves_of_a_book_closes_nothing),
        cmocka_unit_test(what_thinning_left_of_a_tier_is_known),
        cmocka_unit_test(a_ledger_without_memory_is_no_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
