/*
 * The brute-force engine's records: one per position, and what partial orders leave of it.
 */
#include <math.h>

#include "tests/sim/brute_parts.h"

const struct margin_formula *brute_formula(const struct brute_force *self, int venue)
{
    return self->book->venues[venue].formula;
}

const struct brackets *brute_table(const struct brute_force *self,
                                   const struct brute_position *position)
{
    const struct book_class *class = &self->book->classes[position->brackets[0].class_id];
    return &self->book->venues[class->venue].tables[class->table];
}

/* ---- brackets --------------------------------------------------------------------------- */

static void add_entered(struct brute_force *self, struct brute_position *position, uint32_t run,
                        uint32_t order)
{
    const struct book_run *from = &self->book->runs[run];
    position->brackets[position->bracket_count++] =
        (struct brute_bracket){.class_id = from->class_id,
                               .entered = true,
                               .run = run,
                               .kappa = self->book->positions[from->first + order].kappa};
}

static bool has_bracket(const struct brute_position *position, uint32_t class_id)
{
    for (int i = 0; i < position->bracket_count; i++)
        if (position->brackets[i].class_id == class_id)
            return true;
    return false;
}

/* A bracket of the position's table, by the entry `e` over the opening price. */
static struct brute_bracket other_bracket(const struct brute_force *self,
                                          const struct brute_position *position, uint32_t class_id,
                                          double e)
{
    const struct book_class *class = &self->book->classes[class_id];
    const struct margin_formula *formula = brute_formula(self, class->venue);
    return (struct brute_bracket){.class_id = class_id,
                                  .kappa = formula->kappa(class->side, e, 1.0 / position->leverage,
                                                          class->rate,
                                                          class->cum_usd / position->size_usd)};
}

/* The other brackets of the same table and side; a table's classes lie side by side. */
static void add_foreign(struct brute_force *self, struct brute_position *position,
                        uint32_t class_id, double e)
{
    const struct book_class *classes = self->book->classes, *here = &classes[class_id];
    uint32_t id = class_id - (uint32_t)here->bracket;
    for (int n = 0; n < brute_table(self, position)->count; n++, id++)
        if (!has_bracket(position, id))
            position->brackets[position->bracket_count++] = other_bracket(self, position, id, e);
}

double brute_relative_entry(const struct brute_force *self, const struct brute_position *position,
                            const struct brute_bracket *bracket)
{
    const struct book_class *class = &self->book->classes[bracket->class_id];
    return brute_formula(self, class->venue)
        ->entry(class->side, bracket->kappa, 1.0 / position->leverage, class->rate,
                class->cum_usd / position->size_usd);
}

double brute_entry(const struct brute_force *self, const struct brute_position *position,
                   const struct brute_bracket *bracket)
{
    return brute_relative_entry(self, position, bracket) * position->open_price;
}

/* ---- making ----------------------------------------------------------------------------- */

static void make_record(struct brute_force *self, uint32_t r, uint32_t order, bool prices_given)
{
    const struct book_run *run = &self->book->runs[r];
    const struct book_class *class = &self->book->classes[run->class_id];
    const struct book_position *drawn = &self->book->positions[run->first + order];
    struct brute_position *position = &self->positions[self->count++];
    *position = (struct brute_position){.side = class->side,
                                        .venue = class->venue,
                                        .tier = tier_of((double)drawn->leverage),
                                        .bar = run->bar,
                                        .order = order,
                                        .index = run->first + order,
                                        .share = drawn->share,
                                        .leverage = (double)drawn->leverage,
                                        .size_usd = (double)drawn->size_usd,
                                        .rest = RESTS_NONE,
                                        .left = 1.0};
    add_entered(self, position, r, order);
    if (run->twin != BOOK_NO_TWIN)
        add_entered(self, position, run->twin, 0);
    const struct margin_formula *formula = brute_formula(self, class->venue);
    liqcascade_bug_assert(brute_table(self, position)->count <= BRUTE_BRACKETS,
                          "more brackets than the brute-force engine holds");
    if (!prices_given && !margin_keeps_bracket(formula, brute_table(self, position)))
        add_foreign(self, position, run->class_id,
                    brute_relative_entry(self, position, &position->brackets[0]));
}

void brute_make_records(struct brute_force *self, bool prices_given)
{
    const struct book *book = self->book;
    for (uint32_t r = 0; r < book->run_count; r++) {
        const struct book_run *run = &book->runs[r];
        if (run->twin != BOOK_NO_TWIN && run->twin < r)
            continue;
        for (uint32_t i = 0; i < run->count; i++)
            make_record(self, r, i, prices_given);
    }
}

/* K of every bracket, from the opening price and the funding until then. */
static void set_levels(const struct brute_force *self, struct brute_position *position)
{
    const struct margin_formula *formula = brute_formula(self, position->venue);
    for (int b = 0; b < position->bracket_count; b++) {
        struct brute_bracket *bracket = &position->brackets[b];
        bracket->level = margin_unit(formula, position->open_price) * bracket->kappa -
                         (formula->inverse ? position->funding_inverse : position->funding_linear);
    }
}

void brute_expose(struct brute_force *self, size_t bar, double price)
{
    for (; self->opened < self->count && self->positions[self->opened].bar <= bar; self->opened++) {
        struct brute_position *position = &self->positions[self->opened];
        position->open = true;
        position->open_price = price;
        position->funding_linear = self->funding_linear;
        position->funding_inverse = self->funding_inverse;
        set_levels(self, position);
    }
}

void brute_leave_rest(struct brute_force *self, struct brute_position *position,
                      const struct brute_bracket *fired, double share, double inverse_leverage)
{
    const struct brackets *table = brute_table(self, position);
    const struct margin_formula *formula = brute_formula(self, position->venue);
    double e = brute_relative_entry(self, position, fired);
    uint32_t first = fired->class_id - (uint32_t)self->book->classes[fired->class_id].bracket;
    position->share = position->share * position->left * (1.0 - share);
    position->size_usd *= 1.0 - share;
    position->leverage = 1.0 / inverse_leverage;
    position->left = 1.0;
    position->rest = self->rest_count++;
    position->orders++;
    position->fired = false;
    uint32_t id = first + (uint32_t)brackets_find(table, position->size_usd);
    position->brackets[0] = other_bracket(self, position, id, e);
    position->bracket_count = 1;
    if (!margin_keeps_bracket(formula, table))
        add_foreign(self, position, id, e);
    set_levels(self, position);
}

/* ---- looking ---------------------------------------------------------------------------- */

bool brute_position_left(const struct brute_position *position)
{
    return position->open && !position->fired && !position->closed;
}

double brute_funding_paid(const struct brute_force *self, const struct brute_position *position)
{
    return brute_formula(self, position->venue)->inverse
               ? self->funding_inverse - position->funding_inverse
               : self->funding_linear - position->funding_linear;
}

/* Where no positive price is on the line: reached at every price, or at none. */
double brute_trigger(const struct brute_force *self, const struct brute_bracket *bracket)
{
    const struct book_class *class = &self->book->classes[bracket->class_id];
    bool inverse = brute_formula(self, class->venue)->inverse;
    double funding = inverse ? self->funding_inverse : self->funding_linear;
    double z = (bracket->level + funding) / class->slope;
    if (inverse)
        return z < 0.0 ? -1.0 / z : INFINITY;
    return z > 0.0 ? z : 0.0;
}

double brute_coins(const struct brute_force *self, const struct brute_position *position)
{
    double hazard = ledger_hazard(&self->ledger, book_side_index(position->side), position->bar);
    return position->share * position->opened *
           exp(self->ledger.tier_hazard[position->tier] * (position->hazard_then - hazard)) *
           position->left;
}
