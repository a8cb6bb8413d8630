/*
 * Where the exogenous price goes: the four prices of a bar in the order in which they are walked,
 * for last and mark. A path model turns a market into such bars; the engine does not know whether
 * they were observed.
 */
#ifndef LIQCASCADE_SIM_PATH_H
#define LIQCASCADE_SIM_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/market.h"

enum { PATH_NODES = 4 };

struct path_bar {
    double last[PATH_NODES]; /* open, first extreme, second extreme, close */
    double mark[PATH_NODES];
};

/* Order of the extremes within a bar. */
enum path_wick {
    PATH_WICK_BY_CLOSE, /* a rising bar makes its low first, a falling one its high */
    PATH_WICK_HIGH_FIRST,
    PATH_WICK_LOW_FIRST
};

struct path {
    const struct market *market; /* not owned */
    enum path_wick wick;
    bool shock;
    /* Of a shock: the market is followed up to `at_ms`, then the log price moves by `move_log` over
       `over_ms` (0: at once) from the last price before, and stays. */
    int64_t at_ms, over_ms;
    double move_log;
    /* Of a made path: from bar `made_from` on the last price is that of these bars, and the mark
       their multiple. NULL: none; not owned. */
    const struct market_bars *made;
    size_t made_from;
    double made_mark_ratio;
};

/* The exogenous bar `bar` counted from the market's start; beyond the market only with a shock or
   a made path. */
struct path_bar path_bar_at(const struct path *self, size_t bar);

#endif
