#include "scenarios/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "scenarios/value.h"
#include "scenarios/venue_rules.h"

bool reader_refuse_kind(struct reader *self, const struct schema_row *row,
                        const struct tree_node *node, const char *key)
{
    char shown[VALUE_SHOWN_SIZE], expected[SCHEMA_EXPECTED_SIZE];
    reader_report(self, node, key, "%s does not fit; expected %s", value_shown(node, shown),
                  schema_expected(row, expected));
    return false;
}

bool reader_refuse_memory(struct reader *self)
{
    struct error err = {0};
    error_memory(&err, "reading a scenario");
    error_list_add(self->errors, &err);
    self->bad = true;
    return false;
}

/* Runs one part of the reading with a clean flag, so that its own errors can be told. */
static bool table_good(struct reader *self, const struct schema_table *table, int role,
                       const struct tree_node *node, const char *prefix, void *record)
{
    bool before = self->bad;
    self->bad = false;
    reader_table(self, table, role, node, prefix, record, NULL);
    bool good = !self->bad;
    self->bad = before || !good;
    return good;
}

/* --- sources --- */

static bool is_generic(const struct source_spec *spec)
{
    return spec->format != NULL && strcmp(spec->format, "generic") == 0;
}

/* Where one key of a source was said, else the source itself. */
static const struct tree_node *said(const struct tree_node *node, const char *key)
{
    const struct tree_entry *entry = tree_get(node, key);
    return entry != NULL ? &entry->value : node;
}

static bool check_origin(struct reader *self, const struct tree_node *node, const char *key,
                         const struct source_spec *spec)
{
    if (spec->builtin == NULL && spec->path == NULL) {
        reader_report(self, node, key,
                      "says not where the data are; expected "
                      "{source: builtin:NAME} or {path: FILE, format: NAME}");
        return false;
    }
    if (spec->builtin != NULL && spec->path != NULL) {
        reader_report(self, said(node, "path"), key,
                      "has both source and path; expected only one of them");
        return false;
    }
    if (spec->builtin != NULL && (spec->format != NULL || spec->filter_count > 0)) {
        const char *word = spec->format != NULL ? "format" : "filters";
        reader_report(self, said(node, word), key, "has %s with source; expected it only with path",
                      word);
        return false;
    }
    return true;
}

static bool time_format_known(const char *format)
{
    static const char *const words[] = {"unix_s", "unix_ms", "unix_us", "iso"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(format, words[i]) == 0)
            return true;
    }
    return strchr(format, '%') != NULL;
}

static bool check_generic(struct reader *self, const struct tree_node *node, const char *key,
                          const struct source_spec *spec)
{
    const struct tree_node *time = said(node, "time");
    if (spec->time_column == NULL || spec->time_format == NULL) {
        reader_report(self, time, key,
                      "format generic needs time.column and time.as; expected "
                      "time: {column: NAME, as: unix_ms}");
        return false;
    }
    if (!time_format_known(spec->time_format)) {
        reader_report(self, said(time, "as"), key,
                      "'%.40s' is no format of time; expected unix_s, unix_ms, unix_us, iso or a "
                      "format such as \"%%Y-%%m-%%d %%H:%%M:%%S\"",
                      spec->time_format);
        return false;
    }
    if (spec->column_count == 0) {
        reader_report(self, said(node, "columns"), key,
                      "format generic needs columns; expected a mapping such as {oi: 5}");
        return false;
    }
    return true;
}

/* Reports a key that only a generic source may have. */
static bool refuse_described(struct reader *self, const struct tree_node *mapping, const char *word,
                             const char *shown, const char *key)
{
    const struct tree_entry *entry = tree_get(mapping, word);
    if (entry == NULL || tree_is_null(&entry->value))
        return true;
    reader_report(self, &entry->value, key,
                  "has %s, which a source descriptor gives; expected it only with format: generic",
                  shown);
    return false;
}

/* A descriptor knows everything but the zone of local times, which is the exporter's. */
static bool check_not_generic(struct reader *self, const struct tree_node *node, const char *key)
{
    const struct tree_entry *time = tree_get(node, "time");
    bool good = refuse_described(self, node, "header", "header", key);
    good = refuse_described(self, node, "columns", "columns", key) && good;
    if (time == NULL || time->value.kind != YAML_MAPPING)
        return good;
    good = refuse_described(self, &time->value, "column", "time.column", key) && good;
    return refuse_described(self, &time->value, "as", "time.as", key) && good;
}

static bool keep_place(struct reader *self, const struct tree_node *node, const char *key,
                       struct source_spec *spec)
{
    spec->said_file = memory_text(node->file);
    spec->said_key = memory_text(key);
    spec->said_line = node->line;
    spec->said_column = node->column;
    return (spec->said_file != NULL && spec->said_key != NULL) || reader_refuse_memory(self);
}

/* The input that a source is for: its place among the data, or open interest. */
static int role_of(const struct schema_row *row)
{
    size_t first = offsetof(struct scenario, data.input);
    if (row->field.offset == offsetof(struct scenario, signals.venue_oi))
        return MARKET_OI;
    return (int)((row->field.offset - first) / sizeof(struct source_spec));
}

bool reader_source(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   const char *key, struct source_spec *spec)
{
    char prefix[READER_KEY_SIZE];
    int role = role_of(row);
    spec->role = (enum market_input)role;
    if (tree_is_null(node))
        return schema_nullable(row) || reader_refuse_kind(self, row, node, key);
    if (node->kind != YAML_MAPPING)
        return reader_refuse_kind(self, row, node, key);
    snprintf(prefix, sizeof prefix, "%s.", key);
    spec->present = true;
    if (!table_good(self, &schema_source, role, node, prefix, spec) ||
        !check_origin(self, node, key, spec) || !keep_place(self, node, key, spec))
        return false;
    return is_generic(spec) ? check_generic(self, node, key, spec)
                            : check_not_generic(self, node, key);
}

/* --- columns of a generic source --- */

static bool report_field(struct reader *self, const struct tree_entry *entry, const char *key)
{
    const char *names[SERIES_FIELD_COUNT];
    char hint[VALUE_HINT_SIZE];
    struct tree_node place = {
        .file = entry->key_file, .line = entry->key_line, .column = entry->key_column};
    for (int i = 0; i < SERIES_FIELD_COUNT; i++)
        names[i] = series_field_name((enum series_field)i);
    reader_report(self, &place, key,
                  "'%.40s' is not a field of market history; expected one of "
                  "open, high, low, close, volume, oi, rate, ...%s",
                  entry->key, value_hint(entry->key, names, SERIES_FIELD_COUNT, hint));
    return false;
}

/* Digits without quotes are an index, everything else is a name. */
static bool read_column(struct reader *self, const struct tree_node *node, const char *key,
                        struct source_column *column)
{
    char shown[VALUE_SHOWN_SIZE];
    int64_t index;
    if (node->kind != YAML_SCALAR || tree_is_null(node) || node->text[0] == '\0') {
        reader_report(self, node, key,
                      "%s is not a column; expected a header name or a 1-based "
                      "index",
                      value_shown(node, shown));
        return false;
    }
    if (node->quoted || strspn(node->text, "0123456789") != strlen(node->text)) {
        column->name = memory_text(node->text);
        return column->name != NULL || reader_refuse_memory(self);
    }
    if (!text_to_int64(node->text, strlen(node->text), &index) || index < 1 || index > 10000) {
        reader_report(self, node, key, "%s is out of bounds; expected an index from 1 to 10000",
                      value_shown(node, shown));
        return false;
    }
    column->index = (int)index;
    return true;
}

static bool field_taken(const struct source_spec *spec, int field)
{
    for (size_t i = 0; i < spec->column_count; i++) {
        if ((int)spec->columns[i].field == field)
            return true;
    }
    return false;
}

static bool read_column_entry(struct reader *self, const struct tree_entry *entry, const char *key,
                              struct source_spec *spec)
{
    int field = series_field_find(entry->key);
    if (field < 0)
        return report_field(self, entry, key);
    if (field_taken(spec, field)) {
        reader_report(self, &entry->value, key, "names the field %s twice; expected it once",
                      entry->key);
        return false;
    }
    struct source_column *column = &spec->columns[spec->column_count++];
    column->field = (enum series_field)field;
    return read_column(self, &entry->value, key, column);
}

bool reader_columns(struct reader *self, const struct tree_node *node, const char *key,
                    struct source_spec *spec)
{
    bool good = true;
    if (tree_is_null(node))
        return true;
    if (node->kind != YAML_MAPPING)
        return reader_refuse_kind(self, schema_find(&schema_source, "columns", 0), node, key);
    spec->columns = memory_zeroed(node->count, sizeof *spec->columns);
    if (spec->columns == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++)
        good = read_column_entry(self, &node->entries[i], key, spec) && good;
    return good;
}

/* --- rows to keep --- */

static bool read_filter(struct reader *self, const struct tree_entry *entry, const char *key,
                        struct source_spec *spec)
{
    char shown[VALUE_SHOWN_SIZE];
    const struct tree_node *value = &entry->value;
    if (value->kind != YAML_SCALAR || tree_is_null(value)) {
        reader_report(self, value, key, "%s is not what a column can hold; expected a text",
                      value_shown(value, shown));
        return false;
    }
    struct source_filter *filter = &spec->filters[spec->filter_count++];
    filter->column = memory_text(entry->key);
    filter->value = memory_text(value->text);
    return (filter->column != NULL && filter->value != NULL) || reader_refuse_memory(self);
}

bool reader_filters(struct reader *self, const struct tree_node *node, const char *key,
                    struct source_spec *spec)
{
    bool good = true;
    if (tree_is_null(node))
        return true;
    if (node->kind != YAML_MAPPING)
        return reader_refuse_kind(self, schema_find(&schema_source, "filters", 0), node, key);
    if (node->count > SOURCE_MAX_FILTERS) {
        reader_report(self, node, key, "has %zu columns; expected at most %d", node->count,
                      SOURCE_MAX_FILTERS);
        return false;
    }
    spec->filters = memory_zeroed(node->count, sizeof *spec->filters);
    if (spec->filters == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++)
        good = read_filter(self, &node->entries[i], key, spec) && good;
    return good;
}

/* --- lists --- */

/* A list of at least `minimum` and at most `maximum` items. */
static bool list_good(struct reader *self, const struct schema_row *row,
                      const struct tree_node *node, size_t minimum, size_t maximum)
{
    if (node->kind != YAML_SEQUENCE)
        return reader_refuse_kind(self, row, node, row->field.name);
    if (node->count >= minimum && node->count <= maximum)
        return true;
    reader_report(self, node, row->field.name, "has %zu items; expected from %zu to %zu",
                  node->count, minimum, maximum);
    return false;
}

/* One item of a list of mappings, by its table. */
static bool read_item(struct reader *self, const struct schema_row *row,
                      const struct schema_table *table, const struct tree_node *node, size_t index,
                      void *record)
{
    char prefix[READER_KEY_SIZE], shown[VALUE_SHOWN_SIZE];
    snprintf(prefix, sizeof prefix, "%s[%zu].", row->field.name, index);
    if (node->kind == YAML_MAPPING)
        return table_good(self, table, 0, node, prefix, record);
    prefix[strlen(prefix) - 1] = '\0';
    reader_report(self, node, prefix, "%s does not fit; expected a mapping such as {%s: ...}",
                  value_shown(node, shown), table->rows[0].field.name);
    return false;
}

/* One venue, with what the file of its rules adds. */
static bool read_venue(struct reader *self, const struct schema_row *row,
                       const struct tree_node *node, size_t index, struct scenario_venue *venue)
{
    struct venue_rules rules;
    struct error err = {0};
    const char *fallback = schema_find(&schema_venue, "rules", 0)->field.default_text;
    if (node->kind != YAML_MAPPING)
        return read_item(self, row, &schema_venue, node, index, venue);
    bool good = venue_rules_fill(&rules, node, fallback, &err) == ERROR_NONE;
    if (good) {
        good = read_item(self, row, &schema_venue, &rules.node, index, venue);
    } else {
        error_list_add(self->errors, &err);
        self->bad = true;
    }
    venue_rules_free(&rules);
    return good;
}

bool reader_venues(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario)
{
    bool good = true;
    if (!list_good(self, row, node, 1, SCENARIO_VENUES_MAX))
        return false;
    for (size_t i = 0; i < node->count; i++) {
        scenario->venue_count = i + 1;
        good = read_venue(self, row, &node->entries[i].value, i, &scenario->venues[i]) && good;
    }
    return good;
}

bool reader_tiers(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                  struct scenario *scenario)
{
    bool good = true;
    if (!list_good(self, row, node, 0, SCENARIO_LEVERAGE_TIERS_MAX))
        return false;
    for (size_t i = 0; i < node->count; i++) {
        struct schema_tier_item item = {0};
        good = read_item(self, row, &schema_tier, &node->entries[i].value, i, &item) && good;
        scenario->book.leverage.tier_leverage[i] = item.leverage;
        scenario->book.leverage.tier_weight[i] = item.weight;
    }
    scenario->book.leverage.tier_count = node->count;
    return good;
}

bool reader_points(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario)
{
    bool good = true;
    if (!list_good(self, row, node, 0, SCENARIO_POINTS_MAX))
        return false;
    for (size_t i = 0; i < node->count; i++) {
        struct schema_point_item item = {0};
        good = read_item(self, row, &schema_point, &node->entries[i].value, i, &item) && good;
        scenario->path.point_ms[i] = item.at_ms;
        scenario->path.point_price[i] = item.price;
    }
    scenario->path.point_count = node->count;
    return good;
}

/* The items of a list as numbers within the row's bounds. */
static bool read_numbers(struct reader *self, const struct schema_row *row,
                         const struct tree_node *node, const char *key, double *numbers)
{
    struct schema_row number = *row;
    bool good = true;
    number.kind = SCHEMA_VALUE;
    number.field.offset = 0;
    number.field.default_text = NULL;
    for (size_t i = 0; i < node->count; i++) {
        struct error err = {0};
        const struct tree_node *item = &node->entries[i].value;
        if (value_read(&number, item, key, &numbers[i], &err) == ERROR_NONE)
            continue;
        reader_report(self, item, key, "%s", err.message);
        good = false;
    }
    return good;
}

bool reader_pair(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                 const char *key, double pair[2])
{
    if (node->kind != YAML_SEQUENCE || node->count != 2)
        return reader_refuse_kind(self, row, node, key);
    if (!read_numbers(self, row, node, key, pair))
        return false;
    if (pair[0] <= pair[1])
        return true;
    reader_report(self, node, key, "falls; expected a list [low, high]");
    return false;
}

bool reader_levels(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario)
{
    if (!list_good(self, row, node, 0, SCENARIO_LEVELS_MAX))
        return false;
    scenario->oi.level_count = node->count;
    return read_numbers(self, row, node, row->field.name, scenario->oi.levels_usd);
}

/* "summary, steps, tiers": the words of a table, as far as they fit. */
static const char *list_words(const struct schema_table *words, char buffer[SCHEMA_EXPECTED_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < words->count && used < SCHEMA_EXPECTED_SIZE; i++)
        used += (size_t)snprintf(buffer + used, SCHEMA_EXPECTED_SIZE - used, "%s%s",
                                 i > 0 ? ", " : "", words->rows[i].field.name);
    return buffer;
}

static bool read_word(struct reader *self, const struct schema_row *row,
                      const struct schema_table *words, const struct tree_node *node,
                      struct scenario *scenario)
{
    struct schema_names names;
    char shown[VALUE_SHOWN_SIZE], hint[VALUE_HINT_SIZE], all[SCHEMA_EXPECTED_SIZE];
    const char *text = node->kind == YAML_SCALAR ? node->text : "";
    const struct schema_row *word = schema_find(words, text, 0);
    if (word == NULL) {
        schema_children(words, "", 0, &names);
        reader_report(self, node, row->field.name, "%s is not %s; expected one of %s%s",
                      value_shown(node, shown),
                      row->kind == SCHEMA_OUTPUT ? "a table of the results" : "a baseline",
                      list_words(words, all), value_hint(text, names.names, names.count, hint));
        return false;
    }
    bool *place = (bool *)((char *)scenario + word->field.offset);
    if (*place) {
        reader_report(self, node, row->field.name, "names %s twice; expected it once", text);
        return false;
    }
    *place = true;
    return true;
}

bool reader_words(struct reader *self, const struct schema_row *row,
                  const struct schema_table *words, const struct tree_node *node,
                  struct scenario *scenario)
{
    bool good = true;
    if (!list_good(self, row, node, 0, words->count))
        return false;
    for (size_t i = 0; i < node->count; i++)
        good = read_word(self, row, words, &node->entries[i].value, scenario) && good;
    return good;
}

bool reader_quantiles(struct reader *self, const struct schema_row *row,
                      const struct tree_node *node, struct scenario *scenario)
{
    double *quantiles = scenario->bands.quantiles;
    if (!list_good(self, row, node, 1, SCENARIO_QUANTILES_MAX) ||
        !read_numbers(self, row, node, row->field.name, quantiles))
        return false;
    scenario->bands.quantile_count = node->count;
    for (size_t i = 1; i < node->count; i++) {
        if (quantiles[i] > quantiles[i - 1])
            continue;
        reader_report(self, &node->entries[i].value, row->field.name,
                      "does not rise; expected a rising list");
        return false;
    }
    return true;
}

bool reader_condition(struct reader *self, const struct schema_row *row,
                      const struct tree_node *node, struct condition *condition)
{
    if (tree_is_null(node))
        return true;
    if (node->kind == YAML_SCALAR && condition_parse(node->text, condition))
        return true;
    return reader_refuse_kind(self, row, node, row->field.name);
}

static bool read_metric(struct reader *self, const struct schema_row *row,
                        const struct tree_node *node, struct scenario *scenario)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    char shown[VALUE_SHOWN_SIZE];
    const char *text = node->kind == YAML_SCALAR ? node->text : "";
    if (text[0] == '\0' || strspn(text, letters) != strlen(text) ||
        strlen(text) >= CONDITION_METRIC_SIZE) {
        reader_report(self, node, row->field.name,
                      "%s is no number of the summary; expected one such as liquidated_usd",
                      value_shown(node, shown));
        return false;
    }
    for (size_t i = 0; i < scenario->sensitivity.metric_count; i++) {
        if (strcmp(scenario->sensitivity.metrics[i], text) != 0)
            continue;
        reader_report(self, node, row->field.name, "names %s twice; expected it once", text);
        return false;
    }
    snprintf(scenario->sensitivity.metrics[scenario->sensitivity.metric_count],
             sizeof *scenario->sensitivity.metrics, "%s", text);
    scenario->sensitivity.metric_count++;
    return true;
}

bool reader_metrics(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                    struct scenario *scenario)
{
    bool good = true;
    if (!list_good(self, row, node, 1, SCENARIO_METRICS_MAX))
        return false;
    for (size_t i = 0; i < node->count; i++)
        good = read_metric(self, row, &node->entries[i].value, scenario) && good;
    return good;
}

bool reader_horizons(struct reader *self, const struct schema_row *row,
                     const struct tree_node *node, struct scenario *scenario)
{
    int64_t *horizons = scenario->signals.horizons_ms;
    struct schema_row duration = *row;
    if (!list_good(self, row, node, 1, SCENARIO_HORIZONS_MAX))
        return false;
    duration.kind = SCHEMA_VALUE;
    duration.field.offset = 0;
    duration.field.default_text = NULL;
    for (size_t i = 0; i < node->count; i++) {
        struct error err = {0};
        const struct tree_node *item = &node->entries[i].value;
        if (value_read(&duration, item, row->field.name, &horizons[i], &err) != ERROR_NONE) {
            reader_report(self, item, row->field.name, "%s", err.message);
            return false;
        }
        if (i > 0 && horizons[i] <= horizons[i - 1]) {
            reader_report(self, item, row->field.name, "does not rise; expected a rising list");
            return false;
        }
    }
    scenario->signals.horizon_count = node->count;
    return true;
}

static bool read_name(struct reader *self, const struct schema_row *row,
                      const struct tree_node *node, struct scenario *scenario)
{
    char shown[VALUE_SHOWN_SIZE];
    const char *text = node->kind == YAML_SCALAR && !tree_is_null(node) ? node->text : "";
    if (text[0] == '\0' || strlen(text) >= SCENARIO_EVENT_NAME_SIZE) {
        reader_report(self, node, row->field.name,
                      "%s is no name of an event; expected one such as 2024-08-05",
                      value_shown(node, shown));
        return false;
    }
    for (size_t i = 0; i < scenario->events.name_count; i++) {
        if (strcmp(scenario->events.names[i], text) != 0)
            continue;
        reader_report(self, node, row->field.name, "names %s twice; expected it once", text);
        return false;
    }
    snprintf(scenario->events.names[scenario->events.name_count], sizeof *scenario->events.names,
             "%s", text);
    scenario->events.name_count++;
    return true;
}

bool reader_names(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                  struct scenario *scenario)
{
    bool good = true;
    if (!list_good(self, row, node, 0, SCENARIO_EVENTS_MAX))
        return false;
    for (size_t i = 0; i < node->count; i++)
        good = read_name(self, row, &node->entries[i].value, scenario) && good;
    return good;
}
