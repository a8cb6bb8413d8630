/*
 * The search finds where a condition begins to hold: the first place among those it looks at, to
 * the tolerance, in either direction; and says when there is none, when it is not the only one, and
 * when answers end before it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/study/search.h"
#include "tests/support/near.h"

enum { PLACES_MAX = 8, VALUES_MAX = 64, LOOKED_MAX = 4096 };

/* Holds between the first place and the second, the third and the fourth, ...; from `ends` on there
   is no answer. */
struct law {
    double places[PLACES_MAX];
    size_t count;
    double ends;
};

struct asked {
    const struct law *laws; /* per search */
    double looked[LOOKED_MAX];
    size_t searches[LOOKED_MAX];
    size_t count, rounds;
    size_t fail_in; /* the round that fails; 0: none */
};

static int answer_of(const struct law *law, double value)
{
    size_t passed = 0;
    while (passed < law->count && value >= law->places[passed])
        passed++;
    if (value >= law->ends)
        return SEARCH_NONE;
    return passed % 2 == 1 ? SEARCH_HOLDS : SEARCH_FAILS;
}

static int look(void *context, struct search_probe *probes, size_t count, struct error *err)
{
    struct asked *asked = context;
    assert_true(count > 0);
    if (++asked->rounds == asked->fail_in)
        return error_set(err, ERROR_DATA, "nothing to see");
    for (size_t i = 0; i < count; i++) {
        probes[i].answer = answer_of(&asked->laws[probes[i].search], probes[i].value);
        probes[i].number = 10.0 * probes[i].value;
        assert_true(asked->count < LOOKED_MAX);
        asked->searches[asked->count] = probes[i].search;
        asked->looked[asked->count++] = probes[i].value;
    }
    return ERROR_NONE;
}

/* The search of one law over `count` values. */
static struct search search_law(const struct law *law, double from, double to, size_t count,
                                const struct search_rule *rule, struct asked *asked)
{
    struct search search;
    double values[VALUES_MAX];
    memset(asked, 0, sizeof *asked);
    asked->laws = law;
    size_t used = search_spread(from, to, count, rule, values);
    assert_int_equal(search_run(&search, 1, values, used, rule, look, asked, NULL), ERROR_NONE);
    return search;
}

static const size_t parts[] = {2, 3, 8, 16};
enum { PARTS = 4 };

/* ---- one place -------------------------------------------------------------------------- */

static void a_place_is_found_to_the_tolerance(void **state)
{
    struct law law = {{M_PI}, 1, INFINITY};
    for (size_t k = 0; k < PARTS; k++)
        for (int e = 1; e <= 12; e++) {
            struct asked asked;
            struct search_rule rule = {.tolerance = pow(10.0, -e), .parts = parts[k]};
            struct search found = search_law(&law, 0.0, 10.0, 5, &rule, &asked);
            assert_int_equal(found.status, SEARCH_FOUND);
            assert_true(found.below.value < M_PI && M_PI <= found.above.value);
            assert_true(found.above.value - found.below.value <= rule.tolerance);
            assert_near(found.above.number, 10.0 * found.above.value, 0.0);
            assert_near(found.below.number, 10.0 * found.below.value, 0.0);
            assert_int_equal(found.crossings, 1);
            assert_int_equal(found.ends, 0);
            if (e == 12)
                print_message("  %zu parts: %zu looks in %zu rounds\n", parts[k], asked.count,
                              asked.rounds);
        }
}

/* Halving a pair of 2.5 to 1e-6 takes ceil(log2(2.5e6)) = 22 rounds of one look, after the five. */
static void halving_takes_as_many_looks_as_bits(void **state)
{
    struct law law = {{M_PI}, 1, INFINITY};
    struct asked asked;
    struct search_rule rule = {.tolerance = 1e-6, .parts = 2};
    search_law(&law, 0.0, 10.0, 5, &rule, &asked);
    assert_int_equal(asked.count, 5 + 22);
    assert_int_equal(asked.rounds, 1 + 22);
}

/* From above, what holds below 4 begins to hold at 4. */
static void a_range_that_falls_is_searched_from_its_top(void **state)
{
    struct law law = {{0.0, 4.0, 6.0}, 3, INFINITY};
    struct law inner = {{-1.0, 4.0}, 2, INFINITY};
    for (size_t k = 0; k < PARTS; k++) {
        struct asked asked;
        struct search_rule rule = {.tolerance = 1e-9, .parts = parts[k]};
        struct search found = search_law(&inner, 10.0, 0.0, 8, &rule, &asked);
        assert_int_equal(found.status, SEARCH_FOUND);
        assert_true(found.above.value < 4.0 && found.below.value >= 4.0);
        assert_true(found.below.value - found.above.value <= 1e-9);
        found = search_law(&law, 10.0, 0.0, 8, &rule, &asked);
        assert_int_equal(found.status, SEARCH_AT_START);
        assert_near(found.above.value, 10.0, 0.0);
        assert_int_equal(asked.count, 8);
    }
}

/* As far as doubles go: a tolerance that none can reach ends at neighbours. */
static void no_tolerance_is_too_small(void **state)
{
    struct law law = {{M_PI}, 1, INFINITY};
    struct asked asked;
    struct search_rule rule = {.tolerance = 0.0, .parts = 2};
    struct search found = search_law(&law, 0.0, 10.0, 3, &rule, &asked);
    assert_near(found.above.value, M_PI, 0.0);
    assert_near(found.below.value, nextafter(M_PI, 0.0), 0.0);
}

static void without_a_tolerance_pairs_are_left_as_they_are(void **state)
{
    struct law law = {{M_PI}, 1, INFINITY};
    struct asked asked;
    struct search_rule rule = {.tolerance = NAN, .parts = 2};
    struct search found = search_law(&law, 0.0, 10.0, 11, &rule, &asked);
    assert_near(found.below.value, 3.0, 0.0);
    assert_near(found.above.value, 4.0, 0.0);
    assert_int_equal(asked.rounds, 1);
}

static void in_ratios_each_look_is_a_ratio_from_the_next(void **state)
{
    struct law law = {{3e7}, 1, INFINITY};
    struct asked asked;
    struct search_rule rule = {.tolerance = 1.0, .parts = 2, .log = true};
    struct search found = search_law(&law, 1.0, 1e10, 11, &rule, &asked);
    for (int i = 0; i < 11; i++)
        assert_near(asked.looked[i], pow(10.0, i), 1e-9 * pow(10.0, i));
    assert_near(asked.looked[11], pow(10.0, 7.5), 1e-2); /* the first halving of 1e7 .. 1e8 */
    assert_true(found.below.value < 3e7 && 3e7 <= found.above.value);
    assert_true(found.above.value - found.below.value <= 1.0);
    /* Below zero as well. */
    struct law negative = {{-50.0}, 1, INFINITY};
    found = search_law(&negative, -1000.0, -1.0, 4, &rule, &asked);
    assert_int_equal(found.status, SEARCH_FOUND);
    assert_true(found.below.value < -50.0 && -50.0 <= found.above.value);
}

/* ---- whole numbers ---------------------------------------------------------------------- */

static void whole_numbers_are_looked_at_once_and_end_at_neighbours(void **state)
{
    for (size_t k = 0; k < PARTS; k++)
        for (int place = 2; place <= 40; place++) {
            struct law law = {{place}, 1, INFINITY};
            struct asked asked;
            struct search_rule rule = {.tolerance = 1e-6, .parts = parts[k], .whole = true};
            struct search found = search_law(&law, 1.0, 40.0, 6, &rule, &asked);
            assert_near(found.below.value, place - 1, 0.0);
            assert_near(found.above.value, place, 0.0);
            for (size_t i = 0; i < asked.count; i++) {
                assert_near(asked.looked[i], nearbyint(asked.looked[i]), 0.0);
                for (size_t j = 0; j < i; j++)
                    assert_true(asked.looked[j] != asked.looked[i]);
            }
        }
}

static void a_short_range_of_whole_numbers_has_fewer_values(void **state)
{
    double values[VALUES_MAX];
    struct search_rule rule = {.parts = 2, .whole = true};
    assert_int_equal(search_spread(5.0, 2.0, 17, &rule, values), 4);
    for (int i = 0; i < 4; i++)
        assert_near(values[i], 5.0 - i, 0.0);
    assert_int_equal(search_spread(5.0, 6.0, 17, &rule, values), 2);
}

/* ---- what is not monotone --------------------------------------------------------------- */

static void the_first_beginning_is_the_answer_and_the_others_are_counted(void **state)
{
    /* Holds on [2.2, 4.7), [6.1, 7.9) and from 9.3 on. */
    struct law law = {{2.2, 4.7, 6.1, 7.9, 9.3}, 5, INFINITY};
    for (size_t k = 0; k < PARTS; k++) {
        struct asked asked;
        struct search_rule rule = {.tolerance = 1e-9, .parts = parts[k]};
        struct search found = search_law(&law, 0.0, 10.0, 11, &rule, &asked);
        assert_near(found.above.value, 2.2, 1e-9);
        assert_int_equal(found.crossings, 3);
        assert_int_equal(found.ends, 2);
    }
}

/* Between neighbours it may begin, cease and begin: what is found is a beginning, and there. */
static void what_is_found_is_a_beginning_even_where_values_hide_some(void **state)
{
    struct law law = {{1.05, 1.1, 1.3, 1.35, 1.71, 1.72, 1.9}, 7, INFINITY};
    for (size_t k = 0; k < PARTS; k++) {
        struct asked asked;
        struct search_rule rule = {.tolerance = 1e-9, .parts = parts[k]};
        struct search found = search_law(&law, 0.0, 2.0, 3, &rule, &asked);
        double nearest = INFINITY;
        for (size_t i = 0; i < law.count; i += 2)
            nearest = fmin(nearest, fabs(found.above.value - law.places[i]));
        assert_true(nearest <= 1e-9);
        assert_int_equal(answer_of(&law, found.below.value), SEARCH_FAILS);
        assert_int_equal(answer_of(&law, found.above.value), SEARCH_HOLDS);
    }
}

static void one_that_never_holds_is_nowhere(void **state)
{
    struct law law = {{11.0}, 1, INFINITY};
    struct asked asked;
    struct search_rule rule = {.tolerance = 1e-9, .parts = 2};
    struct search found = search_law(&law, 0.0, 10.0, 7, &rule, &asked);
    assert_int_equal(found.status, SEARCH_NEVER);
    assert_true(isnan(found.below.value) && isnan(found.above.value));
    assert_int_equal(found.crossings, 0);
    assert_int_equal(asked.count, 7);
}

/* One that holds at first, ceases and begins anew: the start is the answer, the rest is said. */
static void one_that_holds_at_the_start_is_said_to(void **state)
{
    struct law law = {{-1.0, 3.5, 6.5}, 3, INFINITY};
    struct asked asked;
    struct search_rule rule = {.tolerance = 1e-9, .parts = 2};
    struct search found = search_law(&law, 0.0, 10.0, 11, &rule, &asked);
    assert_int_equal(found.status, SEARCH_AT_START);
    assert_near(found.above.value, 0.0, 0.0);
    assert_true(isnan(found.below.value));
    assert_int_equal(found.crossings, 1);
    assert_int_equal(found.ends, 1);
    assert_int_equal(asked.count, 11);
}

/* ---- no answers ------------------------------------------------------------------------- */

static void where_answers_end_first_nothing_is_found(void **state)
{
    struct law law = {{7.0}, 1, M_E};
    for (size_t k = 0; k < PARTS; k++) {
        struct asked asked;
        struct search_rule rule = {.tolerance = 1e-9, .parts = parts[k]};
        struct search found = search_law(&law, 0.0, 10.0, 6, &rule, &asked);
        assert_int_equal(found.status, SEARCH_MISSING);
        assert_true(found.below.value < M_E && found.above.value >= M_E);
        assert_true(found.above.value - found.below.value <= 1e-9);
    }
}

/* Both lie between the same neighbours: the pair is narrowed until they are apart. */
static void a_holding_before_answers_end_is_found(void **state)
{
    struct law law = {{2.5}, 1, 2.6};
    for (size_t k = 0; k < PARTS; k++) {
        struct asked asked;
        struct search_rule rule = {.tolerance = 1e-9, .parts = parts[k]};
        struct search found = search_law(&law, 0.0, 10.0, 3, &rule, &asked);
        assert_int_equal(found.status, SEARCH_FOUND);
        assert_near(found.above.value, 2.5, 1e-9);
    }
}

static void answers_that_end_behind_it_do_not_matter(void **state)
{
    struct law law = {{2.5}, 1, 8.0};
    struct asked asked;
    struct search_rule rule = {.tolerance = 1e-9, .parts = 2};
    struct search found = search_law(&law, 0.0, 10.0, 11, &rule, &asked);
    assert_int_equal(found.status, SEARCH_FOUND);
    assert_near(found.above.value, 2.5, 1e-9);
    law.ends = -1.0;
    found = search_law(&law, 0.0, 10.0, 11, &rule, &asked);
    assert_int_equal(found.status, SEARCH_MISSING);
    assert_true(isnan(found.below.value));
    assert_int_equal(asked.count, 11);
}

/* ---- side by side ----------------------------------------------------------------------- */

/* In company a search looks at what it would look at alone, in its order. */
static void searches_do_not_disturb_each_other(void **state)
{
    const struct law laws[] = {{{1.5}, 1, INFINITY},  {{}, 0, INFINITY}, {{9.99}, 1, INFINITY},
                               {{-1.0}, 1, INFINITY}, {{7.0}, 1, 3.3},   {{4.0, 5.5}, 2, 9.0}};
    enum { LAWS = 6 };
    const double values[] = {0.0, 2.5, 5.0, 7.5, 10.0};
    struct search_rule rule = {.tolerance = 1e-7, .parts = 4};
    struct search together[LAWS];
    struct asked all = {.laws = laws};
    assert_int_equal(search_run(together, LAWS, values, 5, &rule, look, &all, NULL), ERROR_NONE);
    size_t rounds = 0, looks = 0;
    for (size_t s = 0; s < LAWS; s++) {
        struct asked own;
        struct search alone = search_law(&laws[s], 0.0, 10.0, 5, &rule, &own);
        assert_int_equal(together[s].status, alone.status);
        assert_memory_equal(&together[s].above.value, &alone.above.value, sizeof(double));
        size_t at = 0;
        for (size_t i = 0; i < all.count; i++)
            if (all.searches[i] == s)
                assert_near(all.looked[i], own.looked[at++], 0.0);
        assert_int_equal(at, own.count);
        rounds = own.rounds > rounds ? own.rounds : rounds;
        looks += own.count;
    }
    assert_int_equal(all.rounds, rounds);
    assert_int_equal(all.count, looks);
}

static void a_look_that_fails_ends_the_search(void **state)
{
    struct law law = {{M_PI}, 1, INFINITY};
    const double values[] = {0.0, 10.0};
    struct search_rule rule = {.tolerance = 1e-6, .parts = 2};
    for (size_t round = 1; round <= 3; round++) {
        struct search search;
        struct error err = {0};
        struct asked asked = {.laws = &law, .fail_in = round};
        assert_int_equal(search_run(&search, 1, values, 2, &rule, look, &asked, &err), ERROR_DATA);
        assert_string_equal(err.message, "nothing to see");
        assert_int_equal(asked.rounds, round);
    }
}

static void a_search_without_memory_says_so(void **state)
{
    struct law law = {{M_PI}, 1, INFINITY};
    const double values[] = {0.0, 10.0};
    struct search_rule rule = {.tolerance = 1e-6, .parts = 2};
    struct search search;
    int code = ERROR_IO;
    long failures = 0;
    while (code != ERROR_NONE) {
        struct error err = {0};
        struct asked asked = {.laws = &law};
        memory_fail_after(++failures);
        code = search_run(&search, 1, values, 2, &rule, look, &asked, &err);
        memory_fail_after(0);
        assert_true(code == ERROR_NONE || code == ERROR_IO);
    }
    assert_true(failures > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_found_to_the_tolerance),
        cmocka_unit_test(halving_takes_as_many_looks_as_bits),
        cmocka_unit_test(a_range_that_falls_is_searched_from_its_top),
        cmocka_unit_test(no_tolerance_is_too_small),
        cmocka_unit_test(without_a_tolerance_pairs_are_left_as_they_are),
        cmocka_unit_test(in_ratios_each_look_is_a_ratio_from_the_next),
        cmocka_unit_test(whole_numbers_are_looked_at_once_and_end_at_neighbours),
        cmocka_unit_test(a_short_range_of_whole_numbers_has_fewer_values),
        cmocka_unit_test(the_first_beginning_is_the_answer_and_the_others_are_counted),
        cmocka_unit_test(what_is_found_is_a_beginning_even_where_values_hide_some),
        cmocka_unit_test(one_that_never_holds_is_nowhere),
        cmocka_unit_test(one_that_holds_at_the_start_is_said_to),
        cmocka_unit_test(where_answers_end_first_nothing_is_found),
        cmocka_unit_test(a_holding_before_answers_end_is_found),
        cmocka_unit_test(answers_that_end_behind_it_do_not_matter),
        cmocka_unit_test(searches_do_not_disturb_each_other),
        cmocka_unit_test(a_look_that_fails_ends_the_search),
        cmocka_unit_test(a_search_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
