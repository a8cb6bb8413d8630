/*
 * How much would be liquidated close to the market: open interest alive, binned by the price at
 * which it fires, one histogram per side and kind of contract. Bins are narrow against the window
 * that is asked for, and a bin that the market or the limit cuts counts in proportion. Kept up to
 * date as positions open, fire and thin, so asking costs the bins of a window and never a scan.
 *
 * A level is z(P) of the trigger price P (models/margin.h) as it was at the opening, less the
 * funding paid until then: seen from z(mark) less the funding paid until now it stays in its place.
 * (Funding moves a trigger price by 1/a of itself, a the class's slope; levels are moved by the
 * whole of it, which is right to the maintenance margin rate times the funding paid since the
 * opening.)
 *
 * Bins are steps of the level's floating-point representation, which is a logarithm made of
 * straight lines: a bin is 2^-(m+1) to 2^-m wide in log price, and finding it costs no logarithm.
 * Each bin holds its coins by leverage tier, since tiers close at different speeds.
 *
 * Cross-margined accounts (sim/accounts.h) count at each of their triggers with the net order that
 * they would make; one that goes against the move which sets it off is left out.
 */
#ifndef LIQCASCADE_SIM_NEARBY_H
#define LIQCASCADE_SIM_NEARBY_H

#include <stdint.h>

#include "base/error.h"
#include "sim/ladder.h"
#include "sim/ledger.h"

/* Two tiers at a time: every processor adds two doubles at once, and compilers do not find that out
   by themselves where sums are to keep their order. */
typedef double nearby_pair __attribute__((vector_size(16)));
#define NEARBY_PAIRS ((TIERS + 1) / 2)

/* Coins alive as of the reference hazard; tier t is coins[t / 2][t % 2]. */
struct nearby_bin {
    nearby_pair coins[NEARBY_PAIRS];
};

struct nearby_levels {
    struct nearby_bin *bins; /* `count` of struct nearby; NULL: no position ever; owned */
    uint32_t *positions;     /* in each bin; owned */
};

struct nearby {
    const struct ladder *ladder;       /* not owned */
    const struct ledger *ledger;       /* not owned */
    struct nearby_levels levels[2][2]; /* by side, and linear or inverse */
    double reference[2];               /* per side: H of ledger.h that the sums refer to */
    double kept[2][TIERS];             /* what is left of them since: exp(-h * (H - reference)) */
    int count;
    int64_t first;            /* representation of the first bin's lower end: whole bins */
    int bin_bits;             /* of the representation that do not tell bins apart */
    double per_bin;           /* bins per unit of the representation: 2^-bin_bits */
    double window_log;        /* that it was laid out for */
    double started[2][TIERS]; /* coins on the ladder when it started, near or far */
    bool failed;              /* memory ran short */
};

/* Starts with what is on the ladder now. Prices between `low` and `high` (and e^0.7 beyond) are
   held apart; what lies farther is not counted. `window_log` is the widest distance that will be
   asked. */
int nearby_init(struct nearby *self, const struct ladder *ladder, const struct ledger *ledger,
                double low, double high, double window_log, struct error *err);
void nearby_free(struct nearby *self);
/* What nearby_init with the same bounds gives of a ladder and ledger that are copies of those of
   `from`, bit for bit, without a look at positions. Only where nearby_covers says so: bins lie at
   the same places whatever the bounds. ERROR_IO when memory is short; then `self` needs no free. */
bool nearby_covers(const struct nearby *from, double low, double high, double window_log);
int nearby_copy(struct nearby *self, const struct nearby *from, const struct ladder *ladder,
                const struct ledger *ledger, double low, double high, struct error *err);
/* So many times the coins, as ledger_scale. */
void nearby_scale(struct nearby *self, double factor);

/* Takes in the positions of a bar just opened; ERROR_IO when memory is short. */
int nearby_open(struct nearby *self, size_t bar, struct error *err);
/* Takes out a position that fired; `coins` were alive of it. */
void nearby_fire(struct nearby *self, const struct ladder_fired *position, double coins);
/* Takes `coins` out of a position that stays. */
void nearby_shrink(struct nearby *self, const struct ladder_fired *position, double coins);
/* Takes in the rest of a position; ERROR_IO when memory is short. */
int nearby_add(struct nearby *self, const struct ladder_fired *position, double coins,
               struct error *err);
/* Takes in (`change` 1) or out (-1) what is not on the ladder: `coins` alive (out: negative) of
   linear contracts that fire at `level`, thinned as a tier of the side is. `failed` where memory is
   short. */
void nearby_level(struct nearby *self, int side_index, int tier, double level, double coins,
                  int change);
/* Follows the ledger's last thinning of a side, now and then renewing the reference. */
void nearby_thin(struct nearby *self, int side_index);

/* Coins alive of a side that would fire while the mark moves from `mark` against the side by
   1/points, 2/points ... points/points of `window_log`; out_coins is cumulative. At most
   NEARBY_POINTS points. */
#define NEARBY_POINTS 32
void nearby_within(const struct nearby *self, int side_index, double mark, double window_log,
                   int points, double *out_coins);

#endif
