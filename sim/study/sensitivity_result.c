#include "sim/study/sensitivity_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "sim/study/effects.h"
#include "sim/study/indices.h"

#define INDEX(member, type_of, unit_of, doc)                                     \
    {                                                                            \
        .name = #member, .type = type_of, .unit = unit_of, .documentation = doc, \
        .offset = offsetof(struct sensitivity_index, member)                     \
    }

const struct field sensitivity_index_fields[] = {
    INDEX(metric, FIELD_TEXT, "", "column of summary.csv"),
    INDEX(factor, FIELD_TEXT, "", "uncertain parameter"),
    INDEX(s1, FIELD_DOUBLE, "share", "first-order index: of the variance, by the factor alone"),
    INDEX(s1_lo, FIELD_DOUBLE, "share", "lower end of its interval"),
    INDEX(s1_hi, FIELD_DOUBLE, "share", "upper end of its interval"),
    INDEX(st, FIELD_DOUBLE, "share", "total index: of the variance, with all interactions"),
    INDEX(st_lo, FIELD_DOUBLE, "share", "lower end of its interval"),
    INDEX(st_hi, FIELD_DOUBLE, "share", "upper end of its interval"),
    INDEX(rows, FIELD_INT64, "", "rows of the design behind it"),
};
const size_t sensitivity_index_field_count =
    sizeof sensitivity_index_fields / sizeof *sensitivity_index_fields;

#define EFFECT(member, type_of, doc)                                        \
    {                                                                       \
        .name = #member, .type = type_of, .unit = "", .documentation = doc, \
        .offset = offsetof(struct sensitivity_effect, member)               \
    }

const struct field sensitivity_effect_fields[] = {
    EFFECT(metric, FIELD_TEXT, "column of summary.csv"),
    EFFECT(factor, FIELD_TEXT, "uncertain parameter"),
    EFFECT(mu, FIELD_DOUBLE, "mean effect over the whole of its prior"),
    EFFECT(mu_star, FIELD_DOUBLE, "mean size of the effect"),
    EFFECT(mu_star_lo, FIELD_DOUBLE, "lower end of its interval"),
    EFFECT(mu_star_hi, FIELD_DOUBLE, "upper end of its interval"),
    EFFECT(sigma, FIELD_DOUBLE, "standard deviation of the effect"),
    EFFECT(trajectories, FIELD_INT64, "trajectories behind it"),
};
const size_t sensitivity_effect_field_count =
    sizeof sensitivity_effect_fields / sizeof *sensitivity_effect_fields;

/* ---- complete groups -------------------------------------------------------------------- */

/* The groups (rows, trajectories) whose points all have a metric, one behind the other. */
struct complete {
    double *outputs; /* owned */
    double *unit;    /* owned */
    size_t groups;
};

static int complete_init(struct complete *self, const struct sensitivity *study, struct error *err)
{
    size_t factors = study->model.factor_count;
    self->outputs = memory_alloc(study->points, sizeof *self->outputs);
    self->unit = memory_alloc(study->points, factors * sizeof *self->unit);
    return self->outputs == NULL || self->unit == NULL ? error_memory(err, "sensitivity indices")
                                                       : ERROR_NONE;
}

static void complete_free(struct complete *self)
{
    memory_free(self->outputs);
    memory_free(self->unit);
}

static int complete_fill(struct complete *self, const struct sensitivity *study, size_t metric,
                         struct error *err)
{
    size_t each = study->group_points, factors = study->model.factor_count;
    size_t output = study->plan.metrics[metric];
    self->groups = 0;
    for (size_t g = 0; g < study->groups; g++) {
        double *outputs = self->outputs + self->groups * each;
        bool whole = true;
        for (size_t p = 0; p < each; p++) {
            outputs[p] = sensitivity_output(study, g * each + p, output);
            whole = whole && isfinite(outputs[p]);
        }
        memcpy(self->unit + self->groups * each * factors, study->unit + g * each * factors,
               each * factors * sizeof *self->unit);
        self->groups += whole;
    }
    if (2 * self->groups >= study->groups && self->groups >= 2)
        return ERROR_NONE;
    return error_set(err, ERROR_NUMERICAL,
                     "%s is missing at too many points: %zu of %zu %s have it at all of theirs; "
                     "expected half or more",
                     study->model.outputs[output], self->groups, study->groups,
                     study->plan.method == SENSITIVITY_SOBOL ? "rows" : "trajectories");
}

/* ---- estimates -------------------------------------------------------------------------- */

static int find_indices(const struct sensitivity *study, const struct complete *complete,
                        struct sensitivity_metric *metric, struct sensitivity_index *rows,
                        struct error *err)
{
    struct indices_result result;
    size_t factors = study->model.factor_count;
    int code = indices_estimate(factors, complete->groups, complete->outputs,
                                &study->plan.bootstrap, &result, err);
    metric->mean = result.mean;
    metric->variance = result.variance;
    metric->first_sum = result.first_sum;
    metric->first_sum_lo = result.first_sum_low;
    metric->first_sum_hi = result.first_sum_high;
    for (size_t i = 0; code == ERROR_NONE && i < factors; i++) {
        const struct indices_factor *factor = &result.factor[i];
        rows[i] = (struct sensitivity_index){
            .metric = metric->name,
            .factor = study->model.factors[i],
            .s1 = factor->first,
            .s1_lo = factor->first_low,
            .s1_hi = factor->first_high,
            .st = factor->total,
            .st_lo = factor->total_low,
            .st_hi = factor->total_high,
            .rows = (int64_t)complete->groups,
        };
    }
    return code;
}

static void find_moments(const double *values, size_t count, struct sensitivity_metric *metric)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] - values[0];
    metric->mean = values[0] + sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - metric->mean) * (values[i] - metric->mean);
    metric->variance = squares / (double)count;
}

static int find_effects(const struct sensitivity *study, const struct complete *complete,
                        struct sensitivity_metric *metric, struct sensitivity_effect *rows,
                        struct error *err)
{
    size_t factors = study->model.factor_count;
    struct effects_factor *found = memory_alloc(factors, sizeof *found);
    if (found == NULL)
        return error_memory(err, "elementary effects");
    find_moments(complete->outputs, complete->groups * study->group_points, metric);
    int code = effects_estimate(factors, complete->groups, complete->unit, complete->outputs,
                                &study->plan.bootstrap, found, err);
    for (size_t i = 0; code == ERROR_NONE && i < factors; i++)
        rows[i] = (struct sensitivity_effect){
            .metric = metric->name,
            .factor = study->model.factors[i],
            .mu = found[i].mu,
            .mu_star = found[i].mu_star,
            .mu_star_lo = found[i].mu_star_low,
            .mu_star_hi = found[i].mu_star_high,
            .sigma = found[i].sigma,
            .trajectories = (int64_t)complete->groups,
        };
    memory_free(found);
    return code;
}

static int find_metric(const struct sensitivity *study, size_t metric, struct complete *complete,
                       struct sensitivity_result *out, struct error *err)
{
    struct sensitivity_metric *row = &out->metrics[metric];
    size_t first = metric * study->model.factor_count;
    int code = complete_fill(complete, study, metric, err);
    row->name = study->model.outputs[study->plan.metrics[metric]];
    row->used = complete->groups;
    if (code != ERROR_NONE)
        return code;
    return out->indices != NULL ? find_indices(study, complete, row, out->indices + first, err)
                                : find_effects(study, complete, row, out->effects + first, err);
}

static int make_room(const struct sensitivity *study, struct sensitivity_result *out,
                     struct error *err)
{
    bool sobol = study->plan.method == SENSITIVITY_SOBOL;
    out->row_count = study->plan.metric_count * study->model.factor_count;
    out->metrics = memory_zeroed(study->plan.metric_count, sizeof *out->metrics);
    if (sobol)
        out->indices = memory_zeroed(out->row_count, sizeof *out->indices);
    else
        out->effects = memory_zeroed(out->row_count, sizeof *out->effects);
    return out->metrics == NULL || (out->indices == NULL && out->effects == NULL)
               ? error_memory(err, "sensitivity indices")
               : ERROR_NONE;
}

int sensitivity_result_make(const struct sensitivity *study, struct sensitivity_result *out,
                            struct error *err)
{
    struct complete complete = {0};
    memset(out, 0, sizeof *out);
    int code = make_room(study, out, err);
    if (code == ERROR_NONE)
        code = complete_init(&complete, study, err);
    for (size_t m = 0; m < study->plan.metric_count && code == ERROR_NONE; m++)
        code = find_metric(study, m, &complete, out, err);
    complete_free(&complete);
    if (code != ERROR_NONE)
        sensitivity_result_free(out);
    return code;
}

void sensitivity_result_free(struct sensitivity_result *self)
{
    memory_free(self->metrics);
    memory_free(self->indices);
    memory_free(self->effects);
    memset(self, 0, sizeof *self);
}

struct table sensitivity_result_table(const struct sensitivity_result *self)
{
    if (self->indices != NULL)
        return (struct table){
            "sensitivity", sensitivity_index_fields, sensitivity_index_field_count,
            self->indices, self->row_count,          sizeof *self->indices};
    return (struct table){"morris",      sensitivity_effect_fields, sensitivity_effect_field_count,
                          self->effects, self->row_count,           sizeof *self->effects};
}

/* ---- points ----------------------------------------------------------------------------- */

static const char *keep_name(struct sensitivity_points *self, const char *factor)
{
    struct text_buffer buffer = {0};
    text_appendf(&buffer, "param_%s", factor);
    for (char *at = buffer.data; at != NULL && *at != '\0'; at++)
        if (strchr(".[]", *at) != NULL)
            *at = '_';
    return buffer.failed ? NULL : (self->names[self->name_count++] = buffer.data);
}

static bool add_field(struct sensitivity_points *self, const char *name, enum field_type type,
                      const char *documentation)
{
    self->fields[self->field_count] = (struct field){.name = name,
                                                     .type = type,
                                                     .unit = "",
                                                     .documentation = documentation,
                                                     .offset = 8 * self->field_count};
    self->field_count++;
    return name != NULL;
}

static bool add_fields(struct sensitivity_points *self, const struct sensitivity *study)
{
    bool good = add_field(self, "point", FIELD_INT64, "number of the point, from 1");
    for (size_t i = 0; i < study->model.factor_count; i++)
        good &= add_field(self, keep_name(self, study->model.factors[i]), FIELD_TEXT,
                          "value of this parameter at the point");
    for (size_t m = 0; m < study->plan.metric_count; m++)
        good &= add_field(self, study->model.outputs[study->plan.metrics[m]], FIELD_DOUBLE,
                          "mean over replicates; empty: a replicate has none");
    return good;
}

static const char *value_of(const struct sensitivity *study, size_t point, size_t factor,
                            char buffer[SETTING_NUMBER_SIZE])
{
    double unit = study->unit[point * study->model.factor_count + factor];
    if (study->model.value != NULL)
        return study->model.value(study->model.context, factor, unit, buffer);
    text_from_double(unit, buffer);
    return buffer;
}

static void put_point(const struct sensitivity *study, struct sensitivity_points *out, size_t point)
{
    uint64_t *cell = out->cells + point * out->field_count;
    size_t factors = study->model.factor_count;
    *cell++ = point + 1;
    for (size_t i = 0; i < factors; i++) {
        const char *text = value_of(study, point, i, out->values[point * factors + i]);
        memcpy(cell++, &text, sizeof text);
    }
    for (size_t m = 0; m < study->plan.metric_count; m++) {
        double number = sensitivity_output(study, point, study->plan.metrics[m]);
        memcpy(cell++, &number, sizeof number);
    }
}

int sensitivity_points_make(const struct sensitivity *study, struct sensitivity_points *out,
                            struct error *err)
{
    size_t factors = study->model.factor_count;
    size_t columns = 1 + factors + study->plan.metric_count;
    memset(out, 0, sizeof *out);
    out->fields = memory_zeroed(columns, sizeof *out->fields);
    out->names = memory_zeroed(factors, sizeof *out->names);
    out->values = memory_alloc(study->points, factors * sizeof *out->values);
    out->cells = memory_alloc(study->points, columns * sizeof *out->cells);
    if (out->fields == NULL || out->names == NULL || out->values == NULL || out->cells == NULL ||
        !add_fields(out, study)) {
        sensitivity_points_free(out);
        return error_memory(err, "points.csv");
    }
    out->row_count = study->points;
    for (size_t p = 0; p < study->points; p++)
        put_point(study, out, p);
    return ERROR_NONE;
}

void sensitivity_points_free(struct sensitivity_points *self)
{
    for (size_t i = 0; self->names != NULL && i < self->name_count; i++)
        memory_free(self->names[i]);
    memory_free(self->names);
    memory_free(self->fields);
    memory_free(self->values);
    memory_free(self->cells);
    memset(self, 0, sizeof *self);
}

struct table sensitivity_points_table(const struct sensitivity_points *self)
{
    return (struct table){"points",    self->fields,    self->field_count,
                          self->cells, self->row_count, 8 * self->field_count};
}
