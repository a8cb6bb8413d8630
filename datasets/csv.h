/*
 * Rows of a CSV file (plain or compressed, see datasets/stream.h), read by streaming: libcsv in
 * strict mode, with what it lacks: line numbers, column names, exact fast numbers, and clear
 * errors for a NUL byte, an unterminated quote, a short row. The caller says which columns it
 * wants, in the order it wants them, and gets one call per row:
 *
 *     static const struct csv_column columns[] = {
 *         {.name = "side", .kind = CSV_TEXT, .required = true},
 *         {.name = "size_coins", .kind = CSV_NUMBER, .required = true},
 *         {.name = "note", .kind = CSV_TEXT},
 *     };
 *     static int on_row(void *context, const struct csv_row *row, struct error *err)
 *     {
 *         if (!(row->number[1] > 0))
 *             return csv_row_error(row, 1, err, "expected a size above 0");
 *         ...
 *     }
 *     struct csv_reader reader = {.columns = columns, .column_count = 3, .header = CSV_HEADER_YES,
 *                                 .row = on_row, .context = &mine};
 *     code = csv_read(path, &reader, err);
 *
 * Blank lines are skipped and spaces around a field trimmed. LF, CRLF and CR end a line.
 */
#ifndef LIQCASCADE_DATASETS_CSV_H
#define LIQCASCADE_DATASETS_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datasets/stream.h"

#define CSV_MAX_COLUMNS 1024
#define CSV_MAX_FIELD 65536 /* bytes; a longer field is a broken file */

/* Bytes of a field; not terminated, valid during the call that hands them over. */
struct csv_text {
    const char *data;
    size_t length;
};
bool csv_text_is(struct csv_text text, const char *expected);
/* A terminated copy, freed with memory_free; NULL when memory is short. */
char *csv_text_copy(struct csv_text text);

enum csv_kind {
    CSV_NUMBER, /* read as a double; an empty cell is NaN with `empty` set; `nan`, `inf`, NA and
                   `null` are NaN without it; anything else that is no number is an error */
    CSV_TEXT    /* handed over as bytes */
};

struct csv_column {
    const char *name; /* header name, or what messages call it where there is no header */
    int index;        /* 1-based; 0: by name */
    enum csv_kind kind;
    bool required; /* by name: the header must have it; every row must reach that far */
};

/* Values stand in the order of the reader's columns. A column that the file or the row does not
   have is NaN or a text of length 0 with data NULL, with `empty` set. */
struct csv_row {
    const char *file;
    long line;     /* 1-based, where the row begins */
    size_t fields; /* that the row has in the file */
    const double *number;
    const struct csv_text *text;
    const bool *empty;
    bool any_empty;
    const struct csv_column *columns;
    const int *position; /* 1-based place of each column in the file; 0: not there */
};

enum csv_header { CSV_HEADER_NO, CSV_HEADER_YES };

struct csv_reader {
    const struct csv_column *columns; /* not owned */
    size_t column_count;
    enum csv_header header;
    /* One call per data row. A return other than ERROR_NONE, or CSV_STOP, ends the reading. */
    int (*row)(void *context, const struct csv_row *row, struct error *err);
    /* Optional: sees the first row before anything else and may set columns and header. */
    int (*first)(struct csv_reader *self, const struct csv_text *fields, size_t count,
                 struct error *err);
    void *context;
};

/* Returned by a callback: enough was read; csv_read returns ERROR_NONE. */
#define CSV_STOP (-1)

/* Reads a file to its end. ERROR_IO or ERROR_DATA with file, line, column and column name. A file
   without a single row, header included, is ERROR_DATA. */
int csv_read(const char *path, struct csv_reader *reader, struct error *err);
/* The same from an open stream; `name` is the file in messages. */
int csv_read_stream(struct stream *in, const char *name, struct csv_reader *reader,
                    struct error *err);

/* Fills `err` with the place of a value of the row, and returns ERROR_DATA. */
int csv_row_error(const struct csv_row *row, size_t column, struct error *err, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

#endif
