#!/usr/bin/env bash
# The command signals: its tables, what it leaves out and why, what it refuses, the same bytes at any
# number of threads, and nothing of the future in a bar.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market

# Three days scored, in blocks that fit into them.
cat >signals.yaml <<YAML
extends: scenario.yaml
time: {start: 2024-03-02T00:00Z}
book: {positions_per_bar: 4}
signals: {lookback: 140m, window: 12h, highs: 6h, horizons: [15m, 1h], block: 3h, resamples: 100}
YAML
rules=15 model=10

expect 0 signals signals.yaml -o whole --threads 1
grep -q '^a small market: 25 signals over 864 bars, forced flow of the model' out.txt ||
    fail "the command says $(head -n 3 out.txt)"
grep -q '  left out: venue_share, which needs signals.venue_oi' out.txt || fail 'nothing is left out'
grep -q 'tests were made' out.txt || fail 'tests are not counted'
grep -q "no data.liquidations: signals are held to the model's own forced flow" err.txt ||
    fail "no warning of a model held to itself: $(cat err.txt)"

# ---- tables

[ "$(tail -n +2 whole/signals.csv | wc -l)" -eq 864 ] || fail 'signals.csv lacks bars'
[ "$(head -n 1 whole/signals.csv | tr , '\n' | wc -l)" -eq $((5 + rules + model)) ] ||
    fail "signals.csv has the columns $(head -n 1 whole/signals.csv)"
[ "$(tail -n +2 whole/signal_scores.csv | wc -l)" -eq $(((rules + model) * 2 * 2)) ] ||
    fail 'signal_scores.csv lacks rows'
# A regime is named where one of the four holds, and only there.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["regime"] != "" { n++; if ($at[$at["regime"]] != 1) exit 1 }
    $at["regime"] == "" && $at["new_longs"] + $at["short_covering"] + $at["new_shorts"] + $at["long_liquidation"] > 0 { exit 1 }
    END { if (n < 700) exit 1 }' whole/signals.csv || fail 'regimes and their columns differ'
# Shares of one side within a distance grow with it, and are shares.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { for (s = 0; s < 2; s++) { side = s ? "long" : "short"; last = 0
        for (k = 1; k <= 4; k++) { v = $at[side "_within_" (k == 1 ? 1 : k == 2 ? 2 : k == 3 ? 5 : 10) "pct"]
            if (v < last || v > 1) exit 1; last = v } } }' whole/signals.csv ||
    fail 'shares within a distance do not grow with it'
column whole/signal_scores.csv flow | sort -u | grep -qx model || fail 'the flow is not named'

# ---- a venue's share

expect 0 signals signals.yaml -q -o shared --set \
    'signals.venue_oi={path: oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, unit: coins}'
column shared/signals.csv venue_share | grep -qvx 1 && fail 'a venue that is all has another share than 1'
grep -q '"role": "venue_oi"' shared/manifest.json || fail 'the manifest does not name the venue'

# ---- bytes

expect 0 signals signals.yaml -q -o out/two --threads 2
[ ! -s out.txt ] || fail "-q prints $(cat out.txt)"
for table in signals signal_scores; do
    cmp out/two/$table.csv whole/$table.csv || fail "$table.csv differs with two threads"
done
rm -r out/two
expect 0 signals shared/scenario.yaml -q -o again
for table in signals signal_scores; do
    cmp again/$table.csv shared/$table.csv || fail "$table.csv of the resolved scenario differs"
done
expect 0 signals signals.yaml -q -o other --seed 8
cmp -s other/signal_scores.csv whole/signal_scores.csv && fail 'another seed gives the same intervals'
expect 0 signals signals.yaml -v -o verbose
[ "$(grep -c 'no information seen$\|too few to tell$\|informs\|nothing to score$' out.txt)" -eq \
    $(((rules + model) * 4)) ] || fail "-v does not print all rows: $(wc -l <out.txt)"

# ---- nothing of the future: after March 3, 18:00 everything is another market

mkdir future
cp *.csv *.yaml future
cut=$(date -u -d 2024-03-03T18:00Z +%s)
awk -F, -v cut="${cut}000" 'NR > 1 && $1 >= cut { printf "%s,%s,%s,%s,%s,%s\n", $1, $2 * 0.9, $3 * 0.93, $4 * 0.87, $5 * 0.9, $6; next } { print }' \
    OFS=, price.csv >future/price.csv
awk -F, -v cut="$cut" 'NR > 1 && $1 > cut { printf "%s,%s\n", $1, $2 * 1.3; next } { print }' oi.csv >future/oi.csv
awk -F, -v cut="$cut" 'NR > 1 && $1 >= cut { printf "%s,%s\n", $1, -0.002; next } { print }' \
    funding.csv >future/funding.csv
expect 0 signals future/signals.yaml -q -o changed
known=$((1 + 288 + 216))
for side in whole changed; do
    head -n $known $side/signals.csv >$side.known
    tail -n +$((known + 1)) $side/signals.csv >$side.later
done
cmp whole.known changed.known || fail 'a signal knows what comes after its bar'
cmp -s whole.later changed.later && fail 'another market gives the same signals'

# ---- what is missing is left out

expect 0 signals signals.yaml -o unfunded --set data.funding=null
for name in long_crowded short_crowded funding_high funding_low funding_z; do
    grep -q "  left out: $name, which needs data.funding" out.txt || fail "$name is not left out"
    ! head -n 1 unfunded/signals.csv | tr , '\n' | grep -qx $name || fail "$name is a column"
done
cat >positions.csv <<'CSV'
venue,side,size_coins,entry_price,leverage
all,long,1000,60000,20
all,long,1000,60000,50
all,short,1000,60000,10
all,short,1000,60000,30
CSV
expect 0 signals signals.yaml -o booked --set data.oi=null --set book.positions_from=positions.csv \
    --set time.warmup=2024-03-01T00:00Z
grep -q '  left out: new_longs, which needs data.oi$' out.txt || fail "without data.oi: $(cat out.txt)"
grep -q '  left out: long_crowded, which needs data.oi$' out.txt || fail 'long_crowded is not left out'
grep -q '  left out: venue_share, which needs data.oi and signals.venue_oi' out.txt ||
    fail 'venue_share is not left out'
head -n 1 booked/signals.csv | tr , '\n' | grep -qx funding_z || fail 'funding needs no open interest'

# ---- refusals

expect_error 3 'signals.yaml: signals.lookback: 7m is no whole number of steps' \
    signals signals.yaml -o out/x --set signals.lookback=7m
expect_error 3 'signals.horizons: 7m is no whole number of steps' \
    signals signals.yaml -o out/x --set 'signals.horizons=[7m]'
expect_error 3 'signals.horizons: does not rise' signals signals.yaml -o out/x \
    --set 'signals.horizons=[1h, 15m]'
expect_error 3 'path.model: makes a path; signals are read from data: expected observed' \
    signals signals.yaml -o out/x --set path.model=gbm
expect_error 4 'are too few to score signals 15m ahead; expected three blocks of 3d' \
    signals signals.yaml -o out/x --set signals.block=none
expect_error 5 'whole' signals signals.yaml -o whole
rm -r out
mkdir out
expect 0 signals signals.yaml --json -q -o out/json
[ "$(grep -c '"auc_given_null":' out.txt)" -eq 100 ] && [ "$(grep -c '"needs":' out.txt)" -eq 2 ] ||
    fail "JSON: $(head -c 300 out.txt)"
