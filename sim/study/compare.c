#include "sim/study/compare.h"

#include <math.h>
#include <stdbool.h>

/* The rows of the working room. */
struct room {
    double *values, *reference; /* of whole pairs */
    double *spanned_values, *spanned_reference;
    double *results; /* differences, then ratios */
};

static struct room divide(double *room, size_t runs)
{
    return (struct room){room, room + runs, room + 2 * runs, room + 3 * runs, room + 4 * runs};
}

static void keep_whole_pairs(const struct room *self, const double *values, const double *reference,
                             size_t runs)
{
    for (size_t i = 0; i < runs; i++) {
        bool whole = !isnan(values[i]) && !isnan(reference[i]);
        self->values[i] = whole ? values[i] : NAN;
        self->reference[i] = whole ? reference[i] : NAN;
    }
}

static double share_above(const double *differences, size_t count)
{
    size_t there = 0, above = 0;
    for (size_t i = 0; i < count; i++) {
        there += isnan(differences[i]) ? 0 : 1;
        above += differences[i] > 0 ? 1 : 0;
    }
    return there > 0 ? (double)above / (double)there : NAN;
}

static double ratio_median(const struct room *self, size_t count)
{
    static const double half = 0.5;
    struct bands ignored;
    double median;
    for (size_t i = 0; i < count; i++) {
        double reference = self->spanned_reference[i];
        self->results[i] = reference > 0 ? self->spanned_values[i] / reference : NAN;
    }
    bands_of(self->results, count, &half, 1, &ignored, &median);
    return median;
}

void compare_pairs(const struct compare_runs *runs, const double *probabilities,
                   size_t probability_count, double *room, struct compare *out,
                   double *out_quantiles)
{
    size_t draws = runs->draws, replicates = runs->replicates;
    struct room rows = divide(room, draws * replicates);
    keep_whole_pairs(&rows, runs->values, runs->reference, draws * replicates);
    size_t count = bands_span(rows.values, draws, replicates, runs->over, rows.spanned_values);
    bands_span(rows.reference, draws, replicates, runs->over, rows.spanned_reference);
    for (size_t i = 0; i < count; i++)
        rows.results[i] = rows.spanned_values[i] - rows.spanned_reference[i];
    out->share_above = share_above(rows.results, count);
    bands_of(rows.results, count, probabilities, probability_count, &out->bands, out_quantiles);
    out->ratio_median = ratio_median(&rows, count);
}
