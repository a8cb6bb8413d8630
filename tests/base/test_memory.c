/*
 * Allocation: overflow is a failure, not a small block; failures come where a test asks for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

static void products_that_overflow_are_refused(void **state)
{
    assert_null(memory_alloc(SIZE_MAX, 2));
    assert_null(memory_zeroed(SIZE_MAX / 2, 3));
    assert_null(memory_alloc(SIZE_MAX, 1)); /* no object is larger than PTRDIFF_MAX */
}

static void nothing_is_a_block_that_can_be_freed(void **state)
{
    void *none = memory_alloc(0, 8), *zeroed = memory_zeroed(8, 0);

    assert_non_null(none);
    assert_non_null(zeroed);
    none = memory_resize(none, 0, 8);
    assert_non_null(none);
    memory_free(none);
    memory_free(zeroed);
    memory_free(NULL);
}

static void zeroed_memory_is_zero(void **state)
{
    char *block = memory_zeroed(1000, 3);

    assert_non_null(block);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(block[i], 0);
    memory_free(block);
}

static void a_failed_resize_leaves_the_block(void **state)
{
    char *block = memory_alloc(8, 1);

    assert_non_null(block);
    memcpy(block, "content", 8);
    assert_null(memory_resize(block, SIZE_MAX, 2));
    memory_fail_after(1);
    assert_null(memory_resize(block, 16, 1));
    memory_fail_after(0);
    assert_string_equal(block, "content");
    memory_free(block);
}

static void growing_doubles_and_keeps_the_content(void **state)
{
    size_t capacity = 0, moves = 0;
    int *numbers = NULL;

    for (int i = 0; i < 10000; i++) {
        size_t before = capacity;
        int *grown = memory_grow(numbers, &capacity, (size_t)i + 1, sizeof(*numbers));

        assert_non_null(grown);
        assert_true(capacity > (size_t)i);
        moves += capacity != before;
        numbers = grown;
        numbers[i] = i;
    }
    assert_in_range(moves, 5, 14); /* log2(10000) and no more */
    for (int i = 0; i < 10000; i++)
        assert_int_equal(numbers[i], i);
    memory_free(numbers);
}

static void a_failed_growth_leaves_block_and_capacity(void **state)
{
    size_t capacity = 0;
    char *block = memory_grow(NULL, &capacity, 8, 1), *same = block;
    size_t before = capacity;

    assert_non_null(block);
    memory_fail_after(1);
    assert_null(memory_grow(block, &capacity, 1000, 1));
    memory_fail_after(0);
    assert_int_equal(capacity, before);
    assert_null(memory_grow(block, &capacity, SIZE_MAX, 1));
    assert_null(memory_grow(block, &capacity, SIZE_MAX / 4, 8));
    assert_int_equal(capacity, before);
    assert_ptr_equal(memory_grow(block, &capacity, before, 1), same);
    memory_free(block);
}

static void the_nth_allocation_fails_and_only_that(void **state)
{
    void *blocks[4];

    memory_fail_after(3);
    for (int i = 0; i < 4; i++)
        blocks[i] = memory_alloc(1, 1);
    memory_fail_after(0);
    assert_non_null(blocks[0]);
    assert_non_null(blocks[1]);
    assert_null(blocks[2]);
    assert_non_null(blocks[3]);
    for (int i = 0; i < 4; i++)
        memory_free(blocks[i]);
}

static void texts_are_copied(void **state)
{
    const char *text = "BTCUSDT";
    char *copy = memory_text(text);

    assert_string_equal(copy, text);
    assert_ptr_not_equal(copy, text);
    memory_free(copy);
    assert_null(memory_text(NULL));
    memory_fail_after(1);
    assert_null(memory_text(text));
    memory_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(nothing_is_a_block_that_can_be_freed),
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(a_failed_resize_leaves_the_block),
        cmocka_unit_test(growing_doubles_and_keeps_the_content),
        cmocka_unit_test(a_failed_growth_leaves_block_and_capacity),
        cmocka_unit_test(the_nth_allocation_fails_and_only_that),
        cmocka_unit_test(texts_are_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
