/*
 * `liqcascade data events [NAME]`: the crashes of a table of events (datasets/events.h), or the
 * figures that were published for one of them. One row of the table of `data` subcommands.
 */
#ifndef LIQCASCADE_SIM_CLI_DATA_EVENTS_H
#define LIQCASCADE_SIM_CLI_DATA_EVENTS_H

#include "base/error.h"

int cli_data_events(int argc, char **argv, struct error *err);

#endif
