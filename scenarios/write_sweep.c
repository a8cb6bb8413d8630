#include "scenarios/write_sweep.h"

#include <math.h>

#include "base/calendar.h"
#include "base/text.h"
#include "scenarios/quote.h"
#include "scenarios/setting.h"

static void write_key(FILE *out, const char *key)
{
    char piece[QUOTE_PIECE_SIZE];
    if (quote_is_plain(key)) {
        fprintf(out, "%s: ", key);
        return;
    }
    fputc('"', out);
    while (*key != '\0')
        fputs(quote_next(&key, piece), out);
    fputs("\": ", out);
}

static void write_values(FILE *out, char *const *values, size_t count)
{
    fputc('[', out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", values[i]);
    fputc(']', out);
}

static void write_range(FILE *out, const struct axis *axis)
{
    const struct schema_row *row = setting_row(axis->key);
    char from[SETTING_NUMBER_SIZE], to[SETTING_NUMBER_SIZE], step[SETTING_NUMBER_SIZE];
    fprintf(out, "{from: %s, to: %s", setting_from_number(row, axis->from, from),
            setting_from_number(row, axis->to, to));
    if (!isnan(axis->step))
        fprintf(out, ", step: %s", setting_from_number(row, axis->step, step));
    else if (axis->count > 0)
        fprintf(out, ", count: %zu", axis->count);
    fputs(axis->log ? ", scale: log}" : "}", out);
}

void write_sweep_axes(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->sweep.axis_count; i++) {
        const struct axis *axis = &scenario->sweep.axes[i];
        fprintf(out, "%*s", 2 * depth, "");
        write_key(out, axis->key);
        if (axis->values != NULL)
            write_values(out, axis->values, axis->count);
        else
            write_range(out, axis);
        fputc('\n', out);
    }
}

static void write_settings(FILE *out, const struct scenario_settings *settings)
{
    fputc('{', out);
    for (size_t k = 0; k < settings->count; k++) {
        fputs(k > 0 ? ", " : "", out);
        write_key(out, settings->items[k].key);
        fputs(settings->items[k].value, out);
    }
    fputc('}', out);
}

void write_sweep_list(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->sweep.list_count; i++) {
        fprintf(out, "%*s- ", 2 * depth, "");
        write_settings(out, &scenario->sweep.list[i]);
        fputc('\n', out);
    }
}

void write_sweep_compare(FILE *out, const struct scenario *scenario)
{
    if (scenario->sweep.compare.count > 0)
        write_settings(out, &scenario->sweep.compare);
    else
        fputs(scenario->sweep.compare_first ? "first" : "null", out);
}

static void write_law(FILE *out, const char *key, const struct priors_law *law)
{
    static const struct schema_row number = {.field = {.type = FIELD_DOUBLE}};
    const struct priors_row *family = &priors_rows[law->family];
    fputc(family->list ? '[' : '{', out);
    for (int i = 0; i < family->parameter_count; i++) {
        const struct priors_parameter *parameter = &family->parameters[i];
        const struct schema_row *row = parameter->pure ? &number : setting_row(key);
        char text[SETTING_NUMBER_SIZE];
        fputs(i > 0 ? ", " : "", out);
        if (!family->list)
            fprintf(out, "%s: ", parameter->name);
        fputs(setting_from_number(row, law->parameter[i], text), out);
    }
    fputc(family->list ? ']' : '}', out);
}

void write_sweep_priors(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->uncertainty.parameter_count; i++) {
        const struct scenario_prior *prior = &scenario->uncertainty.parameters[i];
        fprintf(out, "%*s", 2 * depth, "");
        write_key(out, prior->key);
        fprintf(out, "{%s: ", priors_rows[prior->law.family].name);
        if (prior->law.family == PRIORS_CHOICE)
            write_values(out, prior->choices, prior->choice_count);
        else
            write_law(out, prior->key, &prior->law);
        fputs("}\n", out);
    }
}

void write_sweep_bounds(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->calibrate.parameter_count; i++) {
        const struct scenario_bounds *bounds = &scenario->calibrate.parameters[i];
        const struct schema_row *row = setting_row(bounds->key);
        char low[SETTING_NUMBER_SIZE], high[SETTING_NUMBER_SIZE];
        fprintf(out, "%*s", 2 * depth, "");
        write_key(out, bounds->key);
        fprintf(out, "[%s, %s]\n", setting_from_number(row, bounds->low, low),
                setting_from_number(row, bounds->high, high));
    }
}

/* --- what is backtested --- */

static void write_path(FILE *out, const char *path)
{
    struct text_buffer full = {0};
    quote_path(&full, path);
    fputs(full.failed ? "null" : full.data, out);
    text_buffer_free(&full);
}

static void write_name(FILE *out, const char *name)
{
    char piece[QUOTE_PIECE_SIZE];
    fputc('"', out);
    while (*name != '\0')
        fputs(quote_next(&name, piece), out);
    fputc('"', out);
}

void write_sweep_assets(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->backtest.asset_count; i++) {
        fprintf(out, "%*s", 2 * depth, "");
        write_key(out, scenario->backtest.assets[i].name);
        write_path(out, scenario->backtest.assets[i].path);
        fputc('\n', out);
    }
}

static void write_time(FILE *out, const char *word, int64_t time_ms)
{
    char text[CALENDAR_TEXT_SIZE];
    if (time_ms != CALENDAR_NONE)
        fprintf(out, ", %s: %s", word, calendar_format_iso(time_ms, text));
}

static void write_part(FILE *out, const struct scenario_part *part)
{
    fputs("{assets: [", out);
    for (size_t i = 0; i < part->asset_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        write_name(out, part->assets[i]);
    }
    fputc(']', out);
    write_time(out, "from", part->from_ms);
    write_time(out, "to", part->to_ms);
    fputc('}', out);
}

void write_sweep_splits(FILE *out, const struct scenario *scenario, int depth)
{
    for (size_t i = 0; i < scenario->backtest.split_count; i++) {
        const struct scenario_split *split = &scenario->backtest.splits[i];
        fprintf(out, "%*s- {name: ", 2 * depth, "");
        write_name(out, split->name);
        fputs(", fit: ", out);
        write_part(out, &split->fit);
        fputs(", test: ", out);
        write_part(out, &split->test);
        fputs("}\n", out);
    }
}
