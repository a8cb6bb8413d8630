#include "models/brackets.h"

#include <math.h>

/* Venues publish `cum` in whole cents or in hundredths of a coin; rounding to a millionth takes
   away the error of products such as 300,000 * (0.005 - 0.004), so that a regenerated table equals
   its source. */
static double cum_round(double usd)
{
    return usd < 1e9 ? nearbyint(usd * 1e6) / 1e6 : usd;
}

static int row_check(int n, const double *cap_usd, const double *max_leverage, const double *rate,
                     struct error *err)
{
    if (!(cap_usd[n] > (n > 0 ? cap_usd[n - 1] : 0.0)))
        return error_set(err, ERROR_DATA,
                         "bracket %d: notional cap %g does not rise; expected caps above 0 in "
                         "ascending order",
                         n + 1, cap_usd[n]);
    if (!(rate[n] >= 0.0 && rate[n] < 1.0))
        return error_set(err, ERROR_DATA,
                         "bracket %d: maintenance margin rate %g; expected a fraction in [0, 1)",
                         n + 1, rate[n]);
    if (n > 0 && rate[n] < rate[n - 1])
        return error_set(err, ERROR_DATA,
                         "bracket %d: maintenance margin rate falls from %g to %g; expected rates "
                         "that rise with the notional",
                         n + 1, rate[n - 1], rate[n]);
    if (!(max_leverage[n] >= 1.0 && isfinite(max_leverage[n])))
        return error_set(err, ERROR_DATA, "bracket %d: maximum leverage %g; expected at least 1",
                         n + 1, max_leverage[n]);
    if (n > 0 && max_leverage[n] > max_leverage[n - 1])
        return error_set(err, ERROR_DATA,
                         "bracket %d: maximum leverage rises from %g to %g; expected leverages "
                         "that fall with the notional",
                         n + 1, max_leverage[n - 1], max_leverage[n]);
    return ERROR_NONE;
}

/* `cum` from floors and rates. */
static void regenerate(struct brackets *self)
{
    self->cum_usd[0] = 0.0;
    for (int n = 1; n < self->count; n++) {
        double step = self->rate[n] - self->rate[n - 1];
        self->cum_usd[n] =
            self->whole ? 0.0 : cum_round(self->floor_usd[n] * step + self->cum_usd[n - 1]);
    }
}

int brackets_init(struct brackets *self, int count, const double *cap_usd,
                  const double *max_leverage, const double *rate, int64_t valid_from_ms,
                  struct error *err)
{
    if (count < 1 || count > BRACKETS_MAX)
        return error_set(err, ERROR_DATA, "%d brackets; expected 1 to %d", count, BRACKETS_MAX);
    for (int n = 0; n < count; n++) {
        int code = row_check(n, cap_usd, max_leverage, rate, err);
        if (code != ERROR_NONE)
            return code;
    }
    *self = (struct brackets){.count = count, .valid_from_ms = valid_from_ms};
    for (int n = 0; n < count; n++) {
        self->floor_usd[n] = n > 0 ? cap_usd[n - 1] : 0.0;
        self->cap_usd[n] = cap_usd[n];
        self->max_leverage[n] = max_leverage[n];
        self->rate[n] = rate[n];
    }
    regenerate(self);
    return ERROR_NONE;
}

void brackets_make_whole(struct brackets *self)
{
    self->whole = true;
    regenerate(self);
}

void brackets_scale(struct brackets *self, double factor)
{
    for (int n = 0; n < self->count; n++) {
        self->floor_usd[n] *= factor;
        self->cap_usd[n] *= factor;
    }
    regenerate(self);
}

void brackets_flat(struct brackets *self, double rate, double max_leverage)
{
    *self = (struct brackets){.count = 1,
                              .valid_from_ms = INT64_MIN,
                              .cap_usd = {INFINITY},
                              .max_leverage = {max_leverage},
                              .rate = {rate}};
}

int brackets_find(const struct brackets *self, double notional_usd)
{
    int n = 0;
    /* From below, because most positions sit in the first brackets. */
    while (n < self->count - 1 && notional_usd > self->cap_usd[n])
        n++;
    return n;
}

double brackets_maintenance_usd(const struct brackets *self, double notional_usd)
{
    int n = brackets_find(self, notional_usd);
    return notional_usd * self->rate[n] - self->cum_usd[n];
}

double brackets_max_leverage(const struct brackets *self, double notional_usd)
{
    return self->max_leverage[brackets_find(self, notional_usd)];
}
