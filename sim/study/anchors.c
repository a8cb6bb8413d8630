#include "sim/study/anchors.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "datasets/csv.h"

enum column { COLUMN_TIME, COLUMN_FIELD, COLUMN_VALUE, COLUMN_UNIT, COLUMN_SCOPE, COLUMN_SOURCE };

static const struct csv_column columns[] = {
    {.name = "time", .kind = CSV_TEXT, .required = true},
    {.name = "field", .kind = CSV_TEXT, .required = true},
    {.name = "value", .kind = CSV_NUMBER, .required = true},
    {.name = "unit", .kind = CSV_TEXT, .required = true},
    {.name = "scope", .kind = CSV_TEXT, .required = true},
    {.name = "source", .kind = CSV_TEXT, .required = true},
};

/* What each field may be. A setting has no time and stands exactly once. */
static const struct field_rule {
    const char *name, *unit;
    bool setting, may_be_negative, required, daily;
} rules[ANCHOR_FIELD_COUNT] = {
    [ANCHOR_PRICE] = {.name = "price", .unit = "usd", .required = true},
    [ANCHOR_PRICE_LOW] = {.name = "price_low", .unit = "usd", .daily = true},
    [ANCHOR_PRICE_HIGH] = {.name = "price_high", .unit = "usd", .daily = true},
    [ANCHOR_MARK_LOW] = {.name = "mark_low", .unit = "usd", .daily = true},
    [ANCHOR_MARK_HIGH] = {.name = "mark_high", .unit = "usd", .daily = true},
    [ANCHOR_VOLATILITY] = {.name = "volatility", .unit = "log_per_sqrt_day", .required = true},
    [ANCHOR_OI] = {.name = "oi", .unit = "coins", .required = true},
    [ANCHOR_FUNDING] = {.name = "funding",
                        .unit = "fraction_per_8h",
                        .required = true,
                        .may_be_negative = true},
    [ANCHOR_VOLUME] = {.name = "volume", .unit = "coins_per_day", .required = true},
    [ANCHOR_SEED] = {.name = "seed", .unit = "", .required = true, .setting = true},
    [ANCHOR_TICK] = {.name = "tick", .unit = "usd", .required = true, .setting = true},
    [ANCHOR_OI_STEP] = {.name = "oi_step", .unit = "coins", .required = true, .setting = true},
};

const char *anchor_field_name(enum anchor_field field)
{
    return rules[field].name;
}

int64_t anchor_day(int64_t time_ms)
{
    int64_t day = time_ms / CALENDAR_DAY_MS;
    return time_ms % CALENDAR_DAY_MS < 0 ? day - 1 : day;
}

/* --- one row --- */

static int row_field(const struct csv_row *row, enum anchor_field *out, struct error *err)
{
    const struct csv_text text = row->text[COLUMN_FIELD];
    const char *names[ANCHOR_FIELD_COUNT];
    for (int field = 0; field < ANCHOR_FIELD_COUNT; field++) {
        names[field] = rules[field].name;
        if (csv_text_is(text, names[field])) {
            *out = (enum anchor_field)field;
            return ERROR_NONE;
        }
    }
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(text.length < 60 ? text.length : 60),
             text.length > 0 ? text.data : "");
    const char *near = text_nearest(word, names, ANCHOR_FIELD_COUNT);
    return csv_row_error(row, COLUMN_FIELD, err, "\"%s\" is no field of an anchor table%s%s%s",
                         word, near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                         near != NULL ? "?" : "");
}

static int row_time(const struct csv_row *row, const struct field_rule *rule, int64_t *out,
                    struct error *err)
{
    const struct csv_text text = row->text[COLUMN_TIME];
    *out = CALENDAR_NONE;
    if (rule->setting) {
        if (text.length != 0)
            return csv_row_error(row, COLUMN_TIME, err, "%s has no time; leave it empty",
                                 rule->name);
        return ERROR_NONE;
    }
    if (text.length == 0 || !calendar_parse_iso(text.data, text.length, out))
        return csv_row_error(row, COLUMN_TIME, err,
                             "expected an ISO 8601 time such as 2025-10-10T21:20Z");
    if (*out % CALENDAR_MINUTE_MS != 0)
        return csv_row_error(row, COLUMN_TIME, err, "expected a whole minute");
    return ERROR_NONE;
}

static int row_value(const struct csv_row *row, const struct field_rule *rule, double *out,
                     struct error *err)
{
    *out = row->number[COLUMN_VALUE];
    if (!isfinite(*out))
        return csv_row_error(row, COLUMN_VALUE, err, "expected a number");
    if (!rule->may_be_negative && !(*out > 0))
        return csv_row_error(row, COLUMN_VALUE, err, "expected a number above 0");
    return ERROR_NONE;
}

static int keep_scope(struct anchors *self, const struct csv_row *row, struct error *err)
{
    const struct csv_text text = row->text[COLUMN_SCOPE];
    if (text.length == 0)
        return csv_row_error(row, COLUMN_SCOPE, err,
                             "open interest needs its scope, for instance all_without_cme");
    if (self->oi_scope == NULL) {
        self->oi_scope = csv_text_copy(text);
        return self->oi_scope != NULL ? ERROR_NONE : error_memory(err, "reading anchors");
    }
    if (!csv_text_is(text, self->oi_scope))
        return csv_row_error(row, COLUMN_SCOPE, err,
                             "open interest of another scope than %s above; convert it first",
                             self->oi_scope);
    return ERROR_NONE;
}

static int keep(struct anchors *self, enum anchor_field field, const struct anchor *anchor,
                struct error *err)
{
    struct anchor_list *list = &self->list[field];
    struct anchor *items =
        memory_grow(list->items, &list->capacity, list->count + 1, sizeof *items);
    if (items == NULL)
        return error_memory(err, "reading anchors");
    list->items = items;
    list->items[list->count++] = *anchor;
    return ERROR_NONE;
}

static int on_row(void *context, const struct csv_row *row, struct error *err)
{
    struct anchors *self = context;
    enum anchor_field field = ANCHOR_PRICE;
    struct anchor anchor = {.line = row->line};
    int code = row_field(row, &field, err);
    if (code != ERROR_NONE)
        return code;
    const struct field_rule *rule = &rules[field];
    if (!csv_text_is(row->text[COLUMN_UNIT], rule->unit))
        return csv_row_error(row, COLUMN_UNIT, err, "the unit of %s is \"%s\"", rule->name,
                             rule->unit);
    if (row->text[COLUMN_SOURCE].length == 0)
        return csv_row_error(row, COLUMN_SOURCE, err, "every figure needs its source");
    code = row_time(row, rule, &anchor.time_ms, err);
    if (code == ERROR_NONE)
        code = row_value(row, rule, &anchor.value, err);
    if (code == ERROR_NONE && field == ANCHOR_OI)
        code = keep_scope(self, row, err);
    return code == ERROR_NONE ? keep(self, field, &anchor, err) : code;
}

/* --- the table as a whole --- */

static int at_row(const struct anchors *self, const struct anchor *anchor, enum anchor_field field,
                  struct error *err, const char *message)
{
    return error_at(err, ERROR_DATA, self->path, anchor->line, 0, rules[field].name, "%s", message);
}

static int by_time(const void *left, const void *right)
{
    const struct anchor *a = left, *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

static int check_list(const struct anchors *self, enum anchor_field field, struct error *err)
{
    const struct anchor_list *list = &self->list[field];
    const struct field_rule *rule = &rules[field];
    if (rule->required && list->count == 0)
        return error_at(err, ERROR_DATA, self->path, 0, 0, rule->name,
                        "the table has no row of this field");
    for (size_t i = 1; i < list->count; i++) {
        const struct anchor *item = &list->items[i], *before = item - 1;
        if (rule->setting || item->time_ms == before->time_ms)
            return at_row(self, item, field, err, "there is such a row already");
        if (rule->daily && anchor_day(item->time_ms) == anchor_day(before->time_ms))
            return at_row(self, item, field, err, "that UTC day has such a row already");
    }
    return ERROR_NONE;
}

/* Steps are powers of ten so that values in text have a fixed number of decimals. */
static int check_step(const struct anchors *self, enum anchor_field field, int *out_decimals,
                      struct error *err)
{
    const struct anchor *row = &self->list[field].items[0];
    static const double steps[] = {1, 0.1, 0.01, 0.001, 0.0001};
    for (int decimals = 0; decimals < 5; decimals++) {
        if (row->value == steps[decimals]) {
            *out_decimals = decimals;
            return ERROR_NONE;
        }
    }
    return at_row(self, row, field, err, "expected 1, 0.1, 0.01, 0.001 or 0.0001");
}

static int settings(struct anchors *self, struct error *err)
{
    const struct anchor *seed = &self->list[ANCHOR_SEED].items[0];
    if (seed->value != floor(seed->value) || seed->value > 0x1p53)
        return at_row(self, seed, ANCHOR_SEED, err, "expected a whole number up to 2^53");
    self->seed = (uint64_t)seed->value;
    self->tick = self->list[ANCHOR_TICK].items[0].value;
    self->oi_step = self->list[ANCHOR_OI_STEP].items[0].value;
    int code = check_step(self, ANCHOR_TICK, &self->decimals, err);
    return code == ERROR_NONE ? check_step(self, ANCHOR_OI_STEP, &self->oi_decimals, err) : code;
}

static int check_range(struct anchors *self, struct error *err)
{
    const struct anchor_list *prices = &self->list[ANCHOR_PRICE];
    self->start_ms = prices->items[0].time_ms;
    self->end_ms = prices->items[prices->count - 1].time_ms;
    if (prices->count < 2)
        return at_row(self, &prices->items[0], ANCHOR_PRICE, err,
                      "expected at least two prices: they are the range of the reconstruction");
    for (enum anchor_field field = ANCHOR_PRICE_LOW; field <= ANCHOR_MARK_HIGH; field++) {
        const struct anchor_list *list = &self->list[field];
        for (size_t i = 0; i < list->count; i++)
            if (list->items[i].time_ms < self->start_ms || list->items[i].time_ms >= self->end_ms)
                return at_row(self, &list->items[i], field, err,
                              "lies outside of the first and the last price");
    }
    return ERROR_NONE;
}

static int check_ticks(const struct anchors *self, struct error *err)
{
    for (enum anchor_field field = ANCHOR_PRICE; field <= ANCHOR_MARK_HIGH; field++) {
        const struct anchor_list *list = &self->list[field];
        for (size_t i = 0; i < list->count; i++) {
            double ticks = list->items[i].value / self->tick;
            if (fabs(ticks - nearbyint(ticks)) > 1e-6 || ticks > 1e12)
                return at_row(self, &list->items[i], field, err, "is no multiple of the tick");
        }
    }
    return ERROR_NONE;
}

static int check_inside_day(const struct anchors *self, const struct anchor *price, int64_t day,
                            struct error *err)
{
    const struct anchor *low = anchor_list_of_day(&self->list[ANCHOR_PRICE_LOW], day);
    const struct anchor *high = anchor_list_of_day(&self->list[ANCHOR_PRICE_HIGH], day);
    if (low != NULL && price->value < low->value)
        return at_row(self, price, ANCHOR_PRICE, err, "is below the price_low of its day");
    if (high != NULL && price->value > high->value)
        return at_row(self, price, ANCHOR_PRICE, err, "is above the price_high of its day");
    return ERROR_NONE;
}

/* A price at midnight is the close of one day and the open of the next. */
static int check_extremes(const struct anchors *self, struct error *err)
{
    const struct anchor_list *prices = &self->list[ANCHOR_PRICE];
    int code = ERROR_NONE;
    for (size_t i = 0; i < prices->count && code == ERROR_NONE; i++) {
        const struct anchor *price = &prices->items[i];
        if (price->time_ms < self->end_ms)
            code = check_inside_day(self, price, anchor_day(price->time_ms), err);
        if (code == ERROR_NONE && price->time_ms > self->start_ms)
            code = check_inside_day(self, price, anchor_day(price->time_ms - 1), err);
    }
    return code;
}

static int check(struct anchors *self, struct error *err)
{
    int code = ERROR_NONE;
    for (int field = 0; field < ANCHOR_FIELD_COUNT && code == ERROR_NONE; field++) {
        struct anchor_list *list = &self->list[field];
        if (list->count > 1)
            qsort(list->items, list->count, sizeof *list->items, by_time);
        code = check_list(self, (enum anchor_field)field, err);
    }
    if (code == ERROR_NONE)
        code = settings(self, err);
    if (code == ERROR_NONE)
        code = check_range(self, err);
    if (code == ERROR_NONE)
        code = check_ticks(self, err);
    return code == ERROR_NONE ? check_extremes(self, err) : code;
}

int anchors_read(struct anchors *self, const char *path, struct error *err)
{
    *self = (struct anchors){0};
    struct csv_reader reader = {.columns = columns,
                                .column_count = sizeof columns / sizeof *columns,
                                .header = CSV_HEADER_YES,
                                .row = on_row,
                                .context = self};
    int code = ERROR_NONE;
    self->path = memory_text(path);
    if (self->path == NULL)
        code = error_memory(err, "reading anchors");
    if (code == ERROR_NONE)
        code = csv_read(path, &reader, err);
    if (code == ERROR_NONE)
        code = check(self, err);
    if (code == ERROR_NONE)
        code = sha256_file(path, self->sha256, err);
    if (code != ERROR_NONE)
        anchors_free(self);
    return code;
}

void anchors_free(struct anchors *self)
{
    for (int field = 0; field < ANCHOR_FIELD_COUNT; field++)
        memory_free(self->list[field].items);
    memory_free(self->oi_scope);
    memory_free(self->path);
    *self = (struct anchors){0};
}

/* --- values --- */

/* Index of the last row at or before a time; count when there is none. */
static size_t row_before(const struct anchor_list *list, int64_t time_ms)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].time_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? list->count : low - 1;
}

double anchor_list_step(const struct anchor_list *list, int64_t time_ms)
{
    size_t i = row_before(list, time_ms);
    return list->items[i == list->count ? 0 : i].value;
}

double anchor_list_linear(const struct anchor_list *list, int64_t time_ms)
{
    size_t i = row_before(list, time_ms);
    if (i == list->count)
        return list->items[0].value;
    const struct anchor *left = &list->items[i];
    if (i + 1 == list->count)
        return left->value;
    double share = (double)(time_ms - left->time_ms) / (double)(left[1].time_ms - left->time_ms);
    return left->value + share * (left[1].value - left->value);
}

const struct anchor *anchor_list_of_day(const struct anchor_list *list, int64_t day)
{
    size_t i = row_before(list, (day + 1) * CALENDAR_DAY_MS - 1);
    if (i == list->count || anchor_day(list->items[i].time_ms) != day)
        return NULL;
    return &list->items[i];
}
