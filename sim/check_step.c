#include "sim/check_step.h"

#include "base/calendar.h"
#include "base/memory.h"

static int compare(const struct run_tables *at_step, const struct run_tables *at_check,
                   struct run_tables *out, struct error *err)
{
    out->checks =
        memory_alloc(at_step->summary_count * metrics_summary_field_count, sizeof *out->checks);
    if (out->checks == NULL)
        return error_memory(err, "check_step.csv");
    for (size_t i = 0; i < at_step->summary_count; i++)
        for (size_t f = 0; metrics_number_field(f) != NULL; f++) {
            const struct field *field = metrics_number_field(f);
            double here = metrics_number(&at_step->summary[i], field);
            double there = metrics_number(&at_check->summary[i], field);
            out->checks[out->check_count++] = (struct run_check){
                .run = at_step->summary[i].run,
                .metric = (char *)field->name,
                .at_step = here,
                .at_check_step = there,
                .change = here == there ? 0.0 : there / here - 1.0,
            };
        }
    return ERROR_NONE;
}

int check_step_run(const struct setup *setup, struct run_tables *tables, struct error *err)
{
    struct scenario other = *setup->scenario; /* borrows; only the step differs */
    struct setup other_setup;
    struct run_tables other_tables;
    other.time.step_ms = other.time.check_step_ms;
    other.output.steps = other.output.positions = other.output.adl = false;
    int code = setup_init(&other_setup, &other, err);
    if (code != ERROR_NONE)
        return code;
    code = run_scenario(&other_setup, &other_tables, err);
    if (code == ERROR_NONE) {
        code = compare(tables, &other_tables, tables, err);
        run_tables_free(&other_tables);
    }
    setup_free(&other_setup);
    return code;
}
