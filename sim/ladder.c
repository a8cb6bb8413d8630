#include "sim/ladder.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { HEAP_WAYS = 4 };

/* ---- a heap of run heads, highest key first; ties by run, so that order never depends on history */

static bool head_before(struct ladder_head a, struct ladder_head b)
{
    return a.key > b.key || (a.key == b.key && a.run < b.run);
}

static void heap_rise(struct ladder_heap *heap, uint32_t i, struct ladder_head head)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / HEAP_WAYS;
        if (!head_before(head, heap->heads[parent]))
            break;
        heap->heads[i] = heap->heads[parent];
        i = parent;
    }
    heap->heads[i] = head;
}

static void heap_sink(struct ladder_heap *heap, struct ladder_head head)
{
    uint32_t i = 0;
    for (;;) {
        uint32_t first = i * HEAP_WAYS + 1;
        if (first >= heap->count)
            break;
        uint32_t last = first + HEAP_WAYS < heap->count ? first + HEAP_WAYS : heap->count;
        uint32_t best = first;
        for (uint32_t child = first + 1; child < last; child++)
            if (head_before(heap->heads[child], heap->heads[best]))
                best = child;
        if (!head_before(heap->heads[best], head))
            break;
        heap->heads[i] = heap->heads[best];
        i = best;
    }
    heap->heads[i] = head;
}

static void heap_pop(struct ladder_heap *heap)
{
    heap->count--;
    if (heap->count > 0)
        heap_sink(heap, heap->heads[heap->count]);
}

/* ---- keys and prices -------------------------------------------------------------------- */

static double position_key(const struct ladder *self, const struct book_class *class,
                           const struct ladder_bar *bar, const struct book_position *position)
{
    const struct margin_formula *formula = self->book->venues[class->venue].formula;
    double funding = formula->inverse ? bar->funding.inverse : bar->funding.linear;
    return (double)class->side * (margin_unit(formula, bar->price) * position->kappa - funding);
}

/* Mark price at which a key fires. A level that no positive price reaches lies at 0 for a long and at
   infinity for a short. */
static double trigger_price(const struct ladder *self, const struct book_class *class, double key)
{
    const struct margin_formula *formula = self->book->venues[class->venue].formula;
    double funding = formula->inverse ? self->funding.inverse : self->funding.linear;
    double z = ((double)class->side * key + funding) / class->slope;
    if (formula->inverse ? z >= 0.0 : z <= 0.0)
        return class->side > 0 && !formula->inverse ? 0.0 : INFINITY;
    return margin_price(formula, z);
}

/* ---- life ------------------------------------------------------------------------------- */

int ladder_init(struct ladder *self, const struct book *book, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->book = book;
    self->fired = memory_zeroed(book->run_count, sizeof *self->fired);
    self->heads = memory_alloc(book->run_count, sizeof *self->heads);
    self->heaps = memory_zeroed((size_t)book->class_count, sizeof *self->heaps);
    self->bars = memory_alloc(book->bars, sizeof *self->bars);
    if (self->fired == NULL || self->heads == NULL || self->heaps == NULL || self->bars == NULL) {
        ladder_free(self);
        return error_memory(err, "the ladder");
    }
    size_t offset = 0;
    for (int c = 0; c < book->class_count; c++) {
        self->heaps[c].heads = self->heads + offset;
        offset += book->classes[c].run_count;
    }
    return ERROR_NONE;
}

void ladder_free(struct ladder *self)
{
    memory_free(self->fired);
    memory_free(self->heads);
    memory_free(self->heaps);
    memory_free(self->bars);
    memset(self, 0, sizeof *self);
}

void ladder_open(struct ladder *self, size_t bar, double price)
{
    const struct book *book = self->book;
    struct ladder_bar opened = {price, self->funding};
    self->bars[bar] = opened;
    self->open_bars = bar + 1;
    for (uint32_t r = book->bar_runs[bar]; r < book->bar_runs[bar + 1]; r++) {
        const struct book_run *run = &book->runs[r];
        const struct book_class *class = &book->classes[run->class_id];
        struct ladder_heap *heap = &self->heaps[run->class_id];
        struct ladder_head head = {position_key(self, class, &opened, &book->positions[run->first]),
                                   r};
        heap_rise(heap, heap->count++, head);
    }
    self->next_known[BOOK_LONG] = self->next_known[BOOK_SHORT] = false;
}

void ladder_fund(struct ladder *self, double rate, double price)
{
    self->funding.linear += rate * price;
    self->funding.inverse += rate / price;
    self->next_known[BOOK_LONG] = self->next_known[BOOK_SHORT] = false;
}

/* ---- firing ----------------------------------------------------------------------------- */

/* Drops heads whose run was retired by its twin. */
static void heap_skip_retired(const struct ladder *self, struct ladder_heap *heap)
{
    while (heap->count > 0) {
        uint32_t run = heap->heads[0].run;
        if (self->fired[run] < self->book->runs[run].count)
            return;
        heap_pop(heap);
    }
}

const struct ladder_next *ladder_peek(struct ladder *self, int side_index)
{
    struct ladder_next *next = &self->next[side_index];
    if (self->next_known[side_index])
        return next;
    *next = (struct ladder_next){.any = false};
    int side = side_index == BOOK_LONG ? 1 : -1;
    for (int c = 0; c < self->book->class_count; c++) {
        const struct book_class *class = &self->book->classes[c];
        struct ladder_heap *heap = &self->heaps[c];
        if (class->side != side || heap->count == 0)
            continue;
        heap_skip_retired(self, heap);
        if (heap->count == 0)
            continue;
        double price = trigger_price(self, class, heap->heads[0].key);
        if (!next->any || (side > 0 ? price > next->trigger_price : price < next->trigger_price))
            *next = (struct ladder_next){true, c, price};
    }
    self->next_known[side_index] = true;
    return next;
}

struct ladder_fired ladder_fire(struct ladder *self, int side_index)
{
    const struct book *book = self->book;
    const struct ladder_next *next = ladder_peek(self, side_index);
    struct ladder_heap *heap = &self->heaps[next->class_id];
    uint32_t r = heap->heads[0].run;
    const struct book_run *run = &book->runs[r];
    struct ladder_fired fired = {&book->positions[run->first + self->fired[r]],
                                 &book->classes[run->class_id], run->bar};
    self->fired[r]++;
    if (run->twin != BOOK_NO_TWIN)
        self->fired[run->twin] = 1;
    if (self->fired[r] < run->count) {
        struct ladder_head head = {
            position_key(self, fired.class, &self->bars[run->bar], fired.position + 1), r};
        heap_sink(heap, head);
    } else {
        heap_pop(heap);
    }
    self->next_known[side_index] = false;
    return fired;
}

/* ---- looking ahead ---------------------------------------------------------------------- */

struct visiting {
    struct ladder *ladder;
    int class_id;
    double limit;
    ladder_visitor *visit;
    void *context;
};

static bool beyond(const struct visiting *self, double price)
{
    int side = self->ladder->book->classes[self->class_id].side;
    return side > 0 ? price >= self->limit : price <= self->limit;
}

/* True when the twin of an edge position fires before it, so that the position is the twin's. */
static bool twin_is_first(const struct ladder *ladder, uint32_t r, double price)
{
    const struct book *book = ladder->book;
    uint32_t twin = book->runs[r].twin;
    if (twin == BOOK_NO_TWIN)
        return false;
    const struct book_run *run = &book->runs[twin];
    const struct book_class *class = &book->classes[run->class_id];
    double other = trigger_price(
        ladder, class,
        position_key(ladder, class, &ladder->bars[run->bar], &book->positions[run->first]));
    if (other == price)
        return twin < r;
    return class->side > 0 ? other > price : other < price;
}

static void visit_run(const struct visiting *self, uint32_t r)
{
    struct ladder *ladder = self->ladder;
    const struct book_run *run = &ladder->book->runs[r];
    const struct book_class *class = &ladder->book->classes[self->class_id];
    for (uint32_t i = ladder->fired[r]; i < run->count; i++) {
        struct ladder_fired position = {&ladder->book->positions[run->first + i], class, run->bar};
        double price = trigger_price(
            ladder, class, position_key(ladder, class, &ladder->bars[run->bar], position.position));
        if (!beyond(self, price))
            return;
        if (!twin_is_first(ladder, r, price))
            self->visit(self->context, &position, price);
    }
}

/* Depth first over the part of the heap whose heads lie beyond the limit. */
static void visit_heap(const struct visiting *self, uint32_t root)
{
    const struct ladder_heap *heap = &self->ladder->heaps[self->class_id];
    const struct book_class *class = &self->ladder->book->classes[self->class_id];
    if (root >= heap->count)
        return;
    if (!beyond(self, trigger_price(self->ladder, class, heap->heads[root].key)))
        return;
    visit_run(self, heap->heads[root].run);
    for (uint32_t child = root * HEAP_WAYS + 1; child <= root * HEAP_WAYS + HEAP_WAYS; child++)
        visit_heap(self, child);
}

void ladder_visit(struct ladder *self, int side_index, double limit, ladder_visitor *visit,
                  void *context)
{
    int side = side_index == BOOK_LONG ? 1 : -1;
    for (int c = 0; c < self->book->class_count; c++) {
        if (self->book->classes[c].side != side)
            continue;
        struct visiting visiting = {self, c, limit, visit, context};
        visit_heap(&visiting, 0);
    }
}

/* ---- prices of a position --------------------------------------------------------------- */

double ladder_entry_price(const struct ladder *self, const struct ladder_fired *position)
{
    return book_position_entry(self->book, position->class, position->position) *
           self->bars[position->bar].price;
}

double ladder_bankruptcy_price(const struct ladder *self, const struct ladder_fired *position)
{
    const struct margin_formula *formula = self->book->venues[position->class->venue].formula;
    const struct ladder_funding *then = &self->bars[position->bar].funding;
    double fresh = margin_bankruptcy_price(formula, position->class->side,
                                           ladder_entry_price(self, position),
                                           (double)position->position->leverage);
    if (!formula->inverse)
        return fresh + (self->funding.linear - then->linear);
    return 1.0 / (1.0 / fresh - (self->funding.inverse - then->inverse));
}
