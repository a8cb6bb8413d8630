#include "tests/sim/brute_force.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"

static const struct margin_formula *formula_of(const struct brute_force *self, uint32_t class_id)
{
    return self->book->venues[self->book->classes[class_id].venue].formula;
}

/* ---- records ---------------------------------------------------------------------------- */

static void add_entered(struct brute_force *self, struct brute_position *position, uint32_t run,
                        uint32_t order)
{
    const struct book_run *from = &self->book->runs[run];
    position->brackets[position->bracket_count++] =
        (struct brute_bracket){.class_id = from->class_id,
                               .entered = true,
                               .run = run,
                               .terms = self->book->positions[from->first + order]};
}

static bool has_bracket(const struct brute_position *position, uint32_t class_id)
{
    for (int i = 0; i < position->bracket_count; i++)
        if (position->brackets[i].class_id == class_id)
            return true;
    return false;
}

/* The other brackets of the same table and side; a table's classes lie side by side. */
static void add_foreign(struct brute_force *self, struct brute_position *position)
{
    const struct brute_bracket *own = &position->brackets[0];
    const struct book_class *classes = self->book->classes, *here = &classes[own->class_id];
    const struct margin_formula *formula = formula_of(self, own->class_id);
    double notional = (double)own->terms.size_usd, inverse = 1.0 / (double)own->terms.leverage;
    double e =
        formula->entry(here->side, own->terms.kappa, inverse, here->rate, here->cum_usd / notional);
    uint32_t id = own->class_id - (uint32_t)here->bracket;
    for (int n = 0; (int)id < self->book->class_count && classes[id].bracket == n &&
                    classes[id].side == here->side && classes[id].venue == here->venue;
         n++, id++) {
        if (has_bracket(position, id))
            continue;
        struct brute_bracket other = {.class_id = id, .terms = own->terms};
        other.terms.kappa = formula->kappa(here->side, e, inverse, classes[id].rate,
                                           classes[id].cum_usd / notional);
        position->brackets[position->bracket_count++] = other;
    }
}

static void make_records(struct brute_force *self, bool prices_given)
{
    const struct book *book = self->book;
    for (uint32_t r = 0; r < book->run_count; r++) {
        const struct book_run *run = &book->runs[r];
        if (run->twin != BOOK_NO_TWIN && run->twin < r)
            continue;
        for (uint32_t i = 0; i < run->count; i++) {
            struct brute_position *position = &self->positions[self->count++];
            position->side = book->classes[run->class_id].side;
            position->bar = run->bar;
            position->order = i;
            add_entered(self, position, r, i);
            if (run->twin != BOOK_NO_TWIN)
                add_entered(self, position, run->twin, 0);
            if (!prices_given && !formula_of(self, run->class_id)->bracket_at_entry)
                add_foreign(self, position);
        }
    }
}

/* Entry price over the opening price. */
static double relative_entry(const struct brute_force *self, const struct brute_bracket *bracket)
{
    const struct book_class *class = &self->book->classes[bracket->class_id];
    return formula_of(self, bracket->class_id)
        ->entry(class->side, bracket->terms.kappa, 1.0 / (double)bracket->terms.leverage,
                class->rate, class->cum_usd / (double)bracket->terms.size_usd);
}

/* ---- opening ---------------------------------------------------------------------------- */

static void expose(struct brute_force *self, size_t bar, double price)
{
    for (size_t i = 0; i < self->count; i++) {
        struct brute_position *position = &self->positions[i];
        if (position->bar != bar)
            continue;
        position->open = true;
        position->open_price = price;
        position->funding_linear = self->funding_linear;
        position->funding_inverse = self->funding_inverse;
        for (int b = 0; b < position->bracket_count; b++) {
            struct brute_bracket *bracket = &position->brackets[b];
            const struct margin_formula *formula = formula_of(self, bracket->class_id);
            bracket->level =
                margin_unit(formula, price) * bracket->terms.kappa -
                (formula->inverse ? position->funding_inverse : position->funding_linear);
        }
    }
}

/* `coins` of a side open in the positions of a bar. Returns their margin; out_entry: per coin. */
static double fill_bar(struct brute_force *self, int side_index, size_t bar, double coins,
                       double price, double *out_entry)
{
    struct ledger_opening opening = {0};
    *out_entry = 0.0;
    for (size_t i = 0; i < self->count; i++) {
        struct brute_position *position = &self->positions[i];
        if (position->bar != bar || book_side_index(position->side) != side_index)
            continue;
        const struct book_position *terms = &position->brackets[0].terms;
        double entry = terms->share * relative_entry(self, &position->brackets[0]);
        int tier = tier_of((double)terms->leverage);
        position->opened = coins;
        position->hazard_then = self->ledger.side[side_index].hazard;
        position->coins = terms->share * coins;
        opening.share[tier] += terms->share;
        opening.entry[tier] += entry;
        opening.margin[tier] += entry / (double)terms->leverage;
        *out_entry += entry;
    }
    return ledger_open(&self->ledger, side_index, bar, coins, price, self->funding_linear,
                       &opening);
}

static void hold(struct brute_force *self, int side_index, double coins, double price)
{
    ledger_hold(&self->ledger, side_index, coins, price, self->funding_linear);
    self->holders[side_index].coins += coins;
    self->holders[side_index].entry_value += coins * price;
    self->holders[side_index].funding_value += coins * self->funding_linear;
}

bool brute_force_init(struct brute_force *self, const struct replay_params *params,
                      const struct path *path, const struct book *book, bool prices_given)
{
    memset(self, 0, sizeof *self);
    self->params = params;
    self->path = path;
    self->book = book;
    self->positions = calloc(book->position_count, sizeof *self->positions);
    self->shots = calloc(book->position_count, sizeof *self->shots);
    if (self->positions == NULL || self->shots == NULL) {
        brute_force_free(self);
        return false;
    }
    make_records(self, prices_given);
    if (ledger_init(&self->ledger, book->bars, params->hazard_exponent, NULL) != ERROR_NONE) {
        brute_force_free(self);
        return false;
    }
    depth_start(&params->depth, &self->depth_state);
    memcpy(self->fund_usd, params->fund_usd, sizeof self->fund_usd);
    self->last_close = NAN;
    if (book->from_file) {
        expose(self, 0, 1.0);
        for (int side = 0; side < 2; side++) {
            double entry;
            fill_bar(self, side, 0, params->oi_scale, 1.0, &entry);
            hold(self, side, params->oi_scale * book->residual_coins[side],
                 path_bar_at(path, 0).last[0]);
        }
    }
    return true;
}

void brute_force_free(struct brute_force *self)
{
    free(self->positions);
    free(self->shots);
    ledger_free(&self->ledger);
    memset(self, 0, sizeof *self);
}

bool brute_position_left(const struct brute_position *position)
{
    return position->open && !position->fired && !position->closed;
}

/* ---- the cascade ------------------------------------------------------------------------ */

static double trigger_of(const struct brute_force *self, const struct brute_bracket *bracket)
{
    const struct book_class *class = &self->book->classes[bracket->class_id];
    bool inverse = formula_of(self, bracket->class_id)->inverse;
    double funding = inverse ? self->funding_inverse : self->funding_linear;
    double z = (bracket->level + funding) / class->slope;
    if (!inverse)
        return z > 0.0 ? z : class->side > 0 ? 0.0 : INFINITY;
    return z < 0.0 ? -1.0 / z : INFINITY;
}

struct candidate {
    struct brute_position *position;
    const struct brute_bracket *bracket;
    double price;
};

/* Nearest to the market first; then lower class, higher key, lower run, earlier in the run. */
static bool goes_first(const struct candidate *a, const struct candidate *b)
{
    double sign = (double)a->position->side;
    if (b->position == NULL || a->price != b->price)
        return b->position == NULL || sign * a->price > sign * b->price;
    if (a->bracket->class_id != b->bracket->class_id)
        return a->bracket->class_id < b->bracket->class_id;
    if (a->bracket->level != b->bracket->level)
        return sign * a->bracket->level > sign * b->bracket->level;
    if (a->bracket->run != b->bracket->run)
        return a->bracket->run < b->bracket->run;
    return a->position->order < b->position->order;
}

static void find_next(struct brute_force *self, struct candidate next[2])
{
    next[0] = next[1] = (struct candidate){0};
    for (size_t i = 0; i < self->count; i++) {
        struct brute_position *position = &self->positions[i];
        if (!brute_position_left(position))
            continue;
        struct candidate *best = &next[book_side_index(position->side)];
        for (int b = 0; b < position->bracket_count; b++) {
            struct candidate here = {position, &position->brackets[b],
                                     trigger_of(self, &position->brackets[b])};
            if (goes_first(&here, best))
                *best = here;
        }
        self->looked_at += position->bracket_count;
    }
}

static bool reached(const struct candidate *candidate, double mark)
{
    if (candidate->position == NULL)
        return false;
    return candidate->position->side > 0 ? mark <= candidate->price : mark >= candidate->price;
}

static double impact_now(const struct brute_force *self)
{
    return impact_log(&self->params->impact, &self->impact, self->depth);
}

static void set_price(struct brute_force *self, double last, double mark)
{
    double share = self->params->mark_passthrough;
    double impact = impact_now(self);
    self->last = self->feedback ? last * exp(impact) : last;
    self->mark = self->feedback ? mark * (share == 1.0 ? exp(impact) : exp(share * impact)) : mark;
}

/* Its share of what its bar opened, less what its tier's hazard closed since. */
static double coins_of(const struct brute_force *self, const struct brute_position *position)
{
    const struct book_position *terms = &position->brackets[0].terms;
    double hazard = self->ledger.side[book_side_index(position->side)].hazard;
    return terms->share * position->opened *
           exp(self->ledger.tier_hazard[tier_of((double)terms->leverage)] *
               (position->hazard_then - hazard));
}

/* ---- settlement ------------------------------------------------------------------------- */

struct fired {
    struct candidate from;
    double coins, last_before, last_after;
};

static double fill_price(const struct brute_force *self, const struct fired *fired, double previous)
{
    if (self->params->fill == SETTLE_FINAL)
        return self->last;
    if (self->feedback)
        return 0.5 * (fired->last_before + fired->last_after);
    if (isnan(previous))
        return self->last;
    double crossed = fired->from.price * (self->last / self->mark);
    return fmin(fmax(crossed, fmin(previous, self->last)), fmax(previous, self->last));
}

static double entry_of(const struct brute_force *self, const struct brute_position *position,
                       const struct brute_bracket *bracket)
{
    return relative_entry(self, bracket) * position->open_price;
}

static double remainder_of(const struct brute_force *self, const struct fired *fired, double entry,
                           double fill)
{
    const struct brute_position *position = fired->from.position;
    const struct margin_formula *formula = formula_of(self, fired->from.bracket->class_id);
    double side = (double)position->side;
    double fresh = margin_bankruptcy_price(formula, position->side, entry,
                                           (double)fired->from.bracket->terms.leverage);
    if (!formula->inverse)
        return side * fired->coins *
               (fill - (fresh + (self->funding_linear - position->funding_linear)));
    double bankruptcy = 1.0 / (1.0 / fresh - (self->funding_inverse - position->funding_inverse));
    return side * (fired->coins * entry) * (fill / bankruptcy - 1.0);
}

static void pay(struct brute_force *self, int venue, double remainder, struct settle_tally *tally)
{
    double gain = fmax(remainder, 0.0), loss = fmax(-remainder, 0.0);
    double paid = fmin(loss, fmax(self->fund_usd[venue], 0.0));
    self->fund_usd[venue] += gain - paid;
    tally->fund_gain_usd += gain;
    tally->venue_gain_usd[venue] += gain;
    tally->fund_draw_usd += paid;
    tally->venue_draw_usd[venue] += paid;
    tally->bad_debt_usd += loss - paid;
}

static void count(struct settle_flow *flow, const struct fired *fired, double fill, double traders)
{
    flow->coins += fired->coins;
    flow->usd += fired->coins * fill;
    flow->traders += traders;
    flow->positions += fired->coins > 0.0;
}

static void settle_one(struct brute_force *self, const struct fired *fired, double previous,
                       struct settle_tally *tally)
{
    struct brute_position *position = fired->from.position;
    const struct brute_bracket *bracket = fired->from.bracket;
    int side = book_side_index(position->side);
    int venue = self->book->classes[bracket->class_id].venue;
    double entry = entry_of(self, position, bracket);
    double fill = fill_price(self, fired, previous);
    double traders = fired->coins * entry / (double)bracket->terms.size_usd;
    pay(self, venue, remainder_of(self, fired, entry, fill), tally);
    count(&tally->side[side], fired, fill, traders);
    double leverage = (double)bracket->terms.leverage;
    count(&tally->tier[side][tier_of(leverage)], fired, fill, traders);
    count(&tally->venue[venue][side], fired, fill, traders);
    self->market_maker_cash -= (double)position->side * fired->coins * fill;
    ledger_remove(&self->ledger, side, fired->coins, entry, leverage, position->funding_linear);
    position->coins = 0.0;
}

/* ---- a node ----------------------------------------------------------------------------- */

/* In an open loop: did each level lie within reach of the price without what fired from it on? */
static bool unreachable(const struct brute_force *self, const struct impact_state *before)
{
    struct impact_state state = *before;
    double total = impact_now(self);
    for (size_t i = 0; i < self->shot_count; i++) {
        const struct brute_shot *shot = &self->shots[i];
        double without = impact_log(&self->params->impact, &state, self->depth) - total;
        double mark = self->mark * exp(self->params->mark_passthrough * without);
        if (shot->side_index == BOOK_LONG ? mark > shot->trigger_price : mark < shot->trigger_price)
            return true;
        impact_add(&self->params->impact, &state,
                   shot->side_index == BOOK_LONG ? -shot->coins : shot->coins, self->depth);
    }
    return false;
}

static void fire(struct brute_force *self, const struct candidate *next, double last, double mark,
                 struct fired *fired)
{
    struct brute_position *position = next->position;
    *fired = (struct fired){*next, coins_of(self, position), self->last, NAN};
    position->fired = true;
    if (!next->bracket->entered)
        self->foreign_brackets++;
    impact_add(&self->params->impact, &self->impact, -(double)position->side * fired->coins,
               self->depth);
    set_price(self, last, mark);
    fired->last_after = self->last;
    self->shots[self->shot_count++] = (struct brute_shot){book_side_index(position->side),
                                                          next->bracket->run,
                                                          position->order,
                                                          fired->coins,
                                                          next->price,
                                                          fired->last_before,
                                                          fired->last_after};
}

/* Fires what is reached, one by one; returns the number of waves. */
static int run_cascade(struct brute_force *self, double last, double mark, struct fired *fired)
{
    int waves = 0;
    self->shot_count = 0;
    set_price(self, last, mark);
    double wave_mark = self->mark;
    for (;;) {
        struct candidate next[2];
        find_next(self, next);
        int side = reached(&next[0], self->mark) ? 0 : reached(&next[1], self->mark) ? 1 : -1;
        if (side < 0)
            return waves;
        if (waves == 0 || !reached(&next[side], wave_mark)) {
            wave_mark = self->mark;
            waves++;
        }
        fire(self, &next[side], last, mark, &fired[self->shot_count]);
    }
}

static void walk_node(struct brute_force *self, const struct path_bar *bar, int node,
                      double previous, struct fired *fired, struct replay_step *out)
{
    struct impact_state before = self->impact;
    bool measured = self->bar >= self->params->start_bar;
    int waves = run_cascade(self, bar->last[node], bar->mark[node], fired);
    if (waves > out->generations)
        out->generations = waves;
    if (measured && !self->feedback && unreachable(self, &before))
        out->unreachable = true;
    for (size_t i = 0; i < self->shot_count; i++)
        settle_one(self, &fired[i], previous, &out->forced);
    if (node == 0)
        out->price_open = out->price_high = out->price_low = self->last;
    out->price_high = fmax(out->price_high, self->last);
    out->price_low = fmin(out->price_low, self->last);
    double moved = log(self->last / self->start_price);
    if (measured && fabs(moved) >= fabs(out->extreme_log)) {
        out->extreme_log = moved;
        out->extreme_endogenous_log = impact_now(self) - self->start_impact_log;
    }
}

/* ---- the branching ratio ---------------------------------------------------------------- */

enum { TENTHS = 10 };

/* Coins of a side that are surely, and perhaps, within each tenth of the window. */
static void coins_within(const struct brute_force *self, int side_index, double mark,
                         double least[TENTHS], double most[TENTHS])
{
    double sign = side_index == BOOK_LONG ? 1.0 : -1.0;
    for (size_t i = 0; i < self->count; i++) {
        const struct brute_position *position = &self->positions[i];
        if (!brute_position_left(position) || book_side_index(position->side) != side_index)
            continue;
        double price = trigger_of(self, &position->brackets[0]);
        for (int b = 1; b < position->bracket_count; b++)
            price = sign * fmax(sign * price, sign * trigger_of(self, &position->brackets[b]));
        double distance = sign * log(mark / price) / self->params->branching_window_log;
        for (int k = 0; k < TENTHS && distance >= -BRUTE_BLUR; k++) {
            double far = (k + 1.0) / TENTHS;
            if (distance <= far + BRUTE_BLUR)
                most[k] += coins_of(self, position);
            if (distance >= BRUTE_BLUR && distance <= far - BRUTE_BLUR)
                least[k] += coins_of(self, position);
        }
    }
}

/* I(coins) / distance, distance in windows. */
static double steepness(const struct brute_force *self, int side_index, double coins,
                        double distance)
{
    struct impact_state after = self->impact;
    impact_add(&self->params->impact, &after, side_index == BOOK_LONG ? -coins : coins,
               self->depth);
    return fabs(impact_log(&self->params->impact, &after, self->depth) - impact_now(self)) /
           (distance * self->params->branching_window_log);
}

static void bound_branching(struct brute_force *self, double mark)
{
    self->branching_low = self->branching_high = 0.0;
    self->branching_mark = mark;
    for (int side = 0; side < 2; side++) {
        double least[TENTHS] = {0.0}, most[TENTHS] = {0.0};
        coins_within(self, side, mark, least, most);
        for (int k = 0; k < TENTHS; k++) {
            double far = (k + 1.0) / TENTHS;
            self->branching_low = fmax(self->branching_low, steepness(self, side, least[k], far));
            self->branching_high = fmax(self->branching_high, steepness(self, side, most[k], far));
        }
    }
}

/* ---- equity, position by position ------------------------------------------------------- */

static double side_equity(const struct brute_force *self, int side_index, double price)
{
    const struct brute_holders *holders = &self->holders[side_index];
    double sign = side_index == BOOK_LONG ? 1.0 : -1.0;
    double equity = holders->entry_value + sign * (price * holders->coins - holders->entry_value) -
                    sign * (self->funding_linear * holders->coins - holders->funding_value);
    for (size_t i = 0; i < self->count; i++) {
        const struct brute_position *position = &self->positions[i];
        if (!position->open || position->coins == 0.0 ||
            book_side_index(position->side) != side_index)
            continue;
        const struct brute_bracket *bracket = &position->brackets[0];
        double entry = entry_of(self, position, bracket);
        equity +=
            position->coins * (entry / (double)bracket->terms.leverage + sign * (price - entry) -
                               sign * (self->funding_linear - position->funding_linear));
    }
    return equity;
}

double brute_force_total_usd(const struct brute_force *self, double price)
{
    return side_equity(self, BOOK_LONG, price) + side_equity(self, BOOK_SHORT, price) +
           self->fund_net_usd - self->bad_debt_usd + self->market_maker_cash +
           self->withdrawals_usd - self->deposits_usd;
}

/* ---- trading ---------------------------------------------------------------------------- */

/* Every holder of a side closes by the hazard of his tier, one by one; `hazard` passed, or all go.
 */
static void thin(struct brute_force *self, int side, double hazard, bool all)
{
    const double *tiers = self->ledger.tier_hazard;
    double held = all ? 0.0 : exp(-tiers[0] * hazard), slowest = tiers[0];
    for (int tier = 0; tier < TIERS; tier++)
        slowest = fmin(slowest, tiers[tier]);
    self->holders[side].coins *= held;
    self->holders[side].entry_value *= held;
    self->holders[side].funding_value *= held;
    for (size_t i = 0; i < self->count; i++) {
        struct brute_position *position = &self->positions[i];
        bool before = position->bar < self->bar || self->book->from_file;
        if (book_side_index(position->side) != side || !before)
            continue;
        int tier = tier_of((double)position->brackets[0].terms.leverage);
        position->coins *= all ? 0.0 : exp(-tiers[tier] * hazard);
        double passed = self->ledger.side[side].hazard - position->hazard_then;
        if (all || slowest * passed > LEDGER_GONE)
            position->closed = true;
    }
}

static void close_some(struct brute_force *self, int side, double coins, double price)
{
    if (coins <= 0.0)
        return;
    double before = side_equity(self, side, price);
    double remaining = fmax(ledger_total(&self->ledger, side) - coins, 0.0);
    double hazard = self->ledger.side[side].hazard;
    ledger_thin(&self->ledger, side, remaining);
    thin(self, side, self->ledger.side[side].hazard - hazard, remaining == 0.0);
    self->withdrawals_usd += before - side_equity(self, side, price);
    self->market_maker_cash -= (side == BOOK_LONG ? coins : -coins) * price;
}

static void open_some(struct brute_force *self, int side, double coins, double price)
{
    double sign = side == BOOK_LONG ? 1.0 : -1.0, entry = 1.0;
    if (self->book->from_file) {
        hold(self, side, coins, price);
        self->deposits_usd += coins * price;
    } else {
        self->deposits_usd += fill_bar(self, side, self->bar, coins, price, &entry);
    }
    self->market_maker_cash += sign * coins * price * entry;
}

static struct ledger_flows flows_of(const struct brute_force *self, double oi_before,
                                    const struct replay_step *out)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    bool from_file = self->book->from_file;
    double hours = (double)market->step_ms / (double)CALENDAR_HOUR_MS;
    struct ledger_step step = {
        .oi = oi_before,
        .forced = {out->forced.side[0].coins, out->forced.side[1].coins},
        .turnover = from_file ? 0.0 : params->turnover_per_hour * hours,
        .absorbed_by_closers = params->absorbed_by_closers,
        .observed = !from_file && market->oi_coins != NULL && self->bar < market->bars &&
                    self->bar < params->frozen_bar,
    };
    if (step.observed)
        step.oi_change = params->oi_scale * market->oi_coins[self->bar] - oi_before;
    return ledger_flows(&step);
}

static void trade(struct brute_force *self, double oi_before, struct replay_step *out)
{
    struct ledger_flows flows = flows_of(self, oi_before, out);
    if (!self->book->from_file)
        expose(self, self->bar, self->last);
    for (int side = 0; side < 2; side++) {
        close_some(self, side, flows.closes[side], self->last);
        open_some(self, side, flows.opens[side], self->last);
        out->opens_coins[side] = flows.opens[side];
        out->closes_coins[side] = flows.closes[side];
    }
    out->replacement_coins = flows.replacement;
    out->oi_coins = ledger_total(&self->ledger, BOOK_LONG);
    out->oi_usd = out->oi_coins * self->mark;
}

/* ---- a step ----------------------------------------------------------------------------- */

static void begin_step(struct brute_force *self, const struct path_bar *bar,
                       struct replay_step *out)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    memset(out, 0, sizeof *out);
    impact_decay(&params->impact, &self->impact, market->step_ms);
    self->depth = depth_relative(&params->depth, &self->depth_state);
    if (self->bar == params->feedback_bar) {
        self->feedback = true;
        self->impact = (struct impact_state){0};
        self->start_impact_log = 0.0;
    }
    if (self->bar == params->start_bar) {
        self->start_impact_log = impact_now(self);
        self->start_price = isnan(self->last_close) ? bar->last[0] : self->last_close;
    }
    out->time_ms = market->start_ms + (int64_t)self->bar * market->step_ms;
    out->depth_share = self->depth;
    double mark = bar->mark[0];
    if (self->feedback)
        mark *= exp(params->mark_passthrough * impact_now(self));
    if (market->funding_rate != NULL && self->bar < market->bars) {
        out->funding_rate = market->funding_rate[self->bar];
        self->funding_linear += out->funding_rate * mark;
        self->funding_inverse += out->funding_rate / mark;
    }
    out->branching_ratio = NAN;
    if (self->bar >= params->start_bar)
        bound_branching(self, mark);
}

static void end_prices(struct brute_force *self, const struct path_bar *bar,
                       struct replay_step *out)
{
    double impact = impact_now(self);
    out->price_close = self->last;
    out->mark_close = self->mark;
    out->exogenous_close = self->feedback ? bar->last[PATH_NODES - 1]
                                          : self->last * exp(self->start_impact_log - impact);
    if (self->bar >= self->params->start_bar) {
        out->endogenous_log = impact - self->start_impact_log;
        out->exogenous_log = log(self->last / self->start_price) - out->endogenous_log;
    }
    self->fund_net_usd += out->forced.fund_gain_usd - out->forced.fund_draw_usd;
    self->bad_debt_usd += out->forced.bad_debt_usd;
}

void brute_force_step(struct brute_force *self, struct replay_step *out)
{
    struct path_bar bar = path_bar_at(self->path, self->bar);
    double oi_before = ledger_total(&self->ledger, BOOK_LONG), previous = NAN;
    struct fired *fired = calloc(self->count + 1, sizeof *fired);
    liqcascade_bug_assert(fired != NULL, "the brute-force engine is out of memory");
    begin_step(self, &bar, out);
    for (int node = 0; node < PATH_NODES; node++) {
        walk_node(self, &bar, node, previous, fired, out);
        previous = self->last;
    }
    free(fired);
    end_prices(self, &bar, out);
    trade(self, oi_before, out);
    double range = log(out->price_high / out->price_low);
    depth_observe(&self->params->depth, &self->depth_state, range * range / (4.0 * M_LN2),
                  self->path->market->step_ms);
    self->last_close = self->last;
    self->bar++;
}
