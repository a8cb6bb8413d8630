#include "base/sobol.h"

#include <math.h>
#include <stdint.h>

#include <gsl/gsl_qrng.h>

enum { SEQUENCE_BITS = 30, BLOCK_LEVELS = 7 };

static uint32_t bit_of(const struct random_block *block, uint32_t i)
{
    return (block->word[i / 32] >> (i % 32)) & 1;
}

/*
 * A digit is flipped or not by a coin that belongs to the digits before it. Coins are the nodes of
 * a binary tree; the 127 nodes of seven levels below one prefix are bits of one block, addressed by
 * that prefix (with a leading 1, so that prefixes of every length differ) and the dimension.
 */
static uint32_t scramble(const struct random_stream *stream, uint32_t dimension, uint32_t digits)
{
    struct random_block block = {{0}};
    uint32_t scrambled = 0, node = 1;
    for (int level = 0; level < SEQUENCE_BITS; level++) {
        if (level % BLOCK_LEVELS == 0) {
            uint32_t prefix = digits >> (SEQUENCE_BITS - level);
            block = random_block_at(stream, (UINT32_C(1) << level) | prefix, dimension);
            node = 1;
        }
        uint32_t digit = (digits >> (SEQUENCE_BITS - 1 - level)) & 1;
        scrambled = (scrambled << 1) | (digit ^ bit_of(&block, node));
        node = (node << 1) | digit;
    }
    return scrambled;
}

int sobol_scrambled(size_t points, size_t dimensions, const struct random_stream *stream,
                    double *out_unit, struct error *err)
{
    double raw[SOBOL_DIMENSIONS_MAX] = {0.0};
    if (dimensions < 1 || dimensions > SOBOL_DIMENSIONS_MAX)
        return error_set(err, ERROR_SCENARIO,
                         "a Sobol sequence of %zu dimensions; expected 1 to %d", dimensions,
                         SOBOL_DIMENSIONS_MAX);
    if (points < 1 || points > SOBOL_POINTS_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu points of a Sobol sequence; expected 1 to %zu",
                         points, SOBOL_POINTS_MAX);
    gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)dimensions);
    if (sequence == NULL)
        return error_memory(err, "a Sobol sequence");
    for (size_t point = 0; point < points; point++) {
        if (point > 0)
            gsl_qrng_get(sequence, raw);
        for (size_t d = 0; d < dimensions; d++) {
            uint32_t digits = (uint32_t)ldexp(raw[d], SEQUENCE_BITS);
            double middle = (double)scramble(stream, (uint32_t)d, digits) + 0.5;
            out_unit[point * dimensions + d] = ldexp(middle, -SEQUENCE_BITS);
        }
    }
    gsl_qrng_free(sequence);
    return ERROR_NONE;
}
