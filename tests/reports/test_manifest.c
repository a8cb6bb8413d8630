/*
 * The manifest holds what it takes to repeat a run, and the same run gives the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/version.h"
#include "reports/manifest.h"

/* SHA-256 of the empty text, as published in FIPS 180-4 test vectors. */
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct manifest_input inputs[] = {
    {"price", "data/btc.csv.zst", EMPTY_SHA256, 8640, true},
    {"scenario", "btc \"x\".yaml", EMPTY_SHA256, -1, false},
};
static const struct manifest_policy policies[] = {{"price", "gap", "carry", 288, 288}};
static const char *const warnings[] = {"replacement flow is 25 % of forced closes"};

static char *manifest_text(uint64_t seed)
{
    static char program[] = "liqcascade", run[] = "run", file[] = "btc.yaml";
    char *arguments[] = {program, run, file};
    char folder[] = "/tmp/liqcascade-manifest-XXXXXX", target[64], command[96];
    struct error err = {0};
    struct results results;
    const struct manifest manifest = {.command = "run",
                                      .argc = 3,
                                      .argv = arguments,
                                      .seed = seed,
                                      .replicates = 32,
                                      .title = "BTC, 10 October 2025",
                                      .symbol = "BTCUSDT",
                                      .reconstructed = true,
                                      .warnings = warnings,
                                      .warning_count = 1,
                                      .inputs = inputs,
                                      .input_count = 2,
                                      .policies = policies,
                                      .policy_count = 1};
    assert_non_null(mkdtemp(folder));
    snprintf(target, sizeof target, "%s/out", folder);
    assert_int_equal(results_begin(&results, target, &err), ERROR_NONE);
    assert_int_equal(manifest_write(&manifest, &results, &err), ERROR_NONE);
    assert_int_equal(results_commit(&results, &err), ERROR_NONE);
    results_abort(&results);
    snprintf(target, sizeof target, "%s/out/manifest.json", folder);
    FILE *file_in = fopen(target, "r");
    assert_non_null(file_in);
    char *text = calloc(1, 16384);
    assert_true(fread(text, 1, 16383, file_in) < 16383);
    fclose(file_in);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return text;
}

static void it_says_what_ran_on_what_and_what_was_done_to_the_data(void **state)
{
    static const char *const expected[] = {
        "\"manifest_version\": 1,",
        "\"version\": \"" LIQCASCADE_VERSION "\"",
        "\"revision\": \"" LIQCASCADE_REVISION "\"",
        "\"compiler\": \"" LIQCASCADE_COMPILER "\"",
        "\"arguments\": [\n    \"liqcascade\",\n    \"run\",\n    \"btc.yaml\"\n  ]",
        "\"seed\": 18446744073709551615,",
        "\"replicates\": 32,",
        "\"symbol\": \"BTCUSDT\"",
        "\"sha256\": \"" EMPTY_SHA256 "\",\n      \"rows\": 8640,\n      \"reconstructed\": true",
        "\"path\": \"btc \\\"x\\\".yaml\"",
        "\"sha256\": \"" EMPTY_SHA256 "\",\n      \"reconstructed\": false",
        "\"flaw\": \"gap\",\n      \"action\": \"carry\",\n      \"found\": 288",
        "\"warnings\": [\n    \"replacement flow is 25 % of forced closes\"\n  ]",
    };
    char *text = manifest_text(UINT64_MAX);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (strstr(text, expected[i]) == NULL)
            fail_msg("%s is not in the manifest:\n%s", expected[i], text);
    free(text);
}

static void every_library_is_there_with_a_version_number(void **state)
{
    static const char *const names[] = {"gsl",    "libarchive", "libcsv", "libyaml",
                                        "nettle", "openmp",     "zstd"};
    struct manifest_library libraries[MANIFEST_LIBRARIES_MAX];
    size_t count = manifest_libraries(libraries);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t found = 0;
        while (found < count && strcmp(libraries[found].name, names[i]) != 0)
            found++;
        assert_true(found < count);
        assert_true(libraries[found].version[0] >= '0' && libraries[found].version[0] <= '9');
    }
}

static void the_same_run_gives_the_same_bytes(void **state)
{
    char *first = manifest_text(7), *second = manifest_text(7), *other = manifest_text(8);
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
    free(first);
    free(second);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_ran_on_what_and_what_was_done_to_the_data),
        cmocka_unit_test(every_library_is_there_with_a_version_number),
        cmocka_unit_test(the_same_run_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
