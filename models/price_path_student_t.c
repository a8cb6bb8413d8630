/*
 * Independent returns of a Student t, scaled to the volatility. A t variable is a normal one whose
 * variance is random, nu over a chi-squared of nu degrees of freedom: within a bar the price is
 * Brownian with the variance drawn for it, so that bars with large returns have wide ranges.
 */
#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>

#include "models/price_path_parts.h"

/* The bounds of path.student_t.dof: a variance exists above 2. */
static const double DOF_LOW = 2.01, DOF_HIGH = 1000.0;

void price_path_student_t_make(struct price_path_walk *walk)
{
    const struct price_path_request *request = walk->request;
    double dof = walk->params->student_dof;
    struct random_stream scales =
        random_stream_make(request->seed, request->replicate, "path.scales");
    for (size_t bar = 0; bar < request->bars; bar++) {
        struct random_block block = random_block_at(&scales, (uint32_t)bar, 0);
        double chi_squared =
            gsl_cdf_chisq_Pinv(random_uniform53(block.word[0], block.word[1]), dof);
        double variance = walk->variance * (dof - 2.0) / chi_squared;
        price_path_walk_bar(walk, bar, walk->drift, variance, 0.0);
    }
}

struct student_fit {
    struct price_path_params *params;
    const struct price_path_returns *returns;
};

/* Minus the log likelihood of a t of variance sigma^2 dt, but for constants. */
static double student_cost(void *context)
{
    const struct student_fit *fit = context;
    const struct price_path_returns *returns = fit->returns;
    double dof = fit->params->student_dof, sigma = fit->params->volatility_per_year;
    double drift = fit->params->drift_per_year * returns->years;
    double width = sigma * sigma * returns->years * (dof - 2.0); /* dof times the scale squared */
    double sum = 0.0;
    for (size_t i = 0; i < returns->count; i++) {
        double e = returns->values[i] - drift;
        sum += log1p(e * e / width);
    }
    return 0.5 * (dof + 1.0) * sum +
           (double)returns->count *
               (0.5 * log(width) + gsl_sf_lngamma(0.5 * dof) - gsl_sf_lngamma(0.5 * (dof + 1.0)));
}

/* Maximum likelihood, jointly with the volatility where that is missing too: with heavy tails the
   variance of the returns is a poor estimate of it. */
int price_path_student_t_fit(struct price_path_params *params,
                             const struct price_path_returns *returns, struct error *err)
{
    struct price_path_unknown unknowns[2];
    struct student_fit fit = {params, returns};
    size_t count = 0;
    if (isnan(params->volatility_per_year)) {
        price_path_gbm_fit(params, returns, err);
        double start = params->volatility_per_year;
        unknowns[count++] =
            (struct price_path_unknown){&params->volatility_per_year, start / 100.0, start * 100.0};
    }
    if (isnan(params->student_dof)) {
        params->student_dof = 5.0;
        unknowns[count++] = (struct price_path_unknown){&params->student_dof, DOF_LOW, DOF_HIGH};
    }
    return price_path_minimise(unknowns, count, student_cost, &fit, err);
}
