/*
 * A series: rows of market history as columns of doubles over a time column, read by streaming
 * from files described by a source descriptor. Several files (a glob, a folder of daily files)
 * are one series in time order. What the quality policies did is in the series' report.
 */
#ifndef LIQCASCADE_DATASETS_SERIES_H
#define LIQCASCADE_DATASETS_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/quality.h"
#include "datasets/source.h"

/* One file that was read: what a manifest needs. */
struct series_input {
    char *path;      /* owned */
    char sha256[65]; /* of the file as it is on disk */
    int64_t rows;
};

struct series {
    size_t rows;
    /* Ascending; start of the bar, or the stamp. No repeats but of events, and of book depth, where
       the band differs. */
    int64_t *time_ms;
    double *column[SERIES_FIELD_COUNT]; /* `rows` values each; NULL: the source has no such field */
    int64_t step_ms;                    /* most common spacing; 0 with fewer than two rows */
    enum source_unit oi_unit;           /* SOURCE_UNIT_COINS or SOURCE_UNIT_USD; OI columns */
    enum source_unit liq_unit;          /* the same, of LIQ columns */
    bool reconstructed;                 /* a shipped reconstruction, never observed data */
    char *scope;                        /* owned or NULL */
    char *format;                       /* name of the source descriptor; owned */
    struct series_input *inputs;        /* owned */
    size_t input_count;
    struct quality_report quality;
};

/* Reads the rows with `from_ms` <= time < `to_ms` (CALENDAR_NONE: no bound); files whose name or
   content lies outside are skipped or cut while streaming. `policies` NULL: measure only, repair
   nothing (data check). With policies, an `error` policy stops at the first such row with file and
   line; others are applied and counted in `quality`.
   ERROR_IO: a file is missing or unreadable. ERROR_DATA: file, line, column, what was expected;
   also where the files are not of one series but contradict each other or differ in their columns.
   On failure `self` is empty and needs no free. */
int series_read(struct series *self, const struct source_spec *spec, int64_t from_ms, int64_t to_ms,
                const struct quality_policies *policies, struct error *err);
void series_free(struct series *self);

#endif
