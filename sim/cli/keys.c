#include "sim/cli/keys.h"

#include <math.h>

static void json_choices(struct json *json, const struct field *field)
{
    json_array_open(json, "choices");
    for (const char *const *word = field->choices; word != NULL && *word != NULL; word++) {
        if (**word != '\0')
            json_text(json, NULL, *word);
    }
    json_array_close(json);
}

void keys_json(struct json *json, const char *key, const struct schema_row *row)
{
    const struct field *field = &row->field;
    bool bounded = field->minimum != 0 || field->maximum != 0;
    bool above_zero = field->minimum == SCHEMA_ABOVE_ZERO;
    json_object_open(json, NULL);
    json_text(json, "key", key);
    json_text(json, "type", schema_type_name(row));
    json_text(json, "unit", field->unit);
    json_bool(json, "required", field->default_text == NULL);
    json_text(json, "default", field->default_text);
    json_number(json, "minimum", !bounded ? NAN : above_zero ? 0 : field->minimum);
    json_bool(json, "minimum_exclusive", above_zero);
    json_number(json, "maximum", bounded ? field->maximum : NAN);
    json_choices(json, field);
    json_text(json, "documentation", field->documentation);
    json_text(json, "source", field->source);
    json_object_close(json);
}
