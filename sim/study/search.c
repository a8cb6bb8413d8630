#include "sim/study/search.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* ---- values ----------------------------------------------------------------------------- */

/* Part `index` of `parts` on the way. */
static double between(double from, double to, size_t index, size_t parts,
                      const struct search_rule *rule)
{
    double share = (double)index / (double)parts;
    double value = rule->log ? from * pow(to / from, share) : from + (to - from) * share;
    return rule->whole ? nearbyint(value) : value;
}

static bool inside(double value, double from, double to)
{
    return from < to ? value > from && value < to : value < from && value > to;
}

/* Different values strictly between two, in their order, into `out` (room for parts - 1). */
static size_t values_inside(double from, double to, size_t parts, const struct search_rule *rule,
                            double *out)
{
    size_t count = 0;
    for (size_t i = 1; i < parts; i++) {
        double value = between(from, to, i, parts, rule);
        if (inside(value, count > 0 ? out[count - 1] : from, to))
            out[count++] = value;
    }
    return count;
}

size_t search_spread(double from, double to, size_t count, const struct search_rule *rule,
                     double *out)
{
    out[0] = from;
    size_t used = 1 + values_inside(from, to, count - 1, rule, out + 1);
    out[used++] = to;
    return used;
}

/* ---- pairs ------------------------------------------------------------------------------ */

static const struct search_probe nowhere = {.value = NAN, .number = NAN, .answer = SEARCH_NONE};

/* The first probe that does not fail ends the pair that the one before it begins. */
static void take_pair(struct search *self, const struct search_probe *probes, size_t count)
{
    size_t first = 0;
    while (first < count && probes[first].answer == SEARCH_FAILS)
        first++;
    self->below = first > 0 && first < count ? probes[first - 1] : nowhere;
    self->above = first < count ? probes[first] : nowhere;
    if (first == count)
        self->status = SEARCH_NEVER;
    else if (probes[first].answer == SEARCH_NONE)
        self->status = SEARCH_MISSING;
    else
        self->status = first == 0 ? SEARCH_AT_START : SEARCH_FOUND;
}

void search_begin(struct search *self, const struct search_probe *probes, size_t count)
{
    memset(self, 0, sizeof *self);
    take_pair(self, probes, count);
    for (size_t i = 1; i < count; i++) {
        self->crossings += probes[i - 1].answer == SEARCH_FAILS && probes[i].answer == SEARCH_HOLDS;
        self->ends += probes[i - 1].answer == SEARCH_HOLDS && probes[i].answer == SEARCH_FAILS;
    }
}

static bool wide(const struct search *self, const struct search_rule *rule)
{
    bool pair = self->status == SEARCH_FOUND ||
                (self->status == SEARCH_MISSING && !isnan(self->below.value));
    return pair && fabs(self->above.value - self->below.value) > rule->tolerance;
}

/* ---- narrowing -------------------------------------------------------------------------- */

/* What every search looks at in one round lies together, in its order. */
struct round {
    struct search_probe *probes; /* owned */
    size_t *counts;              /* per search; owned */
    double *values;              /* room for one search; owned */
    size_t used;
};

static int round_make(struct round *self, size_t searches, size_t each, struct error *err)
{
    self->probes = memory_alloc(searches * each, sizeof *self->probes);
    self->counts = memory_zeroed(searches, sizeof *self->counts);
    self->values = memory_alloc(each, sizeof *self->values);
    self->used = 0;
    return self->probes == NULL || self->counts == NULL || self->values == NULL
               ? error_memory(err, "a search")
               : ERROR_NONE;
}

static void round_free(struct round *self)
{
    memory_free(self->probes);
    memory_free(self->counts);
    memory_free(self->values);
}

static void round_add(struct round *self, size_t search, const double *values, size_t count)
{
    self->counts[search] = count;
    for (size_t i = 0; i < count; i++)
        self->probes[self->used++] = (struct search_probe){search, values[i], NAN, SEARCH_NONE};
}

/* The pair of a search within the one that it had. */
static void tighten(struct search *self, const struct search_probe *probes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (probes[i].answer == SEARCH_FAILS) {
            self->below = probes[i];
        } else {
            self->above = probes[i];
            self->status = probes[i].answer == SEARCH_HOLDS ? SEARCH_FOUND : SEARCH_MISSING;
            return;
        }
}

static int narrow_once(struct search *searches, size_t count, const struct search_rule *rule,
                       struct round *round, search_look *look, void *context, struct error *err)
{
    round->used = 0;
    for (size_t i = 0; i < count; i++) {
        size_t inner = wide(&searches[i], rule)
                           ? values_inside(searches[i].below.value, searches[i].above.value,
                                           rule->parts, rule, round->values)
                           : 0;
        round_add(round, i, round->values, inner);
    }
    int code = round->used > 0 ? look(context, round->probes, round->used, err) : ERROR_NONE;
    const struct search_probe *at = round->probes;
    for (size_t i = 0; i < count && code == ERROR_NONE; at += round->counts[i++])
        tighten(&searches[i], at, round->counts[i]);
    return code;
}

int search_narrow(struct search *searches, size_t count, const struct search_rule *rule,
                  search_look *look, void *context, struct error *err)
{
    struct round round;
    int code = round_make(&round, count, rule->parts, err);
    for (bool more = true; more && code == ERROR_NONE;) {
        code = narrow_once(searches, count, rule, &round, look, context, err);
        more = round.used > 0;
    }
    round_free(&round);
    return code;
}

int search_run(struct search *searches, size_t count, const double *values, size_t value_count,
               const struct search_rule *rule, search_look *look, void *context, struct error *err)
{
    struct round round;
    int code = round_make(&round, count, value_count, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        round_add(&round, i, values, value_count);
    if (code == ERROR_NONE)
        code = look(context, round.probes, round.used, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        search_begin(&searches[i], round.probes + i * value_count, value_count);
    round_free(&round);
    return code == ERROR_NONE ? search_narrow(searches, count, rule, look, context, err) : code;
}

char *search_status_name(int status)
{
    static char names[][9] = {"found", "at_start", "never", "missing"};
    return names[status];
}
