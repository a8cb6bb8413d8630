/*
 * Oracles 8, 9 and 10: how large a cascade becomes when levels are random or leverage is
 * log-uniform. Short samples; tests/statistical repeats 9 and 10 at length.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_lambert.h>

#include "tests/sim/laboratory.h"
#include "tests/statistical/cascade_sizes.h"
#include "tests/support/near.h"

/* ---- oracle 8: log-uniform leverage ------------------------------------------------------ */

/* A side of 1 coin whose leverage is log-uniform on [lowest, highest]; B = lambda / ln(highest /
   lowest). */
struct log_uniform {
    double rate, highest, lowest, shock, b;
};

static const struct log_uniform published = {0.004, 100.0, 2.0, 0.02, 0.02};

static double closed_form(const struct log_uniform *law)
{
    double exponent = -(law->shock + law->rate + law->b * log(law->highest)) / law->b;
    return -law->b * gsl_sf_lambert_Wm1(-exp(exponent) / law->b);
}

/*
 * The engine on `cells` positions, one in the middle of each of equal cells of ln L, at a scale at
 * which every rate and distance is multiplied by `scale` (leverages divided by it): the closed form
 * is linear in prices, the engine's impact in log prices, and they part by a relative distance of
 * about scale * z. Returns z = displacement + m at scale 1.
 */
static double engine_z(const struct log_uniform *law, double scale, size_t cells, double cell)
{
    struct book_given *given = calloc(cells, sizeof *given);
    assert_non_null(given);
    double coins = cell / log(law->highest / law->lowest);
    for (size_t k = 0; k < cells; k++)
        given[k] =
            (struct book_given){.side = 1,
                                .entry_price = 1.0,
                                .size_coins = coins,
                                .leverage = law->highest / scale * exp(-((double)k + 0.5) * cell),
                                .liquidation_price = NAN};
    struct laboratory lab;
    double lambda = law->b * log(law->highest / law->lowest) * scale;
    laboratory_make_given(&lab, 1.0, law->rate * scale, given, cells, lambda, 1);
    struct laboratory_outcome out = laboratory_run(&lab, law->shock * scale, 0);
    laboratory_free(&lab);
    free(given);
    return out.displacement_log / scale + law->rate;
}

static void the_closed_form_of_log_uniform_leverage_is_the_published_figure(void **state)
{
    double z = closed_form(&published);
    print_message("z = %.14g (published .059752528197)\n", z);
    assert_near(z, 0.059752528197, 1e-10);
    assert_true(z > published.b && z >= 1.0 / published.highest && z <= 1.0 / published.lowest);
    /* And it solves z = D + m + B ln(z Lmax). */
    assert_near(z, published.shock + published.rate + published.b * log(z * published.highest),
                1e-15);
}

/* Cells of ln L one of whose edges is ln 1/z: there levels and density hold the same coins, so that
   only rounding and the scale remain. */
static void the_engine_reaches_log_uniform_leverage(void **state)
{
    double z = closed_form(&published);
    size_t inside = 2000;
    double cell = log(z * published.highest) / (double)inside;
    size_t cells = (size_t)(log(published.highest / published.lowest) / cell);
    double reached = engine_z(&published, 1e-5, cells, cell);
    print_message("engine, scale 1e-5: z = %.14g, %.2g from the closed form\n", reached,
                  reached - z);
    assert_near(reached, z, 1e-10);
}

/* Cells that know nothing of z: a level more or less is B times a cell. */
static void finer_books_come_closer_to_log_uniform_leverage(void **state)
{
    double z = closed_form(&published), range = log(published.highest / published.lowest);
    for (size_t cells = 1000; cells <= 100000; cells *= 10) {
        double cell = range / (double)cells;
        double reached = engine_z(&published, 1e-5, cells, cell);
        /* dz = B/(1 - B/z) d ln L: within a cell, plus the scale's part. */
        double tolerance = published.b * cell / (1.0 - published.b / z) + 1e-5 * z * z;
        print_message("%zu positions: z = %.10g, %.2g from the closed form (allowed %.2g)\n", cells,
                      reached, reached - z, tolerance);
        assert_near(reached, z, tolerance);
    }
}

/* At the true scale the engine differs by what the logarithm bends: x + x^2/2, x up to z. */
static void what_is_left_is_the_curvature_of_the_logarithm(void **state)
{
    double z = closed_form(&published), range = log(published.highest / published.lowest);
    double difference[3];
    for (int i = 0; i < 3; i++) {
        double scale = ldexp(0.01, -2 * i);
        difference[i] = engine_z(&published, scale, 100000, range / 100000.0) - z;
        print_message("scale %.6g: engine - closed form = %.3g\n", scale, difference[i]);
    }
    assert_near(difference[1] / difference[0], 0.25, 0.03);
    assert_near(difference[2] / difference[0], 0.0625, 0.03);
}

/* ---- oracle 9: levels uniform on [0, 1] --------------------------------------------------- */

/* P(r) = C(N, r) d (d + r p)^(r - 1) (1 - d - r p)^(N - r), r < N. */
static double quasibinomial(unsigned levels, double shock, double push, unsigned r)
{
    double rest = 1.0 - shock - r * push;
    if (rest <= 0.0)
        return 0.0;
    return exp(gsl_sf_lnchoose(levels, r) + log(shock) + (r - 1.0) * log(shock + r * push) +
               (levels - r) * log(rest));
}

static void cascades_over_uniform_levels_are_quasibinomial(void **state)
{
    enum { LEVELS = 50, REPLICATES = 40000, BINS = 12 };
    int64_t counts[LEVELS + 1];
    double worst = 0.0;
    assert_near(quasibinomial(LEVELS, 0.05, 0.016, 0), 0.076945, 5e-7);
    assert_near(quasibinomial(LEVELS, 0.05, 0.016, 1), 0.088092, 5e-7);
    cascade_sizes_uniform(2, REPLICATES, LEVELS, 0.05, 0.016, counts);
    for (unsigned r = 0; r < BINS; r++) {
        double p = quasibinomial(LEVELS, 0.05, 0.016, r);
        double error = sqrt(p * (1.0 - p) / REPLICATES);
        double seen = (double)counts[r] / REPLICATES;
        worst = fmax(worst, fabs(seen - p) / error);
        if (r < 2)
            print_message("P(%u) = %.6f, engine %.6f (s.e. %.6f)\n", r, p, seen, error);
        assert_near(seen, p, 4.0 * error);
    }
    print_message("largest deviation of P(0) to P(%d): %.2f s.e.\n", BINS - 1, worst);
}

/* ---- oracle 10: Poisson field ------------------------------------------------------------- */

static void a_poisson_field_gives_borel_sizes(void **state)
{
    enum { COUNT = 200000 };
    uint32_t *sizes = calloc(COUNT, sizeof *sizes);
    assert_non_null(sizes);
    cascade_sizes_poisson(3, 0.7, COUNT, sizes);
    double sum = 0.0, squares = 0.0, ones = 0.0;
    for (size_t i = 0; i < COUNT; i++) {
        sum += sizes[i];
        ones += sizes[i] == 1;
    }
    for (size_t i = 0; i < COUNT; i++)
        squares += (sizes[i] - sum / COUNT) * (sizes[i] - sum / COUNT);
    free(sizes);
    double mean = sum / COUNT, variance = squares / (COUNT - 1);
    print_message("Borel, n = .7: mean %.4f (3.3333), variance %.3f (25.926), P(1) %.5f (%.5f)\n",
                  mean, variance, ones / COUNT, exp(-0.7));
    assert_near(mean, 1.0 / 0.3, 0.02 / 0.3);
    /* The variance's own standard error at this size is 1.5 %: 4 of them. */
    assert_near(variance, 0.7 / (0.3 * 0.3 * 0.3), 0.06 * 25.926);
    assert_near(ones / COUNT, exp(-0.7), 4.0 * sqrt(0.25 / COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_closed_form_of_log_uniform_leverage_is_the_published_figure),
        cmocka_unit_test(the_engine_reaches_log_uniform_leverage),
        cmocka_unit_test(finer_books_come_closer_to_log_uniform_leverage),
        cmocka_unit_test(what_is_left_is_the_curvature_of_the_logarithm),
        cmocka_unit_test(cascades_over_uniform_levels_are_quasibinomial),
        cmocka_unit_test(a_poisson_field_gives_borel_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
