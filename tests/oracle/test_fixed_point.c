/*
 * Oracle 7: the engine's fixed point against closed forms 1 to 5.
 *
 * A density of liquidatable coins becomes levels, one per cell of width w, each holding the coins
 * of its cell. Where the continuous fixed point falls on the edge of a cell, the levels up to it
 * hold exactly the coins of the density up to it, so the fixed point of the levels is that of the
 * density, and the tolerance is rounding, not discretisation. Cells are chosen so. Where a fold is
 * looked for, the levels' fold lies above the density's by the level's place in its cell, exactly;
 * two widths give it away.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

#define TOLERANCE 1e-10
#define PRICE 120000.0

static double worst;

static void reaches(double displacement, double expected)
{
    worst = fmax(worst, fabs(displacement - expected));
    assert_near(displacement, expected, TOLERANCE);
}

static void print_worst(const char *what)
{
    print_message("%s: largest difference %.2g\n", what, worst);
    worst = 0.0;
}

static double same_coins(size_t k, const void *context)
{
    (void)k;
    return *(const double *)context;
}

/* ---- form 1: uniform density on [gap, gap + width] --------------------------------------- */

struct uniform {
    double gap, width;
    size_t cells;
    double density; /* coins per log price */
    double ratio;   /* n = lambda * density */
};

/* Levels in the first part of their cells: within 1 - n, or the last one would be out of reach. */
static struct laboratory_outcome uniform_run(const struct uniform *field, double shock)
{
    struct laboratory lab;
    double cell = field->width / (double)field->cells, coins = field->density * cell;
    double place = field->ratio < 1.0 ? 0.5 * (1.0 - field->ratio) : 0.5;
    struct laboratory_level *levels =
        laboratory_cells(field->cells, field->gap, cell, place, same_coins, &coins);
    laboratory_make(&lab, PRICE, 0.0, levels, field->cells, field->ratio / field->density, 1);
    struct laboratory_outcome out = laboratory_run(&lab, shock, 0);
    laboratory_free(&lab);
    free(levels);
    return out;
}

static void a_shock_that_stops_in_the_gap_liquidates_nobody(void **state)
{
    struct uniform field = {0.02, 0.08, 1000, 5e5, 0.6};
    struct laboratory_outcome out = uniform_run(&field, 0.0199);
    assert_int_equal(out.fired, 0);
    reaches(out.displacement_log, 0.0199);
    print_worst("form 1, D below the gap");
}

static void below_one_each_unit_of_shock_beyond_the_gap_becomes_one_over_one_less_n(void **state)
{
    const double ratios[] = {0.1, 0.3, 0.5, 0.7, 0.9, 0.99};
    const size_t filled[] = {1, 37, 400, 999, 1000};
    for (size_t r = 0; r < 6; r++)
        for (size_t f = 0; f < 5; f++) {
            struct uniform field = {0.013, 0.05, 1000, 5e5, ratios[r]};
            double depth = 0.05 * (double)filled[f] / 1000.0;
            double shock = field.gap + (1.0 - field.ratio) * depth;
            struct laboratory_outcome out = uniform_run(&field, shock);
            assert_int_equal(out.fired, filled[f]);
            reaches(out.displacement_log, field.gap + (shock - field.gap) / (1.0 - field.ratio));
        }
    print_worst("form 1, n < 1");
}

static void a_shock_that_sweeps_the_field_adds_all_its_impact(void **state)
{
    const double ratios[] = {0.4, 0.9, 1.0, 1.3, 3.0};
    for (size_t r = 0; r < 5; r++) {
        struct uniform field = {0.01, 0.04, 500, 5e5, ratios[r]};
        /* At and above one, any shock that reaches the field sweeps it. */
        double shock = ratios[r] < 1.0 ? 0.06 : 0.0101;
        struct laboratory_outcome out = uniform_run(&field, shock);
        assert_int_equal(out.fired, 500);
        reaches(out.displacement_log, shock + ratios[r] * field.width);
    }
    print_worst("form 1, swept and n >= 1");
}

/* ---- generations ------------------------------------------------------------------------- */

/* With n = 1/2 and a shock of 2^6 cells, wave k liquidates 2^(6 - k) cells: D (1 - n^(k + 1)) /
   (1 - n) after wave k. The last half cell holds one more level. */
static void waves_shrink_by_n(void **state)
{
    enum { FIRST_WAVE = 64, CELLS = 256 };
    double cell = 0.0002, coins = 40.0, ratio = 0.5, shock = FIRST_WAVE * cell;
    struct laboratory lab;
    struct replay replay;
    struct laboratory_level *levels = laboratory_cells(CELLS, 0.0, cell, 0.25, same_coins, &coins);
    laboratory_make(&lab, PRICE, 0.0, levels, CELLS, ratio * cell / coins, 1);
    laboratory_replay(&lab, true, &replay);
    const struct cascade *cascade = &replay.cascade;
    assert_int_equal(laboratory_node(&replay, PRICE * exp(-shock), NAN), 2 * FIRST_WAVE);
    size_t shot = 0, wave = FIRST_WAVE;
    for (int k = 1; wave >= 1; k++, wave /= 2) {
        shot += wave;
        reaches(-log(cascade->shots[shot - 1].last_after / PRICE),
                shock * (1.0 - pow(ratio, k + 1)) / (1.0 - ratio));
    }
    assert_int_equal(cascade->generations, 8); /* 64 32 16 8 4 2 1 and the half cell's */
    reaches(-log(replay.prices.last / PRICE), shock / (1.0 - ratio));
    replay_free(&replay);
    laboratory_free(&lab);
    free(levels);
    print_worst("generations");
}

/* ---- form 2: discrete levels ------------------------------------------------------------- */

/* Fired in batches: all levels within reach of what the batch before moved, again and again. */
static size_t batches(const struct laboratory_level *levels, size_t count, double lambda,
                      double shock, double *out_displacement)
{
    size_t fired = 0;
    double displacement = shock;
    for (;;) {
        double coins = 0.0;
        size_t reached = 0;
        for (size_t i = 0; i < count; i++)
            if (levels[i].distance_log <= displacement) {
                coins += levels[i].coins;
                reached++;
            }
        displacement = shock + lambda * coins;
        if (reached == fired)
            break;
        fired = reached;
    }
    *out_displacement = displacement;
    return fired;
}

static void firing_one_by_one_ends_where_firing_in_batches_does(void **state)
{
    enum { LEVELS = 200, SEEDS = 200 };
    struct laboratory_level levels[LEVELS];
    long fired = 0, runaways = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        struct random_stream stream = random_stream_make(seed, 0, "levels");
        for (uint32_t i = 0; i < LEVELS; i++) {
            struct random_block block = random_block_at(&stream, 0, i);
            levels[i].distance_log = 0.001 + 0.1 * random_uniform53(block.word[0], block.word[1]);
            levels[i].coins = -log(random_uniform(block.word[2]));
        }
        double ratio = 1.5 * (seed + 1) / SEEDS, lambda = ratio * 0.1 / LEVELS;
        double shock = 0.005 + 0.02 * (seed % 7) / 7.0, expected;
        size_t expected_fired = batches(levels, LEVELS, lambda, shock, &expected);
        struct laboratory lab;
        laboratory_make(&lab, PRICE, 0.0, levels, LEVELS, lambda, 1);
        struct laboratory_outcome out = laboratory_run(&lab, shock, 0);
        laboratory_free(&lab);
        assert_int_equal(out.fired, expected_fired);
        reaches(out.displacement_log, expected);
        fired += (long)expected_fired;
        runaways += expected_fired == LEVELS;
    }
    assert_true(runaways > 0 && runaways < SEEDS);
    print_message("%d random fields, %ld levels fired, %ld runaways\n", SEEDS, fired, runaways);
    print_worst("form 2");
}

/* ---- form 3: square-root impact ---------------------------------------------------------- */

/* x0 = c, R = 1 coin: I = c sqrt(Q); a = c sqrt(h). */
static struct laboratory_outcome square_root_run(double a, double density, double cell,
                                                 size_t cells, double place, double shock)
{
    struct laboratory lab;
    double coins = density * cell;
    struct laboratory_level *levels = laboratory_cells(cells, 0.0, cell, place, same_coins, &coins);
    laboratory_make(&lab, PRICE, 0.0, levels, cells, a / sqrt(density), 1);
    lab.params.impact.kind = IMPACT_KIND_SQUARE_ROOT;
    lab.params.impact.permanent_share = 0.0;
    struct laboratory_outcome out = laboratory_run(&lab, shock, 0);
    laboratory_free(&lab);
    free(levels);
    return out;
}

static double square_root_form(double a, double shock)
{
    double root = (a + sqrt(a * a + 4.0 * shock)) / 2.0;
    return root * root;
}

static void square_root_impact_never_runs_away(void **state)
{
    const double a = 0.1, shocks[] = {0.0005, 0.005, 0.02, 0.05, 0.2};
    for (size_t i = 0; i < 5; i++) {
        double expected = square_root_form(a, shocks[i]), cell = expected / 1000.0;
        struct laboratory_outcome out = square_root_run(a, 4e5, cell, 1500, 0.25, shocks[i]);
        assert_int_equal(out.fired, 1000);
        reaches(out.displacement_log, expected);
    }
    print_worst("form 3");
}

/* However small the shock that reaches the first holder, the price falls by a^2. */
static void square_root_impact_jumps_by_a_squared_at_the_threshold(void **state)
{
    double a = 0.1, shock = 1e-7, expected = square_root_form(a, shock), cell = expected / 1000.0;
    double place = 0.5 * shock / cell;
    struct laboratory_outcome below = square_root_run(a, 4e5, cell, 1500, place, 0.4 * shock);
    struct laboratory_outcome above = square_root_run(a, 4e5, cell, 1500, place, shock);
    assert_int_equal(below.fired, 0);
    reaches(below.displacement_log, 0.4 * shock);
    reaches(above.displacement_log, expected);
    print_message("a^2 = %g: the jump is %.12g\n", a * a,
                  above.displacement_log - below.displacement_log);
    assert_near(above.displacement_log - below.displacement_log, a * a, 3.0 * shock);
    print_worst("form 3, threshold");
}

/* ---- form 4: density A x, linear impact -------------------------------------------------- */

/* Coins of cell k under the density A x: A w^2 (k + 1/2). */
static double rising_coins(size_t k, const void *context)
{
    return *(const double *)context * ((double)k + 0.5);
}

static struct laboratory_outcome rising_run(double slope, double lambda, double cell, size_t cells,
                                            double place, double shock)
{
    struct laboratory lab;
    double unit = slope * cell * cell;
    struct laboratory_level *levels =
        laboratory_cells(cells, 0.0, cell, place, rising_coins, &unit);
    laboratory_make(&lab, PRICE, 0.0, levels, cells, lambda, 1);
    struct laboratory_outcome out = laboratory_run(&lab, shock, 0);
    laboratory_free(&lab);
    free(levels);
    return out;
}

static void a_rising_density_gives_the_smaller_root(void **state)
{
    /* lambda A = 10: the fold is at D = .05, where the price has fallen by .1. */
    double lambda = 2e-7, slope = 5e7, product = lambda * slope;
    const double shocks[] = {0.005, 0.02, 0.035, 0.044};
    for (size_t i = 0; i < 4; i++) {
        double expected = (1.0 - sqrt(1.0 - 2.0 * product * shocks[i])) / product;
        double cell = expected / 1000.0;
        struct laboratory_outcome out = rising_run(slope, lambda, cell, 3000, 0.25, shocks[i]);
        assert_int_equal(out.fired, 1000);
        reaches(out.displacement_log, expected);
    }
    print_worst("form 4");
}

/* ---- folds -------------------------------------------------------------------------------- */

typedef struct laboratory_outcome fold_run(const void *context, size_t cells, double shock);

/* The smallest shock that fires every level, by bisection of engine runs. */
static double fold_of(fold_run *run, const void *context, size_t cells, double low, double high)
{
    while (high - low > 1e-13) {
        double middle = 0.5 * (low + high);
        if (run(context, cells, middle).fired == (int64_t)(2 * cells))
            high = middle;
        else
            low = middle;
    }
    return 0.5 * (low + high);
}

/* Levels `place` of a cell into their cells need a shock larger by place * width than the density
   does: the extrapolation to width 0 is exact. */
static double fold_without_cells(fold_run *run, const void *context, double low, double high)
{
    double coarse = fold_of(run, context, 500, low, high);
    double fine = fold_of(run, context, 1000, low, high);
    return 2.0 * fine - coarse;
}

static struct laboratory_outcome rising_fold_run(const void *context, size_t cells, double shock)
{
    const double *product = context;
    double cell = 1.0 / *product / (double)cells; /* the fold lies on the edge of a cell */
    return rising_run(*product / 2e-7, 2e-7, cell, 2 * cells, 0.5, shock);
}

static void a_rising_density_folds_at_one_over_two_lambda_a(void **state)
{
    double product = 10.0;
    double fold = fold_without_cells(rising_fold_run, &product, 0.03, 0.08);
    print_message("fold of a rising density: %.14g (1/(2 lambda A) = %.14g)\n", fold,
                  1.0 / (2.0 * product));
    reaches(fold, 1.0 / (2.0 * product));
    print_worst("form 4, fold");
}

/* ---- form 5: convex impact ---------------------------------------------------------------- */

struct convex {
    double gamma, b;
};

/* I = b x^gamma for a density of 1 coin per log price. */
static struct laboratory_outcome convex_run(const void *context, size_t cells, double shock)
{
    const struct convex *convex = context;
    double fold = pow(convex->gamma * convex->b, -1.0 / (convex->gamma - 1.0));
    double cell = fold / (double)cells;
    struct laboratory lab;
    struct laboratory_level *levels =
        laboratory_cells(2 * cells, 0.0, cell, 0.5, same_coins, &cell);
    laboratory_make(&lab, PRICE, 0.0, levels, 2 * cells, convex->b, 1);
    lab.params.impact.kind = IMPACT_KIND_POWER;
    lab.params.impact.gamma = convex->gamma;
    lab.params.impact.permanent_share = 0.0;
    struct laboratory_outcome out = laboratory_run(&lab, shock, 0);
    laboratory_free(&lab);
    free(levels);
    return out;
}

static void convex_impact_folds_where_the_closed_form_says(void **state)
{
    const struct convex cases[] = {{1.5, 3.0}, {2.4, 40.0}};
    for (size_t i = 0; i < 2; i++) {
        double gamma = cases[i].gamma;
        double delta = pow(gamma * cases[i].b, -1.0 / (gamma - 1.0));
        double expected = delta * (1.0 - 1.0 / gamma);
        double fold = fold_without_cells(convex_run, &cases[i], 0.3 * expected, 2.0 * expected);
        print_message("gamma %.1f: fold at D = %.14g (closed form %.14g), delta* = %.6g\n", gamma,
                      fold, expected, delta);
        reaches(fold, expected);
    }
    print_worst("form 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shock_that_stops_in_the_gap_liquidates_nobody),
        cmocka_unit_test(below_one_each_unit_of_shock_beyond_the_gap_becomes_one_over_one_less_n),
        cmocka_unit_test(a_shock_that_sweeps_the_field_adds_all_its_impact),
        cmocka_unit_test(waves_shrink_by_n),
        cmocka_unit_test(firing_one_by_one_ends_where_firing_in_batches_does),
        cmocka_unit_test(square_root_impact_never_runs_away),
        cmocka_unit_test(square_root_impact_jumps_by_a_squared_at_the_threshold),
        cmocka_unit_test(a_rising_density_gives_the_smaller_root),
        cmocka_unit_test(a_rising_density_folds_at_one_over_two_lambda_a),
        cmocka_unit_test(convex_impact_folds_where_the_closed_form_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
