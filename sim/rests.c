#include "sim/rests.h"

#include <string.h>

#include "base/memory.h"

void rests_init(struct rests *self, int class_count)
{
    memset(self, 0, sizeof *self);
    self->class_count = class_count;
}

void rests_free(struct rests *self)
{
    for (int c = 0; self->heaps != NULL && c < self->class_count; c++)
        memory_free(self->heaps[c].entries);
    memory_free(self->heaps);
    memory_free(self->items);
    memory_free(self->waiting);
    memset(self, 0, sizeof *self);
}

static void *copy_of(const void *from, size_t count, size_t size)
{
    void *out = memory_alloc(count, size);
    if (out != NULL && count > 0)
        memcpy(out, from, count * size);
    return out;
}

static bool copy_heaps(struct rests *self, const struct rests *from)
{
    self->heaps = memory_zeroed((size_t)self->class_count, sizeof *self->heaps);
    for (int c = 0; self->heaps != NULL && c < self->class_count; c++) {
        const struct rests_heap *heap = &from->heaps[c];
        if (heap->count == 0)
            continue;
        struct rests_entry *entries = copy_of(heap->entries, heap->count, sizeof *entries);
        if (entries == NULL)
            return false;
        self->heaps[c] = (struct rests_heap){entries, heap->count, heap->count};
    }
    return self->heaps != NULL;
}

int rests_copy(struct rests *self, const struct rests *from, struct error *err)
{
    rests_init(self, from->class_count);
    if (from->heaps == NULL)
        return ERROR_NONE;
    self->items = copy_of(from->items, from->count, sizeof *self->items);
    self->waiting = copy_of(from->waiting, from->waiting_count, sizeof *self->waiting);
    if (self->items == NULL || self->waiting == NULL || !copy_heaps(self, from))
        return error_memory(err, "rests of positions");
    self->count = self->capacity = from->count;
    self->waiting_count = self->waiting_capacity = from->waiting_count;
    return ERROR_NONE;
}

/* ---- a class's heap --------------------------------------------------------------------- */

static bool entry_before(const struct rests_entry *a, const struct rests_entry *b)
{
    return a->key > b->key || (a->key == b->key && a->rest < b->rest);
}

static bool heap_push(struct rests_heap *heap, struct rests_entry entry)
{
    struct rests_entry *entries =
        memory_grow(heap->entries, &heap->capacity, heap->count + 1, sizeof *entries);
    if (entries == NULL)
        return false;
    heap->entries = entries;
    size_t i = heap->count++;
    for (; i > 0 && entry_before(&entry, &entries[(i - 1) / 2]); i = (i - 1) / 2)
        entries[i] = entries[(i - 1) / 2];
    entries[i] = entry;
    return true;
}

static void heap_pop(struct rests_heap *heap)
{
    struct rests_entry last = heap->entries[--heap->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            entry_before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (!entry_before(&heap->entries[child], &last))
            break;
        heap->entries[i] = heap->entries[child];
        i = child;
    }
    heap->entries[i] = last;
}

/* Puts a rest into the heaps of its classes. */
static bool expose(struct rests *self, uint32_t number)
{
    const struct rest *rest = &self->items[number];
    for (uint32_t place = 0; place < RESTS_CLASSES; place++) {
        if (rest->class_id[place] == RESTS_NONE)
            continue;
        struct rests_entry entry = {rest->key[place], number, place};
        if (!heap_push(&self->heaps[rest->class_id[place]], entry))
            return false;
    }
    return true;
}

/* ---- the queue -------------------------------------------------------------------------- */

static bool ready_before(const struct rests *self, uint32_t a, uint32_t b)
{
    int64_t at = self->items[a].ready_ms, bt = self->items[b].ready_ms;
    return at < bt || (at == bt && a < b);
}

static bool queue_push(struct rests *self, uint32_t number)
{
    uint32_t *waiting = memory_grow(self->waiting, &self->waiting_capacity, self->waiting_count + 1,
                                    sizeof *waiting);
    if (waiting == NULL)
        return false;
    self->waiting = waiting;
    size_t i = self->waiting_count++;
    for (; i > 0 && ready_before(self, number, waiting[(i - 1) / 2]); i = (i - 1) / 2)
        waiting[i] = waiting[(i - 1) / 2];
    waiting[i] = number;
    return true;
}

static uint32_t queue_pop(struct rests *self)
{
    uint32_t *waiting = self->waiting, first = waiting[0];
    uint32_t last = waiting[--self->waiting_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= self->waiting_count)
            break;
        if (child + 1 < self->waiting_count &&
            ready_before(self, waiting[child + 1], waiting[child]))
            child++;
        if (!ready_before(self, waiting[child], last))
            break;
        waiting[i] = waiting[child];
        i = child;
    }
    waiting[i] = last;
    return first;
}

/* ---- keeping ---------------------------------------------------------------------------- */

int rests_add(struct rests *self, const struct rest *rest, int64_t now_ms, uint32_t *out_number,
              struct error *err)
{
    struct rest *items = memory_grow(self->items, &self->capacity, self->count + 1, sizeof *items);
    if (items == NULL)
        return error_memory(err, "rests of positions");
    self->items = items;
    if (self->heaps == NULL)
        self->heaps = memory_zeroed((size_t)self->class_count, sizeof *self->heaps);
    uint32_t number = (uint32_t)self->count;
    items[self->count++] = *rest;
    *out_number = number;
    if (self->heaps == NULL ||
        !(rest->ready_ms > now_ms ? queue_push(self, number) : expose(self, number)))
        return error_memory(err, "rests of positions");
    return ERROR_NONE;
}

int rests_release(struct rests *self, int64_t now_ms, bool *out_any, struct error *err)
{
    *out_any = false;
    while (self->waiting_count > 0 && self->items[self->waiting[0]].ready_ms <= now_ms) {
        *out_any = true;
        if (!expose(self, queue_pop(self)))
            return error_memory(err, "rests of positions");
    }
    return ERROR_NONE;
}

const struct rests_entry *rests_first(struct rests *self, int class_id, size_t first_bar)
{
    if (self->heaps == NULL)
        return NULL;
    struct rests_heap *heap = &self->heaps[class_id];
    while (heap->count > 0) {
        const struct rest *rest = &self->items[heap->entries[0].rest];
        if (!rest->gone && rest->bar >= first_bar)
            return &heap->entries[0];
        heap_pop(heap);
    }
    return NULL;
}

void rests_take(struct rests *self, uint32_t number)
{
    self->items[number].gone = true;
}
