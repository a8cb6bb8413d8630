#include "sim/study/variant.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- what a key changes ----------------------------------------------------------------- */

/* Keys, or with a dot at the end all that begin so. Those that leave the book alone: */
static const char *const keeps_book[] = {"impact.",
                                         "fill",
                                         "feedback",
                                         "fixed_point",
                                         "funding.",
                                         "episode.",
                                         "branching_window_log",
                                         "oi.level_usd",
                                         "oi.level_coins",
                                         "oi.flow",
                                         "book.turnover_per_hour",
                                         "book.remargin_per_hour",
                                         "book.close",
                                         "book.disposition_ratio",
                                         "book.absorbed_by_closers",
                                         "path.move_log",
                                         "path.over",
                                         "path.drift",
                                         "path.volatility",
                                         "path.garch.",
                                         "path.student_t.",
                                         "path.jumps.",
                                         "path.hawkes.",
                                         NULL};
/* ... those among them that matter before the start of measuring all the same: */
static const char *const changes_warm[] = {
    "funding.",   "book.turnover_per_hour", "book.remargin_per_hour",
    "book.close", "book.disposition_ratio", "book.absorbed_by_closers",
    NULL};
/* ... and those that leave the factual record alone. */
static const char *const keeps_factual[] = {"oi.level_usd", "oi.level_coins",
                                            "impact.depth_oi_exponent", "fixed_point", NULL};
/* Keys that change which data are read. */
static const char *const changes_market[] = {
    "time.", "data.", "symbol", "path.model", "path.at", "book.positions_from", NULL};

static bool listed(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        size_t length = strlen(*keys);
        if ((*keys)[length - 1] == '.' ? strncmp(key, *keys, length) == 0 : strcmp(key, *keys) == 0)
            return true;
    }
    return false;
}

/* Whether setting this key leaves what is shared as it is. `by_size`: open interest is scaled by
   sizes, so that its level makes another book. */
static bool leaves(enum variant_share share, const char *key, bool by_size)
{
    if (strcmp(key, "oi.scale_by") == 0)
        return true; /* it is in the key as `by_size` */
    if (by_size && strncmp(key, "oi.level_", strlen("oi.level_")) == 0)
        return false;
    if (share == VARIANT_FACTUAL)
        return listed(key, keeps_factual);
    return listed(key, keeps_book) && (share == VARIANT_BOOK || !listed(key, changes_warm));
}

/* ---- keys ------------------------------------------------------------------------------- */

static bool says_sizes(const struct variant_base *base, const struct sweep_setting *settings,
                       size_t count)
{
    bool sizes = base->scenario->oi.scale_by == SCALE_SIZES;
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].key, "oi.scale_by") == 0)
            sizes = strcmp(settings[i].value, "sizes") == 0;
    return sizes;
}

/* The settings that matter to what is shared, as one text. */
static char *key_of(const struct variant_base *base, const struct sweep_setting *settings,
                    size_t count, enum variant_share share)
{
    struct text_buffer text = {0};
    bool by_size = says_sizes(base, settings, count);
    text_append(&text, by_size ? "sizes\n" : "traders\n");
    for (size_t i = 0; i < count; i++)
        if (!leaves(share, settings[i].key, by_size))
            text_appendf(&text, "%s=%s\n", settings[i].key, settings[i].value);
    if (text.failed) {
        text_buffer_free(&text);
        return NULL;
    }
    return text.data;
}

char *variant_book_key(const struct variant_base *base, const struct sweep_setting *settings,
                       size_t count)
{
    return key_of(base, settings, count, VARIANT_BOOK);
}

/* ---- life ------------------------------------------------------------------------------- */

static int load(struct variant *self, struct error *err)
{
    const struct variant_base *base = self->base;
    size_t count = base->set_count + self->count;
    const char **sets = memory_zeroed(count, sizeof *sets);
    struct text_buffer *texts = memory_zeroed(self->count, sizeof *texts);
    struct error_list errors = {0};
    int code = sets == NULL || texts == NULL ? error_memory(err, "a variant") : ERROR_NONE;
    for (size_t i = 0; i < base->set_count && code == ERROR_NONE; i++)
        sets[i] = base->sets[i];
    for (size_t i = 0; i < self->count && code == ERROR_NONE; i++) {
        text_appendf(&texts[i], "%s=%s", self->settings[i].key, self->settings[i].value);
        if (texts[i].failed)
            code = error_memory(err, "a variant");
        sets[base->set_count + i] = texts[i].data;
    }
    if (code == ERROR_NONE) {
        code = scenario_load(&self->scenario, base->path, sets, count, &errors);
        self->loaded = code == ERROR_NONE;
        if (code != ERROR_NONE && err != NULL && errors.count > 0)
            *err = errors.items[0];
    }
    error_list_free(&errors);
    for (size_t i = 0; texts != NULL && i < self->count; i++)
        text_buffer_free(&texts[i]);
    memory_free(texts);
    memory_free(sets);
    return code;
}

int variant_init(struct variant *self, const struct variant_base *base,
                 const struct sweep_setting *settings, size_t count, struct error *err)
{
    *self = (struct variant){.base = base, .settings = settings, .count = count};
    int code = ERROR_NONE;
    for (int share = 0; share < VARIANT_SHARES && code == ERROR_NONE; share++) {
        self->keys[share] = key_of(base, settings, count, (enum variant_share)share);
        if (self->keys[share] == NULL)
            code = error_memory(err, "a variant");
    }
    if (code == ERROR_NONE)
        code = variant_blame(self, load(self, err), err);
    if (code != ERROR_NONE) {
        variant_free(self);
        return code;
    }
    if (base->seed >= 0)
        self->scenario.seed = (uint64_t)base->seed;
    memset(&self->scenario.output, 0, sizeof self->scenario.output);
    return ERROR_NONE;
}

void variant_free(struct variant *self)
{
    for (int share = 0; share < VARIANT_SHARES; share++)
        memory_free(self->keys[share]);
    if (self->loaded)
        scenario_free(&self->scenario);
    memset(self, 0, sizeof *self);
}

/* ---- use -------------------------------------------------------------------------------- */

int variant_setup(const struct variant *self, struct setup *out, struct error *err)
{
    bool same_market = true;
    for (size_t i = 0; i < self->count; i++)
        same_market = same_market && !listed(self->settings[i].key, changes_market);
    return same_market ? setup_init_like(out, self->base->setup, &self->scenario, err)
                       : setup_init(out, &self->scenario, err);
}

bool variant_counterfactual(const struct variant *self)
{
    const struct setup named = {.scenario = &self->scenario};
    return setup_counterfactual(&named);
}

int variant_blame(const struct variant *self, int code, struct error *err)
{
    if (code == ERROR_NONE || code == ERROR_INTERRUPTED || code == ERROR_IO || err == NULL)
        return code;
    size_t length = strlen(err->message);
    for (size_t i = 0; i < self->count && length < sizeof err->message; i++)
        length += (size_t)snprintf(err->message + length, sizeof err->message - length, "%s %s=%s",
                                   i == 0 ? "; with" : "", self->settings[i].key,
                                   self->settings[i].value);
    return code;
}
