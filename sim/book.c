#include "sim/book.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/random.h"
#include "models/entry.h"

enum { CHUNK_BARS = 512, MERGE_BLOCK = 24 };

/* A share of the strata stands for hedged shorts (basis, market making), own prior. */
static const double HEDGED_STRATA = 0.2;

/* Where the classes of a venue's table begin: [side][bracket] follow. */
struct class_map {
    int first[BOOK_VENUES_MAX][16]; /* [venue][table] */
};

enum { TABLES_MAX = 16 };

/* Everything that a drawing thread reads. */
struct drawing {
    const struct book_params *params;
    const struct book_bars *bars;
    struct book *book;
    struct class_map map;
    struct random_stream stream[2];
    struct leverage *leverage; /* per venue */
    double survival_cap[BOOK_VENUES_MAX][TABLES_MAX][BRACKETS_MAX];
    int strata[BOOK_VENUES_MAX]; /* positions per bar and side of a venue */
    double hazard[TIERS];        /* weight of an open against the stock */
};

/* One drawn entry before it is sorted into its class. */
struct draft {
    struct book_position position;
    uint32_t class_id;
    uint32_t edge_class; /* of its twin, or BOOK_NO_TWIN */
    double edge_kappa;
};

/* What one chunk of bars makes beside the fixed slots of its positions. */
struct chunk {
    struct book_run *runs;
    size_t run_count, run_capacity;
    struct book_position *twins;
    size_t twin_count, twin_capacity;
    uint32_t *bar_runs; /* runs of each bar of the chunk */
    bool failed;
};

/* ---- classes ---------------------------------------------------------------------------- */

static int class_index(const struct class_map *map, int venue, int table, int side, int bracket,
                       int bracket_count)
{
    return map->first[venue][table] + (side > 0 ? 0 : bracket_count) + bracket;
}

static int classes_make(struct book *self, const struct book_venue *venues, size_t venue_count,
                        struct class_map *map, struct error *err)
{
    size_t total = 0;
    for (size_t v = 0; v < venue_count; v++) {
        if (venues[v].table_count < 1 || venues[v].table_count > TABLES_MAX)
            return error_set(err, ERROR_DATA,
                             "venue %s has %zu bracket tables in force; expected 1 to %d",
                             venues[v].name, venues[v].table_count, TABLES_MAX);
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

static int table_at(const struct book_venue *venue, int64_t time_ms)
{
    int table = 0;
    for (size_t t = 1; t < venue->table_count; t++)
        if (venue->tables[t].valid_from_ms <= time_ms)
            table = (int)t;
    return table;
}

/* Liquidation price over entry in one bracket, without funding. */
static double relative_price(const struct margin_formula *formula, const struct brackets *table,
                             int bracket, int side, double notional, double inverse_leverage)
{
    double kappa = formula->kappa(side, 1.0, inverse_leverage, table->rate[bracket],
                                  table->cum_usd[bracket] / notional);
    return margin_price(formula, kappa / formula->slope(side, table->rate[bracket]));
}

/* The neighbouring bracket that funding might carry a position into, or -1. */
static int edge_bracket(const struct margin_formula *formula, const struct brackets *table,
                        int bracket, int side, double notional, double inverse_leverage)
{
    if (formula->bracket_at_entry || table->count == 1)
        return -1;
    double at_liquidation =
        notional * relative_price(formula, table, bracket, side, notional, inverse_leverage);
    if (bracket + 1 < table->count && at_liquidation > table->cap_usd[bracket] * (1.0 - BOOK_EDGE))
        return bracket + 1;
    if (bracket > 0 && at_liquidation < table->floor_usd[bracket] * (1.0 + BOOK_EDGE))
        return bracket - 1;
    return -1;
}

double book_position_entry(const struct book *self, const struct book_class *class,
                           const struct book_position *position)
{
    const struct margin_formula *formula = self->venues[class->venue].formula;
    return formula->entry(class->side, position->kappa, 1.0 / (double)position->leverage,
                          class->rate, class->cum_usd / (double)position->size_usd);
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

/* ---- sorting ---------------------------------------------------------------------------- */

/* The first to be liquidated comes first: the highest s * kappa. */
static double draft_key(const struct book *book, const struct draft *draft)
{
    return book->classes[draft->class_id].side > 0 ? draft->position.kappa : -draft->position.kappa;
}

static bool draft_before(const struct book *book, const struct draft *a, const struct draft *b)
{
    bool a_edge = a->edge_class != BOOK_NO_TWIN;
    bool b_edge = b->edge_class != BOOK_NO_TWIN;
    if (a_edge != b_edge)
        return b_edge;
    if (a->class_id != b->class_id)
        return a->class_id < b->class_id;
    return draft_key(book, a) > draft_key(book, b);
}

static void insertion_sort(const struct book *book, struct draft *drafts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct draft moved = drafts[i];
        size_t j = i;
        for (; j > 0 && draft_before(book, &moved, &drafts[j - 1]); j--)
            drafts[j] = drafts[j - 1];
        drafts[j] = moved;
    }
}

static void merge_halves(const struct book *book, const struct draft *from, struct draft *to,
                         size_t low, size_t middle, size_t high)
{
    size_t a = low, b = middle;
    for (size_t k = low; k < high; k++)
        to[k] = (a < middle && (b >= high || !draft_before(book, &from[b], &from[a]))) ? from[a++]
                                                                                       : from[b++];
}

/* Stable: insertion sort of short blocks (strata come nearly sorted), then merges. */
static void draft_sort(const struct book *book, struct draft *drafts, struct draft *spare,
                       size_t count)
{
    for (size_t i = 0; i < count; i += MERGE_BLOCK)
        insertion_sort(book, drafts + i, count - i < MERGE_BLOCK ? count - i : MERGE_BLOCK);
    struct draft *from = drafts, *to = spare;
    for (size_t width = MERGE_BLOCK; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count;
            size_t high = low + 2 * width < count ? low + 2 * width : count;
            merge_halves(book, from, to, low, middle, high);
        }
        struct draft *swap = from;
        from = to;
        to = swap;
    }
    if (from != drafts)
        memcpy(drafts, from, count * sizeof *drafts);
}

/* ---- drawing ---------------------------------------------------------------------------- */

/* Highest leverage that anybody holds in a bracket. */
static double leverage_cap(const struct book_params *params, const struct brackets *table,
                           int bracket)
{
    double cap = table->max_leverage[bracket];
    return params->leverage.maximum > 0.0 && params->leverage.maximum < cap
               ? params->leverage.maximum
               : cap;
}

/* Leverage of stratum i of n with its weight in the opens; hedged shorts have strata of their own.
 */
static double draw_leverage(const struct drawing *self, int venue, int side, int i, int n, double u,
                            double cap, double survival_cap, double *out_mass)
{
    const struct book_params *params = self->params;
    int hedged = 0;
    if (side < 0 && params->hedged_short_share > 0.0 && n > 1)
        hedged = (int)fmax(1.0, HEDGED_STRATA * n);
    double lower, upper, leverage;
    if (i < hedged) {
        double low = params->hedged_leverage[0], high = params->hedged_leverage[1];
        leverage = low * pow(high / low, ((double)i + u) / (double)hedged);
        *out_mass = params->hedged_short_share / (double)hedged;
        return leverage < cap ? leverage : cap;
    }
    leverage_stratum(i - hedged, n - hedged, &lower, &upper);
    *out_mass = (upper - lower) * (hedged > 0 ? 1.0 - params->hedged_short_share : 1.0);
    return leverage_draw(&self->leverage[venue], lower + u * (upper - lower), cap, survival_cap);
}

static float to_leverage(double leverage, double cap)
{
    float rounded = (float)leverage;
    if ((double)rounded > cap)
        rounded = nextafterf(rounded, 0.0f);
    return rounded < 1.0f ? 1.0f : rounded;
}

/* Entry over the bar's close. */
static double draw_entry(const struct drawing *self, size_t bar, double u)
{
    const struct book_bars *bars = self->bars;
    if (bar >= bars->priced)
        return 1.0;
    double close = bars->close[bar];
    if (self->params->entry_vwap)
        return (bars->high[bar] + bars->low[bar] + close) / (3.0 * close);
    return entry_triangular(bars->low[bar], bars->high[bar], close, u) / close;
}

/* True when the bar's close has passed the liquidation price of an entry `e` within the bar:
   whoever is left at the close cannot have opened there. */
static bool dead_at_close(const struct margin_formula *formula, const struct brackets *table,
                          int bracket, int side, double e, double inverse_leverage, double notional)
{
    double rate = table->rate[bracket];
    double kappa =
        formula->kappa(side, e, inverse_leverage, rate, table->cum_usd[bracket] / notional);
    double close = formula->slope(side, rate) * margin_z(formula, 1.0);
    return (double)side * close <= (double)side * kappa;
}

/* Draws one position into `draft`; its share is the weight, normalised later. */
static void draw_position(const struct drawing *self, size_t bar, int venue, int table_index,
                          int side, int i, uint32_t ordinal, double tilt, struct draft *draft)
{
    const struct book_venue *where = &self->params->venues[venue];
    const struct brackets *table = &where->tables[table_index];
    struct random_block block =
        random_block_at(&self->stream[book_side_index(side)], (uint32_t)bar, ordinal);
    float size = (float)size_draw(&self->params->size, random_uniform(block.word[1]));
    double notional = (double)size;
    int entry_bracket = brackets_find(table, notional);
    double cap = leverage_cap(self->params, table, entry_bracket);
    double mass;
    float leverage = to_leverage(
        draw_leverage(self, venue, side, i, self->strata[venue], random_uniform(block.word[0]), cap,
                      self->survival_cap[venue][table_index][entry_bracket], &mass),
        cap);
    double e = draw_entry(self, bar, random_uniform(block.word[2]));
    double inverse_leverage = 1.0 / (double)leverage;
    int bracket = margin_bracket(where->formula, table, side, notional, (double)leverage);
    int edge = edge_bracket(where->formula, table, bracket, side, notional, inverse_leverage);
    if (dead_at_close(where->formula, table, bracket, side, e, inverse_leverage, notional))
        e = 1.0;
    double weight = mass * self->hazard[tier_of((double)leverage)];
    if (tilt > 0.0)
        weight *= pow((double)leverage, tilt);
    draft->position = (struct book_position){
        .kappa = where->formula->kappa(side, e, inverse_leverage, table->rate[bracket],
                                       table->cum_usd[bracket] / notional),
        .share = weight,
        .leverage = leverage,
        .size_usd = size,
    };
    draft->class_id =
        (uint32_t)class_index(&self->map, venue, table_index, side, bracket, table->count);
    draft->edge_class = BOOK_NO_TWIN;
    if (edge >= 0) {
        draft->edge_class =
            (uint32_t)class_index(&self->map, venue, table_index, side, edge, table->count);
        draft->edge_kappa = where->formula->kappa(side, e, inverse_leverage, table->rate[edge],
                                                  table->cum_usd[edge] / notional);
    }
}

/* Exponent of the crowd's tilt on a side: high funding crowds the longs, low funding the shorts. */
static double tilt_of(const struct drawing *self, size_t bar, int side)
{
    if (self->bars->funding_z == NULL || self->params->crowd_tilt == 0.0)
        return 0.0;
    double z = (double)side * self->bars->funding_z[bar];
    return self->params->crowd_tilt * fmin(fmax(z, 0.0), 3.0);
}

/* All positions that one side opens in one bar, shares summing to 1. */
static void draw_side(const struct drawing *self, size_t bar, int side, struct draft *drafts)
{
    int64_t time_ms = self->bars->start_ms + (int64_t)bar * self->bars->step_ms;
    double tilt = tilt_of(self, bar, side);
    uint32_t ordinal = 0;
    for (size_t v = 0; v < self->params->venue_count; v++) {
        int table = table_at(&self->params->venues[v], time_ms);
        struct draft *first = drafts + ordinal;
        int count = self->strata[v];
        double total = 0.0;
        for (int i = 0; i < count; i++) {
            /* Highest leverage first, which is nearly the sorted order. */
            draw_position(self, bar, (int)v, table, side, count - 1 - i, ordinal++, tilt,
                          &first[i]);
            total += first[i].position.share;
        }
        double scale = self->params->venues[v].oi_share / total;
        for (int i = 0; i < count; i++)
            first[i].position.share *= scale;
    }
}

static bool chunk_run(struct chunk *chunk, const struct book_run *run)
{
    struct book_run *runs =
        memory_grow(chunk->runs, &chunk->run_capacity, chunk->run_count + 1, sizeof *chunk->runs);
    if (runs == NULL)
        return false;
    chunk->runs = runs;
    chunk->runs[chunk->run_count++] = *run;
    return true;
}

/* A position near an edge: one run of its own and one for its twin. Twin runs refer to each other
   by index within the chunk, the twin's entry by index within the chunk's twins; both are made
   global when chunks are joined. */
static bool chunk_edge(struct chunk *chunk, const struct draft *draft, uint32_t entry, uint32_t bar)
{
    struct book_position *twins = memory_grow(chunk->twins, &chunk->twin_capacity,
                                              chunk->twin_count + 1, sizeof *chunk->twins);
    if (twins == NULL)
        return false;
    chunk->twins = twins;
    struct book_position twin = draft->position;
    twin.kappa = draft->edge_kappa;
    uint32_t here = (uint32_t)chunk->run_count;
    struct book_run own = {entry, 1, bar, here + 1, draft->class_id};
    struct book_run other = {(uint32_t)chunk->twin_count, 1, bar, here, draft->edge_class};
    chunk->twins[chunk->twin_count++] = twin;
    return chunk_run(chunk, &own) && chunk_run(chunk, &other);
}

/* Writes sorted drafts to their slots and groups them into runs. */
static bool chunk_group(struct chunk *chunk, struct book *book, const struct draft *drafts,
                        size_t count, size_t slot, uint32_t bar)
{
    for (size_t i = 0; i < count; i++)
        book->positions[slot + i] = drafts[i].position;
    size_t i = 0;
    while (i < count && drafts[i].edge_class == BOOK_NO_TWIN) {
        size_t end = i + 1;
        while (end < count && drafts[end].edge_class == BOOK_NO_TWIN &&
               drafts[end].class_id == drafts[i].class_id)
            end++;
        struct book_run run = {(uint32_t)(slot + i), (uint32_t)(end - i), bar, BOOK_NO_TWIN,
                               drafts[i].class_id};
        if (!chunk_run(chunk, &run))
            return false;
        i = end;
    }
    for (; i < count; i++)
        if (!chunk_edge(chunk, &drafts[i], (uint32_t)(slot + i), bar))
            return false;
    return true;
}

static void draw_chunk(const struct drawing *self, struct chunk *chunk, size_t first, size_t last)
{
    size_t per_side = self->book->position_count / (2 * self->book->bars);
    struct draft *drafts = memory_alloc(2 * per_side, sizeof *drafts);
    chunk->bar_runs = memory_alloc(last - first, sizeof *chunk->bar_runs);
    chunk->failed = drafts == NULL || chunk->bar_runs == NULL;
    for (size_t bar = first; bar < last && !chunk->failed; bar++) {
        size_t runs_before = chunk->run_count;
        for (int index = BOOK_LONG; index <= BOOK_SHORT; index++) {
            int side = index == BOOK_LONG ? 1 : -1;
            draw_side(self, bar, side, drafts);
            draft_sort(self->book, drafts, drafts + per_side, per_side);
            size_t slot = (2 * bar + (size_t)index) * per_side;
            if (!chunk_group(chunk, self->book, drafts, per_side, slot, (uint32_t)bar))
                chunk->failed = true;
        }
        chunk->bar_runs[bar - first] = (uint32_t)(chunk->run_count - runs_before);
    }
    memory_free(drafts);
}

/* ---- joining ---------------------------------------------------------------------------- */

static int chunks_totals(const struct chunk *chunks, size_t count, size_t *out_runs,
                         size_t *out_twins, struct error *err)
{
    *out_runs = *out_twins = 0;
    for (size_t c = 0; c < count; c++) {
        if (chunks[c].failed)
            return error_memory(err, "drawing the book");
        *out_runs += chunks[c].run_count;
        *out_twins += chunks[c].twin_count;
    }
    if (*out_runs >= UINT32_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu runs in the book; expected less than 2^32",
                         *out_runs);
    return ERROR_NONE;
}

/* Copies one chunk behind what is joined already. */
static void join_chunk(struct book *self, const struct chunk *chunk, size_t first_bar, size_t bars)
{
    uint32_t run_base = (uint32_t)self->run_count;
    uint32_t twin_base = (uint32_t)self->entry_count;
    bool own = true; /* own and twin entries of an edge alternate */
    for (size_t r = 0; r < chunk->run_count; r++) {
        struct book_run run = chunk->runs[r];
        if (run.twin != BOOK_NO_TWIN) {
            run.twin += run_base;
            if (!own)
                run.first += twin_base;
            own = !own;
        }
        self->classes[run.class_id].run_count++;
        self->runs[self->run_count++] = run;
    }
    if (chunk->twin_count > 0)
        memcpy(self->positions + self->entry_count, chunk->twins,
               chunk->twin_count * sizeof *chunk->twins);
    self->entry_count += chunk->twin_count;
    for (size_t i = 0; i < bars; i++)
        self->bar_runs[first_bar + i + 1] = self->bar_runs[first_bar + i] + chunk->bar_runs[i];
}

/* Makes the chunks, each of `chunk_bars` bars, one book. */
static int book_join(struct book *self, const struct chunk *chunks, size_t count, size_t chunk_bars,
                     struct error *err)
{
    size_t runs, twins;
    int code = chunks_totals(chunks, count, &runs, &twins, err);
    if (code != ERROR_NONE)
        return code;
    struct book_position *positions =
        memory_resize(self->positions, self->position_count + twins, sizeof *positions);
    self->runs = memory_alloc(runs, sizeof *self->runs);
    if (positions == NULL || self->runs == NULL) {
        if (positions != NULL)
            self->positions = positions;
        return error_memory(err, "joining the book");
    }
    self->positions = positions;
    self->entry_count = self->position_count;
    for (size_t c = 0; c < count; c++) {
        size_t first = c * chunk_bars;
        size_t bars = self->bars - first < chunk_bars ? self->bars - first : chunk_bars;
        join_chunk(self, &chunks[c], first, bars);
    }
    return ERROR_NONE;
}

/* ---- making ----------------------------------------------------------------------------- */

static int book_start(struct book *self, const struct book_venue *venues, size_t venue_count,
                      size_t bars, size_t position_count, struct class_map *map, struct error *err)
{
    memset(self, 0, sizeof *self);
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

static double highest_leverage(const struct book_params *params, const struct book_venue *venue)
{
    double highest = 1.0;
    for (size_t t = 0; t < venue->table_count; t++)
        highest = fmax(highest, leverage_cap(params, &venue->tables[t], 0));
    return highest;
}

static int drawing_start(struct drawing *self, struct error *err)
{
    const struct book_params *params = self->params;
    for (int tier = 0; tier < TIERS; tier++)
        self->hazard[tier] = tier_hazard(tier, params->leverage.hazard_exponent);
    self->stream[BOOK_LONG] = random_stream_make(params->seed, params->replicate, "book.long");
    self->stream[BOOK_SHORT] = random_stream_make(params->seed, params->replicate, "book.short");
    self->leverage = memory_alloc(params->venue_count, sizeof *self->leverage);
    if (self->leverage == NULL)
        return error_memory(err, "leverage distributions");
    for (size_t v = 0; v < params->venue_count; v++) {
        struct leverage_params leverage = params->leverage;
        leverage.maximum = highest_leverage(params, &params->venues[v]);
        int code = leverage_init(&self->leverage[v], &leverage, err);
        if (code != ERROR_NONE)
            return code;
        for (size_t t = 0; t < params->venues[v].table_count && t < TABLES_MAX; t++)
            for (int n = 0; n < params->venues[v].tables[t].count; n++)
                self->survival_cap[v][t][n] = leverage_survival(
                    &self->leverage[v], leverage_cap(params, &params->venues[v].tables[t], n));
    }
    return ERROR_NONE;
}

/* Positions per bar and side of each venue: in proportion to its share, at least one. Returns the
   sum. */
static int strata_split(const struct book_params *params, int strata[BOOK_VENUES_MAX])
{
    int total = 0;
    for (size_t v = 0; v < params->venue_count; v++) {
        double wanted = params->venues[v].oi_share * (double)params->positions_per_bar;
        strata[v] = (int)fmax(1.0, floor(wanted + 0.5));
        total += strata[v];
    }
    return total;
}

static int draw_all(const struct drawing *self, struct chunk *chunks, size_t chunk_count,
                    struct error *err)
{
    bool stopped = false;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t c = 0; c < chunk_count; c++) {
        size_t first = c * CHUNK_BARS;
        size_t last = first + CHUNK_BARS < self->book->bars ? first + CHUNK_BARS : self->book->bars;
        if (!interrupt_pending())
            draw_chunk(self, &chunks[c], first, last);
    }
    stopped = interrupt_pending();
    return stopped ? interrupt_check(err) : ERROR_NONE;
}

int book_draw(struct book *self, const struct book_params *params, const struct book_bars *bars,
              struct error *err)
{
    struct drawing drawing = {.params = params, .bars = bars, .book = self};
    size_t chunk_count = (bars->bars + CHUNK_BARS - 1) / CHUNK_BARS;
    struct chunk *chunks = NULL;
    int per_side = strata_split(params, drawing.strata);
    int code = book_start(self, params->venues, params->venue_count, bars->bars,
                          2 * (size_t)per_side * bars->bars, &drawing.map, err);
    if (code != ERROR_NONE)
        goto out;
    code = drawing_start(&drawing, err);
    if (code != ERROR_NONE)
        goto out;
    chunks = memory_zeroed(chunk_count, sizeof *chunks);
    if (chunks == NULL) {
        code = error_memory(err, "drawing the book");
        goto out;
    }
    code = draw_all(&drawing, chunks, chunk_count, err);
    if (code == ERROR_NONE)
        code = book_join(self, chunks, chunk_count, CHUNK_BARS, err);
out:
    for (size_t c = 0; chunks != NULL && c < chunk_count; c++) {
        memory_free(chunks[c].runs);
        memory_free(chunks[c].twins);
        memory_free(chunks[c].bar_runs);
    }
    memory_free(chunks);
    memory_free(drawing.leverage);
    if (code != ERROR_NONE)
        book_free(self);
    return code;
}

/* ---- given positions -------------------------------------------------------------------- */

static int given_check(const struct book_given *given, size_t index, size_t venue_count,
                       struct error *err)
{
    const char *problem = NULL;
    if (given->venue < 0 || (size_t)given->venue >= venue_count)
        problem = "venue that the scenario does not have";
    else if (!(given->entry_price > 0.0) || !isfinite(given->entry_price))
        problem = "entry price; expected a number above 0";
    else if (!(given->size_coins > 0.0) || !isfinite(given->size_coins))
        problem = "size; expected a number above 0";
    else if (isnan(given->liquidation_price) ? !(given->leverage >= 1.0)
                                             : !(given->liquidation_price > 0.0))
        problem = "leverage (expected at least 1) or liquidation price (expected above 0)";
    if (problem == NULL)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, NULL, (long)index + 1, 0, NULL, "position %zu has a bad %s",
                    index + 1, problem);
}

/* The inverse leverage that gives a kappa: kappa is affine in it. Not bounded: a cross-margined
   position may have a liquidation price beyond what isolated margin allows. */
static double implied_inverse_leverage(const struct margin_formula *formula, int side, double entry,
                                       double kappa, double rate, double cum_share)
{
    double at_zero = formula->kappa(side, entry, 0.0, rate, cum_share);
    double at_one = formula->kappa(side, entry, 1.0, rate, cum_share);
    return (kappa - at_zero) / (at_one - at_zero);
}

static void given_draft(const struct book *self, const struct class_map *map,
                        const struct book_given *given, int table_index, struct draft *draft)
{
    const struct book_venue *venue = &self->venues[given->venue];
    const struct margin_formula *formula = venue->formula;
    const struct brackets *table = &venue->tables[table_index];
    int side = given->side;
    float size = (float)(given->entry_price * given->size_coins);
    double notional = (double)size;
    double leverage = (double)(float)given->leverage;
    int bracket, edge = -1;
    if (isnan(given->liquidation_price)) {
        bracket = margin_bracket(formula, table, side, notional, leverage);
        edge = edge_bracket(formula, table, bracket, side, notional, 1.0 / leverage);
    } else {
        double there =
            formula->bracket_at_entry ? notional : given->size_coins * given->liquidation_price;
        bracket = brackets_find(table, there);
    }
    double rate = table->rate[bracket], cum_share = table->cum_usd[bracket] / notional;
    double kappa = formula->kappa(side, given->entry_price, 1.0 / leverage, rate, cum_share);
    if (!isnan(given->liquidation_price)) {
        kappa = formula->slope(side, rate) * margin_z(formula, given->liquidation_price);
        leverage = 1.0 / implied_inverse_leverage(formula, side, given->entry_price, kappa, rate,
                                                  cum_share);
    }
    draft->position = (struct book_position){kappa, given->size_coins, (float)leverage, size};
    draft->class_id =
        (uint32_t)class_index(map, given->venue, table_index, side, bracket, table->count);
    draft->edge_class = BOOK_NO_TWIN;
    if (edge >= 0) {
        draft->edge_class =
            (uint32_t)class_index(map, given->venue, table_index, side, edge, table->count);
        draft->edge_kappa = formula->kappa(side, given->entry_price, 1.0 / leverage,
                                           table->rate[edge], table->cum_usd[edge] / notional);
    }
}

/* Coins per side, and what the smaller side lacks. */
static void given_sums(struct book *self, const struct draft *drafts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        self->file_coins[book_side_index(self->classes[drafts[i].class_id].side)] +=
            drafts[i].position.share;
    double gap = self->file_coins[BOOK_LONG] - self->file_coins[BOOK_SHORT];
    self->residual_coins[BOOK_LONG] = gap < 0.0 ? -gap : 0.0;
    self->residual_coins[BOOK_SHORT] = gap > 0.0 ? gap : 0.0;
}

int book_from_given(struct book *self, const struct book_given *given, size_t count,
                    const struct book_venue *venues, size_t venue_count, int64_t time_ms,
                    size_t bars, struct error *err)
{
    struct class_map map;
    struct chunk chunk = {0};
    struct draft *drafts = NULL;
    int code = book_start(self, venues, venue_count, bars, count, &map, err);
    if (code != ERROR_NONE)
        goto out;
    drafts = memory_alloc(2 * count, sizeof *drafts);
    chunk.bar_runs = memory_zeroed(bars, sizeof *chunk.bar_runs);
    if (drafts == NULL || chunk.bar_runs == NULL) {
        code = error_memory(err, "positions");
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        code = given_check(&given[i], i, venue_count, err);
        if (code != ERROR_NONE)
            goto out;
        given_draft(self, &map, &given[i], table_at(&venues[given[i].venue], time_ms), &drafts[i]);
    }
    draft_sort(self, drafts, drafts + count, count);
    given_sums(self, drafts, count);
    chunk.failed = !chunk_group(&chunk, self, drafts, count, 0, 0);
    chunk.bar_runs[0] = (uint32_t)chunk.run_count;
    self->from_file = true;
    code = book_join(self, &chunk, 1, bars, err);
out:
    memory_free(drafts);
    memory_free(chunk.runs);
    memory_free(chunk.twins);
    memory_free(chunk.bar_runs);
    if (code != ERROR_NONE)
        book_free(self);
    return code;
}

void book_free(struct book *self)
{
    memory_free(self->positions);
    memory_free(self->runs);
    memory_free(self->bar_runs);
    memory_free(self->classes);
    memset(self, 0, sizeof *self);
}
