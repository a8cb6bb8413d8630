#!/usr/bin/env bash
# liqcascade data: what check finds and what a run then refuses, what info says, and that a series is
# the same however it is packed, parted or converted.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market

says() {
    grep -qE -e "$1" out.txt || fail "no '$1' in: $(cat out.txt err.txt)"
}

# ---- check

expect 0 data check price.csv
says 'rows +1152 in 1 file'
says 'time +2024-03-01T00:00:00Z to 2024-03-04T23:55:00Z'
says '^ +clean$'

# found FLAW PATTERN SED [STATUS]: check names the flaw with its place, and a run refuses the same file
# where check says so.
found() {
    sed -E "$3" price.csv >flawed.csv
    expect "${4:-4}" data check flawed.csv
    says "^ +$1 "
    says "$2"
    sed 's/path: price.csv/path: flawed.csv/' scenario.yaml >flawed.yaml
    expect "${4:-4}" run flawed.yaml -q -o out/flawed
    rm -rf out/flawed
}
found gap '2024-03-01T08:10:00Z to 2024-03-01T09:00:00Z +11 rows of 5m missing +\(flawed.csv:100\)' 100,110d
found zero '2024-03-01T08:15:00Z .*open.*flawed.csv:101' '101s/^([0-9]*),[^,]*/\1,0/'
found nan '2024-03-01T08:15:00Z .*flawed.csv:101' '101s/^([0-9]*),[^,]*/\1,NaN/'
found negative '2024-03-01T08:15:00Z .*flawed.csv:101' '101s/^([0-9]*),[^,]*/\1,-1/'
found ohlc '2024-03-01T08:15:00Z .*flawed.csv:101' '101s/^([0-9]*,[^,]*),[^,]*/\1,1/'
found disorder '2024-03-01T08:10:00Z .*flawed.csv:103' '100{h;d};103{G}'
found repeat '2024-03-01T08:15:00Z .*flawed.csv:102' '101p' 0
expect_error 5 'absent.csv: no such file' data check absent.csv
expect_error 4 'scenario.yaml:1: format: no known format fits; expected' data check scenario.yaml
expect 2 data frobnicate
expect 2 data check

sed 100,110d price.csv >flawed.csv
expect 4 data check --json flawed.csv
says '"gap": 11,'
says '"line": 100$'

# ---- info

expect 0 data info price.csv
says 'column +volume, coins'
says "sha256 +$(sha256sum <price.csv | cut -d ' ' -f 1) +price.csv"

# ---- one series, however it comes

expect 0 run scenario.yaml -q -o out/plain
same_results() {
    sed "s|path: price.csv, format: ohlcv_ms|path: \"$1\", format: $2|" scenario.yaml >other.yaml
    expect 0 run other.yaml -q -o out/other
    local name
    for name in summary steps tiers venues episodes; do
        cmp -s out/plain/$name.csv out/other/$name.csv || fail "$1 gives another $name.csv"
    done
    rm -r out/other
}

expect 0 data convert price.csv -o canonical.csv.zst
[ "$(zstd -dcq canonical.csv.zst | sed -n 1p)" = 'time_ms,open,high,low,close,volume' ] ||
    fail 'the canonical header is another'
same_results canonical.csv.zst canonical
expect 5 data convert price.csv -o canonical.csv.zst
grep -q 'canonical.csv.zst: exists; --force overwrites it' err.txt || fail "$(cat err.txt)"
expect 0 data convert price.csv -o canonical.csv.zst --force
expect 0 data convert canonical.csv.zst -o again.csv.zst
cmp -s <(zstd -dcq canonical.csv.zst) <(zstd -dcq again.csv.zst) || fail 'converting twice changes a series'

# Days in files of their own, each packed another way and none named so.
mkdir days
for day in 0 1 2 3; do
    sed -n "1p; $((2 + 288 * day)),$((289 + 288 * day))p" price.csv >day.csv
    case $day in
    0) cp day.csv days/part-0.csv ;;
    1) gzip -c day.csv >days/part-1.csv ;;
    2) zstd -qc day.csv >days/part-2.csv ;;
    3) zip -q packed.zip day.csv && mv packed.zip days/part-3.csv ;;
    esac
done
same_results days ohlcv_ms
same_results 'days/part-?.csv' ohlcv_ms
expect 0 data info days
says 'rows +1152 in 4 files'
rm days/part-2.csv
expect 4 run other.yaml -q -o out/other
grep -q 'data.price: no row at 2024-03-03T00:00:00Z' err.txt || fail "a day missing: $(cat err.txt)"

# Open interest with another name, unit and clock of its columns.
awk -F, 'NR == 1 { print "id,when,contracts"; next } {
    s = $1 - 1709251200 + 19800
    printf "%d,%02d.03.2024 %02d:%02d:%02d,%s\n", NR, 1 + int(s / 86400), int(s / 3600) % 24,
        int(s / 60) % 60, s % 60, $2 }' oi.csv >local.csv
sed 's|{path: oi.csv.*|{path: local.csv, format: generic, time: {column: when, as: "%d.%m.%Y %H:%M:%S", zone: "+05:30"}, columns: {oi: contracts}, unit: coins, scope: test}|' \
    scenario.yaml >local.yaml
expect 0 run local.yaml -q -o out/local
cmp -s out/plain/steps.csv out/local/steps.csv || fail 'local time text is read as another time'
