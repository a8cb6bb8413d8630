/*
 * The factual record: its places; what an open-loop replay puts into it against closed forms, in a
 * market made for it; the closed loop over it; and the flows of a counterfactual, in which holders
 * do again what they did by choice.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/factual.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

enum { LONG_SIDE = 0, SHORT_SIDE = 1 };

/* ---- places --------------------------------------------------------------------------------- */

static void bars_before_the_run_have_no_record(void **state)
{
    struct factual factual;
    struct error err = {0};
    assert_int_equal(factual_init(&factual, 7, 10, &err), ERROR_NONE);
    assert_int_equal(factual.count, 3);
    assert_int_equal(factual.unreachable, 0);
    assert_null(factual_at(&factual, 0));
    assert_null(factual_at(&factual, 6));
    for (size_t bar = 7; bar < 10; bar++) {
        struct factual_bar *record = factual_at(&factual, bar);
        assert_ptr_equal(record, factual.bars + (bar - 7));
        assert_near(record->node[PATH_NODES - 1].flow_coins, 0.0, 0.0);
        assert_near(record->kept.opens[SHORT_SIDE], 0.0, 0.0);
    }
    factual_free(&factual);
    assert_null(factual.bars);
}

static void a_run_from_the_first_bar_records_all(void **state)
{
    struct factual factual;
    struct error err = {0};
    assert_int_equal(factual_init(&factual, 0, 4, &err), ERROR_NONE);
    assert_int_equal(factual.count, 4);
    assert_ptr_equal(factual_at(&factual, 0), factual.bars);
    factual_free(&factual);
}

static void a_record_without_memory_is_an_error(void **state)
{
    struct factual factual;
    struct error err = {0};
    memory_fail_after(1);
    int code = factual_init(&factual, 1, 9, &err);
    memory_fail_after(0);
    assert_int_equal(code, ERROR_IO);
    assert_int_equal(err.code, ERROR_IO);
}

/* ---- what a replay records ------------------------------------------------------------------ */

enum { BARS = 5, FIRST = 1 };

static const double PRICE = 60000.0, LAMBDA = 2e-5;

/* Bars of which each is walked open, high, low, close. */
struct bars {
    double open[BARS], high[BARS], low[BARS], close[BARS];
};

/* A path whose bars have these lows and closes, in log of the price; each opens at the last close,
   which is its high. */
static void set_path(struct laboratory *lab, struct bars *bars, const double low[BARS],
                     const double close[BARS])
{
    double before = 0.0;
    for (int i = 0; i < BARS; i++) {
        bars->open[i] = PRICE * exp(before);
        bars->high[i] = PRICE * exp(fmax(before, close[i]));
        bars->low[i] = PRICE * exp(low[i]);
        bars->close[i] = PRICE * exp(close[i]);
        before = close[i];
    }
    lab->market.bars = BARS;
    lab->market.last = lab->market.mark =
        (struct market_bars){bars->open, bars->high, bars->low, bars->close};
    lab->path.shock = false;
    lab->path.wick = PATH_WICK_HIGH_FIRST;
    lab->params.feedback_bar = REPLAY_NEVER;
    lab->params.start_bar = FIRST;
}

/* A fall to 1.2 % in three bars, on which three longs fire, each in its own. */
static void make_falling(struct laboratory *lab, struct bars *bars)
{
    static const struct laboratory_level levels[] = {{0.003, 50.0}, {0.005, 30.0}, {0.011, 20.0}};
    static const double low[BARS] = {0.0, -0.0035, -0.006, -0.012, -0.007};
    static const double close[BARS] = {0.0, -0.0035, -0.004, -0.007, -0.006};
    laboratory_make(lab, PRICE, 0.0, levels, 3, LAMBDA, BARS);
    set_path(lab, bars, low, close);
}

struct seen {
    struct replay_step step[BARS];
};

static struct seen walk(struct laboratory *lab)
{
    struct replay replay;
    struct error err = {0};
    struct seen out;
    assert_int_equal(replay_init(&replay, &lab->params, &lab->path, &lab->book, &err), ERROR_NONE);
    for (size_t bar = 0; bar < BARS; bar++)
        if (replay_step(&replay, &out.step[bar], &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", bar, err.message);
    replay_free(&replay);
    return out;
}

/* x = y / exp(I) with I = -lambda Q, Q what was sold up to and with the node. */
static void a_record_is_the_price_without_what_was_liquidated(void **state)
{
    struct laboratory lab;
    struct bars bars;
    struct factual factual;
    struct error err = {0};
    double sold = 0.0, flow = 0.0, lowest = PRICE;
    make_falling(&lab, &bars);
    assert_int_equal(factual_init(&factual, FIRST, BARS, &err), ERROR_NONE);
    lab.params.record = &factual;
    walk(&lab);
    for (size_t bar = FIRST; bar < BARS; bar++) {
        struct path_bar observed = path_bar_at(&lab.path, bar);
        for (int k = 0; k < PATH_NODES; k++) {
            const struct factual_node *node = &factual_at(&factual, bar)->node[k];
            double before = sold;
            lowest = fmin(lowest, observed.last[k]);
            double fall = -log(lowest / PRICE);
            sold = 50.0 * (fall >= 0.003) + 30.0 * (fall >= 0.005) + 20.0 * (fall >= 0.011);
            assert_near(node->flow_coins, before - sold, 0.0);
            assert_near(node->last / (observed.last[k] * exp(LAMBDA * sold)), 1.0, 1e-14);
            assert_near(node->mark / (observed.mark[k] * exp(LAMBDA * sold)), 1.0, 1e-14);
            flow += node->flow_coins;
        }
        assert_near(factual_at(&factual, bar)->price_close, observed.last[PATH_NODES - 1], 0.0);
    }
    assert_near(flow, -100.0, 0.0);
    factual_free(&factual);
    laboratory_free(&lab);
}

/* 50 coins move the log price by 0.1 %, which a fall to 0.4 % holds: the path without them fell to
   0.3 %, and reaches no level beyond. */
static void a_level_within_its_own_jump_is_unreachable(void **state)
{
    static const struct {
        double distance;
        size_t unreachable;
    } cases[] = {{0.0039, 1}, {0.00301, 1}, {0.00299, 0}, {0.001, 0}, {0.0041, 0}};
    static const double low[BARS] = {0.0, -0.004}, close[BARS] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct laboratory lab;
        struct bars bars;
        struct factual factual;
        struct error err = {0};
        struct laboratory_level level = {cases[i].distance, 50.0};
        laboratory_make(&lab, PRICE, 0.0, &level, 1, LAMBDA, BARS);
        set_path(&lab, &bars, low, close);
        assert_int_equal(factual_init(&factual, FIRST, BARS, &err), ERROR_NONE);
        lab.params.record = &factual;
        struct seen seen = walk(&lab);
        assert_int_equal(seen.step[FIRST].forced.side[LONG_SIDE].positions,
                         cases[i].distance < 0.004);
        assert_int_equal(seen.step[FIRST].unreachable, cases[i].unreachable);
        assert_int_equal(factual.unreachable, cases[i].unreachable);
        factual_free(&factual);
        laboratory_free(&lab);
    }
}

/* ---- the closed loop over a record ---------------------------------------------------------- */

static void a_closed_loop_over_its_record_is_the_observed_path(void **state)
{
    struct laboratory lab;
    struct bars bars;
    struct factual factual;
    struct error err = {0};
    make_falling(&lab, &bars);
    assert_int_equal(factual_init(&factual, FIRST, BARS, &err), ERROR_NONE);
    lab.params.record = &factual;
    struct seen open = walk(&lab);
    lab.params.record = NULL;
    lab.params.factual = &factual;
    lab.params.factual_scale = lab.params.start_scale = 1.0;
    lab.params.feedback_bar = FIRST;
    struct seen closed = walk(&lab);
    for (size_t bar = 0; bar < BARS; bar++) {
        const struct replay_step *is = &closed.step[bar], *was = &open.step[bar];
        assert_near(is->price_low / was->price_low, 1.0, 1e-14);
        assert_near(is->price_close / was->price_close, 1.0, 1e-14);
        assert_near(is->oi_coins, was->oi_coins, 1e-12);
        assert_near(is->forced.side[LONG_SIDE].coins, was->forced.side[LONG_SIDE].coins, 0.0);
    }
    assert_near(closed.step[BARS - 1].oi_coins, 0.0, 1e-12); /* all of them, and their shorts */
    factual_free(&factual);
    laboratory_free(&lab);
}

/* Without impact there is none to take out. */
static void without_impact_the_record_is_the_path(void **state)
{
    struct laboratory lab;
    struct bars bars;
    struct factual factual;
    struct error err = {0};
    make_falling(&lab, &bars);
    lab.params.impact.kind = IMPACT_KIND_NONE;
    lab.params.start_bar = 0;
    assert_int_equal(factual_init(&factual, 0, BARS, &err), ERROR_NONE);
    lab.params.record = &factual;
    walk(&lab);
    for (size_t bar = 0; bar < BARS; bar++) {
        struct path_bar observed = path_bar_at(&lab.path, bar);
        for (int k = 0; k < PATH_NODES; k++)
            assert_near(factual_at(&factual, bar)->node[k].last, observed.last[k], 0.0);
    }
    assert_int_equal(factual.unreachable, 0);
    factual_free(&factual);
    laboratory_free(&lab);
}

/* ---- flows of a counterfactual -------------------------------------------------------------- */

static double after(const struct ledger_step *step, const struct ledger_flows *flows, int side)
{
    return step->oi - step->forced[side] + flows->opens[side] - flows->closes[side];
}

/* 100 held, 12 longs forced, shorts calm: they open 5 and close a tenth of 100, so that 95 remain,
   and the longs, of whom 88 are left and 4 open, open 3 more. */
static void the_calm_side_does_what_it_did_and_the_other_makes_up(void **state)
{
    struct ledger_step step = {.oi = 100.0, .forced = {12.0, 0.0}};
    struct ledger_kept kept = {.opens = {4.0, 5.0}, .close_share = {0.2, 0.1}};
    struct ledger_flows flows = ledger_flows_kept(&step, &kept);
    assert_near(flows.opens[SHORT_SIDE], 5.0, 1e-12);
    assert_near(flows.closes[SHORT_SIDE], 10.0, 1e-12);
    assert_near(flows.opens[LONG_SIDE], 7.0, 1e-12);
    assert_near(flows.closes[LONG_SIDE], 0.0, 1e-12);
    assert_near(flows.replacement, 3.0, 1e-12);
}

/* The same with fewer forced: what closes makes room, nothing is replaced. */
static void the_other_side_closes_what_keeps_both_equal(void **state)
{
    struct ledger_step step = {.oi = 100.0, .forced = {2.0, 6.0}};
    struct ledger_kept kept = {.opens = {5.0, 4.0}, .close_share = {0.2, 0.7}};
    struct ledger_flows flows = ledger_flows_kept(&step, &kept);
    assert_near(flows.closes[LONG_SIDE], 0.2 * 98.0, 1e-12);
    assert_near(after(&step, &flows, LONG_SIDE), 98.0 * 0.8 + 5.0, 1e-12);
    assert_near(flows.opens[SHORT_SIDE], 4.0, 1e-12);
    assert_near(flows.closes[SHORT_SIDE], 94.0 + 4.0 - 83.4, 1e-12);
    assert_near(flows.replacement, 0.0, 0.0);
}

static void a_side_that_is_forced_out_whole_opens_what_the_other_holds(void **state)
{
    struct ledger_step step = {.oi = 100.0, .forced = {100.0, 30.0}};
    struct ledger_kept kept = {.opens = {1.0, 2.0}, .close_share = {1.0, 0.5}};
    struct ledger_flows flows = ledger_flows_kept(&step, &kept);
    assert_near(flows.closes[SHORT_SIDE], 35.0, 1e-12);
    assert_near(flows.closes[LONG_SIDE], 0.0, 0.0);
    assert_near(flows.opens[LONG_SIDE], 37.0, 1e-12);
    assert_near(flows.replacement, 36.0, 1e-12);
}

/* The flows of a step, recorded and kept, are the flows of that step. */
static void what_was_done_done_again_is_the_same(void **state)
{
    struct random_stream stream = random_stream_make(5, 0, "again");
    for (uint32_t i = 0; i < 20000; i++) {
        double u[6];
        for (uint32_t k = 0; k < 6; k++)
            u[k] = random_uniform(random_block_at(&stream, i, k).word[0]);
        struct ledger_step step = {.oi = 1000.0,
                                   .forced = {300.0 * u[0], 300.0 * u[1]},
                                   .observed = true,
                                   .oi_change = 600.0 * (u[2] - 0.5),
                                   .turnover = 0.3 * u[3],
                                   .remargin = 0.1 * u[4]};
        struct ledger_flows was = ledger_flows(&step);
        struct ledger_kept kept;
        for (int side = 0; side < 2; side++) {
            kept.opens[side] = was.opens[side];
            kept.close_share[side] = was.closes[side] / (step.oi - step.forced[side]);
        }
        struct ledger_flows is = ledger_flows_kept(&step, &kept);
        for (int side = 0; side < 2; side++) {
            assert_near(is.opens[side], was.opens[side], 1e-9);
            assert_near(is.closes[side], was.closes[side], 1e-9);
        }
    }
}

static void kept_flows_leave_both_sides_equal_and_take_no_more_than_there_is(void **state)
{
    struct random_stream stream = random_stream_make(6, 0, "kept");
    int replaced = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        double u[8];
        for (uint32_t k = 0; k < 8; k++)
            u[k] = random_uniform(random_block_at(&stream, i, k).word[0]);
        double oi = u[0] < 0.02 ? 0.0 : exp(20.0 * u[0] - 5.0);
        /* At times nothing is forced, or all of it. */
        struct ledger_step step = {
            .oi = oi, .forced = {oi * fmin(1.2 * u[1], 1.0), oi * fmax(1.2 * u[2] - 0.2, 0.0)}};
        struct ledger_kept kept = {.opens = {2.0 * oi * u[3] * u[3], u[4] < 0.1 ? 0.0 : oi * u[4]},
                                   .close_share = {fmin(1.2 * u[5], 1.0), u[6]}};
        struct ledger_flows flows = ledger_flows_kept(&step, &kept);
        double scale = 1e-14 * (oi + kept.opens[0] + kept.opens[1]);
        double longs = after(&step, &flows, LONG_SIDE), shorts = after(&step, &flows, SHORT_SIDE);
        assert_near(longs, shorts, 4.0 * scale);
        assert_true(longs >= -scale);
        for (int side = 0; side < 2; side++) {
            assert_true(flows.opens[side] >= 0.0 && flows.closes[side] >= 0.0);
            assert_true(flows.closes[side] <= oi - step.forced[side] + scale);
        }
        assert_true(flows.replacement >= 0.0);
        replaced += flows.replacement > 0.0;
    }
    assert_true(replaced > 1000 && replaced < 99000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_before_the_run_have_no_record),
        cmocka_unit_test(a_run_from_the_first_bar_records_all),
        cmocka_unit_test(a_record_without_memory_is_an_error),
        cmocka_unit_test(a_record_is_the_price_without_what_was_liquidated),
        cmocka_unit_test(a_level_within_its_own_jump_is_unreachable),
        cmocka_unit_test(a_closed_loop_over_its_record_is_the_observed_path),
        cmocka_unit_test(without_impact_the_record_is_the_path),
        cmocka_unit_test(the_calm_side_does_what_it_did_and_the_other_makes_up),
        cmocka_unit_test(the_other_side_closes_what_keeps_both_equal),
        cmocka_unit_test(a_side_that_is_forced_out_whole_opens_what_the_other_holds),
        cmocka_unit_test(what_was_done_done_again_is_the_same),
        cmocka_unit_test(kept_flows_leave_both_sides_equal_and_take_no_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
