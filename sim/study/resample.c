#include "sim/study/resample.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

int resample_check(const struct resample_plan *plan, struct error *err)
{
    if (plan->resamples < 2 || plan->resamples > UINT32_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu resamples of a bootstrap; expected 2 or more",
                         plan->resamples);
    if (!(plan->level > 0.0 && plan->level < 1.0))
        return error_set(err, ERROR_SCENARIO, "level %g of an interval; expected in (0, 1)",
                         plan->level);
    return ERROR_NONE;
}

void resample_weights(const struct random_stream *stream, size_t resample, size_t units,
                      uint32_t *out_weights)
{
    struct random_block block = {{0}};
    memset(out_weights, 0, units * sizeof *out_weights);
    for (size_t i = 0; i < units; i++) {
        if (i % 4 == 0)
            block = random_block_at(stream, (uint32_t)resample, (uint32_t)(i / 4));
        out_weights[((uint64_t)block.word[i % 4] * units) >> 32]++;
    }
}

void resample_interval(double *values, size_t count, double level, double *out_low,
                       double *out_high)
{
    *out_low = *out_high = NAN;
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i]))
            return;
    gsl_sort(values, 1, count);
    *out_low = gsl_stats_quantile_from_sorted_data(values, 1, count, 0.5 * (1.0 - level));
    *out_high = gsl_stats_quantile_from_sorted_data(values, 1, count, 0.5 * (1.0 + level));
}
