#include "sim/cascade_shoot.h"

#include <math.h>

#include "base/memory.h"
#include "sim/book_build.h"

enum { COVER_HALVINGS = 60 };

/* One firing. */
struct shooting {
    struct cascade *cascade;
    const struct cascade_venue *venue;
    struct ladder_fired position;
    struct settle_case of;
    int side_index, market;
    double trigger_price;
    bool taken_over; /* by the fund, without an order */
    double crossing; /* open loop: last price at which the path crossed the trigger */
    int64_t now_ms;
};

/* ---- what a position is ----------------------------------------------------------------- */

static const struct margin_formula *formula_of(const struct shooting *self)
{
    return self->cascade->ladder->book->venues[self->position.class->venue].formula;
}

static const struct brackets *table_of(const struct shooting *self)
{
    const struct book_class *class = self->position.class;
    return &self->cascade->ladder->book->venues[class->venue].tables[class->table];
}

static struct liquidation_position state_of(const struct shooting *self)
{
    const struct ladder *ladder = self->cascade->ladder;
    const struct ladder_fired *position = &self->position;
    bool cooling = position->rest != RESTS_NONE &&
                   self->now_ms < ladder->rests.items[position->rest].cooling_until_ms;
    return (struct liquidation_position){
        .side = position->class->side,
        .entry_price = self->of.entry_price,
        .leverage = position->leverage,
        .notional_usd = position->size_usd,
        .funding = ladder_funding_paid(ladder, position),
        .cooling = cooling,
    };
}

static int orders_of(const struct shooting *self)
{
    return self->position.rest == RESTS_NONE
               ? 0
               : self->cascade->ladder->rests.items[self->position.rest].orders;
}

static double coins_alive(const struct cascade *self, const struct ladder_fired *position)
{
    return ledger_coins(self->ledger, book_side_index(position->class->side), position->bar,
                        position->tier, position->share) *
           ladder_left(self->ladder, position);
}

struct settle_case cascade_case(const struct cascade *self, const struct ladder_fired *position,
                                double coins)
{
    return (struct settle_case){
        .ladder = self->ladder,
        .ledger = self->ledger,
        .position = position,
        .side_index = book_side_index(position->class->side),
        .entry_price = ladder_entry_price(self->ladder, position),
        .coins = coins,
    };
}

/* ---- prices ----------------------------------------------------------------------------- */

static double order_coins(const struct shooting *self, double coins)
{
    return self->side_index == BOOK_LONG ? -coins : coins;
}

double cascade_crossing_price(const struct prices *prices, double trigger_price,
                              double previous_last)
{
    double last = prices->last;
    if (isnan(previous_last))
        return last;
    double crossed = trigger_price * (last / prices->mark);
    double low = previous_last < last ? previous_last : last;
    double high = previous_last < last ? last : previous_last;
    return crossed < low ? low : crossed > high ? high : crossed;
}

static double last_of(const struct shooting *self)
{
    return self->cascade->prices->market[self->market].last;
}

/* The fill of an order that takes the last price from `before` to `after`. */
static double fill_between(const struct shooting *self, double before, double after)
{
    return self->cascade->prices->feedback ? 0.5 * (before + after) : self->crossing;
}

/* The fill that an order of `coins` would have; a takeover is none. */
static double fill_of(const struct shooting *self, double coins)
{
    const struct prices *prices = self->cascade->prices;
    if (self->taken_over)
        return fill_between(self, last_of(self), last_of(self));
    return fill_between(self, last_of(self),
                        prices_after_order(prices, self->market, order_coins(self, coins)));
}

/* ---- orders ----------------------------------------------------------------------------- */

struct cascade_shot *cascade_order(struct cascade *self, int side_index, int market, double coins,
                                   struct error *err)
{
    struct cascade_shot *shots =
        memory_grow(self->shots, &self->shot_capacity, self->shot_count + 1, sizeof *shots);
    if (shots == NULL) {
        error_memory(err, "the positions of a cascade");
        return NULL;
    }
    self->shots = shots;
    struct cascade_shot *shot = &shots[self->shot_count++];
    shot->side_index = side_index;
    shot->market = market;
    shot->coins = coins;
    shot->last_before = self->prices->market[market].last;
    if (coins != 0.0)
        prices_order(self->prices, market, side_index == BOOK_LONG ? -coins : coins);
    shot->last_after = self->prices->market[market].last;
    return shot;
}

/* Notes an order; moves the price, and returns its fill. */
static int order(struct shooting *self, double coins, double *out_fill, struct error *err)
{
    struct cascade_shot *shot =
        cascade_order(self->cascade, self->side_index, self->market, coins, err);
    if (shot == NULL)
        return ERROR_IO;
    shot->position = self->position;
    shot->account = ACCOUNTS_NONE;
    shot->trigger_price = self->trigger_price;
    *out_fill = fill_between(self, shot->last_before, shot->last_after);
    return ERROR_NONE;
}

/* Closes `coins` of which nothing is left. */
static int close_whole(struct shooting *self, double coins, struct error *err)
{
    double fill = NAN;
    int code = order(self, coins, &fill, err);
    if (code == ERROR_NONE && self->cascade->settle->fill != SETTLE_FINAL)
        settle_order(self->cascade->settle, &self->of, coins, fill, self->venue->rule.fee_rate);
    return code;
}

/* ---- deleveraging ----------------------------------------------------------------------- */

static double loss_of(const struct shooting *self, double coins)
{
    return fmax(-settle_remainder_usd(&self->of, coins, fill_of(self, coins)), 0.0);
}

/* How much of the position the fund can stand to have sold, or to take over. */
static double covered_coins(const struct shooting *self)
{
    const struct settle *settle = self->cascade->settle;
    int venue = self->position.class->venue;
    double coins = self->of.coins;
    if (self->venue->adl == NULL || isinf(settle->fund_usd[venue]))
        return coins;
    double room = settle_fund_room(settle, venue, self->venue->adl_drawdown);
    double first = fill_between(self, last_of(self), last_of(self));
    if (room == 0.0 && settle_remainder_usd(&self->of, coins, first) < 0.0)
        return 0.0; /* bankrupt at the price that the first coin meets */
    if (loss_of(self, coins) <= room)
        return coins;
    double low = 0.0, high = 1.0;
    for (int i = 0; i < COVER_HALVINGS; i++) {
        double middle = 0.5 * (low + high);
        if (loss_of(self, middle * coins) <= room)
            low = middle;
        else
            high = middle;
    }
    return low * coins;
}

/* Closes `coins` against winners; `out_left`: those that found none. */
static int deleverage(struct shooting *self, double coins, double *out_left, struct error *err)
{
    struct cascade *cascade = self->cascade;
    double matched = 0.0, mark = cascade->prices->market[self->market].mark;
    double price = ladder_bankruptcy_from(cascade->ladder, &self->position, self->of.entry_price);
    int other = self->side_index == BOOK_LONG ? BOOK_SHORT : BOOK_LONG;
    int code = deleverage_close(cascade->deleverage, self->position.class->venue, other,
                                self->venue->adl, coins, price, mark, &matched, err);
    if (code != ERROR_NONE)
        return code;
    settle_bankrupt(cascade->settle, &self->of, matched, price);
    *out_left = coins - matched;
    return ERROR_NONE;
}

static int close_all(struct shooting *self, struct error *err)
{
    double covered = covered_coins(self);
    int code = close_whole(self, covered, err);
    if (code != ERROR_NONE || covered >= self->of.coins)
        return code;
    double left = 0.0;
    code = deleverage(self, self->of.coins - covered, &left, err);
    return code == ERROR_NONE && left > 0.0 ? close_whole(self, left, err) : code;
}

/* The fund takes over what it can stand to, and at last what nobody else takes. */
static int take_over(struct shooting *self, struct error *err)
{
    double fill = NAN, left = 0.0;
    self->taken_over = true;
    double covered = covered_coins(self);
    int code = order(self, 0.0, &fill, err);
    if (code == ERROR_NONE && covered < self->of.coins)
        code = deleverage(self, self->of.coins - covered, &left, err);
    if (code == ERROR_NONE)
        settle_takeover(self->cascade->settle, &self->of, covered + left, fill);
    return code;
}

/* ---- parts ------------------------------------------------------------------------------ */

/* Where the rest may fire: the deciding bracket, and a neighbour that funding may lead into. */
static void place_rest(const struct shooting *self, struct rest *rest)
{
    const struct margin_formula *formula = formula_of(self);
    const struct brackets *table = table_of(self);
    const struct book_class *class = self->position.class;
    const struct ladder *ladder = self->cascade->ladder;
    uint32_t first = (uint32_t)(class - ladder->book->classes) - (uint32_t) class->bracket;
    double e = ladder_relative_entry(ladder, &self->position);
    struct book_bracket here;
    int edge = book_brackets_of(formula, table, class->side, rest->size_usd, rest->leverage, &here);
    int brackets[RESTS_CLASSES] = {here.bracket, edge};
    for (int place = 0; place < RESTS_CLASSES; place++) {
        int n = brackets[place];
        rest->class_id[place] = n < 0 ? RESTS_NONE : first + (uint32_t)n;
        if (n >= 0)
            rest->kappa[place] = formula->kappa(class->side, e, 1.0 / rest->leverage,
                                                table->rate[n], table->cum_usd[n] / rest->size_usd);
    }
}

/* Puts what an order for the part `share` has left back on the ladder. */
static int keep_rest(struct shooting *self, double share, double inverse_leverage,
                     struct error *err)
{
    struct cascade *cascade = self->cascade;
    const struct liquidation_rule *rule = &self->venue->rule;
    const struct ladder_fired *from = &self->position;
    struct rest rest = {
        .share = from->share * ladder_left(cascade->ladder, from) * (1.0 - share),
        .leverage = 1.0 / inverse_leverage,
        .size_usd = from->size_usd * (1.0 - share),
        .bar = from->bar,
        .run = from->run,
        .tier = from->tier,
        .orders = orders_of(self) + 1,
        .cooling_until_ms = self->now_ms + rule->cooldown_ms,
        .ready_ms = self->now_ms + rule->pause_ms,
    };
    uint32_t number;
    place_rest(self, &rest);
    int code = ladder_rest(cascade->ladder, &rest, self->now_ms, &number, err);
    if (code != ERROR_NONE || cascade->nearby == NULL)
        return code;
    struct ladder_fired position = ladder_rest_position(cascade->ladder, number);
    return nearby_add(cascade->nearby, &position, coins_alive(cascade, &position), err);
}

static int close_part(struct shooting *self, const struct liquidation_position *state, double share,
                      struct error *err)
{
    double fill = NAN, coins = share * self->of.coins, fee = self->venue->rule.fee_rate;
    int code = order(self, coins, &fill, err);
    if (code != ERROR_NONE)
        return code;
    double inverse = liquidation_rest_inverse_leverage(formula_of(self), state, share, fill, fee);
    if (inverse > 0.0) {
        settle_part(self->cascade->settle, &self->of, coins, fill, fee, inverse);
        return keep_rest(self, share, inverse, err);
    }
    settle_order(self->cascade->settle, &self->of, coins, fill, fee);
    return close_whole(self, self->of.coins - coins, err);
}

/* ---- one position ----------------------------------------------------------------------- */

/* What its venue does with it. */
static int liquidate(struct shooting *self, struct error *err)
{
    const struct cascade *cascade = self->cascade;
    const struct liquidation_rule *rule = &self->venue->rule;
    if (rule->kind == LIQUIDATION_KIND_FULL && rule->backstop_share == 0.0)
        return close_all(self, err);
    struct liquidation_position state = state_of(self);
    double mark = cascade->prices->market[self->market].mark;
    if (liquidation_backstop(rule, formula_of(self), table_of(self), &state, mark))
        return take_over(self, err);
    double share = 1.0;
    if (rule->kind != LIQUIDATION_KIND_FULL && orders_of(self) < CASCADE_ORDERS_MAX)
        share = liquidation_share(rule, formula_of(self), table_of(self), &state, mark);
    return share < 1.0 ? close_part(self, &state, share, err) : close_all(self, err);
}

int cascade_shoot(struct cascade *self, int side_index, int market, const struct cascade_node *node,
                  int64_t now_ms, struct error *err)
{
    struct shooting shooting = {.cascade = self,
                                .side_index = side_index,
                                .market = market,
                                .now_ms = now_ms,
                                .trigger_price =
                                    ladder_peek(self->ladder, market, side_index)->trigger_price};
    shooting.position = ladder_fire(self->ladder, market, side_index);
    shooting.venue = &self->venues[shooting.position.class->venue];
    double coins = coins_alive(self, &shooting.position);
    if (self->nearby != NULL)
        nearby_fire(self->nearby, &shooting.position, coins);
    if (self->settle->fill == SETTLE_FINAL) {
        double fill;
        shooting.of.coins = coins;
        return order(&shooting, coins, &fill, err);
    }
    shooting.of = cascade_case(self, &shooting.position, coins);
    shooting.crossing =
        cascade_crossing_price(self->prices, shooting.trigger_price, node->previous_last);
    if (shooting.position.rest == RESTS_NONE)
        settle_count(self->settle, &shooting.of);
    return coins == 0.0 ? close_whole(&shooting, 0.0, err) : liquidate(&shooting, err);
}
