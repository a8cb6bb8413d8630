/*
 * The rules that practitioners read from price, open interest and funding, one number per bar.
 * What a rule says of a bar is known at its close: it uses this bar and those before, never a later
 * one, whatever the window.
 *
 *   states  1 while the rule holds, 0 while it does not
 *   values  a number of which more is meant to mean more
 *
 * Either is NaN where it is not known: before a window is half full, or where an input is missing.
 * Rules with a threshold hold the present against the trailing window of `window` bars that ends
 * with this bar, by its exact rank (share of the window's known values below it, ties counted half)
 * or by its z-score. Funding is what fell due over the last day, so that it means the same whatever
 * a venue's interval.
 *
 * The four regimes are the classical reading of price and open interest; each is said to foretell a
 * direction of the price (Murphy, "Technical Analysis of the Financial Markets", 1999, chapter 7).
 * Whether they do is another question: sim/study/signal_scores.h.
 */
#ifndef LIQCASCADE_MODELS_SIGNALS_H
#define LIQCASCADE_MODELS_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is given, bar by bar. Price is required, the others NULL where there is none. Arrays hold
   `bars` values and are not owned; NaN: not known. */
struct signals_data {
    size_t bars;
    int64_t step_ms;
    const double *high, *low, *close;
    const double *oi;       /* at the close, in coins or in USD: see signals_usd */
    const double *venue_oi; /* of one venue, in the same unit */
    const double *funding;  /* sum of the rates that fell due in the bar; 0: none did */
};

/* Bits of what a signal needs beside the price. */
enum signals_need { SIGNALS_OI = 1, SIGNALS_FUNDING = 2, SIGNALS_VENUE_OI = 4 };

struct signals_params {
    size_t lookback;    /* bars over which a change is measured */
    size_t window;      /* bars that the present is held against */
    size_t highs;       /* bars whose highest close is a new high */
    double funding_z;   /* from here on funding is stretched, in standard deviations */
    double high_rank;   /* from here on open interest is high: rank in the window */
    double change_rank; /* from here on a rise of open interest is a spike, and a fall, ranked by
                           its size, a flush */
};

enum signals_kind { SIGNALS_STATE, SIGNALS_VALUE };

struct signals_signal {
    const char *name; /* as results name it */
    const char *documentation;
    const char *source; /* of the rule; its thresholds are own priors */
    enum signals_kind kind;
    unsigned needs; /* bits of enum signals_need */
    int direction;  /* that the price is said to take: +1 up, -1 down, 0: none */
    int side;       /* whose liquidations it is said to foretell: +1 longs', -1 shorts', 0: both */
    /* Fills out[0 ... bars - 1]. */
    void (*function)(const struct signals_data *data, const struct signals_params *params,
                     double *out);
};

extern const struct signals_signal signals_signals[];
extern const int signals_count;

/* NULL when unknown. */
const struct signals_signal *signals_find(const char *name);

/* The bits of enum signals_need that `signal` needs and `data` lacks; 0: it can be computed. */
unsigned signals_missing(const struct signals_signal *signal, const struct signals_data *data);

enum signals_regime {
    SIGNALS_UNKNOWN, /* no price or no open interest so long ago, or no change of either */
    SIGNALS_NEW_LONGS,
    SIGNALS_SHORT_COVERING,
    SIGNALS_NEW_SHORTS,
    SIGNALS_LONG_LIQUIDATION
};
/* As results write it; "" for unknown. */
const char *signals_regime_name(enum signals_regime regime);
/* Price and open interest now and `lookback` bars ago. */
enum signals_regime signals_regime(double price, double price_before, double oi, double oi_before);

/* Open interest in USD from coins: what dashboards show, which moves with the price alone. */
void signals_usd(const double *coins, const double *close, size_t bars, double *out);

/* Rank of values[bar] among the known values of the `window` bars that end with `bar`, itself
   among them: (below + half of the ties) / known, within (0, 1). NaN where it is not known, or
   fewer than half of the window are. O(window). */
double signals_rank(const double *values, size_t bar, size_t window);

/* Log range of highs and lows over the `lookback` bars that end with `bar`: how much the price has
   moved of late, which every rule is to be held against. NaN for the first bars. */
double signals_range(const struct signals_data *data, size_t lookback, size_t bar);

#endif
