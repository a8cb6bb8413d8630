#include "sim/ledger.h"

#include <string.h>

#include "base/memory.h"

enum { THIN_STEPS_MAX = 60 };

static const double SMALL_STEP = 1e-8;

int ledger_init(struct ledger *self, size_t bars, double hazard_exponent, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->bars = bars;
    for (int tier = 0; tier < TIERS; tier++)
        self->tier_hazard[tier] = tier_hazard(tier, hazard_exponent);
    for (int i = 0; i < 2; i++) {
        self->side[i].opened = memory_zeroed(bars, sizeof(double));
        self->side[i].hazard_then = memory_zeroed(bars, sizeof(double));
        if (self->side[i].opened == NULL || self->side[i].hazard_then == NULL) {
            ledger_free(self);
            return error_memory(err, "the ledger");
        }
    }
    return ERROR_NONE;
}

void ledger_free(struct ledger *self)
{
    for (int i = 0; i < 2; i++) {
        memory_free(self->side[i].opened);
        memory_free(self->side[i].hazard_then);
    }
    memset(self, 0, sizeof *self);
}

double ledger_total(const struct ledger *self, int side_index)
{
    const struct ledger_side *side = &self->side[side_index];
    double coins = side->held.coins;
    for (int tier = 0; tier < TIERS; tier++)
        coins += side->tier[tier].coins;
    return coins;
}

double ledger_open(struct ledger *self, int side_index, size_t bar, double coins, double price,
                   double funding, const struct ledger_opening *opening)
{
    struct ledger_side *side = &self->side[side_index];
    double margin = 0.0;
    side->opened[bar] = coins;
    side->hazard_then[bar] = side->hazard;
    side->open_bars = bar + 1;
    for (int tier = 0; tier < TIERS; tier++) {
        struct ledger_sums *sums = &side->tier[tier];
        double opened = coins * opening->share[tier];
        sums->coins += opened;
        sums->entry_value += coins * price * opening->entry[tier];
        sums->margin += coins * price * opening->margin[tier];
        sums->funding_value += opened * funding;
        margin += coins * price * opening->margin[tier];
    }
    return margin;
}

void ledger_hold(struct ledger *self, int side_index, double coins, double price, double funding)
{
    struct ledger_sums *held = &self->side[side_index].held;
    held->coins += coins;
    held->entry_value += coins * price;
    held->margin += coins * price;
    held->funding_value += coins * funding;
}

void ledger_remove(struct ledger *self, int side_index, double coins, double entry_price,
                   double leverage, double funding_at_open)
{
    struct ledger_sums *sums = &self->side[side_index].tier[tier_of(leverage)];
    sums->coins -= coins;
    sums->entry_value -= coins * entry_price;
    sums->margin -= coins * entry_price / leverage;
    sums->funding_value -= coins * funding_at_open;
}

/* ---- thinning --------------------------------------------------------------------------- */

/* A side's coins by tier, those that are held beyond the book in the first. */
static void coins_of_tiers(const struct ledger_side *side, double coins[TIERS])
{
    for (int tier = 0; tier < TIERS; tier++)
        coins[tier] = side->tier[tier].coins;
    coins[0] += side->held.coins;
}

/* The hazard that lets `fall` close, by the first three terms of the inverse power series. A step
   of a run closes little of any tier, and then this is right to ten digits or so; where it may not
   be, the first term alone, which never closes too much. */
static double series_hazard(const struct ledger *self, const double coins[TIERS], double fall)
{
    double first = 0.0, second = 0.0, third = 0.0;
    for (int tier = 0; tier < TIERS; tier++) {
        double hazard = self->tier_hazard[tier], term = hazard * coins[tier];
        first += term;
        second += term * hazard;
        third += term * hazard * hazard;
    }
    double x = fall / first, bend = second / first, twist = third / first;
    double correction = x * (bend / 2.0 + x * (bend * bend / 2.0 - twist / 6.0));
    return correction < 0.1 ? x * (1.0 + correction) : x;
}

/* Coins left after a further hazard x, and how fast they fall with it; `kept`: of each tier. */
static double left_after(const struct ledger *self, const double coins[TIERS], double x,
                         double kept[TIERS], double *out_rate)
{
    double left = 0.0;
    *out_rate = 0.0;
    for (int tier = 0; tier < TIERS; tier++) {
        kept[tier] = exp(-self->tier_hazard[tier] * x);
        left += kept[tier] * coins[tier];
        *out_rate += self->tier_hazard[tier] * kept[tier] * coins[tier];
    }
    return left;
}

/* The hazard that leaves `remaining`, by Newton's method, and what it keeps of each tier. What is
   left is convex in x: a step from beyond the root falls short of it, and then none overshoots. */
static double thinning_hazard(const struct ledger *self, const struct ledger_side *side,
                              double remaining, double kept[TIERS])
{
    double coins[TIERS], start = 0.0, fastest = 0.0, rate;
    coins_of_tiers(side, coins);
    for (int tier = 0; tier < TIERS; tier++) {
        start += coins[tier];
        fastest = fastest > self->tier_hazard[tier] ? fastest : self->tier_hazard[tier];
    }
    double x = start > remaining ? series_hazard(self, coins, start - remaining) : 0.0;
    double left = left_after(self, coins, x, kept, &rate);
    for (int i = 0; i < THIN_STEPS_MAX && fabs(left - remaining) > 1e-14 * start && rate > 0.0;
         i++) {
        double more = (left - remaining) / rate;
        x += more;
        if (fastest * fabs(more) < SMALL_STEP) {
            /* The last one, and exp(-h * more) is 1 - h * more to the last digit. */
            for (int tier = 0; tier < TIERS; tier++)
                kept[tier] -= kept[tier] * self->tier_hazard[tier] * more;
            break;
        }
        left = left_after(self, coins, x, kept, &rate);
    }
    return x;
}

static void sums_scale(struct ledger_sums *sums, double factor)
{
    sums->coins *= factor;
    sums->entry_value *= factor;
    sums->margin *= factor;
    sums->funding_value *= factor;
}

static double slowest_hazard(const struct ledger *self)
{
    double slowest = self->tier_hazard[0];
    for (int tier = 1; tier < TIERS; tier++)
        slowest = slowest < self->tier_hazard[tier] ? slowest : self->tier_hazard[tier];
    return slowest;
}

/* Bars so long ago that nobody who opened in them is left. */
static void expire(const struct ledger *self, struct ledger_side *side)
{
    double slowest = slowest_hazard(self);
    while (side->first_bar < side->open_bars &&
           slowest * (side->hazard - side->hazard_then[side->first_bar]) > LEDGER_GONE)
        side->first_bar++;
}

void ledger_thin(struct ledger *self, int side_index, double remaining)
{
    struct ledger_side *side = &self->side[side_index];
    if (!(remaining > 0.0)) {
        memset(side->tier, 0, sizeof side->tier);
        memset(&side->held, 0, sizeof side->held);
        memset(side->thinned, 0, sizeof side->thinned);
        side->first_bar = side->open_bars;
        /* Whoever weighs positions by the hazard that passed (sim/nearby.h) sees them gone too. */
        side->hazard += 2.0 * LEDGER_GONE / slowest_hazard(self);
        return;
    }
    side->hazard += thinning_hazard(self, side, remaining, side->thinned);
    sums_scale(&side->held, side->thinned[0]);
    for (int tier = 0; tier < TIERS; tier++)
        sums_scale(&side->tier[tier], side->thinned[tier]);
    expire(self, side);
}

/* ---- equity ----------------------------------------------------------------------------- */

static double sums_equity(const struct ledger_sums *sums, double sign, double price, double funding)
{
    double gain = price * sums->coins - sums->entry_value;
    double paid = funding * sums->coins - sums->funding_value;
    return sums->margin + sign * (gain - paid);
}

double ledger_equity(const struct ledger *self, int side_index, double price, double funding)
{
    const struct ledger_side *side = &self->side[side_index];
    double sign = side_index == 0 ? 1.0 : -1.0;
    double equity = sums_equity(&side->held, sign, price, funding);
    for (int tier = 0; tier < TIERS; tier++)
        equity += sums_equity(&side->tier[tier], sign, price, funding);
    return equity;
}

double ledger_entry_value(const struct ledger *self, int side_index)
{
    const struct ledger_side *side = &self->side[side_index];
    double value = side->held.entry_value;
    for (int tier = 0; tier < TIERS; tier++)
        value += side->tier[tier].entry_value;
    return value;
}

/* ---- flows ------------------------------------------------------------------------------ */

/* Opens and closes of a side that take it from what is left after the forced flow to `after`. */
static void side_flows(double left, double opens, double after, double *out_opens,
                       double *out_closes)
{
    double closes = left + opens - after;
    if (closes < 0.0) {
        opens -= closes;
        closes = 0.0;
    } else if (closes > left) {
        opens = after;
        closes = left;
    }
    *out_opens = opens;
    *out_closes = closes;
}

struct ledger_flows ledger_flows(const struct ledger_step *step)
{
    struct ledger_flows flows;
    double largest = fmax(step->forced[0], step->forced[1]);
    double both = step->forced[0] + step->forced[1];
    double change, opens[2];
    if (step->observed) {
        change = fmax(step->oi_change, -step->oi);
        double common = fmax(change + largest, 0.0) + step->turnover * step->oi;
        opens[0] = opens[1] = common;
        double room = step->turnover * step->oi + fmax(-change, 0.0);
        flows.replacement = fmax(largest - room, 0.0);
    } else {
        double closers = step->absorbed_by_closers;
        change = -fmin(closers * both, step->oi);
        double turnover = step->turnover * fmax(step->oi - both, 0.0);
        opens[0] = turnover + (1.0 - closers) * step->forced[0];
        opens[1] = turnover + (1.0 - closers) * step->forced[1];
        flows.replacement = fmax(both - step->oi, 0.0);
    }
    for (int i = 0; i < 2; i++)
        side_flows(fmax(step->oi - step->forced[i], 0.0), opens[i], step->oi + change,
                   &flows.opens[i], &flows.closes[i]);
    return flows;
}
