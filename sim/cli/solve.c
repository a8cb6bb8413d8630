/*
 * `solve`: reverse stress. The smallest change of one key at which a condition on the results
 * begins to hold, with its bracket, and over draws where parameters are uncertain.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/paths.h"
#include "reports/json.h"
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/output.h"
#include "sim/study/solve.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    struct cli_texts sets;
    const char *key, *range, *until, *tolerance, *output;
    int64_t points, seed;
    bool log, relative, force;
};

static const struct cli_option solve_options[] = {
    {"vary", 0, "KEY", "key of the scenario that is changed: a number or a duration", CLI_TEXT,
     offsetof(struct options, key), NULL},
    {"range", 0, "A:B", "from where to where; A is the side that is searched first", CLI_TEXT,
     offsetof(struct options, range), NULL},
    {"until", 0, "CONDITION", "METRIC >= X, or with <=, > or <: of a number of summary.csv",
     CLI_TEXT, offsetof(struct options, until), NULL},
    {"relative", 0, NULL, "X is a multiple of the metric at A", CLI_FLAG,
     offsetof(struct options, relative), NULL},
    {"points", 0, "N", "values of the range that are looked at first (17)", CLI_INTEGER,
     offsetof(struct options, points), NULL},
    {"log", 0, NULL, "look in equal ratios", CLI_FLAG, offsetof(struct options, log), NULL},
    {"tolerance", 0, "X", "width to which the answer is narrowed (1e-6 of the range)", CLI_TEXT,
     offsetof(struct options, tolerance), NULL},
    {"set", 0, "KEY=VALUE", "override a key, as YAML: impact.gamma=0.5 (may be repeated)",
     CLI_TEXTS, offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"output", 'o', "DIR", "write a results directory: solve.csv and probes.csv", CLI_TEXT,
     offsetof(struct options, output), NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
};

static const struct cli_command solve_command = {
    .name = "solve",
    .arguments = "SCENARIO --vary KEY --range A:B --until CONDITION",
    .summary = "Finds the smallest change of a key at which a condition begins to hold",
    .notes = "Values from A to B are looked at in this order; the first neighbours between which\n"
             "the condition begins to hold are narrowed. Between two of them it may begin and\n"
             "cease unseen: more --points find it.\n",
    .options = solve_options,
    .option_count = COUNT_OF(solve_options),
    .minimum = 1,
    .maximum = 1,
    .json = true,
};

/* ---- in words --------------------------------------------------------------------------- */

/* A value of the key with the digits that its tolerance leaves. */
static const char *shown(const struct question *question, double value,
                         char buffer[SETTING_NUMBER_SIZE])
{
    if (question->row->field.type != FIELD_DOUBLE)
        return question_value(question, value, buffer);
    int digits = (int)ceil(log10(fabs(value) / question->tolerance)) + 1;
    digits = digits < 3 ? 3 : digits > 15 ? 15 : digits;
    snprintf(buffer, SETTING_NUMBER_SIZE, "%.*g", digits, value);
    return buffer;
}

static void print_question(const struct solve *solve)
{
    const struct question *question = &solve->question;
    char from[SETTING_NUMBER_SIZE], to[SETTING_NUMBER_SIZE], condition[CONDITION_TEXT_SIZE];
    const char *title = solve->evaluate.scenario.title;
    printf("%s\n", title != NULL ? title : solve->evaluate.scenario.symbol);
    printf("  %s from %s to %s, until %s%s\n", question->key,
           question_value(question, question->from, from),
           question_value(question, question->to, to),
           condition_format(&question->until, condition),
           question->relative ? " times its value at the start" : "");
}

/* The end of one search in words. */
static void print_one(const struct solve *solve)
{
    const struct question *question = &solve->question;
    const struct solve_row *row = &solve->rows[0];
    char below[SETTING_NUMBER_SIZE], above[SETTING_NUMBER_SIZE];
    const char *metric = question->until.metric;
    shown(question, row->below, below);
    shown(question, row->above, above);
    switch (solve->searches[0].status) {
    case SEARCH_FOUND:
        printf("  begins to hold at %s: %s is %.6g there and %.6g at %s\n", above, metric,
               row->metric_above, row->metric_below, below);
        break;
    case SEARCH_AT_START:
        printf("  holds at %s already: %s is %.6g there\n", above, metric, row->metric_above);
        break;
    case SEARCH_NEVER:
        printf("  never holds on this range\n");
        break;
    default:
        if (isnan(row->below))
            printf("  no answer: there is no %s at %s to begin with\n", metric, above);
        else
            printf("  no answer: the price runs away at %s, before it is seen to hold; %s is %.6g "
                   "at %s\n",
                   above, metric, row->metric_below, below);
    }
}

static void print_share(const struct solve *solve, enum search_status status, const char *words)
{
    size_t count = solve_count(solve, status);
    if (count > 0)
        printf("  %s in %zu of %zu draws\n", words, count, solve->points.draws);
}

/* The middle and the outer quantiles over draws. */
static void print_band(const struct solve *solve)
{
    const struct question *question = &solve->question;
    const struct solve_row *all = &solve->rows[solve->points.draws];
    size_t quantiles = solve->row_count - solve->points.draws - 1;
    char value[SETTING_NUMBER_SIZE], low[SETTING_NUMBER_SIZE], high[SETTING_NUMBER_SIZE];
    size_t found = solve_count(solve, SEARCH_FOUND);
    if (found > 0) {
        printf("  begins to hold at %s in the mean of %zu draws",
               shown(question, all->value, value), found);
        if (quantiles >= 2)
            printf(" (%s to %s: quantiles %g and %g)", shown(question, all[1].value, low),
                   shown(question, all[quantiles].value, high), all[1].quantile,
                   all[quantiles].quantile);
        printf("\n");
    }
    print_share(solve, SEARCH_AT_START, "holds at the start already");
    print_share(solve, SEARCH_NEVER, "never holds on this range");
    print_share(solve, SEARCH_MISSING, "the price runs away before it is seen to hold");
}

/* Draws along which the condition ceases again, or begins more than once. */
static size_t count_bends(const struct solve *solve)
{
    size_t count = 0;
    for (size_t d = 0; d < solve->points.draws; d++)
        count += solve->searches[d].crossings > 1 || solve->searches[d].ends > 0;
    return count;
}

static void print_bends(const struct solve *solve)
{
    size_t bends = count_bends(solve), draws = solve->points.draws;
    const struct search *first = &solve->searches[0];
    if (bends == 0)
        return;
    printf("  not monotone: ");
    if (draws > 1)
        printf("in %zu of %zu draws it ceases to hold again on the range; answers are the first "
               "beginnings\n",
               bends, draws);
    else if (first->status == SEARCH_FOUND)
        printf("along the range it begins to hold %zu time%s and ceases to %zu time%s; this is the "
               "first\n",
               first->crossings, first->crossings == 1 ? "" : "s", first->ends,
               first->ends == 1 ? "" : "s");
    else
        printf("along the range it ceases to hold %zu time%s and begins to again %zu time%s\n",
               first->ends, first->ends == 1 ? "" : "s", first->crossings,
               first->crossings == 1 ? "" : "s");
}

static void print_answer(const struct solve *solve, const char *directory)
{
    print_question(solve);
    if (solve->points.draws == 1)
        print_one(solve);
    else
        print_band(solve);
    print_bends(solve);
    printf("  %zu values looked at\n", solve->probe_count);
    if (directory[0] != '\0')
        printf("  results in %s\n", directory);
}

static void print_json(const struct solve *solve, const struct output_warnings *warnings,
                       const char *directory)
{
    const struct question *question = &solve->question;
    char condition[CONDITION_TEXT_SIZE];
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    json_integer(&json, "schema_version", 1);
    json_text(&json, "results", directory[0] != '\0' ? directory : NULL);
    json_text(&json, "title", solve->evaluate.scenario.title);
    json_array_open(&json, "warnings");
    for (size_t i = 0; i < warnings->count; i++)
        json_text(&json, NULL, warnings->text[i]);
    json_array_close(&json);
    json_text(&json, "key", question->key);
    json_number(&json, "from", question->from);
    json_number(&json, "to", question->to);
    json_text(&json, "until", condition_format(&question->until, condition));
    json_bool(&json, "relative", question->relative);
    json_number(&json, "tolerance", question->tolerance);
    json_integer(&json, "probes", (int64_t)solve->probe_count);
    json_integer(&json, "not_monotone_draws", (int64_t)count_bends(solve));
    json_array_open(&json, "answers");
    for (size_t i = 0; i < solve->row_count; i++) {
        json_object_open(&json, NULL);
        for (size_t f = 0; f < solve_field_count; f++)
            json_field(&json, &solve_fields[f], &solve->rows[i]);
        json_object_close(&json);
    }
    json_array_close(&json);
    json_object_close(&json);
}

/* ---- the command ------------------------------------------------------------------------ */

struct job {
    const struct options *options;
    const struct cli_common *common;
    const char *directory; /* empty: none */
    struct output_command command;
};

static int write_results(const struct job *job, const struct solve *solve,
                         const struct output_warnings *warnings, struct error *err)
{
    const struct table tables[] = {
        {"solve", solve_fields, solve_field_count, solve->rows, solve->row_count,
         sizeof *solve->rows},
        {"probes", solve_probe_fields, solve_probe_field_count, solve->probes, solve->probe_count,
         sizeof *solve->probes},
    };
    return output_tables(&solve->evaluate.setup, tables, COUNT_OF(tables), warnings, &job->command,
                         job->directory, job->options->force, err);
}

static int solve_and_write(const struct job *job, struct solve *solve, struct error *err)
{
    struct output_warnings warnings;
    int code = solve_run(solve, err);
    if (code != ERROR_NONE)
        return code;
    output_warn_inputs(&solve->evaluate.setup, &warnings);
    if (job->directory[0] != '\0')
        code = write_results(job, solve, &warnings, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t i = 0; i < warnings.count; i++)
        cli_warn(job->common, "%s", warnings.text[i]);
    if (job->common->json)
        print_json(solve, &warnings, job->directory);
    else if (!job->common->quiet)
        print_answer(solve, job->directory);
    return cli_flush(err);
}

static int read_question(const struct options *options, struct question *out, struct error *err)
{
    const char *missing = options->key == NULL     ? "--vary KEY"
                          : options->range == NULL ? "--range A:B"
                          : options->until == NULL ? "--until 'METRIC >= X'"
                                                   : NULL;
    if (missing != NULL)
        return error_set(err, ERROR_USAGE,
                         "solve: %s is missing; expected SCENARIO --vary KEY --range A:B --until "
                         "'METRIC >= X'",
                         missing);
    const struct question_words words = {
        .key = options->key,
        .range = options->range,
        .until = options->until,
        .tolerance = options->tolerance,
        .points = options->points,
        .log = options->log,
        .relative = options->relative,
    };
    return question_read(out, &words, err);
}

int cli_solve(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1, .points = QUESTION_POINTS};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct error_list errors = {0};
    struct question question;
    struct solve solve;
    char directory[PATHS_SIZE];
    int code = cli_parse(&solve_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = read_question(&options, &question, err);
    if (code == ERROR_NONE)
        code =
            directory_if_asked(options.output, options.force, arguments.items[0], directory, err);
    if (code == ERROR_NONE)
        code = solve_init(&solve, &question, arguments.items[0], options.sets.items,
                          options.sets.count, options.seed, &errors, err);
    if (code == ERROR_NONE) {
        const struct job job = {&options, &common, directory, {"solve", argc, argv}};
        code = solve_and_write(&job, &solve, err);
        solve_free(&solve);
    } else if (errors.count > 0) {
        cli_print_errors(&errors);
    }
out:
    error_list_free(&errors);
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}
