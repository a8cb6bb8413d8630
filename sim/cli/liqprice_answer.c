#include "sim/cli/liqprice_answer.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/field.h"
#include "reports/json.h"
#include "sim/cli/cli.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#define DESCRIBED(column, kind, member, measure, text)                        \
    {                                                                         \
        .name = column, .type = kind, .unit = measure, .documentation = text, \
        .offset = offsetof(struct liqprice_answer, member)                    \
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
    TEXT(mode, "isolated or cross margin"),
    NUMBER(entry_price, "usd", "entry price"),
    NUMBER(size_coins, "coins", "size"),
    NUMBER(notional_usd, "usd", "notional at entry"),
    NUMBER(leverage, "", "notional over isolated margin; with cross margin that of --leverage"),
    NUMBER(margin_usd, "usd", "isolated margin at entry"),
    NUMBER(wallet_usd, "usd", "wallet balance; missing with isolated margin"),
    NUMBER(other_maintenance_usd, "usd", "maintenance margin of other contracts"),
    NUMBER(other_upnl_usd, "usd", "unrealized profit of other contracts"),
    NUMBER(hedge_size_coins, "coins", "size of the position on the other side"),
    NUMBER(hedge_entry_price, "usd", "entry price of that position"),
    NUMBER(liquidation_price, "usd", "liquidation price; missing when no price liquidates"),
    NUMBER(distance_share, "share", "liquidation price over entry price, less one"),
    NUMBER(bankruptcy_price, "usd",
           "price at which the margin is gone; missing when there is none"),
    NUMBER(initial_margin_usd, "usd", "least margin to open the position"),
    NUMBER(maintenance_margin_usd, "usd", "maintenance margin where it is liquidated"),
    NUMBER(maintenance_margin_rate, "share", "rate of the bracket that decides"),
    NUMBER(taker_rate, "share", "taker fee that has to be left, too; missing for most formulas"),
    NUMBER(closing_fee_usd, "usd", "that fee where it is liquidated"),
    NUMBER(hedge_maintenance_margin_usd, "usd", "maintenance margin of the other side there"),
    NUMBER(hedge_maintenance_margin_rate, "share", "rate of its bracket there"),
    NUMBER(hedge_cum_usd, "usd", "maintenance amount of its bracket there"),
    NUMBER(bracket, "", "number of the bracket that decides, from 1; missing with --mmr"),
    TEXT(bracket_scheme, "marginal: each slice at its rate, whole: all at that of its bracket"),
    TEXT(bracket_unit, "unit of the published brackets: usd, or coins valued at the entry price"),
    NUMBER(bracket_cap_usd, "usd", "largest notional of that bracket; missing without limit"),
    NUMBER(bracket_max_leverage, "", "highest leverage of that bracket"),
    NUMBER(cum_usd, "usd", "maintenance amount of that bracket"),
    TEXT(source, "where the brackets are from"),
};

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

static void print_cap(const struct liqprice_answer *answer)
{
    char cap[CLI_NUMBER_SIZE];
    if (isnan(answer->bracket_cap_usd)) {
        printf("without limit");
    } else if (isnan(answer->coin_price)) {
        printf("up to %s USD", cli_number_short(answer->bracket_cap_usd, 2, cap));
    } else {
        printf("up to %s coins",
               cli_number_short(answer->bracket_cap_usd / answer->coin_price, 4, cap));
        printf(" (%s USD)", cli_number_short(answer->bracket_cap_usd, 2, cap));
    }
}

static void print_bracket(const struct liqprice_answer *answer)
{
    char most[CLI_NUMBER_SIZE], cum[CLI_NUMBER_SIZE], date[CALENDAR_TEXT_SIZE];
    if (answer->venue == NULL) {
        printf("  %-20s none: the maintenance margin rate was given\n", "bracket");
        return;
    }
    printf("  %-20s %d of %d: ", "bracket", (int)answer->bracket, answer->bracket_count);
    print_cap(answer);
    printf(", at most %sx", cli_number_short(answer->bracket_max_leverage, 2, most));
    if (strcmp(answer->bracket_scheme, "whole") == 0)
        printf(", one rate for all of it\n");
    else
        printf(", cum %s USD\n", cli_number_short(answer->cum_usd, 2, cum));
    printf("  %-20s %s %s from %.10s\n", "brackets", answer->venue, answer->symbol,
           calendar_format_iso(answer->brackets_from_ms, date));
}

static void print_position(const struct liqprice_answer *answer)
{
    char size[CLI_NUMBER_SIZE], entry[CLI_NUMBER_SIZE], notional[CLI_NUMBER_SIZE];
    char leverage[CLI_NUMBER_SIZE];
    printf("%s of %s %s at %s (%s USD), ", answer->side > 0 ? "Long" : "Short",
           cli_number_short(answer->size_coins, 8, size),
           answer->size_coins == 1.0 ? "coin" : "coins",
           cli_number_short(answer->entry_price, 8, entry),
           cli_number_short(answer->notional_usd, 2, notional));
    if (!isnan(answer->leverage))
        printf("%sx ", cli_number_short(answer->leverage, 2, leverage));
    printf("%s, %s\n", answer->mode, answer->formula);
    if (isnan(answer->hedge_size_coins))
        return;
    printf("  %-20s %s of %s %s at %s (%s USD)\n", "hedge", answer->side > 0 ? "short" : "long",
           cli_number_short(answer->hedge_size_coins, 8, size),
           answer->hedge_size_coins == 1.0 ? "coin" : "coins",
           cli_number_short(answer->hedge_entry_price, 8, entry),
           cli_number_short(answer->hedge_size_coins * answer->hedge_entry_price, 2, notional));
}

static void print_share_of(const char *label, double amount_usd, double rate)
{
    char amount[CLI_NUMBER_SIZE], share[CLI_NUMBER_SIZE];
    if (!isnan(amount_usd))
        printf("  %-20s %s USD, rate %s %%\n", label, cli_number(amount_usd, 2, amount),
               cli_number_short(rate * 100.0, 4, share));
}

void liqprice_answer_print(const struct liqprice_answer *answer)
{
    char margin[CLI_NUMBER_SIZE];
    print_position(answer);
    print_price("liquidation price", answer->liquidation_price, answer->entry_price);
    print_price("bankruptcy price", answer->bankruptcy_price, answer->entry_price);
    if (!isnan(answer->initial_margin_usd))
        printf("  %-20s %s USD\n", "initial margin",
               cli_number(answer->initial_margin_usd, 2, margin));
    print_share_of("maintenance margin", answer->maintenance_margin_usd,
                   answer->maintenance_margin_rate);
    print_share_of("that of the hedge", answer->hedge_maintenance_margin_usd,
                   answer->hedge_maintenance_margin_rate);
    print_share_of("closing fee", answer->closing_fee_usd, answer->taker_rate);
    print_bracket(answer);
}

void liqprice_answer_print_json(const struct liqprice_answer *answer)
{
    struct json json;
    json_begin(&json, stdout);
    json_object_open(&json, NULL);
    for (size_t i = 0; i < COUNT_OF(answer_fields); i++)
        json_field(&json, &answer_fields[i], answer);
    json_object_close(&json);
}
