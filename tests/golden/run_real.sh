#!/usr/bin/env bash
# Real input: the summer of 2024 on Binance (hourly zst; open interest and liquidations as exported in
# local time, without a header, stamps repeated), the exchange's own zips with a day missing, and a
# depth series with frozen rows.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
for needed in binance-1h coinalyze-2024 binance-vision; do
    [ -d "$data_dir/$needed" ] || skip "no real data in $data_dir (set LIQCASCADE_TEST_DATA)"
done
data_dir=$(realpath "$data_dir")

# summer COIN REFERENCE_COINS: COIN.yaml, from the first open interest to the last.
summer() {
    local lower=${1,,}
    cat >"$1.yaml" <<YAML
format: 1
title: $1, June to August 2024
symbol: $1USDT
time:
  warmup: 2024-06-19T22:00Z
  start: 2024-07-20T00:00Z
  end: 2024-08-19T00:00Z
  step: 1h
data:
  kind: observed
  price: {path: $data_dir/binance-1h/${lower}usdt-price.csv.zst, format: ohlcv_ms}
  mark: {path: $data_dir/binance-1h/${lower}usdt-mark.csv.zst, format: ohlcv_ms}
  funding: {path: $data_dir/binance-1h/${lower}usdt-funding.csv.zst, format: funding_ms, interval: 8h, unit: fraction}
  oi:
    path: $data_dir/coinalyze-2024/$1USDT_PERP.A_open-interest-history.csv.zst
    format: coinalyze_open_interest
    time: {zone: "+06:00"}
    scope: binance
  liquidations:
    path: $data_dir/coinalyze-2024/$1USDT_PERP.A_liquidation-history.csv.zst
    format: coinalyze_liquidations
    time: {zone: "+06:00"}
book: {positions_per_bar: 20}
impact: {reference_coins: $2}
YAML
}

# hourly FILE FROM TO CALCULATION: awk over the raw rows of [FROM, TO) in UTC.
hourly() {
    zstd -dcq "$1" | awk -F, -v from="$(date -u -d "$2" +%s)000" -v to="$(date -u -d "$3" +%s)000" \
        "NR > 1 && \$1 >= from && \$1 < to $4"
}
lowest='{ if (!low || $4 < low) low = $4 } END { print low }'

# The step of August 5 with the lowest price, and the run's lowest price.
check_prices() {
    local raw of_run of_day
    raw=$(hourly "$data_dir/binance-1h/${1,,}usdt-price.csv.zst" 2024-07-20 2024-08-19 "$lowest")
    of_run=$(column "out/$1/summary.csv" price_low)
    of_day=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["time"] ~ /^2024-08-05T/ { if (!low || $at["price_low"] < low) low = $at["price_low"] }
        END { print low }' "out/$1/steps.csv")
    echo "$1: lowest price of the data $raw, of the run $of_run, of its August 5 $of_day"
    [ "$raw" = "$of_run" ] && [ "$raw" = "$of_day" ] || fail "$1: the lowest price is not the data's"
}

# Open interest at the start is the last one stamped before it, in local time.
check_oi() {
    local raw of_run
    raw=$(zstd -dcq "$data_dir/coinalyze-2024/$1USDT_PERP.A_open-interest-history.csv.zst" |
        awk -F, '$1 == "2024-07-20 05:00:00" { print $5 }')
    of_run=$(column "out/$1/summary.csv" oi_start_coins)
    echo "$1: open interest at the start $raw coins, of the run $of_run"
    awk -v a="$raw" -v b="$of_run" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < (1e-9 * a) ^ 2) }' ||
        fail "$1: the run does not start with the data's open interest"
}

# Every input is in the manifest under its own hash.
check_manifest() {
    local role file
    for role in price mark funding oi liquidations scenario brackets; do
        file=$(grep -A1 "\"role\": \"$role\"" "out/$1/manifest.json" | sed -n 's/.*"path": "\(.*\)",/\1/p')
        [ -f "$file" ] || fail "$1: the manifest names no $role"
        grep -A2 "\"role\": \"$role\"" "out/$1/manifest.json" |
            grep -q "\"sha256\": \"$(sha256sum <"$file" | cut -d ' ' -f 1)\"" ||
            fail "$1: the manifest's hash of $file is not its SHA-256"
    done
    grep -q '"reconstructed": true' "out/$1/manifest.json" && fail "$1: observed data is called reconstructed"
    return 0
}

# policy FILE ROLE FLAW: what the manifest says was done.
policy() {
    grep -A4 "\"role\": \"$2\"" "$1" | grep -A3 "\"flaw\": \"$3\"" | tr -d ' \n"'
}

for coin in BTC ETH; do
    [ $coin = BTC ] && summer BTC 165 || summer ETH 3000
    expect 0 run $coin.yaml -o out/$coin
    grep -q 'data.liquidations: [0-9]* times `repeat`, handled by policy `drop`' err.txt ||
        fail "$coin: repeated stamps go without a word: $(cat err.txt)"
    check_prices $coin
    check_oi $coin
    check_manifest $coin
    repeats=$(zstd -dcq "$data_dir/coinalyze-2024/${coin}USDT_PERP.A_liquidation-history.csv.zst" |
        cut -d, -f1 | uniq -d | wc -l)
    [ "$repeats" -gt 0 ] || fail "$coin: the data repeats no stamp"
    said=$(policy out/$coin/manifest.json liquidations repeat)
    echo "$coin: $said ($repeats stamps)"
    [[ $said =~ flaw:repeat,action:drop,found:([0-9]+),applied:([0-9]+) ]] &&
        [ "${BASH_REMATCH[1]}" -ge "$repeats" ] && [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ] ||
        fail "$coin: the manifest says $said"
    # A feed has no row for an hour without liquidations.
    said=$(policy out/$coin/manifest.json liquidations gap)
    [[ $said =~ action:accept,found:[1-9] ]] || fail "$coin: the manifest says $said"
done
[ "$(column out/BTC/summary.csv price_low)" = 48888 ] || fail 'BTC fell to 48,888 on August 5, 2024'
[ "$(awk -F, '/^[0-9]/' out/BTC/steps.csv | wc -l)" -eq 720 ] || fail 'thirty days are 720 hours'

# In the wrong zone the same file does not cover the window.
expect_zone() {
    sed 's/warmup: .*/warmup: 2024-06-19T21:00Z/' BTC.yaml >zone.yaml
    expect 0 run zone.yaml -q -o out/zone
    sed -i 's/+06:00/+00:00/' zone.yaml
    expect 4 run zone.yaml -q -o out/other
    grep -q 'data.oi: covers .*2024-06-20T03:00:00Z' err.txt || fail "in another zone: $(cat err.txt)"
}
expect_zone
rm -r out/*

# ---- the archive's zips, 2025-10-04 missing

cat >zips.yaml <<YAML
format: 1
title: BTC mark, October 2025
symbol: BTCUSDT
time: {warmup: 2025-10-01T00:00Z, start: 2025-10-10T12:00Z, end: 2025-10-11T12:00Z, step: 5m}
data:
  price: {path: "$data_dir/binance-vision/BTCUSDT-5m-*.zip", format: binance_klines}
  oi: {source: builtin:btc-2025-autumn, unit: coins, scope: all_without_cme}
book: {positions_per_bar: 5}
YAML
expect_error 4 'BTCUSDT-5m-2025-10-05.zip:2: data.price: no row at 2025-10-04T00:00:00Z, the last one' \
    run zips.yaml -o out/zips
expect 0 run zips.yaml -q -o out/zips --set data.on.gap=carry
said=$(policy out/zips/manifest.json price gap)
echo "zips: $said"
[ "$said" = flaw:gap,action:carry,found:288,applied:288 ] || fail "the manifest says $said"
[ "$(grep -c 'BTCUSDT-5m-2025-.*\.zip"' out/zips/manifest.json)" -ge 10 ] ||
    fail 'the manifest does not list the zips'
low=$(column out/zips/summary.csv price_low)
awk -v low="$low" 'BEGIN { exit !(low > 101877.65 && low < 101877.75) }' ||
    fail "the mark fell to 101,877.7 on October 10, 2025; the run says $low"

expect 4 data check "$data_dir/binance-vision/BTCUSDT-5m-*.zip"
grep -q 'gap *288 missing rows' out.txt &&
    grep -q '2025-10-04T00:00:00Z to 2025-10-04T23:55:00Z *288 rows of 5m missing' out.txt ||
    fail "data check of the zips says $(cat out.txt)"

# ---- frozen depth

expect 4 data check "$data_dir/binance-vision/BTCUSDT-bookDepth-2025-10-10.csv.zst"
grep -q 'T16:41:31Z to 2025-10-10T19:15:01Z *bid -1%: depth = 17.652 for 2.6 h' out.txt ||
    fail "data check of the depth says $(cat out.txt)"
! grep -q ' ask ' out.txt || fail "the ask side is usable, but data check says $(grep ' ask ' out.txt)"
expect 4 data check --json "$data_dir/binance-vision/BTCUSDT-bookDepth-2025-10-10.csv.zst"
grep -q '"stale"' out.txt || fail 'data check --json lacks the frozen rows'
