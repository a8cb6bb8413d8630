/*
 * What happens to one position whose trigger price is reached: taken over, closed whole or in part,
 * or deleveraged against. Internal to sim/cascade*.c.
 */
#ifndef LIQCASCADE_SIM_CASCADE_SHOOT_H
#define LIQCASCADE_SIM_CASCADE_SHOOT_H

#include "sim/cascade.h"

/* Fires and settles the next position of a side of a market. ERROR_IO when memory is short. */
int cascade_shoot(struct cascade *self, int side_index, int market, const struct cascade_node *node,
                  int64_t now_ms, struct error *err);

/* The accounts' view of a position of which `coins` were alive when it fired. */
struct settle_case cascade_case(const struct cascade *self, const struct ladder_fired *position,
                                double coins);

#endif
