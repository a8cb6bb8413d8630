/*
 * Allocation with overflow checks and failure injection. All memory of the library comes from
 * here, so a test can make the n-th allocation fail and see that nothing leaks or is half done.
 */
#ifndef LIQCASCADE_BASE_MEMORY_H
#define LIQCASCADE_BASE_MEMORY_H

#include <stddef.h>

/* `count * size` bytes, uninitialised; NULL when that overflows or memory is short. A product
   of 0 gives a valid pointer of 1 byte. Freed with memory_free. */
void *memory_alloc(size_t count, size_t size);
/* The same, zeroed. */
void *memory_zeroed(size_t count, size_t size);
/* Resizes to `count * size` bytes; on failure returns NULL and leaves `block` as it was. */
void *memory_resize(void *block, size_t count, size_t size);
/* Grows `*capacity` (elements) to at least `needed`, doubling; returns the block, which may have
   moved, or NULL and leaves block and capacity as they were. */
void *memory_grow(void *block, size_t *capacity, size_t needed, size_t size);
/* A copy of a string; NULL for NULL or when memory is short. */
char *memory_text(const char *text);
void memory_free(void *block);

/* From here on freed memory is kept for the next allocation: for work that makes and frees the same
   large arrays over and over, which would else be given back to the system and taken anew each
   time. */
void memory_keep_freed(void);

/* Test hook: the `countdown`-th allocation from now fails (1: the next); 0 switches it off. */
void memory_fail_after(long countdown);

#endif
