/*
 * The keys that say which events a backtest runs: the shipped ones and all of them unless said
 * otherwise; a file of one's own is found beside the scenario; names stay texts on the way through
 * the resolved scenario.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/events.h"
#include "tests/scenarios/scratch.h"

static void load_with(struct scenario *scenario, const char *block)
{
    char *text = NULL;
    assert_true(asprintf(&text, "%s%s", scratch_good, block) > 0);
    scratch_load_good(scenario, text);
    free(text);
}

static char *written(const struct scenario *scenario)
{
    char *text = NULL;
    size_t length = 0;
    struct error err = {0};
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    assert_int_equal(scenario_write(scenario, file, &err), ERROR_NONE);
    fclose(file);
    return text;
}

static void the_shipped_events_are_meant_unless_said_otherwise(void **state)
{
    struct scenario s;
    scratch_load_good(&s, scratch_good);
    assert_string_equal(s.events.from, EVENTS_BUILTIN);
    assert_int_equal(s.events.name_count, 0);
    scenario_free(&s);
}

static void names_are_kept_in_order_and_written_back(void **state)
{
    struct scenario s, again;
    load_with(&s, "events: {from: builtin:events, names: [2024-08-05, \"null\", ours, 7]}\n");
    char *text = written(&s);
    scratch_load_good(&again, text);
    for (int i = 0; i < 2; i++) {
        const struct scenario *one = i == 0 ? &s : &again;
        assert_string_equal(one->events.from, EVENTS_BUILTIN);
        assert_int_equal(one->events.name_count, 4);
        assert_string_equal(one->events.names[0], "2024-08-05");
        assert_string_equal(one->events.names[1], "null");
        assert_string_equal(one->events.names[2], "ours");
        assert_string_equal(one->events.names[3], "7");
    }
    free(text);
    scenario_free(&s);
    scenario_free(&again);
}

static void a_file_of_events_is_beside_the_scenario(void **state)
{
    struct scenario s, again;
    char expected[SCRATCH_PATH_SIZE + 16];
    load_with(&s, "events: {from: ours.csv}\n");
    snprintf(expected, sizeof expected, "%s/ours.csv", scratch_folder());
    assert_string_equal(s.events.from, expected);
    char *text = written(&s);
    scratch_load_good(&again, text);
    assert_string_equal(again.events.from, expected);
    free(text);
    scenario_free(&s);
    scenario_free(&again);
}

static const struct scratch_bad bad_files[] = {
    {"other shipped events", NULL, "events: {from: builtin:crashes}\n", "builtin:crashes",
     "events.from", "expected builtin:events or a path"},
    {"no file of events", NULL, "events: {from: \"\"}\n", "\"\"}", "events.from", "is empty"},
    {"names that are no list", NULL, "events: {names: 2024-08-05}\n", "2024-08-05", "events.names",
     "expected a list such as [2024-08-05, 2025-10-10]"},
    {"a name twice", NULL, "events: {names: [aa, bb, aa]}\n", "aa]", "events.names",
     "names aa twice"},
    {"an empty name", NULL, "events: {names: [aa, \"\"]}\n", "\"\"]", "events.names",
     "is no name of an event"},
    {"nothing for a name", NULL, "events: {names: [aa, null]}\n", "null]", "events.names",
     "is no name of an event"},
    {"a name that is a list", NULL, "events: {names: [[aa]]}\n", "[aa]", "events.names",
     "is no name of an event"},
    {"a name without end", NULL,
     "events: {names: [a-name-without-end-a-name-without-end-a-name-wit]}\n",
     "a-name-without-end-a-name-without-end-a-name-wit", "events.names", "is no name of an event"},
    {"a prior of the events", NULL,
     "uncertainty: {parameters: {events.from: {choice: [builtin:events]}}}\n", "events.from",
     "uncertainty.parameters.events.from", "cannot be varied"},
};

static void each_bad_key_gives_one_error_at_its_place(void **state)
{
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++)
        scratch_expect(&bad_files[i]);
}

static int remove_folder(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_events_are_meant_unless_said_otherwise),
        cmocka_unit_test(names_are_kept_in_order_and_written_back),
        cmocka_unit_test(a_file_of_events_is_beside_the_scenario),
        cmocka_unit_test(each_bad_key_gives_one_error_at_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
