/*
 * All runs of a scenario: every OI level of every replicate, in parallel, with the rows of the
 * result tables. Run i, counted from 0 (from 1 in the tables), is level i / replicates, replicate
 * i % replicates; levels that differ only in how many traders there are share one book per
 * replicate. The same bytes at any number of threads.
 */
#ifndef LIQCASCADE_SIM_RUN_H
#define LIQCASCADE_SIM_RUN_H

#include <stddef.h>

#include "base/error.h"
#include "reports/table.h"
#include "sim/run_one.h"

/* One number of summary.csv at two steps: check_step.csv. */
struct run_check {
    int64_t run;
    char *metric; /* static text */
    double at_step, at_check_step;
    double change; /* relative, from the one to the other */
};
extern const struct field run_check_fields[];
extern const size_t run_check_field_count;

/* The tables of all runs, in order of run. */
struct run_tables {
    struct metrics_summary *summary;
    struct metrics_step *steps;
    struct episode *episodes;
    struct metrics_tier *tiers;
    struct metrics_venue *venues;
    struct metrics_position *positions;
    struct metrics_adl *adls;
    size_t summary_count, step_count, episode_count, tier_count, venue_count, position_count;
    struct run_check *checks; /* filled by sim/check_step.h; NULL: not asked for */
    size_t adl_count, check_count;
};

/* Runs everything. The tables borrow venue names from `setup`. ERROR_INTERRUPTED, ERROR_NUMERICAL,
   ERROR_IO, ERROR_SCENARIO: of the first run that failed. On failure `out` needs no free. */
int run_scenario(const struct setup *setup, struct run_tables *out, struct error *err);
void run_tables_free(struct run_tables *self);

/* The described tables that the scenario's `output` asks for, summary first; at most
   RUN_TABLES_MAX. Returns how many. They borrow the rows. */
#define RUN_TABLES_MAX 8
size_t run_tables_described(const struct run_tables *self, const struct scenario *scenario,
                            struct table out[RUN_TABLES_MAX]);

#endif
