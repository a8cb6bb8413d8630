#include "datasets/csv.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

#include "base/memory.h"
#include "base/text.h"

#define NONE (-1)

/* A field of the first row, or a text column: its place in the arena, which may move. */
struct span {
    size_t from, length;
};

struct scanner {
    struct csv_parser parser;
    struct csv_reader *reader;
    const char *name;
    struct error *err;
    int code; /* of a callback */

    long line;     /* of the bytes being parsed */
    long row_line; /* of the row being parsed */
    long cr_rows;  /* rows of this piece that a lone carriage return may have ended */
    char last_byte;
    size_t field; /* fields of this row so far */
    bool quote_open;
    long quote_line;
    size_t quote_field;

    bool planned; /* the first row is behind us */
    size_t columns_in_file;
    int *slot_of_field; /* by field; NONE: not wanted */
    int *next_slot;     /* by slot: the next one that wants the same field */
    int *position;
    double *number;
    struct csv_text *text;
    bool *empty;
    struct span *span;   /* by slot */
    size_t needed, used; /* a row must have / should have this many fields */
    bool has_text;
    bool any_empty;

    char *arena;
    size_t arena_length, arena_capacity;
    struct span *first; /* fields of the first row */
    size_t first_count, first_capacity;
};

bool csv_text_is(struct csv_text text, const char *expected)
{
    return text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

char *csv_text_copy(struct csv_text text)
{
    char *copy = memory_alloc(text.length + 1, 1);
    if (!copy)
        return NULL;
    if (text.length > 0)
        memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    return copy;
}

int csv_row_error(const struct csv_row *row, size_t column, struct error *err, const char *format,
                  ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_at(err, ERROR_DATA, row->file, row->line, row->position[column],
                    row->columns[column].name, "%s", message);
}

static void fail(struct scanner *self, int code)
{
    if (self->code == ERROR_NONE)
        self->code = code;
}

static int fail_at(struct scanner *self, long line, size_t field, const char *key,
                   const char *message)
{
    return error_at(self->err, ERROR_DATA, self->name, line, (long)field, key, "%s", message);
}

/* --- fields --- */

static bool keep_bytes(struct scanner *self, const char *bytes, size_t length, struct span *out)
{
    char *arena = self->arena;
    if (self->arena_length + length > self->arena_capacity || !arena) {
        arena = memory_grow(arena, &self->arena_capacity, self->arena_length + length + 1, 1);
        if (!arena) {
            fail(self, error_memory(self->err, "reading a CSV row"));
            return false;
        }
        self->arena = arena;
    }
    *out = (struct span){self->arena_length, length};
    if (length > 0)
        memcpy(arena + self->arena_length, bytes, length);
    self->arena_length += length;
    return true;
}

static void keep_first_row_field(struct scanner *self, const char *bytes, size_t length)
{
    struct span *first = self->first;
    if (self->first_count >= CSV_MAX_COLUMNS) {
        fail(self, fail_at(self, self->row_line, 0, NULL, "more than 1,024 columns"));
        return;
    }
    if (self->first_count == self->first_capacity) {
        first = memory_grow(first, &self->first_capacity, self->first_count + 1, sizeof *first);
        if (!first) {
            fail(self, error_memory(self->err, "reading a CSV row"));
            return;
        }
        self->first = first;
    }
    if (keep_bytes(self, bytes, length, &first[self->first_count]))
        self->first_count++;
}

/* Words that spreadsheets and pandas write for a missing or impossible number. */
static bool is_not_a_number(const char *bytes, size_t length)
{
    static const char *const WORDS[] = {"nan",  "na",   "n/a",  "null",     "none",     "inf",
                                        "-inf", "+inf", "-nan", "infinity", "-infinity"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strlen(WORDS[i]) == length && strncasecmp(bytes, WORDS[i], length) == 0)
            return true;
    return false;
}

static double odd_number(struct scanner *self, int slot, const char *bytes, size_t length)
{
    if (length == 0) {
        self->empty[slot] = self->any_empty = true;
    } else if (!is_not_a_number(bytes, length)) {
        int shown = length < 40 ? (int)length : 40;
        fail(self,
             error_at(self->err, ERROR_DATA, self->name, self->row_line, (long)self->field + 1,
                      self->reader->columns[slot].name, "\"%.*s\" is not a number", shown, bytes));
    }
    return NAN;
}

/* Nearly every cell of market history is at most 15 digits with a point among them. Such a number
   is an integer below 2^53 over an exact power of ten, so one division rounds once, and the result
   is text_to_double's (Clinger's case); inlined here, it halves the cost of a field. */
static inline bool short_decimal(const unsigned char *bytes, size_t length, double *out)
{
    static const double POWERS[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t digits = 0;
    size_t i = 0;
    if (length > 15)
        return false;
    for (unsigned digit; i < length && (digit = bytes[i] - (unsigned)'0') < 10; i++)
        digits = digits * 10 + digit;
    if (i == length) {
        *out = (double)(int64_t)digits;
        return length > 0;
    }
    if (bytes[i] != '.' || i == 0)
        return false;
    size_t decimals = length - ++i;
    for (unsigned digit; i < length && (digit = bytes[i] - (unsigned)'0') < 10; i++)
        digits = digits * 10 + digit;
    *out = (double)(int64_t)digits / POWERS[decimals];
    return i == length;
}

static void keep_value(struct scanner *self, int slot, const char *bytes, size_t length)
{
    for (; slot != NONE; slot = self->next_slot[slot]) {
        if (self->reader->columns[slot].kind == CSV_NUMBER) {
            double value;
            if (!short_decimal((const unsigned char *)bytes, length, &value) &&
                !text_to_double(bytes, length, false, &value))
                value = odd_number(self, slot, bytes, length);
            self->number[slot] = value;
        } else {
            keep_bytes(self, bytes, length, &self->span[slot]);
            if (length == 0)
                self->empty[slot] = self->any_empty = true;
        }
    }
}

static void on_field(void *bytes, size_t length, void *context)
{
    struct scanner *self = context;
    if (self->code == ERROR_NONE) {
        if (!self->planned)
            keep_first_row_field(self, bytes, length);
        else if (self->field < self->columns_in_file && self->slot_of_field[self->field] != NONE)
            keep_value(self, self->slot_of_field[self->field], bytes, length);
    }
    self->field++;
}

/* --- the first row: which column is where --- */

static int missing_column(struct scanner *self, const char *name)
{
    struct text_buffer names = {0};
    for (size_t i = 0; i < self->first_count; i++) {
        const struct span *span = &self->first[i];
        if (names.length + span->length > 300) {
            text_append(&names, ", ...");
            break;
        }
        text_append(&names, i ? ", " : "");
        text_append_bytes(&names, self->arena + span->from, span->length);
    }
    int code = error_at(self->err, ERROR_DATA, self->name, self->row_line, 0, name,
                        "no such column; the header has: %s", names.data ? names.data : "");
    text_buffer_free(&names);
    return code;
}

static int find_by_name(struct scanner *self, const struct csv_column *column, int *out_position)
{
    *out_position = 0;
    for (size_t i = 0; i < self->first_count; i++) {
        struct csv_text text = {self->arena + self->first[i].from, self->first[i].length};
        if (!csv_text_is(text, column->name))
            continue;
        if (*out_position > 0)
            return fail_at(self, self->row_line, i + 1, column->name,
                           "the header names this column twice");
        *out_position = (int)i + 1;
    }
    if (*out_position == 0 && column->required)
        return missing_column(self, column->name);
    return ERROR_NONE;
}

static int place_column(struct scanner *self, size_t slot)
{
    const struct csv_column *column = &self->reader->columns[slot];
    int position = column->index;
    if (position == 0 && self->reader->header == CSV_HEADER_NO)
        return error_at(self->err, ERROR_DATA, self->name, 0, 0, column->name,
                        "the file has no header; expected the column by its number");
    if (position == 0) {
        int code = find_by_name(self, column, &position);
        if (code != ERROR_NONE)
            return code;
    }
    self->position[slot] = position;
    self->next_slot[slot] = NONE;
    if (position == 0) {
        self->empty[slot] = true;
        return ERROR_NONE;
    }
    self->next_slot[slot] = self->slot_of_field[position - 1];
    self->slot_of_field[position - 1] = (int)slot;
    if ((size_t)position > self->used)
        self->used = (size_t)position;
    if (column->required && (size_t)position > self->needed)
        self->needed = (size_t)position;
    return ERROR_NONE;
}

static int allocate_plan(struct scanner *self)
{
    size_t slots = self->reader->column_count;
    self->columns_in_file = self->first_count;
    for (size_t i = 0; i < slots; i++)
        if (self->reader->columns[i].index > (int)self->columns_in_file)
            self->columns_in_file = (size_t)self->reader->columns[i].index;
    self->slot_of_field = memory_alloc(self->columns_in_file, sizeof *self->slot_of_field);
    self->next_slot = memory_alloc(slots, sizeof *self->next_slot);
    self->position = memory_zeroed(slots, sizeof *self->position);
    self->number = memory_alloc(slots, sizeof *self->number);
    self->text = memory_zeroed(slots, sizeof *self->text);
    self->empty = memory_zeroed(slots, sizeof *self->empty);
    self->span = memory_zeroed(slots, sizeof *self->span);
    if (!self->slot_of_field || !self->next_slot || !self->position || !self->number ||
        !self->text || !self->empty || !self->span)
        return error_memory(self->err, "reading CSV columns");
    for (size_t i = 0; i < self->columns_in_file; i++)
        self->slot_of_field[i] = NONE;
    for (size_t i = 0; i < slots; i++) {
        self->number[i] = NAN;
        self->has_text |= self->reader->columns[i].kind == CSV_TEXT;
    }
    return ERROR_NONE;
}

static int call_first(struct scanner *self)
{
    struct csv_text *texts = memory_alloc(self->first_count, sizeof *texts);
    if (!texts)
        return error_memory(self->err, "reading a CSV header");
    for (size_t i = 0; i < self->first_count; i++)
        texts[i] = (struct csv_text){self->arena + self->first[i].from, self->first[i].length};
    int code = self->reader->first(self->reader, texts, self->first_count, self->err);
    memory_free(texts);
    return code;
}

static void on_row(int terminator, void *context);

/* The first row was data: it goes through the plan that it has just made. */
static void replay_first_row(struct scanner *self)
{
    char *arena = self->arena;
    self->arena = NULL;
    self->arena_length = self->arena_capacity = self->field = 0;
    for (size_t i = 0; i < self->first_count; i++)
        on_field(arena + self->first[i].from, self->first[i].length, self);
    on_row(NONE, self);
    memory_free(arena);
}

static void finish_first_row(struct scanner *self)
{
    int code = self->reader->first ? call_first(self) : ERROR_NONE;
    if (code == ERROR_NONE)
        code = allocate_plan(self);
    for (size_t i = 0; code == ERROR_NONE && i < self->reader->column_count; i++)
        code = place_column(self, i);
    if (code != ERROR_NONE) {
        fail(self, code);
        return;
    }
    self->planned = true;
    if (self->reader->header == CSV_HEADER_NO)
        replay_first_row(self);
}

/* --- rows --- */

/* What the row does not reach is empty; the next row starts afresh. */
static void mark_missing(struct scanner *self)
{
    for (size_t i = 0; i < self->reader->column_count; i++) {
        if (self->position[i] > 0 && (size_t)self->position[i] <= self->field)
            continue;
        self->number[i] = NAN;
        self->span[i] = (struct span){0, 0};
        self->empty[i] = self->any_empty = true;
    }
}

static void clear_empty(struct scanner *self)
{
    for (size_t i = 0; i < self->reader->column_count; i++)
        self->empty[i] = self->position[i] == 0;
    self->any_empty = false;
}

static void hand_over(struct scanner *self)
{
    if (self->field < self->used)
        mark_missing(self);
    for (size_t i = 0; self->has_text && i < self->reader->column_count; i++)
        if (self->reader->columns[i].kind == CSV_TEXT)
            self->text[i] = (struct csv_text){
                self->position[i] > 0 && self->arena ? self->arena + self->span[i].from : NULL,
                self->position[i] > 0 ? self->span[i].length : 0};
    struct csv_row row = {.file = self->name,
                          .line = self->row_line,
                          .fields = self->field,
                          .number = self->number,
                          .text = self->text,
                          .empty = self->empty,
                          .any_empty = self->any_empty,
                          .columns = self->reader->columns,
                          .position = self->position};
    fail(self, self->reader->row(self->reader->context, &row, self->err));
    if (self->any_empty)
        clear_empty(self);
}

static void on_row(int terminator, void *context)
{
    struct scanner *self = context;
    if (self->code == ERROR_NONE) {
        if (!self->planned)
            finish_first_row(self);
        else if (self->field < self->needed)
            fail(self, error_at(self->err, ERROR_DATA, self->name, self->row_line, 0, NULL,
                                "the row has %zu column%s; expected at least %zu", self->field,
                                self->field == 1 ? "" : "s", self->needed));
        else
            hand_over(self);
    }
    self->field = 0;
    self->arena_length = 0;
    if (terminator != NONE) {
        self->row_line++;
        self->cr_rows += terminator == '\r';
    }
}

/* --- bytes --- */

static void note_quote(struct scanner *self)
{
    bool open = self->parser.quoted != 0;
    if (open && (!self->quote_open || self->quote_field != self->field + 1)) {
        self->quote_line = self->line;
        self->quote_field = self->field + 1;
    }
    self->quote_open = open;
}

static int quote_error(struct scanner *self)
{
    return fail_at(self, self->quote_line, self->quote_field, NULL,
                   "a quote is opened here and never closed; expected a closing quote");
}

static int parse_error(struct scanner *self)
{
    if (csv_error(&self->parser) != CSV_EPARSE)
        return error_memory(self->err, "reading CSV");
    if (self->quote_open)
        return error_at(self->err, ERROR_DATA, self->name, self->quote_line,
                        (long)self->quote_field, NULL,
                        "a quote is opened here and not closed before line %ld; expected a "
                        "closing quote, then a comma or the end of the line",
                        self->line);
    return fail_at(self, self->line, self->field + 1, NULL,
                   "a stray quote; expected quotes around the whole field or none");
}

/* Lines are counted here, as libcsv does not: a piece holds at most one line feed, at its end. */
static void count_lines(struct scanner *self, const char *bytes, size_t length)
{
    char before = length >= 2 ? bytes[length - 2] : self->last_byte;
    bool feed = bytes[length - 1] == '\n';
    if (feed && before == '\r' && length >= 2 && self->cr_rows > 0)
        self->cr_rows--; /* CRLF is one end of a line, not two */
    else if (feed && before == '\r' && length == 1 && !self->quote_open)
        self->line--; /* the same, where a block ended between the two */
    self->line += self->cr_rows + feed;
    self->cr_rows = 0;
    self->last_byte = bytes[length - 1];
}

static int parse_piece(struct scanner *self, const char *bytes, size_t length)
{
    if (self->parser.pstate == 0) /* between rows */
        self->row_line = self->line;
    size_t used = csv_parse(&self->parser, bytes, length, on_field, on_row, self);
    if (self->code != ERROR_NONE)
        return self->code;
    if (used != length)
        return parse_error(self);
    note_quote(self);
    if (self->parser.entry_pos > CSV_MAX_FIELD)
        return self->quote_open ? quote_error(self)
                                : fail_at(self, self->line, self->field + 1, NULL,
                                          "a field of more than 65,536 bytes; expected CSV");
    count_lines(self, bytes, length);
    return ERROR_NONE;
}

static int refuse_nul(struct scanner *self, const char *bytes, const char *nul)
{
    long line = self->line;
    for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(nul - at))) != NULL; at++)
        line++;
    return fail_at(self, line, 0, NULL, "a NUL byte; expected text");
}

static int parse_block(struct scanner *self, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    const char *nul = memchr(bytes, '\0', length);
    if (nul)
        return refuse_nul(self, bytes, nul);
    int code = ERROR_NONE;
    while (bytes < end && code == ERROR_NONE) {
        const char *feed = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t piece = feed ? (size_t)(feed - bytes) + 1 : (size_t)(end - bytes);
        code = parse_piece(self, bytes, piece);
        bytes += piece;
    }
    return code;
}

static int finish(struct scanner *self)
{
    if (csv_fini(&self->parser, on_field, on_row, self) != 0 && self->code == ERROR_NONE)
        return quote_error(self);
    if (self->code == ERROR_NONE && !self->planned)
        return fail_at(self, 0, 0, NULL, "the file is empty; expected rows of CSV");
    return self->code;
}

static void scanner_free(struct scanner *self)
{
    csv_free(&self->parser);
    memory_free(self->slot_of_field);
    memory_free(self->next_slot);
    memory_free(self->position);
    memory_free(self->number);
    memory_free(self->text);
    memory_free(self->empty);
    memory_free(self->span);
    memory_free(self->arena);
    memory_free(self->first);
}

static void *resize(void *block, size_t size)
{
    return memory_resize(block, size, 1);
}

int csv_read_stream(struct stream *in, const char *name, struct csv_reader *reader,
                    struct error *err)
{
    struct scanner self = {.reader = reader, .name = name, .err = err, .line = 1, .row_line = 1};
    csv_init(&self.parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_realloc_func(&self.parser, resize);
    csv_set_free_func(&self.parser, memory_free);
    csv_set_blk_size(&self.parser, 4096);
    int code;
    const char *bytes;
    size_t length;
    while ((code = stream_read(in, &bytes, &length, err)) == ERROR_NONE && length > 0)
        if ((code = parse_block(&self, bytes, length)) != ERROR_NONE)
            break;
    if (code == ERROR_NONE)
        code = finish(&self);
    scanner_free(&self);
    return code == CSV_STOP ? ERROR_NONE : code;
}

int csv_read(const char *path, struct csv_reader *reader, struct error *err)
{
    struct stream in;
    int code = stream_open(&in, path, err);
    if (code != ERROR_NONE)
        return code;
    code = csv_read_stream(&in, path, reader, err);
    stream_close(&in);
    return code;
}
