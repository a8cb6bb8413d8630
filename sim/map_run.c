#include "sim/map_run.h"

#include <math.h>
#include <string.h>

#include <omp.h>

#include "base/calendar.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/progress.h"

enum { CHECK_BARS = 1024, CELLS_MAX = 20000000 };

/* Narrower windows would make nearby's bins too many to hold. */
static const double COUNTED_LOG_LEAST = 0.0005;

static char *const side_names[2] = {(char *)"long", (char *)"short"};

/* ---- what is asked ---------------------------------------------------------------------- */

static int64_t time_asked(const struct scenario *scenario, const struct map_request *request)
{
    return request->at_ms == CALENDAR_NONE ? scenario->time.start_ms : request->at_ms;
}

static int check_time(const struct scenario *scenario, int64_t at_ms, struct error *err)
{
    char at[CALENDAR_TEXT_SIZE], from[CALENDAR_TEXT_SIZE], to[CALENDAR_TEXT_SIZE];
    calendar_format_iso(at_ms, at);
    if (at_ms < scenario->time.warmup_ms || at_ms > scenario->time.end_ms)
        return error_set(err, ERROR_USAGE,
                         "--at: %s lies outside of the scenario; expected a time from %s "
                         "(time.warmup) to %s (time.end)",
                         at, calendar_format_iso(scenario->time.warmup_ms, from),
                         calendar_format_iso(scenario->time.end_ms, to));
    int64_t past = (at_ms - scenario->time.warmup_ms) % scenario->time.step_ms;
    if (past != 0)
        return error_set(err, ERROR_USAGE,
                         "--at: %s lies within a step (time.step: %s); expected the beginning of "
                         "one; did you mean %s?",
                         at, calendar_format_duration(scenario->time.step_ms, from),
                         calendar_format_iso(at_ms - past, to));
    return ERROR_NONE;
}

int map_check(const struct scenario *scenario, const struct map_request *request, struct error *err)
{
    char every[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    if (scenario->oi.level_count > 1)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "oi.levels_usd",
                        "names %zu levels of open interest; expected one for a map, such as --set "
                        "'oi={levels_usd: [], level_usd: 94e9}'",
                        scenario->oi.level_count);
    if (request->over && scenario->map.every_ms % scenario->time.step_ms != 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "map.every",
                        "%s is not in whole steps; expected a multiple of time.step (%s)",
                        calendar_format_duration(scenario->map.every_ms, every),
                        calendar_format_duration(scenario->time.step_ms, step));
    return check_time(scenario, time_asked(scenario, request), err);
}

/* ---- moments ---------------------------------------------------------------------------- */

/* A time at which a map is taken: at the beginning of `bar`. */
struct moment {
    size_t bar;
    bool heat; /* a column of the heatmap */
};

struct taking {
    const struct setup *setup;
    struct moment *moments; /* ascending; owned */
    struct map *means;      /* per moment; owned */
    size_t count;
    size_t at; /* the moment of the map */
    struct map_grid grid;
    struct replay_params params;
    struct error error; /* of the first replicate that failed */
    struct progress progress;
};

static void taking_free(struct taking *self)
{
    for (size_t i = 0; self->means != NULL && i < self->count; i++)
        map_free(&self->means[i]);
    memory_free(self->means);
    memory_free(self->moments);
}

/* The columns of the heatmap and, in its place among them, the time of the map. */
static int list_moments(struct taking *self, const struct map_request *request, struct error *err)
{
    const struct scenario *scenario = self->setup->scenario;
    size_t start = self->setup->start_bar, bars = self->setup->bars;
    size_t every = (size_t)(scenario->map.every_ms / scenario->time.step_ms);
    size_t at = (size_t)((time_asked(scenario, request) - scenario->time.warmup_ms) /
                         scenario->time.step_ms);
    size_t columns = request->over ? (bars - start + every - 1) / every : 0;
    self->moments = memory_alloc(columns + 1, sizeof *self->moments);
    if (self->moments == NULL)
        return error_memory(err, "times of the map");
    self->at = SIZE_MAX;
    for (size_t i = 0; i <= columns; i++) {
        size_t bar = i < columns ? start + i * every : SIZE_MAX;
        if (self->at == SIZE_MAX && at <= bar) {
            self->at = self->count;
            if (at < bar)
                self->moments[self->count++] = (struct moment){at, false};
        }
        if (i < columns)
            self->moments[self->count++] = (struct moment){bar, true};
    }
    return ERROR_NONE;
}

/* Of an open loop, where the path is at the beginning of a bar. */
static double mark_at(const struct path *path, size_t bar)
{
    return bar == 0 ? path_bar_at(path, 0).mark[0]
                    : path_bar_at(path, bar - 1).mark[PATH_NODES - 1];
}

/* ---- the grid --------------------------------------------------------------------------- */

static size_t replicates_of(const struct taking *self)
{
    return (size_t)self->setup->scenario->replicates;
}

/* Over all replicates whose paths may differ. */
static int look_at_marks(const struct taking *self, double *low, double *high, double *anchor,
                         struct error *err)
{
    size_t paths = made_path_wanted(self->setup->scenario) ? replicates_of(self) : 1;
    *low = INFINITY;
    *high = *anchor = 0.0;
    for (size_t r = 0; r < paths; r++) {
        struct made_path made;
        struct path path;
        int code = setup_path(self->setup, (uint32_t)r, &made, &path, err);
        if (code != ERROR_NONE)
            return code;
        for (size_t i = 0; i < self->count; i++) {
            double mark = mark_at(&path, self->moments[i].bar);
            *low = fmin(*low, mark);
            *high = fmax(*high, mark);
        }
        *anchor += mark_at(&path, self->moments[self->at].bar) / (double)paths;
        made_path_free(&made);
    }
    return ERROR_NONE;
}

static int make_grid(struct taking *self, struct error *err)
{
    const struct scenario *scenario = self->setup->scenario;
    double low, high, anchor;
    int code = look_at_marks(self, &low, &high, &anchor, err);
    if (code == ERROR_NONE)
        code = map_grid_make(&self->grid, anchor, scenario->map.bin_log, low, high,
                             scenario->map.range_log, err);
    if (code != ERROR_NONE)
        return code;
    double cells = 2.0 * (double)self->count * ((double)self->grid.count + 2.0);
    if (cells > CELLS_MAX)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "map.every",
                        "makes %zu times of %d bins; expected fewer, by a longer map.every, wider "
                        "bins (map.bin_log) or a smaller map.range_log",
                        self->count, self->grid.count);
    return ERROR_NONE;
}

static void maps_free(struct map *maps, size_t count)
{
    for (size_t i = 0; maps != NULL && i < count; i++)
        map_free(&maps[i]);
    memory_free(maps);
}

/* One for each moment, NULL with `err` filled when memory is short. */
static struct map *make_maps(const struct taking *self, struct error *err)
{
    struct map *maps = memory_zeroed(self->count, sizeof *maps);
    int code = maps == NULL ? error_memory(err, "the map") : ERROR_NONE;
    for (size_t i = 0; i < self->count && code == ERROR_NONE; i++)
        code = map_init(&maps[i], &self->grid, i == self->at, err);
    if (code == ERROR_NONE)
        return maps;
    maps_free(maps, self->count);
    return NULL;
}

/* ---- the walk --------------------------------------------------------------------------- */

static int walk_to(struct taking *self, struct replay *replay, size_t bar, struct error *err)
{
    int code = ERROR_NONE;
    while (replay->bar < bar && code == ERROR_NONE) {
        struct replay_step step;
        if (replay->bar % CHECK_BARS == 0)
            code = interrupt_check(err);
        if (code == ERROR_NONE)
            code = replay_step(replay, &step, err);
        progress_add(&self->progress, 1);
    }
    return code;
}

static int walk(struct taking *self, const struct path *path, const struct book *book,
                struct map *maps, struct error *err)
{
    struct replay replay;
    int code = replay_init(&replay, &self->params, path, book, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t i = 0; i < self->count && code == ERROR_NONE; i++) {
        code = walk_to(self, &replay, self->moments[i].bar, err);
        double mark = mark_at(path, self->moments[i].bar);
        if (code != ERROR_NONE)
            break;
        if (i != self->at && map_counted(&replay, self->setup->scenario->map.range_log))
            map_take_counted(&maps[i], &replay, mark);
        else
            map_take(&maps[i], &replay, mark);
    }
    replay_free(&replay);
    return code;
}

static int take_replicate(struct taking *self, size_t replicate, struct map *maps,
                          struct error *err)
{
    struct made_path made;
    struct path path;
    struct book book;
    int code = setup_path(self->setup, (uint32_t)replicate, &made, &path, err);
    if (code != ERROR_NONE)
        return code;
    code = setup_book(self->setup, (uint32_t)replicate, &self->setup->levels[0], &book, err);
    if (code == ERROR_NONE) {
        code = walk(self, &path, &book, maps, err);
        book_free(&book);
    }
    made_path_free(&made);
    return code;
}

/* Replicates are added in their order, whoever is done first. */
static void take_all(struct taking *self)
{
    size_t replicates = replicates_of(self);
    bool outer = replicates >= (size_t)omp_get_max_threads();
    progress_start(&self->progress, "replaying", "bars",
                   (int64_t)(replicates * self->moments[self->count - 1].bar));
#pragma omp parallel for ordered schedule(static, 1) if (outer)
    for (size_t r = 0; r < replicates; r++) {
        struct error err = {0};
        struct map *maps = make_maps(self, &err);
        if (maps != NULL)
            take_replicate(self, r, maps, &err);
#pragma omp ordered
        {
            if (self->error.code == ERROR_NONE)
                self->error = err;
            for (size_t i = 0; self->error.code == ERROR_NONE && i < self->count; i++)
                map_add(&self->means[i], &maps[i], 1.0 / (double)replicates);
        }
        maps_free(maps, self->count);
    }
    progress_end(&self->progress);
}

/* ---- tables ----------------------------------------------------------------------------- */

static int64_t time_of(const struct taking *self, size_t moment)
{
    const struct scenario *scenario = self->setup->scenario;
    return scenario->time.warmup_ms + (int64_t)self->moments[moment].bar * scenario->time.step_ms;
}

static double usd_at(const struct map *map, int side, size_t place)
{
    return map_side_coins(map, side, place) * map_grid_price(&map->grid, place);
}

static void find_largest(const struct map *map, int side, struct map_near *out)
{
    size_t best = 0;
    for (size_t place = 1; place <= (size_t)map->grid.count; place++)
        if (usd_at(map, side, place) > (best == 0 ? 0.0 : usd_at(map, side, best)))
            best = place;
    out->largest_lo = best == 0 ? NAN : map_grid_low(&map->grid, best);
    out->largest_hi = best == 0 ? NAN : map_grid_high(&map->grid, best);
    out->largest_distance = best == 0 ? NAN : map_grid_price(&map->grid, best) / map->mark - 1.0;
    out->largest_coins = best == 0 ? NAN : map_side_coins(map, side, best);
    out->largest_usd = best == 0 ? NAN : usd_at(map, side, best);
    out->largest_share = out->largest_coins / map->oi[side];
}

static struct map_near near_row(const struct taking *self, size_t moment, int side)
{
    const struct map *map = &self->means[moment];
    struct map_near out = {
        .time_ms = time_of(self, moment),
        .side = side_names[side],
        .mark = map->mark,
        .oi_coins = map->oi[side],
        .outside_share = map->outside[side] / map->oi[side],
    };
    for (int i = 0; i < MAP_DISTANCES; i++)
        out.within[i] = map->within[side][i] / map->oi[side];
    find_largest(map, side, &out);
    return out;
}

static size_t count_heats(const struct taking *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        for (int side = 0; self->moments[i].heat && side < 2; side++)
            for (size_t place = 1; place <= (size_t)self->means[i].grid.count; place++)
                count += map_side_coins(&self->means[i], side, place) > 0.0;
    return count;
}

static void add_heats(const struct taking *self, size_t moment, int side, struct map_tables *out)
{
    const struct map *map = &self->means[moment];
    for (size_t place = 1; place <= (size_t)map->grid.count; place++) {
        double coins = map_side_coins(map, side, place);
        if (coins > 0.0)
            out->heats[out->heat_count++] = (struct map_heat){time_of(self, moment),
                                                              map_grid_low(&map->grid, place),
                                                              map_grid_high(&map->grid, place),
                                                              side_names[side],
                                                              coins,
                                                              usd_at(map, side, place)};
    }
}

static int fill_tables(struct taking *self, struct map_tables *out, struct error *err)
{
    const struct map *map = &self->means[self->at];
    for (size_t i = 0; i < self->count; i++)
        map_narrow(&self->means[i], self->setup->scenario->map.range_log);
    out->heats = memory_alloc(count_heats(self), sizeof *out->heats);
    out->nears = memory_alloc(2 * self->count, sizeof *out->nears);
    if (out->heats == NULL || out->nears == NULL)
        return error_memory(err, "the tables of the map");
    for (size_t i = 0; i < self->count; i++)
        for (int side = 0; side < 2; side++) {
            out->nears[out->near_count++] = near_row(self, i, side);
            if (self->moments[i].heat)
                add_heats(self, i, side, out);
        }
    out->at_ms = time_of(self, self->at);
    out->near_at = 2 * self->at;
    for (int side = 0; side < 2; side++)
        out->outer_coins[side] =
            map_side_coins(map, side, 0) + map_side_coins(map, side, (size_t)map->grid.count + 1);
    return map_rows(map, &out->rows, &out->row_count, err);
}

/* ---- the whole -------------------------------------------------------------------------- */

/* An open loop whose count of what is near the market is fine against the bins. */
static struct replay_params params_for(const struct setup *setup)
{
    struct replay_params out = setup_replay(setup, &setup->levels[0]);
    out.feedback_bar = REPLAY_NEVER;
    out.branching_window_log =
        fmax(fmin(setup->scenario->map.bin_log, out.branching_window_log), COUNTED_LOG_LEAST);
    return out;
}

static int take(struct taking *self, const struct map_request *request, struct map_tables *out,
                struct error *err)
{
    int code = list_moments(self, request, err);
    if (code == ERROR_NONE)
        code = make_grid(self, err);
    if (code != ERROR_NONE)
        return code;
    self->params = params_for(self->setup);
    self->means = make_maps(self, err);
    if (self->means == NULL)
        return ERROR_IO;
    take_all(self);
    if (self->error.code != ERROR_NONE) {
        if (err != NULL)
            *err = self->error;
        return self->error.code;
    }
    return fill_tables(self, out, err);
}

int map_run(const struct setup *setup, const struct map_request *request, struct map_tables *out,
            struct error *err)
{
    struct taking taking = {.setup = setup};
    memset(out, 0, sizeof *out);
    int code = take(&taking, request, out, err);
    taking_free(&taking);
    if (code != ERROR_NONE)
        map_tables_free(out);
    return code;
}

void map_tables_free(struct map_tables *self)
{
    memory_free(self->rows);
    memory_free(self->heats);
    memory_free(self->nears);
    memset(self, 0, sizeof *self);
}

#define COLUMN(record, name, member, kind, units, text)                                  \
    {                                                                                    \
        name, kind, units, text, offsetof(struct record, member), NULL, 0, 0, NULL, NULL \
    }
#define HEAT(member, units, text) COLUMN(map_heat, #member, member, FIELD_DOUBLE, units, text)
#define NEAR(name, member, units, text) COLUMN(map_near, name, member, FIELD_DOUBLE, units, text)

const struct field map_heat_fields[] = {
    COLUMN(map_heat, "time", time_ms, FIELD_TIME_MS, "utc", "when"),
    HEAT(price_lo, "quote", "lower end of the bin"),
    HEAT(price_hi, "quote", "upper end"),
    COLUMN(map_heat, "side", side, FIELD_TEXT, "", "long or short"),
    HEAT(coins, "coins", "alive that fire there, all tiers: mean over replicates"),
    HEAT(usd, "usd", "the same at the bin's middle in log price"),
};
const size_t map_heat_field_count = sizeof map_heat_fields / sizeof *map_heat_fields;

const struct field map_near_fields[] = {
    COLUMN(map_near, "time", time_ms, FIELD_TIME_MS, "utc", "when"),
    COLUMN(map_near, "side", side, FIELD_TEXT, "", "long or short"),
    NEAR("mark", mark, "quote", "mark price"),
    NEAR("oi_coins", oi_coins, "coins", "open interest of the side"),
    NEAR("outside_share", outside_share, "share",
         "of it held outside the book, which nothing liquidates"),
    NEAR("within_1", within[0], "share", "of it liquidated within 1 % of the mark"),
    NEAR("within_2", within[1], "share", "within 2 %"),
    NEAR("within_5", within[2], "share", "within 5 %"),
    NEAR("within_10", within[3], "share", "within 10 %"),
    NEAR("largest_lo", largest_lo, "quote", "lower end of the bin with the most USD"),
    NEAR("largest_hi", largest_hi, "quote", "its upper end"),
    NEAR("largest_distance", largest_distance, "share", "its middle over the mark, less 1"),
    NEAR("largest_coins", largest_coins, "coins", "liquidated in it"),
    NEAR("largest_usd", largest_usd, "usd", "the same at its middle in log price"),
    NEAR("largest_share", largest_share, "share", "of the side's open interest"),
};
const size_t map_near_field_count = sizeof map_near_fields / sizeof *map_near_fields;

size_t map_tables_described(const struct map_tables *self, struct table out[MAP_TABLES_MAX])
{
    size_t count = 0;
    out[count++] = (struct table){"map",      map_row_fields,  map_row_field_count,
                                  self->rows, self->row_count, sizeof *self->rows};
    out[count++] = (struct table){"near",      map_near_fields,  map_near_field_count,
                                  self->nears, self->near_count, sizeof *self->nears};
    if (self->heat_count > 0)
        out[count++] = (struct table){"heatmap",   map_heat_fields,  map_heat_field_count,
                                      self->heats, self->heat_count, sizeof *self->heats};
    return count;
}
