/*
 * Numbers in text against strtod of the C library, over generated texts of many shapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

/* A seeded source of 64-bit numbers: the same texts at every run. */
static uint64_t draw(uint32_t kind, uint32_t ordinal)
{
    struct random_stream stream = random_stream_make(7, 0, "test.text");
    struct random_block block = random_block_at(&stream, kind, ordinal);

    return ((uint64_t)block.word[0] << 32) | block.word[1];
}

static double double_from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static void expect_as_strtod(const char *text)
{
    double ours = -1.0, theirs = strtod(text, NULL);

    if (!text_to_double(text, strlen(text), false, &ours))
        fail_msg("\"%s\" was refused", text);
    if (!same_bits(ours, theirs))
        fail_msg("\"%s\" gave %a, strtod gives %a", text, ours, theirs);
}

/* Shapes: prices, long amounts, 17 digits, exponents, halfway cases, more than 19 digits. */
static void write_number(char *text, size_t size, uint32_t kind, uint64_t a, uint64_t b)
{
    unsigned long long x = a, y = b;
    unsigned long long halfway = ((x >> 12) | (1ULL << 52)) * 2 + 1; /* 54 bits, the last one set */

    switch (kind) {
    case 0:
        snprintf(text, size, "%llu.%08llu", x % 1000000, y % 100000000);
        break;
    case 1:
        snprintf(text, size, "-%llu.%08llu", x % 100000000000, y % 100000000);
        break;
    case 2:
        snprintf(text, size, "%.17g", (double)x / (double)(y % 1000000 + 1));
        break;
    case 3:
        snprintf(text, size, "%llue%d", x >> (y % 60), (int)(y % 640) - 340);
        break;
    case 4:
        snprintf(text, size, "%llu%s", halfway, y % 2 == 0 ? "" : ".00000000000000000000001");
        break;
    case 5:
        snprintf(text, size, "0.%0*d%llu", (int)(y % 30) + 1, 0, x);
        break;
    default:
        snprintf(text, size, "%llu%llu.%llue-%llu", x, y, x, y % 300);
        break;
    }
}

static void numbers_are_those_of_strtod(void **state)
{
    char text[128];

    for (uint32_t kind = 0; kind < 7; kind++) {
        for (uint32_t i = 0; i < 30000; i++) {
            write_number(text, sizeof(text), kind, draw(kind, 2 * i), draw(kind, 2 * i + 1));
            if (isfinite(strtod(text, NULL)))
                expect_as_strtod(text);
        }
    }
}

static void chosen_numbers_are_those_of_strtod(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "0.0",
        "-0.000",
        "0e999",
        "00012",
        "+1.5",
        ".5",
        "5.",
        "1e22",
        "1e23",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740992.5",
        "18014398509481985",
        "18446744073709551615",
        "18446744073709551616",
        "9999999999999999999",
        "0.1",
        "0.3",
        "123456789.12345678",
        "6531234567.12345678",
        "1.7976931348623157e308",
        "2.2250738585072014e-308",
        "4.9406564584124654e-324",
        "2e-324",
        "1e-400",
        "8.5e-22",
        "100000000000000000000000",
        "0.000000000000000000000000001",
        "1E5",
        "1e+05",
        "1.e3",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_as_strtod(texts[i]);
}

static void a_number_of_a_thousand_digits_is_rounded_once(void **state)
{
    char text[1100];

    memset(text, '0', sizeof(text));
    memcpy(text, "9007199254740993.", 17); /* halfway between two doubles */
    text[1098] = '1';                      /* and a trace more */
    text[1099] = '\0';
    expect_as_strtod(text);
    assert_true(strtod(text, NULL) == 9007199254740994.0);
}

static void what_is_not_a_number_is_refused(void **state)
{
    static const char *const texts[] = {
        "",    " ",   "1.0xyz", " 1",   "1 ",  "1_000",     "0x10",     "1,5",   "--1",   "+-1",
        "1e",  "1e+", "e5",     ".",    "-",   "-.",        "1.2.3",    "1e5.0", "1e400", "-1e400",
        "nan", "inf", "NaN",    "-inf", "1d5", "1\xc2\xa0", "infinity", "0b1",   "1f",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double value = 42.0;

        if (text_to_double(texts[i], strlen(texts[i]), false, &value))
            fail_msg("\"%s\" was accepted as %g", texts[i], value);
        assert_true(value == 42.0);
    }
}

static void a_nul_within_the_length_is_refused(void **state)
{
    double value;

    assert_false(text_to_double("1\0002", 3, false, &value));
}

static void non_finite_texts_only_when_allowed(void **state)
{
    double value = 0.0;

    assert_true(text_to_double("NaN", 3, true, &value));
    assert_true(isnan(value));
    assert_true(text_to_double("inf", 3, true, &value));
    assert_true(isinf(value) && value > 0);
    assert_true(text_to_double("-Infinity", 9, true, &value));
    assert_true(isinf(value) && value < 0);
    assert_false(text_to_double("nanx", 4, true, &value));
    assert_false(text_to_double("-", 1, true, &value));
    assert_false(text_to_double("", 0, true, &value));
}

static void bytes_behind_the_length_are_not_read(void **state)
{
    double value;
    char *exact = memory_alloc(4, 1);

    assert_non_null(exact);
    memcpy(exact, "1e25", 4); /* falls back to strtod: a sanitizer sees a read past the end */
    assert_true(text_to_double(exact, 4, false, &value));
    assert_true(value == 1e25);
    assert_true(text_to_double("12.5garbage", 4, false, &value));
    assert_true(value == 12.5);
    memory_free(exact);
}

static void short_memory_refuses_a_long_number(void **state)
{
    char text[300];
    double value = 42.0;

    memset(text, '1', sizeof(text));
    memory_fail_after(1);
    assert_false(text_to_double(text, sizeof(text), false, &value));
    memory_fail_after(0);
    assert_true(text_to_double(text, sizeof(text), false, &value));
}

static void expect_integer(const char *text, int64_t expected)
{
    int64_t value;

    if (!text_to_int64(text, strlen(text), &value))
        fail_msg("\"%s\" was refused", text);
    assert_int_equal(value, expected);
}

static void integers_are_exact(void **state)
{
    static const char *const refused[] = {"",
                                          "1.5",
                                          "1e-1",
                                          "9223372036854775808",
                                          "1e19",
                                          "abc",
                                          "0x10",
                                          "1 ",
                                          "-9223372036854775809",
                                          "1e99999",
                                          "50_000",
                                          "99999999999999999999"};
    int64_t value;

    expect_integer("0", 0);
    expect_integer("-0", 0);
    expect_integer("+12", 12);
    expect_integer("1e6", 1000000);
    expect_integer("1.5e6", 1500000);
    expect_integer("-2.50e1", -25);
    expect_integer("10.0", 10);
    expect_integer("9223372036854775807", INT64_MAX);
    expect_integer("-9223372036854775808", INT64_MIN);
    expect_integer("0e99999", 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (text_to_int64(refused[i], strlen(refused[i]), &value))
            fail_msg("\"%s\" was accepted as %lld", refused[i], (long long)value);
}

static void written_numbers_read_back_to_the_same_bits(void **state)
{
    char text[32];

    for (uint32_t i = 0; i < 50000; i++) {
        double value = double_from_bits(draw(100, i));
        size_t length;

        if (isnan(value))
            continue;
        length = text_from_double(value, text);
        assert_int_equal(length, strlen(text));
        if (!same_bits(strtod(text, NULL), value))
            fail_msg("%a was written as %s", value, text);
    }
}

static void numbers_are_written_as_short_as_they_can_be(void **state)
{
    char text[32];

    text_from_double(0.1, text);
    assert_string_equal(text, "0.1");
    text_from_double(62000.0, text);
    assert_string_equal(text, "62000");
    text_from_double(-0.0, text);
    assert_string_equal(text, "-0");
    text_from_double(1.0 / 3.0, text);
    assert_string_equal(text, "0.3333333333333333");
    text_from_double(0.1 + 0.2, text);
    assert_string_equal(text, "0.30000000000000004");
    text_from_double(1e300, text);
    assert_string_equal(text, "1e+300");
    assert_int_equal(text_from_double((double)NAN, text), 0);
    assert_string_equal(text, "");
    text_from_double(-(double)INFINITY, text);
    assert_string_equal(text, "-inf");
}

static void a_slip_of_the_pen_finds_the_word_that_was_meant(void **state)
{
    static const char *const words[] = {"leverage", "positions", "open_interest", "funding", "oi"};
    const size_t count = sizeof(words) / sizeof(words[0]);

    assert_string_equal(text_nearest("leverge", words, count), "leverage");
    assert_string_equal(text_nearest("levreage", words, count), "leverage");
    assert_string_equal(text_nearest("Funding", words, count), "funding");
    assert_string_equal(text_nearest("open_intrest", words, count), "open_interest");
    assert_string_equal(text_nearest("oj", words, count), "oi");
    assert_null(text_nearest("volatility", words, count));
    assert_null(text_nearest("", words, count));
    assert_null(text_nearest("fundingrate", words, count)); /* four letters away */
    assert_null(text_nearest("oi", words, 0));
}

static void overlong_words_are_nobodys_neighbours(void **state)
{
    char word[200];
    const char *words[1] = {word};

    memset(word, 'x', sizeof(word));
    word[199] = '\0';
    assert_null(text_nearest(word, words, 1));
    word[96] = '\0';
    assert_ptr_equal(text_nearest(word, words, 1), word);
}

static void buffers_grow_as_text_is_appended(void **state)
{
    struct text_buffer buffer = {0};

    for (int i = 0; i < 1000; i++)
        text_appendf(&buffer, "%d,", i % 10);
    text_append(&buffer, "end");
    text_append_bytes(&buffer, "ing", 3);
    text_append_bytes(&buffer, NULL, 0);
    assert_int_equal(buffer.length, 2006);
    assert_int_equal(strlen(buffer.data), 2006);
    assert_string_equal(buffer.data + 1998, "9,ending");
    assert_memory_equal(buffer.data, "0,1,2,", 6);
    assert_false(buffer.failed);
    text_buffer_free(&buffer);
    assert_null(buffer.data);
}

static void a_buffer_without_memory_keeps_what_it_has(void **state)
{
    struct text_buffer buffer = {0};

    text_append(&buffer, "kept");
    memory_fail_after(1);
    text_appendf(&buffer, "%100d", 1);
    memory_fail_after(0);
    text_append(&buffer, "lost");
    assert_true(buffer.failed);
    assert_string_equal(buffer.data, "kept");
    text_buffer_free(&buffer);
}

static void numbers_for_people(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {94.0e9, "$94.0B"}, {12.3e6, "$12.3M"},    {950e3, "$950k"},
        {1234, "$1.2k"},    {999.9996e6, "$1.0B"}, {999600, "$1.0M"},
        {9960, "$10k"},     {-12.3e6, "-$12.3M"},  {1.5e12, "$1.5T"},
        {0, "$0"},          {950, "$950"},         {0.5, "$0.50"},
        {999.999, "$1.0k"}, {(double)NAN, "n/a"},
    };
    char buffer[32];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(text_human(cases[i].value, "$", buffer), cases[i].text);
    assert_string_equal(text_human(8640, "", buffer), "8.6k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_strtod),
        cmocka_unit_test(chosen_numbers_are_those_of_strtod),
        cmocka_unit_test(a_number_of_a_thousand_digits_is_rounded_once),
        cmocka_unit_test(what_is_not_a_number_is_refused),
        cmocka_unit_test(a_nul_within_the_length_is_refused),
        cmocka_unit_test(non_finite_texts_only_when_allowed),
        cmocka_unit_test(bytes_behind_the_length_are_not_read),
        cmocka_unit_test(short_memory_refuses_a_long_number),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(written_numbers_read_back_to_the_same_bits),
        cmocka_unit_test(numbers_are_written_as_short_as_they_can_be),
        cmocka_unit_test(a_slip_of_the_pen_finds_the_word_that_was_meant),
        cmocka_unit_test(overlong_words_are_nobodys_neighbours),
        cmocka_unit_test(buffers_grow_as_text_is_appended),
        cmocka_unit_test(a_buffer_without_memory_keeps_what_it_has),
        cmocka_unit_test(numbers_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
