#include "scenarios/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/paths.h"
#include "base/text.h"
#include "scenarios/quote.h"
#include "scenarios/schema.h"
#include "scenarios/write_sweep.h"

#define NAME_SIZE 96

static void indent(FILE *out, int depth)
{
    fprintf(out, "%*s", 2 * depth, "");
}

/* --- texts --- */

static void write_quoted(FILE *out, const char *text)
{
    char piece[QUOTE_PIECE_SIZE];
    fputc('"', out);
    while (*text != '\0')
        fputs(quote_next(&text, piece), out);
    fputc('"', out);
}

static void write_text(FILE *out, const char *text)
{
    if (text == NULL)
        fputs("null", out);
    else if (quote_is_plain(text))
        fputs(text, out);
    else
        write_quoted(out, text);
}

/* Absolute, so that the file means the same wherever it is put. */
static void write_path(FILE *out, const char *path)
{
    struct text_buffer full = {0};
    quote_path(&full, path);
    if (full.failed)
        write_text(out, path);
    else
        fputs(full.data, out);
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

static void write_numbers(FILE *out, const double *numbers, size_t count)
{
    fputc('[', out);
    for (size_t i = 0; i < count; i++) {
        char number[32];
        text_from_double(numbers[i], number);
        fprintf(out, "%s%s", i > 0 ? ", " : "", number);
    }
    fputc(']', out);
}

static void write_condition(FILE *out, const struct condition *condition)
{
    char text[CONDITION_TEXT_SIZE];
    fputs(condition->metric[0] != '\0' ? condition_format(condition, text) : "null", out);
}

static void write_metrics(FILE *out, const struct scenario *scenario)
{
    fputc('[', out);
    for (size_t i = 0; i < scenario->sensitivity.metric_count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", scenario->sensitivity.metrics[i]);
    fputc(']', out);
}

static void write_horizons(FILE *out, const struct scenario *scenario)
{
    fputc('[', out);
    for (size_t i = 0; i < scenario->signals.horizon_count; i++) {
        char text[CALENDAR_TEXT_SIZE];
        fprintf(out, "%s%s", i > 0 ? ", " : "",
                calendar_format_duration(scenario->signals.horizons_ms[i], text));
    }
    fputc(']', out);
}

static void write_names(FILE *out, const struct scenario *scenario)
{
    fputc('[', out);
    for (size_t i = 0; i < scenario->events.name_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        write_text(out, scenario->events.names[i]);
    }
    fputc(']', out);
}

static void write_events(FILE *out, const char *from)
{
    if (strcmp(from, "builtin:events") == 0)
        fputs(from, out);
    else
        write_path(out, from);
}

/* The words of a table that are set. */
static void write_words(FILE *out, const struct schema_table *words, const void *record)
{
    const char *separator = "";
    fputc('[', out);
    for (size_t i = 0; i < words->count; i++) {
        const struct field *field = &words->rows[i].field;
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
    const struct scenario *scenario = record;
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
        write_numbers(out, place, 2);
        break;
    case SCHEMA_LEVELS:
        write_numbers(out, scenario->oi.levels_usd, scenario->oi.level_count);
        break;
    case SCHEMA_OUTPUT:
        write_words(out, &schema_output, record);
        break;
    case SCHEMA_BASELINES:
        write_words(out, &schema_baselines, record);
        break;
    case SCHEMA_QUANTILES:
        write_numbers(out, scenario->bands.quantiles, scenario->bands.quantile_count);
        break;
    case SCHEMA_CONDITION:
        write_condition(out, place);
        break;
    case SCHEMA_COMPARE:
        write_sweep_compare(out, scenario);
        break;
    case SCHEMA_METRICS:
        write_metrics(out, scenario);
        break;
    case SCHEMA_HORIZONS:
        write_horizons(out, scenario);
        break;
    case SCHEMA_EVENTS:
        write_events(out, *(char *const *)place);
        break;
    case SCHEMA_NAMES:
        write_names(out, scenario);
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

/* Whether lines below a row may hold its value. */
static bool is_nested(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_SOURCE:
    case SCHEMA_COLUMNS:
    case SCHEMA_FILTERS:
    case SCHEMA_VENUES:
    case SCHEMA_TIERS:
    case SCHEMA_POINTS:
    case SCHEMA_AXES:
    case SCHEMA_SETTINGS:
    case SCHEMA_PRIORS:
    case SCHEMA_BOUNDS:
    case SCHEMA_ASSETS:
    case SCHEMA_SPLITS:
        return true;
    default:
        return false;
    }
}

/* What a row holds when nothing is below it; NULL when lines follow. */
static const char *empty_text(const struct schema_row *row, const void *record)
{
    const struct scenario *scenario = record;
    const struct source_spec *source = record;
    switch (row->kind) {
    case SCHEMA_SOURCE:
        source = (const void *)((const char *)record + row->field.offset);
        return source->present ? NULL : "null";
    case SCHEMA_COLUMNS:
        return source->column_count > 0 ? NULL : "null";
    case SCHEMA_FILTERS:
        return source->filter_count > 0 ? NULL : "null";
    case SCHEMA_TIERS:
        return scenario->book.leverage.tier_count > 0 ? NULL : "[]";
    case SCHEMA_POINTS:
        return scenario->path.point_count > 0 ? NULL : "[]";
    case SCHEMA_AXES:
        return scenario->sweep.axis_count > 0 ? NULL : "{}";
    case SCHEMA_SETTINGS:
        return scenario->sweep.list_count > 0 ? NULL : "[]";
    case SCHEMA_PRIORS:
        return scenario->uncertainty.parameter_count > 0 ? NULL : "{}";
    case SCHEMA_BOUNDS:
        return scenario->calibrate.parameter_count > 0 ? NULL : "{}";
    case SCHEMA_ASSETS:
        return scenario->backtest.asset_count > 0 ? NULL : "{}";
    case SCHEMA_SPLITS:
        return scenario->backtest.split_count > 0 ? NULL : "[]";
    default:
        return NULL;
    }
}

/* The lines below a row. */
static void write_below(FILE *out, const struct schema_row *row, const void *record, int depth)
{
    switch (row->kind) {
    case SCHEMA_SOURCE:
        write_source(out, (const void *)((const char *)record + row->field.offset), depth);
        break;
    case SCHEMA_COLUMNS:
        write_columns(out, record, depth);
        break;
    case SCHEMA_FILTERS:
        write_filters(out, record, depth);
        break;
    case SCHEMA_VENUES:
        write_venues(out, record, depth + 1);
        break;
    case SCHEMA_POINTS:
        write_points(out, record, depth);
        break;
    case SCHEMA_AXES:
        write_sweep_axes(out, record, depth);
        break;
    case SCHEMA_SETTINGS:
        write_sweep_list(out, record, depth);
        break;
    case SCHEMA_PRIORS:
        write_sweep_priors(out, record, depth);
        break;
    case SCHEMA_BOUNDS:
        write_sweep_bounds(out, record, depth);
        break;
    case SCHEMA_ASSETS:
        write_sweep_assets(out, record, depth);
        break;
    case SCHEMA_SPLITS:
        write_sweep_splits(out, record, depth);
        break;
    default:
        write_tiers(out, record, depth);
    }
}

static void write_row(FILE *out, const struct schema_row *row, const void *record, int depth)
{
    bool nested = is_nested(row->kind);
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
    if (nested && empty == NULL)
        write_below(out, row, record, depth + 1);
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
