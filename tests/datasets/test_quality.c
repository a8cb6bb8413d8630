/* The report counts exactly and keeps what it can show; the default policies are the strict ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "datasets/quality.h"

static void by_default_only_repeats_and_jumps_pass(void **state)
{
    struct quality_policies policies = quality_policies_default();
    for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++) {
        enum quality_action expected = flaw == QUALITY_REPEAT ? QUALITY_DROP
                                       : flaw == QUALITY_JUMP ? QUALITY_ACCEPT
                                                              : QUALITY_ERROR;
        print_message("  %s: %s\n", quality_flaw_name((enum quality_flaw)flaw),
                      quality_action_name(policies.on[flaw]));
        assert_int_equal(policies.on[flaw], expected);
    }
    assert_int_equal(policies.stale_ms, 0);
}

static void counts_stay_exact_past_what_is_listed(void **state)
{
    struct quality_report report = {0};
    struct quality_finding finding = {.flaw = QUALITY_GAP, .count = 3, .file = (char *)"a.csv"};
    struct error err = {0};
    for (int i = 0; i < 1500; i++) {
        finding.from_ms = i;
        assert_int_equal(quality_report_add(&report, &finding, &err), ERROR_NONE);
    }
    assert_int_equal(report.count[QUALITY_GAP], 4500);
    assert_int_equal(report.count[QUALITY_ZERO], 0);
    assert_int_equal(report.finding_count, 1000);
    assert_int_equal(report.findings[999].from_ms, 999);
    assert_string_equal(report.findings[999].file, "a.csv");
    assert_true(report.findings[999].file != finding.file);
    quality_report_free(&report);
    assert_null(report.findings);
}

static void short_memory_is_an_error(void **state)
{
    struct quality_report report = {0};
    struct quality_finding finding = {.flaw = QUALITY_ZERO, .count = 1, .file = (char *)"a.csv"};
    struct error err = {0};
    for (long countdown = 1; countdown <= 2; countdown++) {
        memory_fail_after(countdown);
        assert_int_equal(quality_report_add(&report, &finding, &err), ERROR_IO);
        memory_fail_after(0);
        quality_report_free(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_only_repeats_and_jumps_pass),
        cmocka_unit_test(counts_stay_exact_past_what_is_listed),
        cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
