#include "sim/catalogue.h"

#include <string.h>

#include "models/adl.h"
#include "models/depth.h"
#include "models/entry.h"
#include "models/funding.h"
#include "models/impact.h"
#include "models/leverage.h"
#include "models/liquidation.h"
#include "models/margin.h"
#include "models/price_path.h"
#include "models/size.h"

#define COUNT_OF(array) (int)(sizeof(array) / sizeof *(array))

/* --- the tables of models/ --- */

#define LOOKUP(function, table, rows)                                   \
    static bool function(const char *name, struct catalogue_model *out) \
    {                                                                   \
        for (int i = 0; i < (rows); i++) {                              \
            if (strcmp((table)[i].name, name) == 0) {                   \
                out->documentation = (table)[i].documentation;          \
                out->source = (table)[i].source;                        \
                return true;                                            \
            }                                                           \
        }                                                               \
        return false;                                                   \
    }

LOOKUP(lookup_path, price_path_models, PRICE_PATH_COUNT)
LOOKUP(lookup_impact, impact_models, impact_model_count)
LOOKUP(lookup_depth, depth_models, depth_model_count)
LOOKUP(lookup_leverage, leverage_models, leverage_model_count)
LOOKUP(lookup_size, size_models, size_model_count)
LOOKUP(lookup_entry, entry_models, entry_model_count)
LOOKUP(lookup_funding, funding_models, funding_model_count)
LOOKUP(lookup_margin, margin_formulas, margin_formula_count)
LOOKUP(lookup_liquidation, liquidation_models, liquidation_model_count)
LOOKUP(lookup_adl, adl_rankings, adl_ranking_count)

/* --- models and their parameters --- */

#define KEYS(...)         \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }
#define MODEL(word, ...)                  \
    {                                     \
        .name = word, .keys = __VA_ARGS__ \
    }
#define PLAIN(word)  \
    {                \
        .name = word \
    }
#define OWN(word, from, doc)                               \
    {                                                      \
        .name = word, .source = from, .documentation = doc \
    }

static const struct catalogue_model path_rows[] = {
    {.name = "observed",
     .documentation = "the bars of data.price as they were",
     .source = "the data",
     .keys = KEYS("data.price", "data.mark"),
     .bare = true},
    {.name = "shock",
     .documentation = "one move of the log price from path.at on, at once or over path.over, and "
                      "held from then on",
     .source = "by definition: a stress scenario",
     .keys = KEYS("path.move_log", "path.over")},
    MODEL("gbm", KEYS("path.drift", "path.volatility")),
    MODEL("garch", KEYS("path.drift", "path.volatility", "path.garch.alpha", "path.garch.beta")),
    MODEL("student_t", KEYS("path.drift", "path.volatility", "path.student_t.dof")),
    MODEL("merton", KEYS("path.drift", "path.volatility", "path.jumps.per_day",
                         "path.jumps.mean_log", "path.jumps.sigma_log")),
    MODEL("hawkes",
          KEYS("path.drift", "path.volatility", "path.jumps.per_day", "path.jumps.mean_log",
               "path.jumps.sigma_log", "path.hawkes.branching", "path.hawkes.half_life")),
    MODEL("block_bootstrap", KEYS("path.block")),
    MODEL("bridge",
          KEYS("path.volatility", "path.points", "path.points[].at", "path.points[].price")),
};

static const struct catalogue_model impact_rows[] = {
    MODEL("power", KEYS("impact.gamma")),
    PLAIN("linear"),
    PLAIN("square_root"),
    {.name = "none", .bare = true},
};

static const struct catalogue_model depth_rows[] = {
    PLAIN("constant"),
    MODEL("volatility", KEYS("impact.depth.zeta", "impact.depth.floor", "impact.depth.half_life")),
    MODEL("series", KEYS("data.depth", "impact.depth.floor")),
};

static const struct catalogue_model leverage_rows[] = {
    MODEL("pareto", KEYS("book.leverage.alpha", "book.leverage.minimum")),
    MODEL("lognormal", KEYS("book.leverage.mu", "book.leverage.sigma")),
    MODEL("lognormal_tail", KEYS("book.leverage.mu", "book.leverage.sigma",
                                 "book.leverage.tail_share", "book.leverage.tail_from")),
    MODEL("tiers", KEYS("book.leverage.tiers", "book.leverage.tiers[].leverage",
                        "book.leverage.tiers[].weight")),
    PLAIN("bitmex_2019"),
};

static const struct catalogue_model size_rows[] = {
    MODEL("lognormal", KEYS("book.size_usd.median", "book.size_usd.sigma")),
    MODEL("pareto", KEYS("book.size_usd.minimum", "book.size_usd.alpha")),
    MODEL("fixed", KEYS("book.size_usd.value")),
};

static const struct catalogue_model entry_rows[] = {
    PLAIN("triangular"),
    PLAIN("vwap"),
};

static const struct catalogue_model close_rows[] = {
    OWN("pro_rata", FIELD_OWN_PRIOR,
        "winners and losers alike: a hazard that grows with leverage and nothing else"),
    {.name = "disposition",
     .documentation = "holders in profit close sooner than those at a loss; which they are is "
                      "told by zones of 1 % of entry price",
     .source = "Odean 1998, \"Are Investors Reluctant to Realize Their Losses?\", J. Finance 53",
     .keys = KEYS("book.disposition_ratio")},
};

static const struct catalogue_model holder_rows[] = {
    {.name = "turnover",
     .documentation = "a share of the open interest closes and reopens each hour, on both sides",
     .source = FIELD_OWN_PRIOR,
     .keys = KEYS("book.turnover_per_hour")},
    {.name = "remargin",
     .documentation = "a share of the holders tops up each hour: they start afresh at the present "
                      "price with the leverage that they had",
     .source = FIELD_OWN_PRIOR,
     .keys = KEYS("book.remargin_per_hour")},
    {.name = "crowding",
     .documentation = "the side that pays funding holds more leverage, by how unusual the last "
                      "rate is",
     .source = FIELD_OWN_PRIOR,
     .keys = KEYS("book.crowd_tilt")},
    {.name = "hedged_shorts",
     .documentation = "part of the shorts hedges spot holdings at low leverage; it is liquidated "
                      "and deleveraged like the others",
     .source = FIELD_OWN_PRIOR,
     .keys = KEYS("book.hedged_short_share", "book.hedged_leverage")},
    {.name = "pool",
     .documentation = "part of the open interest has a liquidity pool on its other side, which is "
                      "never liquidated, so that traders need not balance",
     .source = "the venues of the funding models linear, cubic and velocity, whose traders face a "
               "pool",
     .keys = KEYS("book.pool_share")},
    {.name = "absorption",
     .documentation = "who takes the other side of a forced order where no open interest is "
                      "observed: holders who close, or new ones",
     .source = FIELD_OWN_PRIOR,
     .keys = KEYS("book.absorbed_by_closers")},
};

static const struct catalogue_model scale_rows[] = {
    OWN("traders", FIELD_OWN_PRIOR,
        "more of the same people: positions keep their size and stand for more traders"),
    OWN("sizes", FIELD_OWN_PRIOR,
        "the same people with larger positions, so that brackets and leverage caps bite"),
};

static const struct catalogue_model flow_rows[] = {
    {.name = "observed",
     .documentation = "opens and closes make up the observed change of open interest",
     .source = "the data",
     .keys = KEYS("data.oi")},
    OWN("frozen", "by definition: a closed book",
        "from the start on open interest changes by forced orders alone"),
};

static const struct catalogue_model margin_rows[] = {
    PLAIN("linear_mark"),   PLAIN("linear_entry"), MODEL("linear_fee", KEYS("venues[].taker_rate")),
    PLAIN("inverse_entry"), PLAIN("inverse_mark"), PLAIN("hyperliquid"),
};

#define PARTIAL_KEYS "venues[].partial_above", "venues[].partial_pause"

static const struct catalogue_model liquidation_rows[] = {
    PLAIN("full"),
    MODEL("brackets", KEYS("venues[].partial_brackets", PARTIAL_KEYS)),
    MODEL("share", KEYS("venues[].partial_share", PARTIAL_KEYS, "venues[].partial_cooldown")),
    MODEL("incremental", KEYS("venues[].partial_share", PARTIAL_KEYS)),
    {.name = "none", .bare = true},
};

static const struct catalogue_model adl_rows[] = {
    {.name = "none",
     .documentation = "nobody is deleveraged: what the insurance fund cannot pay is bad debt",
     .source = "a baseline",
     .keys = KEYS("venues[].insurance_fund_usd"),
     .bare = true},
    PLAIN("pnl_leverage"),
    PLAIN("pnl_margin_ratio"),
    PLAIN("hyperliquid"),
    PLAIN("pro_rata"),
    PLAIN("lifo"),
};

#define IMBALANCE_KEYS "funding.signal", "funding.limit_usd", "funding.premium_limit"

static const struct catalogue_model funding_rows[] = {
    {.name = "observed", .keys = KEYS("data.funding"), .bare = true},
    MODEL("premium_clamp", KEYS("funding.interest_8h", "data.index")),
    MODEL("linear", KEYS("funding.max_rate", IMBALANCE_KEYS)),
    MODEL("cubic", KEYS("funding.max_rate", IMBALANCE_KEYS)),
    MODEL("velocity", KEYS("funding.velocity_max", IMBALANCE_KEYS)),
};

static const struct catalogue_model feedback_rows[] = {
    OWN("closed", "by definition: the loop of price and forced orders",
        "forced orders move the price, which forces others; on an observed path after the impact "
        "that it holds is taken out: a counterfactual"),
    OWN("open", "by definition: an observed price holds the impact of what was liquidated",
        "the price stays where the path puts it, and the impact of forced orders is reported as "
        "implied"),
    OWN("naive", "by definition: the error of replaying with feedback",
        "impact on top of an observed price, which holds it already: counted twice, to show the "
        "size of that error"),
};

static const struct catalogue_model fill_rows[] = {
    OWN("walk", "the mean price of walking a book with linear impact; own prior for other impacts",
        "each order at the mean of its market's price before and after its own impact; in open "
        "loop at the price at which the path crossed its trigger"),
    OWN("final", FIELD_OWN_PRIOR,
        "all orders of a price at that at which the cascade ends; only for whole positions"),
};

/* --- families --- */

#define ROWS(array) .models = array, .count = COUNT_OF(array)

const struct catalogue_family catalogue_families[] = {
    {.name = "margin",
     .documentation = "when a position is liquidated: formulas of the liquidation price",
     .key = "venues[].margin",
     .common = KEYS("venues[].rules", "venues[].brackets", "venues[].cap_scale",
                    "venues[].flat_rate", "venues[].flat_max_leverage"),
     ROWS(margin_rows),
     .lookup = lookup_margin},
    {.name = "liquidation",
     .documentation = "how much of a position an order closes, and when the next one comes",
     .key = "venues[].liquidation",
     .common = KEYS("venues[].backstop_share", "venues[].fee_rate"),
     ROWS(liquidation_rows),
     .lookup = lookup_liquidation},
    {.name = "adl",
     .documentation = "whose positions are closed when the insurance fund is drawn down",
     .key = "venues[].adl",
     .common = KEYS("venues[].insurance_fund_usd", "venues[].adl_drawdown"),
     ROWS(adl_rows),
     .lookup = lookup_adl},
    {.name = "leverage",
     .documentation = "effective leverage in the stock of open interest",
     .key = "book.leverage.model",
     .common = KEYS("book.leverage.maximum", "book.leverage.hazard_exponent"),
     ROWS(leverage_rows),
     .lookup = lookup_leverage},
    {.name = "size",
     .documentation = "notional of a position at entry",
     .key = "book.size_usd.model",
     ROWS(size_rows),
     .lookup = lookup_size},
    {.name = "entry",
     .documentation = "entry price within the bar",
     .key = "book.entry",
     ROWS(entry_rows),
     .lookup = lookup_entry},
    {.name = "close",
     .documentation = "who closes by choice",
     .key = "book.close",
     ROWS(close_rows)},
    {.name = "holders",
     .documentation = "who else makes up the open interest; all of these hold at once",
     ROWS(holder_rows)},
    {.name = "scale",
     .documentation = "what more or less open interest is made of",
     .key = "oi.scale_by",
     .common = KEYS("oi.level_usd", "oi.level_coins", "oi.levels_usd", "oi.level_at",
                    "impact.depth_oi_exponent"),
     ROWS(scale_rows)},
    {.name = "flow",
     .documentation = "how open interest changes after the start",
     .key = "oi.flow",
     ROWS(flow_rows)},
    {.name = "impact",
     .documentation = "how the net flow of forced orders moves the price",
     .key = "impact.model",
     .common =
         KEYS("impact.reference_coins", "impact.reference_move_log", "impact.half_life",
              "impact.permanent_share", "impact.mark_passthrough", "venues[].mark_passthrough",
              "impact.generation_time", "impact.arbitrage_half_life", "venues[].depth_share"),
     ROWS(impact_rows),
     .lookup = lookup_impact},
    {.name = "depth",
     .documentation = "liquidity over time, relative to its reference",
     .key = "impact.depth.model",
     ROWS(depth_rows),
     .lookup = lookup_depth},
    {.name = "funding",
     .documentation = "where funding rates come from",
     .key = "funding.model",
     .common = KEYS("funding.interval", "funding.cap"),
     ROWS(funding_rows),
     .lookup = lookup_funding},
    {.name = "path",
     .documentation = "where the price comes from",
     .key = "path.model",
     .common = KEYS("path.at"),
     ROWS(path_rows),
     .lookup = lookup_path},
    {.name = "feedback",
     .documentation = "whether forced orders move the price",
     .key = "feedback",
     ROWS(feedback_rows)},
    {.name = "fill",
     .documentation = "the price at which forced orders fill",
     .key = "fill",
     ROWS(fill_rows)},
};
const int catalogue_family_count = COUNT_OF(catalogue_families);

const struct catalogue_family *catalogue_find(const char *name)
{
    for (int i = 0; i < catalogue_family_count; i++)
        if (strcmp(catalogue_families[i].name, name) == 0)
            return &catalogue_families[i];
    return NULL;
}

void catalogue_model(const struct catalogue_family *family, int i, struct catalogue_model *out)
{
    static const char *const none[] = {NULL};
    *out = family->models[i];
    if (out->keys == NULL)
        out->keys = none;
    if (out->documentation == NULL && family->lookup != NULL)
        family->lookup(out->name, out);
}

bool catalogue_is_default(const struct catalogue_family *family, const char *name)
{
    const struct schema_row *row = family->key != NULL ? catalogue_row(family->key) : NULL;
    return row != NULL && row->field.default_text != NULL &&
           strcmp(row->field.default_text, name) == 0;
}

const struct schema_row *catalogue_row(const char *key)
{
    static const struct {
        const char *prefix;
        const struct schema_table *table;
    } parts[] = {
        {"venues[].", &schema_venue},
        {"book.leverage.tiers[].", &schema_tier},
        {"path.points[].", &schema_point},
    };
    for (int i = 0; i < COUNT_OF(parts); i++) {
        size_t length = strlen(parts[i].prefix);
        if (strncmp(key, parts[i].prefix, length) == 0)
            return schema_find(parts[i].table, key + length, 0);
    }
    return schema_find(&schema_scenario, key, 0);
}
