/*
 * SHA-256 against the examples of FIPS 180-2 and NIST's test vectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"

static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void expect_hash(const char *text, const char *expected)
{
    char hash[SHA256_TEXT_SIZE];

    sha256_bytes(text, strlen(text), hash);
    assert_string_equal(hash, expected);
}

static void bytes_have_their_published_hashes(void **state)
{
    expect_hash("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Longer than one read of the file. */
static void a_file_of_a_million_a_has_its_published_hash(void **state)
{
    char path[] = "/tmp/liqcascade-sha256-XXXXXX", hash[SHA256_TEXT_SIZE];
    struct error err = {0};
    FILE *file = fdopen(mkstemp(path), "wb");

    assert_non_null(file);
    for (int i = 0; i < 1000000; i++)
        fputc('a', file);
    fclose(file);
    assert_int_equal(sha256_file(path, hash, &err), ERROR_NONE);
    unlink(path);
    assert_string_equal(hash, million_a);
}

static void what_cannot_be_read_is_named(void **state)
{
    char hash[SHA256_TEXT_SIZE];
    struct error err = {0};

    assert_int_equal(sha256_file("/nonexistent/file", hash, &err), ERROR_IO);
    assert_string_equal(err.file, "/nonexistent/file");
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(sha256_file("/", hash, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_their_published_hashes),
        cmocka_unit_test(a_file_of_a_million_a_has_its_published_hash),
        cmocka_unit_test(what_cannot_be_read_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
