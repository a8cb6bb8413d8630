#include "sim/study/sweep_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "reports/bands.h"
#include "sim/metrics.h"

static const char *keep_name(struct sweep_table *self, const char *format, const char *text)
{
    struct text_buffer buffer = {0};
    text_appendf(&buffer, format, text);
    for (char *at = buffer.data; at != NULL && *at != '\0'; at++)
        if (strchr(".[]", *at) != NULL)
            *at = '_';
    return buffer.failed ? NULL : (self->names[self->name_count++] = buffer.data);
}

/* "q05" of 0.05, "q2_5" of 0.025. */
static const char *quantile_name(struct sweep_table *self, double probability)
{
    char digits[32];
    double percent = 100.0 * probability;
    if (fabs(percent - nearbyint(percent)) < 1e-9)
        snprintf(digits, sizeof digits, "%02.0f", percent);
    else
        snprintf(digits, sizeof digits, "%.10g", percent);
    return keep_name(self, "q%s", digits);
}

static bool add_field(struct sweep_table *self, const char *name, enum field_type type,
                      const char *unit, const char *documentation)
{
    self->fields[self->field_count] = (struct field){.name = name,
                                                     .type = type,
                                                     .unit = unit,
                                                     .documentation = documentation,
                                                     .offset = 8 * self->field_count};
    self->field_count++;
    return name != NULL;
}

static bool add_fields(const struct sweep *sweep, struct sweep_table *self)
{
    const struct scenario *scenario = &sweep->evaluate.scenario;
    bool good = add_field(self, "point", FIELD_INT64, "", "number of the point, from 1");
    for (size_t k = 0; k < sweep->points.key_count; k++)
        good &= add_field(self, keep_name(self, "param_%s", sweep_points_key(&sweep->points, k)),
                          FIELD_TEXT, "", "value of this key at the point; empty: not set");
    good &= add_field(self, "baseline", FIELD_TEXT, "",
                      "model, or open: no impact, or naive: impact added to an observed path");
    good &= add_field(self, "metric", FIELD_TEXT, "", "column of summary.csv");
    good &= add_field(self, "mean", FIELD_DOUBLE, "", "over draws and replicates that have it");
    for (size_t q = 0; q < scenario->bands.quantile_count; q++)
        good &= add_field(self, quantile_name(self, scenario->bands.quantiles[q]), FIELD_DOUBLE, "",
                          "quantile over what bands.over names");
    return good & add_field(self, "n", FIELD_INT64, "", "values behind it");
}

static void put_number(uint64_t **cell, double value)
{
    memcpy((*cell)++, &value, sizeof value);
}
static void put_text(uint64_t **cell, const char *text)
{
    memcpy((*cell)++, &text, sizeof text);
}
static void put_count(uint64_t **cell, size_t count)
{
    *(*cell)++ = (uint64_t)count;
}

/* All runs of a point under a baseline for one number: draw * replicates + replicate. */
static void gather(const struct sweep *self, size_t point, size_t baseline, size_t number,
                   double *out)
{
    for (size_t d = 0; d < self->points.draws; d++)
        for (size_t r = 0; r < self->replicates; r++)
            *out++ = sweep_number(self, point, d, r, baseline, number);
}

struct summing {
    const struct sweep *sweep;
    double *runs, *spanned; /* room for draws * replicates each */
    struct sweep_setting *settings;
};

static void put_bands(const struct summing *self, uint64_t **cell)
{
    const struct sweep *sweep = self->sweep;
    const struct scenario *scenario = &sweep->evaluate.scenario;
    double quantiles[SCENARIO_QUANTILES_MAX];
    struct bands bands;
    size_t count = bands_span(self->runs, sweep->points.draws, sweep->replicates,
                              (enum bands_over)scenario->bands.over, self->spanned);
    bands_of(self->spanned, count, scenario->bands.quantiles, scenario->bands.quantile_count,
             &bands, quantiles);
    put_number(cell, bands.mean);
    for (size_t q = 0; q < scenario->bands.quantile_count; q++)
        put_number(cell, quantiles[q]);
    put_count(cell, bands.n);
}

/* What a point sets a key to; NULL: not this one. */
static const char *value_at(const struct sweep_setting *settings, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].key, key) == 0)
            return settings[i].value;
    return NULL;
}

static void put_point(const struct summing *self, size_t point, uint64_t **cell)
{
    const struct sweep *sweep = self->sweep;
    size_t settings = sweep_points_point(&sweep->points, point, self->settings);
    for (size_t b = 0; b < sweep->baseline_count; b++)
        for (size_t n = 0; n < sweep->numbers; n++) {
            gather(sweep, point, b, n, self->runs);
            put_count(cell, point + 1);
            for (size_t k = 0; k < sweep->points.key_count; k++)
                put_text(cell,
                         value_at(self->settings, settings, sweep_points_key(&sweep->points, k)));
            put_text(cell, sweep->baselines[b]);
            put_text(cell, metrics_number_field(n)->name);
            put_bands(self, cell);
        }
}

int sweep_table_make(const struct sweep *self, struct sweep_table *out, struct error *err)
{
    size_t columns = self->points.key_count + SCENARIO_QUANTILES_MAX + 8;
    size_t runs = self->points.draws * self->replicates;
    struct summing summing = {
        self, memory_alloc(runs, sizeof(double)), memory_alloc(runs, sizeof(double)),
        memory_alloc(self->points.point_settings + 1, sizeof(struct sweep_setting))};
    int code = ERROR_NONE;
    memset(out, 0, sizeof *out);
    out->fields = memory_zeroed(columns, sizeof *out->fields);
    out->names = memory_zeroed(columns, sizeof *out->names);
    if (summing.runs == NULL || summing.spanned == NULL || summing.settings == NULL ||
        out->fields == NULL || out->names == NULL || !add_fields(self, out)) {
        code = error_memory(err, "sweep.csv");
        goto out;
    }
    out->row_count = self->points.points * self->baseline_count * self->numbers;
    out->cells = memory_alloc(out->row_count * out->field_count, sizeof *out->cells);
    if (out->cells == NULL) {
        code = error_memory(err, "sweep.csv");
        goto out;
    }
    uint64_t *cell = out->cells;
    for (size_t p = 0; p < self->points.points; p++)
        put_point(&summing, p, &cell);
out:
    memory_free(summing.runs);
    memory_free(summing.spanned);
    memory_free(summing.settings);
    if (code != ERROR_NONE)
        sweep_table_free(out);
    return code;
}

void sweep_table_free(struct sweep_table *self)
{
    for (size_t i = 0; self->names != NULL && i < self->name_count; i++)
        memory_free(self->names[i]);
    memory_free(self->names);
    memory_free(self->fields);
    memory_free(self->cells);
    memset(self, 0, sizeof *self);
}

struct table sweep_table_described(const struct sweep_table *self, const char *name)
{
    return (struct table){name,        self->fields,    self->field_count,
                          self->cells, self->row_count, 8 * self->field_count};
}
