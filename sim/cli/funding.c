#include "models/funding.h"

#include <math.h>
#include <stdio.h>

#include "base/calendar.h"
#include "base/field.h"
#include "reports/json.h"
#include "sim/cli/cli.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct options {
    double rate, notional, leverage, mmr;
    int64_t interval_ms, hold_ms;
    int side; /* index into `sides` */
};

static const char *const sides[] = {"long", "short", NULL};

static const struct cli_option option_table[] = {
    {"rate", 0, "X", "funding rate per interval as a fraction: 0.0001 is 0.01 %", CLI_NUMBER,
     offsetof(struct options, rate), NULL},
    {"interval", 0, "TIME", "time between payments (8h)", CLI_DURATION,
     offsetof(struct options, interval_ms), NULL},
    {"notional", 0, "USD", "size of the position", CLI_NUMBER, offsetof(struct options, notional),
     NULL},
    {"hold", 0, "TIME", "how long it is held", CLI_DURATION, offsetof(struct options, hold_ms),
     NULL},
    {"side", 0, "SIDE", "long (default) or short", CLI_CHOICE, offsetof(struct options, side),
     sides},
    {"leverage", 0, "L", "leverage, to tell when funding alone liquidates", CLI_NUMBER,
     offsetof(struct options, leverage), NULL},
    {"mmr", 0, "X", "maintenance margin rate as a fraction, with --leverage", CLI_NUMBER,
     offsetof(struct options, mmr), NULL},
};

static const struct cli_command command = {
    .name = "funding",
    .arguments = "--rate X --notional USD --hold TIME",
    .summary = "What funding costs at a constant rate and price, and when it alone liquidates",
    .notes = "The first payment falls one interval after the start. Longs pay a positive rate,\n"
             "shorts receive it.\n",
    .options = option_table,
    .option_count = COUNT_OF(option_table),
    .json = true,
};

struct answer {
    char *side_name; /* not owned */
    int side;
    int64_t interval_ms, hold_ms, payments;
    double rate, rate_per_year, notional_usd, cost_usd, cost_share;
    double leverage, maintenance_margin_rate;
    double payments_to_liquidation, days_to_liquidation;
    double liquidation_distance_share, liquidation_distance_after_hold_share;
};

#define DESCRIBED(column, kind, member, measure, text)                        \
    {                                                                         \
        .name = column, .type = kind, .unit = measure, .documentation = text, \
        .offset = offsetof(struct answer, member)                             \
    }
#define NUMBER(member, unit, text) DESCRIBED(#member, FIELD_DOUBLE, member, unit, text)

static const struct field answer_fields[] = {
    DESCRIBED("side", FIELD_TEXT, side_name, "", "long or short"),
    NUMBER(rate, "share", "funding rate per interval"),
    DESCRIBED("interval", FIELD_DURATION_MS, interval_ms, "", "time between payments"),
    NUMBER(rate_per_year, "share", "rate times intervals in 365 days"),
    NUMBER(notional_usd, "usd", "size of the position"),
    DESCRIBED("hold", FIELD_DURATION_MS, hold_ms, "", "holding time"),
    DESCRIBED("payments", FIELD_INT64, payments, "", "payments within the holding time"),
    NUMBER(cost_usd, "usd", "paid in all; negative: received"),
    NUMBER(cost_share, "share", "paid in all over notional"),
    NUMBER(leverage, "", "leverage"),
    NUMBER(maintenance_margin_rate, "share", "maintenance margin rate"),
    NUMBER(payments_to_liquidation, "", "(1/leverage - mmr) / rate; missing when never"),
    NUMBER(days_to_liquidation, "days", "the same as time"),
    NUMBER(liquidation_distance_share, "share", "liquidation price over entry price, less one"),
    NUMBER(liquidation_distance_after_hold_share, "share", "the same after the holding time"),
};

/* --- the question --- */

static int missing(const char *what, struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s is missing; `liqcascade funding --help` shows how",
                     what);
}

static int wrong(const char *option, const char *expected, struct error *err)
{
    return error_at(err, ERROR_USAGE, NULL, 0, 0, option, "out of bounds; expected %s", expected);
}

static int check_given(const struct options *options, struct error *err)
{
    if (isnan(options->rate))
        return missing("--rate X", err);
    if (isnan(options->notional))
        return missing("--notional USD", err);
    if (options->hold_ms == CALENDAR_NONE)
        return missing("--hold TIME", err);
    if (isnan(options->leverage) != isnan(options->mmr))
        return error_set(err, ERROR_USAGE, "--leverage and --mmr go together; one is missing");
    return ERROR_NONE;
}

/* NaN, not given, passes each comparison. */
static int check_bounds(const struct options *options, struct error *err)
{
    if (fabs(options->rate) >= 1.0)
        return wrong("--rate", "a fraction between -1 and 1: 0.0001 is 0.01 %", err);
    if (options->notional <= 0.0)
        return wrong("--notional", "an amount above 0", err);
    if (options->interval_ms <= 0)
        return wrong("--interval", "a time above 0, such as 8h", err);
    if (options->hold_ms < 0)
        return wrong("--hold", "a time of at least 0, such as 30d", err);
    if (options->leverage < 1.0)
        return wrong("--leverage", "at least 1", err);
    if (options->mmr < 0.0 || options->mmr >= 1.0)
        return wrong("--mmr", "a fraction from 0 to below 1, such as 0.004", err);
    if (1.0 / options->leverage <= options->mmr)
        return wrong("--mmr", "less than the initial margin, 1 / leverage", err);
    return ERROR_NONE;
}

/* --- the answer --- */

static void solve_liquidation(struct answer *answer)
{
    double payments = funding_payments_to_liquidation(answer->side, answer->rate, answer->leverage,
                                                      answer->maintenance_margin_rate);
    answer->payments_to_liquidation = payments;
    answer->days_to_liquidation = payments * (double)answer->interval_ms / (double)CALENDAR_DAY_MS;
    answer->liquidation_distance_share =
        funding_liquidation_price(answer->side, 1.0, answer->leverage,
                                  answer->maintenance_margin_rate, answer->rate, 0.0) -
        1.0;
    answer->liquidation_distance_after_hold_share =
        funding_liquidation_price(answer->side, 1.0, answer->leverage,
                                  answer->maintenance_margin_rate, answer->rate,
                                  (double)answer->payments) -
        1.0;
}

static void solve(const struct options *options, struct answer *answer)
{
    *answer = (struct answer){
        .side_name = (char *)sides[options->side],
        .side = options->side == 0 ? 1 : -1,
        .interval_ms = options->interval_ms,
        .hold_ms = options->hold_ms,
        .payments = funding_payments(options->interval_ms, options->hold_ms),
        .rate = options->rate,
        .rate_per_year = funding_annualised(options->rate, options->interval_ms),
        .notional_usd = options->notional,
        .leverage = options->leverage,
        .maintenance_margin_rate = options->mmr,
        .payments_to_liquidation = NAN,
        .days_to_liquidation = NAN,
        .liquidation_distance_share = NAN,
        .liquidation_distance_after_hold_share = NAN,
    };
    answer->cost_usd =
        funding_cost_usd(answer->side, options->rate, answer->payments, options->notional);
    answer->cost_share = answer->cost_usd / options->notional;
    if (!isnan(options->leverage))
        solve_liquidation(answer);
}

/* --- output --- */

static void print_liquidation(const struct answer *answer)
{
    char payments[CLI_NUMBER_SIZE], days[CLI_NUMBER_SIZE], leverage[CLI_NUMBER_SIZE];
    char rate[CLI_NUMBER_SIZE];
    cli_number_short(answer->leverage, 2, leverage);
    cli_number_short(answer->maintenance_margin_rate * 100.0, 4, rate);
    if (isinf(answer->payments_to_liquidation)) {
        printf("  %-22s never at %sx: it pays nothing\n", "liquidated by funding", leverage);
        return;
    }
    printf("  %-22s after %s payments (%s days) at %sx, maintenance margin %s %%\n",
           "liquidated by funding", cli_number_short(answer->payments_to_liquidation, 2, payments),
           cli_number_short(answer->days_to_liquidation, 2, days), leverage, rate);
}

static void print_distances(const struct answer *answer)
{
    char before[CLI_NUMBER_SIZE], after[CLI_NUMBER_SIZE];
    printf("  %-22s %s %% from entry at first", "liquidation price",
           cli_number(answer->liquidation_distance_share * 100.0, 4, before));
    /* Past this point the position is gone, and a distance would say nothing. */
    if ((double)answer->payments >= answer->payments_to_liquidation)
        printf(", liquidated before the end\n");
    else
        printf(", %s %% at the end\n",
               cli_number(answer->liquidation_distance_after_hold_share * 100.0, 4, after));
}

static void print_answer(const struct answer *answer)
{
    char rate[CLI_NUMBER_SIZE], notional[CLI_NUMBER_SIZE], cost[CLI_NUMBER_SIZE];
    char share[CLI_NUMBER_SIZE], year[CLI_NUMBER_SIZE];
    char interval[CALENDAR_TEXT_SIZE], hold[CALENDAR_TEXT_SIZE];
    printf("Funding of a %s of %s USD at %s %% per %s for %s\n", answer->side_name,
           cli_number_short(answer->notional_usd, 2, notional),
           cli_number_short(answer->rate * 100.0, 8, rate),
           calendar_format_duration(answer->interval_ms, interval),
           calendar_format_duration(answer->hold_ms, hold));
    printf("  %-22s %lld\n", "payments", (long long)answer->payments);
    printf("  %-22s %s USD (%s %% of notional)\n", answer->cost_usd < 0.0 ? "received" : "cost",
           cli_number(fabs(answer->cost_usd), 2, cost),
           cli_number_short(fabs(answer->cost_share) * 100.0, 6, share));
    printf("  %-22s %s %%\n", "rate per year",
           cli_number_short(answer->rate_per_year * 100.0, 4, year));
    if (isnan(answer->leverage))
        return;
    print_liquidation(answer);
    print_distances(answer);
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

int cli_funding(int argc, char **argv, struct error *err)
{
    struct options options = {.rate = NAN,
                              .notional = NAN,
                              .leverage = NAN,
                              .mmr = NAN,
                              .interval_ms = 8 * CALENDAR_HOUR_MS,
                              .hold_ms = CALENDAR_NONE};
    struct cli_common common = {0};
    struct cli_arguments arguments = {0};
    struct answer answer;
    int status = cli_parse(&command, argc, argv, &options, &common, &arguments, err);
    if (status != ERROR_NONE || arguments.help_shown)
        goto out;
    status = check_given(&options, err);
    if (status == ERROR_NONE)
        status = check_bounds(&options, err);
    if (status != ERROR_NONE)
        goto out;
    solve(&options, &answer);
    if (common.json)
        print_json(&answer);
    else
        print_answer(&answer);
out:
    cli_arguments_free(&arguments);
    return status;
}
