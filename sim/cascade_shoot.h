/*
 * What happens to one position whose trigger price is reached: taken over, closed whole or in part,
 * or deleveraged against; and to one account. Internal to sim/cascade*.c.
 */
#ifndef LIQCASCADE_SIM_CASCADE_SHOOT_H
#define LIQCASCADE_SIM_CASCADE_SHOOT_H

#include "sim/cascade.h"

/* Notes an order of `coins` on a side of a market (negative: it goes the other way) and moves the
   price by it. The shot is the caller's to complete; NULL when memory is short. */
struct cascade_shot *cascade_order(struct cascade *self, int side_index, int market, double coins,
                                   struct error *err);
/* The last price at which an observed path crossed a trigger on its way to the node. */
double cascade_crossing_price(const struct prices *prices, double trigger_price,
                              double previous_last);

/* Fires and settles the next position of a side of a market. ERROR_IO when memory is short. */
int cascade_shoot(struct cascade *self, int side_index, int market, const struct cascade_node *node,
                  int64_t now_ms, struct error *err);

/* The accounts' view of a position of which `coins` were alive when it fired. */
struct settle_case cascade_case(const struct cascade *self, const struct ladder_fired *position,
                                double coins);

/* Fires and settles the next account of a side of a market. ERROR_IO when memory is short. */
int cascade_shoot_account(struct cascade *self, int side_index, int market,
                          const struct cascade_node *node, struct error *err);
/* The venues' view of an account. */
struct settle_account cascade_account_case(const struct cascade *self, uint32_t number);

#endif
