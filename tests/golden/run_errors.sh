#!/usr/bin/env bash
# What cannot be run gives one error that says where and what was expected, its exit status, and
# neither a results directory nor leftovers.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market

# with PATTERN REPLACEMENT: bad.yaml, the scenario with one text replaced.
with() {
    sed "s|$1|$2|" scenario.yaml >bad.yaml
    ! cmp -s scenario.yaml bad.yaml || fail "the scenario has no $1"
}

# spoilt FILE SED: bad.csv is FILE after SED, and bad.yaml reads it in place of FILE.
spoilt() {
    sed -E "$2" "$1" >bad.csv
    ! cmp -s "$1" bad.csv || fail "$2 does not change $1"
    with "path: $1" 'path: bad.csv'
}

# place TEXT: line and column at which bad.yaml has it.
place() {
    awk -v text="$1" '(at = index($0, text)) { print NR ":" at; exit }' bad.yaml
}

refused() {
    expect_error "$1" "$2" run bad.yaml -o out/results
}

# ---- scenario: exit status 3, file, line and column

with 'impact:' 'impcat:'
refused 3 'bad.yaml:11:1: impcat: unknown key; did you mean impact?'
with 'step: 5m' 'step: 5 minutes'
refused 3 "bad.yaml:$(place '5 minutes'): time.step: '5 minutes' is not a duration; expected a duration such as 20m"
with 'unit: coins' 'unit: BTC'
refused 3 "bad.yaml:$(place 'BTC, scope'): data.oi.unit: 'BTC' is not a choice; expected one of coins, usd, contracts"
with 'end: 2024-03-05' 'end: 2024-03-03'
refused 3 "bad.yaml:$(place 2024-03-03): time.end: 2024-03-03T00:00:00Z is not after time.start; expected a time after"
with 'reference_coins: 500' 'reference_coins: -500'
refused 3 "bad.yaml:$(place -500): impact.reference_coins: '-500' is out of bounds; expected a number above 0"
with 'seed: 7' 'seed: 7, 8'
refused 3 'bad.yaml:4:7: seed: '
with 'book: {' 'book: {{'
refused 3 'bad.yaml:11:1: not YAML: '
with 'seed: 7' 'extends: bad.yaml'
refused 3 'bad.yaml:4:10: extends: '
expect_error 3 '--set:1:8: impact.gama: unknown key; did you mean impact.gamma?' \
    run scenario.yaml -o out/results --set impact.gama=1
expect_error 3 'feedback: closed on an observed path takes the impact out of one price' \
    run scenario.yaml -o out/results --set feedback=closed --set impact.arbitrage_half_life=1m
expect_error 3 'expected less than 2^31: lower book.positions_per_bar or widen time.step' \
    run scenario.yaml -o out/results --set book.positions_per_bar=1000000

# Several errors are told at once.
expect 3 run scenario.yaml -o out/results --set impact.gama=1 --set time.step=5
[ "$(wc -l <err.txt)" -eq 2 ] || fail "two errors print as $(cat err.txt)"

# ---- files: exit status 5

with 'path: price.csv' 'path: absent.csv'
refused 5 "bad.yaml:$(place '{path: absent'): data.price: absent.csv: no such file"
with 'path: price.csv' 'path: "absent-*.csv"'
refused 5 'bad.yaml:7:10: data.price: absent-*.csv: no file matches'
mkdir empty
with 'path: price.csv' 'path: empty'
refused 5 'bad.yaml:7:10: data.price: empty: the folder holds no files'
expect_error 5 'absent.yaml: cannot open' run absent.yaml -o out/results

# Root reads what nobody may read.
as_nobody=()
[ "$(id -u)" -ne 0 ] || as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
chmod 755 . && chmod 777 out
if "${as_nobody[@]}" "$command" run scenario.yaml -q -o out/readable >out.txt 2>&1; then
    rm -r out/readable
    cp price.csv locked.csv && chmod 000 locked.csv
    with 'path: price.csv' 'path: locked.csv'
    status=0
    "${as_nobody[@]}" "$command" run bad.yaml -o out/results >out.txt 2>err.txt || status=$?
    [ $status -eq 5 ] && grep -q 'locked.csv: .*Permission denied' err.txt ||
        fail "an unreadable file exits with $status: $(cat err.txt)"
    [ -z "$(ls -A out)" ] || fail "an unreadable file leaves $(ls -A out)"
else
    echo 'without the unreadable file: cannot run as another user'
fi

# ---- data: exit status 4, file, line and, where there is one, column

spoilt price.csv '101s/^([0-9]*),[^,]*/\1,NaN/'
refused 4 'bad.csv:101:2: open: open = nan; expected a finite number'
spoilt price.csv '101s/^([0-9]*),[^,]*/\1,-5/'
refused 4 'bad.csv:101:2: open: open = -5; expected 0 or more'
spoilt price.csv '101s/^([0-9]*),[^,]*/\1,0/'
refused 4 'bad.csv:101:2: open: zero: open = 0; expected none'
spoilt price.csv '101s/^([0-9]*),[^,]*/\1,/'
refused 4 'bad.csv:101:2: open: zero: open is empty; expected none'
spoilt price.csv '101s/^([0-9]*),[^,]*/\1,sixty/'
refused 4 'bad.csv:101:2: open: "sixty" is not a number'
spoilt price.csv '101s/^([0-9]*),/\1,"/'
refused 4 'bad.csv:101:2: a quote is opened here and never closed; expected a closing quote'
spoilt price.csv '101s/,[^,]*$//'
refused 4 'bad.csv:101: the row has 5 columns; expected at least 6'
spoilt price.csv '101s/^([0-9]*,[^,]*),[^,]*/\1,1/'
refused 4 'bad.csv:101:3: high: ohlc'
spoilt price.csv '1s/timestamp_ms/when/'
refused 4 'bad.csv:1: timestamp_ms: ohlcv_ms needs this column for the time'
spoilt price.csv '100{h;d};103{G}'
refused 4 'bad.csv:103:1: timestamp_ms: disorder: 2024-03-01T08:10:00Z comes after 2024-03-01T08:25:00Z'
spoilt price.csv '100,110d'
refused 4 'bad.csv:100: data.price: no row at 2024-03-01T08:10:00Z'
spoilt price.csv '2,$d'
refused 4 'bad.csv: no rows; expected some'
spoilt price.csv 'd'
refused 4 'bad.csv: the file is empty; expected rows of CSV'
spoilt price.csv '$d'
refused 4 '2024-03-04T23:5'
spoilt oi.csv '101s/,.*/,-5/'
refused 4 'bad.csv:101:2: oi: oi = -5; expected 0 or more'
spoilt oi.csv 's/,.*/,50000/; 1s/,.*/,oi/'
refused 4 'bad.csv:2: data.oi: stale: oi = 50000 for '
spoilt funding.csv '5s/,.*/,0.5/'
refused 4 'data.funding: rate = 0.5 at 2024-03-02T00:00:00Z; expected a fraction'

expect_error 4 'a step of 1m is finer than the data, which has a row every 5m; expected time.step: 5m' \
    run scenario.yaml -o out/results --set time.step=1m
expect_error 4 'price.csv: data.price: covers 2024-03-01T00:00:00Z to 2024-03-05T00:00:00Z here; expected' \
    run scenario.yaml -o out/results --set time.end=2024-03-06
expect_error 4 'there are no brackets of DOGEUSDT; there are BTCUSDT, ETHUSDT' \
    run scenario.yaml -o out/results --set symbol=DOGEUSDT

# Packed data that ends too early, is damaged, or unpacks to more than any history.
zstd -q price.csv -o whole.zst
head -c $(($(stat -c %s whole.zst) / 2)) whole.zst >bad.csv
with 'path: price.csv' 'path: bad.csv'
refused 4 'bad.csv: truncated zstd: the file ends within a frame'
gzip -c price.csv >whole.gz
head -c 9000 whole.gz >bad.csv
refused 4 'bad.csv: truncated gzip'
zip -q whole.zip price.csv
head -c $(($(stat -c %s whole.zip) / 2)) whole.zip >bad.csv
refused 4 'bad.csv: '
head -c 2000 /dev/urandom | cat whole.zst - >bad.csv
refused 4 'bad.csv: '
head -c 400M /dev/zero | zip -q -9 bad.zip -
mv bad.zip bad.csv
SECONDS=0
refused 4 'bytes of zip expand to 419430400 bytes; expected at most 100 times the size'
# 10 GiB of empty lines, as 1,024 frames of 10 MiB.
head -c 10M /dev/zero | tr '\0' '\n' | zstd -q -c >frame
for i in 1 2 3 4 5 6 7 8; do cat frame frame frame frame; done >frames
for i in 1 2 3 4 5 6 7 8; do cat frames frames frames frames; done >bad.csv
refused 4 'bytes of zstd expand to more than'
[ $SECONDS -lt 10 ] || fail "refusing two bombs takes $SECONDS s"

# ---- positions

cat >positions.csv <<'CSV'
venue,side,entry_price,size_coins,leverage
all,long,60000,10,20
all,short,60000,10,5
CSV
with 'positions_per_bar: 10' 'positions_from: bad.csv'
cp bad.yaml positions.yaml
spoilt_position() {
    sed "$1" positions.csv >bad.csv
    cp positions.yaml bad.yaml
}
spoilt_position '2s/20$/0.5/'
refused 4 'bad.csv:2: leverage: makes a leverage of 0.5; expected at least 1'
spoilt_position '3s/short/sell/'
refused 4 'bad.csv:3:2: side: '
spoilt_position '3s/10/-10/'
refused 4 'bad.csv:3:4: size_coins: '
spoilt_position '2s/60000/0/'
refused 4 'bad.csv:2:3: entry_price: '
spoilt_position '2s/60000/NaN/'
refused 4 'bad.csv:2:3: entry_price: '
spoilt_position '3s/all/other/'
refused 4 'bad.csv:3: venue: `other` is no venue of the scenario'
spoilt_position '3s/all/"all/'
refused 4 'bad.csv:3:1: a quote is opened here'
spoilt_position '1s/leverage/comment/'
refused 4 'bad.csv:2: leverage: expected leverage, margin or liquidation_price'
spoilt_position '1s/entry_price/price/'
refused 4 'bad.csv:1: entry_price: '
cat >positions.csv <<'CSV'
venue,side,entry_price,size_coins,account,wallet_usd
all,long,60000,10,one,90000
all,short,60000,10,one,
CSV
spoilt_position '3s/$/80000/'
refused 4 'bad.csv:3:6: wallet_usd: is not the 90000 of an earlier row of account `one`'
spoilt_position '2s/90000//'
refused 4 'bad.csv:2:6: wallet_usd: expected the wallet balance of account `one`'
spoilt_position '3s/one//'
refused 4 'bad.csv:3: leverage: expected leverage, margin or liquidation_price'
spoilt_position '2,$d'
refused 4 'bad.csv: there are no positions in it'
spoilt_position 'd'
refused 4 'bad.csv: the file is empty; expected rows of CSV'
rm bad.csv
refused 5 'bad.csv: cannot open: No such file or directory'

# ---- results that cannot be written: exit status 5

mkdir out/results && echo mine >out/results/notes.txt
expect 5 run scenario.yaml -o out/results
grep -q 'out/results: exists already; expected a new directory' err.txt || fail "$(cat err.txt)"
expect 5 run scenario.yaml -o out/results --force
grep -q 'out/results: .*not empty' err.txt || fail "--force over a folder of mine: $(cat err.txt)"
[ "$(ls -A out)" = results ] && [ "$(ls -A out/results)" = notes.txt ] ||
    fail 'a folder that is no result of ours was touched'
rm -r out/results
expect_error 5 '/proc/results: ' run scenario.yaml -o /proc/results
expect_error 5 'price.csv: exists and is not a directory' run scenario.yaml -o price.csv --force

# A result of ours is replaced on demand, and stays as it was when the new run fails.
expect 0 run scenario.yaml -q -o out/results
cp -r out/results before
expect 4 run scenario.yaml -q -o out/results --force --set time.end=2024-03-06
diff -r before out/results || fail 'a failed run changed earlier results'
expect 0 run scenario.yaml -q -o out/results --force --seed 8
! diff -rq before out/results >/dev/null || fail '--force left the earlier results'
[ "$(ls -A out)" = results ] || fail "--force leaves $(ls -A out)"
rm -r out/results

# ---- usage: exit status 2

expect_error 2 'SCENARIO' run
expect_error 2 'scenario.yaml' run scenario.yaml scenario.yaml
expect_error 2 '--sead' run scenario.yaml --sead 3
expect_error 2 '--seed' run scenario.yaml --seed many
expect_error 2 '--threads' run scenario.yaml --threads 0
