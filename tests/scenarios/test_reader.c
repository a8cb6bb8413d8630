#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/reader.h"
#include "tests/scenarios/scratch.h"

#define OI "  oi: {source: builtin:btc-2025-autumn, unit: usd}\n"
#define PRICE "  price: {source: builtin:btc-2025-autumn}\n"

static const struct scratch_bad bad_files[] = {
    {"an unknown key suggests the nearest of its group", "gamma: 0.76", "gama: 0.76", "gama",
     "impact.gama", "unknown key; did you mean impact.gamma?"},
    {"an unknown key that begins another suggests it", NULL, "book: {turnover: 0.1}\n", "turnover",
     "book.turnover", "did you mean book.turnover_per_hour?"},
    {"an unknown key that stands elsewhere suggests that place", NULL, "tail_share: 0.1\n",
     "tail_share", "tail_share", "did you mean book.leverage.tail_share?"},
    {"an unknown key like no other lists what there is", NULL, "weather: {wind: west}\n", "weather",
     "weather", "unknown key; expected one of format, extends, title"},
    {"an unknown key in a source", PRICE,
     "  price: {source: builtin:btc-2025-autumn, unti: coins}\n", "unti", "data.price.unti",
     "unknown key"},
    {"a unit for an input that has none", PRICE,
     "  price: {source: builtin:btc-2025-autumn, unit: coins}\n", "unit: coins", "data.price.unit",
     "unknown key"},
    {"a duration without its unit", "20m", "20", "20}", "impact.half_life",
     "'20' is not a duration; expected a duration such as 20m"},
    {"a wrong unit of open interest", "unit: usd", "unit: fraction", "fraction", "data.oi.unit",
     "expected one of coins, usd, contracts"},
    {"a number with letters behind it", "0.76", "1.0xyz", "1.0xyz", "impact.gamma",
     "'1.0xyz' is not a number"},
    {"a number with underscores", NULL, "book: {positions_per_bar: 50_000}\n", "50_000",
     "book.positions_per_bar", "is not a whole number"},
    {"a number out of bounds", "0.76", "50", "50,", "impact.gamma",
     "out of bounds; expected a number from 0.05 to 5"},
    {"a list where a number is expected", "0.76", "[0.76]", "[0.76]", "impact.gamma",
     "a list is not one value; expected a number"},
    {"a number where a group is expected", NULL, "book: 3\n", "3\n", "book",
     "'3' is not a mapping; expected the keys positions_from"},
    {"a format of another version", "format: 1", "format: 2", "2\ntitle", "format",
     "expected a whole number that is 1"},
    {"a required key that is missing", "symbol: BTCUSDT\n", "", "format", "symbol", "is required"},
    {"a required time that is missing", "  end: 2025-10-11T02:00Z\n", "", "warmup", "time.end",
     "is required; expected a time such as"},
    {"no price", PRICE, "", "oi:", "data.price", "is required"},
    {"a price of null", "{source: builtin:btc-2025-autumn}\n", "null\n", "null", "data.price",
     "null does not fit"},
    {"a source that names nothing", "{source: builtin:btc-2025-autumn}\n", "{format: canonical}\n",
     "{format", "data.price", "says not where the data are"},
    {"a source and a path", "{source: builtin:btc-2025-autumn}\n",
     "{source: builtin:btc-2025-autumn, path: a.csv}\n", "a.csv", "data.price",
     "expected only one of them"},
    {"a path in the place of a shipped series", "{source: builtin:btc-2025-autumn}\n",
     "{source: a.csv}\n", "a.csv", "data.price.source", "expected builtin:NAME"},
    {"a format for a shipped series", "{source: builtin:btc-2025-autumn}\n",
     "{source: builtin:btc-2025-autumn, format: generic}\n", "generic", "data.price",
     "expected it only with path"},
    {"columns without the generic format", OI, "  oi: {path: a.csv, columns: {oi: 2}}\n", "{oi: 2",
     "data.oi", "only with format: generic"},
    {"a generic file without its time", OI,
     "  oi: {path: a.csv, format: generic, columns: {oi: 2}}\n", "{path", "data.oi",
     "needs time.column and time.as"},
    {"a generic file without columns", OI,
     "  oi: {path: a.csv, format: generic, time: {column: 1, as: iso}}\n", "{path", "data.oi",
     "needs columns"},
    {"a time in no format", OI,
     "  oi: {path: a.csv, format: generic, time: {column: 1, as: seconds}, columns: {oi: 2}}\n",
     "seconds", "data.oi", "is no format of time"},
    {"a column for no field", OI,
     "  oi: {path: a.csv, format: generic, time: {column: 1, as: iso}, columns: {opne: 2}}\n",
     "opne", "data.oi.columns", "did you mean open?"},
    {"a column number of zero", OI,
     "  oi: {path: a.csv, format: generic, time: {column: 1, as: iso}, columns: {oi: 0}}\n", "0}}",
     "data.oi.columns", "expected an index from 1"},
    {"the same field in two columns", OI,
     "  oi: {path: a.csv, format: generic, time: {column: 1, as: iso}, columns: {oi: 2, oi_close: "
     "5}}\n",
     "5}}", "data.oi.columns", "names the field oi_close twice"},
    {"a zone that is a place", OI,
     "  oi: {path: a.csv, format: generic, time: {column: 1, as: iso, zone: Paris}, columns: {oi: "
     "2}}\n",
     "Paris", "data.oi.time.zone", "expected an offset from UTC"},
    {"a filter that holds a list", OI, "  oi: {path: a.csv, filters: {coin: [BTC]}}\n", "[BTC]",
     "data.oi.filters", "a list is not what a column can hold"},
    {"venues that are no list", NULL, "venues: binance\n", "binance", "venues",
     "expected a list such as"},
    {"a venue without a share", NULL, "venues: [{name: a}]\n", "{name", "venues[0].oi_share",
     "is required"},
    {"a key that venues do not have", NULL, "venues: [{name: a, oi_share: 1, depth_part: 1}]\n",
     "depth_part", "venues[0].depth_part", "unknown key"},
    {"a point of a bridge without a price", NULL, "path: {points: [{at: 2025-10-10T21:00Z}]}\n",
     "{at: 2025", "path.points[0].price", "is required"},
    {"no venue at all", NULL, "venues: []\n", "[]", "venues", "has 0 items; expected from 1 to 16"},
    {"a tier without a weight", NULL, "book: {leverage: {model: tiers, tiers: [{leverage: 5}]}}\n",
     "{leverage: 5}", "book.leverage.tiers[0].weight", "is required"},
    {"a range of one number", NULL, "book: {hedged_leverage: [1]}\n", "[1]", "book.hedged_leverage",
     "expected a list [low, high]"},
    {"a range that falls", NULL, "book: {hedged_leverage: [3, 1]}\n", "[3, 1]",
     "book.hedged_leverage", "falls"},
    {"a range out of bounds", NULL, "book: {hedged_leverage: [0.5, 1]}\n", "0.5",
     "book.hedged_leverage", "out of bounds"},
    {"a level of nothing", NULL, "oi: {levels_usd: [60e9, 0]}\n", "0]", "oi.levels_usd",
     "expected a number above 0"},
    {"a level that is no list", NULL, "oi: {levels_usd: 60e9}\n", "60e9", "oi.levels_usd",
     "expected a list such as"},
    {"a result that does not exist", NULL, "output: [sumary]\n", "sumary", "output",
     "did you mean summary?"},
    {"a result named twice", NULL, "output: [steps, summary, steps]\n", "steps]", "output",
     "names steps twice"},
    {"a policy that the flaw does not take", "data:\n", "data:\n  on: {repeat: carry}\n", "carry",
     "data.on.repeat", "expected one of error, drop"},
    {"a duplicate key", "title: a test\n", "title: a test\ntitle: again\n", "title: again", "title",
     "duplicate key"},
};

static void each_bad_file_gives_one_error_at_its_place(void **state)
{
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++)
        scratch_expect(&bad_files[i]);
}

static void all_errors_come_at_once_in_the_order_of_the_file(void **state)
{
    struct scenario scenario;
    struct error_list errors = {0};
    const char *text = "format: 1\n"
                       "symbol: BTCUSDT\n"
                       "time: {start: 2025-10-10, end: 2025-10-09, setp: 1m}\n"
                       "data:\n"
                       "  price: {source: btc}\n"
                       "impact: {gamma: one, half_life: 20}\n"
                       "feedback: open\n";
    static const char *const keys[] = {"time.end",          "time.setp",    "data.oi",
                                       "data.price.source", "impact.gamma", "impact.half_life"};
    assert_int_equal(scratch_load(&scenario, text, &errors), ERROR_SCENARIO);
    scratch_print(&errors);
    assert_int_equal(errors.count, 6);
    for (size_t i = 0; i < errors.count; i++) {
        bool found = false;
        for (size_t k = 0; k < 6; k++)
            found = found || strcmp(errors.items[i].key, keys[k]) == 0;
        assert_true(found);
        if (i > 0)
            assert_true(errors.items[i].line >= errors.items[i - 1].line);
    }
    error_list_free(&errors);
}

static void a_file_of_nothing_but_errors_is_cut_short(void **state)
{
    static char text[64 * 1024];
    struct scenario scenario;
    struct error_list errors = {0};
    size_t used = 0;
    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "unknown_%d: 1\n", i);
    assert_int_equal(scratch_load(&scenario, text, &errors), ERROR_SCENARIO);
    assert_int_equal(errors.count, READER_ERRORS_MAX + 1);
    bool told = false;
    for (size_t i = 0; i < errors.count; i++)
        told = told || strstr(errors.items[i].message, "more errors") != NULL;
    assert_true(told);
    error_list_free(&errors);
}

static void an_empty_group_is_a_group_of_defaults(void **state)
{
    struct scenario scenario;
    char *text = scratch_replace(scratch_good, "impact: {gamma: 0.76, half_life: 20m}\n",
                                 "impact:\n  # nothing yet\nbook:\n  leverage: {}\n");
    scratch_load_good(&scenario, text);
    assert_true(scenario.impact.gamma == 0.76);
    scenario_free(&scenario);
    free(text);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_file_gives_one_error_at_its_place),
        cmocka_unit_test(all_errors_come_at_once_in_the_order_of_the_file),
        cmocka_unit_test(a_file_of_nothing_but_errors_is_cut_short),
        cmocka_unit_test(an_empty_group_is_a_group_of_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
