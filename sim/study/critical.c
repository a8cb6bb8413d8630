#include "sim/study/critical.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "reports/bands.h"
#include "sim/metrics.h"

#define CRITICAL(member, kind, units, text)                                                       \
    {                                                                                             \
#member, kind, units, text, offsetof(struct critical_row, member), NULL, 0, 0, NULL, NULL \
    }

const struct field critical_fields[] = {
    CRITICAL(draw, FIELD_INT64, "", "draw of the uncertain parameters, from 1; 0: over all draws"),
    CRITICAL(settings, FIELD_TEXT, "", "values of the other axes"),
    CRITICAL(along, FIELD_TEXT, "", "key whose critical value it is"),
    CRITICAL(quantile, FIELD_DOUBLE, "share",
             "over draws that have a critical value; empty: one draw, or their mean"),
    CRITICAL(value, FIELD_DOUBLE, "", "critical value; empty: the condition never begins to hold"),
    CRITICAL(below, FIELD_DOUBLE, "", "largest value looked at below it"),
    CRITICAL(above, FIELD_DOUBLE, "", "smallest value looked at above it"),
    CRITICAL(never_share, FIELD_DOUBLE, "share", "draws without a critical value"),
    CRITICAL(draws, FIELD_INT64, "", "draws behind it"),
};
const size_t critical_field_count = sizeof critical_fields / sizeof *critical_fields;

/* One search: a draw at a combination of the other axes. */
struct search {
    size_t point; /* the first of its line */
    size_t draw;
    double below, above; /* NaN: none found */
    char number[SETTING_NUMBER_SIZE];
    double *numbers; /* of the midpoint; part of one allocation */
};

/* ---- what is asked ---------------------------------------------------------------------- */

bool critical_wanted(const struct sweep *sweep)
{
    return sweep->evaluate.scenario.critical.along != NULL &&
           sweep->evaluate.scenario.critical.when.metric[0] != '\0';
}

static int find_axis(const struct sweep *sweep)
{
    for (size_t k = 0; k < sweep->points.axis_count; k++)
        if (strcmp(sweep_points_key(&sweep->points, k), sweep->evaluate.scenario.critical.along) ==
            0)
            return (int)k;
    return -1;
}

static int find_number(const struct sweep *sweep)
{
    const struct field *field;
    for (size_t i = 0; (field = metrics_number_field(i)) != NULL; i++)
        if (strcmp(field->name, sweep->evaluate.scenario.critical.when.metric) == 0)
            return (int)i;
    return -1;
}

int critical_check(const struct sweep *sweep, struct error *err)
{
    const struct scenario *scenario = &sweep->evaluate.scenario;
    if (scenario->sweep.method != SWEEP_GRID || find_axis(sweep) < 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "critical.along",
                        "%s is no axis of a grid; expected sweep.method: grid with it among "
                        "sweep.axes",
                        scenario->critical.along);
    if (find_number(sweep) < 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "critical.when",
                        "%s is no number of summary.csv; expected one, such as jump_share_of_oi",
                        scenario->critical.when.metric);
    return ERROR_NONE;
}

/* ---- looking ---------------------------------------------------------------------------- */

static double mean_of(const double *numbers, size_t replicates, size_t stride, int number)
{
    double sum = 0.0;
    for (size_t r = 0; r < replicates; r++)
        sum += numbers[r * stride + (size_t)number];
    return sum / (double)replicates;
}

static bool holds(const struct sweep *sweep, const double *numbers)
{
    return condition_holds(&sweep->evaluate.scenario.critical.when,
                           mean_of(numbers, sweep->replicates, sweep->numbers, find_number(sweep)));
}

/* The same of a point and draw of the sweep. */
static double mean_at(const struct sweep *sweep, size_t point, size_t draw)
{
    double sum = 0.0;
    for (size_t r = 0; r < sweep->replicates; r++)
        sum += sweep_number(sweep, point, draw, r, 0, (size_t)find_number(sweep));
    return sum / (double)sweep->replicates;
}

/* The value of the axis at a point; NaN when it is no number. */
static double value_on_axis(const struct sweep *sweep, size_t point, struct sweep_setting *settings,
                            int axis)
{
    double value;
    sweep_points_point(&sweep->points, point, settings);
    const char *text = settings[axis].value;
    return text_to_double(text, strlen(text), false, &value) ? value : NAN;
}

/* The first neighbours between which the condition begins to hold. */
static void bracket(const struct sweep *sweep, struct search *self, struct sweep_setting *settings)
{
    int axis = find_axis(sweep);
    size_t levels = sweep_points_levels(&sweep->points, (size_t)axis);
    size_t stride = sweep_points_stride(&sweep->points, (size_t)axis);
    bool before = true;
    self->below = self->above = NAN;
    for (size_t i = 0; i < levels; i++) {
        size_t point = self->point + i * stride;
        bool here = condition_holds(&sweep->evaluate.scenario.critical.when,
                                    mean_at(sweep, point, self->draw));
        if (here && !before) {
            self->below = value_on_axis(sweep, point - stride, settings, axis);
            self->above = value_on_axis(sweep, point, settings, axis);
            return;
        }
        before = here;
    }
}

/* ---- bisecting -------------------------------------------------------------------------- */

static bool open_still(const struct sweep *sweep, const struct search *self)
{
    double refine = sweep->evaluate.scenario.critical.refine;
    return !isnan(self->below) && !isnan(refine) && fabs(self->above - self->below) > refine;
}

/* The settings of a search's midpoint. */
static size_t midpoint(const struct sweep *sweep, struct search *self, struct sweep_setting *out)
{
    int axis = find_axis(sweep);
    size_t count = sweep_points_draw(&sweep->points, self->draw, out);
    text_from_double(0.5 * (self->below + self->above), self->number);
    size_t first = count;
    count += sweep_points_point(&sweep->points, self->point, out + count);
    out[first + (size_t)axis].value = self->number;
    return count;
}

/* One halving of every bracket that is wide still; `out_any`: there were some. */
static int halve(struct sweep *sweep, struct search *searches, size_t count,
                 struct evaluate_item *items, struct sweep_setting *settings, bool *out_any,
                 struct error *err)
{
    size_t room = sweep->points.point_settings + sweep->points.parameter_count + 1;
    size_t used = 0, runs = 0;
    for (size_t i = 0; i < count; i++) {
        if (!open_still(sweep, &searches[i]))
            continue;
        struct sweep_setting *own = settings + used * room;
        size_t settings_count = midpoint(sweep, &searches[i], own);
        for (size_t r = 0; r < sweep->replicates; r++)
            items[runs++] = (struct evaluate_item){
                .settings = own,
                .count = settings_count,
                .replicate = r,
                .numbers = searches[i].numbers + r * sweep->numbers,
            };
        used++;
    }
    *out_any = used > 0;
    int code = evaluate_items(&sweep->evaluate, items, runs, NULL, NULL, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        if (!open_still(sweep, &searches[i]))
            continue;
        double middle = 0.5 * (searches[i].below + searches[i].above);
        if (holds(sweep, searches[i].numbers))
            searches[i].above = middle;
        else
            searches[i].below = middle;
    }
    return code;
}

static int bisect(struct sweep *sweep, struct search *searches, size_t count, struct error *err)
{
    size_t room = sweep->points.point_settings + sweep->points.parameter_count + 1;
    struct evaluate_item *items = memory_alloc(count * sweep->replicates, sizeof *items);
    struct sweep_setting *settings = memory_alloc(count * room, sizeof *settings);
    int code =
        items == NULL || settings == NULL ? error_memory(err, "critical values") : ERROR_NONE;
    for (bool any = true; any && code == ERROR_NONE;)
        code = halve(sweep, searches, count, items, settings, &any, err);
    memory_free(items);
    memory_free(settings);
    return code;
}

/* ---- rows ------------------------------------------------------------------------------- */

static char *other_settings(const struct sweep *sweep, size_t point, struct sweep_setting *settings)
{
    struct text_buffer text = {0};
    int axis = find_axis(sweep);
    size_t count = sweep_points_point(&sweep->points, point, settings);
    text_append(&text, "");
    for (size_t k = 0; k < count; k++)
        if ((int)k != axis)
            text_appendf(&text, "%s%s=%s", text.length > 0 ? " " : "", settings[k].key,
                         settings[k].value);
    return text.failed ? NULL : text.data;
}

static bool add_row(struct critical *self, const struct sweep *sweep, size_t point,
                    struct sweep_setting *settings, const struct critical_row *row)
{
    struct critical_row *rows =
        memory_grow(self->rows, &self->capacity, self->count + 1, sizeof *rows);
    if (rows == NULL)
        return false;
    self->rows = rows;
    rows[self->count] = *row;
    rows[self->count].along = sweep->evaluate.scenario.critical.along;
    rows[self->count].settings = other_settings(sweep, point, settings);
    return rows[self->count++].settings != NULL;
}

/* The rows of one combination of the other axes: its draws, their mean and quantiles. */
static bool add_line(struct critical *self, const struct sweep *sweep,
                     const struct search *searches, struct sweep_setting *settings, double *values)
{
    const struct scenario *scenario = &sweep->evaluate.scenario;
    double quantiles[SCENARIO_QUANTILES_MAX];
    size_t draws = sweep->points.draws;
    struct bands bands;
    bool good = true;
    for (size_t d = 0; d < draws; d++) {
        values[d] = 0.5 * (searches[d].below + searches[d].above);
        struct critical_row row = {.draw = (int64_t)d + 1,
                                   .quantile = NAN,
                                   .value = values[d],
                                   .below = searches[d].below,
                                   .above = searches[d].above,
                                   .never_share = NAN,
                                   .draws = 1};
        good &= add_row(self, sweep, searches->point, settings, &row);
    }
    bands_of(values, draws, scenario->bands.quantiles, scenario->bands.quantile_count, &bands,
             quantiles);
    struct critical_row all = {.quantile = NAN,
                               .value = bands.mean,
                               .below = NAN,
                               .above = NAN,
                               .never_share = (double)bands.missing / (double)draws,
                               .draws = (int64_t)draws};
    good &= add_row(self, sweep, searches->point, settings, &all);
    for (size_t q = 0; q < scenario->bands.quantile_count; q++) {
        all.quantile = scenario->bands.quantiles[q];
        all.value = quantiles[q];
        good &= add_row(self, sweep, searches->point, settings, &all);
    }
    return good;
}

/* ---- finding ---------------------------------------------------------------------------- */

/* The first points of all lines along the axis. Returns how many. */
static size_t list_lines(const struct sweep *sweep, size_t *out)
{
    size_t axis = (size_t)find_axis(sweep), count = 0;
    for (size_t p = 0; p < sweep->points.points; p++)
        if (sweep_points_level(&sweep->points, p, axis) == 0)
            out[count++] = p;
    return count;
}

struct finding {
    struct search *searches;
    size_t *lines;
    double *numbers, *values;
    struct sweep_setting *settings;
};

static void finding_free(struct finding *self)
{
    memory_free(self->searches);
    memory_free(self->lines);
    memory_free(self->numbers);
    memory_free(self->values);
    memory_free(self->settings);
}

static int finding_make(const struct sweep *sweep, struct finding *self, size_t *out_lines,
                        struct error *err)
{
    size_t draws = sweep->points.draws, each = sweep->replicates * sweep->numbers;
    memset(self, 0, sizeof *self);
    self->lines = memory_alloc(sweep->points.points, sizeof *self->lines);
    if (self->lines == NULL)
        return error_memory(err, "critical values");
    *out_lines = list_lines(sweep, self->lines);
    size_t count = *out_lines * draws;
    self->searches = memory_zeroed(count, sizeof *self->searches);
    self->numbers = memory_alloc(count * each, sizeof *self->numbers);
    self->values = memory_alloc(draws, sizeof *self->values);
    self->settings = memory_alloc(sweep->points.point_settings + 1, sizeof *self->settings);
    if (self->searches == NULL || self->numbers == NULL || self->values == NULL ||
        self->settings == NULL)
        return error_memory(err, "critical values");
    for (size_t i = 0; i < count; i++) {
        self->searches[i].point = self->lines[i / draws];
        self->searches[i].draw = i % draws;
        self->searches[i].numbers = self->numbers + i * each;
        bracket(sweep, &self->searches[i], self->settings);
    }
    return ERROR_NONE;
}

int critical_find(struct sweep *sweep, struct critical *out, struct error *err)
{
    struct finding finding;
    size_t lines = 0;
    memset(out, 0, sizeof *out);
    int code = finding_make(sweep, &finding, &lines, err);
    if (code == ERROR_NONE)
        code = bisect(sweep, finding.searches, lines * sweep->points.draws, err);
    bool good = true;
    for (size_t i = 0; i < lines && code == ERROR_NONE && good; i++)
        good = add_line(out, sweep, finding.searches + i * sweep->points.draws, finding.settings,
                        finding.values);
    if (code == ERROR_NONE && !good)
        code = error_memory(err, "critical values");
    finding_free(&finding);
    if (code != ERROR_NONE)
        critical_free(out);
    return code;
}

void critical_free(struct critical *self)
{
    for (size_t i = 0; i < self->count; i++)
        memory_free(self->rows[i].settings);
    memory_free(self->rows);
    memset(self, 0, sizeof *self);
}
