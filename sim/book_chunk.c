/*
 * Sorting drafts into runs and joining the chunks of a book.
 */
#include "sim/book_build.h"

#include <string.h>

#include "base/memory.h"

enum { MERGE_BLOCK = 24 };

/* ---- sorting ---------------------------------------------------------------------------- */

/* The first to be liquidated comes first: the highest s * kappa. */
static double draft_key(const struct book *book, const struct book_draft *draft)
{
    return book->classes[draft->class_id].side > 0 ? draft->position.kappa : -draft->position.kappa;
}

static bool draft_before(const struct book *book, const struct book_draft *a,
                         const struct book_draft *b)
{
    bool a_edge = a->edge_class != BOOK_NO_TWIN;
    bool b_edge = b->edge_class != BOOK_NO_TWIN;
    if (a_edge != b_edge)
        return b_edge;
    if (a->class_id != b->class_id)
        return a->class_id < b->class_id;
    return draft_key(book, a) > draft_key(book, b);
}

static void insertion_sort(const struct book *book, struct book_draft *drafts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct book_draft moved = drafts[i];
        size_t j = i;
        for (; j > 0 && draft_before(book, &moved, &drafts[j - 1]); j--)
            drafts[j] = drafts[j - 1];
        drafts[j] = moved;
    }
}

static void merge_halves(const struct book *book, const struct book_draft *from,
                         struct book_draft *to, size_t low, size_t middle, size_t high)
{
    size_t a = low, b = middle;
    for (size_t k = low; k < high; k++)
        to[k] = (a < middle && (b >= high || !draft_before(book, &from[b], &from[a]))) ? from[a++]
                                                                                       : from[b++];
}

/* Stable: insertion sort of short blocks (strata come nearly sorted), then merges. */
void book_drafts_sort(const struct book *book, struct book_draft *drafts, struct book_draft *spare,
                      size_t count)
{
    for (size_t i = 0; i < count; i += MERGE_BLOCK)
        insertion_sort(book, drafts + i, count - i < MERGE_BLOCK ? count - i : MERGE_BLOCK);
    struct book_draft *from = drafts, *to = spare;
    for (size_t width = MERGE_BLOCK; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count;
            size_t high = low + 2 * width < count ? low + 2 * width : count;
            merge_halves(book, from, to, low, middle, high);
        }
        struct book_draft *swap = from;
        from = to;
        to = swap;
    }
    if (from != drafts)
        memcpy(drafts, from, count * sizeof *drafts);
}

/* ---- grouping --------------------------------------------------------------------------- */

static bool chunk_run(struct book_chunk *chunk, const struct book_run *run)
{
    struct book_run *runs =
        memory_grow(chunk->runs, &chunk->run_capacity, chunk->run_count + 1, sizeof *chunk->runs);
    if (runs == NULL)
        return false;
    chunk->runs = runs;
    chunk->runs[chunk->run_count++] = *run;
    return true;
}

/* A position near an edge: one run of its own and one for its twin. Twin runs refer to each other
   by index within the chunk, the twin's entry by index within the chunk's twins; both are made
   global when chunks are joined. */
static bool chunk_edge(struct book_chunk *chunk, const struct book_draft *draft, uint32_t entry,
                       uint32_t bar)
{
    struct book_position *twins = memory_grow(chunk->twins, &chunk->twin_capacity,
                                              chunk->twin_count + 1, sizeof *chunk->twins);
    if (twins == NULL)
        return false;
    chunk->twins = twins;
    struct book_position twin = draft->position;
    twin.kappa = draft->edge_kappa;
    uint32_t here = (uint32_t)chunk->run_count;
    struct book_run own = {entry, 1, bar, here + 1, draft->class_id};
    struct book_run other = {(uint32_t)chunk->twin_count, 1, bar, here, draft->edge_class};
    chunk->twins[chunk->twin_count++] = twin;
    return chunk_run(chunk, &own) && chunk_run(chunk, &other);
}

bool book_chunk_group(struct book_chunk *chunk, struct book *book, const struct book_draft *drafts,
                      size_t count, size_t slot, uint32_t bar)
{
    for (size_t i = 0; i < count; i++)
        book->positions[slot + i] = drafts[i].position;
    size_t i = 0;
    while (i < count && drafts[i].edge_class == BOOK_NO_TWIN) {
        size_t end = i + 1;
        while (end < count && drafts[end].edge_class == BOOK_NO_TWIN &&
               drafts[end].class_id == drafts[i].class_id)
            end++;
        struct book_run run = {(uint32_t)(slot + i), (uint32_t)(end - i), bar, BOOK_NO_TWIN,
                               drafts[i].class_id};
        if (!chunk_run(chunk, &run))
            return false;
        i = end;
    }
    for (; i < count; i++)
        if (!chunk_edge(chunk, &drafts[i], (uint32_t)(slot + i), bar))
            return false;
    return true;
}

void book_chunk_free(struct book_chunk *chunk)
{
    memory_free(chunk->runs);
    memory_free(chunk->twins);
    memory_free(chunk->bar_runs);
}

/* ---- joining ---------------------------------------------------------------------------- */

static int chunks_totals(const struct book_chunk *chunks, size_t count, size_t *out_runs,
                         size_t *out_twins, struct error *err)
{
    *out_runs = *out_twins = 0;
    for (size_t c = 0; c < count; c++) {
        if (chunks[c].failed)
            return error_memory(err, "drawing the book");
        *out_runs += chunks[c].run_count;
        *out_twins += chunks[c].twin_count;
    }
    if (*out_runs >= UINT32_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu runs in the book; expected less than 2^32",
                         *out_runs);
    return ERROR_NONE;
}

/* Copies one chunk behind what is joined already. */
static void join_chunk(struct book *self, const struct book_chunk *chunk, size_t first_bar,
                       size_t bars)
{
    uint32_t run_base = (uint32_t)self->run_count;
    uint32_t twin_base = (uint32_t)self->entry_count;
    bool own = true; /* own and twin entries of an edge alternate */
    for (size_t r = 0; r < chunk->run_count; r++) {
        struct book_run run = chunk->runs[r];
        if (run.twin != BOOK_NO_TWIN) {
            run.twin += run_base;
            if (!own)
                run.first += twin_base;
            own = !own;
        }
        self->classes[run.class_id].run_count++;
        self->runs[self->run_count++] = run;
    }
    if (chunk->twin_count > 0)
        memcpy(self->positions + self->entry_count, chunk->twins,
               chunk->twin_count * sizeof *chunk->twins);
    self->entry_count += chunk->twin_count;
    for (size_t i = 0; i < bars; i++)
        self->bar_runs[first_bar + i + 1] = self->bar_runs[first_bar + i] + chunk->bar_runs[i];
}

int book_join(struct book *self, const struct book_chunk *chunks, size_t count, size_t chunk_bars,
              struct error *err)
{
    size_t runs, twins;
    int code = chunks_totals(chunks, count, &runs, &twins, err);
    if (code != ERROR_NONE)
        return code;
    struct book_position *positions =
        memory_resize(self->positions, self->position_count + twins, sizeof *positions);
    self->runs = memory_alloc(runs, sizeof *self->runs);
    if (positions == NULL || self->runs == NULL) {
        if (positions != NULL)
            self->positions = positions;
        return error_memory(err, "joining the book");
    }
    self->positions = positions;
    self->entry_count = self->position_count;
    for (size_t c = 0; c < count; c++) {
        size_t first = c * chunk_bars;
        size_t bars = self->bars - first < chunk_bars ? self->bars - first : chunk_bars;
        join_chunk(self, &chunks[c], first, bars);
    }
    return ERROR_NONE;
}
