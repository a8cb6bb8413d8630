/*
 * Sweeps: what threads give at 64 points, over eight books and over one, in one process and in
 * turns; and what 1,000 levels over one book of a million positions take, in time and memory,
 * against a single run with its book on one thread. For the second each measurement is a process of
 * its own, so that its peak of memory is its own. Reading data is not timed.
 *
 *     bench_sweep [LEVELS]
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "sim/run.h"
#include "sim/study/sweep.h"

enum { ROUNDS = 3, POINTS = 64, SETS = 5, TEXT_SIZE = 240 };

static void fail(const char *what)
{
    fprintf(stderr, "bench_sweep: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

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

/* ---- a sweep over levels ---------------------------------------------------------------- */

/* A fall of 10 % after 35 days of one-minute bars, each of which opens `positions` a side: with ten
   there are a million. */
struct request {
    char texts[SETS][TEXT_SIZE];
    const char *sets[SETS];
    size_t count;
};

static void request_add(struct request *self, const char *format, double number)
{
    snprintf(self->texts[self->count], TEXT_SIZE, format, number);
    self->sets[self->count] = self->texts[self->count];
    self->count++;
}

static void request_make(struct request *self, int positions, int levels)
{
    self->count = 0;
    request_add(self, "oi.levels_usd=[]", 0.0);
    request_add(self, "book.positions_per_bar=%.0f", positions);
    if (levels == 0)
        request_add(self, "oi.level_usd=60e9", 0.0);
    else
        request_add(self,
                    "sweep={method: grid, axes: {oi.level_usd: {from: 20e9, to: 120e9, count: "
                    "%.0f}}}",
                    levels);
}

static const char scenario_path[] = LIQCASCADE_SOURCE_DIR "/scenarios/shock-94b.yaml";

static void sweep_make(struct sweep *self, const struct request *request)
{
    struct error_list errors = {0};
    struct error err = {0};
    if (sweep_init(self, scenario_path, request->sets, request->count, -1, &errors, &err) ==
        ERROR_NONE)
        return;
    fail(errors.count > 0 ? errors.items[0].message : err.message);
}

/* All of it anew, in seconds; what is liquidated at all levels in `out_usd`. */
static double sweep_once(struct sweep *self, int threads, double *out_usd)
{
    struct error err = {0};
    bool *wanted = malloc(self->items * sizeof *wanted);
    if (wanted == NULL)
        fail("out of memory");
    memset(wanted, true, self->items * sizeof *wanted);
    memset(self->done, false, self->items * sizeof *self->done);
    omp_set_num_threads(threads);
    double start = now_s();
    if (sweep_run(self, wanted, NULL, NULL, &err) != ERROR_NONE)
        fail(err.message);
    double time = now_s() - start;
    *out_usd = 0.0;
    for (size_t i = 0; i < self->items * self->payload; i++)
        *out_usd += isfinite(self->values[i]) ? self->values[i] : 0.0;
    free(wanted);
    return time;
}

/* ---- threads ---------------------------------------------------------------------------- */

/* A sweep on one thread and on two, in turns. */
static void measure_threads(const struct request *request, const char *what, const char *target)
{
    struct sweep sweep;
    double best[2] = {INFINITY, INFINITY}, usd[2];
    sweep_make(&sweep, request);
    for (int round = 0; round < ROUNDS; round++)
        for (int threads = 1; threads <= 2; threads++)
            best[threads - 1] =
                fmin(best[threads - 1], sweep_once(&sweep, threads, &usd[threads - 1]));
    if (memcmp(&usd[0], &usd[1], sizeof usd[0]) != 0)
        fail("the numbers depend on the threads");
    printf("%s, %.2f s on one thread, %.2f s on two: %.2f times as fast%s\n", what, best[0],
           best[1], best[0] / best[1], target);
    fflush(stdout);
    sweep_free(&sweep);
}

/* Books are made at once; a single one is drawn by all threads but walked to the start by one. */
static void measure_both(void)
{
    struct request request;
    request_make(&request, 4, 0);
    request.count--; /* no level of its own */
    request_add(&request,
                "sweep={method: grid, axes: {book.leverage.alpha: {from: 0.8, to: 1.6, count: "
                "%.0f}, oi.level_usd: [20e9, 34e9, 48e9, 62e9, 76e9, 90e9, 104e9, 118e9]}}",
                8);
    measure_threads(&request, "64 points, 8 books of 8 levels", " (target at least 1.9)");
    request_make(&request, 4, POINTS);
    measure_threads(&request, "64 points, levels of one book", "");
}

/* ---- many levels ------------------------------------------------------------------------ */

struct measured {
    double time_s, peak_mb;
    double positions;
};

static struct measured one_run(void)
{
    struct request request;
    struct scenario scenario;
    struct setup setup;
    struct run_tables tables;
    struct error_list errors = {0};
    struct error err = {0};
    request_make(&request, 10, 0);
    if (scenario_load(&scenario, scenario_path, request.sets, request.count, &errors) != ERROR_NONE)
        fail(errors.items[0].message);
    memset(&scenario.output, 0, sizeof scenario.output);
    if (setup_init(&setup, &scenario, &err) != ERROR_NONE)
        fail(err.message);
    omp_set_num_threads(1);
    double start = now_s();
    if (run_scenario(&setup, &tables, &err) != ERROR_NONE)
        fail(err.message);
    return (struct measured){now_s() - start, peak_mb(), (double)tables.summary[0].positions};
}

static struct measured many_levels(int levels, int threads)
{
    struct request request;
    struct sweep sweep;
    double usd;
    request_make(&request, 10, levels);
    sweep_make(&sweep, &request);
    double time = sweep_once(&sweep, threads, &usd);
    return (struct measured){time, peak_mb(), 0.0};
}

/* In a process of its own; no levels: a run. */
static struct measured measure(int levels, int threads)
{
    struct measured out;
    int ends[2];
    if (pipe(ends) != 0)
        fail("no pipe");
    pid_t child = fork();
    if (child < 0)
        fail("no process");
    if (child == 0) {
        out = levels == 0 ? one_run() : many_levels(levels, threads);
        _exit(write(ends[1], &out, sizeof out) == sizeof out ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &out, sizeof out) != sizeof out)
        fail("a measurement ended early");
    close(ends[0]);
    waitpid(child, NULL, 0);
    return out;
}

static void measure_levels(int levels, const int *threads, int count)
{
    struct measured run = {INFINITY, 0.0, 0.0};
    for (int round = 0; round < ROUNDS; round++) {
        struct measured again = measure(0, 1);
        again.time_s = fmin(again.time_s, run.time_s);
        run = again;
    }
    printf("one run with its book of %.0f positions, one thread: %.3f s, peak %.0f MB\n",
           run.positions, run.time_s, run.peak_mb);
    fflush(stdout);
    for (int i = 0; i < count; i++) {
        struct measured all = measure(levels, threads[i]);
        printf("%d levels, %d thread%s: %.1f s, peak %.0f MB: %.1f times the run (target at most "
               "60 for 1,000), %.2f times its memory per thread (target at most 1.5)\n",
               levels, threads[i], threads[i] == 1 ? "" : "s", all.time_s, all.peak_mb,
               all.time_s / run.time_s, all.peak_mb / run.peak_mb / threads[i]);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static const int threads[] = {1, 2};
    int levels = argc > 1 ? atoi(argv[1]) : 1000;
    if (levels < 2)
        fail("usage: bench_sweep [LEVELS]");
    memory_keep_freed(); /* as the command does */
    /* First the processes of their own: a fork after threads were started would not be sound. */
    measure_levels(levels, threads, 2);
    measure_both();
    return 0;
}
