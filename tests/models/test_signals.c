/* The rules on open interest: series whose reading is known, and nothing of the future. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/random.h"
#include "models/signals.h"
#include "tests/support/near.h"

enum { BARS = 400 };

/* A market by the hour that the tests fill in. */
struct made {
    double high[BARS], low[BARS], close[BARS], oi[BARS], venue_oi[BARS], funding[BARS];
    struct signals_data data;
};

/* Calm: price and open interest waver about a level, funding is paid every 8 hours. */
static void make(struct made *made, uint64_t seed)
{
    struct random_stream stream = random_stream_make(seed, 0, "test.signals");
    for (uint32_t i = 0; i < BARS; i++) {
        struct random_block block = random_block_at(&stream, i, 0);
        made->close[i] = 100.0 * (1.0 + 0.01 * (random_uniform(block.word[0]) - 0.5));
        made->high[i] = 1.002 * made->close[i];
        made->low[i] = 0.998 * made->close[i];
        made->oi[i] = 1000.0 * (1.0 + 0.02 * (random_uniform(block.word[1]) - 0.5));
        made->venue_oi[i] = made->oi[i] * (0.3 + 0.01 * random_uniform(block.word[2]));
        made->funding[i] = i % 8 == 0 ? 1e-4 * random_uniform(block.word[3]) : 0.0;
    }
    made->data = (struct signals_data){.bars = BARS,
                                       .step_ms = CALENDAR_HOUR_MS,
                                       .high = made->high,
                                       .low = made->low,
                                       .close = made->close,
                                       .oi = made->oi,
                                       .venue_oi = made->venue_oi,
                                       .funding = made->funding};
}

static struct signals_params params(void)
{
    return (struct signals_params){.lookback = 4,
                                   .window = 100,
                                   .highs = 48,
                                   .funding_z = 2.0,
                                   .high_rank = 0.9,
                                   .change_rank = 0.95};
}

static void signal(const struct made *made, const char *name, double out[BARS])
{
    struct signals_params taken = params();
    const struct signals_signal *found = signals_find(name);
    assert_non_null(found);
    found->function(&made->data, &taken, out);
}

static double signal_at(const struct made *made, const char *name, size_t bar)
{
    double out[BARS];
    signal(made, name, out);
    return out[bar];
}

/* ---- regimes ---------------------------------------------------------------------------- */

/* The four rows of the classical table, and which way each is said to lead. */
static void price_and_open_interest_make_four_regimes(void **state)
{
    static const struct {
        double price, oi;
        enum signals_regime regime;
        const char *name;
        int direction;
    } rows[] = {
        {110, 1100, SIGNALS_NEW_LONGS, "new_longs", 1},
        {110, 900, SIGNALS_SHORT_COVERING, "short_covering", -1},
        {90, 1100, SIGNALS_NEW_SHORTS, "new_shorts", -1},
        {90, 900, SIGNALS_LONG_LIQUIDATION, "long_liquidation", 1},
    };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(signals_regime(rows[i].price, 100, rows[i].oi, 1000), rows[i].regime);
        assert_string_equal(signals_regime_name(rows[i].regime), rows[i].name);
        assert_int_equal(signals_find(rows[i].name)->direction, rows[i].direction);
    }
    assert_int_equal(signals_regime(100, 100, 1100, 1000), SIGNALS_UNKNOWN);
    assert_int_equal(signals_regime(110, 100, 1000, 1000), SIGNALS_UNKNOWN);
    assert_int_equal(signals_regime(110, 100, NAN, 1000), SIGNALS_UNKNOWN);
    assert_string_equal(signals_regime_name(SIGNALS_UNKNOWN), "");
}

static void a_regime_is_one_of_four_at_every_bar(void **state)
{
    struct made made;
    double all[4][BARS];
    static const char *const names[] = {"new_longs", "short_covering", "new_shorts",
                                        "long_liquidation"};
    make(&made, 1);
    for (int k = 0; k < 4; k++)
        signal(&made, names[k], all[k]);
    for (size_t i = 0; i < BARS; i++) {
        double sum = all[0][i] + all[1][i] + all[2][i] + all[3][i];
        assert_true(i < 4 ? isnan(sum) : sum == 1.0);
    }
}

/* 5 % off the price leaves 5 % less in USD where nobody closed: a dashboard in USD shows longs
   that give up, coins show that nothing happened. */
static void a_move_of_the_price_alone_is_no_regime_in_coins_and_one_in_usd(void **state)
{
    double coins[2] = {1000, 1000}, close[2] = {100, 95}, usd[2];
    signals_usd(coins, close, 2, usd);
    assert_near(usd[0], 100000, 1e-12);
    assert_near(usd[1], 95000, 1e-12);
    assert_int_equal(signals_regime(close[1], close[0], coins[1], coins[0]), SIGNALS_UNKNOWN);
    assert_int_equal(signals_regime(close[1], close[0], usd[1], usd[0]), SIGNALS_LONG_LIQUIDATION);
}

/* ---- windows ---------------------------------------------------------------------------- */

static void a_rank_counts_what_lies_below_in_the_window(void **state)
{
    double values[8] = {9, 1, 2, 2, 3, NAN, 2, 5};
    /* 2 among 1, 2, 2, 3, 2 (one is missing): one below, three ties. */
    assert_near(signals_rank(values, 6, 6), (1.0 + 1.5) / 5.0, 1e-12);
    /* The 9 lies before the window. */
    assert_near(signals_rank(values, 7, 7), (5.0 + 0.5) / 6.0, 1e-12);
    assert_near(signals_rank(values, 7, 8), (5.0 + 0.5) / 7.0, 1e-12);
    assert_true(isnan(signals_rank(values, 5, 6)));
    /* Three of seven are less than half. */
    assert_true(isnan(signals_rank(values, 2, 7)));
    assert_true(!isnan(signals_rank(values, 3, 7)));
}

static void the_range_is_that_of_the_bars_looked_back_over(void **state)
{
    double high[4] = {120, 104, 103, 102}, low[4] = {80, 99, 98, 101}, close[4] = {0};
    struct signals_data data = {.bars = 4, .high = high, .low = low, .close = close};
    assert_near(signals_range(&data, 3, 3), log(104.0 / 98.0), 1e-12);
    assert_near(signals_range(&data, 4, 3), log(120.0 / 80.0), 1e-12);
    assert_true(isnan(signals_range(&data, 4, 2)));
}

/* ---- crowding --------------------------------------------------------------------------- */

/* Three payments of 0.2 % after a hundred of about 0.005 %, at the highest open interest. */
static void crowd(struct made *made, double rate, double oi)
{
    make(made, 2);
    for (size_t i = 300; i < BARS; i++) {
        made->oi[i] = oi;
        if (i % 8 == 0)
            made->funding[i] = rate;
    }
}

static void longs_are_crowded_where_funding_is_stretched_up_and_open_interest_high(void **state)
{
    struct made made;
    crowd(&made, 2e-3, 1200.0);
    assert_near(signal_at(&made, "long_crowded", 295), 0.0, 0.0);
    assert_near(signal_at(&made, "long_crowded", 305), 1.0, 0.0);
    assert_near(signal_at(&made, "short_crowded", 305), 0.0, 0.0);
    assert_near(signal_at(&made, "funding_high", 305), 1.0, 0.0);
    assert_near(signal_at(&made, "oi_high", 305), 1.0, 0.0);
    crowd(&made, -2e-3, 1200.0);
    assert_near(signal_at(&made, "short_crowded", 305), 1.0, 0.0);
    assert_near(signal_at(&made, "long_crowded", 305), 0.0, 0.0);
    assert_near(signal_at(&made, "funding_low", 305), 1.0, 0.0);
    /* The same funding at little open interest crowds nobody. */
    crowd(&made, 2e-3, 800.0);
    assert_near(signal_at(&made, "long_crowded", 305), 0.0, 0.0);
    assert_near(signal_at(&made, "funding_high", 305), 1.0, 0.0);
    assert_near(signal_at(&made, "oi_high", 305), 0.0, 0.0);
}

/* One day unlike 99 alike: (1 - 1/100) / sqrt(0.99 / 100) = 9.95 deviations. */
static void funding_is_held_against_its_own_days(void **state)
{
    struct made made;
    make(&made, 3);
    made.data.step_ms = CALENDAR_DAY_MS;
    for (size_t i = 0; i < BARS; i++)
        made.funding[i] = 1e-4;
    made.funding[200] = 3e-4;
    assert_near(signal_at(&made, "funding_z", 200), 0.99 / sqrt(0.0099), 1e-9);
    assert_near(signal_at(&made, "funding_z", 150), 0.0, 0.0);
    assert_true(isnan(signal_at(&made, "funding_z", 48)));
    assert_true(!isnan(signal_at(&made, "funding_z", 49)));
}

/* The same money a day in 3 or in 24 payments is stretched at the same hours, also at those in
   which nothing falls due every eight. */
static void funding_means_the_same_by_the_hour_and_by_eight(void **state)
{
    struct made eight, hour;
    double of_eight[BARS], of_hour[BARS];
    crowd(&eight, 2e-3, 1200.0);
    hour = eight;
    hour.data.funding = hour.funding;
    for (size_t i = 0; i < BARS; i++)
        hour.funding[i] = eight.funding[i / 8 * 8] / 8.0;
    signal(&eight, "funding_high", of_eight);
    signal(&hour, "funding_high", of_hour);
    for (size_t i = 307; i < 325; i++) {
        assert_near(of_eight[i], 1.0, 0.0);
        assert_near(of_hour[i], 1.0, 0.0);
    }
}

/* ---- changes ---------------------------------------------------------------------------- */

static void a_jump_of_open_interest_is_a_spike_and_a_drop_is_a_flush(void **state)
{
    struct made made;
    make(&made, 4);
    for (size_t i = 200; i < BARS; i++)
        made.oi[i] *= i < 300 ? 1.2 : 0.9;
    assert_near(signal_at(&made, "oi_spike", 201), 1.0, 0.0);
    assert_near(signal_at(&made, "oi_flush", 201), 0.0, 0.0);
    assert_near(signal_at(&made, "oi_flush", 301), 1.0, 0.0);
    assert_near(signal_at(&made, "oi_spike", 301), 0.0, 0.0);
    /* Bars later the lookback has passed it. */
    assert_near(signal_at(&made, "oi_flush", 320), 0.0, 0.0);
    assert_near(signal_at(&made, "oi_change", 301), log(made.oi[301] / made.oi[297]), 1e-12);
}

static void a_new_high_at_less_open_interest_diverges(void **state)
{
    struct made made;
    make(&made, 5);
    made.close[180] = 105.0, made.oi[180] = 1100.0;
    made.close[200] = 106.0, made.oi[200] = 1050.0;
    assert_near(signal_at(&made, "divergence", 200), 1.0, 0.0);
    made.oi[200] = 1150.0;
    assert_near(signal_at(&made, "divergence", 200), 0.0, 0.0);
    made.oi[200] = 1050.0, made.close[200] = 104.0;
    assert_near(signal_at(&made, "divergence", 200), 0.0, 0.0);
    assert_true(isnan(signal_at(&made, "divergence", 47)));
}

static void open_interest_that_moves_to_a_venue_shows_in_its_share(void **state)
{
    struct made made;
    make(&made, 6);
    made.oi[100] = made.oi[104] = 1000.0;
    made.venue_oi[100] = 250.0, made.venue_oi[104] = 300.0;
    assert_near(signal_at(&made, "venue_share", 104), 0.3, 1e-12);
    assert_near(signal_at(&made, "venue_inflow", 104), log(0.3 / 0.25), 1e-12);
    /* More everywhere is no migration. */
    made.oi[104] = 1200.0;
    assert_near(signal_at(&made, "venue_inflow", 104), 0.0, 1e-12);
}

/* ---- what is known ---------------------------------------------------------------------- */

/* Everything after a bar is another market: what was said up to it stays, bit for bit. */
static void no_signal_knows_the_future(void **state)
{
    enum { KNOWN = 250 };
    struct made made, other;
    crowd(&made, 1e-3, 1100.0);
    make(&other, 7);
    memcpy(other.high, made.high, KNOWN * sizeof(double));
    memcpy(other.low, made.low, KNOWN * sizeof(double));
    memcpy(other.close, made.close, KNOWN * sizeof(double));
    memcpy(other.oi, made.oi, KNOWN * sizeof(double));
    memcpy(other.venue_oi, made.venue_oi, KNOWN * sizeof(double));
    memcpy(other.funding, made.funding, KNOWN * sizeof(double));
    for (size_t i = KNOWN; i < BARS; i++)
        other.oi[i] *= 5.0, other.close[i] *= 0.2, other.funding[i] *= -40.0;
    struct signals_params taken = params();
    for (int k = 0; k < signals_count; k++) {
        double of_one[BARS], of_other[BARS];
        signals_signals[k].function(&made.data, &taken, of_one);
        signals_signals[k].function(&other.data, &taken, of_other);
        if (memcmp(of_one, of_other, KNOWN * sizeof(double)) != 0)
            fail_msg("%s changes with what comes after", signals_signals[k].name);
        if (memcmp(of_one + KNOWN, of_other + KNOWN, (BARS - KNOWN) * sizeof(double)) == 0)
            fail_msg("%s says the same of two markets: the test could not fail",
                     signals_signals[k].name);
    }
}

static void what_is_missing_is_named(void **state)
{
    struct made made;
    make(&made, 8);
    assert_int_equal(signals_missing(signals_find("long_crowded"), &made.data), 0);
    made.data.funding = NULL;
    assert_int_equal(signals_missing(signals_find("long_crowded"), &made.data), SIGNALS_FUNDING);
    assert_int_equal(signals_missing(signals_find("oi_spike"), &made.data), 0);
    made.data.oi = made.data.venue_oi = NULL;
    assert_int_equal(signals_missing(signals_find("long_crowded"), &made.data),
                     SIGNALS_FUNDING | SIGNALS_OI);
    assert_int_equal(signals_missing(signals_find("venue_share"), &made.data),
                     SIGNALS_OI | SIGNALS_VENUE_OI);
    assert_null(signals_find("astrology"));
}

/* A hole in the open interest is no zero: nothing is said there. */
static void where_open_interest_is_not_known_nothing_is_said(void **state)
{
    struct made made;
    make(&made, 9);
    made.oi[200] = NAN;
    static const char *const names[] = {"new_longs", "long_crowded", "oi_high",  "oi_spike",
                                        "oi_flush",  "oi_rank",      "oi_change"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        assert_true(isnan(signal_at(&made, names[k], 200)));
        assert_true(!isnan(signal_at(&made, names[k], 210)));
    }
}

static void every_signal_says_what_it_is(void **state)
{
    for (int k = 0; k < signals_count; k++) {
        assert_true(strlen(signals_signals[k].documentation) > 20);
        assert_true(strlen(signals_signals[k].source) > 0);
        assert_ptr_equal(signals_find(signals_signals[k].name), &signals_signals[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(price_and_open_interest_make_four_regimes),
        cmocka_unit_test(a_regime_is_one_of_four_at_every_bar),
        cmocka_unit_test(a_move_of_the_price_alone_is_no_regime_in_coins_and_one_in_usd),
        cmocka_unit_test(a_rank_counts_what_lies_below_in_the_window),
        cmocka_unit_test(the_range_is_that_of_the_bars_looked_back_over),
        cmocka_unit_test(longs_are_crowded_where_funding_is_stretched_up_and_open_interest_high),
        cmocka_unit_test(funding_is_held_against_its_own_days),
        cmocka_unit_test(funding_means_the_same_by_the_hour_and_by_eight),
        cmocka_unit_test(a_jump_of_open_interest_is_a_spike_and_a_drop_is_a_flush),
        cmocka_unit_test(a_new_high_at_less_open_interest_diverges),
        cmocka_unit_test(open_interest_that_moves_to_a_venue_shows_in_its_share),
        cmocka_unit_test(no_signal_knows_the_future),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(where_open_interest_is_not_known_nothing_is_said),
        cmocka_unit_test(every_signal_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
