#include "datasets/series_check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "datasets/series_fill.h"

#define JUMP_SIGMAS 20
#define JUMP_MIN_RETURNS 100
#define JUMP_SAMPLE 65536 /* returns that the robust sigma is taken from, evenly spaced */
#define MAX_BANDS 64
#define MAX_CORRECTIONS 10 /* rows in which re-issued files may differ, or 1 % of all */

/* --- what a policy says --- */

static enum quality_action action_of(const struct series_check *self, enum quality_flaw flaw)
{
    if (!self->policies)
        return QUALITY_ACCEPT;
    if (flaw == QUALITY_NAN || flaw == QUALITY_NEGATIVE)
        return QUALITY_ERROR;
    return self->policies->on[flaw];
}

static int refuse(enum quality_flaw flaw, const char *file, long line, long column,
                  const char *name, const char *what, struct error *err)
{
    static const char *const OTHERS[QUALITY_FLAW_COUNT] = {
        [QUALITY_GAP] = "carry, interpolate or accept",
        [QUALITY_REPEAT] = "drop",
        [QUALITY_DISORDER] = "drop or accept",
        [QUALITY_ZERO] = "drop, carry or interpolate",
        [QUALITY_OHLC] = "carry or drop",
        [QUALITY_STALE] = "accept"};
    if (flaw == QUALITY_NAN)
        return error_at(err, ERROR_DATA, file, line, column, name, "%s; expected a finite number",
                        what);
    if (flaw == QUALITY_NEGATIVE)
        return error_at(err, ERROR_DATA, file, line, column, name, "%s; expected 0 or more", what);
    return error_at(err, ERROR_DATA, file, line, column, name,
                    "%s: %s; expected none (the policy on %s is error; it can be %s)",
                    quality_flaw_name(flaw), what, quality_flaw_name(flaw),
                    OTHERS[flaw] ? OTHERS[flaw] : "accept");
}

/* --- findings that grow row by row --- */

static int close_run(struct series_check *self, enum quality_flaw flaw, struct error *err)
{
    struct series_run *run = &self->run[flaw];
    if (!run->open)
        return ERROR_NONE;
    run->open = false;
    return quality_report_add(self->report, &run->finding, err);
}

struct place {
    int64_t row, time_ms;
    uint32_t file, line;
    int field;
};

static int note(struct series_check *self, enum quality_flaw flaw, const struct place *place,
                const char *what, struct error *err)
{
    struct series_run *run = &self->run[flaw];
    const char *file = self->files[place->file];
    if (run->open && run->last_row == place->row - 1 && run->field == place->field &&
        run->finding.file == file) {
        run->last_row = place->row;
        run->finding.count++;
        if (place->time_ms > run->finding.to_ms)
            run->finding.to_ms = place->time_ms;
        if (place->time_ms < run->finding.from_ms)
            run->finding.from_ms = place->time_ms;
        return ERROR_NONE;
    }
    int code = close_run(self, flaw, err);
    *run = (struct series_run){.open = true,
                               .last_row = place->row,
                               .field = place->field,
                               .finding = {.flaw = flaw,
                                           .from_ms = place->time_ms,
                                           .to_ms = place->time_ms,
                                           .count = 1,
                                           .line = (long)place->line,
                                           .file = (char *)(uintptr_t)file}};
    snprintf(run->finding.what, sizeof run->finding.what, "%s", what);
    return code;
}

static int close_runs(struct series_check *self, struct error *err)
{
    int code = ERROR_NONE;
    for (int flaw = 0; code == ERROR_NONE && flaw < QUALITY_FLAW_COUNT; flaw++)
        code = close_run(self, (enum quality_flaw)flaw, err);
    return code;
}

/* --- row by row --- */

/* One row as it is looked at. */
struct look {
    struct series_check *check;
    struct series_row *row;
    const struct descriptor_layout *layout;
    const struct csv_row *csv;
    bool *keep;
    struct error *err;
};

/* Notes the flaw of a cell (slot DESCRIPTOR_NONE: of the row) and refuses it, or says how to go on.
 */
static int found(const struct look *look, enum quality_flaw flaw, int field, int slot,
                 const char *what, enum quality_action *out_action)
{
    struct series_check *self = look->check;
    enum quality_action action = *out_action = action_of(self, flaw);
    if (action == QUALITY_ERROR)
        return refuse(flaw, look->csv->file, look->csv->line,
                      slot >= 0 ? look->csv->position[slot] : 0,
                      slot >= 0 ? look->csv->columns[slot].name : NULL, what, look->err);
    struct place place = {self->row_number, look->row->time_ms, look->row->file, look->row->line,
                          field};
    if (action == QUALITY_DROP)
        *look->keep = false;
    self->report->applied[flaw] += action != QUALITY_ACCEPT;
    return note(self, flaw, &place, what, look->err);
}

void series_check_file(struct series_check *self)
{
    self->has_previous = false;
}

static int check_order(const struct look *look)
{
    struct series_check *self = look->check;
    int64_t time_ms = look->row->time_ms;
    if (!self->has_previous || time_ms >= self->previous_ms) {
        self->previous_ms = time_ms;
        self->has_previous = true;
        return ERROR_NONE;
    }
    char what[96], here[CALENDAR_TEXT_SIZE], before[CALENDAR_TEXT_SIZE];
    enum quality_action action;
    snprintf(what, sizeof what, "%s comes after %s", calendar_format_iso(time_ms, here),
             calendar_format_iso(self->previous_ms, before));
    int code = found(look, QUALITY_DISORDER, -1, look->layout->time, what, &action);
    if (code == ERROR_NONE && action == QUALITY_ACCEPT) {
        if (self->policies)
            self->report->applied[QUALITY_DISORDER]++; /* put where it belongs */
        self->previous_ms = time_ms;
    }
    return code;
}

static bool is_price(int field)
{
    return field <= SERIES_CLOSE;
}

static bool is_oi(int field)
{
    return field >= SERIES_OI_OPEN && field <= SERIES_OI;
}

/* The flaw of a value, or QUALITY_FLAW_COUNT. */
static enum quality_flaw flaw_of(int field, double value, bool empty)
{
    if (empty)
        return QUALITY_ZERO;
    if (!isfinite(value))
        return QUALITY_NAN;
    if (value < 0 && field != SERIES_RATE && field != SERIES_BAND)
        return QUALITY_NEGATIVE;
    if (value == 0 && (is_price(field) || is_oi(field)))
        return QUALITY_ZERO;
    return QUALITY_FLAW_COUNT;
}

static void describe_cell(int field, double value, bool empty, char out[96])
{
    char number[32];
    text_from_double(value, number);
    if (empty)
        snprintf(out, 96, "%s is empty", series_field_name((enum series_field)field));
    else
        snprintf(out, 96, "%s = %s", series_field_name((enum series_field)field),
                 isnan(value) ? "nan" : number);
}

/* Each flaw once a row, at its first cell; a zero that is to be filled becomes NaN. */
static int check_cells(const struct look *look, bool *out_flawed)
{
    bool seen[QUALITY_FLAW_COUNT] = {false};
    *out_flawed = false;
    for (int field = 0; field < SERIES_FIELD_COUNT; field++) {
        int slot = look->layout->field[field];
        if (slot == DESCRIPTOR_NONE)
            continue;
        double *value = &look->row->value[field];
        enum quality_flaw flaw = flaw_of(field, *value, look->csv->empty[slot]);
        if (flaw == QUALITY_FLAW_COUNT)
            continue;
        *out_flawed = true;
        enum quality_action action = action_of(look->check, flaw);
        char what[96];
        describe_cell(field, *value, look->csv->empty[slot], what);
        int code = seen[flaw] ? ERROR_NONE : found(look, flaw, field, slot, what, &action);
        if (code != ERROR_NONE)
            return code;
        seen[flaw] = true;
        if (action == QUALITY_CARRY || action == QUALITY_INTERPOLATE) {
            *value = NAN;
            look->check->has_holes = true;
        }
    }
    return ERROR_NONE;
}

static int check_ohlc(const struct look *look)
{
    double *value = look->row->value;
    double open = value[SERIES_OPEN], close = value[SERIES_CLOSE];
    double top = open > close ? open : close, bottom = open < close ? open : close;
    if (value[SERIES_HIGH] >= top && value[SERIES_LOW] <= bottom)
        return ERROR_NONE;
    char what[96];
    bool high = value[SERIES_HIGH] < top;
    enum quality_action action;
    snprintf(what, sizeof what, "%s %.8g lies within open %.8g and close %.8g",
             high ? "high" : "low", high ? value[SERIES_HIGH] : value[SERIES_LOW], open, close);
    int field = high ? SERIES_HIGH : SERIES_LOW;
    int code = found(look, QUALITY_OHLC, field, look->layout->field[field], what, &action);
    if (code == ERROR_NONE && action == QUALITY_CARRY) {
        value[SERIES_HIGH] = value[SERIES_HIGH] > top ? value[SERIES_HIGH] : top;
        value[SERIES_LOW] = value[SERIES_LOW] < bottom ? value[SERIES_LOW] : bottom;
    }
    return code;
}

static bool has_ohlc(const struct descriptor_layout *layout)
{
    return layout->field[SERIES_OPEN] >= 0 && layout->field[SERIES_HIGH] >= 0 &&
           layout->field[SERIES_LOW] >= 0 && layout->field[SERIES_CLOSE] >= 0;
}

int series_check_row(struct series_check *self, struct series_row *row,
                     const struct descriptor_layout *layout, const struct csv_row *csv,
                     bool *out_keep, struct error *err)
{
    struct look look = {self, row, layout, csv, out_keep, err};
    bool flawed;
    *out_keep = true;
    self->row_number++;
    int code = check_order(&look);
    if (code == ERROR_NONE && *out_keep)
        code = check_cells(&look, &flawed);
    if (code == ERROR_NONE && *out_keep && !flawed && has_ohlc(layout))
        code = check_ohlc(&look);
    return code;
}

/* --- the whole series --- */

static int found_later(struct series_check *self, const struct quality_finding *finding,
                       struct error *err)
{
    if (action_of(self, finding->flaw) != QUALITY_ERROR)
        return quality_report_add(self->report, finding, err);
    char what[192], from[CALENDAR_TEXT_SIZE], to[CALENDAR_TEXT_SIZE];
    snprintf(what, sizeof what, "%s, %s to %s", finding->what,
             calendar_format_iso(finding->from_ms, from), calendar_format_iso(finding->to_ms, to));
    return refuse(finding->flaw, finding->file, finding->line, 0, self->key, what, err);
}

static struct quality_finding finding_at(const struct series_check *self,
                                         const struct series_rows *rows, size_t i,
                                         enum quality_flaw flaw)
{
    return (struct quality_finding){.flaw = flaw,
                                    .from_ms = rows->time_ms[i],
                                    .to_ms = rows->time_ms[i],
                                    .count = 1,
                                    .line = (long)rows->line[i],
                                    .file = (char *)(uintptr_t)self->files[rows->file[i]]};
}

static bool repeats(const struct series_rows *rows, size_t i)
{
    if (rows->time_ms[i] != rows->time_ms[i - 1])
        return false;
    const double *band = rows->column[SERIES_BAND];
    return !band || band[i] == band[i - 1];
}

static bool same_values(const struct series_rows *rows, size_t i)
{
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        if (rows->column[field] && rows->column[field][i] != rows->column[field][i - 1])
            return false;
    return true;
}

/* Two files that say different things about the same times are two series, say BTC and ETH in one
   folder: to drop either as a repeat would be wrong. A few such rows are corrections. */
static int check_one_series(const struct series_check *self, const struct series_rows *rows,
                            struct error *err)
{
    size_t count = 0, last = 0;
    for (size_t i = 1; i < rows->count; i++)
        if (repeats(rows, i) && rows->file[i] != rows->file[i - 1] && !same_values(rows, i)) {
            count++;
            last = i;
        }
    if (count <= MAX_CORRECTIONS || count <= rows->count / 100)
        return ERROR_NONE;
    const char *slash = strrchr(self->files[rows->file[last - 1]], '/');
    return error_at(err, ERROR_DATA, self->files[rows->file[last]], (long)rows->line[last], 0,
                    self->key,
                    "gives other values than %s for the same times (%zu of %zu rows); expected "
                    "the files of one series",
                    slash ? slash + 1 : self->files[rows->file[last - 1]], count, rows->count);
}

static int check_repeat(struct series_check *self, const struct series_rows *rows, size_t i,
                        struct error *err)
{
    char what[96];
    snprintf(what, sizeof what, "the stamp of line %lu again, with %s values",
             (unsigned long)rows->line[i - 1], same_values(rows, i) ? "the same" : "other");
    if (action_of(self, QUALITY_REPEAT) == QUALITY_ERROR)
        return refuse(QUALITY_REPEAT, self->files[rows->file[i]], (long)rows->line[i], 0, self->key,
                      what, err);
    self->report->applied[QUALITY_REPEAT] += self->policies != NULL;
    struct place place = {(int64_t)i, rows->time_ms[i], rows->file[i], rows->line[i], -1};
    return note(self, QUALITY_REPEAT, &place, what, err);
}

/* A series has no repeats, so all but the first go, also where nothing else is repaired. */
static int check_repeats(struct series_check *self, struct series_rows *rows, struct error *err)
{
    size_t first = 1;
    while (first < rows->count && !repeats(rows, first))
        first++;
    if (self->descriptor->shape == DESCRIPTOR_EVENTS || first >= rows->count)
        return ERROR_NONE;
    int code = check_one_series(self, rows, err);
    if (code != ERROR_NONE)
        return code;
    bool *keep = memory_alloc(rows->count, sizeof *keep);
    if (!keep)
        return error_memory(err, "looking for repeats");
    keep[0] = true;
    for (size_t i = 1; code == ERROR_NONE && i < rows->count; i++) {
        keep[i] = !repeats(rows, i);
        if (!keep[i])
            code = check_repeat(self, rows, i, err);
    }
    if (code == ERROR_NONE)
        series_rows_keep(rows, keep);
    memory_free(keep);
    return code == ERROR_NONE ? close_run(self, QUALITY_REPEAT, err) : code;
}

/* --- step --- */

/* Spacing before row i, to the second where it is long: stamps jitter by milliseconds. 0 within
   the rows of one moment. */
static int64_t spacing(const struct series_rows *rows, size_t i)
{
    int64_t apart = rows->time_ms[i] - rows->time_ms[i - 1];
    return apart < 10 * CALENDAR_SECOND_MS
               ? apart
               : (apart + CALENDAR_SECOND_MS / 2) / CALENDAR_SECOND_MS * CALENDAR_SECOND_MS;
}

/* The spacing of more than half the rows, by Boyer and Moore's vote; 0: there is none. */
static int64_t majority_spacing(const struct series_rows *rows)
{
    int64_t candidate = 0;
    size_t votes = 0, count = 0, total = 0;
    for (size_t i = 1; i < rows->count; i++) {
        int64_t apart = spacing(rows, i);
        if (apart == 0)
            continue;
        total++;
        if (votes == 0)
            candidate = apart;
        votes = apart == candidate ? votes + 1 : votes - 1;
    }
    for (size_t i = 1; i < rows->count; i++)
        count += spacing(rows, i) == candidate;
    return 2 * count > total ? candidate : 0;
}

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static int64_t most_common(const int64_t *sorted, size_t count)
{
    int64_t best = 0;
    size_t most = 0;
    for (size_t i = 0, run = 0; i < count; i++) {
        run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
        if (run > most && sorted[i] > 0) {
            most = run;
            best = sorted[i];
        }
    }
    return best;
}

static int find_step(struct series_check *self, const struct series_rows *rows, struct error *err)
{
    self->step_ms = 0;
    if (rows->count < 2 || self->descriptor->shape == DESCRIPTOR_EVENTS)
        return ERROR_NONE;
    self->step_ms = self->nominal_ms > 0 ? self->nominal_ms : majority_spacing(rows);
    if (self->step_ms > 0)
        return ERROR_NONE;
    int64_t *apart = memory_alloc(rows->count - 1, sizeof *apart);
    if (!apart)
        return error_memory(err, "finding the step of a series");
    for (size_t i = 1; i < rows->count; i++)
        apart[i - 1] = spacing(rows, i);
    qsort(apart, rows->count - 1, sizeof *apart, compare_times);
    self->step_ms = most_common(apart, rows->count - 1);
    memory_free(apart);
    return ERROR_NONE;
}

static bool is_gap(const struct series_check *self, const struct series_rows *rows, size_t i)
{
    double apart = (double)(rows->time_ms[i] - rows->time_ms[i - 1]);
    return self->step_ms > 0 && apart > self->descriptor->gap_factor * (double)self->step_ms;
}

/* --- frozen values --- */

static void describe_frozen(const char *label, double value, int64_t span_ms, char out[96])
{
    char number[32];
    double hours = (double)span_ms / (double)CALENDAR_HOUR_MS;
    text_from_double(value, number);
    snprintf(out, 96, "%s = %s for %.*f %s", label, number, 1, hours < 1 ? 60 * hours : hours,
             hours < 1 ? "min" : "h");
}

/* Rows [first, last] of `count` hold one value: is that stale? */
static int check_frozen(struct series_check *self, const struct series_rows *rows, size_t first,
                        size_t last, size_t count, const char *label, double value,
                        struct error *err)
{
    const struct descriptor *descriptor = self->descriptor;
    int64_t said_ms = self->policies ? self->policies->stale_ms : 0;
    int64_t least_ms = said_ms > 0 ? said_ms : descriptor->stale_ms;
    size_t least_rows = said_ms > 0 ? 2 : (size_t)descriptor->stale_rows;
    int64_t span_ms = rows->time_ms[last] - rows->time_ms[first];
    if (descriptor->shape == DESCRIPTOR_BARS)
        span_ms += self->step_ms;
    if (least_ms <= 0 || count < least_rows || span_ms < least_ms)
        return ERROR_NONE;
    struct quality_finding finding = finding_at(self, rows, first, QUALITY_STALE);
    finding.to_ms = rows->time_ms[last];
    finding.count = (int64_t)count;
    describe_frozen(label, value, span_ms, finding.what);
    return found_later(self, &finding, err);
}

static bool is_flat(const struct series_rows *rows, size_t i)
{
    const double *high = rows->column[SERIES_HIGH], *low = rows->column[SERIES_LOW];
    return !high || !low || high[i] == low[i];
}

/* A price is frozen when it neither changes nor ranges; open interest and depth when they do not
   change. */
static int check_frozen_field(struct series_check *self, const struct series_rows *rows,
                              enum series_field field, struct error *err)
{
    const double *value = rows->column[field];
    size_t start = 0;
    int code = ERROR_NONE;
    for (size_t i = 1; code == ERROR_NONE && i <= rows->count; i++) {
        bool frozen = i < rows->count && value[i] == value[i - 1] && !is_gap(self, rows, i) &&
                      (field != SERIES_CLOSE || (is_flat(rows, i) && is_flat(rows, i - 1)));
        if (frozen)
            continue;
        code = check_frozen(self, rows, start, i - 1, i - start, series_field_name(field),
                            value[start], err);
        start = i;
    }
    return code;
}

struct band {
    double band, depth, notional;
    size_t first, last, count;
};

static struct band *find_band(struct band *bands, size_t *count, double band)
{
    for (size_t i = 0; i < *count; i++)
        if (bands[i].band == band)
            return &bands[i];
    if (*count == MAX_BANDS)
        return NULL;
    bands[*count] = (struct band){.band = band, .depth = NAN, .notional = NAN};
    return &bands[(*count)++];
}

static int end_band(struct series_check *self, const struct series_rows *rows,
                    const struct band *band, struct error *err)
{
    char label[48];
    if (band->count == 0)
        return ERROR_NONE;
    snprintf(label, sizeof label, "%s %+g%%: %s", band->band < 0 ? "bid" : "ask", band->band,
             rows->column[SERIES_DEPTH] ? "depth" : "notional");
    return check_frozen(self, rows, band->first, band->last, band->count, label, band->depth, err);
}

static int check_frozen_bands(struct series_check *self, const struct series_rows *rows,
                              struct error *err)
{
    struct band bands[MAX_BANDS];
    size_t count = 0;
    int code = ERROR_NONE;
    const double *depth = rows->column[SERIES_DEPTH], *notional = rows->column[SERIES_NOTIONAL];
    if (!depth)
        depth = notional;
    for (size_t i = 0; code == ERROR_NONE && i < rows->count; i++) {
        struct band *band = find_band(bands, &count, rows->column[SERIES_BAND][i]);
        if (!band)
            return error_at(err, ERROR_DATA, self->files[rows->file[i]], (long)rows->line[i], 0,
                            "band", "more than %d bands", MAX_BANDS);
        double other = notional ? notional[i] : 0;
        if (depth[i] != band->depth || other != band->notional) {
            code = end_band(self, rows, band, err);
            *band =
                (struct band){.band = band->band, .depth = depth[i], .notional = other, .first = i};
        }
        band->last = i;
        band->count++;
    }
    for (size_t i = 0; code == ERROR_NONE && i < count; i++)
        code = end_band(self, rows, &bands[i], err);
    return code;
}

static int check_stale(struct series_check *self, const struct series_rows *rows, struct error *err)
{
    static const enum series_field fields[] = {SERIES_CLOSE, SERIES_OI, SERIES_DEPTH,
                                               SERIES_NOTIONAL};
    bool depth = rows->column[SERIES_DEPTH] || rows->column[SERIES_NOTIONAL];
    int code = ERROR_NONE;
    if (rows->column[SERIES_BAND])
        return depth ? check_frozen_bands(self, rows, err) : code;
    if (self->descriptor->shape == DESCRIPTOR_EVENTS)
        return code;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && code == ERROR_NONE; i++)
        if (rows->column[fields[i]])
            code = check_frozen_field(self, rows, fields[i], err);
    return code;
}

/* --- jumps --- */

/* NaN where there is no return: over a gap, or from or to what is no price. */
static double log_return(const struct series_check *self, const struct series_rows *rows,
                         const double *value, size_t i)
{
    bool usable = value[i - 1] > 0 && value[i] > 0 && !is_gap(self, rows, i);
    return usable ? log(value[i] / value[i - 1]) : (double)NAN;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

/* 1.4826 times the median absolute deviation: a normal's standard deviation. 0: too little data. */
static int robust_sigma(const struct series_check *self, const struct series_rows *rows,
                        const double *value, double *out, struct error *err)
{
    size_t stride = rows->count / JUMP_SAMPLE + 1, count = 0;
    double *returns = memory_alloc(rows->count / stride + 1, sizeof *returns);
    *out = 0;
    if (!returns)
        return error_memory(err, "looking for jumps");
    for (size_t i = 1; i < rows->count; i += stride) {
        double change = log_return(self, rows, value, i);
        if (!isnan(change))
            returns[count++] = change;
    }
    if (count >= JUMP_MIN_RETURNS) {
        double centre = median(returns, count);
        for (size_t i = 0; i < count; i++)
            returns[i] = fabs(returns[i] - centre);
        *out = 1.4826 * median(returns, count);
    }
    memory_free(returns);
    return ERROR_NONE;
}

static int check_jumps(struct series_check *self, const struct series_rows *rows,
                       enum series_field field, struct error *err)
{
    const double *value = rows->column[field];
    double sigma;
    if (!value || rows->column[SERIES_BAND] || self->descriptor->shape == DESCRIPTOR_EVENTS)
        return ERROR_NONE;
    int code = robust_sigma(self, rows, value, &sigma, err);
    for (size_t i = 1; code == ERROR_NONE && sigma > 0 && i < rows->count; i++) {
        /* The logarithm only where the change is large enough to matter. */
        if (fabs(value[i] - value[i - 1]) < 0.5 * JUMP_SIGMAS * sigma * value[i - 1])
            continue;
        double change = log_return(self, rows, value, i);
        if (!(fabs(change) > JUMP_SIGMAS * sigma))
            continue;
        struct quality_finding finding = finding_at(self, rows, i, QUALITY_JUMP);
        snprintf(finding.what, sizeof finding.what, "%s %+.1f%%, %.0f robust sigmas",
                 series_field_name(field), 100 * expm1(change), fabs(change) / sigma);
        code = quality_report_add(self->report, &finding, err);
    }
    return code;
}

/* --- gaps --- */

static int check_gap(struct series_check *self, const struct series_rows *rows, size_t i,
                     int64_t *missing, struct error *err)
{
    int64_t apart = rows->time_ms[i] - rows->time_ms[i - 1], step = self->step_ms;
    struct quality_finding finding = finding_at(self, rows, i, QUALITY_GAP);
    char every[CALENDAR_TEXT_SIZE];
    finding.count = (apart + step / 2) / step - 1;
    if (finding.count < 1)
        finding.count = 1;
    finding.from_ms = rows->time_ms[i - 1] + step;
    finding.to_ms = finding.from_ms + (finding.count - 1) * step;
    *missing += finding.count;
    snprintf(finding.what, sizeof finding.what, "%lld %s of %s missing", (long long)finding.count,
             finding.count == 1 ? "row" : "rows", calendar_format_duration(step, every));
    return found_later(self, &finding, err);
}

static int check_gaps(struct series_check *self, struct series_rows *rows, struct error *err)
{
    int64_t missing = 0;
    int code = ERROR_NONE;
    for (size_t i = 1; code == ERROR_NONE && i < rows->count; i++)
        if (is_gap(self, rows, i))
            code = check_gap(self, rows, i, &missing, err);
    enum quality_action action = action_of(self, QUALITY_GAP);
    if (code != ERROR_NONE || missing == 0 ||
        (action != QUALITY_CARRY && action != QUALITY_INTERPOLATE))
        return code;
    self->report->applied[QUALITY_GAP] = missing;
    struct series_filling filling = {.action = action,
                                     .step_ms = self->step_ms,
                                     .gap_factor = self->descriptor->gap_factor,
                                     .files = self->files};
    return series_fill_gaps(rows, &filling, missing, err);
}

int series_check_all(struct series_check *self, struct series_rows *rows, struct error *err)
{
    int code = close_runs(self, err);
    if (code == ERROR_NONE)
        code = series_rows_sort(rows, err);
    if (code == ERROR_NONE)
        code = check_repeats(self, rows, err);
    if (code == ERROR_NONE)
        code = find_step(self, rows, err);
    if (code == ERROR_NONE)
        code = check_stale(self, rows, err);
    if (code == ERROR_NONE && self->has_holes && self->policies) {
        struct series_filling filling = {.action = self->policies->on[QUALITY_ZERO],
                                         .files = self->files};
        code = series_fill_holes(rows, &filling, err);
    }
    if (code == ERROR_NONE)
        code = check_gaps(self, rows, err);
    if (code == ERROR_NONE)
        code = check_jumps(self, rows, SERIES_CLOSE, err);
    if (code == ERROR_NONE)
        code = check_jumps(self, rows, SERIES_OI, err);
    return code;
}
