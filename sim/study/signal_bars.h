/*
 * The signals of a scenario over [time.start, time.end), one series each, with what they are held
 * to: price and forced flow. Rules on price, open interest and funding are those of
 * models/signals.h, which see the warm-up, too; what the book holds is asked of an open-loop replay
 * of the observed open interest, at the close of each bar:
 *
 *   long_within_5pct, ...   share of open interest whose liquidation price is at most so far below
 *                           the market (of shorts: above it)
 *   cluster_distance        log distance to the fullest half percent within 16 % on either side
 *   branching_ratio         as the metric of that name: above 1 a cascade feeds itself
 *
 * A bar's values are known at its close. Forced flow is that of the observed feed where one is
 * given, else the replay's own, which the model's signals then foretell with the model itself.
 */
#ifndef LIQCASCADE_SIM_STUDY_SIGNAL_BARS_H
#define LIQCASCADE_SIM_STUDY_SIGNAL_BARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/progress.h"
#include "datasets/market.h"
#include "models/signals.h"
#include "reports/table.h"
#include "sim/setup.h"

enum { SIGNAL_BARS_MAX = 48 }; /* signals */

struct signal_bars_signal {
    const char *name, *documentation, *source;
    enum signals_kind kind;
    int direction, side; /* as in models/signals.h */
    int order;           /* +1; -1: less means more */
    bool model;          /* from the replay */
    double *values;      /* per bar; owned by the bars */
};

/* A signal that cannot be computed, and the bits of enum signals_need that are missing. */
struct signal_bars_absent {
    const char *name;
    unsigned missing;
};

struct signal_bars {
    size_t bars; /* from time.start on */
    int64_t start_ms, step_ms;
    struct signal_bars_signal signals[SIGNAL_BARS_MAX];
    size_t count;
    struct signal_bars_absent absent[SIGNAL_BARS_MAX];
    size_t absent_count;
    enum signals_regime *regimes; /* per bar; owned */
    double *flow[2];              /* coins liquidated per bar: longs', shorts'; owned */
    bool observed_flow;           /* from the feed */
    const double *close;          /* per bar; of the setup's market */
    double *range, *trend;        /* log range and log change over the lookback: nulls; owned */
    double *storage;              /* of all values; owned */
    struct market venue;          /* with signals.venue_oi; else zero */
};

/* `setup` must outlive `self`; `progress` (NULL: none) counts bars walked. ERROR_SCENARIO: a made
   path, or durations of the block `signals` that are no whole steps; errors of the engine and of
   market_read. On failure `self` needs no free. */
int signal_bars_init(struct signal_bars *self, const struct setup *setup, struct progress *progress,
                     struct error *err);
void signal_bars_free(struct signal_bars *self);

/* signals.csv: time, regime, the signals, the flow. Rows and fields are owned by the table, which
   is freed with signal_bars_table_free; borrows `self`. ERROR_IO. */
int signal_bars_table(const struct signal_bars *self, struct table *out, struct error *err);
void signal_bars_table_free(struct table *table);

/* Whole steps of a duration of the scenario. ERROR_SCENARIO with the key when there is none or a
   part of one. */
int signal_bars_steps(const struct scenario *scenario, const char *key, int64_t duration_ms,
                      size_t *out, struct error *err);

#endif
