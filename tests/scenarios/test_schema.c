#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/quality.h"
#include "scenarios/scenario.h"
#include "scenarios/schema.h"
#include "scenarios/value.h"

static const struct schema_table *const tables[] = {&schema_scenario, &schema_source,
                                                    &schema_venue,    &schema_tier,
                                                    &schema_output,   &schema_baselines};
#define TABLES (sizeof tables / sizeof *tables)

static bool is_scalar(const struct schema_row *row)
{
    return row->kind == SCHEMA_VALUE || row->kind == SCHEMA_PATH || row->kind == SCHEMA_BUILTIN ||
           row->kind == SCHEMA_ZONE || row->kind == SCHEMA_EVENTS;
}

/* Bounds are checked by value_read itself, so a default out of bounds does not read. */
static void every_default_reads_and_is_within_bounds(void **state)
{
    int read = 0;
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct schema_row *row = &tables[t]->rows[i];
            const char *text = row->field.default_text;
            union {
                struct scenario scenario;
                struct source_spec source;
                struct scenario_venue venue;
            } *record = calloc(1, sizeof *record);
            struct error err = {0};
            struct tree_node node = {.kind = YAML_SCALAR, .text = text, .file = "default"};
            assert_non_null(record);
            if (is_scalar(row) && text != NULL) {
                if (value_read(row, &node, row->field.name, record, &err) != ERROR_NONE)
                    fail_msg("%s: %s", row->field.name, err.message);
                if (row->field.type == FIELD_TEXT)
                    free(*(char **)((char *)record + row->field.offset));
                read++;
            }
            free(record);
        }
    }
    print_message("    %d defaults read\n", read);
    assert_true(read > 60);
}

static void every_key_is_described_once(void **state)
{
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct schema_row *row = &tables[t]->rows[i];
            const char *text = row->field.documentation;
            assert_non_null(row->field.unit);
            assert_true(strlen(text) > 5);
            assert_int_not_equal(text[strlen(text) - 1], '\n');
            assert_true(strstr(text, "...") != NULL || text[strlen(text) - 1] != '.');
            for (size_t k = 0; k < i; k++) {
                const struct schema_row *other = &tables[t]->rows[k];
                if (strcmp(other->field.name, row->field.name) == 0)
                    assert_int_equal(other->roles & row->roles, 0);
            }
        }
    }
}

/* A number that nobody published is called our own prior; it never goes without a word. */
static void every_number_of_the_model_has_a_source(void **state)
{
    static const char *const groups[] = {"book.", "impact.", "episode.", "branching_window_log"};
    int seen = 0;
    for (size_t i = 0; i < schema_scenario.count; i++) {
        const struct field *field = &schema_scenario.rows[i].field;
        bool number = field->type == FIELD_DOUBLE || field->type == FIELD_DURATION_MS;
        for (size_t g = 0; g < 4; g++) {
            if (!number || strncmp(field->name, groups[g], strlen(groups[g])) != 0)
                continue;
            if (field->source == NULL)
                fail_msg("%s has no source", field->name);
            seen++;
        }
    }
    assert_true(seen > 25);
}

static void defaults_are_those_of_the_models(void **state)
{
    static const struct {
        const char *key;
        double value;
    } published[] = {
        {"book.leverage.alpha", 1.0},      {"book.leverage.hazard_exponent", 0.5},
        {"book.turnover_per_hour", 0.05},  {"impact.gamma", 0.76},
        {"impact.reference_coins", 165},   {"impact.reference_move_log", 9.0e-4},
        {"impact.depth.zeta", 1},          {"impact.depth.floor", 0.02},
        {"impact.depth_oi_exponent", 0.5}, {"book.crowd_tilt", 0.3},
        {"book.hedged_short_share", 0.45}, {"book.leverage.mu", 1.3140},
        {"book.leverage.sigma", 0.6148},   {"book.leverage.tail_share", 0.085},
        {"book.size_usd.median", 13000},   {"book.size_usd.sigma", 2},
        {"branching_window_log", 0.005},   {"episode.floor_usd_per_min", 1e6},
        {"book.absorbed_by_closers", 1},   {"impact.mark_passthrough", 1},
        {"impact.permanent_share", 0},
    };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct schema_row *row = schema_find(&schema_scenario, published[i].key, 0);
        assert_non_null(row);
        assert_true(atof(row->field.default_text) == published[i].value);
    }
}

/* The words of the schema stand at the index of the enum that they mean. */
static void policies_default_to_the_strict_ones_of_the_loader(void **state)
{
    static const struct {
        const char *key;
        enum quality_flaw flaw;
    } keys[] = {{"data.on.gap", QUALITY_GAP},           {"data.on.repeat", QUALITY_REPEAT},
                {"data.on.disorder", QUALITY_DISORDER}, {"data.on.zero", QUALITY_ZERO},
                {"data.on.ohlc", QUALITY_OHLC},         {"data.on.stale", QUALITY_STALE}};
    struct quality_policies defaults = quality_policies_default();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct field *field = &schema_find(&schema_scenario, keys[i].key, 0)->field;
        assert_string_equal(field->default_text, quality_action_name(defaults.on[keys[i].flaw]));
        for (int k = 0; field->choices[k] != NULL; k++) {
            if (field->choices[k][0] != '\0')
                assert_string_equal(field->choices[k], quality_action_name((enum quality_action)k));
        }
    }
}

static void units_stand_at_the_index_of_their_enum(void **state)
{
    const struct field *amount = &schema_find(&schema_source, "unit", MARKET_OI)->field;
    const struct field *rate = &schema_find(&schema_source, "unit", MARKET_FUNDING)->field;
    assert_string_equal(amount->choices[SOURCE_UNIT_COINS], "coins");
    assert_string_equal(amount->choices[SOURCE_UNIT_USD], "usd");
    assert_string_equal(amount->choices[SOURCE_UNIT_CONTRACTS], "contracts");
    assert_string_equal(rate->choices[SOURCE_UNIT_FRACTION], "fraction");
    assert_string_equal(rate->choices[SOURCE_UNIT_PERCENT], "percent");
    assert_null(schema_find(&schema_source, "unit", MARKET_PRICE));
}

static void groups_and_children_follow_from_the_names(void **state)
{
    struct schema_names names;
    assert_true(schema_is_group(&schema_scenario, "impact.depth"));
    assert_false(schema_is_group(&schema_scenario, "impact.dep"));
    assert_false(schema_is_group(&schema_scenario, "impact.gamma"));
    schema_children(&schema_scenario, "impact.depth", 0, &names);
    assert_int_equal(names.count, 4);
    assert_string_equal(names.names[0], "model");
    assert_string_equal(names.names[3], "half_life");
    assert_string_equal(schema_find_last_part(&schema_scenario, "gamma"), "impact.gamma");
    assert_null(schema_find_last_part(&schema_scenario, "half_life")); /* two of them */
}

static void bounds_are_told_in_words(void **state)
{
    char text[SCHEMA_EXPECTED_SIZE];
    const struct schema_table *table = &schema_scenario;
    assert_string_equal(schema_expected(schema_find(table, "impact.permanent_share", 0), text),
                        "a number from 0 to 1");
    assert_string_equal(schema_expected(schema_find(table, "oi.level_usd", 0), text),
                        "a number above 0 or null");
    assert_string_equal(schema_expected(schema_find(table, "fill", 0), text), "one of walk, final");
    assert_string_equal(schema_expected(schema_find(table, "data.on.stale", 0), text),
                        "one of error, accept");
    assert_string_equal(schema_expected(schema_find(table, "time.step", 0), text),
                        "a duration such as 20m, from 1s to 1d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_reads_and_is_within_bounds),
        cmocka_unit_test(every_key_is_described_once),
        cmocka_unit_test(every_number_of_the_model_has_a_source),
        cmocka_unit_test(defaults_are_those_of_the_models),
        cmocka_unit_test(policies_default_to_the_strict_ones_of_the_loader),
        cmocka_unit_test(units_stand_at_the_index_of_their_enum),
        cmocka_unit_test(groups_and_children_follow_from_the_names),
        cmocka_unit_test(bounds_are_told_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
