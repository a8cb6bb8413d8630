#include "scenarios/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/paths.h"
#include "base/text.h"
#include "reports/json.h"
#include "scenarios/schema.h"
#include "sim/cli/cli.h"
#include "sim/cli/keys.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define WARMUP_RECOMMENDED_MS (30 * CALENDAR_DAY_MS)

struct options {
    struct cli_texts sets;
    const char *output;
};

static const struct cli_option set_options[] = {
    {"set", 0, "KEY=VALUE", "override a key, as YAML: impact.gamma=0.5", CLI_TEXTS,
     offsetof(struct options, sets), NULL},
};
static const struct cli_option new_options[] = {
    {"output", 'o', "FILE", "the file to write (NAME.yaml)", CLI_TEXT,
     offsetof(struct options, output), NULL},
};

static const struct cli_command check_command = {
    .name = "scenario check",
    .arguments = "FILE",
    .summary = "Reads a scenario and reports every error in it, without running it",
    .options = set_options,
    .option_count = COUNT_OF(set_options),
    .minimum = 1,
    .maximum = 1,
};
static const struct cli_command show_command = {
    .name = "scenario show",
    .arguments = "FILE",
    .summary = "Prints the resolved scenario: every key with the value in force",
    .options = set_options,
    .option_count = COUNT_OF(set_options),
    .minimum = 1,
    .maximum = 1,
};
static const struct cli_command schema_command = {
    .name = "scenario schema",
    .arguments = "",
    .summary = "Prints every key with its type, unit, default, bounds and source",
    .json = true,
};
static const struct cli_command new_command = {
    .name = "scenario new",
    .arguments = "[NAME]",
    .summary = "Writes a commented scenario to start from; never over a file that is there",
    .options = new_options,
    .option_count = COUNT_OF(new_options),
    .maximum = 1,
};

/* --- check and show --- */

static void warn_short_warmup(const struct scenario *scenario, const struct cli_common *common)
{
    char length[CALENDAR_TEXT_SIZE];
    int64_t warmup_ms = scenario->time.start_ms - scenario->time.warmup_ms;
    if (scenario->book.positions_from != NULL || warmup_ms >= WARMUP_RECOMMENDED_MS)
        return;
    cli_warn(common, "the warm-up lasts %s; at least 30d are recommended to build the book",
             calendar_format_duration(warmup_ms, length));
}

static void print_ok(const struct scenario *scenario)
{
    static const char *const feedback[] = {"closed", "open", "naive"};
    const char *path =
        schema_find(&schema_scenario, "path.model", 0)->field.choices[scenario->path.model];
    char start[CALENDAR_TEXT_SIZE], end[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    int64_t steps = (scenario->time.end_ms - scenario->time.start_ms) / scenario->time.step_ms;
    int64_t levels = scenario->oi.level_count > 0 ? (int64_t)scenario->oi.level_count : 1;
    int64_t runs = levels * scenario->replicates;
    printf("ok: %s: %s, %s to %s, %" PRId64 " steps of %s, path %s, feedback %s, %" PRId64
           " run%s\n",
           scenario->title, scenario->symbol, calendar_format_iso(scenario->time.start_ms, start),
           calendar_format_iso(scenario->time.end_ms, end), steps,
           calendar_format_duration(scenario->time.step_ms, step), path,
           feedback[scenario->feedback], runs, runs == 1 ? "" : "s");
}

/* Loads a scenario; all of its errors are printed and `err` stays empty. */
static int load(struct scenario *scenario, const char *path, const struct cli_texts *sets)
{
    struct error_list errors = {0};
    int code = scenario_load(scenario, path, sets->items, sets->count, &errors);
    if (code != ERROR_NONE)
        cli_print_errors(&errors);
    error_list_free(&errors);
    return code;
}

/* What `check` and `show` do with the loaded scenario. */
typedef int use_scenario(const struct scenario *scenario, const struct cli_common *common,
                         struct error *err);

static int with_scenario(const struct cli_command *command, int argc, char **argv,
                         use_scenario *use, struct error *err)
{
    struct options options = {0};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct scenario scenario;
    int code = cli_parse(command, argc, argv, &options, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    code = load(&scenario, arguments.items[0], &options.sets);
    if (code != ERROR_NONE)
        goto out;
    code = use(&scenario, &common, err);
    scenario_free(&scenario);
    if (code == ERROR_NONE)
        code = cli_flush(err);
out:
    cli_arguments_free(&arguments);
    cli_texts_free(&options.sets);
    return code;
}

static int use_check(const struct scenario *scenario, const struct cli_common *common,
                     struct error *err)
{
    (void)err;
    warn_short_warmup(scenario, common);
    print_ok(scenario);
    return ERROR_NONE;
}

static int use_show(const struct scenario *scenario, const struct cli_common *common,
                    struct error *err)
{
    (void)common;
    return scenario_write(scenario, stdout, err);
}

static int cli_scenario_check(int argc, char **argv, struct error *err)
{
    return with_scenario(&check_command, argc, argv, use_check, err);
}

static int cli_scenario_show(int argc, char **argv, struct error *err)
{
    return with_scenario(&show_command, argc, argv, use_show, err);
}

/* --- schema --- */

/* A table of the schema and what stands before its keys. */
struct part {
    const struct schema_table *table;
    const char *prefix, *heading;
};

static const struct part parts[] = {
    {&schema_scenario, "", "Keys of a scenario"},
    {&schema_source, "data.INPUT.",
     "Keys of a source (data.price, mark, volume_coins, funding, oi, liquidations)"},
    {&schema_venue, "venues[].", "Keys of a venue"},
    {&schema_tier, "book.leverage.tiers[].", "Keys of a leverage tier"},
    {&schema_point, "path.points[].", "Keys of a point of a bridge"},
};

/* The key as it is written; a row that only some inputs take names them: data.oi|liquidations. */
static void full_key(const struct part *part, const struct schema_row *row, char *out, size_t size)
{
    if (row->roles == 0) {
        snprintf(out, size, "%s%s", part->prefix, row->field.name);
        return;
    }
    size_t used = (size_t)snprintf(out, size, "data.");
    const char *separator = "";
    for (int role = 0; role < MARKET_INPUT_COUNT && used < size; role++) {
        if (!schema_takes(row, role))
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", separator,
                                 market_input_name((enum market_input)role));
        separator = "|";
    }
    if (used < size)
        snprintf(out + used, size - used, ".%s", row->field.name);
}

static void print_row(const struct part *part, const struct schema_row *row)
{
    char key[128], expected[SCHEMA_EXPECTED_SIZE];
    const struct field *field = &row->field;
    full_key(part, row, key, sizeof key);
    printf("%s: %s\n", key, field->default_text != NULL ? field->default_text : "(required)");
    printf("    %s", schema_expected(row, expected));
    if (field->unit[0] != '\0')
        printf("; %s", field->unit);
    printf("\n    %s", field->documentation);
    if (field->source != NULL)
        printf("\n    source: %s", field->source);
    putchar('\n');
}

static void print_part(const struct part *part)
{
    printf("%s\n\n", part->heading);
    for (size_t i = 0; i < part->table->count; i++)
        print_row(part, &part->table->rows[i]);
    putchar('\n');
}

static void json_row(struct json *json, const struct part *part, const struct schema_row *row)
{
    char key[128];
    full_key(part, row, key, sizeof key);
    keys_json(json, key, row);
}

static void json_schema(void)
{
    struct json json;
    json_begin(&json, stdout);
    json_array_open(&json, NULL);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        for (size_t k = 0; k < parts[i].table->count; k++)
            json_row(&json, &parts[i], &parts[i].table->rows[k]);
    }
    json_array_close(&json);
}

static int cli_scenario_schema(int argc, char **argv, struct error *err)
{
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    int code = cli_parse(&schema_command, argc, argv, NULL, &common, &arguments, err);
    if (code == ERROR_NONE && !arguments.help_shown) {
        if (common.json)
            json_schema();
        for (size_t i = 0; !common.json && i < COUNT_OF(parts); i++)
            print_part(&parts[i]);
        code = cli_flush(err);
    }
    cli_arguments_free(&arguments);
    return code;
}

/* --- new --- */

static const char starter_text[] =
    "# A scenario: what to run. Every other key has a default: `liqcascade scenario schema`.\n"
    "format: 1\n"
    "title: %s\n"
    "symbol: BTCUSDT\n"
    "seed: 1\n"
    "\n"
    "time:                          # ISO 8601, UTC\n"
    "  warmup: 2025-09-08T00:00Z    # the book is built from here; 30 days or more\n"
    "  start: 2025-10-10T20:00Z     # metrics from here\n"
    "  end: 2025-10-11T02:00Z\n"
    "  step: 1m\n"
    "\n"
    "data:                          # the shipped series is a reconstruction from published "
    "figures\n"
    "  price: {source: builtin:btc-2025-autumn}\n"
    "  mark: {source: builtin:btc-2025-autumn}\n"
    "  volume_coins: {source: builtin:btc-2025-autumn}\n"
    "  funding: {source: builtin:btc-2025-autumn, interval: 8h, unit: fraction}\n"
    "  oi: {source: builtin:btc-2025-autumn, unit: coins, scope: all_without_cme}\n"
    "  # a file of your own, relative to this one:\n"
    "  #   price: {path: \"data/BTCUSDT-1m-*.zip\", format: binance_klines}\n"
    "  # any CSV:\n"
    "  #   oi: {path: oi.csv.zst, format: generic, time: {column: ts, as: unix_ms},\n"
    "  #        columns: {oi: open_interest}, unit: coins, scope: binance}\n"
    "  on: {gap: error, repeat: drop, zero: error, stale: error}   # flaws of the data\n"
    "\n"
    "path: {model: observed}        # or {model: shock, at: 2025-10-10T21:00Z, move_log: -0.10}\n"
    "feedback: open                 # observed path: open or naive; shock: closed\n"
    "\n"
    "book:\n"
    "  turnover_per_hour: 0.05      # share of OI that closes and reopens each hour\n"
    "  leverage: {model: pareto, alpha: 1.0}\n"
    "  size_usd: {model: lognormal, median: 13000, sigma: 2.0}\n"
    "  hedged_short_share: 0.45     # basis trade and market making\n"
    "\n"
    "venues:                        # the shares sum to 1\n"
    "  - {name: all, rules: binance, oi_share: 1}\n"
    "\n"
    "impact:\n"
    "  model: power\n"
    "  gamma: 0.76\n"
    "  reference_coins: 165         # this net flow ...\n"
    "  reference_move_log: 9.0e-4   # ... moves the log price this much\n"
    "  half_life: 20m\n"
    "\n"
    "output: [summary, steps, tiers, venues, episodes]\n";

/* A text that YAML reads as itself between double quotes. */
static void quote_title(const char *name, struct text_buffer *out)
{
    text_append(out, "\"");
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            text_append(out, "\\");
        text_append_bytes(out, name, 1);
    }
    text_append(out, "\"");
}

/* Names become file names and titles; control characters fit neither. */
static bool name_good(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    }
    return name[0] != '\0';
}

static bool ends_in_yaml(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

static int write_starter(const char *path, const char *name, struct error *err)
{
    struct text_buffer title = {0};
    FILE *file = NULL;
    int code;
    quote_title(name, &title);
    if (title.failed) {
        code = error_memory(err, "writing a scenario");
        goto out;
    }
    file = fopen(path, "wx");
    if (file == NULL) {
        code = error_errno(err, path, errno, "cannot create the scenario");
        goto out;
    }
    fprintf(file, starter_text, title.data);
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    if (failed)
        remove(path);
    code = failed ? error_errno(err, path, errno, "cannot write the scenario") : ERROR_NONE;
out:
    text_buffer_free(&title);
    return code;
}

static int write_new(const struct options *options, const struct cli_arguments *arguments,
                     const struct cli_common *common, struct error *err)
{
    struct text_buffer path = {0};
    const char *name = arguments->count > 0 ? arguments->items[0] : "scenario";
    int code;
    if (!name_good(name))
        return error_set(err, ERROR_USAGE,
                         "the name is empty or has control characters; expected "
                         "a name such as btc-2025");
    text_append(&path, options->output != NULL ? options->output : name);
    if (options->output == NULL && !ends_in_yaml(name))
        text_append(&path, ".yaml");
    if (path.failed)
        code = error_memory(err, "writing a scenario");
    else
        code = write_starter(path.data, name, err);
    if (code == ERROR_NONE)
        cli_note(common, "%s written; try `liqcascade scenario check %s`", path.data, path.data);
    text_buffer_free(&path);
    return code;
}

static int cli_scenario_new(int argc, char **argv, struct error *err)
{
    struct options options = {0};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    int code = cli_parse(&new_command, argc, argv, &options, &common, &arguments, err);
    if (code == ERROR_NONE && !arguments.help_shown)
        code = write_new(&options, &arguments, &common, err);
    cli_arguments_free(&arguments);
    return code;
}

int cli_scenario(int argc, char **argv, struct error *err)
{
    static const struct cli_row rows[] = {
        {"check", "report every error of a scenario", cli_scenario_check},
        {"show", "print the resolved scenario", cli_scenario_show},
        {"schema", "print every key", cli_scenario_schema},
        {"new", "write a scenario to start from", cli_scenario_new},
    };
    return cli_dispatch("scenario", rows, COUNT_OF(rows), argc, argv, err);
}
