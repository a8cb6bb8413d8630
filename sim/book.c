#include "sim/book.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sim/book_build.h"

/* ---- classes ---------------------------------------------------------------------------- */

int book_class_index(const struct book_class_map *map, int venue, int table, int side, int bracket,
                     int bracket_count)
{
    return map->first[venue][table] + (side > 0 ? 0 : bracket_count) + bracket;
}

static int classes_make(struct book *self, const struct book_venue *venues, size_t venue_count,
                        struct book_class_map *map, struct error *err)
{
    size_t total = 0;
    for (size_t v = 0; v < venue_count; v++) {
        if (venues[v].table_count < 1 || venues[v].table_count > BOOK_TABLES_MAX)
            return error_set(err, ERROR_DATA,
                             "venue %s has %zu bracket tables in force; expected 1 to %d",
                             venues[v].name, venues[v].table_count, BOOK_TABLES_MAX);
        for (size_t t = 0; t < venues[v].table_count; t++)
            total += 2 * (size_t)venues[v].tables[t].count;
    }
    if (total > BOOK_CLASSES_MAX)
        return error_set(err, ERROR_DATA, "%zu margin classes; expected at most %d", total,
                         BOOK_CLASSES_MAX);
    self->classes = memory_zeroed(total, sizeof *self->classes);
    if (self->classes == NULL)
        return error_memory(err, "margin classes");
    int next = 0;
    for (size_t v = 0; v < venue_count; v++)
        for (size_t t = 0; t < venues[v].table_count; t++) {
            const struct brackets *table = &venues[v].tables[t];
            map->first[v][t] = next;
            for (int side = 1; side >= -1; side -= 2)
                for (int n = 0; n < table->count; n++) {
                    self->classes[next++] = (struct book_class){
                        .venue = (int)v,
                        .table = (int)t,
                        .side = side,
                        .bracket = n,
                        .slope = venues[v].formula->slope(side, table->rate[n]),
                        .rate = table->rate[n],
                        .cum_usd = table->cum_usd[n],
                    };
                }
        }
    self->class_count = next;
    return ERROR_NONE;
}

int book_table_at(const struct book_venue *venue, int64_t time_ms)
{
    int table = 0;
    for (size_t t = 1; t < venue->table_count; t++)
        if (venue->tables[t].valid_from_ms <= time_ms)
            table = (int)t;
    return table;
}

/* kappa of an entry at 1 in one bracket. */
static double relative_kappa(const struct margin_formula *formula, const struct brackets *table,
                             int bracket, int side, double notional, double inverse_leverage)
{
    return formula->kappa(side, 1.0, inverse_leverage, table->rate[bracket],
                          table->cum_usd[bracket] / notional);
}

/* The notional at liquidation, which is what picks a bracket, as in margin_bracket. */
static double value_at_liquidation(const struct margin_formula *formula,
                                   const struct brackets *table, int bracket, int side,
                                   double notional, double kappa)
{
    double z = kappa / formula->slope(side, table->rate[bracket]);
    return formula->inverse ? notional / margin_price(formula, z) : notional * z;
}

/* The bracket beyond the edge that a value in `bracket` is near, or -1. */
static int edge_of(const struct brackets *table, int bracket, double value)
{
    if (bracket + 1 < table->count && value > table->cap_usd[bracket] * (1.0 - BOOK_EDGE))
        return bracket + 1;
    if (bracket > 0 && value < table->floor_usd[bracket] * (1.0 + BOOK_EDGE))
        return bracket - 1;
    return -1;
}

int book_edge_bracket(const struct margin_formula *formula, const struct brackets *table,
                      int bracket, int side, double notional, double inverse_leverage)
{
    if (margin_keeps_bracket(formula, table))
        return -1;
    double kappa = relative_kappa(formula, table, bracket, side, notional, inverse_leverage);
    return edge_of(table, bracket,
                   value_at_liquidation(formula, table, bracket, side, notional, kappa));
}

int book_brackets_of(const struct margin_formula *formula, const struct brackets *table, int side,
                     double notional, double leverage, struct book_bracket *out)
{
    int n = brackets_find(table, notional);
    double kappa = relative_kappa(formula, table, n, side, notional, 1.0 / leverage);
    *out = (struct book_bracket){n, kappa};
    if (margin_keeps_bracket(formula, table))
        return -1;
    /* Most positions are liquidated well within their bracket at entry: then all is known. */
    double value = value_at_liquidation(formula, table, n, side, notional, kappa);
    if (value > table->floor_usd[n] * (1.0 + BOOK_EDGE) &&
        value < table->cap_usd[n] * (1.0 - BOOK_EDGE))
        return -1;
    out->bracket = margin_bracket(formula, table, side, notional, leverage);
    out->kappa = relative_kappa(formula, table, out->bracket, side, notional, 1.0 / leverage);
    return book_edge_bracket(formula, table, out->bracket, side, notional, 1.0 / leverage);
}

double book_position_entry(const struct book *self, const struct book_class *class,
                           const struct book_position *position)
{
    const struct margin_formula *formula = self->venues[class->venue].formula;
    /* Nearly all positions are in the first bracket: no division for what is 0. */
    double cum_share = class->cum_usd == 0.0 ? 0.0 : class->cum_usd / (double)position->size_usd;
    return formula->entry(class->side, position->kappa, 1.0 / (double)position->leverage,
                          class->rate, cum_share);
}

void book_bar_opening(const struct book *self, size_t bar, struct ledger_opening out[2])
{
    memset(out, 0, 2 * sizeof *out);
    for (uint32_t r = self->bar_runs[bar]; r < self->bar_runs[bar + 1]; r++) {
        const struct book_run *run = &self->runs[r];
        const struct book_class *class = &self->classes[run->class_id];
        struct ledger_opening *opening = &out[book_side_index(class->side)];
        if (run->twin < r)
            continue;
        for (uint32_t i = run->first; i < run->first + run->count; i++) {
            const struct book_position *position = &self->positions[i];
            int tier = tier_of((double)position->leverage);
            double entry = position->share * book_position_entry(self, class, position);
            opening->share[tier] += position->share;
            opening->entry[tier] += entry;
            opening->margin[tier] += entry / (double)position->leverage;
        }
    }
}

/* ---- making ----------------------------------------------------------------------------- */

int book_begin(struct book *self, const struct book_venue *venues, size_t venue_count, size_t bars,
               size_t position_count, struct book_class_map *map, struct error *err)
{
    memset(self, 0, sizeof *self);
    liqcascade_bug_assert(venue_count <= BOOK_VENUES_MAX, "more venues than a book holds");
    if (position_count >= UINT32_MAX / 2)
        return error_set(err, ERROR_SCENARIO,
                         "%zu positions in the book; expected less than 2^31: lower "
                         "book.positions_per_bar or widen time.step",
                         position_count);
    self->bars = bars;
    self->position_count = position_count;
    self->venue_count = venue_count;
    memcpy(self->venues, venues, venue_count * sizeof *venues);
    self->positions = memory_alloc(position_count, sizeof *self->positions);
    self->bar_runs = memory_zeroed(bars + 1, sizeof *self->bar_runs);
    if (self->positions == NULL || self->bar_runs == NULL)
        return error_memory(err, "the book");
    return classes_make(self, venues, venue_count, map, err);
}

void book_free(struct book *self)
{
    memory_free(self->positions);
    memory_free(self->runs);
    memory_free(self->bar_runs);
    memory_free(self->classes);
    memory_free(self->accounts);
    memset(self, 0, sizeof *self);
}
