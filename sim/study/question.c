#include "sim/study/question.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"
#include "scenarios/tree.h"
#include "scenarios/value.h"
#include "sim/study/measure.h"

enum { POINTS_MAX = 100000, ROWS_MAX = 512 };

/* ---- the key ---------------------------------------------------------------------------- */

/* The key nearest to a misspelt one, or the one that ends so. */
static const char *hint_key(const char *key, char hint[VALUE_HINT_SIZE])
{
    const char *names[ROWS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < schema_scenario.count && count < ROWS_MAX; i++)
        if (setting_allowed(&schema_scenario.rows[i]) &&
            setting_is_numeric(&schema_scenario.rows[i]))
            names[count++] = schema_scenario.rows[i].field.name;
    value_hint(key, names, count, hint);
    const char *dot = strrchr(key, '.');
    const char *elsewhere = schema_find_last_part(&schema_scenario, dot != NULL ? dot + 1 : key);
    if (hint[0] == '\0' && elsewhere != NULL && setting_row(elsewhere) != NULL)
        snprintf(hint, VALUE_HINT_SIZE, "; did you mean %s?", elsewhere);
    return hint;
}

static int refuse_venue_key(const char *key, struct error *err)
{
    char hint[VALUE_HINT_SIZE];
    struct schema_names names;
    struct tree_venue_key parts;
    if (!tree_split_venue(key, strlen(key), &parts))
        return error_at(err, ERROR_SCENARIO, "--vary", 0, 0, key,
                        "is no key of a venue; expected venues[NAME].KEY such as "
                        "venues[binance].cap_scale");
    schema_children(&schema_venue, "", 0, &names);
    return error_at(err, ERROR_SCENARIO, "--vary", 0, 0, key,
                    "unknown key of a venue; expected one such as cap_scale%s",
                    value_hint(key + parts.word, names.names, names.count, hint));
}

static int refuse_key(const char *key, struct error *err)
{
    char hint[VALUE_HINT_SIZE];
    if (setting_of_venue(key))
        return refuse_venue_key(key, err);
    if (schema_find(&schema_scenario, key, 0) != NULL)
        return error_at(err, ERROR_SCENARIO, "--vary", 0, 0, key,
                        "cannot be varied; expected a key of the market, the book or a model");
    if (schema_is_group(&schema_scenario, key))
        return error_at(err, ERROR_SCENARIO, "--vary", 0, 0, key,
                        "is a group of keys; expected one with its dots, such as impact.gamma");
    return error_at(err, ERROR_SCENARIO, "--vary", 0, 0, key,
                    "unknown key; expected a key of the scenario%s", hint_key(key, hint));
}

static int read_key(struct question *self, struct error *err)
{
    self->row = setting_row(self->key);
    if (self->row == NULL)
        return refuse_key(self->key, err);
    if (!setting_is_numeric(self->row))
        return error_at(err, ERROR_SCENARIO, "--vary", 0, 0, self->key,
                        "is no number or duration; expected a key that goes from one to another");
    return ERROR_NONE;
}

/* ---- the range -------------------------------------------------------------------------- */

/* A number, or a duration where the key is one. */
static bool read_number(const struct question *self, const char *text, size_t length, double *out)
{
    int64_t duration_ms;
    if (self->row->field.type != FIELD_DURATION_MS)
        return text_to_double(text, length, false, out);
    if (!calendar_parse_duration(text, length, &duration_ms))
        return false;
    *out = (double)duration_ms;
    return true;
}

static int check_end(const struct question *self, double value, struct error *err)
{
    char shown[SETTING_NUMBER_SIZE], expected[SCHEMA_EXPECTED_SIZE];
    const struct field *field = &self->row->field;
    bool bounded = field->minimum != 0 || field->maximum != 0;
    if (bounded && !(value >= field->minimum && value <= field->maximum))
        return error_at(err, ERROR_SCENARIO, "--range", 0, 0, self->key,
                        "%s is out of bounds; expected %s", question_value(self, value, shown),
                        schema_expected(self->row, expected));
    if (self->row->field.type == FIELD_INT64 && value != nearbyint(value))
        return error_at(err, ERROR_SCENARIO, "--range", 0, 0, self->key,
                        "%.10g is no whole number; expected %s", value,
                        schema_expected(self->row, expected));
    return ERROR_NONE;
}

static int read_range(struct question *self, const char *text, struct error *err)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL || !read_number(self, text, (size_t)(colon - text), &self->from) ||
        !read_number(self, colon + 1, strlen(colon + 1), &self->to))
        return error_at(err, ERROR_USAGE, "--range", 0, 0, NULL,
                        "'%.60s' is no range; expected A:B, two %s such as %s", text,
                        self->row->field.type == FIELD_DURATION_MS ? "durations" : "numbers",
                        self->row->field.type == FIELD_DURATION_MS ? "1m:2h" : "0:-0.4");
    int code = check_end(self, self->from, err);
    if (code == ERROR_NONE)
        code = check_end(self, self->to, err);
    if (code != ERROR_NONE)
        return code;
    if (self->from == self->to)
        return error_at(err, ERROR_USAGE, "--range", 0, 0, NULL,
                        "'%.60s' is empty; expected two different ends", text);
    if (self->log && !(self->from * self->to > 0))
        return error_at(err, ERROR_USAGE, "--range", 0, 0, NULL,
                        "'%.60s' has no ratios; with --log expected ends of one sign, and not 0",
                        text);
    return ERROR_NONE;
}

/* ---- the rest --------------------------------------------------------------------------- */

static int read_until(struct question *self, const char *text, struct error *err)
{
    char hint[VALUE_HINT_SIZE];
    if (!condition_parse(text, &self->until))
        return error_at(err, ERROR_USAGE, "--until", 0, 0, NULL,
                        "'%.60s' is no condition; expected %s", text, CONDITION_EXPECTED);
    int number = measure_number(self->until.metric);
    if (number < 0)
        return error_at(err, ERROR_USAGE, "--until", 0, 0, NULL,
                        "%s is no number of summary.csv; expected one, such as jump_share_of_oi%s",
                        self->until.metric, measure_hint(self->until.metric, hint));
    self->number = (size_t)number;
    return ERROR_NONE;
}

static int read_fineness(struct question *self, const struct question_words *words,
                         struct error *err)
{
    self->tolerance = fabs(self->to - self->from) * QUESTION_FINENESS;
    if (words->tolerance != NULL &&
        (!read_number(self, words->tolerance, strlen(words->tolerance), &self->tolerance) ||
         !(self->tolerance > 0)))
        return error_at(err, ERROR_USAGE, "--tolerance", 0, 0, NULL,
                        "'%.60s' is no tolerance; expected a %s above 0", words->tolerance,
                        self->row->field.type == FIELD_DURATION_MS ? "duration" : "number");
    if (words->points < 2 || words->points > POINTS_MAX)
        return error_at(err, ERROR_USAGE, "--points", 0, 0, NULL,
                        "%lld do not fit; expected from 2 to %d", (long long)words->points,
                        POINTS_MAX);
    self->points = (size_t)words->points;
    return ERROR_NONE;
}

int question_read(struct question *out, const struct question_words *words, struct error *err)
{
    *out = (struct question){.key = words->key, .log = words->log, .relative = words->relative};
    int code = read_key(out, err);
    if (code == ERROR_NONE)
        code = read_range(out, words->range, err);
    if (code == ERROR_NONE)
        code = read_until(out, words->until, err);
    return code == ERROR_NONE ? read_fineness(out, words, err) : code;
}

const char *question_value(const struct question *self, double value,
                           char buffer[SETTING_NUMBER_SIZE])
{
    return setting_from_number(self->row, value, buffer);
}
