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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_signal_sets_the_flag),
        cmocka_unit_test(a_second_signal_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
