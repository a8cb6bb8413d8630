#include "datasets/events.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/sha256.h"
#include "base/text.h"
#include "datasets/csv.h"

enum column {
    COLUMN_EVENT,
    COLUMN_TITLE,
    COLUMN_START,
    COLUMN_END,
    COLUMN_SYMBOL,
    COLUMN_VENUE,
    COLUMN_FIGURE,
    COLUMN_AT,
    COLUMN_SPAN,
    COLUMN_LOW,
    COLUMN_HIGH,
    COLUMN_UNIT,
    COLUMN_KIND,
    COLUMN_SOURCE,
    COLUMN_COUNT
};

static const struct csv_column columns[COLUMN_COUNT] = {
    [COLUMN_EVENT] = {.name = "event", .kind = CSV_TEXT, .required = true},
    [COLUMN_TITLE] = {.name = "title", .kind = CSV_TEXT, .required = true},
    [COLUMN_START] = {.name = "start", .kind = CSV_TEXT, .required = true},
    [COLUMN_END] = {.name = "end", .kind = CSV_TEXT, .required = true},
    [COLUMN_SYMBOL] = {.name = "symbol", .kind = CSV_TEXT, .required = true},
    [COLUMN_VENUE] = {.name = "venue", .kind = CSV_TEXT, .required = true},
    [COLUMN_FIGURE] = {.name = "figure", .kind = CSV_TEXT, .required = true},
    [COLUMN_AT] = {.name = "at", .kind = CSV_TEXT, .required = true},
    [COLUMN_SPAN] = {.name = "span", .kind = CSV_TEXT, .required = true},
    [COLUMN_LOW] = {.name = "low", .kind = CSV_NUMBER, .required = true},
    [COLUMN_HIGH] = {.name = "high", .kind = CSV_NUMBER, .required = true},
    [COLUMN_UNIT] = {.name = "unit", .kind = CSV_TEXT, .required = true},
    [COLUMN_KIND] = {.name = "kind", .kind = CSV_TEXT, .required = true},
    [COLUMN_SOURCE] = {.name = "source", .kind = CSV_TEXT, .required = true},
};

struct measure {
    const char *name;
    enum events_unit unit;
    bool sign_free; /* may be below 0 */
};

static const struct measure measures[EVENTS_MEASURE_COUNT] = {
    [EVENTS_PRICE_BEFORE] = {"price_before", EVENTS_UNIT_USD, false},
    [EVENTS_PRICE_LOW] = {"price_low", EVENTS_UNIT_USD, false},
    [EVENTS_MARK_LOW] = {"mark_low", EVENTS_UNIT_USD, false},
    [EVENTS_LIQUIDATED_USD] = {"liquidated_usd", EVENTS_UNIT_USD, false},
    [EVENTS_LIQUIDATED_LONG_USD] = {"liquidated_long_usd", EVENTS_UNIT_USD, false},
    [EVENTS_LIQUIDATED_SHORT_USD] = {"liquidated_short_usd", EVENTS_UNIT_USD, false},
    [EVENTS_LIQUIDATED_FEED_USD] = {"liquidated_feed_usd", EVENTS_UNIT_USD, false},
    [EVENTS_LONG_SHARE] = {"long_share", EVENTS_UNIT_FRACTION, false},
    [EVENTS_TRADERS] = {"traders", EVENTS_UNIT_TRADERS, false},
    [EVENTS_PEAK_MINUTE_USD] = {"peak_minute_usd", EVENTS_UNIT_USD, false},
    [EVENTS_PEAK_HOUR_USD] = {"peak_hour_usd", EVENTS_UNIT_USD, false},
    [EVENTS_OI_BEFORE_USD] = {"oi_before_usd", EVENTS_UNIT_USD, false},
    [EVENTS_OI_AFTER_USD] = {"oi_after_usd", EVENTS_UNIT_USD, false},
    [EVENTS_OI_PEAK_USD] = {"oi_peak_usd", EVENTS_UNIT_USD, false},
    [EVENTS_OI_BEFORE_COINS] = {"oi_before_coins", EVENTS_UNIT_COINS, false},
    [EVENTS_OI_AFTER_COINS] = {"oi_after_coins", EVENTS_UNIT_COINS, false},
    [EVENTS_FUNDING_BEFORE] = {"funding_before", EVENTS_UNIT_FRACTION, true},
    [EVENTS_FUNDING_AFTER] = {"funding_after", EVENTS_UNIT_FRACTION, true},
    [EVENTS_FUNDING] = {"funding", EVENTS_UNIT_FRACTION, true},
    [EVENTS_INSURANCE_FUND_USED_USD] = {"insurance_fund_used_usd", EVENTS_UNIT_USD, false},
};

const char *events_measure_name(enum events_measure measure)
{
    return measures[measure].name;
}

enum events_unit events_measure_unit(enum events_measure measure)
{
    return measures[measure].unit;
}

const char *events_unit_name(enum events_unit unit)
{
    static const char *const names[] = {"usd", "coins", "fraction", "traders"};
    return names[unit];
}

/* --- cells --- */

static int read_time(const struct csv_row *row, size_t column, int64_t *out_ms, struct error *err)
{
    struct csv_text text = row->text[column];
    if (calendar_parse_iso(text.data, text.length, out_ms))
        return ERROR_NONE;
    return csv_row_error(row, column, err, "expected a time such as 2024-08-05T06:00Z");
}

/* A short text into a fixed place; empty and too long ones are refused. */
static int read_word(const struct csv_row *row, size_t column, char *out, size_t size,
                     struct error *err)
{
    struct csv_text text = row->text[column];
    if (text.length == 0 || text.length >= size)
        return csv_row_error(row, column, err, "expected a name of 1 to %zu bytes", size - 1);
    memcpy(out, text.data, text.length);
    out[text.length] = '\0';
    return ERROR_NONE;
}

static int read_text(const struct csv_row *row, size_t column, char **out, struct error *err)
{
    if (row->text[column].length == 0)
        return csv_row_error(row, column, err, "expected a text, not nothing");
    *out = csv_text_copy(row->text[column]);
    return *out != NULL ? ERROR_NONE : error_memory(err, "reading events");
}

static int unknown_measure(const struct csv_row *row, struct error *err)
{
    const char *names[EVENTS_MEASURE_COUNT];
    struct csv_text text = row->text[COLUMN_FIGURE];
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(text.length < 63 ? text.length : 63),
             text.data != NULL ? text.data : "");
    for (size_t i = 0; i < EVENTS_MEASURE_COUNT; i++)
        names[i] = measures[i].name;
    const char *nearest = text_nearest(word, names, EVENTS_MEASURE_COUNT);
    return csv_row_error(row, COLUMN_FIGURE, err, "\"%s\" is no figure of an event%s%s%s", word,
                         nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "?" : "");
}

static int read_measure(const struct csv_row *row, enum events_measure *out, struct error *err)
{
    for (size_t i = 0; i < EVENTS_MEASURE_COUNT; i++) {
        if (!csv_text_is(row->text[COLUMN_FIGURE], measures[i].name))
            continue;
        const char *unit = events_unit_name(measures[i].unit);
        if (!csv_text_is(row->text[COLUMN_UNIT], unit))
            return csv_row_error(row, COLUMN_UNIT, err, "expected %s, the unit of %s", unit,
                                 measures[i].name);
        *out = (enum events_measure)i;
        return ERROR_NONE;
    }
    return unknown_measure(row, err);
}

/* Time and span come together. */
static int read_when(const struct csv_row *row, struct event_figure *out, struct error *err)
{
    struct csv_text span = row->text[COLUMN_SPAN];
    out->at_ms = CALENDAR_NONE;
    out->span_ms = 0;
    if (row->empty[COLUMN_AT] && row->empty[COLUMN_SPAN])
        return ERROR_NONE;
    int status = read_time(row, COLUMN_AT, &out->at_ms, err);
    if (status == ERROR_NONE &&
        !(calendar_parse_duration(span.data, span.length, &out->span_ms) && out->span_ms > 0))
        status = csv_row_error(row, COLUMN_SPAN, err, "expected a duration above 0 such as 1h");
    return status;
}

/* Comparisons are written so that NaN, which `nan` and `inf` in a cell are read as, fails them. */
static int check_end(const struct csv_row *row, size_t column, const struct measure *measure,
                     struct error *err)
{
    double value = row->number[column];
    if (row->empty[column])
        return ERROR_NONE;
    if (!(fabs(value) < HUGE_VAL))
        return csv_row_error(row, column, err, "expected a number, or nothing for an open end");
    if (value < 0.0 && !measure->sign_free)
        return csv_row_error(row, column, err, "expected at least 0 for %s", measure->name);
    if (value > 1.0 && measure->unit == EVENTS_UNIT_FRACTION)
        return csv_row_error(row, column, err, "expected a fraction of at most 1");
    return ERROR_NONE;
}

static int read_range(const struct csv_row *row, struct event_figure *out, struct error *err)
{
    const struct measure *measure = &measures[out->measure];
    int status = check_end(row, COLUMN_LOW, measure, err);
    if (status == ERROR_NONE)
        status = check_end(row, COLUMN_HIGH, measure, err);
    if (status != ERROR_NONE)
        return status;
    if (row->empty[COLUMN_LOW] && row->empty[COLUMN_HIGH])
        return csv_row_error(row, COLUMN_LOW, err, "expected low, high or both");
    out->low = row->empty[COLUMN_LOW] ? -INFINITY : row->number[COLUMN_LOW];
    out->high = row->empty[COLUMN_HIGH] ? INFINITY : row->number[COLUMN_HIGH];
    if (!(out->low <= out->high))
        return csv_row_error(row, COLUMN_HIGH, err, "expected at least low");
    return ERROR_NONE;
}

static int read_kind(const struct csv_row *row, struct event_figure *out, struct error *err)
{
    out->observed = csv_text_is(row->text[COLUMN_KIND], "observed");
    if (out->observed || csv_text_is(row->text[COLUMN_KIND], "press"))
        return ERROR_NONE;
    return csv_row_error(row, COLUMN_KIND, err, "expected observed or press");
}

/* All of a row but its event; the source last, as it alone takes memory. */
static int read_figure(const struct csv_row *row, struct event_figure *out, struct error *err)
{
    *out = (struct event_figure){0};
    int status = read_measure(row, &out->measure, err);
    if (status == ERROR_NONE)
        status = read_word(row, COLUMN_SYMBOL, out->symbol, sizeof out->symbol, err);
    if (status == ERROR_NONE)
        status = read_word(row, COLUMN_VENUE, out->venue, sizeof out->venue, err);
    if (status == ERROR_NONE)
        status = read_when(row, out, err);
    if (status == ERROR_NONE)
        status = read_range(row, out, err);
    if (status == ERROR_NONE)
        status = read_kind(row, out, err);
    if (status == ERROR_NONE)
        status = read_text(row, COLUMN_SOURCE, &out->source, err);
    return status;
}

/* --- events --- */

static void event_free(struct event *event)
{
    for (size_t i = 0; i < event->count; i++)
        memory_free(event->figures[i].source);
    memory_free(event->figures);
    memory_free(event->name);
    memory_free(event->title);
    *event = (struct event){0};
}

static int read_window(const struct csv_row *row, struct event *out, struct error *err)
{
    int status = read_time(row, COLUMN_START, &out->start_ms, err);
    if (status == ERROR_NONE)
        status = read_time(row, COLUMN_END, &out->end_ms, err);
    if (status == ERROR_NONE && out->end_ms <= out->start_ms)
        status = csv_row_error(row, COLUMN_END, err, "expected a time after start");
    return status;
}

static int check_same(const struct csv_row *row, const struct event *event,
                      const struct event *window, struct error *err)
{
    if (window->start_ms != event->start_ms)
        return csv_row_error(row, COLUMN_START, err, "expected the start of the event's first row");
    if (window->end_ms != event->end_ms)
        return csv_row_error(row, COLUMN_END, err, "expected the end of the event's first row");
    if (!csv_text_is(row->text[COLUMN_TITLE], event->title))
        return csv_row_error(row, COLUMN_TITLE, err, "expected the title of the event's first row");
    return ERROR_NONE;
}

static int add_event(struct events *self, const struct csv_row *row, const struct event *window,
                     struct error *err)
{
    struct event *items = memory_grow(self->items, &self->capacity, self->count + 1, sizeof *items);
    if (items == NULL)
        return error_memory(err, "reading events");
    self->items = items;
    struct event *event = &items[self->count++];
    *event = *window;
    int status = read_text(row, COLUMN_EVENT, &event->name, err);
    if (status == ERROR_NONE)
        status = read_text(row, COLUMN_TITLE, &event->title, err);
    return status;
}

static int event_of_row(struct events *self, const struct csv_row *row, struct event **out_event,
                        struct error *err)
{
    struct event window = {0};
    int status = read_window(row, &window, err);
    if (status != ERROR_NONE)
        return status;
    for (size_t i = 0; i < self->count; i++) {
        if (!csv_text_is(row->text[COLUMN_EVENT], self->items[i].name))
            continue;
        *out_event = &self->items[i];
        return check_same(row, &self->items[i], &window, err);
    }
    status = add_event(self, row, &window, err);
    if (status == ERROR_NONE)
        *out_event = &self->items[self->count - 1];
    return status;
}

static bool same_figure(const struct event_figure *a, const struct event_figure *b)
{
    return a->measure == b->measure && a->at_ms == b->at_ms && strcmp(a->symbol, b->symbol) == 0 &&
           strcmp(a->venue, b->venue) == 0;
}

static int add_figure(struct event *event, const struct csv_row *row, struct error *err)
{
    struct event_figure *figures =
        memory_grow(event->figures, &event->capacity, event->count + 1, sizeof *figures);
    if (figures == NULL)
        return error_memory(err, "reading events");
    event->figures = figures;
    struct event_figure *figure = &figures[event->count];
    int status = read_figure(row, figure, err);
    if (status != ERROR_NONE)
        return status;
    event->count++;
    for (size_t i = 0; i + 1 < event->count; i++)
        if (same_figure(&figures[i], figure))
            return csv_row_error(row, COLUMN_FIGURE, err,
                                 "%s of %s at %s is given twice for this time",
                                 measures[figure->measure].name, figure->symbol, figure->venue);
    return ERROR_NONE;
}

static int on_row(void *context, const struct csv_row *row, struct error *err)
{
    struct events *self = context;
    struct event *event = NULL;
    self->input.rows++;
    int status = event_of_row(self, row, &event, err);
    if (status != ERROR_NONE || event == NULL)
        return status;
    return add_figure(event, row, err);
}

static int by_start(const void *a, const void *b)
{
    const struct event *left = a, *right = b;
    if (left->start_ms != right->start_ms)
        return left->start_ms < right->start_ms ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* --- files --- */

static int path_of(const char *where, char path[PATHS_SIZE], struct error *err)
{
    static const char prefix[] = "builtin:";
    if (strcmp(where, EVENTS_BUILTIN) == 0)
        return paths_shipped("datasets/events.csv", path, err);
    if (strncmp(where, prefix, sizeof prefix - 1) == 0)
        return error_set(err, ERROR_DATA, "there are no events %.64s; expected %s or a file", where,
                         EVENTS_BUILTIN);
    if (strlen(where) >= PATHS_SIZE)
        return error_set(err, ERROR_IO, "the path of the events is too long");
    snprintf(path, PATHS_SIZE, "%s", where);
    return ERROR_NONE;
}

static int read_file(struct events *self, const char *path, struct error *err)
{
    struct csv_reader reader = {.columns = columns,
                                .column_count = COLUMN_COUNT,
                                .header = CSV_HEADER_YES,
                                .row = on_row,
                                .context = self};
    self->input.path = memory_text(path);
    if (self->input.path == NULL)
        return error_memory(err, "reading events");
    int status = sha256_file(path, self->input.sha256, err);
    if (status == ERROR_NONE)
        status = csv_read(path, &reader, err);
    if (status == ERROR_NONE && self->count == 0)
        status =
            error_at(err, ERROR_DATA, path, 0, 0, NULL, "there are no events below the header");
    return status;
}

int events_read(struct events *self, const char *where, struct error *err)
{
    char path[PATHS_SIZE];
    *self = (struct events){0};
    int status = path_of(where, path, err);
    if (status == ERROR_NONE)
        status = read_file(self, path, err);
    if (status != ERROR_NONE) {
        events_free(self);
        return status;
    }
    qsort(self->items, self->count, sizeof *self->items, by_start);
    return ERROR_NONE;
}

void events_free(struct events *self)
{
    for (size_t i = 0; i < self->count; i++)
        event_free(&self->items[i]);
    memory_free(self->items);
    memory_free(self->input.path);
    *self = (struct events){0};
}

/* --- finding --- */

const struct event *events_find(const struct events *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i].name, name) == 0)
            return &self->items[i];
    return NULL;
}

int events_require(const struct events *self, const char *name, const struct event **out_event,
                   struct error *err)
{
    struct text_buffer names = {0};
    *out_event = events_find(self, name);
    if (*out_event != NULL)
        return ERROR_NONE;
    for (size_t i = 0; i < self->count; i++)
        text_appendf(&names, "%s%s", i > 0 ? ", " : "", self->items[i].name);
    error_at(err, ERROR_DATA, self->input.path, 0, 0, NULL,
             "there is no event \"%.64s\"; there are %.400s", name,
             names.length > 0 ? names.data : "none");
    text_buffer_free(&names);
    return ERROR_DATA;
}

const struct event_figure *events_figure(const struct event *event, enum events_measure measure,
                                         const char *symbol, const char *venue)
{
    const struct event_figure *best = NULL;
    for (size_t i = 0; i < event->count; i++) {
        const struct event_figure *figure = &event->figures[i];
        if (figure->measure == measure && strcmp(figure->symbol, symbol) == 0 &&
            strcmp(figure->venue, venue) == 0 && (best == NULL || figure->at_ms > best->at_ms))
            best = figure;
    }
    return best;
}

double events_log_distance(const struct event_figure *figure, double value)
{
    if (value >= figure->low && value <= figure->high)
        return 0.0;
    double end = value < figure->low ? figure->low : figure->high;
    if (!(value > 0.0 && end > 0.0))
        return NAN;
    return fabs(log(value / end));
}

bool events_covered(const struct event *event, int64_t from_ms, int64_t to_ms)
{
    return event->start_ms >= from_ms && event->end_ms <= to_ms;
}
