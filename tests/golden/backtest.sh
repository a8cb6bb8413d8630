#!/usr/bin/env bash
# The commands calibrate and backtest on a small made market: what they write, that what is tested
# does not touch what is fitted, and how they refuse.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market

# A feed with a daily wave of its own, the same every day but for size.
awk -F, 'NR > 1 {
    down = ($2 - $4) / $2; up = ($3 - $2) / $2
    printf "%s,%.6f,%.6f\n", $1 / 1000, 50000 * down ^ 1.5, 50000 * up ^ 1.5 }' price.csv |
    sed '1i time,long,short' >feed.csv
cat >study.yaml <<'YAML'
extends: scenario.yaml
time: {warmup: 2024-03-01T00:00Z, start: 2024-03-01T12:00Z, end: 2024-03-05T00:00Z, step: 5m}
data:
  volume_coins: {path: price.csv, format: ohlcv_ms}
  liquidations: {path: feed.csv, format: generic, time: {column: time, as: unix_s}, columns: {liq_long: long, liq_short: short}, unit: coins}
calibrate:
  parameters: {book.leverage.alpha: [0.5, 3], book.turnover_per_hour: [0.005, 0.5]}
  starts: 1
  resamples: 20
  moments: {day: 0}
backtest:
  splits:
    - {name: three days to the fall, fit: {to: 2024-03-04T00:00Z}, test: {from: 2024-03-04T00:00Z}}
YAML

# ---- what is written

expect 0 calibrate study.yaml -o out/fit --set calibrate.fit.to=2024-03-04T00:00Z
for said in book.leverage.alpha 'observation.b_bar' 'not identified together' 'results in out/fit'; do
    grep -qF "$said" out.txt || fail "calibrate does not say '$said': $(cat out.txt)"
done
[ "$(column out/fit/calibration.csv parameter | head -2 | tr '\n' ' ')" = \
    'book.leverage.alpha book.turnover_per_hour ' ] || fail 'calibration.csv lacks parameters'
awk -F, 'NR > 1 && NR < 4 && !($3 <= $2 && $2 <= $4 || $7 != "") { exit 1 }' out/fit/calibration.csv ||
    fail "a value lies outside of its interval: $(cat out/fit/calibration.csv)"
expect 0 calibrate study.yaml --json
grep -q '"level_identified": *false' out.txt || fail "JSON does not say what is not identified"

expect 0 backtest study.yaml -o out/test
for table in backtest scores fits; do
    [ -s out/test/$table.csv ] || fail "backtest writes no $table.csv"
done
[ "$(column out/test/backtest.csv time | sort -u)" = 2024-03-04T00:00:00Z ] ||
    fail "tested days are $(column out/test/backtest.csv time | sort -u)"
[ "$(column out/test/backtest.csv metric | sort -u | tr '\n' ' ')" = \
    'liquidated_long_usd liquidated_short_usd liquidated_usd long_share ' ] ||
    fail 'backtest.csv has other metrics'
# What is observed is what the feed holds, valued at each bar's close.
awk -F, 'NR == FNR { if (FNR > 1) close_at[$1 / 1000] = $5; next }
    FNR > 1 && $1 >= 1709510400 { usd += ($2 + $3) * close_at[$1] } END { printf "%.6g\n", usd }' \
    price.csv feed.csv >expected.txt
awk -F, '$4 == "liquidated_usd" { printf "%.6g\n", $5 }' out/test/backtest.csv >got.txt
cmp -s expected.txt got.txt || fail "observed $(cat got.txt), the feed holds $(cat expected.txt)"
# Events whose data are absent are named as such.
grep -q '2025-10-10 .*no data that are tested' out.txt || fail "no word of events: $(cat out.txt)"
expect 0 backtest study.yaml --json
grep -q '"scores"' out.txt || fail 'JSON has no scores'

# ---- no leakage: with another feed on the fourth day the fits are the same to the last digit

cp out/test/fits.csv before.csv
awk -F, 'NR > 1 && $1 >= 1709510400 { print $1 ",7," NR % 13; next } { print }' feed.csv >other.csv
cp feed.csv kept.csv
cp other.csv feed.csv
expect 0 backtest study.yaml -q -o out/other
cmp -s before.csv out/other/fits.csv || fail 'what is tested changes what is fitted'
cmp -s out/test/scores.csv out/other/scores.csv && fail 'another feed gives the same scores'
# With another feed on the first three, they are not.
awk -F, 'NR > 1 && $1 < 1709510400 { print $1 "," 1 + NR % 13 "," 1; next } { print }' kept.csv >feed.csv
expect 0 backtest study.yaml -q -f -o out/other
cmp -s before.csv out/other/fits.csv && fail 'another feed gives the same fit'
rm -r out/*

# ---- refusals

expect_error 3 'calibrate.parameters: is empty' calibrate scenario.yaml
expect_error 4 'data.liquidations: is missing' calibrate scenario.yaml \
    --set 'calibrate.parameters={book.leverage.alpha: [1, 2]}'
expect_error 3 'impact.gamma is not what flow along an observed price is fitted by' calibrate \
    study.yaml --set 'calibrate.parameters={impact.gamma: [0.5, 1]}'
expect_error 3 'has no room between its bounds' calibrate study.yaml \
    --set 'calibrate.parameters={book.leverage.alpha: [2, 1]}'
expect_error 3 'tests BTCUSDT in a time that it is fitted to' backtest study.yaml \
    --set 'backtest.splits=[{name: all}]'
expect_error 3 'names doge, which is no asset' backtest study.yaml \
    --set 'backtest.splits=[{name: x, fit: {assets: [doge]}}]'
awk 'BEGIN { print "time,long,short"; for (t = 1759276800; t < 1759881600; t += 300) print t ",1,1" }' >feed.csv
expect_error 4 'never scored' backtest study.yaml \
    --set 'data.oi={source: "builtin:btc-2025-autumn"}' \
    --set 'data.price={source: "builtin:btc-2025-autumn"}' \
    --set 'data.funding={source: "builtin:btc-2025-autumn"}' \
    --set 'data.volume_coins={source: "builtin:btc-2025-autumn"}' \
    --set time.warmup=2025-10-01T00:00Z --set time.start=2025-10-05T00:00Z \
    --set time.end=2025-10-08T00:00Z
