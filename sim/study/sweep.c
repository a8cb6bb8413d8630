#include "sim/study/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "base/version.h"
#include "sim/made_path.h"

/* ---- life ------------------------------------------------------------------------------- */

/* The sets that make a baseline of the scenario; NULL: there is none on its path. */
static const struct sweep_setting *baseline_setting(const struct sweep *self, const char *name)
{
    static const struct sweep_setting open = {"feedback", "open"};
    static const struct sweep_setting no_impact = {"impact.model", "none"};
    static const struct sweep_setting naive = {"feedback", "naive"};
    bool observed = self->evaluate.scenario.path.model == PATH_OBSERVED;
    if (strcmp(name, "open") == 0)
        return observed ? &open : &no_impact;
    return strcmp(name, "naive") == 0 && observed ? &naive : NULL;
}

static int list_baselines(struct sweep *self, struct error *err)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    self->baselines[self->baseline_count++] = "model";
    if (scenario->baselines.open)
        self->baselines[self->baseline_count++] = "open";
    if (scenario->baselines.naive)
        self->baselines[self->baseline_count++] = "naive";
    if (scenario->baselines.naive && baseline_setting(self, "naive") == NULL)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "baselines",
                        "naive counts twice what an observed path holds; expected it with "
                        "path.model: observed");
    if (scenario->baselines.null)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "baselines",
                        "null is fitted to events, which a sweep has none of; expected open or "
                        "naive");
    return ERROR_NONE;
}

static int check(const struct sweep *self, struct error *err)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    if (scenario->sweep.method == SWEEP_NONE)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "sweep",
                        "is missing; expected a method and axes, or the command `run`");
    if (scenario->oi.level_count > 0)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "oi.levels_usd",
                        "are runs side by side; expected an axis oi.level_usd in their place");
    return ERROR_NONE;
}

static int make(struct sweep *self, struct error *err)
{
    const struct scenario *scenario = &self->evaluate.scenario;
    int code = check(self, err);
    if (code == ERROR_NONE)
        code = list_baselines(self, err);
    if (code == ERROR_NONE)
        code = sweep_points_init(&self->points, scenario, err);
    if (code != ERROR_NONE)
        return code;
    self->numbers = evaluate_numbers();
    self->replicates = (size_t)scenario->replicates;
    self->payload = self->baseline_count * self->replicates * self->numbers;
    self->items = self->points.points * self->points.draws;
    self->values = memory_alloc(self->items * self->payload, sizeof *self->values);
    self->done = memory_zeroed(self->items, sizeof *self->done);
    return self->values == NULL || self->done == NULL ? error_memory(err, "a sweep's results")
                                                      : ERROR_NONE;
}

int sweep_init(struct sweep *self, const char *path, const char *const *sets, size_t set_count,
               int64_t seed, struct error_list *errors, struct error *err)
{
    memset(self, 0, sizeof *self);
    int code = evaluate_init(&self->evaluate, path, sets, set_count, seed, errors, err);
    if (code != ERROR_NONE)
        return code;
    code = make(self, err);
    if (code != ERROR_NONE)
        sweep_free(self);
    return code;
}

void sweep_free(struct sweep *self)
{
    sweep_points_free(&self->points);
    memory_free(self->values);
    memory_free(self->done);
    evaluate_free(&self->evaluate);
    memset(self, 0, sizeof *self);
}

/* The data as they are, not only what they are called. */
static void write_inputs(const struct setup *setup, FILE *out)
{
    for (int input = 0; input < MARKET_INPUT_COUNT; input++)
        for (size_t i = 0; i < setup->market.input_count[input]; i++)
            fprintf(out, "%s\n", setup->market.inputs[input][i].sha256);
    for (size_t v = 0; v < setup->venue_count; v++)
        if (setup->tables[v].count > 0)
            fprintf(out, "%s\n", setup->tables[v].input.sha256);
    if (setup->given != NULL)
        fprintf(out, "%s\n", setup->positions.input.sha256);
}

int sweep_identity(const struct sweep *self, char out[], struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return error_memory(err, "the identity of a sweep");
    struct scenario resolved = self->evaluate.scenario; /* borrows; as the results will say it */
    if (made_path_wanted(&resolved))
        made_path_resolve(&self->evaluate.setup.made, &resolved);
    int code = scenario_write(&resolved, memory, err);
    write_inputs(&self->evaluate.setup, memory);
    fprintf(memory, "%s %s %zu", LIQCASCADE_VERSION, LIQCASCADE_REVISION, self->numbers);
    if (fclose(memory) != 0 && code == ERROR_NONE)
        code = error_memory(err, "the identity of a sweep");
    if (code == ERROR_NONE)
        sha256_bytes(text, size, out);
    free(text);
    return code;
}

/* ---- computing -------------------------------------------------------------------------- */

/* Items of one pass: all points of some draws. */
struct pass {
    struct sweep *sweep;
    struct evaluate_item *items; /* by item of the sweep and baseline */
    struct sweep_setting *settings;
    size_t *numbers; /* of the sweep's item that each is of */
    size_t count;
    sweep_done *done;
    void *context;
};

static size_t settings_room(const struct sweep *self)
{
    return self->points.point_settings + self->points.parameter_count + 1;
}

/* The settings of an item under a baseline: a point's win over a draw's. Returns how many. */
static size_t fill_settings(const struct sweep *self, size_t item, size_t baseline,
                            struct sweep_setting *out)
{
    size_t point = item / self->points.draws, draw = item % self->points.draws;
    size_t count = sweep_points_draw(&self->points, draw, out);
    count += sweep_points_point(&self->points, point, out + count);
    if (baseline > 0)
        out[count++] = *baseline_setting(self, self->baselines[baseline]);
    return count;
}

/* Notes an item whose baselines are all done. */
static int item_done(void *context, const struct evaluate_item *item, struct error *err)
{
    struct pass *self = context;
    struct sweep *sweep = self->sweep;
    size_t place = (size_t)(item - self->items);
    size_t first = place - place % sweep->baseline_count, number = self->numbers[place];
    for (size_t b = 0; b < sweep->baseline_count; b++)
        if (!self->items[first + b].done)
            return ERROR_NONE;
    if (sweep->done[number])
        return ERROR_NONE;
    sweep->done[number] = true;
    return self->done == NULL
               ? ERROR_NONE
               : self->done(self->context, number, sweep->values + number * sweep->payload, err);
}

static void pass_add(struct pass *self, size_t item)
{
    struct sweep *sweep = self->sweep;
    size_t room = settings_room(sweep), stride = sweep->replicates * sweep->numbers;
    for (size_t b = 0; b < sweep->baseline_count; b++) {
        struct sweep_setting *settings = self->settings + self->count * room;
        self->numbers[self->count] = item;
        self->items[self->count++] = (struct evaluate_item){
            .settings = settings,
            .count = fill_settings(sweep, item, b, settings),
            .numbers = sweep->values + item * sweep->payload + b * stride,
        };
    }
}

/* Draws are computed one after the other, or several at once when each has few points. */
enum { PASS_ITEMS = 256 };

static int run_pass(struct pass *self, const bool *wanted, size_t draw, size_t draws,
                    struct error *err)
{
    struct sweep *sweep = self->sweep;
    self->count = 0;
    for (size_t d = draw; d < draw + draws; d++)
        for (size_t p = 0; p < sweep->points.points; p++) {
            size_t item = p * sweep->points.draws + d;
            if (wanted[item] && !sweep->done[item])
                pass_add(self, item);
        }
    return evaluate_items(&sweep->evaluate, self->items, self->count, item_done, self, err);
}

static int64_t count_runs(const struct sweep *self, const bool *wanted)
{
    size_t items = 0;
    for (size_t i = 0; i < self->items; i++)
        items += wanted[i] && !self->done[i];
    return (int64_t)(items * self->baseline_count * self->replicates);
}

int sweep_run(struct sweep *self, const bool *wanted, sweep_done *done, void *context,
              struct error *err)
{
    size_t points = self->points.points;
    size_t draws = points < PASS_ITEMS ? PASS_ITEMS / points : 1;
    draws = draws < self->points.draws ? draws : self->points.draws;
    size_t room = points * draws * self->baseline_count;
    struct pass pass = {.sweep = self, .done = done, .context = context};
    pass.items = memory_alloc(room, sizeof *pass.items);
    pass.numbers = memory_alloc(room, sizeof *pass.numbers);
    pass.settings = memory_alloc(room * settings_room(self), sizeof *pass.settings);
    int code = pass.items == NULL || pass.numbers == NULL || pass.settings == NULL
                   ? error_memory(err, "a sweep")
                   : ERROR_NONE;
    progress_start(&self->evaluate.progress, "sweeping", "runs", count_runs(self, wanted));
    for (size_t d = 0; d < self->points.draws && code == ERROR_NONE; d += draws) {
        size_t some = d + draws < self->points.draws ? draws : self->points.draws - d;
        code = run_pass(&pass, wanted, d, some, err);
    }
    progress_end(&self->evaluate.progress);
    memory_free(pass.items);
    memory_free(pass.numbers);
    memory_free(pass.settings);
    return code;
}

int sweep_books(const struct sweep *self, size_t *out_books, struct error *err)
{
    size_t room = settings_room(self);
    struct evaluate_item *items = memory_zeroed(self->items, sizeof *items);
    struct sweep_setting *settings = memory_alloc(self->items * room, sizeof *settings);
    int code = items == NULL || settings == NULL ? error_memory(err, "a plan") : ERROR_NONE;
    for (size_t i = 0; i < self->items && code == ERROR_NONE; i++) {
        items[i].settings = settings + i * room;
        items[i].count = fill_settings(self, i, 0, settings + i * room);
    }
    if (code == ERROR_NONE)
        code = evaluate_books(&self->evaluate, items, self->items, out_books, err);
    memory_free(items);
    memory_free(settings);
    return code;
}

/* ---- results ---------------------------------------------------------------------------- */

double sweep_number(const struct sweep *self, size_t point, size_t draw, size_t replicate,
                    size_t baseline, size_t number)
{
    size_t item = point * self->points.draws + draw;
    size_t run = baseline * self->replicates + replicate;
    return self->values[item * self->payload + run * self->numbers + number];
}
