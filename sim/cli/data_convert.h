/* `liqcascade data convert IN -o OUT.csv.zst`: any readable series as canonical CSV. */
#ifndef LIQCASCADE_SIM_CLI_DATA_CONVERT_H
#define LIQCASCADE_SIM_CLI_DATA_CONVERT_H

#include "base/error.h"

int cli_data_convert(int argc, char **argv, struct error *err);

#endif
