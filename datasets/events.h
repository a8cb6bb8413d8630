/*
 * Events: crashes of the past with the figures that were published for them, shipped as
 * `datasets/events.csv`, one row for each event and figure:
 *     event,title,start,end,symbol,venue,figure,at,span,low,high,unit,kind,source
 * An event is a name, a title and a window [start, end), the same in all of its rows: from the hour
 * of the price before the fall until 24 hours later, or until the hour after the low when that
 * comes later; the day where no price before is known. A figure was observed as [low, high], equal
 * ends for a single number. An empty `high` is open upwards (more than), an empty `low` open
 * downwards (`steeply negative` has high 0). A number published as `about` has half a unit of its
 * last digit on either side.
 *
 * `symbol` is BTC, ETH or `all`. `venue` is one venue or a scope: `all` exchanges, `all_futures`
 * with dated futures and those of CME as the publisher counts them, `all_perpetuals`. `at` and
 * `span` say which time the figure is about where that is narrower than the window or outside it:
 * [at, at + span), such as the hour of the low or the day of an open interest; for funding the span
 * that ends in the settlement at `at`. Empty: the window. `kind` is observed for numbers read off a
 * data set, press for reported ones. Reported liquidations are a lower bound: they differ 2 to 6
 * times by source and throttling.
 */
#ifndef LIQCASCADE_DATASETS_EVENTS_H
#define LIQCASCADE_DATASETS_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/series.h"

enum events_measure {
    EVENTS_PRICE_BEFORE,         /* USD, the high before the fall */
    EVENTS_PRICE_LOW,            /* USD, the lowest trade */
    EVENTS_MARK_LOW,             /* USD, the lowest mark price */
    EVENTS_LIQUIDATED_USD,       /* both sides */
    EVENTS_LIQUIDATED_LONG_USD,  /* longs */
    EVENTS_LIQUIDATED_SHORT_USD, /* shorts */
    EVENTS_LIQUIDATED_FEED_USD,  /* that a throttled feed carried, where the venue told the whole */
    EVENTS_LONG_SHARE,           /* fraction of liquidations that were longs */
    EVENTS_TRADERS,              /* accounts liquidated */
    EVENTS_PEAK_MINUTE_USD,      /* liquidations of the largest minute */
    EVENTS_PEAK_HOUR_USD,        /* of the largest hour */
    EVENTS_OI_BEFORE_USD,        /* open interest before the fall */
    EVENTS_OI_AFTER_USD,         /* and after it */
    EVENTS_OI_PEAK_USD,          /* the highest of the weeks before */
    EVENTS_OI_BEFORE_COINS,      /* the same in coins */
    EVENTS_OI_AFTER_COINS,
    EVENTS_FUNDING_BEFORE,          /* fraction for 8 hours, the settlement before the fall */
    EVENTS_FUNDING_AFTER,           /* and after it */
    EVENTS_FUNDING,                 /* all settlements of the window lie between low and high */
    EVENTS_INSURANCE_FUND_USED_USD, /* what the venue's insurance fund paid */
    EVENTS_MEASURE_COUNT
};

enum events_unit { EVENTS_UNIT_USD, EVENTS_UNIT_COINS, EVENTS_UNIT_FRACTION, EVENTS_UNIT_TRADERS };

struct event_figure {
    enum events_measure measure;
    char symbol[16]; /* BTC, ETH, all */
    char venue[32];  /* binance, all, all_futures, ... */
    int64_t at_ms;   /* CALENDAR_NONE: the event's window */
    int64_t span_ms; /* 0 where there is no `at` */
    double low;      /* -INFINITY: open */
    double high;     /* INFINITY: open */
    bool observed;   /* read off a data set; else reported by the press */
    char *source;    /* owned */
};

struct event {
    char *name;  /* 2024-08-05; owned */
    char *title; /* owned */
    int64_t start_ms, end_ms;
    struct event_figure *figures; /* in the file's order; owned */
    size_t count, capacity;
};

struct events {
    struct event *items; /* by start, ascending; owned */
    size_t count, capacity;
    struct series_input input; /* path, rows, SHA-256 */
};

#define EVENTS_BUILTIN "builtin:events"

/* `where` is EVENTS_BUILTIN or the path of a file with the same columns. ERROR_DATA with file, line
   and column: an unknown figure, a unit that is not the figure's, low above high, both ends
   open, a time that is none, a window that differs from that of the event's rows above, a figure
   given twice, a missing source. On failure `self` needs no free. */
int events_read(struct events *self, const char *where, struct error *err);
void events_free(struct events *self);

/* NULL when there is no such event. */
const struct event *events_find(const struct events *self, const char *name);
/* ERROR_DATA when there is no such event; names those that there are. */
int events_require(const struct events *self, const char *name, const struct event **out_event,
                   struct error *err);

/* The last figure of that measure, symbol and venue, so the latest where several times are given;
   NULL: there is none. */
const struct event_figure *events_figure(const struct event *event, enum events_measure measure,
                                         const char *symbol, const char *venue);

/* How far a value is from [low, high]: 0 inside, else the ratio to the nearer end as a log, so
   log 2 for half or twice; for figures above 0. NaN where the value or that end is not above 0. */
double events_log_distance(const struct event_figure *figure, double value);

/* Whether [from_ms, to_ms) holds the window. */
bool events_covered(const struct event *event, int64_t from_ms, int64_t to_ms);

const char *events_measure_name(enum events_measure measure); /* price_before */
enum events_unit events_measure_unit(enum events_measure measure);
const char *events_unit_name(enum events_unit unit); /* usd */

#endif
