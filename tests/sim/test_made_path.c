/*
 * A made path takes over from the observed market at path.at: where it begins, what it knows of the
 * market, and that a run along it is each replicate's own, whatever the number of threads.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "sim/made_path.h"
#include "sim/run.h"
#include "tests/scenarios/scratch.h"
#include "tests/support/near.h"

/* ---- paths on a market made by hand --------------------------------------------------------- */

enum { BARS = 400, AT_BAR = 300, END_BAR = 500 };
static const int64_t STEP = CALENDAR_MINUTE_MS;
static const double RATIO = 0.999; /* mark over last */

struct hand {
    double open[BARS], high[BARS], low[BARS], close[BARS];
    double mark[4][BARS];
    struct market market;
    struct scenario scenario;
    struct path path;
};

/* Returns of 1e-4 up and down in turn until AT_BAR, ten times as large after it. */
static void hand_make(struct hand *self)
{
    double price = 50000.0;
    memset(self, 0, sizeof *self);
    for (int i = 0; i < BARS; i++) {
        double move = (i % 2 == 0 ? 1e-4 : -1e-4) * (i < AT_BAR ? 1.0 : 10.0);
        self->open[i] = price;
        self->close[i] = price *= exp(move);
        self->high[i] = fmax(self->open[i], price);
        self->low[i] = fmin(self->open[i], price);
        for (int k = 0; k < 4; k++)
            self->mark[k][i] =
                RATIO * (double[]){self->open[i], self->high[i], self->low[i], self->close[i]}[k];
    }
    self->market = (struct market){.step_ms = STEP, .bars = BARS};
    self->market.last = (struct market_bars){self->open, self->high, self->low, self->close};
    self->market.mark =
        (struct market_bars){self->mark[0], self->mark[1], self->mark[2], self->mark[3]};
    self->path = (struct path){.market = &self->market};
    self->scenario.path_name = (char *)"hand.yaml";
    self->scenario.seed = 8;
    self->scenario.time.end_ms = END_BAR * STEP;
    self->scenario.path.model = PATH_GBM;
    self->scenario.path.shock_at_ms = AT_BAR * STEP;
    self->scenario.path.volatility_per_year = NAN;
}

static struct path taken_over(const struct hand *self, uint32_t replicate, struct made_path *made)
{
    struct price_path_params params;
    struct path path = {0};
    struct error err = {0};
    if (made_path_fit(&self->scenario, &self->market, &params, &err) != ERROR_NONE ||
        made_path_init(made, &self->scenario, &params, &self->path, replicate, &path, &err) !=
            ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
    return path;
}

static void the_path_is_observed_until_it_begins(void **state)
{
    struct hand hand;
    struct made_path made;
    hand_make(&hand);
    struct path path = taken_over(&hand, 0, &made);
    for (size_t bar = 0; bar < AT_BAR; bar++) {
        struct path_bar is = path_bar_at(&path, bar), observed = path_bar_at(&hand.path, bar);
        assert_memory_equal(&is, &observed, sizeof is);
    }
    struct path_bar first = path_bar_at(&path, AT_BAR);
    assert_near(first.last[0], hand.close[AT_BAR - 1], 0.0);
    assert_true(first.last[PATH_NODES - 1] != hand.close[AT_BAR]);
    made_path_free(&made);
}

static void bars_go_on_from_each_other_to_the_end_and_the_mark_goes_along(void **state)
{
    struct hand hand;
    struct made_path made;
    hand_make(&hand);
    struct path path = taken_over(&hand, 0, &made);
    for (size_t bar = AT_BAR; bar < END_BAR; bar++) {
        struct path_bar is = path_bar_at(&path, bar), before = path_bar_at(&path, bar - 1);
        assert_near(is.last[0], before.last[PATH_NODES - 1], 0.0);
        for (int node = 0; node < PATH_NODES; node++)
            assert_near(is.mark[node] / is.last[node], RATIO, 1e-15);
        /* A rising bar makes its low first. */
        assert_true(is.last[3] > is.last[0] ? is.last[1] <= is.last[2] : is.last[1] >= is.last[2]);
    }
    made_path_free(&made);
}

static void the_volatility_is_that_before_the_path_only(void **state)
{
    struct hand hand;
    struct price_path_params params;
    hand_make(&hand);
    assert_int_equal(made_path_fit(&hand.scenario, &hand.market, &params, NULL), ERROR_NONE);
    /* 299 returns of 1e-4, 525,600 minutes a year; their mean is 1e-4/299 */
    double variance = 1e-8 * 299.0 / 298.0 - 1e-8 / (299.0 * 298.0);
    assert_near(params.volatility_per_year, sqrt(variance * 525600.0), 1e-9);
}

static void a_path_from_the_first_bar_begins_at_its_open(void **state)
{
    struct hand hand;
    struct made_path made;
    hand_make(&hand);
    hand.scenario.path.shock_at_ms = 0;
    hand.scenario.path.volatility_per_year = 0.5;
    hand.market.bars = 1;
    struct path path = taken_over(&hand, 0, &made);
    assert_near(path_bar_at(&path, 0).last[0], 50000.0, 0.0);
    assert_near(path_bar_at(&path, 0).mark[0], RATIO * 50000.0, 1e-9);
    assert_near(path_bar_at(&path, END_BAR - 1).mark[3] / path_bar_at(&path, END_BAR - 1).last[3],
                RATIO, 1e-15);
    made_path_free(&made);
}

static void a_path_within_a_bar_begins_with_the_bar(void **state)
{
    struct hand hand;
    struct made_path made, within;
    hand_make(&hand);
    struct path path = taken_over(&hand, 0, &made);
    hand.scenario.path.shock_at_ms += STEP / 2;
    struct path other = taken_over(&hand, 0, &within);
    for (size_t bar = AT_BAR; bar < END_BAR; bar++) {
        struct path_bar a = path_bar_at(&path, bar), b = path_bar_at(&other, bar);
        assert_memory_equal(&a, &b, sizeof a);
    }
    made_path_free(&made);
    made_path_free(&within);
}

static void an_observed_path_and_a_shock_are_left_alone(void **state)
{
    struct hand hand;
    struct made_path made;
    hand_make(&hand);
    for (int model = PATH_OBSERVED; model <= PATH_SHOCK; model++) {
        struct price_path_params params = {0};
        struct path path;
        hand.scenario.path.model = model;
        assert_false(made_path_wanted(&hand.scenario));
        assert_int_equal(made_path_init(&made, &hand.scenario, &params, &hand.path, 0, &path, NULL),
                         ERROR_NONE);
        assert_null(path.made);
        assert_null(made.bars.open);
    }
}

static void errors_name_the_scenario_and_memory_is_given_back(void **state)
{
    struct hand hand;
    struct made_path made;
    struct price_path_params params;
    struct path path;
    struct error err = {0};
    hand_make(&hand);
    hand.scenario.path.shock_at_ms = 10 * STEP;
    assert_int_equal(made_path_fit(&hand.scenario, &hand.market, &params, &err), ERROR_DATA);
    assert_string_equal(err.file, "hand.yaml");
    hand.scenario.path.volatility_per_year = -1.0;
    assert_int_equal(made_path_fit(&hand.scenario, &hand.market, &params, &err), ERROR_NONE);
    assert_int_equal(made_path_init(&made, &hand.scenario, &params, &hand.path, 0, &path, &err),
                     ERROR_SCENARIO);
    assert_string_equal(err.file, "hand.yaml");
    assert_string_equal(err.key, "path.volatility");
    memory_fail_after(1);
    int code = made_path_init(&made, &hand.scenario, &params, &hand.path, 0, &path, &err);
    memory_fail_after(0);
    assert_int_equal(code, ERROR_IO);
}

/* ---- runs --------------------------------------------------------------------------------- */

enum { MARKET_BARS = 600, STEP_S = 60 };
static const int64_t FIRST_S = 1709251200; /* 2024-03-01T00:00Z */

/* Funding of 0.1 % falls due every hour, also in data after path.at, where it may not reach. */
static const char scenario_text[] =
    "format: 1\n"
    "symbol: BTCUSDT\n"
    "seed: 11\n"
    "replicates: 4\n"
    "time: {warmup: 2024-03-01T00:00Z, start: 2024-03-01T06:00Z, end: 2024-03-01T12:00Z, step: "
    "1m}\n"
    "data:\n"
    "  price: {path: price.csv, format: ohlcv_ms}\n"
    "  funding: {path: funding.csv, format: generic, time: {column: time, as: unix_s}, columns: "
    "{rate: rate}, unit: fraction, interval: 1h}\n"
    "  oi: {path: oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, "
    "unit: coins}\n"
    "path: {model: gbm, volatility: 1.5, at: 2024-03-01T07:00Z}\n"
    "oi: {levels_usd: [1e9, 2e9]}\n"
    "book: {positions_per_bar: 20}\n"
    "impact: {reference_coins: 2000}\n"
    "output: [summary, steps]\n";

static FILE *scratch_stream(const char *name, const char *heading)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file(name, "", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(heading, file);
    return file;
}

/* Observed until 10:00 only: a run to 12:00 needs nothing after path.at. */
static int write_market(void **state)
{
    FILE *price = scratch_stream("price.csv", "timestamp_ms,open,high,low,close,volume\n");
    FILE *oi = scratch_stream("oi.csv", "time,oi\n");
    FILE *funding = scratch_stream("funding.csv", "time,rate\n");
    double before = 60000.0;
    for (int i = 0; i <= MARKET_BARS; i++) {
        long long second = FIRST_S + i * STEP_S;
        double close = 60000.0 * (1.0 + 0.004 * sin(i / 9.0));
        fprintf(price, "%lld000,%.17g,%.17g,%.17g,%.17g,100\n", second, before,
                fmax(before, close) * 1.0004, fmin(before, close) * 0.9996, close);
        fprintf(oi, "%lld,%.17g\n", second, 50000.0 + i % 3);
        if (i % 60 == 0)
            fprintf(funding, "%lld,0.001\n", second);
        before = close;
    }
    fclose(price);
    fclose(oi);
    fclose(funding);
    return 0;
}

static int remove_market(void **state)
{
    scratch_remove();
    return 0;
}

struct ran {
    struct scenario scenario;
    struct setup setup;
    struct run_tables tables;
};

static void run_threads(struct ran *self, int threads)
{
    char path[SCRATCH_PATH_SIZE];
    struct error_list errors = {0};
    struct error err = {0};
    int before = omp_get_max_threads();
    scratch_file("scenario.yaml", scenario_text, path);
    int code = scenario_load(&self->scenario, path, NULL, 0, &errors);
    scratch_print(&errors);
    assert_int_equal(code, ERROR_NONE);
    error_list_free(&errors);
    omp_set_num_threads(threads);
    code = setup_init(&self->setup, &self->scenario, &err);
    if (code == ERROR_NONE)
        code = run_scenario(&self->setup, &self->tables, &err);
    omp_set_num_threads(before);
    if (code != ERROR_NONE)
        fail_msg("%s: %s: %s", err.file, err.key, err.message);
}

static void ran_free(struct ran *self)
{
    run_tables_free(&self->tables);
    setup_free(&self->setup);
    scenario_free(&self->scenario);
}

enum { STEPS = 360, MADE_STEP = 60, REPLICATES = 4, LEVELS = 2 };

static const struct metrics_step *step_at(const struct ran *self, int level, int replicate,
                                          int step)
{
    return &self->tables.steps[(level * REPLICATES + replicate) * STEPS + step];
}

static void a_run_goes_on_beyond_the_data_in_a_closed_loop(void **state)
{
    struct ran ran;
    run_threads(&ran, 2);
    assert_int_equal(ran.scenario.feedback, FEEDBACK_CLOSED);
    assert_int_equal(ran.setup.market.bars, 420); /* to path.at */
    assert_int_equal(ran.tables.step_count, STEPS * REPLICATES * LEVELS);
    double forced = 0.0;
    for (int r = 0; r < REPLICATES; r++) {
        for (int i = MADE_STEP; i < STEPS; i++) {
            const struct metrics_step *step = step_at(&ran, 1, r, i);
            forced += step->liquidated_long_usd + step->liquidated_short_usd;
            /* What forced orders do to the price is in it, and nothing else sets the two apart. */
            assert_near(log(step->price_close / step->exogenous_close), step->endogenous_log,
                        1e-12);
        }
        assert_true(step_at(&ran, 1, r, STEPS - 1)->endogenous_log != 0.0);
    }
    assert_true(forced > 0.0);
    ran_free(&ran);
}

static void no_observed_rate_applies_beyond_the_beginning(void **state)
{
    struct ran ran;
    double paid = 0.0;
    run_threads(&ran, 2);
    for (int i = 0; i < STEPS; i++) {
        if (i < MADE_STEP)
            paid += step_at(&ran, 0, 0, i)->funding_rate;
        else
            assert_near(step_at(&ran, 0, 0, i)->funding_rate, 0.0, 0.0);
    }
    assert_near(paid, 0.001, 1e-15); /* at 06:00 */
    ran_free(&ran);
}

static void levels_share_a_path_and_replicates_do_not(void **state)
{
    struct ran ran;
    run_threads(&ran, 2);
    for (int i = MADE_STEP; i < STEPS; i += 50) {
        double first = step_at(&ran, 0, 0, i)->exogenous_close;
        assert_near(step_at(&ran, 1, 0, i)->exogenous_close, first, 0.0);
        for (int r = 1; r < REPLICATES; r++)
            assert_true(step_at(&ran, 0, r, i)->exogenous_close != first);
    }
    for (int r = 1; r < REPLICATES; r++) /* the observed part is the same for all */
        assert_near(step_at(&ran, 0, r, MADE_STEP - 1)->price_close,
                    step_at(&ran, 0, 0, MADE_STEP - 1)->price_close, 0.0);
    ran_free(&ran);
}

static void the_number_of_threads_changes_no_byte(void **state)
{
    struct ran one, other;
    run_threads(&one, 1);
    for (int threads = 2; threads <= 7; threads += 5) {
        run_threads(&other, threads);
        assert_int_equal(one.tables.step_count, other.tables.step_count);
        for (size_t i = 0; i < one.tables.step_count; i++) {
            const struct metrics_step *a = &one.tables.steps[i], *b = &other.tables.steps[i];
            assert_memory_equal(&a->price_close, &b->price_close, sizeof a->price_close);
            assert_memory_equal(&a->liquidated_long_usd, &b->liquidated_long_usd,
                                sizeof a->liquidated_long_usd);
            assert_memory_equal(&a->oi_coins, &b->oi_coins, sizeof a->oi_coins);
        }
        ran_free(&other);
    }
    ran_free(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_is_observed_until_it_begins),
        cmocka_unit_test(bars_go_on_from_each_other_to_the_end_and_the_mark_goes_along),
        cmocka_unit_test(the_volatility_is_that_before_the_path_only),
        cmocka_unit_test(a_path_from_the_first_bar_begins_at_its_open),
        cmocka_unit_test(a_path_within_a_bar_begins_with_the_bar),
        cmocka_unit_test(an_observed_path_and_a_shock_are_left_alone),
        cmocka_unit_test(errors_name_the_scenario_and_memory_is_given_back),
        cmocka_unit_test(a_run_goes_on_beyond_the_data_in_a_closed_loop),
        cmocka_unit_test(no_observed_rate_applies_beyond_the_beginning),
        cmocka_unit_test(levels_share_a_path_and_replicates_do_not),
        cmocka_unit_test(the_number_of_threads_changes_no_byte),
    };
    return cmocka_run_group_tests(tests, write_market, remove_market);
}
