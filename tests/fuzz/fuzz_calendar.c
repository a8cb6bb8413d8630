/*
 * What parses as a time is written and parses again to the same instant; the same for durations.
 * The first half of the input is a format for the second.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(int64_t time_ms)
{
    char buffer[CALENDAR_TEXT_SIZE];
    int64_t again;

    calendar_format_iso(time_ms, buffer);
    if (buffer[0] == '-' || buffer[4] != '-' || strncmp(buffer, "0000", 4) == 0)
        return; /* an offset led out of the years 1 to 9999 */
    liqcascade_bug_assert(calendar_parse_iso(buffer, strlen(buffer), &again), "own text refused");
    liqcascade_bug_assert(again == time_ms, "another instant");
}

static void check_duration(int64_t duration_ms)
{
    char buffer[CALENDAR_TEXT_SIZE];
    int64_t again;

    calendar_format_duration(duration_ms, buffer);
    liqcascade_bug_assert(calendar_parse_duration(buffer, strlen(buffer), &again),
                          "own text refused");
    liqcascade_bug_assert(again == duration_ms, "another duration");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    size_t half = size / 2;
    char *format = strndup(text, half);
    int64_t value;

    if (calendar_parse_iso(text, size, &value))
        check_time(value);
    if (calendar_parse_duration(text, size, &value))
        check_duration(value);
    if (calendar_parse_zone(text, size, &value))
        liqcascade_bug_assert(llabs(value) < CALENDAR_DAY_MS, "an offset of a day");
    if (format != NULL && calendar_parse_format(text + half, size - half, format, &value))
        check_time(value);
    free(format);
    return 0;
}
