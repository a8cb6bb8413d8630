#include "sim/study/signal_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "base/calendar.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/study/scores.h"

enum { BLOCKS_LEAST = 3, BLOCK_DAYS = 3, SHIFTS_MOST = 2000 };
/* Share of resamples that must hold a pair of a hit and a miss. */
#define TOLD_LEAST 0.9

#define HERE(member) offsetof(struct signal_scores_row, member)
#define NUMBER(column, of_unit, member, doc)                                         \
    {                                                                                \
        .name = column, .type = FIELD_DOUBLE, .unit = of_unit, .documentation = doc, \
        .offset = HERE(member)                                                       \
    }
#define OTHER(column, of_type, member, doc)                                                       \
    {                                                                                             \
        .name = column, .type = of_type, .unit = "", .documentation = doc, .offset = HERE(member) \
    }

const struct field signal_scores_fields[] = {
    OTHER("signal", FIELD_TEXT, signal, "as in signals.csv"),
    OTHER("kind", FIELD_TEXT, kind, "state or value"),
    OTHER("target", FIELD_TEXT, target, "cascade or return: what is to follow"),
    OTHER("flow", FIELD_TEXT, flow, "cascade: whose flow: observed, or the model's own open loop"),
    OTHER("side", FIELD_TEXT, side,
          "cascade: who is liquidated, long, short or both; return: up or down"),
    OTHER("horizon", FIELD_DURATION_MS, horizon_ms, "how far ahead"),
    OTHER("block", FIELD_DURATION_MS, block_ms, "stretch of bars that resamples keep together"),
    OTHER("bars", FIELD_INT64, bars, "scored: the signal and what follows are known"),
    OTHER("episodes", FIELD_INT64, episodes,
          "cascade: stretches of bars that hit, more than the horizon apart; return: horizons that "
          "do not overlap"),
    OTHER("occurrences", FIELD_INT64, occurrences,
          "bars with the signal; of a value, at which it ranks high in its window"),
    NUMBER("outcome_mean", "coins or log", outcome_mean, "flow or return after the signal"),
    NUMBER("outcome_median", "coins or log", outcome_median, "likewise"),
    NUMBER("others_mean", "coins or log", others_mean, "after all other bars"),
    NUMBER("others_median", "coins or log", others_median, "likewise"),
    NUMBER("hit_rate", "share", hit_rate, "bars with the signal that the target follows"),
    NUMBER("others_rate", "share", others_rate, "other bars that it follows"),
    NUMBER("auc", "probability", auc.value, "area under the ROC curve; .5: chance"),
    NUMBER("auc_lo", "probability", auc.low, "its interval"),
    NUMBER("auc_hi", "probability", auc.high, "its interval"),
    NUMBER("null_auc", "probability", null_auc,
           "of the null: the range of the price (cascade) or its change (return) before"),
    NUMBER("auc_given_null", "probability", given.value,
           "among bars alike in the null: above .5 the signal adds to it"),
    NUMBER("auc_given_null_lo", "probability", given.low, "its interval"),
    NUMBER("auc_given_null_hi", "probability", given.high, "its interval"),
    NUMBER("p_value", "probability", p_value, "of the area, by shifts of the signal in time"),
    NUMBER("p_given_null", "probability", given_p, "of the area among bars alike in the null"),
    NUMBER("q_value", "probability", q_value,
           "share of false ones among tests with a p-value up to this one"),
    OTHER("verdict", FIELD_TEXT, verdict,
          "silent: never or always there; too_few episodes; nothing; contrary; informs; adds: also "
          "among bars alike in the null"),
};
const size_t signal_scores_field_count = sizeof signal_scores_fields / sizeof *signal_scores_fields;

/* Whether the interval and the shifts agree that an area is not .5, and on which side. */
static int beyond(const struct signal_scores_row *row,
                  const struct signal_scores_interval *interval, double p_value, double level)
{
    if (row->episodes < SIGNAL_SCORES_EPISODES || !(p_value <= 1.0 - level))
        return 0;
    return interval->low > 0.5 ? 1 : interval->high < 0.5 ? -1 : 0;
}

enum signal_scores_verdict signal_scores_verdict(const struct signal_scores_row *row, double level)
{
    bool always =
        strcmp(row->kind, "state") == 0 && (row->occurrences == 0 || row->occurrences == row->bars);
    if (isnan(row->auc.value) || always)
        return SIGNAL_SCORES_SILENT;
    if (row->episodes < SIGNAL_SCORES_EPISODES || isnan(row->auc.low))
        return SIGNAL_SCORES_TOO_FEW;
    int alone = beyond(row, &row->auc, row->p_value, level);
    if (alone == 0)
        return SIGNAL_SCORES_NOTHING;
    if (alone < 0)
        return SIGNAL_SCORES_CONTRARY;
    return beyond(row, &row->given, row->given_p, level) > 0 ? SIGNAL_SCORES_ADDS
                                                             : SIGNAL_SCORES_INFORMS;
}

static const char *const verdict_names[] = {"silent",   "too_few", "nothing",
                                            "contrary", "informs", "adds"};

/* ---- area under the curve --------------------------------------------------------------- */

/* What ends with a bar of a ranking. */
enum { ENDS_TIES = 1, ENDS_STRATUM = 2 };

/* Bars stratum by stratum, each from the lowest score up. */
struct ranking {
    uint32_t *order;     /* owned */
    unsigned char *ends; /* bits: equal scores, the stratum; owned */
};

struct scored {
    double score;
    uint32_t bar;
    int stratum;
};

static int compare_scored(const void *left, const void *right)
{
    const struct scored *a = left, *b = right;
    if (a->stratum != b->stratum)
        return a->stratum - b->stratum;
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return a->bar < b->bar ? -1 : a->bar > b->bar;
}

static void ranking_free(struct ranking *self)
{
    memory_free(self->order);
    memory_free(self->ends);
}

static void rank(struct ranking *self, const struct signal_scores_sample *sample,
                 struct scored *sorted)
{
    size_t count = sample->count;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct scored){sample->scores[i], (uint32_t)i,
                                    sample->strata != NULL ? sample->strata[i] : 0};
    qsort(sorted, count, sizeof *sorted, compare_scored);
    for (size_t i = 0; i < count; i++) {
        bool stratum = i + 1 == count || sorted[i + 1].stratum != sorted[i].stratum;
        bool ties = stratum || sorted[i + 1].score > sorted[i].score;
        self->order[i] = sorted[i].bar;
        self->ends[i] = (unsigned char)((ties ? ENDS_TIES : 0) | (stratum ? ENDS_STRATUM : 0));
    }
}

static int ranking_init(struct ranking *self, const struct signal_scores_sample *sample,
                        struct error *err)
{
    struct scored *sorted = memory_alloc(sample->count, sizeof *sorted);
    self->order = memory_alloc(sample->count, sizeof *self->order);
    self->ends = memory_alloc(sample->count, sizeof *self->ends);
    bool made = sorted != NULL && self->order != NULL && self->ends != NULL;
    if (made)
        rank(self, sample, sorted);
    else
        ranking_free(self);
    memory_free(sorted);
    return made ? ERROR_NONE : error_memory(err, "a ranking");
}

/* Over pairs of a hit and a miss of a stratum, the share in which the hit has the higher score;
   `weights` NULL: every bar once. */
static double area(const struct signal_scores_sample *sample, const struct ranking *ranking,
                   const uint32_t *weights)
{
    double won = 0.0, all = 0.0, hits_all = 0.0, below = 0.0, tied[2] = {0.0, 0.0};
    for (size_t i = 0; i < sample->count; i++) {
        uint32_t bar = ranking->order[i];
        tied[sample->hits[bar]] += weights != NULL ? weights[bar] : 1.0;
        if (ranking->ends[i] == 0)
            continue;
        won += tied[1] * (below + 0.5 * tied[0]);
        below += tied[0];
        hits_all += tied[1];
        tied[0] = tied[1] = 0.0;
        if ((ranking->ends[i] & ENDS_STRATUM) == 0)
            continue;
        all += hits_all * below;
        hits_all = below = 0.0;
    }
    return all > 0.0 ? won / all : NAN;
}

/* ---- blocks ----------------------------------------------------------------------------- */

/* How often each bar is in a resample. */
static void block_weights(const struct random_stream *stream, size_t resample, size_t count,
                          size_t block, size_t *steps, uint32_t *out)
{
    scores_resample(stream, resample, count, block, SCORES_BLOCKS_MOVING, steps);
    memset(out, 0, count * sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[steps[i]]++;
}

static int bootstrap(const struct signal_scores_sample *sample, const struct ranking *ranking,
                     size_t block, const struct resample_plan *plan,
                     struct signal_scores_interval *out, struct error *err)
{
    struct random_stream stream = random_stream_make(plan->seed, 0, "signals.bootstrap");
    uint32_t *weights = memory_alloc(sample->count, sizeof *weights);
    size_t *steps = memory_alloc(sample->count, sizeof *steps);
    double *areas = memory_alloc(plan->resamples, sizeof *areas);
    int code = weights == NULL || steps == NULL || areas == NULL ? error_memory(err, "a bootstrap")
                                                                 : ERROR_NONE;
    size_t told = 0;
    for (size_t r = 0; r < plan->resamples && code == ERROR_NONE; r++) {
        block_weights(&stream, r, sample->count, block, steps, weights);
        double drawn = area(sample, ranking, weights);
        if (!isnan(drawn))
            areas[told++] = drawn;
    }
    if (code == ERROR_NONE && (double)told >= TOLD_LEAST * (double)plan->resamples)
        resample_interval(areas, told, plan->level, &out->low, &out->high);
    memory_free(weights);
    memory_free(steps);
    memory_free(areas);
    return code;
}

int signal_scores_auc(const struct signal_scores_sample *sample, size_t block,
                      const struct resample_plan *plan, struct signal_scores_interval *out,
                      struct error *err)
{
    struct ranking ranking;
    *out = (struct signal_scores_interval){NAN, NAN, NAN};
    int code = resample_check(plan, err);
    if (code != ERROR_NONE || sample->count == 0)
        return code;
    code = ranking_init(&ranking, sample, err);
    if (code != ERROR_NONE)
        return code;
    out->value = area(sample, &ranking, NULL);
    if (!isnan(out->value) && block <= sample->count)
        code = bootstrap(sample, &ranking, block, plan, out, err);
    ranking_free(&ranking);
    return code;
}

/* ---- shifts ----------------------------------------------------------------------------- */

/* The area once the signal is `shift` bars late, around the end; `ranking` is over all bars. */
static double shifted_area(const struct signal_scores_sample *sample, const struct ranking *ranking,
                           size_t shift)
{
    double won = 0.0, all = 0.0;
    double hits[SIGNAL_SCORES_STRATA] = {0.0}, below[SIGNAL_SCORES_STRATA] = {0.0};
    double tied[SIGNAL_SCORES_STRATA][2] = {{0.0, 0.0}};
    int strata = sample->strata != NULL ? SIGNAL_SCORES_STRATA : 1;
    for (size_t i = 0; i < sample->count; i++) {
        size_t at = ranking->order[i] + shift;
        at = at < sample->count ? at : at - sample->count;
        tied[sample->strata != NULL ? sample->strata[at] : 0][sample->hits[at]] += 1.0;
        if (ranking->ends[i] == 0)
            continue;
        for (int s = 0; s < strata; s++) {
            won += tied[s][1] * (below[s] + 0.5 * tied[s][0]);
            below[s] += tied[s][0];
            hits[s] += tied[s][1];
            tied[s][0] = tied[s][1] = 0.0;
        }
    }
    for (int s = 0; s < strata; s++)
        all += hits[s] * below[s];
    return all > 0.0 ? won / all : NAN;
}

static double shift_share(const struct signal_scores_sample *sample, const struct ranking *ranking,
                          size_t block)
{
    double unshifted = shifted_area(sample, ranking, 0), as_far = 1.0, tried = 1.0;
    if (isnan(unshifted) || sample->count < 2 * block)
        return NAN;
    size_t room = sample->count - 2 * block + 1;
    size_t shifts = room < SHIFTS_MOST ? room : SHIFTS_MOST;
    for (size_t k = 0; k < shifts; k++) {
        double area_there = shifted_area(sample, ranking, block + k * room / shifts);
        as_far += fabs(area_there - 0.5) >= fabs(unshifted - 0.5);
        tried += 1.0;
    }
    return as_far / tried;
}

int signal_scores_shift_p(const struct signal_scores_sample *sample, size_t block, double *out,
                          struct error *err)
{
    struct ranking ranking;
    struct signal_scores_sample alike = *sample;
    alike.strata = NULL;
    *out = NAN;
    if (sample->count == 0)
        return ERROR_NONE;
    int code = ranking_init(&ranking, &alike, err);
    if (code != ERROR_NONE)
        return code;
    *out = shift_share(sample, &ranking, block);
    ranking_free(&ranking);
    return ERROR_NONE;
}

int signal_scores_q_values(const double *p, size_t count, double *out_q, struct error *err)
{
    struct scored *sorted = memory_alloc(count, sizeof *sorted);
    size_t tests = 0;
    if (sorted == NULL)
        return error_memory(err, "q-values");
    for (size_t i = 0; i < count; i++) {
        out_q[i] = NAN;
        if (!isnan(p[i]))
            sorted[tests++] = (struct scored){p[i], (uint32_t)i, 0};
    }
    qsort(sorted, tests, sizeof *sorted, compare_scored);
    double least = 1.0;
    for (size_t rank = tests; rank > 0; rank--) {
        least = fmin(least, sorted[rank - 1].score * (double)tests / (double)rank);
        out_q[sorted[rank - 1].bar] = least;
    }
    memory_free(sorted);
    return ERROR_NONE;
}

/* ---- what follows ----------------------------------------------------------------------- */

/* One horizon of one signal and target, over the bars at which all is known. */
struct trial {
    const struct signal_bars *bars;
    const struct signal_scores_plan *plan;
    const struct signal_bars_signal *signal;
    enum signal_scores_target target;
    size_t horizon, block, count; /* bars; scored */
    /* Per bar scored, owned: */
    double *scores, *outcomes, *null;
    unsigned char *hits, *strata, *present;
    double *room; /* as many again */
};

static void trial_free(struct trial *self)
{
    memory_free(self->scores);
    memory_free(self->outcomes);
    memory_free(self->null);
    memory_free(self->hits);
    memory_free(self->strata);
    memory_free(self->present);
    memory_free(self->room);
}

static int trial_init(struct trial *self, const struct signal_bars *bars,
                      const struct signal_scores_plan *plan, struct error *err)
{
    *self = (struct trial){.bars = bars, .plan = plan};
    self->scores = memory_alloc(bars->bars, sizeof *self->scores);
    self->outcomes = memory_alloc(bars->bars, sizeof *self->outcomes);
    self->null = memory_alloc(bars->bars, sizeof *self->null);
    self->hits = memory_alloc(bars->bars, 1);
    self->strata = memory_alloc(bars->bars, 1);
    self->present = memory_alloc(bars->bars, 1);
    self->room = memory_alloc(bars->bars, sizeof *self->room);
    if (self->scores != NULL && self->outcomes != NULL && self->null != NULL &&
        self->hits != NULL && self->strata != NULL && self->present != NULL && self->room != NULL)
        return ERROR_NONE;
    trial_free(self);
    return error_memory(err, "scores of signals");
}

static double flow_ahead(const struct trial *self, size_t bar)
{
    int side = self->signal->side;
    double sum = 0.0;
    for (size_t i = bar + 1; i <= bar + self->horizon; i++)
        sum +=
            (side >= 0 ? self->bars->flow[0][i] : 0.0) + (side <= 0 ? self->bars->flow[1][i] : 0.0);
    return sum;
}

static double outcome(const struct trial *self, size_t bar)
{
    if (self->target == SIGNAL_SCORES_CASCADE)
        return flow_ahead(self, bar);
    return log(self->bars->close[bar + self->horizon] / self->bars->close[bar]);
}

static double null_of(const struct trial *self, size_t bar)
{
    if (self->target == SIGNAL_SCORES_CASCADE)
        return self->bars->range[bar];
    return self->signal->direction < 0 ? -self->bars->trend[bar] : self->bars->trend[bar];
}

/* A state holds, or a value ranks high among those up to its bar. */
static bool is_present(const struct trial *self, size_t bar)
{
    const struct signal_bars_signal *signal = self->signal;
    size_t window = self->plan->window < bar + 1 ? self->plan->window : bar + 1;
    if (signal->kind == SIGNALS_STATE)
        return signal->values[bar] == 1.0;
    if (bar < self->plan->first)
        return false;
    double rank = signals_rank(signal->values, bar, window);
    return (signal->order > 0 ? rank : 1.0 - rank) >= self->plan->high_rank;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Quantile of the first `count` of room, sorted: the value with a share p at or below it. */
static double sorted_quantile(const double *sorted, size_t count, double p)
{
    size_t at = (size_t)ceil(p * (double)count);
    return sorted[at > 0 ? at - 1 : 0];
}

static void mark_hits(struct trial *self)
{
    double threshold = 0.0, sign = self->signal->direction < 0 ? -1.0 : 1.0;
    if (self->target == SIGNAL_SCORES_CASCADE) {
        memcpy(self->room, self->outcomes, self->count * sizeof *self->room);
        qsort(self->room, self->count, sizeof *self->room, compare_doubles);
        threshold = sorted_quantile(self->room, self->count, self->plan->cascade_quantile);
        sign = 1.0;
    }
    for (size_t i = 0; i < self->count; i++)
        self->hits[i] = sign * self->outcomes[i] > threshold;
}

static void mark_strata(struct trial *self)
{
    double end[SIGNAL_SCORES_STRATA - 1];
    memcpy(self->room, self->null, self->count * sizeof *self->room);
    qsort(self->room, self->count, sizeof *self->room, compare_doubles);
    for (int s = 0; s < SIGNAL_SCORES_STRATA - 1; s++)
        end[s] = sorted_quantile(self->room, self->count, (s + 1.0) / SIGNAL_SCORES_STRATA);
    for (size_t i = 0; i < self->count; i++) {
        unsigned char stratum = 0;
        while (stratum < SIGNAL_SCORES_STRATA - 1 && self->null[i] > end[stratum])
            stratum++;
        self->strata[i] = stratum;
    }
}

static void gather(struct trial *self)
{
    self->count = 0;
    for (size_t bar = 0; bar + self->horizon < self->bars->bars; bar++) {
        double value = self->signal->values[bar], null = null_of(self, bar);
        if (isnan(value) || isnan(null))
            continue;
        self->scores[self->count] = self->signal->order * value;
        self->null[self->count] = null;
        self->outcomes[self->count] = outcome(self, bar);
        self->present[self->count] = is_present(self, bar);
        self->count++;
    }
    if (self->count == 0)
        return;
    mark_hits(self);
    mark_strata(self);
}

/* ---- a row ------------------------------------------------------------------------------ */

struct summary {
    size_t bars;
    double mean, median, rate;
};

/* Of the bars with the signal, or of the others. */
static struct summary summarise(struct trial *self, bool present)
{
    struct summary out = {0, NAN, NAN, NAN};
    double sum = 0.0, hits = 0.0;
    for (size_t i = 0; i < self->count; i++) {
        if (self->present[i] != present)
            continue;
        self->room[out.bars++] = self->outcomes[i];
        sum += self->outcomes[i];
        hits += self->hits[i];
    }
    if (out.bars == 0)
        return out;
    qsort(self->room, out.bars, sizeof *self->room, compare_doubles);
    out.mean = sum / (double)out.bars;
    out.median = 0.5 * (self->room[(out.bars - 1) / 2] + self->room[out.bars / 2]);
    out.rate = hits / (double)out.bars;
    return out;
}

/* Bars are counted as if all that are scored followed each other. */
static int64_t count_episodes(const struct trial *self)
{
    int64_t episodes = 0;
    size_t last = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->hits[i])
            continue;
        episodes += episodes == 0 || i - last > self->horizon;
        last = i;
    }
    return episodes;
}

static void describe(const struct trial *self, struct signal_scores_row *row)
{
    const struct signal_bars_signal *signal = self->signal;
    bool cascade = self->target == SIGNAL_SCORES_CASCADE;
    row->signal = signal->name;
    row->kind = signal->kind == SIGNALS_STATE ? "state" : "value";
    row->target = cascade ? "cascade" : "return";
    row->flow = !cascade ? "" : self->bars->observed_flow ? "observed" : "model";
    row->side = !cascade            ? signal->direction < 0 ? "down" : "up"
                : signal->side == 0 ? "both"
                : signal->side > 0  ? "long"
                                    : "short";
    row->horizon_ms = (int64_t)self->horizon * self->bars->step_ms;
    row->block_ms = (int64_t)self->block * self->bars->step_ms;
    row->bars = (int64_t)self->count;
    row->episodes = cascade ? count_episodes(self) : row->bars / (int64_t)self->horizon;
}

static void compare_bars(struct trial *self, struct signal_scores_row *row)
{
    struct summary with = summarise(self, true), without = summarise(self, false);
    row->occurrences = (int64_t)with.bars;
    row->outcome_mean = with.mean;
    row->outcome_median = with.median;
    row->hit_rate = with.rate;
    row->others_mean = without.mean;
    row->others_median = without.median;
    row->others_rate = without.rate;
}

static int score(struct trial *self, struct signal_scores_row *row, struct error *err)
{
    const struct resample_plan *plan = &self->plan->bootstrap;
    struct resample_plan none = {.resamples = 2, .level = plan->level, .seed = plan->seed};
    struct signal_scores_interval of_null;
    struct signal_scores_sample sample = {self->scores, self->hits, NULL, self->count};
    struct signal_scores_sample null = {self->null, self->hits, NULL, self->count};
    struct signal_scores_sample given = {self->scores, self->hits, self->strata, self->count};
    gather(self);
    sample.count = null.count = given.count = self->count;
    describe(self, row);
    compare_bars(self, row);
    int code = signal_scores_auc(&sample, self->block, plan, &row->auc, err);
    if (code == ERROR_NONE)
        code = signal_scores_auc(&given, self->block, plan, &row->given, err);
    if (code == ERROR_NONE)
        code = signal_scores_auc(&null, self->block, &none, &of_null, err);
    if (code == ERROR_NONE)
        code = signal_scores_shift_p(&sample, self->block, &row->p_value, err);
    if (code == ERROR_NONE)
        code = signal_scores_shift_p(&given, self->block, &row->given_p, err);
    if (code != ERROR_NONE)
        return code;
    row->null_auc = of_null.value;
    row->verdict = verdict_names[signal_scores_verdict(row, plan->level)];
    return ERROR_NONE;
}

/* ---- all rows --------------------------------------------------------------------------- */

int signal_scores_plan(const struct scenario *scenario, struct signal_scores_plan *out,
                       struct error *err)
{
    size_t steps;
    int code = ERROR_NONE;
    *out = (struct signal_scores_plan){
        .horizons_ms = scenario->signals.horizons_ms,
        .horizon_count = scenario->signals.horizon_count,
        .block_ms = scenario->signals.block_ms,
        .cascade_quantile = scenario->signals.cascade_quantile,
        .high_rank = scenario->signals.high_rank,
        .bootstrap = {(size_t)scenario->signals.resamples, scenario->signals.level, scenario->seed},
    };
    for (size_t h = 0; h < out->horizon_count && code == ERROR_NONE; h++)
        code = signal_bars_steps(scenario, "signals.horizons", out->horizons_ms[h], &steps, err);
    if (code == ERROR_NONE && out->block_ms != CALENDAR_NONE)
        code = signal_bars_steps(scenario, "signals.block", out->block_ms, &steps, err);
    if (code == ERROR_NONE)
        code = signal_bars_steps(scenario, "signals.window", scenario->signals.window_ms,
                                 &out->window, err);
    if (code == ERROR_NONE)
        code = signal_bars_steps(scenario, "signals.lookback", scenario->signals.lookback_ms,
                                 &out->first, err);
    return code;
}

static int64_t block_of(const struct signal_scores_plan *plan, int64_t horizon_ms, int64_t step_ms)
{
    if (plan->block_ms != CALENDAR_NONE)
        return plan->block_ms;
    int64_t days = BLOCK_DAYS * (CALENDAR_DAY_MS < step_ms ? step_ms : CALENDAR_DAY_MS);
    return BLOCK_DAYS * horizon_ms > days ? BLOCK_DAYS * horizon_ms : days;
}

static int set_horizon(struct trial *self, int64_t horizon_ms, struct error *err)
{
    int64_t step = self->bars->step_ms, block_ms = block_of(self->plan, horizon_ms, step);
    char horizon[CALENDAR_TEXT_SIZE], block[CALENDAR_TEXT_SIZE];
    self->horizon = (size_t)(horizon_ms / step);
    self->block = (size_t)(block_ms / step);
    if (self->bars->bars >= self->horizon + BLOCKS_LEAST * self->block)
        return ERROR_NONE;
    return error_set(err, ERROR_DATA,
                     "%zu bars are too few to score signals %s ahead; expected three blocks of %s "
                     "and the horizon: a longer run, or shorter signals.horizons",
                     self->bars->bars, calendar_format_duration(horizon_ms, horizon),
                     calendar_format_duration(block_ms, block));
}

/* Row i of all: horizon by horizon, target by target, signal by signal. */
static int make_row(struct signal_scores *self, struct trial *trial, size_t i, struct error *err)
{
    size_t signals = trial->bars->count, group = i / signals;
    int code = set_horizon(trial, trial->plan->horizons_ms[group / SIGNAL_SCORES_TARGETS], err);
    if (code == ERROR_NONE)
        code = interrupt_check(err);
    if (code != ERROR_NONE)
        return code;
    trial->target = (enum signal_scores_target)(group % SIGNAL_SCORES_TARGETS);
    trial->signal = &trial->bars->signals[i % signals];
    return score(trial, &self->rows[i], err);
}

/* Rows are independent; each thread has a trial of its own. Of several errors the first in the
   order of rows is kept, so that it is the same at any number of threads. */
static int make_rows(struct signal_scores *self, struct trial *trials, struct progress *progress,
                     struct error *err)
{
    struct error first = {0};
    size_t first_row = SIZE_MAX;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < self->count; i++) {
        struct error own = {0};
        int code = make_row(self, &trials[omp_get_thread_num()], i, &own);
        if (progress != NULL)
            progress_add(progress, 1);
        if (code == ERROR_NONE)
            continue;
#pragma omp critical(signal_scores_error)
        if (i < first_row) {
            first_row = i;
            first = own;
        }
    }
    if (first_row != SIZE_MAX && err != NULL)
        *err = first;
    return first_row == SIZE_MAX ? ERROR_NONE : first.code;
}

static int make_with_threads(struct signal_scores *self, const struct signal_bars *bars,
                             const struct signal_scores_plan *plan, struct progress *progress,
                             struct error *err)
{
    int threads = omp_get_max_threads(), made = 0;
    struct trial *trials = memory_alloc((size_t)threads, sizeof *trials);
    int code = trials == NULL ? error_memory(err, "scores of signals") : ERROR_NONE;
    while (code == ERROR_NONE && made < threads) {
        code = trial_init(&trials[made], bars, plan, err);
        made += code == ERROR_NONE;
    }
    if (code == ERROR_NONE)
        code = make_rows(self, trials, progress, err);
    while (made > 0)
        trial_free(&trials[--made]);
    memory_free(trials);
    return code;
}

static int adjust(struct signal_scores *self, struct error *err)
{
    double *p = memory_alloc(2 * self->count, sizeof *p);
    if (p == NULL)
        return error_memory(err, "q-values");
    for (size_t i = 0; i < self->count; i++)
        p[i] = self->rows[i].p_value;
    int code = signal_scores_q_values(p, self->count, p + self->count, err);
    for (size_t i = 0; i < self->count && code == ERROR_NONE; i++)
        self->rows[i].q_value = p[self->count + i];
    memory_free(p);
    return code;
}

int signal_scores_make(struct signal_scores *self, const struct signal_bars *bars,
                       const struct signal_scores_plan *plan, struct progress *progress,
                       struct error *err)
{
    memset(self, 0, sizeof *self);
    self->count = plan->horizon_count * SIGNAL_SCORES_TARGETS * bars->count;
    self->rows = memory_zeroed(self->count, sizeof *self->rows);
    if (self->rows == NULL)
        return error_memory(err, "scores of signals");
    int code = make_with_threads(self, bars, plan, progress, err);
    if (code == ERROR_NONE)
        code = adjust(self, err);
    if (code != ERROR_NONE)
        signal_scores_free(self);
    return code;
}

void signal_scores_free(struct signal_scores *self)
{
    memory_free(self->rows);
    memset(self, 0, sizeof *self);
}
