/*
 * A study in N parts, each computed by a process of its own (base/ranks.h) somewhere on a cluster,
 * and joined afterwards. Below one folder that all of them see:
 *
 *     shard-0003-of-0016.journal     the third shard while it is computed (sim/study/journal.h)
 *     shard-0003-of-0016/            the same finished: points.journal, its items in order, and
 *                                    whatever files the caller adds
 *
 * The folder appears whole or not at all (reports/results.h), after all items of the shard are
 * done; then the journal goes. A process that was killed goes on with --resume, at whatever moment
 * it was killed.
 *
 *     code = shards_begin(&work, "out", &ranks, &layout, resume, err);
 *     if (code == ERROR_NONE && !work.finished) {
 *         ... journal_append(&work.journal, item, payload, err) for items of the rank not yet there
 *         code = shards_commit(&work, write_files, context, err);
 *     }
 *     closed = shards_end(&work, err);
 */
#ifndef LIQCASCADE_SIM_STUDY_SHARDS_H
#define LIQCASCADE_SIM_STUDY_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ranks.h"
#include "reports/results.h"
#include "sim/study/journal.h"

#define SHARDS_JOURNAL "points.journal"
#define SHARDS_NAME_SIZE 32

/* "shard-0003-of-0016" for rank 2 of 16; more digits where they are needed. Returns `out_name`. */
char *shards_name(int rank, int size, char out_name[SHARDS_NAME_SIZE]);

/* ---- one shard ---- */

struct shards_work {
    struct ranks ranks;
    struct journal journal; /* open unless `finished` */
    bool finished;          /* the shard's folder is there: nothing is left to do */
    char *target;           /* the shard's folder; owned */
};

/* Begins a shard below `folder` (made if missing) or, with `resume`, goes on with it. Errors as of
   journal_open; ERROR_IO as well when the shard is finished already and `resume` is false. With
   `resume` a finished shard is ERROR_SCENARIO when its layout is another. */
int shards_begin(struct shards_work *self, const char *folder, const struct ranks *ranks,
                 const struct journal_layout *layout, bool resume, struct error *err);

/* Adds the caller's files to the shard's folder. */
typedef int shards_write(struct results *results, void *context, struct error *err);

/* Writes the shard's folder and removes the journal. `write` may be NULL. ERROR_NUMERICAL: items of
   the shard are not done; ERROR_IO, or what `write` returns: nothing is written and the journal
   stays. */
int shards_commit(struct shards_work *self, shards_write *write, void *context, struct error *err);

/* Closes; a journal that was not committed stays for a resume. ERROR_IO as of journal_close. Safe
   after a failed begin and to call twice. */
int shards_end(struct shards_work *self, struct error *err);

/* ---- all shards ---- */

struct shards {
    struct journal_layout layout;
    int size;         /* N */
    char **folders;   /* by rank; owned */
    double *payloads; /* by item, payload_count each; owned */
};

/* Finds the shards that are, or lie directly in, `folders` (`count` of them), and reads them all;
   memory is that of the payloads. Each of 1 ... N must be there once, of one N and one layout, with
   all of its items and no other. ERROR_DATA names what is missing (and what of it was begun),
   doubled, foreign, incomplete or damaged; ERROR_IO: a folder cannot be read. On failure `self` is
   closed. */
int shards_open(struct shards *self, const char *const *folders, size_t count, struct error *err);

/* The payload of an item. */
const double *shards_payload(const struct shards *self, uint64_t item);

/* Safe after a failed open and to call twice. */
void shards_close(struct shards *self);

#endif
