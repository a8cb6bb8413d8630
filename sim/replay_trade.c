#include "sim/replay_trade.h"

#include <math.h>

#include "base/calendar.h"

double replay_oi(const struct replay *self)
{
    return ledger_total(&self->ledger, BOOK_LONG);
}

/* Legs of accounts open with the given positions. */
static void add_accounts(const struct book *book, struct ledger_opening opening[2])
{
    for (size_t i = 0; i < book->account_count; i++) {
        const struct book_account *account = &book->accounts[i];
        for (int side = 0; side < 2; side++) {
            double coins = account->coins[side];
            if (coins == 0.0)
                continue;
            opening[side].share[account->tier] += coins;
            opening[side].entry[account->tier] += coins * account->entry_price[side];
            opening[side].margin[account->tier] += book_account_margin(account, side);
        }
    }
}

void replay_open_given(struct replay *self)
{
    const struct book *book = self->book;
    double price = path_bar_at(self->path, 0).last[0];
    ladder_open(&self->ladder, 0, 1.0);
    struct ledger_opening opening[2];
    book_bar_opening(book, 0, opening);
    add_accounts(book, opening);
    for (int side = 0; side < 2; side++) {
        double share = self->params->oi_share;
        ledger_open(&self->ledger, side, 0, share, 1.0, 0.0, &opening[side]);
        ledger_hold(&self->ledger, side, share * book->residual_coins[side], price, 0.0);
    }
}

/* Coins that both sides lost to each other, without an order: legs of accounts, and winners closed
   against bankrupt positions. */
static double crossed_coins(const struct replay_step *out)
{
    return out->forced.crossed_coins +
           (out->forced.adl_coins[BOOK_LONG] + out->forced.adl_coins[BOOK_SHORT]);
}

/* Forced orders of a side: all that was liquidated but what a fund took over, which is still open
   interest, and what was crossed. */
static double forced_coins(const struct replay_step *out, int side)
{
    int other = side == BOOK_LONG ? BOOK_SHORT : BOOK_LONG;
    return out->forced.side[side].coins - out->forced.backstop_coins[side] -
           out->forced.adl_coins[other] - out->forced.crossed_coins;
}

static struct ledger_step ledger_step_of(const struct replay *self, double oi_before,
                                         const struct replay_step *out)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    bool from_file = self->book->from_file;
    bool measured = self->bar >= params->start_bar;
    bool given = market->oi_coins != NULL && self->bar < market->bars && !from_file &&
                 (self->bar < params->frozen_bar || !measured);
    double oi_scale = params->oi_share * (measured ? params->oi_scale : 1.0);
    double hours = (double)market->step_ms / (double)CALENDAR_HOUR_MS;
    struct ledger_step step = {
        .oi = oi_before - crossed_coins(out),
        .forced = {forced_coins(out, BOOK_LONG), forced_coins(out, BOOK_SHORT)},
        .observed = given,
        .turnover = from_file ? 0.0 : params->turnover_per_hour * hours,
        .remargin = from_file ? 0.0 : params->remargin_per_hour * hours,
        .absorbed_by_closers = params->absorbed_by_closers,
    };
    if (given)
        step.oi_change = oi_scale * market->oi_coins[self->bar] - step.oi;
    return step;
}

static void trade_opens(struct replay *self, int side, double coins, double price,
                        const struct ledger_opening *opening)
{
    const struct book *book = self->book;
    double funding = self->ladder.funding.linear, entry_sum;
    double held = book->from_file ? 1.0 : book->held_share[side];
    if (held > 0.0) {
        ledger_hold(&self->ledger, side, coins * held, price, funding);
        self->settle.deposits_usd += coins * held * price;
    }
    entry_sum = held;
    if (!book->from_file) {
        /* A bar that opens nothing is opened all the same, so that it expires in its turn. */
        self->settle.deposits_usd +=
            ledger_open(&self->ledger, side, self->bar, coins, price, funding, opening);
        for (int tier = 0; tier < TIERS; tier++)
            entry_sum += opening->entry[tier];
    }
    self->settle.market_maker_cash += (side == BOOK_LONG ? coins : -coins) * price * entry_sum;
}

static void trade_closes(struct replay *self, int side, double coins, double price)
{
    if (coins <= 0.0)
        return;
    double funding = self->ladder.funding.linear;
    double before = ledger_equity(&self->ledger, side, price, funding);
    ledger_thin(&self->ledger, side, fmax(ledger_total(&self->ledger, side) - coins, 0.0), price);
    if (self->cascade.nearby != NULL)
        nearby_thin(&self->nearby, side);
    if (self->ledger.side[side].first_bar != self->ladder.first_bar[side])
        ladder_expire(&self->ladder, side, self->ledger.side[side].first_bar);
    self->settle.withdrawals_usd += before - ledger_equity(&self->ledger, side, price, funding);
    self->settle.market_maker_cash += (side == BOOK_LONG ? -coins : coins) * price;
}

/* Of a counterfactual: what holders did by choice, their opens worth the same money. */
static struct ledger_flows kept_flows(const struct replay *self, const struct ledger_step *step,
                                      const struct factual_bar *from, double price)
{
    struct ledger_kept kept = from->kept;
    for (int side = 0; side < 2; side++)
        kept.opens[side] *= self->params->factual_scale * (from->price_close / price);
    return ledger_flows_kept(step, &kept);
}

static void record_flows(const struct replay *self, const struct ledger_step *step,
                         const struct ledger_flows *flows, double price)
{
    struct factual_bar *to = factual_at(self->params->record, self->bar);
    if (to == NULL)
        return;
    to->price_close = price;
    for (int side = 0; side < 2; side++) {
        double left = step->oi - step->forced[side];
        to->kept.opens[side] = flows->opens[side];
        to->kept.close_share[side] = left > 0.0 ? fmin(flows->closes[side] / left, 1.0) : 0.0;
    }
}

static struct ledger_flows flows_of(const struct replay *self, const struct ledger_step *step,
                                    const struct replay_step *out)
{
    const struct factual *factual = self->params->factual;
    const struct factual_bar *from = factual == NULL ? NULL : factual_at(factual, self->bar);
    struct ledger_flows flows =
        from == NULL ? ledger_flows(step) : kept_flows(self, step, from, out->price_close);
    if (self->params->record != NULL)
        record_flows(self, step, &flows, out->price_close);
    return flows;
}

int replay_trade(struct replay *self, double oi_before, struct replay_step *out, struct error *err)
{
    struct ledger_step step = ledger_step_of(self, oi_before, out);
    struct ledger_flows flows = flows_of(self, &step, out);
    struct ledger_opening opening[2];
    if (!self->book->from_file)
        book_bar_opening(self->book, self->bar, opening);
    for (int side = 0; side < 2; side++) {
        trade_closes(self, side, flows.closes[side], out->price_close);
        trade_opens(self, side, flows.opens[side], out->price_close, &opening[side]);
        out->opens_coins[side] = flows.opens[side];
        out->closes_coins[side] = flows.closes[side];
    }
    out->replacement_coins = flows.replacement;
    out->remargined_coins = flows.remargined;
    out->oi_coins = replay_oi(self);
    out->oi_usd = out->oi_coins * out->mark_close;
    if (self->book->from_file)
        return ERROR_NONE;
    ladder_open(&self->ladder, self->bar, out->price_close);
    return self->cascade.nearby == NULL ? ERROR_NONE : nearby_open(&self->nearby, self->bar, err);
}
