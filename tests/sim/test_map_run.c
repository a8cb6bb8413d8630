/*
 * Maps and heatmaps of whole scenarios: that nothing is lost, that they are those of the run, and
 * what is refused.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "base/calendar.h"
#include "sim/map_run.h"
#include "tests/scenarios/scratch.h"
#include "tests/sim/random_scenario.h"
#include "tests/sim/whole_run.h"
#include "tests/support/near.h"

static const int64_t START_MS = INT64_C(1763596800000); /* 2025-11-20T00:00Z */

struct fixture {
    struct scenario scenario;
    struct setup setup;
    struct map_tables tables;
};

/* Over few positions and short of a day after the start. */
#define SETS(...)                                                                                \
    WHOLE_RUN_SETS("book.positions_per_bar=2", "time.step=15m", "time.warmup=2025-11-10T00:00Z", \
                   "time.end=2025-11-20T20:00Z", "replicates=1" __VA_OPT__(, ) __VA_ARGS__)

static int fixture_load(struct fixture *self, const char *const sets[])
{
    char path[SCRATCH_PATH_SIZE];
    struct error_list errors = {0};
    size_t count = 0;
    while (sets[count] != NULL)
        count++;
    snprintf(path, sizeof path, "%s/scenarios/btc-2025-11.yaml", LIQCASCADE_SOURCE_DIR);
    int code = scenario_load(&self->scenario, path, sets, count, &errors);
    scratch_print(&errors);
    error_list_free(&errors);
    return code;
}

static void fixture_make(struct fixture *self, const struct map_request *request,
                         const char *const sets[])
{
    struct error err = {0};
    assert_int_equal(fixture_load(self, sets), ERROR_NONE);
    int code = map_check(&self->scenario, request, &err);
    if (code == ERROR_NONE)
        code = setup_init(&self->setup, &self->scenario, &err);
    if (code == ERROR_NONE)
        code = map_run(&self->setup, request, &self->tables, &err);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.key, err.message);
}

static void fixture_free(struct fixture *self)
{
    map_tables_free(&self->tables);
    setup_free(&self->setup);
    scenario_free(&self->scenario);
}

static const struct map_request at_start = {.at_ms = CALENDAR_NONE}, over = {CALENDAR_NONE, true};

/* ---- nothing is lost ---------------------------------------------------------------------- */

static void expect_whole(const struct map_tables *tables)
{
    for (int side = 0; side < 2; side++) {
        const struct map_near *near = &tables->nears[tables->near_at + (size_t)side];
        double coins = 0.0, usd = 0.0, cumulative = 0.0;
        for (size_t i = 0; i < tables->row_count; i++) {
            const struct map_row *row = &tables->rows[i];
            if (strcmp(row->side, near->side) != 0)
                continue;
            coins += row->coins;
            usd += row->usd;
            assert_true(row->cumulative_usd >= cumulative);
            cumulative = row->cumulative_usd;
        }
        assert_near(coins / near->oi_coins + near->outside_share, 1.0, 1e-9);
        assert_near(cumulative / usd, 1.0, 1e-9);
    }
}

/* At a time before the start, at it and after it, with bins from narrow to wider than the range. */
static void a_side_of_the_map_is_its_open_interest(void **state)
{
    const int64_t times[] = {START_MS - 3 * CALENDAR_DAY_MS, START_MS,
                             START_MS + 20 * CALENDAR_HOUR_MS};
    const char *const bins[] = {"map.bin_log=0.0003", "map.bin_log=0.0025", "map.bin_log=1"};
    for (int i = 0; i < 3; i++) {
        struct fixture fixture;
        const struct map_request request = {.at_ms = times[i]};
        fixture_make(&fixture, &request, SETS(bins[i], "book.pool_share=0.2"));
        assert_int_equal(fixture.tables.at_ms, times[i]);
        expect_whole(&fixture.tables);
        /* A pool's part of the shorts is outside the book. */
        assert_near(fixture.tables.nears[BOOK_LONG].outside_share, 0.0, 1e-12);
        assert_near(fixture.tables.nears[BOOK_SHORT].outside_share, 0.2, 0.02);
        fixture_free(&fixture);
    }
}

static double binned(const struct map *map, int side)
{
    double sum = 0.0;
    for (size_t place = 0; place < (size_t)map->grid.count + 2; place++)
        sum += map_side_coins(map, side, place);
    return sum;
}

/* Every mixture of rules: inverse contracts, rests, deleveraging, prices of venues, zones,
   feedback. Both ways of taking a map leave nothing out. */
static void nothing_is_lost_under_any_rules(void **state)
{
    enum { SCENARIOS = 60, BARS = 24 };
    for (uint64_t seed = 1; seed <= SCENARIOS; seed++) {
        struct random_scenario scenario;
        struct replay replay;
        struct map_grid grid;
        struct map exact, counted;
        struct error err = {0};
        random_scenario_make(&scenario, seed, 400, BARS);
        assert_int_equal(
            replay_init(&replay, &scenario.params, &scenario.path, &scenario.book, &err),
            ERROR_NONE);
        struct replay_step step = {.mark_close = NAN};
        int code = ERROR_NONE;
        while (replay.bar < BARS && code == ERROR_NONE) {
            code = replay_step(&replay, &step, &err);
            if (code != ERROR_NONE || replay.bar % 6 != 0)
                continue;
            double mark = step.mark_close;
            assert_int_equal(map_grid_make(&grid, mark, 0.01, mark, mark, 0.3, &err), ERROR_NONE);
            assert_int_equal(map_init(&exact, &grid, true, &err), ERROR_NONE);
            assert_int_equal(map_init(&counted, &grid, false, &err), ERROR_NONE);
            map_take(&exact, &replay, mark);
            if (map_counted(&replay, 0.3))
                map_take_counted(&counted, &replay, mark);
            for (int side = 0; side < 2; side++) {
                double oi = ledger_total(&replay.ledger, side);
                double tolerance = 1e-9 * fmax(oi, replay.oi_start_coins) + 1e-12;
                assert_near(binned(&exact, side) + exact.outside[side], oi, tolerance);
                if (map_counted(&replay, 0.3))
                    assert_near(binned(&counted, side) + counted.outside[side], oi, tolerance);
            }
            map_free(&exact);
            map_free(&counted);
        }
        replay_free(&replay);
        random_scenario_free(&scenario);
    }
}

/* Before anything is open there is nothing to map. */
static void the_first_instant_has_an_empty_map(void **state)
{
    struct fixture fixture;
    const struct map_request request = {.at_ms = START_MS - 10 * CALENDAR_DAY_MS};
    fixture_make(&fixture, &request, SETS());
    assert_int_equal(fixture.tables.row_count, 0);
    assert_true(isnan(fixture.tables.nears[0].within[0]));
    assert_true(isnan(fixture.tables.nears[0].largest_usd));
    fixture_free(&fixture);
}

/* ---- it is the run's ---------------------------------------------------------------------- */

/* The open interest at a time is that at the end of the step before it, and the mark, too. */
static void open_interest_and_mark_are_those_of_the_run(void **state)
{
    struct fixture fixture;
    struct whole_run run;
    fixture_make(&fixture, &over, SETS());
    whole_run_shipped(&run, "btc-2025-11", SETS());
    assert_int_equal(fixture.tables.near_count, 2 * 20);
    for (size_t i = 2; i < fixture.tables.near_count; i++) {
        const struct map_near *near = &fixture.tables.nears[i];
        const struct metrics_step *step = &run.tables.steps[i / 2 * 4 - 1];
        assert_int_equal(near->time_ms, step->time_ms + 15 * CALENDAR_MINUTE_MS);
        assert_near(near->oi_coins / step->oi_coins, 1.0, 1e-9);
        assert_near(near->mark / step->mark_close, 1.0, 1e-12);
    }
    whole_run_free(&run);
    fixture_free(&fixture);
}

static double row_coins(const struct map_row *rows, size_t count, const char *side, double low)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].side, side) == 0 && rows[i].price_lo == low)
            sum += rows[i].coins;
    return sum;
}

/* The map is the same whether the heatmap is asked for or not, and so is the heatmap's column. */
static void a_heatmap_leaves_the_map_as_it_is(void **state)
{
    struct fixture one, both;
    fixture_make(&one, &at_start, SETS());
    fixture_make(&both, &over, SETS());
    assert_int_equal(one.tables.row_count, both.tables.row_count);
    assert_int_equal(one.tables.heat_count, 0);
    for (size_t i = 0; i < one.tables.row_count; i++) {
        const struct map_row *a = &one.tables.rows[i], *b = &both.tables.rows[i];
        assert_near(a->coins / b->coins, 1.0, 1e-9);
        assert_near(a->cumulative_usd / b->cumulative_usd, 1.0, 1e-9);
    }
    for (size_t i = 0; i < both.tables.heat_count; i++) {
        const struct map_heat *heat = &both.tables.heats[i];
        if (heat->time_ms != START_MS)
            break;
        assert_near(heat->coins / row_coins(one.tables.rows, one.tables.row_count, heat->side,
                                            heat->price_lo),
                    1.0, 1e-9);
    }
    fixture_free(&one);
    fixture_free(&both);
}

/* Coins of a side that fire between the mark and an edge of a grid, `bins` away from it. */
static double up_to(const struct map *map, int side, int bins)
{
    double sum = 0.0;
    for (size_t place = 0; place < (size_t)map->grid.count + 2; place++) {
        int bin = map->grid.first + (int)place - 1;
        if (side == BOOK_LONG ? bin >= -bins : bin < bins)
            sum += map_side_coins(map, side, place);
    }
    return sum;
}

/* What is summed over nearby's bins, a twentieth as wide, lies between what every position says a
   little nearer and a little farther. */
static void expect_counted(const struct replay *replay, double mark)
{
    enum { FINE = 20 };
    struct map_grid grid, fine_grid;
    struct map exact, counted;
    struct error err = {0};
    const double bin = 0.0025;
    assert_true(map_counted(replay, 0.2));
    assert_int_equal(map_grid_make(&grid, mark, bin, mark, mark, 0.2, &err), ERROR_NONE);
    assert_int_equal(map_grid_make(&fine_grid, mark, bin / FINE, mark, mark, 0.25, &err),
                     ERROR_NONE);
    assert_int_equal(map_init(&exact, &fine_grid, false, &err), ERROR_NONE);
    assert_int_equal(map_init(&counted, &grid, false, &err), ERROR_NONE);
    map_take(&exact, replay, mark);
    map_take_counted(&counted, replay, mark);
    for (int side = 0; side < 2; side++) {
        double sum = counted.outside[side], slack = 1e-9 * exact.oi[side];
        for (size_t place = 0; place < (size_t)grid.count + 2; place++)
            sum += map_side_coins(&counted, side, place);
        assert_near(sum, exact.oi[side], slack);
        for (int k = 1; k < 80; k++) {
            double here = up_to(&counted, side, k);
            assert_true(here >= up_to(&exact, side, FINE * k - 2) - slack);
            assert_true(here <= up_to(&exact, side, FINE * k + 2) + slack);
        }
        for (int i = 0; i < MAP_DISTANCES; i++) {
            double window = fabs(log1p(side == BOOK_LONG ? -map_distances[i] : map_distances[i]));
            int bins = (int)(window / (bin / FINE));
            assert_true(counted.within[side][i] >= up_to(&exact, side, bins - 2) - slack);
            assert_true(counted.within[side][i] <= up_to(&exact, side, bins + 3) + slack);
            assert_true(exact.within[side][i] >= up_to(&exact, side, bins - 1) - slack);
            assert_true(exact.within[side][i] <= up_to(&exact, side, bins + 2) + slack);
        }
    }
    map_free(&exact);
    map_free(&counted);
}

static void what_is_counted_near_the_market_is_what_positions_say(void **state)
{
    struct fixture fixture;
    struct book book;
    struct replay replay;
    struct error err = {0};
    fixture_make(&fixture, &at_start, SETS("book.leverage.maximum=100"));
    const struct setup *setup = &fixture.setup;
    struct replay_params params = setup_replay(setup, &setup->levels[0]);
    params.feedback_bar = REPLAY_NEVER;
    params.branching_window_log = 0.0025;
    assert_int_equal(setup_book(setup, 0, &setup->levels[0], &book, &err), ERROR_NONE);
    assert_int_equal(replay_init(&replay, &params, &setup->path, &book, &err), ERROR_NONE);
    while (replay.bar < setup->bars) {
        struct replay_step step;
        assert_int_equal(replay_step(&replay, &step, &err), ERROR_NONE);
        if (replay.bar >= setup->start_bar && replay.bar % 20 == 0)
            expect_counted(&replay, step.mark_close);
    }
    replay_free(&replay);
    book_free(&book);
    fixture_free(&fixture);
}

/* ---- invariances -------------------------------------------------------------------------- */

static void expect_same_rows(const struct map_tables *one, const struct map_tables *other)
{
    assert_int_equal(one->row_count, other->row_count);
    assert_int_equal(one->heat_count, other->heat_count);
    assert_int_equal(one->near_count, other->near_count);
    assert_memory_equal(one->rows, other->rows, one->row_count * sizeof *one->rows);
    assert_memory_equal(one->heats, other->heats, one->heat_count * sizeof *one->heats);
    assert_memory_equal(one->nears, other->nears, one->near_count * sizeof *one->nears);
}

static void threads_change_no_bit(void **state)
{
    struct fixture one, many;
    const int threads[] = {2, 4};
    omp_set_num_threads(1);
    fixture_make(&one, &over, SETS("replicates=4"));
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(threads[i]);
        fixture_make(&many, &over, SETS("replicates=4"));
        expect_same_rows(&one.tables, &many.tables);
        fixture_free(&many);
    }
    fixture_free(&one);
}

/* From the start on there are twice as many traders of each kind. */
static void twice_the_open_interest_is_twice_the_coins_everywhere(void **state)
{
    struct fixture one, two;
    fixture_make(&one, &at_start, SETS("oi.level_usd=40e9"));
    fixture_make(&two, &at_start, SETS("oi.level_usd=80e9"));
    assert_int_equal(one.tables.row_count, two.tables.row_count);
    for (size_t i = 0; i < one.tables.row_count; i++)
        assert_near(two.tables.rows[i].coins / one.tables.rows[i].coins, 2.0, 1e-9);
    for (int d = 0; d < MAP_DISTANCES; d++)
        assert_near(two.tables.nears[0].within[d], one.tables.nears[0].within[d], 1e-12);
    fixture_free(&one);
    fixture_free(&two);
}

/* The replicates' mean lies between them. */
static void replicates_are_averaged(void **state)
{
    struct fixture first, both;
    fixture_make(&first, &at_start, SETS());
    fixture_make(&both, &at_start, SETS("replicates=2"));
    expect_whole(&both.tables);
    double a = first.tables.nears[0].within[3], mean = both.tables.nears[0].within[3];
    assert_true(a != mean);
    assert_near(mean / a, 1.0, 0.2);
    fixture_free(&first);
    fixture_free(&both);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void expect_refused(const struct map_request *request, int code, const char *words,
                           const char *const sets[])
{
    struct fixture fixture;
    struct error err = {0};
    char text[1024];
    assert_int_equal(fixture_load(&fixture, sets), ERROR_NONE);
    assert_int_equal(map_check(&fixture.scenario, request, &err), code);
    error_format(&err, text, sizeof text);
    if (strstr(text, words) == NULL)
        fail_msg("%s", text);
    scenario_free(&fixture.scenario);
}

static void what_cannot_be_mapped_is_refused(void **state)
{
    const struct map_request early = {.at_ms = START_MS - 11 * CALENDAR_DAY_MS},
                             late = {.at_ms = START_MS + 21 * CALENDAR_HOUR_MS},
                             within = {.at_ms = START_MS + 16 * CALENDAR_MINUTE_MS};
    expect_refused(&early, ERROR_USAGE, "2025-11-10T00:00:00Z (time.warmup)", SETS());
    expect_refused(&late, ERROR_USAGE, "2025-11-20T20:00:00Z (time.end)", SETS());
    expect_refused(&within, ERROR_USAGE, "did you mean 2025-11-20T00:15:00Z?", SETS());
    expect_refused(&at_start, ERROR_SCENARIO, "expected one for a map",
                   SETS("oi.levels_usd=[10e9, 20e9]"));
    expect_refused(&over, ERROR_SCENARIO, "expected a multiple of time.step (15m)",
                   SETS("map.every=20m"));
}

/* 80 times of half a million bins. */
static void a_heatmap_that_is_too_large_is_refused(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    assert_int_equal(
        fixture_load(&fixture, SETS("map.every=15m", "map.bin_log=1e-6", "map.range_log=0.24")),
        ERROR_NONE);
    assert_int_equal(setup_init(&fixture.setup, &fixture.scenario, &err), ERROR_NONE);
    assert_int_equal(map_run(&fixture.setup, &over, &fixture.tables, &err), ERROR_SCENARIO);
    assert_non_null(strstr(err.message, "expected fewer"));
    setup_free(&fixture.setup);
    scenario_free(&fixture.scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_side_of_the_map_is_its_open_interest),
        cmocka_unit_test(nothing_is_lost_under_any_rules),
        cmocka_unit_test(the_first_instant_has_an_empty_map),
        cmocka_unit_test(open_interest_and_mark_are_those_of_the_run),
        cmocka_unit_test(a_heatmap_leaves_the_map_as_it_is),
        cmocka_unit_test(what_is_counted_near_the_market_is_what_positions_say),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(twice_the_open_interest_is_twice_the_coins_everywhere),
        cmocka_unit_test(replicates_are_averaged),
        cmocka_unit_test(what_cannot_be_mapped_is_refused),
        cmocka_unit_test(a_heatmap_that_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
