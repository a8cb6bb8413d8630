/*
 * `signals`: the rules on open interest bar by bar, and whether they knew anything of what came.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/paths.h"
#include "reports/json.h"
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/output.h"
#include "sim/study/signal_bars.h"
#include "sim/study/signal_scores.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define Q_LEVEL 0.05

struct options {
    struct cli_texts sets;
    const char *output;
    int64_t seed;
    bool force;
};

static const struct cli_option signals_options[] = {
    {"output", 'o', "DIR", "results directory (results/<scenario name>)", CLI_TEXT,
     offsetof(struct options, output), NULL},
    {"set", 0, "KEY=VALUE", "override a key, as YAML: signals.lookback=4h (may be repeated)",
     CLI_TEXTS, offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
};

static const struct cli_command signals_command = {
    .name = "signals",
    .arguments = "SCENARIO",
    .summary = "Reads the rules on open interest from a market, and scores them on what came after",
    .notes =
        "Writes signals.csv, a row per bar, and signal_scores.csv, a row per signal, horizon and\n"
        "target. The scenario's `signals` sets windows, thresholds, horizons and intervals.\n",
    .options = signals_options,
    .option_count = COUNT_OF(signals_options),
    .minimum = 1,
    .maximum = 1,
    .json = true,
};

struct job {
    const struct options *options;
    const struct cli_common *common;
    const struct setup *setup;
    struct signal_bars bars;
    struct signal_scores scores;
    struct output_warnings warnings;
    const char *directory;
    struct output_command command;
};

/* ---- in words --------------------------------------------------------------------------- */

/* "open interest and funding" */
static const char *missing_words(unsigned missing, char buffer[96])
{
    static const char *const words[] = {"data.oi", "data.funding", "signals.venue_oi"};
    buffer[0] = '\0';
    for (int bit = 0; bit < 3; bit++)
        if (missing & (1u << bit))
            snprintf(buffer + strlen(buffer), 96 - strlen(buffer), "%s%s",
                     buffer[0] != '\0' ? " and " : "", words[bit]);
    return buffer;
}

static void print_absent(const struct job *job)
{
    for (size_t i = 0; i < job->bars.absent_count; i++) {
        char words[96];
        printf("  left out: %s, which needs %s\n", job->bars.absent[i].name,
               missing_words(job->bars.absent[i].missing, words));
    }
}

/* A signal that was always, or never, there has nothing to be scored by. */
static bool is_silent(const struct signal_scores_row *row)
{
    return isnan(row->auc.value) || (strcmp(row->kind, "state") == 0 &&
                                     (row->occurrences == 0 || row->occurrences == row->bars));
}

static const char *verdict(const struct signal_scores_row *row)
{
    int alone = signal_scores_beyond_chance(&row->auc);
    int given = signal_scores_beyond_chance(&row->given);
    if (isnan(row->auc.low))
        return "too few to tell";
    if (alone == 0)
        return given == 0 ? "no information seen" : "only beside the null";
    if (alone < 0)
        return "the wrong way round";
    return given > 0 ? "informs, and adds to the null" : "informs, no more than the null";
}

static void print_row(const struct signal_scores_row *row, int width)
{
    printf("    %-*s %5" PRId64 "  %4.0f %%  %4.0f %%  %.2f (%.2f to %.2f)  %.2f  "
           "%.2f (%.2f to %.2f)  %s\n",
           width, row->signal, row->occurrences, 100.0 * row->hit_rate, 100.0 * row->others_rate,
           row->auc.value, row->auc.low, row->auc.high, row->null_auc, row->given.value,
           row->given.low, row->given.high, verdict(row));
}

static int name_width(const struct job *job)
{
    int width = 6;
    for (size_t i = 0; i < job->bars.count; i++)
        if ((int)strlen(job->bars.signals[i].name) > width)
            width = (int)strlen(job->bars.signals[i].name);
    return width;
}

static bool begins_group(const struct signal_scores *scores, size_t i)
{
    return i == 0 || scores->rows[i].horizon_ms != scores->rows[i - 1].horizon_ms ||
           strcmp(scores->rows[i].target, scores->rows[i - 1].target) != 0;
}

static void print_group(const struct job *job, const struct signal_scores_row *row, int width)
{
    char horizon[CALENDAR_TEXT_SIZE];
    calendar_format_duration(row->horizon_ms, horizon);
    if (strcmp(row->target, "cascade") == 0)
        printf("  forced flow of the next %s among the largest %.3g %%\n", horizon,
               100.0 * (1.0 - job->setup->scenario->signals.cascade_quantile));
    else
        printf("  the price goes the way that the signal leads, over the next %s\n", horizon);
    printf("    %-*s %5s  %6s  %6s  %-19s  %-4s  %-19s\n", width, "signal", "bars", "after",
           "others", "area (interval)", "null", "given the null");
}

static void print_scores(const struct job *job)
{
    const struct signal_scores *scores = &job->scores;
    int width = name_width(job);
    for (size_t i = 0; i < scores->count; i++) {
        const struct signal_scores_row *row = &scores->rows[i];
        if (begins_group(scores, i))
            print_group(job, row, width);
        if (is_silent(row))
            printf("    %-*s %5" PRId64 "  nothing to score\n", width, row->signal,
                   row->occurrences);
        else
            print_row(row, width);
    }
}

struct tally {
    size_t tests, beyond, adding, kept;
};

static struct tally count_tests(const struct signal_scores *scores)
{
    struct tally tally = {0};
    for (size_t i = 0; i < scores->count; i++) {
        const struct signal_scores_row *row = &scores->rows[i];
        if (is_silent(row) || isnan(row->auc.low))
            continue;
        tally.tests++;
        tally.beyond += signal_scores_beyond_chance(&row->auc) != 0;
        tally.adding += signal_scores_beyond_chance(&row->given) > 0;
        tally.kept += row->q_value <= Q_LEVEL;
    }
    return tally;
}

static void print_tests(const struct job *job)
{
    struct tally tally = count_tests(&job->scores);
    double chance = (1.0 - job->setup->scenario->signals.level) * (double)tally.tests;
    printf(
        "  %zu tests: in %zu the interval leaves out chance (about %.0f would by luck alone), in "
        "%zu it\n"
        "  does so among bars alike in the null; %zu have a q-value of at most %g\n",
        tally.tests, tally.beyond, chance, tally.adding, tally.kept, Q_LEVEL);
}

static void print_all(const struct job *job)
{
    const struct scenario *scenario = job->setup->scenario;
    printf("%s: %zu signals over %zu bars, forced flow %s\n",
           scenario->title != NULL ? scenario->title : scenario->symbol, job->bars.count,
           job->bars.bars,
           job->bars.observed_flow ? "as observed" : "of the model's own open loop");
    print_absent(job);
    print_scores(job);
    print_tests(job);
    printf("  results in %s\n", job->directory);
}

/* ---- as JSON ---------------------------------------------------------------------------- */

static void print_json(const struct job *job)
{
    struct json json;
    struct tally tally = count_tests(&job->scores);
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    json_integer(&json, "schema_version", 1);
    json_text(&json, "results", job->directory);
    json_text(&json, "title", job->setup->scenario->title);
    json_array_open(&json, "warnings");
    for (size_t i = 0; i < job->warnings.count; i++)
        json_text(&json, NULL, job->warnings.text[i]);
    json_array_close(&json);
    json_array_open(&json, "left_out");
    for (size_t i = 0; i < job->bars.absent_count; i++) {
        char words[96];
        json_object_open(&json, NULL);
        json_text(&json, "signal", job->bars.absent[i].name);
        json_text(&json, "needs", missing_words(job->bars.absent[i].missing, words));
        json_object_close(&json);
    }
    json_array_close(&json);
    json_integer(&json, "tests", (int64_t)tally.tests);
    json_array_open(&json, "scores");
    for (size_t i = 0; i < job->scores.count; i++) {
        json_object_open(&json, NULL);
        for (size_t f = 0; f < signal_scores_field_count; f++)
            json_field(&json, &signal_scores_fields[f], &job->scores.rows[i]);
        json_object_close(&json);
    }
    json_array_close(&json);
    json_object_close(&json);
}

/* ---- results ---------------------------------------------------------------------------- */

static void warn_of(struct job *job)
{
    output_warn_inputs(job->setup, &job->warnings);
    if (!job->bars.observed_flow)
        output_warn_add(&job->warnings,
                        "no data.liquidations: the model's signals are held to the model's own "
                        "forced flow, which says nothing of how well they foretell the market's");
}

static int write_results(struct job *job, struct error *err)
{
    struct table of_bars;
    int code = signal_bars_table(&job->bars, &of_bars, err);
    if (code != ERROR_NONE)
        return code;
    const struct table tables[] = {
        of_bars,
        {"signal_scores", signal_scores_fields, signal_scores_field_count, job->scores.rows,
         job->scores.count, sizeof *job->scores.rows},
    };
    code = output_tables(job->setup, tables, COUNT_OF(tables), &job->warnings, &job->command,
                         job->directory, job->options->force, err);
    signal_bars_table_free(&of_bars);
    return code;
}

static int compute(struct job *job, struct error *err)
{
    struct signal_scores_plan plan;
    struct progress progress;
    int code = signal_scores_plan(job->setup->scenario, &plan, err);
    if (code != ERROR_NONE)
        return code;
    progress_start(&progress, "replaying", "bars", (int64_t)job->setup->bars);
    code = signal_bars_init(&job->bars, job->setup, &progress, err);
    progress_end(&progress);
    if (code != ERROR_NONE)
        return code;
    progress_start(&progress, "scoring", "rows",
                   (int64_t)(job->bars.count * plan.horizon_count * (size_t)SIGNAL_SCORES_TARGETS));
    code = signal_scores_make(&job->scores, &job->bars, &plan, &progress, err);
    progress_end(&progress);
    if (code != ERROR_NONE)
        signal_bars_free(&job->bars);
    return code;
}

static int score_and_write(struct job *job, struct error *err)
{
    int code = compute(job, err);
    if (code != ERROR_NONE)
        return code;
    warn_of(job);
    code = write_results(job, err);
    for (size_t i = 0; code == ERROR_NONE && i < job->warnings.count; i++)
        cli_warn(job->common, "%s", job->warnings.text[i]);
    if (code == ERROR_NONE && job->common->json)
        print_json(job);
    else if (code == ERROR_NONE && !job->common->quiet)
        print_all(job);
    signal_scores_free(&job->scores);
    signal_bars_free(&job->bars);
    return code == ERROR_NONE ? cli_flush(err) : code;
}

/* ---- the command ------------------------------------------------------------------------ */

static int load(const struct options *options, const char *path, struct scenario *scenario,
                struct error_list *errors)
{
    int code = scenario_load(scenario, path, options->sets.items, options->sets.count, errors);
    if (code == ERROR_NONE && options->seed >= 0)
        scenario->seed = (uint64_t)options->seed;
    return code;
}

static int run_job(struct job *job, const struct scenario *scenario, struct error *err)
{
    struct setup setup;
    int code = setup_init(&setup, scenario, err);
    if (code != ERROR_NONE)
        return code;
    job->setup = &setup;
    code = score_and_write(job, err);
    setup_free(&setup);
    return code;
}

int cli_signals(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct error_list errors = {0};
    struct scenario scenario;
    char directory[PATHS_SIZE];
    int code = cli_parse(&signals_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = directory_choose(options.output, arguments.items[0], directory, err);
    if (code == ERROR_NONE)
        code = directory_check(directory, options.force, err);
    if (code != ERROR_NONE)
        goto out;
    code = load(&options, arguments.items[0], &scenario, &errors);
    if (code == ERROR_NONE) {
        struct job job = {.options = &options,
                          .common = &common,
                          .directory = directory,
                          .command = {"signals", argc, argv}};
        code = run_job(&job, &scenario, err);
        scenario_free(&scenario);
    } else {
        cli_print_errors(&errors);
    }
out:
    error_list_free(&errors);
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}
