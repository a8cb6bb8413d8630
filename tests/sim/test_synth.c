/*
 * Reconstructions: what ships is what the table and the program give, every published figure is in
 * it, and between the figures it moves as a Brownian motion does.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/yaml.h"
#include "datasets/stream.h"
#include "scenarios/scenario.h"
#include "sim/study/synth.h"
#include "tests/support/near.h"

#define SHIPPED LIQCASCADE_SOURCE_DIR "/datasets/builtin/"
#define TABLES LIQCASCADE_SOURCE_DIR "/datasets/anchors/"

static const struct synth_options whole = {.from_ms = CALENDAR_NONE, .to_ms = CALENDAR_NONE};
static const char *const names[] = {"btc-2025-autumn", "eth-2025-autumn"};

static int64_t time_of(const char *text)
{
    int64_t time_ms = 0;
    assert_true(calendar_parse_iso(text, strlen(text), &time_ms));
    return time_ms;
}

static void must(int code, const struct error *err)
{
    if (code != ERROR_NONE)
        fail_msg("%s:%ld: %s: %s", err->file, err->line, err->key, err->message);
}

/* --- the shipped files --- */

static void read_all(const char *path, struct text_buffer *out)
{
    struct error err = {0};
    struct stream in;
    const char *bytes = NULL;
    size_t length = 0;
    must(stream_open(&in, path, &err), &err);
    do {
        must(stream_read(&in, &bytes, &length, &err), &err);
        text_append_bytes(out, bytes, length);
    } while (length > 0);
    stream_close(&in);
    assert_false(out->failed);
}

static void read_shipped(const char *name, const char *file, struct text_buffer *out)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, SHIPPED "%s/%s", name, file);
    read_all(path, out);
}

/* The rows of a shipped CSV as numbers, read here with strtod and no code of the library. */
struct rows {
    size_t count;
    int width;
    double *value; /* count * width */
};

static void read_rows(const char *name, const char *file, int width, struct rows *out)
{
    struct text_buffer text = {0};
    read_shipped(name, file, &text);
    size_t lines = 0;
    for (size_t i = 0; i < text.length; i++)
        lines += text.data[i] == '\n';
    *out = (struct rows){.width = width, .value = malloc(lines * (size_t)width * sizeof(double))};
    assert_non_null(out->value);
    char *at = strchr(text.data, '\n') + 1;
    while (*at != '\0') {
        for (int column = 0; column < width; column++, at++) {
            out->value[out->count * (size_t)width + (size_t)column] = strtod(at, &at);
            assert_int_equal(*at, column + 1 < width ? ',' : '\n');
        }
        out->count++;
    }
    text_buffer_free(&text);
}

static const double *row_at(const struct rows *rows, int64_t time_ms)
{
    double first = rows->value[0], step = rows->value[rows->width] - first;
    double index = ((double)time_ms - first) / step;
    assert_true(index >= 0 && index < (double)rows->count && index == floor(index));
    const double *row = rows->value + (size_t)index * (size_t)rows->width;
    assert_true(row[0] == (double)time_ms);
    return row;
}

static void read_table(const char *name, struct anchors *out)
{
    char path[PATH_MAX];
    struct error err = {0};
    snprintf(path, sizeof path, TABLES "%s.csv", name);
    must(anchors_read(out, path, &err), &err);
}

static void test_shipped_sets_are_regenerated_byte_for_byte(void **state)
{
    for (size_t set = 0; set < 2; set++) {
        struct error err = {0};
        struct anchors anchors;
        struct synth synth;
        read_table(names[set], &anchors);
        must(synth_build(&synth, &anchors, &whole, &err), &err);
        for (int file = 0; file < SYNTH_FILE_COUNT; file++) {
            struct text_buffer shipped = {0}, made = {0};
            read_shipped(names[set], synth_file_name((enum synth_file)file), &shipped);
            must(synth_csv(&synth, &anchors, (enum synth_file)file, &made, &err), &err);
            assert_int_equal(made.length, shipped.length);
            assert_memory_equal(made.data, shipped.data, made.length);
            text_buffer_free(&shipped);
            text_buffer_free(&made);
        }
        synth_free(&synth);
        anchors_free(&anchors);
    }
}

/* What comes out of the compressor is promised for one version of it only. */
static void test_written_directory_is_the_shipped_one(void **state)
{
    char directory[] = "synth-XXXXXX", path[PATH_MAX], line[128];
    struct error err = {0};
    struct anchors anchors;
    struct synth synth;
    struct text_buffer meta = {0};
    read_shipped(names[0], "meta.yaml", &meta);
    snprintf(line, sizeof line, "\ncompression: zstd %s,", ZSTD_versionString());
    bool same_zstd = strstr(meta.data, line) != NULL;
    text_buffer_free(&meta);
    if (!same_zstd)
        skip();

    read_table(names[0], &anchors);
    must(synth_build(&synth, &anchors, &whole, &err), &err);
    assert_non_null(mkdtemp(directory));
    must(synth_write(&synth, &anchors, directory, false, &err), &err);
    for (int file = 0; file <= SYNTH_FILE_COUNT; file++) {
        const char *name =
            file < SYNTH_FILE_COUNT ? synth_file_name((enum synth_file)file) : "meta.yaml";
        char made[SHA256_TEXT_SIZE], shipped[SHA256_TEXT_SIZE];
        snprintf(path, sizeof path, "%s/%s", directory, name);
        must(sha256_file(path, made, &err), &err);
        unlink(path);
        snprintf(path, sizeof path, SHIPPED "%s/%s", names[0], name);
        must(sha256_file(path, shipped, &err), &err);
        assert_string_equal(made, shipped);
    }
    assert_int_equal(rmdir(directory), 0);
    synth_free(&synth);
    anchors_free(&anchors);
}

static void test_shipped_sets_say_that_they_are_reconstructions(void **state)
{
    for (size_t set = 0; set < 2; set++) {
        char path[PATH_MAX];
        struct error err = {0};
        struct yaml_file meta;
        struct anchors anchors;
        snprintf(path, sizeof path, SHIPPED "%s/meta.yaml", names[set]);
        must(yaml_load_file(&meta, path, ERROR_DATA, &err), &err);
        read_table(names[set], &anchors);
        assert_string_equal(yaml_get(&meta.root, "kind")->text, "reconstruction");
        assert_string_equal(yaml_get(&meta.root, "oi_unit")->text, "coins");
        assert_string_equal(yaml_get(&meta.root, "scope")->text, "all_without_cme");
        assert_string_equal(yaml_get(&meta.root, "anchors_sha256")->text, anchors.sha256);
        anchors_free(&anchors);
        yaml_file_free(&meta);
    }
}

static void check_bars(const struct rows *bars)
{
    for (size_t i = 0; i < bars->count; i++) {
        const double *bar = bars->value + i * (size_t)bars->width;
        assert_true(bar[3] > 0 && bar[3] <= bar[1] && bar[3] <= bar[4]);
        assert_true(bar[2] >= bar[1] && bar[2] >= bar[4]);
        if (i == 0)
            continue;
        assert_true(bar[0] - bar[-bars->width] == 60000);
        assert_true(bar[1] == bar[4 - bars->width]); /* opens where the last one closed */
    }
}

static void
test_shipped_bars_are_whole_minutes_with_low_and_high_around_open_and_close(void **state)
{
    for (size_t set = 0; set < 2; set++) {
        struct rows price, mark;
        read_rows(names[set], "price.csv.zst", 6, &price);
        read_rows(names[set], "mark.csv.zst", 5, &mark);
        assert_int_equal(price.count, 91 * 1440);
        assert_int_equal(mark.count, 91 * 1440);
        assert_true(price.value[0] == (double)time_of("2025-09-01T00:00Z"));
        check_bars(&price);
        check_bars(&mark);
        for (size_t i = 0; i < price.count; i++)
            assert_true(price.value[i * 6 + 5] >= 1);
        free(price.value);
        free(mark.value);
    }
}

/* --- figures --- */

static void check_prices(const struct anchors *anchors, const struct rows *price)
{
    const struct anchor_list *list = &anchors->list[ANCHOR_PRICE];
    for (size_t i = 0; i + 1 < list->count; i++)
        assert_near(row_at(price, list->items[i].time_ms)[1], list->items[i].value, 1e-9);
    const double *last = price->value + (price->count - 1) * (size_t)price->width;
    assert_near(last[4], list->items[list->count - 1].value, 1e-9);
}

/* `column` 3 for lows, 2 for highs; `sign` +1 and -1. Only the named minute reaches the extreme. */
static void check_extremes(const struct anchor_list *list, const struct rows *bars, int column,
                           double sign)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct anchor *item = &list->items[i];
        const double *named = row_at(bars, item->time_ms);
        assert_near(named[column], item->value, 1e-9);
        int64_t midnight = item->time_ms - item->time_ms % CALENDAR_DAY_MS;
        const double *day = row_at(bars, midnight);
        for (int minute = 0; minute < 1440; minute++, day += bars->width)
            if (day != named)
                assert_true(sign * (day[column] - item->value) > 1e-9);
    }
}

static void check_levels(const struct anchor_list *list, const struct rows *rows, double rounding)
{
    double first = rows->value[0], last = rows->value[(rows->count - 1) * (size_t)rows->width];
    size_t inside = 0;
    for (size_t i = 0; i < list->count; i++) {
        double time = (double)list->items[i].time_ms;
        if (time < first || time > last)
            continue;
        assert_near(row_at(rows, list->items[i].time_ms)[1], list->items[i].value, rounding);
        inside++;
    }
    assert_true(inside >= 4);
}

static void test_every_published_figure_is_in_the_shipped_series(void **state)
{
    for (size_t set = 0; set < 2; set++) {
        struct anchors anchors;
        struct rows price, mark, oi, funding;
        read_table(names[set], &anchors);
        read_rows(names[set], "price.csv.zst", 6, &price);
        read_rows(names[set], "mark.csv.zst", 5, &mark);
        read_rows(names[set], "oi.csv.zst", 2, &oi);
        read_rows(names[set], "funding.csv.zst", 2, &funding);
        check_prices(&anchors, &price);
        check_extremes(&anchors.list[ANCHOR_PRICE_LOW], &price, 3, 1);
        check_extremes(&anchors.list[ANCHOR_PRICE_HIGH], &price, 2, -1);
        check_extremes(&anchors.list[ANCHOR_MARK_LOW], &mark, 3, 1);
        check_levels(&anchors.list[ANCHOR_OI], &oi, 0.5);
        check_levels(&anchors.list[ANCHOR_FUNDING], &funding, 0.5e-8);
        free(price.value);
        free(mark.value);
        free(oi.value);
        free(funding.value);
        anchors_free(&anchors);
    }
}

/* The figures that the events are known by, as published and not as the table has them. */
static void test_the_crash_of_10_october_is_the_published_one(void **state)
{
    struct rows price, mark, oi;
    read_rows(names[0], "price.csv.zst", 6, &price);
    read_rows(names[0], "mark.csv.zst", 5, &mark);
    read_rows(names[0], "oi.csv.zst", 2, &oi);
    const double *hour = row_at(&price, time_of("2025-10-10T21:00Z"));
    const double *mark_hour = row_at(&mark, time_of("2025-10-10T21:00Z"));
    double low = INFINITY, mark_low = INFINITY;
    for (int minute = 0; minute < 60; minute++) {
        low = fmin(low, hour[minute * price.width + 3]);
        mark_low = fmin(mark_low, mark_hour[minute * mark.width + 3]);
    }
    print_message("low in hour 21: %.1f, of the mark %.1f\n", low, mark_low);
    assert_near(low, 101516.5, 1e-6);
    assert_near(mark_low, 101877.7, 1e-6);
    assert_near(row_at(&oi, time_of("2025-10-10T20:50Z"))[1], 560000, 0.5);
    assert_near(row_at(&oi, time_of("2025-10-10T21:30Z"))[1], 481000, 0.5);
    free(price.value);
    free(mark.value);
    free(oi.value);
}

/* Scenarios on these sets take the figures of the event from them and call them what they are. */
static void test_shipped_scenarios_run_on_reconstructions_and_say_so(void **state)
{
    static const char *const files[] = {"btc-2025-10", "btc-2025-11", "eth-oi-record", "shock-94b"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[PATH_MAX];
        struct scenario scenario;
        struct error_list errors = {0};
        snprintf(path, sizeof path, LIQCASCADE_SOURCE_DIR "/scenarios/%s.yaml", files[i]);
        int code = scenario_load(&scenario, path, NULL, 0, &errors);
        if (code != ERROR_NONE)
            must(code, &errors.items[0]);
        assert_non_null(strstr(scenario.title, "reconstruction"));
        assert_true(scenario.time.start_ms - scenario.time.warmup_ms >= 30 * CALENDAR_DAY_MS);
        for (int input = MARKET_PRICE; input <= MARKET_OI; input++)
            assert_string_equal(scenario.data.input[input].builtin,
                                files[i][0] == 'e' ? names[1] : names[0]);
        scenario_free(&scenario);
        error_list_free(&errors);
    }
}

/* --- small tables --- */

static const char head[] = "time,field,value,unit,scope,source\n"
                           ",seed,1,,,test\n"
                           ",tick,0.01,usd,,test\n"
                           ",oi_step,0.1,coins,,test\n"
                           "2025-01-01T00:00Z,volatility,0.04,log_per_sqrt_day,,test\n"
                           "2025-01-01T00:00Z,oi,1000,coins,all,test\n"
                           "2025-01-01T00:00Z,funding,0.0001,fraction_per_8h,,test\n"
                           "2025-01-01T00:00Z,volume,1000000,coins_per_day,,test\n";
#define HEAD_LINES 8

static const char one_day[] = "2025-01-01T00:00Z,price,100000,usd,spot,test\n"
                              "2025-01-02T00:00Z,price,100000,usd,spot,test\n";

static int read_text(const char *first, const char *second, struct anchors *out, struct error *err)
{
    char path[] = "anchors-XXXXXX.csv";
    int descriptor = mkstemps(path, 4);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    assert_true(fputs(first, file) >= 0 && fputs(second, file) >= 0);
    assert_int_equal(fclose(file), 0);
    int code = anchors_read(out, path, err);
    unlink(path);
    return code;
}

static void build_small(const char *rows, const struct synth_options *options,
                        struct anchors *anchors, struct synth *synth)
{
    struct error err = {0};
    must(read_text(head, rows, anchors, &err), &err);
    must(synth_build(synth, anchors, options, &err), &err);
}

/* A Brownian bridge over a day has variance v^2 t (1 - t): at noon a quarter of the day's. With
   2,000 seeds the estimate's relative deviation is sqrt(2 / 2000), 3.2 %; four of them allowed. */
static void test_noon_between_equal_midnights_has_a_quarter_of_the_days_variance(void **state)
{
    struct error err = {0};
    struct anchors anchors;
    must(read_text(head, one_day, &anchors, &err), &err);
    double sum = 0, squares = 0;
    int seeds = 2000;
    for (int seed = 0; seed < seeds; seed++) {
        struct synth synth;
        struct synth_options options = whole;
        options.has_seed = true;
        options.seed = (uint64_t)seed;
        must(synth_build(&synth, &anchors, &options, &err), &err);
        double x = log((double)synth.last.open[720] * 0.01 / 100000);
        sum += x;
        squares += x * x;
        synth_free(&synth);
    }
    double variance = squares / seeds, expected = 0.04 * 0.04 / 4;
    print_message("variance at noon %.4e, theory %.4e; mean %.1e\n", variance, expected,
                  sum / seeds);
    assert_near(variance / expected, 1, 4 * sqrt(2.0 / seeds));
    assert_true(fabs(sum / seeds) < 4 * sqrt(expected / seeds));
    anchors_free(&anchors);
}

/* Of a Brownian motion over time T the maximum above its start has mean s sqrt(2 T / pi). */
static void test_wicks_are_those_of_a_brownian_motion(void **state)
{
    struct anchors anchors;
    struct synth synth;
    double sigma = 0.04 / sqrt(1440), up = 0, down = 0;
    build_small("2025-01-01T00:00Z,price,100000,usd,spot,test\n"
                "2025-03-01T00:00Z,price,100000,usd,spot,test\n",
                &whole, &anchors, &synth);
    for (size_t bar = 0; bar < synth.bars; bar++) {
        up += log((double)synth.last.high[bar] / (double)synth.last.open[bar]);
        down += log((double)synth.last.open[bar] / (double)synth.last.low[bar]);
    }
    double scale = (double)synth.bars * sigma * sqrt(2 / M_PI);
    print_message("mean high and low of %zu minutes over theory: %.4f, %.4f\n", synth.bars,
                  up / scale, down / scale);
    /* Deviation of a mean of 84,960 half-normals: 0.756 / 291 = 0.26 %. */
    assert_near(up / scale, 1, 0.0105);
    assert_near(down / scale, 1, 0.0105);
    synth_free(&synth);
    anchors_free(&anchors);
}

static void test_another_seed_is_another_path_through_the_same_figures(void **state)
{
    static const char rows[] = "2025-01-01T00:00Z,price,100000,usd,spot,test\n"
                               "2025-01-01T09:00Z,price,101234.56,usd,spot,test\n"
                               "2025-01-01T15:00Z,price_low,97000,usd,spot,test\n"
                               "2025-01-02T00:00Z,price,100000,usd,spot,test\n";
    struct anchors anchors, again;
    struct synth first, second;
    struct synth_options options = whole;
    build_small(rows, &options, &anchors, &first);
    options.has_seed = true;
    options.seed = 2;
    build_small(rows, &options, &again, &second);
    assert_true(first.last.open[540] == 10123456 && second.last.open[540] == 10123456);
    assert_true(first.last.low[900] == 9700000 && second.last.low[900] == 9700000);
    size_t different = 0;
    for (size_t bar = 0; bar < first.bars; bar++)
        different += first.last.open[bar] != second.last.open[bar];
    assert_true(different > 1400);
    synth_free(&first);
    synth_free(&second);
    anchors_free(&anchors);
    anchors_free(&again);
}

static void test_a_part_is_the_same_minutes_as_in_the_whole(void **state)
{
    struct error err = {0};
    struct anchors anchors, again;
    struct synth all, part;
    struct synth_options options = {.from_ms = time_of("2025-01-01T06:00Z"),
                                    .to_ms = time_of("2025-01-01T18:00Z")};
    build_small(one_day, &whole, &anchors, &all);
    build_small(one_day, &options, &again, &part);
    for (int file = 0; file < SYNTH_FILE_COUNT; file++) {
        struct text_buffer long_text = {0}, short_text = {0};
        must(synth_csv(&all, &anchors, (enum synth_file)file, &long_text, &err), &err);
        must(synth_csv(&part, &again, (enum synth_file)file, &short_text, &err), &err);
        const char *rows = strchr(short_text.data, '\n') + 1;
        assert_true(short_text.length < long_text.length);
        assert_non_null(strstr(long_text.data, rows));
        text_buffer_free(&long_text);
        text_buffer_free(&short_text);
    }
    synth_free(&all);
    synth_free(&part);
    anchors_free(&anchors);
    anchors_free(&again);
}

/* Between two figures of open interest the fall comes with the price's. Here the quiet minutes up
   to 23 h have a tenth of the day's ranges: 1.6 times (1,379 of 0.0004 and one of 0.04 a root day)
   against a fall of log(1.25). */
static void test_open_interest_falls_where_the_price_moves(void **state)
{
    struct anchors anchors;
    struct synth synth;
    build_small("2025-01-01T00:00Z,price,100000,usd,spot,test\n"
                "2025-01-01T23:00Z,price,100000,usd,spot,test\n"
                "2025-01-01T23:59Z,price,80000,usd,spot,test\n"
                "2025-01-02T00:00Z,price,80000,usd,spot,test\n"
                "2025-01-01T00:01Z,volatility,0.0004,log_per_sqrt_day,,test\n"
                "2025-01-02T00:00Z,oi,500,coins,all,test\n",
                &whole, &anchors, &synth);
    double before = (double)synth.oi_steps[1380] / 10, after = (double)synth.oi_steps[1439] / 10;
    print_message("1,000 coins at 00 h, %.1f at 23 h, %.1f a minute before 500 at 24 h\n", before,
                  after);
    assert_near(before, 950, 5);
    assert_true(after < 520);
    synth_free(&synth);
    anchors_free(&anchors);
}

/* --- refusals --- */

static void test_wrong_tables_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *rows, *key;
        long line; /* below the head; 0: of the whole file */
    } cases[] = {
        {"2025-01-01T00:00Z,prise,100000,usd,spot,test\n", "field", 1},
        {"2025-01-01T00:00Z,price,100000,eur,spot,test\n", "unit", 1},
        {"2025-01-01T00:00Z,price,100000,usd,spot,\n", "source", 1},
        {"2025-01-01T00:00Z,price,-5,usd,spot,test\n", "value", 1},
        {"2025-01-01T00:00Z,price,nan,usd,spot,test\n", "value", 1},
        {"1 January,price,100000,usd,spot,test\n", "time", 1},
        {"2025-01-01T00:00:30Z,price,100000,usd,spot,test\n", "time", 1},
        {"2025-01-01T05:00Z,seed,7,,,test\n", "time", 1},
        {"2025-01-02T00:00Z,oi,1000,coins,binance,test\n", "scope", 1},
        {"2025-01-01T00:00Z,price,100000,usd,spot,test\n", "price", 1},
        {"2025-01-01T00:00Z,price,100000,usd,spot,test\n"
         "2025-01-01T00:00Z,price,100001,usd,spot,test\n",
         "price", 2},
        {"2025-01-01T00:00Z,price,100000.005,usd,spot,test\n"
         "2025-01-02T00:00Z,price,100000,usd,spot,test\n",
         "price", 1},
        {"2025-01-01T00:00Z,price,100000,usd,spot,test\n"
         "2025-01-02T00:00Z,price,99000,usd,spot,test\n"
         "2025-01-01T12:00Z,price_low,99500,usd,spot,test\n",
         "price", 2},
        {"2025-01-01T00:00Z,price,100000,usd,spot,test\n"
         "2025-01-02T00:00Z,price,100000,usd,spot,test\n"
         "2025-01-01T12:00Z,price_low,99500,usd,spot,test\n"
         "2025-01-01T13:00Z,price_low,99400,usd,spot,test\n",
         "price_low", 4},
        {"2025-01-01T00:00Z,price,100000,usd,spot,test\n"
         "2025-01-02T00:00Z,price,100000,usd,spot,test\n"
         "2025-01-03T12:00Z,price_low,99500,usd,spot,test\n",
         "price_low", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct anchors anchors;
        int code = read_text(head, cases[i].rows, &anchors, &err);
        print_message("%ld: %s: %s\n", err.line, err.key, err.message);
        assert_int_equal(code, ERROR_DATA);
        assert_int_equal(err.line, HEAD_LINES + cases[i].line);
        assert_string_equal(err.key, cases[i].key);
    }
    struct error err = {0};
    struct anchors anchors;
    assert_int_equal(read_text("time,field,value,unit,scope,source\n", one_day, &anchors, &err),
                     ERROR_DATA);
    assert_string_equal(err.key, "volatility");
}

/* Two days that share no price at the midnight between them. */
static void test_extremes_that_no_path_can_meet_are_refused(void **state)
{
    struct error err = {0};
    struct anchors anchors;
    struct synth synth;
    must(read_text(head,
                   "2025-01-01T00:00Z,price,100000,usd,spot,test\n"
                   "2025-01-01T12:00Z,price_low,99000,usd,spot,test\n"
                   "2025-01-02T12:00Z,price_high,95000,usd,spot,test\n"
                   "2025-01-03T00:00Z,price,94000,usd,spot,test\n",
                   &anchors, &err),
         &err);
    assert_int_equal(synth_build(&synth, &anchors, &whole, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "2025-01-02T00:00"));
    anchors_free(&anchors);
}

static void test_a_part_outside_of_the_table_is_refused(void **state)
{
    struct error err = {0};
    struct anchors anchors;
    struct synth synth;
    must(read_text(head, one_day, &anchors, &err), &err);
    struct synth_options late = {.from_ms = CALENDAR_NONE, .to_ms = time_of("2025-01-02T00:01Z")};
    struct synth_options empty = {.from_ms = time_of("2025-01-01T12:00Z"),
                                  .to_ms = time_of("2025-01-01T12:00Z")};
    assert_int_equal(synth_build(&synth, &anchors, &late, &err), ERROR_DATA);
    assert_int_equal(synth_build(&synth, &anchors, &empty, &err), ERROR_DATA);
    anchors_free(&anchors);
}

static void touch(const char *folder, const char *name, const char *content)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_made(const char *folder)
{
    char path[PATH_MAX];
    for (int file = 0; file < SYNTH_FILE_COUNT; file++) {
        snprintf(path, sizeof path, "%s/%s", folder, synth_file_name((enum synth_file)file));
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/meta.yaml", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/notes.txt", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void test_only_a_reconstruction_is_replaced_and_only_when_forced(void **state)
{
    char folder[] = "synth-XXXXXX", path[PATH_MAX];
    struct error err = {0};
    struct anchors anchors;
    struct synth synth;
    struct text_buffer meta = {0};
    build_small(one_day, &whole, &anchors, &synth);
    assert_non_null(mkdtemp(folder));
    touch(folder, "meta.yaml", "kind: earlier\n");
    assert_int_equal(synth_write(&synth, &anchors, folder, false, &err), ERROR_IO);
    touch(folder, "notes.txt", "mine\n");
    assert_int_equal(synth_write(&synth, &anchors, folder, true, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "notes.txt"));

    snprintf(path, sizeof path, "%s/notes.txt", folder);
    assert_int_equal(unlink(path), 0);
    must(synth_write(&synth, &anchors, folder, true, &err), &err);
    snprintf(path, sizeof path, "%s/meta.yaml", folder);
    read_all(path, &meta);
    assert_non_null(strstr(meta.data, "kind: reconstruction\n"));
    text_buffer_free(&meta);
    remove_made(folder);
    synth_free(&synth);
    anchors_free(&anchors);
}

/* Each allocation fails once; nothing leaks (run under a leak checker) and the error says memory.
   libcsv asks again for a smaller buffer, so one of the failures passes unseen. */
static void test_short_memory_fails_cleanly(void **state)
{
    long failures = 0, countdown = 0;
    for (int successes = 0; successes < 3;) {
        struct error err = {0};
        struct anchors anchors = {0};
        struct synth synth = {0};
        memory_fail_after(++countdown);
        int code = read_text(head, one_day, &anchors, &err);
        if (code == ERROR_NONE)
            code = synth_build(&synth, &anchors, &whole, &err);
        memory_fail_after(0);
        if (code != ERROR_NONE) {
            assert_int_equal(code, ERROR_IO);
            assert_non_null(strstr(err.message, "memory"));
            failures++;
            successes = 0;
        } else {
            successes++;
        }
        synth_free(&synth);
        anchors_free(&anchors);
    }
    print_message("%ld allocations failed, one at a time\n", failures);
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_sets_are_regenerated_byte_for_byte),
        cmocka_unit_test(test_written_directory_is_the_shipped_one),
        cmocka_unit_test(test_shipped_sets_say_that_they_are_reconstructions),
        cmocka_unit_test(
            test_shipped_bars_are_whole_minutes_with_low_and_high_around_open_and_close),
        cmocka_unit_test(test_every_published_figure_is_in_the_shipped_series),
        cmocka_unit_test(test_the_crash_of_10_october_is_the_published_one),
        cmocka_unit_test(test_shipped_scenarios_run_on_reconstructions_and_say_so),
        cmocka_unit_test(test_noon_between_equal_midnights_has_a_quarter_of_the_days_variance),
        cmocka_unit_test(test_wicks_are_those_of_a_brownian_motion),
        cmocka_unit_test(test_another_seed_is_another_path_through_the_same_figures),
        cmocka_unit_test(test_a_part_is_the_same_minutes_as_in_the_whole),
        cmocka_unit_test(test_open_interest_falls_where_the_price_moves),
        cmocka_unit_test(test_wrong_tables_are_refused_with_their_line),
        cmocka_unit_test(test_extremes_that_no_path_can_meet_are_refused),
        cmocka_unit_test(test_a_part_outside_of_the_table_is_refused),
        cmocka_unit_test(test_only_a_reconstruction_is_replaced_and_only_when_forced),
        cmocka_unit_test(test_short_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
