#include "sim/study/sweep_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "reports/bands.h"
#include "sim/metrics.h"
#include "sim/study/compare.h"

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

static bool add_point_fields(const struct sweep *sweep, struct sweep_table *self)
{
    bool good = add_field(self, "point", FIELD_INT64, "", "number of the point, from 1");
    for (size_t k = 0; k < sweep->points.key_count; k++)
        good &= add_field(self, keep_name(self, "param_%s", sweep_points_key(&sweep->points, k)),
                          FIELD_TEXT, "", "value of this key at the point; empty: not set");
    good &=
        add_field(self, "baseline", FIELD_TEXT, "",
                  "model, or open: no impact, naive: impact added to an observed path, least: the "
                  "least fixed point of a counterfactual");
    return good & add_field(self, "metric", FIELD_TEXT, "", "column of summary.csv");
}

static bool add_quantile_fields(const struct sweep *sweep, struct sweep_table *self,
                                const char *documentation)
{
    const struct scenario *scenario = &sweep->evaluate.scenario;
    bool good = true;
    for (size_t q = 0; q < scenario->bands.quantile_count; q++)
        good &= add_field(self, quantile_name(self, scenario->bands.quantiles[q]), FIELD_DOUBLE, "",
                          documentation);
    return good;
}

static bool add_band_fields(const struct sweep *sweep, struct sweep_table *self)
{
    bool good = add_field(self, "mean", FIELD_DOUBLE, "", "over draws and replicates that have it");
    good &= add_quantile_fields(sweep, self, "quantile over what bands.over names");
    return good & add_field(self, "n", FIELD_INT64, "", "values behind it");
}

static bool add_difference_fields(const struct sweep *sweep, struct sweep_table *self)
{
    bool good = add_field(self, "reference", FIELD_INT64, "", "point that it is compared with");
    good &= add_field(self, "mean", FIELD_DOUBLE, "",
                      "of the differences to the reference, each under one draw in one replicate");
    good &= add_quantile_fields(sweep, self,
                                "quantile of the differences, over what bands.over "
                                "names");
    good &= add_field(self, "share_above", FIELD_DOUBLE, "fraction",
                      "of the differences, those above 0");
    good &= add_field(self, "ratio_median", FIELD_DOUBLE, "",
                      "median of the ratio to the reference where that is above 0");
    return good & add_field(self, "n", FIELD_INT64, "", "differences behind it");
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

/* Puts the rest of a row, behind what says the point, baseline and number. */
struct summing;
typedef void put_rest(const struct summing *self, size_t point, size_t baseline, size_t number,
                      uint64_t **cell);

struct summing {
    const struct sweep *sweep;
    put_rest *rest;
    double *runs, *others; /* room for draws * replicates each */
    double *room;          /* COMPARE_ROOM */
    struct sweep_setting *settings;
};

static void put_bands(const struct summing *self, size_t point, size_t baseline, size_t number,
                      uint64_t **cell)
{
    const struct sweep *sweep = self->sweep;
    const struct scenario *scenario = &sweep->evaluate.scenario;
    double quantiles[SCENARIO_QUANTILES_MAX];
    struct bands bands;
    gather(sweep, point, baseline, number, self->runs);
    size_t count = bands_span(self->runs, sweep->points.draws, sweep->replicates,
                              (enum bands_over)scenario->bands.over, self->room);
    bands_of(self->room, count, scenario->bands.quantiles, scenario->bands.quantile_count, &bands,
             quantiles);
    put_number(cell, bands.mean);
    for (size_t q = 0; q < scenario->bands.quantile_count; q++)
        put_number(cell, quantiles[q]);
    put_count(cell, bands.n);
}

static void put_differences(const struct summing *self, size_t point, size_t baseline,
                            size_t number, uint64_t **cell)
{
    const struct sweep *sweep = self->sweep;
    const struct scenario *scenario = &sweep->evaluate.scenario;
    size_t reference = sweep_points_reference(&sweep->points, point);
    double quantiles[SCENARIO_QUANTILES_MAX];
    struct compare compare;
    gather(sweep, point, baseline, number, self->runs);
    gather(sweep, reference, baseline, number, self->others);
    struct compare_runs runs = {self->runs, self->others, sweep->points.draws, sweep->replicates,
                                (enum bands_over)scenario->bands.over};
    compare_pairs(&runs, scenario->bands.quantiles, scenario->bands.quantile_count, self->room,
                  &compare, quantiles);
    put_count(cell, reference + 1);
    put_number(cell, compare.bands.mean);
    for (size_t q = 0; q < scenario->bands.quantile_count; q++)
        put_number(cell, quantiles[q]);
    put_number(cell, compare.share_above);
    put_number(cell, compare.ratio_median);
    put_count(cell, compare.bands.n);
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
            put_count(cell, point + 1);
            for (size_t k = 0; k < sweep->points.key_count; k++)
                put_text(cell,
                         value_at(self->settings, settings, sweep_points_key(&sweep->points, k)));
            put_text(cell, sweep->baselines[b]);
            put_text(cell, metrics_number_field(n)->name);
            self->rest(self, point, b, n, cell);
        }
}

static bool summing_init(struct summing *self, const struct sweep *sweep, put_rest *rest)
{
    size_t runs = sweep->points.draws * sweep->replicates;
    *self = (struct summing){
        .sweep = sweep,
        .rest = rest,
        .runs = memory_alloc(runs, sizeof *self->runs),
        .others = memory_alloc(runs, sizeof *self->others),
        .room =
            memory_alloc(COMPARE_ROOM(sweep->points.draws, sweep->replicates), sizeof *self->room),
        .settings = memory_alloc(sweep->points.point_settings + 1, sizeof *self->settings),
    };
    return self->runs != NULL && self->others != NULL && self->room != NULL &&
           self->settings != NULL;
}

static void summing_free(struct summing *self)
{
    memory_free(self->runs);
    memory_free(self->others);
    memory_free(self->room);
    memory_free(self->settings);
}

typedef bool add_rest(const struct sweep *sweep, struct sweep_table *self);

static bool fill(const struct sweep *sweep, add_rest *add, const struct summing *summing,
                 struct sweep_table *out)
{
    size_t columns = sweep->points.key_count + SCENARIO_QUANTILES_MAX + 8;
    out->fields = memory_zeroed(columns, sizeof *out->fields);
    out->names = memory_zeroed(columns, sizeof *out->names);
    if (out->fields == NULL || out->names == NULL || !add_point_fields(sweep, out) ||
        !add(sweep, out))
        return false;
    out->row_count = sweep->points.points * sweep->baseline_count * sweep->numbers;
    out->cells = memory_alloc(out->row_count * out->field_count, sizeof *out->cells);
    if (out->cells == NULL)
        return false;
    uint64_t *cell = out->cells;
    for (size_t p = 0; p < sweep->points.points; p++)
        put_point(summing, p, &cell);
    return true;
}

static int make(const struct sweep *sweep, add_rest *add, put_rest *rest, struct sweep_table *out,
                struct error *err)
{
    struct summing summing;
    memset(out, 0, sizeof *out);
    bool good = summing_init(&summing, sweep, rest) && fill(sweep, add, &summing, out);
    summing_free(&summing);
    if (good)
        return ERROR_NONE;
    sweep_table_free(out);
    return error_memory(err, "summing up a sweep");
}

int sweep_table_make(const struct sweep *self, struct sweep_table *out, struct error *err)
{
    return make(self, add_band_fields, put_bands, out, err);
}

bool sweep_table_compares(const struct sweep *self)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    return scenario->sweep.compare_first || scenario->sweep.compare.count > 0;
}

int sweep_table_differences(const struct sweep *self, struct sweep_table *out, struct error *err)
{
    return make(self, add_difference_fields, put_differences, out, err);
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
