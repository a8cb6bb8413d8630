/*
 * The brute-force engine's liquidation: what a venue's rule does with one position, and the
 * accounts of it.
 */
#include <math.h>
#include <stdlib.h>

#include "tests/sim/brute_parts.h"

enum { HALVINGS = 60 };

/* One position being liquidated. */
struct firing {
    struct brute_candidate from;
    const struct cascade_venue *venue;
    const struct margin_formula *formula;
    int side, market;
    double entry, coins; /* coins: alive of it when it fired */
    bool taken_over;     /* by the fund: no order */
    struct settle_tally *tally;
};

/* ---- accounts --------------------------------------------------------------------------- */

void brute_take(struct brute_force *self, struct brute_position *position, double entry,
                double coins, double margin)
{
    struct ledger_sums sums = {coins, coins * entry, margin, coins * position->funding_linear};
    ledger_take(&self->ledger, book_side_index(position->side), position->bar, position->tier,
                &sums);
    position->coins -= coins;
}

static void take_whole(struct brute_force *self, const struct firing *of, double coins)
{
    brute_take(self, of->from.position, of->entry, coins,
               coins * of->entry / of->from.position->leverage);
}

void brute_hold(struct brute_force *self, int side_index, double coins, double price)
{
    ledger_hold(&self->ledger, side_index, coins, price, self->funding_linear);
    self->holders[side_index].coins += coins;
    self->holders[side_index].entry_value += coins * price;
    self->holders[side_index].funding_value += coins * self->funding_linear;
}

static double bankruptcy_price(const struct brute_force *self, const struct firing *of)
{
    const struct brute_position *position = of->from.position;
    double fresh =
        margin_bankruptcy_price(of->formula, position->side, of->entry, position->leverage);
    double paid = brute_funding_paid(self, position);
    return of->formula->inverse ? 1.0 / (1.0 / fresh - paid) : fresh + paid;
}

static double remainder_of(const struct brute_force *self, const struct firing *of, double coins,
                           double fill)
{
    double side = (double)of->from.position->side, bankruptcy = bankruptcy_price(self, of);
    return of->formula->inverse ? side * (coins * of->entry) * (fill / bankruptcy - 1.0)
                                : side * coins * (fill - bankruptcy);
}

static void pay(struct brute_force *self, int venue, double remainder, struct settle_tally *tally)
{
    double gain = fmax(remainder, 0.0), loss = fmax(-remainder, 0.0);
    double paid = fmin(loss, fmax(self->fund_usd[venue], 0.0));
    self->fund_usd[venue] += gain - paid;
    self->peak_usd[venue] = fmax(self->peak_usd[venue], self->fund_usd[venue]);
    tally->fund_gain_usd += gain;
    tally->venue_gain_usd[venue] += gain;
    tally->fund_draw_usd += paid;
    tally->venue_draw_usd[venue] += paid;
    tally->bad_debt_usd += loss - paid;
    tally->venue_bad_debt_usd[venue] += loss - paid;
    self->counts.bad_debts += loss > paid;
}

static void charge(struct brute_force *self, const struct firing *of, double fee)
{
    of->tally->fees_usd += fee;
    of->tally->venue_fees_usd[of->from.position->venue] += fee;
    self->counts.fees += fee > 0.0;
}

static struct settle_flow *flow_of(const struct firing *of, int which)
{
    struct settle_flow *flows[] = {&of->tally->side[of->side],
                                   &of->tally->tier[of->side][of->from.position->tier],
                                   &of->tally->venue[of->from.position->venue][of->side]};
    return flows[which];
}

static void count_closed(const struct firing *of, double coins, double price)
{
    for (int i = 0; i < 3; i++) {
        flow_of(of, i)->coins += coins;
        flow_of(of, i)->usd += coins * price;
    }
}

/* Once per position, not for what is left of it. */
static void count_position(const struct firing *of)
{
    if (of->from.position->rest != RESTS_NONE)
        return;
    for (int i = 0; i < 3; i++) {
        flow_of(of, i)->traders += of->coins * of->entry / of->from.position->size_usd;
        flow_of(of, i)->positions += of->coins > 0.0;
    }
}

static void trade(struct brute_force *self, const struct firing *of, double coins, double fill)
{
    self->market_maker_cash -= (double)of->from.position->side * coins * fill;
    count_closed(of, coins, fill);
}

/* An order that leaves nothing of these coins. */
static void settle_whole(struct brute_force *self, const struct firing *of, double coins,
                         double fill)
{
    double remainder = remainder_of(self, of, coins, fill);
    double fee = fmin(fmax(remainder, 0.0), of->venue->rule.fee_rate * coins * fill);
    charge(self, of, fee);
    pay(self, of->from.position->venue, remainder - fee, of->tally);
    trade(self, of, coins, fill);
    take_whole(self, of, coins);
}

/* ---- fills ------------------------------------------------------------------------------ */

/* Where an observed path crossed the trigger. */
static double crossing(const struct brute_force *self, const struct firing *of)
{
    double last = self->last[of->market], previous = self->previous;
    if (isnan(previous))
        return last;
    double crossed = of->from.price * (last / self->mark[of->market]);
    return fmin(fmax(crossed, fmin(previous, last)), fmax(previous, last));
}

static double fill_of(const struct brute_force *self, const struct firing *of, double coins)
{
    if (!self->feedback)
        return crossing(self, of);
    if (of->taken_over)
        return self->last[of->market];
    double after = brute_after_order(self, of->market, -(double)of->from.position->side * coins);
    return 0.5 * (self->last[of->market] + after);
}

static struct brute_shot *next_shot(struct brute_force *self)
{
    if (self->shot_count == self->shot_capacity) {
        self->shot_capacity = 2 * self->shot_capacity + 64;
        self->shots = realloc(self->shots, self->shot_capacity * sizeof *self->shots);
        liqcascade_bug_assert(self->shots != NULL, "the brute-force engine is out of memory");
    }
    return &self->shots[self->shot_count++];
}

/* Moves the price, and returns the fill. */
static double order(struct brute_force *self, const struct firing *of, double coins)
{
    const struct brute_position *position = of->from.position;
    double fill = fill_of(self, of, coins), before = self->last[of->market];
    brute_order(self, of->market, -(double)position->side * coins);
    *next_shot(self) = (struct brute_shot){.side_index = of->side,
                                           .market = of->market,
                                           .index = position->index,
                                           .class_id = of->from.bracket->class_id,
                                           .rest = position->rest,
                                           .coins = coins,
                                           .trigger_price = of->from.price,
                                           .last_before = before,
                                           .last_after = self->last[of->market]};
    return fill;
}

static void order_whole(struct brute_force *self, const struct firing *of, double coins)
{
    double fill = order(self, of, coins);
    if (self->params->fill != SETTLE_FINAL)
        settle_whole(self, of, coins, fill);
}

/* ---- the fund's room -------------------------------------------------------------------- */

static double loss_of(const struct brute_force *self, const struct firing *of, double coins)
{
    return fmax(-remainder_of(self, of, coins, fill_of(self, of, coins)), 0.0);
}

/* What the fund lets go to the market. */
static double affordable(const struct brute_force *self, const struct firing *of)
{
    int venue = of->from.position->venue;
    if (of->venue->adl == NULL || !isfinite(self->fund_usd[venue]))
        return of->coins;
    double room =
        fmax(self->fund_usd[venue] - (1.0 - of->venue->adl_drawdown) * self->peak_usd[venue], 0.0);
    if (loss_of(self, of, of->coins) <= room)
        return of->coins;
    double low = 0.0, high = 1.0;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = 0.5 * (low + high);
        if (loss_of(self, of, middle * of->coins) <= room)
            low = middle;
        else
            high = middle;
    }
    return low * of->coins;
}

/* What is beyond the fund leaves against winners, at the bankruptcy price. Returns what found none.
 */
static double deleverage(struct brute_force *self, const struct firing *of, double beyond)
{
    double bankruptcy = bankruptcy_price(self, of);
    double matched = brute_deleverage(self, of->from.position->venue, 1 - of->side, beyond,
                                      bankruptcy, of->tally);
    count_closed(of, matched, bankruptcy);
    take_whole(self, of, matched);
    if (beyond < of->coins)
        self->counts.adl_partial++;
    else
        self->counts.adl_whole++;
    self->counts.adl_unmatched += beyond > matched;
    return beyond - matched;
}

static void close_whole(struct brute_force *self, const struct firing *of)
{
    double coins = affordable(self, of), beyond = of->coins - coins;
    order_whole(self, of, coins);
    double left = beyond > 0.0 ? deleverage(self, of, beyond) : 0.0;
    if (left > 0.0)
        order_whole(self, of, left);
}

/* ---- parts and takeovers ---------------------------------------------------------------- */

static void take_over(struct brute_force *self, struct firing *of)
{
    of->taken_over = true;
    double coins = affordable(self, of), beyond = of->coins - coins, fill = order(self, of, 0.0);
    if (beyond > 0.0) {
        coins += deleverage(self, of, beyond);
        self->counts.takeovers_short++;
    }
    pay(self, of->from.position->venue, remainder_of(self, of, coins, fill), of->tally);
    count_closed(of, coins, fill);
    of->tally->backstop_coins[of->side] += coins;
    take_whole(self, of, coins);
    brute_hold(self, of->side, coins, fill);
    self->deposits_usd += coins * fill;
    self->counts.takeovers++;
}

/* The part is filled; the rest has a margin of its own. */
static void part_filled(struct brute_force *self, const struct firing *of, double coins,
                        double fill, double inverse_leverage)
{
    struct brute_position *position = of->from.position;
    double margin = of->coins * of->entry / position->leverage -
                    (of->coins - coins) * of->entry * inverse_leverage;
    charge(self, of, of->venue->rule.fee_rate * coins * fill);
    trade(self, of, coins, fill);
    brute_take(self, position, of->entry, coins, margin);
    of->tally->partial_orders++;
}

static void close_part(struct brute_force *self, const struct firing *of,
                       const struct liquidation_position *state, double share)
{
    const struct liquidation_rule *rule = &of->venue->rule;
    struct brute_position *position = of->from.position;
    double coins = share * of->coins, fill = order(self, of, coins);
    double inverse =
        liquidation_rest_inverse_leverage(of->formula, state, share, fill, rule->fee_rate);
    if (inverse > 0.0) {
        part_filled(self, of, coins, fill, inverse);
        brute_leave_rest(self, position, of->from.bracket, share, inverse);
        position->cooling_until_ms = self->now_ms + rule->cooldown_ms;
        position->ready_ms = self->now_ms + rule->pause_ms;
        position->paused = rule->pause_ms > 0;
        self->counts.partials++;
        self->counts.pauses += rule->pause_ms > 0;
        return;
    }
    self->counts.margin_gone++;
    settle_whole(self, of, coins, fill);
    order_whole(self, of, of->coins - coins);
}

static double share_of(struct brute_force *self, const struct firing *of,
                       const struct liquidation_position *state)
{
    const struct liquidation_rule *rule = &of->venue->rule;
    struct brute_position *position = of->from.position;
    if (rule->kind == LIQUIDATION_KIND_FULL)
        return 1.0;
    if (position->orders >= CASCADE_ORDERS_MAX) {
        self->counts.capped++;
        return 1.0;
    }
    const struct brackets *table = brute_table(self, position);
    double mark = self->mark[of->market];
    double share = liquidation_share(rule, of->formula, table, state, mark);
    struct liquidation_position rested = *state;
    rested.cooling = false;
    if (state->cooling && share == 1.0 &&
        liquidation_share(rule, of->formula, table, &rested, mark) < 1.0)
        self->counts.cooldown_wholes++;
    return share;
}

/* ---- one position ----------------------------------------------------------------------- */

static void liquidate(struct brute_force *self, struct firing *of)
{
    struct brute_position *position = of->from.position;
    struct liquidation_position state = {
        .side = position->side,
        .entry_price = of->entry,
        .leverage = position->leverage,
        .notional_usd = position->size_usd,
        .funding = brute_funding_paid(self, position),
        .cooling = position->rest != RESTS_NONE && self->now_ms < position->cooling_until_ms,
    };
    if (liquidation_backstop(&of->venue->rule, of->formula, brute_table(self, position), &state,
                             self->mark[of->market])) {
        take_over(self, of);
        return;
    }
    double share = share_of(self, of, &state);
    if (share == 1.0)
        close_whole(self, of);
    else
        close_part(self, of, &state, share);
}

static struct firing firing_of(const struct brute_force *self, const struct brute_candidate *next,
                               double coins, struct settle_tally *tally)
{
    const struct brute_position *position = next->position;
    return (struct firing){.from = *next,
                           .venue = &self->params->venue[position->venue],
                           .formula = brute_formula(self, position->venue),
                           .side = book_side_index(position->side),
                           .market = brute_market_of(self, position->venue),
                           .entry = brute_entry(self, position, next->bracket),
                           .coins = coins,
                           .tally = tally};
}

static void count_firing(struct brute_force *self, const struct brute_candidate *next)
{
    const struct brute_position *position = next->position;
    self->counts.foreign += position->rest == RESTS_NONE && !next->bracket->entered;
    self->counts.rest_orders += position->rest != RESTS_NONE;
    self->counts.releases += position->rest != RESTS_NONE && position->paused;
    self->counts.cut_fired += position->left < 1.0;
}

void brute_shoot(struct brute_force *self, const struct brute_candidate *next,
                 struct settle_tally *tally)
{
    struct firing of = firing_of(self, next, brute_coins(self, next->position), tally);
    count_firing(self, next);
    next->position->fired = true;
    if (self->params->fill == SETTLE_FINAL || of.coins == 0.0) {
        order(self, &of, of.coins);
        return;
    }
    count_position(&of);
    liquidate(self, &of);
}

/* A node's positions all fill at its last price, in the order of firing. */
void brute_settle_final(struct brute_force *self, struct settle_tally *tally)
{
    for (size_t i = 0; i < self->shot_count; i++) {
        const struct brute_shot *shot = &self->shots[i];
        size_t p = 0;
        while (self->positions[p].index != shot->index)
            p++;
        struct brute_position *position = &self->positions[p];
        int b = 0;
        while (position->brackets[b].class_id != shot->class_id)
            b++;
        struct brute_candidate from = {position, &position->brackets[b], shot->trigger_price};
        struct firing of = firing_of(self, &from, shot->coins, tally);
        count_position(&of);
        settle_whole(self, &of, shot->coins, self->last[shot->market]);
    }
}
