/*
 * The book: every position that a run may hold, immutable and shared by all OI levels, depths and
 * feedbacks. Positions that open in one bar are grouped into *runs*, one per margin class (venue,
 * bracket table, bracket, side), sorted so that the first to be liquidated comes first. What
 * depends on the path (opening price, funding, how many coins a bar opened, how many survive) is
 * not in here: see sim/ladder.h and sim/ledger.h.
 *
 * A position keeps `kappa` (models/margin.h) and `share`, its part of the coins that its side opens
 * in its bar. The leverage and size are rounded to float before kappa is computed, so kappa,
 * leverage and size give back the entry price to double precision.
 *
 * A position whose notional at its liquidation price lies within BOOK_EDGE of a bracket's edge may
 * be carried over the edge by funding. It is entered twice, as two runs of one position in the two
 * classes, linked as twins: whichever fires first retires the other.
 */
#ifndef LIQCASCADE_SIM_BOOK_H
#define LIQCASCADE_SIM_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "models/brackets.h"
#include "models/leverage.h"
#include "models/margin.h"
#include "models/size.h"
#include "sim/ledger.h"

#define BOOK_EDGE 0.05 /* relative distance of the notional from a bracket's edge */
#define BOOK_NO_TWIN UINT32_MAX
#define BOOK_VENUES_MAX 16
#define BOOK_CLASSES_MAX 1024

/* Sides index arrays as book_side_index(+1) = 0 for longs, (-1) = 1 for shorts. */
enum { BOOK_LONG = 0, BOOK_SHORT = 1 };
static inline int book_side_index(int side)
{
    return side > 0 ? BOOK_LONG : BOOK_SHORT;
}

struct book_venue {
    char name[64];
    const struct margin_formula *formula;
    double oi_share;               /* of the OI of each side; shares sum to 1 */
    bool by_hand;                  /* no automatic liquidation (CME): none of it is drawn, its share
                                      of the opens is held outside the book */
    const struct brackets *tables; /* by date, ascending; must outlive the book */
    size_t table_count;            /* at least 1 */
};

/* One (venue, bracket table, bracket, side). */
struct book_class {
    int venue;
    int table; /* of the venue */
    int side;  /* +1, -1 */
    int bracket;
    double slope; /* a of models/margin.h */
    double rate;  /* MMR */
    double cum_usd;
    uint32_t run_count; /* in the whole book: the most heads a ladder can hold */
};

struct book_position {
    double kappa;
    double share;
    float leverage;
    float size_usd; /* notional at entry */
};

struct book_run {
    uint32_t first; /* index into positions */
    uint32_t count;
    uint32_t bar;      /* opened in this bar, exposed from the next */
    uint32_t twin;     /* run index, or BOOK_NO_TWIN */
    uint32_t class_id; /* index into classes */
};

/* A cross-margined account (sim/accounts.h): one wallet behind a long and a short leg, of which one
   may be missing. */
struct book_account {
    int venue, table; /* of the venue: in force when the run begins; set by book_add_accounts */
    int tier;         /* of gross notional over wallet; set by book_add_accounts */
    double coins[2];  /* by side; 0: no such leg */
    double entry_price[2]; /* above 0 where there are coins, else 0 */
    double wallet_usd;     /* without the legs' profits and losses */
    const char *name;      /* borrowed; NULL: none */
};

struct book {
    size_t bars;
    size_t position_count;           /* positions, twins counted once; legs of accounts, too */
    struct book_position *positions; /* entries: positions and twins */
    size_t entry_count;
    struct book_run *runs; /* by bar */
    size_t run_count;
    uint32_t *bar_runs; /* bars + 1 offsets into runs */
    struct book_class *classes;
    int class_count;
    struct book_venue venues[BOOK_VENUES_MAX];
    size_t venue_count;
    /* A book of given positions has absolute coins and prices: `share` is in coins and kappa in
       quote currency, for its one bar opens 1 coin at price 1. */
    bool from_file;
    double file_coins[2];     /* given, by side */
    double held_share[2];     /* drawn book: part of each side's opens outside it: venues by hand
                                 and pools; the shares of a bar's positions sum to the rest */
    double residual_coins[2]; /* that the smaller side lacks: held, and never liquidated */
    struct book_account *accounts; /* beside the given positions; owned */
    size_t account_count;
};

/* What the draws of a book need to know of each bar; arrays of `bars`. */
struct book_bars {
    size_t bars;
    int64_t start_ms, step_ms;
    const double *high, *low, *close; /* last price; entries spread over [low, high] */
    size_t priced;                    /* bars from here on have no prices: entries at the close */
    const double *funding_z;          /* crowding: z-score of the funding rate; NULL: 0 */
};

struct book_params {
    uint64_t seed;
    uint32_t replicate;
    int positions_per_bar; /* per side, over all venues; at least one per venue */
    bool entry_vwap;       /* all at (high + low + close) / 3; else triangular */
    struct leverage_params
        leverage; /* .maximum, when above 0, bounds leverage besides the venues */
    struct size_params size;
    double crowd_tilt;
    double pool_share; /* in [-1, 1]: above 0, the part of the short opens that a pool holds; below
                          0, of the long opens */
    double hedged_short_share;
    double hedged_leverage[2];
    size_t venue_count;
    struct book_venue venues[BOOK_VENUES_MAX];
};

/* Draws the book, in parallel over bars; the same bytes at any number of threads. An entry that the
   bar's own close would have liquidated is made at the close. About 24 bytes a position and 20 a
   run. ERROR_SCENARIO, ERROR_IO (memory), ERROR_INTERRUPTED. On failure `self` needs no free. */
int book_draw(struct book *self, const struct book_params *params, const struct book_bars *bars,
              struct error *err);

/* One given position (datasets/positions.h says where it may come from). */
struct book_given {
    int venue; /* index into the params' venues */
    int side;
    double entry_price;
    double size_coins;
    double leverage;          /* used unless liquidation_price is given */
    double liquidation_price; /* NaN: by the venue's formula; given: used as it stands */
};

/* A book of given positions, opened before bar 0 at bar index 0; `bars` is the length of the run.
   Sides that do not balance get `residual_coins`. ERROR_DATA names the position (1-based, as
   `line`): a size or price that is not positive, a leverage below 1. */
int book_from_given(struct book *self, const struct book_given *given, size_t count,
                    const struct book_venue *venues, size_t venue_count, int64_t time_ms,
                    size_t bars, struct error *err);

/* Adds cross-margined accounts to a book of given positions. ERROR_DATA names the account (1-based,
   as `line`): a formula other than linear with maintenance at mark, a table that rates whole
   positions, or a value that is not positive. After a failure `self` is as it was. */
int book_add_accounts(struct book *self, const struct book_account *accounts, size_t count,
                      int64_t time_ms, struct error *err);
/* A leg's part of the wallet, by notional at entry. */
double book_account_margin(const struct book_account *account, int side_index);

void book_free(struct book *self);

/* What a bar opens per coin, by side and tier; twins count once. */
void book_bar_opening(const struct book *self, size_t bar, struct ledger_opening out[2]);

/* Entry price over the opening price. */
double book_position_entry(const struct book *self, const struct book_class *class,
                           const struct book_position *position);

#endif
