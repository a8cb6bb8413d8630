#include <math.h>
#include <string.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/study/backtest_parts.h"
#include "sim/study/exceedance.h"
#include "sim/study/scores.h"

/* Own priors: which intervals count as the largest, and the quantile whose exceedances are
   tested. */
enum { LARGEST_LEAST = 5, LARGEST_PART = 5 };
static const double UPPER = 0.95;

enum better { BETTER_LOW, BETTER_HIGH, BETTER_NEITHER };

/* The tested intervals of a panel. */
struct scoring {
    const struct backtest_state *state;
    const struct panel *panel;
    size_t first, count;
    double *reported, *predicted, *third; /* scratch, 2 * count each */
    double *total;                        /* reported, both sides: per interval of the panel */
    struct error *err;
};

/* ---- totals and samples ----------------------------------------------------------------- */

static double floored_log(const struct panel *panel, double amount)
{
    return log(fmax(amount, panel->floor));
}

static double total_of(double *const sides[2], size_t i)
{
    return sides[0][i] + sides[1][i];
}

/* What draw `d` expects the feed to report of an interval, both sides. */
static double drawn_total(const struct backtest_state *state, const struct flow_row *row, size_t d)
{
    const struct flow_rows *rows = &state->test_rows;
    size_t first = (size_t)(row - rows->items);
    double total = 0.0;
    for (size_t r = first; r < first + 2; r++) {
        double log_flow = state->draw_log[d * rows->count + r];
        double usd =
            exp(flow_expected_log(rows, r, log_flow, &state->fit.draw_observation[d], NULL)) -
            rows->items[r].floor_usd;
        total += fmax(usd, 0.0) / rows->items[r].oi_usd;
    }
    return total;
}

void backtest_sample(const struct backtest_state *state, const struct panel *panel, size_t i,
                     double *out)
{
    struct random_stream stream = random_stream_make(state->backtest->calibration->plan.seed,
                                                     (uint32_t)panel->horizon, "backtest.errors");
    for (size_t d = 0; d < state->fit.draws; d++) {
        struct random_block block = random_block_at(&stream, (uint32_t)i, (uint32_t)d);
        size_t k = (size_t)(((uint64_t)block.word[0] * panel->fitted) >> 32);
        double error = floored_log(panel, total_of(panel->reported, k)) -
                       floored_log(panel, total_of(panel->predicted[PANEL_MODEL], k));
        out[d] = floored_log(panel, drawn_total(state, panel->rows[i], d)) + error;
    }
    gsl_sort(out, 1, state->fit.draws);
}

/* ---- a metric --------------------------------------------------------------------------- */

static double skill_of(const double *value, enum better better)
{
    double oi = value[PANEL_OI_NULL], volume = value[PANEL_VOLUME_NULL];
    if (better == BETTER_LOW)
        return 1.0 - value[PANEL_MODEL] / fmin(oi, volume);
    return better == BETTER_HIGH ? value[PANEL_MODEL] - fmax(oi, volume) : NAN;
}

static int add(const struct scoring *self, const char *metric, const double *value, enum better better,
               size_t count)
{
    static char names[FLOW_HORIZONS][4] = {"bar", "day"};
    struct backtest_score score = {
        .split = self->state->split->name,
        .horizon = names[self->panel->horizon],
        .metric = metric,
        .skill = skill_of(value, better),
        .count = (int64_t)count,
    };
    memcpy(score.value, value, sizeof score.value);
    return backtest_add_score(self->state->backtest, &score, self->err);
}

static void fill_nan(double *value)
{
    for (int rival = 0; rival < PANEL_RIVALS; rival++)
        value[rival] = NAN;
}

/* Sides one after the other. */
static void stack(const struct scoring *self, double *const sides[2], double *out)
{
    for (size_t side = 0; side < 2; side++)
        memcpy(&out[side * self->count], &sides[side][self->first], self->count * sizeof *out);
}

static bool is_known(const struct scoring *self, int rival)
{
    return !isnan(self->panel->predicted[rival][0][self->first]);
}

/* ---- logarithms and ranks --------------------------------------------------------------- */

static double training_mean(const struct scoring *self)
{
    const struct panel *panel = self->panel;
    double sum = 0.0;
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < panel->fitted; i++)
            sum += floored_log(panel, panel->reported[side][i]);
    return sum / (2.0 * (double)panel->fitted);
}

static int score_sides(struct scoring *self)
{
    double r2[PANEL_RIVALS], rank[PANEL_RIVALS], mean = training_mean(self);
    size_t count = 2 * self->count;
    int code = ERROR_NONE;
    fill_nan(r2);
    fill_nan(rank);
    stack(self, self->panel->reported, self->reported);
    for (int rival = 0; rival < PANEL_RIVALS && code == ERROR_NONE; rival++) {
        struct scores_r2 got;
        if (!is_known(self, rival))
            continue;
        stack(self, self->panel->predicted[rival], self->predicted);
        code = scores_log_r2(self->predicted, self->reported, count, self->panel->floor, mean, &got,
                             self->err);
        if (code == ERROR_NONE)
            code = scores_rank_correlation(self->predicted, self->reported, count, &rank[rival],
                                           self->err);
        r2[rival] = code == ERROR_NONE ? got.r2 : NAN;
    }
    if (code == ERROR_NONE)
        code = add(self, (char *)"log_r2", r2, BETTER_HIGH, count);
    return code == ERROR_NONE ? add(self, (char *)"rank_correlation", rank, BETTER_HIGH, count)
                              : code;
}

/* ---- totals ----------------------------------------------------------------------------- */

/* The total from which on an interval is one of the largest. */
static double largest_from(struct scoring *self, size_t *out_count)
{
    size_t part = self->count / LARGEST_PART;
    *out_count = part > LARGEST_LEAST ? part : LARGEST_LEAST;
    *out_count = *out_count < self->count ? *out_count : self->count;
    memcpy(self->third, &self->total[self->first], self->count * sizeof *self->third);
    gsl_sort(self->third, 1, self->count);
    return self->third[self->count - *out_count];
}

/* Errors of the intervals whose total is at least `from`. */
static int score_totals(struct scoring *self, char *metric, double from)
{
    double value[PANEL_RIVALS];
    size_t used = 0;
    fill_nan(value);
    for (int rival = 0; rival < PANEL_RIVALS; rival++) {
        struct scores_logs logs;
        used = 0;
        for (size_t i = self->first; i < self->panel->count; i++)
            if (self->total[i] >= from) {
                self->reported[used] = self->total[i];
                self->predicted[used++] = total_of(self->panel->predicted[rival], i);
            }
        int code = scores_log_errors(self->predicted, self->reported, self->reported, used,
                                     self->panel->floor, &logs, self->err);
        if (code != ERROR_NONE)
            return code;
        value[rival] = logs.median_abs;
    }
    return add(self, metric, value, BETTER_LOW, used);
}

static int score_shares(struct scoring *self)
{
    double value[PANEL_RIVALS];
    size_t used = 0;
    for (int rival = 0; rival < PANEL_RIVALS; rival++) {
        double *const *side = self->panel->predicted[rival];
        used = 0;
        for (size_t i = self->first; i < self->panel->count; i++) {
            if (!(self->total[i] > self->panel->floor))
                continue;
            self->reported[used] =
                scores_share(self->panel->reported[0][i], self->panel->reported[1][i]);
            self->predicted[used++] = scores_share(side[0][i], side[1][i]);
        }
        value[rival] =
            scores_mean_abs_error(self->predicted, self->reported, self->reported, used, NULL);
    }
    return add(self, (char *)"long_share_mae", value, BETTER_LOW, used);
}

/* ---- comparisons ------------------------------------------------------------------------ */

/* Squared errors of logarithms of an interval, both sides. */
static double loss_of(const struct panel *panel, int rival, size_t i)
{
    double loss = 0.0;
    for (size_t side = 0; side < 2; side++) {
        double gap = floored_log(panel, panel->predicted[rival][side][i]) -
                     floored_log(panel, panel->reported[side][i]);
        loss += gap * gap;
    }
    return loss;
}

/* Losses by time, summed over assets: they share the shocks of an hour. The first asset says which
   times there are. Returns how many. */
static size_t losses(const struct scoring *self, int rival, double *out)
{
    const struct panel *panel = self->panel;
    const struct flow_row *const *rows = panel->rows + self->first;
    size_t times = 0;
    while (times < self->count && rows[times]->asset == rows[0]->asset)
        times++;
    memset(out, 0, times * sizeof *out);
    for (size_t i = 0, k = 0; i < self->count; i++) {
        if (i > 0 && rows[i]->asset != rows[i - 1]->asset)
            k = 0;
        while (k < times && rows[k]->from_ms < rows[i]->from_ms)
            k++;
        if (k < times && rows[k]->from_ms == rows[i]->from_ms)
            out[k] += loss_of(panel, rival, self->first + i);
    }
    return times;
}

static int compare_with(struct scoring *self, char *metric, int other)
{
    double value[PANEL_RIVALS];
    size_t lags, count = 0;
    fill_nan(value);
    for (int rival = 0; rival < PANEL_RIVALS; rival++) {
        struct scores_comparison got;
        if (rival == other || !is_known(self, rival) || !is_known(self, other))
            continue;
        count = losses(self, rival, self->predicted);
        losses(self, other, self->reported);
        lags = scores_lags(count, 1);
        /* What is missed within a day hangs together. */
        size_t day =
            (size_t)(CALENDAR_DAY_MS / ((int64_t)self->panel->rows[0]->bars *
                                        self->state->backtest->calibration->assets[0].step_ms));
        lags = lags > day ? lags : day;
        int code = scores_compare(self->predicted, self->reported, count, 1,
                                  lags < count ? lags : count - 1, &got, self->err);
        if (code != ERROR_NONE)
            return code;
        value[rival] = got.t;
    }
    return add(self, metric, value, BETTER_NEITHER, count);
}

/* ---- quantiles -------------------------------------------------------------------------- */

static int score_quantiles(struct scoring *self)
{
    size_t draws = self->state->fit.draws, test = self->count;
    double *sample = memory_alloc(draws, sizeof *sample);
    unsigned char *exceeded = memory_alloc(test, 1);
    double crps = 0.0, pinball = 0.0, value[PANEL_RIVALS];
    struct exceedance exceedance;
    int code = sample == NULL || exceeded == NULL ? error_memory(self->err, "scoring") : ERROR_NONE;
    for (size_t i = 0; i < test && code == ERROR_NONE; i++) {
        double one, observed = floored_log(self->panel, self->total[self->first + i]);
        backtest_sample(self->state, self->panel, self->first + i, sample);
        double upper = gsl_stats_quantile_from_sorted_data(sample, 1, draws, UPPER);
        code = scores_crps_sample(sample, draws, observed, SCORES_CRPS_ORDINARY, &one, self->err);
        crps += one / (double)test;
        pinball += scores_pinball(observed, upper, UPPER) / (double)test;
        exceeded[i] = observed > upper;
    }
    if (code == ERROR_NONE)
        exceedance_test(exceeded, test, 1.0 - UPPER, &exceedance);
    const struct {
        const char *metric;
        double value;
    } list[] = {
        {"crps_log", crps},
        {"pinball_95_log", pinball},
        {"above_q95", code == ERROR_NONE ? exceedance.share : NAN},
        {"kupiec_p", code == ERROR_NONE ? exceedance.kupiec_p : NAN},
        {"christoffersen_p", code == ERROR_NONE ? exceedance.clustering_p : NAN},
    };
    for (size_t k = 0; k < sizeof list / sizeof *list && code == ERROR_NONE; k++) {
        fill_nan(value);
        value[PANEL_MODEL] = list[k].value;
        code = add(self, (char *)list[k].metric, value, BETTER_NEITHER, test);
    }
    memory_free(sample);
    memory_free(exceeded);
    return code;
}

/* ---- a panel ---------------------------------------------------------------------------- */

static int score_all(struct scoring *self)
{
    size_t largest;
    int code = score_sides(self);
    if (code == ERROR_NONE)
        code = score_totals(self, (char *)"median_abs_log_error", 0.0);
    if (code == ERROR_NONE)
        code = score_totals(self, (char *)"median_abs_log_error_largest",
                            largest_from(self, &largest));
    if (code == ERROR_NONE)
        code = score_shares(self);
    if (code == ERROR_NONE && self->count > 2)
        code = compare_with(self, (char *)"diebold_mariano_t_volume", PANEL_VOLUME);
    if (code == ERROR_NONE && self->count > 2)
        code = compare_with(self, (char *)"diebold_mariano_t_nulls", PANEL_NULLS);
    return code == ERROR_NONE ? score_quantiles(self) : code;
}

int backtest_score_panel(const struct backtest_state *state, const struct panel *panel,
                         struct error *err)
{
    struct scoring self = {.state = state,
                           .panel = panel,
                           .first = panel->fitted,
                           .count = panel->count - panel->fitted,
                           .err = err};
    double *memory = memory_alloc(6 * self.count + panel->count, sizeof *memory);
    if (memory == NULL)
        return error_memory(err, "scoring");
    self.reported = memory;
    self.predicted = memory + 2 * self.count;
    self.third = memory + 4 * self.count;
    self.total = memory + 6 * self.count;
    for (size_t i = 0; i < panel->count; i++)
        self.total[i] = total_of(panel->reported, i);
    int code = score_all(&self);
    memory_free(memory);
    return code;
}

/* ---- days ------------------------------------------------------------------------------- */

static double absolute_log_error(const struct panel *panel, double predicted, double observed)
{
    return fabs(floored_log(panel, predicted) - floored_log(panel, observed));
}

static void fill_quantiles(const struct backtest_state *state, const struct panel *panel, size_t i,
                           double *sample, struct backtest_row *out)
{
    const struct {
        double level, *place;
    } quantiles[] = {{0.05, &out->q05},
                     {0.25, &out->q25},
                     {0.5, &out->q50},
                     {0.75, &out->q75},
                     {0.95, &out->q95}};
    double oi = panel->rows[i]->oi_usd;
    backtest_sample(state, panel, i, sample);
    for (size_t k = 0; k < sizeof quantiles / sizeof *quantiles; k++)
        *quantiles[k].place = oi * exp(gsl_stats_quantile_from_sorted_data(
                                       sample, 1, state->fit.draws, quantiles[k].level));
}

static struct backtest_row day_row(const struct backtest_state *state, const struct panel *panel,
                                   size_t i, const char *metric)
{
    static char observed[] = "observed";
    const struct flow_row *row = panel->rows[i];
    return (struct backtest_row){
        .event = state->split->name,
        .asset = (char *)state->backtest->calibration->assets[row->asset].name,
        .time_ms = row->from_ms,
        .metric = (char *)metric,
        .q05 = NAN,
        .q25 = NAN,
        .q50 = NAN,
        .q75 = NAN,
        .q95 = NAN,
        .data_kind = observed,
    };
}

/* A day's flow of longs, of shorts, or of both (side 2), in USD. */
static double flow_of(double *const sides[2], size_t i, int side)
{
    return side < 2 ? sides[side][i] : total_of(sides, i);
}

static int list_flow(const struct backtest_state *state, const struct panel *panel, size_t i,
                     int side, double *sample, struct error *err)
{
    static const char *const names[] = {"liquidated_long_usd", "liquidated_short_usd",
                                        "liquidated_usd"};
    struct backtest_row row = day_row(state, panel, i, names[side]);
    double oi = panel->rows[i]->oi_usd, observed = flow_of(panel->reported, i, side);
    row.observed_lo = row.observed_hi = oi * observed;
    for (int rival = 0; rival < PANEL_RIVALS; rival++)
        row.value[rival] = oi * flow_of(panel->predicted[rival], i, side);
    int null = isnan(row.value[PANEL_VOLUME_NULL]) ? PANEL_OI_NULL : PANEL_VOLUME_NULL;
    row.skill = absolute_log_error(panel, row.value[null] / oi, observed) -
                absolute_log_error(panel, row.value[PANEL_MODEL] / oi, observed);
    if (side == 2)
        fill_quantiles(state, panel, i, sample, &row);
    return backtest_add_row(state->backtest, &row, err);
}

static int list_share(const struct backtest_state *state, const struct panel *panel, size_t i,
                      struct error *err)
{
    struct backtest_row row = day_row(state, panel, i, "long_share");
    double observed = scores_share(panel->reported[0][i], panel->reported[1][i]);
    row.observed_lo = row.observed_hi = observed;
    for (int rival = 0; rival < PANEL_RIVALS; rival++)
        row.value[rival] =
            scores_share(panel->predicted[rival][0][i], panel->predicted[rival][1][i]);
    int null = isnan(row.value[PANEL_VOLUME_NULL]) ? PANEL_OI_NULL : PANEL_VOLUME_NULL;
    row.skill = fabs(row.value[null] - observed) - fabs(row.value[PANEL_MODEL] - observed);
    return backtest_add_row(state->backtest, &row, err);
}

int backtest_list_days(const struct backtest_state *state, const struct panel *panel,
                       struct error *err)
{
    double *sample = memory_alloc(state->fit.draws, sizeof *sample);
    int code = sample == NULL ? error_memory(err, "listing days") : ERROR_NONE;
    for (size_t i = panel->fitted; i < panel->count && code == ERROR_NONE; i++) {
        code = list_flow(state, panel, i, 2, sample, err);
        for (int side = 0; side < 2 && code == ERROR_NONE; side++)
            code = list_flow(state, panel, i, side, sample, err);
        if (code == ERROR_NONE)
            code = list_share(state, panel, i, err);
    }
    memory_free(sample);
    return code;
}
