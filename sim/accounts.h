/*
 * Cross-margined accounts: one wallet behind a long and a short leg of the same contract (hedge
 * mode; either may be missing), as a book of given positions may hold them beside isolated ones.
 * An account is one more thing that a mark price can liquidate, and this module says which account
 * is next, as sim/ladder.h does for positions.
 *
 * With W the wallet, q and E coins and entry price of the legs L and S, F the funding paid per coin
 * since the opening and P the mark price,
 *     equity      = W + qL (P - EL) - qS (P - ES) - (qL - qS) F
 *     maintenance = sum over legs of max over brackets n of (q P m_n - cum_n),
 * so equity less maintenance is the smallest of the straight lines A P + B of all pairs of brackets
 * (n of the long, k of the short),
 *     A = qL - qS - qL m_n - qS m_k,
 *     B = W - qL EL + qS ES - (qL - qS) F + cum_n + cum_k,
 * and the account is liquidated where it is not above 0. A line with A > 0 is there below -B/A: the
 * highest such price is the low trigger, which fires like a long's. One with A < 0 is there above
 * -B/A: the lowest is the high trigger, which fires like a short's. (A balanced hedge loses nothing
 * by a move, but its maintenance grows with the price.) An account that is above 0 at no price has
 * a high trigger of 0 and no other: it is liquidated at once. For one leg this is the formula of an
 * isolated position with margin W; solved for P with a bracket for each leg it is that of Binance
 * ("How to Calculate Liquidation Price of USD-M Futures Contracts", hedge mode).
 *
 * Funding moves triggers of accounts unlike each other, so queues are made anew at each payment.
 *
 * What is simple here: linear contracts with maintenance at mark, one contract per wallet; the
 * account is closed whole, by no partial rule, takeover or deleveraging, and nobody is deleveraged
 * for it; accounts are no candidates for deleveraging either. That the liquidation fee is due on
 * both legs, also on what they close against each other, is an own prior. An order may go against
 * the move that made it (a net long account liquidated by a rise sells): then a node ends where its
 * orders, the nearest first, have led, and not at a least fixed point.
 */
#ifndef LIQCASCADE_SIM_ACCOUNTS_H
#define LIQCASCADE_SIM_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sim/book.h"
#include "sim/ledger.h"
#include "sim/nearby.h"

#define ACCOUNTS_NONE UINT32_MAX

/* The marks at which an account is liquidated; NaN: it has no such trigger. */
struct accounts_triggers {
    double side[2]; /* BOOK_LONG: low, BOOK_SHORT: high */
};

struct accounts_entry {
    double trigger;
    uint32_t account;
};

/* Accounts with a trigger of one side in one market, a heap with the nearest first; of equal ones
   the lower account. */
struct accounts_queue {
    struct accounts_entry *entries; /* part of one allocation */
    size_t count;
};

struct accounts {
    const struct book *book; /* not owned; outlives this */
    int market_count;        /* 1, or one per venue */
    double funding;          /* per coin, since the run began */
    struct accounts_entry *entries;
    struct accounts_queue *queues; /* market * 2 + side index; owned */
    bool *gone;                    /* per account; owned */
    /* Where `nearby` counts each account, by side; NaN: nowhere. */
    double (*level)[2];    /* owned */
    struct nearby *nearby; /* not owned; NULL: not kept */
};

/* All accounts of the book, opened with no funding paid; `split`: every venue is a market of its
   own. ERROR_IO when memory is short; then `self` needs no free. */
int accounts_init(struct accounts *self, const struct book *book, bool split, struct error *err);
void accounts_free(struct accounts *self);
/* Those that are left of `from`, as after accounts_init with `split`; where they are counted, they
   are in a copy of that, too, once `nearby` is set. ERROR_IO when memory is short; then `self`
   needs no free. */
int accounts_copy(struct accounts *self, const struct accounts *from, bool split,
                  struct error *err);

/* `funding` per coin has been paid since the run began. ERROR_IO when memory of `nearby` is short;
   cannot fail without. */
int accounts_fund(struct accounts *self, double funding, const struct ledger *ledger,
                  struct error *err);

/* Counts the accounts that are left in `nearby`, from now on. ERROR_IO when memory is short. */
int accounts_count(struct accounts *self, struct nearby *nearby, const struct ledger *ledger,
                   struct error *err);

/* The trigger of a side (BOOK_LONG: low, BOOK_SHORT: high) of a market that is nearest to the
   market; NaN: there is none. */
double accounts_peek(struct accounts *self, int market, int side_index);
/* Takes that account (there must be one) off. */
uint32_t accounts_fire(struct accounts *self, int market, int side_index,
                       const struct ledger *ledger);

/* Triggers of an account that has paid `funding` per coin. */
struct accounts_triggers accounts_triggers_of(const struct book *book,
                                              const struct book_account *account, double funding);
/* Price at which the wallet is gone; NaN: a move alone does not empty it. */
double accounts_bankruptcy_price(const struct book_account *account, double funding);

/* What is left of the coins of a leg, over all traders that the account stands for. Holders close a
   leg by choice as those of its side do, so that legs of one account may come to stand for
   different numbers of traders; triggers are of a trader who has both. */
double accounts_coins(const struct ledger *ledger, const struct book_account *account,
                      int side_index);

#endif
