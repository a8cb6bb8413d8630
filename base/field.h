/*
 * One descriptor, many uses. A parameter or a result is described once, by a row of a const
 * table; the row drives parsing, validation, the printed schema, the manifest and CSV headers.
 */
#ifndef LIQCASCADE_BASE_FIELD_H
#define LIQCASCADE_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_DOUBLE,     /* double; NaN: missing */
    FIELD_INT64,      /* int64_t */
    FIELD_UINT64,     /* uint64_t */
    FIELD_BOOL,       /* bool */
    FIELD_TEXT,       /* char *, owned by the described struct; NULL: missing */
    FIELD_CHOICE,     /* int: index into `choices` */
    FIELD_TIME_MS,    /* int64_t, base/calendar.h; CALENDAR_NONE: missing; ISO 8601 in text */
    FIELD_DURATION_MS /* int64_t milliseconds; `8h` in text; CALENDAR_NONE: missing or `none` */
};

struct field {
    const char *name; /* column name, or dotted scenario key */
    enum field_type type;
    const char *unit;          /* usd, coins, log, share, per_hour, ms, ...; "" for a pure number */
    const char *documentation; /* one sentence, no full stop */
    size_t offset;             /* of the value in the struct that the table describes */
    /* The rest is for parameters; results leave it zero. */
    const char *default_text;   /* as one would write it; NULL: required; "null": may be missing */
    double minimum, maximum;    /* inclusive bounds of a number; both 0: no bounds */
    const char *const *choices; /* FIELD_CHOICE: names, ending in NULL */
    const char *source;         /* of the default: a citation, or FIELD_OWN_PRIOR, or NULL */
};

#define FIELD_OWN_PRIOR "own prior"

/* `double` and so on, for schemas and messages: "number", "integer", "time", "duration", ... */
const char *field_type_name(enum field_type type);

/* The value of `field` in `record` as text, as CSV and scenario files write it (%.17g shortened,
   ISO times, choice names); an empty text when missing. FIELD_TEXT longer than the buffer is cut;
   use the pointer itself for text. Returns the length written. */
size_t field_format(const struct field *field, const void *record, char *buffer, size_t size);

#endif
