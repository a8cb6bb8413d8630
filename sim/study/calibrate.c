#include "sim/study/calibrate.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/sobol.h"
#include "sim/study/calibrate_draws.h"

/* Own priors: how many points of the sequence a simplex is chosen from, and when one has settled,
   in parts of a parameter's range. */
enum { POINTS_PER_START = 8, STEPS_MOST = 120 };
static const double FIRST_STEP = 0.1, LAST_STEP = 2e-3;
static const double AT_BOUND = 0.01;
static const double EXCLUDED = 1e6; /* distance of parameters without a market */

struct fitting {
    const struct calibrate_plan *plan;
    struct flow_rows *rows;
    struct progress *progress;
    double *weights, *log;
    struct calibrate_fit *fit;
    double best[FLOW_PARAMETERS_MAX], best_distance; /* place in the unit cube */
    int code;                                        /* of the first evaluation that failed */
    struct error *err;
};

/* ---- distance --------------------------------------------------------------------------- */

void calibrate_weights(const struct calibrate_plan *plan, const struct flow_rows *rows,
                       double *out_weights)
{
    double total = 0.0;
    for (size_t r = 0; r < rows->count; r++) {
        double alike = 0.0;
        for (size_t k = 0; k < rows->count; k++)
            alike += rows->items[k].asset == rows->items[r].asset &&
                     rows->items[k].horizon == rows->items[r].horizon;
        /* Neighbours are of one kind, so their weight is counted once. */
        double weight = plan->weights[rows->items[r].horizon] / alike;
        size_t next = r;
        for (; next < rows->count && rows->items[next].asset == rows->items[r].asset &&
               rows->items[next].horizon == rows->items[r].horizon;
             next++) {
            out_weights[next] = weight;
            total += weight;
        }
        r = next - 1;
    }
    for (size_t r = 0; r < rows->count && total > 0.0; r++)
        out_weights[r] /= total;
}

double calibrate_distance(const struct flow_rows *rows, const double *log, const double *weights,
                          struct flow_observation *out_observation)
{
    double sum = 0.0;
    flow_observe(rows, log, weights, out_observation);
    for (size_t r = 0; r < rows->count; r++) {
        double gap = flow_reported_log(&rows->items[r]) -
                     flow_expected_log(rows, r, log[r], out_observation, NULL);
        sum += weights[r] * gap * gap;
    }
    return sum;
}

/* ---- parameters ------------------------------------------------------------------------- */

double calibrate_value(const struct calibrate_parameter *parameter, double unit)
{
    if (parameter->low > 0.0)
        return parameter->low * pow(parameter->high / parameter->low, unit);
    return parameter->low + unit * (parameter->high - parameter->low);
}

static int evaluate(struct fitting *self, const double *unit, double *out_log)
{
    double theta[FLOW_PARAMETERS_MAX];
    for (size_t p = 0; p < self->plan->parameter_count; p++)
        theta[p] = calibrate_value(&self->plan->parameters[p], unit[p]);
    if (self->code == ERROR_NONE)
        self->code = interrupt_check(self->err);
    if (self->code == ERROR_NONE)
        self->code =
            flow_rows_predict(self->rows, theta, self->plan->parameter_count, out_log, self->err);
    self->fit->evaluations++;
    if (self->progress != NULL)
        progress_add(self->progress, 1);
    return self->code;
}

/* The distance at a place of the unit cube; beyond its faces that of the nearest one, and more the
   farther. Remembers the best. */
static double distance_at(struct fitting *self, const double *place)
{
    double unit[FLOW_PARAMETERS_MAX], beyond = 0.0;
    struct flow_observation observation;
    for (size_t p = 0; p < self->plan->parameter_count; p++) {
        unit[p] = fmin(fmax(place[p], 0.0), 1.0);
        beyond += (place[p] - unit[p]) * (place[p] - unit[p]);
    }
    int code = evaluate(self, unit, self->log);
    if (code == ERROR_NUMERICAL) {
        /* The model says that there is no such market: not a failure of the search. */
        self->code = ERROR_NONE;
        self->fit->excluded++;
        return EXCLUDED;
    }
    if (code != ERROR_NONE)
        return EXCLUDED;
    double distance = calibrate_distance(self->rows, self->log, self->weights, &observation);
    if (distance < self->best_distance) {
        self->best_distance = distance;
        memcpy(self->best, unit, sizeof unit);
    }
    return distance * (1.0 + beyond) + beyond;
}

/* ---- search ----------------------------------------------------------------------------- */

static double simplex_distance(const gsl_vector *x, void *context)
{
    double place[FLOW_PARAMETERS_MAX];
    for (size_t p = 0; p < x->size; p++)
        place[p] = gsl_vector_get(x, p);
    return distance_at(context, place);
}

static int walk_simplex(struct fitting *self, double *start)
{
    size_t count = self->plan->parameter_count;
    double step[FLOW_PARAMETERS_MAX];
    gsl_multimin_function function = {simplex_distance, count, self};
    gsl_multimin_fminimizer *simplex =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, count);
    if (simplex == NULL)
        return error_memory(self->err, "calibrating");
    for (size_t p = 0; p < count; p++)
        step[p] = start[p] > 0.5 ? -FIRST_STEP : FIRST_STEP;
    gsl_vector_view at = gsl_vector_view_array(start, count);
    gsl_vector_view steps = gsl_vector_view_array(step, count);
    int settled = gsl_multimin_fminimizer_set(simplex, &function, &at.vector, &steps.vector);
    for (int i = 0; i < STEPS_MOST && settled == GSL_SUCCESS && self->code == ERROR_NONE; i++) {
        settled = gsl_multimin_fminimizer_iterate(simplex);
        if (gsl_multimin_test_size(simplex->size, LAST_STEP) == GSL_SUCCESS)
            break;
    }
    gsl_multimin_fminimizer_free(simplex);
    return self->code;
}

/* The place of the smallest of `count` distances; it is then out of the race. */
static size_t take_best(double *distances, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (distances[i] < distances[best])
            best = i;
    distances[best] = INFINITY;
    return best;
}

static int search_from(struct fitting *self, double *places, double *distances, size_t points)
{
    size_t count = self->plan->parameter_count;
    struct random_stream stream = random_stream_make(self->plan->seed, 0, "calibrate.starts");
    int code = sobol_scrambled(points, count, &stream, places, self->err);
    if (code != ERROR_NONE)
        return code;
    for (size_t i = 0; i < points && self->code == ERROR_NONE; i++)
        distances[i] = distance_at(self, &places[i * count]);
    for (size_t s = 0; s < self->plan->starts && self->code == ERROR_NONE; s++)
        code = walk_simplex(self, &places[take_best(distances, points) * count]);
    if (self->code == ERROR_NONE && code == ERROR_NONE && !isfinite(self->best_distance))
        return error_set(self->err, ERROR_NUMERICAL,
                         "the model has no market at any parameters within the bounds");
    return self->code != ERROR_NONE ? self->code : code;
}

static int search(struct fitting *self)
{
    size_t points = POINTS_PER_START * self->plan->starts;
    double *places = memory_alloc(points * self->plan->parameter_count, sizeof *places);
    double *distances = memory_alloc(points, sizeof *distances);
    gsl_error_handler_t *before = gsl_set_error_handler_off();
    int code = places != NULL && distances != NULL ? search_from(self, places, distances, points)
                                                   : error_memory(self->err, "calibrating");
    gsl_set_error_handler(before);
    memory_free(places);
    memory_free(distances);
    return code;
}

/* ---- result ----------------------------------------------------------------------------- */

static int describe_best(struct fitting *self)
{
    struct calibrate_fit *fit = self->fit;
    fit->parameter_count = self->plan->parameter_count;
    for (size_t p = 0; p < fit->parameter_count; p++) {
        double unit = self->best[p];
        fit->theta[p] = calibrate_value(&self->plan->parameters[p], unit);
        fit->low[p] = fit->high[p] = NAN;
        fit->bound[p] = unit <= AT_BOUND         ? CALIBRATE_AT_LOW
                        : unit >= 1.0 - AT_BOUND ? CALIBRATE_AT_HIGH
                                                 : CALIBRATE_INSIDE;
    }
    for (size_t r = 0; r < self->rows->count; r++)
        if (!self->rows->assets[self->rows->items[r].asset].complete)
            fit->observed[self->rows->items[r].horizon] = true;
    int code = evaluate(self, self->best, self->log);
    if (code == ERROR_NONE)
        fit->distance = calibrate_distance(self->rows, self->log, self->weights, &fit->observation);
    return code;
}

/* Central differences of the logarithms along each coordinate, one-sided at a face. */
static int slopes(struct fitting *self, double *out)
{
    static const double STEP = 0.03; /* of the range: own prior */
    size_t rows = self->rows->count;
    double *other = memory_alloc(rows, sizeof *other);
    if (other == NULL)
        return error_memory(self->err, "calibrating");
    int code = ERROR_NONE;
    for (size_t p = 0; p < self->plan->parameter_count && code == ERROR_NONE; p++) {
        double unit[FLOW_PARAMETERS_MAX];
        memcpy(unit, self->best, sizeof unit);
        double up = fmin(self->best[p] + STEP, 1.0), down = fmax(self->best[p] - STEP, 0.0);
        unit[p] = up;
        code = evaluate(self, unit, &out[p * rows]);
        unit[p] = down;
        if (code == ERROR_NONE)
            code = evaluate(self, unit, other);
        for (size_t r = 0; r < rows && code == ERROR_NONE; r++)
            out[p * rows + r] = (out[p * rows + r] - other[r]) / (up - down);
    }
    memory_free(other);
    return code;
}

static int draw(struct fitting *self)
{
    const struct calibrate_plan *plan = self->plan;
    double *slope = memory_alloc(self->rows->count * plan->parameter_count, sizeof *slope);
    if (slope == NULL)
        return error_memory(self->err, "calibrating");
    int code = slopes(self, slope);
    if (code == ERROR_NONE)
        code = calibrate_draws(self->fit, plan, self->rows, self->best, self->log, slope,
                               self->weights, self->err);
    memory_free(slope);
    return code;
}

int64_t calibrate_evaluations(const struct calibrate_plan *plan)
{
    /* A simplex takes about two evaluations a step, and settles after some 25 steps a parameter. */
    size_t steps =
        25 * plan->parameter_count < STEPS_MOST ? 25 * plan->parameter_count : STEPS_MOST;
    return (int64_t)(plan->starts * (POINTS_PER_START + 2 * steps) +
                     (plan->resamples > 0 ? 2 * plan->parameter_count : 0) + 1);
}

static int check(const struct calibrate_plan *plan, const struct flow_rows *rows, struct error *err)
{
    if (plan->parameter_count == 0 || plan->parameter_count > FLOW_PARAMETERS_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu parameters to calibrate; expected 1 to %d",
                         plan->parameter_count, FLOW_PARAMETERS_MAX);
    for (size_t p = 0; p < plan->parameter_count; p++)
        if (!(plan->parameters[p].low < plan->parameters[p].high))
            return error_set(err, ERROR_SCENARIO, "%s: has no room between its bounds",
                             plan->parameters[p].key);
    if (rows->count <= plan->parameter_count)
        return error_set(err, ERROR_DATA,
                         "%zu reported flows for %zu parameters; expected a window with a feed of "
                         "liquidations",
                         rows->count, plan->parameter_count);
    return ERROR_NONE;
}

int calibrate_run(struct calibrate_fit *self, const struct calibrate_plan *plan,
                  struct flow_rows *rows, struct progress *progress, struct error *err)
{
    memset(self, 0, sizeof *self);
    int code = check(plan, rows, err);
    if (code != ERROR_NONE)
        return code;
    struct fitting fitting = {.plan = plan,
                              .rows = rows,
                              .progress = progress,
                              .fit = self,
                              .best_distance = INFINITY,
                              .err = err};
    fitting.weights = memory_zeroed(rows->count, sizeof *fitting.weights);
    fitting.log = memory_zeroed(rows->count, sizeof *fitting.log);
    if (fitting.weights == NULL || fitting.log == NULL)
        code = error_memory(err, "calibrating");
    if (code == ERROR_NONE) {
        calibrate_weights(plan, rows, fitting.weights);
        code = search(&fitting);
    }
    if (code == ERROR_NONE)
        code = describe_best(&fitting);
    if (code == ERROR_NONE && plan->resamples > 0)
        code = draw(&fitting);
    memory_free(fitting.weights);
    memory_free(fitting.log);
    if (code != ERROR_NONE)
        calibrate_fit_free(self);
    return code;
}

void calibrate_fit_free(struct calibrate_fit *self)
{
    memory_free(self->draw_theta);
    memory_free(self->draw_observation);
    self->draw_theta = NULL;
    self->draw_observation = NULL;
}
