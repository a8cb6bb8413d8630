#include "datasets/source.h"

#include <string.h>

#include "base/memory.h"

static const char *const FIELDS[SERIES_FIELD_COUNT] = {[SERIES_OPEN] = "open",
                                                       [SERIES_HIGH] = "high",
                                                       [SERIES_LOW] = "low",
                                                       [SERIES_CLOSE] = "close",
                                                       [SERIES_VOLUME] = "volume",
                                                       [SERIES_QUOTE_VOLUME] = "quote_volume",
                                                       [SERIES_OI_OPEN] = "oi_open",
                                                       [SERIES_OI_HIGH] = "oi_high",
                                                       [SERIES_OI_LOW] = "oi_low",
                                                       [SERIES_OI] = "oi",
                                                       [SERIES_RATE] = "rate",
                                                       [SERIES_LIQ_LONG] = "liq_long",
                                                       [SERIES_LIQ_SHORT] = "liq_short",
                                                       [SERIES_BAND] = "band",
                                                       [SERIES_DEPTH] = "depth",
                                                       [SERIES_NOTIONAL] = "notional"};

static const char *const INPUTS[MARKET_INPUT_COUNT] = {
    [MARKET_PRICE] = "price",     [MARKET_MARK] = "mark",  [MARKET_VOLUME] = "volume_coins",
    [MARKET_FUNDING] = "funding", [MARKET_OI] = "oi",      [MARKET_LIQUIDATIONS] = "liquidations",
    [MARKET_DEPTH] = "depth",     [MARKET_INDEX] = "index"};

int series_field_find(const char *name)
{
    for (int i = 0; i < SERIES_FIELD_COUNT; i++)
        if (strcmp(name, FIELDS[i]) == 0)
            return i;
    return strcmp(name, "oi_close") == 0 ? SERIES_OI : -1;
}

const char *series_field_name(enum series_field field)
{
    return FIELDS[field];
}

const char *market_input_name(enum market_input input)
{
    return input < MARKET_INPUT_COUNT ? INPUTS[input] : "any";
}

void source_spec_free(struct source_spec *self)
{
    for (size_t i = 0; i < self->column_count; i++)
        memory_free(self->columns[i].name);
    for (size_t i = 0; i < self->filter_count; i++) {
        memory_free(self->filters[i].column);
        memory_free(self->filters[i].value);
    }
    memory_free(self->columns);
    memory_free(self->filters);
    memory_free(self->builtin);
    memory_free(self->path);
    memory_free(self->format);
    memory_free(self->scope);
    memory_free(self->time_column);
    memory_free(self->time_format);
    memory_free(self->said_file);
    memory_free(self->said_key);
    *self = (struct source_spec){0};
}
