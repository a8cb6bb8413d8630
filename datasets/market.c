#include "datasets/market.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "datasets/market_align.h"

/* How far beyond the window each input is read, so that the values that reach into it (the last
   OI, yesterday's row of daily volume, a price to carry on) and the series' step are known. */
static const int64_t read_margin_ms[MARKET_INPUT_COUNT] = {
    [MARKET_PRICE] = 8 * CALENDAR_HOUR_MS, [MARKET_MARK] = 8 * CALENDAR_HOUR_MS,
    [MARKET_VOLUME] = CALENDAR_DAY_MS,     [MARKET_FUNDING] = CALENDAR_DAY_MS,
    [MARKET_OI] = 2 * CALENDAR_DAY_MS,     [MARKET_LIQUIDATIONS] = CALENDAR_DAY_MS,
    [MARKET_DEPTH] = CALENDAR_DAY_MS,      [MARKET_INDEX] = 8 * CALENDAR_HOUR_MS,
};

/* One market being read: the request, and the window as the aligning functions take it. */
struct reading {
    const struct market_request *request;
    struct market_align how;
    char key[96];
};

static int check_request(const struct market_request *request, struct error *err)
{
    const struct source_spec *price = request->source[MARKET_PRICE];
    if (!price || !price->present)
        return error_at(err, ERROR_DATA, NULL, 0, 0, "data.price", "not given; expected a series");
    int64_t length = request->end_ms - request->start_ms;
    if (request->step_ms > 0 && length > 0 && length % request->step_ms == 0)
        return ERROR_NONE;
    char start[CALENDAR_TEXT_SIZE], end[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    return error_at(err, ERROR_DATA, NULL, 0, 0, "time",
                    "%s to %s is not a whole number of steps of %s; expected an end after the "
                    "start, whole steps apart",
                    calendar_format_iso(request->start_ms, start),
                    calendar_format_iso(request->end_ms, end),
                    calendar_format_duration(request->step_ms, step));
}

static const struct source_spec *given(const struct reading *self, enum market_input input)
{
    const struct source_spec *spec = self->request->source[input];
    return spec && spec->present ? spec : NULL;
}

/* Reads one input with a margin. Gaps are only counted there: whether the window has any that
   matter is for the aligning functions to say. */
static int read_input(struct reading *self, enum market_input input, struct series *out,
                      struct error *err)
{
    const struct market_request *request = self->request;
    const struct source_spec *spec = request->source[input];
    struct quality_policies policies = request->policies;
    int64_t margin = read_margin_ms[input];
    if (margin < 2 * request->step_ms)
        margin = 2 * request->step_ms;
    policies.on[QUALITY_GAP] = QUALITY_ACCEPT;
    if (spec->said_key)
        snprintf(self->key, sizeof self->key, "%s", spec->said_key);
    else
        snprintf(self->key, sizeof self->key, "data.%s", market_input_name(input));
    return series_read(out, spec, request->start_ms - margin, request->end_ms + margin, &policies,
                       err);
}

/* Moves what outlives the series into the market: files, quality, reconstruction. */
static void keep(struct market *self, enum market_input input, struct series *series)
{
    self->inputs[input] = series->inputs;
    self->input_count[input] = series->input_count;
    self->quality[input] = series->quality;
    self->reconstructed[input] = series->reconstructed;
    self->any_reconstructed = self->any_reconstructed || series->reconstructed;
    series->inputs = NULL;
    series->input_count = 0;
    memset(&series->quality, 0, sizeof series->quality);
}

static int alloc_values(double **out, size_t bars, struct error *err)
{
    *out = memory_alloc(bars, sizeof **out);
    return *out ? ERROR_NONE : error_memory(err, "putting a market on its clock");
}

static int alloc_bars(struct market_bars *out, size_t bars, struct error *err)
{
    double **arrays[] = {&out->open, &out->high, &out->low, &out->close};
    int code = ERROR_NONE;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays && code == ERROR_NONE; i++)
        code = alloc_values(arrays[i], bars, err);
    return code;
}

static void free_bars(struct market_bars *bars)
{
    memory_free(bars->open);
    memory_free(bars->high);
    memory_free(bars->low);
    memory_free(bars->close);
}

static void copy_bars(struct market_bars *to, const struct market_bars *from, size_t bars)
{
    memcpy(to->open, from->open, bars * sizeof *to->open);
    memcpy(to->high, from->high, bars * sizeof *to->high);
    memcpy(to->low, from->low, bars * sizeof *to->low);
    memcpy(to->close, from->close, bars * sizeof *to->close);
}

/* ---- One input each ---- */

static int read_price(struct market *self, struct reading *reading, struct series *series,
                      struct error *err)
{
    /* A step far too fine is named as such before memory for its bars is asked for. */
    int code = market_align_price_fits(series, &reading->how, err);
    if (code == ERROR_NONE)
        code = alloc_bars(&self->last, self->bars, err);
    if (code == ERROR_NONE)
        code = market_align_price(series, &reading->how, &self->last, err);
    return code;
}

static int read_mark(struct market *self, struct reading *reading, struct series *series,
                     struct error *err)
{
    int code = alloc_bars(&self->mark, self->bars, err);
    self->has_mark = true;
    if (code == ERROR_NONE)
        code = market_align_price(series, &reading->how, &self->mark, err);
    return code;
}

static int read_volume(struct market *self, struct reading *reading, struct series *series,
                       struct error *err)
{
    int code = alloc_values(&self->volume_coins, self->bars, err);
    if (code == ERROR_NONE)
        code = market_align_volume(series, &reading->how, self->volume_coins, err);
    return code;
}

static int read_funding(struct market *self, struct reading *reading, struct series *series,
                        struct error *err)
{
    int64_t interval = given(reading, MARKET_FUNDING)->interval_ms;
    int code = alloc_values(&self->funding_rate, self->bars, err);
    if (code == ERROR_NONE)
        code = market_align_funding(series, &reading->how, interval, self->funding_rate, err);
    return code;
}

static int read_oi(struct market *self, struct reading *reading, struct series *series,
                   struct error *err)
{
    const char *scope = given(reading, MARKET_OI)->scope;
    if (!scope)
        scope = series->scope;
    self->oi_scope = memory_text(scope);
    if (scope && !self->oi_scope)
        return error_memory(err, "naming the scope of open interest");
    int code = alloc_values(&self->oi_coins, self->bars, err);
    if (code == ERROR_NONE)
        code = market_align_oi(series, &reading->how, &self->mark, self->oi_coins, err);
    return code;
}

static int read_liquidations(struct market *self, struct reading *reading, struct series *series,
                             struct error *err)
{
    int code = alloc_values(&self->liq_long_coins, self->bars, err);
    if (code == ERROR_NONE)
        code = alloc_values(&self->liq_short_coins, self->bars, err);
    if (code == ERROR_NONE)
        code = market_align_liquidations(series, &reading->how, &self->mark, self->liq_long_coins,
                                         self->liq_short_coins, err);
    return code;
}

static int read_index(struct market *self, struct reading *reading, struct series *series,
                      struct error *err)
{
    int code = alloc_values(&self->index_close, self->bars, err);
    if (code == ERROR_NONE)
        code = market_align_index(series, &reading->how, self->index_close, err);
    return code;
}

/* Coins where both are given and USD are not asked for: flow is in coins. */
static int read_depth(struct market *self, struct reading *reading, struct series *series,
                      struct error *err)
{
    bool usd = given(reading, MARKET_DEPTH)->unit == SOURCE_UNIT_USD;
    bool notional = series->column[SERIES_NOTIONAL] && (usd || !series->column[SERIES_DEPTH]);
    self->depth_usd = usd || notional;
    int code = alloc_values(&self->depth, self->bars, err);
    if (code == ERROR_NONE)
        code = market_align_depth(series, &reading->how, notional ? SERIES_NOTIONAL : SERIES_DEPTH,
                                  self->depth, err);
    return code;
}

typedef int read_function(struct market *, struct reading *, struct series *, struct error *);

static int read_one(struct market *self, struct reading *reading, enum market_input input,
                    read_function *align, struct error *err)
{
    struct series series = {0};
    if (!given(reading, input))
        return ERROR_NONE;
    int code = read_input(reading, input, &series, err);
    if (code == ERROR_NONE)
        code = align(self, reading, &series, err);
    if (code == ERROR_NONE)
        keep(self, input, &series);
    series_free(&series);
    return code;
}

/* All but price and mark, by whose bars some of them are turned into coins. */
static int read_others(struct market *self, struct reading *reading, struct error *err)
{
    static const struct {
        enum market_input input;
        read_function *align;
    } others[] = {{MARKET_VOLUME, read_volume}, {MARKET_FUNDING, read_funding},
                  {MARKET_OI, read_oi},         {MARKET_LIQUIDATIONS, read_liquidations},
                  {MARKET_INDEX, read_index},   {MARKET_DEPTH, read_depth}};
    int code = ERROR_NONE;
    for (size_t i = 0; i < sizeof others / sizeof *others && code == ERROR_NONE; i++)
        code = read_one(self, reading, others[i].input, others[i].align, err);
    return code;
}

/* Triggers without a mark series are the last price. */
static int copy_price_to_mark(struct market *self, struct error *err)
{
    int code = alloc_bars(&self->mark, self->bars, err);
    if (code == ERROR_NONE)
        copy_bars(&self->mark, &self->last, self->bars);
    return code;
}

int market_read(struct market *self, const struct market_request *request, struct error *err)
{
    struct reading reading = {.request = request};
    memset(self, 0, sizeof *self);
    int code = check_request(request, err);
    if (code != ERROR_NONE)
        goto out;
    self->start_ms = request->start_ms;
    self->step_ms = request->step_ms;
    self->bars = (size_t)((request->end_ms - request->start_ms) / request->step_ms);
    self->policies = request->policies;
    reading.how = (struct market_align){.start_ms = self->start_ms,
                                        .step_ms = self->step_ms,
                                        .bars = self->bars,
                                        .gap = request->policies.on[QUALITY_GAP],
                                        .key = reading.key};

    code = read_one(self, &reading, MARKET_PRICE, read_price, err);
    if (code == ERROR_NONE)
        code = read_one(self, &reading, MARKET_MARK, read_mark, err);
    if (code == ERROR_NONE && !self->has_mark)
        code = copy_price_to_mark(self, err);
    if (code == ERROR_NONE)
        code = read_others(self, &reading, err);
out:
    if (code != ERROR_NONE)
        market_free(self);
    return code;
}

void market_free(struct market *self)
{
    free_bars(&self->last);
    free_bars(&self->mark);
    memory_free(self->volume_coins);
    memory_free(self->oi_coins);
    memory_free(self->funding_rate);
    memory_free(self->liq_long_coins);
    memory_free(self->liq_short_coins);
    memory_free(self->index_close);
    memory_free(self->depth);
    memory_free(self->oi_scope);
    for (size_t input = 0; input < MARKET_INPUT_COUNT; input++) {
        for (size_t i = 0; i < self->input_count[input]; i++)
            memory_free(self->inputs[input][i].path);
        memory_free(self->inputs[input]);
        quality_report_free(&self->quality[input]);
    }
    memset(self, 0, sizeof *self);
}

size_t market_bar_at(const struct market *self, int64_t time_ms)
{
    if (time_ms < self->start_ms)
        return 0;
    uint64_t bar = ((uint64_t)time_ms - (uint64_t)self->start_ms) / (uint64_t)self->step_ms;
    return bar < self->bars ? (size_t)bar : self->bars;
}
