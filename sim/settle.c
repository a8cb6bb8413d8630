#include "sim/settle.h"

#include <math.h>
#include <string.h>

void settle_init(struct settle *self, enum settle_fill fill, const double *fund_usd)
{
    memset(self, 0, sizeof *self);
    self->fill = fill;
    memcpy(self->fund_usd, fund_usd, sizeof self->fund_usd);
    memcpy(self->peak_usd, fund_usd, sizeof self->peak_usd);
}

void settle_begin_step(struct settle *self)
{
    memset(&self->step, 0, sizeof self->step);
}

static int venue_of(const struct settle_case *of)
{
    return of->position->class->venue;
}

double settle_remainder_usd(const struct settle_case *of, double coins, double fill)
{
    const struct book_class *class = of->position->class;
    double bankruptcy = ladder_bankruptcy_from(of->ladder, of->position, of->entry_price);
    if (!of->ladder->book->venues[class->venue].formula->inverse)
        return (double)class->side * coins * (fill - bankruptcy);
    double contracts = coins * of->entry_price;
    return (double)class->side * contracts * (fill / bankruptcy - 1.0);
}

double settle_fund_room(const struct settle *self, int venue, double drawdown)
{
    return fmax(self->fund_usd[venue] - (1.0 - drawdown) * self->peak_usd[venue], 0.0);
}

/* ---- the ledger's part ------------------------------------------------------------------ */

/* Takes coins with `margin` of theirs off the ledger. */
static void take(const struct settle_case *of, double coins, double margin)
{
    const struct ladder_fired *position = of->position;
    struct ledger_sums sums = {
        .coins = coins,
        .entry_value = coins * of->entry_price,
        .margin = margin,
        .funding_value = coins * of->ladder->bars[position->bar].funding.linear,
    };
    ledger_take(of->ledger, of->side_index, position->bar, position->tier, &sums);
}

static void take_whole(const struct settle_case *of, double coins)
{
    take(of, coins, coins * of->entry_price / of->position->leverage);
}

/* ---- fund and fees ---------------------------------------------------------------------- */

static void fund_settle(struct settle *self, int venue, double remainder)
{
    struct settle_tally *tally = &self->step;
    if (remainder >= 0.0) {
        self->fund_usd[venue] += remainder;
        self->peak_usd[venue] = fmax(self->peak_usd[venue], self->fund_usd[venue]);
        tally->fund_gain_usd += remainder;
        tally->venue_gain_usd[venue] += remainder;
        return;
    }
    double paid = fmin(-remainder, fmax(self->fund_usd[venue], 0.0));
    self->fund_usd[venue] -= paid;
    tally->fund_draw_usd += paid;
    tally->venue_draw_usd[venue] += paid;
    tally->bad_debt_usd += -remainder - paid;
    tally->venue_bad_debt_usd[venue] += -remainder - paid;
}

static void charge(struct settle *self, int venue, double fee)
{
    self->step.fees_usd += fee;
    self->step.venue_fees_usd[venue] += fee;
}

/* ---- flows ------------------------------------------------------------------------------ */

static void flow_add(struct settle_flow *sum, const struct settle_flow *flow)
{
    sum->coins += flow->coins;
    sum->usd += flow->usd;
    sum->traders += flow->traders;
    sum->positions += flow->positions;
}

static void add_flow_at(struct settle *self, int venue, int side_index, int tier,
                        const struct settle_flow *flow)
{
    flow_add(&self->step.side[side_index], flow);
    flow_add(&self->step.tier[side_index][tier], flow);
    flow_add(&self->step.venue[venue][side_index], flow);
}

static void add_flow(struct settle *self, const struct settle_case *of,
                     const struct settle_flow *flow)
{
    add_flow_at(self, venue_of(of), of->side_index, of->position->tier, flow);
}

static void add_closed(struct settle *self, const struct settle_case *of, double coins,
                       double price)
{
    struct settle_flow flow = {.coins = coins, .usd = coins * price};
    add_flow(self, of, &flow);
}

void settle_count(struct settle *self, const struct settle_case *of)
{
    struct settle_flow flow = {
        .traders = of->coins * of->entry_price / of->position->size_usd,
        .positions = of->coins > 0.0, /* a bar that opened nothing holds nobody */
    };
    add_flow(self, of, &flow);
}

/* Market makers take what is ordered. */
static void trade(struct settle *self, const struct settle_case *of, double coins, double fill)
{
    double usd = coins * fill;
    self->market_maker_cash += of->side_index == BOOK_LONG ? -usd : usd;
    add_closed(self, of, coins, fill);
}

/* ---- ways to be liquidated -------------------------------------------------------------- */

void settle_order(struct settle *self, const struct settle_case *of, double coins, double fill,
                  double fee_rate)
{
    double remainder = settle_remainder_usd(of, coins, fill);
    double fee = fmin(fmax(remainder, 0.0), fee_rate * coins * fill);
    if (fee > 0.0)
        charge(self, venue_of(of), fee);
    fund_settle(self, venue_of(of), remainder - fee);
    trade(self, of, coins, fill);
    take_whole(of, coins);
}

void settle_part(struct settle *self, const struct settle_case *of, double coins, double fill,
                 double fee_rate, double rest_inverse_leverage)
{
    double margin = of->coins * of->entry_price / of->position->leverage;
    double left = (of->coins - coins) * of->entry_price * rest_inverse_leverage;
    charge(self, venue_of(of), fee_rate * coins * fill);
    trade(self, of, coins, fill);
    take(of, coins, margin - left);
    self->step.partial_orders++;
}

void settle_takeover(struct settle *self, const struct settle_case *of, double coins, double fill)
{
    double funding = of->ladder->funding.linear;
    fund_settle(self, venue_of(of), settle_remainder_usd(of, coins, fill));
    add_closed(self, of, coins, fill);
    self->step.backstop_coins[of->side_index] += coins;
    take_whole(of, coins);
    ledger_hold(of->ledger, of->side_index, coins, fill, funding);
    self->deposits_usd += coins * fill;
}

void settle_bankrupt(struct settle *self, const struct settle_case *of, double coins,
                     double bankruptcy_price)
{
    add_closed(self, of, coins, bankruptcy_price);
    take_whole(of, coins);
}

void settle_winner(struct settle *self, const struct settle_case *winner, double coins,
                   double bankruptcy_price)
{
    const struct ladder_fired *position = winner->position;
    double side = (double)position->class->side;
    double paid =
        winner->ladder->funding.linear - winner->ladder->bars[position->bar].funding.linear;
    self->withdrawals_usd += coins * winner->entry_price / position->leverage +
                             side * coins * (bankruptcy_price - winner->entry_price) -
                             side * coins * paid;
    self->step.adl_coins[winner->side_index] += coins;
    self->step.adl_usd += coins * bankruptcy_price;
    self->step.venue_adl_usd[venue_of(winner)] += coins * bankruptcy_price;
    take_whole(winner, coins);
}

/* ---- accounts --------------------------------------------------------------------------- */

/* Closes a leg. Returns what is left of its part of the wallet. */
static double close_leg(struct settle *self, const struct settle_account *of, int side_index,
                        double fill)
{
    const struct book_account *account = of->account;
    double coins = of->coins[side_index], each = account->coins[side_index];
    if (each == 0.0)
        return 0.0;
    double side = side_index == BOOK_LONG ? 1.0 : -1.0, entry = account->entry_price[side_index];
    struct ledger_sums sums = {
        .coins = coins,
        .entry_value = coins * entry,
        .margin = coins / each * book_account_margin(account, side_index),
    };
    struct settle_flow flow = {
        .coins = coins,
        .usd = coins * fill,
        .traders = coins / each,
        .positions = coins > 0.0,
    };
    add_flow_at(self, account->venue, side_index, account->tier, &flow);
    ledger_take(of->ledger, side_index, 0, account->tier, &sums);
    return sums.margin + side * coins * (fill - entry) - side * coins * of->funding;
}

void settle_account(struct settle *self, const struct settle_account *of, double fill,
                    double fee_rate)
{
    double longs = of->coins[BOOK_LONG], shorts = of->coins[BOOK_SHORT];
    double remainder = close_leg(self, of, BOOK_LONG, fill) + close_leg(self, of, BOOK_SHORT, fill);
    double fee = fmin(fmax(remainder, 0.0), fee_rate * (longs + shorts) * fill);
    if (fee > 0.0)
        charge(self, of->account->venue, fee);
    fund_settle(self, of->account->venue, remainder - fee);
    self->market_maker_cash -= (longs - shorts) * fill;
    self->step.crossed_coins += fmin(longs, shorts);
}

/* ---- sums ------------------------------------------------------------------------------- */

void settle_add(struct settle_tally *sum, const struct settle_tally *tally)
{
    for (int side = 0; side < 2; side++) {
        flow_add(&sum->side[side], &tally->side[side]);
        for (int tier = 0; tier < TIERS; tier++)
            flow_add(&sum->tier[side][tier], &tally->tier[side][tier]);
        for (int venue = 0; venue < BOOK_VENUES_MAX; venue++)
            flow_add(&sum->venue[venue][side], &tally->venue[venue][side]);
        sum->backstop_coins[side] += tally->backstop_coins[side];
        sum->adl_coins[side] += tally->adl_coins[side];
    }
    for (int venue = 0; venue < BOOK_VENUES_MAX; venue++) {
        sum->venue_gain_usd[venue] += tally->venue_gain_usd[venue];
        sum->venue_draw_usd[venue] += tally->venue_draw_usd[venue];
        sum->venue_bad_debt_usd[venue] += tally->venue_bad_debt_usd[venue];
        sum->venue_fees_usd[venue] += tally->venue_fees_usd[venue];
        sum->venue_adl_usd[venue] += tally->venue_adl_usd[venue];
    }
    sum->fund_gain_usd += tally->fund_gain_usd;
    sum->fund_draw_usd += tally->fund_draw_usd;
    sum->bad_debt_usd += tally->bad_debt_usd;
    sum->fees_usd += tally->fees_usd;
    sum->adl_usd += tally->adl_usd;
    sum->crossed_coins += tally->crossed_coins;
    sum->partial_orders += tally->partial_orders;
}
