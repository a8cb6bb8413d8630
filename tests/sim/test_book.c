/* The book: shares, order, entries, edges of brackets, hedges and crowds; given positions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/book.h"
#include "tests/support/near.h"

enum { BARS = 40, PER_SIDE = 200 };

/* Prices that rise and fall by some per cent a bar. */
struct fixture {
    double high[BARS], low[BARS], close[BARS], funding_z[BARS];
    struct book_bars bars;
    struct brackets tables[2];
    struct book_params params;
    struct book book;
};

static void table_make(struct brackets *table, int64_t valid_from_ms)
{
    const double cap[] = {20e3, 60e3, 1e6}, leverage[] = {100.0, 50.0, 20.0};
    const double rate[] = {0.004, 0.005, 0.01};
    struct error err = {0};
    assert_int_equal(brackets_init(table, 3, cap, leverage, rate, valid_from_ms, &err), ERROR_NONE);
}

static void fixture_make(struct fixture *self)
{
    memset(self, 0, sizeof *self);
    for (int i = 0; i < BARS; i++) {
        self->close[i] = 100e3 * (1.0 + 0.05 * sin(i));
        self->high[i] = self->close[i] * 1.01;
        self->low[i] = self->close[i] * 0.985;
    }
    self->bars = (struct book_bars){.bars = BARS,
                                    .step_ms = 60000,
                                    .high = self->high,
                                    .low = self->low,
                                    .close = self->close,
                                    .priced = BARS};
    table_make(&self->tables[0], INT64_MIN);
    table_make(&self->tables[1], 20 * 60000);
    struct book_params *params = &self->params;
    params->seed = 7;
    params->positions_per_bar = PER_SIDE;
    params->leverage = (struct leverage_params){
        .kind = LEVERAGE_KIND_PARETO, .alpha = 1.0, .minimum = 1.0, .hazard_exponent = 0.5};
    params->size = (struct size_params){.kind = SIZE_KIND_LOGNORMAL, .median = 30e3, .sigma = 1.0};
    params->hedged_leverage[0] = 1.0;
    params->hedged_leverage[1] = 3.0;
    params->venue_count = 1;
    params->venues[0] = (struct book_venue){.name = "one",
                                            .formula = margin_find("linear_mark"),
                                            .oi_share = 1.0,
                                            .tables = self->tables,
                                            .table_count = 1};
}

static void draw(struct fixture *self)
{
    struct error err = {0};
    if (book_draw(&self->book, &self->params, &self->bars, &err) != ERROR_NONE)
        fail_msg("book_draw: %s", err.message);
}

typedef void visitor(const struct fixture *self, const struct book_run *run,
                     const struct book_class *class, const struct book_position *position,
                     void *context);

/* Every position once, in the class it was entered in first. */
static void each_position(const struct fixture *self, visitor *visit, void *context)
{
    const struct book *book = &self->book;
    for (uint32_t r = 0; r < book->run_count; r++)
        for (uint32_t i = 0; i < book->runs[r].count && book->runs[r].twin >= r; i++)
            visit(self, &book->runs[r], &book->classes[book->runs[r].class_id],
                  &book->positions[book->runs[r].first + i], context);
}

/* ---- drawn books ------------------------------------------------------------------------- */

static void add_share(const struct fixture *self, const struct book_run *run,
                      const struct book_class *class, const struct book_position *position,
                      void *context)
{
    double(*sums)[2][2] = context;
    (void)self;
    sums[run->bar][book_side_index(class->side)][class->venue] += position->share;
}

static void add_share_of_three(const struct fixture *self, const struct book_run *run,
                               const struct book_class *class, const struct book_position *position,
                               void *context)
{
    double(*sums)[2][3] = context;
    (void)self;
    sums[run->bar][book_side_index(class->side)][class->venue] += position->share;
}

static void the_shares_of_a_bars_side_sum_to_one_and_venues_to_theirs(void **state)
{
    struct fixture fixture;
    double sums[BARS][2][2] = {0};
    fixture_make(&fixture);
    fixture.params.venue_count = 2;
    fixture.params.venues[1] = fixture.params.venues[0];
    fixture.params.venues[0].oi_share = 0.3;
    fixture.params.venues[1].oi_share = 0.7;
    draw(&fixture);
    each_position(&fixture, add_share, sums);
    for (int bar = 0; bar < BARS; bar++)
        for (int side = 0; side < 2; side++) {
            assert_near(sums[bar][side][0], 0.3, 1e-12);
            assert_near(sums[bar][side][1], 0.7, 1e-12);
        }
    assert_int_equal(fixture.book.position_count, BARS * 2 * PER_SIDE);
    book_free(&fixture.book);
}

/* Three venues, of which the middle one liquidates nobody, against a pool. */
static void check_shares(double pool_share, double longs, double shorts)
{
    struct fixture fixture;
    double sums[BARS][2][3] = {0};
    const double expected[] = {longs, shorts};
    fixture_make(&fixture);
    struct book_params *params = &fixture.params;
    params->venue_count = 3;
    params->venues[1] = params->venues[2] = params->venues[0];
    params->venues[0].oi_share = 0.5;
    params->venues[1].oi_share = 0.2;
    params->venues[1].by_hand = true;
    params->venues[2].oi_share = 0.3;
    params->pool_share = pool_share;
    draw(&fixture);
    each_position(&fixture, add_share_of_three, sums);
    for (int bar = 0; bar < BARS; bar++)
        for (int side = 0; side < 2; side++) {
            const double *sum = sums[bar][side];
            assert_near(sum[0], 0.5 * expected[side], 1e-12);
            assert_true(sum[1] == 0.0);
            assert_near(sum[2], 0.3 * expected[side], 1e-12);
            assert_near(sum[0] + sum[2], 1.0 - fixture.book.held_share[side], 1e-12);
        }
    /* 200 a side as always, on the venues that are drawn. */
    assert_int_equal(fixture.book.position_count, BARS * 2 * PER_SIDE);
    book_free(&fixture.book);
}

static void a_venue_without_automatic_liquidation_holds_its_share_outside(void **state)
{
    check_shares(0.0, 1.0, 1.0);
}

static void a_pool_takes_its_part_of_the_side_that_it_stands_against(void **state)
{
    check_shares(0.25, 1.0, 0.75);
    check_shares(-0.4, 0.6, 1.0);
    check_shares(1.0, 1.0, 0.0);
}

static void without_a_pool_nothing_is_held(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    draw(&fixture);
    assert_true(fixture.book.held_share[BOOK_LONG] == 0.0);
    assert_true(fixture.book.held_share[BOOK_SHORT] == 0.0);
    book_free(&fixture.book);
}

static void somebody_must_be_liquidated(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    fixture_make(&fixture);
    fixture.params.venues[0].by_hand = true;
    assert_int_equal(book_draw(&fixture.book, &fixture.params, &fixture.bars, &err),
                     ERROR_SCENARIO);
}

static void a_run_is_sorted_by_who_is_liquidated_first(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    draw(&fixture);
    const struct book *book = &fixture.book;
    size_t longest = 0;
    for (uint32_t bar = 0; bar < BARS; bar++)
        for (uint32_t r = book->bar_runs[bar]; r < book->bar_runs[bar + 1]; r++) {
            const struct book_run *run = &book->runs[r];
            assert_int_equal(run->bar, bar);
            longest = run->count > longest ? run->count : longest;
            for (uint32_t i = run->first + 1; i < run->first + run->count; i++)
                assert_true(book->classes[run->class_id].side *
                                (book->positions[i - 1].kappa - book->positions[i].kappa) >=
                            0.0);
        }
    assert_true(longest > 20);
    book_free(&fixture.book);
}

/* Its bracket, its leverage cap, its entry within the bar. */
static void check_position(const struct fixture *self, const struct book_run *run,
                           const struct book_class *class, const struct book_position *position,
                           void *context)
{
    const struct brackets *table = &self->tables[0];
    const struct margin_formula *formula = self->book.venues[0].formula;
    double size = (double)position->size_usd, leverage = (double)position->leverage;
    double entry = self->close[run->bar] * book_position_entry(&self->book, class, position);
    double trigger = self->close[run->bar] * position->kappa / class->slope;
    double expected = margin_liquidation_price(formula, table, class->side, entry, size, leverage);
    double *worst = context;
    assert_true(leverage >= 1.0 && leverage <= brackets_max_leverage(table, size));
    assert_true(entry >= self->low[run->bar] * (1.0 - 1e-12));
    assert_true(entry <= self->high[run->bar] * (1.0 + 1e-12));
    if (expected > 0.0)
        *worst = fmax(*worst, fabs(trigger / expected - 1.0));
}

static void a_drawn_position_is_liquidated_where_the_venues_formula_says(void **state)
{
    struct fixture fixture;
    double worst = 0.0;
    fixture_make(&fixture);
    draw(&fixture);
    each_position(&fixture, check_position, &worst);
    print_message("largest difference from the formula's liquidation price: %.2g\n", worst);
    assert_true(worst < 1e-12);
    book_free(&fixture.book);
}

static void entries_at_the_mean_are_the_bars_typical_price(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    fixture.params.entry_vwap = true;
    /* Low leverage, so that nobody would be liquidated at the close by entering elsewhere. */
    fixture.params.leverage.maximum = 5.0;
    draw(&fixture);
    const struct book *book = &fixture.book;
    for (uint32_t r = 0; r < book->run_count; r++) {
        const struct book_run *run = &book->runs[r];
        double typical = (1.01 + 0.985 + 1.0) / 3.0;
        assert_near(
            book_position_entry(book, &book->classes[run->class_id], &book->positions[run->first]),
            typical, 1e-12);
    }
    book_free(&fixture.book);
}

/* ---- edges ------------------------------------------------------------------------------- */

/* Notional at liquidation (linear), or contracts' value in coins at entry over the coins' price. */
static double value_at_liquidation(const struct margin_formula *formula,
                                   const struct book_position *position,
                                   const struct book_class *class, double e)
{
    double z = position->kappa / class->slope;
    double price = margin_price(formula, z) / e;
    return (double)position->size_usd * (formula->inverse ? 1.0 / price : price);
}

static void check_edge(const struct fixture *self, const struct book_run *run,
                       const struct book_class *class, const struct book_position *position,
                       void *context)
{
    size_t *twins = context;
    const struct brackets *table = &self->tables[0];
    double e = book_position_entry(&self->book, class, position);
    double value = value_at_liquidation(self->book.venues[0].formula, position, class, e);
    int n = class->bracket;
    double to_cap = value / table->cap_usd[n], to_floor = value / table->floor_usd[n];
    bool near_cap = n + 1 < table->count && to_cap > 1.0 - BOOK_EDGE;
    bool near_floor = n > 0 && to_floor < 1.0 + BOOK_EDGE;
    if ((run->twin != BOOK_NO_TWIN) != (near_cap || near_floor))
        fail_msg("a position of value %.17g in bracket %d has %s twin", value, n,
                 run->twin == BOOK_NO_TWIN ? "no" : "a");
    if (run->twin == BOOK_NO_TWIN)
        return;
    const struct book_run *twin = &self->book.runs[run->twin];
    const struct book_class *other = &self->book.classes[twin->class_id];
    const struct book_position *entered = &self->book.positions[twin->first];
    assert_int_equal(self->book.runs[twin->twin].class_id, run->class_id);
    assert_int_equal(other->bracket, near_cap ? n + 1 : n - 1);
    assert_int_equal(other->side, class->side);
    assert_true(entered->share == position->share && entered->leverage == position->leverage);
    assert_near(book_position_entry(&self->book, other, entered), e, 1e-12);
    (*twins)++;
}

static void check_edges_of(const char *formula)
{
    struct fixture fixture;
    size_t twins = 0;
    fixture_make(&fixture);
    fixture.params.venues[0].formula = margin_find(formula);
    draw(&fixture);
    each_position(&fixture, check_edge, &twins);
    print_message("%s: %zu of %zu positions within 5 %% of a bracket's edge\n", formula, twins,
                  fixture.book.position_count);
    assert_int_equal(fixture.book.entry_count, fixture.book.position_count + twins);
    if (!margin_find(formula)->bracket_at_entry)
        assert_true(twins > 100);
    book_free(&fixture.book);
}

static void a_position_near_a_brackets_edge_is_entered_in_both(void **state)
{
    check_edges_of("linear_mark");
}

static void so_is_one_of_inverse_contracts(void **state)
{
    check_edges_of("inverse_mark");
}

static void maintenance_at_entry_never_changes_its_bracket(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    fixture.params.venues[0].formula = margin_find("linear_entry");
    draw(&fixture);
    assert_int_equal(fixture.book.entry_count, fixture.book.position_count);
    book_free(&fixture.book);
}

/* ---- who opens --------------------------------------------------------------------------- */

struct by_leverage {
    double below[2]; /* share of a side at or below 3x */
};

static void add_hedged(const struct fixture *self, const struct book_run *run,
                       const struct book_class *class, const struct book_position *position,
                       void *context)
{
    struct by_leverage *sums = context;
    (void)self;
    if (run->bar == 3 && position->leverage <= 3.0f)
        sums->below[book_side_index(class->side)] += position->share;
}

/* Everybody else is above 5x. With no hazard, opens are the stock. */
static void hedged_shorts_hold_their_share_at_low_leverage(void **state)
{
    struct fixture fixture;
    struct by_leverage sums = {{0}};
    fixture_make(&fixture);
    fixture.params.leverage.minimum = 5.0;
    fixture.params.leverage.hazard_exponent = 0.0;
    fixture.params.hedged_short_share = 0.45;
    draw(&fixture);
    each_position(&fixture, add_hedged, &sums);
    assert_near(sums.below[BOOK_SHORT], 0.45, 1e-9);
    assert_near(sums.below[BOOK_LONG], 0.0, 1e-12);
    book_free(&fixture.book);
}

static void add_leverage(const struct fixture *self, const struct book_run *run,
                         const struct book_class *class, const struct book_position *position,
                         void *context)
{
    double *mean = context;
    (void)self;
    (void)run;
    mean[book_side_index(class->side)] += position->share * (double)position->leverage / BARS;
}

/* BitMEX at the end of April 2019: 22x long and 30x short, by open interest. With no hazard, opens
   are the stock; small positions may have 100x. */
static void longs_and_shorts_may_have_leverages_of_their_own(void **state)
{
    struct fixture fixture;
    double mean[2] = {0.0, 0.0};
    fixture_make(&fixture);
    fixture.params.leverage.kind = LEVERAGE_KIND_BITMEX_2019;
    fixture.params.leverage.hazard_exponent = 0.0;
    fixture.params.size = (struct size_params){.kind = SIZE_KIND_FIXED, .value = 1000.0};
    draw(&fixture);
    each_position(&fixture, add_leverage, mean);
    print_message("mean leverage: %.2f long, %.2f short\n", mean[BOOK_LONG], mean[BOOK_SHORT]);
    assert_near(mean[BOOK_LONG], 22.0, 0.5);
    assert_near(mean[BOOK_SHORT], 30.0, 0.5);
    book_free(&fixture.book);
}

struct pairing {
    const struct book_position *seen[2][PER_SIDE];
    int count[2];
};

static int by_size(const void *a, const void *b)
{
    const struct book_position *const *one = a, *const *two = b;
    return ((*one)->size_usd > (*two)->size_usd) - ((*one)->size_usd < (*two)->size_usd);
}

static void collect_bar(const struct fixture *self, const struct book_run *run,
                        const struct book_class *class, const struct book_position *position,
                        void *context)
{
    struct pairing *pairing = context;
    int side = book_side_index(class->side);
    (void)self;
    if (run->bar == 5)
        pairing->seen[side][pairing->count[side]++] = position;
}

static void collect(const struct fixture *fixture, struct pairing *pairing)
{
    memset(pairing, 0, sizeof *pairing);
    each_position(fixture, collect_bar, pairing);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(pairing->count[side], PER_SIDE);
        qsort(pairing->seen[side], PER_SIDE, sizeof pairing->seen[side][0], by_size);
    }
}

/* A funding rate two standard deviations high weighs longs by L^(2 * .3) and leaves shorts. */
static void high_funding_crowds_the_longs_at_high_leverage(void **state)
{
    struct fixture plain, crowded;
    struct pairing before, after;
    fixture_make(&plain);
    fixture_make(&crowded);
    for (int i = 0; i < BARS; i++)
        crowded.funding_z[i] = 2.0;
    crowded.bars.funding_z = crowded.funding_z;
    crowded.params.crowd_tilt = 0.3;
    draw(&plain);
    draw(&crowded);
    collect(&plain, &before);
    collect(&crowded, &after);
    for (int i = 1; i < PER_SIDE; i++) {
        const struct book_position *a0 = before.seen[0][0], *a1 = before.seen[0][i];
        const struct book_position *b0 = after.seen[0][0], *b1 = after.seen[0][i];
        assert_true(a1->leverage == b1->leverage);
        double tilt = (b1->share / b0->share) / (a1->share / a0->share);
        assert_near(tilt / pow((double)a1->leverage / (double)a0->leverage, 0.6), 1.0, 1e-9);
        assert_true(before.seen[1][i]->share == after.seen[1][i]->share);
    }
    book_free(&plain.book);
    book_free(&crowded.book);
}

/* Draws are addressed: what comes later changes nothing before it. */
static void a_longer_run_begins_with_the_same_positions(void **state)
{
    struct fixture whole, part;
    fixture_make(&whole);
    fixture_make(&part);
    part.bars.bars = part.bars.priced = 12;
    draw(&whole);
    draw(&part);
    assert_int_equal(whole.book.bar_runs[12], part.book.bar_runs[12]);
    assert_memory_equal(whole.book.positions, part.book.positions,
                        part.book.position_count * sizeof *part.book.positions);
    book_free(&whole.book);
    book_free(&part.book);
}

static void another_seed_or_replicate_is_another_book(void **state)
{
    struct fixture one, seed, replicate;
    fixture_make(&one);
    fixture_make(&seed);
    fixture_make(&replicate);
    seed.params.seed = 8;
    replicate.params.replicate = 1;
    draw(&one);
    draw(&seed);
    draw(&replicate);
    assert_memory_not_equal(one.book.positions, seed.book.positions,
                            sizeof *one.book.positions * PER_SIDE);
    assert_memory_not_equal(one.book.positions, replicate.book.positions,
                            sizeof *one.book.positions * PER_SIDE);
    book_free(&one.book);
    book_free(&seed.book);
    book_free(&replicate.book);
}

static void brackets_apply_from_their_date(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    fixture.params.venues[0].table_count = 2; /* the second from bar 20 */
    draw(&fixture);
    const struct book *book = &fixture.book;
    assert_int_equal(book->class_count, 12);
    for (uint32_t r = 0; r < book->run_count; r++)
        assert_int_equal(book->runs[r].class_id >= 6, book->runs[r].bar >= 20);
    book_free(&fixture.book);
}

/* ---- given positions --------------------------------------------------------------------- */

static int give(struct fixture *self, const struct book_given *given, size_t count,
                struct error *err)
{
    return book_from_given(&self->book, given, count, self->params.venues, 1, 0, 1, err);
}

static void a_given_position_keeps_its_entry_and_its_formulas_liquidation(void **state)
{
    const double leverages[] = {1.25, 2.5, 10.0, 50.0, 100.0, 125.0};
    struct fixture fixture;
    struct error err = {0};
    fixture_make(&fixture);
    for (int i = 0; i < 12; i++) {
        struct book_given given = {.side = i % 2 ? 1 : -1,
                                   .entry_price = 98765.4321,
                                   .size_coins = 0.1 + i,
                                   .leverage = leverages[i / 2],
                                   .liquidation_price = NAN};
        assert_int_equal(give(&fixture, &given, 1, &err), ERROR_NONE);
        const struct book *book = &fixture.book;
        const struct book_class *class = &book->classes[book->runs[0].class_id];
        assert_near(book_position_entry(book, class, &book->positions[0]) / given.entry_price, 1.0,
                    1e-12);
        double expected = margin_liquidation_price(
            book->venues[0].formula, &fixture.tables[0], given.side, given.entry_price,
            (double)(float)(given.entry_price * given.size_coins), given.leverage);
        assert_near(fmax(book->positions[0].kappa / class->slope, 0.0) / given.entry_price,
                    expected / given.entry_price, 1e-12);
        book_free(&fixture.book);
    }
}

/* A long at 1x has nothing to lose but all of it; a short is liquidated near twice its entry. */
static void at_1x_the_entry_is_kept_and_a_long_is_never_liquidated(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    fixture_make(&fixture);
    for (int side = 1; side >= -1; side -= 2) {
        struct book_given given = {.side = side,
                                   .entry_price = 50e3,
                                   .size_coins = 0.1,
                                   .leverage = 1.0,
                                   .liquidation_price = NAN};
        assert_int_equal(give(&fixture, &given, 1, &err), ERROR_NONE);
        const struct book *book = &fixture.book;
        const struct book_class *class = &book->classes[book->runs[0].class_id];
        assert_near(book_position_entry(book, class, &book->positions[0]), 50e3, 1e-6);
        double price = book->positions[0].kappa / class->slope;
        assert_near(price / 50e3, side > 0 ? 0.0 : 2.0 / 1.004, 2e-7);
        book_free(&fixture.book);
    }
}

static void a_given_liquidation_price_holds_as_it_stands(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    fixture_make(&fixture);
    struct book_given given = {.side = 1,
                               .entry_price = 100e3,
                               .size_coins = 0.7,
                               .leverage = 10.0,
                               .liquidation_price = 61234.5};
    assert_int_equal(give(&fixture, &given, 1, &err), ERROR_NONE);
    const struct book *book = &fixture.book;
    const struct book_class *class = &book->classes[book->runs[0].class_id];
    assert_near(book->positions[0].kappa / class->slope, 61234.5, 1e-9);
    /* A loss of 38,765.5 a coin leaves the maintenance margin: 1/L = 1 - (1 - m) P/E - cum/N. */
    double cum = class->cum_usd / 70e3, rate = class->rate;
    assert_near(1.0 / (double)book->positions[0].leverage, 1.0 - (1.0 - rate) * 0.612345 - cum,
                1e-6);
    assert_near(book_position_entry(book, class, &book->positions[0]), 100e3, 1e-2);
    book_free(&fixture.book);
}

static void sides_that_do_not_balance_get_a_residual(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    fixture_make(&fixture);
    struct book_given given[] = {
        {.side = 1,
         .entry_price = 1e5,
         .size_coins = 5.0,
         .leverage = 10.0,
         .liquidation_price = NAN},
        {.side = -1,
         .entry_price = 1e5,
         .size_coins = 2.0,
         .leverage = 10.0,
         .liquidation_price = NAN},
    };
    assert_int_equal(give(&fixture, given, 2, &err), ERROR_NONE);
    assert_near(fixture.book.file_coins[BOOK_LONG], 5.0, 1e-12);
    assert_near(fixture.book.residual_coins[BOOK_SHORT], 3.0, 1e-12);
    assert_near(fixture.book.residual_coins[BOOK_LONG], 0.0, 1e-12);
    book_free(&fixture.book);
}

static void refused(struct book_given second, const char *what)
{
    struct fixture fixture;
    struct error err = {0};
    struct book_given given[2] = {{.side = 1,
                                   .entry_price = 1e5,
                                   .size_coins = 1.0,
                                   .leverage = 10.0,
                                   .liquidation_price = NAN},
                                  second};
    fixture_make(&fixture);
    assert_int_equal(give(&fixture, given, 2, &err), ERROR_DATA);
    assert_int_equal(err.line, 2);
    if (strstr(err.message, what) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, what);
}

static void a_bad_given_position_is_named(void **state)
{
    const struct book_given good = {.side = -1,
                                    .entry_price = 1e5,
                                    .size_coins = 1.0,
                                    .leverage = 10.0,
                                    .liquidation_price = NAN};
    const double bad[] = {0.0, -1.0, NAN, INFINITY};
    struct book_given given;
    for (int i = 0; i < 4; i++) {
        given = good, given.entry_price = bad[i], refused(given, "entry price");
        given = good, given.size_coins = bad[i], refused(given, "size");
    }
    given = good, given.leverage = 0.99, refused(given, "leverage");
    given = good, given.leverage = NAN, refused(given, "leverage");
    given = good, given.liquidation_price = 0.0, refused(given, "liquidation price");
    given = good, given.liquidation_price = -5.0, refused(given, "liquidation price");
    given = good, given.venue = 1, refused(given, "venue");
    given = good, given.venue = -1, refused(given, "venue");
}

/* ---- failures ---------------------------------------------------------------------------- */

static void a_book_that_finds_no_memory_says_so_and_leaves_nothing(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    long failures = 0;
    fixture_make(&fixture);
    fixture.params.positions_per_bar = 20;
    for (long countdown = 1;; countdown++) {
        memory_fail_after(countdown);
        int code = book_draw(&fixture.book, &fixture.params, &fixture.bars, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        failures++;
    }
    book_free(&fixture.book);
    print_message("%ld allocations of a drawn book fail cleanly\n", failures);
    assert_true(failures > 8);
}

static void so_does_a_given_book(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    struct book_given given = {.side = 1,
                               .entry_price = 1e5,
                               .size_coins = 0.2, /* liquidated at the first bracket's edge */
                               .leverage = 80.0,
                               .liquidation_price = NAN};
    long failures = 0;
    fixture_make(&fixture);
    for (long countdown = 1;; countdown++) {
        memory_fail_after(countdown);
        int code = give(&fixture, &given, 1, &err);
        memory_fail_after(0);
        if (code == ERROR_NONE)
            break;
        assert_int_equal(code, ERROR_IO);
        failures++;
    }
    assert_int_equal(fixture.book.entry_count, 2);
    book_free(&fixture.book);
    assert_true(failures > 5);
}

static void leverage_that_is_no_distribution_is_a_scenario_error(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    fixture_make(&fixture);
    fixture.params.leverage.alpha = -1.0;
    assert_int_equal(book_draw(&fixture.book, &fixture.params, &fixture.bars, &err),
                     ERROR_SCENARIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shares_of_a_bars_side_sum_to_one_and_venues_to_theirs),
        cmocka_unit_test(a_venue_without_automatic_liquidation_holds_its_share_outside),
        cmocka_unit_test(a_pool_takes_its_part_of_the_side_that_it_stands_against),
        cmocka_unit_test(without_a_pool_nothing_is_held),
        cmocka_unit_test(somebody_must_be_liquidated),
        cmocka_unit_test(a_run_is_sorted_by_who_is_liquidated_first),
        cmocka_unit_test(a_drawn_position_is_liquidated_where_the_venues_formula_says),
        cmocka_unit_test(entries_at_the_mean_are_the_bars_typical_price),
        cmocka_unit_test(a_position_near_a_brackets_edge_is_entered_in_both),
        cmocka_unit_test(so_is_one_of_inverse_contracts),
        cmocka_unit_test(maintenance_at_entry_never_changes_its_bracket),
        cmocka_unit_test(hedged_shorts_hold_their_share_at_low_leverage),
        cmocka_unit_test(longs_and_shorts_may_have_leverages_of_their_own),
        cmocka_unit_test(high_funding_crowds_the_longs_at_high_leverage),
        cmocka_unit_test(a_longer_run_begins_with_the_same_positions),
        cmocka_unit_test(another_seed_or_replicate_is_another_book),
        cmocka_unit_test(brackets_apply_from_their_date),
        cmocka_unit_test(a_given_position_keeps_its_entry_and_its_formulas_liquidation),
        cmocka_unit_test(at_1x_the_entry_is_kept_and_a_long_is_never_liquidated),
        cmocka_unit_test(a_given_liquidation_price_holds_as_it_stands),
        cmocka_unit_test(sides_that_do_not_balance_get_a_residual),
        cmocka_unit_test(a_bad_given_position_is_named),
        cmocka_unit_test(a_book_that_finds_no_memory_says_so_and_leaves_nothing),
        cmocka_unit_test(so_does_a_given_book),
        cmocka_unit_test(leverage_that_is_no_distribution_is_a_scenario_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
