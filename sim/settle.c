#include "sim/settle.h"

#include <math.h>
#include <string.h>

void settle_begin_step(struct settle *self)
{
    memset(&self->step, 0, sizeof self->step);
}

/* The last price at which an observed path crossed a trigger on its way to the node. */
static double crossing_price(const struct cascade *cascade, const struct cascade_shot *shot,
                             double previous_last)
{
    double last = cascade->last;
    if (isnan(previous_last))
        return last;
    double crossed = shot->trigger_price * (last / cascade->mark);
    double low = previous_last < last ? previous_last : last;
    double high = previous_last < last ? last : previous_last;
    return crossed < low ? low : crossed > high ? high : crossed;
}

static double fill_price(const struct settle *self, const struct cascade *cascade,
                         const struct cascade_shot *shot, double previous_last)
{
    if (self->fill == SETTLE_FINAL)
        return cascade->last;
    if (cascade->feedback)
        return 0.5 * (shot->last_before + shot->last_after);
    return crossing_price(cascade, shot, previous_last);
}

/* What is left of the margin at the fill, in quote currency; negative: a loss beyond it. Contracts
   of an inverse position are its coins at entry. */
static double remainder_usd(const struct ladder *ladder, const struct cascade_shot *shot,
                            double entry, double fill)
{
    const struct book_class *class = shot->position.class;
    double bankruptcy = ladder_bankruptcy_from(ladder, &shot->position, entry);
    if (!ladder->book->venues[class->venue].formula->inverse)
        return (double)class->side * shot->coins * (fill - bankruptcy);
    double contracts = shot->coins * entry;
    return (double)class->side * contracts * (fill / bankruptcy - 1.0);
}

static void fund_settle(struct settle *self, int venue, double remainder)
{
    struct settle_tally *tally = &self->step;
    if (remainder >= 0.0) {
        self->fund_usd[venue] += remainder;
        tally->fund_gain_usd += remainder;
        tally->venue_gain_usd[venue] += remainder;
        return;
    }
    double paid = fmin(-remainder, fmax(self->fund_usd[venue], 0.0));
    self->fund_usd[venue] -= paid;
    tally->fund_draw_usd += paid;
    tally->venue_draw_usd[venue] += paid;
    tally->bad_debt_usd += -remainder - paid;
}

static void flow_add(struct settle_flow *sum, const struct settle_flow *flow)
{
    sum->coins += flow->coins;
    sum->usd += flow->usd;
    sum->traders += flow->traders;
    sum->positions += flow->positions;
}

static void settle_shot(struct settle *self, const struct cascade *cascade,
                        const struct cascade_shot *shot, struct ledger *ledger, double fill)
{
    const struct ladder *ladder = cascade->ladder;
    int side = shot->side_index, venue = shot->position.class->venue;
    double leverage = (double)shot->position.position->leverage;
    double entry = ladder_entry_price(ladder, &shot->position);
    struct settle_flow flow = {
        .coins = shot->coins,
        .usd = shot->coins * fill,
        .traders = shot->coins * entry / (double)shot->position.position->size_usd,
        .positions = shot->coins > 0.0, /* a bar that opened nothing holds nobody */
    };
    fund_settle(self, venue, remainder_usd(ladder, shot, entry, fill));
    flow_add(&self->step.side[side], &flow);
    flow_add(&self->step.tier[side][tier_of(leverage)], &flow);
    flow_add(&self->step.venue[venue][side], &flow);
    self->market_maker_cash += side == BOOK_LONG ? -flow.usd : flow.usd;
    ledger_remove(ledger, side, shot->coins, entry, leverage,
                  ladder->bars[shot->position.bar].funding.linear);
}

void settle_node(struct settle *self, const struct cascade *cascade, struct ledger *ledger,
                 double previous_last)
{
    for (size_t i = 0; i < cascade->shot_count; i++) {
        const struct cascade_shot *shot = &cascade->shots[i];
        settle_shot(self, cascade, shot, ledger, fill_price(self, cascade, shot, previous_last));
    }
}

void settle_add(struct settle_tally *sum, const struct settle_tally *tally)
{
    for (int side = 0; side < 2; side++) {
        flow_add(&sum->side[side], &tally->side[side]);
        for (int tier = 0; tier < TIERS; tier++)
            flow_add(&sum->tier[side][tier], &tally->tier[side][tier]);
        for (int venue = 0; venue < BOOK_VENUES_MAX; venue++)
            flow_add(&sum->venue[venue][side], &tally->venue[venue][side]);
    }
    for (int venue = 0; venue < BOOK_VENUES_MAX; venue++) {
        sum->venue_gain_usd[venue] += tally->venue_gain_usd[venue];
        sum->venue_draw_usd[venue] += tally->venue_draw_usd[venue];
    }
    sum->fund_gain_usd += tally->fund_gain_usd;
    sum->fund_draw_usd += tally->fund_draw_usd;
    sum->bad_debt_usd += tally->bad_debt_usd;
}
