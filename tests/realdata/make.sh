#!/usr/bin/env bash
# Scenarios of the backtests on real data, and the few series that they need in another form, in
# the folder $1 from the data in $2. Nothing of it belongs into the project.
#
# Open interest and feeds begin with the window that is fitted. The book needs a history before it, so
# open interest is held at its first value for 30 days before; the feed is 0 there, where it is never
# compared.
set -euo pipefail
out=$1
data=$(realpath "$2")
mkdir -p "$out"

# hours FROM TO: every hour of UTC in unix seconds.
hours() { seq "$(date -u -d "$1" +%s)" 3600 "$(date -u -d "$2" +%s)"; }

# ---- Binance, summer of 2024: hourly, throttled feed, local times of UTC+6

# held_open_interest FILE OUT, held_liquidations FILE OUT: with 30 days before.
held_open_interest() {
    local first
    first=$(zstd -dcq "$1" | awk -F, 'NR == 1 { print $2 }')
    {
        echo time,oi
        # A row holds the open interest of its hour's end.
        hours '2024-05-18' '2024-06-19 21:00' | sed "s/\$/,$first/"
        zstd -dcq "$1" | TZ=UTC awk -F, '$1 != last {
            last = $1; t = $1; gsub(/[-:]/, " ", t); print mktime(t) - 6 * 3600 + 3600 "," $5 }' |
            awk -F, '$1 > at { print; at = $1 }'
    } >"$2"
}
held_liquidations() {
    {
        echo time,long,short
        hours '2024-05-18' '2024-06-19 20:00' | sed 's/$/,0,0/'
        zstd -dcq "$1" | TZ=UTC awk -F, '$1 != last {
            last = $1; t = $1; gsub(/[-:]/, " ", t); print mktime(t) - 6 * 3600 "," $2 "," $3 }' |
            awk -F, '$1 > at { print; at = $1 }'
    } >"$2"
}

summer() {
    local lower=${1,,} from=$data/coinalyze-2024/$1USDT_PERP.A
    held_open_interest "${from}_open-interest-history.csv.zst" "$out/$lower-2024-oi.csv"
    held_liquidations "${from}_liquidation-history.csv.zst" "$out/$lower-2024-liquidations.csv"
    cat >"$out/$lower-2024.yaml" <<YAML
format: 1
title: $1 on Binance, summer of 2024
symbol: $1USDT
time: {warmup: 2024-05-20T00:00Z, start: 2024-06-20T00:00Z, end: 2024-08-19T00:00Z, step: 1h}
data:
  kind: observed
  on: {stale: accept}  # the open interest that is held before the window
  price: {path: $data/binance-1h/${lower}usdt-price.csv.zst, format: ohlcv_ms}
  mark: {path: $data/binance-1h/${lower}usdt-mark.csv.zst, format: ohlcv_ms}
  volume_coins: {path: $data/binance-1h/${lower}usdt-price.csv.zst, format: ohlcv_ms}
  funding: {path: $data/binance-1h/${lower}usdt-funding.csv.zst, format: funding_ms, interval: 8h, unit: fraction}
  oi: {path: $lower-2024-oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, unit: coins, scope: binance}
  liquidations: {path: $lower-2024-liquidations.csv, format: generic, time: {column: time, as: unix_s}, columns: {liq_long: long, liq_short: short}, unit: coins}
calibrate: {observation: fitted, feed: bars}
YAML
}
summer BTC
summer ETH

cat >"$out/summer-2024.yaml" <<YAML
extends: btc-2024.yaml
title: Binance, summer of 2024, throttled feed
calibrate:
  parameters: {book.leverage.alpha: [0.3, 3], book.turnover_per_hour: [0.002, 0.5], book.crowd_tilt: [0, 1.5]}
backtest:
  assets: {btc: btc-2024.yaml, eth: eth-2024.yaml}
  splits:
    - {name: BTC June-July to August, fit: {assets: [btc], to: 2024-08-01T00:00Z}, test: {assets: [btc], from: 2024-08-01T00:00Z}}
    - {name: ETH June-July to August, fit: {assets: [eth], to: 2024-08-01T00:00Z}, test: {assets: [eth], from: 2024-08-01T00:00Z}}
    - {name: both June-July to August, fit: {to: 2024-08-01T00:00Z}, test: {from: 2024-08-01T00:00Z}}
    - {name: BTC to ETH, fit: {assets: [btc]}, test: {assets: [eth]}}
YAML

# ---- Hyperliquid, December 2025: daily, complete feed

# COIN RULES...: rules of the venue, as YAML.
december() {
    local lower=${1,,} rules=$2 of=$data/hyperliquid-2025-12 first
    first=$(zstd -dcq "$of/open-interest-1h.csv.zst" | awk -F, -v c="$1" '$3 == c && !n++ { print $4 }')
    {
        echo time,oi
        hours '2025-10-30' '2025-12-07 10:00' | sed "s/\$/,$first/"
        zstd -dcq "$of/open-interest-1h.csv.zst" | TZ=UTC awk -F, -v c="$1" '$3 == c {
            t = $1; gsub(/[-:TZ]/, " ", t); sub(/\.000/, "", t); print mktime(t) "," $4 }'
    } >"$out/$lower-2025-oi.csv"
    {
        echo time,long,short
        for at in $(seq "$(date -u -d 2025-10-30 +%s)" 86400 "$(date -u -d 2025-12-06 +%s)"); do
            echo "$at,0,0"
        done
        # The total holds a little more than the two sides; it is shared by them.
        zstd -dcq "$of/liquidations-1d.csv.zst" | TZ=UTC awk -F, -v c="$1" '$2 == c {
            t = $1; gsub(/[-:TZ]/, " ", t); sub(/\.000/, "", t)
            s = $4 + $5; f = s > 0 ? $3 / s : 0
            printf "%d,%.6f,%.6f\n", mktime(t), $4 * f, $5 * f }'
    } >"$out/$lower-2025-liquidations.csv"
    cat >"$out/$lower-2025.yaml" <<YAML
format: 1
title: $1 on Hyperliquid, December 2025
symbol: $1USDT
time: {warmup: 2025-11-01T00:00Z, start: 2025-12-08T00:00Z, end: 2026-01-01T00:00Z, step: 1h}
data:
  kind: observed
  on: {stale: accept}  # the open interest that is held before the window
  price: {path: $of/binance-candles-1h.csv.zst, format: generic, time: {column: timestamp, as: iso}, columns: {open: o, high: h, low: l, close: c}, filters: {coin: $1}}
  volume_coins: {path: $of/binance-candles-1h.csv.zst, format: generic, time: {column: timestamp, as: iso}, columns: {volume: v}, filters: {coin: $1}}
  funding: {path: $of/funding-1h.csv.zst, format: generic, time: {column: timestamp, as: iso}, columns: {rate: funding_rate}, filters: {coin: $1}, interval: 1h, unit: fraction}
  oi: {path: $lower-2025-oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, unit: usd, scope: hyperliquid}
  liquidations: {path: $lower-2025-liquidations.csv, format: generic, time: {column: time, as: unix_s}, columns: {liq_long: long, liq_short: short}, unit: usd}
venues:
  - {name: hyperliquid, oi_share: 1.0, $rules}
calibrate: {observation: complete, feed: days, moments: {bar: 0, day: 1}}
YAML
}
december BTC 'rules: hyperliquid'
december ETH 'rules: hyperliquid'
# Maintenance margin is half of the initial margin at the highest leverage, 20x for SOL (Hyperliquid
# docs, "Margin tiers"); its second tier is left out.
december SOL 'rules: flat, flat_max_leverage: 20, flat_rate: 0.025, margin: hyperliquid'

# study NAME SUFFIX TITLE: over the assets whose files end in SUFFIX.
study() {
    cat >"$out/$1.yaml" <<YAML
extends: btc-2025$2.yaml
title: $3
calibrate:
  floor: 1e-5  # per hour: 0.02 % of open interest a day, where 1 % is usual
  parameters: {book.leverage.alpha: [0.3, 3], book.turnover_per_hour: [0.002, 0.5], book.hedged_short_share: [0, 0.9]}
backtest:
  assets: {btc: btc-2025$2.yaml, eth: eth-2025$2.yaml, sol: sol-2025$2.yaml}
  splits:
    - {name: BTC first half to second, fit: {assets: [btc], to: 2025-12-20T00:00Z}, test: {assets: [btc], from: 2025-12-20T00:00Z}}
    - {name: ETH first half to second, fit: {assets: [eth], to: 2025-12-20T00:00Z}, test: {assets: [eth], from: 2025-12-20T00:00Z}}
    - {name: SOL first half to second, fit: {assets: [sol], to: 2025-12-20T00:00Z}, test: {assets: [sol], from: 2025-12-20T00:00Z}}
    - {name: all first half to second, fit: {to: 2025-12-20T00:00Z}, test: {from: 2025-12-20T00:00Z}}
    - {name: BTC to ETH, fit: {assets: [btc]}, test: {assets: [eth]}}
  leave_out: assets
YAML
}
study december-2025 '' 'Hyperliquid, December 2025, complete feed'

# The same with an a and b of its own, as if the feed were throttled: a correction of the model.
for coin in btc eth sol; do
    printf 'extends: %s-2025.yaml\ncalibrate: {observation: fitted}\n' $coin >"$out/$coin-2025-rescaled.yaml"
done
study december-2025-rescaled -rescaled 'Hyperliquid, December 2025, rescaled by a and b'
