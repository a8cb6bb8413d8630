/*
 * Scenario files for tests: a good one to start from, a scratch folder to write them into, and the
 * place of a piece of text, so that tests compute the line and column that an error must name.
 */
#ifndef LIQCASCADE_TESTS_SCENARIOS_SCRATCH_H
#define LIQCASCADE_TESTS_SCENARIOS_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "scenarios/scenario.h"

/* A scenario without errors, of a few lines. */
extern const char scratch_good[];

#define SCRATCH_PATH_SIZE 512
/* The scratch folder of this process; made at the first call, removed by scratch_remove. */
const char *scratch_folder(void);
void scratch_remove(void);
/* Writes `folder/name` (folders in `name` are made) and gives its path. */
void scratch_file(const char *name, const char *text, char path[SCRATCH_PATH_SIZE]);

/* `text` with its first `from` replaced by `to`; the test fails when there is none. To be freed. */
char *scratch_replace(const char *text, const char *from, const char *to);

/* 1-based line and column of the only `piece` in `text`; the test fails when it is not there once.
 */
void scratch_place(const char *text, const char *piece, long *line, long *column);

/* Loads a scenario from text, as the file `folder/scenario.yaml`. */
int scratch_load(struct scenario *scenario, const char *text, struct error_list *errors);
/* The same, and the test fails with its errors printed when there are any. */
void scratch_load_good(struct scenario *scenario, const char *text);

/* A way to spoil scratch_good, and the one error that must come of it. */
struct scratch_bad {
    const char *name;      /* what is expected, in words */
    const char *from, *to; /* replaced; `from` NULL: `to` is added at the end */
    const char *at;        /* the piece of the spoilt text at whose start the error is */
    const char *key;
    const char *says; /* part of the message */
};
void scratch_expect(const struct scratch_bad *bad);

/* Prints a list of errors, for a test that fails. */
void scratch_print(const struct error_list *errors);

#endif
