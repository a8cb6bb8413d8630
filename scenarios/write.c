#include "scenarios/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/paths.h"
#include "base/text.h"
#include "scenarios/schema.h"
#include "scenarios/tree.h"

#define NAME_SIZE 96

static void indent(FILE *out, int depth)
{
    fprintf(out, "%*s", 2 * depth, "");
}

/* --- texts --- */

/* The next code point of valid UTF-8; moves `text` behind it. Bytes that are none stand for
   themselves. */
static unsigned next_point(const unsigned char **text)
{
    const unsigned char *at = *text;
    unsigned point = at[0];
    int more = point >= 0xf0 ? 3 : point >= 0xe0 ? 2 : point >= 0xc0 ? 1 : 0;
    if (more > 0)
        point &= 0x3fu >> more;
    ++*text;
    for (int i = 0; i < more && (**text & 0xc0) == 0x80; i++)
        point = point << 6 | (*(*text)++ & 0x3fu);
    return point;
}

/* What YAML takes as it stands inside double quotes, and gives back unchanged. */
static bool is_printable(unsigned point)
{
    if (point < 0x20 || point == '"' || point == '\\')
        return false;
    if (point >= 0x7f && point < 0xa0)
        return false;
    if (point == 0x2028 || point == 0x2029 || point == 0xfeff)
        return false;
    return (point & 0xfffe) != 0xfffe;
}

static void write_quoted(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', out);
    while (*at != '\0') {
        const unsigned char *from = at;
        unsigned point = next_point(&at);
        if (is_printable(point))
            fwrite(from, 1, (size_t)(at - from), out);
        else if (point == '"' || point == '\\')
            fprintf(out, "\\%c", (char)point);
        else if (point == '\n')
            fputs("\\n", out);
        else
            fprintf(out, "\\U%08X", point);
    }
    fputc('"', out);
}

/* A word that YAML and the schema can only read as itself. */
static bool is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789_.-";
    struct tree_node node = {.kind = YAML_SCALAR, .text = text};
    size_t first = strspn(text, letters);
    if (first == 0 || tree_is_null(&node))
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (strchr(letters, *at) == NULL && strchr(others, *at) == NULL)
            return false;
    }
    return true;
}

static void write_text(FILE *out, const char *text)
{
    if (text == NULL)
        fputs("null", out);
    else if (is_plain(text))
        fputs(text, out);
    else
        write_quoted(out, text);
}

/* Absolute, so that the file means the same wherever it is put. */
static void write_path(FILE *out, const char *path)
{
    char folder[PATHS_SIZE];
    struct text_buffer full = {0};
    if (path != NULL && path[0] != '/' && getcwd(folder, sizeof folder) != NULL) {
        text_appendf(&full, "%s/%s", folder, path);
        if (!full.failed)
            path = full.data;
    }
    if (path == NULL)
        fputs("null", out);
    else
        write_quoted(out, path);
    text_buffer_free(&full);
}

static void write_zone(FILE *out, int64_t offset_ms)
{
    int64_t minutes = offset_ms / CALENDAR_MINUTE_MS;
    char sign = minutes < 0 ? '-' : '+';
    if (minutes < 0)
        minutes = -minutes;
    fprintf(out, "\"%c%02" PRId64 ":%02" PRId64 "\"", sign, minutes / 60, minutes % 60);
}

/* --- values --- */

static void write_formatted(FILE *out, const struct field *field, const void *record)
{
    char text[64];
    if (field_format(field, record, text, sizeof text) > 0)
        fputs(text, out);
    else
        fputs(field->type == FIELD_DURATION_MS && field->choices != NULL ? "none" : "null", out);
}

static void write_pair(FILE *out, const double *pair)
{
    char low[32], high[32];
    text_from_double(pair[0], low);
    text_from_double(pair[1], high);
    fprintf(out, "[%s, %s]", low, high);
}

static void write_levels(FILE *out, const struct scenario *scenario)
{
    fputc('[', out);
    for (size_t i = 0; i < scenario->oi.level_count; i++) {
        char level[32];
        text_from_double(scenario->oi.levels_usd[i], level);
        fprintf(out, "%s%s", i > 0 ? ", " : "", level);
    }
    fputc(']', out);
}

static void write_output(FILE *out, const void *record)
{
    const char *separator = "";
    fputc('[', out);
    for (size_t i = 0; i < schema_output.count; i++) {
        const struct field *field = &schema_output.rows[i].field;
        if (!*(const bool *)((const char *)record + field->offset))
            continue;
        fprintf(out, "%s%s", separator, field->name);
        separator = ", ";
    }
    fputc(']', out);
}

/* The value of a row that fits on its line. */
static void write_value(FILE *out, const struct schema_row *row, const void *record)
{
    const void *place = (const char *)record + row->field.offset;
    switch (row->kind) {
    case SCHEMA_PATH:
        write_path(out, *(char *const *)place);
        break;
    case SCHEMA_BUILTIN:
        fprintf(out, "builtin:%s", *(char *const *)place);
        break;
    case SCHEMA_ZONE:
        write_zone(out, *(const int64_t *)place);
        break;
    case SCHEMA_PAIR:
        write_pair(out, place);
        break;
    case SCHEMA_LEVELS:
        write_levels(out, record);
        break;
    case SCHEMA_OUTPUT:
        write_output(out, record);
        break;
    default:
        if (row->field.type == FIELD_TEXT)
            write_text(out, *(char *const *)place);
        else
            write_formatted(out, &row->field, record);
    }
}

static void write_comment(FILE *out, const struct field *field)
{
    if (field->unit[0] != '\0')
        fprintf(out, "  # %s — %s\n", field->unit, field->documentation);
    else
        fprintf(out, "  # %s\n", field->documentation);
}

/* --- tables --- */

/* Opens the groups of a dotted name that the name before it was not in: `impact:`, `depth:`.
   Returns how deep the name lies. */
static int write_groups(FILE *out, const char *name, const char *before, int depth)
{
    size_t start = 0;
    for (;;) {
        size_t length = strcspn(name + start, ".");
        if (name[start + length] == '\0')
            return depth;
        bool open = strncmp(name, before, start + length + 1) == 0;
        if (!open) {
            indent(out, depth);
            fprintf(out, "%.*s:\n", (int)length, name + start);
        }
        start += length + 1;
        depth++;
    }
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

static void write_row(FILE *out, const struct schema_row *row, const void *record, int depth);

/* Whether a source, as it stands, says anything with this row. */
static bool source_uses(const struct source_spec *spec, const struct schema_row *row)
{
    bool generic = spec->format != NULL && strcmp(spec->format, "generic") == 0;
    if (!schema_takes(row, (int)spec->role) || (row->generic && !generic))
        return false;
    if (row->kind == SCHEMA_BUILTIN)
        return spec->builtin != NULL;
    if (row->kind == SCHEMA_PATH || row->kind == SCHEMA_FILTERS || row->kind == SCHEMA_ZONE ||
        strcmp(row->field.name, "format") == 0)
        return spec->builtin == NULL;
    return true;
}

static void write_source(FILE *out, const struct source_spec *spec, int depth)
{
    const char *before = "";
    for (size_t i = 0; i < schema_source.count; i++) {
        const struct schema_row *row = &schema_source.rows[i];
        if (!source_uses(spec, row))
            continue;
        int below = write_groups(out, row->field.name, before, depth);
        write_row(out, row, spec, below);
        before = row->field.name;
    }
}

static void write_columns(FILE *out, const struct source_spec *spec, int depth)
{
    for (size_t i = 0; i < spec->column_count; i++) {
        const struct source_column *column = &spec->columns[i];
        indent(out, depth);
        fprintf(out, "%s: ", series_field_name(column->field));
        if (column->name != NULL)
            write_quoted(out, column->name);
        else
            fprintf(out, "%d", column->index);
        fputc('\n', out);
    }
}

static void write_filters(FILE *out, const struct source_spec *spec, int depth)
{
    for (size_t i = 0; i < spec->filter_count; i++) {
        indent(out, depth);
        write_quoted(out, spec->filters[i].column);
        fputs(": ", out);
        write_quoted(out, spec->filters[i].value);
        fputc('\n', out);
    }
}

static void write_venues(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->venue_count; i++) {
        for (size_t k = 0; k < schema_venue.count; k++) {
            const struct schema_row *row = &schema_venue.rows[k];
            indent(out, depth - 1);
            fprintf(out, "%s%s: ", k == 0 ? "- " : "  ", row->field.name);
            write_value(out, row, &scenario->venues[i]);
            write_comment(out, &row->field);
        }
    }
}

static void write_tiers(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->book.leverage.tier_count; i++) {
        char leverage[32], weight[32];
        text_from_double(scenario->book.leverage.tier_leverage[i], leverage);
        text_from_double(scenario->book.leverage.tier_weight[i], weight);
        indent(out, depth);
        fprintf(out, "- {leverage: %s, weight: %s}\n", leverage, weight);
    }
}

static void write_points(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->path.point_count; i++) {
        char at[CALENDAR_TEXT_SIZE], price[32];
        text_from_double(scenario->path.point_price[i], price);
        indent(out, depth);
        fprintf(out, "- {at: %s, price: %s}\n", calendar_format_iso(scenario->path.point_ms[i], at),
                price);
    }
}

/* What a row holds when nothing is below it; NULL when lines follow. */
static const char *empty_text(const struct schema_row *row, const void *record)
{
    const void *place = (const char *)record + row->field.offset;
    if (row->kind == SCHEMA_SOURCE)
        return ((const struct source_spec *)place)->present ? NULL : "null";
    if (row->kind == SCHEMA_TIERS)
        return ((const struct scenario *)record)->book.leverage.tier_count > 0 ? NULL : "[]";
    if (row->kind == SCHEMA_POINTS)
        return ((const struct scenario *)record)->path.point_count > 0 ? NULL : "[]";
    if (row->kind == SCHEMA_COLUMNS)
        return ((const struct source_spec *)record)->column_count > 0 ? NULL : "null";
    if (row->kind == SCHEMA_FILTERS)
        return ((const struct source_spec *)record)->filter_count > 0 ? NULL : "null";
    return NULL;
}

static void write_row(FILE *out, const struct schema_row *row, const void *record, int depth)
{
    bool nested = row->kind == SCHEMA_SOURCE || row->kind == SCHEMA_TIERS ||
                  row->kind == SCHEMA_VENUES || row->kind == SCHEMA_COLUMNS ||
                  row->kind == SCHEMA_FILTERS || row->kind == SCHEMA_POINTS;
    const char *empty = nested ? empty_text(row, record) : NULL;
    indent(out, depth);
    fprintf(out, "%s:", last_part(row->field.name));
    if (!nested) {
        fputc(' ', out);
        write_value(out, row, record);
    } else if (empty != NULL) {
        fprintf(out, " %s", empty);
    }
    write_comment(out, &row->field);
    if (!nested || empty != NULL)
        return;
    if (row->kind == SCHEMA_SOURCE)
        write_source(out, (const void *)((const char *)record + row->field.offset), depth + 1);
    else if (row->kind == SCHEMA_COLUMNS)
        write_columns(out, record, depth + 1);
    else if (row->kind == SCHEMA_FILTERS)
        write_filters(out, record, depth + 1);
    else if (row->kind == SCHEMA_VENUES)
        write_venues(out, record, depth + 2);
    else if (row->kind == SCHEMA_POINTS)
        write_points(out, record, depth + 1);
    else
        write_tiers(out, record, depth + 1);
}

int scenario_write(const struct scenario *self, FILE *out, struct error *err)
{
    const char *before = "";
    errno = 0;
    for (size_t i = 0; i < schema_scenario.count; i++) {
        const struct schema_row *row = &schema_scenario.rows[i];
        if (row->kind == SCHEMA_EXTENDS)
            continue;
        int depth = write_groups(out, row->field.name, before, 0);
        write_row(out, row, self, depth);
        before = row->field.name;
    }
    if (fflush(out) != 0 || ferror(out))
        return error_errno(err, NULL, errno, "cannot write the scenario");
    return ERROR_NONE;
}
