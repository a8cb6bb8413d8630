#include "sim/cli/data_events.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"
#include "datasets/events.h"
#include "reports/json.h"
#include "sim/cli/cli.h"

struct options {
    const char *from;
};

static const struct cli_option options[] = {
    {"from", 0, "FILE", "events of your own, in the same columns (builtin:events)", CLI_TEXT,
     offsetof(struct options, from), NULL}};

static const struct cli_command command = {
    .name = "data events",
    .arguments = "[NAME]",
    .summary = "List past crashes with their windows, or the published figures of one",
    .notes = "A figure was observed as a number or a range; reported liquidations are a lower\n"
             "bound. The file is CSV, one row for each event and figure, with the columns event,\n"
             "title, start, end, symbol, venue, figure, at, span, low, high, unit, kind, source.\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .minimum = 0,
    .maximum = 1,
    .json = true};

/* --- for people --- */

#define VALUE_SIZE 64

/* Amounts in full, fractions in percent. */
static const char *number_text(const struct event_figure *figure, double value,
                               char buffer[CLI_NUMBER_SIZE])
{
    bool fraction = events_measure_unit(figure->measure) == EVENTS_UNIT_FRACTION;
    return fraction ? cli_number_short(100.0 * value, 4, buffer)
                    : cli_number_short(value, 2, buffer);
}

/* `48,888 usd`, `3,540,000,000 to 3,650,000,000 usd`, `above 1,000 usd`. */
static void value_text(const struct event_figure *figure, struct text_buffer *out)
{
    char low[CLI_NUMBER_SIZE], high[CLI_NUMBER_SIZE];
    number_text(figure, figure->low, low);
    number_text(figure, figure->high, high);
    if (isinf(figure->high))
        text_appendf(out, "above %s", low);
    else if (isinf(figure->low))
        text_appendf(out, "below %s", high);
    else if (figure->low < figure->high)
        text_appendf(out, "%s to %s", low, high);
    else
        text_append(out, low);
    enum events_unit unit = events_measure_unit(figure->measure);
    text_appendf(out, " %s", unit == EVENTS_UNIT_FRACTION ? "%" : events_unit_name(unit));
}

/* Where a source stands first among the figures: that is its number in the list below them. */
static size_t source_of(const struct event *event, size_t figure, size_t *out_number)
{
    size_t number = 0;
    for (size_t i = 0; i <= figure; i++) {
        size_t first = 0;
        while (strcmp(event->figures[first].source, event->figures[i].source) != 0)
            first++;
        number += first == i;
        if (strcmp(event->figures[i].source, event->figures[figure].source) == 0) {
            *out_number = number;
            return i;
        }
    }
    return figure;
}

static int print_figure(const struct event *event, size_t index, struct error *err)
{
    const struct event_figure *figure = &event->figures[index];
    char time[CALENDAR_TEXT_SIZE], span[CALENDAR_TEXT_SIZE];
    struct text_buffer value = {0};
    size_t number = 0;
    source_of(event, index, &number);
    value_text(figure, &value);
    if (value.failed) {
        text_buffer_free(&value);
        return error_memory(err, "listing events");
    }
    printf("  %-23s %-4s %-14s %-34s [%zu]", events_measure_name(figure->measure), figure->symbol,
           figure->venue, value.data, number);
    if (figure->at_ms != CALENDAR_NONE)
        printf("  %s, %s", calendar_format_iso(figure->at_ms, time),
               calendar_format_duration(figure->span_ms, span));
    printf("\n");
    text_buffer_free(&value);
    return ERROR_NONE;
}

static void print_sources(const struct event *event)
{
    for (size_t i = 0; i < event->count; i++) {
        size_t number = 0;
        if (source_of(event, i, &number) != i)
            continue;
        int column = printf("  [%zu] %s: ", number, event->figures[i].observed ? "data" : "press");
        cli_print_wrapped(column, 6, event->figures[i].source);
    }
}

static int print_event(const struct event *event, struct error *err)
{
    char start[CALENDAR_TEXT_SIZE], end[CALENDAR_TEXT_SIZE];
    int code = ERROR_NONE;
    printf("%s: %s\n", event->name, event->title);
    printf("  window  %s to %s\n", calendar_format_iso(event->start_ms, start),
           calendar_format_iso(event->end_ms, end));
    for (size_t i = 0; code == ERROR_NONE && i < event->count; i++)
        code = print_figure(event, i, err);
    print_sources(event);
    return code;
}

static void print_list(const struct events *events)
{
    char start[CALENDAR_TEXT_SIZE], end[CALENDAR_TEXT_SIZE];
    for (size_t i = 0; i < events->count; i++) {
        const struct event *event = &events->items[i];
        printf("%-12s %s to %s  %2zu figure%s %s\n", event->name,
               calendar_format_iso(event->start_ms, start), calendar_format_iso(event->end_ms, end),
               event->count, event->count == 1 ? ", " : "s,", event->title);
    }
}

/* --- JSON --- */

static void json_figure(struct json *json, const struct event_figure *figure)
{
    char time[CALENDAR_TEXT_SIZE];
    json_object_open(json, NULL);
    json_text(json, "figure", events_measure_name(figure->measure));
    json_text(json, "symbol", figure->symbol);
    json_text(json, "venue", figure->venue);
    if (figure->at_ms != CALENDAR_NONE)
        json_text(json, "at", calendar_format_iso(figure->at_ms, time));
    else
        json_null(json, "at");
    json_integer(json, "span_ms", figure->span_ms);
    json_number(json, "low", figure->low);
    json_number(json, "high", figure->high);
    json_text(json, "unit", events_unit_name(events_measure_unit(figure->measure)));
    json_text(json, "kind", figure->observed ? "observed" : "press");
    json_text(json, "source", figure->source);
    json_object_close(json);
}

static void json_event(struct json *json, const struct event *event)
{
    char time[CALENDAR_TEXT_SIZE];
    json_object_open(json, NULL);
    json_text(json, "event", event->name);
    json_text(json, "title", event->title);
    json_text(json, "start", calendar_format_iso(event->start_ms, time));
    json_text(json, "end", calendar_format_iso(event->end_ms, time));
    json_array_open(json, "figures");
    for (size_t i = 0; i < event->count; i++)
        json_figure(json, &event->figures[i]);
    json_array_close(json);
    json_object_close(json);
}

/* Always a list, be it of one. */
static void json_events(const struct events *events, const struct event *only)
{
    struct json json;
    json_begin(&json, stdout);
    json_array_open(&json, NULL);
    for (size_t i = 0; i < events->count; i++)
        if (only == NULL || only == &events->items[i])
            json_event(&json, &events->items[i]);
    json_array_close(&json);
}

/* --- the command --- */

static int show(const struct events *events, const char *name, const struct cli_common *common,
                struct error *err)
{
    const struct event *only = NULL;
    int code = name != NULL ? events_require(events, name, &only, err) : ERROR_NONE;
    if (code != ERROR_NONE)
        return code;
    if (common->json)
        json_events(events, only);
    else if (only != NULL)
        code = print_event(only, err);
    else
        print_list(events);
    return code == ERROR_NONE ? cli_flush(err) : code;
}

int cli_data_events(int argc, char **argv, struct error *err)
{
    struct options chosen = {.from = EVENTS_BUILTIN};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct events events = {0};
    int code = cli_parse(&command, argc, argv, &chosen, &common, &arguments, err);
    if (code == ERROR_NONE && !arguments.help_shown) {
        code = events_read(&events, chosen.from, err);
        if (code == ERROR_NONE)
            code = show(&events, arguments.count > 0 ? arguments.items[0] : NULL, &common, err);
        events_free(&events);
    }
    cli_arguments_free(&arguments);
    return code;
}
