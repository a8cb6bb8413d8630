/*
 * Scores of signals: areas, intervals and q-values that can be worked out by hand; a signal that
 * knows the future is found, one that only repeats the null is told so, and one that knows nothing
 * is let pass no more often than it should, though both series have a long memory.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/study/signal_scores.h"
#include "tests/support/near.h"

enum { HOURS = 1440 };

/* Markets of a Monte Carlo: `few`, with LIQCASCADE_TEST_LONG five times as many. */
static uint32_t markets(uint32_t few)
{
    return getenv("LIQCASCADE_TEST_LONG") != NULL ? 5 * few : few;
}

static const struct resample_plan quick = {200, 0.95, 1};

/* ---- areas ------------------------------------------------------------------------------ */

static double area(const double *scores, const unsigned char *hits, const unsigned char *strata,
                   size_t count)
{
    struct signal_scores_sample sample = {scores, hits, strata, count};
    struct signal_scores_interval out;
    assert_int_equal(signal_scores_auc(&sample, 1, &quick, &out, NULL), ERROR_NONE);
    return out.value;
}

/* Hits at 3 and 1, misses at 2 and 0: three of four pairs are in order; of a tie half. */
static void the_area_is_the_share_of_pairs_in_order(void **state)
{
    const unsigned char hits[] = {1, 0, 1, 0};
    assert_near(area((const double[]){3, 2, 1, 0}, hits, NULL, 4), 0.75, 1e-12);
    assert_near(area((const double[]){3, 3, 1, 0}, hits, NULL, 4), 0.625, 1e-12);
    assert_near(area((const double[]){1, 1, 1, 1}, hits, NULL, 4), 0.5, 1e-12);
    assert_near(area((const double[]){3, 0, 2, 1}, hits, NULL, 4), 1.0, 1e-12);
    assert_true(isnan(area((const double[]){3, 2}, (const unsigned char[]){1, 1}, NULL, 2)));
}

/* In each stratum the hit has the lower score; between them the second has higher scores and more
   hits, so that all bars together look informed. */
static void strata_take_out_what_the_null_knows(void **state)
{
    const double scores[] = {2, 1, 3, 12, 13, 10, 11};
    const unsigned char hits[] = {0, 1, 0, 0, 0, 1, 1};
    const unsigned char strata[] = {0, 0, 0, 1, 1, 1, 1};
    assert_near(area(scores, hits, strata, 7), 0.0, 1e-12);
    assert_near(area(scores, hits, NULL, 7), 4.0 / 12.0, 1e-12);
}

/* Benjamini and Hochberg's step-up by hand: .01 * 4 / 1, .02 * 4 / 2, .03 * 4 / 3, .5 * 4 / 4, the
   least from there on. */
static void q_values_step_up(void **state)
{
    const double p[] = {0.5, 0.01, NAN, 0.03, 0.02};
    double q[5];
    assert_int_equal(signal_scores_q_values(p, 5, q, NULL), ERROR_NONE);
    assert_near(q[0], 0.5, 1e-12);
    assert_near(q[1], 0.04, 1e-12);
    assert_true(isnan(q[2]));
    assert_near(q[3], 0.04, 1e-12);
    assert_near(q[4], 0.04, 1e-12);
}

/* Of 100 bars in which ten in a row hit, no other shift of the signal does as well: 1 of 82,
   the 81 shifts by 10 to 90 bars and none. */
static void only_the_true_place_does_as_well_as_itself(void **state)
{
    double scores[100];
    unsigned char hits[100];
    double p;
    for (int i = 0; i < 100; i++) {
        hits[i] = i >= 40 && i < 50;
        scores[i] = hits[i] ? 2.0 : 1e-3 * (i * 37 % 100);
    }
    struct signal_scores_sample sample = {scores, hits, NULL, 100};
    assert_int_equal(signal_scores_shift_p(&sample, 10, &p, NULL), ERROR_NONE);
    assert_near(p, 1.0 / 82.0, 1e-12);
    memset(hits, 0, sizeof hits);
    assert_int_equal(signal_scores_shift_p(&sample, 10, &p, NULL), ERROR_NONE);
    assert_true(isnan(p));
}

/* ---- Monte Carlo ------------------------------------------------------------------------ */

static double normal_at(const struct random_stream *stream, uint32_t i, int word)
{
    struct random_block block = random_block_at(stream, i, (uint32_t)(word / 4));
    return random_normal(random_uniform(block.word[word % 4]));
}

/* Two normals a standard deviation apart: the area is Phi(1 / sqrt 2) = .7602. */
static void intervals_of_independent_bars_cover(void **state)
{
    enum { COUNT = 400, SAMPLES = 150 };
    double scores[COUNT];
    unsigned char hits[COUNT];
    double truth = 0.5 * erfc(-0.5), mean = 0.0;
    int covered = 0;
    for (uint32_t t = 0; t < SAMPLES; t++) {
        struct random_stream stream = random_stream_make(3, t, "test.coverage");
        struct resample_plan plan = {200, 0.9, t};
        struct signal_scores_interval out;
        for (uint32_t i = 0; i < COUNT; i++) {
            hits[i] = i % 5 == 0;
            scores[i] = normal_at(&stream, i, 0) + hits[i];
        }
        struct signal_scores_sample sample = {scores, hits, NULL, COUNT};
        assert_int_equal(signal_scores_auc(&sample, 5, &plan, &out, NULL), ERROR_NONE);
        covered += out.low <= truth && truth <= out.high;
        mean += out.value / SAMPLES;
    }
    printf("area %.4f in the mean, %.4f in theory; 90 %% intervals cover in %d of %d\n", mean,
           truth, covered, SAMPLES);
    assert_near(mean, truth, 0.01);
    /* 135 expected, with a deviation of 3.7. */
    assert_in_range(covered, 120, 148);
}

/* Two months of hours: volatility and the signal remember about a day, flow and price follow the
   volatility. */
struct made_market {
    double volatility[HOURS], signal[HOURS], flow[2][HOURS], close[HOURS], trend[HOURS];
    struct signal_bars bars;
};

static void make_market(struct made_market *self, uint32_t trial)
{
    struct random_stream stream = random_stream_make(11, trial, "test.signal_scores");
    double keep = 0.97, fresh = sqrt(1.0 - keep * keep), v = 0.0, x = 0.0, price = 0.0;
    for (uint32_t i = 0; i < HOURS; i++) {
        v = keep * v + fresh * normal_at(&stream, i, 0);
        x = keep * x + fresh * normal_at(&stream, i, 1);
        price += 0.005 * exp(0.5 * v) * normal_at(&stream, i, 2);
        self->volatility[i] = v;
        self->signal[i] = x;
        self->flow[0][i] = exp(1.5 * v + normal_at(&stream, i, 3));
        self->flow[1][i] = exp(1.5 * v + normal_at(&stream, i, 4));
        self->close[i] = exp(price);
        self->trend[i] = i < 24 ? price : price - log(self->close[i - 24]);
    }
    self->bars = (struct signal_bars){.bars = HOURS,
                                      .step_ms = CALENDAR_HOUR_MS,
                                      .count = 1,
                                      .flow = {self->flow[0], self->flow[1]},
                                      .close = self->close,
                                      .range = self->volatility,
                                      .trend = self->trend};
    self->bars.signals[0] = (struct signal_bars_signal){
        .name = "made", .kind = SIGNALS_VALUE, .order = 1, .values = self->signal};
}

static const int64_t horizons[] = {CALENDAR_HOUR_MS, 4 * CALENDAR_HOUR_MS};

static void score(const struct made_market *market, struct signal_scores *out)
{
    struct signal_scores_plan plan = {.horizons_ms = horizons,
                                      .horizon_count = 2,
                                      .block_ms = CALENDAR_NONE,
                                      .cascade_quantile = 0.95,
                                      .high_rank = 0.9,
                                      .window = 720,
                                      .first = 24,
                                      .bootstrap = {200, 0.95, 1}};
    assert_int_equal(signal_scores_make(out, &market->bars, &plan, NULL, NULL), ERROR_NONE);
    assert_int_equal(out->count, 4);
}

static const struct signal_scores_row *row_of(const struct signal_scores *scores,
                                              int64_t horizon_ms, const char *target)
{
    for (size_t i = 0; i < scores->count; i++)
        if (scores->rows[i].horizon_ms == horizon_ms && strcmp(scores->rows[i].target, target) == 0)
            return &scores->rows[i];
    fail();
    return NULL;
}

/* At 5 % each, of 96 tests 5 would pass; two conditions at once let fewer. */
static void a_signal_that_knows_nothing_seldom_passes(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    uint32_t trials = markets(24);
    int informs = 0, intervals = 0, tests = 0;
    assert_non_null(market);
    for (uint32_t trial = 0; trial < trials; trial++) {
        struct signal_scores scores;
        make_market(market, trial);
        score(market, &scores);
        for (size_t i = 0; i < scores.count; i++) {
            const struct signal_scores_row *row = &scores.rows[i];
            informs += signal_scores_verdict(row, 0.95) >= SIGNAL_SCORES_CONTRARY;
            intervals += row->auc.low > 0.5 || row->auc.high < 0.5;
            tests++;
        }
        signal_scores_free(&scores);
    }
    printf("of %d tests of nothing %d pass; by the interval alone %d would\n", tests, informs,
           intervals);
    assert_int_equal(tests, 4 * trials);
    assert_in_range(informs, 0, tests / 12);
    free(market);
}

/* The signal has heard of the flow of the next four hours, not of the volatility before. */
static void a_signal_that_knows_the_future_is_found(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    int found = 0;
    assert_non_null(market);
    for (uint32_t trial = 0; trial < 10; trial++) {
        struct signal_scores scores;
        make_market(market, trial);
        for (size_t i = 0; i + 4 < HOURS; i++) {
            double ahead = 0.0;
            for (size_t k = i + 1; k <= i + 4; k++)
                ahead += market->flow[0][k] + market->flow[1][k];
            market->signal[i] = log(ahead) + 1.0 * market->signal[i];
        }
        score(market, &scores);
        const struct signal_scores_row *row = row_of(&scores, 4 * CALENDAR_HOUR_MS, "cascade");
        found += signal_scores_verdict(row, 0.95) == SIGNAL_SCORES_ADDS;
        assert_true(row->auc.value > 0.8);
        assert_true(row->hit_rate > 2.0 * row->others_rate);
        assert_true(row->outcome_mean > row->others_mean);
        /* Of the way of the price it knows nothing, and two of 95 % are allowed to err. */
        signal_scores_free(&scores);
    }
    printf("a signal that knows the flow ahead is found in %d of 10 markets\n", found);
    assert_in_range(found, 9, 10);
    free(market);
}

/* A noisy echo of the volatility informs, and adds nothing to it. */
static void an_echo_of_the_null_adds_nothing_to_it(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    uint32_t echoes = markets(12);
    int informs = 0, adds = 0;
    assert_non_null(market);
    for (uint32_t trial = 0; trial < echoes; trial++) {
        struct signal_scores scores;
        make_market(market, trial);
        for (size_t i = 0; i < HOURS; i++)
            market->signal[i] = market->volatility[i] + 0.7 * market->signal[i];
        score(market, &scores);
        const struct signal_scores_row *row = row_of(&scores, CALENDAR_HOUR_MS, "cascade");
        informs += signal_scores_verdict(row, 0.95) >= SIGNAL_SCORES_INFORMS;
        adds += signal_scores_verdict(row, 0.95) == SIGNAL_SCORES_ADDS;
        assert_true(row->null_auc > row->auc.value);
        signal_scores_free(&scores);
    }
    printf("an echo of the null informs in %d of %d markets, and adds to it in %d\n", informs,
           (int)echoes, adds);
    assert_in_range(informs, echoes * 3 / 4, echoes);
    assert_in_range(adds, 0, echoes / 4);
    free(market);
}

/* ---- rows ------------------------------------------------------------------------------- */

/* What precedes a bar, and the bar itself, are no part of what follows it. */
static void what_follows_begins_with_the_next_bar(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    struct signal_scores scores;
    assert_non_null(market);
    make_market(market, 1);
    memset(market->flow, 0, sizeof market->flow);
    /* A cascade every 100 hours; the signal holds in its hour and in the hour before. */
    for (size_t i = 99; i < HOURS; i += 100)
        market->flow[0][i] = 1000.0;
    for (size_t i = 0; i < HOURS; i++)
        market->signal[i] = i % 100 == 99;
    market->bars.signals[0].kind = SIGNALS_STATE;
    market->bars.signals[0].side = 1;
    score(market, &scores);
    const struct signal_scores_row *row = row_of(&scores, CALENDAR_HOUR_MS, "cascade");
    assert_string_equal(row->side, "long");
    assert_near(row->hit_rate, 0.0, 0.0);
    assert_near(row->outcome_mean, 0.0, 0.0);
    assert_int_equal(row->occurrences, 14);
    assert_int_equal(row->episodes, 14);
    signal_scores_free(&scores);
    for (size_t i = 0; i < HOURS; i++)
        market->signal[i] = i % 100 == 98;
    score(market, &scores);
    row = row_of(&scores, CALENDAR_HOUR_MS, "cascade");
    assert_near(row->hit_rate, 1.0, 0.0);
    assert_near(row->outcome_mean, 1000.0, 1e-9);
    assert_near(row->others_rate, 0.0, 0.0);
    assert_near(row->auc.value, 1.0, 0.0);
    signal_scores_free(&scores);
    /* Shorts' flow is another. */
    market->bars.signals[0].side = -1;
    score(market, &scores);
    row = row_of(&scores, CALENDAR_HOUR_MS, "cascade");
    assert_true(isnan(row->auc.value));
    assert_string_equal(row->verdict, "silent");
    signal_scores_free(&scores);
    free(market);
}

/* A signal that leads down is right where the price falls. */
static void a_signal_is_held_to_the_way_it_leads(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    struct signal_scores scores;
    assert_non_null(market);
    make_market(market, 2);
    /* The price falls in the first half of every day and rises in the other. */
    for (size_t i = 0; i < HOURS; i++)
        market->close[i] =
            exp(0.01 * (i % 24 < 12 ? 12.0 - (double)(i % 24) : (double)(i % 24) - 12.0));
    for (size_t i = 0; i < HOURS; i++)
        market->signal[i] = i % 24 < 8;
    market->bars.signals[0].kind = SIGNALS_STATE;
    market->bars.signals[0].direction = -1;
    score(market, &scores);
    const struct signal_scores_row *row = row_of(&scores, 4 * CALENDAR_HOUR_MS, "return");
    assert_string_equal(row->side, "down");
    assert_near(row->hit_rate, 1.0, 0.0);
    assert_near(row->outcome_median, -0.04, 1e-9);
    assert_true(row->auc.value > 0.8);
    signal_scores_free(&scores);
    market->bars.signals[0].direction = 1;
    score(market, &scores);
    row = row_of(&scores, 4 * CALENDAR_HOUR_MS, "return");
    assert_near(row->hit_rate, 0.0, 0.0);
    assert_true(row->auc.value < 0.2);
    /* Every day is like the others, so that shifts by days do as well: one pattern is one lesson.
     */
    assert_string_equal(row->verdict, "nothing");
    signal_scores_free(&scores);
    free(market);
}

/* One storm is one lesson, however many hours it lasts. */
static void one_episode_is_too_few(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    struct signal_scores scores;
    assert_non_null(market);
    make_market(market, 3);
    for (size_t i = 0; i < HOURS; i++) {
        market->flow[0][i] = i >= 700 && i < 760 ? 1000.0 + (double)i : 1.0;
        market->flow[1][i] = 0.0;
        market->signal[i] = i >= 699 && i < 759;
    }
    market->bars.signals[0].kind = SIGNALS_STATE;
    score(market, &scores);
    const struct signal_scores_row *row = row_of(&scores, CALENDAR_HOUR_MS, "cascade");
    assert_int_equal(row->episodes, 1);
    assert_near(row->auc.value, 1.0, 0.01);
    assert_string_equal(row->verdict, "too_few");
    signal_scores_free(&scores);
    free(market);
}

static void a_short_run_is_refused(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    struct signal_scores scores;
    struct error err = {0};
    struct signal_scores_plan plan = {.horizons_ms = horizons,
                                      .horizon_count = 1,
                                      .block_ms = CALENDAR_NONE,
                                      .cascade_quantile = 0.95,
                                      .high_rank = 0.9,
                                      .window = 720,
                                      .bootstrap = {200, 0.95, 1}};
    assert_non_null(market);
    make_market(market, 4);
    market->bars.bars = 3 * 72;
    assert_int_equal(signal_scores_make(&scores, &market->bars, &plan, NULL, &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "too few"));
    market->bars.bars = 3 * 72 + 1;
    assert_int_equal(signal_scores_make(&scores, &market->bars, &plan, NULL, &err), ERROR_NONE);
    signal_scores_free(&scores);
    free(market);
}

/* Memory that is short anywhere is an error, and leaves nothing behind. */
static void short_memory_is_an_error(void **state)
{
    struct made_market *market = malloc(sizeof *market);
    struct resample_plan two = {2, 0.95, 1};
    struct signal_scores_plan plan = {.horizons_ms = horizons,
                                      .horizon_count = 1,
                                      .block_ms = CALENDAR_NONE,
                                      .cascade_quantile = 0.95,
                                      .high_rank = 0.9,
                                      .window = 720,
                                      .bootstrap = two};
    long failed = 0;
    int code = ERROR_IO;
    assert_non_null(market);
    make_market(market, 5);
    market->bars.bars = 300;
    while (code == ERROR_IO) {
        struct signal_scores scores;
        struct error err = {0};
        memory_fail_after(failed + 1);
        code = signal_scores_make(&scores, &market->bars, &plan, NULL, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE) {
            signal_scores_free(&scores);
            break;
        }
        assert_int_equal(code, ERROR_IO);
        assert_non_null(strstr(err.message, "out of memory"));
        failed++;
    }
    printf("%ld allocations, each of which may fail\n", failed);
    assert_true(failed > 20);
    free(market);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_area_is_the_share_of_pairs_in_order),
        cmocka_unit_test(strata_take_out_what_the_null_knows),
        cmocka_unit_test(q_values_step_up),
        cmocka_unit_test(only_the_true_place_does_as_well_as_itself),
        cmocka_unit_test(intervals_of_independent_bars_cover),
        cmocka_unit_test(a_signal_that_knows_nothing_seldom_passes),
        cmocka_unit_test(a_signal_that_knows_the_future_is_found),
        cmocka_unit_test(an_echo_of_the_null_adds_nothing_to_it),
        cmocka_unit_test(what_follows_begins_with_the_next_bar),
        cmocka_unit_test(a_signal_is_held_to_the_way_it_leads),
        cmocka_unit_test(one_episode_is_too_few),
        cmocka_unit_test(a_short_run_is_refused),
        cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
