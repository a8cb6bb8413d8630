/*
 * CSV reading rate as a ratio to libcsv with empty callbacks over the same bytes, in one process
 * and interleaved, so that the figure does not depend on the machine or its load. The bytes are
 * Binance-like one-minute klines of a random walk; what is read is time and five numbers a row,
 * stored in arrays, as a series does.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <csv.h>
#include <zstd.h>

#include "base/random.h"
#include "base/text.h"
#include "datasets/csv.h"

#define ROWS 400000
#define ROUNDS 7
#define COLUMNS 6

struct sums {
    double *column[COLUMNS];
    size_t rows;
};

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void append_row(struct text_buffer *text, uint32_t bar, double *price,
                       const struct random_stream *stream)
{
    struct random_block draw = random_block_at(stream, bar, 0);
    double open = *price;
    double close = open * exp(5e-4 * random_normal(random_uniform(draw.word[0])));
    double high = fmax(open, close) * (1 + 2e-4 * random_uniform(draw.word[1]));
    double low = fmin(open, close) * (1 - 2e-4 * random_uniform(draw.word[2]));
    double volume = 100 * random_uniform(draw.word[3]);
    long long start = 1759276800000LL + 60000LL * bar;
    text_appendf(text, "%lld,%.2f,%.2f,%.2f,%.2f,%.3f,%lld,%.5f,%u,%.3f,%.5f,0\n", start, open,
                 high, low, close, volume, start + 59999, volume * close, draw.word[1] % 9000,
                 volume / 2, volume * close / 2);
    *price = close;
}

static struct text_buffer make_klines(void)
{
    struct text_buffer text = {0};
    struct random_stream stream = random_stream_make(1, 0, "bench.csv");
    double price = 114000;
    text_append(&text, "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
                       "taker_buy_volume,taker_buy_quote_volume,ignore\n");
    for (uint32_t bar = 0; bar < ROWS; bar++)
        append_row(&text, bar, &price, &stream);
    return text;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_csv: %s\n", what);
    exit(1);
}

static void empty_field(void *bytes, size_t length, void *context)
{
    (void)bytes, (void)length, (void)context;
}

static void empty_row(int terminator, void *context)
{
    (void)terminator, (void)context;
}

/* libcsv alone over the blocks of a stream. */
static double time_empty(const void *bytes, size_t length)
{
    struct error err = {0};
    struct stream in;
    struct csv_parser parser;
    const char *block;
    size_t got;
    double start = now_s();
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    if (stream_open_memory(&in, "bench", bytes, length, &err) != ERROR_NONE)
        die(err.message);
    while (stream_read(&in, &block, &got, &err) == ERROR_NONE && got > 0)
        if (csv_parse(&parser, block, got, empty_field, empty_row, NULL) != got)
            die("libcsv refused the text");
    csv_fini(&parser, empty_field, empty_row, NULL);
    csv_free(&parser);
    stream_close(&in);
    return now_s() - start;
}

static int store_row(void *context, const struct csv_row *row, struct error *err)
{
    struct sums *sums = context;
    (void)err;
    for (size_t i = 0; i < COLUMNS; i++)
        sums->column[i][sums->rows] = row->number[i];
    sums->rows++;
    return ERROR_NONE;
}

static double time_read(const void *bytes, size_t length, struct sums *sums)
{
    static const struct csv_column COLUMN[COLUMNS] = {
        {.name = "open_time", .kind = CSV_NUMBER, .required = true},
        {.name = "open", .kind = CSV_NUMBER, .required = true},
        {.name = "high", .kind = CSV_NUMBER, .required = true},
        {.name = "low", .kind = CSV_NUMBER, .required = true},
        {.name = "close", .kind = CSV_NUMBER, .required = true},
        {.name = "volume", .kind = CSV_NUMBER, .required = true}};
    struct csv_reader reader = {.columns = COLUMN,
                                .column_count = COLUMNS,
                                .header = CSV_HEADER_YES,
                                .row = store_row,
                                .context = sums};
    struct error err = {0};
    struct stream in;
    sums->rows = 0;
    double start = now_s();
    if (stream_open_memory(&in, "bench", bytes, length, &err) != ERROR_NONE ||
        csv_read_stream(&in, "bench", &reader, &err) != ERROR_NONE)
        die(err.message);
    stream_close(&in);
    double took = now_s() - start;
    if (sums->rows != ROWS)
        die("rows were lost");
    return took;
}

static void compare(const char *label, const void *bytes, size_t length, size_t text_length,
                    struct sums *sums)
{
    double empty = INFINITY, read = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        empty = fmin(empty, time_empty(bytes, length));
        read = fmin(read, time_read(bytes, length, sums));
    }
    double megabytes = 1e-6 * (double)text_length;
    printf("csv %-7s read / empty callbacks %.3f   (%.0f and %.0f MB/s of text)\n", label,
           empty / read, megabytes / read, megabytes / empty);
}

int main(void)
{
    struct text_buffer text = make_klines();
    struct sums sums = {0};
    size_t bound = ZSTD_compressBound(text.length);
    void *packed = malloc(bound);
    for (size_t i = 0; i < COLUMNS; i++)
        sums.column[i] = calloc(ROWS, sizeof(double));
    if (text.failed || !packed || !sums.column[COLUMNS - 1])
        die("out of memory");
    size_t packed_length = ZSTD_compress(packed, bound, text.data, text.length, 3);
    if (ZSTD_isError(packed_length))
        die("zstd refused the text");
    compare("plain", text.data, text.length, text.length, &sums);
    compare("zstd", packed, packed_length, text.length, &sums);
    for (size_t i = 0; i < COLUMNS; i++)
        free(sums.column[i]);
    free(packed);
    text_buffer_free(&text);
    return 0;
}
