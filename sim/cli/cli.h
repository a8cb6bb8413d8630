/*
 * What the subcommands share: their prototypes, a table-driven option parser whose table is also
 * the printed usage, dispatch over a table of commands, and messages on stderr.
 *
 * A subcommand is `int cli_<name>(int argc, char **argv, struct error *err)` in a file of its own;
 * argv[0] is its name. It describes its options once, in a const table of offsets into a struct:
 *
 *     struct options { double rate; const char *out; };
 *     static const struct cli_option options[] = {
 *         {"rate", 0, "X", "funding rate", CLI_NUMBER, offsetof(struct options, rate)},
 *         {"output", 'o', "DIR", "results directory", CLI_TEXT, offsetof(struct options, out)}};
 *     static const struct cli_command command = {
 *         .name = "run", .arguments = "SCENARIO", .summary = "...", .options = options,
 *         .option_count = sizeof options / sizeof *options, .minimum = 1, .maximum = 1};
 *
 *     struct options o = {.rate = NAN};
 *     struct cli_common common = {0};
 *     struct cli_arguments arguments = {0};
 *     if (cli_parse(&command, argc, argv, &o, &common, &arguments, err) != ERROR_NONE ||
 *         arguments.help_shown)
 *         goto out;
 */
#ifndef LIQCASCADE_SIM_CLI_CLI_H
#define LIQCASCADE_SIM_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/progress.h"

/* Each returns its exit status. A command that has printed its errors itself (a scenario prints
   all of them) returns the code with an empty `err->message`: main then prints nothing more. */
int cli_run(int argc, char **argv, struct error *err);
int cli_sweep(int argc, char **argv, struct error *err);
int cli_merge(int argc, char **argv, struct error *err);
int cli_solve(int argc, char **argv, struct error *err);
int cli_sensitivity(int argc, char **argv, struct error *err);
int cli_signals(int argc, char **argv, struct error *err);
int cli_map(int argc, char **argv, struct error *err);
int cli_calibrate(int argc, char **argv, struct error *err);
int cli_backtest(int argc, char **argv, struct error *err);
int cli_data(int argc, char **argv, struct error *err);
int cli_scenario(int argc, char **argv, struct error *err);
int cli_liqprice(int argc, char **argv, struct error *err);
int cli_funding(int argc, char **argv, struct error *err);
int cli_models(int argc, char **argv, struct error *err);
int cli_version(int argc, char **argv, struct error *err);
int cli_cite(int argc, char **argv, struct error *err);
int cli_help(int argc, char **argv, struct error *err);

/* --- options --- */

enum cli_type {
    CLI_FLAG,     /* bool, set to true; no argument */
    CLI_TEXT,     /* const char *, borrowed from argv */
    CLI_TEXTS,    /* struct cli_texts, grows with each use of the option */
    CLI_NUMBER,   /* double, finite */
    CLI_INTEGER,  /* int64_t */
    CLI_TIME,     /* int64_t milliseconds, ISO 8601 */
    CLI_DURATION, /* int64_t milliseconds, `8h` */
    CLI_CHOICE    /* int, index into `choices` */
};

struct cli_option {
    const char *name;     /* long name, without the dashes */
    char short_name;      /* 0: none */
    const char *argument; /* how usage calls the value; NULL for a flag */
    const char *help;     /* a few words, no full stop */
    enum cli_type type;
    size_t offset;              /* of the value in the caller's struct */
    const char *const *choices; /* CLI_CHOICE: names, ending in NULL */
};

struct cli_texts {
    const char **items; /* owned array of texts borrowed from argv */
    size_t count;
    size_t capacity;
};
void cli_texts_free(struct cli_texts *self);

struct cli_command {
    const char *name;      /* as typed after `liqcascade`: "run", "data check" */
    const char *arguments; /* positionals, as usage shows them: "SCENARIO"; "" for none */
    const char *summary;   /* one sentence for the usage text, no full stop */
    const char *notes;     /* lines printed below the options, or NULL */
    const struct cli_option *options;
    size_t option_count;
    int minimum, maximum; /* number of positionals; maximum -1: any */
    bool json;            /* has --json */
};

/* Options every command takes: -q, -v, --progress, --threads and, where it reports, --json. */
struct cli_common {
    bool quiet; /* no notes, no progress, no human summary */
    bool verbose;
    int progress; /* enum progress_mode */
    int threads;  /* as chosen: at least 1 once cli_parse is done */
    bool json;
};

struct cli_arguments {
    char **items; /* positionals in order; owned array of texts borrowed from argv */
    int count;
    bool help_shown; /* --help was given and usage is printed: the command has nothing to do */
};
void cli_arguments_free(struct cli_arguments *self);

/* Reads argv[1..] into `record` by the command's table, in any order of options and positionals;
   `--name value`, `--name=value`, `-nvalue`, `-n value`, `-qv`; `--` ends options. Values that are
   not given stay as the caller set them. Sets the process's progress mode and thread count.
   ERROR_USAGE: unknown option (with a suggestion), missing or wrong value, wrong number of
   positionals. `argv` is not changed. `out` is to be freed after failure too. */
int cli_parse(const struct cli_command *command, int argc, char **argv, void *record,
              struct cli_common *common, struct cli_arguments *out, struct error *err);

/* The usage text of a command, from its table. */
void cli_print_usage(const struct cli_command *command, FILE *out);

/* --- dispatch --- */

struct cli_row {
    const char *name;
    const char *summary; /* a few words for the list of commands */
    int (*function)(int argc, char **argv, struct error *err);
};

/* Calls the row named by the first positional of argv[1..], with argv starting at that name; common
   options before the name are moved behind it, in argv itself. `group` is what stands before the
   name ("" for the top level, "data" for `liqcascade data check`). --help prints the list. No name
   gives ERROR_USAGE and the list on stderr, an unknown name ERROR_USAGE with a suggestion. */
int cli_dispatch(const char *group, const struct cli_row *rows, size_t count, int argc, char **argv,
                 struct error *err);

/* "  name   summary" lines. */
void cli_print_rows(const struct cli_row *rows, size_t count, FILE *out);

/* The rows of the top level, for `liqcascade help`. Defined beside main. */
const struct cli_row *cli_commands(size_t *out_count);

/* --- messages, all on stderr --- */

/* `liqcascade: file:line:col: key: message`; with a red "error" on a terminal that takes
   colour. */
void cli_print_error(const struct error *err);
void cli_print_errors(const struct error_list *list);
/* `liqcascade: warning: ...`, and a plain note; neither with -q. No newline in the format. */
void cli_warn(const struct cli_common *common, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cli_note(const struct cli_common *common, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Between `true` and `false` the first signal lets the runs under way be finished, and says so
   unless -q: for work that keeps each run as it is done. */
void cli_be_patient(const struct cli_common *common, bool patient);

/* --- texts and numbers for people --- */

/* The words of a text in lines of at most 92 characters, on stdout: the first goes on at `column`,
   the others begin after `indent` spaces. Ends the line. */
void cli_print_wrapped(int column, int indent, const char *text);

#define CLI_NUMBER_SIZE 48
/* With `decimals` digits behind the point and commas between thousands: `49,261.0837`. NaN and
   infinities are `-`. Returns `buffer`. */
const char *cli_number(double value, int decimals, char buffer[CLI_NUMBER_SIZE]);
/* The same with at most `decimals` digits behind the point and no zeros at the end: `50,000`. */
const char *cli_number_short(double value, int decimals, char buffer[CLI_NUMBER_SIZE]);

/* Flushes stdout; ERROR_IO when anything written to it was lost (full disk, closed pipe; the latter
   with an empty message, for nobody wants to hear that `head` has read enough). */
int cli_flush(struct error *err);

#endif
