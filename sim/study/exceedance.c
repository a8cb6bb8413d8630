#include "sim/study/exceedance.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

/* ln of the likelihood of `yes` and `no` at a chance of `p`; 0 ln 0 is 0. */
static double log_likelihood(double yes, double no, double p)
{
    double sum = 0.0;
    if (yes > 0.0)
        sum += yes * log(p);
    if (no > 0.0)
        sum += no * log1p(-p);
    return sum;
}

static double share_of(double yes, double no)
{
    return yes + no > 0.0 ? yes / (yes + no) : 0.0;
}

/* Steps counted by what they and the step before them did. */
static double clustering(const unsigned char *exceeded, size_t count)
{
    double moved[2][2] = {{0.0}};
    for (size_t i = 1; i < count; i++)
        moved[exceeded[i - 1] != 0][exceeded[i] != 0] += 1.0;
    double yes = moved[0][1] + moved[1][1], no = moved[0][0] + moved[1][0];
    double apart = 0.0;
    for (int before = 0; before < 2; before++)
        apart += log_likelihood(moved[before][1], moved[before][0],
                                share_of(moved[before][1], moved[before][0]));
    return fmax(2.0 * (apart - log_likelihood(yes, no, share_of(yes, no))), 0.0);
}

void exceedance_test(const unsigned char *exceeded, size_t count, double expected,
                     struct exceedance *out)
{
    *out = (struct exceedance){.count = count,
                               .share = NAN,
                               .kupiec = NAN,
                               .kupiec_p = NAN,
                               .clustering = NAN,
                               .clustering_p = NAN,
                               .both_p = NAN};
    for (size_t i = 0; i < count; i++)
        out->exceeded += exceeded[i] != 0;
    if (count < 2)
        return;
    double yes = (double)out->exceeded, no = (double)(count - out->exceeded);
    out->share = share_of(yes, no);
    out->kupiec =
        fmax(2.0 * (log_likelihood(yes, no, out->share) - log_likelihood(yes, no, expected)), 0.0);
    out->clustering = clustering(exceeded, count);
    out->kupiec_p = gsl_cdf_chisq_Q(out->kupiec, 1.0);
    out->clustering_p = gsl_cdf_chisq_Q(out->clustering, 1.0);
    out->both_p = gsl_cdf_chisq_Q(out->kupiec + out->clustering, 2.0);
}
