/*
 * The brute-force engine's cascade at a node: every record is looked at before every firing.
 */
#include <math.h>

#include "tests/sim/brute_parts.h"

/* ---- what is next ----------------------------------------------------------------------- */

static bool reached(const struct brute_candidate *candidate, double mark)
{
    return candidate->position->side > 0 ? mark <= candidate->price : mark >= candidate->price;
}

/* Of the book before what is left of others. */
static bool stands_first(const struct brute_candidate *a, const struct brute_candidate *b)
{
    uint32_t a_rest = a->position->rest, b_rest = b->position->rest;
    if (a_rest != RESTS_NONE || b_rest != RESTS_NONE)
        return a_rest == RESTS_NONE || (b_rest != RESTS_NONE && a_rest < b_rest);
    if (a->bracket->run != b->bracket->run)
        return a->bracket->run < b->bracket->run;
    return a->position->order < b->position->order;
}

/* Of one side and market: nearest first; then lower class, higher key. */
static bool goes_first(const struct brute_candidate *a, const struct brute_candidate *b)
{
    double sign = (double)a->position->side;
    if (b->position == NULL || a->price != b->price)
        return b->position == NULL || sign * a->price > sign * b->price;
    if (a->bracket->class_id != b->bracket->class_id)
        return a->bracket->class_id < b->bracket->class_id;
    if (a->bracket->level != b->bracket->level)
        return sign * a->bracket->level > sign * b->bracket->level;
    return stands_first(a, b);
}

/* The nearest of each market and side. */
static void find_nearest(struct brute_force *self, struct brute_candidate nearest[][2])
{
    for (int g = 0; g < brute_markets(self); g++)
        nearest[g][0] = nearest[g][1] = (struct brute_candidate){0};
    for (size_t i = 0; i < self->opened; i++) {
        struct brute_position *position = &self->positions[i];
        bool waits = position->rest != RESTS_NONE && position->ready_ms > self->now_ms;
        if (!brute_position_left(position) || waits)
            continue;
        struct brute_candidate *first =
            &nearest[brute_market_of(self, position->venue)][book_side_index(position->side)];
        for (int b = 0; b < position->bracket_count; b++) {
            struct brute_candidate here = {position, &position->brackets[b],
                                           brute_trigger(self, &position->brackets[b])};
            if (goes_first(&here, first))
                *first = here;
        }
        self->looked_at += position->bracket_count;
    }
}

/* Longs first; of the markets that reach one, that whose mark is past it the farthest. */
static struct brute_candidate find_next(struct brute_force *self)
{
    struct brute_candidate nearest[BOOK_VENUES_MAX][2], next = {0};
    find_nearest(self, nearest);
    for (int side = 0; side < 2 && next.position == NULL; side++) {
        double farthest = NAN;
        for (int g = 0; g < brute_markets(self); g++) {
            const struct brute_candidate *here = &nearest[g][side];
            if (here->position == NULL || !reached(here, self->mark[g]))
                continue;
            double past = here->price / self->mark[g];
            if (next.position == NULL || (side == BOOK_LONG ? past > farthest : past < farthest)) {
                next = *here;
                farthest = past;
            }
        }
    }
    return next;
}

/* ---- a node ----------------------------------------------------------------------------- */

/* A generation of the clock goes by, if the node leaves time for it. */
static bool tick(struct brute_force *self)
{
    int64_t generation = self->params->generation_ms;
    if (generation == 0 || self->spent_ms + generation > self->room_ms)
        return false;
    self->spent_ms += generation;
    self->now_ms += generation;
    brute_pass(self, generation);
    brute_place(self, self->exogenous_last, self->exogenous_mark);
    self->counts.ticks++;
    return true;
}

int brute_cascade(struct brute_force *self, double last, double mark, struct settle_tally *tally)
{
    double wave[BOOK_VENUES_MAX];
    bool ticked = false;
    int waves = 0;
    self->shot_count = 0;
    brute_place(self, last, mark);
    for (int g = 0; g < brute_markets(self); g++)
        wave[g] = self->mark[g];
    for (;;) {
        struct brute_candidate next = find_next(self);
        if (next.position == NULL)
            break;
        bool later = waves > 0 && !ticked &&
                     !reached(&next, wave[brute_market_of(self, next.position->venue)]);
        if (later) {
            ticked = tick(self);
            for (int g = 0; g < brute_markets(self); g++)
                wave[g] = self->mark[g];
            if (ticked)
                continue;
        }
        if (waves == 0 || ticked || later)
            waves++;
        ticked = false;
        brute_shoot(self, &next, tally);
    }
    if (self->params->fill == SETTLE_FINAL)
        brute_settle_final(self, tally);
    return waves;
}

bool brute_unreachable(const struct brute_force *self, const struct impact_state *before)
{
    const struct impact_params *impact = &self->params->impact;
    struct impact_state states[BOOK_VENUES_MAX];
    for (int v = 0; v < BOOK_VENUES_MAX; v++)
        states[v] = before[v];
    for (size_t i = 0; i < self->shot_count; i++) {
        const struct brute_shot *shot = &self->shots[i];
        int s = brute_state_of(self, shot->market);
        double depth = brute_depth_of(self, shot->market);
        double without =
            impact_log(impact, &states[s], depth) - impact_log(impact, &self->impact[s], depth);
        double mark =
            self->mark[shot->market] * exp(brute_passthrough(self, shot->market) * without);
        if (shot->side_index == BOOK_LONG ? mark > shot->trigger_price : mark < shot->trigger_price)
            return true;
        impact_add(impact, &states[s], shot->side_index == BOOK_LONG ? -shot->coins : shot->coins,
                   depth);
    }
    return false;
}
