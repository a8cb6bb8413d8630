/*
 * Where the shipped files are (source descriptors, bracket tables, reconstructed series,
 * scenarios): the directory of LIQCASCADE_SHARE when that variable is set, else beside the
 * command as installed (`../share/liqcascade` of the executable), else the source tree that the
 * build came from. The layout below it is that of the repository: `datasets/`, `scenarios/`.
 */
#ifndef LIQCASCADE_BASE_PATHS_H
#define LIQCASCADE_BASE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define PATHS_SIZE 4096

/* Full path of a shipped file, e.g. "datasets/venues/binance.csv". ERROR_IO when there is no share
   directory or the path would not fit; the file itself is not looked at. */
int paths_shipped(const char *relative, char out_path[PATHS_SIZE], struct error *err);

/* `path` taken relative to the folder of the file `base_file` unless it is absolute. ERROR_IO when
   it does not fit. */
int paths_relative_to(const char *base_file, const char *path, char out_path[PATHS_SIZE],
                      struct error *err);

bool paths_exists(const char *path);

#endif
