#include "scenarios/axis.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* What a step may miss the end of a range by, in steps: the rounding of decimals. */
#define STEP_TOLERANCE 1e-9

void axis_free(struct axis *self)
{
    for (size_t i = 0; self->values != NULL && i < self->count; i++)
        memory_free(self->values[i]);
    memory_free(self->values);
    memory_free(self->key);
    memset(self, 0, sizeof *self);
}

size_t axis_count_of(double from, double to, double step)
{
    double steps = (to - from) / step, whole = round(steps);
    if (!(fabs(steps - whole) <= STEP_TOLERANCE) || whole < 1 || whole > AXIS_COUNT_MAX - 1)
        return 0;
    return (size_t)whole + 1;
}

/* `scale` is the largest number that went into the value. */
static double to_15_digits(double value, double scale)
{
    char text[32];
    double near;
    if (fabs(value) <= 4 * DBL_EPSILON * scale)
        return 0;
    snprintf(text, sizeof text, "%.15g", value);
    if (!text_to_double(text, strlen(text), false, &near))
        return value;
    return fabs(near - value) <= 2 * DBL_EPSILON * scale ? near : value;
}

double axis_value(const struct axis *self, size_t i)
{
    double part = (double)i / (double)(self->count - 1), value;
    if (i == 0)
        return self->from;
    if (i == self->count - 1)
        return self->to;
    if (self->log)
        value = self->from * exp(part * log(self->to / self->from));
    else if (isnan(self->step))
        value = self->from + part * (self->to - self->from);
    else
        value = self->from + (double)i * self->step;
    return to_15_digits(value, self->log ? 4 * value : fmax(fabs(self->from), fabs(self->to)));
}

double axis_at(const struct axis *self, double unit)
{
    if (unit <= 0)
        return self->from;
    if (unit >= 1)
        return self->to;
    if (self->log)
        return self->from * exp(unit * log(self->to / self->from));
    return self->from + unit * (self->to - self->from);
}

size_t axis_index(size_t count, double unit)
{
    size_t index = (size_t)(unit * (double)count);
    return index < count ? index : count - 1;
}
