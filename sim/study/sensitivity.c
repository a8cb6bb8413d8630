#include "sim/study/sensitivity.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/designs.h"
#include "sim/study/indices.h"

static int short_memory(struct error *err)
{
    return error_memory(err, "a sensitivity study");
}

/* ---- design ----------------------------------------------------------------------------- */

static int fill_sobol(struct sensitivity *self, struct error *err)
{
    size_t factors = self->model.factor_count;
    struct indices_design design;
    int code = indices_design_init(&design, factors, self->plan.rows, self->plan.seed, err);
    if (code != ERROR_NONE)
        return code;
    self->groups = self->plan.rows;
    self->group_points = factors + 2;
    self->points = indices_design_points(&design);
    self->unit = memory_alloc(self->points, factors * sizeof *self->unit);
    if (self->unit == NULL)
        code = short_memory(err);
    for (size_t i = 0; code == ERROR_NONE && i < self->points; i++)
        indices_design_point(&design, i, self->unit + i * factors);
    indices_design_free(&design);
    return code;
}

static int fill_morris(struct sensitivity *self, struct error *err)
{
    size_t factors = self->model.factor_count;
    self->groups = self->plan.trajectories;
    self->group_points = factors + 1;
    self->points = designs_morris_points(self->groups, factors);
    self->unit = memory_alloc(self->points, factors * sizeof *self->unit);
    if (self->unit == NULL)
        return short_memory(err);
    int code = designs_morris(self->groups, factors, self->plan.seed, self->unit, err);
    for (size_t i = 0; code == ERROR_NONE && i < self->points * factors; i++) {
        double level = nearbyint(self->unit[i] * (DESIGNS_MORRIS_LEVELS - 1));
        self->unit[i] = (level + 0.5) / DESIGNS_MORRIS_LEVELS;
    }
    return code;
}

int sensitivity_init(struct sensitivity *self, const struct sensitivity_model *model,
                     const struct sensitivity_plan *plan, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->model = *model;
    self->plan = *plan;
    if (model->factor_count == 0)
        return error_set(err, ERROR_SCENARIO, "no factors; expected at least one");
    int code = resample_check(&plan->bootstrap, err);
    if (code == ERROR_NONE)
        code = plan->method == SENSITIVITY_SOBOL ? fill_sobol(self, err) : fill_morris(self, err);
    if (code == ERROR_NONE) {
        self->items = self->points * model->replicates;
        self->payload = model->output_count;
        self->values = memory_alloc(self->items, self->payload * sizeof *self->values);
        self->done = memory_zeroed(self->items, sizeof *self->done);
        if (self->values == NULL || self->done == NULL)
            code = short_memory(err);
    }
    if (code != ERROR_NONE)
        sensitivity_free(self);
    return code;
}

void sensitivity_free(struct sensitivity *self)
{
    memory_free(self->unit);
    memory_free(self->values);
    memory_free(self->done);
    memset(self, 0, sizeof *self);
}

/* ---- computing -------------------------------------------------------------------------- */

/* Whole groups are computed together, which differ by a factor at a time and so have most in
   common; enough of them to keep every thread busy. */
enum { PASS_CELLS = 1024 };

struct pass {
    struct sensitivity *study;
    struct sensitivity_cell *cells;
    size_t *items; /* that each cell is of */
    size_t count;
    sensitivity_done *done;
    void *context;
};

static int cell_done(void *context, const struct sensitivity_cell *cell, struct error *err)
{
    struct pass *self = context;
    struct sensitivity *study = self->study;
    size_t item = self->items[cell - self->cells];
    study->done[item] = true;
    return self->done == NULL
               ? ERROR_NONE
               : self->done(self->context, item, study->values + item * study->payload, err);
}

static int run_groups(struct pass *self, const bool *wanted, size_t first, size_t end,
                      struct error *err)
{
    struct sensitivity *study = self->study;
    const struct sensitivity_model *model = &study->model;
    size_t each = study->group_points * model->replicates;
    self->count = 0;
    for (size_t item = first * each; item < end * each; item++) {
        if (study->done[item] || (wanted != NULL && !wanted[item]))
            continue;
        self->items[self->count] = item;
        self->cells[self->count++] = (struct sensitivity_cell){
            .unit = study->unit + item / model->replicates * model->factor_count,
            .replicate = item % model->replicates,
            .outputs = study->values + item * study->payload,
        };
    }
    return self->count == 0
               ? ERROR_NONE
               : model->compute(model->context, self->cells, self->count, cell_done, self, err);
}

int sensitivity_run(struct sensitivity *self, const bool *wanted, sensitivity_done *done,
                    void *context, struct error *err)
{
    size_t each = self->group_points * self->model.replicates;
    size_t groups = each < PASS_CELLS ? PASS_CELLS / each : 1;
    struct pass pass = {.study = self, .done = done, .context = context};
    pass.cells = memory_alloc(groups, each * sizeof *pass.cells);
    pass.items = memory_alloc(groups, each * sizeof *pass.items);
    int code = pass.cells == NULL || pass.items == NULL ? short_memory(err) : ERROR_NONE;
    for (size_t g = 0; g < self->groups && code == ERROR_NONE; g += groups) {
        size_t end = g + groups < self->groups ? g + groups : self->groups;
        code = run_groups(&pass, wanted, g, end, err);
    }
    memory_free(pass.cells);
    memory_free(pass.items);
    return code;
}

double sensitivity_output(const struct sensitivity *self, size_t point, size_t output)
{
    size_t replicates = self->model.replicates;
    double sum = 0.0;
    liqcascade_bug_assert(point < self->points && output < self->payload, "no such output");
    for (size_t r = 0; r < replicates; r++)
        sum += self->values[(point * replicates + r) * self->payload + output];
    return sum / (double)replicates;
}
