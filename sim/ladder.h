/*
 * The ladder: which positions are left, and which fires next. It is the mutable state of one run
 * over an immutable book: per margin class a heap of the heads of its runs, each with the watermark
 * of its run. Firing the next position costs O(log runs); opening a bar costs O(runs of the bar).
 * Bars whose holders have all but closed (ledger.h) expire: they never fire, and their heads are
 * swept out when half of a heap may be such, so heaps stay as small as the living book.
 *
 * Rests of positions that were liquidated in part lie in heaps beside those of their class
 * (sim/rests.h), and what auto-deleveraging took is a factor per position.
 *
 * Classes belong to markets: one for all venues, or one per venue where each has a mark price of
 * its own.
 *
 * Keys are s * K (models/margin.h), so the head with the highest key of a class fires first on
 * either side. Funding moves every trigger price of a class by the same amount and no key.
 */
#ifndef LIQCASCADE_SIM_LADDER_H
#define LIQCASCADE_SIM_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sim/book.h"
#include "sim/rests.h"

/* Cumulative funding since the run began, per coin and per inverse contract of 1 USD. */
struct ladder_funding {
    double linear;
    double inverse;
};

/* A bar as the path opened it. */
struct ladder_bar {
    double price;                  /* that entries are relative to */
    struct ladder_funding funding; /* at the opening */
};

struct ladder_head {
    double key;
    uint32_t run;
    uint32_t next; /* index of the position that it stands for: those of the run before are gone */
};

struct ladder_heap {
    struct ladder_head *heads; /* room for every run of the class */
    uint32_t count;
    uint32_t swept; /* heads left by the last sweep */
};

/* The next position of a side in a market. */
struct ladder_next {
    bool any;
    int class_id;
    double trigger_price; /* mark price at which it fires */
    bool rest;            /* the first of the class's rests, not of its runs */
};

/* The classes of one side of one market. */
struct ladder_group {
    int *classes; /* ascending; part of one allocation */
    int class_count;
    struct ladder_next next;
    double rival_price; /* nearest trigger price of the classes but next's; NaN: they are empty */
    bool known;         /* next and rival_price hold */
};

struct ladder {
    const struct book *book;      /* not owned; outlives the ladder */
    bool *retired;                /* per run: its twin has fired; only edge positions use it */
    struct ladder_head *heads;    /* of all heaps, with room to align each */
    struct ladder_heap *heaps;    /* per class */
    struct ladder_bar *bars;      /* per bar, filled by ladder_open */
    size_t first_bar[2];          /* per side: positions opened before it have expired ... */
    uint32_t first_run[2];        /* ... and so have runs before this one */
    size_t opened_bars;           /* bars opened so far */
    size_t gone_before[2][TIERS]; /* per side and tier: positions of earlier bars are gone */
    struct ladder_funding funding;
    int market_count;            /* 1, or one per venue */
    struct ladder_group *groups; /* market * 2 + side index; owned */
    int *group_of;               /* per class: index of its group; owned */
    int *class_lists;            /* what groups list; owned */
    double *class_price;         /* per class: trigger price of its first head or rest ... */
    bool *class_known;           /* ... while true; NaN: the class is empty */
    bool *class_rest;            /* ... and whether that is a rest's */
    struct rests rests;
    /* With deleveraging (else NULL), owned: */
    double *left;       /* per position of the bars opened: what is left; twins: of the first */
    uint32_t *run_next; /* per run of them: its first position not yet fired */
};

/* `split`: every venue is a market of its own; `deleveraging`: positions may lose parts
   (ladder_shrink). ERROR_IO when memory is short; then `self` needs no free. */
int ladder_init(struct ladder *self, const struct book *book, bool split, bool deleveraging,
                struct error *err);
void ladder_free(struct ladder *self);

/* A ladder of its own in the same state; `from` is without deleveraging. Costs about what is left
   on it. ERROR_IO when memory is short; then `self` needs no free. */
int ladder_copy(struct ladder *self, const struct ladder *from, struct error *err);
/* From here on as after ladder_init with these; `self` was made with neither. ERROR_IO. */
int ladder_regroup(struct ladder *self, bool split, bool deleveraging, struct error *err);

/* Exposes the positions of `bar`, opened at `price` with the present funding. Bars are opened in
   order; skipped ones stay closed. */
void ladder_open(struct ladder *self, size_t bar, double price);

/* Positions of a side that opened before `bar` are gone. `bar` never falls. */
void ladder_expire(struct ladder *self, int side_index, size_t bar);

/* Positions of a side that opened before the bar of their tier are gone, too; rests stay. Looks at
   all heads, so it is for once. */
void ladder_prune(struct ladder *self, int side_index, const size_t first_bar[TIERS]);

/* A funding payment: `rate` of the notional at mark price `price`, paid by longs to shorts. */
void ladder_fund(struct ladder *self, double rate, double price);

/* The position of a side (BOOK_LONG, BOOK_SHORT) of a market whose trigger price is nearest to the
   market. */
const struct ladder_next *ladder_peek(struct ladder *self, int market, int side_index);

/* A position and its terms, whether of the book or a rest. */
struct ladder_fired {
    const struct book_class *class;
    double kappa, share, leverage, size_usd; /* as of struct book_position */
    uint32_t bar;                            /* it opened in */
    uint32_t run;                            /* it was entered in first: of twins, the lower */
    uint32_t position; /* index into the book's positions: of twins, of the first */
    uint32_t rest;     /* its number, or RESTS_NONE: of the book */
    int tier;          /* sim/tiers.h: of what it was opened with */
};
/* Takes that position (there must be one) off the ladder, its twin with it. */
struct ladder_fired ladder_fire(struct ladder *self, int market, int side_index);

/* What deleveraging left of a position: 1 unless it took something. */
static inline double ladder_left(const struct ladder *self, const struct ladder_fired *position)
{
    return self->left == NULL || position->rest != RESTS_NONE ? 1.0
                                                              : self->left[position->position];
}
/* Takes a part of a book's position off: its `left` becomes `left` * factor. */
void ladder_shrink(struct ladder *self, uint32_t position, double factor);

/* Takes in what a partial order left; class_id and kappa say where it may fire, keys are filled in.
   ERROR_IO when memory is short. */
int ladder_rest(struct ladder *self, struct rest *rest, int64_t now_ms, uint32_t *out_number,
                struct error *err);
/* Rests that have waited until `now_ms` may fire again. */
int ladder_release(struct ladder *self, int64_t now_ms, struct error *err);
/* A rest as a position, in the class that decides. */
struct ladder_fired ladder_rest_position(const struct ladder *self, uint32_t number);

/* Calls `visit` for every position left on a side, in no particular order. A position with a twin
   is visited once, in the class it was first entered in; rests in the class that decides. */
typedef void ladder_visitor(void *context, const struct ladder_fired *position);
void ladder_visit(const struct ladder *self, int side_index, ladder_visitor *visit, void *context);
/* The same for the positions that `bar`, the last one opened, exposes. */
void ladder_visit_bar(const struct ladder *self, size_t bar, ladder_visitor *visit, void *context);
/* The same for the book's positions of one venue and side, in the order of the book. Needs
   deleveraging. */
void ladder_visit_venue(const struct ladder *self, int venue, int side_index, ladder_visitor *visit,
                        void *context);
/* Whether a book's position, as visited, has fired, expired or lost its run since. Likewise. */
bool ladder_has(const struct ladder *self, const struct ladder_fired *position);

/* Mark price at which a position fires now, funding paid so far included, in quote currency. Where
   no positive price does: 0 (linear) or INFINITY (inverse). */
double ladder_liquidation_price(const struct ladder *self, const struct ladder_fired *position);

/* What a long of a position's formula and age has paid per unit of size since the opening: per
   coin, or per contract of 1 USD. */
double ladder_funding_paid(const struct ladder *self, const struct ladder_fired *position);

/* Entry price over the price that the position's bar was opened at. */
double ladder_relative_entry(const struct ladder *self, const struct ladder_fired *position);
/* Entry and bankruptcy price of a position with the funding it has paid, in quote currency. */
double ladder_entry_price(const struct ladder *self, const struct ladder_fired *position);
double ladder_bankruptcy_price(const struct ladder *self, const struct ladder_fired *position);
/* The latter from the former. */
double ladder_bankruptcy_from(const struct ladder *self, const struct ladder_fired *position,
                              double entry);

#endif
