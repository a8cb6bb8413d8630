/*
 * A small JSON writer: keeps commas, indentation and escapes right. Numbers are written so that
 * they read back to the same double; NaN and infinities become null.
 */
#ifndef LIQCASCADE_REPORTS_JSON_H
#define LIQCASCADE_REPORTS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/field.h"

#define JSON_DEPTH_MAX 32

struct json {
    FILE *out;
    int depth;
    bool first[JSON_DEPTH_MAX];
};

/* `key` is NULL for items of an array and for the root. Texts are UTF-8; bytes that are not become
   U+FFFD. Write errors stay in the stream: the caller looks at ferror(out) at the end. */
void json_begin(struct json *self, FILE *out);
void json_object_open(struct json *self, const char *key);
void json_object_close(struct json *self);
void json_array_open(struct json *self, const char *key);
void json_array_close(struct json *self);
void json_text(struct json *self, const char *key, const char *value); /* NULL value: null */
void json_number(struct json *self, const char *key, double value);
void json_integer(struct json *self, const char *key, int64_t value);
void json_unsigned(struct json *self, const char *key, uint64_t value);
void json_bool(struct json *self, const char *key, bool value);
void json_null(struct json *self, const char *key);
/* One described value, named by its field. */
void json_field(struct json *self, const struct field *field, const void *record);

#endif
