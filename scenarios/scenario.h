/*
 * A scenario: what to run. Filled from a YAML file by scenario_load through one schema table
 * (scenarios/schema.h): every key has a type, a unit, bounds, a default or is required, and a
 * source. All errors of a file are reported at once, with line and column.
 *
 *     struct scenario scenario;
 *     struct error_list errors = {0};
 *     if (scenario_load(&scenario, "btc.yaml", sets, set_count, &errors) != ERROR_NONE) ...
 *     scenario_free(&scenario);
 */
#ifndef LIQCASCADE_SCENARIOS_SCENARIO_H
#define LIQCASCADE_SCENARIOS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "datasets/market.h"
#include "datasets/source.h"
#include "scenarios/axis.h"
#include "scenarios/condition.h"
#include "scenarios/priors.h"

enum scenario_wick { WICK_BY_CLOSE, WICK_HIGH_FIRST, WICK_LOW_FIRST };
enum scenario_data_kind { DATA_ANY, DATA_OBSERVED };
enum scenario_path_model {
    PATH_OBSERVED,
    PATH_SHOCK,
    PATH_GBM,
    PATH_GARCH,
    PATH_STUDENT_T,
    PATH_MERTON,
    PATH_HAWKES,
    PATH_BLOCK_BOOTSTRAP,
    PATH_BRIDGE
};
enum scenario_scale_by { SCALE_TRADERS, SCALE_SIZES };
enum scenario_flow { FLOW_OBSERVED, FLOW_FROZEN };
enum scenario_entry { ENTRY_TRIANGULAR, ENTRY_VWAP };
enum scenario_leverage_model {
    LEVERAGE_PARETO,
    LEVERAGE_LOGNORMAL,
    LEVERAGE_LOGNORMAL_TAIL,
    LEVERAGE_TIERS,
    LEVERAGE_BITMEX_2019
};
enum scenario_size_model { SIZE_LOGNORMAL, SIZE_PARETO, SIZE_FIXED };
enum scenario_impact_model { IMPACT_POWER, IMPACT_LINEAR, IMPACT_SQUARE_ROOT, IMPACT_NONE };
enum scenario_depth_model { DEPTH_CONSTANT, DEPTH_VOLATILITY, DEPTH_SERIES };
enum scenario_funding_model {
    FUNDING_OBSERVED,
    FUNDING_PREMIUM_CLAMP,
    FUNDING_LINEAR,
    FUNDING_CUBIC,
    FUNDING_VELOCITY
};
enum scenario_funding_signal { FUNDING_SIGNAL_POOL, FUNDING_SIGNAL_PREMIUM };
enum scenario_close { CLOSE_PRO_RATA, CLOSE_DISPOSITION };
enum scenario_feedback { FEEDBACK_CLOSED, FEEDBACK_OPEN, FEEDBACK_NAIVE };
enum scenario_fixed_point { FIXED_POINT_FACTUAL, FIXED_POINT_LEAST };
enum scenario_fill { FILL_WALK, FILL_FINAL };
/* In the order of their words in the schema; the engine finds them by these words. */
enum scenario_margin {
    MARGIN_LINEAR_MARK,
    MARGIN_LINEAR_ENTRY,
    MARGIN_LINEAR_FEE,
    MARGIN_INVERSE_ENTRY,
    MARGIN_INVERSE_MARK,
    MARGIN_HYPERLIQUID
};
enum scenario_liquidation {
    LIQUIDATION_FULL,
    LIQUIDATION_BRACKETS,
    LIQUIDATION_SHARE,
    LIQUIDATION_INCREMENTAL,
    LIQUIDATION_NONE
};
enum scenario_adl {
    ADL_NONE,
    ADL_PNL_LEVERAGE,
    ADL_PNL_MARGIN_RATIO,
    ADL_HYPERLIQUID,
    ADL_PRO_RATA,
    ADL_LIFO
};

enum scenario_sweep { SWEEP_NONE, SWEEP_GRID, SWEEP_LIST, SWEEP_LATIN, SWEEP_SOBOL, SWEEP_MORRIS };
enum scenario_sensitivity { SENSITIVITY_SOBOL, SENSITIVITY_MORRIS };
enum scenario_observation { OBSERVATION_FITTED, OBSERVATION_COMPLETE };
enum scenario_feed { FEED_BARS, FEED_DAYS };
enum scenario_leave_out { LEAVE_OUT_NONE, LEAVE_OUT_ASSETS };
enum scenario_signals_oi { SIGNALS_OI_COINS, SIGNALS_OI_USD };

#define SCENARIO_LEVERAGE_TIERS_MAX 64
#define SCENARIO_VENUES_MAX 16
#define SCENARIO_LEVELS_MAX 64
#define SCENARIO_POINTS_MAX 64
#define SCENARIO_QUANTILES_MAX 32
#define SCENARIO_METRICS_MAX 32
#define SCENARIO_HORIZONS_MAX 16
#define SCENARIO_EVENTS_MAX 64
#define SCENARIO_EVENT_NAME_SIZE 48
#define SCENARIO_SWEEP_MAX 1000000000 /* points */

struct scenario_venue {
    char *name;                  /* as results name it; owned */
    char *rules;                 /* venue file: "binance", or "flat" with flat_* below; owned */
    double oi_share;             /* of the modelled OI; the shares sum to 1 */
    double reliability;          /* part of the reported OI that is believed; 0: out of scope */
    double depth_share;          /* of the pooled depth; NaN: as oi_share */
    double cap_scale;            /* multiplies every notional cap of its brackets */
    char *brackets;              /* bracket tables; NULL: those named as the rules; owned */
    int margin;                  /* enum scenario_margin */
    int liquidation;             /* enum scenario_liquidation */
    double partial_share;        /* share: of the position, per order; incremental: least of it */
    double partial_above_usd;    /* notional up to which a position is closed whole */
    int64_t partial_brackets;    /* brackets: how many an order drops */
    int64_t partial_cooldown_ms; /* after a partial order the next one within it is whole */
    int64_t partial_pause_ms;    /* after a partial order the rest is left alone so long */
    double backstop_share;       /* taken over below this part of maintenance margin; 0: never */
    double fee_rate;             /* liquidation fee, of the notional filled */
    double taker_rate;           /* taker fee in the formula linear_fee */
    int adl;                     /* enum scenario_adl */
    double adl_drawdown;         /* of the fund from its peak, at which deleveraging begins */
    double insurance_fund_usd;   /* at the start; NaN: unlimited */
    double mark_passthrough;     /* NaN: impact.mark_passthrough */
    double flat_rate;            /* rules: flat: one bracket, this MMR ...; NaN with other rules */
    double flat_max_leverage;    /* ... and this maximum leverage; NaN with other rules */
};

/* A key and its value as --set takes them: "impact.gamma", "0.76". */
struct scenario_setting {
    char *key, *value; /* owned */
};

/* One point of sweep.list; what sweep.compare names. */
struct scenario_settings {
    struct scenario_setting *items; /* owned */
    size_t count;
};

/* One of uncertainty.parameters. */
struct scenario_prior {
    char *key; /* owned */
    struct priors_law law;
    char **choices; /* PRIORS_CHOICE: values as --set takes them, owned */
    size_t choice_count;
};

/* One of calibrate.parameters: a number, durations in milliseconds. */
struct scenario_bounds {
    char *key; /* owned */
    double low, high;
};

/* One of backtest.assets. */
struct scenario_asset {
    char *name, *path; /* owned; the path is relative to the working directory */
};

/* What a split fits or tests. */
struct scenario_part {
    char **assets;          /* names; owned */
    size_t asset_count;     /* 0: all */
    int64_t from_ms, to_ms; /* CALENDAR_NONE: the asset's time.start and time.end */
};

/* One of backtest.splits. */
struct scenario_split {
    char *name; /* owned */
    struct scenario_part fit, test;
};

struct scenario {
    int64_t format; /* 1 */
    char *title;
    char *symbol;
    uint64_t seed;
    int64_t replicates;
    struct {
        int64_t warmup_ms; /* default: 30 days before start; start itself with positions_from */
        int64_t start_ms, end_ms, step_ms;
        int64_t check_step_ms; /* CALENDAR_NONE: not asked for */
        int wick;
    } time;
    struct {
        int kind;
        struct source_spec input[MARKET_INPUT_COUNT];
        struct quality_policies policies;
    } data;
    struct {
        int model;
        int64_t shock_at_ms;   /* default: time.start */
        double shock_move_log; /* NaN on an observed path that names none */
        int64_t shock_over_ms; /* 0: at once */
        /* Of made paths; NaN: fitted to the history before shock_at_ms. */
        double drift_per_year, volatility_per_year; /* of the log price */
        double garch_alpha, garch_beta;
        double student_dof;
        double jumps_per_day, jump_mean_log, jump_sigma_log; /* merton, hawkes */
        double hawkes_branching;
        int64_t hawkes_half_life_ms; /* CALENDAR_NONE: fitted */
        int64_t block_ms;
        size_t point_count; /* bridge */
        int64_t point_ms[SCENARIO_POINTS_MAX];
        double point_price[SCENARIO_POINTS_MAX];
    } path;
    struct {
        double level_usd, level_coins;          /* NaN: as observed */
        double levels_usd[SCENARIO_LEVELS_MAX]; /* one run each, side by side */
        size_t level_count;                     /* 0: level_usd or level_coins hold */
        int64_t level_at_ms;                    /* default: time.start */
        int scale_by, flow;
    } oi;
    struct {
        char *positions_from;      /* path, made relative to the scenario file; NULL: drawn */
        int64_t positions_per_bar; /* per side */
        double turnover_per_hour;
        int entry;
        struct {
            int model;
            double alpha;      /* pareto */
            double minimum;    /* pareto: lowest leverage, 1 */
            double maximum;    /* nobody holds more; NaN: the venue's maximum */
            double mu, sigma;  /* lognormal, lognormal_tail */
            double tail_share; /* lognormal_tail: log-uniform above tail_from */
            double tail_from;
            double hazard_exponent; /* opens ~ stock * L^this */
            size_t tier_count;      /* tiers: leverage, weight */
            double tier_leverage[SCENARIO_LEVERAGE_TIERS_MAX];
            double tier_weight[SCENARIO_LEVERAGE_TIERS_MAX];
        } leverage;
        struct {
            int model;
            double median, sigma;  /* lognormal, USD */
            double minimum, alpha; /* pareto, USD */
            double value;          /* fixed, USD */
        } size_usd;
        double crowd_tilt;
        double hedged_short_share;
        double hedged_leverage[2];
        double remargin_per_hour;
        int close;                /* enum scenario_close */
        double disposition_ratio; /* how much faster winners close than losers */
        double pool_share;        /* of the OI that faces a pool; > 0: the pool is short */
        double absorbed_by_closers;
    } book;
    struct scenario_venue venues[SCENARIO_VENUES_MAX];
    size_t venue_count;
    struct {
        int model;
        double gamma;
        double reference_coins, reference_move_log;
        int64_t half_life_ms; /* CALENDAR_NONE: none, no decay */
        double permanent_share;
        double mark_passthrough;
        int64_t arbitrage_half_life_ms; /* 0: at once; CALENDAR_NONE: never */
        int64_t generation_ms;          /* between generations; 0: no intrabar clock */
        struct {
            int model;
            double zeta, floor;
            int64_t half_life_ms;
        } depth;
        double depth_oi_exponent; /* depth ~ OI level^this when oi.level_* rescales OI */
    } impact;
    struct {
        int model;
        int signal;          /* enum scenario_funding_signal, of linear, cubic and velocity */
        int64_t interval_ms; /* of modelled funding */
        double interest_8h;
        double cap;           /* per interval, fraction */
        double max_rate;      /* linear, cubic: per interval at full imbalance */
        double limit_usd;     /* OI cap of a pool's dominant side */
        double premium_limit; /* premium that counts as full imbalance */
        double velocity_max;  /* velocity: change of the rate per day at full skew */
    } funding;
    int feedback;    /* default: open on an observed path, closed on a shock */
    int fixed_point; /* enum scenario_fixed_point, of counterfactuals */
    int fill;
    double branching_window_log;
    struct {
        double floor_usd_per_min;
        int64_t quiet_ms;
    } episode;
    struct {
        bool summary, steps, tiers, venues, episodes, positions, adl, sweep, critical;
    } output;

    /* A sweep, its points and draws by scenarios/sweep_points.h. */
    struct {
        int method;     /* enum scenario_sweep */
        int64_t points; /* latin, sobol; morris: trajectories */
        struct axis *axes;
        size_t axis_count;
        struct scenario_settings *list;
        size_t list_count;
        bool compare_first;               /* with the first point of the list */
        struct scenario_settings compare; /* or with these values of axes; empty: with none */
    } sweep;
    struct {
        int64_t draws;
        struct scenario_prior *parameters;
        size_t parameter_count;
    } uncertainty;
    struct {
        double quantiles[SCENARIO_QUANTILES_MAX];
        size_t quantile_count;
        int over; /* enum bands_over, reports/bands.h */
    } bands;
    struct {
        bool open, naive, least, null;
    } baselines;
    struct {
        char *along;           /* NULL: none; a key of sweep.axes */
        struct condition when; /* metric empty: none */
        double refine;         /* NaN: none */
    } critical;
    struct {
        int method;           /* enum scenario_sensitivity */
        int64_t rows;         /* sobol; a power of two */
        int64_t trajectories; /* morris */
        char metrics[SCENARIO_METRICS_MAX][CONDITION_METRIC_SIZE];
        size_t metric_count;
        int64_t resamples; /* of the bootstrap */
        double level;      /* of intervals */
    } sensitivity;
    struct {
        int64_t lookback_ms, window_ms, highs_ms; /* at least a step each */
        double funding_z, high_rank, change_rank; /* thresholds of models/signals.h */
        int oi;                                   /* enum scenario_signals_oi */
        struct source_spec venue_oi;              /* open interest of one venue */
        int64_t horizons_ms[SCENARIO_HORIZONS_MAX];
        size_t horizon_count;
        double cascade_quantile; /* of the flow ahead, from which on it is a cascade */
        int64_t block_ms;        /* CALENDAR_NONE: by the horizon */
        int64_t resamples;
        double level; /* of intervals */
    } signals;
    struct {
        double bin_log, range_log;
        int64_t every_ms;
    } map;
    struct {
        char *from; /* builtin:events or a file, for events_read; owned */
        char names[SCENARIO_EVENTS_MAX][SCENARIO_EVENT_NAME_SIZE];
        size_t name_count; /* 0: all whose window lies in the data */
    } events;

    /* Against a feed of liquidations (sim/study/calibrate.h, sim/study/backtest.h). */
    struct {
        struct scenario_bounds *parameters; /* owned */
        size_t parameter_count;
        int observation; /* enum scenario_observation */
        int feed;        /* enum scenario_feed */
        double bar_weight, day_weight, floor_share, background_share;
        int64_t starts, resamples;
        double level; /* of intervals */
        int64_t block_ms;
        int64_t from_ms, to_ms; /* CALENDAR_NONE: time.start, time.end */
    } calibrate;
    struct {
        struct scenario_asset *assets; /* owned */
        size_t asset_count;            /* 0: this scenario alone */
        struct scenario_split *splits; /* owned */
        size_t split_count;
        int leave_out; /* enum scenario_leave_out */
    } backtest;

    /* Where it came from. */
    char *path_name; /* the file, as given; owned */
    char **files;    /* that file and everything it extends; owned */
    size_t file_count;
    size_t scenario_file_count; /* the first of them; the others are venue files */
};

/* Reads `path` with what it extends, applies the `sets` ("key=value"), validates, fills defaults.
   Returns ERROR_NONE or the code of the first error; every error is in `errors` (freed by the
   caller). On failure `self` needs no free. Paths in the scenario come back relative to the working
   directory (joined with the folder of the file that said them). */
int scenario_load(struct scenario *self, const char *path, const char *const *sets,
                  size_t set_count, struct error_list *errors);
void scenario_free(struct scenario *self);

/* Writes the resolved scenario, every key with its value in force, as YAML that scenario_load reads
   back to the same scenario. */
int scenario_write(const struct scenario *self, FILE *out, struct error *err);

#endif
