/*
 * Cross-margined accounts among isolated positions against an engine that keeps no order of
 * anything: before each firing it looks at every position and, by every pair of brackets, at every
 * account. Random books on random markets in a closed loop with funding, one market or two; what
 * fires, what it orders and all prices are the same to the last bit, and money to rounding. The
 * replay itself checks at every step that long OI is short OI and that money is conserved.
 *
 * How many traders a position still stands for is taken from the replay's ledger at the beginning
 * of a step: tests/sim/test_ledger.c is about that.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/random.h"
#include "sim/replay.h"
#include "tests/support/near.h"

enum { VENUES = 2, BRACKETS = 5 };

/* ---- a random book on a random market --------------------------------------------------- */

struct scene {
    uint64_t seed;
    struct random_stream stream;
    uint32_t drawn;
    size_t bars;
    double *series; /* open, high, low, close, funding */
    struct market market;
    struct path path;
    struct brackets tables[VENUES];
    struct book_venue venues[VENUES];
    size_t venue_count;
    struct book book;
    struct replay_params params;
};

static double uniform(struct scene *self)
{
    return random_uniform(random_block_at(&self->stream, 0, self->drawn++).word[0]);
}

static double between(struct scene *self, double low, double high)
{
    return low + (high - low) * uniform(self);
}

static void draw_market(struct scene *self)
{
    size_t n = self->bars;
    double price = 100.0, volatility = exp(between(self, -6.0, -3.0));
    self->series = malloc(5 * n * sizeof *self->series);
    assert_non_null(self->series);
    double *open = self->series, *high = open + n, *low = high + n, *close = low + n;
    double *funding = close + n;
    for (size_t i = 0; i < n; i++) {
        open[i] = price;
        price *= exp(volatility * between(self, -2.0, 2.0));
        close[i] = price;
        high[i] = fmax(open[i], close[i]) * exp(volatility * uniform(self));
        low[i] = fmin(open[i], close[i]) * exp(-volatility * uniform(self));
        funding[i] = i % 8 == 3 ? between(self, -0.004, 0.004) : 0.0;
    }
    self->market = (struct market){.step_ms = CALENDAR_HOUR_MS, .bars = n, .funding_rate = funding};
    self->market.last = (struct market_bars){open, high, low, close};
    self->market.mark = self->market.last;
    self->path = (struct path){.market = &self->market};
}

static void draw_venues(struct scene *self)
{
    static const char *const formulas[] = {"linear_mark", "hyperliquid"};
    self->venue_count = uniform(self) < 0.5 ? 1 : 2;
    for (size_t v = 0; v < self->venue_count; v++) {
        double cap[BRACKETS], leverage[BRACKETS], rate[BRACKETS];
        for (int n = 0; n < BRACKETS; n++) {
            cap[n] = n + 1 < BRACKETS ? 2000.0 * exp(1.5 * n + uniform(self)) : INFINITY;
            leverage[n] = 100.0 / (n + 1);
            rate[n] = n == 0 ? 0.004 : rate[n - 1] + between(self, 0.001, 0.02);
        }
        assert_int_equal(brackets_init(&self->tables[v], BRACKETS, cap, leverage, rate, 0, NULL),
                         ERROR_NONE);
        self->venues[v] = (struct book_venue){.name = "venue",
                                              .formula = margin_find(formulas[v]),
                                              .oi_share = 1.0 / (double)self->venue_count,
                                              .tables = &self->tables[v],
                                              .table_count = 1};
    }
}

static struct book_given draw_given(struct scene *self)
{
    return (struct book_given){
        .venue = (int)(uniform(self) * (double)self->venue_count),
        .side = uniform(self) < 0.5 ? 1 : -1,
        .entry_price = between(self, 95.0, 105.0),
        .size_coins = exp(between(self, 0.0, 6.0)),
        .leverage = exp(between(self, 0.7, 3.5)),
        .liquidation_price = NAN,
    };
}

/* Both legs, at times balanced or all but, or one. */
static struct book_account draw_account(struct scene *self)
{
    struct book_account out = {.venue = (int)(uniform(self) * (double)self->venue_count)};
    double coins = exp(between(self, 0.0, 6.0)), kind = uniform(self);
    out.coins[BOOK_LONG] = kind < 0.8 ? coins : 0.0;
    double ratio = kind < 0.15   ? 1.0
                   : kind < 0.35 ? between(self, 0.96, 1.04)
                   : kind < 0.6  ? exp(between(self, -1.0, 1.0))
                   : kind < 0.8  ? 0.0
                                 : 1.0;
    out.coins[BOOK_SHORT] = ratio * coins;
    for (int side = 0; side < 2; side++)
        if (out.coins[side] > 0.0)
            out.entry_price[side] = between(self, 95.0, 105.0);
    double gross = 100.0 * (out.coins[0] + out.coins[1]);
    out.wallet_usd = gross * exp(between(self, -4.0, -0.7));
    return out;
}

static void draw_book(struct scene *self, size_t positions, size_t accounts)
{
    struct error err = {0};
    struct book_given *given = calloc(positions + 1, sizeof *given);
    struct book_account *drawn = calloc(accounts, sizeof *drawn);
    assert_true(given != NULL && drawn != NULL);
    for (size_t i = 0; i < positions; i++)
        given[i] = draw_given(self);
    for (size_t i = 0; i < accounts; i++)
        drawn[i] = draw_account(self);
    if (book_from_given(&self->book, given, positions, self->venues, self->venue_count, 0,
                        self->bars, &err) != ERROR_NONE ||
        book_add_accounts(&self->book, drawn, accounts, 0, &err) != ERROR_NONE)
        fail_msg("seed %llu: %s", (unsigned long long)self->seed, err.message);
    free(given);
    free(drawn);
}

static void scene_make(struct scene *self, uint64_t seed, size_t positions, size_t accounts,
                       size_t bars)
{
    *self = (struct scene){.seed = seed, .bars = bars};
    self->stream = random_stream_make(seed, 0, "accounts");
    draw_market(self);
    draw_venues(self);
    draw_book(self, positions, accounts);
    double coins = fmax(self->book.file_coins[0], self->book.file_coins[1]);
    self->params = (struct replay_params){
        .impact = {.kind = IMPACT_KIND_POWER,
                   .gamma = between(self, 0.5, 1.0),
                   .reference_coins = coins,
                   .reference_move_log = between(self, 0.0, 0.3),
                   .permanent_share = between(self, 0.0, 0.3),
                   .half_life_ms = CALENDAR_HOUR_MS},
        .depth = {.kind = DEPTH_KIND_CONSTANT},
        .funding_bar = REPLAY_NEVER,
        .feedback_bar = 0,
        .frozen_bar = REPLAY_NEVER,
        .mark_passthrough = uniform(self) < 0.5 ? 1.0 : between(self, 0.3, 1.0),
        .absorbed_by_closers = uniform(self) < 0.5 ? 1.0 : uniform(self),
        .hazard_exponent = 0.5,
        .disposition_ratio = uniform(self) < 0.5 ? 1.0 : 1.5,
        .oi_share = 1.0,
        .oi_scale = exp(between(self, -1.0, 3.0)),
        .bars = bars,
        .branching_window_log = 0.02,
        .split = self->venue_count > 1 && uniform(self) < 0.7,
        .arbitrage_half_life_ms = CALENDAR_NONE,
        .depth_share = {0.7, 0.3},
        .passthrough = {1.0, 0.8},
        .fund_usd = {1e4, INFINITY},
    };
    self->params.impact.reference_coins *= self->params.oi_scale;
    self->params.venue[0].rule.fee_rate = 0.0005;
    self->params.venue[1].rule.fee_rate = 0.001;
}

static void scene_free(struct scene *self)
{
    book_free(&self->book);
    free(self->series);
}

/* ---- the engine that looks at everything ------------------------------------------------ */

struct brute_shot {
    bool account;
    uint32_t index; /* of the account */
    int side, market;
    double coins, trigger, before, after;
};

struct brute {
    const struct scene *scene;
    bool *fired;    /* per entry of the book: position or twin */
    bool *gone;     /* per account */
    double *weight; /* coins alive per entry */
    double (*legs)[2];
    int markets;
    struct impact_state impact[VENUES];
    double last[VENUES], mark[VENUES], exogenous_last, exogenous_mark;
    double funding, funding_mark;
    double fund[VENUES], fees, bad_debt, draw, gain;
    double coins[2], crossed;
    int64_t positions[2];
    struct brute_shot *shots; /* of the last node */
    size_t shot_count, looked_at;
};

static void brute_make(struct brute *self, const struct scene *scene)
{
    size_t accounts = scene->book.account_count, entries = scene->book.entry_count + 1;
    *self = (struct brute){.scene = scene};
    self->markets = scene->params.split ? (int)scene->venue_count : 1;
    self->fired = calloc(entries, sizeof *self->fired);
    self->weight = calloc(entries, sizeof *self->weight);
    self->gone = calloc(accounts, sizeof *self->gone);
    self->legs = calloc(accounts, sizeof *self->legs);
    self->shots = calloc(entries + accounts, sizeof *self->shots);
    memcpy(self->fund, scene->params.fund_usd, sizeof self->fund);
    assert_true(self->fired && self->weight && self->gone && self->legs && self->shots);
}

static void brute_free(struct brute *self)
{
    free(self->fired);
    free(self->weight);
    free(self->gone);
    free(self->legs);
    free(self->shots);
}

static double depth_of(const struct brute *self, int market)
{
    return self->scene->params.split ? self->scene->params.depth_share[market] : 1.0;
}

static double impact_in(const struct brute *self, int market)
{
    return impact_log(&self->scene->params.impact, &self->impact[market], depth_of(self, market));
}

static void place(struct brute *self)
{
    const struct replay_params *params = &self->scene->params;
    for (int g = 0; g < self->markets; g++) {
        double impact = impact_in(self, g);
        double pass = params->split ? params->passthrough[g] : params->mark_passthrough;
        self->last[g] = self->exogenous_last * exp(impact);
        self->mark[g] = self->exogenous_mark * (pass == 1.0 ? exp(impact) : exp(pass * impact));
    }
}

static int market_of(const struct brute *self, int venue)
{
    return self->markets > 1 ? venue : 0;
}

static double position_trigger(const struct brute *self, const struct book_class *class,
                               const struct book_position *position)
{
    double side = (double)class->side;
    double price = (side * (side * position->kappa) + self->funding) / class->slope;
    return price > 0.0 ? price : 0.0;
}

/* The low and the high trigger over all pairs of brackets; NaN: none. Without room between them the
   account is liquidated wherever the mark is. */
static void account_triggers(const struct brute *self, const struct book_account *a, double out[2])
{
    const struct brackets *t = &self->scene->tables[a->venue];
    double ql = a->coins[0], qs = a->coins[1];
    out[0] = out[1] = NAN;
    for (int n = 0; n < t->count; n++)
        for (int k = 0; k < t->count; k++) {
            double slope = ql - qs - ql * t->rate[n] - qs * t->rate[k];
            double height = a->wallet_usd - ql * a->entry_price[0] + qs * a->entry_price[1] -
                            (ql - qs) * self->funding + t->cum_usd[n] + t->cum_usd[k];
            double root = -height / slope;
            if (slope > 0.0 && root > 0.0 && !(root < out[0]))
                out[0] = root;
            if (slope <= 0.0 && height <= 0.0)
                out[1] = 0.0;
            if (slope < 0.0 && height > 0.0 && !(root > out[1]))
                out[1] = root;
        }
    if (out[1] <= out[0]) {
        out[0] = NAN;
        out[1] = 0.0;
    }
}

struct candidate {
    bool any, account;
    size_t run, entry, index;
    int side, market;
    double trigger, past;
};

/* In one market the nearest, of equals positions first; among markets the farthest past. */
static void consider(struct candidate nearest[VENUES], const struct candidate *other)
{
    struct candidate *best = &nearest[other->market];
    if (!best->any || (other->side == BOOK_LONG ? other->trigger > best->trigger
                                                : other->trigger < best->trigger))
        *best = *other;
}

static void look_at_positions(struct brute *self, int side, struct candidate nearest[VENUES])
{
    const struct book *book = &self->scene->book;
    for (size_t r = 0; r < book->run_count; r++) {
        const struct book_run *run = &book->runs[r];
        const struct book_class *class = &book->classes[run->class_id];
        if (book_side_index(class->side) != side)
            continue;
        for (uint32_t i = run->first; i < run->first + run->count; i++) {
            struct candidate here = {.any = true, .run = r, .entry = i, .side = side};
            if (self->fired[i])
                continue;
            self->looked_at++;
            here.market = market_of(self, class->venue);
            here.trigger = position_trigger(self, class, &book->positions[i]);
            consider(nearest, &here);
        }
    }
}

static void look_at_accounts(struct brute *self, int side, struct candidate nearest[VENUES])
{
    const struct book *book = &self->scene->book;
    for (size_t i = 0; i < book->account_count; i++) {
        double triggers[2];
        if (self->gone[i])
            continue;
        self->looked_at++;
        account_triggers(self, &book->accounts[i], triggers);
        if (isnan(triggers[side]))
            continue;
        struct candidate here = {.any = true,
                                 .account = true,
                                 .index = i,
                                 .side = side,
                                 .market = market_of(self, book->accounts[i].venue),
                                 .trigger = triggers[side]};
        consider(nearest, &here);
    }
}

static bool find_next(struct brute *self, struct candidate *out)
{
    for (int side = 0; side < 2; side++) {
        struct candidate nearest[VENUES] = {{0}};
        bool found = false;
        look_at_positions(self, side, nearest);
        look_at_accounts(self, side, nearest);
        for (int g = 0; g < self->markets; g++) {
            struct candidate *here = &nearest[g];
            if (!here->any ||
                (side == BOOK_LONG ? self->mark[g] > here->trigger : self->mark[g] < here->trigger))
                continue;
            here->past = here->trigger / self->mark[g];
            if (!found || (side == BOOK_LONG ? here->past > out->past : here->past < out->past))
                *out = *here;
            found = true;
        }
        if (found)
            return true;
    }
    return false;
}

/* What is left of a margin that closes at `fill`. */
static double left_of(const struct brute *self, int side, double coins, double entry, double margin,
                      double fill)
{
    double s = side == BOOK_LONG ? 1.0 : -1.0;
    return margin + s * coins * (fill - entry) - s * coins * self->funding;
}

static void settle(struct brute *self, int venue, double left, double closed_usd)
{
    double fee = self->scene->params.venue[venue].rule.fee_rate * closed_usd;
    fee = fmin(fmax(left, 0.0), fee);
    self->fees += fee;
    self->gain += fmax(left - fee, 0.0);
    double loss = fmax(-left, 0.0), paid = fmin(loss, self->fund[venue]);
    self->fund[venue] += fmax(left - fee, 0.0) - paid;
    self->draw += paid;
    self->bad_debt += loss - paid;
}

/* The order of a firing; returns its fill. */
static double order(struct brute *self, const struct candidate *next, double coins)
{
    int g = next->market;
    double before = self->last[g];
    if (coins != 0.0)
        impact_add(&self->scene->params.impact, &self->impact[g],
                   next->side == BOOK_LONG ? -coins : coins, depth_of(self, g));
    place(self);
    self->shots[self->shot_count++] =
        (struct brute_shot){next->account, (uint32_t)next->index, next->side, g,
                            coins,         next->trigger,         before,     self->last[g]};
    return 0.5 * (before + self->last[g]);
}

static void fire_position(struct brute *self, const struct candidate *next)
{
    const struct book *book = &self->scene->book;
    const struct book_run *run = &book->runs[next->run];
    const struct book_class *class = &book->classes[run->class_id];
    const struct book_position *position = &book->positions[next->entry];
    double coins = self->weight[next->entry];
    double entry = book_position_entry(book, class, position);
    self->fired[next->entry] = true;
    if (run->twin != BOOK_NO_TWIN)
        self->fired[book->runs[run->twin].first] = true;
    double fill = order(self, next, coins);
    double margin = coins * entry / (double)position->leverage;
    settle(self, class->venue, left_of(self, next->side, coins, entry, margin, fill), coins * fill);
    self->coins[next->side] += coins;
    self->positions[next->side] += coins > 0.0;
}

static void fire_account(struct brute *self, const struct candidate *next)
{
    const struct book_account *account = &self->scene->book.accounts[next->index];
    const double *legs = self->legs[next->index];
    double left = 0.0;
    self->gone[next->index] = true;
    double fill = order(self, next, legs[next->side] - legs[1 - next->side]);
    double gross =
        account->coins[0] * account->entry_price[0] + account->coins[1] * account->entry_price[1];
    for (int side = 0; side < 2; side++) {
        double share = legs[side] * account->entry_price[side] / gross;
        left += left_of(self, side, legs[side], account->entry_price[side],
                        account->wallet_usd * share, fill);
        self->coins[side] += legs[side];
        self->positions[side] += legs[side] > 0.0;
    }
    settle(self, account->venue, left, (legs[0] + legs[1]) * fill);
    self->crossed += fmin(legs[0], legs[1]);
}

/* Funding at the bar's open, at the mark of the reference price. */
static void pay_funding(struct brute *self, size_t bar, double mark)
{
    const struct replay_params *params = &self->scene->params;
    double rate = self->scene->market.funding_rate[bar], impact = 0.0;
    if (rate == 0.0)
        return;
    if (self->markets == 1)
        impact = impact_in(self, 0);
    for (int g = 0; g < self->markets && self->markets > 1; g++)
        impact += params->depth_share[g] * impact_in(self, g);
    self->funding_mark = mark * exp(params->mark_passthrough * impact);
    self->funding += rate * self->funding_mark;
}

static void weigh(struct brute *self, const struct replay *replay)
{
    const struct book *book = &self->scene->book;
    for (size_t r = 0; r < book->run_count; r++) {
        const struct book_run *run = &book->runs[r];
        for (uint32_t i = run->first; i < run->first + run->count; i++)
            self->weight[i] = ledger_coins(
                &replay->ledger, book_side_index(book->classes[run->class_id].side), 0,
                tier_of((double)book->positions[i].leverage), book->positions[i].share);
    }
    for (size_t i = 0; i < book->account_count; i++) {
        const struct book_account *account = &book->accounts[i];
        double gross = account->coins[0] * account->entry_price[0] +
                       account->coins[1] * account->entry_price[1];
        for (int side = 0; side < 2; side++)
            self->legs[i][side] =
                ledger_coins(&replay->ledger, side, 0, tier_of(gross / account->wallet_usd),
                             account->coins[side]);
    }
}

static void brute_begin(struct brute *self, size_t bar, const struct replay *replay)
{
    const struct scene *scene = self->scene;
    weigh(self, replay);
    self->fees = self->bad_debt = self->draw = self->gain = self->crossed = 0.0;
    self->coins[0] = self->coins[1] = 0.0;
    self->positions[0] = self->positions[1] = 0;
    for (int g = 0; g < self->markets; g++)
        impact_decay(&scene->params.impact, &self->impact[g], scene->market.step_ms);
    pay_funding(self, bar, path_bar_at(&scene->path, bar).mark[0]);
}

static void brute_node(struct brute *self, const struct path_bar *path, int node)
{
    struct candidate next;
    self->exogenous_last = path->last[node];
    self->exogenous_mark = path->mark[node];
    self->shot_count = 0;
    place(self);
    while (find_next(self, &next))
        next.account ? fire_account(self, &next) : fire_position(self, &next);
}

/* ---- both ------------------------------------------------------------------------------- */

struct total {
    size_t looked_at;
    long fired, low, high, balanced, contrary, twins, after_positions;
};

static void same_shots(const struct brute *brute, const struct replay *replay, size_t bar,
                       struct total *total)
{
    const struct cascade *cascade = &replay->cascade;
    unsigned long long seed = brute->scene->seed;
    if (cascade->shot_count != brute->shot_count)
        fail_msg("seed %llu, bar %zu: %zu orders; expected %zu", seed, bar, cascade->shot_count,
                 brute->shot_count);
    for (size_t i = 0; i < brute->shot_count; i++) {
        const struct cascade_shot *shot = &cascade->shots[i];
        const struct brute_shot *expected = &brute->shots[i];
        bool same = (shot->account != ACCOUNTS_NONE) == expected->account &&
                    (!expected->account || shot->account == expected->index) &&
                    shot->side_index == expected->side && shot->market == expected->market &&
                    shot->coins == expected->coins && shot->trigger_price == expected->trigger &&
                    shot->last_before == expected->before && shot->last_after == expected->after;
        if (!same)
            fail_msg("seed %llu, bar %zu, order %zu: %.17g coins at %.17g of account %u; expected "
                     "%.17g at %.17g of %u (account: %d)",
                     seed, bar, i, shot->coins, shot->trigger_price, shot->account, expected->coins,
                     expected->trigger, expected->index, expected->account);
        total->low += expected->account && expected->side == BOOK_LONG;
        total->high += expected->account && expected->side == BOOK_SHORT;
        total->balanced += expected->account && expected->coins == 0.0;
        total->contrary += expected->coins < 0.0;
        total->after_positions += i > 0 && expected->account && !brute->shots[i - 1].account;
    }
}

static void same_step(const struct brute *brute, const struct replay *replay,
                      const struct replay_step *step, size_t bar)
{
    const struct settle_tally *forced = &step->forced;
    unsigned long long seed = brute->scene->seed;
    for (int g = 0; g < brute->markets; g++)
        if (replay->prices.market[g].last != brute->last[g] ||
            replay->prices.market[g].mark != brute->mark[g])
            fail_msg("seed %llu, bar %zu: last %.17g; expected %.17g", seed, bar,
                     replay->prices.market[g].last, brute->last[g]);
    for (int side = 0; side < 2; side++) {
        if (forced->side[side].coins != brute->coins[side] ||
            forced->side[side].positions != brute->positions[side])
            fail_msg("seed %llu, bar %zu, side %d: %.17g coins; expected %.17g", seed, bar, side,
                     forced->side[side].coins, brute->coins[side]);
    }
    double scale = 1e-11 * (brute->coins[0] + brute->coins[1] + 1.0) * brute->last[0];
    assert_near(forced->fees_usd, brute->fees, scale);
    assert_near(forced->fund_gain_usd, brute->gain, scale);
    assert_near(forced->fund_draw_usd, brute->draw, scale);
    assert_near(forced->bad_debt_usd, brute->bad_debt, scale);
    assert_near(forced->crossed_coins, brute->crossed, 0.0);
    for (size_t i = 0; i < brute->scene->book.account_count; i++)
        assert_true(replay->accounts.gone[i] == brute->gone[i]);
}

/* The replay step by step: voluntary closing and the replay's own checks included. */
static void same_steps(const struct scene *scene, struct brute *brute, struct replay *replay,
                       struct total *total)
{
    struct error err = {0};
    for (size_t bar = 0; bar < scene->bars; bar++) {
        struct path_bar path = path_bar_at(&scene->path, bar);
        struct replay_step step;
        brute_begin(brute, bar, replay);
        for (int node = 0; node < PATH_NODES; node++)
            brute_node(brute, &path, node);
        if (replay_step(replay, &step, &err) != ERROR_NONE)
            fail_msg("seed %llu, bar %zu: %s", (unsigned long long)scene->seed, bar, err.message);
        same_step(brute, replay, &step, bar);
        total->fired += (long)(brute->positions[0] + brute->positions[1]);
    }
}

/* Node by node and order by order, without what a step does at its end. */
static void same_orders(const struct scene *scene, struct brute *brute, struct replay *replay,
                        struct total *total)
{
    struct error err = {0};
    replay->prices.feedback = true;
    replay->prices.depth = 1.0;
    for (size_t bar = 0; bar < scene->bars; bar++) {
        struct path_bar path = path_bar_at(&scene->path, bar);
        double rate = scene->market.funding_rate[bar];
        brute_begin(brute, bar, replay);
        prices_pass(&replay->prices, scene->market.step_ms);
        if (rate != 0.0) {
            ladder_fund(&replay->ladder, rate, brute->funding_mark);
            assert_int_equal(accounts_fund(&replay->accounts, replay->ladder.funding.linear,
                                           &replay->ledger, &err),
                             ERROR_NONE);
        }
        for (int node = 0; node < PATH_NODES; node++) {
            struct cascade_node at = {.exogenous_last = path.last[node],
                                      .exogenous_mark = path.mark[node],
                                      .previous_last = NAN};
            int64_t spent_ms;
            brute_node(brute, &path, node);
            assert_int_equal(cascade_walk(&replay->cascade, &at, &spent_ms, &err), ERROR_NONE);
            same_shots(brute, replay, bar, total);
        }
    }
}

static void compare(uint64_t seed, size_t positions, size_t accounts, size_t bars, bool orders,
                    struct total *total)
{
    struct scene scene;
    struct brute brute;
    struct replay replay;
    struct error err = {0};
    scene_make(&scene, seed, positions, accounts, bars);
    brute_make(&brute, &scene);
    if (replay_init(&replay, &scene.params, &scene.path, &scene.book, &err) != ERROR_NONE)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.message);
    (orders ? same_orders : same_steps)(&scene, &brute, &replay, total);
    total->looked_at += brute.looked_at;
    total->twins += (long)(scene.book.entry_count - positions);
    replay_free(&replay);
    brute_free(&brute);
    scene_free(&scene);
}

static void compare_all(bool orders, struct total *total)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        compare(seed, seed % 5 == 0 ? 0 : 60, 60, 120, orders, total);
    compare(1000, 400, 400, 200, orders, total);
    compare(1001, 1000, 300, 200, orders, total);
    print_message("%ld positions with two brackets; looked %zu times\n", total->twins,
                  total->looked_at);
}

static void every_order_is_that_of_brute_force(void **state)
{
    struct total total = {0};
    compare_all(true, &total);
    print_message("accounts: %ld by a fall, %ld by a rise; %ld without an order, %ld against the "
                  "move, %ld next after a position\n",
                  total.low, total.high, total.balanced, total.contrary, total.after_positions);
    assert_true(total.twins > 50 && total.low > 500 && total.high > 500);
    assert_true(total.balanced > 20 && total.contrary > 20 && total.after_positions > 100);
}

static void every_step_is_that_of_brute_force(void **state)
{
    struct total total = {0};
    compare_all(false, &total);
    print_message("%ld legs and positions liquidated\n", total.fired);
    assert_true(total.fired > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_is_that_of_brute_force),
        cmocka_unit_test(every_step_is_that_of_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
