#include "scenarios/venue_rules.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

bool venue_rules_path(const char *rules, char out_path[PATHS_SIZE])
{
    char relative[PATHS_SIZE];
    if (strspn(rules, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(rules))
        return false;
    int length = snprintf(relative, sizeof relative, "scenarios/venues/%s.yaml", rules);
    return length < (int)sizeof relative && paths_shipped(relative, out_path, NULL) == ERROR_NONE;
}

/* The venue's own keys first, then those of the file that it does not have. */
static int join(struct venue_rules *self, const struct tree_node *venue, struct error *err)
{
    size_t room = venue->count + self->shipped.count;
    self->node.entries = memory_alloc(room, sizeof *self->node.entries);
    if (self->node.entries == NULL)
        return error_memory(err, "venue rules");
    for (size_t i = 0; i < venue->count; i++)
        self->node.entries[i] = venue->entries[i];
    self->node.count = venue->count;
    self->node.capacity = room;
    for (size_t i = 0; i < self->shipped.count; i++)
        if (tree_get(venue, self->shipped.entries[i].key) == NULL)
            self->node.entries[self->node.count++] = self->shipped.entries[i];
    return ERROR_NONE;
}

int venue_rules_fill(struct venue_rules *self, const struct tree_node *venue, const char *fallback,
                     struct error *err)
{
    char path[PATHS_SIZE];
    memset(self, 0, sizeof *self);
    self->node = *venue;
    self->node.entries = NULL;
    const struct tree_entry *named = tree_get(venue, "rules");
    const char *rules =
        named != NULL && named->value.kind == YAML_SCALAR ? named->value.text : fallback;
    if (!venue_rules_path(rules, path) || !paths_exists(path))
        return join(self, venue, err);
    int code = yaml_load_file(&self->file, path, ERROR_SCENARIO, err);
    if (code != ERROR_NONE)
        return code;
    if (!tree_copy(&self->shipped, &self->file.root, self->file.path, 0))
        return error_memory(err, "venue rules");
    if (self->shipped.kind != YAML_MAPPING)
        return error_at(err, ERROR_SCENARIO, path, 1, 1, NULL,
                        "a venue file is a mapping; expected lines such as `liquidation: full`");
    return join(self, venue, err);
}

void venue_rules_free(struct venue_rules *self)
{
    memory_free(self->node.entries);
    tree_node_free(&self->shipped);
    yaml_file_free(&self->file);
    memset(self, 0, sizeof *self);
}
