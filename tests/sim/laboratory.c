#include "tests/sim/laboratory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"

static void flat_market(struct laboratory *self)
{
    struct market_bars bars = {self->prices, self->prices, self->prices, self->prices};
    self->prices[0] = self->price;
    self->market = (struct market){.step_ms = LABORATORY_STEP_MS, .bars = 1};
    self->market.last = self->market.mark = bars;
    self->path = (struct path){.market = &self->market, .shock = true};
}

static void simplest_params(struct laboratory *self, double lambda, size_t bars)
{
    self->params = (struct replay_params){
        .impact = {.kind = IMPACT_KIND_LINEAR,
                   .reference_coins = 1.0,
                   .reference_move_log = lambda,
                   .permanent_share = 1.0,
                   .half_life_ms = CALENDAR_NONE},
        .depth = {.kind = DEPTH_KIND_CONSTANT},
        .funding_bar = REPLAY_NEVER,
        .feedback_bar = 0,
        .frozen_bar = 0,
        .fill = SETTLE_WALK,
        .mark_passthrough = 1.0,
        .absorbed_by_closers = 1.0,
        .oi_share = 1.0,
        .oi_scale = 1.0,
        .bars = bars,
        .branching_window_log = 0.01,
        .fund_usd = {INFINITY},
    };
}

void laboratory_make_given(struct laboratory *self, double price, double maintenance_rate,
                           const struct book_given *given, size_t count, double lambda, size_t bars)
{
    struct error err = {0};
    memset(self, 0, sizeof *self);
    self->price = price;
    flat_market(self);
    simplest_params(self, lambda, bars);
    brackets_flat(&self->brackets, maintenance_rate, 1e9);
    self->venue = (struct book_venue){.name = "laboratory",
                                      .formula = margin_find("linear_mark"),
                                      .oi_share = 1.0,
                                      .tables = &self->brackets,
                                      .table_count = 1};
    if (book_from_given(&self->book, given, count, &self->venue, 1, 0, bars, &err) != ERROR_NONE)
        fail_msg("book_from_given: %s", err.message);
}

void laboratory_make(struct laboratory *self, double price, double maintenance_rate,
                     const struct laboratory_level *levels, size_t count, double lambda,
                     size_t bars)
{
    struct book_given *given = calloc(count, sizeof *given);
    assert_non_null(given);
    for (size_t i = 0; i < count; i++)
        given[i] = (struct book_given){.side = 1,
                                       .entry_price = price,
                                       .size_coins = levels[i].coins,
                                       .liquidation_price = price * exp(-levels[i].distance_log)};
    laboratory_make_given(self, price, maintenance_rate, given, count, lambda, bars);
    free(given);
}

void laboratory_free(struct laboratory *self)
{
    book_free(&self->book);
}

static void take_in(const struct laboratory *self, const struct replay_step *step,
                    struct laboratory_outcome *out)
{
    const struct settle_flow *longs = &step->forced.side[BOOK_LONG];
    assert_int_equal(step->forced.side[BOOK_SHORT].positions, 0);
    out->displacement_log = -log(step->price_close / self->price);
    out->coins += longs->coins;
    out->usd += longs->usd;
    out->fired += longs->positions;
    if (step->generations > out->generations)
        out->generations = step->generations;
}

struct laboratory_outcome laboratory_run(struct laboratory *self, double shock_log, int64_t over_ms)
{
    struct laboratory_outcome out = {0};
    struct error err = {0};
    struct replay replay;
    struct replay_step step;
    self->path.move_log = -shock_log;
    self->path.over_ms = over_ms;
    if (replay_init(&replay, &self->params, &self->path, &self->book, &err) != ERROR_NONE)
        fail_msg("replay_init: %s", err.message);
    for (size_t bar = 0; bar < self->params.bars; bar++) {
        if (replay_step(&replay, &step, &err) != ERROR_NONE)
            fail_msg("bar %zu: %s", bar, err.message);
        if (bar == 0)
            out.branching_ratio = step.branching_ratio;
        take_in(self, &step, &out);
    }
    out.fund_net_usd = replay.fund_net_usd;
    out.bad_debt_usd = replay.bad_debt_usd;
    replay_free(&replay);
    return out;
}

void laboratory_replay(struct laboratory *self, bool feedback, struct replay *out)
{
    struct error err = {0};
    if (replay_init(out, &self->params, &self->path, &self->book, &err) != ERROR_NONE)
        fail_msg("replay_init: %s", err.message);
    out->prices.feedback = feedback;
    out->prices.depth = 1.0;
}

size_t laboratory_node(struct replay *replay, double price, double previous)
{
    struct error err = {0};
    struct cascade_node node = {
        .exogenous_last = price, .exogenous_mark = price, .previous_last = previous};
    int64_t spent_ms;
    if (cascade_walk(&replay->cascade, &node, &spent_ms, &err) != ERROR_NONE)
        fail_msg("cascade_walk: %s", err.message);
    return replay->cascade.shot_count;
}

struct laboratory_level *laboratory_cells(size_t count, double start, double width, double place,
                                          double (*coins)(size_t k, const void *context),
                                          const void *context)
{
    struct laboratory_level *levels = calloc(count, sizeof *levels);
    assert_non_null(levels);
    for (size_t k = 0; k < count; k++)
        levels[k] =
            (struct laboratory_level){start + ((double)k + place) * width, coins(k, context)};
    return levels;
}
