/*
 * The ladder: which positions are left, and which fires next. It is the mutable state of one run
 * over an immutable book: a watermark per run of positions, and per margin class a heap of the heads
 * of its runs. Firing the next position costs O(log runs); opening a bar costs O(runs of the bar).
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
};

struct ladder_heap {
    struct ladder_head *heads; /* room for every run of the class */
    uint32_t count;
};

/* The next position of a side. */
struct ladder_next {
    bool any;
    int class_id;
    double trigger_price; /* mark price at which it fires */
};

struct ladder {
    const struct book *book; /* not owned; outlives the ladder */
    uint32_t *fired;         /* positions fired, per run */
    struct ladder_head *heads;
    struct ladder_heap *heaps;  /* per class */
    struct ladder_bar *bars;    /* per bar, filled by ladder_open */
    size_t open_bars;           /* bars opened so far */
    struct ladder_funding funding;
    struct ladder_next next[2];
    bool next_known[2];
};

/* ERROR_IO when memory is short; then `self` needs no free. */
int ladder_init(struct ladder *self, const struct book *book, struct error *err);
void ladder_free(struct ladder *self);

/* Exposes the positions of `bar`, opened at `price` with the present funding. Bars are opened in
   order; skipped ones stay closed. */
void ladder_open(struct ladder *self, size_t bar, double price);

/* A funding payment: `rate` of the notional at mark price `price`, paid by longs to shorts. */
void ladder_fund(struct ladder *self, double rate, double price);

/* The position of a side (BOOK_LONG, BOOK_SHORT) whose trigger price is nearest to the market. */
const struct ladder_next *ladder_peek(struct ladder *self, int side_index);

struct ladder_fired {
    const struct book_position *position;
    const struct book_class *class;
    uint32_t bar; /* it opened in */
};
/* Takes that position (there must be one) off the ladder, its twin with it. */
struct ladder_fired ladder_fire(struct ladder *self, int side_index);

/* Calls `visit` for every position of a side whose trigger price is at or beyond `limit` as seen
   from the market (longs: >= limit, shorts: <= limit), in no particular order, without firing. Twins
   are visited once, by the class that fires first. */
typedef void ladder_visitor(void *context, const struct ladder_fired *position,
                            double trigger_price);
void ladder_visit(struct ladder *self, int side_index, double limit, ladder_visitor *visit,
                  void *context);

/* Entry and bankruptcy price of a position with the funding it has paid, in quote currency. */
double ladder_entry_price(const struct ladder *self, const struct ladder_fired *position);
double ladder_bankruptcy_price(const struct ladder *self, const struct ladder_fired *position);

#endif
