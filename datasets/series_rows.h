/*
 * The rows of a series while it is being read: growing columns of equal length, each row with the
 * file and line that it came from. Internal to datasets/series.c.
 */
#ifndef LIQCASCADE_DATASETS_SERIES_ROWS_H
#define LIQCASCADE_DATASETS_SERIES_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/source.h"

struct series_rows {
    size_t count, capacity;
    int64_t *time_ms;
    double *column[SERIES_FIELD_COUNT]; /* NULL: no such field */
    uint32_t *line;                     /* 0: a row that a policy made */
    uint32_t *file;
    bool has[SERIES_FIELD_COUNT];
};

/* One row; `value` holds every field, NaN where there is none. */
struct series_row {
    int64_t time_ms;
    double value[SERIES_FIELD_COUNT];
    uint32_t line, file;
};

/* A field must be declared before the first row. */
int series_rows_add(struct series_rows *self, const struct series_row *row, struct error *err);
void series_rows_get(const struct series_rows *self, size_t i, struct series_row *out);
void series_rows_set(struct series_rows *self, size_t i, const struct series_row *row);
/* Stable, by time and then by band where there is one. Does nothing to sorted rows. */
int series_rows_sort(struct series_rows *self, struct error *err);
/* Keeps the rows marked true, in order. */
void series_rows_keep(struct series_rows *self, const bool *keep);
/* Gives back the room that growth left over. */
void series_rows_trim(struct series_rows *self);
void series_rows_free(struct series_rows *self);

#endif
