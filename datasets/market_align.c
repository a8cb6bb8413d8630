#include "datasets/market_align.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/calendar.h"

static const int64_t funding_jitter_ms = 1000;
static const double funding_rate_limit = 0.05;
static const double depth_band_percent = 1.0;
static const int64_t depth_gap_steps = 4;
static const size_t no_row = SIZE_MAX;

/* ---- Places and messages ---- */

static int64_t window_end(const struct market_align *how)
{
    return how->start_ms + (int64_t)how->bars * how->step_ms;
}

/* Where to look for a time: the row behind a gap as the quality report has it, the only file, or
   the file at that end of several. */
static const char *place_of(const struct series *series, int64_t time_ms, long *out_line)
{
    *out_line = 0;
    for (size_t i = 0; i < series->quality.finding_count; i++) {
        const struct quality_finding *finding = &series->quality.findings[i];
        if (finding->flaw == QUALITY_GAP && finding->file && finding->from_ms <= time_ms &&
            time_ms <= finding->to_ms) {
            *out_line = finding->line;
            return finding->file;
        }
    }
    if (series->input_count == 0)
        return NULL;
    if (series->input_count == 1 || series->rows == 0 || time_ms <= series->time_ms[0])
        return series->inputs[0].path;
    if (time_ms >= series->time_ms[series->rows - 1])
        return series->inputs[series->input_count - 1].path;
    return NULL;
}

/* The file of an error about the series as a whole. */
static const char *place_of_all(const struct series *series)
{
    return series->input_count > 0 ? series->inputs[0].path : NULL;
}

static int fail_gap(const struct series *series, const struct market_align *how, int64_t missing_ms,
                    int64_t before_ms, int64_t step_ms, struct error *err)
{
    char missing[CALENDAR_TEXT_SIZE], before[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    long line;
    const char *file = place_of(series, missing_ms, &line);
    calendar_format_iso(missing_ms, missing);
    calendar_format_iso(before_ms, before);
    calendar_format_duration(step_ms, step);
    return error_at(err, ERROR_DATA, file, line, 0, how->key,
                    "no row at %s, the last one before it is at %s; expected a row every %s, or a "
                    "gap policy other than error",
                    missing, before, step);
}

static int fail_coverage(const struct series *series, const struct market_align *how,
                         int64_t from_ms, int64_t through_ms, struct error *err)
{
    char from[CALENDAR_TEXT_SIZE], through[CALENDAR_TEXT_SIZE];
    char start[CALENDAR_TEXT_SIZE], end[CALENDAR_TEXT_SIZE];
    long line;
    bool late = from_ms > how->start_ms;
    const char *file = place_of(series, late ? how->start_ms : through_ms, &line);
    calendar_format_iso(from_ms, from);
    calendar_format_iso(through_ms, through);
    calendar_format_iso(how->start_ms, start);
    calendar_format_iso(window_end(how), end);
    return error_at(err, ERROR_DATA, file, line, 0, how->key,
                    "covers %s to %s here; expected %s through %s", from, through, start, end);
}

static int fail_value(const struct series *series, const struct market_align *how, int64_t time_ms,
                      const char *column, double value, const char *expected, struct error *err)
{
    char time[CALENDAR_TEXT_SIZE];
    long line;
    const char *file = place_of(series, time_ms, &line);
    calendar_format_iso(time_ms, time);
    return error_at(err, ERROR_DATA, file, line, 0, how->key, "%s = %g at %s; expected %s", column,
                    value, time, expected);
}

static int fail_empty_bar(const struct series *series, const struct market_align *how, size_t bar,
                          struct error *err)
{
    char time[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    int64_t start = how->start_ms + (int64_t)bar * how->step_ms;
    long line;
    const char *file = place_of(series, start, &line);
    calendar_format_iso(start, time);
    calendar_format_duration(how->step_ms, step);
    return error_at(err, ERROR_DATA, file, line, 0, how->key,
                    "the %s bar at %s has no row at all; expected one at least, or the gap policy "
                    "carry or interpolate",
                    step, time);
}

static int require_rows(const struct series *series, const struct market_align *how,
                        struct error *err)
{
    if (series->rows > 0)
        return ERROR_NONE;
    char start[CALENDAR_TEXT_SIZE], end[CALENDAR_TEXT_SIZE];
    const char *file = place_of_all(series);
    calendar_format_iso(how->start_ms, start);
    calendar_format_iso(window_end(how), end);
    return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                    "has no rows near the window; expected %s through %s", start, end);
}

static int require_columns(const struct series *series, const struct market_align *how,
                           const enum series_field *fields, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!series->column[fields[i]]) {
            const char *file = place_of_all(series);
            const char *name = series_field_name(fields[i]);
            return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                            "has no column for %s; expected one (format: generic names columns "
                            "itself)",
                            name);
        }
    return ERROR_NONE;
}

/* ---- Rows on a grid: price, mark, volume ---- */

/* Every row must start a whole number of steps after the first. */
static int check_grid(const struct series *series, const struct market_align *how,
                      struct error *err)
{
    const char *file = place_of_all(series);
    if (series->step_ms <= 0)
        return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                        "has a single row here; expected two at least, to tell their step");
    for (size_t i = 1; i < series->rows; i++)
        if ((series->time_ms[i] - series->time_ms[0]) % series->step_ms != 0) {
            char time[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
            calendar_format_iso(series->time_ms[i], time);
            calendar_format_duration(series->step_ms, step);
            return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                            "the row at %s is off the grid of the others; expected a row every %s",
                            time, step);
        }
    return ERROR_NONE;
}

/* Bars can be merged, never split: the step is a multiple of the data's and starts with a row. */
static int check_resampling(const struct series *series, const struct market_align *how,
                            struct error *err)
{
    char step[CALENDAR_TEXT_SIZE], data_step[CALENDAR_TEXT_SIZE];
    const char *file = place_of_all(series);
    calendar_format_duration(how->step_ms, step);
    calendar_format_duration(series->step_ms, data_step);
    if (how->step_ms < series->step_ms)
        return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                        "a step of %s is finer than the data, which has a row every %s; expected "
                        "time.step: %s or a multiple of it",
                        step, data_step, data_step);
    if (how->step_ms % series->step_ms != 0)
        return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                        "a step of %s cannot be put together from rows of %s; expected a multiple "
                        "of %s",
                        step, data_step, data_step);
    if ((how->start_ms - series->time_ms[0]) % series->step_ms != 0) {
        char start[CALENDAR_TEXT_SIZE], row[CALENDAR_TEXT_SIZE];
        calendar_format_iso(how->start_ms, start);
        calendar_format_iso(series->time_ms[0], row);
        return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                        "no row can start at %s: rows are %s apart and one is at %s; expected the "
                        "window to start with a row",
                        start, data_step, row);
    }
    return ERROR_NONE;
}

/* One place of the grid with the rows around it. */
struct slot {
    int64_t time_ms;
    size_t row;           /* no_row: missing */
    size_t before, after; /* nearest rows on either side; no_row: none */
    bool filled;          /* missing, to be filled by the policy */
};

/* Moves `*next` (the first row at or after the slot) on to `time_ms`. */
static struct slot slot_at(const struct series *series, int64_t time_ms, size_t *next)
{
    while (*next < series->rows && series->time_ms[*next] < time_ms)
        ++*next;
    bool present = *next < series->rows && series->time_ms[*next] == time_ms;
    struct slot slot = {.time_ms = time_ms,
                        .row = present ? *next : no_row,
                        .before = *next > 0 ? *next - 1 : no_row,
                        .after = *next < series->rows ? *next : no_row};
    return slot;
}

/* Settles a missing slot by the gap policy. With `accept` it stays empty. */
static int slot_settle(struct series *series, const struct market_align *how, struct slot *slot,
                       struct error *err)
{
    if (slot->row != no_row || how->gap == QUALITY_ACCEPT)
        return ERROR_NONE;
    if (slot->before == no_row || slot->after == no_row)
        return fail_coverage(series, how, series->time_ms[0],
                             series->time_ms[series->rows - 1] + series->step_ms, err);
    if (how->gap != QUALITY_CARRY && how->gap != QUALITY_INTERPOLATE)
        return fail_gap(series, how, slot->time_ms, series->time_ms[slot->before], series->step_ms,
                        err);
    slot->filled = true;
    series->quality.applied[QUALITY_GAP]++;
    return ERROR_NONE;
}

/* ---- Price ---- */

static int check_price(const struct series *series, const struct market_align *how,
                       enum series_field field, size_t row, struct error *err)
{
    double value = series->column[field][row];
    if (isfinite(value) && value > 0.0)
        return ERROR_NONE;
    return fail_value(series, how, series->time_ms[row], series_field_name(field), value,
                      "a price above 0", err);
}

static int check_prices(const struct series *series, const struct market_align *how, size_t row,
                        struct error *err)
{
    static const enum series_field fields[] = {SERIES_OPEN, SERIES_HIGH, SERIES_LOW, SERIES_CLOSE};
    int code = ERROR_NONE;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && code == ERROR_NONE; i++)
        code = check_price(series, how, fields[i], row, err);
    return code;
}

/* An empty bar has a NaN close. */
static void bar_extend(struct market_bars *bars, size_t bar, double open, double high, double low,
                       double close)
{
    if (isnan(bars->close[bar])) {
        bars->open[bar] = open;
        bars->high[bar] = high;
        bars->low[bar] = low;
    }
    bars->high[bar] = fmax(bars->high[bar], high);
    bars->low[bar] = fmin(bars->low[bar], low);
    bars->close[bar] = close;
}

/* Close of a missing row: the last close, or on the straight line from there to the next open, or
   to the next close, one step later, where there are no opens. */
static double filled_close(const struct series *series, const struct slot *slot,
                           enum quality_action gap)
{
    double before = series->column[SERIES_CLOSE][slot->before];
    const double *open = series->column[SERIES_OPEN];
    if (gap == QUALITY_CARRY)
        return before;
    double after = open ? open[slot->after] : series->column[SERIES_CLOSE][slot->after];
    int64_t from_ms = series->time_ms[slot->before];
    int64_t line_ms = series->time_ms[slot->after] - from_ms - (open ? series->step_ms : 0);
    return before + (after - before) * (double)(slot->time_ms - from_ms) / (double)line_ms;
}

static int price_slot(struct series *series, const struct market_align *how, struct slot *slot,
                      size_t bar, struct market_bars *out, struct error *err)
{
    int code = slot_settle(series, how, slot, err);
    if (code != ERROR_NONE)
        return code;
    double *const *column = series->column;
    if (slot->row != no_row) {
        code = check_prices(series, how, slot->row, err);
        bar_extend(out, bar, column[SERIES_OPEN][slot->row], column[SERIES_HIGH][slot->row],
                   column[SERIES_LOW][slot->row], column[SERIES_CLOSE][slot->row]);
    } else if (slot->filled) {
        double close = filled_close(series, slot, how->gap);
        bar_extend(out, bar, close, close, close, close);
    }
    return code;
}

static int check_no_bar_empty(const struct series *series, const struct market_align *how,
                              const double *values, struct error *err)
{
    for (size_t i = 0; i < how->bars; i++)
        if (isnan(values[i]))
            return fail_empty_bar(series, how, i, err);
    return ERROR_NONE;
}

static void fill_nan(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = NAN;
}

/* Rows with these columns on a grid that the bars can be put together from. */
static int check_bars(const struct series *series, const struct market_align *how,
                      const enum series_field *fields, size_t count, struct error *err)
{
    int code = require_rows(series, how, err);
    if (code == ERROR_NONE)
        code = require_columns(series, how, fields, count, err);
    if (code == ERROR_NONE)
        code = check_grid(series, how, err);
    if (code == ERROR_NONE)
        code = check_resampling(series, how, err);
    return code;
}

int market_align_price_fits(const struct series *series, const struct market_align *how,
                            struct error *err)
{
    static const enum series_field needed[] = {SERIES_OPEN, SERIES_HIGH, SERIES_LOW, SERIES_CLOSE};
    return check_bars(series, how, needed, sizeof needed / sizeof *needed, err);
}

int market_align_price(struct series *series, const struct market_align *how,
                       struct market_bars *out, struct error *err)
{
    int code = market_align_price_fits(series, how, err);
    if (code != ERROR_NONE)
        return code;

    fill_nan(out->close, how->bars);
    int64_t per_bar = how->step_ms / series->step_ms;
    size_t next = 0;
    for (int64_t i = 0; i < (int64_t)how->bars * per_bar; i++) {
        struct slot slot = slot_at(series, how->start_ms + i * series->step_ms, &next);
        code = price_slot(series, how, &slot, (size_t)(i / per_bar), out, err);
        if (code != ERROR_NONE)
            return code;
    }
    return check_no_bar_empty(series, how, out->close, err);
}

static int index_slot(struct series *series, const struct market_align *how, struct slot *slot,
                      double *out_close, struct error *err)
{
    int code = slot_settle(series, how, slot, err);
    if (code == ERROR_NONE && slot->row != no_row) {
        code = check_price(series, how, SERIES_CLOSE, slot->row, err);
        *out_close = series->column[SERIES_CLOSE][slot->row];
    } else if (code == ERROR_NONE && slot->filled) {
        *out_close = filled_close(series, slot, how->gap);
    }
    return code;
}

int market_align_index(struct series *series, const struct market_align *how, double *out_close,
                       struct error *err)
{
    static const enum series_field needed[] = {SERIES_CLOSE};
    int code = check_bars(series, how, needed, 1, err);
    if (code != ERROR_NONE)
        return code;

    fill_nan(out_close, how->bars);
    int64_t per_bar = how->step_ms / series->step_ms;
    size_t next = 0;
    for (int64_t i = 0; i < (int64_t)how->bars * per_bar; i++) {
        struct slot slot = slot_at(series, how->start_ms + i * series->step_ms, &next);
        code = index_slot(series, how, &slot, &out_close[i / per_bar], err);
        if (code != ERROR_NONE)
            return code;
    }
    return check_no_bar_empty(series, how, out_close, err);
}

/* ---- Amounts: volume, liquidations ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Adds `amount`, spread evenly over [from, from + length), to the bars it overlaps; a NaN bar
   counts as empty. An amount that lies within one bar goes there to the last digit. */
static void spread(const struct market_align *how, int64_t from_ms, int64_t length_ms,
                   double amount, double *out)
{
    int64_t end_ms = from_ms + length_ms;
    int64_t bar = floor_div(from_ms - how->start_ms, how->step_ms);
    if (bar < 0)
        bar = 0;
    for (; bar < (int64_t)how->bars; bar++) {
        int64_t bar_start = how->start_ms + bar * how->step_ms;
        int64_t bar_end = bar_start + how->step_ms;
        if (bar_start >= end_ms)
            break;
        int64_t left = from_ms > bar_start ? from_ms : bar_start;
        int64_t right = end_ms < bar_end ? end_ms : bar_end;
        if (right <= left)
            continue;
        double share = (double)(right - left) / (double)length_ms;
        out[bar] = isnan(out[bar]) ? amount * share : out[bar] + amount * share;
    }
}

static int check_amount(const struct series *series, const struct market_align *how,
                        enum series_field field, size_t row, struct error *err)
{
    double value = series->column[field][row];
    if (isfinite(value) && value >= 0.0)
        return ERROR_NONE;
    return fail_value(series, how, series->time_ms[row], series_field_name(field), value,
                      "a number of 0 or more", err);
}

static int volume_slot(struct series *series, const struct market_align *how, struct slot *slot,
                       double *out_coins, struct error *err)
{
    int code = slot_settle(series, how, slot, err);
    if (code != ERROR_NONE)
        return code;
    const double *volume = series->column[SERIES_VOLUME];
    if (slot->row != no_row) {
        code = check_amount(series, how, SERIES_VOLUME, slot->row, err);
        spread(how, slot->time_ms, series->step_ms, volume[slot->row], out_coins);
    } else if (slot->filled) {
        spread(how, slot->time_ms, series->step_ms, 0.0, out_coins);
    }
    return code;
}

int market_align_volume(struct series *series, const struct market_align *how, double *out_coins,
                        struct error *err)
{
    static const enum series_field needed[] = {SERIES_VOLUME};
    int code = require_rows(series, how, err);
    if (code == ERROR_NONE)
        code = require_columns(series, how, needed, 1, err);
    if (code == ERROR_NONE)
        code = check_grid(series, how, err);
    if (code != ERROR_NONE)
        return code;

    fill_nan(out_coins, how->bars);
    int64_t first = series->time_ms[0], step = series->step_ms;
    size_t next = 0;
    /* The first row may begin before the window: it reaches into it. */
    for (int64_t time = first + floor_div(how->start_ms - first, step) * step;
         time < window_end(how); time += step) {
        struct slot slot = slot_at(series, time, &next);
        code = volume_slot(series, how, &slot, out_coins, err);
        if (code != ERROR_NONE)
            return code;
    }
    return check_no_bar_empty(series, how, out_coins, err);
}

static int check_feed_coverage(const struct series *series, const struct market_align *how,
                               int64_t step_ms, struct error *err)
{
    int64_t silence = step_ms > CALENDAR_DAY_MS ? step_ms : CALENDAR_DAY_MS;
    int64_t first = series->time_ms[0], last = series->time_ms[series->rows - 1];
    if (first <= how->start_ms + silence && last + silence >= window_end(how))
        return ERROR_NONE;
    return fail_coverage(series, how, first, last + step_ms, err);
}

static void coins_from_usd(const struct market_align *how, const struct market_bars *mark,
                           double *values)
{
    for (size_t i = 0; i < how->bars; i++)
        values[i] /= mark->close[i];
}

int market_align_liquidations(struct series *series, const struct market_align *how,
                              const struct market_bars *mark, double *out_long, double *out_short,
                              struct error *err)
{
    static const enum series_field needed[] = {SERIES_LIQ_LONG, SERIES_LIQ_SHORT};
    double *out[] = {out_long, out_short};
    int code = require_rows(series, how, err);
    if (code == ERROR_NONE)
        code = require_columns(series, how, needed, 2, err);
    /* Single events have no length: only rows coarser than the bars are spread. */
    int64_t length = series->step_ms > how->step_ms ? series->step_ms : 1;
    if (code == ERROR_NONE)
        code = check_feed_coverage(series, how, series->step_ms, err);
    for (size_t side = 0; side < 2 && code == ERROR_NONE; side++) {
        memset(out[side], 0, how->bars * sizeof **out);
        for (size_t row = 0; row < series->rows && code == ERROR_NONE; row++) {
            code = check_amount(series, how, needed[side], row, err);
            spread(how, series->time_ms[row], length, series->column[needed[side]][row], out[side]);
        }
        if (code == ERROR_NONE && series->liq_unit == SOURCE_UNIT_USD)
            coins_from_usd(how, mark, out[side]);
    }
    return code;
}

/* ---- Values in time: open interest ---- */

/* How many stamps are missing between row `row` and the next, at a nominal `step_ms`. */
static int64_t stamps_missing(const struct series *series, size_t row, int64_t step_ms)
{
    if (step_ms <= 0)
        return 0;
    int64_t spacing = series->time_ms[row + 1] - series->time_ms[row];
    return spacing > step_ms + step_ms / 2 ? (spacing + step_ms / 2) / step_ms - 1 : 0;
}

/* A gap after row `row` of `missing` rows that reaches into the window: an error by policy, or
   counted as filled. */
static int settle_gap(struct series *series, const struct market_align *how, size_t row,
                      int64_t missing, int64_t step_ms, struct error *err)
{
    const int64_t *time = series->time_ms;
    bool inside = missing > 0 && time[row + 1] > how->start_ms && time[row] < window_end(how);
    if (!inside || how->gap == QUALITY_ACCEPT)
        return ERROR_NONE;
    if (how->gap != QUALITY_CARRY && how->gap != QUALITY_INTERPOLATE)
        return fail_gap(series, how, time[row] + step_ms, time[row], step_ms, err);
    series->quality.applied[QUALITY_GAP] += missing;
    return ERROR_NONE;
}

static int settle_stamps(struct series *series, const struct market_align *how, int64_t step_ms,
                         struct error *err)
{
    int code = ERROR_NONE;
    for (size_t i = 0; i + 1 < series->rows && code == ERROR_NONE; i++)
        code = settle_gap(series, how, i, stamps_missing(series, i, step_ms), step_ms, err);
    return code;
}

/* OI as values in time. Value 0 is the first row's open where rows are bars; else value i is row
   i. */
struct oi_values {
    const struct series *series;
    const struct market_align *how;
    const struct market_bars *mark;
    bool bars;
    size_t count;
};

static int64_t oi_time(const struct oi_values *self, size_t i)
{
    const int64_t *time = self->series->time_ms;
    if (!self->bars)
        return time[i];
    return i == 0 ? time[0] : time[i - 1] + self->series->step_ms;
}

/* Mark price at a value's time; a value at a bar's end belongs to that bar. */
static double oi_mark(const struct oi_values *self, int64_t time_ms)
{
    if (time_ms <= self->how->start_ms)
        return self->mark->open[0];
    int64_t bar = (time_ms - self->how->start_ms - 1) / self->how->step_ms;
    size_t last = self->how->bars - 1;
    return self->mark->close[(uint64_t)bar < last ? (size_t)bar : last];
}

static double oi_coins(const struct oi_values *self, size_t i)
{
    double *const *column = self->series->column;
    double value;
    if (self->bars)
        value = i == 0 ? column[SERIES_OI_OPEN][0] : column[SERIES_OI][i - 1];
    else
        value = column[SERIES_OI][i];
    return self->series->oi_unit == SOURCE_UNIT_USD ? value / oi_mark(self, oi_time(self, i))
                                                    : value;
}

/* `i` is the last value at or before the bar's end; the first value when none is. */
static double oi_at(const struct oi_values *self, size_t i, int64_t end_ms)
{
    int64_t before = oi_time(self, i);
    bool exact = end_ms <= before || i + 1 >= self->count;
    if (exact || self->how->gap != QUALITY_INTERPOLATE)
        return oi_coins(self, i);
    double share = (double)(end_ms - before) / (double)(oi_time(self, i + 1) - before);
    double value = oi_coins(self, i);
    return value + share * (oi_coins(self, i + 1) - value);
}

static int check_oi(const struct oi_values *self, struct error *err)
{
    const struct series *series = self->series;
    const struct market_align *how = self->how;
    for (size_t i = 0; i < series->rows; i++) {
        int code = check_amount(series, how, SERIES_OI, i, err);
        if (code != ERROR_NONE)
            return code;
    }
    int code = self->bars ? check_amount(series, how, SERIES_OI_OPEN, 0, err) : ERROR_NONE;
    if (code != ERROR_NONE)
        return code;
    int64_t step = series->step_ms > 0 ? series->step_ms : how->step_ms;
    int64_t first = oi_time(self, 0), last = oi_time(self, self->count - 1);
    if (first > how->start_ms + step || last + step < window_end(how))
        return fail_coverage(series, how, first, last, err);
    return ERROR_NONE;
}

int market_align_oi(struct series *series, const struct market_align *how,
                    const struct market_bars *mark, double *out_coins, struct error *err)
{
    static const enum series_field needed[] = {SERIES_OI};
    int code = require_rows(series, how, err);
    if (code == ERROR_NONE)
        code = require_columns(series, how, needed, 1, err);
    if (code != ERROR_NONE)
        return code;
    struct oi_values values = {.series = series, .how = how, .mark = mark};
    values.bars = series->column[SERIES_OI_OPEN] && series->step_ms > 0;
    values.count = series->rows + (values.bars ? 1 : 0);
    code = check_oi(&values, err);
    if (code == ERROR_NONE)
        code = settle_stamps(series, how, series->step_ms, err);
    if (code != ERROR_NONE)
        return code;

    size_t last = 0;
    for (size_t bar = 0; bar < how->bars; bar++) {
        int64_t end = how->start_ms + (int64_t)(bar + 1) * how->step_ms;
        while (last + 1 < values.count && oi_time(&values, last + 1) <= end)
            last++;
        out_coins[bar] = oi_at(&values, last, end);
    }
    return ERROR_NONE;
}

/* ---- Depth of the book ---- */

/* The bands whose depth counts; 0 where a side has none. */
struct depth_bands {
    double bid, ask;
};

static void choose_nearest(double *chosen, double band, double wanted)
{
    double better = fabs(band - wanted) - fabs(*chosen - wanted);
    if (*chosen == 0.0 || better < 0.0 || (better == 0.0 && fabs(band) < fabs(*chosen)))
        *chosen = band;
}

static struct depth_bands choose_bands(const struct series *series)
{
    const double *band = series->column[SERIES_BAND];
    struct depth_bands chosen = {0.0, 0.0};
    for (size_t i = 0; i < series->rows; i++) {
        if (band[i] < 0.0)
            choose_nearest(&chosen.bid, band[i], -depth_band_percent);
        else if (band[i] > 0.0)
            choose_nearest(&chosen.ask, band[i], depth_band_percent);
    }
    return chosen;
}

/* Makes one row of each moment that has every chosen band, in place. */
static void merge_bands(struct series *series, enum series_field field)
{
    const double *band = series->column[SERIES_BAND];
    double *value = series->column[field];
    struct depth_bands chosen = choose_bands(series);
    int wanted = (chosen.bid != 0.0) + (chosen.ask != 0.0);
    size_t count = 0;
    for (size_t i = 0, end; i < series->rows; i = end) {
        int64_t time_ms = series->time_ms[i];
        double sum = 0.0;
        int found = 0;
        for (end = i; end < series->rows && series->time_ms[end] == time_ms; end++)
            if (band[end] != 0.0 && (band[end] == chosen.bid || band[end] == chosen.ask)) {
                sum += value[end];
                found++;
            }
        if (found == 0 || found != wanted)
            continue;
        series->time_ms[count] = time_ms;
        value[count++] = sum;
    }
    series->rows = count;
}

/* Whether snapshots are missing between row `i` and the next, and how many. */
static int64_t depth_missing(const struct series *series, size_t i)
{
    int64_t step = series->step_ms, spacing = series->time_ms[i + 1] - series->time_ms[i];
    if (step <= 0 || !series->column[SERIES_BAND])
        return stamps_missing(series, i, step);
    return spacing > depth_gap_steps * step ? (spacing + step / 2) / step - 1 : 0;
}

static int settle_depth(struct series *series, const struct market_align *how, struct error *err)
{
    int code = ERROR_NONE;
    for (size_t i = 0; i + 1 < series->rows && code == ERROR_NONE; i++)
        code = settle_gap(series, how, i, depth_missing(series, i), series->step_ms, err);
    return code;
}

static int check_depth(const struct series *series, const struct market_align *how,
                       enum series_field field, struct error *err)
{
    int64_t step = series->step_ms > 0 ? series->step_ms : how->step_ms;
    int64_t patience = series->column[SERIES_BAND] ? depth_gap_steps * step : step;
    int64_t first = series->time_ms[0], last = series->time_ms[series->rows - 1];
    for (size_t i = 0; i < series->rows; i++) {
        int code = check_amount(series, how, field, i, err);
        if (code != ERROR_NONE)
            return code;
    }
    if (first > how->start_ms + patience || last + patience < window_end(how))
        return fail_coverage(series, how, first, last, err);
    return ERROR_NONE;
}

/* `i` is the last row at or before the time; the first one when none is. */
static double depth_at(const struct series *series, const struct market_align *how,
                       enum series_field field, size_t i, int64_t time_ms)
{
    const double *value = series->column[field];
    const int64_t *time = series->time_ms;
    if (how->gap != QUALITY_INTERPOLATE || time_ms <= time[i] || i + 1 >= series->rows ||
        depth_missing(series, i) == 0)
        return value[i];
    double share = (double)(time_ms - time[i]) / (double)(time[i + 1] - time[i]);
    return value[i] + share * (value[i + 1] - value[i]);
}

int market_align_depth(struct series *series, const struct market_align *how,
                       enum series_field field, double *out, struct error *err)
{
    int code = require_columns(series, how, &field, 1, err);
    if (code == ERROR_NONE && series->column[SERIES_BAND])
        merge_bands(series, field);
    if (code == ERROR_NONE)
        code = require_rows(series, how, err);
    if (code == ERROR_NONE)
        code = check_depth(series, how, field, err);
    if (code == ERROR_NONE)
        code = settle_depth(series, how, err);
    if (code != ERROR_NONE)
        return code;

    size_t last = 0;
    for (size_t bar = 0; bar < how->bars; bar++) {
        int64_t end = how->start_ms + (int64_t)(bar + 1) * how->step_ms;
        while (last + 1 < series->rows && series->time_ms[last + 1] <= end)
            last++;
        out[bar] = depth_at(series, how, field, last, end);
    }
    return ERROR_NONE;
}

/* ---- Payments: funding ---- */

static void add_payment(const struct market_align *how, int64_t time_ms, double rate,
                        double *out_rate)
{
    int64_t bar = floor_div(time_ms + funding_jitter_ms - 1 - how->start_ms, how->step_ms);
    if (bar >= 0 && bar < (int64_t)how->bars)
        out_rate[bar] += rate;
}

static int check_rates(const struct series *series, const struct market_align *how,
                       struct error *err)
{
    const double *rate = series->column[SERIES_RATE];
    for (size_t i = 0; i < series->rows; i++)
        if (!(fabs(rate[i]) <= funding_rate_limit))
            return fail_value(series, how, series->time_ms[i], "rate", rate[i],
                              "a fraction of notional within 5 %; is it a percentage "
                              "(unit: percent)?",
                              err);
    return ERROR_NONE;
}

/* `interval_ms` as the scenario says it must be that of the rows: a rate that is quoted every hour
   but paid every eight would otherwise be charged eight times. */
static int check_interval(const struct series *series, const struct market_align *how,
                          int64_t interval_ms, struct error *err)
{
    int64_t first = series->time_ms[0], last = series->time_ms[series->rows - 1];
    int64_t spacing = series->rows > 1 ? (last - first) / ((int64_t)series->rows - 1) : interval_ms;
    if (spacing < interval_ms / 2) {
        char step[CALENDAR_TEXT_SIZE], interval[CALENDAR_TEXT_SIZE];
        const char *file = place_of_all(series);
        calendar_format_duration(spacing, step);
        calendar_format_duration(interval_ms, interval);
        return error_at(err, ERROR_DATA, file, 0, 0, how->key,
                        "rows are %s apart and the interval is %s; expected one row per payment",
                        step, interval);
    }
    if (first > how->start_ms + interval_ms + funding_jitter_ms ||
        last + interval_ms + funding_jitter_ms < window_end(how))
        return fail_coverage(series, how, first, last + interval_ms, err);
    return ERROR_NONE;
}

/* Between two rows: the earlier rate, or the straight line. */
static double filled_rate(const struct series *series, size_t row, int64_t time_ms,
                          enum quality_action gap)
{
    const double *rate = series->column[SERIES_RATE];
    const int64_t *time = series->time_ms;
    if (gap == QUALITY_CARRY)
        return rate[row];
    return rate[row] + (rate[row + 1] - rate[row]) * (double)(time_ms - time[row]) /
                           (double)(time[row + 1] - time[row]);
}

static void add_missing_payments(const struct series *series, const struct market_align *how,
                                 size_t row, int64_t interval_ms, double *out_rate)
{
    if (how->gap != QUALITY_CARRY && how->gap != QUALITY_INTERPOLATE)
        return;
    int64_t missing = stamps_missing(series, row, interval_ms);
    for (int64_t k = 1; k <= missing; k++) {
        int64_t time = series->time_ms[row] + k * interval_ms;
        double rate = filled_rate(series, row, time, how->gap);
        add_payment(how, time, rate, out_rate);
    }
}

int market_align_funding(struct series *series, const struct market_align *how, int64_t interval_ms,
                         double *out_rate, struct error *err)
{
    static const enum series_field needed[] = {SERIES_RATE};
    int code = require_rows(series, how, err);
    if (code == ERROR_NONE)
        code = require_columns(series, how, needed, 1, err);
    if (code != ERROR_NONE)
        return code;
    if (interval_ms <= 0)
        interval_ms = series->step_ms > 0 ? series->step_ms : 8 * CALENDAR_HOUR_MS;
    code = check_rates(series, how, err);
    if (code == ERROR_NONE)
        code = check_interval(series, how, interval_ms, err);
    if (code == ERROR_NONE)
        code = settle_stamps(series, how, interval_ms, err);
    if (code != ERROR_NONE)
        return code;

    memset(out_rate, 0, how->bars * sizeof *out_rate);
    for (size_t i = 0; i < series->rows; i++) {
        add_payment(how, series->time_ms[i], series->column[SERIES_RATE][i], out_rate);
        if (i + 1 < series->rows)
            add_missing_payments(series, how, i, interval_ms, out_rate);
    }
    return ERROR_NONE;
}
