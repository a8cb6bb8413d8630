/*
 * Positions from a file: an on-chain snapshot or a broker's book. CSV with a header (plain or
 * compressed), columns by name in any order:
 *     venue,side,entry_price,size_coins  and one of  leverage | margin | liquidation_price
 * side is long or short; margin is in quote currency; extra columns are ignored.
 *
 * Two further columns, `account` (a name) and `wallet_usd`, are for cross margin: all rows of an
 * account lie on one venue and share its wallet, whose balance stands on one of them or, the same,
 * on several. Such rows have none of the three columns above.
 */
#ifndef LIQCASCADE_DATASETS_POSITIONS_H
#define LIQCASCADE_DATASETS_POSITIONS_H

#include <stddef.h>

#include "base/error.h"
#include "datasets/series.h"

struct position_row {
    long line; /* of the file, from 1 */
    int venue; /* index into `venues` below */
    int side;  /* +1 long, -1 short */
    double entry_price;
    double size_coins;        /* > 0 */
    double leverage;          /* NaN when not given */
    double margin;            /* quote currency; NaN when not given */
    double liquidation_price; /* NaN when not given */
    int account;              /* index into `accounts` below; -1: isolated */
};

struct positions_account {
    char *name;        /* owned */
    long line;         /* of its first row */
    int venue;         /* as of its rows */
    double wallet_usd; /* > 0 */
};

struct positions {
    struct position_row *rows; /* owned */
    size_t count;
    char **venues; /* distinct names in order of appearance; owned */
    size_t venue_count;
    struct positions_account *accounts; /* in order of appearance; owned */
    size_t account_count;
    struct series_input input; /* for the manifest */
};

/* ERROR_IO or ERROR_DATA (file, line, column). On failure `self` needs no free. */
int positions_read(struct positions *self, const char *path, struct error *err);
/* Coins of all rows: long, short. */
void positions_coins(const struct positions *self, double out[2]);
void positions_free(struct positions *self);

#endif
