#include "reports/bands.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_sort.h>

double bands_quantile(const double *sorted, size_t count, double probability)
{
    if (count == 0)
        return NAN;
    double rank = (double)(count - 1) * probability;
    size_t below = (size_t)rank;
    if (below >= count - 1)
        return sorted[count - 1];
    double low = sorted[below], high = sorted[below + 1], part = rank - (double)below;
    /* Two infinities have no difference. */
    return low == high || part == 0 ? low : low + part * (high - low);
}

/* From the first, so that equal values have exactly their mean. */
static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    if (count == 0)
        return NAN;
    if (isinf(values[0]) || isinf(values[count - 1]))
        return values[0] + values[count - 1];
    for (size_t i = 0; i < count; i++)
        sum += values[i] - values[0];
    return values[0] + sum / (double)count;
}

/* Moves NaN to the end; returns how many values are before them. */
static size_t part_missing(double *values, size_t count)
{
    size_t there = 0;
    for (size_t i = 0; i < count; i++) {
        double value = values[i];
        if (isnan(value))
            continue;
        values[i] = values[there];
        values[there++] = value;
    }
    return there;
}

void bands_of(double *values, size_t count, const double *probabilities, size_t probability_count,
              struct bands *out, double *out_quantiles)
{
    size_t n = part_missing(values, count);
    gsl_sort(values, 1, n);
    *out = (struct bands){.n = n, .missing = count - n, .mean = mean_of(values, n)};
    for (size_t i = 0; i < probability_count; i++)
        out_quantiles[i] = bands_quantile(values, n, probabilities[i]);
}

/* Over `count` values that lie `stride` apart. */
static double mean_there(const double *values, size_t count, size_t stride)
{
    double first = NAN, sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double value = values[i * stride];
        if (isnan(value))
            continue;
        if (n++ == 0)
            first = value;
        sum += isinf(first) ? 0 : value - first;
    }
    return n == 0 ? NAN : first + sum / (double)n;
}

size_t bands_span(const double *values, size_t draws, size_t replicates, enum bands_over over,
                  double *out)
{
    switch (over) {
    case BANDS_DRAWS:
        for (size_t d = 0; d < draws; d++)
            out[d] = mean_there(values + d * replicates, replicates, 1);
        return draws;
    case BANDS_REPLICATES:
        for (size_t r = 0; r < replicates; r++)
            out[r] = mean_there(values + r, draws, replicates);
        return replicates;
    case BANDS_BOTH:
        break;
    }
    memcpy(out, values, draws * replicates * sizeof *out);
    return draws * replicates;
}
