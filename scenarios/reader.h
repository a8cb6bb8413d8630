/*
 * Reads the mappings of a scenario by their tables: looks for keys that no row describes, reads
 * what is given, fills in defaults, misses what is required, and reads the values that hold others
 * (sources, venues, tiers). Every problem is reported with its place and reading goes on.
 */
#ifndef LIQCASCADE_SCENARIOS_READER_H
#define LIQCASCADE_SCENARIOS_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "datasets/source.h"
#include "scenarios/scenario.h"
#include "scenarios/schema.h"
#include "scenarios/tree.h"

#define READER_ROWS_MAX 220
#define READER_KEY_SIZE 96
#define READER_ERRORS_MAX 100 /* further ones are not shown */

/* What became of one row of schema_scenario. */
struct reader_state {
    const struct tree_node *node; /* NULL: not given */
    bool bad;                     /* missing or wrong: checks leave it alone */
};

struct reader {
    const struct tree *tree;
    struct error_list *errors; /* not owned */
    bool bad;                  /* something was reported */
    struct reader_state states[READER_ROWS_MAX];
};

/* Reads the whole tree into `scenario`, which the caller has zeroed and frees. */
void reader_scenario(struct reader *self, struct scenario *scenario);

/* Appends an error about `key` at the place of `node` (may be NULL: the scenario as a whole). */
void reader_report(struct reader *self, const struct tree_node *node, const char *key,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Reads one mapping by its table into `record`. `prefix` stands before the names in messages
   ("data.oi."); `states` has one element per row, or is NULL. */
void reader_table(struct reader *self, const struct schema_table *table, int role,
                  const struct tree_node *node, const char *prefix, void *record,
                  struct reader_state *states);

/* The state of a key of schema_scenario; the key must be one. */
const struct reader_state *reader_state_of(const struct reader *self, const char *key);

/* Reads one given or default node by its row into `record`; false when it is wrong, reported under
   `key`. */
bool reader_row(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                const char *key, void *record);

/* --- values that hold others (reader_parts.c, reader_sweep.c) --- */

/* Report a node of the wrong kind, and short memory; both are false. */
bool reader_refuse_kind(struct reader *self, const struct schema_row *row,
                        const struct tree_node *node, const char *key);
bool reader_refuse_memory(struct reader *self);

/* Each reads `node` into the scenario or source; false when something was wrong and reported. */
bool reader_source(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   const char *key, struct source_spec *spec);
bool reader_columns(struct reader *self, const struct tree_node *node, const char *key,
                    struct source_spec *spec);
bool reader_filters(struct reader *self, const struct tree_node *node, const char *key,
                    struct source_spec *spec);
bool reader_venues(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario);
bool reader_levels(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario);
bool reader_tiers(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                  struct scenario *scenario);
bool reader_points(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario);
bool reader_pair(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                 const char *key, double pair[2]);
/* A list of words of `words`, each a bool of the scenario. */
bool reader_words(struct reader *self, const struct schema_row *row,
                  const struct schema_table *words, const struct tree_node *node,
                  struct scenario *scenario);
bool reader_quantiles(struct reader *self, const struct schema_row *row,
                      const struct tree_node *node, struct scenario *scenario);
bool reader_condition(struct reader *self, const struct schema_row *row,
                      const struct tree_node *node, struct condition *condition);
bool reader_metrics(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                    struct scenario *scenario);
bool reader_horizons(struct reader *self, const struct schema_row *row,
                     const struct tree_node *node, struct scenario *scenario);
bool reader_names(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                  struct scenario *scenario);
bool reader_axes(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                 struct scenario *scenario);
bool reader_settings(struct reader *self, const struct schema_row *row,
                     const struct tree_node *node, struct scenario *scenario);
bool reader_compare(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                    struct scenario *scenario);
bool reader_priors(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario);
bool reader_bounds(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario);

/* --- reader_backtest.c --- */

bool reader_assets(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario);
bool reader_splits(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario);
bool reader_part(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                 const char *key, struct scenario_part *part);

#endif
