/*
 * How good is a forecast? Scores of predictions held to observations, as functions of arrays of
 * equal length whose entries belong together. Errors of points, of quantiles and of samples; the
 * comparison of two forecasts (Diebold and Mariano 1995); what a score separates (AUC); and an
 * interval for any statistic of series that remember (block bootstrap).
 *
 * Amounts are compared by their logarithms, which 0 does not have. The rule is the same everywhere:
 *
 *   floor 0   a pair whose prediction or observation is 0 is left out and counted. That flatters a
 *             forecast of 0 where something happened, so look at the counts.
 *   floor > 0 amounts below it count as the floor, on both sides, and no pair is left out; how many
 *             were raised is counted.
 *
 * NaN, on either side, is "not known": the pair is left out and counted. Amounts below 0 are
 * ERROR_DATA. What cannot be said (no pairs, no variation) is NaN, never an error.
 *
 *     struct scores_logs logs;
 *     code = scores_log_errors(predicted, low, high, events, 0.0, &logs, err);
 */
#ifndef LIQCASCADE_SIM_STUDY_SCORES_H
#define LIQCASCADE_SIM_STUDY_SCORES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "sim/study/resample.h"

/* ---- amounts ---------------------------------------------------------------------------- */

/* What became of the pairs: all of them are in exactly one of the first five. */
struct scores_pairs {
    size_t used;
    size_t unknown;        /* NaN */
    size_t zero_predicted; /* but not observed */
    size_t zero_observed;  /* but not predicted */
    size_t zero_both;
    size_t floored; /* of those used, pairs in which something was raised to the floor */
};

struct scores_logs {
    double median_abs, mean_abs; /* of the error; .69 is a factor of 2 */
    double mean;                 /* signed: above 0 the forecast is too high */
    struct scores_pairs pairs;
};

/* Error of amounts above 0 against a band: ln(predicted / high) above it, ln(predicted / low)
   below it, 0 inside. */
double scores_log_error(double predicted, double low, double high);

/* Of `count` predictions against bands [low, high]; for points the same array twice. A band counts
   as 0 when its high end is. ERROR_DATA: an amount below 0, low above high, a floor below 0 or not
   finite; ERROR_IO for memory. */
int scores_log_errors(const double *predicted, const double *low, const double *high, size_t count,
                      double floor, struct scores_logs *out, struct error *err);

/* Mean of the logarithms of amounts by the rules above: of training data, for scores_log_r2.
   `mask` NULL: all, else those where it is not 0. NaN: nothing known. ERROR_DATA as above. */
int scores_log_mean(const double *amounts, const unsigned char *mask, size_t count, double floor,
                    double *out, struct error *err);

struct scores_r2 {
    double r2;       /* 1 - residual / total: below 0, worse than the mean of training */
    double residual; /* sum of squares of ln(observed / predicted) */
    double total;    /* the same around the mean */
    struct scores_pairs pairs;
};

/* R^2 of logarithms out of sample. `training_mean` is that of the observed logarithms in the data
   the forecast was fitted to, the forecast of one who knows nothing else (Campbell and Thompson
   2008, Review of Financial Studies 21(4), 1509-1531); the mean of what is scored is not known
   beforehand. ERROR_DATA as above. */
int scores_log_r2(const double *predicted, const double *observed, size_t count, double floor,
                  double training_mean, struct scores_r2 *out, struct error *err);

/* Spearman's: the correlation of ranks, ties at their mean rank. Pairs with NaN are left out; NaN
   where one side does not vary. ERROR_IO. */
int scores_rank_correlation(const double *left, const double *right, size_t count, double *out,
                            struct error *err);

/* ---- shares and other numbers that are compared as they are ----------------------------- */

/* Longs in the flow of both sides; NaN when there is none. */
double scores_share(double longs, double shorts);

/* Mean distance to the band [low, high], over the pairs that are known; NaN for none.
   `out_used` (or NULL): how many. */
double scores_mean_abs_error(const double *predicted, const double *low, const double *high,
                             size_t count, size_t *out_used);

/* ---- quantiles and samples -------------------------------------------------------------- */

/* Pinball loss (Koenker and Bassett 1978, Econometrica 46(1), 33-50) of `forecast` as the
   p-quantile, p in [0, 1]: p (y - q) for y >= q, else (1 - p) (q - y). Its mean is least at the
   quantile. */
double scores_pinball(double observed, double forecast, double p);

/* Over the pairs that are known; NaN for none. */
double scores_pinball_mean(const double *observed, const double *forecasts, size_t count, double p);

/* The continuous ranked probability score of a sample, in the unit of the observation (Gneiting and
   Raftery 2007, JASA 102, 359-378, equation 21): E|X - y| - E|X - X'| / 2. For one number it is the
   absolute error.

   ordinary  the score of the sample as the forecast: X and X' over all m^2 pairs
   fair      an estimate, without bias, of the score of the law the sample is drawn from: over the
             m (m - 1) pairs of two draws (Ferro 2014, QJRMS 140, 1917-1923). May be below 0. */
enum scores_crps_kind { SCORES_CRPS_ORDINARY, SCORES_CRPS_FAIR };

/* ERROR_DATA: no sample, a fair score of one draw, NaN; ERROR_IO. */
int scores_crps_sample(const double *sample, size_t draws, double observed,
                       enum scores_crps_kind kind, double *out, struct error *err);

/* From quantiles: CRPS is twice the integral of the pinball loss over its levels. The sum takes
   each level for all those nearer to it than to another given one. With levels (2 k - 1) / (2 K)
   this is the ordinary score of the K quantiles as a sample. ERROR_DATA: levels that do not rise
   within (0, 1), none, NaN. */
int scores_crps_quantiles(const double *quantiles, const double *levels, size_t count,
                          double observed, double *out, struct error *err);

/* ---- two forecasts ---------------------------------------------------------------------- */

#define SCORES_LAGS_RULE SIZE_MAX

/* Is the mean of d = loss of a - loss of b different from 0? */
struct scores_comparison {
    double mean;      /* of d: below 0, a is better */
    double statistic; /* of Diebold and Mariano: mean / sqrt(variance of the mean) */
    double t;         /* corrected for small samples; with count - 1 degrees of freedom */
    double p_value;   /* two sides */
    double p_better;  /* P(T <= t): small when a is better */
    size_t count, lags;
};

/* Lags of the variance by rule: floor(4 (count / 100)^(2/9)) (Newey and West 1994, Review of
   Economic Studies 61(4), 631-653), at least horizon - 1, below count. Losses that remember longer
   need more: with lags of about the memory's length. */
size_t scores_lags(size_t count, size_t horizon);

/* Diebold and Mariano (1995, JBES 13(3), 253-263) with the variance of Newey and West (1987,
   Econometrica 55(3), 703-708; Bartlett's weights 1 - k / (lags + 1), so it is not below 0), times
   the correction of Harvey, Leybourne and Newbold (1997, International Journal of Forecasting
   13(2), 281-291), sqrt((T + 1 - 2 h + h (h - 1) / T) / T), held to Student's t of T - 1 degrees.
   With horizon 1 and no lags this is the paired t test.

   Losses are of the same steps, in order, in any unit (log errors squared, pinball); a forecast
   that holds another one as a special case and was fitted on what is scored is not for this test.
   `horizon`: steps ahead, 1 for the next. Without variance, t is 0 where the mean is, else
   infinite. ERROR_DATA: fewer than 2 steps, horizon 0 or not below count, lags not below count,
   losses that are not finite; ERROR_IO. */
int scores_compare(const double *loss_a, const double *loss_b, size_t count, size_t horizon,
                   size_t lags, struct scores_comparison *out, struct error *err);

/* ---- yes or no -------------------------------------------------------------------------- */

/* `called` and `came` are 0 or 1 per step. */
struct scores_calls {
    size_t count, called, came, both;
    double hit_rate;  /* of calls, the share that came */
    double found;     /* of what came, the share that was called */
    double base_rate; /* of steps, the share that came: the hit rate of calls at random */
};
void scores_calls(const unsigned char *called, const unsigned char *came, size_t count,
                  struct scores_calls *out);

struct scores_interval {
    double value, low, high;
};

/* Area under the ROC curve: the chance that a step that came has the higher score than one that did
   not, ties counted half (Mann and Whitney 1947); with the interval of DeLong, DeLong and
   Clarke-Pearson (1988, Biometrics 44(3), 837-845) at `level`, normal, cut at 0 and 1. It takes
   steps as independent: of steps that remember it is too narrow; then scores_bootstrap, or
   signal_scores_auc. NaN: nothing came, or all; the interval: fewer than 2 of either. ERROR_DATA: a
   score of NaN; ERROR_SCENARIO: level; ERROR_IO. */
int scores_auc(const double *scores, const unsigned char *came, size_t count, double level,
               struct scores_interval *out, struct error *err);

/* ---- intervals of series that remember -------------------------------------------------- */

/* moving    blocks that lie in the series (Kuensch 1989, Annals of Statistics 17(3), 1217-1241);
             the first and last steps are drawn less often
   circular  blocks that may go around its end, so every step is drawn as often (Politis and Romano
             1992, in Exploring the Limits of Bootstrap, 263-270) */
enum scores_blocks { SCORES_BLOCKS_MOVING, SCORES_BLOCKS_CIRCULAR };

struct scores_bootstrap_plan {
    struct resample_plan resample;
    size_t block; /* steps, 1 to all; longer than the memory, much shorter than the series */
    enum scores_blocks blocks;
};

/* A statistic of `count` steps, those of the series at `steps`; the series are the context's, as
   many as needed, and stay aligned. NaN: cannot be said. */
typedef double scores_statistic(void *context, const size_t *steps, size_t count);

/* The steps of a resample: blocks drawn with replacement, the last one cut. Block k begins at word
   k % 4 of the stream's block at (resample, k / 4). */
void scores_resample(const struct random_stream *stream, size_t resample, size_t count,
                     size_t block, enum scores_blocks blocks, size_t *out_steps);

/* The statistic and its percentile interval over resamples, which depend on the seed alone. NaN
   when more than a tenth of the resamples cannot say (own prior). ERROR_SCENARIO: the plan, a block
   of 0 or longer than the series; ERROR_DATA: no steps; ERROR_IO. */
int scores_bootstrap(scores_statistic *statistic, void *context, size_t count,
                     const struct scores_bootstrap_plan *plan, struct scores_interval *out,
                     struct error *err);

#endif
