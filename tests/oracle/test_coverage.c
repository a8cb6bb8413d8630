/*
 * Oracle 17 and published worked examples of coverage tests: how often a forecast quantile may be
 * exceeded before it is not believed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/study/coverage.h"
#include "tests/support/near.h"

static struct coverage_test unconditional(size_t steps, size_t exceedances, double rate)
{
    struct coverage_test test;
    struct error err = {0};
    if (coverage_unconditional(steps, exceedances, rate, &test, &err) != ERROR_NONE)
        fail_msg("coverage_unconditional: %s", err.message);
    return test;
}

/* Oracle 17. With one degree of freedom P(chi-squared > x) = erfc(sqrt(x / 2)). */
static void ten_bad_days_in_250_at_one_per_cent(void **state)
{
    struct coverage_test test = unconditional(250, 10, 0.01);
    print_message("Kupiec: LR %.6f (12.9555), p-value %.3e\n", test.ratio, test.p_value);
    assert_near(test.ratio, 12.9555, 1e-4);
    assert_int_equal(test.degrees, 1);
    assert_near(test.p_value, erfc(sqrt(12.9555 / 2.0)), 1e-7);
}

/* Equity index, normal VaR at 95 %: 57 failures on 1,043 days, 4 of them the day after another
   (documentation of MathWorks' Risk Management Toolbox, pages "pof", "cci" and "cc"). */
static void an_equity_index_under_normal_var(void **state)
{
    struct coverage_counts counts = {1043, 57, {{932, 53}, {53, 4}}};
    struct coverage_test pof = unconditional(1043, 57, 0.05), cci, cc;
    struct error err = {0};
    coverage_independence(&counts, &cci);
    assert_int_equal(coverage_conditional(&counts, 0.05, &cc, &err), ERROR_NONE);
    print_message("unconditional %.5f (%.5f), independence %.5f (%.5f), conditional %.5f (%.5f)\n",
                  pof.ratio, pof.p_value, cci.ratio, cci.p_value, cc.ratio, cc.p_value);
    assert_near(pof.ratio, 0.46147, 5e-6);
    assert_near(pof.p_value, 0.49694, 5e-6);
    assert_near(cci.ratio, 0.25866, 5e-6);
    assert_near(cci.p_value, 0.61104, 5e-6);
    assert_near(cc.ratio, 0.72013, 5e-6);
    assert_near(cc.p_value, 0.69763, 5e-6);
    assert_int_equal(cc.degrees, 2);
}

/* 20 exceptions in 252 days at 5 %, 6 of them after another (Jorion, Value at Risk, chapter on
   backtesting): 3.91 is just too many, 9.53 far too clustered. */
static void a_year_of_clustered_exceptions(void **state)
{
    struct coverage_counts counts = {252, 20, {{218, 14}, {14, 6}}};
    struct coverage_test coverage = unconditional(252, 20, 0.05), independence;
    coverage_independence(&counts, &independence);
    print_message("unconditional %.4f (3.91), independence %.4f (9.53)\n", coverage.ratio,
                  independence.ratio);
    assert_near(coverage.ratio, 3.91, 0.005);
    assert_near(independence.ratio, 9.53, 0.005);
    assert_true(coverage.p_value < 0.05 && independence.p_value < 0.01);
}

/* Kupiec 1995: numbers of failures N with which a model is not rejected at 95 %. `below` < N <
   `above`; the shortest series at 1 % has no lower end. */
static void the_regions_in_which_a_model_is_kept(void **state)
{
    static const struct {
        double rate;
        struct {
            size_t steps;
            int below, above;
        } region[3];
    } rows[] = {
        {0.010, {{255, -1, 7}, {510, 1, 11}, {1000, 4, 17}}},
        {0.025, {{255, 2, 12}, {510, 6, 21}, {1000, 15, 36}}},
        {0.050, {{255, 6, 21}, {510, 16, 36}, {1000, 37, 65}}},
        {0.075, {{255, 11, 28}, {510, 27, 51}, {1000, 59, 92}}},
        {0.100, {{255, 16, 36}, {510, 38, 65}, {1000, 81, 120}}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (size_t c = 0; c < 3; c++) {
            size_t steps = rows[r].region[c].steps;
            int below = rows[r].region[c].below, above = rows[r].region[c].above;
            assert_true(unconditional(steps, (size_t)above, rows[r].rate).p_value < 0.05);
            assert_true(unconditional(steps, (size_t)above - 1, rows[r].rate).p_value > 0.05);
            if (below < 0)
                continue;
            assert_true(unconditional(steps, (size_t)below, rows[r].rate).p_value < 0.05);
            assert_true(unconditional(steps, (size_t)below + 1, rows[r].rate).p_value > 0.05);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_bad_days_in_250_at_one_per_cent),
        cmocka_unit_test(an_equity_index_under_normal_var),
        cmocka_unit_test(a_year_of_clustered_exceptions),
        cmocka_unit_test(the_regions_in_which_a_model_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
