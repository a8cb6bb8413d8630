#include "sim/study/impact_slope.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "sim/study/resample.h"

/* Sums of a block, by lag. */
struct block_sums {
    double price[IMPACT_SLOPE_LAGS], impact[IMPACT_SLOPE_LAGS];
};

/* Impact after each bar, for a reference move of 1. */
static void fill_impact(const struct impact_slope_bars *bars, const struct impact_params *params,
                        double *out)
{
    struct impact_params unit = *params;
    struct impact_state state = {0};
    unit.reference_move_log = 1.0;
    for (size_t t = 0; t < bars->bars; t++) {
        impact_decay(&unit, &state, bars->step_ms);
        impact_add(&unit, &state, bars->flow[1][t] - bars->flow[0][t], 1.0);
        out[t] = impact_log(&unit, &state, 1.0);
    }
}

static void sum_blocks(const struct impact_slope_bars *bars, const struct impact_params *params,
                       const double *impact, size_t blocks, struct block_sums *out)
{
    for (size_t b = 0; b < blocks; b++)
        out[b] = (struct block_sums){{0.0}, {0.0}};
    for (size_t t = IMPACT_SLOPE_LAGS; t < bars->bars; t++) {
        struct block_sums *block = &out[t / bars->block];
        double price = log(bars->close[t] / bars->close[t - 1]), moved = impact[t] - impact[t - 1];
        for (size_t k = 0; k < IMPACT_SLOPE_LAGS; k++) {
            size_t past = t - k - 1;
            double flow = (bars->flow[1][past] - bars->flow[0][past]) / params->reference_coins;
            block->price[k] += price * flow;
            block->impact[k] += moved * flow;
        }
    }
}

static double slope_of(const struct block_sums *sums, const uint32_t *times, size_t blocks)
{
    double top = 0.0, below = 0.0;
    for (size_t k = 0; k < IMPACT_SLOPE_LAGS; k++) {
        double price = 0.0, impact = 0.0;
        for (size_t b = 0; b < blocks; b++) {
            double weight = times != NULL ? times[b] : 1.0;
            price += weight * sums[b].price[k];
            impact += weight * sums[b].impact[k];
        }
        top += price * impact;
        below += impact * impact;
    }
    return below > 0.0 ? top / below : NAN;
}

static void resample_slopes(const struct block_sums *sums, size_t blocks, size_t resamples,
                            uint64_t seed, uint32_t *times, double *out)
{
    struct random_stream stream = random_stream_make(seed, 0, "impact.slope");
    for (size_t i = 0; i < resamples; i++) {
        resample_weights(&stream, i, blocks, times);
        out[i] = slope_of(sums, times, blocks);
    }
}

int impact_slope_fit(const struct impact_slope_bars *bars, const struct impact_params *params,
                     size_t resamples, double level, uint64_t seed, struct impact_slope *out,
                     struct error *err)
{
    size_t blocks = (bars->bars + bars->block - 1) / bars->block;
    if (blocks < 2 || bars->bars < 2 * IMPACT_SLOPE_LAGS)
        return error_set(err, ERROR_DATA, "%zu bars to fit an impact to; expected days of them",
                         bars->bars);
    double *impact = memory_alloc(bars->bars, sizeof *impact);
    struct block_sums *sums = memory_alloc(blocks, sizeof *sums);
    uint32_t *times = memory_alloc(blocks, sizeof *times);
    double *slopes = memory_alloc(resamples, sizeof *slopes);
    int code = ERROR_NONE;
    if (impact == NULL || sums == NULL || times == NULL || slopes == NULL) {
        code = error_memory(err, "fitting an impact");
    } else {
        fill_impact(bars, params, impact);
        sum_blocks(bars, params, impact, blocks, sums);
        out->value = slope_of(sums, NULL, blocks);
        resample_slopes(sums, blocks, resamples, seed, times, slopes);
        resample_interval(slopes, resamples, level, &out->low, &out->high);
    }
    memory_free(impact);
    memory_free(sums);
    memory_free(times);
    memory_free(slopes);
    return code;
}
