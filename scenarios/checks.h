/*
 * What no single key can tell: that the window is not inverted, that the feedback fits the path,
 * that shares sum to one. Keys that were wrong on their own are left alone.
 */
#ifndef LIQCASCADE_SCENARIOS_CHECKS_H
#define LIQCASCADE_SCENARIOS_CHECKS_H

#include "scenarios/reader.h"
#include "scenarios/scenario.h"

/* Fills in the defaults that depend on other keys: time.warmup, path.at, oi.level_at, feedback. */
void checks_resolve(const struct reader *reader, struct scenario *scenario);

/* Reports every contradiction, at the key that the reader would change. */
void checks_run(struct reader *reader, const struct scenario *scenario);

/* The part of it that is about the keys of sweeps. */
void checks_sweep(struct reader *reader, const struct scenario *scenario);

#endif
