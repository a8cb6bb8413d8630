#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "reports/json.h"
#include "sim/catalogue.h"
#include "sim/cli/cli.h"
#include "sim/cli/keys.h"
#include "sim/cli/models_tables.h"

#define NAMES_MAX 128
#define TABLES "brackets"

static const struct cli_command command = {
    .name = "models",
    .arguments = "[NAME]",
    .summary = "What the program computes: models, their parameters and where both are from",
    .notes =
        "NAME is a family (margin), a model (linear_mark; all that are called so), a model of\n"
        "a family (leverage/pareto), or brackets, which lists the shipped bracket tables.\n"
        "Parameters are keys of a scenario; `liqcascade scenario schema` lists all keys.\n",
    .maximum = 1,
    .json = true,
};

/* What was asked for. */
struct selection {
    const char *family; /* NULL: any */
    size_t family_length;
    const char *model; /* NULL: any */
    bool models, tables;
};

static bool selects_family(const struct selection *self, const struct catalogue_family *family)
{
    bool same =
        self->family == NULL || (strlen(family->name) == self->family_length &&
                                 memcmp(family->name, self->family, self->family_length) == 0);
    return self->models && same;
}

static bool selects(const struct selection *self, const struct catalogue_family *family, int i)
{
    return selects_family(self, family) &&
           (self->model == NULL || strcmp(family->models[i].name, self->model) == 0);
}

static int selected_count(const struct selection *self, const struct catalogue_family *family)
{
    int count = 0;
    for (int i = 0; i < family->count; i++)
        count += selects(self, family, i);
    return count;
}

/* --- the name --- */

static int unknown(const char *name, struct error *err)
{
    const char *names[NAMES_MAX] = {TABLES};
    size_t count = 1;
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        if (count < NAMES_MAX)
            names[count++] = family->name;
        for (int i = 0; i < family->count && count < NAMES_MAX; i++)
            names[count++] = family->models[i].name;
    }
    const char *slash = strchr(name, '/');
    const char *nearest = text_nearest(slash != NULL ? slash + 1 : name, names, count);
    return error_set(err, ERROR_USAGE, "\"%.60s\" is no model; %s%s%s", name,
                     nearest != NULL ? "did you mean " : "`liqcascade models` lists them",
                     nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

static int select_name(struct selection *self, const char *name, struct error *err)
{
    const char *slash = strchr(name, '/');
    int count = 0;
    bool tables = strcmp(name, TABLES) == 0;
    *self = (struct selection){.models = !tables, .tables = tables};
    if (slash != NULL || catalogue_find(name) != NULL) {
        self->family = name;
        self->family_length = slash != NULL ? (size_t)(slash - name) : strlen(name);
        self->model = slash != NULL ? slash + 1 : NULL;
    } else {
        self->model = name;
    }
    for (int f = 0; f < catalogue_family_count; f++)
        count += selected_count(self, &catalogue_families[f]);
    return count > 0 || tables ? ERROR_NONE : unknown(name, err);
}

/* --- output for people --- */

static void print_line(int indent, const char *text)
{
    printf("%*s", indent, "");
    cli_print_wrapped(indent, indent, text);
}

static void print_source(int indent, const char *source)
{
    if (source != NULL)
        cli_print_wrapped(printf("%*ssource: ", indent, ""), indent + 4, source);
}

static void print_parameter(const char *key)
{
    char expected[SCHEMA_EXPECTED_SIZE];
    const struct schema_row *row = catalogue_row(key);
    const struct field *field = &row->field;
    printf("      %s: %s\n", key, field->default_text != NULL ? field->default_text : "(required)");
    printf("          %s%s%s\n", schema_expected(row, expected), field->unit[0] != '\0' ? "; " : "",
           field->unit);
    print_line(10, field->documentation);
    print_source(10, field->source);
}

static void print_parameters(const char *const *keys)
{
    for (; keys != NULL && *keys != NULL; keys++)
        print_parameter(*keys);
}

static void print_family(const struct catalogue_family *family)
{
    int column = printf("%s", family->name);
    if (family->key != NULL)
        column += printf(" (%s)", family->key);
    column += printf(": ");
    cli_print_wrapped(column, 4, family->documentation);
}

static void print_model(const struct catalogue_family *family, int i)
{
    struct catalogue_model model;
    catalogue_model(family, i, &model);
    printf("\n  %s%s\n", model.name,
           catalogue_is_default(family, model.name) ? " (the default)" : "");
    print_line(6, model.documentation);
    print_source(6, model.source);
    print_parameters(model.keys);
}

/* Whether a common parameter means something to what is selected. */
static bool common_matters(const struct selection *selection, const struct catalogue_family *family)
{
    for (int i = 0; i < family->count; i++)
        if (selects(selection, family, i) && !family->models[i].bare)
            return family->common != NULL;
    return false;
}

static void print_common(const struct catalogue_family *family)
{
    const char *separator = ", but for ";
    printf("\n  parameters of all of %s", family->name);
    for (int i = 0; i < family->count; i++) {
        if (!family->models[i].bare)
            continue;
        printf("%s%s", separator, family->models[i].name);
        separator = " and ";
    }
    putchar('\n');
    print_parameters(family->common);
}

static void print_selected(const struct selection *selection)
{
    const char *separator = "";
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        if (selected_count(selection, family) == 0)
            continue;
        printf("%s", separator);
        separator = "\n";
        print_family(family);
        for (int i = 0; i < family->count; i++)
            if (selects(selection, family, i))
                print_model(family, i);
        if (common_matters(selection, family))
            print_common(family);
    }
}

static void print_overview(void)
{
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        print_family(family);
        for (int i = 0; i < family->count; i++) {
            struct catalogue_model model;
            catalogue_model(family, i, &model);
            cli_print_wrapped(printf("  %-16s ", model.name), 19, model.documentation);
        }
        putchar('\n');
    }
    cli_print_wrapped(0, 4, TABLES ": the shipped tables of maintenance margin brackets");
    puts("\n`liqcascade models NAME` tells parameters and sources.");
}

/* A rule of liquidation is called as the tables are. */
static void print_tables(const struct models_tables *tables)
{
    cli_print_wrapped(0, 4, TABLES ": the shipped tables of maintenance margin brackets");
    putchar('\n');
    models_tables_print(tables);
    puts("\nThe liquidation rule of that name: `liqcascade models liquidation/" TABLES "`.");
}

/* --- JSON --- */

static void json_parameters(struct json *json, const char *const *keys)
{
    for (; keys != NULL && *keys != NULL; keys++)
        keys_json(json, *keys, catalogue_row(*keys));
}

static void json_model(struct json *json, const struct catalogue_family *family, int i)
{
    struct catalogue_model model;
    catalogue_model(family, i, &model);
    json_object_open(json, NULL);
    json_text(json, "name", model.name);
    json_bool(json, "default", catalogue_is_default(family, model.name));
    json_text(json, "documentation", model.documentation);
    json_text(json, "source", model.source);
    json_array_open(json, "parameters");
    json_parameters(json, model.keys);
    if (!model.bare)
        json_parameters(json, family->common);
    json_array_close(json);
    json_object_close(json);
}

static void json_selected(const struct selection *selection, const struct models_tables *tables)
{
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    json_array_open(&json, "families");
    for (int f = 0; f < catalogue_family_count; f++) {
        const struct catalogue_family *family = &catalogue_families[f];
        if (selected_count(selection, family) == 0)
            continue;
        json_object_open(&json, NULL);
        json_text(&json, "name", family->name);
        json_text(&json, "key", family->key);
        json_text(&json, "documentation", family->documentation);
        json_array_open(&json, "models");
        for (int i = 0; i < family->count; i++)
            if (selects(selection, family, i))
                json_model(&json, family, i);
        json_array_close(&json);
        json_object_close(&json);
    }
    json_array_close(&json);
    models_tables_json(tables, &json);
    json_object_close(&json);
}

/* --- the command --- */

static int answer(const struct cli_arguments *arguments, const struct cli_common *common,
                  struct models_tables *tables, struct error *err)
{
    struct selection selection = {.models = true, .tables = true};
    int code = ERROR_NONE;
    if (arguments->count == 1)
        code = select_name(&selection, arguments->items[0], err);
    if (code == ERROR_NONE && selection.tables && (common->json || arguments->count == 1))
        code = models_tables_read(tables, err);
    if (code != ERROR_NONE)
        return code;
    if (common->json)
        json_selected(&selection, tables);
    else if (arguments->count == 0)
        print_overview();
    else if (selection.tables)
        print_tables(tables);
    else
        print_selected(&selection);
    return cli_flush(err);
}

int cli_models(int argc, char **argv, struct error *err)
{
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct models_tables tables = {0};
    int code = cli_parse(&command, argc, argv, NULL, &common, &arguments, err);
    if (code == ERROR_NONE && !arguments.help_shown)
        code = answer(&arguments, &common, &tables, err);
    models_tables_free(&tables);
    cli_arguments_free(&arguments);
    return code;
}
