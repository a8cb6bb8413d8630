#include "sim/study/coverage.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

/* n ln(observed / expected), 0 for n = 0: what n outcomes say for one rate against another. */
static double weight_of(size_t n, double observed, double expected)
{
    return n == 0 ? 0.0 : (double)n * log(observed / expected);
}

/* ln of the likelihood of `ones` and `zeros` at their own rate over that at `rate`. */
static double log_ratio(size_t ones, size_t zeros, double rate)
{
    double own = (double)ones / (double)(ones + zeros);
    return weight_of(ones, own, rate) + weight_of(zeros, 1.0 - own, 1.0 - rate);
}

/* LR from half of it: rounding may leave it just below 0. */
static void finish(struct coverage_test *test, double half_ratio, int degrees)
{
    test->ratio = half_ratio > 0.0 ? 2.0 * half_ratio : 0.0;
    test->degrees = degrees;
    test->p_value = gsl_cdf_chisq_Q(test->ratio, degrees);
}

int coverage_count(const unsigned char *hits, size_t steps, struct coverage_counts *out_counts,
                   struct error *err)
{
    memset(out_counts, 0, sizeof *out_counts);
    for (size_t i = 0; i < steps; i++) {
        if (hits[i] > 1)
            return error_set(err, ERROR_DATA, "exceedance %zu is %d; expected 0 or 1", i + 1,
                             hits[i]);
        out_counts->exceedances += hits[i];
        if (i > 0)
            out_counts->transitions[hits[i - 1]][hits[i]]++;
    }
    out_counts->steps = steps;
    return ERROR_NONE;
}

int coverage_unconditional(size_t steps, size_t exceedances, double rate,
                           struct coverage_test *out_test, struct error *err)
{
    if (!(rate > 0.0 && rate < 1.0))
        return error_set(err, ERROR_SCENARIO, "rate of exceedance %g; expected in (0, 1)", rate);
    if (steps == 0)
        return error_set(err, ERROR_DATA, "no steps to test the coverage of");
    if (exceedances > steps)
        return error_set(err, ERROR_DATA, "%zu exceedances in %zu steps", exceedances, steps);
    finish(out_test, log_ratio(exceedances, steps - exceedances, rate), 1);
    return ERROR_NONE;
}

void coverage_independence(const struct coverage_counts *counts, struct coverage_test *out_test)
{
    const size_t(*n)[2] = counts->transitions;
    size_t ones = n[0][1] + n[1][1], all = ones + n[0][0] + n[1][0];
    double half_ratio = 0.0;
    for (int from = 0; from < 2; from++)
        if (n[from][0] + n[from][1] > 0)
            half_ratio += log_ratio(n[from][1], n[from][0], (double)ones / (double)all);
    finish(out_test, half_ratio, 1);
}

int coverage_conditional(const struct coverage_counts *counts, double rate,
                         struct coverage_test *out_test, struct error *err)
{
    struct coverage_test coverage = {0}, independence;
    int code = coverage_unconditional(counts->steps, counts->exceedances, rate, &coverage, err);
    if (code != ERROR_NONE)
        return code;
    coverage_independence(counts, &independence);
    finish(out_test, 0.5 * (coverage.ratio + independence.ratio), 2);
    return ERROR_NONE;
}
