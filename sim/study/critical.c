#include "sim/study/critical.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "reports/bands.h"
#include "scenarios/value.h"
#include "sim/study/measure.h"
#include "sim/study/search.h"

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
    CRITICAL(branching_below, FIELD_DOUBLE, "",
             "mean over replicates of branching_ratio_max at `below`; over draws: their mean or "
             "quantile"),
    CRITICAL(branching_above, FIELD_DOUBLE, "", "the same at `above`"),
    CRITICAL(never_share, FIELD_DOUBLE, "share", "draws without a critical value"),
    CRITICAL(draws, FIELD_INT64, "", "draws behind it"),
    CRITICAL(status, FIELD_TEXT, "",
             "of one draw: found; at_start: it holds at the first value; never; missing: the price "
             "runs away before it is seen to hold"),
};
const size_t critical_field_count = sizeof critical_fields / sizeof *critical_fields;

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

int critical_check(const struct sweep *sweep, struct error *err)
{
    const struct scenario *scenario = &sweep->evaluate.scenario;
    const char *metric = scenario->critical.when.metric;
    char hint[VALUE_HINT_SIZE];
    if (scenario->sweep.method != SWEEP_GRID || find_axis(sweep) < 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "critical.along",
                        "%s is no axis of a grid; expected sweep.method: grid with it among "
                        "sweep.axes",
                        scenario->critical.along);
    if (measure_number(metric) < 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "critical.when",
                        "%s is no number of summary.csv; expected one, such as jump_share_of_oi%s",
                        metric, measure_hint(metric, hint));
    return ERROR_NONE;
}

/* ---- finding ---------------------------------------------------------------------------- */

/* Search i is that of draw i % draws on the line i / draws: a combination of the other axes. */
struct finding {
    struct sweep *sweep;
    size_t axis, draws;
    size_t which[MEASURE_NUMBERS_MAX]; /* the number of the condition, and the branching ratio */
    size_t *lines;                     /* their first points; owned */
    size_t line_count;
    struct search *searches;     /* owned */
    struct search_probe *levels; /* of one line; owned */
    struct search_rule rule;
};

static size_t settings_room(const struct sweep *sweep)
{
    return sweep->points.point_settings + sweep->points.parameter_count;
}

/* The value of the axis at a point. */
static double value_on_axis(const struct finding *self, size_t point,
                            struct sweep_setting *settings)
{
    double value = NAN;
    sweep_points_point(&self->sweep->points, point, settings);
    const char *text = settings[self->axis].value;
    text_to_double(text, strlen(text), false, &value);
    return value;
}

static void answer(const struct finding *self, const struct measure_means *means,
                   struct search_probe *probe)
{
    const struct condition *when = &self->sweep->evaluate.scenario.critical.when;
    probe->answer = measure_answer(means, when, means->mean[0]);
    probe->number = means->mean[1];
}

/* What the sweep itself has seen of a search. */
static void begin(struct finding *self, size_t search, struct sweep_setting *settings)
{
    const struct sweep *sweep = self->sweep;
    size_t count = sweep_points_levels(&sweep->points, self->axis);
    size_t stride = sweep_points_stride(&sweep->points, self->axis);
    for (size_t i = 0; i < count; i++) {
        size_t point = self->lines[search / self->draws] + i * stride;
        size_t cell = point * self->draws + search % self->draws;
        struct measure_means means =
            measure_means_of(sweep->values + cell * sweep->replicates * sweep->payload,
                             sweep->replicates, sweep->payload, self->which, MEASURE_NUMBERS_MAX);
        self->levels[i].value = value_on_axis(self, point, settings);
        answer(self, &means, &self->levels[i]);
    }
    search_begin(&self->searches[search], self->levels, count);
}

/* The settings of a search at a value of the axis, whose text is in `number`. */
static struct measure_variant variant_at(const struct finding *self, size_t search,
                                         const char *number, struct sweep_setting *settings)
{
    const struct sweep_points *points = &self->sweep->points;
    size_t first = sweep_points_draw(points, search % self->draws, settings);
    size_t count = sweep_points_point(points, self->lines[search / self->draws], settings + first);
    settings[first + self->axis].value = number;
    return (struct measure_variant){.settings = settings, .count = first + count};
}

static int look(void *context, struct search_probe *probes, size_t count, struct error *err)
{
    struct finding *self = context;
    size_t room = settings_room(self->sweep);
    struct measure_variant *variants = memory_alloc(count, sizeof *variants);
    struct sweep_setting *settings = memory_alloc(count * room, sizeof *settings);
    char(*numbers)[SETTING_NUMBER_SIZE] = memory_alloc(count, sizeof *numbers);
    int code = variants == NULL || settings == NULL || numbers == NULL
                   ? error_memory(err, "critical values")
                   : ERROR_NONE;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        text_from_double(probes[i].value, numbers[i]);
        variants[i] = variant_at(self, probes[i].search, numbers[i], settings + i * room);
    }
    if (code == ERROR_NONE)
        code = measure_variants(&self->sweep->evaluate, variants, count, self->which,
                                MEASURE_NUMBERS_MAX, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        answer(self, &variants[i].means, &probes[i]);
    memory_free(variants);
    memory_free(settings);
    memory_free(numbers);
    return code;
}

static void finding_free(struct finding *self)
{
    memory_free(self->lines);
    memory_free(self->searches);
    memory_free(self->levels);
}

/* The first points of all lines along the axis. */
static void list_lines(struct finding *self)
{
    const struct sweep_points *points = &self->sweep->points;
    self->line_count = 0;
    for (size_t p = 0; p < points->points; p++)
        if (sweep_points_level(points, p, self->axis) == 0)
            self->lines[self->line_count++] = p;
}

static int finding_make(struct sweep *sweep, struct finding *self, struct error *err)
{
    const struct scenario *scenario = &sweep->evaluate.scenario;
    liqcascade_bug_assert(sweep->points.draws > 0, "a sweep has a draw");
    *self = (struct finding){
        .sweep = sweep,
        .axis = (size_t)find_axis(sweep),
        .draws = sweep->points.draws,
        .which = {(size_t)measure_number(scenario->critical.when.metric),
                  (size_t)measure_number("branching_ratio_max")},
        .rule = {.tolerance = scenario->critical.refine, .parts = 2},
    };
    self->lines = memory_alloc(sweep->points.points, sizeof *self->lines);
    self->levels =
        memory_alloc(sweep_points_levels(&sweep->points, self->axis), sizeof *self->levels);
    if (self->lines == NULL || self->levels == NULL)
        return error_memory(err, "critical values");
    list_lines(self);
    self->searches = memory_zeroed(self->line_count * self->draws, sizeof *self->searches);
    return self->searches == NULL ? error_memory(err, "critical values") : ERROR_NONE;
}

/* How the pairs of this axis are best narrowed. */
static int choose_parts(struct finding *self, struct sweep_setting *settings, struct error *err)
{
    size_t room = settings_room(self->sweep);
    const struct measure_variant low = variant_at(self, 0, "1", settings);
    const struct measure_variant high = variant_at(self, 0, "2", settings + room);
    return measure_parts(&self->sweep->evaluate, &low, &high, &self->rule.parts, err);
}

static int find_all(struct finding *self, struct error *err)
{
    size_t count = self->line_count * self->draws;
    struct sweep_setting *settings =
        memory_alloc(2 * settings_room(self->sweep) + 1, sizeof *settings);
    if (settings == NULL)
        return error_memory(err, "critical values");
    for (size_t i = 0; i < count; i++)
        begin(self, i, settings);
    int code = choose_parts(self, settings, err);
    if (code == ERROR_NONE)
        code = search_narrow(self->searches, count, &self->rule, look, self, err);
    memory_free(settings);
    return code;
}

/* ---- rows ------------------------------------------------------------------------------- */

static char *other_settings(const struct finding *self, size_t point,
                            struct sweep_setting *settings)
{
    struct text_buffer text = {0};
    size_t count = sweep_points_point(&self->sweep->points, point, settings);
    text_append(&text, "");
    for (size_t k = 0; k < count; k++)
        if (k != self->axis)
            text_appendf(&text, "%s%s=%s", text.length > 0 ? " " : "", settings[k].key,
                         settings[k].value);
    return text.failed ? NULL : text.data;
}

/* Where the rows of one line are made. */
struct line {
    struct critical *out;
    const struct finding *finding;
    size_t point;
    const struct search *searches;  /* its draws' */
    struct sweep_setting *settings; /* room for a point; owned */
    double *values, *below, *above; /* by draw: the value, and the branching ratio at both ends; of
                                       one allocation; owned */
};

static bool add_row(const struct line *line, const struct critical_row *row)
{
    struct critical *out = line->out;
    struct critical_row *rows =
        memory_grow(out->rows, &out->capacity, out->count + 1, sizeof *rows);
    if (rows == NULL)
        return false;
    out->rows = rows;
    rows[out->count] = *row;
    rows[out->count].along = line->finding->sweep->evaluate.scenario.critical.along;
    rows[out->count].settings = other_settings(line->finding, line->point, line->settings);
    return rows[out->count++].settings != NULL;
}

static bool add_draw(const struct line *line, size_t draw)
{
    const struct search *search = &line->searches[draw];
    bool found = search->status == SEARCH_FOUND;
    struct critical_row row = {
        .draw = (int64_t)draw + 1,
        .quantile = NAN,
        .below = found ? search->below.value : NAN,
        .above = found ? search->above.value : NAN,
        .branching_below = found ? search->below.number : NAN,
        .branching_above = found ? search->above.number : NAN,
        .never_share = NAN,
        .draws = 1,
        .status = search_status_name(search->status),
    };
    row.value = line->values[draw] = 0.5 * (row.below + row.above);
    line->below[draw] = row.branching_below;
    line->above[draw] = row.branching_above;
    return add_row(line, &row);
}

/* Mean and quantiles over draws of the values and of the branching ratios, each by itself. */
static bool add_bands(const struct line *line)
{
    const struct scenario *scenario = &line->finding->sweep->evaluate.scenario;
    size_t probability_count = scenario->bands.quantile_count, draws = line->finding->draws;
    double quantiles[3][SCENARIO_QUANTILES_MAX];
    double *const of[] = {line->values, line->below, line->above};
    struct bands bands[3];
    for (int i = 0; i < 3; i++)
        bands_of(of[i], draws, scenario->bands.quantiles, probability_count, &bands[i],
                 quantiles[i]);
    struct critical_row row = {.quantile = NAN,
                               .value = bands[0].mean,
                               .below = NAN,
                               .above = NAN,
                               .branching_below = bands[1].mean,
                               .branching_above = bands[2].mean,
                               .never_share = (double)bands[0].missing / (double)draws,
                               .draws = (int64_t)draws};
    bool good = add_row(line, &row);
    for (size_t q = 0; q < probability_count; q++) {
        row.quantile = scenario->bands.quantiles[q];
        row.value = quantiles[0][q];
        row.branching_below = quantiles[1][q];
        row.branching_above = quantiles[2][q];
        good &= add_row(line, &row);
    }
    return good;
}

static bool add_lines(const struct finding *self, struct critical *out)
{
    size_t draws = self->draws;
    struct line line = {
        .out = out,
        .finding = self,
        .settings = memory_alloc(self->sweep->points.point_settings + 1, sizeof *line.settings),
        .values = memory_alloc(3 * draws, sizeof *line.values),
    };
    bool good = line.settings != NULL && line.values != NULL;
    for (size_t i = 0; i < self->line_count && good; i++) {
        line.point = self->lines[i];
        line.searches = self->searches + i * draws;
        line.below = line.values + draws;
        line.above = line.below + draws;
        for (size_t d = 0; d < draws; d++)
            good &= add_draw(&line, d);
        good = good && add_bands(&line);
    }
    memory_free(line.settings);
    memory_free(line.values);
    return good;
}

int critical_find(struct sweep *sweep, struct critical *out, struct error *err)
{
    struct finding finding;
    memset(out, 0, sizeof *out);
    int code = finding_make(sweep, &finding, err);
    if (code == ERROR_NONE)
        code = find_all(&finding, err);
    if (code == ERROR_NONE && !add_lines(&finding, out))
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
