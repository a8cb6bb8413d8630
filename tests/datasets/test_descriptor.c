/* Each source is known by its own header or shape, and its columns become fields in stated units.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "datasets/descriptor.h"
#include "tests/datasets/scratch.h"

#define KLINES                                                            \
    "open_time,open,high,low,close,volume,close_time,quote_volume,count," \
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"

static struct source_spec any_spec(enum market_input role)
{
    return (struct source_spec){.present = true, .role = role, .header = -1};
}

static void assert_sniffs(enum market_input role, const char *text, const char *expected)
{
    struct source_spec spec = any_spec(role);
    struct descriptor descriptor;
    struct error err = {0};
    int code = descriptor_sniff(&descriptor, &spec, scratch_text("sniffed", text), &err);
    if (code != ERROR_NONE)
        print_message("%s\n", err.message);
    assert_int_equal(code, ERROR_NONE);
    assert_string_equal(descriptor.name, expected);
    descriptor_free(&descriptor);
}

static void assert_sniff_fails(enum market_input role, const char *text, const char *word)
{
    struct source_spec spec = any_spec(role);
    struct descriptor descriptor;
    struct error err = {0};
    assert_int_equal(descriptor_sniff(&descriptor, &spec, scratch_text("sniffed", text), &err),
                     ERROR_DATA);
    print_message("  %s\n", err.message);
    assert_non_null(strstr(err.message, word));
}

static void sources_are_known_by_their_header(void **state)
{
    assert_sniffs(MARKET_PRICE, KLINES "1759276800000,1,1,1,1,1,1,1,1,1,1,0\n", "binance_klines");
    assert_sniffs(MARKET_FUNDING,
                  "calc_time,funding_interval_hours,last_funding_rate\n1759276800000,8,0.0001\n",
                  "binance_funding_rate");
    assert_sniffs(MARKET_OI,
                  "create_time,symbol,sum_open_interest,sum_open_interest_value\n"
                  "2025-10-10 00:05:00,BTCUSDT,1,2\n",
                  "binance_metrics");
    assert_sniffs(MARKET_INPUT_COUNT,
                  "timestamp,percentage,depth,notional\n2025-10-10 00:00:07,-5,1,2\n",
                  "binance_book_depth");
    assert_sniffs(MARKET_LIQUIDATIONS,
                  "time,side,order_type,time_in_force,original_quantity,price,average_price,"
                  "order_status,last_fill_quantity,accumulated_fill_quantity\n",
                  "binance_liquidation_snapshot");
    assert_sniffs(MARKET_PRICE, "time_ms,open,high,low,close\n", "canonical");
    assert_sniffs(MARKET_OI, "time_ms,oi_usd\n", "canonical");
}

static void headerless_sources_are_known_by_width_and_role(void **state)
{
    assert_sniffs(MARKET_PRICE, "1759276800000,1,1,1,1,1,1,1,1,1,1,0\n", "binance_klines");
    assert_sniffs(MARKET_LIQUIDATIONS, "2024-06-20 03:00:00,0.5,1\n", "coinalyze_liquidations");
    assert_sniffs(MARKET_OI, "1718830800,5,6,4,5\n", "coinalyze_open_interest");
    assert_sniffs(MARKET_PRICE, "1718830800,5,6,4,5\n", "coinalyze_ohlcv");
    assert_sniff_fails(MARKET_INPUT_COUNT, "1718830800,5,6,4,5\n",
                       "coinalyze_ohlcv, coinalyze_open_interest");
    assert_sniff_fails(MARKET_PRICE, "apples,pears\n1,2\n", "no known format");
}

/* Some exports keep funding in the layout of bars, with zeros where the range would be. */
static void funding_in_bars_is_told_by_its_first_row(void **state)
{
    const char *bars = "timestamp_ms,open,high,low,close,volume\n1568102400000,9,10,8,9,1\n";
    const char *rates = "timestamp_ms,open,high,low,close,volume\n1568102400000,0.0001,0,0,0,0\n";
    assert_sniffs(MARKET_INPUT_COUNT, bars, "ohlcv_ms");
    assert_sniffs(MARKET_INPUT_COUNT, rates, "funding_ms");
    assert_sniffs(MARKET_FUNDING, rates, "funding_ms");
}

static int bind(const char *format, const struct source_spec *spec, const char *const *cells,
                size_t count, struct descriptor *descriptor, struct descriptor_layout *layout,
                struct error *err)
{
    struct csv_text texts[16];
    for (size_t i = 0; i < count; i++)
        texts[i] = (struct csv_text){cells[i], strlen(cells[i])};
    assert_int_equal(descriptor_load(descriptor, format, err), ERROR_NONE);
    return descriptor_bind(descriptor, spec, "t.csv", texts, count, layout, err);
}

static void metrics_give_open_interest_in_the_unit_asked_for(void **state)
{
    const char *const header[] = {"create_time", "symbol", "sum_open_interest",
                                  "sum_open_interest_value"};
    struct source_spec spec = any_spec(MARKET_OI);
    struct descriptor descriptor;
    struct descriptor_layout layout;
    struct error err = {0};
    assert_int_equal(bind("binance_metrics", &spec, header, 4, &descriptor, &layout, &err),
                     ERROR_NONE);
    assert_int_equal(layout.columns[layout.field[SERIES_OI]].index, 3);
    assert_int_equal(layout.oi_unit, SOURCE_UNIT_COINS);
    descriptor_free(&descriptor);
    spec.unit = SOURCE_UNIT_USD;
    assert_int_equal(bind("binance_metrics", &spec, header, 4, &descriptor, &layout, &err),
                     ERROR_NONE);
    assert_int_equal(layout.columns[layout.field[SERIES_OI]].index, 4);
    assert_int_equal(layout.oi_unit, SOURCE_UNIT_USD);
    descriptor_free(&descriptor);
}

/* A coin-margined contract is 100 USD for BTC; a user may say 10. */
static void contracts_become_usd(void **state)
{
    const char *const header[] = {"time", "side", "accumulated_fill_quantity"};
    struct source_spec spec = any_spec(MARKET_LIQUIDATIONS);
    struct descriptor descriptor;
    struct descriptor_layout layout;
    struct error err = {0};
    for (int i = 0; i < 2; i++) {
        spec.contract_usd = i == 0 ? 0 : 10;
        assert_int_equal(
            bind("binance_liquidation_snapshot", &spec, header, 3, &descriptor, &layout, &err),
            ERROR_NONE);
        assert_true(layout.scale[SERIES_LIQ_LONG] == (i == 0 ? 100 : 10));
        assert_int_equal(layout.liq_unit, SOURCE_UNIT_USD);
        descriptor_free(&descriptor);
    }
}

static void percent_becomes_a_fraction(void **state)
{
    const char *const header[] = {"calc_time", "funding_interval_hours", "last_funding_rate"};
    struct source_spec spec = any_spec(MARKET_FUNDING);
    struct descriptor descriptor;
    struct descriptor_layout layout;
    struct error err = {0};
    spec.unit = SOURCE_UNIT_PERCENT;
    assert_int_equal(bind("binance_funding_rate", &spec, header, 3, &descriptor, &layout, &err),
                     ERROR_NONE);
    assert_true(layout.scale[SERIES_RATE] == 0.01);
    descriptor_free(&descriptor);
}

static void a_format_must_serve_its_role(void **state)
{
    const char *const header[] = {"calc_time", "funding_interval_hours", "last_funding_rate"};
    struct source_spec spec = any_spec(MARKET_OI);
    struct descriptor descriptor;
    struct descriptor_layout layout;
    struct error err = {0};
    assert_int_equal(bind("binance_funding_rate", &spec, header, 3, &descriptor, &layout, &err),
                     ERROR_DATA);
    print_message("  %s\n", err.message);
    assert_non_null(strstr(err.message, "no column of oi"));
    descriptor_free(&descriptor);
}

static int64_t time_of(enum descriptor_clock clock, const char *format, int64_t zone_ms,
                       const char *text, double number)
{
    static const struct csv_column column = {.name = "t", .index = 1};
    static const int position = 1;
    struct descriptor_layout layout = {
        .time = 0, .clock = clock, .time_format = format, .zone_offset_ms = zone_ms};
    struct csv_text cell = {text, text ? strlen(text) : 0};
    struct csv_row row = {.file = "t.csv",
                          .line = 1,
                          .number = &number,
                          .text = &cell,
                          .columns = &column,
                          .position = &position};
    struct error err = {0};
    int64_t time_ms;
    return descriptor_time(&layout, &row, &time_ms, &err) == ERROR_NONE ? time_ms : -1;
}

/* 2025-10-10T21:15:00Z is 1,760,130,900 seconds since 1970. */
static void unix_times_are_told_by_magnitude(void **state)
{
    const int64_t expected = INT64_C(1760130900000);
    assert_int_equal(time_of(DESCRIPTOR_UNIX, NULL, 0, NULL, 1760130900.0), expected);
    assert_int_equal(time_of(DESCRIPTOR_UNIX, NULL, 0, NULL, 1760130900000.0), expected);
    assert_int_equal(time_of(DESCRIPTOR_UNIX, NULL, 0, NULL, 1760130900000000.0), expected);
    assert_int_equal(time_of(DESCRIPTOR_UNIX_S, NULL, 0, NULL, 1760130900.123), expected + 123);
    assert_int_equal(time_of(DESCRIPTOR_UNIX_MS, NULL, 0, NULL, 1760130900000000.0), -1);
    assert_int_equal(time_of(DESCRIPTOR_UNIX_MS, NULL, 0, NULL, -5), -1);
}

static void local_times_are_brought_to_utc(void **state)
{
    const int64_t expected = INT64_C(1760130900000), six = 6 * CALENDAR_HOUR_MS;
    assert_int_equal(time_of(DESCRIPTOR_ISO, NULL, 0, "2025-10-10 21:15:00", 0), expected);
    assert_int_equal(time_of(DESCRIPTOR_ISO, NULL, six, "2025-10-11 03:15:00", 0), expected);
    assert_int_equal(time_of(DESCRIPTOR_AUTO, NULL, six, "2025-10-11 03:15:00", 0), expected);
    /* What is no local time is not moved. */
    assert_int_equal(time_of(DESCRIPTOR_ISO, NULL, six, "2025-10-10T21:15:00Z", 0), expected);
    assert_int_equal(time_of(DESCRIPTOR_AUTO, NULL, six, "1760130900", 0), expected);
    assert_int_equal(time_of(DESCRIPTOR_FORMAT, "%Y.%m.%d", 0, "2019.3.30", 0),
                     INT64_C(1553904000000));
    assert_int_equal(time_of(DESCRIPTOR_ISO, NULL, 0, "yesterday", 0), -1);
}

static void unknown_formats_are_answered_with_the_nearest(void **state)
{
    struct descriptor descriptor;
    struct error err = {0};
    assert_int_equal(descriptor_load(&descriptor, "binance_kline", &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "did you mean binance_klines?"));
    assert_int_equal(descriptor_load(&descriptor, "../../secret", &err), ERROR_DATA);
}

static void assert_wrong(const char *yaml, long line, const char *word)
{
    struct descriptor descriptor;
    struct error err = {0};
    char message[800];
    assert_int_equal(descriptor_parse(&descriptor, "d.yaml", yaml, strlen(yaml), &err), ERROR_DATA);
    error_format(&err, message, sizeof message);
    print_message("  %s\n", message);
    assert_int_equal(err.line, line);
    assert_non_null(strstr(message, word));
}

static void wrong_descriptors_are_refused_with_their_place(void **state)
{
    assert_wrong("name: x\ncolour: red\n", 2, "colour");
    assert_wrong("name: x\nshape: round\n", 2, "bars stamps events bands");
    assert_wrong("name: x\ncolumns:\n  - {field: opem, index: 2}\n", 3, "series field");
    assert_wrong("name: x\ncolumns:\n  - {field: open}\n", 3, "names or an index");
    assert_wrong("name: x\nwidths: [0]\n", 2, "whole number");
    assert_wrong("name: x\nstale: sometimes\n", 2, "none, or");
    assert_wrong("name: x\nshape: bars\nheader: yes\n", 1, "doc");
}

static void memory_can_fail_anywhere(void **state)
{
    int failures = 0;
    for (long countdown = 1; countdown < 400; countdown++) {
        struct descriptor descriptor;
        struct error err = {0};
        memory_fail_after(countdown);
        int code = descriptor_load(&descriptor, "binance_liquidation_snapshot", &err);
        memory_fail_after(0);
        failures += code != ERROR_NONE;
        if (code == ERROR_NONE)
            descriptor_free(&descriptor);
    }
    print_message("  %d allocations failed cleanly\n", failures);
    assert_in_range(failures, 20, 398);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_known_by_their_header),
        cmocka_unit_test(headerless_sources_are_known_by_width_and_role),
        cmocka_unit_test(funding_in_bars_is_told_by_its_first_row),
        cmocka_unit_test(metrics_give_open_interest_in_the_unit_asked_for),
        cmocka_unit_test(contracts_become_usd),
        cmocka_unit_test(percent_becomes_a_fraction),
        cmocka_unit_test(a_format_must_serve_its_role),
        cmocka_unit_test(unix_times_are_told_by_magnitude),
        cmocka_unit_test(local_times_are_brought_to_utc),
        cmocka_unit_test(unknown_formats_are_answered_with_the_nearest),
        cmocka_unit_test(wrong_descriptors_are_refused_with_their_place),
        cmocka_unit_test(memory_can_fail_anywhere),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
