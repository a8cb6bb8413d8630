#include "base/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* Lock-free, so that a handler may write it while several threads read it. */
static atomic_int pending;

/* Ends both handlers at once: after Ctrl-C, SIGTERM is a second signal too. */
static void handle_signal(int number)
{
    (void)number;
    atomic_store(&pending, 1);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void interrupt_install(void)
{
    /* SA_RESTART: a read that was under way finishes, and the loop around it looks at the flag. */
    struct sigaction action = {.sa_handler = handle_signal, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupt_pending(void)
{
    return atomic_load_explicit(&pending, memory_order_relaxed) != 0;
}

int interrupt_check(struct error *err)
{
    if (!interrupt_pending())
        return ERROR_NONE;
    return error_set(err, ERROR_INTERRUPTED, "interrupted");
}
