/*
 * What a scenario says once everything that it extends and every --set is merged into one tree, in
 * which each node still knows the file, line and column that said it. Mappings merge key by key;
 * lists and scalars replace; a data source that names another `source` or `path` replaces the
 * inherited one as a whole, and so does an axis of a sweep or a prior. `extends` itself is taken
 * out.
 *
 * A --set may name a key of one venue, `venues[binance].cap_scale=0.5`, and, behind `sweep.axes.`,
 * `sweep.compare.` and `uncertainty.parameters.`, a key with its dots:
 * `sweep.axes.impact.gamma=[0.5, 1]`.
 */
#ifndef LIQCASCADE_SCENARIOS_TREE_H
#define LIQCASCADE_SCENARIOS_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/yaml.h"

#define TREE_SET_NAME "--set" /* stands for the file of what the command line says */
#define TREE_EXTENDS_MAX 32

struct tree_entry;

/* Texts and file names are borrowed from the tree; entries are owned. */
struct tree_node {
    enum yaml_kind kind;
    bool quoted;
    const char *text; /* of a scalar */
    const char *file;
    long line, column;
    struct tree_entry *entries; /* of a mapping or a sequence */
    size_t count, capacity;
};

struct tree_entry {
    const char *key; /* NULL in a sequence */
    const char *key_file;
    long key_line, key_column;
    struct tree_node value;
};

struct tree {
    struct tree_node root;
    struct yaml_file *files; /* as read, then one per --set; owned */
    size_t count, capacity;
    size_t file_count; /* the leading ones that are files */
    char **texts;      /* further texts that nodes borrow; owned */
    size_t text_count, text_capacity;
    bool incomplete; /* some file could not be read; the rest is merged */
    bool bad;        /* that, or a --set that is none */
};

/* Reads `path` with what it extends and applies `sets`. Errors are appended to `errors`. False when
   not even the scenario itself could be read; then, and after that, tree_free is still due. */
bool tree_load(struct tree *self, const char *path, const char *const *sets, size_t set_count,
               struct error_list *errors);
void tree_free(struct tree *self);

/* A copy of a YAML node as said in `file`, whose texts stay borrowed from `node`; columns of the
   first line move right by `shift`. False when memory is short, leaving nothing to free. */
bool tree_copy(struct tree_node *out, const struct yaml_node *node, const char *file, long shift);
void tree_node_free(struct tree_node *node);

/* The entry of a key of a mapping, or NULL. */
struct tree_entry *tree_get(const struct tree_node *mapping, const char *key);

/* The parts of a key of one venue, `venues[NAME].WORD`, as offsets in it. */
struct tree_venue_key {
    size_t name, name_length, word;
};
/* False when the first `length` bytes of `key` are no such key. */
bool tree_split_venue(const char *key, size_t length, struct tree_venue_key *out);

/* The mapping of a venue in the list `venues` below `root`; NULL when the list is not there or has
   none of that name. */
struct tree_node *tree_venue(const struct tree_node *root, const char *name, size_t name_length);

/* True for an unquoted `null`, `~` or empty scalar. */
bool tree_is_null(const struct tree_node *node);

#endif
