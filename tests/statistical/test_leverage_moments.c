/* Leverage drawn by addressed random numbers, against analytic integrals of the distributions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "models/leverage.h"
#include "tests/support/near.h"

#define REPLICATES 200
#define STRATA 100
#define MAXIMUM 125.0

static struct leverage_params params_of(enum leverage_kind kind)
{
    return (struct leverage_params){.kind = kind,
                                    .alpha = 1.2,
                                    .minimum = 1.0,
                                    .mu = 1.3140,
                                    .sigma = 0.6148,
                                    .tail_share = 0.085,
                                    .tail_from = 20.0,
                                    .maximum = MAXIMUM};
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0));
}

/* E[L] of a Pareto cut at the maximum, alpha other than 1. */
static double pareto_mean(const struct leverage_params *p)
{
    double a = p->alpha, ratio = p->minimum / p->maximum;
    return a / (a - 1.0) * p->minimum * (1.0 - pow(ratio, a - 1.0)) / (1.0 - pow(ratio, a));
}

/* E[L] of a lognormal cut at the maximum, with what is below 1x held at 1x. */
static double lognormal_mean(const struct leverage_params *p)
{
    double high = (log(p->maximum) - p->mu) / p->sigma, low = -p->mu / p->sigma;
    double inside = exp(p->mu + 0.5 * p->sigma * p->sigma) *
                    (normal_cdf(high - p->sigma) - normal_cdf(low - p->sigma));
    return (inside + normal_cdf(low)) / normal_cdf(high);
}

/* The log-uniform part has mean (max - from)/ln(max/from). */
static double lognormal_tail_mean(const struct leverage_params *p)
{
    double tail = (p->maximum - p->tail_from) / log(p->maximum / p->tail_from);
    return (1.0 - p->tail_share) * lognormal_mean(p) + p->tail_share * tail;
}

struct estimate {
    double mean, error; /* of the mean over replicates */
};

/* Mean leverage of a book of STRATA positions, one uniform draw in each stratum, or all of them
   anywhere with equal weights. */
static double book_mean(const struct leverage *leverage, uint32_t replicate, int stratified)
{
    struct random_stream stream = random_stream_make(1, replicate, "test.leverage");
    double sum = 0.0;
    for (int i = 0; i < STRATA; i++) {
        double lower = 0.0, upper = 1.0, weight = 1.0 / STRATA;
        if (stratified) {
            leverage_stratum(i, STRATA, &lower, &upper);
            weight = upper - lower;
        }
        struct random_block block = random_block_at(&stream, 0, (uint32_t)i);
        double u = lower + (upper - lower) * random_uniform53(block.word[0], block.word[1]);
        sum += weight * leverage_draw(leverage, u, MAXIMUM, 0.0);
    }
    return sum;
}

static struct estimate estimate_mean(const struct leverage *leverage, int stratified)
{
    double sum = 0.0, squares = 0.0;
    for (uint32_t r = 0; r < REPLICATES; r++) {
        double mean = book_mean(leverage, r, stratified);
        sum += mean;
        squares += mean * mean;
    }
    double mean = sum / REPLICATES;
    double variance = (squares / REPLICATES - mean * mean) / (REPLICATES - 1);
    return (struct estimate){mean, sqrt(variance)};
}

/* As published: BitMEX blog, "BitMEX Leverage Statistics, April 2019". */
static double bitmex_mean(const struct leverage_params *p)
{
    return p->side > 0 ? 22.0 : 30.0;
}

static void stratified_books_have_the_mean_leverage_of_the_stock(void **state)
{
    static const struct {
        enum leverage_kind kind;
        int side;
        double (*mean)(const struct leverage_params *);
    } laws[] = {{LEVERAGE_KIND_PARETO, 1, pareto_mean},
                {LEVERAGE_KIND_LOGNORMAL, 1, lognormal_mean},
                {LEVERAGE_KIND_LOGNORMAL_TAIL, 1, lognormal_tail_mean},
                {LEVERAGE_KIND_BITMEX_2019, 1, bitmex_mean},
                {LEVERAGE_KIND_BITMEX_2019, -1, bitmex_mean}};
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        struct leverage leverage;
        struct leverage_params params = params_of(laws[i].kind);
        struct error err = {0};
        params.side = laws[i].side;
        assert_int_equal(leverage_init(&leverage, &params, &err), ERROR_NONE);
        struct estimate strata = estimate_mean(&leverage, 1), plain = estimate_mean(&leverage, 0);
        double expected = laws[i].mean(&params);
        print_message("%s: mean %.5f +- %.5f (plain draws +- %.5f), theory %.5f\n",
                      leverage_models[params.kind].name, strata.mean, strata.error, plain.error,
                      expected);
        assert_near(strata.mean, expected, 4.0 * strata.error);
        assert_near(plain.mean, expected, 4.0 * plain.error);
        /* Strata are there to lower the noise of a book. */
        assert_true(strata.error < 0.2 * plain.error);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov at 0.1 %: D < 1.95/sqrt(n), of draws below a cap of 50x against the
   distribution function written out. */
static void pareto_draws_below_a_cap_follow_the_cut_distribution(void **state)
{
    enum { N = 20000 };
    static double x[N];
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_PARETO);
    struct error err = {0};
    assert_int_equal(leverage_init(&leverage, &params, &err), ERROR_NONE);
    struct random_stream stream = random_stream_make(2, 0, "test.leverage.ks");
    double above = leverage_survival(&leverage, 50.0), distance = 0.0;
    for (uint32_t i = 0; i < N; i++)
        x[i] = leverage_draw(&leverage, random_uniform(random_block_at(&stream, 0, i).word[0]),
                             50.0, above);
    qsort(x, N, sizeof x[0], compare);
    for (int i = 0; i < N; i++) {
        double cdf = (1.0 - pow(x[i], -1.2)) / (1.0 - pow(50.0, -1.2));
        distance = fmax(distance, fmax(fabs(cdf - (double)i / N), fabs((i + 1.0) / N - cdf)));
    }
    print_message("Kolmogorov-Smirnov distance %.5f of at most %.5f\n", distance, 1.95 / sqrt(N));
    assert_true(distance < 1.95 / sqrt(N));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stratified_books_have_the_mean_leverage_of_the_stock),
        cmocka_unit_test(pareto_draws_below_a_cap_follow_the_cut_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
