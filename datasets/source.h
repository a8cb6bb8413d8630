/*
 * What a user says about one input: where it is and how to read it. A `struct source_spec` is
 * filled from a scenario (`data.price: {path: ..., format: ...}`) or by the `data` commands, and
 * read by series_read (datasets/series.h).
 */
#ifndef LIQCASCADE_DATASETS_SOURCE_H
#define LIQCASCADE_DATASETS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fields that a row of market history may carry; a series holds the ones its source has. */
enum series_field {
    SERIES_OPEN,
    SERIES_HIGH,
    SERIES_LOW,
    SERIES_CLOSE,        /* price in quote currency */
    SERIES_VOLUME,       /* coins */
    SERIES_QUOTE_VOLUME, /* quote currency */
    SERIES_OI_OPEN,
    SERIES_OI_HIGH,
    SERIES_OI_LOW,
    SERIES_OI,   /* open interest; OI is the close */
    SERIES_RATE, /* funding, fraction of notional */
    SERIES_LIQ_LONG,
    SERIES_LIQ_SHORT, /* liquidated */
    SERIES_BAND,
    SERIES_DEPTH,
    SERIES_NOTIONAL, /* book depth: band in percent */
    SERIES_FIELD_COUNT
};

/* Names as scenarios and descriptors write them: "open", ..., "volume", "quote_volume", "oi_open",
   "oi_high", "oi_low", "oi" (also "oi_close"), "rate", "liq_long", "liq_short", "band", "depth",
   "notional". -1 when unknown. */
int series_field_find(const char *name);
const char *series_field_name(enum series_field field);

/* What an input is for: the scenario's data keys. */
enum market_input {
    MARKET_PRICE,
    MARKET_MARK,
    MARKET_VOLUME,
    MARKET_FUNDING,
    MARKET_OI,
    MARKET_LIQUIDATIONS,
    MARKET_DEPTH, /* of the order book near the price */
    MARKET_INDEX, /* index price */
    MARKET_INPUT_COUNT
};
/* "price", "mark", "volume_coins", "funding", "oi", "liquidations". */
const char *market_input_name(enum market_input input);

enum source_unit {
    SOURCE_UNIT_NATIVE, /* as the descriptor says */
    SOURCE_UNIT_COINS,
    SOURCE_UNIT_USD,
    SOURCE_UNIT_CONTRACTS, /* `contract_usd` each */
    SOURCE_UNIT_FRACTION,
    SOURCE_UNIT_PERCENT
};

/* How one column of a `generic` file is named: by header name or by 1-based index. */
struct source_column {
    enum series_field field;
    char *name; /* owned; NULL: by index */
    int index;  /* 1-based; 0: by name */
};

/* Rows are kept only where the column holds the value: `coin = BTC` in a file of many coins. */
struct source_filter {
    char *column; /* header name, or digits for a 1-based index; owned */
    char *value;  /* owned */
};
#define SOURCE_MAX_FILTERS 8

struct source_spec {
    bool present;
    enum market_input role; /* what columns must be there, and which file of a shipped series;
                               MARKET_INPUT_COUNT: any */
    char *builtin;          /* name of a shipped series ("btc-2025-autumn"), or NULL; owned */
    char *path;             /* file, glob or folder, made absolute or relative to the working
                               directory by the caller; NULL with builtin; owned */
    char *format; /* descriptor name ("binance_klines", "generic", "canonical"); NULL: sniff */
    enum source_unit unit;
    double contract_usd; /* SOURCE_UNIT_CONTRACTS; 0: as the descriptor says */
    char *scope;         /* of OI: "binance", "all_without_cme", ...; owned or NULL */
    int64_t interval_ms; /* funding: nominal interval; 0: from the data */
    /* generic only */
    int header;                    /* -1 sniff, 0 no, 1 yes */
    char *time_column;             /* header name, or digits for a 1-based index; owned */
    char *time_format;             /* unix_s | unix_ms | unix_us | iso | a strptime format; owned */
    int64_t zone_offset_ms;        /* local minus UTC; +06:00 is 21,600,000 */
    struct source_column *columns; /* owned */
    size_t column_count;
    /* any format */
    struct source_filter *filters; /* owned */
    size_t filter_count;
    /* Where it was said, for messages: "data.price", scenario file, line, column. */
    char *said_file; /* owned or NULL */
    char *said_key;  /* owned or NULL */
    long said_line, said_column;
};

void source_spec_free(struct source_spec *self);

#endif
