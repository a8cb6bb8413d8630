/*
 * `sensitivity`: which uncertain parameters of a scenario its results depend on. Runs go into a
 * journal as they are done, so that a study that was stopped by whatever goes on with --resume.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/paths.h"
#include "base/text.h"
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/cli/kept.h"
#include "sim/metrics.h"
#include "sim/output.h"
#include "sim/study/sensitivity_result.h"
#include "sim/study/uncertain.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    struct cli_texts sets;
    const char *output;
    int64_t seed;
    bool force, resume, dry_run;
};

static const struct cli_option sensitivity_options[] = {
    {"output", 'o', "DIR", "results directory (results/<scenario name>)", CLI_TEXT,
     offsetof(struct options, output), NULL},
    {"set", 0, "KEY=VALUE", "override a key, as YAML: sensitivity.rows=64 (may be repeated)",
     CLI_TEXTS, offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
    {"resume", 0, NULL, "go on where an earlier study stopped", CLI_FLAG,
     offsetof(struct options, resume), NULL},
    {"dry-run", 0, NULL, "say what would be done, and time a part of it", CLI_FLAG,
     offsetof(struct options, dry_run), NULL},
};

static const struct cli_command sensitivity_command = {
    .name = "sensitivity",
    .arguments = "SCENARIO",
    .summary = "Says which uncertain parameters of a scenario its results depend on",
    .notes =
        "The scenario's `uncertainty.parameters` are the factors, `sensitivity` says how they are\n"
        "studied. Interrupted, it keeps what is done in DIR.journal; --resume goes on.\n",
    .options = sensitivity_options,
    .option_count = COUNT_OF(sensitivity_options),
    .minimum = 1,
    .maximum = 1,
};

/* ---- a study under way ------------------------------------------------------------------ */

struct job {
    const struct options *options;
    const struct cli_common *common;
    struct uncertain *uncertain;
    struct sensitivity *study;
    const char *directory;
    struct output_command command;
};

/* `journal` is NULL for a plan. */
static int compute(struct job *self, const bool *wanted, struct journal *journal, struct error *err)
{
    struct sensitivity *study = self->study;
    struct progress *progress = &self->uncertain->evaluate.progress;
    size_t runs = 0;
    for (size_t i = 0; i < study->items; i++)
        runs += !study->done[i] && (wanted == NULL || wanted[i]);
    progress_start(progress, "evaluating", "runs", (int64_t)runs);
    cli_be_patient(self->common, journal != NULL);
    int code = sensitivity_run(study, wanted, journal != NULL ? kept_append : NULL, journal, err);
    cli_be_patient(self->common, false);
    progress_end(progress);
    return code;
}

/* ---- what is said ----------------------------------------------------------------------- */

enum { AMOUNT_SIZE = 48 };
#define WIDE_INTERVAL 0.5

/* A value of a metric, or a difference of two. */
static const char *amount(const struct job *self, size_t metric, double value,
                          char buffer[AMOUNT_SIZE])
{
    const struct field *field = metrics_number_field(self->study->plan.metrics[metric]);
    char number[32];
    bool usd = strcmp(field->unit, "usd") == 0;
    if (usd)
        snprintf(buffer, AMOUNT_SIZE, "%s", text_human(value, "$", number));
    else
        snprintf(buffer, AMOUNT_SIZE, "%.4g", value);
    return buffer;
}

/* How much a factor matters to a metric: what factors are ordered by. */
static double weight(const struct sensitivity_result *result, size_t row)
{
    return result->indices != NULL ? result->indices[row].st : result->effects[row].mu_star;
}

/* The rows of a metric, the weightiest first; `order` has room for all factors. */
static void order_rows(const struct sensitivity_result *result, size_t first, size_t factors,
                       size_t *order)
{
    for (size_t i = 0; i < factors; i++) {
        size_t to = i;
        for (; to > 0 && weight(result, first + i) > weight(result, order[to - 1]); to--)
            order[to] = order[to - 1];
        order[to] = first + i;
    }
}

/* A factor whose total index is 0 changed no output at any point. */
static void print_index(const struct sensitivity_index *row, int width)
{
    if (row->st == 0.0) {
        printf("    %-*s  does nothing\n", width, row->factor);
        return;
    }
    printf("    %-*s  %3.0f %% with interactions (%.0f to %.0f), %.0f %% alone (%.0f to %.0f)\n",
           width, row->factor, 100.0 * row->st, 100.0 * row->st_lo, 100.0 * row->st_hi,
           100.0 * row->s1, 100.0 * row->s1_lo, 100.0 * row->s1_hi);
}

static void print_effect(const struct job *self, size_t metric,
                         const struct sensitivity_effect *row, int width)
{
    char size[AMOUNT_SIZE], low[AMOUNT_SIZE], high[AMOUNT_SIZE], sigma[AMOUNT_SIZE];
    if (row->mu_star == 0.0) {
        printf("    %-*s  does nothing\n", width, row->factor);
        return;
    }
    const char *way = row->mu >= 0.9 * row->mu_star    ? "up"
                      : row->mu <= -0.9 * row->mu_star ? "down"
                                                       : "either way";
    printf("    %-*s  %s over its prior (%s to %s), %s; spread %s\n", width, row->factor,
           amount(self, metric, row->mu_star, size), amount(self, metric, row->mu_star_lo, low),
           amount(self, metric, row->mu_star_hi, high), way,
           amount(self, metric, row->sigma, sigma));
}

/* What the first-order indices of all factors come to, and whether to believe it. */
static void print_sum(const struct sensitivity_metric *metric, const struct sensitivity_index *rows,
                      size_t factors)
{
    double widest = 0.0;
    for (size_t i = 0; i < factors; i++)
        widest = fmax(widest, rows[i].st_hi - rows[i].st_lo);
    printf("    alone, they explain %.0f %% of the variance (%.0f to %.0f); what is missing to 100 "
           "they do together\n",
           100.0 * metric->first_sum, 100.0 * metric->first_sum_lo, 100.0 * metric->first_sum_hi);
    if (widest > WIDE_INTERVAL)
        printf("    the intervals are wide; more rows narrow them\n");
}

static void print_metric(const struct job *self, const struct sensitivity_result *result,
                         size_t metric, size_t *order)
{
    const struct sensitivity_metric *row = &result->metrics[metric];
    size_t factors = self->study->model.factor_count;
    char mean[AMOUNT_SIZE], deviation[AMOUNT_SIZE];
    int width = 0;
    for (size_t i = 0; i < factors; i++)
        if ((int)strlen(self->study->model.factors[i]) > width)
            width = (int)strlen(self->study->model.factors[i]);
    printf("  %s: %s in the mean, standard deviation %s\n", row->name,
           amount(self, metric, row->mean, mean),
           amount(self, metric, sqrt(row->variance), deviation));
    if (row->variance == 0.0) {
        printf("    does not depend on any of them\n");
        return;
    }
    order_rows(result, metric * factors, factors, order);
    for (size_t i = 0; i < factors; i++)
        if (result->indices != NULL)
            print_index(&result->indices[order[i]], width);
        else
            print_effect(self, metric, &result->effects[order[i]], width);
    if (result->indices != NULL)
        print_sum(row, &result->indices[metric * factors], factors);
}

/* ---- results ---------------------------------------------------------------------------- */

static size_t count_runaways(const struct sensitivity *study)
{
    size_t count = 0;
    for (size_t i = 0; i < study->items; i++)
        count += evaluate_ran_away(study->values + i * study->payload);
    return count;
}

static void warn_of(const struct job *self, const struct sensitivity_result *result,
                    struct output_warnings *out)
{
    const struct sensitivity *study = self->study;
    size_t ran_away = count_runaways(study);
    output_warn_inputs(&self->uncertain->evaluate.setup, out);
    if (ran_away > 0)
        output_warn_add(out,
                        "in %zu of %zu runs the price ran away, beyond what impact parameters "
                        "mean: the study is of the others alone",
                        ran_away, study->items);
    for (size_t m = 0; m < study->plan.metric_count; m++)
        if (result->metrics[m].used < study->groups)
            output_warn_add(out,
                            "%s is missing at points of %zu of %zu %s, which are left out: what "
                            "is told of it is of the others",
                            result->metrics[m].name, study->groups - result->metrics[m].used,
                            study->groups, result->indices != NULL ? "rows" : "trajectories");
}

static void print_all(const struct job *self, const struct sensitivity_result *result,
                      size_t *order)
{
    const struct sensitivity *study = self->study;
    printf("%s: %zu parameters, %zu %s, %zu points, %zu replicates\n",
           self->uncertain->evaluate.scenario.title, study->model.factor_count, study->groups,
           result->indices != NULL ? "rows" : "trajectories", study->points,
           study->model.replicates);
    for (size_t m = 0; m < study->plan.metric_count; m++)
        print_metric(self, result, m, order);
    printf("  results in %s\n", self->directory);
}

static int write_results(struct job *self, struct error *err)
{
    const struct setup *setup = &self->uncertain->evaluate.setup;
    struct sensitivity_result result = {0};
    struct sensitivity_points points = {0};
    struct output_warnings warnings;
    size_t *order = memory_alloc(self->study->model.factor_count, sizeof *order);
    int code = order == NULL ? error_memory(err, "a sensitivity study") : ERROR_NONE;
    if (code == ERROR_NONE)
        code = sensitivity_result_make(self->study, &result, err);
    if (code == ERROR_NONE)
        code = sensitivity_points_make(self->study, &points, err);
    if (code == ERROR_NONE) {
        struct table tables[] = {sensitivity_result_table(&result),
                                 sensitivity_points_table(&points)};
        warn_of(self, &result, &warnings);
        code = output_tables(setup, tables, COUNT_OF(tables), &warnings, &self->command,
                             self->directory, self->options->force, err);
    }
    for (size_t i = 0; code == ERROR_NONE && i < warnings.count; i++)
        cli_warn(self->common, "%s", warnings.text[i]);
    if (code == ERROR_NONE && !self->common->quiet)
        print_all(self, &result, order);
    sensitivity_points_free(&points);
    sensitivity_result_free(&result);
    memory_free(order);
    return code;
}

static int compute_and_write(void *context, struct journal *journal, struct error *err)
{
    int code = compute(context, NULL, journal, err);
    return code != ERROR_NONE ? code : write_results(context, err);
}

static int run_study(struct job *self, struct error *err)
{
    struct sensitivity *study = self->study;
    struct kept kept = {.common = self->common,
                        .items = study->items,
                        .payload = study->payload,
                        .values = study->values,
                        .done = study->done};
    int code = uncertain_identity(self->uncertain, kept.identity, err);
    if (code != ERROR_NONE)
        return code;
    directory_make_folder(self->directory);
    return kept_run(&kept, self->directory, self->options->resume, compute_and_write, self, err);
}

/* ---- the plan --------------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The first row or trajectory alone. */
static int time_group(struct job *self, double *out_s, struct error *err)
{
    struct sensitivity *study = self->study;
    bool *wanted = memory_zeroed(study->items, sizeof *wanted);
    if (wanted == NULL)
        return error_memory(err, "a plan");
    memset(wanted, true, study->group_points * study->model.replicates * sizeof *wanted);
    double start = now_s();
    int code = compute(self, wanted, NULL, err);
    *out_s = now_s() - start;
    memory_free(wanted);
    return code;
}

static int print_plan(struct job *self, struct error *err)
{
    const struct sensitivity *study = self->study;
    bool sobol = study->plan.method == SENSITIVITY_SOBOL;
    size_t books;
    double each;
    int code = uncertain_books(self->uncertain, study, &books, err);
    if (code != ERROR_NONE)
        return code;
    printf("parameters  %zu\n%s  %zu\npoints      %zu\nreplicates  %zu\nruns        %zu\n"
           "books       %zu\nresults     %.1f MB in memory\n",
           study->model.factor_count, sobol ? "rows      " : "trajectories", study->groups,
           study->points, study->model.replicates, study->items, books,
           1e-6 * (double)(study->items * study->payload * sizeof(double)));
    code = time_group(self, &each, err);
    if (code == ERROR_NONE)
        printf("one %s %.3g s with its books, on %d threads\nin all      about %.3g s\n",
               sobol ? "row    " : "trajectory", each, self->common->threads,
               each * (double)study->groups);
    return code;
}

/* ---- the command ------------------------------------------------------------------------ */

static int run_job(struct job *self, struct error *err)
{
    struct sensitivity_model model = uncertain_model(self->uncertain);
    struct sensitivity_plan plan = uncertain_plan(self->uncertain);
    int code = sensitivity_init(self->study, &model, &plan, err);
    if (code != ERROR_NONE)
        return code;
    code = self->options->dry_run ? print_plan(self, err) : run_study(self, err);
    sensitivity_free(self->study);
    return code != ERROR_NONE ? code : cli_flush(err);
}

int cli_sensitivity(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct error_list errors = {0};
    struct uncertain uncertain;
    struct sensitivity study;
    char directory[PATHS_SIZE];
    struct job job = {&options, &common,   &uncertain,
                      &study,   directory, {"sensitivity", argc, argv}};
    int code = cli_parse(&sensitivity_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = directory_choose(options.output, arguments.items[0], directory, err);
    if (code == ERROR_NONE && !options.dry_run)
        code = directory_check(directory, options.force, err);
    if (code == ERROR_NONE)
        code = uncertain_init(&uncertain, arguments.items[0], options.sets.items,
                              options.sets.count, options.seed, &errors, err);
    if (code == ERROR_NONE) {
        code = run_job(&job, err);
        uncertain_free(&uncertain);
    } else if (errors.count > 0) {
        cli_print_errors(&errors);
    }
out:
    error_list_free(&errors);
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}
