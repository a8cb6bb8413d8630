#include "sim/study/indices.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/sobol.h"

static int check_sizes(size_t factors, size_t rows, struct error *err)
{
    if (factors < 1 || factors > INDICES_FACTORS_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu factors; expected 1 to %d", factors,
                         INDICES_FACTORS_MAX);
    if (rows < 2 || rows > INDICES_ROWS_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu rows of a sensitivity design; expected 2 to %zu",
                         rows, INDICES_ROWS_MAX);
    return ERROR_NONE;
}

/* ---- design ----------------------------------------------------------------------------- */

int indices_design_init(struct indices_design *self, size_t factors, size_t rows, uint64_t seed,
                        struct error *err)
{
    memset(self, 0, sizeof *self);
    int code = check_sizes(factors, rows, err);
    if (code != ERROR_NONE)
        return code;
    double *unit = memory_alloc(rows, 2 * factors * sizeof *unit);
    if (unit == NULL)
        return error_memory(err, "a sensitivity design");
    struct random_stream stream = random_stream_make(seed, 0, "indices.scramble");
    code = sobol_scrambled(rows, 2 * factors, &stream, unit, err);
    if (code != ERROR_NONE) {
        memory_free(unit);
        return code;
    }
    *self = (struct indices_design){factors, rows, unit};
    return ERROR_NONE;
}

void indices_design_free(struct indices_design *self)
{
    memory_free(self->unit);
    memset(self, 0, sizeof *self);
}

size_t indices_points(size_t factors, size_t rows)
{
    return rows * (factors + 2);
}

size_t indices_design_points(const struct indices_design *self)
{
    return indices_points(self->factors, self->rows);
}

void indices_design_point(const struct indices_design *self, size_t index, double *out_unit)
{
    size_t factors = self->factors, member = index % (factors + 2);
    liqcascade_bug_assert(index < indices_design_points(self), "no such point");
    const double *a = self->unit + index / (factors + 2) * 2 * factors, *b = a + factors;
    memcpy(out_unit, member == 1 ? b : a, factors * sizeof *out_unit);
    if (member >= 2)
        out_unit[member - 2] = b[member - 2];
}

/* ---- estimates -------------------------------------------------------------------------- */

/*
 * Every index is a ratio of sums over rows, so a row is kept as what it adds: first the moments of
 * A and B about the mean, then per factor the squared differences of S1 and ST. A resample only
 * weights rows.
 */
enum { TERM_SUM, TERM_SQUARES, TERM_FACTORS };

struct terms {
    size_t factors, rows, width; /* width: TERM_FACTORS + 2 factors */
    double mean;
    double *rows_terms; /* rows x width; owned */
};

static double square(double x)
{
    return x * x;
}

/* Of all f(A) and f(B), measured from the first: exact where nothing changes. */
static double mean_of(const struct terms *terms, const double *outputs)
{
    size_t width = terms->factors + 2;
    double sum = 0.0;
    for (size_t row = 0; row < terms->rows; row++)
        sum += (outputs[row * width] - outputs[0]) + (outputs[row * width + 1] - outputs[0]);
    return outputs[0] + sum / (2.0 * (double)terms->rows);
}

static void fill_terms(struct terms *terms, const double *outputs)
{
    terms->mean = mean_of(terms, outputs);
    for (size_t row = 0; row < terms->rows; row++) {
        const double *f = outputs + row * (terms->factors + 2);
        double *term = terms->rows_terms + row * terms->width;
        double a = f[0] - terms->mean, b = f[1] - terms->mean;
        term[TERM_SUM] = a + b;
        term[TERM_SQUARES] = a * a + b * b;
        for (size_t i = 0; i < terms->factors; i++) {
            term[TERM_FACTORS + 2 * i] = square(f[1] - f[2 + i]);
            term[TERM_FACTORS + 2 * i + 1] = square(f[0] - f[2 + i]);
        }
    }
}

/* The indices of rows taken `weights` times (NULL: once): out_indices[2 i] is S1 of factor i and
   out_indices[2 i + 1] its ST, NaN where there is no variance. Returns the variance. */
static double weigh(const struct terms *terms, const uint32_t *weights, double *out_indices)
{
    double sums[TERM_FACTORS + 2 * INDICES_FACTORS_MAX] = {0.0}, n = (double)terms->rows;
    for (size_t row = 0; row < terms->rows; row++) {
        const double *term = terms->rows_terms + row * terms->width;
        double weight = weights == NULL ? 1.0 : (double)weights[row];
        for (size_t k = 0; k < terms->width; k++)
            sums[k] += weight * term[k];
    }
    double variance = (sums[TERM_SQUARES] - square(sums[TERM_SUM]) / (2.0 * n)) / (2.0 * n);
    bool varies = !(variance <= 0.0); /* an overflow is no constant */
    for (size_t i = 0; i < terms->factors; i++) {
        const double *of_factor = sums + TERM_FACTORS + 2 * i;
        out_indices[2 * i] = varies ? 1.0 - of_factor[0] / (2.0 * n * variance) : NAN;
        out_indices[2 * i + 1] = varies ? of_factor[1] / (2.0 * n * variance) : NAN;
    }
    return varies ? variance : 0.0;
}

/* ---- intervals -------------------------------------------------------------------------- */

/* The sum of S1 of `factors` indices as of weigh. */
static double first_sum(const double *indices, size_t factors)
{
    double sum = 0.0;
    for (size_t i = 0; i < factors; i++)
        sum += indices[2 * i];
    return sum;
}

/* `drawn` holds the resampled values index by index, then the sums of S1, `weights` a row each. */
static void resample_all(const struct terms *terms, const struct resample_plan *bootstrap,
                         uint32_t *weights, double *drawn, struct indices_result *out)
{
    struct random_stream stream = random_stream_make(bootstrap->seed, 0, "indices.bootstrap");
    size_t count = bootstrap->resamples;
    for (size_t r = 0; r < count; r++) {
        double indices[2 * INDICES_FACTORS_MAX];
        resample_weights(&stream, r, terms->rows, weights);
        weigh(terms, weights, indices);
        for (size_t k = 0; k < 2 * terms->factors; k++)
            drawn[k * count + r] = indices[k];
        drawn[2 * terms->factors * count + r] = first_sum(indices, terms->factors);
    }
    for (size_t i = 0; i < terms->factors; i++) {
        struct indices_factor *factor = &out->factor[i];
        resample_interval(drawn + 2 * i * count, count, bootstrap->level, &factor->first_low,
                          &factor->first_high);
        resample_interval(drawn + (2 * i + 1) * count, count, bootstrap->level, &factor->total_low,
                          &factor->total_high);
    }
    resample_interval(drawn + 2 * terms->factors * count, count, bootstrap->level,
                      &out->first_sum_low, &out->first_sum_high);
}

static int intervals(const struct terms *terms, const struct resample_plan *bootstrap,
                     struct indices_result *out, struct error *err)
{
    uint32_t *weights = memory_alloc(terms->rows, sizeof *weights);
    double *drawn = memory_alloc(bootstrap->resamples, (2 * terms->factors + 1) * sizeof *drawn);
    int code = ERROR_NONE;
    if (weights == NULL || drawn == NULL)
        code = error_memory(err, "intervals of sensitivity indices");
    else
        resample_all(terms, bootstrap, weights, drawn, out);
    memory_free(weights);
    memory_free(drawn);
    return code;
}

/* ---- the whole -------------------------------------------------------------------------- */

static int check_outputs(size_t factors, size_t rows, const double *outputs, struct error *err)
{
    for (size_t i = 0; i < indices_points(factors, rows); i++)
        if (!isfinite(outputs[i]))
            return error_set(err, ERROR_NUMERICAL,
                             "the output at point %zu of a sensitivity design is %g", i,
                             outputs[i]);
    return ERROR_NONE;
}

/* Point estimates, no intervals. */
static int point_estimates(const struct terms *terms, struct indices_result *result,
                           struct error *err)
{
    double indices[2 * INDICES_FACTORS_MAX];
    result->mean = terms->mean;
    result->variance = weigh(terms, NULL, indices);
    result->first_sum = first_sum(indices, terms->factors);
    result->first_sum_low = result->first_sum_high = NAN;
    for (size_t i = 0; i < terms->factors; i++) {
        result->factor[i] =
            (struct indices_factor){indices[2 * i], indices[2 * i + 1], NAN, NAN, NAN, NAN};
        if (result->variance != 0.0 && !isfinite(indices[2 * i] + indices[2 * i + 1]))
            return error_set(err, ERROR_NUMERICAL, "outputs too large to take the variance of");
    }
    return ERROR_NONE;
}

int indices_estimate(size_t factors, size_t rows, const double *outputs,
                     const struct resample_plan *bootstrap, struct indices_result *out_result,
                     struct error *err)
{
    memset(out_result, 0, sizeof *out_result);
    int code = check_sizes(factors, rows, err);
    if (code == ERROR_NONE && bootstrap != NULL)
        code = resample_check(bootstrap, err);
    if (code == ERROR_NONE)
        code = check_outputs(factors, rows, outputs, err);
    if (code != ERROR_NONE)
        return code;
    struct terms terms = {.factors = factors, .rows = rows, .width = TERM_FACTORS + 2 * factors};
    terms.rows_terms = memory_alloc(rows, terms.width * sizeof *terms.rows_terms);
    if (terms.rows_terms == NULL)
        return error_memory(err, "sensitivity indices");
    fill_terms(&terms, outputs);
    code = point_estimates(&terms, out_result, err);
    if (code == ERROR_NONE && bootstrap != NULL)
        code = intervals(&terms, bootstrap, out_result, err);
    memory_free(terms.rows_terms);
    return code;
}
