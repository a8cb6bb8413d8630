/*
 * The catalogue of models: every family with its models, what they compute, where that is from, and
 * the scenario keys that are their parameters. Names, documentation and sources are those of the
 * rows in models/ that the engine itself looks up; unit, default, bounds and source of a parameter
 * are those of its row in the schema. Only what has no row there is described here.
 *
 *     struct catalogue_model model;
 *     for (int i = 0; i < family->count; i++) {
 *         catalogue_model(family, i, &model);
 *         for (const char *const *key = model.keys; *key != NULL; key++)
 *             use(catalogue_row(*key));
 *     }
 */
#ifndef LIQCASCADE_SIM_CATALOGUE_H
#define LIQCASCADE_SIM_CATALOGUE_H

#include <stdbool.h>

#include "scenarios/schema.h"

struct catalogue_model {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;      /* a citation, or own prior */
    const char *const *keys; /* of the schema, its own parameters; ends in NULL */
    bool bare;               /* the family's common parameters mean nothing to it */
};

struct catalogue_family {
    const char *name;
    const char *documentation;
    const char *key;           /* that chooses a model; NULL: all of them hold at once */
    const char *const *common; /* keys that its models share, but for bare ones; ends in NULL;
                                  NULL: none */
    const struct catalogue_model *models; /* in the order of the key's words; what stands in a table
                                             of models/ has no documentation here */
    int count;
    /* Documentation and source from the family's table; NULL: it has none. False when unknown. */
    bool (*lookup)(const char *name, struct catalogue_model *out);
};

extern const struct catalogue_family catalogue_families[];
extern const int catalogue_family_count;

/* NULL when unknown. */
const struct catalogue_family *catalogue_find(const char *name);

/* Model `i` of a family, complete: keys is never NULL. Documentation and source are NULL only when
   the family's table lacks the model. */
void catalogue_model(const struct catalogue_family *family, int i, struct catalogue_model *out);

/* Whether a scenario that does not say otherwise has this model. */
bool catalogue_is_default(const struct catalogue_family *family, const char *name);

/* The row of a key of a scenario, or of one that holds inside of a list: venues[].fee_rate,
   book.leverage.tiers[].weight, path.points[].at. NULL when there is none. */
const struct schema_row *catalogue_row(const char *key);

#endif
