/*
 * Backtests: each split fits the parameters of calibrate.parameters to some assets and times, and
 * predicts the reported liquidations of others, beside the rivals of sim/study/backtest_panel.h.
 * Nothing of what is tested is read before the scores. What is predicted is reported flow: the
 * model along the observed price and open interest, through the observation of the fit.
 *
 * Quantiles of a prediction are over draws of the fit's bootstrap, each with the error of an
 * interval of the fitted data drawn at random.
 */
#ifndef LIQCASCADE_SIM_STUDY_BACKTEST_H
#define LIQCASCADE_SIM_STUDY_BACKTEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/field.h"
#include "sim/study/backtest_panel.h"
#include "sim/study/calibration.h"

/* One of scores.csv: a number per rival; NaN where there is none. */
struct backtest_score {
    const char *split, *horizon, *metric; /* not owned */
    double value[PANEL_RIVALS];
    double skill; /* errors: 1 - model / best null; else model - best null; NaN: no such thing */
    int64_t count;
};
extern const struct field backtest_score_fields[];
extern const size_t backtest_score_field_count;

/* One of backtest.csv: a day of an asset that was tested. */
struct backtest_row {
    char *event, *asset; /* the split; not owned */
    int64_t time_ms;
    char *metric; /* liquidated_usd, liquidated_long_usd, liquidated_short_usd, long_share */
    double observed_lo, observed_hi;
    double q05, q25, q50, q75, q95;
    double value[PANEL_RIVALS];
    double skill; /* |log error| of the volume null (without volume: the OI null) less the model's;
                     of long_share the absolute errors */
    char *data_kind;
};
extern const struct field backtest_row_fields[];
extern const size_t backtest_row_field_count;

/* One of fits.csv: calibration.csv with the split. */
struct backtest_fit {
    char *split; /* not owned */
    struct calibration_row row;
};
extern const struct field backtest_fit_fields[];
extern const size_t backtest_fit_field_count;

struct backtest_split {
    char *name;                     /* owned */
    struct flow_window *fit, *test; /* owned */
    size_t fit_count, test_count;
};

struct backtest {
    struct calibration *calibration; /* not owned */
    struct backtest_split *splits;   /* owned */
    size_t split_count;
    struct backtest_score *scores; /* owned, as the others */
    size_t score_count, score_capacity;
    struct backtest_row *rows;
    size_t row_count, row_capacity;
    struct backtest_fit *fits;
    size_t fit_count, fit_capacity;
};

/* The splits of the scenario, and those of backtest.leave_out; none: the first half of the window
   to the second. ERROR_SCENARIO: an unknown asset, windows of one asset that overlap. On failure
   `self` needs no free. */
int backtest_init(struct backtest *self, struct calibration *calibration, struct error *err);
void backtest_free(struct backtest *self);

/* Fits and scores every split, with progress. Errors of calibrate_run and panel_init. */
int backtest_run(struct backtest *self, struct error *err);

#endif
