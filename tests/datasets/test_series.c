/* Series from small files with one flaw each, and from real data where it is present. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "datasets/series.h"
#include "tests/datasets/scratch.h"

#define START INT64_C(1760054400000) /* 2025-10-10T00:00:00Z */
#define HEADER "timestamp_ms,open,high,low,close,volume\n"

static int64_t at(const char *iso)
{
    int64_t time_ms;
    assert_true(calendar_parse_iso(iso, strlen(iso), &time_ms));
    return time_ms;
}

static struct source_spec spec_of(enum market_input role, const char *path, const char *format)
{
    return (struct source_spec){.present = true,
                                .role = role,
                                .path = (char *)(uintptr_t)path,
                                .format = (char *)(uintptr_t)format,
                                .header = -1};
}

/* Reads prices with the default policies but one. */
static int read_with(struct series *series, const char *path, int flaw, enum quality_action action,
                     struct error *err)
{
    struct source_spec spec = spec_of(MARKET_PRICE, path, NULL);
    struct quality_policies policies = quality_policies_default();
    if (flaw >= 0)
        policies.on[flaw] = action;
    return series_read(series, &spec, CALENDAR_NONE, CALENDAR_NONE, &policies, err);
}

static void read_good(struct series *series, const struct source_spec *spec)
{
    struct error err = {0};
    int code = series_read(series, spec, CALENDAR_NONE, CALENDAR_NONE, NULL, &err);
    char message[1024];
    error_format(&err, message, sizeof message);
    if (code != ERROR_NONE)
        print_message("%s\n", message);
    assert_int_equal(code, ERROR_NONE);
}

static void measure(struct series *series, const char *path)
{
    struct source_spec spec = spec_of(MARKET_PRICE, path, NULL);
    read_good(series, &spec);
}

static void assert_refused_by(const char *path, int flaw, enum quality_action action, long line,
                              long column, const char *word)
{
    struct series series;
    struct error err = {0};
    char message[1024];
    assert_int_equal(read_with(&series, path, flaw, action, &err), ERROR_DATA);
    error_format(&err, message, sizeof message);
    print_message("  %s\n", message);
    assert_string_equal(err.file, path);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    assert_non_null(strstr(message, word));
}

static void assert_refused(const char *path, long line, long column, const char *word)
{
    assert_refused_by(path, -1, QUALITY_ERROR, line, column, word);
}

/* Minute bars from START: `count` of them at 100 + i, flat range of 1. */
static void append_bars(struct text_buffer *text, int from, int count)
{
    for (int i = from; i < from + count; i++)
        text_appendf(text, "%lld,%d,%d,%d,%d,1\n", (long long)(START + i * CALENDAR_MINUTE_MS),
                     100 + i, 101 + i, 99 + i, 100 + i);
}

static const char *write_bars(const char *name, int first, const char *odd_row, int from, int rest)
{
    struct text_buffer text = {0};
    text_append(&text, HEADER);
    append_bars(&text, 0, first);
    text_append(&text, odd_row);
    append_bars(&text, from, rest);
    const char *path = scratch_text(name, text.data);
    text_buffer_free(&text);
    return path;
}

/* --- reading --- */

static void a_clean_file_is_read_as_it_stands(void **state)
{
    struct series series;
    measure(&series, write_bars("clean.csv", 5, "", 5, 0));
    assert_int_equal(series.rows, 5);
    assert_int_equal(series.step_ms, CALENDAR_MINUTE_MS);
    assert_int_equal(series.time_ms[0], START);
    assert_true(series.column[SERIES_CLOSE][4] == 104 && series.column[SERIES_HIGH][4] == 105);
    assert_true(series.column[SERIES_VOLUME][0] == 1);
    assert_null(series.column[SERIES_RATE]);
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++)
        assert_int_equal(series.quality.count[flaw], 0);
    assert_int_equal(series.input_count, 1);
    assert_int_equal(series.inputs[0].rows, 5);
    assert_int_equal(strlen(series.inputs[0].sha256), 64);
    assert_string_equal(series.format, "ohlcv_ms");
    series_free(&series);
}

/* The same rows with and without header, in ms and in us, with CRLF and a byte-order mark. */
static void klines_read_alike_in_all_their_forms(void **state)
{
    static const char *const FORMS[] = {
        "1760054400000,1,3,0.5,2,7,1760054459999,9,1,1,1,0\n"
        "1760054460000,2,4,1,3,8,1760054519999,9,1,1,1,0\n",
        "1760054400000000,1,3,0.5,2,7,1760054459999999,9,1,1,1,0\n"
        "1760054460000000,2,4,1,3,8,1760054519999999,9,1,1,1,0\n",
        "\xef\xbb\xbfopen_time,open,high,low,close,volume,close_time,quote_volume,count,"
        "taker_buy_volume,taker_buy_quote_volume,ignore\r\n"
        "1760054400000,1,3,0.5,2,7,1760054459999,9,1,1,1,0\r\n"
        "1760054460000,2,4,1,3,8,1760054519999,9,1,1,1,0\r\n"};
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        struct series series;
        measure(&series, scratch_zstd("klines", FORMS[i]));
        assert_string_equal(series.format, "binance_klines");
        assert_int_equal(series.rows, 2);
        assert_int_equal(series.time_ms[0], START);
        assert_int_equal(series.time_ms[1], START + CALENDAR_MINUTE_MS);
        assert_true(series.column[SERIES_LOW][0] == 0.5 && series.column[SERIES_CLOSE][1] == 3);
        series_free(&series);
    }
}

static void a_glob_of_daily_files_is_one_series_in_time_order(void **state)
{
    struct series series;
    write_bars("day-b.csv", 3, "", 3, 0); /* the name sorts after, the time before */
    struct text_buffer text = {0};
    text_append(&text, HEADER);
    append_bars(&text, 3, 2);
    scratch_text("day-a.csv", text.data);
    text_buffer_free(&text);
    measure(&series, scratch_path("day-*.csv"));
    assert_int_equal(series.rows, 5);
    assert_int_equal(series.input_count, 2);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(series.time_ms[i], START + (int64_t)i * CALENDAR_MINUTE_MS);
    assert_int_equal(series.quality.count[QUALITY_DISORDER], 0);
    series_free(&series);
}

/* A folder that holds BTC and ETH is no series; files that overlap and agree are. */
static void files_of_two_series_are_not_one(void **state)
{
    struct text_buffer text = {0};
    struct series series;
    struct error err = {0};
    write_bars("two-a.csv", 20, "", 0, 0);
    struct source_spec spec = spec_of(MARKET_PRICE, scratch_path("two-*.csv"), NULL);
    write_bars("two-b.csv", 30, "", 0, 0);
    read_good(&series, &spec);
    assert_int_equal(series.rows, 30);
    assert_int_equal(series.quality.count[QUALITY_REPEAT], 20);
    series_free(&series);
    text_append(&text, HEADER);
    for (int i = 0; i < 20; i++)
        text_appendf(&text, "%lld,5,6,4,5,1\n", (long long)(START + i * CALENDAR_MINUTE_MS));
    scratch_text("two-b.csv", text.data);
    text_buffer_free(&text);
    assert_int_equal(series_read(&series, &spec, CALENDAR_NONE, CALENDAR_NONE, NULL, &err),
                     ERROR_DATA);
    print_message("  %s\n", err.message);
    assert_non_null(strstr(err.message, "two-a.csv for the same times (20 of 40 rows)"));
}

static void files_without_header_agree_in_width(void **state)
{
    struct series series;
    struct error err = {0};
    scratch_text("wide-a.csv", "1718830800,5,6\n");
    scratch_text("wide-b.csv", "1718834400,5,6,4,5,9\n");
    struct source_spec spec = spec_of(MARKET_LIQUIDATIONS, scratch_path("wide-*.csv"), NULL);
    assert_int_equal(series_read(&series, &spec, CALENDAR_NONE, CALENDAR_NONE, NULL, &err),
                     ERROR_DATA);
    assert_non_null(strstr(err.message, "6 columns; expected 3"));
}

static void only_the_window_is_kept(void **state)
{
    struct source_spec spec = spec_of(MARKET_PRICE, write_bars("window.csv", 10, "", 0, 0), NULL);
    struct series series;
    struct error err = {0};
    int64_t from = START + 3 * CALENDAR_MINUTE_MS, to = START + 6 * CALENDAR_MINUTE_MS;
    assert_int_equal(series_read(&series, &spec, from, to, NULL, &err), ERROR_NONE);
    assert_int_equal(series.rows, 3);
    assert_int_equal(series.time_ms[0], from);
    series_free(&series);
    from = at("2025-11-01T00:00Z");
    assert_int_equal(series_read(&series, &spec, from, CALENDAR_NONE, NULL, &err), ERROR_DATA);
    print_message("  %s\n", err.message);
    assert_non_null(strstr(err.message, "2025-10-10T00:09:00Z"));
}

static void generic_files_say_their_columns_zone_and_filter(void **state)
{
    struct source_column column = {.field = SERIES_OI, .name = (char *)"oi_usd"};
    struct source_filter filter = {(char *)"coin", (char *)"BTC"};
    struct source_spec spec = spec_of(MARKET_OI,
                                      scratch_text("long.csv", "when,coin,oi_usd\n"
                                                               "2025-10-10 06:00,BTC,10\n"
                                                               "2025-10-10 06:00,ETH,99\n"
                                                               "2025-10-10 07:00,BTC,11\n"),
                                      "generic");
    struct series series;
    spec.time_column = (char *)"when";
    spec.time_format = (char *)"%Y-%m-%d %H:%M";
    spec.zone_offset_ms = 6 * CALENDAR_HOUR_MS;
    spec.unit = SOURCE_UNIT_USD;
    spec.columns = &column;
    spec.column_count = 1;
    spec.filters = &filter;
    spec.filter_count = 1;
    read_good(&series, &spec);
    assert_int_equal(series.rows, 2);
    assert_int_equal(series.time_ms[0], START);
    assert_true(series.column[SERIES_OI][1] == 11);
    assert_int_equal(series.oi_unit, SOURCE_UNIT_USD);
    series_free(&series);
}

/* SELL closes a long; a contract is 100 USD; two orders in one millisecond are two orders. */
static void liquidation_orders_are_events_in_usd(void **state)
{
    const char *path = scratch_text(
        "orders.csv", "time,symbol,side,order_type,time_in_force,original_quantity,price,"
                      "average_price,order_status,last_fill_quantity,accumulated_fill_quantity\n"
                      "1760054400000,BTCUSD_PERP,SELL,LIMIT,IOC,7,1,1,FILLED,3,7\n"
                      "1760054400000,BTCUSD_PERP,SELL,LIMIT,IOC,2,1,1,FILLED,2,2\n"
                      "1760054400005,BTCUSD_PERP,BUY,LIMIT,IOC,5,1,1,FILLED,5,5\n");
    struct source_spec spec = spec_of(MARKET_LIQUIDATIONS, path, NULL);
    struct series series;
    read_good(&series, &spec);
    assert_int_equal(series.rows, 3);
    assert_int_equal(series.liq_unit, SOURCE_UNIT_USD);
    assert_true(series.column[SERIES_LIQ_LONG][0] == 700);
    assert_true(series.column[SERIES_LIQ_LONG][1] == 200);
    assert_true(series.column[SERIES_LIQ_LONG][2] == 0);
    assert_true(series.column[SERIES_LIQ_SHORT][2] == 500);
    assert_int_equal(series.quality.count[QUALITY_REPEAT], 0);
    series_free(&series);
}

/* --- flaws --- */

static void bad_values_are_refused_with_file_line_and_column(void **state)
{
    assert_refused(write_bars("nan.csv", 3, "1760054580000,nan,1,1,1,1\n", 4, 3), 5, 2, "finite");
    assert_refused(write_bars("neg.csv", 3, "1760054580000,5,6,-4,5,1\n", 4, 3), 5, 4,
                   "low = -4; expected 0 or more");
    assert_refused(write_bars("zero.csv", 3, "1760054580000,5,6,4,0,1\n", 4, 3), 5, 5, "close = 0");
    assert_refused(write_bars("hole.csv", 3, "1760054580000,5,6,4,,1\n", 4, 3), 5, 5,
                   "close is empty");
    assert_refused(write_bars("ohlc.csv", 3, "1760054580000,5,4,3,5,1\n", 4, 3), 5, 3,
                   "high 4 lies within open 5 and close 5");
    assert_refused(write_bars("quote.csv", 3, "1760054580000,\"5,4,3,5,1\n", 4, 3), 5, 2,
                   "never closed");
    assert_refused(write_bars("word.csv", 3, "1760054580000,x,6,4,5,1\n", 4, 3), 5, 2,
                   "not a number");
    assert_refused(write_bars("time.csv", 3, "soon,5,6,4,5,1\n", 4, 3), 5, 1, "not a number");
}

static void negative_open_interest_is_refused(void **state)
{
    const char *path = scratch_text("oi.csv", "create_time,symbol,sum_open_interest,"
                                              "sum_open_interest_value\n"
                                              "2025-10-10 00:00:00,BTCUSDT,10,20\n"
                                              "2025-10-10 00:05:00,BTCUSDT,-1,20\n");
    struct source_spec spec = spec_of(MARKET_OI, path, NULL);
    struct quality_policies policies = quality_policies_default();
    struct series series;
    struct error err = {0};
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++)
        policies.on[flaw] = QUALITY_ACCEPT; /* no policy lets it pass */
    assert_int_equal(series_read(&series, &spec, CALENDAR_NONE, CALENDAR_NONE, &policies, &err),
                     ERROR_DATA);
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 3);
    assert_non_null(strstr(err.message, "oi = -1; expected 0 or more"));
}

static void missing_files_are_named_with_who_asked(void **state)
{
    struct source_spec spec = spec_of(MARKET_PRICE, "/nowhere/BTC*.zip", NULL);
    struct series series;
    struct error err = {0};
    char message[1024];
    spec.said_file = (char *)"s.yaml";
    spec.said_key = (char *)"data.price";
    spec.said_line = 12;
    spec.said_column = 10;
    assert_int_equal(series_read(&series, &spec, CALENDAR_NONE, CALENDAR_NONE, NULL, &err),
                     ERROR_IO);
    error_format(&err, message, sizeof message);
    assert_string_equal(message, "s.yaml:12:10: data.price: /nowhere/BTC*.zip: no file matches");
}

static const struct quality_finding *only_finding(const struct series *series,
                                                  enum quality_flaw flaw)
{
    const struct quality_finding *found = NULL;
    for (size_t i = 0; i < series->quality.finding_count; i++)
        if (series->quality.findings[i].flaw == flaw) {
            assert_null(found);
            found = &series->quality.findings[i];
        }
    assert_non_null(found);
    return found;
}

/* Bars 3, 4 and 5 are missing; closes are 102 before, the next open is 106. */
static void a_gap_is_measured_refused_or_filled(void **state)
{
    const char *path = write_bars("gap.csv", 3, "", 6, 4);
    struct series series;
    struct error err = {0};
    measure(&series, path);
    const struct quality_finding *gap = only_finding(&series, QUALITY_GAP);
    assert_int_equal(series.quality.count[QUALITY_GAP], 3);
    assert_int_equal(gap->from_ms, START + 3 * CALENDAR_MINUTE_MS);
    assert_int_equal(gap->to_ms, START + 5 * CALENDAR_MINUTE_MS);
    assert_int_equal(series.rows, 7);
    series_free(&series);
    assert_refused(path, 5, 0, "3 rows of 1m missing");
    assert_int_equal(read_with(&series, path, QUALITY_GAP, QUALITY_ACCEPT, &err), ERROR_NONE);
    assert_int_equal(series.rows, 7);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 0);
    series_free(&series);
    assert_int_equal(read_with(&series, path, QUALITY_GAP, QUALITY_CARRY, &err), ERROR_NONE);
    assert_int_equal(series.rows, 10);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 3);
    assert_true(series.column[SERIES_CLOSE][5] == 102 && series.column[SERIES_HIGH][5] == 102);
    assert_true(series.column[SERIES_VOLUME][4] == 0);
    series_free(&series);
    assert_int_equal(read_with(&series, path, QUALITY_GAP, QUALITY_INTERPOLATE, &err), ERROR_NONE);
    /* From the close of 102 to the open of 106 in three equal steps. */
    assert_true(fabs(series.column[SERIES_CLOSE][3] - (102 + 4.0 / 3)) < 1e-12);
    assert_true(fabs(series.column[SERIES_CLOSE][5] - 106) < 1e-12);
    assert_true(series.column[SERIES_OPEN][4] == series.column[SERIES_CLOSE][3]);
    series_free(&series);
}

static void unsorted_rows_are_refused_dropped_or_sorted(void **state)
{
    struct text_buffer text = {0};
    text_append(&text, HEADER);
    append_bars(&text, 0, 2);
    append_bars(&text, 3, 1);
    append_bars(&text, 2, 1);
    append_bars(&text, 4, 2);
    const char *path = scratch_text("unsorted.csv", text.data);
    struct series series;
    struct error err = {0};
    text_buffer_free(&text);
    assert_refused(path, 5, 1, "2025-10-10T00:02:00Z comes after 2025-10-10T00:03:00Z");
    assert_int_equal(read_with(&series, path, QUALITY_DISORDER, QUALITY_ACCEPT, &err), ERROR_NONE);
    assert_int_equal(series.rows, 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(series.column[SERIES_OPEN][i] == 100 + (double)i);
    assert_int_equal(series.quality.applied[QUALITY_DISORDER], 1);
    series_free(&series);
    /* Dropping the row leaves a gap, which is another flaw. */
    assert_refused_by(path, QUALITY_DISORDER, QUALITY_DROP, 4, 0, "1 row of 1m missing");
}

static void repeated_stamps_are_dropped_or_refused(void **state)
{
    const char *path = write_bars("repeat.csv", 3, "1760054520000,9,9,9,9,9\n", 3, 3);
    struct series series;
    struct error err = {0};
    assert_int_equal(read_with(&series, path, -1, QUALITY_ERROR, &err), ERROR_NONE);
    assert_int_equal(series.rows, 6);
    assert_int_equal(series.quality.count[QUALITY_REPEAT], 1);
    assert_int_equal(series.quality.applied[QUALITY_REPEAT], 1);
    assert_true(series.column[SERIES_CLOSE][2] == 102); /* the first of the two stays */
    series_free(&series);
    assert_refused_by(path, QUALITY_REPEAT, QUALITY_ERROR, 5, 0, "with other values");
}

static void zeros_are_dropped_carried_or_interpolated(void **state)
{
    const char *path = write_bars("zeros.csv", 3, "1760054580000,0,0,0,0,1\n", 4, 3);
    struct series series;
    struct error err = {0};
    assert_int_equal(read_with(&series, path, QUALITY_ZERO, QUALITY_CARRY, &err), ERROR_NONE);
    assert_true(series.column[SERIES_OPEN][3] == 102 && series.column[SERIES_CLOSE][3] == 102);
    assert_int_equal(series.quality.applied[QUALITY_ZERO], 1);
    series_free(&series);
    assert_int_equal(read_with(&series, path, QUALITY_ZERO, QUALITY_INTERPOLATE, &err), ERROR_NONE);
    /* Closes are 102 a minute before and 104 a minute after. */
    assert_true(series.column[SERIES_CLOSE][3] == 103 && series.column[SERIES_OPEN][3] == 102);
    assert_true(series.column[SERIES_HIGH][3] == 103 && series.column[SERIES_LOW][3] == 102);
    series_free(&series);
    assert_refused_by(path, QUALITY_ZERO, QUALITY_DROP, 6, 0, "1 row of 1m missing");
    path = write_bars("zeros.csv", 0, "1760054400000,0,0,0,0,1\n", 1, 3);
    assert_refused_by(path, QUALITY_ZERO, QUALITY_CARRY, 2, 0, "no earlier value");
}

static void a_narrow_range_is_widened(void **state)
{
    const char *path = write_bars("wide.csv", 3, "1760054580000,103,102,101,103,1\n", 4, 3);
    struct series series;
    struct error err = {0};
    assert_int_equal(read_with(&series, path, QUALITY_OHLC, QUALITY_CARRY, &err), ERROR_NONE);
    assert_true(series.column[SERIES_HIGH][3] == 103 && series.column[SERIES_LOW][3] == 101);
    assert_int_equal(series.quality.applied[QUALITY_OHLC], 1);
    series_free(&series);
}

/* 90 minutes at one price are stale (24 rows and an hour); 50 minutes are not; a range is life. */
static void frozen_prices_are_stale(void **state)
{
    for (int minutes = 50; minutes <= 90; minutes += 40) {
        struct text_buffer text = {0};
        struct series series;
        struct error err = {0};
        text_append(&text, HEADER);
        append_bars(&text, 0, 10);
        for (int i = 10; i < 10 + minutes; i++)
            text_appendf(&text, "%lld,50,50,50,50,0\n",
                         (long long)(START + i * CALENDAR_MINUTE_MS));
        append_bars(&text, 10 + minutes, 10);
        const char *path = scratch_text("stale.csv", text.data);
        text_buffer_free(&text);
        measure(&series, path);
        assert_int_equal(series.quality.count[QUALITY_STALE], minutes < 60 ? 0 : minutes);
        series_free(&series);
        if (minutes < 60)
            continue;
        assert_refused(path, 12, 0, "close = 50 for 1.5 h");
        assert_int_equal(read_with(&series, path, QUALITY_STALE, QUALITY_ACCEPT, &err), ERROR_NONE);
        series_free(&series);
    }
}

/* A tenth down among moves of about a hundredth of a percent. */
static void jumps_are_reported_and_pass(void **state)
{
    struct text_buffer text = {0};
    struct series series;
    struct error err = {0};
    text_append(&text, HEADER);
    for (int i = 0; i < 400; i++) {
        double price = (i < 300 ? 1000 : 900) + 0.1 * (i * 7 % 11);
        text_appendf(&text, "%lld,%g,%g,%g,%g,1\n", (long long)(START + i * CALENDAR_MINUTE_MS),
                     price, price + 1, price - 1, price);
    }
    assert_int_equal(
        read_with(&series, scratch_text("jump.csv", text.data), -1, QUALITY_ERROR, &err),
        ERROR_NONE);
    const struct quality_finding *jump = only_finding(&series, QUALITY_JUMP);
    print_message("  %s\n", jump->what);
    assert_int_equal(jump->from_ms, START + 300 * CALENDAR_MINUTE_MS);
    series_free(&series);
    text_buffer_free(&text);
}

static void measuring_counts_what_a_run_refuses(void **state)
{
    struct text_buffer text = {0};
    struct series series;
    text_append(&text, HEADER "1760054400000,nan,1,1,1,1\n"
                              "1760054460000,1,1,1,-1,1\n"
                              "1760054520000,1,1,1,0,1\n"
                              "1760054580000,1,1,1,,1\n"
                              "1760054640000,2,1,1,2,1\n");
    append_bars(&text, 5, 5);
    measure(&series, scratch_text("all.csv", text.data));
    assert_int_equal(series.rows, 10);
    assert_int_equal(series.quality.count[QUALITY_NAN], 1);
    assert_int_equal(series.quality.count[QUALITY_NEGATIVE], 1);
    assert_int_equal(series.quality.count[QUALITY_ZERO], 2);
    assert_int_equal(series.quality.count[QUALITY_OHLC], 1);
    /* The zero and the empty cell follow each other: one finding over two rows. */
    const struct quality_finding *zero = only_finding(&series, QUALITY_ZERO);
    assert_int_equal(zero->count, 2);
    assert_int_equal(zero->line, 4);
    series_free(&series);
    text_buffer_free(&text);
}

static void a_truncated_file_is_an_error_even_when_measuring(void **state)
{
    struct text_buffer text = {0};
    struct series series;
    struct error err = {0};
    text_append(&text, HEADER);
    append_bars(&text, 0, 5000);
    const char *path = scratch_zstd("cut.csv.zst", text.data);
    scratch_truncate(path, 100);
    struct source_spec spec = spec_of(MARKET_PRICE, path, NULL);
    assert_int_equal(series_read(&series, &spec, CALENDAR_NONE, CALENDAR_NONE, NULL, &err),
                     ERROR_DATA);
    assert_string_equal(err.file, path);
    assert_non_null(strstr(err.message, "truncated"));
    text_buffer_free(&text);
}

static void memory_can_fail_anywhere(void **state)
{
    const char *path = write_bars("memory.csv", 3, "", 6, 4);
    struct source_spec spec = spec_of(MARKET_PRICE, path, "ohlcv_ms");
    struct quality_policies policies = quality_policies_default();
    int failures = 0;
    policies.on[QUALITY_GAP] = QUALITY_CARRY;
    for (long countdown = 1; countdown < 600; countdown++) {
        struct series series;
        struct error err = {0};
        memory_fail_after(countdown);
        int code = series_read(&series, &spec, CALENDAR_NONE, CALENDAR_NONE, &policies, &err);
        memory_fail_after(0);
        failures += code != ERROR_NONE;
        if (code == ERROR_NONE)
            series_free(&series);
    }
    print_message("  %d allocations failed cleanly\n", failures);
    assert_in_range(failures, 30, 598);
}

/* --- real data --- */

static void real_hourly_data_is_clean(void **state)
{
    static const struct {
        const char *name;
        enum market_input role;
        int64_t rows;
    } FILES[] = {
        {"btcusdt-price", MARKET_PRICE, 58623},    {"ethusdt-price", MARKET_PRICE, 56713},
        {"btcusdt-mark", MARKET_MARK, 56084},      {"ethusdt-mark", MARKET_MARK, 56084},
        {"btcusdt-funding", MARKET_FUNDING, 7323}, {"ethusdt-funding", MARKET_FUNDING, 7089}};
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char name[64];
        snprintf(name, sizeof name, "binance-1h/%s.csv.zst", FILES[i].name);
        const char *path = scratch_real(name);
        if (!path)
            skip();
        struct source_spec spec = spec_of(FILES[i].role, path, NULL);
        struct quality_policies policies = quality_policies_default();
        struct series series;
        struct error err = {0};
        assert_int_equal(series_read(&series, &spec, CALENDAR_NONE, CALENDAR_NONE, &policies, &err),
                         ERROR_NONE);
        print_message("  %s: %zu rows, %s\n", FILES[i].name, series.rows, series.format);
        assert_int_equal(series.rows, FILES[i].rows);
        assert_int_equal(series.step_ms,
                         FILES[i].role == MARKET_FUNDING ? 8 * CALENDAR_HOUR_MS : CALENDAR_HOUR_MS);
        series_free(&series);
    }
}

/* data.md, table of events: 2024-08-05, low 48,888 at 06h. */
static void the_low_of_august_2024_is_the_published_one(void **state)
{
    const char *path = scratch_real("binance-1h/btcusdt-price.csv.zst");
    if (!path)
        skip();
    struct source_spec spec = spec_of(MARKET_PRICE, path, NULL);
    struct series series;
    struct error err = {0};
    assert_int_equal(
        series_read(&series, &spec, at("2024-08-05T06:00Z"), at("2024-08-05T07:00Z"), NULL, &err),
        ERROR_NONE);
    assert_int_equal(series.rows, 1);
    print_message("  low %.1f, published 48,888\n", series.column[SERIES_LOW][0]);
    assert_true(fabs(series.column[SERIES_LOW][0] - 48888) < 1);
    series_free(&series);
}

/* On August 5, 2024 OI fell from 88,098 to 76,760 BTC; times of the export are UTC+6. */
static void coinalyze_exports_are_local_and_repeat_stamps(void **state)
{
    const char *path = scratch_real("coinalyze-2024/BTCUSDT_PERP.A_open-interest-history.csv.zst");
    if (!path)
        skip();
    struct source_spec spec = spec_of(MARKET_OI, path, NULL);
    struct series series;
    spec.zone_offset_ms = 6 * CALENDAR_HOUR_MS;
    read_good(&series, &spec);
    assert_int_equal(series.time_ms[0], at("2024-06-19T21:00Z"));
    double before = 0, after = 0;
    for (size_t i = 0; i < series.rows; i++) {
        if (series.time_ms[i] == at("2024-08-05T00:00Z"))
            before = series.column[SERIES_OI_OPEN][i];
        if (series.time_ms[i] == at("2024-08-05T12:00Z"))
            after = series.column[SERIES_OI][i];
    }
    print_message("  OI %.0f to %.0f BTC, published 88,098 to 76,760\n", before, after);
    assert_true(fabs(before - 88098) < 1 && fabs(after - 76760) < 1);
    series_free(&series);
    path = scratch_real("coinalyze-2024/BTCUSDT_PERP.A_liquidation-history.csv.zst");
    spec = spec_of(MARKET_LIQUIDATIONS, path, NULL);
    read_good(&series, &spec);
    assert_true(series.quality.count[QUALITY_REPEAT] >= 1);
    for (size_t i = 1; i < series.rows; i++)
        assert_true(series.time_ms[i] > series.time_ms[i - 1]);
    series_free(&series);
}

static void the_missing_day_of_october_2025_is_a_gap(void **state)
{
    const char *path = scratch_real("binance-vision/BTCUSDT-5m-*.zip");
    if (!path)
        skip();
    struct series series;
    measure(&series, path);
    const struct quality_finding *gap = only_finding(&series, QUALITY_GAP);
    assert_int_equal(gap->from_ms, at("2025-10-04T00:00Z"));
    assert_int_equal(gap->to_ms, at("2025-10-04T23:55Z"));
    assert_int_equal(series.quality.count[QUALITY_GAP], 288);
    assert_int_equal(series.input_count, 90);
    series_free(&series);
}

/* The -1 % bid row is frozen from 16:41 to 19:15 and again from 20:50 to midnight. */
static void the_frozen_bids_of_october_10_are_stale(void **state)
{
    const char *path = scratch_real("binance-vision/BTCUSDT-bookDepth-2025-10-10.csv.zst");
    if (!path)
        skip();
    struct source_spec spec = spec_of(MARKET_INPUT_COUNT, path, NULL);
    struct series series;
    bool afternoon = false, evening = false;
    read_good(&series, &spec);
    assert_int_equal(series.rows, 28790);
    for (size_t i = 0; i < series.quality.finding_count; i++) {
        const struct quality_finding *finding = &series.quality.findings[i];
        assert_true(finding->flaw != QUALITY_STALE || strstr(finding->what, "bid") != NULL);
        if (finding->flaw != QUALITY_STALE || !strstr(finding->what, "bid -1%"))
            continue;
        print_message("  %s\n", finding->what);
        afternoon |= finding->from_ms == at("2025-10-10T16:41:31Z") &&
                     finding->to_ms == at("2025-10-10T19:15:01Z");
        evening |= finding->from_ms == at("2025-10-10T20:50:34Z") &&
                   finding->to_ms == at("2025-10-10T23:59:30Z");
    }
    assert_true(afternoon && evening);
    series_free(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_file_is_read_as_it_stands),
        cmocka_unit_test(klines_read_alike_in_all_their_forms),
        cmocka_unit_test(a_glob_of_daily_files_is_one_series_in_time_order),
        cmocka_unit_test(files_of_two_series_are_not_one),
        cmocka_unit_test(files_without_header_agree_in_width),
        cmocka_unit_test(only_the_window_is_kept),
        cmocka_unit_test(generic_files_say_their_columns_zone_and_filter),
        cmocka_unit_test(liquidation_orders_are_events_in_usd),
        cmocka_unit_test(bad_values_are_refused_with_file_line_and_column),
        cmocka_unit_test(negative_open_interest_is_refused),
        cmocka_unit_test(missing_files_are_named_with_who_asked),
        cmocka_unit_test(a_gap_is_measured_refused_or_filled),
        cmocka_unit_test(unsorted_rows_are_refused_dropped_or_sorted),
        cmocka_unit_test(repeated_stamps_are_dropped_or_refused),
        cmocka_unit_test(zeros_are_dropped_carried_or_interpolated),
        cmocka_unit_test(a_narrow_range_is_widened),
        cmocka_unit_test(frozen_prices_are_stale),
        cmocka_unit_test(jumps_are_reported_and_pass),
        cmocka_unit_test(measuring_counts_what_a_run_refuses),
        cmocka_unit_test(a_truncated_file_is_an_error_even_when_measuring),
        cmocka_unit_test(memory_can_fail_anywhere),
        cmocka_unit_test(real_hourly_data_is_clean),
        cmocka_unit_test(the_low_of_august_2024_is_the_published_one),
        cmocka_unit_test(coinalyze_exports_are_local_and_repeat_stamps),
        cmocka_unit_test(the_missing_day_of_october_2025_is_a_gap),
        cmocka_unit_test(the_frozen_bids_of_october_10_are_stale),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
