#include "sim/cli/data_synth.h"

#include <inttypes.h>

#include "base/calendar.h"
#include "sim/cli/cli.h"
#include "sim/study/synth.h"

struct options {
    const char *output;
    int64_t seed; /* -1: the table's */
    int64_t from_ms, to_ms;
    bool force;
};

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "directory to write", CLI_TEXT, offsetof(struct options, output), NULL},
    {"seed", 0, "N", "in place of the table's seed", CLI_INTEGER, offsetof(struct options, seed),
     NULL},
    {"from", 0, "TIME", "first minute to write", CLI_TIME, offsetof(struct options, from_ms), NULL},
    {"to", 0, "TIME", "end of the part to write", CLI_TIME, offsetof(struct options, to_ms), NULL},
    {"force", 'f', NULL, "replace an earlier reconstruction", CLI_FLAG,
     offsetof(struct options, force), NULL}};

static const struct cli_command command = {
    .name = "data synth",
    .arguments = "ANCHORS.csv",
    .summary = "Make minute series from a table of published figures by a seeded bridge",
    .notes = "The result is a reconstruction, not an observation, and says so in its meta.yaml.\n"
             "Shipped tables are in datasets/anchors; each figure there names its source.\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .minimum = 1,
    .maximum = 1};

static int make(const struct options *chosen, const char *table, const struct cli_common *common,
                struct error *err)
{
    struct anchors anchors = {0};
    struct synth synth = {0};
    struct synth_options how = {.has_seed = chosen->seed >= 0,
                                .seed = (uint64_t)chosen->seed,
                                .from_ms = chosen->from_ms,
                                .to_ms = chosen->to_ms};
    int code = anchors_read(&anchors, table, err);
    if (code == ERROR_NONE)
        code = synth_build(&synth, &anchors, &how, err);
    if (code == ERROR_NONE)
        code = synth_write(&synth, &anchors, chosen->output, chosen->force, err);
    if (code == ERROR_NONE)
        cli_note(
            common, "%s: a reconstruction of %zu minutes from %zu published prices, seed %" PRIu64,
            chosen->output, synth.end - synth.first, anchors.list[ANCHOR_PRICE].count, synth.seed);
    synth_free(&synth);
    anchors_free(&anchors);
    return code;
}

int cli_data_synth(int argc, char **argv, struct error *err)
{
    struct options chosen = {.seed = -1, .from_ms = CALENDAR_NONE, .to_ms = CALENDAR_NONE};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    int code = cli_parse(&command, argc, argv, &chosen, &common, &arguments, err);
    if (code != ERROR_NONE || arguments.help_shown)
        goto out;
    if (chosen.output == NULL)
        code = error_set(err, ERROR_USAGE, "data synth needs -o DIR, the directory to write");
    else if (chosen.seed < -1)
        code = error_set(err, ERROR_USAGE, "--seed is a whole number of 0 or more");
    else
        code = make(&chosen, arguments.items[0], &common, err);
out:
    cli_arguments_free(&arguments);
    return code;
}
