#include "sim/deleverage.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "models/liquidation.h"

void deleverage_init(struct deleverage *self, struct ladder *ladder, struct ledger *ledger,
                     struct settle *settle)
{
    memset(self, 0, sizeof *self);
    self->ladder = ladder;
    self->ledger = ledger;
    self->settle = settle;
}

void deleverage_free(struct deleverage *self)
{
    for (int venue = 0; venue < BOOK_VENUES_MAX; venue++)
        for (int side = 0; side < 2; side++)
            memory_free(self->queue[venue][side].items);
    memory_free(self->records);
    memset(self, 0, sizeof *self);
}

void deleverage_begin_step(struct deleverage *self)
{
    for (int venue = 0; venue < BOOK_VENUES_MAX; venue++)
        self->queue[venue][BOOK_LONG].made = self->queue[venue][BOOK_SHORT].made = false;
    self->record_count = 0;
}

/* ---- ranking ---------------------------------------------------------------------------- */

/* What a ranking is made of. */
struct ranking {
    const struct deleverage *from;
    const struct adl_ranking *model;
    double mark;
    struct deleverage_queue *queue;
};

static const struct brackets *table_of(const struct ladder *ladder,
                                       const struct ladder_fired *position)
{
    const struct book_class *class = position->class;
    return &ladder->book->venues[class->venue].tables[class->table];
}

/* False when the position is no candidate. */
static bool candidate_of(const struct ranking *self, const struct ladder_fired *position,
                         struct adl_candidate *out)
{
    const struct ladder *ladder = self->from->ladder;
    const struct margin_formula *formula = ladder->book->venues[position->class->venue].formula;
    struct liquidation_position state = {
        .side = position->class->side,
        .entry_price = ladder_entry_price(ladder, position),
        .leverage = position->leverage,
        .notional_usd = position->size_usd,
        .funding = ladder_funding_paid(ladder, position),
    };
    *out = (struct adl_candidate){
        .side = state.side,
        .entry_price = state.entry_price,
        .price = self->mark,
        .equity_share = liquidation_equity_share(formula, &state, self->mark),
        .opened_bar = (double)position->bar,
    };
    bool wins = (double)state.side * (self->mark / state.entry_price - 1.0) > 0.0;
    if (!(out->equity_share > 0.0) || (self->model->winners_only && !wins))
        return false;
    out->maintenance_share =
        liquidation_maintenance_share(formula, table_of(ladder, position), &state, self->mark);
    return true;
}

static void add_candidate(void *context, const struct ladder_fired *position)
{
    struct ranking *self = context;
    struct deleverage_queue *queue = self->queue;
    struct adl_candidate candidate;
    if (queue->failed || !candidate_of(self, position, &candidate))
        return;
    struct deleverage_candidate *items =
        memory_grow(queue->items, &queue->capacity, queue->count + 1, sizeof *items);
    queue->failed = items == NULL;
    if (items == NULL)
        return;
    queue->items = items;
    double score = self->model->score == NULL ? 0.0 : self->model->score(&candidate);
    items[queue->count++] = (struct deleverage_candidate){score, *position};
}

static bool ranks_before(const struct deleverage_candidate *a, const struct deleverage_candidate *b)
{
    return a->score > b->score ||
           (a->score == b->score && a->position.position < b->position.position);
}

static void sink(struct deleverage_queue *queue, size_t i)
{
    struct deleverage_candidate moving = queue->items[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count &&
            ranks_before(&queue->items[child + 1], &queue->items[child]))
            child++;
        if (!ranks_before(&queue->items[child], &moving))
            break;
        queue->items[i] = queue->items[child];
        i = child;
    }
    queue->items[i] = moving;
}

static int rank(struct deleverage *self, const struct adl_ranking *model, int venue, int side_index,
                double mark, struct error *err)
{
    struct deleverage_queue *queue = &self->queue[venue][side_index];
    struct ranking ranking = {self, model, mark, queue};
    queue->count = 0;
    queue->made = true;
    ladder_visit_venue(self->ladder, venue, side_index, add_candidate, &ranking);
    if (queue->failed)
        return error_memory(err, "the ranking of an auto-deleveraging");
    for (size_t i = model->score == NULL ? 0 : queue->count / 2; i-- > 0;)
        sink(queue, i);
    return ERROR_NONE;
}

static void drop_first(struct deleverage_queue *queue)
{
    queue->items[0] = queue->items[--queue->count];
    if (queue->count > 0)
        sink(queue, 0);
}

/* ---- closing ---------------------------------------------------------------------------- */

/* Coins alive of a candidate; 0 when it has fired since. */
static double coins_of(const struct deleverage *self, const struct ladder_fired *position)
{
    if (!ladder_has(self->ladder, position))
        return 0.0;
    return ledger_coins(self->ledger, book_side_index(position->class->side), position->bar,
                        position->tier, position->share) *
           ladder_left(self->ladder, position);
}

static struct deleverage_record *record_of(struct deleverage *self,
                                           const struct ladder_fired *position)
{
    int side = book_side_index(position->class->side), venue = position->class->venue;
    for (size_t i = 0; i < self->record_count; i++) {
        struct deleverage_record *record = &self->records[i];
        if (record->venue == venue && record->side_index == side && record->tier == position->tier)
            return record;
    }
    struct deleverage_record *records =
        memory_grow(self->records, &self->record_capacity, self->record_count + 1, sizeof *records);
    if (records == NULL)
        return NULL;
    self->records = records;
    records[self->record_count] =
        (struct deleverage_record){.venue = venue, .side_index = side, .tier = position->tier};
    return &records[self->record_count++];
}

/* Closes `coins` of a candidate of which `alive` are alive. */
static int close_some(struct deleverage *self, const struct deleverage_candidate *candidate,
                      double coins, double alive, double price, struct error *err)
{
    const struct ladder_fired *position = &candidate->position;
    struct settle_case winner = {.ladder = self->ladder,
                                 .ledger = self->ledger,
                                 .position = position,
                                 .side_index = book_side_index(position->class->side),
                                 .entry_price = ladder_entry_price(self->ladder, position),
                                 .coins = alive};
    struct deleverage_record *record = record_of(self, position);
    if (record == NULL)
        return error_memory(err, "records of auto-deleveraging");
    settle_winner(self->settle, &winner, coins, price);
    if (self->nearby != NULL)
        nearby_shrink(self->nearby, position, coins);
    ladder_shrink(self->ladder, position->position, coins == alive ? 0.0 : 1.0 - coins / alive);
    record->coins += coins;
    record->usd += coins * price;
    record->entry_usd += coins * winner.entry_price;
    record->pnl_usd += (double)position->class->side * coins * (price - winner.entry_price);
    record->score_sum += candidate->score * coins;
    record->positions++;
    return ERROR_NONE;
}

/* From the top of the ranking down. */
static int close_ranked(struct deleverage *self, struct deleverage_queue *queue, double need,
                        double price, double *out_matched, struct error *err)
{
    int code = ERROR_NONE;
    while (queue->count > 0 && need > 0.0 && code == ERROR_NONE) {
        double alive = coins_of(self, &queue->items[0].position);
        double coins = alive <= need ? alive : need;
        if (coins > 0.0)
            code = close_some(self, &queue->items[0], coins, alive, price, err);
        if (alive <= need)
            drop_first(queue);
        need -= coins;
        *out_matched += coins;
    }
    return code;
}

/* The same part of all. */
static int close_alike(struct deleverage *self, struct deleverage_queue *queue, double need,
                       double price, double *out_matched, struct error *err)
{
    double total = 0.0;
    for (size_t i = 0; i < queue->count; i++)
        total += coins_of(self, &queue->items[i].position);
    double part = total > 0.0 ? fmin(need / total, 1.0) : 0.0;
    int code = ERROR_NONE;
    for (size_t i = 0; i < queue->count && part > 0.0 && code == ERROR_NONE; i++) {
        double alive = coins_of(self, &queue->items[i].position);
        if (alive > 0.0)
            code = close_some(self, &queue->items[i], part * alive, alive, price, err);
        *out_matched += part * alive;
    }
    return code;
}

int deleverage_close(struct deleverage *self, int venue, int side_index,
                     const struct adl_ranking *ranking, double coins, double price, double mark,
                     double *out_matched, struct error *err)
{
    struct deleverage_queue *queue = &self->queue[venue][side_index];
    *out_matched = 0.0;
    int code = ERROR_NONE;
    if (!queue->made)
        code = rank(self, ranking, venue, side_index, mark, err);
    if (code != ERROR_NONE)
        return code;
    return ranking->score == NULL ? close_alike(self, queue, coins, price, out_matched, err)
                                  : close_ranked(self, queue, coins, price, out_matched, err);
}
