#include "sim/study/calibrate_draws.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/study/resample.h"

enum { GAUSS_NEWTON_STEPS = 6 };

struct drawing {
    const struct calibrate_plan *plan;
    const struct flow_rows *rows;
    const double *unit, *log, *slope, *weights;
    size_t *day; /* per row: index among the days */
    size_t days;
    uint32_t *times; /* per day: in the resample */
    double *weight;  /* per row: in the resample */
    double *moved;   /* per row: the model's logarithm at the step */
};

/* ---- days ------------------------------------------------------------------------------- */

static int64_t day_of(const struct flow_row *row)
{
    int64_t day = row->from_ms / CALENDAR_DAY_MS;
    return row->from_ms % CALENDAR_DAY_MS < 0 ? day - 1 : day;
}

static bool is_seen(const int64_t *seen, size_t count, int64_t day)
{
    for (size_t i = 0; i < count; i++)
        if (seen[i] == day)
            return true;
    return false;
}

/* Days in the order of time: blocks are of neighbours. */
static int number_days(struct drawing *self, struct error *err)
{
    int64_t *seen = memory_alloc(self->rows->count, sizeof *seen);
    size_t count = 0;
    if (seen == NULL)
        return error_memory(err, "numbering days");
    for (size_t r = 0; r < self->rows->count; r++) {
        int64_t day = day_of(&self->rows->items[r]);
        if (!is_seen(seen, count, day))
            seen[count++] = day;
    }
    for (size_t r = 0; r < self->rows->count; r++) {
        int64_t day = day_of(&self->rows->items[r]);
        self->day[r] = 0;
        for (size_t i = 0; i < count; i++)
            self->day[r] += seen[i] < day;
    }
    self->days = count;
    memory_free(seen);
    return ERROR_NONE;
}

/* Blocks of neighbouring days, the last followed by the first, until there are as many days. */
static void draw_days(struct drawing *self, const struct random_stream *stream, size_t resample)
{
    size_t length = (size_t)(self->plan->block_ms / CALENDAR_DAY_MS);
    length = length < 1 ? 1 : length;
    memset(self->times, 0, self->days * sizeof *self->times);
    for (size_t drawn = 0; drawn < self->days; drawn += length) {
        struct random_block block =
            random_block_at(stream, (uint32_t)resample, (uint32_t)(drawn / length));
        size_t first = (size_t)(((uint64_t)block.word[0] * self->days) >> 32);
        for (size_t k = 0; k < length && drawn + k < self->days; k++)
            self->times[(first + k) % self->days]++;
    }
    for (size_t r = 0; r < self->rows->count; r++)
        self->weight[r] = self->weights[r] * self->times[self->day[r]];
}

/* ---- a step ----------------------------------------------------------------------------- */

struct normal {
    double matrix[FLOW_PARAMETERS_MAX][FLOW_PARAMETERS_MAX], right[FLOW_PARAMETERS_MAX];
};

/* Whether the level of a row's horizon is fitted. */
static bool is_free(const struct drawing *self, size_t r)
{
    return !self->rows->assets[self->rows->items[r].asset].complete;
}

/* One row as a linear equation in the step: what a and b may take away of it is left in `levels`.
 */
struct equation {
    double column[FLOW_PARAMETERS_MAX + 1]; /* slopes, and the right side last */
    double levels[2];                       /* of ln a and of b; 0 where they are not free */
};

static struct equation equation_of(const struct drawing *self, size_t r, const double *step,
                                   const struct flow_observation *observed)
{
    size_t count = self->plan->parameter_count, rows = self->rows->count;
    const struct flow_row *row = &self->rows->items[r];
    double share, b = is_free(self, r) ? observed->b[row->horizon] : 1.0;
    double at = flow_expected_log(self->rows, r, self->moved[r], observed, &share);
    struct equation out = {.levels = {0.0, 0.0}};
    out.column[count] = flow_reported_log(row) - at;
    for (size_t p = 0; p < count; p++) {
        out.column[p] = share * b * self->slope[p * rows + r];
        out.column[count] += out.column[p] * step[p];
    }
    if (is_free(self, r)) {
        out.levels[0] = share;
        if (b > FLOW_OBSERVATION_LOW && b < FLOW_OBSERVATION_HIGH)
            out.levels[1] = share * self->moved[r];
    }
    return out;
}

/* How much of each column a and b of a horizon take: coefficients of a weighted regression. */
static void take_levels(const struct drawing *self, int horizon, const double *step,
                        const struct flow_observation *observed,
                        double out[2][FLOW_PARAMETERS_MAX + 1])
{
    size_t count = self->plan->parameter_count;
    double gram[3] = {0.0}, cross[2][FLOW_PARAMETERS_MAX + 1] = {{0.0}};
    for (size_t r = 0; r < self->rows->count; r++) {
        if (self->rows->items[r].horizon != horizon || !is_free(self, r))
            continue;
        const struct equation row = equation_of(self, r, step, observed);
        double w = self->weight[r];
        gram[0] += w * row.levels[0] * row.levels[0];
        gram[1] += w * row.levels[0] * row.levels[1];
        gram[2] += w * row.levels[1] * row.levels[1];
        for (size_t p = 0; p <= count; p++)
            for (int k = 0; k < 2; k++)
                cross[k][p] += w * row.levels[k] * row.column[p];
    }
    double determinant = gram[0] * gram[2] - gram[1] * gram[1];
    bool both = determinant > 1e-12 * gram[0] * gram[2];
    for (size_t p = 0; p <= count; p++) {
        out[1][p] = both ? (gram[0] * cross[1][p] - gram[1] * cross[0][p]) / determinant : 0.0;
        out[0][p] = gram[0] > 0.0 ? (cross[0][p] - gram[1] * out[1][p]) / gram[0] : 0.0;
    }
}

static void make_normal(const struct drawing *self, const double *step,
                        const struct flow_observation *observed, struct normal *out)
{
    size_t count = self->plan->parameter_count;
    double taken[FLOW_HORIZONS][2][FLOW_PARAMETERS_MAX + 1];
    memset(out, 0, sizeof *out);
    for (int horizon = 0; horizon < FLOW_HORIZONS; horizon++)
        take_levels(self, horizon, step, observed, taken[horizon]);
    for (size_t r = 0; r < self->rows->count; r++) {
        int horizon = self->rows->items[r].horizon;
        struct equation row = equation_of(self, r, step, observed);
        for (size_t p = 0; p <= count; p++)
            row.column[p] -=
                row.levels[0] * taken[horizon][0][p] + row.levels[1] * taken[horizon][1][p];
        for (size_t p = 0; p < count; p++) {
            out->right[p] += self->weight[r] * row.column[p] * row.column[count];
            for (size_t q = 0; q < count; q++)
                out->matrix[p][q] += self->weight[r] * row.column[p] * row.column[q];
        }
    }
}

/* Gauss with pivots over the coordinates that are not held; a held one stands at its value. */
static void solve_free(struct normal work, size_t count, const bool *held, double *step)
{
    size_t order[FLOW_PARAMETERS_MAX], free_count = 0;
    for (size_t p = 0; p < count; p++) {
        if (!held[p])
            order[free_count++] = p;
        for (size_t q = 0; q < count && held[p]; q++)
            work.right[q] -= work.matrix[q][p] * step[p];
    }
    /* Coordinates that nothing tells apart stay where they are. */
    for (size_t i = 0; i < free_count; i++)
        work.matrix[order[i]][order[i]] += 1e-9 * work.matrix[order[i]][order[i]] + 1e-12;
    for (size_t i = 0; i < free_count; i++)
        for (size_t k = i + 1; k < free_count; k++) {
            size_t p = order[i], q = order[k];
            double factor = work.matrix[q][p] / work.matrix[p][p];
            for (size_t m = 0; m < free_count; m++)
                work.matrix[q][order[m]] -= factor * work.matrix[p][order[m]];
            work.right[q] -= factor * work.right[p];
        }
    for (size_t i = free_count; i-- > 0;) {
        size_t p = order[i];
        double sum = work.right[p];
        for (size_t k = i + 1; k < free_count; k++)
            sum -= work.matrix[p][order[k]] * step[order[k]];
        step[p] = sum / work.matrix[p][p];
    }
}

/* The step within the unit cube: what leaves it most is held at its face, one after another. */
static void solve_boxed(const struct drawing *self, const struct normal *normal, double *step)
{
    size_t count = self->plan->parameter_count;
    bool held[FLOW_PARAMETERS_MAX] = {false};
    for (size_t round = 0; round <= count; round++) {
        size_t worst = count;
        double most = 1e-12;
        solve_free(*normal, count, held, step);
        for (size_t p = 0; p < count; p++) {
            double place = self->unit[p] + step[p];
            double beyond = fmax(-place, place - 1.0);
            if (!held[p] && beyond > most) {
                most = beyond;
                worst = p;
            }
        }
        if (worst == count)
            return;
        held[worst] = true;
        step[worst] = (self->unit[worst] + step[worst] < 0.0 ? 0.0 : 1.0) - self->unit[worst];
    }
}

/* ---- a resample ------------------------------------------------------------------------- */

/* The step from the optimum that fits the rows as they are weighted, and the observation there. */
static void refit(struct drawing *self, double *out_step, struct flow_observation *out_observed)
{
    size_t count = self->plan->parameter_count, rows = self->rows->count;
    memset(out_step, 0, count * sizeof *out_step);
    memcpy(self->moved, self->log, rows * sizeof *self->moved);
    flow_observe(self->rows, self->moved, self->weight, out_observed);
    for (int i = 0; i < GAUSS_NEWTON_STEPS; i++) {
        struct normal normal;
        make_normal(self, out_step, out_observed, &normal);
        solve_boxed(self, &normal, out_step);
        memcpy(self->moved, self->log, rows * sizeof *self->moved);
        for (size_t p = 0; p < count; p++)
            for (size_t r = 0; r < rows; r++)
                self->moved[r] += out_step[p] * self->slope[p * rows + r];
        flow_observe(self->rows, self->moved, self->weight, out_observed);
    }
}

/* Few blocks say less than their own scatter shows: as of a mean of n values with p parameters. */
static double widening(const struct drawing *self)
{
    int64_t days = self->plan->block_ms / CALENDAR_DAY_MS;
    double length = days > 1 ? (double)days : 1.0;
    double blocks = ceil((double)self->days / length), p = (double)self->plan->parameter_count;
    double upper = 0.5 * (1.0 + self->plan->level);
    if (!(blocks - p > 1.0))
        return INFINITY;
    return sqrt(blocks / (blocks - p)) * gsl_cdf_tdist_Pinv(upper, blocks - p) /
           gsl_cdf_ugaussian_Pinv(upper);
}

static void resample_all(struct drawing *self, struct calibrate_fit *fit)
{
    struct random_stream stream = random_stream_make(self->plan->seed, 0, "calibrate.days");
    double own[FLOW_PARAMETERS_MAX], wide = widening(self);
    struct flow_observation observed;
    size_t count = self->plan->parameter_count;
    memcpy(self->weight, self->weights, self->rows->count * sizeof *self->weight);
    refit(self, own, &observed);
    for (size_t d = 0; d < fit->draws; d++) {
        double step[FLOW_PARAMETERS_MAX];
        draw_days(self, &stream, d);
        refit(self, step, &fit->draw_observation[d]);
        for (size_t p = 0; p < count; p++) {
            double moved = step[p] - own[p];
            double place = self->unit[p] + (moved != 0.0 ? wide * moved : 0.0);
            fit->draw_theta[d * count + p] =
                calibrate_value(&self->plan->parameters[p], fmin(fmax(place, 0.0), 1.0));
        }
    }
}

static int make_intervals(struct calibrate_fit *fit, double level, struct error *err)
{
    double *values = memory_alloc(fit->draws, sizeof *values);
    if (values == NULL)
        return error_memory(err, "sorting draws");
    for (size_t p = 0; p < fit->parameter_count; p++) {
        for (size_t d = 0; d < fit->draws; d++)
            values[d] = fit->draw_theta[d * fit->parameter_count + p];
        resample_interval(values, fit->draws, level, &fit->low[p], &fit->high[p]);
    }
    memory_free(values);
    return ERROR_NONE;
}

static bool alloc_drawing(struct drawing *self, struct calibrate_fit *fit)
{
    size_t rows = self->rows->count;
    fit->draws = self->plan->resamples;
    fit->draw_theta = memory_alloc(fit->draws * fit->parameter_count, sizeof *fit->draw_theta);
    fit->draw_observation = memory_alloc(fit->draws, sizeof *fit->draw_observation);
    self->day = memory_alloc(rows, sizeof *self->day);
    self->times = memory_alloc(rows, sizeof *self->times);
    self->weight = memory_alloc(rows, sizeof *self->weight);
    self->moved = memory_alloc(rows, sizeof *self->moved);
    return fit->draw_theta != NULL && fit->draw_observation != NULL && self->day != NULL &&
           self->times != NULL && self->weight != NULL && self->moved != NULL;
}

int calibrate_draws(struct calibrate_fit *fit, const struct calibrate_plan *plan,
                    const struct flow_rows *rows, const double *unit, const double *log,
                    const double *slope, const double *weights, struct error *err)
{
    struct drawing self = {
        .plan = plan, .rows = rows, .unit = unit, .log = log, .slope = slope, .weights = weights};
    int code = ERROR_NONE;
    if (!alloc_drawing(&self, fit))
        code = error_memory(err, "drawing days");
    if (code == ERROR_NONE)
        code = number_days(&self, err);
    if (code == ERROR_NONE) {
        resample_all(&self, fit);
        code = make_intervals(fit, plan->level, err);
    }
    memory_free(self.day);
    memory_free(self.times);
    memory_free(self.weight);
    memory_free(self.moved);
    return code;
}
