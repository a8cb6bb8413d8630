/*
 * The command: one table of subcommands drives dispatch, the list of commands
 * and help. Only here an error becomes text and an exit status.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "sim/cli/cli.h"

static const struct cli_row commands[] = {
    {"run", "run a scenario and write a results directory", cli_run},
    {"sweep", "run a scenario at many points, with bands and critical values", cli_sweep},
    {"merge", "join the shards of a sweep", cli_merge},
    {"solve", "the smallest change of a key at which a condition begins to hold", cli_solve},
    {"sensitivity", "tell which uncertain parameters the results depend on", cli_sensitivity},
    {"signals", "the rules on open interest, and whether they foretold anything", cli_signals},
    {"map", "where open interest would be liquidated", cli_map},
    {"calibrate", "fit parameters to reported liquidations", cli_calibrate},
    {"backtest", "predict liquidations that were not fitted to, beside null models", cli_backtest},
    {"data", "check, describe, convert and synthesise market history", cli_data},
    {"scenario", "check, show and start scenario files", cli_scenario},
    {"liqprice", "liquidation price of a position", cli_liqprice},
    {"funding", "what funding costs, and when it alone liquidates", cli_funding},
    {"models", "every model with its parameters and sources", cli_models},
    {"version", "version, revision, compiler and libraries", cli_version},
    {"cite", "how to cite the program", cli_cite},
    {"help", "this list, or help on one command", cli_help},
};

const struct cli_row *cli_commands(size_t *out_count)
{
    *out_count = sizeof commands / sizeof *commands;
    return commands;
}

int main(int argc, char **argv)
{
    static char version[] = "version";
    struct error err = {0};
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    interrupt_install();
    memory_keep_freed();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an exit status, never a death in mid-write */
    int status = cli_dispatch("", commands, sizeof commands / sizeof *commands, argc, argv, &err);
    if (status == ERROR_NONE)
        status = cli_flush(&err);
    if (status != ERROR_NONE && err.message[0] != '\0')
        cli_print_error(&err);
    return status;
}
