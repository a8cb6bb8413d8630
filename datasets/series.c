#include "datasets/series.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/yaml.h"
#include "datasets/csv.h"
#include "datasets/descriptor.h"
#include "datasets/series_check.h"
#include "datasets/series_rows.h"

#define BUILTIN_FOLDER "datasets/builtin"

struct paths {
    char **items;
    size_t count, capacity;
};

struct loader {
    const struct source_spec *spec;
    struct source_spec shipped; /* of a builtin: the spec with its meta.yaml filled in */
    int64_t from_ms, to_ms;
    struct series *out;
    struct descriptor descriptor;
    struct descriptor_layout layout;
    struct series_check check;
    struct series_rows rows;
    struct paths paths;
    uint32_t file;
    size_t headerless_width; /* columns of the first file without a header; 0: none yet */
    int64_t rows_of_file;
    int64_t seen_first_ms, seen_last_ms; /* of all rows, inside the window or not */
    bool seen;
};

/* --- which files --- */

/* An error about what the user said, where it was said. */
static int said_error(const struct source_spec *spec, int code, struct error *err,
                      const char *message, const char *subject)
{
    return error_at(err, code, spec->said_file, spec->said_line, spec->said_column, spec->said_key,
                    "%s: %s", subject, message);
}

static bool is_regular(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Only of a regular file: a folder may hold folders, and a glob may match them. */
static int add_path(struct paths *self, const char *folder, const char *name, struct error *err)
{
    char path[PATHS_SIZE];
    size_t end = strlen(folder);
    bool slash = end > 0 && folder[end - 1] != '/';
    int length = snprintf(path, sizeof path, "%s%s%s", folder, slash ? "/" : "", name);
    if (length < 0 || length >= PATHS_SIZE)
        return error_at(err, ERROR_IO, name, 0, 0, NULL, "the path is too long");
    if (!is_regular(path))
        return ERROR_NONE;
    if (self->count == self->capacity) {
        char **items = memory_grow(self->items, &self->capacity, self->count + 1, sizeof *items);
        if (!items)
            return error_memory(err, "listing files");
        self->items = items;
    }
    if (!(self->items[self->count] = memory_text(path)))
        return error_memory(err, "listing files");
    self->count++;
    return ERROR_NONE;
}

static void paths_free(struct paths *self)
{
    for (size_t i = 0; i < self->count; i++)
        memory_free(self->items[i]);
    memory_free(self->items);
    *self = (struct paths){0};
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* What lies beside the data and is none: hidden files, checksums, what the shipped series say. */
static bool is_companion(const char *name)
{
    size_t length = strlen(name);
    return name[0] == '.' || strcmp(name, "meta.yaml") == 0 ||
           (length > 9 && strcmp(name + length - 9, ".CHECKSUM") == 0);
}

static int list_folder(struct loader *self, const char *path, struct error *err)
{
    int code = ERROR_NONE;
    DIR *folder = opendir(path);
    if (!folder)
        return error_errno(err, path, errno, "cannot read the folder");
    for (struct dirent *entry; code == ERROR_NONE && (entry = readdir(folder)) != NULL;) {
        if (!is_companion(entry->d_name))
            code = add_path(&self->paths, path, entry->d_name, err);
    }
    closedir(folder);
    if (code == ERROR_NONE && self->paths.count == 0)
        code = said_error(self->spec, ERROR_IO, err, "the folder holds no files", path);
    return code;
}

static int list_glob(struct loader *self, const char *pattern, struct error *err)
{
    glob_t found;
    int code = ERROR_NONE;
    int status = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (status == GLOB_NOSPACE)
        return error_memory(err, "listing files");
    for (size_t i = 0; status == 0 && code == ERROR_NONE && i < found.gl_pathc; i++) {
        const char *slash = strrchr(found.gl_pathv[i], '/');
        if (!is_companion(slash ? slash + 1 : found.gl_pathv[i]))
            code = add_path(&self->paths, "", found.gl_pathv[i], err);
    }
    globfree(&found);
    if (code == ERROR_NONE && self->paths.count == 0)
        code = said_error(self->spec, ERROR_IO, err,
                          strpbrk(pattern, "*?[") ? "no file matches" : "no such file", pattern);
    return code;
}

static int list_files(struct loader *self, struct error *err)
{
    struct stat status;
    const char *path = self->spec->path;
    int code;
    if (stat(path, &status) != 0)
        code = list_glob(self, path, err);
    else if (S_ISDIR(status.st_mode))
        code = list_folder(self, path, err);
    else if (S_ISREG(status.st_mode))
        code = add_path(&self->paths, "", path, err);
    else
        code = said_error(self->spec, ERROR_IO, err, "not a file, glob or folder", path);
    if (self->paths.count > 1)
        qsort(self->paths.items, self->paths.count, sizeof *self->paths.items, compare_paths);
    return code;
}

/* --- shipped series --- */

static int unknown_builtin(const struct source_spec *spec, struct error *err)
{
    char folder[PATHS_SIZE];
    struct text_buffer names = {0};
    struct dirent **entries = NULL;
    int count = -1;
    if (paths_shipped(BUILTIN_FOLDER, folder, err) == ERROR_NONE)
        count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            text_append(&names, names.length > 0 ? ", " : "");
            text_append(&names, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    int code = error_at(err, ERROR_IO, spec->said_file, spec->said_line, spec->said_column,
                        spec->said_key, "no shipped series is called %s; there is: %s",
                        spec->builtin, names.data ? names.data : "none");
    text_buffer_free(&names);
    return code;
}

static int meta_unit(const char *path, const struct yaml_node *node, struct source_spec *spec,
                     struct error *err)
{
    if (strcmp(node->text, "usd") == 0)
        spec->unit = SOURCE_UNIT_USD;
    else if (strcmp(node->text, "coins") == 0)
        spec->unit = SOURCE_UNIT_COINS;
    else
        return error_at(err, ERROR_DATA, path, node->line, node->column, "unit",
                        "expected usd or coins");
    return ERROR_NONE;
}

static const struct yaml_node *scalar(const struct yaml_node *root, const char *key)
{
    const struct yaml_node *node = root->kind == YAML_MAPPING ? yaml_get(root, key) : NULL;
    return node && node->kind == YAML_SCALAR ? node : NULL;
}

static int apply_meta(struct loader *self, const char *path, const struct yaml_node *root,
                      struct error *err)
{
    const struct yaml_node *kind = scalar(root, "kind"), *scope = scalar(root, "scope");
    bool liquidations = self->spec->role == MARKET_LIQUIDATIONS;
    const struct yaml_node *unit = scalar(root, liquidations ? "liquidations_unit" : "oi_unit");
    self->out->reconstructed = kind && strcmp(kind->text, "reconstruction") == 0;
    if (scope && !self->spec->scope && !(self->out->scope = memory_text(scope->text)))
        return error_memory(err, "reading a shipped series");
    if (!unit || !self->spec->builtin || !(liquidations || self->spec->role == MARKET_OI))
        return ERROR_NONE;
    enum source_unit said = self->spec->unit;
    int code = meta_unit(path, unit, &self->shipped, err);
    if (code == ERROR_NONE && said != SOURCE_UNIT_NATIVE && said != self->shipped.unit)
        return error_at(err, ERROR_SCENARIO, self->spec->said_file, self->spec->said_line,
                        self->spec->said_column, self->spec->said_key,
                        "says another unit than the shipped series has; expected unit: %s, or none",
                        unit->text);
    return code;
}

/* A reconstruction stays one however it is named: the file beside it says so. */
static int read_meta(struct loader *self, const char *data_path, struct error *err)
{
    char path[PATHS_SIZE];
    struct yaml_file meta;
    if (paths_relative_to(data_path, "meta.yaml", path, err) != ERROR_NONE)
        return err ? err->code : ERROR_IO;
    if (!is_regular(path))
        return ERROR_NONE;
    int code = yaml_load_file(&meta, path, ERROR_DATA, err);
    if (code != ERROR_NONE)
        return code;
    code = apply_meta(self, path, &meta.root, err);
    yaml_file_free(&meta);
    return code;
}

static int shipped_path(const struct source_spec *spec, enum market_input role,
                        char out_path[PATHS_SIZE], struct error *err)
{
    char relative[PATHS_SIZE];
    snprintf(relative, sizeof relative, BUILTIN_FOLDER "/%s/%s.csv.zst", spec->builtin,
             market_input_name(role));
    return paths_shipped(relative, out_path, err);
}

static int find_builtin(struct loader *self, struct error *err)
{
    const struct source_spec *spec = self->spec;
    char relative[PATHS_SIZE], path[PATHS_SIZE];
    snprintf(relative, sizeof relative, BUILTIN_FOLDER "/%s", spec->builtin);
    int code = paths_shipped(relative, path, err);
    if (code != ERROR_NONE)
        return code;
    if (strchr(spec->builtin, '/') || spec->builtin[0] == '.' || !paths_exists(path))
        return unknown_builtin(spec, err);
    code = shipped_path(spec, spec->role, path, err);
    if (code == ERROR_NONE && spec->role == MARKET_VOLUME && !paths_exists(path))
        code = shipped_path(spec, MARKET_PRICE, path, err); /* its volume column */
    if (code == ERROR_NONE && !paths_exists(path))
        return said_error(spec, ERROR_IO, err, "this shipped series has no such input",
                          market_input_name(spec->role));
    return code == ERROR_NONE ? add_path(&self->paths, "", path, err) : code;
}

/* --- how to read them --- */

static int find_descriptor(struct loader *self, struct error *err)
{
    const struct source_spec *spec = self->spec;
    const char *format = spec->builtin ? "canonical" : spec->format;
    if (!format)
        return descriptor_sniff(&self->descriptor, spec, self->paths.items[0], err);
    if (strcmp(format, "generic") == 0)
        return descriptor_from_spec(&self->descriptor, spec, err);
    int code = descriptor_load(&self->descriptor, format, err);
    if (code != ERROR_NONE && err && err->file[0] == '\0' && spec->said_file) {
        struct error where = *err;
        return error_at(err, where.code, spec->said_file, spec->said_line, spec->said_column,
                        spec->said_key, "%s", where.message);
    }
    return code;
}

static int check_units(struct loader *self, const char *file, struct error *err)
{
    struct series *out = self->out;
    enum source_unit oi = self->layout.oi_unit, liq = self->layout.liq_unit;
    if ((out->oi_unit != SOURCE_UNIT_NATIVE && oi != out->oi_unit) ||
        (out->liq_unit != SOURCE_UNIT_NATIVE && liq != out->liq_unit))
        return error_at(err, ERROR_DATA, file, 1, 0, NULL,
                        "amounts are in another unit than in the files before it");
    out->oi_unit = oi;
    out->liq_unit = liq;
    return ERROR_NONE;
}

/* The first file decides which fields there are; the others must have them too. */
static int check_fields(struct loader *self, const char *file, struct error *err)
{
    bool begun = self->rows.capacity > 0;
    for (int field = 0; field < SERIES_FIELD_COUNT; field++) {
        bool has = self->layout.field[field] >= 0;
        if (begun && has != self->rows.has[field])
            return error_at(err, ERROR_DATA, file, 1, 0,
                            series_field_name((enum series_field)field),
                            "this column is in some files of the series and not in others");
        self->rows.has[field] = has;
    }
    return ERROR_NONE;
}

/* Without a header only the number of columns tells that a file is of another kind. */
static int check_width(struct loader *self, const char *file, size_t count, struct error *err)
{
    if (self->layout.header == CSV_HEADER_YES)
        return ERROR_NONE;
    if (self->headerless_width == 0)
        self->headerless_width = count;
    if (self->headerless_width == count)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, file, 1, 0, NULL,
                    "%zu columns; expected %zu, as in the files of the series before it", count,
                    self->headerless_width);
}

static int on_first(struct csv_reader *reader, const struct csv_text *fields, size_t count,
                    struct error *err)
{
    struct loader *self = reader->context;
    const char *file = self->paths.items[self->file];
    int code =
        descriptor_bind(&self->descriptor, self->spec, file, fields, count, &self->layout, err);
    if (code == ERROR_NONE)
        code = check_units(self, file, err);
    if (code == ERROR_NONE)
        code = check_fields(self, file, err);
    if (code == ERROR_NONE)
        code = check_width(self, file, count, err);
    reader->columns = self->layout.columns;
    reader->column_count = self->layout.column_count;
    reader->header = self->layout.header;
    return code;
}

static bool passes_filters(const struct descriptor_layout *layout, const struct csv_row *csv)
{
    for (size_t i = 0; i < layout->filter_count; i++)
        if (!csv_text_is(csv->text[layout->filter[i]], layout->filter_value[i]))
            return false;
    return true;
}

/* Events say in words which side was liquidated; the other side is 0. */
static int split_sides(const struct loader *self, const struct csv_row *csv, struct series_row *row,
                       struct error *err)
{
    const struct descriptor *descriptor = &self->descriptor;
    struct csv_text side = csv->text[self->layout.side];
    if (csv_text_is(side, descriptor->long_word))
        row->value[SERIES_LIQ_SHORT] = 0;
    else if (csv_text_is(side, descriptor->short_word))
        row->value[SERIES_LIQ_LONG] = 0;
    else
        return csv_row_error(csv, (size_t)self->layout.side, err, "\"%.*s\"; expected %s or %s",
                             side.length < 40 ? (int)side.length : 40, side.data ? side.data : "",
                             descriptor->long_word, descriptor->short_word);
    return ERROR_NONE;
}

static int take_values(const struct loader *self, const struct csv_row *csv, struct series_row *row,
                       struct error *err)
{
    const struct descriptor_layout *layout = &self->layout;
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        if (layout->field[field] >= 0)
            row->value[field] = csv->number[layout->field[field]] * layout->scale[field];
    return layout->side >= 0 ? split_sides(self, csv, row, err) : ERROR_NONE;
}

static void see_time(struct loader *self, int64_t time_ms)
{
    if (!self->seen || time_ms < self->seen_first_ms)
        self->seen_first_ms = time_ms;
    if (!self->seen || time_ms > self->seen_last_ms)
        self->seen_last_ms = time_ms;
    self->seen = true;
}

static int on_row(void *context, const struct csv_row *csv, struct error *err)
{
    struct loader *self = context;
    struct series_row row;
    bool keep;
    if (!passes_filters(&self->layout, csv))
        return ERROR_NONE;
    int code = descriptor_time(&self->layout, csv, &row.time_ms, err);
    if (code != ERROR_NONE)
        return code;
    see_time(self, row.time_ms);
    if ((self->from_ms != CALENDAR_NONE && row.time_ms < self->from_ms) ||
        (self->to_ms != CALENDAR_NONE && row.time_ms >= self->to_ms))
        return ERROR_NONE;
    row.file = self->file;
    row.line = csv->line < (long)UINT32_MAX ? (uint32_t)csv->line : UINT32_MAX;
    if ((code = take_values(self, csv, &row, err)) != ERROR_NONE)
        return code;
    self->rows_of_file++;
    self->out->quality.rows++;
    code = series_check_row(&self->check, &row, &self->layout, csv, &keep, err);
    if (code != ERROR_NONE || !keep)
        return code;
    return series_rows_add(&self->rows, &row, err);
}

/* --- reading --- */

/* A file without rows in the window leaves no trace; without a window all do. */
static int add_input(struct loader *self, const char *path, struct error *err)
{
    struct series *out = self->out;
    bool windowed = self->from_ms != CALENDAR_NONE || self->to_ms != CALENDAR_NONE;
    if (self->rows_of_file == 0 && windowed)
        return ERROR_NONE;
    struct series_input *input = &out->inputs[out->input_count];
    *input = (struct series_input){.rows = self->rows_of_file, .path = memory_text(path)};
    if (!input->path)
        return error_memory(err, "reading a series");
    out->input_count++;
    return sha256_file(path, input->sha256, err);
}

static int read_file(struct loader *self, struct error *err)
{
    const char *path = self->paths.items[self->file];
    struct csv_reader reader = {.first = on_first, .row = on_row, .context = self};
    self->rows_of_file = 0;
    series_check_file(&self->check);
    int code = csv_read(path, &reader, err);
    return code == ERROR_NONE ? add_input(self, path, err) : code;
}

static int read_files(struct loader *self, struct error *err)
{
    int code = ERROR_NONE;
    self->out->inputs = memory_zeroed(self->paths.count, sizeof *self->out->inputs);
    if (!self->out->inputs)
        return error_memory(err, "reading a series");
    for (self->file = 0; code == ERROR_NONE && self->file < self->paths.count; self->file++)
        code = read_file(self, err);
    return code;
}

static int no_rows(const struct loader *self, struct error *err)
{
    const char *path = self->spec->path ? self->spec->path : self->spec->builtin;
    char from[CALENDAR_TEXT_SIZE], to[CALENDAR_TEXT_SIZE], first[CALENDAR_TEXT_SIZE],
        last[CALENDAR_TEXT_SIZE];
    if (!self->seen)
        return error_at(err, ERROR_DATA, path, 0, 0, NULL, "no rows%s; expected some",
                        self->layout.filter_count > 0 ? " that pass the filter" : "");
    return error_at(
        err, ERROR_DATA, path, 0, 0, NULL, "no rows from %s to %s; the data runs from %s to %s",
        self->from_ms == CALENDAR_NONE ? "the start" : calendar_format_iso(self->from_ms, from),
        self->to_ms == CALENDAR_NONE ? "the end" : calendar_format_iso(self->to_ms, to),
        calendar_format_iso(self->seen_first_ms, first),
        calendar_format_iso(self->seen_last_ms, last));
}

static int compare_findings(const void *left, const void *right)
{
    const struct quality_finding *a = left, *b = right;
    if (a->flaw != b->flaw)
        return a->flaw < b->flaw ? -1 : 1;
    if (a->from_ms != b->from_ms)
        return a->from_ms < b->from_ms ? -1 : 1;
    return strcmp(a->what, b->what);
}

/* Hands the finished columns over to the series. */
static void hand_over(struct loader *self)
{
    struct series *out = self->out;
    struct series_rows *rows = &self->rows;
    series_rows_trim(rows);
    out->rows = rows->count;
    out->time_ms = rows->time_ms;
    rows->time_ms = NULL;
    for (int field = 0; field < SERIES_FIELD_COUNT; field++) {
        out->column[field] = rows->column[field];
        rows->column[field] = NULL;
    }
    out->step_ms = self->check.step_ms;
    out->quality.first_ms = out->time_ms[0];
    out->quality.last_ms = out->time_ms[out->rows - 1];
    if (out->quality.finding_count > 1)
        qsort(out->quality.findings, out->quality.finding_count, sizeof *out->quality.findings,
              compare_findings);
}

static int prepare(struct loader *self, struct error *err)
{
    const struct source_spec *spec = self->spec;
    if (spec->scope && !(self->out->scope = memory_text(spec->scope)))
        return error_memory(err, "reading a series");
    if (!spec->builtin && !spec->path)
        return said_error(spec, ERROR_DATA, err, "expected a path or a shipped series", "source");
    int code = spec->builtin ? find_builtin(self, err) : list_files(self, err);
    if (code != ERROR_NONE)
        return code;
    liqcascade_bug_assert(self->paths.items, "a source without files is an error");
    code = read_meta(self, self->paths.items[0], err);
    self->spec = &self->shipped;
    if (code == ERROR_NONE)
        code = find_descriptor(self, err);
    if (code == ERROR_NONE && !(self->out->format = memory_text(self->descriptor.name)))
        code = error_memory(err, "reading a series");
    return code;
}

int series_read(struct series *self, const struct source_spec *spec, int64_t from_ms, int64_t to_ms,
                const struct quality_policies *policies, struct error *err)
{
    struct loader loader = {
        .spec = spec, .shipped = *spec, .from_ms = from_ms, .to_ms = to_ms, .out = self};
    *self = (struct series){0};
    int code = prepare(&loader, err);
    if (code == ERROR_NONE) {
        loader.check = (struct series_check){.policies = policies,
                                             .descriptor = &loader.descriptor,
                                             .report = &self->quality,
                                             .key = spec->said_key,
                                             .files = (const char *const *)loader.paths.items,
                                             .nominal_ms = spec->interval_ms};
        code = read_files(&loader, err);
    }
    if (code == ERROR_NONE && loader.rows.count == 0)
        code = no_rows(&loader, err);
    if (code == ERROR_NONE)
        code = series_check_all(&loader.check, &loader.rows, err);
    if (code == ERROR_NONE)
        hand_over(&loader);
    else
        series_free(self);
    series_rows_free(&loader.rows);
    descriptor_free(&loader.descriptor);
    paths_free(&loader.paths);
    return code;
}

void series_free(struct series *self)
{
    memory_free(self->time_ms);
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        memory_free(self->column[field]);
    for (size_t i = 0; i < self->input_count; i++)
        memory_free(self->inputs[i].path);
    memory_free(self->inputs);
    memory_free(self->scope);
    memory_free(self->format);
    quality_report_free(&self->quality);
    *self = (struct series){0};
}
