/*
 * Described tables as CSV and JSON: what a reader gets back is what was written, and a failed
 * write is told with the file and the reason.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "reports/table.h"

struct fill {
    char *venue;
    double price;
    int64_t count;
    uint64_t seed;
    bool forced;
    int side;
    int64_t time_ms, wait_ms;
};

static const char *const sides[] = {"long", "short", NULL};

static const struct field fields[] = {
    {.name = "venue", .type = FIELD_TEXT, .offset = offsetof(struct fill, venue)},
    {.name = "price_usd", .type = FIELD_DOUBLE, .offset = offsetof(struct fill, price)},
    {.name = "count", .type = FIELD_INT64, .offset = offsetof(struct fill, count)},
    {.name = "seed", .type = FIELD_UINT64, .offset = offsetof(struct fill, seed)},
    {.name = "forced", .type = FIELD_BOOL, .offset = offsetof(struct fill, forced)},
    {.name = "side", .type = FIELD_CHOICE, .offset = offsetof(struct fill, side), .choices = sides},
    {.name = "time", .type = FIELD_TIME_MS, .offset = offsetof(struct fill, time_ms)},
    {.name = "wait", .type = FIELD_DURATION_MS, .offset = offsetof(struct fill, wait_ms)},
};

static struct table table_of(const struct fill *rows, size_t count)
{
    return (struct table){.name = "fills",
                          .fields = fields,
                          .field_count = sizeof fields / sizeof *fields,
                          .rows = rows,
                          .row_count = count,
                          .row_size = sizeof *rows};
}

/* 2025-10-10T21:15Z is 20,371 days and 21.25 hours after 1970. */
#define OCTOBER_10 (INT64_C(20371) * CALENDAR_DAY_MS + INT64_C(76500000))

/* Not inlined: gcc 12 at -O3 takes the stream's buffer for the pointer to it. */
__attribute__((noinline)) static char *written(const struct fill *rows, size_t count,
                                               int (*write)(const struct table *, FILE *,
                                                            const char *, struct error *))
{
    char *text = NULL;
    size_t size = 0;
    struct error err = {0};
    struct table table = table_of(rows, count);
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(write(&table, out, "fills", &err), ERROR_NONE);
    fclose(out);
    return text;
}

static void a_row_is_one_line_and_a_missing_value_an_empty_cell(void **state)
{
    const struct fill rows[] = {
        {"binance", 114909.5, 3, UINT64_MAX, true, 0, OCTOBER_10, 8 * CALENDAR_HOUR_MS},
        {NULL, NAN, -1, 0, false, 1, CALENDAR_NONE, CALENDAR_NONE},
    };
    char *text = written(rows, 2, table_write_csv);
    assert_string_equal(text, "venue,price_usd,count,seed,forced,side,time,wait\n"
                              "binance,114909.5,3,18446744073709551615,true,long,"
                              "2025-10-10T21:15:00Z,8h\n"
                              ",,-1,0,false,short,,\n");
    free(text);
}

static void a_table_without_rows_still_has_its_header(void **state)
{
    char *text = written(NULL, 0, table_write_csv);
    assert_string_equal(text, "venue,price_usd,count,seed,forced,side,time,wait\n");
    free(text);
    text = written(NULL, 0, table_write_json);
    assert_string_equal(text, "[]\n");
    free(text);
}

static void only_cells_that_need_quotes_get_them(void **state)
{
    static const struct {
        const char *value, *cell;
    } cases[] = {
        {"plain text", "plain text"},
        {"a,b", "\"a,b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {" edge", "\" edge\""},
        {"edge ", "\"edge \""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fill row = {.venue = (char *)cases[i].value, .price = NAN};
        char expected[64];
        snprintf(expected, sizeof expected, "wait\n%s,,0,0,", cases[i].cell);
        char *text = written(&row, 1, table_write_csv);
        assert_memory_equal(strstr(text, "wait\n"), expected, strlen(expected));
        free(text);
    }
}

/* 0.1 + 0.2, the smallest subnormal, the largest double, and one third: all have to survive. */
static void numbers_read_back_to_the_same_double(void **state)
{
    const double values[] = {0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1.0 / 3.0, -0.0, 123456789};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct fill row = {.price = values[i]};
        char *text = written(&row, 1, table_write_csv);
        double back = strtod(strstr(text, "wait\n,") + strlen("wait\n,"), NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
        free(text);
    }
}

static void json_has_the_same_values_with_null_for_missing(void **state)
{
    const struct fill rows[] = {
        {"a\"b", 0.5, 3, UINT64_MAX, true, 1, OCTOBER_10, CALENDAR_MINUTE_MS},
        {NULL, NAN, -1, 0, false, 0, CALENDAR_NONE, CALENDAR_NONE},
    };
    char *text = written(rows, 2, table_write_json);
    assert_string_equal(text, "[\n"
                              "  {\n"
                              "    \"venue\": \"a\\\"b\",\n"
                              "    \"price_usd\": 0.5,\n"
                              "    \"count\": 3,\n"
                              "    \"seed\": 18446744073709551615,\n"
                              "    \"forced\": true,\n"
                              "    \"side\": \"short\",\n"
                              "    \"time\": \"2025-10-10T21:15:00Z\",\n"
                              "    \"wait\": \"1m\"\n"
                              "  },\n"
                              "  {\n"
                              "    \"venue\": null,\n"
                              "    \"price_usd\": null,\n"
                              "    \"count\": -1,\n"
                              "    \"seed\": 0,\n"
                              "    \"forced\": false,\n"
                              "    \"side\": \"long\",\n"
                              "    \"time\": null,\n"
                              "    \"wait\": null\n"
                              "  }\n"
                              "]\n");
    free(text);
}

static void a_full_disk_is_told_with_file_and_reason(void **state)
{
    struct fill row = {.venue = (char *)"binance"};
    struct table table = table_of(&row, 1);
    int (*const writers[])(const struct table *, FILE *, const char *,
                           struct error *) = {table_write_csv, table_write_json};
    for (size_t i = 0; i < 2; i++) {
        struct error err = {0};
        FILE *full = fopen("/dev/full", "w");
        if (full == NULL)
            skip();
        assert_int_equal(writers[i](&table, full, "out/fills.csv", &err), ERROR_IO);
        assert_string_equal(err.file, "out/fills.csv");
        assert_non_null(strstr(err.message, "No space left on device"));
        fclose(full);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_one_line_and_a_missing_value_an_empty_cell),
        cmocka_unit_test(a_table_without_rows_still_has_its_header),
        cmocka_unit_test(only_cells_that_need_quotes_get_them),
        cmocka_unit_test(numbers_read_back_to_the_same_double),
        cmocka_unit_test(json_has_the_same_values_with_null_for_missing),
        cmocka_unit_test(a_full_disk_is_told_with_file_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
