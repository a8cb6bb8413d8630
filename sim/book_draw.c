/*
 * Books drawn from the leverage, size and entry models.
 */
#include "sim/book_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/random.h"
#include "models/entry.h"

enum { CHUNK_BARS = 512 };

/* A share of the strata stands for hedged shorts (basis, market making), own prior. */
static const double HEDGED_STRATA = 0.2;

/* Where a position's leverage is drawn, the same in every bar. */
struct stratum {
    bool hedged; /* a hedged short: of the log-uniform part from `lower`, of all hedged ones;
                    otherwise of survival probabilities from `lower` */
    double lower, width;
    double mass; /* weight in the stock */
};

/* Everything that a drawing thread reads. */
struct drawing {
    const struct book_params *params;
    const struct book_bars *bars;
    struct book *book;
    struct book_class_map map;
    struct random_stream stream[2];
    int laws;                  /* of leverage a venue: 2 when the sides differ */
    struct leverage *leverage; /* per law and venue: see law_of */
    double survival_cap[2][BOOK_VENUES_MAX][BOOK_TABLES_MAX][BRACKETS_MAX]; /* by law */
    int strata[BOOK_VENUES_MAX];                 /* positions per bar and side of a venue */
    struct stratum *stratum[2][BOOK_VENUES_MAX]; /* of each; parts of one allocation */
    double hazard[TIERS];                        /* weight of an open against the stock */
};

/* ---- drawing ---------------------------------------------------------------------------- */

/* Of a side. */
static int law_of(const struct drawing *self, int side)
{
    return self->laws == 2 ? book_side_index(side) : 0;
}

static struct leverage *leverage_at(const struct drawing *self, int law, size_t venue)
{
    return &self->leverage[(size_t)law * self->params->venue_count + venue];
}

/* Part of each side's OI that is on venues that liquidate by themselves. */
static double automatic_share(const struct book_params *params)
{
    double share = 1.0;
    for (size_t v = 0; v < params->venue_count; v++)
        if (params->venues[v].by_hand)
            share -= params->venues[v].oi_share;
    return share;
}

/* Part of a side's opens that traders hold, not a pool. */
static double traders_share(const struct book_params *params, int side)
{
    return 1.0 - fmax(-(double)side * params->pool_share, 0.0);
}

/* Highest leverage that anybody holds in a bracket. */
static double leverage_cap(const struct book_params *params, const struct brackets *table,
                           int bracket)
{
    double cap = table->max_leverage[bracket];
    return params->leverage.maximum > 0.0 && params->leverage.maximum < cap
               ? params->leverage.maximum
               : cap;
}

/* Stratum i of n of a side; hedged shorts have strata of their own. */
static struct stratum make_stratum(const struct book_params *params, int side, int i, int n)
{
    int hedged = 0;
    if (side < 0 && params->hedged_short_share > 0.0 && n > 1)
        hedged = (int)fmax(1.0, HEDGED_STRATA * n);
    if (i < hedged)
        return (struct stratum){true, (double)i / (double)hedged, 1.0 / (double)hedged,
                                params->hedged_short_share / (double)hedged};
    double lower, upper;
    leverage_stratum(i - hedged, n - hedged, &lower, &upper);
    double width = upper - lower;
    return (struct stratum){false, lower, width,
                            width * (hedged > 0 ? 1.0 - params->hedged_short_share : 1.0)};
}

static double draw_leverage(const struct drawing *self, const struct leverage *law,
                            const struct stratum *stratum, double u, double cap,
                            double survival_cap)
{
    double place = stratum->lower + u * stratum->width;
    if (!stratum->hedged)
        return leverage_draw(law, place, cap, survival_cap);
    const double *range = self->params->hedged_leverage;
    double leverage = range[0] * pow(range[1] / range[0], place);
    return leverage < cap ? leverage : cap;
}

static float to_leverage(double leverage, double cap)
{
    float rounded = (float)leverage;
    if ((double)rounded > cap)
        rounded = nextafterf(rounded, 0.0f);
    return rounded < BOOK_LEVERAGE_LEAST ? BOOK_LEVERAGE_LEAST : rounded;
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

/* True when the bar's close has passed the liquidation price of an entry within the bar: whoever is
   left at the close cannot have opened there. `kappa` is the entry's. */
static bool dead_at_close(const struct margin_formula *formula, const struct book_class *class,
                          double kappa)
{
    double close = class->slope * margin_z(formula, 1.0);
    return (double)class->side * close <= (double)class->side * kappa;
}

/* kappa of an entry `e` from that of an entry at 1. */
static double kappa_of(const struct margin_formula *formula, double e, double kappa_at_1)
{
    return formula->inverse ? kappa_at_1 / e : e * kappa_at_1;
}

/* Brackets, class and kappa of a drawn position with entry `e`. */
static void place_draft(const struct drawing *self, int venue, int table_index, int side, double e,
                        struct book_draft *draft)
{
    const struct margin_formula *formula = self->params->venues[venue].formula;
    const struct brackets *table = &self->params->venues[venue].tables[table_index];
    double notional = (double)draft->position.size_usd;
    double leverage = (double)draft->position.leverage;
    struct book_bracket here;
    int edge = book_brackets_of(formula, table, side, notional, leverage, &here);
    int first = book_class_index(&self->map, venue, table_index, side, 0, table->count);
    draft->class_id = (uint32_t)(first + here.bracket);
    double kappa = kappa_of(formula, e, here.kappa);
    if (dead_at_close(formula, &self->book->classes[draft->class_id], kappa)) {
        e = 1.0;
        kappa = here.kappa;
    }
    draft->position.kappa = kappa;
    draft->edge_class = BOOK_NO_TWIN;
    if (edge >= 0) {
        draft->edge_class = (uint32_t)(first + edge);
        draft->edge_kappa = formula->kappa(side, e, 1.0 / leverage, table->rate[edge],
                                           table->cum_usd[edge] / notional);
    }
}

/* Draws one position into `draft`; its share is the weight, normalised later. */
static void draw_position(const struct drawing *self, size_t bar, int venue, int table_index,
                          int side, int i, uint32_t ordinal, double tilt, struct book_draft *draft)
{
    const struct brackets *table = &self->params->venues[venue].tables[table_index];
    const struct stratum *stratum = &self->stratum[book_side_index(side)][venue][i];
    struct random_block block =
        random_block_at(&self->stream[book_side_index(side)], (uint32_t)bar, ordinal);
    float size = (float)size_draw(&self->params->size, random_uniform(block.word[1]));
    int entry_bracket = brackets_find(table, (double)size);
    double cap = leverage_cap(self->params, table, entry_bracket);
    int law = law_of(self, side);
    float leverage =
        to_leverage(draw_leverage(self, leverage_at(self, law, (size_t)venue), stratum,
                                  random_uniform(block.word[0]), cap,
                                  self->survival_cap[law][venue][table_index][entry_bracket]),
                    cap);
    double weight = stratum->mass * self->hazard[tier_of((double)leverage)];
    if (tilt > 0.0)
        weight *= pow((double)leverage, tilt);
    draft->position =
        (struct book_position){.share = weight, .leverage = leverage, .size_usd = size};
    place_draft(self, venue, table_index, side,
                draw_entry(self, bar, random_uniform(block.word[2])), draft);
}

/* Exponent of the crowd's tilt on a side: high funding crowds the longs, low funding the shorts. */
static double tilt_of(const struct drawing *self, size_t bar, int side)
{
    if (self->bars->funding_z == NULL || self->params->crowd_tilt == 0.0)
        return 0.0;
    double z = (double)side * self->bars->funding_z[bar];
    return self->params->crowd_tilt * fmin(fmax(z, 0.0), 3.0);
}

/* All positions that one side opens in one bar, shares summing to what is not held outside. */
static void draw_side(const struct drawing *self, size_t bar, int side, struct book_draft *drafts)
{
    int64_t time_ms = self->bars->start_ms + (int64_t)bar * self->bars->step_ms;
    double tilt = tilt_of(self, bar, side), traders = traders_share(self->params, side);
    uint32_t ordinal = 0;
    for (size_t v = 0; v < self->params->venue_count; v++) {
        int table = book_table_at(&self->params->venues[v], time_ms);
        struct book_draft *first = drafts + ordinal;
        int count = self->strata[v];
        double total = 0.0;
        for (int i = 0; i < count; i++) {
            /* Highest leverage first, which is nearly the sorted order. */
            draw_position(self, bar, (int)v, table, side, count - 1 - i, ordinal++, tilt,
                          &first[i]);
            total += first[i].position.share;
        }
        double scale = self->params->venues[v].oi_share * traders / total;
        for (int i = 0; i < count; i++)
            first[i].position.share *= scale;
    }
}

static void draw_chunk(const struct drawing *self, struct book_chunk *chunk, size_t first,
                       size_t last)
{
    size_t per_side = self->book->position_count / (2 * self->book->bars);
    struct book_draft *drafts = memory_alloc(2 * per_side, sizeof *drafts);
    chunk->bar_runs = memory_alloc(last - first, sizeof *chunk->bar_runs);
    chunk->failed = drafts == NULL || chunk->bar_runs == NULL;
    for (size_t bar = first; bar < last && !chunk->failed; bar++) {
        size_t runs_before = chunk->run_count;
        for (int index = BOOK_LONG; index <= BOOK_SHORT; index++) {
            int side = index == BOOK_LONG ? 1 : -1;
            draw_side(self, bar, side, drafts);
            book_drafts_sort(self->book, drafts, drafts + per_side, per_side);
            size_t slot = (2 * bar + (size_t)index) * per_side;
            if (!book_chunk_group(chunk, self->book, drafts, per_side, slot, (uint32_t)bar))
                chunk->failed = true;
        }
        chunk->bar_runs[bar - first] = (uint32_t)(chunk->run_count - runs_before);
    }
    memory_free(drafts);
}

/* ---- making ----------------------------------------------------------------------------- */

static double highest_leverage(const struct book_params *params, const struct book_venue *venue)
{
    double highest = 1.0;
    for (size_t t = 0; t < venue->table_count; t++)
        highest = fmax(highest, leverage_cap(params, &venue->tables[t], 0));
    return highest;
}

/* The leverage of a venue's positions, of one side where sides differ. */
static int law_start(struct drawing *self, int law, size_t v, struct error *err)
{
    const struct book_params *params = self->params;
    const struct book_venue *venue = &params->venues[v];
    struct leverage *leverage = leverage_at(self, law, v);
    struct leverage_params own = params->leverage;
    own.maximum = highest_leverage(params, venue);
    own.side = law == BOOK_LONG ? 1 : -1;
    int code = leverage_init(leverage, &own, err);
    for (size_t t = 0; code == ERROR_NONE && t < venue->table_count && t < BOOK_TABLES_MAX; t++)
        for (int n = 0; n < venue->tables[t].count; n++)
            self->survival_cap[law][v][t][n] =
                leverage_survival(leverage, leverage_cap(params, &venue->tables[t], n));
    return code;
}

static int drawing_start(struct drawing *self, struct error *err)
{
    const struct book_params *params = self->params;
    for (int tier = 0; tier < TIERS; tier++)
        self->hazard[tier] = tier_hazard(tier, params->leverage.hazard_exponent);
    self->stream[BOOK_LONG] = random_stream_make(params->seed, params->replicate, "book.long");
    self->stream[BOOK_SHORT] = random_stream_make(params->seed, params->replicate, "book.short");
    self->laws = leverage_by_side(params->leverage.kind) ? 2 : 1;
    self->leverage = memory_alloc((size_t)self->laws * params->venue_count, sizeof *self->leverage);
    if (self->leverage == NULL)
        return error_memory(err, "leverage distributions");
    for (size_t v = 0; v < params->venue_count; v++)
        for (int law = 0; law < self->laws && !params->venues[v].by_hand; law++) {
            int code = law_start(self, law, v, err);
            if (code != ERROR_NONE)
                return code;
        }
    return ERROR_NONE;
}

/* Positions per bar and side of each venue that liquidates by itself: in proportion to its share,
   at least one. Returns the sum. */
static int strata_split(const struct book_params *params, int strata[BOOK_VENUES_MAX])
{
    double all = automatic_share(params);
    int total = 0;
    for (size_t v = 0; v < params->venue_count; v++) {
        strata[v] = 0;
        if (params->venues[v].by_hand)
            continue;
        double wanted = params->venues[v].oi_share / all * (double)params->positions_per_bar;
        strata[v] = (int)fmax(1.0, floor(wanted + 0.5));
        total += strata[v];
    }
    return total;
}

/* What strata_split has counted. */
static int strata_make(struct drawing *self, int per_side, struct error *err)
{
    struct stratum *next = memory_alloc(2 * (size_t)per_side, sizeof *next);
    if (next == NULL)
        return error_memory(err, "strata of leverage");
    for (int index = BOOK_LONG; index <= BOOK_SHORT; index++)
        for (size_t v = 0; v < self->params->venue_count; v++) {
            self->stratum[index][v] = next;
            for (int i = 0; i < self->strata[v]; i++)
                *next++ =
                    make_stratum(self->params, index == BOOK_LONG ? 1 : -1, i, self->strata[v]);
        }
    return ERROR_NONE;
}

static int draw_all(const struct drawing *self, struct book_chunk *chunks, size_t chunk_count,
                    struct error *err)
{
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t c = 0; c < chunk_count; c++) {
        size_t first = c * CHUNK_BARS;
        size_t last = first + CHUNK_BARS < self->book->bars ? first + CHUNK_BARS : self->book->bars;
        if (interrupt_check(NULL) == ERROR_NONE)
            draw_chunk(self, &chunks[c], first, last);
    }
    return interrupt_check(err);
}

int book_draw(struct book *self, const struct book_params *params, const struct book_bars *bars,
              struct error *err)
{
    struct drawing drawing = {.params = params, .bars = bars, .book = self};
    size_t chunk_count = (bars->bars + CHUNK_BARS - 1) / CHUNK_BARS;
    struct book_chunk *chunks = NULL;
    int per_side = strata_split(params, drawing.strata);
    if (per_side == 0)
        return error_set(err, ERROR_SCENARIO,
                         "no venue liquidates by itself; expected at least one");
    int code = book_begin(self, params->venues, params->venue_count, bars->bars,
                          2 * (size_t)per_side * bars->bars, &drawing.map, err);
    if (code != ERROR_NONE)
        goto out;
    for (int index = BOOK_LONG; index <= BOOK_SHORT; index++)
        self->held_share[index] =
            1.0 - automatic_share(params) * traders_share(params, index == BOOK_LONG ? 1 : -1);
    code = strata_make(&drawing, per_side, err);
    if (code == ERROR_NONE)
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
    for (size_t c = 0; chunks != NULL && c < chunk_count; c++)
        book_chunk_free(&chunks[c]);
    memory_free(chunks);
    memory_free(drawing.leverage);
    memory_free(drawing.stratum[BOOK_LONG][0]);
    if (code != ERROR_NONE)
        book_free(self);
    return code;
}
