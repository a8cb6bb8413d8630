#!/bin/bash
# The calculators print the published figures: venues' worked examples and closed forms.
#
#   tests/golden/oracles.sh COMMAND
set -u
command=${1:-${LIQCASCADE_COMMAND:-${LIQCASCADE:-}}}
failed=0
count=0

# FIGURE ARGUMENT...: the figure stands in the output as a whole number of its own.
prints() {
    local figure=$1
    shift
    count=$((count + 1))
    if ! "$command" "$@" | grep -qE "(^|[^0-9.,])${figure//./\\.}([^0-9]|\$)"; then
        echo "expected $figure from: liqcascade $*"
        "$command" "$@"
        failed=$((failed + 1))
    fi
}

at_50x=(--entry 50000 --leverage 50 --qty 1 --mmr 0.005)
october=(--venue binance --symbol BTCUSDT --leverage 20 --at 2025-10-10)

# Inverse contracts, maintenance margin at entry and at mark.
prints 49,261.0837 liqprice --side long "${at_50x[@]}" --formula inverse_entry
prints 50,761.4213 liqprice --side short "${at_50x[@]}" --formula inverse_entry
prints 49,264.7059 liqprice --side long "${at_50x[@]}" --formula inverse_mark
prints 50,765.3061 liqprice --side short "${at_50x[@]}" --formula inverse_mark
# Linear contracts, maintenance margin at mark and at entry.
prints 49,246.2312 liqprice --side long "${at_50x[@]}" --formula linear_mark
prints 49,250.0000 liqprice --side long "${at_50x[@]}" --formula linear_entry
# 60,000 USD of inverse contracts short at 50,000, 10x: 60,000 / (1.2 - (0.12 - 0.006)).
prints 55,248.6188 liqprice --side short --entry 50000 --leverage 10 --notional 60000 --mmr 0.005 \
    --formula inverse_entry
# Bybit's worked example: 20,000 less 400 of initial and plus 100 of maintenance margin.
prints 19,700.0000 liqprice --side long --entry 20000 --leverage 50 --qty 1 --mmr 0.005 \
    --formula linear_entry
# The taker fee has to be left, too: 45,000 / (1 - 0.0045) and 55,000 / (1 + 0.0045), also by OKX's
# own formula, fee and first tier.
fee=(--entry 50000 --leverage 10 --qty 1)
prints 45,203.4154 liqprice --side long "${fee[@]}" --mmr 0.004 --taker 0.0005 --formula linear_fee
prints 54,753.6088 liqprice --side short "${fee[@]}" --mmr 0.004 --taker 0.0005 --formula linear_fee
prints 54,753.6088 liqprice --side short "${fee[@]}" --venue okx
# Hyperliquid above 150M USD: (90,000 - 1,875,000 / 2,000) / (1 - 0.025).
prints 91,346.1538 liqprice --venue hyperliquid --side long --entry 100000 --leverage 10 --qty 2000
# COIN-M above 100 BTC, 10 % and cum 6.81 BTC: 5,000,000 * 1.1 / (10 + 100 + 6.81).
prints 47,085.0098 liqprice --venue binance_coinm --side long --entry 50000 --leverage 10 --qty 100
# Cross margin by Binance's formula, brackets 3 and 2 (cum 1,500 and 300) of October 2025:
# (92,000 + 1,500 - 1,200,000) / (0.065 - 10), and with a short of 4 at 118,000 against it
# (100,000 - 5,000 - 3,000 + 1,500 + 300 - 1,200,000 + 472,000) / (0.065 + 0.02 - 10 + 4).
account=(--side long --entry 120000 --qty 10 --at 2025-10-10)
prints 111,373.9305 liqprice "${account[@]}" --wallet 92000
prints 107,218.9349 liqprice "${account[@]}" --wallet 100000 --other-maintenance 5000 \
    --other-upnl -3000 --hedge-qty 4 --hedge-entry 118000
# Binance brackets of October 2025; the last one changes its bracket on the way down.
prints 114,909.0909 liqprice "${october[@]}" --side long --entry 120000 --qty 50
prints 124,990.0990 liqprice "${october[@]}" --side short --entry 120000 --qty 50
prints 115,510.1010 liqprice "${october[@]}" --side long --entry 120500 --qty 100
# Bankruptcy: E (1 - 1/L), and E L / (L + 1) for inverse contracts.
prints 49,000.0000 liqprice --side long "${at_50x[@]}" --formula linear_mark
prints 49,019.6078 liqprice --side long "${at_50x[@]}" --formula inverse_mark
# (1/50 - 0.4 %) / 0.01 % = 160 payments; 90 payments of 10 USD in 30 days; 10.95 % a year.
prints 160 funding --rate 0.0001 --notional 100000 --hold 30d --leverage 50 --mmr 0.004
prints 900.00 funding --rate 0.0001 --interval 8h --notional 100000 --hold 30d
prints 10.95 funding --rate 0.0001 --interval 8h --notional 100000 --hold 30d

echo "$count figures, $failed wrong"
[ $failed -eq 0 ]
