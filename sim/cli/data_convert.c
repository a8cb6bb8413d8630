#include "sim/cli/data_convert.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/text.h"
#include "datasets/series.h"
#include "sim/cli/data_source.h"

#define COMPRESSION_LEVEL 12
#define BLOCK_SIZE ((size_t)1 << 18)

static const struct cli_option option_table[] = {
    DATA_SOURCE_OPTIONS,
    DATA_OPTION("output", 'o', "FILE", "to write; compressed when its name ends in .zst", CLI_TEXT,
                output, NULL),
    DATA_OPTION("force", 'f', NULL, "overwrite", CLI_FLAG, force, NULL)};

static const struct cli_command command = {
    .name = "data convert",
    .arguments = "IN -o OUT.csv.zst",
    .summary = "Write a file, glob or folder as one canonical series",
    .notes =
        "Canonical: time_ms and columns by field name, in UTC, ascending, with units in the names\n"
        "of amounts (oi_usd, liq_long_coins). Repeated stamps are left out (events of one stamp\n"
        "are summed), rows are put in order; other flaws stay as they are and are reported.\n"
        "A value that is no number, or negative, is an error. Quote a glob.\n",
    .options = option_table,
    .option_count = sizeof option_table / sizeof *option_table,
    .minimum = 1,
    .maximum = 1};

/* --- the file being written --- */

struct writer {
    const char *path;
    char temporary[PATHS_SIZE];
    FILE *file;
    ZSTD_CCtx *zstd; /* NULL: plain text */
    char *packed;
    struct text_buffer text;
};

static int write_failed(const struct writer *self, struct error *err)
{
    return error_errno(err, self->path, errno, "cannot write");
}

static int writer_open(struct writer *self, const char *path, bool force, struct error *err)
{
    size_t length = strlen(path);
    *self = (struct writer){.path = path};
    if (!force && paths_exists(path))
        return error_at(err, ERROR_IO, path, 0, 0, NULL, "exists; --force overwrites it");
    int written =
        snprintf(self->temporary, sizeof self->temporary, "%s.partial-%ld", path, (long)getpid());
    if (written < 0 || written >= (int)sizeof self->temporary)
        return error_at(err, ERROR_IO, path, 0, 0, NULL, "the path is too long");
    self->file = fopen(self->temporary, "wbx");
    if (!self->file) {
        self->temporary[0] = '\0';
        return write_failed(self, err);
    }
    if (length < 4 || strcmp(path + length - 4, ".zst") != 0)
        return ERROR_NONE;
    self->zstd = ZSTD_createCCtx();
    self->packed = memory_alloc(BLOCK_SIZE, 1);
    if (!self->zstd || !self->packed)
        return error_memory(err, "writing a series");
    ZSTD_CCtx_setParameter(self->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
    ZSTD_CCtx_setParameter(self->zstd, ZSTD_c_checksumFlag, 1);
    return ERROR_NONE;
}

static int write_packed(struct writer *self, bool last, struct error *err)
{
    ZSTD_inBuffer in = {self->text.data, self->text.length, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {self->packed, BLOCK_SIZE, 0};
        left = ZSTD_compressStream2(self->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return error_at(err, ERROR_IO, self->path, 0, 0, NULL, "cannot compress: %s",
                            ZSTD_getErrorName(left));
        if (fwrite(self->packed, 1, out.pos, self->file) != out.pos)
            return write_failed(self, err);
    } while (last ? left != 0 : in.pos < in.size);
    return ERROR_NONE;
}

/* Passes on the text so far. */
static int writer_flush(struct writer *self, bool last, struct error *err)
{
    int code = ERROR_NONE;
    if (self->text.failed)
        return error_memory(err, "writing a series");
    if (self->zstd)
        code = write_packed(self, last, err);
    else if (fwrite(self->text.data, 1, self->text.length, self->file) != self->text.length)
        code = write_failed(self, err);
    self->text.length = 0;
    return code;
}

static int writer_commit(struct writer *self, struct error *err)
{
    int code = writer_flush(self, true, err);
    if (code != ERROR_NONE)
        return code;
    bool done = fflush(self->file) == 0 && fsync(fileno(self->file)) == 0;
    done = fclose(self->file) == 0 && done;
    self->file = NULL;
    if (!done || rename(self->temporary, self->path) != 0)
        return write_failed(self, err);
    self->temporary[0] = '\0';
    return ERROR_NONE;
}

/* Removes what was not committed. */
static void writer_close(struct writer *self)
{
    if (self->file)
        fclose(self->file);
    if (self->temporary[0] != '\0')
        unlink(self->temporary);
    ZSTD_freeCCtx(self->zstd);
    memory_free(self->packed);
    text_buffer_free(&self->text);
}

/* --- canonical CSV --- */

static bool is_amount(int field)
{
    return (field >= SERIES_OI_OPEN && field <= SERIES_OI) || field == SERIES_LIQ_LONG ||
           field == SERIES_LIQ_SHORT;
}

static void append_header(struct text_buffer *text, const struct series *series)
{
    text_append(text, "time_ms");
    for (int field = 0; field < SERIES_FIELD_COUNT; field++) {
        if (!series->column[field])
            continue;
        bool liquidated = field == SERIES_LIQ_LONG || field == SERIES_LIQ_SHORT;
        enum source_unit unit = liquidated ? series->liq_unit : series->oi_unit;
        text_appendf(text, ",%s%s", series_field_name((enum series_field)field),
                     !is_amount(field)         ? ""
                     : unit == SOURCE_UNIT_USD ? "_usd"
                                               : "_coins");
    }
    text_append(text, "\n");
}

/* Rows of events with one stamp are one row, summed: [i, end). */
static size_t end_of_stamp(const struct series *series, size_t i)
{
    size_t end = i + 1;
    while (!series->column[SERIES_BAND] && end < series->rows &&
           series->time_ms[end] == series->time_ms[i])
        end++;
    return end;
}

static void append_row(struct text_buffer *text, const struct series *series, size_t i, size_t end)
{
    char number[32];
    text_appendf(text, "%" PRId64, series->time_ms[i]);
    for (int field = 0; field < SERIES_FIELD_COUNT; field++) {
        const double *column = series->column[field];
        if (!column)
            continue;
        double sum = column[i];
        for (size_t k = i + 1; k < end; k++)
            sum += column[k];
        text_append(text, ",");
        text_append_bytes(text, number, text_from_double(sum, number));
    }
    text_append(text, "\n");
}

static int write_series(struct writer *writer, const struct series *series, struct error *err)
{
    int code = ERROR_NONE;
    append_header(&writer->text, series);
    for (size_t i = 0, end; code == ERROR_NONE && i < series->rows; i = end) {
        end = end_of_stamp(series, i);
        append_row(&writer->text, series, i, end);
        if (writer->text.length < BLOCK_SIZE)
            continue;
        code = writer_flush(writer, false, err);
        if (code == ERROR_NONE)
            code = interrupt_check(err);
    }
    return code;
}

/* --- the command --- */

static void tell_flaws(const struct series *series, const struct cli_common *common)
{
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++)
        if (series->quality.count[flaw] > 0 && flaw != QUALITY_JUMP)
            cli_note(common, "%s: %" PRId64 "%s", quality_flaw_name((enum quality_flaw)flaw),
                     series->quality.count[flaw],
                     flaw == QUALITY_REPEAT     ? ", left out"
                     : flaw == QUALITY_DISORDER ? ", put in order"
                                                : ", kept as they are");
    if (series->reconstructed)
        cli_warn(common, "this is a reconstruction; keep its meta.yaml beside the new file");
}

static int convert(const struct data_options *options, const char *path,
                   const struct cli_common *common, struct error *err)
{
    struct quality_policies policies = {.stale_ms = 0};
    struct source_spec spec;
    struct series series = {0};
    struct writer writer = {0};
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++)
        policies.on[flaw] = flaw == QUALITY_REPEAT ? QUALITY_DROP : QUALITY_ACCEPT;
    int code = data_source_make(&spec, options, path, err);
    if (code != ERROR_NONE)
        return code;
    code = series_read(&series, &spec, options->from_ms, options->to_ms, &policies, err);
    if (code == ERROR_NONE)
        code = writer_open(&writer, options->output, options->force, err);
    if (code == ERROR_NONE)
        code = write_series(&writer, &series, err);
    if (code == ERROR_NONE)
        code = writer_commit(&writer, err);
    if (code == ERROR_NONE) {
        tell_flaws(&series, common);
        cli_note(common, "%s: %zu rows", options->output, series.rows);
    }
    writer_close(&writer);
    series_free(&series);
    source_spec_free(&spec);
    return code;
}

int cli_data_convert(int argc, char **argv, struct error *err)
{
    struct data_options options = data_options_default();
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    int code = cli_parse(&command, argc, argv, &options, &common, &arguments, err);
    if (code == ERROR_NONE && !arguments.help_shown) {
        if (options.output)
            code = convert(&options, arguments.items[0], &common, err);
        else
            code = error_set(err, ERROR_USAGE, "expected -o FILE, where to write");
    }
    data_options_free(&options);
    cli_arguments_free(&arguments);
    return code;
}
