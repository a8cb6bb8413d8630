#include "scenarios/sweep_points.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/sobol.h"
#include "scenarios/designs.h"

static int short_memory(struct error *err)
{
    return error_memory(err, "planning a sweep");
}

/* --- keys --- */

static bool has_key(const struct sweep_points *self, const char *key)
{
    for (size_t i = 0; i < self->key_count; i++)
        if (strcmp(self->keys[i], key) == 0)
            return true;
    return false;
}

/* The keys of axes, or those of a list in the order in which they come. */
static int collect_keys(struct sweep_points *self, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    size_t most = scenario->sweep.axis_count;
    for (size_t i = 0; i < scenario->sweep.list_count; i++)
        most += scenario->sweep.list[i].count;
    self->keys = memory_alloc(most, sizeof *self->keys);
    if (self->keys == NULL)
        return short_memory(err);
    for (size_t i = 0; i < scenario->sweep.axis_count; i++)
        self->keys[self->key_count++] = scenario->sweep.axes[i].key;
    self->point_settings = self->key_count;
    for (size_t i = 0; i < scenario->sweep.list_count; i++) {
        const struct scenario_settings *point = &scenario->sweep.list[i];
        if (point->count > self->point_settings)
            self->point_settings = point->count;
        for (size_t k = 0; k < point->count; k++)
            if (!has_key(self, point->items[k].key))
                self->keys[self->key_count++] = point->items[k].key;
    }
    return ERROR_NONE;
}

/* --- values of axes --- */

static const struct axis *axis_of(const struct sweep_points *self, size_t axis)
{
    return &self->scenario->sweep.axes[axis];
}

/* The values of a range with steps, as texts. */
static void number_range(const struct axis *axis, char (*numbers)[SETTING_NUMBER_SIZE],
                         const char **levels)
{
    const struct schema_row *row = setting_row(axis->key);
    for (size_t i = 0; i < axis->count; i++)
        levels[i] = setting_from_number(row, axis_value(axis, i), numbers[i]);
}

static int fill_levels(struct sweep_points *self, struct error *err)
{
    size_t numbers = 0;
    for (size_t a = 0; a < self->axis_count; a++)
        numbers += axis_of(self, a)->values == NULL ? axis_of(self, a)->count : 0;
    self->levels = memory_zeroed(self->axis_count, sizeof *self->levels);
    self->numbers = memory_alloc(numbers, sizeof *self->numbers);
    if (self->levels == NULL || self->numbers == NULL)
        return short_memory(err);
    numbers = 0;
    for (size_t a = 0; a < self->axis_count; a++) {
        const struct axis *axis = axis_of(self, a);
        if (axis->count == 0)
            continue;
        self->levels[a] = memory_alloc(axis->count, sizeof *self->levels[a]);
        if (self->levels[a] == NULL)
            return short_memory(err);
        if (axis->values != NULL) {
            memcpy(self->levels[a], axis->values, axis->count * sizeof *axis->values);
            continue;
        }
        number_range(axis, self->numbers + numbers, self->levels[a]);
        numbers += axis->count;
    }
    return ERROR_NONE;
}

/* --- designs --- */

static size_t count_points(const struct scenario *scenario)
{
    size_t points = 1;
    switch (scenario->sweep.method) {
    case SWEEP_NONE:
        return 1;
    case SWEEP_LIST:
        return scenario->sweep.list_count;
    case SWEEP_MORRIS:
        return designs_morris_points((size_t)scenario->sweep.points, scenario->sweep.axis_count);
    case SWEEP_GRID:
        for (size_t a = 0; a < scenario->sweep.axis_count; a++)
            points *= scenario->sweep.axes[a].count;
        return points;
    default:
        return (size_t)scenario->sweep.points;
    }
}

static int fill_unit(struct sweep_points *self, struct error *err)
{
    uint64_t seed = self->scenario->seed;
    size_t asked = (size_t)self->scenario->sweep.points;
    struct random_stream stream = random_stream_make(seed, 0, "sweep.sobol");
    self->unit = memory_alloc(self->points, self->axis_count * sizeof *self->unit);
    if (self->unit == NULL)
        return short_memory(err);
    switch (self->scenario->sweep.method) {
    case SWEEP_LATIN:
        return designs_latin(asked, self->axis_count, seed, self->unit, err);
    case SWEEP_SOBOL:
        return sobol_scrambled(asked, self->axis_count, &stream, self->unit, err);
    default:
        return designs_morris(asked, self->axis_count, seed, self->unit, err);
    }
}

/* The numbers of ranges as a whole at every point. */
static int fill_cells(struct sweep_points *self, struct error *err)
{
    bool any = false;
    for (size_t a = 0; a < self->axis_count; a++)
        any = any || self->levels[a] == NULL;
    if (!any)
        return ERROR_NONE;
    self->cells = memory_alloc(self->points, self->axis_count * sizeof *self->cells);
    if (self->cells == NULL)
        return short_memory(err);
    for (size_t a = 0; a < self->axis_count; a++) {
        const struct axis *axis = axis_of(self, a);
        const struct schema_row *row = setting_row(axis->key);
        for (size_t p = 0; self->levels[a] == NULL && p < self->points; p++) {
            size_t cell = p * self->axis_count + a;
            setting_from_number(row, axis_at(axis, self->unit[cell]), self->cells[cell]);
        }
    }
    return ERROR_NONE;
}

static int plan_points(struct sweep_points *self, struct error *err)
{
    int method = self->scenario->sweep.method;
    int code = collect_keys(self, err);
    self->points = count_points(self->scenario);
    if (code != ERROR_NONE || method == SWEEP_NONE || method == SWEEP_LIST)
        return code;
    self->axis_count = self->scenario->sweep.axis_count;
    code = fill_levels(self, err);
    if (code != ERROR_NONE || method == SWEEP_GRID)
        return code;
    code = fill_unit(self, err);
    return code == ERROR_NONE ? fill_cells(self, err) : code;
}

/* --- draws --- */

/* The bounds of a key as numbers without end where it has none. */
static void bounds_of(const struct schema_row *row, double *low, double *high)
{
    bool bounded = row->field.minimum != 0 || row->field.maximum != 0;
    *low = bounded ? row->field.minimum : -INFINITY;
    *high = bounded ? row->field.maximum : INFINITY;
}

const char *sweep_points_quantile(const struct scenario_prior *prior, double unit,
                                  char buffer[SETTING_NUMBER_SIZE])
{
    double low, high;
    if (prior->law.family == PRIORS_CHOICE)
        return prior->choices[axis_index(prior->choice_count, unit)];
    const struct schema_row *row = setting_row(prior->key);
    bounds_of(row, &low, &high);
    return setting_from_number(row, priors_draw(&prior->law, low, high, unit), buffer);
}

static int plan_draws(struct sweep_points *self, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    struct random_stream stream = random_stream_make(scenario->seed, 0, "uncertainty");
    self->draws = (size_t)scenario->uncertainty.draws;
    if (self->draws == 1)
        return ERROR_NONE;
    self->parameter_count = scenario->uncertainty.parameter_count;
    size_t parameters = self->parameter_count;
    self->draw_unit = memory_alloc(self->draws, parameters * sizeof *self->draw_unit);
    self->drawn = memory_alloc(self->draws, parameters * sizeof *self->drawn);
    if (self->draw_unit == NULL || self->drawn == NULL)
        return short_memory(err);
    int code = sobol_scrambled(self->draws, parameters, &stream, self->draw_unit, err);
    for (size_t cell = 0; code == ERROR_NONE && cell < self->draws * parameters; cell++) {
        const struct scenario_prior *prior = &scenario->uncertainty.parameters[cell % parameters];
        if (prior->law.family != PRIORS_CHOICE)
            sweep_points_quantile(prior, self->draw_unit[cell], self->drawn[cell]);
    }
    return code;
}

/* --- the plan --- */

int sweep_points_init(struct sweep_points *self, const struct scenario *scenario, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->scenario = scenario;
    int code = plan_points(self, err);
    if (code == ERROR_NONE)
        code = plan_draws(self, err);
    if (code != ERROR_NONE)
        sweep_points_free(self);
    return code;
}

void sweep_points_free(struct sweep_points *self)
{
    for (size_t a = 0; self->levels != NULL && a < self->axis_count; a++)
        memory_free(self->levels[a]);
    memory_free(self->levels);
    memory_free(self->keys);
    memory_free(self->unit);
    memory_free(self->draw_unit);
    memory_free(self->numbers);
    memory_free(self->cells);
    memory_free(self->drawn);
    memset(self, 0, sizeof *self);
}

static size_t list_point(const struct scenario_settings *point, struct sweep_setting *out)
{
    for (size_t k = 0; k < point->count; k++)
        out[k] = (struct sweep_setting){point->items[k].key, point->items[k].value};
    return point->count;
}

size_t sweep_points_point(const struct sweep_points *self, size_t point, struct sweep_setting *out)
{
    liqcascade_bug_assert(point < self->points, "no such point of the sweep");
    if (self->scenario->sweep.method == SWEEP_LIST)
        return list_point(&self->scenario->sweep.list[point], out);
    for (size_t a = 0; a < self->axis_count; a++) {
        size_t cell = point * self->axis_count + a;
        const char *value;
        if (self->unit == NULL)
            value = self->levels[a][sweep_points_level(self, point, a)];
        else if (self->levels[a] == NULL)
            value = self->cells[cell];
        else
            value = self->levels[a][axis_index(axis_of(self, a)->count, self->unit[cell])];
        out[a] = (struct sweep_setting){axis_of(self, a)->key, value};
    }
    return self->axis_count;
}

size_t sweep_points_draw(const struct sweep_points *self, size_t draw, struct sweep_setting *out)
{
    liqcascade_bug_assert(draw < self->draws, "no such draw of the sweep");
    for (size_t k = 0; k < self->parameter_count; k++) {
        const struct scenario_prior *prior = &self->scenario->uncertainty.parameters[k];
        size_t cell = draw * self->parameter_count + k;
        const char *value = self->drawn[cell];
        if (prior->law.family == PRIORS_CHOICE)
            value = sweep_points_quantile(prior, self->draw_unit[cell], NULL);
        out[k] = (struct sweep_setting){prior->key, value};
    }
    return self->parameter_count;
}

const char *sweep_points_key(const struct sweep_points *self, size_t index)
{
    liqcascade_bug_assert(index < self->key_count, "no such key of the sweep");
    return self->keys[index];
}

size_t sweep_points_levels(const struct sweep_points *self, size_t axis)
{
    liqcascade_bug_assert(axis < self->axis_count, "no such axis of the sweep");
    return axis_of(self, axis)->count;
}

size_t sweep_points_stride(const struct sweep_points *self, size_t axis)
{
    size_t stride = 1;
    for (size_t a = self->axis_count; a-- > axis + 1;)
        stride *= sweep_points_levels(self, a);
    return stride;
}

size_t sweep_points_level(const struct sweep_points *self, size_t point, size_t axis)
{
    return point / sweep_points_stride(self, axis) % sweep_points_levels(self, axis);
}

static size_t level_of(const struct sweep_points *self, size_t axis, const char *value)
{
    size_t level = 0;
    while (level < sweep_points_levels(self, axis) && strcmp(self->levels[axis][level], value) != 0)
        level++;
    liqcascade_bug_assert(level < sweep_points_levels(self, axis), "no such value of the axis");
    return level;
}

size_t sweep_points_reference(const struct sweep_points *self, size_t point)
{
    const struct scenario_settings *compare = &self->scenario->sweep.compare;
    if (self->scenario->sweep.compare_first)
        return 0;
    liqcascade_bug_assert(compare->count > 0, "a sweep without a comparison");
    for (size_t i = 0; i < compare->count; i++)
        for (size_t a = 0; a < self->axis_count; a++) {
            if (strcmp(axis_of(self, a)->key, compare->items[i].key) != 0)
                continue;
            size_t stride = sweep_points_stride(self, a);
            point -= sweep_points_level(self, point, a) * stride;
            point += level_of(self, a, compare->items[i].value) * stride;
        }
    return point;
}

double sweep_points_unit(const struct sweep_points *self, size_t point, size_t axis)
{
    liqcascade_bug_assert(self->unit != NULL && point < self->points && axis < self->axis_count,
                          "no such coordinate of the sweep");
    return self->unit[point * self->axis_count + axis];
}
