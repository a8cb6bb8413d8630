/*
 * Oracle 18: at every step of every run long OI = short OI and money is conserved (1e-9 relative),
 * and books and runs are the same bytes at any number of threads.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/threads.h"
#include "tests/sim/random_scenario.h"
#include "tests/support/near.h"

#define TOLERANCE 1e-9

struct drift {
    double sides, coins, money; /* largest relative */
    long steps, runs;
};

static double total_usd(const struct replay *replay, double price)
{
    double funding = replay->ladder.funding.linear;
    return ledger_equity(&replay->ledger, BOOK_LONG, price, funding) +
           ledger_equity(&replay->ledger, BOOK_SHORT, price, funding) + replay->fund_net_usd +
           replay->fees_usd - replay->bad_debt_usd + replay->settle.market_maker_cash +
           replay->settle.withdrawals_usd - replay->settle.deposits_usd;
}

static void note(double *largest, double value, const struct random_scenario *scenario, size_t bar,
                 const char *what)
{
    *largest = fmax(*largest, value);
    if (value <= TOLERANCE)
        return;
    random_scenario_print(scenario);
    fail_msg("seed %llu, bar %zu: %s is off by %.3g", (unsigned long long)scenario->seed, bar, what,
             value);
}

/* What a side has after the step is what it had, less forced and voluntary closes, plus opens; at
   the start of the run so many times that, and money is counted from there. */
static void check_step(struct drift *drift, const struct random_scenario *scenario, size_t bar,
                       const struct replay *replay, const struct replay_step *step, double before,
                       double start_usd)
{
    double factor = bar + 1 == scenario->params.start_bar ? scenario->params.oi_scale : 1.0;
    double scale = fmax(factor * (before + step->oi_coins + step->opens_coins[0]), 1e-3);
    double oi[2];
    for (int side = 0; side < 2; side++) {
        oi[side] = ledger_total(&replay->ledger, side);
        double expected = before - step->forced.side[side].coins +
                          step->forced.backstop_coins[side] - step->forced.adl_coins[side] -
                          step->closes_coins[side] + step->opens_coins[side];
        note(&drift->coins, fabs(oi[side] - factor * expected) / scale, scenario, bar,
             "a side's coins");
    }
    note(&drift->sides, fabs(oi[0] - oi[1]) / scale, scenario, bar, "long OI less short OI");
    if (!isnan(replay->total_usd)) {
        double moved = fabs(replay->settle.deposits_usd) + fabs(replay->settle.withdrawals_usd) +
                       ledger_entry_value(&replay->ledger, BOOK_LONG) + 1.0;
        note(&drift->money, fabs(total_usd(replay, step->mark_close) - start_usd) / moved, scenario,
             bar, "money");
    }
    drift->steps++;
}

static void run_scenario(struct drift *drift, uint64_t seed)
{
    struct random_scenario scenario;
    struct replay replay;
    struct replay_step step;
    struct error err = {0};
    random_scenario_make(&scenario, seed, 3000, 400);
    if (replay_init(&replay, &scenario.params, &scenario.path, &scenario.book, &err) != ERROR_NONE)
        fail_msg("replay_init: %s", err.message);
    double start_usd = total_usd(&replay, path_bar_at(&scenario.path, 0).mark[0]);
    for (size_t bar = 0; bar < scenario.params.bars; bar++) {
        double before = ledger_total(&replay.ledger, BOOK_LONG);
        if (replay_step(&replay, &step, &err) != ERROR_NONE)
            fail_msg("seed %llu, bar %zu: %s", (unsigned long long)seed, bar, err.message);
        if (replay.bar == scenario.params.start_bar)
            start_usd = total_usd(&replay, step.mark_close);
        check_step(drift, &scenario, bar, &replay, &step, before, start_usd);
    }
    replay_free(&replay);
    random_scenario_free(&scenario);
    drift->runs++;
}

static void long_equals_short_and_money_is_conserved_at_every_step(void **state)
{
    struct drift drift = {0};
    for (uint64_t seed = 20000; seed < 20100; seed++)
        run_scenario(&drift, seed);
    print_message("%ld runs, %ld steps: long - short %.2g, coins %.2g, money %.2g (relative)\n",
                  drift.runs, drift.steps, drift.sides, drift.coins, drift.money);
}

/* ---- threads ------------------------------------------------------------------------------ */

struct result {
    struct book book;
    struct replay_step *steps;
};

static void result_make(struct result *self, const struct random_scenario *scenario, int threads)
{
    struct error err = {0};
    struct replay replay;
    struct book_bars bars = random_scenario_bars(scenario);
    threads_set(threads);
    if (book_draw(&self->book, &scenario->book_params, &bars, &err) != ERROR_NONE)
        fail_msg("book_draw: %s", err.message);
    self->steps = calloc(scenario->params.bars, sizeof *self->steps);
    assert_non_null(self->steps);
    if (replay_init(&replay, &scenario->params, &scenario->path, &self->book, &err) != ERROR_NONE)
        fail_msg("replay_init: %s", err.message);
    for (size_t bar = 0; bar < scenario->params.bars; bar++)
        if (replay_step(&replay, &self->steps[bar], &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", bar, err.message);
    replay_free(&replay);
}

static void result_free(struct result *self)
{
    book_free(&self->book);
    free(self->steps);
}

static void same_results(const struct result *a, const struct result *b, size_t bars)
{
    const struct book *one = &a->book, *two = &b->book;
    assert_int_equal(one->entry_count, two->entry_count);
    assert_int_equal(one->run_count, two->run_count);
    assert_memory_equal(one->positions, two->positions, one->entry_count * sizeof *one->positions);
    assert_memory_equal(one->runs, two->runs, one->run_count * sizeof *one->runs);
    assert_memory_equal(one->bar_runs, two->bar_runs, (one->bars + 1) * sizeof *one->bar_runs);
    assert_memory_equal(a->steps, b->steps, bars * sizeof *a->steps);
}

static void books_and_runs_are_the_same_bytes_at_any_number_of_threads(void **state)
{
    enum { BARS = 3000, POSITIONS = 40000 };
    const int threads[] = {2, 4, 7};
    size_t twins = 0, tried = 0;
    for (uint64_t seed = 1; tried < 4; seed++) {
        struct random_scenario scenario;
        struct result one, many;
        random_scenario_make(&scenario, seed, POSITIONS, BARS);
        if (!scenario.book.from_file) {
            tried++;
            result_make(&one, &scenario, 1);
            twins += one.book.entry_count - one.book.position_count;
            for (int i = 0; i < 3; i++) {
                result_make(&many, &scenario, threads[i]);
                same_results(&one, &many, BARS);
                result_free(&many);
            }
            result_free(&one);
        }
        random_scenario_free(&scenario);
    }
    print_message(
        "%zu books of %d positions (%zu with two brackets in all), %d bars: same bytes at "
        "1, 2, 4 and 7 threads\n",
        tried, POSITIONS, twins, BARS);
    assert_true(twins > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_equals_short_and_money_is_conserved_at_every_step),
        cmocka_unit_test(books_and_runs_are_the_same_bytes_at_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
