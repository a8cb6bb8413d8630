/*
 * The part of a random scenario that is its venues' own: bracket tables, liquidation rules, funds,
 * rankings, and whether venues have prices of their own. Internal to tests/sim/random_*.c.
 */
#ifndef LIQCASCADE_TESTS_SIM_RANDOM_RULES_H
#define LIQCASCADE_TESTS_SIM_RANDOM_RULES_H

#include "tests/sim/random_scenario.h"

/* Before the book: who there is, with which tables. */
void random_rules_venues(struct random_scenario *self);
/* With the run: what venues do with a position, and where their prices are. */
void random_rules_run(struct random_scenario *self);
/* The rules in one line. */
void random_rules_print(const struct random_scenario *self);

#endif
