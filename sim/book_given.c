/*
 * Books of given positions: an on-chain snapshot, a broker's book.
 */
#include "sim/book_build.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* ---- given positions -------------------------------------------------------------------- */

static int given_check(const struct book_given *given, size_t index, size_t venue_count,
                       struct error *err)
{
    const char *problem = NULL;
    if (given->venue < 0 || (size_t)given->venue >= venue_count)
        problem = "venue that the scenario does not have";
    else if (given->side != 1 && given->side != -1)
        problem = "side; expected +1 (long) or -1 (short)";
    else if (!(given->entry_price > 0.0) || !isfinite(given->entry_price))
        problem = "entry price; expected a number above 0";
    else if (!(given->size_coins > 0.0) || !isfinite(given->size_coins))
        problem = "size; expected a number above 0";
    else if (isnan(given->liquidation_price) ? !(given->leverage >= 1.0)
                                             : !(given->liquidation_price > 0.0))
        problem = "leverage (expected at least 1) or liquidation price (expected above 0)";
    if (problem == NULL)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, NULL, (long)index + 1, 0, NULL, "position %zu has a bad %s",
                    index + 1, problem);
}

/* The inverse leverage that gives a kappa: kappa is affine in it. Not bounded: a cross-margined
   position may have a liquidation price beyond what isolated margin allows. */
static double implied_inverse_leverage(const struct margin_formula *formula, int side, double entry,
                                       double kappa, double rate, double cum_share)
{
    double at_zero = formula->kappa(side, entry, 0.0, rate, cum_share);
    double at_one = formula->kappa(side, entry, 1.0, rate, cum_share);
    return (kappa - at_zero) / (at_one - at_zero);
}

static void given_draft(const struct book *self, const struct book_class_map *map,
                        const struct book_given *given, int table_index, struct book_draft *draft)
{
    const struct book_venue *venue = &self->venues[given->venue];
    const struct margin_formula *formula = venue->formula;
    const struct brackets *table = &venue->tables[table_index];
    int side = given->side;
    float size = (float)(given->entry_price * given->size_coins);
    double notional = (double)size;
    double leverage = (double)fmaxf((float)given->leverage, BOOK_LEVERAGE_LEAST);
    int bracket, edge = -1;
    if (isnan(given->liquidation_price)) {
        bracket = margin_bracket(formula, table, side, notional, leverage);
        edge = book_edge_bracket(formula, table, bracket, side, notional, 1.0 / leverage);
    } else {
        double there = margin_keeps_bracket(formula, table)
                           ? notional
                           : given->size_coins * given->liquidation_price;
        bracket = brackets_find(table, there);
    }
    double rate = table->rate[bracket], cum_share = table->cum_usd[bracket] / notional;
    double kappa = formula->kappa(side, given->entry_price, 1.0 / leverage, rate, cum_share);
    if (!isnan(given->liquidation_price)) {
        kappa = formula->slope(side, rate) * margin_z(formula, given->liquidation_price);
        leverage = 1.0 / implied_inverse_leverage(formula, side, given->entry_price, kappa, rate,
                                                  cum_share);
    }
    draft->position = (struct book_position){kappa, given->size_coins, (float)leverage, size};
    draft->class_id =
        (uint32_t)book_class_index(map, given->venue, table_index, side, bracket, table->count);
    draft->edge_class = BOOK_NO_TWIN;
    if (edge >= 0) {
        draft->edge_class =
            (uint32_t)book_class_index(map, given->venue, table_index, side, edge, table->count);
        draft->edge_kappa = formula->kappa(side, given->entry_price, 1.0 / leverage,
                                           table->rate[edge], table->cum_usd[edge] / notional);
    }
}

/* What the smaller side lacks. */
static void given_balance(struct book *self)
{
    double gap = self->file_coins[BOOK_LONG] - self->file_coins[BOOK_SHORT];
    self->residual_coins[BOOK_LONG] = gap < 0.0 ? -gap : 0.0;
    self->residual_coins[BOOK_SHORT] = gap > 0.0 ? gap : 0.0;
}

/* Coins per side. */
static void given_sums(struct book *self, const struct book_draft *drafts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        self->file_coins[book_side_index(self->classes[drafts[i].class_id].side)] +=
            drafts[i].position.share;
    given_balance(self);
}

int book_from_given(struct book *self, const struct book_given *given, size_t count,
                    const struct book_venue *venues, size_t venue_count, int64_t time_ms,
                    size_t bars, struct error *err)
{
    struct book_class_map map;
    struct book_chunk chunk = {0};
    struct book_draft *drafts = NULL;
    int code = book_begin(self, venues, venue_count, bars, count, &map, err);
    if (code != ERROR_NONE)
        goto out;
    drafts = memory_alloc(2 * count, sizeof *drafts);
    chunk.bar_runs = memory_zeroed(bars, sizeof *chunk.bar_runs);
    if (drafts == NULL || chunk.bar_runs == NULL) {
        code = error_memory(err, "positions");
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        code = given_check(&given[i], i, venue_count, err);
        if (code != ERROR_NONE)
            goto out;
        given_draft(self, &map, &given[i], book_table_at(&venues[given[i].venue], time_ms),
                    &drafts[i]);
    }
    book_drafts_sort(self, drafts, drafts + count, count);
    given_sums(self, drafts, count);
    chunk.failed = !book_chunk_group(&chunk, self, drafts, count, 0, 0);
    chunk.bar_runs[0] = (uint32_t)chunk.run_count;
    self->from_file = true;
    code = book_join(self, &chunk, 1, bars, err);
out:
    memory_free(drafts);
    book_chunk_free(&chunk);
    if (code != ERROR_NONE)
        book_free(self);
    return code;
}

/* ---- accounts --------------------------------------------------------------------------- */

static double account_gross_usd(const struct book_account *account)
{
    return account->coins[BOOK_LONG] * account->entry_price[BOOK_LONG] +
           account->coins[BOOK_SHORT] * account->entry_price[BOOK_SHORT];
}

double book_account_margin(const struct book_account *account, int side_index)
{
    return account->wallet_usd * (account->coins[side_index] * account->entry_price[side_index] /
                                  account_gross_usd(account));
}

static bool leg_bad(double coins, double entry_price)
{
    return !(coins >= 0.0) || !isfinite(coins) || !isfinite(entry_price) ||
           (coins > 0.0 ? !(entry_price > 0.0) : entry_price != 0.0);
}

static int account_check(const struct book *self, const struct book_account *account, size_t index,
                         const struct brackets *table, struct error *err)
{
    const struct margin_formula *formula = self->venues[account->venue].formula;
    const char *problem = NULL;
    if (formula->inverse || formula->bracket_at_entry || table->whole)
        problem = "venue: its maintenance margin is not that of linear contracts at the mark price "
                  "in marginal brackets, which cross margin is made for";
    else if (!(account->wallet_usd > 0.0) || !isfinite(account->wallet_usd))
        problem = "wallet; expected a balance above 0";
    else if (leg_bad(account->coins[BOOK_LONG], account->entry_price[BOOK_LONG]) ||
             leg_bad(account->coins[BOOK_SHORT], account->entry_price[BOOK_SHORT]) ||
             !(account_gross_usd(account) > 0.0))
        problem = "leg; expected coins and an entry price above 0";
    if (problem == NULL)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, NULL, (long)index + 1, 0, NULL, "account %zu has a bad %s",
                    index + 1, problem);
}

static void account_count(struct book *self, const struct book_account *account)
{
    for (int side = 0; side < 2; side++) {
        self->file_coins[side] += account->coins[side];
        self->position_count += account->coins[side] > 0.0;
    }
}

int book_add_accounts(struct book *self, const struct book_account *accounts, size_t count,
                      int64_t time_ms, struct error *err)
{
    struct book_account *made = memory_alloc(count, sizeof *made);
    if (made == NULL)
        return error_memory(err, "accounts");
    for (size_t i = 0; i < count; i++) {
        const struct book_venue *venue = &self->venues[accounts[i].venue];
        liqcascade_bug_assert((size_t)accounts[i].venue < self->venue_count, "no such venue");
        made[i] = accounts[i];
        made[i].table = book_table_at(venue, time_ms);
        made[i].tier = tier_of(account_gross_usd(&made[i]) / made[i].wallet_usd);
        int code = account_check(self, &made[i], i, &venue->tables[made[i].table], err);
        if (code != ERROR_NONE) {
            memory_free(made);
            return code;
        }
    }
    memory_free(self->accounts);
    self->accounts = made;
    self->account_count = count;
    for (size_t i = 0; i < count; i++)
        account_count(self, &made[i]);
    given_balance(self);
    return ERROR_NONE;
}
