/* Replay: the path walked, the ledger kept, feedback, funding, and what a step reports. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "sim/replay.h"
#include "tests/support/near.h"

enum { BARS = 60, FALL_BAR = 50 };

/* An hourly market that stands at 100, with a wick to 90 in one bar and a wick to 103 in the next.
 */
struct fixture {
    double open[BARS], high[BARS], low[BARS], close[BARS], oi[BARS], funding[BARS];
    struct market market;
    struct path path;
    struct brackets brackets;
    struct book book;
    struct replay_params params;
    struct replay replay;
    struct replay_step steps[BARS];
};

static void market_make(struct fixture *self)
{
    for (int i = 0; i < BARS; i++) {
        self->open[i] = self->high[i] = self->low[i] = self->close[i] = 100.0;
        self->oi[i] = 1000.0 + 5.0 * i;
    }
    self->low[FALL_BAR] = 90.0;
    self->high[FALL_BAR + 1] = 103.0;
    self->market = (struct market){.step_ms = CALENDAR_HOUR_MS, .bars = BARS};
    self->market.last = (struct market_bars){self->open, self->high, self->low, self->close};
    self->market.mark = self->market.last;
    self->market.oi_coins = self->oi;
    self->path = (struct path){.market = &self->market};
}

static void params_make(struct fixture *self)
{
    self->params = (struct replay_params){
        .impact = {.kind = IMPACT_KIND_LINEAR,
                   .reference_coins = 1000.0,
                   .reference_move_log = 0.02,
                   .permanent_share = 1.0,
                   .half_life_ms = CALENDAR_NONE},
        .funding_bar = REPLAY_NEVER,
        .feedback_bar = REPLAY_NEVER,
        .frozen_bar = REPLAY_NEVER,
        .mark_passthrough = 1.0,
        .turnover_per_hour = 0.05,
        .hazard_exponent = 0.5,
        .absorbed_by_closers = 1.0,
        .oi_share = 1.0,
        .oi_scale = 1.0,
        .bars = BARS,
        .start_bar = 40,
        .branching_window_log = 0.02,
        .fund_usd = {INFINITY},
    };
}

static void book_make(struct fixture *self)
{
    struct error err = {0};
    struct book_params params = {
        .positions_per_bar = 20,
        .leverage = {.kind = LEVERAGE_KIND_PARETO,
                     .alpha = 1.0,
                     .minimum = 2.0,
                     .hazard_exponent = 0.5},
        .size = {.kind = SIZE_KIND_FIXED, .value = 1000.0},
        .venue_count = 1,
        .venues = {{.name = "one",
                    .formula = margin_find("linear_mark"),
                    .oi_share = 1.0,
                    .tables = &self->brackets,
                    .table_count = 1}},
    };
    struct book_bars bars = {.bars = BARS,
                             .step_ms = CALENDAR_HOUR_MS,
                             .high = self->high,
                             .low = self->low,
                             .close = self->close,
                             .priced = BARS};
    brackets_flat(&self->brackets, 0.005, 100.0);
    if (book_draw(&self->book, &params, &bars, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
}

static void fixture_make(struct fixture *self)
{
    memset(self, 0, sizeof *self);
    market_make(self);
    params_make(self);
    book_make(self);
}

static void run(struct fixture *self)
{
    struct error err = {0};
    if (replay_init(&self->replay, &self->params, &self->path, &self->book, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
    for (size_t bar = 0; bar < self->params.bars; bar++)
        if (replay_step(&self->replay, &self->steps[bar], &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", bar, err.message);
}

static void fixture_free(struct fixture *self)
{
    replay_free(&self->replay);
    book_free(&self->book);
}

static double forced(const struct replay_step *step, int side)
{
    return step->forced.side[side].coins;
}

/* ---- an observed path --------------------------------------------------------------------- */

static void a_replay_keeps_the_observed_prices_and_the_observed_oi(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    run(&fixture);
    for (int i = 0; i < BARS; i++) {
        const struct replay_step *step = &fixture.steps[i];
        assert_near(step->price_low, fixture.low[i], 1e-12);
        assert_near(step->price_high, fixture.high[i], 1e-12);
        assert_near(step->oi_coins, fixture.oi[i], 1e-9);
        assert_near(step->oi_usd, fixture.oi[i] * fixture.close[i], 1e-6);
        assert_int_equal(step->time_ms, i * CALENDAR_HOUR_MS);
    }
    fixture_free(&fixture);
}

/* Who has more than 10 % to lose survives a fall of 10 %; everybody above 1/.105 = 9.5x goes, and
   the rise to 103 takes only shorts. */
static void a_wick_liquidates_whom_a_close_would_spare(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    run(&fixture);
    const struct settle_tally *fall = &fixture.steps[FALL_BAR].forced;
    const struct settle_tally *rise = &fixture.steps[FALL_BAR + 1].forced;
    for (int i = 0; i < FALL_BAR; i++)
        assert_true(forced(&fixture.steps[i], 0) + forced(&fixture.steps[i], 1) == 0.0);
    assert_true(fall->side[BOOK_LONG].coins > 10.0);
    assert_true(fall->side[BOOK_SHORT].coins == 0.0);
    for (int tier = 0; tier < tier_of(5.0); tier++)
        assert_true(fall->tier[BOOK_LONG][tier].coins == 0.0);
    assert_true(fall->tier[BOOK_LONG][tier_of(10.0)].coins > 0.0);
    assert_true(rise->side[BOOK_SHORT].coins > 0.0 && rise->side[BOOK_LONG].coins == 0.0);
    print_message("fall of 10 %%: %.1f of %.0f coins liquidated\n", fall->side[BOOK_LONG].coins,
                  fixture.oi[FALL_BAR - 1]);
    fixture_free(&fixture);
}

static void twice_the_oi_is_twice_the_flow_on_an_observed_path(void **state)
{
    struct fixture one, two;
    fixture_make(&one);
    fixture_make(&two);
    two.params.oi_scale = 2.0;
    run(&one);
    run(&two);
    assert_near(forced(&two.steps[FALL_BAR], 0), 2.0 * forced(&one.steps[FALL_BAR], 0), 1e-9);
    assert_int_equal(two.steps[FALL_BAR].forced.side[0].positions,
                     one.steps[FALL_BAR].forced.side[0].positions);
    fixture_free(&one);
    fixture_free(&two);
}

/* Open: the implied impact is reported and the price is the path's. Naive: the impact comes on top.
 */
static void counting_impact_twice_liquidates_at_least_as_much(void **state)
{
    struct fixture open, naive;
    fixture_make(&open);
    fixture_make(&naive);
    naive.params.feedback_bar = naive.params.start_bar;
    run(&open);
    run(&naive);
    const struct replay_step *a = &open.steps[FALL_BAR], *b = &naive.steps[FALL_BAR];
    assert_near(a->endogenous_log, -0.02 * forced(a, 0) / 1000.0, 1e-9);
    assert_near(a->exogenous_log, -a->endogenous_log, 1e-9); /* the close is where it began */
    assert_true(forced(b, 0) >= forced(a, 0));
    assert_true(b->price_low < a->price_low);
    assert_near(b->price_close, 100.0 * exp(b->endogenous_log), 1e-9);
    assert_near(b->exogenous_close, 100.0, 1e-12);
    fixture_free(&open);
    fixture_free(&naive);
}

static void the_extreme_is_split_into_exogenous_and_endogenous(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    fixture.params.feedback_bar = fixture.params.start_bar;
    run(&fixture);
    const struct replay_step *step = &fixture.steps[FALL_BAR];
    assert_near(step->extreme_log, log(step->price_low / 100.0), 1e-12);
    assert_near(step->extreme_log - step->extreme_endogenous_log, log(0.9), 1e-9);
    fixture_free(&fixture);
}

static void frozen_oi_falls_by_what_is_liquidated(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    fixture.params.frozen_bar = fixture.params.start_bar;
    run(&fixture);
    assert_near(fixture.steps[FALL_BAR - 1].oi_coins, fixture.oi[39], 1e-9);
    assert_near(fixture.steps[FALL_BAR].oi_coins,
                fixture.oi[39] - forced(&fixture.steps[FALL_BAR], 0), 1e-6);
    fixture_free(&fixture);
}

/* Longs pay .3 % three times: those at 80x or so go without a move, shorts do not. */
static void funding_alone_liquidates_who_has_least_margin(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    for (int i = 42; i < 45; i++)
        fixture.funding[i] = 0.003;
    fixture.market.funding_rate = fixture.funding;
    run(&fixture);
    double longs = 0.0, shorts = 0.0;
    for (int i = 42; i < 46; i++) {
        longs += forced(&fixture.steps[i], 0);
        shorts += forced(&fixture.steps[i], 1);
    }
    assert_near(fixture.steps[43].funding_rate, 0.003, 1e-15);
    assert_true(longs > 0.0);
    assert_true(shorts == 0.0);
    fixture_free(&fixture);
}

static void constant_depth_stays_what_it_is(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    run(&fixture);
    for (int i = 0; i < BARS; i++)
        assert_near(fixture.steps[i].depth_share, 1.0, 1e-15);
    fixture_free(&fixture);
}

/* ---- a shock ------------------------------------------------------------------------------ */

static void a_shock_beyond_the_market_goes_on_from_its_last_price(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    fixture.market.bars = FALL_BAR;
    fixture.path.shock = true;
    fixture.path.at_ms = FALL_BAR * CALENDAR_HOUR_MS;
    fixture.path.over_ms = 2 * CALENDAR_HOUR_MS;
    fixture.path.move_log = -0.1;
    fixture.params.start_bar = fixture.params.feedback_bar = fixture.params.frozen_bar = FALL_BAR;
    run(&fixture);
    assert_near(fixture.steps[FALL_BAR].exogenous_close, 100.0 * exp(-0.05), 1e-9);
    for (int i = FALL_BAR + 1; i < BARS; i++)
        assert_near(fixture.steps[i].exogenous_close, 100.0 * exp(-0.1), 1e-9);
    assert_true(fixture.steps[BARS - 1].price_close < 100.0 * exp(-0.1));
    assert_true(forced(&fixture.steps[FALL_BAR + 1], 0) > 0.0);
    fixture_free(&fixture);
}

/* ---- failures ----------------------------------------------------------------------------- */

/* Runs with the n-th allocation failing; true when all went well. */
static bool run_failing(struct fixture *fixture, long countdown)
{
    struct error err = {0};
    memory_fail_after(countdown);
    int code =
        replay_init(&fixture->replay, &fixture->params, &fixture->path, &fixture->book, &err);
    bool made = code == ERROR_NONE;
    for (size_t bar = 0; code == ERROR_NONE && bar < BARS; bar++)
        code = replay_step(&fixture->replay, &fixture->steps[bar], &err);
    memory_fail_after(0);
    if (made)
        replay_free(&fixture->replay);
    if (code != ERROR_NONE)
        assert_int_equal(code, ERROR_IO);
    return code == ERROR_NONE;
}

static void a_replay_that_finds_no_memory_says_so_and_leaves_nothing(void **state)
{
    struct fixture fixture;
    long failures = 0;
    fixture_make(&fixture);
    while (!run_failing(&fixture, failures + 1))
        failures++;
    print_message("%ld allocations of a replay fail cleanly\n", failures);
    assert_true(failures > 10);
    book_free(&fixture.book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replay_keeps_the_observed_prices_and_the_observed_oi),
        cmocka_unit_test(a_wick_liquidates_whom_a_close_would_spare),
        cmocka_unit_test(twice_the_oi_is_twice_the_flow_on_an_observed_path),
        cmocka_unit_test(counting_impact_twice_liquidates_at_least_as_much),
        cmocka_unit_test(the_extreme_is_split_into_exogenous_and_endogenous),
        cmocka_unit_test(frozen_oi_falls_by_what_is_liquidated),
        cmocka_unit_test(funding_alone_liquidates_who_has_least_margin),
        cmocka_unit_test(constant_depth_stays_what_it_is),
        cmocka_unit_test(a_shock_beyond_the_market_goes_on_from_its_last_price),
        cmocka_unit_test(a_replay_that_finds_no_memory_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
