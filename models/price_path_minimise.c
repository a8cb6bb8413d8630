/*
 * The simplex of Nelder and Mead (1965) over bounded parameters, by GSL.
 */
#include <math.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>

#include "models/price_path_parts.h"

enum { ITERATIONS_MOST = 2000 };
static const double FIRST_STEP = 0.5, LAST_STEP = 1e-4; /* in the free coordinates below */
/* Starts nearer to a bound than this part of the way leave it too slowly. */
static const double START_MARGIN = 1e-3;

struct search {
    const struct price_path_unknown *unknowns;
    double (*cost)(void *context);
    void *context;
};

/* A free coordinate of (-inf, inf) puts the parameter between its bounds, evenly in logarithms in
   the middle of them. */
static double value_of(const struct price_path_unknown *unknown, double x)
{
    return unknown->low * pow(unknown->high / unknown->low, 1.0 / (1.0 + exp(-x)));
}

static double coordinate_of(const struct price_path_unknown *unknown)
{
    double share = log(*unknown->value / unknown->low) / log(unknown->high / unknown->low);
    share = fmin(fmax(share, START_MARGIN), 1.0 - START_MARGIN);
    return log(share / (1.0 - share));
}

static double cost_at(const gsl_vector *x, void *params)
{
    const struct search *search = params;
    for (size_t i = 0; i < x->size; i++)
        *search->unknowns[i].value = value_of(&search->unknowns[i], gsl_vector_get(x, i));
    return search->cost(search->context);
}

/* GSL_SUCCESS, GSL_CONTINUE when it has not settled, or another code of GSL. */
static int walk_simplex(gsl_multimin_fminimizer *simplex, gsl_multimin_function *function,
                        const gsl_vector *start, const gsl_vector *step)
{
    int code = gsl_multimin_fminimizer_set(simplex, function, start, step);
    if (code != GSL_SUCCESS)
        return code;
    code = GSL_CONTINUE;
    for (int i = 0; i < ITERATIONS_MOST && code == GSL_CONTINUE; i++) {
        code = gsl_multimin_fminimizer_iterate(simplex);
        if (code != GSL_SUCCESS)
            return code;
        code = gsl_multimin_test_size(simplex->size, LAST_STEP);
    }
    /* The last parameters tried are not the best ones. */
    cost_at(simplex->x, function->params);
    return code;
}

static int search_simplex(struct search *search, size_t count, struct error *err)
{
    double start[PRICE_PATH_UNKNOWNS_MAX], step[PRICE_PATH_UNKNOWNS_MAX];
    gsl_multimin_function function = {cost_at, count, search};
    gsl_multimin_fminimizer *simplex =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, count);
    if (simplex == NULL)
        return error_memory(err, "fitting a price path");
    for (size_t i = 0; i < count; i++) {
        start[i] = coordinate_of(&search->unknowns[i]);
        step[i] = FIRST_STEP;
    }
    gsl_vector_view starts = gsl_vector_view_array(start, count);
    gsl_vector_view steps = gsl_vector_view_array(step, count);
    int code = walk_simplex(simplex, &function, &starts.vector, &steps.vector);
    gsl_multimin_fminimizer_free(simplex);
    if (code == GSL_SUCCESS)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, NULL, 0, 0, "path",
                    "parameters cannot be fitted, the likelihood has no clear maximum; expected a "
                    "longer history before path.at, or the parameters themselves");
}

int price_path_minimise(const struct price_path_unknown *unknowns, size_t count,
                        double (*cost)(void *context), void *context, struct error *err)
{
    struct search search = {unknowns, cost, context};
    if (count == 0)
        return ERROR_NONE;
    gsl_error_handler_t *before = gsl_set_error_handler_off();
    int code = search_simplex(&search, count, err);
    gsl_set_error_handler(before);
    return code;
}
