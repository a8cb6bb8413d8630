/*
 * Addressed random numbers: the generator against the known answers that Random123 publishes
 * (kat_vectors), the numbers made of it against what they claim to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/random.h"

static void expect_words(struct random_stream stream, uint32_t bar, uint32_t ordinal,
                         const uint32_t expected[4])
{
    struct random_block block = random_block_at(&stream, bar, ordinal);

    assert_memory_equal(block.word, expected, sizeof(block.word));
}

/* philox4x32 10 rounds, the three vectors of Random123's kat_vectors: zeros, ones, digits of pi. */
static void philox_gives_its_published_answers(void **state)
{
    const struct random_stream zeros = {{0, 0}, 0, 0};
    const struct random_stream ones = {{UINT32_MAX, UINT32_MAX}, UINT32_MAX, UINT32_MAX};
    const struct random_stream pi = {{0xa4093822, 0x299f31d0}, 0x243f6a88, 0x85a308d3};

    expect_words(zeros, 0, 0, (uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    expect_words(ones, UINT32_MAX, UINT32_MAX,
                 (uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    expect_words(pi, 0x13198a2e, 0x03707344,
                 (uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

/* The test vectors of the FNV reference code. */
static void a_name_is_hashed_by_fnv_1a(void **state)
{
    assert_int_equal(random_stream_make(0, 0, "").name, 0x811c9dc5);
    assert_int_equal(random_stream_make(0, 0, "a").name, 0xe40c292c);
    assert_int_equal(random_stream_make(0, 0, "foobar").name, 0xbf9cf968);
}

static void seed_and_replicate_are_kept_whole(void **state)
{
    struct random_stream stream = random_stream_make(UINT64_C(0x0123456789abcdef), 7, "x");

    assert_int_equal(stream.key[0], 0x89abcdef);
    assert_int_equal(stream.key[1], 0x01234567);
    assert_int_equal(stream.replicate, 7);
}

static void uniforms_stay_inside_the_open_interval(void **state)
{
    assert_true(random_uniform(0) > 0.0);
    assert_true(random_uniform(UINT32_MAX) < 1.0);
    assert_true(random_uniform53(0, 0) > 0.0);
    assert_true(random_uniform53(UINT32_MAX, UINT32_MAX) < 1.0);
    assert_true(random_uniform(0x80000000) > 0.5);
    assert_true(random_uniform(0x7fffffff) < 0.5);
    assert_true(isfinite(random_normal(random_uniform53(0, 0))));
    assert_true(isfinite(random_normal(random_uniform53(UINT32_MAX, UINT32_MAX))));
}

/* 400,000 uniforms in 100 equal bins: chi-square with 99 degrees of freedom has mean 99 and
   variance 198; five standard deviations leave a chance of about 1e-6 (the seed is fixed). */
static void uniforms_fill_the_interval_evenly(void **state)
{
    struct random_stream stream = random_stream_make(20251010, 0, "test.uniform");
    long bins[100] = {0};
    double chi_square = 0.0;

    for (uint32_t i = 0; i < 100000; i++) {
        struct random_block block = random_block_at(&stream, 3, i);

        for (int k = 0; k < 4; k++)
            bins[(int)(100.0 * random_uniform(block.word[k]))]++;
    }
    for (int k = 0; k < 100; k++)
        chi_square += (double)((bins[k] - 4000) * (bins[k] - 4000)) / 4000.0;
    print_message("chi-square of 100 bins: %.1f (99 expected)\n", chi_square);
    assert_true(fabs(chi_square - 99.0) < 5.0 * sqrt(198.0));
}

/* Quantiles of the standard normal from tables. */
static void normals_are_the_quantiles_of_the_normal_distribution(void **state)
{
    assert_true(fabs(random_normal(0.5)) < 1e-15);
    assert_true(fabs(random_normal(0.975) - 1.959963984540054) < 1e-12);
    assert_true(fabs(random_normal(0.025) + 1.959963984540054) < 1e-12);
    assert_true(fabs(random_normal(0.8413447460685429) - 1.0) < 1e-12);
    assert_true(fabs(random_normal(1e-10) + 6.361340902404056) < 1e-9);
}

/* Mean, variance, skewness and kurtosis of n normals have standard errors 1, sqrt 2, sqrt 6 and
   sqrt 24 over sqrt n. */
static void normals_have_the_moments_of_a_normal(void **state)
{
    struct random_stream stream = random_stream_make(1, 0, "test.normal");
    const uint32_t n = 200000;
    double sum[5] = {0};

    for (uint32_t i = 0; i < n; i++) {
        struct random_block block = random_block_at(&stream, 0, i);
        double z = random_normal(random_uniform53(block.word[0], block.word[1]));

        for (int power = 1; power <= 4; power++)
            sum[power] += pow(z, power);
    }
    print_message("mean %.4f, variance %.4f, third %.4f, fourth %.4f\n", sum[1] / n, sum[2] / n,
                  sum[3] / n, sum[4] / n);
    assert_true(fabs(sum[1] / n) < 5.0 * sqrt(1.0 / n));
    assert_true(fabs(sum[2] / n - 1.0) < 5.0 * sqrt(2.0 / n));
    assert_true(fabs(sum[3] / n) < 5.0 * sqrt(15.0 / n));
    assert_true(fabs(sum[4] / n - 3.0) < 5.0 * sqrt(96.0 / n));
}

static uint32_t first_word(uint64_t seed, uint32_t replicate, const char *name, uint32_t bar,
                           uint32_t ordinal)
{
    struct random_stream stream = random_stream_make(seed, replicate, name);

    return random_block_at(&stream, bar, ordinal).word[0];
}

static void every_part_of_the_address_counts(void **state)
{
    uint32_t here = first_word(1, 2, "book.long", 3, 4);

    assert_int_equal(first_word(1, 2, "book.long", 3, 4), here);
    assert_int_not_equal(first_word(2, 2, "book.long", 3, 4), here);
    assert_int_not_equal(first_word(UINT64_C(0x100000001), 2, "book.long", 3, 4), here);
    assert_int_not_equal(first_word(1, 3, "book.long", 3, 4), here);
    assert_int_not_equal(first_word(1, 2, "book.short", 3, 4), here);
    assert_int_not_equal(first_word(1, 2, "book.long", 4, 4), here);
    assert_int_not_equal(first_word(1, 2, "book.long", 3, 5), here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_its_published_answers),
        cmocka_unit_test(a_name_is_hashed_by_fnv_1a),
        cmocka_unit_test(seed_and_replicate_are_kept_whole),
        cmocka_unit_test(uniforms_stay_inside_the_open_interval),
        cmocka_unit_test(uniforms_fill_the_interval_evenly),
        cmocka_unit_test(normals_are_the_quantiles_of_the_normal_distribution),
        cmocka_unit_test(normals_have_the_moments_of_a_normal),
        cmocka_unit_test(every_part_of_the_address_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
