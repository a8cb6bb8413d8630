/*
 * `map`: where open interest would be liquidated, at one time and over time.
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
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/map_run.h"
#include "sim/output.h"
#include "sim/setup.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    struct map_request request;
    struct cli_texts sets;
    const char *output;
    int64_t seed;
    bool force;
};

static const struct cli_option map_options[] = {
    {"at", 0, "TIME", "time of the map, from time.warmup to time.end (time.start)", CLI_TIME,
     offsetof(struct options, request.at_ms), NULL},
    {"over", 0, NULL, "the heatmap, too: every map.every from time.start to time.end", CLI_FLAG,
     offsetof(struct options, request.over), NULL},
    {"output", 'o', "DIR", "results directory (results/<scenario name>)", CLI_TEXT,
     offsetof(struct options, output), NULL},
    {"set", 0, "KEY=VALUE", "override a key, as YAML: map.bin_log=0.01", CLI_TEXTS,
     offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
};

static const struct cli_command map_command = {
    .name = "map",
    .arguments = "SCENARIO",
    .summary = "Maps where open interest would be liquidated, by price, side and leverage",
    .notes = "Writes map.csv, near.csv and with --over heatmap.csv. The book is walked open loop:\n"
             "the price is where the path puts it.\n",
    .options = map_options,
    .option_count = COUNT_OF(map_options),
    .minimum = 1,
    .maximum = 1,
    .json = true,
};

/* ---- in words --------------------------------------------------------------------------- */

enum { CLUSTERS = 3 };

/* A bin of one side, over all tiers. */
struct cluster {
    double low, high, coins, usd;
};

static bool inner(const struct map_row *row)
{
    return row->price_lo > 0.0 && !isnan(row->price_hi);
}

/* The bins of a side with the most USD, largest first; returns how many. Rows of a bin lie side by
   side. */
static size_t find_clusters(const struct map_tables *tables, const char *side,
                            struct cluster out[CLUSTERS])
{
    size_t count = 0;
    for (size_t i = 0; i < tables->row_count;) {
        const struct map_row *first = &tables->rows[i];
        struct cluster here = {first->price_lo, first->price_hi, 0.0, 0.0};
        for (; i < tables->row_count && tables->rows[i].price_lo == here.low &&
               tables->rows[i].side == first->side;
             i++) {
            here.coins += tables->rows[i].coins;
            here.usd += tables->rows[i].usd;
        }
        if (!inner(first) || strcmp(first->side, side) != 0)
            continue;
        size_t place = count < CLUSTERS ? count++ : CLUSTERS;
        for (; place > 0 && out[place - 1].usd < here.usd; place--)
            if (place < CLUSTERS)
                out[place] = out[place - 1];
        if (place < CLUSTERS)
            out[place] = here;
    }
    return count;
}

static void print_clusters(const struct map_tables *tables, const struct map_near *near)
{
    struct cluster clusters[CLUSTERS];
    size_t count = find_clusters(tables, near->side, clusters);
    for (size_t i = 0; i < count; i++) {
        char low[CLI_NUMBER_SIZE], high[CLI_NUMBER_SIZE], usd[32], range[2 * CLI_NUMBER_SIZE];
        const struct cluster *at = &clusters[i];
        int decimals = at->high < 10.0 ? 4 : 1;
        snprintf(range, sizeof range, "%s to %s", cli_number(at->low, decimals, low),
                 cli_number(at->high, decimals, high));
        printf("    %-8s%-26s%+7.2f %%  %10s, %.2f %% of the side\n", near->side, range,
               100.0 * (sqrt(at->low * at->high) / near->mark - 1.0), text_human(at->usd, "$", usd),
               100.0 * at->coins / near->oi_coins);
    }
}

static void print_pair(const char *label, double longs, double shorts)
{
    printf("  %-26s%12.2f %%%12.2f %%\n", label, 100.0 * longs, 100.0 * shorts);
}

static void print_shares(const struct map_tables *tables, const struct map_near *near)
{
    double oi = near[BOOK_LONG].oi_coins;
    printf("  %-26s%14s%14s\n", "liquidated", "longs", "shorts");
    for (int i = 0; i < MAP_DISTANCES; i++) {
        char label[32];
        snprintf(label, sizeof label, "  within %g %%", 100.0 * map_distances[i]);
        print_pair(label, near[BOOK_LONG].within[i], near[BOOK_SHORT].within[i]);
    }
    print_pair("  beyond the map, or never", tables->outer_coins[BOOK_LONG] / oi,
               tables->outer_coins[BOOK_SHORT] / oi);
    print_pair("held outside the book", near[BOOK_LONG].outside_share,
               near[BOOK_SHORT].outside_share);
}

static void print_map(const struct setup *setup, const struct map_tables *tables)
{
    const struct scenario *scenario = setup->scenario;
    const struct map_near *near = &tables->nears[tables->near_at];
    char at[CALENDAR_TEXT_SIZE], every[CALENDAR_TEXT_SIZE], text[32], number[CLI_NUMBER_SIZE];
    const char *title = scenario->title != NULL ? scenario->title : scenario->symbol;
    bool said = strstr(title, "reconstruction") != NULL;
    double mark = near->mark;
    printf("%s%s\n", title, setup->market.any_reconstructed && !said ? " (reconstruction)" : "");
    printf("  %-24s%s, mark price %s\n", "at", calendar_format_iso(tables->at_ms, at),
           cli_number_short(mark, mark < 10.0 ? 4 : 1, number));
    printf("  %-24s%s a side, at mark", "open interest",
           text_human(near->oi_coins * mark, "$", text));
    if (scenario->replicates > 1)
        printf("; means of %lld replicates", (long long)scenario->replicates);
    printf("\n");
    print_shares(tables, near);
    printf("  largest bins\n");
    for (int side = 0; side < 2; side++)
        print_clusters(tables, &near[side]);
    if (tables->heat_count > 0)
        printf("  %-24severy %s, %zu rows\n", "heatmap",
               calendar_format_duration(scenario->map.every_ms, every), tables->heat_count);
}

static void print_json(const struct setup *setup, const struct map_tables *tables,
                       const struct output_warnings *warnings, const char *directory)
{
    char at[CALENDAR_TEXT_SIZE];
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
    json_text(&json, "at", calendar_format_iso(tables->at_ms, at));
    json_integer(&json, "map_rows", (int64_t)tables->row_count);
    json_integer(&json, "heatmap_rows", (int64_t)tables->heat_count);
    json_array_open(&json, "near");
    for (size_t i = 0; i < 2; i++) {
        json_object_open(&json, NULL);
        for (size_t f = 0; f < map_near_field_count; f++)
            json_field(&json, &map_near_fields[f], &tables->nears[tables->near_at + i]);
        json_object_close(&json);
    }
    json_array_close(&json);
    json_object_close(&json);
}

/* ---- the command ------------------------------------------------------------------------ */

struct job {
    const struct options *options;
    const struct cli_common *common;
    const char *directory;
    struct output_command command;
};

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

static int report(const struct job *job, const struct setup *setup, const struct map_tables *tables,
                  struct error *err)
{
    struct output_warnings warnings;
    struct table described[MAP_TABLES_MAX];
    size_t count = map_tables_described(tables, described);
    output_warn_inputs(setup, &warnings);
    int code = output_tables(setup, described, count, &warnings, &job->command, job->directory,
                             job->options->force, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t i = 0; i < warnings.count; i++)
        cli_warn(job->common, "%s", warnings.text[i]);
    if (job->common->json) {
        print_json(setup, tables, &warnings, job->directory);
    } else if (!job->common->quiet) {
        print_map(setup, tables);
        printf("  %-24s%s\n", "results", job->directory);
    }
    return cli_flush(err);
}

static int map_and_report(const struct job *job, const struct scenario *scenario, struct error *err)
{
    struct setup setup;
    struct map_tables tables;
    int code = map_check(scenario, &job->options->request, err);
    if (code == ERROR_NONE)
        code = setup_init(&setup, scenario, err);
    if (code != ERROR_NONE)
        return code;
    code = map_run(&setup, &job->options->request, &tables, err);
    if (code == ERROR_NONE) {
        code = report(job, &setup, &tables, err);
        map_tables_free(&tables);
    }
    setup_free(&setup);
    return code;
}

int cli_map(int argc, char **argv, struct error *err)
{
    struct options options = {.request.at_ms = CALENDAR_NONE, .seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct scenario scenario;
    char directory[PATHS_SIZE];
    int code = cli_parse(&map_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = directory_choose(options.output, arguments.items[0], directory, err);
    if (code == ERROR_NONE)
        code = directory_check(directory, options.force, err);
    if (code == ERROR_NONE)
        code = load(&scenario, arguments.items[0], &options);
    if (code != ERROR_NONE)
        goto out;
    struct job job = {&options, &common, directory, {"map", argc, argv}};
    code = map_and_report(&job, &scenario, err);
    scenario_free(&scenario);
out:
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}
