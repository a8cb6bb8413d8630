/*
 * Ctrl-C and SIGTERM as a flag that long work looks at between steps. The handlers only set it;
 * a second signal ends the process at once by its default action.
 */
#ifndef LIQCASCADE_BASE_INTERRUPT_H
#define LIQCASCADE_BASE_INTERRUPT_H

#include <stdbool.h>

#include "base/error.h"

/* Installs the handlers for SIGINT and SIGTERM. Called once by the command. */
void interrupt_install(void);
/* True once a signal came. */
bool interrupt_pending(void);
/* ERROR_INTERRUPTED with a message when a signal came, else ERROR_NONE; the latter as well while
   the process is patient. */
int interrupt_check(struct error *err);

/* Patience: what is under way when the first signal comes is to be finished, and whoever hands out
   work looks at interrupt_pending. The handler then writes `notice` (static; may be NULL) to
   stderr. Not counted: the last call holds. */
void interrupt_set_patience(bool patient, const char *notice);

#endif
