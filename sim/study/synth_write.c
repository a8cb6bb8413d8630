/* The files of a reconstruction: canonical CSV, zstd, meta.yaml, and the directory they lie in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/paths.h"
#include "reports/results.h"
#include "sim/study/synth.h"

#define META_FILE "meta.yaml"
#define COMPRESSION_LEVEL 19
#define PAYMENT_INTERVAL_MS (8 * CALENDAR_HOUR_MS)

const char *synth_file_name(enum synth_file file)
{
    static const char *const names[SYNTH_FILE_COUNT] = {"price.csv.zst", "mark.csv.zst",
                                                        "oi.csv.zst", "funding.csv.zst"};
    return names[file];
}

/* --- CSV --- */

#define ROW_SIZE 192 /* six numbers of at most 21 characters */

static char *put_digits(char *at, uint64_t value, int least)
{
    char digits[24];
    int count = 0;
    for (; value > 0 || count < least; value /= 10)
        digits[count++] = (char)('0' + value % 10);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* `value` units of 10^-decimals; no floating point, so text and value agree on every machine. */
static char *put_fixed(char *at, int64_t value, int decimals)
{
    uint64_t size = value < 0 ? (uint64_t)-value : (uint64_t)value, unit = 1;
    if (value < 0)
        *at++ = '-';
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    at = put_digits(at, size / unit, 1);
    if (decimals == 0)
        return at;
    *at++ = '.';
    return put_digits(at, size % unit, decimals);
}

static char *put_next(char *at, int64_t value, int decimals)
{
    *at++ = ',';
    return put_fixed(at, value, decimals);
}

static void end_row(struct text_buffer *out, char *row, char *at)
{
    *at++ = '\n';
    text_append_bytes(out, row, (size_t)(at - row));
}

static char *put_bar(char *at, const struct synth_bars *bars, size_t bar, int decimals)
{
    at = put_next(at, bars->open[bar], decimals);
    at = put_next(at, bars->high[bar], decimals);
    at = put_next(at, bars->low[bar], decimals);
    return put_next(at, bars->close[bar], decimals);
}

static int64_t time_of(const struct synth *self, size_t bar)
{
    return self->start_ms + (int64_t)bar * CALENDAR_MINUTE_MS;
}

static void price_rows(const struct synth *self, const struct anchors *anchors, bool is_mark,
                       struct text_buffer *out)
{
    char row[ROW_SIZE];
    text_append(out,
                is_mark ? "time_ms,open,high,low,close\n" : "time_ms,open,high,low,close,volume\n");
    for (size_t bar = self->first; bar < self->end; bar++) {
        char *at = put_fixed(row, time_of(self, bar), 0);
        at = put_bar(at, is_mark ? &self->mark : &self->last, bar, anchors->decimals);
        if (!is_mark)
            at = put_next(at, self->volume_coins[bar], 0);
        end_row(out, row, at);
    }
}

static void oi_rows(const struct synth *self, const struct anchors *anchors,
                    struct text_buffer *out)
{
    char row[ROW_SIZE];
    text_append(out, "time_ms,oi\n");
    for (size_t bar = self->first; bar < self->end; bar++) {
        char *at = put_fixed(row, time_of(self, bar), 0);
        end_row(out, row, put_next(at, self->oi_steps[bar], anchors->oi_decimals));
    }
}

static void funding_rows(const struct synth *self, const struct anchors *anchors,
                         struct text_buffer *out)
{
    char row[ROW_SIZE];
    int64_t start = time_of(self, self->first), end = time_of(self, self->end);
    int64_t due = (start + PAYMENT_INTERVAL_MS - 1) / PAYMENT_INTERVAL_MS * PAYMENT_INTERVAL_MS;
    text_append(out, "time_ms,rate\n");
    for (; due < end; due += PAYMENT_INTERVAL_MS) {
        char *at = put_fixed(row, due, 0);
        end_row(out, row, put_next(at, synth_funding(self, anchors, due), 8));
    }
}

int synth_csv(const struct synth *self, const struct anchors *anchors, enum synth_file file,
              struct text_buffer *out, struct error *err)
{
    switch (file) {
    case SYNTH_PRICE:
        price_rows(self, anchors, false, out);
        break;
    case SYNTH_MARK:
        price_rows(self, anchors, true, out);
        break;
    case SYNTH_OI:
        oi_rows(self, anchors, out);
        break;
    case SYNTH_FUNDING:
        funding_rows(self, anchors, out);
        break;
    case SYNTH_FILE_COUNT:
        break;
    }
    return out->failed ? error_memory(err, "writing a reconstruction") : ERROR_NONE;
}

/* --- meta.yaml --- */

/* Name of the table's file without folder and ending. */
static void table_name(const struct anchors *anchors, char *out, size_t size)
{
    const char *slash = strrchr(anchors->path, '/');
    snprintf(out, size, "%s", slash != NULL ? slash + 1 : anchors->path);
    char *dot = strrchr(out, '.');
    if (dot != NULL && dot != out)
        *dot = '\0';
}

/* Names and scopes come from a user's file: quoted, with the quote doubled, any text is YAML. */
static void meta_text(struct text_buffer *out, const char *key, const char *text)
{
    text_appendf(out, "%s: '", key);
    for (const char *at = text; *at != '\0'; at++)
        text_append_bytes(out, *at == '\'' ? "''" : at, *at == '\'' ? 2 : 1);
    text_append(out, "'\n");
}

static void meta(const struct synth *self, const struct anchors *anchors, struct text_buffer *out)
{
    char name[256], time[CALENDAR_TEXT_SIZE];
    table_name(anchors, name, sizeof name);
    text_append(out, "# A reconstruction from published figures, not an observation. Made by\n"
                     "# `liqcascade data synth`; the table of figures names the source of each.\n"
                     "kind: reconstruction\n");
    meta_text(out, "title", name);
    text_append(
        out, "method: Brownian bridge of the log price between published prices, wicks of a\n"
             "  Brownian motion between each minute's open and close; mark price as the smoothed\n"
             "  last price; open interest between published figures in proportion to the range\n"
             "  of each minute; volume is a level only\n");
    text_appendf(out, "seed: %" PRIu64 "\n", self->seed);
    meta_text(out, "anchors", name);
    text_appendf(out, "anchors_sha256: %s\n", anchors->sha256);
    text_appendf(out, "from: %s\n", calendar_format_iso(time_of(self, self->first), time));
    text_appendf(out, "to: %s\n", calendar_format_iso(time_of(self, self->end), time));
    text_append(out, "step: 1m\n");
    meta_text(out, "scope", anchors->oi_scope);
    text_append(out, "oi_unit: coins\n"
                     "volume_unit: coins\n"
                     "funding_unit: fraction\n"
                     "funding_interval: 8h\n");
    text_appendf(out, "compression: zstd %s, level %d\n", ZSTD_versionString(), COMPRESSION_LEVEL);
}

/* --- the directory --- */

static int write_bytes(struct results *results, const char *name, const void *bytes, size_t length,
                       struct error *err)
{
    FILE *file = results_open(results, name, err);
    if (file == NULL)
        return ERROR_IO;
    /* A short write leaves the stream's error flag set, which results_close reports. */
    fwrite(bytes, 1, length, file);
    return results_close(results, file, name, err);
}

static int write_compressed(struct results *results, const char *name,
                            const struct text_buffer *text, struct error *err)
{
    int code = ERROR_NONE;
    size_t bound = ZSTD_compressBound(text->length), length = 0;
    void *packed = memory_alloc(bound, 1);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (packed == NULL || context == NULL) {
        code = error_memory(err, "compressing a reconstruction");
        goto out;
    }
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    length = ZSTD_compress2(context, packed, bound, text->data, text->length);
    if (ZSTD_isError(length)) {
        code = error_at(err, ERROR_IO, name, 0, 0, NULL, "cannot compress: %s",
                        ZSTD_getErrorName(length));
        goto out;
    }
    code = write_bytes(results, name, packed, length, err);
out:
    ZSTD_freeCCtx(context);
    memory_free(packed);
    return code;
}

static int write_files(struct results *results, const struct synth *self,
                       const struct anchors *anchors, struct error *err)
{
    int code = ERROR_NONE;
    struct text_buffer text = {0};
    for (int file = 0; file < SYNTH_FILE_COUNT && code == ERROR_NONE; file++) {
        struct text_buffer rows = {0};
        code = synth_csv(self, anchors, (enum synth_file)file, &rows, err);
        if (code == ERROR_NONE)
            code = write_compressed(results, synth_file_name((enum synth_file)file), &rows, err);
        text_buffer_free(&rows);
    }
    if (code == ERROR_NONE) {
        meta(self, anchors, &text);
        code = text.failed ? error_memory(err, "writing a reconstruction")
                           : write_bytes(results, META_FILE, text.data, text.length, err);
    }
    text_buffer_free(&text);
    return code;
}

static bool is_ours(const char *name)
{
    bool ours = strcmp(name, META_FILE) == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    for (int file = 0; file < SYNTH_FILE_COUNT; file++)
        ours = ours || strcmp(name, synth_file_name((enum synth_file)file)) == 0;
    return ours;
}

/* Whether a directory may be replaced: it holds a reconstruction's files and nothing else. */
static int check_replaceable(const char *directory, struct error *err)
{
    DIR *folder = opendir(directory);
    if (folder == NULL)
        return error_errno(err, directory, errno, "cannot look into the directory to replace");
    char other[128] = "";
    const struct dirent *entry;
    while (other[0] == '\0' && (entry = readdir(folder)) != NULL)
        if (!is_ours(entry->d_name))
            snprintf(other, sizeof other, "%.120s", entry->d_name);
    closedir(folder);
    if (other[0] != '\0')
        return error_at(err, ERROR_IO, directory, 0, 0, NULL,
                        "holds %s, which is no part of a reconstruction: not replaced", other);
    return ERROR_NONE;
}

static void remove_reconstruction(const char *directory)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int file = 0; folder >= 0 && file < SYNTH_FILE_COUNT; file++)
        unlinkat(folder, synth_file_name((enum synth_file)file), 0);
    if (folder >= 0) {
        unlinkat(folder, META_FILE, 0);
        close(folder);
    }
    rmdir(directory);
}

/* The new directory and the old one change names in one step, so that there is always one. */
static int replace(const char *fresh, const char *directory, struct error *err)
{
    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, directory, RENAME_EXCHANGE) != 0) {
        int reason = errno;
        remove_reconstruction(fresh);
        return error_errno(err, directory, reason, "cannot replace the directory");
    }
    remove_reconstruction(fresh);
    return ERROR_NONE;
}

static int write_to(const struct synth *self, const struct anchors *anchors, const char *directory,
                    struct error *err)
{
    struct results results = {0};
    int code = results_begin(&results, directory, err);
    if (code == ERROR_NONE)
        code = write_files(&results, self, anchors, err);
    if (code == ERROR_NONE)
        code = results_commit(&results, err);
    results_abort(&results);
    return code;
}

int synth_write(const struct synth *self, const struct anchors *anchors, const char *directory,
                bool force, struct error *err)
{
    if (!force || !paths_exists(directory))
        return write_to(self, anchors, directory, err);
    char fresh[PATHS_SIZE];
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/')
        length--;
    if (snprintf(fresh, sizeof fresh, "%.*s.fresh-%ld", (int)length, directory, (long)getpid()) >=
        (int)sizeof fresh)
        return error_at(err, ERROR_IO, directory, 0, 0, NULL, "the path is too long");
    int code = check_replaceable(directory, err);
    if (code == ERROR_NONE)
        code = write_to(self, anchors, fresh, err);
    return code == ERROR_NONE ? replace(fresh, directory, err) : code;
}
