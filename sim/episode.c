#include "sim/episode.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"

#define ROW(member, kind, units, text)                                                       \
    {                                                                                        \
#member, kind, units, text, offsetof(struct episode, member), NULL, 0, 0, NULL, NULL \
    }

const struct field episode_fields[] = {
    ROW(run, FIELD_INT64, "", "run of summary.csv"),
    ROW(episode, FIELD_INT64, "", "number of the episode in its run"),
    {"start", FIELD_TIME_MS, "utc", "first step above the floor",
     offsetof(struct episode, start_ms), NULL, 0, 0, NULL, NULL},
    {"end", FIELD_TIME_MS, "utc", "end of the last step above the floor",
     offsetof(struct episode, end_ms), NULL, 0, 0, NULL, NULL},
    ROW(duration_ms, FIELD_INT64, "ms", "from start to end"),
    ROW(price_start, FIELD_DOUBLE, "quote", "last price before the first step"),
    ROW(price_low, FIELD_DOUBLE, "quote", "lowest last price"),
    ROW(price_high, FIELD_DOUBLE, "quote", "highest last price"),
    ROW(price_end, FIELD_DOUBLE, "quote", "last price at the end"),
    ROW(oi_start_coins, FIELD_DOUBLE, "coins", "open interest of a side before the first step"),
    ROW(oi_end_coins, FIELD_DOUBLE, "coins", "open interest of a side at the end"),
    ROW(liquidated_usd, FIELD_DOUBLE, "usd", "forced orders at their fills"),
    ROW(liquidated_long_usd, FIELD_DOUBLE, "usd", "of them of longs"),
    ROW(liquidated_short_usd, FIELD_DOUBLE, "usd", "of them of shorts"),
    ROW(liquidated_coins, FIELD_DOUBLE, "coins", "forced orders"),
    ROW(liquidated_positions, FIELD_INT64, "", "positions of the book that fired"),
    ROW(long_share, FIELD_DOUBLE, "share", "longs' part of liquidated_usd"),
    ROW(peak_step_usd, FIELD_DOUBLE, "usd", "largest forced flow of one step"),
    ROW(exogenous_move, FIELD_DOUBLE, "log", "move to the farthest price without forced orders"),
    ROW(endogenous_move, FIELD_DOUBLE, "log", "move to the farthest price by forced orders"),
    ROW(amplification, FIELD_DOUBLE, "", "whole move over its exogenous part"),
    ROW(branching_ratio_max, FIELD_DOUBLE, "", "largest branching ratio of its steps"),
    ROW(generations_max, FIELD_INT64, "", "most waves at one price"),
    ROW(insurance_draw_usd, FIELD_DOUBLE, "usd", "paid by insurance funds"),
    ROW(bad_debt_usd, FIELD_DOUBLE, "usd", "losses that no fund paid"),
};
const size_t episode_field_count = sizeof episode_fields / sizeof *episode_fields;

void episodes_init(struct episodes *self, const struct episode_params *params, int64_t run,
                   double oi_coins, double price)
{
    memset(self, 0, sizeof *self);
    self->params = *params;
    self->run = run;
    self->oi_before = oi_coins;
    self->price_before = price;
}

void episodes_free(struct episodes *self)
{
    memory_free(self->items);
    memset(self, 0, sizeof *self);
}

static int begin(struct episodes *self, const struct replay_step *step, struct error *err)
{
    struct episode *items =
        memory_grow(self->items, &self->capacity, self->count + 1, sizeof *items);
    if (items == NULL)
        return error_memory(err, "episodes");
    self->items = items;
    items[self->count] = (struct episode){
        .run = self->run,
        .episode = (int64_t)self->count + 1,
        .start_ms = step->time_ms,
        .price_start = self->price_before,
        .price_low = step->price_low,
        .price_high = step->price_high,
        .oi_start_coins = self->oi_before,
    };
    self->count++;
    self->open = true;
    self->extreme_log = 0.0;
    self->start_exogenous = self->exogenous_before;
    self->start_endogenous = self->endogenous_before;
    return ERROR_NONE;
}

/* Flows count in every step of the episode, quiet ones within it included. */
static void add_flows(struct episode *episode, const struct replay_step *step)
{
    const struct settle_flow *side = step->forced.side;
    double usd = side[BOOK_LONG].usd + side[BOOK_SHORT].usd;
    episode->liquidated_usd += usd;
    episode->liquidated_long_usd += side[BOOK_LONG].usd;
    episode->liquidated_short_usd += side[BOOK_SHORT].usd;
    episode->liquidated_coins += side[BOOK_LONG].coins + side[BOOK_SHORT].coins;
    episode->liquidated_positions += side[BOOK_LONG].positions + side[BOOK_SHORT].positions;
    episode->long_share = episode->liquidated_usd > 0.0
                              ? episode->liquidated_long_usd / episode->liquidated_usd
                              : NAN;
    episode->peak_step_usd = fmax(episode->peak_step_usd, usd);
    episode->insurance_draw_usd += step->forced.fund_draw_usd;
    episode->bad_debt_usd += step->forced.bad_debt_usd;
}

static void add_prices(struct episodes *self, struct episode *episode,
                       const struct replay_step *step)
{
    episode->price_low = fmin(episode->price_low, step->price_low);
    episode->price_high = fmax(episode->price_high, step->price_high);
    if (step->branching_ratio > episode->branching_ratio_max)
        episode->branching_ratio_max = step->branching_ratio;
    if (step->generations > episode->generations_max)
        episode->generations_max = step->generations;
    double moved = step->extreme_log - self->start_exogenous - self->start_endogenous;
    if (fabs(moved) >= fabs(self->extreme_log)) {
        self->extreme_log = moved;
        episode->endogenous_move = step->extreme_endogenous_log - self->start_endogenous;
        episode->exogenous_move = moved - episode->endogenous_move;
        episode->amplification =
            episode->exogenous_move != 0.0 ? moved / episode->exogenous_move : NAN;
    }
}

int episodes_step(struct episodes *self, const struct replay_step *step, struct error *err)
{
    const struct settle_flow *side = step->forced.side;
    double usd = side[BOOK_LONG].usd + side[BOOK_SHORT].usd;
    double minutes = (double)self->params.step_ms / (double)CALENDAR_MINUTE_MS;
    bool loud = usd > 0.0 && usd >= self->params.floor_usd_per_min * minutes;
    int64_t end_ms = step->time_ms + self->params.step_ms;
    if (self->open && !loud && end_ms - self->last_loud_ms > self->params.quiet_ms)
        self->open = false;
    if (loud && !self->open) {
        int code = begin(self, step, err);
        if (code != ERROR_NONE)
            return code;
    }
    if (self->open) {
        struct episode *episode = &self->items[self->count - 1];
        add_flows(episode, step);
        add_prices(self, episode, step);
        if (loud) {
            self->last_loud_ms = episode->end_ms = end_ms;
            episode->duration_ms = end_ms - episode->start_ms;
            episode->price_end = step->price_close;
            episode->oi_end_coins = step->oi_coins;
        }
    }
    self->price_before = step->price_close;
    self->oi_before = step->oi_coins;
    self->exogenous_before = step->exogenous_log;
    self->endogenous_before = step->endogenous_log;
    return ERROR_NONE;
}
