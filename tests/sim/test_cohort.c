/*
 * The cohort evaluation of the open loop against what it stands for: the per-position engine, whose
 * Monte Carlo error it must come out of as positions grow, and closed forms where there are some.
 *
 * How near the two come is measured by the flow of every bar: the distance is the sum over bars of
 * the absolute difference, over the sum of the flow.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <omp.h>

#include "base/memory.h"
#include "base/random.h"
#include "sim/cohort.h"
#include "sim/run_one.h"
#include "tests/scenarios/scratch.h"
#include "tests/support/near.h"

static const int64_t FIRST_S = 1709251200; /* 2024-03-01T00:00Z */
enum { WALK_BARS = 720, SMALL_BARS = 24 };

/* The part of a flow that the quadrature of columns and sizes is allowed to be off by, in total; by
   bars it is allowed twice that. */
#define QUADRATURE 0.001

/* ---- markets -------------------------------------------------------------------------------- */

static const char walk_text[] =
    "format: 1\n"
    "symbol: BTCUSDT\n"
    "seed: 5\n"
    "time: {warmup: 2024-03-01T00:00Z, start: 2024-03-15T00:00Z, end: 2024-03-31T00:00Z, step: "
    "1h}\n"
    "data:\n"
    "  price: {path: walk.csv, format: ohlcv_ms}\n"
    "  mark: {path: mark.csv, format: ohlcv_ms}\n"
    "  oi: {path: oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, "
    "unit: coins}\n"
    "  funding: {path: funding.csv, format: generic, time: {column: time, as: unix_s}, columns: "
    "{rate: rate}, unit: fraction}\n"
    "feedback: open\n";

static FILE *begin_file(const char *name, const char *head)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file(name, "", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(head, file);
    return file;
}

static void write_bar(FILE *file, int bar, double scale, const double ohlc[4])
{
    fprintf(file, "%lld000,%.17g,%.17g,%.17g,%.17g,100\n", (long long)(FIRST_S + bar * 3600),
            scale * ohlc[0], scale * ohlc[1], scale * ohlc[2], scale * ohlc[3]);
}

/* Hours of a random walk of 1 %, with wicks, a move of 6 to 12 % every fifth day and funding that
   swings between the sides. The mark lies 5 bp below the last price. */
static void write_walk(void)
{
    struct random_stream stream = random_stream_make(1, 0, "test.cohort");
    FILE *price = begin_file("walk.csv", "timestamp_ms,open,high,low,close,volume\n");
    FILE *mark = begin_file("mark.csv", "timestamp_ms,open,high,low,close,volume\n");
    FILE *oi = begin_file("oi.csv", "time,oi\n");
    FILE *funding = begin_file("funding.csv", "time,rate\n");
    double last = 60000.0, held = 80000.0;
    for (int i = 0; i <= WALK_BARS; i++) {
        struct random_block draw = random_block_at(&stream, (uint32_t)i, 0);
        struct random_block more = random_block_at(&stream, (uint32_t)i, 1);
        double move = 0.008 * random_normal(random_uniform(draw.word[0]));
        if (i % 120 == 60)
            move = (i % 240 == 60 ? -1.0 : 1.0) * (0.06 + 0.06 * random_uniform(more.word[0]));
        double close = last * exp(move);
        double ohlc[4] = {last, fmax(last, close) * (1.0 + 0.004 * random_uniform(draw.word[1])),
                          fmin(last, close) * (1.0 - 0.004 * random_uniform(draw.word[2])), close};
        fprintf(oi, "%lld,%.17g\n", (long long)(FIRST_S + i * 3600), held);
        if (i < WALK_BARS) {
            write_bar(price, i, 1.0, ohlc);
            write_bar(mark, i, 0.9995, ohlc);
        }
        if (i % 8 == 0)
            fprintf(funding, "%lld,%.17g\n", (long long)(FIRST_S + i * 3600),
                    1e-4 + 4e-4 * sin(i / 60.0));
        held *= exp(0.01 * random_normal(random_uniform(draw.word[3])));
        last = close;
    }
    fclose(price);
    fclose(mark);
    fclose(oi);
    fclose(funding);
}

static int write_markets(void **state)
{
    write_walk();
    return 0;
}

static int remove_markets(void **state)
{
    scratch_remove();
    return 0;
}

/* ---- scenarios ------------------------------------------------------------------------------ */

struct world {
    struct scenario scenario;
    struct setup setup;
};

#define SETS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void world_load(struct world *self, const char *path, const char *const sets[])
{
    struct error_list errors = {0};
    struct error err = {0};
    size_t count = 0;
    while (sets[count] != NULL)
        count++;
    int code = scenario_load(&self->scenario, path, sets, count, &errors);
    scratch_print(&errors);
    assert_int_equal(code, ERROR_NONE);
    error_list_free(&errors);
    if (setup_init(&self->setup, &self->scenario, &err) != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
}

static void world_text(struct world *self, const char *text, const char *const sets[])
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file("scenario.yaml", text, path);
    world_load(self, path, sets);
}

static void world_free(struct world *self)
{
    setup_free(&self->setup);
    scenario_free(&self->scenario);
}

/* ---- evaluations ---------------------------------------------------------------------------- */

/* Everything that an evaluation gives, in one block. */
struct given {
    size_t bars;
    double *block;
    struct cohort_out out;
};
enum { GIVEN_COLUMNS = 8 + 2 * TIERS };

static struct given given_make(size_t bars)
{
    struct given self = {.bars = bars, .block = calloc(bars * GIVEN_COLUMNS, sizeof(double))};
    double *next = self.block;
    assert_non_null(next);
    for (int side = 0; side < 2; side++) {
        self.out.forced[side] = next;
        self.out.opens[side] = next + bars;
        self.out.closes[side] = next + 2 * bars;
        next += 3 * bars;
    }
    self.out.oi = next;
    self.out.replacement = next + bars;
    next += 2 * bars;
    for (int side = 0; side < 2; side++, next += bars * TIERS)
        self.out.forced_tiers[side] = next;
    return self;
}

static void expect_none(int code, const struct error *err)
{
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err->key, err->message);
}

/* With the scenario's own numbers, or those that `change` makes of them. */
static struct given evaluate_changed(const struct setup *setup, const struct cohort_detail *detail,
                                     void (*change)(struct cohort_params *))
{
    struct cohort cohort;
    struct cohort_work work;
    struct error err = {0};
    struct given given = given_make(setup->bars);
    struct cohort_params params = cohort_params_of(setup, &setup->levels[0]);
    if (change != NULL)
        change(&params);
    expect_none(cohort_init(&cohort, setup, detail, &err), &err);
    expect_none(cohort_work_init(&work, &cohort, &err), &err);
    expect_none(cohort_run(&work, &params, &given.out, &err), &err);
    cohort_work_free(&work);
    cohort_free(&cohort);
    return given;
}

static struct given evaluate(const struct setup *setup, const struct cohort_detail *detail)
{
    return evaluate_changed(setup, detail, NULL);
}

static void given_free(struct given *self)
{
    free(self->block);
}

static double sum(const double *values, size_t first, size_t end)
{
    double out = 0.0;
    for (size_t i = first; i < end; i++)
        out += values[i];
    return out;
}

/* ---- the engine ----------------------------------------------------------------------------- */

/* Flow of replicates of the engine, from the start on. */
struct engine {
    int replicates;
    double *mean[2], *squares[2]; /* per bar: sums while they are added */
    double distance[2];           /* mean of the replicates' own, from the cohorts */
    double oi_gap;                /* largest relative one, from the cohorts' */
};

static void engine_run(const struct world *world, uint32_t replicate, const struct given *given,
                       struct engine *self)
{
    const struct setup *setup = &world->setup;
    struct error err = {0};
    struct book book;
    struct path path;
    struct made_path made;
    struct run_warm warm;
    struct replay replay;
    const struct setup_level *level = &setup->levels[0];
    expect_none(setup_path(setup, replicate, &made, &path, &err), &err);
    expect_none(setup_book(setup, replicate, level, &book, &err), &err);
    expect_none(run_warm_init(&warm, setup, &path, &book, &err), &err);
    struct replay_params params = setup_replay(setup, level);
    params.feedback_bar = REPLAY_NEVER;
    expect_none(replay_fork(&replay, &params, &path, &warm.replay, &err), &err);
    double apart[2] = {0.0, 0.0};
    for (size_t bar = setup->start_bar; bar < setup->bars; bar++) {
        struct replay_step step;
        expect_none(replay_step(&replay, &step, &err), &err);
        for (int side = 0; side < 2; side++) {
            double coins = step.forced.side[side].coins;
            self->mean[side][bar] += coins;
            self->squares[side][bar] += coins * coins;
            apart[side] += fabs(coins - given->out.forced[side][bar]);
        }
        self->oi_gap = fmax(self->oi_gap, fabs(step.oi_coins / given->out.oi[bar] - 1.0));
    }
    for (int side = 0; side < 2; side++)
        self->distance[side] +=
            apart[side] / sum(given->out.forced[side], setup->start_bar, setup->bars);
    self->replicates++;
    replay_free(&replay);
    run_warm_free(&warm);
    book_free(&book);
}

static struct engine engine_make(struct world *world, int positions, int replicates,
                                 const struct given *given)
{
    size_t bars = world->setup.bars;
    struct engine self = {0};
    for (int side = 0; side < 2; side++) {
        self.mean[side] = calloc(bars, sizeof(double));
        self.squares[side] = calloc(bars, sizeof(double));
        assert_non_null(self.mean[side]);
        assert_non_null(self.squares[side]);
    }
    world->scenario.book.positions_per_bar = positions;
    for (int r = 0; r < replicates; r++)
        engine_run(world, (uint32_t)r, given, &self);
    for (int side = 0; side < 2; side++) {
        self.distance[side] /= replicates;
        for (size_t bar = 0; bar < bars; bar++)
            self.mean[side][bar] /= replicates;
    }
    return self;
}

static void engine_free(struct engine *self)
{
    for (int side = 0; side < 2; side++) {
        free(self->mean[side]);
        free(self->squares[side]);
    }
}

/* Standard error of a bar's mean. */
static double standard_error(const struct engine *self, int side, size_t bar)
{
    double n = self->replicates, mean = self->mean[side][bar];
    double variance = fmax(self->squares[side][bar] / n - mean * mean, 0.0) * n / (n - 1.0);
    return sqrt(variance / n);
}

/* The mean of the replicates is the cohorts' flow but for chance and quadrature: in total, and bar
   by bar. Bars' errors are taken to be independent, which overstates neither: a position lives on
   one path, and strata make the errors of a bar's columns negatively correlated. */
static void expect_at_limit(const struct world *world, const struct engine *engine,
                            const struct given *given, const char *what, int positions)
{
    size_t first = world->setup.start_bar, end = world->setup.bars;
    for (int side = 0; side < 2; side++) {
        double all = sum(given->out.forced[side], first, end), chance = 0.0, apart = 0.0;
        double variance = 0.0, mean = sum(engine->mean[side], first, end);
        for (size_t bar = first; bar < end; bar++) {
            double error = standard_error(engine, side, bar);
            variance += error * error;
            chance += sqrt(2.0 / M_PI) * error; /* mean of |normal| */
            apart += fabs(engine->mean[side][bar] - given->out.forced[side][bar]);
        }
        print_message("  %s, %d positions, %s: one run %.2f %% from the cohorts by bars, the mean "
                      "of %d %.2f %% (chance %.2f %%), %+.3f %% in total (chance %.3f %%)\n",
                      what, positions, side == BOOK_LONG ? "long" : "short",
                      100.0 * engine->distance[side], engine->replicates, 100.0 * apart / all,
                      100.0 * chance / all, 100.0 * (mean / all - 1.0),
                      100.0 * sqrt(variance) / all);
        assert_true(all > 0.0);
        assert_near(mean / all, 1.0, QUADRATURE + 4.0 * sqrt(variance) / all);
        assert_true(apart / all <= 2.0 * QUADRATURE + 1.5 * chance / all);
    }
}

/* From 20 positions a bar and side to 320: what is left of one run's distance is Monte Carlo error,
   which falls at least with the root of their number, so to a quarter or less (a third with room
   for few replicates). */
static void expect_convergence(struct world *world, const char *what)
{
    static const int positions[] = {20, 80, 320}, replicates[] = {16, 12, 8};
    struct given given = evaluate(&world->setup, NULL);
    double distance[3][2];
    for (int i = 0; i < 3; i++) {
        struct engine engine = engine_make(world, positions[i], replicates[i], &given);
        if (i == 2)
            expect_at_limit(world, &engine, &given, what, positions[i]);
        else
            print_message("  %s, %d positions: one run %.1f and %.1f %%\n", what, positions[i],
                          100.0 * engine.distance[0], 100.0 * engine.distance[1]);
        memcpy(distance[i], engine.distance, sizeof distance[i]);
        if (world->scenario.oi.flow == FLOW_OBSERVED)
            assert_true(engine.oi_gap < 1e-9);
        engine_free(&engine);
    }
    for (int side = 0; side < 2; side++) {
        assert_true(distance[1][side] < 0.65 * distance[0][side]);
        assert_true(distance[2][side] < 0.33 * distance[0][side]);
    }
    given_free(&given);
}

static void expect_convergence_with(const char *what, const char *const sets[])
{
    struct world world;
    world_text(&world, walk_text, sets);
    expect_convergence(&world, what);
    world_free(&world);
}

static void the_engine_comes_to_cohorts_with_more_positions(void **state)
{
    expect_convergence_with("walk", SETS("book.crowd_tilt=0", "book.hedged_short_share=0"));
}

static void so_it_does_with_a_tilted_crowd_and_hedged_shorts(void **state)
{
    expect_convergence_with("tilt", SETS("book.crowd_tilt=0.6", "book.hedged_short_share=0.45"));
}

static void so_it_does_with_holders_who_keep_losers(void **state)
{
    expect_convergence_with("disposition",
                            SETS("book.close=disposition", "book.disposition_ratio=1.51"));
}

static void so_it_does_over_venues_with_rules_of_their_own(void **state)
{
    expect_convergence_with(
        "venues", SETS("venues=[{name: a, oi_share: 0.5, rules: binance}, {name: b, oi_share: 0.3, "
                       "rules: binance_coinm, adl: none}, {name: c, oi_share: 0.2, rules: cme}]",
                       "book.pool_share=0.2"));
}

static void so_it_does_with_frozen_open_interest_at_another_level(void **state)
{
    expect_convergence_with("frozen", SETS("oi.flow=frozen", "oi.level_coins=120000",
                                           "book.absorbed_by_closers=0.6",
                                           "book.leverage.model=lognormal_tail",
                                           "book.remargin_per_hour=0.02", "book.entry=vwap"));
}

static void so_it_does_on_the_reconstruction_of_november_2025(void **state)
{
    struct world world;
    world_load(&world, LIQCASCADE_SOURCE_DIR "/scenarios/btc-2025-11.yaml", SETS("time.step=1h"));
    expect_convergence(&world, "btc-2025-11, hours");
    world_free(&world);
}

/* ---- real data ------------------------------------------------------------------------------ */

static const char summer[] =
    "format: 1\n"
    "symbol: %1$sUSDT\n"
    "time: {warmup: 2024-06-19T22:00Z, start: 2024-07-19T22:00Z, end: 2024-08-19T16:00Z, step: "
    "1h}\n"
    "data:\n"
    "  kind: observed\n"
    "  price: {path: %3$s/binance-1h/%2$susdt-price.csv.zst, format: ohlcv_ms}\n"
    "  mark: {path: %3$s/binance-1h/%2$susdt-mark.csv.zst, format: ohlcv_ms}\n"
    "  funding: {path: %3$s/binance-1h/%2$susdt-funding.csv.zst, format: funding_ms, interval: 8h, "
    "unit: fraction}\n"
    "  oi: {path: %3$s/coinalyze-2024/%1$sUSDT_PERP.A_open-interest-history.csv.zst, format: "
    "coinalyze_open_interest, time: {zone: \"+06:00\"}, scope: binance}\n"
    "feedback: open\n";

static void so_it_does_over_the_summer_of_2024(void **state)
{
    static const char *const coins[][2] = {{"BTC", "btc"}, {"ETH", "eth"}};
    const char *given = getenv("LIQCASCADE_TEST_DATA");
    const char *folder = given != NULL ? given : LIQCASCADE_SOURCE_DIR "/../shared/data";
    char root[4096], text[5 * sizeof root];
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "%s/coinalyze-2024/%sUSDT_PERP.A_open-interest-history.csv.zst",
                 folder, coins[i][0]);
        if (access(text, R_OK) != 0 || realpath(folder, root) == NULL) {
            print_message("  %s skipped: no real data (set LIQCASCADE_TEST_DATA)\n", coins[i][0]);
            continue;
        }
        struct world world;
        snprintf(text, sizeof text, summer, coins[i][0], coins[i][1], root);
        world_text(&world, text, SETS("book.crowd_tilt=0.3"));
        expect_convergence(&world, coins[i][0]);
        world_free(&world);
    }
}

/* ---- quadrature ----------------------------------------------------------------------------- */

/* The limit itself: columns of a quarter of the width and four times the sizes. */
static void finer_columns_change_little(void **state)
{
    static const struct cohort_detail wide = {0.08, 4}, fine = {0.01, 16};
    struct world world;
    world_text(&world, walk_text, SETS("book.crowd_tilt=0.6"));
    struct given usual = evaluate(&world.setup, NULL), limit = evaluate(&world.setup, &fine),
                 rough = evaluate(&world.setup, &wide);
    for (int side = 0; side < 2; side++) {
        double apart[2] = {0.0, 0.0}, all = sum(limit.out.forced[side], 0, limit.bars);
        for (size_t bar = 0; bar < limit.bars; bar++) {
            apart[0] += fabs(usual.out.forced[side][bar] - limit.out.forced[side][bar]);
            apart[1] += fabs(rough.out.forced[side][bar] - limit.out.forced[side][bar]);
        }
        print_message("  side %d: %.3f %% by bars, with columns twice as wide %.3f %%; %+.3f %% in "
                      "total\n",
                      side, 100.0 * apart[0] / all, 100.0 * apart[1] / all,
                      100.0 * (sum(usual.out.forced[side], 0, limit.bars) / all - 1.0));
        assert_true(apart[0] / all < 2.0 * QUADRATURE);
        assert_true(apart[0] < 0.5 * apart[1]);
    }
    given_free(&usual);
    given_free(&limit);
    given_free(&rough);
    world_free(&world);
}

/* ---- closed forms --------------------------------------------------------------------------- */

/* A flat market of a few hours at 100, without maintenance margin: a position of leverage L lies
   1/L from its entry. Tests bend it in memory. */
static const char small_text[] =
    "format: 1\n"
    "symbol: BTCUSDT\n"
    "time: {warmup: 2024-03-01T00:00Z, start: 2024-03-01T02:00Z, end: 2024-03-02T00:00Z, step: "
    "1h}\n"
    "data:\n"
    "  on: {stale: accept}\n"
    "  price: {path: small.csv, format: ohlcv_ms}\n"
    "  oi: {path: small_oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: "
    "oi}, unit: coins}\n"
    "  funding: {path: small_funding.csv, format: generic, time: {column: time, as: unix_s}, "
    "columns: {rate: rate}, unit: fraction}\n"
    "venues: [{name: flat, oi_share: 1, rules: flat, flat_rate: 0, flat_max_leverage: 100}]\n"
    "book: {turnover_per_hour: 0, hedged_short_share: 0, crowd_tilt: 0, leverage: "
    "{hazard_exponent: 0}}\n"
    "feedback: open\n";

static const double OI = 1000.0;

static void small_make(struct world *self, const char *const sets[])
{
    static const double flat[4] = {100.0, 100.0, 100.0, 100.0};
    FILE *price = begin_file("small.csv", "timestamp_ms,open,high,low,close,volume\n");
    FILE *oi = begin_file("small_oi.csv", "time,oi\n");
    FILE *funding = begin_file("small_funding.csv", "time,rate\n");
    for (int i = 0; i <= SMALL_BARS; i++) {
        if (i < SMALL_BARS)
            write_bar(price, i, 1.0, flat);
        fprintf(oi, "%lld,%.17g\n", (long long)(FIRST_S + i * 3600), OI);
        fprintf(funding, "%lld,0\n", (long long)(FIRST_S + i * 3600));
    }
    fclose(price);
    fclose(oi);
    fclose(funding);
    world_text(self, small_text, sets);
    assert_int_equal(self->setup.bars, SMALL_BARS);
}

static void set_bar(struct world *self, size_t bar, double open, double high, double low,
                    double close)
{
    struct market_bars *both[] = {&self->setup.market.last, &self->setup.market.mark};
    for (int i = 0; i < 2; i++) {
        both[i]->open[bar] = open;
        both[i]->high[bar] = high;
        both[i]->low[bar] = low;
        both[i]->close[bar] = close;
    }
}

/* From `bar` on the price stands at `price`, after a move within that bar. */
static void set_price(struct world *self, size_t bar, double price)
{
    double before = self->setup.market.last.close[bar - 1];
    set_bar(self, bar, before, fmax(before, price), fmin(before, price), price);
    for (size_t i = bar + 1; i < SMALL_BARS; i++)
        set_bar(self, i, price, price, price, price);
}

/* Fine columns, for what lies at one price. */
static const struct cohort_detail fine = {0.002, 4};

/* One leverage of 10, a maintenance margin of 1 %, all entered at 100: every long is liquidated at
   100 (1 - 1/10) / (1 - 0.01) = 90.909 and nowhere else, every short at 100 (1 + 1/10) / (1 + 0.01)
   = 108.911. The bar of the move opens others, at its typical price, who stay. */
static void one_leverage_fires_at_one_price(void **state)
{
    static const double trigger[2] = {100.0 * 0.9 / 0.99, 100.0 * 1.1 / 1.01};
    for (int side = 0; side < 2; side++) {
        struct world world;
        double beyond = side == BOOK_LONG ? -1.0 : 1.0;
        small_make(&world,
                   SETS("venues=[{name: flat, oi_share: 1, rules: flat, flat_rate: 0.01, "
                        "flat_max_leverage: 50}]",
                        "book.entry=vwap", "book.turnover_per_hour=0.05",
                        "book.leverage={model: tiers, tiers: [{leverage: 10, weight: 1}]}"));
        set_price(&world, 10, trigger[side] * (1.0 - 0.0005 * beyond));
        set_price(&world, 12, trigger[side] * (1.0 + 0.0005 * beyond));
        struct given given = evaluate(&world.setup, &fine);
        double *forced = given.out.forced[side], *opens = given.out.opens[side];
        /* Turnover since has closed and opened alike: who entered at 100 is what is left of them.
         */
        double young = 1.0 - pow(0.95, 2.0);
        assert_near(sum(forced, 0, 12), 0.0, 0.0);
        assert_near(opens[10], 0.05 * OI, 1e-9);
        assert_near(forced[12], OI * (1.0 - young), 1e-6 * OI);
        assert_near(sum(forced, 13, SMALL_BARS), 0.0, 0.0);
        assert_near(sum(given.out.forced[1 - side], 0, SMALL_BARS), 0.0, 0.0);
        given_free(&given);
        world_free(&world);
    }
}

/* Pareto with alpha 1 from 1x to 100x: 1/L is uniform on [0.01, 1], and so are the distances. */
static double uniform_share(double distance)
{
    return fmin(fmax((distance - 0.01) / 0.99, 0.0), 1.0);
}

/* Without turnover, and with an open interest that falls by what is liquidated, nobody opens after
   the first bar: longs of [a, b] of distance fire as the price goes through them. */
static void uniform_distances_fire_as_the_price_goes_through_them(void **state)
{
    for (int side = 0; side < 2; side++) {
        struct world world;
        double sign = side == BOOK_LONG ? -1.0 : 1.0, before = 0.0;
        small_make(&world, SETS("book.leverage={model: pareto, alpha: 1, maximum: 100, "
                                "hazard_exponent: 0}"));
        for (size_t bar = 1; bar < SMALL_BARS; bar++) {
            double distance = 0.02 * (double)bar;
            set_price(&world, bar, 100.0 * (1.0 + sign * distance));
            world.setup.market.oi_coins[bar] = OI * (1.0 - uniform_share(distance));
        }
        struct given given = evaluate(&world.setup, NULL);
        for (size_t bar = 1; bar < SMALL_BARS; bar++) {
            double now = uniform_share(0.02 * (double)bar);
            assert_near(given.out.forced[side][bar], OI * (now - before), 1.5e-4 * OI);
            assert_near(given.out.forced[1 - side][bar], 0.0, 0.0);
            before = now;
        }
        given_free(&given);
        world_free(&world);
    }
}

/* A long that pays f for k intervals at its entry price is liquidated by funding alone at k = (1/L
   - m) / f; the shorts receive it. */
static void funding_alone_liquidates(void **state)
{
    struct world world;
    double before = 0.0;
    small_make(&world, SETS("book.leverage={model: pareto, alpha: 1, maximum: 100, "
                            "hazard_exponent: 0}"));
    for (size_t bar = 1; bar < SMALL_BARS; bar++) {
        world.setup.market.funding_rate[bar] = 0.015;
        world.setup.market.oi_coins[bar] = OI * (1.0 - uniform_share(0.015 * (double)bar));
    }
    struct given given = evaluate(&world.setup, NULL);
    for (size_t bar = 1; bar < SMALL_BARS; bar++) {
        double now = uniform_share(0.015 * (double)bar);
        assert_near(given.out.forced[BOOK_LONG][bar], OI * (now - before), 2e-4 * OI);
        assert_near(given.out.forced[BOOK_SHORT][bar], 0.0, 0.0);
        before = now;
    }
    given_free(&given);
    world_free(&world);
}

/* Entries of the first bar lie in [95, 105], most at 100 (triangular): at 10x they are liquidated
   between 85.5 and 94.5. Those from 100 / 0.9 up would have been dead at a close of 100; there are
   none. */
static void entries_spread_over_their_bar(void **state)
{
    static const double prices[] = {95.0, 94.0, 92.0, 90.0, 88.0, 86.0, 85.0};
    struct world world;
    double before = 0.0;
    small_make(&world, SETS("book.leverage={model: tiers, tiers: [{leverage: 10, weight: 1}]}"));
    set_bar(&world, 0, 100.0, 105.0, 95.0, 100.0);
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        double rest = fmin(fmax(prices[i] / 0.9, 95.0), 105.0); /* entries from here on are gone */
        double gone =
            rest >= 100.0 ? pow(105.0 - rest, 2.0) / 50.0 : 1.0 - pow(rest - 95.0, 2.0) / 50.0;
        set_price(&world, i + 1, prices[i]);
        for (size_t bar = i + 1; bar < SMALL_BARS; bar++)
            world.setup.market.oi_coins[bar] = OI * (1.0 - gone);
        struct given given = evaluate(&world.setup, &fine);
        assert_near(given.out.forced[BOOK_LONG][i + 1], OI * (gone - before), 1e-3 * OI);
        before = gone;
        given_free(&given);
    }
    world_free(&world);
}

/* Of those entries at 20x, who bought above 100 / 0.95 = 105.26 would be gone at a close of 100;
   with a close of 97 that are those above 102.1: they enter at the close and lie at 92.15. */
static void entries_that_the_close_has_passed_are_made_at_the_close(void **state)
{
    struct world world;
    small_make(&world, SETS("book.leverage={model: tiers, tiers: [{leverage: 20, weight: 1}]}"));
    set_bar(&world, 0, 100.0, 105.0, 95.0, 97.0); /* typical price: 99 */
    double dead = pow(105.0 - 97.0 / 0.95, 2.0) / (10.0 * (105.0 - 99.0));
    for (size_t bar = 1; bar < SMALL_BARS; bar++)
        set_bar(&world, bar, 97.0, 97.0, 97.0, 97.0);
    set_price(&world, 1, 92.25); /* entries above 97.1 are gone, the dead at the close not yet */
    double above = 1.0 - pow(92.25 / 0.95 - 95.0, 2.0) / (10.0 * (99.0 - 95.0));
    double first = above - dead;
    world.setup.market.oi_coins[1] = OI * (1.0 - first);
    struct given given = evaluate(&world.setup, &fine);
    assert_near(given.out.forced[BOOK_LONG][1], OI * first, 2e-3 * OI);
    given_free(&given);
    set_price(&world, 2, 92.05);
    double later = dead + (pow(92.25 / 0.95 - 95.0, 2.0) - pow(92.05 / 0.95 - 95.0, 2.0)) /
                              (10.0 * (99.0 - 95.0));
    given = evaluate(&world.setup, &fine);
    assert_near(given.out.forced[BOOK_LONG][2], OI * later, 2e-3 * OI);
    given_free(&given);
    world_free(&world);
}

/* ---- what always holds ---------------------------------------------------------------------- */

static void coins_are_neither_made_nor_lost(void **state)
{
    struct world world;
    world_text(&world, walk_text, SETS("book.crowd_tilt=0.3"));
    struct given given = evaluate(&world.setup, NULL);
    const struct cohort_out *out = &given.out;
    for (size_t bar = 0; bar < given.bars; bar++) {
        double before = bar > 0 ? out->oi[bar - 1] : 0.0;
        double observed = world.setup.market.oi_coins[bar];
        assert_near(out->oi[bar], observed, 1e-9 * observed);
        for (int side = 0; side < 2; side++) {
            double after =
                before + out->opens[side][bar] - out->closes[side][bar] - out->forced[side][bar];
            assert_near(after, observed, 1e-9 * observed);
            double tiers = sum(out->forced_tiers[side] + bar * TIERS, 0, TIERS);
            assert_near(tiers, out->forced[side][bar], 1e-9 * observed);
            assert_true(out->forced[side][bar] >= 0.0 && out->closes[side][bar] >= 0.0);
        }
    }
    given_free(&given);
    world_free(&world);
}

/* Fits change numbers back and forth, in threads: the same numbers give the same bytes. */
static void the_same_numbers_give_the_same_bytes(void **state)
{
    enum { WORKS = 4 };
    struct world world;
    struct cohort cohort;
    struct error err = {0};
    world_text(&world, walk_text, SETS("book.crowd_tilt=0.3"));
    expect_none(cohort_init(&cohort, &world.setup, NULL, &err), &err);
    struct given given[WORKS];
    int codes[WORKS] = {0};
    for (int i = 0; i < WORKS; i++)
        given[i] = given_make(cohort.bars);
#pragma omp parallel for num_threads(2) schedule(static, 1)
    for (int i = 0; i < WORKS; i++) {
        struct cohort_work work;
        struct cohort_params params = cohort_params_of(&world.setup, &world.setup.levels[0]);
        struct cohort_params other = params;
        other.leverage.alpha = 0.8 + 0.1 * i;
        other.disposition_ratio = i % 2 == 0 ? 1.5 : 1.0;
        codes[i] = cohort_work_init(&work, &cohort, NULL);
        if (codes[i] != ERROR_NONE)
            continue;
        for (int k = 0; k < i && codes[i] == ERROR_NONE; k++)
            codes[i] = cohort_run(&work, &other, &given[i].out, NULL);
        if (codes[i] == ERROR_NONE)
            codes[i] = cohort_run(&work, &params, &given[i].out, NULL);
        cohort_work_free(&work);
    }
    for (int i = 0; i < WORKS; i++) {
        assert_int_equal(codes[i], ERROR_NONE);
        assert_memory_equal(given[i].block, given[0].block,
                            cohort.bars * GIVEN_COLUMNS * sizeof(double));
    }
    for (int i = 0; i < WORKS; i++)
        given_free(&given[i]);
    cohort_free(&cohort);
    world_free(&world);
}

static void other_numbers(struct cohort_params *params)
{
    params->leverage.alpha = 1.4;
    params->leverage.maximum = 37.0;
    params->leverage.hazard_exponent = 0.8;
    params->turnover_per_hour = 0.11;
    params->crowd_tilt = 0.55;
    params->hedged_short_share = 0.2;
    params->hedged_leverage[1] = 5.0;
    params->remargin_per_hour = 0.03;
    params->disposition_ratio = 1.4;
}

/* Numbers changed in cohort_params are those that a scenario of them would have. */
static void changed_numbers_are_those_of_a_scenario(void **state)
{
    struct world one, other;
    world_text(&one, walk_text, SETS("book.crowd_tilt=0.3"));
    world_text(&other, walk_text,
               SETS("book.leverage={alpha: 1.4, maximum: 37, hazard_exponent: 0.8}",
                    "book.turnover_per_hour=0.11", "book.crowd_tilt=0.55",
                    "book.hedged_short_share=0.2", "book.hedged_leverage=[1, 5]",
                    "book.remargin_per_hour=0.03", "book.close=disposition",
                    "book.disposition_ratio=1.4"));
    struct given changed = evaluate_changed(&one.setup, NULL, other_numbers),
                 given = evaluate(&other.setup, NULL), unchanged = evaluate(&one.setup, NULL);
    size_t bytes = given.bars * GIVEN_COLUMNS * sizeof(double);
    assert_memory_equal(changed.block, given.block, bytes);
    assert_memory_not_equal(changed.block, unchanged.block, bytes);
    given_free(&changed);
    given_free(&given);
    given_free(&unchanged);
    world_free(&one);
    world_free(&other);
}

/* ---- refusals and failures ------------------------------------------------------------------ */

static void what_cohorts_cannot_represent_is_refused_by_key(void **state)
{
    static const struct {
        const char *const sets[3];
        const char *key;
    } refused[] = {
        {{"path={model: shock, at: 2024-03-20T00:00Z, move_log: -0.1}", "feedback=closed"},
         "path.model"},
        {{"funding.model=premium_clamp"}, "funding.model"},
        {{"oi.scale_by=sizes", "oi.level_coins=100000"}, "oi.scale_by"},
        {{"venues=[{name: a, oi_share: 1, rules: binance, adl: pnl_leverage, insurance_fund_usd: "
          "1e8}]"},
         "venues.insurance_fund_usd"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct world world;
        struct cohort cohort;
        struct error err = {0};
        world_text(&world, walk_text, refused[i].sets);
        assert_int_equal(cohort_init(&cohort, &world.setup, NULL, &err), ERROR_SCENARIO);
        assert_string_equal(err.key, refused[i].key);
        world_free(&world);
    }
}

static void numbers_that_make_no_distribution_are_refused(void **state)
{
    struct world world;
    struct cohort cohort;
    struct cohort_work work;
    struct error err = {0};
    small_make(&world, SETS("seed=1"));
    expect_none(cohort_init(&cohort, &world.setup, NULL, &err), &err);
    expect_none(cohort_work_init(&work, &cohort, &err), &err);
    struct cohort_params good = cohort_params_of(&world.setup, &setup_as_observed);
    struct cohort_params bad[4] = {good, good, good, good};
    bad[0].leverage.alpha = -1.0;
    bad[1].hedged_short_share = 1.5;
    bad[2].leverage.kind = LEVERAGE_KIND_LOGNORMAL_TAIL;
    bad[2].leverage.tail_from = 1000.0;
    bad[3].hedged_leverage[0] = 0.5;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(cohort_run(&work, &bad[i], &(struct cohort_out){0}, &err), ERROR_SCENARIO);
        expect_none(cohort_run(&work, &good, &(struct cohort_out){0}, &err), &err);
    }
    cohort_work_free(&work);
    cohort_free(&cohort);
    world_free(&world);
}

static void a_venue_that_closes_in_parts_is_told(void **state)
{
    static const char *const venues[] = {
        "venues=[{name: a, oi_share: 1, rules: binance}]",
        "venues=[{name: a, oi_share: 1, rules: hyperliquid}]",
        "venues=[{name: a, oi_share: 1, rules: hyperliquid, liquidation: full}]",
    };
    for (int i = 0; i < 3; i++) {
        struct world world;
        struct cohort cohort;
        struct error err = {0};
        world_text(&world, walk_text, SETS(venues[i]));
        expect_none(cohort_init(&cohort, &world.setup, NULL, &err), &err);
        assert_int_equal(cohort.whole_closes, i > 0);
        cohort_free(&cohort);
        world_free(&world);
    }
}

static int make_both(const struct setup *setup, struct error *err)
{
    struct cohort cohort;
    struct cohort_work work;
    int code = cohort_init(&cohort, setup, NULL, err);
    if (code != ERROR_NONE)
        return code;
    code = cohort_work_init(&work, &cohort, err);
    if (code == ERROR_NONE)
        cohort_work_free(&work);
    cohort_free(&cohort);
    return code;
}

/* Every allocation fails once: an error, and nothing leaks (the sanitizers' runs see to that). */
static void short_memory_is_an_error(void **state)
{
    struct world world;
    long failed = 0;
    small_make(&world, SETS("seed=1"));
    set_price(&world, 5, 90.0);
    for (long countdown = 1;; countdown++) {
        struct error err = {0};
        memory_fail_after(countdown);
        int code = make_both(&world.setup, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        assert_int_equal(err.code, ERROR_IO);
        failed++;
    }
    print_message("  %ld failures\n", failed);
    assert_true(failed > 20);
    world_free(&world);
}

/* Evaluations allocate nothing: with no memory to be had they give what they gave. */
static void an_evaluation_allocates_nothing(void **state)
{
    struct world world;
    struct cohort cohort;
    struct cohort_work work;
    struct error err = {0};
    small_make(&world, SETS("seed=1"));
    expect_none(cohort_init(&cohort, &world.setup, NULL, &err), &err);
    expect_none(cohort_work_init(&work, &cohort, &err), &err);
    struct cohort_params params = cohort_params_of(&world.setup, &setup_as_observed);
    for (int i = 0; i < 2; i++) {
        memory_fail_after(1);
        int code = cohort_run(&work, &params, &(struct cohort_out){0}, &err);
        memory_fail_after(0);
        expect_none(code, &err);
        params.disposition_ratio = 1.5;
    }
    cohort_work_free(&work);
    cohort_free(&cohort);
    world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_comes_to_cohorts_with_more_positions),
        cmocka_unit_test(so_it_does_with_a_tilted_crowd_and_hedged_shorts),
        cmocka_unit_test(so_it_does_with_holders_who_keep_losers),
        cmocka_unit_test(so_it_does_over_venues_with_rules_of_their_own),
        cmocka_unit_test(so_it_does_with_frozen_open_interest_at_another_level),
        cmocka_unit_test(so_it_does_on_the_reconstruction_of_november_2025),
        cmocka_unit_test(so_it_does_over_the_summer_of_2024),
        cmocka_unit_test(finer_columns_change_little),
        cmocka_unit_test(one_leverage_fires_at_one_price),
        cmocka_unit_test(uniform_distances_fire_as_the_price_goes_through_them),
        cmocka_unit_test(funding_alone_liquidates),
        cmocka_unit_test(entries_spread_over_their_bar),
        cmocka_unit_test(entries_that_the_close_has_passed_are_made_at_the_close),
        cmocka_unit_test(coins_are_neither_made_nor_lost),
        cmocka_unit_test(the_same_numbers_give_the_same_bytes),
        cmocka_unit_test(changed_numbers_are_those_of_a_scenario),
        cmocka_unit_test(what_cohorts_cannot_represent_is_refused_by_key),
        cmocka_unit_test(numbers_that_make_no_distribution_are_refused),
        cmocka_unit_test(a_venue_that_closes_in_parts_is_told),
        cmocka_unit_test(short_memory_is_an_error),
        cmocka_unit_test(an_evaluation_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, write_markets, remove_markets);
}
