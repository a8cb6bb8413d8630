/*
 * The liquidation map: where open interest would be liquidated, by price, side and leverage tier.
 * It is taken of a replay where it stands: what is alive of every position at the price at which it
 * fires there, funding paid so far included, in bins equally wide in log price. Legs of
 * cross-margined accounts count on their own side at the trigger of their side, or at the other
 * one where they have but that (a hedge fires as a whole).
 *
 * What fires beyond the bins, or at no price, is kept in one bin at each end; what is held outside
 * the book (sim/ledger.h) fires at no price and in no bin. So a side's bins and what is held
 * outside are its open interest.
 *
 * Coins are those that the engine counts, of inverse contracts, too.
 */
#ifndef LIQCASCADE_SIM_MAP_H
#define LIQCASCADE_SIM_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/field.h"
#include "sim/replay.h"

/* Bins equally wide in log price: bin k, of first .. first + count - 1, holds the prices from
   anchor * exp(k * bin_log) up to anchor * exp((k + 1) * bin_log). */
struct map_grid {
    double anchor, bin_log; /* both above 0 */
    int first, count;
};
#define MAP_BINS_MAX 1000000

/* The bins that hold every price within `range_log` of the marks from `low` to `high`.
   ERROR_SCENARIO where they would be more than MAP_BINS_MAX. */
int map_grid_make(struct map_grid *self, double anchor, double bin_log, double low, double high,
                  double range_log, struct error *err);
/* Place of a price: 0: below the bins; 1 .. count: in bin first + place - 1; count + 1: above. */
size_t map_grid_place(const struct map_grid *self, double price);
/* Ends of a place: 0 below the bins, INFINITY above them. */
double map_grid_low(const struct map_grid *self, size_t place);
double map_grid_high(const struct map_grid *self, size_t place);
/* The price at which coins of a place are valued: the middle in log price; of the two ends their
   edge. */
double map_grid_price(const struct map_grid *self, size_t place);

/* Distances from the mark, as shares of it: 1, 2, 5 and 10 %. */
#define MAP_DISTANCES 4
extern const double map_distances[MAP_DISTANCES];

struct map {
    struct map_grid grid;
    bool by_tier; /* else tiers are one */
    double mark;
    double *coins;                   /* side, tier, place; owned */
    double oi[2];                    /* coins per side, with those held outside the book */
    double outside[2];               /* of them held outside the book */
    double within[2][MAP_DISTANCES]; /* coins that fire no farther from the mark than this */
};

/* Empty. ERROR_IO when memory is short; then `self` needs no free. */
int map_init(struct map *self, const struct map_grid *grid, bool by_tier, struct error *err);
void map_free(struct map *self);
/* What `replay` holds now, seen from the mark price `mark`, in place of what was there. Looks at
   every position. */
void map_take(struct map *self, const struct replay *replay, double mark);
/* The same of a replay that counts what is near the market (sim/nearby.h), at no look at any
   position: a map whose tiers are one, of a drawn book. A narrow bin of nearby's that an edge or a
   distance cuts counts in proportion. What is not in the bins lies beyond their far end. */
void map_take_counted(struct map *self, const struct replay *replay, double mark);
/* Whether a replay counts all that lies as far as this from the mark: of a drawn book without
   disposition, from start_bar on. */
bool map_counted(const struct replay *replay, double range_log);
/* Adds `weight` times another map of the same grid and tiers, marks included. */
void map_add(struct map *self, const struct map *other, double weight);

/* Leaves the bins that hold prices within `range_log` of its mark, and the rest in those at the
 * ends.
 */
void map_narrow(struct map *self, double range_log);

/* Coins of a side (BOOK_LONG, BOOK_SHORT) and tier (0 where they are one) in a place, and of a side
   over all tiers. */
double map_coins(const struct map *self, int side_index, int tier, size_t place);
double map_side_coins(const struct map *self, int side_index, size_t place);

/* Names of tiers as in sim/tiers.h: 2-3, 100+. */
extern const char *const map_tier_names[TIERS];

/* A row of map.csv. */
struct map_row {
    double price_lo, price_hi; /* NaN: no end */
    char *side, *tier;         /* static texts */
    double coins, usd, cumulative_usd;
};
extern const struct field map_row_fields[];
extern const size_t map_row_field_count;

/* Of a map by tier: every side, tier and place that holds anything, from the market outwards: longs
   from the highest price down, then shorts from the lowest up. The caller frees `out_rows` with
   memory_free. ERROR_IO when memory is short. */
int map_rows(const struct map *self, struct map_row **out_rows, size_t *out_count,
             struct error *err);

#endif
