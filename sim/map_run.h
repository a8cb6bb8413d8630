/*
 * The liquidation map of a scenario at one time, and the heatmap over time: its book walked open
 * loop along its path, whatever `feedback` says, with maps (sim/map.h) taken on the way. Before
 * time.start the open interest is as observed, from it on as oi.level_usd asks. Several replicates
 * give the mean of their coins. The same bytes at any number of threads.
 *
 * A map looks at every position that is left. So do the columns of the heatmap of given positions
 * and with disposition; those of a drawn book without are summed over what a replay counts near the
 * market anyway (sim/nearby.h), in bins of a twentieth of map.bin_log or less (map.bin_log above
 * 0.0005 and map.range_log up to 0.7).
 *
 * All maps share one grid, laid through the mark at the time of the map; each shows the bins that
 * hold prices within map.range_log of its own mark. On a made path replicates have different
 * prices after path.at: the map is then a mixture, and its mark the mean of theirs.
 */
#ifndef LIQCASCADE_SIM_MAP_RUN_H
#define LIQCASCADE_SIM_MAP_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reports/table.h"
#include "sim/map.h"
#include "sim/setup.h"

struct map_request {
    int64_t at_ms; /* CALENDAR_NONE: time.start */
    bool over;     /* the heatmap, too: every map.every from time.start up to time.end */
};

/* A row of heatmap.csv: one side of a bin at a time, over all tiers. */
struct map_heat {
    int64_t time_ms;
    double price_lo, price_hi;
    char *side; /* static text */
    double coins, usd;
};
extern const struct field map_heat_fields[];
extern const size_t map_heat_field_count;

/* A row of near.csv: one side at a time. Shares are of the side's open interest, NaN where there is
   none; distances are shares of the mark, below it negative. */
struct map_near {
    int64_t time_ms;
    char *side; /* static text */
    double mark;
    double oi_coins;
    double outside_share; /* held outside the book: never liquidated */
    double within[MAP_DISTANCES];
    /* The bin with the most coins valued at its middle; NaN where there is none. */
    double largest_lo, largest_hi, largest_distance, largest_coins, largest_usd, largest_share;
};
extern const struct field map_near_fields[];
extern const size_t map_near_field_count;

struct map_tables {
    int64_t at_ms;
    struct map_row *rows; /* at that time; owned, as are the others */
    struct map_heat *heats;
    struct map_near *nears; /* by time; two a time: of the map and of each column of the heatmap */
    size_t row_count, heat_count, near_count;
    size_t near_at;        /* the first of the two of the map */
    double outer_coins[2]; /* at the time of the map, by side: beyond the bins */
};

/* What a map can be asked of a scenario; before anything is read. ERROR_SCENARIO: several levels of
   open interest, a map.every that is not in whole steps; ERROR_USAGE: a time out of the scenario or
   within a step. */
int map_check(const struct scenario *scenario, const struct map_request *request,
              struct error *err);

/* ERROR_SCENARIO: too many bins or times; ERROR_INTERRUPTED, ERROR_NUMERICAL, ERROR_IO. On failure
   `out` needs no free. `request` has passed map_check. */
int map_run(const struct setup *setup, const struct map_request *request, struct map_tables *out,
            struct error *err);
void map_tables_free(struct map_tables *self);

/* The described tables, map first; heatmap only where there is one. Returns how many. They borrow
   the rows. */
#define MAP_TABLES_MAX 3
size_t map_tables_described(const struct map_tables *self, struct table out[MAP_TABLES_MAX]);

#endif
