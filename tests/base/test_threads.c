/*
 * Who decides the number of threads: the option, OMP_NUM_THREADS, Slurm, the affinity mask.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <omp.h>
#include <sched.h>
#include <stdlib.h>

#include "base/threads.h"

static int clear_environment(void **state)
{
    unsetenv("OMP_NUM_THREADS");
    unsetenv("SLURM_CPUS_PER_TASK");
    return 0;
}

static void each_source_yields_to_the_one_before_it(void **state)
{
    setenv("SLURM_CPUS_PER_TASK", "5", 1);
    assert_int_equal(threads_choose(0), 5);
    setenv("OMP_NUM_THREADS", "3", 1);
    assert_int_equal(threads_choose(0), 3);
    assert_int_equal(threads_choose(7), 7);
}

static void a_list_of_nesting_levels_gives_its_first(void **state)
{
    setenv("OMP_NUM_THREADS", "4,2", 1);
    assert_int_equal(threads_choose(0), 4);
}

static void what_is_no_count_is_passed_over(void **state)
{
    static const char *const texts[] = {"", "0", "-2", "many", "4x", "99999999999999999999"};

    setenv("SLURM_CPUS_PER_TASK", "5", 1);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        setenv("OMP_NUM_THREADS", texts[i], 1);
        assert_int_equal(threads_choose(0), 5);
    }
    assert_int_equal(threads_choose(-1), 5);
}

static void without_advice_every_allowed_cpu_is_used(void **state)
{
    cpu_set_t all, one;
    size_t first = 0;

    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    assert_int_equal(threads_choose(0), CPU_COUNT(&all));
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(threads_choose(0), 1);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void openmp_is_told(void **state)
{
    int seen = 0;

    assert_int_equal(threads_set(3), 3);
#pragma omp parallel
    {
#pragma omp single
        seen = omp_get_num_threads();
    }
    assert_int_equal(seen, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_source_yields_to_the_one_before_it, clear_environment),
        cmocka_unit_test_setup(a_list_of_nesting_levels_gives_its_first, clear_environment),
        cmocka_unit_test_setup(what_is_no_count_is_passed_over, clear_environment),
        cmocka_unit_test_setup(without_advice_every_allowed_cpu_is_used, clear_environment),
        cmocka_unit_test_setup(openmp_is_told, clear_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
