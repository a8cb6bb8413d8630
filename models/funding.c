#include "models/funding.h"

#include <math.h>

#include "base/calendar.h"

static double clamp(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

double funding_premium_mean(const double *premium, size_t count)
{
    double sum = 0.0, weights = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)(i + 1) * premium[i];
        weights += (double)(i + 1);
    }
    return count > 0 ? sum / weights : NAN;
}

double funding_premium_clamp(double premium, int64_t interval_ms, double cap)
{
    double interest = FUNDING_INTEREST_8H * (double)interval_ms / (8.0 * (double)CALENDAR_HOUR_MS);
    double rate = interest;
    if (isnan(premium))
        return NAN;
    if (interest - premium > FUNDING_CLAMP)
        rate = premium + FUNDING_CLAMP;
    else if (interest - premium < -FUNDING_CLAMP)
        rate = premium - FUNDING_CLAMP;
    return clamp(rate, -cap, cap);
}

double funding_annualised(double rate, int64_t interval_ms)
{
    return rate * (365.0 * (double)CALENDAR_DAY_MS / (double)interval_ms);
}

int64_t funding_payments(int64_t interval_ms, int64_t hold_ms)
{
    return hold_ms / interval_ms;
}

double funding_cost_usd(int side, double rate, int64_t payments, double notional_usd)
{
    return side * rate * (double)payments * notional_usd;
}

double funding_payments_to_liquidation(int side, double rate, double leverage,
                                       double maintenance_rate)
{
    double room = 1.0 / leverage - maintenance_rate;
    double paid = side * rate;
    if (room <= 0.0)
        return 0.0;
    return paid > 0.0 ? room / paid : INFINITY;
}

double funding_liquidation_price(int side, double entry_price, double leverage,
                                 double maintenance_rate, double rate, double payments)
{
    double price =
        entry_price * (1.0 - side / leverage + payments * rate) / (1.0 - side * maintenance_rate);
    return fmax(price, 0.0);
}
