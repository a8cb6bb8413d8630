#include "tests/statistical/cascade_sizes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "tests/sim/laboratory.h"

#define FIELD_LEVELS 100000
#define PRICE 100.0
#define UNIT_LOG 0.1     /* log price of a field's [0, 1] */
#define SPACING_LOG 1e-6 /* mean distance of Poisson levels */
#define JUST_BEYOND (1.0 - 1e-13)

struct field {
    struct laboratory lab;
    struct replay replay;
};

static void field_open(struct field *self, const struct laboratory_level *levels, size_t count,
                       double push_log)
{
    laboratory_make(&self->lab, PRICE, 0.0, levels, count, push_log, 1);
    laboratory_replay(&self->lab, true, &self->replay);
}

static void field_close(struct field *self)
{
    replay_free(&self->replay);
    laboratory_free(&self->lab);
}

/* The exogenous price moves to `exogenous`; returns how many fired. */
static size_t field_move(struct field *self, double exogenous)
{
    return laboratory_node(&self->replay, exogenous, NAN);
}

static double uniform_at(const struct random_stream *stream, uint32_t bar, uint32_t ordinal)
{
    struct random_block block = random_block_at(stream, bar, ordinal);
    return random_uniform53(block.word[0], block.word[1]);
}

void cascade_sizes_uniform(uint64_t seed, size_t replicates, size_t levels, double shock,
                           double push, int64_t *out_counts)
{
    struct random_stream stream = random_stream_make(seed, 0, "uniform levels");
    struct laboratory_level *field_levels = calloc(levels, sizeof *field_levels);
    assert_non_null(field_levels);
    for (size_t i = 0; i <= levels; i++)
        out_counts[i] = 0;
    for (size_t r = 0; r < replicates; r++) {
        struct field field;
        for (size_t i = 0; i < levels; i++)
            field_levels[i] = (struct laboratory_level){
                UNIT_LOG * uniform_at(&stream, (uint32_t)r, (uint32_t)i), 1.0};
        field_open(&field, field_levels, levels, UNIT_LOG * push);
        out_counts[field_move(&field, PRICE * exp(-UNIT_LOG * shock))]++;
        field_close(&field);
    }
    free(field_levels);
}

/* Levels at the points of a Poisson process, `count` of them. */
static void poisson_levels(const struct random_stream *stream, uint32_t bar,
                           struct laboratory_level *levels, size_t count)
{
    double distance = 0.0;
    for (size_t i = 0; i < count; i++) {
        distance -= SPACING_LOG * log(uniform_at(stream, bar, (uint32_t)i));
        levels[i] = (struct laboratory_level){distance, 1.0};
    }
}

/* Moves the market to the next level left and returns how many fire. */
static size_t fire_next(struct field *field)
{
    double impact = prices_impact_log(&field->replay.prices);
    double trigger = ladder_peek(&field->replay.ladder, 0, BOOK_LONG)->trigger_price;
    return field_move(field, trigger * exp(-impact) * JUST_BEYOND);
}

/* Fires a field to its end; the last cascade, which may have been cut by it, is dropped. A cascade
   is dropped only for where it lies, and few are, but a field must be long against a cascade. */
static size_t field_sizes(const struct random_stream *stream, uint32_t bar, double ratio,
                          struct laboratory_level *levels, size_t room, uint32_t *out_sizes)
{
    struct field field;
    size_t count = 0, fired = 0;
    poisson_levels(stream, bar, levels, FIELD_LEVELS);
    field_open(&field, levels, FIELD_LEVELS, ratio * SPACING_LOG);
    while (count < room) {
        size_t size = fire_next(&field);
        fired += size;
        if (fired == FIELD_LEVELS)
            break;
        out_sizes[count++] = (uint32_t)size;
    }
    field_close(&field);
    return count;
}

void cascade_sizes_poisson(uint64_t seed, double ratio, size_t count, uint32_t *out_sizes)
{
    struct random_stream stream = random_stream_make(seed, 0, "poisson levels");
    struct laboratory_level *levels = calloc(FIELD_LEVELS, sizeof *levels);
    assert_non_null(levels);
    size_t done = 0;
    for (uint32_t bar = 0; done < count; bar++)
        done += field_sizes(&stream, bar, ratio, levels, count - done, out_sizes + done);
    free(levels);
}

double cascade_sizes_tail(uint64_t seed, double ratio, size_t replicates, size_t size)
{
    struct random_stream stream = random_stream_make(seed, 0, "poisson tails");
    struct laboratory_level *levels = calloc(size, sizeof *levels);
    assert_non_null(levels);
    size_t reached = 0;
    for (size_t r = 0; r < replicates; r++) {
        struct field field;
        poisson_levels(&stream, (uint32_t)r, levels, size);
        field_open(&field, levels, size, ratio * SPACING_LOG);
        reached += fire_next(&field) == size;
        field_close(&field);
    }
    free(levels);
    return (double)reached / (double)replicates;
}
