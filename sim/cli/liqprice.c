#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"
#include "datasets/venue_tables.h"
#include "models/brackets.h"
#include "models/margin.h"
#include "scenarios/venue_rules.h"
#include "sim/cli/cli.h"
#include "sim/cli/liqprice_answer.h"
#include "sim/setup_venues.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Taker fee where the venue's file has none: that of regular users at Binance and OKX. */
#define TAKER_RATE 0.0005

struct options {
    const char *venue, *symbol, *formula;
    int side; /* index into `sides`; -1: not given */
    double entry, leverage, qty, notional, margin, mmr, taker;
    double wallet, other_maintenance, other_upnl, hedge_qty, hedge_entry;
    int64_t at_ms;
};

static const char *const sides[] = {"long", "short", NULL};

#define AMOUNT(name, unit, text, member)                                        \
    {                                                                           \
        name, 0, unit, text, CLI_NUMBER, offsetof(struct options, member), NULL \
    }
#define NAMED(name, unit, text, member)                                       \
    {                                                                         \
        name, 0, unit, text, CLI_TEXT, offsetof(struct options, member), NULL \
    }

static const struct cli_option option_table[] = {
    NAMED("venue", "NAME", "venue whose brackets and formula hold (binance)", venue),
    NAMED("symbol", "SYMBOL", "contract (BTCUSDT)", symbol),
    {"side", 0, "SIDE", "long or short", CLI_CHOICE, offsetof(struct options, side), sides},
    AMOUNT("entry", "PRICE", "entry price", entry),
    AMOUNT("leverage", "L", "leverage: notional over initial margin", leverage),
    AMOUNT("qty", "COINS", "size in coins", qty),
    AMOUNT("notional", "USD", "size in USD at entry, in place of --qty", notional),
    AMOUNT("margin", "USD", "isolated margin, valued at entry (notional / leverage)", margin),
    NAMED("formula", "NAME", "margin formula (the venue's)", formula),
    AMOUNT("mmr", "X", "maintenance margin rate as a fraction, in place of brackets", mmr),
    AMOUNT("taker", "X", "taker fee as a fraction, for linear_fee (the venue's)", taker),
    {"at", 0, "DATE", "brackets in force on that date (the latest)", CLI_TIME,
     offsetof(struct options, at_ms), NULL},
    AMOUNT("wallet", "USD", "cross margin: wallet balance, in place of --leverage", wallet),
    AMOUNT("other-maintenance", "USD", "maintenance margin of other contracts (0)",
           other_maintenance),
    AMOUNT("other-upnl", "USD", "unrealized profit of other contracts (0)", other_upnl),
    AMOUNT("hedge-qty", "COINS", "hedge mode: size held on the other side", hedge_qty),
    AMOUNT("hedge-entry", "PRICE", "its entry price (that of --entry)", hedge_entry),
};

static const struct cli_command command = {
    .name = "liqprice",
    .arguments = "--side SIDE --entry PRICE --qty COINS --leverage L",
    .summary = "Liquidation price of a position, before any funding",
    .notes = "Formulas: linear_mark, linear_entry, linear_fee, hyperliquid for contracts in USD;\n"
             "inverse_entry, inverse_mark for contracts margined in the coin, whose brackets in\n"
             "coins are valued at the entry price. Cross margin is for contracts in USD.\n",
    .options = option_table,
    .option_count = COUNT_OF(option_table),
    .json = true,
};

/* What decides: the formula, and its brackets. */
struct terms {
    const struct margin_formula *formula;
    struct venue_tables tables;
    struct brackets published; /* in USD */
    struct brackets brackets;  /* ready for the formula */
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

static bool is_cross(const struct options *options)
{
    return !isnan(options->wallet);
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
    if (isnan(options->leverage) && isnan(options->margin) && !is_cross(options))
        return missing("--leverage L (or --margin USD, or --wallet USD)", err);
    return ERROR_NONE;
}

static int check_cross_given(const struct options *options, struct error *err)
{
    bool others = !isnan(options->other_maintenance) || !isnan(options->other_upnl);
    bool hedged = !isnan(options->hedge_qty) || !isnan(options->hedge_entry);
    if (is_cross(options) && !isnan(options->margin))
        return error_set(err, ERROR_USAGE,
                         "--margin is isolated and --wallet is cross margin; expected one");
    if (!is_cross(options) && (others || hedged))
        return error_set(err, ERROR_USAGE,
                         "%s needs --wallet: with isolated margin nothing else counts",
                         others ? "--other-maintenance or --other-upnl" : "a hedge");
    if (isnan(options->hedge_qty) && !isnan(options->hedge_entry))
        return missing("--hedge-qty COINS", err);
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
    if (options->taker < 0.0 || options->taker > 0.1)
        return wrong("--taker", "a fraction from 0 to 0.1, such as 0.0005", err);
    if (options->other_maintenance < 0.0)
        return wrong("--other-maintenance", "an amount of at least 0", err);
    if (options->hedge_qty <= 0.0)
        return wrong("--hedge-qty", "a size above 0", err);
    if (options->hedge_entry <= 0.0)
        return wrong("--hedge-entry", "a price above 0", err);
    return ERROR_NONE;
}

/* --- formula and brackets --- */

static int find_formula(const char *name, const struct margin_formula **out, struct error *err)
{
    const char *names[16];
    size_t count = 0;
    *out = margin_find(name);
    if (*out != NULL)
        return ERROR_NONE;
    for (int i = 0; i < margin_formula_count && count < COUNT_OF(names); i++)
        names[count++] = margin_formulas[i].name;
    const char *nearest = text_nearest(name, names, count);
    return error_at(err, ERROR_USAGE, NULL, 0, 0, "--formula", "\"%.40s\" is unknown; %s%s%s", name,
                    nearest != NULL ? "did you mean " : "--help lists them",
                    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

/* Formula and taker fee that the venue's file names, where the command line does not. */
static int fill_from_venue(const struct options *options, const struct margin_formula **formula,
                           double *taker, struct error *err)
{
    struct venue_rules rules;
    struct tree_node nothing = {.kind = YAML_MAPPING};
    int status = venue_rules_fill(&rules, &nothing, options->venue, err);
    const struct tree_entry *margin = NULL, *fee = NULL;
    if (status == ERROR_NONE) {
        margin = tree_get(&rules.node, "margin");
        fee = tree_get(&rules.node, "taker_rate");
    }
    if (*formula == NULL && margin != NULL && margin->value.kind == YAML_SCALAR)
        *formula = margin_find(margin->value.text);
    if (isnan(*taker) && fee != NULL && fee->value.kind == YAML_SCALAR)
        text_to_double(fee->value.text, strlen(fee->value.text), false, taker);
    venue_rules_free(&rules);
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The contract has to be one of the formula's kind. Tables name those margined in the coin BTCUSD
   and linear ones BTCUSDT. */
static int match_contract(const struct options *options, struct terms *terms, struct error *err)
{
    bool inverse = ends_with(terms->tables.symbol, "USD");
    if (terms->formula == NULL || (options->formula == NULL && terms->formula->inverse != inverse))
        terms->formula = margin_find(inverse ? "inverse_mark" : "linear_mark");
    if (terms->formula->inverse == inverse)
        return ERROR_NONE;
    return error_at(err, ERROR_USAGE, NULL, 0, 0, "--formula",
                    "%s is for contracts margined in %s, unlike %.32s at %.32s; --mmr takes a rate "
                    "in place of its brackets",
                    terms->formula->name, inverse ? "USD" : "the coin", terms->tables.symbol,
                    options->venue);
}

static int load_brackets(const struct options *options, struct terms *terms,
                         struct liqprice_answer *answer, struct error *err)
{
    struct venue_tables *tables = &terms->tables;
    int status = venue_tables_read(tables, options->venue, options->symbol, err);
    if (status == ERROR_NONE)
        status = match_contract(options, terms, err);
    if (status != ERROR_NONE)
        return status;
    const struct venue_table *table = venue_tables_at(tables, options->at_ms);
    answer->venue = (char *)options->venue;
    answer->symbol = tables->symbol;
    answer->source = table->source;
    answer->brackets_from_ms = table->valid_from_ms;
    answer->bracket_scheme = table->whole ? "whole" : "marginal";
    answer->bracket_unit = table->in_coins ? "coins" : "usd";
    answer->coin_price = table->in_coins ? options->entry : NAN;
    return setup_venue_brackets(table, options->entry, tables->input.path, &terms->published, err);
}

static int load_terms(const struct options *options, struct terms *terms,
                      struct liqprice_answer *answer, struct error *err)
{
    double taker = options->taker;
    int status = ERROR_NONE;
    if (options->formula != NULL)
        status = find_formula(options->formula, &terms->formula, err);
    if (status == ERROR_NONE)
        status = fill_from_venue(options, &terms->formula, &taker, err);
    if (status == ERROR_NONE && isnan(options->mmr))
        status = load_brackets(options, terms, answer, err);
    if (status != ERROR_NONE)
        return status;
    if (!isnan(options->mmr))
        brackets_flat(&terms->published, options->mmr, INFINITY);
    if (terms->formula == NULL)
        terms->formula = margin_find("linear_mark");
    if (terms->formula->inverse && is_cross(options))
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--wallet",
                        "cross margin is for contracts margined in USD, unlike those of %s",
                        terms->formula->name);
    answer->formula = (char *)terms->formula->name;
    terms->brackets = terms->published;
    taker = isnan(taker) ? TAKER_RATE : taker;
    answer->taker_rate = terms->formula->adds_taker ? taker : NAN;
    return margin_prepare(terms->formula, taker, &terms->brackets, err);
}

static int above_maximum(const struct liqprice_answer *answer, double leverage, double maximum,
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
static int check_limits(const struct brackets *brackets, const struct liqprice_answer *answer,
                        double leverage, struct error *err)
{
    double largest = brackets->cap_usd[brackets->count - 1];
    double maximum = brackets_max_leverage(brackets, answer->notional_usd);
    double hedge = answer->hedge_size_coins * answer->hedge_entry_price;
    double asked = fmax(answer->notional_usd, hedge);
    char notional[CLI_NUMBER_SIZE], cap[CLI_NUMBER_SIZE];
    if (asked > largest)
        return error_set(err, ERROR_USAGE,
                         "a notional of %s USD is above the largest of %s USD for %.32s at %.32s",
                         cli_number_short(asked, 2, notional), cli_number_short(largest, 2, cap),
                         answer->symbol, answer->venue);
    if (leverage > maximum)
        return above_maximum(answer, leverage, maximum, err);
    return ERROR_NONE;
}

/* --- the answer --- */

static void fill_size(const struct options *options, struct liqprice_answer *answer)
{
    answer->side = options->side == 0 ? 1 : -1;
    answer->side_name = (char *)sides[options->side];
    answer->mode = is_cross(options) ? "cross" : "isolated";
    answer->entry_price = options->entry;
    answer->notional_usd =
        isnan(options->notional) ? options->qty * options->entry : options->notional;
    answer->size_coins = isnan(options->qty) ? answer->notional_usd / options->entry : options->qty;
}

/* With both --leverage and --margin the first is what the position was opened with and the second
   what backs it now, after a top-up. Returns through `out_opened` the leverage at opening. */
static int fill_margin(const struct options *options, struct liqprice_answer *answer,
                       double *out_opened, struct error *err)
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

static void fill_account(const struct options *options, struct liqprice_answer *answer)
{
    answer->leverage = options->leverage;
    answer->initial_margin_usd = answer->notional_usd / options->leverage;
    answer->wallet_usd = options->wallet;
    answer->other_maintenance_usd =
        isnan(options->other_maintenance) ? 0.0 : options->other_maintenance;
    answer->other_upnl_usd = isnan(options->other_upnl) ? 0.0 : options->other_upnl;
    answer->hedge_size_coins = options->hedge_qty;
    if (!isnan(options->hedge_qty))
        answer->hedge_entry_price =
            isnan(options->hedge_entry) ? options->entry : options->hedge_entry;
}

/* Where the position is liquidated: at `price` (NaN: nowhere), by bracket n. */
static void fill_price(const struct terms *terms, double price, double bankruptcy, int n,
                       struct liqprice_answer *answer)
{
    const struct brackets *table = &terms->published;
    bool given = answer->venue == NULL;
    answer->liquidation_price = price;
    answer->distance_share = price / answer->entry_price - 1.0;
    answer->bankruptcy_price = bankruptcy > 0.0 && isfinite(bankruptcy) ? bankruptcy : NAN;
    answer->bracket_count = table->count;
    answer->bracket = given ? NAN : (double)(n + 1);
    answer->bracket_cap_usd = isfinite(table->cap_usd[n]) ? table->cap_usd[n] : NAN;
    answer->bracket_max_leverage = given ? NAN : table->max_leverage[n];
    answer->cum_usd = given ? NAN : table->cum_usd[n];
    answer->maintenance_margin_rate = table->rate[n];
    /* A linear position is worth size times price; an inverse one keeps its value in USD, while the
       maintenance amount is of coins. */
    bool at_entry = terms->formula->bracket_at_entry || isnan(price);
    double ratio = at_entry ? 1.0 : price / answer->entry_price;
    double value = answer->notional_usd;
    if (!at_entry && !terms->formula->inverse)
        value = answer->size_coins * price;
    double cum = table->cum_usd[n] * (terms->formula->inverse ? ratio : 1.0);
    answer->maintenance_margin_usd = value * table->rate[n] - cum;
    answer->closing_fee_usd = value * answer->taker_rate;
}

static int solve_isolated(const struct terms *terms, struct liqprice_answer *answer,
                          struct error *err)
{
    const struct margin_formula *formula = terms->formula;
    const struct brackets *brackets = &terms->brackets;
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
    int n = reachable ? margin_bracket(formula, brackets, answer->side, answer->notional_usd,
                                       answer->leverage)
                      : brackets_find(brackets, answer->notional_usd);
    fill_price(terms, reachable ? price : NAN, bankruptcy, n, answer);
    return ERROR_NONE;
}

static void fill_hedge(const struct terms *terms, const struct margin_leg *hedge, double price,
                       struct liqprice_answer *answer)
{
    const struct brackets *table = &terms->published;
    double at = isnan(price) ? hedge->entry_price : price;
    int n = margin_leg_bracket(terms->formula, &terms->brackets, hedge, at);
    double value = hedge->size_coins * (terms->formula->bracket_at_entry ? hedge->entry_price : at);
    answer->hedge_maintenance_margin_rate = table->rate[n];
    answer->hedge_cum_usd = table->cum_usd[n];
    answer->hedge_maintenance_margin_usd = value * table->rate[n] - table->cum_usd[n];
    answer->closing_fee_usd += value * answer->taker_rate;
}

/* Price at which the whole account is worth nothing; NaN for a full hedge. */
static double account_bankruptcy(const struct margin_leg *legs, int count,
                                 const struct liqprice_answer *answer)
{
    double net = 0.0, paid = 0.0;
    for (int i = 0; i < count; i++) {
        net += legs[i].side * legs[i].size_coins;
        paid += legs[i].side * legs[i].size_coins * legs[i].entry_price;
    }
    return (paid - answer->wallet_usd - answer->other_upnl_usd) / net;
}

/* Of the two prices at which an account can be liquidated, the one nearer to entry. */
static int solve_cross(const struct terms *terms, struct liqprice_answer *answer, struct error *err)
{
    struct margin_leg legs[2] = {
        {answer->side, answer->size_coins, answer->entry_price},
        {-answer->side, answer->hedge_size_coins, answer->hedge_entry_price}};
    int count = isnan(answer->hedge_size_coins) ? 1 : 2;
    double balance = answer->wallet_usd - answer->other_maintenance_usd + answer->other_upnl_usd;
    double low, high, entry = answer->entry_price;
    margin_cross_prices(terms->formula, &terms->brackets, legs, count, balance, &low, &high);
    if (!(low < entry && entry < high))
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--wallet",
                        "the account would be liquidated at once: at the entry price its equity "
                        "does not exceed the maintenance margin");
    double price = entry / low < high / entry ? low : high;
    price = isfinite(price) ? price : NAN;
    int n = margin_leg_bracket(terms->formula, &terms->brackets, &legs[0],
                               isnan(price) ? entry : price);
    fill_price(terms, price, account_bankruptcy(legs, count, answer), n, answer);
    if (count == 2)
        fill_hedge(terms, &legs[1], price, answer);
    return ERROR_NONE;
}

/* --- the command --- */

static int answer_question(const struct options *options, struct terms *terms,
                           struct liqprice_answer *answer, struct error *err)
{
    double opened = options->leverage;
    int status = check_given(options, err);
    if (status == ERROR_NONE)
        status = check_cross_given(options, err);
    if (status == ERROR_NONE)
        status = check_bounds(options, err);
    if (status != ERROR_NONE)
        return status;
    fill_size(options, answer);
    status = load_terms(options, terms, answer, err);
    if (is_cross(options))
        fill_account(options, answer);
    else if (status == ERROR_NONE)
        status = fill_margin(options, answer, &opened, err);
    if (status == ERROR_NONE && answer->venue != NULL)
        status = check_limits(&terms->published, answer, opened, err);
    if (status != ERROR_NONE)
        return status;
    return is_cross(options) ? solve_cross(terms, answer, err) : solve_isolated(terms, answer, err);
}

static const struct options nothing_given = {.venue = "binance",
                                             .symbol = "BTCUSDT",
                                             .side = -1,
                                             .entry = NAN,
                                             .leverage = NAN,
                                             .qty = NAN,
                                             .notional = NAN,
                                             .margin = NAN,
                                             .mmr = NAN,
                                             .taker = NAN,
                                             .wallet = NAN,
                                             .other_maintenance = NAN,
                                             .other_upnl = NAN,
                                             .hedge_qty = NAN,
                                             .hedge_entry = NAN,
                                             .at_ms = INT64_MAX};

/* What only some questions have. */
static const struct liqprice_answer nothing_answered = {.brackets_from_ms = CALENDAR_NONE,
                                                        .coin_price = NAN,
                                                        .leverage = NAN,
                                                        .margin_usd = NAN,
                                                        .wallet_usd = NAN,
                                                        .other_maintenance_usd = NAN,
                                                        .other_upnl_usd = NAN,
                                                        .hedge_size_coins = NAN,
                                                        .hedge_entry_price = NAN,
                                                        .taker_rate = NAN,
                                                        .hedge_maintenance_margin_usd = NAN,
                                                        .hedge_maintenance_margin_rate = NAN,
                                                        .hedge_cum_usd = NAN};

int cli_liqprice(int argc, char **argv, struct error *err)
{
    struct options options = nothing_given;
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct terms terms = {0};
    struct liqprice_answer answer = nothing_answered;
    int status = cli_parse(&command, argc, argv, &options, &common, &arguments, err);
    if (status != ERROR_NONE || arguments.help_shown)
        goto out;
    status = answer_question(&options, &terms, &answer, err);
    if (status != ERROR_NONE)
        goto out;
    if (options.at_ms < answer.brackets_from_ms)
        cli_warn(&common, "the date is before the earliest brackets at hand, which are used");
    if (common.json)
        liqprice_answer_print_json(&answer);
    else
        liqprice_answer_print(&answer);
out:
    venue_tables_free(&terms.tables);
    cli_arguments_free(&arguments);
    return status;
}
