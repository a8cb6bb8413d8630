#include "base/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define REDRAW_NS INT64_C(100000000)

static enum progress_mode process_mode = PROGRESS_AUTO;

void progress_set_mode(enum progress_mode mode)
{
    process_mode = mode;
}

static bool on_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void progress_start(struct progress *self, const char *label, const char *unit, int64_t total)
{
    int64_t now = now_ns();

    *self = (struct progress){
        .label = label,
        .unit = unit,
        .total = total,
        .started_ns = now,
        .drawn_ns = now, /* work shorter than one redraw shows nothing */
        .shown =
            process_mode == PROGRESS_ALWAYS || (process_mode == PROGRESS_AUTO && on_terminal()),
    };
}

/* `40 s`, `3 min`, `2 h`. */
static void format_left(double seconds, char *buffer, size_t size)
{
    if (seconds < 100)
        snprintf(buffer, size, "%.0f s", seconds);
    else if (seconds < 100 * 60)
        snprintf(buffer, size, "%.0f min", seconds / 60);
    else
        snprintf(buffer, size, "%.0f h", seconds / 3600);
}

static void draw(const struct progress *self, int64_t done, int64_t now)
{
    double elapsed = (double)(now - self->started_ns) * 1e-9;
    double rate = elapsed > 0 ? (double)done / elapsed : 0.0;
    char rate_text[32], left[32] = "?";

    text_human(rate, "", rate_text);
    if (rate > 0 && self->total > done)
        format_left((double)(self->total - done) / rate, left, sizeof(left));
    if (self->total > 0)
        fprintf(stderr, "\r\033[K%s %lld/%lld %s (%.0f %%), %s/s, %s left", self->label,
                (long long)done, (long long)self->total, self->unit,
                100.0 * (double)done / (double)self->total, rate_text, left);
    else
        fprintf(stderr, "\r\033[K%s %lld %s, %s/s", self->label, (long long)done, self->unit,
                rate_text);
    fflush(stderr);
}

void progress_add(struct progress *self, int64_t amount)
{
    int64_t done = __atomic_add_fetch(&self->done, amount, __ATOMIC_RELAXED);
    int64_t now, drawn;

    if (!self->shown)
        return;
    now = now_ns();
    drawn = __atomic_load_n(&self->drawn_ns, __ATOMIC_RELAXED);
    if (now - drawn < REDRAW_NS)
        return;
    /* Of the threads that come here at once, the one that moves the stamp draws. */
    if (__atomic_compare_exchange_n(&self->drawn_ns, &drawn, now, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        draw(self, done, now);
}

void progress_end(struct progress *self)
{
    if (self->shown && self->drawn_ns != self->started_ns) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
    self->shown = false;
}
