#include "base/random.h"

#include <gsl/gsl_cdf.h>

/* FNV-1a, 32 bits: short, fixed by its two published constants, and good enough to keep a few
   dozen stream names apart. */
static uint32_t name_hash(const char *name)
{
    uint32_t hash = UINT32_C(2166136261);

    for (const unsigned char *byte = (const unsigned char *)name; *byte != '\0'; byte++)
        hash = (hash ^ *byte) * UINT32_C(16777619);
    return hash;
}

struct random_stream random_stream_make(uint64_t seed, uint32_t replicate, const char *name)
{
    struct random_stream stream = {
        .key = {(uint32_t)(seed & UINT32_MAX), (uint32_t)(seed >> 32)},
        .replicate = replicate,
        .name = name_hash(name),
    };

    return stream;
}

double random_normal(double uniform)
{
    return gsl_cdf_ugaussian_Pinv(uniform);
}
