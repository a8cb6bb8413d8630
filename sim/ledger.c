#include "sim/ledger.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Survival is kept above this by moving a power of two into the scales, which is exact. */
static const double SURVIVAL_LOW = 0x1p-400;

int ledger_init(struct ledger *self, size_t bars, struct error *err)
{
    memset(self, 0, sizeof *self);
    self->bars = bars;
    for (int i = 0; i < 2; i++) {
        self->side[i].survival = 1.0;
        self->side[i].scale = memory_zeroed(bars, sizeof(double));
        self->side[i].survival_then = memory_zeroed(bars, sizeof(double));
        if (self->side[i].scale == NULL || self->side[i].survival_then == NULL) {
            ledger_free(self);
            return error_memory(err, "the ledger");
        }
    }
    return ERROR_NONE;
}

void ledger_free(struct ledger *self)
{
    for (int i = 0; i < 2; i++) {
        memory_free(self->side[i].scale);
        memory_free(self->side[i].survival_then);
    }
    memset(self, 0, sizeof *self);
}

static void side_add(struct ledger_side *side, double coins, double entry_value, double margin,
                     double funding)
{
    side->coins += coins;
    side->entry_value += entry_value;
    side->margin += margin;
    side->funding_value += coins * funding;
}

void ledger_open(struct ledger *self, int side_index, size_t bar, double coins, double price,
                 double entry_sum, double margin_sum, double funding)
{
    struct ledger_side *side = &self->side[side_index];
    side->scale[bar] = coins / side->survival;
    side->survival_then[bar] = side->survival;
    side->open_bars = bar + 1;
    side_add(side, coins, coins * price * entry_sum, coins * price * margin_sum, funding);
}

void ledger_hold(struct ledger *self, int side_index, double coins, double price, double funding)
{
    side_add(&self->side[side_index], coins, coins * price, coins * price, funding);
}

void ledger_remove(struct ledger *self, int side_index, double coins, double entry_price,
                   double leverage, double funding_at_open)
{
    struct ledger_side *side = &self->side[side_index];
    side->coins -= coins;
    side->entry_value -= coins * entry_price;
    side->margin -= coins * entry_price / leverage;
    side->funding_value -= coins * funding_at_open;
}

static void rescale(struct ledger_side *side)
{
    for (size_t i = side->first_bar; i < side->open_bars; i++) {
        side->scale[i] *= SURVIVAL_LOW;
        side->survival_then[i] /= SURVIVAL_LOW;
    }
    side->survival /= SURVIVAL_LOW;
}

double ledger_thin(struct ledger *self, int side_index, double remaining)
{
    struct ledger_side *side = &self->side[side_index];
    double kept = side->coins > 0.0 ? remaining / side->coins : 0.0;
    side->coins = remaining;
    side->survival *= kept;
    side->entry_value *= kept;
    side->margin *= kept;
    side->funding_value *= kept;
    if (!(side->survival > 0.0)) {
        /* Nobody is left: whoever opens next starts afresh. */
        side->first_bar = side->open_bars;
        side->survival = 1.0;
        return 0.0;
    }
    while (side->first_bar < side->open_bars &&
           side->survival < LEDGER_GONE * side->survival_then[side->first_bar])
        side->first_bar++;
    if (side->survival >= SURVIVAL_LOW)
        return 1.0;
    rescale(side);
    return SURVIVAL_LOW;
}

double ledger_equity(const struct ledger *self, int side_index, double price, double funding)
{
    const struct ledger_side *side = &self->side[side_index];
    double sign = side_index == 0 ? 1.0 : -1.0;
    double gain = price * side->coins - side->entry_value;
    double paid = funding * side->coins - side->funding_value;
    return side->margin + sign * (gain - paid);
}

/* Opens and closes of a side that take it from what is left after the forced flow to `after`. */
static void side_flows(double left, double opens, double after, double *out_opens,
                       double *out_closes)
{
    double closes = left + opens - after;
    if (closes < 0.0) {
        opens -= closes;
        closes = 0.0;
    } else if (closes > left) {
        opens = after;
        closes = left;
    }
    *out_opens = opens;
    *out_closes = closes;
}

struct ledger_flows ledger_flows(const struct ledger_step *step)
{
    struct ledger_flows flows;
    double largest = fmax(step->forced[0], step->forced[1]);
    double both = step->forced[0] + step->forced[1];
    double change, opens[2];
    if (step->observed) {
        change = fmax(step->oi_change, -step->oi);
        double common = fmax(change + largest, 0.0) + step->turnover * step->oi;
        opens[0] = opens[1] = common;
        double room = step->turnover * step->oi + fmax(-change, 0.0);
        flows.replacement = fmax(largest - room, 0.0);
    } else {
        double closers = step->absorbed_by_closers;
        change = -fmin(closers * both, step->oi);
        double turnover = step->turnover * fmax(step->oi - both, 0.0);
        opens[0] = turnover + (1.0 - closers) * step->forced[0];
        opens[1] = turnover + (1.0 - closers) * step->forced[1];
        flows.replacement = fmax(both - step->oi, 0.0);
    }
    for (int i = 0; i < 2; i++)
        side_flows(fmax(step->oi - step->forced[i], 0.0), opens[i], step->oi + change,
                   &flows.opens[i], &flows.closes[i]);
    return flows;
}
