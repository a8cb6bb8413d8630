/*
 * The schema of scenario files: every key described once, by a row of a const table. The rows
 * drive reading, defaults, bounds, suggestions, `scenario schema` and the resolved scenario.
 *
 * A row is a `struct field` (base/field.h) whose name is a dotted key and whose offset lies in the
 * struct that its table describes: struct scenario for `schema_scenario`, and the struct of one
 * source, venue or tier for the tables of what a key holds inside. Minima of SCHEMA_ABOVE_ZERO
 * mean "greater than zero"; an infinite maximum means none. An empty name among `choices` keeps the
 * index of an enum whose word is not offered for that key. `choices` of a duration are the words
 * that stand for CALENDAR_NONE.
 */
#ifndef LIQCASCADE_SCENARIOS_SCHEMA_H
#define LIQCASCADE_SCENARIOS_SCHEMA_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/field.h"

#define SCHEMA_ABOVE_ZERO DBL_MIN

enum schema_kind {
    SCHEMA_VALUE,   /* a scalar of `field.type` */
    SCHEMA_PATH,    /* FIELD_TEXT: a path, joined with the folder of the file that says it */
    SCHEMA_BUILTIN, /* FIELD_TEXT: `builtin:NAME`, of which NAME is kept */
    SCHEMA_ZONE,    /* int64_t milliseconds: an offset from UTC such as +06:00 */
    SCHEMA_PAIR,    /* double[2]: a list of two rising numbers */
    SCHEMA_EVENTS,  /* FIELD_TEXT: builtin:events as it is, else a path as of SCHEMA_PATH */
    /* What follows uses only name, documentation, default_text, source and offset of `field`. */
    SCHEMA_COLUMNS,   /* source_spec.columns: a mapping of series field to column name or index */
    SCHEMA_FILTERS,   /* source_spec.filters: a mapping of column to the value it must hold */
    SCHEMA_SOURCE,    /* struct source_spec: a mapping of schema_source, or null */
    SCHEMA_VENUES,    /* scenario.venues: a list of schema_venue */
    SCHEMA_LEVELS,    /* scenario.oi.levels_usd: a list of numbers, with their bounds */
    SCHEMA_TIERS,     /* scenario.book.leverage.tier_*: a list of schema_tier */
    SCHEMA_POINTS,    /* scenario.path.point_*: a list of schema_point */
    SCHEMA_OUTPUT,    /* scenario.output: a list of the names in schema_output */
    SCHEMA_AXES,      /* scenario.sweep.axes: a mapping of key to values or range */
    SCHEMA_SETTINGS,  /* scenario.sweep.list: a list of mappings of key to value */
    SCHEMA_COMPARE,   /* scenario.sweep.compare: a mapping of axis to value, `first`, or null */
    SCHEMA_PRIORS,    /* scenario.uncertainty.parameters: a mapping of key to prior */
    SCHEMA_QUANTILES, /* scenario.bands.quantiles: a list of rising numbers, with their bounds */
    SCHEMA_BASELINES, /* scenario.baselines: a list of the names in schema_baselines */
    SCHEMA_CONDITION, /* struct condition: METRIC >= NUMBER, or null */
    SCHEMA_METRICS,   /* scenario.sensitivity.metrics: a list of numbers of the summary, by name */
    SCHEMA_HORIZONS,  /* scenario.signals.horizons_ms: a list of rising durations, with bounds */
    SCHEMA_NAMES,     /* scenario.events.names: a list of names of events */
    SCHEMA_BOUNDS,    /* scenario.calibrate.parameters: a mapping of key to [low, high] */
    SCHEMA_ASSETS,    /* scenario.backtest.assets: a mapping of name to scenario file */
    SCHEMA_SPLITS,    /* scenario.backtest.splits: a list of schema_split */
    SCHEMA_PART,      /* struct scenario_part: a list of names of assets */
    SCHEMA_EXTENDS    /* handled while files are merged; not in the struct */
};

struct schema_row {
    struct field field;
    enum schema_kind kind;
    unsigned roles; /* schema_source: bit 1 << enum market_input per input that takes it; 0: all */
    bool generic;   /* schema_source: only with `format: generic` */
};

struct schema_table {
    const struct schema_row *rows;
    size_t count;
};

/* One item of book.leverage.tiers. */
struct schema_tier_item {
    double leverage, weight;
};

/* One item of path.points. */
struct schema_point_item {
    int64_t at_ms;
    double price;
};

extern const struct schema_table schema_scenario; /* struct scenario */
extern const struct schema_table schema_source;   /* struct source_spec */
extern const struct schema_table schema_venue;    /* struct scenario_venue */
extern const struct schema_table schema_tier;     /* struct schema_tier_item */
extern const struct schema_table schema_point;    /* struct schema_point_item */
extern const struct schema_table schema_split;    /* struct scenario_split */
extern const struct schema_table schema_output;   /* struct scenario; names are words of `output` */
extern const struct schema_table schema_baselines; /* the same, of `baselines` */

/* Whether a source of this role (enum market_input) takes the row. */
bool schema_takes(const struct schema_row *row, int role);

/* The row of a dotted key for a role, or NULL. Tables other than schema_source ignore the role. */
const struct schema_row *schema_find(const struct schema_table *table, const char *key, int role);

/* True when `key` holds other keys: some row is named `key.<more>`. */
bool schema_is_group(const struct schema_table *table, const char *key);

/* The names directly below `group` ("" for the top), each once, into `names` (at most `limit`).
   They point into `storage`, which the call fills. Returns how many. */
#define SCHEMA_NAMES_MAX 64
struct schema_names {
    char storage[SCHEMA_NAMES_MAX][48];
    const char *names[SCHEMA_NAMES_MAX];
    size_t count;
};
void schema_children(const struct schema_table *table, const char *group, int role,
                     struct schema_names *out);

/* The one key anywhere in the table whose last part is `word`; NULL when none or several. */
const char *schema_find_last_part(const struct schema_table *table, const char *word);

/* What a value of the row looks like: "a number from 0 to 1", "one of walk, final", "a duration
   such as 20m or none". Returns `buffer`. */
#define SCHEMA_EXPECTED_SIZE 192
const char *schema_expected(const struct schema_row *row, char buffer[SCHEMA_EXPECTED_SIZE]);

/* The bounds alone: "from 0 to 1", "above 0", "at least 1s"; an empty text without bounds. */
const char *schema_bounds(const struct field *field, char buffer[SCHEMA_EXPECTED_SIZE]);

/* The type as users read it: "number", "duration", "list of venues", ... */
const char *schema_type_name(const struct schema_row *row);

/* True when `null` is a value of the row. */
bool schema_nullable(const struct schema_row *row);

#endif
