#include "tests/sim/random_scenario.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "tests/sim/random_rules.h"

#define START_MS INT64_C(1760054400000) /* 2025-10-10 */
#define START_PRICE 120000.0

/* ---- draws ------------------------------------------------------------------------------ */

double random_scenario_uniform(struct random_scenario *self)
{
    struct random_block block = random_block_at(&self->stream, 0, self->drawn++);
    return random_uniform53(block.word[0], block.word[1]);
}

bool random_scenario_chance(struct random_scenario *self, double probability)
{
    return random_scenario_uniform(self) < probability;
}

double random_scenario_between(struct random_scenario *self, double low, double high)
{
    return low + (high - low) * random_scenario_uniform(self);
}

static double normal(struct random_scenario *self)
{
    return random_normal(random_scenario_uniform(self));
}

static double *doubles(size_t count)
{
    double *out = calloc(count, sizeof *out);
    assert_non_null(out);
    return out;
}

static void bars_alloc(struct market_bars *bars, size_t count)
{
    bars->open = doubles(count);
    bars->high = doubles(count);
    bars->low = doubles(count);
    bars->close = doubles(count);
}

static void bars_free(struct market_bars *bars)
{
    free(bars->open);
    free(bars->high);
    free(bars->low);
    free(bars->close);
}

/* ---- the market ------------------------------------------------------------------------- */

/* A random walk with wicks; now and then a bar opens away from the last close, or jumps. */
static void draw_last(struct random_scenario *self)
{
    struct market_bars *last = &self->market.last;
    double price = START_PRICE, volatility = random_scenario_between(self, 0.002, 0.012);
    bool gaps = random_scenario_chance(self, 0.5);
    for (size_t i = 0; i < self->market.bars; i++) {
        if (gaps && random_scenario_chance(self, 0.02))
            price *= exp(3.0 * volatility * normal(self));
        double move = volatility * normal(self);
        if (random_scenario_chance(self, 0.01))
            move *= 6.0;
        last->open[i] = price;
        price *= exp(move - 0.2 * log(price / START_PRICE) * volatility);
        last->close[i] = price;
        double above = volatility * fabs(normal(self)), below = volatility * fabs(normal(self));
        last->high[i] = fmax(last->open[i], price) * exp(above);
        last->low[i] = fmin(last->open[i], price) * exp(-below);
    }
}

static void draw_mark(struct random_scenario *self)
{
    bool apart = random_scenario_chance(self, 0.5);
    const struct market_bars *last = &self->market.last;
    struct market_bars *mark = &self->market.mark;
    for (size_t i = 0; i < self->market.bars; i++) {
        double basis = apart ? exp(0.0005 * normal(self)) : 1.0;
        mark->open[i] = last->open[i] * basis;
        mark->high[i] = last->high[i] * basis;
        mark->low[i] = last->low[i] * basis;
        mark->close[i] = last->close[i] * basis;
    }
    self->market.has_mark = apart;
}

static void draw_oi(struct random_scenario *self)
{
    double coins = 50000.0, volatility = random_scenario_between(self, 0.002, 0.03);
    self->market.oi_coins = doubles(self->market.bars);
    for (size_t i = 0; i < self->market.bars; i++) {
        coins *= exp(volatility * normal(self));
        self->market.oi_coins[i] = coins;
    }
}

/* Every eighth bar; what is paid in sum stays within the brackets' edges. */
static void draw_funding(struct random_scenario *self)
{
    double bias = random_scenario_between(self, -1.0, 1.0) * 0.02 * 8.0 / (double)self->market.bars;
    self->market.funding_rate = doubles(self->market.bars);
    self->funding_z = doubles(self->market.bars);
    for (size_t i = 0; i < self->market.bars; i++) {
        if (i % 8 == 0)
            self->market.funding_rate[i] = bias + 0.0002 * normal(self);
        self->funding_z[i] = normal(self);
    }
}

static void draw_market(struct random_scenario *self, size_t bars)
{
    struct market *market = &self->market;
    market->start_ms = START_MS;
    market->step_ms = CALENDAR_HOUR_MS;
    market->bars = bars;
    bars_alloc(&market->last, bars);
    bars_alloc(&market->mark, bars);
    draw_last(self);
    draw_mark(self);
    if (random_scenario_chance(self, 0.9))
        draw_oi(self);
    if (random_scenario_chance(self, 0.7))
        draw_funding(self);
}

static void draw_path(struct random_scenario *self)
{
    static const enum path_wick wicks[] = {PATH_WICK_BY_CLOSE, PATH_WICK_HIGH_FIRST,
                                           PATH_WICK_LOW_FIRST};
    self->path = (struct path){.market = &self->market};
    self->path.wick = wicks[(int)random_scenario_between(self, 0.0, 3.0)];
    self->path.shock = random_scenario_chance(self, 0.3);
    double part = random_scenario_between(self, 0.4, 0.9);
    size_t bar = (size_t)(part * (double)self->market.bars);
    self->path.at_ms = START_MS + (int64_t)bar * self->market.step_ms;
    if (random_scenario_chance(self, 0.5))
        self->path.over_ms = 5 * self->market.step_ms / 2;
    self->path.move_log = random_scenario_between(self, -0.15, 0.15);
}

/* ---- the book ------------------------------------------------------------------------------ */

static void draw_leverage_params(struct random_scenario *self, struct leverage_params *leverage)
{
    *leverage = (struct leverage_params){
        .alpha = random_scenario_between(self, 0.6, 1.4),
        .minimum =
            random_scenario_chance(self, 0.4) ? 1.0 : random_scenario_between(self, 1.0, 8.0),
        .mu = random_scenario_between(self, 1.0, 2.5),
        .sigma = 0.8,
        .tail_share = 0.2,
        .tail_from = 20.0,
        .hazard_exponent = random_scenario_chance(self, 0.5) ? 0.5 : 0.0,
        .tier_count = 3,
        .tier_leverage = {10.0, 25.0, 50.0},
        .tier_weight = {0.5, 0.3, 0.2},
    };
    static const enum leverage_kind kinds[] = {LEVERAGE_KIND_PARETO, LEVERAGE_KIND_LOGNORMAL,
                                               LEVERAGE_KIND_LOGNORMAL_TAIL, LEVERAGE_KIND_TIERS};
    leverage->kind = kinds[(int)random_scenario_between(self, 0.0, 4.0)];
}

struct book_bars random_scenario_bars(const struct random_scenario *self)
{
    const struct market *market = &self->market;
    return (struct book_bars){.bars = market->bars,
                              .start_ms = market->start_ms,
                              .step_ms = market->step_ms,
                              .high = market->last.high,
                              .low = market->last.low,
                              .close = market->last.close,
                              .priced = self->path.shock ? market_bar_at(market, self->path.at_ms)
                                                         : market->bars,
                              .funding_z = self->funding_z};
}

static void draw_book(struct random_scenario *self, size_t positions)
{
    struct book_params *params = &self->book_params;
    params->seed = self->seed;
    params->positions_per_bar =
        (int)fmax(1.0, ceil((double)positions / 2.0 / (double)self->market.bars));
    params->entry_vwap = random_scenario_chance(self, 0.2);
    draw_leverage_params(self, &params->leverage);
    params->size = (struct size_params){.kind = SIZE_KIND_LOGNORMAL, .median = 30e3, .sigma = 1.0};
    params->crowd_tilt = random_scenario_chance(self, 0.5) ? 0.3 : 0.0;
    params->hedged_short_share = random_scenario_chance(self, 0.5) ? 0.45 : 0.0;
    if (random_scenario_chance(self, 0.2))
        params->pool_share = random_scenario_between(self, -0.5, 0.5);
    params->hedged_leverage[0] = 1.0;
    params->hedged_leverage[1] = 3.0;
    params->venue_count = self->venue_count;
    memcpy(params->venues, self->venues, sizeof self->venues);
    struct book_bars bars = random_scenario_bars(self);
    struct error err = {0};
    if (book_draw(&self->book, params, &bars, &err) != ERROR_NONE)
        fail_msg("seed %llu: book_draw: %s", (unsigned long long)self->seed, err.message);
}

static struct book_given draw_given(struct random_scenario *self)
{
    struct book_given given = {
        .venue = (int)random_scenario_between(self, 0.0, (double)self->venue_count),
        .side = random_scenario_chance(self, 0.5) ? 1 : -1,
        .liquidation_price = NAN};
    given.entry_price = self->market.last.open[0] * exp(0.02 * normal(self));
    given.size_coins = 30e3 * exp(normal(self)) / given.entry_price;
    given.leverage = exp(random_scenario_between(self, log(3.0), log(60.0)));
    /* Round prices, so that several fire at the same one. */
    double distance = random_scenario_between(self, 0.01, 0.3);
    if (self->prices_given)
        given.liquidation_price =
            200.0 * round(given.entry_price * exp(-given.side * distance) / 200.0);
    return given;
}

static void give_book(struct random_scenario *self, size_t positions)
{
    struct book_given *given = calloc(positions, sizeof *given);
    assert_non_null(given);
    self->prices_given = random_scenario_chance(self, 0.5);
    for (size_t v = 0; v < self->venue_count; v++)
        self->venues[v].by_hand = false;
    for (size_t i = 0; i < positions; i++)
        given[i] = draw_given(self);
    struct error err = {0};
    int code = book_from_given(&self->book, given, positions, self->venues, self->venue_count,
                               START_MS, self->market.bars, &err);
    free(given);
    if (code != ERROR_NONE)
        fail_msg("seed %llu: book_from_given: %s", (unsigned long long)self->seed, err.message);
}

/* ---- the run ---------------------------------------------------------------------------- */

static void draw_impact(struct random_scenario *self)
{
    static const enum impact_kind kinds[] = {IMPACT_KIND_LINEAR, IMPACT_KIND_SQUARE_ROOT,
                                             IMPACT_KIND_POWER, IMPACT_KIND_POWER,
                                             IMPACT_KIND_NONE};
    /* The whole of the coins moves the price by a few per cent. */
    double coins = self->book.from_file ? self->book.file_coins[BOOK_LONG] : 50000.0;
    self->params.impact = (struct impact_params){
        .kind = kinds[(int)random_scenario_between(self, 0.0, 5.0)],
        .gamma = random_scenario_chance(self, 0.7) ? 0.76 : 1.5,
        .reference_coins = coins,
        .reference_move_log = random_scenario_between(self, 0.002, 0.06),
        .permanent_share =
            random_scenario_chance(self, 0.5) ? 0.0 : random_scenario_between(self, 0.0, 1.0),
        .half_life_ms = random_scenario_chance(self, 0.2) ? CALENDAR_NONE : CALENDAR_HOUR_MS / 2,
    };
    self->params.depth = (struct depth_params){
        .kind = random_scenario_chance(self, 0.5) ? DEPTH_KIND_CONSTANT : DEPTH_KIND_VOLATILITY,
        .zeta = random_scenario_chance(self, 0.5) ? 1.0 : 0.7,
        .floor = 0.02,
        .half_life_ms = 6 * CALENDAR_HOUR_MS,
        .reference_variance = 0.006 * 0.006 / (double)CALENDAR_HOUR_MS,
    };
}

/* Observed depth and index, with gaps at the depth's. */
static void draw_series(struct random_scenario *self)
{
    struct replay_params *params = &self->params;
    if (random_scenario_chance(self, 0.2)) {
        params->depth.kind = DEPTH_KIND_SERIES;
        params->depth_series = self->depth = doubles(self->market.bars);
        for (size_t i = 0; i < self->market.bars; i++)
            self->depth[i] = random_scenario_chance(self, 0.1) ? NAN : exp(0.5 * normal(self));
    }
    if (random_scenario_chance(self, 0.3)) {
        params->index = self->index = doubles(self->market.bars);
        for (size_t i = 0; i < self->market.bars; i++)
            self->index[i] = self->market.last.close[i] * exp(0.002 * normal(self));
    }
}

/* A rule whose payments stay within the brackets' edges, as the observed ones do. */
static void draw_funding_rule(struct random_scenario *self)
{
    static const enum funding_kind kinds[] = {FUNDING_KIND_PREMIUM_CLAMP, FUNDING_KIND_LINEAR,
                                              FUNDING_KIND_CUBIC, FUNDING_KIND_VELOCITY};
    static const int64_t hours[] = {1, 4, 8};
    int64_t interval = hours[(int)random_scenario_between(self, 0.0, 3.0)];
    double most = 0.03 * (double)interval / (double)self->market.bars;
    self->params.funding_bar = random_scenario_chance(self, 0.5) ? self->params.start_bar : 0;
    self->params.funding = (struct funding_rule){
        .kind = kinds[(int)random_scenario_between(self, 0.0, 4.0)],
        .premium_signal = random_scenario_chance(self, 0.5),
        .per_eight_hours = random_scenario_chance(self, 0.5),
        .interval_ms = interval * CALENDAR_HOUR_MS,
        .interest_8h = 0.0001,
        .cap = most,
        .max_rate = most,
        .limit_usd = random_scenario_chance(self, 0.5) ? NAN : 1e9,
        .premium_limit = 0.003,
        .velocity_max = 3.0 * most,
    };
}

static void draw_feedback(struct random_scenario *self)
{
    struct replay_params *params = &self->params;
    bool closed = random_scenario_chance(self, 0.6);
    if (self->wishes.feedback != RANDOM_WISH_ANY)
        closed = self->wishes.feedback == RANDOM_WISH_YES;
    params->start_bar = random_scenario_chance(self, 0.3) ? 0 : self->market.bars / 4;
    params->feedback_bar = REPLAY_NEVER;
    if (closed)
        params->feedback_bar = params->start_bar + (random_scenario_chance(self, 0.3) ? 7 : 0);
    params->frozen_bar = random_scenario_chance(self, 0.3) ? params->start_bar : REPLAY_NEVER;
    params->mark_passthrough =
        random_scenario_chance(self, 0.5) ? 1.0 : random_scenario_between(self, 0.0, 1.0);
}

static void draw_holders(struct random_scenario *self)
{
    struct replay_params *params = &self->params;
    bool disposed = random_scenario_chance(self, 0.3);
    if (self->wishes.disposition != RANDOM_WISH_ANY)
        disposed = self->wishes.disposition == RANDOM_WISH_YES;
    params->turnover_per_hour = random_scenario_chance(self, 0.8) ? 0.05 : 0.0;
    params->remargin_per_hour = random_scenario_chance(self, 0.3) ? 0.02 : 0.0;
    params->disposition_ratio = disposed ? 1.51 : 1.0;
    params->hazard_exponent = self->book_params.leverage.hazard_exponent;
    params->absorbed_by_closers = random_scenario_uniform(self);
    params->oi_share = 1.0;
    params->oi_scale = random_scenario_chance(self, 0.5) ? 1.0 : 1.7;
}

static void draw_run(struct random_scenario *self)
{
    struct replay_params *params = &self->params;
    draw_impact(self);
    draw_series(self);
    draw_feedback(self);
    params->funding_bar = REPLAY_NEVER;
    if (random_scenario_chance(self, 0.3))
        draw_funding_rule(self);
    draw_holders(self);
    params->bars = self->market.bars;
    params->branching_window_log = 0.02;
    random_rules_run(self);
}

void random_scenario_make_wished(struct random_scenario *self, uint64_t seed, size_t positions,
                                 size_t bars, const struct random_wishes *wishes)
{
    memset(self, 0, sizeof *self);
    self->seed = seed;
    self->wishes = *wishes;
    self->stream = random_stream_make(seed, 0, "random scenario");
    draw_market(self, bars);
    draw_path(self);
    random_rules_venues(self);
    bool drawn = random_scenario_chance(self, 0.75);
    if (wishes->drawn != RANDOM_WISH_ANY)
        drawn = wishes->drawn == RANDOM_WISH_YES;
    if (drawn)
        draw_book(self, positions);
    else
        give_book(self, positions);
    draw_run(self);
}

void random_scenario_make(struct random_scenario *self, uint64_t seed, size_t positions,
                          size_t bars)
{
    random_scenario_make_wished(self, seed, positions, bars, &(struct random_wishes){0});
}

void random_scenario_free(struct random_scenario *self)
{
    book_free(&self->book);
    bars_free(&self->market.last);
    bars_free(&self->market.mark);
    free(self->market.oi_coins);
    free(self->market.funding_rate);
    free(self->funding_z);
    free(self->depth);
    free(self->index);
}

void random_scenario_print(const struct random_scenario *self)
{
    const struct replay_params *params = &self->params;
    print_message(
        "seed %llu: %zu positions over %zu bars%s%s%s%s%s%s%s%s\n", (unsigned long long)self->seed,
        self->book.position_count, self->market.bars, self->book.from_file ? ", given" : ", drawn",
        self->prices_given ? " by liquidation price" : "",
        params->feedback_bar != REPLAY_NEVER ? ", feedback" : ", open loop",
        self->market.funding_rate != NULL ? ", funding" : "",
        params->funding_bar != REPLAY_NEVER ? ", a funding rule" : "",
        self->market.oi_coins != NULL ? ", observed OI" : "",
        params->disposition_ratio != 1.0 ? ", disposition" : "", self->path.shock ? ", shock" : "");
    random_rules_print(self);
}
