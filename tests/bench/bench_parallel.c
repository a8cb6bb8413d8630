/*
 * Threads: a shipped scenario with several replicates, and one with several levels of open
 * interest, at 1, 2 and more threads, in one process and in turns. Reading data and writing results
 * are not part of it. The rows must be the same at any number of threads; what is printed is the
 * time at one thread over the time at so many.
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/paths.h"
#include "base/threads.h"
#include "scenarios/scenario.h"
#include "sim/run.h"
#include "sim/setup.h"

enum { ROUNDS = 5, THREADS_MOST = 64 };

struct work {
    const char *what;
    const char *scenario; /* below scenarios/ */
    const char *sets[2];
    size_t set_count;
};

static const struct work works[] = {
    {"4 replicates", "btc-2025-11.yaml", {"replicates=4"}, 1},
    {"3 levels, 1 replicate", "shock-94b.yaml", {NULL}, 0},
    {"1 replicate, 1 level: only the book", "btc-2025-11.yaml", {"replicates=1"}, 1},
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_parallel: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Seconds of a run; its liquidated USD, summed over runs, in `out_usd`. */
static double run_once(const struct setup *setup, int threads, double *out_usd)
{
    struct error err = {0};
    struct run_tables tables;
    omp_set_num_threads(threads);
    double start = now_s();
    if (run_scenario(setup, &tables, &err) != ERROR_NONE)
        fail(err.message);
    double time = now_s() - start;
    *out_usd = 0.0;
    for (size_t i = 0; i < tables.summary_count; i++)
        *out_usd += tables.summary[i].liquidated_usd;
    run_tables_free(&tables);
    return time;
}

static void measure(const struct work *work, const int *threads, int count)
{
    char path[PATHS_SIZE];
    struct scenario scenario;
    struct setup setup;
    struct error_list errors = {0};
    struct error err = {0};
    double best[THREADS_MOST], usd, first_usd = 0.0;
    snprintf(path, sizeof path, "%s/scenarios/%s", LIQCASCADE_SOURCE_DIR, work->scenario);
    if (scenario_load(&scenario, path, work->sets, work->set_count, &errors) != ERROR_NONE)
        fail(path);
    if (setup_init(&setup, &scenario, &err) != ERROR_NONE)
        fail(err.message);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < count; i++) {
            double time = run_once(&setup, threads[i], &usd);
            best[i] = round == 0 ? time : fmin(best[i], time);
            if (round == 0 && i == 0)
                first_usd = usd;
            if (usd != first_usd)
                fail("results depend on the number of threads");
        }
    printf("%-38s %9.3f", work->what, best[0]);
    for (int i = 1; i < count; i++)
        printf(" %8.2f", best[0] / best[i]);
    printf("\n");
    fflush(stdout);
    setup_free(&setup);
    scenario_free(&scenario);
    error_list_free(&errors);
}

int main(void)
{
    int available = threads_choose(0), threads[THREADS_MOST], count = 0;
    for (int n = 1; n <= available && count < THREADS_MOST; n *= 2)
        threads[count++] = n;
    printf("Seconds at one thread, and how many times faster more threads are; fastest of %d "
           "rounds, %d "
           "CPUs.\n\n%-38s %9s",
           ROUNDS, available, "runs", "1 thread");
    for (int i = 1; i < count; i++)
        printf(" %6d t", threads[i]);
    printf("\n");
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        measure(&works[i], threads, count);
    return 0;
}
