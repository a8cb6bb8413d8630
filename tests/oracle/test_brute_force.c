/*
 * Oracle 19: the ladder equals the brute-force engine exactly, whatever the rules: the same
 * positions fire in the same step, and every number of every step has the same bits. The one
 * exception is the branching ratio, which the engine takes from a histogram and nothing depends on:
 * it must lie between what the positions give when each is moved by three bins towards and away
 * from the market.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/sim/brute_force.h"
#include "tests/sim/random_scenario.h"
#include "tests/support/near.h"

/* What a bin holds after everything in it fired is rounding, of which a square root is no longer
 * small. */
#define BRANCHING_ROUNDING 1e-5

/* How much of it: under valgrind a taste, with checks in the build (Debug, sanitizers) what takes
   seconds, in Release one large run of each mix, with LIQCASCADE_TEST_LONG=1 new seeds for an hour.
 */
enum form { FORM_TASTE, FORM_CHECKED, FORM_RELEASE, FORM_LONG };

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && strcmp(value, "1") == 0;
}

static enum form form(void)
{
    if (is_set("LIQCASCADE_TEST_LONG"))
        return FORM_LONG;
    if (is_set("LIQCASCADE_TEST_SHORT"))
        return FORM_TASTE;
#ifdef NDEBUG
    return FORM_RELEASE;
#else
    return FORM_CHECKED;
#endif
}

/* Runs of one size and with the same wishes. */
struct suite {
    const char *name;
    uint64_t seed; /* of its short form: one that does much */
    size_t positions, bars;
    struct random_wishes wishes;
};

struct pair {
    const char *suite;
    struct random_scenario scenario;
    struct replay ladder;
    struct brute_force brute;
    unsigned char *left;                   /* per entry of the book */
    unsigned char *rests_left;             /* per rest */
    long steps, fired, twins_fired, waves; /* waves: steps of more than one generation */
};

static void pair_make(struct pair *self, const struct suite *suite, uint64_t seed)
{
    struct error err = {0};
    random_scenario_make_wished(&self->scenario, seed, suite->positions, suite->bars,
                                &suite->wishes);
    const struct random_scenario *scenario = &self->scenario;
    if (replay_init(&self->ladder, &scenario->params, &scenario->path, &scenario->book, &err) !=
        ERROR_NONE)
        fail_msg("replay_init: %s", err.message);
    if (!brute_force_init(&self->brute, &scenario->params, &scenario->path, &scenario->book,
                          scenario->prices_given))
        fail_msg("the brute-force engine is out of memory");
    self->left = calloc(scenario->book.entry_count, sizeof *self->left);
    assert_non_null(self->left);
}

static void pair_free(struct pair *self)
{
    replay_free(&self->ladder);
    brute_force_free(&self->brute);
    random_scenario_free(&self->scenario);
    free(self->left);
    free(self->rests_left);
}

_Noreturn static void differ(const struct pair *self, size_t bar, const char *what, double ladder,
                             double brute)
{
    random_scenario_print(&self->scenario);
    fail_msg("LIQCASCADE_TEST_SEED=%s:%llu runs this again: bar %zu: %s is %.17g with the ladder, "
             "%.17g by brute force",
             self->suite, (unsigned long long)self->scenario.seed, bar, what, ladder, brute);
    abort();
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void same(const struct pair *self, size_t bar, const char *what, double ladder, double brute)
{
    if (!same_bits(ladder, brute) && !(isnan(ladder) && isnan(brute)))
        differ(self, bar, what, ladder, brute);
}

static void close_to(const struct pair *self, size_t bar, const char *what, double ladder,
                     double brute, double tolerance)
{
    if (!(fabs(ladder - brute) <= tolerance) && !(isnan(ladder) && isnan(brute)))
        differ(self, bar, what, ladder, brute);
}

static void same_flow(const struct pair *self, size_t bar, const char *what,
                      const struct settle_flow *ladder, const struct settle_flow *brute)
{
    same(self, bar, what, ladder->coins, brute->coins);
    same(self, bar, what, ladder->usd, brute->usd);
    same(self, bar, what, ladder->traders, brute->traders);
    same(self, bar, what, (double)ladder->positions, (double)brute->positions);
}

static void same_tally(const struct pair *self, size_t bar, const struct settle_tally *ladder,
                       const struct settle_tally *brute)
{
    for (int side = 0; side < 2; side++) {
        same_flow(self, bar, "forced flow of a side", &ladder->side[side], &brute->side[side]);
        for (int tier = 0; tier < TIERS; tier++)
            same_flow(self, bar, "forced flow of a tier", &ladder->tier[side][tier],
                      &brute->tier[side][tier]);
        for (int venue = 0; venue < BOOK_VENUES_MAX; venue++)
            same_flow(self, bar, "forced flow of a venue", &ladder->venue[venue][side],
                      &brute->venue[venue][side]);
    }
#define SAME(field) same(self, bar, #field, (double)ladder->field, (double)brute->field)
    SAME(fund_gain_usd);
    SAME(fund_draw_usd);
    SAME(bad_debt_usd);
    SAME(fees_usd);
    SAME(adl_usd);
    SAME(partial_orders);
    for (int side = 0; side < 2; side++) {
        SAME(backstop_coins[side]);
        SAME(adl_coins[side]);
    }
    for (int venue = 0; venue < BOOK_VENUES_MAX; venue++) {
        SAME(venue_gain_usd[venue]);
        SAME(venue_draw_usd[venue]);
        SAME(venue_bad_debt_usd[venue]);
        SAME(venue_fees_usd[venue]);
        SAME(venue_adl_usd[venue]);
    }
#undef SAME
}

/* The histogram of sim/nearby.h holds prices up to a factor of two beyond those of the market: a
   loop that runs away leaves it. */
static bool within_histogram(const struct pair *self, double price)
{
    const struct market *market = &self->scenario.market;
    double low = INFINITY, high = 0.0;
    for (size_t i = self->scenario.params.start_bar; i < market->bars; i++) {
        low = fmin(low, market->mark.low[i]);
        high = fmax(high, market->mark.high[i]);
    }
    return price > 0.6 * low && price < high / 0.6;
}

static void same_branching(const struct pair *self, size_t bar, const struct replay_step *ladder)
{
    double ratio = ladder->branching_ratio;
    if (bar < self->scenario.params.start_bar ||
        !within_histogram(self, self->brute.branching_mark))
        return;
    /* The histogram closes all of a tier at one speed. */
    if (self->scenario.params.disposition_ratio != 1.0)
        return;
    if (!(ratio >= self->brute.branching_low - BRANCHING_ROUNDING))
        differ(self, bar, "least branching_ratio", ratio, self->brute.branching_low);
    if (!(ratio <= self->brute.branching_high + BRANCHING_ROUNDING))
        differ(self, bar, "greatest branching_ratio", ratio, self->brute.branching_high);
}

static void same_step(const struct pair *self, size_t bar, const struct replay_step *ladder,
                      const struct replay_step *brute)
{
#define SAME(field) same(self, bar, #field, (double)ladder->field, (double)brute->field)
    SAME(time_ms);
    SAME(depth_share);
    SAME(funding_rate);
    SAME(price_open);
    SAME(price_high);
    SAME(price_low);
    SAME(price_close);
    SAME(mark_close);
    SAME(exogenous_close);
    SAME(exogenous_log);
    SAME(endogenous_log);
    SAME(extreme_log);
    SAME(extreme_endogenous_log);
    same_tally(self, bar, &ladder->forced, &brute->forced);
    SAME(oi_coins);
    SAME(oi_usd);
    for (int side = 0; side < 2; side++) {
        SAME(opens_coins[side]);
        SAME(closes_coins[side]);
    }
    SAME(replacement_coins);
    SAME(remargined_coins);
    SAME(premium);
    SAME(utilisation);
    SAME(generations);
    SAME(unreachable);
#undef SAME
    same_branching(self, bar, ladder);
}

/* The last node's orders, in the order of firing. */
static void same_shots(const struct pair *self, size_t bar)
{
    const struct cascade *cascade = &self->ladder.cascade;
    same(self, bar, "number of orders", (double)cascade->shot_count,
         (double)self->brute.shot_count);
    for (size_t i = 0; i < cascade->shot_count; i++) {
        const struct cascade_shot *ladder = &cascade->shots[i];
        const struct brute_shot *brute = &self->brute.shots[i];
        same(self, bar, "rest fired", ladder->position.rest, brute->rest);
        if (brute->rest == RESTS_NONE)
            same(self, bar, "position fired", ladder->position.position, brute->index);
        same(self, bar, "class fired",
             (double)(ladder->position.class - self->scenario.book.classes), brute->class_id);
        same(self, bar, "market", ladder->market, brute->market);
        same(self, bar, "coins fired", ladder->coins, brute->coins);
        same(self, bar, "trigger price", ladder->trigger_price, brute->trigger_price);
        same(self, bar, "price before", ladder->last_before, brute->last_before);
        same(self, bar, "price after", ladder->last_after, brute->last_after);
    }
}

/* Marks what the ladder still holds: positions of the book, then rests by number. */
static void mark_left(void *context, const struct ladder_fired *position)
{
    struct pair *self = context;
    if (position->rest == RESTS_NONE)
        self->left[position->position]++;
    else
        self->rests_left[position->rest]++;
}

/* Fired or left, position by position: the ladder holds each position and each rest once. */
static void same_left(struct pair *self, size_t bar)
{
    const struct brute_force *brute = &self->brute;
    memset(self->left, 0, self->scenario.book.entry_count * sizeof *self->left);
    free(self->rests_left);
    self->rests_left = calloc(brute->rest_count + 1, sizeof *self->rests_left);
    assert_non_null(self->rests_left);
    same(self, bar, "rests made", (double)self->ladder.ladder.rests.count, brute->rest_count);
    for (int side = 0; side < 2; side++)
        ladder_visit(&self->ladder.ladder, side, mark_left, self);
    for (size_t i = 0; i < brute->count; i++) {
        const struct brute_position *position = &brute->positions[i];
        bool is_rest = position->rest != RESTS_NONE, left = brute_position_left(position);
        same(self, bar, "whether a position is left", self->left[position->index],
             !is_rest && left);
        if (is_rest)
            same(self, bar, "whether a rest is left", self->rests_left[position->rest], left);
    }
}

/* What a step deleveraged, by venue, side and tier; the order of rows is the ladder's own. */
static void same_deleveraging(const struct pair *self, size_t bar)
{
    const struct deleverage *ladder = &self->ladder.deleverage;
    size_t rows = 0;
    for (size_t i = 0; i < ladder->record_count; i++) {
        const struct deleverage_record *record = &ladder->records[i];
        const struct brute_adl *brute =
            &self->brute.adl[record->venue][record->side_index][record->tier];
        same(self, bar, "coins deleveraged", record->coins, brute->coins);
        same(self, bar, "money deleveraged", record->usd, brute->usd);
        same(self, bar, "entry value deleveraged", record->entry_usd, brute->entry_usd);
        same(self, bar, "profit deleveraged", record->pnl_usd, brute->pnl_usd);
        same(self, bar, "scores deleveraged", record->score_sum, brute->score_sum);
        same(self, bar, "positions deleveraged", (double)record->positions,
             (double)brute->positions);
    }
    for (int venue = 0; venue < BOOK_VENUES_MAX; venue++)
        for (int side = 0; side < 2; side++)
            for (int tier = 0; tier < TIERS; tier++)
                rows += self->brute.adl[venue][side][tier].positions > 0;
    same(self, bar, "rows of deleveraging", (double)ladder->record_count, (double)rows);
}

/* The accounts, and what the ledger says of positions against positions counted one by one. */
static void same_accounts(const struct pair *self, size_t bar)
{
    const struct replay *ladder = &self->ladder;
    const struct brute_force *brute = &self->brute;
    double scale = fabs(brute->deposits_usd) + fabs(brute->withdrawals_usd) + 1e9;
    for (int side = 0; side < 2; side++) {
        double oi = ledger_total(&ladder->ledger, side);
        same(self, bar, "open interest", oi, ledger_total(&brute->ledger, side));
        double counted = brute->holders[side].coins;
        for (size_t i = 0; i < brute->count; i++)
            if (book_side_index(brute->positions[i].side) == side)
                counted += brute->positions[i].coins;
        close_to(self, bar, "open interest counted", oi, counted, 1e-9 * fmax(counted, 1.0));
    }
    for (size_t v = 0; v < BOOK_VENUES_MAX; v++) {
        same(self, bar, "fund", ladder->settle.fund_usd[v], brute->fund_usd[v]);
        same(self, bar, "fund's peak", ladder->settle.peak_usd[v], brute->peak_usd[v]);
        same(self, bar, "flow of a market", ladder->prices.impact.state[v].flow_coins,
             brute->impact[v].flow_coins);
    }
    same(self, bar, "fund net", ladder->fund_net_usd, brute->fund_net_usd);
    same(self, bar, "fees", ladder->fees_usd, brute->fees_usd);
    same(self, bar, "bad debt", ladder->bad_debt_usd, brute->bad_debt_usd);
    if (isnan(ladder->total_usd))
        return;
    close_to(self, bar, "deposits", ladder->settle.deposits_usd, brute->deposits_usd, 1e-9 * scale);
    close_to(self, bar, "withdrawals", ladder->settle.withdrawals_usd, brute->withdrawals_usd,
             1e-9 * scale);
    close_to(self, bar, "all money", ladder->total_usd,
             brute_force_total_usd(brute, ladder->prices.mark), 1e-9 * scale);
}

/* A loop that counts impact twice may run away by many powers of ten. Funding paid at such prices
   leaves no digits to tell triggers apart, and the brackets that the book did not enter tie with
   those it did: the comparison ends there. */
static bool ran_away(const struct pair *self, const struct replay_step *step)
{
    double start = self->scenario.market.last.open[0];
    return step->price_high > 100.0 * start || step->price_low < 0.01 * start;
}

static void run_pair(struct pair *self)
{
    struct error err = {0};
    for (size_t bar = 0; bar < self->scenario.params.bars; bar++) {
        struct replay_step ladder, brute;
        int code = replay_step(&self->ladder, &ladder, &err);
        brute_force_step(&self->brute, &brute);
        if (code == ERROR_NUMERICAL && ran_away(self, &brute))
            break; /* and says so */
        if (code != ERROR_NONE) {
            random_scenario_print(&self->scenario);
            fail_msg("LIQCASCADE_TEST_SEED=%s:%llu runs this again: bar %zu: %s", self->suite,
                     (unsigned long long)self->scenario.seed, bar, err.message);
        }
        same_shots(self, bar);
        same_step(self, bar, &ladder, &brute);
        same_left(self, bar);
        same_deleveraging(self, bar);
        same_accounts(self, bar);
        self->fired += (long)(brute.forced.side[0].positions + brute.forced.side[1].positions);
        self->steps++;
        if (brute.generations > 1)
            self->waves++;
        if (ran_away(self, &ladder))
            break;
    }
    if (self->brute.counts.foreign != 0)
        differ(self, self->scenario.params.bars, "firings by a bracket outside the book", 0.0,
               (double)self->brute.counts.foreign);
    for (size_t i = 0; i < self->brute.count; i++)
        if (self->brute.positions[i].fired && self->brute.positions[i].bracket_count > 1 &&
            self->brute.positions[i].brackets[1].entered)
            self->twins_fired++;
}

/* ---- suites ------------------------------------------------------------------------------- */

struct total {
    long runs, steps, positions, fired, twins, waves, final_fills;
    struct brute_counts counts;
    double looked_at, seconds;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* brute_counts is made of counters of one type. */
static void add_counts(struct brute_counts *sum, const struct brute_counts *counts)
{
    long *into = (long *)sum;
    const long *from = (const long *)counts;
    for (size_t i = 0; i < sizeof *sum / sizeof *into; i++)
        into[i] += from[i];
}

static void run_seed(struct total *total, const struct suite *suite, uint64_t seed)
{
    struct pair pair = {.suite = suite->name};
    double start = now_s();
    pair_make(&pair, suite, seed);
    run_pair(&pair);
    total->runs++;
    total->positions += (long)pair.scenario.book.position_count;
    total->steps += pair.steps;
    total->fired += pair.fired;
    total->twins += pair.twins_fired;
    total->waves += pair.waves;
    total->final_fills += pair.scenario.params.fill == SETTLE_FINAL;
    total->looked_at += pair.brute.looked_at;
    total->seconds += now_s() - start;
    add_counts(&total->counts, &pair.brute.counts);
    pair_free(&pair);
}

static bool seed_given(void)
{
    return getenv("LIQCASCADE_TEST_SEED") != NULL;
}

/* The seed that LIQCASCADE_TEST_SEED=<suite>:<seed> asks for; false: it asks for none of this. */
static bool seed_asked(const struct suite *suite, uint64_t *out_seed)
{
    const char *asked = getenv("LIQCASCADE_TEST_SEED");
    size_t length = strlen(suite->name);
    if (asked == NULL || strncmp(asked, suite->name, length) != 0 || asked[length] != ':')
        return false;
    *out_seed = strtoull(asked + length + 1, NULL, 10);
    return true;
}

/* Runs of `count` seeds; in the long form of such as never before. */
static void run_suite(struct total *total, const struct suite *suite, uint64_t count)
{
    uint64_t first = suite->seed, seed;
    if (seed_asked(suite, &seed)) {
        run_seed(total, suite, seed);
        return;
    }
    if (seed_given())
        return;
    if (form() == FORM_LONG) {
        first = (uint64_t)time(NULL) * 1000;
        print_message("%s: seeds from %llu on\n", suite->name, (unsigned long long)first);
    }
    for (uint64_t i = 0; i < count; i++)
        run_seed(total, suite, first + i);
}

static void print_mechanisms(const struct brute_counts *counts)
{
    print_message("  %ld partial orders, %ld that left no margin, %ld rests fired (%ld after a "
                  "pause), %ld whole by cooldown, %ld by the number of orders\n",
                  counts->partials, counts->margin_gone, counts->rest_orders, counts->releases,
                  counts->cooldown_wholes, counts->capped);
    print_message("  %ld takeovers, %ld beyond what the fund can stand; %ld fees; %ld bad debts; "
                  "deleveraged against %ld in part and %ld whole, %ld times again in a step, %ld "
                  "times without enough winners, %ld cut positions fired\n",
                  counts->takeovers, counts->takeovers_short, counts->fees, counts->bad_debts,
                  counts->adl_partial, counts->adl_whole, counts->adl_again, counts->adl_unmatched,
                  counts->cut_fired);
    for (int i = 0; i < adl_ranking_count; i++)
        print_message("  %ld taken by %s", counts->adl_taken[i], adl_rankings[i].name);
    print_message("\n  %ld ticks, %ld steps of arbitrage, %ld opens held outside the book, %ld "
                  "toppings up\n",
                  counts->ticks, counts->arbitrages, counts->held_opens, counts->remargins);
}

static void print_total(const char *what, const struct total *total)
{
    print_message("%s: %ld runs, %ld steps, %ld positions, %ld liquidated, %ld of them with two "
                  "brackets, %ld steps of more than one wave, %ld runs filled at the last price; "
                  "brute force computed %.3g triggers; %.1f s\n",
                  what, total->runs, total->steps, total->positions, total->fired, total->twins,
                  total->waves, total->final_fills, total->looked_at, total->seconds);
    print_mechanisms(&total->counts);
}

/* What the engine can do has been done, and not just once. */
static void assert_everything_happened(const struct total *total)
{
    const struct brute_counts *counts = &total->counts;
    assert_true(total->fired > total->positions / 100);
    assert_true(total->twins > 10 && total->waves > 10 && total->final_fills > 0);
    assert_true(counts->partials > 100 && counts->rest_orders > 100 && counts->releases > 10);
    assert_true(counts->margin_gone > 0 && counts->cooldown_wholes > 10 && counts->capped > 0);
    assert_true(counts->takeovers > 10 && counts->takeovers_short > 0 && counts->fees > 100);
    assert_true(counts->adl_partial > 10 && counts->adl_whole > 10 && counts->adl_again > 10);
    assert_true(counts->adl_unmatched > 0 && counts->cut_fired > 0 && counts->bad_debts > 10);
    for (int i = 0; i < adl_ranking_count; i++)
        assert_true(counts->adl_taken[i] > 5);
    assert_true(counts->ticks > 10 && counts->arbitrages > 100);
    assert_true(counts->held_opens > 100 && counts->remargins > 100);
}

/* Short runs of every mixture of rules. */
static void the_ladder_equals_brute_force_under_every_rule(void **state)
{
    const struct suite suite = {.name = "rules", .seed = 1000, .positions = 600, .bars = 200};
    struct total total = {0};
    static const uint64_t counts[] = {20, 160, 160, 2000};
    run_suite(&total, &suite, counts[form()]);
    if (total.runs == 0)
        return;
    print_total("600 positions, 200 bars", &total);
    if (!seed_given() && form() != FORM_TASTE)
        assert_everything_happened(&total);
}

/* Few bars, so that runs are long. */
static void the_ladder_equals_brute_force_with_many_positions_a_bar(void **state)
{
    const struct suite suite = {.name = "runs", .seed = 5000, .positions = 2000, .bars = 24};
    struct total total = {0};
    static const uint64_t counts[] = {2, 20, 20, 500};
    run_suite(&total, &suite, counts[form()]);
    if (total.runs == 0)
        return;
    print_total("2,000 positions, 24 bars", &total);
    if (!seed_given())
        assert_true(total.fired > 100);
}

/* One mix each of what tells venues apart. */
static void the_ladder_equals_brute_force_at_ten_thousand_positions(void **state)
{
#define YES RANDOM_WISH_YES
#define NO RANDOM_WISH_NO
#define MIX(label, number, ...)                                                                    \
    {                                                                                              \
        .name = label, .seed = number, .positions = 10000, .bars = 2000, .wishes = { __VA_ARGS__ } \
    }
    static const struct suite suites[] = {
        MIX("everything", 1, .venues = 3, .partial = YES, .backstop = YES, .adl = YES, .split = YES,
            .arbitrage = YES, .clock = YES, .feedback = YES, .disposition = YES, .drawn = YES),
        MIX("given", 1, .venues = 1, .partial = NO, .backstop = NO, .adl = NO, .drawn = NO),
        MIX("partial", 1, .venues = 1, .partial = YES, .adl = NO, .feedback = YES, .drawn = YES),
        MIX("deleveraging", 1, .venues = 1, .partial = NO, .backstop = NO, .adl = YES,
            .feedback = YES, .drawn = YES),
        MIX("venues", 6, .venues = 3, .split = YES, .arbitrage = YES, .adl = NO, .drawn = YES),
        MIX("clock", 6, .venues = 2, .clock = YES, .split = YES, .feedback = YES, .drawn = YES),
    };
#undef MIX
#undef NO
#undef YES
    static const size_t counts[] = {0, 1, sizeof suites / sizeof *suites,
                                    sizeof suites / sizeof *suites};
    size_t count = seed_given() ? counts[FORM_LONG] : counts[form()];
    for (size_t i = 0; i < count; i++) {
        struct total total = {0};
        run_suite(&total, &suites[i], form() == FORM_LONG ? 10 : 1);
        if (total.runs == 0)
            continue;
        print_total(suites[i].name, &total);
        if (!seed_given())
            assert_true(total.fired > 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ladder_equals_brute_force_under_every_rule),
        cmocka_unit_test(the_ladder_equals_brute_force_with_many_positions_a_bar),
        cmocka_unit_test(the_ladder_equals_brute_force_at_ten_thousand_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
