#include "scenarios/priors.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

const struct priors_row priors_rows[PRIORS_COUNT] = {
    [PRIORS_UNIFORM] = {"uniform",
                        "every value from low to high alike",
                        "[0.5, 1.0]",
                        true,
                        false,
                        2,
                        {{"low", false}, {"high", false}}},
    [PRIORS_LOG_UNIFORM] = {"log_uniform",
                            "every factor alike: uniform in the logarithm",
                            "[0.1, 10]",
                            true,
                            false,
                            2,
                            {{"low", false}, {"high", false}}},
    [PRIORS_NORMAL] = {"normal",
                       "normal, by mean and standard deviation",
                       "{mean: 0.76, sigma: 0.05}",
                       false,
                       true,
                       2,
                       {{"mean", false}, {"sigma", false}}},
    [PRIORS_LOGNORMAL] = {"lognormal",
                          "by median and standard deviation of the logarithm",
                          "{median: 9.0e-4, sigma: 0.2}",
                          false,
                          true,
                          2,
                          {{"median", false}, {"sigma", true}}},
    [PRIORS_TRIANGULAR] = {"triangular",
                           "rises from low to the mode and falls to high",
                           "[0.2, 0.45, 0.6]",
                           true,
                           false,
                           3,
                           {{"low", false}, {"mode", false}, {"high", false}}},
    [PRIORS_BETA] = {"beta",
                     "of a share: density x^(a-1) (1-x)^(b-1)",
                     "{a: 2, b: 5}",
                     false,
                     true,
                     2,
                     {{"a", true}, {"b", true}}},
    [PRIORS_CHOICE] =
        {"choice", "one of the values, each alike", "[0, 0.5, 1]", true, false, 0, {{NULL, false}}},
};

int priors_find(const char *name)
{
    for (int family = 0; family < PRIORS_COUNT; family++)
        if (strcmp(priors_rows[family].name, name) == 0)
            return family;
    return -1;
}

/* --- checks --- */

/* What is wrong with the parameters by themselves; NULL: nothing. */
static const char *wrong_parameters(const struct priors_law *law)
{
    const double *p = law->parameter;
    switch (law->family) {
    case PRIORS_UNIFORM:
        return p[0] < p[1] ? NULL : "has no room between its ends; expected [low, high]";
    case PRIORS_LOG_UNIFORM:
        if (!(p[0] > 0))
            return "has a logarithm of 0 or less; expected [low, high] above 0";
        return p[0] < p[1] ? NULL : "has no room between its ends; expected [low, high]";
    case PRIORS_NORMAL:
        return p[1] > 0 ? NULL : "has no spread; expected sigma above 0";
    case PRIORS_LOGNORMAL:
        return p[0] > 0 && p[1] > 0 ? NULL : "expected median and sigma above 0";
    case PRIORS_TRIANGULAR:
        return p[0] <= p[1] && p[1] <= p[2] && p[0] < p[2] ? NULL
                                                           : "falls; expected [low, mode, high]";
    case PRIORS_BETA:
        return p[0] > 0 && p[1] > 0 ? NULL : "expected a and b above 0";
    default:
        return "is not the distribution of a number";
    }
}

static double last_parameter(const struct priors_law *law)
{
    return law->parameter[priors_rows[law->family].parameter_count - 1];
}

int priors_check(const struct priors_law *law, double low, double high, struct error *err)
{
    const struct priors_row *row = &priors_rows[law->family];
    const char *wrong = wrong_parameters(law);
    if (wrong != NULL)
        return error_set(err, ERROR_SCENARIO, "%s %s", row->name, wrong);
    if (!row->cut) {
        if (law->parameter[0] >= low && last_parameter(law) <= high)
            return ERROR_NONE;
        return error_set(err, ERROR_SCENARIO,
                         "%s from %.12g to %.12g is out of bounds; expected it within %.12g to "
                         "%.12g",
                         row->name, law->parameter[0], last_parameter(law), low, high);
    }
    double inside = priors_probability(law, high) - priors_probability(law, low);
    if (inside >= 0.5)
        return ERROR_NONE;
    return error_set(err, ERROR_SCENARIO,
                     "%s has only %.2g of its weight within the bounds %.12g to %.12g; expected at "
                     "least half",
                     row->name, inside, low, high);
}

/* --- distributions --- */

static double triangular_quantile(const double *p, double u)
{
    double width = p[2] - p[0], at_mode = (p[1] - p[0]) / width;
    if (u < at_mode)
        return p[0] + sqrt(u * width * (p[1] - p[0]));
    return p[2] - sqrt((1 - u) * width * (p[2] - p[1]));
}

static double triangular_probability(const double *p, double x)
{
    double width = p[2] - p[0];
    if (x <= p[0])
        return 0;
    if (x >= p[2])
        return 1;
    if (x < p[1])
        return (x - p[0]) * (x - p[0]) / (width * (p[1] - p[0]));
    return 1 - (p[2] - x) * (p[2] - x) / (width * (p[2] - p[1]));
}

double priors_quantile(const struct priors_law *law, double u)
{
    const double *p = law->parameter;
    switch (law->family) {
    case PRIORS_UNIFORM:
        return p[0] + u * (p[1] - p[0]);
    case PRIORS_LOG_UNIFORM:
        return p[0] * exp(u * log(p[1] / p[0]));
    case PRIORS_NORMAL:
        return p[0] + gsl_cdf_gaussian_Pinv(u, p[1]);
    case PRIORS_LOGNORMAL:
        return p[0] * exp(gsl_cdf_gaussian_Pinv(u, p[1]));
    case PRIORS_TRIANGULAR:
        return triangular_quantile(p, u);
    case PRIORS_BETA:
        return gsl_cdf_beta_Pinv(u, p[0], p[1]);
    default:
        return NAN;
    }
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double priors_probability(const struct priors_law *law, double x)
{
    const double *p = law->parameter;
    switch (law->family) {
    case PRIORS_UNIFORM:
        return clamp((x - p[0]) / (p[1] - p[0]), 0, 1);
    case PRIORS_LOG_UNIFORM:
        return x <= 0 ? 0 : clamp(log(x / p[0]) / log(p[1] / p[0]), 0, 1);
    case PRIORS_NORMAL:
        return gsl_cdf_gaussian_P(x - p[0], p[1]);
    case PRIORS_LOGNORMAL:
        return x <= 0 ? 0 : gsl_cdf_gaussian_P(log(x / p[0]), p[1]);
    case PRIORS_TRIANGULAR:
        return triangular_probability(p, x);
    case PRIORS_BETA:
        return gsl_cdf_beta_P(clamp(x, 0, 1), p[0], p[1]);
    default:
        return NAN;
    }
}

double priors_draw(const struct priors_law *law, double low, double high, double u)
{
    if (priors_rows[law->family].cut) {
        double below = priors_probability(law, low), above = priors_probability(law, high);
        u = below + u * (above - below);
    }
    /* The ends are within reach of rounding alone. */
    return clamp(priors_quantile(law, u), low, high);
}
