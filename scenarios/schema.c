#include "scenarios/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"
#include "scenarios/condition.h"

bool schema_takes(const struct schema_row *row, int role)
{
    return row->roles == 0 || (row->roles & (1u << role)) != 0;
}

const struct schema_row *schema_find(const struct schema_table *table, const char *key, int role)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct schema_row *row = &table->rows[i];
        if (strcmp(row->field.name, key) == 0 && schema_takes(row, role))
            return row;
    }
    return NULL;
}

bool schema_is_group(const struct schema_table *table, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->rows[i].field.name;
        if (strncmp(name, key, length) == 0 && name[length] == '.')
            return true;
    }
    return false;
}

static bool names_hold(const struct schema_names *names, const char *word, size_t length)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strlen(names->names[i]) == length && strncmp(names->names[i], word, length) == 0)
            return true;
    }
    return false;
}

void schema_children(const struct schema_table *table, const char *group, int role,
                     struct schema_names *out)
{
    size_t length = strlen(group);
    out->count = 0;
    for (size_t i = 0; i < table->count && out->count < SCHEMA_NAMES_MAX; i++) {
        const char *name = table->rows[i].field.name;
        if (!schema_takes(&table->rows[i], role))
            continue;
        if (length > 0) {
            if (strncmp(name, group, length) != 0 || name[length] != '.')
                continue;
            name += length + 1;
        }
        size_t part = strcspn(name, ".");
        if (part >= sizeof out->storage[0] || names_hold(out, name, part))
            continue;
        memcpy(out->storage[out->count], name, part);
        out->storage[out->count][part] = '\0';
        out->names[out->count] = out->storage[out->count];
        out->count++;
    }
}

const char *schema_find_last_part(const struct schema_table *table, const char *word)
{
    const char *found = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->rows[i].field.name;
        const char *dot = strrchr(name, '.');
        if (dot == NULL || strcmp(dot + 1, word) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = name;
    }
    return found;
}

bool schema_nullable(const struct schema_row *row)
{
    return row->field.default_text != NULL && strcmp(row->field.default_text, "null") == 0;
}

static const char *bound_text(const struct field *field, double bound, char buffer[32])
{
    if (field->type == FIELD_DURATION_MS)
        return calendar_format_duration((int64_t)bound, buffer);
    text_from_double(bound, buffer);
    return buffer;
}

const char *schema_bounds(const struct field *field, char buffer[SCHEMA_EXPECTED_SIZE])
{
    char low[32], high[32];
    bool has_high = isfinite(field->maximum);
    buffer[0] = '\0';
    if (field->minimum == 0 && field->maximum == 0)
        return buffer;
    bound_text(field, field->minimum, low);
    if (field->minimum == field->maximum) {
        snprintf(buffer, SCHEMA_EXPECTED_SIZE, "that is %s", low);
        return buffer;
    }
    if (has_high)
        bound_text(field, field->maximum, high);
    if (field->minimum == SCHEMA_ABOVE_ZERO) {
        if (has_high)
            snprintf(buffer, SCHEMA_EXPECTED_SIZE, "above 0, at most %s", high);
        else
            snprintf(buffer, SCHEMA_EXPECTED_SIZE, "above 0");
    } else if (has_high) {
        snprintf(buffer, SCHEMA_EXPECTED_SIZE, "from %s to %s", low, high);
    } else {
        snprintf(buffer, SCHEMA_EXPECTED_SIZE, "at least %s", low);
    }
    return buffer;
}

/* Appends to a fixed text; what does not fit is left out. */
static void expected_add(char *buffer, const char *text)
{
    size_t used = strlen(buffer);
    snprintf(buffer + used, SCHEMA_EXPECTED_SIZE - used, "%s", text);
}

static void expected_choices(const struct field *field, char *buffer)
{
    const char *separator = "one of ";
    for (const char *const *choice = field->choices; *choice != NULL; choice++) {
        if (**choice == '\0')
            continue;
        expected_add(buffer, separator);
        expected_add(buffer, *choice);
        separator = ", ";
    }
}

static void expected_scalar(const struct field *field, char *buffer)
{
    char bounds[SCHEMA_EXPECTED_SIZE];
    switch (field->type) {
    case FIELD_DOUBLE:
        expected_add(buffer, "a number");
        break;
    case FIELD_INT64:
        expected_add(buffer, "a whole number");
        break;
    case FIELD_UINT64:
        expected_add(buffer, "a whole number of at least 0");
        break;
    case FIELD_BOOL:
        expected_add(buffer, "yes or no");
        break;
    case FIELD_TEXT:
        expected_add(buffer, "a text");
        break;
    case FIELD_CHOICE:
        expected_choices(field, buffer);
        break;
    case FIELD_TIME_MS:
        expected_add(buffer, "a time such as 2025-10-10T20:00Z");
        break;
    case FIELD_DURATION_MS:
        expected_add(buffer, "a duration such as 20m");
        break;
    }
    schema_bounds(field, bounds);
    if (bounds[0] != '\0') {
        expected_add(buffer, field->type == FIELD_DURATION_MS ? ", " : " ");
        expected_add(buffer, bounds);
    }
    if (field->type == FIELD_DURATION_MS && field->choices != NULL) {
        expected_add(buffer, " or ");
        expected_add(buffer, field->choices[0]);
    }
}

#define EXPECTED_AXES                                                                              \
    "a mapping such as {oi.level_usd: {from: 20e9, to: 120e9, step: 2e9}, oi.scale_by: [traders, " \
    "sizes]}"

#define EXPECTED_SPLITS \
    "a list such as [{name: july, fit: {to: 2024-08-01}, test: {from: 2024-08-01}}]"

/* What is expected of kinds that are no single value; `each`: of the row's values. */
static const struct {
    const char *text;
    bool each;
} expected_kinds[] = {
    [SCHEMA_EXTENDS] = {"a path", false},
    [SCHEMA_PATH] = {"a path", false},
    [SCHEMA_BUILTIN] = {"builtin:NAME (for a file use path)", false},
    [SCHEMA_ZONE] = {"an offset from UTC such as \"+06:00\"", false},
    [SCHEMA_PAIR] = {"a list [low, high], each ", true},
    [SCHEMA_COLUMNS] = {"a mapping such as {oi: 5, open: price}", false},
    [SCHEMA_FILTERS] = {"a mapping such as {coin: BTC}", false},
    [SCHEMA_SOURCE] = {"{source: builtin:NAME} or {path: FILE, format: NAME}", false},
    [SCHEMA_VENUES] = {"a list such as [{name: binance, rules: binance, oi_share: 1}]", false},
    [SCHEMA_LEVELS] = {"a list such as [60e9, 94e9], each ", true},
    [SCHEMA_POINTS] = {"a list such as [{at: 2025-10-10T21:00Z, price: 105000}]", false},
    [SCHEMA_TIERS] = {"a list such as [{leverage: 5, weight: 0.2}]", false},
    [SCHEMA_OUTPUT] = {"a list such as [summary, steps]", false},
    [SCHEMA_AXES] = {EXPECTED_AXES, false},
    [SCHEMA_SETTINGS] = {"a list such as [{oi.level_usd: 60e9, impact.gamma: 0.5}]", false},
    [SCHEMA_COMPARE] = {"a mapping such as {oi.level_usd: 60e9}, first", false},
    [SCHEMA_PRIORS] = {"a mapping such as {impact.gamma: {uniform: [0.5, 1.0]}}", false},
    [SCHEMA_QUANTILES] = {"a rising list such as [0.05, 0.5, 0.95], each ", true},
    [SCHEMA_BASELINES] = {"a list such as [open, naive, least, null]", false},
    [SCHEMA_CONDITION] = {CONDITION_EXPECTED, false},
    [SCHEMA_METRICS] = {"a list such as [liquidated_usd, amplification]", false},
    [SCHEMA_HORIZONS] = {"a rising list such as [1h, 24h], each ", true},
    [SCHEMA_EVENTS] = {"builtin:events or a path", false},
    [SCHEMA_NAMES] = {"a list such as [2024-08-05, 2025-10-10]", false},
    [SCHEMA_BOUNDS] = {"a mapping such as {book.leverage.alpha: [0.6, 2]}", false},
    [SCHEMA_ASSETS] = {"a mapping such as {btc: btc.yaml, eth: eth.yaml}", false},
    [SCHEMA_SPLITS] = {EXPECTED_SPLITS, false},
    [SCHEMA_PART] = {"a list of names of backtest.assets such as [btc]", false},
};

const char *schema_expected(const struct schema_row *row, char buffer[SCHEMA_EXPECTED_SIZE])
{
    buffer[0] = '\0';
    if (row->kind != SCHEMA_VALUE)
        expected_add(buffer, expected_kinds[row->kind].text);
    if (row->kind == SCHEMA_VALUE || expected_kinds[row->kind].each)
        expected_scalar(&row->field, buffer);
    if (schema_nullable(row))
        expected_add(buffer, " or null");
    return buffer;
}

const char *schema_type_name(const struct schema_row *row)
{
    switch (row->kind) {
    case SCHEMA_EXTENDS:
    case SCHEMA_PATH:
        return "path";
    case SCHEMA_BUILTIN:
        return "builtin";
    case SCHEMA_ZONE:
        return "zone";
    case SCHEMA_PAIR:
        return "list of two numbers";
    case SCHEMA_COLUMNS:
        return "mapping of columns";
    case SCHEMA_FILTERS:
        return "mapping of values";
    case SCHEMA_SOURCE:
        return "source";
    case SCHEMA_VENUES:
        return "list of venues";
    case SCHEMA_LEVELS:
        return "list of numbers";
    case SCHEMA_TIERS:
        return "list of tiers";
    case SCHEMA_POINTS:
        return "list of points";
    case SCHEMA_OUTPUT:
        return "list of results";
    case SCHEMA_AXES:
        return "mapping of axes";
    case SCHEMA_SETTINGS:
        return "list of settings";
    case SCHEMA_COMPARE:
        return "settings";
    case SCHEMA_PRIORS:
        return "mapping of priors";
    case SCHEMA_QUANTILES:
        return "list of numbers";
    case SCHEMA_BASELINES:
        return "list of baselines";
    case SCHEMA_CONDITION:
        return "condition";
    case SCHEMA_METRICS:
        return "list of metrics";
    case SCHEMA_HORIZONS:
        return "list of durations";
    case SCHEMA_EVENTS:
        return "events";
    case SCHEMA_NAMES:
        return "list of names";
    case SCHEMA_BOUNDS:
        return "mapping of bounds";
    case SCHEMA_ASSETS:
        return "mapping of paths";
    case SCHEMA_SPLITS:
        return "list of splits";
    case SCHEMA_PART:
        return "list of names";
    case SCHEMA_VALUE:
        break;
    }
    return field_type_name(row->field.type);
}
