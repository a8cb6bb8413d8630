/*
 * Brownian motion of the log price given the prices at some times: straight lines in log price
 * between them and a Brownian bridge around each; free and without drift after the last. A point
 * within a bar splits it into moves of their own.
 */
#include <math.h>

#include "models/price_path_parts.h"

struct bridge {
    struct price_path_walk *walk;
    size_t point; /* the next */
    int64_t now_ms;
};

static double years_between(int64_t from_ms, int64_t to_ms)
{
    return (double)(to_ms - from_ms) / PRICE_PATH_YEAR_MS;
}

/* A move up to `end_ms` or to the next point, whichever comes first. */
static struct price_path_move next_move(struct bridge *self, size_t bar, uint32_t ordinal,
                                        int64_t end_ms)
{
    struct price_path_walk *walk = self->walk;
    const struct price_path_params *params = walk->params;
    double sigma = params->volatility_per_year;
    bool bound = self->point < params->point_count;
    int64_t point_ms = bound ? params->point_ms[self->point] : 0;
    bool arrives = bound && point_ms <= end_ms;
    int64_t to_ms = arrives ? point_ms : end_ms;
    double variance = sigma * sigma * years_between(self->now_ms, to_ms);
    double mean = 0.0, done = 0.0;
    if (bound) {
        done = (double)(to_ms - self->now_ms) / (double)(point_ms - self->now_ms);
        mean = done * log(params->point_price[self->point] / walk->price);
    }
    struct price_path_move move =
        price_path_walk_move(walk, bar, ordinal, mean, variance * (1.0 - done), variance);
    walk->price = arrives ? params->point_price[self->point] : walk->price * exp(move.end);
    self->point += arrives;
    self->now_ms = to_ms;
    return move;
}

static void make_bar(struct bridge *self, size_t bar, int64_t end_ms)
{
    struct price_path_walk *walk = self->walk;
    double high = walk->price, low = walk->price;
    walk->open[bar] = walk->price;
    for (uint32_t ordinal = 0; self->now_ms < end_ms; ordinal++) {
        double from = walk->price;
        struct price_path_move move = next_move(self, bar, ordinal, end_ms);
        high = fmax(high, fmax(from * exp(move.top), walk->price));
        low = fmin(low, fmin(from * exp(move.bottom), walk->price));
    }
    walk->high[bar] = high;
    walk->low[bar] = low;
    walk->close[bar] = walk->price;
}

void price_path_bridge_make(struct price_path_walk *walk)
{
    const struct price_path_request *request = walk->request;
    struct bridge bridge = {walk, 0, request->start_ms};
    for (size_t bar = 0; bar < request->bars; bar++)
        make_bar(&bridge, bar, request->start_ms + (int64_t)(bar + 1) * request->step_ms);
}
