/* `liqcascade data`: look at market history before it is used. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "datasets/series.h"
#include "datasets/stream.h"
#include "reports/json.h"
#include "sim/cli/cli.h"
#include "sim/cli/data_convert.h"
#include "sim/cli/data_events.h"
#include "sim/cli/data_source.h"
#include "sim/cli/data_synth.h"

#define SHOWN_PER_FLAW 20

static const struct cli_option check_options[] = {
    DATA_SOURCE_OPTIONS,
    DATA_OPTION("all", 0, NULL, "list every place, not the first 20 of each flaw", CLI_FLAG, all,
                NULL)};

static const struct cli_command check_command = {
    .name = "data check",
    .arguments = "PATH...",
    .summary = "Report what is wrong with data: gaps, repeats, zeros, frozen values and the like",
    .notes = "PATH is a file, a folder or a quoted glob, each of them one series. Exit status 4\n"
             "when something was found that a run refuses unless the scenario says otherwise:\n"
             "any flaw but repeat (the row is dropped) and jump (reported only).\n",
    .options = check_options,
    .option_count = sizeof check_options / sizeof *check_options,
    .minimum = 1,
    .maximum = -1,
    .json = true};

static const struct cli_option info_options[] = {DATA_SOURCE_OPTIONS};

static const struct cli_command info_command = {
    .name = "data info",
    .arguments = "PATH...",
    .summary = "Say what data hold: format, rows, times, columns, units, hashes",
    .notes = "PATH is a file, a folder, a quoted glob or builtin:NAME, each of them one series.\n",
    .options = info_options,
    .option_count = sizeof info_options / sizeof *info_options,
    .minimum = 1,
    .maximum = -1,
    .json = true};

/* --- what both commands print --- */

static const char *unit_name(const struct series *series, int field)
{
    bool liquidated = field == SERIES_LIQ_LONG || field == SERIES_LIQ_SHORT;
    bool amount = liquidated || (field >= SERIES_OI_OPEN && field <= SERIES_OI);
    enum source_unit unit = liquidated ? series->liq_unit : series->oi_unit;
    if (amount)
        return unit == SOURCE_UNIT_USD ? "usd" : "coins";
    if (field == SERIES_VOLUME || field == SERIES_DEPTH)
        return "coins";
    if (field == SERIES_RATE)
        return "fraction";
    return field == SERIES_BAND ? "percent" : "quote currency";
}

static int compression_of(const struct series *series, const char **out_name, struct error *err)
{
    struct stream stream;
    int code = stream_open(&stream, series->inputs[0].path, err);
    if (code != ERROR_NONE)
        return code;
    *out_name = stream_kind_name(stream.kind);
    stream_close(&stream);
    return ERROR_NONE;
}

static void print_extent(const struct series *series)
{
    char first[CALENDAR_TEXT_SIZE], last[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    printf("  rows     %" PRId64 " in %zu file%s\n", series->quality.rows, series->input_count,
           series->input_count == 1 ? "" : "s");
    printf("  time     %s to %s\n", calendar_format_iso(series->quality.first_ms, first),
           calendar_format_iso(series->quality.last_ms, last));
    printf("  step     %s\n",
           series->step_ms > 0 ? calendar_format_duration(series->step_ms, step) : "none");
}

static void json_extent(struct json *json, const char *path, const struct series *series)
{
    char time[CALENDAR_TEXT_SIZE];
    json_text(json, "path", path);
    json_text(json, "format", series->format);
    json_integer(json, "rows", series->quality.rows);
    json_text(json, "first", calendar_format_iso(series->quality.first_ms, time));
    json_text(json, "last", calendar_format_iso(series->quality.last_ms, time));
    json_integer(json, "step_ms", series->step_ms);
    json_bool(json, "reconstruction", series->reconstructed);
}

/* --- check --- */

static bool is_refused(const struct series *series, int flaw)
{
    struct quality_policies policies = quality_policies_default();
    return series->quality.count[flaw] > 0 && policies.on[flaw] == QUALITY_ERROR;
}

static bool any_refused(const struct series *series)
{
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++)
        if (is_refused(series, flaw))
            return true;
    return false;
}

static void print_finding(const struct quality_finding *finding)
{
    char from[CALENDAR_TEXT_SIZE], to[CALENDAR_TEXT_SIZE];
    const char *slash = finding->file ? strrchr(finding->file, '/') : NULL;
    printf("    %s to %s  %s", calendar_format_iso(finding->from_ms, from),
           calendar_format_iso(finding->to_ms, to), finding->what);
    if (finding->count > 1 && finding->flaw != QUALITY_GAP)
        printf(", %" PRId64 " rows", finding->count);
    if (finding->file)
        printf("  (%s:%ld)", slash ? slash + 1 : finding->file, finding->line);
    printf("\n");
}

/* `1 row`, `288 rows`; of a gap, rows that are not there. */
static void print_flaw(const struct series *series, int flaw, bool all)
{
    const struct quality_report *report = &series->quality;
    size_t found = 0, shown = 0;
    printf("  %-8s %" PRId64 " %s%s%s\n", quality_flaw_name((enum quality_flaw)flaw),
           report->count[flaw], flaw == QUALITY_GAP ? "missing " : "",
           report->count[flaw] == 1 ? "row" : "rows",
           is_refused(series, flaw) ? ": a run refuses this by default" : "");
    for (size_t i = 0; i < report->finding_count; i++) {
        if ((int)report->findings[i].flaw != flaw)
            continue;
        found++;
        if (!all && shown == SHOWN_PER_FLAW)
            continue;
        print_finding(&report->findings[i]);
        shown++;
    }
    if (shown < found)
        printf("    ... and %zu more places; --all lists them\n", found - shown);
}

static void print_check(const char *path, const struct series *series, bool all)
{
    bool clean = true;
    printf("%s: %s%s\n", path, series->format, series->reconstructed ? ", a reconstruction" : "");
    print_extent(series);
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++) {
        if (series->quality.count[flaw] == 0)
            continue;
        clean = false;
        print_flaw(series, flaw, all);
    }
    if (clean)
        printf("  clean\n");
}

static void json_finding(struct json *json, const struct quality_finding *finding)
{
    char time[CALENDAR_TEXT_SIZE];
    json_object_open(json, NULL);
    json_text(json, "flaw", quality_flaw_name(finding->flaw));
    json_text(json, "from", calendar_format_iso(finding->from_ms, time));
    json_text(json, "to", calendar_format_iso(finding->to_ms, time));
    json_integer(json, "count", finding->count);
    json_text(json, "what", finding->what);
    json_text(json, "file", finding->file);
    json_integer(json, "line", finding->line);
    json_object_close(json);
}

static void json_check(struct json *json, const char *path, const struct series *series)
{
    json_object_open(json, NULL);
    json_extent(json, path, series);
    json_bool(json, "refused", any_refused(series));
    json_object_open(json, "counts");
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++)
        json_integer(json, quality_flaw_name((enum quality_flaw)flaw), series->quality.count[flaw]);
    json_object_close(json);
    json_array_open(json, "findings");
    for (size_t i = 0; i < series->quality.finding_count; i++)
        json_finding(json, &series->quality.findings[i]);
    json_array_close(json);
    json_object_close(json);
}

/* --- info --- */

static int print_info(const char *path, const struct series *series, struct error *err)
{
    const char *compression = "";
    int code = compression_of(series, &compression, err);
    if (code != ERROR_NONE)
        return code;
    printf("%s: %s%s\n", path, series->format, series->reconstructed ? ", a reconstruction" : "");
    print_extent(series);
    printf("  packed   %s\n", compression);
    if (series->scope)
        printf("  scope    %s\n", series->scope);
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        if (series->column[field])
            printf("  column   %s, %s\n", series_field_name((enum series_field)field),
                   unit_name(series, field));
    for (size_t i = 0; i < series->input_count && i < SHOWN_PER_FLAW; i++)
        printf("  sha256   %s  %s\n", series->inputs[i].sha256, series->inputs[i].path);
    if (series->input_count > SHOWN_PER_FLAW)
        printf("  ... and %zu more files; --json lists them\n",
               series->input_count - SHOWN_PER_FLAW);
    return ERROR_NONE;
}

static int json_info(struct json *json, const char *path, const struct series *series,
                     struct error *err)
{
    const char *compression = "";
    int code = compression_of(series, &compression, err);
    if (code != ERROR_NONE)
        return code;
    json_object_open(json, NULL);
    json_extent(json, path, series);
    json_text(json, "compression", compression);
    json_text(json, "scope", series->scope);
    json_object_open(json, "columns");
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        if (series->column[field])
            json_text(json, series_field_name((enum series_field)field), unit_name(series, field));
    json_object_close(json);
    json_array_open(json, "files");
    for (size_t i = 0; i < series->input_count; i++) {
        json_object_open(json, NULL);
        json_text(json, "path", series->inputs[i].path);
        json_integer(json, "rows", series->inputs[i].rows);
        json_text(json, "sha256", series->inputs[i].sha256);
        json_object_close(json);
    }
    json_array_close(json);
    json_object_close(json);
    return ERROR_NONE;
}

/* --- the commands --- */

struct job {
    struct data_options options;
    struct cli_common common;
    struct cli_arguments arguments;
    struct json json;
    bool check; /* else info */
    bool refused;
};

static int look_at(struct job *job, const char *path, struct error *err)
{
    struct source_spec spec;
    struct series series;
    int code = data_source_make(&spec, &job->options, path, err);
    if (code != ERROR_NONE)
        return code;
    code = series_read(&series, &spec, job->options.from_ms, job->options.to_ms, NULL, err);
    source_spec_free(&spec);
    if (code != ERROR_NONE)
        return code;
    job->refused |= any_refused(&series);
    if (job->check && job->common.json)
        json_check(&job->json, path, &series);
    else if (job->check)
        print_check(path, &series, job->options.all);
    else if (job->common.json)
        code = json_info(&job->json, path, &series, err);
    else
        code = print_info(path, &series, err);
    series_free(&series);
    return code;
}

static int look_at_all(struct job *job, struct error *err)
{
    int code = ERROR_NONE;
    json_begin(&job->json, stdout);
    if (job->common.json)
        json_array_open(&job->json, NULL);
    for (int i = 0; code == ERROR_NONE && i < job->arguments.count; i++)
        code = look_at(job, job->arguments.items[i], err);
    if (job->common.json)
        json_array_close(&job->json);
    int flushed = code == ERROR_NONE ? cli_flush(err) : ERROR_NONE;
    if (code != ERROR_NONE || flushed != ERROR_NONE)
        return code != ERROR_NONE ? code : flushed;
    if (!job->check || !job->refused)
        return ERROR_NONE;
    error_set(err, ERROR_DATA, "%s", ""); /* the report on stdout has said it */
    return ERROR_DATA;
}

static int look(const struct cli_command *command, bool check, int argc, char **argv,
                struct error *err)
{
    struct job job = {.options = data_options_default(), .check = check};
    int code = cli_parse(command, argc, argv, &job.options, &job.common, &job.arguments, err);
    if (code == ERROR_NONE && !job.arguments.help_shown)
        code = look_at_all(&job, err);
    data_options_free(&job.options);
    cli_arguments_free(&job.arguments);
    return code;
}

static int data_check(int argc, char **argv, struct error *err)
{
    return look(&check_command, true, argc, argv, err);
}

static int data_info(int argc, char **argv, struct error *err)
{
    return look(&info_command, false, argc, argv, err);
}

int cli_data(int argc, char **argv, struct error *err)
{
    static const struct cli_row ROWS[] = {
        {"check", "report gaps, repeats, zeros, frozen values and other flaws", data_check},
        {"info", "say what data hold: format, rows, times, columns, hashes", data_info},
        {"convert", "write any series as canonical .csv.zst", cli_data_convert},
        {"synth", "make a reconstruction from published figures", cli_data_synth},
        {"events", "list past crashes and their published figures", cli_data_events}};
    return cli_dispatch("data", ROWS, sizeof ROWS / sizeof *ROWS, argc, argv, err);
}
