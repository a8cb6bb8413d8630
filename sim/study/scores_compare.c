#include "sim/study/scores.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "base/memory.h"

#define TOLD_LEAST 0.9 /* share of resamples that must say something for an interval; own prior */

/* ---- two forecasts ---------------------------------------------------------------------- */

size_t scores_lags(size_t count, size_t horizon)
{
    size_t lags = (size_t)floor(4.0 * pow((double)count / 100.0, 2.0 / 9.0));
    if (horizon > 0 && lags < horizon - 1)
        lags = horizon - 1;
    return lags < count ? lags : count - (count > 0);
}

static int check_comparison(size_t count, size_t horizon, size_t lags, struct error *err)
{
    if (count < 2)
        return error_set(err, ERROR_DATA, "%zu steps to compare forecasts in; expected 2 or more",
                         count);
    if (horizon == 0 || horizon >= count)
        return error_set(err, ERROR_DATA, "horizon of %zu steps; expected 1 to %zu", horizon,
                         count - 1);
    if (lags >= count)
        return error_set(err, ERROR_DATA, "%zu lags in %zu steps", lags, count);
    return ERROR_NONE;
}

/* Newey and West's variance of the mean of `d`, whose mean is taken off. */
static double variance_of_mean(const double *d, size_t count, size_t lags)
{
    double sum = 0.0;
    for (size_t lag = 0; lag <= lags; lag++) {
        double products = 0.0;
        for (size_t i = lag; i < count; i++)
            products += d[i] * d[i - lag];
        double weight = 1.0 - (double)lag / (double)(lags + 1);
        sum += (lag == 0 ? 1.0 : 2.0 * weight) * products;
    }
    double steps = (double)count;
    return fmax(0.0, sum) / (steps * steps);
}

/* The factor of Harvey, Leybourne and Newbold. */
static double small_sample(double steps, double horizon)
{
    return sqrt((steps + 1.0 - 2.0 * horizon + horizon * (horizon - 1.0) / steps) / steps);
}

static void finish(struct scores_comparison *out, double variance, size_t horizon)
{
    out->statistic = out->mean == 0.0 ? 0.0 : out->mean / sqrt(variance);
    out->t = out->statistic * small_sample((double)out->count, (double)horizon);
    double degrees = (double)out->count - 1.0;
    if (isinf(out->t)) {
        out->p_value = 0.0;
        out->p_better = out->t < 0.0 ? 0.0 : 1.0;
        return;
    }
    out->p_value = fmin(1.0, 2.0 * gsl_cdf_tdist_Q(fabs(out->t), degrees));
    out->p_better = gsl_cdf_tdist_P(out->t, degrees);
}

int scores_compare(const double *loss_a, const double *loss_b, size_t count, size_t horizon,
                   size_t lags, struct scores_comparison *out, struct error *err)
{
    *out = (struct scores_comparison){NAN, NAN, NAN, NAN, NAN, count, lags};
    if (lags == SCORES_LAGS_RULE)
        out->lags = scores_lags(count, horizon);
    int code = check_comparison(count, horizon, out->lags, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(loss_a[i]) || !isfinite(loss_b[i]))
            return error_set(err, ERROR_DATA, "losses of step %zu are %g and %g", i + 1, loss_a[i],
                             loss_b[i]);
    double *d = memory_alloc(count, sizeof *d);
    if (d == NULL)
        return error_memory(err, "comparing forecasts");
    for (size_t i = 0; i < count; i++)
        d[i] = loss_a[i] - loss_b[i];
    out->mean = gsl_stats_mean(d, 1, count);
    for (size_t i = 0; i < count; i++)
        d[i] -= out->mean;
    finish(out, variance_of_mean(d, count, out->lags), horizon);
    memory_free(d);
    return ERROR_NONE;
}

/* ---- yes or no -------------------------------------------------------------------------- */

static double share(size_t part, size_t all)
{
    return all > 0 ? (double)part / (double)all : NAN;
}

void scores_calls(const unsigned char *called, const unsigned char *came, size_t count,
                  struct scores_calls *out)
{
    memset(out, 0, sizeof *out);
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        out->called += called[i] != 0;
        out->came += came[i] != 0;
        out->both += called[i] != 0 && came[i] != 0;
    }
    out->hit_rate = share(out->both, out->called);
    out->found = share(out->both, out->came);
    out->base_rate = share(out->came, count);
}

/* Placements: of each step that came, the share of the others that it beats, ties half; and the
   other way round. First and second moments of both. */
struct placements {
    double count[2];           /* [came] */
    double sum[2], squares[2]; /* of placements */
};

/* A group of equal scores, with `below` of either kind before it. */
static void place(struct placements *self, const double *below, const double *tied)
{
    double beaten = (below[0] + 0.5 * tied[0]) / self->count[0];
    double beating = 1.0 - (below[1] + 0.5 * tied[1]) / self->count[1];
    self->sum[1] += tied[1] * beaten;
    self->squares[1] += tied[1] * beaten * beaten;
    self->sum[0] += tied[0] * beating;
    self->squares[0] += tied[0] * beating * beating;
}

static void place_all(struct placements *self, const double *scores, const unsigned char *came,
                      const size_t *order, size_t count)
{
    double below[2] = {0.0, 0.0}, tied[2] = {0.0, 0.0};
    for (size_t i = 0; i < count; i++) {
        tied[came[order[i]] != 0] += 1.0;
        if (i + 1 < count && scores[order[i + 1]] == scores[order[i]])
            continue;
        place(self, below, tied);
        for (int kind = 0; kind < 2; kind++) {
            below[kind] += tied[kind];
            tied[kind] = 0.0;
        }
    }
}

/* Variance of the area by DeLong's sum over both kinds. */
static double variance_of_area(const struct placements *self, double area)
{
    double variance = 0.0;
    for (int kind = 0; kind < 2; kind++) {
        double n = self->count[kind];
        variance += fmax(0.0, self->squares[kind] - n * area * area) / (n * (n - 1.0));
    }
    return variance;
}

static void interval_of_area(const struct placements *self, double level,
                             struct scores_interval *out)
{
    out->value = self->sum[1] / self->count[1];
    if (self->count[0] < 2.0 || self->count[1] < 2.0)
        return;
    double half =
        gsl_cdf_ugaussian_Pinv(0.5 * (1.0 + level)) * sqrt(variance_of_area(self, out->value));
    out->low = fmax(0.0, out->value - half);
    out->high = fmin(1.0, out->value + half);
}

int scores_auc(const double *scores, const unsigned char *came, size_t count, double level,
               struct scores_interval *out, struct error *err)
{
    struct placements placements = {{0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}};
    *out = (struct scores_interval){NAN, NAN, NAN};
    if (!(level > 0.0 && level < 1.0))
        return error_set(err, ERROR_SCENARIO, "level %g of an interval; expected in (0, 1)", level);
    for (size_t i = 0; i < count; i++) {
        if (isnan(scores[i]))
            return error_set(err, ERROR_DATA, "score %zu is NaN", i + 1);
        placements.count[came[i] != 0] += 1.0;
    }
    if (placements.count[0] == 0.0 || placements.count[1] == 0.0)
        return ERROR_NONE;
    size_t *order = memory_alloc(count, sizeof *order);
    if (order == NULL)
        return error_memory(err, "an area under the curve");
    gsl_sort_index(order, scores, 1, count);
    place_all(&placements, scores, came, order, count);
    interval_of_area(&placements, level, out);
    memory_free(order);
    return ERROR_NONE;
}

/* ---- intervals of series that remember -------------------------------------------------- */

void scores_resample(const struct random_stream *stream, size_t resample, size_t count,
                     size_t block, enum scores_blocks blocks, size_t *out_steps)
{
    size_t begins = blocks == SCORES_BLOCKS_CIRCULAR ? count : count - block + 1;
    struct random_block drawn = {{0}};
    for (size_t filled = 0, k = 0; filled < count; k++) {
        if (k % 4 == 0)
            drawn = random_block_at(stream, (uint32_t)resample, (uint32_t)(k / 4));
        size_t begin = ((uint64_t)drawn.word[k % 4] * begins) >> 32;
        for (size_t i = 0; i < block && filled < count; i++)
            out_steps[filled++] = (begin + i) % count;
    }
}

static int check_plan(const struct scores_bootstrap_plan *plan, size_t count, struct error *err)
{
    int code = resample_check(&plan->resample, err);
    if (code != ERROR_NONE)
        return code;
    if (count == 0 || count > UINT32_MAX)
        return error_set(err, ERROR_DATA, "%zu steps to draw blocks from", count);
    if (plan->block == 0 || plan->block > count)
        return error_set(err, ERROR_SCENARIO, "blocks of %zu steps; expected 1 to %zu", plan->block,
                         count);
    return ERROR_NONE;
}

/* Returns how many resamples said something. */
static size_t draw(scores_statistic *statistic, void *context, size_t count,
                   const struct scores_bootstrap_plan *plan, size_t *steps, double *out_values)
{
    struct random_stream stream = random_stream_make(plan->resample.seed, 0, "scores.bootstrap");
    size_t told = 0;
    for (size_t r = 0; r < plan->resample.resamples; r++) {
        scores_resample(&stream, r, count, plan->block, plan->blocks, steps);
        double value = statistic(context, steps, count);
        if (!isnan(value))
            out_values[told++] = value;
    }
    return told;
}

int scores_bootstrap(scores_statistic *statistic, void *context, size_t count,
                     const struct scores_bootstrap_plan *plan, struct scores_interval *out,
                     struct error *err)
{
    *out = (struct scores_interval){NAN, NAN, NAN};
    int code = check_plan(plan, count, err);
    if (code != ERROR_NONE)
        return code;
    size_t *steps = memory_alloc(count, sizeof *steps);
    double *values = memory_alloc(plan->resample.resamples, sizeof *values);
    if (steps == NULL || values == NULL) {
        code = error_memory(err, "a bootstrap of blocks");
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        steps[i] = i;
    out->value = statistic(context, steps, count);
    size_t told = draw(statistic, context, count, plan, steps, values);
    if ((double)told >= TOLD_LEAST * (double)plan->resample.resamples)
        resample_interval(values, told, plan->resample.level, &out->low, &out->high);
out:
    memory_free(steps);
    memory_free(values);
    return code;
}
