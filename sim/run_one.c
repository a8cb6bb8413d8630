#include "sim/run_one.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"

enum { CHECK_BARS = 1024 };

/* ---- before the start ------------------------------------------------------------------- */

/* Every so many bars: whether to go on, and that these have been walked. */
static int check_in(size_t bar, size_t first, struct progress *progress, struct error *err)
{
    if ((bar - first) % CHECK_BARS != 0)
        return ERROR_NONE;
    if (progress != NULL && bar > first)
        progress_add(progress, CHECK_BARS);
    return interrupt_check(err);
}

/* The bars since the last check. */
static void check_out(size_t bars, struct progress *progress)
{
    size_t rest = bars == 0 ? 0 : (bars - 1) % CHECK_BARS + 1;
    if (progress != NULL)
        progress_add(progress, (int64_t)rest);
}

int run_warm_init_shown(struct run_warm *self, const struct setup *setup, const struct path *path,
                        const struct book *book, struct progress *progress, struct error *err)
{
    self->params = setup_replay_warm(setup);
    int code = replay_init(&self->replay, &self->params, path, book, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t bar = 0; bar < setup->start_bar && code == ERROR_NONE; bar++) {
        struct replay_step step;
        code = check_in(bar, 0, progress, err);
        if (code == ERROR_NONE)
            code = replay_step(&self->replay, &step, err);
    }
    if (code == ERROR_NONE)
        code = replay_take_stock(&self->replay, path, setup->bars,
                                 self->params.branching_window_log, err);
    if (code == ERROR_NONE)
        check_out(setup->start_bar, progress);
    else
        replay_free(&self->replay);
    return code;
}

int run_warm_init(struct run_warm *self, const struct setup *setup, const struct path *path,
                  const struct book *book, struct error *err)
{
    return run_warm_init_shown(self, setup, path, book, NULL, err);
}

void run_warm_free(struct run_warm *self)
{
    replay_free(&self->replay);
}

/* ---- a run ------------------------------------------------------------------------------ */

void run_one_free(struct run_one *self)
{
    metrics_free(&self->metrics);
    memory_free(self->steps);
    episodes_free(&self->episodes);
    memory_free(self->positions.rows);
    memory_free(self->adls.rows);
    memset(self, 0, sizeof *self);
}

static int one_begin(const struct setup *setup, struct run_one *self, const struct metrics_run *run,
                     const struct replay *replay, struct error *err)
{
    const struct scenario *scenario = setup->scenario;
    size_t steps = setup->bars - setup->start_bar;
    struct episode_params params = {scenario->episode.floor_usd_per_min, scenario->episode.quiet_ms,
                                    setup->market.step_ms};
    int code = metrics_init(&self->metrics, run, replay, steps, err);
    if (code != ERROR_NONE)
        return code;
    episodes_init(&self->episodes, &params, run->run, self->metrics.summary.oi_start_coins,
                  self->metrics.summary.price_start);
    if (scenario->output.steps) {
        self->steps = memory_alloc(steps, sizeof *self->steps);
        if (self->steps == NULL)
            return error_memory(err, "steps");
    }
    if (!scenario->output.positions)
        return ERROR_NONE;
    return metrics_positions_add(&self->positions, run->run, replay, setup->venues, err);
}

static int one_step(struct run_one *self, const struct replay_step *step, int64_t run,
                    struct error *err)
{
    metrics_step_add(&self->metrics, step);
    if (self->steps != NULL)
        self->steps[self->step_count++] = metrics_step_row(run, step);
    return episodes_step(&self->episodes, step, err);
}

static int one_walk(const struct run_task *task, struct run_one *one, const struct metrics_run *run,
                    struct replay *replay, struct error *err)
{
    const struct setup *setup = task->setup;
    int code = one_begin(setup, one, run, replay, err);
    for (size_t bar = setup->start_bar; bar < setup->bars && code == ERROR_NONE; bar++) {
        struct replay_step step;
        code = check_in(bar, setup->start_bar, task->progress, err);
        if (code == ERROR_NONE)
            code = replay_step(replay, &step, err);
        if (code == ERROR_NONE)
            code = one_step(one, &step, run->run, err);
        if (code == ERROR_NONE && setup->scenario->output.adl)
            code = metrics_adls_add(&one->adls, run->run, step.time_ms, replay, setup->venues, err);
    }
    if (code != ERROR_NONE)
        return code;
    check_out(setup->bars - setup->start_bar, task->progress);
    metrics_finish(&one->metrics, replay, (int64_t)one->episodes.count);
    one->venue_count = metrics_venues(&one->metrics, replay, setup->venues, one->venues);
    one->done = true;
    return ERROR_NONE;
}

/* Walks all bars from the start on; `gap_log` (may be NULL): how far closes leave the path's.
   ERROR_NUMERICAL with `out_ran_away`: the price did. */
static int walk_all(const struct setup *setup, const struct replay_params *params,
                    const struct path *path, const struct run_warm *warm, double *gap_log,
                    bool *out_ran_away, struct error *err)
{
    struct replay replay;
    *out_ran_away = false;
    int code = replay_fork(&replay, params, path, &warm->replay, err);
    if (code != ERROR_NONE)
        return code;
    for (size_t bar = setup->start_bar; bar < setup->bars && code == ERROR_NONE; bar++) {
        struct replay_step step;
        code = check_in(bar, setup->start_bar, NULL, err);
        if (code == ERROR_NONE)
            code = replay_step(&replay, &step, err);
        if (code == ERROR_NONE && gap_log != NULL)
            *gap_log =
                fmax(*gap_log,
                     fabs(log(step.price_close / path_bar_at(path, bar).last[PATH_NODES - 1])));
    }
    *out_ran_away = replay.ran_away;
    replay_free(&replay);
    return code;
}

/* The closed loop with the observed open interest, but from the exogenous price: where it leaves
   the observed path, the parameters do not explain it. */
static int measure_gap(const struct setup *setup, const struct path *path,
                       const struct run_warm *warm, struct factual *factual, struct error *err)
{
    struct replay_params params = setup_replay(setup, &setup_as_observed);
    struct error own = {0};
    bool ran_away;
    params.factual = factual;
    params.factual_scale = 1.0;
    int code = walk_all(setup, &params, path, warm, &factual->path_gap_log, &ran_away, &own);
    if (ran_away) {
        factual->path_gap_log = log(REPLAY_RUNAWAY);
        return ERROR_NONE;
    }
    if (code != ERROR_NONE && err != NULL)
        *err = own;
    return code;
}

int run_one_factual(const struct setup *setup, const struct path *path, const struct run_warm *warm,
                    struct factual *factual, struct error *err)
{
    struct replay_params params = setup_replay(setup, &setup_as_observed);
    params.feedback_bar = REPLAY_NEVER;
    params.record = factual;
    int code = factual_init(factual, setup->start_bar, setup->bars, err);
    if (code != ERROR_NONE)
        return code;
    bool ran_away;
    code = walk_all(setup, &params, path, warm, NULL, &ran_away, err);
    if (code == ERROR_NONE)
        code = measure_gap(setup, path, warm, factual, err);
    if (code != ERROR_NONE)
        factual_free(factual);
    return code;
}

/* A counterfactual starts from what happened when there is at least as much to happen, unless the
   least fixed point is asked for. */
static void start_from(struct replay_params *params, const struct factual *factual, double scale,
                       bool least)
{
    if (factual == NULL)
        return;
    params->factual = factual;
    params->factual_scale = scale;
    params->start_scale = scale >= 1.0 && !least ? scale : 0.0;
}

int run_one(const struct run_task *task, struct run_one *out, struct error *err)
{
    const struct setup *setup = task->setup;
    size_t index = task->level * (size_t)setup->scenario->replicates + task->replicate;
    struct metrics_run run = {(int64_t)index + 1, (int64_t)task->replicate, setup->scenario->seed,
                              setup->levels[task->level].usd};
    struct replay_params params = setup_replay(setup, &setup->levels[task->level]);
    struct replay replay;
    start_from(&params, task->factual, setup->levels[task->level].scale,
               setup->scenario->fixed_point == FIXED_POINT_LEAST);
    int code = replay_fork(&replay, &params, task->path, &task->warm->replay, err);
    if (code != ERROR_NONE)
        return code;
    code = one_walk(task, out, &run, &replay, err);
    out->ran_away = replay.ran_away;
    if (task->factual != NULL) {
        out->metrics.summary.unreachable_steps = (int64_t)task->factual->unreachable;
        out->metrics.summary.path_gap_log = task->factual->path_gap_log;
    }
    replay_free(&replay);
    return code;
}
