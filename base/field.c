#include "base/field.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"

const char *field_type_name(enum field_type type)
{
    switch (type) {
    case FIELD_DOUBLE:
        return "number";
    case FIELD_INT64:
    case FIELD_UINT64:
        return "integer";
    case FIELD_BOOL:
        return "yes or no";
    case FIELD_TEXT:
        return "text";
    case FIELD_CHOICE:
        return "choice";
    case FIELD_TIME_MS:
        return "time";
    case FIELD_DURATION_MS:
        return "duration";
    }
    return "unknown";
}

static size_t copy_text(const char *text, char *buffer, size_t size)
{
    size_t length = text != NULL ? strlen(text) : 0;

    if (size == 0)
        return 0;
    if (length >= size)
        length = size - 1;
    if (length > 0)
        memcpy(buffer, text, length);
    buffer[length] = '\0';
    return length;
}

/* The name of a choice; an index outside the table (-1: none chosen) is a missing value. */
static const char *choice_name(const struct field *field, int index)
{
    if (index < 0 || field->choices == NULL)
        return "";
    for (int i = 0; field->choices[i] != NULL; i++)
        if (i == index)
            return field->choices[i];
    return "";
}

size_t field_format(const struct field *field, const void *record, char *buffer, size_t size)
{
    const void *value = (const char *)record + field->offset;
    char text[64] = "";

    switch (field->type) {
    case FIELD_DOUBLE:
        text_from_double(*(const double *)value, text);
        break;
    case FIELD_INT64:
        snprintf(text, sizeof(text), "%lld", (long long)*(const int64_t *)value);
        break;
    case FIELD_UINT64:
        snprintf(text, sizeof(text), "%llu", (unsigned long long)*(const uint64_t *)value);
        break;
    case FIELD_BOOL:
        return copy_text(*(const bool *)value ? "yes" : "no", buffer, size);
    case FIELD_TEXT:
        return copy_text(*(char *const *)value, buffer, size);
    case FIELD_CHOICE:
        return copy_text(choice_name(field, *(const int *)value), buffer, size);
    case FIELD_TIME_MS:
        calendar_format_iso(*(const int64_t *)value, text);
        break;
    case FIELD_DURATION_MS:
        calendar_format_duration(*(const int64_t *)value, text);
        break;
    }
    return copy_text(text, buffer, size);
}
