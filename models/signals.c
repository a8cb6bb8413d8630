#include "models/signals.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/field.h"

/* ---- trailing windows ------------------------------------------------------------------- */

/* First bar of the window that ends with `bar`. */
static size_t window_begin(size_t bar, size_t window)
{
    return bar + 1 > window ? bar + 1 - window : 0;
}

static double log_change(const double *values, size_t bar, size_t lookback)
{
    return bar < lookback ? NAN : log(values[bar] / values[bar - lookback]);
}

double signals_rank(const double *values, size_t bar, size_t window)
{
    double own = values[bar], below = 0.0, same = 0.0, known = 0.0;
    if (isnan(own))
        return NAN;
    for (size_t i = window_begin(bar, window); i <= bar; i++) {
        below += values[i] < own;
        same += values[i] == own;
        known += !isnan(values[i]);
    }
    return 2.0 * known < (double)window ? NAN : (below + 0.5 * same) / known;
}

double signals_range(const struct signals_data *data, size_t lookback, size_t bar)
{
    if (bar + 1 < lookback)
        return NAN;
    double high = data->high[bar], low = data->low[bar];
    for (size_t i = bar + 1 - lookback; i < bar; i++) {
        high = fmax(high, data->high[i]);
        low = fmin(low, data->low[i]);
    }
    return log(high / low);
}

/* ---- funding ---------------------------------------------------------------------------- */

/* Funding of the day that ends with `bar`. */
static double funding_day(const struct signals_data *data, size_t bar)
{
    size_t day = data->step_ms < CALENDAR_DAY_MS ? (size_t)(CALENDAR_DAY_MS / data->step_ms) : 1;
    double sum = 0.0;
    if (bar + 1 < day)
        return NAN;
    for (size_t i = bar + 1 - day; i <= bar; i++)
        sum += data->funding[i];
    return sum;
}

/* Days at each bar go to `out`, then z-scores over the window take their place from the last bar
   back: a bar's own score needs only days at or before it. */
static void funding_z(const struct signals_data *data, const struct signals_params *params,
                      double *out)
{
    for (size_t bar = 0; bar < data->bars; bar++)
        out[bar] = funding_day(data, bar);
    for (size_t bar = data->bars; bar-- > 0;) {
        double known = 0.0, sum = 0.0, squares = 0.0, day = out[bar];
        size_t begin = window_begin(bar, params->window);
        for (size_t i = begin; i <= bar; i++)
            if (!isnan(out[i])) {
                known += 1.0;
                sum += out[i];
            }
        double mean = sum / known;
        for (size_t i = begin; i <= bar; i++)
            if (!isnan(out[i]))
                squares += (out[i] - mean) * (out[i] - mean);
        /* Where funding never changed its deviation is what rounding leaves. */
        double deviation = sqrt(squares / known);
        bool varies = deviation > 1e-12 * fabs(mean);
        out[bar] = isnan(day) || 2.0 * known < (double)params->window ? NAN
                   : varies                                           ? (day - mean) / deviation
                                                                      : 0.0;
    }
}

/* ---- regimes ---------------------------------------------------------------------------- */

static const char *const regime_names[] = {"", "new_longs", "short_covering", "new_shorts",
                                           "long_liquidation"};

const char *signals_regime_name(enum signals_regime regime)
{
    return regime_names[regime];
}

enum signals_regime signals_regime(double price, double price_before, double oi, double oi_before)
{
    if (!(price != price_before && oi != oi_before) || isnan(price + price_before + oi + oi_before))
        return SIGNALS_UNKNOWN;
    if (price > price_before)
        return oi > oi_before ? SIGNALS_NEW_LONGS : SIGNALS_SHORT_COVERING;
    return oi > oi_before ? SIGNALS_NEW_SHORTS : SIGNALS_LONG_LIQUIDATION;
}

static void regime_is(const struct signals_data *data, const struct signals_params *params,
                      enum signals_regime wanted, double *out)
{
    size_t lookback = params->lookback;
    for (size_t bar = 0; bar < data->bars; bar++) {
        out[bar] = NAN;
        if (bar < lookback || isnan(data->oi[bar] + data->oi[bar - lookback]))
            continue;
        out[bar] = signals_regime(data->close[bar], data->close[bar - lookback], data->oi[bar],
                                  data->oi[bar - lookback]) == wanted;
    }
}

static void new_longs(const struct signals_data *data, const struct signals_params *params,
                      double *out)
{
    regime_is(data, params, SIGNALS_NEW_LONGS, out);
}

static void short_covering(const struct signals_data *data, const struct signals_params *params,
                           double *out)
{
    regime_is(data, params, SIGNALS_SHORT_COVERING, out);
}

static void new_shorts(const struct signals_data *data, const struct signals_params *params,
                       double *out)
{
    regime_is(data, params, SIGNALS_NEW_SHORTS, out);
}

static void long_liquidation(const struct signals_data *data, const struct signals_params *params,
                             double *out)
{
    regime_is(data, params, SIGNALS_LONG_LIQUIDATION, out);
}

/* ---- crowding --------------------------------------------------------------------------- */

/* Funding stretched to `sign` while open interest is high. */
static void crowded(const struct signals_data *data, const struct signals_params *params,
                    double sign, double *out)
{
    funding_z(data, params, out);
    for (size_t bar = 0; bar < data->bars; bar++) {
        double rank = signals_rank(data->oi, bar, params->window);
        if (isnan(out[bar]) || isnan(rank))
            out[bar] = NAN;
        else
            out[bar] = sign * out[bar] >= params->funding_z && rank >= params->high_rank;
    }
}

static void long_crowded(const struct signals_data *data, const struct signals_params *params,
                         double *out)
{
    crowded(data, params, 1.0, out);
}

static void short_crowded(const struct signals_data *data, const struct signals_params *params,
                          double *out)
{
    crowded(data, params, -1.0, out);
}

static void stretched(const struct signals_data *data, const struct signals_params *params,
                      double sign, double *out)
{
    funding_z(data, params, out);
    for (size_t bar = 0; bar < data->bars; bar++)
        if (!isnan(out[bar]))
            out[bar] = sign * out[bar] >= params->funding_z;
}

static void funding_high(const struct signals_data *data, const struct signals_params *params,
                         double *out)
{
    stretched(data, params, 1.0, out);
}

static void funding_low(const struct signals_data *data, const struct signals_params *params,
                        double *out)
{
    stretched(data, params, -1.0, out);
}

static void oi_high(const struct signals_data *data, const struct signals_params *params,
                    double *out)
{
    for (size_t bar = 0; bar < data->bars; bar++) {
        double rank = signals_rank(data->oi, bar, params->window);
        out[bar] = isnan(rank) ? NAN : rank >= params->high_rank;
    }
}

static void oi_rank(const struct signals_data *data, const struct signals_params *params,
                    double *out)
{
    for (size_t bar = 0; bar < data->bars; bar++)
        out[bar] = signals_rank(data->oi, bar, params->window);
}

/* ---- changes ---------------------------------------------------------------------------- */

static void oi_change(const struct signals_data *data, const struct signals_params *params,
                      double *out)
{
    for (size_t bar = 0; bar < data->bars; bar++)
        out[bar] = log_change(data->oi, bar, params->lookback);
}

/* Whether the change of open interest is among the largest to `sign`. Changes go to `out`, then
   states take their place from the last bar back, as a bar is held against those before it. */
static void oi_moved(const struct signals_data *data, const struct signals_params *params,
                     double sign, double *out)
{
    for (size_t bar = 0; bar < data->bars; bar++)
        out[bar] = sign * log_change(data->oi, bar, params->lookback);
    for (size_t bar = data->bars; bar-- > 0;) {
        double rank = signals_rank(out, bar, params->window);
        out[bar] = isnan(rank) ? NAN : rank >= params->change_rank && out[bar] > 0.0;
    }
}

static void oi_spike(const struct signals_data *data, const struct signals_params *params,
                     double *out)
{
    oi_moved(data, params, 1.0, out);
}

static void oi_flush(const struct signals_data *data, const struct signals_params *params,
                     double *out)
{
    oi_moved(data, params, -1.0, out);
}

/* The bar of the highest close of the `highs` bars before `bar`, the latest of equals. */
static size_t previous_high(const struct signals_data *data, size_t highs, size_t bar)
{
    size_t best = bar - highs;
    for (size_t i = best + 1; i < bar; i++)
        if (data->close[i] >= data->close[best])
            best = i;
    return best;
}

static void divergence(const struct signals_data *data, const struct signals_params *params,
                       double *out)
{
    for (size_t bar = 0; bar < data->bars; bar++) {
        out[bar] = NAN;
        if (bar < params->highs)
            continue;
        size_t before = previous_high(data, params->highs, bar);
        if (!isnan(data->oi[bar] + data->oi[before]))
            out[bar] = data->close[bar] > data->close[before] && data->oi[bar] < data->oi[before];
    }
}

static double share_change(const struct signals_data *data, size_t lookback, size_t bar)
{
    return log_change(data->venue_oi, bar, lookback) - log_change(data->oi, bar, lookback);
}

static void venue_share(const struct signals_data *data, const struct signals_params *params,
                        double *out)
{
    (void)params;
    for (size_t bar = 0; bar < data->bars; bar++)
        out[bar] = data->venue_oi[bar] / data->oi[bar];
}

static void venue_inflow(const struct signals_data *data, const struct signals_params *params,
                         double *out)
{
    for (size_t bar = 0; bar < data->bars; bar++)
        out[bar] = share_change(data, params->lookback, bar);
}

/* ---- the table -------------------------------------------------------------------------- */

#define MURPHY "Murphy, \"Technical Analysis of the Financial Markets\" (1999), chapter 7"
#define PRACTICE "rule of practitioners; no single source"
#define CROWDED "rule of practitioners, high open interest and stretched funding; no single source"

const struct signals_signal signals_signals[] = {
    {"new_longs", "price and open interest rose over the lookback: new longs, and the rise goes on",
     MURPHY, SIGNALS_STATE, SIGNALS_OI, 1, 0, new_longs},
    {"short_covering", "price rose and open interest fell: shorts cover, and the rise is weak",
     MURPHY, SIGNALS_STATE, SIGNALS_OI, -1, 0, short_covering},
    {"new_shorts", "price fell and open interest rose: new shorts, and the fall goes on", MURPHY,
     SIGNALS_STATE, SIGNALS_OI, -1, 0, new_shorts},
    {"long_liquidation",
     "price and open interest fell: longs give up, and the fall comes to its end", MURPHY,
     SIGNALS_STATE, SIGNALS_OI, 1, 0, long_liquidation},
    {"long_crowded", "funding is stretched upwards while open interest is high", CROWDED,
     SIGNALS_STATE, SIGNALS_OI | SIGNALS_FUNDING, -1, 1, long_crowded},
    {"short_crowded", "funding is stretched downwards while open interest is high", CROWDED,
     SIGNALS_STATE, SIGNALS_OI | SIGNALS_FUNDING, 1, -1, short_crowded},
    {"funding_high", "funding is stretched upwards, whatever the open interest", CROWDED,
     SIGNALS_STATE, SIGNALS_FUNDING, -1, 1, funding_high},
    {"funding_low", "funding is stretched downwards, whatever the open interest", CROWDED,
     SIGNALS_STATE, SIGNALS_FUNDING, 1, -1, funding_low},
    {"oi_high", "open interest is high against its window, whatever the funding", CROWDED,
     SIGNALS_STATE, SIGNALS_OI, 0, 0, oi_high},
    {"oi_spike", "one of the largest rises of open interest of the window", FIELD_OWN_PRIOR,
     SIGNALS_STATE, SIGNALS_OI, 0, 0, oi_spike},
    {"oi_flush",
     "one of the deepest falls of open interest of the window, after which the price recovers",
     FIELD_OWN_PRIOR, SIGNALS_STATE, SIGNALS_OI, 1, 0, oi_flush},
    {"divergence",
     "a new high of the price at less open interest than at the high before: the rise is weak",
     PRACTICE, SIGNALS_STATE, SIGNALS_OI, -1, 0, divergence},
    {"oi_rank", "rank of open interest in its window, 0 to 1", FIELD_OWN_PRIOR, SIGNALS_VALUE,
     SIGNALS_OI, 0, 0, oi_rank},
    {"oi_change", "log change of open interest over the lookback", FIELD_OWN_PRIOR, SIGNALS_VALUE,
     SIGNALS_OI, 0, 0, oi_change},
    {"funding_z", "funding of the last day against its window, in standard deviations",
     FIELD_OWN_PRIOR, SIGNALS_VALUE, SIGNALS_FUNDING, -1, 1, funding_z},
    {"venue_share", "open interest of one venue over that of all", FIELD_OWN_PRIOR, SIGNALS_VALUE,
     SIGNALS_OI | SIGNALS_VENUE_OI, 0, 0, venue_share},
    {"venue_inflow", "log change of that share over the lookback: open interest migrates there",
     FIELD_OWN_PRIOR, SIGNALS_VALUE, SIGNALS_OI | SIGNALS_VENUE_OI, 0, 0, venue_inflow},
};
const int signals_count = sizeof signals_signals / sizeof *signals_signals;

const struct signals_signal *signals_find(const char *name)
{
    for (int i = 0; i < signals_count; i++)
        if (strcmp(name, signals_signals[i].name) == 0)
            return &signals_signals[i];
    return NULL;
}

unsigned signals_missing(const struct signals_signal *signal, const struct signals_data *data)
{
    unsigned given = (data->oi != NULL ? SIGNALS_OI : 0u) |
                     (data->funding != NULL ? SIGNALS_FUNDING : 0u) |
                     (data->venue_oi != NULL ? SIGNALS_VENUE_OI : 0u);
    return signal->needs & ~given;
}

void signals_usd(const double *coins, const double *close, size_t bars, double *out)
{
    for (size_t bar = 0; bar < bars; bar++)
        out[bar] = coins[bar] * close[bar];
}
