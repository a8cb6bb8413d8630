/* Rests of positions liquidated in part: who is first, who is left alone and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/rests.h"

enum { CLASSES = 3 };

/* Of one class or two (RESTS_NONE), ready at a time. Returns its number. */
static uint32_t add(struct rests *rests, uint32_t first, double key, uint32_t second,
                    double second_key, int64_t ready_ms)
{
    struct rest rest = {
        .class_id = {first, second}, .key = {key, second_key}, .bar = 5, .ready_ms = ready_ms};
    struct error err = {0};
    uint32_t number;
    assert_int_equal(rests_add(rests, &rest, 0, &number, &err), ERROR_NONE);
    return number;
}

static uint32_t first_of(struct rests *rests, int class_id)
{
    const struct rests_entry *entry = rests_first(rests, class_id, 0);
    return entry == NULL ? RESTS_NONE : entry->rest;
}

static void release(struct rests *rests, int64_t now_ms, bool some)
{
    struct error err = {0};
    bool any;
    assert_int_equal(rests_release(rests, now_ms, &any, &err), ERROR_NONE);
    assert_int_equal(any, some);
}

static void the_highest_key_is_first_and_of_equal_ones_the_eldest(void **state)
{
    struct rests rests;
    rests_init(&rests, CLASSES);
    const double keys[] = {2.0, 5.0, 3.0, 5.0, 1.0, 4.0};
    const uint32_t order[] = {1, 3, 5, 2, 0, 4};
    for (int i = 0; i < 6; i++)
        assert_int_equal(add(&rests, 1, keys[i], RESTS_NONE, 0.0, 0), i);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(first_of(&rests, 1), order[i]);
        rests_take(&rests, order[i]);
    }
    assert_int_equal(first_of(&rests, 1), RESTS_NONE);
    assert_int_equal(first_of(&rests, 0), RESTS_NONE);
    rests_free(&rests);
}

static void a_rest_near_an_edge_may_fire_in_either_bracket_but_once(void **state)
{
    struct rests rests;
    rests_init(&rests, CLASSES);
    uint32_t both = add(&rests, 0, 7.0, 2, 6.0, 0), other = add(&rests, 2, 5.0, RESTS_NONE, 0.0, 0);
    assert_int_equal(first_of(&rests, 0), both);
    assert_int_equal(first_of(&rests, 2), both);
    assert_int_equal(rests_first(&rests, 2, 0)->place, 1);
    rests_take(&rests, both);
    assert_int_equal(first_of(&rests, 0), RESTS_NONE);
    assert_int_equal(first_of(&rests, 2), other);
    rests_free(&rests);
}

static void a_rest_that_is_left_alone_comes_back_in_its_time(void **state)
{
    struct rests rests;
    rests_init(&rests, CLASSES);
    uint32_t late = add(&rests, 0, 9.0, RESTS_NONE, 0.0, 60000);
    uint32_t soon = add(&rests, 0, 8.0, RESTS_NONE, 0.0, 30000);
    uint32_t now = add(&rests, 0, 7.0, RESTS_NONE, 0.0, 0);
    assert_int_equal(first_of(&rests, 0), now);
    release(&rests, 29999, false);
    assert_int_equal(first_of(&rests, 0), now);
    release(&rests, 30000, true);
    assert_int_equal(first_of(&rests, 0), soon);
    release(&rests, 90000, true);
    assert_int_equal(first_of(&rests, 0), late);
    release(&rests, 90000, false);
    rests_free(&rests);
}

static void rests_of_expired_bars_are_gone(void **state)
{
    struct rests rests;
    rests_init(&rests, CLASSES);
    add(&rests, 0, 9.0, RESTS_NONE, 0.0, 0);
    assert_non_null(rests_first(&rests, 0, 5));
    assert_null(rests_first(&rests, 0, 6));
    rests_free(&rests);
}

/* Adds and releases with the n-th allocation failing; true when none failed. */
static bool survives(long countdown)
{
    struct rests rests;
    struct error err = {0};
    struct rest rest = {.class_id = {0, 1}};
    uint32_t number;
    bool any;
    rests_init(&rests, CLASSES);
    memory_fail_after(countdown);
    int code = rests_add(&rests, &rest, 0, &number, &err);
    rest.ready_ms = 10;
    if (code == ERROR_NONE)
        code = rests_add(&rests, &rest, 0, &number, &err);
    if (code == ERROR_NONE)
        code = rests_release(&rests, 10, &any, &err);
    memory_fail_after(0);
    rests_free(&rests);
    assert_true(code == ERROR_NONE || code == ERROR_IO);
    return code == ERROR_NONE;
}

static void rests_without_memory_say_so(void **state)
{
    long failures = 0;
    while (!survives(failures + 1))
        failures++;
    assert_true(failures >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_key_is_first_and_of_equal_ones_the_eldest),
        cmocka_unit_test(a_rest_near_an_edge_may_fire_in_either_bracket_but_once),
        cmocka_unit_test(a_rest_that_is_left_alone_comes_back_in_its_time),
        cmocka_unit_test(rests_of_expired_bars_are_gone),
        cmocka_unit_test(rests_without_memory_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
