/* The shipped venue files: each fills a venue of a scenario with what its venue publishes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/paths.h"
#include "scenarios/schema.h"
#include "tests/scenarios/scratch.h"

static const char *const files[] = {"binance", "binance_coinm", "bybit",       "bybit_inverse",
                                    "okx",     "bitmex",        "hyperliquid", "deribit"};

static void load(struct scenario *scenario, const char *venues)
{
    char text[2048];
    snprintf(text, sizeof text, "%s%s", scratch_good, venues);
    scratch_load_good(scenario, text);
}

static void load_one(struct scenario *scenario, const char *rules)
{
    char venues[128];
    snprintf(venues, sizeof venues, "venues: [{name: x, oi_share: 1.0, rules: %s}]\n", rules);
    load(scenario, venues);
}

static const char *word(const char *key, int choice)
{
    return schema_find(&schema_venue, key, 0)->field.choices[choice];
}

struct rules {
    const char *rules, *margin, *liquidation, *adl;
    double drawdown;
};

static void each_file_says_how_its_venue_margins_liquidates_and_deleverages(void **state)
{
    static const struct rules expected[] = {
        {"binance", "linear_mark", "full", "none", 1.0},
        {"binance_coinm", "inverse_mark", "full", "pnl_leverage", 1.0},
        {"bybit", "linear_mark", "brackets", "pnl_leverage", 0.3},
        {"bybit_inverse", "inverse_mark", "brackets", "pnl_leverage", 1.0},
        {"okx", "linear_fee", "brackets", "pnl_margin_ratio", 0.3},
        {"hyperliquid", "hyperliquid", "share", "hyperliquid", 0.0},
        {"bitmex", "inverse_entry", "brackets", "pnl_leverage", 1.0},
        {"deribit", "inverse_mark", "incremental", "pro_rata", 1.0},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct scenario scenario;
        load_one(&scenario, expected[i].rules);
        const struct scenario_venue *venue = &scenario.venues[0];
        assert_string_equal(word("margin", venue->margin), expected[i].margin);
        assert_string_equal(word("liquidation", venue->liquidation), expected[i].liquidation);
        assert_string_equal(word("adl", venue->adl), expected[i].adl);
        assert_true(venue->adl_drawdown == expected[i].drawdown);
        assert_null(venue->brackets); /* the tables are named as the rules */
        scenario_free(&scenario);
    }
}

/* Hyperliquid docs, "Liquidations": 20 % above 100k USDC, for 30 s after it the whole, taken over
   below 2/3 of maintenance margin; no clearance fee. */
static void hyperliquid_sends_a_fifth_of_large_positions(void **state)
{
    struct scenario scenario;
    load_one(&scenario, "hyperliquid");
    const struct scenario_venue *venue = &scenario.venues[0];
    assert_true(venue->partial_share == 0.2 && venue->partial_above_usd == 100000.0);
    assert_int_equal(venue->partial_cooldown_ms, 30000);
    assert_int_equal(venue->partial_pause_ms, 0);
    assert_true(fabs(venue->backstop_share - 2.0 / 3.0) < 1e-4);
    assert_true(venue->fee_rate == 0.0);
    scenario_free(&scenario);
}

/* OKX drops two tiers an order, BitMEX and Bybit one. */
static void the_tiers_that_an_order_drops(void **state)
{
    static const char *const rules[] = {"okx", "bitmex", "bybit", "bybit_inverse"};
    for (size_t i = 0; i < 4; i++) {
        struct scenario scenario;
        load_one(&scenario, rules[i]);
        assert_int_equal(scenario.venues[0].partial_brackets, i == 0 ? 2 : 1);
        scenario_free(&scenario);
    }
}

static void cme_is_by_hand_beside_a_venue_that_liquidates(void **state)
{
    struct scenario scenario;
    load(&scenario, "venues: [{name: a, oi_share: 0.8, rules: okx},\n"
                    "         {name: b, oi_share: 0.2, rules: cme}]\n");
    assert_string_equal(word("liquidation", scenario.venues[1].liquidation), "none");
    scenario_free(&scenario);
}

static void what_a_scenario_says_stands_before_the_file(void **state)
{
    struct scenario scenario;
    load(&scenario, "venues: [{name: x, oi_share: 1.0, rules: okx, margin: linear_entry}]\n");
    assert_string_equal(word("margin", scenario.venues[0].margin), "linear_entry");
    assert_string_equal(word("liquidation", scenario.venues[0].liquidation), "brackets");
    scenario_free(&scenario);
}

/* Every key of every file is followed by where it is from. */
static void every_line_names_its_source(void **state)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char relative[64], path[PATHS_SIZE], line[512];
        struct error err = {0};
        snprintf(relative, sizeof relative, "scenarios/venues/%s.yaml", files[i]);
        assert_int_equal(paths_shipped(relative, path, &err), ERROR_NONE);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        int keys = 0;
        while (fgets(line, sizeof line, file) != NULL) {
            const char *comment = strchr(line, '#');
            if (comment == line || line[0] == '\n')
                continue;
            keys++;
            if (comment == NULL || strlen(comment) < 10)
                fail_msg("%s: no source in `%s`", relative, line);
        }
        fclose(file);
        assert_true(keys >= 3);
    }
}

static int tidy(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_says_how_its_venue_margins_liquidates_and_deleverages),
        cmocka_unit_test(hyperliquid_sends_a_fifth_of_large_positions),
        cmocka_unit_test(the_tiers_that_an_order_drops),
        cmocka_unit_test(cme_is_by_hand_beside_a_venue_that_liquidates),
        cmocka_unit_test(what_a_scenario_says_stands_before_the_file),
        cmocka_unit_test(every_line_names_its_source),
    };
    return cmocka_run_group_tests(tests, NULL, tidy);
}
