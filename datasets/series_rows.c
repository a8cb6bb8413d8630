#include "datasets/series_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define FIRST_CAPACITY 1024

/* Resizes one array of the rows; on failure it stays as it was. */
static bool resize(void *array, size_t capacity, size_t size)
{
    void *block;
    memcpy(&block, array, sizeof block);
    block = memory_resize(block, capacity, size);
    if (!block)
        return false;
    memcpy(array, &block, sizeof block);
    return true;
}

static bool resize_all(struct series_rows *self, size_t capacity)
{
    bool done = resize(&self->time_ms, capacity, sizeof *self->time_ms) &&
                resize(&self->line, capacity, sizeof *self->line) &&
                resize(&self->file, capacity, sizeof *self->file);
    for (int field = 0; done && field < SERIES_FIELD_COUNT; field++)
        if (self->has[field])
            done = resize(&self->column[field], capacity, sizeof *self->column[field]);
    return done;
}

int series_rows_add(struct series_rows *self, const struct series_row *row, struct error *err)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity > 0 ? 2 * self->capacity : FIRST_CAPACITY;
        if (!resize_all(self, capacity))
            return error_memory(err, "reading a series");
        self->capacity = capacity;
    }
    series_rows_set(self, self->count++, row);
    return ERROR_NONE;
}

void series_rows_set(struct series_rows *self, size_t i, const struct series_row *row)
{
    self->time_ms[i] = row->time_ms;
    self->line[i] = row->line;
    self->file[i] = row->file;
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        if (self->column[field])
            self->column[field][i] = row->value[field];
}

void series_rows_get(const struct series_rows *self, size_t i, struct series_row *out)
{
    out->time_ms = self->time_ms[i];
    out->line = self->line[i];
    out->file = self->file[i];
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        out->value[field] = self->column[field] ? self->column[field][i] : (double)NAN;
}

/* --- order --- */

struct key {
    int64_t time_ms;
    double band;
    size_t from;
};

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    if (a->band != b->band)
        return a->band < b->band ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

static struct key key_of(const struct series_rows *self, size_t i)
{
    double band = self->column[SERIES_BAND] ? self->column[SERIES_BAND][i] : 0;
    return (struct key){self->time_ms[i], isnan(band) ? (double)INFINITY : band, i};
}

static bool is_sorted(const struct series_rows *self)
{
    for (size_t i = 1; i < self->count; i++) {
        struct key before = key_of(self, i - 1), here = key_of(self, i);
        if (compare_keys(&before, &here) > 0)
            return false;
    }
    return true;
}

/* `array` in the order of the keys, by way of `scratch`; elements of 4 or 8 bytes. */
static void permute(void *array, size_t size, const struct key *keys, size_t count, char *scratch)
{
    char *bytes = array;
    for (size_t i = 0; i < count; i++)
        memcpy(scratch + i * size, bytes + keys[i].from * size, size);
    memcpy(bytes, scratch, count * size);
}

int series_rows_sort(struct series_rows *self, struct error *err)
{
    int code = ERROR_NONE;
    if (is_sorted(self))
        return code;
    struct key *keys = memory_alloc(self->count, sizeof *keys);
    char *scratch = memory_alloc(self->count, sizeof(double));
    if (!keys || !scratch) {
        code = error_memory(err, "sorting a series");
        goto out;
    }
    for (size_t i = 0; i < self->count; i++)
        keys[i] = key_of(self, i);
    qsort(keys, self->count, sizeof *keys, compare_keys);
    permute(self->time_ms, sizeof *self->time_ms, keys, self->count, scratch);
    permute(self->line, sizeof *self->line, keys, self->count, scratch);
    permute(self->file, sizeof *self->file, keys, self->count, scratch);
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        if (self->column[field])
            permute(self->column[field], sizeof(double), keys, self->count, scratch);
out:
    memory_free(scratch);
    memory_free(keys);
    return code;
}

void series_rows_keep(struct series_rows *self, const bool *keep)
{
    size_t to = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (!keep[i])
            continue;
        if (to != i) {
            struct series_row row;
            series_rows_get(self, i, &row);
            series_rows_set(self, to, &row);
        }
        to++;
    }
    self->count = to;
}

void series_rows_trim(struct series_rows *self)
{
    size_t room = self->count > 0 ? self->count : 1;
    if (room < self->capacity && resize_all(self, room))
        self->capacity = room;
}

void series_rows_free(struct series_rows *self)
{
    memory_free(self->time_ms);
    memory_free(self->line);
    memory_free(self->file);
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        memory_free(self->column[field]);
    *self = (struct series_rows){0};
}
