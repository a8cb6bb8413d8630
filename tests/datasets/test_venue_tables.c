/*
 * Dated bracket tables: the shipped ones are those the venue published, and a broken file is told
 * with its line and column.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "datasets/venue_tables.h"

static int64_t at(const char *date)
{
    int64_t time_ms = 0;
    assert_true(calendar_parse_iso(date, strlen(date), &time_ms));
    return time_ms;
}

static void shipped(struct venue_tables *tables, const char *symbol)
{
    struct error err = {0};
    if (venue_tables_read(tables, "binance", symbol, &err) != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
}

/* --- the shipped tables --- */

struct published {
    double cap_musd, leverage, rate, cum_usd;
};

static void assert_table(const struct venue_table *table, const struct published *rows, int count)
{
    assert_int_equal(table->count, count);
    for (int i = 0; i < count; i++) {
        assert_true(table->cap[i] == rows[i].cap_musd * 1e6);
        assert_true(table->max_leverage[i] == rows[i].leverage);
        assert_true(table->rate[i] == rows[i].rate);
        assert_true(table->cum[i] == rows[i].cum_usd);
    }
}

static void btc_brackets_of_october_2025_are_the_published_ones(void **state)
{
    static const struct published rows[] = {
        {0.3, 150, 0.004, 0},     {0.8, 100, 0.005, 300},     {3, 75, 0.0065, 1500},
        {12, 50, 0.01, 12000},    {70, 25, 0.02, 132000},     {100, 20, 0.025, 482000},
        {230, 10, 0.05, 2.982e6}, {480, 5, 0.1, 14.482e6},    {600, 4, 0.125, 26.482e6},
        {800, 3, 0.15, 41.482e6}, {1200, 2, 0.25, 121.482e6}, {1800, 1, 0.5, 421.482e6},
    };
    struct venue_tables tables;
    shipped(&tables, "BTCUSDT");
    assert_table(venue_tables_at(&tables, at("2025-10-10T21:15Z")), rows, 12);
    venue_tables_free(&tables);
}

static void eth_brackets_of_october_2025_are_the_published_ones(void **state)
{
    static const struct published rows[] = {
        {0.3, 150, 0.004, 0},     {0.8, 100, 0.005, 300},   {3, 75, 0.0065, 1500},
        {12, 50, 0.01, 12000},    {50, 25, 0.02, 132000},   {65, 20, 0.025, 382000},
        {150, 10, 0.05, 2.007e6}, {320, 5, 0.1, 9.507e6},   {400, 4, 0.125, 17.507e6},
        {530, 3, 0.15, 27.507e6}, {800, 2, 0.25, 80.507e6}, {1200, 1, 0.5, 280.507e6},
    };
    struct venue_tables tables;
    shipped(&tables, "ETHUSDT");
    assert_table(venue_tables_at(&tables, at("2025-10-10T21:15Z")), rows, 12);
    venue_tables_free(&tables);
}

/* The crash of August 2024 ran under smaller first tiers at 125x, every cum 550 lower above. */
static void august_2024_had_smaller_first_tiers(void **state)
{
    static const struct published first[] = {
        {0.05, 125, 0.004, 0}, {0.6, 100, 0.005, 50}, {3, 75, 0.0065, 950}, {12, 50, 0.01, 11450}};
    const char *const symbols[] = {"BTCUSDT", "ETHUSDT"};
    for (size_t s = 0; s < 2; s++) {
        struct venue_tables tables;
        shipped(&tables, symbols[s]);
        struct venue_table old = *venue_tables_at(&tables, at("2024-08-05T06:00Z"));
        struct venue_table new = *venue_tables_at(&tables, at("2025-10-10"));
        assert_int_equal(old.count, new.count);
        for (int i = 4; i < new.count; i++) {
            assert_true(old.cap[i] == new.cap[i]);
            assert_true(old.cum[i] == new.cum[i] - 550.0);
        }
        old.count = 4;
        assert_table(&old, first, 4);
        venue_tables_free(&tables);
    }
}

/* After the failure of FTX the leverage of large positions was cut by half for three months. */
static void november_2022_halved_the_leverage_of_large_positions(void **state)
{
    struct venue_tables tables;
    shipped(&tables, "BTCUSDT");
    const struct venue_table *before = venue_tables_at(&tables, at("2022-11-08"));
    const struct venue_table *during = venue_tables_at(&tables, at("2022-12-01"));
    const struct venue_table *after = venue_tables_at(&tables, at("2023-03-01"));
    assert_true(before->max_leverage[2] == 50.0 && before->max_leverage[3] == 20.0);
    assert_true(during->max_leverage[2] == 25.0 && during->max_leverage[3] == 15.0);
    assert_true(after->max_leverage[2] == 50.0 && after->max_leverage[3] == 20.0);
    assert_true(isinf(before->cap[9]));
    venue_tables_free(&tables);
}

/* A market is named by its linear contract, whatever the venue's contract is margined in. */
static void a_market_finds_the_coin_margined_contract_of_its_coin(void **state)
{
    static const char *const venues[] = {"binance_coinm", "bybit_inverse", "bitmex", "deribit"};
    for (size_t i = 0; i < sizeof venues / sizeof *venues; i++) {
        struct venue_tables tables;
        struct error err = {0};
        if (venue_tables_read(&tables, venues[i], "BTCUSDT", &err) != ERROR_NONE)
            fail_msg("%s: %s", venues[i], err.message);
        assert_string_equal(tables.symbol, "BTCUSD");
        assert_true(tables.tables[0].in_coins);
        venue_tables_free(&tables);
    }
    struct venue_tables linear;
    shipped(&linear, "ETHUSDT");
    assert_string_equal(linear.symbol, "ETHUSDT");
    venue_tables_free(&linear);
}

static void a_table_is_in_force_from_its_first_millisecond(void **state)
{
    struct venue_tables tables;
    shipped(&tables, "BTCUSDT");
    int64_t change = at("2025-08-21"), before = at("2025-06-19");
    assert_int_equal(tables.count, 10);
    assert_true(venue_tables_at(&tables, change)->max_leverage[0] == 150.0);
    assert_true(venue_tables_at(&tables, change - 1)->max_leverage[0] == 125.0);
    assert_true(venue_tables_at(&tables, change - 1)->cap[0] == 300000.0);
    assert_true(venue_tables_at(&tables, before - 1)->cap[0] == 50000.0);
    assert_true(venue_tables_at(&tables, at("2020-03-12")) == &tables.tables[0]);
    assert_true(venue_tables_at(&tables, INT64_MAX)->max_leverage[0] == 150.0);
    venue_tables_free(&tables);
}

static void the_input_is_recorded_and_each_table_has_a_source(void **state)
{
    struct venue_tables tables;
    shipped(&tables, "ETHUSDT");
    /* Before May 2024 10 brackets, 7 dates of BTC and 8 of ETH (once 11); then 2 symbols, 3 dates
       of 12. */
    assert_int_equal(tables.input.rows, 7 * 10 + 7 * 10 + 11 + 72);
    assert_int_equal(strlen(tables.input.sha256), 64);
    assert_non_null(strstr(tables.input.path, "datasets/venues/binance.csv"));
    for (size_t i = 0; i < tables.count; i++)
        assert_non_null(strstr(tables.tables[i].source, "Binance"));
    venue_tables_free(&tables);
}

/* --- the venue's own table of 2026, where the file is at hand --- */

static void read_text(char **text, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    *text = calloc(1, 1 << 20);
    assert_true(fread(*text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
}

static double number_after(const char **cursor, const char *key)
{
    const char *found = strstr(*cursor, key);
    if (found == NULL)
        return -1.0;
    *cursor = found + strlen(key);
    return strtod(*cursor, NULL);
}

static void the_venues_table_of_2026_agrees_with_the_shipped_one(void **state)
{
    const char *given = getenv("LIQCASCADE_TEST_DATA");
    char path[512], *text = NULL;
    snprintf(path, sizeof path, "%s/venues/binance-leverage-tiers-2026-08.json",
             given != NULL ? given : LIQCASCADE_SOURCE_DIR "/../shared/data");
    read_text(&text, path);
    if (text == NULL) {
        printf("skipped: no test data (LIQCASCADE_TEST_DATA)\n");
        skip();
    }
    struct venue_tables tables;
    shipped(&tables, "BTCUSDT");
    const struct venue_table *table = venue_tables_at(&tables, at("2026-08-01"));
    const char *cursor = strstr(text, "\"BTC/USDT:USDT\"");
    assert_non_null(cursor);
    for (int i = 0; i < table->count; i++) {
        assert_true(number_after(&cursor, "\"bracket\":") == i + 1);
        assert_true(number_after(&cursor, "\"initialLeverage\":") == table->max_leverage[i]);
        assert_true(number_after(&cursor, "\"notionalCap\":") == table->cap[i]);
        assert_true(number_after(&cursor, "\"maintMarginRatio\":") == table->rate[i]);
        assert_true(number_after(&cursor, "\"cum\":") == table->cum[i]);
    }
    free(text);
    venue_tables_free(&tables);
}

/* --- broken files --- */

static char share[64];

/* A share directory whose venues/test.csv holds `rows` below the header. */
static void make_share(const char *rows)
{
    char path[128];
    snprintf(share, sizeof share, "/tmp/liqcascade-venues-XXXXXX");
    assert_non_null(mkdtemp(share));
    snprintf(path, sizeof path, "%s/datasets", share);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/datasets/venues", share);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/datasets/venues/test.csv", share);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "symbol,valid_from,unit,scheme,bracket,cap,max_leverage,"
            "maintenance_margin_rate,cum,source\n%s",
            rows);
    fclose(file);
    setenv("LIQCASCADE_SHARE", share, 1);
}

static void remove_share(void)
{
    char command[96];
    unsetenv("LIQCASCADE_SHARE");
    snprintf(command, sizeof command, "rm -rf %s", share);
    assert_int_equal(system(command), 0);
}

static void a_wrong_row_is_told_with_line_and_column(void **state)
{
    static const struct {
        const char *rows, *key;
        long line;
    } cases[] = {
        {"X,2025-01-01,usd,marginal,1,100,10,0.01,0,s\nX,2025-01-01,usd,marginal,3,200,5,0.02,1,"
         "s\n",
         "bracket", 3},
        {"X,2025-01-01,usd,marginal,2,100,10,0.01,0,s\n", "bracket", 2},
        {"X,2025-01-01,usd,marginal,1,100,10,0.01,0,s\nX,2025-01-01,usd,marginal,2,100,5,0.02,1,"
         "s\n",
         "cap", 3},
        {"X,2025-01-01,usd,marginal,1,100,10,0.01,0,s\nX,2025-01-01,usd,marginal,2,200,11,0.02,1,"
         "s\n",
         "max_leverage", 3},
        {"X,2025-01-01,usd,marginal,1,100,10,0.02,0,s\nX,2025-01-01,usd,marginal,2,200,5,0.01,1,"
         "s\n",
         "maintenance_margin_rate", 3},
        {"X,2025-01-01,usd,marginal,1,100,0.5,0.01,0,s\n", "max_leverage", 2},
        {"X,2025-01-01,usd,marginal,1,100,10,1.5,0,s\n", "maintenance_margin_rate", 2},
        {"X,2025-01-01,usd,marginal,1,100,10,0.01,-1,s\n", "cum", 2},
        {"X,2025-01-01,usd,marginal,1,,10,0.01,0,s\nX,2025-01-01,usd,marginal,2,100,5,0.02,1,s\n",
         "cap", 3},
        {"X,2025-01-01,eur,marginal,1,100,10,0.01,0,s\n", "unit", 2},
        {"X,2025-01-01,usd,,1,100,10,0.01,0,s\n", "scheme", 2},
        {"X,2025-01-01,usd,whole,1,100,10,0.01,0,s\nX,2025-01-01,coins,whole,2,200,5,0.02,0,s\n",
         "unit", 3},
        {"X,2025-01-01,usd,whole,1,100,10,0.01,0,s\nX,2025-01-01,usd,marginal,2,200,5,0.02,1,s\n",
         "scheme", 3},
        {"X,2025-01-01,usd,whole,1,100,10,0.01,0,s\nX,2025-01-01,usd,whole,2,200,5,0.02,1,s\n",
         "cum", 3},
        {"X,2025-01-01,usd,marginal,1,nan,10,0.01,0,s\n", "cap", 2},
        {"X,2025-13-01,usd,marginal,1,100,10,0.01,0,s\n", "valid_from", 2},
        {"X,2025-02-01,usd,marginal,1,100,10,0.01,0,s\nX,2025-01-01,usd,marginal,1,100,10,0.01,0,"
         "s\n",
         "valid_from", 3},
        {"X,2025-01-01,usd,marginal,1,ten,10,0.01,0,s\n", "cap", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct venue_tables tables;
        struct error err = {0};
        make_share(cases[i].rows);
        assert_int_equal(venue_tables_read(&tables, "test", "X", &err), ERROR_DATA);
        remove_share();
        assert_int_equal(err.line, cases[i].line);
        assert_string_equal(err.key, cases[i].key);
        assert_true(strstr(err.message, "expected") != NULL ||
                    strstr(err.message, "is not a number") != NULL);
    }
}

static void unit_scheme_and_an_open_end_are_read(void **state)
{
    struct venue_tables tables;
    struct error err = {0};
    make_share("X,2025-01-01,coins,whole,1,200,100,0.005,0,s\n"
               "X,2025-01-01,coins,whole,2,,50,0.01,0,s\n"
               "X,2025-02-01,usd,marginal,1,100,10,0.01,0,s\n");
    assert_int_equal(venue_tables_read(&tables, "test", "X", &err), ERROR_NONE);
    remove_share();
    assert_int_equal(tables.count, 2);
    assert_true(tables.tables[0].in_coins && tables.tables[0].whole);
    assert_true(tables.tables[0].cap[0] == 200.0 && isinf(tables.tables[0].cap[1]));
    assert_false(tables.tables[1].in_coins || tables.tables[1].whole);
    venue_tables_free(&tables);
}

static void a_symbol_without_brackets_is_told_with_those_there_are(void **state)
{
    struct venue_tables tables;
    struct error err = {0};
    assert_int_equal(venue_tables_read(&tables, "binance", "BTCUSD", &err), ERROR_DATA);
    assert_non_null(strstr(err.message, "BTCUSDT, ETHUSDT"));
}

static void a_venue_that_is_not_there_or_no_name_is_refused(void **state)
{
    static const char *const venues[] = {"nowhere", "", "../venues/binance", "a b"};
    for (size_t i = 0; i < sizeof venues / sizeof *venues; i++) {
        struct venue_tables tables;
        struct error err = {0};
        assert_int_equal(venue_tables_read(&tables, venues[i], "BTCUSDT", &err), ERROR_DATA);
        assert_true(err.message[0] != '\0');
    }
}

/* Not every failure ends the reading: the CSV parser asks again for less. */
static void memory_that_runs_out_anywhere_is_told(void **state)
{
    long failures = 0;
    for (long n = 1; n <= 60; n++) {
        struct venue_tables tables;
        struct error err = {0};
        memory_fail_after(n);
        int status = venue_tables_read(&tables, "binance", "ETHUSDT", &err);
        memory_fail_after(0);
        if (status == ERROR_NONE) {
            venue_tables_free(&tables);
            continue;
        }
        assert_int_equal(status, ERROR_IO);
        failures++;
    }
    assert_in_range(failures, 10, 59); /* the last ones come after all allocations are made */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(btc_brackets_of_october_2025_are_the_published_ones),
        cmocka_unit_test(eth_brackets_of_october_2025_are_the_published_ones),
        cmocka_unit_test(august_2024_had_smaller_first_tiers),
        cmocka_unit_test(november_2022_halved_the_leverage_of_large_positions),
        cmocka_unit_test(a_market_finds_the_coin_margined_contract_of_its_coin),
        cmocka_unit_test(a_table_is_in_force_from_its_first_millisecond),
        cmocka_unit_test(the_input_is_recorded_and_each_table_has_a_source),
        cmocka_unit_test(the_venues_table_of_2026_agrees_with_the_shipped_one),
        cmocka_unit_test(a_wrong_row_is_told_with_line_and_column),
        cmocka_unit_test(unit_scheme_and_an_open_end_are_read),
        cmocka_unit_test(a_symbol_without_brackets_is_told_with_those_there_are),
        cmocka_unit_test(a_venue_that_is_not_there_or_no_name_is_refused),
        cmocka_unit_test(memory_that_runs_out_anywhere_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
