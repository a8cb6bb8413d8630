#include "sim/cascade.h"

#include <math.h>

#include "base/memory.h"

enum { BRANCHING_POINTS = 10 };

void cascade_free(struct cascade *self)
{
    memory_free(self->shots);
    self->shots = NULL;
    self->shot_count = self->shot_capacity = 0;
}

/* A forced order: longs are sold, shorts bought back. */
static double order_coins(int side_index, double coins)
{
    return side_index == BOOK_LONG ? -coins : coins;
}

static void price_at(struct cascade *self, double exogenous_last, double exogenous_mark)
{
    if (!self->feedback) {
        self->last = exogenous_last;
        self->mark = exogenous_mark;
        return;
    }
    double impact = impact_log(self->impact, self->state, self->depth);
    double factor = exp(impact);
    self->last = exogenous_last * factor;
    self->mark = exogenous_mark *
                 (self->mark_passthrough == 1.0 ? factor : exp(self->mark_passthrough * impact));
}

static bool reached(int side_index, double trigger_price, double mark)
{
    return side_index == BOOK_LONG ? mark <= trigger_price : mark >= trigger_price;
}

/* The side whose next position the mark has reached, or -1. */
static int reached_side(struct ladder *ladder, double mark)
{
    for (int side = BOOK_LONG; side <= BOOK_SHORT; side++) {
        const struct ladder_next *next = ladder_peek(ladder, side);
        if (next->any && reached(side, next->trigger_price, mark))
            return side;
    }
    return -1;
}

static int shoot(struct cascade *self, int side, double exogenous_last, double exogenous_mark,
                 struct error *err)
{
    struct cascade_shot *shots =
        memory_grow(self->shots, &self->shot_capacity, self->shot_count + 1, sizeof *shots);
    if (shots == NULL)
        return error_memory(err, "the positions of a cascade");
    self->shots = shots;
    struct cascade_shot *shot = &shots[self->shot_count++];
    shot->side_index = side;
    shot->trigger_price = ladder_peek(self->ladder, side)->trigger_price;
    shot->position = ladder_fire(self->ladder, side);
    const struct book_position *position = shot->position.position;
    shot->coins = ledger_coins(self->ledger, side, shot->position.bar,
                               tier_of((double)position->leverage), position->share);
    if (self->nearby != NULL)
        nearby_fire(self->nearby, &shot->position, shot->coins);
    shot->last_before = self->last;
    impact_add(self->impact, self->state, order_coins(side, shot->coins), self->depth);
    if (self->feedback)
        price_at(self, exogenous_last, exogenous_mark);
    shot->last_after = self->last;
    return ERROR_NONE;
}

int cascade_node(struct cascade *self, double exogenous_last, double exogenous_mark,
                 struct error *err)
{
    self->shot_count = 0;
    self->generations = 0;
    price_at(self, exogenous_last, exogenous_mark);
    double wave_mark = self->mark;
    for (;;) {
        int side = reached_side(self->ladder, self->mark);
        if (side < 0)
            return ERROR_NONE;
        if (self->generations == 0) {
            self->generations = 1;
        } else if (!reached(side, ladder_peek(self->ladder, side)->trigger_price, wave_mark)) {
            self->generations++;
            wave_mark = self->mark;
        }
        int code = shoot(self, side, exogenous_last, exogenous_mark, err);
        if (code != ERROR_NONE)
            return code;
    }
}

bool cascade_unreachable(const struct cascade *self, const struct impact_state *before)
{
    double total = impact_log(self->impact, self->state, self->depth);
    struct impact_state state = *before;
    double mark = NAN; /* without some shot at or before this one, all since of the same side ... */
    int side = -1;     /* ... which is this */
    for (size_t i = 0; i < self->shot_count; i++) {
        const struct cascade_shot *shot = &self->shots[i];
        /* Shots of one side move the mark towards their triggers: what was reached without the
           earlier ones is reached with them. */
        if (shot->side_index != side || !reached(side, shot->trigger_price, mark)) {
            /* The price without this shot and those behind it. */
            double undone = impact_log(self->impact, &state, self->depth) - total;
            mark = self->mark * exp(self->mark_passthrough * undone);
            side = shot->side_index;
            if (!reached(side, shot->trigger_price, mark))
                return true;
        }
        impact_add(self->impact, &state, order_coins(shot->side_index, shot->coins), self->depth);
    }
    return false;
}

/* ---- branching ratio -------------------------------------------------------------------- */

/* How far forced orders of `coins` would move the price from `now`. */
static double move_of(const struct impact_params *impact, const struct impact_state *state,
                      double depth, int side, double coins, double now)
{
    struct impact_state after = *state;
    impact_add(impact, &after, order_coins(side, coins), depth);
    return fabs(impact_log(impact, &after, depth) - now);
}

double cascade_branching_ratio(const struct nearby *nearby, const struct impact_params *impact,
                               const struct impact_state *state, double depth, double mark,
                               double window_log)
{
    double largest = 0.0, first = window_log / BRANCHING_POINTS;
    double now = impact_log(impact, state, depth);
    for (int side = BOOK_LONG; side <= BOOK_SHORT; side++) {
        double coins[BRANCHING_POINTS];
        nearby_within(nearby, side, mark, window_log, BRANCHING_POINTS, coins);
        /* The nearest distance, where an impact that bends down gives most; then from the farthest
           inward, leaving out those that even what lies beyond them would not make the largest. */
        double moved = move_of(impact, state, depth, side, coins[0], now);
        largest = fmax(largest, moved / first);
        moved = INFINITY;
        for (int k = BRANCHING_POINTS - 1; k > 0; k--) {
            double distance = first * (k + 1);
            if (moved <= largest * distance)
                continue;
            moved = move_of(impact, state, depth, side, coins[k], now);
            largest = fmax(largest, moved / distance);
        }
    }
    return largest;
}
