/*
 * Moments and autocorrelations of price paths against theory, and fits against the parameters that
 * made a path. Draws are fixed by the seed; distances are in standard errors of theory. With
 * LIQCASCADE_TEST_LONG=1 every path is sixteen times as long.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "base/calendar.h"
#include "models/price_path.h"
#include "tests/support/near.h"

#define YEAR_MINUTES 525600.0
#define START 100.0

static const double MOST_ERRORS = 4.0;

static size_t lengthened(size_t count)
{
    const char *wanted = getenv("LIQCASCADE_TEST_LONG");
    return wanted != NULL && strcmp(wanted, "1") == 0 ? 16 * count : count;
}

static void compare(const char *what, double seen, double theory, double error)
{
    print_message("%-44s %14.8g, theory %14.8g: %+.2f s.e.\n", what, seen, theory,
                  (seen - theory) / error);
    assert_near((seen - theory) / error, 0.0, MOST_ERRORS);
}

/* A statistic over independent replicates, where theory has no standard error at hand. */
struct spread {
    double count, sum, squares;
};

static void spread_add(struct spread *self, double value)
{
    self->count += 1.0;
    self->sum += value;
    self->squares += value * value;
}

static void spread_compare(const char *what, const struct spread *self, double theory)
{
    double mean = self->sum / self->count;
    compare(what, mean, theory,
            sqrt((self->squares / self->count - mean * mean) / (self->count - 1.0)));
}

/* ---- paths ------------------------------------------------------------------------------ */

struct series {
    double *open, *high, *low, *close;
    double *value; /* log returns */
    size_t count;
};

static struct series series_alloc(size_t count)
{
    double *all = calloc(count, 5 * sizeof *all);
    assert_non_null(all);
    return (struct series){all,  all + count, all + 2 * count, all + 3 * count, all + 4 * count,
                           count};
}

static void series_free(struct series *self)
{
    free(self->open);
}

static void returns_of(struct series *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->value[i] = log(self->close[i] / self->open[i]);
}

static struct series made(const struct price_path_params *params, uint32_t replicate, size_t count)
{
    struct series out = series_alloc(count);
    struct error err = {0};
    struct price_path_request request = {.seed = 20251121,
                                         .replicate = replicate,
                                         .step_ms = CALENDAR_MINUTE_MS,
                                         .start_price = START,
                                         .bars = count};
    if (price_path_make(params, &request, out.open, out.high, out.low, out.close, &err) !=
        ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    returns_of(&out);
    return out;
}

static struct price_path_history history_of(const struct series *self)
{
    return (struct price_path_history){self->open,  self->high,  self->low,
                                       self->close, self->count, CALENDAR_MINUTE_MS};
}

/* ---- moments ---------------------------------------------------------------------------- */

struct moments {
    double mean, central[7]; /* central[k]: k-th, about the mean */
};

static struct moments moments_of(const double *values, size_t count)
{
    struct moments out = {0};
    double n = (double)count;
    for (size_t i = 0; i < count; i++)
        out.mean += values[i] / n;
    for (size_t i = 0; i < count; i++) {
        double d = values[i] - out.mean, power = d;
        for (int k = 2; k <= 6; k++) {
            power *= d;
            out.central[k] += power / n;
        }
    }
    return out;
}

static double autocorrelation(const double *values, size_t count, size_t lag)
{
    struct moments moments = moments_of(values, count);
    double sum = 0.0;
    for (size_t i = lag; i < count; i++)
        sum += (values[i] - moments.mean) * (values[i - lag] - moments.mean);
    return sum / ((double)count * moments.central[2]);
}

static void squares_of(const double *values, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = values[i] * values[i];
}

/* ---- gbm -------------------------------------------------------------------------------- */

static struct price_path_params gbm_params(void)
{
    return (struct price_path_params){
        .kind = PRICE_PATH_GBM, .drift_per_year = 2.0, .volatility_per_year = 0.8};
}

static void gbm_returns_are_normal_and_independent(void **state)
{
    struct price_path_params params = gbm_params();
    struct series path = made(&params, 0, lengthened(200000));
    double n = (double)path.count, variance = 0.64 / YEAR_MINUTES;
    struct moments seen = moments_of(path.value, path.count);
    compare("gbm: mean", seen.mean, 2.0 / YEAR_MINUTES, sqrt(variance / n));
    compare("gbm: variance", seen.central[2], variance, variance * sqrt(2.0 / n));
    compare("gbm: skewness", seen.central[3] / pow(seen.central[2], 1.5), 0.0, sqrt(6.0 / n));
    compare("gbm: kurtosis", seen.central[4] / (seen.central[2] * seen.central[2]), 3.0,
            sqrt(24.0 / n));
    compare("gbm: autocorrelation", autocorrelation(path.value, path.count, 1), 0.0, sqrt(1.0 / n));
    series_free(&path);
}

/* Brownian motion without drift: E(high - open) = sqrt(2/pi) sigma, E of the squared log range is
   4 ln 2 sigma^2 (Parkinson 1980); highs and lows here have their exact distributions each, so the
   first holds for both, and P(high - open > x) = 2 Phi(-x/sigma). */
static void gbm_extremes_are_those_of_brownian_motion(void **state)
{
    struct price_path_params params = gbm_params();
    params.drift_per_year = 0.0;
    struct series path = made(&params, 1, lengthened(200000));
    double n = (double)path.count, sigma = 0.8 / sqrt(YEAR_MINUTES);
    double up = 0.0, down = 0.0, far = 0.0;
    for (size_t i = 0; i < path.count; i++) {
        double top = log(path.high[i] / path.open[i]);
        up += top / n;
        down -= log(path.low[i] / path.open[i]) / n;
        far += (top > 2.0 * sigma) / n;
    }
    double mean = sqrt(M_2_PI) * sigma, error = sigma * sqrt((1.0 - M_2_PI) / n);
    double tail = 2.0 * gsl_cdf_ugaussian_P(-2.0);
    compare("gbm: mean high", up, mean, error);
    compare("gbm: mean low", down, mean, error);
    compare("gbm: P(high > 2 sigma)", far, tail, sqrt(tail * (1.0 - tail) / n));
    series_free(&path);
}

/* P(the log price touches -b within T), with drift, from the lows of bars: Phi((-b - nu T) / s) +
   exp(-2 nu b / sigma^2) Phi((-b + nu T) / s), s = sigma sqrt T; an hour of 60 bars. */
static void gbm_lows_touch_a_barrier_as_often_as_the_motion(void **state)
{
    enum { WINDOW = 60 };
    struct price_path_params params = gbm_params();
    params.drift_per_year = -40.0;
    size_t replicates = lengthened(5000);
    double hours = WINDOW / YEAR_MINUTES, b = 0.01, touched = 0.0;
    double n = (double)replicates, drift = params.drift_per_year * hours;
    double spread = params.volatility_per_year * sqrt(hours);
    for (uint32_t r = 0; r < replicates; r++) {
        struct series path = made(&params, r, WINDOW);
        double low = START;
        for (size_t i = 0; i < WINDOW; i++)
            low = fmin(low, path.low[i]);
        touched += log(low / START) <= -b;
        series_free(&path);
    }
    double p =
        gsl_cdf_ugaussian_P((-b - drift) / spread) +
        exp(-2.0 * params.drift_per_year * b / 0.64) * gsl_cdf_ugaussian_P((-b + drift) / spread);
    compare("gbm: P(low touches -1 % within an hour)", touched / n, p, sqrt(p * (1.0 - p) / n));
}

static void replicates_are_independent(void **state)
{
    struct price_path_params params = gbm_params();
    size_t count = lengthened(100000);
    struct series one = made(&params, 5, count), other = made(&params, 6, count);
    double variance = 0.64 / YEAR_MINUTES, sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += one.value[i] * other.value[i] / variance;
    compare("replicates: correlation", sum / (double)count, 0.0, sqrt(1.0 / (double)count));
    series_free(&one);
    series_free(&other);
}

/* ---- garch ------------------------------------------------------------------------------ */

static struct price_path_params garch_params(void)
{
    return (struct price_path_params){.kind = PRICE_PATH_GARCH,
                                      .volatility_per_year = 0.8,
                                      .garch_alpha = 0.1,
                                      .garch_beta = 0.8};
}

/* Bollerslev (1986, 1988): kurtosis 3 (1 - s^2) / (1 - s^2 - 2 a^2), s = a + b; autocorrelation of
   squares r_1 = a (1 - a b - b^2) / (1 - 2 a b - b^2), r_k = r_1 s^(k-1). Standard errors from
   independent replicates: those of theory need eighth moments. */
static void garch_squares_are_autocorrelated_as_bollerslev_says(void **state)
{
    enum { REPLICATES = 20 };
    const size_t lags[] = {1, 2, 5, 10};
    struct price_path_params params = garch_params();
    double a = params.garch_alpha, b = params.garch_beta, s = a + b;
    double first = a * (1.0 - a * b - b * b) / (1.0 - 2.0 * a * b - b * b);
    double kurtosis = 3.0 * (1.0 - s * s) / (1.0 - s * s - 2.0 * a * a);
    double variance = 0.64 / YEAR_MINUTES;
    struct spread spreads[6] = {{0}};
    for (uint32_t r = 0; r < REPLICATES; r++) {
        struct series path = made(&params, r, lengthened(20000));
        struct moments seen = moments_of(path.value, path.count);
        double found[6] = {seen.central[2] / variance, seen.central[4] / (variance * variance)};
        squares_of(path.value, path.count, path.high);
        for (int k = 0; k < 4; k++)
            found[2 + k] = autocorrelation(path.high, path.count, lags[k]);
        for (int k = 0; k < 6; k++)
            spread_add(&spreads[k], found[k]);
        series_free(&path);
    }
    const double theory[6] = {1.0,       kurtosis,          first,
                              first * s, first * pow(s, 4), first * pow(s, 9)};
    const char *names[6] = {"garch: variance / long-run", "garch: kurtosis",
                            "garch: squares, lag 1",      "garch: squares, lag 2",
                            "garch: squares, lag 5",      "garch: squares, lag 10"};
    for (int k = 0; k < 6; k++)
        spread_compare(names[k], &spreads[k], theory[k]);
}

static void garch_fit_finds_its_parameters(void **state)
{
    enum { REPLICATES = 8 };
    struct price_path_params params = garch_params();
    struct spread alpha = {0}, beta = {0};
    for (uint32_t r = 0; r < REPLICATES; r++) {
        struct series path = made(&params, 100 + r, lengthened(8000));
        struct price_path_history history = history_of(&path);
        struct price_path_params fitted = params;
        fitted.volatility_per_year = fitted.garch_alpha = fitted.garch_beta = NAN;
        assert_int_equal(price_path_fit(&fitted, &history, NULL), ERROR_NONE);
        spread_add(&alpha, fitted.garch_alpha);
        spread_add(&beta, fitted.garch_beta);
        series_free(&path);
    }
    spread_compare("garch fit: alpha", &alpha, 0.1);
    spread_compare("garch fit: beta", &beta, 0.8);
}

/* ---- student t -------------------------------------------------------------------------- */

static void student_t_returns_have_its_moments_and_tails(void **state)
{
    struct price_path_params params = {
        .kind = PRICE_PATH_STUDENT_T, .volatility_per_year = 0.8, .student_dof = 10.0};
    struct series path = made(&params, 0, lengthened(100000));
    double n = (double)path.count, v = 0.64 / YEAR_MINUTES, dof = 10.0;
    struct moments seen = moments_of(path.value, path.count);
    /* In units of the variance: fourth moment 3 + 6/(v-4), eighth 105 (v-2)^3 / ((v-4)(v-6)(v-8)).
     */
    double fourth = 3.0 + 6.0 / (dof - 4.0);
    double eighth = 105.0 * pow(dof - 2.0, 3.0) / ((dof - 4.0) * (dof - 6.0) * (dof - 8.0));
    compare("student t: variance", seen.central[2], v, v * sqrt((fourth - 1.0) / n));
    compare("student t: fourth moment", seen.central[4] / (v * v), fourth,
            sqrt((eighth - fourth * fourth) / n));
    for (double x = 2.0; x <= 6.0; x += 2.0) {
        double beyond = 0.0, p = 2.0 * gsl_cdf_tdist_Q(x, dof);
        for (size_t i = 0; i < path.count; i++)
            beyond += fabs(path.value[i]) > x * sqrt(v * (dof - 2.0) / dof);
        compare("student t: P(|t| > 2, 4, 6)", beyond / n, p, sqrt(p * (1.0 - p) / n));
    }
    squares_of(path.value, path.count, path.high);
    compare("student t: squares, lag 1", autocorrelation(path.high, path.count, 1), 0.0,
            sqrt(1.0 / n));
    series_free(&path);
}

/* Fisher information of a t with known location (Lange, Little and Taylor 1989): for the log scale
   2 v/(v+3), for v (trigamma(v/2) - trigamma((v+1)/2))/4 - (v+5)/(2 v (v+1)(v+3)), between them
   -2/((v+1)(v+3)). At v = 4: 8/7, .0069, -2/35; the inverse gives 245.6 for v. */
static void student_t_fit_finds_its_parameters(void **state)
{
    struct price_path_params params = {
        .kind = PRICE_PATH_STUDENT_T, .volatility_per_year = 0.8, .student_dof = 4.0};
    struct series path = made(&params, 1, lengthened(30000));
    struct price_path_history history = history_of(&path);
    struct price_path_params fitted = params;
    double n = (double)path.count;
    /* trigamma(2) - trigamma(5/2) = (pi^2/6 - 1) - (pi^2/2 - 40/9) */
    double difference = (M_PI * M_PI / 6.0 - 1.0) - (M_PI * M_PI / 2.0 - 40.0 / 9.0);
    double of_dof = difference / 4.0 - 9.0 / (2.0 * 4.0 * 5.0 * 7.0);
    double of_scale = 8.0 / 7.0, between = -2.0 / 35.0;
    double determinant = of_dof * of_scale - between * between;
    fitted.volatility_per_year = fitted.student_dof = NAN;
    assert_int_equal(price_path_fit(&fitted, &history, NULL), ERROR_NONE);
    compare("student t fit: dof", fitted.student_dof, 4.0, sqrt(of_scale / determinant / n));
    /* ln volatility = ln scale + ln(v/(v-2))/2, whose derivative by v is 1/(2v) - 1/(2(v-2)). */
    double slope = 1.0 / 8.0 - 1.0 / 4.0;
    double variance = (of_dof + slope * slope * of_scale - 2.0 * slope * between) / determinant;
    compare("student t fit: ln volatility", log(fitted.volatility_per_year), log(0.8),
            sqrt(variance / n));
    series_free(&path);
}

/* ---- merton ----------------------------------------------------------------------------- */

static struct price_path_params merton_params(void)
{
    return (struct price_path_params){.kind = PRICE_PATH_MERTON,
                                      .drift_per_year = 1.0,
                                      .volatility_per_year = 0.5,
                                      .jumps_per_day = 144.0, /* 0.1 a minute */
                                      .jump_mean_log = -0.004,
                                      .jump_sigma_log = 0.003};
}

/* Cumulants of a return: k_1 = drift dt; k_2 = s^2 dt + l E J^2, k_n = l E J^n (Merton 1976). */
static void merton_returns_have_the_cumulants_of_their_jumps(void **state)
{
    struct price_path_params params = merton_params();
    struct series path = made(&params, 0, lengthened(200000));
    double n = (double)path.count, l = 0.1, m = -0.004, s2 = 0.003 * 0.003;
    double m2 = m * m + s2, m3 = m * m * m + 3.0 * m * s2;
    double m4 = pow(m, 4) + 6.0 * m * m * s2 + 3.0 * s2 * s2;
    double m6 = pow(m, 6) + 15.0 * pow(m, 4) * s2 + 45.0 * m * m * s2 * s2 + 15.0 * pow(s2, 3);
    double m8 = pow(m, 8) + 28.0 * pow(m, 6) * s2 + 210.0 * pow(m, 4) * s2 * s2 +
                420.0 * m * m * pow(s2, 3) + 105.0 * pow(s2, 4);
    double m5 = pow(m, 5) + 10.0 * pow(m, 3) * s2 + 15.0 * m * s2 * s2;
    double k2 = 0.25 / YEAR_MINUTES + l * m2, k3 = l * m3, k4 = l * m4, k5 = l * m5, k6 = l * m6;
    double k8 = l * m8;
    double c4 = k4 + 3.0 * k2 * k2;
    double c6 = k6 + 15.0 * k4 * k2 + 10.0 * k3 * k3 + 15.0 * k2 * k2 * k2;
    double c8 = k8 + 28.0 * k6 * k2 + 56.0 * k5 * k3 + 35.0 * k4 * k4 + 210.0 * k4 * k2 * k2 +
                280.0 * k3 * k3 * k2 + 105.0 * pow(k2, 4);
    double c5 = k5 + 10.0 * k3 * k2;
    struct moments seen = moments_of(path.value, path.count);
    compare("merton: mean", seen.mean, 1.0 / YEAR_MINUTES, sqrt(k2 / n));
    compare("merton: variance", seen.central[2], k2, sqrt((c4 - k2 * k2) / n));
    /* Variances of sample central moments: Kendall and Stuart, The Advanced Theory of Statistics,
       10.5. */
    compare("merton: third moment", seen.central[3], k3,
            sqrt((c6 - k3 * k3 + 9.0 * k2 * k2 * k2 - 6.0 * c4 * k2) / n));
    compare("merton: fourth moment", seen.central[4], c4,
            sqrt((c8 - c4 * c4 + 16.0 * k2 * k3 * k3 - 8.0 * c5 * k3) / n));
    compare("merton: autocorrelation", autocorrelation(path.value, path.count, 1), 0.0,
            sqrt(1.0 / n));
    series_free(&path);
}

/* Jumps of 10 deviations of what diffuses and more: none hides under the threshold of 4. A history
   of bars shows two jumps in a minute as one of double size, and one diffusive return in 16,000 as
   a jump: what the fit is to find is the law of bars beyond the threshold. */
static void merton_fit_finds_its_parameters(void **state)
{
    struct price_path_params params = merton_params();
    params.jumps_per_day = 30.0;
    params.jump_mean_log = -0.01;
    params.jump_sigma_log = 0.001;
    struct series path = made(&params, 1, lengthened(50000));
    struct price_path_history history = history_of(&path);
    struct price_path_params fitted = params;
    fitted.drift_per_year = fitted.volatility_per_year = fitted.jumps_per_day = NAN;
    fitted.jump_mean_log = fitted.jump_sigma_log = NAN;
    assert_int_equal(price_path_fit(&fitted, &history, NULL), ERROR_NONE);

    double n = (double)path.count, l = 30.0 / 1440.0, any = -expm1(-l);
    double tail = gsl_cdf_ugaussian_Q(4.0), density = gsl_ran_ugaussian_pdf(4.0);
    double flagged = any + (1.0 - any) * 2.0 * tail, wrongly = 1.0 - any / flagged;
    double diffusive = 0.25 / YEAR_MINUTES * (1.0 - 8.0 * density); /* of returns within 4 */
    /* The mean and second moment of a Poisson sum that is not empty; those of a wrong one are 0 and
       (1 + 4 density/tail) diffusive variances, of which the fit takes off one. */
    double mean = (1.0 - wrongly) * l / any * -0.01;
    double second = (1.0 - wrongly) * (l / any * 1e-6 + (l + l * l) / any * 1e-4) +
                    wrongly * 4.0 * density / tail * diffusive;
    double variance = second - mean * mean, jumps = flagged * n;
    /* Fourth moment: the rare double jumps and wrong ones lie a whole jump from the mean. */
    double fourth = 3.0 * variance * variance + (0.5 * l + wrongly) * 1e-8;
    compare("merton fit: variance that diffuses", pow(fitted.volatility_per_year, 2) / YEAR_MINUTES,
            diffusive, diffusive * sqrt(2.0 / n));
    compare("merton fit: jumps a day", fitted.jumps_per_day, 1440.0 * flagged,
            1440.0 * sqrt(flagged / n));
    compare("merton fit: mean jump", fitted.jump_mean_log, mean,
            sqrt((variance + diffusive) / jumps));
    compare("merton fit: variance of jumps", pow(fitted.jump_sigma_log, 2), variance,
            sqrt(fourth / jumps));
    series_free(&path);
}

/* ---- hawkes ----------------------------------------------------------------------------- */

static struct price_path_params hawkes_params(void)
{
    return (struct price_path_params){.kind = PRICE_PATH_HAWKES,
                                      .jumps_per_day = 72.0, /* 0.05 a minute */
                                      .jump_mean_log = 0.001,
                                      .hawkes_branching = 0.6,
                                      .hawkes_half_life_ms = 10 * CALENDAR_MINUTE_MS};
}

/* Jumps of a fixed size and nothing else: returns, but for the drift that is taken off, count them.
   Mean m = l/(1-n) t; variance m (K^2 + (1 - K^2)(1 - e^-gt)/(gt)), K = 1/(1-n), g = decay (1-n)
   (Hawkes 1971; in this form Da Fonseca and Zaatour 2014, Journal of Futures Markets 34). */
static void hawkes_counts_have_mean_and_variance_of_the_process(void **state)
{
    const size_t windows[] = {1, 10, 60, 500};
    struct price_path_params params = hawkes_params();
    size_t count = lengthened(400000);
    struct series path = made(&params, 0, count);
    double rate = 0.05 / 0.4, decay = M_LN2 / 10.0, g = decay * 0.4, k2 = 1.0 / 0.16;
    for (int w = 0; w < 4; w++) {
        double t = (double)windows[w];
        size_t n = count / windows[w] - 1;
        double *counts = path.high;
        for (size_t i = 0; i < n; i++) {
            counts[i] = 0.0; /* the first window is left out: the path begins at the mean rate */
            for (size_t j = 0; j < windows[w]; j++)
                counts[i] += path.value[(i + 1) * windows[w] + j] / 0.001 + rate;
            assert_near(counts[i], round(counts[i]), 1e-6);
        }
        struct moments seen = moments_of(counts, n);
        double mean = rate * t;
        double variance = mean * (k2 + (1.0 - k2) * -expm1(-g * t) / (g * t));
        double spread = seen.central[4] / (variance * variance) - 1.0;
        /* Counts of windows are correlated over 1/g = 36 minutes: fewer of them are independent. */
        double independent = (double)n / (1.0 + 2.0 / (g * t));
        compare("hawkes: mean count", seen.mean, mean, sqrt(k2 * rate / (double)count) * t);
        compare("hawkes: variance of counts", seen.central[2], variance,
                variance * sqrt(spread / independent));
    }
    series_free(&path);
}

static void hawkes_fit_finds_its_parameters(void **state)
{
    enum { REPLICATES = 8 };
    struct price_path_params params = hawkes_params();
    struct spread spreads[3] = {{0}};
    params.volatility_per_year = 0.1;
    params.jumps_per_day = 10.0;
    params.jump_mean_log = 0.01;
    params.jump_sigma_log = 0.001;
    params.hawkes_half_life_ms = 60 * CALENDAR_MINUTE_MS;
    for (uint32_t r = 0; r < REPLICATES; r++) {
        struct series path = made(&params, r, lengthened(50000));
        struct price_path_history history = history_of(&path);
        struct price_path_params fitted = params;
        fitted.volatility_per_year = fitted.jumps_per_day = fitted.hawkes_branching = NAN;
        fitted.hawkes_half_life_ms = CALENDAR_NONE;
        assert_int_equal(price_path_fit(&fitted, &history, NULL), ERROR_NONE);
        const double found[3] = {fitted.jumps_per_day, fitted.hawkes_branching,
                                 log((double)fitted.hawkes_half_life_ms)};
        for (int k = 0; k < 3; k++)
            spread_add(&spreads[k], found[k]);
        series_free(&path);
    }
    const double theory[3] = {10.0, 0.6, log(60.0 * (double)CALENDAR_MINUTE_MS)};
    const char *names[3] = {"hawkes fit: jumps a day", "hawkes fit: branching",
                            "hawkes fit: ln half-life"};
    for (int k = 0; k < 3; k++)
        spread_compare(names[k], &spreads[k], theory[k]);
}

/* ---- block bootstrap -------------------------------------------------------------------- */

/* A history of an AR(1), coefficient 0.6, in which blocks of 20 keep 1 - k/20 of the
   autocorrelation at lag k (that of the circular history itself): a pair k apart lies within one
   block with that probability, and else is independent. */
static void bootstrap_keeps_mean_variance_and_autocorrelation_within_blocks(void **state)
{
    enum { HISTORY = 2000, BLOCK = 20 };
    const size_t lags[] = {1, 2, 4, 30};
    struct price_path_params noise = gbm_params();
    struct series past = made(&noise, 77, HISTORY);
    double price = START, x = 0.0;
    for (size_t i = 0; i < HISTORY; i++) {
        x = 0.6 * x + past.value[i];
        past.open[i] = price;
        past.close[i] = price *= exp(x);
        past.high[i] = fmax(past.open[i], price);
        past.low[i] = fmin(past.open[i], price);
    }
    returns_of(&past);
    struct moments observed = moments_of(past.value, HISTORY);
    struct price_path_params params = {.kind = PRICE_PATH_BLOCK_BOOTSTRAP,
                                       .block_ms = BLOCK * CALENDAR_MINUTE_MS};
    struct series path = series_alloc(lengthened(400000));
    struct price_path_request request = {.seed = 3,
                                         .step_ms = CALENDAR_MINUTE_MS,
                                         .start_price = START,
                                         .bars = path.count,
                                         .history = history_of(&past)};
    assert_int_equal(
        price_path_make(&params, &request, path.open, path.high, path.low, path.close, NULL),
        ERROR_NONE);
    returns_of(&path);
    struct moments seen = moments_of(path.value, path.count);
    double blocks = (double)path.count / BLOCK, n = (double)path.count;
    double sigma = sqrt(observed.central[2]);
    /* Sums over blocks of an AR(1) of coefficient .6 have (1 + .6)/(1 - .6) = 4 times the variance
       of independent ones, squares (1 + .36)/(1 - .36) = 2.1 times. */
    compare("bootstrap: mean", seen.mean, observed.mean, 2.0 * sigma / sqrt(n));
    compare("bootstrap: variance", seen.central[2], observed.central[2],
            observed.central[2] * sqrt(2.0 * 2.125 / n));
    for (int k = 0; k < 4; k++) {
        double around = 0.0;
        for (size_t i = 0; i < HISTORY; i++)
            around += (past.value[i] - observed.mean) *
                      (past.value[(i + lags[k]) % HISTORY] - observed.mean);
        double kept = lags[k] < BLOCK ? 1.0 - (double)lags[k] / BLOCK : 0.0;
        compare("bootstrap: autocorrelation, lag 1, 2, 4, 30",
                autocorrelation(path.value, path.count, lags[k]),
                kept * around / (HISTORY * observed.central[2]),
                sqrt(1.0 / (BLOCK * blocks)) * 2.0);
    }
    series_free(&path);
    series_free(&past);
}

/* ---- bridge ----------------------------------------------------------------------------- */

/* At t of a bridge over T: mean on the line, variance sigma^2 t (T - t)/T; covariance of s < t
   sigma^2 s (T - t)/T. */
static void bridge_spreads_and_closes_again(void **state)
{
    enum { BARS = 40 };
    const size_t ends[] = {1, 10, 20, 39};
    struct price_path_params params = {.kind = PRICE_PATH_BRIDGE,
                                       .volatility_per_year = 0.8,
                                       .point_count = 1,
                                       .point_ms = {BARS * CALENDAR_MINUTE_MS},
                                       .point_price = {START * 1.02}};
    size_t replicates = lengthened(10000);
    double n = (double)replicates, unit = 0.64 / YEAR_MINUTES;
    double sum[4] = {0}, squares[4] = {0}, product = 0.0;
    for (uint32_t r = 0; r < replicates; r++) {
        struct series path = made(&params, r, BARS);
        double away[4];
        assert_near(path.close[BARS - 1], START * 1.02, 0.0);
        for (int k = 0; k < 4; k++) {
            double line = (double)ends[k] / BARS * log(1.02);
            away[k] = log(path.close[ends[k] - 1] / START) - line;
            sum[k] += away[k];
            squares[k] += away[k] * away[k];
        }
        product += away[1] * away[2];
        series_free(&path);
    }
    for (int k = 0; k < 4; k++) {
        double t = (double)ends[k], variance = unit * t * (BARS - t) / BARS;
        compare("bridge: mean less the line", sum[k] / n, 0.0, sqrt(variance / n));
        compare("bridge: variance", squares[k] / n, variance, variance * sqrt(2.0 / n));
    }
    double v1 = unit * 10.0 * 30.0 / BARS, v2 = unit * 20.0 * 20.0 / BARS;
    double covariance = unit * 10.0 * 20.0 / BARS;
    compare("bridge: covariance", product / n, covariance,
            sqrt((v1 * v2 + covariance * covariance) / n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gbm_returns_are_normal_and_independent),
        cmocka_unit_test(gbm_extremes_are_those_of_brownian_motion),
        cmocka_unit_test(gbm_lows_touch_a_barrier_as_often_as_the_motion),
        cmocka_unit_test(replicates_are_independent),
        cmocka_unit_test(garch_squares_are_autocorrelated_as_bollerslev_says),
        cmocka_unit_test(garch_fit_finds_its_parameters),
        cmocka_unit_test(student_t_returns_have_its_moments_and_tails),
        cmocka_unit_test(student_t_fit_finds_its_parameters),
        cmocka_unit_test(merton_returns_have_the_cumulants_of_their_jumps),
        cmocka_unit_test(merton_fit_finds_its_parameters),
        cmocka_unit_test(hawkes_counts_have_mean_and_variance_of_the_process),
        cmocka_unit_test(hawkes_fit_finds_its_parameters),
        cmocka_unit_test(bootstrap_keeps_mean_variance_and_autocorrelation_within_blocks),
        cmocka_unit_test(bridge_spreads_and_closes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
