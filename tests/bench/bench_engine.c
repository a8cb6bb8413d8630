/*
 * The engine against a bare loop, in one process tree and interleaved, so that the ratios do not
 * depend on the machine or its load. The bare loop only draws what a position is made of (the same
 * public functions: random block, size, bracket, leverage, entry) and stores 24 bytes of it. The
 * job draws the book, indexes it and replays a synthetic minute market over it on one thread. A run
 * measures from its start on (branching ratio, reachability, extremes, metrics and episodes) and
 * only keeps the book in the warm-up before: both are timed, as a year measured throughout and a
 * year of warm-up. Each measurement is a process of its own, so that its peak of memory is its own.
 *
 *     bench_engine [POSITIONS_MAX]
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "models/entry.h"
#include "sim/book.h"
#include "sim/episode.h"
#include "sim/metrics.h"
#include "sim/replay.h"

enum { PER_SIDE = 10, ROUNDS = 3, BRACKETS = 12, STEP_MS = 60000 };
static const double OI_COINS = 600000.0;

/* BTCUSDT on Binance from 2025-08-21. */
static const double caps[BRACKETS] = {.3e6,  .8e6,  3e6,   12e6,  70e6,   100e6,
                                      230e6, 480e6, 600e6, 800e6, 1200e6, 1800e6};
static const double leverages[BRACKETS] = {150, 100, 75, 50, 25, 20, 10, 5, 4, 3, 2, 1};
static const double rates[BRACKETS] = {.004, .005, .0065, .01, .02, .025,
                                       .05,  .1,   .125,  .15, .25, .5};

static const struct size_params size_params = {
    .kind = SIZE_KIND_LOGNORMAL, .median = 13000.0, .sigma = 2.0};
static const struct leverage_params leverage_params = {
    .kind = LEVERAGE_KIND_PARETO, .alpha = 1.0, .minimum = 1.0, .hazard_exponent = 0.5};

struct world {
    struct market market;
    struct brackets table;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_engine: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- the market ------------------------------------------------------------------------- */

static double *column(size_t bars)
{
    double *out = malloc(bars * sizeof *out);
    if (out == NULL)
        fail("out of memory");
    return out;
}

/* One-minute bars of a random walk with 6 bp of volatility a minute (44 % a year), flat open
   interest, funding of 1 bp every 8 hours. Mark is last. */
static void market_make(struct market *self, size_t bars)
{
    struct random_stream stream = random_stream_make(1, 0, "bench.engine");
    double price = 100000.0;
    memset(self, 0, sizeof *self);
    self->step_ms = STEP_MS;
    self->bars = bars;
    self->last = (struct market_bars){column(bars), column(bars), column(bars), column(bars)};
    self->oi_coins = column(bars);
    self->funding_rate = column(bars);
    for (size_t i = 0; i < bars; i++) {
        struct random_block draw = random_block_at(&stream, (uint32_t)i, 0);
        double open = price, close = open * exp(6e-4 * random_normal(random_uniform(draw.word[0])));
        self->last.open[i] = open;
        self->last.high[i] = fmax(open, close) * (1 + 3e-4 * random_uniform(draw.word[1]));
        self->last.low[i] = fmin(open, close) * (1 - 3e-4 * random_uniform(draw.word[2]));
        self->last.close[i] = close;
        self->oi_coins[i] = OI_COINS;
        self->funding_rate[i] = i % 480 == 0 ? 1e-4 : 0.0;
        price = close;
    }
    self->mark = self->last;
}

static void market_release(struct market *self)
{
    free(self->last.open);
    free(self->last.high);
    free(self->last.low);
    free(self->last.close);
    free(self->oi_coins);
    free(self->funding_rate);
}

/* ---- the bare loop ---------------------------------------------------------------------- */

struct bare_position {
    double entry, weight;
    float leverage, size_usd;
};

struct bare {
    struct leverage leverage;
    double survival_cap[BRACKETS];
    double lower[PER_SIDE], upper[PER_SIDE];
    struct random_stream stream[2];
};

static void bare_start(struct bare *self, const struct world *world)
{
    struct leverage_params params = leverage_params;
    struct error err = {0};
    params.maximum = leverages[0];
    if (leverage_init(&self->leverage, &params, &err) != ERROR_NONE)
        fail(err.message);
    for (int n = 0; n < BRACKETS; n++)
        self->survival_cap[n] = leverage_survival(&self->leverage, world->table.max_leverage[n]);
    for (int i = 0; i < PER_SIDE; i++)
        leverage_stratum(i, PER_SIDE, &self->lower[i], &self->upper[i]);
    self->stream[0] = random_stream_make(1, 0, "book.long");
    self->stream[1] = random_stream_make(1, 0, "book.short");
}

static struct bare_position bare_draw(const struct bare *self, const struct world *world, int side,
                                      size_t bar, int i)
{
    const struct market_bars *bars = &world->market.last;
    struct random_block block = random_block_at(&self->stream[side], (uint32_t)bar, (uint32_t)i);
    double size = size_draw(&size_params, random_uniform(block.word[1]));
    int n = brackets_find(&world->table, size);
    double mass = self->upper[i] - self->lower[i];
    double u = self->lower[i] + random_uniform(block.word[0]) * mass;
    double leverage =
        leverage_draw(&self->leverage, u, world->table.max_leverage[n], self->survival_cap[n]);
    double entry = entry_triangular(bars->low[bar], bars->high[bar], bars->close[bar],
                                    random_uniform(block.word[2]));
    return (struct bare_position){entry, mass, (float)leverage, (float)size};
}

static double bare_loop(const struct world *world)
{
    struct bare bare;
    double start = now_s();
    struct bare_position *out = malloc(2 * PER_SIDE * world->market.bars * sizeof *out),
                         *next = out;
    if (out == NULL)
        fail("out of memory");
    bare_start(&bare, world);
    for (size_t bar = 0; bar < world->market.bars; bar++)
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < PER_SIDE; i++)
                *next++ = bare_draw(&bare, world, side, bar, i);
    double time = now_s() - start;
    /* Looked at, so that no compiler may leave the loop out. */
    if (!(out[world->market.bars / 2].entry > 0.0))
        fail("no draws");
    free(out);
    return time;
}

/* ---- the job ---------------------------------------------------------------------------- */

struct job {
    double draw_s, replay_s;
    int64_t positions, fired;
    double peak_mb;
};

static double peak_mb(void)
{
    char line[256];
    double kb = 0.0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %lf kB", &kb) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kb / 1024.0;
}

static void check(int code, const struct error *err)
{
    if (code != ERROR_NONE)
        fail(err->message);
}

static void job_draw(const struct world *world, struct book *book)
{
    struct error err = {0};
    const struct market *market = &world->market;
    struct book_params params = {.seed = 1,
                                 .positions_per_bar = PER_SIDE,
                                 .leverage = leverage_params,
                                 .size = size_params,
                                 .hedged_short_share = 0.45,
                                 .hedged_leverage = {1.0, 3.0},
                                 .venue_count = 1};
    params.venues[0] = (struct book_venue){.name = "binance",
                                           .formula = margin_find("linear_mark"),
                                           .oi_share = 1.0,
                                           .tables = &world->table,
                                           .table_count = 1};
    struct book_bars bars = {.bars = market->bars,
                             .step_ms = STEP_MS,
                             .high = market->last.high,
                             .low = market->last.low,
                             .close = market->last.close,
                             .priced = market->bars};
    check(book_draw(book, &params, &bars, &err), &err);
}

static struct replay_params job_params(size_t bars, size_t start_bar)
{
    struct replay_params out = {
        .impact = {.kind = IMPACT_KIND_POWER,
                   .gamma = 0.76,
                   .reference_coins = 550.0,
                   .reference_move_log = 9e-4,
                   .half_life_ms = 20 * STEP_MS},
        .depth = {.kind = DEPTH_KIND_VOLATILITY,
                  .zeta = 1.0,
                  .floor = 0.1,
                  .half_life_ms = 60 * STEP_MS,
                  .reference_variance = 3.6e-7 / STEP_MS},
        .funding_bar = REPLAY_NEVER,
        .feedback_bar = REPLAY_NEVER,
        .frozen_bar = REPLAY_NEVER,
        .mark_passthrough = 1.0,
        .turnover_per_hour = 0.05,
        .hazard_exponent = 0.5,
        .absorbed_by_closers = 1.0,
        .oi_share = 1.0,
        .oi_scale = 1.0,
        .bars = bars,
        .start_bar = start_bar,
        .branching_window_log = 0.005,
    };
    for (int v = 0; v < BOOK_VENUES_MAX; v++)
        out.fund_usd[v] = INFINITY;
    return out;
}

/* What a run does with its measured steps, but for the writing of rows. */
struct measuring {
    struct metrics metrics;
    struct episodes episodes;
};

static void measuring_begin(struct measuring *self, const struct replay *replay, size_t steps)
{
    struct error err = {0};
    struct metrics_run run = {.run = 1};
    check(metrics_init(&self->metrics, &run, replay, steps, &err), &err);
    episodes_init(&self->episodes, &(struct episode_params){1e6, 30 * STEP_MS, STEP_MS}, 1,
                  OI_COINS, self->metrics.summary.price_start);
}

static void job_replay(const struct world *world, const struct book *book, size_t start_bar,
                       struct job *job)
{
    struct error err = {0};
    struct replay_params params = job_params(world->market.bars, start_bar);
    struct path path = {.market = &world->market};
    struct measuring measuring;
    struct replay replay;
    check(replay_init(&replay, &params, &path, book, &err), &err);
    for (size_t i = 0; i < params.bars; i++) {
        struct replay_step step;
        if (i == start_bar)
            measuring_begin(&measuring, &replay, params.bars - start_bar);
        check(replay_step(&replay, &step, &err), &err);
        job->fired += step.forced.side[0].positions + step.forced.side[1].positions;
        if (i < start_bar)
            continue;
        metrics_step_add(&measuring.metrics, &step);
        check(episodes_step(&measuring.episodes, &step, &err), &err);
    }
    metrics_finish(&measuring.metrics, &replay, (int64_t)measuring.episodes.count);
    episodes_free(&measuring.episodes);
    metrics_free(&measuring.metrics);
    replay_free(&replay);
}

static struct job job_do(const struct world *world, size_t start_bar)
{
    struct job job = {0};
    struct book book;
    double start = now_s();
    job_draw(world, &book);
    job.draw_s = now_s() - start;
    job.positions = (int64_t)book.position_count;
    job_replay(world, &book, start_bar, &job);
    job.replay_s = now_s() - start - job.draw_s;
    book_free(&book);
    job.peak_mb = peak_mb();
    return job;
}

/* ---- measuring -------------------------------------------------------------------------- */

enum work { BARE, WARM_UP, MEASURED, WORKS };

static struct job work_do(enum work work, const struct world *world)
{
    if (work == BARE)
        return (struct job){.draw_s = bare_loop(world)};
    return job_do(world, work == WARM_UP ? world->market.bars - 1 : 0);
}

/* In a process of its own, which starts with fresh memory. */
static struct job measure(enum work work, const struct world *world)
{
    struct job job;
    int ends[2];
    if (pipe(ends) != 0)
        fail("no pipe");
    pid_t child = fork();
    if (child < 0)
        fail("no process");
    if (child == 0) {
        job = work_do(work, world);
        _exit(write(ends[1], &job, sizeof job) == sizeof job ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &job, sizeof job) != sizeof job)
        fail("a measurement ended early");
    close(ends[0]);
    waitpid(child, NULL, 0);
    return job;
}

static void keep_faster(struct job *best, const struct job *job, int round)
{
    struct job old = *best;
    *best = *job;
    if (round == 0)
        return;
    best->draw_s = fmin(old.draw_s, job->draw_s);
    best->replay_s = fmin(old.replay_s, job->replay_s);
}

/* One line of the table; returns the cost of a liquidated position in seconds. */
static double measure_size(size_t bars)
{
    struct world world;
    struct error err = {0};
    struct job best[WORKS];
    check(brackets_init(&world.table, BRACKETS, caps, leverages, rates, 0, &err), &err);
    market_make(&world.market, bars);
    for (int round = 0; round < ROUNDS; round++)
        for (int work = 0; work < WORKS; work++) {
            struct job one = measure((enum work)work, &world);
            keep_faster(&best[work], &one, round);
        }
    market_release(&world.market);
    const struct job *warm = &best[WARM_UP], *full = &best[MEASURED];
    double bare = best[BARE].draw_s, n = (double)full->positions;
    double draw = fmin(warm->draw_s, full->draw_s), fired = full->replay_s / (double)full->fired;
    printf("%9lld %7zu %10lld %7.1f %7.1f %8.1f %8.1f %8.2f %8.2f %8.2f %8.2f %9.0f %8.0f\n",
           (long long)full->positions, bars, (long long)full->fired, 1e9 * bare / n, 1e9 * draw / n,
           1e9 * warm->replay_s / n, 1e9 * full->replay_s / n, 1e-6 * n / bare,
           1e-6 * n / (draw + full->replay_s), (draw + warm->replay_s) / bare,
           (draw + full->replay_s) / bare, 1e9 * fired, full->peak_mb);
    fflush(stdout);
    return fired;
}

int main(int argc, char **argv)
{
    double largest = argc > 1 ? atof(argv[1]) : 1e7, at_1e5 = NAN, at_1e7 = NAN;
    static const size_t sizes[] = {500, 5256, 52560, 525600};
    omp_set_num_threads(1);
    printf(
        "A synthetic one-minute market, %d positions a side opened each minute, one thread; the "
        "fastest of %d\nrounds, bare loop and jobs in turns.\n"
        "  bare, draw, warm-up, measured   ns per position: the bare loop; the book; a replay that "
        "measures no\n"
        "                                  step; a replay that measures every step\n"
        "  bare M/s, job M/s               million positions a second: drawn and stored; created, "
        "indexed and\n"
        "                                  replayed to liquidation or closing, measured\n"
        "  ratio w, ratio m                the whole job over the bare loop, warm-up and measured\n"
        "  ns fired                        measured replay per liquidated position\n"
        "  peak MB                         resident memory of the measured job\n\n"
        "%9s %7s %10s %7s %7s %8s %8s %8s %8s %8s %8s %9s %8s\n",
        PER_SIDE, ROUNDS, "positions", "bars", "liquidated", "bare", "draw", "warm-up", "measured",
        "bare M/s", "job M/s", "ratio w", "ratio m", "ns fired", "peak MB");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if ((double)sizes[i] * 2 * PER_SIDE > 1.1 * largest)
            break;
        double fired = measure_size(sizes[i]);
        if (i == 1)
            at_1e5 = fired;
        if (i == 3)
            at_1e7 = fired;
    }
    printf("\nTargets at 1e7: ratio at most 2.5, peak below 500 MB; ns fired within a factor of 2 "
           "of that "
           "at 1e5");
    if (!isnan(at_1e7))
        printf(" (now %.2f)", at_1e7 / at_1e5);
    printf(".\n");
    return 0;
}
