#include "sim/study/sweep.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* ---- life ------------------------------------------------------------------------------- */

/* The sets that make a baseline of the scenario; NULL: there is none on its path. */
static const struct sweep_setting *baseline_setting(const struct sweep *self, const char *name)
{
    static const struct sweep_setting open = {"feedback", "open"};
    static const struct sweep_setting no_impact = {"impact.model", "none"};
    static const struct sweep_setting naive = {"feedback", "naive"};
    static const struct sweep_setting least = {"fixed_point", "least"};
    bool observed = self->evaluate.scenario.path.model == PATH_OBSERVED;
    if (strcmp(name, "open") == 0)
        return observed ? &open : &no_impact;
    if (strcmp(name, "least") == 0)
        return setup_counterfactual(&self->evaluate.setup) ? &least : NULL;
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
    if (scenario->baselines.least)
        self->baselines[self->baseline_count++] = "least";
    if (scenario->baselines.naive && baseline_setting(self, "naive") == NULL)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "baselines",
                        "naive counts twice what an observed path holds; expected it with "
                        "path.model: observed");
    if (scenario->baselines.least && baseline_setting(self, "least") == NULL)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "baselines",
                        "least is the other fixed point of a counterfactual; expected it with "
                        "path.model: observed and feedback: closed");
    if (scenario->baselines.null)
        return error_at(err, ERROR_SCENARIO, scenario->path_name, 0, 0, "baselines",
                        "null is fitted to events, which a sweep has none of; expected open, "
                        "naive or least");
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
    self->payload = self->baseline_count * self->numbers;
    self->items = self->points.points * self->points.draws * self->replicates;
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

int sweep_identity(const struct sweep *self, char out[SHA256_TEXT_SIZE], struct error *err)
{
    return evaluate_identity(&self->evaluate, NULL, out, err);
}

/* ---- computing -------------------------------------------------------------------------- */

/* Runs of one pass: all points of some draws. */
struct pass {
    struct sweep *sweep;
    struct evaluate_item *runs;     /* owned */
    size_t *items;                  /* that each is of; owned */
    struct sweep_setting *settings; /* by point, draw and baseline; owned */
    size_t count, settings_count;
    unsigned char *left; /* per item of the sweep: runs that it waits for; owned */
    sweep_done *done;
    void *context;
};

static size_t settings_room(const struct sweep *self)
{
    return self->points.point_settings + self->points.parameter_count + 1;
}

/* The settings of a point and draw under a baseline: a point's win over a draw's. Returns how many.
 */
static size_t fill_settings(const struct sweep *self, size_t point, size_t draw, size_t baseline,
                            struct sweep_setting *out)
{
    size_t count = sweep_points_draw(&self->points, draw, out);
    count += sweep_points_point(&self->points, point, out + count);
    if (baseline > 0)
        out[count++] = *baseline_setting(self, self->baselines[baseline]);
    return count;
}

static size_t item_of(const struct sweep *self, size_t point, size_t draw, size_t replicate)
{
    return (point * self->points.draws + draw) * self->replicates + replicate;
}

/* Notes an item whose baselines are all done. */
static int run_done(void *context, const struct evaluate_item *run, struct error *err)
{
    struct pass *self = context;
    struct sweep *sweep = self->sweep;
    size_t item = self->items[run - self->runs];
    if (--self->left[item] > 0)
        return ERROR_NONE;
    sweep->done[item] = true;
    return self->done == NULL
               ? ERROR_NONE
               : self->done(self->context, item, sweep->values + item * sweep->payload, err);
}

/* The replicates of a point and draw that are wanted, under every baseline. */
static void pass_add(struct pass *self, const bool *wanted, size_t point, size_t draw)
{
    struct sweep *sweep = self->sweep;
    for (size_t b = 0; b < sweep->baseline_count; b++) {
        struct sweep_setting *settings = self->settings + self->settings_count;
        size_t count = fill_settings(sweep, point, draw, b, settings);
        self->settings_count += count;
        for (size_t r = 0; r < sweep->replicates; r++) {
            size_t item = item_of(sweep, point, draw, r);
            if (!wanted[item] || sweep->done[item])
                continue;
            self->items[self->count] = item;
            self->left[item] = (unsigned char)sweep->baseline_count;
            self->runs[self->count++] = (struct evaluate_item){
                .settings = settings,
                .count = count,
                .replicate = r,
                .numbers = sweep->values + item * sweep->payload + b * sweep->numbers,
            };
        }
    }
}

/* Draws are computed one after the other, or several at once when each has few points. */
enum { PASS_RUNS = 256 };

static int run_pass(struct pass *self, const bool *wanted, size_t draw, size_t draws,
                    struct error *err)
{
    struct sweep *sweep = self->sweep;
    self->count = self->settings_count = 0;
    for (size_t d = draw; d < draw + draws; d++)
        for (size_t p = 0; p < sweep->points.points; p++)
            pass_add(self, wanted, p, d);
    return evaluate_items(&sweep->evaluate, self->runs, self->count, run_done, self, err);
}

static int64_t count_runs(const struct sweep *self, const bool *wanted)
{
    size_t items = 0;
    for (size_t i = 0; i < self->items; i++)
        items += wanted[i] && !self->done[i];
    return (int64_t)(items * self->baseline_count);
}

static int pass_make(struct pass *self, size_t draws, struct error *err)
{
    const struct sweep *sweep = self->sweep;
    size_t variants = sweep->points.points * draws * sweep->baseline_count;
    size_t runs = variants * sweep->replicates;
    self->runs = memory_alloc(runs, sizeof *self->runs);
    self->items = memory_alloc(runs, sizeof *self->items);
    self->settings = memory_alloc(variants * settings_room(sweep), sizeof *self->settings);
    self->left = memory_zeroed(sweep->items, sizeof *self->left);
    return self->runs == NULL || self->items == NULL || self->settings == NULL || self->left == NULL
               ? error_memory(err, "a sweep")
               : ERROR_NONE;
}

int sweep_run(struct sweep *self, const bool *wanted, sweep_done *done, void *context,
              struct error *err)
{
    size_t variants = self->points.points * self->replicates;
    size_t draws = variants < PASS_RUNS ? PASS_RUNS / variants : 1;
    draws = draws < self->points.draws ? draws : self->points.draws;
    struct pass pass = {.sweep = self, .done = done, .context = context};
    int code = pass_make(&pass, draws, err);
    progress_start(&self->evaluate.progress, "sweeping", "runs", count_runs(self, wanted));
    for (size_t d = 0; d < self->points.draws && code == ERROR_NONE; d += draws) {
        size_t some = d + draws < self->points.draws ? draws : self->points.draws - d;
        code = run_pass(&pass, wanted, d, some, err);
    }
    progress_end(&self->evaluate.progress);
    memory_free(pass.runs);
    memory_free(pass.items);
    memory_free(pass.settings);
    memory_free(pass.left);
    return code;
}

int sweep_books(const struct sweep *self, size_t *out_books, struct error *err)
{
    size_t room = settings_room(self), variants = self->items / self->replicates;
    struct evaluate_item *runs = memory_zeroed(self->items, sizeof *runs);
    struct sweep_setting *settings = memory_alloc(variants * room, sizeof *settings);
    int code = runs == NULL || settings == NULL ? error_memory(err, "a plan") : ERROR_NONE;
    for (size_t i = 0; i < self->items && code == ERROR_NONE; i++) {
        size_t variant = i / self->replicates;
        runs[i] = (struct evaluate_item){.settings = settings + variant * room,
                                         .replicate = i % self->replicates};
        runs[i].count = fill_settings(self, variant / self->points.draws,
                                      variant % self->points.draws, 0, settings + variant * room);
    }
    if (code == ERROR_NONE)
        code = evaluate_books(&self->evaluate, runs, self->items, out_books, err);
    memory_free(runs);
    memory_free(settings);
    return code;
}

/* ---- results ---------------------------------------------------------------------------- */

size_t sweep_ran_away(const struct sweep *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->items; i++)
        count += self->done[i] && evaluate_ran_away(self->values + i * self->payload);
    return count;
}

double sweep_number(const struct sweep *self, size_t point, size_t draw, size_t replicate,
                    size_t baseline, size_t number)
{
    size_t item = item_of(self, point, draw, replicate);
    return self->values[item * self->payload + baseline * self->numbers + number];
}
