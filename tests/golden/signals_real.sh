#!/usr/bin/env bash
# Signals of the summer of 2024 on Binance: what the rules said on August 5, and that flow and returns
# are those of the data.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
for needed in binance-1h coinalyze-2024; do
    [ -d "$data_dir/$needed" ] || skip "no real data in $data_dir (set LIQCASCADE_TEST_DATA)"
done
data_dir=$(realpath "$data_dir")

cat >summer.yaml <<YAML
format: 1
title: BTC, July and August 2024
symbol: BTCUSDT
time: {warmup: 2024-06-19T22:00Z, start: 2024-07-01T00:00Z, end: 2024-08-19T00:00Z, step: 1h}
data:
  kind: observed
  price: {path: $data_dir/binance-1h/btcusdt-price.csv.zst, format: ohlcv_ms}
  mark: {path: $data_dir/binance-1h/btcusdt-mark.csv.zst, format: ohlcv_ms}
  funding: {path: $data_dir/binance-1h/btcusdt-funding.csv.zst, format: funding_ms, interval: 8h, unit: fraction}
  oi:
    path: $data_dir/coinalyze-2024/BTCUSDT_PERP.A_open-interest-history.csv.zst
    format: coinalyze_open_interest
    time: {zone: "+06:00"}
    scope: binance
  liquidations:
    path: $data_dir/coinalyze-2024/BTCUSDT_PERP.A_liquidation-history.csv.zst
    format: coinalyze_liquidations
    time: {zone: "+06:00"}
book: {positions_per_bar: 20}
signals: {window: 14d, resamples: 200}
YAML
expect 0 signals summer.yaml -o out/summer
grep -q '25 signals over 1176 bars, forced flow as observed' out.txt || fail "it says $(head -n 1 out.txt)"
! grep -q 'no data.liquidations' err.txt || fail 'an observed feed is called missing'

# at HOUR COLUMN: of signals.csv.
at() {
    awk -F, -v hour="$1" -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        index($1, hour) == 1 { print $at }' out/summer/signals.csv
}

# Price and open interest had fallen for a day, open interest by more than in nearly all of two weeks:
# 88,098 to 76,760 BTC.
[ "$(at 2024-08-05T07:00 regime)" = long_liquidation ] ||
    fail "on August 5 at 7:00 the regime is '$(at 2024-08-05T07:00 regime)'"
[ "$(at 2024-08-05T12:00 oi_flush)" = 1 ] || fail 'August 5 is no flush of open interest'
change=$(at 2024-08-05T12:00 oi_change)
echo "open interest changed by $change (log) in the day before August 5, 13:00"
awk -v c="$change" 'BEGIN { exit !(c < -0.08) }' || fail "open interest fell by $change only"

# The classical alarm did not sound: longs were not crowded at any hour of these seven weeks.
occurrences=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["signal"] == "long_crowded" && $at["target"] == "cascade" { print $at["occurrences"] }' \
    out/summer/signal_scores.csv | sort -u)
[ "$occurrences" = 0 ] || fail "longs were crowded in $occurrences hours"

# The flow is the feed's, whose stamps are six hours ahead of UTC.
flow=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $1 ~ /^2024-08-05T/ { sum += $at["flow_long_coins"] } END { printf "%.3f", sum }' out/summer/signals.csv)
raw=$(zstd -dcq "$data_dir/coinalyze-2024/BTCUSDT_PERP.A_liquidation-history.csv.zst" |
    awk -F, '$1 >= "2024-08-05 06:00:00" && $1 < "2024-08-06 06:00:00" && !seen[$1]++ { sum += $2 }
        END { printf "%.3f", sum }')
echo "longs liquidated on August 5: $flow BTC, by the feed $raw"
[ "$flow" = "$raw" ] || fail "the flow of August 5 is $flow, by the feed $raw"

# Five percent of the hours are cascades, and one storm of a day is few episodes.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["target"] == "cascade" && $at["horizon"] == "1d" && $at["side"] == "both" && $at["occurrences"] > 0 {
        if ($at["episodes"] >= 5 || $at["verdict"] == "informs" || $at["verdict"] == "adds") exit 1; n++ }
    END { exit !(n > 5) }' out/summer/signal_scores.csv || fail 'seven weeks hold many cascades of a day'
