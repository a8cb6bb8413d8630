/*
 * Where leverage and size lead to: cells, nodes, columns and the way from one to the other, none of
 * which depends on the numbers that fits change.
 */
#include "sim/cohort_parts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "models/margin.h"
#include "models/size.h"
#include "sim/book_build.h"

enum { CELLS_PER_COLUMN = 4, COLUMNS_MAX = UINT16_MAX };

/* Columns are no narrower than this, of the price; nor do they lie beyond this distance, where an
   inverse short at 1x is never liquidated. */
static const double NARROWEST = 5e-5, FARTHEST = 20.0;
/* Width of the cells of leverages that a scenario lists. */
static const double LISTED_WIDTH = 1e-9;
/* Sizes rarer than this are left out. */
static const double RAREST = 1e-9;

/* ---- cells ------------------------------------------------------------------------------ */

/* Where cells have to begin: tiers, brackets' highest leverages. Ascending, without repeats. */
struct corners {
    double *value; /* owned */
    size_t count, capacity;
};

static bool corner_add(struct corners *self, double value)
{
    size_t i = self->count;
    while (i > 0 && self->value[i - 1] > value)
        i--;
    if (i > 0 && self->value[i - 1] == value)
        return true;
    double *grown = memory_grow(self->value, &self->capacity, self->count + 1, sizeof *grown);
    if (grown == NULL)
        return false;
    self->value = grown;
    memmove(grown + i + 1, grown + i, (self->count - i) * sizeof *grown);
    grown[i] = value;
    self->count++;
    return true;
}

/* A table of leverages has each of them in a cell of its own, so that none is taken for another. */
static bool corners_listed(struct corners *self, const struct scenario *scenario, double highest)
{
    bool made = true;
    for (size_t i = 0; i < scenario->book.leverage.tier_count && made; i++) {
        double leverage = scenario->book.leverage.tier_leverage[i];
        double end = leverage * (1.0 + LISTED_WIDTH);
        if (leverage >= 1.0 && end < highest)
            made = corner_add(self, leverage) && corner_add(self, end);
    }
    return made;
}

static bool corners_make(struct corners *self, const struct setup *setup)
{
    double highest = 1.0;
    bool made = corner_add(self, 1.0);
    for (size_t v = 0; v < setup->venue_count; v++)
        for (size_t t = 0; t < setup->venues[v].table_count && !setup->venues[v].by_hand; t++) {
            const struct brackets *table = &setup->venues[v].tables[t];
            for (int n = 0; n < table->count && made; n++)
                made = corner_add(self, table->max_leverage[n]);
            highest = fmax(highest, table->max_leverage[0]);
        }
    for (int tier = 1; tier < TIERS && made; tier++)
        if (tier_edges[tier] < highest)
            made = corner_add(self, tier_edges[tier]);
    return made && corners_listed(self, setup->scenario, highest);
}

static int cells_between(double low, double high, double ratio)
{
    return (int)ceil(log(high / low) / ratio);
}

/* The last cell holds the highest leverage alone. */
static bool cells_make(struct cohort_table *self, const struct corners *corners, double ratio)
{
    int count = 1;
    for (size_t i = 0; i + 1 < corners->count; i++)
        count += cells_between(corners->value[i], corners->value[i + 1], ratio);
    self->cell_count = count;
    self->edges = memory_alloc((size_t)count + 1, sizeof *self->edges);
    self->log_leverage = memory_alloc((size_t)count, sizeof *self->log_leverage);
    self->cell_tier = memory_alloc((size_t)count, sizeof *self->cell_tier);
    if (self->edges == NULL || self->log_leverage == NULL || self->cell_tier == NULL)
        return false;
    int next = 0;
    for (size_t i = 0; i + 1 < corners->count; i++) {
        double low = corners->value[i], high = corners->value[i + 1];
        int cells = cells_between(low, high, ratio);
        for (int k = 0; k < cells; k++)
            self->edges[next++] = k == 0 ? low : low * pow(high / low, (double)k / cells);
    }
    self->edges[next] = self->edges[next + 1] = corners->value[corners->count - 1];
    for (int i = 0; i < count; i++) {
        self->log_leverage[i] = 0.5 * log(self->edges[i] * self->edges[i + 1]);
        self->cell_tier[i] = tier_of(self->edges[i]);
    }
    return true;
}

static int cell_at(const struct cohort_table *self, double leverage)
{
    int low = 0, high = self->cell_count - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (self->edges[middle] <= leverage)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* ---- nodes ------------------------------------------------------------------------------ */

/* A node and what it is made of, before the columns are known. */
struct draft {
    struct cohort_node node;
    const struct brackets *table;
    double size_usd;
};

struct drafts {
    struct draft *items; /* owned */
    size_t count, capacity;
};

/* P(size <= x), by bisection of the quantile function. */
static double size_below(const struct size_params *size, double x)
{
    double low = 0.0, high = 1.0;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (size_draw(size, middle) <= x)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static bool draft_add(struct drafts *self, const struct draft *draft)
{
    struct draft *grown = memory_grow(self->items, &self->capacity, self->count + 1, sizeof *grown);
    if (grown == NULL)
        return false;
    self->items = grown;
    grown[self->count++] = *draft;
    return true;
}

/* Sizes of one table: equal parts of the probability of each bracket, at their middles. */
static bool drafts_of_table(struct drafts *self, const struct cohort_table *table, int venue,
                            const struct brackets *brackets, const struct size_params *size,
                            int per_bracket)
{
    double below = 0.0;
    for (int n = 0; n < brackets->count; n++) {
        bool last = n == brackets->count - 1;
        double end = last ? 1.0 : size_below(size, brackets->cap_usd[n]);
        double width = end - below;
        int nodes = size->kind == SIZE_KIND_FIXED ? 1 : per_bracket;
        for (int k = 0; k < nodes && width > RAREST; k++) {
            double place = below + width * (k + 0.5) / nodes;
            struct draft draft = {
                .node = {.venue = venue,
                         .probability = width / nodes,
                         .cap_cell = cell_at(table, brackets->max_leverage[n])},
                .table = brackets,
                .size_usd = size_draw(size, place),
            };
            if (!draft_add(self, &draft))
                return false;
        }
        below = end;
    }
    return true;
}

static bool epoch_add(struct cohort_table *self, struct drafts *drafts, const struct setup *setup,
                      size_t bar, const struct size_params *size, int per_bracket)
{
    struct cohort_epoch *grown = memory_resize(self->epochs, self->epoch_count + 1, sizeof *grown);
    if (grown == NULL)
        return false;
    self->epochs = grown;
    struct cohort_epoch *epoch = &grown[self->epoch_count++];
    *epoch = (struct cohort_epoch){.first_bar = bar, .first_node = drafts->count};
    epoch->first_venue = self->venue_count;
    int64_t time_ms = setup->market.start_ms + (int64_t)bar * setup->market.step_ms;
    for (size_t v = 0; v < setup->venue_count; v++) {
        const struct book_venue *venue = &setup->venues[v];
        if (venue->by_hand)
            continue;
        epoch->venue_count++;
        if (!drafts_of_table(drafts, self, (int)v, &venue->tables[book_table_at(venue, time_ms)],
                             size, per_bracket))
            return false;
    }
    self->venue_count += epoch->venue_count;
    epoch->node_count = drafts->count - epoch->first_node;
    return true;
}

static bool tables_change(const struct setup *setup, size_t bar)
{
    int64_t step_ms = setup->market.step_ms;
    int64_t time_ms = setup->market.start_ms + (int64_t)bar * step_ms;
    for (size_t v = 0; v < setup->venue_count; v++)
        if (book_table_at(&setup->venues[v], time_ms) !=
            book_table_at(&setup->venues[v], time_ms - step_ms))
            return true;
    return false;
}

static bool epochs_make(struct cohort_table *self, struct drafts *drafts, const struct setup *setup,
                        const struct size_params *size, int per_bracket)
{
    for (size_t bar = 0; bar < setup->bars; bar++)
        if ((bar == 0 || tables_change(setup, bar)) &&
            !epoch_add(self, drafts, setup, bar, size, per_bracket))
            return false;
    return true;
}

/* ---- columns ---------------------------------------------------------------------------- */

static double distance_of(const struct setup *setup, const struct draft *draft, int side,
                          double leverage)
{
    double level =
        margin_liquidation_price(setup->venues[draft->node.venue].formula, draft->table, side, 1.0,
                                 draft->size_usd, fmax(leverage, BOOK_LEVERAGE_LEAST));
    double distance = side * (1.0 - level);
    return distance < FARTHEST ? distance : FARTHEST;
}

/* Distances of where every cell of every node begins on a side, in the order of their places. */
static double *distances_make(const struct cohort_table *self, const struct setup *setup,
                              const struct drafts *drafts, int side, size_t places)
{
    double *out = memory_alloc(places, sizeof *out);
    size_t next = 0;
    for (size_t i = 0; i < drafts->count && out != NULL; i++) {
        const struct draft *draft = &drafts->items[i];
        for (int cell = 0; cell <= draft->node.cap_cell; cell++)
            out[next++] = distance_of(setup, draft, side, self->edges[cell]);
    }
    return out;
}

static void tier_ranges(const struct cohort_table *self, const struct drafts *drafts,
                        const double *distances, double low[TIERS], double high[TIERS])
{
    for (int tier = 0; tier < TIERS; tier++) {
        low[tier] = INFINITY;
        high[tier] = -INFINITY;
    }
    for (size_t i = 0; i < drafts->count; i++)
        for (int cell = 0; cell <= drafts->items[i].node.cap_cell; cell++, distances++) {
            int tier = self->cell_tier[cell];
            double end = distances[cell < drafts->items[i].node.cap_cell];
            low[tier] = fmin(low[tier], fmin(distances[0], end));
            high[tier] = fmax(high[tier], fmax(distances[0], end));
        }
}

static double column_width(double distance, double ratio)
{
    return fmax(ratio * fabs(distance), NARROWEST);
}

/* Columns from `low` to `high`, drawn together so that the last one is there; their number. `out`
   may be NULL. */
static int columns_between(double low, double high, double ratio, double *out)
{
    int count = 1;
    double distance = low;
    if (!(low <= high))
        return 0;
    for (; distance < high; count++) {
        if (out != NULL)
            out[count - 1] = distance;
        distance += column_width(distance, ratio);
    }
    if (out == NULL)
        return count;
    out[count - 1] = distance;
    for (int i = 1; i < count; i++)
        out[i] = low + (out[i] - low) * (high - low) / (distance - low);
    return count;
}

static int columns_make(struct cohort_columns *self, const double low[TIERS],
                        const double high[TIERS], double ratio, struct error *err)
{
    self->count = 0;
    for (int tier = 0; tier < TIERS; tier++) {
        self->first[tier] = self->count;
        self->count += columns_between(low[tier], high[tier], ratio, NULL);
    }
    self->first[TIERS] = self->count;
    if (self->count > COLUMNS_MAX)
        return error_set(err, ERROR_SCENARIO, "%d columns of cohorts; expected at most %d",
                         self->count, COLUMNS_MAX);
    self->distance = memory_alloc((size_t)self->count, sizeof *self->distance);
    self->tier = memory_alloc((size_t)self->count, sizeof *self->tier);
    if (self->distance == NULL || self->tier == NULL)
        return error_memory(err, "columns of cohorts");
    for (int tier = 0; tier < TIERS; tier++) {
        columns_between(low[tier], high[tier], ratio, self->distance + self->first[tier]);
        for (int c = self->first[tier]; c < self->first[tier + 1]; c++)
            self->tier[c] = tier;
    }
    return ERROR_NONE;
}

static struct cohort_place place_of(const struct cohort_columns *columns, int tier, double distance)
{
    int low = columns->first[tier], high = columns->first[tier + 1] - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (columns->distance[middle] <= distance)
            low = middle;
        else
            high = middle - 1;
    }
    struct cohort_place out = {(uint16_t)low, 0.0f};
    if (low + 1 < columns->first[tier + 1]) {
        double here = columns->distance[low];
        out.next = (float)((distance - here) / (columns->distance[low + 1] - here));
    }
    return out;
}

static int side_make(struct cohort_table *self, const struct setup *setup,
                     const struct drafts *drafts, int index, size_t places, double ratio,
                     struct error *err)
{
    double low[TIERS], high[TIERS];
    double *distances = distances_make(self, setup, drafts, index == BOOK_LONG ? 1 : -1, places);
    if (distances == NULL)
        return error_memory(err, "columns of cohorts");
    tier_ranges(self, drafts, distances, low, high);
    int code = columns_make(&self->columns[index], low, high, ratio, err);
    size_t next = 0;
    for (size_t i = 0; i < drafts->count && code == ERROR_NONE; i++) {
        int cap = self->nodes[i].cap_cell;
        self->nodes[i].places[index] = (size_t)index * places + next;
        for (int cell = 0; cell <= cap; cell++, next++)
            self->places[(size_t)index * places + next] =
                place_of(&self->columns[index], self->cell_tier[cell],
                         0.5 * (distances[next] + distances[next + (cell < cap)]));
    }
    memory_free(distances);
    return code;
}

static int sides_make(struct cohort_table *self, const struct setup *setup,
                      const struct drafts *drafts, double ratio, struct error *err)
{
    size_t places = 0;
    self->node_count = drafts->count;
    self->nodes = memory_alloc(drafts->count, sizeof *self->nodes);
    if (self->nodes == NULL)
        return error_memory(err, "sizes of cohorts");
    for (size_t i = 0; i < drafts->count; i++) {
        self->nodes[i] = drafts->items[i].node;
        places += (size_t)self->nodes[i].cap_cell + 1;
    }
    self->places = memory_alloc(2 * places, sizeof *self->places);
    if (self->places == NULL)
        return error_memory(err, "sizes of cohorts");
    int code = side_make(self, setup, drafts, BOOK_LONG, places, ratio, err);
    return code == ERROR_NONE ? side_make(self, setup, drafts, BOOK_SHORT, places, ratio, err)
                              : code;
}

/* ---- groups ----------------------------------------------------------------------------- */

static bool group_add(struct cohort_table *self, size_t *capacity, int epoch, double z)
{
    struct cohort_group *grown =
        memory_grow(self->groups, capacity, self->group_count + 1, sizeof *grown);
    if (grown == NULL)
        return false;
    self->groups = grown;
    grown[self->group_count++] = (struct cohort_group){epoch, z};
    return true;
}

static bool groups_make(struct cohort_table *self, const struct setup *setup)
{
    size_t capacity = 0;
    int epoch = 0;
    self->group_of = memory_alloc(setup->bars, sizeof *self->group_of);
    if (self->group_of == NULL)
        return false;
    for (size_t bar = 0; bar < setup->bars; bar++) {
        double z = setup->funding_z == NULL ? 0.0 : setup->funding_z[bar];
        bool begins =
            (size_t)epoch + 1 < self->epoch_count && self->epochs[epoch + 1].first_bar == bar;
        epoch += begins;
        bool same = bar > 0 && !begins && self->groups[self->group_count - 1].funding_z == z;
        if (!same && !group_add(self, &capacity, epoch, z))
            return false;
        self->group_of[bar] = (uint32_t)(self->group_count - 1);
    }
    return true;
}

/* ---- making ----------------------------------------------------------------------------- */

/* Venues that liquidate by hand and pools hold their parts without ever being liquidated. */
static void shares_make(struct cohort_table *self, const struct setup *setup)
{
    double automatic = 1.0, pool = setup->scenario->book.pool_share;
    for (size_t v = 0; v < setup->venue_count; v++)
        if (setup->venues[v].by_hand)
            automatic -= setup->venues[v].oi_share;
    self->held_share[BOOK_LONG] = 1.0 - automatic * (1.0 - fmax(-pool, 0.0));
    self->held_share[BOOK_SHORT] = 1.0 - automatic * (1.0 - fmax(pool, 0.0));
}

int cohort_table_init(struct cohort_table *self, const struct setup *setup,
                      const struct cohort_detail *detail, struct error *err)
{
    struct corners corners = {0};
    struct drafts drafts = {0};
    struct size_params size = setup_size(setup->scenario, 1.0);
    int code = ERROR_NONE;
    memset(self, 0, sizeof *self);
    if (!corners_make(&corners, setup) ||
        !cells_make(self, &corners, detail->column_ratio / CELLS_PER_COLUMN) ||
        !epochs_make(self, &drafts, setup, &size, detail->size_nodes) || !groups_make(self, setup))
        code = error_memory(err, "the mix of cohorts");
    else
        code = sides_make(self, setup, &drafts, detail->column_ratio, err);
    memory_free(corners.value);
    memory_free(drafts.items);
    shares_make(self, setup);
    if (code != ERROR_NONE)
        cohort_table_free(self);
    return code;
}

void cohort_table_free(struct cohort_table *self)
{
    for (int side = 0; side < 2; side++) {
        memory_free(self->columns[side].distance);
        memory_free(self->columns[side].tier);
        memory_free(self->fires[side].segments);
        memory_free(self->fires[side].parts);
        memory_free(self->fires[side].segment_first);
        memory_free(self->fires[side].part_first);
    }
    memory_free(self->edges);
    memory_free(self->log_leverage);
    memory_free(self->cell_tier);
    memory_free(self->places);
    memory_free(self->nodes);
    memory_free(self->epochs);
    memory_free(self->groups);
    memory_free(self->group_of);
    memory_free(self->entry);
    memset(self, 0, sizeof *self);
}
