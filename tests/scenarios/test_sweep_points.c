/* The points of a sweep and its draws, and what each sets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/designs.h"
#include "scenarios/sweep_points.h"
#include "tests/scenarios/scratch.h"
#include "tests/support/near.h"

#define SETTINGS_MAX 48

struct sweep {
    struct scenario scenario;
    struct sweep_points plan;
};

/* The plan of the good scenario with `more` at its end. */
static void make(struct sweep *self, const char *more)
{
    struct error err = {0};
    char *text = NULL;
    assert_true(asprintf(&text, "%s%s", scratch_good, more) > 0);
    scratch_load_good(&self->scenario, text);
    assert_int_equal(sweep_points_init(&self->plan, &self->scenario, &err), ERROR_NONE);
    assert_true(self->plan.point_settings + self->plan.parameter_count <= SETTINGS_MAX);
    free(text);
}

static void end(struct sweep *self)
{
    sweep_points_free(&self->plan);
    scenario_free(&self->scenario);
}

/* "key=value key=value" of a point. */
static const char *point_text(const struct sweep *self, size_t point, char buffer[512])
{
    struct sweep_setting settings[SETTINGS_MAX];
    size_t count = sweep_points_point(&self->plan, point, settings), used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(buffer + used, 512 - used, "%s%s=%s", i > 0 ? " " : "",
                                 settings[i].key, settings[i].value);
    return buffer;
}

static double point_number(const struct sweep *self, size_t point, size_t axis)
{
    struct sweep_setting settings[SETTINGS_MAX];
    assert_true(axis < sweep_points_point(&self->plan, point, settings));
    return strtod(settings[axis].value, NULL);
}

static const char *draw_value(const struct sweep *self, size_t draw, size_t parameter)
{
    struct sweep_setting settings[SETTINGS_MAX];
    assert_true(parameter < sweep_points_draw(&self->plan, draw, settings));
    return settings[parameter].value;
}

/* --- grids and lists --- */

static void a_grid_has_every_combination_with_the_first_axis_slowest(void **state)
{
    static const char *const expected[] = {
        "oi.scale_by=traders impact.gamma=0.5", "oi.scale_by=traders impact.gamma=0.6",
        "oi.scale_by=traders impact.gamma=0.7", "oi.scale_by=sizes impact.gamma=0.5",
        "oi.scale_by=sizes impact.gamma=0.6",   "oi.scale_by=sizes impact.gamma=0.7"};
    struct sweep sweep;
    char text[512];
    make(&sweep, "sweep: {method: grid, axes: {oi.scale_by: [traders, sizes], "
                 "impact.gamma: {from: 0.5, to: 0.7, step: 0.1}}}\n");
    assert_int_equal(sweep.plan.points, 6);
    assert_int_equal(sweep.plan.draws, 1);
    assert_int_equal(sweep.plan.key_count, 2);
    assert_string_equal(sweep_points_key(&sweep.plan, 1), "impact.gamma");
    for (size_t p = 0; p < 6; p++)
        assert_string_equal(point_text(&sweep, p, text), expected[p]);
    end(&sweep);
}

/* A point is compared with the one that has the values named and is like it in the other axes. */
static void a_comparison_is_within_the_axes_that_it_does_not_name(void **state)
{
    struct sweep sweep;
    char text[512], reference[512];
    make(&sweep, "sweep:\n  method: grid\n  axes:\n"
                 "    oi.scale_by: [traders, sizes]\n"
                 "    oi.level_usd: {from: 20e9, to: 40e9, step: 10e9}\n"
                 "    impact.half_life: [none, 1.5h]\n"
                 "    path.at: [null, 2025-10-10T21:00Z]\n"
                 "  compare: {impact.half_life: 90m, path.at: null, oi.level_usd: 3e10}\n");
    for (size_t p = 0; p < sweep.plan.points; p++) {
        size_t other = sweep_points_reference(&sweep.plan, p);
        snprintf(text, sizeof text,
                 "oi.scale_by=%s oi.level_usd=30000000000 impact.half_life=90m path.at=null",
                 p < sweep.plan.points / 2 ? "traders" : "sizes");
        assert_string_equal(point_text(&sweep, other, reference), text);
        assert_int_equal(sweep_points_reference(&sweep.plan, other), other);
    }
    end(&sweep);
}

static void points_of_a_list_may_be_compared_with_its_first(void **state)
{
    struct sweep sweep;
    make(&sweep, "sweep: {method: list, compare: first, list: [{impact.gamma: 1}, {}, {fill: "
                 "final}]}\n");
    for (size_t p = 0; p < 3; p++)
        assert_int_equal(sweep_points_reference(&sweep.plan, p), 0);
    end(&sweep);
}

/* The sweep of the project: 51 levels of open interest, both ways to scale. */
static void neighbours_on_an_axis_are_a_stride_apart(void **state)
{
    struct sweep sweep;
    make(&sweep, "sweep:\n  method: grid\n  axes:\n"
                 "    impact.depth_oi_exponent: [0, 0.5, 1]\n"
                 "    oi.level_usd: {from: 20e9, to: 120e9, step: 2e9}\n"
                 "    oi.scale_by: [traders, sizes]\n");
    assert_int_equal(sweep.plan.points, 3 * 51 * 2);
    assert_int_equal(sweep_points_levels(&sweep.plan, 1), 51);
    assert_int_equal(sweep_points_stride(&sweep.plan, 0), 102);
    assert_int_equal(sweep_points_stride(&sweep.plan, 1), 2);
    assert_int_equal(sweep_points_stride(&sweep.plan, 2), 1);
    for (size_t p = 0; p < sweep.plan.points; p++) {
        size_t level = sweep_points_level(&sweep.plan, p, 1);
        assert_near(point_number(&sweep, p, 1), 20e9 + 2e9 * (double)level, 0);
        assert_near(point_number(&sweep, p, 0), 0.5 * (double)(p / 102), 0);
    }
    end(&sweep);
}

/* 0.1 + 2 * 0.1 is not 0.3 in binary; a thousand steps of 0.001 added up miss 1. */
static void values_between_the_ends_do_not_drift(void **state)
{
    struct sweep sweep;
    char expected[32];
    make(&sweep, "sweep: {method: grid, axes: {book.crowd_tilt: {from: 0.1, to: 1.1, step: "
                 "0.001}}}\n");
    assert_int_equal(sweep.plan.points, 1001);
    for (size_t p = 0; p < 1001; p++) {
        snprintf(expected, sizeof expected, "%zu.%03zu", (100 + p) / 1000, (100 + p) % 1000);
        assert_true(point_number(&sweep, p, 0) == strtod(expected, NULL));
    }
    end(&sweep);
    make(&sweep,
         "sweep: {method: grid, axes: {path.move_log: {from: -0.3, to: 0.3, step: 0.1}}}\n");
    assert_true(point_number(&sweep, 3, 0) == 0);
    assert_true(point_number(&sweep, 6, 0) == 0.3);
    end(&sweep);
}

static void counts_and_factors_cut_a_range_evenly(void **state)
{
    struct sweep sweep;
    char text[512];
    make(&sweep, "sweep: {method: grid, axes: {book.crowd_tilt: {from: 1, to: 2, count: 4}}}\n");
    assert_int_equal(sweep.plan.points, 4);
    assert_near(point_number(&sweep, 1, 0), 4 / 3.0, 1e-15);
    assert_true(point_number(&sweep, 3, 0) == 2);
    end(&sweep);
    make(&sweep, "sweep: {method: grid, axes: {book.size_usd.median: {from: 10, to: 1e6, count: 6, "
                 "scale: log}}}\n");
    for (size_t p = 0; p < 6; p++)
        assert_true(point_number(&sweep, p, 0) ==
                    strtod((char[]){'1', 'e', (char)('1' + p), 0}, NULL));
    end(&sweep);
    make(&sweep, "sweep: {method: grid, axes: {impact.half_life: {from: 10m, to: 1h, step: 10m}, "
                 "book.positions_per_bar: {from: 10, to: 50, count: 3}}}\n");
    assert_int_equal(sweep.plan.points, 18);
    assert_string_equal(point_text(&sweep, 0, text),
                        "impact.half_life=10m book.positions_per_bar=10");
    assert_string_equal(point_text(&sweep, 17, text),
                        "impact.half_life=1h book.positions_per_bar=50");
    end(&sweep);
}

static void a_list_sets_what_each_item_names(void **state)
{
    struct sweep sweep;
    char text[512];
    make(&sweep, "sweep:\n  method: list\n  list:\n    - {impact.gamma: 1.0}\n    - {}\n"
                 "    - {fill: final, impact.gamma: 5e-1}\n");
    assert_int_equal(sweep.plan.points, 3);
    assert_int_equal(sweep.plan.point_settings, 2);
    assert_int_equal(sweep.plan.key_count, 2);
    assert_string_equal(sweep_points_key(&sweep.plan, 0), "impact.gamma");
    assert_string_equal(sweep_points_key(&sweep.plan, 1), "fill");
    assert_string_equal(point_text(&sweep, 0, text), "impact.gamma=1");
    assert_string_equal(point_text(&sweep, 1, text), "");
    assert_string_equal(point_text(&sweep, 2, text), "fill=final impact.gamma=0.5");
    end(&sweep);
}

static void without_a_sweep_there_is_one_point_and_one_draw(void **state)
{
    struct sweep sweep;
    char text[512];
    struct sweep_setting none[1];
    make(&sweep, "uncertainty: {parameters: {impact.depth.zeta: {uniform: [0.5, 1.0]}}}\n");
    assert_int_equal(sweep.plan.points, 1);
    assert_int_equal(sweep.plan.draws, 1);
    assert_int_equal(sweep.plan.parameter_count, 0);
    assert_string_equal(point_text(&sweep, 0, text), "");
    assert_int_equal(sweep_points_draw(&sweep.plan, 0, none), 0);
    end(&sweep);
}

/* --- designs --- */

/* One of n points in each n-th of each axis, also on a log scale. */
static void latin_and_sobol_points_are_balanced_on_every_axis(void **state)
{
    static const char *const methods[] = {"latin", "sobol"};
    for (size_t m = 0; m < 2; m++) {
        struct sweep sweep;
        char more[256];
        int linear[64] = {0}, factors[64] = {0};
        snprintf(more, sizeof more,
                 "sweep: {method: %s, points: 64, axes: {book.crowd_tilt: {from: 1, to: 3}, "
                 "book.size_usd.median: {from: 10, to: 1000, scale: log}}}\n",
                 methods[m]);
        make(&sweep, more);
        assert_int_equal(sweep.plan.points, 64);
        for (size_t p = 0; p < 64; p++) {
            double tilt = point_number(&sweep, p, 0), median = point_number(&sweep, p, 1);
            linear[(size_t)((tilt - 1) / 2 * 64)]++;
            factors[(size_t)(log10(median / 10) / 2 * 64)]++;
            assert_near(sweep_points_unit(&sweep.plan, p, 0), (tilt - 1) / 2, 1e-14);
        }
        for (size_t i = 0; i < 64; i++) {
            assert_int_equal(linear[i], 1);
            assert_int_equal(factors[i], 1);
        }
        end(&sweep);
    }
}

/* A list gives each of its values an equal part of the points; whole numbers stay whole. */
static void designs_take_lists_and_whole_numbers(void **state)
{
    struct sweep sweep;
    struct sweep_setting settings[SETTINGS_MAX];
    int traders = 0;
    make(&sweep, "sweep: {method: sobol, points: 32, axes: {oi.scale_by: [traders, sizes], "
                 "book.positions_per_bar: {from: 10, to: 20}, impact.half_life: {from: 1m, to: "
                 "1h}}}\n");
    for (size_t p = 0; p < 32; p++) {
        sweep_points_point(&sweep.plan, p, settings);
        traders += strcmp(settings[0].value, "traders") == 0;
        assert_int_equal(strspn(settings[1].value, "0123456789"), strlen(settings[1].value));
        assert_true(atoi(settings[1].value) >= 10 && atoi(settings[1].value) <= 20);
        assert_non_null(strpbrk(settings[2].value, "ms"));
    }
    assert_int_equal(traders, 16);
    end(&sweep);
}

static void a_morris_trajectory_changes_one_key_at_a_time(void **state)
{
    enum { AXES = 3, TRAJECTORIES = 20 };
    struct sweep sweep;
    make(&sweep, "sweep: {method: morris, points: 20, axes: {book.crowd_tilt: {from: 1, to: 4}, "
                 "impact.gamma: {from: 0.5, to: 0.8}, oi.scale_by: [traders, sizes]}}\n");
    assert_int_equal(sweep.plan.points, TRAJECTORIES * (AXES + 1));
    for (size_t p = 1; p < sweep.plan.points; p++) {
        struct sweep_setting before[AXES], after[AXES];
        int changed = 0;
        if (p % (AXES + 1) == 0)
            continue;
        sweep_points_point(&sweep.plan, p - 1, before);
        sweep_points_point(&sweep.plan, p, after);
        for (int a = 0; a < AXES; a++)
            changed += strcmp(before[a].value, after[a].value) != 0;
        assert_int_equal(changed, 1);
        if (strcmp(before[0].value, after[0].value) != 0)
            assert_near(fabs(atof(after[0].value) - atof(before[0].value)),
                        3 * DESIGNS_MORRIS_DELTA, 1e-14);
    }
    end(&sweep);
}

static void a_design_belongs_to_its_seed(void **state)
{
    static const char *const methods[] = {"latin", "sobol", "morris"};
    for (size_t m = 0; m < 3; m++) {
        char more[256], a[512], b[512];
        struct sweep first, again, other;
        snprintf(more, sizeof more,
                 "sweep: {method: %s, points: 8, axes: {book.crowd_tilt: {from: 1, to: 3}, "
                 "book.pool_share: {from: 0, to: 1}}}\nseed: 5\n",
                 methods[m]);
        int differ = 0;
        make(&first, more);
        make(&again, more);
        *strrchr(more, '5') = '6';
        make(&other, more);
        for (size_t p = 0; p < first.plan.points; p++) {
            assert_string_equal(point_text(&first, p, a), point_text(&again, p, b));
            differ += strcmp(a, point_text(&other, p, b)) != 0;
        }
        assert_true(differ > 0);
        end(&first);
        end(&again);
        end(&other);
    }
}

/* --- draws --- */

#define PRIORS                                                                             \
    "uncertainty:\n  draws: %d\n  parameters:\n    impact.depth.zeta: {uniform: [0, 2]}\n" \
    "    impact.reference_move_log: {lognormal: {median: 9.0e-4, sigma: 0.2}}\n"           \
    "    impact.depth_oi_exponent: {choice: [0, 0.5, 1]}\n"                                \
    "    book.positions_per_bar: {uniform: [10, 90]}\n"                                    \
    "    episode.quiet: {triangular: [10m, 30m, 50m]}\n"

static void make_draws(struct sweep *self, int draws, const char *more)
{
    char text[1024];
    int length = snprintf(text, sizeof text, PRIORS, draws);
    snprintf(text + length, sizeof text - (size_t)length, "%s", more);
    make(self, text);
}

/* 256 balanced points: mean of the uniform within its part of 2 / 256, its variance 4 / 12. */
static void draws_have_the_moments_of_their_priors(void **state)
{
    enum { DRAWS = 256 };
    struct sweep sweep;
    double sum = 0, squares = 0, logs = 0, log_squares = 0;
    int halves = 0;
    make_draws(&sweep, DRAWS, "");
    assert_int_equal(sweep.plan.parameter_count, 5);
    for (size_t d = 0; d < DRAWS; d++) {
        double zeta = atof(draw_value(&sweep, d, 0));
        double move = log(atof(draw_value(&sweep, d, 1)) / 9e-4);
        sum += zeta;
        squares += (zeta - 1) * (zeta - 1);
        logs += move;
        log_squares += move * move;
        halves += strcmp(draw_value(&sweep, d, 2), "0.5") == 0;
    }
    assert_near(sum / DRAWS, 1, 0.005);
    assert_near(squares / DRAWS, 1 / 3.0, 0.01);
    assert_near(logs / DRAWS, 0, 0.004);
    assert_near(log_squares / DRAWS, 0.04, 0.002);
    assert_near(halves, DRAWS / 3.0, 2);
    end(&sweep);
}

/* Common random numbers: the draws of 1, 6 and 1,000 points are the same, and so are the first of
   more draws. */
static void draws_are_the_same_whatever_points_there_are(void **state)
{
    static const char *const sweeps[] = {
        "sweep: {method: grid, axes: {impact.gamma: [0.5, 0.6], fill: [walk, final]}}\n",
        "sweep: {method: latin, points: 1000, axes: {impact.gamma: {from: 0.5, to: 1}}}\n",
        "sweep: {method: sobol, points: 16, axes: {impact.gamma: {from: 0.5, to: 1}}}\n"};
    struct sweep alone, other, longer;
    make_draws(&alone, 16, "");
    make_draws(&longer, 64, "");
    for (size_t s = 0; s < 3; s++) {
        make_draws(&other, 16, sweeps[s]);
        for (size_t d = 0; d < 16; d++)
            for (size_t k = 0; k < 5; k++) {
                assert_string_equal(draw_value(&alone, d, k), draw_value(&other, d, k));
                assert_string_equal(draw_value(&alone, d, k), draw_value(&longer, d, k));
            }
        end(&other);
    }
    end(&alone);
    end(&longer);
}

/* --- what is set is what --set takes --- */

/* Each point and draw loads, and what it says is then in force to the last bit. */
static void every_setting_loads_and_takes_effect(void **state)
{
    struct sweep sweep;
    struct error_list errors = {0};
    char path[SCRATCH_PATH_SIZE], more[1024];
    snprintf(more, sizeof more,
             "venues: [{name: a b, oi_share: 0.5}, {name: c, oi_share: 0.5}]\n"
             "sweep:\n  method: latin\n  points: 30\n  axes:\n"
             "    book.crowd_tilt: {from: 0, to: 5}\n"
             "    'venues[a b].cap_scale': {from: 0.1, to: 10, scale: log}\n"
             "    title: null\n    impact.half_life: [none, 20m]\n"
             "    book.hedged_leverage: [[1, 3], [2, 4]]\n"
             "    book.leverage.tiers: [[], [{leverage: 5, weight: 1}]]\n" PRIORS,
             4);
    make(&sweep, more);
    scratch_file("scenario.yaml", "", path);
    char *text = NULL;
    assert_true(asprintf(&text, "%s%s", scratch_good, more) > 0);
    scratch_file("scenario.yaml", text, path);
    for (size_t p = 0; p < sweep.plan.points; p++) {
        struct sweep_setting settings[SETTINGS_MAX];
        struct scenario loaded;
        char *sets[SETTINGS_MAX];
        size_t count = sweep_points_point(&sweep.plan, p, settings);
        count += sweep_points_draw(&sweep.plan, p % 4, settings + count);
        for (size_t i = 0; i < count; i++)
            assert_true(asprintf(&sets[i], "%s=%s", settings[i].key, settings[i].value) > 0);
        int code = scenario_load(&loaded, path, (const char *const *)sets, count, &errors);
        scratch_print(&errors);
        assert_int_equal(code, ERROR_NONE);
        assert_true(loaded.book.crowd_tilt == 5 * sweep_points_unit(&sweep.plan, p, 0));
        assert_near(log10(loaded.venues[0].cap_scale), 2 * sweep_points_unit(&sweep.plan, p, 1) - 1,
                    1e-12);
        assert_true(loaded.venues[1].cap_scale == 1);
        assert_true(loaded.impact.depth.zeta == atof(draw_value(&sweep, p % 4, 0)));
        for (size_t i = 0; i < count; i++)
            free(sets[i]);
        scenario_free(&loaded);
    }
    error_list_free(&errors);
    free(text);
    end(&sweep);
}

static void short_memory_is_an_error_and_leaks_nothing(void **state)
{
    struct sweep sweep;
    struct error err = {0};
    long failed = 0;
    make_draws(&sweep, 4,
               "sweep: {method: latin, points: 4, axes: {book.crowd_tilt: {from: 0, to: 5}, "
               "impact.gamma: {from: 0.5, to: 1, step: 0.1}}}\n");
    sweep_points_free(&sweep.plan);
    for (int code = ERROR_IO; code != ERROR_NONE; failed++) {
        memory_fail_after(failed + 1);
        code = sweep_points_init(&sweep.plan, &sweep.scenario, &err);
        memory_fail_after(0);
        assert_true(code == ERROR_NONE || code == ERROR_IO);
    }
    print_message("    %ld allocations failed one by one\n", failed - 1);
    assert_true(failed > 6);
    end(&sweep);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_has_every_combination_with_the_first_axis_slowest),
        cmocka_unit_test(a_comparison_is_within_the_axes_that_it_does_not_name),
        cmocka_unit_test(points_of_a_list_may_be_compared_with_its_first),
        cmocka_unit_test(neighbours_on_an_axis_are_a_stride_apart),
        cmocka_unit_test(values_between_the_ends_do_not_drift),
        cmocka_unit_test(counts_and_factors_cut_a_range_evenly),
        cmocka_unit_test(a_list_sets_what_each_item_names),
        cmocka_unit_test(without_a_sweep_there_is_one_point_and_one_draw),
        cmocka_unit_test(latin_and_sobol_points_are_balanced_on_every_axis),
        cmocka_unit_test(designs_take_lists_and_whole_numbers),
        cmocka_unit_test(a_morris_trajectory_changes_one_key_at_a_time),
        cmocka_unit_test(a_design_belongs_to_its_seed),
        cmocka_unit_test(draws_have_the_moments_of_their_priors),
        cmocka_unit_test(draws_are_the_same_whatever_points_there_are),
        cmocka_unit_test(every_setting_loads_and_takes_effect),
        cmocka_unit_test(short_memory_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
