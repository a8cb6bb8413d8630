/*
 * Entry price of a position that opens within a bar, relative to the bar's close.
 */
#ifndef LIQCASCADE_MODELS_ENTRY_H
#define LIQCASCADE_MODELS_ENTRY_H

struct entry_model {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;
};
extern const struct entry_model entry_models[];
extern const int entry_model_count;

/* Quantile function of the triangular distribution on [low, high] with its mode at the typical
   price (high + low + close) / 3; low when high == low. `u` in (0, 1). */
double entry_triangular(double low, double high, double close, double u);

#endif
