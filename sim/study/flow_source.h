/*
 * Assets of a calibration from scenario files: market and feed as the scenario reads them, and the
 * flow that sim/cohort.h computes along the observed price, with no feedback (an observed price
 * holds the impact of its liquidations already). One evaluation of an asset at a time.
 */
#ifndef LIQCASCADE_SIM_STUDY_FLOW_SOURCE_H
#define LIQCASCADE_SIM_STUDY_FLOW_SOURCE_H

#include <stddef.h>

#include "base/error.h"
#include "scenarios/scenario.h"
#include "sim/cohort.h"
#include "sim/setup.h"
#include "sim/study/flow_model.h"

/* Keys that can be fitted. */
#define FLOW_SOURCE_KEYS_TEXT                                                                     \
    "book.turnover_per_hour, book.crowd_tilt, book.hedged_short_share, book.remargin_per_hour, "  \
    "book.disposition_ratio, book.absorbed_by_closers, book.leverage.alpha, .minimum, .maximum, " \
    ".mu, .sigma, .tail_share, .tail_from, .hazard_exponent"

/* Whether flow follows from the key. */
bool flow_source_takes(const char *key);

struct flow_source {
    struct scenario scenario;
    struct setup setup;
    struct cohort cohort;
    struct cohort_work work;
    struct cohort_params params;              /* the scenario's own */
    const struct scenario_bounds *parameters; /* not owned */
    size_t parameter_count;
};

/* Reads a scenario file for the parameters in the order of `parameters`, which must outlive it.
   Errors of scenario_load (listed in `errors`), setup_init and cohort_init; ERROR_SCENARIO: a
   parameter that flow does not depend on; ERROR_DATA: no feed in data.liquidations, or one that is
   a reconstruction: it is never scored. On failure `self` needs no free. */
int flow_source_init(struct flow_source *self, const char *path, const char *const *sets,
                     size_t set_count, const struct scenario_bounds *parameters,
                     size_t parameter_count, struct error_list *errors, struct error *err);
void flow_source_free(struct flow_source *self);

/* The asset, which borrows from `self` and stays in its place; of no parameters (theta NULL) its
   flow is that of the scenario itself. */
struct flow_asset flow_source_asset(struct flow_source *self, const char *name);

#endif
