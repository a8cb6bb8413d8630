/*
 * A variant of a scenario: the scenario with some keys set anew, and what it has in common with
 * other variants, as keys (texts that are equal where what they stand for is).
 */
#ifndef LIQCASCADE_SIM_STUDY_VARIANT_H
#define LIQCASCADE_SIM_STUDY_VARIANT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "scenarios/scenario.h"
#include "scenarios/sweep_points.h"
#include "sim/setup.h"

/* What variants may share, each only where they share those before it. */
enum variant_share {
    VARIANT_BOOK,    /* of the same replicate */
    VARIANT_WARM,    /* that book walked up to the start of measuring */
    VARIANT_FACTUAL, /* the factual record of counterfactuals */
    VARIANT_SHARES
};

/* What variants are made of; nothing is owned. */
struct variant_base {
    const char *path;        /* scenario file */
    const char *const *sets; /* "key=value", before the variants' own */
    size_t set_count;
    int64_t seed;                    /* replaces the scenario's; < 0: none */
    const struct scenario *scenario; /* without variants' settings */
    const struct setup *setup;       /* of it */
};

struct variant {
    const struct variant_base *base;
    const struct sweep_setting *settings; /* not owned */
    size_t count;
    char *keys[VARIANT_SHARES]; /* owned */
    struct scenario scenario;
    bool loaded;
};

/* Reads the scenario with the settings; no output is asked for. Errors of scenario_load, of which
   the first is reported, with the settings behind it. On failure `self` needs no free. */
int variant_init(struct variant *self, const struct variant_base *base,
                 const struct sweep_setting *settings, size_t count, struct error *err);
void variant_free(struct variant *self);

/* The key of the book alone, without reading the scenario; the caller frees it. NULL: no memory. */
char *variant_book_key(const struct variant_base *base, const struct sweep_setting *settings,
                       size_t count);

/* Its setup, which is freed before the variant and the base. Errors as of setup_init. */
int variant_setup(const struct variant *self, struct setup *out, struct error *err);

/* As setup_counterfactual. */
bool variant_counterfactual(const struct variant *self);

/* Returns `code`; says behind an error of it at which settings it was. */
int variant_blame(const struct variant *self, int code, struct error *err);

#endif
