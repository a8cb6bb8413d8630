/* Entry prices: the triangular distribution over a bar. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/entry.h"
#include "tests/support/near.h"

static void nobody_enters_outside_the_bar(void **state)
{
    static const double bars[][3] = {
        {0.99, 1.01, 1.0}, {0.5, 1.0, 1.0}, {1.0, 1.0 + 1e-12, 1.0}, {98000, 104000, 98000}};
    for (size_t b = 0; b < sizeof bars / sizeof bars[0]; b++) {
        double last = bars[b][0];
        for (double u = 0x1p-33; u < 1.0; u += 1.0 / 4096) {
            double price = entry_triangular(bars[b][0], bars[b][1], bars[b][2], u);
            assert_true(price >= last && price <= bars[b][1]);
            last = price;
        }
        double top = entry_triangular(bars[b][0], bars[b][1], bars[b][2], 1.0 - 0x1p-33);
        assert_true(top >= last && top <= bars[b][1]);
    }
}

static void a_bar_without_range_has_one_entry_price(void **state)
{
    assert_true(entry_triangular(1.0, 1.0, 1.0, 0.3) == 1.0);
    assert_true(entry_triangular(97000.0, 97000.0, 97000.0, 0.9) == 97000.0);
}

/* Symmetric bar [0, 2] with mode 1: quarters of probability at sqrt(1/2) and 2 - sqrt(1/2). */
static void quartiles_of_a_symmetric_bar(void **state)
{
    assert_near(entry_triangular(0.0, 2.0, 1.0, 0.25), sqrt(0.5), 1e-14);
    assert_near(entry_triangular(0.0, 2.0, 1.0, 0.5), 1.0, 1e-14);
    assert_near(entry_triangular(0.0, 2.0, 1.0, 0.75), 2.0 - sqrt(0.5), 1e-14);
}

/* The triangular law has mean (low + high + mode)/3 and variance
   (l^2 + h^2 + m^2 - lh - lm - hm)/18. */
static void mean_and_variance_are_those_of_the_triangular_law(void **state)
{
    double low = 98.0, high = 104.0, close = 98.9, mode = (low + high + close) / 3.0;
    double sum = 0.0, squares = 0.0;
    int n = 100000;
    for (int i = 0; i < n; i++) {
        double x = entry_triangular(low, high, close, (i + 0.5) / n);
        sum += x;
        squares += x * x;
    }
    double mean = sum / n, variance = squares / n - mean * mean;
    assert_near(mean, (low + high + mode) / 3.0, 1e-6);
    double expected =
        (low * low + high * high + mode * mode - low * high - low * mode - high * mode) / 18.0;
    assert_near(variance, expected, 1e-5);
}

/* Density rises linearly to the mode: P(X <= mode) = (mode - low)/(high - low). */
static void the_mode_is_the_typical_price(void **state)
{
    double low = 98.0, high = 104.0, close = 103.0, mode = (low + high + close) / 3.0;
    double below = (mode - low) / (high - low);
    assert_near(entry_triangular(low, high, close, below), mode, 1e-9);
    double at = entry_triangular(low, high, close, below + 5e-4) -
                entry_triangular(low, high, close, below - 5e-4);
    double away =
        entry_triangular(low, high, close, 0.051) - entry_triangular(low, high, close, 0.05);
    /* density 2/(high - low) at the mode */
    assert_near(1e-3 / at, 2.0 / (high - low), 0.01);
    assert_true(away > at);
}

static void a_close_outside_its_bar_is_held_at_the_edge(void **state)
{
    double at_low = entry_triangular(1.0, 2.0, -50.0, 0.5);
    double at_high = entry_triangular(1.0, 2.0, 50.0, 0.5);
    /* Mode at an end: medians at 2 - sqrt(1/2) and 1 + sqrt(1/2). */
    assert_near(at_low, 2.0 - sqrt(0.5), 1e-14);
    assert_near(at_high, 1.0 + sqrt(0.5), 1e-14);
}

static void every_model_has_its_row(void **state)
{
    static const char *const names[] = {"triangular", "vwap"};
    assert_int_equal(entry_model_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(entry_models[i].name, names[i]);
        assert_true(entry_models[i].documentation[0] != '\0');
        assert_true(entry_models[i].source[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_enters_outside_the_bar),
        cmocka_unit_test(a_bar_without_range_has_one_entry_price),
        cmocka_unit_test(quartiles_of_a_symmetric_bar),
        cmocka_unit_test(mean_and_variance_are_those_of_the_triangular_law),
        cmocka_unit_test(the_mode_is_the_typical_price),
        cmocka_unit_test(a_close_outside_its_bar_is_held_at_the_edge),
        cmocka_unit_test(every_model_has_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
