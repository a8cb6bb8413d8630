/* ADL rankings: worked examples, and an order that rises with profit and with leverage. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "models/adl.h"
#include "tests/support/near.h"

#define CANDIDATES 5000

/* A position entered at `entry_price` and marked at 100, with what is left of its margin given as
   effective leverage; maintenance margin 0.5 %. */
static struct adl_candidate position(int side, double entry_price, double effective_leverage)
{
    return (struct adl_candidate){.side = side,
                                  .entry_price = entry_price,
                                  .price = 100.0,
                                  .equity_share = 1.0 / effective_leverage,
                                  .maintenance_share = 0.005};
}

static double score(const char *ranking, struct adl_candidate candidate)
{
    return adl_find(ranking)->score(&candidate);
}

/* A long from 80 has 25 %, a short from 125 has 20 %; a long from 125 has lost 20 %. */
static void profit_is_multiplied_by_leverage_and_loss_divided(void **state)
{
    assert_near(score("pnl_leverage", position(1, 80, 5)), 1.25, 1e-15);
    assert_near(score("pnl_leverage", position(-1, 125, 10)), 2.0, 1e-15);
    assert_near(score("pnl_leverage", position(1, 125, 10)), -0.02, 1e-15);
}

/* Three shorts: ahead on leverage .10 * 20 = 2.0, on profit .16 * 10 = 1.6, on neither
   .05 * 25 = 1.25; a short that gains g of its entry at 100 came from 100 / (1 - g). */
static void the_product_decides_between_profit_and_leverage(void **state)
{
    double levered = score("pnl_leverage", position(-1, 100 / 0.90, 20));
    double profitable = score("pnl_leverage", position(-1, 100 / 0.84, 10));
    double small = score("pnl_leverage", position(-1, 100 / 0.95, 25));
    assert_near(levered, 2.0, 1e-12);
    assert_near(profitable, 1.6, 1e-12);
    assert_near(small, 1.25, 1e-12);
}

/* 20 % of profit at a margin ratio of .1/.005 = 20: 0.01. A loss of 20 % there: -4. */
static void a_thin_margin_ratio_comes_first(void **state)
{
    assert_near(score("pnl_margin_ratio", position(-1, 125, 10)), 0.01, 1e-15);
    assert_near(score("pnl_margin_ratio", position(1, 125, 10)), -4.0, 1e-12);
    struct adl_candidate large = position(-1, 125, 10);
    large.maintenance_share = 0.025;
    assert_near(score("pnl_margin_ratio", large), 0.05, 1e-15);
    assert_near(score("pnl_leverage", large), score("pnl_leverage", position(-1, 125, 10)), 0.0);
}

/* Mark over entry is 1.25 either way; notional over account value 8. */
static void hyperliquid_multiplies_the_price_ratio_by_leverage(void **state)
{
    assert_near(score("hyperliquid", position(1, 80, 8)), 10.0, 1e-13);
    assert_near(score("hyperliquid", position(-1, 125, 8)), 10.0, 1e-13);
}

static void the_youngest_goes_first_by_lifo(void **state)
{
    struct adl_candidate old = position(1, 50, 100), young = position(1, 99, 1);
    old.opened_bar = 10;
    young.opened_bar = 11;
    assert_true(score("lifo", young) > score("lifo", old));
}

static struct adl_candidate random_candidate(uint32_t i)
{
    struct random_stream stream = random_stream_make(20251010, 0, "test.adl");
    struct random_block block = random_block_at(&stream, 0, i);
    int side = block.word[0] & 1 ? 1 : -1;
    double entry = 100.0 * exp(1.2 * (random_uniform(block.word[1]) - 0.5));
    return position(side, entry, pow(100.0, random_uniform(block.word[2])));
}

/* Who has gained more, all else alike, is never behind. */
static void rankings_rise_with_profit(void **state)
{
    static const char *const names[] = {"pnl_leverage", "pnl_margin_ratio", "hyperliquid"};
    for (size_t r = 0; r < 3; r++)
        for (uint32_t i = 0; i < CANDIDATES; i++) {
            struct adl_candidate less = random_candidate(i), more = less;
            more.entry_price *= more.side > 0 ? 0.99 : 1.01;
            assert_true(score(names[r], more) > score(names[r], less));
        }
}

/* All else alike the more levered goes first, ahead or behind: a loss is divided by leverage. */
static void rankings_rise_with_leverage(void **state)
{
    static const char *const names[] = {"pnl_leverage", "pnl_margin_ratio", "hyperliquid"};
    for (size_t r = 0; r < 3; r++)
        for (uint32_t i = 0; i < CANDIDATES; i++) {
            struct adl_candidate less = random_candidate(i), more = less;
            more.equity_share /= 1.1;
            assert_true(score(names[r], more) > score(names[r], less));
        }
}

static void every_winner_is_ahead_of_every_loser(void **state)
{
    static const char *const names[] = {"pnl_leverage", "pnl_margin_ratio"};
    int winners = 0;
    for (size_t r = 0; r < 2; r++)
        for (uint32_t i = 0; i < CANDIDATES; i++) {
            struct adl_candidate c = random_candidate(i);
            bool wins = c.side > 0 ? c.price > c.entry_price : c.price < c.entry_price;
            assert_true(wins ? score(names[r], c) > 0.0 : score(names[r], c) < 0.0);
            winners += wins;
        }
    assert_true(winners > CANDIDATES / 2 && winners < 2 * CANDIDATES);
}

static void rankings_are_found_by_name(void **state)
{
    static const char *const names[] = {"pnl_leverage", "pnl_margin_ratio", "hyperliquid",
                                        "pro_rata", "lifo"};
    assert_int_equal(adl_ranking_count, 5);
    for (int i = 0; i < adl_ranking_count; i++) {
        assert_true(adl_find(names[i]) == &adl_rankings[i]);
        assert_true(adl_rankings[i].documentation && adl_rankings[i].source);
    }
    assert_null(adl_find("none"));
    assert_null(adl_find("pro_rata")->score);
    assert_true(adl_find("pro_rata")->winners_only && adl_find("hyperliquid")->winners_only);
    assert_false(adl_find("pnl_leverage")->winners_only);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profit_is_multiplied_by_leverage_and_loss_divided),
        cmocka_unit_test(the_product_decides_between_profit_and_leverage),
        cmocka_unit_test(a_thin_margin_ratio_comes_first),
        cmocka_unit_test(hyperliquid_multiplies_the_price_ratio_by_leverage),
        cmocka_unit_test(the_youngest_goes_first_by_lifo),
        cmocka_unit_test(rankings_rise_with_profit),
        cmocka_unit_test(rankings_rise_with_leverage),
        cmocka_unit_test(every_winner_is_ahead_of_every_loser),
        cmocka_unit_test(rankings_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
