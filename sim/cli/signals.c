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
    struct setup *setup;
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

static enum signal_scores_verdict verdict_of(const struct job *job,
                                             const struct signal_scores_row *row)
{
    return signal_scores_verdict(row, job->setup->scenario->signals.level);
}

/* Of a signal that foretells no direction either is news. */
static bool leads_nowhere(const struct job *job, const struct signal_scores_row *row)
{
    bool of_return = strcmp(row->target, "return") == 0;
    for (size_t i = 0; i < job->bars.count; i++)
        if (strcmp(job->bars.signals[i].name, row->signal) == 0)
            return of_return && job->bars.signals[i].direction == 0;
    return false;
}

static void print_row(const struct job *job, const struct signal_scores_row *row, int width)
{
    enum signal_scores_verdict verdict = verdict_of(job, row);
    static const char *const words[] = {
        [SIGNAL_SCORES_SILENT] = "nothing to score",
        [SIGNAL_SCORES_TOO_FEW] = "too few to tell",
        [SIGNAL_SCORES_NOTHING] = "no information seen",
        [SIGNAL_SCORES_CONTRARY] = "informs the wrong way round",
        [SIGNAL_SCORES_INFORMS] = "informs, no more than the null",
        [SIGNAL_SCORES_ADDS] = "informs, and adds to the null",
    };
    printf("    %-*s %5" PRId64 "  %4.0f %%  %4.0f %%  %.2f (%.2f to %.2f)  %.2f  "
           "%.2f (%.2f to %.2f)  %s\n",
           width, row->signal, row->occurrences, 100.0 * row->hit_rate, 100.0 * row->others_rate,
           row->auc.value, row->auc.low, row->auc.high, row->null_auc, row->given.value,
           row->given.low, row->given.high,
           leads_nowhere(job, row) && verdict >= SIGNAL_SCORES_CONTRARY
               ? verdict > SIGNAL_SCORES_CONTRARY ? "informs: the price rises"
                                                  : "informs: the price falls"
               : words[verdict]);
}

static int name_width(const struct job *job)
{
    int width = 6;
    for (size_t i = 0; i < job->bars.count; i++)
        if ((int)strlen(job->bars.signals[i].name) > width)
            width = (int)strlen(job->bars.signals[i].name);
    return width;
}

static void print_target(const struct job *job, const struct signal_scores_row *row)
{
    char horizon[CALENDAR_TEXT_SIZE];
    calendar_format_duration(row->horizon_ms, horizon);
    if (strcmp(row->target, "cascade") == 0)
        printf("  Cascades: forced flow of the next %s among its largest %.3g %%\n", horizon,
               100.0 * (1.0 - job->setup->scenario->signals.cascade_quantile));
    else
        printf("  Returns: over the next %s the price goes the way that the signal leads\n",
               horizon);
}

/* The signals of a group with a verdict, in a row of names. */
static void print_names(const struct job *job, const struct signal_scores_row *rows,
                        enum signal_scores_verdict verdict, const char *words)
{
    char text[SIGNAL_BARS_MAX * 32] = "";
    size_t used = 0;
    for (size_t i = 0; i < job->bars.count; i++)
        if (verdict_of(job, &rows[i]) == verdict)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? ", " : "",
                                     rows[i].signal);
    if (used == 0)
        return;
    int column = printf("    %s: ", words);
    cli_print_wrapped(column, 6, text);
}

/* Those that inform with their figures, with -v all; the others by name. */
static void print_group(const struct job *job, const struct signal_scores_row *rows, int width)
{
    bool headed = false;
    print_target(job, rows);
    for (size_t i = 0; i < job->bars.count; i++) {
        if (verdict_of(job, &rows[i]) < SIGNAL_SCORES_CONTRARY && !job->common->verbose)
            continue;
        if (!headed)
            printf("    %-*s %5s  %6s  %6s  %-19s  %-4s  %s\n", width, "signal", "bars", "after",
                   "others", "area (interval)", "null", "given the null");
        headed = true;
        print_row(job, &rows[i], width);
    }
    if (job->common->verbose)
        return;
    print_names(job, rows, SIGNAL_SCORES_NOTHING, "no information seen");
    print_names(job, rows, SIGNAL_SCORES_TOO_FEW, "too few episodes to tell");
    print_names(job, rows, SIGNAL_SCORES_SILENT, "nothing to score");
}

static void print_scores(const struct job *job)
{
    int width = name_width(job);
    for (size_t i = 0; i < job->scores.count; i += job->bars.count)
        print_group(job, &job->scores.rows[i], width);
}

struct tally {
    size_t tests, informing, kept;
};

static struct tally count_tests(const struct job *job)
{
    struct tally tally = {0};
    for (size_t i = 0; i < job->scores.count; i++) {
        const struct signal_scores_row *row = &job->scores.rows[i];
        enum signal_scores_verdict verdict = verdict_of(job, row);
        if (verdict < SIGNAL_SCORES_NOTHING)
            continue;
        tally.tests++;
        tally.informing += verdict > SIGNAL_SCORES_NOTHING;
        tally.kept += verdict > SIGNAL_SCORES_NOTHING && row->q_value <= Q_LEVEL;
    }
    return tally;
}

static void print_tests(const struct job *job)
{
    struct tally tally = count_tests(job);
    printf("  %zu tests were made: %zu tell of information, up to %.0f would by luck; %zu have a "
           "q-value of %g or less\n",
           tally.tests, tally.informing,
           (1.0 - job->setup->scenario->signals.level) * (double)tally.tests, tally.kept, Q_LEVEL);
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
    struct tally tally = count_tests(job);
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
                        "no data.liquidations: signals are held to the model's own forced flow; "
                        "that the model's book and, by book.crowd_tilt, funding foretell it is "
                        "partly what the model assumes");
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
    job->setup->venue_oi = &job->bars.venue;
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
    job->setup = NULL;
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
