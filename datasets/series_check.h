/*
 * What is wrong with the rows of a series, and what a policy does about it: first row by row as
 * they are read, then over the whole series in time order. Internal to datasets/series.c.
 */
#ifndef LIQCASCADE_DATASETS_SERIES_CHECK_H
#define LIQCASCADE_DATASETS_SERIES_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/csv.h"
#include "datasets/descriptor.h"
#include "datasets/quality.h"
#include "datasets/series_rows.h"

/* A finding that the next rows may still extend. */
struct series_run {
    bool open;
    int64_t last_row; /* running number of the last row in it */
    int field;
    struct quality_finding finding; /* `file` borrowed */
};

struct series_check {
    const struct quality_policies *policies; /* NULL: measure only */
    const struct descriptor *descriptor;
    struct quality_report *report;
    const char *key;          /* the scenario's name of the input, for messages; may be NULL */
    const char *const *files; /* by series_row.file; borrowed */
    int64_t step_ms;          /* found by series_check_all */
    int64_t nominal_ms;       /* spacing that the user stated; 0: from the data */
    /* private */
    struct series_run run[QUALITY_FLAW_COUNT];
    int64_t row_number;
    int64_t previous_ms;
    bool has_previous;
    bool has_holes; /* cells to fill: NaN in kept rows */
};

/* A new file begins: rows before it say nothing about order in it. */
void series_check_file(struct series_check *self);

/* Looks at one row as read. `*out_keep` false: leave it out. Values may be changed: NaN marks a
   cell that series_check_all fills. `layout` and `csv` give the place for messages. */
int series_check_row(struct series_check *self, struct series_row *row,
                     const struct descriptor_layout *layout, const struct csv_row *csv,
                     bool *out_keep, struct error *err);

/* Sorts the rows, finds the step, repeats, frozen values, jumps and gaps, and applies the policies
   to them and to the holes. */
int series_check_all(struct series_check *self, struct series_rows *rows, struct error *err);

#endif
