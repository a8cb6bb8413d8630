/*
 * reports/doc/results.md lists the columns that the results have, as the tables of fields describe
 * them, and nothing else. With LIQCASCADE_UPDATE set in the environment the page is written anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/episode.h"
#include "sim/map_run.h"
#include "sim/metrics.h"
#include "sim/run.h"
#include "sim/study/backtest.h"
#include "sim/study/calibration.h"

static const char page_path[] = LIQCASCADE_SOURCE_DIR "/reports/doc/results.md";

struct described {
    const char *name;
    const struct field *fields;
    const size_t *count;
};

static const struct described tables[] = {
    {"summary", metrics_summary_fields, &metrics_summary_field_count},
    {"steps", metrics_step_fields, &metrics_step_field_count},
    {"episodes", episode_fields, &episode_field_count},
    {"tiers", metrics_tier_fields, &metrics_tier_field_count},
    {"venues", metrics_venue_fields, &metrics_venue_field_count},
    {"positions", metrics_position_fields, &metrics_position_field_count},
    {"adl", metrics_adl_fields, &metrics_adl_field_count},
    {"check_step", run_check_fields, &run_check_field_count},
    {"map", map_row_fields, &map_row_field_count},
    {"near", map_near_fields, &map_near_field_count},
    {"heatmap", map_heat_fields, &map_heat_field_count},
    {"calibration", calibration_fields, &calibration_field_count},
    {"backtest", backtest_row_fields, &backtest_row_field_count},
    {"scores", backtest_score_fields, &backtest_score_field_count},
    {"fits", backtest_fit_fields, &backtest_fit_field_count},
};
enum { TABLE_COUNT = sizeof tables / sizeof *tables };

static char *read_page(void)
{
    FILE *file = fopen(page_path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc((size_t)size + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

static void write_columns(FILE *out, const struct described *table)
{
    fprintf(out, "| column | unit | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < *table->count; i++) {
        const struct field *field = &table->fields[i];
        const char *unit = field->unit[0] != '\0' ? field->unit : field_type_name(field->type);
        fprintf(out, "| `%s` | %s | %s |\n", field->name, unit, field->documentation);
    }
}

/* The page with the columns between `<!-- columns NAME -->` and `<!-- end -->` replaced. */
static char *regenerate(const char *page)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (int t = 0; t < TABLE_COUNT; t++) {
        char begin[64];
        snprintf(begin, sizeof begin, "<!-- columns %s -->\n", tables[t].name);
        const char *at = strstr(page, begin);
        if (at == NULL)
            fail_msg("results.md has no place for the columns of %s, in this order", begin);
        at += strlen(begin);
        fwrite(page, 1, (size_t)(at - page), out);
        write_columns(out, &tables[t]);
        page = strstr(at, "<!-- end -->");
        assert_non_null(page);
    }
    fputs(page, out);
    fclose(out);
    return text;
}

static void the_page_lists_the_columns_that_there_are(void **state)
{
    char *page = read_page();
    char *expected = regenerate(page);
    if (getenv("LIQCASCADE_UPDATE") != NULL) {
        FILE *file = fopen(page_path, "wb");
        assert_non_null(file);
        fputs(expected, file);
        assert_int_equal(fclose(file), 0);
    } else {
        assert_string_equal(page, expected);
    }
    free(expected);
    free(page);
}

/* A cell of a Markdown table ends at a bar, so a description must have none. */
static void descriptions_fit_into_a_table(void **state)
{
    for (int t = 0; t < TABLE_COUNT; t++)
        for (size_t i = 0; i < *tables[t].count; i++) {
            const struct field *field = &tables[t].fields[i];
            assert_null(strpbrk(field->documentation, "|\n<"));
            assert_true(field->documentation[0] != '\0');
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_lists_the_columns_that_there_are),
        cmocka_unit_test(descriptions_fit_into_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
