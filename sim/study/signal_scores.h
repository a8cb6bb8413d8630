/*
 * Does a signal know anything of what follows? Each signal is held, at each horizon h, to two
 * targets, of which it may use nothing: both begin where the bar ends.
 *
 *   cascade  forced flow of the next h bars, of the side whose liquidations the signal is said to
 *            foretell, above a quantile of that flow over all bars scored. The quantile is the
 *            sample's: what a cascade is may be known afterwards, whether one comes may not.
 *   return   the log price moves the way the signal is said to lead; up where it says nothing
 *
 * Scores: outcome, and the share of bars that hit the target, after the signal and after all other
 * bars; the area under the ROC curve, the probability that a bar that hits has more of the signal
 * than one that does not (.5: chance), with an interval; the same of a null that knows no open
 * interest; and the area among pairs of bars that are alike in the null, which says whether the
 * signal adds anything to it. Nulls: for cascades the log range over the lookback, for returns the
 * log change over the lookback, towards the way the signal leads. Alike: in the same twentieth of
 * the null; in wider classes what only repeats the null would still seem to add to it.
 *
 * A value's bars "after the signal" are those at which it ranked high in its own trailing window.
 *
 * What lies ahead of neighbouring bars overlaps, and calm and storm come in stretches. Intervals
 * are those of a moving-block bootstrap (Kunsch 1989, Annals of Statistics 17(3), 1217-1241) of
 * whole stretches of bars. With the few storms of a month or two they are too narrow: where signal
 * and flow have a memory of a day and nothing to do with each other, about one in
 * ten leaves out .5, of states up to one in four (own measurement, 1,440 hours). So there is a
 * p-value of another kind beside them: the share of shifts of the signal in time, around the ends
 * and by at least a block, that do as well. It leaves the memory of both series as it is and cuts
 * only what is between them. A signal is said to inform only where the interval leaves out .5, the
 * p-value agrees, and there were at least SIGNAL_SCORES_EPISODES episodes to learn from. Many
 * signals are tried at once, so p-values come with q-values (Benjamini and Hochberg 1995, JRSS B
 * 57(1), 289-300).
 */
#ifndef LIQCASCADE_SIM_STUDY_SIGNAL_SCORES_H
#define LIQCASCADE_SIM_STUDY_SIGNAL_SCORES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/field.h"
#include "base/progress.h"
#include "scenarios/scenario.h"
#include "sim/study/resample.h"
#include "sim/study/signal_bars.h"

enum signal_scores_target { SIGNAL_SCORES_CASCADE, SIGNAL_SCORES_RETURN, SIGNAL_SCORES_TARGETS };

enum { SIGNAL_SCORES_EPISODES = 5, SIGNAL_SCORES_STRATA = 20 }; /* own priors */

enum signal_scores_verdict {
    SIGNAL_SCORES_SILENT, /* a state that always or never holds; no bar hits, or all do */
    SIGNAL_SCORES_TOO_FEW,
    SIGNAL_SCORES_NOTHING,
    SIGNAL_SCORES_CONTRARY, /* more of the signal, fewer hits */
    SIGNAL_SCORES_INFORMS,  /* alone, but not among bars alike in the null */
    SIGNAL_SCORES_ADDS
};

struct signal_scores_interval {
    double value, low,
        high; /* NaN: no bar hits, or all do; the interval: in more than a tenth of resamples */
};

/* A row of signal_scores.csv. */
struct signal_scores_row {
    const char *signal, *kind; /* state, value */
    const char *target;
    const char *flow; /* of cascades: observed, model; else empty */
    const char *side; /* whose flow: long, short, both; of returns: the way, up, down */
    int64_t horizon_ms, block_ms;
    int64_t bars; /* scored */
    int64_t episodes;
    int64_t occurrences;                 /* bars with the signal */
    double outcome_mean, outcome_median; /* after it: coins, or log */
    double others_mean, others_median;   /* after all other bars */
    double hit_rate, others_rate;
    struct signal_scores_interval auc, given; /* given: among bars alike in the null */
    double null_auc;
    double p_value, given_p, q_value;
    const char *verdict;
};
extern const struct field signal_scores_fields[];
extern const size_t signal_scores_field_count;

struct signal_scores {
    struct signal_scores_row *rows; /* owned */
    size_t count;
};

struct signal_scores_plan {
    const int64_t *horizons_ms; /* whole steps, rising; not owned */
    size_t horizon_count;
    int64_t block_ms; /* CALENDAR_NONE: three horizons, at least three days */
    double cascade_quantile;
    double high_rank; /* from which on a value is high */
    size_t window;    /* bars of its trailing window */
    size_t first;     /* bars that a value is not ranked in */
    struct resample_plan bootstrap;
};
/* That of a scenario. ERROR_SCENARIO: durations that are no whole steps. */
int signal_scores_plan(const struct scenario *scenario, struct signal_scores_plan *out,
                       struct error *err);

/* All signals, horizons and targets. Names are those of `bars`, which must outlive `self`.
   `progress` (NULL: none) counts rows. ERROR_DATA: fewer bars than three blocks of a horizon;
   ERROR_IO, ERROR_INTERRUPTED. On failure `self` needs no free. */
int signal_scores_make(struct signal_scores *self, const struct signal_bars *bars,
                       const struct signal_scores_plan *plan, struct progress *progress,
                       struct error *err);
void signal_scores_free(struct signal_scores *self);

/* What is to be made of a row; `level` as of its intervals. */
enum signal_scores_verdict signal_scores_verdict(const struct signal_scores_row *row, double level);

/* ---- parts, by themselves --------------------------------------------------------------- */

/* What is scored: `count` bars in their order. */
struct signal_scores_sample {
    const double *scores;        /* no NaN */
    const unsigned char *hits;   /* 0, 1 */
    const unsigned char *strata; /* below SIGNAL_SCORES_STRATA; NULL: all bars are alike */
    size_t count;
};

/* Area under the ROC curve over pairs of the same stratum, ties counted half, with a block
   bootstrap's interval of `plan` by blocks of `block` bars. ERROR_IO. */
int signal_scores_auc(const struct signal_scores_sample *sample, size_t block,
                      const struct resample_plan *plan, struct signal_scores_interval *out,
                      struct error *err);

/* Share of shifts of the scores against the rest, by `block` to count - block bars (at most 2,000
   of them, evenly) and none, whose area is at least as far from .5 as the unshifted one. NaN where
   there is none. ERROR_IO. */
int signal_scores_shift_p(const struct signal_scores_sample *sample, size_t block, double *out,
                          struct error *err);

/* q-values of `count` p-values, NaN left out. ERROR_IO. */
int signal_scores_q_values(const double *p, size_t count, double *out_q, struct error *err);

#endif
