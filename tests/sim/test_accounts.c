/*
 * Cross-margined accounts: where they are liquidated, what they order and what their wallet leaves,
 * against closed forms, an example that Binance publishes and sums done by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/accounts.h"
#include "sim/replay.h"
#include "tests/support/near.h"

enum { BARS_MAX = 64 };

/* A market whose bars stand still at a price each, and one venue. */
struct fixture {
    struct brackets table;
    struct book_venue venue;
    struct book book;
    double price[BARS_MAX], funding[BARS_MAX];
    struct market market;
    struct path path;
    struct replay_params params;
    struct replay replay;
};

static void flat_table(struct fixture *self, double rate)
{
    brackets_flat(&self->table, rate, 1e9);
}

static void three_brackets(struct fixture *self)
{
    const double cap[] = {50000.0, 250000.0, INFINITY}, leverage[] = {125.0, 100.0, 50.0};
    const double rate[] = {0.004, 0.005, 0.01};
    assert_int_equal(brackets_init(&self->table, 3, cap, leverage, rate, 0, NULL), ERROR_NONE);
}

/* After a table was chosen. */
static void make(struct fixture *self, const struct book_given *given, size_t given_count,
                 const struct book_account *accounts, size_t account_count, size_t bars)
{
    struct error err = {0};
    struct market_bars series = {self->price, self->price, self->price, self->price};
    self->venue = (struct book_venue){.name = "laboratory",
                                      .formula = margin_find("linear_mark"),
                                      .oi_share = 1.0,
                                      .tables = &self->table,
                                      .table_count = 1};
    self->market =
        (struct market){.step_ms = CALENDAR_HOUR_MS, .bars = bars, .funding_rate = self->funding};
    self->market.last = self->market.mark = series;
    self->path = (struct path){.market = &self->market};
    self->params = (struct replay_params){
        .impact = {.kind = IMPACT_KIND_LINEAR,
                   .reference_coins = 1.0,
                   .permanent_share = 1.0,
                   .half_life_ms = CALENDAR_NONE},
        .depth = {.kind = DEPTH_KIND_CONSTANT},
        .funding_bar = REPLAY_NEVER,
        .feedback_bar = 0,
        .frozen_bar = 0,
        .mark_passthrough = 1.0,
        .absorbed_by_closers = 1.0,
        .oi_share = 1.0,
        .oi_scale = 1.0,
        .bars = bars,
        .branching_window_log = 0.1,
        .fund_usd = {INFINITY},
    };
    for (size_t i = 0; i < bars; i++) {
        self->price[i] = 100.0;
        self->funding[i] = 0.0;
    }
    if (book_from_given(&self->book, given, given_count, &self->venue, 1, 0, bars, &err) !=
            ERROR_NONE ||
        (account_count > 0 &&
         book_add_accounts(&self->book, accounts, account_count, 0, &err) != ERROR_NONE))
        fail_msg("the book: %s", err.message);
}

static void start(struct fixture *self)
{
    struct error err = {0};
    if (replay_init(&self->replay, &self->params, &self->path, &self->book, &err) != ERROR_NONE)
        fail_msg("replay_init: %s", err.message);
}

static struct replay_step step(struct fixture *self)
{
    struct replay_step out;
    struct error err = {0};
    if (replay_step(&self->replay, &out, &err) != ERROR_NONE)
        fail_msg("replay_step: %s", err.message);
    return out;
}

static void end(struct fixture *self)
{
    replay_free(&self->replay);
    book_free(&self->book);
}

/* The market jumps to a price; no step ends. */
static void go_to(struct fixture *self, double price)
{
    struct error err = {0};
    struct cascade_node node = {
        .exogenous_last = price, .exogenous_mark = price, .previous_last = NAN};
    int64_t spent_ms;
    self->replay.prices.depth = 1.0;
    if (cascade_walk(&self->replay.cascade, &node, &spent_ms, &err) != ERROR_NONE)
        fail_msg("cascade_walk: %s", err.message);
}

static struct book_account account_of(double long_coins, double long_entry, double short_coins,
                                      double short_entry, double wallet)
{
    return (struct book_account){.coins = {long_coins, short_coins},
                                 .entry_price = {long_entry, short_entry},
                                 .wallet_usd = wallet};
}

/* ---- triggers --------------------------------------------------------------------------- */

/* Binance, "How to Calculate Liquidation Price of USD-M Futures Contracts": a wallet of
   1,535,443.01 USDT with 3,683.979 ETH long from 1,456.84 and 109.488 BTC long from 32,481.980. For
   each contract the other's maintenance margin and loss are given, which come off the wallet here.
 */
static void binance_publishes_these_liquidation_prices(void **state)
{
    static const struct {
        int count, bracket;
        double cap[6], rate[6]; /* of 2021, as far as they matter */
        double maintenance_amount, maintenance_of_other, profit_of_other, coins, entry, price;
    } examples[] = {
        {6,
         5,
         {1e4, 1e5, 5e5, 1e6, 2e6, 5e6},
         {0.005, 0.0065, 0.01, 0.02, 0.05, 0.10},
         135365.0,
         71200.81144,
         -56354.57,
         3683.979,
         1456.84,
         1153.26},
        {4,
         3,
         {5e4, 2.5e5, 1e6, 1e7},
         {0.004, 0.005, 0.01, 0.025},
         16300.0,
         356512.508,
         -448192.89,
         109.488,
         32481.980,
         26316.89},
    };
    const double leverage[] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
    for (int i = 0; i < 2; i++) {
        struct fixture fixture;
        assert_int_equal(brackets_init(&fixture.table, examples[i].count, examples[i].cap, leverage,
                                       examples[i].rate, 0, NULL),
                         ERROR_NONE);
        assert_near(fixture.table.cum_usd[examples[i].bracket], examples[i].maintenance_amount,
                    1e-6);
        double others = examples[i].profit_of_other - examples[i].maintenance_of_other;
        struct book_account account =
            account_of(examples[i].coins, examples[i].entry, 0.0, 0.0, 1535443.01 + others);
        make(&fixture, NULL, 0, &account, 1, 1);
        struct accounts_triggers at =
            accounts_triggers_of(&fixture.book, &fixture.book.accounts[0], 0.0);
        assert_near(at.side[BOOK_LONG], examples[i].price, 0.005);
        assert_true(isnan(at.side[BOOK_SHORT]));
        book_free(&fixture.book);
    }
}

/* Equity less maintenance, from their definitions. */
static double room(const struct fixture *fixture, const struct book_account *account,
                   double funding, double price)
{
    double room = account->wallet_usd;
    for (int side = 0; side < 2; side++) {
        double s = side == BOOK_LONG ? 1.0 : -1.0, coins = account->coins[side];
        if (coins == 0.0)
            continue;
        room += s * coins * (price - account->entry_price[side] - funding);
        room -= brackets_maintenance_usd(&fixture->table, coins * price);
    }
    return room;
}

static void assert_root(const struct fixture *fixture, const struct book_account *account,
                        double funding, int side, double price)
{
    double size = account->wallet_usd + account->coins[0] * (price + account->entry_price[0]) +
                  account->coins[1] * (price + account->entry_price[1]);
    double inside = side == BOOK_LONG ? price * (1.0 + 1e-6) : price * (1.0 - 1e-6);
    double outside = side == BOOK_LONG ? price * (1.0 - 1e-6) : price * (1.0 + 1e-6);
    assert_near(room(fixture, account, funding, price), 0.0, 1e-12 * size);
    assert_true(room(fixture, account, funding, inside) > 0.0);
    assert_true(room(fixture, account, funding, outside) < 0.0);
}

static void triggers_are_where_equity_is_the_maintenance_margin(void **state)
{
    enum { ACCOUNTS = 20000 };
    struct fixture fixture;
    three_brackets(&fixture);
    struct random_stream stream = random_stream_make(11, 0, "accounts");
    long found[2] = {0, 0}, without[2] = {0, 0}, dead = 0, hedged = 0;
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        double u[8];
        for (uint32_t k = 0; k < 8; k++)
            u[k] = random_uniform(random_block_at(&stream, i, k).word[0]);
        bool legs[2] = {u[0]<0.8, u[0]> 0.2};
        double coins = 100.0 * exp(5.0 * u[1]);
        double other = u[2] < 0.2 ? coins : coins * exp(1.0 * (u[2] - 0.6));
        struct book_account account = account_of(
            legs[0] ? coins : 0.0, legs[0] ? 80.0 + 40.0 * u[3] : 0.0, legs[1] ? other : 0.0,
            legs[1] ? 80.0 + 40.0 * u[4] : 0.0, 100.0 * coins * 0.5 * u[5] + 1.0);
        double funding = 10.0 * (u[6] - 0.5);
        make(&fixture, NULL, 0, &account, 1, 1);
        struct accounts_triggers at =
            accounts_triggers_of(&fixture.book, &fixture.book.accounts[0], funding);
        hedged += legs[0] && legs[1];
        book_free(&fixture.book);
        double low = at.side[BOOK_LONG], high = at.side[BOOK_SHORT];
        if (high <= (isnan(low) ? 0.0 : low)) {
            /* Liquidated wherever the mark is. */
            for (double price = 1.0; price < 1e5; price *= 1.1)
                assert_true(room(&fixture, &account, funding, price) <= 0.0);
            dead++;
            continue;
        }
        if (isnan(low))
            assert_true(room(&fixture, &account, funding, 1e-9) > -1e-3);
        else
            assert_root(&fixture, &account, funding, BOOK_LONG, low);
        if (isnan(high))
            assert_true(room(&fixture, &account, funding, 1e9) > 0.0);
        else
            assert_root(&fixture, &account, funding, BOOK_SHORT, high);
        for (int side = 0; side < 2; side++)
            isnan(at.side[side]) ? without[side]++ : found[side]++;
    }
    print_message("%ld hedged; low trigger: %ld with, %ld without; high: %ld, %ld; %ld at once\n",
                  hedged, found[0], without[0], found[1], without[1], dead);
    assert_true(found[0] > 1000 && found[1] > 1000 && without[0] > 1000 && without[1] > 1000);
    assert_true(dead > 100 && hedged > 5000);
}

/* ---- as isolated ------------------------------------------------------------------------ */

/* Over the same prices and funding with impact, one leg with wallet M is the isolated position with
   margin M. */
static void an_account_with_one_leg_is_the_isolated_position(void **state)
{
    /* Notionals that single precision holds, one in each bracket. */
    static const double coins[] = {256.0, 1024.0, 8192.0};
    long fired = 0;
    for (int trial = 0; trial < 6; trial++) {
        int side = trial % 2 == 0 ? 1 : -1, index = book_side_index(side);
        double q = coins[trial / 2];
        struct book_given given = {.side = side,
                                   .entry_price = 100.0,
                                   .size_coins = q,
                                   .leverage = 8.0,
                                   .liquidation_price = NAN};
        struct book_account account = {.wallet_usd = 100.0 * q / 8.0};
        account.coins[index] = q;
        account.entry_price[index] = 100.0;
        struct fixture isolated, cross;
        three_brackets(&isolated);
        three_brackets(&cross);
        make(&isolated, &given, 1, NULL, 0, 30);
        make(&cross, NULL, 0, &account, 1, 30);
        struct fixture *both[] = {&isolated, &cross};
        for (int i = 0; i < 2; i++) {
            for (int bar = 0; bar < 30; bar++) {
                both[i]->price[bar] = 100.0 * exp(-0.006 * side * bar);
                both[i]->funding[bar] = 1e-4 * side * bar;
            }
            both[i]->params.impact.reference_move_log = 0.01 / q;
            both[i]->params.venue[0].rule.fee_rate = 0.0005;
            start(both[i]);
            assert_int_equal(both[i]->book.position_count, 1);
        }
        for (int bar = 0; bar < 30; bar++) {
            const struct ladder_next *next = ladder_peek(&isolated.replay.ladder, 0, index);
            double trigger = accounts_peek(&cross.replay.accounts, 0, index);
            assert_true(next->any == !isnan(trigger));
            if (next->any)
                assert_near(trigger / next->trigger_price, 1.0, 1e-12);
            struct replay_step a = step(&isolated), b = step(&cross);
            const struct settle_flow *f = &a.forced.side[index], *g = &b.forced.side[index];
            fired += g->positions;
            assert_int_equal(g->positions, f->positions);
            assert_near(g->traders, f->traders, 1e-12);
            assert_near(g->coins, f->coins, 1e-12 * q);
            assert_near(g->usd, f->usd, 1e-10 * q);
            assert_near(b.price_close, a.price_close, 1e-10);
            assert_near(b.forced.fund_gain_usd, a.forced.fund_gain_usd, 1e-10 * q);
            assert_near(b.forced.fund_draw_usd, a.forced.fund_draw_usd, 1e-10 * q);
            assert_near(b.forced.fees_usd, a.forced.fees_usd, 1e-10 * q);
            assert_near(b.oi_coins, a.oi_coins, 1e-9 * q);
            assert_near(b.branching_ratio, a.branching_ratio, 1e-9);
            assert_true(b.generations == a.generations && b.unreachable == a.unreachable);
        }
        end(&isolated);
        end(&cross);
    }
    assert_int_equal(fired, 6);
}

/* ---- hedges ----------------------------------------------------------------------------- */

/* q (ES - EL) is locked in, so only the maintenance moves: 2 (m q P - cum) = W + q (ES - EL). */
static void a_balanced_hedge_is_liquidated_upwards_and_orders_nothing(void **state)
{
    enum { BARS = 40 };
    const double q = 2000.0, wallet = 4000.0;
    struct book_account account = account_of(q, 101.0, q, 100.5, wallet);
    struct fixture fixture;
    three_brackets(&fixture);
    make(&fixture, NULL, 0, &account, 1, BARS);
    fixture.params.impact.reference_move_log = 1e-5;
    fixture.params.venue[0].rule.fee_rate = 0.0001;
    /* In the third bracket, m = 1 %, cum = 50 + 1,250. */
    double dies = (0.5 * (wallet - q * 0.5) + 1300.0) / (0.01 * q);
    assert_near(dies, 140.0, 1e-12);
    for (int bar = 0; bar < BARS; bar++) {
        fixture.price[bar] = bar == 0 ? 20.0 : 100.5 + 1.0 * bar;
        fixture.funding[bar] = 0.001; /* paid and received */
    }
    start(&fixture);
    for (int bar = 0; bar < BARS; bar++) {
        struct replay_step out = step(&fixture);
        bool now = fixture.price[bar] == 140.5;
        assert_int_equal(out.forced.side[BOOK_LONG].positions, now);
        assert_int_equal(out.forced.side[BOOK_SHORT].positions, now);
        assert_near(out.price_close, fixture.price[bar], 1e-12);
        assert_near(out.oi_coins, fixture.price[bar] < 140.0 ? q : 0.0, 1e-9);
        assert_true(out.opens_coins[0] == 0.0 && out.closes_coins[1] == 0.0);
        if (!now)
            continue;
        double fee = 0.0001 * 2.0 * q * 140.5;
        assert_near(out.forced.fees_usd, fee, 1e-9);
        assert_near(out.forced.fund_gain_usd, 3000.0 - fee, 1e-9);
        assert_near(out.forced.crossed_coins, q, 0.0);
        assert_near(out.forced.side[BOOK_LONG].usd, q * 140.5, 1e-9);
    }
    assert_near(fixture.replay.settle.market_maker_cash, 0.0, 0.0);
    end(&fixture);
}

/* Four coins long from 100, one short from 110, a wallet of 50, 1 %: A = 3 - 0.05, B = -240. */
static const double hedge_trigger = 240.0 / 2.95;
static struct book_account hedge(void)
{
    return account_of(4.0, 100.0, 1.0, 110.0, 50.0);
}

static void make_hedge(struct fixture *fixture)
{
    struct book_account account = hedge();
    flat_table(fixture, 0.01);
    make(fixture, NULL, 0, &account, 1, 1);
    fixture->params.venue[0].rule.fee_rate = 0.005;
}

static void what_the_wallet_leaves_is_for_the_fee_and_the_fund(void **state)
{
    struct fixture fixture;
    make_hedge(&fixture);
    start(&fixture);
    go_to(&fixture, 81.4);
    assert_int_equal(fixture.replay.cascade.shot_count, 0);
    assert_true(81.4 > hedge_trigger && 81.3 < hedge_trigger);
    go_to(&fixture, 81.0);
    /* 50 - 4 * 19 + 29 = 3 are left, of which 0.5 % of five coins at 81 is the fee. */
    const struct settle_tally *tally = &fixture.replay.settle.step;
    assert_near(tally->fees_usd, 2.025, 1e-12);
    assert_near(tally->fund_gain_usd, 0.975, 1e-12);
    assert_near(tally->fund_draw_usd, 0.0, 0.0);
    assert_near(tally->side[BOOK_LONG].coins, 4.0, 1e-12);
    assert_near(tally->side[BOOK_SHORT].usd, 81.0, 1e-12);
    assert_near(tally->crossed_coins, 1.0, 1e-12);
    assert_near(fixture.replay.settle.market_maker_cash, -243.0, 1e-12);
    const struct cascade_shot *shot = fixture.replay.cascade.shots;
    assert_int_equal(fixture.replay.cascade.shot_count, 1);
    assert_int_equal(shot->account, 0);
    assert_int_equal(shot->side_index, BOOK_LONG);
    assert_near(shot->coins, 3.0, 1e-12);
    assert_near(shot->trigger_price, hedge_trigger, 1e-12);
    /* Nothing fires twice. */
    go_to(&fixture, 50.0);
    assert_int_equal(fixture.replay.cascade.shot_count, 0);
    end(&fixture);
}

static void a_loss_beyond_the_wallet_is_the_funds_and_then_bad_debt(void **state)
{
    struct fixture fixture;
    make_hedge(&fixture);
    fixture.params.fund_usd[0] = 1.0;
    start(&fixture);
    go_to(&fixture, 79.0);
    /* 50 - 4 * 21 + 31 = -3. */
    const struct settle_tally *tally = &fixture.replay.settle.step;
    assert_near(tally->fees_usd, 0.0, 0.0);
    assert_near(tally->fund_draw_usd, 1.0, 1e-12);
    assert_near(tally->bad_debt_usd, 2.0, 1e-12);
    assert_near(tally->venue_bad_debt_usd[0], 2.0, 1e-12);
    end(&fixture);
}

/* Orders move the log price by 0.002 a coin: three from 81 leave it at 81 exp(-0.006). */
static void orders_fill_between_the_prices_before_and_after_or_at_the_last(void **state)
{
    double after = 81.0 * exp(-0.006);
    for (int i = 0; i < 2; i++) {
        struct fixture fixture;
        make_hedge(&fixture);
        fixture.params.impact.reference_move_log = 0.002;
        fixture.params.fill = i == 0 ? SETTLE_WALK : SETTLE_FINAL;
        start(&fixture);
        fixture.replay.prices.feedback = true;
        go_to(&fixture, 81.0);
        double fill = i == 0 ? 0.5 * (81.0 + after) : after;
        double left = 50.0 + 4.0 * (fill - 100.0) + (110.0 - fill);
        const struct settle_tally *tally = &fixture.replay.settle.step;
        assert_near(fixture.replay.prices.last, after, 1e-12);
        assert_near(tally->fees_usd + tally->fund_gain_usd - tally->fund_draw_usd, left, 1e-12);
        assert_near(fixture.replay.settle.market_maker_cash, -3.0 * fill, 1e-12);
        end(&fixture);
    }
}

/* 101 long and 100 short at 1 %: A = 1 - 2.01, so a rise liquidates what is net long, and its order
   sells into the rise. */
static void a_net_long_hedge_may_be_liquidated_upwards(void **state)
{
    struct book_account account = account_of(101.0, 100.0, 100.0, 100.0, 250.0);
    struct fixture fixture;
    flat_table(&fixture, 0.01);
    make(&fixture, NULL, 0, &account, 1, 1);
    fixture.params.impact.reference_move_log = 0.01;
    start(&fixture);
    fixture.replay.prices.feedback = true;
    double dies = 150.0 / 1.01;
    go_to(&fixture, 148.0);
    assert_int_equal(fixture.replay.cascade.shot_count, 0);
    go_to(&fixture, 149.0);
    const struct cascade_shot *shot = fixture.replay.cascade.shots;
    assert_int_equal(fixture.replay.cascade.shot_count, 1);
    assert_int_equal(shot->side_index, BOOK_SHORT);
    assert_near(shot->trigger_price, dies, 1e-10);
    assert_near(shot->coins, -1.0, 1e-12);
    assert_near(shot->last_after, 149.0 * exp(-0.01), 1e-10);
    end(&fixture);
}

/* ---- funding ---------------------------------------------------------------------------- */

/* At a price that stands still, q r P are paid a bar until W - m q P are gone: (500 - 100) / 30. */
static void funding_liquidates_a_long_account_when_its_room_is_paid(void **state)
{
    enum { BARS = 20 };
    const struct book_account accounts[] = {
        account_of(100.0, 100.0, 0.0, 0.0, 500.0),
        account_of(0.0, 0.0, 100.0, 100.0, 500.0), /* receives */
        account_of(100.0, 100.0, 100.0, 100.0, 500.0),
    };
    struct fixture fixture;
    flat_table(&fixture, 0.01);
    make(&fixture, NULL, 0, accounts, 3, BARS);
    for (int bar = 0; bar < BARS; bar++)
        fixture.funding[bar] = 0.003;
    start(&fixture);
    for (int bar = 0; bar < BARS; bar++) {
        struct replay_step out = step(&fixture);
        assert_int_equal(out.forced.side[BOOK_LONG].positions, bar + 1 == 14);
        assert_int_equal(out.forced.side[BOOK_SHORT].positions, 0);
        if (bar + 1 == 14) /* 500 - 14 * 30 */
            assert_near(out.forced.fund_gain_usd, 80.0, 1e-9);
    }
    end(&fixture);
}

/* ---- among positions -------------------------------------------------------------------- */

/* Triggers at 95 (isolated), 92 and 90 (accounts) and again 90 (isolated). */
static void the_nearest_fires_first_and_of_equals_the_position(void **state)
{
    const struct book_given given[] = {
        {.side = 1,
         .entry_price = 100.0,
         .size_coins = 1.0,
         .leverage = 20.0,
         .liquidation_price = NAN},
        {.side = 1,
         .entry_price = 100.0,
         .size_coins = 2.0,
         .leverage = 10.0,
         .liquidation_price = 90.0},
    };
    const struct book_account accounts[] = {account_of(4.0, 100.0, 0.0, 0.0, 40.0),
                                            account_of(8.0, 100.0, 0.0, 0.0, 64.0)};
    struct fixture fixture;
    flat_table(&fixture, 0.0);
    make(&fixture, given, 2, accounts, 2, 1);
    start(&fixture);
    go_to(&fixture, 90.0);
    static const double coins[] = {1.0, 8.0, 2.0, 4.0};
    static const uint32_t account[] = {ACCOUNTS_NONE, 1, ACCOUNTS_NONE, 0};
    assert_int_equal(fixture.replay.cascade.shot_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_near(fixture.replay.cascade.shots[i].coins, coins[i], 1e-9);
        assert_int_equal(fixture.replay.cascade.shots[i].account, account[i]);
    }
    end(&fixture);
}

/* The path jumps to `price` with impact of 1 % a coin in it. */
static bool unreachable_at(const struct book_account *accounts, size_t count, double price)
{
    struct fixture fixture;
    flat_table(&fixture, 0.01);
    make(&fixture, NULL, 0, accounts, count, 1);
    fixture.params.impact.reference_move_log = 0.01;
    start(&fixture);
    struct prices_impact before = fixture.replay.prices.impact;
    go_to(&fixture, price);
    assert_int_equal(fixture.replay.cascade.shot_count, count);
    bool out = cascade_unreachable(&fixture.replay.cascade, &before);
    end(&fixture);
    return out;
}

/* The first fires at 149 / 1.01 = 147.5 and sells one coin, the second at 747 / 5.05 = 147.9 and
   buys five. */
static void reachability_takes_the_direction_of_an_order(void **state)
{
    const struct book_account accounts[] = {account_of(101.0, 100.0, 100.0, 100.0, 249.0),
                                            account_of(0.0, 0.0, 5.0, 100.0, 247.0)};
    /* Without its sale the path would be higher still. */
    assert_false(unreachable_at(accounts, 1, 148.0));
    /* Without its purchase the path is at 150 exp(-0.05) = 142.7. */
    assert_true(unreachable_at(accounts + 1, 1, 150.0));
    assert_false(unreachable_at(accounts + 1, 1, 155.6));
    /* Without either it is at 154.7 exp(-0.04) = 148.6, with the first alone at 147.2. */
    assert_true(unreachable_at(accounts, 2, 154.7));
    assert_false(unreachable_at(accounts, 2, 155.6));
}

static double near_below(struct fixture *fixture)
{
    double coins[1];
    nearby_within(&fixture->replay.nearby, BOOK_LONG, 100.0, 0.3, 1, coins);
    return coins[0];
}

static void what_accounts_would_order_is_near_the_market_until_they_fire(void **state)
{
    const struct book_account accounts[] = {hedge(), account_of(7.0, 100.0, 0.0, 0.0, 100.0)};
    struct fixture fixture;
    flat_table(&fixture, 0.01);
    make(&fixture, NULL, 0, accounts, 2, 4);
    fixture.params.branching_window_log = 0.3;
    fixture.price[2] = 84.0; /* the second fires: 600 / (7 * 0.99) = 86.6 */
    fixture.price[3] = 81.0;
    fixture.funding[1] = 0.0001;
    start(&fixture);
    static const double expected[] = {10.0, 10.0, 3.0, 0.0};
    for (int bar = 0; bar < 4; bar++) {
        step(&fixture);
        assert_near(near_below(&fixture), expected[bar], 1e-9);
    }
    end(&fixture);
}

static void traders_are_scaled_and_triggers_are_not(void **state)
{
    struct fixture fixture;
    make_hedge(&fixture);
    fixture.params.oi_scale = 1000.0;
    start(&fixture);
    assert_near(accounts_peek(&fixture.replay.accounts, 0, BOOK_LONG), hedge_trigger, 1e-12);
    go_to(&fixture, 81.0);
    const struct settle_tally *tally = &fixture.replay.settle.step;
    assert_near(tally->fund_gain_usd, 975.0, 1e-9);
    assert_near(tally->side[BOOK_LONG].coins, 4000.0, 1e-9);
    assert_near(tally->side[BOOK_LONG].traders, 1000.0, 1e-9);
    assert_near(tally->side[BOOK_SHORT].traders, 1000.0, 1e-9);
    assert_int_equal(tally->side[BOOK_SHORT].positions, 1);
    end(&fixture);
}

static double equity(const struct fixture *fixture, double price)
{
    return ledger_equity(&fixture->replay.ledger, BOOK_LONG, price, 0.0) +
           ledger_equity(&fixture->replay.ledger, BOOK_SHORT, price, 0.0);
}

/* Three coins that shorts lack are held from 100 with all of their value. */
static void the_ledger_holds_the_wallet_until_the_account_is_gone(void **state)
{
    struct fixture fixture;
    make_hedge(&fixture);
    start(&fixture);
    assert_near(equity(&fixture, 100.0), 50.0 + 10.0 + 300.0, 1e-10);
    assert_near(equity(&fixture, 90.0), 50.0 - 40.0 + 20.0 + 330.0, 1e-10);
    go_to(&fixture, 81.0);
    assert_near(equity(&fixture, 100.0), 300.0, 1e-10);
    assert_near(ledger_total(&fixture.replay.ledger, BOOK_LONG), 0.0, 1e-12);
    assert_near(ledger_total(&fixture.replay.ledger, BOOK_SHORT), 3.0, 1e-12);
    end(&fixture);
}

/* ---- refusals --------------------------------------------------------------------------- */

static void assert_refused(struct fixture *fixture, const char *formula,
                           struct book_account account)
{
    struct error err = {0};
    const struct book_account both[] = {hedge(), account};
    fixture->book.venues[0].formula = margin_find(formula);
    assert_int_equal(book_add_accounts(&fixture->book, both, 2, 0, &err), ERROR_DATA);
    assert_true(err.line == 1 || err.line == 2);
    assert_int_equal(fixture->book.account_count, 0);
}

static void accounts_that_the_model_does_not_hold_are_refused(void **state)
{
    struct fixture fixture;
    flat_table(&fixture, 0.01);
    make(&fixture, NULL, 0, NULL, 0, 1);
    assert_refused(&fixture, "linear_entry", hedge());
    assert_refused(&fixture, "inverse_mark", hedge());
    assert_refused(&fixture, "inverse_entry", hedge());
    assert_refused(&fixture, "linear_mark", account_of(1.0, 100.0, 0.0, 0.0, 0.0));
    assert_refused(&fixture, "linear_mark", account_of(1.0, 100.0, 0.0, 0.0, INFINITY));
    assert_refused(&fixture, "linear_mark", account_of(0.0, 0.0, 0.0, 0.0, 10.0));
    assert_refused(&fixture, "linear_mark", account_of(1.0, 0.0, 1.0, 100.0, 10.0));
    assert_refused(&fixture, "linear_mark", account_of(-1.0, 100.0, 1.0, 100.0, 10.0));
    assert_refused(&fixture, "linear_mark", account_of(1.0, NAN, 0.0, 0.0, 10.0));
    brackets_make_whole(&fixture.table);
    assert_refused(&fixture, "linear_mark", hedge());
    book_free(&fixture.book);
}

static void memory_that_runs_out_is_told(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    make_hedge(&fixture);
    for (long n = 1; n <= 4; n++) {
        struct accounts accounts;
        memory_fail_after(n);
        assert_int_equal(accounts_init(&accounts, &fixture.book, false, &err), ERROR_IO);
        memory_fail_after(0);
    }
    start(&fixture);
    memory_fail_after(1); /* the first order of a replay makes room for it */
    struct cascade_node node = {
        .exogenous_last = 80.0, .exogenous_mark = 80.0, .previous_last = NAN};
    int64_t spent_ms;
    assert_int_equal(cascade_walk(&fixture.replay.cascade, &node, &spent_ms, &err), ERROR_IO);
    memory_fail_after(0);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binance_publishes_these_liquidation_prices),
        cmocka_unit_test(triggers_are_where_equity_is_the_maintenance_margin),
        cmocka_unit_test(an_account_with_one_leg_is_the_isolated_position),
        cmocka_unit_test(a_balanced_hedge_is_liquidated_upwards_and_orders_nothing),
        cmocka_unit_test(what_the_wallet_leaves_is_for_the_fee_and_the_fund),
        cmocka_unit_test(a_loss_beyond_the_wallet_is_the_funds_and_then_bad_debt),
        cmocka_unit_test(orders_fill_between_the_prices_before_and_after_or_at_the_last),
        cmocka_unit_test(a_net_long_hedge_may_be_liquidated_upwards),
        cmocka_unit_test(funding_liquidates_a_long_account_when_its_room_is_paid),
        cmocka_unit_test(the_nearest_fires_first_and_of_equals_the_position),
        cmocka_unit_test(reachability_takes_the_direction_of_an_order),
        cmocka_unit_test(what_accounts_would_order_is_near_the_market_until_they_fire),
        cmocka_unit_test(traders_are_scaled_and_triggers_are_not),
        cmocka_unit_test(the_ledger_holds_the_wallet_until_the_account_is_gone),
        cmocka_unit_test(accounts_that_the_model_does_not_hold_are_refused),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
