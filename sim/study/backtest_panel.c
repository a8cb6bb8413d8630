#include "sim/study/backtest_panel.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sim/study/nulls.h"

/* Own prior: about one tick of the spread, less than the way to any liquidation price. */
static const double ADVERSE_FLOOR = 1e-4;

const char *const panel_rival_names[PANEL_RIVALS] = {
    "model",  "open_loop",         "oi_null", "volume_null",
    "volume", "volume_with_model", "nulls",   "nulls_with_model",
};

/* ---- intervals -------------------------------------------------------------------------- */

static size_t count_pairs(const struct flow_rows *rows, int horizon)
{
    size_t count = 0;
    for (size_t r = 0; r < rows->count; r += 2)
        count += rows->items[r].horizon == horizon;
    return count;
}

static int alloc_panel(struct panel *self, struct error *err)
{
    size_t n = self->count, arrays = 2 + 2 * PANEL_RIVALS + 5;
    double **const singles[] = {&self->open, &self->high, &self->low, &self->oi, &self->volume};
    self->rows = memory_alloc(n, sizeof(void *));
    self->training = memory_alloc(n, 1);
    self->memory = memory_alloc(n * arrays, sizeof *self->memory);
    if (self->rows == NULL || self->training == NULL || self->memory == NULL)
        return error_memory(err, "laying out a backtest");
    double *next = self->memory;
    for (size_t i = 0; i < n * arrays; i++)
        next[i] = NAN;
    for (int side = 0; side < 2; side++, next += n)
        self->reported[side] = next;
    for (int rival = 0; rival < PANEL_RIVALS; rival++)
        for (int side = 0; side < 2; side++, next += n)
            self->predicted[rival][side] = next;
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++, next += n)
        *singles[i] = next;
    return ERROR_NONE;
}

/* What the feed is expected to report of a row, as a share of open interest. */
static double expected_share(const struct flow_rows *rows, size_t r, double log,
                             const struct flow_observation *observation)
{
    const struct flow_row *row = &rows->items[r];
    double usd = exp(flow_expected_log(rows, r, log, observation, NULL)) - row->floor_usd;
    return fmax(usd, 0.0) / row->oi_usd;
}

static void fill_interval(struct panel *self, size_t i, const struct flow_rows *rows, size_t r,
                          const double *model_log, const struct panel_prediction *model,
                          const double *open_log, const struct panel_prediction *open_loop)
{
    const struct flow_row *row = &rows->items[r];
    self->rows[i] = row;
    for (size_t side = 0; side < 2; side++) {
        self->reported[side][i] = row[side].reported_usd / row[side].oi_usd;
        self->predicted[PANEL_MODEL][side][i] =
            expected_share(rows, r + side, model_log[r + side], model->observation);
        self->predicted[PANEL_OPEN_LOOP][side][i] =
            expected_share(rows, r + side, open_log[r + side], open_loop->observation);
    }
    self->open[i] = self->oi[i] = 1.0;
    self->low[i] = 1.0 - row[0].adverse;
    self->high[i] = 1.0 + row[1].adverse;
    self->volume[i] = row->volume_usd / row->oi_usd;
}

static void fill_set(struct panel *self, const struct flow_rows *rows, bool training,
                     const struct panel_prediction *model, const struct panel_prediction *open_loop)
{
    size_t at = training ? 0 : self->fitted;
    for (size_t r = 0; r < rows->count; r += 2) {
        if (rows->items[r].horizon != self->horizon)
            continue;
        self->training[at] = training;
        fill_interval(self, at++, rows, r, training ? model->fit_log : model->test_log, model,
                      training ? open_loop->fit_log : open_loop->test_log, open_loop);
    }
}

/* One floor for all: intervals are of one length. */
static int set_floor(struct panel *self, struct error *err)
{
    for (size_t i = 0; i < self->count; i++) {
        double floor = self->rows[i]->floor_usd / self->rows[i]->oi_usd;
        if (i == 0)
            self->floor = floor;
        if (fabs(floor / self->floor - 1.0) > 1e-9)
            return error_set(err, ERROR_DATA,
                             "the assets of a backtest have steps of different lengths; expected "
                             "one time.step");
    }
    return ERROR_NONE;
}

/* ---- nulls ------------------------------------------------------------------------------ */

static struct nulls_bars bars_of(const struct panel *self)
{
    return (struct nulls_bars){
        .count = self->count,
        .open = self->open,
        .high = self->high,
        .low = self->low,
        .oi = self->oi,
        .volume = self->volume,
        .flow = {self->reported[0], self->reported[1]},
    };
}

static int predict_null(struct panel *self, enum nulls_base base, int rival, struct error *err)
{
    const struct nulls_bars bars = bars_of(self);
    const struct nulls_floors floors = {self->floor, ADVERSE_FLOOR};
    struct nulls_power power;
    int code = nulls_power_fit(&bars, self->training, base, &floors, &power, err);
    if (code == ERROR_NONE)
        nulls_power_predict(&power, &bars, &floors, self->predicted[rival]);
    return code == ERROR_DATA ? ERROR_NONE : code; /* too few intervals: it has no prediction */
}

static int predict_regression(struct panel *self, const int *on, size_t count, int rival,
                              struct error *err)
{
    struct nulls_predictor predictors[NULLS_PREDICTORS_MAX];
    const double *const flow[] = {self->reported[0], self->reported[1]};
    struct nulls_regression regression;
    for (size_t k = 0; k < count; k++)
        predictors[k] = (struct nulls_predictor){
            {self->predicted[on[k]][0], self->predicted[on[k]][1]}, self->floor};
    int code = nulls_regression_fit(flow, self->count, self->training, self->floor, predictors,
                                    count, &regression, err);
    if (code == ERROR_NONE)
        nulls_regression_predict(&regression, self->count, predictors, self->predicted[rival]);
    return code == ERROR_DATA ? ERROR_NONE : code;
}

static bool has_volume(const struct panel *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!(self->volume[i] > 0.0))
            return false;
    return true;
}

static int predict_rivals(struct panel *self, struct error *err)
{
    static const int volume[] = {PANEL_VOLUME_NULL, PANEL_MODEL};
    static const int both[] = {PANEL_VOLUME_NULL, PANEL_OI_NULL, PANEL_MODEL};
    int code = predict_null(self, NULLS_OI, PANEL_OI_NULL, err);
    if (code != ERROR_NONE || !has_volume(self))
        return code;
    code = predict_null(self, NULLS_VOLUME, PANEL_VOLUME_NULL, err);
    if (code == ERROR_NONE)
        code = predict_regression(self, volume, 1, PANEL_VOLUME, err);
    if (code == ERROR_NONE)
        code = predict_regression(self, volume, 2, PANEL_VOLUME_WITH_MODEL, err);
    if (code == ERROR_NONE)
        code = predict_regression(self, both, 2, PANEL_NULLS, err);
    if (code == ERROR_NONE)
        code = predict_regression(self, both, 3, PANEL_NULLS_WITH_MODEL, err);
    return code;
}

/* ---- making ----------------------------------------------------------------------------- */

int panel_init(struct panel *self, int horizon, const struct flow_rows *fit,
               const struct flow_rows *test, const struct panel_prediction *model,
               const struct panel_prediction *open_loop, struct error *err)
{
    size_t fitted = count_pairs(fit, horizon), tested = count_pairs(test, horizon);
    *self = (struct panel){.horizon = horizon};
    if (fitted == 0 || tested == 0)
        return ERROR_NONE;
    self->fitted = fitted;
    self->count = fitted + tested;
    int code = alloc_panel(self, err);
    if (code == ERROR_NONE) {
        fill_set(self, fit, true, model, open_loop);
        fill_set(self, test, false, model, open_loop);
        code = set_floor(self, err);
    }
    if (code == ERROR_NONE)
        code = predict_rivals(self, err);
    if (code != ERROR_NONE)
        panel_free(self);
    return code;
}

void panel_free(struct panel *self)
{
    memory_free(self->rows);
    memory_free(self->training);
    memory_free(self->memory);
    memset(self, 0, sizeof *self);
}
