/* Leverage of the stock of open interest: distributions, caps, strata, and the opens behind it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/leverage.h"
#include "tests/support/near.h"

#define KINDS 5

/* Defaults of a scenario under brackets of at most 150x. */
static struct leverage_params params_of(enum leverage_kind kind)
{
    struct leverage_params params = {.kind = kind,
                                     .alpha = 1.0,
                                     .minimum = 1.0,
                                     .mu = 1.3140,
                                     .sigma = 0.6148,
                                     .tail_share = 0.085,
                                     .tail_from = 20.0,
                                     .hazard_exponent = 0.5,
                                     .tier_count = 3,
                                     .tier_leverage = {5.0, 100.0, 20.0},
                                     .tier_weight = {2.0, 1.0, 1.0},
                                     .maximum = 150.0};
    return params;
}

static void make(struct leverage *leverage, const struct leverage_params *params)
{
    struct error err = {0};
    int code = leverage_init(leverage, params, &err);
    if (code != ERROR_NONE)
        fail_msg("leverage_init: %s", err.message);
}

static double draw_below(const struct leverage *leverage, double u, double cap)
{
    return leverage_draw(leverage, u, cap, leverage_survival(leverage, cap));
}

/* (1/10 - 1/125)/(1 - 1/125) and (1/50 - 1/125)/(1 - 1/125) by hand. */
static void with_alpha_one_nine_percent_of_oi_is_above_10x(void **state)
{
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_PARETO);
    params.maximum = 125.0;
    make(&leverage, &params);
    print_message("Pareto, alpha 1, cut at 125x: %.2f %% above 10x, %.2f %% above 50x\n",
                  100.0 * leverage_survival(&leverage, 10.0),
                  100.0 * leverage_survival(&leverage, 50.0));
    assert_near(leverage_survival(&leverage, 10.0), 0.0927419, 1e-7);
    assert_near(leverage_survival(&leverage, 50.0), 0.0120968, 1e-7);
}

/* From 2x to 100x, above 10x: (2/10 - 2/100)/(1 - 2/100) = 0.18/0.98. */
static void a_pareto_begins_at_its_minimum(void **state)
{
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_PARETO);
    params.minimum = 2.0;
    params.maximum = 100.0;
    make(&leverage, &params);
    assert_near(leverage_survival(&leverage, 10.0), 0.18 / 0.98, 1e-14);
    assert_near(leverage_draw(&leverage, 0.18 / 0.98, 100.0, 0.0), 10.0, 1e-12);
}

/* Far from the cut, doubling the leverage divides the survival by 2^alpha. */
static void a_pareto_survival_is_a_power_law(void **state)
{
    for (double alpha = 0.8; alpha < 1.65; alpha += 0.1) {
        struct leverage leverage;
        struct leverage_params params = params_of(LEVERAGE_KIND_PARETO);
        params.alpha = alpha;
        params.maximum = 1e12;
        make(&leverage, &params);
        assert_near(leverage_survival(&leverage, 8.0) / leverage_survival(&leverage, 4.0),
                    pow(2.0, -alpha), 1e-8);
    }
}

/* Hyperliquid's OI by tier of leverage, December 2025: 36 % at 0-3x, 48 % at 3-7x. */
static void hyperliquid_holds_36_percent_below_3x_and_48_from_3x_to_7x(void **state)
{
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_LOGNORMAL);
    params.maximum = 40.0;
    make(&leverage, &params);
    double low = 1.0 - leverage_survival(&leverage, 3.0);
    double middle = leverage_survival(&leverage, 3.0) - leverage_survival(&leverage, 7.0);
    print_message("lognormal: %.1f %% at 0-3x, %.1f %% at 3-7x\n", 100.0 * low, 100.0 * middle);
    assert_near(low, 0.36, 0.01);
    assert_near(middle, 0.48, 0.01);
}

/* Half-way in ln between 20x and 150x, half of the 8.5 % is above, and of the lognormal
   1 - Phi((ln 54.77 - 1.314)/.6148) = 6.0e-6. */
static void a_log_uniform_tail_adds_its_share(void **state)
{
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_LOGNORMAL_TAIL);
    make(&leverage, &params);
    assert_near(leverage_survival(&leverage, sqrt(20.0 * 150.0)), 0.0425, 1e-5);
    assert_near(leverage_survival(&leverage, 20.0), 0.085 + 0.915 * 0.00312, 1e-4);
}

/* Mean of a law from its survival: minimum + the integral of P(L > x), trapezoids in ln x. */
static double mean_of(const struct leverage *leverage)
{
    enum { STEPS = 200000 };
    double low = leverage->params.minimum, high = leverage->params.maximum, sum = 0.0;
    for (int i = 0; i < STEPS; i++) {
        double a = low * pow(high / low, (double)i / STEPS);
        double b = low * pow(high / low, (i + 1.0) / STEPS);
        sum += 0.5 * (b - a) * (leverage_survival(leverage, a) + leverage_survival(leverage, b));
    }
    return low + sum;
}

/* XBTUSD at the end of April 2019: 22x long, 30x short; nobody above 100x on a venue with 125x. */
static void bitmex_longs_had_22x_and_shorts_30x(void **state)
{
    static const double published[] = {22.0, 30.0};
    for (int i = 0; i < 2; i++) {
        struct leverage leverage;
        struct leverage_params params = params_of(LEVERAGE_KIND_BITMEX_2019);
        params.side = i == 0 ? 1 : -1;
        params.maximum = 125.0;
        make(&leverage, &params);
        print_message("bitmex_2019, %s: mean %.5f, median %.2f, a fifth above %.1f\n",
                      i == 0 ? "long" : "short", mean_of(&leverage),
                      draw_below(&leverage, 0.5, 125.0), draw_below(&leverage, 0.2, 125.0));
        assert_near(mean_of(&leverage), published[i], 1e-4);
        assert_true(leverage_survival(&leverage, 99.9) > 0.0);
        assert_true(leverage_survival(&leverage, 100.0) == 0.0);
        assert_near(draw_below(&leverage, 1e-12, 125.0), 100.0, 1e-6);
    }
}

/* Cut at both ends it is the same law: odds of two ranges within both do not change. */
static void a_cut_bitmex_law_keeps_its_odds(void **state)
{
    struct leverage whole, cut;
    struct leverage_params params = params_of(LEVERAGE_KIND_BITMEX_2019);
    params.side = -1;
    make(&whole, &params);
    params.minimum = 2.0;
    params.maximum = 50.0;
    make(&cut, &params);
    double odds[2];
    for (int i = 0; i < 2; i++) {
        const struct leverage *law = i == 0 ? &whole : &cut;
        odds[i] = (leverage_survival(law, 5.0) - leverage_survival(law, 10.0)) /
                  (leverage_survival(law, 10.0) - leverage_survival(law, 40.0));
    }
    assert_near(odds[1] / odds[0], 1.0, 1e-12);
    assert_true(leverage_survival(&cut, 2.0) == 1.0 && leverage_survival(&cut, 50.0) == 0.0);
}

static void only_bitmex_tells_longs_from_shorts(void **state)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct leverage side[2];
        struct leverage_params params = params_of((enum leverage_kind)kind);
        for (int i = 0; i < 2; i++) {
            params.side = i == 0 ? 1 : -1;
            make(&side[i], &params);
        }
        bool differ = leverage_survival(&side[0], 10.0) != leverage_survival(&side[1], 10.0);
        assert_true(differ == leverage_by_side((enum leverage_kind)kind));
    }
}

static void every_model_has_its_row(void **state)
{
    static const char *const names[] = {"pareto", "lognormal", "lognormal_tail", "tiers",
                                        "bitmex_2019"};
    assert_int_equal(leverage_model_count, KINDS);
    for (int kind = 0; kind < KINDS; kind++) {
        assert_string_equal(leverage_models[kind].name, names[kind]);
        assert_true(strlen(leverage_models[kind].documentation) > 0);
        assert_true(strlen(leverage_models[kind].source) > 0);
    }
}

static void survival_falls_from_one_to_zero(void **state)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct leverage leverage;
        struct leverage_params params = params_of((enum leverage_kind)kind);
        params.minimum = 1.5;
        make(&leverage, &params);
        assert_true(leverage_survival(&leverage, 1.0) == 1.0);
        assert_true(leverage_survival(&leverage, 1.4999) == 1.0);
        assert_true(leverage_survival(&leverage, 150.0) == 0.0);
        assert_true(leverage_survival(&leverage, 1e9) == 0.0);
        double last = 1.0;
        for (double x = 1.0; x < 160.0; x *= 1.01) {
            double survival = leverage_survival(&leverage, x);
            assert_true(survival <= last && survival >= 0.0);
            last = survival;
        }
    }
}

/* The leverage with survival u below a cap has survival S(cap) + u (1 - S(cap)) in the stock; the
   tabulated model is a quarter of a table step (1/256 of ln survival) off at worst, at the kink
   where its tail begins; a survival of 1e-5 below a flat end is a difference of near equals. */
static void draws_invert_the_survival_of_the_stock_below_a_cap(void **state)
{
    static const double caps[] = {150, 125, 50, 20, 7, 2};
    static const double tolerance[] = {1e-12, 1e-8, 0.25 / 256, 0.0, 1e-10};
    for (int kind = 0; kind < KINDS; kind++) {
        if (kind == LEVERAGE_KIND_TIERS)
            continue; /* point masses have no inverse */
        struct leverage leverage;
        struct leverage_params params = params_of((enum leverage_kind)kind);
        make(&leverage, &params);
        double worst = 0.0;
        for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
            double above = leverage_survival(&leverage, caps[c]);
            for (double u = 0.9995; u > 1e-5; u *= 0.995) {
                double expected = above + u * (1.0 - above);
                double x = leverage_draw(&leverage, u, caps[c], above);
                if (x > params.minimum)
                    worst = fmax(worst, fabs(leverage_survival(&leverage, x) / expected - 1.0));
                else /* the mass held at the minimum */
                    assert_true(expected >= leverage_survival(&leverage, params.minimum) - 1e-12);
            }
        }
        print_message("model %d: survival of draws within %.1e\n", kind, worst);
        assert_true(worst < tolerance[kind]);
    }
}

static void draws_stay_between_the_minimum_and_the_cap(void **state)
{
    static const double caps[] = {150, 125, 100, 75, 50, 25, 20, 10, 5, 4, 3, 2};
    static const double extremes[] = {0x1p-53, 0x1p-33, 0.5, 1.0 - 0x1p-33, 1.0 - 0x1p-53};
    for (int kind = 0; kind < KINDS; kind++) {
        for (double alpha = 0.8; alpha <= 1.6; alpha += 0.2) {
            struct leverage leverage;
            struct leverage_params params = params_of((enum leverage_kind)kind);
            params.minimum = 1.1;
            params.alpha = alpha;
            make(&leverage, &params);
            for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
                for (size_t i = 0; i < 5; i++) {
                    double x = draw_below(&leverage, extremes[i], caps[c]);
                    assert_true(x >= 1.1 && x <= caps[c]);
                }
                for (double u = 0.0005; u < 1.0; u += 0.001) {
                    double x = draw_below(&leverage, u, caps[c]);
                    assert_true(x >= 1.1 && x <= caps[c]);
                }
            }
        }
    }
}

/* The largest positions of a venue trade at 1x, whatever the distribution says. */
static void a_cap_of_one_leaves_one(void **state)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct leverage leverage;
        struct leverage_params params = params_of((enum leverage_kind)kind);
        make(&leverage, &params);
        assert_true(draw_below(&leverage, 0.3, 1.0) == 1.0);
        params.minimum = 2.0;
        make(&leverage, &params);
        assert_true(draw_below(&leverage, 0.3, 1.0) == 1.0);
    }
}

static void alpha_one_is_the_limit_of_its_neighbours(void **state)
{
    struct leverage one, near;
    struct leverage_params params = params_of(LEVERAGE_KIND_PARETO);
    make(&one, &params);
    params.alpha = 1.0 + 1e-12;
    make(&near, &params);
    for (double u = 0.001; u < 1.0; u += 0.007)
        assert_near(draw_below(&one, u, 100.0) / draw_below(&near, u, 100.0), 1.0, 1e-9);
}

/* Weights 2:1:1 at 5x, 20x, 100x: from the top, a quarter, a quarter, a half. */
static double share_at(const struct leverage *leverage, double cap, double where)
{
    int n = 1200, count = 0;
    for (int i = 0; i < n; i++)
        count += draw_below(leverage, (i + 0.5) / n, cap) == where;
    return (double)count / n;
}

static void tiers_are_point_masses_of_their_weights(void **state)
{
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_TIERS);
    make(&leverage, &params);
    assert_near(share_at(&leverage, 150.0, 5.0), 0.5, 1e-12);
    assert_near(share_at(&leverage, 150.0, 20.0), 0.25, 1e-12);
    assert_near(share_at(&leverage, 150.0, 100.0), 0.25, 1e-12);
    assert_near(leverage_survival(&leverage, 4.99), 1.0, 1e-15);
    assert_near(leverage_survival(&leverage, 5.0), 0.5, 1e-15);
    assert_near(leverage_survival(&leverage, 99.0), 0.25, 1e-15);
    assert_near(leverage_survival(&leverage, 100.0), 0.0, 1e-15);
    assert_true(draw_below(&leverage, 0.1, 150.0) == 100.0);
    assert_true(draw_below(&leverage, 0.9, 150.0) == 5.0);
}

static void tiers_above_the_cap_are_removed(void **state)
{
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_TIERS);
    make(&leverage, &params);
    assert_near(share_at(&leverage, 50.0, 5.0), 2.0 / 3.0, 1e-12);
    assert_near(share_at(&leverage, 50.0, 20.0), 1.0 / 3.0, 1e-12);
    assert_near(share_at(&leverage, 20.0, 20.0), 1.0 / 3.0, 1e-12);
    assert_near(share_at(&leverage, 3.0, 3.0), 1.0, 1e-12);
    params.maximum = 20.0;
    make(&leverage, &params);
    assert_near(share_at(&leverage, 20.0, 5.0), 2.0 / 3.0, 1e-12);
    params.maximum = 3.0;
    make(&leverage, &params);
    assert_near(share_at(&leverage, 3.0, 3.0), 1.0, 1e-12);
}

static void strata_cover_the_stock_without_gap_or_overlap(void **state)
{
    for (int n = 1; n <= 200; n++) {
        double sum = 0.0, last = 1.0;
        for (int i = 0; i < n; i++) {
            double lower, upper;
            leverage_stratum(i, n, &lower, &upper);
            assert_true(upper == last && lower < upper);
            sum += upper - lower;
            last = lower;
        }
        assert_true(last == 0.0);
        assert_near(sum, 1.0, 1e-12);
    }
}

static void half_of_the_strata_lie_in_the_top_percent(void **state)
{
    static const int counts[] = {2, 4, 20, 50, 100};
    for (size_t c = 0; c < 5; c++) {
        int n = counts[c], top = 0;
        for (int i = 0; i < n; i++) {
            double lower, upper;
            leverage_stratum(i, n, &lower, &upper);
            top += upper <= 0.01 * (1.0 + 1e-12);
        }
        assert_int_equal(top, n / 2);
    }
}

/* With 20: tenths of two decades from 1 to 1 %, then ninths of two decades to 1e-4, then 0. */
static void strata_are_spaced_by_equal_ratios(void **state)
{
    double lower, upper;
    for (int i = 0; i < 10; i++) {
        leverage_stratum(i, 20, &lower, &upper);
        assert_near(lower / upper, pow(10.0, -0.2), 1e-12);
    }
    for (int i = 10; i < 19; i++) {
        leverage_stratum(i, 20, &lower, &upper);
        assert_near(lower / upper, pow(10.0, -2.0 / 9.0), 1e-12);
    }
    leverage_stratum(19, 20, &lower, &upper);
    assert_near(upper, 1e-4, 1e-16);
    assert_true(lower == 0.0);
}

/* Mean leverage of a cut Pareto with alpha 1: ln(max/min)/(1/min - 1/max) = ln 150/(1 - 1/150). */
static void strata_add_up_to_the_mean_leverage_of_the_stock(void **state)
{
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_PARETO);
    make(&leverage, &params);
    double expected = log(150.0) / (1.0 - 1.0 / 150.0), sum = 0.0;
    int n = 2000;
    for (int i = 0; i < n; i++) {
        double lower, upper;
        leverage_stratum(i, n, &lower, &upper);
        sum += (upper - lower) * draw_below(&leverage, 0.5 * (lower + upper), 150.0);
    }
    print_message("mean leverage %.5f, theory %.5f\n", sum, expected);
    assert_near(sum, expected, 1e-4 * expected);
}

static void a_100x_position_lives_a_tenth_as_long_as_an_unlevered_one(void **state)
{
    static const double exponents[] = {0.0, 0.5, 1.0, 0.75};
    for (size_t i = 0; i < 4; i++) {
        double ratio = leverage_hazard(100.0, exponents[i]) / leverage_hazard(1.0, exponents[i]);
        assert_near(ratio, pow(100.0, exponents[i]), 1e-9);
    }
}

/* Opens of every bar ~ stock * hazard; closings take each position at a rate ~ hazard. Whatever the
   book held before, what stands after many bars is the stock. */
static void opens_weighted_by_hazard_rebuild_the_stock(void **state)
{
    enum { N = 400, BARS = 4000 };
    struct leverage leverage;
    struct leverage_params params = params_of(LEVERAGE_KIND_PARETO);
    make(&leverage, &params);
    double x[N], opens[N], survives[N], book[N] = {0};
    for (int i = 0; i < N; i++) {
        double lower, upper;
        leverage_stratum(i, N, &lower, &upper);
        x[i] = draw_below(&leverage, 0.5 * (lower + upper), 150.0);
        opens[i] = (upper - lower) * leverage_hazard(x[i], leverage.params.hazard_exponent);
        survives[i] = exp(-0.003 * leverage_hazard(x[i], leverage.params.hazard_exponent));
    }
    for (int bar = 0; bar < BARS; bar++)
        for (int i = 0; i < N; i++)
            book[i] = (book[i] + opens[i]) * survives[i];
    double total = 0.0, above_10 = 0.0, above_50 = 0.0;
    double opened = 0.0, opened_above_10 = 0.0;
    for (int i = 0; i < N; i++) {
        total += book[i];
        opened += opens[i];
        above_10 += x[i] > 10.0 ? book[i] : 0.0;
        above_50 += x[i] > 50.0 ? book[i] : 0.0;
        opened_above_10 += x[i] > 10.0 ? opens[i] : 0.0;
    }
    print_message("above 10x: %.2f %% of the stock, %.2f %% of the opens\n",
                  100.0 * above_10 / total, 100.0 * opened_above_10 / opened);
    /* (1/10 - 1/150)/(1 - 1/150), and for 50x; among opens L^(1/2) shifts the exponent by a half:
       (10^-.5 - 150^-.5)/(1 - 150^-.5) */
    assert_near(above_10 / total, 0.0939597, 0.002);
    assert_near(above_50 / total, 0.0134228, 0.0005);
    assert_near(opened_above_10 / opened, 0.255437, 0.004);
}

struct bad_params {
    const char *what, *message;
    struct leverage_params params;
};

static void parameters_without_a_distribution_are_refused(void **state)
{
    struct leverage_params good = params_of(LEVERAGE_KIND_PARETO);
    struct bad_params bad[13];
    for (size_t i = 0; i < 13; i++)
        bad[i].params = good;
#define BAD(index, text, part, member, value) \
    bad[index].what = text, bad[index].message = part, bad[index].params.member = value
    BAD(0, "alpha 0", "alpha 0", alpha, 0.0);
    BAD(1, "alpha is no number", "alpha", alpha, NAN);
    BAD(2, "minimum below 1", "minimum 0.5", minimum, 0.5);
    BAD(3, "maximum below the minimum", "maximum 0.9", maximum, 0.9);
    BAD(4, "unknown model", "unknown model", kind, (enum leverage_kind)9);
    BAD(5, "hazard is no number", "hazard exponent", hazard_exponent, NAN);
    BAD(6, "sigma 0", "sigma 0", sigma, 0.0);
    BAD(7, "nothing below the maximum", "nothing below", mu, 100.0);
    BAD(8, "tail share above 1", "tail share 1.5", tail_share, 1.5);
    BAD(9, "tail from above the maximum", "tail from 200", tail_from, 200.0);
    BAD(10, "no tiers", "0 leverage tiers", tier_count, 0);
    BAD(11, "negative weight", "leverage tier 2", tier_weight[1], -1.0);
    BAD(12, "minimum above BitMEX's maximum", "minimum 120", minimum, 120.0);
#undef BAD
    bad[12].params.kind = LEVERAGE_KIND_BITMEX_2019;
    bad[6].params.kind = bad[7].params.kind = LEVERAGE_KIND_LOGNORMAL;
    bad[8].params.kind = bad[9].params.kind = LEVERAGE_KIND_LOGNORMAL_TAIL;
    bad[10].params.kind = bad[11].params.kind = LEVERAGE_KIND_TIERS;
    for (size_t i = 0; i < 13; i++) {
        struct leverage leverage;
        struct error err = {0};
        int code = leverage_init(&leverage, &bad[i].params, &err);
        if (code != ERROR_SCENARIO || strstr(err.message, bad[i].message) == NULL)
            fail_msg("%s: code %d, message '%s'", bad[i].what, code, err.message);
    }
}

static void tiers_of_no_weight_are_refused(void **state)
{
    struct leverage_params params = params_of(LEVERAGE_KIND_TIERS);
    struct leverage leverage;
    struct error err = {0};
    memset(params.tier_weight, 0, sizeof params.tier_weight);
    assert_int_equal(leverage_init(&leverage, &params, &err), ERROR_SCENARIO);
    assert_non_null(strstr(err.message, "every weight is 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_alpha_one_nine_percent_of_oi_is_above_10x),
        cmocka_unit_test(a_pareto_begins_at_its_minimum),
        cmocka_unit_test(a_pareto_survival_is_a_power_law),
        cmocka_unit_test(hyperliquid_holds_36_percent_below_3x_and_48_from_3x_to_7x),
        cmocka_unit_test(a_log_uniform_tail_adds_its_share),
        cmocka_unit_test(bitmex_longs_had_22x_and_shorts_30x),
        cmocka_unit_test(a_cut_bitmex_law_keeps_its_odds),
        cmocka_unit_test(only_bitmex_tells_longs_from_shorts),
        cmocka_unit_test(every_model_has_its_row),
        cmocka_unit_test(survival_falls_from_one_to_zero),
        cmocka_unit_test(draws_invert_the_survival_of_the_stock_below_a_cap),
        cmocka_unit_test(draws_stay_between_the_minimum_and_the_cap),
        cmocka_unit_test(a_cap_of_one_leaves_one),
        cmocka_unit_test(alpha_one_is_the_limit_of_its_neighbours),
        cmocka_unit_test(tiers_are_point_masses_of_their_weights),
        cmocka_unit_test(tiers_above_the_cap_are_removed),
        cmocka_unit_test(strata_cover_the_stock_without_gap_or_overlap),
        cmocka_unit_test(half_of_the_strata_lie_in_the_top_percent),
        cmocka_unit_test(strata_are_spaced_by_equal_ratios),
        cmocka_unit_test(strata_add_up_to_the_mean_leverage_of_the_stock),
        cmocka_unit_test(a_100x_position_lives_a_tenth_as_long_as_an_unlevered_one),
        cmocka_unit_test(opens_weighted_by_hazard_rebuild_the_stock),
        cmocka_unit_test(parameters_without_a_distribution_are_refused),
        cmocka_unit_test(tiers_of_no_weight_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
