/*
 * Oracle 12 (closed form 10): the insurance fund over a uniform density of positions that begins at
 * the price. Filled one by one it gains q delta (m p0 - D/2), so its sign changes at D = 2 m p0
 * whatever the impact; filled all at the final price it gains q delta (m p0 - delta/2).
 *
 * The forms are of linear prices and the engine moves log prices: results are taken at five sizes
 * of the shock, each half the one before, and extrapolated to 0.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/laboratory.h"
#include "tests/support/near.h"

enum { FIRED = 400, SCALES = 5 };

static double same_coins(size_t k, const void *context)
{
    (void)k;
    return *(const double *)context;
}

/* Density 1 coin per unit of log price over p0 = 1; the cascade ends on the edge of a cell after
   `cells` of them. */
struct fund {
    double ratio;
    enum settle_fill fill;
    size_t cells;
};

static double fund_result(const struct fund *fund, double shock, double rate)
{
    struct laboratory lab;
    double cell = shock / (1.0 - fund->ratio) / (double)fund->cells;
    double place = fund->ratio <= 0.45 ? 0.5 : 0.5 * (1.0 - fund->ratio);
    struct laboratory_level *levels =
        laboratory_cells(2 * fund->cells, 0.0, cell, place, same_coins, &cell);
    laboratory_make(&lab, 1.0, rate, levels, 2 * fund->cells, fund->ratio, 1);
    lab.params.fill = fund->fill;
    struct laboratory_outcome out = laboratory_run(&lab, shock, 0);
    laboratory_free(&lab);
    free(levels);
    assert_int_equal(out.fired, fund->cells);
    assert_true(out.bad_debt_usd == 0.0);
    return out.fund_net_usd;
}

/* The maintenance rate at which the fund neither gains nor loses, over the shock. The result is a
   straight line in the rate: bankruptcy lies a part m of the price beyond liquidation. */
static double even_rate(const struct fund *fund, double shock)
{
    double without = fund_result(fund, shock, 0.0), with = fund_result(fund, shock, shock);
    return without / (without - with);
}

/* Levels early in their cells shift the result in proportion to the cell; two widths take it out.
 */
static double even_rate_without_cells(const struct fund *fund, double shock)
{
    struct fund fine = *fund;
    fine.cells *= 2;
    return 2.0 * even_rate(&fine, shock) - even_rate(fund, shock);
}

static double result_over_square(const struct fund *fund, double shock)
{
    struct fund fine = *fund;
    fine.cells *= 2;
    double rate = 0.7 * shock;
    return (2.0 * fund_result(&fine, shock, rate) - fund_result(fund, shock, rate)) /
           (shock * shock);
}

/* Limit of f(shock) as the shock goes to 0, by Neville on shocks halved each time. */
static double at_no_shock(double (*f)(const struct fund *, double), const struct fund *fund)
{
    double value[SCALES];
    for (int i = 0; i < SCALES; i++)
        value[i] = f(fund, ldexp(0.02, -i));
    for (int order = 1; order < SCALES; order++)
        for (int i = SCALES - 1; i >= order; i--)
            value[i] += (value[i] - value[i - 1]) / (ldexp(1.0, order) - 1.0);
    return value[SCALES - 1];
}

static void walking_the_book_the_fund_is_even_at_twice_the_maintenance_margin(void **state)
{
    const double ratios[] = {0.0, 0.2, 0.45, 0.8};
    for (int i = 0; i < 4; i++) {
        struct fund fund = {ratios[i], SETTLE_WALK, FIRED};
        double shock = 1.0 / at_no_shock(even_rate_without_cells, &fund);
        print_message("n = %.2f: the fund is even at D = %.12g m p0\n", ratios[i], shock);
        assert_near(shock, 2.0, 1e-9);
    }
}

static void beyond_it_the_fund_pays_and_before_it_earns(void **state)
{
    struct fund fund = {0.3, SETTLE_WALK, FIRED};
    double rate = 0.0005;
    assert_true(fund_result(&fund, 2.01 * rate, rate) < 0.0);
    assert_true(fund_result(&fund, 1.99 * rate, rate) > 0.0);
}

static void filled_at_the_final_price_the_fund_is_even_at_half_the_fall(void **state)
{
    const double ratios[] = {0.0, 0.2, 0.45, 0.8};
    for (int i = 0; i < 4; i++) {
        struct fund fund = {ratios[i], SETTLE_FINAL, FIRED};
        double rate = at_no_shock(even_rate_without_cells, &fund);
        print_message("n = %.2f: m p0 = %.12g delta\n", ratios[i], rate * (1.0 - ratios[i]));
        assert_near(rate * (1.0 - ratios[i]), 0.5, 1e-9);
    }
}

/* With m = .7 D: q delta (m - D/2) = .2 D^2/(1 - n), and q delta (m - delta/2). */
static void the_funds_result_is_the_closed_form(void **state)
{
    const double ratio = 0.4, delta = 1.0 / (1.0 - ratio);
    struct fund fund = {ratio, SETTLE_WALK, FIRED};
    double walk = at_no_shock(result_over_square, &fund);
    fund.fill = SETTLE_FINAL;
    double final = at_no_shock(result_over_square, &fund);
    print_message("result over D^2: walk %.12g (%.12g), final %.12g (%.12g)\n", walk, 0.2 * delta,
                  final, delta * (0.7 - delta / 2.0));
    assert_near(walk, 0.2 * delta, 1e-9);
    assert_near(final, delta * (0.7 - delta / 2.0), 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walking_the_book_the_fund_is_even_at_twice_the_maintenance_margin),
        cmocka_unit_test(beyond_it_the_fund_pays_and_before_it_earns),
        cmocka_unit_test(filled_at_the_final_price_the_fund_is_even_at_half_the_fall),
        cmocka_unit_test(the_funds_result_is_the_closed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
