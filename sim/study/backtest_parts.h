/*
 * The parts of sim/study/backtest.h: what a split gives, and its scores and rows.
 */
#ifndef LIQCASCADE_SIM_STUDY_BACKTEST_PARTS_H
#define LIQCASCADE_SIM_STUDY_BACKTEST_PARTS_H

#include "sim/study/backtest.h"

/* A split that is fitted. */
struct backtest_state {
    struct backtest *backtest;
    const struct backtest_split *split;
    struct flow_rows fit_rows, test_rows;
    struct calibrate_fit fit;
    double *log[2], *open_log[2]; /* of both sets: model, and the scenario's own parameters */
    double *draw_log;             /* draws x rows of the test */
    struct flow_observation open_observation;
};

/* Appends; ERROR_IO. */
int backtest_add_score(struct backtest *self, const struct backtest_score *score,
                       struct error *err);
int backtest_add_row(struct backtest *self, const struct backtest_row *row, struct error *err);

/* A sample of the logarithm of what is reported of both sides (share of open interest) in interval
   `i` of a panel, of as many numbers as the fit has draws, sorted. */
void backtest_sample(const struct backtest_state *state, const struct panel *panel, size_t i,
                     double *out);

/* The scores of a panel. */
int backtest_score_panel(const struct backtest_state *state, const struct panel *panel,
                         struct error *err);
/* The rows of a panel of days. */
int backtest_list_days(const struct backtest_state *state, const struct panel *panel,
                       struct error *err);

#endif
