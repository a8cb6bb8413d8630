/*
 * Every process of a cluster knows its part, all parts together are the whole once, and an
 * environment that makes no sense is told instead of half followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ranks.h"

static int clear_environment(void **state)
{
    static const char *const names[] = {"SLURM_ARRAY_TASK_ID",
                                        "SLURM_ARRAY_TASK_MIN",
                                        "SLURM_ARRAY_TASK_MAX",
                                        "SLURM_ARRAY_TASK_STEP",
                                        "SLURM_PROCID",
                                        "SLURM_ARRAY_TASK_COUNT",
                                        "SLURM_NTASKS",
                                        "SLURM_STEP_ID",
                                        "SLURM_STEP_NUM_TASKS",
                                        "OMPI_COMM_WORLD_RANK",
                                        "OMPI_COMM_WORLD_SIZE",
                                        "PMI_RANK",
                                        "PMI_SIZE",
                                        "PMIX_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    return 0;
}

/* "NAME=VALUE NAME=VALUE ..." and nothing else of ours. */
static void environment(const char *text)
{
    char copy[512], *rest = copy;
    clear_environment(NULL);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *equal = strchr(word, '=');
        assert_non_null(equal);
        *equal = '\0';
        setenv(word, equal + 1, 1);
    }
}

static void expect(const char *text, int rank, int size, const char *from)
{
    struct error err = {0};
    struct ranks ranks;
    environment(text);
    if (ranks_choose(NULL, &ranks, &err) != ERROR_NONE)
        fail_msg("%s: %s: %s", text, err.key, err.message);
    if (ranks.rank != rank || ranks.size != size)
        fail_msg("%s: %d of %d; expected %d of %d", text, ranks.rank, ranks.size, rank, size);
    assert_string_equal(ranks.from, from);
}

/* Refused, and told by the variable to look at. */
static void expect_error(const char *text, const char *key)
{
    struct error err = {0};
    struct ranks ranks;
    environment(text);
    if (ranks_choose(NULL, &ranks, &err) != ERROR_USAGE)
        fail_msg("%s: %d of %d; expected an error", text, ranks.rank, ranks.size);
    printf("told: %s: %s\n", err.key, err.message);
    assert_string_equal(err.key, key);
    assert_non_null(strstr(err.message, "--shard"));
}

static void the_option_counts_from_one(void **state)
{
    struct error err = {0};
    struct ranks ranks;
    assert_int_equal(ranks_choose("1/16", &ranks, &err), ERROR_NONE);
    assert_int_equal(ranks.rank, 0);
    assert_int_equal(ranks.size, 16);
    assert_int_equal(ranks_choose("16/16", &ranks, &err), ERROR_NONE);
    assert_int_equal(ranks.rank, 15);
    assert_string_equal(ranks.from, "--shard");
}

static void the_option_goes_before_any_environment(void **state)
{
    struct error err = {0};
    struct ranks ranks;
    environment("OMPI_COMM_WORLD_RANK=7 OMPI_COMM_WORLD_SIZE=9 PMI_RANK=many");
    assert_int_equal(ranks_choose("2/3", &ranks, &err), ERROR_NONE);
    assert_int_equal(ranks.rank, 1);
    assert_int_equal(ranks.size, 3);
}

static void the_option_is_read_strictly(void **state)
{
    static const char *const texts[] = {"",
                                        "3",
                                        "/",
                                        "3/",
                                        "/3",
                                        "0/3",
                                        "4/3",
                                        "1/0",
                                        "-1/3",
                                        "+1/3",
                                        " 1/3",
                                        "1/3 ",
                                        "1/3/4",
                                        "1.0/3",
                                        "1/0x3",
                                        "a/b",
                                        "1 /3",
                                        "1/1000001",
                                        "1/99999999999",
                                        "4294967297/4294967297"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err = {0};
        struct ranks ranks;
        if (ranks_choose(texts[i], &ranks, &err) != ERROR_USAGE)
            fail_msg("--shard \"%s\" was taken", texts[i]);
        assert_string_equal(err.key, "--shard");
        assert_true(err.message[0] != '\0');
    }
}

static void a_process_without_a_launcher_does_everything(void **state)
{
    expect("", 0, 1, "this process alone");
}

static void mpirun_and_srun_give_ranks_and_sizes(void **state)
{
    expect("OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=3", 2, 3, "Open MPI");
    expect("PMI_RANK=0 PMI_SIZE=48", 0, 48, "PMI");
    expect("SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=8 SLURM_NTASKS=16", 5, 8, "srun");
    expect("SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_NTASKS=16", 5, 16, "srun");
}

/* sbatch --ntasks=16 gives the script 16 places and runs it once. */
static void a_batch_script_is_one_process(void **state)
{
    expect("SLURM_PROCID=0 SLURM_NTASKS=16", 0, 1, "this process alone");
    expect("SLURM_NTASKS=16", 0, 1, "this process alone");
}

#define ARRAY(id, min, max, count, step)                                                   \
    "SLURM_PROCID=0 SLURM_NTASKS=1 SLURM_ARRAY_TASK_ID=" #id " SLURM_ARRAY_TASK_MIN=" #min \
    " SLURM_ARRAY_TASK_MAX=" #max " SLURM_ARRAY_TASK_COUNT=" #count                        \
    " SLURM_ARRAY_TASK_STEP=" #step

static void an_array_counts_from_its_least_id_by_its_step(void **state)
{
    expect(ARRAY(0, 0, 31, 32, 1), 0, 32, "a Slurm array");
    expect(ARRAY(31, 0, 31, 32, 1), 31, 32, "a Slurm array");
    expect(ARRAY(16, 1, 16, 16, 1), 15, 16, "a Slurm array");
    expect(ARRAY(1, 1, 7, 4, 2), 0, 4, "a Slurm array");
    expect(ARRAY(7, 1, 7, 4, 2), 3, 4, "a Slurm array");
    expect(ARRAY(12, 12, 12, 1, 0), 0, 1, "a Slurm array");
    expect("SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=5", 2, 5,
           "a Slurm array");
}

/* --array=1,2,5: three tasks, but the ids do not say which is the how-manieth. */
static void an_array_with_gaps_is_refused_by_each_task(void **state)
{
    expect_error(ARRAY(1, 1, 5, 3, 1), "SLURM_ARRAY_TASK_ID");
    expect_error(ARRAY(2, 1, 5, 3, 1), "SLURM_ARRAY_TASK_ID");
    expect_error(ARRAY(5, 1, 5, 3, 1), "SLURM_ARRAY_TASK_ID");
    expect_error("SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3",
                 "SLURM_ARRAY_TASK_ID");
    expect_error(ARRAY(2, 1, 7, 4, 2), "SLURM_ARRAY_TASK_ID");
    expect_error(ARRAY(0, 1, 4, 4, 1), "SLURM_ARRAY_TASK_ID");
    expect_error(ARRAY(1, 1, 4, 4, 0), "SLURM_ARRAY_TASK_ID");
    expect_error(ARRAY(1, 1, 0, 0, 1), "SLURM_ARRAY_TASK_ID");
    expect_error("SLURM_ARRAY_TASK_ID=5", "SLURM_ARRAY_TASK_COUNT");
    expect_error(ARRAY(1, 1, 999999999, 999999999, 1), "SLURM_ARRAY_TASK_COUNT");
}

/* Four array tasks of three processes: twelve ranks, each once. */
static void processes_of_array_tasks_multiply(void **state)
{
    int seen[12] = {0};
    for (int task = 0; task < 4; task++)
        for (int process = 0; process < 3; process++) {
            char text[256];
            struct error err = {0};
            struct ranks ranks;
            snprintf(text, sizeof text,
                     "SLURM_ARRAY_TASK_ID=%d SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_MAX=25 "
                     "SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_STEP=5 "
                     "OMPI_COMM_WORLD_RANK=%d OMPI_COMM_WORLD_SIZE=3",
                     10 + 5 * task, process);
            environment(text);
            assert_int_equal(ranks_choose(NULL, &ranks, &err), ERROR_NONE);
            assert_int_equal(ranks.size, 12);
            assert_in_range(ranks.rank, 0, 11);
            assert_string_equal(ranks.from, "a Slurm array of Open MPI's processes");
            assert_int_equal(ranks.rank, 3 * task + process);
            seen[ranks.rank]++;
        }
    for (int i = 0; i < 12; i++)
        assert_int_equal(seen[i], 1);
    expect_error(ARRAY(0, 0, 99999, 100000, 1) " PMI_RANK=0 PMI_SIZE=48", "SLURM_ARRAY_TASK_COUNT");
}

/* mpirun on three nodes: two daemons started by srun, 48 ranks below them. */
static void the_daemons_of_mpirun_are_not_its_ranks(void **state)
{
    expect("SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 "
           "OMPI_COMM_WORLD_RANK=40 OMPI_COMM_WORLD_SIZE=48 PMIX_RANK=40",
           40, 48, "Open MPI");
    expect("SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 PMI_RANK=3 PMI_SIZE=4", 3, 4,
           "PMI");
}

static void launchers_that_contradict_each_other_are_refused(void **state)
{
    expect_error("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 PMI_RANK=2 PMI_SIZE=4", "PMI_RANK");
    expect_error("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 PMI_RANK=1 PMI_SIZE=8", "PMI_RANK");
    expect_error("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 PMIX_RANK=2", "PMIX_RANK");
    expect_error("SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=8 PMIX_RANK=4", "PMIX_RANK");
    expect_error("SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=8 "
                 "OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=1",
                 "OMPI_COMM_WORLD_RANK");
    expect("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 PMI_RANK=1 PMI_SIZE=4 PMIX_RANK=1", 1, 4,
           "Open MPI");
    expect("SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=8 PMIX_RANK=5", 5, 8, "srun");
}

static void nonsense_is_refused(void **state)
{
    expect_error("PMIX_RANK=3", "PMIX_RANK");
    expect_error("OMPI_COMM_WORLD_RANK=4 OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK");
    expect_error("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=0", "OMPI_COMM_WORLD_SIZE");
    expect_error("OMPI_COMM_WORLD_RANK=0", "OMPI_COMM_WORLD_SIZE");
    expect_error("OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK");
    expect_error("PMI_RANK=0", "PMI_SIZE");
    expect_error("PMI_RANK=-1 PMI_SIZE=4", "PMI_RANK");
    expect_error("PMI_RANK=1x PMI_SIZE=4", "PMI_RANK");
    expect_error("PMI_RANK= PMI_SIZE=4", "PMI_RANK");
    expect_error("SLURM_STEP_NUM_TASKS=4", "SLURM_PROCID");
    expect_error("SLURM_STEP_ID=0 SLURM_PROCID=1", "SLURM_NTASKS");
    expect_error("PMI_RANK=1 PMI_SIZE=2000000", "PMI_SIZE");
}

static void every_point_belongs_to_one_rank(void **state)
{
    for (int size = 1; size <= 9; size++)
        for (uint64_t items = 0; items < 30; items++) {
            uint64_t shared = 0;
            for (int rank = 0; rank < size; rank++) {
                struct ranks ranks = {.rank = rank, .size = size};
                uint64_t owned = 0;
                for (uint64_t item = 0; item < items; item++)
                    owned += ranks_owns(&ranks, item);
                assert_int_equal(ranks_share(&ranks, items), owned);
                shared += owned;
            }
            assert_int_equal(shared, items);
        }
    assert_true(ranks_owns(&(struct ranks){.rank = 2, .size = 5}, 17)); /* 17 mod 5 = 2 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_option_counts_from_one, clear_environment),
        cmocka_unit_test_setup(the_option_goes_before_any_environment, clear_environment),
        cmocka_unit_test_setup(the_option_is_read_strictly, clear_environment),
        cmocka_unit_test_setup(a_process_without_a_launcher_does_everything, clear_environment),
        cmocka_unit_test_setup(mpirun_and_srun_give_ranks_and_sizes, clear_environment),
        cmocka_unit_test_setup(a_batch_script_is_one_process, clear_environment),
        cmocka_unit_test_setup(an_array_counts_from_its_least_id_by_its_step, clear_environment),
        cmocka_unit_test_setup(an_array_with_gaps_is_refused_by_each_task, clear_environment),
        cmocka_unit_test_setup(processes_of_array_tasks_multiply, clear_environment),
        cmocka_unit_test_setup(the_daemons_of_mpirun_are_not_its_ranks, clear_environment),
        cmocka_unit_test_setup(launchers_that_contradict_each_other_are_refused, clear_environment),
        cmocka_unit_test_setup(nonsense_is_refused, clear_environment),
        cmocka_unit_test_setup(every_point_belongs_to_one_rank, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
