#include "reports/table.h"

#include <errno.h>
#include <string.h>

#include "reports/json.h"

/* Spaces at the ends are quoted because CSV readers, ours among them, trim bare ones. */
static bool needs_quotes(const char *text)
{
    size_t length = strlen(text);
    if (length == 0)
        return false;
    return strpbrk(text, ",\"\r\n") != NULL || text[0] == ' ' || text[length - 1] == ' ' ||
           text[0] == '\t' || text[length - 1] == '\t';
}

static void write_cell_text(FILE *out, const char *text)
{
    if (!needs_quotes(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void write_cell(FILE *out, const struct field *field, const char *row)
{
    char text[128];
    if (field->type == FIELD_TEXT) {
        const char *value = *(char *const *)(const void *)(row + field->offset);
        if (value != NULL)
            write_cell_text(out, value);
        return;
    }
    if (field->type == FIELD_BOOL) { /* what data frames take for a truth value */
        fputs(*(const bool *)(row + field->offset) ? "true" : "false", out);
        return;
    }
    field_format(field, row, text, sizeof text);
    write_cell_text(out, text);
}

static const char *row_at(const struct table *self, size_t index)
{
    return (const char *)self->rows + index * self->row_size;
}

/* Whether the stream has failed, with the reason in `err`; `errno` is 0 when it failed earlier. */
static int check_stream(FILE *out, const char *file_name, struct error *err)
{
    if (!ferror(out))
        return ERROR_NONE;
    return error_errno(err, file_name, errno != 0 ? errno : EIO, "cannot write");
}

static int finish(FILE *out, const char *file_name, struct error *err)
{
    if (fflush(out) != 0)
        return error_errno(err, file_name, errno, "cannot write");
    return check_stream(out, file_name, err);
}

int table_write_csv(const struct table *self, FILE *out, const char *file_name, struct error *err)
{
    errno = 0;
    for (size_t i = 0; i < self->field_count; i++)
        fprintf(out, "%s%s", i > 0 ? "," : "", self->fields[i].name);
    fputc('\n', out);
    for (size_t r = 0; r < self->row_count; r++) {
        for (size_t i = 0; i < self->field_count; i++) {
            if (i > 0)
                fputc(',', out);
            write_cell(out, &self->fields[i], row_at(self, r));
        }
        fputc('\n', out);
        int status = check_stream(out, file_name, err);
        if (status != ERROR_NONE)
            return status;
    }
    return finish(out, file_name, err);
}

int table_write_json(const struct table *self, FILE *out, const char *file_name, struct error *err)
{
    struct json json;
    errno = 0;
    json_begin(&json, out);
    json_array_open(&json, NULL);
    for (size_t r = 0; r < self->row_count; r++) {
        json_object_open(&json, NULL);
        for (size_t i = 0; i < self->field_count; i++)
            json_field(&json, &self->fields[i], row_at(self, r));
        json_object_close(&json);
        int status = check_stream(out, file_name, err);
        if (status != ERROR_NONE)
            return status;
    }
    json_array_close(&json);
    return finish(out, file_name, err);
}
