#include "sim/nearby.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const double BINS_PER_WINDOW = 50.0;
static const double MARGIN_LOG = 0.7;

/* Where a key lies in bins, as a real number that grows with the trigger price: for inverse contracts
   |key| is near 1/P. */
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

static void add(struct nearby *self, int class_id, double key, double weight)
{
    double where = place(self, class_id, key);
    if (!(where >= 0.0 && where < (double)self->count))
        return;
    if (self->bins[class_id] == NULL) {
        self->bins[class_id] = memory_zeroed((size_t)self->count, sizeof(double));
        if (self->bins[class_id] == NULL) {
            self->failed = true;
            return;
        }
    }
    double *bin = &self->bins[class_id][(int)where];
    *bin = *bin + weight > 0.0 ? *bin + weight : 0.0;
}

static double weight_of(const struct nearby *self, const struct ladder_fired *position)
{
    int side = book_side_index(position->class->side);
    return position->position->share * self->ledger->side[side].scale[position->bar];
}

static void visit(void *context, int class_id, double key, const struct ladder_fired *position)
{
    struct nearby *self = context;
    add(self, class_id, key, weight_of(self, position));
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
    self->bins = memory_zeroed((size_t)ladder->book->class_count, sizeof *self->bins);
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
    for (int c = 0; self->bins != NULL && c < self->ladder->book->class_count; c++)
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
    add(self, (int)run->class_id, ladder_position_key(self->ladder, &counted),
        -weight_of(self, &counted));
}

void nearby_scale(struct nearby *self, int side_index, double factor)
{
    for (int c = 0; c < self->ladder->book->class_count; c++) {
        if (self->bins[c] == NULL ||
            book_side_index(self->ladder->book->classes[c].side) != side_index)
            continue;
        for (int i = 0; i < self->count; i++)
            self->bins[c][i] *= factor;
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

void nearby_within(const struct nearby *self, int side_index, double mark, double window_log,
                   int points, double *out_coins)
{
    double step = (side_index == BOOK_LONG ? -window_log : window_log) / points;
    double limit[NEARBY_POINTS];
    liqcascade_bug_assert(points >= 1 && points <= NEARBY_POINTS, "too many points");
    for (int k = 0; k < points; k++) {
        out_coins[k] = 0.0;
        limit[k] = mark * exp(step * (k + 1));
    }
    for (int c = 0; c < self->ladder->book->class_count; c++) {
        if (self->bins[c] == NULL ||
            book_side_index(self->ladder->book->classes[c].side) != side_index)
            continue;
        double from = place(self, c, ladder_key_at(self->ladder, c, mark));
        for (int k = 0; k < points; k++) {
            double to = place(self, c, ladder_key_at(self->ladder, c, limit[k]));
            out_coins[k] += from < to ? bins_sum(self, self->bins[c], from, to)
                                      : bins_sum(self, self->bins[c], to, from);
            from = to;
        }
    }
    double survival = self->ledger->side[side_index].survival;
    for (int k = 0; k < points; k++)
        out_coins[k] = out_coins[k] * survival + (k > 0 ? out_coins[k - 1] : 0.0);
}
