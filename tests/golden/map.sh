#!/usr/bin/env bash
# `map` on the command line: what it writes and prints, the same bytes at any number of threads, a
# given book whose liquidation prices `liqprice` knows, and what is refused.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market

# ---- files and bytes

expect 0 map scenario.yaml --over -o whole --threads 1 --set replicates=4
cp out.txt whole.txt
[ "$(ls whole | tr '\n' ' ')" = 'heatmap.csv manifest.json map.csv near.csv scenario.yaml ' ] ||
    fail "whole/ holds $(ls whole)"
for threads in 2 4; do
    expect 0 map scenario.yaml --over -q -o out/results --threads $threads --set replicates=4
    for table in map near heatmap; do
        cmp -s "whole/$table.csv" "out/results/$table.csv" || fail "$table.csv differs at $threads threads"
    done
    rm -r out/results
done
[ "$(head -n 1 whole/map.csv)" = price_lo,price_hi,side,tier,coins,usd,cumulative_usd ] ||
    fail "map.csv: $(head -n 1 whole/map.csv)"

# Hourly from the start up to the end: 24 times, two sides each.
[ "$(column whole/near.csv time | wc -l)" -eq 48 ] || fail "near.csv: $(cat whole/near.csv)"
[ "$(column whole/heatmap.csv time | sort -u | wc -l)" -eq 24 ] || fail 'times of the heatmap'
grep -q "heatmap  *every 1h, $(column whole/heatmap.csv time | wc -l) rows" whole.txt ||
    fail "$(cat whole.txt)"

# Prices rise from bin to bin as much as map.bin_log says, and all coins of a side are its OI.
awk -F, 'NR > 1 && $1 > 0 && $2 != "" { d = log($2 / $1); if (d < 0.0025 - 1e-9 || d > 0.0025 + 1e-9) exit 1 }' \
    whole/map.csv || fail 'bins of another width'
for side in long short; do
    total=$(awk -F, -v side=$side '$3 == side { sum += $5 } END { printf "%.9g", sum }' whole/map.csv)
    oi=$(awk -F, -v side=$side 'NR < 4 && $2 == side { printf "%.9g", $4 * (1 - $5) }' whole/near.csv)
    [ "$total" = "$oi" ] || fail "the map holds $total coins of $oi $side"
done

# Without the heatmap, and at the start by name, the map is the same but for rounding.
expect 0 map scenario.yaml -q -o single --set replicates=4 --at 2024-03-04T00:00Z
[ ! -e single/heatmap.csv ] && [ ! -s out.txt ] || fail 'a heatmap that nobody asked for'
paste -d , whole/map.csv single/map.csv | awk -F, 'NR > 1 && ($5 / $12 - 1) ^ 2 > 1e-18 { exit 1 }' ||
    fail 'the map depends on the heatmap'
expect 0 map single/scenario.yaml -q -o again
cmp -s single/map.csv again/map.csv || fail 'the resolved scenario makes another map'

expect 0 map scenario.yaml --json -o out/results --at 2024-03-04T12:30Z
grep -q '"at": "2024-03-04T12:30:00Z"' out.txt || fail "$(cat out.txt)"
grep -q "\"largest_usd\": $(column out/results/near.csv largest_usd | head -1)" out.txt ||
    fail "$(cat out.txt)"
rm -r out/results

# ---- a given book

cat >positions.csv <<CSV
venue,side,entry_price,size_coins,leverage
binance,long,60000,3,10
binance,long,60000,2,20
binance,short,60000,5,8
CSV
given=(scenario.yaml --set book.positions_from=positions.csv --set 'data.oi=null'
    --set 'data.funding=null' --at 2024-03-01T00:00Z --set 'venues=[{name: binance, oi_share: 1}]'
    --set time.warmup=2024-03-01T00:00Z --set 'oi.flow=frozen')
expect 0 map "${given[@]}" -q -o given
for row in long:3:10 long:2:20 short:5:8; do
    IFS=: read -r side coins leverage <<<"$row"
    expect 0 liqprice --venue binance --side "$side" --entry 60000 --qty "$coins" \
        --leverage "$leverage" --symbol BTCUSDT --at 2024-03-01 --json
    price=$(sed -n 's/.*"liquidation_price": \([0-9.]*\).*/\1/p' out.txt | head -1)
    [ -n "$price" ] || fail "$(cat out.txt)"
    awk -F, -v side="$side" -v coins="$coins" -v price="$price" '
        $3 == side && $1 <= price && price < $2 && ($5 / coins - 1) ^ 2 < 1e-18 { found = 1 }
        END { exit !found }' given/map.csv ||
        fail "$side $coins at $price is not in $(cat given/map.csv)"
done

# ---- what is refused

refused() {
    expect_error "$1" "$2" map scenario.yaml -q -o out/results "${@:3}"
}
refused 2 '--at: 2024-02-28T00:00:00Z lies outside of the scenario
(time.warmup) to 2024-03-05T00:00:00Z (time.end)' --at 2024-02-28
refused 2 'lies within a step (time.step: 5m)
did you mean 2024-03-04T00:00:00Z?' --at 2024-03-04T00:02Z
refused 2 '--at' --at yesterday
refused 3 'oi.levels_usd: names 2 levels of open interest; expected one' \
    --set 'oi.levels_usd=[1e9, 2e9]'
refused 3 'map.every: 7m is not in whole steps; expected a multiple of time.step (5m)' --over \
    --set map.every=7m
refused 3 "map.bin_log: '0' is out of bounds" --set map.bin_log=0
refused 3 'map.range_log' --set map.range_log=11
refused 3 'map.bin_log: 1e-06 makes 2e+07 bins of the range; expected at most 1000000' \
    --set map.bin_log=1e-6 --set map.range_log=10
refused 3 'map.every: makes 288 times
expected fewer, by a longer map.every' --over --set map.every=5m --set map.bin_log=1e-6
expect_error 2 'map' map -o out/results
mkdir out/results && touch out/results/mine
expect 5 map scenario.yaml -q -o out/results
[ "$(ls out/results)" = mine ] || fail 'a directory that was there was changed'
