#include "sim/setup_venues.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/schema.h"

/* The word that a venue row of the schema has for a choice. */
static const char *word_of(const char *key, int choice)
{
    return schema_find(&schema_venue, key, 0)->field.choices[choice];
}

/* The published cum, in the table's own unit, must be the regenerated one. */
static int check_cum(const struct venue_table *table, const struct brackets *brackets,
                     const char *path, struct error *err)
{
    for (int n = 0; n < table->count; n++)
        if (brackets->cum_usd[n] != table->cum[n])
            return error_at(err, ERROR_DATA, path, 0, 0, "cum",
                            "bracket %d says %.17g; expected %.17g from floors and rates", n + 1,
                            table->cum[n], brackets->cum_usd[n]);
    return ERROR_NONE;
}

int setup_venue_brackets(const struct venue_table *table, double coin_price, const char *path,
                         struct brackets *out, struct error *err)
{
    int code = brackets_init(out, table->count, table->cap, table->max_leverage, table->rate,
                             table->valid_from_ms, err);
    if (code != ERROR_NONE)
        return code;
    if (table->whole)
        brackets_make_whole(out);
    code = check_cum(table, out, path, err);
    if (code != ERROR_NONE || !table->in_coins)
        return code;
    if (!(coin_price > 0.0))
        return error_at(err, ERROR_DATA, path, 0, 0, NULL,
                        "the brackets are in coins; expected a price to value them at");
    brackets_scale(out, coin_price);
    return ERROR_NONE;
}

/* The price of a time, the first one before the market begins; NaN without a market. */
static double price_at(const struct setup *self, int64_t time_ms)
{
    const struct market *market = &self->market;
    if (market->bars == 0)
        return NAN;
    size_t bar = market_bar_at(market, time_ms);
    return market->last.open[bar < market->bars ? bar : market->bars - 1];
}

/* A table as a venue of the scenario has it: valued, scaled, and ready for the margin formula. */
static int brackets_of(const struct setup *self, size_t v, const struct venue_table *table,
                       struct brackets *out, struct error *err)
{
    const struct scenario_venue *venue = &self->scenario->venues[v];
    int code = setup_venue_brackets(table, price_at(self, table->valid_from_ms),
                                    self->tables[v].input.path, out, err);
    if (code != ERROR_NONE)
        return code;
    if (venue->cap_scale != 1.0)
        brackets_scale(out, venue->cap_scale);
    return margin_prepare(self->venues[v].formula, venue->taker_rate, out, err);
}

/* The tables in force between two times: the last one begun before the first, and what follows. */
static int venue_brackets(struct setup *self, size_t v, int64_t from_ms, int64_t to_ms,
                          struct error *err)
{
    const struct venue_tables *tables = &self->tables[v];
    size_t first = 0;
    while (first + 1 < tables->count && tables->tables[first + 1].valid_from_ms <= from_ms)
        first++;
    size_t count = 0;
    self->brackets[v] = memory_alloc(tables->count - first, sizeof *self->brackets[v]);
    if (self->brackets[v] == NULL)
        return error_memory(err, "bracket tables");
    for (size_t t = first; t < tables->count; t++) {
        if (t > first && tables->tables[t].valid_from_ms >= to_ms)
            break;
        int code = brackets_of(self, v, &tables->tables[t], &self->brackets[v][count++], err);
        if (code != ERROR_NONE)
            return code;
    }
    self->venues[v].table_count = count;
    return ERROR_NONE;
}

static int venue_flat(struct setup *self, size_t v, struct error *err)
{
    self->brackets[v] = memory_alloc(1, sizeof *self->brackets[v]);
    if (self->brackets[v] == NULL)
        return error_memory(err, "bracket tables");
    brackets_flat(self->brackets[v], self->scenario->venues[v].flat_rate,
                  self->scenario->venues[v].flat_max_leverage);
    self->venues[v].table_count = 1;
    return margin_prepare(self->venues[v].formula, self->scenario->venues[v].taker_rate,
                          self->brackets[v], err);
}

/* A venue without automatic liquidation needs no brackets: nothing of it is drawn. */
static int venue_by_hand(struct setup *self, size_t v, struct error *err)
{
    self->brackets[v] = memory_alloc(1, sizeof *self->brackets[v]);
    if (self->brackets[v] == NULL)
        return error_memory(err, "bracket tables");
    brackets_flat(self->brackets[v], 0.0, 1.0);
    self->venues[v].table_count = 1;
    return ERROR_NONE;
}

/* Its brackets. */
static int read_venue(struct setup *self, size_t v, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    const struct scenario_venue *venue = &scenario->venues[v];
    if (venue->liquidation == LIQUIDATION_NONE)
        return venue_by_hand(self, v, err);
    if (strcmp(venue->rules, "flat") == 0)
        return venue_flat(self, v, err);
    int code = venue_tables_read(&self->tables[v],
                                 venue->brackets != NULL ? venue->brackets : venue->rules,
                                 scenario->symbol, err);
    return code == ERROR_NONE
               ? venue_brackets(self, v, scenario->time.warmup_ms, scenario->time.end_ms, err)
               : code;
}

int setup_venues(struct setup *self, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    double believed = 0.0;
    for (size_t v = 0; v < scenario->venue_count; v++)
        believed += scenario->venues[v].oi_share * scenario->venues[v].reliability;
    self->believed_share = believed;
    for (size_t v = 0; v < scenario->venue_count; v++) {
        const struct scenario_venue *venue = &scenario->venues[v];
        struct book_venue *out = &self->venues[v];
        out->formula = margin_find(word_of("margin", venue->margin));
        out->oi_share = venue->oi_share * venue->reliability / believed;
        out->by_hand = venue->liquidation == LIQUIDATION_NONE || out->oi_share == 0.0;
        strncpy(out->name, venue->name, sizeof out->name - 1);
        int code = read_venue(self, v, err);
        if (code != ERROR_NONE)
            return code;
        out->tables = self->brackets[v];
        self->venue_count++;
    }
    return ERROR_NONE;
}

/* ---- rules ------------------------------------------------------------------------------ */

static struct liquidation_rule rule_of(const struct scenario_venue *venue)
{
    static const enum liquidation_kind kinds[] = {
        [LIQUIDATION_FULL] = LIQUIDATION_KIND_FULL,
        [LIQUIDATION_BRACKETS] = LIQUIDATION_KIND_BRACKETS,
        [LIQUIDATION_SHARE] = LIQUIDATION_KIND_SHARE,
        [LIQUIDATION_INCREMENTAL] = LIQUIDATION_KIND_INCREMENTAL,
        [LIQUIDATION_NONE] = LIQUIDATION_KIND_NONE,
    };
    return (struct liquidation_rule){
        .kind = kinds[venue->liquidation],
        .share = venue->partial_share,
        .above_usd = venue->partial_above_usd,
        .brackets = (int)venue->partial_brackets,
        .cooldown_ms = venue->partial_cooldown_ms,
        .pause_ms = venue->partial_pause_ms,
        .backstop_share = venue->backstop_share,
        .fee_rate = venue->fee_rate,
    };
}

/* Shares of the depth, summing to 1: those given, or as the open interest. */
static void share_depth(const struct scenario *scenario, double out[BOOK_VENUES_MAX])
{
    double sum = 0.0;
    for (size_t v = 0; v < scenario->venue_count; v++) {
        const struct scenario_venue *venue = &scenario->venues[v];
        out[v] = isnan(venue->depth_share) ? venue->oi_share : venue->depth_share;
        sum += out[v];
    }
    for (size_t v = 0; v < scenario->venue_count; v++)
        out[v] /= sum;
}

void setup_venue_rules(const struct setup *self, struct replay_params *out)
{
    const struct scenario *scenario = self->scenario;
    double common = scenario->impact.mark_passthrough;
    out->split = scenario->venue_count > 1 && scenario->impact.arbitrage_half_life_ms != 0;
    out->arbitrage_half_life_ms = scenario->impact.arbitrage_half_life_ms;
    share_depth(scenario, out->depth_share);
    for (size_t v = 0; v < scenario->venue_count; v++) {
        const struct scenario_venue *venue = &scenario->venues[v];
        double own = isnan(venue->mark_passthrough) ? common : venue->mark_passthrough;
        double fund = venue->insurance_fund_usd;
        out->venue[v] = (struct cascade_venue){
            .rule = rule_of(venue),
            .adl = adl_find(word_of("adl", venue->adl)),
            .adl_drawdown = venue->adl_drawdown,
        };
        out->fund_usd[v] = isnan(fund) ? INFINITY : fund;
        out->passthrough[v] = own;
        out->split |= own != common;
    }
}
