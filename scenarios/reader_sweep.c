/* Reads what a sweep varies: axes, lists of settings and priors. Their values are read as the keys'
   own values are, and kept as the text that --set takes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "scenarios/axis.h"
#include "scenarios/priors.h"
#include "scenarios/reader.h"
#include "scenarios/setting.h"
#include "scenarios/value.h"

/* --- keys --- */

/* The key nearest to a misspelt one. */
static void suggest(const char *key, char hint[VALUE_HINT_SIZE])
{
    const char *names[READER_ROWS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < schema_scenario.count && count < READER_ROWS_MAX; i++)
        if (setting_allowed(&schema_scenario.rows[i]))
            names[count++] = schema_scenario.rows[i].field.name;
    value_hint(key, names, count, hint);
    const char *dot = strrchr(key, '.');
    const char *elsewhere = schema_find_last_part(&schema_scenario, dot != NULL ? dot + 1 : key);
    const struct schema_row *row =
        elsewhere != NULL ? schema_find(&schema_scenario, elsewhere, 0) : NULL;
    if (hint[0] == '\0' && row != NULL && setting_allowed(row))
        snprintf(hint, VALUE_HINT_SIZE, "; did you mean %s?", elsewhere);
}

/* A key of a venue that is listed; false when it was reported. */
static bool venue_good(struct reader *self, const struct tree_node *place, const char *shown,
                       const char *key)
{
    struct tree_venue_key parts;
    struct schema_names names;
    char hint[VALUE_HINT_SIZE];
    if (!tree_split_venue(key, strlen(key), &parts)) {
        reader_report(self, place, shown,
                      "is no key of a venue; expected venues[NAME].KEY such as "
                      "venues[binance].cap_scale");
        return false;
    }
    if (tree_venue(&self->tree->root, key + parts.name, parts.name_length) == NULL) {
        reader_report(self, place, shown,
                      "names a venue that the scenario does not list; expected one of venues");
        return false;
    }
    if (setting_row(key) != NULL)
        return true;
    schema_children(&schema_venue, "", 0, &names);
    reader_report(self, place, shown, "unknown key of a venue; expected one such as cap_scale%s",
                  value_hint(key + parts.word, names.names, names.count, hint));
    return false;
}

/* The row of the key of an entry, or NULL when it was reported. */
static const struct schema_row *find_key(struct reader *self, const struct tree_entry *entry,
                                         const char *shown)
{
    char hint[VALUE_HINT_SIZE];
    const char *key = entry->key;
    const struct tree_node place = {
        .file = entry->key_file, .line = entry->key_line, .column = entry->key_column};
    const struct schema_row *row = setting_row(key);
    if (setting_of_venue(key))
        return venue_good(self, &place, shown, key) ? row : NULL;
    if (row != NULL)
        return row;
    if (schema_find(&schema_scenario, key, 0) != NULL) {
        reader_report(self, &place, shown,
                      "cannot be varied; expected a key of the market, the book or a model");
    } else if (schema_is_group(&schema_scenario, key)) {
        reader_report(self, &place, shown,
                      "is a group of keys; expected one with its dots, such as impact.gamma");
    } else {
        suggest(key, hint);
        reader_report(self, &place, shown, "unknown key; expected a key of the scenario%s", hint);
    }
    return NULL;
}

/* --- values --- */

/* One value of a key as the text that --set takes, to be freed; NULL when it is wrong. */
static char *read_setting(struct reader *self, const struct schema_row *row, const char *key,
                          const struct tree_node *node, const char *shown)
{
    struct text_buffer text = {0};
    struct scenario *scratch = memory_zeroed(1, sizeof *scratch);
    if (scratch == NULL) {
        reader_refuse_memory(self);
        return NULL;
    }
    void *record = setting_of_venue(key) ? (void *)&scratch->venues[0] : (void *)scratch;
    if (reader_row(self, row, node, shown, record)) {
        setting_append(&text, row, node, record);
        if (text.failed) {
            reader_refuse_memory(self);
            text_buffer_free(&text);
        }
    }
    scenario_free(scratch);
    memory_free(scratch);
    return text.data;
}

static bool is_repeated(char *const *values, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (values[i] != NULL && strcmp(values[i], values[index]) == 0)
            return true;
    return false;
}

/* A list of different values of a key; what was read is there to be freed in any case. */
static bool read_list(struct reader *self, const struct schema_row *row, const char *key,
                      const struct tree_node *node, const char *shown, char ***out_values,
                      size_t *out_count)
{
    bool good = true;
    if (node->kind != YAML_SEQUENCE || node->count == 0) {
        reader_report(self, node, shown, "has no values; expected a list of at least one");
        return false;
    }
    char **values = memory_zeroed(node->count, sizeof *values);
    if (values == NULL)
        return reader_refuse_memory(self);
    *out_values = values;
    *out_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_node *item = &node->entries[i].value;
        values[i] = read_setting(self, row, key, item, shown);
        good = values[i] != NULL && good;
        if (values[i] == NULL || !is_repeated(values, i))
            continue;
        reader_report(self, item, shown, "holds %.40s twice; expected different values", values[i]);
        good = false;
    }
    return good;
}

/* A number in the unit of the key, or where `pure` without one. Bounds that are both 0 are none. */
static bool read_number(struct reader *self, const struct schema_row *row, bool pure, double low,
                        double high, const struct tree_node *node, const char *shown, double *out)
{
    union {
        double number;
        int64_t whole;
    } value = {0};
    struct error err = {0};
    struct schema_row plain = *row;
    plain.kind = SCHEMA_VALUE;
    plain.field.offset = 0;
    plain.field.default_text = NULL;
    plain.field.choices = NULL;
    plain.field.minimum = low;
    plain.field.maximum = high;
    if (pure)
        plain.field.type = FIELD_DOUBLE;
    if (value_read(&plain, node, shown, &value, &err) != ERROR_NONE) {
        reader_report(self, node, shown, "%s", err.message);
        return false;
    }
    *out = plain.field.type == FIELD_DOUBLE ? value.number : (double)value.whole;
    return true;
}

/* --- axes --- */

static const char *const range_words[] = {"from", "to", "step", "count", "scale"};
enum { RANGE_FROM, RANGE_TO, RANGE_STEP, RANGE_COUNT, RANGE_SCALE, RANGE_WORDS };

/* What a range says. */
struct range {
    const struct tree_node *node[RANGE_WORDS]; /* NULL: not given */
    double from, to, step, count;
    bool log;
};

static bool find_range_words(struct reader *self, const struct tree_node *node, const char *shown,
                             struct range *out)
{
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        char hint[VALUE_HINT_SIZE];
        int word = 0;
        while (word < RANGE_WORDS && strcmp(range_words[word], entry->key) != 0)
            word++;
        if (word < RANGE_WORDS) {
            out->node[word] = &entry->value;
            continue;
        }
        struct tree_node place = {
            .file = entry->key_file, .line = entry->key_line, .column = entry->key_column};
        reader_report(self, &place, shown,
                      "'%.40s' is no part of a range; expected {from, to, step}, {from, to, count} "
                      "or {from, to}, with scale%s",
                      entry->key, value_hint(entry->key, range_words, RANGE_WORDS, hint));
        good = false;
    }
    if (good && (out->node[RANGE_FROM] == NULL || out->node[RANGE_TO] == NULL)) {
        reader_report(self, node, shown, "has not both ends; expected {from, to, step}");
        good = false;
    }
    return good;
}

static bool read_scale(struct reader *self, const struct tree_node *node, const char *shown,
                       bool *out_log)
{
    const char *text = node->kind == YAML_SCALAR ? node->text : "";
    char word[VALUE_SHOWN_SIZE];
    *out_log = strcmp(text, "log") == 0;
    if (*out_log || strcmp(text, "linear") == 0)
        return true;
    reader_report(self, node, shown, "%s is no scale; expected log or linear",
                  value_shown(node, word));
    return false;
}

static bool read_range_numbers(struct reader *self, const struct schema_row *row, const char *shown,
                               struct range *range)
{
    static const struct schema_row whole = {.field = {.type = FIELD_INT64, .unit = ""}};
    const struct field *field = &row->field;
    const struct tree_node *const *node = range->node;
    bool good = read_number(self, row, false, field->minimum, field->maximum, node[RANGE_FROM],
                            shown, &range->from);
    good = read_number(self, row, false, field->minimum, field->maximum, node[RANGE_TO], shown,
                       &range->to) &&
           good;
    if (node[RANGE_STEP] != NULL)
        good = read_number(self, row, false, field->type == FIELD_DOUBLE ? SCHEMA_ABOVE_ZERO : 1,
                           INFINITY, node[RANGE_STEP], shown, &range->step) &&
               good;
    if (node[RANGE_COUNT] != NULL)
        good = read_number(self, &whole, false, 2, AXIS_COUNT_MAX, node[RANGE_COUNT], shown,
                           &range->count) &&
               good;
    if (node[RANGE_SCALE] != NULL)
        good = read_scale(self, node[RANGE_SCALE], shown, &range->log) && good;
    return good;
}

/* What is wrong with a range whose parts are right, and where; NULL: nothing. */
static const char *wrong_range(const struct range *range, const struct schema_row *row,
                               const struct tree_node **out_place)
{
    const struct tree_node *const *node = range->node;
    bool whole = row->field.type == FIELD_INT64;
    *out_place = node[RANGE_TO];
    if (!(range->from < range->to))
        return "is empty; expected from below to";
    *out_place = node[RANGE_FROM];
    if (range->log && !(range->from > 0))
        return "has a logarithm of 0 or less; with scale: log expected from above 0";
    *out_place = node[RANGE_COUNT];
    if (node[RANGE_STEP] != NULL && node[RANGE_COUNT] != NULL)
        return "has a step and a count; expected only one of them";
    if (node[RANGE_COUNT] != NULL && whole &&
        (range->log || fmod(range->to - range->from, range->count - 1) != 0))
        return "makes values between whole numbers; expected a step";
    *out_place = node[RANGE_STEP];
    if (node[RANGE_STEP] != NULL && range->log)
        return "is of equal steps; with scale: log expected a count";
    if (node[RANGE_STEP] != NULL && axis_count_of(range->from, range->to, range->step) == 0)
        return "does not lead from one end to the other; expected a step that divides the range "
               "into at most a million";
    return NULL;
}

static bool read_range(struct reader *self, const struct schema_row *row,
                       const struct tree_node *node, const char *shown, struct axis *axis)
{
    struct range range = {.step = NAN};
    const struct tree_node *place = NULL;
    if (!setting_is_numeric(row)) {
        reader_report(self, node, shown,
                      "has no numbers to make a range of; expected a list of values");
        return false;
    }
    if (!find_range_words(self, node, shown, &range) ||
        !read_range_numbers(self, row, shown, &range))
        return false;
    const char *wrong = wrong_range(&range, row, &place);
    if (wrong != NULL) {
        reader_report(self, place, shown, "%s", wrong);
        return false;
    }
    axis->from = range.from;
    axis->to = range.to;
    axis->step = range.step;
    axis->log = range.log;
    axis->count = range.node[RANGE_STEP] != NULL ? axis_count_of(range.from, range.to, range.step)
                                                 : (size_t)range.count;
    return true;
}

static bool read_axis(struct reader *self, const struct tree_entry *entry, int method,
                      struct axis *axis)
{
    char shown[2 * READER_KEY_SIZE];
    const struct tree_node *node = &entry->value;
    snprintf(shown, sizeof shown, "sweep.axes.%.90s", entry->key);
    const struct schema_row *row = find_key(self, entry, shown);
    if (row == NULL)
        return false;
    axis->key = memory_text(entry->key);
    if (axis->key == NULL)
        return reader_refuse_memory(self);
    if (node->kind == YAML_SCALAR) {
        reader_report(self, node, shown,
                      "is one value; expected a list of values or a range such "
                      "as {from: 1, to: 5, step: 0.5}");
        return false;
    }
    if (node->kind == YAML_SEQUENCE)
        return read_list(self, row, entry->key, node, shown, &axis->values, &axis->count);
    if (!read_range(self, row, node, shown, axis))
        return false;
    if (axis->count > 0 || method != SWEEP_GRID)
        return true;
    reader_report(self, node, shown,
                  "has no points on it; with method grid expected step or count");
    return false;
}

bool reader_axes(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                 struct scenario *scenario)
{
    bool good = true;
    if (tree_is_null(node))
        return true;
    if (node->kind != YAML_MAPPING)
        return reader_refuse_kind(self, row, node, row->field.name);
    if (node->count == 0)
        return true;
    scenario->sweep.axes = memory_zeroed(node->count, sizeof *scenario->sweep.axes);
    if (scenario->sweep.axes == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        if (tree_is_null(&entry->value))
            continue; /* takes an inherited axis away */
        struct axis *axis = &scenario->sweep.axes[scenario->sweep.axis_count++];
        axis->step = NAN;
        good = read_axis(self, entry, scenario->sweep.method, axis) && good;
    }
    return good;
}

/* --- lists of settings --- */

/* The settings of a mapping; `name` is what it is called. */
static bool read_settings(struct reader *self, const struct tree_node *node, const char *name,
                          struct scenario_settings *point)
{
    char shown[2 * READER_KEY_SIZE];
    bool good = true;
    point->items = memory_zeroed(node->count, sizeof *point->items);
    if (point->items == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        snprintf(shown, sizeof shown, "%s.%.80s", name, entry->key);
        const struct schema_row *row = find_key(self, entry, shown);
        if (row == NULL) {
            good = false;
            continue;
        }
        struct scenario_setting *setting = &point->items[point->count++];
        setting->key = memory_text(entry->key);
        if (setting->key == NULL)
            return reader_refuse_memory(self);
        setting->value = read_setting(self, row, entry->key, &entry->value, shown);
        good = setting->value != NULL && good;
    }
    return good;
}

static bool read_point(struct reader *self, const struct tree_node *node, size_t index,
                       struct scenario_settings *point)
{
    char shown[READER_KEY_SIZE], what[VALUE_SHOWN_SIZE];
    snprintf(shown, sizeof shown, "sweep.list[%zu]", index);
    if (node->kind == YAML_MAPPING)
        return read_settings(self, node, shown, point);
    reader_report(self, node, shown,
                  "%s does not fit; expected a mapping such as {impact.gamma: 0.5}",
                  value_shown(node, what));
    return false;
}

bool reader_settings(struct reader *self, const struct schema_row *row,
                     const struct tree_node *node, struct scenario *scenario)
{
    bool good = true;
    if (node->kind != YAML_SEQUENCE)
        return reader_refuse_kind(self, row, node, row->field.name);
    if (node->count == 0)
        return true;
    scenario->sweep.list = memory_zeroed(node->count, sizeof *scenario->sweep.list);
    if (scenario->sweep.list == NULL)
        return reader_refuse_memory(self);
    scenario->sweep.list_count = node->count;
    for (size_t i = 0; i < node->count; i++)
        good = read_point(self, &node->entries[i].value, i, &scenario->sweep.list[i]) && good;
    return good;
}

bool reader_compare(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                    struct scenario *scenario)
{
    if (tree_is_null(node))
        return true;
    if (node->kind == YAML_MAPPING && node->count > 0)
        return read_settings(self, node, row->field.name, &scenario->sweep.compare);
    scenario->sweep.compare_first = node->kind == YAML_SCALAR && strcmp(node->text, "first") == 0;
    return scenario->sweep.compare_first || reader_refuse_kind(self, row, node, row->field.name);
}

/* --- priors --- */

static bool refuse_prior(struct reader *self, const struct tree_node *node, const char *shown,
                         const struct priors_row *family)
{
    char what[VALUE_SHOWN_SIZE];
    reader_report(self, node, shown, "%s does not fit; expected {%s: %s}", value_shown(node, what),
                  family->name, family->example);
    return false;
}

/* The node of a parameter, by its place in a list or its name in a mapping. */
static const struct tree_node *parameter_node(const struct priors_row *family,
                                              const struct tree_node *node, int index)
{
    if (family->list)
        return &node->entries[index].value;
    const struct tree_entry *entry = tree_get(node, family->parameters[index].name);
    return entry != NULL ? &entry->value : NULL;
}

static bool read_parameters(struct reader *self, const struct schema_row *row,
                            const struct tree_node *node, const char *shown, struct priors_law *law)
{
    const struct priors_row *family = &priors_rows[law->family];
    const struct field *field = &row->field;
    bool good = true;
    if (node->kind != (family->list ? YAML_SEQUENCE : YAML_MAPPING) ||
        node->count != (size_t)family->parameter_count)
        return refuse_prior(self, node, shown, family);
    for (int i = 0; i < family->parameter_count; i++) {
        const struct tree_node *given = parameter_node(family, node, i);
        bool bounded = !family->cut;
        if (given == NULL)
            return refuse_prior(self, node, shown, family);
        good = read_number(self, row, family->parameters[i].pure, bounded ? field->minimum : 0,
                           bounded ? field->maximum : 0, given, shown, &law->parameter[i]) &&
               good;
    }
    return good;
}

/* A law of numbers, held against the bounds of its key. */
static bool read_law(struct reader *self, const struct schema_row *row,
                     const struct tree_node *node, const char *shown, struct priors_law *law)
{
    const struct field *field = &row->field;
    bool bounded = field->minimum != 0 || field->maximum != 0;
    struct error err = {0};
    if (!setting_is_numeric(row)) {
        reader_report(self, node, shown, "has no numbers to draw from; expected {choice: [...]}");
        return false;
    }
    if (!read_parameters(self, row, node, shown, law))
        return false;
    if (priors_check(law, bounded ? field->minimum : -INFINITY, bounded ? field->maximum : INFINITY,
                     &err) == ERROR_NONE)
        return true;
    reader_report(self, node, shown, "%s", err.message);
    return false;
}

static bool read_prior(struct reader *self, const struct tree_entry *entry,
                       struct scenario_prior *prior)
{
    char shown[2 * READER_KEY_SIZE], hint[VALUE_HINT_SIZE];
    const char *names[PRIORS_COUNT];
    const struct tree_node *node = &entry->value;
    snprintf(shown, sizeof shown, "uncertainty.parameters.%.70s", entry->key);
    const struct schema_row *row = find_key(self, entry, shown);
    if (row == NULL)
        return false;
    prior->key = memory_text(entry->key);
    if (prior->key == NULL)
        return reader_refuse_memory(self);
    if (node->kind != YAML_MAPPING || node->count != 1) {
        reader_report(self, node, shown, "is no prior; expected one such as {uniform: [0.5, 1.0]}");
        return false;
    }
    const struct tree_node *below = &node->entries[0].value;
    prior->law.family = priors_find(node->entries[0].key);
    if (prior->law.family == PRIORS_CHOICE)
        return read_list(self, row, entry->key, below, shown, &prior->choices,
                         &prior->choice_count);
    if (prior->law.family >= 0)
        return read_law(self, row, below, shown, &prior->law);
    for (int i = 0; i < PRIORS_COUNT; i++)
        names[i] = priors_rows[i].name;
    reader_report(self, node, shown,
                  "'%.40s' is no distribution; expected uniform, log_uniform, normal, lognormal, "
                  "triangular, beta or choice%s",
                  node->entries[0].key,
                  value_hint(node->entries[0].key, names, PRIORS_COUNT, hint));
    return false;
}

bool reader_priors(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario)
{
    bool good = true;
    if (tree_is_null(node))
        return true;
    if (node->kind != YAML_MAPPING)
        return reader_refuse_kind(self, row, node, row->field.name);
    if (node->count == 0)
        return true;
    scenario->uncertainty.parameters =
        memory_zeroed(node->count, sizeof *scenario->uncertainty.parameters);
    if (scenario->uncertainty.parameters == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        if (tree_is_null(&entry->value))
            continue; /* takes an inherited prior away */
        struct scenario_prior *prior =
            &scenario->uncertainty.parameters[scenario->uncertainty.parameter_count++];
        good = read_prior(self, entry, prior) && good;
    }
    return good;
}

/* --- bounds --- */

static bool read_bounds(struct reader *self, const struct tree_entry *entry,
                        struct scenario_bounds *bounds)
{
    char shown[2 * READER_KEY_SIZE];
    const struct tree_node *node = &entry->value;
    double *const ends[] = {&bounds->low, &bounds->high};
    snprintf(shown, sizeof shown, "calibrate.parameters.%.70s", entry->key);
    const struct schema_row *row = find_key(self, entry, shown);
    if (row == NULL)
        return false;
    bounds->key = memory_text(entry->key);
    if (bounds->key == NULL)
        return reader_refuse_memory(self);
    if (!setting_is_numeric(row) || node->kind != YAML_SEQUENCE || node->count != 2) {
        reader_report(self, node, shown, "has no bounds; expected two numbers [low, high]");
        return false;
    }
    for (size_t i = 0; i < 2; i++)
        if (!read_number(self, row, false, row->field.minimum, row->field.maximum,
                         &node->entries[i].value, shown, ends[i]))
            return false;
    if (bounds->low < bounds->high)
        return true;
    reader_report(self, node, shown, "has no room between its bounds; expected [low, high]");
    return false;
}

bool reader_bounds(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario)
{
    bool good = true;
    if (tree_is_null(node))
        return true;
    if (node->kind != YAML_MAPPING)
        return reader_refuse_kind(self, row, node, row->field.name);
    if (node->count == 0)
        return true;
    scenario->calibrate.parameters =
        memory_zeroed(node->count, sizeof *scenario->calibrate.parameters);
    if (scenario->calibrate.parameters == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        if (tree_is_null(&entry->value))
            continue; /* takes an inherited parameter away */
        struct scenario_bounds *bounds =
            &scenario->calibrate.parameters[scenario->calibrate.parameter_count++];
        good = read_bounds(self, entry, bounds) && good;
    }
    return good;
}
