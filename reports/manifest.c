#include "reports/manifest.h"

#include <archive.h>
#include <csv.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <nettle/version.h>
#include <string.h>
#include <yaml.h>
#include <zstd.h>

#include "base/version.h"
#include "reports/json.h"

/* --- what the process runs with --- */

static void add_library(struct manifest_library *out, size_t *count, const char *name,
                        const char *version)
{
    liqcascade_bug_assert(*count < MANIFEST_LIBRARIES_MAX, "more libraries than the list holds");
    out[*count].name = name;
    snprintf(out[*count].version, sizeof out[*count].version, "%s", version);
    (*count)++;
}

/* libarchive gives its name before the version: "libarchive 3.6.2". */
static const char *after_space(const char *text)
{
    const char *space = strchr(text, ' ');
    return space != NULL ? space + 1 : text;
}

size_t manifest_libraries(struct manifest_library out[MANIFEST_LIBRARIES_MAX])
{
    size_t count = 0;
    char text[24];
    add_library(out, &count, "glibc", gnu_get_libc_version());
    add_library(out, &count, "gsl", gsl_version);
    add_library(out, &count, "libarchive", after_space(archive_version_string()));
    snprintf(text, sizeof text, "%d.%d.%d", CSV_MAJOR, CSV_MINOR, CSV_RELEASE);
    add_library(out, &count, "libcsv", text);
    add_library(out, &count, "libyaml", yaml_get_version_string());
    snprintf(text, sizeof text, "%d.%d", nettle_version_major(), nettle_version_minor());
    add_library(out, &count, "nettle", text);
#ifdef _OPENMP
    snprintf(text, sizeof text, "%d", _OPENMP);
    add_library(out, &count, "openmp", text);
#endif
    add_library(out, &count, "zstd", ZSTD_versionString());
    return count;
}

bool manifest_cpu_fma(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("fma") != 0;
#else
    return true; /* part of the base instruction set of the other CPUs that GNU/Linux runs on */
#endif
}

/* --- sections --- */

static void write_program(struct json *json)
{
    struct manifest_library libraries[MANIFEST_LIBRARIES_MAX];
    size_t count = manifest_libraries(libraries);
    json_text(json, "program", "liqcascade");
    json_text(json, "version", LIQCASCADE_VERSION);
    json_text(json, "revision", LIQCASCADE_REVISION);
    json_text(json, "compiler", LIQCASCADE_COMPILER);
    json_text(json, "build_type", LIQCASCADE_BUILD_TYPE);
    json_object_open(json, "libraries");
    for (size_t i = 0; i < count; i++)
        json_text(json, libraries[i].name, libraries[i].version);
    json_object_close(json);
    json_object_open(json, "cpu");
    json_bool(json, "fma", manifest_cpu_fma());
    json_object_close(json);
}

static void write_texts(struct json *json, const char *key, const char *const *texts, size_t count)
{
    json_array_open(json, key);
    for (size_t i = 0; i < count; i++)
        json_text(json, NULL, texts[i]);
    json_array_close(json);
}

static void write_run(struct json *json, const struct manifest *self)
{
    json_text(json, "command", self->command);
    write_texts(json, "arguments", (const char *const *)self->argv, (size_t)self->argc);
    json_text(json, "title", self->title);
    json_text(json, "symbol", self->symbol);
    json_unsigned(json, "seed", self->seed);
    json_integer(json, "replicates", self->replicates);
    json_bool(json, "reconstructed", self->reconstructed);
}

static void write_inputs(struct json *json, const struct manifest *self)
{
    json_array_open(json, "inputs");
    for (size_t i = 0; i < self->input_count; i++) {
        const struct manifest_input *input = &self->inputs[i];
        json_object_open(json, NULL);
        json_text(json, "role", input->role);
        json_text(json, "path", input->path);
        json_text(json, "sha256", input->sha256);
        if (input->rows >= 0)
            json_integer(json, "rows", input->rows);
        json_bool(json, "reconstructed", input->reconstructed);
        json_object_close(json);
    }
    json_array_close(json);
}

static void write_policies(struct json *json, const struct manifest *self)
{
    json_array_open(json, "data_policies");
    for (size_t i = 0; i < self->policy_count; i++) {
        const struct manifest_policy *policy = &self->policies[i];
        json_object_open(json, NULL);
        json_text(json, "role", policy->role);
        json_text(json, "flaw", policy->flaw);
        json_text(json, "action", policy->action);
        json_integer(json, "found", policy->found);
        json_integer(json, "applied", policy->applied);
        json_object_close(json);
    }
    json_array_close(json);
}

int manifest_write(const struct manifest *self, struct results *results, struct error *err)
{
    struct json json;
    FILE *file = results_open(results, "manifest.json", err);
    if (file == NULL)
        return ERROR_IO;
    json_begin(&json, file);
    json_object_open(&json, NULL);
    json_integer(&json, "manifest_version", MANIFEST_VERSION);
    write_program(&json);
    write_run(&json, self);
    write_inputs(&json, self);
    write_policies(&json, self);
    write_texts(&json, "warnings", self->warnings, self->warning_count);
    json_object_close(&json);
    return results_close(results, file, "manifest.json", err);
}
