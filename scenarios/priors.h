/*
 * Priors: what is believed about a parameter before it is measured, as a distribution with its
 * quantile function (GSL's where there is one). A table has a row for each, with its documentation
 * and parameters; it drives the reading of uncertainty.parameters.
 *
 * Draws are by inversion: a number in (0, 1) to a value, so that a quasi-random design of such
 * numbers stays one.
 */
#ifndef LIQCASCADE_SCENARIOS_PRIORS_H
#define LIQCASCADE_SCENARIOS_PRIORS_H

#include <stdbool.h>

#include "base/error.h"

enum priors_family {
    PRIORS_UNIFORM,
    PRIORS_LOG_UNIFORM,
    PRIORS_NORMAL,
    PRIORS_LOGNORMAL,
    PRIORS_TRIANGULAR,
    PRIORS_BETA,
    PRIORS_CHOICE, /* of values that need not be numbers: not a law */
    PRIORS_COUNT
};

#define PRIORS_PARAMETERS_MAX 3

/* A distribution of a number, in the unit of the key (durations: milliseconds). */
struct priors_law {
    int family; /* enum priors_family */
    double parameter[PRIORS_PARAMETERS_MAX];
};

struct priors_parameter {
    const char *name;
    bool pure; /* a number without the key's unit */
};

struct priors_row {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *example; /* of the value behind the name */
    bool list;           /* parameters stand in a list, else in a mapping by their names */
    bool cut;            /* tails beyond the bounds of the key are cut off; else: must be within */
    int parameter_count;
    struct priors_parameter parameters[PRIORS_PARAMETERS_MAX];
};
extern const struct priors_row priors_rows[PRIORS_COUNT];

/* The family of a name; -1 when there is none. */
int priors_find(const char *name);

/* ERROR_SCENARIO with what is wrong when the parameters make no distribution between the bounds
   `low` and `high` of the key (infinite: none): out of order, not positive, support out of bounds,
   or for a law that is cut more than half of it. Not for PRIORS_CHOICE. */
int priors_check(const struct priors_law *law, double low, double high, struct error *err);

/* The value at probability u in (0, 1), and the probability of at most x. */
double priors_quantile(const struct priors_law *law, double u);
double priors_probability(const struct priors_law *law, double x);

/* The value at probability u in (0, 1) of the law given that it lies from low to high. */
double priors_draw(const struct priors_law *law, double low, double high, double u);

#endif
