/* Sweeps whose keys are right one by one and do not fit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/scenarios/scratch.h"

#define LEVELS "oi.level_usd: {from: 2e9, to: 4e9, step: 1e9}"

static const struct scratch_bad contradictions[] = {
    {"a grid without axes", NULL, "sweep: {method: grid}\n", "grid", "sweep.axes",
     "is required with this method"},
    {"axes without a method", NULL, "sweep: {axes: {" LEVELS "}}\n", "{oi", "sweep.axes",
     "expected sweep.method: grid"},
    {"axes with a list", NULL, "sweep: {method: list, list: [{}], axes: {" LEVELS "}}\n", "{oi",
     "sweep.axes", "expected sweep.list alone"},
    {"a list of no points", NULL, "sweep: {method: list}\n", "list", "sweep.list",
     "is required with method list"},
    {"a list with another method", NULL,
     "sweep: {method: grid, axes: {" LEVELS "}, list: [{fill: walk}]}\n", "[{fill", "sweep.list",
     "expected sweep.method: list"},
    {"a grid of a billion points and more", NULL,
     "sweep: {method: grid, axes: {" LEVELS ", book.crowd_tilt: {from: 0, to: 1, count: 100000}, "
     "book.pool_share: {from: 0, to: 1, count: 100000}}}\n",
     "{oi", "sweep.axes", "more than a billion points"},
    {"a comparison without a sweep", NULL, "sweep: {compare: first}\n", "first", "sweep.compare",
     "expected sweep.method: list"},
    {"a comparison in a design", NULL,
     "sweep: {method: sobol, axes: {" LEVELS "}, compare: {oi.level_usd: 2e9}}\n",
     "{oi.level_usd: 2", "sweep.compare", "expected sweep.method: grid"},
    {"a comparison with the first of a grid", NULL,
     "sweep: {method: grid, axes: {" LEVELS "}, compare: first}\n", "first", "sweep.compare",
     "of a grid expected values of axes"},
    {"a comparison with a value in a list", NULL,
     "sweep: {method: list, list: [{fill: walk}], compare: {fill: walk}}\n", "{fill: walk}}",
     "sweep.compare", "expected first"},
    {"a comparison with what is no axis", NULL,
     "sweep: {method: grid, axes: {" LEVELS "}, compare: {oi.level_coins: 2e9}}\n", "2e9}}",
     "sweep.compare", "is no axis; expected one such as oi.level_usd"},
    {"a comparison with a number beside the axis", NULL,
     "sweep: {method: grid, axes: {" LEVELS "}, compare: {oi.level_usd: 2.9e9}}\n", "2.9e9",
     "sweep.compare",
     "2900000000 is not on the axis oi.level_usd; expected one of its values, such as 3000000000"},
    {"a comparison with a word beside the axis", NULL,
     "sweep: {method: grid, axes: {oi.scale_by: [sizes]}, compare: {oi.scale_by: traders}}\n",
     "traders", "sweep.compare", "traders is not on the axis oi.scale_by"},
    {"draws of nothing", NULL, "uncertainty: {draws: 64}\n", "64", "uncertainty.draws",
     "draws nothing"},
    {"a prior of an axis", NULL,
     "sweep: {method: grid, axes: {book.crowd_tilt: [1, 2]}}\n"
     "uncertainty: {parameters: {book.crowd_tilt: {uniform: [1, 2]}}}\n",
     "{uniform", "uncertainty.parameters", "has a prior of book.crowd_tilt"},
    {"a prior of what a list sets", NULL,
     "sweep: {method: list, list: [{}, {book.crowd_tilt: 1}]}\n"
     "uncertainty: {parameters: {book.crowd_tilt: {uniform: [1, 2]}}}\n",
     "{uniform", "uncertainty.parameters", "which the points of the sweep set"},
    {"a critical value along nothing", NULL, "critical: {when: jump_share_of_oi >= 0.05}\n",
     "jump_share", "critical.along", "is required with critical.when"},
    {"a critical value of nothing", NULL,
     "sweep: {method: grid, axes: {" LEVELS "}}\ncritical: {along: oi.level_usd}\n",
     "oi.level_usd}\n", "critical.when", "is required with critical.along"},
    {"a critical value without a sweep", NULL, "critical: {along: oi.level_usd, when: a >= 1}\n",
     "oi.level_usd", "critical.along", "is no axis of a grid"},
    {"a critical value in a design", NULL,
     "sweep: {method: sobol, axes: {" LEVELS "}}\ncritical: {along: oi.level_usd, when: a < 1}\n",
     "oi.level_usd, ", "critical.along", "is no axis of a grid"},
    {"a critical value along words", NULL,
     "sweep: {method: grid, axes: {fill: [walk, final]}}\ncritical: {along: fill, when: a > 1}\n",
     "fill, when", "critical.along", "has not two or more rising numbers"},
    {"a critical value along falling numbers", NULL,
     "sweep: {method: grid, axes: {book.crowd_tilt: [2, 1]}}\n"
     "critical: {along: book.crowd_tilt, when: a <= 1}\n",
     "book.crowd_tilt, when", "critical.along", "has not two or more rising numbers"},
    {"a critical value along one number", NULL,
     "sweep: {method: grid, axes: {book.crowd_tilt: [2]}}\n"
     "critical: {along: book.crowd_tilt, when: a <= 1}\n",
     "book.crowd_tilt, when", "critical.along", "has not two or more rising numbers"},
    {"rows that are no power of two", NULL, "sensitivity: {rows: 100}\n", "100", "sensitivity.rows",
     "is no power of two"},
    {"a refinement of nothing", NULL, "critical: {refine: 1e8}\n", "1e8", "critical.refine",
     "refines nothing"},
};

static void each_contradiction_is_told_at_its_place(void **state)
{
    for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++)
        scratch_expect(&contradictions[i]);
}

/* GSL's Sobol sequence has 40 dimensions; a Latin hypercube has no end. */
static void a_sobol_design_has_at_most_40_axes(void **state)
{
    static const char *const methods[] = {"latin", "sobol"};
    for (size_t m = 0; m < 2; m++) {
        struct scenario scenario;
        struct error_list errors = {0};
        struct text_buffer text = {0};
        text_appendf(&text, "%svenues:\n", scratch_good);
        for (int v = 0; v < 41; v += 3)
            text_appendf(&text, "  - {name: v%d, oi_share: %.17g}\n", v, 1 / 14.0);
        text_appendf(&text, "sweep:\n  method: %s\n  axes:\n", methods[m]);
        for (int v = 0; v < 41; v++)
            text_appendf(&text, "    'venues[v%d].%s': {from: 0.1, to: 1}\n", v / 3 * 3,
                         v % 3 == 0   ? "reliability"
                         : v % 3 == 1 ? "cap_scale"
                                      : "depth_share");
        int code = scratch_load(&scenario, text.data, &errors);
        scratch_print(&errors);
        assert_int_equal(code, m == 0 ? ERROR_NONE : ERROR_SCENARIO);
        assert_int_equal(errors.count, m);
        if (m == 0)
            scenario_free(&scenario);
        else
            assert_non_null(strstr(errors.items[0].message, "expected at most 40"));
        text_buffer_free(&text);
        error_list_free(&errors);
    }
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_contradiction_is_told_at_its_place),
        cmocka_unit_test(a_sobol_design_has_at_most_40_axes),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
