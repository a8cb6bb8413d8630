#include "tests/sim/whole_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenarios/scratch.h"

void whole_run_file(struct whole_run *self, const char *path, const char *const sets[])
{
    struct error_list errors = {0};
    struct error err = {0};
    size_t count = 0;
    while (sets != NULL && sets[count] != NULL)
        count++;
    int code = scenario_load(&self->scenario, path, sets, count, &errors);
    scratch_print(&errors);
    assert_int_equal(code, ERROR_NONE);
    error_list_free(&errors);
    code = setup_init(&self->setup, &self->scenario, &err);
    if (code == ERROR_NONE)
        code = run_scenario(&self->setup, &self->tables, &err);
    if (code != ERROR_NONE)
        fail_msg("%s: %s", err.file, err.message);
}

void whole_run_text(struct whole_run *self, const char *text, const char *const sets[])
{
    char path[SCRATCH_PATH_SIZE];
    scratch_file("scenario.yaml", text, path);
    whole_run_file(self, path, sets);
}

void whole_run_shipped(struct whole_run *self, const char *name, const char *const sets[])
{
    char path[SCRATCH_PATH_SIZE];
    snprintf(path, sizeof path, "%s/scenarios/%s.yaml", LIQCASCADE_SOURCE_DIR, name);
    whole_run_file(self, path, sets);
}

void whole_run_free(struct whole_run *self)
{
    run_tables_free(&self->tables);
    setup_free(&self->setup);
    scenario_free(&self->scenario);
}

static const void *value_at(const void *row, const struct field *field)
{
    return (const char *)row + field->offset;
}

/* Rows hold texts by address, which two runs need not share. */
static bool same_value(const void *one, const void *other, const struct field *field)
{
    switch (field->type) {
    case FIELD_DOUBLE: {
        uint64_t bits[2];
        memcpy(&bits[0], value_at(one, field), sizeof bits[0]);
        memcpy(&bits[1], value_at(other, field), sizeof bits[1]);
        return bits[0] == bits[1];
    }
    case FIELD_BOOL:
        return *(const bool *)value_at(one, field) == *(const bool *)value_at(other, field);
    default:
        return *(const int64_t *)value_at(one, field) == *(const int64_t *)value_at(other, field);
    }
}

static void expect_same_rows(const void *one, const void *other, const struct field *fields,
                             size_t field_count, size_t size, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t f = 0; f < field_count; f++)
            if (!same_value((const char *)one + i * size, (const char *)other + i * size,
                            &fields[f]))
                fail_msg("row %zu: %s differs", i, fields[f].name);
}

void whole_run_expect_same(const struct run_tables *one, const struct run_tables *other)
{
    assert_int_equal(one->summary_count, other->summary_count);
    assert_int_equal(one->step_count, other->step_count);
    expect_same_rows(one->summary, other->summary, metrics_summary_fields,
                     metrics_summary_field_count, sizeof *one->summary, one->summary_count);
    expect_same_rows(one->steps, other->steps, metrics_step_fields, metrics_step_field_count,
                     sizeof *one->steps, one->step_count);
}
