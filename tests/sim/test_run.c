/*
 * Whole runs through the public functions, from a scenario file and CSV files to the rows of the
 * result tables: what a risk desk would check before it believes a number.
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
#include "sim/run.h"
#include "tests/scenarios/scratch.h"
#include "tests/support/near.h"

enum { BARS = 576, START_BAR = 432, STEP_S = 300 };
static const int64_t FIRST_S = 1709251200; /* 2024-03-01T00:00Z */
static const double PLACE = 60000.0;

static const char scenario_text[] =
    "format: 1\n"
    "symbol: BTCUSDT\n"
    "seed: 11\n"
    "time: {warmup: 2024-03-01T00:00Z, start: 2024-03-02T12:00Z, end: 2024-03-03T00:00Z, step: "
    "5m}\n"
    "data:\n"
    "  price: {path: price.csv, format: ohlcv_ms}\n"
    "  oi: {path: oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, "
    "unit: coins}\n"
    "book: {positions_per_bar: 40}\n"
    "impact: {reference_coins: 2000, depth: {model: constant}}\n"
    "output: [summary, steps, tiers, venues, episodes, positions]\n";

static const char shock[] = "path={model: shock, at: 2024-03-02T12:00Z, move_log: %.17g}";

/* ---- the market: a wave of 1 % and, from 18:00 on, a fall of 8 % within an hour -------------- */

static double last_price(int bar)
{
    double fall = fmin(fmax((double)(bar - 504) / 12.0, 0.0), 1.0);
    return PLACE *
           (1.0 + 0.01 * sin(2.0 * M_PI * bar / 200.0) + 0.002 * sin(2.0 * M_PI * bar / 7.0)) *
           (1.0 - 0.08 * fall);
}

static double oi_coins(int bar)
{
    double fall = fmin(fmax((double)(bar - 504) / 12.0, 0.0), 1.0);
    return 50000.0 - 4000.0 * fall + bar % 3;
}

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
    FILE *price = scratch_stream("price.csv"), *oi = scratch_stream("oi.csv");
    double before = PLACE;
    fputs("timestamp_ms,open,high,low,close,volume\n", price);
    fputs("time,oi\n", oi);
    for (int i = 0; i < BARS; i++) {
        double close = last_price(i);
        fprintf(price, "%lld000,%.17g,%.17g,%.17g,%.17g,100\n", (long long)(FIRST_S + i * STEP_S),
                before, fmax(before, close) * 1.0004, fmin(before, close) * 0.9996, close);
        fprintf(oi, "%lld,%.17g\n", (long long)(FIRST_S + i * STEP_S), oi_coins(i));
        before = close;
    }
    fprintf(oi, "%lld,46001\n", (long long)(FIRST_S + BARS * STEP_S));
    fclose(price);
    fclose(oi);
    return 0;
}

static int remove_market(void **state)
{
    scratch_remove();
    return 0;
}

/* ---- a run ---------------------------------------------------------------------------------- */

struct ran {
    struct scenario scenario;
    struct setup setup;
    struct run_tables tables;
};

/* Runs the scenario with settings, up to a NULL; the test fails with the errors when it does not.
 */
static void run_with(struct ran *self, const char *const sets[])
{
    char path[SCRATCH_PATH_SIZE];
    struct error_list errors = {0};
    struct error err = {0};
    size_t count = 0;
    while (sets != NULL && sets[count] != NULL)
        count++;
    scratch_file("scenario.yaml", scenario_text, path);
    int code = scenario_load(&self->scenario, path, sets, count, &errors);
    scratch_print(&errors);
    assert_int_equal(code, ERROR_NONE);
    error_list_free(&errors);
    code = setup_init(&self->setup, &self->scenario, &err);
    if (code == ERROR_NONE)
        code = run_scenario(&self->setup, &self->tables, &err);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
}

#define RUN(self, ...) run_with(self, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void done(struct ran *self)
{
    run_tables_free(&self->tables);
    setup_free(&self->setup);
    scenario_free(&self->scenario);
}

static const char *shock_of(double move_log, char buffer[128])
{
    snprintf(buffer, 128, shock, move_log);
    return buffer;
}

static void assert_share(double value, double expected)
{
    assert_near(value, expected, 1e-9 * fmax(fabs(expected), 1.0));
}

/* ---- what a shock liquidates ---------------------------------------------------------------- */

/* Longs of positions.csv that a price reaches. */
static double longs_within(const struct run_tables *tables, double price, int64_t *out_positions)
{
    double coins = 0.0;
    *out_positions = 0;
    for (size_t i = 0; i < tables->position_count; i++) {
        const struct metrics_position *position = &tables->positions[i];
        if (strcmp(position->side, "long") != 0 || position->liquidation_price < price)
            continue;
        coins += position->coins;
        *out_positions += 1;
    }
    return coins;
}

static void
without_impact_a_shock_liquidates_the_longs_that_it_reaches_and_no_one_else(void **state)
{
    char text[128];
    const double moves[] = {-0.005, -0.02, -0.1, -0.4};
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        struct ran ran;
        RUN(&ran, shock_of(moves[i], text), "impact.model=none", "oi.flow=frozen");
        const struct metrics_summary *summary = ran.tables.summary;
        int64_t positions;
        double coins = longs_within(&ran.tables, summary->price_start * exp(moves[i]), &positions);
        print_message("  %+.3f: %lld positions, %.1f coins\n", moves[i], (long long)positions,
                      coins);
        assert_true(positions > 0);
        assert_int_equal(summary->liquidated_positions, positions);
        assert_share(summary->liquidated_long_coins / coins, 1.0);
        assert_near(summary->liquidated_short_coins, 0.0, 0.0);
        assert_share(summary->price_end / (summary->price_start * exp(moves[i])), 1.0);
        done(&ran);
    }
}

static void a_rise_liquidates_shorts_only(void **state)
{
    struct ran ran;
    char text[128];
    RUN(&ran, shock_of(0.1, text), "oi.flow=frozen");
    assert_true(ran.tables.summary->liquidated_short_coins > 0.0);
    assert_near(ran.tables.summary->liquidated_long_coins, 0.0, 0.0);
    assert_near(ran.tables.summary->long_share, 0.0, 0.0);
    assert_true(ran.tables.summary->price_high > ran.tables.summary->price_start * exp(0.1));
    done(&ran);
}

static void a_larger_shock_never_liquidates_less_and_feedback_never_makes_it_smaller(void **state)
{
    double before[2] = {0.0, 0.0};
    for (int k = 1; k <= 12; k++) {
        double coins[2], low[2];
        char text[128];
        for (int impact = 0; impact < 2; impact++) {
            struct ran ran;
            RUN(&ran, shock_of(-0.01 * k, text),
                impact ? "impact.model=power" : "impact.model=none", "oi.flow=frozen");
            coins[impact] = ran.tables.summary->liquidated_coins;
            low[impact] = ran.tables.summary->price_low;
            done(&ran);
            assert_true(coins[impact] >= before[impact]);
            before[impact] = coins[impact];
        }
        print_message("  -%d %%: %.1f coins without impact, %.1f with it\n", k, coins[0], coins[1]);
        assert_true(coins[1] >= coins[0]);
        assert_true(low[1] < low[0]);
    }
}

static void nobody_is_liquidated_twice(void **state)
{
    struct ran ran;
    char text[128];
    RUN(&ran, shock_of(-4.0, text), "oi.flow=frozen");
    const struct metrics_summary *summary = ran.tables.summary;
    print_message("  of a fall of 98 %%: %.2f %% of the longs\n",
                  100.0 * summary->liquidated_long_coins / summary->oi_start_coins);
    assert_true(summary->liquidated_long_coins <= summary->oi_start_coins * (1.0 + 1e-12));
    assert_true(summary->liquidated_share_of_oi > 0.9);
    assert_true(summary->oi_end_coins >= 0.0);
    for (size_t i = 0; i < ran.tables.tier_count; i++)
        assert_true(ran.tables.tiers[i].liquidated_coins <=
                    ran.tables.tiers[i].oi_start_coins * (1.0 + 1e-9));
    done(&ran);
}

/* A fall of 10 % against entries within 2.5 % of the price: a long at 5x is liquidated 19.7 % below
   its entry, one at 20x at most 5 %. */
static void a_fall_of_a_tenth_takes_every_long_at_20x_and_none_below_5x(void **state)
{
    struct ran ran;
    char text[128];
    RUN(&ran, shock_of(log(0.9), text), "impact.model=none", "oi.flow=frozen");
    for (size_t i = 0; i < ran.tables.tier_count; i++) {
        const struct metrics_tier *tier = &ran.tables.tiers[i];
        bool is_long = strcmp(tier->side, "long") == 0;
        if (is_long)
            print_message("  from %gx: %.1f of %.1f coins\n", tier->leverage_from,
                          tier->liquidated_coins, tier->oi_start_coins);
        if (is_long && tier->leverage_from >= 20.0)
            assert_share(tier->liquidated_coins / tier->oi_start_coins, 1.0);
        else if (!is_long || tier->leverage_to <= 5.0)
            assert_near(tier->liquidated_coins, 0.0, 0.0);
    }
    done(&ran);
}

/* A fall at once is a gap: who is liquidated in it has no margin left beyond twice the maintenance
   margin (closed form 10). The same fall in steps of 0.21 %, less than any maintenance margin,
   leaves something of each. */
static void a_gap_costs_the_insurance_funds_what_a_slide_does_not(void **state)
{
    static const char *const over[] = {"path.over=0m", "path.over=4h", "path.over=0m",
                                       "path.over=0m"};
    static const char *const fill[] = {"fill=walk", "fill=walk", "fill=final", "fill=final"};
    double net[4];
    char text[128];
    for (size_t i = 0; i < 4; i++) {
        struct ran ran;
        RUN(&ran, shock_of(-0.1, text), over[i], fill[i], "oi.flow=frozen",
            i < 3 ? "impact.model=none" : "impact.model=linear");
        const struct metrics_summary *summary = ran.tables.summary;
        net[i] = summary->insurance_gain_usd - summary->insurance_draw_usd;
        if (i == 1)
            assert_near(summary->insurance_draw_usd, 0.0, 0.0);
        if (fill[i] == fill[2])
            assert_share(summary->liquidated_usd / (summary->liquidated_coins * summary->price_low),
                         1.0);
        assert_near(summary->bad_debt_usd, 0.0, 0.0);
        done(&ran);
    }
    print_message("  insurance funds: %+.0f USD of a gap, %+.0f of a slide\n", net[0], net[1]);
    assert_true(net[0] < 0.0 && net[1] > 0.0);
    assert_share(net[2] / net[0], 1.0); /* without impact there is no way to walk */
    assert_true(net[3] < net[2]);
}

/* ---- the tables agree ----------------------------------------------------------------------- */

static double step_usd(const struct metrics_step *step)
{
    return step->liquidated_long_usd + step->liquidated_short_usd;
}

static void steps_tiers_and_venues_add_up_to_the_summary(void **state)
{
    struct ran ran;
    RUN(&ran, "feedback=naive",
        "venues=[{name: a, oi_share: 0.6}, {name: b, oi_share: 0.4, rules: flat, flat_rate: 0.004, "
        "flat_max_leverage: 100}]");
    const struct run_tables *tables = &ran.tables;
    const struct metrics_summary *summary = tables->summary;
    struct metrics_step sum = {0};
    double low = INFINITY, high = -INFINITY, peak = 0.0, hour = 0.0, tier_usd = 0.0,
           venue_usd = 0.0;
    int64_t tier_positions = 0, venue_positions = 0;
    double shares = 0.0;
    assert_int_equal(tables->step_count, BARS - START_BAR);
    for (size_t i = 0; i < tables->step_count; i++) {
        const struct metrics_step *step = &tables->steps[i];
        double in_hour = 0.0;
        sum.liquidated_long_usd += step->liquidated_long_usd;
        sum.liquidated_short_usd += step->liquidated_short_usd;
        sum.liquidated_long_coins += step->liquidated_long_coins;
        sum.liquidated_short_coins += step->liquidated_short_coins;
        sum.liquidated_long_positions += step->liquidated_long_positions;
        sum.liquidated_short_positions += step->liquidated_short_positions;
        sum.insurance_draw_usd += step->insurance_draw_usd;
        sum.insurance_gain_usd += step->insurance_gain_usd;
        low = fmin(low, step->price_low);
        high = fmax(high, step->price_high);
        peak = fmax(peak, step_usd(step));
        for (size_t k = i; k < i + 12 && k < tables->step_count; k++)
            in_hour += step_usd(&tables->steps[k]);
        hour = fmax(hour, in_hour);
    }
    for (size_t i = 0; i < tables->tier_count; i++) {
        tier_usd += tables->tiers[i].liquidated_usd;
        tier_positions += tables->tiers[i].liquidated_positions;
        shares += tables->tiers[i].oi_start_share;
    }
    for (size_t i = 0; i < tables->venue_count; i++) {
        venue_usd += tables->venues[i].liquidated_usd;
        venue_positions += tables->venues[i].liquidated_positions;
    }
    print_message("  %.0f USD, of them %.0f short\n", summary->liquidated_usd,
                  summary->liquidated_short_usd);
    assert_true(summary->liquidated_long_usd > 0.0 && summary->liquidated_short_usd > 0.0);
    assert_share(sum.liquidated_long_usd / summary->liquidated_long_usd, 1.0);
    assert_share(sum.liquidated_short_usd / summary->liquidated_short_usd, 1.0);
    assert_share(sum.liquidated_long_coins / summary->liquidated_long_coins, 1.0);
    assert_share(sum.liquidated_short_coins / summary->liquidated_short_coins, 1.0);
    assert_share(sum.insurance_gain_usd / summary->insurance_gain_usd, 1.0);
    assert_share(sum.insurance_draw_usd, summary->insurance_draw_usd);
    assert_int_equal(sum.liquidated_long_positions + sum.liquidated_short_positions,
                     summary->liquidated_positions);
    assert_share(tier_usd / summary->liquidated_usd, 1.0);
    assert_share(venue_usd / summary->liquidated_usd, 1.0);
    assert_int_equal(tier_positions, summary->liquidated_positions);
    assert_int_equal(venue_positions, summary->liquidated_positions);
    assert_near(shares, 2.0, 1e-9); /* 1 of the longs and 1 of the shorts */
    assert_near(summary->price_low, low, 0.0);
    assert_near(summary->price_high, high, 0.0);
    assert_near(summary->peak_step_usd, peak, 0.0);
    assert_share(summary->peak_hour_usd / hour, 1.0);
    assert_true(isnan(summary->peak_24h_usd)); /* the window is 12 hours */
    done(&ran);
}

/* Every step: what was there, and opened, less what was closed and forced, on either side. */
static void both_sides_of_the_ledger_come_to_the_same_open_interest(void **state)
{
    const char *const flows[] = {"oi.flow=observed", "oi.flow=frozen"};
    for (size_t k = 0; k < 2; k++) {
        struct ran ran;
        RUN(&ran, flows[k]);
        double before = ran.tables.summary->oi_start_coins;
        assert_share(before / oi_coins(START_BAR), 1.0);
        for (size_t i = 0; i < ran.tables.step_count; i++) {
            const struct metrics_step *step = &ran.tables.steps[i];
            double longs = before + step->opens_long_coins - step->closes_long_coins -
                           step->liquidated_long_coins;
            double shorts = before + step->opens_short_coins - step->closes_short_coins -
                            step->liquidated_short_coins;
            assert_share(longs / step->oi_coins, 1.0);
            assert_share(shorts / step->oi_coins, 1.0);
            before = step->oi_coins;
        }
        if (k == 0)
            assert_share(ran.tables.summary->oi_end_coins / 46001.0, 1.0);
        else
            assert_true(ran.tables.summary->oi_end_coins < ran.tables.summary->oi_start_coins);
        done(&ran);
    }
}

static void a_replay_without_feedback_stays_on_the_observed_path(void **state)
{
    struct ran ran;
    double low = INFINITY;
    RUN(&ran, "feedback=open");
    for (size_t i = 0; i < ran.tables.step_count; i++) {
        int bar = START_BAR + (int)i;
        assert_near(ran.tables.steps[i].price_close, last_price(bar), 0.0);
        low = fmin(low, fmin(last_price(bar), last_price(bar - 1)) * 0.9996);
    }
    assert_near(ran.tables.summary->price_low, low, 1e-9);
    assert_int_equal(ran.tables.summary->generations_max, 1);
    done(&ran);
}

static void episodes_lie_in_the_window_apart_from_each_other_and_miss_no_loud_step(void **state)
{
    struct ran ran;
    const double floor_usd = 2e5 * STEP_S / 60.0;
    RUN(&ran, "episode.floor_usd_per_min=2e5", "episode.quiet=20m");
    const struct metrics_summary *summary = ran.tables.summary;
    assert_true(ran.tables.episode_count > 1);
    assert_int_equal(summary->episodes, ran.tables.episode_count);
    double usd = 0.0;
    int64_t end_before = INT64_MIN;
    for (size_t i = 0; i < ran.tables.episode_count; i++) {
        const struct episode *episode = &ran.tables.episodes[i];
        assert_true(episode->start_ms >= summary->start_ms && episode->end_ms <= summary->end_ms);
        assert_int_equal(episode->duration_ms, episode->end_ms - episode->start_ms);
        assert_true(i == 0 || episode->start_ms - end_before >= 20 * CALENDAR_MINUTE_MS);
        assert_true(episode->price_low <= fmin(episode->price_start, episode->price_end) * 1.0005);
        end_before = episode->end_ms;
        usd += episode->liquidated_usd;
    }
    assert_true(usd <= summary->liquidated_usd * (1.0 + 1e-12));
    for (size_t k = 0; k < ran.tables.step_count; k++) {
        const struct metrics_step *step = &ran.tables.steps[k];
        bool inside = false;
        for (size_t i = 0; i < ran.tables.episode_count; i++)
            inside = inside || (step->time_ms >= ran.tables.episodes[i].start_ms &&
                                step->time_ms < ran.tables.episodes[i].end_ms);
        assert_true(inside || step_usd(step) < floor_usd);
    }
    done(&ran);
}

static void with_no_floor_every_forced_order_is_in_an_episode(void **state)
{
    struct ran ran;
    double usd = 0.0;
    RUN(&ran, "episode.floor_usd_per_min=0", "episode.quiet=1s");
    for (size_t i = 0; i < ran.tables.episode_count; i++)
        usd += ran.tables.episodes[i].liquidated_usd;
    assert_share(usd / ran.tables.summary->liquidated_usd, 1.0);
    done(&ran);
}

/* ---- levels and replicates ------------------------------------------------------------------ */

static void levels_are_of_usd_at_their_time_and_share_their_draws(void **state)
{
    struct ran ran;
    char text[128];
    RUN(&ran, shock_of(-0.08, text), "impact.model=none", "oi.levels_usd=[1e9, 2e9, 8e9]",
        "replicates=2", "oi.flow=frozen");
    const struct metrics_summary *rows = ran.tables.summary;
    const double levels[] = {1e9, 2e9, 8e9};
    assert_int_equal(ran.tables.summary_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(rows[i].run, i + 1);
        assert_int_equal(rows[i].replicate, i % 2);
        assert_near(rows[i].oi_level_usd, levels[i / 2], 0.0);
        assert_share(rows[i].oi_start_usd / levels[i / 2], 1.0);
        /* More of the same traders: the same share of them. */
        assert_int_equal(rows[i].liquidated_positions, rows[i % 2].liquidated_positions);
        assert_share(rows[i].liquidated_share_of_oi / rows[i % 2].liquidated_share_of_oi, 1.0);
    }
    assert_true(rows[0].liquidated_coins != rows[1].liquidated_coins);
    double share = rows[0].liquidated_share_of_oi;
    done(&ran);

    /* One level, one replicate: the same run alone. */
    RUN(&ran, text, "impact.model=none", "oi.level_usd=1e9", "oi.flow=frozen");
    assert_near(ran.tables.summary->liquidated_share_of_oi, share, 0.0);
    done(&ran);
}

/* With impact, more open interest behind the same depth falls further. */
static void more_open_interest_against_the_same_depth_moves_the_price_further(void **state)
{
    struct ran ran;
    char text[128];
    RUN(&ran, shock_of(-0.05, text), "oi.levels_usd=[1e9, 2e9, 4e9, 8e9]",
        "impact.depth_oi_exponent=0", "oi.flow=frozen");
    for (size_t i = 0; i < 4; i++)
        print_message("  %.0f USD: low %.1f, share %.3f\n", ran.tables.summary[i].oi_level_usd,
                      ran.tables.summary[i].price_low,
                      ran.tables.summary[i].liquidated_share_of_oi);
    for (size_t i = 1; i < 4; i++) {
        assert_true(ran.tables.summary[i].price_low < ran.tables.summary[i - 1].price_low);
        assert_true(ran.tables.summary[i].liquidated_share_of_oi >=
                    ran.tables.summary[i - 1].liquidated_share_of_oi);
    }
    done(&ran);
}

static void larger_traders_hold_lower_leverage(void **state)
{
    double top[2];
    for (int sizes = 0; sizes < 2; sizes++) {
        struct ran ran;
        RUN(&ran, "oi.level_usd=300e9", sizes ? "oi.scale_by=sizes" : "oi.scale_by=traders");
        top[sizes] = 0.0;
        for (size_t i = 0; i < ran.tables.tier_count; i++)
            if (ran.tables.tiers[i].leverage_from >= 75.0)
                top[sizes] += ran.tables.tiers[i].oi_start_share;
        assert_share(ran.tables.summary->oi_start_usd / 300e9, 1.0);
        done(&ran);
    }
    print_message("  share at 75x and more: %.4f of traders as they are, %.4f of a hundred times "
                  "larger ones\n",
                  top[0], top[1]);
    assert_true(top[0] > 0.0);
    assert_true(top[1] < 0.7 * top[0]);
}

/* ---- given positions ------------------------------------------------------------------------ */

/* At 60,000 and a rate of 0.5 %: a long at 10x is liquidated at 54,000 / 0.995 = 54,271.357, one at
   20x at 57,000 / 0.995 = 57,286.432. By leverage, margin or price it is the same book. */
static void given_positions_fire_at_their_prices_however_they_are_told(void **state)
{
    static const char *const files[] = {
        "venue,side,entry_price,size_coins,leverage\n"
        "x,long,60000,10,10\nx,long,60000,3,20\nx,short,60000,13,2\n",
        "venue,side,entry_price,size_coins,margin\n"
        "x,long,60000,10,60000\nx,long,60000,3,9000\nx,short,60000,13,390000\n",
        "side,size_coins,venue,entry_price,liquidation_price\n"
        "long,10,x,60000,54271.357\nlong,3,x,60000,57286.432\nshort,13,x,60000,89552.24\n",
    };
    static const struct {
        double price, coins;
    } shocks[] = {{57286.9, 0}, {57286.0, 3}, {54271.9, 3}, {54270.9, 13}, {30000, 13}};
    char path[SCRATCH_PATH_SIZE], from[SCRATCH_PATH_SIZE + 32], text[128];
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (size_t k = 0; k < sizeof shocks / sizeof *shocks; k++) {
            struct ran ran;
            scratch_file("positions.csv", files[f], path);
            snprintf(from, sizeof from, "book.positions_from=%s", path);
            RUN(&ran, from, "impact.model=none", "time.warmup=2024-03-02T12:00Z",
                "venues=[{name: x, oi_share: 1, rules: flat, flat_rate: 0.005, "
                "flat_max_leverage: 100}]",
                shock_of(log(shocks[k].price / last_price(START_BAR - 1)), text));
            assert_near(ran.tables.summary->liquidated_long_coins, shocks[k].coins, 1e-9);
            assert_near(ran.tables.summary->liquidated_short_coins, 0.0, 0.0);
            assert_near(ran.tables.summary->oi_start_coins, 13.0, 1e-12);
            done(&ran);
        }
}

/* ---- failing -------------------------------------------------------------------------------- */

static void running_out_of_memory_is_an_error_and_leaves_nothing(void **state)
{
    struct ran ran;
    long failed = 0;
    omp_set_num_threads(1);
    RUN(&ran, "replicates=2", "book.positions_per_bar=4");
    run_tables_free(&ran.tables);
    for (long countdown = 1; countdown < 100000; countdown += 1 + countdown / 8) {
        struct error err = {0};
        memory_fail_after(countdown);
        int code = run_scenario(&ran.setup, &ran.tables, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE) {
            run_tables_free(&ran.tables);
            break;
        }
        assert_int_equal(code, ERROR_IO);
        assert_int_equal(err.code, ERROR_IO);
        failed++;
    }
    print_message("  %ld failures\n", failed);
    assert_true(failed > 10);
    setup_free(&ran.setup);
    scenario_free(&ran.scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            without_impact_a_shock_liquidates_the_longs_that_it_reaches_and_no_one_else),
        cmocka_unit_test(a_rise_liquidates_shorts_only),
        cmocka_unit_test(a_larger_shock_never_liquidates_less_and_feedback_never_makes_it_smaller),
        cmocka_unit_test(nobody_is_liquidated_twice),
        cmocka_unit_test(a_fall_of_a_tenth_takes_every_long_at_20x_and_none_below_5x),
        cmocka_unit_test(a_gap_costs_the_insurance_funds_what_a_slide_does_not),
        cmocka_unit_test(steps_tiers_and_venues_add_up_to_the_summary),
        cmocka_unit_test(both_sides_of_the_ledger_come_to_the_same_open_interest),
        cmocka_unit_test(a_replay_without_feedback_stays_on_the_observed_path),
        cmocka_unit_test(episodes_lie_in_the_window_apart_from_each_other_and_miss_no_loud_step),
        cmocka_unit_test(with_no_floor_every_forced_order_is_in_an_episode),
        cmocka_unit_test(levels_are_of_usd_at_their_time_and_share_their_draws),
        cmocka_unit_test(more_open_interest_against_the_same_depth_moves_the_price_further),
        cmocka_unit_test(larger_traders_hold_lower_leverage),
        cmocka_unit_test(given_positions_fire_at_their_prices_however_they_are_told),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, write_market, remove_market);
}
