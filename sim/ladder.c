#include "sim/ladder.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { HEAP_WAYS = 4, SWEEP_LEAST = 64, LINE_BYTES = 64 };

/* ---- a heap of run heads, highest key first; ties by run, so that order never depends on history
 */

static bool head_before(struct ladder_head a, struct ladder_head b)
{
    return a.key > b.key || (a.key == b.key && a.run < b.run);
}

/* Returns where the head ends up. */
static uint32_t heap_rise(struct ladder_heap *heap, uint32_t i, struct ladder_head head)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / HEAP_WAYS;
        if (!head_before(head, heap->heads[parent]))
            break;
        heap->heads[i] = heap->heads[parent];
        i = parent;
    }
    heap->heads[i] = head;
    return i;
}

static void heap_sink(struct ladder_heap *heap, struct ladder_head head)
{
    uint32_t i = 0;
    for (;;) {
        uint32_t first = i * HEAP_WAYS + 1;
        if (first >= heap->count)
            break;
        uint32_t last = first + HEAP_WAYS < heap->count ? first + HEAP_WAYS : heap->count;
        /* Whichever child is taken, its own children are on their way by then. */
        for (uint32_t line = 0; line < HEAP_WAYS; line++)
            __builtin_prefetch(&heap->heads[(first + line) * HEAP_WAYS + 1]);
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

/* Mark price at which a key of a class fires. */
static double trigger_price(const struct ladder *self, const struct book_class *class, double key)
{
    const struct margin_formula *formula = self->book->venues[class->venue].formula;
    double funding = formula->inverse ? self->funding.inverse : self->funding.linear;
    double z = ((double)class->side * key + funding) / class->slope;
    if (formula->inverse ? z >= 0.0 : z <= 0.0)
        return formula->inverse ? INFINITY : 0.0;
    return margin_price(formula, z);
}

/* ---- life ------------------------------------------------------------------------------- */

/* Gives each class its part of the heads, so that the children of a head (4 n + 1 to 4 n + 4) lie
   in one line of the cache. */
static void place_heaps(struct ladder *self)
{
    const size_t line = LINE_BYTES / sizeof *self->heads;
    size_t offset = (LINE_BYTES - (uintptr_t)self->heads % LINE_BYTES) / sizeof *self->heads;
    for (int c = 0; c < self->book->class_count; c++) {
        self->heaps[c].heads = self->heads + offset + line - 1;
        offset += (self->book->classes[c].run_count + 2 * line - 2) / line * line;
    }
}

static void list_sides(struct ladder *self)
{
    const struct book *book = self->book;
    for (int side = 0; side < 2; side++) {
        if (side == 1)
            self->side_classes[1] = self->side_classes[0] + self->side_class_count[0];
        for (int c = 0; c < book->class_count; c++)
            if (book_side_index(book->classes[c].side) == side)
                self->side_classes[side][self->side_class_count[side]++] = c;
    }
}

int ladder_init(struct ladder *self, const struct book *book, struct error *err)
{
    size_t classes = (size_t)book->class_count;
    size_t slack = 2 * (LINE_BYTES / sizeof *self->heads) * (classes + 1);
    memset(self, 0, sizeof *self);
    self->book = book;
    self->retired = memory_zeroed(book->run_count, sizeof *self->retired);
    self->heads = memory_alloc(book->run_count + slack, sizeof *self->heads);
    self->heaps = memory_zeroed(classes, sizeof *self->heaps);
    self->bars = memory_alloc(book->bars, sizeof *self->bars);
    self->side_classes[0] = memory_alloc(classes, sizeof *self->side_classes[0]);
    self->class_price = memory_zeroed(classes, sizeof *self->class_price);
    self->class_known = memory_zeroed(classes, sizeof *self->class_known);
    if (self->class_price == NULL || self->class_known == NULL || self->retired == NULL ||
        self->heads == NULL || self->heaps == NULL || self->bars == NULL ||
        self->side_classes[0] == NULL) {
        ladder_free(self);
        return error_memory(err, "the ladder");
    }
    place_heaps(self);
    list_sides(self);
    return ERROR_NONE;
}

void ladder_free(struct ladder *self)
{
    memory_free(self->retired);
    memory_free(self->heads);
    memory_free(self->heaps);
    memory_free(self->bars);
    memory_free(self->side_classes[0]);
    memory_free(self->class_price);
    memory_free(self->class_known);
    memset(self, 0, sizeof *self);
}

/* True when nothing of a head of a side can fire any more. Runs are in the order of their bars. */
static bool head_gone(const struct ladder *self, int side_index, const struct ladder_head *head)
{
    return head->run < self->first_run[side_index] || self->retired[head->run];
}

/* Drops the heads that are gone and makes a heap of the rest; done each time that a heap has
   doubled, so that it costs O(1) per head opened. */
static void heap_sweep(const struct ladder *self, int side_index, struct ladder_heap *heap)
{
    uint32_t before = heap->count;
    heap->count = 0;
    for (uint32_t i = 0; i < before; i++) {
        struct ladder_head head = heap->heads[i];
        if (!head_gone(self, side_index, &head))
            heap_rise(heap, heap->count++, head);
    }
    heap->swept = heap->count;
}

void ladder_open(struct ladder *self, size_t bar, double price)
{
    const struct book *book = self->book;
    struct ladder_bar opened = {price, self->funding};
    self->bars[bar] = opened;
    for (uint32_t r = book->bar_runs[bar]; r < book->bar_runs[bar + 1]; r++) {
        const struct book_run *run = &book->runs[r];
        const struct book_class *class = &book->classes[run->class_id];
        struct ladder_heap *heap = &self->heaps[run->class_id];
        int side = book_side_index(class->side);
        struct ladder_head head = {position_key(self, class, &opened, &book->positions[run->first]),
                                   r, run->first};
        if (heap->count >= 2 * heap->swept + SWEEP_LEAST)
            heap_sweep(self, side, heap);
        if (heap_rise(heap, heap->count++, head) == 0)
            self->class_known[run->class_id] = self->next_known[side] = false;
    }
}

/* Every trigger price may have moved. */
static void forget_prices(struct ladder *self)
{
    memset(self->class_known, 0, (size_t)self->book->class_count * sizeof *self->class_known);
    self->next_known[BOOK_LONG] = self->next_known[BOOK_SHORT] = false;
}

void ladder_expire(struct ladder *self, int side_index, size_t bar)
{
    self->first_bar[side_index] = bar;
    self->first_run[side_index] = self->book->bar_runs[bar];
    for (int i = 0; i < self->side_class_count[side_index]; i++) {
        int c = self->side_classes[side_index][i];
        const struct ladder_heap *heap = &self->heaps[c];
        if (heap->count > 0 && head_gone(self, side_index, &heap->heads[0]))
            self->class_known[c] = self->next_known[side_index] = false;
    }
}

void ladder_fund(struct ladder *self, double rate, double price)
{
    self->funding.linear += rate * price;
    self->funding.inverse += rate / price;
    forget_prices(self);
}

/* ---- firing ----------------------------------------------------------------------------- */

/* Trigger price of a class's first head, NaN when it has none. */
static double class_price(struct ladder *self, int side_index, int class_id)
{
    struct ladder_heap *heap = &self->heaps[class_id];
    while (heap->count > 0 && head_gone(self, side_index, &heap->heads[0]))
        heap_pop(heap);
    self->class_known[class_id] = true;
    if (heap->count > 0) {
        /* Likely to fire soon, and likely out of the cache by then. */
        __builtin_prefetch(&self->book->runs[heap->heads[0].run]);
        __builtin_prefetch(&self->book->positions[heap->heads[0].next]);
    }
    self->class_price[class_id] =
        heap->count > 0 ? trigger_price(self, &self->book->classes[class_id], heap->heads[0].key)
                        : NAN;
    return self->class_price[class_id];
}

/* True when the trigger price `level` is hit before the level `than`; NaN is hit after all. */
static bool nearer(int side_index, double level, double than)
{
    return side_index == BOOK_LONG ? level > than || (isnan(than) && !isnan(level))
                                   : level < than || (isnan(than) && !isnan(level));
}

/* Looks at all classes of a side; of equal prices the first class's is next. */
static void find_next(struct ladder *self, int side_index)
{
    double price = NAN, rival = NAN;
    int found = -1;
    for (int i = 0; i < self->side_class_count[side_index]; i++) {
        int c = self->side_classes[side_index][i];
        double here =
            self->class_known[c] ? self->class_price[c] : class_price(self, side_index, c);
        if (nearer(side_index, here, price)) {
            rival = price;
            price = here;
            found = c;
        } else if (nearer(side_index, here, rival)) {
            rival = here;
        }
    }
    self->next[side_index] =
        found < 0 ? (struct ladder_next){.any = false} : (struct ladder_next){true, found, price};
    self->rival_price[side_index] = rival;
    self->next_known[side_index] = true;
}

const struct ladder_next *ladder_peek(struct ladder *self, int side_index)
{
    if (!self->next_known[side_index])
        find_next(self, side_index);
    return &self->next[side_index];
}

/* The next position of a side after one of the class that was next has fired: mostly one of the
   same class, and then no other need be looked at. */
static void follow_next(struct ladder *self, int side_index)
{
    struct ladder_next *next = &self->next[side_index];
    double price = class_price(self, side_index, next->class_id);
    if (nearer(side_index, price, self->rival_price[side_index]))
        next->trigger_price = price;
    else
        self->next_known[side_index] = false;
}

struct ladder_fired ladder_fire(struct ladder *self, int side_index)
{
    const struct book *book = self->book;
    int class_id = ladder_peek(self, side_index)->class_id;
    struct ladder_heap *heap = &self->heaps[class_id];
    struct ladder_head head = heap->heads[0];
    const struct book_run *run = &book->runs[head.run];
    struct ladder_fired fired = {&book->positions[head.next], &book->classes[class_id], run->bar,
                                 head.run};
    if (run->twin != BOOK_NO_TWIN) {
        self->retired[head.run] = self->retired[run->twin] = true;
        self->class_known[book->runs[run->twin].class_id] = self->next_known[side_index] = false;
        if (run->twin < head.run)
            fired.run = run->twin;
    }
    head.next++;
    if (head.next < run->first + run->count) {
        head.key = position_key(self, fired.class, &self->bars[run->bar], fired.position + 1);
        heap_sink(heap, head);
    } else {
        heap_pop(heap);
    }
    self->class_known[class_id] = false;
    if (self->next_known[side_index])
        follow_next(self, side_index);
    return fired;
}

/* ---- looking ---------------------------------------------------------------------------- */

/* The positions of a run from index `from` on. */
static void visit_run(const struct ladder *self, uint32_t r, uint32_t from, ladder_visitor *visit,
                      void *context)
{
    const struct book_run *run = &self->book->runs[r];
    const struct book_class *class = &self->book->classes[run->class_id];
    if (run->twin < r || (run->twin != BOOK_NO_TWIN && self->retired[r]))
        return;
    for (uint32_t i = from; i < run->first + run->count; i++) {
        struct ladder_fired position = {&self->book->positions[i], class, run->bar, r};
        visit(context, &position);
    }
}

void ladder_visit(const struct ladder *self, int side_index, ladder_visitor *visit, void *context)
{
    for (int c = 0; c < self->book->class_count; c++) {
        if (book_side_index(self->book->classes[c].side) != side_index)
            continue;
        const struct ladder_heap *heap = &self->heaps[c];
        for (uint32_t i = 0; i < heap->count; i++)
            if (self->book->runs[heap->heads[i].run].bar >= self->first_bar[side_index])
                visit_run(self, heap->heads[i].run, heap->heads[i].next, visit, context);
    }
}

void ladder_visit_bar(const struct ladder *self, size_t bar, ladder_visitor *visit, void *context)
{
    for (uint32_t r = self->book->bar_runs[bar]; r < self->book->bar_runs[bar + 1]; r++)
        visit_run(self, r, self->book->runs[r].first, visit, context);
}

/* ---- prices of a position --------------------------------------------------------------- */

double ladder_liquidation_price(const struct ladder *self, const struct ladder_fired *position)
{
    return trigger_price(
        self, position->class,
        position_key(self, position->class, &self->bars[position->bar], position->position));
}

double ladder_entry_price(const struct ladder *self, const struct ladder_fired *position)
{
    return book_position_entry(self->book, position->class, position->position) *
           self->bars[position->bar].price;
}

double ladder_bankruptcy_from(const struct ladder *self, const struct ladder_fired *position,
                              double entry)
{
    const struct margin_formula *formula = self->book->venues[position->class->venue].formula;
    const struct ladder_funding *then = &self->bars[position->bar].funding;
    double fresh = margin_bankruptcy_price(formula, position->class->side, entry,
                                           (double)position->position->leverage);
    if (!formula->inverse)
        return fresh + (self->funding.linear - then->linear);
    return 1.0 / (1.0 / fresh - (self->funding.inverse - then->inverse));
}

double ladder_bankruptcy_price(const struct ladder *self, const struct ladder_fired *position)
{
    return ladder_bankruptcy_from(self, position, ladder_entry_price(self, position));
}
