#include "datasets/venue_tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/sha256.h"
#include "base/text.h"
#include "datasets/csv.h"

enum column {
    COLUMN_SYMBOL,
    COLUMN_VALID_FROM,
    COLUMN_UNIT,
    COLUMN_SCHEME,
    COLUMN_BRACKET,
    COLUMN_CAP,
    COLUMN_LEVERAGE,
    COLUMN_RATE,
    COLUMN_CUM,
    COLUMN_SOURCE,
    COLUMN_COUNT
};

static const struct csv_column columns[COLUMN_COUNT] = {
    [COLUMN_SYMBOL] = {.name = "symbol", .kind = CSV_TEXT, .required = true},
    [COLUMN_VALID_FROM] = {.name = "valid_from", .kind = CSV_TEXT, .required = true},
    [COLUMN_UNIT] = {.name = "unit", .kind = CSV_TEXT, .required = true},
    [COLUMN_SCHEME] = {.name = "scheme", .kind = CSV_TEXT, .required = true},
    [COLUMN_BRACKET] = {.name = "bracket", .kind = CSV_NUMBER, .required = true},
    [COLUMN_CAP] = {.name = "cap", .kind = CSV_NUMBER, .required = true},
    [COLUMN_LEVERAGE] = {.name = "max_leverage", .kind = CSV_NUMBER, .required = true},
    [COLUMN_RATE] = {.name = "maintenance_margin_rate", .kind = CSV_NUMBER, .required = true},
    [COLUMN_CUM] = {.name = "cum", .kind = CSV_NUMBER, .required = true},
    [COLUMN_SOURCE] = {.name = "source", .kind = CSV_TEXT, .required = true},
};

struct reading {
    struct venue_tables *tables;
    const char *symbol;
    size_t capacity;
    struct text_buffer symbols; /* those seen, "BTCUSDT, ETHUSDT" */
    char last_symbol[64];
};

static int note_symbol(struct reading *self, const struct csv_row *row, struct error *err)
{
    struct csv_text symbol = row->text[COLUMN_SYMBOL];
    if (csv_text_is(symbol, self->last_symbol))
        return ERROR_NONE;
    if (symbol.length == 0 || symbol.length >= sizeof self->last_symbol)
        return csv_row_error(row, COLUMN_SYMBOL, err, "expected a symbol such as BTCUSDT");
    memcpy(self->last_symbol, symbol.data, symbol.length);
    self->last_symbol[symbol.length] = '\0';
    text_appendf(&self->symbols, "%s%s", self->symbols.length > 0 ? ", " : "", self->last_symbol);
    return ERROR_NONE;
}

/* An empty cap is none at all. */
static double cap_of(const struct csv_row *row)
{
    return row->empty[COLUMN_CAP] ? INFINITY : row->number[COLUMN_CAP];
}

/* One of two words. */
static int read_word(const struct csv_row *row, size_t column, const char *no, const char *yes,
                     bool *out, struct error *err)
{
    *out = csv_text_is(row->text[column], yes);
    if (*out || csv_text_is(row->text[column], no))
        return ERROR_NONE;
    return csv_row_error(row, column, err, "expected %s or %s", no, yes);
}

/* What has to hold for a row alone. Comparisons are written so that NaN fails them. */
static int check_values(const struct csv_row *row, struct error *err)
{
    const double *number = row->number;
    if (!(cap_of(row) > 0.0))
        return csv_row_error(row, COLUMN_CAP, err,
                             "expected a notional above 0, or nothing for a last bracket without "
                             "an end");
    if (!(number[COLUMN_LEVERAGE] >= 1.0))
        return csv_row_error(row, COLUMN_LEVERAGE, err, "expected a leverage of at least 1");
    if (!(number[COLUMN_RATE] >= 0.0 && number[COLUMN_RATE] < 1.0))
        return csv_row_error(row, COLUMN_RATE, err, "expected a fraction from 0 to below 1");
    if (!(number[COLUMN_CUM] >= 0.0))
        return csv_row_error(row, COLUMN_CUM, err, "expected an amount of at least 0");
    return ERROR_NONE;
}

/* Brackets of one table come in order, 1, 2, 3, and each is wider and stricter than the last. */
static int check_order(const struct venue_table *table, const struct csv_row *row,
                       struct error *err)
{
    int next = table->count;
    if (next == VENUE_TABLE_MAX)
        return csv_row_error(row, COLUMN_BRACKET, err, "expected at most %d brackets",
                             VENUE_TABLE_MAX);
    if (row->number[COLUMN_BRACKET] != next + 1)
        return csv_row_error(row, COLUMN_BRACKET, err, "expected bracket %d here", next + 1);
    if (next == 0)
        return ERROR_NONE;
    if (cap_of(row) <= table->cap[next - 1])
        return csv_row_error(row, COLUMN_CAP, err, "expected more than the bracket before");
    if (row->number[COLUMN_LEVERAGE] > table->max_leverage[next - 1])
        return csv_row_error(row, COLUMN_LEVERAGE, err, "expected no more than the bracket before");
    if (row->number[COLUMN_RATE] < table->rate[next - 1])
        return csv_row_error(row, COLUMN_RATE, err, "expected no less than the bracket before");
    return ERROR_NONE;
}

/* Unit and scheme are one for a whole table. */
static int check_kind(struct venue_table *table, const struct csv_row *row, struct error *err)
{
    bool in_coins = false, whole = false;
    int status = read_word(row, COLUMN_UNIT, "usd", "coins", &in_coins, err);
    if (status == ERROR_NONE)
        status = read_word(row, COLUMN_SCHEME, "marginal", "whole", &whole, err);
    if (status != ERROR_NONE)
        return status;
    if (table->count == 0) {
        table->in_coins = in_coins;
        table->whole = whole;
    }
    if (in_coins != table->in_coins)
        return csv_row_error(row, COLUMN_UNIT, err, "expected the unit of the bracket before");
    if (whole != table->whole)
        return csv_row_error(row, COLUMN_SCHEME, err, "expected the scheme of the bracket before");
    if (whole && row->number[COLUMN_CUM] != 0.0)
        return csv_row_error(row, COLUMN_CUM, err, "expected 0 with the scheme whole");
    return ERROR_NONE;
}

static int add_table(struct reading *self, int64_t valid_from_ms, const struct csv_row *row,
                     struct error *err)
{
    struct venue_tables *all = self->tables;
    if (all->count > 0 && valid_from_ms < all->tables[all->count - 1].valid_from_ms)
        return csv_row_error(row, COLUMN_VALID_FROM, err,
                             "expected dates of a symbol in ascending order");
    struct venue_table *tables =
        memory_grow(all->tables, &self->capacity, all->count + 1, sizeof *tables);
    if (tables == NULL)
        return error_memory(err, "reading bracket tables");
    all->tables = tables;
    tables[all->count] = (struct venue_table){.valid_from_ms = valid_from_ms};
    tables[all->count].source = csv_text_copy(row->text[COLUMN_SOURCE]);
    all->count++;
    return tables[all->count - 1].source != NULL ? ERROR_NONE
                                                 : error_memory(err, "reading bracket tables");
}

/* The table the row belongs to: the last one, or a new one when the date changes. */
static int table_of_row(struct reading *self, const struct csv_row *row,
                        struct venue_table **out_table, struct error *err)
{
    struct csv_text date = row->text[COLUMN_VALID_FROM];
    struct venue_tables *all = self->tables;
    int64_t time_ms = 0;
    if (!calendar_parse_iso(date.data, date.length, &time_ms))
        return csv_row_error(row, COLUMN_VALID_FROM, err, "expected a date such as 2025-08-21");
    if (all->count == 0 || all->tables[all->count - 1].valid_from_ms != time_ms) {
        int status = add_table(self, time_ms, row, err);
        if (status != ERROR_NONE)
            return status;
    }
    *out_table = &all->tables[all->count - 1];
    return ERROR_NONE;
}

static int on_row(void *context, const struct csv_row *row, struct error *err)
{
    struct reading *self = context;
    struct venue_table *table = NULL;
    self->tables->input.rows++;
    int status = note_symbol(self, row, err);
    if (status != ERROR_NONE || !csv_text_is(row->text[COLUMN_SYMBOL], self->symbol))
        return status;
    status = check_values(row, err);
    if (status == ERROR_NONE)
        status = table_of_row(self, row, &table, err);
    if (status != ERROR_NONE || table == NULL)
        return status;
    status = check_kind(table, row, err);
    if (status == ERROR_NONE)
        status = check_order(table, row, err);
    if (status != ERROR_NONE)
        return status;
    table->cap[table->count] = cap_of(row);
    table->max_leverage[table->count] = row->number[COLUMN_LEVERAGE];
    table->rate[table->count] = row->number[COLUMN_RATE];
    table->cum[table->count] = row->number[COLUMN_CUM];
    table->count++;
    return ERROR_NONE;
}

/* A venue's name is part of a file's name: letters, digits, `_` and `-` only. */
static int venue_path(const char *venue, char path[PATHS_SIZE], struct error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    char relative[128];
    if (venue[0] == '\0' || strlen(venue) > 64 || venue[strspn(venue, allowed)] != '\0')
        return error_set(err, ERROR_DATA, "\"%.64s\" is no venue; expected a name such as binance",
                         venue);
    snprintf(relative, sizeof relative, "datasets/venues/%s.csv", venue);
    int status = paths_shipped(relative, path, err);
    if (status == ERROR_NONE && !paths_exists(path))
        status =
            error_at(err, ERROR_DATA, path, 0, 0, NULL, "there are no bracket tables of %s", venue);
    return status;
}

static int read_symbol(struct reading *self, const char *path, struct error *err)
{
    struct csv_reader reader = {.columns = columns,
                                .column_count = COLUMN_COUNT,
                                .header = CSV_HEADER_YES,
                                .row = on_row,
                                .context = self};
    self->tables->input.rows = 0;
    self->symbols.length = 0;
    self->last_symbol[0] = '\0';
    return csv_read(path, &reader, err);
}

/* BTCUSD for BTCUSDT. False when the symbol is not of that form. */
static bool coin_margined(const char *symbol, char *out, size_t size)
{
    size_t length = strlen(symbol);
    if (length < 5 || length >= size || strcmp(symbol + length - 4, "USDT") != 0)
        return false;
    memcpy(out, symbol, length - 1);
    out[length - 1] = '\0';
    return true;
}

static int read_file(struct reading *self, const char *path, struct error *err)
{
    struct venue_tables *tables = self->tables;
    const char *asked = self->symbol;
    char other[sizeof tables->symbol];
    tables->input.path = memory_text(path);
    if (tables->input.path == NULL)
        return error_memory(err, "reading bracket tables");
    int status = sha256_file(path, tables->input.sha256, err);
    if (status == ERROR_NONE)
        status = read_symbol(self, path, err);
    if (status == ERROR_NONE && tables->count == 0 && coin_margined(asked, other, sizeof other)) {
        self->symbol = other;
        status = read_symbol(self, path, err);
    }
    if (status == ERROR_NONE && tables->count == 0)
        return error_at(err, ERROR_DATA, path, 0, 0, NULL,
                        "there are no brackets of %.40s; there are %.300s", asked,
                        self->symbols.length > 0 ? self->symbols.data : "none");
    if (status == ERROR_NONE)
        snprintf(tables->symbol, sizeof tables->symbol, "%s", self->symbol);
    return status;
}

int venue_tables_read(struct venue_tables *self, const char *venue, const char *symbol,
                      struct error *err)
{
    char path[PATHS_SIZE];
    struct reading reading = {.tables = self, .symbol = symbol};
    *self = (struct venue_tables){0};
    int status = venue_path(venue, path, err);
    if (status == ERROR_NONE)
        status = read_file(&reading, path, err);
    text_buffer_free(&reading.symbols);
    if (status != ERROR_NONE)
        venue_tables_free(self);
    return status;
}

void venue_tables_free(struct venue_tables *self)
{
    for (size_t i = 0; i < self->count; i++)
        memory_free(self->tables[i].source);
    memory_free(self->tables);
    memory_free(self->input.path);
    *self = (struct venue_tables){0};
}

const struct venue_table *venue_tables_at(const struct venue_tables *self, int64_t time_ms)
{
    size_t index = 0;
    while (index + 1 < self->count && self->tables[index + 1].valid_from_ms <= time_ms)
        index++;
    return &self->tables[index];
}
