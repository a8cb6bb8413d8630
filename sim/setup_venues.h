/*
 * The venues of a setup: bracket tables in force during the run, margin formulas and rules, as the
 * scenario and its venue files say.
 */
#ifndef LIQCASCADE_SIM_SETUP_VENUES_H
#define LIQCASCADE_SIM_SETUP_VENUES_H

#include "sim/setup.h"

/* Fills the setup's tables, brackets and venues from its scenario. ERROR_DATA, ERROR_IO; setup_free
   is due in any case. */
int setup_venues(struct setup *self, struct error *err);

#endif
