/*
 * Forks: a replay that is forked from a shared warm-up walks on as one that walked there by itself,
 * to the last bit, whatever the rules; the warm-up is left as it was; and levels of open interest
 * differ at their start by a factor and in nothing else.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/metrics.h"
#include "sim/replay.h"
#include "tests/sim/random_scenario.h"

enum { POSITIONS = 600, BARS = 120, SEEDS = 60, ACCOUNTS = 200 };

/* ---- what both sides do ------------------------------------------------------------------- */

/* A walk as far as it goes: to the end, or until the price runs away. */
struct walk {
    struct replay_step steps[BARS];
    size_t count;
    int code;
    long fired, deleveraged, rests, accounts;
    double oi_tier[2][TIERS];
    double fund_usd[BOOK_VENUES_MAX];
};

static void walk_on(struct replay *replay, struct walk *out)
{
    struct error err = {0};
    struct metrics metrics;
    struct metrics_run run = {.run = 1};
    size_t start = replay->params->start_bar;
    if (metrics_init(&metrics, &run, replay, BARS - start, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
    memcpy(out->oi_tier, metrics.oi_tier, sizeof out->oi_tier);
    metrics_free(&metrics);
    while (replay->bar < BARS && out->code == ERROR_NONE) {
        struct replay_step *step = &out->steps[out->count];
        out->code = replay_step(replay, step, &err);
        if (out->code != ERROR_NONE)
            break;
        out->count++;
        out->fired += (long)(step->forced.side[0].positions + step->forced.side[1].positions);
        out->deleveraged += (long)replay->deleverage.record_count;
    }
    if (out->code != ERROR_NONE)
        assert_int_equal(out->code, ERROR_NUMERICAL);
    out->rests = (long)replay->ladder.rests.count;
    memcpy(out->fund_usd, replay->settle.fund_usd, sizeof out->fund_usd);
    for (size_t i = 0; i < replay->book->account_count; i++)
        out->accounts += replay->accounts.gone[i];
}

static void assert_same_walk(const struct walk *a, const struct walk *b, uint64_t seed)
{
    if (a->count != b->count || a->code != b->code)
        fail_msg("seed %llu: %zu bars with code %d, %zu with %d", (unsigned long long)seed,
                 a->count, a->code, b->count, b->code);
    for (size_t i = 0; i < a->count; i++)
        if (memcmp(&a->steps[i], &b->steps[i], sizeof a->steps[i]) != 0)
            fail_msg("seed %llu: step %zu differs: closes %.17g and %.17g, open interest %.17g "
                     "and %.17g",
                     (unsigned long long)seed, i, a->steps[i].price_close, b->steps[i].price_close,
                     a->steps[i].oi_coins, b->steps[i].oi_coins);
    assert_memory_equal(a->oi_tier, b->oi_tier, sizeof a->oi_tier);
    assert_memory_equal(a->fund_usd, b->fund_usd, sizeof a->fund_usd);
    assert_int_equal(a->deleveraged, b->deleveraged);
    assert_int_equal(a->rests, b->rests);
    assert_int_equal(a->accounts, b->accounts);
}

/* ---- a world ------------------------------------------------------------------------------ */

struct world {
    struct random_scenario scenario;
    const struct book *book; /* the scenario's, or `own` */
    struct book own;
    struct brackets brackets;
    struct replay_params params, neutral;
    struct replay warm;
};

/* What is not to matter before the start is something else there. */
static void make_neutral(struct world *self, bool other_depth)
{
    self->neutral = self->params;
    self->neutral.impact = (struct impact_params){.kind = IMPACT_KIND_NONE};
    self->neutral.start_bar = self->neutral.feedback_bar = self->neutral.frozen_bar = REPLAY_NEVER;
    self->neutral.generation_ms = 0;
    self->neutral.fill = SETTLE_WALK;
    self->neutral.split = false;
    self->neutral.mark_passthrough = 0.5;
    self->neutral.oi_scale = 3.0;
    self->neutral.record = NULL;
    self->neutral.factual = NULL;
    if (other_depth)
        self->neutral.depth = (struct depth_params){.kind = DEPTH_KIND_CONSTANT};
    for (int v = 0; v < BOOK_VENUES_MAX; v++) {
        self->neutral.fund_usd[v] = INFINITY;
        self->neutral.venue[v].adl = NULL;
        self->neutral.venue[v].adl_drawdown = 1.0;
    }
}

/* The start lies within the run, so that something comes before it. */
static void world_make(struct world *self, uint64_t seed, const struct random_wishes *wishes)
{
    memset(self, 0, sizeof *self);
    random_scenario_make_wished(&self->scenario, seed, POSITIONS, BARS, wishes);
    self->book = &self->scenario.book;
    self->params = self->scenario.params;
    self->params.start_bar = BARS / 3;
    if (self->params.feedback_bar != REPLAY_NEVER)
        self->params.feedback_bar += self->params.start_bar - self->scenario.params.start_bar;
    if (self->params.frozen_bar != REPLAY_NEVER)
        self->params.frozen_bar = self->params.start_bar;
}

static double between(struct random_scenario *scenario, double low, double high)
{
    return random_scenario_between(scenario, low, high);
}

static struct book_account draw_account(struct random_scenario *scenario)
{
    struct book_account out = {.venue = random_scenario_chance(scenario, 0.5)};
    double price = scenario->market.last.open[0], gross = 0.0;
    int one = random_scenario_chance(scenario, 0.5), both = random_scenario_chance(scenario, 0.4);
    for (int side = 0; side < 2; side++) {
        if (!both && side != one)
            continue;
        out.coins[side] = between(scenario, 0.1, 2.0);
        out.entry_price[side] = price * between(scenario, 0.97, 1.03);
        gross += out.coins[side] * out.entry_price[side];
    }
    out.wallet_usd = gross / exp(between(scenario, 1.0, 4.0));
    return out;
}

/* Isolated positions and accounts of two venues of the simplest contract. */
static void give_accounts(struct world *self)
{
    struct book_account accounts[ACCOUNTS];
    struct book_given given[ACCOUNTS];
    struct book_venue venues[2];
    struct random_scenario *scenario = &self->scenario;
    struct error err = {0};
    brackets_flat(&self->brackets, 0.005, 100.0);
    for (int v = 0; v < 2; v++)
        venues[v] = (struct book_venue){.name = "venue",
                                        .formula = margin_find("linear_mark"),
                                        .oi_share = 0.5,
                                        .tables = &self->brackets,
                                        .table_count = 1};
    for (int i = 0; i < ACCOUNTS; i++) {
        accounts[i] = draw_account(scenario);
        given[i] = (struct book_given){.venue = i % 2,
                                       .side = i % 3 == 0 ? -1 : 1,
                                       .entry_price = scenario->market.last.open[0],
                                       .size_coins = between(scenario, 0.1, 2.0),
                                       .leverage = between(scenario, 2.0, 50.0),
                                       .liquidation_price = NAN};
    }
    if (book_from_given(&self->own, given, ACCOUNTS, venues, 2, scenario->market.start_ms, BARS,
                        &err) != ERROR_NONE ||
        book_add_accounts(&self->own, accounts, ACCOUNTS, scenario->market.start_ms, &err) !=
            ERROR_NONE)
        fail_msg("%s", err.message);
    self->book = &self->own;
}

static void warm_up(struct world *self)
{
    struct error err = {0};
    struct replay_step step;
    if (replay_init(&self->warm, &self->neutral, &self->scenario.path, self->book, &err) !=
        ERROR_NONE)
        fail_msg("%s", err.message);
    while (self->warm.bar < self->params.start_bar)
        if (replay_step(&self->warm, &step, &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", self->warm.bar, err.message);
    /* Forks that ask for another window than the one counted for count for themselves. */
    double window = self->params.branching_window_log * (self->scenario.seed % 4 == 0 ? 2.0 : 1.0);
    if (replay_take_stock(&self->warm, &self->scenario.path, BARS, window, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
}

static void world_free(struct world *self)
{
    replay_free(&self->warm);
    if (self->book == &self->own)
        book_free(&self->own);
    random_scenario_free(&self->scenario);
}

static void walk_straight(struct world *self, struct walk *out)
{
    struct replay replay;
    struct replay_step step;
    struct error err = {0};
    memset(out, 0, sizeof *out);
    if (replay_init(&replay, &self->params, &self->scenario.path, self->book, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
    while (replay.bar < self->params.start_bar)
        if (replay_step(&replay, &step, &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", replay.bar, err.message);
    walk_on(&replay, out);
    replay_free(&replay);
}

static void walk_fork(struct world *self, struct walk *out)
{
    struct replay replay;
    struct error err = {0};
    memset(out, 0, sizeof *out);
    if (replay_fork(&replay, &self->params, &self->scenario.path, &self->warm, &err) != ERROR_NONE)
        fail_msg("%s", err.message);
    walk_on(&replay, out);
    replay_free(&replay);
}

/* What happened over all worlds of a test. */
struct seen {
    long fired, deleveraged, rests, accounts, runaways;
};

/* Straight, forked, and forked once more after that. */
static void compare(struct world *self, uint64_t seed, struct seen *seen)
{
    static struct walk straight, fork;
    walk_straight(self, &straight);
    for (int again = 0; again < 2; again++) {
        walk_fork(self, &fork);
        assert_same_walk(&straight, &fork, seed);
    }
    seen->fired += straight.fired;
    seen->deleveraged += straight.deleveraged;
    seen->rests += straight.rests;
    seen->accounts += straight.accounts;
    seen->runaways += straight.code != ERROR_NONE;
}

/* ---- forks -------------------------------------------------------------------------------- */

static void a_fork_walks_on_as_if_it_had_walked_there(void **state)
{
    static struct world world;
    static const double scales[] = {1.0, 0.21, 3.7};
    struct seen seen = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world_make(&world, seed, &(struct random_wishes){0});
        world.params.oi_scale = scales[seed % 3];
        make_neutral(&world, seed % 2 == 0);
        warm_up(&world);
        compare(&world, seed, &seen);
        world_free(&world);
    }
    print_message("%d worlds: %ld fired, %ld rests, %ld rows of deleveraging, %ld ran away\n",
                  SEEDS, seen.fired, seen.rests, seen.deleveraged, seen.runaways);
    assert_true(seen.fired > 1000 && seen.rests > 100 && seen.deleveraged > 20);
}

static void forks_part_accounts_by_their_venues(void **state)
{
    static struct world world;
    struct seen seen = {0};
    struct random_wishes wishes = {.venues = 2, .partial = RANDOM_WISH_NO, .adl = RANDOM_WISH_NO};
    for (uint64_t seed = 1; seed <= SEEDS / 3; seed++) {
        world_make(&world, 500 + seed, &wishes);
        give_accounts(&world);
        world.params.split = seed % 2 == 0;
        world.params.oi_scale = seed % 3 == 0 ? 2.5 : 1.0;
        make_neutral(&world, false);
        warm_up(&world);
        compare(&world, 500 + seed, &seen);
        world_free(&world);
    }
    print_message("%ld legs and positions fired, %ld accounts with those before the start\n",
                  seen.fired, seen.accounts);
    assert_true(seen.accounts > 100 && seen.fired > 300);
}

/* One warm-up serves what happened, and what would have. */
static void forks_record_and_follow_records(void **state)
{
    static struct world world;
    struct random_wishes wishes = {.split = RANDOM_WISH_NO, .drawn = RANDOM_WISH_YES};
    struct seen seen = {0};
    for (uint64_t seed = 1; seed <= SEEDS / 3; seed++) {
        static struct walk straight, fork;
        struct factual records[2];
        world_make(&world, 900 + seed, &wishes);
        world.scenario.path.shock = false;
        world.params.oi_scale = 1.0;
        world.params.feedback_bar = REPLAY_NEVER;
        make_neutral(&world, false);
        warm_up(&world);
        for (int i = 0; i < 2; i++) {
            struct error err = {0};
            assert_int_equal(factual_init(&records[i], world.params.start_bar, BARS, &err),
                             ERROR_NONE);
            world.params.record = &records[i];
            if (i == 0)
                walk_straight(&world, &straight);
            else
                walk_fork(&world, &fork);
        }
        assert_same_walk(&straight, &fork, seed);
        assert_memory_equal(records[0].bars, records[1].bars,
                            records[0].count * sizeof *records[0].bars);
        assert_int_equal(records[0].unreachable, records[1].unreachable);
        world.params.record = NULL;
        world.params.factual = &records[1];
        world.params.feedback_bar = world.params.start_bar;
        world.params.oi_scale = world.params.factual_scale = seed % 2 == 0 ? 1.0 : 1.5;
        world.params.start_scale = world.params.factual_scale;
        compare(&world, 900 + seed, &seen);
        factual_free(&records[0]);
        factual_free(&records[1]);
        world_free(&world);
    }
    assert_true(seen.fired > 300);
}

/* ---- levels ------------------------------------------------------------------------------- */

static void assert_times(const struct ledger_sums *sums, const struct ledger_sums *of, double scale)
{
    assert_true(sums->coins == scale * of->coins);
    assert_true(sums->entry_value == scale * of->entry_value);
    assert_true(sums->margin == scale * of->margin);
    assert_true(sums->funding_value == scale * of->funding_value);
}

/* Until the start both levels are one; there, one holds so many times what the other does. */
static void a_level_begins_as_a_multiple_of_what_was_observed(void **state)
{
    static struct world world;
    for (uint64_t seed = 1; seed <= SEEDS / 3; seed++) {
        struct replay one, many;
        struct replay_params params[2];
        struct error err = {0};
        world_make(&world, 1300 + seed, &(struct random_wishes){0});
        double scale = exp(between(&world.scenario, -2.0, 2.0));
        params[0] = params[1] = world.params;
        params[0].oi_scale = 1.0;
        params[1].oi_scale = scale;
        assert_int_equal(replay_init(&one, &params[0], &world.scenario.path, world.book, &err),
                         ERROR_NONE);
        assert_int_equal(replay_init(&many, &params[1], &world.scenario.path, world.book, &err),
                         ERROR_NONE);
        while (one.bar < world.params.start_bar) {
            struct replay_step a, b;
            assert_int_equal(replay_step(&one, &a, &err), ERROR_NONE);
            assert_int_equal(replay_step(&many, &b, &err), ERROR_NONE);
            assert_memory_equal(&a, &b, sizeof a);
        }
        for (int i = 0; i < 2; i++) {
            const struct ledger_side *from = &one.ledger.side[i], *to = &many.ledger.side[i];
            assert_times(&to->held, &from->held, scale);
            for (int tier = 0; tier < TIERS; tier++)
                assert_times(&to->tier[tier], &from->tier[tier], scale);
            for (size_t bar = from->first_bar; bar < from->open_bars; bar++)
                assert_true(to->opened[bar] == scale * from->opened[bar]);
            assert_true(to->hazard == from->hazard);
        }
        replay_free(&one);
        replay_free(&many);
        random_scenario_free(&world.scenario);
    }
}

/* ---- failures ----------------------------------------------------------------------------- */

static void a_fork_that_finds_no_memory_says_so_and_leaves_nothing(void **state)
{
    static struct world world;
    struct random_wishes wishes = {.venues = 2, .split = RANDOM_WISH_YES, .adl = RANDOM_WISH_YES};
    struct replay fork;
    int code = ERROR_IO;
    long failures = -1;
    world_make(&world, 7, &wishes);
    for (int v = 0; v < 2; v++)
        world.params.fund_usd[v] = 1e5;
    make_neutral(&world, false);
    warm_up(&world);
    while (code == ERROR_IO) {
        struct error err = {0};
        memory_fail_after(++failures + 1);
        code = replay_fork(&fork, &world.params, &world.scenario.path, &world.warm, &err);
        memory_fail_after(0);
    }
    assert_int_equal(code, ERROR_NONE);
    print_message("%ld allocations of a fork fail cleanly\n", failures);
    assert_true(failures > 10);
    replay_free(&fork);
    world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fork_walks_on_as_if_it_had_walked_there),
        cmocka_unit_test(forks_part_accounts_by_their_venues),
        cmocka_unit_test(forks_record_and_follow_records),
        cmocka_unit_test(a_level_begins_as_a_multiple_of_what_was_observed),
        cmocka_unit_test(a_fork_that_finds_no_memory_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
