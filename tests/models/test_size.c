/* Position sizes against the quantiles of their distributions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/size.h"
#include "tests/support/near.h"

static const struct size_params lognormal = {
    .kind = SIZE_KIND_LOGNORMAL, .median = 13000.0, .sigma = 2.0};

static void half_of_lognormal_positions_are_below_the_median(void **state)
{
    assert_near(size_draw(&lognormal, 0.5), 13000.0, 1e-6);
}

/* One standard deviation of ln on either side: 84.134 % and 15.866 %. */
static void one_sigma_is_a_factor_of_e_squared(void **state)
{
    double factor = exp(2.0);
    assert_near(size_draw(&lognormal, 0.8413447460685429) / 13000.0, factor, 1e-9 * factor);
    assert_near(size_draw(&lognormal, 0.15865525393145707) * factor, 13000.0, 1e-5);
}

/* P(size > 300,000) = 1 - Phi(ln(300/13)/2) = 1 - Phi(1.56944). */
static void six_percent_of_default_positions_leave_the_first_bracket(void **state)
{
    double above = 0.5 * erfc(log(300.0 / 13.0) / 2.0 / sqrt(2.0));
    print_message("%.2f %% of positions are above 300,000 USD\n", 100.0 * above);
    assert_near(above, 0.0583, 1e-3);
    assert_near(size_draw(&lognormal, 1.0 - above), 300000.0, 1e-3);
}

/* exp(sigma^2/2) of the median at sigma 1, by the midpoint rule over quantiles. */
static void the_mean_of_a_lognormal_is_above_its_median(void **state)
{
    struct size_params params = {.kind = SIZE_KIND_LOGNORMAL, .median = 100.0, .sigma = 1.0};
    double sum = 0.0;
    int n = 200000;
    for (int i = 0; i < n; i++)
        sum += size_draw(&params, (i + 0.5) / n);
    assert_near(sum / n, 100.0 * exp(0.5), 0.1);
}

static void a_pareto_tail_falls_by_ten_to_the_alpha_per_decade(void **state)
{
    for (double alpha = 0.6; alpha < 2.6; alpha += 0.2) {
        struct size_params params = {.kind = SIZE_KIND_PARETO, .minimum = 500.0, .alpha = alpha};
        double above = pow(10.0, -alpha);
        assert_near(size_draw(&params, 1.0 - above), 5000.0, 1e-6);
    }
}

static void alpha_one_is_the_limit_of_its_neighbours(void **state)
{
    struct size_params one = {.kind = SIZE_KIND_PARETO, .minimum = 500.0, .alpha = 1.0};
    struct size_params near = {.kind = SIZE_KIND_PARETO, .minimum = 500.0, .alpha = 1.0 + 1e-12};
    for (double u = 0.001; u < 1.0; u += 0.007)
        assert_near(size_draw(&one, u) / size_draw(&near, u), 1.0, 1e-10);
    assert_near(size_draw(&one, 0.75), 2000.0, 1e-9);
}

/* With alpha = ln 5 / ln 4 the largest fifth owns four fifths (Pareto's own rule). */
static void a_fifth_of_pareto_positions_owns_four_fifths(void **state)
{
    struct size_params params = {
        .kind = SIZE_KIND_PARETO, .minimum = 1.0, .alpha = log(5.0) / log(4.0)};
    /* Substituting 1 - u = v^8 tames the tail for the midpoint rule. */
    double all = 0.0, top = 0.0;
    int n = 400000;
    for (int i = 0; i < n; i++) {
        double v = (i + 0.5) / n, above = pow(v, 8.0);
        double value = size_draw(&params, 1.0 - above) * 8.0 * pow(v, 7.0);
        if (above < 1e-12)
            continue;
        all += value;
        top += above < 0.2 ? value : 0.0;
    }
    print_message("the largest fifth owns %.1f %%\n", 100.0 * top / all);
    assert_near(top / all, 0.8, 0.01);
}

static void sizes_rise_with_their_probability(void **state)
{
    struct size_params pareto = {.kind = SIZE_KIND_PARETO, .minimum = 100.0, .alpha = 1.2};
    double last_lognormal = 0.0, last_pareto = 100.0;
    for (double u = 0x1p-33; u < 1.0; u += 0.01) {
        assert_true(size_draw(&lognormal, u) > last_lognormal);
        assert_true(size_draw(&pareto, u) >= last_pareto);
        last_lognormal = size_draw(&lognormal, u);
        last_pareto = size_draw(&pareto, u);
    }
    assert_true(isfinite(size_draw(&lognormal, 1.0 - 0x1p-33)));
    assert_true(isfinite(size_draw(&pareto, 1.0 - 0x1p-33)));
}

static void a_fixed_size_is_always_the_same(void **state)
{
    struct size_params params = {.kind = SIZE_KIND_FIXED, .value = 25000.0};
    assert_true(size_draw(&params, 1e-9) == 25000.0);
    assert_true(size_draw(&params, 0.999) == 25000.0);
}

static void every_model_has_its_row(void **state)
{
    static const char *const names[] = {"lognormal", "pareto", "fixed"};
    assert_int_equal(size_model_count, 3);
    for (int kind = 0; kind < 3; kind++) {
        assert_string_equal(size_models[kind].name, names[kind]);
        assert_true(size_models[kind].documentation[0] != '\0');
        assert_true(size_models[kind].source[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_lognormal_positions_are_below_the_median),
        cmocka_unit_test(one_sigma_is_a_factor_of_e_squared),
        cmocka_unit_test(six_percent_of_default_positions_leave_the_first_bracket),
        cmocka_unit_test(the_mean_of_a_lognormal_is_above_its_median),
        cmocka_unit_test(a_pareto_tail_falls_by_ten_to_the_alpha_per_decade),
        cmocka_unit_test(alpha_one_is_the_limit_of_its_neighbours),
        cmocka_unit_test(a_fifth_of_pareto_positions_owns_four_fifths),
        cmocka_unit_test(sizes_rise_with_their_probability),
        cmocka_unit_test(a_fixed_size_is_always_the_same),
        cmocka_unit_test(every_model_has_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
