/*
 * A results directory, written atomically: files are created in a hidden temporary directory beside
 * the target, synced, and the directory is renamed at the end. Whoever sees the directory sees all
 * of it; an interrupted or failed run leaves nothing behind.
 *
 *     struct results results;
 *     if (results_begin(&results, "out", &err) != 0) goto out;
 *     results_table(&results, &summary, &err); ...
 *     results_commit(&results, &err);
 *   out:
 *     results_abort(&results);      // does nothing after a commit
 */
#ifndef LIQCASCADE_REPORTS_RESULTS_H
#define LIQCASCADE_REPORTS_RESULTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "reports/table.h"

struct results {
    char *target;    /* owned */
    char *temporary; /* owned; NULL when nothing is open */
    bool replace;    /* a results directory at `target` gives way at the commit */
};

/* Makes the temporary directory `.<name>.partial-<pid>` beside `target`. ERROR_IO when `target`
   exists already and is not an empty directory, or the disk says no. A missing folder of the target
   is made. */
int results_begin(struct results *self, const char *target, struct error *err);

/* The same, but a target that is a results directory already (its manifest.json says so) is
   replaced by the commit, in one step; until then it stays as it was. */
int results_begin_replacing(struct results *self, const char *target, struct error *err);

/* True when results_begin would refuse `target` for what is there. */
bool results_blocked(const char *target);

/* Writes `<table name>.csv`. */
int results_table(struct results *self, const struct table *table, struct error *err);

/* Opens a file of the directory for writing; close it with results_close, which reports a failed
   flush (a full disk). NULL with `err` on failure. */
FILE *results_open(struct results *self, const char *name, struct error *err);
int results_close(struct results *self, FILE *file, const char *name, struct error *err);

/* Syncs and renames to the target. */
int results_commit(struct results *self, struct error *err);
/* Removes what was written when not committed; frees `self` in any case. Safe after a failed begin
   and to call twice. */
void results_abort(struct results *self);

#endif
