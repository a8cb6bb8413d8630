/*
 * Where along an axis a condition begins to hold. What is searched need not be monotone, so the
 * answer is the first pair of neighbours, among values in a given order, between which the
 * condition turns from failing to holding; the pair is then narrowed as a row of values of its own:
 * several between its ends are looked at, and the first neighbours between which the condition
 * turns are the next pair. Many searches go side by side, and all that they look at in one round is
 * asked for at once, so that it can be found out in parallel; what is asked depends on the answers
 * alone.
 *
 * At a value there may be no answer: the price ran away, and no number is one of the market. A pair
 * then ends where answers end, and the search says that it met no holding before that.
 */
#ifndef LIQCASCADE_SIM_STUDY_SEARCH_H
#define LIQCASCADE_SIM_STUDY_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum search_answer { SEARCH_FAILS, SEARCH_HOLDS, SEARCH_NONE };

/* One look of one search. */
struct search_probe {
    size_t search; /* index of the search */
    double value;
    double number; /* whatever the caller likes to know of an end of a pair */
    int answer;    /* enum search_answer */
};

enum search_status {
    SEARCH_FOUND,
    SEARCH_AT_START, /* holds at the first value already */
    SEARCH_NEVER,    /* fails at every value looked at */
    SEARCH_MISSING   /* answers end before it was seen to hold */
};

struct search {
    int status;                /* enum search_status */
    struct search_probe below; /* the last before it holds; its value is NaN: there is none */
    struct search_probe above; /* SEARCH_FOUND: the first at which it holds; SEARCH_MISSING: the
                                  first without an answer; SEARCH_AT_START: the first of all; else
                                  its value is NaN */
    size_t crossings;          /* how often it begins to hold along the values of search_begin */
    size_t ends;               /* how often it ceases to, along the same */
};

/* How pairs are narrowed. */
struct search_rule {
    double tolerance; /* pairs no wider than this are left; NaN: all are */
    size_t parts;     /* a pair is cut into so many; at least 2, which halves it */
    bool log;         /* in equal ratios; ends are of one sign, and not 0 */
    bool whole;       /* values are whole numbers */
};

/* Fills the probes' answers and numbers. */
typedef int search_look(void *context, struct search_probe *probes, size_t count,
                        struct error *err);

/* `count` different values (at least 2) from `from` to `to`, both among them, in either direction,
   evenly spaced as the rule says; fewer where whole numbers between them run out. Returns how
   many. */
size_t search_spread(double from, double to, size_t count, const struct search_rule *rule,
                     double *out);

/* The first pair among answered probes in their order. */
void search_begin(struct search *self, const struct search_probe *probes, size_t count);

/* Narrows the pairs of all searches, index by index. Errors of `look`, and ERROR_IO for memory. */
int search_narrow(struct search *searches, size_t count, const struct search_rule *rule,
                  search_look *look, void *context, struct error *err);

/* Both: all searches look at the same values first, in one round, search by search. */
int search_run(struct search *searches, size_t count, const double *values, size_t value_count,
               const struct search_rule *rule, search_look *look, void *context, struct error *err);

/* "found", "at_start", "never", "missing": a constant, as described tables take texts. */
char *search_status_name(int status);

#endif
