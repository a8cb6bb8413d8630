#include "sim/setup.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "sim/setup_positions.h"
#include "sim/setup_venues.h"

enum { FUNDING_EVENTS_LEAST = 10 };

/* ---- market and path -------------------------------------------------------------------- */

/* Where the market is needed to: a shock takes over from the observed path, within a bar if need
   be, a made path from the beginning of a bar. */
static int64_t market_end(const struct scenario *scenario)
{
    if (scenario->path.model == PATH_OBSERVED)
        return scenario->time.end_ms;
    int64_t step = scenario->time.step_ms;
    int64_t part = scenario->path.model == PATH_SHOCK ? step - 1 : 0;
    int64_t steps = (scenario->path.shock_at_ms - scenario->time.warmup_ms + part) / step;
    return scenario->time.warmup_ms + (steps > 0 ? steps : 1) * step;
}

static int read_market(struct setup *self, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    struct market_request request = {
        .start_ms = scenario->time.warmup_ms,
        .end_ms = market_end(scenario),
        .step_ms = scenario->time.step_ms,
        .policies = scenario->data.policies,
    };
    for (int input = 0; input < MARKET_INPUT_COUNT; input++)
        request.source[input] = &scenario->data.input[input];
    int code = market_read(&self->market, &request, err);
    if (code != ERROR_NONE)
        return code;
    if (scenario->data.kind == DATA_OBSERVED && self->market.any_reconstructed)
        return error_at(
            err, ERROR_SCENARIO, scenario->path_name, 0, 0, "data.kind",
            "is `observed`, but an input is a reconstruction; expected observed data, or "
            "`kind: any`");
    return ERROR_NONE;
}

static enum path_wick wick_of(enum scenario_wick wick)
{
    if (wick == WICK_HIGH_FIRST)
        return PATH_WICK_HIGH_FIRST;
    return wick == WICK_LOW_FIRST ? PATH_WICK_LOW_FIRST : PATH_WICK_BY_CLOSE;
}

/* A path made from the first bar on needs that bar for its price only. */
static void forget_first_bar(struct market *market)
{
    if (market->funding_rate != NULL)
        market->funding_rate[0] = 0.0;
    if (market->liq_long_coins != NULL)
        market->liq_long_coins[0] = market->liq_short_coins[0] = NAN;
}

static int make_path(struct setup *self, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    self->path = (struct path){
        .market = &self->market,
        .wick = wick_of((enum scenario_wick)scenario->time.wick),
        .shock = scenario->path.model == PATH_SHOCK,
        .at_ms = scenario->path.shock_at_ms,
        .over_ms = scenario->path.shock_over_ms,
        .move_log = scenario->path.shock_move_log,
    };
    int64_t step = scenario->time.step_ms;
    self->bars = (size_t)((scenario->time.end_ms - scenario->time.warmup_ms) / step);
    self->start_bar = (size_t)((scenario->time.start_ms - scenario->time.warmup_ms) / step);
    if (!made_path_wanted(scenario))
        return ERROR_NONE;
    if (scenario->path.shock_at_ms - scenario->time.warmup_ms < step)
        forget_first_bar(&self->market);
    return made_path_fit(scenario, &self->market, &self->made, err);
}

int setup_path(const struct setup *self, uint32_t replicate, struct made_path *made,
               struct path *out, struct error *err)
{
    return made_path_init(made, self->scenario, &self->made, &self->path, replicate, out, err);
}

/* Mean variance of the bars before the start, by their ranges (Parkinson 1980); of all bars when
   the run starts at once. */
static double mean_variance(const struct setup *self)
{
    const struct market *market = &self->market;
    size_t bars =
        self->start_bar > 0 && self->start_bar < market->bars ? self->start_bar : market->bars;
    double sum = 0.0;
    for (size_t i = 0; i < bars; i++) {
        double range = log(market->last.high[i] / market->last.low[i]);
        sum += range * range / (4.0 * M_LN2);
    }
    return sum / ((double)bars * (double)market->step_ms);
}

/* Observed depth over its mean before the start; of all bars when the run starts at once. */
static int make_depth_series(struct setup *self, struct error *err)
{
    const struct market *market = &self->market;
    if (self->scenario->impact.depth.model != DEPTH_SERIES)
        return ERROR_NONE;
    self->depth_series = memory_alloc(market->bars, sizeof *self->depth_series);
    if (self->depth_series == NULL)
        return error_memory(err, "depth");
    size_t end =
        self->start_bar > 0 && self->start_bar < market->bars ? self->start_bar : market->bars;
    double sum = 0.0, count = 0.0;
    for (size_t i = 0; i < end; i++)
        if (!isnan(market->depth[i])) {
            sum += market->depth[i];
            count += 1.0;
        }
    if (!(sum > 0.0))
        return error_at(err, ERROR_DATA, self->scenario->path_name, 0, 0, "data.depth",
                        "has no depth before time.start; expected some, to measure the rest by");
    for (size_t i = 0; i < market->bars; i++)
        self->depth_series[i] = market->depth[i] / (sum / count);
    return ERROR_NONE;
}

/* How crowded the longs are: the last funding rate against all before it, in standard deviations.
 */
static int make_funding_z(struct setup *self, struct error *err)
{
    const struct market *market = &self->market;
    if (market->funding_rate == NULL)
        return ERROR_NONE;
    self->funding_z = memory_zeroed(self->bars, sizeof *self->funding_z);
    if (self->funding_z == NULL)
        return error_memory(err, "funding");
    double count = 0.0, mean = 0.0, squares = 0.0, z = 0.0;
    for (size_t i = 0; i < self->bars; i++) {
        double rate = i < market->bars ? market->funding_rate[i] : 0.0;
        if (rate != 0.0) {
            double deviation = sqrt(squares / fmax(count, 1.0));
            if (count >= FUNDING_EVENTS_LEAST)
                z = deviation > 0.0 ? (rate - mean) / deviation : 0.0;
            count += 1.0;
            double delta = rate - mean;
            mean += delta / count;
            squares += delta * (rate - mean);
        }
        self->funding_z[i] = z;
    }
    return ERROR_NONE;
}

const struct setup_level setup_as_observed = {NAN, 1.0};

/* ---- OI levels -------------------------------------------------------------------------- */

/* OI of a side in coins, and the price that values it, where oi.level_* is meant. */
static void reference_oi(const struct setup *self, double *out_coins, double *out_price)
{
    const struct market *market = &self->market;
    size_t bar = market_bar_at(market, self->scenario->oi.level_at_ms);
    bar = bar > 0 ? bar - 1 : 0;
    *out_price = market->last.close[bar];
    if (self->given == NULL) {
        *out_coins = market->oi_coins[bar];
        return;
    }
    double side[2];
    positions_coins(&self->positions, side);
    *out_coins = fmax(side[0], side[1]);
}

static void make_levels(struct setup *self)
{
    const struct scenario *scenario = self->scenario;
    double coins, price;
    reference_oi(self, &coins, &price);
    self->level_count = 1;
    self->levels[0] = (struct setup_level){NAN, 1.0};
    if (!isnan(scenario->oi.level_usd))
        self->levels[0] =
            (struct setup_level){scenario->oi.level_usd, scenario->oi.level_usd / (coins * price)};
    if (!isnan(scenario->oi.level_coins))
        self->levels[0] = (struct setup_level){scenario->oi.level_coins * price,
                                               scenario->oi.level_coins / coins};
    for (size_t i = 0; i < scenario->oi.level_count; i++) {
        double usd = scenario->oi.levels_usd[i];
        self->levels[i] = (struct setup_level){usd, usd / (coins * price)};
        self->level_count = i + 1;
    }
}

/* ---- making ----------------------------------------------------------------------------- */

/* Everything but the market, which comes first: tables in coins are valued at its prices. */
static int make(struct setup *self, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    int code = setup_venues(self, err);
    if (code == ERROR_NONE && scenario->book.positions_from != NULL)
        code = setup_positions_read(self, err);
    if (code != ERROR_NONE)
        return code;
    if (self->market.oi_coins == NULL && self->given == NULL) {
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "data.oi",
                        "is missing; expected open interest, or positions in book.positions_from");
    }
    code = make_path(self, err);
    if (code != ERROR_NONE)
        return code;
    make_levels(self);
    self->reference_variance = mean_variance(self);
    code = make_depth_series(self, err);
    if (code != ERROR_NONE)
        return code;
    return make_funding_z(self, err);
}

int setup_init(struct setup *self, const struct scenario *scenario, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->scenario = scenario;
    int code = read_market(self, err);
    if (code == ERROR_NONE)
        code = make(self, err);
    if (code != ERROR_NONE)
        setup_free(self);
    return code;
}

int setup_init_like(struct setup *self, const struct setup *base, const struct scenario *scenario,
                    struct error *err)
{
    memset(self, 0, sizeof *self);
    self->scenario = scenario;
    self->market = base->market;
    self->market_borrowed = true;
    int code = make(self, err);
    if (code != ERROR_NONE)
        setup_free(self);
    return code;
}

void setup_free(struct setup *self)
{
    for (size_t v = 0; v < SCENARIO_VENUES_MAX; v++) {
        venue_tables_free(&self->tables[v]);
        memory_free(self->brackets[v]);
    }
    positions_free(&self->positions);
    memory_free(self->given);
    memory_free(self->accounts);
    memory_free(self->funding_z);
    memory_free(self->depth_series);
    if (!self->market_borrowed)
        market_free(&self->market);
    memset(self, 0, sizeof *self);
}

struct leverage_params setup_leverage(const struct scenario *scenario)
{
    static const enum leverage_kind kinds[] = {
        [LEVERAGE_PARETO] = LEVERAGE_KIND_PARETO,
        [LEVERAGE_LOGNORMAL] = LEVERAGE_KIND_LOGNORMAL,
        [LEVERAGE_LOGNORMAL_TAIL] = LEVERAGE_KIND_LOGNORMAL_TAIL,
        [LEVERAGE_TIERS] = LEVERAGE_KIND_TIERS,
        [LEVERAGE_BITMEX_2019] = LEVERAGE_KIND_BITMEX_2019,
    };
    struct leverage_params out = {
        .kind = kinds[scenario->book.leverage.model],
        .alpha = scenario->book.leverage.alpha,
        .minimum = scenario->book.leverage.minimum,
        .maximum = isnan(scenario->book.leverage.maximum) ? 0.0 : scenario->book.leverage.maximum,
        .mu = scenario->book.leverage.mu,
        .sigma = scenario->book.leverage.sigma,
        .tail_share = scenario->book.leverage.tail_share,
        .tail_from = scenario->book.leverage.tail_from,
        .hazard_exponent = scenario->book.leverage.hazard_exponent,
        .tier_count = scenario->book.leverage.tier_count,
    };
    for (size_t i = 0; i < out.tier_count; i++) {
        out.tier_leverage[i] = scenario->book.leverage.tier_leverage[i];
        out.tier_weight[i] = scenario->book.leverage.tier_weight[i];
    }
    return out;
}

struct size_params setup_size(const struct scenario *scenario, double scale)
{
    static const enum size_kind kinds[] = {
        [SIZE_LOGNORMAL] = SIZE_KIND_LOGNORMAL,
        [SIZE_PARETO] = SIZE_KIND_PARETO,
        [SIZE_FIXED] = SIZE_KIND_FIXED,
    };
    return (struct size_params){
        .kind = kinds[scenario->book.size_usd.model],
        .median = scenario->book.size_usd.median * scale,
        .sigma = scenario->book.size_usd.sigma,
        .minimum = scenario->book.size_usd.minimum * scale,
        .alpha = scenario->book.size_usd.alpha,
        .value = scenario->book.size_usd.value * scale,
    };
}

int setup_book(const struct setup *self, uint32_t replicate, const struct setup_level *level,
               struct book *book, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    double size_scale = scenario->oi.scale_by == SCALE_SIZES ? level->scale : 1.0;
    if (self->given != NULL)
        return setup_positions_book(self, size_scale, book, err);
    struct book_params params = {
        .seed = scenario->seed,
        .replicate = replicate,
        .positions_per_bar = (int)scenario->book.positions_per_bar,
        .entry_vwap = scenario->book.entry == ENTRY_VWAP,
        .leverage = setup_leverage(scenario),
        .size = setup_size(scenario, size_scale),
        .crowd_tilt = scenario->book.crowd_tilt,
        .hedged_short_share = scenario->book.hedged_short_share,
        .pool_share = scenario->book.pool_share,
        .hedged_leverage = {scenario->book.hedged_leverage[0], scenario->book.hedged_leverage[1]},
        .venue_count = self->venue_count,
    };
    memcpy(params.venues, self->venues, self->venue_count * sizeof *self->venues);
    struct book_bars bars = {
        .bars = self->bars,
        .start_ms = self->market.start_ms,
        .step_ms = self->market.step_ms,
        .high = self->market.last.high,
        .low = self->market.last.low,
        .close = self->market.last.close,
        .priced = self->market.bars < self->bars ? self->market.bars : self->bars,
        .funding_z = self->funding_z,
    };
    return book_draw(book, &params, &bars, err);
}

static struct impact_params impact_of(const struct scenario *scenario, double oi_scale)
{
    static const enum impact_kind kinds[] = {
        [IMPACT_POWER] = IMPACT_KIND_POWER,
        [IMPACT_LINEAR] = IMPACT_KIND_LINEAR,
        [IMPACT_SQUARE_ROOT] = IMPACT_KIND_SQUARE_ROOT,
        [IMPACT_NONE] = IMPACT_KIND_NONE,
    };
    return (struct impact_params){
        .kind = kinds[scenario->impact.model],
        .gamma = scenario->impact.gamma,
        .reference_coins =
            scenario->impact.reference_coins * pow(oi_scale, scenario->impact.depth_oi_exponent),
        .reference_move_log = scenario->impact.reference_move_log,
        .permanent_share = scenario->impact.permanent_share,
        .half_life_ms = scenario->impact.half_life_ms,
    };
}

static struct funding_rule funding_of(const struct scenario *scenario)
{
    static const enum funding_kind kinds[] = {
        [FUNDING_OBSERVED] = FUNDING_KIND_OBSERVED,
        [FUNDING_PREMIUM_CLAMP] = FUNDING_KIND_PREMIUM_CLAMP,
        [FUNDING_LINEAR] = FUNDING_KIND_LINEAR,
        [FUNDING_CUBIC] = FUNDING_KIND_CUBIC,
        [FUNDING_VELOCITY] = FUNDING_KIND_VELOCITY,
    };
    return (struct funding_rule){
        .kind = kinds[scenario->funding.model],
        .premium_signal = scenario->funding.signal == FUNDING_SIGNAL_PREMIUM,
        .interval_ms = scenario->funding.interval_ms,
        .interest_8h = scenario->funding.interest_8h,
        .cap = scenario->funding.cap,
        .max_rate = scenario->funding.max_rate,
        .limit_usd = scenario->funding.limit_usd,
        .premium_limit = scenario->funding.premium_limit,
        .velocity_max = scenario->funding.velocity_max,
    };
}

static size_t bar_of(const struct setup *self, int64_t time_ms)
{
    return (size_t)((time_ms - self->market.start_ms) / self->market.step_ms);
}

bool setup_counterfactual(const struct setup *self)
{
    return self->scenario->feedback == FEEDBACK_CLOSED &&
           self->scenario->path.model == PATH_OBSERVED;
}

struct replay_params setup_replay(const struct setup *self, const struct setup_level *level)
{
    const struct scenario *scenario = self->scenario;
    static const enum depth_kind depth_kinds[] = {
        [DEPTH_CONSTANT] = DEPTH_KIND_CONSTANT,
        [DEPTH_VOLATILITY] = DEPTH_KIND_VOLATILITY,
        [DEPTH_SERIES] = DEPTH_KIND_SERIES,
    };
    bool sizes = scenario->oi.scale_by == SCALE_SIZES && self->given != NULL;
    struct replay_params out = {
        .impact = impact_of(scenario, level->scale),
        .depth = {.kind = depth_kinds[scenario->impact.depth.model],
                  .zeta = scenario->impact.depth.zeta,
                  .floor = scenario->impact.depth.floor,
                  .half_life_ms = scenario->impact.depth.half_life_ms,
                  .reference_variance = self->reference_variance},
        .fill = scenario->fill == FILL_FINAL ? SETTLE_FINAL : SETTLE_WALK,
        .mark_passthrough = scenario->impact.mark_passthrough,
        .turnover_per_hour = scenario->book.turnover_per_hour,
        .remargin_per_hour = scenario->book.remargin_per_hour,
        .disposition_ratio =
            scenario->book.close == CLOSE_DISPOSITION ? scenario->book.disposition_ratio : 1.0,
        .generation_ms = scenario->impact.generation_ms,
        .depth_series = self->depth_series,
        .index = self->market.index_close,
        .funding = funding_of(scenario),
        .funding_bar = REPLAY_NEVER,
        .hazard_exponent = scenario->book.leverage.hazard_exponent,
        .absorbed_by_closers = scenario->book.absorbed_by_closers,
        .oi_share = self->given == NULL ? self->believed_share : 1.0,
        .oi_scale = sizes ? 1.0 : level->scale,
        .bars = self->bars,
        .start_bar = self->start_bar,
        .feedback_bar = REPLAY_NEVER,
        .frozen_bar = scenario->oi.flow == FLOW_FROZEN ? self->start_bar : REPLAY_NEVER,
        .branching_window_log = scenario->branching_window_log,
    };
    if (scenario->feedback == FEEDBACK_NAIVE)
        out.feedback_bar = self->start_bar;
    if (setup_counterfactual(self))
        out.feedback_bar = self->start_bar;
    else if (scenario->feedback == FEEDBACK_CLOSED) {
        out.feedback_bar = bar_of(self, scenario->path.shock_at_ms);
        if (out.frozen_bar > out.feedback_bar)
            out.frozen_bar = out.feedback_bar;
    }
    if (scenario->funding.model != FUNDING_OBSERVED)
        out.funding_bar =
            scenario->path.model == PATH_OBSERVED ? 0 : bar_of(self, scenario->path.shock_at_ms);
    setup_venue_rules(self, &out);
    return out;
}

struct replay_params setup_replay_warm(const struct setup *self)
{
    struct replay_params out = setup_replay(self, &setup_as_observed);
    out.start_bar = out.feedback_bar = out.frozen_bar = REPLAY_NEVER;
    out.impact = (struct impact_params){.kind = IMPACT_KIND_NONE};
    out.generation_ms = 0;
    out.fill = SETTLE_WALK;
    out.split = false;
    return out;
}
