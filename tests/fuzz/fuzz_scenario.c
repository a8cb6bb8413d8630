/*
 * Any bytes as a scenario: loading neither crashes nor leaks, and what loads is written as YAML
 * that loads again. The part behind the first line that is `---SET` is a --set.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scenarios/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mark[] = "\n---SET\n";

/* The memory file behind a descriptor, as a path. */
static void path_of(int descriptor, char path[64])
{
    snprintf(path, 64, "/proc/self/fd/%d", descriptor);
}

static void check_round_trip(const struct scenario *scenario)
{
    struct scenario again;
    struct error err = {0};
    struct error_list errors = {0};
    char path[64];
    int descriptor = memfd_create("again", 0);
    FILE *file = fdopen(dup(descriptor), "w");
    if (file == NULL || scenario_write(scenario, file, &err) != ERROR_NONE)
        abort();
    fclose(file);
    path_of(descriptor, path);
    if (scenario_load(&again, path, NULL, 0, &errors) != ERROR_NONE) {
        for (size_t i = 0; i < errors.count; i++)
            fprintf(stderr, "%ld:%ld: %s: %s\n", errors.items[i].line, errors.items[i].column,
                    errors.items[i].key, errors.items[i].message);
        abort();
    }
    if (again.seed != scenario->seed || strcmp(again.title, scenario->title) != 0 ||
        again.venue_count != scenario->venue_count)
        abort();
    scenario_free(&again);
    close(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario scenario;
    struct error_list errors = {0};
    char path[64];
    const uint8_t *at = size > 0 ? memmem(data, size, mark, sizeof mark - 1) : NULL;
    size_t length = at != NULL ? (size_t)(at - data) : size;
    char *set = at != NULL
                    ? strndup((const char *)at + sizeof mark - 1, size - length - (sizeof mark - 1))
                    : NULL;
    const char *sets[] = {set};
    int descriptor = memfd_create("scenario", 0);
    if (descriptor < 0 || write(descriptor, data, length) != (ssize_t)length)
        abort();
    path_of(descriptor, path);
    int code = scenario_load(&scenario, path, sets, set != NULL, &errors);
    if ((code == ERROR_NONE) != (errors.count == 0))
        abort();
    if (code == ERROR_NONE) {
        check_round_trip(&scenario);
        scenario_free(&scenario);
    }
    error_list_free(&errors);
    close(descriptor);
    free(set);
    return 0;
}
