#include "sim/metrics.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"

/* ---- taking in -------------------------------------------------------------------------- */

int metrics_init(struct metrics *self, const struct metrics_run *run, const struct replay *replay,
                 size_t steps, struct error *err)
{
    memset(self, 0, sizeof *self);
    const struct market *market = replay->path->market;
    self->step_ms = market->step_ms;
    self->sum_usd = memory_zeroed(steps + 1, sizeof *self->sum_usd);
    if (self->sum_usd == NULL)
        return error_memory(err, "metrics");
    memcpy(self->oi_tier, replay->nearby.started, sizeof self->oi_tier);
    int64_t start_ms = market->start_ms + (int64_t)replay->params->start_bar * market->step_ms;
    self->summary = (struct metrics_summary){
        .run = run->run,
        .replicate = run->replicate,
        .seed = run->seed,
        .oi_level_usd = run->oi_level_usd,
        .start_ms = start_ms,
        .end_ms = start_ms + (int64_t)steps * market->step_ms,
        .positions = (int64_t)replay->book->position_count,
        .oi_start_coins = ledger_total(&replay->ledger, BOOK_LONG),
        .price_start = isnan(replay->last_close)
                           ? path_bar_at(replay->path, replay->params->start_bar).last[0]
                           : replay->last_close,
        .price_low = INFINITY,
        .price_high = -INFINITY,
        .depth_share_min = INFINITY,
        .peak_step_ms = CALENDAR_NONE,
        .utilisation_max = NAN,
        .path_gap_log = NAN,
    };
    self->summary.oi_start_usd = self->summary.oi_start_coins * self->summary.price_start;
    return ERROR_NONE;
}

void metrics_free(struct metrics *self)
{
    memory_free(self->sum_usd);
    memset(self, 0, sizeof *self);
}

static void note_funding(struct metrics *self, const struct replay_step *step)
{
    struct metrics_summary *summary = &self->summary;
    double rate = step->funding_rate;
    summary->utilisation_max = fmax(summary->utilisation_max, fabs(step->utilisation));
    if (rate == 0.0)
        return;
    int sign = rate > 0.0 ? 1 : -1;
    bool first = self->funding_sign == 0;
    summary->funding_paid_usd += rate * step->oi_usd;
    summary->funding_rate_min = first ? rate : fmin(summary->funding_rate_min, rate);
    summary->funding_rate_max = first ? rate : fmax(summary->funding_rate_max, rate);
    summary->funding_sign_changes += !first && sign != self->funding_sign;
    self->funding_sign = sign;
}

void metrics_step_add(struct metrics *self, const struct replay_step *step)
{
    struct metrics_summary *summary = &self->summary;
    double usd = step->forced.side[BOOK_LONG].usd + step->forced.side[BOOK_SHORT].usd;
    self->sum_usd[self->steps + 1] = self->sum_usd[self->steps] + usd;
    self->steps++;
    if (usd > summary->peak_step_usd) {
        summary->peak_step_usd = usd;
        summary->peak_step_ms = step->time_ms;
    }
    settle_add(&self->forced, &step->forced);
    summary->price_low = fmin(summary->price_low, step->price_low);
    summary->price_high = fmax(summary->price_high, step->price_high);
    summary->price_end = step->price_close;
    summary->oi_end_coins = step->oi_coins;
    summary->oi_end_usd = step->oi_usd;
    summary->branching_ratio_max = fmax(summary->branching_ratio_max, step->branching_ratio);
    summary->depth_share_min = fmin(summary->depth_share_min, step->depth_share);
    self->jump_coins = fmax(self->jump_coins, step->jump_coins);
    if (step->generations > summary->generations_max)
        summary->generations_max = step->generations;
    summary->unreachable_steps += step->unreachable;
    self->replacement_coins += step->replacement_coins;
    self->reported_coins[BOOK_LONG] += step->reported_coins[BOOK_LONG];
    self->reported_coins[BOOK_SHORT] += step->reported_coins[BOOK_SHORT];
    note_funding(self, step);
    if (fabs(step->extreme_log) >= fabs(self->extreme_log)) {
        self->extreme_log = step->extreme_log;
        summary->endogenous_move = step->extreme_endogenous_log;
        summary->exogenous_move = step->extreme_log - step->extreme_endogenous_log;
    }
}

/* ---- closing ---------------------------------------------------------------------------- */

static double ratio(double part, double whole)
{
    return whole != 0.0 ? part / whole : NAN;
}

/* Largest sum over a window of `window_ms`; NaN when the steps do not make one. */
static double peak(const struct metrics *self, int64_t window_ms)
{
    size_t width = (size_t)(window_ms / self->step_ms);
    if (window_ms % self->step_ms != 0 || width > self->steps)
        return NAN;
    double largest = 0.0;
    for (size_t first = 0; first + width <= self->steps; first++)
        largest = fmax(largest, self->sum_usd[first + width] - self->sum_usd[first]);
    return largest;
}

/* Sums of the tally, and what the venues' prices did. */
static void finish_accounts(struct metrics *self, const struct replay *replay)
{
    struct metrics_summary *summary = &self->summary;
    const struct settle_tally *forced = &self->forced;
    summary->insurance_gain_usd = forced->fund_gain_usd;
    summary->insurance_draw_usd = forced->fund_draw_usd;
    summary->bad_debt_usd = forced->bad_debt_usd;
    summary->fees_usd = forced->fees_usd;
    summary->adl_usd = forced->adl_usd;
    summary->adl_coins = forced->adl_coins[BOOK_LONG] + forced->adl_coins[BOOK_SHORT];
    summary->backstop_coins =
        forced->backstop_coins[BOOK_LONG] + forced->backstop_coins[BOOK_SHORT];
    summary->partial_orders = forced->partial_orders;
    for (size_t v = 0; v < replay->book->venue_count; v++)
        summary->venue_gap_log = fmax(summary->venue_gap_log, replay->venue_gap_log[v]);
}

void metrics_finish(struct metrics *self, const struct replay *replay, int64_t episodes)
{
    struct metrics_summary *summary = &self->summary;
    const struct settle_flow *longs = &self->forced.side[BOOK_LONG];
    const struct settle_flow *shorts = &self->forced.side[BOOK_SHORT];
    summary->liquidated_long_usd = longs->usd;
    summary->liquidated_short_usd = shorts->usd;
    summary->liquidated_usd = longs->usd + shorts->usd;
    summary->liquidated_long_coins = longs->coins;
    summary->liquidated_short_coins = shorts->coins;
    summary->liquidated_coins = longs->coins + shorts->coins;
    summary->liquidated_positions = longs->positions + shorts->positions;
    summary->liquidated_traders = longs->traders + shorts->traders;
    summary->liquidated_share_of_oi = ratio(summary->liquidated_coins, summary->oi_start_coins);
    summary->long_share = ratio(longs->usd, summary->liquidated_usd);
    summary->reported_coins = self->reported_coins[BOOK_LONG] + self->reported_coins[BOOK_SHORT];
    summary->reported_long_share = ratio(self->reported_coins[BOOK_LONG], summary->reported_coins);
    summary->oi_change_share =
        ratio(summary->oi_end_coins - summary->oi_start_coins, summary->oi_start_coins);
    summary->jump_share_of_oi = ratio(self->jump_coins, summary->oi_start_coins);
    summary->peak_hour_usd = peak(self, CALENDAR_HOUR_MS);
    summary->peak_4h_usd = peak(self, 4 * CALENDAR_HOUR_MS);
    summary->peak_24h_usd = peak(self, CALENDAR_DAY_MS);
    summary->amplification = ratio(self->extreme_log, summary->exogenous_move);
    summary->endogenous_share = ratio(summary->endogenous_move, self->extreme_log);
    summary->replacement_share = ratio(self->replacement_coins, summary->liquidated_coins);
    finish_accounts(self, replay);
    summary->episodes = episodes;
}

static bool is_result(const struct field *field)
{
    return (field->type == FIELD_DOUBLE || field->type == FIELD_INT64) &&
           field->offset != offsetof(struct metrics_summary, run) &&
           field->offset != offsetof(struct metrics_summary, replicate) &&
           field->offset != offsetof(struct metrics_summary, oi_level_usd);
}

const struct field *metrics_number_field(size_t i)
{
    for (size_t f = 0; f < metrics_summary_field_count; f++)
        if (is_result(&metrics_summary_fields[f]) && i-- == 0)
            return &metrics_summary_fields[f];
    return NULL;
}

double metrics_number(const struct metrics_summary *summary, const struct field *field)
{
    const char *place = (const char *)summary + field->offset;
    return field->type == FIELD_DOUBLE ? *(const double *)place : (double)*(const int64_t *)place;
}

static char side_names[2][6] = {"long", "short"};

void metrics_tiers(const struct metrics *self, struct metrics_tier out[METRICS_TIER_ROWS])
{
    for (int side = 0; side < 2; side++)
        for (int tier = 0; tier < TIERS; tier++) {
            const struct settle_flow *flow = &self->forced.tier[side][tier];
            double end = tier_edges[tier + 1];
            out[side * TIERS + tier] = (struct metrics_tier){
                .run = self->summary.run,
                .side = side_names[side],
                .leverage_from = tier_edges[tier],
                .leverage_to = isinf(end) ? NAN : end,
                .oi_start_coins = self->oi_tier[side][tier],
                .oi_start_share = ratio(self->oi_tier[side][tier], self->summary.oi_start_coins),
                .liquidated_coins = flow->coins,
                .liquidated_usd = flow->usd,
                .liquidated_positions = flow->positions,
                .liquidated_traders = flow->traders,
                .share_of_liquidated = ratio(flow->usd, self->summary.liquidated_usd),
            };
        }
}

size_t metrics_venues(const struct metrics *self, const struct replay *replay,
                      const struct book_venue *venues, struct metrics_venue *out)
{
    size_t count = 0;
    bool own = replay->prices_params.separate;
    for (size_t v = 0; v < replay->book->venue_count; v++)
        for (int side = 0; side < 2; side++) {
            const struct settle_flow *flow = &self->forced.venue[v][side];
            out[count++] = (struct metrics_venue){
                .run = self->summary.run,
                .venue = (char *)venues[v].name,
                .side = side_names[side],
                .liquidated_coins = flow->coins,
                .liquidated_usd = flow->usd,
                .liquidated_positions = flow->positions,
                .insurance_gain_usd = self->forced.venue_gain_usd[v],
                .insurance_draw_usd = self->forced.venue_draw_usd[v],
                .bad_debt_usd = self->forced.venue_bad_debt_usd[v],
                .fees_usd = self->forced.venue_fees_usd[v],
                .adl_usd = self->forced.venue_adl_usd[v],
                .price_low = own ? replay->venue_low[v] : self->summary.price_low,
                .price_high = own ? replay->venue_high[v] : self->summary.price_high,
                .gap_log = replay->venue_gap_log[v],
            };
        }
    return count;
}

struct metrics_step metrics_step_row(int64_t run, const struct replay_step *step)
{
    const struct settle_flow *longs = &step->forced.side[BOOK_LONG];
    const struct settle_flow *shorts = &step->forced.side[BOOK_SHORT];
    return (struct metrics_step){
        .run = run,
        .time_ms = step->time_ms,
        .price_open = step->price_open,
        .price_high = step->price_high,
        .price_low = step->price_low,
        .price_close = step->price_close,
        .mark_close = step->mark_close,
        .exogenous_close = step->exogenous_close,
        .exogenous_log = step->exogenous_log,
        .endogenous_log = step->endogenous_log,
        .oi_coins = step->oi_coins,
        .oi_usd = step->oi_usd,
        .liquidated_long_usd = longs->usd,
        .liquidated_short_usd = shorts->usd,
        .liquidated_long_coins = longs->coins,
        .liquidated_short_coins = shorts->coins,
        .liquidated_long_positions = longs->positions,
        .liquidated_short_positions = shorts->positions,
        .opens_long_coins = step->opens_coins[BOOK_LONG],
        .opens_short_coins = step->opens_coins[BOOK_SHORT],
        .closes_long_coins = step->closes_coins[BOOK_LONG],
        .closes_short_coins = step->closes_coins[BOOK_SHORT],
        .reported_long_coins = step->reported_coins[BOOK_LONG],
        .reported_short_coins = step->reported_coins[BOOK_SHORT],
        .replacement_coins = step->replacement_coins,
        .funding_rate = step->funding_rate,
        .depth_share = step->depth_share,
        .branching_ratio = step->branching_ratio,
        .generations = step->generations,
        .unreachable = step->unreachable,
        .insurance_gain_usd = step->forced.fund_gain_usd,
        .insurance_draw_usd = step->forced.fund_draw_usd,
        .bad_debt_usd = step->forced.bad_debt_usd,
        .fees_usd = step->forced.fees_usd,
        .adl_usd = step->forced.adl_usd,
        .backstop_coins =
            step->forced.backstop_coins[BOOK_LONG] + step->forced.backstop_coins[BOOK_SHORT],
        .remargined_coins = step->remargined_coins,
        .premium = step->premium,
        .utilisation = step->utilisation,
    };
}

static struct metrics_adl adl_row(const struct deleverage_record *record,
                                  const struct book_venue *venues)
{
    double end = tier_edges[record->tier + 1];
    return (struct metrics_adl){
        .venue = (char *)venues[record->venue].name,
        .side = side_names[record->side_index],
        .leverage_from = tier_edges[record->tier],
        .leverage_to = isinf(end) ? NAN : end,
        .coins = record->coins,
        .usd = record->usd,
        .price = ratio(record->usd, record->coins),
        .entry_price = ratio(record->entry_usd, record->coins),
        .pnl_usd = record->pnl_usd,
        .score = ratio(record->score_sum, record->coins),
        .positions = record->positions,
    };
}

int metrics_adls_add(struct metrics_adls *self, int64_t run, int64_t time_ms,
                     const struct replay *replay, const struct book_venue *venues,
                     struct error *err)
{
    const struct deleverage *from = &replay->deleverage;
    if (from->record_count == 0)
        return ERROR_NONE;
    struct metrics_adl *rows =
        memory_grow(self->rows, &self->capacity, self->count + from->record_count, sizeof *rows);
    if (rows == NULL)
        return error_memory(err, "adl.csv");
    self->rows = rows;
    for (size_t i = 0; i < from->record_count; i++) {
        struct metrics_adl *row = &rows[self->count++];
        *row = adl_row(&from->records[i], venues);
        row->run = run;
        row->time_ms = time_ms;
    }
    return ERROR_NONE;
}

struct listing {
    struct metrics_positions *positions;
    const struct replay *replay;
    const struct book_venue *venues;
    int64_t run;
    bool failed;
};

static void list_position(void *context, const struct ladder_fired *position)
{
    struct listing *self = context;
    struct metrics_positions *list = self->positions;
    const struct replay *replay = self->replay;
    const struct market *market = replay->path->market;
    struct metrics_position *rows =
        memory_grow(list->rows, &list->capacity, list->count + 1, sizeof *rows);
    if (rows == NULL) {
        self->failed = true;
        return;
    }
    list->rows = rows;
    int side = book_side_index(position->class->side);
    rows[list->count++] = (struct metrics_position){
        .run = self->run,
        .venue = (char *)self->venues[position->class->venue].name,
        .side = side_names[side],
        .opened_ms = replay->book->from_file
                         ? CALENDAR_NONE
                         : market->start_ms + (int64_t)position->bar * market->step_ms,
        .entry_price = ladder_entry_price(&replay->ladder, position),
        .size_usd = position->size_usd,
        .leverage = position->leverage,
        .coins =
            ledger_coins(&replay->ledger, side, position->bar, position->tier, position->share) *
            ladder_left(&replay->ladder, position),
        .liquidation_price = ladder_liquidation_price(&replay->ladder, position),
        .bankruptcy_price = ladder_bankruptcy_price(&replay->ladder, position),
    };
}

/* The trigger that a leg's own side has, where it has one. */
static double leg_trigger(const struct accounts_triggers *at, int side)
{
    return isnan(at->side[side]) ? at->side[1 - side] : at->side[side];
}

static int list_account(struct metrics_positions *list, const struct replay *replay, size_t number,
                        const struct book_venue *venues, int64_t run, struct error *err)
{
    const struct book_account *account = &replay->book->accounts[number];
    double funding = replay->accounts.funding;
    struct accounts_triggers at = accounts_triggers_of(replay->book, account, funding);
    struct metrics_position *rows =
        memory_grow(list->rows, &list->capacity, list->count + 2, sizeof *rows);
    if (rows == NULL)
        return error_memory(err, "positions.csv");
    list->rows = rows;
    for (int side = 0; side < 2; side++) {
        double size = account->coins[side] * account->entry_price[side];
        if (size == 0.0)
            continue;
        rows[list->count++] = (struct metrics_position){
            .run = run,
            .venue = (char *)venues[account->venue].name,
            .side = side_names[side],
            .opened_ms = CALENDAR_NONE,
            .entry_price = account->entry_price[side],
            .size_usd = size,
            .leverage = size / book_account_margin(account, side),
            .coins = accounts_coins(&replay->ledger, account, side),
            .liquidation_price = leg_trigger(&at, side),
            .bankruptcy_price = accounts_bankruptcy_price(account, funding),
            .account = (char *)account->name,
        };
    }
    return ERROR_NONE;
}

int metrics_positions_add(struct metrics_positions *self, int64_t run, const struct replay *replay,
                          const struct book_venue *venues, struct error *err)
{
    struct listing listing = {self, replay, venues, run, false};
    for (int side = 0; side < 2; side++)
        ladder_visit(&replay->ladder, side, list_position, &listing);
    int code = listing.failed ? error_memory(err, "positions.csv") : ERROR_NONE;
    for (size_t i = 0; i < replay->book->account_count && code == ERROR_NONE; i++)
        if (!replay->accounts.gone[i])
            code = list_account(self, replay, i, venues, run, err);
    return code;
}
