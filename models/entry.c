#include "models/entry.h"

#include <math.h>

const struct entry_model entry_models[] = {
    {"triangular",
     "spread over [low, high] of the bar, most likely at its typical price (high + low + close) / "
     "3",
     "own prior"},
    {"vwap", "all at the typical price of the bar, which stands for its volume-weighted price",
     "own prior"},
};
const int entry_model_count = sizeof entry_models / sizeof *entry_models;

double entry_triangular(double low, double high, double close, double u)
{
    double width = high - low;
    double rise = (high + low + close) / 3.0 - low;
    if (!(width > 0.0))
        return low;
    /* A close outside its bar would put the mode outside the support. */
    rise = rise < 0.0 ? 0.0 : rise;
    rise = rise > width ? width : rise;
    /* Both halves are one square root from their own end: which half is a matter of selection. */
    double below = u * width;
    double left = below < rise ? 1.0 : 0.0;
    double area = left > 0.0 ? below * rise : (width - below) * (width - rise);
    double distance = sqrt(area);
    return left > 0.0 ? low + distance : high - distance;
}
