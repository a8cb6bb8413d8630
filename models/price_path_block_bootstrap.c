/*
 * Stretches of observed bars. Blocks begin anywhere with the same probability, and the history is a
 * circle, so that every bar is drawn equally often (the circular block bootstrap of Politis and
 * Romano 1992, in LePage and Billard, Exploring the Limits of Bootstrap).
 */
#include <math.h>

#include "models/price_path_parts.h"

static size_t block_bars(const struct price_path_walk *walk)
{
    int64_t step = walk->request->step_ms;
    int64_t bars = (walk->params->block_ms + step / 2) / step;
    return bars > 1 ? (size_t)bars : 1;
}

static size_t block_start(const struct random_stream *stream, size_t bar, size_t history_bars)
{
    struct random_block block = random_block_at(stream, (uint32_t)bar, 0);
    double drawn = random_uniform53(block.word[0], block.word[1]) * (double)history_bars;
    size_t start = (size_t)drawn;
    return start < history_bars ? start : history_bars - 1;
}

/* An observed bar as multiples of the close before it (the first bar: of its open). */
static void put_observed(struct price_path_walk *walk, size_t bar, size_t from)
{
    const struct price_path_history *history = &walk->request->history;
    double factor = walk->price / (from > 0 ? history->close[from - 1] : history->open[0]);
    walk->open[bar] = factor * history->open[from];
    walk->high[bar] = factor * history->high[from];
    walk->low[bar] = factor * history->low[from];
    walk->close[bar] = factor * history->close[from];
    walk->price = walk->close[bar];
}

void price_path_block_bootstrap_make(struct price_path_walk *walk)
{
    const struct price_path_request *request = walk->request;
    size_t length = block_bars(walk), from = 0;
    struct random_stream blocks =
        random_stream_make(request->seed, request->replicate, "path.blocks");
    for (size_t bar = 0; bar < request->bars; bar++) {
        if (bar % length == 0)
            from = block_start(&blocks, bar, request->history.bars);
        put_observed(walk, bar, from);
        from = from + 1 < request->history.bars ? from + 1 : 0;
    }
}
