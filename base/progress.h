/*
 * Progress on a terminal: one line on stderr with done/total, rate and time left, redrawn at most
 * ten times a second, wiped at the end. Safe to advance from several threads.
 */
#ifndef LIQCASCADE_BASE_PROGRESS_H
#define LIQCASCADE_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

/* Sets the mode of the process; PROGRESS_AUTO shows it only when stderr is a terminal and TERM is
   not `dumb`. */
void progress_set_mode(enum progress_mode mode);

struct progress {
    const char *label; /* not owned */
    const char *unit;  /* "bars", "positions" */
    int64_t total;
    int64_t done;
    int64_t started_ns, drawn_ns;
    bool shown;
};
void progress_start(struct progress *self, const char *label, const char *unit, int64_t total);
void progress_add(struct progress *self, int64_t amount);
void progress_end(struct progress *self);

#endif
