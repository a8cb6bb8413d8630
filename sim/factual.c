#include "sim/factual.h"

#include <string.h>

#include "base/memory.h"

int factual_init(struct factual *self, size_t first_bar, size_t bars, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->first_bar = first_bar;
    self->count = bars > first_bar ? bars - first_bar : 0;
    self->bars = memory_zeroed(self->count, sizeof *self->bars);
    return self->bars == NULL ? error_memory(err, "the factual replay") : ERROR_NONE;
}

void factual_free(struct factual *self)
{
    memory_free(self->bars);
    memset(self, 0, sizeof *self);
}

struct factual_bar *factual_at(const struct factual *self, size_t bar)
{
    return bar < self->first_bar ? NULL : &self->bars[bar - self->first_bar];
}
