#include "tests/sim/random_rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"

#define MINUTE_MS INT64_C(60000)

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* One of `count` choices. */
static int pick(struct random_scenario *self, int count)
{
    return (int)random_scenario_between(self, 0.0, (double)count);
}

/* A wish is granted; otherwise chance decides. */
static bool wished(struct random_scenario *self, enum random_wish wish, double probability)
{
    return wish == RANDOM_WISH_ANY ? random_scenario_chance(self, probability)
                                   : wish == RANDOM_WISH_YES;
}

/* ---- venues ----------------------------------------------------------------------------- */

/* Tiers whose edges lie among the sizes, so that many positions have two brackets. */
static void draw_table(struct random_scenario *self, struct brackets *table, int64_t valid_from_ms)
{
    int count = 1 + pick(self, 5);
    double cap[5], leverage[5], rate[5];
    double edge = random_scenario_between(self, 10e3, 40e3);
    double mmr = random_scenario_between(self, 0.003, 0.006);
    for (int n = 0; n < count; n++) {
        cap[n] = edge;
        leverage[n] = 125.0 / (n + 1);
        rate[n] = mmr;
        edge *= random_scenario_between(self, 1.6, 3.0);
        mmr *= random_scenario_between(self, 1.3, 2.0);
    }
    struct error err = {0};
    if (brackets_init(table, count, cap, leverage, rate, valid_from_ms, &err) != ERROR_NONE)
        fail_msg("brackets: %s", err.message);
}

static void draw_tables(struct random_scenario *self, size_t v)
{
    struct book_venue *venue = &self->venues[v];
    struct error err = {0};
    bool whole = random_scenario_chance(self, 0.2);
    int64_t half = (int64_t)self->market.bars / 2 * self->market.step_ms;
    venue->tables = self->tables[v];
    venue->table_count = random_scenario_chance(self, 0.3) ? 2 : 1;
    for (int t = 0; t < RANDOM_SCENARIO_TABLES; t++) {
        draw_table(self, &self->tables[v][t], t == 0 ? INT64_MIN : self->market.start_ms + half);
        if (whole)
            brackets_make_whole(&self->tables[v][t]);
        if (margin_prepare(venue->formula, 0.0005, &self->tables[v][t], &err) != ERROR_NONE)
            fail_msg("margin_prepare: %s", err.message);
    }
}

static const struct margin_formula *draw_formula(struct random_scenario *self, bool linear_only)
{
    static const char *const linear[] = {"linear_mark", "linear_mark", "linear_entry", "linear_fee",
                                         "hyperliquid"};
    static const char *const inverse[] = {"inverse_entry", "inverse_mark"};
    if (linear_only || random_scenario_chance(self, 0.4))
        return margin_find(linear[pick(self, COUNT_OF(linear))]);
    return margin_find(inverse[pick(self, COUNT_OF(inverse))]);
}

/* Numbers above 0 that sum to 1. */
static void draw_shares(struct random_scenario *self, size_t count, double *out)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += out[i] = random_scenario_between(self, 0.2, 1.0);
    for (size_t i = 0; i < count; i++)
        out[i] /= sum;
}

void random_rules_venues(struct random_scenario *self)
{
    static const char *const names[] = {"one", "two", "three"};
    static const int counts[] = {1, 1, 1, 2, 2, 3};
    double shares[COUNT_OF(names)];
    bool linear_only = random_scenario_chance(self, 0.7);
    self->venue_count = (size_t)(self->wishes.venues > 0 ? self->wishes.venues
                                                         : counts[pick(self, COUNT_OF(counts))]);
    draw_shares(self, self->venue_count, shares);
    for (size_t v = 0; v < self->venue_count; v++) {
        struct book_venue *venue = &self->venues[v];
        strcpy(venue->name, names[v]);
        venue->formula = draw_formula(self, linear_only);
        venue->oi_share = shares[v];
        venue->by_hand = v > 0 && random_scenario_chance(self, 0.2);
        draw_tables(self, v);
    }
}

/* ---- rules ------------------------------------------------------------------------------ */

static int64_t draw_time(struct random_scenario *self)
{
    static const int64_t minutes[] = {0, 0, 1, 30, 200};
    return minutes[pick(self, COUNT_OF(minutes))] * MINUTE_MS;
}

/* Small parts at a fee about as high as the maintenance margin, so that every order leaves the rest
   as it was: only their number ends it. */
static void nibble(struct liquidation_rule *rule)
{
    rule->kind = LIQUIDATION_KIND_SHARE;
    rule->share = 0.05;
    rule->above_usd = 0.0;
    rule->cooldown_ms = 0;
    rule->fee_rate = 0.006;
}

static struct liquidation_rule draw_rule(struct random_scenario *self)
{
    static const enum liquidation_kind kinds[] = {LIQUIDATION_KIND_FULL, LIQUIDATION_KIND_BRACKETS,
                                                  LIQUIDATION_KIND_SHARE,
                                                  LIQUIDATION_KIND_INCREMENTAL};
    static const double fees[] = {0.0, 0.0005, 0.0125};
    struct liquidation_rule rule = {.kind = kinds[pick(self, COUNT_OF(kinds))]};
    if (self->wishes.partial == RANDOM_WISH_NO)
        rule.kind = LIQUIDATION_KIND_FULL;
    if (self->wishes.partial == RANDOM_WISH_YES && rule.kind == LIQUIDATION_KIND_FULL)
        rule.kind = LIQUIDATION_KIND_SHARE;
    rule.share = random_scenario_between(self, 0.05, 0.5);
    rule.above_usd =
        random_scenario_chance(self, 0.3) ? 0.0 : random_scenario_between(self, 1e3, 40e3);
    rule.brackets = random_scenario_chance(self, 0.7) ? 1 : 2;
    rule.cooldown_ms = draw_time(self);
    rule.pause_ms = draw_time(self);
    rule.fee_rate = fees[pick(self, COUNT_OF(fees))];
    if (self->wishes.partial != RANDOM_WISH_NO && random_scenario_chance(self, 0.08))
        nibble(&rule);
    if (wished(self, self->wishes.backstop, 0.3))
        rule.backstop_share = random_scenario_between(self, 0.3, 0.9);
    return rule;
}

static void draw_fund(struct random_scenario *self, size_t v)
{
    static const double funds[] = {0.0, 1e5, 1e6, 2e7};
    struct replay_params *params = &self->params;
    bool adl = wished(self, self->wishes.adl, 0.4);
    bool finite = self->wishes.adl == RANDOM_WISH_YES || random_scenario_chance(self, 0.6);
    params->fund_usd[v] = finite ? funds[pick(self, COUNT_OF(funds))] : INFINITY;
    params->venue[v].adl = adl ? &adl_rankings[pick(self, adl_ranking_count)] : NULL;
    params->venue[v].adl_drawdown =
        random_scenario_chance(self, 0.5) ? 1.0 : random_scenario_between(self, 0.1, 1.0);
}

/* Orders that fill at a node's last price are for the whole and leave nothing to decide. */
static bool may_fill_last(const struct random_scenario *self)
{
    for (size_t v = 0; v < self->venue_count; v++) {
        const struct cascade_venue *venue = &self->params.venue[v];
        if (venue->rule.kind != LIQUIDATION_KIND_FULL || venue->rule.backstop_share > 0.0 ||
            venue->adl != NULL)
            return false;
    }
    return true;
}

/* ---- prices of their own ---------------------------------------------------------------- */

static void draw_split(struct random_scenario *self)
{
    static const int64_t half_lives[] = {10 * MINUTE_MS, 200 * MINUTE_MS, 0, CALENDAR_NONE};
    struct replay_params *params = &self->params;
    int choices = self->wishes.arbitrage == RANDOM_WISH_YES ? 2 : COUNT_OF(half_lives);
    params->split = self->venue_count > 1 && wished(self, self->wishes.split, 0.6);
    params->arbitrage_half_life_ms = half_lives[pick(self, choices)];
    draw_shares(self, self->venue_count, params->depth_share);
    for (size_t v = 0; v < self->venue_count; v++)
        params->passthrough[v] =
            random_scenario_chance(self, 0.4) ? 1.0 : random_scenario_between(self, 0.0, 1.0);
}

/* Nodes are twenty minutes apart. */
static void draw_clock(struct random_scenario *self)
{
    static const int64_t generations[] = {MINUTE_MS / 6, MINUTE_MS, 7 * MINUTE_MS, 30 * MINUTE_MS};
    if (wished(self, self->wishes.clock, 0.35))
        self->params.generation_ms = generations[pick(self, COUNT_OF(generations))];
}

/* Now and then nobody does more than close whole positions. */
static void wish_plain(struct random_scenario *self)
{
    struct random_wishes *wishes = &self->wishes;
    if (wishes->partial != RANDOM_WISH_ANY || wishes->adl != RANDOM_WISH_ANY ||
        wishes->backstop != RANDOM_WISH_ANY || random_scenario_chance(self, 0.85))
        return;
    wishes->partial = wishes->adl = wishes->backstop = RANDOM_WISH_NO;
}

void random_rules_run(struct random_scenario *self)
{
    wish_plain(self);
    for (size_t v = 0; v < self->venue_count; v++) {
        self->params.venue[v].rule = draw_rule(self);
        draw_fund(self, v);
    }
    self->params.fill =
        random_scenario_chance(self, 0.5) || !may_fill_last(self) ? SETTLE_WALK : SETTLE_FINAL;
    draw_split(self);
    draw_clock(self);
}

void random_rules_print(const struct random_scenario *self)
{
    static const char *const kinds[] = {"full", "brackets", "share", "incremental", "none"};
    const struct replay_params *params = &self->params;
    for (size_t v = 0; v < self->venue_count; v++) {
        const struct cascade_venue *venue = &params->venue[v];
        const struct liquidation_rule *rule = &venue->rule;
        print_message("  venue %zu%s: %s, %d brackets%s, %s, fund %g", v,
                      self->venues[v].by_hand ? " (by hand)" : "", self->venues[v].formula->name,
                      self->tables[v][0].count, self->tables[v][0].whole ? " (whole)" : "",
                      kinds[rule->kind], params->fund_usd[v]);
        print_message(", share %.3g above %.6g, cooldown %lld ms, pause %lld ms, backstop %.2g, "
                      "fee %g, adl %s from %.2g\n",
                      rule->share, rule->above_usd, (long long)rule->cooldown_ms,
                      (long long)rule->pause_ms, rule->backstop_share, rule->fee_rate,
                      venue->adl == NULL ? "none" : venue->adl->name, venue->adl_drawdown);
    }
    print_message("  %s prices, arbitrage %lld ms, generations of %lld ms\n",
                  params->split ? "separate" : "shared", (long long)params->arbitrage_half_life_ms,
                  (long long)params->generation_ms);
}
