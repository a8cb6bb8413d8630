/*
 * Rests: what partial liquidation orders leave of positions. A rest keeps the entry of its position
 * and has less margin and size, so it no longer fits into the book's runs, which are immutable and
 * shared: it is a small private addition to one run's ladder. Rests lie in one heap per margin
 * class, like heads of runs; those whose venue leaves them alone for a while wait in a queue.
 */
#ifndef LIQCASCADE_SIM_RESTS_H
#define LIQCASCADE_SIM_RESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define RESTS_NONE UINT32_MAX
#define RESTS_CLASSES 2 /* the bracket that decides, and a neighbour that funding may lead into */

struct rest {
    /* Terms, as of struct book_position, in double: `share` is of its bar's opens. */
    double share, leverage, size_usd;
    uint32_t class_id[RESTS_CLASSES]; /* RESTS_NONE: no second */
    double kappa[RESTS_CLASSES];
    double key[RESTS_CLASSES]; /* of the ladder; filled in with the rest */
    uint32_t bar, run;         /* of the position that it was */
    int tier;                  /* likewise */
    int orders;                /* that have been made for it */
    int64_t cooling_until_ms;  /* an order before this is for the whole */
    int64_t ready_ms;          /* left alone before */
    bool gone;
};

struct rests_entry {
    double key;
    uint32_t rest;
    uint32_t place; /* which of the rest's classes */
};

struct rests_heap {
    struct rests_entry *entries;
    size_t count, capacity;
};

struct rests {
    struct rest *items; /* by number, in the order of their making; owned */
    size_t count, capacity;
    struct rests_heap *heaps; /* per class; owned; NULL until the first rest */
    int class_count;
    uint32_t *waiting; /* a heap by (ready_ms, number); owned */
    size_t waiting_count, waiting_capacity;
};

void rests_init(struct rests *self, int class_count);
void rests_free(struct rests *self);
/* Those of another in the same state. ERROR_IO when memory is short; rests_free frees in any case.
 */
int rests_copy(struct rests *self, const struct rests *from, struct error *err);

/* Takes in a rest with its keys: at once when it is ready by `now_ms`, else into the queue.
   ERROR_IO when memory is short. */
int rests_add(struct rests *self, const struct rest *rest, int64_t now_ms, uint32_t *out_number,
              struct error *err);

/* Moves those that are ready by `now_ms` into the heaps. True when there were some. ERROR_IO. */
int rests_release(struct rests *self, int64_t now_ms, bool *out_any, struct error *err);

/* The first of a class, highest key first, then lowest number; NULL when there is none. Rests of
   bars before `first_bar` are gone and dropped. */
const struct rests_entry *rests_first(struct rests *self, int class_id, size_t first_bar);

/* The rest is fired: it leaves its heaps (lazily). */
void rests_take(struct rests *self, uint32_t number);

#endif
