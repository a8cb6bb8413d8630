/*
 * Text: exact numbers, growing buffers, and the nearest word for "did you mean ...?".
 */
#ifndef LIQCASCADE_BASE_TEXT_H
#define LIQCASCADE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal text to the nearest double: exactly what strtod gives in the C locale, in any locale.
   Up to 19 significant digits take an exact fast path: one floating-point operation when mantissa
   and power of ten are exact doubles (Clinger), one 128-bit division otherwise; the rest falls
   back to strtod. All `length` bytes must be used: `1.0xyz`, ` 1`, `1_000`, hex and
   an empty text are refused (false, `*out` untouched). Accepts `nan`, `inf` only when
   `allow_non_finite`; a result that overflows is refused. `text` need not end in NUL. */
bool text_to_double(const char *text, size_t length, bool allow_non_finite, double *out);

/* Decimal integer, optional sign; also `1e6`-style texts with an exact integer value. */
bool text_to_int64(const char *text, size_t length, int64_t *out);

/* The word of `words` (count of them) closest to `word` by edit distance (case does not matter, two
   swapped letters are one edit), when the distance is at
   most a third of its length (at least 1, at most 3); NULL when none is close. */
const char *text_nearest(const char *word, const char *const *words, size_t count);

/* A growing string; always ends in NUL once anything was appended. Zero-initialise. */
struct text_buffer {
    char *data; /* owned; NULL while empty */
    size_t length;
    size_t capacity;
    bool failed; /* memory ran short: further appends do nothing */
};
void text_append(struct text_buffer *buffer, const char *text);
void text_append_bytes(struct text_buffer *buffer, const char *bytes, size_t length);
void text_appendf(struct text_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_buffer_free(struct text_buffer *buffer);

/* Formats a number with %.17g, shortened to the fewest digits that read back to the same double
   (tries %.15g, %.16g, %.17g); NaN gives an empty text. Returns the length written. */
size_t text_from_double(double value, char buffer[32]);

/* A number for people: `$94.0B`, `$12.3M`, `$950k`, `$1.2k`, `-$0.50` (`prefix` before the digits,
   may be ""); NaN is `n/a`. Returns `buffer`. */
const char *text_human(double value, const char *prefix, char buffer[32]);

#endif
