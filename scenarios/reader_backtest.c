/* Reads what is backtested: assets and splits. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/paths.h"
#include "scenarios/reader.h"
#include "scenarios/value.h"

/* --- assets --- */

static bool read_asset(struct reader *self, const struct tree_entry *entry,
                       struct scenario_asset *asset)
{
    char shown[2 * READER_KEY_SIZE], joined[PATHS_SIZE];
    const struct tree_node *node = &entry->value;
    struct error err = {0};
    snprintf(shown, sizeof shown, "backtest.assets.%.70s", entry->key);
    if (node->kind != YAML_SCALAR || tree_is_null(node)) {
        reader_report(self, node, shown, "is no path; expected a scenario file");
        return false;
    }
    if (paths_relative_to(node->file, node->text, joined, &err) != ERROR_NONE) {
        reader_report(self, node, shown, "%s", err.message);
        return false;
    }
    asset->name = memory_text(entry->key);
    asset->path = memory_text(joined);
    return (asset->name != NULL && asset->path != NULL) || reader_refuse_memory(self);
}

bool reader_assets(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario)
{
    bool good = true;
    if (tree_is_null(node))
        return true;
    if (node->kind != YAML_MAPPING)
        return reader_refuse_kind(self, row, node, row->field.name);
    if (node->count == 0)
        return true;
    scenario->backtest.assets = memory_zeroed(node->count, sizeof *scenario->backtest.assets);
    if (scenario->backtest.assets == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++) {
        if (tree_is_null(&node->entries[i].value))
            continue; /* takes an inherited asset away */
        struct scenario_asset *asset = &scenario->backtest.assets[scenario->backtest.asset_count++];
        good = read_asset(self, &node->entries[i], asset) && good;
    }
    return good;
}

/* --- splits --- */

bool reader_part(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                 const char *key, struct scenario_part *part)
{
    char shown[VALUE_SHOWN_SIZE];
    if (node->kind != YAML_SEQUENCE)
        return reader_refuse_kind(self, row, node, key);
    if (node->count == 0)
        return true;
    part->assets = memory_zeroed(node->count, sizeof *part->assets);
    if (part->assets == NULL)
        return reader_refuse_memory(self);
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_node *item = &node->entries[i].value;
        if (item->kind != YAML_SCALAR || tree_is_null(item)) {
            reader_report(self, item, key, "%s is no name; expected one of backtest.assets",
                          value_shown(item, shown));
            return false;
        }
        part->assets[part->asset_count] = memory_text(item->text);
        if (part->assets[part->asset_count++] == NULL)
            return reader_refuse_memory(self);
    }
    return true;
}

static bool read_split(struct reader *self, const struct tree_node *node, size_t index,
                       struct scenario_split *split)
{
    char prefix[READER_KEY_SIZE], shown[VALUE_SHOWN_SIZE];
    bool before = self->bad;
    snprintf(prefix, sizeof prefix, "backtest.splits[%zu].", index);
    if (node->kind != YAML_MAPPING) {
        reader_report(self, node, "backtest.splits",
                      "%s does not fit; expected a mapping such as {name: ..., fit: ..., test: "
                      "...}",
                      value_shown(node, shown));
        return false;
    }
    self->bad = false;
    reader_table(self, &schema_split, 0, node, prefix, split, NULL);
    bool good = !self->bad;
    self->bad = before || !good;
    return good;
}

bool reader_splits(struct reader *self, const struct schema_row *row, const struct tree_node *node,
                   struct scenario *scenario)
{
    bool good = true;
    if (node->kind != YAML_SEQUENCE)
        return reader_refuse_kind(self, row, node, row->field.name);
    if (node->count == 0)
        return true;
    scenario->backtest.splits = memory_zeroed(node->count, sizeof *scenario->backtest.splits);
    if (scenario->backtest.splits == NULL)
        return reader_refuse_memory(self);
    scenario->backtest.split_count = node->count;
    for (size_t i = 0; i < node->count; i++)
        good = read_split(self, &node->entries[i].value, i, &scenario->backtest.splits[i]) && good;
    return good;
}
