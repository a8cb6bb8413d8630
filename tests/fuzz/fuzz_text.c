/*
 * text_to_double agrees with strtod on every text, and accepts nothing that strtod would not read
 * to its end; text_to_int64 agrees with it on what both accept.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_double(const char *text, size_t size)
{
    double ours = 0.0, theirs;
    char *end;

    if (!text_to_double(text, size, true, &ours))
        return;
    theirs = strtod(text, &end);
    liqcascade_bug_assert(end == text + size, "accepted what strtod does not read");
    if (isnan(ours))
        liqcascade_bug_assert(isnan(theirs), "only one of them is NaN");
    else
        liqcascade_bug_assert(memcmp(&ours, &theirs, sizeof(ours)) == 0, "differs from strtod");
}

static void check_int64(const char *text, size_t size)
{
    int64_t integer;
    double number;

    if (!text_to_int64(text, size, &integer))
        return;
    liqcascade_bug_assert(text_to_double(text, size, false, &number), "an integer is a number");
    liqcascade_bug_assert(number == (double)integer, "integer and number differ");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size > 2000)
        return 0;
    text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_double(text, size);
    check_int64(text, size);
    free(text);
    return 0;
}
