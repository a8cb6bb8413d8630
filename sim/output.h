/*
 * The results directory of a run: tables, the resolved scenario, and the manifest with the hash of
 * every input, what the data policies did, and what the reader should be warned of.
 */
#ifndef LIQCASCADE_SIM_OUTPUT_H
#define LIQCASCADE_SIM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "reports/results.h"
#include "sim/run.h"
#include "sim/setup.h"

#define OUTPUT_WARNINGS_MAX 16
#define OUTPUT_WARNING_SIZE 320

/* What a careful reader must know before using the numbers. */
struct output_warnings {
    char text[OUTPUT_WARNINGS_MAX][OUTPUT_WARNING_SIZE];
    size_t count;
};
void output_warn(const struct setup *setup, const struct run_tables *tables,
                 struct output_warnings *out);

/* One more, unless there are OUTPUT_WARNINGS_MAX. */
void output_warn_add(struct output_warnings *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Of these, what the data and the scenario alone call for. */
void output_warn_inputs(const struct setup *setup, struct output_warnings *out);

struct output_command {
    const char *name; /* "run" */
    int argc;
    char *const *argv;
};

/* Adds the resolved scenario and the manifest to results that are being written. */
int output_describe(const struct setup *setup, const struct output_warnings *warnings,
                    const struct output_command *command, struct results *results,
                    struct error *err);

/* Writes tables, scenario and manifest to `directory`, as output_write does. */
int output_tables(const struct setup *setup, const struct table *tables, size_t count,
                  const struct output_warnings *warnings, const struct output_command *command,
                  const char *directory, bool replace, struct error *err);

/* Writes everything to `directory` at once (reports/results.h), with `replace` in place of one that
   is there. ERROR_IO; then nothing new is left behind, and what was there stays. */
int output_write(const struct setup *setup, const struct run_tables *tables,
                 const struct output_warnings *warnings, const struct output_command *command,
                 const char *directory, bool replace, struct error *err);

#endif
