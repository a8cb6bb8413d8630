#include "scenarios/setting.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "scenarios/quote.h"

bool setting_allowed(const struct schema_row *row)
{
    static const char *const others[] = {"format", "title", "replicates"};
    static const char *const groups[] = {"sweep.",       "uncertainty.", "bands.",     "critical.",
                                         "sensitivity.", "signals.",     "calibrate.", "backtest.",
                                         "events.",      "map."};
    const char *name = row->field.name;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0)
            return false;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strncmp(name, groups[i], strlen(groups[i])) == 0)
            return false;
    switch (row->kind) {
    case SCHEMA_VALUE:
    case SCHEMA_PATH:
    case SCHEMA_PAIR:
    case SCHEMA_VENUES:
    case SCHEMA_TIERS:
    case SCHEMA_POINTS:
        return true;
    default:
        return false;
    }
}

bool setting_of_venue(const char *key)
{
    return strncmp(key, "venues[", 7) == 0;
}

const struct schema_row *setting_row(const char *key)
{
    struct tree_venue_key parts;
    if (!setting_of_venue(key)) {
        const struct schema_row *row = schema_find(&schema_scenario, key, 0);
        return row != NULL && setting_allowed(row) ? row : NULL;
    }
    if (!tree_split_venue(key, strlen(key), &parts) || strcmp(key + parts.word, "name") == 0)
        return NULL;
    return schema_find(&schema_venue, key + parts.word, 0);
}

bool setting_is_numeric(const struct schema_row *row)
{
    return row->kind == SCHEMA_VALUE &&
           (row->field.type == FIELD_DOUBLE || row->field.type == FIELD_INT64 ||
            row->field.type == FIELD_DURATION_MS);
}

const char *setting_from_number(const struct schema_row *row, double number,
                                char buffer[SETTING_NUMBER_SIZE])
{
    if (row->field.type == FIELD_DOUBLE)
        text_from_double(number, buffer);
    else if (row->field.type == FIELD_DURATION_MS)
        calendar_format_duration(llround(number), buffer);
    else
        snprintf(buffer, SETTING_NUMBER_SIZE, "%lld", llround(number));
    return buffer;
}

/* --- values --- */

/* A scalar that stays what it is inside brackets without quotes. */
static bool is_bare(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    return strspn(text, letters) == strlen(text) && strspn(text, ".+-") < strlen(text);
}

static void append_node(struct text_buffer *out, const struct tree_node *node)
{
    const char *separator = "";
    if (node->kind == YAML_SCALAR) {
        if (tree_is_null(node))
            text_append(out, "null");
        else if (!node->quoted && is_bare(node->text))
            text_append(out, node->text);
        else
            quote_always(out, node->text);
        return;
    }
    text_append(out, node->kind == YAML_MAPPING ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        text_append(out, separator);
        if (node->kind == YAML_MAPPING) {
            quote_text(out, node->entries[i].key);
            text_append(out, ": ");
        }
        append_node(out, &node->entries[i].value);
        separator = ", ";
    }
    text_append(out, node->kind == YAML_MAPPING ? "}" : "]");
}

static void append_pair(struct text_buffer *out, const double *pair)
{
    char low[32], high[32];
    text_from_double(pair[0], low);
    text_from_double(pair[1], high);
    text_appendf(out, "[%s, %s]", low, high);
}

static void append_formatted(struct text_buffer *out, const struct field *field, const void *record)
{
    char text[64];
    if (field_format(field, record, text, sizeof text) > 0)
        text_append(out, text);
    else
        text_append(out,
                    field->type == FIELD_DURATION_MS && field->choices != NULL ? "none" : "null");
}

void setting_append(struct text_buffer *out, const struct schema_row *row,
                    const struct tree_node *node, const void *record)
{
    const void *place = (const char *)record + row->field.offset;
    if (row->kind == SCHEMA_PATH)
        quote_path(out, *(char *const *)place);
    else if (row->kind == SCHEMA_PAIR)
        append_pair(out, place);
    else if (row->kind != SCHEMA_VALUE)
        append_node(out, node);
    else if (row->field.type == FIELD_TEXT)
        quote_text(out, *(char *const *)place);
    else
        append_formatted(out, &row->field, record);
}
