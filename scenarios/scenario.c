#include "scenarios/scenario.h"

#include <string.h>

#include "base/memory.h"
#include "scenarios/checks.h"
#include "scenarios/reader.h"
#include "scenarios/tree.h"
#include "scenarios/venue_rules.h"

/* Frees every text that a table describes, and clears it. */
static void free_texts(const struct schema_table *table, void *record)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct schema_row *row = &table->rows[i];
        bool is_text =
            row->kind == SCHEMA_VALUE || row->kind == SCHEMA_PATH || row->kind == SCHEMA_EVENTS;
        if (!is_text || row->field.type != FIELD_TEXT)
            continue;
        char **place = (char **)((char *)record + row->field.offset);
        memory_free(*place);
        *place = NULL;
    }
}

static void free_list(char **texts, size_t count)
{
    for (size_t i = 0; texts != NULL && i < count; i++)
        memory_free(texts[i]);
    memory_free(texts);
}

static void free_settings(struct scenario_settings *self)
{
    for (size_t k = 0; k < self->count; k++) {
        memory_free(self->items[k].key);
        memory_free(self->items[k].value);
    }
    memory_free(self->items);
}

static void free_sweep(struct scenario *self)
{
    for (size_t i = 0; i < self->sweep.axis_count; i++)
        axis_free(&self->sweep.axes[i]);
    memory_free(self->sweep.axes);
    for (size_t i = 0; i < self->sweep.list_count; i++)
        free_settings(&self->sweep.list[i]);
    memory_free(self->sweep.list);
    free_settings(&self->sweep.compare);
    for (size_t i = 0; i < self->uncertainty.parameter_count; i++) {
        struct scenario_prior *prior = &self->uncertainty.parameters[i];
        memory_free(prior->key);
        free_list(prior->choices, prior->choice_count);
    }
    memory_free(self->uncertainty.parameters);
}

static void free_backtest(struct scenario *self)
{
    for (size_t i = 0; i < self->calibrate.parameter_count; i++)
        memory_free(self->calibrate.parameters[i].key);
    memory_free(self->calibrate.parameters);
    for (size_t i = 0; i < self->backtest.asset_count; i++) {
        memory_free(self->backtest.assets[i].name);
        memory_free(self->backtest.assets[i].path);
    }
    memory_free(self->backtest.assets);
    for (size_t i = 0; i < self->backtest.split_count; i++) {
        struct scenario_split *split = &self->backtest.splits[i];
        memory_free(split->name);
        free_list(split->fit.assets, split->fit.asset_count);
        free_list(split->test.assets, split->test.asset_count);
    }
    memory_free(self->backtest.splits);
}

void scenario_free(struct scenario *self)
{
    free_texts(&schema_scenario, self);
    free_sweep(self);
    free_backtest(self);
    for (size_t i = 0; i < MARKET_INPUT_COUNT; i++)
        source_spec_free(&self->data.input[i]);
    source_spec_free(&self->signals.venue_oi);
    for (size_t i = 0; i < SCENARIO_VENUES_MAX; i++)
        free_texts(&schema_venue, &self->venues[i]);
    for (size_t i = 0; i < self->file_count; i++)
        memory_free(self->files[i]);
    memory_free(self->files);
    memory_free(self->path_name);
    memset(self, 0, sizeof *self);
}

static bool keep_file(struct scenario *self, const char *path)
{
    for (size_t i = 0; i < self->file_count; i++)
        if (strcmp(self->files[i], path) == 0)
            return true;
    self->files[self->file_count] = memory_text(path);
    return self->files[self->file_count++] != NULL;
}

/* Keeps the names of what was read, for the manifest: scenarios, then venue files. */
static bool keep_files(struct scenario *self, const char *path, const struct tree *tree)
{
    self->path_name = memory_text(path);
    self->files = memory_zeroed(tree->file_count + self->venue_count, sizeof *self->files);
    if (self->path_name == NULL || self->files == NULL)
        return false;
    for (size_t i = 0; i < tree->file_count; i++)
        if (!keep_file(self, tree->files[i].path))
            return false;
    self->scenario_file_count = self->file_count;
    for (size_t v = 0; v < self->venue_count; v++) {
        char rules[PATHS_SIZE];
        if (venue_rules_path(self->venues[v].rules, rules) && paths_exists(rules) &&
            !keep_file(self, rules))
            return false;
    }
    return true;
}

/* Where an error's file comes in the order of reading; what the command line says comes last. */
static size_t file_rank(const struct tree *tree, const char *file)
{
    size_t size = sizeof((struct error *)0)->file;
    for (size_t i = 0; i < tree->file_count; i++) {
        if (strncmp(tree->files[i].path, file, size - 1) == 0)
            return i;
    }
    return tree->file_count;
}

static bool comes_before(const struct tree *tree, const struct error *a, const struct error *b)
{
    size_t rank_a = file_rank(tree, a->file), rank_b = file_rank(tree, b->file);
    if (rank_a != rank_b)
        return rank_a < rank_b;
    if (a->line != b->line)
        return a->line < b->line;
    return a->column < b->column;
}

/* By file, line and column, as one would mend them; at most about a hundred. */
static void sort_errors(const struct tree *tree, struct error_list *errors, size_t first)
{
    for (size_t i = first + 1; i < errors->count; i++) {
        struct error moving = errors->items[i];
        size_t to = i;
        for (; to > first && comes_before(tree, &moving, &errors->items[to - 1]); to--)
            errors->items[to] = errors->items[to - 1];
        errors->items[to] = moving;
    }
}

int scenario_load(struct scenario *self, const char *path, const char *const *sets,
                  size_t set_count, struct error_list *errors)
{
    struct tree tree;
    struct reader reader = {.tree = &tree, .errors = errors};
    size_t before = errors->count;
    bool good = false;
    memset(self, 0, sizeof *self);
    if (!tree_load(&tree, path, sets, set_count, errors))
        goto out;
    reader_scenario(&reader, self);
    if (!tree.incomplete) {
        checks_resolve(&reader, self);
        checks_run(&reader, self);
    }
    good = !tree.bad && !reader.bad;
    if (good && !keep_files(self, path, &tree)) {
        struct error err = {0};
        error_memory(&err, "reading a scenario");
        error_list_add(errors, &err);
        good = false;
    }
    sort_errors(&tree, errors, before);
out:
    tree_free(&tree);
    if (good)
        return ERROR_NONE;
    scenario_free(self);
    return errors->code != ERROR_NONE ? errors->code : ERROR_IO;
}
