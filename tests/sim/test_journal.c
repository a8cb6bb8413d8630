/*
 * A journal keeps what was finished, through an end at any byte, damage, a full disk and SIGKILL,
 * and never hands out anything else.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "sim/study/journal.h"

enum { ITEMS = 6, PAYLOAD = 3, HEADER_BYTES = 112, RECORD_BYTES = 8 + 8 * PAYLOAD + 16 };

static char folder[64]; /* each test works in an empty directory of its own */

static int enter_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/liqcascade-journal-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

static struct journal_layout layout_of(const char *scenario, uint64_t items)
{
    struct journal_layout layout = {.item_count = items, .payload_count = PAYLOAD};
    sha256_bytes(scenario, strlen(scenario), layout.identity);
    return layout;
}

/* What item i is worth: different in every number, with a -0 and a third that needs all digits. */
static void fill(uint64_t item, double out[PAYLOAD])
{
    out[0] = (double)item + 1.0 / 3.0;
    out[1] = -0.0;
    out[2] = -1e300 * (double)(item + 1);
}

static void append(struct journal *journal, uint64_t item)
{
    struct error err = {0};
    double payload[PAYLOAD];
    fill(item, payload);
    if (journal_append(journal, item, payload, &err) != ERROR_NONE)
        fail_msg("item %llu: %s", (unsigned long long)item, err.message);
}

static void assert_item(const struct journal *journal, uint64_t item)
{
    struct error err = {0};
    double expected[PAYLOAD], payload[PAYLOAD] = {0};
    fill(item, expected);
    if (journal_get(journal, item, payload, &err) != ERROR_NONE)
        fail_msg("item %llu: %s", (unsigned long long)item, err.message);
    assert_memory_equal(payload, expected, sizeof expected);
}

static void open_or_fail(struct journal *journal, const char *path, bool resume)
{
    struct error err = {0};
    struct journal_layout layout = layout_of("oi-levels", ITEMS);
    if (journal_open(journal, path, &layout, resume, &err) != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
}

/* Items in the order in which threads might finish them. */
static const uint64_t finished[ITEMS] = {0, 2, 1, 5, 3, 4};

/* Writes a whole journal and returns its bytes, to be freed. */
static unsigned char *whole_journal(const char *path, size_t *out_size)
{
    struct journal journal;
    struct error err = {0};
    open_or_fail(&journal, path, false);
    for (size_t i = 0; i < ITEMS; i++)
        append(&journal, finished[i]);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
    *out_size = HEADER_BYTES + ITEMS * RECORD_BYTES;
    unsigned char *bytes = malloc(*out_size + 1);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, *out_size + 1, file), *out_size);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *path, const unsigned char *bytes, size_t size)
{
    unsigned char *found = malloc(size + 1);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(found, 1, size + 1, file), size);
    fclose(file);
    assert_memory_equal(found, bytes, size);
    free(found);
}

/* Exactly the first `count` finished items are there, and they are what was appended. */
static void assert_prefix(const struct journal *journal, size_t count)
{
    assert_int_equal(journal->done, count);
    for (size_t i = 0; i < ITEMS; i++) {
        double payload[PAYLOAD];
        assert_int_equal(journal_has(journal, finished[i]), i < count);
        if (i < count)
            assert_item(journal, finished[i]);
        else
            assert_int_equal(journal_get(journal, finished[i], payload, NULL), ERROR_DATA);
    }
}

/* Goes on after the first `count` and ends with the bytes of a job that was never stopped. */
static void finish_and_compare(struct journal *journal, const char *path, size_t count,
                               const unsigned char *bytes, size_t size)
{
    struct error err = {0};
    for (size_t i = count; i < ITEMS; i++)
        append(journal, finished[i]);
    assert_prefix(journal, ITEMS);
    assert_int_equal(journal_close(journal, &err), ERROR_NONE);
    assert_file(path, bytes, size);
}

static void what_was_appended_is_read_back_bit_for_bit(void **state)
{
    struct journal journal;
    struct error err = {0};
    size_t size;
    unsigned char *bytes = whole_journal("journal", &size);
    open_or_fail(&journal, "journal", true);
    assert_prefix(&journal, ITEMS);
    assert_int_equal(journal.dropped_bytes, 0);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
    assert_int_equal(journal_read(&journal, "journal", &err), ERROR_NONE);
    assert_prefix(&journal, ITEMS);
    assert_false(journal_has(&journal, ITEMS));
    assert_int_equal(journal.layout.item_count, ITEMS);
    assert_int_equal(journal.layout.payload_count, PAYLOAD);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
    assert_file("journal", bytes, size);
    free(bytes);
}

static void a_file_that_ends_at_any_byte_holds_its_whole_records(void **state)
{
    struct journal journal;
    struct error err = {0};
    size_t size;
    unsigned char *bytes = whole_journal("whole", &size);
    for (size_t end = 0; end <= size; end++) {
        size_t count = end < HEADER_BYTES ? 0 : (end - HEADER_BYTES) / RECORD_BYTES;
        size_t torn = end < HEADER_BYTES ? end : (end - HEADER_BYTES) % RECORD_BYTES;
        write_file("journal", bytes, end);
        bool whole = end >= HEADER_BYTES && torn == 0;
        assert_int_equal(journal_read(&journal, "journal", &err), whole ? ERROR_NONE : ERROR_DATA);
        journal_close(&journal, NULL);
        open_or_fail(&journal, "journal", true);
        assert_prefix(&journal, count);
        if (end >= HEADER_BYTES)
            assert_int_equal(journal.dropped_bytes, torn);
        finish_and_compare(&journal, "journal", count, bytes, size);
    }
    free(bytes);
}

/* Power loss leaves zeros where blocks were not written yet, also before blocks that were. */
static void zeros_at_any_place_end_the_journal(void **state)
{
    struct journal journal;
    size_t size;
    unsigned char *bytes = whole_journal("whole", &size), *copy = malloc(size);
    for (size_t first = HEADER_BYTES; first < size; first += 3)
        for (int rest = 0; rest < 2; rest++) {
            size_t last = rest ? size : first + 16 < size ? first + 16 : size;
            memcpy(copy, bytes, size);
            memset(copy + first, 0, last - first);
            write_file("journal", copy, size);
            open_or_fail(&journal, "journal", true);
            size_t same = first;
            while (same < size && copy[same] == bytes[same])
                same++; /* some bytes were zero anyway */
            size_t count = (same - HEADER_BYTES) / RECORD_BYTES;
            assert_prefix(&journal, count);
            journal_close(&journal, NULL);
        }
    memset(copy, 0, size);
    write_file("journal", copy, HEADER_BYTES);
    open_or_fail(&journal, "journal", true);
    finish_and_compare(&journal, "journal", 0, bytes, size);
    free(copy);
    free(bytes);
}

static void a_flipped_bit_ends_the_journal_and_is_never_handed_out(void **state)
{
    size_t size;
    unsigned char *bytes = whole_journal("whole", &size);
    for (size_t bit = 0; bit < 8 * size; bit += 7) { /* every byte, one or two of its bits */
        struct journal journal;
        struct error err = {0};
        struct journal_layout layout = layout_of("oi-levels", ITEMS);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        write_file("journal", bytes, size);
        assert_int_equal(journal_read(&journal, "journal", &err), ERROR_DATA);
        assert_string_equal(err.file, "journal");
        int code = journal_open(&journal, "journal", &layout, true, &err);
        if (bit / 8 < HEADER_BYTES) {
            assert_int_equal(code, ERROR_DATA);
            assert_file("journal", bytes, size);
        }
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (bit / 8 < HEADER_BYTES)
            continue;
        assert_int_equal(code, ERROR_NONE);
        size_t count = (bit / 8 - HEADER_BYTES) / RECORD_BYTES;
        assert_prefix(&journal, count);
        journal_close(&journal, NULL);
    }
    free(bytes);
}

/* A whole record in another's place, as from a block of the disk that was in use before. */
static void a_record_in_another_place_is_no_record(void **state)
{
    struct journal journal;
    size_t size;
    unsigned char *bytes = whole_journal("whole", &size), *copy = malloc(size);
    memcpy(copy, bytes, size);
    memcpy(copy + HEADER_BYTES + RECORD_BYTES, bytes + HEADER_BYTES + 2 * RECORD_BYTES,
           RECORD_BYTES);
    memcpy(copy + HEADER_BYTES + 2 * RECORD_BYTES, bytes + HEADER_BYTES + RECORD_BYTES,
           RECORD_BYTES);
    write_file("journal", copy, size);
    open_or_fail(&journal, "journal", true);
    assert_prefix(&journal, 1);
    finish_and_compare(&journal, "journal", 1, bytes, size);
    free(copy);
    free(bytes);
}

static void another_scenario_is_refused_and_the_journal_kept(void **state)
{
    struct journal journal;
    size_t size;
    unsigned char *bytes = whole_journal("journal", &size);
    struct journal_layout layouts[3] = {layout_of("phase-diagram", ITEMS),
                                        layout_of("oi-levels", ITEMS + 1),
                                        layout_of("oi-levels", ITEMS)};
    layouts[2].payload_count = PAYLOAD + 1;
    for (size_t i = 0; i < 3; i++) {
        struct error err = {0};
        assert_int_equal(journal_open(&journal, "journal", &layouts[i], true, &err),
                         ERROR_SCENARIO);
        assert_non_null(strstr(err.message, "the scenario changed"));
        assert_string_equal(err.file, "journal");
        if (i == 0)
            printf("told: %s: %s\n", err.file, err.message);
        assert_file("journal", bytes, size);
    }
    free(bytes);
}

static void without_resume_nothing_finished_is_overwritten(void **state)
{
    struct journal journal;
    struct error err = {0};
    struct journal_layout layout = layout_of("oi-levels", ITEMS);
    size_t size;
    unsigned char *bytes = whole_journal("journal", &size);
    assert_int_equal(journal_open(&journal, "journal", &layout, false, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "--resume"));
    assert_file("journal", bytes, size);
    for (size_t end = 0; end <= HEADER_BYTES; end++) { /* killed before anything was finished */
        write_file("journal", bytes, end);
        open_or_fail(&journal, "journal", false);
        finish_and_compare(&journal, "journal", 0, bytes, size);
    }
    free(bytes);
}

static void what_is_no_journal_is_never_touched(void **state)
{
    static const char *const texts[] = {"x", "price_usd\n49261.0837\n", "liqjrnX"};
    struct journal_layout layout = layout_of("oi-levels", ITEMS);
    for (size_t i = 0; i < 3; i++)
        for (int resume = 0; resume < 2; resume++) {
            struct journal journal;
            struct error err = {0};
            const unsigned char *bytes = (const unsigned char *)texts[i];
            write_file("journal", bytes, strlen(texts[i]));
            assert_int_equal(journal_open(&journal, "journal", &layout, resume, &err), ERROR_DATA);
            assert_file("journal", bytes, strlen(texts[i]));
            assert_int_equal(journal_read(&journal, "journal", &err), ERROR_DATA);
        }
}

static void two_processes_do_not_write_one_journal(void **state)
{
    struct journal journal, other;
    struct error err = {0};
    struct journal_layout layout = layout_of("oi-levels", ITEMS);
    open_or_fail(&journal, "journal", false);
    append(&journal, 3);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int as_hoped = journal_open(&other, "journal", &layout, true, &err) == ERROR_IO &&
                       strstr(err.message, "another process") != NULL &&
                       journal_open(&other, "journal", &layout, false, &err) == ERROR_IO &&
                       journal_read(&other, "journal", &err) == ERROR_IO;
        _exit(as_hoped ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    append(&journal, 4);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
    assert_int_equal(journal_read(&journal, "journal", &err), ERROR_NONE);
    assert_int_equal(journal_read(&other, "journal", &err), ERROR_NONE); /* readers may be many */
    assert_int_equal(journal.done, 2);
    journal_close(&other, NULL);
    journal_close(&journal, NULL);
}

static void an_item_is_finished_once(void **state)
{
    struct journal journal;
    struct error err = {0};
    double payload[PAYLOAD] = {0};
    open_or_fail(&journal, "journal", false);
    append(&journal, 3);
    assert_int_equal(journal_append(&journal, 3, payload, &err), ERROR_NUMERICAL);
    assert_int_equal(journal_append(&journal, ITEMS, payload, &err), ERROR_NUMERICAL);
    assert_int_equal(journal_append(&journal, UINT64_MAX, payload, &err), ERROR_NUMERICAL);
    assert_item(&journal, 3);
    assert_int_equal(journal.done, 1);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
    struct stat status;
    assert_int_equal(stat("journal", &status), 0);
    assert_int_equal(status.st_size, HEADER_BYTES + RECORD_BYTES);
}

/* A file size limit of the process stands in for a disk that fills up in the middle of a record. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    size_t size;
    unsigned char *bytes = whole_journal("whole", &size);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t room = HEADER_BYTES; room < size; room += 5) {
        struct journal journal;
        struct error err = {0};
        double payload[PAYLOAD];
        size_t count = (room - HEADER_BYTES) / RECORD_BYTES;
        unlink("journal");
        open_or_fail(&journal, "journal", false);
        limit_file_size(room);
        for (size_t i = 0; i < count; i++)
            append(&journal, finished[i]);
        fill(finished[count], payload);
        int code = journal_append(&journal, finished[count], payload, &err);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(code, ERROR_IO);
        assert_non_null(strstr(err.message, "File too large"));
        if (room == HEADER_BYTES)
            printf("told: %s: %s\n", err.file, err.message);
        assert_prefix(&journal, count);
        assert_file("journal", bytes, HEADER_BYTES + count * RECORD_BYTES);
        finish_and_compare(&journal, "journal", count, bytes, size); /* room was made */
    }
    signal(SIGXFSZ, SIG_DFL);
    free(bytes);
}

static void a_disk_without_room_for_the_header_can_be_tried_again(void **state)
{
    struct journal journal;
    struct error err = {0};
    struct journal_layout layout = layout_of("oi-levels", ITEMS);
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(40);
    int code = journal_open(&journal, "journal", &layout, false, &err);
    limit_file_size(RLIM_INFINITY);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(code, ERROR_IO);
    assert_null(journal.path);
    open_or_fail(&journal, "journal", false);
    append(&journal, 1);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
}

static void what_cannot_be_opened_is_told(void **state)
{
    struct journal journal;
    struct error err = {0};
    struct journal_layout layout = layout_of("oi-levels", ITEMS);
    assert_int_equal(journal_open(&journal, "absent/journal", &layout, false, &err), ERROR_IO);
    assert_string_equal(err.file, "absent/journal");
    assert_int_equal(journal_open(&journal, ".", &layout, true, &err), ERROR_IO);
    assert_int_equal(journal_read(&journal, "absent", &err), ERROR_IO);
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
}

static void memory_that_runs_out_anywhere_leaves_the_journal_as_it_was(void **state)
{
    size_t size;
    unsigned char *bytes = whole_journal("journal", &size);
    struct journal_layout layout = layout_of("oi-levels", ITEMS);
    for (int kind = 0; kind < 2; kind++) {
        long failures = 0;
        for (;;) {
            struct journal journal;
            struct error err = {0};
            memory_fail_after(failures + 1);
            int code = kind ? journal_read(&journal, "journal", &err)
                            : journal_open(&journal, "journal", &layout, true, &err);
            memory_fail_after(0);
            if (code == ERROR_NONE) {
                assert_prefix(&journal, ITEMS);
                journal_close(&journal, NULL);
                break;
            }
            failures++;
            assert_int_equal(code, ERROR_IO);
            assert_null(journal.path);
            assert_file("journal", bytes, size);
        }
        assert_int_equal(failures, 3);
    }
    free(bytes);
}

static void writing_anew_puts_items_in_their_order(void **state)
{
    struct error err = {0};
    struct journal journal, other;
    size_t size;
    unsigned char *bytes = whole_journal("journal", &size);
    open_or_fail(&other, "sorted", false);
    for (uint64_t item = 0; item < ITEMS; item++)
        append(&other, item);
    assert_int_equal(journal_close(&other, &err), ERROR_NONE);
    assert_int_equal(journal_read(&journal, "journal", &err), ERROR_NONE);
    FILE *out = fopen("written", "w");
    assert_non_null(out);
    assert_int_equal(journal_write(&journal, out, &err), ERROR_NONE);
    assert_int_equal(fclose(out), 0);
    journal_close(&journal, NULL);
    FILE *sorted = fopen("sorted", "r");
    assert_int_equal(fread(bytes, 1, size, sorted), size);
    fclose(sorted);
    assert_file("written", bytes, size);
    free(bytes);
}

/* ---- kills ------------------------------------------------------------------------------ */

enum { KILLS = 20, MANY = 4001 };

/* Appends what is missing, a little at a time, and reports each item once it is appended. */
_Noreturn static void work(int report)
{
    struct journal journal;
    struct error err = {0};
    struct journal_layout layout = layout_of("killed", MANY);
    if (journal_open(&journal, "journal", &layout, true, &err) != ERROR_NONE)
        _exit(1);
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t item = i * 7 % MANY; /* not in order, and each once: MANY is a prime */
        double payload[PAYLOAD];
        if (journal_has(&journal, item))
            continue;
        fill(item, payload);
        if (journal_append(&journal, item, payload, &err) != ERROR_NONE ||
            write(report, &item, sizeof item) != sizeof item)
            _exit(2);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    _exit(journal_close(&journal, &err) == ERROR_NONE ? 0 : 3);
}

/* Lets a child work and kills it `wait_us` (never: 0) after its start or, with `at_work`, after its
   first report. Marks what it reported and returns its status. */
static int let_work(long wait_us, bool at_work, bool *reported, size_t *out_count)
{
    int ends[2], status;
    uint64_t item;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* reports must not hold the work up */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        work(ends[1]);
    close(ends[1]);
    if (at_work)
        poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, -1);
    if (wait_us > 0) {
        nanosleep(&(struct timespec){.tv_nsec = wait_us * 1000}, NULL);
        kill(child, SIGKILL);
    }
    for (*out_count = 0; read(ends[0], &item, sizeof item) == sizeof item; ++*out_count) {
        assert_false(reported[item]); /* nothing reported is done again */
        reported[item] = true;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Everything reported is there with its payload; at most one more, appended and not yet reported.
   That one counts as reported from now on. */
static size_t assert_reported(bool *reported)
{
    struct journal journal;
    struct error err = {0};
    struct journal_layout layout = layout_of("killed", MANY);
    size_t more = 0;
    if (journal_open(&journal, "journal", &layout, true, &err) != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
    for (uint64_t item = 0; item < MANY; item++) {
        if (reported[item] && !journal_has(&journal, item))
            fail_msg("item %llu was reported and is lost", (unsigned long long)item);
        if (!journal_has(&journal, item))
            continue;
        assert_item(&journal, item);
        more += !reported[item];
        reported[item] = true;
    }
    assert_in_range(more, 0, 1);
    size_t done = journal.done;
    assert_int_equal(journal_close(&journal, &err), ERROR_NONE);
    return done;
}

static void a_job_killed_twenty_times_ends_with_every_item_once(void **state)
{
    static bool reported[MANY];
    struct random_stream stream = random_stream_make(20251010, 0, "test.kills");
    struct stat status;
    size_t count = 0, done = 0;
    int killed = 0, working = 0;
    for (int i = 0; i < KILLS; i++) {
        struct random_block block = random_block_at(&stream, (uint32_t)i, 0);
        long wait_us = 200 + (long)(10000.0 * random_uniform(block.word[0]));
        killed += WIFSIGNALED(let_work(wait_us, i % 4 != 0, reported, &count));
        working += count > 0;
        done = assert_reported(reported);
    }
    printf("killed %d times, %d of them at work; %zu of %d items by then\n", killed, working, done,
           MANY);
    assert_int_equal(killed, KILLS);
    assert_true(working >= KILLS * 3 / 4 && done < MANY);
    int end = let_work(0, false, reported, &count);
    assert_true(WIFEXITED(end) && WEXITSTATUS(end) == 0);
    assert_int_equal(assert_reported(reported), MANY);
    assert_int_equal(stat("journal", &status), 0);
    assert_int_equal(status.st_size, HEADER_BYTES + MANY * RECORD_BYTES);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(what_was_appended_is_read_back_bit_for_bit),
        in_folder(a_file_that_ends_at_any_byte_holds_its_whole_records),
        in_folder(zeros_at_any_place_end_the_journal),
        in_folder(a_flipped_bit_ends_the_journal_and_is_never_handed_out),
        in_folder(a_record_in_another_place_is_no_record),
        in_folder(another_scenario_is_refused_and_the_journal_kept),
        in_folder(without_resume_nothing_finished_is_overwritten),
        in_folder(what_is_no_journal_is_never_touched),
        in_folder(two_processes_do_not_write_one_journal),
        in_folder(an_item_is_finished_once),
        in_folder(a_full_disk_is_told_and_loses_nothing),
        in_folder(a_disk_without_room_for_the_header_can_be_tried_again),
        in_folder(what_cannot_be_opened_is_told),
        in_folder(memory_that_runs_out_anywhere_leaves_the_journal_as_it_was),
        in_folder(writing_anew_puts_items_in_their_order),
        in_folder(a_job_killed_twenty_times_ends_with_every_item_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
