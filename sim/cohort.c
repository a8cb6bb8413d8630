#include "sim/cohort.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "sim/cohort_parts.h"

static const double INVARIANT_TOLERANCE = 1e-9;
/* A ratio at which a ledger keeps zones: each evaluation brings its own. */
static const double ANY_RATIO = 1.5;

/* ---- what there is ---------------------------------------------------------------------- */

static int refuse(const struct setup *setup, const char *key, const char *what, struct error *err)
{
    return error_at(err, ERROR_SCENARIO, setup->scenario->path_name, 0, 0, key,
                    "%s has no evaluation by cohorts; expected a run of positions", what);
}

static bool venue_counts(const struct setup *setup, size_t v)
{
    return !setup->venues[v].by_hand;
}

int cohort_check(const struct setup *setup, struct error *err)
{
    const struct scenario *scenario = setup->scenario;
    if (scenario->path.model != PATH_OBSERVED)
        return refuse(setup, "path.model", "a path that is not observed", err);
    if (setup->given != NULL || setup->accounts != NULL)
        return refuse(setup, "book.positions_from", "a book of given positions", err);
    if (scenario->funding.model != FUNDING_OBSERVED)
        return refuse(setup, "funding.model", "modelled funding", err);
    if (scenario->oi.scale_by == SCALE_SIZES && setup->levels[0].scale != 1.0)
        return refuse(setup, "oi.scale_by", "open interest scaled by sizes", err);
    for (size_t v = 0; v < setup->venue_count; v++) {
        if (venue_counts(setup, v) && scenario->venues[v].adl != ADL_NONE &&
            !isnan(scenario->venues[v].insurance_fund_usd))
            return refuse(setup, "venues.insurance_fund_usd",
                          "a fund of limited size with deleveraging after it", err);
    }
    return ERROR_NONE;
}

static bool closes_in_parts(const struct setup *setup)
{
    for (size_t v = 0; v < setup->venue_count; v++) {
        const struct scenario_venue *venue = &setup->scenario->venues[v];
        if (venue_counts(setup, v) &&
            (venue->liquidation != LIQUIDATION_FULL || venue->backstop_share > 0.0))
            return true;
    }
    return false;
}

struct cohort_params cohort_params_of(const struct setup *setup, const struct setup_level *level)
{
    const struct scenario *scenario = setup->scenario;
    return (struct cohort_params){
        .leverage = setup_leverage(scenario),
        .crowd_tilt = scenario->book.crowd_tilt,
        .hedged_short_share = scenario->book.hedged_short_share,
        .hedged_leverage = {scenario->book.hedged_leverage[0], scenario->book.hedged_leverage[1]},
        .turnover_per_hour = scenario->book.turnover_per_hour,
        .remargin_per_hour = scenario->book.remargin_per_hour,
        .disposition_ratio =
            scenario->book.close == CLOSE_DISPOSITION ? scenario->book.disposition_ratio : 1.0,
        .absorbed_by_closers = scenario->book.absorbed_by_closers,
        .oi_share = setup->believed_share,
        .oi_scale = level->scale,
        .frozen = scenario->oi.flow == FLOW_FROZEN,
    };
}

int cohort_init(struct cohort *self, const struct setup *setup, const struct cohort_detail *detail,
                struct error *err)
{
    static const struct cohort_detail usual = {COHORT_COLUMN_RATIO, COHORT_SIZE_NODES};
    int code = cohort_check(setup, err);
    memset(self, 0, sizeof *self);
    if (code != ERROR_NONE)
        return code;
    *self = (struct cohort){.setup = setup,
                            .bars = setup->bars,
                            .start_bar = setup->start_bar,
                            .start_ms = setup->market.start_ms,
                            .step_ms = setup->market.step_ms,
                            .whole_closes = closes_in_parts(setup),
                            .table = memory_zeroed(1, sizeof *self->table)};
    if (self->table == NULL)
        return error_memory(err, "cohorts");
    code = cohort_table_init(self->table, setup, detail != NULL ? detail : &usual, err);
    if (code == ERROR_NONE)
        code = cohort_fires_init(self->table, setup, err);
    if (code != ERROR_NONE)
        cohort_free(self);
    return code;
}

void cohort_free(struct cohort *self)
{
    if (self->table != NULL)
        cohort_table_free(self->table);
    memory_free(self->table);
    memset(self, 0, sizeof *self);
}

/* ---- work ------------------------------------------------------------------------------- */

struct cohort_state {
    struct cohort_weights weights;
    struct ledger pro_rata, zoned; /* which of them serves depends on the disposition */
};

int cohort_work_init(struct cohort_work *self, const struct cohort *cohort, struct error *err)
{
    struct ledger_params plain = {0.0, 1.0}, zones = {0.0, ANY_RATIO};
    struct cohort_state *state = memory_zeroed(1, sizeof *state);
    *self = (struct cohort_work){cohort, state};
    if (state == NULL)
        return error_memory(err, "the work of cohorts");
    int code = cohort_weights_init(&state->weights, cohort->table, err);
    if (code == ERROR_NONE)
        code = ledger_init(&state->pro_rata, cohort->bars, &plain, err);
    if (code == ERROR_NONE)
        code = ledger_init(&state->zoned, cohort->bars, &zones, err);
    if (code != ERROR_NONE)
        cohort_work_free(self);
    return code;
}

void cohort_work_free(struct cohort_work *self)
{
    if (self->state != NULL) {
        cohort_weights_free(&self->state->weights);
        ledger_free(&self->state->pro_rata);
        ledger_free(&self->state->zoned);
    }
    memory_free(self->state);
    memset(self, 0, sizeof *self);
}

/* As ledger_init leaves a side, in the memory that it has. */
static void side_restart(struct ledger_side *side)
{
    struct ledger_side own = *side;
    if (own.zones != NULL && own.zone_end > own.zone_low)
        memset(own.zones + own.zone_low, 0,
               (size_t)(own.zone_end - own.zone_low) * sizeof *own.zones);
    *side = (struct ledger_side){.opened = own.opened,
                                 .hazard_then = own.hazard_then,
                                 .zones = own.zones,
                                 .zone_of = own.zone_of};
}

static struct ledger *ledger_restart(struct cohort_state *state, const struct cohort_params *params)
{
    bool pro_rata = params->disposition_ratio == 0.0 || params->disposition_ratio == 1.0;
    struct ledger *ledger = pro_rata ? &state->pro_rata : &state->zoned;
    ledger->disposition_ratio = pro_rata ? 1.0 : params->disposition_ratio;
    for (int tier = 0; tier < TIERS; tier++)
        ledger->tier_hazard[tier] = tier_hazard(tier, params->leverage.hazard_exponent);
    for (int side = 0; side < 2; side++)
        side_restart(&ledger->side[side]);
    return ledger;
}

/* ---- a bar ------------------------------------------------------------------------------ */

/* One evaluation on its way. */
struct walk {
    const struct cohort *cohort;
    const struct cohort_params *params;
    const struct cohort_weights *weights;
    struct ledger *ledger;
};

/* Two sums side by side: the order of additions is fixed, and still not one long chain. */
static double dot(const double *weight, const float *part, size_t count)
{
    double even = 0.0, odd = 0.0;
    size_t i = 0;
    for (; i + 1 < count; i += 2) {
        even += weight[i] * (double)part[i];
        odd += weight[i + 1] * (double)part[i + 1];
    }
    if (i < count)
        even += weight[i] * (double)part[i];
    return even + odd;
}

/* What fires of a side in a bar, by tier; taken off the ledger. Returns the sum. */
static double fire(const struct walk *self, size_t bar, int side, double tiers[TIERS])
{
    const struct cohort_table *table = self->cohort->table;
    const struct cohort_fires *fires = &table->fires[side];
    const double *const *weights = self->weights->of[side];
    const float *part = fires->parts + fires->part_first[bar];
    struct ledger_side *ledger_side = &self->ledger->side[side];
    double sum = 0.0;
    memset(tiers, 0, TIERS * sizeof *tiers);
    for (size_t i = fires->segment_first[bar]; i < fires->segment_first[bar + 1]; i++) {
        const struct cohort_segment *segment = &fires->segments[i];
        size_t cohort = segment->cohort, count = segment->count;
        int tier = table->columns[side].tier[segment->column];
        const float *mine = part;
        part += count;
        if (cohort < ledger_side->first_bar)
            continue;
        double share = dot(weights[table->group_of[cohort]] + segment->column, mine, count);
        if (share == 0.0)
            continue;
        /* Parts are kept in single precision: no more than there is. */
        double coins = fmin(ledger_coins(self->ledger, side, cohort, tier, share),
                            ledger_side->tier[tier].coins);
        struct ledger_sums sums = {.coins = coins};
        ledger_take(self->ledger, side, cohort, tier, &sums);
        tiers[tier] += coins;
        sum += coins;
    }
    return sum;
}

static struct ledger_flows flows_of(const struct walk *self, size_t bar, double oi,
                                    const double forced[2])
{
    const struct cohort_params *params = self->params;
    const struct market *market = &self->cohort->setup->market;
    bool measured = bar >= self->cohort->start_bar;
    double hours = (double)market->step_ms / (double)CALENDAR_HOUR_MS;
    double scale = params->oi_share * (measured ? params->oi_scale : 1.0);
    struct ledger_step step = {
        .oi = oi,
        .forced = {forced[0], forced[1]},
        .observed = !(params->frozen && measured),
        .oi_change = scale * market->oi_coins[bar] - oi,
        .turnover = params->turnover_per_hour * hours,
        .remargin = params->remargin_per_hour * hours,
        .absorbed_by_closers = params->absorbed_by_closers,
    };
    return ledger_flows(&step);
}

static void trade_opens(const struct walk *self, size_t bar, int side, double coins, double price)
{
    const struct cohort_table *table = self->cohort->table;
    struct ledger_opening opening = self->weights->opening[side][table->group_of[bar]];
    if (table->held_share[side] > 0.0)
        ledger_hold(self->ledger, side, coins * table->held_share[side], price, 0.0);
    /* What they are worth at entry tells winners from losers. */
    for (int tier = 0; tier < TIERS && self->ledger->side[side].zones != NULL; tier++)
        opening.entry[tier] = opening.share[tier] * table->entry[bar];
    ledger_open(self->ledger, side, bar, coins, price, 0.0, &opening);
}

static void report(const struct cohort_out *out, size_t bar, int side, double forced,
                   const double tiers[TIERS], const struct ledger_flows *flows)
{
    if (out->forced[side] != NULL)
        out->forced[side][bar] = forced;
    if (out->forced_tiers[side] != NULL)
        memcpy(out->forced_tiers[side] + bar * TIERS, tiers, TIERS * sizeof *tiers);
    if (out->opens[side] != NULL)
        out->opens[side][bar] = flows->opens[side];
    if (out->closes[side] != NULL)
        out->closes[side][bar] = flows->closes[side];
}

static int step(const struct walk *self, size_t bar, const struct cohort_out *out,
                struct error *err)
{
    struct ledger *ledger = self->ledger;
    double forced[2], tiers[2][TIERS], oi = ledger_total(ledger, BOOK_LONG);
    double price = self->cohort->setup->market.last.close[bar];
    for (int side = 0; side < 2; side++)
        forced[side] = fire(self, bar, side, tiers[side]);
    struct ledger_flows flows = flows_of(self, bar, oi, forced);
    for (int side = 0; side < 2; side++) {
        if (flows.closes[side] > 0.0)
            ledger_thin(ledger, side, fmax(ledger_total(ledger, side) - flows.closes[side], 0.0),
                        price);
        trade_opens(self, bar, side, flows.opens[side], price);
        report(out, bar, side, forced[side], tiers[side], &flows);
    }
    double longs = ledger_total(ledger, BOOK_LONG), shorts = ledger_total(ledger, BOOK_SHORT);
    if (out->oi != NULL)
        out->oi[bar] = longs;
    if (out->replacement != NULL)
        out->replacement[bar] = flows.replacement;
    if (!(fabs(longs - shorts) <= INVARIANT_TOLERANCE * fmax(longs, oi)))
        return error_set(err, ERROR_NUMERICAL,
                         "step %zu: long OI %.17g is not short OI %.17g coins", bar, longs, shorts);
    return ERROR_NONE;
}

int cohort_run(struct cohort_work *self, const struct cohort_params *params,
               const struct cohort_out *out, struct error *err)
{
    struct cohort_state *state = self->state;
    struct walk walk = {self->cohort, params, &state->weights, ledger_restart(state, params)};
    int code = cohort_weights_make(&state->weights, self->cohort->setup, params, err);
    for (size_t bar = 0; bar < self->cohort->bars && code == ERROR_NONE; bar++) {
        if (bar == self->cohort->start_bar && params->oi_scale != 1.0)
            ledger_scale(walk.ledger, params->oi_scale);
        code = step(&walk, bar, out, err);
    }
    return code;
}
