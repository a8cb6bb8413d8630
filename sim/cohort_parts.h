/*
 * What sim/cohort*.c share: the columns of a side, how leverage and size lead to them, and which
 * part of which cohort's columns fires when.
 *
 * A *level* is the liquidation price over the opening price of an entry at the opening price; its
 * distance is s * (1 - level), about 1/L less the maintenance margin rate. Columns are hats over
 * the distance: column j stands for mass between the distances of its neighbours, most at its own,
 * and a mass between two columns is split so that its mean distance stays. A *cell* is a narrow
 * bin of leverage, within one tier; a *node* one size of one venue under one bracket table.
 */
#ifndef LIQCASCADE_SIM_COHORT_PARTS_H
#define LIQCASCADE_SIM_COHORT_PARTS_H

#include "sim/cohort.h"

/* Columns of a side, by tier and in it by distance. */
struct cohort_columns {
    int count;
    int first[TIERS + 1]; /* of each tier */
    double *distance;     /* owned */
    int *tier;            /* of each column; owned */
};

/* Where a cell's mass of one node goes. */
struct cohort_place {
    uint16_t column; /* and the next one, which may be the same */
    float next;      /* part of the next one */
};

struct cohort_node {
    int venue;
    double probability; /* of the venue's sizes */
    int cap_cell;       /* cell that begins at the bracket's highest leverage: the last one */
    size_t places[2];   /* first of cap_cell + 1 places, by side */
};

/* Bars with the same bracket tables in force at every venue. */
struct cohort_epoch {
    size_t first_bar;
    size_t first_node, node_count;
    size_t first_venue, venue_count; /* that liquidate by themselves, among those of all epochs */
};

/* Bars with the same tables and the same crowding. */
struct cohort_group {
    int epoch;
    double funding_z;
};

/* `count` parts of the columns from `column` on of a cohort fire. */
struct cohort_segment {
    uint32_t cohort; /* opened in this bar */
    uint16_t column, count;
};

/* What fires, by bar: of bar t the segments from segment_first[t] on, and of them all the parts
   from part_first[t] on. All owned. */
struct cohort_fires {
    struct cohort_segment *segments;
    float *parts;
    size_t *segment_first, *part_first; /* bars + 1 */
};

struct cohort_table {
    double *edges;        /* of cells: cell_count + 1, the last one twice; owned */
    double *log_leverage; /* of each cell's middle; owned */
    int *cell_tier;       /* owned */
    int cell_count;       /* with the one that begins at the highest leverage of all */
    struct cohort_columns columns[2];
    struct cohort_place *places; /* owned */
    struct cohort_node *nodes;   /* by epoch, in it by venue; owned */
    size_t node_count;
    struct cohort_epoch *epochs; /* owned */
    size_t epoch_count;
    size_t venue_count;          /* of all epochs */
    struct cohort_group *groups; /* owned */
    size_t group_count;
    uint32_t *group_of; /* per bar; owned */
    struct cohort_fires fires[2];
    double *entry;        /* per bar: mean entry over its close; owned */
    double held_share[2]; /* part of a side's opens that is never liquidated */
};

/* Fills all but `fires`: sim/cohort_mix.c. */
int cohort_table_init(struct cohort_table *self, const struct setup *setup,
                      const struct cohort_detail *detail, struct error *err);
/* Fills `fires`: sim/cohort_fires.c. */
int cohort_fires_init(struct cohort_table *self, const struct setup *setup, struct error *err);
void cohort_table_free(struct cohort_table *self);

/* The columns' parts of what opens, of one set of parameters: sim/cohort_weights.c. */
struct cohort_weights {
    const struct cohort_table *table;  /* not owned */
    double *base[2];                   /* per epoch and column: without tilt; owned */
    double *venues[2];                 /* per venue of an epoch and column: its part ... */
    double *log_leverage[2];           /* ... and its mean ln L; both owned */
    double *tilted[2];                 /* per group and column; owned */
    const double **of[2];              /* per group: its columns in one of these; owned */
    struct ledger_opening *opening[2]; /* per group: by tier, entries at 1; owned */
    double *stock, *hedged;            /* per cell: P(L >= its edge); owned */
    double *spare;                     /* per column; owned */
    double hazard[TIERS];
    struct leverage law;
};
int cohort_weights_init(struct cohort_weights *self, const struct cohort_table *table,
                        struct error *err);
void cohort_weights_free(struct cohort_weights *self);
/* ERROR_SCENARIO where leverage_init says so, or hedged leverages are no range. */
int cohort_weights_make(struct cohort_weights *self, const struct setup *setup,
                        const struct cohort_params *params, struct error *err);

#endif
