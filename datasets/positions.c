#include "datasets/positions.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "datasets/csv.h"

enum column {
    COLUMN_VENUE,
    COLUMN_SIDE,
    COLUMN_ENTRY,
    COLUMN_SIZE,
    COLUMN_LEVERAGE,
    COLUMN_MARGIN,
    COLUMN_LIQUIDATION,
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
};

struct reading {
    struct positions *positions;
    size_t row_capacity, venue_capacity;
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

/* --- rows --- */

static int parse_side(const struct csv_row *row, int *out_side, struct error *err)
{
    struct csv_text side = row->text[COLUMN_SIDE];
    *out_side = csv_text_is(side, "long") ? 1 : csv_text_is(side, "short") ? -1 : 0;
    if (*out_side == 0)
        return csv_row_error(row, COLUMN_SIDE, err, "expected long or short");
    return ERROR_NONE;
}

static int check_values(const struct csv_row *row, struct error *err)
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
        given += !isnan(value);
    }
    if (given == 0)
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
        status = check_values(row, err);
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
        status = sha256_file(path, positions->input.sha256, err);
    positions->input.rows = (int64_t)positions->count;
    return status;
}

int positions_read(struct positions *self, const char *path, struct error *err)
{
    struct reading reading = {.positions = self};
    *self = (struct positions){0};
    int status = read_file(&reading, path, err);
    if (status != ERROR_NONE)
        positions_free(self);
    return status;
}

void positions_free(struct positions *self)
{
    for (size_t i = 0; i < self->venue_count; i++)
        memory_free(self->venues[i]);
    memory_free(self->venues);
    memory_free(self->rows);
    memory_free(self->input.path);
    *self = (struct positions){0};
}
