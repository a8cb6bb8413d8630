#include "base/text.h"

#include <ctype.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

/* ---- numbers -------------------------------------------------------------------------- */

#define MANTISSA_DIGITS 19      /* any 19 decimal digits fit in 64 bits */
#define EXPONENT_LIMIT 1000000L /* beyond any double; keeps the sum of exponents in a long */

/* A decimal number as written: (-1)^negative * mantissa * 10^exponent. */
struct decimal {
    uint64_t mantissa;
    long exponent;
    bool negative;
    bool cut; /* more digits than the mantissa holds */
};

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t get_c_locale(void)
{
    pthread_once(&c_locale_once, make_c_locale);
    return c_locale;
}

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Adds a run of digits to the mantissa; digits beyond its room are counted in the exponent.
   Returns the first byte that is no digit. */
static const char *take_digits(const char *at, const char *end, struct decimal *number)
{
    for (; at < end && is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (number->mantissa < UINT64_C(1000000000000000000)) {
            number->mantissa = number->mantissa * 10 + digit;
        } else {
            number->exponent++;
            number->cut = number->cut || digit != 0;
        }
    }
    return at;
}

/* The `e-5` of a number, whose `e` was read; NULL when there is no digit. */
static const char *take_exponent(const char *at, const char *end, struct decimal *number)
{
    long exponent = 0;
    bool negative = false;

    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end || !is_digit(*at))
        return NULL;
    for (; at < end && is_digit(*at); at++)
        if (exponent < EXPONENT_LIMIT)
            exponent = exponent * 10 + (*at - '0');
    number->exponent += negative ? -exponent : exponent;
    return at;
}

/* Reads `[+-]digits[.digits][e[+-]digits]`, all of it; false for anything else. */
static bool scan_decimal(const char *text, size_t length, struct decimal *out)
{
    const char *at = text, *end = text + length, *start;
    ptrdiff_t digits;

    *out = (struct decimal){0};
    if (at < end && (*at == '-' || *at == '+'))
        out->negative = *at++ == '-';
    start = at;
    at = take_digits(at, end, out);
    digits = at - start;
    if (at < end && *at == '.') {
        start = ++at;
        at = take_digits(at, end, out);
        digits += at - start;
        out->exponent -= at - start;
    }
    if (digits == 0)
        return false;
    if (at < end && (*at == 'e' || *at == 'E'))
        at = take_exponent(at + 1, end, out);
    return at == end;
}

/* Clinger's case: both numbers are exact doubles, so that one operation rounds once. */
static bool round_small(const struct decimal *number, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double mantissa = (double)number->mantissa;

    if (FLT_EVAL_METHOD != 0 || number->mantissa > UINT64_C(1) << 53 || number->exponent < -22 ||
        number->exponent > 22)
        return false;
    *out = number->exponent < 0 ? mantissa / powers[-number->exponent]
                                : mantissa * powers[number->exponent];
    return true;
}

/* Rounds `bits` (highest bit set) * 2^exponent, a little more when `sticky`, to the nearest
   double, ties to even. The caller keeps the result within normal numbers. */
static double round_bits(uint64_t bits, bool sticky, int exponent)
{
    uint64_t kept = bits >> 11, rest = bits & 0x7ff;

    if (rest > 0x400 || (rest == 0x400 && (sticky || (kept & 1) != 0)))
        kept++;
    return ldexp((double)kept, exponent + 11);
}

/* Amounts with many decimals ("6531234567.12345678") have more digits than a double holds but fit
   in 64 bits: one integer division gives 64 bits of the quotient and whether anything is left. */
static bool round_quotient(const struct decimal *number, double *out)
{
    uint64_t divisor = 1, high = number->mantissa, quotient;
    int shift;
    __uint128_t numerator;

    if (number->cut || high == 0 || number->exponent > 0 || number->exponent < -MANTISSA_DIGITS)
        return false;
    for (long i = number->exponent; i < 0; i++)
        divisor *= 10;
    shift = __builtin_clzll(divisor) - __builtin_clzll(high);
    high <<= __builtin_clzll(high);
    divisor <<= __builtin_clzll(divisor);
    /* The quotient lies in [2^63, 2^64): its highest bit is set and it fits. */
    numerator = (__uint128_t)high << (high >= divisor ? 63 : 64);
    quotient = (uint64_t)(numerator / divisor);
    *out = round_bits(quotient, numerator % divisor != 0, shift - (high >= divisor ? 63 : 64));
    return true;
}

/* The rest: very long, very large or very small numbers. False on overflow or without memory. */
static bool round_by_strtod(const char *text, size_t length, double *out)
{
    char on_stack[128];
    char *copy = length < sizeof(on_stack) ? on_stack : memory_alloc(length + 1, 1);

    if (copy == NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *out = strtod_l(copy, NULL, get_c_locale());
    if (copy != on_stack)
        memory_free(copy);
    return isfinite(*out);
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

/* `nan`, `inf`, `infinity` in any case, with a sign. */
static bool parse_non_finite(const char *text, size_t length, double *out)
{
    bool signed_text = length > 0 && (*text == '-' || *text == '+');
    bool negative = signed_text && *text == '-';

    if (signed_text) {
        text++;
        length--;
    }
    if (is_word(text, length, "nan"))
        *out = (double)NAN;
    else if (is_word(text, length, "inf") || is_word(text, length, "infinity"))
        *out = negative ? -(double)INFINITY : (double)INFINITY;
    else
        return false;
    return true;
}

bool text_to_double(const char *text, size_t length, bool allow_non_finite, double *out)
{
    struct decimal number;
    double value;

    if (!scan_decimal(text, length, &number))
        return allow_non_finite && parse_non_finite(text, length, out);
    if (!number.cut && (round_small(&number, &value) || round_quotient(&number, &value))) {
        *out = number.negative ? -value : value;
        return true;
    }
    if (!round_by_strtod(text, length, &value))
        return false;
    *out = value;
    return true;
}

/* Brings the exponent to 0; false when that would lose digits or overflow. */
static bool make_integer(struct decimal *number)
{
    if (number->cut)
        return false;
    for (; number->exponent < 0 && number->mantissa != 0; number->exponent++) {
        if (number->mantissa % 10 != 0)
            return false;
        number->mantissa /= 10;
    }
    for (; number->exponent > 0 && number->mantissa != 0; number->exponent--)
        if (__builtin_mul_overflow(number->mantissa, UINT64_C(10), &number->mantissa))
            return false;
    return true;
}

bool text_to_int64(const char *text, size_t length, int64_t *out)
{
    struct decimal number;
    uint64_t limit;

    if (!scan_decimal(text, length, &number) || !make_integer(&number))
        return false;
    limit = (uint64_t)INT64_MAX + (number.negative ? 1 : 0);
    if (number.mantissa > limit)
        return false;
    *out = number.negative ? (int64_t)(0 - number.mantissa) : (int64_t)number.mantissa;
    return true;
}

size_t text_from_double(double value, char buffer[32])
{
    locale_t caller;
    double back;
    int length = 0;

    buffer[0] = '\0';
    if (isnan(value))
        return 0;
    caller = uselocale(get_c_locale());
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(buffer, 32, "%.*g", digits, value);
        if (!isfinite(value))
            break;
        if (text_to_double(buffer, (size_t)length, false, &back) && back == value)
            break;
    }
    uselocale(caller);
    return (size_t)length;
}

/* ---- words ---------------------------------------------------------------------------- */

#define NEAREST_LENGTH 96 /* of the longest word that is looked at */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edit distance without regard to case, where two swapped neighbours count as one edit (optimal
   string alignment): `rows` are the last three rows of the table. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][NEAREST_LENGTH + 1];

    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = above[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);

            row[j] = smaller(change, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]))
                row[j] = smaller(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const *words, size_t count)
{
    size_t length = strlen(word);
    size_t limit = smaller(length / 3 < 1 ? 1 : length / 3, 3);
    const char *nearest = NULL;

    if (length > NEAREST_LENGTH)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(words[i]);
        size_t distance;

        if (other > NEAREST_LENGTH)
            continue;
        distance = edit_distance(word, length, words[i], other);
        if (distance < limit || (distance == limit && nearest == NULL)) {
            limit = distance;
            nearest = words[i];
        }
    }
    return nearest;
}

/* ---- growing strings ------------------------------------------------------------------ */

/* Room for `extra` more bytes and the NUL. */
static bool reserve(struct text_buffer *buffer, size_t extra)
{
    char *grown;

    if (buffer->failed)
        return false;
    grown = memory_grow(buffer->data, &buffer->capacity, buffer->length + extra + 1, 1);
    if (grown == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = grown;
    return true;
}

void text_append_bytes(struct text_buffer *buffer, const char *bytes, size_t length)
{
    if (!reserve(buffer, length))
        return;
    if (length > 0)
        memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void text_append(struct text_buffer *buffer, const char *text)
{
    text_append_bytes(buffer, text, strlen(text));
}

void text_appendf(struct text_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(buffer, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

void text_buffer_free(struct text_buffer *buffer)
{
    memory_free(buffer->data);
    *buffer = (struct text_buffer){0};
}

/* ---- numbers for people --------------------------------------------------------------- */

struct magnitude {
    double scale;
    double from; /* smallest size written in this unit: what rounds to 1 of it */
    int decimals;
    const char *suffix;
};

const char *text_human(double value, const char *prefix, char buffer[32])
{
    static const struct magnitude magnitudes[] = {
        {1e12, 999.95e9, 1, "T"}, {1e9, 999.95e6, 1, "B"}, {1e6, 999.5e3, 1, "M"},
        {1e3, 9.95e3, 0, "k"},    {1e3, 999.995, 1, "k"},
    };
    double size = fabs(value);
    struct magnitude unit = {1.0, 0.0, size == nearbyint(size) ? 0 : 2, ""};

    if (isnan(value)) {
        snprintf(buffer, 32, "n/a");
        return buffer;
    }
    for (size_t i = 0; i < sizeof(magnitudes) / sizeof(magnitudes[0]); i++) {
        if (size >= magnitudes[i].from) {
            unit = magnitudes[i];
            break;
        }
    }
    snprintf(buffer, 32, "%s%s%.*f%s", value < 0 ? "-" : "", prefix, unit.decimals,
             size / unit.scale, unit.suffix);
    return buffer;
}
