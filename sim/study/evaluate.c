#include "sim/study/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/version.h"
#include "sim/made_path.h"
#include "sim/run_one.h"
#include "sim/study/variant.h"

/* ---- life ------------------------------------------------------------------------------- */

size_t evaluate_numbers(void)
{
    size_t count = 0;
    while (metrics_number_field(count) != NULL)
        count++;
    return count;
}

int evaluate_init(struct evaluate *self, const char *path, const char *const *sets,
                  size_t set_count, int64_t seed, struct error_list *errors, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->path = path;
    self->sets = sets;
    self->set_count = set_count;
    self->seed = seed;
    int code = scenario_load(&self->scenario, path, sets, set_count, errors);
    if (code != ERROR_NONE)
        return code;
    if (seed >= 0)
        self->scenario.seed = (uint64_t)seed;
    code = setup_init(&self->setup, &self->scenario, err);
    if (code != ERROR_NONE)
        scenario_free(&self->scenario);
    return code;
}

void evaluate_free(struct evaluate *self)
{
    setup_free(&self->setup);
    scenario_free(&self->scenario);
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

int evaluate_identity(const struct evaluate *self, const char *extra, char out[SHA256_TEXT_SIZE],
                      struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return error_memory(err, "the identity of a study");
    struct scenario resolved = self->scenario; /* borrows; as the results will say it */
    if (made_path_wanted(&resolved))
        made_path_resolve(&self->setup.made, &resolved);
    int code = scenario_write(&resolved, memory, err);
    write_inputs(&self->setup, memory);
    fprintf(memory, "%s %s %zu", LIQCASCADE_VERSION, LIQCASCADE_REVISION, evaluate_numbers());
    if (extra != NULL)
        fprintf(memory, "\n%s", extra);
    if (fclose(memory) != 0 && code == ERROR_NONE)
        code = error_memory(err, "the identity of a study");
    if (code == ERROR_NONE)
        sha256_bytes(text, size, out);
    free(text);
    return code;
}

/* ---- numbers ---------------------------------------------------------------------------- */

/* A run always has a price at its end. */
bool evaluate_ran_away(const double *numbers)
{
    const struct field *field;
    for (size_t i = 0; (field = metrics_number_field(i)) != NULL; i++)
        if (strcmp(field->name, "price_end") == 0)
            return isnan(numbers[i]);
    return false;
}

static void take_numbers(const struct run_one *one, double *out)
{
    const struct field *field;
    for (size_t i = 0; (field = metrics_number_field(i)) != NULL; i++)
        out[i] = one->done ? metrics_number(&one->metrics.summary, field) : NAN;
}

/* ---- tasks ------------------------------------------------------------------------------ */

/* One item to be run. */
struct task {
    struct evaluate_item *item;
    const struct variant *variant; /* several may be of one */
    struct error error;
};

/* An evaluation under way. */
struct work {
    struct evaluate *evaluate;
    struct variant_base base;
    struct variant *variants; /* owned */
    size_t variant_count;
    struct task *tasks; /* in the order of what they share; owned */
    size_t count;
    evaluate_done *done;
    void *context;
    bool stop; /* nothing more is begun */
};

/* What tasks share that are next to each other. */
struct shared {
    const struct run_warm *warm;
    const struct factual *factual; /* NULL: no counterfactuals */
};

static int by_item(const struct task *a, const struct task *b)
{
    return (a->item > b->item) - (a->item < b->item);
}

/* The order of two tasks by what they share, up to and with `last`. */
static int by_shares(const struct task *a, const struct task *b, enum variant_share last)
{
    int order = 0;
    for (int share = 0; share <= (int)last && order == 0; share++) {
        order = strcmp(a->variant->keys[share], b->variant->keys[share]);
        if (share == VARIANT_BOOK && order == 0)
            order = (a->item->replicate > b->item->replicate) -
                    (a->item->replicate < b->item->replicate);
    }
    return order;
}

static int by_all(const void *a, const void *b)
{
    int order = by_shares(a, b, VARIANT_FACTUAL);
    return order != 0 ? order : by_item(a, b);
}

/* Where those end that share this with the first. */
static size_t end_of(const struct work *self, size_t first, size_t end, enum variant_share share)
{
    size_t i = first + 1;
    while (i < end && by_shares(&self->tasks[first], &self->tasks[i], share) == 0)
        i++;
    return i;
}

/* ---- running ---------------------------------------------------------------------------- */

static bool stopped(const struct work *self)
{
    bool out;
#pragma omp atomic read
    out = self->stop;
    return out;
}

static void stop(struct work *self)
{
#pragma omp atomic write
    self->stop = true;
}

/* A finished item goes to the caller at once, so that whoever keeps it has it before the process
   ends. */
static int hand_over(struct work *self, struct evaluate_item *item, struct error *err)
{
    int code = ERROR_NONE;
#pragma omp critical(evaluate_done)
    if (!stopped(self)) {
        item->done = true;
        code = self->done != NULL ? self->done(self->context, item, err) : ERROR_NONE;
        if (code != ERROR_NONE)
            stop(self);
    }
    return code;
}

/* A run, with the path of its own. */
static int run_setup(const struct task *task, const struct setup *setup,
                     const struct shared *shared, struct error *err)
{
    struct made_path made;
    struct path path;
    struct run_one one = {0};
    size_t replicate = task->item->replicate;
    int code = setup_path(setup, (uint32_t)replicate, &made, &path, err);
    if (code != ERROR_NONE)
        return code;
    struct run_task run = {setup, &path, shared->warm, shared->factual, 0, replicate, NULL};
    code = run_one(&run, &one, err);
    if (one.ran_away) { /* which is what there is to say of these parameters */
        *err = (struct error){0};
        code = ERROR_NONE;
    }
    if (code == ERROR_NONE)
        take_numbers(&one, task->item->numbers);
    run_one_free(&one);
    made_path_free(&made);
    return code;
}

static int run_task(struct work *self, struct task *task, const struct shared *shared,
                    struct error *err)
{
    struct setup setup;
    int code = variant_setup(task->variant, &setup, err);
    if (code == ERROR_NONE) {
        code = run_setup(task, &setup, shared, err);
        setup_free(&setup);
    }
    if (code != ERROR_NONE)
        return variant_blame(task->variant, code, err);
#pragma omp critical(evaluate_progress)
    progress_add(&self->evaluate->progress, 1);
    return hand_over(self, task->item, err);
}

/* One task, unless work has stopped or a signal came. */
static void try_task(struct work *self, struct task *task, const struct shared *shared)
{
    if (stopped(self))
        return;
    if (interrupt_pending()) {
        error_set(&task->error, ERROR_INTERRUPTED, "interrupted");
        stop(self);
    } else if (run_task(self, task, shared, &task->error) != ERROR_NONE) {
        stop(self);
    }
}

/* Tasks [first, end). In a parallel region they are tasks of it: a thread that waits for them takes
   on no other book meanwhile, and one that has none left helps out. */
static void run_tasks(struct work *self, size_t first, size_t end, const struct shared *shared)
{
    if (omp_in_parallel()) {
#pragma omp taskgroup
        for (size_t t = first; t < end; t++)
#pragma omp task firstprivate(t)
            try_task(self, &self->tasks[t], shared);
    } else {
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t t = first; t < end; t++)
            try_task(self, &self->tasks[t], shared);
    }
}

/* ---- what tasks share ------------------------------------------------------------------- */

/* What happened, happened to the book of the observed open interest, which is another one when a
   level scales sizes. */
static int make_factual(const struct task *task, const struct setup *setup,
                        const struct run_warm *warm, struct factual *out, struct error *err)
{
    /* An observed path is every replicate's. */
    if (setup->scenario->oi.scale_by != SCALE_SIZES)
        return run_one_factual(setup, &setup->path, warm, out, err);
    struct book book;
    struct run_warm own;
    int code = setup_book(setup, (uint32_t)task->item->replicate, &setup_as_observed, &book, err);
    if (code != ERROR_NONE)
        return code;
    code = run_warm_init(&own, setup, &setup->path, &book, err);
    if (code == ERROR_NONE) {
        code = run_one_factual(setup, &setup->path, &own, out, err);
        run_warm_free(&own);
    }
    book_free(&book);
    return code;
}

/* Tasks of one factual record, if they need one. */
static int run_factual(struct work *self, size_t first, size_t end, const struct run_warm *warm,
                       struct error *err)
{
    const struct task *task = &self->tasks[first];
    struct shared shared = {warm, NULL};
    struct setup setup;
    struct factual factual;
    if (!variant_counterfactual(task->variant)) {
        run_tasks(self, first, end, &shared);
        return ERROR_NONE;
    }
    int code = variant_setup(task->variant, &setup, err);
    if (code != ERROR_NONE)
        return code;
    code = make_factual(task, &setup, warm, &factual, err);
    if (code == ERROR_NONE) {
        shared.factual = &factual;
        run_tasks(self, first, end, &shared);
        factual_free(&factual);
    }
    setup_free(&setup);
    return code;
}

/* Tasks of one book that is walked up to the start in one way, along the path of the first. */
static int run_walked(struct work *self, size_t first, size_t end, const struct setup *setup,
                      const struct book *book, struct error *err)
{
    struct made_path made;
    struct path path;
    struct run_warm warm;
    int code = setup_path(setup, (uint32_t)self->tasks[first].item->replicate, &made, &path, err);
    if (code != ERROR_NONE)
        return code;
    code = run_warm_init(&warm, setup, &path, book, err);
    if (code == ERROR_NONE) {
        for (size_t at = first, next; at < end && code == ERROR_NONE && !stopped(self); at = next) {
            next = end_of(self, at, end, VARIANT_FACTUAL);
            code = variant_blame(self->tasks[at].variant, run_factual(self, at, next, &warm, err),
                                 err);
        }
        run_warm_free(&warm);
    }
    made_path_free(&made);
    return code;
}

static int run_warm(struct work *self, size_t first, size_t end, const struct book *book,
                    struct error *err)
{
    struct setup setup; /* what is walked refers to it */
    int code = variant_setup(self->tasks[first].variant, &setup, err);
    if (code != ERROR_NONE)
        return code;
    code = run_walked(self, first, end, &setup, book, err);
    setup_free(&setup);
    return code;
}

static int run_book(struct work *self, size_t first, size_t end, struct error *err)
{
    const struct task *task = &self->tasks[first];
    struct setup setup; /* a book borrows its bracket tables */
    struct book book;
    int code = variant_setup(task->variant, &setup, err);
    if (code != ERROR_NONE)
        return code;
    code = setup_book(&setup, (uint32_t)task->item->replicate, &setup.levels[0], &book, err);
    if (code == ERROR_NONE) {
        for (size_t at = first, next; at < end && code == ERROR_NONE && !stopped(self); at = next) {
            next = end_of(self, at, end, VARIANT_WARM);
            code = run_warm(self, at, next, &book, err);
        }
        book_free(&book);
    }
    setup_free(&setup);
    return code;
}

/* ---- all tasks -------------------------------------------------------------------------- */

/* Tasks of one book. What keeps it from being made is the first one's failure. */
static void try_book(struct work *self, size_t first, size_t end)
{
    struct error *err = &self->tasks[first].error;
    struct error own = {0};
    if (!stopped(self) && interrupt_pending()) {
        error_set(err, ERROR_INTERRUPTED, "interrupted");
        stop(self);
    }
    if (stopped(self) || run_book(self, first, end, &own) == ERROR_NONE)
        return;
    if (err->code == ERROR_NONE)
        *err = own;
    stop(self);
}

/* One book after the other with its tasks in parallel; or several books at once. */
static int run_all(struct work *self, struct error *err)
{
    size_t *begins = memory_alloc(self->count + 1, sizeof *begins), books = 0;
    if (begins == NULL)
        return error_memory(err, "a study");
    for (size_t at = 0; at < self->count; at = end_of(self, at, self->count, VARIANT_BOOK))
        begins[books++] = at;
    begins[books] = self->count;
    if (books == 1) {
        try_book(self, 0, self->count);
    } else {
#pragma omp parallel
#pragma omp single
        for (size_t b = 0; b < books; b++)
#pragma omp task firstprivate(b)
            try_book(self, begins[b], begins[b + 1]);
    }
    memory_free(begins);
    return ERROR_NONE;
}

/* ---- evaluating ------------------------------------------------------------------------- */

static struct variant_base base_of(const struct evaluate *self)
{
    return (struct variant_base){self->path, self->sets,      self->set_count,
                                 self->seed, &self->scenario, &self->setup};
}

static bool same_settings(const struct evaluate_item *a, const struct evaluate_item *b)
{
    return a->settings == b->settings && a->count == b->count;
}

/* All are read before the first is run, so that a bad one is known at once. */
static int load_all(struct work *self, struct evaluate_item *items, struct error *err)
{
    struct error *errors = memory_zeroed(self->count, sizeof *errors);
    if (errors == NULL)
        return error_memory(err, "a study");
    size_t *item_of = memory_alloc(self->count, sizeof *item_of);
    int code = item_of == NULL ? error_memory(err, "a study") : ERROR_NONE;
    for (size_t i = 0; i < self->count && code == ERROR_NONE; i++) {
        if (i == 0 || !same_settings(&items[i], &items[i - 1]))
            item_of[self->variant_count++] = i;
        self->tasks[i] =
            (struct task){.item = &items[i], .variant = &self->variants[self->variant_count - 1]};
    }
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t v = 0; v < self->variant_count; v++) {
        const struct evaluate_item *item = &items[item_of[v]];
        variant_init(&self->variants[v], &self->base, item->settings, item->count, &errors[v]);
    }
    for (size_t v = 0; v < self->variant_count && code == ERROR_NONE; v++)
        if (errors[v].code != ERROR_NONE) {
            code = errors[v].code;
            if (err != NULL)
                *err = errors[v];
        }
    memory_free(item_of);
    memory_free(errors);
    return code;
}

/* The first failure by order of the items; that there was an interrupt only if there was none. */
static int first_failure(const struct work *self, struct error *err)
{
    const struct task *worst = NULL;
    for (size_t t = 0; t < self->count; t++) {
        const struct task *task = &self->tasks[t];
        if (task->error.code == ERROR_NONE)
            continue;
        bool graver = worst != NULL && worst->error.code == ERROR_INTERRUPTED &&
                      task->error.code != ERROR_INTERRUPTED;
        bool alike = worst != NULL && (worst->error.code == ERROR_INTERRUPTED) ==
                                          (task->error.code == ERROR_INTERRUPTED);
        if (worst == NULL || graver || (alike && by_item(task, worst) < 0))
            worst = task;
    }
    if (worst == NULL)
        return ERROR_NONE;
    if (err != NULL)
        *err = worst->error;
    return worst->error.code;
}

static void work_free(struct work *self)
{
    for (size_t v = 0; self->variants != NULL && v < self->variant_count; v++)
        variant_free(&self->variants[v]);
    memory_free(self->variants);
    memory_free(self->tasks);
}

int evaluate_items(struct evaluate *self, struct evaluate_item *items, size_t count,
                   evaluate_done *done, void *context, struct error *err)
{
    if (count == 0)
        return ERROR_NONE;
    struct work work = {
        .evaluate = self, .base = base_of(self), .count = count, .done = done, .context = context};
    work.variants = memory_zeroed(count, sizeof *work.variants);
    work.tasks = memory_alloc(count, sizeof *work.tasks);
    int code = work.variants == NULL || work.tasks == NULL ? error_memory(err, "a study")
                                                           : load_all(&work, items, err);
    if (code == ERROR_NONE) {
        qsort(work.tasks, count, sizeof *work.tasks, by_all);
        code = run_all(&work, err);
    }
    if (code == ERROR_NONE)
        code = first_failure(&work, err);
    work_free(&work);
    return code;
}

/* ---- plans ------------------------------------------------------------------------------ */

struct book_name {
    char *key; /* owned by the first of those with the same settings */
    size_t replicate;
};

static int by_name(const void *a, const void *b)
{
    const struct book_name *first = a, *second = b;
    int order = strcmp(first->key, second->key);
    return order != 0
               ? order
               : (first->replicate > second->replicate) - (first->replicate < second->replicate);
}

int evaluate_books(const struct evaluate *self, const struct evaluate_item *items, size_t count,
                   size_t *out_books, struct error *err)
{
    const struct variant_base base = base_of(self);
    struct book_name *names = memory_zeroed(count, sizeof *names);
    char **keys = memory_zeroed(count, sizeof *keys); /* owned */
    int code = names == NULL || keys == NULL ? error_memory(err, "a plan") : ERROR_NONE;
    *out_books = 0;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        names[i].replicate = items[i].replicate;
        if (i > 0 && same_settings(&items[i], &items[i - 1])) {
            names[i].key = names[i - 1].key;
            continue;
        }
        names[i].key = keys[i] = variant_book_key(&base, items[i].settings, items[i].count);
        if (keys[i] == NULL)
            code = error_memory(err, "a plan");
    }
    if (code == ERROR_NONE)
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        *out_books += i == 0 || by_name(&names[i], &names[i - 1]) != 0;
    for (size_t i = 0; keys != NULL && i < count; i++)
        memory_free(keys[i]);
    memory_free(keys);
    memory_free(names);
    return code;
}
