/*
 * How a source lays out its files, described by data: `datasets/descriptors/<name>.yaml` says
 * which columns hold which fields, in what unit, and how time is written. A new source is a new
 * file there and no code. `generic` is a descriptor that the user spells out in a source_spec.
 *
 *     name: binance_klines
 *     doc: one sentence
 *     url: where the publisher describes it
 *     shape: bars          # bars | stamps | events | bands
 *     header: sniff        # yes | no | sniff
 *     widths: [12]         # without a header: how many columns such a file may have
 *     time: {names: [open_time], index: 1, as: unix}
 *     columns:
 *       - {field: open, names: [open], index: 2}      # also unit, optional
 *     contract_usd: 100    # for columns in contracts
 *     events: {side: {...}, long: SELL, short: BUY, quantity: {..., unit: contracts}}
 *     filters: {symbol: BTCUSD_PERP}
 *     first_row: {high: 0} # sniffed only when the first data row says so
 *     sniff: yes           # no: must be named
 *     stale: {rows: 24, for: 1h}   # or none
 *     gap_factor: 1.5      # a spacing above this many steps is a gap
 *
 * Columns go by the first of `names` that the header has, and by `index` where there is none. A
 * field may have several columns in different units; the one in the unit asked for is taken.
 */
#ifndef LIQCASCADE_DATASETS_DESCRIPTOR_H
#define LIQCASCADE_DATASETS_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/csv.h"
#include "datasets/series.h"
#include "datasets/source.h"

enum descriptor_header { DESCRIPTOR_HEADER_NO, DESCRIPTOR_HEADER_YES, DESCRIPTOR_HEADER_SNIFF };

enum descriptor_shape {
    DESCRIPTOR_BARS,   /* one row per bar, stamped with its start */
    DESCRIPTOR_STAMPS, /* one row per moment */
    DESCRIPTOR_EVENTS, /* a row each time something happens; stamps repeat */
    DESCRIPTOR_BANDS   /* several rows per moment, told apart by the field `band` */
};

enum descriptor_clock {
    DESCRIPTOR_UNIX, /* seconds, ms, us or ns since 1970, told by magnitude */
    DESCRIPTOR_UNIX_S,
    DESCRIPTOR_UNIX_MS,
    DESCRIPTOR_UNIX_US,
    DESCRIPTOR_AUTO, /* DESCRIPTOR_UNIX where it is a number, else ISO 8601 */
    DESCRIPTOR_ISO,
    DESCRIPTOR_FORMAT /* base/calendar.h's strptime-like format */
};

struct descriptor_column {
    char **names; /* owned */
    size_t name_count;
    int index; /* 1-based; 0: only by name */
    enum series_field field;
    enum source_unit unit;
    bool optional;
};

struct descriptor {
    char *name, *doc, *url;
    enum descriptor_shape shape;
    enum descriptor_header header;
    enum descriptor_clock clock;
    char *time_format; /* DESCRIPTOR_FORMAT */
    struct descriptor_column time;
    struct descriptor_column *columns;
    size_t column_count;
    int *widths;
    size_t width_count;
    double contract_usd;
    bool has_events;
    struct descriptor_column side, quantity; /* with has_events */
    char *long_word, *short_word;
    struct source_filter *filters;
    size_t filter_count;
    struct source_filter *first_row;
    size_t first_row_count;
    bool sniffed;
    int64_t stale_ms; /* 0: never stale */
    int stale_rows;
    double gap_factor;
};

/* Reads `datasets/descriptors/<name>.yaml`. ERROR_DATA for an unknown name (lists what there is) or
   a wrong file. On failure `self` needs no free. */
int descriptor_load(struct descriptor *self, const char *name, struct error *err);
/* From YAML text; `file` stands for the path in messages. */
int descriptor_parse(struct descriptor *self, const char *file, const char *text, size_t length,
                     struct error *err);
/* The descriptor that a `generic` spec spells out. ERROR_DATA when it lacks time or columns. */
int descriptor_from_spec(struct descriptor *self, const struct source_spec *spec,
                         struct error *err);
void descriptor_free(struct descriptor *self);

/* Finds the one descriptor that fits the first rows of a file and has what the spec's role needs,
   and loads it. ERROR_DATA listing the candidates when none or several fit. */
int descriptor_sniff(struct descriptor *self, const struct source_spec *spec, const char *path,
                     struct error *err);

#define DESCRIPTOR_MAX_SLOTS 40
#define DESCRIPTOR_NONE (-1)

/* A descriptor bound to one file: what its CSV reader is asked for, and where each thing is. */
struct descriptor_layout {
    enum csv_header header;
    struct csv_column columns[DESCRIPTOR_MAX_SLOTS]; /* names borrowed from descriptor and spec */
    size_t column_count;
    int time; /* slots, DESCRIPTOR_NONE: not there */
    int field[SERIES_FIELD_COUNT];
    double scale[SERIES_FIELD_COUNT]; /* value in the file times this is the field */
    int side; /* of events: which of LIQ_LONG and LIQ_SHORT, both read from the quantity, it is */
    int filter[SOURCE_MAX_FILTERS];
    const char *filter_value[SOURCE_MAX_FILTERS];
    size_t filter_count;
    enum source_unit oi_unit, liq_unit; /* after scaling: COINS or USD */
    enum descriptor_clock clock;
    const char *time_format;
    int64_t zone_offset_ms;
};

/* Binds to a file by its first row. ERROR_DATA: neither header nor data, a column is missing, or
   the fields that the spec's role needs are not there. */
int descriptor_bind(const struct descriptor *self, const struct source_spec *spec, const char *file,
                    const struct csv_text *first, size_t count, struct descriptor_layout *out,
                    struct error *err);

/* Time of a row in UTC. ERROR_DATA with its place. */
int descriptor_time(const struct descriptor_layout *layout, const struct csv_row *row,
                    int64_t *out_ms, struct error *err);

/* True when the fields of a role are among those of the layout. */
bool descriptor_layout_serves(const struct descriptor_layout *layout, enum market_input role);

#endif
