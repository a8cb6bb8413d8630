#include "sim/nearby.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { WORD_BITS = 64, COUNT_MAX = 10000000 };

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

/* Where s * K = a * z(P) - F lies in bins, as a real number that grows with the trigger price: for
   inverse contracts it is near -1/P. Out of range: just outside of either end. */
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

static bool inverse_class(const struct nearby *self, const struct book_class *class)
{
    return self->ladder->book->venues[class->venue].formula->inverse;
}

static size_t word_count(const struct nearby *self)
{
    return (size_t)self->count / WORD_BITS + 1;
}

/* ---- keeping ---------------------------------------------------------------------------- */

/* Arrays of a class come with its first position. */
static bool ensure(struct nearby *self, struct nearby_class *class)
{
    if (class->bins != NULL || self->failed)
        return !self->failed;
    class->bins = memory_zeroed((size_t)self->count, sizeof *class->bins);
    class->positions = memory_zeroed((size_t)self->count, sizeof *class->positions);
    class->occupied = memory_zeroed(word_count(self), sizeof *class->occupied);
    if (class->bins == NULL || class->positions == NULL || class->occupied == NULL)
        self->failed = true;
    return !self->failed;
}

/* Adds (`change` 1) or takes out (-1) a position of `coins` alive. */
static void add(struct nearby *self, int class_id, double key, const struct ladder_fired *position,
                double coins, int change)
{
    const struct book_class *where = position->class;
    struct nearby_class *class = &self->classes[class_id];
    int side = book_side_index(where->side), tier = tier_of((double)position->position->leverage);
    double at = place(self, inverse_class(self, where), (double)where->side * key);
    if (!(at >= 0.0 && at < (double)self->count) || !ensure(self, class))
        return;
    int i = (int)at;
    nearby_pair *held = &class->bins[i].coins[tier / 2];
    uint64_t *word = &class->occupied[i / WORD_BITS], bit = UINT64_C(1) << i % WORD_BITS;
    double sum = (*held)[tier % 2] + change * coins / self->kept[side][tier];
    (*held)[tier % 2] = sum > 0.0 ? sum : 0.0;
    class->positions[i] += (uint32_t)change;
    if (class->positions[i] > 0) {
        *word |= bit;
    } else {
        /* Rounding may leave something of what was taken out. */
        memset(&class->bins[i], 0, sizeof class->bins[i]);
        *word &= ~bit;
    }
}

static void visit(void *context, int class_id, double key, const struct ladder_fired *position)
{
    struct nearby *self = context;
    const struct book_position *drawn = position->position;
    add(self, class_id, key, position,
        ledger_coins(self->ledger, book_side_index(position->class->side), position->bar,
                     tier_of((double)drawn->leverage), drawn->share),
        1);
}

static void start_reference(struct nearby *self, int side_index)
{
    self->reference[side_index] = self->ledger->side[side_index].hazard;
    for (int tier = 0; tier < TIERS; tier++)
        self->kept[side_index][tier] = 1.0;
}

/* Bins: at least BINS_PER_WINDOW in a window, by halving the octave. */
static void lay_out(struct nearby *self, double low, double high, double window_log)
{
    int halvings = (int)ceil(log2(BINS_PER_WINDOW / window_log));
    halvings = halvings < 0 ? 0 : halvings > 40 ? 40 : halvings;
    double lowest = low * exp(-MARGIN_LOG), highest = high * exp(MARGIN_LOG);
    self->per_bin = ldexp(1.0, halvings - 52);
    self->first = representation(lowest);
    double bins = (double)(representation(highest) - self->first) * self->per_bin;
    self->count = (int)fmin(bins, COUNT_MAX) + 1;
    self->low_log = log(lowest);
    self->width_log = (log(highest) - self->low_log) / self->count;
}

int nearby_init(struct nearby *self, const struct ladder *ladder, const struct ledger *ledger,
                double low, double high, double window_log, struct error *err)
{
    size_t classes = (size_t)ladder->book->class_count;
    memset(self, 0, sizeof *self);
    self->ladder = ladder;
    self->ledger = ledger;
    lay_out(self, low, high, window_log);
    self->classes = memory_zeroed(classes, sizeof *self->classes);
    self->failed = self->classes == NULL;
    for (int side = 0; side < 2 && !self->failed; side++) {
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
    for (int c = 0; self->classes != NULL && c < self->ladder->book->class_count; c++) {
        memory_free(self->classes[c].bins);
        memory_free(self->classes[c].positions);
        memory_free(self->classes[c].occupied);
    }
    memory_free(self->classes);
    memset(self, 0, sizeof *self);
}

/* A position of the bar that opens now: nothing of it has been thinned. */
static void visit_fresh(void *context, int class_id, double key,
                        const struct ladder_fired *position)
{
    struct nearby *self = context;
    const struct ledger_side *ledger = &self->ledger->side[book_side_index(position->class->side)];
    add(self, class_id, key, position, position->position->share * ledger->opened[position->bar],
        1);
}

int nearby_open(struct nearby *self, size_t bar, struct error *err)
{
    ladder_visit_bar(self->ladder, bar, visit_fresh, self);
    return self->failed ? error_memory(err, "levels near the market") : ERROR_NONE;
}

void nearby_fire(struct nearby *self, const struct ladder_fired *position, double coins)
{
    /* Of twins, the first was counted: whichever fired. */
    const struct book *book = self->ladder->book;
    const struct book_run *run = &book->runs[position->run];
    const struct book_position *entered =
        run->twin == BOOK_NO_TWIN ? position->position : &book->positions[run->first];
    struct ladder_fired counted = {entered, &book->classes[run->class_id], run->bar, position->run};
    add(self, (int)run->class_id, ladder_position_key(self->ladder, &counted), &counted, coins, -1);
}

/* True for the classes of a side that hold or held positions. */
static bool listed(const struct nearby *self, int class_id, int side_index)
{
    return self->classes[class_id].bins != NULL &&
           book_side_index(self->ladder->book->classes[class_id].side) == side_index;
}

/* Takes what is kept into the sums, which then refer to the present. */
static void renew_reference(struct nearby *self, int side_index)
{
    for (int c = 0; c < self->ladder->book->class_count; c++)
        for (int i = 0; i < self->count && listed(self, c, side_index); i++)
            for (int tier = 0; tier < TIERS; tier++)
                self->classes[c].bins[i].coins[tier / 2][tier % 2] *= self->kept[side_index][tier];
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

/* True when a class has positions in the bins of two places within the histogram or between them.
 */
static bool any_between(const struct nearby *self, const uint64_t *occupied, double a, double b)
{
    int from = (int)(a < b ? a : b), to = (int)(a < b ? b : a);
    to = to < self->count ? to : self->count - 1;
    for (int word = from / WORD_BITS; word <= to / WORD_BITS; word++) {
        uint64_t bits = occupied[word];
        if (word == from / WORD_BITS)
            bits &= UINT64_MAX << from % WORD_BITS;
        if (word == to / WORD_BITS)
            bits &= UINT64_MAX >> (WORD_BITS - 1 - to % WORD_BITS);
        if (bits != 0)
            return true;
    }
    return false;
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

/* Adds what a class holds between places at[k] and at[k + 1], in either direction, to out_coins[k].
 */
static void add_class(const struct nearby *self, const struct nearby_bin *bins,
                      const nearby_pair kept[NEARBY_PAIRS], const double *at, int points,
                      double *out_coins)
{
    for (int k = 0; k < points; k++) {
        double from = at[k] < at[k + 1] ? at[k] : at[k + 1];
        double to = at[k] < at[k + 1] ? at[k + 1] : at[k];
        if (from < to)
            out_coins[k] += coins_between(self, bins, kept, from, to);
    }
}

void nearby_within(const struct nearby *self, int side_index, double mark, double window_log,
                   int points, double *out_coins)
{
    const struct ladder *ladder = self->ladder;
    double step = exp((side_index == BOOK_LONG ? -window_log : window_log) / points);
    double price[NEARBY_POINTS + 1] = {mark};
    nearby_pair kept[NEARBY_PAIRS] = {{0.0, 0.0}};
    liqcascade_bug_assert(points >= 1 && points <= NEARBY_POINTS, "too many points");
    for (int k = 1; k <= points; k++)
        price[k] = price[k - 1] * step;
    for (int tier = 0; tier < TIERS; tier++)
        kept[tier / 2][tier % 2] = self->kept[side_index][tier];
    memset(out_coins, 0, (size_t)points * sizeof *out_coins);
    for (int c = 0; c < ladder->book->class_count; c++) {
        if (!listed(self, c, side_index))
            continue;
        const struct book_class *class = &ladder->book->classes[c];
        const struct margin_formula *formula = ladder->book->venues[class->venue].formula;
        double funding = formula->inverse ? ladder->funding.inverse : ladder->funding.linear;
        const struct nearby_class *here = &self->classes[c];
        double at[NEARBY_POINTS + 1];
        for (int k = 0; k <= points; k += points)
            at[k] = inside(self, place(self, formula->inverse,
                                       class->slope * margin_z(formula, price[k]) - funding));
        if (!any_between(self, here->occupied, fmin(at[0], at[points]), fmax(at[0], at[points])))
            continue; /* as most classes: what does not fire at once stays far from the market */
        for (int k = 1; k < points; k++)
            at[k] = inside(self, place(self, formula->inverse,
                                       class->slope * margin_z(formula, price[k]) - funding));
        add_class(self, here->bins, kept, at, points, out_coins);
    }
    for (int k = 1; k < points; k++)
        out_coins[k] += out_coins[k - 1];
}
