#include "sim/output.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "reports/manifest.h"
#include "reports/results.h"

/* Forced flow that the observed OI cannot hold, above which a run warns. */
static const double REPLACEMENT_WARNED = 0.20;
static const double GAP_WARNED_LOG = 0.01; /* own prior */
static const int64_t WARMUP_WARNED_MS = 30 * CALENDAR_DAY_MS;

/* ---- warnings --------------------------------------------------------------------------- */

void output_warn_add(struct output_warnings *self, const char *format, ...)
{
    if (self->count == OUTPUT_WARNINGS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->text[self->count++], OUTPUT_WARNING_SIZE, format, arguments);
    va_end(arguments);
}

static void warn_data(const struct setup *setup, struct output_warnings *out)
{
    const struct market *market = &setup->market;
    if (market->any_reconstructed)
        output_warn_add(
            out, "the market data are a reconstruction from published figures, not observed data: "
                 "no result of this run is evidence about the event");
    for (int input = 0; input < MARKET_INPUT_COUNT; input++)
        for (int flaw = 0; flaw < QUALITY_FLAW_COUNT; flaw++) {
            const struct quality_report *report = &market->quality[input];
            if (report->applied[flaw] > 0)
                output_warn_add(out, "data.%s: %lld times `%s`, handled by policy `%s`",
                                market_input_name((enum market_input)input),
                                (long long)report->applied[flaw],
                                quality_flaw_name((enum quality_flaw)flaw),
                                quality_action_name(market->policies.on[flaw]));
        }
}

/* Given positions stand open from the warm-up on, whatever becomes of them before the start. */
static void warn_given(const struct setup *setup, const struct run_tables *tables,
                       struct output_warnings *out)
{
    double side[2], gone = 0.0;
    positions_coins(&setup->positions, side);
    double larger = fmax(side[BOOK_LONG], side[BOOK_SHORT]);
    if (fabs(side[BOOK_LONG] - side[BOOK_SHORT]) > 1e-9 * larger)
        output_warn_add(
            out,
            "the given positions hold %.6g coins long and %.6g short; the rest of the smaller "
            "side is taken as unlevered",
            side[BOOK_LONG], side[BOOK_SHORT]);
    for (size_t i = 0; i < tables->summary_count; i++) {
        size_t level = i / (size_t)setup->scenario->replicates;
        double given = larger * setup->levels[level].scale;
        gone = fmax(gone, 1.0 - tables->summary[i].oi_start_coins / given);
    }
    if (gone > 1e-9)
        output_warn_add(
            out,
            "%.3g%% of the given positions' coins were liquidated between time.warmup and "
            "time.start",
            100.0 * gone);
}

static void warn_book(const struct setup *setup, struct output_warnings *out)
{
    const struct scenario *scenario = setup->scenario;
    int64_t warmup_ms = scenario->time.start_ms - scenario->time.warmup_ms;
    if (setup->given == NULL && warmup_ms < WARMUP_WARNED_MS) {
        char text[CALENDAR_TEXT_SIZE];
        output_warn_add(out, "the warm-up lasts %s; below 30d the book depends on where it began",
                        calendar_format_duration(warmup_ms, text));
    }
    if (scenario->feedback == FEEDBACK_NAIVE)
        output_warn_add(
            out, "feedback naive counts the impact of liquidations twice: an observed price holds "
                 "it already");
}

/* Cumulative funding can carry a position over a bracket's edge only as far as the book foresaw. */
static void warn_funding(const struct setup *setup, struct output_warnings *out)
{
    const struct market *market = &setup->market;
    double funding = 0.0, low = 0.0, high = 0.0;
    for (size_t i = 0; market->funding_rate != NULL && i < market->bars; i++) {
        funding += market->funding_rate[i];
        low = fmin(low, funding);
        high = fmax(high, funding);
    }
    if (high - low > BOOK_EDGE)
        output_warn_add(
            out,
            "cumulative funding ranges over %.3g of notional; positions farther than %.3g from a "
            "bracket's edge keep the bracket of their opening",
            high - low, BOOK_EDGE);
}

/* Open loop, the implied impact is a part of the observed move. More than the whole of it is
   refuted by the path. */
static void warn_impact(const struct setup *setup, const struct run_tables *tables,
                        struct output_warnings *out)
{
    double worst = 0.0;
    for (size_t i = 0; i < tables->summary_count; i++)
        worst = fmax(worst, tables->summary[i].endogenous_share);
    if (setup->scenario->feedback == FEEDBACK_OPEN && worst > 1.0)
        output_warn_add(
            out,
            "the implied impact of forced orders is %.3g times the whole observed move: the path "
            "refutes these impact parameters (impact.reference_coins is of BTC by default)",
            worst);
}

/* The two fixed points of a counterfactual at the observed open interest: from what happened, which
   is the observed path, and from the exogenous price. */
static void warn_gap(const struct run_tables *tables, struct output_warnings *out)
{
    double worst = 0.0;
    for (size_t i = 0; i < tables->summary_count; i++)
        worst = fmax(worst, tables->summary[i].path_gap_log);
    if (worst > GAP_WARNED_LOG)
        output_warn_add(
            out,
            "with the observed open interest the closed loop leaves the observed path by up to "
            "%.3g%% unless it starts from what happened: these parameters are refuted, or the "
            "path had two ways to go",
            100.0 * expm1(worst));
}

static void warn_results(const struct run_tables *tables, struct output_warnings *out)
{
    double worst = 0.0;
    for (size_t i = 0; i < tables->summary_count; i++)
        worst = fmax(worst, tables->summary[i].replacement_share);
    if (worst > REPLACEMENT_WARNED)
        output_warn_add(
            out,
            "%.0f%% of the forced flow is more than the observed open interest and turnover can "
            "hold: leverage or turnover do not fit the data",
            100.0 * worst);
}

void output_warn_inputs(const struct setup *setup, struct output_warnings *out)
{
    out->count = 0;
    warn_data(setup, out);
    warn_book(setup, out);
    warn_funding(setup, out);
}

void output_warn(const struct setup *setup, const struct run_tables *tables,
                 struct output_warnings *out)
{
    out->count = 0;
    warn_data(setup, out);
    warn_book(setup, out);
    if (setup->given != NULL)
        warn_given(setup, tables, out);
    warn_funding(setup, out);
    warn_impact(setup, tables, out);
    warn_gap(tables, out);
    warn_results(tables, out);
}

/* ---- manifest --------------------------------------------------------------------------- */

struct inputs {
    struct manifest_input *items; /* owned */
    size_t count, capacity;
    char (*hashes)[SHA256_TEXT_SIZE]; /* of scenario files; owned */
    struct manifest_policy *policies; /* owned */
    size_t policy_count, policy_capacity;
};

static void inputs_free(struct inputs *self)
{
    memory_free(self->items);
    memory_free(self->hashes);
    memory_free(self->policies);
}

static int add_input(struct inputs *self, const char *role, const char *path, const char *sha256,
                     int64_t rows, bool reconstructed, struct error *err)
{
    struct manifest_input *items =
        memory_grow(self->items, &self->capacity, self->count + 1, sizeof *items);
    if (items == NULL)
        return error_memory(err, "the manifest");
    self->items = items;
    items[self->count++] = (struct manifest_input){role, path, sha256, rows, reconstructed};
    return ERROR_NONE;
}

static int add_scenario_files(struct inputs *self, const struct scenario *scenario,
                              struct error *err)
{
    self->hashes = memory_alloc(scenario->file_count, sizeof *self->hashes);
    if (self->hashes == NULL)
        return error_memory(err, "the manifest");
    for (size_t i = 0; i < scenario->file_count; i++) {
        int code = sha256_file(scenario->files[i], self->hashes[i], err);
        if (code == ERROR_NONE)
            code = add_input(self, i < scenario->scenario_file_count ? "scenario" : "venue",
                             scenario->files[i], self->hashes[i], -1, false, err);
        if (code != ERROR_NONE)
            return code;
    }
    return ERROR_NONE;
}

static int add_series(struct inputs *self, const char *role, const struct series_input *series,
                      bool reconstructed, struct error *err)
{
    return add_input(self, role, series->path, series->sha256, series->rows, reconstructed, err);
}

static int add_market(struct inputs *self, const struct market *market, struct error *err)
{
    for (int input = 0; input < MARKET_INPUT_COUNT; input++)
        for (size_t i = 0; i < market->input_count[input]; i++) {
            int code = add_series(self, market_input_name((enum market_input)input),
                                  &market->inputs[input][i], market->reconstructed[input], err);
            if (code != ERROR_NONE)
                return code;
        }
    return ERROR_NONE;
}

/* What is done about a flaw of an input: a jump is only reported, and an hour without a liquidation
   has no row in a feed. */
static enum quality_action action_of(const struct market *market, int input, int flaw)
{
    if (flaw == QUALITY_JUMP || (input == MARKET_LIQUIDATIONS && flaw == QUALITY_GAP))
        return QUALITY_ACCEPT;
    return market->policies.on[flaw];
}

static int add_policies(struct inputs *self, const struct market *market, struct error *err)
{
    for (int input = 0; input < MARKET_INPUT_COUNT; input++) {
        for (int flaw = 0; market->input_count[input] > 0 && flaw < QUALITY_FLAW_COUNT; flaw++) {
            struct manifest_policy *policies = memory_grow(
                self->policies, &self->policy_capacity, self->policy_count + 1, sizeof *policies);
            if (policies == NULL)
                return error_memory(err, "the manifest");
            self->policies = policies;
            policies[self->policy_count++] = (struct manifest_policy){
                market_input_name((enum market_input)input),
                quality_flaw_name((enum quality_flaw)flaw),
                quality_action_name(action_of(market, input, flaw)),
                market->quality[input].count[flaw], market->quality[input].applied[flaw]};
        }
    }
    return ERROR_NONE;
}

static int gather(struct inputs *self, const struct setup *setup, struct error *err)
{
    int code = add_scenario_files(self, setup->scenario, err);
    if (code == ERROR_NONE)
        code = add_market(self, &setup->market, err);
    for (size_t i = 0; setup->venue_oi != NULL && code == ERROR_NONE &&
                       i < setup->venue_oi->input_count[MARKET_OI];
         i++)
        code = add_series(self, "venue_oi", &setup->venue_oi->inputs[MARKET_OI][i],
                          setup->venue_oi->reconstructed[MARKET_OI], err);
    for (size_t v = 0; v < setup->venue_count && code == ERROR_NONE; v++)
        if (setup->tables[v].count > 0)
            code = add_series(self, "brackets", &setup->tables[v].input, false, err);
    if (code == ERROR_NONE && setup->given != NULL)
        code = add_series(self, "positions", &setup->positions.input, false, err);
    if (code == ERROR_NONE)
        code = add_policies(self, &setup->market, err);
    return code;
}

static int write_manifest(const struct setup *setup, const struct output_warnings *warnings,
                          const struct output_command *command, struct results *results,
                          struct error *err)
{
    struct inputs inputs = {0};
    const char *texts[OUTPUT_WARNINGS_MAX];
    for (size_t i = 0; i < warnings->count; i++)
        texts[i] = warnings->text[i];
    int code = gather(&inputs, setup, err);
    if (code == ERROR_NONE) {
        struct manifest manifest = {
            .command = command->name,
            .argc = command->argc,
            .argv = command->argv,
            .seed = setup->scenario->seed,
            .replicates = setup->scenario->replicates,
            .title = setup->scenario->title,
            .symbol = setup->scenario->symbol,
            .reconstructed = setup->market.any_reconstructed,
            .warnings = texts,
            .warning_count = warnings->count,
            .inputs = inputs.items,
            .input_count = inputs.count,
            .policies = inputs.policies,
            .policy_count = inputs.policy_count,
        };
        code = manifest_write(&manifest, results, err);
    }
    inputs_free(&inputs);
    return code;
}

/* ---- directory -------------------------------------------------------------------------- */

static int write_scenario(const struct scenario *scenario, struct results *results,
                          struct error *err)
{
    FILE *out = results_open(results, "scenario.yaml", err);
    if (out == NULL)
        return ERROR_IO;
    int code = scenario_write(scenario, out, err);
    struct error ignored = {0};
    int closed = results_close(results, out, "scenario.yaml", code == ERROR_NONE ? err : &ignored);
    return code != ERROR_NONE ? code : closed;
}

/* With what was fitted, so that it runs the same again whatever the history. */
static int write_resolved(const struct setup *setup, struct results *results, struct error *err)
{
    struct scenario resolved = *setup->scenario; /* borrows */
    if (made_path_wanted(setup->scenario))
        made_path_resolve(&setup->made, &resolved);
    return write_scenario(&resolved, results, err);
}

int output_describe(const struct setup *setup, const struct output_warnings *warnings,
                    const struct output_command *command, struct results *results,
                    struct error *err)
{
    int code = write_resolved(setup, results, err);
    return code == ERROR_NONE ? write_manifest(setup, warnings, command, results, err) : code;
}

int output_tables(const struct setup *setup, const struct table *tables, size_t count,
                  const struct output_warnings *warnings, const struct output_command *command,
                  const char *directory, bool replace, struct error *err)
{
    struct results results = {0};
    int code = replace ? results_begin_replacing(&results, directory, err)
                       : results_begin(&results, directory, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        code = results_table(&results, &tables[i], err);
    if (code == ERROR_NONE)
        code = output_describe(setup, warnings, command, &results, err);
    if (code == ERROR_NONE)
        code = results_commit(&results, err);
    results_abort(&results);
    return code;
}

int output_write(const struct setup *setup, const struct run_tables *tables,
                 const struct output_warnings *warnings, const struct output_command *command,
                 const char *directory, bool replace, struct error *err)
{
    struct table described[RUN_TABLES_MAX];
    size_t count = run_tables_described(tables, setup->scenario, described);
    return output_tables(setup, described, count, warnings, command, directory, replace, err);
}
