#include <math.h>
#include <string.h>

#include "base/sobol.h"
#include "base/text.h"
#include "scenarios/checks.h"
#include "scenarios/setting.h"
#include "scenarios/value.h"

static bool bad(const struct reader *reader, const char *key)
{
    return reader_state_of(reader, key)->bad;
}

/* Reports at the place of a key; where it was not said, at that of another. */
static void report(struct reader *reader, const char *key, const char *other, const char *message)
{
    const struct tree_node *node = reader_state_of(reader, key)->node;
    if (node == NULL)
        node = reader_state_of(reader, other)->node;
    reader_report(reader, node, key, "%s", message);
}

/* The axis or prior of a key, below `group`, to point at. */
static const struct tree_node *entry_place(const struct reader *reader, const char *group,
                                           const char *key)
{
    const struct tree_node *node = reader_state_of(reader, group)->node;
    const struct tree_entry *entry = node != NULL ? tree_get(node, key) : NULL;
    return entry != NULL ? &entry->value : node;
}

/* --- points --- */

/* How many points, also where no integer holds them. */
static double count_points(const struct scenario *scenario)
{
    double points = 1;
    if (scenario->sweep.method == SWEEP_MORRIS)
        return (double)scenario->sweep.points * ((double)scenario->sweep.axis_count + 1);
    if (scenario->sweep.method != SWEEP_GRID)
        return (double)scenario->sweep.points;
    for (size_t i = 0; i < scenario->sweep.axis_count; i++)
        points *= (double)scenario->sweep.axes[i].count;
    return points;
}

static void check_axes(struct reader *reader, const struct scenario *scenario)
{
    int method = scenario->sweep.method;
    size_t axes = scenario->sweep.axis_count;
    bool takes_axes = method != SWEEP_NONE && method != SWEEP_LIST;
    if (bad(reader, "sweep.method") || bad(reader, "sweep.axes"))
        return;
    if (takes_axes && axes == 0)
        report(reader, "sweep.axes", "sweep.method",
               "is required with this method; expected a mapping such as {oi.level_usd: {from: "
               "20e9, to: 120e9, step: 2e9}}");
    if (!takes_axes && axes > 0)
        report(reader, "sweep.axes", "sweep.method",
               method == SWEEP_LIST
                   ? "is given with method list; expected sweep.list alone"
                   : "is given without a method; expected sweep.method: grid, or another");
    if (method == SWEEP_SOBOL && axes > SOBOL_DIMENSIONS_MAX)
        report(reader, "sweep.axes", "sweep.method",
               "has more axes than a Sobol sequence; expected at most 40, or method latin or "
               "morris");
    if (!bad(reader, "sweep.points") && !(count_points(scenario) <= SCENARIO_SWEEP_MAX))
        report(reader, "sweep.axes", "sweep.method",
               "makes more than a billion points; expected fewer or coarser axes");
}

static void check_list(struct reader *reader, const struct scenario *scenario)
{
    bool list = scenario->sweep.method == SWEEP_LIST;
    if (bad(reader, "sweep.method") || bad(reader, "sweep.list"))
        return;
    if (list && scenario->sweep.list_count == 0)
        report(reader, "sweep.list", "sweep.method",
               "is required with method list; expected a list such as [{impact.gamma: 0.5}]");
    if (!list && scenario->sweep.list_count > 0)
        report(reader, "sweep.list", "sweep.method",
               "is given without its method; expected sweep.method: list");
}

/* --- comparison --- */

static const struct axis *axis_named(const struct scenario *scenario, const char *key)
{
    for (size_t i = 0; i < scenario->sweep.axis_count; i++)
        if (strcmp(scenario->sweep.axes[i].key, key) == 0)
            return &scenario->sweep.axes[i];
    return NULL;
}

static const char *axis_text(const struct axis *axis, size_t i, char number[SETTING_NUMBER_SIZE])
{
    if (axis->values != NULL)
        return axis->values[i];
    return setting_from_number(setting_row(axis->key), axis_value(axis, i), number);
}

/* The value of the axis that is nearest to a number, the first to a word. */
static size_t nearest(const struct axis *axis, const char *value)
{
    char number[SETTING_NUMBER_SIZE];
    double wanted, at, least = INFINITY;
    size_t best = 0;
    if (!text_to_double(value, strlen(value), false, &wanted))
        return 0;
    for (size_t i = 0; i < axis->count; i++) {
        const char *text = axis_text(axis, i, number);
        if (text_to_double(text, strlen(text), false, &at) && fabs(at - wanted) < least) {
            least = fabs(at - wanted);
            best = i;
        }
    }
    return best;
}

static void check_compare_axis(struct reader *reader, const struct scenario *scenario,
                               const struct scenario_setting *wanted)
{
    const char *keys[READER_ROWS_MAX];
    char number[SETTING_NUMBER_SIZE], hint[VALUE_HINT_SIZE];
    size_t count = 0;
    const struct axis *axis = axis_named(scenario, wanted->key);
    const struct tree_node *place = entry_place(reader, "sweep.compare", wanted->key);
    for (size_t i = 0; i < scenario->sweep.axis_count && count < READER_ROWS_MAX; i++)
        keys[count++] = scenario->sweep.axes[i].key;
    if (axis == NULL) {
        reader_report(reader, place, "sweep.compare",
                      "names %.60s, which is no axis; expected one such as %.60s%s", wanted->key,
                      keys[0], value_hint(wanted->key, keys, count, hint));
        return;
    }
    for (size_t i = 0; i < axis->count; i++)
        if (strcmp(axis_text(axis, i, number), wanted->value) == 0)
            return;
    reader_report(reader, place, "sweep.compare",
                  "%.40s is not on the axis %.60s; expected one of its values, such as %.40s",
                  wanted->value, wanted->key,
                  axis_text(axis, nearest(axis, wanted->value), number));
}

static void check_compare(struct reader *reader, const struct scenario *scenario)
{
    const struct scenario_settings *compare = &scenario->sweep.compare;
    int method = scenario->sweep.method;
    if (bad(reader, "sweep.method") || bad(reader, "sweep.axes") || bad(reader, "sweep.compare"))
        return;
    if (method == SWEEP_GRID && scenario->sweep.axis_count == 0)
        return;
    if (compare->count > 0 && method != SWEEP_GRID) {
        report(reader, "sweep.compare", "sweep.method",
               method == SWEEP_LIST ? "names values of axes; expected first, with method list"
                                    : "names points of a grid; expected sweep.method: grid");
        return;
    }
    if (scenario->sweep.compare_first && method != SWEEP_LIST)
        report(reader, "sweep.compare", "sweep.method",
               method == SWEEP_GRID ? "is of a list; of a grid expected values of axes such as "
                                      "{oi.level_usd: 60e9}"
                                    : "is of a list; expected sweep.method: list");
    for (size_t i = 0; i < compare->count; i++)
        check_compare_axis(reader, scenario, &compare->items[i]);
}

/* --- draws --- */

static bool point_sets(const struct scenario *scenario, const char *key)
{
    for (size_t i = 0; i < scenario->sweep.axis_count; i++)
        if (strcmp(scenario->sweep.axes[i].key, key) == 0)
            return true;
    for (size_t i = 0; i < scenario->sweep.list_count; i++)
        for (size_t k = 0; k < scenario->sweep.list[i].count; k++)
            if (strcmp(scenario->sweep.list[i].items[k].key, key) == 0)
                return true;
    return false;
}

static void check_draws(struct reader *reader, const struct scenario *scenario)
{
    size_t parameters = scenario->uncertainty.parameter_count;
    if (bad(reader, "uncertainty.parameters"))
        return;
    if (!bad(reader, "uncertainty.draws") && scenario->uncertainty.draws > 1 && parameters == 0)
        report(reader, "uncertainty.draws", "uncertainty.parameters",
               "draws nothing; expected uncertainty.parameters such as {impact.gamma: {uniform: "
               "[0.5, 1.0]}}, or replicates");
    if (!bad(reader, "uncertainty.draws") && scenario->uncertainty.draws > 1 &&
        parameters > SOBOL_DIMENSIONS_MAX)
        report(reader, "uncertainty.parameters", "uncertainty.draws",
               "has more parameters than a Sobol sequence; expected at most 40, or draws: 1");
    if (bad(reader, "sweep.axes") || bad(reader, "sweep.list"))
        return;
    for (size_t i = 0; i < parameters; i++) {
        const char *key = scenario->uncertainty.parameters[i].key;
        if (point_sets(scenario, key))
            reader_report(reader, entry_place(reader, "uncertainty.parameters", key),
                          "uncertainty.parameters",
                          "has a prior of %.60s, which the points of the sweep set; expected only "
                          "one of them",
                          key);
    }
}

/* --- critical value --- */

/* Whether the values of an axis are rising numbers. */
static bool rises(const struct axis *axis)
{
    double before = -INFINITY;
    for (size_t i = 0; axis->values != NULL && i < axis->count; i++) {
        double value;
        if (!text_to_double(axis->values[i], strlen(axis->values[i]), false, &value) ||
            value <= before)
            return false;
        before = value;
    }
    return axis->count >= 2;
}

static void check_along(struct reader *reader, const struct scenario *scenario)
{
    if (bad(reader, "sweep.method") || bad(reader, "sweep.axes"))
        return;
    const struct axis *axis = axis_named(scenario, scenario->critical.along);
    if (scenario->sweep.method != SWEEP_GRID || axis == NULL)
        report(reader, "critical.along", "critical.when",
               "is no axis of a grid; expected a key of sweep.axes, and sweep.method: grid");
    else if (setting_row(axis->key)->field.type != FIELD_DOUBLE || !rises(axis))
        report(reader, "critical.along", "critical.when",
               "has not two or more rising numbers; expected an axis to look for a value on");
}

static void check_critical(struct reader *reader, const struct scenario *scenario)
{
    bool along = scenario->critical.along != NULL;
    bool when = scenario->critical.when.metric[0] != '\0';
    if (bad(reader, "critical.along") || bad(reader, "critical.when"))
        return;
    if (along && !when)
        report(reader, "critical.when", "critical.along",
               "is required with critical.along; expected a condition such as jump_share_of_oi >= "
               "0.05");
    if (when && !along)
        report(reader, "critical.along", "critical.when",
               "is required with critical.when; expected an axis such as oi.level_usd");
    if (!when && !along && !bad(reader, "critical.refine") && !isnan(scenario->critical.refine))
        report(reader, "critical.refine", "critical.along",
               "refines nothing; expected critical.along and critical.when with it");
    if (along && when)
        check_along(reader, scenario);
}

/* --- sensitivity --- */

static void check_sensitivity(struct reader *reader, const struct scenario *scenario)
{
    int64_t rows = scenario->sensitivity.rows;
    if (!bad(reader, "sensitivity.rows") && (rows & (rows - 1)) != 0)
        report(reader, "sensitivity.rows", "sensitivity.method",
               "is no power of two, which the design's balance needs; expected one such as 256");
}

void checks_sweep(struct reader *reader, const struct scenario *scenario)
{
    check_axes(reader, scenario);
    check_list(reader, scenario);
    check_compare(reader, scenario);
    check_draws(reader, scenario);
    check_critical(reader, scenario);
    check_sensitivity(reader, scenario);
}
