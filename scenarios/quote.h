/*
 * Texts as YAML reads them back unchanged: as they stand where they can only be read as themselves,
 * else in double quotes with escapes.
 */
#ifndef LIQCASCADE_SCENARIOS_QUOTE_H
#define LIQCASCADE_SCENARIOS_QUOTE_H

#include <stdbool.h>

#include "base/text.h"

/* A word that YAML and the schema can only read as itself. */
bool quote_is_plain(const char *text);

/* The next piece of `*at` as it stands between double quotes; moves `*at` behind it. An empty text
   at the end. Bytes that are no UTF-8 stand for themselves. Returns `piece`. */
#define QUOTE_PIECE_SIZE 16
const char *quote_next(const char **at, char piece[QUOTE_PIECE_SIZE]);

/* Appends the text in double quotes; or as it stands when it is plain, `null` for NULL. */
void quote_always(struct text_buffer *out, const char *text);
void quote_text(struct text_buffer *out, const char *text);

/* Appends a path in double quotes, made absolute so that it means the same wherever it is read;
   `null` for NULL. */
void quote_path(struct text_buffer *out, const char *path);

#endif
