/* Claims about whole markets: small ones written to a scratch folder, and real ones where the
   folder of real data is present. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "datasets/market.h"

#define FOLDER_SIZE 1024
#define MINUTE CALENDAR_MINUTE_MS
#define HOUR CALENDAR_HOUR_MS
#define DAY CALENDAR_DAY_MS

#define assert_near(value, expected, tolerance)                                            \
    do {                                                                                   \
        print_message("  %s = %.10g, expected %.10g within %g\n", #value, (double)(value), \
                      (double)(expected), (double)(tolerance));                            \
        assert_true(fabs((value) - (expected)) <= (tolerance));                            \
    } while (0)

static int64_t at(const char *iso)
{
    int64_t time_ms;
    assert_true(calendar_parse_iso(iso, strlen(iso), &time_ms));
    return time_ms;
}

/* A source that the test describes itself; holds everything its spec points at. */
struct source {
    struct source_spec spec;
    char path[FOLDER_SIZE + 128], format[32], time_column[16], time_format[32], scope[16], key[32];
    struct source_column columns[8];
    char names[8][16];
};

static void source_start(struct source *self, enum market_input role, const char *folder,
                         const char *file, const char *format)
{
    memset(self, 0, sizeof *self);
    snprintf(self->path, sizeof self->path, "%s/%s", folder, file);
    snprintf(self->format, sizeof self->format, "%s", format);
    snprintf(self->key, sizeof self->key, "data.%s", market_input_name(role));
    self->spec = (struct source_spec){.present = true,
                                      .role = role,
                                      .path = self->path,
                                      .format = self->format,
                                      .header = -1,
                                      .said_key = self->key};
}

static void source_time(struct source *self, const char *column, const char *format, int header)
{
    snprintf(self->time_column, sizeof self->time_column, "%s", column);
    snprintf(self->time_format, sizeof self->time_format, "%s", format);
    self->spec.time_column = self->time_column;
    self->spec.time_format = self->time_format;
    self->spec.header = header;
}

/* `index` 0: by `name`. */
static void source_column(struct source *self, enum series_field field, const char *name, int index)
{
    size_t i = self->spec.column_count++;
    self->columns[i] = (struct source_column){.field = field, .index = index};
    if (index == 0) {
        snprintf(self->names[i], sizeof self->names[i], "%s", name);
        self->columns[i].name = self->names[i];
    }
    self->spec.columns = self->columns;
}

static void source_ohlc(struct source *self, int first_index)
{
    static const enum series_field fields[] = {SERIES_OPEN, SERIES_HIGH, SERIES_LOW, SERIES_CLOSE};
    for (int i = 0; i < 4; i++)
        source_column(self, fields[i], series_field_name(fields[i]),
                      first_index == 0 ? 0 : first_index + i);
}

static struct market_request request_of(int64_t start, int64_t end, int64_t step)
{
    struct market_request request = {
        .start_ms = start, .end_ms = end, .step_ms = step, .policies = quality_policies_default()};
    return request;
}

static int read_and_say(struct market *market, const struct market_request *request,
                        struct error *err)
{
    char text[1024];
    memset(err, 0, sizeof *err);
    int code = market_read(market, request, err);
    if (code != ERROR_NONE) {
        error_format(err, text, sizeof text);
        print_message("  %s\n", text);
    }
    return code;
}

/* ---- Markets written for the purpose ---- */

static char scratch[FOLDER_SIZE];

static int make_scratch(void **state)
{
    const char *root = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/liqcascade-market-XXXXXX", root ? root : "/tmp");
    return mkdtemp(scratch) ? 0 : -1;
}

static int remove_scratch(void **state)
{
    static const char *const files[] = {"price", "mark", "volume", "funding",
                                        "oi",    "liq",  "depth",  "index"};
    char path[FOLDER_SIZE + 16];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s.csv", scratch, files[i]);
        remove(path);
    }
    return rmdir(scratch);
}

static void write_file(const char *name, const char *text)
{
    char path[FOLDER_SIZE + 16];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Three hours in half-hour rows, daily volume, OI in USD, a payment at 00:00:00.004, a book of four
   bands every half hour. */
struct small_market {
    struct source price, mark, volume, funding, oi, liquidations, depth, index;
    struct market_request request;
};

static void small_market(struct small_market *self)
{
    write_file("price.csv", "time,open,high,low,close\n"
                            "2024-08-05T00:00Z,100,104,98,102\n"
                            "2024-08-05T00:30Z,102,103,90,95\n"
                            "2024-08-05T01:00Z,95,96,94,95.5\n"
                            "2024-08-05T01:30Z,95.5,97,95,96\n"
                            "2024-08-05T02:00Z,96,96.5,80,81\n"
                            "2024-08-05T02:30Z,81,99,81,90\n");
    write_file("mark.csv", "time,open,high,low,close\n"
                           "2024-08-05T00:00Z,100,103,97,100\n"
                           "2024-08-05T01:00Z,100,100,75,80\n"
                           "2024-08-05T02:00Z,80,101,49,50\n");
    write_file("volume.csv", "time,volume\n2024-08-05T00:00Z,2400\n2024-08-06T00:00Z,4800\n");
    write_file("funding.csv", "time,rate\n1722816000004,0.0001\n1722844800002,0.0003\n");
    write_file("oi.csv", "time,oi\n2024-08-05T00:00Z,1000\n2024-08-05T01:00Z,1200\n"
                         "2024-08-05T02:00Z,1200\n2024-08-05T03:00Z,600\n");
    write_file("liq.csv", "time,liq_long,liq_short\n2024-08-05T00:00Z,1,2\n"
                          "2024-08-05T01:00Z,3,0.5\n2024-08-05T02:00Z,0,7\n");
    write_file("depth.csv", "timestamp,percentage,depth,notional\n"
                            "2024-08-05 00:59:58,-5,70,6700\n2024-08-05 00:59:58,-1,8,790\n"
                            "2024-08-05 00:59:58,1,4,410\n2024-08-05 00:59:58,5,60,6200\n"
                            "2024-08-05 01:30:02,-5.00,70,6700\n2024-08-05 01:30:02,-1.00,7,640\n"
                            "2024-08-05 01:30:02,1.00,5,460\n2024-08-05 01:30:02,5.00,60,6200\n"
                            "2024-08-05 02:00:01,-5.00,70,6700\n2024-08-05 02:00:01,-1.00,1,80\n"
                            "2024-08-05 02:00:01,1.00,2,170\n2024-08-05 02:00:01,5.00,60,6200\n");
    write_file("index.csv", "time,close\n2024-08-05T00:00Z,96\n2024-08-05T01:00Z,95\n"
                            "2024-08-05T02:00Z,89\n");

    source_start(&self->price, MARKET_PRICE, scratch, "price.csv", "generic");
    source_time(&self->price, "time", "iso", 1);
    source_ohlc(&self->price, 0);
    source_start(&self->mark, MARKET_MARK, scratch, "mark.csv", "generic");
    source_time(&self->mark, "time", "iso", 1);
    source_ohlc(&self->mark, 0);
    source_start(&self->volume, MARKET_VOLUME, scratch, "volume.csv", "generic");
    source_time(&self->volume, "time", "iso", 1);
    source_column(&self->volume, SERIES_VOLUME, "volume", 0);
    source_start(&self->funding, MARKET_FUNDING, scratch, "funding.csv", "generic");
    source_time(&self->funding, "time", "unix_ms", 1);
    source_column(&self->funding, SERIES_RATE, "rate", 0);
    self->funding.spec.unit = SOURCE_UNIT_FRACTION;
    source_start(&self->oi, MARKET_OI, scratch, "oi.csv", "generic");
    source_time(&self->oi, "time", "iso", 1);
    source_column(&self->oi, SERIES_OI, "oi", 0);
    self->oi.spec.unit = SOURCE_UNIT_USD;
    snprintf(self->oi.scope, sizeof self->oi.scope, "binance");
    self->oi.spec.scope = self->oi.scope;
    source_start(&self->liquidations, MARKET_LIQUIDATIONS, scratch, "liq.csv", "generic");
    source_time(&self->liquidations, "time", "iso", 1);
    source_column(&self->liquidations, SERIES_LIQ_LONG, "liq_long", 0);
    source_column(&self->liquidations, SERIES_LIQ_SHORT, "liq_short", 0);
    self->liquidations.spec.unit = SOURCE_UNIT_COINS;
    source_start(&self->depth, MARKET_DEPTH, scratch, "depth.csv", "binance_book_depth");
    source_start(&self->index, MARKET_INDEX, scratch, "index.csv", "generic");
    source_time(&self->index, "time", "iso", 1);
    source_column(&self->index, SERIES_CLOSE, "close", 0);

    self->request = request_of(at("2024-08-05T00:00Z"), at("2024-08-05T03:00Z"), HOUR);
    self->request.source[MARKET_DEPTH] = &self->depth.spec;
    self->request.source[MARKET_INDEX] = &self->index.spec;
    self->request.source[MARKET_PRICE] = &self->price.spec;
    self->request.source[MARKET_MARK] = &self->mark.spec;
    self->request.source[MARKET_VOLUME] = &self->volume.spec;
    self->request.source[MARKET_FUNDING] = &self->funding.spec;
    self->request.source[MARKET_OI] = &self->oi.spec;
    self->request.source[MARKET_LIQUIDATIONS] = &self->liquidations.spec;
}

static void every_input_comes_onto_one_clock(void **state)
{
    static struct small_market given;
    struct market market;
    struct error err;

    small_market(&given);
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_int_equal(market.bars, 3);
    assert_near(market.last.open[0], 100, 0);
    assert_near(market.last.high[0], 104, 0);
    assert_near(market.last.low[0], 90, 0);
    assert_near(market.last.close[0], 95, 0);
    assert_near(market.last.close[2], 90, 0);
    assert_true(market.has_mark);
    assert_near(market.mark.low[2], 49, 0);
    assert_near(market.volume_coins[1], 100, 1e-9);
    assert_near(market.funding_rate[0], 0.0001, 0);
    assert_near(market.funding_rate[1], 0, 0);
    /* 1,200 USD at 01:00 and a mark of 100; at 02:00 of 80; 600 at 03:00 of 50. */
    assert_near(market.oi_coins[0], 12, 1e-12);
    assert_near(market.oi_coins[1], 15, 1e-12);
    assert_near(market.oi_coins[2], 12, 1e-12);
    assert_near(market.liq_long_coins[1], 3, 0);
    assert_near(market.liq_short_coins[2], 7, 0);
    /* At 01:00 the book of two seconds before; then that of 01:30:02 or earlier, not of 02:00:01.
     */
    assert_near(market.depth[0], 12, 0);
    assert_near(market.depth[1], 12, 0);
    assert_near(market.depth[2], 3, 0);
    assert_false(market.depth_usd);
    assert_near(market.index_close[0], 96, 0);
    assert_near(market.index_close[2], 89, 0);
    assert_string_equal(market.oi_scope, "binance");
    assert_false(market.any_reconstructed);
    for (size_t i = 0; i < MARKET_INPUT_COUNT; i++) {
        assert_int_equal(market.input_count[i], 1);
        assert_int_equal(strlen(market.inputs[i][0].sha256), 64);
        assert_true(market.quality[i].rows > 0);
    }

    assert_int_equal(market_bar_at(&market, market.start_ms - 1), 0);
    assert_int_equal(market_bar_at(&market, market.start_ms + HOUR - 1), 0);
    assert_int_equal(market_bar_at(&market, market.start_ms + HOUR), 1);
    assert_int_equal(market_bar_at(&market, market.start_ms + 3 * HOUR - 1), 2);
    assert_int_equal(market_bar_at(&market, market.start_ms + 3 * HOUR), 3);
    assert_int_equal(market_bar_at(&market, INT64_MAX), 3);
    market_free(&market);
    assert_null(market.last.open);
}

static void without_a_mark_the_last_price_is_the_mark(void **state)
{
    static struct small_market given;
    struct market market;
    struct error err;

    small_market(&given);
    given.request.source[MARKET_MARK] = NULL;
    given.request.source[MARKET_OI] = NULL;
    given.request.source[MARKET_DEPTH] = NULL;
    given.request.source[MARKET_INDEX] = NULL;
    given.funding.spec.present = false;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_false(market.has_mark);
    assert_true(market.mark.low != market.last.low);
    assert_memory_equal(market.mark.low, market.last.low, market.bars * sizeof(double));
    assert_memory_equal(market.mark.close, market.last.close, market.bars * sizeof(double));
    assert_null(market.oi_coins);
    assert_null(market.oi_scope);
    assert_null(market.funding_rate);
    assert_null(market.depth);
    assert_null(market.index_close);
    assert_int_equal(market.input_count[MARKET_OI], 0);
    market_free(&market);
}

static void depth_is_in_dollars_where_that_is_asked_for_or_all_there_is(void **state)
{
    static struct small_market given;
    struct market market;
    struct error err;

    small_market(&given);
    given.depth.spec.unit = SOURCE_UNIT_USD;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_true(market.depth_usd);
    assert_near(market.depth[0], 1200, 0);
    assert_near(market.depth[2], 250, 0);
    market_free(&market);

    source_start(&given.depth, MARKET_DEPTH, scratch, "depth.csv", "generic");
    source_time(&given.depth, "timestamp", "iso", 1);
    source_column(&given.depth, SERIES_BAND, "percentage", 0);
    source_column(&given.depth, SERIES_NOTIONAL, "notional", 0);
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_true(market.depth_usd);
    assert_near(market.depth[0], 1200, 0);
    market_free(&market);

    /* A column of one's own, in coins, of which there is a value an hour. */
    write_file("depth.csv", "time,depth\n2024-08-05T00:00Z,9\n2024-08-05T01:00Z,8\n"
                            "2024-08-05T02:00Z,7\n");
    source_start(&given.depth, MARKET_DEPTH, scratch, "depth.csv", "generic");
    source_time(&given.depth, "time", "iso", 1);
    source_column(&given.depth, SERIES_DEPTH, "depth", 0);
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_false(market.depth_usd);
    assert_near(market.depth[0], 8, 0);
    assert_near(market.depth[2], 7, 0);
    market_free(&market);
}

/* The same value for two hours, in a column and in a band of a file that has dollars alone. */
static void a_frozen_book_is_stale_however_it_is_written(void **state)
{
    static struct small_market given;
    struct market market;
    struct error err;

    small_market(&given);
    given.request.policies.stale_ms = 2 * HOUR;
    write_file("depth.csv", "time,depth\n2024-08-05T00:00Z,9\n2024-08-05T01:00Z,9\n"
                            "2024-08-05T02:00Z,9\n");
    source_start(&given.depth, MARKET_DEPTH, scratch, "depth.csv", "generic");
    source_time(&given.depth, "time", "iso", 1);
    source_column(&given.depth, SERIES_DEPTH, "depth", 0);
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "stale: depth = 9 for 2.0 h"));

    write_file("depth.csv", "time,band,usd\n2024-08-05T00:00Z,-1,900\n2024-08-05T00:00Z,1,800\n"
                            "2024-08-05T01:00Z,-1,900\n2024-08-05T01:00Z,1,700\n"
                            "2024-08-05T02:00Z,-1,900\n2024-08-05T02:00Z,1,600\n");
    source_start(&given.depth, MARKET_DEPTH, scratch, "depth.csv", "generic");
    source_time(&given.depth, "time", "iso", 1);
    source_column(&given.depth, SERIES_BAND, "band", 0);
    source_column(&given.depth, SERIES_NOTIONAL, "usd", 0);
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "stale: bid -1%: notional = 900 for 2.0 h"));

    given.request.policies.on[QUALITY_STALE] = QUALITY_ACCEPT;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_near(market.depth[1], 1500, 0);
    assert_int_equal(market.quality[MARKET_DEPTH].count[QUALITY_STALE], 3);
    market_free(&market);
}

static void depth_that_has_no_depth_is_refused(void **state)
{
    static struct small_market given;
    struct market market;
    struct error err;

    small_market(&given);
    given.request.source[MARKET_DEPTH] = &given.index.spec;
    given.index.spec.role = MARKET_DEPTH;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "no column of depth"));
    assert_null(market.depth);
}

static void a_request_that_cannot_be_met_says_why(void **state)
{
    static struct small_market given;
    struct market market;
    struct error err;

    small_market(&given);
    given.request.step_ms = 30 * MINUTE;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_string_equal(err.key, "data.mark");
    assert_non_null(strstr(err.message, "step of 30m is finer"));
    assert_non_null(strstr(err.message, "every 1h"));
    assert_non_null(strstr(err.file, "mark.csv"));
    assert_null(market.last.open);

    /* A year of milliseconds is refused for the step, not for want of memory. */
    given.request.end_ms = given.request.start_ms + 365 * DAY;
    given.request.step_ms = 1;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "finer than the data"));

    given.request.step_ms = HOUR;
    given.request.end_ms = given.request.start_ms + 4 * HOUR;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "to 2024-08-05T03:00:00Z"));
    assert_non_null(strstr(err.file, "price.csv"));

    given.request.end_ms = given.request.start_ms;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    given.request.end_ms = given.request.start_ms + HOUR + 1;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    given.request.source[MARKET_PRICE] = NULL;
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_string_equal(err.key, "data.price");
}

/* True when the failure asked for is still to come: reading took fewer allocations. */
static bool failure_still_pending(long countdown)
{
    bool pending = false;
    for (long i = 0; i < countdown && !pending; i++) {
        void *block = memory_alloc(1, 1);
        pending = block == NULL;
        memory_free(block);
    }
    memory_fail_after(0);
    return pending;
}

static void running_out_of_memory_leaves_nothing_behind(void **state)
{
    static struct small_market given;
    struct market market;
    struct error err;
    long countdown = 0, refused = 0;
    bool done = false;

    small_market(&given);
    while (!done) {
        memset(&err, 0, sizeof err);
        memory_fail_after(++countdown);
        int code = market_read(&market, &given.request, &err);
        done = failure_still_pending(countdown);
        assert_true(code == ERROR_NONE || code == ERROR_IO);
        assert_int_equal(err.code, code);
        if (code == ERROR_NONE) {
            /* libcsv asks again for less: a market read in spite of a failure is whole. */
            assert_near(market.oi_coins[1], 15, 1e-12);
            market_free(&market);
        } else {
            assert_null(market.last.open);
            assert_false(done);
            refused++;
        }
    }
    print_message("  %ld of %ld allocations are fatal\n", refused, countdown - 1);
    /* 8 arrays of bars, 7 of amounts, and what reading eight files takes. */
    assert_true(refused > 15 + 8);
}

/* ---- Shipped markets ---- */

static void a_shipped_series_is_called_a_reconstruction(void **state)
{
    static char name[] = "btc-2025-autumn";
    static const enum market_input inputs[] = {MARKET_PRICE, MARKET_MARK, MARKET_VOLUME,
                                               MARKET_FUNDING, MARKET_OI};
    struct source_spec specs[MARKET_INPUT_COUNT] = {0};
    struct market market;
    struct error err;

    struct market_request request =
        request_of(at("2025-10-10T00:00Z"), at("2025-10-11T00:00Z"), MINUTE);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        specs[inputs[i]] =
            (struct source_spec){.present = true, .role = inputs[i], .builtin = name, .header = -1};
        request.source[inputs[i]] = &specs[inputs[i]];
    }
    assert_int_equal(read_and_say(&market, &request, &err), ERROR_NONE);
    assert_true(market.any_reconstructed);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        assert_true(market.reconstructed[inputs[i]]);
    assert_false(market.reconstructed[MARKET_LIQUIDATIONS]);
    assert_string_equal(market.oi_scope, "all_without_cme");
    assert_int_equal(market.bars, 1440);
    market_free(&market);
}

/* ---- Real markets ---- */

/* The folder of real data; skips the test, saying so, where it is absent. */
static void real_data(char out[FOLDER_SIZE], const char *folder)
{
    const char *root = getenv("LIQCASCADE_TEST_DATA");
    if (root)
        snprintf(out, FOLDER_SIZE, "%s/%s", root, folder);
    else
        snprintf(out, FOLDER_SIZE, "%s/../shared/data/%s", LIQCASCADE_SOURCE_DIR, folder);
    if (access(out, R_OK) != 0) {
        print_message("  skipped: no real data (set LIQCASCADE_TEST_DATA)\n");
        skip();
    }
}

struct summer_2024 {
    struct source price, mark, funding, oi, liquidations;
    struct market_request request;
};

/* Hourly price, mark and funding of Binance with open interest and liquidations of Coinalyze. */
static void summer_2024(struct summer_2024 *self, const char *coin)
{
    char hourly[FOLDER_SIZE], coinalyze[FOLDER_SIZE], name[64], upper[4] = {0};

    real_data(hourly, "binance-1h");
    real_data(coinalyze, "coinalyze-2024");
    for (int i = 0; i < 3; i++)
        upper[i] = (char)(coin[i] - 'a' + 'A');
    snprintf(name, sizeof name, "%susdt-price.csv.zst", coin);
    source_start(&self->price, MARKET_PRICE, hourly, name, "generic");
    source_time(&self->price, "timestamp_ms", "unix_ms", 1);
    source_ohlc(&self->price, 0);
    snprintf(name, sizeof name, "%susdt-mark.csv.zst", coin);
    source_start(&self->mark, MARKET_MARK, hourly, name, "generic");
    source_time(&self->mark, "timestamp_ms", "unix_ms", 1);
    source_ohlc(&self->mark, 0);
    snprintf(name, sizeof name, "%susdt-funding.csv.zst", coin);
    source_start(&self->funding, MARKET_FUNDING, hourly, name, "generic");
    source_time(&self->funding, "timestamp_ms", "unix_ms", 1);
    source_column(&self->funding, SERIES_RATE, "open", 0);
    self->funding.spec.unit = SOURCE_UNIT_FRACTION;

    snprintf(name, sizeof name, "%sUSDT_PERP.A_open-interest-history.csv.zst", upper);
    source_start(&self->oi, MARKET_OI, coinalyze, name, "generic");
    source_time(&self->oi, "1", "%Y-%m-%d %H:%M:%S", 0);
    source_column(&self->oi, SERIES_OI_OPEN, NULL, 2);
    source_column(&self->oi, SERIES_OI_HIGH, NULL, 3);
    source_column(&self->oi, SERIES_OI_LOW, NULL, 4);
    source_column(&self->oi, SERIES_OI, NULL, 5);
    self->oi.spec.unit = SOURCE_UNIT_COINS;
    self->oi.spec.zone_offset_ms = 6 * HOUR;
    snprintf(name, sizeof name, "%sUSDT_PERP.A_liquidation-history.csv.zst", upper);
    source_start(&self->liquidations, MARKET_LIQUIDATIONS, coinalyze, name, "generic");
    source_time(&self->liquidations, "1", "%Y-%m-%d %H:%M:%S", 0);
    source_column(&self->liquidations, SERIES_LIQ_LONG, NULL, 2);
    source_column(&self->liquidations, SERIES_LIQ_SHORT, NULL, 3);
    self->liquidations.spec.unit = SOURCE_UNIT_COINS;
    self->liquidations.spec.zone_offset_ms = 6 * HOUR;

    self->request = request_of(at("2024-06-19T21:00Z"), at("2024-08-19T21:00Z"), HOUR);
    self->request.source[MARKET_PRICE] = &self->price.spec;
    self->request.source[MARKET_MARK] = &self->mark.spec;
    self->request.source[MARKET_FUNDING] = &self->funding.spec;
    self->request.source[MARKET_OI] = &self->oi.spec;
    self->request.source[MARKET_LIQUIDATIONS] = &self->liquidations.spec;
}

/* Bar of the lowest value from `from` up to `to`. */
static size_t lowest(const struct market *market, const double *low, const char *from,
                     const char *to)
{
    size_t best = market_bar_at(market, at(from));
    for (size_t i = best; i < market_bar_at(market, at(to)); i++)
        if (low[i] < low[best])
            best = i;
    return best;
}

static double sum(const struct market *market, const double *values, const char *from,
                  const char *to)
{
    double total = 0;
    for (size_t i = market_bar_at(market, at(from)); i < market_bar_at(market, at(to)); i++)
        total += values[i];
    return total;
}

/* Open interest at a time: that of the bar which closes then. */
static double oi_at(const struct market *market, const char *time)
{
    return market->oi_coins[market_bar_at(market, at(time)) - 1];
}

static void bitcoin_fell_to_48888_on_5_august_2024(void **state)
{
    static struct summer_2024 given;
    struct market market;
    struct error err;

    summer_2024(&given, "btc");
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_int_equal(market.bars, 61 * 24);

    /* Published: a low of 48,888 in the hour from 06:00 (Binance perpetual). */
    size_t low = lowest(&market, market.last.low, "2024-08-05T00:00Z", "2024-08-06T00:00Z");
    assert_near(market.last.low[low], 48888.0, 0);
    assert_int_equal(low, market_bar_at(&market, at("2024-08-05T06:00Z")));
    /* The mark price, an index of several venues, fell less far. */
    assert_true(market.mark.low[low] > market.last.low[low]);

    /* Published: OI 88,098 -> 76,760 BTC against 831 BTC of reported long liquidations, 7 % of
       the fall. These are the hours from 00:00 to 13:00; 88,098.3 is the open of the hour at
       00:00, the close of the hour before, which is what a bar has, lies 3 BTC above. */
    double before = oi_at(&market, "2024-08-05T00:00Z"),
           after = oi_at(&market, "2024-08-05T13:00Z");
    double longs = sum(&market, market.liq_long_coins, "2024-08-05T00:00Z", "2024-08-05T13:00Z");
    assert_near(before, 88098, 5);
    assert_near(after, 76760, 0.5);
    assert_near(longs, 831, 0.5);
    assert_near(longs / (before - after), 0.07, 0.005);

    /* Published: funding .010 -> .004 % per 8 hours. */
    assert_near(market.funding_rate[market_bar_at(&market, at("2024-08-05T00:00Z"))], 1e-4, 1e-9);
    assert_near(market.funding_rate[market_bar_at(&market, at("2024-08-05T08:00Z"))], 4e-5, 0.5e-5);
    assert_near(market.funding_rate[market_bar_at(&market, at("2024-08-05T04:00Z"))], 0, 0);
    market_free(&market);
}

static void ether_comes_onto_the_same_clock(void **state)
{
    static struct summer_2024 given;
    struct market market;
    struct error err;

    summer_2024(&given, "eth");
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_NONE);
    assert_int_equal(market.bars, 61 * 24);
    /* The row of 01:00 in the file has the day's low, 2,112. */
    size_t low = lowest(&market, market.last.low, "2024-08-05T00:00Z", "2024-08-06T00:00Z");
    assert_near(market.last.low[low], 2112.0, 0);
    assert_int_equal(low, market_bar_at(&market, at("2024-08-05T01:00Z")));
    /* The first row of the file: 03:00 in UTC+6, close 1,026,169.038 ETH. */
    assert_near(market.oi_coins[0], 1026169.038, 1e-6);
    assert_near(market.liq_short_coins[0], 66.513, 1e-9);
    for (size_t i = 0; i < market.bars; i++)
        assert_true(market.oi_coins[i] > 5e5 && market.oi_coins[i] < 5e6);
    market_free(&market);
}

static void open_interest_ends_where_its_file_ends(void **state)
{
    static struct summer_2024 given;
    struct market market;
    struct error err;

    summer_2024(&given, "btc");
    given.request.end_ms = at("2024-08-20T21:00Z");
    assert_int_equal(read_and_say(&market, &given.request, &err), ERROR_DATA);
    assert_string_equal(err.key, "data.oi");
    assert_non_null(strstr(err.message, "covers 2024-06-19T21:00:00Z to 2024-08-19T22:00:00Z"));
    assert_non_null(strstr(err.message, "through 2024-08-20T21:00:00Z"));
    assert_non_null(strstr(err.file, "open-interest-history"));
}

static void a_day_missing_from_the_archive_stops_or_is_carried(void **state)
{
    static struct source price;
    char folder[FOLDER_SIZE];
    struct market market;
    struct error err;

    real_data(folder, "binance-vision");
    source_start(&price, MARKET_PRICE, folder, "BTCUSDT-5m-*.zip", "binance_klines");
    struct market_request request =
        request_of(at("2025-10-01T00:00Z"), at("2025-12-31T00:00Z"), 5 * MINUTE);
    request.source[MARKET_PRICE] = &price.spec;
    assert_int_equal(read_and_say(&market, &request, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "no row at 2025-10-04T00:00:00Z"));
    assert_non_null(strstr(err.message, "2025-10-03T23:55:00Z"));
    assert_string_not_equal(err.file, "");

    request.policies.on[QUALITY_GAP] = QUALITY_CARRY;
    assert_int_equal(read_and_say(&market, &request, &err), ERROR_NONE);
    assert_int_equal(market.bars, 91 * 288);
    assert_int_equal(market.input_count[MARKET_PRICE], 90);
    assert_int_equal(market.quality[MARKET_PRICE].applied[QUALITY_GAP], 288);
    size_t noon = market_bar_at(&market, at("2025-10-04T12:00Z"));
    /* 122,179.30 is the last close of October 3. */
    assert_near(market.last.open[noon], 122179.3, 1e-9);
    assert_near(market.last.low[noon], 122179.3, 1e-9);
    /* Published: a mark low of 101,877.7 on October 10. */
    size_t low = lowest(&market, market.last.low, "2025-10-10T00:00Z", "2025-10-11T00:00Z");
    assert_near(market.last.low[low], 101877.7, 0.05);
    market_free(&market);

    request.policies.on[QUALITY_GAP] = QUALITY_ACCEPT;
    assert_int_equal(read_and_say(&market, &request, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "bar at 2025-10-04T00:00:00Z has no row"));
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Of the bars' values, which are put in order. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

/* In the archive's book of October 10, 2025, the bids within 1 % are frozen for hours, which is
   what a reader must be told; the asks are good. */
static void the_book_of_10_october_2025_thinned_to_a_quarter(void **state)
{
    static struct source price, depth;
    static struct source_filter asks;
    static char column[] = "percentage", value[] = "1";
    char folder[FOLDER_SIZE];
    struct market market;
    struct error err;

    real_data(folder, "binance-vision");
    source_start(&price, MARKET_PRICE, folder, "BTCUSD_PERP-1m-*.zip", "binance_klines");
    source_start(&depth, MARKET_DEPTH, folder, "BTCUSDT-bookDepth-2025-10-10.csv.zst",
                 "binance_book_depth");
    depth.spec.format = NULL; /* sniffed */
    struct market_request request =
        request_of(at("2025-10-10T00:00Z"), at("2025-10-11T00:00Z"), MINUTE);
    request.source[MARKET_PRICE] = &price.spec;
    request.source[MARKET_DEPTH] = &depth.spec;
    assert_int_equal(read_and_say(&market, &request, &err), ERROR_DATA);
    assert_string_equal(err.key, "data.depth");
    assert_non_null(strstr(err.message, "bid -1%: depth = 17.65"));

    request.policies.on[QUALITY_STALE] = QUALITY_ACCEPT;
    assert_int_equal(read_and_say(&market, &request, &err), ERROR_NONE);
    assert_true(market.quality[MARKET_DEPTH].count[QUALITY_STALE] > 0);
    /* At 00:00:07, the first rows of the file: 1,496.75 bid and 1,964.845 asked within 1 %. */
    assert_true(market.depth[0] > 1000 && market.depth[0] < 10000);
    market_free(&market);

    asks = (struct source_filter){.column = column, .value = value};
    depth.spec.filters = &asks;
    depth.spec.filter_count = 1;
    depth.spec.unit = SOURCE_UNIT_USD;
    request.policies.on[QUALITY_STALE] = QUALITY_ERROR;
    assert_int_equal(read_and_say(&market, &request, &err), ERROR_NONE);
    assert_true(market.depth_usd);
    /* Known of this file: a median of $237M asked within 1 %, $56.8M left at 21:22:31. */
    double left = market.depth[market_bar_at(&market, at("2025-10-10T21:22Z"))];
    double usual = median(market.depth, market.bars);
    assert_near(left / 1e6, 56.8, 0.05);
    assert_near(usual / 1e6, 237, 10);
    assert_near(left / usual, 0.24, 0.015);
    market_free(&market);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_comes_onto_one_clock),
        cmocka_unit_test(without_a_mark_the_last_price_is_the_mark),
        cmocka_unit_test(depth_is_in_dollars_where_that_is_asked_for_or_all_there_is),
        cmocka_unit_test(a_frozen_book_is_stale_however_it_is_written),
        cmocka_unit_test(depth_that_has_no_depth_is_refused),
        cmocka_unit_test(a_request_that_cannot_be_met_says_why),
        cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
        cmocka_unit_test(a_shipped_series_is_called_a_reconstruction),
        cmocka_unit_test(bitcoin_fell_to_48888_on_5_august_2024),
        cmocka_unit_test(ether_comes_onto_the_same_clock),
        cmocka_unit_test(open_interest_ends_where_its_file_ends),
        cmocka_unit_test(a_day_missing_from_the_archive_stops_or_is_carried),
        cmocka_unit_test(the_book_of_10_october_2025_thinned_to_a_quarter),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
