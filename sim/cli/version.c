/*
 * `version` and `cite`: what this build is, and how to name it in a paper.
 */
#include "base/version.h"

#include <stdio.h>

#include "reports/json.h"
#include "reports/manifest.h"
#include "sim/cli/cli.h"

#define CITE_TITLE "liqcascade: liquidation cascades on leveraged futures markets"
#define CITE_AUTHOR "The liqcascade developers"
#define CITE_YEAR "2026"
#define CITE_LICENSE "GPL-3.0-or-later"

/* Reads the options of a command that takes no more than the common ones. */
static int parse_plain(const struct cli_command *command, int argc, char **argv,
                       struct cli_common *common, bool *out_done, struct error *err)
{
    struct cli_arguments arguments = {0};
    int status = cli_parse(command, argc, argv, NULL, common, &arguments, err);
    *out_done = status != ERROR_NONE || arguments.help_shown;
    cli_arguments_free(&arguments);
    return status;
}

static void print_version_json(const struct manifest_library *libraries, size_t count)
{
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    json_text(&json, "version", LIQCASCADE_VERSION);
    json_text(&json, "revision", LIQCASCADE_REVISION);
    json_text(&json, "compiler", LIQCASCADE_COMPILER);
    json_text(&json, "build_type", LIQCASCADE_BUILD_TYPE);
    json_object_open(&json, "libraries");
    for (size_t i = 0; i < count; i++)
        json_text(&json, libraries[i].name, libraries[i].version);
    json_object_close(&json);
    json_bool(&json, "cpu_fma", manifest_cpu_fma());
    json_object_close(&json);
}

static void print_version(const struct manifest_library *libraries, size_t count)
{
    printf("liqcascade %s\n", LIQCASCADE_VERSION);
    printf("revision   %s\n", LIQCASCADE_REVISION);
    printf("compiler   %s, %s\n", LIQCASCADE_COMPILER, LIQCASCADE_BUILD_TYPE);
    printf("libraries ");
    for (size_t i = 0; i < count; i++)
        printf("%s %s %s", i > 0 ? "," : "", libraries[i].name, libraries[i].version);
    printf("\ncpu        %s fused multiply-add\n", manifest_cpu_fma() ? "with" : "without");
    printf("license    %s\n", CITE_LICENSE);
}

int cli_version(int argc, char **argv, struct error *err)
{
    static const struct cli_command command = {
        .name = "version",
        .arguments = "",
        .summary = "Version, revision, compiler and libraries of this build",
        .json = true,
    };
    struct cli_common common = {0};
    struct manifest_library libraries[MANIFEST_LIBRARIES_MAX];
    bool done = false;
    int status = parse_plain(&command, argc, argv, &common, &done, err);
    if (done)
        return status;
    size_t count = manifest_libraries(libraries);
    if (common.json)
        print_version_json(libraries, count);
    else
        print_version(libraries, count);
    return ERROR_NONE;
}

int cli_cite(int argc, char **argv, struct error *err)
{
    static const struct cli_command command = {
        .name = "cite",
        .arguments = "",
        .summary = "How to cite the program, in plain words and as BibTeX",
    };
    struct cli_common common = {0};
    bool done = false;
    int status = parse_plain(&command, argc, argv, &common, &done, err);
    if (done)
        return status;
    printf("%s (%s). %s.\nVersion %s, revision %s. License %s.\n\n", CITE_AUTHOR, CITE_YEAR,
           CITE_TITLE, LIQCASCADE_VERSION, LIQCASCADE_REVISION, CITE_LICENSE);
    printf("@software{liqcascade,\n"
           "  author  = {{%s}},\n"
           "  title   = {%s},\n"
           "  year    = {%s},\n"
           "  version = {%s},\n"
           "  note    = {revision %s, %s}\n"
           "}\n",
           CITE_AUTHOR, CITE_TITLE, CITE_YEAR, LIQCASCADE_VERSION, LIQCASCADE_REVISION,
           CITE_LICENSE);
    return ERROR_NONE;
}
