/*
 * What `solve` is asked: which key is to go from where to where until which condition holds. Read
 * from the words of a command line and held against the schema before any data are read.
 */
#ifndef LIQCASCADE_SIM_STUDY_QUESTION_H
#define LIQCASCADE_SIM_STUDY_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "scenarios/condition.h"
#include "scenarios/setting.h"
#include "sim/study/search.h"

#define QUESTION_POINTS 17     /* values looked at first */
#define QUESTION_FINENESS 1e-6 /* tolerance as a share of the range */

struct question {
    const char *key;              /* not owned */
    const struct schema_row *row; /* of it */
    double from, to;              /* in the unit of the key; durations: milliseconds */
    struct condition until;
    size_t number;      /* of its metric, as of metrics_number_field */
    size_t points;      /* values looked at first, both ends among them */
    double tolerance;   /* of the answer, in the unit of the key */
    bool log, relative; /* looks in equal ratios; the threshold is a multiple of the metric at
                           `from` */
};

/* The words of a question; nothing is owned. */
struct question_words {
    const char *key, *range, *until; /* "impact.gamma", "0.5:1", "liquidated_usd >= 1e9" */
    const char *tolerance;           /* NULL: QUESTION_FINENESS of the range */
    int64_t points;
    bool log, relative;
};

/* ERROR_USAGE for words that cannot be read, an empty range and a metric that is no number of
   summary.csv; ERROR_SCENARIO for a key that cannot be varied and ends out of its bounds. */
int question_read(struct question *out, const struct question_words *words, struct error *err);

/* A value of the key as --set takes it. Returns `buffer`. */
const char *question_value(const struct question *self, double value,
                           char buffer[SETTING_NUMBER_SIZE]);

#endif
