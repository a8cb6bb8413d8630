#include "sim/study/shards.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

static const char JOURNAL_SUFFIX[] = ".journal";

char *shards_name(int rank, int size, char out_name[SHARDS_NAME_SIZE])
{
    snprintf(out_name, SHARDS_NAME_SIZE, "shard-%04d-of-%04d", rank + 1, size);
    return out_name;
}

/* `folder/name` and `suffix`, or NULL when memory is short. */
static char *join(const char *folder, const char *name, const char *suffix)
{
    struct text_buffer path = {0};
    text_appendf(&path, "%s/%s%s", folder, name, suffix);
    if (!path.failed)
        return path.data;
    text_buffer_free(&path);
    return NULL;
}

/* ---- one shard -------------------------------------------------------------------------- */

/* The shard's folder is there: the same study's, or another's? */
static int take_finished(struct shards_work *self, const struct journal_layout *layout, bool resume,
                         struct error *err)
{
    struct journal journal;
    if (!resume)
        return error_at(err, ERROR_IO, self->target, 0, 0, NULL,
                        "this shard is finished already; merge it, or remove it to start anew");
    char *path = join(self->target, SHARDS_JOURNAL, "");
    if (path == NULL)
        return error_memory(err, "looking for a finished shard");
    int code = journal_read(&journal, path, err);
    memory_free(path);
    if (code != ERROR_NONE)
        return code;
    bool same = memcmp(journal.layout.identity, layout->identity, SHA256_TEXT_SIZE) == 0 &&
                journal.layout.item_count == layout->item_count &&
                journal.layout.payload_count == layout->payload_count;
    journal_close(&journal, NULL);
    if (!same)
        return error_at(err, ERROR_SCENARIO, self->target, 0, 0, NULL,
                        "the scenario changed, or the program, since this shard was finished; "
                        "change it back, or remove the shard to start anew");
    self->finished = true;
    return ERROR_NONE;
}

int shards_begin(struct shards_work *self, const char *folder, const struct ranks *ranks,
                 const struct journal_layout *layout, bool resume, struct error *err)
{
    char name[SHARDS_NAME_SIZE];
    struct stat status;
    *self = (struct shards_work){.ranks = *ranks};
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_errno(err, folder, errno, "cannot make the folder of the shards");
    self->target = join(folder, shards_name(ranks->rank, ranks->size, name), "");
    char *journal = join(folder, name, JOURNAL_SUFFIX);
    int code = ERROR_NONE;
    if (self->target == NULL || journal == NULL)
        code = error_memory(err, "beginning a shard");
    else if (lstat(self->target, &status) == 0)
        code = take_finished(self, layout, resume, err);
    else
        code = journal_open(&self->journal, journal, layout, resume, err);
    if (code == ERROR_NONE && self->finished)
        unlink(journal); /* left over when the process ended right after the commit */
    memory_free(journal);
    if (code != ERROR_NONE)
        shards_end(self, NULL);
    return code;
}

static int write_journal(const struct shards_work *self, struct results *results, struct error *err)
{
    FILE *file = results_open(results, SHARDS_JOURNAL, err);
    if (file == NULL)
        return ERROR_IO;
    int code = journal_write(&self->journal, file, err);
    int closed = results_close(results, file, SHARDS_JOURNAL, code == ERROR_NONE ? err : NULL);
    return code != ERROR_NONE ? code : closed;
}

static int check_done(const struct shards_work *self, struct error *err)
{
    uint64_t items = self->journal.layout.item_count, missing = 0;
    for (uint64_t item = (uint64_t)self->ranks.rank; item < items;
         item += (uint64_t)self->ranks.size)
        missing += !journal_has(&self->journal, item);
    if (missing == 0 && self->journal.done == ranks_share(&self->ranks, items))
        return ERROR_NONE;
    return error_at(err, ERROR_NUMERICAL, self->target, 0, 0, NULL,
                    "%" PRIu64 " items of the shard are not finished, or others are", missing);
}

int shards_commit(struct shards_work *self, shards_write *write, void *context, struct error *err)
{
    struct results results;
    liqcascade_bug_assert(self->journal.path != NULL,
                          "a shard is committed once, while it is open");
    int code = check_done(self, err);
    if (code == ERROR_NONE)
        code = journal_sync(&self->journal, err);
    if (code != ERROR_NONE)
        return code;
    code = results_begin(&results, self->target, err);
    if (code == ERROR_NONE)
        code = write_journal(self, &results, err);
    if (code == ERROR_NONE && write != NULL)
        code = write(&results, context, err);
    if (code == ERROR_NONE)
        code = results_commit(&results, err);
    results_abort(&results);
    if (code != ERROR_NONE)
        return code;
    unlink(self->journal.path); /* if it stays, a finished shard beside it says what it is */
    self->finished = true;
    return journal_close(&self->journal, err);
}

int shards_end(struct shards_work *self, struct error *err)
{
    int code = journal_close(&self->journal, err);
    memory_free(self->target);
    self->target = NULL;
    return code;
}

/* ---- finding ---------------------------------------------------------------------------- */

struct found {
    char *path; /* owned */
    int rank, size;
    bool finished; /* a folder, not the journal of a shard under way */
};

struct finds {
    struct found *items; /* owned */
    size_t count, capacity;
};

static void finds_free(struct finds *finds)
{
    for (size_t i = 0; i < finds->count; i++)
        memory_free(finds->items[i].path);
    memory_free(finds->items);
}

/* Reads `before` and the digits behind it; moves `at` behind them. */
static bool take_number(const char **at, const char *before, int *out_number)
{
    size_t length = strlen(before), digits;
    int64_t number;
    if (strncmp(*at, before, length) != 0)
        return false;
    *at += length;
    digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 7 || !text_to_int64(*at, digits, &number))
        return false;
    *at += digits;
    *out_number = (int)number;
    return true;
}

/* Whether a name is one that shards_name gives, with a suffix or without. */
static bool parse_name(const char *name, struct found *out_found)
{
    char expected[SHARDS_NAME_SIZE];
    int rank = 0, size = 0;
    const char *at = name;
    if (strlen(name) >= SHARDS_NAME_SIZE + sizeof JOURNAL_SUFFIX ||
        !take_number(&at, "shard-", &rank) || !take_number(&at, "-of-", &size))
        return false;
    shards_name(rank - 1, size, expected);
    size_t length = strlen(expected);
    if (strncmp(name, expected, length) != 0)
        return false;
    *out_found =
        (struct found){.rank = rank - 1, .size = size, .finished = strcmp(name + length, "") == 0};
    return out_found->finished || strcmp(name + length, JOURNAL_SUFFIX) == 0;
}

static int add_found(struct finds *finds, struct found found, struct error *err)
{
    struct found *grown;
    if (found.path == NULL)
        return error_memory(err, "looking for shards");
    grown = memory_grow(finds->items, &finds->capacity, finds->count + 1, sizeof *grown);
    if (grown == NULL) {
        memory_free(found.path);
        return error_memory(err, "looking for shards");
    }
    finds->items = grown;
    finds->items[finds->count++] = found;
    if (found.size >= 1 && found.size <= RANKS_MAX && found.rank >= 0 && found.rank < found.size)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, found.path, 0, 0, NULL, "there is no shard %d of %d",
                    found.rank + 1, found.size);
}

static int find_below(const char *folder, struct finds *finds, struct error *err)
{
    int code = ERROR_NONE;
    const struct dirent *entry;
    struct found found;
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return error_errno(err, folder, errno, "cannot look for shards");
    while (code == ERROR_NONE && (entry = readdir(listing)) != NULL) {
        if (!parse_name(entry->d_name, &found))
            continue;
        found.path = join(folder, entry->d_name, "");
        code = add_found(finds, found, err);
    }
    closedir(listing);
    return code;
}

/* The folder is a shard, or shards lie in it. */
static int find_at(const char *folder, struct finds *finds, struct error *err)
{
    struct found found;
    char *path = memory_text(folder);
    size_t length = path != NULL ? strlen(path) : 0;
    if (path == NULL)
        return error_memory(err, "looking for shards");
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    const char *slash = strrchr(path, '/');
    if (parse_name(slash != NULL ? slash + 1 : path, &found) && found.finished) {
        found.path = path;
        return add_found(finds, found, err);
    }
    int code = find_below(path, finds, err);
    memory_free(path);
    return code;
}

/* Finished shards by rank, then those under way: the same errors whatever the order of a folder. */
static int compare_found(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    if (a->finished != b->finished)
        return a->finished ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return strcmp(a->path, b->path);
}

/* ---- checking --------------------------------------------------------------------------- */

/* Appends "2, 5-7, 9": the ranks, counted from 1, whose state is `wanted`; at most ten pieces. */
static void append_ranks(struct text_buffer *text, const unsigned char *states, int size,
                         unsigned char wanted)
{
    int pieces = 0;
    for (int first = 0; first < size; first++) {
        int last = first;
        if (states[first] != wanted)
            continue;
        while (last + 1 < size && states[last + 1] == wanted)
            last++;
        if (++pieces > 10) {
            text_append(text, ", ...");
            return;
        }
        text_appendf(text, "%s%d", pieces > 1 ? ", " : "", first + 1);
        if (last > first)
            text_appendf(text, "-%d", last + 1);
        first = last;
    }
}

enum state { ABSENT, BEGUN, FINISHED };

/* Missing ones, and which of them were begun. */
static int tell_missing(const char *folder, const unsigned char *states, int size,
                        struct error *err)
{
    struct text_buffer text = {0};
    bool absent = memchr(states, ABSENT, (size_t)size) != NULL;
    bool begun = memchr(states, BEGUN, (size_t)size) != NULL;
    if (absent) {
        text_append(&text, "missing: ");
        append_ranks(&text, states, size, ABSENT);
    }
    if (begun) {
        text_append(&text, absent ? "; begun but not finished: " : "begun but not finished: ");
        append_ranks(&text, states, size, BEGUN);
    }
    int code = text.failed ? error_memory(err, "looking for shards")
                           : error_at(err, ERROR_DATA, folder, 0, 0, NULL,
                                      "shards of %d are not complete: %s; run them again%s", size,
                                      text.data, begun ? " with --resume" : "");
    text_buffer_free(&text);
    return code;
}

static int check_complete(const struct finds *finds, const char *folder, struct error *err)
{
    int size = finds->items[0].size, code = ERROR_NONE;
    unsigned char *states = memory_zeroed((size_t)size, 1);
    if (states == NULL)
        return error_memory(err, "looking for shards");
    for (size_t i = 0; i < finds->count; i++) {
        const struct found *found = &finds->items[i];
        unsigned char state = found->finished ? FINISHED : BEGUN;
        if (found->size == size && states[found->rank] < state)
            states[found->rank] = state;
    }
    for (int i = 0; i < size && code == ERROR_NONE; i++)
        if (states[i] != FINISHED)
            code = tell_missing(folder, states, size, err);
    memory_free(states);
    return code;
}

/* Finished shards must be of one size, and each there once. */
static int check_alike(const struct finds *finds, struct error *err)
{
    const struct found *first = finds->items;
    for (size_t i = 1; i < finds->count && finds->items[i].finished; i++) {
        const struct found *found = &finds->items[i], *before = found - 1;
        if (found->size != first->size)
            return error_at(err, ERROR_DATA, found->path, 0, 0, NULL,
                            "is one of %d shards, but %.200s is one of %d: they do not belong "
                            "together",
                            found->size, first->path, first->size);
        if (found->rank == before->rank)
            return error_at(err, ERROR_DATA, found->path, 0, 0, NULL,
                            "shard %d of %d is there twice, also as %.200s", found->rank + 1,
                            found->size, before->path);
    }
    return ERROR_NONE;
}

static int find_all(const char *const *folders, size_t count, struct finds *finds,
                    struct error *err)
{
    int code = ERROR_NONE;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        code = find_at(folders[i], finds, err);
    if (code != ERROR_NONE)
        return code;
    if (finds->count == 0)
        return error_at(err, ERROR_DATA, count > 0 ? folders[0] : NULL, 0, 0, NULL,
                        "there are no shards here; expected folders such as shard-0001-of-0016");
    qsort(finds->items, finds->count, sizeof *finds->items, compare_found);
    code = check_alike(finds, err);
    return code != ERROR_NONE ? code : check_complete(finds, folders[0], err);
}

/* ---- reading ---------------------------------------------------------------------------- */

static int take_layout(struct shards *self, const struct journal *journal, struct error *err)
{
    self->layout = journal->layout;
    self->payloads =
        memory_alloc((size_t)(journal->layout.item_count * journal->layout.payload_count),
                     sizeof *self->payloads);
    return self->payloads != NULL ? ERROR_NONE : error_memory(err, "reading the shards");
}

static int check_journal(const struct shards *self, const struct journal *journal, int rank,
                         struct error *err)
{
    const struct journal_layout *layout = &journal->layout;
    struct ranks ranks = {.rank = rank, .size = self->size};
    uint64_t own = ranks_share(&ranks, self->layout.item_count);
    if (memcmp(layout->identity, self->layout.identity, SHA256_TEXT_SIZE) != 0 ||
        layout->item_count != self->layout.item_count ||
        layout->payload_count != self->layout.payload_count)
        return error_at(err, ERROR_DATA, journal->path, 0, 0, NULL,
                        "is of another scenario or program than %.200s: they do not belong "
                        "together",
                        self->folders[0]);
    if (journal->done < own)
        return error_at(err, ERROR_DATA, journal->path, 0, 0, NULL,
                        "holds %" PRIu64 " of the shard's %" PRIu64
                        " items; remove it and run it again",
                        journal->done, own);
    return ERROR_NONE;
}

/* Brings the items of a rank to their places. */
static int take_items(struct shards *self, const struct journal *journal, int rank,
                      struct error *err)
{
    uint64_t taken = 0;
    for (uint64_t item = (uint64_t)rank; item < self->layout.item_count;
         item += (uint64_t)self->size) {
        if (!journal_has(journal, item))
            return error_at(err, ERROR_DATA, journal->path, 0, 0, NULL,
                            "holds items of another shard, and not item %" PRIu64 " of this one",
                            item);
        int code =
            journal_get(journal, item, &self->payloads[item * self->layout.payload_count], err);
        if (code != ERROR_NONE)
            return code;
        taken++;
    }
    if (taken == journal->done)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, journal->path, 0, 0, NULL, "holds items of another shard");
}

static int read_shard(struct shards *self, int rank, struct error *err)
{
    struct journal journal;
    char *path = join(self->folders[rank], SHARDS_JOURNAL, "");
    if (path == NULL)
        return error_memory(err, "reading the shards");
    int code = journal_read(&journal, path, err);
    memory_free(path);
    if (code == ERROR_NONE && rank == 0)
        code = take_layout(self, &journal, err);
    if (code == ERROR_NONE)
        code = check_journal(self, &journal, rank, err);
    if (code == ERROR_NONE)
        code = take_items(self, &journal, rank, err);
    journal_close(&journal, NULL);
    return code;
}

int shards_open(struct shards *self, const char *const *folders, size_t count, struct error *err)
{
    struct finds finds = {0};
    *self = (struct shards){.size = 0};
    int code = find_all(folders, count, &finds, err);
    if (code == ERROR_NONE && finds.items != NULL) {
        self->folders = memory_zeroed((size_t)finds.items[0].size, sizeof *self->folders);
        if (self->folders == NULL)
            code = error_memory(err, "reading the shards");
    }
    if (code == ERROR_NONE && finds.items != NULL) {
        self->size = finds.items[0].size;
        for (int i = 0; i < self->size; i++) { /* the paths change hands */
            self->folders[i] = finds.items[i].path;
            finds.items[i].path = NULL;
        }
    }
    for (int i = 0; code == ERROR_NONE && self->folders != NULL && i < self->size; i++)
        code = read_shard(self, i, err);
    finds_free(&finds);
    if (code != ERROR_NONE)
        shards_close(self);
    return code;
}

const double *shards_payload(const struct shards *self, uint64_t item)
{
    liqcascade_bug_assert(item < self->layout.item_count, "the study has the item");
    return &self->payloads[item * self->layout.payload_count];
}

void shards_close(struct shards *self)
{
    for (int i = 0; i < self->size; i++)
        memory_free(self->folders[i]);
    memory_free(self->folders);
    memory_free(self->payloads);
    *self = (struct shards){.size = 0};
}
