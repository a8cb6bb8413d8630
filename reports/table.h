/*
 * Described tables: an array of structs and the const table of fields (base/field.h) that
 * describes them become CSV or JSON. CSV is tidy: UTF-8, LF, a header of field names, numbers that
 * read back to the same double, an empty cell for a missing value, quotes only where needed.
 */
#ifndef LIQCASCADE_REPORTS_TABLE_H
#define LIQCASCADE_REPORTS_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/field.h"

struct table {
    const char *name;           /* "summary": the file is summary.csv */
    const struct field *fields; /* not owned */
    size_t field_count;
    const void *rows; /* array of the described struct; not owned */
    size_t row_count;
    size_t row_size; /* sizeof the struct */
};

/* Header and rows. ERROR_IO with the file's name when a write fails (a full disk). */
int table_write_csv(const struct table *self, FILE *out, const char *file_name, struct error *err);
/* An array of objects, missing values as null. */
int table_write_json(const struct table *self, FILE *out, const char *file_name, struct error *err);

#endif
