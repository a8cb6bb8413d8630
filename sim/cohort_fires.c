/*
 * Which part of each column of each cohort is liquidated in which bar, from the path alone. A
 * cohort's columns fire further only in bars whose extreme mark, less the funding paid, goes beyond
 * all since its opening; the next such bar after any is known from a stack, so a cohort looks at no
 * bar in vain.
 */
#include "sim/cohort_parts.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"

enum { PIECES = 8, CHECK_BARS = 512 }; /* pieces of a column, even */

/* A column alone in its tier is so wide, of the price. */
static const double NARROWEST = 1e-6;
/* Parts smaller than this are as good as none. */
static const double NEGLIGIBLE = 1e-9;

/* ---- the path --------------------------------------------------------------------------- */

struct walk {
    size_t bars;
    double *funding;    /* cumulative, per coin, as paid before the bar is walked; owned */
    double *extreme[2]; /* lowest (highest) mark of a bar less funding; owned */
    uint32_t *next[2];  /* the next bar that goes farther; bars: none; owned */
};

static void walk_free(struct walk *self)
{
    memory_free(self->funding);
    for (int side = 0; side < 2; side++) {
        memory_free(self->extreme[side]);
        memory_free(self->next[side]);
    }
}

/* From the last bar back: whoever is not beyond this bar is never the next of an earlier one. */
static void link_next(struct walk *self, int side)
{
    const double *extreme = self->extreme[side];
    double sign = side == BOOK_LONG ? 1.0 : -1.0;
    for (size_t i = self->bars; i-- > 0;) {
        size_t next = i + 1;
        while (next < self->bars && !(sign * extreme[next] < sign * extreme[i]))
            next = self->next[side][next];
        self->next[side][i] = (uint32_t)next;
    }
}

static int walk_make(struct walk *self, const struct setup *setup, struct error *err)
{
    const struct market *market = &setup->market;
    double funding = 0.0;
    *self = (struct walk){.bars = setup->bars};
    self->funding = memory_alloc(setup->bars, sizeof *self->funding);
    for (int side = 0; side < 2; side++) {
        self->extreme[side] = memory_alloc(setup->bars, sizeof *self->extreme[side]);
        self->next[side] = memory_alloc(setup->bars, sizeof *self->next[side]);
    }
    if (self->funding == NULL || self->extreme[0] == NULL || self->extreme[1] == NULL ||
        self->next[0] == NULL || self->next[1] == NULL)
        return error_memory(err, "the path of cohorts");
    for (size_t i = 0; i < setup->bars; i++) {
        struct path_bar bar = path_bar_at(&setup->path, i);
        double low = bar.mark[0], high = bar.mark[0];
        for (int node = 1; node < PATH_NODES; node++) {
            low = fmin(low, bar.mark[node]);
            high = fmax(high, bar.mark[node]);
        }
        if (market->funding_rate != NULL)
            funding += market->funding_rate[i] * bar.mark[0];
        self->funding[i] = funding;
        self->extreme[BOOK_LONG][i] = low - funding;
        self->extreme[BOOK_SHORT][i] = high - funding;
    }
    link_next(self, BOOK_LONG);
    link_next(self, BOOK_SHORT);
    return ERROR_NONE;
}

/* ---- entries ---------------------------------------------------------------------------- */

/* Of a bar's opens, over its close: triangular, or all at one price. */
struct entries {
    double low, high, mode;
};

static struct entries entries_of(const struct setup *setup, size_t bar)
{
    const struct market_bars *last = &setup->market.last;
    double close = last->close[bar];
    struct entries out = {.low = last->low[bar] / close, .high = last->high[bar] / close};
    out.mode = (out.high + out.low + 1.0) / 3.0;
    if (setup->scenario->book.entry == ENTRY_VWAP)
        out.low = out.high = out.mode;
    /* As in models/entry.h. */
    out.mode = fmin(fmax(out.mode, out.low), out.high);
    return out;
}

/* Integral of P(entry < x) for x up to e. */
static double entries_integral(const struct entries *self, double e)
{
    double low = self->low, high = self->high, mode = self->mode, width = high - low;
    if (e <= low)
        return 0.0;
    if (e >= high)
        return e - (low + mode + high) / 3.0;
    if (e < mode)
        return (e - low) * (e - low) * (e - low) / (3.0 * width * (mode - low));
    double rest = high - e;
    return e - (low + mode + high) / 3.0 + rest * rest * rest / (3.0 * width * (high - mode));
}

/* Mean of what opens in a bar, over its close. */
static double entries_mean(const struct entries *self)
{
    return (self->low + self->high + self->mode) / 3.0;
}

/* ---- a cohort --------------------------------------------------------------------------- */

/* The levels that a column stands for: equal pieces of either half of its hat, from the nearest to
   the farthest. */
struct hat {
    double level[PIECES + 1], weight[PIECES]; /* at the pieces' ends, and of each */
};

struct making {
    const struct setup *setup;
    const struct cohort_columns *columns;
    const struct walk *walk;
    int side;
    bool listed;                     /* leverages are a table */
    struct hat *hats;                /* per column; owned */
    double *nearest;                 /* per column: the level that fires first; owned */
    double *fired;                   /* per column of the present cohort; owned */
    struct cohort_segment *segments; /* in the order of cohorts; owned */
    uint32_t *segment_bar;           /* where each fires; owned */
    size_t segment_count, segment_capacity, bar_capacity;
    float *parts; /* owned */
    size_t part_count, part_capacity;
};

static double level_of(int side, double distance)
{
    double level = side == BOOK_LONG ? 1.0 - distance : 1.0 + distance;
    return fmax(level, 1e-12);
}

static void hat_make(struct making *self, int c)
{
    const struct cohort_columns *columns = self->columns;
    int tier = columns->tier[c];
    double here = columns->distance[c];
    bool lowest = c == columns->first[tier], highest = c + 1 == columns->first[tier + 1];
    double low = lowest ? here : columns->distance[c - 1];
    double high = highest ? here : columns->distance[c + 1];
    /* A density ends with its tier, but a mass of its own at the end (of listed leverages) lies on
       both sides of it. */
    if (lowest && self->listed)
        low = 2.0 * here - high;
    if (highest && self->listed)
        high = 2.0 * here - (lowest ? here : columns->distance[c - 1]);
    if (!(high > low)) {
        low -= NARROWEST;
        high += NARROWEST;
    }
    double sum = 0.0;
    struct hat *hat = &self->hats[c];
    int half = PIECES / 2;
    for (int k = 0; k <= PIECES; k++) {
        double place = (double)(k - half) / half; /* from the column's own distance to an end */
        hat->level[k] = level_of(self->side, here + place * (k < half ? here - low : high - here));
    }
    for (int k = 0; k < PIECES; k++) {
        double place = fabs(k + 0.5 - half) / half;
        hat->weight[k] = (1.0 - place) * (k < half ? here - low : high - here);
        sum += hat->weight[k];
    }
    for (int k = 0; k < PIECES; k++)
        hat->weight[k] /= sum;
    self->nearest[c] = hat->level[0];
}

/* P(entry * level < limit) of a column's pieces, each the mean over its levels. */
static void below_limit(const struct hat *hat, const struct entries *entries, double limit,
                        double out[PIECES])
{
    double end = limit / hat->level[0], integral = entries_integral(entries, end);
    for (int k = 0; k < PIECES; k++) {
        double next = limit / hat->level[k + 1];
        double more = entries_integral(entries, next);
        /* A piece without width has no weight. */
        out[k] = next != end ? (more - integral) / (next - end) : 0.0;
        end = next;
        integral = more;
    }
}

/* Part of a piece's levels that a price has reached. */
static double reached_part(int side, double nearest, double farthest, double reached)
{
    double past = side == BOOK_LONG ? nearest - reached : reached - nearest;
    double width = fabs(nearest - farthest);
    if (past <= 0.0)
        return 0.0;
    return past < width ? past / width : 1.0;
}

/* The part of a column that a price `reached` over the opening price leaves liquidated. Entries
   that the close has passed are made at the close, whose level is the level itself. */
static double column_fired(const struct making *self, const struct entries *entries, int c,
                           double reached)
{
    const struct hat *hat = &self->hats[c];
    double dead[PIECES], upto[PIECES], sum = 0.0;
    below_limit(hat, entries, 1.0, dead); /* of longs: those that are not */
    below_limit(hat, entries, reached, upto);
    for (int k = 0; k < PIECES; k++) {
        double part = reached_part(self->side, hat->level[k], hat->level[k + 1], reached);
        double fired = self->side == BOOK_LONG
                           ? fmax(dead[k] - upto[k], 0.0) + part * (1.0 - dead[k])
                           : fmax(upto[k] - dead[k], 0.0) + part * dead[k];
        sum += hat->weight[k] * fired;
    }
    return sum;
}

/* True when not even the column's first has fired. */
static bool column_unreached(const struct making *self, const struct entries *entries, int c,
                             double reached)
{
    if (self->side == BOOK_LONG)
        return self->nearest[c] * fmax(entries->high, 1.0) < reached;
    return self->nearest[c] * fmin(entries->low, 1.0) > reached;
}

static bool segment_begin(struct making *self, size_t cohort, size_t bar, int column)
{
    struct cohort_segment *segments = memory_grow(self->segments, &self->segment_capacity,
                                                  self->segment_count + 1, sizeof *segments);
    if (segments == NULL)
        return false;
    self->segments = segments;
    uint32_t *bars =
        memory_grow(self->segment_bar, &self->bar_capacity, self->segment_count + 1, sizeof *bars);
    if (bars == NULL)
        return false;
    self->segment_bar = bars;
    bars[self->segment_count] = (uint32_t)bar;
    segments[self->segment_count++] =
        (struct cohort_segment){(uint32_t)cohort, (uint16_t)column, 0};
    return true;
}

static bool part_add(struct making *self, double part)
{
    float *parts =
        memory_grow(self->parts, &self->part_capacity, self->part_count + 1, sizeof *parts);
    if (parts == NULL)
        return false;
    self->parts = parts;
    parts[self->part_count++] = (float)part;
    self->segments[self->segment_count - 1].count++;
    return true;
}

/* The columns of a tier from `*first` on, all before being gone, when a bar reaches so far. */
static bool fire_tier(struct making *self, const struct entries *entries, size_t cohort, size_t bar,
                      int tier, int *first, double reached)
{
    bool open = false;
    int c = *first;
    for (; c < self->columns->first[tier + 1]; c++) {
        if (column_unreached(self, entries, c, reached))
            break;
        double before = self->fired[c];
        double now = fmin(column_fired(self, entries, c, reached), 1.0);
        if (now > 1.0 - NEGLIGIBLE)
            now = 1.0;
        if (!open && now - before <= NEGLIGIBLE) {
            *first += c == *first && now == 1.0;
            continue;
        }
        if (!open && !segment_begin(self, cohort, bar, c))
            return false;
        open = true;
        self->fired[c] = fmax(now, before);
        if (!part_add(self, fmax(now - before, 0.0)))
            return false;
        *first += c == *first && now == 1.0;
    }
    return true;
}

static bool fire_cohort(struct making *self, size_t cohort)
{
    const struct walk *walk = self->walk;
    struct entries entries = entries_of(self->setup, cohort);
    double opened = path_bar_at(&self->setup->path, cohort).last[PATH_NODES - 1];
    int first[TIERS];
    memcpy(first, self->columns->first, sizeof first);
    memset(self->fired, 0, (size_t)self->columns->count * sizeof *self->fired);
    for (size_t bar = cohort + 1; bar < walk->bars; bar = walk->next[self->side][bar]) {
        double reached = (walk->extreme[self->side][bar] + walk->funding[cohort]) / opened;
        for (int tier = 0; tier < TIERS; tier++)
            if (!fire_tier(self, &entries, cohort, bar, tier, &first[tier], reached))
                return false;
    }
    return true;
}

/* ---- by bar ----------------------------------------------------------------------------- */

/* Segments and their parts in the order of the bars in which they fire, within a bar of cohorts. */
static int sort_fires(const struct making *self, struct cohort_fires *out, struct error *err)
{
    size_t bars = self->walk->bars;
    out->segments = memory_alloc(self->segment_count, sizeof *out->segments);
    out->parts = memory_alloc(self->part_count, sizeof *out->parts);
    out->segment_first = memory_zeroed(bars + 2, sizeof *out->segment_first);
    out->part_first = memory_zeroed(bars + 2, sizeof *out->part_first);
    if (out->segments == NULL || out->parts == NULL || out->segment_first == NULL ||
        out->part_first == NULL)
        return error_memory(err, "what cohorts fire");
    /* Counted two places on, so that after the copying each bar's is where it begins. */
    for (size_t i = 0; i < self->segment_count; i++) {
        out->segment_first[self->segment_bar[i] + 2]++;
        out->part_first[self->segment_bar[i] + 2] += self->segments[i].count;
    }
    for (size_t i = 2; i < bars + 2; i++) {
        out->segment_first[i] += out->segment_first[i - 1];
        out->part_first[i] += out->part_first[i - 1];
    }
    const float *parts = self->parts;
    for (size_t i = 0; i < self->segment_count; i++) {
        size_t bar = self->segment_bar[i], count = self->segments[i].count;
        out->segments[out->segment_first[bar + 1]++] = self->segments[i];
        memcpy(out->parts + out->part_first[bar + 1], parts, count * sizeof *parts);
        out->part_first[bar + 1] += count;
        parts += count;
    }
    return ERROR_NONE;
}

/* ---- making ----------------------------------------------------------------------------- */

static int making_start(struct making *self, struct error *err)
{
    size_t columns = (size_t)self->columns->count;
    self->hats = memory_alloc(columns, sizeof *self->hats);
    self->nearest = memory_alloc(columns, sizeof *self->nearest);
    self->fired = memory_alloc(columns, sizeof *self->fired);
    if (self->hats == NULL || self->nearest == NULL || self->fired == NULL)
        return error_memory(err, "what cohorts fire");
    for (int c = 0; c < self->columns->count; c++)
        hat_make(self, c);
    return ERROR_NONE;
}

static void making_free(struct making *self)
{
    memory_free(self->hats);
    memory_free(self->nearest);
    memory_free(self->fired);
    memory_free(self->segments);
    memory_free(self->segment_bar);
    memory_free(self->parts);
}

static int side_fires(struct cohort_table *self, const struct setup *setup, const struct walk *walk,
                      int side, struct error *err)
{
    struct making making = {.setup = setup,
                            .columns = &self->columns[side],
                            .walk = walk,
                            .side = side,
                            .listed = setup->scenario->book.leverage.tier_count > 0};
    int code = making_start(&making, err);
    for (size_t cohort = 0; cohort < setup->bars && code == ERROR_NONE; cohort++) {
        if (cohort % CHECK_BARS == 0)
            code = interrupt_check(err);
        if (code == ERROR_NONE && !fire_cohort(&making, cohort))
            code = error_memory(err, "what cohorts fire");
    }
    if (code == ERROR_NONE)
        code = sort_fires(&making, &self->fires[side], err);
    making_free(&making);
    return code;
}

int cohort_fires_init(struct cohort_table *self, const struct setup *setup, struct error *err)
{
    struct walk walk;
    int code = walk_make(&walk, setup, err);
    self->entry = memory_alloc(setup->bars, sizeof *self->entry);
    if (code == ERROR_NONE && self->entry == NULL)
        code = error_memory(err, "what cohorts fire");
    for (size_t bar = 0; bar < setup->bars && code == ERROR_NONE; bar++) {
        struct entries entries = entries_of(setup, bar);
        self->entry[bar] = entries_mean(&entries);
    }
    for (int side = 0; side < 2 && code == ERROR_NONE; side++)
        code = side_fires(self, setup, &walk, side, err);
    walk_free(&walk);
    return code;
}
