/* Conditions on a number of the results: what they say, and when they hold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/condition.h"

static void each_relation_holds_where_it_should(void **state)
{
    static const struct {
        const char *text;
        int relation;
        bool below, at, above; /* at values 1, 2, 3 */
    } known[] = {
        {"a >= 2", CONDITION_AT_LEAST, false, true, true},
        {"a <= 2", CONDITION_AT_MOST, true, true, false},
        {"a > 2", CONDITION_ABOVE, false, false, true},
        {"a < 2", CONDITION_BELOW, true, false, false},
    };
    for (size_t i = 0; i < 4; i++) {
        struct condition condition;
        assert_true(condition_parse(known[i].text, &condition));
        assert_string_equal(condition.metric, "a");
        assert_int_equal(condition.relation, known[i].relation);
        assert_int_equal(condition_holds(&condition, 1), known[i].below);
        assert_int_equal(condition_holds(&condition, 2), known[i].at);
        assert_int_equal(condition_holds(&condition, 3), known[i].above);
        assert_false(condition_holds(&condition, NAN));
    }
}

static void a_condition_reads_back_the_same(void **state)
{
    static const char *const texts[] = {"jump_share_of_oi>=0.05", "  x1 <   -2.5e-3 ", "a_b> 0.1"};
    for (size_t i = 0; i < 3; i++) {
        struct condition first, second;
        char text[CONDITION_TEXT_SIZE];
        assert_true(condition_parse(texts[i], &first));
        assert_true(condition_parse(condition_format(&first, text), &second));
        assert_memory_equal(&first, &second, sizeof first);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const texts[] = {"",        "a",          "a >=",    ">= 1",     "a = 1",
                                        "a == 1",  "a => 1",     "a >= b",  "a >= 1 2", "a b >= 1",
                                        "1a >= 1", "A >= 1",     "a >= 1x", "a >> 1",   "a >= nan",
                                        "a-b > 1", "a >= 1 <= 2"};
    struct condition condition = {.metric = "kept"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (condition_parse(texts[i], &condition))
            fail_msg("'%s' is read", texts[i]);
    assert_false(condition_parse("a2345678901234567890123456789012345678901234567890123456789"
                                 "01234567890 > 1",
                                 &condition));
    assert_string_equal(condition.metric, "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_relation_holds_where_it_should),
        cmocka_unit_test(a_condition_reads_back_the_same),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
