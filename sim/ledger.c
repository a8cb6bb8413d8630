#include "sim/ledger.h"

#include <string.h>

#include "base/memory.h"

enum { THIN_STEPS_MAX = 60 };

static const double SMALL_STEP = 1e-8;
/* A side with less than this share of it in the book has nothing there but rounding. */
static const double NOTHING = 1e-12;

static int side_init(struct ledger_side *self, size_t bars, bool zones)
{
    self->opened = memory_zeroed(bars, sizeof *self->opened);
    self->hazard_then = memory_zeroed(bars, sizeof *self->hazard_then);
    if (self->opened == NULL || self->hazard_then == NULL || !zones)
        return self->opened != NULL && self->hazard_then != NULL;
    self->zones = memory_zeroed(LEDGER_ZONES, sizeof *self->zones);
    self->zone_of = memory_zeroed(bars, sizeof *self->zone_of);
    return self->zones != NULL && self->zone_of != NULL;
}

int ledger_init(struct ledger *self, size_t bars, const struct ledger_params *params,
                struct error *err)
{
    bool pro_rata = params->disposition_ratio == 0.0 || params->disposition_ratio == 1.0;
    memset(self, 0, sizeof *self);
    self->bars = bars;
    self->disposition_ratio = pro_rata ? 1.0 : params->disposition_ratio;
    for (int tier = 0; tier < TIERS; tier++)
        self->tier_hazard[tier] = tier_hazard(tier, params->hazard_exponent);
    for (int i = 0; i < 2; i++) {
        if (!side_init(&self->side[i], bars, !pro_rata)) {
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
        memory_free(self->side[i].zones);
        memory_free(self->side[i].zone_of);
    }
    memset(self, 0, sizeof *self);
}

/* Of `to`, which has room for as many bars. */
static void side_copy(struct ledger_side *to, const struct ledger_side *from)
{
    struct ledger_side own = *to;
    size_t first = from->first_bar, bars = from->open_bars - first;
    *to = *from;
    to->opened = own.opened;
    to->hazard_then = own.hazard_then;
    to->zones = own.zones;
    to->zone_of = own.zone_of;
    memcpy(to->opened + first, from->opened + first, bars * sizeof *to->opened);
    memcpy(to->hazard_then + first, from->hazard_then + first, bars * sizeof *to->hazard_then);
    if (to->zones == NULL || from->zones == NULL || from->zone_of == NULL || from->zone_end == 0)
        return;
    size_t low = (size_t)from->zone_low, zones = (size_t)(from->zone_end - from->zone_low);
    memcpy(to->zones + low, from->zones + low, zones * sizeof *to->zones);
    memcpy(to->zone_of + first, from->zone_of + first, bars * sizeof *to->zone_of);
}

int ledger_copy(struct ledger *self, const struct ledger *from, struct error *err)
{
    *self = *from;
    memset(self->side, 0, sizeof self->side);
    for (int i = 0; i < 2; i++)
        if (!side_init(&self->side[i], from->bars, from->side[i].zones != NULL)) {
            ledger_free(self);
            return error_memory(err, "the ledger");
        }
    for (int i = 0; i < 2; i++)
        side_copy(&self->side[i], &from->side[i]);
    return ERROR_NONE;
}

/* ---- zones ------------------------------------------------------------------------------ */

/* The zone of a price, from now on one of those used. */
static int zone_enter(struct ledger_side *side, double price)
{
    double number = floor(log(price) / LEDGER_ZONE_LOG);
    if (side->zone_end == 0) {
        side->first_zone = number - 0.5 * LEDGER_ZONES;
        side->zone_low = side->zone_end = LEDGER_ZONES / 2;
    }
    int i = (int)fmin(fmax(number - side->first_zone, 0.0), LEDGER_ZONES - 1.0);
    if (i < side->zone_low)
        side->zone_low = i;
    if (i >= side->zone_end)
        side->zone_end = i + 1;
    side->zones[i].middle = exp((side->first_zone + i + 0.5) * LEDGER_ZONE_LOG);
    return i;
}

/* A bar opens: its zone's sums, and what H it starts from. */
static struct ledger_zone *zone_open(struct ledger_side *side, size_t bar, double price,
                                     const struct ledger_opening *opening)
{
    double share = 0.0, entry = 0.0;
    for (int tier = 0; tier < TIERS; tier++) {
        share += opening->share[tier];
        entry += opening->entry[tier];
    }
    int i = zone_enter(side, share > 0.0 ? price * entry / share : price);
    side->zone_of[bar] = (uint16_t)i;
    side->zones[i].bars++;
    side->hazard_then[bar] = side->zones[i].hazard;
    return &side->zones[i];
}

/* A bar is gone; a zone without bars holds nothing. */
static void zone_leave(struct ledger_side *side, size_t bar)
{
    struct ledger_zone *zone = &side->zones[side->zone_of[bar]];
    if (--zone->bars == 0)
        memset(zone->tier, 0, sizeof zone->tier);
}

static struct ledger_zone *zone_of_bar(const struct ledger_side *side, size_t bar)
{
    return side->zones == NULL ? NULL : &side->zones[side->zone_of[bar]];
}

/* ---- coins and money -------------------------------------------------------------------- */

static void sums_add(struct ledger_sums *sums, const struct ledger_sums *more)
{
    sums->coins += more->coins;
    sums->entry_value += more->entry_value;
    sums->margin += more->margin;
    sums->funding_value += more->funding_value;
}

static void sums_take(struct ledger_sums *sums, const struct ledger_sums *less)
{
    sums->coins -= less->coins;
    sums->entry_value -= less->entry_value;
    sums->margin -= less->margin;
    sums->funding_value -= less->funding_value;
}

static void sums_scale(struct ledger_sums *sums, double factor)
{
    sums->coins *= factor;
    sums->entry_value *= factor;
    sums->margin *= factor;
    sums->funding_value *= factor;
}

static void tiers_scale(struct ledger_sums *tiers, double factor)
{
    for (int tier = 0; tier < TIERS; tier++)
        sums_scale(&tiers[tier], factor);
}

void ledger_scale(struct ledger *self, double factor)
{
    for (int i = 0; i < 2; i++) {
        struct ledger_side *side = &self->side[i];
        sums_scale(&side->held, factor);
        tiers_scale(side->tier, factor);
        for (size_t bar = side->first_bar; bar < side->open_bars; bar++)
            side->opened[bar] *= factor;
        for (int z = side->zone_low; z < side->zone_end; z++)
            tiers_scale(side->zones[z].tier, factor);
    }
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
    struct ledger_zone *zone = NULL;
    double margin = 0.0;
    side->opened[bar] = coins;
    side->hazard_then[bar] = side->hazard;
    side->open_bars = bar + 1;
    if (side->zones != NULL)
        zone = zone_open(side, bar, price, opening);
    for (int tier = 0; tier < TIERS; tier++) {
        double opened = coins * opening->share[tier];
        struct ledger_sums sums = {opened, coins * price * opening->entry[tier],
                                   coins * price * opening->margin[tier], opened * funding};
        sums_add(&side->tier[tier], &sums);
        if (zone != NULL)
            sums_add(&zone->tier[tier], &sums);
        margin += sums.margin;
    }
    return margin;
}

void ledger_hold(struct ledger *self, int side_index, double coins, double price, double funding)
{
    struct ledger_sums sums = {coins, coins * price, coins * price, coins * funding};
    sums_add(&self->side[side_index].held, &sums);
}

void ledger_take(struct ledger *self, int side_index, size_t bar, int tier,
                 const struct ledger_sums *sums)
{
    struct ledger_side *side = &self->side[side_index];
    struct ledger_zone *zone = zone_of_bar(side, bar);
    sums_take(&side->tier[tier], sums);
    if (zone != NULL)
        sums_take(&zone->tier[tier], sums);
}

/* ---- thinning --------------------------------------------------------------------------- */

/* Who closes at one speed: the tiers, and with zones the tiers of those in profit after them. */
struct closing {
    int count;
    double hazard[2 * TIERS], coins[2 * TIERS];
    double kept[2 * TIERS]; /* what is left of each */
};

/* The hazard that lets `fall` close, by the first three terms of the inverse power series. A step
   of a run closes little of any tier, and then this is right to ten digits or so; where it may not
   be, the first term alone, which never closes too much. */
static double series_hazard(const struct closing *self, double fall)
{
    double first = 0.0, second = 0.0, third = 0.0;
    for (int i = 0; i < self->count; i++) {
        double hazard = self->hazard[i], term = hazard * self->coins[i];
        first += term;
        second += term * hazard;
        third += term * hazard * hazard;
    }
    double x = fall / first, bend = second / first, twist = third / first;
    double correction = x * (bend / 2.0 + x * (bend * bend / 2.0 - twist / 6.0));
    return correction < 0.1 ? x * (1.0 + correction) : x;
}

/* Coins left after a further hazard x, and how fast they fall with it. */
static double left_after(struct closing *self, double x, double *out_rate)
{
    double left = 0.0;
    *out_rate = 0.0;
    for (int i = 0; i < self->count; i++) {
        self->kept[i] = exp(-self->hazard[i] * x);
        left += self->kept[i] * self->coins[i];
        *out_rate += self->hazard[i] * self->kept[i] * self->coins[i];
    }
    return left;
}

/* The hazard that leaves `remaining`, by Newton's method. What is left is convex in x: a step from
   beyond the root falls short of it, and then none overshoots. */
static double thinning_hazard(struct closing *self, double remaining)
{
    double start = 0.0, fastest = 0.0, rate;
    for (int i = 0; i < self->count; i++) {
        start += self->coins[i];
        fastest = fastest > self->hazard[i] ? fastest : self->hazard[i];
    }
    double x = start > remaining ? series_hazard(self, start - remaining) : 0.0;
    double left = left_after(self, x, &rate);
    for (int step = 0;
         step < THIN_STEPS_MAX && fabs(left - remaining) > 1e-14 * start && rate > 0.0; step++) {
        double more = (left - remaining) / rate;
        x += more;
        if (fastest * fabs(more) < SMALL_STEP) {
            /* The last one, and exp(-h * more) is 1 - h * more to the last digit. */
            for (int i = 0; i < self->count; i++)
                self->kept[i] -= self->kept[i] * self->hazard[i] * more;
            break;
        }
        left = left_after(self, x, &rate);
    }
    return x;
}

static double slowest_hazard(const struct ledger *self)
{
    double slowest = self->tier_hazard[0];
    for (int tier = 1; tier < TIERS; tier++)
        slowest = slowest < self->tier_hazard[tier] ? slowest : self->tier_hazard[tier];
    return slowest;
}

/* Bars so long ago that nobody who opened in them is left. */
static void expire(struct ledger *self, int side_index)
{
    struct ledger_side *side = &self->side[side_index];
    double slowest = slowest_hazard(self);
    while (side->first_bar < side->open_bars &&
           slowest * (ledger_hazard(self, side_index, side->first_bar) -
                      side->hazard_then[side->first_bar]) >
               LEDGER_GONE) {
        if (side->zones != NULL)
            zone_leave(side, side->first_bar);
        side->first_bar++;
    }
}

void ledger_gone(const struct ledger *self, int side_index, size_t out_first[TIERS])
{
    const struct ledger_side *side = &self->side[side_index];
    for (int tier = 0; tier < TIERS; tier++) {
        size_t bar = side->first_bar;
        while (bar < side->open_bars &&
               self->tier_hazard[tier] *
                       (ledger_hazard(self, side_index, bar) - side->hazard_then[bar]) >
                   LEDGER_GONE)
            bar++;
        out_first[tier] = bar;
    }
}

/* Everybody closes. */
static void thin_all(const struct ledger *self, struct ledger_side *side)
{
    /* Whoever weighs positions by the hazard that passed (sim/nearby.h) sees them gone too. */
    double passed = 2.0 * LEDGER_GONE / slowest_hazard(self);
    memset(side->tier, 0, sizeof side->tier);
    memset(&side->held, 0, sizeof side->held);
    memset(side->thinned, 0, sizeof side->thinned);
    side->first_bar = side->open_bars;
    side->hazard += passed;
    for (int i = side->zone_low; i < side->zone_end; i++) {
        struct ledger_zone *zone = &side->zones[i];
        memset(zone->tier, 0, sizeof zone->tier);
        zone->bars = 0;
        zone->hazard += passed;
    }
}

/* The holders outside the book close their part. Returns what remains of the tiers; NaN: they hold
   nothing but rounding, of which no part can be closed. */
static double thin_held(struct ledger_side *side, double remaining)
{
    double tiers = 0.0;
    if (side->held.coins == 0.0)
        return remaining;
    for (int tier = 0; tier < TIERS; tier++)
        tiers += side->tier[tier].coins;
    double total = side->held.coins + tiers, kept = remaining / total;
    sums_scale(&side->held, kept);
    return tiers > NOTHING * total ? tiers * kept : NAN;
}

static void thin_tiers(const struct ledger *self, struct ledger_side *side, double remaining)
{
    struct closing closing; /* half of it unused, so not cleared */
    closing.count = TIERS;
    for (int tier = 0; tier < TIERS; tier++) {
        closing.hazard[tier] = self->tier_hazard[tier];
        closing.coins[tier] = side->tier[tier].coins;
    }
    side->hazard += thinning_hazard(&closing, remaining);
    for (int tier = 0; tier < TIERS; tier++) {
        side->thinned[tier] = closing.kept[tier];
        sums_scale(&side->tier[tier], closing.kept[tier]);
    }
}

/* Where in `closing` the tiers of a zone begin. */
static int zone_rows(const struct ledger_zone *zone, double sign, double price)
{
    return sign * (price - zone->middle) > 0.0 ? TIERS : 0;
}

static struct closing zones_closing(const struct ledger *self, const struct ledger_side *side,
                                    double sign, double price)
{
    struct closing closing = {.count = 2 * TIERS};
    for (int tier = 0; tier < TIERS; tier++) {
        closing.hazard[tier] = self->tier_hazard[tier];
        closing.hazard[TIERS + tier] = self->disposition_ratio * self->tier_hazard[tier];
    }
    for (int i = side->zone_low; i < side->zone_end; i++) {
        const struct ledger_zone *zone = &side->zones[i];
        double *coins = closing.coins + zone_rows(zone, sign, price);
        for (int tier = 0; tier < TIERS && zone->bars > 0; tier++)
            coins[tier] += zone->tier[tier].coins;
    }
    return closing;
}

static void thin_zones(const struct ledger *self, struct ledger_side *side, double sign,
                       double remaining, double price)
{
    struct closing closing = zones_closing(self, side, sign, price);
    double x = thinning_hazard(&closing, remaining);
    side->hazard += x;
    for (int tier = 0; tier < TIERS; tier++) {
        const double *coins = closing.coins + tier, *kept = closing.kept + tier;
        double all = coins[0] + coins[TIERS];
        side->thinned[tier] =
            all > 0.0 ? (coins[0] * kept[0] + coins[TIERS] * kept[TIERS]) / all : kept[0];
    }
    memset(side->tier, 0, sizeof side->tier);
    for (int i = side->zone_low; i < side->zone_end; i++) {
        struct ledger_zone *zone = &side->zones[i];
        int rows = zone_rows(zone, sign, price);
        zone->hazard += rows > 0 ? self->disposition_ratio * x : x;
        for (int tier = 0; tier < TIERS && zone->bars > 0; tier++) {
            sums_scale(&zone->tier[tier], closing.kept[rows + tier]);
            sums_add(&side->tier[tier], &zone->tier[tier]);
        }
    }
}

void ledger_thin(struct ledger *self, int side_index, double remaining, double price)
{
    struct ledger_side *side = &self->side[side_index];
    if (!(remaining > 0.0)) {
        thin_all(self, side);
        return;
    }
    remaining = thin_held(side, remaining);
    if (isnan(remaining)) {
        for (int tier = 0; tier < TIERS; tier++)
            side->thinned[tier] = 1.0;
        return;
    }
    if (side->zones == NULL)
        thin_tiers(self, side, remaining);
    else
        thin_zones(self, side, side_index == 0 ? 1.0 : -1.0, remaining, price);
    expire(self, side_index);
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

/* Who tops up closes and opens the same on both sides, of what is left after the other closes. */
static void add_remargined(const double left[2], double coins, struct ledger_flows *flows)
{
    flows->remargined = coins;
    for (int i = 0; i < 2; i++)
        flows->remargined = fmin(flows->remargined, left[i] - flows->closes[i]);
    for (int i = 0; i < 2; i++) {
        flows->opens[i] += flows->remargined;
        flows->closes[i] = fmin(flows->closes[i] + flows->remargined, left[i]);
    }
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
    double left[2];
    for (int i = 0; i < 2; i++) {
        left[i] = fmax(step->oi - step->forced[i], 0.0);
        side_flows(left[i], opens[i], step->oi + change, &flows.opens[i], &flows.closes[i]);
    }
    add_remargined(left, step->remargin * step->oi, &flows);
    return flows;
}

struct ledger_flows ledger_flows_kept(const struct ledger_step *step,
                                      const struct ledger_kept *kept)
{
    struct ledger_flows flows = {0};
    int calm = step->forced[0] <= step->forced[1] ? 0 : 1, other = 1 - calm;
    double left = fmax(step->oi - step->forced[calm], 0.0);
    flows.opens[calm] = kept->opens[calm];
    flows.closes[calm] = kept->close_share[calm] * left;
    double after = left + flows.opens[calm] - flows.closes[calm];
    side_flows(fmax(step->oi - step->forced[other], 0.0), kept->opens[other], after,
               &flows.opens[other], &flows.closes[other]);
    flows.replacement = fmax(flows.opens[other] - kept->opens[other], 0.0);
    return flows;
}
