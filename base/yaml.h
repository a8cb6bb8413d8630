/*
 * YAML documents with the place of every node, over libyaml's document API. A node is a scalar, a
 * sequence or a mapping; nothing is converted here: readers ask for the text and its line and
 * column and convert by their own schema. Duplicate keys, anchors' cycles and more than one
 * document are errors.
 */
#ifndef LIQCASCADE_BASE_YAML_H
#define LIQCASCADE_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;       /* scalar written in quotes: '5' is text, never a null */
    long line, column; /* 1-based, of the value */
    char *text;        /* scalar; owned */
    size_t count;      /* items of a sequence, pairs of a mapping */
    char **keys;       /* mapping; owned */
    long *key_lines, *key_columns;
    struct yaml_node *items; /* sequence items or mapping values; owned */
};

struct yaml_file {
    char *path; /* as given, for messages; owned */
    struct yaml_node root;
};

/* Reads a whole file (at most 4 MiB). ERROR_IO when it cannot be read; `syntax_code`
   (ERROR_SCENARIO or ERROR_DATA) with line and column when it is not YAML, has a duplicate key or
   is empty. On failure nothing is left to free. */
int yaml_load_file(struct yaml_file *self, const char *path, int syntax_code, struct error *err);
/* The same from memory; `name` stands for the path in messages. */
int yaml_load_text(struct yaml_file *self, const char *name, const char *text, size_t length,
                   int syntax_code, struct error *err);
/* Not yaml_free: libyaml exports a function of that name and would call ours in its place. */
void yaml_file_free(struct yaml_file *self);

/* The value of a key of a mapping, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);
/* True for an unquoted `null`, `~` or empty scalar. */
bool yaml_is_null(const struct yaml_node *node);

#endif
