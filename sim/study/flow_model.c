#include "sim/study/flow_model.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"

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
static bool fill_row(const struct flow_asset *asset, struct flow_row *row, double floor_share)
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
    row->floor_usd = floor_share * row->oi_usd * (double)row->bars * (double)asset->step_ms /
                     (double)CALENDAR_HOUR_MS;
    double open = asset->open[row->bar];
    row->adverse = fmax(row->side == 0 ? (open - worst) / open : (worst - open) / open, 0.0);
    return isfinite(row->reported_usd) && row->oi_usd > 0.0;
}

static void add_interval(struct flow_rows *self, const struct flow_window *window, int horizon,
                         int64_t from_ms, double floor_share)
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
        if (!fill_row(asset, row, floor_share))
            return;
    }
    self->count += 2;
}

static void add_window(struct flow_rows *self, const struct flow_window *window, int horizon,
                       double floor_share)
{
    const struct flow_asset *asset = &self->assets[window->asset];
    int64_t length = horizon_ms(asset, horizon);
    int64_t end = asset->start_ms + (int64_t)asset->bars * asset->step_ms;
    int64_t from = window->from_ms > asset->start_ms ? window->from_ms : asset->start_ms;
    int64_t to = window->to_ms < end ? window->to_ms : end;
    if (!has_horizon(asset, horizon))
        return;
    for (int64_t time = first_start(from, length); time + length <= to; time += length)
        add_interval(self, window, horizon, time, floor_share);
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
                   const struct flow_window *windows, size_t window_count, double floor_share,
                   struct error *err)
{
    *self = (struct flow_rows){.assets = assets, .asset_count = asset_count};
    int code = alloc_rows(self, most_rows(assets, windows, window_count), err);
    if (code != ERROR_NONE)
        return code;
    for (size_t w = 0; w < window_count; w++)
        for (int horizon = 0; horizon < FLOW_HORIZONS; horizon++)
            add_window(self, &windows[w], horizon, floor_share);
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
        double usd = row->floor_usd;
        if (row->asset != a)
            continue;
        for (size_t i = row->bar; i < row->bar + row->bars; i++)
            usd += self->coins[row->side][i] * asset->close[i];
        if (!(usd >= row->floor_usd) || !isfinite(usd))
            return error_set(err, ERROR_NUMERICAL, "%s: a modelled flow is negative or no number",
                             asset->name);
        out_log[r] = log(usd);
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

/* Weighted sums of a regression of y on x. */
struct sums {
    double w, x, y, xx, xy;
};

static void observe_horizon(const struct flow_rows *self, int horizon, const double *log,
                            const double *weights, struct flow_observation *out)
{
    struct sums s = {0};
    for (size_t r = 0; r < self->count; r++) {
        const struct flow_row *row = &self->items[r];
        double w = weights[r], x = log[r];
        if (row->horizon != horizon || self->assets[row->asset].complete)
            continue;
        double y = flow_reported_log(row);
        s.w += w, s.x += w * x, s.y += w * y, s.xx += w * x * x, s.xy += w * x * y;
    }
    if (!(s.w > 0.0))
        return;
    double variance = s.xx - s.x * s.x / s.w;
    double b = variance > 0.0 ? (s.xy - s.x * s.y / s.w) / variance : FLOW_OBSERVATION_HIGH;
    out->b[horizon] = fmin(fmax(b, FLOW_OBSERVATION_LOW), FLOW_OBSERVATION_HIGH);
    out->log_a[horizon] = (s.y - out->b[horizon] * s.x) / s.w;
}

void flow_observe(const struct flow_rows *self, const double *log, const double *weights,
                  struct flow_observation *out)
{
    *out = flow_observation_complete;
    for (int horizon = 0; horizon < FLOW_HORIZONS; horizon++)
        observe_horizon(self, horizon, log, weights, out);
}

double flow_expected_log(const struct flow_rows *self, size_t row, double log,
                         const struct flow_observation *observation)
{
    int horizon = self->items[row].horizon;
    if (self->assets[self->items[row].asset].complete)
        return log;
    return observation->log_a[horizon] + observation->b[horizon] * log;
}
