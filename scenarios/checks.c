#include "scenarios/checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/paths.h"

#define WARMUP_DAYS 30
#define SHARE_TOLERANCE 1e-9

/* True when all of the keys (ending in NULL) were read without an error. */
static bool good(const struct reader *reader, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (reader_state_of(reader, *keys)->bad)
            return false;
    }
    return true;
}
#define GOOD(reader, ...) good(reader, (const char *const[]){__VA_ARGS__, NULL})

static const struct tree_node *place(const struct reader *reader, const char *key)
{
    return reader_state_of(reader, key)->node;
}

/* The second key where it was said, else the first: the one to point at. */
static const char *said_or(const struct reader *reader, const char *key, const char *other)
{
    return place(reader, key) != NULL ? key : other;
}

void checks_resolve(const struct reader *reader, struct scenario *scenario)
{
    if (GOOD(reader, "time.start")) {
        int64_t start = scenario->time.start_ms;
        if (scenario->time.warmup_ms == CALENDAR_NONE)
            scenario->time.warmup_ms =
                scenario->book.positions_from ? start : start - WARMUP_DAYS * CALENDAR_DAY_MS;
        if (scenario->path.shock_at_ms == CALENDAR_NONE)
            scenario->path.shock_at_ms = start;
        if (scenario->oi.level_at_ms == CALENDAR_NONE)
            scenario->oi.level_at_ms = start;
    }
    if (scenario->feedback < 0)
        scenario->feedback =
            scenario->path.model == PATH_OBSERVED ? FEEDBACK_OPEN : FEEDBACK_CLOSED;
}

/* --- time --- */

static void report_window(struct reader *reader, const char *key, const char *problem,
                          int64_t given_ms, const char *other, int64_t other_ms)
{
    char given[CALENDAR_TEXT_SIZE], than[CALENDAR_TEXT_SIZE];
    reader_report(reader, place(reader, key), key, "%s %s; expected a time %s %s",
                  calendar_format_iso(given_ms, given), problem, other,
                  calendar_format_iso(other_ms, than));
}

static void check_whole_steps(struct reader *reader, const char *key, const char *what,
                              int64_t length_ms, int64_t step_ms)
{
    char length[CALENDAR_TEXT_SIZE], step[CALENDAR_TEXT_SIZE];
    if (length_ms % step_ms == 0)
        return;
    reader_report(reader, place(reader, key), key,
                  "%s lasts %s, which is not a whole number of steps; expected a multiple of "
                  "time.step %s",
                  what, calendar_format_duration(length_ms, length),
                  calendar_format_duration(step_ms, step));
}

static void check_window(struct reader *reader, const struct scenario *scenario)
{
    int64_t warmup = scenario->time.warmup_ms, start = scenario->time.start_ms;
    int64_t end = scenario->time.end_ms, step = scenario->time.step_ms;
    if (GOOD(reader, "time.warmup", "time.start")) {
        const char *key = said_or(reader, "time.warmup", "time.start");
        if (warmup > start)
            report_window(reader, key, "is after time.start", warmup, "not after time.start",
                          start);
        else if (GOOD(reader, "time.step"))
            check_whole_steps(reader, key, "the warm-up", start - warmup, step);
    }
    if (GOOD(reader, "time.start", "time.end")) {
        if (end <= start)
            report_window(reader, "time.end", "is not after time.start", end, "after time.start",
                          start);
        else if (GOOD(reader, "time.step"))
            check_whole_steps(reader, "time.end", "the run", end - start, step);
    }
}

/* The run at the other step needs whole steps, too. */
static void check_check_step(struct reader *reader, const struct scenario *scenario)
{
    int64_t step = scenario->time.check_step_ms;
    if (!GOOD(reader, "time.check_step", "time.warmup", "time.start", "time.end") ||
        step == CALENDAR_NONE || scenario->time.warmup_ms > scenario->time.start_ms ||
        scenario->time.end_ms <= scenario->time.start_ms)
        return;
    int64_t warmup = scenario->time.start_ms - scenario->time.warmup_ms;
    if (warmup % step != 0 || (scenario->time.end_ms - scenario->time.start_ms) % step != 0)
        reader_report(reader, place(reader, "time.check_step"), "time.check_step",
                      "does not divide the warm-up and the run; expected whole steps in both");
    if (GOOD(reader, "path.model") && scenario->path.model != PATH_OBSERVED &&
        scenario->path.model != PATH_SHOCK)
        reader_report(reader, place(reader, "time.check_step"), "time.check_step",
                      "would make another path, since random paths are drawn bar by bar; expected "
                      "it with path.model observed or shock");
    if (step == scenario->time.step_ms)
        reader_report(reader, place(reader, "time.check_step"), "time.check_step",
                      "is time.step; expected another step");
}

/* --- path and feedback --- */

static void check_made(struct reader *reader, const struct scenario *scenario)
{
    int64_t at = scenario->path.shock_at_ms, end = scenario->time.end_ms;
    if (!GOOD(reader, "path.model") || scenario->path.model == PATH_OBSERVED)
        return;
    if (scenario->path.model == PATH_SHOCK && GOOD(reader, "path.move_log") &&
        isnan(scenario->path.shock_move_log))
        reader_report(reader, place(reader, "path.model"), "path.move_log",
                      "is required with model shock; expected the move of the log price, such as "
                      "-0.10");
    if (!GOOD(reader, "path.at", "time.start", "time.end") || end <= scenario->time.start_ms)
        return;
    if (at < scenario->time.start_ms)
        report_window(reader, "path.at", "is before the run", at, "from time.start",
                      scenario->time.start_ms);
    else if (at >= end)
        report_window(reader, "path.at", "is after the run", at, "before time.end", end);
    else if (scenario->path.model == PATH_SHOCK && GOOD(reader, "path.over") &&
             scenario->path.shock_over_ms > end - at)
        reader_report(reader, place(reader, "path.over"), "path.over",
                      "ends after the run; expected a move that is over by time.end");
}

static void check_feedback(struct reader *reader, const struct scenario *scenario)
{
    if (!GOOD(reader, "path.model", "feedback"))
        return;
    bool observed = scenario->path.model == PATH_OBSERVED;
    const char *made = scenario->path.model == PATH_SHOCK ? "a shock" : "a made path";
    bool closed = scenario->feedback == FEEDBACK_CLOSED;
    const struct tree_node *node = place(reader, said_or(reader, "feedback", "path.model"));
    if (observed && closed && GOOD(reader, "impact.arbitrage_half_life") &&
        scenario->impact.arbitrage_half_life_ms != 0)
        reader_report(reader, node, "feedback",
                      "closed on an observed path takes the impact out of one price; expected "
                      "impact.arbitrage_half_life: 0s");
    if (!observed && !closed)
        reader_report(reader, node, "feedback",
                      "%s needs path.model: observed; on %s expected closed",
                      scenario->feedback == FEEDBACK_OPEN ? "open" : "naive", made);
}

/* --- open interest and inputs --- */

static void check_level(struct reader *reader, const struct scenario *scenario)
{
    if (GOOD(reader, "oi.level_usd", "oi.level_coins") && !isnan(scenario->oi.level_usd) &&
        !isnan(scenario->oi.level_coins))
        reader_report(reader, place(reader, "oi.level_coins"), "oi.level_coins",
                      "is given together with oi.level_usd; expected only one of them");
    if (GOOD(reader, "oi.level_usd", "oi.level_coins", "oi.levels_usd") &&
        scenario->oi.level_count > 0 &&
        (!isnan(scenario->oi.level_usd) || !isnan(scenario->oi.level_coins)))
        reader_report(reader, place(reader, "oi.levels_usd"), "oi.levels_usd",
                      "is given together with one level; expected only one of them");
    if (!GOOD(reader, "oi.level_at", "time.warmup", "time.start", "time.end"))
        return;
    if (scenario->oi.level_at_ms < scenario->time.warmup_ms &&
        scenario->time.warmup_ms <= scenario->time.start_ms)
        report_window(reader, "oi.level_at", "is before the warm-up", scenario->oi.level_at_ms,
                      "from time.warmup", scenario->time.warmup_ms);
    else if (scenario->oi.level_at_ms >= scenario->time.end_ms &&
             scenario->time.end_ms > scenario->time.start_ms)
        report_window(reader, "oi.level_at", "is after the run", scenario->oi.level_at_ms,
                      "before time.end", scenario->time.end_ms);
}

static void check_inputs(struct reader *reader, const struct scenario *scenario)
{
    if (reader->tree->incomplete || !GOOD(reader, "data.oi", "book.positions_from"))
        return;
    if (!scenario->data.input[MARKET_OI].present && scenario->book.positions_from == NULL)
        reader_report(reader, place(reader, "data.oi"), "data.oi",
                      "is required unless book.positions_from gives the book; expected "
                      "{source: builtin:NAME} or {path: FILE, format: NAME}");
}

static void check_made_path(struct reader *reader, const struct scenario *scenario)
{
    bool bridge = scenario->path.model == PATH_BRIDGE;
    if (GOOD(reader, "path.model", "path.points") && bridge != (scenario->path.point_count > 0))
        reader_report(reader, place(reader, said_or(reader, "path.points", "path.model")),
                      "path.points",
                      bridge ? "is required with model bridge; expected a list such as "
                               "[{at: 2025-10-10T21:00Z, price: 105000}]"
                             : "belongs to model bridge; expected none");
    for (size_t i = 0; GOOD(reader, "path.points", "path.at") && i < scenario->path.point_count;
         i++) {
        int64_t after = i == 0 ? scenario->path.shock_at_ms : scenario->path.point_ms[i - 1];
        if (scenario->path.point_ms[i] <= after)
            report_window(reader, "path.points", "does not come after what is before it",
                          scenario->path.point_ms[i], "after", after);
    }
    if (GOOD(reader, "path.model", "impact.depth.model", "data.depth") &&
        scenario->impact.depth.model == DEPTH_SERIES && !reader->tree->incomplete &&
        !scenario->data.input[MARKET_DEPTH].present)
        reader_report(reader, place(reader, "impact.depth.model"), "data.depth",
                      "is required with impact.depth.model: series; expected a source such as "
                      "{path: FILE, format: binance_book_depth}");
}

static void check_pool(struct reader *reader, const struct scenario *scenario)
{
    bool rule = scenario->funding.model == FUNDING_LINEAR ||
                scenario->funding.model == FUNDING_CUBIC ||
                scenario->funding.model == FUNDING_VELOCITY;
    if (GOOD(reader, "funding.model", "funding.signal", "book.pool_share") && rule &&
        scenario->funding.signal == FUNDING_SIGNAL_POOL && scenario->book.pool_share == 0 &&
        scenario->book.positions_from == NULL)
        reader_report(reader, place(reader, "funding.model"), "funding.signal",
                      "is pool, but on an order book longs equal shorts and nothing is ever paid; "
                      "expected book.pool_share other than 0, or signal: premium");
}

/* --- venues and leverage --- */

static const struct tree_node *venue_place(const struct reader *reader, size_t index)
{
    const struct tree_node *list = place(reader, "venues");
    return list != NULL ? &list->entries[index].value : NULL;
}

/* Whose tables a venue's brackets come from. */
static const char *brackets_name(const struct scenario_venue *venue)
{
    return venue->brackets != NULL ? venue->brackets : venue->rules;
}

/* Whether there are bracket tables of that name; also where nothing shipped can be found, which the
   run will say itself. */
static bool rules_shipped(const char *rules)
{
    char relative[PATHS_SIZE], path[PATHS_SIZE];
    if (strspn(rules, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(rules))
        return false;
    int length = snprintf(relative, sizeof relative, "datasets/venues/%s.csv", rules);
    if (length >= (int)sizeof relative)
        return false;
    return paths_shipped(relative, path, NULL) != ERROR_NONE || paths_exists(path);
}

static void check_venue(struct reader *reader, const struct scenario *scenario, size_t index)
{
    const struct scenario_venue *venue = &scenario->venues[index];
    const struct tree_node *node = venue_place(reader, index);
    bool flat = strcmp(venue->rules, "flat") == 0;
    bool has_rate = !isnan(venue->flat_rate), has_leverage = !isnan(venue->flat_max_leverage);
    for (size_t i = 0; i < index; i++) {
        if (strcmp(scenario->venues[i].name, venue->name) == 0)
            reader_report(reader, node, "venues", "names %.40s twice; expected different names",
                          venue->name);
    }
    if (flat && (!has_rate || !has_leverage))
        reader_report(reader, node, "venues",
                      "%.40s has rules flat; expected flat_rate and flat_max_leverage with it",
                      venue->name);
    else if (!flat && (has_rate || has_leverage))
        reader_report(reader, node, "venues",
                      "%.40s has flat_rate or flat_max_leverage; expected them only with rules: "
                      "flat",
                      venue->name);
    else if (flat && venue->flat_rate * venue->flat_max_leverage >= 1)
        reader_report(reader, node, "venues",
                      "%.40s is liquidated as it opens; expected flat_rate below "
                      "1 / flat_max_leverage",
                      venue->name);
    if (!flat && venue->liquidation != LIQUIDATION_NONE && !rules_shipped(brackets_name(venue)))
        reader_report(reader, node, "venues",
                      "%.40s has no shipped bracket tables; expected rules such as binance, or "
                      "flat",
                      brackets_name(venue));
    if (venue->liquidation != LIQUIDATION_FULL && venue->liquidation != LIQUIDATION_NONE &&
        scenario->fill == FILL_FINAL)
        reader_report(reader, node, "venues",
                      "%.40s liquidates in parts, whose margin depends on their fill; expected "
                      "fill: walk",
                      venue->name);
    if (venue->adl != ADL_NONE && scenario->fill == FILL_FINAL)
        reader_report(reader, node, "venues",
                      "%.40s deleverages what its fund cannot pay, which depends on the fill; "
                      "expected fill: walk, or adl: none",
                      venue->name);
}

static void check_venues(struct reader *reader, const struct scenario *scenario)
{
    double sum = 0, automatic = 0;
    if (!GOOD(reader, "venues"))
        return;
    for (size_t i = 0; i < scenario->venue_count; i++) {
        const struct scenario_venue *venue = &scenario->venues[i];
        check_venue(reader, scenario, i);
        sum += venue->oi_share;
        if (venue->liquidation != LIQUIDATION_NONE)
            automatic += venue->oi_share * venue->reliability;
    }
    if (!(automatic > 0))
        reader_report(reader, place(reader, "venues"), "venues",
                      "none of them liquidates; expected a venue with a reliability above 0 and "
                      "a liquidation other than none");
    if (!(fabs(sum - 1) <= SHARE_TOLERANCE))
        reader_report(reader, place(reader, "venues"), "venues",
                      "the shares of open interest sum to %.12g; expected oi_share to sum to 1",
                      sum);
}

static void check_leverage(struct reader *reader, const struct scenario *scenario)
{
    double sum = 0;
    if (!GOOD(reader, "book.leverage.model", "book.leverage.tiers") ||
        scenario->book.leverage.model != LEVERAGE_TIERS)
        return;
    for (size_t i = 0; i < scenario->book.leverage.tier_count; i++)
        sum += scenario->book.leverage.tier_weight[i];
    if (!(sum > 0))
        reader_report(
            reader, place(reader, said_or(reader, "book.leverage.tiers", "book.leverage.model")),
            "book.leverage.tiers",
            "has no weight; with model tiers expected a list such as [{leverage: 5, weight: 0.2}]");
}

void checks_run(struct reader *reader, const struct scenario *scenario)
{
    check_window(reader, scenario);
    check_check_step(reader, scenario);
    check_made(reader, scenario);
    check_feedback(reader, scenario);
    check_made_path(reader, scenario);
    check_pool(reader, scenario);
    check_level(reader, scenario);
    check_inputs(reader, scenario);
    check_venues(reader, scenario);
    check_leverage(reader, scenario);
    checks_sweep(reader, scenario);
}
