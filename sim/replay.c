#include "sim/replay.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "sim/replay_trade.h"

static const double INVARIANT_TOLERANCE = 1e-9;
/* Forks whose prices leave those of the path that stock was taken for by less share it. */
static const double STOCK_MARGIN_LOG = 0.7;

/* Parkinson (1980): the variance that a range stands for is ln(high/low)^2 / (4 ln 2). */
static double range_variance(double high, double low)
{
    double range = log(high / low);
    return range * range / (4.0 * M_LN2);
}

/* ---- life ------------------------------------------------------------------------------- */

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
           ledger_equity(&self->ledger, BOOK_SHORT, price, funding) + self->fund_net_usd +
           self->fees_usd - self->bad_debt_usd + self->settle.market_maker_cash +
           self->settle.withdrawals_usd - self->settle.deposits_usd;
}

static bool deleverages(const struct replay_params *params, const struct book *book)
{
    for (size_t v = 0; v < book->venue_count; v++)
        if (params->venue[v].adl != NULL && !isinf(params->fund_usd[v]))
            return true;
    return false;
}

static void make_prices(struct replay *self, bool split)
{
    const struct replay_params *params = self->params;
    struct prices_params *out = &self->prices_params;
    int venues = (int)self->book->venue_count;
    *out = (struct prices_params){
        .impact = params->impact,
        .markets = split ? venues : 1,
        .separate = split && params->arbitrage_half_life_ms != 0,
        .half_life_ms = params->arbitrage_half_life_ms,
        .reference_passthrough = params->mark_passthrough,
    };
    for (int v = 0; v < venues; v++) {
        out->passthrough[v] = split ? params->passthrough[v] : params->mark_passthrough;
        out->depth_share[v] = split ? params->depth_share[v] : 1.0;
    }
    prices_init(&self->prices, out);
}

static void make_cascade(struct replay *self)
{
    const struct replay_params *params = self->params;
    double unlimited[BOOK_VENUES_MAX];
    for (int v = 0; v < BOOK_VENUES_MAX; v++)
        unlimited[v] = INFINITY;
    settle_init(&self->settle, params->fill, unlimited);
    deleverage_init(&self->deleverage, &self->ladder, &self->ledger, &self->settle);
    self->cascade =
        (struct cascade){.venues = params->venue,
                         .ladder = &self->ladder,
                         .accounts = self->book->account_count > 0 ? &self->accounts : NULL,
                         .ledger = &self->ledger,
                         .prices = &self->prices,
                         .settle = &self->settle,
                         .deleverage = &self->deleverage,
                         .generation_ms = params->generation_ms};
}

/* Money is counted from here on. */
static void make_total(struct replay *self)
{
    self->fund_net_usd = self->bad_debt_usd = self->fees_usd = 0.0;
    self->total_usd =
        any_inverse(self->book) ? NAN : total_usd(self, path_bar_at(self->path, self->bar).mark[0]);
}

static int part_accounts(struct replay *self, struct error *err)
{
    struct accounts own;
    if (self->cascade.accounts == NULL || !self->params->split || self->accounts.market_count > 1)
        return ERROR_NONE;
    int code = accounts_copy(&own, &self->accounts, true, err);
    if (code != ERROR_NONE)
        return code;
    accounts_free(&self->accounts);
    self->accounts = own;
    return ERROR_NONE;
}

static struct replay_stock stock_for(const struct path *path, size_t first, size_t bars,
                                     double window_log)
{
    double mark = path_bar_at(path, first).mark[0];
    struct replay_stock out = {false, mark, mark, window_log};
    for (size_t i = first; i < bars; i++) {
        struct path_bar next = path_bar_at(path, i);
        out.low = fmin(out.low, fmin(next.mark[1], next.mark[2]));
        out.high = fmax(out.high, fmax(next.mark[1], next.mark[2]));
    }
    return out;
}

/* Counts what is near the market. */
static int count_stock(struct replay *self, const struct replay_stock *stock, struct error *err)
{
    int code = nearby_init(&self->nearby, &self->ladder, &self->ledger, stock->low, stock->high,
                           stock->window_log, err);
    if (code != ERROR_NONE)
        return code;
    if (self->cascade.accounts != NULL)
        code = accounts_count(&self->accounts, &self->nearby, &self->ledger, err);
    if (code != ERROR_NONE) {
        nearby_free(&self->nearby);
        return code;
    }
    self->stock = *stock;
    self->stock.taken = true;
    return ERROR_NONE;
}

/* Before the start a position counts as long as any of its bar's may: to let go of each by itself
   costs a look at all, but whatever fires from here on is then somebody's. */
static void prune(struct replay *self)
{
    for (int side = 0; side < 2; side++) {
        size_t first[TIERS];
        ledger_gone(&self->ledger, side, first);
        ladder_prune(&self->ladder, side, first);
    }
}

int replay_take_stock(struct replay *self, const struct path *path, size_t bars, double window_log,
                      struct error *err)
{
    prune(self);
    struct replay_stock stock = stock_for(path, self->bar, bars, window_log);
    stock.low *= exp(-STOCK_MARGIN_LOG);
    stock.high *= exp(STOCK_MARGIN_LOG);
    return count_stock(self, &stock, err);
}

/* The same by copying it, if it is there. */
static int take_over_stock(struct replay *self, const struct replay *from, struct error *err)
{
    struct replay_stock stock =
        stock_for(self->path, self->bar, self->params->bars, self->params->branching_window_log);
    if (from == NULL || !from->stock.taken ||
        !nearby_covers(&from->nearby, stock.low, stock.high, stock.window_log))
        return count_stock(self, &stock, err);
    int code = nearby_copy(&self->nearby, &from->nearby, &self->ladder, &self->ledger, stock.low,
                           stock.high, err);
    if (code != ERROR_NONE)
        return code;
    if (self->cascade.accounts != NULL)
        self->accounts.nearby = &self->nearby;
    self->stock = stock;
    self->stock.taken = true;
    return ERROR_NONE;
}

/* The book is built, and what it is built for begins. `from` (NULL: none) stood here, too. */
static int begin(struct replay *self, const struct replay *from, struct error *err)
{
    const struct replay_params *params = self->params;
    if (from == NULL || !from->stock.taken)
        prune(self);
    int code = ladder_regroup(&self->ladder, params->split, deleverages(params, self->book), err);
    if (code == ERROR_NONE)
        code = part_accounts(self, err);
    if (code == ERROR_NONE)
        code = take_over_stock(self, from, err);
    if (code != ERROR_NONE)
        return code;
    self->cascade.nearby = self->deleverage.nearby = &self->nearby;
    ledger_scale(&self->ledger, params->oi_scale);
    nearby_scale(&self->nearby, params->oi_scale);
    settle_init(&self->settle, params->fill, params->fund_usd);
    make_prices(self, params->split);
    make_total(self);
    return ERROR_NONE;
}

static void free_parts(struct replay *self)
{
    accounts_free(&self->accounts);
    ladder_free(&self->ladder);
    ledger_free(&self->ledger);
}

/* Makes the rest, over ladder, ledger and accounts. */
static int finish_making(struct replay *self, const struct replay *from, struct error *err)
{
    make_prices(self, false);
    make_cascade(self);
    make_total(self);
    int code = self->bar == self->params->start_bar ? begin(self, from, err) : ERROR_NONE;
    if (code != ERROR_NONE)
        free_parts(self);
    return code;
}

int replay_init(struct replay *self, const struct replay_params *params, const struct path *path,
                const struct book *book, struct error *err)
{
    struct ledger_params closing = {params->hazard_exponent, params->disposition_ratio};
    memset(self, 0, sizeof *self);
    self->params = params;
    self->path = path;
    self->book = book;
    int code = ladder_init(&self->ladder, book, false, false, err);
    if (code != ERROR_NONE)
        return code;
    code = ledger_init(&self->ledger, book->bars, &closing, err);
    if (code == ERROR_NONE && book->account_count > 0)
        code = accounts_init(&self->accounts, book, false, err);
    if (code != ERROR_NONE) {
        free_parts(self);
        return code;
    }
    depth_start(&params->depth, &self->depth);
    self->last_close = NAN;
    if (book->from_file)
        replay_open_given(self);
    return finish_making(self, NULL, err);
}

void replay_free(struct replay *self)
{
    /* It counts its classes by the ladder's book. */
    if (self->stock.taken)
        nearby_free(&self->nearby);
    self->stock.taken = false;
    cascade_free(&self->cascade);
    deleverage_free(&self->deleverage);
    free_parts(self);
}

/* ---- a step ----------------------------------------------------------------------------- */

static bool measured(const struct replay *self)
{
    return self->bar >= self->params->start_bar;
}

static void start_measuring(struct replay *self, const struct path_bar *bar)
{
    self->start_price = isnan(self->last_close) ? bar->last[0] : self->last_close;
    self->oi_start_coins = replay_oi(self);
    for (size_t v = 0; v < self->book->venue_count; v++) {
        self->venue_low[v] = self->venue_high[v] = self->start_price;
        self->venue_gap_log[v] = 0.0;
    }
}

/* The funding rate that falls due at the bar's open. */
static double rate_due(struct replay *self)
{
    const struct market *market = self->path->market;
    if (self->bar >= self->params->funding_bar &&
        self->params->funding.kind != FUNDING_KIND_OBSERVED)
        return funding_due(&self->params->funding, &self->funding,
                           market->start_ms + (int64_t)self->bar * market->step_ms,
                           market->step_ms);
    bool given = market->funding_rate != NULL && self->bar < market->bars;
    return given ? market->funding_rate[self->bar] : 0.0;
}

static int pay_funding(struct replay *self, double rate, double mark, struct error *err)
{
    ladder_fund(&self->ladder, rate, mark);
    if (self->cascade.accounts == NULL)
        return ERROR_NONE;
    return accounts_fund(&self->accounts, self->ladder.funding.linear, &self->ledger, err);
}

static void begin_prices(struct replay *self)
{
    const struct replay_params *params = self->params;
    if (params->generation_ms == 0)
        prices_pass(&self->prices, self->path->market->step_ms);
    self->prices.depth = depth_relative(&params->depth, &self->depth);
    if (self->bar >= params->feedback_bar && measured(self) && !self->prices.feedback) {
        /* From here on the price is made of the path and the impact of what fires; the impact of
           what fired before is in the path. */
        prices_forget(&self->prices);
        self->prices.feedback = true;
    }
}

static void begin_report(struct replay *self, struct replay_step *out)
{
    const struct market *market = self->path->market;
    memset(out, 0, sizeof *out);
    out->time_ms = market->start_ms + (int64_t)self->bar * market->step_ms;
    out->depth_share = self->prices.depth;
    out->branching_ratio = NAN;
    bool reported =
        market->liq_long_coins != NULL && self->bar < market->bars && !self->path->shock;
    out->reported_coins[BOOK_LONG] = reported ? market->liq_long_coins[self->bar] : NAN;
    out->reported_coins[BOOK_SHORT] = reported ? market->liq_short_coins[self->bar] : NAN;
}

static double start_coins(const struct replay *self, int index)
{
    const struct replay_params *params = self->params;
    const struct factual_bar *from =
        params->factual == NULL ? NULL : factual_at(params->factual, self->bar);
    return from == NULL ? 0.0 : params->start_scale * from->node[index].flow_coins;
}

/* The mark at which funding is paid: before the step's first orders, but those that a
   counterfactual starts from, which an observed opening mark holds. */
static double opening_mark(struct replay *self, const struct path_bar *bar)
{
    double last, mark, start = start_coins(self, 0);
    if (!self->prices.feedback)
        return bar->mark[0];
    if (start == 0.0)
        return bar->mark[0] *
               exp(self->params->mark_passthrough * prices_impact_log(&self->prices));
    prices_with_order(&self->prices, bar->last[0], bar->mark[0], start, &last, &mark);
    return mark;
}

static int prepare(struct replay *self, const struct path_bar *bar, struct replay_step *out,
                   struct error *err)
{
    const struct replay_params *params = self->params;
    begin_prices(self);
    if (self->bar == params->start_bar)
        start_measuring(self, bar);
    begin_report(self, out);
    double mark = opening_mark(self, bar);
    out->funding_rate = rate_due(self);
    if (out->funding_rate != 0.0) {
        int code = pay_funding(self, out->funding_rate, mark, err);
        if (code != ERROR_NONE)
            return code;
    }
    if (measured(self)) {
        struct impact_state pooled = prices_pooled(&self->prices);
        out->branching_ratio =
            cascade_branching_ratio(&self->nearby, &params->impact, &pooled, self->prices.depth,
                                    mark, params->branching_window_log);
    }
    return ERROR_NONE;
}

/* The largest move since the start and the part of it that is forced orders' doing. */
static void note_extreme(struct replay *self, struct replay_step *out)
{
    double moved = log(self->prices.last / self->start_price);
    if (fabs(moved) < fabs(out->extreme_log))
        return;
    out->extreme_log = moved;
    out->extreme_endogenous_log = prices_impact_log(&self->prices);
}

/* Where venues have prices of their own: how far each goes, and from the others. */
static void note_venues(struct replay *self)
{
    for (int v = 0; self->prices_params.separate && v < self->prices_params.markets; v++) {
        double last = self->prices.market[v].last;
        self->venue_low[v] = fmin(self->venue_low[v], last);
        self->venue_high[v] = fmax(self->venue_high[v], last);
        self->venue_gap_log[v] = fmax(self->venue_gap_log[v], fabs(log(last / self->prices.last)));
    }
}

static void note_node(struct replay *self, int node, struct replay_step *out)
{
    double last = self->prices.last;
    out->price_high = node == 0 ? last : fmax(out->price_high, last);
    out->price_low = node == 0 ? last : fmin(out->price_low, last);
    if (node == 0)
        out->price_open = last;
    if (!measured(self))
        return;
    note_extreme(self, out);
    note_venues(self);
}

/* When a node comes: a bar's nodes are spread evenly over it. */
static int64_t node_time(const struct replay *self, int node)
{
    int64_t step = self->path->market->step_ms;
    return self->path->market->start_ms + (int64_t)self->bar * step +
           step * node / (PATH_NODES - 1);
}

/* What the node's price would have been without the forced orders since the record began. */
static void record_node(struct replay *self, const struct path_bar *bar, int index)
{
    struct factual_bar *to = factual_at(self->params->record, self->bar);
    if (to == NULL)
        return;
    double impact = prices_impact_log(&self->prices);
    to->node[index].last = bar->last[index] / exp(impact);
    to->node[index].mark = bar->mark[index] / exp(self->params->mark_passthrough * impact);
    for (size_t i = 0; i < self->cascade.shot_count; i++) {
        const struct cascade_shot *shot = &self->cascade.shots[i];
        to->node[index].flow_coins += shot->side_index == BOOK_LONG ? -shot->coins : shot->coins;
    }
}

/* The bar that forced orders act upon. */
static struct path_bar exogenous_bar(const struct replay *self)
{
    struct path_bar bar = path_bar_at(self->path, self->bar);
    const struct factual_bar *from =
        self->params->factual == NULL ? NULL : factual_at(self->params->factual, self->bar);
    for (int i = 0; from != NULL && i < PATH_NODES; i++) {
        bar.last[i] = from->node[i].last;
        bar.mark[i] = from->node[i].mark;
    }
    return bar;
}

static int walk_node(struct replay *self, const struct path_bar *bar, int index,
                     double previous_last, struct replay_step *out, struct error *err)
{
    struct cascade *cascade = &self->cascade;
    bool last = index == PATH_NODES - 1;
    struct cascade_node node = {
        .exogenous_last = bar->last[index],
        .exogenous_mark = bar->mark[index],
        .previous_last = previous_last,
        .time_ms = node_time(self, index),
        .start_coins = start_coins(self, index),
        .room_ms = last ? 0 : node_time(self, index + 1) - node_time(self, index),
    };
    if (self->params->generation_ms > 0 && index > 0) {
        int64_t passed = node.time_ms - node_time(self, index - 1) - self->node_ms;
        if (passed > 0)
            prices_pass(&self->prices, passed);
    }
    struct prices_impact before = self->prices.impact;
    int code = cascade_walk(cascade, &node, &self->node_ms, err);
    if (code != ERROR_NONE)
        return code;
    if (cascade->generations > out->generations)
        out->generations = cascade->generations;
    out->jump_coins = fmax(out->jump_coins, cascade->later_coins);
    if (cascade->shot_count > 0 && measured(self) && !self->prices.feedback &&
        cascade_unreachable(cascade, &before))
        out->unreachable = true;
    if (self->params->record != NULL)
        record_node(self, bar, index);
    note_node(self, index, out);
    return ERROR_NONE;
}

static void end_prices(struct replay *self, const struct path_bar *bar, struct replay_step *out)
{
    double impact = prices_impact_log(&self->prices);
    out->price_close = self->prices.last;
    out->mark_close = self->prices.mark;
    out->exogenous_close =
        self->prices.feedback ? bar->last[PATH_NODES - 1] : out->price_close * exp(-impact);
    if (measured(self)) {
        out->endogenous_log = impact;
        out->exogenous_log = log(out->price_close / self->start_price) - out->endogenous_log;
    }
}

static int walk_bar(struct replay *self, const struct path_bar *bar, struct replay_step *out,
                    struct error *err)
{
    double previous = NAN;
    settle_begin_step(&self->settle);
    deleverage_begin_step(&self->deleverage);
    for (int node = 0; node < PATH_NODES; node++) {
        int code = walk_node(self, bar, node, previous, out, err);
        if (code != ERROR_NONE)
            return code;
        previous = self->prices.last;
    }
    out->forced = self->settle.step;
    end_prices(self, bar, out);
    self->fund_net_usd += out->forced.fund_gain_usd - out->forced.fund_draw_usd;
    self->fees_usd += out->forced.fees_usd;
    self->bad_debt_usd += out->forced.bad_debt_usd;
    return ERROR_NONE;
}

/* What a finished bar of the path leaves for the depth of those to come. */
static void observe_depth(struct replay *self, size_t bar, double high, double low)
{
    const struct replay_params *params = self->params;
    depth_observe(&params->depth, &self->depth, range_variance(high, low),
                  self->path->market->step_ms);
    if (params->depth_series != NULL)
        depth_observe_series(&params->depth, &self->depth,
                             bar < self->path->market->bars ? params->depth_series[bar] : NAN);
}

/* What the step leaves for the depth and the funding of those to come. */
static void observe(struct replay *self, struct replay_step *out)
{
    const struct replay_params *params = self->params;
    int64_t step_ms = self->path->market->step_ms;
    bool given = self->bar < self->path->market->bars;
    observe_depth(self, self->bar, out->price_high, out->price_low);
    double index = params->index != NULL && given ? params->index[self->bar] : out->mark_close;
    out->premium = out->price_close / index - 1.0;
    out->utilisation = NAN;
    if (params->funding_bar == REPLAY_NEVER || params->funding.kind == FUNDING_KIND_OBSERVED)
        return;
    struct funding_signal signal = {
        .premium = out->premium,
        .skew_coins =
            self->ledger.side[BOOK_SHORT].held.coins - self->ledger.side[BOOK_LONG].held.coins,
        .oi_coins = out->oi_coins,
        .price = out->mark_close,
        .step_ms = step_ms,
    };
    int sign;
    funding_observe(&params->funding, &self->funding, &signal);
    out->utilisation = funding_utilisation(&self->funding, &sign);
    out->utilisation *= sign;
}

/* Impact that grows faster than the book can feed it ends in prices that mean nothing. */
static int check_price(struct replay *self, const struct replay_step *out, struct error *err)
{
    double moved = out->price_close / self->start_price;
    if (!measured(self) || (moved < REPLAY_RUNAWAY && moved > 1.0 / REPLAY_RUNAWAY))
        return ERROR_NONE;
    self->ran_away = true;
    return error_set(err, ERROR_NUMERICAL,
                     "step %zu: the price has run away to %.6g, from %.6g at the start; expected "
                     "impact parameters that the book can stand (impact.gamma, reference_coins, "
                     "depth)",
                     self->bar, out->price_close, self->start_price);
}

static int check_invariants(struct replay *self, const struct replay_step *out, struct error *err)
{
    double longs = replay_oi(self), shorts = ledger_total(&self->ledger, BOOK_SHORT);
    if (!(fabs(longs - shorts) <= INVARIANT_TOLERANCE * fmax(longs, self->oi_start_coins)))
        return error_set(err, ERROR_NUMERICAL,
                         "step %zu: long OI %.17g is not short OI %.17g coins", self->bar, longs,
                         shorts);
    double total = total_usd(self, out->mark_close);
    double scale = fabs(self->settle.withdrawals_usd) + fabs(self->settle.deposits_usd) +
                   fabs(self->settle.market_maker_cash) +
                   ledger_entry_value(&self->ledger, BOOK_LONG);
    if (!isnan(self->total_usd) && !(fabs(total - self->total_usd) <= INVARIANT_TOLERANCE * scale))
        return error_set(err, ERROR_NUMERICAL,
                         "step %zu: money is not conserved: %.17g became %.17g", self->bar,
                         self->total_usd, total);
    return ERROR_NONE;
}

int replay_step(struct replay *self, struct replay_step *out, struct error *err)
{
    struct path_bar bar = exogenous_bar(self);
    double oi_before = replay_oi(self);
    int code = prepare(self, &bar, out, err);
    if (code == ERROR_NONE)
        code = walk_bar(self, &bar, out, err);
    if (code == ERROR_NONE)
        code = replay_trade(self, oi_before, out, err);
    if (code != ERROR_NONE)
        return code;
    observe(self, out);
    if (self->params->record != NULL && factual_at(self->params->record, self->bar) != NULL)
        self->params->record->unreachable += out->unreachable;
    code = check_price(self, out, err);
    if (code == ERROR_NONE)
        code = check_invariants(self, out, err);
    self->last_close = out->price_close;
    self->bar++;
    return code == ERROR_NONE && self->bar == self->params->start_bar ? begin(self, NULL, err)
                                                                      : code;
}

/* ---- forks ------------------------------------------------------------------------------ */

static bool same_depth(const struct replay_params *a, const struct replay_params *b)
{
    return a->depth.kind == b->depth.kind && a->depth.kind != DEPTH_KIND_SERIES &&
           a->depth.zeta == b->depth.zeta && a->depth.floor == b->depth.floor &&
           a->depth.half_life_ms == b->depth.half_life_ms &&
           a->depth.reference_variance == b->depth.reference_variance;
}

/* In an open loop highs and lows are the path's, and so the depth does not depend on the book. */
static void fork_depth(struct replay *self, const struct replay *from)
{
    self->depth = from->depth;
    if (same_depth(self->params, from->params))
        return;
    depth_start(&self->params->depth, &self->depth);
    for (size_t i = 0; i < self->bar; i++) {
        struct path_bar bar = path_bar_at(self->path, i);
        double high = bar.last[0], low = bar.last[0];
        for (int node = 1; node < PATH_NODES; node++) {
            high = fmax(high, bar.last[node]);
            low = fmin(low, bar.last[node]);
        }
        observe_depth(self, i, high, low);
    }
}

int replay_fork(struct replay *self, const struct replay_params *params, const struct path *path,
                const struct replay *from, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->params = params;
    self->path = path;
    self->book = from->book;
    self->bar = from->bar;
    self->last_close = from->last_close;
    self->funding = from->funding;
    liqcascade_bug_assert(from->bar == params->start_bar, "a fork from another bar than its start");
    int code = ladder_copy(&self->ladder, &from->ladder, err);
    if (code != ERROR_NONE)
        return code;
    code = ledger_copy(&self->ledger, &from->ledger, err);
    if (code == ERROR_NONE && self->book->account_count > 0)
        code = accounts_copy(&self->accounts, &from->accounts, params->split, err);
    if (code != ERROR_NONE) {
        free_parts(self);
        return code;
    }
    fork_depth(self, from);
    return finish_making(self, from, err);
}
