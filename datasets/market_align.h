/*
 * One series onto the market's clock: the arithmetic behind market_read, with no files in it.
 * Bars of price, mark, index and volume are merged or spread; open interest and depth are values at
 * each bar's close; funding and liquidations are amounts that fall into bars.
 *
 * Gaps are settled here, for the window that is asked for, by `gap`: error, carry (the last value
 * again), interpolate (linear between the neighbours) or accept (nothing is filled in). How many
 * values were filled is added to `series->quality.applied[QUALITY_GAP]`. A gap lies between two
 * rows; a series that begins after the window's start or stops before its end is an error under
 * every policy but accept, and under that one as soon as a bar has no value.
 *
 * All functions return ERROR_NONE or ERROR_DATA, with `key`, the file, the first time that is
 * missing and what was expected. Output arrays hold `bars` values and are the caller's; after an
 * error they hold nothing of use.
 */
#ifndef LIQCASCADE_DATASETS_MARKET_ALIGN_H
#define LIQCASCADE_DATASETS_MARKET_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/market.h"
#include "datasets/quality.h"
#include "datasets/series.h"

/* The clock of the market, and what to do and say where a series falls short of it. */
struct market_align {
    int64_t start_ms, step_ms;
    size_t bars;
    enum quality_action gap;
    const char *key; /* "data.price": for messages; not owned */
};

/* Open of the first row of a bar, highest high, lowest low, close of the last. The series' step
   must divide the bar's and its rows lie on the bar's start. A filled row is flat: at the last
   close (carry), or at closes that run straight from there to the next open (interpolate). */
int market_align_price(struct series *series, const struct market_align *how,
                       struct market_bars *out, struct error *err);
/* Only whether the series' columns, grid and step allow that; gaps are not looked at. */
int market_align_price_fits(const struct series *series, const struct market_align *how,
                            struct error *err);

/* Index price at each bar's close. Rows as of price, but only their close is needed. */
int market_align_index(struct series *series, const struct market_align *how, double *out_close,
                       struct error *err);

/* Volume in coins: finer rows are summed, a coarser row is spread evenly over its bars.
   In a filled row nothing was traded. */
int market_align_volume(struct series *series, const struct market_align *how, double *out_coins,
                        struct error *err);

/* Open interest in coins at each bar's close: the last value at or before it, or with the gap
   policy interpolate the straight line between the values around it. Rows with open, high, low and
   close of OI are bars and their close holds from the end of the row; rows with OI alone are
   snapshots at their stamp. USD become coins by the mark at the value's own time: the close of the
   bar that the value falls in, the first open for values before the window. Bars before the first
   value take it when it comes within one step of the series. */
int market_align_oi(struct series *series, const struct market_align *how,
                    const struct market_bars *mark, double *out_coins, struct error *err);

/* Depth of the book at each bar's close, in the unit of `field` (SERIES_DEPTH or SERIES_NOTIONAL):
   the last value at or before it, and the first value for bars before that. Where rows have bands,
   the value of a moment is that of the band nearest -1 % and of the one nearest +1 % together; of a
   series with one side only, that side. A moment that lacks one of them does not count. Snapshots
   of bands come unevenly: between them a gap is more than 4 steps, else more than 1.5. Only in a
   gap does the policy interpolate draw a line, so that elsewhere nothing is known too early.
   Merges the rows of `series` into one for each moment. */
int market_align_depth(struct series *series, const struct market_align *how,
                       enum series_field field, double *out, struct error *err);

/* Sum of the funding rates due in each bar (fraction of notional). A stamp less than a second
   before a bar's start counts as that start, as archives stamp payments with some jitter.
   `interval_ms` is the nominal spacing of payments; 0: that of the series. A rate beyond 5 % is an
   error: it is most likely a percentage. */
int market_align_funding(struct series *series, const struct market_align *how, int64_t interval_ms,
                         double *out_rate, struct error *err);

/* Liquidated coins per bar, summed or spread as volume is; USD are divided by the bar's mark
   close. A feed of events has no row where nothing was liquidated, so missing rows are zero and no
   gap; but a feed that is silent for a day at either end does not cover the window. */
int market_align_liquidations(struct series *series, const struct market_align *how,
                              const struct market_bars *mark, double *out_long, double *out_short,
                              struct error *err);

#endif
