/*
 * The table of events: it has every crash that the project is judged by, its numbers do not
 * contradict each other, those read off data agree with the data, and a broken file is told with
 * its line and column.
 */
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
#include "datasets/events.h"
#include "datasets/series.h"
#include "tests/datasets/scratch.h"
#include "tests/support/near.h"

#define HEADER "event,title,start,end,symbol,venue,figure,at,span,low,high,unit,kind,source\n"
#define WINDOW "2024-08-04T12:00Z,2024-08-05T12:00Z,"

static struct events shipped;

static int64_t at(const char *text)
{
    int64_t time_ms = 0;
    assert_true(calendar_parse_iso(text, strlen(text), &time_ms));
    return time_ms;
}

static int setup(void **state)
{
    struct error err = {0};
    if (events_read(&shipped, EVENTS_BUILTIN, &err) != ERROR_NONE) {
        print_error("%s:%ld: %s: %s\n", err.file, err.line, err.key, err.message);
        return -1;
    }
    return scratch_setup(state);
}

static int teardown(void **state)
{
    events_free(&shipped);
    return scratch_teardown(state);
}

/* --- the shipped table --- */

/* The lows of Binance's perpetual and the hours of the published table, and what was before. */
struct published {
    const char *name;
    double before, low;
    const char *hour_of_low;
};

static const struct published crashes[] = {
    {"2020-03-12", 7969, 3621.8, "2020-03-13T02:00Z"},
    {"2021-05-19", 43616, 28688, "2021-05-19T13:00Z"},
    {"2021-09-07", 52950, 42088, "2021-09-07T15:00Z"},
    {"2021-12-04", 55196, 40889, "2021-12-04T05:00Z"},
    {"2022-06-13", 27545, 20823, "2022-06-14T02:00Z"},
    {"2022-11-08", 20685, 15462.6, "2022-11-09T22:00Z"},
    {"2023-08-17", 28569, 24581, "2023-08-17T21:00Z"},
    {"2024-08-05", 61065, 48888, "2024-08-05T06:00Z"},
    {"2024-12-05", 103662, 90200, "2024-12-05T22:00Z"},
    {"2025-02-03", NAN, 91130, "2025-02-03T02:00Z"},
    {"2025-10-10", 122497, 101516.5, "2025-10-10T21:00Z"},
    {"2025-11-20", 93150, 80600, "2025-11-21T12:00Z"},
    {"2026-01-31", 84240, 75500, "2026-01-31T18:00Z"},
    {"2026-02-05", 73316, 59800, "2026-02-06T00:00Z"},
};
#define CRASHES (sizeof crashes / sizeof *crashes)

static const struct event_figure *figure(const char *name, enum events_measure measure,
                                         const char *symbol, const char *venue)
{
    const struct event *event = events_find(&shipped, name);
    assert_non_null(event);
    const struct event_figure *found = events_figure(event, measure, symbol, venue);
    if (found == NULL)
        fail_msg("%s has no %s of %s at %s", name, events_measure_name(measure), symbol, venue);
    return found;
}

static void every_crash_is_there_with_its_prices(void **state)
{
    assert_int_equal(shipped.count, CRASHES);
    for (size_t i = 0; i < CRASHES; i++) {
        const struct published *crash = &crashes[i];
        assert_string_equal(shipped.items[i].name, crash->name);
        const struct event_figure *low = figure(crash->name, EVENTS_PRICE_LOW, "BTC", "binance");
        assert_true(low->low == crash->low && low->high == crash->low && low->observed);
        assert_int_equal(low->at_ms, at(crash->hour_of_low));
        assert_int_equal(low->span_ms, CALENDAR_HOUR_MS);
        const struct event_figure *before =
            events_figure(&shipped.items[i], EVENTS_PRICE_BEFORE, "BTC", "binance");
        assert_true((before == NULL) == (bool)isnan(crash->before));
        assert_true(before == NULL || before->low == crash->before);
    }
}

struct reported {
    const char *name, *symbol, *venue;
    enum events_measure measure;
    double low, high;
};

static void figures_are_the_published_ones(void **state)
{
    static const struct reported rows[] = {
        {"2020-03-12", "BTC", "bitmex", EVENTS_LIQUIDATED_USD, 700e6, INFINITY},
        {"2020-03-12", "BTC", "all", EVENTS_OI_AFTER_USD, 0.74e9, 0.74e9},
        {"2021-05-19", "all", "all", EVENTS_LIQUIDATED_USD, 9.01e9, 9.01e9},
        {"2021-05-19", "BTC", "all", EVENTS_LIQUIDATED_LONG_USD, 3.19e9, 3.19e9},
        {"2021-05-19", "BTC", "binance", EVENTS_FUNDING_AFTER, -0.0009, -0.0009},
        {"2021-09-07", "all", "all", EVENTS_LIQUIDATED_USD, 3.54e9, 3.65e9},
        {"2021-09-07", "all", "all", EVENTS_TRADERS, 330243, 330243},
        {"2021-12-04", "BTC", "all_futures", EVENTS_OI_AFTER_COINS, 328000, 328000},
        {"2021-12-04", "BTC", "all_perpetuals", EVENTS_FUNDING_AFTER, -INFINITY, 0},
        {"2022-06-13", "all", "all", EVENTS_LIQUIDATED_SHORT_USD, 346e6, 346e6},
        {"2022-11-08", "BTC", "all", EVENTS_OI_AFTER_USD, 6.79e9, 6.79e9},
        {"2023-08-17", "all", "all", EVENTS_LIQUIDATED_USD, 1e9, INFINITY},
        {"2024-08-05", "all", "binance", EVENTS_LIQUIDATED_USD, 412e6, 412e6},
        {"2024-08-05", "BTC", "all_futures", EVENTS_OI_BEFORE_USD, 36.94e9, 36.94e9},
        {"2024-12-05", "all", "all", EVENTS_LONG_SHARE, 0.74, 0.74},
        {"2025-02-03", "all", "bybit", EVENTS_LIQUIDATED_FEED_USD, 333e6, 333e6},
        {"2025-02-03", "all", "bybit", EVENTS_LIQUIDATED_USD, 2.1e9, 2.1e9},
        {"2025-10-10", "all", "hyperliquid", EVENTS_LIQUIDATED_USD, 10.2e9, 10.2e9},
        {"2025-10-10", "ETH", "all", EVENTS_LIQUIDATED_LONG_USD, 3.86e9, 3.86e9},
        {"2025-10-10", "all", "all", EVENTS_PEAK_MINUTE_USD, 3.2e9, 3.2e9},
        {"2025-10-10", "BTC", "binance", EVENTS_OI_AFTER_USD, 12e9, 12e9},
        {"2025-10-10", "BTC", "binance", EVENTS_MARK_LOW, 101877.7, 101877.7},
        {"2025-10-10", "all", "all_futures", EVENTS_OI_AFTER_USD, 155e9, 155e9},
        {"2025-10-10", "all", "binance", EVENTS_INSURANCE_FUND_USED_USD, 188e6, 188e6},
        {"2025-11-20", "all", "all", EVENTS_TRADERS, 391000, 396000},
        {"2025-11-20", "BTC", "all_futures", EVENTS_OI_PEAK_USD, 94e9, 94e9},
        {"2026-01-31", "all", "all", EVENTS_LIQUIDATED_USD, 2.56e9, 2.56e9},
        {"2026-02-05", "BTC", "all", EVENTS_LIQUIDATED_USD, 1.35e9, 1.35e9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct event_figure *found =
            figure(rows[i].name, rows[i].measure, rows[i].symbol, rows[i].venue);
        assert_true(found->low == rows[i].low);
        assert_true(found->high == rows[i].high);
    }
}

/* Whatever side and coin are told apart cannot exceed the whole. */
static void assert_parts(const struct event *event, const char *symbol)
{
    const struct event_figure *total = events_figure(event, EVENTS_LIQUIDATED_USD, symbol, "all");
    const struct event_figure *longs =
        events_figure(event, EVENTS_LIQUIDATED_LONG_USD, symbol, "all");
    const struct event_figure *shorts =
        events_figure(event, EVENTS_LIQUIDATED_SHORT_USD, symbol, "all");
    if (total == NULL || longs == NULL || longs->at_ms != total->at_ms)
        return;
    assert_true(longs->low + (shorts != NULL ? shorts->low : 0.0) <= total->high);
}

static void parts_do_not_exceed_the_whole(void **state)
{
    for (size_t i = 0; i < shipped.count; i++) {
        const struct event *event = &shipped.items[i];
        const struct event_figure *all = events_figure(event, EVENTS_LIQUIDATED_USD, "all", "all");
        assert_parts(event, "all");
        assert_parts(event, "BTC");
        assert_parts(event, "ETH");
        double venues = 0.0, coins = 0.0;
        for (size_t f = 0; f < event->count; f++) {
            const struct event_figure *part = &event->figures[f];
            if (part->measure != EVENTS_LIQUIDATED_USD)
                continue;
            if (strcmp(part->symbol, "all") == 0 && strcmp(part->venue, "all") != 0)
                venues += part->low;
            if (strcmp(part->symbol, "all") != 0 && strcmp(part->venue, "all") == 0)
                coins += part->low;
        }
        assert_non_null(all);
        assert_true(venues <= all->high);
        assert_true(coins <= all->high);
    }
}

static void every_fall_is_one(void **state)
{
    for (size_t i = 0; i < shipped.count; i++) {
        const struct event *event = &shipped.items[i];
        const struct event_figure *low = events_figure(event, EVENTS_PRICE_LOW, "BTC", "binance");
        assert_true(low->at_ms >= event->start_ms);
        assert_true(low->at_ms + low->span_ms <= event->end_ms);
        assert_true(event->end_ms - event->start_ms >= CALENDAR_DAY_MS);
        const struct event_figure *before =
            events_figure(event, EVENTS_PRICE_BEFORE, "BTC", "binance");
        assert_true(before == NULL ||
                    (before->at_ms == event->start_ms && before->low > low->high));
        for (size_t f = 0; f < event->count; f++) {
            const struct event_figure *oi = &event->figures[f];
            if (oi->measure != EVENTS_OI_BEFORE_USD)
                continue;
            const struct event_figure *after =
                events_figure(event, EVENTS_OI_AFTER_USD, oi->symbol, oi->venue);
            assert_non_null(after);
            assert_true(after->high < oi->low);
        }
    }
}

/* --- against the data --- */

static void read_real(struct series *out, enum market_input role, const char *relative,
                      const char *format)
{
    const char *path = scratch_real(relative);
    struct error err = {0};
    if (path == NULL)
        skip();
    struct source_spec spec = {.present = true,
                               .role = role,
                               .path = memory_text(path),
                               .format = memory_text(format),
                               .header = -1};
    int code = series_read(out, &spec, CALENDAR_NONE, CALENDAR_NONE, NULL, &err);
    source_spec_free(&spec);
    if (code != ERROR_NONE)
        fail_msg("%s:%ld: %s", err.file, err.line, err.message);
}

static size_t row_at(const struct series *series, int64_t time_ms)
{
    for (size_t i = 0; i < series->rows; i++)
        if (series->time_ms[i] == time_ms)
            return i;
    fail_msg("the data have no row at %lld", (long long)time_ms);
    return 0;
}

/* Funding stamps come some milliseconds late. */
static size_t stamp_at(const struct series *series, int64_t time_ms)
{
    for (size_t i = 0; i < series->rows; i++)
        if (llabs(series->time_ms[i] - time_ms) < CALENDAR_MINUTE_MS)
            return i;
    fail_msg("the data have no stamp at %lld", (long long)time_ms);
    return 0;
}

/* The table rounds prices to a dollar, and the low of the hour in brackets is the lowest of the
   window. */
static void prices_are_those_of_the_hourly_data(void **state)
{
    struct series price;
    read_real(&price, MARKET_PRICE, "binance-1h/btcusdt-price.csv.zst", "ohlcv_ms");
    for (size_t i = 0; i < shipped.count; i++) {
        const struct event *event = &shipped.items[i];
        const struct event_figure *low = events_figure(event, EVENTS_PRICE_LOW, "BTC", "binance");
        const struct event_figure *before =
            events_figure(event, EVENTS_PRICE_BEFORE, "BTC", "binance");
        assert_near(price.column[SERIES_LOW][row_at(&price, low->at_ms)], low->low, 0.6);
        if (before != NULL)
            assert_near(price.column[SERIES_HIGH][row_at(&price, before->at_ms)], before->low, 0.6);
        for (size_t r = 0; r < price.rows; r++)
            if (price.time_ms[r] >= event->start_ms && price.time_ms[r] < event->end_ms)
                assert_true(price.column[SERIES_LOW][r] >= low->low - 0.6);
    }
    series_free(&price);
}

static void assert_settlements(const struct series *funding, const struct event *event,
                               const struct event_figure *figure)
{
    const double half_digit = 0.5e-5 + 1e-12;
    size_t settled = 0;
    for (size_t r = 0; r < funding->rows; r++) {
        double rate = funding->column[SERIES_RATE][r];
        if (funding->time_ms[r] < event->start_ms || funding->time_ms[r] >= event->end_ms)
            continue;
        assert_true(rate >= figure->low - half_digit && rate <= figure->high + half_digit);
        settled++;
    }
    assert_true(settled >= 3);
}

/* Rates are published in thousandths of a percent. */
static void funding_is_what_was_settled(void **state)
{
    struct series funding;
    size_t checked = 0;
    read_real(&funding, MARKET_FUNDING, "binance-1h/btcusdt-funding.csv.zst", "funding_ms");
    for (size_t i = 0; i < shipped.count; i++) {
        for (size_t f = 0; f < shipped.items[i].count; f++) {
            const struct event_figure *figure = &shipped.items[i].figures[f];
            if (strcmp(figure->venue, "binance") != 0)
                continue;
            if (figure->measure == EVENTS_FUNDING)
                assert_settlements(&funding, &shipped.items[i], figure);
            if (figure->measure == EVENTS_FUNDING_BEFORE ||
                figure->measure == EVENTS_FUNDING_AFTER) {
                double rate = funding.column[SERIES_RATE][stamp_at(&funding, figure->at_ms)];
                assert_true(rate >= figure->low - 0.5e-5 - 1e-12);
                assert_true(rate <= figure->high + 0.5e-5 + 1e-12);
                checked++;
            }
        }
    }
    assert_true(checked >= 15);
    series_free(&funding);
}

/* Open interest of all exchanges is published to three digits. */
static void open_interest_is_that_of_the_daily_data(void **state)
{
    const char *path = scratch_real("oi-daily/btc-all-exchanges-usd.csv.zst");
    struct error err = {0};
    struct series oi;
    size_t checked = 0;
    if (path == NULL)
        skip();
    struct source_spec spec = {.present = true,
                               .role = MARKET_OI,
                               .path = memory_text(path),
                               .format = memory_text("generic"),
                               .unit = SOURCE_UNIT_USD,
                               .header = 1,
                               .time_column = memory_text("Date"),
                               .time_format = memory_text("%Y.%m.%d"),
                               .columns = memory_zeroed(1, sizeof *spec.columns),
                               .column_count = 1};
    spec.columns[0] = (struct source_column){.field = SERIES_OI, .name = memory_text("Data")};
    int code = series_read(&oi, &spec, CALENDAR_NONE, CALENDAR_NONE, NULL, &err);
    source_spec_free(&spec);
    if (code != ERROR_NONE)
        fail_msg("%s:%ld: %s", err.file, err.line, err.message);
    for (size_t i = 0; i < shipped.count; i++) {
        for (size_t f = 0; f < shipped.items[i].count; f++) {
            const struct event_figure *figure = &shipped.items[i].figures[f];
            if ((figure->measure != EVENTS_OI_BEFORE_USD &&
                 figure->measure != EVENTS_OI_AFTER_USD) ||
                !figure->observed)
                continue;
            double there = oi.column[SERIES_OI][row_at(&oi, figure->at_ms)];
            assert_near(figure->low / there, 1.0, 0.005);
            checked++;
        }
    }
    assert_int_equal(checked, 11);
    series_free(&oi);
}

/* --- files of users --- */

static void an_own_file_is_read_and_ordered(void **state)
{
    struct events events;
    struct error err = {0};
    const char *path =
        scratch_text("own.csv", HEADER
                     "b,Second," WINDOW "BTC,binance,price_low,2024-08-05T06:00Z,1h,48888,48888,"
                     "usd,observed,me\n"
                     "a,First,2023-01-01,2023-01-02,all,all,liquidated_usd,,,1e9,,usd,press,you\n"
                     "b,Second," WINDOW "all,all,funding_after,,,,0,fraction,press,them\n");
    assert_int_equal(events_read(&events, path, &err), ERROR_NONE);
    assert_int_equal(events.count, 2);
    assert_string_equal(events.items[0].name, "a");
    assert_string_equal(events.items[1].title, "Second");
    assert_int_equal(events.items[1].count, 2);
    assert_int_equal(events.input.rows, 3);
    assert_string_equal(events.input.path, path);
    assert_true(isinf(events.items[0].figures[0].high));
    assert_true(events.items[0].figures[0].at_ms == CALENDAR_NONE);
    assert_true(isinf(events.items[1].figures[1].low) && events.items[1].figures[1].high == 0.0);
    events_free(&events);
}

static void a_wrong_row_is_told_with_line_and_column(void **state)
{
    static const struct {
        const char *rows, *key;
        long line, column;
    } cases[] = {
        {"a,A," WINDOW "BTC,binance,price_lwo,,,1,1,usd,press,s\n", "figure", 2, 7},
        {"a,A," WINDOW "BTC,binance,price_low,,,2,1,usd,press,s\n", "high", 2, 11},
        {"a,A," WINDOW "BTC,binance,price_low,,,,,usd,press,s\n", "low", 2, 10},
        {"a,A," WINDOW "BTC,binance,price_low,,,-1,1,usd,press,s\n", "low", 2, 10},
        {"a,A," WINDOW "BTC,binance,price_low,,,1,inf,usd,press,s\n", "high", 2, 11},
        {"a,A," WINDOW "BTC,binance,price_low,,,1,one,usd,press,s\n", "high", 2, 11},
        {"a,A," WINDOW "BTC,binance,funding,,,0.01,1.5,fraction,press,s\n", "high", 2, 11},
        {"a,A," WINDOW "BTC,binance,price_low,,,1,1,coins,press,s\n", "unit", 2, 12},
        {"a,A," WINDOW "BTC,binance,price_low,,,1,1,usd,rumour,s\n", "kind", 2, 13},
        {"a,A," WINDOW "BTC,binance,price_low,,,1,1,usd,press,\n", "source", 2, 14},
        {"a,A," WINDOW "BTC,binance,price_low,noon,1h,1,1,usd,press,s\n", "at", 2, 8},
        {"a,A," WINDOW "BTC,binance,price_low,,1h,1,1,usd,press,s\n", "at", 2, 8},
        {"a,A," WINDOW "BTC,binance,price_low,2024-08-05,,1,1,usd,press,s\n", "span", 2, 9},
        {"a,A," WINDOW "BTC,binance,price_low,2024-08-05,0m,1,1,usd,press,s\n", "span", 2, 9},
        {"a,A,2024-13-01,2024-12-02,BTC,binance,price_low,,,1,1,usd,press,s\n", "start", 2, 3},
        {"a,A,2024-12-02,2024-12-02,BTC,binance,price_low,,,1,1,usd,press,s\n", "end", 2, 4},
        {"a,A,2024-12-02,,BTC,binance,price_low,,,1,1,usd,press,s\n", "end", 2, 4},
        {",A," WINDOW "BTC,binance,price_low,,,1,1,usd,press,s\n", "event", 2, 1},
        {"a,," WINDOW "BTC,binance,price_low,,,1,1,usd,press,s\n", "title", 2, 2},
        {"a,A," WINDOW ",binance,price_low,,,1,1,usd,press,s\n", "symbol", 2, 5},
        {"a,A," WINDOW "BTC,,price_low,,,1,1,usd,press,s\n", "venue", 2, 6},
        {"a,A," WINDOW "BTC,x,price_low,,,1,1,usd,press,s\n"
         "a,B," WINDOW "BTC,y,price_low,,,1,1,usd,press,s\n",
         "title", 3, 2},
        {"a,A," WINDOW "BTC,x,price_low,,,1,1,usd,press,s\n"
         "a,A,2024-08-04T12:00Z,2024-08-06,BTC,y,price_low,,,1,1,usd,press,s\n",
         "end", 3, 4},
        {"a,A," WINDOW "BTC,x,price_low,,,1,1,usd,press,s\n"
         "a,A," WINDOW "BTC,x,price_low,,,2,2,usd,press,t\n",
         "figure", 3, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        struct events events;
        struct error err = {0};
        snprintf(text, sizeof text, "%s%s", HEADER, cases[i].rows);
        const char *path = scratch_text("wrong.csv", text);
        assert_int_equal(events_read(&events, path, &err), ERROR_DATA);
        assert_string_equal(err.file, path);
        assert_string_equal(err.key, cases[i].key);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.column, cases[i].column);
        assert_true(err.message[0] != '\0');
        assert_null(events.items);
    }
}

static void a_misspelt_figure_gets_a_suggestion(void **state)
{
    struct events events;
    struct error err = {0};
    const char *path =
        scratch_text("wrong.csv", HEADER "a,A," WINDOW "BTC,binance,price_lwo,,,1,1,usd,press,s\n");
    assert_int_equal(events_read(&events, path, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "did you mean price_low?"));
}

static void files_that_are_none_are_refused(void **state)
{
    struct events events;
    struct error err = {0};
    assert_int_equal(events_read(&events, scratch_path("absent.csv"), &err), ERROR_IO);
    assert_int_equal(events_read(&events, "builtin:crashes", &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "builtin:events"));
    assert_int_equal(events_read(&events, scratch_text("none.csv", HEADER), &err), ERROR_DATA);
    assert_int_equal(events_read(&events, scratch_text("other.csv", "time,price\n1,2\n"), &err),
                     ERROR_DATA);
}

static void running_out_of_memory_leaves_nothing_behind(void **state)
{
    long refused = 0;
    for (long countdown = 1;; countdown++) {
        struct events events;
        struct error err = {0};
        memory_fail_after(countdown);
        int code = events_read(&events, EVENTS_BUILTIN, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE) {
            assert_int_equal(events.count, CRASHES);
            events_free(&events);
            break;
        }
        assert_int_equal(code, ERROR_IO);
        assert_null(events.items);
        refused++;
    }
    assert_true(refused >= 1);
}

/* --- finding --- */

static void an_event_is_found_by_name_or_told_which_there_are(void **state)
{
    const struct event *event = NULL;
    struct error err = {0};
    assert_int_equal(events_require(&shipped, "2024-08-05", &event, &err), ERROR_NONE);
    assert_int_equal(event->start_ms, at("2024-08-04T12:00Z"));
    assert_int_equal(events_require(&shipped, "2024-08-06", &event, &err), ERROR_DATA);
    assert_null(event);
    assert_non_null(strstr(err.message, "2024-08-05"));
    assert_null(events_find(&shipped, "2024"));
}

static void the_latest_of_several_figures_is_found(void **state)
{
    const struct event *event = events_find(&shipped, "2022-11-08");
    assert_int_equal(events_figure(event, EVENTS_OI_AFTER_USD, "BTC", "all")->at_ms,
                     at("2022-11-09"));
    assert_null(events_figure(event, EVENTS_OI_AFTER_USD, "ETH", "all"));
}

static void distances_are_ratios_to_the_nearer_end(void **state)
{
    struct event_figure figure = {.low = 2.0, .high = 4.0};
    assert_near(events_log_distance(&figure, 3.0), 0.0, 0.0);
    assert_near(events_log_distance(&figure, 1.0), log(2.0), 1e-15);
    assert_near(events_log_distance(&figure, 12.0), log(3.0), 1e-15);
    figure.high = INFINITY;
    assert_near(events_log_distance(&figure, 1e12), 0.0, 0.0);
    assert_true(isnan(events_log_distance(&figure, 0.0)));
    assert_true(isnan(events_log_distance(&figure, NAN)));
}

static void a_window_is_covered_by_data_from_its_start_to_its_end(void **state)
{
    const struct event *event = events_find(&shipped, "2024-08-05");
    assert_true(events_covered(event, event->start_ms, event->end_ms));
    assert_false(events_covered(event, event->start_ms + 1, event->end_ms));
    assert_false(events_covered(event, event->start_ms, event->end_ms - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_crash_is_there_with_its_prices),
        cmocka_unit_test(figures_are_the_published_ones),
        cmocka_unit_test(parts_do_not_exceed_the_whole),
        cmocka_unit_test(every_fall_is_one),
        cmocka_unit_test(prices_are_those_of_the_hourly_data),
        cmocka_unit_test(funding_is_what_was_settled),
        cmocka_unit_test(open_interest_is_that_of_the_daily_data),
        cmocka_unit_test(an_own_file_is_read_and_ordered),
        cmocka_unit_test(a_wrong_row_is_told_with_line_and_column),
        cmocka_unit_test(a_misspelt_figure_gets_a_suggestion),
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
        cmocka_unit_test(an_event_is_found_by_name_or_told_which_there_are),
        cmocka_unit_test(the_latest_of_several_figures_is_found),
        cmocka_unit_test(distances_are_ratios_to_the_nearer_end),
        cmocka_unit_test(a_window_is_covered_by_data_from_its_start_to_its_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
