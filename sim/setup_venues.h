/*
 * The venues of a setup: bracket tables in force during the run, margin formulas and rules, as the
 * scenario and its venue files say.
 */
#ifndef LIQCASCADE_SIM_SETUP_VENUES_H
#define LIQCASCADE_SIM_SETUP_VENUES_H

#include "sim/setup.h"

/* A published table as a model in USD. A table in coins is valued at `coin_price` (unused for one
   in USD). ERROR_DATA when the published `cum` is not the one that follows from caps and rates
   (names `path`), or a table in coins has no price. */
int setup_venue_brackets(const struct venue_table *table, double coin_price, const char *path,
                         struct brackets *out, struct error *err);

/* Fills the setup's tables, brackets and venues from its scenario. Tables in coins are valued at
   the market's price when they come into force, or at its first one: they need the market to be
   read. ERROR_DATA, ERROR_IO; setup_free is due in any case. */
int setup_venues(struct setup *self, struct error *err);

/* What a replay needs to know of them. */
void setup_venue_rules(const struct setup *self, struct replay_params *out);

#endif
