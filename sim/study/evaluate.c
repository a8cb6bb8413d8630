#include "sim/study/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "sim/made_path.h"
#include "sim/run_one.h"

/* ---- what a key changes ----------------------------------------------------------------- */

/* Keys, or with a dot at the end all that begin so. */
static const char *const keeps_book[] = {"impact.",
                                         "fill",
                                         "feedback",
                                         "funding.",
                                         "episode.",
                                         "branching_window_log",
                                         "oi.level_usd",
                                         "oi.level_coins",
                                         "oi.flow",
                                         "book.turnover_per_hour",
                                         "book.remargin_per_hour",
                                         "book.close",
                                         "book.disposition_ratio",
                                         "book.absorbed_by_closers",
                                         "path.move_log",
                                         "path.over",
                                         "path.drift",
                                         "path.volatility",
                                         "path.garch.",
                                         "path.student_t.",
                                         "path.jumps.",
                                         "path.hawkes.",
                                         NULL};
static const char *const changes_market[] = {
    "time.", "data.", "symbol", "path.model", "path.at", "book.positions_from", NULL};
static const char *const keeps_factual[] = {"oi.level_usd", "oi.level_coins",
                                            "impact.depth_oi_exponent", NULL};

static bool listed(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        size_t length = strlen(*keys);
        if ((*keys)[length - 1] == '.' ? strncmp(key, *keys, length) == 0 : strcmp(key, *keys) == 0)
            return true;
    }
    return false;
}

/* Whether setting this key leaves the book as it is. `by_size`: open interest is scaled by sizes,
   so that its level does not. */
static bool leaves_book(const char *key, bool by_size)
{
    if (by_size && strncmp(key, "oi.level_", strlen("oi.level_")) == 0)
        return false;
    return listed(key, keeps_book);
}

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

/* ---- variants --------------------------------------------------------------------------- */

/* An item made ready to run. Its setup is made when it is run: series as long as the market would
   be kept for every variant otherwise. */
struct variant {
    struct evaluate_item *item;
    char *book_key;    /* of variants with the same book; owned */
    char *factual_key; /* of those among them with the same factual record; owned */
    struct scenario scenario;
    bool loaded;
};

static bool says_sizes(const struct evaluate *self, const struct evaluate_item *item)
{
    bool sizes = self->scenario.oi.scale_by == SCALE_SIZES;
    for (size_t i = 0; i < item->count; i++)
        if (strcmp(item->settings[i].key, "oi.scale_by") == 0)
            sizes = strcmp(item->settings[i].value, "sizes") == 0;
    return sizes;
}

/* The settings that matter to a book, or to the factual record as well, as one text. */
static char *key_of(const struct evaluate *self, const struct evaluate_item *item, bool factual)
{
    struct text_buffer text = {0};
    bool by_size = says_sizes(self, item);
    text_append(&text, by_size ? "sizes\n" : "traders\n");
    for (size_t i = 0; i < item->count; i++) {
        const struct sweep_setting *setting = &item->settings[i];
        bool kept = strcmp(setting->key, "oi.scale_by") == 0 ||
                    (factual ? !by_size && listed(setting->key, keeps_factual)
                             : leaves_book(setting->key, by_size));
        if (!kept)
            text_appendf(&text, "%s=%s\n", setting->key, setting->value);
    }
    if (text.failed) {
        text_buffer_free(&text);
        return NULL;
    }
    return text.data;
}

static void variant_free(struct variant *self)
{
    memory_free(self->book_key);
    memory_free(self->factual_key);
    if (self->loaded)
        scenario_free(&self->scenario);
    memset(self, 0, sizeof *self);
}

static bool borrows_market(const struct evaluate_item *item)
{
    for (size_t i = 0; i < item->count; i++)
        if (listed(item->settings[i].key, changes_market))
            return false;
    return true;
}

static int load_scenario(const struct evaluate *self, struct variant *variant, struct error *err)
{
    const struct evaluate_item *item = variant->item;
    size_t count = self->set_count + item->count;
    const char **sets = memory_zeroed(count, sizeof *sets);
    struct text_buffer *texts = memory_zeroed(item->count, sizeof *texts);
    struct error_list errors = {0};
    int code = sets == NULL || texts == NULL ? error_memory(err, "a sweep's point") : ERROR_NONE;
    for (size_t i = 0; i < self->set_count && code == ERROR_NONE; i++)
        sets[i] = self->sets[i];
    for (size_t i = 0; i < item->count && code == ERROR_NONE; i++) {
        text_appendf(&texts[i], "%s=%s", item->settings[i].key, item->settings[i].value);
        if (texts[i].failed)
            code = error_memory(err, "a sweep's point");
        sets[self->set_count + i] = texts[i].data;
    }
    if (code == ERROR_NONE) {
        code = scenario_load(&variant->scenario, self->path, sets, count, &errors);
        variant->loaded = code == ERROR_NONE;
        if (code != ERROR_NONE && err != NULL && errors.count > 0)
            *err = errors.items[0];
    }
    error_list_free(&errors);
    for (size_t i = 0; texts != NULL && i < item->count; i++)
        text_buffer_free(&texts[i]);
    memory_free(texts);
    memory_free(sets);
    return code;
}

/* Says at which point it was, behind what went wrong there. */
static int blame(const struct variant *self, int code, struct error *err)
{
    if (code == ERROR_NONE || code == ERROR_INTERRUPTED || code == ERROR_IO || err == NULL)
        return code;
    const struct evaluate_item *item = self->item;
    size_t length = strlen(err->message);
    for (size_t i = 0; i < item->count && length < sizeof err->message; i++)
        length += (size_t)snprintf(err->message + length, sizeof err->message - length, "%s %s=%s",
                                   i == 0 ? "; with" : "", item->settings[i].key,
                                   item->settings[i].value);
    return code;
}

static int variant_load(const struct evaluate *self, struct variant *variant, struct error *err)
{
    variant->book_key = key_of(self, variant->item, false);
    variant->factual_key = key_of(self, variant->item, true);
    if (variant->book_key == NULL || variant->factual_key == NULL)
        return error_memory(err, "a sweep's point");
    int code = blame(variant, load_scenario(self, variant, err), err);
    if (code != ERROR_NONE)
        return code;
    if (self->seed >= 0)
        variant->scenario.seed = (uint64_t)self->seed;
    memset(&variant->scenario.output, 0, sizeof variant->scenario.output);
    return ERROR_NONE;
}

static int variant_setup(const struct evaluate *self, const struct variant *variant,
                         struct setup *out, struct error *err)
{
    return borrows_market(variant->item)
               ? setup_init_like(out, &self->setup, &variant->scenario, err)
               : setup_init(out, &variant->scenario, err);
}

static bool counterfactual(const struct variant *self)
{
    const struct setup named = {.scenario = &self->scenario};
    return setup_counterfactual(&named);
}

/* ---- running ---------------------------------------------------------------------------- */

/* Variants of one book, and what becomes of them. */
struct group {
    struct evaluate *evaluate;
    struct variant **variants; /* by factual key */
    size_t count;
    size_t replicate;
    struct error *errors; /* per variant */
    evaluate_done *done;
    void *context;
    bool *stop; /* set when `done` failed: nothing more is begun */
};

static void take_numbers(const struct run_one *one, double *out)
{
    const struct field *field;
    for (size_t i = 0; (field = metrics_number_field(i)) != NULL; i++)
        out[i] = metrics_number(&one->metrics.summary, field);
}

/* An item whose last replicate was run goes to the caller at once, so that whoever keeps it has it
   before the process ends. */
static int hand_over(struct group *self, struct evaluate_item *item, struct error *err)
{
    int code = ERROR_NONE;
#pragma omp critical(evaluate_done)
    if (!*self->stop) {
        item->done = true;
        code = self->done != NULL ? self->done(self->context, item, err) : ERROR_NONE;
        if (code != ERROR_NONE) {
#pragma omp atomic write
            *self->stop = true;
        }
    }
    return code;
}

/* One replicate of a variant, with the path of its own. */
static int run_setup(struct group *self, const struct variant *variant, const struct setup *setup,
                     const struct book *book, const struct factual *factual, struct error *err)
{
    struct made_path made;
    struct path path;
    struct run_one one = {0};
    int code = setup_path(setup, (uint32_t)self->replicate, &made, &path, err);
    if (code != ERROR_NONE)
        return code;
    struct run_task task = {setup, &path, book, factual, 0, self->replicate, NULL};
    code = run_one(&task, &one, err);
    if (code == ERROR_NONE)
        take_numbers(&one, variant->item->numbers + self->replicate * evaluate_numbers());
    run_one_free(&one);
    made_path_free(&made);
    return code;
}

static int run_variant(struct group *self, size_t v, const struct book *book,
                       const struct factual *factual, struct error *err)
{
    struct variant *variant = self->variants[v];
    struct setup setup;
    int code = interrupt_check(err);
    if (code == ERROR_NONE)
        code = variant_setup(self->evaluate, variant, &setup, err);
    if (code == ERROR_NONE) {
        code = run_setup(self, variant, &setup, book, factual, err);
        setup_free(&setup);
    }
    if (code != ERROR_NONE)
        return blame(variant, code, err);
#pragma omp critical(evaluate_progress)
    progress_add(&self->evaluate->progress, 1);
    return self->replicate + 1 == (size_t)variant->scenario.replicates
               ? hand_over(self, variant->item, err)
               : ERROR_NONE;
}

static bool stopped(const bool *stop)
{
    bool out;
#pragma omp atomic read
    out = *stop;
    return out;
}

/* What keeps one variant from being run keeps those from it that need the same. */
static void fail_alike(struct group *self, size_t first, size_t end)
{
    for (size_t v = first + 1; v < end; v++)
        self->errors[v] = self->errors[first];
}

/* Variants [first, end), with the factual record that they share, if they need one. */
static void run_alike(struct group *self, size_t first, size_t end, const struct book *book,
                      const struct factual *factual)
{
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t v = first; v < end; v++)
        if (self->errors[v].code == ERROR_NONE && !stopped(self->stop))
            run_variant(self, v, book, factual, &self->errors[v]);
}

/* What happened, happened to the book of the observed open interest, which is another one when a
   level scales sizes. */
static int make_factual(const struct group *self, const struct setup *setup,
                        const struct book *book, struct factual *out, struct error *err)
{
    /* An observed path is every replicate's. */
    if (setup->scenario->oi.scale_by != SCALE_SIZES)
        return run_one_factual(setup, &setup->path, book, out, err);
    struct book own;
    int code = setup_book(setup, (uint32_t)self->replicate, &setup_as_observed, &own, err);
    if (code != ERROR_NONE)
        return code;
    code = run_one_factual(setup, &setup->path, &own, out, err);
    book_free(&own);
    return code;
}

/* The same for counterfactuals. */
static void run_counterfactuals(struct group *self, size_t first, size_t end,
                                const struct book *book)
{
    struct setup setup;
    struct factual factual;
    struct error *err = &self->errors[first];
    int code = variant_setup(self->evaluate, self->variants[first], &setup, err);
    if (code == ERROR_NONE) {
        code = make_factual(self, &setup, book, &factual, err);
        setup_free(&setup);
    }
    if (blame(self->variants[first], code, err) != ERROR_NONE) {
        fail_alike(self, first, end);
        return;
    }
    run_alike(self, first, end, book, &factual);
    factual_free(&factual);
}

/* Whether two variants can be run with what is made for one of them. */
static bool alike(const struct variant *one, const struct variant *other)
{
    return counterfactual(one) == counterfactual(other) &&
           (!counterfactual(one) || strcmp(one->factual_key, other->factual_key) == 0);
}

static void run_over_book(struct group *self, const struct book *book)
{
    for (size_t first = 0, end; first < self->count; first = end) {
        end = first + 1;
        while (end < self->count && alike(self->variants[first], self->variants[end]))
            end++;
        if (counterfactual(self->variants[first]))
            run_counterfactuals(self, first, end, book);
        else
            run_alike(self, first, end, book, NULL);
    }
}

/* A book borrows the bracket tables of the setup that it is made from. */
static void run_book(struct group *self)
{
    struct setup setup;
    struct book book;
    struct error *err = &self->errors[0];
    int code = variant_setup(self->evaluate, self->variants[0], &setup, err);
    if (code == ERROR_NONE) {
        code = setup_book(&setup, (uint32_t)self->replicate, &setup.levels[0], &book, err);
        if (code == ERROR_NONE) {
            run_over_book(self, &book);
            book_free(&book);
        }
        setup_free(&setup);
    }
    if (blame(self->variants[0], code, err) != ERROR_NONE)
        fail_alike(self, 0, self->count);
}

/* ---- grouping --------------------------------------------------------------------------- */

static int by_book(const void *a, const void *b)
{
    const struct variant *first = *(struct variant *const *)a;
    const struct variant *second = *(struct variant *const *)b;
    int order = strcmp(first->book_key, second->book_key);
    if (order == 0)
        order = strcmp(first->factual_key, second->factual_key);
    /* Keys of books that are alike keep the order of the items. */
    return order != 0 ? order : (first->item > second->item) - (first->item < second->item);
}

/* The first failure by order of the items. */
static int first_failure(const struct group *self, struct error *err)
{
    size_t worst = SIZE_MAX;
    for (size_t v = 0; v < self->count; v++)
        if (self->errors[v].code != ERROR_NONE &&
            (worst == SIZE_MAX || self->variants[v]->item < self->variants[worst]->item))
            worst = v;
    if (worst == SIZE_MAX)
        return ERROR_NONE;
    if (err != NULL)
        *err = self->errors[worst];
    return self->errors[worst].code;
}

static int run_group(const struct group *like, struct variant **variants, size_t count,
                     struct error *err)
{
    struct group group = *like;
    group.variants = variants;
    group.count = count;
    group.errors = memory_zeroed(count, sizeof *group.errors);
    if (group.errors == NULL)
        return error_memory(err, "a sweep");
    size_t replicates = (size_t)variants[0]->scenario.replicates;
    for (; group.replicate < replicates && !stopped(group.stop); group.replicate++)
        run_book(&group);
    int code = first_failure(&group, err);
    memory_free(group.errors);
    return code;
}

/* Where each group begins, and behind them the count. Returns how many. */
static size_t find_groups(struct variant **sorted, size_t count, size_t *begins)
{
    size_t groups = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(sorted[i]->book_key, sorted[i - 1]->book_key) != 0)
            begins[groups++] = i;
    begins[groups] = count;
    return groups;
}

/* Group by group, the variants of one in parallel; or, where groups are small, several at once. */
static int run_sorted(struct evaluate *self, struct variant **sorted, size_t count,
                      evaluate_done *done, void *context, struct error *err)
{
    size_t *begins = memory_alloc(count + 1, sizeof *begins);
    struct error *errors = memory_zeroed(count, sizeof *errors);
    int code = begins == NULL || errors == NULL ? error_memory(err, "a sweep") : ERROR_NONE;
    if (code == ERROR_NONE) {
        size_t groups = find_groups(sorted, count, begins);
        bool small = count / groups < 2 * (size_t)omp_get_max_threads() && groups > 1;
        bool failed = false, stop = false;
        struct group like = {.evaluate = self, .done = done, .context = context, .stop = &stop};
#pragma omp parallel for schedule(dynamic, 1) if (small)
        for (size_t g = 0; g < groups; g++) {
            if (stopped(&failed) || run_group(&like, sorted + begins[g], begins[g + 1] - begins[g],
                                              &errors[g]) == ERROR_NONE)
                continue;
#pragma omp atomic write
            failed = true;
        }
        for (size_t g = 0; g < groups && code == ERROR_NONE; g++)
            if (errors[g].code != ERROR_NONE) {
                code = errors[g].code;
                if (err != NULL)
                    *err = errors[g];
            }
    }
    memory_free(begins);
    memory_free(errors);
    return code;
}

static struct variant **variants_make(struct evaluate_item *items, size_t count)
{
    struct variant **out = memory_alloc(count, sizeof(void *));
    struct variant *all = memory_zeroed(count, sizeof *all);
    for (size_t i = 0; out != NULL && all != NULL && i < count; i++) {
        all[i].item = &items[i];
        out[i] = &all[i];
    }
    if (out != NULL && all != NULL)
        return out;
    memory_free(out);
    memory_free(all);
    return NULL;
}

/* All are read before the first is run, so that a bad one is known at once. */
static int load_all(const struct evaluate *self, struct variant *all, size_t count,
                    struct error *err)
{
    struct error *errors = memory_zeroed(count, sizeof *errors);
    int code = errors == NULL ? error_memory(err, "a sweep") : ERROR_NONE;
#pragma omp parallel for schedule(dynamic, 16) if (code == ERROR_NONE)
    for (size_t i = 0; i < count; i++)
        if (errors != NULL)
            variant_load(self, &all[i], &errors[i]);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        if (errors[i].code != ERROR_NONE) {
            code = errors[i].code;
            if (err != NULL)
                *err = errors[i];
        }
    memory_free(errors);
    return code;
}

int evaluate_items(struct evaluate *self, struct evaluate_item *items, size_t count,
                   evaluate_done *done, void *context, struct error *err)
{
    if (count == 0)
        return ERROR_NONE;
    struct variant **sorted = variants_make(items, count);
    if (sorted == NULL)
        return error_memory(err, "a sweep");
    struct variant *all = sorted[0];
    int code = load_all(self, all, count, err);
    if (code == ERROR_NONE) {
        qsort(sorted, count, sizeof(void *), by_book);
        code = run_sorted(self, sorted, count, done, context, err);
    }
    for (size_t i = 0; i < count; i++)
        variant_free(&all[i]);
    memory_free(all);
    memory_free(sorted);
    return code;
}

/* ---- plans ------------------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int evaluate_books(const struct evaluate *self, const struct evaluate_item *items, size_t count,
                   size_t *out_books, struct error *err)
{
    char **keys = memory_zeroed(count, sizeof *keys);
    int code = keys == NULL ? error_memory(err, "a plan") : ERROR_NONE;
    *out_books = 0;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        keys[i] = key_of(self, &items[i], false);
        if (keys[i] == NULL)
            code = error_memory(err, "a plan");
    }
    if (code == ERROR_NONE)
        qsort(keys, count, sizeof *keys, by_text);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        *out_books += i == 0 || strcmp(keys[i], keys[i - 1]) != 0;
    for (size_t i = 0; keys != NULL && i < count; i++)
        memory_free(keys[i]);
    memory_free(keys);
    return code;
}
