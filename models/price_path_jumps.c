/*
 * Jumps: when they come, and how they are found in a history.
 */
#include <math.h>

#include "models/price_path_parts.h"

/* Own prior: of normal returns one in 16,000 is farther out. */
static const double THRESHOLD_DEVIATIONS = 4.0;
/* The threshold settles in a handful of rounds. */
enum { THRESHOLD_ROUNDS = 50 };

/* ---- when they come --------------------------------------------------------------------- */

struct price_path_arrivals price_path_arrivals_make(const struct price_path_walk *walk)
{
    const struct price_path_request *request = walk->request;
    return (struct price_path_arrivals){
        .base = walk->params->jumps_per_day * (double)request->step_ms / (double)CALENDAR_DAY_MS,
        .times = random_stream_make(request->seed, request->replicate, "path.jump_times"),
        .sizes = random_stream_make(request->seed, request->replicate, "path.jump_sizes"),
    };
}

/* Bars until the next arrival: the earlier of one of the base rate and one of the excited rate,
   which decays and may leave none. Exact, by inversion (Dassios and Zhao 2013, Electronic
   Communications in Probability 18, no. 62). */
static double wait(const struct price_path_arrivals *self, const struct random_block *block)
{
    double of_base = -log(random_uniform53(block->word[0], block->word[1])) / self->base;
    if (self->excited <= 0.0)
        return of_base;
    double drawn = log(random_uniform53(block->word[2], block->word[3]));
    double left = 1.0 + self->decay * drawn / self->excited;
    return left > 0.0 ? fmin(of_base, -log(left) / self->decay) : of_base;
}

/* Arrivals within a bar. The rate at its beginning is all that the past leaves, so every bar draws
   its waits afresh. */
static double arrivals(struct price_path_arrivals *self, size_t bar)
{
    double left = 1.0;
    for (uint32_t count = 0;; count++) {
        struct random_block block = random_block_at(&self->times, (uint32_t)bar, count);
        double waited = wait(self, &block);
        if (!(waited < left)) {
            self->excited *= exp(-self->decay * left);
            return count;
        }
        left -= waited;
        self->excited = self->excited * exp(-self->decay * waited) + self->kick;
    }
}

double price_path_arrivals_jump(struct price_path_arrivals *self,
                                const struct price_path_params *params, size_t bar)
{
    double count = arrivals(self, bar);
    if (count == 0.0)
        return 0.0;
    struct random_block block = random_block_at(&self->sizes, (uint32_t)bar, 0);
    double normal = random_normal(random_uniform53(block.word[0], block.word[1]));
    return count * params->jump_mean_log + sqrt(count) * params->jump_sigma_log * normal;
}

/* ---- how they are found ----------------------------------------------------------------- */

bool price_path_is_jump(const struct price_path_jumps *self, double log_return)
{
    return fabs(log_return - self->centre) > THRESHOLD_DEVIATIONS * self->deviation;
}

/* Deviation by bipower variation, pi/2 times the mean of |r_i| |r_(i-1)|, which single jumps hardly
   touch (Barndorff-Nielsen and Shephard 2004, Journal of Financial Econometrics 2). */
static double bipower_deviation(const struct price_path_returns *returns)
{
    double sum = 0.0;
    for (size_t i = 1; i < returns->count; i++)
        sum +=
            fabs((returns->values[i] - returns->mean) * (returns->values[i - 1] - returns->mean));
    double variance = M_PI_2 * sum / (double)(returns->count - 1);
    return sqrt(variance > 0.0 ? variance : returns->variance);
}

/* One round: the returns within the threshold give the next threshold. */
static struct price_path_jumps refine(const struct price_path_jumps *self,
                                      const struct price_path_returns *returns)
{
    double sum = 0.0, squares = 0.0, within = 0.0;
    for (size_t i = 0; i < returns->count; i++) {
        if (price_path_is_jump(self, returns->values[i]))
            continue;
        within += 1.0;
        sum += returns->values[i];
        squares += returns->values[i] * returns->values[i];
    }
    struct price_path_jumps out = *self;
    out.count = returns->count - (size_t)within;
    double variance = squares / within - sum * sum / (within * within);
    if (within > 0.0 && variance > 0.0) {
        out.centre = sum / within;
        out.deviation = sqrt(variance);
    }
    return out;
}

static void fit_sizes(struct price_path_params *params, const struct price_path_jumps *jumps,
                      const struct price_path_returns *returns)
{
    double sum = 0.0, squares = 0.0, count = fmax((double)jumps->count, 1.0);
    for (size_t i = 0; i < returns->count; i++) {
        double size = returns->values[i] - jumps->centre;
        if (!price_path_is_jump(jumps, returns->values[i]))
            continue;
        sum += size;
        squares += size * size;
    }
    if (isnan(params->jump_mean_log))
        params->jump_mean_log = sum / count;
    double variance = squares / count - sum * sum / (count * count);
    if (isnan(params->jump_sigma_log))
        params->jump_sigma_log = sqrt(fmax(variance - jumps->deviation * jumps->deviation, 0.0));
}

struct price_path_jumps price_path_jumps_find(struct price_path_params *params,
                                              const struct price_path_returns *returns)
{
    bool known = !isnan(params->volatility_per_year);
    struct price_path_jumps jumps = {returns->mean, bipower_deviation(returns), returns->count};
    for (int round = 0; round < THRESHOLD_ROUNDS; round++) {
        size_t before = jumps.count;
        if (known)
            jumps.deviation = params->volatility_per_year * sqrt(returns->years);
        jumps = refine(&jumps, returns);
        if (jumps.count == before)
            break;
    }
    if (known)
        jumps.deviation = params->volatility_per_year * sqrt(returns->years);
    else
        params->volatility_per_year = jumps.deviation / sqrt(returns->years);
    fit_sizes(params, &jumps, returns);
    return jumps;
}
