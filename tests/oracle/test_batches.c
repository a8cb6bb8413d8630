/*
 * Batch invariance: impact is of the cumulative flow, so that a flow in one order or in a thousand
 * parts of the same sign puts the price in the same place, for every impact model and whatever part
 * of the impact is permanent. The same of whole cascades: who holds a size in one position or in a
 * thousand is nothing to the price.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "sim/prices.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

#define TOLERANCE 1e-12

static const int parts_of[] = {1, 2, 3, 10, 1000};
enum { SPLITS = sizeof parts_of / sizeof *parts_of };
static const double permanent[] = {0.0, 0.3, 1.0};
enum { PERMANENTS = sizeof permanent / sizeof *permanent };

static struct impact_params impact_of(int kind, double permanent_share)
{
    return (struct impact_params){.kind = impact_models[kind].kind,
                                  .gamma = 0.76,
                                  .reference_coins = 165.0,
                                  .reference_move_log = 9e-4,
                                  .permanent_share = permanent_share,
                                  .half_life_ms = 20 * CALENDAR_MINUTE_MS};
}

/* ---- one flow ------------------------------------------------------------------------------- */

struct placed {
    double last, mark, own_last, own_mark, log;
};

/* Prices after flows of both signs, an hour's part apart, each in `parts` orders. */
static struct placed place(const struct prices_params *params, double depth, int parts)
{
    static const double flows[] = {-731.7, -12.34, 2501.3, -903.1};
    struct prices prices;
    prices_init(&prices, params);
    prices.feedback = true;
    prices.depth = depth;
    prices_place(&prices, 60000.0, 59990.0);
    for (int f = 0; f < 4; f++) {
        for (int i = 0; i < parts; i++)
            prices_order(&prices, params->markets - 1, flows[f] / parts);
        prices_pass(&prices, 7 * CALENDAR_MINUTE_MS);
        prices_place(&prices, 60000.0 + f, 59990.0 - f);
    }
    for (int i = 0; i < parts; i++)
        prices_order(&prices, params->markets - 1, -555.5 / parts);
    const struct prices_market *own = &prices.market[params->markets - 1];
    return (struct placed){prices.last, prices.mark, own->last, own->mark,
                           prices_impact_log(&prices)};
}

static void expect_same_place(const struct prices_params *params, double depth)
{
    struct placed whole = place(params, depth, 1);
    for (int k = 1; k < SPLITS; k++) {
        struct placed split = place(params, depth, parts_of[k]);
        assert_near(split.last / whole.last, 1.0, TOLERANCE);
        assert_near(split.mark / whole.mark, 1.0, TOLERANCE);
        assert_near(split.own_last / whole.own_last, 1.0, TOLERANCE);
        assert_near(split.own_mark / whole.own_mark, 1.0, TOLERANCE);
        assert_near(split.log, whole.log, TOLERANCE);
    }
    if (params->impact.kind != IMPACT_KIND_NONE) /* there is something to differ by */
        assert_true(fabs(whole.log) > 1e-5);
}

static void a_flow_in_parts_moves_prices_as_the_whole_does(void **state)
{
    for (int kind = 0; kind < impact_model_count; kind++)
        for (int p = 0; p < PERMANENTS; p++)
            for (int separate = 0; separate < 2; separate++) {
                struct prices_params params = {
                    .impact = impact_of(kind, permanent[p]),
                    .markets = 1 + separate,
                    .separate = separate,
                    .half_life_ms = 11 * CALENDAR_MINUTE_MS,
                    .reference_passthrough = 0.8,
                    .passthrough = {1.0, 0.6},
                    .depth_share = {separate ? 0.7 : 1.0, 0.3},
                };
                expect_same_place(&params, 1.0);
                expect_same_place(&params, 0.13);
            }
}

/* Against the closed form: (1 - w) x0 (E / R d)^gamma + w x0 sum Q / R d. */
static void a_thousand_parts_are_where_the_formula_puts_their_sum(void **state)
{
    static const double gamma_of[] = {0.0, 1.0, 0.5, 0.76}; /* none, linear, square_root, power */
    const double coins = 412.5, depth = 0.4;
    assert_int_equal(impact_model_count, 4);
    for (int kind = 1; kind < impact_model_count; kind++)
        for (int p = 0; p < PERMANENTS; p++) {
            struct impact_params impact = impact_of(kind, permanent[p]);
            struct impact_state impacted = {0};
            for (int i = 0; i < 1000; i++)
                impact_add(&impact, &impacted, -coins / 1000.0, depth);
            double scaled = coins / (165.0 * depth);
            double expected = -9e-4 * ((1.0 - permanent[p]) * pow(scaled, gamma_of[kind]) +
                                       permanent[p] * scaled);
            assert_near(impact_log(&impact, &impacted, depth) / expected, 1.0, TOLERANCE);
        }
}

/* ---- whole cascades ------------------------------------------------------------------------- */

enum { LEVELS = 60, BARS = 5 };

/* The run of a shock, every position in `parts` equal ones. */
static struct laboratory_outcome cascade(int kind, double permanent_share, int parts)
{
    struct laboratory lab;
    size_t count = (size_t)LEVELS * (size_t)parts;
    struct laboratory_level *levels = calloc(count, sizeof *levels);
    assert_non_null(levels);
    for (size_t i = 0; i < count; i++) {
        size_t k = i / (size_t)parts;
        levels[i].distance_log = 0.01 + 0.0003 * (double)k + 1e-6 * (double)(k * k % 7);
        levels[i].coins = (20.0 + 3.0 * (double)(k % 5)) / parts;
    }
    laboratory_make(&lab, 60000.0, 0.004, levels, count, 1.0, BARS);
    lab.params.impact = impact_of(kind, permanent_share);
    struct laboratory_outcome out = laboratory_run(&lab, 0.0131, 3 * LABORATORY_STEP_MS);
    laboratory_free(&lab);
    free(levels);
    return out;
}

static void positions_in_parts_cascade_as_the_whole_does(void **state)
{
    for (int kind = 0; kind < impact_model_count; kind++)
        for (int p = 0; p < PERMANENTS; p++) {
            struct laboratory_outcome whole = cascade(kind, permanent[p], 1);
            print_message("  %s, permanent %.1f: %lld of %d positions, %.6f down\n",
                          impact_models[kind].name, permanent[p], (long long)whole.fired, LEVELS,
                          whole.displacement_log);
            assert_true(whole.fired > 5 && whole.fired < LEVELS);
            for (int k = 1; k < SPLITS; k++) {
                struct laboratory_outcome split = cascade(kind, permanent[p], parts_of[k]);
                assert_int_equal(split.fired, whole.fired * parts_of[k]);
                assert_near(split.coins / whole.coins, 1.0, TOLERANCE);
                assert_near(exp(split.displacement_log - whole.displacement_log), 1.0, TOLERANCE);
                assert_int_equal(split.generations, whole.generations);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_in_parts_moves_prices_as_the_whole_does),
        cmocka_unit_test(a_thousand_parts_are_where_the_formula_puts_their_sum),
        cmocka_unit_test(positions_in_parts_cascade_as_the_whole_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
