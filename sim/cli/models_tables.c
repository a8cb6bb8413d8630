#include "sim/cli/models_tables.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "datasets/csv.h"
#include "sim/cli/cli.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum column { SYMBOL, VALID_FROM, UNIT, SCHEME, SOURCE, LEVERAGE, COLUMN_COUNT };

static const struct csv_column columns[COLUMN_COUNT] = {
    [SYMBOL] = {.name = "symbol", .kind = CSV_TEXT, .required = true},
    [VALID_FROM] = {.name = "valid_from", .kind = CSV_TEXT, .required = true},
    [UNIT] = {.name = "unit", .kind = CSV_TEXT, .required = true},
    [SCHEME] = {.name = "scheme", .kind = CSV_TEXT, .required = true},
    [SOURCE] = {.name = "source", .kind = CSV_TEXT, .required = true},
    [LEVERAGE] = {.name = "max_leverage", .kind = CSV_NUMBER, .required = true},
};

static const struct field table_fields[] = {
    {.name = "venue",
     .type = FIELD_TEXT,
     .unit = "",
     .offset = offsetof(struct models_table, venue)},
    {.name = "symbol",
     .type = FIELD_TEXT,
     .unit = "",
     .offset = offsetof(struct models_table, symbol)},
    {.name = "valid_from",
     .type = FIELD_TIME_MS,
     .unit = "",
     .offset = offsetof(struct models_table, valid_from_ms)},
    {.name = "brackets",
     .type = FIELD_INT64,
     .unit = "",
     .offset = offsetof(struct models_table, brackets)},
    {.name = "max_leverage",
     .type = FIELD_DOUBLE,
     .unit = "",
     .offset = offsetof(struct models_table, max_leverage)},
    {.name = "unit", .type = FIELD_TEXT, .unit = "", .offset = offsetof(struct models_table, unit)},
    {.name = "scheme",
     .type = FIELD_TEXT,
     .unit = "",
     .offset = offsetof(struct models_table, scheme)},
    {.name = "source",
     .type = FIELD_TEXT,
     .unit = "",
     .offset = offsetof(struct models_table, source)},
};

/* --- reading --- */

struct reading {
    struct models_tables *tables;
    const char *venue; /* not terminated: of the file's name */
    size_t venue_length;
    size_t first; /* table of the file */
};

static int add_table(struct reading *self, int64_t valid_from_ms, const struct csv_row *row,
                     struct error *err)
{
    struct models_tables *all = self->tables;
    struct models_table *items =
        memory_grow(all->items, &all->capacity, all->count + 1, sizeof *items);
    if (items == NULL)
        return error_memory(err, "bracket tables");
    all->items = items;
    struct models_table *table = &items[all->count++];
    *table = (struct models_table){
        .venue = csv_text_copy((struct csv_text){self->venue, self->venue_length}),
        .symbol = csv_text_copy(row->text[SYMBOL]),
        .unit = csv_text_copy(row->text[UNIT]),
        .scheme = csv_text_copy(row->text[SCHEME]),
        .source = csv_text_copy(row->text[SOURCE]),
        .valid_from_ms = valid_from_ms,
        .max_leverage = row->number[LEVERAGE],
    };
    bool good = table->venue != NULL && table->symbol != NULL && table->unit != NULL &&
                table->scheme != NULL && table->source != NULL;
    return good ? ERROR_NONE : error_memory(err, "bracket tables");
}

static int on_row(void *context, const struct csv_row *row, struct error *err)
{
    struct reading *self = context;
    struct models_tables *all = self->tables;
    struct csv_text date = row->text[VALID_FROM];
    int64_t time_ms = 0;
    if (!calendar_parse_iso(date.data, date.length, &time_ms))
        return csv_row_error(row, VALID_FROM, err, "expected a date such as 2025-08-21");
    const struct models_table *last = all->count > self->first ? &all->items[all->count - 1] : NULL;
    int code = ERROR_NONE;
    if (last == NULL || last->valid_from_ms != time_ms ||
        !csv_text_is(row->text[SYMBOL], last->symbol))
        code = add_table(self, time_ms, row, err);
    if (code == ERROR_NONE)
        all->items[all->count - 1].brackets++;
    return code;
}

static int read_file(struct models_tables *self, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    struct reading reading = {self, name, strcspn(name, "."), self->count};
    struct csv_reader reader = {.columns = columns,
                                .column_count = COLUMN_COUNT,
                                .header = CSV_HEADER_YES,
                                .row = on_row,
                                .context = &reading};
    return csv_read(path, &reader, err);
}

int models_tables_read(struct models_tables *self, struct error *err)
{
    char pattern[PATHS_SIZE];
    glob_t found = {0};
    *self = (struct models_tables){0};
    int code = paths_shipped("datasets/venues/*.csv", pattern, err);
    if (code != ERROR_NONE)
        return code;
    int failed = glob(pattern, GLOB_ERR, NULL, &found);
    if (failed != 0)
        code = error_at(err, ERROR_IO, pattern, 0, 0, NULL, "there are no bracket tables");
    for (size_t i = 0; code == ERROR_NONE && i < found.gl_pathc; i++)
        code = read_file(self, found.gl_pathv[i], err);
    globfree(&found);
    return code;
}

void models_tables_free(struct models_tables *self)
{
    for (size_t i = 0; i < self->count; i++) {
        struct models_table *table = &self->items[i];
        memory_free(table->venue);
        memory_free(table->symbol);
        memory_free(table->unit);
        memory_free(table->scheme);
        memory_free(table->source);
    }
    memory_free(self->items);
    *self = (struct models_tables){0};
}

/* --- output --- */

void models_tables_print(const struct models_tables *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const struct models_table *table = &self->items[i];
        char date[CALENDAR_TEXT_SIZE], leverage[CLI_NUMBER_SIZE];
        printf("  %s %s from %.10s: %" PRId64 " bracket%s, up to %sx, caps in %s, %s\n",
               table->venue, table->symbol, calendar_format_iso(table->valid_from_ms, date),
               table->brackets, table->brackets == 1 ? "" : "s",
               cli_number_short(table->max_leverage, 2, leverage), table->unit, table->scheme);
        bool told = i > 0 && strcmp(table->source, table[-1].source) == 0;
        if (!told)
            cli_print_wrapped(printf("      source: "), 10, table->source);
    }
}

void models_tables_json(const struct models_tables *self, struct json *json)
{
    json_array_open(json, "tables");
    for (size_t i = 0; i < self->count; i++) {
        json_object_open(json, NULL);
        for (size_t k = 0; k < COUNT_OF(table_fields); k++)
            json_field(json, &table_fields[k], &self->items[i]);
        json_object_close(json);
    }
    json_array_close(json);
}
