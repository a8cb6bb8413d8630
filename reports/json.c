#include "reports/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "base/text.h"

void json_begin(struct json *self, FILE *out)
{
    *self = (struct json){.out = out};
    self->first[0] = true;
}

static void indent(const struct json *self)
{
    fputc('\n', self->out);
    for (int i = 0; i < self->depth; i++)
        fputs("  ", self->out);
}

/* Length of the valid UTF-8 sequence at `text`, or 0. Overlong forms, surrogates and code points
   above U+10FFFF are not valid. */
static int utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        int length;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    if (text[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
            continue;
        if (text[1] < forms[i].second_low || text[1] > forms[i].second_high)
            return 0;
        for (int k = 2; k < forms[i].length; k++)
            if ((text[k] & 0xC0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static void write_character(FILE *out, const unsigned char *text, int length)
{
    if (length == 0)
        fputs("\\ufffd", out);
    else if (length > 1)
        fwrite(text, 1, (size_t)length, out);
    else if (text[0] == '"' || text[0] == '\\')
        fprintf(out, "\\%c", text[0]);
    else if (text[0] == '\n')
        fputs("\\n", out);
    else if (text[0] == '\t')
        fputs("\\t", out);
    else if (text[0] < 0x20 || text[0] == 0x7F)
        fprintf(out, "\\u%04x", text[0]);
    else
        fputc(text[0], out);
}

static void write_string(FILE *out, const char *value)
{
    const unsigned char *text = (const unsigned char *)value;
    fputc('"', out);
    while (*text != '\0') {
        int length = utf8_length(text);
        write_character(out, text, length);
        text += length > 0 ? length : 1;
    }
    fputc('"', out);
}

/* Comma, new line and key before any value. */
static void before_value(struct json *self, const char *key)
{
    if (!self->first[self->depth])
        fputc(',', self->out);
    self->first[self->depth] = false;
    if (self->depth > 0)
        indent(self);
    if (key != NULL) {
        write_string(self->out, key);
        fputs(": ", self->out);
    }
}

static void open_group(struct json *self, const char *key, char bracket)
{
    before_value(self, key);
    fputc(bracket, self->out);
    liqcascade_bug_assert(self->depth + 1 < JSON_DEPTH_MAX, "JSON is nested too deep");
    self->first[++self->depth] = true;
}

static void close_group(struct json *self, char bracket)
{
    liqcascade_bug_assert(self->depth > 0, "JSON closes more than it opened");
    bool empty = self->first[self->depth--];
    if (!empty)
        indent(self);
    fputc(bracket, self->out);
    if (self->depth == 0)
        fputc('\n', self->out);
}

void json_object_open(struct json *self, const char *key)
{
    open_group(self, key, '{');
}

void json_object_close(struct json *self)
{
    close_group(self, '}');
}

void json_array_open(struct json *self, const char *key)
{
    open_group(self, key, '[');
}

void json_array_close(struct json *self)
{
    close_group(self, ']');
}

void json_text(struct json *self, const char *key, const char *value)
{
    before_value(self, key);
    if (value == NULL)
        fputs("null", self->out);
    else
        write_string(self->out, value);
}

void json_number(struct json *self, const char *key, double value)
{
    char text[32];
    if (!isfinite(value)) {
        json_null(self, key);
        return;
    }
    before_value(self, key);
    text_from_double(value, text);
    fputs(text, self->out);
}

void json_integer(struct json *self, const char *key, int64_t value)
{
    before_value(self, key);
    fprintf(self->out, "%" PRId64, value);
}

void json_unsigned(struct json *self, const char *key, uint64_t value)
{
    before_value(self, key);
    fprintf(self->out, "%" PRIu64, value);
}

void json_bool(struct json *self, const char *key, bool value)
{
    before_value(self, key);
    fputs(value ? "true" : "false", self->out);
}

void json_null(struct json *self, const char *key)
{
    before_value(self, key);
    fputs("null", self->out);
}

/* Times, durations and choices are texts in JSON as they are in CSV. */
static void formatted(struct json *self, const struct field *field, const void *record)
{
    char text[128];
    size_t length = field_format(field, record, text, sizeof text);
    json_text(self, field->name, length > 0 ? text : NULL);
}

void json_field(struct json *self, const struct field *field, const void *record)
{
    const char *value = (const char *)record + field->offset;
    switch (field->type) {
    case FIELD_DOUBLE:
        json_number(self, field->name, *(const double *)(const void *)value);
        break;
    case FIELD_INT64:
        json_integer(self, field->name, *(const int64_t *)(const void *)value);
        break;
    case FIELD_UINT64:
        json_unsigned(self, field->name, *(const uint64_t *)(const void *)value);
        break;
    case FIELD_BOOL:
        json_bool(self, field->name, *(const bool *)(const void *)value);
        break;
    case FIELD_TEXT:
        json_text(self, field->name, *(char *const *)(const void *)value);
        break;
    case FIELD_CHOICE:
    case FIELD_TIME_MS:
    case FIELD_DURATION_MS:
        formatted(self, field, record);
        break;
    }
}
