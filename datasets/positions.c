#include "datasets/positions.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "datasets/csv.h"

enum { SLOTS_FIRST = 64 };

enum column {
    COLUMN_VENUE,
    COLUMN_SIDE,
    COLUMN_ENTRY,
    COLUMN_SIZE,
    COLUMN_LEVERAGE,
    COLUMN_MARGIN,
    COLUMN_LIQUIDATION,
    COLUMN_ACCOUNT,
    COLUMN_WALLET,
    COLUMN_COUNT
};

static const struct csv_column columns[COLUMN_COUNT] = {
    [COLUMN_VENUE] = {.name = "venue", .kind = CSV_TEXT, .required = true},
    [COLUMN_SIDE] = {.name = "side", .kind = CSV_TEXT, .required = true},
    [COLUMN_ENTRY] = {.name = "entry_price", .kind = CSV_NUMBER, .required = true},
    [COLUMN_SIZE] = {.name = "size_coins", .kind = CSV_NUMBER, .required = true},
    [COLUMN_LEVERAGE] = {.name = "leverage", .kind = CSV_NUMBER},
    [COLUMN_MARGIN] = {.name = "margin", .kind = CSV_NUMBER},
    [COLUMN_LIQUIDATION] = {.name = "liquidation_price", .kind = CSV_NUMBER},
    [COLUMN_ACCOUNT] = {.name = "account", .kind = CSV_TEXT},
    [COLUMN_WALLET] = {.name = "wallet_usd", .kind = CSV_NUMBER},
};

struct reading {
    struct positions *positions;
    size_t row_capacity, venue_capacity, account_capacity;
    uint32_t *slots; /* a hash table of accounts, by number from 1; 0: free; owned */
    size_t slot_count;
    int wallet_column; /* of the file; 0: not there */
};

/* --- venues --- */

static int add_venue(struct reading *self, struct csv_text name, int *out_venue, struct error *err)
{
    struct positions *positions = self->positions;
    char **venues = memory_grow(positions->venues, &self->venue_capacity,
                                positions->venue_count + 1, sizeof *venues);
    if (venues == NULL)
        return error_memory(err, "reading positions");
    positions->venues = venues;
    venues[positions->venue_count] = csv_text_copy(name);
    if (venues[positions->venue_count] == NULL)
        return error_memory(err, "reading positions");
    *out_venue = (int)positions->venue_count++;
    return ERROR_NONE;
}

static int find_venue(struct reading *self, const struct csv_row *row, int *out_venue,
                      struct error *err)
{
    struct csv_text name = row->text[COLUMN_VENUE];
    const struct positions *positions = self->positions;
    if (name.length == 0)
        return csv_row_error(row, COLUMN_VENUE, err, "expected the name of a venue");
    for (size_t i = 0; i < positions->venue_count; i++) {
        if (csv_text_is(name, positions->venues[i])) {
            *out_venue = (int)i;
            return ERROR_NONE;
        }
    }
    return add_venue(self, name, out_venue, err);
}

/* --- accounts --- */

/* FNV-1a. */
static size_t hash_of(const char *data, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

/* Where an account of that name stands, or is to stand. */
static uint32_t *slot_of(const struct reading *self, struct csv_text name)
{
    size_t i = hash_of(name.data, name.length) % self->slot_count;
    while (self->slots[i] != 0 &&
           !csv_text_is(name, self->positions->accounts[self->slots[i] - 1].name))
        i = (i + 1) % self->slot_count;
    return &self->slots[i];
}

/* Keeps the table at most half full. */
static bool make_room(struct reading *self)
{
    const struct positions *positions = self->positions;
    if (2 * (positions->account_count + 1) <= self->slot_count)
        return true;
    size_t count = self->slot_count > 0 ? 2 * self->slot_count : SLOTS_FIRST;
    uint32_t *slots = memory_zeroed(count, sizeof *slots);
    if (slots == NULL)
        return false;
    memory_free(self->slots);
    self->slots = slots;
    self->slot_count = count;
    for (size_t i = 0; i < positions->account_count; i++) {
        const char *name = positions->accounts[i].name;
        *slot_of(self, (struct csv_text){name, strlen(name)}) = (uint32_t)i + 1;
    }
    return true;
}

static int add_account(struct reading *self, const struct csv_row *row, int venue, uint32_t *slot,
                       struct error *err)
{
    struct positions *positions = self->positions;
    struct positions_account *accounts =
        memory_grow(positions->accounts, &self->account_capacity, positions->account_count + 1,
                    sizeof *accounts);
    if (accounts == NULL)
        return error_memory(err, "reading positions");
    positions->accounts = accounts;
    char *name = csv_text_copy(row->text[COLUMN_ACCOUNT]);
    if (name == NULL)
        return error_memory(err, "reading positions");
    accounts[positions->account_count++] = (struct positions_account){
        .name = name, .line = row->line, .venue = venue, .wallet_usd = NAN};
    *slot = (uint32_t)positions->account_count;
    return ERROR_NONE;
}

static int take_wallet(struct positions_account *account, const struct csv_row *row,
                       struct error *err)
{
    double wallet = row->number[COLUMN_WALLET];
    if (isnan(wallet))
        return ERROR_NONE;
    if (!(wallet > 0.0))
        return csv_row_error(row, COLUMN_WALLET, err, "expected a balance above 0");
    if (!isnan(account->wallet_usd) && account->wallet_usd != wallet)
        return csv_row_error(row, COLUMN_WALLET, err,
                             "is not the %.17g of an earlier row of account `%s`; expected one "
                             "balance",
                             account->wallet_usd, account->name);
    account->wallet_usd = wallet;
    return ERROR_NONE;
}

/* The account of a row; -1 where it names none. */
static int find_account(struct reading *self, const struct csv_row *row, int venue,
                        int *out_account, struct error *err)
{
    struct csv_text name = row->text[COLUMN_ACCOUNT];
    self->wallet_column = row->position[COLUMN_WALLET];
    *out_account = -1;
    if (name.length == 0 && !isnan(row->number[COLUMN_WALLET]))
        return csv_row_error(row, COLUMN_ACCOUNT, err, "expected the account of the wallet");
    if (name.length == 0)
        return ERROR_NONE;
    if (!make_room(self))
        return error_memory(err, "reading positions");
    uint32_t *slot = slot_of(self, name);
    int code = *slot == 0 ? add_account(self, row, venue, slot, err) : ERROR_NONE;
    if (code != ERROR_NONE)
        return code;
    *out_account = (int)*slot - 1;
    struct positions_account *account = &self->positions->accounts[*out_account];
    if (account->venue != venue)
        return csv_row_error(row, COLUMN_VENUE, err, "expected `%s`, where account `%s` is",
                             self->positions->venues[account->venue], account->name);
    return take_wallet(account, row, err);
}

static int check_wallets(const struct reading *self, const char *path, struct error *err)
{
    const struct positions *positions = self->positions;
    for (size_t i = 0; i < positions->account_count; i++)
        if (isnan(positions->accounts[i].wallet_usd))
            return error_at(err, ERROR_DATA, path, positions->accounts[i].line, self->wallet_column,
                            columns[COLUMN_WALLET].name,
                            "expected the wallet balance of account `%s` on this or another row "
                            "of it",
                            positions->accounts[i].name);
    return ERROR_NONE;
}

/* --- rows --- */

static int parse_side(const struct csv_row *row, int *out_side, struct error *err)
{
    struct csv_text side = row->text[COLUMN_SIDE];
    *out_side = csv_text_is(side, "long") ? 1 : csv_text_is(side, "short") ? -1 : 0;
    if (*out_side == 0)
        return csv_row_error(row, COLUMN_SIDE, err, "expected long or short");
    return ERROR_NONE;
}

static int check_values(const struct csv_row *row, bool cross, struct error *err)
{
    static const enum column optional[] = {COLUMN_LEVERAGE, COLUMN_MARGIN, COLUMN_LIQUIDATION};
    int given = 0;
    if (!(row->number[COLUMN_ENTRY] > 0.0))
        return csv_row_error(row, COLUMN_ENTRY, err, "expected a price above 0");
    if (!(row->number[COLUMN_SIZE] > 0.0))
        return csv_row_error(row, COLUMN_SIZE, err, "expected a size in coins above 0");
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        double value = row->number[optional[i]];
        if (value <= 0.0)
            return csv_row_error(row, optional[i], err, "expected a number above 0, or nothing");
        if (cross && !isnan(value))
            return csv_row_error(row, optional[i], err,
                                 "expected nothing on a row with an account: its margin is the "
                                 "account's wallet");
        given += !isnan(value);
    }
    if (given == 0 && !cross)
        return csv_row_error(row, COLUMN_LEVERAGE, err,
                             "expected leverage, margin or liquidation_price on this row");
    return ERROR_NONE;
}

static int append(struct reading *self, const struct position_row *position, struct error *err)
{
    struct positions *positions = self->positions;
    struct position_row *rows =
        memory_grow(positions->rows, &self->row_capacity, positions->count + 1, sizeof *rows);
    if (rows == NULL)
        return error_memory(err, "reading positions");
    positions->rows = rows;
    rows[positions->count++] = *position;
    return ERROR_NONE;
}

static int on_row(void *context, const struct csv_row *row, struct error *err)
{
    struct reading *self = context;
    struct position_row position = {.line = row->line,
                                    .entry_price = row->number[COLUMN_ENTRY],
                                    .size_coins = row->number[COLUMN_SIZE],
                                    .leverage = row->number[COLUMN_LEVERAGE],
                                    .margin = row->number[COLUMN_MARGIN],
                                    .liquidation_price = row->number[COLUMN_LIQUIDATION]};
    int status = find_venue(self, row, &position.venue, err);
    if (status == ERROR_NONE)
        status = parse_side(row, &position.side, err);
    if (status == ERROR_NONE)
        status = find_account(self, row, position.venue, &position.account, err);
    if (status == ERROR_NONE)
        status = check_values(row, position.account >= 0, err);
    if (status == ERROR_NONE)
        status = append(self, &position, err);
    return status;
}

static int read_file(struct reading *self, const char *path, struct error *err)
{
    struct csv_reader reader = {.columns = columns,
                                .column_count = COLUMN_COUNT,
                                .header = CSV_HEADER_YES,
                                .row = on_row,
                                .context = self};
    struct positions *positions = self->positions;
    positions->input.path = memory_text(path);
    if (positions->input.path == NULL)
        return error_memory(err, "reading positions");
    int status = csv_read(path, &reader, err);
    if (status == ERROR_NONE && positions->count == 0)
        status = error_at(err, ERROR_DATA, path, 0, 0, NULL, "there are no positions in it");
    if (status == ERROR_NONE)
        status = check_wallets(self, path, err);
    if (status == ERROR_NONE)
        status = sha256_file(path, positions->input.sha256, err);
    positions->input.rows = (int64_t)positions->count;
    return status;
}

int positions_read(struct positions *self, const char *path, struct error *err)
{
    struct reading reading = {.positions = self};
    *self = (struct positions){0};
    int status = read_file(&reading, path, err);
    memory_free(reading.slots);
    if (status != ERROR_NONE)
        positions_free(self);
    return status;
}

void positions_coins(const struct positions *self, double out[2])
{
    out[0] = out[1] = 0.0;
    for (size_t i = 0; i < self->count; i++)
        out[self->rows[i].side > 0 ? 0 : 1] += self->rows[i].size_coins;
}

void positions_free(struct positions *self)
{
    for (size_t i = 0; i < self->venue_count; i++)
        memory_free(self->venues[i]);
    for (size_t i = 0; i < self->account_count; i++)
        memory_free(self->accounts[i].name);
    memory_free(self->venues);
    memory_free(self->accounts);
    memory_free(self->rows);
    memory_free(self->input.path);
    *self = (struct positions){0};
}
