#include "sim/study/flow_source.h"

#include <string.h>

#define IN(member) offsetof(struct cohort_params, member)

/* Where a key's number is. */
static const struct {
    const char *key;
    size_t offset;
} keys[] = {
    {"book.turnover_per_hour", IN(turnover_per_hour)},
    {"book.crowd_tilt", IN(crowd_tilt)},
    {"book.hedged_short_share", IN(hedged_short_share)},
    {"book.remargin_per_hour", IN(remargin_per_hour)},
    {"book.disposition_ratio", IN(disposition_ratio)},
    {"book.absorbed_by_closers", IN(absorbed_by_closers)},
    {"book.leverage.alpha", IN(leverage.alpha)},
    {"book.leverage.minimum", IN(leverage.minimum)},
    {"book.leverage.maximum", IN(leverage.maximum)},
    {"book.leverage.mu", IN(leverage.mu)},
    {"book.leverage.sigma", IN(leverage.sigma)},
    {"book.leverage.tail_share", IN(leverage.tail_share)},
    {"book.leverage.tail_from", IN(leverage.tail_from)},
    {"book.leverage.hazard_exponent", IN(leverage.hazard_exponent)},
};
enum { KEYS = sizeof keys / sizeof *keys };

static size_t find_key(const char *key)
{
    size_t i = 0;
    while (i < KEYS && strcmp(keys[i].key, key) != 0)
        i++;
    return i;
}

bool flow_source_takes(const char *key)
{
    return find_key(key) < KEYS;
}

static int check_parameters(const struct flow_source *self, struct error *err)
{
    if (self->parameter_count > FLOW_PARAMETERS_MAX)
        return error_at(err, ERROR_SCENARIO, self->scenario.path_name, 0, 0, "calibrate.parameters",
                        "has %zu keys; expected at most %d", self->parameter_count,
                        FLOW_PARAMETERS_MAX);
    for (size_t p = 0; p < self->parameter_count; p++)
        if (!flow_source_takes(self->parameters[p].key))
            return error_at(err, ERROR_SCENARIO, self->scenario.path_name, 0, 0,
                            "calibrate.parameters",
                            "%.60s is not what flow along an observed price is fitted by; expected "
                            "of " FLOW_SOURCE_KEYS_TEXT,
                            self->parameters[p].key);
    return ERROR_NONE;
}

static int check_feed(const struct flow_source *self, struct error *err)
{
    const struct market *market = &self->setup.market;
    const char *problem = NULL;
    if (market->liq_long_coins == NULL)
        problem = "is missing; expected a feed of liquidations to compare with";
    else if (market->any_reconstructed)
        problem = "is compared along a reconstruction, which is never scored; expected observed "
                  "price, open interest and liquidations";
    if (problem == NULL)
        return ERROR_NONE;
    return error_at(err, ERROR_DATA, self->scenario.path_name, 0, 0, "data.liquidations", "%s",
                    problem);
}

static int init_model(struct flow_source *self, struct error *err)
{
    int code = check_parameters(self, err);
    if (code == ERROR_NONE)
        code = setup_init(&self->setup, &self->scenario, err);
    if (code != ERROR_NONE)
        return code;
    code = check_feed(self, err);
    if (code == ERROR_NONE)
        code = cohort_init(&self->cohort, &self->setup, NULL, err);
    if (code == ERROR_NONE) {
        code = cohort_work_init(&self->work, &self->cohort, err);
        if (code != ERROR_NONE)
            cohort_free(&self->cohort);
    }
    if (code != ERROR_NONE)
        setup_free(&self->setup);
    self->params = code == ERROR_NONE ? cohort_params_of(&self->setup, &self->setup.levels[0])
                                      : (struct cohort_params){0};
    return code;
}

int flow_source_init(struct flow_source *self, const char *path, const char *const *sets,
                     size_t set_count, const struct scenario_bounds *parameters,
                     size_t parameter_count, struct error_list *errors, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->parameters = parameters;
    self->parameter_count = parameter_count;
    int code = scenario_load(&self->scenario, path, sets, set_count, errors);
    if (code != ERROR_NONE)
        return code;
    code = init_model(self, err);
    if (code != ERROR_NONE)
        scenario_free(&self->scenario);
    return code;
}

void flow_source_free(struct flow_source *self)
{
    cohort_work_free(&self->work);
    cohort_free(&self->cohort);
    setup_free(&self->setup);
    scenario_free(&self->scenario);
}

static int flow_of_cohort(void *context, const double *theta, size_t count, double *const out[2],
                          struct error *err)
{
    struct flow_source *self = context;
    struct cohort_params params = self->params;
    for (size_t p = 0; p < count && theta != NULL; p++)
        *(double *)((char *)&params + keys[find_key(self->parameters[p].key)].offset) = theta[p];
    return cohort_run(&self->work, &params, &(struct cohort_out){.forced = {out[0], out[1]}}, err);
}

struct flow_asset flow_source_asset(struct flow_source *self, const char *name)
{
    const struct market *market = &self->setup.market;
    return (struct flow_asset){
        .name = name,
        .bars = self->cohort.bars < market->bars ? self->cohort.bars : market->bars,
        .start_ms = market->start_ms,
        .step_ms = market->step_ms,
        .open = market->last.open,
        .high = market->last.high,
        .low = market->last.low,
        .close = market->last.close,
        .oi_coins = market->oi_coins,
        .volume_coins = market->volume_coins,
        .reported = {market->liq_long_coins, market->liq_short_coins},
        .daily = self->scenario.calibrate.feed == FEED_DAYS,
        .complete = self->scenario.calibrate.observation == OBSERVATION_COMPLETE,
        .flow = flow_of_cohort,
        .context = self,
    };
}
