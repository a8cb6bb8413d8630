/*
 * The journal of a long study: one record for each finished item (a point of a sweep, say), written
 * as it finishes, so that a job that was killed goes on where it stopped. A journal belongs to one
 * scenario, seed and program version, told by an identity; another's is refused.
 *
 *     struct journal_layout layout = {.item_count = points, .payload_count = metrics};
 *     sha256_bytes(text, length, layout.identity);
 *     if (journal_open(&journal, "points.journal", &layout, resume, err) != ERROR_NONE)
 *         return err->code;
 *     for (item = 0; item < points; item++)
 *         if (!journal_has(&journal, item)) {
 *             ... code = journal_append(&journal, item, payload, err);
 *         }
 *     code = journal_close(&journal, err);
 *
 * What is in the file: a header (magic, byte order, format version, layout, checksum), then records
 * of equal size: item number, payload, checksum. Checksums are 64 bits of SHA-256; a record's
 * covers the identity and the record's place as well, so what another journal left on the disk is
 * no record. Numbers are as the machine has them; another byte order is refused.
 *
 * Crash safety: a record counts when all of it is there. At a resume the first one that is torn or
 * damaged ends the journal: it and all behind it are cut off (power loss may keep later blocks and
 * lose earlier ones) and their items are to be done again. Nothing damaged is ever handed out. A
 * journal that is only read must be whole. Records survive the end of the process at once; they
 * survive power loss when synced: after every JOURNAL_SYNC_RECORDS, at the first record more than
 * JOURNAL_SYNC_MS after the last sync, and at the close.
 *
 * One process writes a journal: it holds a lock (flock) that goes with the process however it ends.
 * On file systems without locks nothing guards it. Functions are not safe to call from several
 * threads at once: append inside a critical section.
 */
#ifndef LIQCASCADE_SIM_STUDY_JOURNAL_H
#define LIQCASCADE_SIM_STUDY_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/sha256.h"

#define JOURNAL_SYNC_RECORDS 64
#define JOURNAL_SYNC_MS 5000
#define JOURNAL_ITEMS_MAX (UINT32_MAX - 1)
#define JOURNAL_PAYLOAD_MAX (1 << 20)

struct journal_layout {
    char identity[SHA256_TEXT_SIZE]; /* of everything that the payloads depend on */
    uint64_t item_count;             /* items are 0 ... item_count - 1; <= JOURNAL_ITEMS_MAX */
    uint32_t payload_count;          /* doubles of each item; 1 ... JOURNAL_PAYLOAD_MAX */
};

struct journal {
    struct journal_layout layout;
    uint64_t done;          /* finished items in it */
    uint64_t dropped_bytes; /* cut off by journal_open: torn or damaged */
    char *path;             /* owned; NULL: not open */
    int file;
    bool writable;
    bool broken;          /* the disk may have less than it should: no more appends */
    uint32_t *places;     /* by item: 1 + place of its record, 0: not done; owned */
    unsigned char *block; /* a record with what its checksum covers; owned */
    uint64_t unsynced;    /* records */
    int64_t synced_ms;    /* monotonic clock */
};

/* Creates the journal or, with `resume`, goes on with what is there. ERROR_IO: there is one with
   records and `resume` is false, another process has it, the operating system says no;
   ERROR_SCENARIO: its layout is another; ERROR_DATA: not a journal, or its header is damaged. On
   failure `self` is closed and no record is lost. */
int journal_open(struct journal *self, const char *path, const struct journal_layout *layout,
                 bool resume, struct error *err);

/* Opens a journal for reading only; the layout is the file's. ERROR_DATA as well when anything in
   it is torn or damaged; ERROR_IO when a process is writing it. */
int journal_read(struct journal *self, const char *path, struct error *err);

/* Whether `item` is done; false for one that the layout does not have. */
bool journal_has(const struct journal *self, uint64_t item);

/* Appends a finished item, payload_count doubles. ERROR_IO: a full disk or another failure; what
   was complete stays, the torn record is taken back, and after room was made the same append may
   be tried again (not after a failed sync, after which every append fails). ERROR_NUMERICAL: the
   item is done already or the layout does not have it. */
int journal_append(struct journal *self, uint64_t item, const double *payload, struct error *err);

/* The payload of a done item, bit for bit. ERROR_DATA: not done, or the file changed meanwhile. */
int journal_get(const struct journal *self, uint64_t item, double *out_payload, struct error *err);

/* Writes the journal anew to `out`, its records by item number: the same bytes in whatever order
   items were finished. ERROR_IO, ERROR_DATA: the journal cannot be read; a failure to write is left
   to who closes `out` (ferror). */
int journal_write(const struct journal *self, FILE *out, struct error *err);

/* Makes everything appended survive power loss. ERROR_IO: it may not. */
int journal_sync(struct journal *self, struct error *err);

/* Syncs and closes; ERROR_IO as of journal_sync. `self` is closed in any case; closing a closed one
   does nothing. */
int journal_close(struct journal *self, struct error *err);

#endif
