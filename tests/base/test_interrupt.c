/*
 * The first signal is a flag, the second ends the process. Each case runs in a child, because a
 * flag that is set stays set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.h"

/* Exit status 0 of the child: the signals left it alive and the flag told of them. */
static int status_after(const int *signals, int count)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct error err = {0};
        int clean;

        interrupt_install();
        clean = !interrupt_pending() && interrupt_check(&err) == ERROR_NONE;
        for (int i = 0; i < count; i++)
            raise(signals[i]);
        _exit(clean && interrupt_pending() && interrupt_check(&err) == ERROR_INTERRUPTED &&
                      err.code == ERROR_INTERRUPTED
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void one_signal_sets_the_flag(void **state)
{
    assert_int_equal(status_after((int[]){SIGINT}, 1), 0);
    assert_int_equal(status_after((int[]){SIGTERM}, 1), 0);
}

static void a_second_signal_ends_the_process(void **state)
{
    int status = status_after((int[]){SIGINT, SIGINT}, 2);

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    status = status_after((int[]){SIGINT, SIGTERM}, 2);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* Reads what a child wrote before it ended into `out`; returns its status. */
static int read_child(pid_t child, int from, char *out, size_t size)
{
    int status = -1;
    size_t length = 0;
    ssize_t got;

    while (length + 1 < size && (got = read(from, out + length, size - 1 - length)) > 0)
        length += (size_t)got;
    out[length] = '\0';
    close(from);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void patience_lets_work_finish_and_says_so(void **state)
{
    int ends[2];
    char said[64];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        interrupt_install();
        interrupt_set_patience(true, "finishing\n");
        raise(SIGINT);
        bool patient = interrupt_pending() && interrupt_check(NULL) == ERROR_NONE;
        interrupt_set_patience(false, NULL);
        _exit(patient && interrupt_check(NULL) == ERROR_INTERRUPTED ? 0 : 1);
    }
    close(ends[1]);
    int status = read_child(child, ends[0], said, sizeof said);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_string_equal(said, "finishing\n");
}

static void a_second_signal_ends_patience(void **state)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        interrupt_install();
        interrupt_set_patience(true, NULL);
        raise(SIGINT);
        raise(SIGINT);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_lets_work_finish_and_says_so),
        cmocka_unit_test(a_second_signal_ends_patience),
        cmocka_unit_test(one_signal_sets_the_flag),
        cmocka_unit_test(a_second_signal_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
