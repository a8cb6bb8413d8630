/*
 * What a split of a backtest predicts at one horizon, side by side: intervals of what is fitted and
 * then of what is tested, with reported flow and the prediction of every rival, longs and shorts.
 * All amounts are shares of the interval's open interest, so that assets are comparable.
 *
 * Rivals: the fitted model; the scenario's own parameters in an open loop; the level-free nulls
 * OI * MAE^p and volume * MAE^p (sim/study/nulls.h); regressions of logarithms on the volume null,
 * and on both, without and with the fitted model. All are fitted to the same intervals, of which
 * none is tested. Rivals that need volume are NaN without it, and those that intervals are too few
 * for.
 */
#ifndef LIQCASCADE_SIM_STUDY_BACKTEST_PANEL_H
#define LIQCASCADE_SIM_STUDY_BACKTEST_PANEL_H

#include <stddef.h>

#include "base/error.h"
#include "sim/study/flow_model.h"

enum panel_rival {
    PANEL_MODEL,
    PANEL_OPEN_LOOP,
    PANEL_OI_NULL,
    PANEL_VOLUME_NULL,
    PANEL_VOLUME,            /* regression on the volume null */
    PANEL_VOLUME_WITH_MODEL, /* and on the model */
    PANEL_NULLS,             /* regression on both nulls */
    PANEL_NULLS_WITH_MODEL,
    PANEL_RIVALS
};
extern const char *const panel_rival_names[PANEL_RIVALS];

/* A prediction of rows: logarithms of the model's flow, and what the feed makes of it. */
struct panel_prediction {
    const double *fit_log, *test_log; /* per row of the two sets; not owned */
    const struct flow_observation *observation;
};

struct panel {
    int horizon;                  /* enum flow_horizon */
    size_t count, fitted;         /* intervals; the first of them are fitted, the others tested */
    const struct flow_row **rows; /* of the longs, the shorts' is the next; owned array */
    double floor;                 /* share of open interest */
    double *reported[2];          /* owned, as all below */
    double *predicted[PANEL_RIVALS][2];
    double *open, *high, *low, *oi, *volume;
    unsigned char *training;
    double *memory;
};

/* The intervals of a horizon. `count` is 0 where one of the sets has none. ERROR_DATA: intervals of
   different lengths; ERROR_IO. On failure `self` needs no free. */
int panel_init(struct panel *self, int horizon, const struct flow_rows *fit,
               const struct flow_rows *test, const struct panel_prediction *model,
               const struct panel_prediction *open_loop, struct error *err);
void panel_free(struct panel *self);

#endif
