/*
 * One scalar of a scenario: text to the value that a schema row describes. Nothing is guessed: a
 * duration without a unit, `1.0xyz`, `50_000`, a quoted number and a word that is no choice are
 * errors that say what was expected.
 */
#ifndef LIQCASCADE_SCENARIOS_VALUE_H
#define LIQCASCADE_SCENARIOS_VALUE_H

#include <stdbool.h>

#include "base/error.h"
#include "scenarios/schema.h"
#include "scenarios/tree.h"

/* Stores the value of `node` at row->field.offset of `record`; for a text, what was there is freed.
   Rows of kind SCHEMA_VALUE, SCHEMA_PATH (joined with the folder of node->file, for what a --set
   says with nothing), SCHEMA_BUILTIN and SCHEMA_ZONE. `null` where it is a value of the row stores
   NaN, CALENDAR_NONE, NULL, or -1 for a choice (0 where the choices begin with an unnamed one).
   ERROR_SCENARIO, or ERROR_IO when memory is short: with the node's place, `key` and a message;
   the record is then as it was. */
int value_read(const struct schema_row *row, const struct tree_node *node, const char *key,
               void *record, struct error *err);

/* "'12x'", "a list", "a mapping", "null": how a message calls what was written. Returns `buffer`.
 */
#define VALUE_SHOWN_SIZE 64
const char *value_shown(const struct tree_node *node, char buffer[VALUE_SHOWN_SIZE]);

/* "; did you mean X?" for the word of a list that is near to `word`, else an empty text. */
#define VALUE_HINT_SIZE 96
const char *value_hint(const char *word, const char *const *words, size_t count,
                       char buffer[VALUE_HINT_SIZE]);

#endif
