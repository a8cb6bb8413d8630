#include "tests/scenarios/scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

const char scratch_good[] = "format: 1\n"
                            "title: a test\n"
                            "symbol: BTCUSDT\n"
                            "time:\n"
                            "  warmup: 2025-09-01T00:00Z\n"
                            "  start: 2025-10-10T20:00Z\n"
                            "  end: 2025-10-11T02:00Z\n"
                            "data:\n"
                            "  price: {source: builtin:btc-2025-autumn}\n"
                            "  oi: {source: builtin:btc-2025-autumn, unit: usd}\n"
                            "impact: {gamma: 0.76, half_life: 20m}\n";

static char folder_name[64];

const char *scratch_folder(void)
{
    if (folder_name[0] == '\0') {
        strcpy(folder_name, "/tmp/liqcascade-test-XXXXXX");
        assert_non_null(mkdtemp(folder_name));
    }
    return folder_name;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

void scratch_remove(void)
{
    if (folder_name[0] != '\0')
        nftw(folder_name, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    folder_name[0] = '\0';
}

void scratch_file(const char *name, const char *text, char path[SCRATCH_PATH_SIZE])
{
    snprintf(path, SCRATCH_PATH_SIZE, "%s/%s", scratch_folder(), name);
    for (char *slash = path + strlen(folder_name) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *scratch_replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *out = NULL;
    if (at == NULL)
        fail_msg("the text to replace is not there: %s", from);
    if (asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0)
        fail();
    return out;
}

void scratch_place(const char *text, const char *piece, long *line, long *column)
{
    const char *at = strstr(text, piece);
    if (at == NULL || strstr(at + 1, piece) != NULL)
        fail_msg("not exactly once in the text: %s", piece);
    *line = 1;
    *column = 1;
    for (const char *here = text; here < at; here++) {
        *column = *here == '\n' ? 1 : *column + 1;
        *line += *here == '\n';
    }
}

int scratch_load(struct scenario *scenario, const char *text, struct error_list *errors)
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file("scenario.yaml", text, path);
    return scenario_load(scenario, path, NULL, 0, errors);
}

void scratch_load_good(struct scenario *scenario, const char *text)
{
    struct error_list errors = {0};
    int code = scratch_load(scenario, text, &errors);
    scratch_print(&errors);
    assert_int_equal(errors.count, 0);
    assert_int_equal(code, ERROR_NONE);
    error_list_free(&errors);
}

void scratch_print(const struct error_list *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        char text[1024];
        error_format(&errors->items[i], text, sizeof text);
        print_message("    %s\n", text);
    }
}

void scratch_expect(const struct scratch_bad *bad)
{
    struct scenario scenario;
    struct error_list errors = {0};
    long line, column;
    const char *last_line = "impact: {gamma: 0.76, half_life: 20m}\n";
    char added[2048];
    snprintf(added, sizeof added, "%s%s", last_line, bad->to);
    char *text = bad->from != NULL ? scratch_replace(scratch_good, bad->from, bad->to)
                                   : scratch_replace(scratch_good, last_line, added);
    print_message("    %s\n", bad->name);
    scratch_place(text, bad->at, &line, &column);
    int code = scratch_load(&scenario, text, &errors);
    if (errors.count != 1)
        scratch_print(&errors);
    assert_int_equal(errors.count, 1);
    const struct error *err = &errors.items[0];
    if (err->line != line || err->column != column || strcmp(err->key, bad->key) != 0 ||
        strstr(err->message, bad->says) == NULL) {
        scratch_print(&errors);
        fail_msg("expected %ld:%ld: %s: ... %s", line, column, bad->key, bad->says);
    }
    assert_int_equal(code, ERROR_SCENARIO);
    assert_int_equal(err->code, ERROR_SCENARIO);
    assert_non_null(strstr(err->file, "/scenario.yaml"));
    error_list_free(&errors);
    free(text);
}
