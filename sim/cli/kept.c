#include "sim/cli/kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"

int kept_layout(const struct kept *self, struct journal_layout *out, struct error *err)
{
    if (self->items > JOURNAL_ITEMS_MAX || self->payload > JOURNAL_PAYLOAD_MAX)
        return error_set(err, ERROR_SCENARIO,
                         "the study has %zu items of %zu numbers; expected fewer points, draws, "
                         "rows or replicates",
                         self->items, self->payload);
    *out = (struct journal_layout){.item_count = self->items,
                                   .payload_count = (uint32_t)self->payload};
    memcpy(out->identity, self->identity, sizeof out->identity);
    return ERROR_NONE;
}

int kept_take(const struct kept *self, const struct journal *journal, struct error *err)
{
    int code = ERROR_NONE;
    for (size_t i = 0; i < self->items && code == ERROR_NONE; i++) {
        if (!journal_has(journal, i))
            continue;
        code = journal_get(journal, i, self->values + i * self->payload, err);
        self->done[i] = code == ERROR_NONE;
    }
    if (journal->done > 0)
        cli_note(self->common, "going on after %" PRIu64 " of %zu items", journal->done,
                 self->items);
    return code;
}

int kept_append(void *journal, size_t item, const double *payload, struct error *err)
{
    return journal_append(journal, item, payload, err);
}

int kept_run(const struct kept *self, const char *directory, bool resume, kept_work *work,
             void *context, struct error *err)
{
    char path[PATHS_SIZE];
    struct journal journal;
    struct journal_layout layout;
    int code = kept_layout(self, &layout, err);
    if (code != ERROR_NONE)
        return code;
    snprintf(path, sizeof path, "%s.journal", directory);
    code = journal_open(&journal, path, &layout, resume, err);
    if (code != ERROR_NONE)
        return code;
    code = kept_take(self, &journal, err);
    if (code == ERROR_NONE)
        code = work(context, &journal, err);
    struct error ignored = {0};
    int closed = journal_close(&journal, code == ERROR_NONE ? err : &ignored);
    if (code == ERROR_NONE && closed == ERROR_NONE)
        unlink(path);
    else if (code != ERROR_NONE)
        cli_note(self->common, "what is done is kept in %s; --resume goes on", path);
    return code != ERROR_NONE ? code : closed;
}
