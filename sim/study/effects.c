#include "sim/study/effects.h"

#include <math.h>
#include <stdbool.h>

#include "base/memory.h"
#include "base/random.h"

/* Effects trajectory by trajectory, factor by factor; NaN: not there yet. */
struct effects {
    size_t factors, trajectories;
    double *all; /* trajectories x factors; owned */
};

/* The one factor that a step moves; `factors` when it is none or several. */
static size_t moved(const double *before, const double *after, size_t factors)
{
    size_t found = factors;
    for (size_t i = 0; i < factors; i++) {
        if (before[i] == after[i])
            continue;
        if (found < factors)
            return factors;
        found = i;
    }
    return found;
}

static int fill_trajectory(struct effects *self, size_t trajectory, const double *unit,
                           const double *outputs, struct error *err)
{
    size_t factors = self->factors, first = trajectory * (factors + 1);
    double *effects = self->all + trajectory * factors;
    for (size_t i = 0; i < factors; i++)
        effects[i] = NAN;
    for (size_t point = first + 1; point <= first + factors; point++) {
        const double *after = unit + point * factors, *before = after - factors;
        size_t factor = moved(before, after, factors);
        if (factor == factors || !isnan(effects[factor]))
            return error_set(err, ERROR_NUMERICAL, "trajectory %zu does not move each factor once",
                             trajectory);
        double change = outputs[point] - outputs[point - 1];
        if (!isfinite(change))
            return error_set(err, ERROR_NUMERICAL,
                             "the outputs at points %zu and %zu of a Morris design are %g and %g",
                             point - 1, point, outputs[point - 1], outputs[point]);
        effects[factor] = change / (after[factor] - before[factor]);
    }
    return ERROR_NONE;
}

static void sum_up(const struct effects *self, size_t factor, struct effects_factor *out)
{
    double n = (double)self->trajectories, sum = 0.0, sizes = 0.0, squares = 0.0;
    const double *effect = self->all + factor;
    for (size_t t = 0; t < self->trajectories; t++) {
        sum += effect[t * self->factors];
        sizes += fabs(effect[t * self->factors]);
    }
    out->mu = sum / n;
    out->mu_star = sizes / n;
    for (size_t t = 0; t < self->trajectories; t++) {
        double apart = effect[t * self->factors] - out->mu;
        squares += apart * apart;
    }
    out->sigma = sqrt(squares / (n - 1.0));
    out->mu_star_low = out->mu_star_high = NAN;
}

/* `drawn` holds the resampled means factor by factor. */
static void resample_all(const struct effects *self, const struct resample_plan *plan,
                         uint32_t *weights, double *drawn, struct effects_factor *out_factors)
{
    struct random_stream stream = random_stream_make(plan->seed, 0, "effects.bootstrap");
    size_t count = plan->resamples;
    for (size_t r = 0; r < count; r++) {
        resample_weights(&stream, r, self->trajectories, weights);
        for (size_t i = 0; i < self->factors; i++) {
            double sum = 0.0;
            for (size_t t = 0; t < self->trajectories; t++)
                sum += (double)weights[t] * fabs(self->all[t * self->factors + i]);
            drawn[i * count + r] = sum / (double)self->trajectories;
        }
    }
    for (size_t i = 0; i < self->factors; i++)
        resample_interval(drawn + i * count, count, plan->level, &out_factors[i].mu_star_low,
                          &out_factors[i].mu_star_high);
}

static int intervals(const struct effects *self, const struct resample_plan *plan,
                     struct effects_factor *out_factors, struct error *err)
{
    uint32_t *weights = memory_alloc(self->trajectories, sizeof *weights);
    double *drawn = memory_alloc(plan->resamples, self->factors * sizeof *drawn);
    int code = ERROR_NONE;
    if (weights == NULL || drawn == NULL)
        code = error_memory(err, "intervals of elementary effects");
    else
        resample_all(self, plan, weights, drawn, out_factors);
    memory_free(weights);
    memory_free(drawn);
    return code;
}

static int check(size_t factors, size_t trajectories, const struct resample_plan *bootstrap,
                 struct error *err)
{
    if (factors < 1 || trajectories < 2)
        return error_set(err, ERROR_SCENARIO,
                         "%zu factors in %zu trajectories; expected 1 or more in 2 or more",
                         factors, trajectories);
    return bootstrap != NULL ? resample_check(bootstrap, err) : ERROR_NONE;
}

int effects_estimate(size_t factors, size_t trajectories, const double *unit, const double *outputs,
                     const struct resample_plan *bootstrap, struct effects_factor *out_factors,
                     struct error *err)
{
    struct effects effects = {factors, trajectories, NULL};
    int code = check(factors, trajectories, bootstrap, err);
    if (code != ERROR_NONE)
        return code;
    effects.all = memory_alloc(trajectories, factors * sizeof *effects.all);
    if (effects.all == NULL)
        return error_memory(err, "elementary effects");
    for (size_t t = 0; t < trajectories && code == ERROR_NONE; t++)
        code = fill_trajectory(&effects, t, unit, outputs, err);
    for (size_t i = 0; i < factors && code == ERROR_NONE; i++)
        sum_up(&effects, i, &out_factors[i]);
    if (code == ERROR_NONE && bootstrap != NULL)
        code = intervals(&effects, bootstrap, out_factors, err);
    memory_free(effects.all);
    return code;
}
