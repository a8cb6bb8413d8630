/*
 * A market: price, mark, index, volume, OI, funding, depth and observed liquidations on one clock.
 * This is what the engine replays; it does not know where the numbers came from.
 */
#ifndef LIQCASCADE_DATASETS_MARKET_H
#define LIQCASCADE_DATASETS_MARKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/quality.h"
#include "datasets/series.h"
#include "datasets/source.h"

struct market_bars {
    double *open, *high, *low, *close;
};

/* Bar i covers [start_ms + i * step_ms, start_ms + (i + 1) * step_ms). All arrays hold `bars`. */
struct market {
    int64_t start_ms, step_ms;
    size_t bars;
    struct market_bars last; /* last price */
    struct market_bars mark; /* mark price; equal to `last` (copied) when no mark was given */
    bool has_mark;           /* a mark series was given */
    double *volume_coins;    /* or NULL */
    double *oi_coins;        /* at the bar's close; or NULL when no OI was given. USD open interest
                                is divided by the bar's mark close */
    double *funding_rate;    /* sum of the rates that fall due in the bar, fraction of notional; 0
                                where none; or NULL. Due at the bar's open: a stamp within 1 s
                                after a bar's start belongs to that start */
    double *liq_long_coins, *liq_short_coins; /* the observed feed; or NULL */
    double *index_close;                      /* index price at the bar's close; or NULL */
    double *depth;  /* of the book near the price, bid and ask together, at the bar's close; or
                       NULL. In coins, or in USD with depth_usd: never both */
    bool depth_usd; /* the source says unit: usd, or has notional and no coins */
    bool reconstructed[MARKET_INPUT_COUNT];
    bool any_reconstructed;
    char *oi_scope; /* owned or NULL */
    /* One entry per given input, for the manifest and the quality report. */
    struct series_input *inputs[MARKET_INPUT_COUNT];
    size_t input_count[MARKET_INPUT_COUNT];
    struct quality_report quality[MARKET_INPUT_COUNT];
    struct quality_policies policies;
};

struct market_request {
    const struct source_spec *source[MARKET_INPUT_COUNT]; /* NULL or !present: not given */
    int64_t start_ms, end_ms;                             /* [start, end): whole steps */
    int64_t step_ms; /* bars are resampled to it; finer than the price data is an error */
    struct quality_policies policies;
};

/* Reads every given input for the window and puts it on one clock. Price is required. Errors as
   series_read; also ERROR_DATA when a series does not cover the window (names the first missing
   time), is coarser than the step (price, mark, index), or a gap policy leaves a bar without a
   value. OI, depth, volume and funding may be coarser than the step: OI is held (gap policy
   `interpolate`: drawn linearly) between stamps, depth is held, volume is spread evenly. On failure
   `self` needs no free. */
int market_read(struct market *self, const struct market_request *request, struct error *err);
void market_free(struct market *self);

/* Index of the bar that covers a time; `bars` when it lies after the end, 0 before the start. */
size_t market_bar_at(const struct market *self, int64_t time_ms);

#endif
