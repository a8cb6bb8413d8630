#include <stdio.h>
#include <string.h>

#include "sim/cli/cli.h"

static void print_overview(const struct cli_row *rows, size_t count)
{
    puts("liqcascade: liquidation cascades on leveraged futures markets.\n\n"
         "Usage: liqcascade COMMAND [ARGUMENT]... [OPTION]...\n");
    cli_print_rows(rows, count, stdout);
    puts("\nEvery command takes -q, -v, --progress=auto|always|never and --threads N; those that\n"
         "report take --json. Results go to stdout, messages to stderr. Exit status: 0 done,\n"
         "2 command line, 3 scenario, 4 data, 5 input or output, 6 numerical, 130 interrupted.\n"
         "`liqcascade help COMMAND` tells more about one.");
}

/* A command's usage is printed by the command itself, from its own table. */
static int help_on(const char *name, struct error *err)
{
    char program[] = "liqcascade", command[64], option[] = "--help";
    char *arguments[] = {program, command, option, NULL};
    size_t count = 0;
    const struct cli_row *rows = cli_commands(&count);
    snprintf(command, sizeof command, "%s", name);
    return cli_dispatch("", rows, count, 3, arguments, err);
}

int cli_help(int argc, char **argv, struct error *err)
{
    static const struct cli_command command = {
        .name = "help",
        .arguments = "[COMMAND]",
        .summary = "What there is, or how to use one command",
        .maximum = 1,
    };
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    int status = cli_parse(&command, argc, argv, NULL, &common, &arguments, err);
    if (status == ERROR_NONE && !arguments.help_shown && arguments.count == 1) {
        status = help_on(arguments.items[0], err);
    } else if (status == ERROR_NONE && !arguments.help_shown) {
        size_t count = 0;
        const struct cli_row *rows = cli_commands(&count);
        print_overview(rows, count);
    }
    cli_arguments_free(&arguments);
    return status;
}
