/*
 * Evaluations by cohorts (sim/cohort.h) of two months of hourly bars, 1,464 of them, with other
 * numbers each time as a fit asks for them: milliseconds per evaluation, and how many of them take
 * as long as one run of the per-position engine with a book of the usual 50 positions a bar and
 * side, drawn for it. The market is the reconstruction that ships, which is warmed up from its
 * first bar on. One thread; reading data is not timed.
 *
 *     bench_cohort [EVALUATIONS]
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "sim/cohort.h"
#include "sim/run_one.h"

enum { ROUNDS = 3 };

static const char scenario_path[] = LIQCASCADE_SOURCE_DIR "/scenarios/btc-2025-11.yaml";
static const char *const sets[] = {"time.warmup=2025-09-21T00:00Z", "time.start=2025-10-21T00:00Z",
                                   "time.end=2025-11-21T00:00Z", "time.step=1h",
                                   "book.positions_per_bar=50"};

static void fail(const char *what)
{
    fprintf(stderr, "bench_cohort: %s\n", what);
    exit(1);
}

static void check(int code, const struct error *err)
{
    if (code != ERROR_NONE)
        fail(err->message);
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- by cohorts ------------------------------------------------------------------------- */

/* Numbers as a fit tries them. */
static struct cohort_params trial(const struct cohort_params *from, int i)
{
    struct cohort_params out = *from;
    out.leverage.alpha = 0.8 + 0.01 * (i % 80);
    out.turnover_per_hour = 0.02 + 0.001 * (i % 97);
    out.crowd_tilt = 0.01 * (i % 61);
    return out;
}

/* Seconds of an evaluation. */
static double evaluations(struct cohort_work *work, const struct cohort_params *params, int count,
                          const struct cohort_out *out)
{
    struct error err = {0};
    double start = now_s();
    for (int i = 0; i < count; i++) {
        struct cohort_params numbers = trial(params, i);
        check(cohort_run(work, &numbers, out, &err), &err);
    }
    return (now_s() - start) / count;
}

/* ---- by positions ----------------------------------------------------------------------- */

/* Seconds of a book and its run; what was liquidated is added to `forced`. */
static double engine(const struct setup *setup, uint32_t replicate, double forced[2])
{
    struct error err = {0};
    struct book book;
    struct run_warm warm;
    struct replay replay;
    double start = now_s();
    check(setup_book(setup, replicate, &setup->levels[0], &book, &err), &err);
    check(run_warm_init(&warm, setup, &setup->path, &book, &err), &err);
    struct replay_params params = setup_replay(setup, &setup->levels[0]);
    check(replay_fork(&replay, &params, &setup->path, &warm.replay, &err), &err);
    for (size_t bar = setup->start_bar; bar < setup->bars; bar++) {
        struct replay_step step;
        check(replay_step(&replay, &step, &err), &err);
        for (int side = 0; side < 2; side++)
            forced[side] += step.forced.side[side].coins;
    }
    replay_free(&replay);
    run_warm_free(&warm);
    book_free(&book);
    return now_s() - start;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 500;
    struct scenario scenario;
    struct setup setup;
    struct cohort cohort;
    struct cohort_work work;
    struct error_list errors = {0};
    struct error err = {0};
    double eval = INFINITY, run = INFINITY, forced[2] = {0.0, 0.0}, sum[2] = {0.0, 0.0};
    omp_set_num_threads(1);
    if (scenario_load(&scenario, scenario_path, sets, sizeof sets / sizeof *sets, &errors) !=
        ERROR_NONE)
        fail(errors.items[0].message);
    check(setup_init(&setup, &scenario, &err), &err);
    double start = now_s();
    check(cohort_init(&cohort, &setup, NULL, &err), &err);
    double init = now_s() - start;
    check(cohort_work_init(&work, &cohort, &err), &err);
    double *flow = memory_alloc(2 * cohort.bars, sizeof *flow);
    if (flow == NULL)
        fail("out of memory");
    struct cohort_params params = cohort_params_of(&setup, &setup.levels[0]);
    struct cohort_out out = {.forced = {flow, flow + cohort.bars}};
    for (int round = 0; round < ROUNDS; round++) {
        eval = fmin(eval, evaluations(&work, &params, count, &out));
        run = fmin(run, engine(&setup, (uint32_t)round, forced));
    }
    check(cohort_run(&work, &params, &out, &err), &err);
    for (int side = 0; side < 2; side++)
        for (size_t bar = cohort.start_bar; bar < cohort.bars; bar++)
            sum[side] += out.forced[side][bar];
    printf("%zu hourly bars, one thread, the fastest of %d rounds: cohorts made once in %.0f ms, "
           "then %.2f ms an evaluation (target at most 20; 10,000 take %.0f s); a run of %lld "
           "positions a bar and side %.0f ms, %.0f times as long\n"
           "liquidated, positions over cohorts: long %.4f, short %.4f\n",
           cohort.bars, ROUNDS, 1e3 * init, 1e3 * eval, 1e4 * eval,
           (long long)scenario.book.positions_per_bar, 1e3 * run, run / eval,
           forced[0] / ROUNDS / sum[0], forced[1] / ROUNDS / sum[1]);
    memory_free(flow);
    cohort_work_free(&work);
    cohort_free(&cohort);
    setup_free(&setup);
    scenario_free(&scenario);
    return 0;
}
