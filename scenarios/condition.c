#include "scenarios/condition.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* In the order of enum condition_relation; a sign stands before those that it begins with. */
static const char *const signs[] = {">=", "<=", ">", "<"};

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " ");
}

bool condition_parse(const char *text, struct condition *out)
{
    struct condition parsed = {0};
    const char *at = skip_spaces(text);
    size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (length == 0 || length >= sizeof parsed.metric || *at < 'a' || *at > 'z')
        return false;
    memcpy(parsed.metric, at, length);
    at = skip_spaces(at + length);
    while (parsed.relation < 4 &&
           strncmp(at, signs[parsed.relation], strlen(signs[parsed.relation])) != 0)
        parsed.relation++;
    if (parsed.relation == 4)
        return false;
    at = skip_spaces(at + strlen(signs[parsed.relation]));
    length = strlen(at);
    while (length > 0 && at[length - 1] == ' ')
        length--;
    if (!text_to_double(at, length, false, &parsed.threshold))
        return false;
    *out = parsed;
    return true;
}

bool condition_holds(const struct condition *self, double value)
{
    switch (self->relation) {
    case CONDITION_AT_LEAST:
        return value >= self->threshold;
    case CONDITION_AT_MOST:
        return value <= self->threshold;
    case CONDITION_ABOVE:
        return value > self->threshold;
    default:
        return value < self->threshold;
    }
}

const char *condition_format(const struct condition *self, char buffer[CONDITION_TEXT_SIZE])
{
    char threshold[32];
    text_from_double(self->threshold, threshold);
    snprintf(buffer, CONDITION_TEXT_SIZE, "%s %s %s", self->metric, signs[self->relation],
             threshold);
    return buffer;
}
