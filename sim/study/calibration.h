/*
 * A calibration as a scenario asks for it: its assets, the plan, and the fit of windows of them
 * (sim/study/calibrate.h), with the rows of calibration.csv.
 */
#ifndef LIQCASCADE_SIM_STUDY_CALIBRATION_H
#define LIQCASCADE_SIM_STUDY_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/field.h"
#include "scenarios/scenario.h"
#include "sim/setup.h"
#include "sim/study/calibrate.h"
#include "sim/study/flow_source.h"
#include "sim/study/impact_slope.h"

struct calibration {
    struct scenario scenario;    /* that asks; its own data are read only as an asset */
    struct flow_source *sources; /* owned */
    struct flow_asset *assets;   /* owned */
    size_t asset_count;
    struct calibrate_plan plan;
};

/* Reads the scenario and the assets that it names in backtest.assets, or itself. `sets` are applied
   to the scenario, and to the assets' files where they are not of the blocks calibrate and
   backtest. ERROR_SCENARIO: no calibrate.parameters; errors of flow_source_init. On failure `self`
   needs no free. */
int calibration_init(struct calibration *self, const char *path, const char *const *sets,
                     size_t set_count, int64_t seed, struct error_list *errors, struct error *err);
void calibration_free(struct calibration *self);

/* The window of an asset: times of CALENDAR_NONE are its time.start and time.end. */
struct flow_window calibration_window(const struct calibration *self, size_t asset, int64_t from_ms,
                                      int64_t to_ms);

struct flow_shares calibration_shares(const struct calibration *self);

/* A parameter, or a part of the observation, with its interval. */
struct calibration_row {
    char *parameter;                 /* not owned */
    double value, lo, hi, low, high; /* interval, bounds (NaN: none) */
    char *bound;     /* "low", "high": where the value lies; NULL: inside; not owned */
    double distance; /* of the whole fit */
};
extern const struct field calibration_fields[];
extern const size_t calibration_field_count;

/* The slope of an asset's impact at the fitted flow (sim/study/impact_slope.h). */
struct calibration_impact {
    char name[64]; /* impact.reference_move_log[ASSET] */
    struct impact_slope slope;
};

/* One per asset, of the bars of calibrate.fit, with the impact of the asset's scenario but for its
   size. Errors of the asset's function and of impact_slope_fit. */
int calibration_impacts(const struct calibration *self, const struct calibrate_fit *fit,
                        struct calibration_impact *out, struct error *err);
/* As a row of calibration.csv; `impact` must outlive it. */
struct calibration_row calibration_impact_row(struct calibration_impact *impact);

#define CALIBRATION_ROWS_MAX (FLOW_PARAMETERS_MAX + 2 * FLOW_HORIZONS)
/* The rows of a fit; those of an observation where one is fitted. Returns how many. ERROR_IO gives
   0. */
size_t calibration_rows(const struct calibration *self, const struct calibrate_fit *fit,
                        struct calibration_row out[CALIBRATION_ROWS_MAX]);

/* Fits what calibrate.fit says of every asset, with progress. Errors of calibrate_run. */
int calibration_run(struct calibration *self, struct calibrate_fit *out, struct error *err);

#endif
