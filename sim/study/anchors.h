/*
 * The table that a reconstruction is made from: published figures, one per row, each with the time
 * it belongs to, its unit, its scope and its source. CSV with the header
 *
 *     time,field,value,unit,scope,source
 *
 * The rows, by field (unit):
 *
 * - price (usd): the last price at that instant; a bar opens there
 * - price_low, price_high (usd): the lowest (highest) price of its UTC day, reached in the
 *   minute that starts then and in no other
 * - mark_low, mark_high (usd): the same of the mark price
 * - volatility (log_per_sqrt_day): of the price between the figures, from that instant on
 * - oi (coins): open interest at that instant; all rows have one scope
 * - funding (fraction_per_8h): a rate near that instant; payments are at 00, 08 and 16 h
 * - volume (coins_per_day): level of volume near that instant
 * - seed, tick (usd), oi_step (coins): without a time, each exactly once: default seed, price tick,
 *   rounding of open interest
 *
 * Times are whole minutes. Every row names its source. The prices from the first to the last
 * `price` row are the range of the reconstruction; open interest, funding and volume may lie
 * outside of it.
 */
#ifndef LIQCASCADE_SIM_STUDY_ANCHORS_H
#define LIQCASCADE_SIM_STUDY_ANCHORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"

enum anchor_field {
    ANCHOR_PRICE,
    ANCHOR_PRICE_LOW,
    ANCHOR_PRICE_HIGH,
    ANCHOR_MARK_LOW,
    ANCHOR_MARK_HIGH,
    ANCHOR_VOLATILITY,
    ANCHOR_OI,
    ANCHOR_FUNDING,
    ANCHOR_VOLUME,
    ANCHOR_SEED,
    ANCHOR_TICK,
    ANCHOR_OI_STEP,
    ANCHOR_FIELD_COUNT
};
const char *anchor_field_name(enum anchor_field field);

struct anchor {
    int64_t time_ms; /* CALENDAR_NONE for seed, tick and oi_step */
    double value;
    long line; /* in the file */
};

/* The rows of one field, by time, ascending. */
struct anchor_list {
    struct anchor *items; /* owned */
    size_t count, capacity;
};

struct anchors {
    char *path; /* as given; owned */
    char sha256[SHA256_TEXT_SIZE];
    struct anchor_list list[ANCHOR_FIELD_COUNT];
    uint64_t seed;
    double tick;    /* usd: a power of ten, at most 1 */
    int decimals;   /* of a price in text: 1 for a tick of 0.1 */
    double oi_step; /* coins: a power of ten, at most 1 */
    int oi_decimals;
    char *oi_scope;           /* owned */
    int64_t start_ms, end_ms; /* first and last price row */
};

/* Reads and checks a table. ERROR_IO or ERROR_DATA with file, line and column: an unknown field, a
   wrong unit, a missing source, two figures of one field at one time, a price that is no multiple
   of the tick or outside the extremes of its day. On failure `self` needs no free. */
int anchors_read(struct anchors *self, const char *path, struct error *err);
void anchors_free(struct anchors *self);

/* A value between the rows of a list: linear in time, constant before the first row and after the
   last. The list must not be empty. */
double anchor_list_linear(const struct anchor_list *list, int64_t time_ms);
/* The value in force: of the last row at or before the time, of the first row before that. */
double anchor_list_step(const struct anchor_list *list, int64_t time_ms);
/* The row of a UTC day, or NULL. */
const struct anchor *anchor_list_of_day(const struct anchor_list *list, int64_t day);

/* Days since 1970-01-01 of a time. */
int64_t anchor_day(int64_t time_ms);

#endif
