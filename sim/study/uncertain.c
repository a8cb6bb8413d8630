#include "sim/study/uncertain.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/value.h"
#include "sim/metrics.h"
#include "sim/study/indices.h"

/* ---- what is asked ---------------------------------------------------------------------- */

static int check(const struct scenario *scenario, struct error *err)
{
    size_t factors = scenario->uncertainty.parameter_count;
    if (factors == 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "uncertainty.parameters",
                        "is missing; expected priors such as {impact.gamma: {uniform: [0.5, "
                        "1.0]}}, whose weight is to be told");
    if (scenario->sensitivity.method == SENSITIVITY_SOBOL && factors > INDICES_FACTORS_MAX)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "uncertainty.parameters",
                        "has %zu parameters; expected at most %d factors, or sensitivity.method: "
                        "morris, which has no limit",
                        factors, INDICES_FACTORS_MAX);
    if (scenario->oi.level_count > 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "oi.levels_usd",
                        "are runs side by side; expected oi.level_usd, or a prior of it");
    return ERROR_NONE;
}

static int find_metrics(struct uncertain *self, struct error *err)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    char hint[VALUE_HINT_SIZE];
    for (size_t m = 0; m < scenario->sensitivity.metric_count; m++) {
        const char *name = scenario->sensitivity.metrics[m];
        size_t found = 0;
        while (found < self->output_count && strcmp(self->outputs[found], name) != 0)
            found++;
        if (found == self->output_count)
            return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "sensitivity.metrics",
                            "%s is no number of summary.csv; expected one, such as "
                            "liquidated_usd%s",
                            name, value_hint(name, self->outputs, self->output_count, hint));
        self->metrics[m] = found;
    }
    return ERROR_NONE;
}

/* ---- life ------------------------------------------------------------------------------- */

static int make(struct uncertain *self, struct error *err)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    int code = check(scenario, err);
    if (code != ERROR_NONE)
        return code;
    self->factor_count = scenario->uncertainty.parameter_count;
    self->output_count = evaluate_numbers();
    self->factors = memory_alloc(self->factor_count, sizeof *self->factors);
    self->outputs = memory_alloc(self->output_count, sizeof *self->outputs);
    self->metrics = memory_alloc(scenario->sensitivity.metric_count, sizeof *self->metrics);
    if (self->factors == NULL || self->outputs == NULL || self->metrics == NULL)
        return error_memory(err, "a sensitivity study");
    for (size_t i = 0; i < self->factor_count; i++)
        self->factors[i] = scenario->uncertainty.parameters[i].key;
    for (size_t i = 0; i < self->output_count; i++)
        self->outputs[i] = metrics_number_field(i)->name;
    return find_metrics(self, err);
}

int uncertain_init(struct uncertain *self, const char *path, const char *const *sets,
                   size_t set_count, int64_t seed, struct error_list *errors, struct error *err)
{
    memset(self, 0, sizeof *self);
    int code = evaluate_init(&self->evaluate, path, sets, set_count, seed, errors, err);
    if (code != ERROR_NONE)
        return code;
    code = make(self, err);
    if (code != ERROR_NONE)
        uncertain_free(self);
    return code;
}

void uncertain_free(struct uncertain *self)
{
    memory_free(self->factors);
    memory_free(self->outputs);
    memory_free(self->metrics);
    evaluate_free(&self->evaluate);
    memset(self, 0, sizeof *self);
}

/* ---- as a model ------------------------------------------------------------------------- */

static const char *value_at(void *context, size_t factor, double unit,
                            char buffer[SETTING_NUMBER_SIZE])
{
    const struct uncertain *self = context;
    return sweep_points_quantile(&self->evaluate.scenario.uncertainty.parameters[factor], unit,
                                 buffer);
}

/* Settings of points, with the texts of their numbers. */
struct points {
    struct sweep_setting *settings;       /* by point and factor; owned */
    char (*numbers)[SETTING_NUMBER_SIZE]; /* likewise */
    struct evaluate_item *items;          /* owned */
};

static int points_make(struct points *self, size_t count, size_t factors, struct error *err)
{
    self->settings = memory_alloc(count, factors * sizeof *self->settings);
    self->numbers = memory_alloc(count, factors * sizeof *self->numbers);
    self->items = memory_zeroed(count, sizeof *self->items);
    return self->settings == NULL || self->numbers == NULL || self->items == NULL
               ? error_memory(err, "a sensitivity study")
               : ERROR_NONE;
}

static void points_free(struct points *self)
{
    memory_free(self->settings);
    memory_free(self->numbers);
    memory_free(self->items);
}

/* Settings of the point at `unit`, as the `place`-th. */
static const struct sweep_setting *points_put(struct points *self, const struct uncertain *model,
                                              size_t place, const double *unit)
{
    struct sweep_setting *settings = self->settings + place * model->factor_count;
    for (size_t i = 0; i < model->factor_count; i++) {
        const struct scenario_prior *prior = &model->evaluate.scenario.uncertainty.parameters[i];
        char *number = self->numbers[place * model->factor_count + i];
        settings[i] =
            (struct sweep_setting){prior->key, sweep_points_quantile(prior, unit[i], number)};
    }
    return settings;
}

/* Cells under way. */
struct computing {
    struct points points;
    struct sensitivity_cell *cells; /* as the points' items */
    sensitivity_cell_done *done;
    void *context;
};

/* Not finite where the price ran away: as missing. */
static int run_done(void *context, const struct evaluate_item *item, struct error *err)
{
    struct computing *self = context;
    struct sensitivity_cell *cell = &self->cells[item - self->points.items];
    cell->done = true;
    return self->done(self->context, cell, err);
}

static int compute(void *context, struct sensitivity_cell *cells, size_t count,
                   sensitivity_cell_done *done, void *done_context, struct error *err)
{
    struct uncertain *self = context;
    struct computing computing = {{0}, cells, done, done_context};
    int code = points_make(&computing.points, count, self->factor_count, err);
    struct evaluate_item *items = computing.points.items;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        /* Replicates of a point are neighbours and share its settings. */
        bool same = i > 0 && cells[i].unit == cells[i - 1].unit;
        items[i].settings =
            same ? items[i - 1].settings : points_put(&computing.points, self, i, cells[i].unit);
        items[i].count = self->factor_count;
        items[i].replicate = cells[i].replicate;
        items[i].numbers = cells[i].outputs;
    }
    if (code == ERROR_NONE)
        code = evaluate_items(&self->evaluate, items, count, run_done, &computing, err);
    points_free(&computing.points);
    return code;
}

struct sensitivity_model uncertain_model(struct uncertain *self)
{
    return (struct sensitivity_model){
        .factors = self->factors,
        .factor_count = self->factor_count,
        .outputs = self->outputs,
        .output_count = self->output_count,
        .replicates = (size_t)self->evaluate.scenario.replicates,
        .context = self,
        .compute = compute,
        .value = value_at,
    };
}

struct sensitivity_plan uncertain_plan(const struct uncertain *self)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    return (struct sensitivity_plan){
        .method = scenario->sensitivity.method,
        .rows = (size_t)scenario->sensitivity.rows,
        .trajectories = (size_t)scenario->sensitivity.trajectories,
        .seed = scenario->seed,
        .metrics = self->metrics,
        .metric_count = scenario->sensitivity.metric_count,
        .bootstrap = {(size_t)scenario->sensitivity.resamples, scenario->sensitivity.level,
                      scenario->seed},
    };
}

/* ---- plans ------------------------------------------------------------------------------ */

int uncertain_identity(const struct uncertain *self, char out[SHA256_TEXT_SIZE], struct error *err)
{
    struct evaluate named = self->evaluate; /* borrows */
    named.scenario.sensitivity.metric_count = 0;
    named.scenario.sensitivity.resamples = 0;
    named.scenario.sensitivity.level = NAN;
    return evaluate_identity(&named, "sensitivity", out, err);
}

int uncertain_books(const struct uncertain *self, const struct sensitivity *study,
                    size_t *out_books, struct error *err)
{
    struct points points = {0};
    *out_books = 0;
    int code = points_make(&points, study->points, self->factor_count, err);
    for (size_t i = 0; i < study->points && code == ERROR_NONE; i++) {
        points.items[i].settings =
            points_put(&points, self, i, study->unit + i * self->factor_count);
        points.items[i].count = self->factor_count;
    }
    if (code == ERROR_NONE)
        code = evaluate_books(&self->evaluate, points.items, study->points, out_books, err);
    points_free(&points);
    *out_books *= study->model.replicates;
    return code;
}
