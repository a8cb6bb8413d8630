#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/random.h"
#include "sim/study/impact_slope.h"
#include "tests/support/near.h"

enum { BARS = 24 * 60 };
static const double TRUTH = 9e-4;

static double close_at[BARS], flow[2][BARS];

static const struct impact_params power = {
    .kind = IMPACT_KIND_POWER,
    .gamma = 0.76,
    .reference_coins = 165.0,
    .reference_move_log = 9e-4,
    .half_life_ms = CALENDAR_HOUR_MS,
};

static double normal_at(const struct random_stream *stream, size_t bar, uint32_t ordinal)
{
    struct random_block block = random_block_at(stream, (uint32_t)bar, ordinal);
    return random_normal(random_uniform53(block.word[0], block.word[1]));
}

/* A walk of `noise` per bar, plus the impact of flow that is of one side an hour. */
static void make(uint32_t trial, double noise)
{
    struct random_stream stream = random_stream_make(8, trial, "test.impact_slope");
    struct impact_state state = {0};
    double walk = 11.0;
    for (size_t t = 0; t < BARS; t++) {
        double z = normal_at(&stream, t, 0), size = 300.0 * exp(normal_at(&stream, t, 1));
        flow[0][t] = z > 0 ? size : 0.0;
        flow[1][t] = z > 0 ? 0.0 : size;
        impact_decay(&power, &state, CALENDAR_HOUR_MS);
        impact_add(&power, &state, flow[1][t] - flow[0][t], 1.0);
        walk += noise * normal_at(&stream, t, 2);
        close_at[t] = exp(walk + impact_log(&power, &state, 1.0));
    }
}

static struct impact_slope fit(void)
{
    const struct impact_slope_bars bars = {
        BARS, CALENDAR_HOUR_MS, close_at, {flow[0], flow[1]}, 24};
    struct impact_slope out;
    struct error err = {0};
    assert_int_equal(impact_slope_fit(&bars, &power, 200, 0.9, 3, &out, &err), ERROR_NONE);
    return out;
}

/* A price that is nothing but impact. */
static void test_impact_alone_gives_its_slope(void **state)
{
    make(0, 0.0);
    struct impact_slope got = fit();
    assert_near(got.value / TRUTH, 1.0, 1e-9);
    assert_near(got.low / got.high, 1.0, 1e-9);
}

static void test_intervals_cover(void **state)
{
    int trials = getenv("LIQCASCADE_TEST_LONG") != NULL ? 400 : 100, covered = 0;
    double mean = 0.0;
    for (int i = 0; i < trials; i++) {
        make((uint32_t)i, 0.005);
        struct impact_slope got = fit();
        covered += got.low <= TRUTH && TRUTH <= got.high;
        mean += got.value / trials;
    }
    print_message("covered in %d of %d, mean %.3g for %.3g\n", covered, trials, mean, TRUTH);
    assert_true(covered >= 0.8 * trials);
    assert_near(mean / TRUTH, 1.0, 0.1);
}

static void test_no_flow_says_nothing(void **state)
{
    make(0, 0.005);
    memset(flow, 0, sizeof flow);
    assert_true(isnan(fit().value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impact_alone_gives_its_slope),
        cmocka_unit_test(test_intervals_cover),
        cmocka_unit_test(test_no_flow_says_nothing),
    };
    return cmocka_run_group_tests_name("impact_slope", tests, NULL, NULL);
}
