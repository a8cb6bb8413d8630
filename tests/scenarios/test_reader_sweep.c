/* What axes, lists, priors, bands and conditions must not say: each with one error at its place. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenarios/scratch.h"

#define GRID(axes) "sweep: {method: grid, axes: {" axes "}}\n"
#define SOBOL(axes) "sweep: {method: sobol, axes: {" axes "}}\n"
#define PRIOR(priors) "uncertainty: {draws: 2, parameters: {" priors "}}\n"
#define VENUE "venues: [{name: a, oi_share: 1}]\n"

static const struct scratch_bad bad_files[] = {
    {"an axis of a misspelt key", NULL, GRID("oi.levl_usd: [1e9]"), "oi.levl_usd",
     "sweep.axes.oi.levl_usd",
     "unknown key; expected a key of the scenario; did you mean "
     "oi.level_usd?"},
    {"an axis that forgets its group", NULL, GRID("crowd_tilt: [1]"), "crowd_tilt",
     "sweep.axes.crowd_tilt", "did you mean book.crowd_tilt?"},
    {"an axis without dots", NULL, GRID("oi: {level_usd: [1e9]}"), "oi: {level", "sweep.axes.oi",
     "is a group of keys; expected one with its dots"},
    {"an axis of what a study is", NULL, GRID("replicates: [1, 2]"), "replicates",
     "sweep.axes.replicates", "cannot be varied"},
    {"an axis of axes", NULL, GRID("sweep.points: [1, 2]"), "sweep.points",
     "sweep.axes.sweep.points", "cannot be varied"},
    {"an axis of a source", NULL, GRID("data.mark: [null]"), "data.mark", "sweep.axes.data.mark",
     "cannot be varied"},
    {"an axis of one value", NULL, GRID("impact.permanent_share: 0.25"), "0.25",
     "sweep.axes.impact.permanent_share", "is one value; expected a list"},
    {"an axis without values", NULL, GRID("impact.permanent_share: []"), "[]",
     "sweep.axes.impact.permanent_share", "expected a list of at least one"},
    {"a value out of bounds", NULL, GRID("impact.permanent_share: [0.5, 1.5]"), "1.5",
     "sweep.axes.impact.permanent_share", "'1.5' is out of bounds; expected a number from 0 to 1"},
    {"a word that is no choice", NULL, GRID("oi.scale_by: [traders, size]"), "size]",
     "sweep.axes.oi.scale_by", "did you mean sizes?"},
    {"a value twice in two ways of writing", NULL, GRID("oi.level_usd: [2e9, 2000000000]"),
     "2000000000", "sweep.axes.oi.level_usd", "holds 2000000000 twice"},
    {"a list in a value that is a list", NULL, GRID("book.hedged_leverage: [[1, 3], [5, 2]]"),
     "[5, 2]", "sweep.axes.book.hedged_leverage", "falls; expected a list [low, high]"},
    {"a venue that is not there", NULL, VENUE GRID("'venues[b].cap_scale': [1]"), "'venues[b]",
     "sweep.axes.venues[b].cap_scale", "names a venue that the scenario does not list"},
    {"a venue's misspelt key", NULL, VENUE GRID("'venues[a].cap_scal': [1]"), "'venues[a]",
     "sweep.axes.venues[a].cap_scal", "did you mean cap_scale?"},
    {"a venue's name", NULL, VENUE GRID("'venues[a].name': [b]"), "'venues[a]",
     "sweep.axes.venues[a].name", "unknown key of a venue"},
    {"a venue without brackets", NULL, VENUE GRID("'venues[a': [1]"), "'venues[a'",
     "sweep.axes.venues[a", "expected venues[NAME].KEY"},
    {"a venue's value out of bounds", NULL, VENUE GRID("'venues[a].cap_scale': [-7]"), "-7",
     "sweep.axes.venues[a].cap_scale", "out of bounds"},

    {"a comparison with a misspelt key", NULL,
     "sweep: {method: grid, axes: {oi.level_usd: [1e9]}, compare: {oi.levl_usd: 1e9}}\n",
     "oi.levl_usd", "sweep.compare.oi.levl_usd", "did you mean oi.level_usd?"},
    {"a comparison with a value of another kind", NULL,
     "sweep: {method: grid, axes: {oi.level_usd: [1e9]}, compare: {oi.level_usd: much}}\n", "much",
     "sweep.compare.oi.level_usd", "expected a number"},
    {"a comparison with a word", NULL, "sweep: {compare: last}\n", "last", "sweep.compare",
     "expected a mapping such as {oi.level_usd: 60e9}, first or null"},
    {"a comparison with nothing", NULL, "sweep: {compare: {}}\n", "{}}", "sweep.compare",
     "expected a mapping such as {oi.level_usd: 60e9}, first or null"},

    {"a range of words", NULL, GRID("fill: {from: walk, to: final, count: 2}"), "{from",
     "sweep.axes.fill", "has no numbers to make a range of"},
    {"an empty range", NULL, GRID("oi.level_usd: {from: 3e9, to: 2e9, step: 1e9}"), "2e9",
     "sweep.axes.oi.level_usd", "is empty; expected from below to"},
    {"a range of one point", NULL, GRID("oi.level_usd: {from: 3e9, to: 30e8, step: 1e9}"), "30e8",
     "sweep.axes.oi.level_usd", "is empty"},
    {"a range without an end", NULL, GRID("oi.level_usd: {from: 3e9, step: 1e9}"), "{from",
     "sweep.axes.oi.level_usd", "has not both ends"},
    {"a range out of bounds", NULL, GRID("impact.permanent_share: {from: 0, to: 4, step: 1}"),
     "4, st", "sweep.axes.impact.permanent_share", "'4' is out of bounds"},
    {"a step that misses the end", NULL,
     GRID("impact.permanent_share: {from: 0, to: 1, step: 0.3}"), "0.3",
     "sweep.axes.impact.permanent_share", "does not lead from one end to the other"},
    {"a step back", NULL, GRID("impact.permanent_share: {from: 0, to: 1, step: -0.5}"), "-0.5",
     "sweep.axes.impact.permanent_share", "out of bounds; expected a number above 0"},
    {"a step and a count", NULL,
     GRID("impact.permanent_share: {from: 0, to: 1, step: 0.5, count: 3}"), "3}}",
     "sweep.axes.impact.permanent_share", "has a step and a count"},
    {"a count of one", NULL, GRID("impact.permanent_share: {from: 0, to: 1, count: 1}"), "1}}",
     "sweep.axes.impact.permanent_share", "expected a whole number from 2 to"},
    {"a step of factors", NULL, GRID("oi.level_usd: {from: 1e9, to: 9e9, step: 2e9, scale: log}"),
     "2e9", "sweep.axes.oi.level_usd", "with scale: log expected a count"},
    {"a logarithm of nothing", NULL,
     GRID("impact.permanent_share: {from: 0, to: 1, count: 3, scale: log}"), "0, to",
     "sweep.axes.impact.permanent_share", "has a logarithm of 0"},
    {"another scale", NULL,
     GRID("impact.permanent_share: {from: 0, to: 1, count: 3, scale: square}"), "square",
     "sweep.axes.impact.permanent_share", "expected log or linear"},
    {"another word in a range", NULL, GRID("impact.permanent_share: {from: 0, to: 1, stp: 1}"),
     "stp", "sweep.axes.impact.permanent_share", "is no part of a range"},
    {"parts of whole numbers", NULL, GRID("book.positions_per_bar: {from: 10, to: 20, count: 4}"),
     "4}}", "sweep.axes.book.positions_per_bar", "makes values between whole numbers"},
    {"a range of durations without units", NULL,
     SOBOL("impact.generation_time: {from: 30, to: 1m}"), "30", "sweep.axes.impact.generation_time",
     "is not a duration"},
    {"a grid on a range as a whole", NULL, GRID("impact.permanent_share: {from: 0, to: 1}"),
     "{from", "sweep.axes.impact.permanent_share", "with method grid expected step or count"},
    {"axes in a list", NULL, "sweep: {method: grid, axes: [impact.gamma]}\n", "[impact",
     "sweep.axes", "a list does not fit; expected a mapping such as"},

    {"a list of numbers", NULL, "sweep: {method: list, list: [33]}\n", "33", "sweep.list[0]",
     "'33' does not fit; expected a mapping"},
    {"a misspelt key in a list", NULL, "sweep: {method: list, list: [{}, {impact.gama: 1}]}\n",
     "impact.gama", "sweep.list[1].impact.gama", "did you mean impact.gamma?"},
    {"a wrong value in a list", NULL, "sweep: {method: list, list: [{impact.gamma: much}]}\n",
     "much", "sweep.list[0].impact.gamma", "is not a number"},

    {"a prior of a misspelt key", NULL, PRIOR("impact.gama: {uniform: [0, 1]}"), "impact.gama",
     "uncertainty.parameters.impact.gama", "did you mean impact.gamma?"},
    {"a misspelt prior", NULL, PRIOR("book.crowd_tilt: {unifrom: [0, 1]}"), "{unifrom",
     "uncertainty.parameters.book.crowd_tilt", "did you mean uniform?"},
    {"a prior that is a number", NULL, PRIOR("book.crowd_tilt: 1"), "1}}",
     "uncertainty.parameters.book.crowd_tilt", "is no prior; expected one such as"},
    {"a uniform of one end", NULL, PRIOR("book.crowd_tilt: {uniform: [3]}"), "[3]",
     "uncertainty.parameters.book.crowd_tilt", "a list does not fit; expected {uniform: [0.5"},
    {"a normal in a list", NULL, PRIOR("book.crowd_tilt: {normal: [1, 1]}"), "[1, 1]",
     "uncertainty.parameters.book.crowd_tilt", "expected {normal: {mean:"},
    {"a normal without sigma", NULL, PRIOR("book.crowd_tilt: {normal: {mean: 1, sgma: 2}}"),
     "{mean", "uncertainty.parameters.book.crowd_tilt", "expected {normal: {mean:"},
    {"a uniform that falls", NULL, PRIOR("book.crowd_tilt: {uniform: [2, 1]}"), "[2, 1]",
     "uncertainty.parameters.book.crowd_tilt", "no room between its ends"},
    {"a uniform out of bounds", NULL, PRIOR("book.crowd_tilt: {uniform: [2, 17]}"), "17",
     "uncertainty.parameters.book.crowd_tilt", "'17' is out of bounds"},
    {"a normal that is mostly out of bounds", NULL,
     PRIOR("book.crowd_tilt: {normal: {mean: -3, sigma: 1}}"), "{mean",
     "uncertainty.parameters.book.crowd_tilt", "of its weight within the bounds"},
    {"a distribution of words", NULL, PRIOR("fill: {uniform: [0, 1]}"), "[0, 1]",
     "uncertainty.parameters.fill", "has no numbers to draw from"},
    {"a choice of nothing", NULL, PRIOR("fill: {choice: []}"), "[]", "uncertainty.parameters.fill",
     "expected a list of at least one"},
    {"a choice of a wrong word", NULL, PRIOR("fill: {choice: [walk, run]}"), "run",
     "uncertainty.parameters.fill", "is not a choice"},
    {"a prior of a duration without unit", NULL, PRIOR("episode.quiet: {uniform: [10m, 25]}"),
     "25]", "uncertainty.parameters.episode.quiet", "is not a duration"},

    {"a metric in capitals", NULL, "sensitivity: {metrics: [adl_usd, OI]}\n", "OI",
     "sensitivity.metrics", "'OI' is no number of the summary"},
    {"a metric twice", NULL, "sensitivity: {metrics: [oi, adl_usd, oi]}\n", "oi]",
     "sensitivity.metrics", "names oi twice"},
    {"no metric", NULL, "sensitivity: {metrics: []}\n", "[]", "sensitivity.metrics", "has 0 items"},
    {"a method of sensitivity that there is not", NULL, "sensitivity: {method: sobl}\n", "sobl",
     "sensitivity.method", "did you mean sobol?"},
    {"an interval of everything", NULL, "sensitivity: {level: 1}\n", "1}", "sensitivity.level",
     "0.9999"},
    {"a prior of the study itself", NULL,
     "uncertainty: {parameters: {sensitivity.level: {uniform: [0.5, 0.9]}}}\n", "sensitivity.level",
     "uncertainty.parameters.sensitivity.level", "cannot be varied"},
    {"quantiles that fall", NULL, "bands: {quantiles: [0.5, 0.25]}\n", "0.25", "bands.quantiles",
     "does not rise"},
    {"a quantile above one", NULL, "bands: {quantiles: [0.5, 95]}\n", "95", "bands.quantiles",
     "out of bounds; expected a number from 0 to 1"},
    {"no quantile", NULL, "bands: {quantiles: []}\n", "[]", "bands.quantiles", "has 0 items"},
    {"an unknown baseline", NULL, "baselines: [opne]\n", "opne", "baselines",
     "'opne' is not a baseline; expected one of open, naive, least, null; did you mean open?"},
    {"a condition without a number", NULL,
     "critical: {along: impact.gamma, when: jump_share_of_oi >= much}\n", "jump_share",
     "critical.when", "expected METRIC >= NUMBER"},
};

static void each_bad_sweep_gives_one_error_at_its_place(void **state)
{
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++)
        scratch_expect(&bad_files[i]);
    print_message("    %zu\n", sizeof bad_files / sizeof *bad_files);
}

static void all_errors_of_a_sweep_come_at_once(void **state)
{
    struct scenario scenario;
    struct error_list errors = {0};
    char *text = scratch_replace(scratch_good, "impact:",
                                 "sweep: {method: grid, axes: {impact.gama: [1], fill: [run]}}\n"
                                 "uncertainty: {parameters: {oi.flow: {uniform: [0, 1]}}}\n"
                                 "bands: {quantiles: [7]}\nimpact:");
    assert_int_equal(scratch_load(&scenario, text, &errors), ERROR_SCENARIO);
    assert_int_equal(errors.count, 4);
    error_list_free(&errors);
    free(text);
}

/* The example of the documentation, as it is read. */
static void the_sweep_over_open_interest_is_read(void **state)
{
    struct scenario s;
    char *text = scratch_replace(
        scratch_good, "impact:",
        "sweep:\n  method: grid\n  axes:\n"
        "    oi.level_usd: {from: 20e9, to: 120e9, step: 2e9}\n"
        "    oi.scale_by: [traders, sizes]\n"
        "uncertainty:\n  draws: 64\n  parameters:\n"
        "    impact.reference_move_log: {lognormal: {median: 9.0e-4, sigma: 0.2}}\n"
        "    impact.depth_oi_exponent: {choice: [0, 0.5, 1]}\n"
        "    book.leverage.alpha: {uniform: [0.8, 1.6]}\n"
        "bands: {quantiles: [0.05, 0.25, 0.5, 0.75, 0.95], over: draws}\n"
        "baselines: [open, null]\n"
        "critical:\n  along: oi.level_usd\n  when: jump_share_of_oi >= 0.05\n  refine: 1e8\n"
        "sensitivity: {method: morris, trajectories: 8, metrics: [adl_usd, oi_end_usd]}\n"
        "output: [summary, sweep, critical]\nimpact:");
    scratch_load_good(&s, text);
    assert_int_equal(s.sweep.method, SWEEP_GRID);
    assert_int_equal(s.sweep.axis_count, 2);
    assert_int_equal(s.sweep.axes[0].count, 51);
    assert_string_equal(s.sweep.axes[1].values[1], "sizes");
    assert_int_equal(s.uncertainty.draws, 64);
    assert_int_equal(s.uncertainty.parameter_count, 3);
    assert_int_equal(s.uncertainty.parameters[0].law.family, PRIORS_LOGNORMAL);
    assert_true(s.uncertainty.parameters[0].law.parameter[0] == 9e-4);
    assert_true(s.uncertainty.parameters[0].law.parameter[1] == 0.2);
    assert_int_equal(s.uncertainty.parameters[1].choice_count, 3);
    assert_string_equal(s.uncertainty.parameters[1].choices[1], "0.5");
    assert_int_equal(s.bands.quantile_count, 5);
    assert_true(s.bands.quantiles[4] == 0.95);
    assert_int_equal(s.bands.over, 0);
    assert_true(s.baselines.open && s.baselines.null && !s.baselines.naive);
    assert_string_equal(s.critical.along, "oi.level_usd");
    assert_string_equal(s.critical.when.metric, "jump_share_of_oi");
    assert_int_equal(s.critical.when.relation, CONDITION_AT_LEAST);
    assert_true(s.critical.when.threshold == 0.05);
    assert_true(s.critical.refine == 1e8);
    assert_int_equal(s.sensitivity.method, SENSITIVITY_MORRIS);
    assert_int_equal(s.sensitivity.trajectories, 8);
    assert_int_equal(s.sensitivity.rows, 256);
    assert_int_equal(s.sensitivity.metric_count, 2);
    assert_string_equal(s.sensitivity.metrics[0], "adl_usd");
    assert_string_equal(s.sensitivity.metrics[1], "oi_end_usd");
    assert_true(s.output.sweep && s.output.critical && s.output.summary && !s.output.steps);
    scenario_free(&s);
    free(text);
}

static void nothing_is_swept_unless_it_is_said(void **state)
{
    struct scenario s;
    scratch_load_good(&s, scratch_good);
    assert_int_equal(s.sweep.method, SWEEP_NONE);
    assert_int_equal(s.uncertainty.draws, 1);
    assert_int_equal(s.bands.quantile_count, 5);
    assert_int_equal(s.bands.over, 2);
    assert_false(s.baselines.open || s.baselines.naive || s.baselines.null);
    assert_null(s.critical.along);
    assert_int_equal(strlen(s.critical.when.metric), 0);
    assert_true(isnan(s.critical.refine));
    scenario_free(&s);
}

/* --- over other files and on the command line --- */

static void load_over(struct scenario *scenario, const char *over, const char *const *sets,
                      size_t count)
{
    struct error_list errors = {0};
    char path[SCRATCH_PATH_SIZE], *text = NULL;
    assert_true(asprintf(&text, "%s%s", scratch_good,
                         "venues: [{name: a, oi_share: 0.5}, {name: b, oi_share: 0.5}]\n"
                         "sweep: {method: grid, axes: {oi.level_usd: {from: 2e9, to: 4e9, step: "
                         "1e9}, fill: [walk, final]}}\n") > 0);
    scratch_file("base.yaml", text, path);
    scratch_file("over.yaml", over, path);
    scenario_load(scenario, path, sets, count, &errors);
    scratch_print(&errors);
    assert_int_equal(errors.count, 0);
    free(text);
}

/* A range is not mixed with the range that it replaces, and null takes an axis away. */
static void an_axis_replaces_the_inherited_one_as_a_whole(void **state)
{
    struct scenario s;
    load_over(&s,
              "extends: base.yaml\n"
              "sweep: {axes: {oi.level_usd: {from: 2e9, to: 8e9, count: 4}, fill: null}}\n",
              NULL, 0);
    assert_int_equal(s.sweep.axis_count, 1);
    assert_int_equal(s.sweep.axes[0].count, 4);
    assert_true(isnan(s.sweep.axes[0].step));
    scenario_free(&s);
}

static void the_command_line_sets_axes_priors_and_keys_of_a_venue(void **state)
{
    static const char *const sets[] = {"sweep.axes.oi.level_usd=[1e9]",
                                       "sweep.axes.impact.gamma=[0.5, 0.6]",
                                       "uncertainty.parameters.impact.depth.zeta={uniform: [1, 2]}",
                                       "venues[b].cap_scale=0.25", "venues[b].rules=bybit"};
    struct scenario s;
    load_over(&s, "extends: base.yaml\n", sets, 5);
    assert_int_equal(s.sweep.axis_count, 3);
    assert_int_equal(s.sweep.axes[0].count, 1);
    assert_string_equal(s.sweep.axes[2].key, "impact.gamma");
    assert_string_equal(s.uncertainty.parameters[0].key, "impact.depth.zeta");
    assert_true(s.venues[0].cap_scale == 1);
    assert_true(s.venues[1].cap_scale == 0.25);
    assert_string_equal(s.venues[1].rules, "bybit");
    scenario_free(&s);
}

static void a_venue_that_is_not_listed_cannot_be_set(void **state)
{
    static const char *const sets[] = {"venues[nowhere].cap_scale=2"};
    struct scenario s;
    struct error_list errors = {0};
    char path[SCRATCH_PATH_SIZE];
    scratch_file("scenario.yaml", scratch_good, path);
    assert_int_equal(scenario_load(&s, path, sets, 1, &errors), ERROR_SCENARIO);
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.items[0].message, "names a venue that the scenario"));
    error_list_free(&errors);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_sweep_gives_one_error_at_its_place),
        cmocka_unit_test(all_errors_of_a_sweep_come_at_once),
        cmocka_unit_test(the_sweep_over_open_interest_is_read),
        cmocka_unit_test(nothing_is_swept_unless_it_is_said),
        cmocka_unit_test(an_axis_replaces_the_inherited_one_as_a_whole),
        cmocka_unit_test(the_command_line_sets_axes_priors_and_keys_of_a_venue),
        cmocka_unit_test(a_venue_that_is_not_listed_cannot_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
