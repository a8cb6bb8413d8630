#include "base/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void copy_cut(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL ? text : "");
}

/* A path too long for the record keeps its end: that is the part that tells files apart. */
static void copy_path(char *out, size_t size, const char *path)
{
    size_t length = path != NULL ? strlen(path) : 0;

    if (length < size) {
        copy_cut(out, size, path);
        return;
    }
    snprintf(out, size, "...%s", path + length - (size - 4));
}

static void fill_place(struct error *err, int code, const char *file, long line, long column,
                       const char *key)
{
    err->code = code;
    err->line = line;
    err->column = column;
    copy_path(err->file, sizeof(err->file), file);
    copy_cut(err->key, sizeof(err->key), key);
}

int error_set(struct error *err, int code, const char *format, ...)
{
    va_list arguments;

    if (err == NULL)
        return code;
    fill_place(err, code, NULL, 0, 0, NULL);
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    return code;
}

int error_at(struct error *err, int code, const char *file, long line, long column, const char *key,
             const char *format, ...)
{
    va_list arguments;

    if (err == NULL)
        return code;
    fill_place(err, code, file, line, column, key);
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    return code;
}

int error_errno(struct error *err, const char *file, int errno_value, const char *format, ...)
{
    va_list arguments;
    char reason[128];
    size_t used;

    if (err == NULL)
        return ERROR_IO;
    fill_place(err, ERROR_IO, file, 0, 0, NULL);
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof(err->message) - used, ": %s",
             strerror_r(errno_value, reason, sizeof(reason)));
    return ERROR_IO;
}

const char *error_code_name(int code)
{
    switch (code) {
    case ERROR_NONE:
        return "none";
    case ERROR_USAGE:
        return "usage";
    case ERROR_SCENARIO:
        return "scenario";
    case ERROR_DATA:
        return "data";
    case ERROR_IO:
        return "io";
    case ERROR_NUMERICAL:
        return "numerical";
    case ERROR_INTERRUPTED:
        return "interrupted";
    default:
        return "unknown";
    }
}

static void format_place(const struct error *err, char *place, size_t size)
{
    if (err->file[0] == '\0')
        place[0] = '\0';
    else if (err->line <= 0)
        snprintf(place, size, "%s: ", err->file);
    else if (err->column <= 0)
        snprintf(place, size, "%s:%ld: ", err->file, err->line);
    else
        snprintf(place, size, "%s:%ld:%ld: ", err->file, err->line, err->column);
}

int error_format(const struct error *err, char *buffer, size_t size)
{
    char place[sizeof(err->file) + 64];

    format_place(err, place, sizeof(place));
    return snprintf(buffer, size, "%s%s%s%s", place, err->key, err->key[0] != '\0' ? ": " : "",
                    err->message);
}

void error_list_add(struct error_list *list, const struct error *err)
{
    struct error *grown;

    if (list->code == ERROR_NONE)
        list->code = err->code;
    grown = memory_grow(list->items, &list->capacity, list->count + 1, sizeof(*list->items));
    if (grown == NULL)
        return;
    list->items = grown;
    list->items[list->count++] = *err;
}

void error_list_free(struct error_list *list)
{
    memory_free(list->items);
    *list = (struct error_list){0};
}

_Noreturn void error_bug(const char *file, int line, const char *condition, const char *message)
{
    fprintf(stderr, "liqcascade: a bug at %s:%d: %s (%s does not hold)\n", file, line, message,
            condition);
    abort();
}
