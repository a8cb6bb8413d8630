/*
 * Which part of the work is this process's? Rank and size come from `--shard I/N` or from what
 * started the process; point i belongs to the process whose rank is i mod size. Nothing is
 * exchanged between ranks: each writes a shard, and the shards are merged.
 *
 * - `--shard I/N`, counted from 1 as shard folders and job arrays usually are: 1/16 ... 16/16.
 *   Given, it alone counts, so that one shard can be run again anywhere.
 * - Open MPI's mpirun: OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE
 *   (docs.open-mpi.org, "Environment variables set for MPI applications")
 * - MPICH's, Intel's and Cray's: PMI_RANK and PMI_SIZE
 * - srun: SLURM_PROCID and SLURM_STEP_NUM_TASKS, which only a step has; a batch script has
 *   SLURM_PROCID and SLURM_NTASKS too, but runs once (man srun, OUTPUT ENVIRONMENT VARIABLES). A
 *   step without the second takes SLURM_NTASKS.
 * - a Slurm array: (SLURM_ARRAY_TASK_ID - _MIN) / _STEP of SLURM_ARRAY_TASK_COUNT
 *   (man sbatch, the same section). Tasks of several processes each multiply: the array's index
 *   times the processes, plus the process's rank.
 * - none of these: 0 of 1
 *
 * PMIX_RANK says no size: it is held against the others and stands for nothing alone. mpirun
 * starts its daemons with srun, so ranks of Open MPI and PMI go before those of a Slurm step.
 *
 * All errors are ERROR_USAGE and name the variable: what is no number, a rank not below the size,
 * one of a pair without the other, launchers that contradict each other, and an array with gaps
 * (its task count says less than its ids, so points would be left out).
 */
#ifndef LIQCASCADE_BASE_RANKS_H
#define LIQCASCADE_BASE_RANKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define RANKS_MAX 1000000 /* above this a size is a mistake */

struct ranks {
    int rank;         /* from 0 */
    int size;         /* at least 1 */
    const char *from; /* who said so, for people: "--shard", "srun", ...; static */
};

/* `shard` is the text of --shard, or NULL when not given; then the environment is asked. */
int ranks_choose(const char *shard, struct ranks *out_ranks, struct error *err);

/* Whether `item` belongs to this rank. */
bool ranks_owns(const struct ranks *self, uint64_t item);
/* How many of the items 0 ... items - 1 belong to it. */
uint64_t ranks_share(const struct ranks *self, uint64_t items);

#endif
