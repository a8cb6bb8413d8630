#include "sim/setup_positions.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static int find_venue(const struct setup *self, const struct position_row *row, int *out_venue,
                      struct error *err)
{
    const char *name = self->positions.venues[row->venue];
    for (size_t v = 0; v < self->venue_count; v++)
        if (strcmp(self->venues[v].name, name) == 0) {
            *out_venue = (int)v;
            return ERROR_NONE;
        }
    return error_at(err, ERROR_DATA, self->scenario->book.positions_from, row->line, 0, "venue",
                    "`%s` is no venue of the scenario; expected a name under `venues`", name);
}

/* A row as the book takes it, its margin as the leverage that it makes. */
static int add_given(struct setup *self, const struct position_row *row, int venue,
                     struct error *err)
{
    double leverage = row->leverage;
    if (isnan(leverage) && !isnan(row->margin))
        leverage = row->entry_price * row->size_coins / row->margin;
    if (isnan(row->liquidation_price) && !(leverage >= 1.0))
        return error_at(err, ERROR_DATA, self->scenario->book.positions_from, row->line, 0,
                        isnan(row->leverage) ? "margin" : "leverage",
                        "makes a leverage of %.6g; expected at least 1, or a liquidation_price",
                        leverage);
    self->given[self->given_count++] = (struct book_given){
        venue, row->side, row->entry_price, row->size_coins, leverage, row->liquidation_price};
    return ERROR_NONE;
}

/* What sim/accounts.h asks of a venue. */
static int check_venue(const struct setup *self, const struct position_row *row, int index,
                       struct error *err)
{
    const struct book_venue *venue = &self->venues[index];
    bool fits = !venue->formula->inverse && !venue->formula->bracket_at_entry;
    for (size_t t = 0; t < venue->table_count; t++)
        fits = fits && !venue->tables[t].whole;
    if (fits)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, self->scenario->book.positions_from, row->line, 0, "account",
                    "is on venue %s with margin formula %s; cross margin is for linear contracts "
                    "with maintenance margin at the mark price in marginal brackets: expected "
                    "leverage, margin or liquidation_price instead",
                    venue->name, venue->formula->name);
}

/* Rows of a side become one leg, at the mean entry price of their coins. */
static int add_leg(struct setup *self, const struct position_row *row, int venue, struct error *err)
{
    struct book_account *account = &self->accounts[row->account];
    int side = book_side_index(row->side);
    double before = account->coins[side], coins = before + row->size_coins;
    account->venue = venue;
    account->wallet_usd = self->positions.accounts[row->account].wallet_usd;
    account->name = self->positions.accounts[row->account].name;
    account->entry_price[side] =
        before == 0.0
            ? row->entry_price
            : (before * account->entry_price[side] + row->size_coins * row->entry_price) / coins;
    account->coins[side] = coins;
    return check_venue(self, row, venue, err);
}

int setup_positions_read(struct setup *self, struct error *err)
{
    struct positions *positions = &self->positions;
    int code = positions_read(positions, self->scenario->book.positions_from, err);
    if (code != ERROR_NONE)
        return code;
    self->given = memory_alloc(positions->count, sizeof *self->given);
    self->accounts = memory_zeroed(positions->account_count, sizeof *self->accounts);
    if (self->given == NULL || self->accounts == NULL)
        return error_memory(err, "positions");
    for (size_t i = 0; i < positions->count && code == ERROR_NONE; i++) {
        const struct position_row *row = &positions->rows[i];
        int venue = -1;
        code = find_venue(self, row, &venue, err);
        if (code == ERROR_NONE)
            code = row->account < 0 ? add_given(self, row, venue, err)
                                    : add_leg(self, row, venue, err);
    }
    return code;
}

static int add_accounts(const struct setup *self, double size_scale, struct book *book,
                        struct error *err)
{
    size_t count = self->positions.account_count;
    struct book_account *accounts = memory_alloc(count, sizeof *accounts);
    if (accounts == NULL)
        return error_memory(err, "accounts");
    for (size_t i = 0; i < count; i++) {
        accounts[i] = self->accounts[i];
        accounts[i].wallet_usd *= size_scale;
        for (int side = 0; side < 2; side++)
            accounts[i].coins[side] *= size_scale;
    }
    int code = book_add_accounts(book, accounts, count, self->market.start_ms, err);
    memory_free(accounts);
    return code;
}

int setup_positions_book(const struct setup *self, double size_scale, struct book *book,
                         struct error *err)
{
    size_t count = self->given_count;
    struct book_given *given = memory_alloc(count, sizeof *given);
    if (given == NULL)
        return error_memory(err, "positions");
    for (size_t i = 0; i < count; i++) {
        given[i] = self->given[i];
        given[i].size_coins *= size_scale;
    }
    int code = book_from_given(book, given, count, self->venues, self->venue_count,
                               self->market.start_ms, self->bars, err);
    memory_free(given);
    if (code == ERROR_NONE && self->positions.account_count > 0) {
        code = add_accounts(self, size_scale, book, err);
        if (code != ERROR_NONE)
            book_free(book);
    }
    if (code == ERROR_DATA && err != NULL && err->file[0] == '\0')
        strncpy(err->file, self->scenario->book.positions_from, sizeof err->file - 1);
    return code;
}
