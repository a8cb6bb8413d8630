#include "sim/study/solve.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "reports/bands.h"
#include "sim/study/measure.h"

#define COLUMN(record, member, kind, units, text)                                           \
    {                                                                                       \
#member, kind, units, text, offsetof(struct record, member), NULL, 0, 0, NULL, NULL \
    }
#define SOLVE(member, kind, units, text) COLUMN(solve_row, member, kind, units, text)
#define PROBE(member, kind, units, text) COLUMN(solve_probe, member, kind, units, text)

const struct field solve_fields[] = {
    SOLVE(draw, FIELD_INT64, "", "draw of the uncertain parameters, from 1; 0: over all draws"),
    SOLVE(quantile, FIELD_DOUBLE, "share",
          "over draws with an answer; empty: one draw, or their mean"),
    SOLVE(status, FIELD_TEXT, "",
          "of one draw: found; at_start: it holds at the start; never; missing: the price runs "
          "away before it is seen to hold"),
    SOLVE(value, FIELD_DOUBLE, "",
          "the answer: the first value looked at where it holds; empty: none"),
    SOLVE(below, FIELD_DOUBLE, "", "last value looked at before it holds, or before answers end"),
    SOLVE(above, FIELD_DOUBLE, "", "first value looked at where it holds, or without an answer"),
    SOLVE(metric_below, FIELD_DOUBLE, "", "metric at `below`, mean over replicates"),
    SOLVE(metric_above, FIELD_DOUBLE, "", "the same at `above`"),
    SOLVE(crossings, FIELD_DOUBLE, "", "how often it begins to hold along the values of the range"),
    SOLVE(ends, FIELD_DOUBLE, "", "how often it ceases to"),
    SOLVE(at_start_share, FIELD_DOUBLE, "share", "draws where it holds at the start"),
    SOLVE(never_share, FIELD_DOUBLE, "share", "draws where it never holds"),
    SOLVE(missing_share, FIELD_DOUBLE, "share", "draws where the price runs away first"),
    SOLVE(draws, FIELD_INT64, "", "draws behind it"),
};
const size_t solve_field_count = sizeof solve_fields / sizeof *solve_fields;

const struct field solve_probe_fields[] = {
    PROBE(draw, FIELD_INT64, "", "draw of the uncertain parameters, from 1"),
    PROBE(value, FIELD_DOUBLE, "", "value looked at"),
    PROBE(metric, FIELD_DOUBLE, "", "metric there, mean over replicates"),
    PROBE(answer, FIELD_TEXT, "", "whether the condition holds: holds, fails, missing"),
};
const size_t solve_probe_field_count = sizeof solve_probe_fields / sizeof *solve_probe_fields;

/* ---- life ------------------------------------------------------------------------------- */

/* The caller's sets, and behind them the key at the beginning of the range. */
static int make_sets(struct solve *self, const char *const *sets, size_t set_count,
                     struct error *err)
{
    char number[SETTING_NUMBER_SIZE];
    struct text_buffer text = {0};
    text_appendf(&text, "%s=%s", self->question.key,
                 question_value(&self->question, self->question.from, number));
    self->set = text.data;
    self->sets = memory_alloc(set_count + 1, sizeof *self->sets);
    if (text.failed || self->sets == NULL)
        return error_memory(err, "a question");
    for (size_t i = 0; i < set_count; i++)
        self->sets[i] = sets[i];
    self->sets[set_count] = self->set;
    return ERROR_NONE;
}

static int check(const struct solve *self, struct error *err)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    if (scenario->oi.level_count > 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "oi.levels_usd",
                        "are runs side by side; expected an empty list (--set oi.levels_usd=[]), "
                        "or oi.level_usd in its place");
    for (size_t i = 0; i < scenario->uncertainty.parameter_count; i++)
        if (strcmp(scenario->uncertainty.parameters[i].key, self->question.key) == 0)
            return error_at(
                err, ERROR_SCENARIO, scenario->path_name, 0, 0, "uncertainty.parameters",
                "draws %s, which is varied; expected it with other keys", self->question.key);
    return ERROR_NONE;
}

static int make(struct solve *self, struct error *err)
{
    int code = check(self, err);
    if (code == ERROR_NONE)
        code = sweep_points_init(&self->points, &self->evaluate.scenario, err);
    if (code != ERROR_NONE)
        return code;
    self->searches = memory_zeroed(self->points.draws, sizeof *self->searches);
    self->bases = memory_alloc(self->points.draws, sizeof *self->bases);
    return self->searches == NULL || self->bases == NULL ? error_memory(err, "a question")
                                                         : ERROR_NONE;
}

int solve_init(struct solve *self, const struct question *question, const char *path,
               const char *const *sets, size_t set_count, int64_t seed, struct error_list *errors,
               struct error *err)
{
    memset(self, 0, sizeof *self);
    self->question = *question;
    int code = make_sets(self, sets, set_count, err);
    if (code == ERROR_NONE)
        code = evaluate_init(&self->evaluate, path, self->sets, set_count + 1, seed, errors, err);
    if (code != ERROR_NONE) {
        memory_free(self->sets);
        memory_free(self->set);
        return code;
    }
    code = make(self, err);
    if (code != ERROR_NONE)
        solve_free(self);
    return code;
}

void solve_free(struct solve *self)
{
    sweep_points_free(&self->points);
    evaluate_free(&self->evaluate);
    memory_free(self->searches);
    memory_free(self->bases);
    memory_free(self->rows);
    memory_free(self->probes);
    memory_free(self->sets);
    memory_free(self->set);
    memset(self, 0, sizeof *self);
}

/* ---- looking ---------------------------------------------------------------------------- */

/* What one round looks at. */
struct round {
    struct measure_variant *variants;     /* owned */
    struct sweep_setting *settings;       /* owned */
    char (*numbers)[SETTING_NUMBER_SIZE]; /* owned */
};

static void round_free(struct round *self)
{
    memory_free(self->variants);
    memory_free(self->settings);
    memory_free(self->numbers);
}

static struct measure_variant variant_at(const struct solve *self, size_t draw, const char *number,
                                         struct sweep_setting *settings)
{
    size_t count = sweep_points_draw(&self->points, draw, settings);
    settings[count] = (struct sweep_setting){self->question.key, number};
    return (struct measure_variant){.settings = settings, .count = count + 1};
}

static int round_make(const struct solve *self, const struct search_probe *probes, size_t count,
                      struct round *out, struct error *err)
{
    size_t room = self->points.parameter_count + 1;
    out->variants = memory_alloc(count, sizeof *out->variants);
    out->settings = memory_alloc(count * room, sizeof *out->settings);
    out->numbers = memory_alloc(count, sizeof *out->numbers);
    if (out->variants == NULL || out->settings == NULL || out->numbers == NULL)
        return error_memory(err, "a question");
    for (size_t i = 0; i < count; i++) {
        question_value(&self->question, probes[i].value, out->numbers[i]);
        out->variants[i] =
            variant_at(self, probes[i].search, out->numbers[i], out->settings + i * room);
    }
    return ERROR_NONE;
}

/* A draw without the metric at the start, or with 0, has no multiples of it, and no answers. */
static void answer(struct solve *self, const struct measure_means *means,
                   struct search_probe *probe)
{
    double metric = means->mean[0];
    struct measure_means own = *means;
    if (self->question.relative) {
        if (probe->value == self->question.from)
            self->bases[probe->search] = metric;
        double base = self->bases[probe->search];
        metric /= base;
        own.ran_away |= base == 0.0 || isnan(base);
    }
    probe->number = own.ran_away ? NAN : metric;
    probe->answer = measure_answer(&own, &self->question.until, metric);
}

static bool keep_probe(struct solve *self, const struct search_probe *probe)
{
    static char words[][8] = {"fails", "holds", "missing"}; /* by enum search_answer */
    struct solve_probe *probes =
        memory_grow(self->probes, &self->probe_capacity, self->probe_count + 1, sizeof *probes);
    if (probes == NULL)
        return false;
    self->probes = probes;
    probes[self->probe_count++] = (struct solve_probe){
        .draw = (int64_t)probe->search + 1,
        .value = probe->value,
        .metric = probe->number,
        .answer = words[probe->answer],
    };
    return true;
}

/* A draw's first probe is at the start of the range. */
static int look(void *context, struct search_probe *probes, size_t count, struct error *err)
{
    struct solve *self = context;
    struct round round = {0};
    int64_t runs = (int64_t)count * self->evaluate.scenario.replicates;
    int code = round_make(self, probes, count, &round, err);
    if (code == ERROR_NONE) {
        progress_start(&self->evaluate.progress, "solving", "runs", runs);
        code = measure_variants(&self->evaluate, round.variants, count, &self->question.number, 1,
                                err);
        progress_end(&self->evaluate.progress);
    }
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        answer(self, &round.variants[i].means, &probes[i]);
        if (!keep_probe(self, &probes[i]))
            code = error_memory(err, "a question");
    }
    round_free(&round);
    return code;
}

static int choose_parts(struct solve *self, struct search_rule *rule, struct error *err)
{
    size_t room = self->points.parameter_count + 1;
    char numbers[2][SETTING_NUMBER_SIZE];
    struct sweep_setting *settings = memory_alloc(2 * room, sizeof *settings);
    if (settings == NULL)
        return error_memory(err, "a question");
    question_value(&self->question, self->question.from, numbers[0]);
    question_value(&self->question, self->question.to, numbers[1]);
    const struct measure_variant from = variant_at(self, 0, numbers[0], settings);
    const struct measure_variant to = variant_at(self, 0, numbers[1], settings + room);
    int code = measure_parts(&self->evaluate, &from, &to, &rule->parts, err);
    memory_free(settings);
    return code;
}

/* ---- rows ------------------------------------------------------------------------------- */

size_t solve_count(const struct solve *self, enum search_status status)
{
    size_t count = 0;
    for (size_t d = 0; d < self->points.draws; d++)
        count += self->searches[d].status == (int)status;
    return count;
}

static struct solve_row row_of(const struct search *search, size_t draw)
{
    return (struct solve_row){
        .draw = (int64_t)draw + 1,
        .quantile = NAN,
        .status = search_status_name(search->status),
        .value = search->status == SEARCH_FOUND ? search->above.value : NAN,
        .below = search->below.value,
        .above = search->above.value,
        .metric_below = search->below.number,
        .metric_above = search->above.number,
        .crossings = (double)search->crossings,
        .ends = (double)search->ends,
        .at_start_share = NAN,
        .never_share = NAN,
        .missing_share = NAN,
        .draws = 1,
    };
}

static double share(const struct solve *self, enum search_status status)
{
    return (double)solve_count(self, status) / (double)self->points.draws;
}

static void add_bands(struct solve *self, double *values)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    double quantiles[SCENARIO_QUANTILES_MAX];
    struct bands bands;
    bands_of(values, self->points.draws, scenario->bands.quantiles, scenario->bands.quantile_count,
             &bands, quantiles);
    struct solve_row row = {
        .quantile = NAN,
        .value = bands.mean,
        .below = NAN,
        .above = NAN,
        .metric_below = NAN,
        .metric_above = NAN,
        .crossings = NAN,
        .ends = NAN,
        .at_start_share = share(self, SEARCH_AT_START),
        .never_share = share(self, SEARCH_NEVER),
        .missing_share = share(self, SEARCH_MISSING),
        .draws = (int64_t)self->points.draws,
    };
    self->rows[self->row_count++] = row;
    for (size_t q = 0; q < scenario->bands.quantile_count; q++) {
        row.quantile = scenario->bands.quantiles[q];
        row.value = quantiles[q];
        self->rows[self->row_count++] = row;
    }
}

static int make_rows(struct solve *self, struct error *err)
{
    size_t draws = self->points.draws;
    size_t room = draws + 1 + self->evaluate.scenario.bands.quantile_count;
    double *values = memory_alloc(draws, sizeof *values);
    self->rows = memory_alloc(room, sizeof *self->rows);
    if (values == NULL || self->rows == NULL) {
        memory_free(values);
        return error_memory(err, "a question");
    }
    for (size_t d = 0; d < draws; d++) {
        self->rows[d] = row_of(&self->searches[d], d);
        values[d] = self->rows[d].value;
    }
    self->row_count = draws;
    add_bands(self, values);
    memory_free(values);
    return ERROR_NONE;
}

int solve_run(struct solve *self, struct error *err)
{
    const struct question *question = &self->question;
    struct search_rule rule = {
        .tolerance = question->tolerance,
        .log = question->log,
        .whole = question->row->field.type != FIELD_DOUBLE,
    };
    double *values = memory_alloc(question->points, sizeof *values);
    if (values == NULL)
        return error_memory(err, "a question");
    int code = choose_parts(self, &rule, err);
    size_t count = search_spread(question->from, question->to, question->points, &rule, values);
    if (code == ERROR_NONE)
        code =
            search_run(self->searches, self->points.draws, values, count, &rule, look, self, err);
    memory_free(values);
    return code == ERROR_NONE ? make_rows(self, err) : code;
}
