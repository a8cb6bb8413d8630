/*
 * Notional of a position at entry in USD, so that brackets and leverage caps bite: lognormal
 * (median, sigma of ln), Pareto (minimum, alpha), or one fixed value.
 */
#ifndef LIQCASCADE_MODELS_SIZE_H
#define LIQCASCADE_MODELS_SIZE_H

struct size_model {
    const char *name; /* as scenarios write it */
    const char *documentation;
    const char *source;
};
extern const struct size_model size_models[]; /* in the order of enum size_kind */
extern const int size_model_count;

enum size_kind { SIZE_KIND_LOGNORMAL, SIZE_KIND_PARETO, SIZE_KIND_FIXED };

struct size_params {
    enum size_kind kind;
    double median, sigma;
    double minimum, alpha;
    double value;
};

/* The size at probability `u` in (0, 1) (quantile function), USD. */
double size_draw(const struct size_params *params, double u);

#endif
