/*
 * `calibrate`: fits parameters to reported liquidations and says what the data tell about them.
 */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/paths.h"
#include "reports/json.h"
#include "sim/cli/cli.h"
#include "sim/cli/directory.h"
#include "sim/output.h"
#include "sim/study/calibration.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    struct cli_texts sets;
    const char *output;
    int64_t seed;
    bool force;
};

static const struct cli_option calibrate_options[] = {
    {"set", 0, "KEY=VALUE", "override a key, as YAML: calibrate.starts=8 (may be repeated)",
     CLI_TEXTS, offsetof(struct options, sets), NULL},
    {"seed", 0, "N", "override the scenario's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"output", 'o', "DIR", "write a results directory: calibration.csv", CLI_TEXT,
     offsetof(struct options, output), NULL},
    {"force", 'f', NULL, "replace the results directory if it is there", CLI_FLAG,
     offsetof(struct options, force), NULL},
};

static const struct cli_command calibrate_command = {
    .name = "calibrate",
    .arguments = "SCENARIO",
    .summary = "Fits calibrate.parameters to the liquidations that were reported",
    .notes = "Flow is modelled along the observed price, without feedback, and compared with\n"
             "data.liquidations of the scenario, or of all files in backtest.assets together.\n",
    .options = calibrate_options,
    .option_count = COUNT_OF(calibrate_options),
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

static void print_row(const struct calibration *calibration, const struct calibration_row *row)
{
    printf("  %-34s %10.4g", row->parameter, row->value);
    if (!isnan(row->lo))
        printf("   %.4g to %.4g (%g %%)", row->lo, row->hi, 100.0 * calibration->plan.level);
    if (row->bound != NULL)
        printf(", at the %s bound %.4g", row->bound, row->bound[0] == 'l' ? row->low : row->high);
    printf("\n");
}

static bool is_throttled(const struct calibrate_fit *fit)
{
    return fit->observed[FLOW_BAR] || fit->observed[FLOW_DAY];
}

static void print_answer(const struct calibration *calibration, const struct calibrate_fit *fit,
                         const struct calibration_row *rows, size_t count, const char *directory)
{
    const char *title = calibration->scenario.title;
    printf("%s\n", title != NULL ? title : calibration->scenario.symbol);
    for (size_t i = 0; i < count; i++)
        print_row(calibration, &rows[i]);
    printf("  logarithms of reported and expected flow differ by %.3g (root of the weighted mean "
           "square), in %zu evaluations\n",
           sqrt(fit->distance), fit->evaluations);
    if (is_throttled(fit)) {
        printf("  ");
        cli_print_wrapped(2, 2,
                          "The feed is taken to be throttled: it reports a Q^b of a flow Q in "
                          "USD. Such a feed shows how flow is spread over time and sides, not how "
                          "large it is: a and the level of the model are not identified together.");
    }
    if (directory[0] != '\0')
        printf("  results in %s\n", directory);
}

static void print_json(const struct calibration *calibration, const struct calibrate_fit *fit,
                       const struct calibration_row *rows, size_t count, const char *directory)
{
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    json_integer(&json, "schema_version", 1);
    json_text(&json, "results", directory[0] != '\0' ? directory : NULL);
    json_text(&json, "title", calibration->scenario.title);
    json_integer(&json, "evaluations", (int64_t)fit->evaluations);
    json_bool(&json, "level_identified", !is_throttled(fit));
    json_array_open(&json, "parameters");
    for (size_t i = 0; i < count; i++) {
        json_object_open(&json, NULL);
        for (size_t f = 0; f < calibration_field_count; f++)
            json_field(&json, &calibration_fields[f], &rows[i]);
        json_object_close(&json);
    }
    json_array_close(&json);
    json_object_close(&json);
}

/* ---- the command ------------------------------------------------------------------------ */

static int write_results(const struct job *job, const struct calibration *calibration,
                         const struct calibration_row *rows, size_t count, struct error *err)
{
    const struct table tables[] = {
        {"calibration", calibration_fields, calibration_field_count, rows, count, sizeof *rows},
    };
    struct output_warnings warnings = {.count = 0};
    return output_tables(&calibration->sources[0].setup, tables, COUNT_OF(tables), &warnings,
                         &job->command, job->directory, job->options->force, err);
}

/* The rows of the fit and those of the assets' impacts, which stay in `impacts`. */
static int list_rows(const struct calibration *calibration, const struct calibrate_fit *fit,
                     struct calibration_impact *impacts, struct calibration_row *rows,
                     size_t *out_count, struct error *err)
{
    size_t count = calibration_rows(calibration, fit, rows);
    if (count == 0)
        return error_memory(err, "describing a calibration");
    int code = calibration_impacts(calibration, fit, impacts, err);
    for (size_t a = 0; a < calibration->asset_count && code == ERROR_NONE; a++)
        rows[count++] = calibration_impact_row(&impacts[a]);
    *out_count = count;
    return code;
}

static int describe(const struct job *job, const struct calibration *calibration,
                    const struct calibrate_fit *fit, struct error *err)
{
    size_t assets = calibration->asset_count, count = 0;
    struct calibration_impact *impacts = memory_zeroed(assets, sizeof *impacts);
    struct calibration_row *rows = memory_zeroed(CALIBRATION_ROWS_MAX + assets, sizeof *rows);
    int code = impacts == NULL || rows == NULL
                   ? error_memory(err, "describing a calibration")
                   : list_rows(calibration, fit, impacts, rows, &count, err);
    if (code == ERROR_NONE && job->directory[0] != '\0')
        code = write_results(job, calibration, rows, count, err);
    if (code == ERROR_NONE && job->common->json)
        print_json(calibration, fit, rows, count, job->directory);
    else if (code == ERROR_NONE && !job->common->quiet)
        print_answer(calibration, fit, rows, count, job->directory);
    memory_free(impacts);
    memory_free(rows);
    return code == ERROR_NONE ? cli_flush(err) : code;
}

static int fit_and_write(const struct job *job, struct calibration *calibration, struct error *err)
{
    struct calibrate_fit fit;
    int code = calibration_run(calibration, &fit, err);
    if (code != ERROR_NONE)
        return code;
    code = describe(job, calibration, &fit, err);
    calibrate_fit_free(&fit);
    return code;
}

int cli_calibrate(int argc, char **argv, struct error *err)
{
    struct options options = {.seed = -1};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct error_list errors = {0};
    struct calibration calibration;
    char directory[PATHS_SIZE];
    int code = cli_parse(&calibrate_command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = directory_if_asked(options.output, options.force, arguments.items[0], directory, err);
    if (code == ERROR_NONE)
        code = calibration_init(&calibration, arguments.items[0], options.sets.items,
                                options.sets.count, options.seed, &errors, err);
    if (code == ERROR_NONE) {
        const struct job job = {&options, &common, directory, {"calibrate", argc, argv}};
        code = fit_and_write(&job, &calibration, err);
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
