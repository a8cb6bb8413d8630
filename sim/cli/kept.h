/*
 * Long studies at the command line: each item (a run) goes into a journal beside the results
 * directory to be as soon as it is done, so that a study that was stopped by whatever goes on with
 * --resume (sim/study/journal.h).
 */
#ifndef LIQCASCADE_SIM_CLI_KEPT_H
#define LIQCASCADE_SIM_CLI_KEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sim/cli/cli.h"
#include "sim/study/journal.h"

/* A study, as far as its journal goes; nothing is owned. */
struct kept {
    const struct cli_common *common;
    size_t items, payload; /* payload: doubles of an item */
    double *values;        /* items * payload */
    bool *done;            /* per item */
    char identity[SHA256_TEXT_SIZE];
};

/* ERROR_SCENARIO: more items, or more numbers of one, than a journal takes. */
int kept_layout(const struct kept *self, struct journal_layout *out, struct error *err);

/* Takes what the journal holds into values and done, and says how much it is. ERROR_DATA. */
int kept_take(const struct kept *self, const struct journal *journal, struct error *err);

/* As the callbacks of studies: appends an item; `journal` is a struct journal. */
int kept_append(void *journal, size_t item, const double *payload, struct error *err);

/* Computes what is not done, with kept_append, and writes the results. */
typedef int kept_work(void *context, struct journal *journal, struct error *err);

/* Opens DIRECTORY.journal, takes what it holds, calls `work`, and closes it. It goes when all went
   well; else it stays, and the user is told. Errors of journal_open and of `work`. */
int kept_run(const struct kept *self, const char *directory, bool resume, kept_work *work,
             void *context, struct error *err);

#endif
