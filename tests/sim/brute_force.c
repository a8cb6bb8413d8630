#include "tests/sim/brute_force.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "tests/sim/brute_parts.h"

/* ---- opening ---------------------------------------------------------------------------- */

/* `coins` of a side open in a bar, those of the book in its positions. Returns their margin;
   out_entry: per coin. */
static double fill_bar(struct brute_force *self, int side_index, size_t bar, double coins,
                       double price, double *out_entry)
{
    struct ledger_opening opening = {0};
    *out_entry = 0.0;
    for (size_t i = 0; i < self->opened; i++) {
        struct brute_position *position = &self->positions[i];
        if (position->bar != bar || book_side_index(position->side) != side_index)
            continue;
        double entry =
            position->share * brute_relative_entry(self, position, &position->brackets[0]);
        position->opened = coins;
        position->coins = position->share * coins;
        opening.share[position->tier] += position->share;
        opening.entry[position->tier] += entry;
        opening.margin[position->tier] += entry / position->leverage;
        *out_entry += entry;
    }
    double margin =
        ledger_open(&self->ledger, side_index, bar, coins, price, self->funding_linear, &opening);
    for (size_t i = 0; i < self->opened; i++)
        if (self->positions[i].bar == bar && book_side_index(self->positions[i].side) == side_index)
            self->positions[i].hazard_then = self->positions[i].hazard_seen =
                ledger_hazard(&self->ledger, side_index, bar);
    return margin;
}

static void open_given(struct brute_force *self)
{
    brute_expose(self, 0, 1.0);
    for (int side = 0; side < 2; side++) {
        double entry, share = self->params->oi_share;
        fill_bar(self, side, 0, share, 1.0, &entry);
        brute_hold(self, side, share * self->book->residual_coins[side],
                   path_bar_at(self->path, 0).last[0]);
    }
}

static void scale_sums(struct ledger_sums *sums, double factor)
{
    sums->coins *= factor;
    sums->entry_value *= factor;
    sums->margin *= factor;
    sums->funding_value *= factor;
}

/* The sums of a side, in the ledger and in all its zones. */
static void scale_ledger(struct ledger_side *side, double factor)
{
    scale_sums(&side->held, factor);
    for (int tier = 0; tier < TIERS; tier++)
        scale_sums(&side->tier[tier], factor);
    for (int zone = 0; side->zones != NULL && zone < LEDGER_ZONES; zone++)
        for (int tier = 0; tier < TIERS; tier++)
            scale_sums(&side->zones[zone].tier[tier], factor);
}

/* Who has all but closed by himself is gone; with zones, only behind all who opened before. */
static void let_go(struct brute_force *self)
{
    size_t first[2][TIERS];
    for (int side = 0; side < 2; side++)
        ledger_gone(&self->ledger, side, first[side]);
    for (size_t i = 0; i < self->opened; i++) {
        struct brute_position *position = &self->positions[i];
        int side = book_side_index(position->side), tier = position->tier;
        double passed = ledger_hazard(&self->ledger, side, position->bar) - position->hazard_then;
        bool little = self->ledger.tier_hazard[tier] * passed > LEDGER_GONE;
        if (self->ledger.side[side].zones != NULL)
            little = little && position->bar < first[side][tier];
        position->closed = position->closed || (little && position->rest == RESTS_NONE);
    }
}

/* The run begins: everybody stands for more traders or fewer, and money is counted anew. */
static void begin(struct brute_force *self)
{
    double factor = self->params->oi_scale;
    let_go(self);
    for (size_t i = 0; i < self->opened; i++) {
        self->positions[i].coins *= factor;
        self->positions[i].opened *= factor;
    }
    for (int side = 0; side < 2; side++) {
        struct brute_holders *holders = &self->holders[side];
        holders->coins *= factor;
        holders->entry_value *= factor;
        holders->funding_value *= factor;
        scale_ledger(&self->ledger.side[side], factor);
    }
    memcpy(self->fund_usd, self->params->fund_usd, sizeof self->fund_usd);
    memcpy(self->peak_usd, self->params->fund_usd, sizeof self->peak_usd);
    memset(self->impact, 0, sizeof self->impact);
    self->fund_net_usd = self->bad_debt_usd = self->fees_usd = 0.0;
    self->market_maker_cash = self->deposits_usd = self->withdrawals_usd = 0.0;
}

bool brute_force_init(struct brute_force *self, const struct replay_params *params,
                      const struct path *path, const struct book *book, bool prices_given)
{
    struct ledger_params closing = {params->hazard_exponent, params->disposition_ratio};
    memset(self, 0, sizeof *self);
    self->params = params;
    self->path = path;
    self->book = book;
    self->positions = calloc(book->position_count, sizeof *self->positions);
    if (self->positions == NULL ||
        ledger_init(&self->ledger, book->bars, &closing, NULL) != ERROR_NONE) {
        brute_force_free(self);
        return false;
    }
    brute_make_records(self, prices_given);
    depth_start(&params->depth, &self->depth_state);
    for (int v = 0; v < BOOK_VENUES_MAX; v++)
        self->fund_usd[v] = self->peak_usd[v] = INFINITY;
    self->last_close = NAN;
    if (book->from_file)
        open_given(self);
    if (params->start_bar == 0)
        begin(self);
    return true;
}

void brute_force_free(struct brute_force *self)
{
    free(self->positions);
    free(self->shots);
    ledger_free(&self->ledger);
    memset(self, 0, sizeof *self);
}

/* ---- equity, position by position ------------------------------------------------------- */

static double side_equity(const struct brute_force *self, int side_index, double price)
{
    const struct brute_holders *holders = &self->holders[side_index];
    double sign = side_index == BOOK_LONG ? 1.0 : -1.0;
    double equity = holders->entry_value + sign * (price * holders->coins - holders->entry_value) -
                    sign * (self->funding_linear * holders->coins - holders->funding_value);
    for (size_t i = 0; i < self->opened; i++) {
        const struct brute_position *position = &self->positions[i];
        if (!position->open || position->coins == 0.0 ||
            book_side_index(position->side) != side_index)
            continue;
        double entry = brute_entry(self, position, &position->brackets[0]);
        equity += position->coins * (entry / position->leverage + sign * (price - entry) -
                                     sign * (self->funding_linear - position->funding_linear));
    }
    return equity;
}

double brute_force_total_usd(const struct brute_force *self, double price)
{
    return side_equity(self, BOOK_LONG, price) + side_equity(self, BOOK_SHORT, price) +
           self->fund_net_usd + self->fees_usd - self->bad_debt_usd + self->market_maker_cash +
           self->withdrawals_usd - self->deposits_usd;
}

/* ---- trading ---------------------------------------------------------------------------- */

static double slowest_tier(const struct brute_force *self)
{
    double slowest = self->ledger.tier_hazard[0];
    for (int tier = 0; tier < TIERS; tier++)
        slowest = fmin(slowest, self->ledger.tier_hazard[tier]);
    return slowest;
}

/* Who has all but closed. With zones of their own, bars go in their order, whoever comes first. */
static bool gone(const struct brute_force *self, const struct brute_position *position)
{
    const struct ledger_side *side = &self->ledger.side[book_side_index(position->side)];
    if (side->zones != NULL)
        return position->bar < side->first_bar;
    return slowest_tier(self) * (side->hazard - position->hazard_then) > LEDGER_GONE;
}

/* Every holder of a side closes by the hazard of his tier, one by one; those outside the book keep
   `held` of what they have. All go when nothing remains. */
static void thin(struct brute_force *self, int side, double held, bool all)
{
    struct brute_holders *holders = &self->holders[side];
    holders->coins *= held;
    holders->entry_value *= held;
    holders->funding_value *= held;
    for (size_t i = 0; i < self->opened; i++) {
        struct brute_position *position = &self->positions[i];
        bool before = position->bar < self->bar || self->book->from_file;
        if (book_side_index(position->side) != side || !before)
            continue;
        double passed = ledger_hazard(&self->ledger, side, position->bar) - position->hazard_seen;
        position->hazard_seen += passed;
        position->coins *= all ? 0.0 : exp(-self->ledger.tier_hazard[position->tier] * passed);
        position->closed = position->closed || all || gone(self, position);
    }
}

static void close_some(struct brute_force *self, int side, double coins, double price)
{
    if (coins <= 0.0)
        return;
    double before = side_equity(self, side, price), total = ledger_total(&self->ledger, side);
    double remaining = fmax(total - coins, 0.0);
    ledger_thin(&self->ledger, side, remaining, price);
    thin(self, side, remaining == 0.0 ? 0.0 : remaining / total, remaining == 0.0);
    self->withdrawals_usd += before - side_equity(self, side, price);
    self->market_maker_cash -= (side == BOOK_LONG ? coins : -coins) * price;
}

/* What the book does not hold is held outside it. */
static void open_some(struct brute_force *self, int side, double coins, double price)
{
    double sign = side == BOOK_LONG ? 1.0 : -1.0, entry = 0.0;
    double held = self->book->from_file ? 1.0 : self->book->held_share[side];
    if (held > 0.0) {
        brute_hold(self, side, coins * held, price);
        self->counts.held_opens += coins > 0.0 && !self->book->from_file;
    }
    self->deposits_usd += coins * held * price;
    if (!self->book->from_file)
        self->deposits_usd += fill_bar(self, side, self->bar, coins, price, &entry);
    self->market_maker_cash += sign * coins * price * (held + entry);
}

static struct ledger_flows flows_of(const struct brute_force *self, double oi_before,
                                    const struct replay_step *out)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    const struct settle_tally *forced = &out->forced;
    bool from_file = self->book->from_file, begun = self->bar >= params->start_bar;
    double hours = (double)market->step_ms / (double)CALENDAR_HOUR_MS;
    /* Winners and the bankrupt close against each other: OI falls by it, and nobody trades. */
    double deleveraged = forced->adl_coins[0] + forced->adl_coins[1];
    struct ledger_step step = {
        .oi = oi_before - deleveraged,
        .turnover = from_file ? 0.0 : params->turnover_per_hour * hours,
        .remargin = from_file ? 0.0 : params->remargin_per_hour * hours,
        .absorbed_by_closers = params->absorbed_by_closers,
        .observed = !from_file && market->oi_coins != NULL && self->bar < market->bars &&
                    !(begun && self->bar >= params->frozen_bar),
    };
    for (int side = 0; side < 2; side++)
        step.forced[side] =
            forced->side[side].coins - forced->backstop_coins[side] - forced->adl_coins[1 - side];
    if (step.observed)
        step.oi_change =
            params->oi_share * (begun ? params->oi_scale : 1.0) * market->oi_coins[self->bar] -
            step.oi;
    return ledger_flows(&step);
}

static void trade(struct brute_force *self, double oi_before, struct replay_step *out)
{
    struct ledger_flows flows = flows_of(self, oi_before, out);
    double price = self->reference_last;
    if (!self->book->from_file)
        brute_expose(self, self->bar, price);
    for (int side = 0; side < 2; side++) {
        close_some(self, side, flows.closes[side], price);
        open_some(self, side, flows.opens[side], price);
        out->opens_coins[side] = flows.opens[side];
        out->closes_coins[side] = flows.closes[side];
    }
    self->counts.remargins += flows.remargined > 0.0;
    out->replacement_coins = flows.replacement;
    out->remargined_coins = flows.remargined;
    out->oi_coins = ledger_total(&self->ledger, BOOK_LONG);
    out->oi_usd = out->oi_coins * self->reference_mark;
}

/* ---- a step ----------------------------------------------------------------------------- */

static double funding_rate_due(struct brute_force *self)
{
    const struct market *market = self->path->market;
    if (self->bar >= self->params->funding_bar)
        return funding_due(&self->params->funding, &self->funding,
                           market->start_ms + (int64_t)self->bar * market->step_ms,
                           market->step_ms);
    return market->funding_rate != NULL && self->bar < market->bars
               ? market->funding_rate[self->bar]
               : 0.0;
}

static void begin_prices(struct brute_force *self, const struct path_bar *bar)
{
    const struct replay_params *params = self->params;
    if (params->generation_ms == 0)
        brute_pass(self, self->path->market->step_ms);
    self->depth = depth_relative(&params->depth, &self->depth_state);
    if (self->bar == params->start_bar)
        self->start_price = isnan(self->last_close) ? bar->last[0] : self->last_close;
    if (self->bar >= params->start_bar && self->bar >= params->feedback_bar && !self->feedback) {
        self->feedback = true;
        memset(self->impact, 0, sizeof self->impact);
    }
}

static void begin_step(struct brute_force *self, const struct path_bar *bar,
                       struct replay_step *out)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    memset(out, 0, sizeof *out);
    memset(self->adl_made, 0, sizeof self->adl_made);
    memset(self->adl, 0, sizeof self->adl);
    begin_prices(self, bar);
    out->time_ms = market->start_ms + (int64_t)self->bar * market->step_ms;
    out->depth_share = self->depth;
    double mark = bar->mark[0];
    if (self->feedback)
        mark *= exp(params->mark_passthrough * brute_impact(self));
    out->funding_rate = funding_rate_due(self);
    self->funding_linear += out->funding_rate * mark;
    self->funding_inverse += out->funding_rate / mark;
    out->branching_ratio = NAN;
    if (self->bar >= params->start_bar)
        brute_bound_branching(self, mark);
}

/* Time of a node within the bar. */
static int64_t node_offset(const struct brute_force *self, int node)
{
    return self->path->market->step_ms * node / (PATH_NODES - 1);
}

/* The clock is brought to the node, from where the generations of the last one left it. */
static void begin_node(struct brute_force *self, int node)
{
    const struct market *market = self->path->market;
    int64_t here = node_offset(self, node);
    if (self->params->generation_ms > 0 && node > 0) {
        int64_t passed = here - node_offset(self, node - 1) - self->spent_ms;
        if (passed > 0)
            brute_pass(self, passed);
    }
    self->now_ms = market->start_ms + (int64_t)self->bar * market->step_ms + here;
    self->spent_ms = 0;
    self->room_ms = node == PATH_NODES - 1 ? 0 : node_offset(self, node + 1) - here;
}

static void walk_node(struct brute_force *self, const struct path_bar *bar, int node,
                      struct replay_step *out)
{
    struct impact_state before[BOOK_VENUES_MAX];
    bool measured = self->bar >= self->params->start_bar;
    begin_node(self, node);
    memcpy(before, self->impact, sizeof before);
    int waves = brute_cascade(self, bar->last[node], bar->mark[node], &out->forced);
    if (waves > out->generations)
        out->generations = waves;
    if (measured && !self->feedback && brute_unreachable(self, before))
        out->unreachable = true;
    double last = self->reference_last;
    if (node == 0)
        out->price_open = out->price_high = out->price_low = last;
    out->price_high = fmax(out->price_high, last);
    out->price_low = fmin(out->price_low, last);
    double moved = log(last / self->start_price);
    if (measured && fabs(moved) >= fabs(out->extreme_log)) {
        out->extreme_log = moved;
        out->extreme_endogenous_log = brute_impact(self);
    }
}

static void end_prices(struct brute_force *self, const struct path_bar *bar,
                       struct replay_step *out)
{
    double impact = brute_impact(self);
    out->price_close = self->reference_last;
    out->mark_close = self->reference_mark;
    out->exogenous_close =
        self->feedback ? bar->last[PATH_NODES - 1] : out->price_close * exp(-impact);
    if (self->bar >= self->params->start_bar) {
        out->endogenous_log = impact;
        out->exogenous_log = log(out->price_close / self->start_price) - out->endogenous_log;
    }
    self->fund_net_usd += out->forced.fund_gain_usd - out->forced.fund_draw_usd;
    self->fees_usd += out->forced.fees_usd;
    self->bad_debt_usd += out->forced.bad_debt_usd;
}

/* What the step shows to the funding rule. */
static void observe_funding(struct brute_force *self, struct replay_step *out)
{
    const struct replay_params *params = self->params;
    bool given = params->index != NULL && self->bar < self->path->market->bars;
    out->premium = out->price_close / (given ? params->index[self->bar] : out->mark_close) - 1.0;
    out->utilisation = NAN;
    if (params->funding_bar == REPLAY_NEVER)
        return;
    struct funding_signal signal = {.premium = out->premium,
                                    .skew_coins = self->ledger.side[BOOK_SHORT].held.coins -
                                                  self->ledger.side[BOOK_LONG].held.coins,
                                    .oi_coins = out->oi_coins,
                                    .price = out->mark_close,
                                    .step_ms = self->path->market->step_ms};
    int sign;
    funding_observe(&params->funding, &self->funding, &signal);
    double utilisation = funding_utilisation(&self->funding, &sign);
    out->utilisation = utilisation * sign;
}

static void observe(struct brute_force *self, struct replay_step *out)
{
    const struct replay_params *params = self->params;
    const struct market *market = self->path->market;
    double range = log(out->price_high / out->price_low);
    depth_observe(&params->depth, &self->depth_state, range * range / (4.0 * M_LN2),
                  market->step_ms);
    if (params->depth_series != NULL)
        depth_observe_series(&params->depth, &self->depth_state,
                             self->bar < market->bars ? params->depth_series[self->bar] : NAN);
    observe_funding(self, out);
}

void brute_force_step(struct brute_force *self, struct replay_step *out)
{
    struct path_bar bar = path_bar_at(self->path, self->bar);
    double oi_before = ledger_total(&self->ledger, BOOK_LONG);
    begin_step(self, &bar, out);
    self->previous = NAN;
    for (int node = 0; node < PATH_NODES; node++) {
        walk_node(self, &bar, node, out);
        self->previous = self->reference_last;
    }
    end_prices(self, &bar, out);
    trade(self, oi_before, out);
    observe(self, out);
    self->last_close = self->reference_last;
    self->bar++;
    if (self->bar == self->params->start_bar)
        begin(self);
}
