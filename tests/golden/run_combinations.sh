#!/usr/bin/env bash
# Every model of the scenario's keys with every other that it meets: each run keeps its invariants
# (long OI = short OI, money conserved: the engine checks them at every step and would exit with 6)
# and writes the documented tables.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market
sed -i 's/warmup: 2024-03-01/warmup: 2024-03-03/' scenario.yaml

summary_columns='run seed positions oi_start_usd oi_end_usd oi_change_share price_start price_low
    price_high price_end liquidated_usd liquidated_long_usd liquidated_short_usd liquidated_coins
    liquidated_positions liquidated_share_of_oi long_share peak_hour_usd peak_4h_usd peak_24h_usd
    exogenous_move endogenous_move amplification endogenous_share branching_ratio_max
    generations_max unreachable_steps insurance_draw_usd adl_usd bad_debt_usd episodes'

# The tables of a results directory: there, with their columns, no cell that is no number.
check_tables() {
    local missing
    missing=$(cd "$1" && ls summary.csv steps.csv episodes.csv tiers.csv venues.csv scenario.yaml \
        manifest.json 2>&1 >/dev/null) || fail "$2: $missing"
    ! grep -qiE '(^|,)[-+]?(nan|inf)' "$1"/*.csv || fail "$2: a cell holds no number"
    missing=$(awk -F, -v wanted="$summary_columns" 'NR == 1 {
        for (i = 1; i <= NF; i++) there[$i] = 1
        count = split(wanted, names, /[ \n]+/)
        for (i = 1; i <= count; i++) if (!(names[i] in there)) print names[i] }' "$1/summary.csv")
    [ -z "$missing" ] || fail "$2: summary.csv lacks $missing"
}

runs=0
try() {
    expect 0 run scenario.yaml -q -o out/try "$@"
    check_tables out/try "$*"
    rm -r out/try
    runs=$((runs + 1))
}

shock='path={model: shock, at: 2024-03-04T11:00Z, move_log: -0.1, over: 10m}'
flat='venues=[{name: a, oi_share: 0.4, rules: binance}, {name: b, oi_share: 0.3, rules: binance, cap_scale: 0.5, margin: linear_mark}, {name: c, oi_share: 0.3, rules: flat, flat_rate: 0.005, flat_max_leverage: 100}]'
inverse='venues=[{name: a, oi_share: 0.6, rules: binance}, {name: coin, oi_share: 0.4, rules: flat, flat_rate: 0.005, flat_max_leverage: 100, margin: inverse_entry}]'

for impact in none linear square_root power; do
    for fill in walk final; do
        for flow in observed frozen; do
            for feedback in open naive; do
                try --set impact.model=$impact --set fill=$fill --set oi.flow=$flow \
                    --set feedback=$feedback
            done
            try --set impact.model=$impact --set fill=$fill --set oi.flow=$flow --set "$shock"
        done
    done
done
for leverage in '{model: pareto, alpha: 1.5, minimum: 2}' '{model: lognormal}' \
    '{model: lognormal_tail}' \
    '{model: tiers, tiers: [{leverage: 5, weight: 0.5}, {leverage: 50, weight: 0.5}]}'; do
    for size in '{model: lognormal, median: 50000}' '{model: pareto}' '{model: fixed, value: 1e6}'; do
        try --set "book.leverage=$leverage" --set "book.size_usd=$size"
        try --set "book.leverage=$leverage" --set "book.size_usd=$size" --set "$shock" --set "$inverse"
    done
done
for venues in "$flat" "$inverse"; do
    for level in oi.levels_usd='[1e9, 5e9]' oi.level_usd=5e9 oi.level_coins=70000; do
        for scale in traders sizes; do
            try --set "$venues" --set "$level" --set oi.scale_by=$scale
            try --set "$venues" --set "$level" --set oi.scale_by=$scale --set "$shock"
        done
    done
done
for other in time.wick=high_first time.wick=low_first book.entry=vwap impact.half_life=none \
    impact.permanent_share=1.0 impact.mark_passthrough=0.5 'impact.depth={model: constant}' \
    book.absorbed_by_closers=0.3 book.hedged_short_share=1 book.turnover_per_hour=0 data.funding=null \
    time.step=1h time.warmup=2024-03-04T00:00Z time.warmup=2024-03-01T00:00Z 'path={model: shock, move_log: 0.3}' \
    episode.floor_usd_per_min=0 book.hedged_leverage='[3, 20]' book.positions_per_bar=1; do
    try --set "$other"
    try --set "$other" --set feedback=naive --set path.model=observed
done

# ---- positions from a file: by leverage, margin or liquidation price, the sides out of balance

for columns in leverage margin liquidation_price; do
    awk -v given=$columns 'BEGIN {
        print "venue,side,entry_price,size_coins," given
        for (i = 1; i <= 400; i++) {
            side = i % 3 ? 1 : -1; entry = 59000 + 5 * i; size = 1 + i % 7; leverage = 1 + i % 50
            value = given == "leverage" ? leverage : given == "margin" ? entry * size / leverage \
                : entry * (1 - side * (1 / leverage - 0.004))
            print "all," (side > 0 ? "long" : "short") "," entry "," size "," value
        }
    }' >positions.csv
    for more in "$shock" feedback=open feedback=naive fill=final impact.model=linear \
        oi.level_coins=5000; do
        for scale in traders sizes; do
            try --set book.positions_from=positions.csv --set "$more" --set oi.scale_by=$scale
        done
    done
    try --set book.positions_from=positions.csv --set data.oi=null --set data.funding=null --set "$shock"
    expect 0 run scenario.yaml -o out/loud --set book.positions_from=positions.csv
    rm -r out/loud
    grep -q 'the given positions hold [0-9.]* coins long and [0-9.]* short' err.txt ||
        fail "sides out of balance go without a word: $(cat err.txt)"
done
# Given positions that do not live to see the start are told; with no warm-up there are none.
expect 0 run scenario.yaml -o out/loud --set book.positions_from=positions.csv
grep -q 'of the given positions. coins were liquidated between time.warmup and time.start' err.txt ||
    fail "positions liquidated before the start go without a word: $(cat err.txt)"
expect 0 run scenario.yaml -o out/other --set book.positions_from=positions.csv --set time.warmup=null
! grep -q 'between time.warmup' err.txt || fail "without a warm-up: $(cat err.txt)"
echo "$runs runs"
