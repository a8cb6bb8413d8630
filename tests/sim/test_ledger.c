/* The ledger: opens, closes, forced closes and replacement; long OI = short OI; closing by hazard.
 */
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
        assert_true(flows.replacement >= 0.0);
        if (step.observed)
            assert_near(after(&step, &flows, 0), fmax(step.oi + step.oi_change, 0.0), 1e-9);
        worst = fmax(worst, fabs(after(&step, &flows, 0) - after(&step, &flows, 1)));
    }
    print_message("200,000 random steps: long less short at most %.2g of 1,000 coins\n", worst);
    assert_true(worst < 1e-9);
}

/* ---- coins and money --------------------------------------------------------------------- */

static void make(struct ledger *ledger, size_t bars, double exponent)
{
    struct error err = {0};
    assert_int_equal(ledger_init(ledger, bars, exponent, &err), ERROR_NONE);
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
    ledger_remove(&ledger, SHORT_SIDE, 2.0, 50.0, 20.0, 1.0);
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
    ledger_thin(&ledger, LONG_SIDE, 25.0);
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
    ledger_thin(&ledger, LONG_SIDE, 70.0);
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
    ledger_thin(&ledger, LONG_SIDE, 20.0);
    assert_near(ledger_equity(&ledger, LONG_SIDE, 110.0, 3.0), 0.4 * before, 1e-9);
    ledger_free(&ledger);
}

static void who_opens_after_everybody_left_is_whole(void **state)
{
    struct ledger ledger;
    struct ledger_opening opening = one_tier(7.0);
    make(&ledger, 4, 0.5);
    ledger_open(&ledger, LONG_SIDE, 0, 50.0, 100.0, 0.0, &opening);
    ledger_thin(&ledger, LONG_SIDE, 0.0);
    assert_true(ledger_total(&ledger, LONG_SIDE) == 0.0);
    assert_int_equal(ledger.side[LONG_SIDE].first_bar, 1);
    ledger_open(&ledger, LONG_SIDE, 1, 8.0, 100.0, 0.0, &opening);
    assert_near(ledger_coins(&ledger, LONG_SIDE, 1, tier_of(7.0), 1.0), 8.0, 1e-12);
    assert_true(ledger_coins(&ledger, LONG_SIDE, 0, tier_of(7.0), 1.0) < 1e-13);
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
        ledger_thin(&ledger, LONG_SIDE, 90.0);
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

static void a_ledger_without_memory_is_no_ledger(void **state)
{
    struct ledger ledger;
    struct error err = {0};
    int failures = 0;
    for (long countdown = 1;; countdown++) {
        memory_fail_after(countdown);
        int code = ledger_init(&ledger, 10, 0.5, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        failures++;
    }
    ledger_free(&ledger);
    assert_int_equal(failures, 4);
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
        cmocka_unit_test(flows_keep_the_sides_equal_and_are_never_negative),
        cmocka_unit_test(equity_is_margin_plus_gain_less_funding),
        cmocka_unit_test(a_short_gains_what_a_long_loses),
        cmocka_unit_test(a_removed_position_takes_its_margin_and_gain),
        cmocka_unit_test(without_a_hazard_exponent_every_position_keeps_the_same_part),
        cmocka_unit_test(higher_leverage_closes_sooner_by_its_hazard),
        cmocka_unit_test(thinning_takes_equity_in_proportion),
        cmocka_unit_test(who_opens_after_everybody_left_is_whole),
        cmocka_unit_test(two_million_bars_of_turnover_lose_nothing),
        cmocka_unit_test(a_ledger_without_memory_is_no_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
