#include "datasets/quality.h"

#include "base/memory.h"

#define MAX_FINDINGS 1000

const char *quality_flaw_name(enum quality_flaw flaw)
{
    static const char *const NAMES[QUALITY_FLAW_COUNT] = {
        [QUALITY_GAP] = "gap",   [QUALITY_REPEAT] = "repeat", [QUALITY_DISORDER] = "disorder",
        [QUALITY_ZERO] = "zero", [QUALITY_NAN] = "nan",       [QUALITY_NEGATIVE] = "negative",
        [QUALITY_OHLC] = "ohlc", [QUALITY_STALE] = "stale",   [QUALITY_JUMP] = "jump"};
    return NAMES[flaw];
}

const char *quality_action_name(enum quality_action action)
{
    static const char *const NAMES[] = {[QUALITY_ERROR] = "error",
                                        [QUALITY_DROP] = "drop",
                                        [QUALITY_CARRY] = "carry",
                                        [QUALITY_INTERPOLATE] = "interpolate",
                                        [QUALITY_ACCEPT] = "accept"};
    return NAMES[action];
}

struct quality_policies quality_policies_default(void)
{
    struct quality_policies policies = {0}; /* QUALITY_ERROR */
    policies.on[QUALITY_REPEAT] = QUALITY_DROP;
    policies.on[QUALITY_JUMP] = QUALITY_ACCEPT;
    return policies;
}

int quality_report_add(struct quality_report *self, const struct quality_finding *finding,
                       struct error *err)
{
    self->count[finding->flaw] += finding->count;
    if (self->finding_count >= MAX_FINDINGS)
        return ERROR_NONE;
    struct quality_finding *findings = self->finding_count < self->finding_capacity
                                           ? self->findings
                                           : memory_grow(self->findings, &self->finding_capacity,
                                                         self->finding_count + 1, sizeof *findings);
    if (!findings)
        return error_memory(err, "noting a flaw of the data");
    self->findings = findings;
    struct quality_finding *copy = &findings[self->finding_count];
    *copy = *finding;
    copy->file = memory_text(finding->file);
    if (finding->file && !copy->file)
        return error_memory(err, "noting a flaw of the data");
    self->finding_count++;
    return ERROR_NONE;
}

void quality_report_free(struct quality_report *self)
{
    for (size_t i = 0; i < self->finding_count; i++)
        memory_free(self->findings[i].file);
    memory_free(self->findings);
    *self = (struct quality_report){0};
}
