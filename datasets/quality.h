/*
 * Data quality, measured and never repaired in silence. `series_read` counts each kind of flaw
 * with its first places; what a run does with each is a named policy.
 */
#ifndef LIQCASCADE_DATASETS_QUALITY_H
#define LIQCASCADE_DATASETS_QUALITY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum quality_flaw {
    QUALITY_GAP,      /* a bar or more missing between two rows */
    QUALITY_REPEAT,   /* a stamp that was already there */
    QUALITY_DISORDER, /* a row earlier than the one before it */
    QUALITY_ZERO,     /* a price or OI of zero, or an empty cell */
    QUALITY_NAN,      /* not a finite number: always an error in a run */
    QUALITY_NEGATIVE, /* a negative price, OI, volume: always an error in a run */
    QUALITY_OHLC,     /* low above open, close or high; high below open or close */
    QUALITY_STALE,    /* a value frozen for long */
    QUALITY_JUMP,     /* a return far outside the series' own range: reported only */
    QUALITY_FLAW_COUNT
};
const char *quality_flaw_name(enum quality_flaw flaw);

enum quality_action {
    QUALITY_ERROR,       /* stop, with file and line */
    QUALITY_DROP,        /* leave the row out */
    QUALITY_CARRY,       /* the last good value */
    QUALITY_INTERPOLATE, /* linear between the neighbours */
    QUALITY_ACCEPT       /* use it as it stands, counted */
};
const char *quality_action_name(enum quality_action action);

/* One action per flaw. GAP: error, carry, interpolate, accept (bars stay missing and the aligned
   market must not need them). REPEAT: error, drop. DISORDER: error, drop, accept (sorted).
   ZERO: error, drop, carry, interpolate. OHLC: error, carry (high and low widened to hold open and
   close), drop. STALE: error, accept. */
struct quality_policies {
    enum quality_action on[QUALITY_FLAW_COUNT];
    int64_t stale_ms; /* a value frozen this long is stale; 0: by the descriptor */
};
/* gap error, repeat drop, disorder error, zero error, nan error, negative error, ohlc error,
   stale error, jump accept. */
struct quality_policies quality_policies_default(void);

/* A flaw with its place in time, as the report lists it. */
struct quality_finding {
    enum quality_flaw flaw;
    int64_t from_ms, to_ms; /* time range, both ends inclusive */
    int64_t count;          /* rows or missing bars */
    long line;              /* of the first row, in `file` */
    char *file;             /* owned */
    char what[96];          /* column and value: "open = 0", "bid -1%: 8.2M for 14 h" */
};

struct quality_report {
    int64_t rows;
    int64_t first_ms, last_ms;
    int64_t count[QUALITY_FLAW_COUNT];   /* rows (for gaps: missing bars) */
    int64_t applied[QUALITY_FLAW_COUNT]; /* how many of them a policy changed or left out */
    struct quality_finding *findings;    /* owned; at most 1,000 are kept, the counts are exact */
    size_t finding_count, finding_capacity;
};

/* Appends a finding (copied; `file` may be NULL) and counts it; past the limit it only counts. */
int quality_report_add(struct quality_report *self, const struct quality_finding *finding,
                       struct error *err);
void quality_report_free(struct quality_report *self);

#endif
