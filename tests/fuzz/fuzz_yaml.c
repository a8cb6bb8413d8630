/*
 * Any bytes are a document or an error with a place; every node of a document lies inside it.
 */
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(const struct yaml_node *node, long lines)
{
    liqcascade_bug_assert(node->line >= 1 && node->line <= lines, "a node outside the text");
    liqcascade_bug_assert(node->column >= 1, "a column before the first");
    liqcascade_bug_assert((node->kind == YAML_SCALAR) == (node->text != NULL), "kind and text");
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == YAML_MAPPING)
            liqcascade_bug_assert(yaml_get(node, node->keys[i]) == &node->items[i],
                                  "a key finds another value");
        check_node(&node->items[i], lines);
    }
}

/* At most: libyaml counts CR, LF, NEL, LS and PS as line breaks. */
static long count_lines(const uint8_t *data, size_t size)
{
    long lines = 2;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_file file;
    struct error err = {0};

    if (yaml_load_text(&file, "fuzz", (const char *)data, size, ERROR_DATA, &err) == ERROR_NONE) {
        if (memchr(data, 0, size) == NULL) /* UTF-16 has other lines */
            check_node(&file.root, count_lines(data, size));
        yaml_file_free(&file);
    } else {
        liqcascade_bug_assert(err.code == ERROR_DATA && err.message[0] != '\0', "no message");
        liqcascade_bug_assert(err.line >= 1 && err.column >= 1, "no place");
    }
    return 0;
}
