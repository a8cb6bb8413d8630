/*
 * Addressed random numbers: a draw is a pure function of its address, never of how many draws
 * came before. The generator is Philox4x32-10 (Salmon et al., SC'11, "Parallel random numbers:
 * as easy as 1, 2, 3"), from Random123. The same address gives the same number at any number of
 * threads, shards, ranks or resumes; sweep points share addresses (common random numbers).
 *
 *     struct random_stream stream = random_stream_make(seed, replicate, "book.long");
 *     struct random_block block = random_block_at(&stream, bar, ordinal);
 *     double u = random_uniform(block.word[0]);
 */
#ifndef LIQCASCADE_BASE_RANDOM_H
#define LIQCASCADE_BASE_RANDOM_H

#include <stdint.h>

#include <Random123/philox.h>

struct random_stream {
    uint32_t key[2]; /* the seed */
    uint32_t replicate;
    uint32_t name; /* 32-bit FNV-1a hash of the stream's name */
};

struct random_block {
    uint32_t word[4];
};

struct random_stream random_stream_make(uint64_t seed, uint32_t replicate, const char *name);

/* The four 32-bit words at (bar, ordinal) of a stream. */
static inline struct random_block random_block_at(const struct random_stream *stream, uint32_t bar,
                                                  uint32_t ordinal)
{
    philox4x32_ctr_t counter = {{stream->replicate, stream->name, bar, ordinal}};
    philox4x32_key_t key = {{stream->key[0], stream->key[1]}};
    philox4x32_ctr_t out = philox4x32(counter, key);
    struct random_block block = {{out.v[0], out.v[1], out.v[2], out.v[3]}};
    return block;
}

/* A word as a number in (0, 1), never 0 or 1: (word + 1/2) / 2^32. */
static inline double random_uniform(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32;
}

/* Two words as a number in (0, 1) with 53 bits. */
static inline double random_uniform53(uint32_t high, uint32_t low)
{
    uint64_t bits = (((uint64_t)high << 32) | low) >> 12; /* 52 bits */
    return ((double)bits + 0.5) * 0x1p-52;
}

/* A standard normal from a number in (0, 1), by inversion (GSL). */
double random_normal(double uniform);

#endif
