/*
 * Venue files, shipped as `scenarios/venues/<rules>.yaml`: how a venue margins, liquidates,
 * insures and deleverages. A venue file is a mapping of keys of schema_venue; a venue of a scenario
 * takes from it what it does not say itself, and schema_venue's defaults stand for the rest.
 */
#ifndef LIQCASCADE_SCENARIOS_VENUE_RULES_H
#define LIQCASCADE_SCENARIOS_VENUE_RULES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/paths.h"
#include "base/yaml.h"
#include "scenarios/tree.h"

/* One venue of a scenario with what its file adds. */
struct venue_rules {
    struct yaml_file file;
    struct tree_node shipped; /* the file's mapping */
    struct tree_node node;    /* the venue with the file's keys where it has none; borrows both */
};

/* The path of the file of `rules`. False when nothing shipped can be found or the name is no plain
   word; whether the file is there is not looked at. */
bool venue_rules_path(const char *rules, char out_path[PATHS_SIZE]);

/* Adds to `venue`, a mapping, what the file of its `rules` says (`fallback` when it names none).
   Without such a file `node` is the venue as it stands. ERROR_SCENARIO when the file is no mapping,
   ERROR_IO when it cannot be read. venue_rules_free is due in any case. */
int venue_rules_fill(struct venue_rules *self, const struct tree_node *venue, const char *fallback,
                     struct error *err);
void venue_rules_free(struct venue_rules *self);

#endif
