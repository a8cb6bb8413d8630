/*
 * From the numbers of an evaluation to the columns' parts of an open: what sim/book_draw.c draws,
 * summed. A stock's mass opens in proportion to its tier's hazard and, on the crowded side, to
 * leverage^tilt; each venue's sizes are cut at their brackets' leverages.
 */
#include "sim/cohort_parts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* A mass that lies on an edge belongs to the cell that begins there. */
static const double JUST_BELOW = 1.0 - 1e-12;
/* As sim/book_draw.c has it. */
static const double CROWDED_AT_MOST = 3.0;

/* ---- memory ----------------------------------------------------------------------------- */

static bool side_alloc(struct cohort_weights *self, int side)
{
    const struct cohort_table *table = self->table;
    size_t columns = (size_t)table->columns[side].count;
    self->base[side] = memory_alloc(table->epoch_count * columns, sizeof *self->base[side]);
    self->log_leverage[side] =
        memory_alloc(table->venue_count * columns, sizeof *self->log_leverage[side]);
    self->venues[side] = memory_alloc(table->venue_count * columns, sizeof *self->venues[side]);
    self->tilted[side] = memory_alloc(table->group_count * columns, sizeof *self->tilted[side]);
    self->of[side] = memory_alloc(table->group_count, sizeof *self->of[side]);
    self->opening[side] = memory_alloc(table->group_count, sizeof *self->opening[side]);
    return self->base[side] != NULL && self->log_leverage[side] != NULL &&
           self->venues[side] != NULL && self->tilted[side] != NULL && self->of[side] != NULL &&
           self->opening[side] != NULL;
}

int cohort_weights_init(struct cohort_weights *self, const struct cohort_table *table,
                        struct error *err)
{
    int most = table->columns[BOOK_LONG].count > table->columns[BOOK_SHORT].count
                   ? table->columns[BOOK_LONG].count
                   : table->columns[BOOK_SHORT].count;
    memset(self, 0, sizeof *self);
    self->table = table;
    self->spare = memory_alloc((size_t)most, sizeof *self->spare);
    self->stock = memory_alloc((size_t)table->cell_count + 1, sizeof *self->stock);
    self->hedged = memory_alloc((size_t)table->cell_count + 1, sizeof *self->hedged);
    bool made = self->stock != NULL && self->hedged != NULL && self->spare != NULL;
    for (int side = 0; side < 2; side++)
        made = made && side_alloc(self, side);
    if (made)
        return ERROR_NONE;
    cohort_weights_free(self);
    return error_memory(err, "weights of cohorts");
}

void cohort_weights_free(struct cohort_weights *self)
{
    for (int side = 0; side < 2; side++) {
        memory_free(self->base[side]);
        memory_free(self->log_leverage[side]);
        memory_free(self->venues[side]);
        memory_free(self->tilted[side]);
        memory_free(self->of[side]);
        memory_free(self->opening[side]);
    }
    memory_free(self->stock);
    memory_free(self->hedged);
    memory_free(self->spare);
    memset(self, 0, sizeof *self);
}

/* ---- leverage --------------------------------------------------------------------------- */

/* leverage_init makes a table of quantiles for lognormal_tail, which takes longer than all the rest
   and is not needed here: the lognormal part is a law of its own, and the tail is added. */
static int law_start(struct leverage *self, const struct leverage_params *params, struct error *err)
{
    struct leverage_params own = *params;
    if (params->kind != LEVERAGE_KIND_LOGNORMAL_TAIL)
        return leverage_init(self, &own, err);
    if (!(own.tail_share >= 0.0 && own.tail_share <= 1.0) ||
        !(own.tail_from >= own.minimum && own.tail_from < own.maximum))
        return error_set(err, ERROR_SCENARIO,
                         "leverage: tail share %g from %g; expected 0 to 1, from a leverage "
                         "between the minimum %g and the maximum %g of the venue's brackets",
                         own.tail_share, own.tail_from, own.minimum, own.maximum);
    own.kind = LEVERAGE_KIND_LOGNORMAL;
    int code = leverage_init(self, &own, err);
    self->params.kind = LEVERAGE_KIND_LOGNORMAL;
    return code;
}

/* P(stock > x) of the law of `params`, of which `law` is made. */
static double stock_above(const struct leverage *law, const struct leverage_params *params,
                          double x)
{
    double body = leverage_survival(law, x);
    if (params->kind != LEVERAGE_KIND_LOGNORMAL_TAIL || x < law->params.minimum ||
        x >= law->params.maximum)
        return body;
    double tail = x <= params->tail_from
                      ? 1.0
                      : log(law->params.maximum / x) / log(law->params.maximum / params->tail_from);
    return (1.0 - params->tail_share) * body + params->tail_share * tail;
}

/* As sim/book_draw.c has it: over all bracket tables of the venue. */
static double highest_leverage(const struct leverage_params *params, const struct book_venue *venue)
{
    double highest = 1.0;
    for (size_t t = 0; t < venue->table_count; t++)
        highest = fmax(highest, venue->tables[t].max_leverage[0]);
    return params->maximum > 0.0 && params->maximum < highest ? params->maximum : highest;
}

static int stock_make(struct cohort_weights *self, const struct cohort_params *params,
                      const struct book_venue *venue, int side, struct error *err)
{
    struct leverage_params own = params->leverage;
    own.maximum = highest_leverage(&params->leverage, venue);
    own.side = side == BOOK_LONG ? 1 : -1;
    int code = law_start(&self->law, &own, err);
    if (code != ERROR_NONE)
        return code;
    self->stock[0] = 1.0;
    for (int i = 1; i <= self->table->cell_count; i++)
        self->stock[i] = stock_above(&self->law, &own, self->table->edges[i] * JUST_BELOW);
    return ERROR_NONE;
}

static int hedged_make(struct cohort_weights *self, const struct cohort_params *params,
                       struct error *err)
{
    double low = params->hedged_leverage[0], high = params->hedged_leverage[1];
    if (!(low >= 1.0 && high >= low) || !(params->hedged_short_share >= 0.0) ||
        !(params->hedged_short_share <= 1.0))
        return error_set(err, ERROR_SCENARIO,
                         "hedged shorts: a share of %g at %g to %g; expected 0 to 1, at "
                         "leverages that rise from 1 or more",
                         params->hedged_short_share, low, high);
    for (int i = 0; i <= self->table->cell_count; i++) {
        double edge = self->table->edges[i] * JUST_BELOW;
        if (edge < low)
            self->hedged[i] = 1.0;
        else
            self->hedged[i] = edge >= high ? 0.0 : log(high / edge) / log(high / low);
    }
    return ERROR_NONE;
}

/* ---- columns ---------------------------------------------------------------------------- */

static inline void place_mass(double *weight, double *log_sum, const struct cohort_place *place,
                              double mass, double log_leverage)
{
    double next = mass * (double)place->next, here = mass - next;
    weight[place->column] += here;
    log_sum[place->column] += here * log_leverage;
    if (next == 0.0)
        return;
    weight[place->column + 1] += next;
    log_sum[place->column + 1] += next * log_leverage;
}

/* One size of a venue: the stock's leverages up to the cap, and hedged shorts, of which all beyond
   it are at it. */
static void place_node(struct cohort_weights *self, const struct cohort_node *node, int side,
                       const struct leverage_params *params, double hedged_share, double *weight,
                       double *log_sum)
{
    const struct cohort_table *table = self->table;
    const struct cohort_place *places = table->places + node->places[side];
    int cap = node->cap_cell;
    double beyond = stock_above(&self->law, params, table->edges[cap]);
    double all = 1.0 - beyond, hedged = node->probability * hedged_share;
    double share = all > 0.0 ? (node->probability - hedged) / all : 0.0;
    for (int i = 0; i < cap; i++) {
        double mass = share * (self->stock[i] - self->stock[i + 1]);
        if (hedged > 0.0)
            mass += hedged * (self->hedged[i] - self->hedged[i + 1]);
        if (mass > 0.0)
            place_mass(weight, log_sum, &places[i], mass, table->log_leverage[i]);
    }
    double rest =
        all > 0.0 ? share * fmax(self->stock[cap] - beyond, 0.0) : node->probability - hedged;
    place_mass(weight, log_sum, &places[cap], rest + hedged * self->hedged[cap],
               log(table->edges[cap]));
}

/* Gives a venue's columns their tiers' hazards, such that they sum to its part, and adds them. */
static void add_venue(struct cohort_weights *self, int side, double part, double *venue,
                      double *log_sum, double *weight)
{
    const struct cohort_columns *columns = &self->table->columns[side];
    double total = 0.0;
    for (int c = 0; c < columns->count; c++)
        total += self->hazard[columns->tier[c]] * venue[c];
    for (int c = 0; c < columns->count; c++) {
        log_sum[c] = venue[c] > 0.0 ? log_sum[c] / venue[c] : 0.0;
        venue[c] *= part * self->hazard[columns->tier[c]] / total;
        weight[c] += venue[c];
    }
}

static int epoch_make(struct cohort_weights *self, const struct setup *setup,
                      const struct cohort_params *params, size_t e, int side, struct error *err)
{
    const struct cohort_table *table = self->table;
    const struct cohort_epoch *epoch = &table->epochs[e];
    size_t columns = (size_t)table->columns[side].count;
    double *weight = self->base[side] + e * columns;
    double automatic = 0.0, hedged = side == BOOK_SHORT ? params->hedged_short_share : 0.0;
    memset(weight, 0, columns * sizeof *weight);
    for (size_t v = 0; v < setup->venue_count; v++)
        automatic += setup->venues[v].by_hand ? 0.0 : setup->venues[v].oi_share;
    size_t n = epoch->first_node, end = n + epoch->node_count;
    double *venue = self->venues[side] + epoch->first_venue * columns;
    double *logs = self->log_leverage[side] + epoch->first_venue * columns;
    for (; n < end; venue += columns, logs += columns) {
        int v = table->nodes[n].venue;
        int code = stock_make(self, params, &setup->venues[v], side, err);
        if (code != ERROR_NONE)
            return code;
        memset(venue, 0, columns * sizeof *venue);
        memset(logs, 0, columns * sizeof *logs);
        for (; n < end && table->nodes[n].venue == v; n++)
            place_node(self, &table->nodes[n], side, &params->leverage, hedged, venue, logs);
        add_venue(self, side,
                  (1.0 - table->held_share[side]) * setup->venues[v].oi_share / automatic, venue,
                  logs, weight);
    }
    return ERROR_NONE;
}

/* ---- groups ----------------------------------------------------------------------------- */

/* Every venue keeps its part of what opens. */
static void tilt_columns(const struct cohort_weights *self, const struct cohort_epoch *epoch,
                         int side, double tilt, double *out)
{
    size_t count = (size_t)self->table->columns[side].count;
    size_t first = epoch->first_venue * count, end = first + epoch->venue_count * count;
    memset(out, 0, count * sizeof *out);
    for (; first < end; first += count) {
        const double *venue = self->venues[side] + first;
        const double *log_leverage = self->log_leverage[side] + first;
        double *tilted = self->spare, before = 0.0, after = 0.0;
        for (size_t c = 0; c < count; c++) {
            tilted[c] = venue[c] > 0.0 ? venue[c] * exp(tilt * log_leverage[c]) : 0.0;
            before += venue[c];
            after += tilted[c];
        }
        for (size_t c = 0; c < count; c++)
            out[c] += tilted[c] * (before / after);
    }
}

static void group_make(struct cohort_weights *self, const struct cohort_params *params, size_t g,
                       int side)
{
    const struct cohort_columns *columns = &self->table->columns[side];
    const struct cohort_group *group = &self->table->groups[g];
    size_t count = (size_t)columns->count, epoch = (size_t)group->epoch * count;
    double z = side == BOOK_LONG ? group->funding_z : -group->funding_z;
    double tilt = params->crowd_tilt * fmin(fmax(z, 0.0), CROWDED_AT_MOST);
    const double *weight = self->base[side] + epoch;
    if (tilt > 0.0) {
        double *tilted = self->tilted[side] + g * count;
        tilt_columns(self, &self->table->epochs[group->epoch], side, tilt, tilted);
        weight = tilted;
    }
    self->of[side][g] = weight;
    struct ledger_opening *opening = &self->opening[side][g];
    memset(opening, 0, sizeof *opening);
    for (size_t c = 0; c < count; c++)
        opening->share[columns->tier[c]] += weight[c];
}

int cohort_weights_make(struct cohort_weights *self, const struct setup *setup,
                        const struct cohort_params *params, struct error *err)
{
    int code = hedged_make(self, params, err);
    for (int tier = 0; tier < TIERS; tier++)
        self->hazard[tier] = tier_hazard(tier, params->leverage.hazard_exponent);
    for (int side = 0; side < 2; side++)
        for (size_t e = 0; e < self->table->epoch_count && code == ERROR_NONE; e++)
            code = epoch_make(self, setup, params, e, side, err);
    for (int side = 0; side < 2 && code == ERROR_NONE; side++)
        for (size_t g = 0; g < self->table->group_count; g++)
            group_make(self, params, g, side);
    return code;
}
