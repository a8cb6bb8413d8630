/*
 * Time as int64 milliseconds since 1970-01-01T00:00Z, and its text forms. No locale, no TZ.
 */
#ifndef LIQCASCADE_BASE_CALENDAR_H
#define LIQCASCADE_BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALENDAR_NONE INT64_MIN /* "no time": missing or not given */
#define CALENDAR_SECOND_MS INT64_C(1000)
#define CALENDAR_MINUTE_MS INT64_C(60000)
#define CALENDAR_HOUR_MS INT64_C(3600000)
#define CALENDAR_DAY_MS INT64_C(86400000)

/* ISO 8601: `2025-10-10`, `2025-10-10T21:00Z`, `2025-10-10T21:00:07.123Z`, `2025-10-10 21:00:07`,
   with an offset `+06:00` in place of Z; no offset means UTC. Digits finer than a millisecond are
   cut. False when `text` (all `length` bytes of it) is anything else, impossible dates included. */
bool calendar_parse_iso(const char *text, size_t length, int64_t *out_ms);

/* By a strptime-like format: %Y %m %d %H %M %S %y %b %e %f (fraction digits), %z, %%; a number
   may lack its leading zero ("2024.8.5" fits "%Y.%m.%d"). Result is taken as UTC unless %z. The
   year is required; a month or day that the format lacks is the first. */
bool calendar_parse_format(const char *text, size_t length, const char *format, int64_t *out_ms);

/* `500ms`, `30s`, `1m`, `15m`, `8h`, `30d`, `0m`; decimals allowed (`1.5h`). The unit is required,
   there is no sign, and the result is a whole number of milliseconds. */
bool calendar_parse_duration(const char *text, size_t length, int64_t *out_ms);

/* `+06:00`, `-0530`, `Z`, `UTC`: the offset to subtract from local time to get UTC. At
   most 18 hours. */
bool calendar_parse_zone(const char *text, size_t length, int64_t *out_offset_ms);

#define CALENDAR_TEXT_SIZE 32
/* `2025-10-10T21:15:00Z`, with `.123` only when milliseconds are not zero; CALENDAR_NONE gives an
   empty text. Returns `buffer`. */
const char *calendar_format_iso(int64_t time_ms, char buffer[CALENDAR_TEXT_SIZE]);
/* The largest unit that divides: `1m`, `90s`, `8h`, `30d`, `0s`. Returns `buffer`. */
const char *calendar_format_duration(int64_t duration_ms, char buffer[CALENDAR_TEXT_SIZE]);

#endif
