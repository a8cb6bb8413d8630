/* The catalogue tells of every model and every parameter, and nothing else: tables of models/, the
   schema's words and keys, and the enums that index them agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/adl.h"
#include "models/depth.h"
#include "models/entry.h"
#include "models/funding.h"
#include "models/impact.h"
#include "models/leverage.h"
#include "models/liquidation.h"
#include "models/margin.h"
#include "models/price_path.h"
#include "models/size.h"
#include "scenarios/scenario.h"
#include "sim/catalogue.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static bool has_key(const char *const *keys, const char *key)
{
    for (; keys != NULL && *keys != NULL; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static int find_model(const struct catalogue_family *family, const char *name)
{
    for (int i = 0; i < family->count; i++)
        if (strcmp(family->models[i].name, name) == 0)
            return i;
    return -1;
}

/* Whether the key chooses among a family's models, or is a parameter of some. */
static bool is_told(const char *key)
{
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        if ((family->key != NULL && strcmp(family->key, key) == 0) || has_key(family->common, key))
            return true;
        for (int i = 0; i < family->count; i++)
            if (has_key(family->models[i].keys, key))
                return true;
    }
    return false;
}

/* --- models --- */

/* Each word of a choice is a model, in the words' order, and there are no others. */
static void test_models_are_the_words_of_the_schema(void **state)
{
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        if (family->key == NULL)
            continue;
        const struct schema_row *row = catalogue_row(family->key);
        if (row == NULL)
            fail_msg("%s: the schema has no %s", family->name, family->key);
        assert_int_equal(row->field.type, FIELD_CHOICE);
        for (int i = 0; i < family->count; i++) {
            if (row->field.choices[i] == NULL)
                fail_msg("%s: %s has no word for %s", family->name, family->key,
                         family->models[i].name);
            assert_string_equal(family->models[i].name, row->field.choices[i]);
        }
        if (row->field.choices[family->count] != NULL)
            fail_msg("%s: no model for the word %s", family->name,
                     row->field.choices[family->count]);
    }
}

/* The choices that decide what is computed. */
static void test_every_choice_of_models_is_a_family(void **state)
{
    static const char *const keys[] = {
        "path.model",
        "impact.model",
        "impact.depth.model",
        "book.leverage.model",
        "book.size_usd.model",
        "book.entry",
        "book.close",
        "funding.model",
        "venues[].margin",
        "venues[].liquidation",
        "venues[].adl",
        "fill",
        "feedback",
        "oi.scale_by",
        "oi.flow",
    };
    for (size_t k = 0; k < COUNT_OF(keys); k++) {
        int families = 0;
        for (int f = 0; f < catalogue_family_count; f++)
            families += catalogue_families[f].key != NULL &&
                        strcmp(catalogue_families[f].key, keys[k]) == 0;
        if (families != 1)
            fail_msg("%s chooses among the models of %d families; expected 1", keys[k], families);
    }
}

static void test_models_are_documented_and_sourced(void **state)
{
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        assert_ptr_equal(catalogue_find(family->name), family);
        assert_non_null(family->documentation);
        for (int i = 0; i < family->count; i++) {
            struct catalogue_model model;
            catalogue_model(family, i, &model);
            if (model.documentation == NULL || model.documentation[0] == '\0')
                fail_msg("%s/%s has no documentation", family->name, model.name);
            if (model.source == NULL || model.source[0] == '\0')
                fail_msg("%s/%s has no source", family->name, model.name);
        }
    }
    assert_null(catalogue_find("weather"));
}

/* A row of models/ that no scenario can choose would not be told. */
#define EVERY_ROW_IS_TOLD(family_name, table, rows)                               \
    do {                                                                          \
        const struct catalogue_family *family = catalogue_find(family_name);      \
        assert_non_null(family);                                                  \
        for (int row = 0; row < (rows); row++) {                                  \
            struct catalogue_model model;                                         \
            int i = find_model(family, (table)[row].name);                        \
            if (i < 0)                                                            \
                fail_msg("%s lacks %s", family->name, (table)[row].name);         \
            catalogue_model(family, i, &model);                                   \
            assert_string_equal(model.documentation, (table)[row].documentation); \
            assert_string_equal(model.source, (table)[row].source);               \
        }                                                                         \
    } while (0)

static void test_rows_of_models_are_all_told(void **state)
{
    EVERY_ROW_IS_TOLD("path", price_path_models, PRICE_PATH_COUNT);
    EVERY_ROW_IS_TOLD("impact", impact_models, impact_model_count);
    EVERY_ROW_IS_TOLD("depth", depth_models, depth_model_count);
    EVERY_ROW_IS_TOLD("leverage", leverage_models, leverage_model_count);
    EVERY_ROW_IS_TOLD("size", size_models, size_model_count);
    EVERY_ROW_IS_TOLD("entry", entry_models, entry_model_count);
    EVERY_ROW_IS_TOLD("funding", funding_models, funding_model_count);
    EVERY_ROW_IS_TOLD("margin", margin_formulas, margin_formula_count);
    EVERY_ROW_IS_TOLD("liquidation", liquidation_models, liquidation_model_count);
    EVERY_ROW_IS_TOLD("adl", adl_rankings, adl_ranking_count);
}

/* --- enums --- */

/* A scenario holds the place of a word; the enum of scenarios/scenario.h must call it so. */
static void test_enums_are_in_the_order_of_the_words(void **state)
{
    static const struct {
        const char *key, *word;
        int value;
    } places[] = {
        {"path.model", "observed", PATH_OBSERVED},
        {"path.model", "shock", PATH_SHOCK},
        {"path.model", "gbm", PATH_GBM},
        {"path.model", "garch", PATH_GARCH},
        {"path.model", "student_t", PATH_STUDENT_T},
        {"path.model", "merton", PATH_MERTON},
        {"path.model", "hawkes", PATH_HAWKES},
        {"path.model", "block_bootstrap", PATH_BLOCK_BOOTSTRAP},
        {"path.model", "bridge", PATH_BRIDGE},
        {"impact.model", "power", IMPACT_POWER},
        {"impact.model", "linear", IMPACT_LINEAR},
        {"impact.model", "square_root", IMPACT_SQUARE_ROOT},
        {"impact.model", "none", IMPACT_NONE},
        {"impact.depth.model", "constant", DEPTH_CONSTANT},
        {"impact.depth.model", "volatility", DEPTH_VOLATILITY},
        {"impact.depth.model", "series", DEPTH_SERIES},
        {"book.leverage.model", "pareto", LEVERAGE_PARETO},
        {"book.leverage.model", "lognormal", LEVERAGE_LOGNORMAL},
        {"book.leverage.model", "lognormal_tail", LEVERAGE_LOGNORMAL_TAIL},
        {"book.leverage.model", "tiers", LEVERAGE_TIERS},
        {"book.leverage.model", "bitmex_2019", LEVERAGE_BITMEX_2019},
        {"book.size_usd.model", "lognormal", SIZE_LOGNORMAL},
        {"book.size_usd.model", "pareto", SIZE_PARETO},
        {"book.size_usd.model", "fixed", SIZE_FIXED},
        {"book.entry", "triangular", ENTRY_TRIANGULAR},
        {"book.entry", "vwap", ENTRY_VWAP},
        {"book.close", "pro_rata", CLOSE_PRO_RATA},
        {"book.close", "disposition", CLOSE_DISPOSITION},
        {"oi.scale_by", "traders", SCALE_TRADERS},
        {"oi.scale_by", "sizes", SCALE_SIZES},
        {"oi.flow", "observed", FLOW_OBSERVED},
        {"oi.flow", "frozen", FLOW_FROZEN},
        {"funding.model", "observed", FUNDING_OBSERVED},
        {"funding.model", "premium_clamp", FUNDING_PREMIUM_CLAMP},
        {"funding.model", "linear", FUNDING_LINEAR},
        {"funding.model", "cubic", FUNDING_CUBIC},
        {"funding.model", "velocity", FUNDING_VELOCITY},
        {"venues[].margin", "linear_mark", MARGIN_LINEAR_MARK},
        {"venues[].margin", "linear_entry", MARGIN_LINEAR_ENTRY},
        {"venues[].margin", "linear_fee", MARGIN_LINEAR_FEE},
        {"venues[].margin", "inverse_entry", MARGIN_INVERSE_ENTRY},
        {"venues[].margin", "inverse_mark", MARGIN_INVERSE_MARK},
        {"venues[].margin", "hyperliquid", MARGIN_HYPERLIQUID},
        {"venues[].liquidation", "full", LIQUIDATION_FULL},
        {"venues[].liquidation", "brackets", LIQUIDATION_BRACKETS},
        {"venues[].liquidation", "share", LIQUIDATION_SHARE},
        {"venues[].liquidation", "incremental", LIQUIDATION_INCREMENTAL},
        {"venues[].liquidation", "none", LIQUIDATION_NONE},
        {"venues[].adl", "none", ADL_NONE},
        {"venues[].adl", "pnl_leverage", ADL_PNL_LEVERAGE},
        {"venues[].adl", "pnl_margin_ratio", ADL_PNL_MARGIN_RATIO},
        {"venues[].adl", "hyperliquid", ADL_HYPERLIQUID},
        {"venues[].adl", "pro_rata", ADL_PRO_RATA},
        {"venues[].adl", "lifo", ADL_LIFO},
        {"feedback", "closed", FEEDBACK_CLOSED},
        {"feedback", "open", FEEDBACK_OPEN},
        {"feedback", "naive", FEEDBACK_NAIVE},
        {"fill", "walk", FILL_WALK},
        {"fill", "final", FILL_FINAL},
    };
    size_t words = 0;
    for (size_t p = 0; p < COUNT_OF(places); p++)
        assert_string_equal(catalogue_row(places[p].key)->field.choices[places[p].value],
                            places[p].word);
    for (int f = 0; f < catalogue_family_count; f++)
        words += catalogue_families[f].key != NULL ? (size_t)catalogue_families[f].count : 0;
    assert_int_equal(words, COUNT_OF(places)); /* none is left out above */
}

/* Rows that say their kind stand at its place, where the engine's own enums index them. */
static void test_tables_are_in_the_order_of_their_kinds(void **state)
{
    for (int i = 0; i < impact_model_count; i++)
        assert_int_equal(impact_models[i].kind, i);
    for (int i = 0; i < depth_model_count; i++)
        assert_int_equal(depth_models[i].kind, i);
    for (int i = 0; i < funding_model_count; i++)
        assert_int_equal(funding_models[i].kind, i);
    for (int i = 0; i < liquidation_model_count; i++)
        assert_int_equal(liquidation_models[i].kind, i);
    assert_string_equal(price_path_models[PRICE_PATH_BRIDGE].name, "bridge");
    assert_string_equal(leverage_models[LEVERAGE_KIND_TIERS].name, "tiers");
    assert_string_equal(size_models[SIZE_KIND_PARETO].name, "pareto");
}

/* --- parameters --- */

static void check_keys(const struct catalogue_family *family, const char *model,
                       const char *const *keys)
{
    for (; keys != NULL && *keys != NULL; keys++) {
        if (catalogue_row(*keys) == NULL)
            fail_msg("%s/%s: the schema has no %s", family->name, model, *keys);
        if (has_key(keys + 1, *keys))
            fail_msg("%s/%s names %s twice", family->name, model, *keys);
    }
}

static void test_parameters_are_keys_of_the_schema(void **state)
{
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        check_keys(family, "*", family->common);
        for (int i = 0; i < family->count; i++) {
            struct catalogue_model model;
            catalogue_model(family, i, &model);
            assert_non_null(model.keys);
            check_keys(family, model.name, model.keys);
            for (const char *const *key = model.keys; *key != NULL && !model.bare; key++)
                if (has_key(family->common, *key))
                    fail_msg("%s/%s has %s, which all have", family->name, model.name, *key);
        }
    }
    assert_null(catalogue_row("impact.depht"));
    assert_null(catalogue_row("venues[].depht"));
}

/* A parameter has a unit, or is a pure number, and says what it is. */
static void check_row(const char *key)
{
    /* Keys of the scenario that no model of a market has: where data come from, how finely a book
       is drawn, when a run is, what a venue is called and how much is there. */
    static const char *const others[] = {
        "book.positions_from", "book.positions_per_bar", "venues[].name",
        "venues[].oi_share",   "venues[].reliability",
    };
    const struct schema_row *row = catalogue_row(key);
    assert_non_null(row);
    assert_non_null(row->field.unit);
    assert_true(row->field.documentation[0] != '\0');
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (strcmp(others[i], key) == 0)
            return;
    if (!is_told(key))
        fail_msg("no model has the parameter %s", key);
}

static void test_every_key_below_a_family_is_told(void **state)
{
    static const char *const prefixes[] = {"path.", "oi.", "book.", "impact.", "funding."};
    char key[128];
    for (size_t i = 0; i < schema_scenario.count; i++) {
        const char *name = schema_scenario.rows[i].field.name;
        for (size_t p = 0; p < COUNT_OF(prefixes); p++)
            if (strncmp(name, prefixes[p], strlen(prefixes[p])) == 0)
                check_row(name);
    }
    for (size_t i = 0; i < schema_venue.count; i++) {
        snprintf(key, sizeof key, "venues[].%s", schema_venue.rows[i].field.name);
        check_row(key);
    }
    for (size_t i = 0; i < schema_tier.count; i++) {
        snprintf(key, sizeof key, "book.leverage.tiers[].%s", schema_tier.rows[i].field.name);
        check_row(key);
    }
    for (size_t i = 0; i < schema_point.count; i++) {
        snprintf(key, sizeof key, "path.points[].%s", schema_point.rows[i].field.name);
        check_row(key);
    }
}

/* The models before the colon of "merton, hawkes: ...", a text of `length`, as a set of bits. 0
   when it does not begin with models of the family. */
static unsigned clause_models(const struct catalogue_family *family, const char *text,
                              size_t length)
{
    unsigned models = 0;
    const char *end = memchr(text, ':', length);
    while (end != NULL && text < end) {
        char word[64];
        size_t part = strcspn(text, ",:");
        snprintf(word, sizeof word, "%.*s", (int)part, text);
        int i = find_model(family, word);
        if (i < 0)
            return 0;
        models |= 1u << i;
        text += part;
        text += strspn(text, ", ");
    }
    return models;
}

/* Those of all parts of a documentation: "share: of the position; incremental: the least". */
static unsigned documented_models(const struct catalogue_family *family, const char *text)
{
    unsigned models = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ";");
        models |= clause_models(family, text, length);
        text += length;
        text += strspn(text, "; ");
    }
    return models;
}

/* What the schema says of whose parameter a key is, is what the catalogue says. */
static int check_documented(const struct catalogue_family *family, const char *key)
{
    unsigned told = 0,
             documented = documented_models(family, catalogue_row(key)->field.documentation);
    for (int i = 0; i < family->count; i++)
        told |= has_key(family->models[i].keys, key) ? 1u << i : 0;
    if (documented != 0 && documented != told)
        fail_msg("%s, \"%s\", is a parameter of other models of %s", key,
                 catalogue_row(key)->field.documentation, family->name);
    return documented != 0;
}

static void test_documentation_names_the_models_of_a_key(void **state)
{
    int checked = 0;
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        for (int i = 0; i < family->count; i++)
            for (const char *const *key = family->models[i].keys; key != NULL && *key != NULL;
                 key++)
                checked += check_documented(family, *key);
    }
    assert_true(checked > 20);
}

/* What the oracles and the pages take for granted. */
static void test_parameters_of_known_models(void **state)
{
    const struct catalogue_family *path = catalogue_find("path"), *size = catalogue_find("size");
    struct catalogue_model model;
    catalogue_model(path, find_model(path, "merton"), &model);
    assert_true(has_key(model.keys, "path.jumps.sigma_log"));
    assert_false(has_key(model.keys, "path.hawkes.branching"));
    assert_true(has_key(path->common, "path.at"));
    assert_true(catalogue_is_default(path, "observed"));
    assert_false(catalogue_is_default(path, "merton"));
    catalogue_model(size, find_model(size, "pareto"), &model);
    assert_true(has_key(model.keys, "book.size_usd.alpha"));
    assert_false(has_key(model.keys, "book.leverage.alpha"));
    assert_false(catalogue_is_default(catalogue_find("holders"), "pool"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_are_the_words_of_the_schema),
        cmocka_unit_test(test_every_choice_of_models_is_a_family),
        cmocka_unit_test(test_models_are_documented_and_sourced),
        cmocka_unit_test(test_rows_of_models_are_all_told),
        cmocka_unit_test(test_enums_are_in_the_order_of_the_words),
        cmocka_unit_test(test_tables_are_in_the_order_of_their_kinds),
        cmocka_unit_test(test_parameters_are_keys_of_the_schema),
        cmocka_unit_test(test_every_key_below_a_family_is_told),
        cmocka_unit_test(test_documentation_names_the_models_of_a_key),
        cmocka_unit_test(test_parameters_of_known_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
