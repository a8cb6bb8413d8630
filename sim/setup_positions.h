/*
 * Positions from a file (datasets/positions.h) as a book takes them: isolated ones with their
 * leverage, and accounts with the rows of a side merged into one leg. Internal to sim/setup*.c.
 */
#ifndef LIQCASCADE_SIM_SETUP_POSITIONS_H
#define LIQCASCADE_SIM_SETUP_POSITIONS_H

#include "sim/setup.h"

/* Fills `positions`, `given` and `accounts` of a setup that has its venues. Errors of
   positions_read; ERROR_DATA with the row where it does not fit the scenario. */
int setup_positions_read(struct setup *self, struct error *err);

/* The book of them, sizes and wallets times `size_scale`. */
int setup_positions_book(const struct setup *self, double size_scale, struct book *book,
                         struct error *err);

#endif
