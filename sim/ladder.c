#include "sim/ladder.h"

#include <math.h>
#include <stdlib.h>
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
                           const struct ladder_bar *bar, double kappa)
{
    const struct margin_formula *formula = self->book->venues[class->venue].formula;
    double funding = formula->inverse ? bar->funding.inverse : bar->funding.linear;
    return (double)class->side * (margin_unit(formula, bar->price) * kappa - funding);
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

/* Sorts the classes into groups, ascending within each. */
static void list_groups(struct ladder *self)
{
    const struct book *book = self->book;
    int *list = self->class_lists;
    for (int g = 0; g < 2 * self->market_count; g++) {
        struct ladder_group *group = &self->groups[g];
        group->classes = list;
        for (int c = 0; c < book->class_count; c++) {
            const struct book_class *class = &book->classes[c];
            int market = self->market_count > 1 ? class->venue : 0;
            if (2 * market + book_side_index(class->side) != g)
                continue;
            group->classes[group->class_count++] = c;
            self->group_of[c] = g;
        }
        list += group->class_count;
    }
}

/* Every trigger price may have moved. */
static void forget_prices(struct ladder *self)
{
    memset(self->class_known, 0, (size_t)self->book->class_count * sizeof *self->class_known);
    for (int g = 0; g < 2 * self->market_count; g++)
        self->groups[g].known = false;
}

/* Nothing has been taken of the positions of a bar. */
static void fill_left(struct ladder *self, size_t bar)
{
    const struct book *book = self->book;
    for (uint32_t r = book->bar_runs[bar]; r < book->bar_runs[bar + 1]; r++) {
        const struct book_run *run = &book->runs[r];
        for (uint32_t i = run->first; i < run->first + run->count; i++)
            self->left[i] = 1.0;
    }
}

/* Nor has any fired. */
static void expose_left(struct ladder *self, size_t bar)
{
    fill_left(self, bar);
    for (uint32_t r = self->book->bar_runs[bar]; r < self->book->bar_runs[bar + 1]; r++)
        self->run_next[r] = self->book->runs[r].first;
}

/* Runs whose heads are on no heap have been fired to their ends. */
static bool keep_deleveraging(struct ladder *self)
{
    const struct book *book = self->book;
    size_t first =
        self->first_bar[0] < self->first_bar[1] ? self->first_bar[0] : self->first_bar[1];
    self->left = memory_alloc(book->entry_count, sizeof *self->left);
    self->run_next = memory_alloc(book->run_count, sizeof *self->run_next);
    if (self->left == NULL || self->run_next == NULL)
        return false;
    for (size_t bar = first; bar < self->opened_bars; bar++) {
        fill_left(self, bar);
        for (uint32_t r = book->bar_runs[bar]; r < book->bar_runs[bar + 1]; r++)
            self->run_next[r] = book->runs[r].first + book->runs[r].count;
    }
    for (int c = 0; c < book->class_count; c++)
        for (uint32_t i = 0; i < self->heaps[c].count; i++)
            self->run_next[self->heaps[c].heads[i].run] = self->heaps[c].heads[i].next;
    return true;
}

/* One market, or one per venue. */
static bool group(struct ladder *self, bool split)
{
    self->market_count = split ? (int)self->book->venue_count : 1;
    memory_free(self->groups);
    self->groups = memory_zeroed(2 * (size_t)self->market_count, sizeof *self->groups);
    if (self->groups != NULL)
        list_groups(self);
    return self->groups != NULL;
}

/* Room for all that a ladder over the book may hold. */
static int ladder_make(struct ladder *self, const struct book *book, bool split, struct error *err)
{
    size_t classes = (size_t)book->class_count;
    size_t slack = 2 * (LINE_BYTES / sizeof *self->heads) * (classes + 1);
    memset(self, 0, sizeof *self);
    self->book = book;
    rests_init(&self->rests, book->class_count);
    self->retired = memory_zeroed(book->run_count, sizeof *self->retired);
    self->heads = memory_alloc(book->run_count + slack, sizeof *self->heads);
    self->heaps = memory_zeroed(classes, sizeof *self->heaps);
    self->bars = memory_alloc(book->bars, sizeof *self->bars);
    self->group_of = memory_zeroed(classes, sizeof *self->group_of);
    self->class_lists = memory_alloc(classes, sizeof *self->class_lists);
    self->class_price = memory_zeroed(classes, sizeof *self->class_price);
    self->class_known = memory_zeroed(classes, sizeof *self->class_known);
    self->class_rest = memory_zeroed(classes, sizeof *self->class_rest);
    if (self->class_price == NULL || self->class_known == NULL || self->class_rest == NULL ||
        self->retired == NULL || self->heads == NULL || self->heaps == NULL || self->bars == NULL ||
        self->group_of == NULL || self->class_lists == NULL || !group(self, split)) {
        ladder_free(self);
        return error_memory(err, "the ladder");
    }
    place_heaps(self);
    return ERROR_NONE;
}

int ladder_init(struct ladder *self, const struct book *book, bool split, bool deleveraging,
                struct error *err)
{
    int code = ladder_make(self, book, split, err);
    if (code != ERROR_NONE || !deleveraging || keep_deleveraging(self))
        return code;
    ladder_free(self);
    return error_memory(err, "the ladder");
}

/* What is left, and nothing that has expired. */
static void copy_living(struct ladder *self, const struct ladder *from)
{
    const struct book *book = from->book;
    size_t first =
        from->first_bar[0] < from->first_bar[1] ? from->first_bar[0] : from->first_bar[1];
    size_t classes = (size_t)book->class_count;
    for (size_t c = 0; c < classes; c++) {
        self->heaps[c].count = from->heaps[c].count;
        self->heaps[c].swept = from->heaps[c].swept;
        memcpy(self->heaps[c].heads, from->heaps[c].heads,
               from->heaps[c].count * sizeof *self->heads);
    }
    memcpy(self->class_rest, from->class_rest, classes * sizeof *self->class_rest);
    for (int i = 0; i < 2; i++) {
        self->first_bar[i] = from->first_bar[i];
        self->first_run[i] = from->first_run[i];
    }
    memcpy(self->gone_before, from->gone_before, sizeof self->gone_before);
    self->opened_bars = from->opened_bars;
    self->funding = from->funding;
    if (from->opened_bars <= first)
        return;
    uint32_t run = book->bar_runs[first], end = book->bar_runs[from->opened_bars];
    memcpy(self->bars + first, from->bars + first,
           (from->opened_bars - first) * sizeof *self->bars);
    memcpy(self->retired + run, from->retired + run, (end - run) * sizeof *self->retired);
}

int ladder_copy(struct ladder *self, const struct ladder *from, struct error *err)
{
    int code = ladder_make(self, from->book, from->market_count > 1, err);
    if (code != ERROR_NONE)
        return code;
    copy_living(self, from);
    code = rests_copy(&self->rests, &from->rests, err);
    if (code != ERROR_NONE)
        ladder_free(self);
    return code;
}

int ladder_regroup(struct ladder *self, bool split, bool deleveraging, struct error *err)
{
    if ((split && !group(self, true)) || (deleveraging && !keep_deleveraging(self)))
        return error_memory(err, "the ladder");
    forget_prices(self);
    return ERROR_NONE;
}

void ladder_free(struct ladder *self)
{
    memory_free(self->retired);
    memory_free(self->heads);
    memory_free(self->heaps);
    memory_free(self->bars);
    memory_free(self->groups);
    memory_free(self->group_of);
    memory_free(self->class_lists);
    memory_free(self->class_price);
    memory_free(self->class_known);
    memory_free(self->class_rest);
    memory_free(self->left);
    memory_free(self->run_next);
    rests_free(&self->rests);
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

/* Something of a class has changed that may change what fires next. */
static void forget_class(struct ladder *self, uint32_t class_id)
{
    self->class_known[class_id] = self->groups[self->group_of[class_id]].known = false;
}

void ladder_open(struct ladder *self, size_t bar, double price)
{
    const struct book *book = self->book;
    struct ladder_bar opened = {price, self->funding};
    self->bars[bar] = opened;
    self->opened_bars = bar + 1;
    if (self->left != NULL)
        expose_left(self, bar);
    for (uint32_t r = book->bar_runs[bar]; r < book->bar_runs[bar + 1]; r++) {
        const struct book_run *run = &book->runs[r];
        const struct book_class *class = &book->classes[run->class_id];
        struct ladder_heap *heap = &self->heaps[run->class_id];
        int side = book_side_index(class->side);
        struct ladder_head head = {
            position_key(self, class, &opened, book->positions[run->first].kappa), r, run->first};
        if (heap->count >= 2 * heap->swept + SWEEP_LEAST)
            heap_sweep(self, side, heap);
        if (heap_rise(heap, heap->count++, head) == 0)
            forget_class(self, run->class_id);
    }
}

void ladder_expire(struct ladder *self, int side_index, size_t bar)
{
    self->first_bar[side_index] = bar;
    self->first_run[side_index] = self->book->bar_runs[bar];
    for (int m = 0; m < self->market_count; m++) {
        struct ladder_group *group = &self->groups[2 * m + side_index];
        for (int i = 0; i < group->class_count; i++) {
            int c = group->classes[i];
            const struct ladder_heap *heap = &self->heaps[c];
            if ((heap->count > 0 && head_gone(self, side_index, &heap->heads[0])) ||
                self->class_rest[c])
                forget_class(self, (uint32_t)c);
        }
    }
}

/* The first position of a run from `next` on that is not gone; the run's end when all are. */
static uint32_t skip_gone(const struct ladder *self, int side_index, const struct book_run *run,
                          uint32_t next)
{
    const size_t *gone_before = self->gone_before[side_index];
    while (next < run->first + run->count &&
           run->bar < gone_before[tier_of((double)self->book->positions[next].leverage)])
        next++;
    return next;
}

static int by_place(const void *a, const void *b)
{
    return head_before(*(const struct ladder_head *)a, *(const struct ladder_head *)b) ? -1 : 1;
}

/* Takes what is gone off a heap, and sorts the rest: what fires next lies side by side. */
static void heap_prune(struct ladder *self, int class_id, int side_index)
{
    const struct book *book = self->book;
    struct ladder_heap *heap = &self->heaps[class_id];
    uint32_t before = heap->count;
    heap->count = 0;
    for (uint32_t i = 0; i < before; i++) {
        struct ladder_head head = heap->heads[i];
        const struct book_run *run = &book->runs[head.run];
        uint32_t next = skip_gone(self, side_index, run, head.next);
        if (head_gone(self, side_index, &head) || next == run->first + run->count)
            continue;
        if (next != head.next)
            head.key = position_key(self, &book->classes[class_id], &self->bars[run->bar],
                                    book->positions[next].kappa);
        head.next = next;
        heap->heads[heap->count++] = head;
    }
    qsort(heap->heads, heap->count, sizeof *heap->heads, by_place);
    heap->swept = heap->count;
}

void ladder_prune(struct ladder *self, int side_index, const size_t first_bar[TIERS])
{
    memcpy(self->gone_before[side_index], first_bar, TIERS * sizeof *first_bar);
    for (int c = 0; c < self->book->class_count; c++)
        if (book_side_index(self->book->classes[c].side) == side_index)
            heap_prune(self, c, side_index);
    forget_prices(self);
}

void ladder_fund(struct ladder *self, double rate, double price)
{
    self->funding.linear += rate * price;
    self->funding.inverse += rate / price;
    forget_prices(self);
}

/* ---- firing ----------------------------------------------------------------------------- */

/* True when the trigger price `level` is hit before the level `than`; NaN is hit after all. */
static bool nearer(int side_index, double level, double than)
{
    return side_index == BOOK_LONG ? level > than || (isnan(than) && !isnan(level))
                                   : level < than || (isnan(than) && !isnan(level));
}

/* Trigger price of a class's first head or rest, NaN when it has none. */
static double class_price(struct ladder *self, int side_index, int class_id)
{
    const struct book_class *class = &self->book->classes[class_id];
    struct ladder_heap *heap = &self->heaps[class_id];
    double price = NAN;
    while (heap->count > 0 && head_gone(self, side_index, &heap->heads[0]))
        heap_pop(heap);
    if (heap->count > 0) {
        /* Likely to fire soon, and likely out of the cache by then. */
        __builtin_prefetch(&self->book->runs[heap->heads[0].run]);
        __builtin_prefetch(&self->book->positions[heap->heads[0].next]);
        price = trigger_price(self, class, heap->heads[0].key);
    }
    self->class_rest[class_id] = false;
    if (self->rests.heaps != NULL) {
        const struct rests_entry *rest =
            rests_first(&self->rests, class_id, self->first_bar[side_index]);
        if (rest != NULL && (heap->count == 0 || rest->key > heap->heads[0].key)) {
            self->class_rest[class_id] = true;
            price = trigger_price(self, class, rest->key);
        }
    }
    self->class_known[class_id] = true;
    self->class_price[class_id] = price;
    return price;
}

/* Looks at all classes of a group; of equal prices the first class's is next. */
static void find_next(struct ladder *self, struct ladder_group *group, int side_index)
{
    double price = NAN, rival = NAN;
    int found = -1;
    for (int i = 0; i < group->class_count; i++) {
        int c = group->classes[i];
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
    group->next = found < 0 ? (struct ladder_next){.any = false}
                            : (struct ladder_next){true, found, price, self->class_rest[found]};
    group->rival_price = rival;
    group->known = true;
}

const struct ladder_next *ladder_peek(struct ladder *self, int market, int side_index)
{
    struct ladder_group *group = &self->groups[2 * market + side_index];
    if (!group->known)
        find_next(self, group, side_index);
    return &group->next;
}

/* The next position of a group after one of the class that was next has fired: mostly one of the
   same class, and then no other need be looked at. */
static void follow_next(struct ladder *self, struct ladder_group *group, int side_index)
{
    struct ladder_next *next = &group->next;
    double price = class_price(self, side_index, next->class_id);
    next->rest = self->class_rest[next->class_id];
    if (nearer(side_index, price, group->rival_price))
        next->trigger_price = price;
    else
        group->known = false;
}

static struct ladder_fired of_book(const struct ladder *self, uint32_t r, uint32_t position)
{
    const struct book *book = self->book;
    const struct book_position *drawn = &book->positions[position];
    const struct book_run *run = &book->runs[r];
    struct ladder_fired out = {.class = &book->classes[run->class_id],
                               .kappa = drawn->kappa,
                               .share = drawn->share,
                               .leverage = (double)drawn->leverage,
                               .size_usd = (double)drawn->size_usd,
                               .bar = run->bar,
                               .run = r,
                               .position = position,
                               .rest = RESTS_NONE,
                               .tier = tier_of((double)drawn->leverage)};
    if (run->twin < r) {
        out.run = run->twin;
        out.position = book->runs[run->twin].first;
    }
    return out;
}

static struct ladder_fired of_rest(const struct ladder *self, uint32_t number, uint32_t place)
{
    const struct rest *rest = &self->rests.items[number];
    return (struct ladder_fired){.class = &self->book->classes[rest->class_id[place]],
                                 .kappa = rest->kappa[place],
                                 .share = rest->share,
                                 .leverage = rest->leverage,
                                 .size_usd = rest->size_usd,
                                 .bar = rest->bar,
                                 .run = rest->run,
                                 .position = UINT32_MAX,
                                 .rest = number,
                                 .tier = rest->tier};
}

static struct ladder_fired fire_head(struct ladder *self, int class_id)
{
    struct ladder_heap *heap = &self->heaps[class_id];
    struct ladder_head head = heap->heads[0];
    const struct book_run *run = &self->book->runs[head.run];
    struct ladder_fired fired = of_book(self, head.run, head.next);
    if (run->twin != BOOK_NO_TWIN) {
        self->retired[head.run] = self->retired[run->twin] = true;
        forget_class(self, self->book->runs[run->twin].class_id);
    }
    head.next = skip_gone(self, book_side_index(fired.class->side), run, head.next + 1);
    if (self->run_next != NULL)
        self->run_next[head.run] = head.next;
    if (head.next < run->first + run->count) {
        head.key = position_key(self, fired.class, &self->bars[run->bar],
                                self->book->positions[head.next].kappa);
        heap_sink(heap, head);
    } else {
        heap_pop(heap);
    }
    return fired;
}

static struct ladder_fired fire_rest(struct ladder *self, int side_index, int class_id)
{
    struct rests_entry entry = *rests_first(&self->rests, class_id, self->first_bar[side_index]);
    const struct rest *rest = &self->rests.items[entry.rest];
    struct ladder_fired fired = of_rest(self, entry.rest, entry.place);
    rests_take(&self->rests, entry.rest);
    for (int place = 0; place < RESTS_CLASSES; place++)
        if (rest->class_id[place] != RESTS_NONE && rest->class_id[place] != (uint32_t)class_id)
            forget_class(self, rest->class_id[place]);
    return fired;
}

struct ladder_fired ladder_fire(struct ladder *self, int market, int side_index)
{
    const struct ladder_next *next = ladder_peek(self, market, side_index);
    struct ladder_group *group = &self->groups[2 * market + side_index];
    int class_id = next->class_id;
    struct ladder_fired fired =
        next->rest ? fire_rest(self, side_index, class_id) : fire_head(self, class_id);
    self->class_known[class_id] = false;
    if (group->known)
        follow_next(self, group, side_index);
    return fired;
}

/* ---- rests and deleveraging ------------------------------------------------------------- */

int ladder_rest(struct ladder *self, struct rest *rest, int64_t now_ms, uint32_t *out_number,
                struct error *err)
{
    for (int place = 0; place < RESTS_CLASSES; place++) {
        uint32_t class_id = rest->class_id[place];
        if (class_id == RESTS_NONE)
            continue;
        rest->key[place] = position_key(self, &self->book->classes[class_id],
                                        &self->bars[rest->bar], rest->kappa[place]);
        forget_class(self, class_id);
    }
    return rests_add(&self->rests, rest, now_ms, out_number, err);
}

int ladder_release(struct ladder *self, int64_t now_ms, struct error *err)
{
    bool any;
    int code = rests_release(&self->rests, now_ms, &any, err);
    if (any)
        forget_prices(self);
    return code;
}

struct ladder_fired ladder_rest_position(const struct ladder *self, uint32_t number)
{
    return of_rest(self, number, 0);
}

void ladder_shrink(struct ladder *self, uint32_t position, double factor)
{
    self->left[position] *= factor;
}

/* ---- looking ---------------------------------------------------------------------------- */

/* The positions of a run from index `from` on. */
static void visit_run(const struct ladder *self, uint32_t r, uint32_t from, ladder_visitor *visit,
                      void *context)
{
    const struct book_run *run = &self->book->runs[r];
    if (run->twin < r || (run->twin != BOOK_NO_TWIN && self->retired[r]))
        return;
    for (uint32_t i = from; i < run->first + run->count; i++) {
        struct ladder_fired position = of_book(self, r, i);
        int side = book_side_index(position.class->side);
        if (run->bar >= self->gone_before[side][position.tier])
            visit(context, &position);
    }
}

static void visit_rests(const struct ladder *self, int side_index, ladder_visitor *visit,
                        void *context)
{
    for (uint32_t i = 0; i < self->rests.count; i++) {
        const struct rest *rest = &self->rests.items[i];
        struct ladder_fired position = of_rest(self, i, 0);
        if (!rest->gone && rest->bar >= self->first_bar[side_index] &&
            book_side_index(position.class->side) == side_index)
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
    visit_rests(self, side_index, visit, context);
}

void ladder_visit_bar(const struct ladder *self, size_t bar, ladder_visitor *visit, void *context)
{
    for (uint32_t r = self->book->bar_runs[bar]; r < self->book->bar_runs[bar + 1]; r++)
        visit_run(self, r, self->book->runs[r].first, visit, context);
}

void ladder_visit_venue(const struct ladder *self, int venue, int side_index, ladder_visitor *visit,
                        void *context)
{
    const struct book *book = self->book;
    uint32_t end = self->opened_bars > 0 ? book->bar_runs[self->opened_bars] : 0;
    for (uint32_t r = self->first_run[side_index]; r < end; r++) {
        const struct book_class *class = &book->classes[book->runs[r].class_id];
        if (class->venue == venue && book_side_index(class->side) == side_index)
            visit_run(self, r, self->run_next[r], visit, context);
    }
}

bool ladder_has(const struct ladder *self, const struct ladder_fired *position)
{
    return position->position >= self->run_next[position->run] && !self->retired[position->run];
}

/* ---- prices of a position --------------------------------------------------------------- */

double ladder_liquidation_price(const struct ladder *self, const struct ladder_fired *position)
{
    return trigger_price(
        self, position->class,
        position_key(self, position->class, &self->bars[position->bar], position->kappa));
}

double ladder_relative_entry(const struct ladder *self, const struct ladder_fired *position)
{
    const struct book_class *class = position->class;
    /* Nearly all positions are in the first bracket: no division for what is 0. */
    double cum_share = class->cum_usd == 0.0 ? 0.0 : class->cum_usd / position->size_usd;
    return self->book->venues[class->venue].formula->entry(
        class->side, position->kappa, 1.0 / position->leverage, class->rate, cum_share);
}

double ladder_entry_price(const struct ladder *self, const struct ladder_fired *position)
{
    return ladder_relative_entry(self, position) * self->bars[position->bar].price;
}

double ladder_funding_paid(const struct ladder *self, const struct ladder_fired *position)
{
    const struct ladder_funding *then = &self->bars[position->bar].funding;
    return self->book->venues[position->class->venue].formula->inverse
               ? self->funding.inverse - then->inverse
               : self->funding.linear - then->linear;
}

double ladder_bankruptcy_from(const struct ladder *self, const struct ladder_fired *position,
                              double entry)
{
    const struct margin_formula *formula = self->book->venues[position->class->venue].formula;
    double fresh =
        margin_bankruptcy_price(formula, position->class->side, entry, position->leverage);
    double paid = ladder_funding_paid(self, position);
    return formula->inverse ? 1.0 / (1.0 / fresh - paid) : fresh + paid;
}

double ladder_bankruptcy_price(const struct ladder *self, const struct ladder_fired *position)
{
    return ladder_bankruptcy_from(self, position, ladder_entry_price(self, position));
}
