/*
 * Which uncertain factors a result depends on: a design in the unit cube of the factors, a model
 * evaluated at its points, and for each of the model's outputs that is asked for Sobol's indices
 * (sim/study/indices.h) or Morris's elementary effects (sim/study/effects.h).
 *
 * What the model is, is the caller's: a scenario as a function of its uncertain parameters
 * (sim/study/uncertain.h), or any function.
 *
 *     struct sensitivity study;
 *     code = sensitivity_init(&study, &model, &plan, err);
 *     code = sensitivity_run(&study, NULL, NULL, NULL, err);
 *     code = sensitivity_result_make(&study, &result, err);     // sim/study/sensitivity_result.h
 *
 * Work items are (point, replicate) cells, point * replicates + replicate; an item's payload is the
 * model's outputs there. Whoever keeps payloads (a journal) need not know more.
 *
 * Morris's design has four levels, each of which stands for an equal part of a factor: coordinates
 * .125, .375, .625 and .875, so that a factor without bounds has a value at each.
 */
#ifndef LIQCASCADE_SIM_STUDY_SENSITIVITY_H
#define LIQCASCADE_SIM_STUDY_SENSITIVITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "scenarios/scenario.h"
#include "scenarios/setting.h"
#include "sim/study/resample.h"

/* One evaluation of a model. */
struct sensitivity_cell {
    const double *unit; /* by factor, in (0, 1); not owned */
    size_t replicate;
    double *outputs; /* by output; filled; not finite: has none; not owned */
    bool done;
};

/* Called with each cell as it is done, one at a time. */
typedef int sensitivity_cell_done(void *context, const struct sensitivity_cell *cell,
                                  struct error *err);

/* A function of the unit cube with several outputs, each in several replicates, whose random
   numbers are the same at every point. */
struct sensitivity_model {
    const char *const *factors; /* names; not owned */
    size_t factor_count;
    const char *const *outputs; /* names; not owned */
    size_t output_count;
    size_t replicates;
    void *context;
    /* Fills the cells' outputs, in any order, and says so cell by cell. What `done` returns other
       than ERROR_NONE ends it. */
    int (*compute)(void *context, struct sensitivity_cell *cells, size_t count,
                   sensitivity_cell_done *done, void *done_context, struct error *err);
    /* The value of a factor at a coordinate as users write it, in `buffer` or borrowed from the
       context; NULL: the coordinate itself. */
    const char *(*value)(void *context, size_t factor, double unit,
                         char buffer[SETTING_NUMBER_SIZE]);
};

struct sensitivity_plan {
    int method;            /* enum scenario_sensitivity */
    size_t rows;           /* sobol */
    size_t trajectories;   /* morris */
    uint64_t seed;         /* of the design */
    const size_t *metrics; /* which outputs are asked for; not owned */
    size_t metric_count;
    struct resample_plan bootstrap; /* of intervals */
};

struct sensitivity {
    struct sensitivity_model model; /* what it names must outlive this, */
    struct sensitivity_plan plan;   /* as must what this names */
    size_t groups;                  /* rows or trajectories, which hang together */
    size_t group_points;            /* points of each */
    size_t points;                  /* group by group */
    size_t items;                   /* points * replicates */
    size_t payload;                 /* doubles of an item: output_count */
    double *unit;                   /* points x factors; owned */
    double *values;                 /* by item; owned */
    bool *done;                     /* per item; owned */
};

/* Makes the design. ERROR_SCENARIO: no factors, too many for a Sobol design, sizes out of range;
   ERROR_IO: memory. On failure `self` needs no free. */
int sensitivity_init(struct sensitivity *self, const struct sensitivity_model *model,
                     const struct sensitivity_plan *plan, struct error *err);
void sensitivity_free(struct sensitivity *self);

/* Called with each item as it is done, one at a time. */
typedef int sensitivity_done(void *context, size_t item, const double *payload, struct error *err);

/* Computes the items for which `wanted` (NULL: all) is true and that are not done. Errors as of the
   model and of `done`; what is done by then stays. */
int sensitivity_run(struct sensitivity *self, const bool *wanted, sensitivity_done *done,
                    void *context, struct error *err);

/* The output of a point: its mean over replicates; NaN where a replicate has none. */
double sensitivity_output(const struct sensitivity *self, size_t point, size_t output);

#endif
