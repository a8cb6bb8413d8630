#include "base/calendar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define OFFSET_LIMIT_HOURS 18 /* beyond any zone in use; more is a slip of the pen */

/* A text being read from the left. */
struct cursor {
    const char *at;
    const char *end;
};

/* Broken-down time; `offset_ms` is subtracted at the end. */
struct clock_time {
    int year, month, day;
    int hour, minute, second;
    int millisecond;
    int64_t offset_ms;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool at_end(const struct cursor *in)
{
    return in->at == in->end;
}

static bool take(struct cursor *in, char c)
{
    if (at_end(in) || *in->at != c)
        return false;
    in->at++;
    return true;
}

/* Between `fewest` and `most` digits. */
static bool take_number(struct cursor *in, int fewest, int most, int *out)
{
    int value = 0, digits = 0;

    while (digits < most && !at_end(in) && is_digit(*in->at)) {
        value = value * 10 + (*in->at++ - '0');
        digits++;
    }
    *out = value;
    return digits >= fewest;
}

/* One to nine digits of a second's fraction; what is finer than a millisecond is cut. */
static bool take_fraction(struct cursor *in, int *out_millisecond)
{
    int value = 0, digits = 0;

    for (; digits < 9 && !at_end(in) && is_digit(*in->at); in->at++, digits++)
        if (digits < 3)
            value = value * 10 + (*in->at - '0');
    for (int i = digits; i < 3; i++)
        value *= 10;
    *out_millisecond = value;
    return digits > 0;
}

/* `Z`, `+06:00`, `+0600` or `+06`. */
static bool take_offset(struct cursor *in, int64_t *out_ms)
{
    int hours, minutes = 0;
    bool west;

    *out_ms = 0;
    if (take(in, 'Z'))
        return true;
    west = take(in, '-');
    if (!west && !take(in, '+'))
        return false;
    if (!take_number(in, 2, 2, &hours))
        return false;
    if (take(in, ':') || (!at_end(in) && is_digit(*in->at)))
        if (!take_number(in, 2, 2, &minutes))
            return false;
    if (hours > OFFSET_LIMIT_HOURS || minutes > 59)
        return false;
    *out_ms = hours * CALENDAR_HOUR_MS + minutes * CALENDAR_MINUTE_MS;
    if (west)
        *out_ms = -*out_ms;
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, by counting eras of 400 years from
   March, which puts the leap day last (Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

/* The inverse of days_from_civil. */
static void civil_from_days(int64_t days, int64_t *out_year, int *out_month, int *out_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    *out_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *out_month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *out_year = year_of_era + era * 400 + (*out_month <= 2 ? 1 : 0);
}

static bool to_ms(const struct clock_time *time, int64_t *out_ms)
{
    if (time->year < 1 || time->month < 1 || time->month > 12 || time->day < 1 ||
        time->day > days_in_month(time->year, time->month))
        return false;
    if (time->hour > 23 || time->minute > 59 || time->second > 59)
        return false;
    *out_ms = days_from_civil(time->year, time->month, time->day) * CALENDAR_DAY_MS +
              time->hour * CALENDAR_HOUR_MS + time->minute * CALENDAR_MINUTE_MS +
              time->second * CALENDAR_SECOND_MS + time->millisecond - time->offset_ms;
    return true;
}

static bool take_date(struct cursor *in, struct clock_time *out)
{
    return take_number(in, 4, 4, &out->year) && take(in, '-') &&
           take_number(in, 2, 2, &out->month) && take(in, '-') && take_number(in, 2, 2, &out->day);
}

/* `21:00`, `21:00:07`, `21:00:07.123`. */
static bool take_time_of_day(struct cursor *in, struct clock_time *out)
{
    if (!take_number(in, 2, 2, &out->hour) || !take(in, ':') ||
        !take_number(in, 2, 2, &out->minute))
        return false;
    if (!take(in, ':'))
        return true;
    if (!take_number(in, 2, 2, &out->second))
        return false;
    return !take(in, '.') || take_fraction(in, &out->millisecond);
}

bool calendar_parse_iso(const char *text, size_t length, int64_t *out_ms)
{
    struct cursor in = {text, text + length};
    struct clock_time time = {0};

    if (!take_date(&in, &time))
        return false;
    if (take(&in, 'T') || take(&in, ' ')) {
        if (!take_time_of_day(&in, &time))
            return false;
        if (!at_end(&in) && !take_offset(&in, &time.offset_ms))
            return false;
    }
    return at_end(&in) && to_ms(&time, out_ms);
}

static bool take_month_name(struct cursor *in, int *out_month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    if (in->end - in->at < 3)
        return false;
    for (int month = 0; month < 12; month++) {
        if (strncasecmp(in->at, names + (ptrdiff_t)month * 3, 3) == 0) {
            in->at += 3;
            *out_month = month + 1;
            return true;
        }
    }
    return false;
}

/* Years of two digits as POSIX reads them: 69 to 99 are 1969 to 1999, the rest 2000 to 2068. */
static bool take_short_year(struct cursor *in, int *out_year)
{
    if (!take_number(in, 2, 2, out_year))
        return false;
    *out_year += *out_year >= 69 ? 1900 : 2000;
    return true;
}

static bool take_conversion(struct cursor *in, char conversion, struct clock_time *out)
{
    switch (conversion) {
    case 'Y':
        return take_number(in, 4, 4, &out->year);
    case 'y':
        return take_short_year(in, &out->year);
    case 'm':
        return take_number(in, 1, 2, &out->month);
    case 'b':
        return take_month_name(in, &out->month);
    case 'e':
        take(in, ' ');
        return take_number(in, 1, 2, &out->day);
    case 'd':
        return take_number(in, 1, 2, &out->day);
    case 'H':
        return take_number(in, 1, 2, &out->hour);
    case 'M':
        return take_number(in, 1, 2, &out->minute);
    case 'S':
        return take_number(in, 1, 2, &out->second);
    case 'f':
        return take_fraction(in, &out->millisecond);
    case 'z':
        return take_offset(in, &out->offset_ms);
    case '%':
        return take(in, '%');
    default:
        return false;
    }
}

bool calendar_parse_format(const char *text, size_t length, const char *format, int64_t *out_ms)
{
    struct cursor in = {text, text + length};
    struct clock_time time = {.month = 1, .day = 1};

    for (const char *f = format; *f != '\0'; f++) {
        if (*f != '%') {
            if (!take(&in, *f))
                return false;
        } else if (!take_conversion(&in, *++f, &time)) {
            return false; /* also for a format that ends in a lone % */
        }
    }
    return at_end(&in) && to_ms(&time, out_ms);
}

struct duration_unit {
    const char *name;
    int64_t ms;
};

/* From the largest, so that formatting takes the first that divides. */
static const struct duration_unit duration_units[] = {
    {"d", CALENDAR_DAY_MS},
    {"h", CALENDAR_HOUR_MS},
    {"m", CALENDAR_MINUTE_MS},
    {"s", CALENDAR_SECOND_MS},
    {"ms", 1},
};
#define DURATION_UNITS (sizeof(duration_units) / sizeof(duration_units[0]))

/* Milliseconds per unit; 0 for an unknown unit. */
static int64_t unit_ms(const char *name, size_t length)
{
    for (size_t i = 0; i < DURATION_UNITS; i++)
        if (strlen(duration_units[i].name) == length &&
            memcmp(duration_units[i].name, name, length) == 0)
            return duration_units[i].ms;
    return 0;
}

bool calendar_parse_duration(const char *text, size_t length, int64_t *out_ms)
{
    size_t digits = 0;
    double number, product;
    int64_t unit;

    while (digits < length && (is_digit(text[digits]) || text[digits] == '.'))
        digits++;
    unit = unit_ms(text + digits, length - digits);
    if (unit == 0 || !text_to_double(text, digits, false, &number))
        return false;
    product = number * (double)unit;
    /* 0.1 has no exact double: a product this close to a whole millisecond was meant as one. */
    if (product > 0x1p53 || fabs(product - nearbyint(product)) > 1e-6)
        return false;
    *out_ms = (int64_t)nearbyint(product);
    return true;
}

bool calendar_parse_zone(const char *text, size_t length, int64_t *out_offset_ms)
{
    struct cursor in = {text, text + length};
    int64_t offset;

    if (length == 3 && memcmp(text, "UTC", 3) == 0) {
        *out_offset_ms = 0;
        return true;
    }
    if (!take_offset(&in, &offset) || !at_end(&in))
        return false;
    *out_offset_ms = offset;
    return true;
}

const char *calendar_format_iso(int64_t time_ms, char buffer[CALENDAR_TEXT_SIZE])
{
    int64_t year, days, of_day;
    int month, day, seconds, ms, used;

    buffer[0] = '\0';
    if (time_ms == CALENDAR_NONE)
        return buffer;
    of_day = time_ms % CALENDAR_DAY_MS;
    if (of_day < 0)
        of_day += CALENDAR_DAY_MS;
    days = (time_ms - of_day) / CALENDAR_DAY_MS;
    civil_from_days(days, &year, &month, &day);
    seconds = (int)(of_day / 1000);
    ms = (int)(of_day % 1000);
    used = snprintf(buffer, CALENDAR_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year,
                    month, day, seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (ms != 0)
        used += snprintf(buffer + used, (size_t)(CALENDAR_TEXT_SIZE - used), ".%03d", ms);
    snprintf(buffer + used, (size_t)(CALENDAR_TEXT_SIZE - used), "Z");
    return buffer;
}

const char *calendar_format_duration(int64_t duration_ms, char buffer[CALENDAR_TEXT_SIZE])
{
    const struct duration_unit *unit = duration_units;

    if (duration_ms == CALENDAR_NONE || duration_ms == 0) {
        snprintf(buffer, CALENDAR_TEXT_SIZE, "%s", duration_ms == 0 ? "0s" : "");
        return buffer;
    }
    while (duration_ms % unit->ms != 0)
        unit++;
    snprintf(buffer, CALENDAR_TEXT_SIZE, "%lld%s", (long long)(duration_ms / unit->ms), unit->name);
    return buffer;
}
