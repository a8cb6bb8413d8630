#include "sim/study/flow_model.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"

/* Part of the floor that stands for no flow at all, which has no logarithm. */
static const double NOTHING = 1e-3;
enum { OBSERVE_STEPS = 30, OBSERVE_HALVINGS = 12 };
static const double OBSERVE_SETTLED = 1e-9; /* relative fall of the sum of squares */

const struct flow_observation flow_observation_complete = {{0.0, 0.0}, {1.0, 1.0}};

/* ---- rows ------------------------------------------------------------------------------- */

static int64_t horizon_ms(const struct flow_asset *asset, int horizon)
{
    return horizon == FLOW_DAY ? CALENDAR_DAY_MS : asset->step_ms;
}

/* Whether the feed says anything at the horizon. */
static bool has_horizon(const struct flow_asset *asset, int horizon)
{
    if (horizon == FLOW_BAR)
        return !asset->daily && asset->step_ms < CALENDAR_DAY_MS;
    return CALENDAR_DAY_MS % asset->step_ms == 0;
}

/* First start of an interval at or after a time. */
static int64_t first_start(int64_t time_ms, int64_t length_ms)
{
    int64_t rest = time_ms % length_ms;
    if (rest < 0)
        rest += length_ms;
    return rest == 0 ? time_ms : time_ms + length_ms - rest;
}

static size_t most_rows(const struct flow_asset *assets, const struct flow_window *windows,
                        size_t window_count)
{
    size_t most = 0;
    for (size_t w = 0; w < window_count; w++)
        most += 4 * (assets[windows[w].asset].bars + 1);
    return most;
}

/* Sums over the interval; false where something is not known. */
static bool fill_row(const struct flow_asset *asset, struct flow_row *row,
                     const struct flow_shares *shares)
{
    double worst = row->side == 0 ? INFINITY : -INFINITY, oi = 0.0;
    row->reported_usd = row->volume_usd = 0.0;
    for (size_t i = row->bar; i < row->bar + row->bars; i++) {
        double price = asset->close[i];
        row->reported_usd += asset->reported[row->side][i] * price;
        row->volume_usd += asset->volume_coins != NULL ? asset->volume_coins[i] * price : NAN;
        oi += asset->oi_coins[i] * price;
        worst = row->side == 0 ? fmin(worst, asset->low[i]) : fmax(worst, asset->high[i]);
    }
    row->oi_usd = oi / (double)row->bars;
    double hours = (double)row->bars * (double)asset->step_ms / (double)CALENDAR_HOUR_MS;
    row->floor_usd = shares->floor * row->oi_usd * hours;
    row->background_usd = shares->background * row->oi_usd * hours;
    double open = asset->open[row->bar];
    row->adverse = fmax(row->side == 0 ? (open - worst) / open : (worst - open) / open, 0.0);
    return isfinite(row->reported_usd) && row->oi_usd > 0.0;
}

static void add_interval(struct flow_rows *self, const struct flow_window *window, int horizon,
                         int64_t from_ms, const struct flow_shares *shares)
{
    const struct flow_asset *asset = &self->assets[window->asset];
    for (int side = 0; side < 2; side++) {
        struct flow_row *row = &self->items[self->count + (size_t)side];
        *row = (struct flow_row){
            .asset = window->asset,
            .horizon = horizon,
            .side = side,
            .from_ms = from_ms,
            .bar = (size_t)((from_ms - asset->start_ms) / asset->step_ms),
            .bars = (size_t)(horizon_ms(asset, horizon) / asset->step_ms),
        };
        if (!fill_row(asset, row, shares))
            return;
    }
    self->count += 2;
}

static void add_window(struct flow_rows *self, const struct flow_window *window, int horizon,
                       const struct flow_shares *shares)
{
    const struct flow_asset *asset = &self->assets[window->asset];
    int64_t length = horizon_ms(asset, horizon);
    int64_t end = asset->start_ms + (int64_t)asset->bars * asset->step_ms;
    int64_t from = window->from_ms > asset->start_ms ? window->from_ms : asset->start_ms;
    int64_t to = window->to_ms < end ? window->to_ms : end;
    if (!has_horizon(asset, horizon))
        return;
    for (int64_t time = first_start(from, length); time + length <= to; time += length)
        add_interval(self, window, horizon, time, shares);
}

static int alloc_rows(struct flow_rows *self, size_t rows, struct error *err)
{
    size_t bars = 1;
    for (size_t a = 0; a < self->asset_count; a++)
        bars = self->assets[a].bars > bars ? self->assets[a].bars : bars;
    self->items = memory_alloc(rows, sizeof *self->items);
    self->coins[0] = memory_alloc(bars, sizeof *self->coins[0]);
    self->coins[1] = memory_alloc(bars, sizeof *self->coins[1]);
    if (self->items != NULL && self->coins[0] != NULL && self->coins[1] != NULL)
        return ERROR_NONE;
    flow_rows_free(self);
    return error_memory(err, "laying out observed liquidations");
}

int flow_rows_init(struct flow_rows *self, const struct flow_asset *assets, size_t asset_count,
                   const struct flow_window *windows, size_t window_count,
                   const struct flow_shares *shares, struct error *err)
{
    *self = (struct flow_rows){.assets = assets, .asset_count = asset_count};
    int code = alloc_rows(self, most_rows(assets, windows, window_count), err);
    if (code != ERROR_NONE)
        return code;
    for (size_t w = 0; w < window_count; w++)
        for (int horizon = 0; horizon < FLOW_HORIZONS; horizon++)
            add_window(self, &windows[w], horizon, shares);
    return ERROR_NONE;
}

void flow_rows_free(struct flow_rows *self)
{
    memory_free(self->items);
    memory_free(self->coins[0]);
    memory_free(self->coins[1]);
    memset(self, 0, sizeof *self);
}

/* ---- the model's side ------------------------------------------------------------------- */

static int predict_asset(struct flow_rows *self, size_t a, const double *theta, size_t count,
                         double *out_log, struct error *err)
{
    const struct flow_asset *asset = &self->assets[a];
    int code = asset->flow(asset->context, theta, count, self->coins, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t r = 0; r < self->count; r++) {
        const struct flow_row *row = &self->items[r];
        double usd = row->background_usd;
        if (row->asset != a)
            continue;
        for (size_t i = row->bar; i < row->bar + row->bars; i++)
            usd += self->coins[row->side][i] * asset->close[i];
        if (!(usd >= 0.0) || !isfinite(usd))
            return error_set(err, ERROR_NUMERICAL, "%s: a modelled flow is negative or no number",
                             asset->name);
        out_log[r] = log(fmax(usd, NOTHING * row->floor_usd));
    }
    return ERROR_NONE;
}

/* Assets that no window holds are not asked. */
static bool is_used(const struct flow_rows *self, size_t asset)
{
    for (size_t r = 0; r < self->count; r++)
        if (self->items[r].asset == asset)
            return true;
    return false;
}

int flow_rows_predict(struct flow_rows *self, const double *theta, size_t count, double *out_log,
                      struct error *err)
{
    int code = ERROR_NONE;
    for (size_t a = 0; a < self->asset_count && code == ERROR_NONE; a++)
        if (is_used(self, a))
            code = predict_asset(self, a, theta, count, out_log, err);
    return code;
}

/* ---- the feed's side -------------------------------------------------------------------- */

double flow_reported_log(const struct flow_row *row)
{
    return log(row->reported_usd + row->floor_usd);
}

/* What the floor leaves of a change in ln(a Q^b): a Q^b / (a Q^b + floor). */
static double expected(const struct flow_row *row, double scaled_log, double *out_share)
{
    double usd = exp(scaled_log);
    *out_share = usd / (usd + row->floor_usd);
    return log(usd + row->floor_usd);
}

/* Normal equations of a Gauss-Newton step in ln a and b, and the sum of squares where it begins. */
struct sums {
    double aa, ab, bb, a, b, squares;
};

static struct sums sum_horizon(const struct flow_rows *self, int horizon, const double *log,
                               const double *weights, double log_a, double b)
{
    struct sums s = {0};
    for (size_t r = 0; r < self->count; r++) {
        const struct flow_row *row = &self->items[r];
        if (row->horizon != horizon || self->assets[row->asset].complete || !(weights[r] > 0.0))
            continue;
        double share, gap = flow_reported_log(row) - expected(row, log_a + b * log[r], &share);
        double w = weights[r] * share, x = share * log[r];
        s.aa += w * share, s.ab += w * x, s.bb += w * log[r] * x;
        s.a += w * gap, s.b += w * log[r] * gap;
        s.squares += weights[r] * gap * gap;
    }
    return s;
}

/* The step of both; of ln a alone where b would leave its bounds or nothing tells them apart. */
static void step_of(const struct sums *s, double b, double *out_log_a, double *out_b)
{
    double determinant = s->aa * s->bb - s->ab * s->ab;
    double step =
        determinant > 1e-12 * s->aa * s->bb ? (s->aa * s->b - s->ab * s->a) / determinant : 0.0;
    step = fmin(fmax(b + step, FLOW_OBSERVATION_LOW), FLOW_OBSERVATION_HIGH) - b;
    *out_b = step;
    *out_log_a = (s->a - s->ab * step) / s->aa;
}

static void observe_horizon(const struct flow_rows *self, int horizon, const double *log,
                            const double *weights, struct flow_observation *out)
{
    double log_a = 0.0, b = FLOW_OBSERVATION_HIGH, change_a, change_b;
    struct sums now = sum_horizon(self, horizon, log, weights, log_a, b);
    for (int i = 0; i < OBSERVE_STEPS && now.aa > 0.0; i++) {
        step_of(&now, b, &change_a, &change_b);
        double part = 1.0;
        struct sums next = sum_horizon(self, horizon, log, weights, log_a + change_a, b + change_b);
        for (int k = 0; k < OBSERVE_HALVINGS && !(next.squares <= now.squares); k++) {
            part *= 0.5;
            next = sum_horizon(self, horizon, log, weights, log_a + part * change_a,
                               b + part * change_b);
        }
        if (!(next.squares <= now.squares))
            break;
        log_a += part * change_a;
        b += part * change_b;
        double fell = now.squares - next.squares;
        now = next;
        if (fell <= OBSERVE_SETTLED * now.squares)
            break;
    }
    out->log_a[horizon] = log_a;
    out->b[horizon] = b;
}

void flow_observe(const struct flow_rows *self, const double *log, const double *weights,
                  struct flow_observation *out)
{
    *out = flow_observation_complete;
    for (int horizon = 0; horizon < FLOW_HORIZONS; horizon++)
        observe_horizon(self, horizon, log, weights, out);
}

double flow_expected_log(const struct flow_rows *self, size_t row, double log,
                         const struct flow_observation *observation, double *out_share)
{
    const struct flow_row *item = &self->items[row];
    double share, scaled = log;
    if (!self->assets[item->asset].complete)
        scaled = observation->log_a[item->horizon] + observation->b[item->horizon] * log;
    return expected(item, scaled, out_share != NULL ? out_share : &share);
}
