/*
 * One axis of a sweep: a list of values, a range cut into values, or a range as a whole, in which
 * latin, sobol and morris designs put their points.
 */
#ifndef LIQCASCADE_SCENARIOS_AXIS_H
#define LIQCASCADE_SCENARIOS_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AXIS_COUNT_MAX 1000000

/* Numbers are in the unit of the key; durations in milliseconds. */
struct axis {
    char *key;     /* owned */
    char **values; /* as --set takes them, owned; NULL: a range */
    size_t count;  /* of values, also of a range; 0: a range as a whole */
    double from, to;
    double step; /* of a range with a step, else NaN */
    bool log;    /* equal factors in place of equal steps */
};

void axis_free(struct axis *self);

/* How many values a step makes of a range, both ends included; 0 when it does not divide it. */
size_t axis_count_of(double from, double to, double step);

/* Value i of a range cut into values: the first is `from`, the last is `to` exactly, and one
   between them does not depend on others, so nothing adds up. One that is within rounding of a
   number of 15 digits is that number: from 0 by 0.1 the third step is at 0.3. */
double axis_value(const struct axis *self, size_t i);

/* The number at `unit` in [0, 1] of a range as a whole; 0 and 1 are its ends exactly. */
double axis_at(const struct axis *self, double unit);

/* Which of the values `unit` in [0, 1] is: each has an equal part. */
size_t axis_index(size_t count, double unit);

#endif
