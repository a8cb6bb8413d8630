/*
 * The same scenario at another step (time.check_step): how far results depend on the length of a
 * step. A step is where holders open and close, where impact decays (without an intrabar clock) and
 * where a bar's extremes are walked; a result that moves much with it is a result of the step.
 */
#ifndef LIQCASCADE_SIM_CHECK_STEP_H
#define LIQCASCADE_SIM_CHECK_STEP_H

#include "base/error.h"
#include "sim/run.h"
#include "sim/setup.h"

/* Runs the setup's scenario at its check step and fills `tables->checks`: one row per run and
   number of summary.csv. Errors of setup_init and run_scenario. */
int check_step_run(const struct setup *setup, struct run_tables *tables, struct error *err);

#endif
