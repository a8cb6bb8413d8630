/*
 * A scenario run through the public functions, from text or from a file: what a test of whole runs
 * begins with. Every function fails the running test, with the errors printed, when it cannot do
 * its work.
 */
#ifndef LIQCASCADE_TESTS_SIM_WHOLE_RUN_H
#define LIQCASCADE_TESTS_SIM_WHOLE_RUN_H

#include "sim/run.h"

struct whole_run {
    struct scenario scenario;
    struct setup setup;
    struct run_tables tables;
};

/* Runs the scenario file with `sets` ("key=value", up to a NULL; NULL: none). */
void whole_run_file(struct whole_run *self, const char *path, const char *const sets[]);
/* The same of `text`, as the file scenario.yaml of the scratch folder. */
void whole_run_text(struct whole_run *self, const char *text, const char *const sets[]);
/* The same of a scenario that ships, such as "btc-2025-11". */
void whole_run_shipped(struct whole_run *self, const char *name, const char *const sets[]);
void whole_run_free(struct whole_run *self);

/* For the sets above: WHOLE_RUN_SETS("a=1", "b=2"). */
#define WHOLE_RUN_SETS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* Fails unless both runs have the same summary and steps, bit for bit. */
void whole_run_expect_same(const struct run_tables *one, const struct run_tables *other);

#endif
