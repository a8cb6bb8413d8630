#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "scenarios/schema.h"
#include "tests/scenarios/scratch.h"

/* --- scenarios at random --- */

/* The n-th draw of scenario `i`, in (0, 1). */
struct dice {
    struct random_stream stream;
    uint32_t scenario, next;
};

static double roll(struct dice *dice)
{
    struct random_block block = random_block_at(&dice->stream, dice->scenario, dice->next++);
    return random_uniform53(block.word[0], block.word[1]);
}

static size_t roll_below(struct dice *dice, size_t count)
{
    return (size_t)(roll(dice) * (double)count);
}

/* A number within the bounds of a row, of any size that they allow. */
static double roll_number(struct dice *dice, const struct field *field)
{
    double low = field->minimum, high = field->maximum;
    if (low == 0 && high == 0)
        return (roll(dice) - 0.5) * 1e6;
    if (high > 1e9)
        return low > 1 ? low + roll(dice) * 1e9 : roll(dice) * 1e9;
    return low + roll(dice) * (high - low);
}

static void add_text(struct dice *dice, struct text_buffer *out)
{
    static const char *const texts[] = {"plain",
                                        "\"two words: yes # no\"",
                                        "'it''s'",
                                        "\"null\"",
                                        "\"tab\\t, line\\n, bell\\a, quote \\\", slash \\\\\"",
                                        "\"\\x85 \\u2028 \\ufeff \\U0001F600 \\uFFFE\"",
                                        "Überhang",
                                        "\" leading and trailing \"",
                                        "yes",
                                        "-5",
                                        "\"0x1f\""};
    text_append(out, texts[roll_below(dice, sizeof texts / sizeof *texts)]);
}

static void add_choice(struct dice *dice, const struct field *field, struct text_buffer *out)
{
    size_t count = 0;
    const char *word = "";
    while (field->choices[count] != NULL)
        count++;
    while (word[0] == '\0')
        word = field->choices[roll_below(dice, count)];
    text_append(out, word);
}

/* A value of a row, as a file would write it. */
static void add_value(struct dice *dice, const struct field *field, struct text_buffer *out)
{
    char text[CALENDAR_TEXT_SIZE];
    switch (field->type) {
    case FIELD_DOUBLE:
        text_appendf(out, "%.17g", roll_number(dice, field));
        break;
    case FIELD_INT64:
        text_appendf(out, "%lld", (long long)roll_number(dice, field));
        break;
    case FIELD_UINT64:
        text_appendf(out, "%llu", (unsigned long long)(roll(dice) * 1.8e19));
        break;
    case FIELD_TEXT:
        add_text(dice, out);
        break;
    case FIELD_CHOICE:
        add_choice(dice, field, out);
        break;
    case FIELD_DURATION_MS:
        text_append(out, calendar_format_duration((int64_t)roll_number(dice, field), text));
        break;
    case FIELD_BOOL:
    case FIELD_TIME_MS:
        fail();
    }
}

/* Keys whose values hang together are written by add_frame. */
static bool is_free(const struct schema_row *row)
{
    static const char *const bound[] = {
        "format",          "feedback",           "path.model",     "path.over",
        "oi.level_usd",    "oi.level_coins",     "time.step",      "time.check_step",
        "path.move_log",   "impact.depth.model", "funding.model",  "book.leverage.model",
        "sweep.method",    "uncertainty.draws",  "critical.along", "critical.refine",
        "sensitivity.rows"};
    if (row->kind != SCHEMA_VALUE || row->field.type == FIELD_TIME_MS)
        return false;
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        if (strcmp(row->field.name, bound[i]) == 0)
            return false;
    }
    return true;
}

static void add_sources(struct dice *dice, struct text_buffer *sets)
{
    static const char *const price[] = {"{source: builtin:btc-2025-autumn}",
                                        "{path: /tmp/p.csv, format: binance_klines}",
                                        "{path: \"/tmp/with # and: p-*.zip\", filters: {a: b}}"};
    static const char *const oi[] = {
        "{source: builtin:btc, unit: contracts, contract_usd: 100.5, scope: all}",
        ("{path: /o, format: generic, header: yes, time: {column: 1, as: unix_ms, zone: -03:30},"
         " columns: {oi: 5, oi_high: \"5\", volume: \"a \\\"b\\\"\"}, unit: usd}"),
        "{path: /o, filters: {venue: \"null\", \"c d\": 1}}"};
    static const char *const funding[] = {"null", "{path: /f, unit: percent, interval: 4h}"};
    text_appendf(sets, "data.price=%s\n", price[roll_below(dice, 3)]);
    text_appendf(sets, "data.oi=%s\n", oi[roll_below(dice, 3)]);
    text_appendf(sets, "data.funding=%s\n", funding[roll_below(dice, 2)]);
}

static void add_lists(struct dice *dice, struct text_buffer *sets)
{
    double low = 1 + 5 * roll(dice), share = 0.01 + 0.98 * roll(dice);
    text_appendf(sets, "book.hedged_leverage=[%.17g, %.17g]\n", low, low + roll(dice));
    text_appendf(sets,
                 "book.leverage={model: tiers, tiers: [{leverage: %.17g, weight: %.17g}, "
                 "{leverage: 3, weight: 1}]}\n",
                 1 + 100 * roll(dice), roll(dice));
    text_appendf(sets,
                 "venues=[{name: a b, oi_share: %.17g, cap_scale: %.17g}, {name: b, rules: "
                 "flat, flat_rate: 0.004, flat_max_leverage: 100, oi_share: %.17g, margin: "
                 "inverse_entry}]\n",
                 share, 0.1 + roll(dice), 1 - share);
    text_append(sets, roll(dice) < 0.5 ? "output=[positions, steps]\n" : "output=[]\n");
}

static void add_frame(struct dice *dice, struct text_buffer *sets)
{
    if (roll(dice) < 0.5)
        text_appendf(sets, "path={model: shock, move_log: %.17g, over: 30m}\n", (roll(dice) - 0.5));
    else
        text_append(sets, roll(dice) < 0.5 ? "feedback=open\n" : "feedback=naive\n");
    if (roll(dice) < 0.5)
        text_appendf(sets, "oi.level_usd=%.17g\n", 1e9 + 1e11 * roll(dice));
    else if (roll(dice) < 0.5)
        text_appendf(sets, "oi.level_coins=%.17g\n", 1e5 * roll(dice));
    else
        text_appendf(sets, "oi.levels_usd=[%.17g, 78.6e9]\n", 1e11 * roll(dice));
    if (roll(dice) < 0.3)
        text_append(sets, "impact.half_life=none\n");
}

static void add_priors(struct dice *dice, struct text_buffer *sets)
{
    double low = 0.1 + roll(dice);
    text_appendf(sets, "uncertainty.draws=%zu\n", 2 + roll_below(dice, 100));
    text_appendf(sets, "uncertainty.parameters.book.leverage.alpha={uniform: [%.17g, %.17g]}\n",
                 low, low + roll(dice));
    text_appendf(sets,
                 "uncertainty.parameters.impact.reference_move_log={lognormal: {sigma: %.17g, "
                 "median: 9e-4}}\n",
                 0.01 + roll(dice));
    text_append(sets, "uncertainty.parameters.time.wick={choice: [high_first, low_first]}\n");
    text_append(sets, "uncertainty.parameters.book.positions_from={choice: [null, a b.csv, /c]}\n");
    text_append(sets, "uncertainty.parameters.episode.quiet={triangular: [90s, 1h, 5h]}\n");
    text_append(sets, "uncertainty.parameters.book.pool_share={beta: {b: 2, a: 5}}\n");
}

static void add_sweep(struct dice *dice, struct text_buffer *sets)
{
    static const char *const methods[] = {"grid", "latin", "sobol", "morris"};
    double from = 1e9 * roll(dice), step = 1e9 * roll(dice);
    size_t kind = roll_below(dice, 6);
    if (kind == 0)
        return;
    if (kind == 1) {
        text_appendf(sets,
                     "sweep={method: list, list: [{impact.gamma: %.17g}, {}, {symbol: \"A B\"}], "
                     "compare: first}\n",
                     0.1 + roll(dice));
        return;
    }
    text_appendf(sets, "sweep.method=%s\n", methods[kind - 2]);
    text_appendf(sets, "sweep.axes.oi.level_usd={from: %.17g, to: %.17g, step: %.17g}\n", from,
                 from + 7 * step, step);
    text_appendf(sets,
                 "sweep.axes.book.size_usd.median={from: %.17g, to: 1e9, count: %zu, scale: "
                 "log}\n",
                 1 + roll(dice), 2 + roll_below(dice, 9));
    text_append(sets, "sweep.axes.oi.scale_by=[sizes, traders]\n");
    text_append(sets, "sweep.axes.path.at=[2025-10-10T21:00Z, null]\n");
    text_append(sets, "sweep.axes.impact.half_life=[none, 1.5h]\n");
    text_append(sets, "sweep.axes.book.hedged_leverage=[[1, 3], [1, 1.50]]\n");
    text_append(sets, "sweep.axes.venues[a b].cap_scale=[0.5, 1e0]\n");
    if (kind > 2)
        text_append(sets, "sweep.axes.impact.generation_time={from: 0s, to: 1m}\n");
    else
        text_append(sets, "critical={along: oi.level_usd, when: a_b<=-2e-3, refine: 1e6}\n"
                          "sweep.compare.venues[a b].cap_scale=1.0\n"
                          "sweep.compare.impact.half_life=90m\n"
                          "sweep.compare.path.at=null\n");
}

/* One `key=value` a line: about half of all keys. */
static void roll_sets(struct dice *dice, struct text_buffer *sets)
{
    add_frame(dice, sets);
    add_sources(dice, sets);
    add_lists(dice, sets);
    add_sweep(dice, sets);
    if (roll(dice) < 0.5)
        add_priors(dice, sets);
    text_append(sets, roll(dice) < 0.5 ? "baselines=[null, open]\n" : "bands.quantiles=[0, 0.9]\n");
    text_append(sets, roll(dice) < 0.5 ? "sensitivity={rows: 64, metrics: [adl_usd, oi_end_usd]}\n"
                                       : "sensitivity={method: morris, level: 0.9}\n");
    for (size_t i = 0; i < schema_scenario.count; i++) {
        const struct schema_row *row = &schema_scenario.rows[i];
        if (!is_free(row) || roll(dice) < 0.5)
            continue;
        text_appendf(sets, "%s=", row->field.name);
        add_value(dice, &row->field, sets);
        text_append(sets, "\n");
    }
    assert_false(sets->failed);
}

/* --- comparing --- */

static void same_text(char **a, char **b)
{
    if (*a == NULL || *b == NULL)
        assert_ptr_equal(*a, *b);
    else
        assert_string_equal(*a, *b);
    memory_free(*a);
    memory_free(*b);
    *a = *b = NULL;
}

static void same_source(struct source_spec *a, struct source_spec *b)
{
    assert_int_equal(a->column_count, b->column_count);
    for (size_t i = 0; i < a->column_count; i++) {
        assert_int_equal(a->columns[i].field, b->columns[i].field);
        assert_int_equal(a->columns[i].index, b->columns[i].index);
        same_text(&a->columns[i].name, &b->columns[i].name);
    }
    assert_int_equal(a->filter_count, b->filter_count);
    for (size_t i = 0; i < a->filter_count; i++) {
        same_text(&a->filters[i].column, &b->filters[i].column);
        same_text(&a->filters[i].value, &b->filters[i].value);
    }
    same_text(&a->builtin, &b->builtin);
    same_text(&a->path, &b->path);
    same_text(&a->format, &b->format);
    same_text(&a->scope, &b->scope);
    same_text(&a->time_column, &b->time_column);
    same_text(&a->time_format, &b->time_format);
    memory_free(a->columns);
    memory_free(b->columns);
    memory_free(a->filters);
    memory_free(b->filters);
    a->columns = b->columns = NULL;
    a->filters = b->filters = NULL;
}

/* Where a source was said differs between the two files, and nothing else may. */
static void forget_place(struct source_spec *spec)
{
    memory_free(spec->said_file);
    memory_free(spec->said_key);
    spec->said_file = spec->said_key = NULL;
    spec->said_line = spec->said_column = 0;
}

static void forget_files(struct scenario *s)
{
    for (size_t i = 0; i < s->file_count; i++)
        memory_free(s->files[i]);
    memory_free(s->files);
    memory_free(s->path_name);
    s->files = NULL;
    s->path_name = NULL;
    s->file_count = s->scenario_file_count = 0;
}

static void same_values(char ***a, char ***b, size_t count)
{
    assert_int_equal(*a == NULL, *b == NULL);
    for (size_t i = 0; *a != NULL && i < count; i++)
        same_text(&(*a)[i], &(*b)[i]);
    memory_free(*a);
    memory_free(*b);
    *a = *b = NULL;
}

static void same_settings(struct scenario_settings *x, struct scenario_settings *y)
{
    assert_int_equal(x->count, y->count);
    for (size_t k = 0; k < x->count; k++) {
        same_text(&x->items[k].key, &y->items[k].key);
        same_text(&x->items[k].value, &y->items[k].value);
    }
    memory_free(x->items);
    memory_free(y->items);
    x->items = y->items = NULL;
}

static void same_sweep(struct scenario *a, struct scenario *b)
{
    assert_int_equal(a->sweep.axis_count, b->sweep.axis_count);
    for (size_t i = 0; i < a->sweep.axis_count; i++) {
        struct axis *x = &a->sweep.axes[i], *y = &b->sweep.axes[i];
        same_text(&x->key, &y->key);
        assert_int_equal(x->count, y->count);
        same_values(&x->values, &y->values, x->count);
        assert_memory_equal(x, y, sizeof *x);
    }
    assert_int_equal(a->sweep.list_count, b->sweep.list_count);
    for (size_t i = 0; i < a->sweep.list_count; i++)
        same_settings(&a->sweep.list[i], &b->sweep.list[i]);
    same_settings(&a->sweep.compare, &b->sweep.compare);
    memory_free(a->sweep.axes);
    memory_free(b->sweep.axes);
    memory_free(a->sweep.list);
    memory_free(b->sweep.list);
    a->sweep.axes = b->sweep.axes = NULL;
    a->sweep.list = b->sweep.list = NULL;
}

static void same_priors(struct scenario *a, struct scenario *b)
{
    assert_int_equal(a->uncertainty.parameter_count, b->uncertainty.parameter_count);
    for (size_t i = 0; i < a->uncertainty.parameter_count; i++) {
        struct scenario_prior *x = &a->uncertainty.parameters[i];
        struct scenario_prior *y = &b->uncertainty.parameters[i];
        same_text(&x->key, &y->key);
        assert_int_equal(x->choice_count, y->choice_count);
        same_values(&x->choices, &y->choices, x->choice_count);
        assert_memory_equal(x, y, sizeof *x);
    }
    memory_free(a->uncertainty.parameters);
    memory_free(b->uncertainty.parameters);
    a->uncertainty.parameters = b->uncertainty.parameters = NULL;
}

/* Takes both apart; what is left of them must be the same bytes, which no forgotten field passes.
 */
static void assert_same_scenario(struct scenario *a, struct scenario *b)
{
    same_text(&a->title, &b->title);
    same_text(&a->symbol, &b->symbol);
    same_text(&a->book.positions_from, &b->book.positions_from);
    for (size_t i = 0; i < MARKET_INPUT_COUNT; i++) {
        same_source(&a->data.input[i], &b->data.input[i]);
        forget_place(&a->data.input[i]);
        forget_place(&b->data.input[i]);
    }
    for (size_t i = 0; i < SCENARIO_VENUES_MAX; i++) {
        same_text(&a->venues[i].name, &b->venues[i].name);
        same_text(&a->venues[i].rules, &b->venues[i].rules);
        same_text(&a->venues[i].brackets, &b->venues[i].brackets);
    }
    same_text(&a->critical.along, &b->critical.along);
    same_text(&a->events.from, &b->events.from);
    same_sweep(a, b);
    same_priors(a, b);
    forget_files(a);
    forget_files(b);
    assert_memory_equal(a, b, sizeof *a);
}

static void write_to(const struct scenario *scenario, const char *name,
                     char path[SCRATCH_PATH_SIZE])
{
    struct error err = {0};
    scratch_file(name, "", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(scenario_write(scenario, file, &err), ERROR_NONE);
    assert_int_equal(fclose(file), 0);
}

static void load_good(struct scenario *scenario, const char *path, const char *const *sets,
                      size_t count)
{
    struct error_list errors = {0};
    int code = scenario_load(scenario, path, sets, count, &errors);
    if (code != ERROR_NONE) {
        for (size_t i = 0; i < count; i++)
            print_message("    --set %s\n", sets[i]);
        scratch_print(&errors);
    }
    assert_int_equal(code, ERROR_NONE);
}

static void any_scenario_reads_back_the_same(void **state)
{
    struct dice dice = {.stream = random_stream_make(7, 0, "test.scenarios")};
    char path[SCRATCH_PATH_SIZE], again[SCRATCH_PATH_SIZE];
    scratch_file("base.yaml", scratch_good, path);
    for (dice.scenario = 0; dice.scenario < 300; dice.scenario++) {
        struct scenario first, second;
        struct text_buffer text = {0};
        const char *sets[128];
        size_t count = 0;
        dice.next = 0;
        roll_sets(&dice, &text);
        for (char *line = strtok(text.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
            sets[count++] = line;
        load_good(&first, path, sets, count);
        write_to(&first, "again.yaml", again);
        load_good(&second, again, NULL, 0);
        assert_same_scenario(&first, &second);
        text_buffer_free(&text);
    }
}

static void a_relative_path_is_written_absolute(void **state)
{
    struct scenario first, second;
    char path[SCRATCH_PATH_SIZE], again[SCRATCH_PATH_SIZE], folder[1024];
    static const char *const sets[] = {"data.price={path: some/p.csv}"};
    scratch_file("base.yaml", scratch_good, path);
    load_good(&first, path, sets, 1);
    write_to(&first, "elsewhere/again.yaml", again);
    load_good(&second, again, NULL, 0);
    assert_non_null(getcwd(folder, sizeof folder));
    assert_memory_equal(second.data.input[MARKET_PRICE].path, folder, strlen(folder));
    assert_string_equal(second.data.input[MARKET_PRICE].path + strlen(folder), "/some/p.csv");
    scenario_free(&first);
    scenario_free(&second);
}

/* Every key of the schema with the value in force, its unit and what it is. */
static void every_key_is_written_with_its_words(void **state)
{
    struct scenario scenario;
    char path[SCRATCH_PATH_SIZE], again[SCRATCH_PATH_SIZE];
    static char text[64 * 1024];
    scratch_file("base.yaml", scratch_good, path);
    load_good(&scenario, path, NULL, 0);
    write_to(&scenario, "again.yaml", again);
    scenario_free(&scenario);
    FILE *file = fopen(again, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < schema_scenario.count; i++) {
        const struct schema_row *row = &schema_scenario.rows[i];
        if (row->kind != SCHEMA_EXTENDS && strstr(text, row->field.documentation) == NULL)
            fail_msg("%s is not written", row->field.name);
    }
    assert_non_null(strstr(text, "\n  gamma: 0.76  # power: the log price moves as flow^gamma\n"));
    assert_non_null(strstr(text, "\n  half_life: 20m  # "));
    assert_non_null(strstr(text, "\n  reference_coins: 165  # coins — this net flow ...\n"));
}

static void a_full_disk_is_an_error(void **state)
{
    struct scenario scenario;
    struct error err = {0};
    char path[SCRATCH_PATH_SIZE];
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        skip();
    scratch_file("base.yaml", scratch_good, path);
    load_good(&scenario, path, NULL, 0);
    assert_int_equal(scenario_write(&scenario, full, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "No space left"));
    fclose(full);
    scenario_free(&scenario);
}

static int remove_scratch(void **state)
{
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_scenario_reads_back_the_same),
        cmocka_unit_test(a_relative_path_is_written_absolute),
        cmocka_unit_test(every_key_is_written_with_its_words),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
