#include "sim/cli/cli.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define TEXT_WIDTH 92

static const char *const progress_choices[] = {"auto", "always", "never", NULL};

#define THREADS_NOT_GIVEN INT64_MIN

/* What common options are read into: `threads` needs 64 bits until it is checked. */
struct common_values {
    bool quiet, verbose, json, help;
    int progress;
    int64_t threads;
};

static const struct cli_option common_options[] = {
    {"quiet", 'q', NULL, "no notes, progress or summary", CLI_FLAG,
     offsetof(struct common_values, quiet), NULL},
    {"verbose", 'v', NULL, "say more", CLI_FLAG, offsetof(struct common_values, verbose), NULL},
    {"progress", 0, "WHEN", "progress line: auto, always or never", CLI_CHOICE,
     offsetof(struct common_values, progress), progress_choices},
    {"threads", 0, "N", "threads to use", CLI_INTEGER, offsetof(struct common_values, threads),
     NULL},
    {"help", 'h', NULL, "show this text", CLI_FLAG, offsetof(struct common_values, help), NULL},
    {"json", 0, NULL, "print JSON with full precision", CLI_FLAG,
     offsetof(struct common_values, json), NULL}, /* last: left out where a command has none */
};

/* --- the options of a command: its own table, then the common one --- */

static size_t common_count(const struct cli_command *command)
{
    return COUNT_OF(common_options) - (command->json ? 0 : 1);
}

static size_t option_count(const struct cli_command *command)
{
    return command->option_count + common_count(command);
}

static const struct cli_option *option_at(const struct cli_command *command, size_t index)
{
    if (index < command->option_count)
        return &command->options[index];
    return &common_options[index - command->option_count];
}

static bool is_common(const struct cli_option *option)
{
    return option >= common_options && option < common_options + COUNT_OF(common_options);
}

static const struct cli_option *find_long(const struct cli_command *command, const char *name,
                                          size_t length)
{
    for (size_t i = 0; i < option_count(command); i++) {
        const struct cli_option *option = option_at(command, i);
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

static const struct cli_option *find_short(const struct cli_command *command, char letter)
{
    for (size_t i = 0; i < option_count(command); i++)
        if (option_at(command, i)->short_name == letter)
            return option_at(command, i);
    return NULL;
}

#define WORDS_MAX 64

static int unknown_long(const struct cli_command *command, const char *name, size_t length,
                        struct error *err)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    char word[64];
    for (size_t i = 0; i < option_count(command) && count < WORDS_MAX; i++)
        words[count++] = option_at(command, i)->name;
    snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), name);
    const char *nearest = text_nearest(word, words, count);
    if (nearest != NULL)
        return error_set(err, ERROR_USAGE, "unknown option --%s of %s; did you mean --%s?", word,
                         command->name, nearest);
    return error_set(err, ERROR_USAGE, "unknown option --%s of %s; --help lists the options", word,
                     command->name);
}

/* --- values --- */

static int bad_value(const struct cli_option *option, const char *text, const char *expected,
                     struct error *err)
{
    char key[80];
    snprintf(key, sizeof key, "--%s", option->name);
    return error_at(err, ERROR_USAGE, NULL, 0, 0, key, "\"%.80s\" is not %s", text, expected);
}

static int set_choice(const struct cli_option *option, const char *text, int *target,
                      struct error *err)
{
    size_t count = 0;
    struct text_buffer names = {0};
    for (; option->choices[count] != NULL; count++) {
        if (strcmp(option->choices[count], text) == 0) {
            *target = (int)count;
            text_buffer_free(&names);
            return ERROR_NONE;
        }
        text_appendf(&names, "%s%s", count == 0 ? "" : ", ", option->choices[count]);
    }
    const char *nearest = text_nearest(text, option->choices, count);
    char key[80];
    snprintf(key, sizeof key, "--%s", option->name);
    error_at(err, ERROR_USAGE, NULL, 0, 0, key, "\"%.80s\" is unknown; expected one of %s%s%s%s",
             text, names.data != NULL ? names.data : "", nearest != NULL ? "; did you mean " : "",
             nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    text_buffer_free(&names);
    return ERROR_USAGE;
}

static int append_text(struct cli_texts *texts, const char *text, struct error *err)
{
    const char **items =
        memory_grow(texts->items, &texts->capacity, texts->count + 1, sizeof *texts->items);
    if (items == NULL)
        return error_memory(err, "reading the command line");
    texts->items = items;
    texts->items[texts->count++] = text;
    return ERROR_NONE;
}

static int set_value(const struct cli_option *option, const char *text, void *record,
                     struct error *err)
{
    void *target = (char *)record + option->offset;
    size_t length = 0;
    if (option->type == CLI_FLAG) {
        *(bool *)target = true;
        return ERROR_NONE;
    }
    length = strlen(text);
    switch (option->type) {
    case CLI_FLAG:
        break;
    case CLI_TEXT:
        *(const char **)target = text;
        return ERROR_NONE;
    case CLI_TEXTS:
        return append_text(target, text, err);
    case CLI_NUMBER:
        return text_to_double(text, length, false, target)
                   ? ERROR_NONE
                   : bad_value(option, text, "a number", err);
    case CLI_INTEGER:
        return text_to_int64(text, length, target) ? ERROR_NONE
                                                   : bad_value(option, text, "a whole number", err);
    case CLI_TIME:
        return calendar_parse_iso(text, length, target)
                   ? ERROR_NONE
                   : bad_value(option, text, "a time; expected such as 2025-10-10T21:00Z", err);
    case CLI_DURATION:
        return calendar_parse_duration(text, length, target)
                   ? ERROR_NONE
                   : bad_value(option, text, "a duration; expected such as 8h or 30d", err);
    case CLI_CHOICE:
        return set_choice(option, text, target, err);
    }
    return error_set(err, ERROR_USAGE, "option --%s has no type", option->name);
}

/* --- the walk over argv --- */

struct parser {
    const struct cli_command *command;
    int argc;
    char **argv;
    int next; /* index of the next argument to look at */
    void *record;
    struct common_values values;
};

/* Stores `option`, whose value is `attached` (may be NULL) or the next argument. */
static int take_option(struct parser *self, const struct cli_option *option, const char *attached,
                       struct error *err)
{
    const char *text = attached;
    if (option->type == CLI_FLAG && attached != NULL)
        return error_set(err, ERROR_USAGE, "option --%s takes no value", option->name);
    if (option->type != CLI_FLAG && text == NULL) {
        if (self->next >= self->argc)
            return error_set(err, ERROR_USAGE, "option --%s needs a value (%s)", option->name,
                             option->argument);
        text = self->argv[self->next++];
    }
    return set_value(option, text, is_common(option) ? &self->values : self->record, err);
}

static int parse_long(struct parser *self, const char *name, struct error *err)
{
    size_t length = strcspn(name, "=");
    const struct cli_option *option = find_long(self->command, name, length);
    if (option == NULL)
        return unknown_long(self->command, name, length, err);
    return take_option(self, option, name[length] == '=' ? name + length + 1 : NULL, err);
}

/* `-qv`, `-oDIR`, `-o DIR`. */
static int parse_short(struct parser *self, const char *letters, struct error *err)
{
    int status = ERROR_NONE;
    while (*letters != '\0' && status == ERROR_NONE) {
        const struct cli_option *option = find_short(self->command, *letters);
        if (option == NULL)
            return error_set(err, ERROR_USAGE, "unknown option -%c of %s; --help lists the options",
                             *letters, self->command->name);
        letters++;
        if (option->type == CLI_FLAG) {
            status = take_option(self, option, NULL, err);
        } else {
            status = take_option(self, option, *letters != '\0' ? letters : NULL, err);
            break;
        }
    }
    return status;
}

static bool looks_like_option(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0';
}

static bool asks_for_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int parse_one(struct parser *self, struct error *err)
{
    const char *argument = self->argv[self->next++];
    if (argument[1] == '-')
        return parse_long(self, argument + 2, err);
    return parse_short(self, argument + 1, err);
}

static int walk(struct parser *self, struct cli_arguments *out, struct error *err)
{
    bool only_positionals = false;
    while (self->next < self->argc) {
        char *argument = self->argv[self->next];
        if (!only_positionals && strcmp(argument, "--") == 0) {
            only_positionals = true;
            self->next++;
        } else if (!only_positionals && looks_like_option(argument)) {
            int status = parse_one(self, err);
            if (status != ERROR_NONE)
                return status;
        } else {
            out->items[out->count++] = argument;
            self->next++;
        }
    }
    return ERROR_NONE;
}

static int check_count(const struct cli_command *command, const struct cli_arguments *arguments,
                       struct error *err)
{
    if (arguments->count < command->minimum)
        return error_set(err, ERROR_USAGE, "%s needs %s; --help shows how", command->name,
                         command->arguments);
    if (command->maximum >= 0 && arguments->count > command->maximum)
        return error_set(err, ERROR_USAGE, "unexpected argument \"%.80s\" of %s",
                         arguments->items[command->maximum], command->name);
    return ERROR_NONE;
}

static int apply_common(const struct common_values *values, struct cli_common *common,
                        struct error *err)
{
    bool given = values->threads != THREADS_NOT_GIVEN;
    if (given && (values->threads < 1 || values->threads > 4096))
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--threads",
                        "%lld is out of bounds; expected 1 to 4096", (long long)values->threads);
    common->quiet = values->quiet;
    common->verbose = values->verbose;
    common->json = values->json;
    common->progress = values->quiet ? PROGRESS_NEVER : values->progress;
    common->threads = threads_set(given ? (int)values->threads : 0);
    progress_set_mode((enum progress_mode)common->progress);
    return ERROR_NONE;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, void *record,
              struct cli_common *common, struct cli_arguments *out, struct error *err)
{
    struct parser parser = {
        .command = command, .argc = argc, .argv = argv, .next = 1, .record = record};
    parser.values.threads = THREADS_NOT_GIVEN;
    out->items = memory_alloc((size_t)(argc > 0 ? argc : 1), sizeof *out->items);
    if (out->items == NULL)
        return error_memory(err, "reading the command line");
    int status = walk(&parser, out, err);
    if (status == ERROR_NONE && parser.values.help) {
        cli_print_usage(command, stdout);
        out->help_shown = true;
        return ERROR_NONE;
    }
    if (status == ERROR_NONE)
        status = check_count(command, out, err);
    if (status == ERROR_NONE)
        status = apply_common(&parser.values, common, err);
    return status;
}

void cli_texts_free(struct cli_texts *self)
{
    memory_free(self->items);
    *self = (struct cli_texts){0};
}

void cli_arguments_free(struct cli_arguments *self)
{
    memory_free(self->items);
    *self = (struct cli_arguments){0};
}

/* --- usage --- */

static void print_option(const struct cli_option *option, FILE *out)
{
    char left[64];
    int length = snprintf(
        left, sizeof left, option->short_name != 0 ? "-%c, --%s%s%s" : "%c   --%s%s%s",
        option->short_name != 0 ? option->short_name : ' ', option->name,
        option->argument != NULL ? " " : "", option->argument != NULL ? option->argument : "");
    if (length > 26)
        fprintf(out, "  %s\n  %-26s  %s", left, "", option->help);
    else
        fprintf(out, "  %-26s  %s", left, option->help);
    if (option->type == CLI_TEXTS)
        fputs("; may be repeated", out);
    fputc('\n', out);
}

void cli_print_usage(const struct cli_command *command, FILE *out)
{
    fprintf(out, "Usage: liqcascade %s%s%s [OPTION]...\n%s.\n\n", command->name,
            command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
    for (size_t i = 0; i < option_count(command); i++) {
        if (i == command->option_count && i > 0)
            fputc('\n', out);
        print_option(option_at(command, i), out);
    }
    if (command->notes != NULL)
        fprintf(out, "\n%s", command->notes);
}

/* --- dispatch --- */

void cli_print_rows(const struct cli_row *rows, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-11s  %s\n", rows[i].name, rows[i].summary);
}

static void print_group(const char *group, const struct cli_row *rows, size_t count, FILE *out)
{
    const char *space = group[0] != '\0' ? " " : "";
    fprintf(out, "Usage: liqcascade %s%sCOMMAND [ARGUMENT]... [OPTION]...\n\n", group, space);
    cli_print_rows(rows, count, out);
    fprintf(out, "\n`liqcascade %s%sCOMMAND --help` tells more about one.\n", group, space);
}

static int unknown_command(const char *group, const char *name, const struct cli_row *rows,
                           size_t count, struct error *err)
{
    const char *words[WORDS_MAX];
    const char *space = group[0] != '\0' ? " " : "";
    for (size_t i = 0; i < count && i < WORDS_MAX; i++)
        words[i] = rows[i].name;
    const char *nearest = text_nearest(name, words, count < WORDS_MAX ? count : WORDS_MAX);
    if (nearest != NULL)
        return error_set(err, ERROR_USAGE,
                         "unknown command \"%s%s%.40s\"; did you mean \"%s%s%s\"?", group, space,
                         name, group, space, nearest);
    return error_set(err, ERROR_USAGE,
                     "unknown command \"%s%s%.40s\"; `liqcascade %s%s--help` lists the commands",
                     group, space, name, group, space);
}

/* `liqcascade -q run X` becomes `liqcascade run -q X`, so that a command sees all its options. */
static int command_first(int argc, char **argv, struct error *err)
{
    static const struct cli_command any = {.name = "any command", .arguments = "", .json = true};
    struct parser parser = {.command = &any, .argc = argc, .argv = argv, .next = 1};
    int status = ERROR_NONE;
    while (status == ERROR_NONE && parser.next < argc && looks_like_option(argv[parser.next]) &&
           !asks_for_help(argv[parser.next]))
        status = parse_one(&parser, err);
    if (status != ERROR_NONE || parser.next >= argc)
        return status;
    char *name = argv[parser.next];
    memmove(&argv[2], &argv[1], (size_t)(parser.next - 1) * sizeof *argv);
    argv[1] = name;
    return ERROR_NONE;
}

static int name_missing(const char *group, const struct cli_row *rows, size_t count,
                        struct error *err)
{
    print_group(group, rows, count, stderr);
    return error_set(err, ERROR_USAGE, "a command is missing");
}

int cli_dispatch(const char *group, const struct cli_row *rows, size_t count, int argc, char **argv,
                 struct error *err)
{
    int status = command_first(argc, argv, err);
    if (status != ERROR_NONE)
        return status;
    const char *name = argc > 1 ? argv[1] : "-";
    if (asks_for_help(name)) {
        print_group(group, rows, count, stdout);
        return ERROR_NONE;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].function(argc - 1, argv + 1, err);
    if (name[0] == '-')
        return name_missing(group, rows, count, err);
    return unknown_command(group, name, rows, count, err);
}

/* --- messages --- */

static bool stderr_takes_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_color != NULL && no_color[0] != '\0')
        return false;
    return isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

void cli_print_error(const struct error *err)
{
    char text[1100];
    error_format(err, text, sizeof text);
    fprintf(stderr, "liqcascade: %s%s\n", stderr_takes_colour() ? "\033[31merror\033[0m: " : "",
            text);
}

void cli_print_errors(const struct error_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        cli_print_error(&list->items[i]);
}

static void print_message(const char *prefix, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void print_message(const char *prefix, const char *format, va_list arguments)
{
    fputs(prefix, stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void cli_warn(const struct cli_common *common, const char *format, ...)
{
    va_list arguments;
    if (common->quiet)
        return;
    va_start(arguments, format);
    print_message("liqcascade: warning: ", format, arguments);
    va_end(arguments);
}

void cli_note(const struct cli_common *common, const char *format, ...)
{
    va_list arguments;
    if (common->quiet)
        return;
    va_start(arguments, format);
    print_message("liqcascade: ", format, arguments);
    va_end(arguments);
}

void cli_be_patient(const struct cli_common *common, bool patient)
{
    static const char notice[] =
        "\nliqcascade: finishing the runs under way; a second signal ends at once\n";
    interrupt_set_patience(patient, patient && !common->quiet ? notice : NULL);
}

void cli_print_wrapped(int column, int indent, const char *text)
{
    const char *separator = "";
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (separator[0] != '\0' && column + 1 + length > TEXT_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
            separator = "";
        }
        column += printf("%s%.*s", separator, length, text);
        separator = " ";
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

/* Copies "1234567.89" with commas; digits before `point` are grouped by three from the right. */
static void group_thousands(const char *digits, char *out)
{
    size_t start = digits[0] == '-' ? 1 : 0;
    size_t point = strcspn(digits, ".");
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > start && i < point && (point - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
}

static void trim_zeros(char *digits)
{
    size_t length = strlen(digits);
    if (strchr(digits, '.') == NULL)
        return;
    while (digits[length - 1] == '0')
        length--;
    if (digits[length - 1] == '.')
        length--;
    digits[length] = '\0';
}

static const char *format_number(double value, int decimals, bool trim,
                                 char buffer[CLI_NUMBER_SIZE])
{
    char digits[CLI_NUMBER_SIZE];
    /* 32 digits and 10 commas still fit; what is larger is shown with an exponent. */
    if (!isfinite(value)) {
        snprintf(buffer, CLI_NUMBER_SIZE, "-");
    } else if (fabs(value) >= 1e18) {
        snprintf(buffer, CLI_NUMBER_SIZE, "%.4g", value);
    } else {
        snprintf(digits, sizeof digits, "%.*f", decimals > 12 ? 12 : decimals, value);
        if (trim)
            trim_zeros(digits);
        group_thousands(strcmp(digits, "-0") == 0 ? "0" : digits, buffer);
    }
    return buffer;
}

const char *cli_number(double value, int decimals, char buffer[CLI_NUMBER_SIZE])
{
    return format_number(value, decimals, false, buffer);
}

const char *cli_number_short(double value, int decimals, char buffer[CLI_NUMBER_SIZE])
{
    return format_number(value, decimals, true, buffer);
}

/* Whoever read our output has stopped reading, as `head` does. */
static bool reader_left(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int cli_flush(struct error *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return ERROR_NONE;
    int reason = errno != 0 ? errno : EIO;
    if (reader_left())
        return error_set(err, ERROR_IO, "%s", "");
    return error_errno(err, "standard output", reason, "cannot write");
}
