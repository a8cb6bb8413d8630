/*
 * Time: dates against the C library's own calendar (timegm, gmtime_r), formats against the text
 * forms that exchanges publish.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/calendar.h"

static int64_t iso(const char *text)
{
    int64_t ms = CALENDAR_NONE;

    if (!calendar_parse_iso(text, strlen(text), &ms))
        fail_msg("%s was refused", text);
    return ms;
}

static bool iso_refused(const char *text)
{
    int64_t ms = 42;

    return !calendar_parse_iso(text, strlen(text), &ms) && ms == 42;
}

static int64_t by_format(const char *text, const char *format)
{
    int64_t ms = CALENDAR_NONE;

    if (!calendar_parse_format(text, strlen(text), format, &ms))
        fail_msg("%s was refused by %s", text, format);
    return ms;
}

static bool format_refused(const char *text, const char *format)
{
    int64_t ms;

    return !calendar_parse_format(text, strlen(text), format, &ms);
}

static void every_day_of_eight_centuries_is_where_the_c_library_has_it(void **state)
{
    char text[CALENDAR_TEXT_SIZE];
    struct tm day;

    for (time_t at = -11676096000; at < 13569465600; at += 86400) { /* 1600 to 2400 */
        int64_t ms;

        gmtime_r(&at, &day);
        snprintf(text, sizeof(text), "%04d-%02d-%02d", day.tm_year + 1900, day.tm_mon + 1,
                 day.tm_mday);
        assert_true(calendar_parse_iso(text, strlen(text), &ms));
        assert_int_equal(ms, (int64_t)at * 1000);
        calendar_format_iso(ms, text);
        assert_int_equal(strncmp(text + 10, "T00:00:00Z", 11), 0);
        assert_true(calendar_parse_iso(text, strlen(text), &ms));
        assert_int_equal(ms, (int64_t)at * 1000);
    }
}

/* Stamps as `date -u +%s` gives them. */
static void known_instants(void **state)
{
    assert_int_equal(iso("1970-01-01"), 0);
    assert_int_equal(iso("2024-08-05T00:00Z"), INT64_C(1722816000000));
    assert_int_equal(iso("2025-10-10T21:15:00Z"), INT64_C(1760130900000));
    assert_int_equal(iso("2025-10-10 21:15:07.123"), INT64_C(1760130907123));
    assert_int_equal(iso("1969-12-31T23:59:59.999Z"), -1);
    assert_int_equal(iso("2025-10-10T21:15:00.5Z"), INT64_C(1760130900500));
    assert_int_equal(iso("2025-10-10T21:15:00.123999999Z"), INT64_C(1760130900123));
}

static void an_offset_names_the_same_instant(void **state)
{
    assert_int_equal(iso("2024-08-05T06:00+06:00"), iso("2024-08-05T00:00Z"));
    assert_int_equal(iso("2024-08-04T18:30:00-0530"), iso("2024-08-05T00:00:00Z"));
    assert_int_equal(iso("2024-08-05 00:00:00"), iso("2024-08-05T00:00:00Z"));
}

static void leap_days_exist_only_in_leap_years(void **state)
{
    assert_int_equal(iso("2024-03-01") - iso("2024-02-28"), 2 * CALENDAR_DAY_MS);
    assert_int_equal(iso("2000-03-01") - iso("2000-02-28"), 2 * CALENDAR_DAY_MS);
    assert_int_equal(iso("1900-03-01") - iso("1900-02-28"), CALENDAR_DAY_MS);
    assert_true(iso_refused("2023-02-29"));
    assert_true(iso_refused("1900-02-29"));
    assert_true(iso_refused("2100-02-29"));
}

static void impossible_and_malformed_times_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2025",
        "2025-10",
        "2025-13-01",
        "2025-00-01",
        "2025-04-31",
        "2025-01-00",
        "0000-01-01",
        "2025-10-10T",
        "2025-10-10T21",
        "2025-10-10T24:00",
        "2025-10-10T21:60",
        "2025-10-10T21:00:60",
        "2025-10-10T21:00:00.Z",
        "2025-10-10T21:00+19:00",
        "2025-10-10T21:00+06:60",
        "2025-10-10T21:00Z ",
        "2025-10-10Z",
        " 2025-10-10",
        "2025-1-1",
        "25-10-10",
        "2025/10/10",
        "2025-10-10T21:00:00ZZ",
        "2025-10-10T21:00 UTC",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!iso_refused(texts[i]))
            fail_msg("\"%s\" was accepted", texts[i]);
}

static void only_the_given_length_is_read(void **state)
{
    int64_t ms;

    assert_true(calendar_parse_iso("2025-10-10garbage", 10, &ms));
    assert_int_equal(ms, iso("2025-10-10"));
}

static void text_forms_of_exchanges_by_format(void **state)
{
    assert_int_equal(by_format("2024.8.5", "%Y.%m.%d"), iso("2024-08-05"));
    assert_int_equal(by_format("2024-08-05 01:05:09", "%Y-%m-%d %H:%M:%S"),
                     iso("2024-08-05T01:05:09Z"));
    assert_int_equal(by_format("5/8/24 1:05", "%d/%m/%y %H:%M"), iso("2024-08-05T01:05Z"));
    assert_int_equal(by_format("31/12/99", "%d/%m/%y"), iso("1999-12-31"));
    assert_int_equal(by_format("20240805T010509.25", "%Y%m%dT%H%M%S.%f"),
                     iso("2024-08-05T01:05:09.250Z"));
    assert_int_equal(by_format("aUg  5 2024", "%b %e %Y"), iso("2024-08-05"));
    assert_int_equal(by_format("Dec 31 2024", "%b %e %Y"), iso("2024-12-31"));
    assert_int_equal(by_format("2024-08-05 06:00 +0600", "%Y-%m-%d %H:%M %z"), iso("2024-08-05"));
    assert_int_equal(by_format("100% 2024", "100%% %Y"), iso("2024-01-01"));
}

static void texts_that_do_not_fit_their_format_are_refused(void **state)
{
    assert_true(format_refused("2024.8.32", "%Y.%m.%d"));
    assert_true(format_refused("2024.13.5", "%Y.%m.%d"));
    assert_true(format_refused("2024.8.5 ", "%Y.%m.%d"));
    assert_true(format_refused("2024.8", "%Y.%m.%d"));
    assert_true(format_refused("2024-8-5", "%Y.%m.%d"));
    assert_true(format_refused("24.8.5", "%Y.%m.%d"));
    assert_true(format_refused("2023.2.29", "%Y.%m.%d"));
    assert_true(format_refused("Foo 1 2024", "%b %e %Y"));
    assert_true(format_refused("12:00", "%H:%M")); /* no year */
    assert_true(format_refused("2024", "%Q"));
    assert_true(format_refused("2024", "%Y%"));
}

static int64_t duration(const char *text)
{
    int64_t ms = CALENDAR_NONE;

    if (!calendar_parse_duration(text, strlen(text), &ms))
        fail_msg("%s was refused", text);
    return ms;
}

static void durations_carry_their_unit(void **state)
{
    static const char *const refused[] = {"",     "5",   "h",    "5 h", "-5m",  "1e3s",
                                          "5min", "1.5", "1..5", "5H",  "0.5ms"};
    int64_t ms;

    assert_int_equal(duration("500ms"), 500);
    assert_int_equal(duration("30s"), 30000);
    assert_int_equal(duration("15m"), 900000);
    assert_int_equal(duration("8h"), 28800000);
    assert_int_equal(duration("30d"), INT64_C(2592000000));
    assert_int_equal(duration("0m"), 0);
    assert_int_equal(duration("1.5h"), 5400000);
    assert_int_equal(duration("0.1s"), 100);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (calendar_parse_duration(refused[i], strlen(refused[i]), &ms))
            fail_msg("\"%s\" was accepted", refused[i]);
}

static void durations_are_written_in_the_largest_unit_that_divides(void **state)
{
    static const char *const texts[] = {"1m", "90s", "8h", "30d", "0s", "500ms", "25h"};
    char buffer[CALENDAR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(calendar_format_duration(duration(texts[i]), buffer), texts[i]);
    assert_string_equal(calendar_format_duration(60000, buffer), "1m");
    assert_string_equal(calendar_format_duration(CALENDAR_NONE, buffer), "");
}

static void zones_are_offsets_from_utc(void **state)
{
    int64_t offset;

    assert_true(calendar_parse_zone("+06:00", 6, &offset));
    assert_int_equal(offset, 6 * CALENDAR_HOUR_MS);
    assert_true(calendar_parse_zone("-0530", 5, &offset));
    assert_int_equal(offset, -(5 * CALENDAR_HOUR_MS + 30 * CALENDAR_MINUTE_MS));
    assert_true(calendar_parse_zone("Z", 1, &offset));
    assert_int_equal(offset, 0);
    assert_true(calendar_parse_zone("UTC", 3, &offset));
    assert_int_equal(offset, 0);
    assert_false(calendar_parse_zone("06:00", 5, &offset));
    assert_false(calendar_parse_zone("+6", 2, &offset));
    assert_false(calendar_parse_zone("+06:00x", 7, &offset));
    assert_false(calendar_parse_zone("CET", 3, &offset));
    assert_false(calendar_parse_zone("", 0, &offset));
}

static void milliseconds_are_written_only_when_there_are_some(void **state)
{
    char buffer[CALENDAR_TEXT_SIZE];

    assert_string_equal(calendar_format_iso(INT64_C(1760130900000), buffer),
                        "2025-10-10T21:15:00Z");
    assert_string_equal(calendar_format_iso(INT64_C(1760130900007), buffer),
                        "2025-10-10T21:15:00.007Z");
    assert_string_equal(calendar_format_iso(-1, buffer), "1969-12-31T23:59:59.999Z");
    assert_string_equal(calendar_format_iso(CALENDAR_NONE, buffer), "");
    /* The last instant that the type holds fits the buffer. */
    assert_string_equal(calendar_format_iso(INT64_MAX, buffer), "292278994-08-17T07:12:55.807Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_eight_centuries_is_where_the_c_library_has_it),
        cmocka_unit_test(known_instants),
        cmocka_unit_test(an_offset_names_the_same_instant),
        cmocka_unit_test(leap_days_exist_only_in_leap_years),
        cmocka_unit_test(impossible_and_malformed_times_are_refused),
        cmocka_unit_test(only_the_given_length_is_read),
        cmocka_unit_test(text_forms_of_exchanges_by_format),
        cmocka_unit_test(texts_that_do_not_fit_their_format_are_refused),
        cmocka_unit_test(durations_carry_their_unit),
        cmocka_unit_test(durations_are_written_in_the_largest_unit_that_divides),
        cmocka_unit_test(zones_are_offsets_from_utc),
        cmocka_unit_test(milliseconds_are_written_only_when_there_are_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
