#include "sim/replay.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"

static const double INVARIANT_TOLERANCE = 1e-9;
/* A price this many times away from its start is no price any more. */
static const double PRICE_RUNAWAY = 1e6;

/* Parkinson (1980): the variance that a range stands for is ln(high/low)^2 / (4 ln 2). */
static double range_variance(double high, double low)
{
    double range = log(high / low);
    return range * range / (4.0 * M_LN2);
}

/* ---- life ------------------------------------------------------------------------------- */

/* A book from a file stands open before the first bar, at price 1 because it is absolute. */
static void open_given(struct replay *self)
{
    const struct book *book = self->book;
    double price = path_bar_at(self->path, 0).last[0];
    ladder_open(&self->ladder, 0, 1.0);
    struct ledger_opening opening[2];
    book_bar_opening(book, 0, opening);
    for (int side = 0; side < 2; side++) {
        double scale = self->params->oi_scale;
        ledger_open(&self->ledger, side, 0, scale, 1.0, 0.0, &opening[side]);
        ledger_hold(&self->ledger, side, scale * book->residual_coins[side], price, 0.0);
    }
}

static bool any_inverse(const struct book *book)
{
    for (size_t v = 0; v < book->venue_count; v++)
        if (book->venues[v].formula->inverse)
            return true;
    return false;
}

static double total_usd(const struct replay *self, double price)
{
    double funding = self->ladder.funding.linear;
    return ledger_equity(&self->ledger, BOOK_LONG, price, funding) +
           ledger_equity(&self->ledger, BOOK_SHORT, price, funding) + self->fund_net_usd -
           self->bad_debt_usd + self->settle.market_maker_cash + self->withdrawals_usd -
           self->deposits_usd;
}

int replay_init(struct replay *self, const struct replay_params *params, const struct path *path,
                const struct book *book, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->params = params;
    self->path = path;
    self->book = book;
    int code = ladder_init(&self->ladder, book, err);
    if (code != ERROR_NONE)
        return code;
    code = ledger_init(&self->ledger, book->bars, params->hazard_exponent, err);
    if (code != ERROR_NONE) {
        ladder_free(&self->ladder);
        return code;
    }
    depth_start(&params->depth, &self->depth);
    self->settle.fill = params->fill;
    memcpy(self->settle.fund_usd, params->fund_usd, sizeof self->settle.fund_usd);
    self->cascade = (struct cascade){.ladder = &self->ladder,
                                     .ledger = &self->ledger,
                                     .impact = &params->impact,
                                     .state = &self->impact,
                                     .mark_passthrough = params->mark_passthrough};
    if (book->from_file)
        open_given(self);
    self->last_close = NAN;
    self->seen_depth = NAN;
    self->total_usd = any_inverse(book) ? NAN : total_usd(self, path_bar_at(path, 0).mark[0]);
    return ERROR_NONE;
}

void replay_free(struct replay *self)
{
    /* It counts its classes by the ladder's book. */
    if (self->cascade.nearby != NULL)
        nearby_free(&self->nearby);
    self->cascade.nearby = NULL;
    ladder_free(&self->ladder);
    ledger_free(&self->ledger);
    cascade_free(&self->cascade);
}

/* ---- a step ----------------------------------------------------------------------------- */

static bool measured(const struct replay *self)
{
    return self->bar >= self->params->start_bar;
}

static double oi(const struct replay *self)
{
    return ledger_total(&self->ledger, BOOK_LONG);
}

/* The log price impact of forced orders. Asked for at every node, while few nodes change it. */
static double impact_now(struct replay *self)
{
    const struct impact_state *now = &self->impact;
    if (self->seen_depth != self->cascade.depth || self->seen.flow_coins != now->flow_coins ||
        self->seen.permanent_log != now->permanent_log) {
        self->seen = *now;
        self->seen_depth = self->cascade.depth;
        self->seen_log = impact_log(&self->params->impact, now, self->cascade.depth);
    }
    return self->seen_log;
}

static int start_measuring(struct replay *self, const struct path_bar *bar, struct error *err)
{
    const struct market *market = self->path->market;
    double low = bar->mark[0], high = bar->mark[0];
    for (size_t i = self->bar; i < market->bars; i++) {
        low = fmin(low, market->mark.low[i]);
        high = fmax(high, market->mark.high[i]);
    }
    int code = nearby_init(&self->nearby, &self->ladder, &self->ledger, low, high,
                           self->params->branching_window_log, err);
    if (code != ERROR_NONE)
        return code;
    self->cascade.nearby = &self->nearby;
    self->start_impact_log = impact_now(self);
    self->start_price = isnan(self->last_close) ? bar->last[0] : self->last_close;
    self->oi_start_coins = oi(self);
    return ERROR_NONE;
}

static int prepare(struct replay *self, const struct path_bar *bar, struct replay_step *out,
                   struct error *err)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    impact_decay(&params->impact, &self->impact, market->step_ms);
    self->cascade.depth = depth_relative(&params->depth, &self->depth);
    if (self->bar == params->feedback_bar) {
        /* From here on the price is made of the path and the impact of what fires; the impact of
           what fired before is in the path. */
        self->impact = (struct impact_state){0};
        self->start_impact_log = 0.0;
        self->cascade.feedback = true;
    }
    if (self->bar == params->start_bar) {
        int code = start_measuring(self, bar, err);
        if (code != ERROR_NONE)
            return code;
    }
    memset(out, 0, sizeof *out);
    out->time_ms = market->start_ms + (int64_t)self->bar * market->step_ms;
    out->depth_share = self->cascade.depth;
    out->branching_ratio = NAN;
    bool reported =
        market->liq_long_coins != NULL && self->bar < market->bars && !self->path->shock;
    out->reported_coins[BOOK_LONG] = reported ? market->liq_long_coins[self->bar] : NAN;
    out->reported_coins[BOOK_SHORT] = reported ? market->liq_short_coins[self->bar] : NAN;
    double factor = self->cascade.feedback ? exp(params->mark_passthrough * impact_now(self)) : 1.0;
    double mark = bar->mark[0] * factor;
    if (market->funding_rate != NULL && self->bar < market->bars &&
        market->funding_rate[self->bar] != 0.0) {
        out->funding_rate = market->funding_rate[self->bar];
        ladder_fund(&self->ladder, out->funding_rate, mark);
    }
    if (measured(self))
        out->branching_ratio =
            cascade_branching_ratio(&self->nearby, &params->impact, &self->impact,
                                    self->cascade.depth, mark, params->branching_window_log);
    return ERROR_NONE;
}

/* The largest move since the start and the part of it that is forced orders' doing. */
static void note_extreme(struct replay *self, struct replay_step *out)
{
    double moved = log(self->cascade.last / self->start_price);
    if (fabs(moved) < fabs(out->extreme_log))
        return;
    out->extreme_log = moved;
    out->extreme_endogenous_log = impact_now(self) - self->start_impact_log;
}

static int walk_node(struct replay *self, const struct path_bar *bar, int node,
                     double previous_last, struct replay_step *out, struct error *err)
{
    struct cascade *cascade = &self->cascade;
    struct impact_state before = self->impact;
    int code = cascade_node(cascade, bar->last[node], bar->mark[node], err);
    if (code != ERROR_NONE)
        return code;
    if (cascade->shot_count > 0) {
        if (cascade->generations > out->generations)
            out->generations = cascade->generations;
        if (measured(self) && !cascade->feedback && cascade_unreachable(cascade, &before))
            out->unreachable = true;
        settle_node(&self->settle, cascade, &self->ledger, previous_last);
    }
    out->price_high = node == 0 ? cascade->last : fmax(out->price_high, cascade->last);
    out->price_low = node == 0 ? cascade->last : fmin(out->price_low, cascade->last);
    if (node == 0)
        out->price_open = cascade->last;
    if (measured(self))
        note_extreme(self, out);
    return ERROR_NONE;
}

static int walk_bar(struct replay *self, const struct path_bar *bar, struct replay_step *out,
                    struct error *err)
{
    double previous = NAN;
    settle_begin_step(&self->settle);
    for (int node = 0; node < PATH_NODES; node++) {
        int code = walk_node(self, bar, node, previous, out, err);
        if (code != ERROR_NONE)
            return code;
        previous = self->cascade.last;
    }
    out->forced = self->settle.step;
    out->price_close = self->cascade.last;
    out->mark_close = self->cascade.mark;
    double impact = impact_now(self);
    out->exogenous_close = self->cascade.feedback
                               ? bar->last[PATH_NODES - 1]
                               : out->price_close * exp(self->start_impact_log - impact);
    if (measured(self)) {
        out->endogenous_log = impact - self->start_impact_log;
        out->exogenous_log = log(out->price_close / self->start_price) - out->endogenous_log;
    }
    self->fund_net_usd += out->forced.fund_gain_usd - out->forced.fund_draw_usd;
    self->bad_debt_usd += out->forced.bad_debt_usd;
    return ERROR_NONE;
}

/* ---- the ledger's part ------------------------------------------------------------------ */

static struct ledger_step ledger_step_of(const struct replay *self, double oi_before,
                                         const struct replay_step *out)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    bool given = market->oi_coins != NULL && self->bar < market->bars && !self->book->from_file &&
                 self->bar < params->frozen_bar;
    struct ledger_step step = {
        .oi = oi_before,
        .forced = {out->forced.side[BOOK_LONG].coins, out->forced.side[BOOK_SHORT].coins},
        .observed = given,
        .turnover = self->book->from_file ? 0.0
                                          : params->turnover_per_hour * (double)market->step_ms /
                                                (double)CALENDAR_HOUR_MS,
        .absorbed_by_closers = params->absorbed_by_closers,
    };
    if (given)
        step.oi_change = params->oi_scale * market->oi_coins[self->bar] - oi_before;
    return step;
}

static void trade_opens(struct replay *self, int side, double coins, double price,
                        const struct ledger_opening *opening)
{
    /* A bar that opens nothing is opened all the same, so that it expires in its turn. */
    double funding = self->ladder.funding.linear, entry_sum = 0.0;
    if (self->book->from_file) {
        ledger_hold(&self->ledger, side, coins, price, funding);
        self->deposits_usd += coins * price;
        entry_sum = 1.0;
    } else {
        self->deposits_usd +=
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
    ledger_thin(&self->ledger, side, fmax(ledger_total(&self->ledger, side) - coins, 0.0));
    if (self->cascade.nearby != NULL)
        nearby_thin(&self->nearby, side);
    if (self->ledger.side[side].first_bar != self->ladder.first_bar[side])
        ladder_expire(&self->ladder, side, self->ledger.side[side].first_bar);
    self->withdrawals_usd += before - ledger_equity(&self->ledger, side, price, funding);
    self->settle.market_maker_cash += (side == BOOK_LONG ? -coins : coins) * price;
}

static int keep_ledger(struct replay *self, double oi_before, struct replay_step *out,
                       struct error *err)
{
    struct ledger_step step = ledger_step_of(self, oi_before, out);
    struct ledger_flows flows = ledger_flows(&step);
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
    out->oi_coins = oi(self);
    out->oi_usd = out->oi_coins * out->mark_close;
    if (self->book->from_file)
        return ERROR_NONE;
    ladder_open(&self->ladder, self->bar, out->price_close);
    return self->cascade.nearby == NULL ? ERROR_NONE : nearby_open(&self->nearby, self->bar, err);
}

/* Impact that grows faster than the book can feed it ends in prices that mean nothing. */
static int check_price(const struct replay *self, const struct replay_step *out, struct error *err)
{
    double moved = out->price_close / self->start_price;
    if (!measured(self) || (moved < PRICE_RUNAWAY && moved > 1.0 / PRICE_RUNAWAY))
        return ERROR_NONE;
    return error_set(err, ERROR_NUMERICAL,
                     "step %zu: the price has run away to %.6g, from %.6g at the start; expected "
                     "impact parameters that the book can stand (impact.gamma, reference_coins, "
                     "depth)",
                     self->bar, out->price_close, self->start_price);
}

static int check_invariants(struct replay *self, const struct replay_step *out, struct error *err)
{
    double longs = oi(self), shorts = ledger_total(&self->ledger, BOOK_SHORT);
    if (!(fabs(longs - shorts) <= INVARIANT_TOLERANCE * fmax(longs, self->oi_start_coins)))
        return error_set(err, ERROR_NUMERICAL,
                         "step %zu: long OI %.17g is not short OI %.17g coins", self->bar, longs,
                         shorts);
    double total = total_usd(self, out->mark_close);
    double scale = fabs(self->withdrawals_usd) + fabs(self->deposits_usd) +
                   ledger_entry_value(&self->ledger, BOOK_LONG);
    if (!isnan(self->total_usd) && !(fabs(total - self->total_usd) <= INVARIANT_TOLERANCE * scale))
        return error_set(err, ERROR_NUMERICAL,
                         "step %zu: money is not conserved: %.17g became %.17g", self->bar,
                         self->total_usd, total);
    return ERROR_NONE;
}

int replay_step(struct replay *self, struct replay_step *out, struct error *err)
{
    struct path_bar bar = path_bar_at(self->path, self->bar);
    double oi_before = oi(self);
    int code = prepare(self, &bar, out, err);
    if (code == ERROR_NONE)
        code = walk_bar(self, &bar, out, err);
    if (code == ERROR_NONE)
        code = keep_ledger(self, oi_before, out, err);
    if (code != ERROR_NONE)
        return code;
    depth_observe(&self->params->depth, &self->depth,
                  range_variance(out->price_high, out->price_low), self->path->market->step_ms);
    code = check_price(self, out, err);
    if (code == ERROR_NONE)
        code = check_invariants(self, out, err);
    self->last_close = out->price_close;
    self->bar++;
    return code;
}
