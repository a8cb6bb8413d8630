#include "models/entry.h"

#include <math.h>

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
