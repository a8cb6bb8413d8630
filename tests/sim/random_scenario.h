/*
 * A random market, book and run, all from one number: every rule of the engine in some mixture. A
 * test that fails prints the number, which is all that is needed to see it fail again.
 */
#ifndef LIQCASCADE_TESTS_SIM_RANDOM_SCENARIO_H
#define LIQCASCADE_TESTS_SIM_RANDOM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "sim/replay.h"

#define RANDOM_SCENARIO_TABLES 2

/* What a scenario is to have, or not; else chance decides. */
enum random_wish { RANDOM_WISH_ANY, RANDOM_WISH_YES, RANDOM_WISH_NO };

struct random_wishes {
    int venues;                         /* 0: any */
    enum random_wish partial, backstop; /* liquidation rules */
    enum random_wish adl;               /* a ranking and a fund of limited size */
    enum random_wish split, arbitrage;  /* prices of venues; that neither meet at once nor never */
    enum random_wish clock, drawn;      /* drawn: the book, not given */
    enum random_wish feedback, disposition;
};

struct random_scenario {
    uint64_t seed;
    struct random_wishes wishes;
    struct random_stream stream;
    uint32_t drawn;
    struct market market;
    struct path path;
    struct brackets tables[BOOK_VENUES_MAX][RANDOM_SCENARIO_TABLES];
    struct book_venue venues[BOOK_VENUES_MAX];
    size_t venue_count;
    double *funding_z;
    double *depth, *index; /* of params */
    struct book_params book_params;
    struct book book;
    bool prices_given; /* the book is from a file and its liquidation prices were given */
    struct replay_params params;
};

/* About `positions` positions over `bars` bars. Fails the running test when a part cannot be made.
 */
void random_scenario_make(struct random_scenario *self, uint64_t seed, size_t positions,
                          size_t bars);
/* The same with wishes. */
void random_scenario_make_wished(struct random_scenario *self, uint64_t seed, size_t positions,
                                 size_t bars, const struct random_wishes *wishes);
void random_scenario_free(struct random_scenario *self);
/* What was drawn, for a test that failed. */
void random_scenario_print(const struct random_scenario *self);

/* The next number in (0, 1), and numbers made of it. */
double random_scenario_uniform(struct random_scenario *self);
bool random_scenario_chance(struct random_scenario *self, double probability);
double random_scenario_between(struct random_scenario *self, double low, double high);

/* The input of book_draw behind the book, and the book drawn anew from it. */
struct book_bars random_scenario_bars(const struct random_scenario *self);

#endif
