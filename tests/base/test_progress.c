/*
 * Progress: silent where it should be, complete where it speaks. stderr is a file here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"

/* Runs ten units of work, the last behind a redraw interval, and gives what stderr got. */
static const char *shown_by(enum progress_mode mode, int64_t total)
{
    static char text[4096];
    struct progress progress;
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    size_t length;

    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    progress_set_mode(mode);
    progress_start(&progress, "replay", "bars", total);
    progress_add(&progress, 4);
    usleep(120000);
    progress_add(&progress, 1);
    progress_end(&progress);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    length = fread(text, 1, sizeof(text) - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static void a_file_is_no_terminal(void **state)
{
    assert_string_equal(shown_by(PROGRESS_AUTO, 10), "");
}

static void never_means_never(void **state)
{
    assert_string_equal(shown_by(PROGRESS_NEVER, 10), "");
}

static void a_line_shows_what_is_done_and_is_wiped_at_the_end(void **state)
{
    const char *text = shown_by(PROGRESS_ALWAYS, 10);
    const char *wipe = "\r\033[K";

    assert_non_null(strstr(text, "replay 5/10 bars (50 %)"));
    assert_non_null(strstr(text, "left"));
    assert_null(strstr(text, "4/10")); /* too soon after the start */
    assert_string_equal(text + strlen(text) - strlen(wipe), wipe);
}

static void an_unknown_total_shows_no_share(void **state)
{
    const char *text = shown_by(PROGRESS_ALWAYS, 0);

    assert_non_null(strstr(text, "replay 5 bars"));
    assert_null(strchr(text, '%'));
}

static void threads_count_together(void **state)
{
    struct progress progress;

    progress_set_mode(PROGRESS_NEVER);
    progress_start(&progress, "replay", "bars", 4000);
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < 4000; i++)
        progress_add(&progress, 1);
    assert_int_equal(progress.done, 4000);
    progress_end(&progress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_no_terminal),
        cmocka_unit_test(never_means_never),
        cmocka_unit_test(a_line_shows_what_is_done_and_is_wiped_at_the_end),
        cmocka_unit_test(an_unknown_total_shows_no_share),
        cmocka_unit_test(threads_count_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
