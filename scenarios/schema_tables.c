#include "scenarios/schema_rows.h"

#include "base/calendar.h"
#include "datasets/source.h"
#include "scenarios/scenario.h"

#define HERE(member) offsetof(struct scenario, member)

#define SOURCE_TRADES \
    "measured on 1-minute BTC perpetual trades: |r| = 9.0e-4 at 165 BTC of net flow"
#define SOURCE_HYPERLIQUID "Hyperliquid, open interest by leverage tier, December 2025"

#define DAY ((double)CALENDAR_DAY_MS)

static const char *const words_wick[] = {"by_close", "high_first", "low_first", NULL};
static const char *const words_kind[] = {"any", "observed", NULL};
static const char *const words_path[] = {"observed",  "shock",  "gbm",    "garch",
                                         "student_t", "merton", "hawkes", "block_bootstrap",
                                         "bridge",    NULL};
static const char *const words_scale[] = {"traders", "sizes", NULL};
static const char *const words_flow[] = {"observed", "frozen", NULL};
static const char *const words_entry[] = {"triangular", "vwap", NULL};
static const char *const words_leverage[] = {"pareto", "lognormal",   "lognormal_tail",
                                             "tiers",  "bitmex_2019", NULL};
static const char *const words_size[] = {"lognormal", "pareto", "fixed", NULL};
static const char *const words_impact[] = {"power", "linear", "square_root", "none", NULL};
static const char *const words_depth[] = {"constant", "volatility", "series", NULL};
static const char *const words_funding[] = {"observed", "premium_clamp", "linear",
                                            "cubic",    "velocity",      NULL};
static const char *const words_signal[] = {"pool", "premium", NULL};
static const char *const words_close[] = {"pro_rata", "disposition", NULL};
static const char *const words_feedback[] = {"closed", "open", "naive", NULL};
static const char *const words_fixed_point[] = {"factual", "least", NULL};
static const char *const words_fill[] = {"walk", "final", NULL};
static const char *const words_margin[] = {
    "linear_mark",  "linear_entry", "linear_fee", "inverse_entry",
    "inverse_mark", "hyperliquid",  NULL};
static const char *const words_liquidation[] = {"full",        "brackets", "share",
                                                "incremental", "none",     NULL};
static const char *const words_adl[] = {
    "none", "pnl_leverage", "pnl_margin_ratio", "hyperliquid", "pro_rata", "lifo", NULL};
static const char *const words_sweep[] = {"none", "grid", "list", "latin", "sobol", "morris", NULL};
static const char *const words_sensitivity[] = {"sobol", "morris", NULL};
static const char *const words_signals_oi[] = {"coins", "usd", NULL};
static const char *const words_over[] = {"draws", "replicates", "both", NULL};
static const char *const words_observation[] = {"fitted", "complete", NULL};
static const char *const words_feed[] = {"bars", "days", NULL};
static const char *const words_leave_out[] = {"none", "assets", NULL};
static const char *const words_no_decay[] = {"none", NULL};
static const char *const words_header[] = {"no", "yes", NULL};

/* Words of enum quality_action and enum source_unit, in the enums' order. */
static const char *const words_gap[] = {"error", "", "carry", "interpolate", "accept", NULL};
static const char *const words_repeat[] = {"error", "drop", NULL};
static const char *const words_disorder[] = {"error", "drop", "", "", "accept", NULL};
static const char *const words_zero[] = {"error", "drop", "carry", "interpolate", NULL};
static const char *const words_ohlc[] = {"error", "drop", "carry", NULL};
static const char *const words_stale[] = {"error", "", "", "", "accept", NULL};
static const char *const words_amount[] = {"", "coins", "usd", "contracts", NULL};
static const char *const words_rate[] = {"", "", "", "", "fraction", "percent", NULL};

#define POLICY(key, flaw, text, words, doc) \
    ROW_CHOICE("data.on." key, HERE(data.policies.on[flaw]), text, words, doc)
#define INPUT(key, role, text, doc) \
    ROW_SPECIAL("data." key, SCHEMA_SOURCE, HERE(data.input[role]), text, doc)

static const struct schema_row scenario_rows[] = {
    ROW_COUNT("format", "", HERE(format), NULL, 1, 1, NULL,
              "version of the scenario format that the file is written in"),
    ROW_SPECIAL("extends", SCHEMA_EXTENDS, 0, "null",
                "scenario file that this one overrides, relative to this file"),
    ROW_TEXT("title", HERE(title), "untitled", "what the results are called"),
    ROW_TEXT("symbol", HERE(symbol), NULL,
             "contract, as the venues' bracket tables name it, such as BTCUSDT"),
    {.field = {ROW_FIELD("seed", FIELD_UINT64, "", HERE(seed), "1", NULL,
                         "of every random number: the same seed gives the same results")}},
    ROW_COUNT("replicates", "runs", HERE(replicates), "1", 1, 1e6, FIELD_OWN_PRIOR,
              "independent draws of the book"),

    ROW_TIME("time.warmup", HERE(time.warmup_ms), "null",
             "the book is built from here on; null: 30 days before start, or start with "
             "book.positions_from"),
    ROW_TIME("time.start", HERE(time.start_ms), NULL, "metrics from here on"),
    ROW_TIME("time.end", HERE(time.end_ms), NULL, "end of the run, exclusive"),
    ROW_DURATION("time.step", HERE(time.step_ms), "1m", 1000, DAY, NULL,
                 "one step; bars are resampled to it, and it cannot be finer than the data"),
    {.field = {ROW_FIELD("time.check_step", FIELD_DURATION_MS, "", HERE(time.check_step_ms), "none",
                         NULL, "another step; the results at both are published; none: not asked"),
               .minimum = 1000, .maximum = DAY, .choices = words_no_decay}},
    ROW_CHOICE("time.wick", HERE(time.wick), "by_close", words_wick,
               "which extreme of a bar comes first; by_close: low first in a rising bar"),

    ROW_CHOICE("data.kind", HERE(data.kind), "any", words_kind,
               "observed refuses reconstructed series"),
    INPUT("price", MARKET_PRICE, NULL, "last price, at which forced orders fill"),
    INPUT("mark", MARKET_MARK, "null", "mark price, which triggers; null: the last price"),
    INPUT("volume_coins", MARKET_VOLUME, "null", "traded volume"),
    INPUT("funding", MARKET_FUNDING, "null", "funding rates; null: none is paid"),
    INPUT("oi", MARKET_OI, "null",
          "open interest; required unless the book comes from book.positions_from"),
    INPUT("liquidations", MARKET_LIQUIDATIONS, "null",
          "observed liquidations, shown beside the results and never used by the model"),
    INPUT("depth", MARKET_DEPTH, "null",
          "depth of the order book near the price; required with impact.depth.model: series"),
    INPUT("index", MARKET_INDEX, "null",
          "index price, against which the premium is measured; null: the mark"),
    POLICY("gap", QUALITY_GAP, "error", words_gap, "a missing bar"),
    POLICY("repeat", QUALITY_REPEAT, "drop", words_repeat, "a time that was already there"),
    POLICY("disorder", QUALITY_DISORDER, "error", words_disorder,
           "a row earlier than the one before; accept: rows are sorted"),
    POLICY("zero", QUALITY_ZERO, "error", words_zero, "a price or open interest of 0, or empty"),
    POLICY("ohlc", QUALITY_OHLC, "error", words_ohlc,
           "high or low inside the bar; carry: widened to hold open and close"),
    POLICY("stale", QUALITY_STALE, "error", words_stale, "a value frozen for long"),
    ROW_DURATION("data.on.stale_after", HERE(data.policies.stale_ms), "0s", 0, 365 * DAY, NULL,
                 "a value frozen this long is stale; 0s: as the source descriptor says"),

    ROW_CHOICE("path.model", HERE(path.model), "observed", words_path,
               "where the price comes from: the data, or from path.at on a move or a random path"),
    ROW_TIME("path.at", HERE(path.shock_at_ms), "null",
             "when the move or the made path begins; null: time.start"),
    ROW_NUMBER("path.move_log", "log", HERE(path.shock_move_log), "null", -5, 5, NULL,
               "shock: the move of the log price; required with model shock"),
    ROW_DURATION("path.over", HERE(path.shock_over_ms), "0m", 0, 365 * DAY, NULL,
                 "shock: time that the move takes; 0m: at once"),
    ROW_NUMBER("path.drift", "log per year", HERE(path.drift_per_year), "0", -100, 100,
               FIELD_OWN_PRIOR,
               "all but shock, block_bootstrap and bridge: mean growth of the log price"),
    ROW_NUMBER("path.volatility", "log per root year", HERE(path.volatility_per_year), "null", 0,
               100, "fitted to the history before path.at",
               "gbm, garch, student_t, merton, hawkes, bridge: volatility (merton, hawkes: between "
               "jumps; garch: in the long run); null: fitted"),
    ROW_NUMBER("path.garch.alpha", "", HERE(path.garch_alpha), "null", 0, 1,
               "fitted to the history before path.at",
               "garch: weight of the last squared return; null: fitted"),
    ROW_NUMBER("path.garch.beta", "", HERE(path.garch_beta), "null", 0, 1,
               "fitted to the history before path.at",
               "garch: weight of the last variance; null: fitted"),
    ROW_NUMBER("path.student_t.dof", "", HERE(path.student_dof), "null", 2.01, 1000,
               "fitted to the history before path.at",
               "student_t: degrees of freedom; null: fitted"),
    ROW_NUMBER(
        "path.jumps.per_day", "jumps per day", HERE(path.jumps_per_day), "null", 0, 1e5,
        "fitted to the history before path.at",
        "merton: how often jumps come; hawkes: those that no other jump caused; null: fitted"),
    ROW_NUMBER("path.jumps.mean_log", "log", HERE(path.jump_mean_log), "null", -2, 2,
               "fitted to the history before path.at",
               "merton, hawkes: mean of a jump; null: fitted"),
    ROW_NUMBER("path.jumps.sigma_log", "log", HERE(path.jump_sigma_log), "null", 0, 2,
               "fitted to the history before path.at",
               "merton, hawkes: deviation of a jump; null: fitted"),
    ROW_NUMBER("path.hawkes.branching", "", HERE(path.hawkes_branching), "null", 0, 0.999,
               "fitted to the history before path.at",
               "hawkes: jumps that one jump causes; null: fitted"),
    {.field = {ROW_FIELD("path.hawkes.half_life", FIELD_DURATION_MS, "",
                         HERE(path.hawkes_half_life_ms), "none",
                         "fitted to the history before path.at",
                         "hawkes: in which the excitement of a jump halves; none: fitted"),
               .minimum = 1000, .maximum = 365 * DAY, .choices = words_no_decay}},
    ROW_DURATION("path.block", HERE(path.block_ms), "1h", 1000, 365 * DAY, FIELD_OWN_PRIOR,
                 "block_bootstrap: length of a stretch of observed bars"),
    ROW_SPECIAL("path.points", SCHEMA_POINTS, 0, "[]",
                "bridge: the prices that the path goes through, each with its time"),

    ROW_NUMBER("oi.level_usd", "usd", HERE(oi.level_usd), "null", SCHEMA_ABOVE_ZERO, ROW_ANY_HIGH,
               NULL, "open interest at level_at, to which all of it is scaled; null: as observed"),
    ROW_NUMBER("oi.level_coins", "coins", HERE(oi.level_coins), "null", SCHEMA_ABOVE_ZERO,
               ROW_ANY_HIGH, NULL, "the same in coins; null: as observed"),
    {.field = {ROW_FIELD("oi.levels_usd", FIELD_DOUBLE, "usd", 0, "[]", NULL,
                         "several levels at level_at, each a run of its own; []: one run"),
               .minimum = SCHEMA_ABOVE_ZERO, .maximum = ROW_ANY_HIGH},
     .kind = SCHEMA_LEVELS},
    ROW_TIME("oi.level_at", HERE(oi.level_at_ms), "null",
             "when the open interest has that level; null: time.start"),
    ROW_CHOICE("oi.scale_by", HERE(oi.scale_by), "traders", words_scale,
               "traders: more people; sizes: the same people, larger, so that brackets bite"),
    ROW_CHOICE("oi.flow", HERE(oi.flow), "observed", words_flow,
               "frozen: no opens and voluntary closes after start"),

    ROW_SPECIAL("book.positions_from", SCHEMA_PATH, HERE(book.positions_from), "null",
                "CSV of positions that replaces the drawn book; null: drawn"),
    ROW_COUNT("book.positions_per_bar", "positions per side", HERE(book.positions_per_bar), "50", 1,
              1e6, FIELD_OWN_PRIOR, "strata of each bar's opens; more lower the noise, not the OI"),
    ROW_NUMBER("book.turnover_per_hour", "share per hour", HERE(book.turnover_per_hour), "0.05", 0,
               1, FIELD_OWN_PRIOR, "share of open interest that closes and reopens"),
    ROW_CHOICE("book.entry", HERE(book.entry), "triangular", words_entry,
               "entry price within the bar: triangular in [low, high], or all at (high + low + "
               "close) / 3, "
               "which stands for the volume-weighted price"),
    ROW_CHOICE("book.leverage.model", HERE(book.leverage.model), "pareto", words_leverage,
               "distribution of effective leverage in the stock of open interest"),
    ROW_NUMBER("book.leverage.alpha", "", HERE(book.leverage.alpha), "1.0", 0.05, 20,
               FIELD_OWN_PRIOR, "pareto: P(L > x) falls as x^-alpha"),
    ROW_NUMBER("book.leverage.minimum", "", HERE(book.leverage.minimum), "1", 1, 1000,
               FIELD_OWN_PRIOR, "pareto: lowest leverage"),
    ROW_NUMBER("book.leverage.maximum", "", HERE(book.leverage.maximum), "null", 1, 1000,
               "the venue's bracket table in force",
               "highest effective leverage held; null: the venue's maximum for the notional"),
    ROW_NUMBER("book.leverage.mu", "log", HERE(book.leverage.mu), "1.3140", -10, 10,
               SOURCE_HYPERLIQUID, "lognormal, lognormal_tail: mean of log leverage"),
    ROW_NUMBER("book.leverage.sigma", "log", HERE(book.leverage.sigma), "0.6148", SCHEMA_ABOVE_ZERO,
               10, SOURCE_HYPERLIQUID, "lognormal, lognormal_tail: deviation of log leverage"),
    ROW_NUMBER("book.leverage.tail_share", "share", HERE(book.leverage.tail_share), "0.085", 0, 1,
               FIELD_OWN_PRIOR, "lognormal_tail: share that lies log-uniformly above tail_from"),
    ROW_NUMBER("book.leverage.tail_from", "", HERE(book.leverage.tail_from), "20", 1, 1000,
               FIELD_OWN_PRIOR, "lognormal_tail: leverage at which the tail begins"),
    ROW_NUMBER("book.leverage.hazard_exponent", "", HERE(book.leverage.hazard_exponent), "0.5", -5,
               5, FIELD_OWN_PRIOR, "positions open in proportion to the stock times leverage^this"),
    ROW_SPECIAL("book.leverage.tiers", SCHEMA_TIERS, 0, "[]",
                "tiers: the leverages that there are, each with its weight"),
    ROW_CHOICE("book.size_usd.model", HERE(book.size_usd.model), "lognormal", words_size,
               "distribution of the size of a position"),
    ROW_NUMBER("book.size_usd.median", "usd", HERE(book.size_usd.median), "13000",
               SCHEMA_ABOVE_ZERO, 1e15, FIELD_OWN_PRIOR, "lognormal: median size"),
    ROW_NUMBER("book.size_usd.sigma", "log", HERE(book.size_usd.sigma), "2.0", SCHEMA_ABOVE_ZERO,
               10, FIELD_OWN_PRIOR, "lognormal: deviation of log size"),
    ROW_NUMBER("book.size_usd.minimum", "usd", HERE(book.size_usd.minimum), "1000",
               SCHEMA_ABOVE_ZERO, 1e15, FIELD_OWN_PRIOR, "pareto: smallest size"),
    ROW_NUMBER("book.size_usd.alpha", "", HERE(book.size_usd.alpha), "1.2", 0.05, 20,
               FIELD_OWN_PRIOR, "pareto: P(size > x) falls as x^-alpha"),
    ROW_NUMBER("book.size_usd.value", "usd", HERE(book.size_usd.value), "13000", SCHEMA_ABOVE_ZERO,
               1e15, FIELD_OWN_PRIOR, "fixed: the size of every position"),
    ROW_NUMBER("book.crowd_tilt", "", HERE(book.crowd_tilt), "0.3", 0, 5, FIELD_OWN_PRIOR,
               "the crowded side's weights grow as leverage^(this times the funding z-score)"),
    ROW_NUMBER("book.hedged_short_share", "share", HERE(book.hedged_short_share), "0.45", 0, 1,
               FIELD_OWN_PRIOR, "part of the shorts that is basis trade and market making"),
    {.field = {ROW_FIELD("book.hedged_leverage", FIELD_DOUBLE, "", HERE(book.hedged_leverage),
                         "[1, 3]", FIELD_OWN_PRIOR, "range of leverage of the hedged shorts"),
               .minimum = 1, .maximum = 1000},
     .kind = SCHEMA_PAIR},
    ROW_NUMBER("book.remargin_per_hour", "share per hour", HERE(book.remargin_per_hour), "0", 0, 1,
               FIELD_OWN_PRIOR,
               "share of the holders who top up to the leverage that they opened with"),
    ROW_CHOICE("book.close", HERE(book.close), "pro_rata", words_close,
               "who closes by choice: pro_rata: alike; disposition: winners sooner than losers"),
    ROW_NUMBER("book.disposition_ratio", "", HERE(book.disposition_ratio), "1.51",
               SCHEMA_ABOVE_ZERO, 100,
               "Odean 1998, J. Finance 53, table I: gains realised .148, losses .098",
               "disposition: hazard of winners over that of losers"),
    ROW_NUMBER("book.pool_share", "share", HERE(book.pool_share), "0", -1, 1, FIELD_OWN_PRIOR,
               "part of the open interest whose other side is a liquidity pool, never liquidated: "
               "above 0 the pool is short, below 0 long; 0: an order book"),
    ROW_NUMBER("book.absorbed_by_closers", "share", HERE(book.absorbed_by_closers), "1.0", 0, 1,
               FIELD_OWN_PRIOR,
               "share of a forced order that closing traders take; new openers take the rest"),

    ROW_SPECIAL("venues", SCHEMA_VENUES, 0, "[{name: all, rules: binance, oi_share: 1}]",
                "where the open interest is held; the shares sum to 1"),

    ROW_CHOICE("impact.model", HERE(impact.model), "power", words_impact,
               "how a net flow moves the price; square_root: power with gamma 0.5"),
    ROW_NUMBER("impact.gamma", "", HERE(impact.gamma), "0.76", 0.05, 5, SOURCE_TRADES,
               "power: the log price moves as flow^gamma"),
    ROW_NUMBER("impact.reference_coins", "coins", HERE(impact.reference_coins), "165",
               SCHEMA_ABOVE_ZERO, 1e15, SOURCE_TRADES, "this net flow ..."),
    ROW_NUMBER("impact.reference_move_log", "log", HERE(impact.reference_move_log), "9.0e-4",
               SCHEMA_ABOVE_ZERO, 5, SOURCE_TRADES, "... moves the log price this much"),
    {.field = {ROW_FIELD("impact.half_life", FIELD_DURATION_MS, "", HERE(impact.half_life_ms),
                         "20m", FIELD_OWN_PRIOR,
                         "in which the transient impact halves; none: it stays"),
               .minimum = 1000, .maximum = 3650 * DAY, .choices = words_no_decay}},
    ROW_NUMBER("impact.permanent_share", "share", HERE(impact.permanent_share), "0.0", 0, 1,
               FIELD_OWN_PRIOR, "part of the impact that is linear and never decays"),
    ROW_NUMBER("impact.mark_passthrough", "share", HERE(impact.mark_passthrough), "1.0", 0, 1,
               FIELD_OWN_PRIOR, "share of the move that reaches the mark price"),
    {.field = {ROW_FIELD("impact.arbitrage_half_life", FIELD_DURATION_MS, "",
                         HERE(impact.arbitrage_half_life_ms), "0s", FIELD_OWN_PRIOR,
                         "in which arbitrage halves a price gap between venues; 0s: at once, one "
                         "market; none: never"),
               .minimum = 0, .maximum = 3650 * DAY, .choices = words_no_decay}},
    ROW_DURATION("impact.generation_time", HERE(impact.generation_ms), "0s", 0, DAY,
                 FIELD_OWN_PRIOR,
                 "time between the generations of a cascade, in which liquidity refills; 0s: none, "
                 "and decay once a step"),
    ROW_CHOICE("impact.depth.model", HERE(impact.depth.model), "volatility", words_depth,
               "liquidity over time: the same, falling as volatility rises, or as data.depth says"),
    ROW_NUMBER("impact.depth.zeta", "", HERE(impact.depth.zeta), "1.0", 0, 10, FIELD_OWN_PRIOR,
               "volatility: log depth falls by zeta times log relative volatility"),
    ROW_NUMBER("impact.depth.floor", "share", HERE(impact.depth.floor), "0.02", SCHEMA_ABOVE_ZERO,
               1, FIELD_OWN_PRIOR,
               "volatility, series: depth never falls below this share of its mean"),
    ROW_DURATION("impact.depth.half_life", HERE(impact.depth.half_life_ms), "1h", 1000, 365 * DAY,
                 FIELD_OWN_PRIOR, "volatility: in which depth recovers by half"),
    ROW_NUMBER("impact.depth_oi_exponent", "", HERE(impact.depth_oi_exponent), "0.5", -5, 5,
               FIELD_OWN_PRIOR, "depth grows as open interest^this where oi.level_* scales it"),

    ROW_CHOICE("funding.model", HERE(funding.model), "observed", words_funding,
               "where funding rates come from: the data, or a rule from path.at on (on an observed "
               "path throughout)"),
    ROW_CHOICE("funding.signal", HERE(funding.signal), "pool", words_signal,
               "linear, cubic, velocity: imbalance of the traders against a pool (book.pool_share, "
               "or positions that do not balance), or the premium as its proxy"),
    ROW_DURATION("funding.interval", HERE(funding.interval_ms), "8h", 60000, 365 * DAY,
                 "Binance, BTCUSDT perpetual: every 8 hours",
                 "modelled funding: time between payments"),
    ROW_NUMBER("funding.interest_8h", "fraction per 8 h", HERE(funding.interest_8h), "0.0001", -1,
               1, "Binance: 0.01 % per 8 hours", "premium_clamp: the interest component"),
    ROW_NUMBER("funding.cap", "fraction per interval", HERE(funding.cap), "0.003",
               SCHEMA_ABOVE_ZERO, 1, "Binance, BTCUSDT: 0.3 %",
               "modelled funding: largest rate either way"),
    ROW_NUMBER("funding.max_rate", "fraction per interval", HERE(funding.max_rate), "0.003",
               SCHEMA_ABOVE_ZERO, 1, FIELD_OWN_PRIOR, "linear, cubic: the rate at full imbalance"),
    ROW_NUMBER("funding.limit_usd", "usd", HERE(funding.limit_usd), "null", SCHEMA_ABOVE_ZERO,
               ROW_ANY_HIGH, NULL,
               "signal pool: imbalance that counts as full; null: the open interest itself"),
    ROW_NUMBER("funding.premium_limit", "fraction", HERE(funding.premium_limit), "0.005",
               SCHEMA_ABOVE_ZERO, 1, FIELD_OWN_PRIOR,
               "signal premium: premium that counts as full imbalance"),
    ROW_NUMBER("funding.velocity_max", "fraction per interval, per day", HERE(funding.velocity_max),
               "0.009", SCHEMA_ABOVE_ZERO, 100, FIELD_OWN_PRIOR,
               "velocity: how fast the rate moves at full imbalance"),
    ROW_CHOICE("feedback", HERE(feedback), "null", words_feedback,
               "whether forced orders move the price: open: no; closed: yes (on an observed path "
               "after the impact that it holds is taken out: a counterfactual); naive: added to an "
               "observed price; null: open on an observed path, else closed"),
    ROW_CHOICE("fixed_point", HERE(fixed_point), "factual", words_fixed_point,
               "where the closed loop of a counterfactual begins in each step: factual: at what "
               "happened, with open interest as it was or larger; least: at the exogenous price, "
               "as always with less open interest"),
    ROW_CHOICE("fill", HERE(fill), "walk", words_fill,
               "forced orders fill along the way, or at the step's final price"),
    ROW_NUMBER("branching_window_log", "log", HERE(branching_window_log), "0.005",
               SCHEMA_ABOVE_ZERO, 1, FIELD_OWN_PRIOR,
               "distance from the price within which the branching ratio is looked for"),
    ROW_NUMBER("episode.floor_usd_per_min", "usd per minute", HERE(episode.floor_usd_per_min),
               "1e6", 0, 1e15, FIELD_OWN_PRIOR, "forced flow above which a step is in an episode"),
    ROW_DURATION("episode.quiet", HERE(episode.quiet_ms), "30m", 1000, 365 * DAY, FIELD_OWN_PRIOR,
                 "calm that ends an episode"),

    ROW_CHOICE(
        "sweep.method", HERE(sweep.method), "none", words_sweep,
        "points of a sweep: grid: all combinations of the axes, the first slowest; list: "
        "those of sweep.list; latin: a Latin hypercube; sobol: a scrambled sequence; morris: "
        "trajectories that move one axis at a time"),
    ROW_COUNT("sweep.points", "points", HERE(sweep.points), "64", 1, 1e6, FIELD_OWN_PRIOR,
              "latin, sobol (best a power of two): how many; morris: trajectories, each of as many "
              "points as axes and one more"),
    ROW_SPECIAL("sweep.axes", SCHEMA_AXES, 0, "{}",
                "for keys of the scenario (of one venue: venues[NAME].KEY) a list of values, a "
                "range {from, to, step} or {from, to, count}, or with latin, sobol and morris "
                "{from, to}; scale: log for equal factors; null: no axis"),
    ROW_SPECIAL("sweep.list", SCHEMA_SETTINGS, 0, "[]",
                "list: for each point the keys that it sets and their values"),
    ROW_SPECIAL("sweep.compare", SCHEMA_COMPARE, 0, "null",
                "what points are compared with, draw by draw, in differences.csv: of a grid the "
                "points that have these values of axes and are alike in the others; first: of a "
                "list its first point; null: no comparison"),
    ROW_COUNT("uncertainty.draws", "draws", HERE(uncertainty.draws), "1", 1, 1e6, FIELD_OWN_PRIOR,
              "of uncertain parameters, the same at every point (best a power of two); 1: the "
              "scenario's own values"),
    ROW_SPECIAL(
        "uncertainty.parameters", SCHEMA_PRIORS, 0, "{}",
        "priors of keys: {uniform: [low, high]}, {log_uniform: [low, high]}, {normal: "
        "{mean, sigma}}, {lognormal: {median, sigma}}, {triangular: [low, mode, high]}, "
        "{beta: {a, b}}, {choice: [values]}; tails beyond a key's bounds are cut off; null: "
        "no prior"),
    {.field = {ROW_FIELD("bands.quantiles", FIELD_DOUBLE, "", 0, "[0.05, 0.25, 0.5, 0.75, 0.95]",
                         FIELD_OWN_PRIOR, "of the results, type 7 of Hyndman and Fan (1996)"),
               .minimum = 0, .maximum = 1},
     .kind = SCHEMA_QUANTILES},
    ROW_CHOICE("bands.over", HERE(bands.over), "both", words_over,
               "what bands span: draws (each by its mean over replicates), replicates (each by its "
               "mean over draws), or every run"),
    ROW_SPECIAL("baselines", SCHEMA_BASELINES, 0, "[]",
                "beside every point: open: forced orders do not move the price; naive: they are "
                "added to the observed price; least: the other fixed point of a counterfactual "
                "(fixed_point: least); null: the level alone, times a fitted power of the largest "
                "adverse move"),
    ROW_TEXT("critical.along", HERE(critical.along), "null",
             "axis of a grid on which the value is looked for at which critical.when sets in"),
    ROW_SPECIAL("critical.when", SCHEMA_CONDITION, HERE(critical.when), "null",
                "condition on a number of the summary, such as jump_share_of_oi >= 0.05"),
    ROW_NUMBER("critical.refine", "", HERE(critical.refine), "null", SCHEMA_ABOVE_ZERO,
               ROW_ANY_HIGH, NULL,
               "width, in the unit of the axis, down to which the bracket is halved; null: the "
               "bracket of the grid"),
    ROW_CHOICE("sensitivity.method", HERE(sensitivity.method), "sobol", words_sensitivity,
               "how the command sensitivity studies uncertainty.parameters: sobol: shares of the "
               "variance, for up to 20 of them; morris: screening, for any number"),
    ROW_COUNT("sensitivity.rows", "rows", HERE(sensitivity.rows), "256", 2, 1 << 20,
              FIELD_OWN_PRIOR,
              "sobol: size of the design, a power of two; points are rows times two more than "
              "there are parameters"),
    ROW_COUNT("sensitivity.trajectories", "trajectories", HERE(sensitivity.trajectories), "20", 2,
              1e6, FIELD_OWN_PRIOR,
              "morris: size of the design; points are trajectories times one more than there are "
              "parameters"),
    ROW_SPECIAL("sensitivity.metrics", SCHEMA_METRICS, 0,
                "[liquidated_usd, liquidated_share_of_oi, amplification]",
                "numbers of summary.csv that are studied, each as its mean over replicates"),
    ROW_COUNT("sensitivity.resamples", "resamples", HERE(sensitivity.resamples), "1000", 2, 1e6,
              FIELD_OWN_PRIOR, "of the bootstrap behind intervals"),
    ROW_NUMBER("sensitivity.level", "probability", HERE(sensitivity.level), "0.95",
               SCHEMA_ABOVE_ZERO, 0.9999, FIELD_OWN_PRIOR, "of intervals"),
    ROW_DURATION("signals.lookback", HERE(signals.lookback_ms), "24h", 1000, 365 * DAY,
                 FIELD_OWN_PRIOR,
                 "of the command signals: over which changes of price and open interest are "
                 "measured"),
    ROW_DURATION("signals.window", HERE(signals.window_ms), "30d", 1000, 3650 * DAY,
                 FIELD_OWN_PRIOR,
                 "that open interest and funding are held against, up to the bar itself"),
    ROW_DURATION("signals.highs", HERE(signals.highs_ms), "7d", 1000, 3650 * DAY, FIELD_OWN_PRIOR,
                 "a close above all of this time is a new high"),
    ROW_NUMBER("signals.funding_z", "", HERE(signals.funding_z), "2", 0, 100, FIELD_OWN_PRIOR,
               "standard deviations from which on funding is stretched"),
    ROW_NUMBER("signals.high_rank", "", HERE(signals.high_rank), "0.9", 0.5, 1, FIELD_OWN_PRIOR,
               "rank in the window from which on open interest, or a value, is high"),
    ROW_NUMBER("signals.change_rank", "", HERE(signals.change_rank), "0.95", 0.5, 1,
               FIELD_OWN_PRIOR,
               "rank of a change from which on open interest spikes, or is flushed out"),
    ROW_CHOICE("signals.oi", HERE(signals.oi), "coins", words_signals_oi,
               "unit in which open interest rises and falls; usd: also with the price alone"),
    ROW_SPECIAL("signals.venue_oi", SCHEMA_SOURCE, HERE(signals.venue_oi), "null",
                "open interest of one venue, as data.oi; null: its share is not looked at"),
    {.field = {ROW_FIELD("signals.horizons", FIELD_DURATION_MS, "", 0, "[1h, 4h, 24h]",
                         FIELD_OWN_PRIOR,
                         "how far ahead a signal is held to what follows; whole steps"),
               .minimum = 1000, .maximum = 365 * DAY},
     .kind = SCHEMA_HORIZONS},
    ROW_NUMBER("signals.cascade_quantile", "", HERE(signals.cascade_quantile), "0.95", 0.5, 0.9999,
               FIELD_OWN_PRIOR,
               "of the forced flow ahead over all bars: what exceeds it is a cascade"),
    {.field = {ROW_FIELD("signals.block", FIELD_DURATION_MS, "", HERE(signals.block_ms), "none",
                         FIELD_OWN_PRIOR,
                         "stretch of bars that resamples keep together; none: three horizons, "
                         "at least 3d"),
               .minimum = 1000, .maximum = 365 * DAY, .choices = words_no_decay}},
    ROW_COUNT("signals.resamples", "resamples", HERE(signals.resamples), "1000", 2, 1e6,
              FIELD_OWN_PRIOR, "of the bootstrap behind intervals"),
    ROW_NUMBER("signals.level", "probability", HERE(signals.level), "0.95", SCHEMA_ABOVE_ZERO,
               0.9999, FIELD_OWN_PRIOR, "of intervals"),
    ROW_SPECIAL("events.from", SCHEMA_EVENTS, HERE(events.from), "builtin:events",
                "file of events, of the columns that the command data events explains"),
    ROW_SPECIAL("events.names", SCHEMA_NAMES, 0, "[]",
                "which of them a backtest runs; empty: all whose window lies in the data"),
    ROW_NUMBER("map.bin_log", "log", HERE(map.bin_log), "0.0025", 1e-6, 1, FIELD_OWN_PRIOR,
               "of the command map: width of its bins in log price"),
    ROW_NUMBER("map.range_log", "log", HERE(map.range_log), "0.25", 1e-6, 10, FIELD_OWN_PRIOR,
               "log price on either side of the mark that is binned; what lies beyond is one row "
               "per side and tier"),
    ROW_DURATION("map.every", HERE(map.every_ms), "1h", 1000, 365 * DAY, FIELD_OWN_PRIOR,
                 "with --over: time between two columns of the heatmap, whole steps"),
    ROW_SPECIAL("calibrate.parameters", SCHEMA_BOUNDS, 0, "{}",
                "keys that the commands calibrate and backtest fit to data.liquidations, each with "
                "its bounds [low, high]; null: not fitted"),
    ROW_CHOICE("calibrate.observation", HERE(calibrate.observation), "fitted", words_observation,
               "fitted: the feed is throttled and reports a Q^b of a flow Q; complete: it reports "
               "everything"),
    ROW_CHOICE("calibrate.feed", HERE(calibrate.feed), "bars", words_feed,
               "days: the feed has a total per day of UTC, which says nothing about single bars"),
    ROW_NUMBER("calibrate.moments.bar", "", HERE(calibrate.bar_weight), "1", 0, 1e6,
               FIELD_OWN_PRIOR, "weight of the flow per bar in the distance that is minimised"),
    ROW_NUMBER("calibrate.moments.day", "", HERE(calibrate.day_weight), "1", 0, 1e6,
               FIELD_OWN_PRIOR, "weight of the flow per day"),
    ROW_NUMBER("calibrate.floor", "share per hour", HERE(calibrate.floor_share), "1e-6",
               SCHEMA_ABOVE_ZERO, 1, FIELD_OWN_PRIOR,
               "share of open interest that is added to reported flow, and to what is expected of "
               "it, before logarithms are taken"),
    ROW_NUMBER("calibrate.background", "share per hour", HERE(calibrate.background_share), "1e-6",
               0, 1, FIELD_OWN_PRIOR,
               "share of open interest that is forced out on each side whatever the price does, "
               "added to modelled flow"),
    ROW_COUNT("calibrate.starts", "simplexes", HERE(calibrate.starts), "3", 1, 1000,
              FIELD_OWN_PRIOR, "searches from different points"),
    ROW_COUNT("calibrate.resamples", "resamples", HERE(calibrate.resamples), "200", 2, 10000,
              FIELD_OWN_PRIOR, "of the bootstrap of days behind intervals"),
    ROW_NUMBER("calibrate.level", "probability", HERE(calibrate.level), "0.9", SCHEMA_ABOVE_ZERO,
               0.9999, FIELD_OWN_PRIOR, "of intervals"),
    ROW_DURATION("calibrate.block", HERE(calibrate.block_ms), "2d", DAY, 365 * DAY, FIELD_OWN_PRIOR,
                 "length of the blocks of days that are drawn"),
    ROW_TIME("calibrate.fit.from", HERE(calibrate.from_ms), "null",
             "the command calibrate fits from here on; null: time.start"),
    ROW_TIME("calibrate.fit.to", HERE(calibrate.to_ms), "null",
             "end of what is fitted, exclusive; null: time.end"),
    ROW_SPECIAL("backtest.assets", SCHEMA_ASSETS, 0, "{}",
                "scenario files by name, each with a feed in data.liquidations; {}: this scenario "
                "alone, under its symbol"),
    ROW_SPECIAL("backtest.splits", SCHEMA_SPLITS, 0, "[]",
                "what is fitted and what is tested: {name, fit: {assets, from, to}, test: {assets, "
                "from, to}}; without assets all of them, without times all of their window"),
    ROW_CHOICE("backtest.leave_out", HERE(backtest.leave_out), "none", words_leave_out,
               "assets: one more split for each asset, fitted to the others and tested on it"),
    ROW_SPECIAL("output", SCHEMA_OUTPUT, 0, "[summary, steps, tiers, venues, episodes]",
                "which tables are written; also positions, adl, and of a sweep sweep and critical"),
};

#define IN_SOURCE(member) offsetof(struct source_spec, member)
#define ROLE(input) (1u << MARKET_##input)

static const struct schema_row source_rows[] = {
    ROW_SPECIAL("source", SCHEMA_BUILTIN, IN_SOURCE(builtin), "null",
                "a shipped series, written builtin:NAME; in place of path"),
    ROW_SPECIAL("path", SCHEMA_PATH, IN_SOURCE(path), "null",
                "file, glob or folder, relative to the scenario file"),
    ROW_TEXT("format", IN_SOURCE(format), "null",
             "name of a source descriptor, or generic; null: told from the content"),
    {.field = {ROW_FIELD("unit", FIELD_CHOICE, "", IN_SOURCE(unit), "null", NULL,
                         "unit of the amounts; null: as the source descriptor says"),
               .choices = words_amount},
     .roles = ROLE(OI) | ROLE(LIQUIDATIONS)},
    {.field = {ROW_FIELD("unit", FIELD_CHOICE, "", IN_SOURCE(unit), "null", NULL,
                         "unit of the rates; null: as the source descriptor says"),
               .choices = words_rate},
     .roles = ROLE(FUNDING)},
    {.field = {ROW_FIELD("contract_usd", FIELD_DOUBLE, "usd", IN_SOURCE(contract_usd), "0", NULL,
                         "worth of a contract; 0: as the source descriptor says"),
               .minimum = 0, .maximum = 1e9},
     .roles = ROLE(OI) | ROLE(LIQUIDATIONS)},
    {.field = {ROW_FIELD("scope", FIELD_TEXT, "", IN_SOURCE(scope), "null", NULL,
                         "what is counted: binance, all, all_without_cme")},
     .roles = ROLE(OI) | ROLE(LIQUIDATIONS)},
    {.field = {ROW_FIELD("interval", FIELD_DURATION_MS, "", IN_SOURCE(interval_ms), "0s", NULL,
                         "nominal time between two rates; 0s: from the data"),
               .minimum = 0, .maximum = 365 * DAY},
     .roles = ROLE(FUNDING)},
    {.field = {ROW_FIELD("header", FIELD_CHOICE, "", IN_SOURCE(header), "null", NULL,
                         "whether the first line names the columns; null: told from the content"),
               .choices = words_header},
     .generic = true},
    {.field = {ROW_FIELD("time.column", FIELD_TEXT, "", IN_SOURCE(time_column), "null", NULL,
                         "header name or 1-based index of the time; required with generic")},
     .generic = true},
    {.field = {ROW_FIELD("time.as", FIELD_TEXT, "", IN_SOURCE(time_format), "null", NULL,
                         "unix_s, unix_ms, unix_us, iso or a format such as \"%Y-%m-%d %H:%M:%S\"; "
                         "required with generic")},
     .generic = true},
    {.field = {ROW_FIELD("time.zone", FIELD_DURATION_MS, "offset", IN_SOURCE(zone_offset_ms),
                         "+00:00", NULL, "of times without one of their own")},
     .kind = SCHEMA_ZONE},
    {.field = {ROW_FIELD("columns", FIELD_TEXT, "", 0, "null", NULL,
                         "header name or 1-based index of each field; required with generic")},
     .kind = SCHEMA_COLUMNS,
     .generic = true},
    ROW_SPECIAL("filters", SCHEMA_FILTERS, 0, "null",
                "only rows whose column holds the value: {coin: BTC}; null: all rows"),
};

#define IN_VENUE(member) offsetof(struct scenario_venue, member)

static const struct schema_row venue_rows[] = {
    ROW_TEXT("name", IN_VENUE(name), NULL, "as the results name it"),
    ROW_TEXT("rules", IN_VENUE(rules), "binance",
             "the shipped venue file whose keys stand for those not given here, or flat: one "
             "bracket, described by flat_*"),
    ROW_NUMBER("oi_share", "share", IN_VENUE(oi_share), NULL, SCHEMA_ABOVE_ZERO, 1, NULL,
               "of the open interest that is given"),
    ROW_NUMBER("reliability", "share", IN_VENUE(reliability), "1.0", 0, 1, NULL,
               "part of the venue's reported open interest that is believed; 0: out of scope"),
    ROW_NUMBER("depth_share", "share", IN_VENUE(depth_share), "null", SCHEMA_ABOVE_ZERO, 1, NULL,
               "of the pooled depth, where venues have prices of their own; null: as oi_share"),
    ROW_NUMBER("cap_scale", "", IN_VENUE(cap_scale), "1.0", SCHEMA_ABOVE_ZERO, 1e6, NULL,
               "multiplies every notional cap of the brackets"),
    ROW_TEXT("brackets", IN_VENUE(brackets), "null",
             "whose bracket tables hold; null: those named as the rules"),
    ROW_CHOICE("margin", IN_VENUE(margin), "linear_mark", words_margin,
               "formula of the liquidation price"),
    ROW_CHOICE("liquidation", IN_VENUE(liquidation), "full", words_liquidation,
               "full: whole; brackets: down to a lower bracket; share: a part of it; incremental: "
               "as much as restores the margin; none: never, by hand or by call"),
    ROW_NUMBER("partial_share", "share", IN_VENUE(partial_share), "0.2", SCHEMA_ABOVE_ZERO, 1,
               "Hyperliquid docs, Liquidations: 20 %",
               "share: part of the position in an order; incremental: the least"),
    ROW_NUMBER("partial_above", "usd", IN_VENUE(partial_above_usd), "0", 0, ROW_ANY_HIGH, NULL,
               "not full: positions of a notional up to this are closed whole"),
    ROW_COUNT("partial_brackets", "brackets", IN_VENUE(partial_brackets), "1", 1, 32, NULL,
              "brackets: how many an order drops"),
    ROW_DURATION("partial_cooldown", IN_VENUE(partial_cooldown_ms), "0s", 0, DAY, NULL,
                 "share: after a partial order, the next one within this time is for the whole"),
    ROW_DURATION("partial_pause", IN_VENUE(partial_pause_ms), "0s", 0, DAY, NULL,
                 "after a partial order, the rest is left alone for this time"),
    ROW_NUMBER("backstop_share", "share", IN_VENUE(backstop_share), "0", 0, 1, NULL,
               "equity below this part of maintenance margin: the fund takes the position over "
               "without an order; 0: never"),
    ROW_NUMBER("fee_rate", "fraction", IN_VENUE(fee_rate), "0", 0, 0.1, NULL,
               "liquidation fee, of the notional filled, as far as margin is left"),
    ROW_NUMBER("taker_rate", "fraction", IN_VENUE(taker_rate), "0.0005", 0, 0.1,
               "OKX and Gate, BTC-USDT perpetual, regular users: 0.05 %",
               "linear_fee: taker fee in the liquidation price"),
    ROW_CHOICE("adl", IN_VENUE(adl), "none", words_adl,
               "order in which opposing positions are deleveraged when the fund is drawn down"),
    ROW_NUMBER("adl_drawdown", "share", IN_VENUE(adl_drawdown), "1.0", 0, 1, NULL,
               "fall of the insurance fund from its peak at which deleveraging begins"),
    ROW_NUMBER("insurance_fund_usd", "usd", IN_VENUE(insurance_fund_usd), "null", 0, ROW_ANY_HIGH,
               NULL,
               "the insurance fund at the start; null: without limit, so that no debt is bad"),
    ROW_NUMBER("mark_passthrough", "share", IN_VENUE(mark_passthrough), "null", 0, 1, NULL,
               "share of a move that reaches the venue's mark; null: impact.mark_passthrough"),
    ROW_NUMBER("flat_rate", "share", IN_VENUE(flat_rate), "null", 0, 0.99, NULL,
               "flat: maintenance margin rate"),
    ROW_NUMBER("flat_max_leverage", "", IN_VENUE(flat_max_leverage), "null", 1, 1000, NULL,
               "flat: highest leverage"),
};

static const struct schema_row tier_rows[] = {
    ROW_NUMBER("leverage", "", offsetof(struct schema_tier_item, leverage), NULL, 1, 1000, NULL,
               "effective leverage"),
    ROW_NUMBER("weight", "", offsetof(struct schema_tier_item, weight), NULL, 0, 1e15, NULL,
               "share of the stock of open interest, in any unit"),
};

static const struct schema_row point_rows[] = {
    ROW_TIME("at", offsetof(struct schema_point_item, at_ms), NULL, "when"),
    ROW_NUMBER("price", "quote", offsetof(struct schema_point_item, price), NULL, SCHEMA_ABOVE_ZERO,
               ROW_ANY_HIGH, NULL, "the price then"),
};

#define IN_SPLIT(member) offsetof(struct scenario_split, member)

static const struct schema_row split_rows[] = {
    ROW_TEXT("name", IN_SPLIT(name), NULL, "as the results name it"),
    ROW_SPECIAL("fit.assets", SCHEMA_PART, IN_SPLIT(fit), "[]", "what is fitted; []: all"),
    ROW_TIME("fit.from", IN_SPLIT(fit.from_ms), "null", "null: time.start of each"),
    ROW_TIME("fit.to", IN_SPLIT(fit.to_ms), "null", "exclusive; null: time.end of each"),
    ROW_SPECIAL("test.assets", SCHEMA_PART, IN_SPLIT(test), "[]", "what is predicted; []: all"),
    ROW_TIME("test.from", IN_SPLIT(test.from_ms), "null", "null: time.start of each"),
    ROW_TIME("test.to", IN_SPLIT(test.to_ms), "null", "exclusive; null: time.end of each"),
};

#define RESULT(word, member, doc)                                                          \
    {                                                                                      \
        .field = { ROW_FIELD(word, FIELD_BOOL, "", HERE(output.member), "no", NULL, doc) } \
    }

static const struct schema_row output_rows[] = {
    RESULT("summary", summary, "one row per run"),
    RESULT("steps", steps, "one row per run and step"),
    RESULT("tiers", tiers, "liquidations by leverage"),
    RESULT("venues", venues, "liquidations by venue"),
    RESULT("episodes", episodes, "one row per episode"),
    RESULT("positions", positions, "the book at the start"),
    RESULT("adl", adl, "who was deleveraged: by step, venue, side and leverage"),
    RESULT("sweep", sweep, "bands of every number at every point"),
    RESULT("critical", critical, "the critical value per draw and its bands"),
};

#define BASELINE(word, member, doc)                                                           \
    {                                                                                         \
        .field = { ROW_FIELD(word, FIELD_BOOL, "", HERE(baselines.member), "no", NULL, doc) } \
    }

static const struct schema_row baseline_rows[] = {
    BASELINE("open", open, "forced orders do not move the price"),
    BASELINE("naive", naive, "forced orders added to the observed price"),
    BASELINE("least", least, "a counterfactual's loop begins at the exogenous price"),
    BASELINE("null", null,
             "the level alone: open interest times a power of the largest adverse move, fitted"),
};

#define TABLE(rows)                      \
    {                                    \
        rows, sizeof rows / sizeof *rows \
    }
const struct schema_table schema_scenario = TABLE(scenario_rows);
const struct schema_table schema_source = TABLE(source_rows);
const struct schema_table schema_venue = TABLE(venue_rows);
const struct schema_table schema_tier = TABLE(tier_rows);
const struct schema_table schema_point = TABLE(point_rows);
const struct schema_table schema_split = TABLE(split_rows);
const struct schema_table schema_output = TABLE(output_rows);
const struct schema_table schema_baselines = TABLE(baseline_rows);
