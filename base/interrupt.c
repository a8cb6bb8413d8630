#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Lock-free, so that a handler may write and read them while several threads do. */
static atomic_int pending, patience;
static _Atomic(const char *) notice_text;

static void say(const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

/* Ends both handlers at once: after Ctrl-C, SIGTERM is a second signal too. */
static void handle_signal(int number)
{
    int saved_errno = errno;
    const char *notice = atomic_load(&notice_text);
    (void)number;
    atomic_store(&pending, 1);
    if (atomic_load(&patience) && notice != NULL)
        say(notice);
    errno = saved_errno;
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
    if (!interrupt_pending() || atomic_load_explicit(&patience, memory_order_relaxed) != 0)
        return ERROR_NONE;
    return error_set(err, ERROR_INTERRUPTED, "interrupted");
}

void interrupt_set_patience(bool patient, const char *notice)
{
    atomic_store(&notice_text, notice);
    atomic_store(&patience, patient ? 1 : 0);
}
