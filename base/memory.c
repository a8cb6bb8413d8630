#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The largest block that the C library keeps (its own maximum), and how much of them. */
enum { KEPT_BLOCK = 32 << 20, KEPT_FREE = 256 << 20 };

/* Allocations left until one fails; 0 while no test asked for a failure. */
static atomic_long fail_countdown;

static bool must_fail(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return false;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

/* Bytes of `count` elements, at least 1; 0 when that overflows. */
static size_t byte_count(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)
        return 0;
    return bytes == 0 ? 1 : bytes;
}

void *memory_alloc(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);

    return bytes == 0 || must_fail() ? NULL : malloc(bytes);
}

void *memory_zeroed(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);

    return bytes == 0 || must_fail() ? NULL : calloc(1, bytes);
}

void *memory_resize(void *block, size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);

    return bytes == 0 || must_fail() ? NULL : realloc(block, bytes);
}

void *memory_grow(void *block, size_t *capacity, size_t needed, size_t size)
{
    size_t larger = *capacity < 8 ? 8 : *capacity;
    void *grown;

    if (needed <= *capacity && block != NULL)
        return block;
    while (larger < needed)
        if (__builtin_mul_overflow(larger, (size_t)2, &larger))
            return NULL;
    grown = memory_resize(block, larger, size);
    if (grown != NULL)
        *capacity = larger;
    return grown;
}

char *memory_text(const char *text)
{
    size_t size;
    char *copy;

    if (text == NULL)
        return NULL;
    size = strlen(text) + 1;
    copy = memory_alloc(size, 1);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void memory_free(void *block)
{
    free(block);
}

void memory_keep_freed(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK);
    mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
#endif
}

void memory_fail_after(long countdown)
{
    atomic_store(&fail_countdown, countdown);
}
