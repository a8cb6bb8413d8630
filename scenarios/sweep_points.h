/*
 * The points of a sweep and the draws of its uncertain parameters, as settings for scenario_load: a
 * point or draw is the scenario loaded again with `key=value` for each of its settings behind those
 * of the command line.
 *
 *     struct sweep_points plan;
 *     struct sweep_setting settings[...];           // plan.point_settings + plan.parameter_count
 *     code = sweep_points_init(&plan, &scenario, err);
 *     size_t count = sweep_points_point(&plan, point, settings);
 *     count += sweep_points_draw(&plan, draw, settings + count);
 *     ...
 *     sweep_points_free(&plan);
 *
 * Points: a grid has every combination of its axes' values, the first axis slowest; latin and
 * morris designs are those of scenarios/designs.h, a sobol design is that of base/sobol.h; without
 * a method there is one point that sets nothing. In a design, an axis that is a list, or a range
 * with steps, gives each value an equal part of [0, 1]; whole numbers and durations of a range as a
 * whole are rounded.
 *
 * Draws: without uncertainty (uncertainty.draws: 1) there is one that sets nothing. Else parameter
 * k of draw d is the quantile of its prior at coordinate k of point d of a scrambled Sobol
 * sequence, which depends on the seed, d and k alone: all points share draws (common random
 * numbers), and more draws or points leave the first as they were.
 */
#ifndef LIQCASCADE_SCENARIOS_SWEEP_POINTS_H
#define LIQCASCADE_SCENARIOS_SWEEP_POINTS_H

#include <stddef.h>

#include "base/error.h"
#include "scenarios/scenario.h"
#include "scenarios/setting.h"

/* As --set takes it, without the `=` between. Borrowed from the plan or the scenario. */
struct sweep_setting {
    const char *key, *value;
};

struct sweep_points {
    size_t points, draws;   /* at least 1 of each */
    size_t axis_count;      /* of the design; 0 for a list */
    size_t key_count;       /* different keys that points set: of axes, or over a list */
    size_t point_settings;  /* at most so many at a point */
    size_t parameter_count; /* set by every draw; 0 with one draw */
    /* The rest is for the functions below. */
    const struct scenario *scenario;      /* borrowed */
    const char **keys;                    /* key_count; owned */
    const char ***levels;                 /* per axis its values; NULL: a range as a whole; owned */
    double *unit;                         /* points x axes of a design, NULL for grids; owned */
    double *draw_unit;                    /* draws x parameters; owned */
    char (*numbers)[SETTING_NUMBER_SIZE]; /* of ranges cut into values; owned */
    char (*cells)[SETTING_NUMBER_SIZE];   /* points x axes of ranges as a whole; owned */
    char (*drawn)[SETTING_NUMBER_SIZE];   /* draws x parameters; owned */
};

/* Makes the plan of a loaded scenario, which must outlive it. ERROR_IO: memory; ERROR_SCENARIO:
   more points than a design has. On failure nothing is left to free. */
int sweep_points_init(struct sweep_points *self, const struct scenario *scenario,
                      struct error *err);
void sweep_points_free(struct sweep_points *self);

/* What a point sets, into `out` (room for point_settings): axes in their order, or the settings of
   an item of the list. Returns how many. In any order, from any thread. */
size_t sweep_points_point(const struct sweep_points *self, size_t point, struct sweep_setting *out);

/* What a draw sets, into `out` (room for parameter_count), in the order of the parameters. Returns
   how many: parameter_count. */
size_t sweep_points_draw(const struct sweep_points *self, size_t draw, struct sweep_setting *out);

/* The value of a prior at coordinate `unit` in (0, 1), as --set takes it: its quantile within the
   bounds of the key, or the choice whose equal part of the axis it is in. In `buffer`, which may be
   NULL for choices, or borrowed from the prior. */
const char *sweep_points_quantile(const struct scenario_prior *prior, double unit,
                                  char buffer[SETTING_NUMBER_SIZE]);

/* Key `index` (below key_count) of those that points set, in the order of the file. */
const char *sweep_points_key(const struct sweep_points *self, size_t index);

/* In a grid: how many values an axis has, which of them a point has, and how many points further
   the next value of the axis is, all other axes alike. */
size_t sweep_points_levels(const struct sweep_points *self, size_t axis);
size_t sweep_points_level(const struct sweep_points *self, size_t point, size_t axis);
size_t sweep_points_stride(const struct sweep_points *self, size_t axis);

/* The point that a point is compared with, as sweep.compare says: itself where it is one that
   others are compared with. There must be such a key. */
size_t sweep_points_reference(const struct sweep_points *self, size_t point);

/* In a latin, sobol or morris design: the coordinate of a point in [0, 1]. */
double sweep_points_unit(const struct sweep_points *self, size_t point, size_t axis);

#endif
