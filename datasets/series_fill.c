#include "datasets/series_fill.h"

#include <math.h>

#include "base/memory.h"

#define NONE (-1)
#define MISSING_LIMIT 1000000 /* rows that may be filled whatever the length of the data */

/* Four fields that make a bar, or one that stands alone (open, high and low NONE). */
struct group {
    int open, high, low, close;
};
static const struct group GROUPS[] = {
    {SERIES_OPEN, SERIES_HIGH, SERIES_LOW, SERIES_CLOSE},
    {SERIES_OI_OPEN, SERIES_OI_HIGH, SERIES_OI_LOW, SERIES_OI},
    {NONE, NONE, NONE, SERIES_VOLUME},
    {NONE, NONE, NONE, SERIES_QUOTE_VOLUME},
    {NONE, NONE, NONE, SERIES_RATE},
    {NONE, NONE, NONE, SERIES_LIQ_LONG},
    {NONE, NONE, NONE, SERIES_LIQ_SHORT},
};
#define GROUP_COUNT (sizeof GROUPS / sizeof *GROUPS)

static double *column(const struct series_rows *rows, int field)
{
    return field == NONE ? NULL : rows->column[field];
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* --- holes --- */

static int no_value(const struct series_rows *rows, const struct series_filling *filling, size_t i,
                    int field, const char *where, struct error *err)
{
    return error_at(err, ERROR_DATA, filling->files[rows->file[i]], (long)rows->line[i], 0,
                    series_field_name((enum series_field)field),
                    "there is no %s value to %s from; expected one", where,
                    quality_action_name(filling->action));
}

static int fill_close(struct series_rows *rows, const struct series_filling *filling, int field,
                      struct error *err)
{
    double *value = rows->column[field];
    for (size_t i = 0; i < rows->count; i++) {
        if (!isnan(value[i]))
            continue;
        size_t next = i;
        while (next < rows->count && isnan(value[next]))
            next++;
        if (i == 0)
            return no_value(rows, filling, i, field, "earlier", err);
        if (next == rows->count && filling->action == QUALITY_INTERPOLATE)
            return no_value(rows, filling, i, field, "later", err);
        double before = value[i - 1];
        int64_t from_ms = rows->time_ms[i - 1];
        for (size_t hole = i; hole < next; hole++) {
            value[hole] = before;
            if (filling->action == QUALITY_INTERPOLATE)
                value[hole] += (value[next] - before) * (double)(rows->time_ms[hole] - from_ms) /
                               (double)(rows->time_ms[next] - from_ms);
        }
        i = next;
    }
    return ERROR_NONE;
}

static void fill_bar(struct series_rows *rows, const struct group *group, size_t i)
{
    const double *close = rows->column[group->close];
    double *open = column(rows, group->open), *high = column(rows, group->high),
           *low = column(rows, group->low);
    if (open && isnan(open[i]))
        open[i] = i > 0 ? close[i - 1] : close[i];
    double start = open ? open[i] : close[i];
    if (high)
        high[i] =
            isnan(high[i]) ? larger(start, close[i]) : larger(high[i], larger(start, close[i]));
    if (low)
        low[i] =
            isnan(low[i]) ? smaller(start, close[i]) : smaller(low[i], smaller(start, close[i]));
}

static bool has_hole(const struct series_rows *rows, const struct group *group, size_t i)
{
    const int fields[] = {group->open, group->high, group->low, group->close};
    for (size_t k = 0; k < 4; k++) {
        const double *value = column(rows, fields[k]);
        if (value && isnan(value[i]))
            return true;
    }
    return false;
}

static int fill_group(struct series_rows *rows, const struct series_filling *filling,
                      const struct group *group, struct error *err)
{
    if (!column(rows, group->close))
        return ERROR_NONE;
    bool *hole = memory_alloc(rows->count, sizeof *hole);
    if (!hole)
        return error_memory(err, "filling holes of a series");
    for (size_t i = 0; i < rows->count; i++)
        hole[i] = has_hole(rows, group, i);
    int code = fill_close(rows, filling, group->close, err);
    for (size_t i = 0; code == ERROR_NONE && i < rows->count; i++)
        if (hole[i])
            fill_bar(rows, group, i);
    memory_free(hole);
    return code;
}

static int refuse_bands(const struct series_filling *filling, struct error *err)
{
    return error_set(err, ERROR_DATA, "book depth cannot be filled by %s; expected error or drop",
                     quality_action_name(filling->action));
}

int series_fill_holes(struct series_rows *rows, const struct series_filling *filling,
                      struct error *err)
{
    int code = rows->column[SERIES_BAND] ? refuse_bands(filling, err) : ERROR_NONE;
    for (size_t i = 0; code == ERROR_NONE && i < GROUP_COUNT; i++)
        code = fill_group(rows, filling, &GROUPS[i], err);
    return code;
}

/* --- gaps --- */

/* Value at the end of the k-th of `missing` bars between two rows. Where bars have an open, the
   gap ends with the next bar's open; where not, with its value one step later. */
static double value_in_gap(const struct series_row *before, const struct series_row *after,
                           const struct group *group, bool has_open, enum quality_action action,
                           int64_t k, int64_t missing)
{
    double from = before->value[group->close];
    if (action == QUALITY_CARRY)
        return from;
    double to = after->value[has_open ? group->open : group->close];
    return from + (to - from) * (double)k / (double)(has_open ? missing : missing + 1);
}

static bool happens(int field)
{
    return field == SERIES_VOLUME || field == SERIES_QUOTE_VOLUME || field == SERIES_LIQ_LONG ||
           field == SERIES_LIQ_SHORT;
}

static void make_group(const struct series_rows *rows, const struct group *group,
                       enum quality_action action, const struct series_row *before,
                       const struct series_row *after, int64_t k, int64_t missing,
                       struct series_row *out)
{
    bool has_open = column(rows, group->open) != NULL;
    if (!column(rows, group->close))
        return;
    if (happens(group->close)) {
        out->value[group->close] = 0;
        return;
    }
    double open = value_in_gap(before, after, group, has_open, action, k - 1, missing);
    double close = value_in_gap(before, after, group, has_open, action, k, missing);
    out->value[group->close] = close;
    if (group->open == NONE)
        return;
    out->value[group->open] = open;
    out->value[group->high] = larger(open, close);
    out->value[group->low] = smaller(open, close);
}

static int add_missing(struct series_rows *out, const struct series_rows *rows, size_t i,
                       const struct series_filling *filling, struct error *err)
{
    struct series_row before, after, made = {0};
    series_rows_get(rows, i - 1, &before);
    series_rows_get(rows, i, &after);
    int64_t apart = after.time_ms - before.time_ms, step = filling->step_ms;
    int64_t missing = (apart + step / 2) / step - 1;
    int code = ERROR_NONE;
    made.file = after.file;
    for (int64_t k = 1; code == ERROR_NONE && k <= missing; k++) {
        made.time_ms = before.time_ms + k * step;
        for (size_t g = 0; g < GROUP_COUNT; g++)
            make_group(rows, &GROUPS[g], filling->action, &before, &after, k, missing, &made);
        code = series_rows_add(out, &made, err);
    }
    return code;
}

int series_fill_gaps(struct series_rows *rows, const struct series_filling *filling,
                     int64_t missing, struct error *err)
{
    if (rows->column[SERIES_BAND])
        return refuse_bands(filling, err);
    if (missing > MISSING_LIMIT && missing / 10 > (int64_t)rows->count)
        return error_set(err, ERROR_DATA,
                         "%lld rows are missing among %zu; expected gaps shorter than the data",
                         (long long)missing, rows->count);
    struct series_rows out = {0};
    int code = ERROR_NONE;
    for (int field = 0; field < SERIES_FIELD_COUNT; field++)
        out.has[field] = rows->has[field];
    for (size_t i = 0; code == ERROR_NONE && i < rows->count; i++) {
        struct series_row row;
        double apart = i > 0 ? (double)(rows->time_ms[i] - rows->time_ms[i - 1]) : 0;
        if (apart > filling->gap_factor * (double)filling->step_ms)
            code = add_missing(&out, rows, i, filling, err);
        series_rows_get(rows, i, &row);
        if (code == ERROR_NONE)
            code = series_rows_add(&out, &row, err);
    }
    if (code != ERROR_NONE) {
        series_rows_free(&out);
        return code;
    }
    series_rows_free(rows);
    *rows = out;
    return ERROR_NONE;
}
