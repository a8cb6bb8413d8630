#include "scenarios/value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/text.h"

/* Where a value goes and what to say when it does not fit. */
struct reading {
    const struct schema_row *row;
    const struct tree_node *node;
    const char *key;
    void *place;
    struct error *err;
};

const char *value_shown(const struct tree_node *node, char buffer[VALUE_SHOWN_SIZE])
{
    if (node->kind == YAML_SEQUENCE)
        snprintf(buffer, VALUE_SHOWN_SIZE, "a list");
    else if (node->kind == YAML_MAPPING)
        snprintf(buffer, VALUE_SHOWN_SIZE, "a mapping");
    else if (tree_is_null(node))
        snprintf(buffer, VALUE_SHOWN_SIZE, "null");
    else if (strlen(node->text) > 40)
        snprintf(buffer, VALUE_SHOWN_SIZE, "'%.37s...'", node->text);
    else
        snprintf(buffer, VALUE_SHOWN_SIZE, "'%s'", node->text);
    return buffer;
}

const char *value_hint(const char *word, const char *const *words, size_t count,
                       char buffer[VALUE_HINT_SIZE])
{
    const char *near = text_nearest(word, words, count);
    buffer[0] = '\0';
    if (near != NULL && near[0] != '\0')
        snprintf(buffer, VALUE_HINT_SIZE, "; did you mean %s?", near);
    return buffer;
}

static int refuse_with(const struct reading *self, const char *problem, const char *hint)
{
    char shown[VALUE_SHOWN_SIZE], expected[SCHEMA_EXPECTED_SIZE];
    const struct tree_node *node = self->node;
    return error_at(self->err, ERROR_SCENARIO, node->file, node->line, node->column, self->key,
                    "%s %s; expected %s%s", value_shown(node, shown), problem,
                    schema_expected(self->row, expected), hint);
}

static int refuse(const struct reading *self, const char *problem)
{
    return refuse_with(self, problem, "");
}

static bool out_of_bounds(const struct field *field, double value)
{
    if (field->minimum == 0 && field->maximum == 0)
        return false;
    return !(value >= field->minimum && value <= field->maximum);
}

static int read_double(const struct reading *self, const char *text)
{
    double value;
    if (!text_to_double(text, strlen(text), false, &value))
        return refuse(self, "is not a number");
    if (out_of_bounds(&self->row->field, value))
        return refuse(self, "is out of bounds");
    *(double *)self->place = value;
    return ERROR_NONE;
}

static int read_int64(const struct reading *self, const char *text)
{
    int64_t value;
    if (!text_to_int64(text, strlen(text), &value))
        return refuse(self, "is not a whole number");
    if (out_of_bounds(&self->row->field, (double)value))
        return refuse(self, "is out of bounds");
    *(int64_t *)self->place = value;
    return ERROR_NONE;
}

/* The upper half of the range is beyond int64_t; it is read digit by digit. */
static int read_uint64(const struct reading *self, const char *text)
{
    int64_t small;
    if (text_to_int64(text, strlen(text), &small)) {
        if (small < 0)
            return refuse(self, "is out of bounds");
        *(uint64_t *)self->place = (uint64_t)small;
        return ERROR_NONE;
    }
    char *end = NULL;
    errno = 0;
    uintmax_t value = strspn(text, "0123456789") == strlen(text) ? strtoumax(text, &end, 10) : 0;
    if (end == NULL || end == text || *end != '\0' || errno == ERANGE || value > UINT64_MAX)
        return refuse(self, "is not a whole number below 2^64");
    *(uint64_t *)self->place = value;
    return ERROR_NONE;
}

static int read_bool(const struct reading *self, const char *text)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    bool no = strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
    if (!yes && !no)
        return refuse(self, "is neither yes nor no");
    *(bool *)self->place = yes;
    return ERROR_NONE;
}

static int store_text(const struct reading *self, const char *text)
{
    char **place = self->place;
    char *copy = NULL;
    if (text != NULL) {
        copy = memory_text(text);
        if (copy == NULL)
            return error_memory(self->err, "reading a scenario");
    }
    memory_free(*place);
    *place = copy;
    return ERROR_NONE;
}

static int read_text(const struct reading *self, const char *text)
{
    if (text[0] == '\0')
        return refuse(self, "is empty");
    return store_text(self, text);
}

/* `true` and `false` are other words for yes and no. */
static const char *choice_word(const struct field *field, const char *text)
{
    if (strcmp(field->choices[0], "no") != 0)
        return text;
    if (strcmp(text, "true") == 0)
        return "yes";
    return strcmp(text, "false") == 0 ? "no" : text;
}

static int read_choice(const struct reading *self, const char *text)
{
    const struct field *field = &self->row->field;
    char hint[VALUE_HINT_SIZE];
    const char *word = choice_word(field, text);
    int count = 0;
    for (; field->choices[count] != NULL; count++) {
        if (word[0] != '\0' && strcmp(field->choices[count], word) == 0) {
            *(int *)self->place = count;
            return ERROR_NONE;
        }
    }
    return refuse_with(self, "is not a choice",
                       value_hint(text, field->choices, (size_t)count, hint));
}

static int read_time(const struct reading *self, const char *text)
{
    int64_t value;
    if (!calendar_parse_iso(text, strlen(text), &value))
        return refuse(self, "is not a time");
    *(int64_t *)self->place = value;
    return ERROR_NONE;
}

static int read_duration(const struct reading *self, const char *text)
{
    const struct field *field = &self->row->field;
    int64_t value;
    for (const char *const *word = field->choices; word != NULL && *word != NULL; word++) {
        if (strcmp(*word, text) == 0) {
            *(int64_t *)self->place = CALENDAR_NONE;
            return ERROR_NONE;
        }
    }
    if (!calendar_parse_duration(text, strlen(text), &value))
        return refuse(self, "is not a duration");
    if (out_of_bounds(field, (double)value))
        return refuse(self, "is out of bounds");
    *(int64_t *)self->place = value;
    return ERROR_NONE;
}

static int read_path(const struct reading *self, const char *text)
{
    char joined[PATHS_SIZE];
    struct error cause = {0};
    const struct tree_node *node = self->node;
    if (text[0] == '\0')
        return refuse(self, "is empty");
    if (strcmp(node->file, TREE_SET_NAME) == 0)
        return store_text(self, text);
    if (paths_relative_to(node->file, text, joined, &cause) != ERROR_NONE)
        return error_at(self->err, ERROR_SCENARIO, node->file, node->line, node->column, self->key,
                        "%s", cause.message);
    return store_text(self, joined);
}

static int read_builtin(const struct reading *self, const char *text)
{
    static const char prefix[] = "builtin:";
    size_t length = sizeof prefix - 1;
    if (strncmp(text, prefix, length) != 0 || text[length] == '\0')
        return refuse(self, "does not name a shipped series");
    if (strspn(text + length, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(text + length))
        return refuse(self, "is not the name of a shipped series");
    return store_text(self, text + length);
}

static int read_events(const struct reading *self, const char *text)
{
    if (strcmp(text, "builtin:events") == 0)
        return store_text(self, text);
    if (strncmp(text, "builtin:", 8) == 0)
        return refuse(self, "does not name shipped events");
    return read_path(self, text);
}

static int read_zone(const struct reading *self, const char *text)
{
    int64_t value;
    if (!calendar_parse_zone(text, strlen(text), &value))
        return refuse(self, "is not an offset from UTC");
    *(int64_t *)self->place = value;
    return ERROR_NONE;
}

static int store_null(const struct reading *self)
{
    const struct field *field = &self->row->field;
    switch (field->type) {
    case FIELD_DOUBLE:
        *(double *)self->place = NAN;
        return ERROR_NONE;
    case FIELD_TIME_MS:
    case FIELD_DURATION_MS:
        *(int64_t *)self->place = CALENDAR_NONE;
        return ERROR_NONE;
    case FIELD_CHOICE:
        *(int *)self->place = field->choices[0][0] == '\0' ? 0 : -1;
        return ERROR_NONE;
    case FIELD_TEXT:
        return store_text(self, NULL);
    case FIELD_INT64:
    case FIELD_UINT64:
    case FIELD_BOOL:
        break;
    }
    return refuse(self, "is not a value");
}

/* Numbers and yes/no lose their meaning in quotes; texts, times and words do not. */
static bool wants_plain(enum field_type type)
{
    return type == FIELD_DOUBLE || type == FIELD_INT64 || type == FIELD_UINT64 ||
           type == FIELD_BOOL;
}

static int read_scalar(const struct reading *self, const char *text)
{
    enum field_type type = self->row->field.type;
    if (self->node->quoted && wants_plain(type))
        return refuse(self, "is a text in quotes");
    switch (type) {
    case FIELD_DOUBLE:
        return read_double(self, text);
    case FIELD_INT64:
        return read_int64(self, text);
    case FIELD_UINT64:
        return read_uint64(self, text);
    case FIELD_BOOL:
        return read_bool(self, text);
    case FIELD_TEXT:
        return read_text(self, text);
    case FIELD_CHOICE:
        return read_choice(self, text);
    case FIELD_TIME_MS:
        return read_time(self, text);
    case FIELD_DURATION_MS:
        return read_duration(self, text);
    }
    return refuse(self, "is not a value");
}

int value_read(const struct schema_row *row, const struct tree_node *node, const char *key,
               void *record, struct error *err)
{
    struct reading self = {row, node, key, (char *)record + row->field.offset, err};
    if (node->kind != YAML_SCALAR)
        return refuse(&self, "is not one value");
    if (tree_is_null(node))
        return schema_nullable(row) ? store_null(&self) : refuse(&self, "is not a value here");
    switch (row->kind) {
    case SCHEMA_PATH:
        return read_path(&self, node->text);
    case SCHEMA_BUILTIN:
        return read_builtin(&self, node->text);
    case SCHEMA_EVENTS:
        return read_events(&self, node->text);
    case SCHEMA_ZONE:
        return read_zone(&self, node->text);
    default:
        return read_scalar(&self, node->text);
    }
}
