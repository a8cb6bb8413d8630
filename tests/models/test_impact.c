/* Price impact: the measured scale, batching, decay, the permanent part, the laws by exponent,
   arbitrage between venues. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/random.h"
#include "models/impact.h"
#include "tests/support/near.h"

static const struct impact_params measured = {.kind = IMPACT_KIND_POWER,
                                              .gamma = 0.76,
                                              .reference_coins = 165.0,
                                              .reference_move_log = 9.0e-4,
                                              .permanent_share = 0.0,
                                              .half_life_ms = 5 * CALENDAR_MINUTE_MS};

static double impact_of(const struct impact_params *params, double coins, double depth)
{
    struct impact_state state = {0};
    impact_add(params, &state, coins, depth);
    return impact_log(params, &state, depth);
}

static struct impact_params with_kind(enum impact_kind kind, double gamma, double permanent)
{
    struct impact_params params = measured;
    params.kind = kind;
    params.gamma = gamma;
    params.permanent_share = permanent;
    return params;
}

static void net_165_btc_move_the_price_by_9_basis_points(void **state)
{
    assert_near(impact_of(&measured, 165.0, 1.0), 9.0e-4, 1e-15);
    assert_near(impact_of(&measured, -165.0, 1.0), -9.0e-4, 1e-15);
    /* a hundred times the flow: 10^(2*0.76) times the move */
    print_message("16,500 BTC move the log price by %.4f\n", impact_of(&measured, 16500.0, 1.0));
    assert_near(impact_of(&measured, 16500.0, 1.0), 9.0e-4 * pow(10.0, 1.52), 1e-12);
}

static void a_book_of_half_the_depth_moves_like_twice_the_flow(void **state)
{
    for (double gamma = 0.4; gamma < 2.6; gamma += 0.3) {
        struct impact_params params = with_kind(IMPACT_KIND_POWER, gamma, 0.3);
        assert_near(impact_of(&params, 500.0, 0.5), impact_of(&params, 1000.0, 1.0), 1e-15);
    }
}

static void no_flow_no_impact(void **state)
{
    for (int kind = IMPACT_KIND_NONE; kind <= IMPACT_KIND_POWER; kind++) {
        struct impact_params params = with_kind((enum impact_kind)kind, 0.76, 0.5);
        struct impact_state empty = {0};
        assert_true(impact_log(&params, &empty, 0.02) == 0.0);
    }
}

static void without_an_impact_model_no_flow_moves_the_price(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_NONE, 0.76, 1.0);
    assert_true(impact_of(&params, -1e6, 0.02) == 0.0);
}

/* Each split of the same one-sided flow, in pieces of random size, gives one price. */
static void a_flow_moves_the_price_the_same_however_it_is_split(void **state)
{
    struct random_stream stream = random_stream_make(7, 0, "test.impact");
    static const double gammas[] = {0.5, 0.76, 1.0, 1.5, 2.4};
    double total = -32768.0, worst = 0.0;
    for (size_t g = 0; g < 5; g++) {
        struct impact_params params = with_kind(IMPACT_KIND_POWER, gammas[g], 0.25);
        double at_once = impact_of(&params, total, 0.3);
        for (uint32_t pieces = 2; pieces <= 4096; pieces *= 4) {
            struct impact_state split = {0};
            double left = total;
            for (uint32_t i = 0; i + 1 < pieces; i++) {
                struct random_block block = random_block_at(&stream, pieces, i);
                double piece = left * random_uniform(block.word[0]) * 2.0 / pieces;
                impact_add(&params, &split, piece, 0.3);
                left -= piece;
            }
            impact_add(&params, &split, left, 0.3);
            worst = fmax(worst, fabs(impact_log(&params, &split, 0.3) / at_once - 1.0));
        }
    }
    print_message("largest relative difference between splits: %.1e\n", worst);
    assert_true(worst < 1e-12);
}

static void flow_halves_in_a_half_life_and_in_pieces_of_it(void **state)
{
    struct impact_params linear = with_kind(IMPACT_KIND_LINEAR, 0.0, 0.0);
    struct impact_state once = {0}, pieces = {0};
    impact_add(&linear, &once, -1000.0, 1.0);
    impact_add(&linear, &pieces, -1000.0, 1.0);
    double before = impact_log(&linear, &once, 1.0);
    impact_decay(&linear, &once, 5 * CALENDAR_MINUTE_MS);
    for (int i = 0; i < 300; i++)
        impact_decay(&linear, &pieces, CALENDAR_SECOND_MS);
    assert_near(impact_log(&linear, &once, 1.0), 0.5 * before, 1e-15);
    assert_near(pieces.flow_coins / once.flow_coins, 1.0, 1e-12);
}

/* E halves, so a square-root impact falls to 1/sqrt(2) and one of gamma 2 to a quarter. */
static void impact_decays_by_its_exponent(void **state)
{
    static const double gammas[] = {0.5, 0.76, 2.0};
    for (size_t g = 0; g < 3; g++) {
        struct impact_params params = with_kind(IMPACT_KIND_POWER, gammas[g], 0.0);
        struct impact_state flow = {0};
        impact_add(&params, &flow, 700.0, 1.0);
        double before = impact_log(&params, &flow, 1.0);
        impact_decay(&params, &flow, 5 * CALENDAR_MINUTE_MS);
        assert_near(impact_log(&params, &flow, 1.0) / before, pow(0.5, gammas[g]), 1e-12);
    }
}

static void without_a_half_life_nothing_decays(void **state)
{
    struct impact_params params = measured;
    params.half_life_ms = CALENDAR_NONE;
    struct impact_state flow = {0};
    impact_add(&params, &flow, 700.0, 1.0);
    impact_decay(&params, &flow, 365 * CALENDAR_DAY_MS);
    assert_true(flow.flow_coins == 700.0);
}

/* After a hundred half-lives only w * x0 * Q/R is left: 0.4 * 9e-4 * 10. */
static void the_permanent_part_outlives_the_flow(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_POWER, 0.76, 0.4);
    struct impact_state flow = {0};
    impact_add(&params, &flow, -1650.0, 1.0);
    impact_decay(&params, &flow, 500 * CALENDAR_MINUTE_MS);
    assert_near(impact_log(&params, &flow, 1.0), -3.6e-3, 1e-12);
    impact_add(&params, &flow, 1650.0, 1.0);
    impact_decay(&params, &flow, 500 * CALENDAR_MINUTE_MS);
    assert_near(impact_log(&params, &flow, 1.0), 0.0, 1e-12);
}

/* The additive impact of the closed forms: lambda = x0/R per coin, whatever the half-life. */
static void a_wholly_permanent_linear_impact_is_additive(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_LINEAR, 0.0, 1.0);
    struct impact_state flow = {0};
    for (int i = 1; i <= 10; i++) {
        impact_add(&params, &flow, i, 1.0);
        impact_decay(&params, &flow, CALENDAR_DAY_MS);
    }
    assert_near(impact_log(&params, &flow, 1.0), 55.0 * 9.0e-4 / 165.0, 1e-16);
}

static void depth_at_the_time_of_the_flow_sets_its_permanent_part(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_LINEAR, 0.0, 1.0);
    struct impact_state flow = {0};
    impact_add(&params, &flow, 165.0, 0.1);
    /* recovered depth does not take the move back */
    assert_near(impact_log(&params, &flow, 1.0), 9.0e-3, 1e-15);
}

static void named_laws_are_powers_of_their_exponent(void **state)
{
    struct impact_params root = with_kind(IMPACT_KIND_SQUARE_ROOT, 0.0, 0.0);
    struct impact_params linear = with_kind(IMPACT_KIND_LINEAR, 0.0, 0.0);
    struct impact_params half = with_kind(IMPACT_KIND_POWER, 0.5, 0.0);
    struct impact_params one = with_kind(IMPACT_KIND_POWER, 1.0, 0.0);
    for (double coins = 1.0; coins < 1e6; coins *= 3.0) {
        assert_near(impact_of(&root, -coins, 0.7) / -9.0e-4, pow(coins / (165.0 * 0.7), 0.5), 1e-9);
        assert_true(impact_of(&half, coins, 0.7) == impact_of(&root, coins, 0.7));
        assert_near(impact_of(&linear, coins, 0.7) / 9.0e-4, coins / (165.0 * 0.7), 1e-9);
        assert_true(impact_of(&one, coins, 0.7) == impact_of(&linear, coins, 0.7));
    }
}

/* Selling what was bought returns the transient price to its start, for any law. */
static void buys_and_sells_cancel(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_POWER, 0.76, 0.5);
    struct impact_state flow = {0};
    impact_add(&params, &flow, 512.0, 0.5);
    assert_true(impact_log(&params, &flow, 0.5) > 0.0);
    impact_add(&params, &flow, -512.0, 0.5);
    assert_true(impact_log(&params, &flow, 0.5) == 0.0);
}

#define VENUES 3
static const double venue_share[VENUES] = {0.5, 0.3, 0.2};

/* 800 coins sold and 100 bought on unequal venues, at depth 0.4. */
static void sell_on_three_venues(const struct impact_params *params, struct impact_state *venue)
{
    static const double coins[VENUES] = {-800.0, 0.0, 100.0};
    for (int v = 0; v < VENUES; v++) {
        venue[v] = (struct impact_state){0};
        impact_add(params, &venue[v], coins[v], 0.4 * venue_share[v]);
    }
}

static double venue_log(const struct impact_params *params, const struct impact_state *venue, int v)
{
    return impact_log(params, &venue[v], 0.4 * venue_share[v]);
}

static void instant_arbitrage_gives_every_venue_the_price_of_the_pooled_flow(void **state)
{
    for (double gamma = 0.5; gamma < 2.5; gamma += 0.26) {
        struct impact_params params = with_kind(IMPACT_KIND_POWER, gamma, 0.3);
        struct impact_state venue[VENUES], pooled = {0};
        sell_on_three_venues(&params, venue);
        impact_add(&params, &pooled, -700.0, 0.4);
        impact_arbitrage(venue, venue_share, VENUES, 0, 0);
        double expected = impact_log(&params, &pooled, 0.4);
        for (int v = 0; v < VENUES; v++)
            assert_near(venue_log(&params, venue, v) / expected, 1.0, 1e-13);
    }
}

/* 800 coins sold into half of the depth are as deep a fall as 1,600 into the whole. */
static void without_arbitrage_a_fall_stays_at_home(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_POWER, 0.76, 0.3);
    struct impact_state venue[VENUES], alone = {0};
    sell_on_three_venues(&params, venue);
    impact_arbitrage(venue, venue_share, VENUES, CALENDAR_NONE, CALENDAR_DAY_MS);
    impact_add(&params, &alone, -1600.0, 0.4);
    assert_near(venue_log(&params, venue, 0), impact_log(&params, &alone, 0.4), 1e-15);
    assert_true(venue[0].flow_coins == -800.0 && venue[2].flow_coins == 100.0);
    assert_true(venue_log(&params, venue, 1) == 0.0);
}

static void arbitrage_moves_inventory_and_makes_none(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_POWER, 0.76, 0.3);
    struct impact_state venue[VENUES];
    sell_on_three_venues(&params, venue);
    double before = 0.0, after = 0.0;
    for (int v = 0; v < VENUES; v++)
        before += venue_share[v] * venue[v].permanent_log;
    for (int i = 0; i < 1000; i++) {
        impact_arbitrage(venue, venue_share, VENUES, CALENDAR_MINUTE_MS, 700);
        double flow = venue[0].flow_coins + venue[1].flow_coins + venue[2].flow_coins;
        assert_near(flow, -700.0, 1e-10);
    }
    for (int v = 0; v < VENUES; v++)
        after += venue_share[v] * venue[v].permanent_log;
    assert_near(after / before, 1.0, 1e-12);
}

/* Linear impact: the prices of two venues draw nearer by half in a half-life, in one step or in
   many, and never cross. */
static void distances_between_venues_halve_in_a_half_life(void **state)
{
    struct impact_params params = with_kind(IMPACT_KIND_LINEAR, 0.0, 0.3);
    struct impact_state once[VENUES], pieces[VENUES];
    sell_on_three_venues(&params, once);
    sell_on_three_venues(&params, pieces);
    double gap = venue_log(&params, once, 2) - venue_log(&params, once, 0), last = gap;
    impact_arbitrage(once, venue_share, VENUES, CALENDAR_MINUTE_MS, CALENDAR_MINUTE_MS);
    assert_near((venue_log(&params, once, 2) - venue_log(&params, once, 0)) / gap, 0.5, 1e-12);
    for (int i = 0; i < 240; i++) {
        impact_arbitrage(pieces, venue_share, VENUES, CALENDAR_MINUTE_MS, 250);
        double now = venue_log(&params, pieces, 2) - venue_log(&params, pieces, 0);
        assert_true(now > 0.0 && now < last);
        last = now;
    }
    assert_near(last / gap, 0.5, 1e-12);
}

static void faster_arbitrage_spreads_more_of_a_fall(void **state)
{
    static const int64_t half_life[] = {CALENDAR_NONE, CALENDAR_HOUR_MS, CALENDAR_MINUTE_MS,
                                        CALENDAR_SECOND_MS, 0};
    double home = -INFINITY, away = INFINITY;
    for (size_t i = 0; i < 5; i++) {
        struct impact_state venue[VENUES];
        sell_on_three_venues(&measured, venue);
        impact_arbitrage(venue, venue_share, VENUES, half_life[i], CALENDAR_SECOND_MS);
        assert_true(venue_log(&measured, venue, 0) > home);
        assert_true(venue_log(&measured, venue, 1) < away);
        home = venue_log(&measured, venue, 0);
        away = venue_log(&measured, venue, 1);
    }
}

static void laws_are_listed_in_the_order_of_their_kinds(void **state)
{
    static const char *const names[] = {"none", "linear", "square_root", "power"};
    assert_int_equal(impact_model_count, 4);
    for (int i = 0; i < impact_model_count; i++) {
        assert_int_equal(impact_models[i].kind, i);
        assert_string_equal(impact_models[i].name, names[i]);
        assert_true(impact_find(names[i]) == &impact_models[i]);
        assert_true(impact_models[i].documentation && impact_models[i].source);
    }
    assert_null(impact_find("cubic"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_165_btc_move_the_price_by_9_basis_points),
        cmocka_unit_test(a_book_of_half_the_depth_moves_like_twice_the_flow),
        cmocka_unit_test(no_flow_no_impact),
        cmocka_unit_test(without_an_impact_model_no_flow_moves_the_price),
        cmocka_unit_test(a_flow_moves_the_price_the_same_however_it_is_split),
        cmocka_unit_test(flow_halves_in_a_half_life_and_in_pieces_of_it),
        cmocka_unit_test(impact_decays_by_its_exponent),
        cmocka_unit_test(without_a_half_life_nothing_decays),
        cmocka_unit_test(the_permanent_part_outlives_the_flow),
        cmocka_unit_test(a_wholly_permanent_linear_impact_is_additive),
        cmocka_unit_test(depth_at_the_time_of_the_flow_sets_its_permanent_part),
        cmocka_unit_test(named_laws_are_powers_of_their_exponent),
        cmocka_unit_test(buys_and_sells_cancel),
        cmocka_unit_test(instant_arbitrage_gives_every_venue_the_price_of_the_pooled_flow),
        cmocka_unit_test(without_arbitrage_a_fall_stays_at_home),
        cmocka_unit_test(arbitrage_moves_inventory_and_makes_none),
        cmocka_unit_test(distances_between_venues_halve_in_a_half_life),
        cmocka_unit_test(faster_arbitrage_spreads_more_of_a_fall),
        cmocka_unit_test(laws_are_listed_in_the_order_of_their_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
