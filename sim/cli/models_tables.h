/*
 * The shipped bracket tables by venue, contract and date, as `liqcascade models brackets` lists
 * them.
 */
#ifndef LIQCASCADE_SIM_CLI_MODELS_TABLES_H
#define LIQCASCADE_SIM_CLI_MODELS_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reports/json.h"

struct models_table {
    char *venue, *symbol, *unit, *scheme, *source; /* owned */
    int64_t valid_from_ms;
    int64_t brackets;
    double max_leverage; /* of the first bracket */
};

struct models_tables {
    struct models_table *items; /* by venue, then as in its file; owned */
    size_t count, capacity;
};

/* Reads every file of datasets/venues. ERROR_IO, ERROR_DATA; models_tables_free is due in any case.
 */
int models_tables_read(struct models_tables *self, struct error *err);
void models_tables_free(struct models_tables *self);

/* Lines for people, and an array `tables`. */
void models_tables_print(const struct models_tables *self);
void models_tables_json(const struct models_tables *self, struct json *json);

#endif
