/* The YAML form of source descriptors: one table of keys, every one checked. */
#include "datasets/descriptor.h"

#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/text.h"
#include "base/yaml.h"

#define DEFAULT_STALE_ROWS 24
#define DEFAULT_STALE_MS CALENDAR_HOUR_MS
#define DEFAULT_GAP_FACTOR 1.5

struct reader {
    const char *file;
    struct descriptor *out;
    struct error *err;
};

static int wrong(struct reader *self, const struct yaml_node *node, const char *key,
                 const char *expected)
{
    return error_at(self->err, ERROR_DATA, self->file, node->line, node->column, key, "expected %s",
                    expected);
}

static int read_text(struct reader *self, const struct yaml_node *node, const char *key, char **out)
{
    if (node->kind != YAML_SCALAR || node->text[0] == '\0')
        return wrong(self, node, key, "a text");
    *out = memory_text(node->text);
    return *out ? ERROR_NONE : error_memory(self->err, "reading a source descriptor");
}

static int read_number(struct reader *self, const struct yaml_node *node, const char *key,
                       double *out)
{
    if (node->kind != YAML_SCALAR || !text_to_double(node->text, strlen(node->text), false, out) ||
        *out <= 0)
        return wrong(self, node, key, "a number above 0");
    return ERROR_NONE;
}

static int read_count(struct reader *self, const struct yaml_node *node, const char *key, int *out)
{
    int64_t value;
    if (node->kind != YAML_SCALAR || !text_to_int64(node->text, strlen(node->text), &value) ||
        value < 1 || value > CSV_MAX_COLUMNS)
        return wrong(self, node, key, "a whole number from 1 to 1024");
    *out = (int)value;
    return ERROR_NONE;
}

static int read_word(struct reader *self, const struct yaml_node *node, const char *key,
                     const char *const *words, size_t count, int *out)
{
    char expected[160] = "one of";
    for (size_t i = 0; i < count; i++) {
        if (node->kind == YAML_SCALAR && strcmp(node->text, words[i]) == 0) {
            *out = (int)i;
            return ERROR_NONE;
        }
        size_t used = strlen(expected);
        snprintf(expected + used, sizeof expected - used, " %s", words[i]);
    }
    return wrong(self, node, key, expected);
}

#define WORD_COUNT(words) (sizeof(words) / sizeof *(words))

static int read_boolean(struct reader *self, const struct yaml_node *node, const char *key,
                        bool *out)
{
    static const char *const WORDS[] = {"no", "yes"};
    int word = 0;
    int code = read_word(self, node, key, WORDS, WORD_COUNT(WORDS), &word);
    *out = word == 1;
    return code;
}

/* --- columns --- */

static int read_names(struct reader *self, const struct yaml_node *node,
                      struct descriptor_column *out)
{
    if (node->kind != YAML_SEQUENCE || node->count == 0)
        return wrong(self, node, "names", "a list of header names");
    out->names = memory_zeroed(node->count, sizeof *out->names);
    if (!out->names)
        return error_memory(self->err, "reading a source descriptor");
    int code = ERROR_NONE;
    for (; code == ERROR_NONE && out->name_count < node->count; out->name_count++)
        code =
            read_text(self, &node->items[out->name_count], "names", &out->names[out->name_count]);
    return code;
}

static int read_field(struct reader *self, const struct yaml_node *node, enum series_field *out)
{
    int field = node->kind == YAML_SCALAR ? series_field_find(node->text) : -1;
    if (field < 0)
        return wrong(self, node, "field", "the name of a series field");
    *out = (enum series_field)field;
    return ERROR_NONE;
}

static int read_clock(struct reader *self, const struct yaml_node *node)
{
    static const char *const WORDS[] = {"unix", "unix_s", "unix_ms", "unix_us", "auto", "iso"};
    int word = DESCRIPTOR_FORMAT;
    if (node->kind == YAML_SCALAR && strchr(node->text, '%')) {
        self->out->clock = DESCRIPTOR_FORMAT;
        return read_text(self, node, "as", &self->out->time_format);
    }
    int code = read_word(self, node, "as", WORDS, WORD_COUNT(WORDS), &word);
    self->out->clock = (enum descriptor_clock)word;
    return code;
}

static int read_column_key(struct reader *self, const char *key, const struct yaml_node *node,
                           struct descriptor_column *out)
{
    static const char *const UNITS[] = {"native",    "coins",    "usd",
                                        "contracts", "fraction", "percent"};
    int unit = 0;
    if (strcmp(key, "names") == 0)
        return read_names(self, node, out);
    if (strcmp(key, "index") == 0)
        return read_count(self, node, key, &out->index);
    if (strcmp(key, "field") == 0)
        return read_field(self, node, &out->field);
    if (strcmp(key, "optional") == 0)
        return read_boolean(self, node, key, &out->optional);
    if (strcmp(key, "as") == 0 && out == &self->out->time)
        return read_clock(self, node);
    if (strcmp(key, "unit") == 0) {
        int code = read_word(self, node, key, UNITS, WORD_COUNT(UNITS), &unit);
        out->unit = (enum source_unit)unit;
        return code;
    }
    return wrong(self, node, key, "one of names, index, field, unit, optional; for time also as");
}

static int read_column(struct reader *self, const struct yaml_node *node, const char *key,
                       struct descriptor_column *out)
{
    if (node->kind != YAML_MAPPING)
        return wrong(self, node, key, "a mapping such as {names: [close], index: 5}");
    int code = ERROR_NONE;
    for (size_t i = 0; code == ERROR_NONE && i < node->count; i++)
        code = read_column_key(self, node->keys[i], &node->items[i], out);
    if (code == ERROR_NONE && out->index == 0 && out->name_count == 0)
        return wrong(self, node, key, "names or an index");
    return code;
}

static int read_columns(struct reader *self, const struct yaml_node *node)
{
    struct descriptor *out = self->out;
    if (node->kind != YAML_SEQUENCE || node->count == 0 || node->count > DESCRIPTOR_MAX_SLOTS)
        return wrong(self, node, "columns", "a list of columns");
    out->columns = memory_zeroed(node->count, sizeof *out->columns);
    if (!out->columns)
        return error_memory(self->err, "reading a source descriptor");
    int code = ERROR_NONE;
    for (; code == ERROR_NONE && out->column_count < node->count; out->column_count++) {
        const struct yaml_node *item = &node->items[out->column_count];
        code = read_column(self, item, "columns", &out->columns[out->column_count]);
        if (code == ERROR_NONE && !yaml_get(item, "field"))
            code = wrong(self, item, "columns", "a field");
    }
    return code;
}

/* --- the other keys --- */

static int read_widths(struct reader *self, const struct yaml_node *node)
{
    struct descriptor *out = self->out;
    if (node->kind != YAML_SEQUENCE || node->count == 0)
        return wrong(self, node, "widths", "a list of numbers of columns");
    out->widths = memory_zeroed(node->count, sizeof *out->widths);
    if (!out->widths)
        return error_memory(self->err, "reading a source descriptor");
    int code = ERROR_NONE;
    for (; code == ERROR_NONE && out->width_count < node->count; out->width_count++)
        code = read_count(self, &node->items[out->width_count], "widths",
                          &out->widths[out->width_count]);
    return code;
}

static int read_pairs(struct reader *self, const struct yaml_node *node, const char *key,
                      struct source_filter **out, size_t *out_count)
{
    if (node->kind != YAML_MAPPING || node->count > SOURCE_MAX_FILTERS)
        return wrong(self, node, key, "a mapping of at most 8 columns to values");
    *out = memory_zeroed(node->count, sizeof **out);
    if (!*out)
        return error_memory(self->err, "reading a source descriptor");
    int code = ERROR_NONE;
    for (; code == ERROR_NONE && *out_count < node->count; ++*out_count) {
        struct source_filter *pair = &(*out)[*out_count];
        pair->column = memory_text(node->keys[*out_count]);
        code = pair->column ? read_text(self, &node->items[*out_count], key, &pair->value)
                            : error_memory(self->err, "reading a source descriptor");
    }
    return code;
}

static int read_event_key(struct reader *self, const char *key, const struct yaml_node *node)
{
    struct descriptor *out = self->out;
    if (strcmp(key, "side") == 0)
        return read_column(self, node, key, &out->side);
    if (strcmp(key, "quantity") == 0)
        return read_column(self, node, key, &out->quantity);
    if (strcmp(key, "long") == 0)
        return read_text(self, node, key, &out->long_word);
    if (strcmp(key, "short") == 0)
        return read_text(self, node, key, &out->short_word);
    return wrong(self, node, key, "one of side, quantity, long, short");
}

static int read_events(struct reader *self, const struct yaml_node *node)
{
    struct descriptor *out = self->out;
    int code = node->kind == YAML_MAPPING ? ERROR_NONE : wrong(self, node, "events", "a mapping");
    for (size_t i = 0; code == ERROR_NONE && i < node->count; i++)
        code = read_event_key(self, node->keys[i], &node->items[i]);
    if (code == ERROR_NONE && (!out->long_word || !out->short_word || !yaml_get(node, "side") ||
                               !yaml_get(node, "quantity")))
        return wrong(self, node, "events", "side, quantity, long and short");
    out->has_events = true;
    return code;
}

static int read_stale(struct reader *self, const struct yaml_node *node)
{
    struct descriptor *out = self->out;
    if (node->kind == YAML_SCALAR && strcmp(node->text, "none") == 0) {
        out->stale_ms = 0;
        return ERROR_NONE;
    }
    const struct yaml_node *rows = node->kind == YAML_MAPPING ? yaml_get(node, "rows") : NULL;
    const struct yaml_node *span = node->kind == YAML_MAPPING ? yaml_get(node, "for") : NULL;
    if (!rows || !span || node->count != 2 || span->kind != YAML_SCALAR ||
        !calendar_parse_duration(span->text, strlen(span->text), &out->stale_ms))
        return wrong(self, node, "stale", "none, or {rows: 24, for: 1h}");
    return read_count(self, rows, "rows", &out->stale_rows);
}

static int read_shape(struct reader *self, const struct yaml_node *node)
{
    static const char *const WORDS[] = {"bars", "stamps", "events", "bands"};
    int word = 0;
    int code = read_word(self, node, "shape", WORDS, WORD_COUNT(WORDS), &word);
    self->out->shape = (enum descriptor_shape)word;
    return code;
}

static int read_header(struct reader *self, const struct yaml_node *node)
{
    static const char *const WORDS[] = {"no", "yes", "sniff"};
    int word = 0;
    int code = read_word(self, node, "header", WORDS, WORD_COUNT(WORDS), &word);
    self->out->header = (enum descriptor_header)word;
    return code;
}

static int read_key(struct reader *self, const char *key, const struct yaml_node *node)
{
    struct descriptor *out = self->out;
    if (strcmp(key, "name") == 0)
        return read_text(self, node, key, &out->name);
    if (strcmp(key, "doc") == 0)
        return read_text(self, node, key, &out->doc);
    if (strcmp(key, "url") == 0)
        return read_text(self, node, key, &out->url);
    if (strcmp(key, "shape") == 0)
        return read_shape(self, node);
    if (strcmp(key, "header") == 0)
        return read_header(self, node);
    if (strcmp(key, "sniff") == 0)
        return read_boolean(self, node, key, &out->sniffed);
    if (strcmp(key, "widths") == 0)
        return read_widths(self, node);
    if (strcmp(key, "time") == 0)
        return read_column(self, node, key, &out->time);
    if (strcmp(key, "columns") == 0)
        return read_columns(self, node);
    if (strcmp(key, "contract_usd") == 0)
        return read_number(self, node, key, &out->contract_usd);
    if (strcmp(key, "events") == 0)
        return read_events(self, node);
    if (strcmp(key, "filters") == 0)
        return read_pairs(self, node, key, &out->filters, &out->filter_count);
    if (strcmp(key, "first_row") == 0)
        return read_pairs(self, node, key, &out->first_row, &out->first_row_count);
    if (strcmp(key, "stale") == 0)
        return read_stale(self, node);
    if (strcmp(key, "gap_factor") == 0)
        return read_number(self, node, key, &out->gap_factor);
    return wrong(self, node, key, "a key of source descriptors");
}

static int read_all(struct reader *self, const struct yaml_node *root)
{
    static const char *const NEEDED[] = {"name", "doc", "shape", "header", "time"};
    if (root->kind != YAML_MAPPING)
        return wrong(self, root, NULL, "a mapping");
    int code = ERROR_NONE;
    for (size_t i = 0; code == ERROR_NONE && i < root->count; i++)
        code = read_key(self, root->keys[i], &root->items[i]);
    for (size_t i = 0; code == ERROR_NONE && i < WORD_COUNT(NEEDED); i++)
        if (!yaml_get(root, NEEDED[i]))
            code = wrong(self, root, NEEDED[i], "this key");
    if (code == ERROR_NONE && !yaml_get(root, "columns") && !yaml_get(root, "events"))
        code = wrong(self, root, "columns", "columns or events");
    return code;
}

int descriptor_parse(struct descriptor *self, const char *file, const char *text, size_t length,
                     struct error *err)
{
    *self = (struct descriptor){.sniffed = true,
                                .stale_ms = DEFAULT_STALE_MS,
                                .stale_rows = DEFAULT_STALE_ROWS,
                                .gap_factor = DEFAULT_GAP_FACTOR};
    struct reader reader = {.file = file, .out = self, .err = err};
    struct yaml_file yaml;
    int code = text ? yaml_load_text(&yaml, file, text, length, ERROR_DATA, err)
                    : yaml_load_file(&yaml, file, ERROR_DATA, err);
    if (code != ERROR_NONE)
        return code;
    code = read_all(&reader, &yaml.root);
    yaml_file_free(&yaml);
    if (code != ERROR_NONE)
        descriptor_free(self);
    return code;
}

static void free_column(struct descriptor_column *column)
{
    for (size_t i = 0; i < column->name_count; i++)
        memory_free(column->names[i]);
    memory_free(column->names);
}

static void free_pairs(struct source_filter *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memory_free(pairs[i].column);
        memory_free(pairs[i].value);
    }
    memory_free(pairs);
}

void descriptor_free(struct descriptor *self)
{
    for (size_t i = 0; i < self->column_count; i++)
        free_column(&self->columns[i]);
    free_column(&self->time);
    free_column(&self->side);
    free_column(&self->quantity);
    free_pairs(self->filters, self->filter_count);
    free_pairs(self->first_row, self->first_row_count);
    memory_free(self->columns);
    memory_free(self->widths);
    memory_free(self->name);
    memory_free(self->doc);
    memory_free(self->url);
    memory_free(self->time_format);
    memory_free(self->long_word);
    memory_free(self->short_word);
    *self = (struct descriptor){0};
}

/* --- a descriptor spelled out by the user --- */

static bool is_index(const char *text, int *out)
{
    int64_t value;
    if (!text_to_int64(text, strlen(text), &value) || value < 1 || value > CSV_MAX_COLUMNS)
        return false;
    *out = (int)value;
    return true;
}

static int column_from_text(const char *text, struct descriptor_column *out, struct error *err)
{
    if (is_index(text, &out->index))
        return ERROR_NONE;
    out->names = memory_zeroed(1, sizeof *out->names);
    if (!out->names || !(out->names[0] = memory_text(text)))
        return error_memory(err, "reading a generic format");
    out->name_count = 1;
    return ERROR_NONE;
}

static int clock_from_spec(struct descriptor *self, const struct source_spec *spec,
                           struct error *err)
{
    static const char *const WORDS[] = {"unix", "unix_s", "unix_ms", "unix_us", "auto", "iso"};
    const char *format = spec->time_format ? spec->time_format : "auto";
    for (size_t i = 0; i < WORD_COUNT(WORDS); i++)
        if (strcmp(format, WORDS[i]) == 0) {
            self->clock = (enum descriptor_clock)i;
            return ERROR_NONE;
        }
    if (!strchr(format, '%'))
        return error_at(err, ERROR_DATA, spec->said_file, spec->said_line, spec->said_column,
                        spec->said_key,
                        "time format %s; expected unix_s, unix_ms, unix_us, iso or a format such "
                        "as %%Y-%%m-%%d %%H:%%M:%%S",
                        format);
    self->clock = DESCRIPTOR_FORMAT;
    self->time_format = memory_text(format);
    return self->time_format ? ERROR_NONE : error_memory(err, "reading a generic format");
}

static enum source_unit field_unit(enum series_field field)
{
    if (field >= SERIES_OI_OPEN && field <= SERIES_OI)
        return SOURCE_UNIT_COINS;
    if (field == SERIES_LIQ_LONG || field == SERIES_LIQ_SHORT)
        return SOURCE_UNIT_COINS;
    return field == SERIES_RATE ? SOURCE_UNIT_FRACTION : SOURCE_UNIT_NATIVE;
}

static int columns_from_spec(struct descriptor *self, const struct source_spec *spec,
                             struct error *err)
{
    self->columns = memory_zeroed(spec->column_count, sizeof *self->columns);
    if (!self->columns)
        return error_memory(err, "reading a generic format");
    int code = ERROR_NONE;
    for (; code == ERROR_NONE && self->column_count < spec->column_count; self->column_count++) {
        const struct source_column *from = &spec->columns[self->column_count];
        struct descriptor_column *to = &self->columns[self->column_count];
        to->field = from->field;
        to->unit = field_unit(from->field);
        to->index = from->index;
        if (from->index == 0)
            code = column_from_text(from->name, to, err);
        if (from->field == SERIES_HIGH)
            self->shape = DESCRIPTOR_BARS;
        if (from->field == SERIES_BAND)
            self->shape = DESCRIPTOR_BANDS;
    }
    return code;
}

int descriptor_from_spec(struct descriptor *self, const struct source_spec *spec, struct error *err)
{
    *self = (struct descriptor){.shape = DESCRIPTOR_STAMPS,
                                .stale_ms = DEFAULT_STALE_MS,
                                .stale_rows = DEFAULT_STALE_ROWS,
                                .gap_factor = DEFAULT_GAP_FACTOR,
                                .contract_usd = spec->contract_usd};
    self->header = spec->header < 0    ? DESCRIPTOR_HEADER_SNIFF
                   : spec->header == 0 ? DESCRIPTOR_HEADER_NO
                                       : DESCRIPTOR_HEADER_YES;
    if (!spec->time_column || spec->column_count == 0 || spec->column_count > DESCRIPTOR_MAX_SLOTS)
        return error_at(err, ERROR_DATA, spec->said_file, spec->said_line, spec->said_column,
                        spec->said_key,
                        "format generic; expected the column of time and of every field");
    int code = clock_from_spec(self, spec, err);
    if (code == ERROR_NONE)
        code = column_from_text(spec->time_column, &self->time, err);
    if (code == ERROR_NONE)
        code = columns_from_spec(self, spec, err);
    if (code == ERROR_NONE && !(self->name = memory_text("generic")))
        code = error_memory(err, "reading a generic format");
    if (code != ERROR_NONE)
        descriptor_free(self);
    return code;
}
