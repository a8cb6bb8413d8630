/*
 * The ledger's part of a replay's step: what opens and closes by choice. Internal to sim/replay*.c.
 */
#ifndef LIQCASCADE_SIM_REPLAY_TRADE_H
#define LIQCASCADE_SIM_REPLAY_TRADE_H

#include "sim/replay.h"

/* Coins of a side. */
double replay_oi(const struct replay *self);

/* A book from a file stands open before the first bar, at price 1 because it is absolute. */
void replay_open_given(struct replay *self);

/* Opens and closes of the step whose forced flow and close are in `out`, which is filled in; what
   opens is exposed. ERROR_IO when memory is short. */
int replay_trade(struct replay *self, double oi_before, struct replay_step *out, struct error *err);

#endif
