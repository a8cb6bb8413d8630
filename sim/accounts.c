#include "sim/accounts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* ---- triggers --------------------------------------------------------------------------- */

/* Bracket `n` of the long leg and `k` of the short one. */
static void add_line(const struct book_account *account, const struct brackets *table, int n, int k,
                     double funding, struct accounts_triggers *out)
{
    double ql = account->coins[BOOK_LONG], qs = account->coins[BOOK_SHORT];
    double slope = ql - qs - ql * table->rate[n] - qs * table->rate[k];
    double at_zero = account->wallet_usd - ql * account->entry_price[BOOK_LONG] +
                     qs * account->entry_price[BOOK_SHORT] - (ql - qs) * funding +
                     table->cum_usd[n] + table->cum_usd[k];
    if (slope > 0.0) {
        double trigger = -at_zero / slope;
        if (trigger > 0.0)
            out->side[BOOK_LONG] = fmax(out->side[BOOK_LONG], trigger);
    } else if (at_zero <= 0.0) {
        out->side[BOOK_SHORT] = 0.0;
    } else if (slope < 0.0) {
        out->side[BOOK_SHORT] = fmin(out->side[BOOK_SHORT], -at_zero / slope);
    }
}

/* Price at which a leg leaves a bracket upwards. */
static double edge_price(const struct brackets *table, int bracket, double coins)
{
    return bracket + 1 < table->count ? table->cap_usd[bracket] / coins : INFINITY;
}

/* Only pairs of brackets that the legs are in at one price can be the smallest line. */
struct accounts_triggers accounts_triggers_of(const struct book *book,
                                              const struct book_account *account, double funding)
{
    const struct brackets *table = &book->venues[account->venue].tables[account->table];
    struct accounts_triggers out = {{NAN, NAN}}; /* which fmax and fmin leave out */
    int n = 0, k = 0;
    for (;;) {
        add_line(account, table, n, k, funding, &out);
        double edge_long = edge_price(table, n, account->coins[BOOK_LONG]);
        double edge_short = edge_price(table, k, account->coins[BOOK_SHORT]);
        if (isinf(edge_long) && isinf(edge_short))
            break;
        if (edge_long <= edge_short)
            n++;
        else
            k++;
    }
    if (out.side[BOOK_SHORT] <= out.side[BOOK_LONG])
        out = (struct accounts_triggers){{NAN, 0.0}};
    return out;
}

double accounts_bankruptcy_price(const struct book_account *account, double funding)
{
    double ql = account->coins[BOOK_LONG], qs = account->coins[BOOK_SHORT];
    double price = (ql * account->entry_price[BOOK_LONG] - qs * account->entry_price[BOOK_SHORT] +
                    (ql - qs) * funding - account->wallet_usd) /
                   (ql - qs);
    return price > 0.0 && isfinite(price) ? price : NAN;
}

/* ---- life ------------------------------------------------------------------------------- */

static int market_of(const struct accounts *self, const struct book_account *account)
{
    return self->market_count > 1 ? account->venue : 0;
}

/* Gives each queue its part of the entries. */
static void place_queues(struct accounts *self)
{
    const struct book *book = self->book;
    size_t offset = 0;
    for (int g = 0; g < self->market_count; g++) {
        size_t here = 0;
        for (size_t i = 0; i < book->account_count; i++)
            here += market_of(self, &book->accounts[i]) == g;
        for (int side = 0; side < 2; side++) {
            self->queues[2 * g + side].entries = self->entries + offset;
            offset += here;
        }
    }
}

static int accounts_make(struct accounts *self, const struct book *book, bool split,
                         struct error *err)
{
    memset(self, 0, sizeof *self);
    self->book = book;
    self->market_count = split ? (int)book->venue_count : 1;
    self->entries = memory_alloc(2 * book->account_count, sizeof *self->entries);
    self->queues = memory_zeroed(2 * (size_t)self->market_count, sizeof *self->queues);
    self->gone = memory_zeroed(book->account_count, sizeof *self->gone);
    self->level = memory_alloc(book->account_count, sizeof *self->level);
    if (self->entries == NULL || self->queues == NULL || self->gone == NULL ||
        self->level == NULL) {
        accounts_free(self);
        return error_memory(err, "accounts");
    }
    place_queues(self);
    return ERROR_NONE;
}

int accounts_init(struct accounts *self, const struct book *book, bool split, struct error *err)
{
    int code = accounts_make(self, book, split, err);
    return code == ERROR_NONE ? accounts_fund(self, 0.0, NULL, err) : code;
}

int accounts_copy(struct accounts *self, const struct accounts *from, bool split, struct error *err)
{
    int code = accounts_make(self, from->book, split, err);
    if (code != ERROR_NONE)
        return code;
    memcpy(self->gone, from->gone, from->book->account_count * sizeof *self->gone);
    if (from->nearby != NULL)
        memcpy(self->level, from->level, from->book->account_count * sizeof *self->level);
    return accounts_fund(self, from->funding, NULL, err);
}

void accounts_free(struct accounts *self)
{
    memory_free(self->entries);
    memory_free(self->queues);
    memory_free(self->gone);
    memory_free(self->level);
    memset(self, 0, sizeof *self);
}

/* ---- queues ----------------------------------------------------------------------------- */

static bool before(int side_index, struct accounts_entry a, struct accounts_entry b)
{
    if (a.trigger == b.trigger)
        return a.account < b.account;
    return side_index == BOOK_LONG ? a.trigger > b.trigger : a.trigger < b.trigger;
}

static void queue_push(struct accounts_queue *queue, int side_index, struct accounts_entry entry)
{
    size_t i = queue->count++;
    while (i > 0 && before(side_index, entry, queue->entries[(i - 1) / 2])) {
        queue->entries[i] = queue->entries[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    queue->entries[i] = entry;
}

static void queue_pop(struct accounts_queue *queue, int side_index)
{
    struct accounts_entry last = queue->entries[--queue->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < queue->count &&
            before(side_index, queue->entries[child + 1], queue->entries[child]))
            child++;
        if (child >= queue->count || !before(side_index, queue->entries[child], last))
            break;
        queue->entries[i] = queue->entries[child];
        i = child;
    }
    queue->entries[i] = last;
}

static void fill_queues(struct accounts *self)
{
    const struct book *book = self->book;
    for (int q = 0; q < 2 * self->market_count; q++)
        self->queues[q].count = 0;
    for (size_t i = 0; i < book->account_count; i++) {
        if (self->gone[i])
            continue;
        int market = market_of(self, &book->accounts[i]);
        struct accounts_triggers at = accounts_triggers_of(book, &book->accounts[i], self->funding);
        for (int side = 0; side < 2; side++)
            if (!isnan(at.side[side]))
                queue_push(&self->queues[2 * market + side], side,
                           (struct accounts_entry){at.side[side], (uint32_t)i});
    }
}

/* ---- what fires next -------------------------------------------------------------------- */

double accounts_peek(struct accounts *self, int market, int side_index)
{
    struct accounts_queue *queue = &self->queues[2 * market + side_index];
    while (queue->count > 0 && self->gone[queue->entries[0].account])
        queue_pop(queue, side_index);
    return queue->count > 0 ? queue->entries[0].trigger : NAN;
}

double accounts_coins(const struct ledger *ledger, const struct book_account *account,
                      int side_index)
{
    if (ledger->side[side_index].first_bar > 0)
        return 0.0;
    return ledger_coins(ledger, side_index, 0, account->tier, account->coins[side_index]);
}

/* ---- near the market -------------------------------------------------------------------- */

/* Coins that the account would order in the direction of a side, if all holders of that side were
   left as it is; the other way: 0. */
static double pushing_coins(const struct ledger *ledger, const struct book_account *account,
                            int side_index)
{
    double net = account->coins[side_index] - account->coins[1 - side_index];
    if (!(net > 0.0) || ledger->side[side_index].first_bar > 0)
        return 0.0;
    return ledger_coins(ledger, side_index, 0, account->tier, net);
}

/* Takes an account in where it fires now, or out from where it was taken in. */
static void count_account(struct accounts *self, size_t i, const struct ledger *ledger, bool in)
{
    const struct book_account *account = &self->book->accounts[i];
    struct accounts_triggers at = {{NAN, NAN}};
    if (in)
        at = accounts_triggers_of(self->book, account, self->funding);
    for (int side = 0; side < 2; side++) {
        double coins = pushing_coins(ledger, account, side);
        if (in)
            self->level[i][side] = coins > 0.0 ? at.side[side] - self->funding : NAN;
        if (!isnan(self->level[i][side]))
            nearby_level(self->nearby, side, account->tier, self->level[i][side],
                         in ? coins : -coins, in ? 1 : -1);
    }
}

static void count_all(struct accounts *self, const struct ledger *ledger, bool in)
{
    for (size_t i = 0; i < self->book->account_count && self->nearby != NULL; i++)
        if (!self->gone[i])
            count_account(self, i, ledger, in);
}

int accounts_count(struct accounts *self, struct nearby *nearby, const struct ledger *ledger,
                   struct error *err)
{
    self->nearby = nearby;
    count_all(self, ledger, true);
    return nearby->failed ? error_memory(err, "levels near the market") : ERROR_NONE;
}

int accounts_fund(struct accounts *self, double funding, const struct ledger *ledger,
                  struct error *err)
{
    count_all(self, ledger, false);
    self->funding = funding;
    fill_queues(self);
    return self->nearby == NULL ? ERROR_NONE : accounts_count(self, self->nearby, ledger, err);
}

uint32_t accounts_fire(struct accounts *self, int market, int side_index,
                       const struct ledger *ledger)
{
    struct accounts_queue *queue = &self->queues[2 * market + side_index];
    uint32_t fired = queue->entries[0].account;
    queue_pop(queue, side_index);
    if (self->nearby != NULL)
        count_account(self, fired, ledger, false);
    self->gone[fired] = true;
    return fired;
}
