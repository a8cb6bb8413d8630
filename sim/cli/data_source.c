#include "sim/cli/data_source.h"

#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"

const char *const data_roles[] = {"price",        "mark", "volume_coins", "funding", "oi",
                                  "liquidations", NULL};
const char *const data_units[] = {"coins", "usd", "contracts", "fraction", "percent", NULL};
const char *const data_headers[] = {"no", "yes", NULL};

struct data_options data_options_default(void)
{
    return (struct data_options){
        .role = -1, .unit = -1, .header = -1, .from_ms = CALENDAR_NONE, .to_ms = CALENDAR_NONE};
}

void data_options_free(struct data_options *self)
{
    cli_texts_free(&self->where);
    cli_texts_free(&self->columns);
}

static int no_memory(struct error *err)
{
    return error_memory(err, "reading the command line");
}

static int copy_text(const char *text, char **out, struct error *err)
{
    if (text && !(*out = memory_text(text)))
        return no_memory(err);
    return ERROR_NONE;
}

/* `left=right`, both owned by the caller. */
static int split_pair(const char *text, const char *option, char **out_left, char **out_right,
                      struct error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0')
        return error_at(err, ERROR_USAGE, NULL, 0, 0, option, "\"%s\"; expected NAME=VALUE", text);
    *out_left = memory_text(text);
    *out_right = memory_text(equals + 1);
    if (!*out_left || !*out_right)
        return no_memory(err);
    (*out_left)[equals - text] = '\0';
    return ERROR_NONE;
}

static int make_filters(struct source_spec *out, const struct cli_texts *where, struct error *err)
{
    int code = ERROR_NONE;
    if (where->count > SOURCE_MAX_FILTERS)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--where", "expected at most %d",
                        SOURCE_MAX_FILTERS);
    out->filters = memory_zeroed(where->count, sizeof *out->filters);
    if (!out->filters)
        return no_memory(err);
    for (; code == ERROR_NONE && out->filter_count < where->count; out->filter_count++) {
        struct source_filter *filter = &out->filters[out->filter_count];
        code = split_pair(where->items[out->filter_count], "--where", &filter->column,
                          &filter->value, err);
    }
    return code;
}

static int make_column(struct source_column *out, const char *text, struct error *err)
{
    char *name = NULL, *place = NULL;
    int64_t index;
    int code = split_pair(text, "--column", &name, &place, err);
    int field = name ? series_field_find(name) : -1;
    if (code == ERROR_NONE && field < 0)
        code = error_at(err, ERROR_USAGE, NULL, 0, 0, "--column",
                        "\"%s\" names no field; expected open, high, low, close, volume, oi, rate, "
                        "liq_long, liq_short, ...",
                        text);
    if (code == ERROR_NONE && place) {
        out->field = (enum series_field)field;
        if (text_to_int64(place, strlen(place), &index) && index >= 1 && index <= 1024) {
            out->index = (int)index;
        } else {
            out->name = place;
            place = NULL;
        }
    }
    memory_free(name);
    memory_free(place);
    return code;
}

static int make_columns(struct source_spec *out, const struct cli_texts *columns, struct error *err)
{
    int code = ERROR_NONE;
    out->columns = memory_zeroed(columns->count, sizeof *out->columns);
    if (!out->columns)
        return no_memory(err);
    for (; code == ERROR_NONE && out->column_count < columns->count; out->column_count++)
        code =
            make_column(&out->columns[out->column_count], columns->items[out->column_count], err);
    return code;
}

static int make_origin(struct source_spec *out, const char *path, struct error *err)
{
    static const char PREFIX[] = "builtin:";
    if (strncmp(path, PREFIX, sizeof PREFIX - 1) != 0)
        return copy_text(path, &out->path, err);
    if (out->role == MARKET_INPUT_COUNT)
        out->role = MARKET_PRICE;
    return copy_text(path + sizeof PREFIX - 1, &out->builtin, err);
}

int data_source_make(struct source_spec *out, const struct data_options *options, const char *path,
                     struct error *err)
{
    *out = (struct source_spec){
        .present = true,
        .role = options->role < 0 ? MARKET_INPUT_COUNT : (enum market_input)options->role,
        .unit = options->unit < 0 ? SOURCE_UNIT_NATIVE
                                  : (enum source_unit)(SOURCE_UNIT_COINS + options->unit),
        .contract_usd = options->contract_usd,
        .header = options->header};
    int code = make_origin(out, path, err);
    if (code == ERROR_NONE)
        code = copy_text(options->format, &out->format, err);
    if (code == ERROR_NONE)
        code = copy_text(options->time_column, &out->time_column, err);
    if (code == ERROR_NONE)
        code = copy_text(options->time_format, &out->time_format, err);
    if (code == ERROR_NONE && options->zone &&
        !calendar_parse_zone(options->zone, strlen(options->zone), &out->zone_offset_ms))
        code = error_at(err, ERROR_USAGE, NULL, 0, 0, "--zone", "\"%s\"; expected such as +06:00",
                        options->zone);
    if (code == ERROR_NONE)
        code = make_filters(out, &options->where, err);
    if (code == ERROR_NONE)
        code = make_columns(out, &options->columns, err);
    if (code != ERROR_NONE)
        source_spec_free(out);
    return code;
}
