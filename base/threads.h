/*
 * How many threads to use: --threads, then OMP_NUM_THREADS, then SLURM_CPUS_PER_TASK, then the
 * affinity mask of the process.
 */
#ifndef LIQCASCADE_BASE_THREADS_H
#define LIQCASCADE_BASE_THREADS_H

/* `requested` 0: not given. Always at least 1. */
int threads_choose(int requested);
/* Sets OpenMP's team size for the process to `threads_choose(requested)` and returns it. */
int threads_set(int requested);

#endif
