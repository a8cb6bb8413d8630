/*
 * The ladder: which positions are left, and which fires next. It is the mutable state of one run
 * over an immutable book: per margin class a heap of the heads of its runs, each with the watermark
 * of its run. Firing the next position costs O(log runs); opening a bar costs O(runs of the bar).
 * Bars whose holders have all but closed (ledger.h) expire: they never fire, and their heads are
 * swept out when half of a heap may be such, so heaps stay as small as the living book.
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

/* The next position of a side. */
struct ladder_next {
    bool any;
    int class_id;
    double trigger_price; /* mark price at which it fires */
};

struct ladder {
    const struct book *book;   /* not owned; outlives the ladder */
    bool *retired;             /* per run: its twin has fired; only edge positions use it */
    struct ladder_head *heads; /* of all heaps, with room to align each */
    struct ladder_heap *heaps; /* per class */
    struct ladder_bar *bars;   /* per bar, filled by ladder_open */
    size_t first_bar[2];       /* per side: positions opened before it have expired ... */
    uint32_t first_run[2];     /* ... and so have runs before this one */
    struct ladder_funding funding;
    int *side_classes[2]; /* classes of each side, ascending; the second within the first */
    int side_class_count[2];
    double *class_price; /* per class: trigger price of its first head ... */
    bool *class_known;   /* ... while true; NaN: the class is empty */
    struct ladder_next next[2];
    double
        rival_price[2]; /* nearest trigger price of the classes but next's; NaN: they are empty */
    bool next_known[2];
};

/* ERROR_IO when memory is short; then `self` needs no free. */
int ladder_init(struct ladder *self, const struct book *book, struct error *err);
void ladder_free(struct ladder *self);

/* Exposes the positions of `bar`, opened at `price` with the present funding. Bars are opened in
   order; skipped ones stay closed. */
void ladder_open(struct ladder *self, size_t bar, double price);

/* Positions of a side that opened before `bar` are gone. `bar` never falls. */
void ladder_expire(struct ladder *self, int side_index, size_t bar);

/* A funding payment: `rate` of the notional at mark price `price`, paid by longs to shorts. */
void ladder_fund(struct ladder *self, double rate, double price);

/* The position of a side (BOOK_LONG, BOOK_SHORT) whose trigger price is nearest to the market. */
const struct ladder_next *ladder_peek(struct ladder *self, int side_index);

struct ladder_fired {
    const struct book_position *position;
    const struct book_class *class;
    uint32_t bar; /* it opened in */
    uint32_t run; /* it was entered in first: of twins, the lower */
};
/* Takes that position (there must be one) off the ladder, its twin with it. */
struct ladder_fired ladder_fire(struct ladder *self, int side_index);

/* Calls `visit` for every position left on a side, in no particular order. A position
   with a twin is visited once, in the class it was first entered in. */
typedef void ladder_visitor(void *context, const struct ladder_fired *position);
void ladder_visit(const struct ladder *self, int side_index, ladder_visitor *visit, void *context);
/* The same for the positions that `bar`, the last one opened, exposes. */
void ladder_visit_bar(const struct ladder *self, size_t bar, ladder_visitor *visit, void *context);

/* Mark price at which a position fires now, funding paid so far included, in quote currency. Where
   no positive price does: 0 (linear) or INFINITY (inverse). */
double ladder_liquidation_price(const struct ladder *self, const struct ladder_fired *position);

/* Entry and bankruptcy price of a position with the funding it has paid, in quote currency. */
double ladder_entry_price(const struct ladder *self, const struct ladder_fired *position);
double ladder_bankruptcy_price(const struct ladder *self, const struct ladder_fired *position);
/* The latter from the former. */
double ladder_bankruptcy_from(const struct ladder *self, const struct ladder_fired *position,
                              double entry);

#endif
