#include "sim/nearby.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const double BINS_PER_WINDOW = 20.0;
static const double MARGIN_LOG = 0.7;
/* The reference is renewed before exp(h * (H - reference)) could overflow in any tier. */
static const double REFERENCE_SPAN = 300.0;

static double **bins_of(const struct nearby *self, int class_id, int tier)
{
    return &self->bins[class_id * TIERS + tier];
}

/* Where a key lies in bins, as a real number that grows with the trigger price: for inverse
   contracts |key| is near 1/P. */
static double place(const struct nearby *self, int class_id, double key)
{
    const struct book *book = self->ladder->book;
    const struct book_class *class = &book->classes[class_id];
    bool inverse = book->venues[class->venue].formula->inverse;
    double size = (double)class->side * key * (inverse ? -1.0 : 1.0);
    if (!(size > 0.0))
        return -1.0;
    double log_price = inverse ? -log(size) : log(size);
    return (log_price - self->low_log) / self->width_log;
}

static void add(struct nearby *self, int class_id, int tier, double key, double weight)
{
    double where = place(self, class_id, key);
    double **bins = bins_of(self, class_id, tier);
    if (!(where >= 0.0 && where < (double)self->count))
        return;
    if (*bins == NULL) {
        *bins = memory_zeroed((size_t)self->count, sizeof(double));
        if (*bins == NULL) {
            self->failed = true;
            return;
        }
    }
    double *bin = &(*bins)[(int)where];
    *bin = *bin + weight > 0.0 ? *bin + weight : 0.0;
}

/* Coins of a position as of the reference hazard. */
static double weight_of(const struct nearby *self, const struct ladder_fired *position, int tier)
{
    int side = book_side_index(position->class->side);
    const struct ledger_side *ledger = &self->ledger->side[side];
    return position->position->share * ledger->opened[position->bar] *
           exp(self->ledger->tier_hazard[tier] *
               (ledger->hazard_then[position->bar] - self->reference[side]));
}

static void visit(void *context, int class_id, double key, const struct ladder_fired *position)
{
    struct nearby *self = context;
    int tier = tier_of((double)position->position->leverage);
    add(self, class_id, tier, key, weight_of(self, position, tier));
}

int nearby_init(struct nearby *self, const struct ladder *ladder, const struct ledger *ledger,
                double low, double high, double window_log, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->ladder = ladder;
    self->ledger = ledger;
    self->low_log = log(low) - MARGIN_LOG;
    self->width_log = window_log / BINS_PER_WINDOW;
    self->count = (int)fmin((log(high) + MARGIN_LOG - self->low_log) / self->width_log, 1e7) + 1;
    for (int side = 0; side < 2; side++)
        self->reference[side] = ledger->side[side].hazard;
    self->bins = memory_zeroed((size_t)ladder->book->class_count * TIERS, sizeof *self->bins);
    if (self->bins == NULL)
        return error_memory(err, "levels near the market");
    for (int side = 0; side < 2; side++)
        ladder_visit(ladder, side, visit, self);
    if (!self->failed)
        return ERROR_NONE;
    nearby_free(self);
    return error_memory(err, "levels near the market");
}

void nearby_free(struct nearby *self)
{
    for (int c = 0; self->bins != NULL && c < self->ladder->book->class_count * TIERS; c++)
        memory_free(self->bins[c]);
    memory_free(self->bins);
    memset(self, 0, sizeof *self);
}

int nearby_open(struct nearby *self, size_t bar, struct error *err)
{
    ladder_visit_bar(self->ladder, bar, visit, self);
    return self->failed ? error_memory(err, "levels near the market") : ERROR_NONE;
}

void nearby_fire(struct nearby *self, const struct ladder_fired *position)
{
    /* Of twins, the first was counted: whichever fired. */
    const struct book *book = self->ladder->book;
    const struct book_run *run = &book->runs[position->run];
    const struct book_class *class = &book->classes[run->class_id];
    const struct book_position *entered =
        run->twin == BOOK_NO_TWIN ? position->position : &book->positions[run->first];
    struct ladder_fired counted = {entered, class, run->bar, position->run};
    int tier = tier_of((double)entered->leverage);
    add(self, (int)run->class_id, tier, ladder_position_key(self->ladder, &counted),
        -weight_of(self, &counted, tier));
}

/* True for the classes of a side. */
static bool on_side(const struct nearby *self, int class_id, int side_index)
{
    return book_side_index(self->ladder->book->classes[class_id].side) == side_index;
}

void nearby_thin(struct nearby *self, int side_index)
{
    double passed = self->ledger->side[side_index].hazard - self->reference[side_index];
    double fastest = 0.0;
    for (int tier = 0; tier < TIERS; tier++)
        fastest = fmax(fastest, self->ledger->tier_hazard[tier]);
    if (passed * fastest < REFERENCE_SPAN)
        return;
    self->reference[side_index] = self->ledger->side[side_index].hazard;
    for (int c = 0; c < self->ladder->book->class_count; c++)
        for (int tier = 0; tier < TIERS && on_side(self, c, side_index); tier++) {
            double *bins = *bins_of(self, c, tier);
            double factor = exp(-self->ledger->tier_hazard[tier] * passed);
            for (int i = 0; bins != NULL && i < self->count; i++)
                bins[i] *= factor;
        }
}

/* Sum of the bins over [from, to], places with from <= to; cut bins count in proportion. */
static double bins_sum(const struct nearby *self, const double *bins, double from, double to)
{
    double last = (double)self->count;
    if (!(to > 0.0 && from < last))
        return 0.0;
    from = from > 0.0 ? from : 0.0;
    to = to < last ? to : last;
    int first = (int)from, end = (int)to;
    if (first == end)
        return bins[first < self->count ? first : self->count - 1] * (to - from);
    double sum = bins[first] * ((double)first + 1.0 - from);
    for (int i = first + 1; i < end; i++)
        sum += bins[i];
    return end < self->count ? sum + bins[end] * (to - (double)end) : sum;
}

static bool has_bins(const struct nearby *self, int class_id)
{
    for (int tier = 0; tier < TIERS; tier++)
        if (*bins_of(self, class_id, tier) != NULL)
            return true;
    return false;
}

/* Adds what a tier's bins hold between the places at[0], at[1], ... in either direction. */
static void add_tier(const struct nearby *self, const double *bins, double kept, const double *at,
                     int points, double *out_coins)
{
    for (int k = 0; bins != NULL && k < points; k++)
        out_coins[k] += kept * (at[k] < at[k + 1] ? bins_sum(self, bins, at[k], at[k + 1])
                                                  : bins_sum(self, bins, at[k + 1], at[k]));
}

void nearby_within(const struct nearby *self, int side_index, double mark, double window_log,
                   int points, double *out_coins)
{
    double step = (side_index == BOOK_LONG ? -window_log : window_log) / points;
    double limit[NEARBY_POINTS];
    liqcascade_bug_assert(points >= 1 && points <= NEARBY_POINTS, "too many points");
    double kept[TIERS];
    for (int k = 0; k < points; k++) {
        out_coins[k] = 0.0;
        limit[k] = mark * exp(step * (k + 1));
    }
    for (int tier = 0; tier < TIERS; tier++)
        kept[tier] = exp(self->ledger->tier_hazard[tier] *
                         (self->reference[side_index] - self->ledger->side[side_index].hazard));
    for (int c = 0; c < self->ladder->book->class_count; c++) {
        double at[NEARBY_POINTS + 1];
        if (!on_side(self, c, side_index) || !has_bins(self, c))
            continue;
        at[0] = place(self, c, ladder_key_at(self->ladder, c, mark));
        for (int k = 0; k < points; k++)
            at[k + 1] = place(self, c, ladder_key_at(self->ladder, c, limit[k]));
        for (int tier = 0; tier < TIERS; tier++)
            add_tier(self, *bins_of(self, c, tier), kept[tier], at, points, out_coins);
    }
    for (int k = 1; k < points; k++)
        out_coins[k] += out_coins[k - 1];
}
