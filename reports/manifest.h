/*
 * The provenance record of a results directory, `manifest.json`: version, revision, compiler and
 * library versions, the command line, seed, SHA-256 of every input, and the data policies applied.
 */
#ifndef LIQCASCADE_REPORTS_MANIFEST_H
#define LIQCASCADE_REPORTS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reports/results.h"

struct manifest_input {
    const char *role; /* "price", "mark", "scenario", "brackets", "positions" */
    const char *path;
    const char *sha256;
    int64_t rows; /* -1: not a table */
    bool reconstructed;
};

struct manifest_policy {
    const char *role;   /* input it was applied to */
    const char *flaw;   /* "gap" */
    const char *action; /* "carry" */
    int64_t found, applied;
};

struct manifest {
    const char *command; /* "run" */
    int argc;
    char *const *argv;
    uint64_t seed;
    int64_t replicates;
    const char *title, *symbol;
    bool reconstructed; /* any input is a reconstruction */
    const char *const *warnings;
    size_t warning_count;
    const struct manifest_input *inputs;
    size_t input_count;
    const struct manifest_policy *policies;
    size_t policy_count;
};

#define MANIFEST_VERSION 1

/* A library that this process runs with, and its version ("zstd", "1.5.4"). */
struct manifest_library {
    const char *name;
    char version[24];
};

#define MANIFEST_LIBRARIES_MAX 16
/* Fills `out` with what is linked and returns how many there are. */
size_t manifest_libraries(struct manifest_library out[MANIFEST_LIBRARIES_MAX]);

/* Whether the CPU has fused multiply-add, which changes the last digits of libm's functions. */
bool manifest_cpu_fma(void);

/* Writes manifest.json into `results`. Nothing in it depends on the time of day, the machine's name
   or the number of threads, except `cpu` (whether the CPU has FMA, which changes libm's digits). */
int manifest_write(const struct manifest *self, struct results *results, struct error *err);

#endif
