/*
 * Bars along a random walk, and their extremes.
 */
#include <math.h>

#include "models/price_path_parts.h"

void price_path_walk_start(struct price_path_walk *self, const struct price_path_params *params,
                           const struct price_path_request *request)
{
    double years = (double)request->step_ms / PRICE_PATH_YEAR_MS;
    self->params = params;
    self->request = request;
    self->price = request->start_price;
    self->drift = params->drift_per_year * years;
    self->variance = params->volatility_per_year * params->volatility_per_year * years;
    self->returns = random_stream_make(request->seed, request->replicate, "path.returns");
    self->ranges = random_stream_make(request->seed, request->replicate, "path.ranges");
}

/* The maximum of a Brownian bridge from 0 to `end`, by inversion of its distribution (Glasserman
   2004, Monte Carlo Methods in Financial Engineering, section 6.4). */
static double bridge_maximum(double end, double variance, double uniform)
{
    return 0.5 * (end + sqrt(end * end - 2.0 * variance * log(uniform)));
}

struct price_path_move price_path_walk_move(const struct price_path_walk *self, size_t bar,
                                            uint32_t ordinal, double mean, double end_variance,
                                            double path_variance)
{
    struct random_block end = random_block_at(&self->returns, (uint32_t)bar, ordinal);
    struct random_block range = random_block_at(&self->ranges, (uint32_t)bar, ordinal);
    double normal = random_normal(random_uniform53(end.word[0], end.word[1]));
    struct price_path_move out = {.end = mean + sqrt(end_variance) * normal};
    out.top =
        bridge_maximum(out.end, path_variance, random_uniform53(range.word[0], range.word[1]));
    out.bottom =
        -bridge_maximum(-out.end, path_variance, random_uniform53(range.word[2], range.word[3]));
    return out;
}

double price_path_walk_bar(struct price_path_walk *self, size_t bar, double mean, double variance,
                           double jump)
{
    struct price_path_move move = price_path_walk_move(self, bar, 0, mean, variance, variance);
    double open = self->price, close = open * exp(move.end + jump);
    self->open[bar] = open;
    self->high[bar] = fmax(open * exp(move.top), fmax(open, close));
    self->low[bar] = fmin(open * exp(move.bottom), fmin(open, close));
    self->close[bar] = close;
    self->price = close;
    return move.end + jump;
}
