#include "sim/study/scores.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "base/memory.h"

/* ---- pairs of amounts ------------------------------------------------------------------- */

struct pair {
    double predicted, low, high;
};

static bool is_unknown(const struct pair *pair)
{
    return isnan(pair->predicted) || isnan(pair->low) || isnan(pair->high);
}

static bool is_amount(double value)
{
    return value >= 0.0 && value < INFINITY;
}

static int check_floor(double floor, struct error *err)
{
    if (is_amount(floor))
        return ERROR_NONE;
    return error_set(err, ERROR_DATA, "floor %g of amounts; expected 0 or above", floor);
}

static int check_pair(const struct pair *pair, size_t i, struct error *err)
{
    if (is_unknown(pair))
        return ERROR_NONE;
    if (!is_amount(pair->predicted))
        return error_set(err, ERROR_DATA, "prediction %zu is %g; expected 0 or above", i + 1,
                         pair->predicted);
    if (!is_amount(pair->low) || !is_amount(pair->high) || pair->low > pair->high)
        return error_set(err, ERROR_DATA,
                         "observation %zu is [%g, %g]; expected 0 or above, low before high", i + 1,
                         pair->low, pair->high);
    return ERROR_NONE;
}

/* Counts a pair and raises it to the floor; whether its logarithms can be taken. */
static bool take(struct pair *pair, double floor, struct scores_pairs *pairs)
{
    if (is_unknown(pair)) {
        pairs->unknown++;
        return false;
    }
    if (floor > 0.0) {
        pairs->floored += pair->predicted < floor || pair->low < floor;
        pair->predicted = fmax(pair->predicted, floor);
        pair->low = fmax(pair->low, floor);
        pair->high = fmax(pair->high, floor);
    }
    bool predicted = pair->predicted > 0.0, observed = pair->high > 0.0;
    if (!predicted && !observed)
        pairs->zero_both++;
    else if (!predicted)
        pairs->zero_predicted++;
    else if (!observed)
        pairs->zero_observed++;
    else
        pairs->used++;
    return predicted && observed;
}

double scores_log_error(double predicted, double low, double high)
{
    if (predicted > high)
        return log(predicted / high);
    return predicted < low ? log(predicted / low) : 0.0;
}

/* Sorts `errors` by size. */
static void summarise(double *errors, struct scores_logs *out)
{
    size_t count = out->pairs.used;
    if (count == 0)
        return;
    out->mean = gsl_stats_mean(errors, 1, count);
    for (size_t i = 0; i < count; i++)
        errors[i] = fabs(errors[i]);
    gsl_sort(errors, 1, count);
    out->mean_abs = gsl_stats_mean(errors, 1, count);
    out->median_abs = gsl_stats_median_from_sorted_data(errors, 1, count);
}

int scores_log_errors(const double *predicted, const double *low, const double *high, size_t count,
                      double floor, struct scores_logs *out, struct error *err)
{
    *out = (struct scores_logs){.median_abs = NAN, .mean_abs = NAN, .mean = NAN};
    int code = check_floor(floor, err);
    if (code != ERROR_NONE)
        return code;
    double *errors = memory_alloc(count, sizeof *errors);
    if (errors == NULL)
        return error_memory(err, "scoring logarithms");
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        struct pair pair = {predicted[i], low[i], high[i]};
        code = check_pair(&pair, i, err);
        if (code == ERROR_NONE && take(&pair, floor, &out->pairs))
            errors[out->pairs.used - 1] = scores_log_error(pair.predicted, pair.low, pair.high);
    }
    if (code == ERROR_NONE)
        summarise(errors, out);
    memory_free(errors);
    return code;
}

int scores_log_mean(const double *amounts, const unsigned char *mask, size_t count, double floor,
                    double *out, struct error *err)
{
    struct scores_pairs pairs = {0};
    double sum = 0.0;
    *out = NAN;
    int code = check_floor(floor, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        struct pair pair = {amounts[i], amounts[i], amounts[i]};
        if (mask != NULL && mask[i] == 0)
            continue;
        code = check_pair(&pair, i, err);
        if (code == ERROR_NONE && take(&pair, floor, &pairs))
            sum += log(pair.high);
    }
    if (code == ERROR_NONE && pairs.used > 0)
        *out = sum / (double)pairs.used;
    return code;
}

int scores_log_r2(const double *predicted, const double *observed, size_t count, double floor,
                  double training_mean, struct scores_r2 *out, struct error *err)
{
    *out = (struct scores_r2){.r2 = NAN};
    int code = check_floor(floor, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        struct pair pair = {predicted[i], observed[i], observed[i]};
        code = check_pair(&pair, i, err);
        if (code != ERROR_NONE || !take(&pair, floor, &out->pairs))
            continue;
        double residual = log(pair.high / pair.predicted), total = log(pair.high) - training_mean;
        out->residual += residual * residual;
        out->total += total * total;
    }
    if (code == ERROR_NONE && out->total > 0.0)
        out->r2 = 1.0 - out->residual / out->total;
    return code;
}

/* ---- ranks ------------------------------------------------------------------------------ */

static bool varies(const double *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] != values[0])
            return true;
    return false;
}

int scores_rank_correlation(const double *left, const double *right, size_t count, double *out,
                            struct error *err)
{
    *out = NAN;
    double *known = memory_alloc(count, 4 * sizeof *known);
    if (known == NULL)
        return error_memory(err, "a rank correlation");
    double *x = known, *y = known + count;
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(left[i]) || isnan(right[i]))
            continue;
        x[pairs] = left[i];
        y[pairs++] = right[i];
    }
    if (varies(x, pairs) && varies(y, pairs))
        *out = gsl_stats_spearman(x, 1, y, 1, pairs, y + count);
    memory_free(known);
    return ERROR_NONE;
}

/* ---- shares and absolute errors --------------------------------------------------------- */

double scores_share(double longs, double shorts)
{
    double all = longs + shorts;
    return all > 0.0 ? longs / all : NAN;
}

double scores_mean_abs_error(const double *predicted, const double *low, const double *high,
                             size_t count, size_t *out_used)
{
    double sum = 0.0;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct pair pair = {predicted[i], low[i], high[i]};
        if (is_unknown(&pair))
            continue;
        sum += fmax(0.0, fmax(predicted[i] - high[i], low[i] - predicted[i]));
        used++;
    }
    if (out_used != NULL)
        *out_used = used;
    return used > 0 ? sum / (double)used : NAN;
}

/* ---- quantiles and samples -------------------------------------------------------------- */

double scores_pinball(double observed, double forecast, double p)
{
    double over = observed - forecast;
    return over >= 0.0 ? p * over : (p - 1.0) * over;
}

double scores_pinball_mean(const double *observed, const double *forecasts, size_t count, double p)
{
    double sum = 0.0;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        double loss = scores_pinball(observed[i], forecasts[i], p);
        if (isnan(loss))
            continue;
        sum += loss;
        used++;
    }
    return used > 0 ? sum / (double)used : NAN;
}

static int check_sample(const double *sample, size_t draws, double observed,
                        enum scores_crps_kind kind, struct error *err)
{
    if (draws < (kind == SCORES_CRPS_FAIR ? 2 : 1))
        return error_set(err, ERROR_DATA, "a sample of %zu draws is too small to score", draws);
    bool unknown = isnan(observed);
    for (size_t i = 0; i < draws; i++)
        unknown = unknown || isnan(sample[i]);
    return unknown ? error_set(err, ERROR_DATA, "NaN in a sample or its observation") : ERROR_NONE;
}

/* Sum of |x_i - x_j| over unordered pairs: the k-th of m sorted is the larger one k - 1 times and
   the smaller one m - k times. Distances from the first keep their digits. */
static double sum_of_distances(const double *sorted, size_t count)
{
    double sum = 0.0;
    for (size_t k = 1; k < count; k++)
        sum += ((double)k - (double)(count - 1 - k)) * (sorted[k] - sorted[0]);
    return sum;
}

int scores_crps_sample(const double *sample, size_t draws, double observed,
                       enum scores_crps_kind kind, double *out, struct error *err)
{
    *out = NAN;
    int code = check_sample(sample, draws, observed, kind, err);
    if (code != ERROR_NONE)
        return code;
    double *sorted = memory_alloc(draws, sizeof *sorted);
    if (sorted == NULL)
        return error_memory(err, "scoring a sample");
    memcpy(sorted, sample, draws * sizeof *sorted);
    gsl_sort(sorted, 1, draws);
    double m = (double)draws, distance = 0.0;
    for (size_t i = 0; i < draws; i++)
        distance += fabs(sorted[i] - observed);
    double pairs = kind == SCORES_CRPS_FAIR ? m * (m - 1.0) : m * m;
    *out = distance / m - sum_of_distances(sorted, draws) / pairs;
    memory_free(sorted);
    return ERROR_NONE;
}

static int check_levels(const double *quantiles, const double *levels, size_t count,
                        double observed, struct error *err)
{
    if (count == 0 || isnan(observed))
        return error_set(err, ERROR_DATA, "nothing to score: no quantiles, or no observation");
    for (size_t k = 0; k < count; k++) {
        double before = k == 0 ? 0.0 : levels[k - 1];
        if (!(levels[k] > before && levels[k] < 1.0))
            return error_set(err, ERROR_DATA, "level %zu of quantiles is %g; expected in (%g, 1)",
                             k + 1, levels[k], before);
        if (isnan(quantiles[k]))
            return error_set(err, ERROR_DATA, "quantile %zu is NaN", k + 1);
    }
    return ERROR_NONE;
}

int scores_crps_quantiles(const double *quantiles, const double *levels, size_t count,
                          double observed, double *out, struct error *err)
{
    *out = NAN;
    int code = check_levels(quantiles, levels, count, observed, err);
    if (code != ERROR_NONE)
        return code;
    double sum = 0.0, from = 0.0;
    for (size_t k = 0; k < count; k++) {
        double to = k + 1 == count ? 1.0 : 0.5 * (levels[k] + levels[k + 1]);
        sum += (to - from) * scores_pinball(observed, quantiles[k], levels[k]);
        from = to;
    }
    *out = 2.0 * sum;
    return ERROR_NONE;
}
