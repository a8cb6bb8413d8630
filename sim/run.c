#include "sim/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "base/memory.h"
#include "base/progress.h"

/* What all runs share. */
struct running {
    const struct setup *setup;
    struct run_one *ones;
    struct error *errors; /* per run; code ERROR_NONE while it goes well */
    struct progress progress;
};

/* ---- all runs --------------------------------------------------------------------------- */

static bool shares_book(const struct setup *setup)
{
    return setup->scenario->oi.scale_by == SCALE_TRADERS;
}

/* One level, from a warm-up that all levels share. */
static void level_run(struct running *self, const struct path *path, const struct run_warm *warm,
                      const struct factual *factual, size_t level, size_t replicate)
{
    size_t index = level * (size_t)self->setup->scenario->replicates + replicate;
    struct run_task task = {self->setup, path, warm, factual, level, replicate, &self->progress};
    run_one(&task, &self->ones[index], &self->errors[index]);
}

/* One level, from a book of its own. */
static void own_level_run(struct running *self, const struct path *path,
                          const struct factual *factual, size_t level, size_t replicate)
{
    const struct setup *setup = self->setup;
    struct error *err = &self->errors[level * (size_t)setup->scenario->replicates + replicate];
    struct book book;
    struct run_warm warm;
    if (setup_book(setup, (uint32_t)replicate, &setup->levels[level], &book, err) != ERROR_NONE)
        return;
    if (run_warm_init_shown(&warm, setup, path, &book, &self->progress, err) == ERROR_NONE) {
        level_run(self, path, &warm, factual, level, replicate);
        run_warm_free(&warm);
    }
    book_free(&book);
}

/* Every level of one replicate; `shared` NULL: each with a book of its own. Parallel here when
   replicates alone do not fill the threads. */
static void levels_run(struct running *self, const struct path *path, const struct run_warm *shared,
                       const struct factual *factual, size_t replicate)
{
#pragma omp parallel for schedule(dynamic, 1) if (shared != NULL)
    for (size_t level = 0; level < self->setup->level_count; level++)
        if (shared != NULL)
            level_run(self, path, shared, factual, level, replicate);
        else
            own_level_run(self, path, factual, level, replicate);
}

/* Every level over the book of the observed open interest, or from what happened to it. */
static void warm_run(struct running *self, const struct path *path, const struct run_warm *warm,
                     size_t replicate)
{
    const struct setup *setup = self->setup;
    const struct run_warm *shared = shares_book(setup) ? warm : NULL;
    struct factual factual;
    if (!setup_counterfactual(setup)) {
        levels_run(self, path, shared, NULL, replicate);
    } else if (run_one_factual(setup, path, warm, &factual, &self->errors[replicate]) ==
               ERROR_NONE) {
        levels_run(self, path, shared, &factual, replicate);
        factual_free(&factual);
    }
}

/* The book of the observed open interest, where anything needs it, and then every level. */
static void books_run(struct running *self, const struct path *path, size_t replicate)
{
    const struct setup *setup = self->setup;
    struct error *err = &self->errors[replicate];
    struct book book;
    struct run_warm warm;
    if (!setup_counterfactual(setup) && !shares_book(setup)) {
        levels_run(self, path, NULL, NULL, replicate);
        return;
    }
    if (setup_book(setup, (uint32_t)replicate, &setup_as_observed, &book, err) != ERROR_NONE)
        return;
    if (run_warm_init_shown(&warm, setup, path, &book, &self->progress, err) == ERROR_NONE) {
        warm_run(self, path, &warm, replicate);
        run_warm_free(&warm);
    }
    book_free(&book);
}

static void replicate_run(struct running *self, size_t replicate)
{
    struct made_path made;
    struct path path;
    if (setup_path(self->setup, (uint32_t)replicate, &made, &path, &self->errors[replicate]) !=
        ERROR_NONE)
        return;
    books_run(self, &path, replicate);
    made_path_free(&made);
}

/* Bars to be walked, each warm-up once. */
static size_t bars_of(const struct setup *setup)
{
    bool shared = shares_book(setup);
    size_t warm_ups = (shared ? 1 : setup->level_count) + (!shared && setup_counterfactual(setup));
    return (size_t)setup->scenario->replicates *
           (warm_ups * setup->start_bar + setup->level_count * (setup->bars - setup->start_bar));
}

static void run_everything(struct running *self)
{
    size_t replicates = (size_t)self->setup->scenario->replicates;
    progress_start(&self->progress, "replaying", "bars", (int64_t)bars_of(self->setup));
    bool outer = replicates >= (size_t)omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 1) if (outer)
    for (size_t replicate = 0; replicate < replicates; replicate++)
        replicate_run(self, replicate);
    progress_end(&self->progress);
}

/* ---- tables ----------------------------------------------------------------------------- */

static int tables_alloc(struct run_tables *self, const struct running *running, size_t runs,
                        struct error *err)
{
    memset(self, 0, sizeof *self);
    size_t steps = 0, episodes = 0, positions = 0, adls = 0;
    for (size_t i = 0; i < runs; i++) {
        steps += running->ones[i].step_count;
        episodes += running->ones[i].episodes.count;
        positions += running->ones[i].positions.count;
        adls += running->ones[i].adls.count;
    }
    self->summary = memory_alloc(runs, sizeof *self->summary);
    self->steps = memory_alloc(steps, sizeof *self->steps);
    self->episodes = memory_alloc(episodes, sizeof *self->episodes);
    self->tiers = memory_alloc(runs * METRICS_TIER_ROWS, sizeof *self->tiers);
    self->venues = memory_alloc(runs * 2 * BOOK_VENUES_MAX, sizeof *self->venues);
    self->positions = memory_alloc(positions, sizeof *self->positions);
    self->adls = memory_alloc(adls, sizeof *self->adls);
    if (self->adls != NULL && self->summary != NULL && self->steps != NULL &&
        self->episodes != NULL && self->tiers != NULL && self->venues != NULL &&
        self->positions != NULL)
        return ERROR_NONE;
    run_tables_free(self);
    return error_memory(err, "result tables");
}

static void append(void *rows, size_t *count, size_t size, const void *more, size_t more_count)
{
    if (more_count > 0)
        memcpy((char *)rows + *count * size, more, more_count * size);
    *count += more_count;
}

static void tables_add(struct run_tables *self, const struct run_one *one)
{
    self->summary[self->summary_count++] = one->metrics.summary;
    append(self->steps, &self->step_count, sizeof *self->steps, one->steps, one->step_count);
    append(self->episodes, &self->episode_count, sizeof *self->episodes, one->episodes.items,
           one->episodes.count);
    append(self->positions, &self->position_count, sizeof *self->positions, one->positions.rows,
           one->positions.count);
    metrics_tiers(&one->metrics, self->tiers + self->tier_count);
    self->tier_count += METRICS_TIER_ROWS;
    append(self->venues, &self->venue_count, sizeof *self->venues, one->venues, one->venue_count);
    append(self->adls, &self->adl_count, sizeof *self->adls, one->adls.rows, one->adls.count);
}

int run_scenario(const struct setup *setup, struct run_tables *out, struct error *err)
{
    size_t runs = (size_t)setup->scenario->replicates * setup->level_count;
    struct running running = {.setup = setup};
    int code = ERROR_NONE;
    memset(out, 0, sizeof *out);
    running.ones = memory_zeroed(runs, sizeof *running.ones);
    running.errors = memory_zeroed(runs, sizeof *running.errors);
    if (running.ones == NULL || running.errors == NULL) {
        code = error_memory(err, "runs");
        goto out;
    }
    run_everything(&running);
    for (size_t i = 0; i < runs && code == ERROR_NONE; i++) {
        code = running.errors[i].code;
        if (code != ERROR_NONE && err != NULL)
            *err = running.errors[i];
    }
    if (code == ERROR_NONE)
        code = tables_alloc(out, &running, runs, err);
    for (size_t i = 0; i < runs && code == ERROR_NONE; i++)
        tables_add(out, &running.ones[i]);
out:
    for (size_t i = 0; running.ones != NULL && i < runs; i++)
        run_one_free(&running.ones[i]);
    memory_free(running.ones);
    memory_free(running.errors);
    return code;
}

void run_tables_free(struct run_tables *self)
{
    memory_free(self->summary);
    memory_free(self->steps);
    memory_free(self->episodes);
    memory_free(self->tiers);
    memory_free(self->venues);
    memory_free(self->positions);
    memory_free(self->adls);
    memory_free(self->checks);
    memset(self, 0, sizeof *self);
}

#define CHECK(member, kind, units, text)                                                       \
    {                                                                                          \
#member, kind, units, text, offsetof(struct run_check, member), NULL, 0, 0, NULL, NULL \
    }

const struct field run_check_fields[] = {
    CHECK(run, FIELD_INT64, "", "run of summary.csv"),
    CHECK(metric, FIELD_TEXT, "", "column of summary.csv"),
    CHECK(at_step, FIELD_DOUBLE, "", "its value at time.step"),
    CHECK(at_check_step, FIELD_DOUBLE, "", "its value at time.check_step"),
    CHECK(change, FIELD_DOUBLE, "share", "relative change from time.step to time.check_step"),
};
const size_t run_check_field_count = sizeof run_check_fields / sizeof *run_check_fields;

size_t run_tables_described(const struct run_tables *self, const struct scenario *scenario,
                            struct table out[RUN_TABLES_MAX])
{
    const struct {
        bool wanted;
        struct table table;
    } all[RUN_TABLES_MAX] = {
        {scenario->output.summary,
         {"summary", metrics_summary_fields, metrics_summary_field_count, self->summary,
          self->summary_count, sizeof *self->summary}},
        {scenario->output.steps,
         {"steps", metrics_step_fields, metrics_step_field_count, self->steps, self->step_count,
          sizeof *self->steps}},
        {scenario->output.episodes,
         {"episodes", episode_fields, episode_field_count, self->episodes, self->episode_count,
          sizeof *self->episodes}},
        {scenario->output.tiers,
         {"tiers", metrics_tier_fields, metrics_tier_field_count, self->tiers, self->tier_count,
          sizeof *self->tiers}},
        {scenario->output.venues,
         {"venues", metrics_venue_fields, metrics_venue_field_count, self->venues,
          self->venue_count, sizeof *self->venues}},
        {scenario->output.positions,
         {"positions", metrics_position_fields, metrics_position_field_count, self->positions,
          self->position_count, sizeof *self->positions}},
        {scenario->output.adl,
         {"adl", metrics_adl_fields, metrics_adl_field_count, self->adls, self->adl_count,
          sizeof *self->adls}},
        {self->checks != NULL,
         {"check_step", run_check_fields, run_check_field_count, self->checks, self->check_count,
          sizeof *self->checks}},
    };
    size_t count = 0;
    for (size_t i = 0; i < RUN_TABLES_MAX; i++)
        if (all[i].wanted)
            out[count++] = all[i].table;
    return count;
}
