/*
 * Traders against a pool: what the imbalance costs by the linear and the cubic rule, and whom it
 * liquidates, through whole runs along a price that never moves. Oracle 13: an isolated long at
 * leverage L and maintenance rate m is liquidated by funding f after k = (1/L - m)/f payments.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/scenarios/scratch.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

enum { STEPS = 180, STEP_H = 8 };

static const double PLACE = 60000.0, LONGS = 300.0, SHORTS = 100.0, MAX_RATE = 0.003;
static const int64_t START_S = 1709251200; /* 2024-03-01T00:00Z */

static const char text[] =
    "format: 1\n"
    "symbol: BTCUSDT\n"
    "time: {start: 2024-03-01T00:00Z, end: 2024-04-30T00:00Z, step: 8h}\n"
    "data:\n"
    "  price: {path: price.csv, format: ohlcv_ms}\n"
    "  on: {stale: accept}\n"
    "book: {positions_from: positions.csv}\n"
    "venues: [{name: pool, oi_share: 1, rules: flat, flat_rate: 0.004, flat_max_leverage: 100}]\n"
    "impact: {model: none}\n"
    "funding: {interval: 8h, max_rate: 0.003, cap: 0.003}\n";

static FILE *scratch_stream(const char *name)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file(name, "", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static int write_market(void **state)
{
    FILE *price = scratch_stream("price.csv");
    fputs("timestamp_ms,open,high,low,close,volume\n", price);
    for (int i = 0; i <= STEPS; i++)
        fprintf(price, "%lld000,60000,60000,60000,60000,1\n",
                (long long)(START_S + i * STEP_H * 3600));
    fclose(price);
    return 0;
}

static int remove_market(void **state)
{
    scratch_remove();
    return 0;
}

/* One coin of the longs, or of the shorts, at `leverage`; the rest at 1x. */
static void write_positions(const char *side, double leverage)
{
    FILE *file = scratch_stream("positions.csv");
    bool is_long = side[0] == 'l';
    fputs("venue,side,entry_price,size_coins,leverage\n", file);
    fprintf(file, "pool,%s,60000,1,%.17g\n", side, leverage);
    fprintf(file, "pool,long,60000,%.17g,1\n", LONGS - is_long);
    fprintf(file, "pool,short,60000,%.17g,1\n", SHORTS - !is_long);
    fclose(file);
}

/* ---- linear against cubic ------------------------------------------------------------------- */

struct charged {
    double utilisation, rate;
};

/* What the larger side pays, full imbalance being such that the book's is `u` of it. */
static struct charged charge(const char *model, double u)
{
    struct whole_run run;
    char limit[64];
    snprintf(limit, sizeof limit, "funding.limit_usd=%.17g", (LONGS - SHORTS) * PLACE / u);
    whole_run_text(&run, text, WHOLE_RUN_SETS(model, limit));
    const struct metrics_step *steps = run.tables.steps;
    struct charged out = {steps[0].utilisation, steps[1].funding_rate};
    assert_int_equal(run.tables.step_count, STEPS);
    assert_near(steps[0].funding_rate, 0.0, 0.0); /* nothing was seen yet */
    assert_near(steps[2].funding_rate, out.rate, 0.0);
    assert_near(run.tables.summary->utilisation_max, fabs(out.utilisation), 1e-12);
    whole_run_free(&run);
    return out;
}

static void the_cubic_pool_is_cheaper_and_steepens_towards_the_cap(void **state)
{
    struct charged linear_before = {0}, cubic_before = {0};
    write_positions("long", 2.0);
    for (int k = 1; k <= 20; k++) {
        double u = 0.05 * k;
        struct charged linear = charge("funding.model=linear", u);
        struct charged cubic = charge("funding.model=cubic", u);
        assert_near(linear.utilisation, u, 1e-12);
        assert_near(cubic.utilisation, u, 1e-12);
        assert_near(linear.rate, MAX_RATE * u, 1e-15);
        assert_near(cubic.rate, MAX_RATE * u * u * u, 1e-15);
        if (u <= 0.5) /* at a half, a quarter of the linear rate */
            assert_true(cubic.rate <= 0.25 * linear.rate * (1.0 + 1e-9));
        double steeper = (cubic.rate - cubic_before.rate) / (linear.rate - linear_before.rate);
        if (k % 4 == 0)
            print_message("  u = %.2f: linear %.4f %%, cubic %.4f %%, growing %.2f times as fast\n",
                          u, 100.0 * linear.rate, 100.0 * cubic.rate, steeper);
        if (u < 0.55) /* slopes are equal at 1/sqrt 3 */
            assert_true(steeper < 1.0);
        if (u > 0.65)
            assert_true(steeper > 1.0);
        if (k == 20) /* 3 u^2 about the middle of the last interval, and its curvature */
            assert_near(steeper, 3.0 * 0.975 * 0.975 + 0.05 * 0.05 / 4.0, 1e-9);
        linear_before = linear;
        cubic_before = cubic;
    }
}

/* Beyond its limit an imbalance is full, and shorts pay where they are more. */
static void a_rate_is_bounded_and_has_the_sign_of_the_larger_side(void **state)
{
    static const char *const models[] = {"funding.model=linear", "funding.model=cubic"};
    for (int m = 0; m < 2; m++) {
        write_positions("long", 2.0);
        assert_near(charge(models[m], 4.0).rate, MAX_RATE, 0.0);
        FILE *file = scratch_stream("positions.csv");
        fputs("venue,side,entry_price,size_coins,leverage\n"
              "pool,long,60000,100,1\npool,short,60000,300,1\n",
              file);
        fclose(file);
        struct charged charged = charge(models[m], 0.5);
        assert_near(charged.rate, m == 0 ? -MAX_RATE / 2.0 : -MAX_RATE / 8.0, 1e-15);
    }
}

/* ---- whom funding liquidates ---------------------------------------------------------------- */

/* The payment at which the position at high leverage is liquidated, 0 when it is not; no other is.
 */
static int payment_that_liquidates(const char *const sets[])
{
    struct whole_run run;
    int payments = 0, found = 0;
    whole_run_text(&run, text, sets);
    for (size_t i = 0; i < run.tables.step_count; i++) {
        const struct metrics_step *step = &run.tables.steps[i];
        payments += step->funding_rate != 0.0;
        if (found == 0 && step->liquidated_long_positions + step->liquidated_short_positions > 0)
            found = payments;
    }
    assert_int_equal(run.tables.summary->liquidated_positions, found > 0 ? 1 : 0);
    whole_run_free(&run);
    return found;
}

/* The same rate every eight hours; `set` makes a scenario read it. */
static void write_funding(double rate, char set[SCRATCH_PATH_SIZE + 256])
{
    char path[SCRATCH_PATH_SIZE];
    FILE *file = scratch_stream("funding.csv");
    fputs("time,rate\n", file);
    for (int i = 0; i < STEPS; i++)
        fprintf(file, "%lld,%.17g\n", (long long)(START_S + i * STEP_H * 3600), rate);
    fclose(file);
    snprintf(path, sizeof path, "%s/funding.csv", scratch_folder());
    snprintf(set, SCRATCH_PATH_SIZE + 256,
             "data.funding={path: %s, format: generic, time: {column: time, as: unix_s}, columns: "
             "{rate: rate}, unit: fraction, interval: 8h}",
             path);
}

static int payment_at(double rate)
{
    char set[SCRATCH_PATH_SIZE + 256];
    write_funding(rate, set);
    return payment_that_liquidates(WHOLE_RUN_SETS(set));
}

/* (1/50 - 0.4 %) / 0.01 % = 160: a hair more is enough by then, a hair less is not. */
static void a_rate_of_a_hundredth_of_a_percent_liquidates_at_the_160th_payment(void **state)
{
    write_positions("long", 50.0);
    assert_int_equal(payment_at(0.0001 * (1.0 + 1e-9)), 160);
    assert_int_equal(payment_at(0.0001 * (1.0 - 1e-9)), 161);
    assert_int_equal(payment_at(-0.0001), 0); /* is paid */
    write_positions("short", 50.0);
    assert_int_equal(payment_at(0.0001), 0);
    assert_int_equal(payment_at(-0.0001 * (1.0 + 1e-9)), 160);
    assert_int_equal(payment_at(-0.0001 * (1.0 - 1e-9)), 161);
}

static void a_pool_liquidates_at_the_payment_that_its_rate_says(void **state)
{
    static const struct {
        const char *model;
        double u, leverage;
    } cases[] = {{"funding.model=linear", 1.0 / 30.0, 50.0}, {"funding.model=linear", 0.4, 20.0},
                 {"funding.model=linear", 0.4, 50.0},        {"funding.model=cubic", 0.4, 50.0},
                 {"funding.model=cubic", 0.6, 20.0},         {"funding.model=cubic", 0.95, 20.0},
                 {"funding.model=cubic", 0.95, 5.0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double u = cases[i].u * (1.0 + 1e-9);
        double rate = MAX_RATE * (cases[i].model[14] == 'l' ? u : u * u * u);
        int expected = (int)ceil((1.0 / cases[i].leverage - 0.004) / rate);
        char limit[64];
        snprintf(limit, sizeof limit, "funding.limit_usd=%.17g", (LONGS - SHORTS) * PLACE / u);
        write_positions("long", cases[i].leverage);
        int payment = payment_that_liquidates(WHOLE_RUN_SETS(cases[i].model, limit));
        print_message("  %s, u = %.3f, %gx: %.5f %%, payment %d\n", cases[i].model + 14, cases[i].u,
                      cases[i].leverage, 100.0 * rate, payment);
        assert_int_equal(payment, expected);
    }
}

/* ---- a drawn book --------------------------------------------------------------------------- */

/* The scenario that ships: the rate paid is that of the imbalance before it, every eight hours. */
static void expect_rates(const char *model, double power)
{
    struct whole_run run;
    int payments = 0;
    whole_run_shipped(&run, "pool-funding", WHOLE_RUN_SETS(model, "replicates=1"));
    const struct scenario *scenario = &run.scenario;
    double lowest = INFINITY, highest = -INFINITY;
    for (size_t i = 1; i < run.tables.step_count; i++) {
        const struct metrics_step *step = &run.tables.steps[i];
        double u = run.tables.steps[i - 1].utilisation;
        lowest = fmin(lowest, u);
        highest = fmax(highest, u);
        bool due = step->time_ms % scenario->funding.interval_ms == 0;
        double expected = due ? copysign(pow(fabs(u), power), u) * scenario->funding.max_rate : 0.0;
        assert_near(step->funding_rate, expected, 1e-15);
        payments += due;
    }
    print_message("  %s: u from %.3f to %.3f, rates from %.5f %% to %.5f %%\n", model, lowest,
                  highest, 100.0 * run.tables.summary->funding_rate_min,
                  100.0 * run.tables.summary->funding_rate_max);
    assert_true(payments > 4);
    assert_true(lowest > 0.0 && highest < 1.0 && highest > 1.2 * lowest);
    whole_run_free(&run);
}

static void the_shipped_pool_pays_by_its_imbalance(void **state)
{
    expect_rates("funding.model=linear", 1.0);
    expect_rates("funding.model=cubic", 3.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cubic_pool_is_cheaper_and_steepens_towards_the_cap),
        cmocka_unit_test(a_rate_is_bounded_and_has_the_sign_of_the_larger_side),
        cmocka_unit_test(a_rate_of_a_hundredth_of_a_percent_liquidates_at_the_160th_payment),
        cmocka_unit_test(a_pool_liquidates_at_the_payment_that_its_rate_says),
        cmocka_unit_test(the_shipped_pool_pays_by_its_imbalance),
    };
    return cmocka_run_group_tests(tests, write_market, remove_market);
}
