#include "sim/nearby.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { COUNT_MAX = 10000000, MANTISSA_BITS = 52 };

static const double BINS_PER_WINDOW = 20.0;
static const double MARGIN_LOG = 0.7;
/* The reference is renewed before exp(h * (H - reference)) could overflow in any tier. */
static const double REFERENCE_SPAN = 300.0;

/* ---- places ----------------------------------------------------------------------------- */

/* Positive numbers in their order, as integers: the exponent and, within it, equal steps. */
static int64_t representation(double positive)
{
    int64_t bits;
    memcpy(&bits, &positive, sizeof bits);
    return bits;
}

/* Where a level lies in bins, as a real number that grows with the trigger price: an inverse level
   is near -1/P. Out of range: just outside of either end. */
static double place(const struct nearby *self, bool inverse, double level)
{
    double size = inverse ? -1.0 / level : level;
    if (!(size > 0.0))
        return -1.0;
    double where = (double)(representation(size) - self->first) * self->per_bin;
    double end = (double)self->count + 1.0;
    where = where > -1.0 ? where : -1.0;
    return where < end ? where : end;
}

/* The bin of a level, the same whatever lies before the first; -1: none. */
static int64_t bin_of(const struct nearby *self, bool inverse, double level)
{
    double size = inverse ? -1.0 / level : level;
    if (!(size > 0.0))
        return -1;
    int64_t bin = (representation(size) - self->first) >> self->bin_bits;
    return bin >= 0 && bin < self->count ? bin : -1;
}

static double funding_of(const struct ladder_funding *funding, bool inverse)
{
    return inverse ? funding->inverse : funding->linear;
}

/* ---- keeping ---------------------------------------------------------------------------- */

/* Arrays come with the first position. */
static bool ensure(struct nearby *self, struct nearby_levels *levels)
{
    if (levels->bins != NULL || self->failed)
        return !self->failed;
    levels->bins = memory_zeroed((size_t)self->count, sizeof *levels->bins);
    levels->positions = memory_zeroed((size_t)self->count, sizeof *levels->positions);
    self->failed = levels->bins == NULL || levels->positions == NULL;
    return !self->failed;
}

static inline void add_at(struct nearby *self, int side, bool inverse, int tier, double level,
                          double coins, int change)
{
    struct nearby_levels *levels = &self->levels[side][inverse];
    int64_t i = bin_of(self, inverse, level);
    if (i < 0 || !ensure(self, levels))
        return;
    nearby_pair *held = &levels->bins[i].coins[tier / 2];
    double sum = (*held)[tier % 2] + coins / self->kept[side][tier];
    (*held)[tier % 2] = sum > 0.0 ? sum : 0.0;
    levels->positions[i] += (uint32_t)change;
    if (levels->positions[i] == 0) /* rounding may leave something of what was taken out */
        memset(&levels->bins[i], 0, sizeof levels->bins[i]);
}

/* Adds `coins` alive of a position (negative: takes them out), and with `change` the position. */
static void add(struct nearby *self, const struct ladder_fired *position, double coins, int change)
{
    const struct book_class *class = position->class;
    const struct margin_formula *formula = self->ladder->book->venues[class->venue].formula;
    const struct ladder_bar *opened = &self->ladder->bars[position->bar];
    double level = margin_unit(formula, opened->price) * position->kappa / class->slope -
                   funding_of(&opened->funding, formula->inverse);
    add_at(self, book_side_index(class->side), formula->inverse, position->tier, level, coins,
           change);
}

static void visit(void *context, const struct ladder_fired *position)
{
    struct nearby *self = context;
    int side = book_side_index(position->class->side);
    double coins =
        ledger_coins(self->ledger, side, position->bar, position->tier, position->share) *
        ladder_left(self->ladder, position);
    self->started[side][position->tier] += coins;
    add(self, position, coins, 1);
}

static void start_reference(struct nearby *self, int side_index)
{
    self->reference[side_index] = self->ledger->side[side_index].hazard;
    for (int tier = 0; tier < TIERS; tier++)
        self->kept[side_index][tier] = 1.0;
}

/* Bins: at least BINS_PER_WINDOW in a window, by halving the octave; they begin at whole ones. */
static void lay_out(struct nearby *self, double low, double high, double window_log)
{
    int halvings = (int)ceil(log2(BINS_PER_WINDOW / window_log));
    halvings = halvings < 0 ? 0 : halvings > 40 ? 40 : halvings;
    double lowest = low * exp(-MARGIN_LOG), highest = high * exp(MARGIN_LOG);
    self->bin_bits = MANTISSA_BITS - halvings;
    self->per_bin = ldexp(1.0, -self->bin_bits);
    self->first = representation(lowest) >> self->bin_bits << self->bin_bits;
    double bins = (double)(representation(highest) - self->first) * self->per_bin;
    self->count = (int)fmin(bins, COUNT_MAX) + 1;
}

int nearby_init(struct nearby *self, const struct ladder *ladder, const struct ledger *ledger,
                double low, double high, double window_log, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->ladder = ladder;
    self->ledger = ledger;
    self->window_log = window_log;
    lay_out(self, low, high, window_log);
    for (int side = 0; side < 2; side++) {
        start_reference(self, side);
        ladder_visit(ladder, side, visit, self);
    }
    if (!self->failed)
        return ERROR_NONE;
    nearby_free(self);
    return error_memory(err, "levels near the market");
}

void nearby_free(struct nearby *self)
{
    for (int side = 0; side < 2; side++)
        for (int inverse = 0; inverse < 2; inverse++) {
            memory_free(self->levels[side][inverse].bins);
            memory_free(self->levels[side][inverse].positions);
        }
    memset(self, 0, sizeof *self);
}

static bool levels_copy(struct nearby_levels *self, const struct nearby_levels *from, size_t first,
                        size_t count)
{
    if (from->bins == NULL)
        return true;
    self->bins = memory_alloc(count, sizeof *self->bins);
    self->positions = memory_alloc(count, sizeof *self->positions);
    if (self->bins == NULL || self->positions == NULL)
        return false;
    memcpy(self->bins, from->bins + first, count * sizeof *self->bins);
    memcpy(self->positions, from->positions + first, count * sizeof *self->positions);
    return true;
}

/* How many bins of `from` lie before those of a layout; negative: it begins before them. */
static double bins_before(const struct nearby *layout, const struct nearby *from)
{
    return (double)(layout->first - from->first) * from->per_bin;
}

bool nearby_covers(const struct nearby *from, double low, double high, double window_log)
{
    struct nearby layout;
    lay_out(&layout, low, high, window_log);
    double before = bins_before(&layout, from);
    return layout.per_bin == from->per_bin && before >= 0.0 &&
           before + (double)layout.count <= (double)from->count;
}

int nearby_copy(struct nearby *self, const struct nearby *from, const struct ladder *ladder,
                const struct ledger *ledger, double low, double high, struct error *err)
{
    bool copied = true;
    *self = *from;
    self->ladder = ladder;
    self->ledger = ledger;
    lay_out(self, low, high, from->window_log);
    memset(self->levels, 0, sizeof self->levels);
    size_t first = (size_t)bins_before(self, from);
    for (int side = 0; side < 2; side++)
        for (int inverse = 0; inverse < 2; inverse++)
            copied =
                copied && levels_copy(&self->levels[side][inverse], &from->levels[side][inverse],
                                      first, (size_t)self->count);
    if (copied)
        return ERROR_NONE;
    nearby_free(self);
    return error_memory(err, "levels near the market");
}

void nearby_scale(struct nearby *self, double factor)
{
    for (int side = 0; side < 2; side++) {
        for (int tier = 0; tier < TIERS; tier++)
            self->started[side][tier] *= factor;
        for (int inverse = 0; inverse < 2; inverse++) {
            struct nearby_bin *bins = self->levels[side][inverse].bins;
            for (int i = 0; bins != NULL && i < self->count; i++)
                for (int pair = 0; pair < NEARBY_PAIRS; pair++)
                    bins[i].coins[pair] *= factor;
        }
    }
}

/* A position of the bar that opens now: nothing of it has been thinned. */
static void visit_fresh(void *context, const struct ladder_fired *position)
{
    struct nearby *self = context;
    const struct ledger_side *ledger = &self->ledger->side[book_side_index(position->class->side)];
    add(self, position, position->share * ledger->opened[position->bar], 1);
}

int nearby_open(struct nearby *self, size_t bar, struct error *err)
{
    ladder_visit_bar(self->ladder, bar, visit_fresh, self);
    return self->failed ? error_memory(err, "levels near the market") : ERROR_NONE;
}

/* A position as it was counted: of twins the first, whichever fired, and a rest in the class that
   decides. */
static struct ladder_fired as_counted(const struct nearby *self,
                                      const struct ladder_fired *position)
{
    if (position->rest != RESTS_NONE)
        return ladder_rest_position(self->ladder, position->rest);
    struct ladder_fired counted = *position;
    const struct book *book = self->ladder->book;
    counted.class = &book->classes[book->runs[position->run].class_id];
    counted.kappa = book->positions[position->position].kappa;
    return counted;
}

void nearby_fire(struct nearby *self, const struct ladder_fired *position, double coins)
{
    struct ladder_fired counted = as_counted(self, position);
    add(self, &counted, -coins, -1);
}

void nearby_shrink(struct nearby *self, const struct ladder_fired *position, double coins)
{
    struct ladder_fired counted = as_counted(self, position);
    add(self, &counted, -coins, 0);
}

int nearby_add(struct nearby *self, const struct ladder_fired *position, double coins,
               struct error *err)
{
    add(self, position, coins, 1);
    return self->failed ? error_memory(err, "levels near the market") : ERROR_NONE;
}

void nearby_level(struct nearby *self, int side_index, int tier, double level, double coins,
                  int change)
{
    add_at(self, side_index, false, tier, level, coins, change);
}

/* Takes what is kept into the sums, which then refer to the present. */
static void renew_reference(struct nearby *self, int side_index)
{
    for (int inverse = 0; inverse < 2; inverse++) {
        struct nearby_bin *bins = self->levels[side_index][inverse].bins;
        for (int i = 0; bins != NULL && i < self->count; i++)
            for (int tier = 0; tier < TIERS; tier++)
                bins[i].coins[tier / 2][tier % 2] *= self->kept[side_index][tier];
    }
    start_reference(self, side_index);
}

void nearby_thin(struct nearby *self, int side_index)
{
    const struct ledger_side *ledger = &self->ledger->side[side_index];
    double smallest = 1.0;
    for (int tier = 0; tier < TIERS; tier++) {
        self->kept[side_index][tier] *= ledger->thinned[tier];
        smallest =
            smallest < self->kept[side_index][tier] ? smallest : self->kept[side_index][tier];
    }
    if (smallest < exp(-REFERENCE_SPAN))
        renew_reference(self, side_index);
}

/* ---- asking ----------------------------------------------------------------------------- */

static double inside(const struct nearby *self, double at)
{
    double end = (double)self->count;
    return at > 0.0 ? (at < end ? at : end) : 0.0;
}

/* Coins alive between two places within the histogram, from <= to; a cut bin counts in proportion.
   Tiers are summed side by side, and what is kept of each is taken into account once. */
static double coins_between(const struct nearby *self, const struct nearby_bin *bins,
                            const nearby_pair kept[NEARBY_PAIRS], double from, double to)
{
    int first = (int)from, last = (int)to < self->count ? (int)to : self->count - 1;
    double before = from - (double)first, behind = (double)last + 1.0 - to;
    nearby_pair sum[NEARBY_PAIRS], total = {0.0, 0.0};
    for (int p = 0; p < NEARBY_PAIRS; p++)
        sum[p] = -before * bins[first].coins[p] - behind * bins[last].coins[p];
    for (int i = first; i <= last; i++)
        for (int p = 0; p < NEARBY_PAIRS; p++)
            sum[p] += bins[i].coins[p];
    for (int p = 0; p < NEARBY_PAIRS; p++)
        total += kept[p] * sum[p];
    double coins = total[0] + total[1];
    return coins > 0.0 ? coins : 0.0;
}

/* Adds what lies between the prices price[k] and price[k + 1], in either direction, to
 * out_coins[k]. */
static void add_levels(const struct nearby *self, int side_index, bool inverse, const double *price,
                       int points, double *out_coins)
{
    const struct nearby_bin *bins = self->levels[side_index][inverse].bins;
    double funding = funding_of(&self->ladder->funding, inverse);
    nearby_pair kept[NEARBY_PAIRS] = {{0.0, 0.0}};
    for (int tier = 0; tier < TIERS; tier++)
        kept[tier / 2][tier % 2] = self->kept[side_index][tier];
    double here = 0.0;
    for (int k = 0; k <= points; k++) {
        double z = inverse ? -1.0 / price[k] : price[k];
        double there = inside(self, place(self, inverse, z - funding));
        if (k > 0 && there != here)
            out_coins[k - 1] += coins_between(self, bins, kept, there < here ? there : here,
                                              there < here ? here : there);
        here = there;
    }
}

void nearby_within(const struct nearby *self, int side_index, double mark, double window_log,
                   int points, double *out_coins)
{
    double step = exp((side_index == BOOK_LONG ? -window_log : window_log) / points);
    double price[NEARBY_POINTS + 1] = {mark};
    liqcascade_bug_assert(points >= 1 && points <= NEARBY_POINTS, "too many points");
    for (int k = 1; k <= points; k++)
        price[k] = price[k - 1] * step;
    memset(out_coins, 0, (size_t)points * sizeof *out_coins);
    for (int inverse = 0; inverse < 2; inverse++)
        if (self->levels[side_index][inverse].bins != NULL)
            add_levels(self, side_index, inverse, price, points, out_coins);
    for (int k = 1; k < points; k++)
        out_coins[k] += out_coins[k - 1];
}
