/*
 * `sweep` and `merge`: many variants of a scenario with bands and critical values, in one process
 * or in shards on a cluster. Finished items go into a journal at once, so that a sweep that was
 * stopped by whatever goes on with --resume.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/paths.h"
#include "base/ranks.h"
#include "base/text.h"
#include "reports/results.h"
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/cli/kept.h"
#include "sim/output.h"
#include "sim/study/critical.h"
#include "sim/study/shards.h"
#include "sim/study/sweep.h"
#include "sim/study/sweep_table.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define TABLES_MAX 3

struct options {
    struct cli_texts sets;
    const char *output, *shard;
    int64_t seed;
    bool force, resume, dry_run;
};

static const struct cli_option sweep_options[] = {
    {"output", 'o', "DIR", "results directory (results/<scenario name>)", CLI_TEXT,
     offsetof(struct options, output), NULL},
    {"set", 0, "KEY=VALUE", "override a key, as YAML: impact.gamma=0.5 (may be repeated)",
     CLI_TEXTS, offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
    {"resume", 0, NULL, "go on where an earlier sweep stopped", CLI_FLAG,
     offsetof(struct options, resume), NULL},
    {"shard", 0, "I/N", "compute part I of N, to be merged; from 1 (else as the scheduler says)",
     CLI_TEXT, offsetof(struct options, shard), NULL},
    {"dry-run", 0, NULL, "say what would be done, and time one point", CLI_FLAG,
     offsetof(struct options, dry_run), NULL},
};

static const struct cli_command sweep_command = {
    .name = "sweep",
    .arguments = "SCENARIO",
    .summary = "Runs a scenario at many points, with bands and critical values",
    .notes =
        "The scenario's `sweep` says which points, `uncertainty` which draws each of them is run\n"
        "under. Interrupted, it keeps what is done in DIR.journal; --resume goes on.\n",
    .options = sweep_options,
    .option_count = COUNT_OF(sweep_options),
    .minimum = 1,
    .maximum = 1,
};

/* ---- a sweep under way ------------------------------------------------------------------ */

struct job {
    const struct options *options;
    const struct cli_common *common;
    struct sweep *sweep;
    struct ranks ranks;
    const char *directory;
    struct output_command command;
    bool *wanted; /* per item; owned */
};

static int kept_of(const struct job *self, struct kept *out, struct error *err)
{
    struct sweep *sweep = self->sweep;
    *out = (struct kept){.common = self->common,
                         .items = sweep->items,
                         .payload = sweep->payload,
                         .values = sweep->values,
                         .done = sweep->done};
    return sweep_identity(sweep, out->identity, err);
}

static int compute(struct job *self, struct journal *journal, struct error *err)
{
    for (size_t i = 0; i < self->sweep->items; i++)
        self->wanted[i] = ranks_owns(&self->ranks, i);
    cli_be_patient(self->common, true);
    int code = sweep_run(self->sweep, self->wanted, kept_append, journal, err);
    cli_be_patient(self->common, false);
    return code;
}

/* ---- results ---------------------------------------------------------------------------- */

static double cell_number(const struct sweep_table *table, size_t row, size_t column)
{
    double value;
    memcpy(&value, &table->cells[row * table->field_count + column], sizeof value);
    return value;
}

/* The settings of a point in a row of a table, when the row is what is liquidated in the model. */
static bool begin_line(const struct sweep *sweep, const uint64_t *cell)
{
    size_t keys = sweep->points.key_count;
    if (strcmp((const char *)(uintptr_t)cell[keys + 2], "liquidated_usd") != 0 ||
        strcmp((const char *)(uintptr_t)cell[keys + 1], "model") != 0)
        return false;
    bool changed = false;
    printf(" ");
    for (size_t k = 0; k < keys; k++)
        if (cell[1 + k] != 0) {
            printf(" %s=%s", sweep_points_key(&sweep->points, k),
                   (const char *)(uintptr_t)cell[1 + k]);
            changed = true;
        }
    if (!changed)
        printf(" as it is");
    return true;
}

static void print_band(const struct sweep *sweep, const struct sweep_table *table, size_t row,
                       size_t mean)
{
    char middle[32], low[32], high[32];
    size_t quantiles = sweep->evaluate.scenario.bands.quantile_count;
    printf("%s", text_human(cell_number(table, row, mean), "$", middle));
    if (quantiles >= 2)
        printf(" (%s to %s)", text_human(cell_number(table, row, mean + 1), "$", low),
               text_human(cell_number(table, row, mean + quantiles), "$", high));
}

/* One line for each point: what is liquidated, as a band. */
static void print_points(const struct sweep *sweep, const struct sweep_table *table)
{
    for (size_t row = 0; row < table->row_count; row++) {
        if (!begin_line(sweep, table->cells + row * table->field_count))
            continue;
        printf(": liquidated ");
        print_band(sweep, table, row, sweep->points.key_count + 3);
        printf("\n");
    }
}

/* One line for each point that is compared with another: what more is liquidated, as a band. */
static void print_differences(const struct sweep *sweep, const struct sweep_table *table)
{
    size_t reference = sweep->points.key_count + 3;
    size_t ratio = reference + sweep->evaluate.scenario.bands.quantile_count + 3;
    for (size_t row = 0; row < table->row_count; row++) {
        const uint64_t *cell = table->cells + row * table->field_count;
        if (cell[0] == cell[reference] || !begin_line(sweep, cell))
            continue;
        printf(" against point %" PRIu64 ": difference ", cell[reference]);
        print_band(sweep, table, row, reference + 1);
        printf(", %.2f times in the median\n", cell_number(table, row, ratio));
    }
}

static void print_critical(const struct critical *critical)
{
    for (size_t i = 0; i < critical->count; i++) {
        const struct critical_row *row = &critical->rows[i];
        if (row->draw != 0 || !(row->quantile == 0.5))
            continue;
        printf("  critical %s%s%s: ", row->along, row->settings[0] != '\0' ? " at " : "",
               row->settings);
        if (row->never_share >= 0.5)
            printf("none in %.0f %% of the draws", 100.0 * row->never_share);
        else
            printf("%.6g in the median, none in %.0f %% of the draws", row->value,
                   100.0 * row->never_share);
        printf("\n");
    }
}

static void warn_of(const struct sweep *sweep, struct output_warnings *out)
{
    size_t ran_away = sweep_ran_away(sweep);
    output_warn_inputs(&sweep->evaluate.setup, out);
    if (ran_away > 0)
        output_warn_add(out,
                        "in %zu of %zu runs the price ran away, beyond what impact parameters "
                        "mean: their numbers are missing, and bands are of the others (column n)",
                        ran_away, sweep->items);
}

static int write_results(struct job *self, struct error *err)
{
    struct sweep *sweep = self->sweep;
    struct sweep_table points = {0}, differences = {0};
    struct critical critical = {0};
    struct output_warnings warnings;
    struct table tables[TABLES_MAX];
    size_t count = 0;
    int code = sweep_table_make(sweep, &points, err);
    if (code == ERROR_NONE)
        tables[count++] = sweep_table_described(&points, "sweep");
    if (code == ERROR_NONE && sweep_table_compares(sweep)) {
        code = sweep_table_differences(sweep, &differences, err);
        tables[count++] = sweep_table_described(&differences, "differences");
    }
    if (code == ERROR_NONE && critical_wanted(sweep)) {
        code = critical_find(sweep, &critical, err);
        tables[count++] = (struct table){"critical",    critical_fields, critical_field_count,
                                         critical.rows, critical.count,  sizeof *critical.rows};
    }
    warn_of(sweep, &warnings);
    if (code == ERROR_NONE)
        code = output_tables(&sweep->evaluate.setup, tables, count, &warnings, &self->command,
                             self->directory, self->options->force, err);
    for (size_t i = 0; code == ERROR_NONE && i < warnings.count; i++)
        cli_warn(self->common, "%s", warnings.text[i]);
    if (code == ERROR_NONE && !self->common->quiet) {
        printf("%s: %zu points, %zu draws, %zu replicates\n", sweep->evaluate.scenario.title,
               sweep->points.points, sweep->points.draws, sweep->replicates);
        print_points(sweep, &points);
        print_differences(sweep, &differences);
        print_critical(&critical);
        printf("  results in %s\n", self->directory);
    }
    sweep_table_free(&points);
    sweep_table_free(&differences);
    critical_free(&critical);
    return code;
}

/* ---- alone ------------------------------------------------------------------------------ */

static int compute_and_write(void *context, struct journal *journal, struct error *err)
{
    int code = compute(context, journal, err);
    return code != ERROR_NONE ? code : write_results(context, err);
}

static int sweep_alone(struct job *self, struct error *err)
{
    struct kept kept;
    int code = kept_of(self, &kept, err);
    return code != ERROR_NONE ? code
                              : kept_run(&kept, self->directory, self->options->resume,
                                         compute_and_write, self, err);
}

/* ---- as a shard ------------------------------------------------------------------------- */

static int describe_shard(struct results *results, void *context, struct error *err)
{
    struct job *self = context;
    struct output_warnings warnings;
    output_warn_inputs(&self->sweep->evaluate.setup, &warnings);
    return output_describe(&self->sweep->evaluate.setup, &warnings, &self->command, results, err);
}

static int compute_shard(struct job *self, const struct kept *kept, struct shards_work *work,
                         struct error *err)
{
    int code = kept_take(kept, &work->journal, err);
    if (code == ERROR_NONE)
        code = compute(self, &work->journal, err);
    return code != ERROR_NONE ? code : shards_commit(work, describe_shard, self, err);
}

static int sweep_shard(struct job *self, struct error *err)
{
    struct kept kept;
    struct shards_work work;
    struct journal_layout layout;
    int code = kept_of(self, &kept, err);
    if (code == ERROR_NONE)
        code = kept_layout(&kept, &layout, err);
    if (code == ERROR_NONE)
        code =
            shards_begin(&work, self->directory, &self->ranks, &layout, self->options->resume, err);
    if (code != ERROR_NONE)
        return code;
    cli_note(self->common, "shard %d of %d (%s)", self->ranks.rank + 1, self->ranks.size,
             self->ranks.from);
    if (!work.finished)
        code = compute_shard(self, &kept, &work, err);
    struct error ignored = {0};
    int closed = shards_end(&work, code == ERROR_NONE ? err : &ignored);
    return code != ERROR_NONE ? code : closed;
}

/* ---- the plan --------------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Seconds that one item takes alone. */
static int time_item(struct job *self, size_t item, double *out_s, struct error *err)
{
    double start = now_s();
    self->wanted[item] = true;
    int code = sweep_run(self->sweep, self->wanted, NULL, NULL, err);
    self->wanted[item] = false;
    self->sweep->done[item] = false;
    *out_s = now_s() - start;
    return code;
}

/* Times a book with its first item, and with the next point's as well: what the second adds is an
   item's own. Points that do not share the book add another, so that the plan is never too short.
 */
static int print_times(struct job *self, size_t books, struct error *err)
{
    struct sweep *sweep = self->sweep;
    double first, both, threads = (double)self->common->threads;
    int code = time_item(self, 0, &first, err);
    both = 2.0 * first;
    if (code == ERROR_NONE && sweep->points.points > 1) {
        self->wanted[0] = true;
        code = time_item(self, sweep->points.draws * sweep->replicates, &both, err);
        self->wanted[0] = sweep->done[0] = false;
    }
    if (code != ERROR_NONE)
        return code;
    double item = fmin(fmax(both - first, 0.0), first);
    printf("one book    %.3g s with its warm-up\n"
           "one item    %.3g s\n"
           "in all      about %.3g s on %d threads\n",
           first - item, item,
           ((double)books * (first - item) + (double)sweep->items * item) / threads,
           self->common->threads);
    return ERROR_NONE;
}

static int print_plan(struct job *self, struct error *err)
{
    struct sweep *sweep = self->sweep;
    size_t books;
    int code = sweep_books(sweep, &books, err);
    if (code != ERROR_NONE)
        return code;
    printf("points      %zu\ndraws       %zu\nreplicates  %zu\nbaselines   %zu\nruns        %zu\n"
           "books       %zu\nresults     %.1f MB in memory\n",
           sweep->points.points, sweep->points.draws, sweep->replicates, sweep->baseline_count - 1,
           sweep->items * sweep->baseline_count, books,
           1e-6 * (double)(sweep->items * sweep->payload * sizeof(double)));
    return print_times(self, books, err);
}

/* ---- the commands ----------------------------------------------------------------------- */

static int run_job(struct job *self, struct error *err)
{
    int code = critical_wanted(self->sweep) ? critical_check(self->sweep, err) : ERROR_NONE;
    self->wanted = memory_zeroed(self->sweep->items, sizeof *self->wanted);
    if (code == ERROR_NONE && self->wanted == NULL)
        code = error_memory(err, "a sweep");
    if (code == ERROR_NONE && self->options->dry_run)
        code = print_plan(self, err);
    else if (code == ERROR_NONE) {
        directory_make_folder(self->directory);
        code = self->ranks.size > 1 ? sweep_shard(self, err) : sweep_alone(self, err);
    }
    memory_free(self->wanted);
    return code != ERROR_NONE ? code : cli_flush(err);
}

int cli_sweep(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct error_list errors = {0};
    struct sweep sweep;
    char directory[PATHS_SIZE];
    struct job job = {&options, &common, &sweep, {0}, directory, {"sweep", argc, argv}, NULL};
    int code = cli_parse(&sweep_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = ranks_choose(options.shard, &job.ranks, err);
    if (code == ERROR_NONE)
        code = directory_choose(options.output, arguments.items[0], directory, err);
    if (code == ERROR_NONE && job.ranks.size == 1 && !options.dry_run)
        code = directory_check(directory, options.force, err);
    if (code == ERROR_NONE)
        code = sweep_init(&sweep, arguments.items[0], options.sets.items, options.sets.count,
                          options.seed, &errors, err);
    if (code == ERROR_NONE) {
        code = run_job(&job, err);
        sweep_free(&sweep);
    } else if (errors.count > 0) {
        cli_print_errors(&errors);
    }
out:
    error_list_free(&errors);
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}

/* ---- merge ------------------------------------------------------------------------------ */

static const struct cli_option merge_options[] = {
    {"output", 'o', "DIR", "results directory", CLI_TEXT, offsetof(struct options, output), NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
};

static const struct cli_command merge_command = {
    .name = "merge",
    .arguments = "DIR...",
    .summary = "Joins the shards of a sweep into one results directory",
    .notes = "DIR holds shards, or is one. They must belong together and be complete.\n",
    .options = merge_options,
    .option_count = COUNT_OF(merge_options),
    .minimum = 1,
    .maximum = -1,
};

/* Takes the shards' payloads into the sweep that they say they are of. */
static int take_shards(const struct shards *shards, struct sweep *sweep, struct error *err)
{
    char identity[SHA256_TEXT_SIZE];
    int code = sweep_identity(sweep, identity, err);
    if (code != ERROR_NONE)
        return code;
    if (strcmp(identity, shards->layout.identity) != 0 ||
        sweep->items != shards->layout.item_count || sweep->payload != shards->layout.payload_count)
        return error_at(err, ERROR_DATA, shards->folders[0], 0, 0, NULL,
                        "was computed from another scenario or by another version of the program; "
                        "expected shards of this one");
    for (size_t i = 0; i < sweep->items; i++) {
        memcpy(sweep->values + i * sweep->payload, shards_payload(shards, i),
               sweep->payload * sizeof *sweep->values);
        sweep->done[i] = true;
    }
    return ERROR_NONE;
}

static int merge(struct job *job, const struct shards *shards, struct error *err)
{
    char path[PATHS_SIZE];
    struct error_list errors = {0};
    if (snprintf(path, sizeof path, "%s/scenario.yaml", shards->folders[0]) >= (int)sizeof path)
        return error_set(err, ERROR_USAGE, "the shards' folder has too long a name");
    int code = sweep_init(job->sweep, path, NULL, 0, -1, &errors, err);
    if (code == ERROR_NONE) {
        code = take_shards(shards, job->sweep, err);
        if (code == ERROR_NONE)
            code = write_results(job, err);
        sweep_free(job->sweep);
    } else if (errors.count > 0) {
        cli_print_errors(&errors);
    }
    error_list_free(&errors);
    return code != ERROR_NONE ? code : cli_flush(err);
}

int cli_merge(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct shards shards = {0};
    struct sweep sweep;
    struct job job = {.options = &options, .common = &common, .sweep = &sweep};
    int code = cli_parse(&merge_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    if (options.output == NULL)
        code = error_set(err, ERROR_USAGE, "merge: expected -o DIR, where the results go");
    job.directory = options.output;
    job.command = (struct output_command){"merge", argc, argv};
    if (code == ERROR_NONE)
        code = directory_check(options.output, options.force, err);
    if (code == ERROR_NONE)
        code = shards_open(&shards, (const char *const *)arguments.items, (size_t)arguments.count,
                           err);
    if (code == ERROR_NONE)
        code = merge(&job, &shards, err);
    shards_close(&shards);
out:
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}
