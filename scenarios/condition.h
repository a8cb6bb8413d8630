/*
 * A condition on a number of the results, as scenarios and the command line write it:
 * `jump_share_of_oi >= 0.05`. Whether there is such a number is for whoever has the results to say.
 */
#ifndef LIQCASCADE_SCENARIOS_CONDITION_H
#define LIQCASCADE_SCENARIOS_CONDITION_H

#include <stdbool.h>

#define CONDITION_METRIC_SIZE 64
#define CONDITION_TEXT_SIZE 112
#define CONDITION_EXPECTED "METRIC >= NUMBER, or with <=, > or <"

enum condition_relation {
    CONDITION_AT_LEAST, /* >= */
    CONDITION_AT_MOST,  /* <= */
    CONDITION_ABOVE,    /* > */
    CONDITION_BELOW     /* < */
};

struct condition {
    char metric[CONDITION_METRIC_SIZE]; /* lower case, digits and _; empty: no condition */
    int relation;                       /* enum condition_relation */
    double threshold;
};

/* False, with `out` untouched, for anything but a metric, a relation and a finite number. Spaces
   around the relation may be missing. */
bool condition_parse(const char *text, struct condition *out);

/* Whether `value` fulfils it; a value that is missing (NaN) does not. */
bool condition_holds(const struct condition *self, double value);

/* The text that condition_parse reads back to the same condition. Returns `buffer`. */
const char *condition_format(const struct condition *self, char buffer[CONDITION_TEXT_SIZE]);

#endif
