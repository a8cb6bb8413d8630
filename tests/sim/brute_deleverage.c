/*
 * The brute-force engine's deleveraging: the best of a ranking is found by looking at all of it.
 */
#include <math.h>

#include "tests/sim/brute_parts.h"

static bool concerned(const struct brute_position *position, int venue, int side_index)
{
    return position->venue == venue && book_side_index(position->side) == side_index &&
           position->rest == RESTS_NONE && brute_position_left(position);
}

/* ---- ranking ---------------------------------------------------------------------------- */

static void rank(const struct brute_force *self, struct brute_position *position, double mark)
{
    const struct adl_ranking *model = self->params->venue[position->venue].adl;
    const struct margin_formula *formula = brute_formula(self, position->venue);
    double entry = brute_entry(self, position, &position->brackets[0]);
    struct liquidation_position state = {.side = position->side,
                                         .entry_price = entry,
                                         .leverage = position->leverage,
                                         .notional_usd = position->size_usd,
                                         .funding = brute_funding_paid(self, position)};
    struct adl_candidate candidate = {
        .side = position->side,
        .entry_price = entry,
        .price = mark,
        .equity_share = liquidation_equity_share(formula, &state, mark),
        .maintenance_share =
            liquidation_maintenance_share(formula, brute_table(self, position), &state, mark),
        .opened_bar = (double)position->bar,
    };
    bool wins = (double)position->side * (mark / entry - 1.0) > 0.0;
    position->ranked = candidate.equity_share > 0.0 && (wins || !model->winners_only);
    position->score = model->score == NULL ? 0.0 : model->score(&candidate);
}

static void rank_all(struct brute_force *self, int venue, int side_index)
{
    double mark = self->mark[brute_market_of(self, venue)];
    for (size_t i = 0; i < self->opened; i++) {
        struct brute_position *position = &self->positions[i];
        if (position->venue == venue && book_side_index(position->side) == side_index)
            position->ranked = false;
        if (concerned(position, venue, side_index))
            rank(self, position, mark);
    }
    self->adl_made[venue][side_index] = true;
}

/* ---- closing ---------------------------------------------------------------------------- */

static double coins_left(const struct brute_force *self, const struct brute_position *position,
                         int venue, int side_index)
{
    return concerned(position, venue, side_index) && position->ranked ? brute_coins(self, position)
                                                                      : 0.0;
}

static void note(struct brute_force *self, const struct brute_position *position, double coins,
                 double price, double entry)
{
    struct brute_adl *adl =
        &self->adl[position->venue][book_side_index(position->side)][position->tier];
    adl->coins += coins;
    adl->usd += coins * price;
    adl->entry_usd += coins * entry;
    adl->pnl_usd += (double)position->side * coins * (price - entry);
    adl->score_sum += position->score * coins;
    adl->positions++;
    self->counts.adl_taken[self->params->venue[position->venue].adl - adl_rankings]++;
}

/* `coins` of `alive` leave at `price`. */
static void close_some(struct brute_force *self, struct brute_position *position, double coins,
                       double alive, double price, struct settle_tally *tally)
{
    int side = book_side_index(position->side);
    double s = (double)position->side;
    double entry = brute_entry(self, position, &position->brackets[0]);
    double margin = coins * entry / position->leverage;
    self->withdrawals_usd += margin + s * coins * (price - entry) -
                             s * coins * (self->funding_linear - position->funding_linear);
    tally->adl_coins[side] += coins;
    tally->adl_usd += coins * price;
    tally->venue_adl_usd[position->venue] += coins * price;
    brute_take(self, position, entry, coins, margin);
    position->left *= coins == alive ? 0.0 : 1.0 - coins / alive;
    note(self, position, coins, price, entry);
}

static bool ranks_before(const struct brute_position *a, const struct brute_position *b)
{
    return a->score > b->score || (a->score == b->score && a->index < b->index);
}

/* The one with the highest score that has something left; of equals the first in the book. */
static struct brute_position *best(struct brute_force *self, int venue, int side_index)
{
    struct brute_position *found = NULL;
    for (size_t i = 0; i < self->opened; i++) {
        struct brute_position *position = &self->positions[i];
        if (!concerned(position, venue, side_index) || !position->ranked ||
            (found != NULL && !ranks_before(position, found)))
            continue;
        if (brute_coins(self, position) > 0.0)
            found = position;
    }
    return found;
}

static double close_ranked(struct brute_force *self, int venue, int side_index, double need,
                           double price, struct settle_tally *tally)
{
    double matched = 0.0;
    while (need > 0.0) {
        struct brute_position *next = best(self, venue, side_index);
        if (next == NULL)
            break;
        double alive = brute_coins(self, next), coins = fmin(alive, need);
        close_some(self, next, coins, alive, price, tally);
        need -= coins;
        matched += coins;
    }
    return matched;
}

static double close_alike(struct brute_force *self, int venue, int side_index, double need,
                          double price, struct settle_tally *tally)
{
    double total = 0.0, matched = 0.0;
    for (size_t i = 0; i < self->opened; i++)
        total += coins_left(self, &self->positions[i], venue, side_index);
    double part = total > 0.0 ? fmin(need / total, 1.0) : 0.0;
    for (size_t i = 0; i < self->opened; i++) {
        double alive = coins_left(self, &self->positions[i], venue, side_index);
        if (!(part * alive > 0.0))
            continue;
        close_some(self, &self->positions[i], part * alive, alive, price, tally);
        matched += part * alive;
    }
    return matched;
}

double brute_deleverage(struct brute_force *self, int venue, int side_index, double need,
                        double price, struct settle_tally *tally)
{
    if (self->adl_made[venue][side_index])
        self->counts.adl_again++;
    else
        rank_all(self, venue, side_index);
    return self->params->venue[venue].adl->score == NULL
               ? close_alike(self, venue, side_index, need, price, tally)
               : close_ranked(self, venue, side_index, need, price, tally);
}
