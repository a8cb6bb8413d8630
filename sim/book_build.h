/*
 * How a book is made, whatever its positions come from: drafts of positions are sorted, written to
 * their slots and grouped into runs chunk by chunk (in parallel), then chunks are joined in order.
 * Internal to sim/book*.c.
 */
#ifndef LIQCASCADE_SIM_BOOK_BUILD_H
#define LIQCASCADE_SIM_BOOK_BUILD_H

#include "sim/book.h"

enum { BOOK_TABLES_MAX = 16 };

/* The float above 1. At 1x a long (an inverse short) has kappa 0, which forgets its entry price. */
#define BOOK_LEVERAGE_LEAST 0x1.000002p0f

/* Where the classes of a venue's table begin; [side][bracket] follow. */
struct book_class_map {
    int first[BOOK_VENUES_MAX][BOOK_TABLES_MAX];
};

/* One entry before it is sorted into its class. */
struct book_draft {
    struct book_position position;
    uint32_t class_id;
    uint32_t edge_class; /* of its twin, or BOOK_NO_TWIN */
    double edge_kappa;
};

/* What one chunk of bars makes beside the fixed slots of its positions. */
struct book_chunk {
    struct book_run *runs;
    size_t run_count, run_capacity;
    struct book_position *twins;
    size_t twin_count, twin_capacity;
    uint32_t *bar_runs; /* runs of each bar of the chunk */
    bool failed;
};

/* Allocates the slots and makes the classes. After a failure book_free is due. */
int book_begin(struct book *self, const struct book_venue *venues, size_t venue_count, size_t bars,
               size_t position_count, struct book_class_map *map, struct error *err);

int book_class_index(const struct book_class_map *map, int venue, int table, int side, int bracket,
                     int bracket_count);
/* The table of a venue in force at a time. */
int book_table_at(const struct book_venue *venue, int64_t time_ms);
/* The bracket that decides a position's liquidation (margin_bracket), and kappa of an entry at 1 in
   it. */
struct book_bracket {
    int bracket;
    double kappa;
};
/* Both, and what book_edge_bracket says of them. */
int book_brackets_of(const struct margin_formula *formula, const struct brackets *table, int side,
                     double notional, double leverage, struct book_bracket *out);
/* The neighbouring bracket that funding might carry a position into, or -1. */
int book_edge_bracket(const struct margin_formula *formula, const struct brackets *table,
                      int bracket, int side, double notional, double inverse_leverage);

/* By class, the first to be liquidated first; edge positions last. Stable. `spare` holds `count`.
 */
void book_drafts_sort(const struct book *book, struct book_draft *drafts, struct book_draft *spare,
                      size_t count);
/* Writes sorted drafts to the slots from `slot` on and groups them into runs of `bar`. False when
   memory is short. */
bool book_chunk_group(struct book_chunk *chunk, struct book *book, const struct book_draft *drafts,
                      size_t count, size_t slot, uint32_t bar);
void book_chunk_free(struct book_chunk *chunk);
/* Makes the chunks, each of `chunk_bars` bars, one book. */
int book_join(struct book *self, const struct book_chunk *chunks, size_t count, size_t chunk_bars,
              struct error *err);

#endif
