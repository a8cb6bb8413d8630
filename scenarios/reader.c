#include "scenarios/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scenarios/value.h"

/* Adds an error unless there are too many already; the last one kept says so. */
static void add_error(struct reader *self, const struct error *err)
{
    self->bad = true;
    if (self->errors->count < READER_ERRORS_MAX) {
        error_list_add(self->errors, err);
    } else if (self->errors->count == READER_ERRORS_MAX) {
        struct error last = {0};
        error_at(&last, ERROR_SCENARIO, err->file, 0, 0, NULL, "has more errors, not shown here");
        error_list_add(self->errors, &last);
    }
}

void reader_report(struct reader *self, const struct tree_node *node, const char *key,
                   const char *format, ...)
{
    struct error err = {0};
    char message[sizeof err.message];
    va_list arguments;
    if (node == NULL)
        node = &self->tree->root;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_at(&err, ERROR_SCENARIO, node->file, node->line, node->column, key, "%s", message);
    add_error(self, &err);
}

/* --- keys that no row describes --- */

/* A sibling that begins with what was written, when only one does: `turnover`. */
static const char *completed(const struct schema_names *names, const char *word)
{
    const char *found = NULL;
    size_t length = strlen(word);
    for (size_t i = 0; length > 2 && i < names->count; i++) {
        if (strncmp(names->names[i], word, length) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = names->names[i];
    }
    return found;
}

/* The key that was probably meant: near in spelling, a longer form, or the same word elsewhere. */
static void suggest_key(const struct schema_table *table, int role, const char *group,
                        const char *prefix, const char *word, char *out, size_t size)
{
    struct schema_names names;
    schema_children(table, group, role, &names);
    const char *near = text_nearest(word, names.names, names.count);
    const char *dot = group[0] != '\0' ? "." : "";
    out[0] = '\0';
    if (near == NULL)
        near = completed(&names, word);
    if (near != NULL) {
        snprintf(out, size, "; did you mean %s%s%s%s?", prefix, group, dot, near);
        return;
    }
    near = schema_find_last_part(table, word);
    if (near != NULL)
        snprintf(out, size, "; did you mean %s%s?", prefix, near);
}

/* A list of the keys of a group, as far as it fits. */
static void list_keys(const struct schema_table *table, int role, const char *group, char *out,
                      size_t size)
{
    struct schema_names names;
    size_t used = 0;
    schema_children(table, group, role, &names);
    out[0] = '\0';
    for (size_t i = 0; i < names.count && i < 24 && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 i == 23 ? "..." : names.names[i]);
}

static void report_unknown(struct reader *self, const struct schema_table *table, int role,
                           const struct tree_entry *entry, const char *group, const char *prefix)
{
    char hint[160], keys[320], full[READER_KEY_SIZE];
    struct tree_node place = {
        .file = entry->key_file, .line = entry->key_line, .column = entry->key_column};
    snprintf(full, sizeof full, "%s%s%s%s", prefix, group, group[0] != '\0' ? "." : "", entry->key);
    suggest_key(table, role, group, prefix, entry->key, hint, sizeof hint);
    if (hint[0] != '\0') {
        reader_report(self, &place, full, "unknown key%s", hint);
        return;
    }
    list_keys(table, role, group, keys, sizeof keys);
    reader_report(self, &place, full, "unknown key; expected one of %s", keys);
}

/* Walks a mapping and the groups in it. */
static void check_keys(struct reader *self, const struct schema_table *table, int role,
                       const struct tree_node *node, const char *group, const char *prefix)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        char name[READER_KEY_SIZE], full[2 * READER_KEY_SIZE], keys[320];
        int length =
            snprintf(name, sizeof name, "%s%s%s", group, group[0] != '\0' ? "." : "", entry->key);
        if (length >= 0 && (size_t)length < sizeof name && schema_find(table, name, role) != NULL)
            continue;
        if (!schema_is_group(table, name) || (size_t)length >= sizeof name) {
            report_unknown(self, table, role, entry, group, prefix);
        } else if (entry->value.kind == YAML_MAPPING) {
            check_keys(self, table, role, &entry->value, name, prefix);
        } else if (!tree_is_null(&entry->value)) {
            char shown[VALUE_SHOWN_SIZE];
            list_keys(table, role, name, keys, sizeof keys);
            snprintf(full, sizeof full, "%s%s", prefix, name);
            reader_report(self, &entry->value, full, "%s is not a mapping; expected the keys %s",
                          value_shown(&entry->value, shown), keys);
        }
    }
}

/* --- rows --- */

/* What a dotted name leads to. */
struct found {
    const struct tree_node *node;   /* NULL: not given */
    const struct tree_node *parent; /* the innermost mapping on the way */
    bool blocked;                   /* something on the way is no mapping (reported already) */
};

static struct found find_row(const struct tree_node *mapping, const char *name)
{
    struct found found = {.parent = mapping};
    char part[READER_KEY_SIZE];
    for (;;) {
        size_t length = strcspn(name, ".");
        snprintf(part, sizeof part, "%.*s", (int)length, name);
        struct tree_entry *entry = tree_get(found.parent, part);
        if (entry == NULL)
            return found;
        if (name[length] == '\0') {
            found.node = &entry->value;
            return found;
        }
        if (entry->value.kind != YAML_MAPPING) {
            found.blocked = !tree_is_null(&entry->value);
            return found;
        }
        found.parent = &entry->value;
        name += length + 1;
    }
}

bool reader_row(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                const char *key, void *record)
{
    struct error err = {0};
    void *place = (char *)record + row->field.offset;
    switch (row->kind) {
    case SCHEMA_EXTENDS:
        return true;
    case SCHEMA_COLUMNS:
        return reader_columns(self, node, key, record);
    case SCHEMA_FILTERS:
        return reader_filters(self, node, key, record);
    case SCHEMA_SOURCE:
        return reader_source(self, row, node, key, place);
    case SCHEMA_VENUES:
        return reader_venues(self, row, node, record);
    case SCHEMA_LEVELS:
        return reader_levels(self, row, node, record);
    case SCHEMA_TIERS:
        return reader_tiers(self, row, node, record);
    case SCHEMA_POINTS:
        return reader_points(self, row, node, record);
    case SCHEMA_OUTPUT:
        return reader_words(self, row, &schema_output, node, record);
    case SCHEMA_BASELINES:
        return reader_words(self, row, &schema_baselines, node, record);
    case SCHEMA_QUANTILES:
        return reader_quantiles(self, row, node, record);
    case SCHEMA_CONDITION:
        return reader_condition(self, row, node, place);
    case SCHEMA_METRICS:
        return reader_metrics(self, row, node, record);
    case SCHEMA_HORIZONS:
        return reader_horizons(self, row, node, record);
    case SCHEMA_NAMES:
        return reader_names(self, row, node, record);
    case SCHEMA_AXES:
        return reader_axes(self, row, node, record);
    case SCHEMA_SETTINGS:
        return reader_settings(self, row, node, record);
    case SCHEMA_COMPARE:
        return reader_compare(self, row, node, record);
    case SCHEMA_PRIORS:
        return reader_priors(self, row, node, record);
    case SCHEMA_BOUNDS:
        return reader_bounds(self, row, node, record);
    case SCHEMA_ASSETS:
        return reader_assets(self, row, node, record);
    case SCHEMA_SPLITS:
        return reader_splits(self, row, node, record);
    case SCHEMA_PART:
        return reader_part(self, row, node, key, place);
    case SCHEMA_PAIR:
        return reader_pair(self, row, node, key, place);
    case SCHEMA_VALUE:
    case SCHEMA_PATH:
    case SCHEMA_BUILTIN:
    case SCHEMA_EVENTS:
    case SCHEMA_ZONE:
        break;
    }
    if (value_read(row, node, key, record, &err) == ERROR_NONE)
        return true;
    add_error(self, &err);
    return false;
}

/* Defaults are written as a file would write them, and read the same way. */
static bool read_default(struct reader *self, const struct schema_row *row, const char *key,
                         void *record)
{
    struct yaml_file file = {0};
    struct tree_node node = {0};
    struct error err = {0};
    const char *text = row->field.default_text;
    bool good = false;
    if (text[0] != '[' && text[0] != '{') {
        node = (struct tree_node){.kind = YAML_SCALAR, .text = text, .file = "default"};
        return reader_row(self, row, &node, key, record);
    }
    if (yaml_load_text(&file, "default", text, strlen(text), ERROR_SCENARIO, &err) != ERROR_NONE) {
        add_error(self, &err);
        return false;
    }
    if (tree_copy(&node, &file.root, "default", 0)) {
        good = reader_row(self, row, &node, key, record);
    } else {
        error_memory(&err, "reading a scenario");
        add_error(self, &err);
    }
    tree_node_free(&node);
    yaml_file_free(&file);
    return good;
}

static bool report_missing(struct reader *self, const struct schema_row *row, const char *key,
                           const struct tree_node *parent)
{
    char expected[SCHEMA_EXPECTED_SIZE];
    if (!self->tree->incomplete) /* else it may stand in the file that could not be read */
        reader_report(self, parent, key, "is required; expected %s",
                      schema_expected(row, expected));
    return false;
}

void reader_table(struct reader *self, const struct schema_table *table, int role,
                  const struct tree_node *node, const char *prefix, void *record,
                  struct reader_state *states)
{
    check_keys(self, table, role, node, "", prefix);
    for (size_t i = 0; i < table->count; i++) {
        const struct schema_row *row = &table->rows[i];
        char key[READER_KEY_SIZE];
        bool good;
        if (!schema_takes(row, role))
            continue;
        struct found found = find_row(node, row->field.name);
        snprintf(key, sizeof key, "%s%s", prefix, row->field.name);
        if (found.node != NULL)
            good = reader_row(self, row, found.node, key, record);
        else if (found.blocked)
            good = false;
        else if (row->field.default_text != NULL)
            good = read_default(self, row, key, record);
        else
            good = report_missing(self, row, key, found.parent);
        if (states != NULL)
            states[i] = (struct reader_state){.node = found.node, .bad = !good};
    }
}

void reader_scenario(struct reader *self, struct scenario *scenario)
{
    liqcascade_bug_assert(schema_scenario.count <= READER_ROWS_MAX, "too many rows");
    reader_table(self, &schema_scenario, 0, &self->tree->root, "", scenario, self->states);
}

const struct reader_state *reader_state_of(const struct reader *self, const char *key)
{
    const struct schema_row *row = schema_find(&schema_scenario, key, 0);
    liqcascade_bug_assert(row != NULL, "a check names a key that there is not");
    return &self->states[row - schema_scenario.rows];
}
