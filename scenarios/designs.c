#include "scenarios/designs.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* A whole number below `count`, from the first two words of a block. */
static size_t below(const struct random_block *block, size_t count)
{
    size_t drawn = (size_t)(random_uniform53(block->word[0], block->word[1]) * (double)count);
    return drawn < count ? drawn : count - 1;
}

/* Fisher and Yates: a random order of 0 .. count - 1, swap i by the block at (i, ordinal). */
static void shuffle(const struct random_stream *stream, uint32_t ordinal, uint32_t *order,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count; i-- > 1;) {
        struct random_block block = random_block_at(stream, (uint32_t)i, ordinal);
        size_t other = below(&block, i + 1);
        uint32_t moving = order[i];
        order[i] = order[other];
        order[other] = moving;
    }
}

static int check_count(size_t points, const char *what, struct error *err)
{
    if (points >= 1 && points < UINT32_MAX)
        return ERROR_NONE;
    return error_set(err, ERROR_SCENARIO, "%zu %s; expected 1 to %lu", points, what,
                     (unsigned long)UINT32_MAX - 1);
}

int designs_latin(size_t points, size_t axes, uint64_t seed, double *out_unit, struct error *err)
{
    struct random_stream strata = random_stream_make(seed, 0, "designs.latin.strata");
    struct random_stream inside = random_stream_make(seed, 0, "designs.latin.inside");
    int code = check_count(points, "points of a Latin hypercube", err);
    if (code != ERROR_NONE)
        return code;
    uint32_t *order = memory_alloc(points, sizeof *order);
    if (order == NULL)
        return error_memory(err, "a Latin hypercube");
    for (size_t axis = 0; axis < axes; axis++) {
        shuffle(&strata, (uint32_t)axis, order, points);
        for (size_t point = 0; point < points; point++) {
            struct random_block block = random_block_at(&inside, (uint32_t)point, (uint32_t)axis);
            double part = random_uniform(block.word[0]);
            out_unit[point * axes + axis] = ((double)order[point] + part) / (double)points;
        }
    }
    memory_free(order);
    return ERROR_NONE;
}

size_t designs_morris_points(size_t trajectories, size_t axes)
{
    return trajectories * (axes + 1);
}

/* One trajectory, levels as whole numbers. An axis that goes up starts in the lower half. */
static void walk(const struct random_stream *stream, uint32_t trajectory, size_t axes,
                 uint32_t *order, double *out_unit)
{
    const unsigned half = DESIGNS_MORRIS_LEVELS / 2;
    const double top = DESIGNS_MORRIS_LEVELS - 1;
    struct random_stream orders = *stream;
    orders.replicate = 1;
    for (size_t axis = 0; axis < axes; axis++) {
        struct random_block block = random_block_at(stream, trajectory, (uint32_t)axis);
        out_unit[axis] = (double)below(&block, 2 * half) / top;
    }
    shuffle(&orders, trajectory, order, axes);
    for (size_t step = 1; step <= axes; step++) {
        double *point = out_unit + step * axes;
        size_t axis = order[step - 1];
        memcpy(point, point - axes, axes * sizeof *point);
        unsigned level = (unsigned)(point[axis] * top + 0.5);
        point[axis] = (double)(level < half ? level + half : level - half) / top;
    }
}

int designs_morris(size_t trajectories, size_t axes, uint64_t seed, double *out_unit,
                   struct error *err)
{
    struct random_stream stream = random_stream_make(seed, 0, "designs.morris");
    int code = check_count(trajectories, "trajectories of a Morris design", err);
    if (code != ERROR_NONE)
        return code;
    uint32_t *order = memory_alloc(axes, sizeof *order);
    if (order == NULL)
        return error_memory(err, "a Morris design");
    for (size_t t = 0; t < trajectories; t++)
        walk(&stream, (uint32_t)t, axes, order, out_unit + t * (axes + 1) * axes);
    memory_free(order);
    return ERROR_NONE;
}
