/*
 * `liqcascade data synth ANCHORS.csv -o DIR`: makes a reconstruction from a table of published
 * figures (sim/study/synth.h). One row of the table of `data` subcommands.
 */
#ifndef LIQCASCADE_SIM_CLI_DATA_SYNTH_H
#define LIQCASCADE_SIM_CLI_DATA_SYNTH_H

#include "base/error.h"

int cli_data_synth(int argc, char **argv, struct error *err);

#endif
