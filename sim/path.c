#include "sim/path.h"

#include <math.h>

static bool high_first(const struct path *self, double open, double close)
{
    switch (self->wick) {
    case PATH_WICK_HIGH_FIRST:
        return true;
    case PATH_WICK_LOW_FIRST:
        return false;
    case PATH_WICK_BY_CLOSE:
        break;
    }
    return close < open;
}

static void walk(const struct market_bars *bars, size_t bar, bool high, double out[PATH_NODES])
{
    out[0] = bars->open[bar];
    out[1] = high ? bars->high[bar] : bars->low[bar];
    out[2] = high ? bars->low[bar] : bars->high[bar];
    out[3] = bars->close[bar];
}

/* Share of a shock that is done at a time. */
static double shock_done(const struct path *self, int64_t time_ms)
{
    if (time_ms >= self->at_ms + self->over_ms)
        return 1.0;
    return time_ms <= self->at_ms ? 0.0 : (double)(time_ms - self->at_ms) / (double)self->over_ms;
}

/* Price before the shock: the close of the last bar before it, or the open of the first bar. */
static double price_before(const struct path *self, const struct market_bars *bars)
{
    size_t bar = market_bar_at(self->market, self->at_ms);
    return bar == 0 ? bars->open[0] : bars->close[bar - 1];
}

static void shocked(const struct path *self, const struct market_bars *bars, int64_t from_ms,
                    int64_t to_ms, double out[PATH_NODES])
{
    double before = price_before(self, bars);
    double start = shock_done(self, from_ms);
    if (from_ms <= self->at_ms)
        start = 0.0;
    double end = shock_done(self, to_ms);
    out[0] = before * exp(start * self->move_log);
    out[1] = out[2] = out[3] = before * exp(end * self->move_log);
}

static struct path_bar made_bar(const struct path *self, size_t bar)
{
    const struct market_bars *bars = self->made;
    struct path_bar out;
    walk(bars, bar, high_first(self, bars->open[bar], bars->close[bar]), out.last);
    for (int node = 0; node < PATH_NODES; node++)
        out.mark[node] = out.last[node] * self->made_mark_ratio;
    return out;
}

struct path_bar path_bar_at(const struct path *self, size_t bar)
{
    const struct market *market = self->market;
    struct path_bar out;
    if (self->made != NULL && bar >= self->made_from)
        return made_bar(self, bar - self->made_from);
    int64_t from_ms = market->start_ms + (int64_t)bar * market->step_ms;
    if (self->shock && from_ms + market->step_ms > self->at_ms) {
        shocked(self, &market->last, from_ms, from_ms + market->step_ms, out.last);
        shocked(self, &market->mark, from_ms, from_ms + market->step_ms, out.mark);
        return out;
    }
    bool high = high_first(self, market->last.open[bar], market->last.close[bar]);
    walk(&market->last, bar, high, out.last);
    walk(&market->mark, bar, high, out.mark);
    return out;
}
