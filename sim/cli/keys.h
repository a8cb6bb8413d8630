/*
 * A key of a scenario as JSON, the same wherever a command shows one.
 */
#ifndef LIQCASCADE_SIM_CLI_KEYS_H
#define LIQCASCADE_SIM_CLI_KEYS_H

#include "reports/json.h"
#include "scenarios/schema.h"

/* An object: key, type, unit, required, default, bounds, choices, documentation, source of the
   default. `key` is the full name, which may have more before it than the row's. */
void keys_json(struct json *json, const char *key, const struct schema_row *row);

#endif
