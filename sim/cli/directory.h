/*
 * The results directory of a command.
 */
#ifndef LIQCASCADE_SIM_CLI_DIRECTORY_H
#define LIQCASCADE_SIM_CLI_DIRECTORY_H

#include <stdbool.h>

#include "base/error.h"
#include "base/paths.h"

#define DIRECTORY_SUFFIX_SIZE 16 /* room left for what stands behind it: ".journal" */

/* results/<file name without .yaml>, unless `output` (may be NULL) says where; without a slash at
   the end. ERROR_USAGE when it is too long. */
int directory_choose(const char *output, const char *scenario, char out[PATHS_SIZE],
                     struct error *err);

/* ERROR_IO when it is there and may not be replaced. Asked before the work: nobody should wait for
   results that cannot be written. */
int directory_check(const char *directory, bool force, struct error *err);

/* Both, where results are only written with --output; `out` is empty without. */
int directory_if_asked(const char *output, bool force, const char *scenario, char out[PATHS_SIZE],
                       struct error *err);

/* Makes the folder that the directory is to lie in, one level, as results do: what is kept while
   they are computed lies there before them. Where that fails, making what lies in it says why. */
void directory_make_folder(const char *directory);

#endif
