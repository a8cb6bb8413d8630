#include "sim/study/synth.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/random.h"

/* Own choices that shape what the published figures leave open. */
#define MARK_SMOOTHING 0.6  /* share of the gap to the last price that the mark closes a minute */
#define MARK_WICK_SHARE 0.5 /* of the last price's wicks */
#define OI_NOISE_SQRT_DAY 0.003 /* share of open interest, between published figures */
#define FUNDING_NOISE 2e-5      /* fraction per payment, halfway between published figures */
#define VOLUME_FLOOR 0.4        /* share of volume that does not depend on the bar's range */
#define VOLUME_NOISE 0.5        /* of the logarithm */
#define RANGE_OF_BROWNIAN \
    1.596 /* expected range of a Brownian motion over its deviation: sqrt(8/pi) */
#define MINUTES_PER_DAY 1440

/* Lowest and highest tick that a day's prices may take, extremes included. */
struct limits {
    int64_t low, high;
};

static const struct limits any_price = {1, INT64_MAX};

struct builder {
    struct synth *out;
    const struct anchors *anchors;
    struct limits whole; /* over the table */
    int64_t *node;       /* last price at the start of every bar and at the end, ticks; -1: open */
    double *sigma;       /* of the log price over one bar */
};

static int64_t bar_start(const struct synth *self, size_t bar)
{
    return self->start_ms + (int64_t)bar * CALENDAR_MINUTE_MS;
}

static size_t bar_at(const struct synth *self, int64_t time_ms)
{
    return (size_t)((time_ms - self->start_ms) / CALENDAR_MINUTE_MS);
}

static struct random_block draw(const struct synth *self, const char *stream_name, size_t bar)
{
    struct random_stream stream = random_stream_make(self->seed, 0, stream_name);
    int64_t minute = bar_start(self, bar) / CALENDAR_MINUTE_MS;
    return random_block_at(&stream, (uint32_t)minute, 0);
}

static double normal(struct random_block block)
{
    return random_normal(random_uniform53(block.word[0], block.word[1]));
}

static int64_t to_ticks(const struct anchors *anchors, double price)
{
    return llround(price / anchors->tick);
}

static int64_t clamp(int64_t value, struct limits limits)
{
    if (value < limits.low)
        return limits.low;
    return value > limits.high ? limits.high : value;
}

/* --- limits --- */

/* Days without extremes of their own stay within the table's: no price below the lowest figure of a
   table that says where a low was, nor above the highest of one that says where a high was. */
static struct limits whole_range(const struct anchors *anchors)
{
    struct limits seen = {INT64_MAX, 0};
    for (enum anchor_field field = ANCHOR_PRICE; field <= ANCHOR_PRICE_HIGH; field++) {
        const struct anchor_list *list = &anchors->list[field];
        for (size_t i = 0; i < list->count; i++) {
            int64_t ticks = to_ticks(anchors, list->items[i].value);
            seen.low = ticks < seen.low ? ticks : seen.low;
            seen.high = ticks > seen.high ? ticks : seen.high;
        }
    }
    struct limits whole = any_price;
    if (anchors->list[ANCHOR_PRICE_LOW].count > 0)
        whole.low = seen.low;
    if (anchors->list[ANCHOR_PRICE_HIGH].count > 0)
        whole.high = seen.high;
    return whole;
}

/* Limits of the day that a bar lies in; `low` and `high` name the fields of its extremes. */
static struct limits day_limits(const struct builder *self, size_t bar, enum anchor_field low,
                                enum anchor_field high, struct limits otherwise)
{
    int64_t day = anchor_day(bar_start(self->out, bar));
    const struct anchor *lowest = anchor_list_of_day(&self->anchors->list[low], day);
    const struct anchor *highest = anchor_list_of_day(&self->anchors->list[high], day);
    if (lowest != NULL)
        otherwise.low = to_ticks(self->anchors, lowest->value);
    if (highest != NULL)
        otherwise.high = to_ticks(self->anchors, highest->value);
    return otherwise;
}

/* A tick off the extremes themselves, which belong to one minute each. */
static struct limits inside(struct limits limits)
{
    limits.low += limits.low > any_price.low;
    limits.high -= limits.high < any_price.high;
    return limits;
}

/* A price between two bars is the close of one and the open of the next: it must suit the days of
   both. */
static struct limits node_limits(const struct builder *self, size_t node, enum anchor_field low,
                                 enum anchor_field high, struct limits whole)
{
    struct limits limits = {INT64_MIN, INT64_MAX};
    for (size_t bar = node == 0 ? 0 : node - 1; bar <= node && bar < self->out->bars; bar++) {
        struct limits day = day_limits(self, bar, low, high, whole);
        limits.low = day.low > limits.low ? day.low : limits.low;
        limits.high = day.high < limits.high ? day.high : limits.high;
    }
    return inside(limits);
}

static struct limits price_node_limits(const struct builder *self, size_t node)
{
    return node_limits(self, node, ANCHOR_PRICE_LOW, ANCHOR_PRICE_HIGH, self->whole);
}

static int check_limits(const struct builder *self, size_t node, struct error *err)
{
    struct limits limits = price_node_limits(self, node);
    if (limits.low <= limits.high)
        return ERROR_NONE;
    char when[CALENDAR_TEXT_SIZE];
    calendar_format_iso(bar_start(self->out, node), when);
    return error_at(err, ERROR_DATA, self->anchors->path, 0, 0, "price_low",
                    "the extremes of the days around %s leave no price between them", when);
}

/* --- last price --- */

static void place_prices(struct builder *self)
{
    const struct anchor_list *prices = &self->anchors->list[ANCHOR_PRICE];
    for (size_t i = 0; i < prices->count; i++)
        self->node[bar_at(self->out, prices->items[i].time_ms)] =
            to_ticks(self->anchors, prices->items[i].value);
}

/* The bar of an extreme opens near it, within what its volatility covers in a minute; `away` is
   +1 for a low, -1 for a high. */
static void place_extremes(struct builder *self, enum anchor_field field, double away)
{
    const struct anchor_list *list = &self->anchors->list[field];
    for (size_t i = 0; i < list->count; i++) {
        size_t bar = bar_at(self->out, list->items[i].time_ms);
        if (self->node[bar] >= 0)
            continue;
        double u = random_uniform(draw(self->out, "synth.extreme", bar).word[0]);
        double near = list->items[i].value * exp(away * self->sigma[bar] * (0.25 + 0.5 * u));
        self->node[bar] = clamp(to_ticks(self->anchors, near), price_node_limits(self, bar));
    }
}

static double reflect(double x, double low, double high)
{
    if (x < low)
        x = 2 * low - x;
    if (x > high)
        x = 2 * high - x;
    return fmin(fmax(x, low), high);
}

static double variance_between(const struct builder *self, size_t from, size_t to)
{
    double variance = 0;
    for (size_t bar = from; bar < to; bar++)
        variance += self->sigma[bar] * self->sigma[bar];
    return variance;
}

/* Draws a node between two known ones from the bridge's own distribution there. */
static int64_t draw_between(const struct builder *self, size_t from, size_t node, size_t to)
{
    double left = log((double)self->node[from]), right = log((double)self->node[to]);
    double before = variance_between(self, from, node), after = variance_between(self, node, to);
    double mean = left + (right - left) * before / (before + after);
    double deviation = sqrt(before * after / (before + after));
    double x = mean + deviation * normal(draw(self->out, "synth.midnight", node));
    struct limits limits = price_node_limits(self, node);
    x = reflect(x, log((double)limits.low), log((double)limits.high));
    return clamp(llround(exp(x)), limits);
}

/* Midnights come before the minutes between them: a midnight must suit the extremes of two days,
   and a path that met the second day's only on arrival would have to jump. */
static int place_midnights(struct builder *self, struct error *err)
{
    size_t known = 0, next = 0;
    for (size_t node = 1; node < self->out->bars; node++) {
        if (self->node[node] >= 0)
            known = node;
        if (self->node[node] >= 0 || bar_start(self->out, node) % CALENDAR_DAY_MS != 0)
            continue;
        int code = check_limits(self, node, err);
        if (code != ERROR_NONE)
            return code;
        for (next = next > node ? next : node + 1; self->node[next] < 0;)
            next++;
        self->node[node] = draw_between(self, known, node, next);
        known = node;
    }
    return ERROR_NONE;
}

/* Fills the nodes strictly between two known ones. */
static int bridge(struct builder *self, size_t from, size_t to, struct error *err)
{
    double left = log((double)self->node[from]), right = log((double)self->node[to]);
    double walk_end = 0, variance_end = variance_between(self, from, to);
    for (size_t bar = from; bar < to; bar++)
        walk_end += self->sigma[bar] * normal(draw(self->out, "synth.price", bar));
    double walk = 0, variance = 0;
    for (size_t bar = from; bar + 1 < to; bar++) {
        int code = check_limits(self, bar + 1, err);
        if (code != ERROR_NONE)
            return code;
        walk += self->sigma[bar] * normal(draw(self->out, "synth.price", bar));
        variance += self->sigma[bar] * self->sigma[bar];
        double x = left + walk + variance / variance_end * (right - left - walk_end);
        struct limits limits = price_node_limits(self, bar + 1);
        x = reflect(x, log((double)limits.low), log((double)limits.high));
        self->node[bar + 1] = clamp(llround(exp(x)), limits);
    }
    return ERROR_NONE;
}

static int fill_nodes(struct builder *self, struct error *err)
{
    size_t known = 0;
    int code = ERROR_NONE;
    for (size_t node = 1; node <= self->out->bars && code == ERROR_NONE; node++) {
        if (self->node[node] < 0)
            continue;
        code = bridge(self, known, node, err);
        known = node;
    }
    return code;
}

/* The maximum of a Brownian motion between a and b has P(M > m) = exp(-2 (m - a)(m - b) / s^2);
   inverted at a uniform. The minimum is the mirror image. */
static double bridge_maximum(double a, double b, double sigma, double uniform)
{
    return 0.5 * (a + b + sqrt((a - b) * (a - b) - 2 * sigma * sigma * log(uniform)));
}

static void set_wicks(struct builder *self, size_t bar)
{
    const struct synth_bars *last = &self->out->last;
    struct random_block block = draw(self->out, "synth.price", bar);
    int64_t open = self->node[bar], close = self->node[bar + 1];
    int64_t top = open > close ? open : close, bottom = open < close ? open : close;
    double a = log((double)open), b = log((double)close), sigma = self->sigma[bar];
    struct limits day =
        inside(day_limits(self, bar, ANCHOR_PRICE_LOW, ANCHOR_PRICE_HIGH, self->whole));

    double high = exp(bridge_maximum(a, b, sigma, random_uniform(block.word[2])));
    double low = exp(-bridge_maximum(-a, -b, sigma, random_uniform(block.word[3])));
    int64_t highest = clamp(llround(high), day), lowest = clamp(llround(low), day);
    last->open[bar] = open;
    last->close[bar] = close;
    last->high[bar] = highest > top ? highest : top;
    last->low[bar] = lowest < bottom ? lowest : bottom;
}

static void set_extremes(struct builder *self, enum anchor_field field, int64_t *values)
{
    const struct anchor_list *list = &self->anchors->list[field];
    for (size_t i = 0; i < list->count; i++)
        values[bar_at(self->out, list->items[i].time_ms)] =
            to_ticks(self->anchors, list->items[i].value);
}

static int build_last(struct builder *self, struct error *err)
{
    place_prices(self);
    place_extremes(self, ANCHOR_PRICE_LOW, 1);
    place_extremes(self, ANCHOR_PRICE_HIGH, -1);
    int code = place_midnights(self, err);
    if (code == ERROR_NONE)
        code = fill_nodes(self, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t bar = 0; bar < self->out->bars; bar++)
        set_wicks(self, bar);
    set_extremes(self, ANCHOR_PRICE_LOW, self->out->last.low);
    set_extremes(self, ANCHOR_PRICE_HIGH, self->out->last.high);
    return ERROR_NONE;
}

/* --- mark --- */

/* One minute of the mark from its open to a level: half of the last price's wicks on either side.
 */
static void set_mark_bar(struct builder *self, size_t bar, int64_t open, double level)
{
    const struct synth_bars *last = &self->out->last, *mark = &self->out->mark;
    struct limits day = inside(day_limits(self, bar, ANCHOR_MARK_LOW, ANCHOR_MARK_HIGH, any_price));
    struct limits node = node_limits(self, bar + 1, ANCHOR_MARK_LOW, ANCHOR_MARK_HIGH, any_price);
    int64_t close = clamp(llround(level), node);
    bool rises = last->close[bar] > last->open[bar];
    int64_t last_top = rises ? last->close[bar] : last->open[bar];
    int64_t last_bottom = rises ? last->open[bar] : last->close[bar];
    int64_t upper = llround(MARK_WICK_SHARE * (double)(last->high[bar] - last_top));
    int64_t lower = llround(MARK_WICK_SHARE * (double)(last_bottom - last->low[bar]));
    mark->open[bar] = open;
    mark->close[bar] = close;
    mark->high[bar] = clamp((open > close ? open : close) + upper, day);
    mark->low[bar] = clamp((open < close ? open : close) - lower, day);
}

/* The last price smoothed over a few minutes. */
static void build_mark(struct builder *self)
{
    const struct synth *out = self->out;
    double level = (double)out->last.open[0];
    for (size_t bar = 0; bar < out->bars; bar++) {
        int64_t open = bar == 0 ? out->last.open[0] : out->mark.close[bar - 1];
        level += MARK_SMOOTHING * ((double)out->last.close[bar] - level);
        set_mark_bar(self, bar, open, level);
    }
    set_extremes(self, ANCHOR_MARK_LOW, out->mark.low);
    set_extremes(self, ANCHOR_MARK_HIGH, out->mark.high);
}

/* --- volume and open interest --- */

static double bar_range(const struct synth *self, size_t bar)
{
    return log((double)self->last.high[bar] / (double)self->last.low[bar]);
}

/* The published level spread over the day in proportion to how far each minute moves. */
static void build_volume(struct builder *self)
{
    const struct synth *out = self->out;
    double sum = 0;
    for (size_t bar = 0; bar < out->bars; bar++)
        sum += self->sigma[bar];
    double typical = RANGE_OF_BROWNIAN * sum / (double)out->bars;
    for (size_t bar = 0; bar < out->bars; bar++) {
        double day = anchor_list_linear(&self->anchors->list[ANCHOR_VOLUME], bar_start(out, bar));
        double activity = VOLUME_FLOOR + (1 - VOLUME_FLOOR) * bar_range(out, bar) / typical;
        double noise =
            VOLUME_NOISE * normal(draw(out, "synth.volume", bar)) - VOLUME_NOISE * VOLUME_NOISE / 2;
        int64_t coins = llround(day / MINUTES_PER_DAY * activity * exp(noise));
        out->volume_coins[bar] = coins > 0 ? coins : 1;
    }
}

/* Fills open interest from `from` to `to` (both ends included, `to` only when it is a bar): the
   change between two figures falls on the minutes in proportion to their range, so that a fall
   comes where the price falls, with a bridge of noise on top. */
static void oi_between(struct builder *self, size_t from, size_t to, double left, double right)
{
    const struct synth *out = self->out;
    double scale = OI_NOISE_SQRT_DAY / sqrt(MINUTES_PER_DAY);
    double range_end = 0, walk_end = 0;
    for (size_t bar = from; bar < to; bar++) {
        range_end += bar_range(out, bar);
        walk_end += scale * normal(draw(out, "synth.oi", bar));
    }
    double range = 0, walk = 0;
    for (size_t bar = from; bar < to; bar++) {
        double share = range_end > 0 ? range / range_end : 0;
        double time_share = (double)(bar - from) / (double)(to - from);
        double level = left + share * (right - left);
        double noise = walk - time_share * walk_end;
        out->oi_steps[bar] = llround(level * (1 + noise) / self->anchors->oi_step);
        range += bar_range(out, bar);
        walk += scale * normal(draw(out, "synth.oi", bar));
    }
}

/* Figures outside of the range count at its ends, linear in time. */
static void build_oi(struct builder *self)
{
    const struct anchor_list *list = &self->anchors->list[ANCHOR_OI];
    const struct synth *out = self->out;
    size_t from = 0;
    double left = anchor_list_linear(list, out->start_ms);
    for (size_t i = 0; i < list->count; i++) {
        const struct anchor *item = &list->items[i];
        if (item->time_ms <= out->start_ms || item->time_ms >= self->anchors->end_ms)
            continue;
        size_t to = bar_at(out, item->time_ms);
        oi_between(self, from, to, left, item->value);
        from = to;
        left = item->value;
    }
    oi_between(self, from, out->bars, left, anchor_list_linear(list, self->anchors->end_ms));
}

/* --- funding --- */

/* Linear between the figures, with noise that vanishes at them. */
int64_t synth_funding(const struct synth *self, const struct anchors *anchors, int64_t time_ms)
{
    const struct anchor_list *list = &anchors->list[ANCHOR_FUNDING];
    const struct anchor *items = list->items;
    double rate = anchor_list_linear(list, time_ms), taper = 0;
    for (size_t i = 0; i + 1 < list->count; i++) {
        if (time_ms < items[i].time_ms || time_ms >= items[i + 1].time_ms)
            continue;
        double share = (double)(time_ms - items[i].time_ms) /
                       (double)(items[i + 1].time_ms - items[i].time_ms);
        taper = 4 * share * (1 - share);
    }
    size_t bar = time_ms > self->start_ms ? bar_at(self, time_ms) : 0;
    rate += FUNDING_NOISE * taper * normal(draw(self, "synth.funding", bar));
    return llround(rate * 1e8);
}

/* --- the whole --- */

static bool bars_alloc(struct synth_bars *bars, size_t count)
{
    bars->open = memory_zeroed(count, sizeof *bars->open);
    bars->high = memory_zeroed(count, sizeof *bars->high);
    bars->low = memory_zeroed(count, sizeof *bars->low);
    bars->close = memory_zeroed(count, sizeof *bars->close);
    return bars->open != NULL && bars->high != NULL && bars->low != NULL && bars->close != NULL;
}

static void bars_free(struct synth_bars *bars)
{
    memory_free(bars->open);
    memory_free(bars->high);
    memory_free(bars->low);
    memory_free(bars->close);
}

static int choose_part(struct synth *self, const struct anchors *anchors,
                       const struct synth_options *options, struct error *err)
{
    int64_t from = options->from_ms != CALENDAR_NONE ? options->from_ms : anchors->start_ms;
    int64_t to = options->to_ms != CALENDAR_NONE ? options->to_ms : anchors->end_ms;
    char first[CALENDAR_TEXT_SIZE], last[CALENDAR_TEXT_SIZE];
    if (from < anchors->start_ms || to > anchors->end_ms)
        return error_at(err, ERROR_DATA, anchors->path, 0, 0, NULL,
                        "the table covers %s to %s; expected a part of that",
                        calendar_format_iso(anchors->start_ms, first),
                        calendar_format_iso(anchors->end_ms, last));
    if (from >= to || from % CALENDAR_MINUTE_MS != 0 || to % CALENDAR_MINUTE_MS != 0)
        return error_at(err, ERROR_DATA, anchors->path, 0, 0, NULL,
                        "the part from %s to %s is empty or cuts a minute",
                        calendar_format_iso(from, first), calendar_format_iso(to, last));
    self->first = bar_at(self, from);
    self->end = bar_at(self, to);
    return ERROR_NONE;
}

static int builder_alloc(struct builder *self, struct error *err)
{
    struct synth *out = self->out;
    self->node = memory_alloc(out->bars + 1, sizeof *self->node);
    self->sigma = memory_alloc(out->bars, sizeof *self->sigma);
    out->volume_coins = memory_zeroed(out->bars, sizeof *out->volume_coins);
    out->oi_steps = memory_zeroed(out->bars, sizeof *out->oi_steps);
    bool bars = bars_alloc(&out->last, out->bars);
    bars = bars_alloc(&out->mark, out->bars) && bars;
    if (!bars || self->node == NULL || self->sigma == NULL || out->volume_coins == NULL ||
        out->oi_steps == NULL)
        return error_memory(err, "making a reconstruction");
    for (size_t node = 0; node <= out->bars; node++)
        self->node[node] = -1;
    for (size_t bar = 0; bar < out->bars; bar++)
        self->sigma[bar] =
            anchor_list_step(&self->anchors->list[ANCHOR_VOLATILITY], bar_start(out, bar)) /
            sqrt(MINUTES_PER_DAY);
    return ERROR_NONE;
}

int synth_build(struct synth *self, const struct anchors *anchors,
                const struct synth_options *options, struct error *err)
{
    *self = (struct synth){.start_ms = anchors->start_ms,
                           .seed = options->has_seed ? options->seed : anchors->seed};
    struct builder builder = {.out = self, .anchors = anchors, .whole = whole_range(anchors)};
    self->bars = bar_at(self, anchors->end_ms);
    int code = choose_part(self, anchors, options, err);
    if (code == ERROR_NONE)
        code = builder_alloc(&builder, err);
    if (code == ERROR_NONE)
        code = build_last(&builder, err);
    if (code == ERROR_NONE) {
        build_mark(&builder);
        build_volume(&builder);
        build_oi(&builder);
    }
    memory_free(builder.node);
    memory_free(builder.sigma);
    if (code != ERROR_NONE)
        synth_free(self);
    return code;
}

void synth_free(struct synth *self)
{
    bars_free(&self->last);
    bars_free(&self->mark);
    memory_free(self->volume_coins);
    memory_free(self->oi_steps);
    *self = (struct synth){0};
}
