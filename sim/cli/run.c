/*
 * `run`: the main job. Reads a scenario and its data, replays it, writes a results directory and
 * prints what happened in plain words.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/text.h"
#include "reports/json.h"
#include "sim/check_step.h"
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/output.h"
#include "sim/run.h"
#include "sim/setup.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    struct cli_texts sets;
    const char *output;
    int64_t seed;
    bool force;
};

static const struct cli_option run_options[] = {
    {"output", 'o', "DIR", "results directory (results/<scenario name>)", CLI_TEXT,
     offsetof(struct options, output), NULL},
    {"set", 0, "KEY=VALUE", "override a key, as YAML: impact.gamma=0.5 (may be repeated)",
     CLI_TEXTS, offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
};

static const struct cli_command run_command = {
    .name = "run",
    .arguments = "SCENARIO",
    .summary = "Replays a scenario and writes its results directory",
    .options = run_options,
    .option_count = COUNT_OF(run_options),
    .minimum = 1,
    .maximum = 1,
    .json = true,
};

/* ---- the summary in words --------------------------------------------------------------- */

/* Values of one metric over the replicates of a level. */
struct spread {
    double mean, low, high;
};

static double value_of(const struct metrics_summary *summary, size_t offset)
{
    double value;
    memcpy(&value, (const char *)summary + offset, sizeof value);
    return value;
}

static struct spread spread_of(const struct metrics_summary *rows, size_t count, size_t offset)
{
    struct spread out = {0.0, INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        double value = value_of(&rows[i], offset);
        out.mean += value / (double)count;
        out.low = fmin(out.low, value);
        out.high = fmax(out.high, value);
    }
    return out;
}

enum kind { USD, PRICE, PERCENT, FACTOR, COUNT };

static void format_value(enum kind kind, double value, char buffer[CLI_NUMBER_SIZE])
{
    char text[32];
    if (isnan(value)) {
        snprintf(buffer, CLI_NUMBER_SIZE, "-");
        return;
    }
    switch (kind) {
    case USD:
        snprintf(buffer, CLI_NUMBER_SIZE, "%s", text_human(value, "$", text));
        return;
    case PRICE:
        cli_number_short(value, value < 10.0 ? 4 : 1, buffer);
        return;
    case PERCENT:
        snprintf(buffer, CLI_NUMBER_SIZE, "%.2f %%", 100.0 * value);
        return;
    case FACTOR:
        snprintf(buffer, CLI_NUMBER_SIZE, "%.2f", value);
        return;
    case COUNT:
        cli_number_short(value, 0, buffer);
        return;
    }
}

struct line {
    const char *label;
    size_t offset;
    enum kind kind;
    double least; /* shown only where some run has at least as much */
};

/* Of what does not happen in every run. */
#define EVENT(label, member, kind)                                  \
    {                                                               \
        label, offsetof(struct metrics_summary, member), kind, 1e-6 \
    }
#define LINE(label, member, kind)                                        \
    {                                                                    \
        label, offsetof(struct metrics_summary, member), kind, -INFINITY \
    }

static const struct line lines[] = {
    LINE("price before", price_start, PRICE),
    LINE("lowest price", price_low, PRICE),
    LINE("price at the end", price_end, PRICE),
    LINE("open interest before", oi_start_usd, USD),
    LINE("change of OI in coins", oi_change_share, PERCENT),
    LINE("liquidated", liquidated_usd, USD),
    LINE("  in coins", liquidated_coins, COUNT),
    LINE("  of them longs", long_share, PERCENT),
    LINE("  of open interest", liquidated_share_of_oi, PERCENT),
    LINE("  largest hour", peak_hour_usd, USD),
    LINE("reported feed, in coins", reported_coins, COUNT),
    LINE("  of them longs", reported_long_share, PERCENT),
    LINE("move by forced orders", endogenous_move, PERCENT),
    LINE("amplification", amplification, FACTOR),
    LINE("largest branching ratio", branching_ratio_max, FACTOR),
    LINE("paid by insurance funds", insurance_draw_usd, USD),
    EVENT("  losses nobody paid", bad_debt_usd, USD),
    EVENT("deleveraged", adl_usd, USD),
    EVENT("taken over, in coins", backstop_coins, COUNT),
    EVENT("largest gap of a venue", venue_gap_log, PERCENT),
    EVENT("funding changed sign", funding_sign_changes, COUNT),
    EVENT("largest utilisation", utilisation_max, PERCENT),
};

/* Open loop moves no price: the impact is what the flow would have had. */
static const char *label_of(const struct line *line, const struct scenario *scenario)
{
    bool impact = line->offset == offsetof(struct metrics_summary, endogenous_move);
    return impact && scenario->feedback == FEEDBACK_OPEN ? "impact they imply" : line->label;
}

/* False where nothing of the kind was given, or has happened. */
static bool shown(const struct line *line, const struct run_tables *tables)
{
    for (size_t i = 0; i < tables->summary_count; i++)
        if (value_of(&tables->summary[i], line->offset) >= line->least)
            return true;
    return false;
}

/* One column per level; with several replicates the mean, and behind a single column the range. */
static void print_lines(const struct scenario *scenario, const struct run_tables *tables,
                        size_t levels, size_t replicates)
{
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char text[CLI_NUMBER_SIZE], low[CLI_NUMBER_SIZE], high[CLI_NUMBER_SIZE];
        if (!shown(&lines[i], tables))
            continue;
        printf("  %-24s", label_of(&lines[i], scenario));
        for (size_t level = 0; level < levels; level++) {
            struct spread spread =
                spread_of(tables->summary + level * replicates, replicates, lines[i].offset);
            format_value(lines[i].kind, spread.mean, text);
            printf("%14s", text);
            format_value(lines[i].kind, spread.low, low);
            format_value(lines[i].kind, spread.high, high);
            if (levels == 1 && replicates > 1 && strcmp(low, high) != 0)
                printf("   (%s to %s)", low, high);
        }
        printf("\n");
    }
}

static const char *path_words(const struct setup *setup, char buffer[128])
{
    const struct scenario *scenario = setup->scenario;
    char at[CALENDAR_TEXT_SIZE];
    if (scenario->path.model == PATH_SHOCK) {
        snprintf(buffer, 128, "a move of %+.2f %% at %s, forced orders move the price",
                 100.0 * expm1(scenario->path.shock_move_log),
                 calendar_format_iso(scenario->path.shock_at_ms, at));
        return buffer;
    }
    if (made_path_wanted(scenario)) {
        snprintf(buffer, 128, "random (%s) from %s, forced orders move the price",
                 price_path_models[setup->made.kind].name,
                 calendar_format_iso(scenario->path.shock_at_ms, at));
        return buffer;
    }
    if (setup_counterfactual(setup))
        return "observed, less the impact found in it; forced orders move the price";
    return scenario->feedback == FEEDBACK_OPEN
               ? "observed; liquidations along it, their impact is in the price already"
               : "observed, plus the impact of forced orders (naive: counted twice)";
}

/* Mean of what the other step makes of the liquidations. */
static void print_check(const struct scenario *scenario, const struct run_tables *tables)
{
    char step[CALENDAR_TEXT_SIZE];
    double sum = 0.0, other = 0.0;
    if (tables->checks == NULL)
        return;
    for (size_t i = 0; i < tables->check_count; i++)
        if (strcmp(tables->checks[i].metric, "liquidated_usd") == 0) {
            sum += tables->checks[i].at_step;
            other += tables->checks[i].at_check_step;
        }
    printf("  %-24s%+13.2f %%   of the liquidations, with steps of %s\n", "change at another step",
           100.0 * (other / sum - 1.0),
           calendar_format_duration(scenario->time.check_step_ms, step));
}

static void print_summary(const struct setup *setup, const struct run_tables *tables)
{
    const struct scenario *scenario = setup->scenario;
    size_t replicates = (size_t)scenario->replicates, levels = setup->level_count;
    char start[CALENDAR_TEXT_SIZE], end[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    char count[CLI_NUMBER_SIZE], words[128], level[32];
    const char *title = scenario->title != NULL ? scenario->title : scenario->symbol;
    bool said = strstr(title, "reconstruction") != NULL;
    printf("%s%s\n", title, setup->market.any_reconstructed && !said ? " (reconstruction)" : "");
    printf("  %-24s%s to %s, steps of %s\n", "window",
           calendar_format_iso(scenario->time.start_ms, start),
           calendar_format_iso(scenario->time.end_ms, end),
           calendar_format_duration(scenario->time.step_ms, step));
    printf("  %-24s%s\n", "price path", path_words(setup, words));
    cli_number_short((double)tables->summary[0].positions, 0, count);
    printf("  %-24s%s positions, %zu replicate%s%s\n", "book", count, replicates,
           replicates == 1 ? "" : "s", replicates > 1 ? ": means (and ranges) below" : "");
    if (levels > 1) {
        printf("  %-24s", "open interest asked for");
        for (size_t i = 0; i < levels; i++)
            printf("%14s", text_human(setup->levels[i].usd, "$", level));
        printf("\n");
    }
    print_lines(scenario, tables, levels, replicates);
    print_check(scenario, tables);
}

static void print_json(const struct setup *setup, const struct run_tables *tables,
                       const struct output_warnings *warnings, const char *directory)
{
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    json_integer(&json, "schema_version", 1);
    json_text(&json, "results", directory);
    json_text(&json, "title", setup->scenario->title);
    json_text(&json, "symbol", setup->scenario->symbol);
    json_bool(&json, "reconstruction", setup->market.any_reconstructed);
    json_array_open(&json, "warnings");
    for (size_t i = 0; i < warnings->count; i++)
        json_text(&json, NULL, warnings->text[i]);
    json_array_close(&json);
    json_array_open(&json, "runs");
    for (size_t i = 0; i < tables->summary_count; i++) {
        json_object_open(&json, NULL);
        for (size_t f = 0; f < metrics_summary_field_count; f++)
            json_field(&json, &metrics_summary_fields[f], &tables->summary[i]);
        json_object_close(&json);
    }
    json_array_close(&json);
    json_object_close(&json);
}

/* ---- the command ------------------------------------------------------------------------ */

static int load(struct scenario *scenario, const char *path, const struct options *options)
{
    struct error_list errors = {0};
    int code = scenario_load(scenario, path, options->sets.items, options->sets.count, &errors);
    if (code != ERROR_NONE)
        cli_print_errors(&errors);
    else if (options->seed >= 0)
        scenario->seed = (uint64_t)options->seed;
    error_list_free(&errors);
    return code;
}

struct job {
    const struct options *options;
    const struct cli_common *common;
    const char *directory;
    struct output_command command;
};

static int run_and_write(const struct job *job, const struct scenario *scenario, struct error *err)
{
    struct setup setup;
    struct run_tables tables;
    struct output_warnings warnings;
    int code = setup_init(&setup, scenario, err);
    if (code != ERROR_NONE)
        return code;
    code = run_scenario(&setup, &tables, err);
    if (code == ERROR_NONE && scenario->time.check_step_ms != CALENDAR_NONE) {
        code = check_step_run(&setup, &tables, err);
        if (code != ERROR_NONE)
            run_tables_free(&tables);
    }
    if (code == ERROR_NONE) {
        output_warn(&setup, &tables, &warnings);
        code = output_write(&setup, &tables, &warnings, &job->command, job->directory,
                            job->options->force, err);
        for (size_t i = 0; code == ERROR_NONE && i < warnings.count; i++)
            cli_warn(job->common, "%s", warnings.text[i]);
        if (code == ERROR_NONE && job->common->json)
            print_json(&setup, &tables, &warnings, job->directory);
        else if (code == ERROR_NONE && !job->common->quiet) {
            print_summary(&setup, &tables);
            printf("  %-24s%s\n", "results", job->directory);
        }
        run_tables_free(&tables);
    }
    setup_free(&setup);
    return code != ERROR_NONE ? code : cli_flush(err);
}

int cli_run(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct scenario scenario;
    char directory[PATHS_SIZE];
    int code = cli_parse(&run_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = directory_choose(options.output, arguments.items[0], directory, err);
    if (code == ERROR_NONE)
        code = directory_check(directory, options.force, err);
    if (code == ERROR_NONE)
        code = load(&scenario, arguments.items[0], &options);
    if (code != ERROR_NONE)
        goto out;
    struct job job = {&options, &common, directory, {"run", argc, argv}};
    code = run_and_write(&job, &scenario, err);
    scenario_free(&scenario);
out:
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}
