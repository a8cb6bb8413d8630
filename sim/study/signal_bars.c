#include "sim/study/signal_bars.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/field.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "sim/cascade.h"
#include "sim/made_path.h"
#include "sim/nearby.h"
#include "sim/run_one.h"

/* Half percents in which the fullest is looked for, to 16 % of log price. */
#define CLUSTER_WINDOW 0.16
enum { CLUSTER_POINTS = NEARBY_POINTS, WITHIN_COUNT = 4, CHECK_BARS = 256 };

/* Liquidation prices are looked at between the price at the start over this, and times this. */
#define PRICE_FACTOR 16.0

static const double within_share[WITHIN_COUNT] = {0.01, 0.02, 0.05, 0.10};

/* Signals of the book, in the order in which a bar's are filled. */
#define LONG_WITHIN "share of open interest that is liquidated if the mark falls by this much"
#define SHORT_WITHIN "share of open interest that is liquidated if the mark rises by this much"
#define OF_THE_MODEL "the model's book; own prior"
static const struct signal_bars_signal model_signals[] = {
    {"long_within_1pct", LONG_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, -1, 1, 1, true, NULL},
    {"long_within_2pct", LONG_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, -1, 1, 1, true, NULL},
    {"long_within_5pct", LONG_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, -1, 1, 1, true, NULL},
    {"long_within_10pct", LONG_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, -1, 1, 1, true, NULL},
    {"short_within_1pct", SHORT_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, 1, -1, 1, true, NULL},
    {"short_within_2pct", SHORT_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, 1, -1, 1, true, NULL},
    {"short_within_5pct", SHORT_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, 1, -1, 1, true, NULL},
    {"short_within_10pct", SHORT_WITHIN, OF_THE_MODEL, SIGNALS_VALUE, 1, -1, 1, true, NULL},
    {"cluster_distance",
     "log distance to the fullest half percent of liquidation prices; less means more",
     OF_THE_MODEL, SIGNALS_VALUE, 0, 0, -1, true, NULL},
    {"branching_ratio",
     "log price that the liquidations within a small move give back, over the move", OF_THE_MODEL,
     SIGNALS_VALUE, 0, 0, 1, true, NULL},
};
enum { MODEL_COUNT = sizeof model_signals / sizeof *model_signals };

/* ---- durations -------------------------------------------------------------------------- */

int signal_bars_steps(const struct scenario *scenario, const char *key, int64_t duration_ms,
                      size_t *out, struct error *err)
{
    int64_t step = scenario->time.step_ms;
    char duration[CALENDAR_TEXT_SIZE], length[CALENDAR_TEXT_SIZE];
    *out = (size_t)(duration_ms / step);
    if (duration_ms >= step && duration_ms % step == 0)
        return ERROR_NONE;
    return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, key,
                    "%s is no whole number of steps; expected a multiple of time.step %s",
                    calendar_format_duration(duration_ms, duration),
                    calendar_format_duration(step, length));
}

static int read_params(const struct scenario *scenario, struct signals_params *out,
                       struct error *err)
{
    *out = (struct signals_params){.funding_z = scenario->signals.funding_z,
                                   .high_rank = scenario->signals.high_rank,
                                   .change_rank = scenario->signals.change_rank};
    int code = signal_bars_steps(scenario, "signals.lookback", scenario->signals.lookback_ms,
                                 &out->lookback, err);
    if (code == ERROR_NONE)
        code = signal_bars_steps(scenario, "signals.window", scenario->signals.window_ms,
                                 &out->window, err);
    if (code == ERROR_NONE)
        code = signal_bars_steps(scenario, "signals.highs", scenario->signals.highs_ms, &out->highs,
                                 err);
    return code;
}

static int check(const struct scenario *scenario, struct error *err)
{
    if (scenario->path.model == PATH_OBSERVED)
        return ERROR_NONE;
    return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "path.model",
                    "makes a path; signals are read from data: expected observed");
}

/* ---- rules on data ---------------------------------------------------------------------- */

/* Everything over the whole market, warm-up and all. */
struct rules {
    const struct setup *setup;
    struct signals_params params;
    struct signals_data data;
    double *oi_usd, *venue_usd, *values; /* owned */
};

static void rules_free(struct rules *self)
{
    memory_free(self->oi_usd);
    memory_free(self->venue_usd);
    memory_free(self->values);
}

/* In the unit asked for; NULL stays NULL. */
static int in_unit(const struct market *market, const double *coins, double **room,
                   const double **out, struct error *err)
{
    *room = memory_alloc(market->bars, sizeof **room);
    if (*room == NULL)
        return error_memory(err, "signals");
    signals_usd(coins, market->mark.close, market->bars, *room);
    *out = *room;
    return ERROR_NONE;
}

/* Open interest of one venue on the clock of the rest. */
static int read_venue(struct signal_bars *self, const struct setup *setup, struct error *err)
{
    const struct scenario *scenario = setup->scenario;
    if (!scenario->signals.venue_oi.present)
        return ERROR_NONE;
    struct market_request request = {.start_ms = setup->market.start_ms,
                                     .end_ms = setup->market.start_ms +
                                               (int64_t)setup->market.bars * setup->market.step_ms,
                                     .step_ms = setup->market.step_ms,
                                     .policies = scenario->data.policies};
    request.source[MARKET_PRICE] = &scenario->data.input[MARKET_PRICE];
    request.source[MARKET_MARK] = &scenario->data.input[MARKET_MARK];
    request.source[MARKET_OI] = &scenario->signals.venue_oi;
    return market_read(&self->venue, &request, err);
}

static int rules_init(struct rules *self, struct signal_bars *bars, const struct setup *setup,
                      struct error *err)
{
    const struct market *market = &setup->market;
    bool usd = setup->scenario->signals.oi == SIGNALS_OI_USD;
    self->setup = setup;
    int code = read_params(setup->scenario, &self->params, err);
    if (code == ERROR_NONE)
        code = read_venue(bars, setup, err);
    if (code != ERROR_NONE)
        return code;
    self->data = (struct signals_data){.bars = market->bars,
                                       .step_ms = market->step_ms,
                                       .high = market->last.high,
                                       .low = market->last.low,
                                       .close = market->last.close,
                                       .oi = market->oi_coins,
                                       .venue_oi = bars->venue.oi_coins,
                                       .funding = market->funding_rate};
    if (usd && market->oi_coins != NULL)
        code = in_unit(market, market->oi_coins, &self->oi_usd, &self->data.oi, err);
    if (code == ERROR_NONE && usd && bars->venue.oi_coins != NULL)
        code = in_unit(market, bars->venue.oi_coins, &self->venue_usd, &self->data.venue_oi, err);
    self->values = memory_alloc(market->bars, sizeof *self->values);
    return code == ERROR_NONE && self->values == NULL ? error_memory(err, "signals") : code;
}

static void add_rule(struct signal_bars *self, struct rules *rules,
                     const struct signals_signal *rule)
{
    unsigned missing = signals_missing(rule, &rules->data);
    if (missing != 0) {
        self->absent[self->absent_count++] = (struct signal_bars_absent){rule->name, missing};
        return;
    }
    struct signal_bars_signal *signal = &self->signals[self->count];
    *signal = (struct signal_bars_signal){.name = rule->name,
                                          .documentation = rule->documentation,
                                          .source = rule->source,
                                          .kind = rule->kind,
                                          .direction = rule->direction,
                                          .side = rule->side,
                                          .order = 1,
                                          .values = self->storage + self->count * self->bars};
    self->count++;
    rule->function(&rules->data, &rules->params, rules->values);
    memcpy(signal->values, rules->values + rules->setup->start_bar,
           self->bars * sizeof *signal->values);
}

/* Regime, range and trend of each bar. */
static void add_bars(struct signal_bars *self, const struct rules *rules)
{
    const struct signals_data *data = &rules->data;
    size_t lookback = rules->params.lookback;
    for (size_t i = 0; i < self->bars; i++) {
        size_t bar = rules->setup->start_bar + i;
        self->range[i] = signals_range(data, lookback, bar);
        self->trend[i] = bar < lookback ? NAN : log(data->close[bar] / data->close[bar - lookback]);
        self->regimes[i] = data->oi == NULL || bar < lookback
                               ? SIGNALS_UNKNOWN
                               : signals_regime(data->close[bar], data->close[bar - lookback],
                                                data->oi[bar], data->oi[bar - lookback]);
    }
}

static int add_rules(struct signal_bars *self, const struct setup *setup, struct error *err)
{
    struct rules rules = {0};
    int code = rules_init(&rules, self, setup, err);
    for (int i = 0; i < signals_count && code == ERROR_NONE; i++) {
        add_rule(self, &rules, &signals_signals[i]);
        code = interrupt_check(err);
    }
    if (code == ERROR_NONE)
        add_bars(self, &rules);
    rules_free(&rules);
    return code;
}

/* ---- the book --------------------------------------------------------------------------- */

/* Distance to the fullest of the bins on either side. */
static double cluster_distance(const struct nearby *nearby, double mark)
{
    double fullest = 0.0, distance = NAN, width = CLUSTER_WINDOW / CLUSTER_POINTS;
    for (int side = BOOK_LONG; side <= BOOK_SHORT; side++) {
        double coins[CLUSTER_POINTS];
        nearby_within(nearby, side, mark, CLUSTER_WINDOW, CLUSTER_POINTS, coins);
        for (int k = 0; k < CLUSTER_POINTS; k++) {
            double inside = coins[k] - (k > 0 ? coins[k - 1] : 0.0);
            if (inside > fullest) {
                fullest = inside;
                distance = (k + 0.5) * width;
            }
        }
    }
    return distance;
}

/* The model's signals at the close of the bar that was walked last. */
static void look_at_book(struct replay *replay, const struct replay_step *step,
                         double out[MODEL_COUNT])
{
    struct impact_state pooled = prices_pooled(&replay->prices);
    const struct replay_params *params = replay->params;
    for (int side = BOOK_LONG; side <= BOOK_SHORT; side++)
        for (int k = 0; k < WITHIN_COUNT; k++) {
            double share = within_share[k], coins;
            double window = side == BOOK_LONG ? -log1p(-share) : log1p(share);
            nearby_within(&replay->nearby, side, step->mark_close, window, 1, &coins);
            out[side * WITHIN_COUNT + k] = coins / step->oi_coins;
        }
    out[2 * WITHIN_COUNT] = cluster_distance(&replay->nearby, step->mark_close);
    out[2 * WITHIN_COUNT + 1] =
        cascade_branching_ratio(&replay->nearby, &params->impact, &pooled, replay->prices.depth,
                                step->mark_close, params->branching_window_log);
}

static void take_step(struct signal_bars *self, struct replay *replay,
                      const struct replay_step *step, size_t bar)
{
    double of_book[MODEL_COUNT];
    look_at_book(replay, step, of_book);
    for (size_t k = 0; k < MODEL_COUNT; k++)
        self->signals[self->count - MODEL_COUNT + k].values[bar] = of_book[k];
    for (int side = BOOK_LONG; !self->observed_flow && side <= BOOK_SHORT; side++)
        self->flow[side][bar] = step->forced.side[side].coins;
}

static int walk(struct signal_bars *self, struct replay *replay, struct progress *progress,
                struct error *err)
{
    int code = ERROR_NONE;
    for (size_t bar = 0; bar < self->bars && code == ERROR_NONE; bar++) {
        struct replay_step step;
        if (bar % CHECK_BARS == 0)
            code = interrupt_check(err);
        if (code == ERROR_NONE)
            code = replay_step(replay, &step, err);
        if (code == ERROR_NONE)
            take_step(self, replay, &step, bar);
        if (progress != NULL)
            progress_add(progress, 1);
    }
    return code;
}

/* A run lays out what is near the market by the prices that it will see, and where a bin begins
   shows in its signals. Here bins depend on the last price before the start alone. */
static int forget_prices(struct replay *replay, const struct path *path, struct error *err)
{
    size_t before = replay->bar > 0 ? replay->bar - 1 : 0;
    double mark = path_bar_at(path, before).mark[replay->bar > 0 ? PATH_NODES - 1 : 0];
    nearby_free(&replay->nearby);
    int code = nearby_init(&replay->nearby, &replay->ladder, &replay->ledger, mark / PRICE_FACTOR,
                           mark * PRICE_FACTOR, replay->params->branching_window_log, err);
    if (code == ERROR_NONE && replay->cascade.accounts != NULL)
        code = accounts_count(&replay->accounts, &replay->nearby, &replay->ledger, err);
    return code;
}

/* Open loop at the observed open interest, whatever the scenario's runs are. */
static int walk_book(struct signal_bars *self, const struct setup *setup, const struct path *path,
                     const struct book *book, struct progress *progress, struct error *err)
{
    struct run_warm warm;
    struct replay replay;
    struct replay_params params = setup_replay(setup, &setup_as_observed);
    params.feedback_bar = REPLAY_NEVER;
    int code = run_warm_init_shown(&warm, setup, path, book, progress, err);
    if (code != ERROR_NONE)
        return code;
    code = replay_fork(&replay, &params, path, &warm.replay, err);
    if (code == ERROR_NONE) {
        code = forget_prices(&replay, path, err);
        if (code == ERROR_NONE)
            code = walk(self, &replay, progress, err);
        replay_free(&replay);
    }
    run_warm_free(&warm);
    return code;
}

static int add_model(struct signal_bars *self, const struct setup *setup, struct progress *progress,
                     struct error *err)
{
    struct made_path made = {0};
    struct path path;
    struct book book;
    for (size_t k = 0; k < MODEL_COUNT; k++) {
        self->signals[self->count] = model_signals[k];
        self->signals[self->count].values = self->storage + self->count * self->bars;
        self->count++;
    }
    int code = setup_path(setup, 0, &made, &path, err);
    if (code != ERROR_NONE)
        return code;
    code = setup_book(setup, 0, &setup_as_observed, &book, err);
    if (code == ERROR_NONE) {
        code = walk_book(self, setup, &path, &book, progress, err);
        book_free(&book);
    }
    made_path_free(&made);
    return code;
}

/* ---- all of it -------------------------------------------------------------------------- */

static int make_room(struct signal_bars *self, struct error *err)
{
    size_t most = (size_t)signals_count + MODEL_COUNT;
    liqcascade_bug_assert(most <= SIGNAL_BARS_MAX, "too many signals");
    self->storage = memory_alloc(most * self->bars, sizeof *self->storage);
    self->regimes = memory_alloc(self->bars, sizeof *self->regimes);
    self->range = memory_alloc(self->bars, sizeof *self->range);
    self->trend = memory_alloc(self->bars, sizeof *self->trend);
    for (int side = 0; side < 2; side++)
        self->flow[side] = memory_zeroed(self->bars, sizeof *self->flow[side]);
    bool made = self->storage != NULL && self->regimes != NULL && self->range != NULL &&
                self->trend != NULL && self->flow[0] != NULL && self->flow[1] != NULL;
    return made ? ERROR_NONE : error_memory(err, "signals");
}

static void take_feed(struct signal_bars *self, const struct setup *setup)
{
    const struct market *market = &setup->market;
    self->observed_flow = market->liq_long_coins != NULL;
    if (!self->observed_flow)
        return;
    memcpy(self->flow[BOOK_LONG], market->liq_long_coins + setup->start_bar,
           self->bars * sizeof(double));
    memcpy(self->flow[BOOK_SHORT], market->liq_short_coins + setup->start_bar,
           self->bars * sizeof(double));
}

int signal_bars_init(struct signal_bars *self, const struct setup *setup, struct progress *progress,
                     struct error *err)
{
    memset(self, 0, sizeof *self);
    self->bars = setup->bars - setup->start_bar;
    self->step_ms = setup->market.step_ms;
    self->start_ms = setup->market.start_ms + (int64_t)setup->start_bar * self->step_ms;
    self->close = setup->market.last.close + setup->start_bar;
    int code = check(setup->scenario, err);
    if (code == ERROR_NONE)
        code = make_room(self, err);
    if (code == ERROR_NONE) {
        take_feed(self, setup);
        code = add_rules(self, setup, err);
    }
    if (code == ERROR_NONE)
        code = add_model(self, setup, progress, err);
    if (code != ERROR_NONE)
        signal_bars_free(self);
    return code;
}

void signal_bars_free(struct signal_bars *self)
{
    memory_free(self->storage);
    memory_free(self->regimes);
    memory_free(self->range);
    memory_free(self->trend);
    memory_free(self->flow[0]);
    memory_free(self->flow[1]);
    market_free(&self->venue);
    memset(self, 0, sizeof *self);
}

/* ---- the table -------------------------------------------------------------------------- */

/* A row: time, regime, and one number per column. */
struct row {
    int64_t time_ms;
    const char *regime;
    double price, flow[2];
    double values[SIGNAL_BARS_MAX];
};

static const struct field fixed_fields[] = {
    {.name = "time",
     .type = FIELD_TIME_MS,
     .unit = "utc",
     .documentation = "start of the bar; what is said of it is known at its end",
     .offset = offsetof(struct row, time_ms)},
    {.name = "regime",
     .type = FIELD_TEXT,
     .unit = "",
     .documentation = "which of the four: price and open interest over the lookback",
     .offset = offsetof(struct row, regime)},
    {.name = "price_close",
     .type = FIELD_DOUBLE,
     .unit = "quote",
     .documentation = "last price at the close",
     .offset = offsetof(struct row, price)},
    {.name = "flow_long_coins",
     .type = FIELD_DOUBLE,
     .unit = "coins",
     .documentation = "longs liquidated in the bar: of the feed, or of the open-loop replay",
     .offset = offsetof(struct row, flow[BOOK_LONG])},
    {.name = "flow_short_coins",
     .type = FIELD_DOUBLE,
     .unit = "coins",
     .documentation = "shorts likewise",
     .offset = offsetof(struct row, flow[BOOK_SHORT])},
};
enum { FIXED_COUNT = sizeof fixed_fields / sizeof *fixed_fields };

static void fill_fields(const struct signal_bars *self, struct field *fields)
{
    memcpy(fields, fixed_fields, sizeof fixed_fields);
    for (size_t k = 0; k < self->count; k++)
        fields[FIXED_COUNT + k] =
            (struct field){.name = self->signals[k].name,
                           .type = FIELD_DOUBLE,
                           .unit = "",
                           .documentation = self->signals[k].documentation,
                           .offset = offsetof(struct row, values) + k * sizeof(double)};
}

static void fill_row(const struct signal_bars *self, size_t bar, struct row *row)
{
    *row = (struct row){.time_ms = self->start_ms + (int64_t)bar * self->step_ms,
                        .regime = signals_regime_name(self->regimes[bar]),
                        .price = self->close[bar],
                        .flow = {self->flow[BOOK_LONG][bar], self->flow[BOOK_SHORT][bar]}};
    for (size_t k = 0; k < self->count; k++)
        row->values[k] = self->signals[k].values[bar];
}

int signal_bars_table(const struct signal_bars *self, struct table *out, struct error *err)
{
    struct field *fields = memory_alloc(FIXED_COUNT + self->count, sizeof *fields);
    struct row *rows = memory_alloc(self->bars, sizeof *rows);
    if (fields == NULL || rows == NULL) {
        memory_free(fields);
        memory_free(rows);
        return error_memory(err, "the table of signals");
    }
    fill_fields(self, fields);
    for (size_t bar = 0; bar < self->bars; bar++)
        fill_row(self, bar, &rows[bar]);
    *out = (struct table){"signals", fields,     FIXED_COUNT + self->count,
                          rows,      self->bars, sizeof(struct row)};
    return ERROR_NONE;
}

void signal_bars_table_free(struct table *table)
{
    memory_free((void *)(uintptr_t)table->fields);
    memory_free((void *)(uintptr_t)table->rows);
    memset(table, 0, sizeof *table);
}
