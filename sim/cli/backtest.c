/*
 * `backtest`: whether the fitted model predicts liquidations that it was not fitted to, and better
 * than those do who know less.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/paths.h"
#include "datasets/events.h"
#include "reports/json.h"
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/output.h"
#include "sim/study/backtest.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    struct cli_texts sets;
    const char *output;
    int64_t seed;
    bool force;
};

static const struct cli_option backtest_options[] = {
    {"set", 0, "KEY=VALUE", "override a key, as YAML: calibrate.starts=8 (may be repeated)",
     CLI_TEXTS, offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"output", 'o', "DIR", "write a results directory: backtest.csv, scores.csv, fits.csv",
     CLI_TEXT, offsetof(struct options, output), NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
};

static const struct cli_command backtest_command = {
    .name = "backtest",
    .arguments = "SCENARIO",
    .summary = "Fits to one part of the data and scores what is predicted of another",
    .notes = "Splits are those of backtest.splits and backtest.leave_out; without any, the first\n"
             "half of the window predicts the second. Each score stands beside those of rivals\n"
             "that know only open interest, volume and price.\n",
    .options = backtest_options,
    .option_count = COUNT_OF(backtest_options),
    .minimum = 1,
    .maximum = 1,
    .json = true,
};

struct job {
    const struct options *options;
    const struct cli_common *common;
    const char *directory; /* empty: none */
    struct output_command command;
};

/* ---- in words --------------------------------------------------------------------------- */

static void print_fits(const struct backtest *backtest, const char *split)
{
    for (size_t i = 0; i < backtest->fit_count; i++) {
        const struct backtest_fit *fit = &backtest->fits[i];
        if (strcmp(fit->split, split) != 0)
            continue;
        printf("  %-34s %10.4g   %.4g to %.4g", fit->row.parameter, fit->row.value, fit->row.lo,
               fit->row.hi);
        if (fit->row.bound != NULL)
            printf(", at the %s bound", fit->row.bound);
        printf("\n");
    }
}

static void print_number(double value)
{
    if (isnan(value))
        printf(" %8s", "-");
    else
        printf(" %8.3f", value);
}

static void print_scores(const struct backtest *backtest, const char *split)
{
    static const char *const heads[] = {"model",  "open",   "oi*MAE", "vol*MAE",
                                        "volume", "+model", "nulls",  "+model"};
    printf("  %-33s", "");
    for (int rival = 0; rival < PANEL_RIVALS; rival++)
        printf(" %8s", heads[rival]);
    printf(" %8s\n", "n");
    for (size_t i = 0; i < backtest->score_count; i++) {
        const struct backtest_score *score = &backtest->scores[i];
        if (strcmp(score->split, split) != 0)
            continue;
        printf("  %s %-29s", score->horizon, score->metric);
        for (int rival = 0; rival < PANEL_RIVALS; rival++)
            print_number(score->value[rival]);
        printf(" %8lld\n", (long long)score->count);
    }
}

/* The splits that test all of an event; those without data are named as such. */
static void print_event(const struct backtest *backtest, const struct event *event)
{
    bool covered = false;
    printf("  %-12s", event->name);
    for (size_t s = 0; s < backtest->split_count; s++) {
        const struct backtest_split *split = &backtest->splits[s];
        for (size_t w = 0; w < split->test_count; w++) {
            if (!events_covered(event, split->test[w].from_ms, split->test[w].to_ms))
                continue;
            printf("%s %s in %s", covered ? ";" : "",
                   backtest->calibration->assets[split->test[w].asset].name, split->name);
            covered = true;
        }
    }
    printf("%s\n", covered ? "" : " no data that are tested");
}

/* Those of events.names; without any, all. */
static bool is_wanted(const struct scenario *scenario, const struct event *event)
{
    for (size_t i = 0; i < scenario->events.name_count; i++)
        if (strcmp(scenario->events.names[i], event->name) == 0)
            return true;
    return scenario->events.name_count == 0;
}

static void print_events(const struct backtest *backtest, const struct events *events)
{
    printf("\nevents, and where they are tested\n");
    for (size_t i = 0; i < events->count; i++)
        if (is_wanted(&backtest->calibration->scenario, &events->items[i]))
            print_event(backtest, &events->items[i]);
}

static void print_answer(const struct backtest *backtest, const struct events *events,
                         const char *directory)
{
    const struct scenario *scenario = &backtest->calibration->scenario;
    printf("%s\n", scenario->title != NULL ? scenario->title : scenario->symbol);
    for (size_t s = 0; s < backtest->split_count; s++) {
        const char *split = backtest->splits[s].name;
        printf("\n%s\n", split);
        print_fits(backtest, split);
        print_scores(backtest, split);
    }
    print_events(backtest, events);
    if (directory[0] != '\0')
        printf("\nresults in %s\n", directory);
}

static void print_rows(struct json *json, const char *name, const struct field *fields,
                       size_t field_count, const void *rows, size_t count, size_t size)
{
    json_array_open(json, name);
    for (size_t i = 0; i < count; i++) {
        json_object_open(json, NULL);
        for (size_t f = 0; f < field_count; f++)
            json_field(json, &fields[f], (const char *)rows + i * size);
        json_object_close(json);
    }
    json_array_close(json);
}

static void print_json(const struct backtest *backtest, const char *directory)
{
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    json_integer(&json, "schema_version", 1);
    json_text(&json, "results", directory[0] != '\0' ? directory : NULL);
    json_text(&json, "title", backtest->calibration->scenario.title);
    print_rows(&json, "fits", backtest_fit_fields, backtest_fit_field_count, backtest->fits,
               backtest->fit_count, sizeof *backtest->fits);
    print_rows(&json, "scores", backtest_score_fields, backtest_score_field_count, backtest->scores,
               backtest->score_count, sizeof *backtest->scores);
    json_object_close(&json);
}

/* ---- the command ------------------------------------------------------------------------ */

static int write_results(const struct job *job, const struct backtest *backtest, struct error *err)
{
    const struct table tables[] = {
        {"backtest", backtest_row_fields, backtest_row_field_count, backtest->rows,
         backtest->row_count, sizeof *backtest->rows},
        {"scores", backtest_score_fields, backtest_score_field_count, backtest->scores,
         backtest->score_count, sizeof *backtest->scores},
        {"fits", backtest_fit_fields, backtest_fit_field_count, backtest->fits, backtest->fit_count,
         sizeof *backtest->fits},
    };
    struct output_warnings warnings = {.count = 0};
    return output_tables(&backtest->calibration->sources[0].setup, tables, COUNT_OF(tables),
                         &warnings, &job->command, job->directory, job->options->force, err);
}

static int report(const struct job *job, const struct backtest *backtest, struct error *err)
{
    const struct scenario *scenario = &backtest->calibration->scenario;
    struct events events;
    const struct event *found;
    int code = events_read(&events, scenario->events.from, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t i = 0; i < scenario->events.name_count && code == ERROR_NONE; i++)
        code = events_require(&events, scenario->events.names[i], &found, err);
    if (code == ERROR_NONE && job->directory[0] != '\0')
        code = write_results(job, backtest, err);
    if (code == ERROR_NONE && job->common->json)
        print_json(backtest, job->directory);
    else if (code == ERROR_NONE && !job->common->quiet)
        print_answer(backtest, &events, job->directory);
    events_free(&events);
    return code == ERROR_NONE ? cli_flush(err) : code;
}

static int score_and_write(const struct job *job, struct calibration *calibration,
                           struct error *err)
{
    struct backtest backtest;
    int code = backtest_init(&backtest, calibration, err);
    if (code != ERROR_NONE)
        return code;
    code = backtest_run(&backtest, err);
    if (code == ERROR_NONE)
        code = report(job, &backtest, err);
    backtest_free(&backtest);
    return code;
}

int cli_backtest(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct error_list errors = {0};
    struct calibration calibration;
    char directory[PATHS_SIZE];
    int code = cli_parse(&backtest_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = directory_if_asked(options.output, options.force, arguments.items[0], directory, err);
    if (code == ERROR_NONE)
        code = calibration_init(&calibration, arguments.items[0], options.sets.items,
                                options.sets.count, options.seed, &errors, err);
    if (code == ERROR_NONE) {
        const struct job job = {&options, &common, directory, {"backtest", argc, argv}};
        code = score_and_write(&job, &calibration, err);
        calibration_free(&calibration);
    } else if (errors.count > 0) {
        cli_print_errors(&errors);
    }
out:
    error_list_free(&errors);
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}
