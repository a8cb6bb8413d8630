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
