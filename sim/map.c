#include "sim/map.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

const double map_distances[MAP_DISTANCES] = {0.01, 0.02, 0.05, 0.10};

const char *const map_tier_names[TIERS] = {"0-2",   "2-3",   "3-5",    "5-10", "10-20",
                                           "20-50", "50-75", "75-100", "100+"};

/* What lies on an edge but for rounding belongs to the bin above it. */
static const double EDGE = 1e-9;

/* ---- bins ------------------------------------------------------------------------------- */

int map_grid_make(struct map_grid *self, double anchor, double bin_log, double low, double high,
                  double range_log, struct error *err)
{
    double first = floor((log(low / anchor) - range_log) / bin_log + EDGE);
    double end = ceil((log(high / anchor) + range_log) / bin_log - EDGE);
    if (!(end - first <= MAP_BINS_MAX))
        return error_set(err, ERROR_SCENARIO,
                         "map.bin_log: %.6g makes %.6g bins of the range; expected at most %d, by "
                         "wider bins or a smaller map.range_log",
                         bin_log, end - first, MAP_BINS_MAX);
    *self = (struct map_grid){anchor, bin_log, (int)first, (int)(end - first)};
    return ERROR_NONE;
}

size_t map_grid_place(const struct map_grid *self, double price)
{
    double bin = floor(log(price / self->anchor) / self->bin_log + EDGE) - (double)self->first;
    if (!(bin >= 0.0))
        return 0;
    return bin < (double)self->count ? (size_t)bin + 1 : (size_t)self->count + 1;
}

static double edge(const struct map_grid *self, double bins)
{
    return self->anchor * exp(((double)self->first + bins) * self->bin_log);
}

double map_grid_low(const struct map_grid *self, size_t place)
{
    return place == 0 ? 0.0 : edge(self, (double)place - 1.0);
}

double map_grid_high(const struct map_grid *self, size_t place)
{
    return place > (size_t)self->count ? INFINITY : edge(self, (double)place);
}

double map_grid_price(const struct map_grid *self, size_t place)
{
    if (place == 0)
        return edge(self, 0.0);
    return place > (size_t)self->count ? edge(self, (double)self->count)
                                       : edge(self, (double)place - 0.5);
}

/* ---- life ------------------------------------------------------------------------------- */

static size_t places(const struct map *self)
{
    return (size_t)self->grid.count + 2;
}

static size_t tiers(const struct map *self)
{
    return self->by_tier ? TIERS : 1;
}

static size_t cells(const struct map *self)
{
    return 2 * tiers(self) * places(self);
}

static double *cell(const struct map *self, int side_index, int tier, size_t place)
{
    size_t row = (size_t)side_index * tiers(self) + (self->by_tier ? (size_t)tier : 0);
    return &self->coins[row * places(self) + place];
}

int map_init(struct map *self, const struct map_grid *grid, bool by_tier, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->grid = *grid;
    self->by_tier = by_tier;
    self->coins = memory_zeroed(cells(self), sizeof *self->coins);
    return self->coins != NULL ? ERROR_NONE : error_memory(err, "the map");
}

void map_free(struct map *self)
{
    memory_free(self->coins);
    memset(self, 0, sizeof *self);
}

/* ---- taking ----------------------------------------------------------------------------- */

struct taking {
    struct map *map;
    const struct replay *replay;
};

/* Adds coins that fire at a price; what fires at none lies farthest on its side. */
static void add(struct map *self, int side, int tier, double price, double coins)
{
    bool never = isnan(price) || (side == BOOK_LONG && isinf(price));
    size_t far = side == BOOK_LONG ? 0 : places(self) - 1;
    *cell(self, side, tier, never ? far : map_grid_place(&self->grid, price)) += coins;
    double distance = fabs(price / self->mark - 1.0);
    for (int i = 0; i < MAP_DISTANCES; i++)
        if (distance <= map_distances[i])
            self->within[side][i] += coins;
}

static void add_position(void *context, const struct ladder_fired *position)
{
    const struct taking *taking = context;
    const struct replay *replay = taking->replay;
    int side = book_side_index(position->class->side);
    double coins =
        ledger_coins(&replay->ledger, side, position->bar, position->tier, position->share) *
        ladder_left(&replay->ladder, position);
    add(taking->map, side, position->tier, ladder_liquidation_price(&replay->ladder, position),
        coins);
}

static void add_account(struct map *self, const struct replay *replay,
                        const struct book_account *account)
{
    struct accounts_triggers at =
        accounts_triggers_of(replay->book, account, replay->accounts.funding);
    for (int side = 0; side < 2; side++)
        if (account->coins[side] > 0.0)
            add(self, side, account->tier, isnan(at.side[side]) ? at.side[1 - side] : at.side[side],
                accounts_coins(&replay->ledger, account, side));
}

static void take_totals(struct map *self, const struct replay *replay, int side)
{
    self->oi[side] = ledger_total(&replay->ledger, side);
    self->outside[side] = replay->ledger.side[side].held.coins;
}

void map_take(struct map *self, const struct replay *replay, double mark)
{
    struct taking taking = {self, replay};
    memset(self->coins, 0, cells(self) * sizeof *self->coins);
    memset(self->within, 0, sizeof self->within);
    self->mark = mark;
    for (int side = 0; side < 2; side++) {
        ladder_visit(&replay->ladder, side, add_position, &taking);
        take_totals(self, replay, side);
    }
    for (size_t i = 0; i < replay->book->account_count; i++)
        if (!replay->accounts.gone[i])
            add_account(self, replay, &replay->book->accounts[i]);
}

/* ---- from what is counted already ------------------------------------------------------- */

/* What nearby counts beyond the prices of a run, in log price. */
static const double COUNTED_LOG = 0.7;
/* Differences of sums that are smaller than this part of the open interest are rounding. */
static const double ROUNDING = 1e-12;

bool map_counted(const struct replay *replay, double range_log)
{
    /* With zones (sim/ledger.h) tiers thin unevenly, which nearby follows in the mean only. */
    bool zones = replay->ledger.side[BOOK_LONG].zones != NULL;
    return replay->stock.taken && !replay->book->from_file && !zones && range_log <= COUNTED_LOG;
}

/* Up to NEARBY_POINTS bins of a side from a place on, away from the market; returns how many. */
static size_t count_places(struct map *self, const struct nearby *nearby, int side, size_t place)
{
    double coins[NEARBY_POINTS], before = 0.0;
    bool falls = side == BOOK_LONG;
    size_t left = falls ? place : (size_t)self->grid.count + 1 - place;
    size_t points = left < NEARBY_POINTS ? left : NEARBY_POINTS;
    double from = falls ? map_grid_high(&self->grid, place) : map_grid_low(&self->grid, place);
    nearby_within(nearby, side, from, (double)points * self->grid.bin_log, (int)points, coins);
    for (size_t i = 0; i < points; i++) {
        double here = coins[i] - before;
        before = coins[i];
        if (here > ROUNDING * self->oi[side])
            *cell(self, side, 0, falls ? place - i : place + i) = here;
    }
    return points;
}

static void count_side(struct map *self, const struct nearby *nearby, int side)
{
    size_t end = (size_t)self->grid.count, market = map_grid_place(&self->grid, self->mark);
    market = market < 1 ? 1 : market > end ? end : market;
    for (size_t done = 0; side == BOOK_LONG ? done < market : market + done <= end;)
        done += count_places(self, nearby, side, side == BOOK_LONG ? market - done : market + done);
    double sum = 0.0;
    for (size_t place = 1; place <= end; place++)
        sum += *cell(self, side, 0, place);
    *cell(self, side, 0, side == BOOK_LONG ? 0 : end + 1) =
        fmax(self->oi[side] - self->outside[side] - sum, 0.0);
    for (int i = 0; i < MAP_DISTANCES; i++) {
        double window = log1p(side == BOOK_LONG ? -map_distances[i] : map_distances[i]);
        nearby_within(nearby, side, self->mark, fabs(window), 1, &self->within[side][i]);
    }
}

void map_take_counted(struct map *self, const struct replay *replay, double mark)
{
    memset(self->coins, 0, cells(self) * sizeof *self->coins);
    self->mark = mark;
    for (int side = 0; side < 2; side++) {
        take_totals(self, replay, side);
        count_side(self, &replay->nearby, side);
    }
}

void map_add(struct map *self, const struct map *other, double weight)
{
    for (size_t i = 0; i < cells(self); i++)
        self->coins[i] += weight * other->coins[i];
    self->mark += weight * other->mark;
    for (int side = 0; side < 2; side++) {
        self->oi[side] += weight * other->oi[side];
        self->outside[side] += weight * other->outside[side];
        for (int i = 0; i < MAP_DISTANCES; i++)
            self->within[side][i] += weight * other->within[side][i];
    }
}

/* Moves a row of places to those of the narrower grid that begins `before` bins later and has
   `count` bins. */
static void narrow_row(double *row, size_t count_before, size_t before, size_t count)
{
    double below = 0.0, above = 0.0;
    for (size_t place = 0; place <= before; place++)
        below += row[place];
    for (size_t place = before + count + 1; place < count_before + 2; place++)
        above += row[place];
    memmove(row + 1, row + 1 + before, count * sizeof *row);
    row[0] = below;
    row[count + 1] = above;
}

void map_narrow(struct map *self, double range_log)
{
    struct map_grid wide = self->grid, narrow = wide;
    if (map_grid_make(&narrow, wide.anchor, wide.bin_log, self->mark, self->mark, range_log,
                      NULL) != ERROR_NONE)
        return;
    int end = narrow.first + narrow.count, wide_end = wide.first + wide.count;
    narrow.first = narrow.first < wide.first ? wide.first : narrow.first;
    narrow.count = (end < wide_end ? end : wide_end) - narrow.first;
    size_t before = (size_t)(narrow.first - wide.first), count = (size_t)narrow.count;
    size_t rows = 2 * tiers(self), wide_places = places(self);
    for (size_t i = 0; i < rows; i++) {
        narrow_row(self->coins + i * wide_places, (size_t)wide.count, before, count);
        memmove(self->coins + i * (count + 2), self->coins + i * wide_places,
                (count + 2) * sizeof *self->coins);
    }
    self->grid = narrow;
}

double map_coins(const struct map *self, int side_index, int tier, size_t place)
{
    return *cell(self, side_index, tier, place);
}

double map_side_coins(const struct map *self, int side_index, size_t place)
{
    double sum = 0.0;
    for (int tier = 0; tier < (int)tiers(self); tier++)
        sum += *cell(self, side_index, tier, place);
    return sum;
}

/* ---- rows ------------------------------------------------------------------------------- */

#define ROW(member, kind, units, text)                                                       \
    {                                                                                        \
#member, kind, units, text, offsetof(struct map_row, member), NULL, 0, 0, NULL, NULL \
    }

const struct field map_row_fields[] = {
    ROW(price_lo, FIELD_DOUBLE, "quote", "lower end of the bin"),
    ROW(price_hi, FIELD_DOUBLE, "quote", "upper end; empty: no end"),
    ROW(side, FIELD_TEXT, "", "long or short"),
    ROW(tier, FIELD_TEXT, "", "leverages: from, inclusive, to, exclusive"),
    ROW(coins, FIELD_DOUBLE, "coins", "alive that fire there: mean over replicates"),
    ROW(usd, FIELD_DOUBLE, "usd",
        "the same at the bin's middle in log price; of an outer bin at its edge"),
    ROW(cumulative_usd, FIELD_DOUBLE, "usd",
        "of the side, all tiers: in this bin and in those nearer to the market"),
};
const size_t map_row_field_count = sizeof map_row_fields / sizeof *map_row_fields;

static size_t filled_cells(const struct map *self)
{
    size_t count = 0;
    for (size_t i = 0; i < cells(self); i++)
        count += self->coins[i] > 0.0;
    return count;
}

/* The rows of one side and place. */
static void add_rows(const struct map *self, int side, size_t place, double cumulative_usd,
                     struct map_row *rows, size_t *count)
{
    static char *const names[2] = {(char *)"long", (char *)"short"};
    double high = map_grid_high(&self->grid, place);
    for (int tier = 0; tier < TIERS; tier++) {
        double coins = *cell(self, side, tier, place);
        if (!(coins > 0.0))
            continue;
        rows[(*count)++] = (struct map_row){
            .price_lo = map_grid_low(&self->grid, place),
            .price_hi = isinf(high) ? NAN : high,
            .side = names[side],
            .tier = (char *)map_tier_names[tier],
            .coins = coins,
            .usd = coins * map_grid_price(&self->grid, place),
            .cumulative_usd = cumulative_usd,
        };
    }
}

int map_rows(const struct map *self, struct map_row **out_rows, size_t *out_count,
             struct error *err)
{
    struct map_row *rows = memory_alloc(filled_cells(self), sizeof *rows);
    if (rows == NULL)
        return error_memory(err, "map.csv");
    *out_count = 0;
    for (int side = 0; side < 2; side++) {
        double cumulative_usd = 0.0;
        for (size_t i = 0; i < places(self); i++) {
            size_t place = side == BOOK_LONG ? places(self) - 1 - i : i;
            cumulative_usd +=
                map_side_coins(self, side, place) * map_grid_price(&self->grid, place);
            add_rows(self, side, place, cumulative_usd, rows, out_count);
        }
    }
    *out_rows = rows;
    return ERROR_NONE;
}
