#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/field.h"
#include "base/text.h"
#include "datasets/venue_tables.h"
#include "models/brackets.h"
#include "models/margin.h"
#include "reports/json.h"
#include "sim/cli/cli.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    const char *venue, *symbol, *formula;
    int side; /* index into `sides`; -1: not given */
    double entry, leverage, qty, notional, margin, mmr;
    int64_t at_ms;
};

static const char *const sides[] = {"long", "short", NULL};

static const struct cli_option option_table[] = {
    {"venue", 0, "NAME", "venue whose brackets hold (binance)", CLI_TEXT,
     offsetof(struct options, venue), NULL},
    {"symbol", 0, "SYMBOL", "contract (BTCUSDT)", CLI_TEXT, offsetof(struct options, symbol), NULL},
    {"side", 0, "SIDE", "long or short", CLI_CHOICE, offsetof(struct options, side), sides},
    {"entry", 0, "PRICE", "entry price", CLI_NUMBER, offsetof(struct options, entry), NULL},
    {"leverage", 0, "L", "leverage: notional over initial margin", CLI_NUMBER,
     offsetof(struct options, leverage), NULL},
    {"qty", 0, "COINS", "size in coins", CLI_NUMBER, offsetof(struct options, qty), NULL},
    {"notional", 0, "USD", "size in USD at entry, in place of --qty", CLI_NUMBER,
     offsetof(struct options, notional), NULL},
    {"margin", 0, "USD", "isolated margin, valued at entry (notional / leverage)", CLI_NUMBER,
     offsetof(struct options, margin), NULL},
    {"formula", 0, "NAME", "margin formula (linear_mark)", CLI_TEXT,
     offsetof(struct options, formula), NULL},
    {"mmr", 0, "X", "maintenance margin rate as a fraction, in place of brackets", CLI_NUMBER,
     offsetof(struct options, mmr), NULL},
    {"at", 0, "DATE", "brackets in force on that date (the latest)", CLI_TIME,
     offsetof(struct options, at_ms), NULL},
};

static const struct cli_command command = {
    .name = "liqprice",
    .arguments = "--side SIDE --entry PRICE --qty COINS --leverage L",
    .summary = "Liquidation price of an isolated position, before any funding",
    .notes = "Formulas: linear_mark, linear_entry, inverse_entry, inverse_mark. Inverse contracts\n"
             "are margined in the coin and need --mmr: the brackets are those of linear ones.\n",
    .options = option_table,
    .option_count = COUNT_OF(option_table),
    .json = true,
};

/* The question and its answer, as --json prints them. */
struct answer {
    char *venue, *symbol, *side_name, *formula, *source; /* not owned */
    int side;
    int64_t brackets_from_ms;
    int bracket_count;
    double entry_price, size_coins, notional_usd, leverage, margin_usd;
    double liquidation_price, distance_share, bankruptcy_price;
    double initial_margin_usd, maintenance_margin_usd, maintenance_margin_rate;
    double bracket, bracket_cap_usd, bracket_max_leverage, cum_usd; /* NaN with --mmr */
};

#define DESCRIBED(column, kind, member, measure, text)                        \
    {                                                                         \
        .name = column, .type = kind, .unit = measure, .documentation = text, \
        .offset = offsetof(struct answer, member)                             \
    }
#define TEXT(member, text) DESCRIBED(#member, FIELD_TEXT, member, "", text)
#define NUMBER(member, unit, text) DESCRIBED(#member, FIELD_DOUBLE, member, unit, text)

static const struct field answer_fields[] = {
    TEXT(venue, "venue of the brackets; missing with --mmr"),
    TEXT(symbol, "contract of the brackets; missing with --mmr"),
    DESCRIBED("brackets_from", FIELD_TIME_MS, brackets_from_ms, "",
              "date from which the brackets are in force; missing with --mmr"),
    TEXT(formula, "margin formula"),
    DESCRIBED("side", FIELD_TEXT, side_name, "", "long or short"),
    NUMBER(entry_price, "usd", "entry price"),
    NUMBER(size_coins, "coins", "size"),
    NUMBER(notional_usd, "usd", "notional at entry"),
    NUMBER(leverage, "", "notional over isolated margin"),
    NUMBER(margin_usd, "usd", "isolated margin at entry"),
    NUMBER(liquidation_price, "usd", "liquidation price; missing when no price liquidates"),
    NUMBER(distance_share, "share", "liquidation price over entry price, less one"),
    NUMBER(bankruptcy_price, "usd",
           "price at which the margin is gone; missing when there is none"),
    NUMBER(initial_margin_usd, "usd", "least margin to open the position"),
    NUMBER(maintenance_margin_usd, "usd", "maintenance margin where it is liquidated"),
    NUMBER(maintenance_margin_rate, "share", "rate of the bracket that decides"),
    NUMBER(bracket, "", "number of the bracket that decides, from 1; missing with --mmr"),
    NUMBER(bracket_cap_usd, "usd", "largest notional of that bracket"),
    NUMBER(bracket_max_leverage, "", "highest leverage of that bracket"),
    NUMBER(cum_usd, "usd", "maintenance amount of that bracket"),
    TEXT(source, "where the brackets are from"),
};

/* --- the question --- */

static int missing(const char *what, struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s is missing; `liqcascade liqprice --help` shows how",
                     what);
}

static int wrong(const char *option, const char *expected, struct error *err)
{
    return error_at(err, ERROR_USAGE, NULL, 0, 0, option, "out of bounds; expected %s", expected);
}

static int check_given(const struct options *options, struct error *err)
{
    if (options->side < 0)
        return missing("--side long or --side short", err);
    if (isnan(options->entry))
        return missing("--entry PRICE", err);
    if (isnan(options->qty) && isnan(options->notional))
        return missing("--qty COINS (or --notional USD)", err);
    if (!isnan(options->qty) && !isnan(options->notional))
        return error_set(err, ERROR_USAGE, "--qty and --notional both give the size; expected one");
    if (isnan(options->leverage) && isnan(options->margin))
        return missing("--leverage L (or --margin USD)", err);
    return ERROR_NONE;
}

/* NaN, not given, passes each comparison. */
static int check_bounds(const struct options *options, struct error *err)
{
    if (options->entry <= 0.0)
        return wrong("--entry", "a price above 0", err);
    if (options->qty <= 0.0)
        return wrong("--qty", "a size above 0", err);
    if (options->notional <= 0.0)
        return wrong("--notional", "a size above 0", err);
    if (options->leverage < 1.0)
        return wrong("--leverage", "at least 1", err);
    if (options->margin <= 0.0)
        return wrong("--margin", "an amount above 0", err);
    if (options->mmr < 0.0 || options->mmr >= 1.0)
        return wrong("--mmr", "a fraction from 0 to below 1, such as 0.005", err);
    return ERROR_NONE;
}

static int find_formula(const struct options *options, const struct margin_formula **out,
                        struct error *err)
{
    const char *names[16];
    size_t count = 0;
    *out = margin_find(options->formula);
    if (*out == NULL) {
        for (int i = 0; i < margin_formula_count && count < COUNT_OF(names); i++)
            names[count++] = margin_formulas[i].name;
        const char *nearest = text_nearest(options->formula, names, count);
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--formula", "\"%.40s\" is unknown; %s%s%s",
                        options->formula, nearest != NULL ? "did you mean " : "--help lists them",
                        nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    }
    if ((*out)->inverse && isnan(options->mmr))
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--formula",
                        "%s needs --mmr: the brackets at hand are those of linear contracts",
                        options->formula);
    return ERROR_NONE;
}

/* --- brackets --- */

static int load_brackets(const struct options *options, struct venue_tables *tables,
                         struct brackets *brackets, struct answer *answer, struct error *err)
{
    int status = venue_tables_read(tables, options->venue, options->symbol, err);
    if (status != ERROR_NONE)
        return status;
    const struct venue_table *table = venue_tables_at(tables, options->at_ms);
    answer->venue = (char *)options->venue;
    answer->symbol = (char *)options->symbol;
    answer->source = table->source;
    answer->brackets_from_ms = table->valid_from_ms;
    return brackets_init(brackets, table->count, table->cap, table->max_leverage, table->rate,
                         table->valid_from_ms, err);
}

static int above_maximum(const struct answer *answer, double leverage, double maximum,
                         struct error *err)
{
    char asked[CLI_NUMBER_SIZE], most[CLI_NUMBER_SIZE], notional[CLI_NUMBER_SIZE];
    char date[CALENDAR_TEXT_SIZE];
    return error_at(err, ERROR_USAGE, NULL, 0, 0, "--leverage",
                    "%sx is above the maximum of %sx for a notional of %s USD of %.32s at %.32s "
                    "(brackets from %.10s)",
                    cli_number_short(leverage, 2, asked), cli_number_short(maximum, 2, most),
                    cli_number_short(answer->notional_usd, 2, notional), answer->symbol,
                    answer->venue, calendar_format_iso(answer->brackets_from_ms, date));
}

/* The venue's limits: the largest position, and the leverage that its size allows. */
static int check_limits(const struct brackets *brackets, const struct answer *answer,
                        double leverage, struct error *err)
{
    double largest = brackets->cap_usd[brackets->count - 1];
    double maximum = brackets_max_leverage(brackets, answer->notional_usd);
    char notional[CLI_NUMBER_SIZE], cap[CLI_NUMBER_SIZE];
    if (answer->notional_usd > largest)
        return error_set(err, ERROR_USAGE,
                         "a notional of %s USD is above the largest of %s USD for %.32s at %.32s",
                         cli_number_short(answer->notional_usd, 2, notional),
                         cli_number_short(largest, 2, cap), answer->symbol, answer->venue);
    if (leverage > maximum)
        return above_maximum(answer, leverage, maximum, err);
    return ERROR_NONE;
}

/* --- the answer --- */

static void fill_size(const struct options *options, struct answer *answer)
{
    answer->side = options->side == 0 ? 1 : -1;
    answer->side_name = (char *)sides[options->side];
    answer->formula = (char *)options->formula;
    answer->entry_price = options->entry;
    answer->notional_usd =
        isnan(options->notional) ? options->qty * options->entry : options->notional;
    answer->size_coins = answer->notional_usd / options->entry;
    if (!isnan(options->qty))
        answer->size_coins = options->qty;
}

/* With both --leverage and --margin the first is what the position was opened with and the second
   what backs it now, after a top-up. Returns through `answer` the leverage that counts. */
static int fill_margin(const struct options *options, struct answer *answer, double *out_opened,
                       struct error *err)
{
    char margin[CLI_NUMBER_SIZE], initial[CLI_NUMBER_SIZE];
    double opened =
        isnan(options->leverage) ? answer->notional_usd / options->margin : options->leverage;
    answer->initial_margin_usd = answer->notional_usd / opened;
    answer->margin_usd = isnan(options->margin) ? answer->initial_margin_usd : options->margin;
    answer->leverage = isnan(options->margin) ? opened : answer->notional_usd / answer->margin_usd;
    *out_opened = opened;
    if (answer->margin_usd < answer->initial_margin_usd * (1.0 - 1e-12))
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--margin",
                        "%s USD is less than the initial margin of %s USD at that leverage",
                        cli_number_short(answer->margin_usd, 2, margin),
                        cli_number_short(answer->initial_margin_usd, 2, initial));
    return ERROR_NONE;
}

static void fill_bracket(const struct margin_formula *formula, const struct brackets *brackets,
                         struct answer *answer)
{
    int n = margin_bracket(formula, brackets, answer->side, answer->notional_usd, answer->leverage);
    bool given = answer->venue == NULL;
    answer->bracket_count = brackets->count;
    answer->bracket = given ? NAN : (double)(n + 1);
    answer->bracket_cap_usd = given ? NAN : brackets->cap_usd[n];
    answer->bracket_max_leverage = given ? NAN : brackets->max_leverage[n];
    answer->cum_usd = given ? NAN : brackets->cum_usd[n];
    answer->maintenance_margin_rate = brackets->rate[n];
}

static int solve(const struct margin_formula *formula, const struct brackets *brackets,
                 struct answer *answer, struct error *err)
{
    double price = margin_liquidation_price(formula, brackets, answer->side, answer->entry_price,
                                            answer->notional_usd, answer->leverage);
    double bankruptcy =
        margin_bankruptcy_price(formula, answer->side, answer->entry_price, answer->leverage);
    if (answer->side * (answer->entry_price - price) <= 0.0)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--leverage",
                        "the position would be liquidated at once: its margin of %.4g %% of "
                        "notional does not exceed the maintenance margin",
                        100.0 / answer->leverage);
    bool reachable = price > 0.0 && isfinite(price);
    fill_bracket(formula, brackets, answer);
    answer->liquidation_price = reachable ? price : NAN;
    answer->distance_share = reachable ? price / answer->entry_price - 1.0 : NAN;
    answer->bankruptcy_price = bankruptcy > 0.0 && isfinite(bankruptcy) ? bankruptcy : NAN;
    /* A linear position is worth size times price; an inverse one keeps its value in USD. */
    bool at_entry = formula->bracket_at_entry || formula->inverse || !reachable;
    answer->maintenance_margin_usd = brackets_maintenance_usd(
        brackets, at_entry ? answer->notional_usd : answer->size_coins * price);
    return ERROR_NONE;
}

/* --- output --- */

static void print_price(const char *label, double price, double entry)
{
    char text[CLI_NUMBER_SIZE], distance[CLI_NUMBER_SIZE];
    if (isnan(price)) {
        printf("  %-20s none: no price gets there\n", label);
        return;
    }
    printf("  %-20s %s  (%s %% %s entry)\n", label, cli_number(price, 4, text),
           cli_number(fabs(price / entry - 1.0) * 100.0, 4, distance),
           price < entry ? "below" : "above");
}

static void print_bracket(const struct answer *answer)
{
    char cap[CLI_NUMBER_SIZE], most[CLI_NUMBER_SIZE], cum[CLI_NUMBER_SIZE];
    char date[CALENDAR_TEXT_SIZE];
    if (answer->venue == NULL) {
        printf("  %-20s none: the maintenance margin rate was given\n", "bracket");
        return;
    }
    printf("  %-20s %d of %d: up to %s USD, at most %sx, cum %s USD\n", "bracket",
           (int)answer->bracket, answer->bracket_count,
           cli_number_short(answer->bracket_cap_usd, 2, cap),
           cli_number_short(answer->bracket_max_leverage, 2, most),
           cli_number_short(answer->cum_usd, 2, cum));
    printf("  %-20s %s %s from %.10s\n", "brackets", answer->venue, answer->symbol,
           calendar_format_iso(answer->brackets_from_ms, date));
}

static void print_answer(const struct answer *answer)
{
    char size[CLI_NUMBER_SIZE], entry[CLI_NUMBER_SIZE], notional[CLI_NUMBER_SIZE];
    char leverage[CLI_NUMBER_SIZE], margin[CLI_NUMBER_SIZE], rate[CLI_NUMBER_SIZE];
    printf("%s of %s %s at %s (%s USD), %sx isolated, %s\n", answer->side > 0 ? "Long" : "Short",
           cli_number_short(answer->size_coins, 8, size),
           answer->size_coins == 1.0 ? "coin" : "coins",
           cli_number_short(answer->entry_price, 8, entry),
           cli_number_short(answer->notional_usd, 2, notional),
           cli_number_short(answer->leverage, 2, leverage), answer->formula);
    print_price("liquidation price", answer->liquidation_price, answer->entry_price);
    print_price("bankruptcy price", answer->bankruptcy_price, answer->entry_price);
    printf("  %-20s %s USD\n", "initial margin", cli_number(answer->initial_margin_usd, 2, margin));
    printf("  %-20s %s USD, rate %s %%\n", "maintenance margin",
           cli_number(answer->maintenance_margin_usd, 2, margin),
           cli_number_short(answer->maintenance_margin_rate * 100.0, 4, rate));
    print_bracket(answer);
}

static void print_json(const struct answer *answer)
{
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    for (size_t i = 0; i < COUNT_OF(answer_fields); i++)
        json_field(&json, &answer_fields[i], answer);
    json_object_close(&json);
}

/* --- the command --- */

static int answer_question(const struct options *options, struct venue_tables *tables,
                           struct answer *answer, struct error *err)
{
    const struct margin_formula *formula = NULL;
    struct brackets brackets;
    double opened = NAN;
    bool from_venue = isnan(options->mmr);
    int status = check_given(options, err);
    if (status == ERROR_NONE)
        status = check_bounds(options, err);
    if (status == ERROR_NONE)
        status = find_formula(options, &formula, err);
    if (status != ERROR_NONE)
        return status;
    fill_size(options, answer);
    if (from_venue)
        status = load_brackets(options, tables, &brackets, answer, err);
    else
        brackets_flat(&brackets, options->mmr, INFINITY);
    if (status == ERROR_NONE)
        status = fill_margin(options, answer, &opened, err);
    if (status == ERROR_NONE && from_venue)
        status = check_limits(&brackets, answer, opened, err);
    if (status == ERROR_NONE)
        status = solve(formula, &brackets, answer, err);
    return status;
}

int cli_liqprice(int argc, char **argv, struct error *err)
{
    struct options options = {.venue = "binance",
                              .symbol = "BTCUSDT",
                              .formula = "linear_mark",
                              .side = -1,
                              .entry = NAN,
                              .leverage = NAN,
                              .qty = NAN,
                              .notional = NAN,
                              .margin = NAN,
                              .mmr = NAN,
                              .at_ms = INT64_MAX};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct venue_tables tables = {0};
    struct answer answer = {.brackets_from_ms = CALENDAR_NONE};
    int status = cli_parse(&command, argc, argv, &options, &common, &arguments, err);
    if (status != ERROR_NONE || arguments.help_shown)
        goto out;
    status = answer_question(&options, &tables, &answer, err);
    if (status != ERROR_NONE)
        goto out;
    if (options.at_ms < answer.brackets_from_ms)
        cli_warn(&common, "the date is before the earliest brackets at hand, which are used");
    if (common.json)
        print_json(&answer);
    else
        print_answer(&answer);
out:
    venue_tables_free(&tables);
    cli_arguments_free(&arguments);
    return status;
}
