#include "base/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"

#define FILE_LIMIT ((size_t)4 << 20)
#define DEPTH_LIMIT 64
/* Aliases are copied out, and aliases of aliases multiply ("billion laughs"). */
#define NODE_LIMIT 1000000
#define KEY_LIMIT 4096 /* of one mapping: looking for duplicates compares every two */

/* What the recursive copy of a libyaml document needs to know. */
struct copier {
    yaml_document_t *document;
    const char *name; /* of the file, for messages */
    int syntax_code;
    struct error *err;
    size_t nodes;                         /* copied so far */
    const yaml_node_t *path[DEPTH_LIMIT]; /* from the root to the node being copied */
    size_t depth;
};

static long line_of(yaml_mark_t mark)
{
    return (long)mark.line + 1;
}

static long column_of(yaml_mark_t mark)
{
    return (long)mark.column + 1;
}

static int refuse(const struct copier *copier, const yaml_node_t *source, const char *problem)
{
    return error_at(copier->err, copier->syntax_code, copier->name, line_of(source->start_mark),
                    column_of(source->start_mark), NULL, "%s", problem);
}

static void free_node(struct yaml_node *node)
{
    for (size_t i = 0; node->items != NULL && i < node->count; i++)
        free_node(&node->items[i]);
    for (size_t i = 0; node->keys != NULL && i < node->count; i++)
        memory_free(node->keys[i]);
    memory_free(node->items);
    memory_free(node->keys);
    memory_free(node->key_lines);
    memory_free(node->key_columns);
    memory_free(node->text);
    *node = (struct yaml_node){0};
}

/* The text of a scalar; one that holds a NUL (written "\0") has no C string. */
static int copy_text(const struct copier *copier, const yaml_node_t *source, char **out_text)
{
    const char *value = (const char *)source->data.scalar.value;

    if (strlen(value) != source->data.scalar.length)
        return refuse(copier, source, "a NUL character in text");
    *out_text = memory_text(value);
    return *out_text != NULL ? ERROR_NONE : error_memory(copier->err, "reading YAML");
}

static int copy_node(struct copier *copier, const yaml_node_t *source, struct yaml_node *out);

static int copy_sequence(struct copier *copier, const yaml_node_t *source, struct yaml_node *out)
{
    size_t count = (size_t)(source->data.sequence.items.top - source->data.sequence.items.start);
    int code = ERROR_NONE;

    out->kind = YAML_SEQUENCE;
    out->items = memory_zeroed(count, sizeof(*out->items));
    if (out->items == NULL)
        return error_memory(copier->err, "reading YAML");
    out->count = count;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        int item = source->data.sequence.items.start[i];

        code = copy_node(copier, yaml_document_get_node(copier->document, item), &out->items[i]);
    }
    return code;
}

static int refuse_duplicate(const struct copier *copier, const struct yaml_node *mapping,
                            size_t pair)
{
    for (size_t i = 0; i < pair; i++)
        if (strcmp(mapping->keys[i], mapping->keys[pair]) == 0)
            return error_at(copier->err, copier->syntax_code, copier->name,
                            mapping->key_lines[pair], mapping->key_columns[pair],
                            mapping->keys[pair], "duplicate key; first given at line %ld",
                            mapping->key_lines[i]);
    return ERROR_NONE;
}

static int copy_pair(struct copier *copier, const yaml_node_pair_t *source, struct yaml_node *out,
                     size_t pair)
{
    const yaml_node_t *key = yaml_document_get_node(copier->document, source->key);
    const yaml_node_t *value = yaml_document_get_node(copier->document, source->value);
    int code;

    if (key->type != YAML_SCALAR_NODE)
        return refuse(copier, key, "a key that is a list or a mapping; expected a name");
    out->key_lines[pair] = line_of(key->start_mark);
    out->key_columns[pair] = column_of(key->start_mark);
    code = copy_text(copier, key, &out->keys[pair]);
    if (code == ERROR_NONE)
        code = refuse_duplicate(copier, out, pair);
    if (code == ERROR_NONE)
        code = copy_node(copier, value, &out->items[pair]);
    return code;
}

static int copy_mapping(struct copier *copier, const yaml_node_t *source, struct yaml_node *out)
{
    size_t count = (size_t)(source->data.mapping.pairs.top - source->data.mapping.pairs.start);
    int code = ERROR_NONE;

    out->kind = YAML_MAPPING;
    if (count > KEY_LIMIT)
        return refuse(copier, source, "too many keys in one mapping");
    out->keys = memory_zeroed(count, sizeof(*out->keys));
    out->key_lines = memory_zeroed(count, sizeof(*out->key_lines));
    out->key_columns = memory_zeroed(count, sizeof(*out->key_columns));
    out->items = memory_zeroed(count, sizeof(*out->items));
    if (!out->keys || !out->key_lines || !out->key_columns || !out->items)
        return error_memory(copier->err, "reading YAML");
    out->count = count;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        code = copy_pair(copier, &source->data.mapping.pairs.start[i], out, i);
    return code;
}

/* Refuses an alias of a node that holds it, and what is too deep or too large. */
static int enter(struct copier *copier, const yaml_node_t *source)
{
    for (size_t i = 0; i < copier->depth; i++)
        if (copier->path[i] == source)
            return refuse(copier, source, "an anchor that contains itself");
    if (copier->depth == DEPTH_LIMIT)
        return refuse(copier, source, "nested too deeply");
    if (++copier->nodes > NODE_LIMIT)
        return refuse(copier, source, "too many values after aliases are resolved");
    copier->path[copier->depth++] = source;
    return ERROR_NONE;
}

static int copy_node(struct copier *copier, const yaml_node_t *source, struct yaml_node *out)
{
    int code = enter(copier, source);

    if (code != ERROR_NONE)
        return code;
    out->line = line_of(source->start_mark);
    out->column = column_of(source->start_mark);
    switch (source->type) {
    case YAML_SCALAR_NODE:
        out->kind = YAML_SCALAR;
        out->quoted = source->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        code = copy_text(copier, source, &out->text);
        break;
    case YAML_SEQUENCE_NODE:
        code = copy_sequence(copier, source, out);
        break;
    case YAML_MAPPING_NODE:
        code = copy_mapping(copier, source, out);
        break;
    case YAML_NO_NODE:
        code = refuse(copier, source, "a node without a kind");
        break;
    }
    copier->depth--;
    return code;
}

/* Line and column of a byte: libyaml gives only the offset of bytes that are not UTF-8. */
static void place_of_byte(const char *text, size_t offset, long *out_line, long *out_column)
{
    *out_line = 1;
    *out_column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            ++*out_line;
            *out_column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            ++*out_column;
        }
    }
}

static int parser_error(const yaml_parser_t *parser, const char *name, const char *text,
                        size_t length, int syntax_code, struct error *err)
{
    long line = line_of(parser->problem_mark), column = column_of(parser->problem_mark);

    if (parser->error == YAML_MEMORY_ERROR)
        return error_memory(err, "reading YAML");
    if (parser->error == YAML_READER_ERROR)
        place_of_byte(text, parser->problem_offset < length ? parser->problem_offset : length,
                      &line, &column);
    return error_at(err, syntax_code, name, line, column, NULL, "not YAML: %s%s%s",
                    parser->problem != NULL ? parser->problem : "syntax error",
                    parser->context != NULL ? " " : "",
                    parser->context != NULL ? parser->context : "");
}

static bool is_empty(const yaml_node_t *root)
{
    return root == NULL || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0 &&
                            root->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

static int copy_document(struct copier *copier, struct yaml_node *out)
{
    const yaml_node_t *root = yaml_document_get_root_node(copier->document);

    if (is_empty(root))
        return error_at(copier->err, copier->syntax_code, copier->name, 1, 1, NULL,
                        "the file is empty");
    return copy_node(copier, root, out);
}

static int refuse_second_document(yaml_parser_t *parser, const char *text, size_t length,
                                  const struct copier *copier)
{
    yaml_document_t document;
    int code = ERROR_NONE;

    if (!yaml_parser_load(parser, &document))
        return parser_error(parser, copier->name, text, length, copier->syntax_code, copier->err);
    if (yaml_document_get_root_node(&document) != NULL)
        code =
            error_at(copier->err, copier->syntax_code, copier->name, line_of(document.start_mark),
                     column_of(document.start_mark), NULL, "a second document; expected one");
    yaml_document_delete(&document);
    return code;
}

static int parse_with(yaml_parser_t *parser, const char *text, size_t length, struct copier *copier,
                      struct yaml_node *out)
{
    yaml_document_t document;
    int code;

    yaml_parser_set_input_string(parser, (const unsigned char *)text, length);
    if (!yaml_parser_load(parser, &document))
        return parser_error(parser, copier->name, text, length, copier->syntax_code, copier->err);
    copier->document = &document;
    code = copy_document(copier, out);
    copier->document = NULL;
    yaml_document_delete(&document);
    if (code == ERROR_NONE)
        code = refuse_second_document(parser, text, length, copier);
    return code;
}

int yaml_load_text(struct yaml_file *self, const char *name, const char *text, size_t length,
                   int syntax_code, struct error *err)
{
    struct copier copier = {.name = name, .syntax_code = syntax_code, .err = err};
    yaml_parser_t parser;
    int code;

    *self = (struct yaml_file){.path = memory_text(name)};
    if (self->path == NULL || !yaml_parser_initialize(&parser)) {
        yaml_file_free(self);
        return error_memory(err, "reading YAML");
    }
    code = parse_with(&parser, text, length, &copier, &self->root);
    yaml_parser_delete(&parser);
    if (code != ERROR_NONE)
        yaml_file_free(self);
    return code;
}

/* The bytes of a file, at most FILE_LIMIT of them. */
static int read_file(const char *path, int syntax_code, char **out_text, size_t *out_length,
                     struct error *err)
{
    FILE *file = NULL;
    char *text = memory_alloc(FILE_LIMIT + 1, 1);
    int code = ERROR_NONE;

    if (text == NULL)
        return error_memory(err, "reading YAML");
    file = fopen(path, "rb");
    if (file == NULL) {
        code = error_errno(err, path, errno, "cannot open");
        goto out;
    }
    *out_length = fread(text, 1, FILE_LIMIT + 1, file);
    if (ferror(file))
        code = error_errno(err, path, errno, "cannot read");
    else if (*out_length > FILE_LIMIT)
        code = error_at(err, syntax_code, path, 0, 0, NULL, "larger than %zu bytes", FILE_LIMIT);
out:
    if (file != NULL)
        fclose(file);
    if (code == ERROR_NONE)
        *out_text = text;
    else
        memory_free(text);
    return code;
}

int yaml_load_file(struct yaml_file *self, const char *path, int syntax_code, struct error *err)
{
    char *text = NULL;
    size_t length = 0;
    int code;

    *self = (struct yaml_file){0};
    code = read_file(path, syntax_code, &text, &length, err);
    if (code != ERROR_NONE)
        return code;
    code = yaml_load_text(self, path, text, length, syntax_code, err);
    memory_free(text);
    return code;
}

void yaml_file_free(struct yaml_file *self)
{
    free_node(&self->root);
    memory_free(self->path);
    *self = (struct yaml_file){0};
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
    if (mapping == NULL || mapping->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->count; i++)
        if (strcmp(mapping->keys[i], key) == 0)
            return &mapping->items[i];
    return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}
