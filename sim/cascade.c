#include "sim/cascade.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sim/cascade_shoot.h"

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

static bool reached(int side_index, double trigger_price, double mark)
{
    return side_index == BOOK_LONG ? mark <= trigger_price : mark >= trigger_price;
}

/* ---- what fires next -------------------------------------------------------------------- */

/* The marks at the beginning of a generation. */
struct wave {
    double mark[BOOK_VENUES_MAX];
};

static void wave_begin(const struct cascade *self, struct wave *wave)
{
    for (int g = 0; g < self->ladder->market_count; g++)
        wave->mark[g] = self->prices->market[g].mark;
}

/* What is to fire. */
struct target {
    int side, market;
    double trigger_price; /* NaN: there is none */
    bool account;         /* else a position */
};

/* The next of a side of a market, reached or not. */
static inline struct target next_of(const struct cascade *self, int side, int market)
{
    const struct ladder_next *next = ladder_peek(self->ladder, market, side);
    struct target out = {side, market, next->any ? next->trigger_price : NAN, false};
    if (self->accounts == NULL)
        return out;
    double account = accounts_peek(self->accounts, market, side);
    bool first = isnan(out.trigger_price) ||
                 (side == BOOK_LONG ? account > out.trigger_price : account < out.trigger_price);
    return first ? (struct target){side, market, account, true} : out;
}

/* Of the markets whose next of a side is reached, the one that is past it the farthest. */
static bool find_reached(const struct cascade *self, int side, struct target *out)
{
    if (self->ladder->market_count == 1) {
        *out = next_of(self, side, 0);
        return reached(side, out->trigger_price, self->prices->market[0].mark);
    }
    bool found = false;
    double farthest = NAN;
    for (int g = 0; g < self->ladder->market_count; g++) {
        struct target next = next_of(self, side, g);
        double mark = self->prices->market[g].mark;
        if (!reached(side, next.trigger_price, mark))
            continue;
        double past = next.trigger_price / mark;
        if (!found || (side == BOOK_LONG ? past > farthest : past < farthest)) {
            *out = next;
            found = true;
            farthest = past;
        }
    }
    return found;
}

static bool find_next(const struct cascade *self, struct target *out)
{
    return find_reached(self, BOOK_LONG, out) || find_reached(self, BOOK_SHORT, out);
}

/* ---- walking ---------------------------------------------------------------------------- */

/* Time passes between two generations, if there is room for it. */
static int tick(struct cascade *self, const struct cascade_node *node, int64_t *spent_ms,
                bool *out_ticked, struct error *err)
{
    *out_ticked = self->generation_ms > 0 && *spent_ms + self->generation_ms <= node->room_ms;
    if (!*out_ticked)
        return ERROR_NONE;
    *spent_ms += self->generation_ms;
    prices_pass(self->prices, self->generation_ms);
    prices_place(self->prices, node->exogenous_last, node->exogenous_mark);
    return ladder_release(self->ladder, node->time_ms + *spent_ms, err);
}

static int fire_all(struct cascade *self, const struct cascade_node *node, int64_t *spent_ms,
                    struct error *err)
{
    struct wave wave = {{0.0}};
    bool ticked = false;
    int code = ERROR_NONE;
    struct target next;
    wave_begin(self, &wave);
    while (code == ERROR_NONE && find_next(self, &next)) {
        bool later = self->generations > 0 &&
                     !reached(next.side, next.trigger_price, wave.mark[next.market]);
        if (later && !ticked) {
            code = tick(self, node, spent_ms, &ticked, err);
            wave_begin(self, &wave);
            if (code != ERROR_NONE || ticked)
                continue;
        }
        self->generations += self->generations == 0 || later || ticked;
        ticked = false;
        size_t before = self->shot_count;
        code = next.account ? cascade_shoot_account(self, next.side, next.market, node, err)
                            : cascade_shoot(self, next.side, next.market, node,
                                            node->time_ms + *spent_ms, err);
        for (size_t i = before; self->generations > 1 && i < self->shot_count; i++)
            self->later_coins += fabs(self->shots[i].coins);
    }
    return code;
}

static void settle_final_account(struct cascade *self, const struct cascade_shot *shot)
{
    struct settle_account of = cascade_account_case(self, shot->account);
    settle_account(self->settle, &of, self->prices->market[shot->market].last,
                   self->venues[of.account->venue].rule.fee_rate);
}

/* Everything that fired, at the node's last price. */
static void settle_final(struct cascade *self)
{
    for (size_t i = 0; i < self->shot_count; i++) {
        const struct cascade_shot *shot = &self->shots[i];
        if (shot->account != ACCOUNTS_NONE) {
            settle_final_account(self, shot);
            continue;
        }
        struct settle_case of = cascade_case(self, &shot->position, shot->coins);
        settle_count(self->settle, &of);
        settle_order(self->settle, &of, shot->coins, self->prices->market[shot->market].last,
                     self->venues[shot->position.class->venue].rule.fee_rate);
    }
}

/* Fires what is reached where a counterfactual starts, at that price and along the way to it. */
static int fire_start(struct cascade *self, const struct cascade_node *node, int64_t *spent_ms,
                      struct error *err)
{
    struct prices *prices = self->prices;
    double last, mark;
    prices_with_order(prices, node->exogenous_last, node->exogenous_mark, node->start_coins, &last,
                      &mark);
    struct cascade_node start = *node;
    start.exogenous_last = last;
    start.exogenous_mark = mark;
    prices->feedback = false;
    prices_place(prices, last, mark);
    int code = fire_all(self, &start, spent_ms, err);
    prices->feedback = true;
    return code;
}

int cascade_walk(struct cascade *self, const struct cascade_node *node, int64_t *out_spent_ms,
                 struct error *err)
{
    self->shot_count = 0;
    self->generations = 0;
    self->later_coins = 0.0;
    *out_spent_ms = 0;
    int code = ladder_release(self->ladder, node->time_ms, err);
    if (code == ERROR_NONE && node->start_coins != 0.0)
        code = fire_start(self, node, out_spent_ms, err);
    prices_place(self->prices, node->exogenous_last, node->exogenous_mark);
    if (code == ERROR_NONE)
        code = fire_all(self, node, out_spent_ms, err);
    if (code == ERROR_NONE && self->settle->fill == SETTLE_FINAL)
        settle_final(self);
    return code;
}

/* ---- reachability ----------------------------------------------------------------------- */

bool cascade_unreachable(const struct cascade *self, const struct prices_impact *before)
{
    const struct prices *prices = self->prices;
    struct prices_impact impact = *before;
    double mark = NAN; /* without some shot at or before this one, all since of the same side ... */
    int side = -1, market = -1; /* ... and market, which are these */
    for (size_t i = 0; i < self->shot_count; i++) {
        const struct cascade_shot *shot = &self->shots[i];
        /* Shots of one side move the mark towards their triggers: what was reached without the
           earlier ones is reached with them. */
        if (shot->side_index != side || shot->market != market ||
            !reached(side, shot->trigger_price, mark)) {
            /* The price without this shot and those behind it. */
            mark = prices_mark_with(prices, shot->market, &impact);
            side = shot->side_index;
            market = shot->market;
            if (!reached(side, shot->trigger_price, mark))
                return true;
        }
        impact_add(&prices->params->impact, &impact.state[prices_state_of(prices, market)],
                   order_coins(side, shot->coins), prices_depth_of(prices, market));
        if (shot->coins < 0.0)
            side = -1; /* that shot moved the mark away */
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
