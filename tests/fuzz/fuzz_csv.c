/* The streaming readers on any bytes: plain text or whatever packing the first bytes claim. */
#include <stddef.h>
#include <stdint.h>

#include "datasets/csv.h"

static int on_row(void *context, const struct csv_row *row, struct error *err)
{
    volatile double *sink = context;
    *sink = row->number[0] + row->number[1] + (double)row->text[2].length;
    return row->line > 0 ? ERROR_NONE : csv_row_error(row, 0, err, "a row without a line");
}

static void read_with(const uint8_t *data, size_t size, enum csv_header header)
{
    static const struct csv_column BY_NAME[] = {{.name = "a", .kind = CSV_NUMBER},
                                                {.name = "b", .kind = CSV_NUMBER},
                                                {.name = "c", .kind = CSV_TEXT}};
    static const struct csv_column BY_INDEX[] = {
        {.name = "a", .index = 1, .kind = CSV_NUMBER, .required = true},
        {.name = "b", .index = 2, .kind = CSV_NUMBER},
        {.name = "c", .index = 2, .kind = CSV_TEXT}};
    volatile double sink = 0;
    struct csv_reader reader = {.columns = header == CSV_HEADER_YES ? BY_NAME : BY_INDEX,
                                .column_count = 3,
                                .header = header,
                                .row = on_row,
                                .context = (void *)(uintptr_t)&sink};
    struct stream in;
    struct error err = {0};
    if (stream_open_memory(&in, "fuzz", data, size, &err) != ERROR_NONE)
        return;
    csv_read_stream(&in, "fuzz", &reader, &err);
    stream_close(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_with(data, size, CSV_HEADER_YES);
    read_with(data, size, CSV_HEADER_NO);
    return 0;
}
