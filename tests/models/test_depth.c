/* Relative depth: how it thins with volatility and comes back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "models/depth.h"
#include "tests/support/near.h"

/* 45 % a year: squared log return per millisecond. */
static double reference_variance(void)
{
    return 0.45 * 0.45 / (365.0 * (double)CALENDAR_DAY_MS);
}

static struct depth_params volatility(void)
{
    return (struct depth_params){.kind = DEPTH_KIND_VOLATILITY,
                                 .zeta = 1.0,
                                 .floor = 0.02,
                                 .half_life_ms = CALENDAR_HOUR_MS,
                                 .reference_variance = reference_variance()};
}

/* `minutes` one-minute steps at `ratio` times the reference volatility. */
static void observe_minutes(const struct depth_params *params, struct depth_state *depth,
                            int minutes, double ratio)
{
    double squared = ratio * ratio * params->reference_variance * (double)CALENDAR_MINUTE_MS;
    for (int i = 0; i < minutes; i++)
        depth_observe(params, depth, squared, CALENDAR_MINUTE_MS);
}

static double depth_after(const struct depth_params *params, int minutes, double ratio)
{
    struct depth_state depth;
    depth_start(params, &depth);
    observe_minutes(params, &depth, minutes, ratio);
    return depth_relative(params, &depth);
}

static void depth_starts_at_its_reference(void **state)
{
    struct depth_params params = volatility();
    assert_near(depth_after(&params, 0, 1.0), 1.0, 1e-12);
    assert_near(depth_after(&params, 1000, 1.0), 1.0, 1e-9);
}

static void four_times_the_volatility_leaves_a_quarter_of_the_depth(void **state)
{
    struct depth_params params = volatility();
    assert_near(depth_after(&params, 60 * 48, 4.0), 0.25, 1e-9);
    params.zeta = 0.5;
    assert_near(depth_after(&params, 60 * 48, 4.0), 0.5, 1e-9);
    params.zeta = 2.0;
    assert_near(depth_after(&params, 60 * 48, 4.0), 0.0625, 1e-9);
}

static void zeta_zero_is_constant_depth(void **state)
{
    struct depth_params params = volatility();
    params.zeta = 0.0;
    assert_true(depth_after(&params, 100, 30.0) == 1.0);
}

/* At 45 % a year a minute's variance is 3.853e-7; 2 % a minute is 1038 times that. Ten minutes take
   in 1 - 2^(-1/6) = 0.1091 of it: 1/sqrt(0.1091 * 1038 + 0.8909) = 0.0936. */
static void ten_minutes_of_two_percent_take_nine_tenths_of_the_depth(void **state)
{
    struct depth_params params = volatility();
    struct depth_state depth;
    depth_start(&params, &depth);
    for (int minute = 0; minute < 10; minute++)
        depth_observe(&params, &depth, 0.02 * 0.02, CALENDAR_MINUTE_MS);
    print_message("depth after ten minutes of 2 %%: %.1f %%\n",
                  100.0 * depth_relative(&params, &depth));
    assert_near(depth_relative(&params, &depth), 0.0936, 1e-4);
}

static void depth_never_falls_below_two_percent_nor_rises_above_fifty_times(void **state)
{
    struct depth_params params = volatility();
    assert_true(depth_after(&params, 600, 1e4) == 0.02);
    struct depth_state depth = {.variance = 0.0};
    assert_true(depth_relative(&params, &depth) == 50.0);
}

/* Without returns the variance halves in a half-life: depth rises by sqrt(2). */
static void variance_is_forgotten_with_the_half_life(void **state)
{
    struct depth_params params = volatility();
    assert_near(depth_after(&params, 60, 0.0), sqrt(2.0), 1e-9);
}

static void depth_recovers_after_a_shock(void **state)
{
    struct depth_params params = volatility();
    struct depth_state depth;
    depth_start(&params, &depth);
    observe_minutes(&params, &depth, 30, 12.0);
    double last = depth_relative(&params, &depth);
    assert_true(last < 0.2);
    for (int hour = 0; hour < 24; hour++) {
        observe_minutes(&params, &depth, 60, 1.0);
        assert_true(depth_relative(&params, &depth) > last);
        last = depth_relative(&params, &depth);
    }
    assert_near(last, 1.0, 1e-3);
}

static void the_length_of_a_step_does_not_matter_at_a_steady_volatility(void **state)
{
    struct depth_params params = volatility();
    struct depth_state depth;
    depth_start(&params, &depth);
    double squared = 9.0 * params.reference_variance * 15.0 * (double)CALENDAR_MINUTE_MS;
    for (int i = 0; i < 8; i++)
        depth_observe(&params, &depth, squared, 15 * CALENDAR_MINUTE_MS);
    assert_near(depth_relative(&params, &depth), depth_after(&params, 120, 3.0), 1e-12);
}

static void constant_depth_ignores_volatility(void **state)
{
    struct depth_params params = volatility();
    params.kind = DEPTH_KIND_CONSTANT;
    assert_true(depth_after(&params, 600, 50.0) == 1.0);
}

static void without_a_reference_volatility_depth_is_constant(void **state)
{
    struct depth_params params = volatility();
    params.reference_variance = 0.0;
    struct depth_state depth;
    depth_start(&params, &depth);
    assert_true(depth.variance == 0.0);
    depth_observe(&params, &depth, 1e-4, CALENDAR_MINUTE_MS);
    assert_true(depth_relative(&params, &depth) == 1.0);
}

/* ---- Series ---- */

static void a_series_gives_the_last_observed_depth(void **state)
{
    struct depth_params params = volatility();
    struct depth_state depth;
    params.kind = DEPTH_KIND_SERIES;
    depth_start(&params, &depth);
    assert_true(depth_relative(&params, &depth) == 1.0);
    depth_observe_series(&params, &depth, 0.3);
    assert_true(depth_relative(&params, &depth) == 0.3);
    depth_observe_series(&params, &depth, NAN);
    assert_true(depth_relative(&params, &depth) == 0.3);
    depth_observe_series(&params, &depth, 4.0);
    assert_true(depth_relative(&params, &depth) == 4.0);
}

static void an_empty_book_counts_as_the_floor(void **state)
{
    struct depth_params params = volatility();
    struct depth_state depth;
    params.kind = DEPTH_KIND_SERIES;
    depth_start(&params, &depth);
    depth_observe_series(&params, &depth, 0.0);
    assert_true(depth_relative(&params, &depth) == 0.02);
}

static void a_series_ignores_volatility_and_volatility_a_series(void **state)
{
    struct depth_params params = volatility();
    struct depth_state depth;
    params.kind = DEPTH_KIND_SERIES;
    depth_start(&params, &depth);
    depth_observe_series(&params, &depth, 0.5);
    observe_minutes(&params, &depth, 60, 10.0);
    assert_true(depth_relative(&params, &depth) == 0.5);

    params.kind = DEPTH_KIND_VOLATILITY;
    depth_start(&params, &depth);
    depth_observe_series(&params, &depth, 0.5);
    assert_near(depth_relative(&params, &depth), 1.0, 1e-12);
}

static void every_model_is_a_row_with_its_source(void **state)
{
    static const char *const names[] = {"constant", "volatility", "series"};
    assert_int_equal(depth_model_count, 3);
    for (int i = 0; i < depth_model_count; i++) {
        const struct depth_model *model = depth_find(names[i]);
        assert_non_null(model);
        assert_int_equal(model->kind, i);
        assert_true(strlen(model->documentation) > 10);
        assert_true(strlen(model->source) > 5);
    }
    assert_null(depth_find("deep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_starts_at_its_reference),
        cmocka_unit_test(four_times_the_volatility_leaves_a_quarter_of_the_depth),
        cmocka_unit_test(zeta_zero_is_constant_depth),
        cmocka_unit_test(ten_minutes_of_two_percent_take_nine_tenths_of_the_depth),
        cmocka_unit_test(depth_never_falls_below_two_percent_nor_rises_above_fifty_times),
        cmocka_unit_test(variance_is_forgotten_with_the_half_life),
        cmocka_unit_test(depth_recovers_after_a_shock),
        cmocka_unit_test(the_length_of_a_step_does_not_matter_at_a_steady_volatility),
        cmocka_unit_test(constant_depth_ignores_volatility),
        cmocka_unit_test(without_a_reference_volatility_depth_is_constant),
        cmocka_unit_test(a_series_gives_the_last_observed_depth),
        cmocka_unit_test(an_empty_book_counts_as_the_floor),
        cmocka_unit_test(a_series_ignores_volatility_and_volatility_a_series),
        cmocka_unit_test(every_model_is_a_row_with_its_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
