#include "sim/setup_venues.h"

#include <string.h>

#include "base/memory.h"
#include "scenarios/schema.h"

/* The word that a venue row of the schema has for a choice. */
static const char *word_of(const char *key, int choice)
{
    return schema_find(&schema_venue, key, 0)->field.choices[choice];
}

/* A published table as a model; its published cum must be the regenerated one. */
static int brackets_of(const struct venue_table *table, double cap_scale, const char *path,
                       struct brackets *out, struct error *err)
{
    int code = brackets_init(out, table->count, table->cap_usd, table->max_leverage, table->rate,
                             table->valid_from_ms, err);
    if (code != ERROR_NONE)
        return code;
    for (int n = 0; n < table->count; n++)
        if (out->cum_usd[n] != table->cum_usd[n])
            return error_at(err, ERROR_DATA, path, 0, 0, "cum_usd",
                            "bracket %d says %.17g; expected %.17g from floors and rates", n + 1,
                            table->cum_usd[n], out->cum_usd[n]);
    if (cap_scale == 1.0)
        return ERROR_NONE;
    double caps[VENUE_TABLE_MAX];
    for (int n = 0; n < table->count; n++)
        caps[n] = table->cap_usd[n] * cap_scale;
    return brackets_init(out, table->count, caps, table->max_leverage, table->rate,
                         table->valid_from_ms, err);
}

/* The tables in force between two times: the last one begun before the first, and what follows. */
static int venue_brackets(struct setup *self, size_t v, int64_t from_ms, int64_t to_ms,
                          struct error *err)
{
    const struct venue_tables *tables = &self->tables[v];
    size_t first = 0;
    while (first + 1 < tables->count && tables->tables[first + 1].valid_from_ms <= from_ms)
        first++;
    size_t count = 0;
    self->brackets[v] = memory_alloc(tables->count - first, sizeof *self->brackets[v]);
    if (self->brackets[v] == NULL)
        return error_memory(err, "bracket tables");
    for (size_t t = first; t < tables->count; t++) {
        if (t > first && tables->tables[t].valid_from_ms >= to_ms)
            break;
        int code = brackets_of(&tables->tables[t], self->scenario->venues[v].cap_scale,
                               tables->input.path, &self->brackets[v][count++], err);
        if (code != ERROR_NONE)
            return code;
    }
    self->venues[v].table_count = count;
    return ERROR_NONE;
}

static int venue_flat(struct setup *self, size_t v, struct error *err)
{
    self->brackets[v] = memory_alloc(1, sizeof *self->brackets[v]);
    if (self->brackets[v] == NULL)
        return error_memory(err, "bracket tables");
    brackets_flat(self->brackets[v], self->scenario->venues[v].flat_rate,
                  self->scenario->venues[v].flat_max_leverage);
    self->venues[v].table_count = 1;
    return ERROR_NONE;
}

int setup_venues(struct setup *self, struct error *err)
{
    const struct scenario *scenario = self->scenario;
    for (size_t v = 0; v < scenario->venue_count; v++) {
        const struct scenario_venue *venue = &scenario->venues[v];
        struct book_venue *out = &self->venues[v];
        out->formula = margin_find(word_of("margin", venue->margin));
        out->oi_share = venue->oi_share;
        strncpy(out->name, venue->name, sizeof out->name - 1);
        int code;
        if (strcmp(venue->rules, "flat") == 0) {
            code = venue_flat(self, v, err);
        } else {
            code = venue_tables_read(&self->tables[v],
                                     venue->brackets != NULL ? venue->brackets : venue->rules,
                                     scenario->symbol, err);
            if (code == ERROR_NONE)
                code =
                    venue_brackets(self, v, scenario->time.warmup_ms, scenario->time.end_ms, err);
        }
        if (code != ERROR_NONE)
            return code;
        out->tables = self->brackets[v];
        self->venue_count++;
    }
    return ERROR_NONE;
}
