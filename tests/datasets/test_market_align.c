/* Claims about putting one series on the market's clock, on series written by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "datasets/market_align.h"

#define MINUTE CALENDAR_MINUTE_MS
#define HOUR CALENDAR_HOUR_MS
#define DAY CALENDAR_DAY_MS
#define START INT64_C(1722816000000) /* 2024-08-05T00:00Z */

static char input_path[] = "btc.csv";
static struct series_input input = {.path = input_path};

static struct series series_of(int64_t *time, size_t rows, int64_t step)
{
    struct series series = {
        .rows = rows, .time_ms = time, .step_ms = step, .inputs = &input, .input_count = 1};
    return series;
}

static struct series price_of(int64_t *time, size_t rows, int64_t step, double *open, double *high,
                              double *low, double *close)
{
    struct series series = series_of(time, rows, step);
    series.column[SERIES_OPEN] = open;
    series.column[SERIES_HIGH] = high;
    series.column[SERIES_LOW] = low;
    series.column[SERIES_CLOSE] = close;
    return series;
}

static struct market_align align_of(int64_t step, size_t bars, enum quality_action gap)
{
    struct market_align how = {
        .start_ms = START, .step_ms = step, .bars = bars, .gap = gap, .key = "data.test"};
    return how;
}

struct four_bars {
    double open[8], high[8], low[8], close[8];
};

static struct market_bars bars_in(struct four_bars *room)
{
    struct market_bars bars = {room->open, room->high, room->low, room->close};
    return bars;
}

#define assert_near(value, expected)                                                 \
    do {                                                                             \
        print_message("  %s = %.12g, expected %.12g\n", #value, (double)(value),     \
                      (double)(expected));                                           \
        assert_true(fabs((value) - (expected)) <= 1e-12 * fabs((double)(expected))); \
    } while (0)

static void assert_data_error(int code, const struct error *err, const char *part)
{
    print_message("  %s: %s: %s\n", err->file, err->key, err->message);
    assert_int_equal(code, ERROR_DATA);
    assert_int_equal(err->code, ERROR_DATA);
    assert_string_equal(err->key, "data.test");
    assert_string_equal(err->file, "btc.csv");
    assert_non_null(strstr(err->message, part));
}

/* ---- Price ---- */

/* Six 10-minute rows, of which the tests below leave some out. */
static double six_open[] = {100, 101, 104, 103, 99, 98};
static double six_high[] = {102, 105, 104, 103, 100, 99};
static double six_low[] = {99, 101, 102, 95, 97, 98};
static double six_close[] = {101, 104, 103, 99, 98, 98.5};

static void minutes(int64_t *time, const int *minute, size_t count)
{
    for (size_t i = 0; i < count; i++)
        time[i] = START + minute[i] * MINUTE;
}

static void a_coarser_bar_has_first_open_highest_high_lowest_low_last_close(void **state)
{
    int64_t time[6];
    minutes(time, (int[]){0, 10, 20, 30, 40, 50}, 6);
    struct series series = price_of(time, 6, 10 * MINUTE, six_open, six_high, six_low, six_close);
    struct market_align how = align_of(30 * MINUTE, 2, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    struct error err = {0};

    assert_int_equal(market_align_price(&series, &how, &out, &err), ERROR_NONE);
    assert_near(out.open[0], 100);
    assert_near(out.high[0], 105);
    assert_near(out.low[0], 99);
    assert_near(out.close[0], 103);
    assert_near(out.open[1], 103);
    assert_near(out.high[1], 103);
    assert_near(out.low[1], 95);
    assert_near(out.close[1], 98.5);
}

static void a_step_finer_than_the_data_is_refused_with_both_steps(void **state)
{
    int64_t time[6];
    minutes(time, (int[]){0, 10, 20, 30, 40, 50}, 6);
    struct series series = price_of(time, 6, 10 * MINUTE, six_open, six_high, six_low, six_close);
    struct market_align how = align_of(MINUTE, 8, QUALITY_CARRY);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    struct error err = {0};

    assert_data_error(market_align_price(&series, &how, &out, &err), &err, "step of 1m is finer");
    assert_non_null(strstr(err.message, "every 10m"));

    how.step_ms = 25 * MINUTE;
    how.bars = 2;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err, "multiple of 10m");

    how.step_ms = 10 * MINUTE;
    how.start_ms = START + 5 * MINUTE;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err,
                      "no row can start at 2024-08-05T00:05:00Z");
}

/* Rows at 00:00, 00:10 and 00:40: 00:20 and 00:30 are missing between closes 104 and 98. */
static struct series gapped(int64_t time[4])
{
    static double open[] = {100, 101, 99, 98}, high[] = {102, 105, 100, 99};
    static double low[] = {99, 101, 97, 98}, close[] = {101, 104, 98, 98.5};
    minutes(time, (int[]){0, 10, 40, 50}, 4);
    return price_of(time, 4, 10 * MINUTE, open, high, low, close);
}

static void a_gap_under_error_names_file_time_and_step(void **state)
{
    int64_t time[4];
    struct series series = gapped(time);
    struct market_align how = align_of(10 * MINUTE, 6, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    struct error err = {0};

    assert_data_error(market_align_price(&series, &how, &out, &err), &err,
                      "no row at 2024-08-05T00:20:00Z");
    assert_non_null(strstr(err.message, "2024-08-05T00:10:00Z"));
    assert_non_null(strstr(err.message, "every 10m"));

    /* The quality report knows the file and the line behind the gap. */
    char other[] = "btc-2.csv";
    struct quality_finding finding = {.flaw = QUALITY_GAP,
                                      .from_ms = START + 20 * MINUTE,
                                      .to_ms = START + 30 * MINUTE,
                                      .line = 3,
                                      .file = other};
    series.quality.findings = &finding;
    series.quality.finding_count = 1;
    market_align_price(&series, &how, &out, &err);
    assert_string_equal(err.file, "btc-2.csv");
    assert_int_equal(err.line, 3);
}

static void a_carried_gap_is_flat_at_the_last_close(void **state)
{
    int64_t time[4];
    struct series series = gapped(time);
    struct market_align how = align_of(10 * MINUTE, 6, QUALITY_CARRY);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    struct error err = {0};

    assert_int_equal(market_align_price(&series, &how, &out, &err), ERROR_NONE);
    for (size_t i = 2; i <= 3; i++) {
        assert_near(out.open[i], 104);
        assert_near(out.high[i], 104);
        assert_near(out.low[i], 104);
        assert_near(out.close[i], 104);
    }
    assert_near(out.low[4], 97);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 2);
}

static void an_interpolated_gap_has_closes_on_a_line(void **state)
{
    int64_t time[4];
    struct series series = gapped(time);
    struct market_align how = align_of(10 * MINUTE, 6, QUALITY_INTERPOLATE);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    struct error err = {0};

    /* From the close of 104 at 00:20 to the open of 99 at 00:40: 101.5, then 99. */
    assert_int_equal(market_align_price(&series, &how, &out, &err), ERROR_NONE);
    assert_near(out.close[2], 101.5);
    assert_near(out.open[2], 101.5);
    assert_near(out.close[3], 99);
    assert_near(out.high[3], 99);
    assert_near(out.close[4], 98);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 2);
}

static void an_accepted_gap_may_not_leave_a_bar_empty(void **state)
{
    int64_t time[4];
    struct series series = gapped(time);
    struct market_align how = align_of(30 * MINUTE, 2, QUALITY_ACCEPT);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    struct error err = {0};

    assert_int_equal(market_align_price(&series, &how, &out, &err), ERROR_NONE);
    assert_near(out.close[0], 104);
    assert_near(out.open[1], 99);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 0);

    how.step_ms = 10 * MINUTE;
    how.bars = 6;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err,
                      "bar at 2024-08-05T00:20:00Z has no row");
}

static void data_that_begin_late_or_stop_early_are_no_gap_to_fill(void **state)
{
    int64_t time[4];
    struct series series = gapped(time);
    struct market_align how = align_of(10 * MINUTE, 8, QUALITY_CARRY);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    struct error err = {0};

    assert_data_error(market_align_price(&series, &how, &out, &err), &err,
                      "covers 2024-08-05T00:00:00Z to 2024-08-05T01:00:00Z");
    assert_non_null(strstr(err.message, "through 2024-08-05T01:20:00Z"));

    how.start_ms = START - 10 * MINUTE;
    how.bars = 2;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err,
                      "expected 2024-08-04T23:50:00Z");

    /* A gap over the window's start is filled from the row before it. */
    how.start_ms = START + 20 * MINUTE;
    how.bars = 4;
    assert_int_equal(market_align_price(&series, &how, &out, &err), ERROR_NONE);
    assert_near(out.close[0], 104);
}

static void a_price_that_is_no_positive_number_is_refused(void **state)
{
    int64_t time[4];
    struct series series = gapped(time);
    struct market_align how = align_of(10 * MINUTE, 2, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars out = bars_in(&room);
    double low[] = {99, 101, 97, 98};
    struct error err = {0};

    series.column[SERIES_LOW] = low;
    assert_int_equal(market_align_price(&series, &how, &out, &err), ERROR_NONE);
    low[1] = NAN;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err, "low = nan");
    low[1] = 0;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err, "low = 0");
    low[1] = -1;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err, "low = -1");
    series.column[SERIES_LOW] = NULL;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err, "column for low");
    series.rows = 0;
    assert_data_error(market_align_price(&series, &how, &out, &err), &err, "has no rows");
}

/* ---- Volume ---- */

static void volume_is_conserved_whether_summed_or_spread(void **state)
{
    int64_t time[] = {START, START + HOUR, START + 2 * HOUR, START + 3 * HOUR};
    double volume[] = {8, 4, 2, 1};
    struct series series = series_of(time, 4, HOUR);
    struct market_align how = align_of(2 * HOUR, 2, QUALITY_ERROR);
    double out[8];
    struct error err = {0};

    series.column[SERIES_VOLUME] = volume;
    assert_int_equal(market_align_volume(&series, &how, out, &err), ERROR_NONE);
    assert_near(out[0], 12);
    assert_near(out[1], 3);

    how = align_of(30 * MINUTE, 8, QUALITY_ERROR);
    assert_int_equal(market_align_volume(&series, &how, out, &err), ERROR_NONE);
    double expected[] = {4, 4, 2, 2, 1, 1, 0.5, 0.5};
    for (size_t i = 0; i < 8; i++)
        assert_near(out[i], expected[i]);
}

static void a_day_of_volume_that_began_before_the_window_is_spread_into_it(void **state)
{
    int64_t time[] = {START - DAY, START};
    double volume[] = {2400, 4800};
    struct series series = series_of(time, 2, DAY);
    struct market_align how = align_of(HOUR, 4, QUALITY_ERROR);
    double out[4];
    struct error err = {0};

    /* 22:00 to 02:00: 100 coins an hour, then 200. */
    how.start_ms = START - 2 * HOUR;
    series.column[SERIES_VOLUME] = volume;
    assert_int_equal(market_align_volume(&series, &how, out, &err), ERROR_NONE);
    assert_near(out[0], 100);
    assert_near(out[1], 100);
    assert_near(out[2], 200);
    assert_near(out[3], 200);
}

static void nothing_is_traded_in_a_filled_gap(void **state)
{
    int64_t time[] = {START, START + HOUR, START + 3 * HOUR};
    double volume[] = {1, 10, 20};
    struct series series = series_of(time, 3, HOUR);
    struct market_align how = align_of(HOUR, 4, QUALITY_CARRY);
    double out[4];
    struct error err = {0};

    series.column[SERIES_VOLUME] = volume;
    assert_int_equal(market_align_volume(&series, &how, out, &err), ERROR_NONE);
    assert_true(out[2] == 0.0);
    assert_near(out[3], 20);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 1);
    how.gap = QUALITY_INTERPOLATE;
    assert_int_equal(market_align_volume(&series, &how, out, &err), ERROR_NONE);
    assert_true(out[2] == 0.0);
    how.gap = QUALITY_ACCEPT;
    assert_data_error(market_align_volume(&series, &how, out, &err), &err,
                      "2024-08-05T02:00:00Z has no row");
    how.gap = QUALITY_ERROR;
    assert_data_error(market_align_volume(&series, &how, out, &err), &err,
                      "no row at 2024-08-05T02:00:00Z");
}

/* ---- Open interest ---- */

static struct market_bars flat_mark(struct four_bars *room, double open, const double *close,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        room->open[i] = i == 0 ? open : close[i - 1];
        room->close[i] = close[i];
    }
    return bars_in(room);
}

static void bars_of_open_interest_hold_their_close_from_their_end(void **state)
{
    int64_t time[] = {START, START + HOUR};
    double open[] = {100, 110}, close[] = {108, 95};
    struct series series = series_of(time, 2, HOUR);
    struct market_align how = align_of(30 * MINUTE, 4, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars mark = flat_mark(&room, 1, (double[]){1, 1, 1, 1}, 4);
    double out[4];
    struct error err = {0};

    /* At 00:30 only the open of 00:00 is known; 108 from 01:00, 95 from 02:00. */
    series.column[SERIES_OI_OPEN] = open;
    series.column[SERIES_OI] = close;
    assert_int_equal(market_align_oi(&series, &how, &mark, out, &err), ERROR_NONE);
    assert_near(out[0], 100);
    assert_near(out[1], 108);
    assert_near(out[2], 108);
    assert_near(out[3], 95);
}

static void a_snapshot_of_open_interest_holds_from_its_stamp(void **state)
{
    int64_t time[] = {START, START + HOUR, START + 2 * HOUR};
    double oi[] = {100, 110, 90};
    struct series series = series_of(time, 3, HOUR);
    struct market_align how = align_of(30 * MINUTE, 4, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars mark = flat_mark(&room, 1, (double[]){1, 1, 1, 1}, 4);
    double out[4];
    struct error err = {0};

    series.column[SERIES_OI] = oi;
    assert_int_equal(market_align_oi(&series, &how, &mark, out, &err), ERROR_NONE);
    assert_near(out[0], 100);
    assert_near(out[1], 110);
    assert_near(out[2], 110);
    assert_near(out[3], 90);

    how.gap = QUALITY_INTERPOLATE;
    assert_int_equal(market_align_oi(&series, &how, &mark, out, &err), ERROR_NONE);
    assert_near(out[0], 105);
    assert_near(out[1], 110);
    assert_near(out[2], 100);
    assert_near(out[3], 90);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 0);
}

static void dollars_of_open_interest_become_coins_once_at_their_stamp(void **state)
{
    int64_t time[] = {START, START + 2 * HOUR};
    double oi[] = {1e6, 1.2e6};
    struct series series = series_of(time, 2, 2 * HOUR);
    struct market_align how = align_of(HOUR, 4, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars mark = flat_mark(&room, 50000, (double[]){40000, 30000, 20000, 10000}, 4);
    double out[4];
    struct error err = {0};

    /* 20 BTC at the first open of 50,000; 40 BTC at 30,000, the close at 02:00. The fall of the
       price between stamps is no change of open interest. */
    series.column[SERIES_OI] = oi;
    series.oi_unit = SOURCE_UNIT_USD;
    assert_int_equal(market_align_oi(&series, &how, &mark, out, &err), ERROR_NONE);
    assert_near(out[0], 20);
    assert_near(out[1], 40);
    assert_near(out[2], 40);
    assert_near(out[3], 40);
}

static void open_interest_must_cover_the_window(void **state)
{
    int64_t time[] = {START + HOUR, START + 2 * HOUR, START + 3 * HOUR};
    double oi[] = {100, 110, 120};
    struct series series = series_of(time, 3, HOUR);
    struct market_align how = align_of(30 * MINUTE, 8, QUALITY_CARRY);
    struct four_bars room;
    struct market_bars mark = flat_mark(&room, 1, (double[]){1, 1, 1, 1, 1, 1, 1, 1}, 8);
    double out[8];
    struct error err = {0};

    /* One step late at the start, held for one step at the end: as far as it goes. */
    series.column[SERIES_OI] = oi;
    assert_int_equal(market_align_oi(&series, &how, &mark, out, &err), ERROR_NONE);
    assert_near(out[0], 100);
    assert_near(out[7], 120);

    series.rows = 2;
    assert_data_error(market_align_oi(&series, &how, &mark, out, &err), &err,
                      "covers 2024-08-05T01:00:00Z to 2024-08-05T02:00:00Z");
    series.rows = 3;
    how.start_ms = START - 30 * MINUTE;
    assert_data_error(market_align_oi(&series, &how, &mark, out, &err), &err,
                      "expected 2024-08-04T23:30:00Z through 2024-08-05T03:30:00Z");
}

static void a_gap_in_open_interest_follows_the_policy(void **state)
{
    int64_t time[] = {START, START + HOUR, START + 4 * HOUR};
    double oi[] = {100, 110, 80};
    struct series series = series_of(time, 3, HOUR);
    struct market_align how = align_of(HOUR, 4, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars mark = flat_mark(&room, 1, (double[]){1, 1, 1, 1}, 4);
    double out[4];
    struct error err = {0};

    series.column[SERIES_OI] = oi;
    assert_data_error(market_align_oi(&series, &how, &mark, out, &err), &err,
                      "no row at 2024-08-05T02:00:00Z");
    how.gap = QUALITY_CARRY;
    assert_int_equal(market_align_oi(&series, &how, &mark, out, &err), ERROR_NONE);
    assert_near(out[2], 110);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 2);
    how.gap = QUALITY_INTERPOLATE;
    assert_int_equal(market_align_oi(&series, &how, &mark, out, &err), ERROR_NONE);
    assert_near(out[1], 100);
    assert_near(out[2], 90);
    assert_near(out[3], 80);

    oi[1] = -5;
    assert_data_error(market_align_oi(&series, &how, &mark, out, &err), &err, "oi = -5");
}

/* ---- Funding ---- */

static void a_payment_belongs_to_the_bar_it_falls_due_at(void **state)
{
    /* On time, 7 ms late, 999 ms early, exactly a second early. */
    int64_t time[] = {START, START + 8 * HOUR + 7, START + 16 * HOUR - 999,
                      START + 24 * HOUR - 1000};
    double rate[] = {1e-4, 2e-4, -3e-4, 5e-4};
    struct series series = series_of(time, 4, 8 * HOUR);
    struct market_align how = align_of(HOUR, 25, QUALITY_ERROR);
    double out[25];
    struct error err = {0};

    series.column[SERIES_RATE] = rate;
    assert_int_equal(market_align_funding(&series, &how, 0, out, &err), ERROR_NONE);
    for (size_t i = 0; i < 25; i++) {
        double expected = i == 0 ? 1e-4 : i == 8 ? 2e-4 : i == 16 ? -3e-4 : i == 23 ? 5e-4 : 0.0;
        assert_true(out[i] == expected);
    }

    /* Daily bars pay the sum of their three rates. */
    how = align_of(DAY, 1, QUALITY_ERROR);
    assert_int_equal(market_align_funding(&series, &how, 0, out, &err), ERROR_NONE);
    assert_near(out[0], 5e-4);
}

static void a_funding_rate_in_percent_is_recognised(void **state)
{
    int64_t time[] = {START, START + 8 * HOUR};
    double rate[] = {0.03, 0.06};
    struct series series = series_of(time, 2, 8 * HOUR);
    struct market_align how = align_of(HOUR, 8, QUALITY_ERROR);
    double out[8];
    struct error err = {0};

    series.column[SERIES_RATE] = rate;
    assert_data_error(market_align_funding(&series, &how, 0, out, &err), &err,
                      "expected a fraction");
    rate[1] = -0.049;
    assert_int_equal(market_align_funding(&series, &how, 0, out, &err), ERROR_NONE);
    rate[0] = NAN;
    assert_data_error(market_align_funding(&series, &how, 0, out, &err), &err, "rate = nan");
}

static void missing_payments_follow_the_gap_policy(void **state)
{
    int64_t time[] = {START, START + 8 * HOUR, START + 24 * HOUR};
    double rate[] = {1e-4, 2e-4, 4e-4};
    struct series series = series_of(time, 3, 8 * HOUR);
    struct market_align how = align_of(8 * HOUR, 3, QUALITY_ERROR);
    double out[3];
    struct error err = {0};

    series.column[SERIES_RATE] = rate;
    assert_data_error(market_align_funding(&series, &how, 0, out, &err), &err,
                      "no row at 2024-08-05T16:00:00Z");
    how.gap = QUALITY_CARRY;
    assert_int_equal(market_align_funding(&series, &how, 0, out, &err), ERROR_NONE);
    assert_near(out[2], 2e-4);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 1);
    how.gap = QUALITY_INTERPOLATE;
    assert_int_equal(market_align_funding(&series, &how, 0, out, &err), ERROR_NONE);
    assert_near(out[2], 3e-4);
    how.gap = QUALITY_ACCEPT;
    assert_int_equal(market_align_funding(&series, &how, 0, out, &err), ERROR_NONE);
    assert_true(out[2] == 0.0);
}

static void funding_must_cover_the_window_and_be_one_row_per_payment(void **state)
{
    int64_t time[] = {START, START + HOUR, START + 2 * HOUR, START + 3 * HOUR};
    double rate[] = {1e-4, 1e-4, 1e-4, 1e-4};
    struct series series = series_of(time, 4, HOUR);
    struct market_align how = align_of(HOUR, 4, QUALITY_ERROR);
    double out[8];
    struct error err = {0};

    series.column[SERIES_RATE] = rate;
    assert_int_equal(market_align_funding(&series, &how, HOUR, out, &err), ERROR_NONE);
    assert_data_error(market_align_funding(&series, &how, 8 * HOUR, out, &err), &err,
                      "one row per payment");
    how.bars = 8;
    assert_data_error(market_align_funding(&series, &how, 0, out, &err), &err,
                      "through 2024-08-05T08:00:00Z");
}

/* ---- Liquidations ---- */

static void a_quiet_hour_of_the_feed_is_zero_and_no_gap(void **state)
{
    int64_t time[] = {START, START + HOUR, START + 3 * HOUR};
    double longs[] = {4, 5, 6}, shorts[] = {1, 0, 2};
    struct series series = series_of(time, 3, HOUR);
    struct market_align how = align_of(HOUR, 4, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars mark = flat_mark(&room, 100, (double[]){100, 50, 25, 20}, 4);
    double out_long[4], out_short[4];
    struct error err = {0};

    series.column[SERIES_LIQ_LONG] = longs;
    series.column[SERIES_LIQ_SHORT] = shorts;
    assert_int_equal(market_align_liquidations(&series, &how, &mark, out_long, out_short, &err),
                     ERROR_NONE);
    assert_near(out_long[1], 5);
    assert_true(out_long[2] == 0.0);
    assert_near(out_long[3], 6);
    assert_near(out_short[3], 2);

    /* In dollars, divided by the close of each bar. */
    series.liq_unit = SOURCE_UNIT_USD;
    assert_int_equal(market_align_liquidations(&series, &how, &mark, out_long, out_short, &err),
                     ERROR_NONE);
    assert_near(out_long[1], 0.1);
    assert_near(out_short[3], 0.1);
}

static void a_day_of_liquidations_is_spread_and_conserved(void **state)
{
    int64_t time[] = {START, START + DAY};
    double longs[] = {24, 48}, shorts[] = {12, 0};
    struct series series = series_of(time, 2, DAY);
    struct market_align how = align_of(6 * HOUR, 8, QUALITY_ERROR);
    struct four_bars room;
    struct market_bars mark = flat_mark(&room, 1, (double[]){1, 1, 1, 1, 1, 1, 1, 1}, 8);
    double out_long[8], out_short[8], sum = 0;
    struct error err = {0};

    series.column[SERIES_LIQ_LONG] = longs;
    series.column[SERIES_LIQ_SHORT] = shorts;
    assert_int_equal(market_align_liquidations(&series, &how, &mark, out_long, out_short, &err),
                     ERROR_NONE);
    assert_near(out_long[3], 6);
    assert_near(out_long[4], 12);
    assert_near(out_short[0], 3);
    for (size_t i = 0; i < 8; i++)
        sum += out_long[i];
    assert_near(sum, 72);

    how = align_of(DAY, 4, QUALITY_ERROR);
    assert_data_error(market_align_liquidations(&series, &how, &mark, out_long, out_short, &err),
                      &err, "through 2024-08-09T00:00:00Z");
    how.bars = 2;
    longs[0] = NAN;
    assert_data_error(market_align_liquidations(&series, &how, &mark, out_long, out_short, &err),
                      &err, "liq_long = nan");
}

/* ---- Index ---- */

static void an_index_needs_only_closes_and_the_last_of_a_bar_counts(void **state)
{
    int64_t time[4];
    minutes(time, (int[]){0, 10, 20, 30}, 4);
    double close[] = {100, 101, 102, 103}, out[2];
    struct series series = series_of(time, 4, 10 * MINUTE);
    struct market_align how = align_of(20 * MINUTE, 2, QUALITY_ERROR);
    struct error err = {0};

    assert_data_error(market_align_index(&series, &how, out, &err), &err, "no column for close");
    series.column[SERIES_CLOSE] = close;
    assert_int_equal(market_align_index(&series, &how, out, &err), ERROR_NONE);
    assert_near(out[0], 101);
    assert_near(out[1], 103);
    how = align_of(5 * MINUTE, 8, QUALITY_CARRY);
    assert_data_error(market_align_index(&series, &how, out, &err), &err, "step of 5m is finer");
    how = align_of(20 * MINUTE, 2, QUALITY_ERROR);
    close[2] = 0;
    assert_data_error(market_align_index(&series, &how, out, &err), &err, "close = 0");
}

/* Closes of 101 at 00:10 and 107 at 00:40: two rows are missing, a step of 2 each. */
static void a_gap_in_the_index_follows_the_policy(void **state)
{
    int64_t time[3];
    minutes(time, (int[]){0, 10, 40}, 3);
    double close[] = {100, 101, 107}, out[6];
    struct series series = series_of(time, 3, 10 * MINUTE);
    struct market_align how = align_of(10 * MINUTE, 5, QUALITY_ERROR);
    struct error err = {0};
    series.column[SERIES_CLOSE] = close;

    assert_data_error(market_align_index(&series, &how, out, &err), &err,
                      "no row at 2024-08-05T00:20:00Z");
    how.gap = QUALITY_CARRY;
    assert_int_equal(market_align_index(&series, &how, out, &err), ERROR_NONE);
    assert_near(out[2], 101);
    assert_near(out[3], 101);
    how.gap = QUALITY_INTERPOLATE;
    assert_int_equal(market_align_index(&series, &how, out, &err), ERROR_NONE);
    assert_near(out[2], 103);
    assert_near(out[3], 105);
    assert_near(out[4], 107);
    assert_int_equal(series.quality.applied[QUALITY_GAP], 4);
    how.gap = QUALITY_ACCEPT;
    assert_data_error(market_align_index(&series, &how, out, &err), &err, "has no row at all");
    how = align_of(10 * MINUTE, 6, QUALITY_CARRY);
    assert_data_error(market_align_index(&series, &how, out, &err), &err,
                      "through 2024-08-05T01:00:00Z");
}

/* ---- Depth ---- */

/* Snapshots of four bands each: -3, -0.8, 1.5 and 5 %, 10 minutes apart. */
#define BANDS 4
struct book {
    int64_t time[8 * BANDS];
    double band[8 * BANDS], coins[8 * BANDS], usd[8 * BANDS];
    struct series series;
};

static void book_at(struct book *self, const int *minute, size_t count)
{
    static const double band[BANDS] = {-3, -0.8, 1.5, 5};
    *self = (struct book){.series = series_of(self->time, count * BANDS, 10 * MINUTE)};
    for (size_t i = 0; i < count * BANDS; i++) {
        self->time[i] = START + minute[i / BANDS] * MINUTE;
        self->band[i] = band[i % BANDS];
        /* Near bid 10, 20, 30, ..., near ask 1, 2, 3, ...; the far bands hold more. */
        double snapshot = (double)(i / BANDS + 1);
        self->coins[i] =
            snapshot * (band[i % BANDS] < 0 ? 10 : 1) + (i % BANDS % 3 == 0 ? 1000 : 0);
        self->usd[i] = 60000 * self->coins[i];
    }
    self->series.column[SERIES_BAND] = self->band;
    self->series.column[SERIES_DEPTH] = self->coins;
    self->series.column[SERIES_NOTIONAL] = self->usd;
}

static void depth_is_that_of_bid_and_ask_nearest_one_percent(void **state)
{
    static struct book book;
    struct market_align how = align_of(10 * MINUTE, 3, QUALITY_ERROR);
    double out[3];
    struct error err = {0};

    book_at(&book, (int[]){0, 10, 20, 30}, 4);
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    /* At the bars' closes, 00:10 to 00:30. */
    assert_near(out[0], 22);
    assert_near(out[1], 33);
    assert_near(out[2], 44);
    book_at(&book, (int[]){0, 10, 20, 30}, 4);
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_NOTIONAL, out, &err),
                     ERROR_NONE);
    assert_near(out[2], 44 * 60000);
    book_at(&book, (int[]){0, 10, 20, 30}, 4);
    book.series.column[SERIES_DEPTH] = NULL;
    assert_data_error(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), &err,
                      "no column for depth");
}

static void a_moment_without_one_side_does_not_count(void **state)
{
    static struct book book;
    struct market_align how = align_of(10 * MINUTE, 3, QUALITY_ERROR);
    double out[3];
    struct error err = {0};

    book_at(&book, (int[]){0, 10, 20, 30}, 4);
    book.band[1 * BANDS + 2] = 4.0; /* no ask near the price at 00:10 */
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[0], 11);
    assert_near(out[1], 33);

    /* Of a series of asks alone, the asks are the depth. */
    book_at(&book, (int[]){0, 10, 20, 30}, 4);
    for (size_t i = 0; i < 4 * BANDS; i++)
        if (book.band[i] < 0)
            book.band[i] = 10;
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[2], 4);
}

static void depth_holds_from_its_stamp_and_knows_nothing_too_early(void **state)
{
    static struct book book;
    struct market_align how = align_of(5 * MINUTE, 6, QUALITY_INTERPOLATE);
    double out[6];
    struct error err = {0};

    book_at(&book, (int[]){6, 16, 26}, 3);
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[0], 11); /* before the first stamp, which is near */
    assert_near(out[1], 11);
    assert_near(out[2], 11); /* 00:15, a minute before the second */
    assert_near(out[3], 22);
    assert_near(out[5], 33);
    assert_int_equal(book.series.quality.applied[QUALITY_GAP], 0);
}

/* 50 minutes between two snapshots of 10 are a gap; 40 are not, as books are stamped unevenly. */
static void a_gap_in_depth_follows_the_policy(void **state)
{
    static struct book book;
    struct market_align how = align_of(10 * MINUTE, 6, QUALITY_ERROR);
    double out[6];
    struct error err = {0};

    book_at(&book, (int[]){0, 40, 50, 60}, 4);
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[2], 11);
    assert_near(out[3], 22);
    book_at(&book, (int[]){0, 50, 60}, 3);
    assert_data_error(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), &err,
                      "no row at 2024-08-05T00:10:00Z");
    how.gap = QUALITY_CARRY;
    book_at(&book, (int[]){0, 50, 60}, 3);
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[3], 11);
    assert_near(out[4], 22);
    assert_int_equal(book.series.quality.applied[QUALITY_GAP], 4);
    how.gap = QUALITY_INTERPOLATE;
    book_at(&book, (int[]){0, 50, 60}, 3);
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[0], 13.2);
    assert_near(out[3], 19.8);
    how.gap = QUALITY_ACCEPT;
    book_at(&book, (int[]){0, 50, 60}, 3);
    assert_int_equal(market_align_depth(&book.series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[3], 11);
    assert_int_equal(book.series.quality.applied[QUALITY_GAP], 0);
}

static void depth_without_bands_is_one_column(void **state)
{
    int64_t time[3];
    minutes(time, (int[]){0, 60, 120}, 3);
    double depth[] = {500, 300, 400}, out[8];
    struct series series = series_of(time, 3, HOUR);
    struct market_align how = align_of(30 * MINUTE, 4, QUALITY_ERROR);
    struct error err = {0};
    series.column[SERIES_DEPTH] = depth;

    assert_int_equal(market_align_depth(&series, &how, SERIES_DEPTH, out, &err), ERROR_NONE);
    assert_near(out[0], 500);
    assert_near(out[1], 300);
    assert_near(out[2], 300);
    assert_near(out[3], 400);
    time[1] = time[2];
    series.rows = 2; /* two hours apart */
    assert_data_error(market_align_depth(&series, &how, SERIES_DEPTH, out, &err), &err,
                      "no row at 2024-08-05T01:00:00Z");
    how = align_of(HOUR, 4, QUALITY_CARRY);
    assert_data_error(market_align_depth(&series, &how, SERIES_DEPTH, out, &err), &err,
                      "through 2024-08-05T04:00:00Z");
    how.bars = 2;
    depth[0] = -1;
    assert_data_error(market_align_depth(&series, &how, SERIES_DEPTH, out, &err), &err,
                      "depth = -1");
    series.rows = 0;
    assert_data_error(market_align_depth(&series, &how, SERIES_DEPTH, out, &err), &err, "no rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_coarser_bar_has_first_open_highest_high_lowest_low_last_close),
        cmocka_unit_test(a_step_finer_than_the_data_is_refused_with_both_steps),
        cmocka_unit_test(a_gap_under_error_names_file_time_and_step),
        cmocka_unit_test(a_carried_gap_is_flat_at_the_last_close),
        cmocka_unit_test(an_interpolated_gap_has_closes_on_a_line),
        cmocka_unit_test(an_accepted_gap_may_not_leave_a_bar_empty),
        cmocka_unit_test(data_that_begin_late_or_stop_early_are_no_gap_to_fill),
        cmocka_unit_test(a_price_that_is_no_positive_number_is_refused),
        cmocka_unit_test(volume_is_conserved_whether_summed_or_spread),
        cmocka_unit_test(a_day_of_volume_that_began_before_the_window_is_spread_into_it),
        cmocka_unit_test(nothing_is_traded_in_a_filled_gap),
        cmocka_unit_test(bars_of_open_interest_hold_their_close_from_their_end),
        cmocka_unit_test(a_snapshot_of_open_interest_holds_from_its_stamp),
        cmocka_unit_test(dollars_of_open_interest_become_coins_once_at_their_stamp),
        cmocka_unit_test(open_interest_must_cover_the_window),
        cmocka_unit_test(a_gap_in_open_interest_follows_the_policy),
        cmocka_unit_test(a_payment_belongs_to_the_bar_it_falls_due_at),
        cmocka_unit_test(a_funding_rate_in_percent_is_recognised),
        cmocka_unit_test(missing_payments_follow_the_gap_policy),
        cmocka_unit_test(funding_must_cover_the_window_and_be_one_row_per_payment),
        cmocka_unit_test(a_quiet_hour_of_the_feed_is_zero_and_no_gap),
        cmocka_unit_test(a_day_of_liquidations_is_spread_and_conserved),
        cmocka_unit_test(an_index_needs_only_closes_and_the_last_of_a_bar_counts),
        cmocka_unit_test(a_gap_in_the_index_follows_the_policy),
        cmocka_unit_test(depth_is_that_of_bid_and_ask_nearest_one_percent),
        cmocka_unit_test(a_moment_without_one_side_does_not_count),
        cmocka_unit_test(depth_holds_from_its_stamp_and_knows_nothing_too_early),
        cmocka_unit_test(a_gap_in_depth_follows_the_policy),
        cmocka_unit_test(depth_without_bands_is_one_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
