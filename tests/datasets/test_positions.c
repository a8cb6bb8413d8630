/*
 * Positions from a file: every row is a position or an error with its place.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/memory.h"
#include "datasets/positions.h"

static char path[64];

static void write_file(const void *bytes, size_t length)
{
    snprintf(path, sizeof path, "/tmp/liqcascade-positions-XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, length), (ssize_t)length);
    close(descriptor);
}

static int read_bytes(struct positions *positions, const void *bytes, size_t length,
                      struct error *err)
{
    write_file(bytes, length);
    int status = positions_read(positions, path, err);
    unlink(path);
    return status;
}

static int read_text(struct positions *positions, const char *text, struct error *err)
{
    return read_bytes(positions, text, strlen(text), err);
}

static const char book[] =
    "size_coins,side,venue,entry_price,leverage,margin,liquidation_price,note\n"
    "1.5,long,binance,120000,20,,,first\n"
    "2,short,hyperliquid,118000,,12000,,\"a, b\"\n"
    "0.25,long,binance,121000,,,115000.5,\n";

static void assert_book(const struct positions *positions)
{
    const struct position_row *rows = positions->rows;
    assert_int_equal(positions->count, 3);
    assert_int_equal(positions->venue_count, 2);
    assert_string_equal(positions->venues[0], "binance");
    assert_string_equal(positions->venues[1], "hyperliquid");
    assert_int_equal(rows[0].venue, 0);
    assert_int_equal(rows[1].venue, 1);
    assert_int_equal(rows[2].venue, 0);
    assert_int_equal(rows[0].side, 1);
    assert_int_equal(rows[1].side, -1);
    assert_true(rows[0].entry_price == 120000.0 && rows[0].size_coins == 1.5);
    assert_true(rows[0].leverage == 20.0 && isnan(rows[0].margin));
    assert_true(rows[1].margin == 12000.0 && isnan(rows[1].leverage));
    assert_true(rows[2].liquidation_price == 115000.5 && isnan(rows[2].margin));
    assert_int_equal(positions->input.rows, 3);
    assert_int_equal(strlen(positions->input.sha256), 64);
}

static void columns_are_found_by_name_in_any_order(void **state)
{
    struct positions positions;
    struct error err = {0};
    assert_int_equal(read_text(&positions, book, &err), ERROR_NONE);
    assert_book(&positions);
    assert_string_equal(positions.input.path, path);
    positions_free(&positions);
}

static void a_compressed_file_is_the_same_book(void **state)
{
    char packed[1024];
    struct positions positions;
    struct error err = {0};
    size_t length = ZSTD_compress(packed, sizeof packed, book, strlen(book), 3);
    assert_false(ZSTD_isError(length));
    assert_int_equal(read_bytes(&positions, packed, length, &err), ERROR_NONE);
    assert_book(&positions);
    positions_free(&positions);
}

#define HEADER "venue,side,entry_price,size_coins,leverage\n"

static void a_wrong_value_is_told_with_line_and_column_name(void **state)
{
    static const struct {
        const char *row, *key;
    } cases[] = {
        {"b,up,100,1,10\n", "side"},          {"b,LONG,100,1,10\n", "side"},
        {"b,long,0,1,10\n", "entry_price"},   {"b,long,-5,1,10\n", "entry_price"},
        {"b,long,nan,1,10\n", "entry_price"}, {"b,long,,1,10\n", "entry_price"},
        {"b,long,x,1,10\n", "entry_price"},   {"b,long,100,0,10\n", "size_coins"},
        {"b,long,100,-1,10\n", "size_coins"}, {"b,long,100,1,0\n", "leverage"},
        {"b,long,100,1,\n", "leverage"},      {",long,100,1,10\n", "venue"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        struct positions positions;
        struct error err = {0};
        snprintf(text, sizeof text, HEADER "b,long,100,1,10\n%s", cases[i].row);
        assert_int_equal(read_text(&positions, text, &err), ERROR_DATA);
        assert_string_equal(err.file, path);
        assert_int_equal(err.line, 3);
        assert_string_equal(err.key, cases[i].key);
        assert_true(strstr(err.message, "expected") != NULL ||
                    strstr(err.message, "is not a number") != NULL);
    }
}

#define CROSS "account,wallet_usd,venue,side,entry_price,size_coins,leverage,margin\n"

static void rows_of_an_account_share_its_venue_and_wallet(void **state)
{
    struct positions positions;
    struct error err = {0};
    assert_int_equal(read_text(&positions,
                               CROSS "ann,5000,b,long,100,1,,\n"
                                     ",,c,short,100,1,10,\n"
                                     "bob,,c,short,90,3,,\n"
                                     "ann,,b,short,120,2,,\n"
                                     "bob,700,c,long,95,2,,\n"
                                     "ann,5000,b,long,110,4,,\n",
                               &err),
                     ERROR_NONE);
    static const int account[] = {0, -1, 1, 0, 1, 0};
    assert_int_equal(positions.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(positions.rows[i].account, account[i]);
    assert_int_equal(positions.account_count, 2);
    assert_string_equal(positions.accounts[0].name, "ann");
    assert_string_equal(positions.accounts[1].name, "bob");
    assert_true(positions.accounts[0].wallet_usd == 5000.0);
    assert_true(positions.accounts[1].wallet_usd == 700.0);
    assert_int_equal(positions.accounts[0].venue, 0);
    assert_int_equal(positions.accounts[1].venue, 1);
    assert_int_equal(positions.accounts[1].line, 4);
    positions_free(&positions);
}

static void a_broken_account_is_told_with_line_and_column(void **state)
{
    static const struct {
        const char *rows, *key;
        long line, column;
    } cases[] = {
        {"a,10,b,long,100,1,,\na,,c,long,100,1,,\n", "venue", 3, 3},
        {"a,10,b,long,100,1,,\na,11,b,long,100,1,,\n", "wallet_usd", 3, 2},
        {"z,9,b,long,9,1,,\na,,b,long,100,1,,\na,,b,long,100,1,,\n", "wallet_usd", 3, 2},
        {"a,0,b,long,100,1,,\n", "wallet_usd", 2, 2},
        {"a,-1,b,long,100,1,,\n", "wallet_usd", 2, 2},
        {"a,10,b,long,100,1,10,\n", "leverage", 2, 7},
        {"a,10,b,long,100,1,,5\n", "margin", 2, 8},
        {",10,b,long,100,1,10,\n", "account", 2, 1},
        {",,b,long,100,1,,\n", "leverage", 2, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        struct positions positions;
        struct error err = {0};
        snprintf(text, sizeof text, CROSS "%s", cases[i].rows);
        assert_int_equal(read_text(&positions, text, &err), ERROR_DATA);
        assert_string_equal(err.file, path);
        assert_string_equal(err.key, cases[i].key);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.column, cases[i].column);
        assert_non_null(strstr(err.message, "expected"));
    }
}

/* More names than any table of them begins with, met again in another order. */
static void many_accounts_are_told_apart(void **state)
{
    enum { ACCOUNTS = 5000, ROW = 48 };
    char *text = malloc(2 * ACCOUNTS * ROW + 128);
    size_t length = (size_t)sprintf(text, CROSS);
    for (int i = 0; i < ACCOUNTS; i++)
        length += (size_t)sprintf(text + length, "n%d,%d,b,long,100,1,,\n", i, i + 1);
    for (int i = ACCOUNTS - 1; i >= 0; i--)
        length += (size_t)sprintf(text + length, "n%d,,b,short,100,1,,\n", i);
    struct positions positions;
    struct error err = {0};
    assert_int_equal(read_bytes(&positions, text, length, &err), ERROR_NONE);
    assert_int_equal(positions.account_count, ACCOUNTS);
    for (int i = 0; i < ACCOUNTS; i++) {
        assert_int_equal(positions.rows[i].account, i);
        assert_int_equal(positions.rows[ACCOUNTS + i].account, ACCOUNTS - 1 - i);
        assert_true(positions.accounts[i].wallet_usd == i + 1.0);
    }
    positions_free(&positions);
    free(text);
}

static void a_file_that_is_no_book_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        HEADER,
        "venue,side,entry_price,leverage\nb,long,100,10\n",
        HEADER "b,long,100,\"1,10\n",
        HEADER "b,long\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct positions positions;
        struct error err = {0};
        assert_int_equal(read_text(&positions, texts[i], &err), ERROR_DATA);
        assert_string_equal(err.file, path);
    }
}

static void rows_without_any_of_the_three_columns_are_refused(void **state)
{
    struct positions positions;
    struct error err = {0};
    assert_int_equal(
        read_text(&positions, "venue,side,entry_price,size_coins\nb,long,100,1\n", &err),
        ERROR_DATA);
    assert_non_null(strstr(err.message, "leverage, margin or liquidation_price"));
}

static void a_missing_file_is_an_input_error(void **state)
{
    struct positions positions;
    struct error err = {0};
    assert_int_equal(positions_read(&positions, "/nonexistent/book.csv", &err), ERROR_IO);
    assert_string_equal(err.file, "/nonexistent/book.csv");
}

/* Not every failure ends the reading: the CSV parser asks again for less. */
static void memory_that_runs_out_anywhere_is_told(void **state)
{
    long failures = 0;
    for (long n = 1; n <= 60; n++) {
        struct positions positions;
        struct error err = {0};
        memory_fail_after(n);
        int status = read_text(&positions, book, &err);
        memory_fail_after(0);
        if (status == ERROR_NONE) {
            positions_free(&positions);
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
        cmocka_unit_test(columns_are_found_by_name_in_any_order),
        cmocka_unit_test(a_compressed_file_is_the_same_book),
        cmocka_unit_test(a_wrong_value_is_told_with_line_and_column_name),
        cmocka_unit_test(rows_of_an_account_share_its_venue_and_wallet),
        cmocka_unit_test(a_broken_account_is_told_with_line_and_column),
        cmocka_unit_test(many_accounts_are_told_apart),
        cmocka_unit_test(a_file_that_is_no_book_is_refused),
        cmocka_unit_test(rows_without_any_of_the_three_columns_are_refused),
        cmocka_unit_test(a_missing_file_is_an_input_error),
        cmocka_unit_test(memory_that_runs_out_anywhere_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
