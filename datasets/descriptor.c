#include "datasets/descriptor.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/text.h"

#define FOLDER "datasets/descriptors"
#define MAX_DESCRIPTORS 256
#define MAX_PEEK_COLUMNS 64
#define LATEST_MS INT64_C(4102444800000) /* 2100-01-01: later stamps are in another unit */

/* --- time --- */

static bool unix_to_ms(enum descriptor_clock clock, double value, int64_t *out_ms)
{
    if (!(value >= 0 && value < 1e19))
        return false;
    if (clock == DESCRIPTOR_UNIX_S || (clock == DESCRIPTOR_UNIX && value < 1e11))
        value *= 1000;
    else if (clock == DESCRIPTOR_UNIX_US ||
             (clock == DESCRIPTOR_UNIX && value >= 1e14 && value < 1e17))
        value /= 1000;
    else if (clock == DESCRIPTOR_UNIX && value >= 1e17)
        value /= 1e6;
    /* Fractions of a millisecond belong to the millisecond that they are in; a decimal second such
       as 1727740800.123 is not exact in binary, hence the small allowance. */
    value = floor(value + 1e-3);
    if (value >= (double)LATEST_MS)
        return false;
    *out_ms = (int64_t)value;
    return true;
}

static bool is_unix(enum descriptor_clock clock)
{
    return clock <= DESCRIPTOR_UNIX_US;
}

/* `2025-10-10T21:00Z` and `2025-10-10 21:00+02:00` say their own zone. */
static bool has_zone(struct csv_text text)
{
    if (text.length > 0 && text.data[text.length - 1] == 'Z')
        return true;
    for (size_t i = 10; i < text.length; i++)
        if (text.data[i] == '+' || text.data[i] == '-')
            return true;
    return false;
}

static bool text_to_ms(enum descriptor_clock clock, const char *format, int64_t zone_offset_ms,
                       struct csv_text text, int64_t *out_ms)
{
    double number;
    if (is_unix(clock) || clock == DESCRIPTOR_AUTO)
        if (text_to_double(text.data, text.length, false, &number))
            return unix_to_ms(clock == DESCRIPTOR_AUTO ? DESCRIPTOR_UNIX : clock, number, out_ms);
    if (is_unix(clock))
        return false;
    if (clock == DESCRIPTOR_FORMAT) {
        if (!calendar_parse_format(text.data, text.length, format, out_ms))
            return false;
        *out_ms -= strstr(format, "%z") ? 0 : zone_offset_ms;
        return true;
    }
    if (!calendar_parse_iso(text.data, text.length, out_ms))
        return false;
    *out_ms -= has_zone(text) ? 0 : zone_offset_ms;
    return true;
}

static const char *clock_expectation(const struct descriptor_layout *layout)
{
    switch (layout->clock) {
    case DESCRIPTOR_UNIX:
        return "seconds, ms or us since 1970, before 2100";
    case DESCRIPTOR_UNIX_S:
        return "seconds since 1970, before 2100";
    case DESCRIPTOR_UNIX_MS:
        return "ms since 1970, before 2100";
    case DESCRIPTOR_UNIX_US:
        return "us since 1970, before 2100";
    case DESCRIPTOR_AUTO:
        return "seconds or ms since 1970, or a time such as 2025-10-10 21:00:00";
    case DESCRIPTOR_ISO:
        return "a time such as 2025-10-10 21:00:00";
    case DESCRIPTOR_FORMAT:
        return layout->time_format;
    }
    return "a time";
}

int descriptor_time(const struct descriptor_layout *layout, const struct csv_row *row,
                    int64_t *out_ms, struct error *err)
{
    size_t slot = (size_t)layout->time;
    if (is_unix(layout->clock)) {
        if (unix_to_ms(layout->clock, row->number[slot], out_ms))
            return ERROR_NONE;
        char shown[32];
        text_from_double(row->number[slot], shown);
        return csv_row_error(row, slot, err, "\"%s\" is no time; expected %s", shown,
                             clock_expectation(layout));
    }
    struct csv_text text = row->text[slot];
    if (text_to_ms(layout->clock, layout->time_format, layout->zone_offset_ms, text, out_ms))
        return ERROR_NONE;
    return csv_row_error(row, slot, err, "\"%.*s\" is no time; expected %s",
                         text.length < 40 ? (int)text.length : 40, text.data ? text.data : "",
                         clock_expectation(layout));
}

/* --- binding --- */

struct binding {
    const struct descriptor *descriptor;
    const struct source_spec *spec;
    const char *file;
    const struct csv_text *first;
    size_t count;
    struct descriptor_layout *out;
    struct error *err;
};

static int position_of(const struct binding *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (csv_text_is(self->first[i], name))
            return (int)i + 1;
    return 0;
}

/* 1-based place in the file; 0: the file has no such column. */
static int find_column(const struct binding *self, const struct descriptor_column *column)
{
    if (self->out->header == CSV_HEADER_NO || column->name_count == 0)
        return column->index;
    for (size_t i = 0; i < column->name_count; i++) {
        int position = position_of(self, column->names[i]);
        if (position > 0)
            return position;
    }
    return 0;
}

static int no_column(const struct binding *self, const struct descriptor_column *column,
                     const char *what)
{
    struct text_buffer row = {0};
    for (size_t i = 0; i < self->count && row.length < 200; i++) {
        text_append(&row, i ? "," : "");
        text_append_bytes(&row, self->first[i].data,
                          self->first[i].length < 60 ? self->first[i].length : 60);
    }
    const char *name = column->name_count > 0 ? column->names[0] : what;
    int code = error_at(self->err, ERROR_DATA, self->file, 1, 0, name,
                        "%s needs this column for %s; %s is: %s", self->descriptor->name, what,
                        self->out->header == CSV_HEADER_YES ? "the header" : "the first row",
                        row.data ? row.data : "");
    text_buffer_free(&row);
    return code;
}

static int add_slot(struct descriptor_layout *out, const char *name, int position,
                    enum csv_kind kind, bool required)
{
    out->columns[out->column_count] =
        (struct csv_column){.name = name, .index = position, .kind = kind, .required = required};
    return (int)out->column_count++;
}

static bool reads_as_time(const struct binding *self)
{
    int index = self->descriptor->time.index;
    int64_t time_ms;
    return index > 0 && (size_t)index <= self->count &&
           text_to_ms(self->descriptor->clock, self->descriptor->time_format, 0,
                      self->first[index - 1], &time_ms);
}

static int decide_header(struct binding *self)
{
    const struct descriptor_column *time = &self->descriptor->time;
    self->out->header = CSV_HEADER_YES;
    if (self->descriptor->header == DESCRIPTOR_HEADER_YES)
        return ERROR_NONE;
    if (self->descriptor->header == DESCRIPTOR_HEADER_NO) {
        self->out->header = CSV_HEADER_NO;
        return ERROR_NONE;
    }
    for (size_t i = 0; i < time->name_count; i++)
        if (position_of(self, time->names[i]) > 0)
            return ERROR_NONE;
    if (reads_as_time(self)) {
        self->out->header = CSV_HEADER_NO;
        return ERROR_NONE;
    }
    if (time->index == 0 || time->name_count == 0)
        return ERROR_NONE;
    return error_at(self->err, ERROR_DATA, self->file, 1, time->index, time->names[0],
                    "the first line is neither a header nor a row of %s; expected a column %s or "
                    "a time in column %d",
                    self->descriptor->name, time->names[0], time->index);
}

static enum source_unit unit_group(enum series_field field)
{
    if (field == SERIES_RATE)
        return SOURCE_UNIT_FRACTION;
    bool amount = (field >= SERIES_OI_OPEN && field <= SERIES_OI) || field == SERIES_LIQ_LONG ||
                  field == SERIES_LIQ_SHORT;
    return amount ? SOURCE_UNIT_COINS : SOURCE_UNIT_NATIVE;
}

/* The unit that the user gave for this field, or NATIVE when what was said is about others. */
static enum source_unit said_unit(const struct source_spec *spec, enum series_field field)
{
    enum source_unit group = unit_group(field);
    bool rate = spec->unit == SOURCE_UNIT_FRACTION || spec->unit == SOURCE_UNIT_PERCENT;
    if (spec->unit == SOURCE_UNIT_NATIVE || group == SOURCE_UNIT_NATIVE)
        return SOURCE_UNIT_NATIVE;
    return rate == (group == SOURCE_UNIT_FRACTION) ? spec->unit : SOURCE_UNIT_NATIVE;
}

static int scale_of(const struct binding *self, enum source_unit unit, double *out_scale,
                    enum source_unit *out_unit)
{
    double contract =
        self->spec->contract_usd > 0 ? self->spec->contract_usd : self->descriptor->contract_usd;
    *out_scale = unit == SOURCE_UNIT_PERCENT ? 0.01 : 1.0;
    *out_unit = unit;
    if (unit != SOURCE_UNIT_CONTRACTS)
        return ERROR_NONE;
    if (!(contract > 0))
        return error_at(self->err, ERROR_DATA, self->file, 0, 0, "contract_usd",
                        "amounts are in contracts; expected the size of a contract in USD");
    *out_scale = contract;
    *out_unit = SOURCE_UNIT_USD;
    return ERROR_NONE;
}

/* Of a field's columns that the file has: the one in the unit asked for, else the first. */
static const struct descriptor_column *choose_column(const struct binding *self,
                                                     enum series_field field, bool *out_required)
{
    const struct descriptor_column *chosen = NULL;
    enum source_unit wanted = said_unit(self->spec, field);
    for (size_t i = 0; i < self->descriptor->column_count; i++) {
        const struct descriptor_column *column = &self->descriptor->columns[i];
        if (column->field != field)
            continue;
        *out_required |= !column->optional;
        int position = find_column(self, column);
        if (position == 0 || (column->optional && (size_t)position > self->count))
            continue;
        if (!chosen ||
            (wanted != SOURCE_UNIT_NATIVE && column->unit == wanted && chosen->unit != wanted))
            chosen = column;
    }
    return chosen;
}

static const struct descriptor_column *any_column(const struct descriptor *descriptor,
                                                  enum series_field field)
{
    for (size_t i = 0; i < descriptor->column_count; i++)
        if (descriptor->columns[i].field == field)
            return &descriptor->columns[i];
    return NULL;
}

static int agree_on_unit(struct binding *self, enum series_field field, enum source_unit unit)
{
    struct descriptor_layout *out = self->out;
    if (unit_group(field) != SOURCE_UNIT_COINS)
        return ERROR_NONE;
    bool liquidated = field == SERIES_LIQ_LONG || field == SERIES_LIQ_SHORT;
    enum source_unit *agreed = liquidated ? &out->liq_unit : &out->oi_unit;
    if (*agreed != SOURCE_UNIT_NATIVE && *agreed != unit)
        return error_at(self->err, ERROR_DATA, self->file, 1, 0, series_field_name(field),
                        "columns of one kind are in coins and in USD; expected one unit");
    *agreed = unit;
    return ERROR_NONE;
}

static int bind_field(struct binding *self, enum series_field field)
{
    struct descriptor_layout *out = self->out;
    bool required = false;
    const struct descriptor_column *column = choose_column(self, field, &required);
    if (!column)
        return required
                   ? no_column(self, any_column(self->descriptor, field), series_field_name(field))
                   : ERROR_NONE;
    enum source_unit unit = said_unit(self->spec, field);
    int code =
        scale_of(self, unit == SOURCE_UNIT_NATIVE ? column->unit : unit, &out->scale[field], &unit);
    if (code == ERROR_NONE)
        code = agree_on_unit(self, field, unit);
    const char *name = column->name_count > 0 ? column->names[0] : series_field_name(field);
    out->field[field] = add_slot(out, name, find_column(self, column), CSV_NUMBER, true);
    return code;
}

static int bind_events(struct binding *self)
{
    const struct descriptor *descriptor = self->descriptor;
    struct descriptor_layout *out = self->out;
    int side = find_column(self, &descriptor->side);
    int quantity = find_column(self, &descriptor->quantity);
    if (side == 0)
        return no_column(self, &descriptor->side, "the side");
    if (quantity == 0)
        return no_column(self, &descriptor->quantity, "the quantity");
    out->side = add_slot(out, "side", side, CSV_TEXT, true);
    enum source_unit said = said_unit(self->spec, SERIES_LIQ_LONG);
    int slot = add_slot(out, "quantity", quantity, CSV_NUMBER, true);
    out->field[SERIES_LIQ_LONG] = out->field[SERIES_LIQ_SHORT] = slot;
    int code = scale_of(self, said == SOURCE_UNIT_NATIVE ? descriptor->quantity.unit : said,
                        &out->scale[SERIES_LIQ_LONG], &out->liq_unit);
    out->scale[SERIES_LIQ_SHORT] = out->scale[SERIES_LIQ_LONG];
    return code;
}

static int bind_filters(struct binding *self, const struct source_filter *filters, size_t count)
{
    struct descriptor_layout *out = self->out;
    for (size_t i = 0; i < count; i++) {
        int64_t index = 0;
        int position = position_of(self, filters[i].column);
        if (out->filter_count == SOURCE_MAX_FILTERS)
            return error_at(self->err, ERROR_DATA, self->file, 0, 0, filters[i].column,
                            "more than %d filters", SOURCE_MAX_FILTERS);
        if (position == 0 && text_to_int64(filters[i].column, strlen(filters[i].column), &index) &&
            index >= 1 && index <= (int64_t)self->count)
            position = (int)index;
        if (position == 0)
            return no_column(self, &(struct descriptor_column){0}, filters[i].column);
        out->filter_value[out->filter_count] = filters[i].value;
        out->filter[out->filter_count++] =
            add_slot(out, filters[i].column, position, CSV_TEXT, true);
    }
    return ERROR_NONE;
}

bool descriptor_layout_serves(const struct descriptor_layout *layout, enum market_input role)
{
    switch (role) {
    case MARKET_PRICE:
    case MARKET_MARK:
        return layout->field[SERIES_CLOSE] >= 0;
    case MARKET_VOLUME:
        return layout->field[SERIES_VOLUME] >= 0;
    case MARKET_FUNDING:
        return layout->field[SERIES_RATE] >= 0;
    case MARKET_OI:
        return layout->field[SERIES_OI] >= 0;
    case MARKET_LIQUIDATIONS:
        return layout->field[SERIES_LIQ_LONG] >= 0 && layout->field[SERIES_LIQ_SHORT] >= 0;
    case MARKET_DEPTH:
        return layout->field[SERIES_DEPTH] >= 0 || layout->field[SERIES_NOTIONAL] >= 0;
    case MARKET_INDEX:
        return layout->field[SERIES_CLOSE] >= 0;
    case MARKET_INPUT_COUNT:
        break;
    }
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        if (layout->field[field] >= 0)
            return true;
    return false;
}

static int check_role(const struct binding *self)
{
    if (descriptor_layout_serves(self->out, self->spec->role))
        return ERROR_NONE;
    return error_at(self->err, ERROR_DATA, self->file, 1, 0,
                    self->spec->said_key ? self->spec->said_key
                                         : market_input_name(self->spec->role),
                    "%s finds no column of %s in this file", self->descriptor->name,
                    market_input_name(self->spec->role));
}

static int bind_time(struct binding *self)
{
    const struct descriptor_column *time = &self->descriptor->time;
    struct descriptor_layout *out = self->out;
    int position = find_column(self, time);
    if (position == 0)
        return no_column(self, time, "the time");
    out->time = add_slot(out, time->name_count > 0 ? time->names[0] : "time", position,
                         is_unix(out->clock) ? CSV_NUMBER : CSV_TEXT, true);
    return ERROR_NONE;
}

int descriptor_bind(const struct descriptor *self, const struct source_spec *spec, const char *file,
                    const struct csv_text *first, size_t count, struct descriptor_layout *out,
                    struct error *err)
{
    struct binding binding = {self, spec, file, first, count, out, err};
    *out = (struct descriptor_layout){.time = DESCRIPTOR_NONE,
                                      .side = DESCRIPTOR_NONE,
                                      .clock = self->clock,
                                      .time_format = self->time_format,
                                      .zone_offset_ms = spec->zone_offset_ms};
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        out->field[field] = DESCRIPTOR_NONE;
    int code = decide_header(&binding);
    if (code == ERROR_NONE)
        code = bind_time(&binding);
    for (int field = 0; code == ERROR_NONE && field < SERIES_FIELD_COUNT; field++)
        code = bind_field(&binding, (enum series_field)field);
    if (code == ERROR_NONE && self->has_events)
        code = bind_events(&binding);
    if (code == ERROR_NONE)
        code = bind_filters(&binding, self->filters, self->filter_count);
    if (code == ERROR_NONE)
        code = bind_filters(&binding, spec->filters, spec->filter_count);
    return code == ERROR_NONE ? check_role(&binding) : code;
}

/* --- the shipped descriptors --- */

struct catalogue {
    char *names[MAX_DESCRIPTORS];
    size_t count;
};

static void catalogue_free(struct catalogue *self)
{
    for (size_t i = 0; i < self->count; i++)
        memory_free(self->names[i]);
    self->count = 0;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int catalogue_read(struct catalogue *self, struct error *err)
{
    char path[PATHS_SIZE];
    self->count = 0;
    int code = paths_shipped(FOLDER, path, err);
    if (code != ERROR_NONE)
        return code;
    DIR *folder = opendir(path);
    if (!folder)
        return error_errno(err, path, errno, "cannot read the folder of source descriptors");
    for (struct dirent *entry; code == ERROR_NONE && (entry = readdir(folder)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length <= 5 || strcmp(entry->d_name + length - 5, ".yaml") != 0 ||
            self->count == MAX_DESCRIPTORS)
            continue;
        char *name = csv_text_copy((struct csv_text){entry->d_name, length - 5});
        if (name)
            self->names[self->count++] = name;
        else
            code = error_memory(err, "listing source descriptors");
    }
    closedir(folder);
    if (self->count > 1)
        qsort(self->names, self->count, sizeof *self->names, compare_names);
    if (code != ERROR_NONE)
        catalogue_free(self);
    return code;
}

static void append_names(struct text_buffer *text, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_append(text, i ? ", " : "");
        text_append(text, names[i]);
    }
}

static int unknown_format(const struct catalogue *known, const char *name, struct error *err)
{
    struct text_buffer list = {0};
    const char *near = text_nearest(name, (const char *const *)known->names, known->count);
    append_names(&list, known->names, known->count);
    int code = error_at(err, ERROR_DATA, NULL, 0, 0, "format",
                        "no format is called %.60s; expected generic or one of %s%s%s%s", name,
                        list.data ? list.data : "(none)", near ? "; did you mean " : "",
                        near ? near : "", near ? "?" : "");
    text_buffer_free(&list);
    return code;
}

static bool is_known(const struct catalogue *known, const char *name)
{
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->names[i], name) == 0)
            return true;
    return false;
}

static int load_known(struct descriptor *self, const char *name, struct error *err)
{
    char relative[PATHS_SIZE], path[PATHS_SIZE];
    snprintf(relative, sizeof relative, FOLDER "/%s.yaml", name);
    int code = paths_shipped(relative, path, err);
    return code == ERROR_NONE ? descriptor_parse(self, path, NULL, 0, err) : code;
}

int descriptor_load(struct descriptor *self, const char *name, struct error *err)
{
    struct catalogue known;
    *self = (struct descriptor){0};
    int code = catalogue_read(&known, err);
    if (code != ERROR_NONE)
        return code;
    code = is_known(&known, name) ? load_known(self, name, err) : unknown_format(&known, name, err);
    catalogue_free(&known);
    return code;
}

/* --- sniffing --- */

/* The first two rows of a file. */
struct peek {
    struct csv_column columns[MAX_PEEK_COLUMNS];
    size_t count, rows;
    char *cells[2][MAX_PEEK_COLUMNS];
    struct csv_text first[MAX_PEEK_COLUMNS];
};

static int peek_first(struct csv_reader *reader, const struct csv_text *fields, size_t count,
                      struct error *err)
{
    struct peek *self = reader->context;
    (void)fields, (void)err;
    self->count = count < MAX_PEEK_COLUMNS ? count : MAX_PEEK_COLUMNS;
    for (size_t i = 0; i < self->count; i++)
        self->columns[i] =
            (struct csv_column){.name = "column", .index = (int)i + 1, .kind = CSV_TEXT};
    reader->columns = self->columns;
    reader->column_count = self->count;
    reader->header = CSV_HEADER_NO;
    return ERROR_NONE;
}

static int peek_row(void *context, const struct csv_row *row, struct error *err)
{
    struct peek *self = context;
    for (size_t i = 0; i < self->count; i++) {
        char *cell = self->cells[self->rows][i] = csv_text_copy(row->text[i]);
        if (!cell)
            return error_memory(err, "reading the first rows");
        if (self->rows == 0)
            self->first[i] = (struct csv_text){cell, row->text[i].length};
    }
    return ++self->rows == 2 ? CSV_STOP : ERROR_NONE;
}

static void peek_free(struct peek *self)
{
    for (size_t row = 0; row < 2; row++)
        for (size_t i = 0; i < MAX_PEEK_COLUMNS; i++)
            memory_free(self->cells[row][i]);
}

static int peek_read(struct peek *self, const char *path, struct error *err)
{
    struct csv_reader reader = {
        .first = peek_first, .row = peek_row, .context = self, .header = CSV_HEADER_NO};
    *self = (struct peek){0};
    int code = csv_read(path, &reader, err);
    if (code != ERROR_NONE)
        peek_free(self);
    return code;
}

static bool same_value(const char *cell, const char *expected)
{
    double left, right;
    if (text_to_double(cell, strlen(cell), false, &left) &&
        text_to_double(expected, strlen(expected), false, &right))
        return left == right;
    return strcmp(cell, expected) == 0;
}

static bool first_row_fits(const struct descriptor *descriptor, const struct peek *peek)
{
    for (size_t i = 0; i < descriptor->first_row_count; i++) {
        const struct source_filter *condition = &descriptor->first_row[i];
        size_t at = 0;
        while (at < peek->count && strcmp(peek->cells[0][at], condition->column) != 0)
            at++;
        if (at == peek->count || peek->rows < 2 ||
            !same_value(peek->cells[1][at], condition->value))
            return false;
    }
    return true;
}

static bool width_fits(const struct descriptor *descriptor, size_t count)
{
    for (size_t i = 0; i < descriptor->width_count; i++)
        if ((size_t)descriptor->widths[i] == count)
            return true;
    return false;
}

static bool fits(const struct descriptor *descriptor, const struct source_spec *spec,
                 const struct peek *peek)
{
    struct descriptor_layout layout;
    struct error ignored = {0};
    if (!descriptor->sniffed || descriptor_bind(descriptor, spec, "", peek->first, peek->count,
                                                &layout, &ignored) != ERROR_NONE)
        return false;
    if (layout.header == CSV_HEADER_NO && !width_fits(descriptor, peek->count))
        return false;
    return first_row_fits(descriptor, peek);
}

static int sniff_error(const struct source_spec *spec, const char *path,
                       const struct catalogue *known, const struct catalogue *fitting,
                       struct error *err)
{
    struct text_buffer list = {0};
    const struct catalogue *named = fitting->count > 0 ? fitting : known;
    append_names(&list, named->names, named->count);
    int code = error_at(err, ERROR_DATA, path, 1, 0, "format",
                        fitting->count > 0
                            ? "several formats fit%s%s: %s; expected one of them to be named"
                            : "no known format fits%s%s; expected generic or one of %s",
                        spec->role < MARKET_INPUT_COUNT ? " for " : "",
                        spec->role < MARKET_INPUT_COUNT ? market_input_name(spec->role) : "",
                        list.data ? list.data : "");
    text_buffer_free(&list);
    return code;
}

/* Keeps the fitting descriptors that ask most of the first row. */
static int find_fitting(const struct source_spec *spec, const struct peek *peek,
                        const struct catalogue *known, struct catalogue *out, struct error *err)
{
    size_t most = 0;
    out->count = 0;
    for (size_t i = 0; i < known->count; i++) {
        struct descriptor candidate;
        int code = load_known(&candidate, known->names[i], err);
        if (code != ERROR_NONE)
            return code;
        size_t asks = candidate.first_row_count;
        bool fitting = fits(&candidate, spec, peek) && (out->count == 0 || asks >= most);
        descriptor_free(&candidate);
        if (!fitting)
            continue;
        out->count = asks > most ? 0 : out->count;
        most = asks;
        out->names[out->count++] = known->names[i];
    }
    return ERROR_NONE;
}

int descriptor_sniff(struct descriptor *self, const struct source_spec *spec, const char *path,
                     struct error *err)
{
    struct catalogue known = {.count = 0}, fitting; /* fitting borrows its names */
    struct peek peek;
    *self = (struct descriptor){0};
    int code = peek_read(&peek, path, err);
    if (code != ERROR_NONE)
        return code;
    code = catalogue_read(&known, err);
    if (code == ERROR_NONE)
        code = find_fitting(spec, &peek, &known, &fitting, err);
    if (code == ERROR_NONE)
        code = fitting.count == 1 ? load_known(self, fitting.names[0], err)
                                  : sniff_error(spec, path, &known, &fitting, err);
    catalogue_free(&known);
    peek_free(&peek);
    return code;
}
