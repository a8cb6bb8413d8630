/*
 * Random price paths as bars: same address, same path; bars that are bars; parameters and histories
 * that make none. Their distributions are tested in tests/statistical/test_price_paths.c.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "models/price_path.h"
#include "tests/support/near.h"

enum { BARS = 500, HISTORY_BARS = 40 };

struct bars {
    double open[BARS], high[BARS], low[BARS], close[BARS];
};

/* A market of 40 minutes in which every bar has a return of its own. */
struct observed {
    double open[HISTORY_BARS], high[HISTORY_BARS], low[HISTORY_BARS], close[HISTORY_BARS];
};

static struct price_path_history observe(struct observed *out)
{
    double price = 50000.0;
    for (int i = 0; i < HISTORY_BARS; i++) {
        out->open[i] = price * (1.0 + 1e-5); /* a gap after every close */
        price = out->open[i] * exp((i % 2 == 0 ? 1.0 : -1.0) * 1e-4 * (1.0 + 0.1 * i));
        out->close[i] = price;
        out->high[i] = fmax(out->open[i], price) * (1.0 + 1e-4);
        out->low[i] = fmin(out->open[i], price) * (1.0 - 2e-4);
    }
    return (struct price_path_history){out->open,  out->high,    out->low,
                                       out->close, HISTORY_BARS, CALENDAR_MINUTE_MS};
}

static struct price_path_params some_params(enum price_path_kind kind)
{
    return (struct price_path_params){
        .kind = kind,
        .drift_per_year = 0.3,
        .volatility_per_year = 0.6,
        .garch_alpha = 0.08,
        .garch_beta = 0.9,
        .student_dof = 3.5,
        .jumps_per_day = 100.0,
        .jump_mean_log = -0.002,
        .jump_sigma_log = 0.003,
        .hawkes_branching = 0.6,
        .hawkes_half_life_ms = 10 * CALENDAR_MINUTE_MS,
        .block_ms = 7 * CALENDAR_MINUTE_MS,
        .point_count = 3,
        .point_ms = {100 * CALENDAR_MINUTE_MS, 250 * CALENDAR_MINUTE_MS + 20000,
                     250 * CALENDAR_MINUTE_MS + 40000},
        .point_price = {51000.0, 47000.0, 47100.0},
    };
}

static struct price_path_request some_request(const struct price_path_history *history)
{
    return (struct price_path_request){.seed = 42,
                                       .replicate = 3,
                                       .step_ms = CALENDAR_MINUTE_MS,
                                       .start_price = 50000.0,
                                       .bars = BARS,
                                       .history = *history};
}

static int make(const struct price_path_params *params, const struct price_path_request *request,
                struct bars *out, struct error *err)
{
    return price_path_make(params, request, out->open, out->high, out->low, out->close, err);
}

static void made(enum price_path_kind kind, uint64_t seed, uint32_t replicate, size_t count,
                 struct bars *out)
{
    struct observed observed;
    struct price_path_history history = observe(&observed);
    struct price_path_request request = some_request(&history);
    struct price_path_params params = some_params(kind);
    struct error err = {0};
    request.seed = seed;
    request.replicate = replicate;
    request.bars = count;
    if (make(&params, &request, out, &err) != ERROR_NONE)
        fail_msg("%s: %s %s", price_path_models[kind].name, err.key, err.message);
}

/* ---- all models ------------------------------------------------------------------------- */

static void models_are_named_as_scenarios_write_them(void **state)
{
    const char *names[] = {"gbm",    "garch",           "student_t", "merton",
                           "hawkes", "block_bootstrap", "bridge"};
    for (int kind = 0; kind < PRICE_PATH_COUNT; kind++) {
        assert_string_equal(price_path_models[kind].name, names[kind]);
        assert_true(strlen(price_path_models[kind].documentation) > 20);
        assert_true(strlen(price_path_models[kind].source) > 10);
    }
}

static void the_same_address_gives_the_same_path(void **state)
{
    for (int kind = 0; kind < PRICE_PATH_COUNT; kind++) {
        struct bars first, again, other_seed, other_replicate;
        made(kind, 42, 3, BARS, &first);
        made(kind, 42, 3, BARS, &again);
        made(kind, 43, 3, BARS, &other_seed);
        made(kind, 42, 4, BARS, &other_replicate);
        assert_memory_equal(&first, &again, sizeof first);
        assert_memory_not_equal(first.close, other_seed.close, sizeof first.close);
        assert_memory_not_equal(first.close, other_replicate.close, sizeof first.close);
    }
}

static void a_longer_path_begins_as_the_shorter_one(void **state)
{
    for (int kind = 0; kind < PRICE_PATH_COUNT; kind++) {
        struct bars all, part;
        made(kind, 42, 3, BARS, &all);
        made(kind, 42, 3, BARS / 2, &part);
        assert_memory_equal(all.high, part.high, BARS / 2 * sizeof *all.high);
        assert_memory_equal(all.close, part.close, BARS / 2 * sizeof *all.close);
    }
}

static void highs_and_lows_hold_opens_and_closes(void **state)
{
    for (int kind = 0; kind < PRICE_PATH_COUNT; kind++) {
        struct bars bars;
        int wide = 0;
        made(kind, 7, 0, BARS, &bars);
        for (int i = 0; i < BARS; i++) {
            assert_true(bars.high[i] >= fmax(bars.open[i], bars.close[i]));
            assert_true(bars.low[i] <= fmin(bars.open[i], bars.close[i]));
            wide += bars.high[i] > fmax(bars.open[i], bars.close[i]);
        }
        assert_true(wide > BARS / 2);
    }
}

static void a_path_begins_at_its_price_and_bars_follow_on_each_other(void **state)
{
    for (int kind = 0; kind < PRICE_PATH_COUNT; kind++) {
        struct bars bars;
        if (kind == PRICE_PATH_BLOCK_BOOTSTRAP)
            continue; /* observed bars have gaps */
        made(kind, 7, 0, BARS, &bars);
        assert_near(bars.open[0], 50000.0, 0.0);
        for (int i = 1; i < BARS; i++)
            assert_near(bars.open[i], bars.close[i - 1], 0.0);
    }
}

static void without_variance_the_price_grows_by_its_drift(void **state)
{
    const enum price_path_kind kinds[] = {PRICE_PATH_GBM, PRICE_PATH_GARCH, PRICE_PATH_STUDENT_T,
                                          PRICE_PATH_MERTON, PRICE_PATH_HAWKES};
    struct price_path_history none = {0};
    for (int k = 0; k < 5; k++) {
        struct price_path_params params = some_params(kinds[k]);
        struct price_path_request request = some_request(&none);
        struct bars bars;
        params.volatility_per_year = 0.0;
        params.jumps_per_day = 0.0;
        assert_int_equal(make(&params, &request, &bars, NULL), ERROR_NONE);
        /* 0.3 a year, 525,600 minutes a year, 500 minutes */
        assert_near(bars.close[BARS - 1], 50000.0 * exp(0.3 * 500.0 / 525600.0), 1e-7);
    }
}

/* ---- single models ---------------------------------------------------------------------- */

static void a_bridge_goes_through_its_points(void **state)
{
    struct bars bars;
    made(PRICE_PATH_BRIDGE, 11, 0, BARS, &bars);
    assert_near(bars.close[99], 51000.0, 0.0);
    /* Two points within bar 250: it reaches both of them and does not end there. */
    assert_true(bars.low[250] <= 47000.0 && bars.high[250] >= 47100.0);
    assert_true(bars.close[250] != 47100.0);
    assert_near(log(bars.close[250] / 47100.0), 0.0, 5.0 * 0.6 * sqrt(20.0 / 31536000.0));
}

static void a_bridge_without_volatility_is_a_straight_line_in_log_price(void **state)
{
    struct price_path_history none = {0};
    struct price_path_params params = some_params(PRICE_PATH_BRIDGE);
    struct price_path_request request = some_request(&none);
    struct bars bars;
    params.volatility_per_year = 0.0;
    assert_int_equal(make(&params, &request, &bars, NULL), ERROR_NONE);
    assert_near(bars.close[49], sqrt(50000.0 * 51000.0), 1e-6);
    assert_near(bars.close[BARS - 1], 47100.0, 1e-6);
}

static void a_bootstrap_is_made_of_stretches_of_observed_bars(void **state)
{
    enum { BLOCK = 7 };
    struct observed observed;
    struct price_path_history history = observe(&observed);
    struct bars bars;
    made(PRICE_PATH_BLOCK_BOOTSTRAP, 5, 0, BARS, &bars);
    int from = -1, starts[HISTORY_BARS] = {0}, distinct = 0;
    double before = 50000.0;
    for (int i = 0; i < BARS; i++) {
        int found = -1;
        for (int j = 0; j < HISTORY_BARS && found < 0; j++) {
            double base = j > 0 ? history.close[j - 1] : history.open[0];
            if (fabs(log(bars.close[i] / before) - log(history.close[j] / base)) < 1e-12)
                found = j;
        }
        assert_true(found >= 0);
        if (i % BLOCK != 0)
            assert_int_equal(found, (from + 1) % HISTORY_BARS);
        else
            starts[found] = 1;
        assert_near(bars.high[i] / bars.open[i], history.high[found] / history.open[found], 1e-12);
        assert_near(bars.low[i] / bars.open[i], history.low[found] / history.open[found], 1e-12);
        before = bars.close[i];
        from = found;
    }
    for (int j = 0; j < HISTORY_BARS; j++)
        distinct += starts[j];
    assert_true(distinct > HISTORY_BARS / 2); /* of 72 blocks; expected 40 (1 - e^-1.8) = 33 */
}

static void a_garch_path_begins_as_wild_as_its_history_ends(void **state)
{
    double close[200], flat[200];
    struct price_path_params params = some_params(PRICE_PATH_GARCH);
    double deviation = params.volatility_per_year * sqrt(1.0 / 525600.0);
    for (int i = 0; i < 200; i++) {
        close[i] = 50000.0 * exp((i % 2 == 0 ? 5.0 : -5.0) * deviation); /* returns of 10 */
        flat[i] = 50000.0;
    }
    struct price_path_history wild = {close, close, close, close, 200, CALENDAR_MINUTE_MS};
    struct price_path_history calm = {flat, flat, flat, flat, 200, CALENDAR_MINUTE_MS};
    struct price_path_request request = some_request(&wild);
    struct bars after_wild, after_calm;
    params.drift_per_year = 0.0;
    assert_int_equal(make(&params, &request, &after_wild, NULL), ERROR_NONE);
    request.history = calm;
    assert_int_equal(make(&params, &request, &after_calm, NULL), ERROR_NONE);
    /* h has settled at (.02 + .08 * 100) / (1 - .9) against .02 / (1 - .9); the draw is the same.
     */
    double ratio = log(after_wild.close[0] / 50000.0) / log(after_calm.close[0] / 50000.0);
    assert_near(ratio, sqrt((0.02 + 0.08 * 100.0) / 0.02), 1e-3);
}

/* ---- errors ----------------------------------------------------------------------------- */

struct refusal {
    enum price_path_kind kind;
    const char *key;
    void (*spoil)(struct price_path_params *params, struct price_path_request *request);
};

static void no_volatility(struct price_path_params *params, struct price_path_request *request)
{
    params->volatility_per_year = NAN;
}
static void negative_volatility(struct price_path_params *params,
                                struct price_path_request *request)
{
    params->volatility_per_year = -0.1;
}
static void explosive_garch(struct price_path_params *params, struct price_path_request *request)
{
    params->garch_beta = 0.92;
}
static void infinite_variance(struct price_path_params *params, struct price_path_request *request)
{
    params->student_dof = 2.0;
}
static void critical_hawkes(struct price_path_params *params, struct price_path_request *request)
{
    params->hawkes_branching = 1.0;
}
static void no_half_life(struct price_path_params *params, struct price_path_request *request)
{
    params->hawkes_half_life_ms = CALENDAR_NONE;
}
static void no_history(struct price_path_params *params, struct price_path_request *request)
{
    request->history.bars = 0;
}
static void other_step(struct price_path_params *params, struct price_path_request *request)
{
    request->step_ms = CALENDAR_HOUR_MS;
}
static void no_points(struct price_path_params *params, struct price_path_request *request)
{
    params->point_count = 0;
}
static void point_in_the_past(struct price_path_params *params, struct price_path_request *request)
{
    request->start_ms = params->point_ms[0];
}
static void points_at_once(struct price_path_params *params, struct price_path_request *request)
{
    params->point_ms[1] = params->point_ms[0];
}
static void point_at_nothing(struct price_path_params *params, struct price_path_request *request)
{
    params->point_price[2] = 0.0;
}
static void no_price(struct price_path_params *params, struct price_path_request *request)
{
    request->start_price = NAN;
}
static void runaway(struct price_path_params *params, struct price_path_request *request)
{
    params->drift_per_year = 9e5;
}
static void sinking(struct price_path_params *params, struct price_path_request *request)
{
    params->drift_per_year = -9e5;
}

static void parameters_that_make_no_path_are_refused(void **state)
{
    const struct refusal refusals[] = {
        {PRICE_PATH_GBM, "path.volatility", no_volatility},
        {PRICE_PATH_BRIDGE, "path.volatility", negative_volatility},
        {PRICE_PATH_GARCH, "path.garch.beta", explosive_garch},
        {PRICE_PATH_STUDENT_T, "path.student_t.dof", infinite_variance},
        {PRICE_PATH_HAWKES, "path.hawkes.branching", critical_hawkes},
        {PRICE_PATH_HAWKES, "path.hawkes.half_life", no_half_life},
        {PRICE_PATH_BLOCK_BOOTSTRAP, "path.model", no_history},
        {PRICE_PATH_BLOCK_BOOTSTRAP, "path.model", other_step},
        {PRICE_PATH_BRIDGE, "path.points", no_points},
        {PRICE_PATH_BRIDGE, "path.points", point_in_the_past},
        {PRICE_PATH_BRIDGE, "path.points", points_at_once},
        {PRICE_PATH_BRIDGE, "path.points", point_at_nothing},
        {PRICE_PATH_GBM, "path", no_price},
        {PRICE_PATH_GBM, "path", runaway},
        {PRICE_PATH_GBM, "path", sinking},
        {PRICE_PATH_COUNT, "path.model", no_price},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct observed observed;
        struct price_path_history history = observe(&observed);
        struct price_path_params params = some_params(refusals[i].kind);
        struct price_path_request request = some_request(&history);
        struct bars bars;
        struct error err = {0};
        refusals[i].spoil(&params, &request);
        assert_int_equal(make(&params, &request, &bars, &err), ERROR_SCENARIO);
        assert_string_equal(err.key, refusals[i].key);
    }
}

static struct price_path_params missing_params(enum price_path_kind kind)
{
    return (struct price_path_params){.kind = kind,
                                      .drift_per_year = NAN,
                                      .volatility_per_year = NAN,
                                      .garch_alpha = NAN,
                                      .garch_beta = NAN,
                                      .student_dof = NAN,
                                      .jumps_per_day = NAN,
                                      .jump_mean_log = NAN,
                                      .jump_sigma_log = NAN,
                                      .hawkes_branching = NAN,
                                      .hawkes_half_life_ms = CALENDAR_NONE,
                                      .block_ms = CALENDAR_HOUR_MS};
}

static bool fits_something(int kind)
{
    return kind != PRICE_PATH_BLOCK_BOOTSTRAP;
}

static void a_fit_needs_a_history_that_is_long_and_moves(void **state)
{
    struct observed observed;
    double flat[HISTORY_BARS];
    for (int i = 0; i < HISTORY_BARS; i++)
        flat[i] = 50000.0;
    struct price_path_history still = {flat, flat, flat, flat, HISTORY_BARS, CALENDAR_MINUTE_MS};
    struct price_path_history few = observe(&observed);
    few.bars = 30;
    for (int kind = 0; kind < PRICE_PATH_COUNT; kind++) {
        struct price_path_params params = missing_params(kind);
        struct error err = {0};
        int expected = fits_something(kind) ? ERROR_DATA : ERROR_NONE;
        assert_int_equal(price_path_fit(&params, &still, &err), expected);
        assert_int_equal(price_path_fit(&params, &few, &err), expected);
    }
}

static void too_few_jumps_say_nothing_of_their_excitement(void **state)
{
    struct observed observed;
    struct price_path_history history = observe(&observed);
    struct price_path_params params = missing_params(PRICE_PATH_HAWKES);
    struct error err = {0};
    assert_int_equal(price_path_fit(&params, &history, &err), ERROR_DATA);
    assert_string_equal(err.key, "path.hawkes.branching");
    assert_non_null(strstr(err.message, "0 jumps in 39 returns"));
}

static void what_is_given_is_left_alone(void **state)
{
    struct price_path_history none = {0};
    for (int kind = 0; kind < PRICE_PATH_COUNT; kind++) {
        struct price_path_params params = some_params(kind), before = params;
        assert_int_equal(price_path_fit(&params, &none, NULL), ERROR_NONE);
        assert_memory_equal(&params, &before, sizeof params);
    }
}

static void a_fit_fails_cleanly_without_memory(void **state)
{
    struct observed observed;
    struct price_path_history history = observe(&observed);
    struct price_path_params params = missing_params(PRICE_PATH_GBM);
    memory_fail_after(1);
    int code = price_path_fit(&params, &history, NULL);
    memory_fail_after(0);
    assert_int_equal(code, ERROR_IO);
}

static void volatility_and_drift_are_those_of_the_returns(void **state)
{
    /* Returns of +1 % and -1 % in turn, 40 of them, and in the end nowhere. */
    double close[41];
    for (int i = 0; i < 41; i++)
        close[i] = i % 2 == 0 ? 100.0 : 100.0 * exp(0.01);
    struct price_path_history history = {close, close, close, close, 41, CALENDAR_DAY_MS};
    struct price_path_params params = missing_params(PRICE_PATH_GBM);
    assert_int_equal(price_path_fit(&params, &history, NULL), ERROR_NONE);
    assert_near(params.drift_per_year, 0.0, 1e-12);
    assert_near(params.volatility_per_year, 0.01 * sqrt(40.0 / 39.0 * 365.0), 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_named_as_scenarios_write_them),
        cmocka_unit_test(the_same_address_gives_the_same_path),
        cmocka_unit_test(a_longer_path_begins_as_the_shorter_one),
        cmocka_unit_test(highs_and_lows_hold_opens_and_closes),
        cmocka_unit_test(a_path_begins_at_its_price_and_bars_follow_on_each_other),
        cmocka_unit_test(without_variance_the_price_grows_by_its_drift),
        cmocka_unit_test(a_bridge_goes_through_its_points),
        cmocka_unit_test(a_bridge_without_volatility_is_a_straight_line_in_log_price),
        cmocka_unit_test(a_bootstrap_is_made_of_stretches_of_observed_bars),
        cmocka_unit_test(a_garch_path_begins_as_wild_as_its_history_ends),
        cmocka_unit_test(parameters_that_make_no_path_are_refused),
        cmocka_unit_test(a_fit_needs_a_history_that_is_long_and_moves),
        cmocka_unit_test(too_few_jumps_say_nothing_of_their_excitement),
        cmocka_unit_test(what_is_given_is_left_alone),
        cmocka_unit_test(a_fit_fails_cleanly_without_memory),
        cmocka_unit_test(volatility_and_drift_are_those_of_the_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
