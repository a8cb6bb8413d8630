/*
 * Writes what a sweep varies, as scenario_write needs it: axes, lists of settings and priors, each
 * a line, indented by `depth` steps.
 */
#ifndef LIQCASCADE_SCENARIOS_WRITE_SWEEP_H
#define LIQCASCADE_SCENARIOS_WRITE_SWEEP_H

#include <stdio.h>

#include "scenarios/scenario.h"

void write_sweep_axes(FILE *out, const struct scenario *scenario, int depth);
void write_sweep_list(FILE *out, const struct scenario *scenario, int depth);
/* On the line of its key. */
void write_sweep_compare(FILE *out, const struct scenario *scenario);
void write_sweep_priors(FILE *out, const struct scenario *scenario, int depth);
void write_sweep_bounds(FILE *out, const struct scenario *scenario, int depth);
void write_sweep_assets(FILE *out, const struct scenario *scenario, int depth);
void write_sweep_splits(FILE *out, const struct scenario *scenario, int depth);

#endif
