/*
 * Dated bracket tables of the venues, shipped as `datasets/venues/<venue>.csv`, one row per
 * bracket:
 *     symbol,valid_from,unit,scheme,bracket,cap,max_leverage,maintenance_margin_rate,cum,source
 * `unit` is what `cap` and `cum` count: usd, or coins for contracts margined in the coin and for
 * tiers of contracts of a fixed number of coins. `scheme` says how the venue applies a rate:
 * marginal, each slice at its own, or whole, all of the position at its bracket's (then cum is 0).
 * A last bracket with an empty `cap` has none. These are plain numbers: models/brackets.h turns
 * them into a model, and whoever joins the two checks that the published `cum` is the regenerated
 * one. A market is named by its linear contract, BTCUSDT; files of coin-margined contracts name
 * theirs BTCUSD, which such a market finds where there is no BTCUSDT.
 */
#ifndef LIQCASCADE_DATASETS_VENUE_TABLES_H
#define LIQCASCADE_DATASETS_VENUE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/series.h"

#define VENUE_TABLE_MAX 32

struct venue_table {
    int64_t valid_from_ms;
    bool in_coins; /* cap and cum are coins; else USD */
    bool whole;    /* all of a position at its bracket's rate; else marginal */
    int count;
    double cap[VENUE_TABLE_MAX]; /* the last one may be INFINITY */
    double max_leverage[VENUE_TABLE_MAX];
    double rate[VENUE_TABLE_MAX]; /* maintenance margin rate, a fraction */
    double cum[VENUE_TABLE_MAX];  /* as published */
    char *source;                 /* owned */
};

struct venue_tables {
    struct venue_table *tables; /* by valid_from_ms, ascending; owned */
    size_t count;
    char symbol[32]; /* as the file names it */
    struct series_input input;
};

/* Tables of a symbol ("BTCUSDT") at a venue ("binance"), or of the coin's other contract (see
   above). ERROR_DATA when there are none (lists the symbols that there are) or a row is wrong. On
   failure `self` needs no free. */
int venue_tables_read(struct venue_tables *self, const char *venue, const char *symbol,
                      struct error *err);
void venue_tables_free(struct venue_tables *self);

/* The table in force at a time: the last with valid_from_ms <= time; the first one before that. */
const struct venue_table *venue_tables_at(const struct venue_tables *self, int64_t time_ms);

#endif
