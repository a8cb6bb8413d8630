/* Rows arrive whole, numbers exact, and every broken row is named by file, line and column. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "datasets/csv.h"

#define ROWS 32
#define COLUMNS 3

/* What a reader of the columns `name`, `size`, `note` was given. */
struct seen {
    size_t rows;
    double size[ROWS];
    char name[ROWS][32], note[ROWS][32];
    long line[ROWS];
    bool size_empty[ROWS], note_empty[ROWS];
    size_t stop_after; /* 0: never */
};

static void copy(struct csv_text text, char out[32])
{
    snprintf(out, 32, "%.*s", (int)text.length, text.data ? text.data : "");
}

static int see_row(void *context, const struct csv_row *row, struct error *err)
{
    struct seen *seen = context;
    size_t i = seen->rows++;
    assert_true(i < ROWS);
    copy(row->text[0], seen->name[i]);
    copy(row->text[2], seen->note[i]);
    seen->size[i] = row->number[1];
    seen->size_empty[i] = row->empty[1];
    seen->note_empty[i] = row->empty[2];
    seen->line[i] = row->line;
    if (strcmp(seen->name[i], "bad") == 0)
        return csv_row_error(row, 1, err, "expected a good one");
    return seen->rows == seen->stop_after ? CSV_STOP : ERROR_NONE;
}

static int read_bytes(const char *text, size_t length, enum csv_header header, struct seen *seen,
                      struct error *err)
{
    static const struct csv_column BY_NAME[COLUMNS] = {
        {.name = "name", .kind = CSV_TEXT, .required = true},
        {.name = "size", .kind = CSV_NUMBER, .required = true},
        {.name = "note", .kind = CSV_TEXT}};
    static const struct csv_column BY_INDEX[COLUMNS] = {
        {.name = "name", .index = 1, .kind = CSV_TEXT, .required = true},
        {.name = "size", .index = 2, .kind = CSV_NUMBER, .required = true},
        {.name = "note", .index = 3, .kind = CSV_TEXT}};
    struct csv_reader reader = {.columns = header == CSV_HEADER_YES ? BY_NAME : BY_INDEX,
                                .column_count = COLUMNS,
                                .header = header,
                                .row = see_row,
                                .context = seen};
    struct stream in;
    int code = stream_open_memory(&in, "t.csv", text, length, err);
    if (code != ERROR_NONE)
        return code;
    code = csv_read_stream(&in, "t.csv", &reader, err);
    stream_close(&in);
    return code;
}

static void read_good(const char *text, enum csv_header header, struct seen *seen)
{
    struct error err = {0};
    *seen = (struct seen){.rows = 0};
    int code = read_bytes(text, strlen(text), header, seen, &err);
    if (code != ERROR_NONE)
        print_message("%ld:%ld %s\n", err.line, err.column, err.message);
    assert_int_equal(code, ERROR_NONE);
}

static void assert_refused_bytes(const char *text, size_t length, enum csv_header header, long line,
                                 long column, const char *word)
{
    struct error err = {0};
    struct seen seen = {0};
    char message[1024];
    assert_int_equal(read_bytes(text, length, header, &seen, &err), ERROR_DATA);
    error_format(&err, message, sizeof message);
    print_message("  %s\n", message);
    assert_string_equal(err.file, "t.csv");
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    assert_non_null(strstr(err.message, word));
}

static void assert_refused(const char *text, long line, long column, const char *word)
{
    assert_refused_bytes(text, strlen(text), CSV_HEADER_YES, line, column, word);
}

static void columns_go_by_header_in_any_order(void **state)
{
    struct seen seen;
    read_good("extra,size,name\nx,1.5,a\ny,2,b\n", CSV_HEADER_YES, &seen);
    assert_int_equal(seen.rows, 2);
    assert_string_equal(seen.name[0], "a");
    assert_true(seen.size[0] == 1.5 && seen.size[1] == 2);
    assert_true(seen.note_empty[0]); /* the file has no such column */
}

static void columns_go_by_index_without_header(void **state)
{
    struct seen seen;
    read_good("a,1,first\nb,2,second\n", CSV_HEADER_NO, &seen);
    assert_int_equal(seen.rows, 2);
    assert_string_equal(seen.name[0], "a");
    assert_string_equal(seen.note[1], "second");
    assert_int_equal(seen.line[0], 1);
}

/* LF, CRLF and CR; a last line without an end; blank lines; quotes with line ends inside. */
static void lines_are_counted_as_an_editor_does(void **state)
{
    struct seen seen;
    read_good("name,size\r\na,1\r\n\r\nb,2\r\nc,3", CSV_HEADER_YES, &seen);
    assert_int_equal(seen.rows, 3);
    assert_int_equal(seen.line[0], 2);
    assert_int_equal(seen.line[1], 4);
    assert_int_equal(seen.line[2], 5);
    read_good("name,size\ra,1\rb,2\r", CSV_HEADER_YES, &seen);
    assert_int_equal(seen.rows, 2);
    assert_int_equal(seen.line[1], 3);
    read_good("name,size\n\"a\nb\",1\nc,2\n", CSV_HEADER_YES, &seen);
    assert_int_equal(seen.rows, 2);
    assert_string_equal(seen.name[0], "a\nb");
    assert_int_equal(seen.line[0], 2);
    assert_int_equal(seen.line[1], 4);
}

static void quotes_hold_commas_and_quotes(void **state)
{
    struct seen seen;
    read_good("name,size,note\n\"a,b\",\"1.25\",\"say \"\"x\"\"\"\n", CSV_HEADER_YES, &seen);
    assert_string_equal(seen.name[0], "a,b");
    assert_true(seen.size[0] == 1.25);
    assert_string_equal(seen.note[0], "say \"x\"");
}

static void empty_cells_and_nan_are_told_apart(void **state)
{
    struct seen seen;
    read_good("name,size,note\na,,\nb,nan,x\nc,NA,y\nd,5\ne,inf,z\n", CSV_HEADER_YES, &seen);
    assert_true(isnan(seen.size[0]) && seen.size_empty[0] && seen.note_empty[0]);
    assert_true(isnan(seen.size[1]) && !seen.size_empty[1] && !seen.note_empty[1]);
    assert_true(isnan(seen.size[2]) && !seen.size_empty[2]);
    assert_true(seen.size[3] == 5 && seen.note_empty[3]); /* an optional column may be missing */
    assert_true(isnan(seen.size[4]));
    assert_false(seen.note_empty[4]);
}

static void a_callback_can_stop_or_refuse(void **state)
{
    struct seen seen = {.stop_after = 1};
    struct error err = {0};
    const char *text = "name,size\na,1\nb,2\n";
    assert_int_equal(read_bytes(text, strlen(text), CSV_HEADER_YES, &seen, &err), ERROR_NONE);
    assert_int_equal(seen.rows, 1);
    assert_refused("name,size\na,1\nbad,7\nc,3\n", 3, 2, "expected a good one");
}

static void broken_rows_are_named_by_line_and_column(void **state)
{
    assert_refused("name,size\na,1\nb,2x\n", 3, 2, "\"2x\" is not a number");
    assert_refused("name,size\na,1\nb,0x10\n", 3, 2, "not a number");
    assert_refused("name,size\na,1\nb,1_000\n", 3, 2, "not a number");
    assert_refused("name,size\na,1\nb\n", 3, 0, "the row has 1 column; expected at least 2");
    assert_refused("", 0, 0, "empty");
    assert_refused("\n\n\n", 0, 0, "empty");
    assert_refused("name,volume\na,1\n", 1, 0, "name, volume");
    assert_refused("name,size,size\na,1,1\n", 1, 3, "twice");
}

/* By default libcsv lets an open quote swallow the rest of the file. */
static void an_open_quote_is_named_where_it_begins(void **state)
{
    struct text_buffer text = {0};
    assert_refused("name,size\na,1\n\"b,2\nc,3\nd,4\n", 3, 1, "never closed");
    assert_refused("name,size\na,1\nb,\"2\nc,3\n", 3, 2, "never closed");
    assert_refused("name,size\na,1\nb,\"2\nc,\"3\nd,4\n", 3, 2, "not closed before line 4");
    assert_refused("name,size\na,1\nb\"c,2\n", 3, 1, "stray quote");
    text_append(&text, "name,size\na,\"1\n");
    for (int i = 0; i < 100000; i++)
        text_append(&text, "b,2\n");
    assert_refused(text.data, 2, 2, "never closed");
    text_buffer_free(&text);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    static const char NUL[] = "name,size\na,1\nb\0,2\n";
    struct text_buffer text = {0};
    assert_refused_bytes(NUL, sizeof NUL - 1, CSV_HEADER_YES, 3, 0, "NUL");
    text_append(&text, "name,size\na,1\n");
    for (int i = 0; i < 70000; i++)
        text_append(&text, "9");
    assert_refused(text.data, 3, 1, "65,536");
    text_buffer_free(&text);
}

struct numbers {
    const double *expected;
    size_t count;
};

static int compare_number(void *context, const struct csv_row *row, struct error *err)
{
    struct numbers *numbers = context;
    if (row->number[0] != numbers->expected[numbers->count])
        print_message("line %ld: %.17g, strtod says %.17g\n", row->line, row->number[0],
                      numbers->expected[numbers->count]);
    assert_true(row->number[0] == numbers->expected[numbers->count]);
    numbers->count++;
    return ERROR_NONE;
}

/* A decimal with `digits` digits, of which `decimals` are behind the point. */
static void append_decimal(struct text_buffer *text, const struct random_stream *stream, uint32_t i)
{
    struct random_block draw = random_block_at(stream, i, 0);
    uint64_t mantissa = ((uint64_t)draw.word[0] << 32 | draw.word[1]) >> (draw.word[2] % 60);
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)mantissa);
    int point = (int)(draw.word[3] % (uint32_t)(length + 1));
    if (point == 0 || point == length)
        text_appendf(text, "%s\n", digits);
    else
        text_appendf(text, "%.*s.%s\n", point, digits, digits + point);
}

/* The short path must give what strtod gives, whatever the number of digits. */
static void numbers_are_those_of_strtod(void **state)
{
    enum { COUNT = 200000 };
    static const struct csv_column COLUMN[] = {
        {.name = "x", .index = 1, .kind = CSV_NUMBER, .required = true}};
    struct text_buffer text = {0};
    struct random_stream stream = random_stream_make(7, 0, "test.csv");
    double *expected = malloc(COUNT * sizeof *expected);
    assert_non_null(expected);
    for (uint32_t i = 0; i < COUNT; i++) {
        size_t start = text.length;
        append_decimal(&text, &stream, i);
        expected[i] = strtod(text.data + start, NULL);
    }
    struct numbers numbers = {.expected = expected};
    struct csv_reader reader = {.columns = COLUMN,
                                .column_count = 1,
                                .header = CSV_HEADER_NO,
                                .row = compare_number,
                                .context = &numbers};
    struct stream in;
    struct error err = {0};
    assert_int_equal(stream_open_memory(&in, "n.csv", text.data, text.length, &err), ERROR_NONE);
    assert_int_equal(csv_read_stream(&in, "n.csv", &reader, &err), ERROR_NONE);
    assert_int_equal(numbers.count, COUNT);
    stream_close(&in);
    free(expected);
    text_buffer_free(&text);
}

/* libcsv asks for less when it gets no memory, so not every failed allocation is an error. */
static void memory_can_fail_anywhere(void **state)
{
    const char *text = "name,size,note\na,1,x\nb,2,y\n";
    int failures = 0;
    for (long countdown = 1; countdown < 60; countdown++) {
        struct seen seen = {0};
        struct error err = {0};
        memory_fail_after(countdown);
        int code = read_bytes(text, strlen(text), CSV_HEADER_YES, &seen, &err);
        memory_fail_after(0);
        failures += code != ERROR_NONE;
        if (code != ERROR_NONE)
            assert_int_equal(code, ERROR_IO);
        else
            assert_int_equal(seen.rows, 2);
    }
    print_message("  %d allocations failed cleanly\n", failures);
    assert_in_range(failures, 10, 58);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_go_by_header_in_any_order),
        cmocka_unit_test(columns_go_by_index_without_header),
        cmocka_unit_test(lines_are_counted_as_an_editor_does),
        cmocka_unit_test(quotes_hold_commas_and_quotes),
        cmocka_unit_test(empty_cells_and_nan_are_told_apart),
        cmocka_unit_test(a_callback_can_stop_or_refuse),
        cmocka_unit_test(broken_rows_are_named_by_line_and_column),
        cmocka_unit_test(an_open_quote_is_named_where_it_begins),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(numbers_are_those_of_strtod),
        cmocka_unit_test(memory_can_fail_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
