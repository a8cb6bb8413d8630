/*
 * Keys that a sweep sets, and their values as --set takes them: `impact.gamma`, or of one venue
 * `venues[binance].cap_scale`. Any key of the scenario but those that say what a study is, where
 * data come from and what is written.
 */
#ifndef LIQCASCADE_SCENARIOS_SETTING_H
#define LIQCASCADE_SCENARIOS_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "scenarios/schema.h"
#include "scenarios/tree.h"

/* The row of a key that a sweep may set: of schema_scenario, or of schema_venue; else NULL. Whether
   there is such a venue is not looked at. */
const struct schema_row *setting_row(const char *key);

/* Whether a row of schema_scenario may be set by a sweep. */
bool setting_allowed(const struct schema_row *row);

/* Whether the key is one of a venue. */
bool setting_of_venue(const char *key);

/* Whether values are numbers or durations, so that there are ranges and priors of them. */
bool setting_is_numeric(const struct schema_row *row);

/* A number (durations: milliseconds) as a value of a numeric row; whole numbers and milliseconds
   are rounded. Returns `buffer`. */
#define SETTING_NUMBER_SIZE 32
const char *setting_from_number(const struct schema_row *row, double number,
                                char buffer[SETTING_NUMBER_SIZE]);

/* Appends the value of a row, read from `node` into `record`, in the one way of writing it. */
void setting_append(struct text_buffer *out, const struct schema_row *row,
                    const struct tree_node *node, const void *record);

#endif
