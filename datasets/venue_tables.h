/*
 * Dated bracket tables of the venues, shipped as `datasets/venues/<venue>.csv`:
 *     symbol,valid_from,bracket,notional_cap_usd,max_leverage,maintenance_margin_rate,cum_usd,source
 * one row per bracket. These are plain numbers: models/brackets.h turns them into a model, and
 * whoever joins the two checks that the published `cum_usd` is the regenerated one.
 */
#ifndef LIQCASCADE_DATASETS_VENUE_TABLES_H
#define LIQCASCADE_DATASETS_VENUE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/series.h"

#define VENUE_TABLE_MAX 32

struct venue_table {
    int64_t valid_from_ms;
    int count;
    double cap_usd[VENUE_TABLE_MAX];
    double max_leverage[VENUE_TABLE_MAX];
    double rate[VENUE_TABLE_MAX];    /* maintenance margin rate, a fraction */
    double cum_usd[VENUE_TABLE_MAX]; /* as published */
    char *source;                    /* owned */
};

struct venue_tables {
    struct venue_table *tables; /* by valid_from_ms, ascending; owned */
    size_t count;
    struct series_input input;
};

/* Tables of a symbol ("BTCUSDT") at a venue ("binance"). ERROR_DATA when there are none (lists the
   symbols that there are) or a row is wrong. On failure `self` needs no free. */
int venue_tables_read(struct venue_tables *self, const char *venue, const char *symbol,
                      struct error *err);
void venue_tables_free(struct venue_tables *self);

/* The table in force at a time: the last with valid_from_ms <= time; the first one before that. */
const struct venue_table *venue_tables_at(const struct venue_tables *self, int64_t time_ms);

#endif
