/*
 * Oracle 7, from the other end: reverse stress finds the folds of closed forms 4 and 5, the
 * smallest shock after which a cascade feeds itself, to 1e-6.
 *
 * First the search alone, over the fixed point of a density; then the whole path that the command
 * takes, over a book of positions with given liquidation prices. A density becomes levels that hold
 * the coins of one cell each and lie `place` of it into the cell: the avalanche goes on at level k
 * when the shock reaches x_k less the impact of those before it (form 2), which is largest at the
 * fold: there it is D* + place times the impact of one cell, as the next cell's coins push at the
 * fold with slope 1. Holders at the lower ends of their cells fold where the density does.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/study/solve.h"
#include "tests/scenarios/scratch.h"
#include "tests/support/near.h"

#define TOLERANCE 1e-6
#define PRICE 60000.0

/* ---- the search over a density ----------------------------------------------------------------
 */

/* Coins up to a distance, and the impact of coins. */
struct density {
    double slope;         /* form 4: A; the density is A x */
    double level;         /* form 5: h; the density is h */
    double end;           /* nobody lies beyond */
    double factor, gamma; /* impact: factor * coins^gamma */
};

static double coins_within(const struct density *self, double distance)
{
    double x = fmin(distance, self->end);
    return self->level * x + 0.5 * self->slope * x * x;
}

/* Share of all coins that a shock liquidates: wave after wave, to the least fixed point. */
static double liquidated_share(const struct density *self, double shock)
{
    double at = shock, next;
    for (;; at = next) {
        next = shock + self->factor * pow(coins_within(self, at), self->gamma);
        if (next - at < 1e-14 || next > self->end)
            break;
    }
    return coins_within(self, next) / coins_within(self, self->end);
}

static int look(void *context, struct search_probe *probes, size_t count, struct error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++) {
        probes[i].number = liquidated_share(context, -probes[i].value);
        probes[i].answer = probes[i].number >= 0.7 ? SEARCH_HOLDS : SEARCH_FAILS;
    }
    return ERROR_NONE;
}

static void expect_fold(const char *what, struct density *density, double expected)
{
    const size_t parts[] = {2, 8};
    double values[17];
    for (int k = 0; k < 2; k++) {
        struct search search;
        struct search_rule rule = {.tolerance = 1e-9, .parts = parts[k]};
        size_t count = search_spread(0.0, -0.1, 17, &rule, values);
        assert_int_equal(search_run(&search, 1, values, count, &rule, look, density, NULL), 0);
        print_message("  %s: %.9f, closed form %.9f: off by %.1e\n", what, -search.above.value,
                      expected, -search.above.value - expected);
        assert_int_equal(search.status, SEARCH_FOUND);
        assert_int_equal(search.crossings, 1);
        assert_near(-search.above.value, expected, 1e-8);
        assert_near(-search.below.value, expected, 1e-8);
    }
}

static void the_search_finds_the_fold_of_a_rising_density(void **state)
{
    const double products[] = {6.0, 10.0, 35.0}; /* lambda A */
    for (int i = 0; i < 3; i++) {
        struct density density = {
            .slope = 5e7, .end = 2.0 / products[i], .factor = products[i] / 5e7, .gamma = 1.0};
        expect_fold("form 4", &density, 1.0 / (2.0 * products[i]));
    }
}

static double convex_delta(double gamma, double b)
{
    return pow(gamma * b, -1.0 / (gamma - 1.0));
}

static void the_search_finds_the_fold_of_convex_impact(void **state)
{
    const double gammas[] = {1.5, 2.4}, bs[] = {3.0, 40.0};
    for (int i = 0; i < 2; i++) {
        double delta = convex_delta(gammas[i], bs[i]);
        struct density density = {.level = 1e7,
                                  .end = 2.0 * delta,
                                  .factor = bs[i] / pow(1e7, gammas[i]),
                                  .gamma = gammas[i]};
        expect_fold("form 5", &density, delta * (1.0 - 1.0 / gammas[i]));
    }
}

/* ---- the whole path ---------------------------------------------------------------------------
 */

#define TEXT                                                               \
    "format: 1\n"                                                          \
    "symbol: BTCUSDT\n"                                                    \
    "time: {start: 2024-03-01T00:00Z, end: 2024-03-01T04:00Z, step: 1h}\n" \
    "data:\n"                                                              \
    "  price: {path: price.csv, format: ohlcv_ms}\n"                       \
    "  on: {stale: accept}\n"                                              \
    "path: {model: shock, at: 2024-03-01T01:00Z, move_log: %s}\n"          \
    "book: {positions_from: positions.csv}\n"                              \
    "venues: [{name: flat, oi_share: 1, rules: flat, flat_rate: 0.004, flat_max_leverage: 100}]\n"

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
    for (int i = 0; i <= 4; i++)
        fprintf(price, "%lld000,60000,60000,60000,60000,1\n",
                1709251200LL + 3600LL * i); /* 2024-03-01T00:00Z */
    fclose(price);
    return 0;
}

static int remove_market(void **state)
{
    scratch_remove();
    return 0;
}

/* Longs of equal size, the k-th where `distance` has (k + place) of them; and one short. */
static void write_book(size_t count, double coins, double place,
                       double (*distance)(double coins, const void *context), const void *context)
{
    FILE *file = scratch_stream("positions.csv");
    fputs("venue,side,entry_price,size_coins,liquidation_price,leverage\n", file);
    for (size_t k = 0; k < count; k++) {
        double x = fmax(distance(((double)k + place) * coins, context), 1e-9);
        fprintf(file, "flat,long,60000,%.17g,%.17g,\n", coins, PRICE * exp(-x));
    }
    fprintf(file, "flat,short,60000,%.17g,,1\n", (double)count * coins);
    fclose(file);
}

/* Asks the scenario with a shock and the lines `more`. */
static void solve_text_at(struct solve *out, const char *shock, const char *more, const char *key,
                          const char *range)
{
    char whole[2048], path[SCRATCH_PATH_SIZE];
    struct error_list errors = {0};
    struct error err = {0};
    struct question question;
    const struct question_words words = {.key = key,
                                         .range = range,
                                         .until = "liquidated_share_of_oi >= 0.7",
                                         .points = QUESTION_POINTS};
    int length = snprintf(whole, sizeof whole, TEXT, shock);
    snprintf(whole + length, sizeof whole - (size_t)length, "%s", more);
    scratch_file("scenario.yaml", whole, path);
    int code = question_read(&question, &words, &err);
    if (code == ERROR_NONE)
        code = solve_init(out, &question, path, NULL, 0, -1, &errors, &err);
    if (code == ERROR_NONE)
        code = solve_run(out, &err);
    scratch_print(&errors);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    error_list_free(&errors);
}

static void solve_text(struct solve *out, const char *more, const char *key, const char *range)
{
    solve_text_at(out, "0", more, key, range);
}

static void expect_answer(const struct solve *solve, size_t draw, const char *what, double expected,
                          double tolerance)
{
    const struct solve_row *row = &solve->rows[draw];
    print_message("  %s: %.9f, expected %.9f: off by %.1e (%zu looks)\n", what, row->value,
                  expected, row->value - expected, solve->probe_count);
    assert_string_equal(row->status, "found");
    assert_near(row->crossings, 1.0, 0.0);
    assert_near(row->value, expected, tolerance);
    assert_near(row->below, expected, tolerance);
    assert_true(fabs(row->above - row->below) <= solve->question.tolerance);
    assert_true(row->metric_below < 0.7 && row->metric_above >= 0.7);
}

/* ---- form 4 -----------------------------------------------------------------------------------
 */

#define SLOPE 5e7 /* A, coins per squared log */

/* Where the density A x holds so many coins. */
static double rising_distance(double coins, const void *context)
{
    (void)context;
    return sqrt(2.0 * coins / SLOPE);
}

/* The field ends at twice the fold of lambda A = 10; 1000 coins move the price by `lambda` * 1000.
 */
static double write_rising(size_t count, double place)
{
    double coins = 0.5 * SLOPE * 0.2 * 0.2 / (double)count;
    write_book(count, coins, place, rising_distance, NULL);
    return coins;
}

#define LINEAR                                                                             \
    "impact: {model: linear, permanent_share: 1, half_life: none, reference_coins: 1000, " \
    "depth: {model: constant}, reference_move_log: %s}\n"

static void solve_finds_the_fold_of_a_rising_density(void **state)
{
    const size_t counts[] = {5000, 20000};
    char more[512];
    snprintf(more, sizeof more, LINEAR, "2e-4");
    for (int i = 0; i < 2; i++)
        for (int half = 0; half <= 1; half++) {
            struct solve solve;
            double place = 0.5 * half, cell = 2e-7 * write_rising(counts[i], place);
            solve_text(&solve, more, "path.move_log", "0:-0.11");
            expect_answer(&solve, 0, half ? "form 4, mid-cell" : "form 4", -(0.05 + place * cell),
                          TOLERANCE);
            solve_free(&solve);
        }
}

/* The same fold by another key: a shock of .04 runs away once lambda is 1 / (2 A .04). */
static void solve_finds_the_impact_at_which_a_shock_folds(void **state)
{
    struct solve solve;
    char more[512];
    double lambda = 1.0 / (2.0 * SLOPE * 0.04);
    write_rising(20000, 0.0);
    snprintf(more, sizeof more, LINEAR, "2e-4");
    solve_text_at(&solve, "-0.04", more, "impact.reference_move_log", "1e-5:1e-3");
    expect_answer(&solve, 0, "form 4, in lambda", 1000.0 * lambda, 1e-8);
    solve_free(&solve);
}

/* Each draw of an uncertain impact has the fold of its own lambda. */
static void solve_finds_the_fold_of_each_draw(void **state)
{
    enum { DRAWS = 6 };
    struct solve solve;
    char more[512];
    write_rising(20000, 0.0);
    snprintf(more, sizeof more,
             LINEAR "uncertainty: {draws: 6, parameters: {impact.reference_move_log: {uniform: "
                    "[2e-4, 4e-4]}}}\n",
             "2e-4");
    solve_text(&solve, more, "path.move_log", "0:-0.11");
    assert_int_equal(solve.points.draws, DRAWS);
    double sum = 0.0;
    for (size_t d = 0; d < DRAWS; d++) {
        struct sweep_setting drawn;
        assert_int_equal(sweep_points_draw(&solve.points, d, &drawn), 1);
        double fold = 1.0 / (2.0 * SLOPE * strtod(drawn.value, NULL) / 1000.0);
        expect_answer(&solve, d, "form 4, a draw", -fold, TOLERANCE);
        sum += solve.rows[d].value;
    }
    assert_near(solve.rows[DRAWS].value, sum / DRAWS, 1e-15);
    assert_near(solve.rows[DRAWS].never_share, 0.0, 0.0);
    solve_free(&solve);
}

/* ---- form 5 -----------------------------------------------------------------------------------
 */

#define LEVEL 1e7 /* h, coins per log */

static double even_distance(double coins, const void *context)
{
    (void)context;
    return coins / LEVEL;
}

/* Impact b x^gamma of the coins within x: h / 100 coins move the price by b / 100^gamma. */
static void solve_finds_the_fold_of_convex_impact(void **state)
{
    enum { COUNT = 20000 };
    const double gammas[] = {1.5, 2.4}, bs[] = {3.0, 40.0};
    for (int i = 0; i < 2; i++)
        for (int half = 0; half <= 1; half++) {
            struct solve solve;
            char more[512];
            double delta = convex_delta(gammas[i], bs[i]), width = 2.0 * delta / COUNT;
            write_book(COUNT, LEVEL * width, 0.5 * half, even_distance, NULL);
            snprintf(more, sizeof more,
                     "impact: {model: power, gamma: %.17g, permanent_share: 0, half_life: none, "
                     "reference_coins: %.17g, depth: {model: constant}, reference_move_log: "
                     "%.17g}\n",
                     gammas[i], LEVEL / 100.0, bs[i] * pow(100.0, -gammas[i]));
            solve_text(&solve, more, "path.move_log", "0:-0.11");
            expect_answer(&solve, 0, half ? "form 5, mid-cell" : "form 5",
                          -(delta * (1.0 - 1.0 / gammas[i]) + 0.5 * half * width), TOLERANCE);
            solve_free(&solve);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_the_fold_of_a_rising_density),
        cmocka_unit_test(the_search_finds_the_fold_of_convex_impact),
        cmocka_unit_test(solve_finds_the_fold_of_a_rising_density),
        cmocka_unit_test(solve_finds_the_impact_at_which_a_shock_folds),
        cmocka_unit_test(solve_finds_the_fold_of_each_draw),
        cmocka_unit_test(solve_finds_the_fold_of_convex_impact),
    };
    return cmocka_run_group_tests(tests, write_market, remove_market);
}
