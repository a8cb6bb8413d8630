/*
 * What the `data` commands share: the options that say how to read files, and the source_spec
 * made of them.
 */
#ifndef LIQCASCADE_SIM_CLI_DATA_SOURCE_H
#define LIQCASCADE_SIM_CLI_DATA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/source.h"
#include "sim/cli/cli.h"

struct data_options {
    const char *format, *zone, *time_column, *time_format;
    int role, unit, header; /* -1: not given */
    double contract_usd;
    struct cli_texts where, columns;
    int64_t from_ms, to_ms;
    const char *output;
    bool force, all;
};

struct data_options data_options_default(void);
void data_options_free(struct data_options *self);

/* Rows of struct data_options for a cli_command: how to read. */
extern const char *const data_roles[];
extern const char *const data_units[];
extern const char *const data_headers[];
#define DATA_OPTION(name, short_name, argument, help, type, member, words)                   \
    {                                                                                        \
        name, short_name, argument, help, type, offsetof(struct data_options, member), words \
    }
#define DATA_SOURCE_OPTIONS                                                                       \
    DATA_OPTION("format", 0, "NAME", "source descriptor, or generic (told from the content)",     \
                CLI_TEXT, format, NULL),                                                          \
        DATA_OPTION("role", 0, "ROLE", "what the data are for", CLI_CHOICE, role, data_roles),    \
        DATA_OPTION("zone", 0, "+HH:MM", "of local time text (UTC)", CLI_TEXT, zone, NULL),       \
        DATA_OPTION("unit", 0, "UNIT", "of amounts or rates (the format's)", CLI_CHOICE, unit,    \
                    data_units),                                                                  \
        DATA_OPTION("contract-usd", 0, "USD", "size of a contract", CLI_NUMBER, contract_usd,     \
                    NULL),                                                                        \
        DATA_OPTION("where", 0, "COLUMN=VALUE", "keep only such rows", CLI_TEXTS, where, NULL),   \
        DATA_OPTION("from", 0, "TIME", "first time to read", CLI_TIME, from_ms, NULL),            \
        DATA_OPTION("to", 0, "TIME", "end of the times to read", CLI_TIME, to_ms, NULL),          \
        DATA_OPTION("time", 0, "COLUMN", "generic: name or number of the time column", CLI_TEXT,  \
                    time_column, NULL),                                                           \
        DATA_OPTION("time-as", 0, "FORMAT",                                                       \
                    "generic: unix_s, unix_ms, unix_us, iso or such as \"%Y-%m-%d\"", CLI_TEXT,   \
                    time_format, NULL),                                                           \
        DATA_OPTION("column", 0, "FIELD=COLUMN", "generic: where a field is", CLI_TEXTS, columns, \
                    NULL),                                                                        \
        DATA_OPTION("header", 0, "YES|NO",                                                        \
                    "generic: whether there is one (told from the content)", CLI_CHOICE, header,  \
                    data_headers)

/* Fills a spec for one PATH: a file, a glob, a folder, or builtin:NAME. ERROR_USAGE. On failure
   nothing is left to free. */
int data_source_make(struct source_spec *out, const struct data_options *options, const char *path,
                     struct error *err);

#endif
