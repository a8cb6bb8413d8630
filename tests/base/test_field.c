/*
 * Described values as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/field.h"

struct record {
    double price;
    int64_t count;
    uint64_t seed;
    bool closed;
    char *name;
    int side;
    int64_t time_ms;
    int64_t step_ms;
};

static const char *const sides[] = {"long", "short", NULL};

static const struct field fields[] = {
    {.name = "price", .type = FIELD_DOUBLE, .offset = offsetof(struct record, price)},
    {.name = "count", .type = FIELD_INT64, .offset = offsetof(struct record, count)},
    {.name = "seed", .type = FIELD_UINT64, .offset = offsetof(struct record, seed)},
    {.name = "closed", .type = FIELD_BOOL, .offset = offsetof(struct record, closed)},
    {.name = "name", .type = FIELD_TEXT, .offset = offsetof(struct record, name)},
    {.name = "side",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct record, side),
     .choices = sides},
    {.name = "time", .type = FIELD_TIME_MS, .offset = offsetof(struct record, time_ms)},
    {.name = "step", .type = FIELD_DURATION_MS, .offset = offsetof(struct record, step_ms)},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void expect_texts(const struct record *record, const char *const expected[FIELDS])
{
    char text[64];

    for (size_t i = 0; i < FIELDS; i++) {
        assert_int_equal(field_format(&fields[i], record, text, sizeof(text)), strlen(expected[i]));
        assert_string_equal(text, expected[i]);
    }
}

static void values_are_written_by_their_type(void **state)
{
    char name[] = "BTCUSDT";
    struct record record = {
        0.1, -5, UINT64_MAX, true, name, 1, INT64_C(1722816000000), INT64_C(28800000)};

    expect_texts(&record, (const char *const[]){"0.1", "-5", "18446744073709551615", "yes",
                                                "BTCUSDT", "short", "2024-08-05T00:00:00Z", "8h"});
}

static void missing_values_are_empty(void **state)
{
    struct record record = {(double)NAN, 0, 0, false, NULL, -1, CALENDAR_NONE, CALENDAR_NONE};

    expect_texts(&record, (const char *const[]){"", "0", "0", "no", "", "", "", ""});
    record.side = 2; /* behind the last choice */
    record.price = -(double)INFINITY;
    expect_texts(&record, (const char *const[]){"-inf", "0", "0", "no", "", "", "", ""});
}

static void text_longer_than_the_buffer_is_cut(void **state)
{
    char name[] = "BTCUSDT", text[4] = "";
    struct record record = {.name = name};

    assert_int_equal(field_format(&fields[4], &record, text, sizeof(text)), 3);
    assert_string_equal(text, "BTC");
    assert_int_equal(field_format(&fields[4], &record, text, 0), 0);
}

static void types_have_names_that_people_read(void **state)
{
    assert_string_equal(field_type_name(FIELD_DOUBLE), "number");
    assert_string_equal(field_type_name(FIELD_UINT64), "integer");
    assert_string_equal(field_type_name(FIELD_DURATION_MS), "duration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_by_their_type),
        cmocka_unit_test(missing_values_are_empty),
        cmocka_unit_test(text_longer_than_the_buffer_is_cut),
        cmocka_unit_test(types_have_names_that_people_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
