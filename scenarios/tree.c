#include "scenarios/tree.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/paths.h"
#include "scenarios/schema.h"

void tree_node_free(struct tree_node *node)
{
    for (size_t i = 0; i < node->count; i++)
        tree_node_free(&node->entries[i].value);
    memory_free(node->entries);
    memset(node, 0, sizeof *node);
}

/* A new zeroed entry at the end; NULL when memory is short. */
static struct tree_entry *node_add(struct tree_node *node)
{
    struct tree_entry *entries =
        memory_grow(node->entries, &node->capacity, node->count + 1, sizeof *entries);
    if (entries == NULL)
        return NULL;
    node->entries = entries;
    struct tree_entry *entry = &entries[node->count++];
    memset(entry, 0, sizeof *entry);
    return entry;
}

bool tree_copy(struct tree_node *out, const struct yaml_node *node, const char *file, long shift)
{
    *out = (struct tree_node){.kind = node->kind,
                              .quoted = node->quoted,
                              .text = node->text,
                              .file = file,
                              .line = node->line,
                              .column = node->column + (node->line == 1 ? shift : 0)};
    for (size_t i = 0; i < node->count; i++) {
        struct tree_entry *entry = node_add(out);
        if (entry == NULL)
            goto fail;
        if (node->kind == YAML_MAPPING) {
            entry->key = node->keys[i];
            entry->key_file = file;
            entry->key_line = node->key_lines[i];
            entry->key_column = node->key_columns[i] + (node->key_lines[i] == 1 ? shift : 0);
        }
        if (!tree_copy(&entry->value, &node->items[i], file, shift))
            goto fail;
    }
    return true;
fail:
    tree_node_free(out);
    return false;
}

struct tree_entry *tree_get(const struct tree_node *mapping, const char *key)
{
    if (mapping->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->count; i++) {
        if (strcmp(mapping->entries[i].key, key) == 0)
            return &mapping->entries[i];
    }
    return NULL;
}

bool tree_is_null(const struct tree_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != YAML_SCALAR || node->quoted)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(node->text, words[i]) == 0)
            return true;
    }
    return false;
}

/* --- merging --- */

/* Groups whose mappings go by keys of the scenario, dots and all. */
static const char *const keyed[] = {"sweep.axes.", "sweep.compare.", "uncertainty.parameters."};

/* How much of a dotted key stands before the key of the scenario that is in it; 0: none is. */
static size_t keyed_from(const char *key, size_t length)
{
    for (size_t i = 0; i < sizeof keyed / sizeof *keyed; i++) {
        size_t prefix = strlen(keyed[i]);
        if (length > prefix && strncmp(key, keyed[i], prefix) == 0)
            return prefix;
    }
    return 0;
}

/* A source that says where its data are is another source: nothing of the old one may survive. Nor
   of an axis or a prior, which are values that happen to be mappings. */
static bool replaces_whole(const char *key, const struct tree_node *over)
{
    if (keyed_from(key, strlen(key)) > 0)
        return true;
    const struct schema_row *row = schema_find(&schema_scenario, key, 0);
    return row != NULL && row->kind == SCHEMA_SOURCE &&
           (tree_get(over, "source") != NULL || tree_get(over, "path") != NULL);
}

static bool merge(struct tree_node *base, struct tree_node *over, const char *key);

static bool merge_entry(struct tree_node *base, struct tree_entry *over, const char *key)
{
    struct tree_entry *entry = tree_get(base, over->key);
    if (entry == NULL) {
        entry = node_add(base);
        if (entry == NULL)
            return false;
        *entry = *over;
        memset(&over->value, 0, sizeof over->value);
        return true;
    }
    char below[128];
    snprintf(below, sizeof below, "%s%s%s", key, key[0] != '\0' ? "." : "", over->key);
    entry->key_file = over->key_file;
    entry->key_line = over->key_line;
    entry->key_column = over->key_column;
    return merge(&entry->value, &over->value, below);
}

/* Puts `over` over `base`; takes over what it uses and frees the rest of `over` in any case. False
   when memory is short, with `base` still whole enough to be freed. */
static bool merge(struct tree_node *base, struct tree_node *over, const char *key)
{
    bool good = true;
    if (base->kind != YAML_MAPPING || over->kind != YAML_MAPPING || replaces_whole(key, over)) {
        tree_node_free(base);
        *base = *over;
        memset(over, 0, sizeof *over);
        return true;
    }
    for (size_t i = 0; good && i < over->count; i++)
        good = merge_entry(base, &over->entries[i], key);
    base->file = over->file;
    base->line = over->line;
    base->column = over->column;
    tree_node_free(over);
    return good;
}

/* --- files --- */

static void add_memory_error(struct tree *self, struct error_list *errors)
{
    struct error err = {0};
    error_memory(&err, "reading a scenario");
    error_list_add(errors, &err);
    self->incomplete = self->bad = true;
}

/* Keeps a loaded file for as long as the tree; frees it when memory is short. */
static bool keep_file(struct tree *self, struct yaml_file *file)
{
    struct yaml_file *files =
        memory_grow(self->files, &self->capacity, self->count + 1, sizeof *files);
    if (files == NULL) {
        yaml_file_free(file);
        return false;
    }
    self->files = files;
    files[self->count++] = *file;
    return true;
}

static char *keep_text(struct tree *self, const char *bytes, size_t length)
{
    char **texts =
        memory_grow(self->texts, &self->text_capacity, self->text_count + 1, sizeof *texts);
    if (texts == NULL)
        return NULL;
    self->texts = texts;
    char *copy = memory_alloc(length + 1, 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    texts[self->text_count++] = copy;
    return copy;
}

/* Reads one file into `out`. A file that was asked for by `said` (an `extends`) is reported there.
 */
static bool load_one(struct tree *self, const char *path, const struct tree_node *said,
                     struct tree_node *out, struct error_list *errors)
{
    struct yaml_file file = {0};
    struct error err = {0};
    if (yaml_load_file(&file, path, ERROR_SCENARIO, &err) != ERROR_NONE) {
        if (said != NULL && err.line == 0) {
            struct error cause = err;
            error_at(&err, cause.code, said->file, said->line, said->column, "extends", "%s: %s",
                     path, cause.message);
        }
        error_list_add(errors, &err);
        self->incomplete = self->bad = true;
        return false;
    }
    if (!keep_file(self, &file) || !tree_copy(out, &file.root, file.path, 0)) {
        add_memory_error(self, errors);
        return false;
    }
    self->file_count = self->count;
    if (out->kind == YAML_MAPPING)
        return true;
    error_at(&err, ERROR_SCENARIO, out->file, out->line, out->column, NULL,
             "a scenario is a mapping of keys; expected lines such as `format: 1`");
    error_list_add(errors, &err);
    self->incomplete = self->bad = true;
    tree_node_free(out);
    return false;
}

/* Takes `extends` out of a file's mapping. True when it names a file, whose path is then in `path`
   and whose place in `out_said`. */
static bool take_extends(struct tree *self, struct tree_node *node, struct tree_node *out_said,
                         char path[PATHS_SIZE], struct error_list *errors)
{
    struct error err = {0};
    bool good = false;
    struct tree_entry *entry = tree_get(node, "extends");
    if (entry == NULL)
        return false;
    struct tree_entry taken = *entry;
    size_t after = (size_t)(node->entries + node->count - (entry + 1));
    memmove(entry, entry + 1, after * sizeof *entry);
    node->count--;
    *out_said = taken.value;
    if (tree_is_null(&taken.value))
        return false;
    if (taken.value.kind != YAML_SCALAR || taken.value.text[0] == '\0') {
        error_at(&err, ERROR_SCENARIO, taken.value.file, taken.value.line, taken.value.column,
                 "extends", "is not a path; expected one scenario file");
    } else {
        good = paths_relative_to(taken.value.file, taken.value.text, path, &err) == ERROR_NONE;
    }
    if (!good) {
        error_list_add(errors, &err);
        self->incomplete = self->bad = true;
        tree_node_free(&taken.value);
    }
    return good;
}

/* True when the file was read before in this chain. `seen` holds one identity per file. */
static bool is_cycle(char (*seen)[PATHS_SIZE], size_t count, const char *path)
{
    char identity[PATH_MAX];
    if (realpath(path, identity) == NULL || strlen(identity) >= PATHS_SIZE)
        return false; /* opening it will say what is wrong */
    for (size_t i = 0; i < count; i++) {
        if (strcmp(seen[i], identity) == 0)
            return true;
    }
    memcpy(seen[count], identity, strlen(identity) + 1);
    return false;
}

static void add_chain_error(struct tree *self, const struct tree_node *said, const char *message,
                            struct error_list *errors)
{
    struct error err = {0};
    error_at(&err, ERROR_SCENARIO, said->file, said->line, said->column, "extends", "%s", message);
    error_list_add(errors, &err);
    self->incomplete = self->bad = true;
}

/* Reads the file and what it extends into `levels`, outermost first. Returns how many. */
static size_t load_chain(struct tree *self, const char *path, struct tree_node *levels,
                         char (*seen)[PATHS_SIZE], struct error_list *errors)
{
    char next[PATHS_SIZE];
    struct tree_node said = {0};
    size_t count = 0;
    is_cycle(seen, 0, path);
    if (!load_one(self, path, NULL, &levels[0], errors))
        return 0;
    count = 1;
    while (take_extends(self, &levels[count - 1], &said, next, errors)) {
        if (count == TREE_EXTENDS_MAX) {
            add_chain_error(self, &said, "extends more than 31 files in a row", errors);
            break;
        }
        if (is_cycle(seen, count, next)) {
            add_chain_error(self, &said, "extends itself, directly or through other files", errors);
            break;
        }
        if (!load_one(self, next, &said, &levels[count], errors))
            break;
        count++;
    }
    return count;
}

/* --- --set --- */

static void add_set_error(struct tree *self, long column, const char *key, const char *message,
                          struct error_list *errors)
{
    struct error err = {0};
    error_at(&err, ERROR_SCENARIO, TREE_SET_NAME, 1, column, key, "%s", message);
    error_list_add(errors, &err);
    self->bad = true;
}

/* Wraps `value` into a mapping per part of the dotted key behind `from`, innermost first. */
static bool wrap_in_key(struct tree *self, const char *key, size_t from, size_t length,
                        struct tree_node *value)
{
    size_t whole = keyed_from(key, length);
    while (length > from) {
        size_t start = length > whole && whole > 0 ? whole : length;
        while (start > from && key[start - 1] != '.')
            start--;
        const char *part = keep_text(self, key + start, length - start);
        struct tree_node mapping = {
            .kind = YAML_MAPPING, .file = TREE_SET_NAME, .line = 1, .column = (long)start + 1};
        struct tree_entry *entry = part == NULL ? NULL : node_add(&mapping);
        if (entry == NULL)
            return false;
        entry->key = part;
        entry->key_file = TREE_SET_NAME;
        entry->key_line = 1;
        entry->key_column = (long)start + 1;
        entry->value = *value;
        *value = mapping;
        length = start > from ? start - 1 : from;
    }
    return true;
}

bool tree_split_venue(const char *key, size_t length, struct tree_venue_key *out)
{
    static const char prefix[] = "venues[";
    size_t start = sizeof prefix - 1;
    if (length <= start || strncmp(key, prefix, start) != 0)
        return false;
    const char *end = memchr(key + start, ']', length - start);
    if (end == NULL || end == key + start)
        return false;
    size_t word = (size_t)(end - key) + 2;
    if (word >= length || end[1] != '.')
        return false;
    *out = (struct tree_venue_key){start, (size_t)(end - key) - start, word};
    return true;
}

struct tree_node *tree_venue(const struct tree_node *root, const char *name, size_t name_length)
{
    struct tree_entry *venues = tree_get(root, "venues");
    if (venues == NULL || venues->value.kind != YAML_SEQUENCE)
        return NULL;
    for (size_t i = 0; i < venues->value.count; i++) {
        struct tree_node *venue = &venues->value.entries[i].value;
        const struct tree_entry *entry = tree_get(venue, "name");
        if (entry != NULL && entry->value.kind == YAML_SCALAR &&
            strlen(entry->value.text) == name_length &&
            memcmp(entry->value.text, name, name_length) == 0)
            return venue;
    }
    return NULL;
}

/* What a --set of this key is put over, and how much of the key says so; NULL when it names a venue
   that the scenario has not. */
static struct tree_node *set_target(struct tree *self, const char *key, size_t length,
                                    size_t *out_from)
{
    struct tree_venue_key parts;
    *out_from = 0;
    if (!tree_split_venue(key, length, &parts))
        return &self->root;
    *out_from = parts.word;
    return tree_venue(&self->root, key + parts.name, parts.name_length);
}

static bool set_key_good(const char *key, size_t length)
{
    if (length == 0 || length > 90 || key[0] == '.' || key[length - 1] == '.')
        return false;
    for (size_t i = 1; i < length; i++) {
        if (key[i] == '.' && key[i - 1] == '.')
            return false;
    }
    return true;
}

/* Applies one `key=value` to the root; its value is YAML as one would write it behind the key. */
static void apply_set(struct tree *self, const char *set, struct error_list *errors)
{
    struct yaml_file file = {0};
    struct tree_node value = {0};
    struct error err = {0};
    size_t length = strcspn(set, "=");
    if (set[length] == '\0' || set[length + 1] == '\0' || !set_key_good(set, length)) {
        add_set_error(self, 1, set,
                      "is not a setting; expected key=value such as "
                      "book.turnover_per_hour=0.03",
                      errors);
        return;
    }
    size_t from;
    struct tree_node *target = set_target(self, set, length, &from);
    if (target == NULL) {
        add_set_error(self, 1, set, "names a venue that the scenario does not list", errors);
        return;
    }
    const char *text = set + length + 1;
    long shift = (long)length + 1;
    if (yaml_load_text(&file, TREE_SET_NAME, text, strlen(text), ERROR_SCENARIO, &err) !=
        ERROR_NONE) {
        if (err.line == 1)
            err.column += shift;
        snprintf(err.key, sizeof err.key, "%.*s", (int)length, set);
        error_list_add(errors, &err);
        self->bad = true;
        return;
    }
    if (!keep_file(self, &file) || !tree_copy(&value, &file.root, TREE_SET_NAME, shift) ||
        !wrap_in_key(self, set, from, length, &value) ||
        !merge(target, &value, from > 0 ? "venues[]" : "")) {
        tree_node_free(&value);
        add_memory_error(self, errors);
    }
}

bool tree_load(struct tree *self, const char *path, const char *const *sets, size_t set_count,
               struct error_list *errors)
{
    struct tree_node levels[TREE_EXTENDS_MAX] = {0};
    memset(self, 0, sizeof *self);
    char(*seen)[PATHS_SIZE] = memory_zeroed(TREE_EXTENDS_MAX + 1, sizeof *seen);
    if (seen == NULL) {
        add_memory_error(self, errors);
        return false;
    }
    size_t count = load_chain(self, path, levels, seen, errors);
    memory_free(seen);
    if (count == 0)
        return false;
    self->root = levels[count - 1];
    for (size_t i = count - 1; i-- > 0;) {
        if (!merge(&self->root, &levels[i], ""))
            add_memory_error(self, errors);
    }
    for (size_t i = 0; i < set_count; i++)
        apply_set(self, sets[i], errors);
    return true;
}

void tree_free(struct tree *self)
{
    tree_node_free(&self->root);
    for (size_t i = 0; i < self->count; i++)
        yaml_file_free(&self->files[i]);
    memory_free(self->files);
    for (size_t i = 0; i < self->text_count; i++)
        memory_free(self->texts[i]);
    memory_free(self->texts);
    memset(self, 0, sizeof *self);
}
