/*
 * Short forms for the rows of the schema's tables; used by scenarios/schema_tables.c alone. `place`
 * is the offset of the value; text, low and high are default and bounds; `from` is the source of
 * the default.
 */
#ifndef LIQCASCADE_SCENARIOS_SCHEMA_ROWS_H
#define LIQCASCADE_SCENARIOS_SCHEMA_ROWS_H

#include <math.h>
#include <stddef.h>

#include "scenarios/schema.h"

#define ROW_ANY_HIGH INFINITY

#define ROW_FIELD(key, kind_of, of_unit, place, text, from, doc)                          \
    .name = key, .type = kind_of, .unit = of_unit, .documentation = doc, .offset = place, \
    .default_text = text, .source = from

#define ROW_NUMBER(key, of_unit, place, text, low, high, from, doc)        \
    {                                                                      \
        .field = {                                                         \
            ROW_FIELD(key, FIELD_DOUBLE, of_unit, place, text, from, doc), \
            .minimum = low,                                                \
            .maximum = high                                                \
        }                                                                  \
    }
#define ROW_COUNT(key, of_unit, place, text, low, high, from, doc)        \
    {                                                                     \
        .field = {                                                        \
            ROW_FIELD(key, FIELD_INT64, of_unit, place, text, from, doc), \
            .minimum = low,                                               \
            .maximum = high                                               \
        }                                                                 \
    }
#define ROW_CHOICE(key, place, text, words, doc)                                                \
    {                                                                                           \
        .field = { ROW_FIELD(key, FIELD_CHOICE, "", place, text, NULL, doc), .choices = words } \
    }
#define ROW_TEXT(key, place, text, doc)                                     \
    {                                                                       \
        .field = { ROW_FIELD(key, FIELD_TEXT, "", place, text, NULL, doc) } \
    }
#define ROW_TIME(key, place, text, doc)                                           \
    {                                                                             \
        .field = { ROW_FIELD(key, FIELD_TIME_MS, "utc", place, text, NULL, doc) } \
    }
#define ROW_DURATION(key, place, text, low, high, from, doc)               \
    {                                                                      \
        .field = {                                                         \
            ROW_FIELD(key, FIELD_DURATION_MS, "", place, text, from, doc), \
            .minimum = low,                                                \
            .maximum = high                                                \
        }                                                                  \
    }
#define ROW_SPECIAL(key, kind_of, place, text, doc)                                        \
    {                                                                                      \
        .field = {ROW_FIELD(key, FIELD_TEXT, "", place, text, NULL, doc)}, .kind = kind_of \
    }

#endif
