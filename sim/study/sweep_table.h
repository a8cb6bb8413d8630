/*
 * What a sweep's runs come to: sweep.csv, bands over draws and replicates at each point, and
 * differences.csv, how points differ from those that sweep.compare names, pair by pair.
 */
#ifndef LIQCASCADE_SIM_STUDY_SWEEP_TABLE_H
#define LIQCASCADE_SIM_STUDY_SWEEP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/field.h"
#include "reports/table.h"
#include "sim/study/sweep.h"

/* A row for each point, baseline and number. */
struct sweep_table {
    struct field *fields; /* owned, as are the names of those that depend on the sweep */
    size_t field_count;
    char **names; /* owned */
    size_t name_count;
    uint64_t *cells; /* a row is field_count cells of 8 bytes; owned */
    size_t row_count;
};
/* sweep.csv. ERROR_IO when memory is short; then `out` needs no free. All items of the sweep must
   be done. */
int sweep_table_make(const struct sweep *self, struct sweep_table *out, struct error *err);

/* Whether the sweep asks for differences; and differences.csv, as sweep_table_make. The columns up
   to `metric` are those of sweep.csv. */
bool sweep_table_compares(const struct sweep *self);
int sweep_table_differences(const struct sweep *self, struct sweep_table *out, struct error *err);

void sweep_table_free(struct sweep_table *self);
/* Borrows `self`. */
struct table sweep_table_described(const struct sweep_table *self, const char *name);

#endif
